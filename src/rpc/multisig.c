/* multisig.c - createmultisig. Pure work on a pool thread. */
#include <stdlib.h>

#include "crypto/hash.h"
#include "crypto/keys.h"
#include "crypto/sha256.h"
#include "descriptor/descriptor.h"
#include "rpc/priv.h"
#include "script/script.h"

enum multisig_form { FORM_LEGACY, FORM_P2SH_SEGWIT, FORM_BECH32 };
struct multisig {
    int64_t required;
    uint8_t key[MAX_PUBKEYS_PER_MULTISIG][65];
    size_t key_len[MAX_PUBKEYS_PER_MULTISIG];
    size_t n;
    bool all_compressed;
    struct writer script;
    uint8_t output[34];
    size_t output_len;
};

static bool read_key(struct rpc_call *call, uint8_t out[65], size_t *len, struct json_object *v)
{
    const char *hex;

    if (!rpc_want(call, v, RPC_STR))
        return false;
    hex = json_object_get_string(v);
    if (!*hex || !hex_is_valid(hex))
        return rpc_error(call, RPC_INVALID_ADDRESS_OR_KEY, "Pubkey \"%s\" must be a hex string", hex);
    *len = strlen(hex) / 2;
    if (*len != 33 && *len != 65)
        return rpc_error(call, RPC_INVALID_ADDRESS_OR_KEY, "Pubkey \"%s\" must have a length of either 33 or 65 bytes", hex);
    hex_decode(out, *len, hex);
    if (!pubkey_is_valid(out, *len))
        return rpc_error(call, RPC_INVALID_ADDRESS_OR_KEY, "Pubkey \"%s\" must be cryptographically valid.", hex);
    return true;
}

/* All keys are looked at before their number is, as errors of keys come first. */
static bool read_keys(struct rpc_call *call, struct multisig *m, struct json_object *keys)
{
    uint8_t spare[65];
    size_t spare_len;

    m->all_compressed = true;
    m->n = json_object_array_length(keys);
    for (size_t i = 0; i < m->n; i++) {
        bool fits = i < MAX_PUBKEYS_PER_MULTISIG;
        if (!read_key(call, fits ? m->key[i] : spare, fits ? &m->key_len[i] : &spare_len, json_object_array_get_idx(keys, i)))
            return false;
        m->all_compressed &= (fits ? m->key_len[i] : spare_len) == 33;
    }
    return true;
}

static bool read_form(struct rpc_call *call, enum multisig_form *form)
{
    const char *text;

    if (!rpc_text(call, &text, 2, "legacy"))
        return false;
    if (strcmp(text, "legacy") == 0)
        *form = FORM_LEGACY;
    else if (strcmp(text, "p2sh-segwit") == 0)
        *form = FORM_P2SH_SEGWIT;
    else if (strcmp(text, "bech32") == 0)
        *form = FORM_BECH32;
    else if (strcmp(text, "bech32m") == 0)
        return rpc_error(call, RPC_INVALID_ADDRESS_OR_KEY, "createmultisig cannot create bech32m multisig addresses");
    else
        return rpc_error(call, RPC_INVALID_ADDRESS_OR_KEY, "Unknown address type '%s'", text);
    return true;
}

static bool check_counts(struct rpc_call *call, const struct multisig *m)
{
    if (m->required < 1)
        return rpc_error(call, RPC_INVALID_PARAMETER, "a multisignature address must require at least one key to redeem");
    if ((int64_t)m->n < m->required)
        return rpc_error(call, RPC_INVALID_PARAMETER, "not enough keys supplied (got %zu keys, but need at least %lld to redeem)",
                         m->n, (long long)m->required);
    if (m->n > MAX_PUBKEYS_PER_MULTISIG)
        return rpc_error(call, RPC_INVALID_PARAMETER,
                         "Number of keys involved in the multisignature address creation > %d\nReduce the number",
                         MAX_PUBKEYS_PER_MULTISIG);
    return true;
}

static void write_script(struct multisig *m)
{
    script_write_int(&m->script, m->required);
    for (size_t i = 0; i < m->n; i++)
        script_write_push(&m->script, m->key[i], m->key_len[i]);
    script_write_int(&m->script, (int64_t)m->n);
    write_u8(&m->script, OP_CHECKMULTISIG);
}

