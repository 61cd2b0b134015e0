/* create.c - createrawtransaction, and its arguments for createpsbt. Pure work on a pool thread. */
#include <stdlib.h>

#include "policy/policy.h"
#include "rpc/json_read.h"
#include "rpc/priv.h"
#include "script/script.h"

static bool add_input(struct rpc_call *call, struct tx_builder *b, struct json_object *o, uint32_t sequence)
{
    struct json_object *v;
    struct outpoint prev;
    int64_t n;

    if (!rpc_want(call, o, RPC_OBJ) || !rpc_hash_of(call, prev.txid.b, rpc_member(o, "txid"), "txid"))
        return false;
    v = rpc_member(o, "vout");
    if (strcmp(rpc_type_name(v), "number") != 0)
        return rpc_error(call, RPC_INVALID_PARAMETER, "Invalid parameter, missing vout key");
    if (!rpc_int_of(call, &n, v, INT32_MIN, INT32_MAX))
        return false;
    if (n < 0)
        return rpc_error(call, RPC_INVALID_PARAMETER, "Invalid parameter, vout cannot be negative");
    prev.n = (uint32_t)n;
    v = rpc_member(o, "sequence");
    if (v && strcmp(rpc_type_name(v), "number") == 0) {
        if (!rpc_int_of(call, &n, v, INT64_MIN, INT64_MAX))
            return false;
        if (n < 0 || n > SEQUENCE_FINAL)
            return rpc_error(call, RPC_INVALID_PARAMETER, "Invalid parameter, sequence number is out of range");
        sequence = (uint32_t)n;
    }
    tx_builder_add_in(b, &prev, "", 0, sequence);
    return true;
}

/* Numbers and true stand for their text, as they do in Bitcoin Core. */
static bool data_of(struct rpc_call *call, uint8_t **data, size_t *len, struct json_object *v)
{
    bool is_number = strcmp(rpc_type_name(v), "number") == 0, ok;
    struct json_object *text = NULL;

    if (is_number)
        text = json_object_new_string(json_object_to_json_string_ext(v, JSON_C_TO_STRING_PLAIN));
    else if (json_object_is_type(v, json_type_boolean) && json_object_get_boolean(v))
        text = json_object_new_string("1");
    ok = rpc_bytes_of(call, data, len, text ? text : v, "Data");
    json_object_put(text);
    return ok;
}

static bool add_data(struct rpc_call *call, struct tx_builder *b, struct json_object *v)
{
    struct writer w = WRITER_INIT;
    uint8_t *data;
    size_t len;

    if (!data_of(call, &data, &len, v))
        return false;
    write_u8(&w, OP_RETURN);
    script_write_push(&w, data, len);
    tx_builder_add_out(b, 0, w.data, w.len);
    writer_clear(&w);
    free(data);
    return true;
}

static bool add_output(struct rpc_call *call, struct tx_builder *b, const char *name, struct json_object *v, bool *has_data)
{
    uint8_t script[ADDRESS_SCRIPT_MAX];
    size_t len;
    int64_t amount;

    if (strcmp(name, "data") == 0) {
        if (*has_data)
            return rpc_error(call, RPC_INVALID_PARAMETER, "Invalid parameter, duplicate key: data");
        *has_data = true;
        return add_data(call, b, v);
    }
    if (!rpc_amount_of(call, &amount, v))
        return false;
    if (!address_decode(script, &len, NULL, name, &call->host->params->address))
        return rpc_error(call, RPC_INVALID_ADDRESS_OR_KEY, "Invalid Bitcoin address: %s", name);
    for (uint32_t i = 0; i < b->n_out; i++) {
        if (b->out[i].script_len == len && memcmp(b->out[i].script, script, len) == 0)
            return rpc_error(call, RPC_INVALID_PARAMETER, "Invalid parameter, duplicated address: %s", name);
    }
    tx_builder_add_out(b, amount, script, len);
    return true;
}

