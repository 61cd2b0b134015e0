/* openrpc.c - the OpenRPC document: every command with JSON Schemas of its parameters and results, as Bitcoin Core lays it out. Made from the
 * command tables and what is documented of them (doc.h); for getopenrpcinfo and rpc.discover. Any thread. */
#include <stdio.h>
#include <stdlib.h>

#include "rpc/doc.h"
#include "util/json_check.h"
#include "util/version.h"

static void jw_type(struct json_writer *j, const char *type)
{
    jw_kv_str(j, "type", type);
}

static void jw_one_type(struct json_writer *j, const char *type)
{
    jw_obj_begin(j);
    jw_type(j, type);
    jw_obj_end(j);
}

/* {"oneOf": [{"type": a}, {"type": b}]}, without the braces outside */
static void jw_either(struct json_writer *j, const char *a, const char *b)
{
    jw_key(j, "oneOf");
    jw_arr_begin(j);
    jw_one_type(j, a);
    jw_one_type(j, b);
    jw_arr_end(j);
}

static void jw_hex_type(struct json_writer *j)
{
    jw_type(j, "string");
    jw_kv_str(j, "pattern", "^[0-9a-fA-F]+$");
}

static void jw_fixed_items(struct json_writer *j, size_t n)
{
    jw_kv_bool(j, "additionalItems", false);
    jw_kv_uint(j, "minItems", n);
    jw_kv_uint(j, "maxItems", n);
}

/* A number, or a pair of them. */
static void jw_range(struct json_writer *j)
{
    jw_key(j, "oneOf");
    jw_arr_begin(j);
    jw_one_type(j, "number");
    jw_obj_begin(j);
    jw_type(j, "array");
    jw_key(j, "items");
    jw_arr_begin(j);
    jw_one_type(j, "number");
    jw_one_type(j, "number");
    jw_arr_end(j);
    jw_fixed_items(j, 2);
    jw_obj_end(j);
    jw_arr_end(j);
}

static void jw_default(struct json_writer *j, const char *dflt)
{
    if (!dflt)
        return;
    if (json_check(dflt, strlen(dflt))) {
        jw_key(j, "default");
        jw_raw(j, dflt, strlen(dflt));
    } else {
        jw_kv_str(j, "x-bitcoin-default-hint", dflt);
    }
}

/* Arguments and results differ in little. */
struct side {
    bool result;
    bool lax; /* inside of an argument whose type is not checked */
};

static void jw_schema(struct json_writer *j, const struct rpc_value *v, struct side side, const char *description);

static void jw_items(struct json_writer *j, const struct rpc_value *first, struct side side)
{
    struct json_writer one = JSON_WRITER_INIT, before = JSON_WRITER_INIT;

    jw_key(j, "items");
    if (first && !first->next) {
        jw_schema(j, first, side, NULL);
        return;
    }
    jw_obj_begin(j);
    if (!first) {
        jw_obj_end(j);
        return;
    }
    jw_key(j, side.lax ? "anyOf" : "oneOf");
    jw_arr_begin(j);
    for (const struct rpc_value *v = first; v; v = v->next) { /* kinds that look the same stand there once */
        one.w.len = 0;
        one.comma = false;
        jw_schema(&one, v, side, NULL);
        if (one.w.len == before.w.len && memcmp(one.w.data, before.w.data, one.w.len) == 0)
            continue;
        jw_raw(j, one.w.data, one.w.len);
        before.w.len = 0;
        write_bytes(&before.w, one.w.data, one.w.len);
    }
    jw_arr_end(j);
    jw_obj_end(j);
    jw_clear(&one);
    jw_clear(&before);
}

static void jw_array(struct json_writer *j, const struct rpc_value *v, struct side side)
{
    size_t n = 0;

    jw_type(j, "array");
    if (v->shape == SHAPE_ARR) {
        jw_items(j, v->inner, side);
        return;
    }
    jw_key(j, "items");
    jw_arr_begin(j);
    for (const struct rpc_value *i = v->inner; i; i = i->next, n++)
        jw_schema(j, i, side, NULL);
    jw_arr_end(j);
    jw_fixed_items(j, n);
}

static void jw_object(struct json_writer *j, const struct rpc_value *v, struct side side)
{
    bool required = false;

    jw_type(j, "object");
    if (v->shape == SHAPE_OBJ_KEYS) {
        jw_key(j, "additionalProperties");
        jw_schema(j, v->inner, side, NULL);
        if (!side.result && *v->inner->text)
            jw_kv_str(j, "description", v->inner->text);
        return;
    }
    jw_key(j, "properties");
    jw_obj_begin(j);
    for (const struct rpc_value *i = v->inner; i; i = i->next) {
        jw_key(j, i->name);
        jw_schema(j, i, side, i->text);
        required |= !i->optional;
    }
    jw_obj_end(j);
    jw_kv_bool(j, "additionalProperties", false);
    if (!required)
        return;
    jw_key(j, "required");
    jw_arr_begin(j);
    for (const struct rpc_value *i = v->inner; i; i = i->next) {
        if (!i->optional)
            jw_str(j, i->name);
    }
    jw_arr_end(j);
}

