/* test_model.c - random additions, replacements, blocks, reorganisations and fee deltas; after each the pool is compared with what a slow
 * model says about the same transactions: relations, sums, order. */
#include "bed.h"
#include "util/random.h"

#define TXS 400

struct model {
    struct bed bed;
    struct rng rng;
    struct tx *tx[TXS]; /* all ever made */
    size_t n;
    struct outpoint free_out[4 * TXS];
    int64_t free_value[4 * TXS];
    size_t n_free;
};

static bool spends(const struct tx *child, const struct tx *parent)
{
    for (uint32_t i = 0; i < child->n_in; i++) {
        if (txid_equal(&child->in[i].prevout->txid, &parent->txid))
            return true;
    }
    return false;
}

struct view {
    const struct tx *tx[TXS];
    struct mempool_entry e[TXS];
    size_t n;
    int64_t fee, weight; /* of chunks */
    struct mempool_chunk last;
};

static bool see_entry(void *ctx, const struct mempool_entry *e)
{
    struct view *v = (struct view *)ctx;
    v->tx[v->n] = e->tx;
    v->e[v->n++] = *e;
    return true;
}

static bool see_chunk(void *ctx, const struct mempool_chunk *c)
{
    struct view *v = (struct view *)ctx;
    int64_t fee = 0, weight = 0;
    for (size_t i = 0; i < c->n; i++) {
        fee += c->tx[i].modified_fee;
        weight += c->tx[i].weight;
        assert_int_equal(c->tx[i].chunk_fee, c->fee);
        assert_int_equal(c->tx[i].chunk_weight, c->weight);
    }
    assert_int_equal(fee, c->fee);
    assert_int_equal(weight, c->weight);
    if (v->weight) /* rates never rise */
        assert_true((__int128)v->fee * c->weight >= (__int128)c->fee * v->weight);
    v->fee = c->fee;
    v->weight = c->weight;
    v->n += c->n;
    return true;
}

/* Sums over all ancestors (or descendants) of one, by brute force. */
static void compare_family(const struct view *v, size_t of, bool up)
{
    bool in[TXS] = {false}, more = true;
    uint32_t n = 0;
    int64_t vsize = 0, fees = 0;
    in[of] = true;
    while (more) {
        more = false;
        for (size_t i = 0; i < v->n; i++) {
            for (size_t k = 0; k < v->n && !in[i]; k++) {
                if (in[k] && (up ? spends(v->tx[k], v->tx[i]) : spends(v->tx[i], v->tx[k])))
                    in[i] = more = true;
            }
        }
    }
    for (size_t i = 0; i < v->n; i++) {
        n += in[i];
        vsize += in[i] ? v->e[i].vsize : 0;
        fees += in[i] ? v->e[i].modified_fee : 0;
    }
    assert_int_equal(n, up ? v->e[of].n_ancestors : v->e[of].n_descendants);
    assert_int_equal(vsize, up ? v->e[of].ancestor_vsize : v->e[of].descendant_vsize);
    assert_int_equal(fees, up ? v->e[of].ancestor_fees : v->e[of].descendant_fees);
}

static bool count_members(void *ctx, const struct mempool_chunk *c)
{
    *(size_t *)ctx += c->n;
    return true;
}

/* A cluster is what can be reached by spending, either way. */
static void compare_cluster(struct model *o, const struct view *v, size_t of)
{
    bool in[TXS] = {false}, more = true;
    size_t n = 0, members = 0;
    in[of] = true;
    while (more) {
        more = false;
        for (size_t i = 0; i < v->n; i++) {
            for (size_t k = 0; k < v->n && !in[i]; k++) {
                if (in[k] && (spends(v->tx[k], v->tx[i]) || spends(v->tx[i], v->tx[k])))
                    in[i] = more = true;
            }
        }
    }
    for (size_t i = 0; i < v->n; i++)
        n += in[i];
    assert_true(mempool_cluster_chunks(o->bed.m, &v->tx[of]->txid, count_members, &members));
    assert_int_equal(members, n);
}

