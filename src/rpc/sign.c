/* sign.c - signrawtransactionwithkey and combinerawtransaction: the spent coins come from the validation thread or the caller, the signing is
 * done on a pool thread. Keys are kept no longer than the call. */
#include <stdlib.h>

#include "crypto/hash.h"
#include "crypto/sha256.h"
#include "rpc/priv.h"
#include "script/script.h"
#include "script/sign.h"
#include "script/verify.h"

#define AMOUNT_MISSING MAX_MONEY /* what Core takes an amount that was not given for */

struct signing {
    struct rpc_call *call;
    struct tx *tx;
    struct tx_out *spent; /* by input; script NULL: not known */
    struct arena arena;   /* their scripts */
    struct keyring ring;
    struct tx **sources;
    size_t n_sources;
    uint8_t hash_type;
    struct tx_midstate mid;
    bool all_known;
};

static void signing_clear(struct signing *s)
{
    for (size_t i = 0; i < s->n_sources; i++)
        tx_unref(s->sources[i]);
    free(s->sources);
    free(s->spent);
    keyring_clear(&s->ring);
    arena_clear(&s->arena);
}

/* ---- coins ---- */

static void set_spent(struct signing *s, uint32_t i, int64_t value, const uint8_t *script, size_t len)
{
    uint8_t *copy = arena_alloc(&s->arena, len + 1);

    memcpy(copy, script, len);
    s->spent[i] = (struct tx_out){value, copy, (uint32_t)len};
}

static void fetch_coins(void *arg)
{
    struct signing *s = arg;
    const struct rpc_host *host = s->call->host;

    for (uint32_t i = 0; i < s->tx->n_in; i++) {
        const struct outpoint *o = s->tx->in[i].prevout;
        struct coin coin;
        if ((host->mempool && mempool_get_coin(host->mempool, &coin, o)) ||
            chain_get_coin(host->chain, &coin, o, &s->arena) == RC_OK)
            set_spent(s, i, coin.out.value, coin.out.script, coin.out.script_len);
    }
}

/* Takes the transaction whose inputs are to be signed as the first source. */
static bool signing_init(struct signing *s, struct rpc_call *call)
{
    s->call = call;
    s->tx = s->sources[0];
    s->spent = xcalloc(s->tx->n_in + 1, sizeof(*s->spent));
    return rpc_on_validation(call, fetch_coins, s);
}

static void find_midstate(struct signing *s)
{
    s->all_known = true;
    for (uint32_t i = 0; i < s->tx->n_in; i++)
        s->all_known &= s->spent[i].script != NULL;
    tx_midstate_init(&s->mid, s->tx, s->all_known ? s->spent : NULL, true);
}

/* ---- previous outputs named by the caller ---- */

static bool want_field(struct rpc_call *call, struct json_object *v, const char *field, const char *type)
{
    const char *is = rpc_type_name(v);

    if (!v)
        return rpc_error(call, RPC_TYPE_ERROR, "Missing %s", field);
    if (strcmp(is, type) != 0)
        return rpc_error(call, RPC_TYPE_ERROR, "JSON value of type %s for field %s is not of expected type %s", is, field, type);
    return true;
}

static bool set_prevout(struct signing *s, const struct outpoint *o, int64_t value, const uint8_t *script, size_t len)
{
    for (uint32_t i = 0; i < s->tx->n_in; i++) {
        const struct tx_out *known = &s->spent[i];
        char *have, *given;
        if (!outpoint_equal(s->tx->in[i].prevout, o))
            continue;
        if (!known->script || (known->script_len == len && memcmp(known->script, script, len) == 0)) {
            set_spent(s, i, value, script, len);
            continue;
        }
        have = script_to_asm(known->script, known->script_len, false);
        given = script_to_asm(script, len, false);
        rpc_error(s->call, RPC_DESERIALIZATION_ERROR, "Previous output scriptPubKey mismatch:\n%s\nvs:\n%s", have, given);
        free(have);
        free(given);
        return false;
    }
    return true;
}

static void p2wsh_of(uint8_t out[34], const uint8_t *script, size_t len)
{
    out[0] = OP_0;
    out[1] = 32;
    sha256(out + 2, script, len);
}

