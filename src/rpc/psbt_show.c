/* psbt_show.c - decodepsbt: all that a PSBT holds, as JSON. Pure work on a pool thread. */
#include <stdio.h>
#include <stdlib.h>

#include "primitives/serialize.h"
#include "rpc/psbt.h"
#include "script/script.h"

/* ---- members that inputs and outputs share ---- */

static void show_path(struct json_writer *j, const uint8_t *origin, size_t len)
{
    struct writer w = WRITER_INIT;

    jw_kv_hex(j, "master_fingerprint", origin, 4);
    write_u8(&w, 'm');
    for (size_t i = 4; i + 4 <= len; i += 4) {
        uint32_t step = get_le32(origin + i);
        char text[16];
        int n = snprintf(text, sizeof(text), "/%u%s", step & 0x7fffffff, step >> 31 ? "h" : "");
        write_bytes(&w, text, (size_t)n);
    }
    jw_key(j, "path");
    jw_plain(j, (const char *)w.data, w.len);
    writer_clear(&w);
}

static void show_script(struct json_writer *j, const char *key, const struct psbt_record *r)
{
    struct script_solution s;
    char *text;

    if (!r)
        return;
    text = script_to_asm(r->value, r->value_len, false);
    jw_key(j, key);
    jw_obj_begin(j);
    jw_kv_str(j, "asm", text);
    jw_kv_hex(j, "hex", r->value, r->value_len);
    jw_kv_str(j, "type", script_type_name(script_solve(&s, r->value, r->value_len)));
    jw_obj_end(j);
    free(text);
}

static void show_origins(struct json_writer *j, const struct psbt_map *m)
{
    size_t n;
    const struct psbt_record *r = psbt_entries(m, PSBT_ORIGIN, &n);

    if (!r)
        return;
    jw_key(j, "bip32_derivs");
    jw_arr_begin(j);
    for (size_t i = 0; i < n; i++) {
        jw_obj_begin(j);
        jw_kv_hex(j, "pubkey", r[i].key, r[i].key_len);
        show_path(j, r[i].value, r[i].value_len);
        jw_obj_end(j);
    }
    jw_arr_end(j);
}

static void show_tap_origins(struct json_writer *j, const struct psbt_map *m)
{
    size_t n;
    const struct psbt_record *r = psbt_entries(m, PSBT_TAP_ORIGIN, &n);

    if (!r)
        return;
    jw_key(j, "taproot_bip32_derivs");
    jw_arr_begin(j);
    for (size_t i = 0; i < n; i++) {
        struct reader value = reader_make(r[i].value, r[i].value_len);
        size_t n_leaves = (size_t)read_compact_size(&value);
        const uint8_t *hashes = read_bytes(&value, 32 * n_leaves);
        jw_obj_begin(j);
        jw_kv_hex(j, "pubkey", r[i].key, r[i].key_len);
        show_path(j, value.pos, reader_left(&value));
        jw_key(j, "leaf_hashes");
        jw_arr_begin(j);
        for (size_t k = 0; k < n_leaves; k++)
            jw_hex(j, hashes + 32 * k, 32);
        jw_arr_end(j);
        jw_obj_end(j);
    }
    jw_arr_end(j);
}

static void show_value(struct json_writer *j, const char *key, const struct psbt_map *m, enum psbt_kind kind)
{
    const struct psbt_record *r = psbt_entry(m, kind);

    if (r)
        jw_kv_hex(j, key, r->value, r->value_len);
}

/* Entries as an object, keys and values in hex. */
static void show_pairs(struct json_writer *j, const char *key, const struct psbt_map *m, enum psbt_kind kind, bool if_empty)
{
    size_t n;
    const struct psbt_record *r = psbt_entries(m, kind, &n);

    if (!n && !if_empty)
        return;
    jw_key(j, key);
    jw_obj_begin(j);
    for (size_t i = 0; i < n; i++) {
        char *hex = xmalloc(2 * (size_t)r[i].key_len + 1);
        hex_encode(hex, r[i].key, r[i].key_len);
        jw_key_len(j, hex, 2 * (size_t)r[i].key_len);
        jw_hex(j, r[i].value, r[i].value_len);
        free(hex);
    }
    jw_obj_end(j);
}

static void show_participants(struct json_writer *j, const struct psbt_map *m)
{
    size_t n;
    const struct psbt_record *r = psbt_entries(m, PSBT_PARTICIPANTS, &n);

    if (!r)
        return;
    jw_key(j, "musig2_participant_pubkeys");
    jw_arr_begin(j);
    for (size_t i = 0; i < n; i++) {
        jw_obj_begin(j);
        jw_kv_hex(j, "aggregate_pubkey", r[i].key, r[i].key_len);
        jw_key(j, "participant_pubkeys");
        jw_arr_begin(j);
        for (size_t k = 0; k + 33 <= r[i].value_len; k += 33)
            jw_hex(j, r[i].value + k, 33);
        jw_arr_end(j);
        jw_obj_end(j);
    }
    jw_arr_end(j);
}

