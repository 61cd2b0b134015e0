/* test_linearise.c - orders of random clusters against what trying all subsets says, and what must hold for any cluster and any bound. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "mempool/internal.h"
#include "util/random.h"

#define ALL_STEPS 100000000u

struct graph {
    struct lin_tx t[CLUSTER_MAX];
    uint8_t id[CLUSTER_MAX][32];
    unsigned n;
};

/* Places are no topological order; shape: how dense, how many layers. */
static void random_graph(struct graph *g, struct rng *rng, unsigned n)
{
    unsigned rank[CLUSTER_MAX], shape = (unsigned)rng_below(rng, 5), most = 1 + (unsigned)rng_below(rng, 4);
    int64_t fees = rng_below(rng, 2) ? 6 : 100000, weights = rng_below(rng, 2) ? 3 : 4000;
    uint64_t parents[CLUSTER_MAX] = {0};

    g->n = n;
    for (unsigned i = 0; i < n; i++)
        rank[i] = i;
    for (unsigned i = n; i > 1; i--) {
        unsigned k = (unsigned)rng_below(rng, i), swap = rank[k];
        rank[k] = rank[i - 1];
        rank[i - 1] = swap;
    }
    for (unsigned i = 0; i < n; i++) { /* rank[i] is the place of the i-th from the top */
        struct lin_tx *x = &g->t[rank[i]];
        for (unsigned k = 0; k < 32; k++)
            g->id[rank[i]][k] = (uint8_t)rng_u64(rng);
        *x = (struct lin_tx){
            {(int64_t)rng_below(rng, (uint64_t)fees) - (fees > 10 ? 10000 : 1), 1 + (int64_t)rng_below(rng, (uint64_t)weights)},
            1ull << rank[i],
            g->id[rank[i]]};
        for (unsigned p = 0; p < most && i > 0; p++) {
            unsigned above = (unsigned)(shape == 0   ? i - 1
                                        : shape == 1 ? rng_below(rng, i)
                                        : shape == 2 ? rng_below(rng, i < n / 2 ? i : n / 2)
                                        : shape == 3 ? i - 1 - rng_below(rng, i < 4 ? i : 4)
                                                     : 0);
            if (shape == 2 && i < n / 2)
                break;
            parents[rank[i]] |= 1ull << rank[above];
        }
        for (uint64_t p = parents[rank[i]]; p; p &= p - 1)
            x->ancestors |= g->t[__builtin_ctzll(p)].ancestors;
    }
}

static bool is_closed(const struct graph *g, uint64_t set, uint64_t within)
{
    for (uint64_t b = set; b; b &= b - 1) {
        if (g->t[__builtin_ctzll(b)].ancestors & within & ~set)
            return false;
    }
    return true;
}

static struct fee_weight sum_of(const struct graph *g, uint64_t set)
{
    struct fee_weight sum = {0, 0};
    for (; set; set &= set - 1) {
        sum.fee += g->t[__builtin_ctzll(set)].rate.fee;
        sum.weight += g->t[__builtin_ctzll(set)].rate.weight;
    }
    return sum;
}

/* The best closed set of what is left, again and again. */
static size_t best_chunks(struct fee_weight *out, const struct graph *g)
{
    uint64_t left = (1ull << g->n) - 1;
    size_t n = 0;
    while (left) {
        struct fee_weight best = {0, 1};
        uint64_t best_set = 0;
        for (uint64_t set = left; set; set = (set - 1) & left) {
            struct fee_weight rate;
            if (!is_closed(g, set, left))
                continue;
            rate = sum_of(g, set);
            if (!best_set || rate_cmp(rate, best) > 0) {
                best = rate;
                best_set = set;
            }
        }
        out[n++] = best;
        left &= ~best_set;
    }
    return n;
}

static void check_is_order(const struct graph *g, const unsigned *order)
{
    uint64_t done = 0;
    for (unsigned i = 0; i < g->n; i++) {
        assert_true(order[i] < g->n);
        assert_true((g->t[order[i]].ancestors & ~done) == 1ull << order[i]); /* itself is new, ancestors are there */
        done |= 1ull << order[i];
    }
}

static void check_connected(const struct graph *g, uint64_t set)
{
    uint64_t part = set & -set;
    for (unsigned round = 0; round < g->n; round++) {
        for (uint64_t b = set; b; b &= b - 1) {
            uint64_t family = g->t[__builtin_ctzll(b)].ancestors & set;
            part |= family & part ? family : 0;
        }
    }
    assert_true(part == set);
}

