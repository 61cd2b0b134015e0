/* sign.c - signing and finalising inputs, as Core's SignPSBTInput does: what the PSBT tells and what the keyring knows go to script/sign.h, what comes
 * back goes into the PSBT. Called by RPC on pool threads; pure. */
#include <stdlib.h>

#include "crypto/keys.h"
#include "primitives/serialize.h"
#include "psbt/fill.h"
#include "script/script.h"
#include "script/verify.h"
#include "util/mem.h"

/* ---- what the inputs share ---- */

bool psbt_work_init(struct psbt_work *w, struct psbt *p)
{
    bool all_known = true;

    memset(w, 0, sizeof(*w));
    w->p = p;
    w->tx = psbt_unsigned_tx(p);
    if (!w->tx)
        return false;
    w->in = xcalloc(p->n_in + 1, sizeof(*w->in));
    w->spent = xcalloc(p->n_in + 1, sizeof(*w->spent));
    if (p->n_in)
        memcpy(w->in, w->tx->in, p->n_in * sizeof(*w->in));
    tx_copy_fields(&w->view, w->tx);
    w->view.in = w->in;
    tx_builder_init(&w->builder, w->tx->version, w->tx->lock_time);
    for (size_t i = 0; i < p->n_in; i++) {
        struct tx_out o;
        tx_builder_add_in(&w->builder, &p->in[i].prevout, "", 0, w->tx->in[i].sequence);
        if (!psbt_spent(&o, p, i)) {
            all_known = false;
            continue;
        }
        /* a copy, as what the PSBT holds may be dropped */
        w->spent[i] = (struct tx_out){o.value, arena_copy(&w->builder.arena, o.script, o.script_len), o.script_len};
    }
    tx_midstate_init(&w->mid, w->tx, all_known ? w->spent : NULL, true);
    tx_midstate_init(&w->bare_mid, w->tx, NULL, true);
    return true;
}

void psbt_work_clear(struct psbt_work *w)
{
    tx_builder_clear(&w->builder);
    tx_unref(w->tx);
    free(w->in);
    free(w->spent);
    memset(w, 0, sizeof(*w));
}

/* Runs the scripts of input i, given scriptSig and witness. */
static bool satisfies(struct psbt_work *w, size_t i, const struct tx_in *in, const struct tx_midstate *mid)
{
    const struct tx_out *o = &w->spent[i];
    uint32_t flags = SCRIPT_VERIFY_STANDARD;
    bool ok;

    if (!mid->has_v1) {
        if (script_is_p2tr(o->script, o->script_len))
            return false; /* its signatures are over all outputs spent */
        flags &= ~(uint32_t)SCRIPT_VERIFY_TAPROOT;
    }
    w->in[i].script = in->script;
    w->in[i].script_len = in->script_len;
    w->in[i].witness = in->witness;
    w->in[i].witness_count = in->witness_count;
    ok = script_verify_input(NULL, &w->view, (uint32_t)i, o, flags, mid, NULL, false);
    w->in[i] = w->tx->in[i];
    return ok;
}

static bool is_verified(struct psbt_work *w, size_t i, const struct tx_midstate *mid)
{
    const struct psbt_map *m = &w->p->in[i].map;
    const struct psbt_record *script = psbt_entry(m, PSBT_FINAL_SCRIPT), *witness = psbt_entry(m, PSBT_FINAL_WITNESS);
    struct tx_in in = w->tx->in[i];
    struct witness_item *items = NULL;
    struct tx_out o;
    bool ok;

    if (!psbt_spent(&o, w->p, i))
        return false;
    if (script) {
        in.script = script->value;
        in.script_len = script->value_len;
    }
    if (witness) {
        struct reader r = reader_make(witness->value, witness->value_len);
        in.witness_count = (uint32_t)read_compact_size(&r);
        items = xcalloc(in.witness_count + 1, sizeof(*items));
        for (uint32_t k = 0; k < in.witness_count; k++)
            items[k] = psbt_next_item(&r);
        in.witness = items;
    }
    ok = satisfies(w, i, &in, mid);
    free(items);
    return ok;
}

bool psbt_is_verified(struct psbt_work *w, size_t i)
{
    return is_verified(w, i, &w->mid);
}

/* ---- hash types ---- */

/* All signatures that are there must be of the hash type. */
static bool sigs_are_of_type(const struct psbt_map *m, int32_t hash_type)
{
    static const enum psbt_kind kinds[] = {PSBT_TAP_SIG, PSBT_TAP_LEAF_SIG, PSBT_PARTIAL_SIG};
    size_t n;

    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        const struct psbt_record *r = psbt_entries(m, kinds[k], &n);
        for (size_t i = 0; i < n; i++) {
            bool tap = kinds[k] != PSBT_PARTIAL_SIG, plain = r[i].value_len == 64;
            if (hash_type == SIGHASH_DEFAULT ? tap && !plain : (tap && plain) || r[i].value[r[i].value_len - 1] != hash_type)
                return false;
        }
    }
    return true;
}

