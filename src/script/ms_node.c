/* ms_node.c - nodes of miniscripts and the questions to them. Called by the readers of both forms and by the satisfier; pure. Trees may be deep
 * (wrappers cost one byte each), so nothing here or in its callers recurses: what needs the whole tree goes through its nodes in order. */
#include <stdlib.h>

#include "script/ms_internal.h"
#include "util/mem.h"

#define P2WSH_SCRIPT_MAX 3600 /* policy */
#define P2WSH_STACK_MAX 100
/* What a standard transaction of 400,000 weight units leaves for a leaf beside the largest witness: 1,000 elements of 65 bytes and the longest
 * control block; and beside its one input and one output. */
#define TAPSCRIPT_MAX (400000 - ((8 + 1 + 41 + 1 + 43) * 4 + 2) - (3 + 66 * MAX_STACK_SIZE + 3 + 33 + 32 * 128) - 5)

size_t ms_script_max(enum ms_context context)
{
    return context == MS_TAPSCRIPT ? TAPSCRIPT_MAX : P2WSH_SCRIPT_MAX;
}

struct ms_node *ms_node_new(struct miniscript *ms, enum ms_fragment fragment, struct ms_node *const *subs, size_t n_subs,
                            const uint32_t *keys, size_t n_keys, const uint8_t *data, uint32_t k)
{
    struct ms_node *n = arena_calloc(&ms->arena, 1, sizeof(*n));

    n->fragment = fragment;
    n->k = k;
    n->n_subs = (uint32_t)n_subs;
    n->n_keys = (uint32_t)n_keys;
    if (n_subs)
        n->subs = arena_copy(&ms->arena, subs, n_subs * sizeof(*subs));
    if (n_keys)
        n->keys = arena_copy(&ms->arena, keys, n_keys * sizeof(*keys));
    if (data)
        n->data = arena_copy(&ms->arena, data, fragment == MS_SHA256 || fragment == MS_HASH256 ? 32 : 20);
    n->type = ms_type_of(n, ms->context);
    ms_limits_of(n, ms->context);
    ms->n_nodes++;
    return n;
}

/* ---- the whole tree ---- */

/* Lists all nodes, each after its subs: parents first and subs from the right, turned round. */
static void find_order(struct miniscript *ms)
{
    struct ms_node **stack = xmalloc((ms->n_nodes + 1) * sizeof(*stack));
    size_t top = 0, at = ms->n_nodes;

    ms->order = arena_alloc(&ms->arena, ms->n_nodes * sizeof(*ms->order));
    stack[top++] = ms->root;
    while (top) {
        struct ms_node *n = stack[--top];
        ms->order[--at] = n;
        for (uint32_t i = 0; i < n->n_subs; i++)
            stack[top++] = n->subs[i];
    }
    ms->order += at; /* nodes that did not make it into the tree are not counted */
    ms->n_nodes -= at;
    free(stack);
}

struct use {
    uint32_t key, place; /* its number from left to right */
};
struct comparison {
    int (*compare)(const void *arg, uint32_t a, uint32_t b);
    const void *arg;
};

/* Sorts by key, equal ones by place: merge sort, as the C library's sort takes no argument for its function. */
static void sort_uses(struct use *u, struct use *spare, size_t n, const struct comparison *c)
{
    for (size_t width = 1; width < n; width *= 2) {
        for (size_t start = 0; start < n; start += 2 * width) {
            size_t mid = start + width < n ? start + width : n, end = start + 2 * width < n ? start + 2 * width : n;
            size_t a = start, b = mid;
            for (size_t i = start; i < end; i++)
                spare[i] = a < mid && (b >= end || c->compare(c->arg, u[a].key, u[b].key) <= 0) ? u[a++] : u[b++];
        }
        memcpy(u, spare, n * sizeof(*u));
    }
}

