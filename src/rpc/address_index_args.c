/* address_index_args.c - reads what the commands of -addressindex are asked: addresses, scripts in hex, descriptors and extended keys, alone or in a
 * list, or in the form of other nodes, and the bounds of the answer. Pool threads. */
#include <stdlib.h>
#include <string.h>

#include "rpc/address_index_priv.h"
#include "rpc/scan_objects.h"

#define SCRIPT_MAX 10000

static bool add_target(struct address_query *q, const uint8_t *script, size_t len)
{
    struct target *t;

    if (q->n_targets == ADDRESS_TARGETS_MAX)
        return rpc_error(q->call, RPC_INVALID_PARAMETER, "More than %d scripts are asked for", ADDRESS_TARGETS_MAX);
    if (q->n_targets == q->cap_targets) {
        q->cap_targets = q->cap_targets ? q->cap_targets * 2 : 8;
        q->target = xrealloc(q->target, q->cap_targets * sizeof(*q->target));
    }
    t = &q->target[q->n_targets++];
    t->hash = script_hash_of(script, len);
    t->script = xmemdup(script, len);
    t->len = len;
    return true;
}

/* A descriptor, with a range or without. */
static bool add_descriptor(struct address_query *q, const char *text, struct json_object *range)
{
    struct json_object *o = json_object_new_object();
    struct scan_list list = {0};
    bool ok;

    json_object_object_add(o, "desc", json_object_new_string(text));
    if (range)
        json_object_object_add(o, "range", json_object_get(range));
    ok = rpc_scan_object(q->call, o, &list, false, NULL, false);
    for (size_t i = 0; i < list.n && ok; i++)
        ok = add_target(q, list.items[i].script, list.items[i].len);
    scan_list_clear(&list);
    json_object_put(o);
    return ok;
}

/* An extended key alone: receiving and change addresses of all usual kinds (BIP44, BIP49, BIP84, BIP86). */
static bool add_extended_key(struct address_query *q, const char *key, struct json_object *range)
{
    static const char *const kinds[][2] = {{"pkh(", ")"}, {"sh(wpkh(", "))"}, {"wpkh(", ")"}, {"tr(", ")"}};
    bool ok = true;

    for (size_t i = 0; i < ARRAY_LEN(kinds) && ok; i++) {
        char *text = xasprintf("%s%s/<0;1>/*%s", kinds[i][0], key, kinds[i][1]);

        ok = add_descriptor(q, text, range);
        free(text);
    }
    return ok;
}

static bool is_extended_key(const char *text)
{
    return strlen(text) > 100 && strncmp(text + 1, "pub", 3) == 0;
}

static bool add_hex(struct address_query *q, const char *text)
{
    size_t len = strlen(text);
    uint8_t script[SCRIPT_MAX];

    if (len == 0 || len % 2 || len / 2 > SCRIPT_MAX || !hex_decode(script, len / 2, text))
        return rpc_error(q->call, RPC_INVALID_ADDRESS_OR_KEY,
                         "Neither an address nor a script, a descriptor or an extended key: %.100s", text);
    return add_target(q, script, len / 2);
}

static bool add_text(struct address_query *q, const char *text, struct json_object *range)
{
    uint8_t script[ADDRESS_SCRIPT_MAX];
    size_t len;

    if (strchr(text, '('))
        return add_descriptor(q, text, range);
    if (is_extended_key(text))
        return add_extended_key(q, text, range);
    if (address_decode(script, &len, NULL, text, &q->call->host->params->address))
        return add_target(q, script, len);
    return add_hex(q, text);
}

static bool add_object(struct address_query *q, struct json_object *o)
{
    struct json_object *desc;

    if (json_object_is_type(o, json_type_string))
        return add_text(q, json_object_get_string(o), NULL);
    if (!json_object_is_type(o, json_type_object))
        return rpc_error(q->call, RPC_TYPE_ERROR, "Expected an address, a script, a descriptor or an extended key, got %s",
                         rpc_type_name(o));
    desc = rpc_member(o, "desc");
    if (!desc)
        return rpc_error(q->call, RPC_INVALID_PARAMETER, "An object needs to have a \"desc\"");
    return rpc_want(q->call, desc, RPC_STR) && add_text(q, json_object_get_string(desc), rpc_member(o, "range"));
}

static bool add_list(struct address_query *q, struct json_object *list)
{
    if (json_object_array_length(list) == 0)
        return rpc_error(q->call, RPC_INVALID_PARAMETER, "No address is given");
    for (size_t i = 0; i < json_object_array_length(list); i++)
        if (!add_object(q, json_object_array_get_idx(list, i)))
            return false;
    return true;
}

static int by_hash(const void *a, const void *b)
{
    return memcmp(((const struct target *)a)->hash.bytes, ((const struct target *)b)->hash.bytes, 32);
}

/* A script that is named twice is counted once. */
static void drop_repeats(struct address_query *q)
{
    size_t n = 0;

    qsort(q->target, q->n_targets, sizeof(*q->target), by_hash);
    for (size_t i = 0; i < q->n_targets; i++) {
        if (n && by_hash(&q->target[n - 1], &q->target[i]) == 0)
            free(q->target[i].script);
        else
            q->target[n++] = q->target[i];
    }
    q->n_targets = n;
}

/* ---- bounds ---- */

