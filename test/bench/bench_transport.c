/* bench_transport.c - what framing costs: the handshake of BIP324, and messages of several sizes written by one side and read by the other, in the
 * clear and encrypted.
 *
 * build/bench/bench_transport */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "crypto/bip324.h"
#include "net/transport.h"
#include "util/assert.h"
#include "util/mem.h"
#include "util/random.h"

#define READ_CHUNK 65536 /* as connection.c reads */
#define LARGEST 4000000
#define WORK_US 300000

static const uint8_t magic[4] = {0xf9, 0xbe, 0xb4, 0xd9};

/* CPU time: others' work on the machine does not count. */
static int64_t cpu_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void pass(struct transport *to, struct transport *from)
{
    size_t len, used;
    const uint8_t *data = transport_pending(from, &len);

    if (!len)
        return;
    ASSERT(transport_feed(to, data, len, &used) == TRANSPORT_NEED_MORE);
    transport_pending_done(from);
}

static void open_pair(struct transport *a, struct transport *b, bool v2)
{
    transport_init(a, magic, v2 ? TRANSPORT_V2_INITIATOR : TRANSPORT_V1_ONLY);
    transport_init(b, magic, v2 ? TRANSPORT_V2_RESPONDER : TRANSPORT_V1_ONLY);
    for (int i = 0; i < 3; i++) {
        pass(b, a);
        pass(a, b);
    }
    ASSERT(!v2 || (transport_session_id(a) && transport_session_id(b)));
}

static void handshakes(void)
{
    int64_t start = cpu_us(), spent;
    unsigned n = 0;

    do {
        struct transport a, b;
        open_pair(&a, &b, true);
        transport_clear(&a);
        transport_clear(&b);
        n++;
        spent = cpu_us() - start;
    } while (spent < WORK_US);
    printf("  handshake, both sides   %7.1f us\n", (double)spent / n);
}

static void read_all(struct transport *t, const uint8_t *data, size_t size)
{
    enum transport_event e = TRANSPORT_NEED_MORE;

    for (size_t pos = 0, used; pos < size; pos += used)
        e = transport_feed(t, data + pos, size - pos < READ_CHUNK ? size - pos : READ_CHUNK, &used);
    ASSERT(e == TRANSPORT_MESSAGE);
    transport_release(t);
}

static void messages(bool v2, const char *type, size_t len)
{
    static uint8_t payload[LARGEST], wire[LARGEST + 100];
    struct transport a, b;
    int64_t write_us = 0, read_us = 0;
    unsigned n = 0;

    open_pair(&a, &b, v2);
    while (write_us + read_us < WORK_US) {
        unsigned batch = len < 10000 ? 100 : 1;
        size_t size = transport_size(&a, type, len);
        int64_t start = cpu_us(), middle;
        uint8_t *at = wire;

        for (unsigned i = 0; i < batch; i++, at += size)
            transport_write(&a, at, type, payload, len);
        middle = cpu_us();
        for (unsigned i = 0; i < batch; i++)
            read_all(&b, wire + i * size, size);
        write_us += middle - start;
        read_us += cpu_us() - middle;
        n += batch;
    }
    printf("  %s %-6s %7zu bytes   write %8.2f us %6.2f GB/s   read %8.2f us %6.2f GB/s\n", v2 ? "v2" : "v1", type, len,
           (double)write_us / n, (double)len * n / (double)write_us / 1000, (double)read_us / n,
           (double)len * n / (double)read_us / 1000);
    transport_clear(&a);
    transport_clear(&b);
}

int main(void)
{
    static const struct {
        const char *type;
        size_t len;
    } kinds[] = {{"ping", 8}, {"inv", 37}, {"tx", 250}, {"headers", 8000}, {"block", 1500000}, {"block", LARGEST}};
    uint8_t ell[64], key[32], seed[32];
    int64_t start = cpu_us();

    memset(key, 1, sizeof(key));
    for (int i = 0; i < 200; i++) {
        random_bytes(seed, sizeof(seed));
        ellswift_create(ell, key, seed);
    }
    printf("Transports:\n  key and its encoding    %7.1f us\n", (double)(cpu_us() - start) / 200);
    handshakes();
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        for (int v2 = 0; v2 < 2; v2++)
            messages(v2, kinds[i].type, kinds[i].len);
    return 0;
}
