/* params.c - reading of a call's parameters, with Bitcoin Core's errors for what does not fit. Called by handlers, any thread. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "primitives/tx.h"
#include "rpc/priv.h"
#include "script/script.h"

bool rpc_error(struct rpc_call *call, int code, const char *fmt, ...)
{
    va_list ap;

    if (call->code)
        return false;
    call->code = code;
    va_start(ap, fmt);
    if (vasprintf(&call->message, fmt, ap) < 0)
        call->message = xstrdup("out of memory");
    va_end(ap);
    return false;
}

bool rpc_error_usage(struct rpc_call *call, int code)
{
    char *text = rpc_help_text(call->command);

    rpc_error(call, code, "%s", text);
    free(text);
    return false;
}

struct json_object *rpc_arg(const struct rpc_call *call, size_t i)
{
    return i < json_object_array_length(call->params) ? json_object_array_get_idx(call->params, i) : NULL;
}

bool rpc_has(const struct rpc_call *call, size_t i)
{
    return rpc_arg(call, i) != NULL;
}

struct json_object *rpc_member(struct json_object *o, const char *key)
{
    struct json_object *v = NULL;

    json_object_object_get_ex(o, key, &v);
    return v;
}

const char *rpc_type_name(const struct json_object *v)
{
    switch (json_object_get_type(v)) {
    case json_type_null:
        return "null";
    case json_type_boolean:
        return "bool";
    case json_type_object:
        return "object";
    case json_type_array:
        return "array";
    case json_type_string:
        return "string";
    default:
        return "number";
    }
}

bool rpc_want(struct rpc_call *call, const struct json_object *v, enum rpc_type type)
{
    static const char *const names[] = {"string", "string", "number", "bool", NULL, "object", "array", "object"};
    const char *is = rpc_type_name(v);

    if (!names[type] || strcmp(is, names[type]) == 0)
        return true;
    return rpc_error(call, RPC_TYPE_ERROR, "JSON value of type %s is not of expected type %s", is, names[type]);
}

bool rpc_int_of(struct rpc_call *call, int64_t *out, struct json_object *v, int64_t lo, int64_t hi)
{
    char *end;

    *out = 0;
    if (!rpc_want(call, v, RPC_NUM))
        return false;
    errno = 0;
    *out = strtoll(json_object_get_string(v), &end, 10);
    if (errno || *end || *out < lo || *out > hi)
        return rpc_error(call, RPC_MISC_ERROR, "JSON integer out of range");
    return true;
}

bool rpc_int(struct rpc_call *call, int64_t *out, size_t i, int64_t dflt)
{
    *out = dflt;
    return !rpc_has(call, i) || rpc_int_of(call, out, rpc_arg(call, i), INT32_MIN, INT32_MAX);
}

bool rpc_int64(struct rpc_call *call, int64_t *out, size_t i, int64_t dflt)
{
    *out = dflt;
    return !rpc_has(call, i) || rpc_int_of(call, out, rpc_arg(call, i), INT64_MIN, INT64_MAX);
}

bool rpc_flag(struct rpc_call *call, bool *out, size_t i, bool dflt)
{
    *out = dflt;
    if (!rpc_has(call, i))
        return true;
    if (!rpc_want(call, rpc_arg(call, i), RPC_BOOL))
        return false;
    *out = json_object_get_boolean(rpc_arg(call, i));
    return true;
}

bool rpc_text(struct rpc_call *call, const char **out, size_t i, const char *dflt)
{
    *out = dflt;
    if (!rpc_has(call, i))
        return true;
    if (!rpc_want(call, rpc_arg(call, i), RPC_STR))
        return false;
    *out = json_object_get_string(rpc_arg(call, i));
    return true;
}

bool rpc_hash_of(struct rpc_call *call, uint8_t out[32], struct json_object *v, const char *name)
{
    const char *text;

    memset(out, 0, 32);
    if (!rpc_want(call, v, RPC_STR))
        return false;
    text = json_object_get_string(v);
    if (hash_from_hex(out, text))
        return true;
    if (strlen(text) != 64)
        return rpc_error(call, RPC_INVALID_PARAMETER, "%s must be of length 64 (not %zu, for '%s')", name, strlen(text), text);
    return rpc_error(call, RPC_INVALID_PARAMETER, "%s must be hexadecimal string (not '%s')", name, text);
}

bool rpc_hash(struct rpc_call *call, uint8_t out[32], size_t i, const char *name)
{
    return rpc_hash_of(call, out, rpc_arg(call, i), name);
}

bool rpc_bytes_of(struct rpc_call *call, uint8_t **out, size_t *len, struct json_object *v, const char *name)
{
    const char *text = json_object_is_type(v, json_type_string) ? json_object_get_string(v) : "";

    *out = NULL;
    if (!*text || !hex_is_valid(text))
        return rpc_error(call, RPC_INVALID_PARAMETER, "%s must be hexadecimal string (not '%s')", name, text);
    *len = strlen(text) / 2;
    *out = xmalloc(*len);
    hex_decode(*out, *len, text);
    return true;
}

/* A decimal number as JSON writes it: its digits without leading and trailing zeroes, and the power of ten of the last one. */
struct decimal {
    bool negative;
    int64_t mantissa;
    int64_t exponent;
};