static void show_musig(struct json_writer *j, const char *key, const char *value_key, const struct psbt_map *m, enum psbt_kind kind)
{
    size_t n;
    const struct psbt_record *r = psbt_entries(m, kind, &n);

    if (!r)
        return;
    jw_key(j, key);
    jw_arr_begin(j);
    for (size_t i = 0; i < n; i++) {
        jw_obj_begin(j);
        jw_kv_hex(j, "participant_pubkey", r[i].key, 33);
        jw_kv_hex(j, "aggregate_pubkey", r[i].key + 33, 33);
        if (r[i].key_len > 66)
            jw_kv_hex(j, "leaf_hash", r[i].key + 66, 32);
        jw_kv_hex(j, value_key, r[i].value, r[i].value_len);
        jw_obj_end(j);
    }
    jw_arr_end(j);
}

static void show_proprietary(struct json_writer *j, const struct psbt_map *m, bool if_empty)
{
    size_t n;
    const struct psbt_record *r = psbt_entries(m, PSBT_PROPRIETARY, &n);

    if (!n && !if_empty)
        return;
    jw_key(j, "proprietary");
    jw_arr_begin(j);
    for (size_t i = 0; i < n; i++) {
        struct reader key = reader_make(r[i].key + 1, r[i].key_len - 1);
        size_t len;
        const uint8_t *identifier = read_var_bytes(&key, &len);
        jw_obj_begin(j);
        jw_kv_hex(j, "identifier", identifier, len);
        jw_kv_uint(j, "subtype", read_compact_size(&key));
        jw_kv_hex(j, "key", r[i].key, r[i].key_len);
        jw_kv_hex(j, "value", r[i].value, r[i].value_len);
        jw_obj_end(j);
    }
    jw_arr_end(j);
}

/* ---- global ---- */

static void show_xpubs(struct json_writer *j, const struct psbt_map *m)
{
    size_t n;
    const struct psbt_record *r = psbt_entries(m, PSBT_XPUB, &n);

    jw_key(j, "global_xpubs");
    jw_arr_begin(j);
    for (size_t i = 0; i < n; i++) {
        char *text = base58check_encode(r[i].key, r[i].key_len);
        jw_obj_begin(j);
        jw_kv_str(j, "xpub", text);
        show_path(j, r[i].value, r[i].value_len);
        jw_obj_end(j);
        free(text);
    }
    jw_arr_end(j);
}

static void show_tx(struct rpc_call *call, const char *key, const struct tx *tx)
{
    const struct tx_view view = {.hex = false};

    jw_key(&call->out, key);
    jw_obj_begin(&call->out);
    jw_tx_members(&call->out, call->host->params, tx, &view);
    jw_obj_end(&call->out);
}

static void show_global(struct rpc_call *call, const struct psbt *p)
{
    struct json_writer *j = &call->out;

    if (p->version < 2) {
        struct tx *tx = psbt_unsigned_tx(p);
        show_tx(call, "tx", tx);
        tx_unref(tx);
    }
    show_xpubs(j, &p->map);
    if (p->version >= 2) {
        jw_kv_uint(j, "tx_version", p->tx_version);
        if (p->has_lock_time)
            jw_kv_uint(j, "fallback_locktime", p->lock_time);
        jw_kv_uint(j, "input_count", p->n_in);
        jw_kv_uint(j, "output_count", p->n_out);
        if (p->has_modifiable) {
            jw_kv_bool(j, "inputs_modifiable", p->modifiable & 1);
            jw_kv_bool(j, "outputs_modifiable", p->modifiable & 2);
            jw_kv_bool(j, "has_sighash_single", p->modifiable & 4);
        }
    }
    jw_kv_uint(j, "psbt_version", p->version);
    show_proprietary(j, &p->map, true);
    show_pairs(j, "unknown", &p->map, PSBT_UNKNOWN, true);
}

/* ---- inputs ---- */

static const char *hash_type_name(uint8_t type)
{
    switch (type) {
    case SIGHASH_ALL:
        return "ALL";
    case SIGHASH_ALL | SIGHASH_ANYONECANPAY:
        return "ALL|ANYONECANPAY";
    case SIGHASH_NONE:
        return "NONE";
    case SIGHASH_NONE | SIGHASH_ANYONECANPAY:
        return "NONE|ANYONECANPAY";
    case SIGHASH_SINGLE:
        return "SINGLE";
    case SIGHASH_SINGLE | SIGHASH_ANYONECANPAY:
        return "SINGLE|ANYONECANPAY";
    default:
        return "";
    }
}

