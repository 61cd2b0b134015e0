/* psbt.c - commands that make PSBTs and put them together: createpsbt, converttopsbt, combinepsbt, joinpsbts, finalizepsbt. Pure work on pool
 * threads. */
#include "rpc/psbt.h"

#include <stdlib.h>

#include "util/base64.h"

struct psbt *rpc_psbt_of(struct rpc_call *call, struct json_object *text)
{
    size_t text_len, len;
    struct psbt *p = NULL;
    char *error = NULL;
    uint8_t *data;

    if (!rpc_want(call, text, RPC_STR))
        return NULL;
    text_len = (size_t)json_object_get_string_len(text);
    len = text_len / 4 * 3 + 3;
    data = xmalloc(len);
    if (base64_decode(data, &len, json_object_get_string(text), text_len))
        p = psbt_decode(data, len, &error);
    if (!p)
        rpc_error(call, RPC_DESERIALIZATION_ERROR, "TX decode failed %s", error ? error : "invalid base64");
    free(error);
    free(data);
    return p;
}

void jw_psbt(struct json_writer *j, const struct psbt *p)
{
    struct writer w = WRITER_INIT;
    char *text;

    psbt_encode(&w, p);
    text = base64_encode(w.data, w.len);
    jw_plain(j, text, strlen(text));
    free(text);
    writer_clear(&w);
}

/* A new one of a transaction; parameter i is its version. */
static void show_new(struct rpc_call *call, const struct tx *tx, size_t i)
{
    int64_t version = 2;
    struct psbt *p;

    if (rpc_has(call, i) && !rpc_int_of(call, &version, rpc_arg(call, i), 0, UINT32_MAX))
        return;
    if (version != 0 && version != 2) {
        rpc_error(call, RPC_INVALID_PARAMETER, "The PSBT version can only be 2 or 0");
        return;
    }
    p = psbt_of_tx(tx, (uint32_t)version);
    jw_psbt(&call->out, p);
    psbt_free(p);
}

static void createpsbt(struct rpc_call *call)
{
    struct tx *tx = rpc_construct_tx(call);

    if (tx)
        show_new(call, tx, 5);
    tx_unref(tx);
}

static bool has_signatures(const struct tx *tx)
{
    for (uint32_t i = 0; i < tx->n_in; i++) {
        if (tx->in[i].script_len || tx->in[i].witness_count)
            return true;
    }
    return false;
}

static void converttopsbt(struct rpc_call *call)
{
    bool permit, witness, guess = !rpc_has(call, 2);
    const char *hex;
    struct tx *tx;

    if (!rpc_text(call, &hex, 0, "") || !rpc_flag(call, &permit, 1, false) || !rpc_flag(call, &witness, 2, false))
        return;
    tx = rpc_decode_tx(hex, guess || !witness, guess || witness);
    if (!tx)
        rpc_error(call, RPC_DESERIALIZATION_ERROR, "TX decode failed");
    else if (!permit && has_signatures(tx))
        rpc_error(call, RPC_DESERIALIZATION_ERROR, "Inputs must not have scriptSigs and scriptWitnesses");
    else
        show_new(call, tx, 3);
    tx_unref(tx);
}

/* ---- several ---- */

struct psbt_list {
    struct psbt **items;
    size_t n;
};

static void list_clear(struct psbt_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        psbt_free(l->items[i]);
    free(l->items);
}

/* Joining takes version 0 only. */
static bool read_list(struct psbt_list *l, struct rpc_call *call, bool to_join)
{
    struct json_object *texts = rpc_arg(call, 0);
    size_t n = json_object_array_length(texts);

    l->items = xcalloc(n + 1, sizeof(struct psbt *));
    for (size_t i = 0; i < n; i++) {
        struct psbt *p = rpc_psbt_of(call, json_object_array_get_idx(texts, i));
        if (!p)
            return false;
        l->items[l->n++] = p;
        if (to_join && p->version != 0)
            return rpc_error(call, RPC_INVALID_PARAMETER, "joinpsbts only operates on version 0 PSBTs");
    }
    return true;
}

static void combinepsbt(struct rpc_call *call)
{
    struct psbt_list l = {NULL, 0};

    if (json_object_array_length(rpc_arg(call, 0)) == 0) {
        rpc_error(call, RPC_INVALID_PARAMETER, "Parameter 'txs' cannot be empty");
        return;
    }
    if (read_list(&l, call, false)) {
        for (size_t i = 1; i < l.n && !call->code; i++) {
            if (!psbt_merge(l.items[0], l.items[i]))
                rpc_error(call, RPC_INVALID_PARAMETER, "PSBTs not compatible (different transactions)");
        }
        if (!call->code)
            jw_psbt(&call->out, l.items[0]);
    }
    list_clear(&l);
}

