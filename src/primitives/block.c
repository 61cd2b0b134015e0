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

/* Copies a transaction with its bytes to `raw` and its arrays into the arena. */
static void tx_copy_into(struct tx *out, const struct tx *tx, uint8_t *raw, struct arena *arena)
{
    const uint8_t *from = tx->raw;

    tx_copy_fields(out, tx);
    memcpy(raw, from, tx->raw_len);
    out->raw = raw;
    out->in = tx->n_in ? arena_alloc(arena, tx->n_in * sizeof(*out->in)) : NULL;
    out->out = tx->n_out ? arena_alloc(arena, tx->n_out * sizeof(*out->out)) : NULL;
    for (uint32_t i = 0; i < tx->n_in; i++) {
        const struct tx_in *in = &tx->in[i];
        struct witness_item *items = in->witness_count ? arena_alloc(arena, in->witness_count * sizeof(*items)) : NULL;
        out->in[i] = *in;
        out->in[i].prevout = (const struct outpoint *)(const void *)(raw + ((const uint8_t *)in->prevout - from));
        out->in[i].script = in->script ? raw + (in->script - from) : NULL;
        out->in[i].witness = items;
        for (uint32_t k = 0; k < in->witness_count; k++)
            items[k] = (struct witness_item){in->witness[k].data ? raw + (in->witness[k].data - from) : NULL, in->witness[k].len};
    }
    for (uint32_t i = 0; i < tx->n_out; i++) {
        out->out[i] = tx->out[i];
        out->out[i].script = tx->out[i].script ? raw + (tx->out[i].script - from) : NULL;
    }
}

struct block *block_assemble(const struct block_header *h, const struct tx *const *tx, uint32_t n)
{
    struct writer w = WRITER_INIT;
    struct block_owned *o;
    size_t size = BLOCK_HEADER_SIZE + 9, pos;

    for (uint32_t i = 0; i < n && size <= MAX_BLOCK_SERIALIZED_SIZE; i++)
        size += tx[i]->raw_len;
    if (n == 0 || size > MAX_BLOCK_SERIALIZED_SIZE + 9)
        return NULL;
    writer_extend(&w, size);
    w.len = 0;
    block_header_encode(writer_extend(&w, BLOCK_HEADER_SIZE), h);
    write_compact_size(&w, n);
    o = xcalloc(1, sizeof(*o));
    atomic_init(&o->refs, 1);
    o->data = w.data;
    o->block.header = *h;
    sha256d(o->block.hash.b, w.data, BLOCK_HEADER_SIZE);
    o->block.raw = w.data;
    o->block.n_tx = n;
    o->block.tx = arena_alloc(&o->arena, n * sizeof(*o->block.tx));
    o->block.stripped_len = (uint32_t)w.len;
    pos = w.len;
    for (uint32_t i = 0; i < n; i++) {
        tx_copy_into(&o->block.tx[i], tx[i], o->data + pos, &o->arena);
        pos += tx[i]->raw_len;
        o->block.stripped_len += tx[i]->stripped_len;
    }
    o->block.raw_len = (uint32_t)pos;
    return &o->block;
}

size_t block_memory(const struct block *b)
{
    const struct block_owned *o = (const struct block_owned *)(const void *)b;
    return sizeof(*o) + b->raw_len + o->arena.total;
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
