/* tx_builder.c - putting a transaction together field by field: block templates' coinbases, RPC, the wallet.
 * A builder belongs to one thread. */
#include <stdlib.h>

#include "primitives/serialize.h"
#include "primitives/tx.h"
#include "util/assert.h"
#include "util/mem.h"

void tx_builder_init(struct tx_builder *b, uint32_t version, uint32_t lock_time)
{
    memset(b, 0, sizeof(*b));
    b->version = version;
    b->lock_time = lock_time;
}

void tx_builder_clear(struct tx_builder *b)
{
    free(b->in);
    free(b->out);
    arena_clear(&b->arena);
    tx_builder_init(b, b->version, b->lock_time);
}

/* A copy in the builder's arena; never NULL, as nothing may be added to that, not even 0. */
static const uint8_t *keep(struct tx_builder *b, const void *data, size_t len)
{
    ASSERT(len <= COMPACT_SIZE_MAX);
    return len ? memcpy(arena_alloc(&b->arena, len), data, len) : (const uint8_t *)"";
}

/* The array with room for one more element. */
static void *grow(void *array, uint32_t n, uint32_t *cap, size_t size)
{
    if (n < *cap)
        return array;
    *cap = *cap ? *cap * 2 : 4;
    return xrealloc(array, *cap * size);
}

uint32_t tx_builder_add_in(struct tx_builder *b, const struct outpoint *prevout, const void *script, size_t script_len,
                           uint32_t sequence)
{
    b->in = grow(b->in, b->n_in, &b->cap_in, sizeof(*b->in));
    struct tx_in *in = &b->in[b->n_in];
    memset(in, 0, sizeof(*in));
    in->prevout = memcpy(arena_alloc(&b->arena, sizeof(*prevout)), prevout, sizeof(*prevout));
    in->script = keep(b, script, script_len);
    in->script_len = (uint32_t)script_len;
    in->sequence = sequence;
    return b->n_in++;
}

uint32_t tx_builder_add_out(struct tx_builder *b, int64_t value, const void *script, size_t script_len)
{
    b->out = grow(b->out, b->n_out, &b->cap_out, sizeof(*b->out));
    struct tx_out *out = &b->out[b->n_out];
    out->value = value;
    out->script = keep(b, script, script_len);
    out->script_len = (uint32_t)script_len;
    return b->n_out++;
}

void tx_builder_set_script(struct tx_builder *b, uint32_t in, const void *script, size_t script_len)
{
    ASSERT(in < b->n_in);
    b->in[in].script = keep(b, script, script_len);
    b->in[in].script_len = (uint32_t)script_len;
}

void tx_builder_set_witness(struct tx_builder *b, uint32_t in, const struct witness_item *items, size_t n)
{
    ASSERT(in < b->n_in && n <= COMPACT_SIZE_MAX);
    struct witness_item *copy = n ? arena_alloc(&b->arena, n * sizeof(*copy)) : NULL;
    for (size_t i = 0; i < n; i++) {
        copy[i].data = keep(b, items[i].data, items[i].len);
        copy[i].len = items[i].len;
    }
    b->in[in].witness = copy;
    b->in[in].witness_count = (uint32_t)n;
}

static void write_input(struct writer *w, const struct tx_in *in)
{
    write_bytes(w, in->prevout->txid.b, 32);
    write_u32(w, in->prevout->n);
    write_var_bytes(w, in->script, in->script_len);
    write_u32(w, in->sequence);
}

static void write_witness(struct writer *w, const struct tx_in *in)
{
    write_compact_size(w, in->witness_count);
    for (uint32_t k = 0; k < in->witness_count; k++)
        write_var_bytes(w, in->witness[k].data, in->witness[k].len);
}

struct tx *tx_build(const struct tx_builder *b)
{
    struct writer w = WRITER_INIT;
    bool witness = false;

    for (uint32_t i = 0; i < b->n_in; i++)
        witness |= b->in[i].witness_count > 0;
    write_u32(&w, b->version);
    if (witness)
        write_bytes(&w, "\x00\x01", 2);
    write_compact_size(&w, b->n_in);
    for (uint32_t i = 0; i < b->n_in; i++)
        write_input(&w, &b->in[i]);
    write_compact_size(&w, b->n_out);
    for (uint32_t i = 0; i < b->n_out; i++) {
        write_u64(&w, (uint64_t)b->out[i].value);
        write_var_bytes(&w, b->out[i].script, b->out[i].script_len);
    }
    for (uint32_t i = 0; witness && i < b->n_in; i++)
        write_witness(&w, &b->in[i]);
    write_u32(&w, b->lock_time);

    struct tx *tx = tx_decode_as(w.data, w.len, witness);
    ASSERT(tx != NULL);
    writer_clear(&w);
    return tx;
}