/* What to sign with: the caller's choice and the PSBT's must be the same. Returns: false if they are not. */
static bool choose_hash_type(int32_t *out, struct psbt_in *in, const struct psbt_signing *s, bool p2tr)
{
    int32_t type = s->has_hash_type ? s->hash_type : p2tr ? SIGHASH_DEFAULT : SIGHASH_ALL;

    if (in->has_hash_type && in->hash_type != type)
        return false;
    if (type != SIGHASH_DEFAULT && (p2tr || type != SIGHASH_ALL)) {
        in->has_hash_type = true;
        in->hash_type = type;
    }
    *out = type;
    return sigs_are_of_type(&in->map, type);
}

/* ---- from the PSBT to the signer ---- */

static void load_sig(struct sign_data *d, const struct psbt_record *r, int kind)
{
    struct sign_sig *s = &d->sigs[d->n_sigs++];

    memset(s, 0, sizeof(*s));
    s->kind = kind;
    s->len = (uint8_t)r->value_len;
    memcpy(s->sig, r->value, r->value_len);
    s->pub_len = (uint8_t)(kind == SIGN_ECDSA ? r->key_len : kind == SIGN_TAP_LEAF ? 32 : 0);
    memcpy(s->pub, r->key, s->pub_len);
    if (kind == SIGN_TAP_LEAF)
        memcpy(s->leaf, r->key + 32, 32);
}

static void load_sigs(struct sign_data *d, const struct psbt_map *m)
{
    size_t n_ecdsa, n_key, n_leaf;
    const struct psbt_record *ecdsa = psbt_entries(m, PSBT_PARTIAL_SIG, &n_ecdsa), *key = psbt_entries(m, PSBT_TAP_SIG, &n_key),
                             *leaf = psbt_entries(m, PSBT_TAP_LEAF_SIG, &n_leaf);

    d->sigs = xmalloc((n_ecdsa + n_key + n_leaf + 1) * sizeof(*d->sigs));
    for (size_t i = 0; i < n_ecdsa; i++)
        load_sig(d, &ecdsa[i], SIGN_ECDSA);
    for (size_t i = 0; i < n_key; i++)
        load_sig(d, &key[i], SIGN_TAP_KEY);
    for (size_t i = 0; i < n_leaf; i++)
        load_sig(d, &leaf[i], SIGN_TAP_LEAF);
}

/* ---- from the signer to the PSBT ---- */

static void store_sigs(struct psbt *p, struct psbt_map *m, const struct sign_data *d)
{
    for (size_t i = 0; i < d->n_sigs; i++) {
        const struct sign_sig *s = &d->sigs[i];
        uint8_t key[65];
        memcpy(key, s->pub, s->pub_len);
        if (s->kind == SIGN_TAP_LEAF)
            memcpy(key + 32, s->leaf, 32);
        map_append(p, m,
                   s->kind == SIGN_ECDSA     ? PSBT_PARTIAL_SIG
                   : s->kind == SIGN_TAP_KEY ? PSBT_TAP_SIG
                                             : PSBT_TAP_LEAF_SIG,
                   key, s->kind == SIGN_TAP_LEAF ? 64 : s->pub_len, s->sig, s->len);
    }
    map_sort(m); /* those that were there stay */
}

static void store_final(struct psbt *p, struct psbt_in *in, const struct tx_in *done)
{
    struct writer w = WRITER_INIT;

    if (done->script_len)
        psbt_set(p, &in->map, PSBT_FINAL_SCRIPT, done->script, done->script_len);
    if (done->witness_count) {
        write_compact_size(&w, done->witness_count);
        for (uint32_t i = 0; i < done->witness_count; i++)
            write_var_bytes(&w, done->witness[i].data, done->witness[i].len);
        psbt_set(p, &in->map, PSBT_FINAL_WITNESS, w.data, w.len);
    }
    writer_clear(&w);
}

/* Final inputs have no use for these. */
static void drop_parts(struct psbt_in *in)
{
    psbt_remove(&in->map, PSBT_PARTIAL_SIG);
    psbt_remove(&in->map, PSBT_ORIGIN);
    psbt_remove(&in->map, PSBT_REDEEM);
    psbt_remove(&in->map, PSBT_WITNESS);
}

