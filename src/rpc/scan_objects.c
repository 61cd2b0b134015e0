/* scan_objects.c - from scan objects to scripts. Called by the commands that look for scripts or make PSBTs; pool threads. */
#include "rpc/scan_objects.h"

#include <stdlib.h>

#define RANGE_DEFAULT 1000
#define RANGE_MAX 1000000

bool rpc_range_of(struct rpc_call *call, int64_t *first, int64_t *last, struct json_object *v)
{
    bool pair = json_object_is_type(v, json_type_array) && json_object_array_length(v) == 2;
    struct json_object *low = pair ? json_object_array_get_idx(v, 0) : NULL, *high = pair ? json_object_array_get_idx(v, 1) : v;

    *first = 0;
    if (strcmp(rpc_type_name(high), "number") != 0 || (low && strcmp(rpc_type_name(low), "number") != 0))
        return rpc_error(call, RPC_INVALID_PARAMETER, "Range must be specified as end or as [begin,end]");
    if ((low && !rpc_int_of(call, first, low, INT64_MIN, INT64_MAX)) || !rpc_int_of(call, last, high, INT64_MIN, INT64_MAX))
        return false;
    if (low && *first > *last)
        return rpc_error(call, RPC_INVALID_PARAMETER, "Range specified as [begin,end] must not have begin after end");
    if (*first < 0)
        return rpc_error(call, RPC_INVALID_PARAMETER, "Range should be greater or equal than 0");
    if (*last < 0 || *last > INT32_MAX)
        return rpc_error(call, RPC_INVALID_PARAMETER, "End of range is too high");
    if (*last >= *first + RANGE_MAX)
        return rpc_error(call, RPC_INVALID_PARAMETER, "Range is too large");
    return true;
}

struct descriptor *rpc_descriptor(struct rpc_call *call, const char *text, bool need_checksum)
{
    char *error;
    struct descriptor *d = descriptor_parse(text, call->host->params, need_checksum, &error);

    if (!d) {
        rpc_error(call, RPC_INVALID_ADDRESS_OR_KEY, "%s", error);
        free(error);
    }
    return d;
}

static void add_script(struct scan_list *list, const uint8_t *script, size_t len, char *desc_take)
{
    if (list->n == list->cap) {
        list->cap = list->cap ? 2 * list->cap : 16;
        list->items = xrealloc(list->items, list->cap * sizeof(*list->items));
    }
    list->items[list->n++] = (struct scan_script){xmemdup(len ? script : (const uint8_t *)"", len ? len : 1), len, desc_take};
}

/* What one call collects. */
struct gathering {
    struct rpc_call *call;
    struct scan_list *list;
    bool with_desc;
    struct keyring *ring;
    bool secrets;
};

static bool add_position(struct gathering *g, struct descriptor *d, size_t path, uint32_t position, const char *text)
{
    struct keyring here = {.n_keys = 0};
    struct descriptor_scripts scripts;

    if (!descriptor_expand(&scripts, &here, d, path, position, g->secrets)) {
        keyring_clear(&here);
        return rpc_error(g->call, RPC_INVALID_ADDRESS_OR_KEY, "Cannot derive script without private keys: '%s'", text);
    }
    for (unsigned i = 0; i < scripts.n && g->list; i++) {
        const uint8_t *script = scripts.script[i].bytes;
        size_t len = scripts.script[i].len;
        add_script(g->list, script, len,
                   g->with_desc ? descriptor_infer(script, len, &here, &g->call->host->params->address) : NULL);
    }
    if (g->ring)
        keyring_merge(g->ring, &here, g->secrets);
    descriptor_scripts_clear(&scripts);
    keyring_clear(&here);
    return true;
}

static bool add_descriptor(struct gathering *g, const char *text, int64_t first, int64_t last)
{
    struct descriptor *d = rpc_descriptor(g->call, text, false);
    bool ok = d != NULL;

    if (d && !descriptor_is_range(d))
        first = last = 0;
    for (int64_t i = first; ok && i <= last; i++) {
        for (size_t path = 0; ok && path < descriptor_paths(d); path++)
            ok = add_position(g, d, path, (uint32_t)i, text);
        if (ok && (i & 0xff) == 0 && rpc_stopping(g->call))
            ok = rpc_error(g->call, RPC_MISC_ERROR, "Shutting down");
    }
    descriptor_free(d);
    return ok;
}

bool rpc_scan_object(struct rpc_call *call, struct json_object *object, struct scan_list *list, bool with_desc,
                     struct keyring *ring, bool secrets)
{
    struct gathering g = {call, list, with_desc, ring, secrets};
    int64_t first = 0, last = RANGE_DEFAULT;
    struct json_object *desc, *range;

    if (json_object_is_type(object, json_type_string))
        return add_descriptor(&g, json_object_get_string(object), first, last);
    if (!json_object_is_type(object, json_type_object))
        return rpc_error(call, RPC_INVALID_PARAMETER, "Scan object needs to be either a string or an object");
    desc = rpc_member(object, "desc");
    range = rpc_member(object, "range");
    if (!desc)
        return rpc_error(call, RPC_INVALID_PARAMETER, "Descriptor needs to be provided in scan object");
    return rpc_want(call, desc, RPC_STR) && (!range || rpc_range_of(call, &first, &last, range)) &&
           add_descriptor(&g, json_object_get_string(desc), first, last);
}

bool rpc_scan_objects(struct rpc_call *call, struct json_object *objects, struct scan_list *list, bool with_desc)
{
    for (size_t i = 0; i < json_object_array_length(objects); i++) {
        if (!rpc_scan_object(call, json_object_array_get_idx(objects, i), list, with_desc, NULL, false))
            return false;
    }
    return true;
}

/* ---- looking up ---- */

static int script_order(const void *a, const void *b)
{
    const struct scan_script *x = a, *y = b;

    if (x->len != y->len)
        return x->len < y->len ? -1 : 1;
    return memcmp(x->script, y->script, x->len);
}

/* Merge sort, as equal scripts must keep their order. */
static void sort_stable(struct scan_script *items, size_t n)
{
    struct scan_script *spare = xmalloc((n + 1) * sizeof(*spare));

    for (size_t width = 1; width < n; width *= 2) {
        for (size_t start = 0; start < n; start += 2 * width) {
            size_t mid = start + width < n ? start + width : n, end = start + 2 * width < n ? start + 2 * width : n;
            size_t a = start, b = mid;
            for (size_t i = start; i < end; i++)
                spare[i] = a < mid && (b >= end || script_order(&items[a], &items[b]) <= 0) ? items[a++] : items[b++];
        }
        memcpy(items, spare, n * sizeof(*items));
    }
    free(spare);
}

static void script_clear(struct scan_script *s)
{
    free(s->script);
    free(s->desc);
}

void scan_list_sort(struct scan_list *list)
{
    size_t kept = 0;

    sort_stable(list->items, list->n);
    for (size_t i = 0; i < list->n; i++) {
        if (kept && script_order(&list->items[kept - 1], &list->items[i]) == 0)
            script_clear(&list->items[i]);
        else
            list->items[kept++] = list->items[i];
    }
    list->n = kept;
}

const struct scan_script *scan_list_find(const struct scan_list *list, const uint8_t *script, size_t len)
{
    struct scan_script key = {(uint8_t *)(uintptr_t)script, len, NULL};

    return list->n ? bsearch(&key, list->items, list->n, sizeof(key), script_order) : NULL;
}

void scan_list_clear(struct scan_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        script_clear(&list->items[i]);
    free(list->items);
    memset(list, 0, sizeof(*list));
}
