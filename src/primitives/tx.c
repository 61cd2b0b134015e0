/* tx.c - decoding of transactions (the hottest parser of the node), and stand-alone transactions with their reference count.
 * Called by block.c, by peers' messages, RPC and the mempool; pure but for the count, any thread. */
#include "primitives/tx.h"

#include <stdlib.h>

#include "crypto/sha256.h"
#include "primitives/serialize.h"
#include "util/assert.h"
#include "util/mem.h"

/* Least bytes that one element takes on the wire: bounds what a claimed count may allocate. */
#define TX_IN_MIN 41
#define TX_OUT_MIN 9
#define WITNESS_ITEM_MIN 1
/* Marker and flag of BIP144. */
#define WITNESS_MARKER_LEN 2

/* Count of an array whose elements take at least min_size bytes each of what is left. */
static inline uint32_t read_count(struct reader *r, size_t min_size)
{
    uint64_t n = read_compact_size(r);
    if (n > reader_left(r) / min_size) {
        reader_fail(r);
        return 0;
    }
    return (uint32_t)n;
}

/* The readers of the parts work on a copy of the reader, which the compiler then keeps in registers. */
static struct reader read_inputs(struct tx *tx, struct reader r, struct arena *arena)
{
    uint32_t n = read_count(&r, TX_IN_MIN);
    struct tx_in *in = n ? arena_alloc(arena, n * sizeof(*in)) : NULL;
    size_t len;

    tx->in = in;
    tx->n_in = n;
    for (uint32_t i = 0; i < n; i++, in++) {
        const uint8_t *p = read_bytes(&r, 36);
        if (!p)
            return r;
        in->prevout = (const struct outpoint *)(const void *)p;
        in->script = read_var_bytes(&r, &len);
        in->script_len = (uint32_t)len;
        in->sequence = read_u32(&r);
        in->witness = NULL;
        in->witness_count = 0;
    }
    return r;
}

static struct reader read_outputs(struct tx *tx, struct reader r, struct arena *arena)
{
    uint32_t n = read_count(&r, TX_OUT_MIN);
    struct tx_out *out = n ? arena_alloc(arena, n * sizeof(*out)) : NULL;
    size_t len;

    tx->out = out;
    tx->n_out = n;
    for (uint32_t i = 0; i < n && !r.failed; i++, out++) {
        out->value = (int64_t)read_u64(&r);
        out->script = read_var_bytes(&r, &len);
        out->script_len = (uint32_t)len;
    }
    return r;
}

/* The witnesses of all inputs; a record in which all of them are empty is malformed (Core: "Superfluous witness record"). */
static struct reader read_witnesses(struct tx *tx, struct reader r, struct arena *arena)
{
    bool any = false;

    for (uint32_t i = 0; i < tx->n_in && !r.failed; i++) {
        uint32_t n = read_count(&r, WITNESS_ITEM_MIN);
        if (n == 0)
            continue;
        struct witness_item *items = arena_alloc(arena, n * sizeof(*items));
        for (uint32_t k = 0; k < n; k++) {
            size_t len;
            items[k].data = read_var_bytes(&r, &len);
            items[k].len = (uint32_t)len;
        }
        tx->in[i].witness = items;
        tx->in[i].witness_count = n;
        any = true;
    }
    if (!any)
        reader_fail(&r);
    return r;
}

/* BIP141: the txid covers the form without marker, flag and witnesses. The parts are hashed where they stand. */
static void compute_ids(struct tx *tx)
{
    sha256d(tx->wtxid.b, tx->raw, tx->raw_len);
    if (!tx->has_witness) {
        memcpy(tx->txid.b, tx->wtxid.b, 32);
        return;
    }
    struct sha256 ctx;
    sha256_init(&ctx);
    sha256_write(&ctx, tx->raw, 4);
    sha256_write(&ctx, tx->raw + 4 + WITNESS_MARKER_LEN, tx->stripped_len - 8);
    sha256_write(&ctx, tx->raw + tx->raw_len - 4, 4);
    sha256d_finish(&ctx, tx->txid.b);
}

/* Everything between version and lock time. Returns: where the witnesses began, NULL if there are none. */
static const uint8_t *read_body(struct tx *tx, struct reader *r, struct arena *arena, bool allow_witness)
{
    /* A null count of inputs is the BIP144 marker; the flag after it is 1. With flag 0 it is an empty transaction: no
     * inputs and, that same byte, no outputs. Any other flag is unknown optional data. */
    bool marker = allow_witness && reader_left(r) >= WITNESS_MARKER_LEN && r->pos[0] == 0;
    if (marker && r->pos[1] == 0) {
        r->pos += 2;
        return NULL;
    }
    if (marker && r->pos[1] != 1) {
        reader_fail(r);
        return NULL;
    }
    if (marker)
        r->pos += WITNESS_MARKER_LEN;
    *r = read_inputs(tx, *r, arena);
    *r = read_outputs(tx, *r, arena);
    if (!marker)
        return NULL;
    const uint8_t *witnesses = r->pos;
    *r = read_witnesses(tx, *r, arena);
    return witnesses;
}

