/* transport_v2.c - the states of a connection under BIP324: is it v1 after all, the peer's key, its garbage up to the terminator, its version
 * packet, then packets with messages. Fed through transport.c on the loop thread; sans-I/O, so that tests and fuzzers feed it too. */
#include "net/transport_v2.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/bip324.h"
#include "crypto/hash.h"
#include "util/assert.h"
#include "util/hex.h"
#include "util/mem.h"
#include "util/random.h"

#define KEY_LEN 64
#define TERMINATOR_LEN 16
#define TYPE_LEN 12
#define MAX_CONTENTS (1 + TYPE_LEN + MAX_MESSAGE_PAYLOAD) /* a long message type and a payload */
#define AFTER_LENGTH (BIP324_EXPANSION - BIP324_LENGTH)   /* of a packet, beside its contents */
#define AHEAD (64u * 1024)
#define KEEP (4u * 1024) /* a larger buffer is given back after its message */

enum state {
    STATE_MAYBE_V1, /* responder: do the first 16 bytes begin a v1 connection? */
    STATE_V1,       /* they do: this parser's part is over */
    STATE_KEY,
    STATE_GARBAGE,
    STATE_VERSION, /* packets up to the first that is no decoy: its contents mean nothing yet */
    STATE_MESSAGES,
    STATE_BROKEN
};

struct transport_v2 {
    uint8_t magic[4];
    bool initiating;
    enum state state;
    struct transport_v2_random ours; /* until the keys are there; garbage is owned here */
    struct writer pending;
    struct bip324_cipher cipher;
    uint8_t head[KEY_LEN]; /* the first bytes and the key; then the length of each packet */
    size_t head_len;
    uint8_t *buf; /* the peer's garbage; then what has come of a packet, decrypted in place */
    size_t len, cap;
    size_t garbage_len; /* the peer's garbage at the start of buf, until the first packet has authenticated it */
    uint32_t contents_len;
    uint8_t *garbage;
    struct message message;
    char problem[96];
};

/* The ids of BIP324. Those without a name stand for types that this node does not have. */
static const char short_ids[38][TYPE_LEN + 1] = {
    [1] = "addr",        [2] = "block",         [3] = "blocktxn",   [4] = "cmpctblock",   [5] = "feefilter", [6] = "filteradd",
    [7] = "filterclear", [8] = "filterload",    [9] = "getblocks",  [10] = "getblocktxn", [11] = "getdata",  [12] = "getheaders",
    [13] = "headers",    [14] = "inv",          [15] = "mempool",   [16] = "merkleblock", [17] = "notfound", [18] = "ping",
    [19] = "pong",       [20] = "sendcmpct",    [21] = "tx",        [22] = "getcfilters", [23] = "cfilter",  [24] = "getcfheaders",
    [25] = "cfheaders",  [26] = "getcfcheckpt", [27] = "cfcheckpt", [28] = "addrv2",      [37] = "feature",
};

/* Returns: 0 if the type has none. */
static uint8_t short_id(const char *type)
{
    for (uint8_t i = 1; i < ARRAY_LEN(short_ids); i++)
        if (short_ids[i][0] == type[0] && strcmp(short_ids[i], type) == 0)
            return i;
    return 0;
}

static enum transport_event broken(struct transport_v2 *t)
{
    t->state = STATE_BROKEN;
    return TRANSPORT_BROKEN;
}

/* ---- our side of the handshake ---- */

static void draw(struct transport_v2 *t)
{
    struct rng r;
    uint8_t seed[32];

    do {
        random_bytes(t->ours.key, sizeof(t->ours.key));
        random_bytes(seed, sizeof(seed));
    } while (!ellswift_create(t->ours.ell, t->ours.key, seed));
    rng_init(&r);
    t->ours.garbage_len = rng_below(&r, TRANSPORT_V2_MAX_GARBAGE + 1);
    t->garbage = xmalloc(t->ours.garbage_len + 1);
    random_bytes(t->garbage, t->ours.garbage_len);
}

