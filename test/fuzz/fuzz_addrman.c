/* fuzz_addrman.c - peers.dat and what is done with the address manager. First byte: bit 0: the file's checksum is made right. Two bytes: the
 * length of the file; then operations. The consistency check runs after all of it; what was loaded must load again. */
#include <stdlib.h>

#include "crypto/sha256.h"
#include "net/addrman.h"
#include "primitives/serialize.h"
#include "util/assert.h"
#include "util/mem.h"
#include "util/time.h"

#define NOW 1790000000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t magic[4] = {0xfa, 0xbf, 0xb5, 0xda};

/* An address out of few, so that operations meet. */
static struct net_addr read_addr(struct reader *r)
{
    static const enum net_network networks[] = {NET_IPV4, NET_IPV4, NET_IPV6, NET_ONION, NET_I2P, NET_CJDNS};
    struct net_addr a = {.network = networks[read_u8(r) % ARRAY_LEN(networks)], .port = 8333};

    a.ip[0] = a.network == NET_CJDNS ? 0xfc : read_u8(r);
    a.ip[1] = read_u8(r);
    a.ip[3] = read_u8(r) % 4;
    return a;
}

static void operate(struct addrman *a, struct reader *r)
{
    int64_t now = NOW, last;

    while (reader_left(r)) {
        uint8_t op = read_u8(r);
        struct addr_entry e = {.time = (uint32_t)(NOW - read_u8(r) * 30000), .services = op, .addr = read_addr(r)};
        struct net_addr source = read_addr(r);
        struct addr_entry *list;

        now += op >> 3;
        time_mock_set(now);
        switch (op % 8) {
        case 0:
            addrman_good(a, &e.addr, now);
            break;
        case 1:
            addrman_attempt(a, &e.addr, op & 8, now);
            break;
        case 2:
            addrman_resolve_collisions(a);
            break;
        case 3:
            addrman_connected(a, &e.addr, now);
            addrman_set_services(a, &e.addr, op);
            break;
        case 4:
            if (addrman_select(a, op & 8, op & 16 ? ADDRMAN_NETWORK(e.addr.network) : 0, &e, &last))
                ASSERT(net_addr_is_valid(&e.addr));
            addrman_select_collision(a, &e, &last);
            break;
        case 5:
            ASSERT(addrman_sample(a, &list, op, 23, NET_UNKNOWN, true) <= addrman_count(a, NET_UNKNOWN, ADDRMAN_BOTH));
            free(list);
            break;
        default:
            addrman_add(a, &e, 1, &source, op);
        }
    }
}

/* Loads the bytes. Returns: a manager, new if they are not fit. */
static struct addrman *load(const struct netgroup *g, const uint8_t *data, size_t len)
{
    struct addrman *a = addrman_new(g, true, 0);
    char *problem;

    if (addrman_decode(a, data, len, magic, &problem) == RC_OK)
        return a;
    ASSERT(problem && *problem);
    free(problem);
    addrman_free(a);
    return addrman_new(g, true, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader r = reader_make(data, size);
    struct netgroup *g = netgroup_new(NULL, 0);
    struct writer w = WRITER_INIT;
    struct addrman *a, *b;
    uint8_t flags = read_u8(&r);
    size_t len = read_u16(&r);
    uint8_t *file;
    char *problem = NULL;

    if (len > reader_left(&r))
        len = reader_left(&r);
    file = xmalloc(len + 36);
    memcpy(file, magic, 4);
    read_copy(&r, file + 4, len);
    sha256d(file + 4 + len, file, 4 + len);
    time_mock_set(NOW);
    a = load(g, file, flags & 1 ? len + 36 : len + 4);
    operate(a, &r);
    ASSERT(addrman_check(a) == 0);
    addrman_encode(&w, a, magic);
    b = addrman_new(g, true, 0);
    ASSERT(addrman_decode(b, w.data, w.len, magic, &problem) == RC_OK);
    ASSERT(addrman_count(a, NET_UNKNOWN, ADDRMAN_TRIED) == addrman_count(b, NET_UNKNOWN, ADDRMAN_TRIED));
    ASSERT(addrman_count(a, NET_UNKNOWN, ADDRMAN_NEW) == addrman_count(b, NET_UNKNOWN, ADDRMAN_NEW));
    addrman_free(a);
    addrman_free(b);
    writer_clear(&w);
    netgroup_free(g);
    free(file);
    return 0;
}