/* What is not checked may be something else instead: false for an object, an object for an array of arguments. */
static bool jw_unchecked(struct json_writer *j, const struct rpc_value *v, struct side side)
{
    struct rpc_value as_written = *v;

    as_written.unchecked = false;
    as_written.dflt = NULL;
    side.lax |= !side.result;
    if (!v->unchecked || (side.result && (v->shape != SHAPE_OBJ || !*v->name)))
        return false;
    jw_key(j, "oneOf");
    jw_arr_begin(j);
    jw_schema(j, &as_written, side, NULL);
    if (side.result) {
        jw_obj_begin(j);
        jw_kv_bool(j, "const", false);
        jw_obj_end(j);
    } else {
        jw_one_type(j, "object");
    }
    jw_arr_end(j);
    return true;
}

static void jw_simple(struct json_writer *j, const struct rpc_value *v, struct side side)
{
    switch (v->shape) {
    case SHAPE_STR:
        jw_type(j, "string");
        break;
    case SHAPE_HEX:
        jw_hex_type(j);
        break;
    case SHAPE_BOOL:
        jw_type(j, "boolean");
        break;
    case SHAPE_NULL:
        jw_type(j, "null");
        break;
    case SHAPE_NUM_OR_STR:
        jw_either(j, "integer", "string");
        break;
    case SHAPE_RANGE:
        jw_range(j);
        break;
    case SHAPE_ANY:
        break;
    case SHAPE_AMOUNT:
        if (!side.result) {
            jw_either(j, "number", "string");
            break;
        }
        jw_type(j, "number");
        jw_kv_str(j, "x-bitcoin-unit", "amount");
        break;
    default:
        jw_type(j, "number");
        if (v->shape == SHAPE_TIME)
            jw_kv_str(j, "x-bitcoin-unit", "unix-time");
    }
}

static void jw_schema(struct json_writer *j, const struct rpc_value *v, struct side side, const char *description)
{
    jw_obj_begin(j);
    if (!jw_unchecked(j, v, side)) {
        if (v->shape == SHAPE_OBJ || v->shape == SHAPE_OBJ_KEYS)
            jw_object(j, v, side);
        else if (v->shape == SHAPE_ARR || v->shape == SHAPE_ARR_FIXED)
            jw_array(j, v, side);
        else
            jw_simple(j, v, side);
    }
    jw_default(j, v->dflt);
    if (description && *description)
        jw_kv_str(j, "description", description);
    jw_obj_end(j);
}

/* ---- parameters ---- */

static size_t first_name(const char *names)
{
    return strcspn(names, "|");
}

/* The parameter as a value: what is documented of its inside, or by its type. */
static struct rpc_value value_of(const struct rpc_param *p, const struct rpc_value *args)
{
    static const enum rpc_shape shapes[] = {SHAPE_STR,    SHAPE_HEX, SHAPE_NUM, SHAPE_BOOL,
                                            SHAPE_AMOUNT, SHAPE_OBJ, SHAPE_ARR, SHAPE_OBJ};
    struct rpc_value v = {
        .shape = p->flags & RPC_ANY_TYPE ? SHAPE_ANY : shapes[p->type], .name = "", .text = p->help ? p->help : ""};
    size_t n = first_name(p->names);

    for (const struct rpc_value *a = args; a; a = a->next) {
        if (strlen(a->name) == n && memcmp(a->name, p->names, n) == 0)
            v = *a;
    }
    v.text = p->help ? p->help : "";
    v.dflt = p->dflt;
    v.next = NULL;
    return v;
}

/* An options object: its members are the parameters in front of it that are given by name. */
static void jw_options(struct json_writer *j, const struct rpc_command *c, const struct rpc_param *options,
                       const struct rpc_value *args, bool hidden)
{
    jw_obj_begin(j);
    jw_type(j, "object");
    jw_key(j, "properties");
    jw_obj_begin(j);
    for (const struct rpc_param *p = c->params; p < options; p++) {
        struct rpc_value v = value_of(p, args);
        char name[64];
        if (!(p->flags & RPC_OPTION) || (!hidden && (p->flags & RPC_HIDDEN)))
            continue;
        snprintf(name, sizeof(name), "%.*s", (int)first_name(p->names), p->names);
        jw_key(j, name);
        jw_schema(j, &v, (struct side){false, false}, v.text);
    }
    jw_obj_end(j);
    jw_kv_bool(j, "additionalProperties", false);
    jw_default(j, options->dflt);
    jw_obj_end(j);
}