/* Our key and garbage go out. */
static void begin(struct transport_v2 *t)
{
    t->state = STATE_KEY;
    if (!t->garbage)
        draw(t);
    write_bytes(&t->pending, t->ours.ell, KEY_LEN);
    write_bytes(&t->pending, t->garbage, t->ours.garbage_len);
}

/* The peer's key is there: our terminator and version packet go out. */
static enum transport_event keys_agree(struct transport_v2 *t)
{
    uint8_t secret[32];
    bool ok = bip324_ecdh(secret, t->ours.key, t->ours.ell, t->head, t->initiating);

    ASSERT(ok); /* every 64 bytes are a point, and our key is valid */
    bip324_cipher_init(&t->cipher, secret, t->magic, t->initiating);
    crypto_wipe(secret, sizeof(secret));
    crypto_wipe(t->ours.key, sizeof(t->ours.key));
    write_bytes(&t->pending, t->cipher.send_garbage_terminator, TERMINATOR_LEN);
    bip324_encrypt(&t->cipher, writer_extend(&t->pending, BIP324_EXPANSION), 0, t->garbage, t->ours.garbage_len, false);
    free(t->garbage);
    t->garbage = NULL;
    t->head_len = 0;
    t->state = STATE_GARBAGE;
    return TRANSPORT_NEED_MORE;
}

/* ---- the peer's ---- */

static size_t take_head(struct transport_v2 *t, size_t want, const uint8_t *data, size_t len)
{
    size_t n = want - t->head_len;
    if (n > len)
        n = len;
    memcpy(t->head + t->head_len, data, n);
    t->head_len += n;
    return n;
}

/* Takes no byte beyond those which tell v1 from v2. */
static size_t take_first(struct transport_v2 *t, const uint8_t *data, size_t len)
{
    uint8_t prefix[TRANSPORT_V2_V1_PREFIX] = "????version";
    size_t n = take_head(t, sizeof(prefix), data, len);

    memcpy(prefix, t->magic, sizeof(t->magic));
    if (memcmp(t->head, prefix, t->head_len) != 0)
        begin(t);
    else if (t->head_len == sizeof(prefix))
        t->state = STATE_V1;
    return n;
}

static enum transport_event take_key(struct transport_v2 *t, const uint8_t *data, size_t len, size_t *n)
{
    static const char version[TYPE_LEN] = "version";

    *n = take_head(t, KEY_LEN, data, len);
    if (!t->initiating && t->head_len >= TRANSPORT_V2_V1_PREFIX && memcmp(t->head + 4, version, TYPE_LEN) == 0) {
        char hex[9];
        hex_encode(hex, t->head, 4);
        snprintf(t->problem, sizeof(t->problem), "V2 transport error: V1 peer with wrong MessageStart %s", hex);
        return broken(t);
    }
    return t->head_len == KEY_LEN ? keys_agree(t) : TRANSPORT_NEED_MORE;
}

/* Room for `need` bytes, of `whole` that are announced. */
static void reserve(struct transport_v2 *t, size_t need, size_t whole)
{
    size_t ahead = need < AHEAD ? need : AHEAD, cap = need + ahead < whole ? need + ahead : whole;
    if (need <= t->cap)
        return;
    t->buf = xrealloc(t->buf, cap);
    t->cap = cap;
}

/* Garbage ends where the terminator stands, and not before 16 bytes. */
static enum transport_event take_garbage(struct transport_v2 *t, const uint8_t *data, size_t len, size_t *n)
{
    const size_t most = TRANSPORT_V2_MAX_GARBAGE + TERMINATOR_LEN;
    size_t take = most - t->len < len ? most - t->len : len, end = t->len + take;

    reserve(t, end, most);
    memcpy(t->buf + t->len, data, take);
    for (size_t i = t->len + 1; i <= end; i++) {
        if (i < TERMINATOR_LEN || memcmp(t->buf + i - TERMINATOR_LEN, t->cipher.recv_garbage_terminator, TERMINATOR_LEN) != 0)
            continue;
        *n = i - t->len;
        t->garbage_len = i - TERMINATOR_LEN;
        t->garbage = xmemdup(t->buf, t->garbage_len + 1);
        t->len = 0;
        t->state = STATE_VERSION;
        return TRANSPORT_NEED_MORE;
    }
    *n = take;
    t->len = end;
    if (end < most)
        return TRANSPORT_NEED_MORE;
    snprintf(t->problem, sizeof(t->problem), "V2 transport error: missing garbage terminator");
    return broken(t);
}