static bool is_p2sh_of(const uint8_t *output, const uint8_t *script, size_t len)
{
    uint8_t h[20];

    hash160(h, script, len);
    return memcmp(output + 2, h, 20) == 0;
}

/* Adds the script behind a P2SH or P2WSH output. A script given as redeemScript may be a witness script as well (older callers). */
static bool add_scripts(struct signing *s, struct json_object *prev, const uint8_t *output, size_t output_len)
{
    struct json_object *redeem = rpc_member(prev, "redeemScript"), *witness = rpc_member(prev, "witnessScript");
    uint8_t *script, *given = NULL, wrapped[34];
    size_t len, given_len;
    bool ok;

    if ((redeem && !want_field(s->call, redeem, "redeemScript", "string")) ||
        (witness && !want_field(s->call, witness, "witnessScript", "string")))
        return false;
    if (!redeem && !witness)
        return rpc_error(s->call, RPC_INVALID_PARAMETER, "Missing redeemScript/witnessScript");
    if (!rpc_bytes_of(s->call, &script, &len, witness ? witness : redeem, witness ? "witnessScript" : "redeemScript"))
        return false;
    p2wsh_of(wrapped, script, len);
    keyring_add_script(&s->ring, script, len);
    keyring_add_script(&s->ring, wrapped, sizeof(wrapped));
    ok = !redeem || !witness || rpc_bytes_of(s->call, &given, &given_len, redeem, "redeemScript");
    if (ok && given && (given_len != len || memcmp(given, script, len) != 0) &&
        (given_len != sizeof(wrapped) || memcmp(given, wrapped, sizeof(wrapped)) != 0))
        ok = rpc_error(s->call, RPC_INVALID_PARAMETER, "redeemScript does not correspond to witnessScript");
    if (ok && !(script_is_p2sh(output, output_len) ? is_p2sh_of(output, script, len) || is_p2sh_of(output, wrapped, sizeof(wrapped))
                                                   : memcmp(output, wrapped, sizeof(wrapped)) == 0))
        ok = rpc_error(s->call, RPC_INVALID_PARAMETER, "redeemScript/witnessScript does not match scriptPubKey");
    free(script);
    free(given);
    return ok;
}

static bool add_prevout(struct signing *s, struct json_object *prev)
{
    struct rpc_call *call = s->call;
    struct json_object *amount;
    int64_t n, value = AMOUNT_MISSING;
    struct outpoint o;
    uint8_t *script;
    size_t len;
    bool ok;

    if (!json_object_is_type(prev, json_type_object))
        return rpc_error(call, RPC_DESERIALIZATION_ERROR, "expected object with {\"txid'\",\"vout\",\"scriptPubKey\"}");
    if (!want_field(call, rpc_member(prev, "scriptPubKey"), "scriptPubKey", "string") ||
        !want_field(call, rpc_member(prev, "txid"), "txid", "string") ||
        !want_field(call, rpc_member(prev, "vout"), "vout", "number") ||
        !rpc_hash_of(call, o.txid.b, rpc_member(prev, "txid"), "txid") ||
        !rpc_int_of(call, &n, rpc_member(prev, "vout"), INT32_MIN, INT32_MAX))
        return false;
    if (n < 0)
        return rpc_error(call, RPC_DESERIALIZATION_ERROR, "vout cannot be negative");
    o.n = (uint32_t)n;
    amount = rpc_member(prev, "amount");
    if (!rpc_bytes_of(call, &script, &len, rpc_member(prev, "scriptPubKey"), "scriptPubKey"))
        return false;
    ok = (!amount || rpc_amount_of(call, &value, amount)) && set_prevout(s, &o, value, script, len) &&
         ((!script_is_p2sh(script, len) && !script_is_p2wsh(script, len)) || add_scripts(s, prev, script, len));
    free(script);
    return ok;
}

/* ---- the other parameters ---- */

