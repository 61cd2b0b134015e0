/* merge.c - several PSBTs to one: of the same transaction (combining), of different ones (joining). Called by RPC; pure. */
#include <stdlib.h>

#include "psbt/maps.h"
#include "util/mem.h"
#include "util/random.h"

/* What two PSBTs of the same transaction have in common: its id, in version 2 with all sequence numbers 0. Returns: false if there is none. */
static bool unique_id(struct txid *id, const struct psbt *p)
{
    struct tx *tx = psbt_unsigned_tx(p), *plain;
    struct tx_builder b;

    if (!tx)
        return false;
    if (p->version >= 2) {
        tx_builder_init(&b, tx->version, tx->lock_time);
        for (uint32_t i = 0; i < tx->n_in; i++)
            tx_builder_add_in(&b, tx->in[i].prevout, "", 0, 0);
        for (uint32_t i = 0; i < tx->n_out; i++)
            tx_builder_add_out(&b, tx->out[i].value, tx->out[i].script, tx->out[i].script_len);
        plain = tx_build(&b);
        tx_builder_clear(&b);
        tx_unref(tx);
        tx = plain;
    }
    *id = tx->txid;
    tx_unref(tx);
    return true;
}

static void merge_input(struct psbt *p, struct psbt_in *in, const struct psbt_in *src)
{
    if (!in->prev && src->prev)
        in->prev = tx_ref(src->prev);
    if (!in->has_utxo && src->has_utxo) {
        in->has_utxo = true;
        in->utxo = src->utxo;
        in->utxo.script = arena_copy(&p->arena, src->utxo.script, src->utxo.script_len);
    }
    if (!in->has_sequence && src->has_sequence) {
        in->has_sequence = true;
        in->sequence = src->sequence;
    }
    if (!in->has_time_lock && src->has_time_lock) {
        in->has_time_lock = true;
        in->time_lock = src->time_lock;
    }
    if (!in->has_height_lock && src->has_height_lock) {
        in->has_height_lock = true;
        in->height_lock = src->height_lock;
    }
    map_merge(p, &in->map, &src->map);
}

bool psbt_merge(struct psbt *p, const struct psbt *src)
{
    struct txid id, other;

    if (!unique_id(&id, p) || !unique_id(&other, src) || !txid_equal(&id, &other) || p->version != src->version)
        return false;
    for (size_t i = 0; i < p->n_in; i++)
        merge_input(p, &p->in[i], &src->in[i]);
    for (size_t i = 0; i < p->n_out; i++)
        map_merge(p, &p->out[i].map, &src->out[i].map);
    map_merge_xpubs(p, &p->map, &src->map);
    map_merge_kind(p, &p->map, &src->map, PSBT_PROPRIETARY);
    map_merge_kind(p, &p->map, &src->map, PSBT_UNKNOWN);
    if (!p->has_lock_time && src->has_lock_time) {
        p->has_lock_time = true;
        p->lock_time = src->lock_time;
    }
    if (p->has_modifiable || src->has_modifiable) { /* what one forbids is forbidden; one SIGHASH_SINGLE is enough */
        uint8_t a = p->has_modifiable ? p->modifiable : 0, b = src->has_modifiable ? src->modifiable : 0;
        p->has_modifiable = true;
        p->modifiable = (uint8_t)((a & b) | ((a | b) & 4));
    }
    return true;
}

/* ---- joining ---- */

struct spend {
    const struct outpoint *prevout;
    size_t at;
};

static int by_prevout(const void *a, const void *b)
{
    const struct spend *x = a, *y = b;
    int c = memcmp(x->prevout, y->prevout, sizeof(*x->prevout));

    return c ? c : x->at < y->at ? -1 : x->at > y->at;
}

/* The first input that spends what one before it does. */
static bool find_double_spend(struct outpoint *twice, const struct psbt *p)
{
    struct spend *s = xmalloc((p->n_in + 1) * sizeof(*s));
    size_t first = p->n_in;

    for (size_t i = 0; i < p->n_in; i++)
        s[i] = (struct spend){&p->in[i].prevout, i};
    qsort(s, p->n_in, sizeof(*s), by_prevout);
    for (size_t i = 1; i < p->n_in; i++) {
        if (outpoint_equal(s[i].prevout, s[i - 1].prevout) && s[i].at < first)
            first = s[i].at;
    }
    free(s);
    if (first == p->n_in)
        return false;
    *twice = p->in[first].prevout;
    return true;
}

static void append(struct psbt *p, const struct psbt *src)
{
    for (size_t i = 0; i < src->n_in; i++) {
        struct psbt_in *in = psbt_add_in(p);
        *in = src->in[i];
        in->prev = NULL;
        in->has_utxo = false;
        in->map = (struct psbt_map){NULL, 0, 0};
        merge_input(p, in, &src->in[i]);
        psbt_remove(&in->map, PSBT_PARTIAL_SIG);
        psbt_remove(&in->map, PSBT_FINAL_SCRIPT);
        psbt_remove(&in->map, PSBT_FINAL_WITNESS);
    }
    for (size_t i = 0; i < src->n_out; i++) {
        struct psbt_out *out = psbt_add_out(p);
        *out = src->out[i];
        out->script = arena_copy(&p->arena, out->script, out->script_len);
        out->map = (struct psbt_map){NULL, 0, 0};
        map_merge(p, &out->map, &src->out[i].map);
    }
    map_merge_kind(p, &p->map, &src->map, PSBT_UNKNOWN);
}

static void shuffle(struct psbt *p)
{
    struct rng rng;

    rng_init(&rng);
    for (size_t i = p->n_in; i > 1; i--) {
        size_t k = (size_t)rng_below(&rng, i);
        struct psbt_in in = p->in[k];
        p->in[k] = p->in[i - 1];
        p->in[i - 1] = in;
    }
    for (size_t i = p->n_out; i > 1; i--) {
        size_t k = (size_t)rng_below(&rng, i);
        struct psbt_out out = p->out[k];
        p->out[k] = p->out[i - 1];
        p->out[i - 1] = out;
    }
}

struct psbt *psbt_join(struct psbt *const *list, size_t n, struct outpoint *twice)
{
    struct psbt *p = xcalloc(1, sizeof(*p));

    p->tx_version = 1;
    p->has_lock_time = true;
    p->lock_time = UINT32_MAX;
    for (size_t i = 0; i < n; i++) {
        append(p, list[i]);
        if (list[i]->tx_version > p->tx_version)
            p->tx_version = list[i]->tx_version;
        if (list[i]->lock_time < p->lock_time)
            p->lock_time = list[i]->lock_time;
    }
    if (find_double_spend(twice, p)) {
        psbt_free(p);
        return NULL;
    }
    shuffle(p);
    return p;
}