static bool add_digit(struct decimal *d, unsigned *zeros, char c)
{
    if (c == '0') {
        ++*zeros;
        return true;
    }
    for (unsigned i = 0; i <= *zeros; i++) {
        if (d->mantissa > 1000000000000000000LL / 10)
            return false;
        d->mantissa *= 10;
    }
    d->mantissa += c - '0';
    *zeros = 0;
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool read_exponent(const char **text, int64_t *out)
{
    const char *s = *text;
    bool negative = *s == '-';
    int64_t e = 0;

    if (*s == '-' || *s == '+')
        s++;
    if (!is_digit(*s))
        return false;
    for (; is_digit(*s); s++) {
        if (e > INT64_MAX / 20)
            return false;
        e = e * 10 + (*s - '0');
    }
    *out = negative ? -e : e;
    *text = s;
    return true;
}

static bool read_decimal(struct decimal *d, const char *s)
{
    unsigned zeros = 0;
    int64_t places = 0, e = 0;

    memset(d, 0, sizeof(*d));
    d->negative = *s == '-';
    if (*s == '-')
        s++;
    if (!is_digit(*s) || (*s == '0' && is_digit(s[1])))
        return false;
    for (; is_digit(*s); s++) {
        if (!add_digit(d, &zeros, *s))
            return false;
    }
    if (*s == '.') {
        s++;
        if (!is_digit(*s))
            return false;
        for (; is_digit(*s); s++, places++) {
            if (!add_digit(d, &zeros, *s))
                return false;
        }
    }
    if (*s == 'e' || *s == 'E') {
        s++;
        if (!read_exponent(&s, &e))
            return false;
    }
    d->exponent = e - places + zeros;
    return *s == 0;
}

bool parse_fixed_point(int64_t *out, const char *text, unsigned decimals)
{
    struct decimal d;
    int64_t e;

    if (!read_decimal(&d, text))
        return false;
    e = d.exponent + decimals;
    if (e < 0 || e >= 18)
        return false;
    for (; e > 0; e--) {
        if (d.mantissa > 1000000000000000000LL / 10)
            return false;
        d.mantissa *= 10;
    }
    if (d.mantissa >= 1000000000000000000LL)
        return false;
    *out = d.negative ? -d.mantissa : d.mantissa;
    return true;
}

bool rpc_amount_of(struct rpc_call *call, int64_t *out, struct json_object *v)
{
    const char *type = rpc_type_name(v);

    *out = 0;
    if (strcmp(type, "number") != 0 && strcmp(type, "string") != 0)
        return rpc_error(call, RPC_TYPE_ERROR, "Amount is not a number or string");
    if (!parse_fixed_point(out, json_object_get_string(v), 8))
        return rpc_error(call, RPC_TYPE_ERROR, "Invalid amount");
    if (!money_in_range(*out))
        return rpc_error(call, RPC_TYPE_ERROR, "Amount out of range");
    return true;
}

bool rpc_fee_rate(struct rpc_call *call, int64_t *out, size_t i, int64_t dflt)
{
    *out = dflt;
    if (!rpc_has(call, i))
        return true;
    if (!rpc_amount_of(call, out, rpc_arg(call, i)))
        return false;
    if (*out >= COIN)
        return rpc_error(call, RPC_INVALID_PARAMETER, "Fee rates larger than or equal to 1BTC/kvB are not accepted");
    return true;
}

bool rpc_verbosity(struct rpc_call *call, int *out, size_t i, int dflt, bool allow_bool)
{
    struct json_object *v = rpc_arg(call, i);
    int64_t n;

    *out = dflt;
    if (!v)
        return true;
    if (json_object_is_type(v, json_type_boolean)) {
        if (!allow_bool)
            return rpc_error(call, RPC_TYPE_ERROR, "Verbosity was boolean but only integer allowed");
        *out = json_object_get_boolean(v);
        return true;
    }
    if (!rpc_int_of(call, &n, v, INT32_MIN, INT32_MAX))
        return false;
    *out = (int)n;
    return true;
}

static bool script_looks_sane(const uint8_t *script, size_t script_len)
{
    const uint8_t *pos = script, *end = script + script_len, *data;
    uint8_t op;
    size_t len;

    if (script_len == 0)
        return true;
    while (script_next(&pos, end, &op, &data, &len)) {
        if (op > 0xba || len > MAX_SCRIPT_ELEMENT_SIZE)
            return false;
    }
    return pos == end;
}

/* Are all scripts of a decoded transaction plausible? Tells apart the two forms that the same bytes may have. */
static bool scripts_look_sane(const struct tx *tx)
{
    for (uint32_t i = 0; i < tx->n_in && !tx_is_coinbase(tx); i++)
        if (!script_looks_sane(tx->in[i].script, tx->in[i].script_len))
            return false;
    for (uint32_t i = 0; i < tx->n_out; i++)
        if (!script_looks_sane(tx->out[i].script, tx->out[i].script_len))
            return false;
    return true;
}

struct tx *rpc_decode_tx(const char *hex, bool try_legacy, bool try_witness)
{
    struct tx *extended = NULL, *legacy = NULL;
    size_t len = strlen(hex) / 2;
    uint8_t *data;

    if (!*hex)
        return NULL;
    data = xmalloc(len);
    if (!hex_decode(data, len, hex)) {
        free(data);
        return NULL;
    }
    if (try_witness)
        extended = tx_decode_as(data, len, true);
    if (try_legacy && !(extended && scripts_look_sane(extended)))
        legacy = tx_decode_as(data, len, false);
    free(data);
    if (extended && legacy && scripts_look_sane(legacy)) {
        tx_unref(extended);
        return legacy;
    }
    if (extended) {
        tx_unref(legacy);
        return extended;
    }
    return legacy;
}