static bool read_cursor(struct address_query *q, const char *text)
{
    long long height;
    unsigned long pos;
    char *end;

    height = strtoll(text, &end, 10);
    if (end == text || *end != ':' || height < 0 || height > INT32_MAX)
        return rpc_error(q->call, RPC_INVALID_PARAMETER, "A cursor is what \"next\" of an answer says");
    text = end + 1;
    pos = strtoul(text, &end, 10);
    if (end == text || *end || pos > UINT16_MAX)
        return rpc_error(q->call, RPC_INVALID_PARAMETER, "A cursor is what \"next\" of an answer says");
    q->from = (struct address_place){(int32_t)height, (uint32_t)pos};
    return true;
}

/* Time and id of a transaction. */
static bool read_pool_cursor(struct address_query *q, const char *text)
{
    long long when;
    char *end;

    when = strtoll(text, &end, 10);
    if (end == text || *end != ':' || when < 0 || !hash_from_hex(q->pool_from.txid.b, end + 1))
        return rpc_error(q->call, RPC_INVALID_PARAMETER, "A cursor is what \"next\" of an answer says");
    q->pool_from.time = when;
    return true;
}

static bool read_number(struct address_query *q, int64_t *out, struct json_object *v, int64_t hi, const char *name)
{
    if (!rpc_int_of(q->call, out, v, INT32_MIN, INT32_MAX))
        return false;
    if (*out < 0 || *out > hi)
        return rpc_error(q->call, RPC_INVALID_PARAMETER, "%s must be from 0 to %lld", name, (long long)hi);
    return true;
}

static bool read_bound(struct address_query *q, const char *key, struct json_object *v)
{
    int64_t n;

    if (!v)
        return true;
    if (strcmp(key, "chainInfo") == 0) {
        if (!rpc_want(q->call, v, RPC_BOOL))
            return false;
        q->chain_info = json_object_get_boolean(v);
        return true;
    }
    if (strcmp(key, "cursor") == 0) {
        q->paged = true;
        return rpc_want(q->call, v, RPC_STR) && (q->pool ? read_pool_cursor : read_cursor)(q, json_object_get_string(v));
    }
    if (!read_number(q, &n, v, strcmp(key, "limit") == 0 ? ADDRESS_ROWS_MAX : INT32_MAX, key))
        return false;
    if (strcmp(key, "limit") == 0) {
        if (n == 0)
            return rpc_error(q->call, RPC_INVALID_PARAMETER, "limit must be over 0");
        q->limit = (size_t)n;
        q->paged = true;
    } else if (strcmp(key, "start") == 0) {
        q->start = (int32_t)n;
    } else {
        q->end = (int32_t)n;
    }
    return true;
}

/* Does the command take this option? Other nodes' form has one more. */
static bool is_bound(const struct address_query *q, const char *key, bool old_form)
{
    if (old_form && strcmp(key, "chainInfo") == 0)
        return true;
    for (const struct rpc_param *p = q->call->command->params; p->names; p++)
        if (p->flags & RPC_OPTION && strcmp(p->names, key) == 0)
            return true;
    return false;
}

static bool read_bounds(struct address_query *q, struct json_object *o, bool old_form)
{
    if (!json_object_is_type(o, json_type_object))
        return rpc_error(q->call, RPC_TYPE_ERROR, "JSON value of type %s is not of expected type object", rpc_type_name(o));
    json_object_object_foreach(o, key, value)
    {
        if (old_form && strcmp(key, "addresses") == 0)
            continue;
        if (!is_bound(q, key, old_form))
            return rpc_error(q->call, RPC_INVALID_PARAMETER, "Unexpected key %s", key);
        if (!read_bound(q, key, value))
            return false;
    }
    /* Other nodes take a range of heights only as a whole, and from 1 on; either end alone is as clear. */
    if (q->end >= 0 && q->end < q->start)
        return rpc_error(q->call, RPC_INVALID_PARAMETER, "End value is expected to be greater than start");
    if (q->from.height < q->start)
        q->from = (struct address_place){q->start, 0};
    return true;
}

static bool read_scripts(struct address_query *q, struct json_object *v)
{
    struct json_object *list;

    if (json_object_is_type(v, json_type_array))
        return add_list(q, v);
    if (!json_object_is_type(v, json_type_object) || !(list = rpc_member(v, "addresses")))
        return add_object(q, v);
    q->old_form = true;
    q->limit = ADDRESS_ROWS_MAX;
    return rpc_want(q->call, list, RPC_ARR) && add_list(q, list) && read_bounds(q, v, true);
}

static bool read_query(struct address_query *q)
{
    struct json_object *options = rpc_arg(q->call, 1);

    q->end = -1;
    q->limit = ADDRESS_ROWS_DEFAULT;
    if (!read_scripts(q, rpc_arg(q->call, 0)) || (options && !read_bounds(q, options, false)))
        return false;
    drop_repeats(q);
    return true;
}

bool address_query_read(struct address_query *q, struct rpc_call *call)
{
    *q = (struct address_query){.call = call};
    return read_query(q);
}

bool address_query_read_pool(struct address_query *q, struct rpc_call *call)
{
    *q = (struct address_query){.call = call, .pool = true};
    return read_query(q);
}

bool address_query_is_bare(const struct address_query *q)
{
    return q->old_form && !q->chain_info && !q->paged;
}

void address_query_clear(struct address_query *q)
{
    for (size_t i = 0; i < q->n_targets; i++)
        free(q->target[i].script);
    free(q->target);
    address_view_close(q->view);
}
