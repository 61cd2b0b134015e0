/* psbt_process.c - utxoupdatepsbt, descriptorprocesspsbt and analyzepsbt. On pool threads; coins and mempool transactions come from the validation
 * thread. Keys are kept no longer than the call. */
#include <stdlib.h>

#include "index/tx_index.h"
#include "policy/policy.h"
#include "rpc/psbt.h"
#include "rpc/scan_objects.h"
#include "script/script.h"
#include "util/args.h"

/* ---- what the inputs spend ---- */

struct finding {
    struct rpc_call *call;
    struct psbt *p;
    const struct keyring *ring;
};

static void find_by_index(const struct finding *f)
{
    struct tx_index *txs = f->call->host->txs;
    const struct block_entry *e;

    if (!txs)
        return;
    index_wait(tx_index_base(txs), f->call->host->interrupt);
    for (size_t i = 0; i < f->p->n_in && !rpc_stopping(f->call); i++) {
        struct psbt_in *in = &f->p->in[i];
        if (!in->prev && tx_index_find(txs, &in->prev, &e, &in->prevout.txid) != RC_OK)
            in->prev = NULL;
    }
}

/* A witness program, or P2SH of one as far as the ring tells. */
static bool is_segwit(const struct tx_out *o, const struct keyring *ring)
{
    const uint8_t *program;
    const struct witness_item *redeem;
    size_t len;
    int version;

    if (script_is_witness_program(o->script, o->script_len, &version, &program, &len))
        return true;
    redeem = script_is_p2sh(o->script, o->script_len) ? keyring_find_script(ring, o->script + 2, 20) : NULL;
    return redeem && script_is_witness_program(redeem->data, redeem->len, &version, &program, &len);
}

/* Validation thread. */
static void find_in_pool_and_chain(void *arg)
{
    const struct finding *f = arg;
    const struct rpc_host *host = f->call->host;

    for (size_t i = 0; i < f->p->n_in; i++) {
        struct psbt_in *in = &f->p->in[i];
        struct mempool_entry e;
        struct coin coin;
        if (in->prev)
            continue;
        if (host->mempool && mempool_get(host->mempool, &e, &in->prevout.txid)) {
            in->prev = tx_ref(e.tx);
        } else if (chain_get_coin(host->chain, &coin, &in->prevout, &f->p->arena) == RC_OK && is_segwit(&coin.out, f->ring)) {
            in->has_utxo = true;
            in->utxo = coin.out;
        }
    }
}

/* ---- filling and signing ---- */

static bool sign_all(struct rpc_call *call, struct psbt *p, const struct psbt_signing *s)
{
    struct psbt_work w;

    if (!psbt_work_init(&w, p))
        return rpc_error(call, RPC_VERIFY_ERROR, "The transaction cannot be valid");
    for (size_t i = 0; i < p->n_in && !call->code; i++) {
        if (!psbt_is_final(&p->in[i]) && psbt_sign(&w, i, s, NULL) == PSBT_HASH_TYPE_MISMATCH)
            rpc_error(call, RPC_DESERIALIZATION_ERROR, "Specified sighash value does not match value stored in PSBT");
    }
    psbt_work_clear(&w);
    return call->code == 0;
}

/* Core's ProcessPSBT. Returns: NULL with the error set. */
static struct psbt *process(struct rpc_call *call, const struct psbt_signing *s)
{
    struct psbt *p = rpc_psbt_of(call, rpc_arg(call, 0));
    struct finding f = {call, p, s->ring};

    if (!p)
        return NULL;
    find_by_index(&f);
    if (!rpc_on_validation(call, find_in_pool_and_chain, &f) || !sign_all(call, p, s)) {
        psbt_free(p);
        return NULL;
    }
    for (size_t i = 0; i < p->n_out; i++)
        psbt_update_output(p, i, s->ring, s->without_origins);
    psbt_drop_unneeded(p);
    return p;
}

static bool read_descriptors(struct rpc_call *call, struct keyring *ring, bool secrets)
{
    struct json_object *list = rpc_arg(call, 1);

    for (size_t i = 0; list && i < json_object_array_length(list); i++) {
        if (!rpc_scan_object(call, json_object_array_get_idx(list, i), NULL, false, ring, secrets))
            return false;
    }
    return true;
}

static void utxoupdatepsbt(struct rpc_call *call)
{
    struct keyring ring = {.n_keys = 0};
    struct psbt *p = NULL;

    if (read_descriptors(call, &ring, false))
        p = process(call, &(struct psbt_signing){.ring = &ring});
    if (p)
        jw_psbt(&call->out, p);
    psbt_free(p);
    keyring_clear(&ring);
}

static bool all_verified(struct psbt *p)
{
    struct psbt_work w;
    bool ok = psbt_work_init(&w, p);

    if (!ok)
        return false;
    for (size_t i = 0; i < p->n_in && ok; i++)
        ok = psbt_is_verified(&w, i);
    psbt_work_clear(&w);
    return ok;
}

static void show_processed(struct json_writer *j, struct psbt *p)
{
    bool complete = all_verified(p);

    jw_obj_begin(j);
    jw_key(j, "psbt");
    jw_psbt(j, p);
    jw_kv_bool(j, "complete", complete);
    if (complete) {
        struct tx *tx = psbt_extract(p);
        jw_kv_hex(j, "hex", tx->raw, tx->raw_len);
        tx_unref(tx);
    }
    jw_obj_end(j);
}

