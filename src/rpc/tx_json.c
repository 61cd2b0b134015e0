/* tx_json.c - scripts and transactions as the commands show them, written straight into the answer. Any thread. */
#include <stdlib.h>

#include "chain/undo.h"
#include "crypto/keys.h"
#include "descriptor/descriptor.h"
#include "rpc/priv.h"
#include "script/script.h"

static void plain_member(struct json_writer *j, const char *key, const char *text)
{
    jw_key(j, key);
    jw_plain(j, text, strlen(text));
}

/* The descriptor of a script of which only an address or an output key is known, as most are. Returns: false if it is none of these. */
static bool plain_descriptor(struct json_writer *j, const struct script_solution *s, enum script_type type, const char *address)
{
    bool key = type == SCRIPT_WITNESS_V1_TAPROOT && xonly_is_on_curve(s->item[0]);
    char text[128];
    size_t len = key ? 64 : address ? strlen(address) : 0, n = key ? 6 : 5;

    if (!len || n + len + 11 > sizeof(text))
        return false;
    memcpy(text, key ? "rawtr(" : "addr(", n);
    if (key)
        hex_put(text + n, s->item[0], 32);
    else
        memcpy(text + n, address, len);
    n += len;
    text[n++] = ')';
    if (!descriptor_checksum(text + n + 1, text, n))
        return false;
    text[n] = '#';
    jw_key(j, "desc");
    jw_plain(j, text, n + 9);
    return true;
}

void jw_script_members(struct json_writer *j, const struct chain_params *p, const uint8_t *script, size_t len, bool with_hex,
                       const uint8_t *inner, size_t inner_len)
{
    struct script_solution s;
    enum script_type type = script_solve(&s, script, len);
    char *text = script_to_asm(script, len, false), *address = NULL;
    struct witness_item item = {inner, (uint32_t)inner_len};
    const struct keyring ring = {.scripts = &item, .n_scripts = 1};

    plain_member(j, "asm", text);
    free(text);
    if (type != SCRIPT_PUBKEY)
        address = address_encode(script, len, &p->address);
    if (inner || !plain_descriptor(j, &s, type, address)) {
        text = descriptor_infer(script, len, inner ? &ring : NULL, &p->address);
        plain_member(j, "desc", text);
        free(text);
    }
    if (with_hex)
        jw_kv_hex(j, "hex", script, len);
    if (address)
        plain_member(j, "address", address);
    free(address);
    plain_member(j, "type", script_type_name(type));
}

void jw_script(struct json_writer *j, const char *key, const struct chain_params *p, const uint8_t *script, size_t len)
{
    jw_key(j, key);
    jw_obj_begin(j);
    jw_script_members(j, p, script, len, true, NULL, 0);
    jw_obj_end(j);
}

static void write_prevout(struct json_writer *j, const struct chain_params *p, const struct coin *c)
{
    jw_key(j, "prevout");
    jw_obj_begin(j);
    jw_kv_bool(j, "generated", c->coinbase);
    jw_kv_int(j, "height", c->height);
    jw_kv_amount(j, "value", c->out.value);
    jw_script(j, "scriptPubKey", p, c->out.script, c->out.script_len);
    jw_obj_end(j);
}

static void write_input(struct json_writer *j, const struct chain_params *p, const struct tx_in *in, bool coinbase,
                        const struct coin *spent, bool prevout)
{
    jw_obj_begin(j);
    if (coinbase) {
        jw_kv_hex(j, "coinbase", in->script, in->script_len);
    } else {
        char *text = script_to_asm(in->script, in->script_len, true);
        jw_kv_hash(j, "txid", in->prevout->txid.b);
        jw_kv_uint(j, "vout", in->prevout->n);
        jw_key(j, "scriptSig");
        jw_obj_begin(j);
        plain_member(j, "asm", text);
        jw_kv_hex(j, "hex", in->script, in->script_len);
        jw_obj_end(j);
        free(text);
    }
    if (in->witness_count) {
        jw_key(j, "txinwitness");
        jw_arr_begin(j);
        for (uint32_t i = 0; i < in->witness_count; i++)
            jw_hex(j, in->witness[i].data, in->witness[i].len);
        jw_arr_end(j);
    }
    if (spent && prevout)
        write_prevout(j, p, spent);
    jw_kv_uint(j, "sequence", in->sequence);
    jw_obj_end(j);
}

static int64_t write_inputs(struct json_writer *j, const struct chain_params *p, const struct tx *tx, const struct tx_view *view)
{
    bool coinbase = tx_is_coinbase(tx);
    int64_t total = 0;

    jw_key(j, "vin");
    jw_arr_begin(j);
    for (uint32_t i = 0; i < tx->n_in; i++) {
        const struct coin *spent = view->undo && i < view->undo->n ? &view->undo->coin[i] : NULL;
        if (spent)
            total += spent->out.value;
        write_input(j, p, &tx->in[i], coinbase, spent, view->prevouts);
    }
    jw_arr_end(j);
    return total;
}

static int64_t write_outputs(struct json_writer *j, const struct chain_params *p, const struct tx *tx)
{
    int64_t total = 0;

    jw_key(j, "vout");
    jw_arr_begin(j);
    for (uint32_t i = 0; i < tx->n_out; i++) {
        const struct tx_out *out = &tx->out[i];
        jw_obj_begin(j);
        jw_kv_amount(j, "value", out->value);
        jw_kv_uint(j, "n", i);
        jw_script(j, "scriptPubKey", p, out->script, out->script_len);
        jw_obj_end(j);
        total = (int64_t)((uint64_t)total + (uint64_t)out->value);
    }
    jw_arr_end(j);
    return total;
}

void jw_tx_members(struct json_writer *j, const struct chain_params *p, const struct tx *tx, const struct tx_view *view)
{
    int64_t in, out;

    jw_kv_hash(j, "txid", tx->txid.b);
    jw_kv_hash(j, "hash", tx->wtxid.b);
    jw_kv_uint(j, "version", tx->version);
    jw_kv_uint(j, "size", tx->raw_len);
    jw_kv_int(j, "vsize", tx_vsize(tx));
    jw_kv_int(j, "weight", tx_weight(tx));
    jw_kv_uint(j, "locktime", tx->lock_time);
    in = write_inputs(j, p, tx, view);
    out = write_outputs(j, p, tx);
    if (view->undo)
        jw_kv_amount(j, "fee", in - out);
    if (view->block)
        jw_kv_hash(j, "blockhash", view->block->b);
    if (view->hex)
        jw_kv_hex(j, "hex", tx->raw, tx->raw_len);
}