static bool add_keys(struct signing *s, struct json_object *keys)
{
    for (size_t i = 0; i < json_object_array_length(keys); i++) {
        struct json_object *k = json_object_array_get_idx(keys, i);
        uint8_t secret[32];
        bool compressed, ok;
        if (!rpc_want(s->call, k, RPC_STR))
            return false;
        ok = wif_decode(secret, &compressed, json_object_get_string(k), &s->call->host->params->address) &&
             keyring_add_key(&s->ring, secret, compressed);
        crypto_wipe(secret, sizeof(secret));
        if (!ok)
            return rpc_error(s->call, RPC_INVALID_ADDRESS_OR_KEY, "Invalid private key");
    }
    return true;
}

bool rpc_hash_type(struct rpc_call *call, uint8_t *out, size_t i)
{
    static const struct {
        const char *name;
        uint8_t type;
    } types[] = {{"DEFAULT", SIGHASH_DEFAULT},
                 {"ALL", SIGHASH_ALL},
                 {"ALL|ANYONECANPAY", SIGHASH_ALL | SIGHASH_ANYONECANPAY},
                 {"NONE", SIGHASH_NONE},
                 {"NONE|ANYONECANPAY", SIGHASH_NONE | SIGHASH_ANYONECANPAY},
                 {"SINGLE", SIGHASH_SINGLE},
                 {"SINGLE|ANYONECANPAY", SIGHASH_SINGLE | SIGHASH_ANYONECANPAY}};
    const char *text;

    if (!rpc_text(call, &text, i, "DEFAULT"))
        return false;
    for (size_t k = 0; k < ARRAY_LEN(types); k++) {
        if (strcmp(types[k].name, text) == 0) {
            *out = types[k].type;
            return true;
        }
    }
    return rpc_error(call, RPC_INVALID_PARAMETER, "'%s' is not a valid sighash parameter.", text);
}

/* ---- signing ---- */

static bool verifies(const struct signing *s, const struct tx *tx, uint32_t i, enum script_error *err)
{
    const struct tx_out *o = &s->spent[i];
    uint32_t flags = SCRIPT_VERIFY_STANDARD;

    *err = SCRIPT_ERR_OK;
    if (!s->all_known && script_is_p2tr(o->script, o->script_len)) {
        *err = SCRIPT_ERR_SCHNORR_SIG_HASHTYPE; /* its signature is over all spent outputs */
        return false;
    }
    if (!s->all_known)
        flags &= ~(uint32_t)SCRIPT_VERIFY_TAPROOT;
    return script_verify_input(err, tx, i, o, flags, &s->mid, NULL, false);
}

static void sign_one(struct signing *s, struct tx_builder *b, uint32_t i)
{
    struct sign_job job = {.tx = s->tx,
                           .n = i,
                           .spent = &s->spent[i],
                           .mid = &s->mid,
                           .ring = &s->ring,
                           .sources = s->sources,
                           .n_sources = s->n_sources,
                           .hash_type = s->hash_type};
    enum script_error err;

    for (size_t k = 0; k < s->n_sources; k++) {
        const struct tx_in *in = &s->sources[k]->in[i];
        if (!verifies(s, s->sources[k], i, &err))
            continue;
        tx_builder_set_script(b, i, in->script, in->script_len);
        tx_builder_set_witness(b, i, in->witness, in->witness_count);
        return; /* complete as it stands */
    }
    sign_input(b, &job);
}

/* Returns: the transaction with all inputs signed as far as possible. */
static struct tx *sign_all(struct signing *s)
{
    const struct tx *tx = s->tx;
    struct tx_builder b;
    struct tx *out;

    find_midstate(s);
    tx_builder_init(&b, tx->version, tx->lock_time);
    for (uint32_t i = 0; i < tx->n_in; i++) {
        const struct tx_in *in = &tx->in[i];
        tx_builder_add_in(&b, in->prevout, in->script, in->script_len, in->sequence);
        tx_builder_set_witness(&b, i, in->witness, in->witness_count);
    }
    for (uint32_t i = 0; i < tx->n_out; i++)
        tx_builder_add_out(&b, tx->out[i].value, tx->out[i].script, tx->out[i].script_len);
    for (uint32_t i = 0; i < tx->n_in; i++) {
        if (s->spent[i].script)
            sign_one(s, &b, i);
    }
    out = tx_build(&b);
    tx_builder_clear(&b);
    return out;
}

/* ---- results ---- */

