/* diagram.c - fee rate diagrams: cumulated fees over cumulated weight, chunks by falling rate. Called by change.c and linearise.c; pure. */
#include "mempool/internal.h"

/* Sign of the point (weight, fee) against the line from a corner with that rate. */
static int point_against_line(struct fee_weight point, struct fee_weight corner, struct fee_weight rate)
{
    __int128 l = ((__int128)point.fee - corner.fee) * rate.weight, r = (__int128)rate.fee * (point.weight - corner.weight);
    return l < r ? -1 : l > r;
}

enum diagram_order diagram_compare(const struct fee_weight *a, size_t n_a, const struct fee_weight *b, size_t n_b)
{
    const struct fee_weight *chunk[2] = {a, b};
    const size_t n[2] = {n_a, n_b};
    struct fee_weight at[2] = {{0, 0}, {0, 0}}; /* corners reached */
    size_t i[2] = {0, 0};
    bool above = false, below = false;

    /* The corners of both lines are looked at; beyond its end a diagram goes on level. */
    while (i[0] < n[0] || i[1] < n[1]) {
        struct fee_weight next[2], rate[2];
        int k, cmp;
        for (k = 0; k < 2; k++) {
            rate[k] = i[k] < n[k] ? chunk[k][i[k]] : (struct fee_weight){0, 1};
            next[k] = (struct fee_weight){fee_add(at[k].fee, rate[k].fee), at[k].weight + rate[k].weight};
        }
        /* The nearer of the next corners is compared with the other line there. */
        if (i[0] >= n[0])
            k = 1;
        else if (i[1] >= n[1])
            k = 0;
        else
            k = next[0].weight > next[1].weight;
        cmp = point_against_line(next[k], at[!k], rate[!k]);
        if (k == 1)
            cmp = -cmp;
        above |= cmp > 0;
        below |= cmp < 0;
        at[k] = next[k];
        i[k]++;
    }
    return above ? (below ? DIAGRAM_MIXED : DIAGRAM_BETTER) : below ? DIAGRAM_WORSE : DIAGRAM_SAME;
}