/* ---- packets ---- */

/* A long type: printable up to the first NUL, NULs behind it. */
static bool read_type(char type[TYPE_LEN + 1], const uint8_t *p)
{
    size_t n = 0;

    while (n < TYPE_LEN && p[n] != 0 && p[n] >= 0x20 && p[n] <= 0x7f)
        n++;
    memcpy(type, p, TYPE_LEN);
    memset(type + n, 0, TYPE_LEN + 1 - n);
    while (n < TYPE_LEN && p[n] == 0)
        n++;
    return n == TYPE_LEN;
}

/* The contents of a packet, at buf + 1, are a message type and a payload. */
static enum transport_event read_message(struct transport_v2 *t)
{
    const uint8_t *p = t->buf + 1;
    size_t skip = 1;
    bool ok = false;

    if (t->contents_len >= 1 && p[0] != 0) {
        ok = p[0] < ARRAY_LEN(short_ids);
        if (ok)
            memcpy(t->message.type, short_ids[p[0]], sizeof(t->message.type));
    } else if (t->contents_len >= 1 + TYPE_LEN) {
        ok = read_type(t->message.type, p + 1);
        skip += TYPE_LEN;
    }
    if (!ok) {
        snprintf(t->problem, sizeof(t->problem), "V2 transport error: invalid message type (%u bytes contents)", t->contents_len);
        return TRANSPORT_REJECTED;
    }
    t->message.payload = p + skip;
    t->message.len = t->contents_len - skip;
    return TRANSPORT_MESSAGE;
}

/* The whole packet behind its length stands at `in`, which may be buf. */
static enum transport_event packet_complete(struct transport_v2 *t, const uint8_t *in)
{
    bool ignore, ok = bip324_decrypt(&t->cipher, t->buf, &ignore, in, t->contents_len, t->garbage, t->garbage_len);

    t->head_len = t->len = 0;
    if (!ok) {
        snprintf(t->problem, sizeof(t->problem), "V2 transport error: packet decryption failure (%u bytes)", t->contents_len);
        return broken(t);
    }
    free(t->garbage);
    t->garbage = NULL;
    t->garbage_len = 0;
    if (!ignore && t->state == STATE_MESSAGES)
        return read_message(t);
    if (!ignore)
        t->state = STATE_MESSAGES;
    transport_v2_release(t);
    return TRANSPORT_NEED_MORE;
}

static enum transport_event take_packet(struct transport_v2 *t, const uint8_t *data, size_t len, size_t *n)
{
    size_t whole;

    if (t->head_len < BIP324_LENGTH) {
        *n = take_head(t, BIP324_LENGTH, data, len);
        if (t->head_len < BIP324_LENGTH)
            return TRANSPORT_NEED_MORE;
        t->contents_len = bip324_decrypt_length(&t->cipher, t->head);
        if (t->contents_len <= MAX_CONTENTS)
            return TRANSPORT_NEED_MORE;
        snprintf(t->problem, sizeof(t->problem), "V2 transport error: packet too large (%u bytes)", t->contents_len);
        return broken(t);
    }
    whole = t->contents_len + AFTER_LENGTH;
    *n = whole - t->len < len ? whole - t->len : len;
    reserve(t, t->len + *n, whole);
    if (*n == whole)
        return packet_complete(t, data); /* it lies in the input: no copy */
    memcpy(t->buf + t->len, data, *n);
    t->len += *n;
    return t->len == whole ? packet_complete(t, t->buf) : TRANSPORT_NEED_MORE;
}

enum transport_event transport_v2_feed(struct transport_v2 *t, const uint8_t *data, size_t len, size_t *used)
{
    enum transport_event e = TRANSPORT_NEED_MORE;