static void descriptorprocesspsbt(struct rpc_call *call)
{
    struct keyring ring = {.n_keys = 0};
    struct psbt_signing s = {.ring = &ring, .has_hash_type = rpc_has(call, 2)};
    struct psbt *p = NULL;
    uint8_t hash_type;
    bool origins;

    if (read_descriptors(call, &ring, true) && rpc_hash_type(call, &hash_type, 2) && rpc_flag(call, &origins, 3, true) &&
        rpc_flag(call, &s.finalize, 4, true)) {
        s.hash_type = hash_type;
        s.without_origins = !origins;
        p = process(call, &s);
    }
    if (p)
        show_processed(&call->out, p);
    psbt_free(p);
    keyring_clear(&ring);
}

/* ---- analysis ---- */

static void show_hashes(struct json_writer *j, const char *key, const uint8_t (*hashes)[20], size_t n)
{
    if (!n)
        return;
    jw_key(j, key);
    jw_arr_begin(j);
    for (size_t i = 0; i < n; i++)
        jw_hex(j, hashes[i], 20);
    jw_arr_end(j);
}

static void show_input(struct json_writer *j, const struct psbt_in_state *s)
{
    const struct sign_data *m = &s->missing;

    jw_obj_begin(j);
    jw_kv_bool(j, "has_utxo", s->has_utxo);
    jw_kv_bool(j, "is_final", s->is_final);
    jw_kv_str(j, "next", psbt_role_name(s->next));
    if (m->n_missing_pubs || m->n_missing_sigs || m->lacks_redeem || m->lacks_witness) {
        jw_key(j, "missing");
        jw_obj_begin(j);
        show_hashes(j, "pubkeys", (const uint8_t(*)[20])m->missing_pubs, m->n_missing_pubs);
        if (m->lacks_redeem)
            jw_kv_hex(j, "redeemscript", m->missing_redeem, 20);
        if (m->lacks_witness)
            jw_kv_hex(j, "witnessscript", m->missing_witness, 32);
        show_hashes(j, "signatures", (const uint8_t(*)[20])m->missing_sigs, m->n_missing_sigs);
        jw_obj_end(j);
    }
    jw_obj_end(j);
}

static void show_analysis(struct json_writer *j, const struct psbt_analysis *a)
{
    jw_obj_begin(j);
    if (a->n_in) {
        jw_key(j, "inputs");
        jw_arr_begin(j);
        for (size_t i = 0; i < a->n_in; i++)
            show_input(j, &a->in[i]);
        jw_arr_end(j);
    }
    if (a->has_size) {
        jw_kv_int(j, "estimated_vsize", a->vsize);
        jw_kv_amount(j, "estimated_feerate", policy_rate(a->fee, a->vsize));
    }
    if (a->has_fee)
        jw_kv_amount(j, "fee", a->fee);
    jw_kv_str(j, "next", psbt_role_name(a->next));
    if (a->error)
        jw_kv_str(j, "error", a->error);
    jw_obj_end(j);
}

static void analyzepsbt(struct rpc_call *call)
{
    const struct args *args = call->host->args;
    struct psbt *p = rpc_psbt_of(call, rpc_arg(call, 0));
    struct policy policy;
    struct psbt_analysis a;

    if (!p)
        return;
    policy_init(&policy, call->host->params);
    psbt_analyze(&a, p, args ? (unsigned)args_int(args, "bytespersigop", policy.bytes_per_sigop) : policy.bytes_per_sigop);
    show_analysis(&call->out, &a);
    psbt_analysis_clear(&a);
    psbt_free(p);
}

#define DESCRIPTORS_USAGE "[\"\",{\"desc\":\"str\",\"range\":n or [n,n]},...]"

const struct rpc_command rpc_psbt_process_commands[] = {
    {"rawtransactions", "utxoupdatepsbt", utxoupdatepsbt,
     RPC_PARAMS({"psbt", RPC_STR, RPC_REQUIRED, NULL, "A base64 string of a PSBT", NULL},
                {"descriptors", RPC_ARR, 0, NULL, "An array of either strings or objects", DESCRIPTORS_USAGE}),
     0,
     "Updates all segwit inputs and outputs in a PSBT with data from output descriptors, the UTXO set, txindex, or the "
     "mempool.\n"},
    {"rawtransactions", "descriptorprocesspsbt", descriptorprocesspsbt,
     RPC_PARAMS({"psbt", RPC_STR, RPC_REQUIRED, NULL, "The transaction base64 string", NULL},
                {"descriptors", RPC_ARR, RPC_REQUIRED, NULL, "An array of either strings or objects", DESCRIPTORS_USAGE},
                {"sighashtype", RPC_STR, 0, "\"DEFAULT for Taproot, ALL otherwise\"",
                 "The signature hash type to sign with if not specified by the PSBT: \"DEFAULT\", \"ALL\", \"NONE\", \"SINGLE\", "
                 "the last three also with \"|ANYONECANPAY\".",
                 NULL},
                {"bip32derivs", RPC_BOOL, 0, "true", "Include BIP 32 derivation paths for public keys if we know them", NULL},
                {"finalize", RPC_BOOL, 0, "true", "Also finalize inputs if possible", NULL}),
     0,
     "Update all segwit inputs in a PSBT with information from output descriptors, the UTXO set or the mempool. \n"
     "Then, sign the inputs we are able to with information from the output descriptors. "},
    {"rawtransactions", "analyzepsbt", analyzepsbt,
     RPC_PARAMS({"psbt", RPC_STR, RPC_REQUIRED, NULL, "A base64 string of a PSBT", NULL}), 0,
     "Analyzes and provides information about the current status of a PSBT and its inputs\n"},
    {NULL, NULL, NULL, NULL, 0, NULL}};
