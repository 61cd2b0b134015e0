/* smooth.c - the last touch to the order within a chunk. Fees do not depend on it, as a chunk comes and goes as a whole; but the lists that users
 * and miners see are then in Core's order. Called by linearise.c; pure. */
#include <string.h>

#include "mempool/internal.h"

#define BIT(i) (1ull << (i))

/* Transactions that move together while a chunk is smoothed. */
struct group {
    uint64_t set, tied; /* tied: what it may not move past */
    struct fee_weight rate;
    unsigned first, last; /* linked by next */
};

static uint64_t descendants_of(const struct lin_tx *t, unsigned i, uint64_t set)
{
    uint64_t out = 0;
    for (; set; set &= set - 1) {
        if (t[__builtin_ctzll(set)].ancestors & BIT(i))
            out |= set & -set;
    }
    return out;
}

/* The group before joins the one that it may not be passed by. */
static void join(struct group *g, const struct group *before, uint8_t *next, bool from_end)
{
    g->set |= before->set;
    g->tied |= before->tied;
    g->rate.fee = fee_add(g->rate.fee, before->rate.fee);
    g->rate.weight += before->rate.weight;
    if (from_end) {
        next[g->last] = (uint8_t)before->first;
        g->last = before->last;
    } else {
        next[before->last] = (uint8_t)g->first;
        g->first = before->first;
    }
}

/* Each transaction in turn goes forward past groups that pay less, and takes those along that it depends on; or all of it from the end,
 * turned round. */
static void smooth(const struct lin_tx *t, unsigned *order, unsigned n, bool from_end)
{
    struct group list[CLUSTER_MAX];
    uint8_t next[CLUSTER_MAX];
    unsigned k = 0, at = 0;
    uint64_t all = 0;

    for (unsigned i = 0; i < n; i++)
        all |= BIT(order[i]);
    for (unsigned i = 0; i < n; i++) {
        unsigned x = order[from_end ? n - 1 - i : i], p = k++;
        struct group g = {BIT(x), from_end ? descendants_of(t, x, all) : t[x].ancestors, t[x].rate, x, x};
        for (; p > 0; p--) {
            int cmp = rate_cmp(g.rate, list[p - 1].rate);
            if (from_end ? cmp >= 0 : cmp <= 0)
                break;
            if (g.tied & list[p - 1].set) {
                join(&g, &list[p - 1], next, from_end);
                memmove(&list[p], &list[p + 1], (k - p - 1) * sizeof(*list));
                k--;
            } else {
                list[p] = list[p - 1];
            }
        }
        list[p] = g;
    }
    for (unsigned i = 0; i < k; i++) {
        const struct group *g = &list[from_end ? k - 1 - i : i];
        for (unsigned x = g->first;; x = next[x]) {
            order[at++] = x;
            if (x == g->last)
                break;
        }
    }
}

void lin_smooth(unsigned *order, const struct lin_tx *t, unsigned n)
{
    if (n < 3)
        return;
    smooth(t, order, n, true);
    smooth(t, order, n, false);
}