static void make_p2sh(uint8_t out[23], const uint8_t *script, size_t len)
{
    out[0] = OP_HASH160;
    out[1] = 20;
    hash160(out + 2, script, len);
    out[22] = OP_EQUAL;
}

static void make_output(struct multisig *m, enum multisig_form form)
{
    uint8_t program[34] = {OP_0, 32};

    m->output_len = 23;
    if (form == FORM_LEGACY) {
        make_p2sh(m->output, m->script.data, m->script.len);
        return;
    }
    sha256(program + 2, m->script.data, m->script.len);
    if (form == FORM_P2SH_SEGWIT) {
        make_p2sh(m->output, program, sizeof(program));
        return;
    }
    memcpy(m->output, program, sizeof(program));
    m->output_len = sizeof(program);
}

static void write_descriptor(struct rpc_call *call, const struct multisig *m, enum multisig_form form)
{
    static const char *const around[][2] = {{"sh(", ")"}, {"sh(wsh(", "))"}, {"wsh(", ")"}};
    struct writer w = WRITER_INIT;
    char *text, sum[9];

    for (size_t i = 0; i < m->n; i++) {
        write_u8(&w, ',');
        hex_encode((char *)writer_extend(&w, 2 * m->key_len[i] + 1), m->key[i], m->key_len[i]);
        w.len--;
    }
    text = xasprintf("%smulti(%lld%.*s)%s", around[form][0], (long long)m->required, (int)w.len, (const char *)w.data,
                     around[form][1]);
    descriptor_checksum(sum, text, strlen(text));
    writer_clear(&w);
    write_bytes(&w, text, strlen(text));
    write_u8(&w, '#');
    write_bytes(&w, sum, sizeof(sum));
    jw_kv_str(&call->out, "descriptor", (const char *)w.data);
    writer_clear(&w);
    free(text);
}

static void write_result(struct rpc_call *call, struct multisig *m, enum multisig_form form, bool changed)
{
    struct json_writer *j = &call->out;
    char *address;

    make_output(m, form);
    address = address_encode(m->output, m->output_len, &call->host->params->address);
    jw_obj_begin(j);
    jw_kv_str(j, "address", address ? address : "");
    jw_kv_hex(j, "redeemScript", m->script.data, m->script.len);
    write_descriptor(call, m, form);
    if (changed) {
        jw_key(j, "warnings");
        jw_arr_begin(j);
        jw_str(j, "Unable to make chosen address type, please ensure no uncompressed public keys are present.");
        jw_arr_end(j);
    }
    jw_obj_end(j);
    free(address);
}

static void createmultisig(struct rpc_call *call)
{
    struct multisig m = {.script = WRITER_INIT};
    enum multisig_form form, wanted = FORM_LEGACY;

    if (!rpc_int(call, &m.required, 0, 0) || !read_keys(call, &m, rpc_arg(call, 1)) || !read_form(call, &wanted) ||
        !check_counts(call, &m))
        return;
    form = m.all_compressed ? wanted : FORM_LEGACY; /* witness scripts take compressed keys only */
    write_script(&m);
    if (form == FORM_LEGACY && m.script.len > MAX_SCRIPT_ELEMENT_SIZE)
        rpc_error(call, RPC_INVALID_PARAMETER, "redeemScript exceeds size limit: %zu > %d", m.script.len, MAX_SCRIPT_ELEMENT_SIZE);
    else
        write_result(call, &m, form, form != wanted);
    writer_clear(&m.script);
}

const struct rpc_command rpc_multisig_commands[] = {
    {"util", "createmultisig", createmultisig,
     RPC_PARAMS({"nrequired", RPC_NUM, RPC_REQUIRED, NULL, "The number of required signatures out of the m keys.", NULL},
                {"keys", RPC_ARR, RPC_REQUIRED, NULL, "The hex-encoded public keys.", "[\"key\",...]"},
                {"address_type", RPC_STR, 0, "\"legacy\"",
                 "The address type to use. Options are \"legacy\", \"p2sh-segwit\", and \"bech32\".", NULL}),
     0,
     "Creates a multi-signature address with n signatures of m keys required.\n"
     "It returns a json object with the address and redeemScript.\n"},
    {NULL, NULL, NULL, NULL, 0, NULL}};