/* Would the signatures be in a witness, as far as that can be told? */
static bool is_witness(const struct tx_out *o, const struct sign_data *d)
{
    const uint8_t *script = o->script, *program;
    size_t len = o->script_len, program_len;
    bool p2sh = script_is_p2sh(script, len);
    int version;

    if (p2sh) {
        script = d->redeem_script;
        len = d->redeem_len;
        if (d->lacks_redeem || !script)
            return false;
    }
    if (!script_is_witness_program(script, len, &version, &program, &program_len))
        return false;
    if (version == 0)
        return program_len == 20 || (program_len == 32 && !d->lacks_witness);
    return !p2sh && script_is_p2tr(script, len);
}

static void take_out(struct sign_data *out, struct sign_data *d)
{
    if (out) {
        *out = *d;
        memset(d, 0, sizeof(*d));
    }
    sign_data_clear(d);
}

static enum psbt_error sign_with(struct psbt_work *w, size_t i, const struct psbt_signing *s, int32_t hash_type, bool needs_witness,
                                 struct sign_data *out)
{
    struct psbt_in *in = &w->p->in[i];
    const struct tx_out *o = &w->spent[i];
    const struct tx_midstate *mid = s->dummy ? &w->bare_mid : &w->mid;
    struct keyring own = {.next = s->ring};
    struct sign_data d = {.n_sigs = 0};
    const struct fill f = {w->p, &in->map, s->ring, o, s->without_origins, true};
    struct sign_job job = {.tx = w->tx,
                           .n = (uint32_t)i,
                           .spent = o,
                           .mid = mid,
                           .ring = &own,
                           .hash_type = (uint8_t)hash_type,
                           .any_single = true, /* as Core's */
                           .dummy = s->dummy,
                           .data = &d};
    struct tx_in *done = &w->builder.in[i];
    bool complete;

    load_sigs(&d, &in->map);
    fill_load(&f, &own, &d);
    if (!s->dummy && script_is_p2tr(o->script, o->script_len))
        fill_musig(&f, &job, &d);
    sign_input(&w->builder, &job);
    if (needs_witness && !is_witness(o, &d)) {
        sign_data_clear(&d);
        keyring_clear(&own);
        return PSBT_INCOMPLETE;
    }
    complete = d.solved && (s->dummy || satisfies(w, i, done, mid));
    if (complete && s->finalize) {
        store_final(w->p, in, done);
        drop_parts(in);
    } else {
        fill_store(&f, &own, &d); /* looks at the signatures of before */
        store_sigs(w->p, &in->map, &d);
    }
    if (is_witness(o, &d)) {
        in->has_utxo = true;
        in->utxo = (struct tx_out){o->value, arena_copy(&w->p->arena, o->script, o->script_len), o->script_len};
    }
    keyring_clear(&own);
    take_out(out, &d);
    return complete ? PSBT_OK : PSBT_INCOMPLETE;
}

enum psbt_error psbt_sign(struct psbt_work *w, size_t i, const struct psbt_signing *s, struct sign_data *data)
{
    struct psbt_in *in = &w->p->in[i];
    int32_t hash_type;
    struct tx_out o;

    if (is_verified(w, i, s->dummy ? &w->bare_mid : &w->mid))
        return PSBT_OK;
    if (!psbt_spent(&o, w->p, i))
        return PSBT_MISSING_INPUTS;
    if (!choose_hash_type(&hash_type, in, s, script_is_p2tr(o.script, o.script_len)))
        return PSBT_HASH_TYPE_MISMATCH;
    /* Without the whole transaction the output's amount is the PSBT's word alone: fine where signatures commit to it. */
    if (psbt_is_final(in)) {
        if (!in->prev)
            return PSBT_INCOMPLETE;
        if (s->finalize)
            drop_parts(in);
        return PSBT_OK; /* Core's finaliser trusts those before it */
    }
    return sign_with(w, i, s, hash_type, !in->prev, data);
}

bool psbt_finalize(struct psbt *p)
{
    struct psbt_work w;
    bool complete = true;

    if (!psbt_work_init(&w, p))
        return false;
    for (size_t i = 0; i < p->n_in; i++) {
        const struct psbt_signing s = {.has_hash_type = p->in[i].has_hash_type, .hash_type = p->in[i].hash_type, .finalize = true};
        complete &= psbt_sign(&w, i, &s, NULL) == PSBT_OK;
    }
    psbt_work_clear(&w);
    return complete;
}

void psbt_drop_unneeded(struct psbt *p)
{
    const uint8_t *program;
    size_t len;
    int version;

    for (size_t i = 0; i < p->n_in; i++) {
        const struct psbt_in *in = &p->in[i];
        if (!in->has_utxo || !script_is_witness_program(in->utxo.script, in->utxo.script_len, &version, &program, &len) ||
            version == 0 || (in->has_hash_type && (in->hash_type & SIGHASH_ANYONECANPAY)))
            return;
    }
    for (size_t i = 0; i < p->n_in; i++) {
        tx_unref(p->in[i].prev);
        p->in[i].prev = NULL;
    }
}