static void jw_aliases(struct json_writer *j, const char *names)
{
    names += first_name(names);
    if (!*names)
        return;
    jw_key(j, "x-bitcoin-aliases");
    jw_arr_begin(j);
    while (*names++) {
        jw_str_len(j, names, first_name(names));
        names += first_name(names);
    }
    jw_arr_end(j);
}

static void jw_params(struct json_writer *j, const struct rpc_command *c, const struct rpc_value *args, bool hidden)
{
    jw_arr_begin(j);
    for (const struct rpc_param *p = c->params; p && p->names; p++) {
        struct rpc_value v = value_of(p, args);
        if ((p->flags & RPC_OPTION) || (!hidden && (p->flags & RPC_HIDDEN)))
            continue;
        jw_obj_begin(j);
        jw_key(j, "name");
        jw_str_len(j, p->names, first_name(p->names));
        jw_kv_bool(j, "required", p->flags & RPC_REQUIRED);
        jw_key(j, "schema");
        if (p->type == RPC_OPTIONS)
            jw_options(j, c, p, args, hidden);
        else
            jw_schema(j, &v, (struct side){false, false}, NULL);
        jw_aliases(j, p->names);
        if (strcmp(p->names, "dummy") == 0)
            jw_kv_bool(j, "x-bitcoin-placeholder", true);
        if (*v.text)
            jw_kv_str(j, "description", v.text);
        jw_obj_end(j);
    }
    jw_arr_end(j);
}

/* ---- commands ---- */

static void jw_result(struct json_writer *j, const struct rpc_value *results)
{
    const struct rpc_value *only = NULL;
    unsigned n = 0;

    for (const struct rpc_value *v = results; v; v = v->next) {
        only = v->shape != SHAPE_ANY ? v : only;
        n += v->shape != SHAPE_ANY;
    }
    if (n == 1) {
        jw_schema(j, only, (struct side){true, false}, only->when);
        return;
    }
    jw_obj_begin(j);
    if (n > 1) {
        jw_key(j, "oneOf");
        jw_arr_begin(j);
        for (const struct rpc_value *v = results; v; v = v->next) {
            if (v->shape != SHAPE_ANY)
                jw_schema(j, v, (struct side){true, false}, v->when);
        }
        jw_arr_end(j);
    }
    jw_obj_end(j);
}

static void jw_trimmed(struct json_writer *j, const char *text)
{
    size_t len = strlen(text);

    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == ' '))
        len--;
    jw_str_len(j, text, len);
}

static void jw_method(struct json_writer *j, const struct rpc_command *c, bool hidden)
{
    const struct rpc_doc *doc = rpc_doc_of(c->name);
    struct arena a = ARENA_INIT;

    jw_obj_begin(j);
    jw_kv_str(j, "name", c->name);
    jw_key(j, "description");
    jw_trimmed(j, c->help);
    jw_key(j, "params");
    jw_params(j, c, rpc_doc_read(&a, doc ? doc->args : NULL), hidden);
    jw_key(j, "result");
    jw_obj_begin(j);
    jw_kv_str(j, "name", "result");
    jw_key(j, "schema");
    jw_result(j, rpc_doc_read(&a, doc ? doc->results : NULL));
    jw_obj_end(j);
    jw_kv_str(j, "x-bitcoin-category", c->category);
    jw_obj_end(j);
    arena_clear(&a);
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const struct rpc_command *const *)a)->name, (*(const struct rpc_command *const *)b)->name);
}

void jw_openrpc(struct json_writer *j, bool hidden)
{
    const struct rpc_command *list[RPC_COMMANDS_MAX];
    size_t n = 0;

    for (const struct rpc_command *const *t = rpc_tables; *t; t++) {
        for (const struct rpc_command *c = *t; c->name && n < ARRAY_LEN(list); c++) {
            if (hidden || strcmp(c->category, "hidden") != 0)
                list[n++] = c;
        }
    }
    qsort(list, n, sizeof(list[0]), by_name);
    jw_obj_begin(j);
    jw_kv_str(j, "openrpc", "1.4.1");
    jw_key(j, "info");
    jw_obj_begin(j);
    jw_kv_str(j, "title", "Farthing JSON-RPC");
    jw_kv_str(j, "version", "v" FARTHING_VERSION);
    jw_kv_str(j, "description", "Made from the tables of Farthing's RPC commands.");
    jw_obj_end(j);
    jw_key(j, "methods");
    jw_arr_begin(j);
    for (size_t i = 0; i < n; i++)
        jw_method(j, list[i], hidden);
    jw_arr_end(j);
    jw_obj_end(j);
}
