/* ms_satisfy.c - the smallest witness for a miniscript that no third party can change into another (BIP379). Called when inputs are signed; pure.
 *
 * Each node has two solutions, made of those of its subs: what satisfies and what dissatisfies it. A solution knows whether it has a signature,
 * whether it is malleable, and its size; its elements are a tree of concatenations, so that joining costs the same whatever the length. */
#include <stdlib.h>

#include "script/ms_internal.h"
#include "util/mem.h"

#define THRESH_SUBS_MAX 1000

struct elements { /* bottom first; NULL: none */
    const struct elements *low, *high;
    const uint8_t *data; /* a single one */
    size_t len;
};
struct solution {
    bool possible, has_sig, malleable;
    size_t size; /* of the elements in a witness */
    const struct elements *elements;
};
struct solutions {
    struct solution dsat, sat;
};
struct search {
    struct miniscript *ms;
    const struct ms_satisfier *s;
    struct solutions *results; /* of nodes whose parents are still to come, newest last */
    size_t n;
};

static const struct solution impossible = {false, false, false, 0, NULL};
static const struct solution empty = {true, false, false, 0, NULL};

/* ---- solutions ---- */

static struct solution element(struct search *x, const uint8_t *data, size_t len)
{
    struct elements *e = arena_calloc(&x->ms->arena, 1, sizeof(*e));

    e->data = data;
    e->len = len;
    return (struct solution){true, false, false, len + 1, e};
}

static struct solution zero(struct search *x)
{
    return element(x, (const uint8_t *)"", 0);
}

static struct solution one(struct search *x)
{
    return element(x, (const uint8_t *)"\x01", 1);
}

/* Both, without their elements. */
static struct solution weigh(const struct solution *low, const struct solution *high)
{
    if (!low->possible || !high->possible)
        return impossible;
    return (struct solution){true, low->has_sig || high->has_sig, low->malleable || high->malleable, low->size + high->size, NULL};
}

static struct solution join(struct search *x, struct solution low, struct solution high)
{
    struct solution r = weigh(&low, &high);
    struct elements *e;

    if (!r.possible)
        return r;
    if (!low.elements || !high.elements) {
        r.elements = low.elements ? low.elements : high.elements;
        return r;
    }
    e = arena_calloc(&x->ms->arena, 1, sizeof(*e));
    e->low = low.elements;
    e->high = high.elements;
    r.elements = e;
    return r;
}

static struct solution malleable(struct solution a)
{
    a.malleable = a.possible;
    return a;
}

/* Whether the first of two possible solutions is the better one. Where one has no signature, anybody can turn to it, so it must be the one; where
 * both have none, either can be turned into the other. */
static bool first_is_better(struct solution *a, struct solution *b)
{
    if (a->has_sig != b->has_sig)
        return !a->has_sig;
    if (!a->has_sig)
        a->malleable = b->malleable = true;
    else if (a->malleable != b->malleable)
        return !a->malleable;
    return a->size <= b->size;
}

static struct solution either(struct solution a, struct solution b)
{
    if (!a.possible || !b.possible)
        return a.possible ? a : b;
    return first_is_better(&a, &b) ? a : b;
}

/* either(join(a, b), join(c, d)), which makes the elements of the winner only. */
static struct solution either_join(struct search *x, struct solution a, struct solution b, struct solution c, struct solution d)
{
    struct solution ab = weigh(&a, &b), cd = weigh(&c, &d), r;
    bool first;

    if (!ab.possible || !cd.possible)
        return ab.possible ? join(x, a, b) : join(x, c, d);
    first = first_is_better(&ab, &cd);
    r = first ? join(x, a, b) : join(x, c, d);
    r.malleable = first ? ab.malleable : cd.malleable;
    return r;
}

/* ---- leaves ---- */

static struct solution signature(struct search *x, uint32_t key)
{
    struct witness_item sig = x->s->sign(x->s->arg, key);
    struct solution r;

    if (!sig.data)
        return impossible;
    r = element(x, sig.data, sig.len);
    r.has_sig = true;
    return r;
}