static void show_final(struct json_writer *j, const struct psbt_map *m)
{
    const struct psbt_record *script = psbt_entry(m, PSBT_FINAL_SCRIPT), *witness = psbt_entry(m, PSBT_FINAL_WITNESS);

    if (script) {
        char *text = script_to_asm(script->value, script->value_len, true);
        jw_key(j, "final_scriptSig");
        jw_obj_begin(j);
        jw_kv_str(j, "asm", text);
        jw_kv_hex(j, "hex", script->value, script->value_len);
        jw_obj_end(j);
        free(text);
    }
    if (witness) {
        struct reader r = reader_make(witness->value, witness->value_len);
        uint64_t n = read_compact_size(&r);
        jw_key(j, "final_scriptwitness");
        jw_arr_begin(j);
        for (uint64_t i = 0; i < n; i++) {
            struct witness_item item = psbt_next_item(&r);
            jw_hex(j, item.data, item.len);
        }
        jw_arr_end(j);
    }
}

static void show_leaf_sigs(struct json_writer *j, const struct psbt_map *m)
{
    size_t n;
    const struct psbt_record *r = psbt_entries(m, PSBT_TAP_LEAF_SIG, &n);

    if (!r)
        return;
    jw_key(j, "taproot_script_path_sigs");
    jw_arr_begin(j);
    for (size_t i = 0; i < n; i++) {
        jw_obj_begin(j);
        jw_kv_hex(j, "pubkey", r[i].key, 32);
        jw_kv_hex(j, "leaf_hash", r[i].key + 32, 32);
        jw_kv_hex(j, "sig", r[i].value, r[i].value_len);
        jw_obj_end(j);
    }
    jw_arr_end(j);
}

static bool same_leaf(const struct psbt_record *a, const struct psbt_record *b)
{
    return a->value_len == b->value_len && memcmp(a->value, b->value, a->value_len) == 0;
}

/* Each script with all its control blocks. */
static void show_leaves(struct json_writer *j, const struct psbt_map *m)
{
    size_t n;
    const struct psbt_record *r = psbt_entries(m, PSBT_TAP_LEAF, &n);

    if (!r)
        return;
    jw_key(j, "taproot_scripts");
    jw_arr_begin(j);
    for (size_t i = 0; i < n;) {
        size_t first = i;
        jw_obj_begin(j);
        jw_kv_hex(j, "script", r[i].value, r[i].value_len - 1);
        jw_kv_uint(j, "leaf_ver", r[i].value[r[i].value_len - 1]);
        jw_key(j, "control_blocks");
        jw_arr_begin(j);
        for (; i < n && same_leaf(&r[i], &r[first]); i++)
            jw_hex(j, r[i].key, r[i].key_len);
        jw_arr_end(j);
        jw_obj_end(j);
    }
    jw_arr_end(j);
}

static void show_in_v2(struct json_writer *j, const struct psbt_in *in)
{
    jw_kv_hash(j, "previous_txid", in->prevout.txid.b);
    jw_kv_uint(j, "previous_vout", in->prevout.n);
    if (in->has_sequence)
        jw_kv_uint(j, "sequence", in->sequence);
    if (in->has_time_lock)
        jw_kv_uint(j, "time_locktime", in->time_lock);
    if (in->has_height_lock)
        jw_kv_uint(j, "height_locktime", in->height_lock);
}

static void show_utxos(struct rpc_call *call, const struct psbt_in *in)
{
    struct json_writer *j = &call->out;

    if (in->has_utxo) {
        jw_key(j, "witness_utxo");
        jw_obj_begin(j);
        jw_kv_amount(j, "amount", in->utxo.value);
        jw_script(j, "scriptPubKey", call->host->params, in->utxo.script, in->utxo.script_len);
        jw_obj_end(j);
    }
    if (in->prev)
        show_tx(call, "non_witness_utxo", in->prev);
}

