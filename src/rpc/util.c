/* util.c - commands that need no chain: addresses, descriptors. Pool threads. */
#include <stdlib.h>

#include "rpc/descriptor.h"
#include "rpc/priv.h"
#include "script/script.h"

static void describe_script(struct json_writer *j, const uint8_t *script, size_t len)
{
    const uint8_t *program;
    size_t program_len;
    int version;

    if (!script_is_witness_program(script, len, &version, &program, &program_len)) {
        jw_kv_bool(j, "isscript", script_is_p2sh(script, len));
        jw_kv_bool(j, "iswitness", false);
        return;
    }
    if (script_is_p2a(script, len)) {
        jw_kv_bool(j, "isscript", true);
        jw_kv_bool(j, "iswitness", true);
        return;
    }
    if (version == 0 || (version == 1 && program_len == 32))
        jw_kv_bool(j, "isscript", program_len == 32);
    jw_kv_bool(j, "iswitness", true);
    jw_kv_int(j, "witness_version", version);
    jw_kv_hex(j, "witness_program", program, program_len);
}

static void write_valid(struct rpc_call *call, const uint8_t *script, size_t len)
{
    struct json_writer *j = &call->out;
    char *address = address_encode(script, len, &call->host->params->address);

    jw_obj_begin(j);
    jw_kv_bool(j, "isvalid", true);
    jw_kv_str(j, "address", address ? address : "");
    jw_kv_hex(j, "scriptPubKey", script, len);
    describe_script(j, script, len);
    jw_obj_end(j);
    free(address);
}

static void write_invalid(struct rpc_call *call, const char *text, const struct address_error *error)
{
    struct json_writer *j = &call->out;
    size_t n = strlen(text);
    int *positions = xcalloc(n + 1, sizeof(int));
    const char *message = error->text;

    if (error->malformed_bech32)
        message = bech32_locate_errors(text, positions, &n);
    else
        n = 0;
    jw_obj_begin(j);
    jw_kv_bool(j, "isvalid", false);
    jw_key(j, "error_locations");
    jw_arr_begin(j);
    for (size_t i = 0; i < n; i++)
        jw_int(j, positions[i]);
    jw_arr_end(j);
    jw_kv_str(j, "error", *message ? message : error->text);
    jw_obj_end(j);
    free(positions);
}

static void validateaddress(struct rpc_call *call)
{
    uint8_t script[ADDRESS_SCRIPT_MAX];
    struct address_error error;
    const char *text;
    size_t len;

    if (!rpc_text(call, &text, 0, ""))
        return;
    memset(&error, 0, sizeof(error));
    if (address_decode(script, &len, &error, text, &call->host->params->address))
        write_valid(call, script, len);
    else
        write_invalid(call, text, &error);
}

/* ---- descriptors ---- */

static bool read_descriptor(struct rpc_call *call, struct descriptor *d, const char *text, bool need_checksum)
{
    char *error;

    if (descriptor_parse(d, text, call->host->params, need_checksum, &error))
        return true;
    rpc_error(call, RPC_INVALID_ADDRESS_OR_KEY, "%s", error ? error : "");
    free(error);
    return false;
}

static void getdescriptorinfo(struct rpc_call *call)
{
    struct json_writer *j = &call->out;
    struct descriptor d;
    const char *text;
    char sum[9], *full;

    if (!rpc_text(call, &text, 0, "") || !read_descriptor(call, &d, text, false))
        return;
    descriptor_checksum(sum, d.text, strlen(d.text));
    full = xasprintf("%s#%s", d.text, sum);
    descriptor_checksum(sum, text, strcspn(text, "#"));
    jw_obj_begin(j);
    jw_kv_str(j, "descriptor", full);
    jw_kv_str(j, "checksum", sum);
    jw_kv_bool(j, "isrange", d.ranged);
    jw_kv_bool(j, "issolvable", d.solvable);
    jw_kv_bool(j, "hasprivatekeys", d.has_private);
    jw_obj_end(j);
    free(full);
    descriptor_clear(&d);
}

static void write_addresses(struct rpc_call *call, const struct descriptor *d)
{
    jw_arr_begin(&call->out);
    for (unsigned i = 0; i < d->n_scripts; i++) {
        char *address = NULL;
        struct script_solution s;
        if (script_solve(&s, d->script[i].bytes, d->script[i].len) == SCRIPT_PUBKEY && d->n_scripts > 1)
            continue; /* combo: the bare key has none */
        address = address_encode(d->script[i].bytes, d->script[i].len, &call->host->params->address);
        if (!address || s.type == SCRIPT_PUBKEY) {
            rpc_error(call, RPC_INVALID_ADDRESS_OR_KEY, "Descriptor does not have a corresponding address");
            free(address);
            return;
        }
        jw_str(&call->out, address);
        free(address);
    }
    jw_arr_end(&call->out);
}

static void deriveaddresses(struct rpc_call *call)
{
    struct descriptor d;
    const char *text;

    if (!rpc_text(call, &text, 0, "") || !read_descriptor(call, &d, text, true))
        return;
    if (d.ranged && !rpc_has(call, 1))
        rpc_error(call, RPC_INVALID_PARAMETER, "Range must be specified for a ranged descriptor");
    else if (!d.ranged && rpc_has(call, 1))
        rpc_error(call, RPC_INVALID_PARAMETER, "Range should not be specified for an un-ranged descriptor");
    else if (d.n_scripts == 0)
        rpc_error(call, RPC_INVALID_ADDRESS_OR_KEY, "Cannot derive script without private keys");
    else
        write_addresses(call, &d);
    descriptor_clear(&d);
}

const struct rpc_command rpc_util_commands[] = {
    {"util", "validateaddress", validateaddress,
     RPC_PARAMS({"address", RPC_STR, RPC_REQUIRED, NULL, "The bitcoin address to validate", NULL}), 0,
     "Return information about the given bitcoin address.\n"},
    {"util", "getdescriptorinfo", getdescriptorinfo,
     RPC_PARAMS({"descriptor", RPC_STR, RPC_REQUIRED, NULL, "The descriptor.", NULL}), 0, "Analyses a descriptor.\n"},
    {"util", "deriveaddresses", deriveaddresses,
     RPC_PARAMS({"descriptor", RPC_STR, RPC_REQUIRED, NULL, "The descriptor.", NULL},
                {"range", RPC_NUM, RPC_ANY_TYPE, NULL,
                 "If a ranged descriptor is used, this specifies the end or the range (in [begin,end] notation) "
                 "to derive.",
                 "range"}),
     0, "Derives one or more addresses corresponding to an output descriptor.\n"},
    {NULL, NULL, NULL, NULL, 0, NULL}};