static void best_of_all(void **state)
{
    struct rng rng;
    (void)state;
    rng_init_seed(&rng, 1);
    for (unsigned round = 0; round < 3000; round++) {
        struct fee_weight best[CLUSTER_MAX], chunk[CLUSTER_MAX];
        uint64_t members[CLUSTER_MAX];
        unsigned order[CLUSTER_MAX];
        struct graph g;
        size_t n, n_best;

        random_graph(&g, &rng, 1 + round % 10);
        assert_true(linearise(order, g.t, g.n, ALL_STEPS));
        check_is_order(&g, order);
        n = lin_chunks(chunk, members, g.t, order, g.n);
        n_best = best_chunks(best, &g);
        assert_int_equal(diagram_compare(chunk, n, best, n_best), DIAGRAM_SAME);
        for (size_t i = 0; i < n; i++) {
            check_connected(&g, members[i]);
            assert_true(rate_cmp(sum_of(&g, members[i]), chunk[i]) == 0);
            for (uint64_t part = (members[i] - 1) & members[i]; part; part = (part - 1) & members[i]) {
                if (is_closed(&g, part, members[i]))
                    assert_true(rate_cmp(sum_of(&g, part), chunk[i]) < 0); /* as small as can be */
            }
        }
    }
}

static void smoothing(void **state)
{
    static const uint8_t ids[3][32] = {{1}, {2}, {3}};
    struct lin_tx t[3] = {{{10, 10}, 1, ids[0]}, {{30, 10}, 3, ids[1]}, {{50, 10}, 4, ids[2]}}; /* the second spends the first */
    unsigned last_is_best[3] = {0, 1, 2}, child_is_far[3] = {0, 2, 1}, two[2] = {0, 2};
    struct rng rng;

    (void)state;
    lin_smooth(last_is_best, t, 3);
    assert_memory_equal(last_is_best, ((unsigned[]){2, 0, 1}), sizeof(last_is_best));
    t[1].rate.fee = 90;
    t[2].rate.fee = 10;
    lin_smooth(child_is_far, t, 3);
    assert_memory_equal(child_is_far, ((unsigned[]){0, 1, 2}), sizeof(child_is_far));
    lin_smooth(two, t, 2); /* nothing to gain in a pair */
    assert_memory_equal(two, ((unsigned[]){0, 2}), sizeof(two));

    rng_init_seed(&rng, 9);
    for (unsigned round = 0; round < 500; round++) { /* in any order, parents stay first and fees come no later */
        struct fee_weight before[CLUSTER_MAX], after[CLUSTER_MAX];
        uint64_t unused[CLUSTER_MAX], left;
        unsigned order[CLUSTER_MAX], at = 0;
        struct graph g;
        size_t n_before, n_after;

        random_graph(&g, &rng, 3 + round % 60);
        for (left = (1ull << g.n) - 1; left;) {
            uint64_t b = left;
            while ((g.t[__builtin_ctzll(b)].ancestors & left) != (b & -b))
                b &= b - 1;
            order[at++] = (unsigned)__builtin_ctzll(b);
            left &= ~(b & -b);
        }
        n_before = lin_chunks(before, unused, g.t, order, g.n);
        lin_smooth(order, g.t, g.n);
        check_is_order(&g, order);
        n_after = lin_chunks(after, unused, g.t, order, g.n);
        enum diagram_order cmp = diagram_compare(after, n_after, before, n_before);
        assert_true(cmp == DIAGRAM_BETTER || cmp == DIAGRAM_SAME);
    }
}

/* Where the transactions stand in the array says nothing. */
static void same_for_any_places(void **state)
{
    struct rng rng;
    (void)state;
    rng_init_seed(&rng, 2);
    for (unsigned round = 0; round < 300; round++) {
        struct graph g, turned;
        unsigned a[CLUSTER_MAX], b[CLUSTER_MAX], by = 1 + round % 7;
        random_graph(&g, &rng, 2 + round % 63);
        turned.n = g.n;
        for (unsigned i = 0; i < g.n; i++) {
            struct lin_tx *x = &turned.t[(i + by) % g.n];
            *x = g.t[i];
            x->ancestors = 0;
            for (uint64_t s = g.t[i].ancestors; s; s &= s - 1)
                x->ancestors |= 1ull << ((unsigned)__builtin_ctzll(s) + by) % g.n;
        }
        assert_true(linearise(a, g.t, g.n, ALL_STEPS));
        assert_true(linearise(b, turned.t, g.n, ALL_STEPS));
        for (unsigned i = 0; i < g.n; i++)
            assert_ptr_equal(g.t[a[i]].id, turned.t[b[i]].id);
    }
}