static struct solution key_element(struct search *x, uint32_t key)
{
    size_t len = x->ms->context == MS_TAPSCRIPT ? 32 : 33;
    uint8_t *bytes = arena_alloc(&x->ms->arena, 33);

    x->s->key_bytes(x->s->arg, bytes, key);
    return element(x, bytes, len);
}

static struct solutions solve_hash(struct search *x, const struct ms_node *n)
{
    static const uint8_t zeroes[32];
    static const enum hash_kind kinds[] = {[MS_SHA256] = HASH_KIND_SHA256,
                                           [MS_HASH256] = HASH_KIND_HASH256,
                                           [MS_RIPEMD160] = HASH_KIND_RIPEMD160,
                                           [MS_HASH160] = HASH_KIND_HASH160};
    struct witness_item preimage = x->s->preimage(x->s->arg, kinds[n->fragment], n->data);

    return (struct solutions){malleable(element(x, zeroes, 32)),
                              preimage.data ? element(x, preimage.data, preimage.len) : impossible};
}

/* The best ways to have j signatures, in table[j]; at the end table[k] is the answer. */
static struct solutions solve_multi(struct search *x, const struct ms_node *n)
{
    bool a = n->fragment == MS_MULTI_A;
    struct solution *table = xcalloc(n->k + 1, sizeof(*table)), nothing = zero(x);
    struct solutions r;

    table[0] = a ? empty : nothing; /* OP_CHECKMULTISIG takes one element too many */
    for (uint32_t i = 0; i < n->n_keys; i++) {
        /* multi_a's first key takes the topmost element; and each key has one, where multi takes signatures only */
        struct solution sig = signature(x, n->keys[a ? n->n_keys - 1 - i : i]), filler = a ? nothing : empty;
        for (uint32_t j = i + 1 < n->k ? i + 1 : n->k; j > 0; j--)
            table[j] = either_join(x, table[j], filler, table[j - 1], sig);
        table[0] = join(x, table[0], filler);
    }
    r.sat = table[n->k];
    r.dsat = table[0];
    for (uint32_t i = 0; i < n->k && !a; i++)
        r.dsat = join(x, r.dsat, nothing);
    free(table);
    return r;
}

static struct solutions solve_leaf(struct search *x, const struct ms_node *n)
{
    struct solution key;

    switch (n->fragment) {
    case MS_0:
        return (struct solutions){empty, impossible};
    case MS_1:
        return (struct solutions){impossible, empty};
    case MS_PK_K:
        return (struct solutions){zero(x), signature(x, n->keys[0])};
    case MS_PK_H:
        key = key_element(x, n->keys[0]);
        return (struct solutions){join(x, zero(x), key), join(x, signature(x, n->keys[0]), key)};
    case MS_OLDER:
        return (struct solutions){impossible, x->s->older(x->s->arg, n->k) ? empty : impossible};
    case MS_AFTER:
        return (struct solutions){impossible, x->s->after(x->s->arg, n->k) ? empty : impossible};
    case MS_MULTI:
    case MS_MULTI_A:
        return solve_multi(x, n);
    default:
        return solve_hash(x, n);
    }
}

/* ---- what holds others ---- */

static struct solutions solve_wrapper(struct search *x, const struct ms_node *n, const struct solutions *sub)
{
    struct solutions r = *sub;

    switch (n->fragment) {
    case MS_WRAP_D:
        r.dsat = zero(x);
        r.sat = join(x, sub->sat, one(x));
        break;
    case MS_WRAP_J: /* what dissatisfies the sub may do so with a top element that is not zero: a second way */
        r.dsat = zero(x);
        r.dsat.malleable = sub->dsat.possible && !sub->dsat.has_sig;
        break;
    case MS_WRAP_V:
        r.dsat = impossible;
        break;
    default:
        break;
    }
    return r;
}

static struct solutions solve_branches(struct search *x, const struct ms_node *n, const struct solutions *sub)
{
    const struct solutions *a = &sub[0], *b = &sub[1];
    struct solution s, t;