/* A node has a duplicate if, of the keys in it, one has its last use before it also inside. */
static void find_duplicates(struct miniscript *ms, const struct comparison *c)
{
    size_t total = 0, used = 0;
    struct use *uses, *spare;
    int64_t *before;
    struct span {
        int64_t first, latest; /* first key inside; the latest earlier use of any key inside */
    } * spans, *stack_top;

    for (size_t i = 0; i < ms->n_nodes; i++)
        total += ms->order[i]->n_keys;
    uses = xmalloc((total + 1) * sizeof(*uses));
    spare = xmalloc((total + 1) * sizeof(*spare));
    before = xmalloc((total + 1) * sizeof(*before));
    spans = xmalloc((ms->n_nodes + 1) * sizeof(*spans));
    for (size_t i = 0; i < ms->n_nodes; i++) {
        for (uint32_t k = 0; k < ms->order[i]->n_keys; k++, used++)
            uses[used] = (struct use){ms->order[i]->keys[k], (uint32_t)used};
    }
    sort_uses(uses, spare, total, c);
    for (size_t i = 0; i < total; i++)
        before[uses[i].place] = i && c->compare(c->arg, uses[i - 1].key, uses[i].key) == 0 ? (int64_t)uses[i - 1].place : -1;
    used = 0;
    stack_top = spans;
    for (size_t i = 0; i < ms->n_nodes; i++) {
        struct ms_node *n = ms->order[i];
        struct span s = {(int64_t)used, -1};
        for (uint32_t k = 0; k < n->n_subs; k++) {
            struct span sub = *--stack_top;
            s.first = sub.first;
            s.latest = sub.latest > s.latest ? sub.latest : s.latest;
        }
        for (uint32_t k = 0; k < n->n_keys; k++, used++)
            s.latest = before[used] > s.latest ? before[used] : s.latest;
        n->duplicate = s.latest >= s.first;
        *stack_top++ = s;
    }
    free(uses);
    free(spare);
    free(before);
    free(spans);
}

void ms_finish(struct miniscript *ms, struct ms_node *root, int (*compare)(const void *arg, uint32_t a, uint32_t b),
               const void *arg)
{
    struct comparison c = {compare, arg};

    ms->root = root;
    find_order(ms);
    if (compare)
        find_duplicates(ms, &c);
}

void ms_clear(struct miniscript *ms)
{
    arena_clear(&ms->arena);
    memset(ms, 0, sizeof(*ms));
}

/* ---- questions ---- */

bool ms_is_valid(const struct ms_node *n, enum ms_context c)
{
    return n->type && n->script_len <= ms_script_max(c);
}

bool ms_is_valid_top(const struct ms_node *n, enum ms_context c)
{
    return ms_is_valid(n, c) && (n->type & MS_B);
}

bool ms_is_within_limits(const struct ms_node *n, enum ms_context c)
{
    int32_t left = n->type & (MS_B | MS_K | MS_W) ? 1 : 0; /* what stays on the stack */

    if (!ms_is_valid(n, c))
        return false;
    if (c == MS_P2WSH && n->ops_sat.valid && n->ops + n->ops_sat.value > MAX_OPS_PER_SCRIPT)
        return false;
    if (!n->depth_sat.valid)
        return true;
    return c == MS_TAPSCRIPT ? n->depth_sat.exec + left <= MAX_STACK_SIZE : n->depth_sat.net + left <= P2WSH_STACK_MAX;
}

bool ms_is_sane_sub(const struct ms_node *n, enum ms_context c)
{
    return ms_is_within_limits(n, c) && (n->type & MS_m) && (n->type & MS_k) && !n->duplicate;
}

bool ms_is_sane(const struct ms_node *n, enum ms_context c)
{
    return ms_is_valid_top(n, c) && ms_is_sane_sub(n, c) && (n->type & MS_s);
}

const struct ms_node *ms_find_insane(const struct miniscript *ms)
{
    for (size_t i = 0; i < ms->n_nodes; i++) {
        if (!ms_is_sane_sub(ms->order[i], ms->context))
            return ms->order[i];
    }
    return NULL;
}
