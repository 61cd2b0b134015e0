/* psbt.c - PSBTs as wholes: making, copying, and the transaction that they are about. Called by the rest of the module and by RPC; pure. */
#include "psbt/psbt.h"

#include <stdlib.h>

#include "primitives/serialize.h"
#include "psbt/maps.h"
#include "util/mem.h"

struct psbt_in *psbt_add_in(struct psbt *p)
{
    if (p->n_in == p->cap_in) {
        p->cap_in = p->cap_in ? 2 * p->cap_in : 4;
        p->in = xrealloc(p->in, p->cap_in * sizeof(*p->in));
    }
    memset(&p->in[p->n_in], 0, sizeof(*p->in));
    return &p->in[p->n_in++];
}

struct psbt_out *psbt_add_out(struct psbt *p)
{
    if (p->n_out == p->cap_out) {
        p->cap_out = p->cap_out ? 2 * p->cap_out : 4;
        p->out = xrealloc(p->out, p->cap_out * sizeof(*p->out));
    }
    memset(&p->out[p->n_out], 0, sizeof(*p->out));
    return &p->out[p->n_out++];
}

struct psbt *psbt_of_tx(const struct tx *tx, uint32_t version)
{
    struct psbt *p = xcalloc(1, sizeof(*p));

    p->version = version;
    p->tx_version = tx->version;
    p->has_lock_time = true;
    p->lock_time = tx->lock_time;
    for (uint32_t i = 0; i < tx->n_in; i++) {
        struct psbt_in *in = psbt_add_in(p);
        in->prevout = *tx->in[i].prevout;
        in->has_sequence = true;
        in->sequence = tx->in[i].sequence;
    }
    for (uint32_t i = 0; i < tx->n_out; i++) {
        struct psbt_out *out = psbt_add_out(p);
        out->amount = tx->out[i].value;
        out->script = arena_copy(&p->arena, tx->out[i].script, tx->out[i].script_len);
        out->script_len = tx->out[i].script_len;
    }
    return p;
}

struct psbt *psbt_clone(const struct psbt *p)
{
    struct psbt *q = xcalloc(1, sizeof(*q));

    *q = *p;
    q->arena = (struct arena)ARENA_INIT;
    q->map = (struct psbt_map){NULL, 0, 0};
    q->in = NULL;
    q->out = NULL;
    q->n_in = q->n_out = q->cap_in = q->cap_out = 0;
    map_merge(q, &q->map, &p->map);
    for (size_t i = 0; i < p->n_in; i++) {
        struct psbt_in *in = psbt_add_in(q);
        *in = p->in[i];
        in->map = (struct psbt_map){NULL, 0, 0};
        map_merge(q, &in->map, &p->in[i].map);
        if (in->prev)
            tx_ref(in->prev);
        if (in->has_utxo)
            in->utxo.script = arena_copy(&q->arena, in->utxo.script, in->utxo.script_len);
    }
    for (size_t i = 0; i < p->n_out; i++) {
        struct psbt_out *out = psbt_add_out(q);
        *out = p->out[i];
        out->map = (struct psbt_map){NULL, 0, 0};
        map_merge(q, &out->map, &p->out[i].map);
        out->script = arena_copy(&q->arena, out->script, out->script_len);
    }
    return q;
}

void psbt_free(struct psbt *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->n_in; i++) {
        tx_unref(p->in[i].prev);
        map_clear(&p->in[i].map);
    }
    for (size_t i = 0; i < p->n_out; i++)
        map_clear(&p->out[i].map);
    map_clear(&p->map);
    free(p->in);
    free(p->out);
    arena_clear(&p->arena);
    free(p);
}

/* BIP370: the greatest lock time that inputs ask for, of the kind that all of them can do with; heights first. */
static bool find_lock_time(uint32_t *out, const struct psbt *p)
{
    bool by_time = true, by_height = true;
    uint32_t time = 0, height = 0;

    for (size_t i = 0; i < p->n_in && p->version >= 2; i++) {
        const struct psbt_in *in = &p->in[i];
        if (in->has_time_lock && !in->has_height_lock)
            by_height = false;
        else if (!in->has_time_lock && in->has_height_lock)
            by_time = false;
        if (!by_time && !by_height)
            return false;
        if (in->has_time_lock && in->time_lock > time)
            time = in->time_lock;
        if (in->has_height_lock && in->height_lock > height)
            height = in->height_lock;
    }
    *out = by_height && height ? height : by_time && time ? time : p->has_lock_time ? p->lock_time : 0;
    return true;
}

struct tx *psbt_unsigned_tx(const struct psbt *p)
{
    struct tx_builder b;
    uint32_t lock_time;
    struct tx *tx;

    if (!find_lock_time(&lock_time, p))
        return NULL;
    tx_builder_init(&b, p->tx_version, lock_time);
    for (size_t i = 0; i < p->n_in; i++)
        tx_builder_add_in(&b, &p->in[i].prevout, "", 0, p->in[i].has_sequence ? p->in[i].sequence : SEQUENCE_FINAL);
    for (size_t i = 0; i < p->n_out; i++)
        tx_builder_add_out(&b, p->out[i].amount, p->out[i].script, p->out[i].script_len);
    tx = tx_build(&b);
    tx_builder_clear(&b);
    return tx;
}

bool psbt_spent(struct tx_out *out, const struct psbt *p, size_t i)
{
    const struct psbt_in *in = &p->in[i];

    if (in->prev) {
        if (in->prevout.n >= in->prev->n_out || !txid_equal(&in->prev->txid, &in->prevout.txid))
            return false;
        *out = in->prev->out[in->prevout.n];
    } else if (in->has_utxo) {
        *out = in->utxo;
    } else {
        return false;
    }
    return true;
}

bool psbt_is_final(const struct psbt_in *in)
{
    return psbt_entry(&in->map, PSBT_FINAL_SCRIPT) || psbt_entry(&in->map, PSBT_FINAL_WITNESS);
}

struct witness_item psbt_next_item(struct reader *r)
{
    size_t len;
    const uint8_t *data = read_var_bytes(r, &len);

    return (struct witness_item){data ? data : (const uint8_t *)"", (uint32_t)len};
}

struct tx *psbt_extract(const struct psbt *p)
{
    struct tx *tx = psbt_unsigned_tx(p), *full;
    struct tx_builder b;

    if (!tx)
        return NULL;
    tx_builder_init(&b, tx->version, tx->lock_time);
    for (uint32_t i = 0; i < tx->n_in; i++) {
        const struct psbt_record *script = psbt_entry(&p->in[i].map, PSBT_FINAL_SCRIPT),
                                 *witness = psbt_entry(&p->in[i].map, PSBT_FINAL_WITNESS);
        tx_builder_add_in(&b, tx->in[i].prevout, script ? script->value : (const uint8_t *)"", script ? script->value_len : 0,
                          tx->in[i].sequence);
        if (witness) {
            struct reader r = reader_make(witness->value, witness->value_len);
            size_t n = (size_t)read_compact_size(&r);
            struct witness_item *items = xcalloc(n + 1, sizeof(*items));
            for (size_t k = 0; k < n; k++)
                items[k] = psbt_next_item(&r);
            tx_builder_set_witness(&b, i, items, n);
            free(items);
        }
    }
    for (uint32_t i = 0; i < tx->n_out; i++)
        tx_builder_add_out(&b, tx->out[i].value, tx->out[i].script, tx->out[i].script_len);
    full = tx_build(&b);
    tx_builder_clear(&b);
    tx_unref(tx);
    return full;
}