static const char *input_error(const struct signing *s, const struct tx *tx, uint32_t i)
{
    enum script_error err;

    if (!s->spent[i].script)
        return "Input not found or already spent";
    if (verifies(s, tx, i, &err))
        return NULL;
    if (err == SCRIPT_ERR_INVALID_STACK_OPERATION)
        return "Unable to sign input, invalid stack size (possibly missing key)";
    if (err == SCRIPT_ERR_SIG_NULLFAIL)
        return "CHECK(MULTI)SIG failing with non-zero signature (possibly need more signatures)";
    return script_error_text(err);
}

static void write_input_error(struct json_writer *j, const struct tx_in *in, const char *text)
{
    jw_obj_begin(j);
    jw_kv_hash(j, "txid", in->prevout->txid.b);
    jw_kv_uint(j, "vout", in->prevout->n);
    jw_key(j, "witness");
    jw_arr_begin(j);
    for (uint32_t i = 0; i < in->witness_count; i++)
        jw_hex(j, in->witness[i].data, in->witness[i].len);
    jw_arr_end(j);
    jw_kv_hex(j, "scriptSig", in->script, in->script_len);
    jw_kv_uint(j, "sequence", in->sequence);
    jw_kv_str(j, "error", text);
    jw_obj_end(j);
}

static bool amounts_given(const struct signing *s, const struct tx *tx)
{
    for (uint32_t i = 0; i < tx->n_in; i++) {
        const struct tx_out *o = &s->spent[i];
        char hex[31];
        if (!o->script || o->value != AMOUNT_MISSING || tx->in[i].witness_count == 0)
            continue;
        hex_encode(hex, o->script, o->script_len < 15 ? o->script_len : 15);
        return rpc_error(s->call, RPC_TYPE_ERROR, "Missing amount for CTxOut(nValue=%lld.%08lld, scriptPubKey=%s)",
                         (long long)(o->value / COIN), (long long)(o->value % COIN), hex);
    }
    return true;
}

static void write_signed(const struct signing *s, const struct tx *tx)
{
    struct json_writer *j = &s->call->out;
    uint32_t failed = 0;

    for (uint32_t i = 0; i < tx->n_in; i++)
        failed += input_error(s, tx, i) != NULL;
    jw_obj_begin(j);
    jw_key(j, "hex");
    jw_hex(j, tx->raw, tx->raw_len);
    jw_kv_bool(j, "complete", failed == 0);
    if (failed) {
        jw_key(j, "errors");
        jw_arr_begin(j);
        for (uint32_t i = 0; i < tx->n_in; i++) {
            const char *text = input_error(s, tx, i);
            if (text)
                write_input_error(j, &tx->in[i], text);
        }
        jw_arr_end(j);
    }
    jw_obj_end(j);
}

static bool read_signing(struct signing *s, struct rpc_call *call)
{
    struct json_object *prevs = rpc_arg(call, 2);

    if (!add_keys(s, rpc_arg(call, 1)) || !signing_init(s, call))
        return false;
    for (size_t i = 0; prevs && i < json_object_array_length(prevs); i++) {
        if (!add_prevout(s, json_object_array_get_idx(prevs, i)))
            return false;
    }
    return rpc_hash_type(call, &s->hash_type, 3);
}

static void signrawtransactionwithkey(struct rpc_call *call)
{
    struct signing s = {.call = call, .arena = ARENA_INIT};
    const char *hex;
    struct tx *tx;

    if (!rpc_text(call, &hex, 0, ""))
        return;
    tx = rpc_decode_tx(hex, true, true);
    if (!tx) {
        rpc_error(call, RPC_DESERIALIZATION_ERROR, "TX decode failed. Make sure the tx has at least one input.");
        return;
    }
    s.sources = xmalloc(sizeof(*s.sources));
    s.sources[s.n_sources++] = tx;
    if (read_signing(&s, call)) {
        tx = sign_all(&s);
        if (amounts_given(&s, tx))
            write_signed(&s, tx);
        tx_unref(tx);
    }
    signing_clear(&s);
}

/* ---- combining ---- */