    switch (n->fragment) {
    case MS_AND_V:
        return (struct solutions){join(x, b->dsat, a->sat), join(x, b->sat, a->sat)};
    case MS_AND_B:
        s = malleable(join(x, b->sat, a->dsat));
        t = malleable(join(x, b->dsat, a->sat));
        return (struct solutions){either(either(join(x, b->dsat, a->dsat), s), t), join(x, b->sat, a->sat)};
    case MS_OR_B:
        s = either_join(x, b->dsat, a->sat, b->sat, a->dsat);
        return (struct solutions){join(x, b->dsat, a->dsat), either(s, malleable(join(x, b->sat, a->sat)))};
    case MS_OR_C:
        return (struct solutions){impossible, either(a->sat, join(x, b->sat, a->dsat))};
    case MS_OR_D:
        return (struct solutions){join(x, b->dsat, a->dsat), either(a->sat, join(x, b->sat, a->dsat))};
    case MS_OR_I:
        return (struct solutions){either_join(x, a->dsat, one(x), b->dsat, zero(x)),
                                  either_join(x, a->sat, one(x), b->sat, zero(x))};
    default: /* andor */
        return (struct solutions){either_join(x, b->dsat, a->sat, sub[2].dsat, a->dsat),
                                  either_join(x, b->sat, a->sat, sub[2].sat, a->dsat)};
    }
}

static struct solutions solve_thresh(struct search *x, const struct ms_node *n, const struct solutions *sub)
{
    struct solution *table = xcalloc(n->n_subs + 1, sizeof(*table));
    struct solutions r = {impossible, impossible};

    table[0] = empty;
    for (uint32_t i = 0; i < n->n_subs && n->n_subs <= THRESH_SUBS_MAX; i++) {
        const struct solutions *last = &sub[n->n_subs - 1 - i]; /* the last sub's elements lie lowest */
        table[i + 1] = impossible;
        for (uint32_t j = i + 1; j > 0; j--)
            table[j] = either_join(x, table[j], last->dsat, table[j - 1], last->sat);
        table[0] = join(x, table[0], last->dsat);
    }
    if (n->n_subs <= THRESH_SUBS_MAX) {
        r.sat = table[n->k];
        r.dsat = table[0];
        for (uint32_t j = 1; j <= n->n_subs; j++) { /* too few or too many also dissatisfy it */
            if (j != n->k)
                r.dsat = either(r.dsat, malleable(table[j]));
        }
    }
    free(table);
    return r;
}

static void solve(struct search *x, const struct ms_node *n)
{
    const struct solutions *sub;

    x->n -= n->n_subs;
    sub = &x->results[x->n];
    if (n->fragment == MS_THRESH)
        x->results[x->n] = solve_thresh(x, n, sub);
    else if (n->n_subs == 0)
        x->results[x->n] = solve_leaf(x, n);
    else if (n->n_subs == 1)
        x->results[x->n] = solve_wrapper(x, n, sub);
    else
        x->results[x->n] = solve_branches(x, n, sub);
    x->n++;
}

static void give(const struct ms_satisfier *s, const struct elements *e)
{
    size_t n = 0, cap = 64;
    const struct elements **later = xmalloc(cap * sizeof(*later));

    while (e || n) {
        if (!e)
            e = later[--n];
        if (!e->low) {
            s->push(s->arg, e->data, e->len);
            e = NULL;
            continue;
        }
        if (n == cap) {
            cap *= 2;
            later = xrealloc(later, cap * sizeof(*later));
        }
        later[n++] = e->high;
        e = e->low;
    }
    free(later);
}

bool ms_satisfy(struct miniscript *ms, const struct ms_satisfier *s)
{
    struct search x = {ms, s, xcalloc(ms->n_nodes + 1, sizeof(*x.results)), 0};
    struct solution found;

    for (size_t i = 0; i < ms->n_nodes; i++)
        solve(&x, ms->order[i]);
    found = x.results[0].sat;
    free(x.results);
    if (!found.possible || found.malleable || !found.has_sig)
        return false;
    give(s, found.elements);
    return true;
}
