/* doc_check.c - holds answers against what is documented of them (-rpcdoccheck, a help for developers: tests run with it). Called once an
 * answer is written, on the thread that wrote it. */
#include <stdio.h>
#include <stdlib.h>

#include "rpc/doc.h"
#include "rpc/json_read.h"

/* Where in the answer: "tx[3].vout". */
struct path {
    char text[256];
    size_t len;
};

static size_t path_add(struct path *p, const char *fmt, const char *name, size_t index)
{
    size_t old = p->len;
    int n = snprintf(p->text + p->len, sizeof(p->text) - p->len, fmt, name, index);

    if (n > 0)
        p->len = p->len + (size_t)n < sizeof(p->text) ? p->len + (size_t)n : sizeof(p->text) - 1;
    return old;
}

static void path_cut(struct path *p, size_t len)
{
    p->len = len;
    p->text[len] = 0;
}

static const char *documented_type(enum rpc_shape s)
{
    switch (s) {
    case SHAPE_STR:
    case SHAPE_HEX:
        return "string";
    case SHAPE_NUM:
    case SHAPE_AMOUNT:
    case SHAPE_TIME:
        return "number";
    case SHAPE_BOOL:
        return "bool";
    case SHAPE_NULL:
        return "null";
    case SHAPE_OBJ:
    case SHAPE_OBJ_KEYS:
        return "object";
    case SHAPE_ARR:
    case SHAPE_ARR_FIXED:
        return "array";
    default:
        return NULL;
    }
}

static char *says(const struct path *p, const char *what)
{
    return xasprintf("%s: %s", p->len ? p->text : "the result", what);
}

static char *mismatch(struct path *p, const struct rpc_value *doc, struct json_object *v);

static const struct rpc_value *member_doc(const struct rpc_value *doc, const char *key)
{
    for (const struct rpc_value *d = doc->inner; d; d = d->next) {
        if (strcmp(d->name, key) == 0)
            return d;
    }
    return NULL;
}

static char *object_mismatch(struct path *p, const struct rpc_value *doc, struct json_object *o)
{
    const char *twice = json_duplicate_key(o);
    char *wrong = NULL;

    if (twice) {
        path_add(p, p->len ? ".%s" : "%s", twice, 0);
        return says(p, "returned twice");
    }
    json_object_object_foreach(o, key, v)
    {
        const struct rpc_value *d = doc->shape == SHAPE_OBJ_KEYS ? doc->inner : member_doc(doc, key);
        size_t at = path_add(p, p->len ? ".%s" : "%s", key, 0);
        wrong = d ? mismatch(p, d, v) : says(p, "returned, but not documented");
        if (wrong)
            return wrong;
        path_cut(p, at);
    }
    for (const struct rpc_value *d = doc->inner; d && doc->shape == SHAPE_OBJ; d = d->next) {
        if (!d->optional && !json_object_object_get_ex(o, d->name, NULL)) {
            path_add(p, p->len ? ".%s" : "%s", d->name, 0);
            return says(p, "missing, and not documented as optional");
        }
    }
    return NULL;
}

static char *array_mismatch(struct path *p, const struct rpc_value *doc, struct json_object *a)
{
    const struct rpc_value *d = doc->inner;

    for (size_t i = 0; i < json_object_array_length(a); i++) {
        size_t at = path_add(p, "%s[%zu]", "", i);
        char *wrong = NULL;
        if (!d)
            return says(p, "one more element than documented");
        if (doc->shape == SHAPE_ARR_FIXED)
            wrong = mismatch(p, d, json_object_array_get_idx(a, i));
        for (const struct rpc_value *kind = d; doc->shape == SHAPE_ARR && kind; kind = kind->next) {
            struct path here = *p;
            free(wrong);
            wrong = mismatch(&here, kind, json_object_array_get_idx(a, i));
            if (!wrong)
                break;
        }
        if (wrong)
            return wrong;
        path_cut(p, at);
        d = doc->shape == SHAPE_ARR_FIXED ? d->next : d;
    }
    return doc->shape == SHAPE_ARR_FIXED && d ? says(p, "fewer elements than documented") : NULL;
}

/* Returns: NULL if v is as documented, else what is wrong (to free). */
static char *mismatch(struct path *p, const struct rpc_value *doc, struct json_object *v)
{
    const char *type = documented_type(doc->shape);
    char *what, *text;

    if (doc->unchecked || !type)
        return NULL;
    if (strcmp(type, rpc_type_name(v)) != 0) {
        what = xasprintf("returned type is %s, but documented as %s", rpc_type_name(v), type);
        text = says(p, what);
        free(what);
        return text;
    }
    if (doc->shape == SHAPE_OBJ || doc->shape == SHAPE_OBJ_KEYS)
        return object_mismatch(p, doc, v);
    if (doc->shape == SHAPE_ARR || doc->shape == SHAPE_ARR_FIXED)
        return array_mismatch(p, doc, v);
    return NULL;
}

char *rpc_doc_mismatch(const struct rpc_value *results, struct json_object *result)
{
    char *all = NULL;

    for (const struct rpc_value *r = results; r; r = r->next) {
        struct path p = {.len = 0};
        char *one = mismatch(&p, r, result), *both;
        if (!one) {
            free(all);
            return NULL;
        }
        both = xasprintf("%s%s%s%s%s", all ? all : "", all ? "\n" : "", r->when, *r->when ? ": " : "", one);
        free(one);
        free(all);
        all = both;
    }
    return all ? all : xstrdup("no results are documented");
}

void rpc_doc_check(struct rpc_call *call)
{
    const struct rpc_doc *doc = rpc_doc_of(call->command->name);
    const char *text = (const char *)call->out.w.data + call->result_at;
    size_t len = call->out.w.len - call->result_at;
    struct json_object *result = NULL;
    struct arena a = ARENA_INIT;
    char *wrong;

    if (len == 0 || json_read(&result, text, len)) /* nothing is null */
        wrong = rpc_doc_mismatch(rpc_doc_read(&a, doc ? doc->results : NULL), result);
    else
        wrong = xstrdup("the result is not JSON, or too large to be looked at");
    if (wrong)
        rpc_error(call, RPC_MISC_ERROR, "Internal bug detected: RPC call \"%s\" returned incorrect type:\n%s", call->command->name,
                  wrong);
    free(wrong);
    json_object_put(result);
    arena_clear(&a);
}