static bool add_outputs(struct rpc_call *call, struct tx_builder *b, struct json_object *outputs)
{
    bool has_data = false;

    if (!outputs)
        return rpc_error(call, RPC_INVALID_PARAMETER, "Invalid parameter, output argument must be non-null");
    if (json_duplicate_key(outputs))
        return rpc_error(call, RPC_INVALID_PARAMETER,
                         strcmp(json_duplicate_key(outputs), "data") == 0 ? "Invalid parameter, duplicate key: %s"
                                                                          : "Invalid parameter, duplicated address: %s",
                         json_duplicate_key(outputs));
    if (json_object_is_type(outputs, json_type_object)) {
        json_object_object_foreach(outputs, name, v)
        {
            if (!add_output(call, b, name, v, &has_data))
                return false;
        }
        return true;
    }
    if (!rpc_want(call, outputs, RPC_ARR))
        return false;
    for (size_t i = 0; i < json_object_array_length(outputs); i++) {
        struct json_object *pair = json_object_array_get_idx(outputs, i);
        if (!json_object_is_type(pair, json_type_object))
            return rpc_error(call, RPC_INVALID_PARAMETER, "Invalid parameter, key-value pair not an object as expected");
        if (json_object_object_length(pair) != 1)
            return rpc_error(call, RPC_INVALID_PARAMETER, "Invalid parameter, key-value pair must contain exactly one key");
        json_object_object_foreach(pair, key, value)
        {
            if (!add_output(call, b, key, value, &has_data))
                return false;
        }
    }
    return true;
}

static bool fill(struct rpc_call *call, struct tx_builder *b, bool replaceable)
{
    struct json_object *inputs = rpc_arg(call, 0);
    uint32_t sequence = replaceable ? SEQUENCE_FINAL - 2 : b->lock_time ? SEQUENCE_FINAL - 1 : SEQUENCE_FINAL;

    for (size_t i = 0; inputs && i < json_object_array_length(inputs); i++) {
        if (!add_input(call, b, json_object_array_get_idx(inputs, i), sequence))
            return false;
    }
    return add_outputs(call, b, rpc_arg(call, 1));
}

struct tx *rpc_construct_tx(struct rpc_call *call)
{
    struct tx_builder b;
    struct tx *tx = NULL;
    int64_t lock_time, version = 2;
    bool replaceable;

    if (!rpc_int64(call, &lock_time, 2, 0) || !rpc_flag(call, &replaceable, 3, true) ||
        (rpc_has(call, 4) && !rpc_int_of(call, &version, rpc_arg(call, 4), 0, UINT32_MAX)))
        return NULL;
    if (lock_time < 0 || lock_time > UINT32_MAX) {
        rpc_error(call, RPC_INVALID_PARAMETER, "Invalid parameter, locktime out of range");
        return NULL;
    }
    if (version < 1 || version > 3) {
        rpc_error(call, RPC_INVALID_PARAMETER, "Invalid parameter, version out of range(1~3)");
        return NULL;
    }
    tx_builder_init(&b, (uint32_t)version, (uint32_t)lock_time);
    if (fill(call, &b, replaceable)) {
        tx = tx_build(&b);
        if (rpc_has(call, 3) && replaceable && tx->n_in > 0 && !policy_signals_rbf(tx)) {
            rpc_error(call, RPC_INVALID_PARAMETER,
                      "Invalid parameter combination: Sequence number(s) contradict replaceable option");
            tx_unref(tx);
            tx = NULL;
        }
    }
    tx_builder_clear(&b);
    return tx;
}

static void createrawtransaction(struct rpc_call *call)
{
    struct tx *tx = rpc_construct_tx(call);

    if (tx)
        jw_hex(&call->out, tx->raw, tx->raw_len);
    tx_unref(tx);
}

const struct rpc_command rpc_create_commands[] = {
    {"rawtransactions", "createrawtransaction", createrawtransaction, RPC_PARAMS(RPC_CONSTRUCT_PARAMS), 0,
     "Create a transaction spending the given inputs and creating new outputs.\nOutputs can be addresses or data.\n"
     "Returns hex-encoded raw transaction.\nNote that the transaction's inputs are not signed, and\n"
     "it is not stored in the wallet or transmitted to the network.\n"},
    {NULL, NULL, NULL, NULL, 0, NULL}};