/* Do they differ in nothing but scriptSigs and witnesses? */
static bool same_frame(const struct tx *a, const struct tx *b)
{
    if (a->version != b->version || a->lock_time != b->lock_time || a->n_in != b->n_in || a->n_out != b->n_out)
        return false;
    for (uint32_t i = 0; i < a->n_in; i++) {
        if (!outpoint_equal(a->in[i].prevout, b->in[i].prevout) || a->in[i].sequence != b->in[i].sequence)
            return false;
    }
    for (uint32_t i = 0; i < a->n_out; i++) {
        const struct tx_out *x = &a->out[i], *y = &b->out[i];
        if (x->value != y->value || x->script_len != y->script_len || memcmp(x->script, y->script, x->script_len) != 0)
            return false;
    }
    return true;
}

static bool read_states(struct signing *s, struct json_object *txs)
{
    size_t n = json_object_array_length(txs);

    if (n < 2)
        return rpc_error(s->call, RPC_DESERIALIZATION_ERROR, "Missing transactions. At least two transactions required.");
    s->sources = xcalloc(n, sizeof(*s->sources));
    for (; s->n_sources < n; s->n_sources++) {
        struct json_object *text = json_object_array_get_idx(txs, s->n_sources);
        if (!rpc_want(s->call, text, RPC_STR))
            return false;
        s->sources[s->n_sources] = rpc_decode_tx(json_object_get_string(text), true, true);
        if (!s->sources[s->n_sources])
            return rpc_error(s->call, RPC_DESERIALIZATION_ERROR,
                             "TX decode failed for tx %zu. Make sure the tx has at least one input.", s->n_sources);
    }
    for (size_t i = 1; i < n; i++) {
        if (!same_frame(s->sources[0], s->sources[i]))
            return rpc_error(s->call, RPC_INVALID_PARAMETER, "Transaction number %zu not compatible with first transaction", i + 1);
    }
    return true;
}

static void combinerawtransaction(struct rpc_call *call)
{
    struct signing s = {.call = call, .arena = ARENA_INIT};
    struct tx *tx;

    if (read_states(&s, rpc_arg(call, 0)) && signing_init(&s, call)) {
        for (uint32_t i = 0; i < s.tx->n_in; i++) {
            if (!s.spent[i].script)
                rpc_error(call, RPC_VERIFY_ERROR, "Input not found or already spent");
        }
        if (!call->code) {
            tx = sign_all(&s);
            jw_hex(&call->out, tx->raw, tx->raw_len);
            tx_unref(tx);
        }
    }
    signing_clear(&s);
}

const struct rpc_command rpc_sign_commands[] = {
    {"rawtransactions", "signrawtransactionwithkey", signrawtransactionwithkey,
     RPC_PARAMS({"hexstring", RPC_STR, RPC_REQUIRED, NULL, "The transaction hex string", NULL},
                {"privkeys", RPC_ARR, RPC_REQUIRED, NULL, "The base58-encoded private keys for signing", "[\"privatekey\",...]"},
                {"prevtxs", RPC_ARR, 0, NULL, "The previous dependent transaction outputs",
                 "[{\"txid\":\"hex\",\"vout\":n,\"scriptPubKey\":\"hex\",\"redeemScript\":\"hex\",\"witnessScript\":\"hex\","
                 "\"amount\":amount},...]"},
                {"sighashtype", RPC_STR, 0, "\"DEFAULT for Taproot, ALL otherwise\"",
                 "The signature hash type: \"DEFAULT\", \"ALL\", \"NONE\", \"SINGLE\", the last three also with \"|ANYONECANPAY\".",
                 NULL}),
     0,
     "Sign inputs for raw transaction (serialized, hex-encoded).\n"
     "The second argument is an array of base58-encoded private\n"
     "keys that will be the only keys used to sign the transaction.\n"
     "The third optional argument (may be null) is an array of previous transaction outputs that\n"
     "this transaction depends on but may not yet be in the block chain.\n"},
    {"rawtransactions", "combinerawtransaction", combinerawtransaction,
     RPC_PARAMS({"txs", RPC_ARR, RPC_REQUIRED, NULL, "The hex strings of partially signed transactions", "[\"hexstring\",...]"}), 0,
     "Combine multiple partially signed transactions into one transaction.\n"
     "The combined transaction may be another partially signed transaction or a \nfully signed transaction."},
    {NULL, NULL, NULL, NULL, 0, NULL}};
