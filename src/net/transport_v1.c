/* transport_v1.c - v1 framing: magic, type, length, checksum, payload. Fed by connection.c on the loop thread; sans-I/O, so that a
 * fuzzer can feed it too. A wrong checksum or type skips the message, wrong magic or a too large size breaks the stream (as Core). */
#include "net/transport.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/hex.h"
#include "util/mem.h"

#define PAYLOAD_AHEAD (64u * 1024)
#define PAYLOAD_KEEP (4u * 1024) /* a larger buffer is given back after its message */

void transport_v1_init(struct transport_v1 *t, const uint8_t magic[4])
{
    memset(t, 0, sizeof(*t));
    memcpy(t->magic, magic, 4);
}

void transport_v1_clear(struct transport_v1 *t)
{
    free(t->payload);
    t->payload = NULL;
    t->payload_cap = 0;
}

/* Printable ASCII up to the first NUL, only NULs behind it. */
static bool type_is_valid(const uint8_t type[12])
{
    bool ended = false;
    for (int i = 0; i < 12; i++) {
        if (type[i] == 0)
            ended = true;
        else if (ended || type[i] < 0x20 || type[i] > 0x7e)
            return false;
    }
    return true;
}

static enum transport_event broken(struct transport_v1 *t)
{
    t->broken = true;
    return TRANSPORT_BROKEN;
}

/* The 24 bytes are there. */
static enum transport_event header_complete(struct transport_v1 *t)
{
    char type[16];

    if (memcmp(t->header, t->magic, 4) != 0) {
        char hex[9];
        hex_encode(hex, t->header, 4);
        snprintf(t->problem, sizeof(t->problem), "Header error: Wrong MessageStart %s received", hex);
        return broken(t);
    }
    memcpy(t->type, t->header + 4, 12);
    t->type[12] = 0;
    t->payload_len = get_le32(t->header + 16);
    t->payload_got = 0;
    if (t->payload_len > MAX_MESSAGE_PAYLOAD) {
        message_sanitize(type, sizeof(type), t->type, strlen(t->type));
        snprintf(t->problem, sizeof(t->problem), "Header error: Size too large (%s, %u bytes)", type, t->payload_len);
        return broken(t);
    }
    sha256_init(&t->hasher);
    return TRANSPORT_NEED_MORE;
}

static enum transport_event message_complete(struct transport_v1 *t)
{
    uint8_t hash[32];
    char type[16];

    sha256d_finish(&t->hasher, hash);
    t->header_len = 0;
    message_sanitize(type, sizeof(type), t->type, strlen(t->type));
    if (memcmp(hash, t->header + 20, 4) != 0) {
        char want[9], was[9];
        hex_encode(want, hash, 4);
        hex_encode(was, t->header + 20, 4);
        snprintf(t->problem, sizeof(t->problem), "Header error: Wrong checksum (%s, %u bytes), expected %s was %s", type,
                 t->payload_len, want, was);
        return TRANSPORT_REJECTED;
    }
    if (!type_is_valid(t->header + 4)) {
        snprintf(t->problem, sizeof(t->problem), "Header error: Invalid message type (%s, %u bytes)", type, t->payload_len);
        return TRANSPORT_REJECTED;
    }
    return TRANSPORT_MESSAGE;
}

static void payload_reserve(struct transport_v1 *t, uint32_t need)
{
    size_t cap;
    if (!t->payload)
        t->payload_cap = 0; /* the last message's was taken */
    if (need <= t->payload_cap)
        return;
    cap = (size_t)need + (need < PAYLOAD_AHEAD ? need : PAYLOAD_AHEAD); /* as much again: memory follows what has come */
    if (cap > t->payload_len)
        cap = t->payload_len;
    t->payload = xrealloc(t->payload, cap);
    t->payload_cap = cap;
}

void transport_v1_release(struct transport_v1 *t)
{
    if (t->header_len == 0 && t->payload_cap > PAYLOAD_KEEP)
        transport_v1_clear(t);
}

enum transport_event transport_v1_feed(struct transport_v1 *t, const uint8_t *data, size_t len, size_t *used)
{
    size_t n;
    enum transport_event e;

    *used = 0;
    if (t->broken)
        return TRANSPORT_BROKEN;
    if (t->header_len < MESSAGE_HEADER_SIZE) {
        transport_v1_release(t);
        n = MESSAGE_HEADER_SIZE - t->header_len;
        if (n > len)
            n = len;
        memcpy(t->header + t->header_len, data, n);
        t->header_len += (unsigned)n;
        *used = n;
        if (t->header_len < MESSAGE_HEADER_SIZE)
            return TRANSPORT_NEED_MORE;
        e = header_complete(t);
        if (e != TRANSPORT_NEED_MORE)
            return e;
        data += n;
        len -= n;
    }
    n = t->payload_len - t->payload_got;
    if (n > len)
        n = len;
    if (n) {
        payload_reserve(t, t->payload_got + (uint32_t)n);
        memcpy(t->payload + t->payload_got, data, n);
        sha256_write(&t->hasher, data, n);
        t->payload_got += (uint32_t)n;
        *used += n;
    }
    return t->payload_got == t->payload_len ? message_complete(t) : TRANSPORT_NEED_MORE;
}

struct message transport_v1_message(struct transport_v1 *t)
{
    struct message m;
    memcpy(m.type, t->type, sizeof(m.type));
    m.payload = t->payload;
    m.len = t->payload_len;
    m.owner = &t->payload;
    return m;
}

size_t transport_v1_wire_size(const struct transport_v1 *t)
{
    return (size_t)t->payload_len + MESSAGE_HEADER_SIZE;
}

void transport_v1_header(uint8_t out[MESSAGE_HEADER_SIZE], const uint8_t magic[4], const char *type, const void *payload,
                         size_t len)
{
    uint8_t hash[32];

    memcpy(out, magic, 4);
    memset(out + 4, 0, 12);
    memcpy(out + 4, type, strnlen(type, 12));
    put_le32(out + 16, (uint32_t)len);
    sha256d(hash, payload, len);
    memcpy(out + 20, hash, 4);
}