static void show_input(struct rpc_call *call, const struct psbt *p, const struct psbt_in *in)
{
    struct json_writer *j = &call->out;
    const struct psbt_map *m = &in->map;

    jw_obj_begin(j);
    show_utxos(call, in);
    show_pairs(j, "partial_signatures", m, PSBT_PARTIAL_SIG, false);
    if (in->has_hash_type)
        jw_kv_str(j, "sighash", hash_type_name((uint8_t)in->hash_type));
    show_script(j, "redeem_script", psbt_entry(m, PSBT_REDEEM));
    show_script(j, "witness_script", psbt_entry(m, PSBT_WITNESS));
    show_origins(j, m);
    show_final(j, m);
    show_pairs(j, "ripemd160_preimages", m, PSBT_RIPEMD160, false);
    show_pairs(j, "sha256_preimages", m, PSBT_SHA256, false);
    show_pairs(j, "hash160_preimages", m, PSBT_HASH160, false);
    show_pairs(j, "hash256_preimages", m, PSBT_HASH256, false);
    if (p->version >= 2)
        show_in_v2(j, in);
    show_value(j, "taproot_key_path_sig", m, PSBT_TAP_SIG);
    show_leaf_sigs(j, m);
    show_leaves(j, m);
    show_tap_origins(j, m);
    show_value(j, "taproot_internal_key", m, PSBT_TAP_INTERNAL);
    show_value(j, "taproot_merkle_root", m, PSBT_TAP_ROOT);
    show_participants(j, m);
    show_musig(j, "musig2_pubnonces", "pubnonce", m, PSBT_PUB_NONCE);
    show_musig(j, "musig2_partial_sigs", "partial_sig", m, PSBT_MUSIG_SIG);
    show_proprietary(j, m, false);
    show_pairs(j, "unknown", m, PSBT_UNKNOWN, false);
    jw_obj_end(j);
}

/* ---- outputs ---- */

static void show_tree(struct json_writer *j, const struct psbt_record *tree)
{
    struct reader r;
    size_t len;

    if (!tree)
        return;
    r = reader_make(tree->value, tree->value_len);
    jw_key(j, "taproot_tree");
    jw_arr_begin(j);
    while (reader_left(&r)) {
        jw_obj_begin(j);
        jw_kv_uint(j, "depth", read_u8(&r));
        jw_kv_uint(j, "leaf_ver", read_u8(&r));
        const uint8_t *script = read_var_bytes(&r, &len);
        jw_kv_hex(j, "script", script, len);
        jw_obj_end(j);
    }
    jw_arr_end(j);
}

static void show_output(struct rpc_call *call, const struct psbt *p, const struct psbt_out *out)
{
    struct json_writer *j = &call->out;
    const struct psbt_map *m = &out->map;

    jw_obj_begin(j);
    show_script(j, "redeem_script", psbt_entry(m, PSBT_REDEEM));
    show_script(j, "witness_script", psbt_entry(m, PSBT_WITNESS));
    show_origins(j, m);
    if (p->version >= 2) {
        jw_kv_amount(j, "amount", out->amount);
        jw_script(j, "script", call->host->params, out->script, out->script_len);
    }
    show_value(j, "taproot_internal_key", m, PSBT_TAP_INTERNAL);
    show_tree(j, psbt_entry(m, PSBT_TAP_TREE));
    show_tap_origins(j, m);
    show_participants(j, m);
    show_proprietary(j, m, false);
    show_pairs(j, "unknown", m, PSBT_UNKNOWN, false);
    jw_obj_end(j);
}

/* ---- the whole ---- */

/* Adds to a sum of amounts. Returns: false if it is out of range. */
static bool add_amount(int64_t *sum, int64_t amount)
{
    if (!money_in_range(amount) || !money_in_range(*sum + amount))
        return false;
    *sum += amount;
    return true;
}

/* Returns: false if not all amounts are known and in range. */
static bool find_fee(int64_t *fee, const struct psbt *p)
{
    int64_t in = 0, out = 0;
    struct tx_out o;

    for (size_t i = 0; i < p->n_in; i++) {
        if (!psbt_spent(&o, p, i) || !add_amount(&in, o.value))
            return false;
    }
    for (size_t i = 0; i < p->n_out; i++) {
        if (!add_amount(&out, p->out[i].amount))
            return false;
    }
    *fee = in - out;
    return true;
}

static void decodepsbt(struct rpc_call *call)
{
    struct psbt *p = rpc_psbt_of(call, rpc_arg(call, 0));
    struct json_writer *j = &call->out;
    int64_t fee;

    if (!p)
        return;
    jw_obj_begin(j);
    show_global(call, p);
    jw_key(j, "inputs");
    jw_arr_begin(j);
    for (size_t i = 0; i < p->n_in; i++)
        show_input(call, p, &p->in[i]);
    jw_arr_end(j);
    jw_key(j, "outputs");
    jw_arr_begin(j);
    for (size_t i = 0; i < p->n_out; i++)
        show_output(call, p, &p->out[i]);
    jw_arr_end(j);
    if (find_fee(&fee, p))
        jw_kv_amount(j, "fee", fee);
    jw_obj_end(j);
    psbt_free(p);
}

const struct rpc_command rpc_psbt_show_commands[] = {
    {"rawtransactions", "decodepsbt", decodepsbt, RPC_PARAMS({"psbt", RPC_STR, RPC_REQUIRED, NULL, "The PSBT base64 string", NULL}),
     0, "Return a JSON object representing the serialized, base64-encoded partially signed Bitcoin transaction."},
    {NULL, NULL, NULL, NULL, 0, NULL}};