static void compare(struct model *o)
{
    static struct view v, chunks;
    struct mempool_stats s;
    int64_t fee = 0, vsize = 0;

    memset(&v, 0, sizeof(v));
    memset(&chunks, 0, sizeof(chunks));
    mempool_each(o->bed.m, see_entry, &v);
    mempool_each_chunk(o->bed.m, see_chunk, &chunks);
    mempool_stats(o->bed.m, &s);
    assert_int_equal(v.n, s.count);
    assert_int_equal(chunks.n, s.count);
    for (size_t i = 0; i < v.n; i++) {
        fee += v.e[i].fee;
        vsize += v.e[i].vsize;
        for (size_t k = i + 1; k < v.n; k++)
            assert_false(spends(v.tx[i], v.tx[k])); /* parents come first */
        for (uint32_t k = 0; k < v.tx[i]->n_in; k++) {
            struct txid spender;
            assert_true(mempool_is_spent(o->bed.m, v.tx[i]->in[k].prevout, &spender));
            assert_memory_equal(&spender, &v.tx[i]->txid, 32);
        }
        compare_family(&v, i, true);
        compare_family(&v, i, false);
        compare_cluster(o, &v, i);
    }
    assert_int_equal(fee, s.total_fee);
    assert_int_equal(vsize, s.bytes);
    /* Not a byte is lost or counted twice: an empty pool of the same tables uses the rest. */
    assert_true(s.count == 0 || s.usage > (size_t)s.bytes);
}

static void make_one(struct model *o)
{
    struct outpoint in[3];
    int64_t out[2], sum = 0;
    size_t n_in = 1 + rng_below(&o->rng, 3), n_out = 1 + rng_below(&o->rng, 2);
    for (size_t i = 0; i < n_in; i++) {
        size_t pick = rng_below(&o->rng, o->n_free);
        in[i] = o->free_out[pick];
        sum += o->free_value[pick];
        for (size_t k = 0; k < i; k++) {
            if (outpoint_equal(&in[i], &in[k])) {
                n_in = i;
                sum -= o->free_value[pick];
                break;
            }
        }
    }
    sum -= 200 + (int64_t)rng_below(&o->rng, 5000);
    if (sum < 4000 || o->n == TXS)
        return;
    for (size_t i = 0; i < n_out; i++)
        out[i] = sum / (int64_t)n_out;
    struct tx *tx = bed_tx(&o->bed, 2, in, n_in, out, n_out, rng_below(&o->rng, 4) ? 0 : rng_below(&o->rng, 3000));
    o->tx[o->n++] = tx;
    if (bed_accept(&o->bed, tx)) {
        for (size_t i = 0; i < n_out && o->n_free < ARRAY_LEN(o->free_out); i++) {
            o->free_value[o->n_free] = out[i];
            o->free_out[o->n_free++] = out_of(tx, (uint32_t)i);
        }
    }
}

struct pick {
    struct tx *tx[TXS];
    size_t n, max;
};
static bool pick_first(void *ctx, const struct mempool_entry *e)
{
    struct pick *p = (struct pick *)ctx;
    p->tx[p->n++] = e->tx;
    return p->n < p->max;
}

static struct block *mine(struct model *o, size_t max)
{
    struct pick p = {.max = max};
    if (max)
        mempool_each(o->bed.m, pick_first, &p);
    struct block *b = bed_block(&o->bed, p.tx, p.n);
    bed_connect(&o->bed, b);
    mempool_tip_changed(o->bed.m);
    return b;
}

static void run(uint64_t seed)
{
    struct model *o = (struct model *)xcalloc(1, sizeof(*o));
    struct block *mined[16];
    size_t n_mined = 0;

    bed_init(&o->bed);
    rng_init_seed(&o->rng, seed);
    for (int i = 0; i < 30; i++) {
        o->free_value[o->n_free] = 200000;
        o->free_out[o->n_free++] = bed_coin(&o->bed, 200000);
    }
    for (int step = 0; step < 250; step++) {
        uint64_t what = rng_below(&o->rng, 20);
        if (what < 15) {
            make_one(o);
        } else if (what < 17 && o->n) {
            mempool_prioritise(o->bed.m, &o->tx[rng_below(&o->rng, o->n)]->txid, (int64_t)rng_below(&o->rng, 10000) - 3000);
        } else if (what < 18 && n_mined < ARRAY_LEN(mined)) {
            mined[n_mined++] = mine(o, rng_below(&o->rng, 12));
        } else if (what == 19 && n_mined) {
            size_t depth = 1 + rng_below(&o->rng, n_mined);
            while (depth--) {
                bed_disconnect(&o->bed, mined[--n_mined]);
                block_unref(mined[n_mined]);
            }
            mempool_tip_changed(o->bed.m);
        }
        compare(o);
    }
    while (n_mined)
        block_unref(mined[--n_mined]);
    assert_true(o->bed.added > 60 && o->bed.removed > 20); /* something happened */
    for (size_t i = 0; i < o->n; i++)
        tx_unref(o->tx[i]);
    bed_clear(&o->bed);
    free(o);
}

static void random_operations(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 6; seed++)
        run(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_operations)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