static void joinpsbts(struct rpc_call *call)
{
    struct psbt_list l = {NULL, 0};
    struct outpoint twice;
    struct psbt *p;

    if (json_object_array_length(rpc_arg(call, 0)) <= 1) {
        rpc_error(call, RPC_INVALID_PARAMETER, "At least two PSBTs are required to join PSBTs.");
        return;
    }
    if (read_list(&l, call, true)) {
        p = psbt_join(l.items, l.n, &twice);
        if (p)
            jw_psbt(&call->out, p);
        else
            rpc_error(call, RPC_INVALID_PARAMETER, "Input %s:%u exists in multiple PSBTs", hash_to_hex(twice.txid.b).s, twice.n);
        psbt_free(p);
    }
    list_clear(&l);
}

static void finalizepsbt(struct rpc_call *call)
{
    struct json_writer *j = &call->out;
    struct psbt *p = rpc_psbt_of(call, rpc_arg(call, 0));
    bool extract, complete;

    if (!p)
        return;
    if (rpc_flag(call, &extract, 1, true)) {
        complete = psbt_finalize(p);
        jw_obj_begin(j);
        if (complete && extract) {
            struct tx *tx = psbt_extract(p);
            jw_kv_hex(j, "hex", tx->raw, tx->raw_len);
            tx_unref(tx);
        } else {
            jw_key(j, "psbt");
            jw_psbt(j, p);
        }
        jw_kv_bool(j, "complete", complete);
        jw_obj_end(j);
    }
    psbt_free(p);
}

const struct rpc_command rpc_psbt_commands[] = {
    {"rawtransactions", "createpsbt", createpsbt,
     RPC_PARAMS(RPC_CONSTRUCT_PARAMS, {"psbt_version", RPC_NUM, 0, "2", "The PSBT version number to use: 0 or 2.", NULL}), 0,
     "Creates a transaction in the Partially Signed Transaction format.\nImplements the Creator role.\n"
     "Note that the transaction's inputs are not signed, and\nit is not stored in the wallet or transmitted to the network.\n"},
    {"rawtransactions", "converttopsbt", converttopsbt,
     RPC_PARAMS({"hexstring", RPC_HEX, RPC_REQUIRED, NULL, "The hex string of a raw transaction", NULL},
                {"permitsigdata", RPC_BOOL, 0, "false", "Discard signatures that are there, instead of failing.", NULL},
                {"iswitness", RPC_BOOL, 0, "depends on heuristic tests",
                 "Whether the transaction hex is a serialized witness transaction. If it is not given, both forms are tried.",
                 NULL},
                {"psbt_version", RPC_NUM, 0, "2", "The PSBT version number to use: 0 or 2.", NULL}),
     0,
     "Converts a network serialized transaction to a PSBT. This should be used only with createrawtransaction and "
     "fundrawtransaction\ncreatepsbt and walletcreatefundedpsbt should be used for new applications.\n"},
    {"rawtransactions", "combinepsbt", combinepsbt,
     RPC_PARAMS({"txs", RPC_ARR, RPC_REQUIRED, NULL, "The base64 strings of partially signed transactions", "[\"psbt\",...]"}), 0,
     "Combine multiple partially signed Bitcoin transactions into one transaction.\nImplements the Combiner role.\n"},
    {"rawtransactions", "joinpsbts", joinpsbts,
     RPC_PARAMS({"txs", RPC_ARR, RPC_REQUIRED, NULL, "The base64 strings of partially signed transactions", "[\"psbt\",...]"}), 0,
     "Joins multiple distinct version 0 PSBTs with different inputs and outputs into one version 0 PSBT with inputs and outputs "
     "from all of the PSBTs\nNo input in any of the PSBTs can be in more than one of the PSBTs.\n"},
    {"rawtransactions", "finalizepsbt", finalizepsbt,
     RPC_PARAMS({"psbt", RPC_STR, RPC_REQUIRED, NULL, "A base64 string of a PSBT", NULL},
                {"extract", RPC_BOOL, 0, "true",
                 "If true and the transaction is complete, return the complete transaction in normal network serialization "
                 "instead of the PSBT.",
                 NULL}),
     0,
     "Finalize the inputs of a PSBT. If the transaction is fully signed, it will produce a\n"
     "network serialized transaction which can be broadcast with sendrawtransaction. Otherwise a PSBT will be\n"
     "created which has the final_scriptSig and final_scriptwitness fields filled for inputs that are complete.\n"
     "Implements the Finalizer and Extractor roles.\n"},
    {NULL, NULL, NULL, NULL, 0, NULL}};