bool tx_read(struct tx *tx, struct reader *r, struct arena *arena, bool allow_witness)
{
    const uint8_t *start = r->pos;

    memset(tx, 0, sizeof(*tx));
    tx->version = read_u32(r);
    const uint8_t *witnesses = read_body(tx, r, arena, allow_witness);
    const uint8_t *witnesses_end = r->pos;
    tx->lock_time = read_u32(r);
    if (!r->failed && (size_t)(r->pos - start) > UINT32_MAX)
        reader_fail(r);
    if (r->failed)
        return false;
    tx->raw = start;
    tx->raw_len = (uint32_t)(r->pos - start);
    tx->stripped_len = tx->raw_len;
    tx->has_witness = witnesses != NULL;
    if (witnesses)
        tx->stripped_len -= WITNESS_MARKER_LEN + (uint32_t)(witnesses_end - witnesses);
    compute_ids(tx);
    return true;
}

/* A stand-alone transaction: itself, the arrays and the raw bytes in one allocation. */

static size_t count_items(const struct tx *tx)
{
    size_t n = 0;
    for (uint32_t i = 0; i < tx->n_in; i++)
        n += tx->in[i].witness_count;
    return n;
}

size_t tx_bytes(const struct tx *tx)
{
    return sizeof(*tx) + tx->n_in * sizeof(*tx->in) + tx->n_out * sizeof(*tx->out) + count_items(tx) * sizeof(struct witness_item) +
           tx->raw_len;
}

static inline const uint8_t *rebase(const uint8_t *p, const uint8_t *from, const uint8_t *to)
{
    return p ? to + (p - from) : NULL;
}

struct tx *tx_clone(const struct tx *tx)
{
    struct tx *o = xmalloc(tx_bytes(tx));
    struct tx_in *in = (void *)(o + 1);
    struct tx_out *out = (void *)(in + tx->n_in);
    struct witness_item *item = (void *)(out + tx->n_out);
    uint8_t *raw = (void *)(item + count_items(tx));

    tx_copy_fields(o, tx);
    o->refs = 1;
    memcpy(raw, tx->raw, tx->raw_len);
    for (uint32_t i = 0; i < tx->n_in; i++) {
        in[i] = tx->in[i];
        in[i].prevout = (const struct outpoint *)(const void *)rebase((const uint8_t *)in[i].prevout, tx->raw, raw);
        in[i].script = rebase(in[i].script, tx->raw, raw);
        in[i].witness = in[i].witness_count ? item : NULL;
        for (uint32_t k = 0; k < in[i].witness_count; k++, item++) {
            item->data = rebase(tx->in[i].witness[k].data, tx->raw, raw);
            item->len = tx->in[i].witness[k].len;
        }
    }
    for (uint32_t i = 0; i < tx->n_out; i++) {
        out[i] = tx->out[i];
        out[i].script = rebase(out[i].script, tx->raw, raw);
    }
    o->in = in;
    o->out = out;
    o->raw = raw;
    return o;
}

struct tx *tx_decode_as(const void *data, size_t len, bool allow_witness)
{
    struct reader r = reader_make(data, len);
    struct arena arena = ARENA_INIT;
    struct tx view, *tx = NULL;

    if (tx_read(&view, &r, &arena, allow_witness) && reader_done(&r))
        tx = tx_clone(&view);
    arena_clear(&arena);
    return tx;
}

struct tx *tx_decode(const void *data, size_t len, bool try_legacy)
{
    struct tx *tx = tx_decode_as(data, len, true);
    return tx || !try_legacy ? tx : tx_decode_as(data, len, false);
}

struct tx *tx_ref(struct tx *tx)
{
    __atomic_fetch_add(&tx->refs, 1, __ATOMIC_RELAXED);
    return tx;
}

void tx_unref(struct tx *tx)
{
    uint32_t before;

    if (!tx)
        return;
    before = __atomic_fetch_sub(&tx->refs, 1, __ATOMIC_ACQ_REL);
    ASSERT(before > 0);
    if (before == 1)
        free(tx);
}

void tx_write(struct writer *w, const struct tx *tx, bool with_witness)
{
    if (with_witness || !tx->has_witness) {
        write_bytes(w, tx->raw, tx->raw_len);
        return;
    }
    uint8_t *p = writer_extend(w, tx->stripped_len);
    memcpy(p, tx->raw, 4);
    memcpy(p + 4, tx->raw + 4 + WITNESS_MARKER_LEN, tx->stripped_len - 8);
    memcpy(p + tx->stripped_len - 4, tx->raw + tx->raw_len - 4, 4);
}
