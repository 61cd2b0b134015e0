/* ms_limits.c - how much a miniscript node may take of what is limited: bytes of script and witness, opcodes, stack elements. Called by ms_node.c;
 * pure. Each limit is a small algebra: executions of two parts follow each other, or one of two takes place. */
#include <stdlib.h>

#include "script/ms_internal.h"
#include "util/mem.h"

/* ---- maxima ---- */

static const struct ms_max none = {false, 0};

static struct ms_max of(uint32_t value)
{
    return (struct ms_max){true, value};
}

static struct ms_max sum(struct ms_max a, struct ms_max b)
{
    return a.valid && b.valid ? of(a.value + b.value) : none;
}

static struct ms_max either(struct ms_max a, struct ms_max b)
{
    if (!a.valid || !b.valid)
        return a.valid ? a : b;
    return of(a.value > b.value ? a.value : b.value);
}

/* ---- stack movements ---- */

static const struct ms_depth never = {false, 0, 0};
static const struct ms_depth push1 = {true, -1, 0}; /* also OP_DUP, OP_SIZE, OP_IFDUP of a true value */
static const struct ms_depth still = {true, 0, 0};  /* hashes, OP_0NOTEQUAL, time locks, OP_IFDUP of 0 */
static const struct ms_depth take1 = {true, 1, 1};  /* OP_IF, OP_VERIFY, and opcodes that make one of two */
static const struct ms_depth take2 = {true, 2, 2};  /* OP_EQUALVERIFY */