    for (*used = 0; *used < len && e == TRANSPORT_NEED_MORE;) {
        size_t n = 0;
        switch (t->state) {
        case STATE_MAYBE_V1:
            n = take_first(t, data + *used, len - *used);
            break;
        case STATE_KEY:
            e = take_key(t, data + *used, len - *used, &n);
            break;
        case STATE_GARBAGE:
            e = take_garbage(t, data + *used, len - *used, &n);
            break;
        case STATE_VERSION:
        case STATE_MESSAGES:
            e = take_packet(t, data + *used, len - *used, &n);
            break;
        case STATE_V1:
            return TRANSPORT_NEED_MORE;
        case STATE_BROKEN:
            return TRANSPORT_BROKEN;
        }
        *used += n;
    }
    return e;
}

/* ---- life, sending, facts ---- */

struct transport_v2 *transport_v2_new(const uint8_t magic[4], bool initiating, const struct transport_v2_random *random)
{
    struct transport_v2 *t = xcalloc(1, sizeof(*t));

    memcpy(t->magic, magic, 4);
    t->initiating = initiating;
    if (random) {
        ASSERT(random->garbage_len <= TRANSPORT_V2_MAX_GARBAGE);
        t->ours = *random;
        t->garbage = xmalloc(random->garbage_len + 1);
        if (random->garbage_len)
            memcpy(t->garbage, random->garbage, random->garbage_len);
    }
    if (initiating)
        begin(t);
    return t;
}

void transport_v2_free(struct transport_v2 *t)
{
    if (!t)
        return;
    free(t->garbage);
    free(t->buf);
    writer_clear(&t->pending);
    bip324_cipher_clear(&t->cipher);
    crypto_wipe(t, sizeof(*t));
    free(t);
}

const uint8_t *transport_v2_v1_prefix(const struct transport_v2 *t)
{
    return t->state == STATE_V1 ? t->head : NULL;
}

const uint8_t *transport_v2_pending(const struct transport_v2 *t, size_t *len)
{
    *len = t->pending.len;
    return t->pending.data;
}

void transport_v2_pending_done(struct transport_v2 *t)
{
    writer_clear(&t->pending);
}

bool transport_v2_can_send(const struct transport_v2 *t)
{
    return t->state == STATE_GARBAGE || t->state == STATE_VERSION || t->state == STATE_MESSAGES;
}

size_t transport_v2_packet_size(const char *type, size_t len)
{
    return BIP324_EXPANSION + (short_id(type) ? 1 : 1 + TYPE_LEN) + len;
}

void transport_v2_write(struct transport_v2 *t, uint8_t *out, const char *type, const void *payload, size_t len)
{
    uint8_t *p = out + BIP324_CONTENTS;

    ASSERT(transport_v2_can_send(t) && len <= TRANSPORT_MAX_SEND);
    *p = short_id(type);
    if (*p++ == 0) {
        memset(p, 0, TYPE_LEN);
        memcpy(p, type, strnlen(type, TYPE_LEN));
        p += TYPE_LEN;
    }
    if (len)
        memcpy(p, payload, len);
    p += len;
    bip324_encrypt(&t->cipher, out, (size_t)(p - out) - BIP324_CONTENTS, NULL, 0, false);
}

void transport_v2_write_raw(struct transport_v2 *t, uint8_t *packet, size_t len, bool ignore)
{
    ASSERT(transport_v2_can_send(t));
    bip324_encrypt(&t->cipher, packet, len, NULL, 0, ignore);
}

const uint8_t *transport_v2_session_id(const struct transport_v2 *t)
{
    return t->state == STATE_MESSAGES ? t->cipher.session_id : NULL;
}

bool transport_v2_unanswered(const struct transport_v2 *t)
{
    return t->state == STATE_KEY && t->head_len == 0;
}

struct message transport_v2_message(const struct transport_v2 *t)
{
    return t->message;
}

size_t transport_v2_wire_size(const struct transport_v2 *t)
{
    return t->contents_len + BIP324_EXPANSION;
}

const char *transport_v2_problem(const struct transport_v2 *t)
{
    return t->problem;
}

void transport_v2_release(struct transport_v2 *t)
{
    if (t->len || t->cap <= KEEP)
        return;
    free(t->buf);
    t->buf = NULL;
    t->cap = 0;
}

size_t transport_v2_memory(const struct transport_v2 *t)
{
    return t->cap;
}
