/* util.c - commands that need no chain: addresses, descriptors. Pool threads. */
#include <stdlib.h>

#include "rpc/scan_objects.h"
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

static void getdescriptorinfo(struct rpc_call *call)
{
    struct json_writer *j = &call->out;
    struct descriptor *d;
    const char *text;
    char sum[9], *canonical;

    if (!rpc_text(call, &text, 0, "") || !(d = rpc_descriptor(call, text, false)))
        return;
    jw_obj_begin(j);
    for (size_t i = 0; i < descriptor_paths(d); i++) {
        canonical = descriptor_text(d, i);
        if (i == 0)
            jw_kv_str(j, "descriptor", canonical);
        if (i == 0 && descriptor_paths(d) > 1) {
            jw_key(j, "multipath_expansion");
            jw_arr_begin(j);
        }
        if (descriptor_paths(d) > 1)
            jw_str(j, canonical);
        free(canonical);
    }
    if (descriptor_paths(d) > 1)
        jw_arr_end(j);
    descriptor_checksum(sum, text, strcspn(text, "#"));
    jw_kv_str(j, "checksum", sum);
    jw_kv_bool(j, "isrange", descriptor_is_range(d));
    jw_kv_bool(j, "issolvable", descriptor_is_solvable(d));
    jw_kv_bool(j, "hasprivatekeys", descriptor_has_private(d));
    jw_obj_end(j);
    descriptor_free(d);
}

/* Writes the addresses of one position. Returns: how many, -1 with the error set. */
static int write_position(struct rpc_call *call, struct descriptor *d, size_t path, uint32_t position)
{
    struct descriptor_scripts scripts;
    int written = 0;

    if (!descriptor_expand(&scripts, NULL, d, path, position, false)) {
        rpc_error(call, RPC_INVALID_ADDRESS_OR_KEY, "Cannot derive script without private keys");
        return -1;
    }
    for (unsigned i = 0; i < scripts.n && written >= 0; i++) {
        const uint8_t *script = scripts.script[i].bytes;
        size_t len = scripts.script[i].len;
        struct script_solution s;
        char *address;
        if (script_solve(&s, script, len) == SCRIPT_PUBKEY && scripts.n > 1)
            continue; /* combo: the bare key has none */
        address = s.type == SCRIPT_PUBKEY ? NULL : address_encode(script, len, &call->host->params->address);
        if (address) {
            jw_str(&call->out, address);
            written++;
        } else {
            rpc_error(call, RPC_INVALID_ADDRESS_OR_KEY, "Descriptor does not have a corresponding address");
            written = -1;
        }
        free(address);
    }
    descriptor_scripts_clear(&scripts);
    return written;
}

static bool write_addresses(struct rpc_call *call, struct descriptor *d, size_t path, int64_t first, int64_t last)
{
    int64_t total = 0;

    jw_arr_begin(&call->out);
    for (int64_t i = first; i <= last; i++) {
        int n = write_position(call, d, path, (uint32_t)i);
        if (n < 0 || ((i & 0xff) == 0 && rpc_stopping(call)))
            return false;
        total += n;
    }
    jw_arr_end(&call->out);
    return total > 0 || rpc_error(call, RPC_MISC_ERROR, "Unexpected empty result");
}

static void deriveaddresses(struct rpc_call *call)
{
    int64_t first = 0, last = 0;
    struct descriptor *d;
    const char *text;
    bool ok = true;

    if (!rpc_text(call, &text, 0, "") || (rpc_has(call, 1) && !rpc_range_of(call, &first, &last, rpc_arg(call, 1))))
        return;
    d = rpc_descriptor(call, text, true);
    if (!d)
        return;
    if (!descriptor_is_range(d) && rpc_has(call, 1))
        ok = rpc_error(call, RPC_INVALID_PARAMETER, "Range should not be specified for an un-ranged descriptor");
    else if (descriptor_is_range(d) && !rpc_has(call, 1))
        ok = rpc_error(call, RPC_INVALID_PARAMETER, "Range must be specified for a ranged descriptor");
    if (ok && descriptor_paths(d) > 1)
        jw_arr_begin(&call->out);
    for (size_t i = 0; ok && i < descriptor_paths(d); i++)
        ok = write_addresses(call, d, i, first, last);
    if (ok && descriptor_paths(d) > 1)
        jw_arr_end(&call->out);
    descriptor_free(d);
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
