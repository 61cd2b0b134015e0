/* fuzz_transport_v2.c - BIP324 parsers under strange input. The first byte chooses: raw bytes for an initiator or a responder, or two ends with known
 * keys that shake hands, send messages, decoys and packets of any contents, and have single bits flipped on the way. Pieces are of any length. */
#include <stdlib.h>

#include "crypto/bip324.h"
#include "net/transport_v2.h"
#include "util/assert.h"
#include "util/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t magic[4] = {0xfa, 0xbf, 0xb5, 0xda};

static void open_end(struct transport *t, bool initiating, size_t garbage_len)
{
    static uint8_t garbage[TRANSPORT_V2_MAX_GARBAGE];
    static struct transport_v2_random side[2]; /* made once: an encoding takes long */
    struct transport_v2_random *r = &side[initiating];

    if (!r->key[0]) {
        memset(r->key, 1 + initiating, sizeof(r->key));
        ASSERT(ellswift_create(r->ell, r->key, r->key));
        r->garbage = garbage;
    }
    r->garbage_len = garbage_len;
    transport_init(t, magic, TRANSPORT_V1_ONLY);
    t->v2 = transport_v2_new(magic, initiating, r);
}

/* Feeds in pieces up to the first event. Returns: the event. Out: *pos moves on. */
static enum transport_event feed(struct transport *t, const uint8_t *data, size_t size, size_t *pos, size_t piece)
{
    enum transport_event e = TRANSPORT_NEED_MORE;

    while (*pos < size && e == TRANSPORT_NEED_MORE) {
        size_t used, len = size - *pos < piece ? size - *pos : piece;
        uint8_t *copy = xmemdup(data + *pos, len);
        e = transport_feed(t, copy, len, &used);
        free(copy);
        ASSERT(used <= len && (used > 0 || e == TRANSPORT_BROKEN));
        *pos += used;
    }
    return e;
}

static void raw(const uint8_t *data, size_t size, bool initiating, size_t piece)
{
    struct transport t;
    size_t pos = 0;
    enum transport_event e = TRANSPORT_NEED_MORE;

    open_end(&t, initiating, 3);
    while (pos < size && e != TRANSPORT_BROKEN) {
        e = feed(&t, data, size, &pos, piece);
        transport_release(&t);
        ASSERT(!transport_session_id(&t)); /* nobody guesses a tag */
    }
    transport_clear(&t);
}

static void deliver(struct transport *to, struct transport *from, size_t piece)
{
    size_t len, pos = 0;
    const uint8_t *data = transport_pending(from, &len);

    ASSERT(feed(to, data, len, &pos, piece) == TRANSPORT_NEED_MORE && pos == len);
    transport_pending_done(from);
}

/* One packet by the input's wish, perhaps damaged. Returns: false if the receiver is done for. */
static bool one_packet(struct transport *a, struct transport *b, struct reader *r, size_t piece)
{
    uint8_t how = read_u8(r);
    size_t len = read_u8(r), at = 0, pos = 0;
    const uint8_t *body;
    struct writer w = WRITER_INIT;
    enum transport_event e;
    bool damaged = (how & 0xf0) == 0xf0, is_raw = how & 1, decoy = is_raw && (how & 2);
    const char *type = how & 4 ? "ping" : "unheard_of";

    if (len > reader_left(r))
        len = reader_left(r);
    body = read_bytes(r, len);
    if (is_raw) {
        uint8_t *p = writer_extend(&w, len + BIP324_EXPANSION);
        memcpy(p + BIP324_CONTENTS, body, len);
        transport_v2_write_raw(a->v2, p, len, decoy);
    } else {
        transport_write(a, writer_extend(&w, transport_size(a, type, len)), type, body, len);
    }
    if (damaged) {
        at = len % w.len;
        w.data[at] ^= (uint8_t)(1 << (how & 7));
    }
    e = feed(b, w.data, w.len, &pos, piece);
    if (damaged) {
        ASSERT(e == TRANSPORT_BROKEN || (e == TRANSPORT_NEED_MORE && at < BIP324_LENGTH));
    } else if (!is_raw) {
        struct message m = transport_message(b);
        ASSERT(e == TRANSPORT_MESSAGE && pos == w.len && strcmp(m.type, type) == 0 && m.len == len);
        ASSERT(len == 0 || memcmp(m.payload, body, len) == 0);
    } else if (decoy) {
        ASSERT(e == TRANSPORT_NEED_MORE);
    } else {
        ASSERT(e == TRANSPORT_MESSAGE || e == TRANSPORT_REJECTED);
    }
    transport_release(b);
    writer_clear(&w);
    return !damaged;
}

static void session(const uint8_t *data, size_t size, size_t piece)
{
    struct reader r = reader_make(data, size);
    struct transport end[2];
    size_t garbage = read_u16(&r) % (TRANSPORT_V2_MAX_GARBAGE + 1);
    unsigned from = 0;

    open_end(&end[0], true, garbage);
    open_end(&end[1], false, TRANSPORT_V2_MAX_GARBAGE - garbage);
    deliver(&end[1], &end[0], piece);
    deliver(&end[0], &end[1], piece);
    deliver(&end[1], &end[0], piece);
    ASSERT(memcmp(transport_session_id(&end[0]), transport_session_id(&end[1]), 32) == 0);
    while (reader_left(&r) > 1 && one_packet(&end[from], &end[1 - from], &r, piece))
        from = 1 - from;
    transport_clear(&end[0]);
    transport_clear(&end[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    if (data[0] & 0x80)
        session(data + 2, size - 2, 1 + (size_t)data[1] * 7);
    else
        raw(data + 2, size - 2, data[0] & 1, 1 + (size_t)data[1] * 7);
    return 0;
}