/* The order of places with parents first, in chunks. */
static size_t given_chunks(struct fee_weight *chunk, const struct graph *g)
{
    uint64_t members[CLUSTER_MAX], done = 0;
    unsigned order[CLUSTER_MAX], n = 0;
    while (n < g->n) {
        for (unsigned i = 0; i < g->n; i++) {
            if (!(done >> i & 1) && !(g->t[i].ancestors & ~done & ~(1ull << i))) {
                order[n++] = i;
                done |= 1ull << i;
                break;
            }
        }
    }
    return lin_chunks(chunk, members, g->t, order, g->n);
}

static void bounded(void **state)
{
    static const uint64_t steps[] = {0, 1, 7, 40, 200, 1000, 5000};
    unsigned unfinished = 0, improved = 0;
    struct rng rng;
    (void)state;
    rng_init_seed(&rng, 3);
    for (unsigned round = 0; round < 1400; round++) {
        struct fee_weight given[CLUSTER_MAX], chunk[CLUSTER_MAX], best[CLUSTER_MAX];
        uint64_t members[CLUSTER_MAX], ignored[CLUSTER_MAX];
        unsigned order[CLUSTER_MAX], best_order[CLUSTER_MAX];
        enum diagram_order to_best, to_given;
        struct graph g;
        size_t n, n_best;
        bool finished;

        random_graph(&g, &rng, 1 + round % 64);
        finished = linearise(order, g.t, g.n, steps[rng_below(&rng, sizeof(steps) / sizeof(steps[0]))]);
        check_is_order(&g, order);
        n = lin_chunks(chunk, members, g.t, order, g.n);
        to_given = diagram_compare(chunk, n, given, given_chunks(given, &g));
        assert_true(to_given == DIAGRAM_SAME || to_given == DIAGRAM_BETTER);
        for (size_t i = 0; i < n; i++)
            check_connected(&g, members[i]);
        assert_true(linearise(best_order, g.t, g.n, ALL_STEPS));
        n_best = lin_chunks(best, ignored, g.t, best_order, g.n);
        to_best = diagram_compare(chunk, n, best, n_best);
        assert_true(to_best == DIAGRAM_SAME || (to_best == DIAGRAM_WORSE && !finished));
        unfinished += !finished;
        improved += !finished && to_given == DIAGRAM_BETTER;
    }
    assert_true(unfinished > 200 && improved > 100);
}

/* Fees beyond all money, as prioritisetransaction can make them. */
static void extreme_fees(void **state)
{
    static const int64_t fee[] = {INT64_MAX, INT64_MIN, INT64_MAX, 0, -1};
    struct graph g = {.n = 5};
    unsigned order[CLUSTER_MAX];
    (void)state;
    for (unsigned i = 0; i < g.n; i++) {
        g.id[i][0] = (uint8_t)i;
        g.t[i] = (struct lin_tx){{fee[i], 4000000}, i ? 3ull << (i - 1) | 1 : 1, g.id[i]};
    }
    for (unsigned i = 2; i < g.n; i++)
        g.t[i].ancestors |= g.t[i - 1].ancestors;
    assert_true(linearise(order, g.t, g.n, ALL_STEPS));
    check_is_order(&g, order);
}

static void diagrams(void **state)
{
    const struct fee_weight a[] = {{100, 10}, {50, 10}}, b[] = {{90, 10}, {60, 10}}, c[] = {{150, 20}}, d[] = {{100, 10}, {50, 9}},
                            e[] = {{110, 10}, {30, 10}}, f[] = {{100, 10}, {50, 10}, {0, 5}}, g[] = {{100, 10}, {50, 10}, {-1, 5}};
    (void)state;
    assert_int_equal(diagram_compare(a, 2, a, 2), DIAGRAM_SAME);
    assert_int_equal(diagram_compare(a, 2, b, 2), DIAGRAM_BETTER);
    assert_int_equal(diagram_compare(b, 2, a, 2), DIAGRAM_WORSE);
    assert_int_equal(diagram_compare(c, 1, a, 2), DIAGRAM_WORSE);
    assert_int_equal(diagram_compare(d, 2, a, 2), DIAGRAM_BETTER);
    assert_int_equal(diagram_compare(a, 2, e, 2), DIAGRAM_MIXED);
    assert_int_equal(diagram_compare(a, 2, f, 3), DIAGRAM_SAME);
    assert_int_equal(diagram_compare(g, 3, a, 2), DIAGRAM_WORSE);
    assert_int_equal(diagram_compare(a, 2, NULL, 0), DIAGRAM_BETTER);
    assert_int_equal(diagram_compare(NULL, 0, NULL, 0), DIAGRAM_SAME);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(best_of_all),         cmocka_unit_test(smoothing),
                                       cmocka_unit_test(same_for_any_places), cmocka_unit_test(bounded),
                                       cmocka_unit_test(extreme_fees),        cmocka_unit_test(diagrams)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
