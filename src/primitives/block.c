/* block.c - headers and whole blocks: raw bytes, one arena of what was decoded, a reference count.
 * Called by peers' messages, block storage, RPC and mining; any thread. */
#include "primitives/block.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "crypto/sha256.h"
#include "primitives/serialize.h"
#include "util/assert.h"
#include "util/mem.h"

/* Least bytes of a transaction on the wire (no inputs, no outputs): bounds what a claimed count may allocate. */
#define TX_MIN 10

void block_header_decode(struct block_header *h, const uint8_t bytes[80])
{
    h->version = (int32_t)get_le32(bytes);
    memcpy(h->prev.b, bytes + 4, 32);
    memcpy(h->merkle_root.b, bytes + 36, 32);
    h->time = get_le32(bytes + 68);
    h->bits = get_le32(bytes + 72);
    h->nonce = get_le32(bytes + 76);
}

void block_header_encode(uint8_t bytes[80], const struct block_header *h)
{
    put_le32(bytes, (uint32_t)h->version);
    memcpy(bytes + 4, h->prev.b, 32);
    memcpy(bytes + 36, h->merkle_root.b, 32);
    put_le32(bytes + 68, h->time);
    put_le32(bytes + 72, h->bits);
    put_le32(bytes + 76, h->nonce);
}

void block_header_hash(struct block_hash *out, const struct block_header *h)
{
    uint8_t bytes[BLOCK_HEADER_SIZE];
    block_header_encode(bytes, h);
    sha256d(out->b, bytes, sizeof(bytes));
}

struct block_owned {
    struct block block;
    atomic_uint refs;
    struct arena arena;
    uint8_t *data;
};

static void block_owned_free(struct block_owned *o)
{
    arena_clear(&o->arena);
    free(o->data);
    free(o);
}

/* Header and transactions out of o->data; with `front`, bytes may follow. Returns: false if malformed. */
static bool decode_into(struct block_owned *o, size_t len, bool front)
{
    struct block *b = &o->block;
    struct reader r = reader_make(o->data, len);
    const uint8_t *header = read_bytes(&r, BLOCK_HEADER_SIZE);

    if (!header || len > UINT32_MAX)
        return false;
    uint64_t n = read_compact_size(&r);
    if (r.failed || n > reader_left(&r) / TX_MIN)
        return false;
    block_header_decode(&b->header, header);
    sha256d(b->hash.b, header, BLOCK_HEADER_SIZE);
    b->raw = o->data;
    b->stripped_len = (uint32_t)(r.pos - o->data);
    b->n_tx = (uint32_t)n;
    b->tx = n ? arena_alloc(&o->arena, n * sizeof(*b->tx)) : NULL;
    for (uint32_t i = 0; i < b->n_tx; i++) {
        if (!tx_read(&b->tx[i], &r, &o->arena, true))
            return false;
        b->stripped_len += b->tx[i].stripped_len;
    }
    b->raw_len = (uint32_t)(r.pos - o->data);
    return !r.failed && (front || reader_done(&r));
}

static struct block *decode(uint8_t *data_take, size_t len, bool front)
{
    struct block_owned *o = xcalloc(1, sizeof(*o));

    atomic_init(&o->refs, 1);
    o->data = data_take;
    if (!decode_into(o, len, front)) {
        block_owned_free(o);
        return NULL;
    }
    return &o->block;
}

struct block *block_decode(uint8_t *data_take, size_t len)
{
    return decode(data_take, len, false);
}

struct block *block_decode_front(uint8_t *data_take, size_t len)
{
    return decode(data_take, len, true);
}

struct block *block_decode_copy(const void *data, size_t len)
{
    return block_decode(xmemdup(data, len), len);
}

struct block *block_ref(struct block *b)
{
    struct block_owned *o = (struct block_owned *)(void *)b;
    atomic_fetch_add_explicit(&o->refs, 1, memory_order_relaxed);
    return b;
}

void block_unref(struct block *b)
{
    struct block_owned *o = (struct block_owned *)(void *)b;
    if (!b)
        return;
    unsigned before = atomic_fetch_sub_explicit(&o->refs, 1, memory_order_acq_rel);
    ASSERT(before > 0);
    if (before == 1)
        block_owned_free(o);
}

void block_write_stripped(struct writer *w, const struct block *b)
{
    write_bytes(w, b->raw, BLOCK_HEADER_SIZE);
    write_compact_size(w, b->n_tx);
    for (uint32_t i = 0; i < b->n_tx; i++)
        tx_write(w, &b->tx[i], false);
}