static int32_t max32(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

static struct ms_depth then(struct ms_depth a, struct ms_depth b)
{
    if (!a.valid || !b.valid)
        return never;
    return (struct ms_depth){true, a.net + b.net, max32(b.exec, b.net + a.exec)};
}

static struct ms_depth then3(struct ms_depth a, struct ms_depth b, struct ms_depth c)
{
    return then(then(a, b), c);
}

static struct ms_depth or_else(struct ms_depth a, struct ms_depth b)
{
    if (!a.valid || !b.valid)
        return a.valid ? a : b;
    return (struct ms_depth){true, max32(a.net, b.net), max32(a.exec, b.exec)};
}

/* ---- thresholds ---- */

/* What k of the subs satisfied, and none, cost at most. Entry j of the tables: j of the subs so far are satisfied. */
struct tally {
    struct ms_max *ops, *wit;
    struct ms_depth *depth;
    uint32_t n; /* entries in use: 0..min(subs so far, k) */
};

static void tally_add(struct tally *t, const struct ms_node *sub, uint32_t k, bool first)
{
    struct ms_depth add = first ? still : take1; /* OP_ADD */
    uint32_t last = t->n < k ? t->n + 1 : k;

    for (uint32_t j = last + 1; j-- > 0;) {
        bool keep = j <= t->n, more = j > 0;
        struct ms_max ops = none, wit = none;
        struct ms_depth depth = never;
        if (keep) {
            ops = sum(t->ops[j], sub->ops_dsat);
            wit = sum(t->wit[j], sub->wit_dsat);
            depth = then(t->depth[j], sub->depth_dsat);
        }
        if (more) {
            ops = either(ops, sum(t->ops[j - 1], sub->ops_sat));
            wit = either(wit, sum(t->wit[j - 1], sub->wit_sat));
            depth = or_else(depth, then(t->depth[j - 1], sub->depth_sat));
        }
        t->ops[j] = ops;
        t->wit[j] = wit;
        t->depth[j] = then(depth, add);
    }
    t->n = last;
}

static void thresh_limits(struct ms_node *n)
{
    struct ms_depth end = then(push1, take1); /* k OP_EQUAL */
    struct tally t;

    n->ops = 0;
    if (!n->type)
        return; /* not asked for, and subs that are no subs of thresh() may be many */
    t = (struct tally){xcalloc(n->k + 1, sizeof(*t.ops)), xcalloc(n->k + 1, sizeof(*t.wit)), xcalloc(n->k + 1, sizeof(*t.depth)),
                       0};
    t.ops[0] = t.wit[0] = of(0);
    t.depth[0] = still;
    for (uint32_t i = 0; i < n->n_subs; i++) {
        n->ops += n->subs[i]->ops + 1;
        tally_add(&t, n->subs[i], n->k, i == 0);
    }
    n->ops_sat = t.ops[n->k];
    n->ops_dsat = t.ops[0];
    n->wit_sat = t.wit[n->k];
    n->wit_dsat = t.wit[0];
    n->depth_sat = then(t.depth[n->k], end);
    n->depth_dsat = then(t.depth[0], end);
    free(t.ops);
    free(t.wit);
    free(t.depth);
}

/* ---- the other fragments ---- */

static void leaf_limits(struct ms_node *n, enum ms_context context)
{
    uint32_t sig = context == MS_TAPSCRIPT ? 1 + 65 : 1 + 72, key = context == MS_TAPSCRIPT ? 1 + 32 : 1 + 33;
    struct ms_depth hash_check = then3(push1, push1, take2); /* OP_SIZE 32 OP_EQUALVERIFY */

    n->ops_sat = n->wit_sat = of(0);
    n->ops_dsat = n->wit_dsat = none;
    n->depth_dsat = never;
    n->ops = 0;
    switch (n->fragment) {
    case MS_0:
        n->ops_dsat = n->wit_dsat = of(0);
        n->ops_sat = n->wit_sat = none;
        n->depth_sat = never;
        n->depth_dsat = push1;
        break;
    case MS_1:
        n->depth_sat = push1;
        break;
    case MS_PK_K:
        n->ops_dsat = of(0);
        n->wit_sat = of(sig);
        n->wit_dsat = of(1);
        n->depth_sat = n->depth_dsat = push1;
        break;
    case MS_PK_H:
        n->ops = 3;
        n->ops_dsat = of(0);
        n->wit_sat = of(sig + key);
        n->wit_dsat = of(1 + key);
        n->depth_sat = n->depth_dsat = then3(push1, push1, take2); /* OP_DUP OP_HASH160 hash OP_EQUALVERIFY */
        break;
    case MS_OLDER:
    case MS_AFTER:
        n->ops = 1;
        n->depth_sat = push1;
        break;
    case MS_MULTI: /* before: 0 and k signatures; then k, the keys and their number; one at the end */
        n->ops = 1;
        n->ops_sat = n->ops_dsat = of(n->n_keys);
        n->wit_sat = of(n->k * sig + 1);
        n->wit_dsat = of(n->k + 1);
        n->depth_sat = n->depth_dsat = (struct ms_depth){true, (int32_t)n->k, (int32_t)(n->k + n->n_keys + 2)};
        break;
    case MS_MULTI_A:
        n->ops = n->n_keys + 1;
        n->ops_dsat = of(0);
        n->wit_sat = of(n->k * sig + n->n_keys - n->k);
        n->wit_dsat = of(n->n_keys);
        n->depth_sat = n->depth_dsat = (struct ms_depth){true, (int32_t)n->n_keys - 1, (int32_t)n->n_keys};
        break;
    default: /* hashes */
        n->ops = 4;
        n->wit_sat = of(1 + 32);
        n->depth_sat = then3(hash_check, push1, take1);
    }
}

static void wrapper_limits(struct ms_node *n)
{
    static const uint32_t opcodes[] = {
        [MS_WRAP_A] = 2, [MS_WRAP_S] = 1, [MS_WRAP_C] = 1, [MS_WRAP_D] = 3, [MS_WRAP_J] = 4, [MS_WRAP_N] = 1};
    const struct ms_node *x = n->subs[0];
    struct ms_depth ask;

    n->ops = x->ops + (n->fragment == MS_WRAP_V ? (x->type & MS_x) != 0 : opcodes[n->fragment]);
    n->ops_sat = x->ops_sat;
    n->ops_dsat = x->ops_dsat;
    n->wit_sat = x->wit_sat;
    n->wit_dsat = x->wit_dsat;
    n->depth_sat = x->depth_sat;
    n->depth_dsat = x->depth_dsat;
    switch (n->fragment) {
    case MS_WRAP_C:
        n->depth_sat = then(x->depth_sat, take1);
        n->depth_dsat = then(x->depth_dsat, take1);
        break;
    case MS_WRAP_D:
    case MS_WRAP_J: /* a copy of the top element, or its size, decides */
        ask = n->fragment == MS_WRAP_D ? then(push1, take1) : then3(push1, still, take1);
        n->ops_dsat = of(0);
        n->wit_dsat = of(1);
        if (n->fragment == MS_WRAP_D)
            n->wit_sat = sum(of(2), x->wit_sat);
        n->depth_sat = then(ask, x->depth_sat);
        n->depth_dsat = ask;
        break;
    case MS_WRAP_V:
        n->ops_dsat = n->wit_dsat = none;
        n->depth_sat = then(x->depth_sat, take1);
        n->depth_dsat = never;
        break;
    default:
        break;
    }
}

static void and_limits(struct ms_node *n)
{
    const struct ms_node *x = n->subs[0], *y = n->subs[1];

    n->ops = x->ops + y->ops;
    n->ops_sat = sum(x->ops_sat, y->ops_sat);
    n->wit_sat = sum(x->wit_sat, y->wit_sat);
    n->depth_sat = then(x->depth_sat, y->depth_sat);
    if (n->fragment == MS_AND_V)
        return; /* cannot be dissatisfied */
    n->ops++;
    n->ops_dsat = sum(x->ops_dsat, y->ops_dsat);
    n->wit_dsat = sum(x->wit_dsat, y->wit_dsat);
    n->depth_sat = then(n->depth_sat, take1);
    n->depth_dsat = then3(x->depth_dsat, y->depth_dsat, take1);
}

/* x first, z only if x is not satisfied; or both in a row. */
static void or_limits(struct ms_node *n)
{
    const struct ms_node *x = n->subs[0], *z = n->subs[1];
    bool d = n->fragment == MS_OR_D;

    n->ops = x->ops + z->ops + (n->fragment == MS_OR_B ? 1 : d ? 3 : 2);
    if (n->fragment == MS_OR_B) {
        n->ops_sat = either(sum(x->ops_sat, z->ops_dsat), sum(z->ops_sat, x->ops_dsat));
        n->wit_sat = either(sum(x->wit_sat, z->wit_dsat), sum(z->wit_sat, x->wit_dsat));
        n->depth_sat = then(or_else(then(x->depth_sat, z->depth_dsat), then(x->depth_dsat, z->depth_sat)), take1);
        n->depth_dsat = then3(x->depth_dsat, z->depth_dsat, take1);
    } else {
        n->ops_sat = either(x->ops_sat, sum(z->ops_sat, x->ops_dsat));
        n->wit_sat = either(x->wit_sat, sum(z->wit_sat, x->wit_dsat));
        n->depth_sat = or_else(then3(x->depth_sat, d ? push1 : still, take1), then3(x->depth_dsat, take1, z->depth_sat));
        n->depth_dsat = d ? then3(x->depth_dsat, take1, z->depth_dsat) : never;
    }
    if (n->fragment != MS_OR_C) {
        n->ops_dsat = sum(x->ops_dsat, z->ops_dsat);
        n->wit_dsat = sum(x->wit_dsat, z->wit_dsat);
    }
}

static void or_i_limits(struct ms_node *n)
{
    const struct ms_node *x = n->subs[0], *z = n->subs[1];

    n->ops = 3 + x->ops + z->ops;
    n->ops_sat = either(x->ops_sat, z->ops_sat);
    n->ops_dsat = either(x->ops_dsat, z->ops_dsat);
    n->wit_sat = either(sum(x->wit_sat, of(2)), sum(z->wit_sat, of(1)));
    n->wit_dsat = either(sum(x->wit_dsat, of(2)), sum(z->wit_dsat, of(1)));
    n->depth_sat = then(take1, or_else(x->depth_sat, z->depth_sat));
    n->depth_dsat = then(take1, or_else(x->depth_dsat, z->depth_dsat));
}

static void andor_limits(struct ms_node *n)
{
    const struct ms_node *x = n->subs[0], *y = n->subs[1], *z = n->subs[2];

    n->ops = 3 + x->ops + y->ops + z->ops;
    n->ops_sat = either(sum(x->ops_sat, y->ops_sat), sum(x->ops_dsat, z->ops_sat));
    n->ops_dsat = sum(x->ops_dsat, z->ops_dsat);
    n->wit_sat = either(sum(x->wit_sat, y->wit_sat), sum(x->wit_dsat, z->wit_sat));
    n->wit_dsat = sum(x->wit_dsat, z->wit_dsat);
    n->depth_sat = or_else(then3(x->depth_sat, take1, y->depth_sat), then3(x->depth_dsat, take1, z->depth_sat));
    n->depth_dsat = then3(x->depth_dsat, take1, z->depth_dsat);
}

static size_t number_len(uint32_t n)
{
    return 1 + (n > 16) + (n > 0x7f) + (n > 0x7fff) + (n > 0x7fffff);
}

static size_t script_len(const struct ms_node *n, bool tapscript)
{
    static const uint8_t extra[] = {
        [MS_WRAP_A] = 2, [MS_WRAP_S] = 1, [MS_WRAP_C] = 1, [MS_WRAP_D] = 3, [MS_WRAP_J] = 4, [MS_WRAP_N] = 1, [MS_AND_B] = 1,
        [MS_OR_B] = 1,   [MS_OR_C] = 2,   [MS_OR_D] = 3,   [MS_OR_I] = 3,   [MS_ANDOR] = 3,  [MS_MULTI_A] = 0};
    size_t subs = 0;

    for (uint32_t i = 0; i < n->n_subs; i++)
        subs += n->subs[i]->script_len;
    switch (n->fragment) {
    case MS_0:
    case MS_1:
        return 1;
    case MS_PK_K:
        return tapscript ? 33 : 34;
    case MS_PK_H:
        return 24;
    case MS_OLDER:
    case MS_AFTER:
        return 1 + number_len(n->k);
    case MS_SHA256:
    case MS_HASH256:
        return 39;
    case MS_RIPEMD160:
    case MS_HASH160:
        return 27;
    case MS_MULTI:
        return 1 + number_len(n->n_keys) + number_len(n->k) + 34 * (size_t)n->n_keys;
    case MS_MULTI_A:
        return 34 * (size_t)n->n_keys + number_len(n->k) + 1;
    case MS_WRAP_V:
        return subs + ((n->subs[0]->type & MS_x) != 0);
    case MS_THRESH:
        return subs + n->n_subs + number_len(n->k);
    default:
        return subs + extra[n->fragment];
    }
}

void ms_limits_of(struct ms_node *n, enum ms_context context)
{
    n->script_len = script_len(n, context == MS_TAPSCRIPT);
    switch (n->fragment) {
    case MS_WRAP_A:
    case MS_WRAP_S:
    case MS_WRAP_C:
    case MS_WRAP_D:
    case MS_WRAP_V:
    case MS_WRAP_J:
    case MS_WRAP_N:
        wrapper_limits(n);
        break;
    case MS_AND_V:
    case MS_AND_B:
        and_limits(n);
        break;
    case MS_OR_B:
    case MS_OR_C:
    case MS_OR_D:
        or_limits(n);
        break;
    case MS_OR_I:
        or_i_limits(n);
        break;
    case MS_ANDOR:
        andor_limits(n);
        break;
    case MS_THRESH:
        thresh_limits(n);
        break;
    default:
        leaf_limits(n, context);
    }
}
