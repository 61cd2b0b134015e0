/* test_orphanage.c - transactions without parents: who keeps what when it becomes too much, compared with a model that counts everything anew
 * each time; work sets, blocks, children; what floods cost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "primitives/serialize.h"
#include "sync/orphanage.h"
#include "util/mem.h"

#define TXS 40
#define PEERS 6
#define LATENCY 60
#define WEIGHT 9000

/* Spends n_in outputs of the transaction `parent` (by its first byte), from output `first` on. */
static struct tx *make(uint8_t parent, uint32_t first, uint32_t n_in, uint8_t salt)
{
    struct outpoint o = {.n = first};
    uint8_t script[2] = {0x51, salt};
    struct tx_builder b;
    struct tx *tx;

    o.txid.b[0] = parent;
    tx_builder_init(&b, 2, salt);
    for (uint32_t i = 0; i < n_in; i++, o.n++)
        tx_builder_add_in(&b, &o, NULL, 0, SEQUENCE_FINAL);
    tx_builder_add_out(&b, 1000, script, 2);
    tx_builder_add_out(&b, 1001, script, 2);
    tx = tx_build(&b);
    tx_builder_clear(&b);
    return tx;
}

static struct tx *child_of(const struct tx *parent, uint32_t n, uint8_t salt)
{
    struct outpoint o = {.txid = parent->txid, .n = n};
    uint8_t script[2] = {0x51, salt};
    struct tx_builder b;
    struct tx *tx;

    tx_builder_init(&b, 2, salt);
    tx_builder_add_in(&b, &o, NULL, 0, SEQUENCE_FINAL);
    if (n == 0) { /* both outputs */
        o.n = 1;
        tx_builder_add_in(&b, &o, NULL, 0, SEQUENCE_FINAL);
    }
    tx_builder_add_out(&b, 500, script, 2);
    tx = tx_build(&b);
    tx_builder_clear(&b);
    return tx;
}

struct model {
    struct orphanage *o;
    struct rng rng;
    struct tx *tx[TXS];
    uint64_t ann[TXS][PEERS]; /* when, 0: not */
    uint64_t clock;
    size_t trims;
};

static int64_t points(const struct tx *tx)
{
    return tx->n_in / 10;
}

struct usage {
    int64_t n, latency, weight;
};

static struct usage usage_of(const struct model *m, int peer)
{
    struct usage u = {0, 0, 0};

    for (int i = 0; i < TXS; i++) {
        bool any = false;
        for (int p = 0; p < PEERS; p++) {
            if (!m->ann[i][p] || (peer >= 0 && p != peer))
                continue;
            u.n++;
            u.latency += 1 + (peer >= 0 || !any ? points(m->tx[i]) : 0);
            u.weight += peer >= 0 || !any ? tx_weight(m->tx[i]) : 0;
            any = true;
        }
    }
    return u;
}

static int64_t model_peers(const struct model *m)
{
    int64_t n = 0;
    for (int p = 0; p < PEERS; p++)
        n += usage_of(m, p).n > 0;
    return n;
}

static bool model_too_much(const struct model *m)
{
    struct usage u = usage_of(m, -1);
    int64_t peers = model_peers(m);
    return u.latency > LATENCY || u.weight > WEIGHT * (peers ? peers : 1);
}

/* The worst peer loses its oldest one, until it fits. */
static void model_trim(struct model *m)
{
    int64_t share;

    if (!model_too_much(m))
        return;
    m->trims++;
    share = LATENCY / model_peers(m);
    while (model_too_much(m)) {
        int worst = -1, oldest = -1;
        double most = 0;
        bool most_latency = false;
        for (int p = 0; p < PEERS; p++) {
            struct usage u = usage_of(m, p);
            double l = (double)u.latency / (double)share, w = (double)u.weight / WEIGHT, x = l >= w ? l : w;
            if (u.n && (x > most || (x == most && (l >= w) >= most_latency))) { /* equal: latency counts, then the later peer */
                worst = p;
                most = x;
                most_latency = l >= w;
            }
        }
        assert_true(worst >= 0 && most > 1);
        for (int i = 0; i < TXS; i++)
            if (m->ann[i][worst] && (oldest < 0 || m->ann[i][worst] < m->ann[oldest][worst]))
                oldest = i;
        m->ann[oldest][worst] = 0;
    }
}

static void compare(struct model *m)
{
    struct orphanage_usage all = orphanage_total(m->o);
    struct usage u = usage_of(m, -1);
    struct orphan_info *list;
    size_t n = orphanage_list(m->o, &list), unique = 0;

    for (int i = 0; i < TXS; i++) {
        bool any = false;
        for (int p = 0; p < PEERS; p++) {
            assert_int_equal(orphanage_has_from(m->o, &m->tx[i]->wtxid, p), m->ann[i][p] != 0);
            any = any || m->ann[i][p];
        }
        assert_int_equal(orphanage_get(m->o, &m->tx[i]->wtxid) != NULL, any);
        unique += any;
    }
    assert_int_equal(n, unique);
    assert_int_equal(all.n, unique);
    assert_int_equal(all.announcements, u.n);
    assert_int_equal(all.latency, u.latency);
    assert_int_equal(all.weight, u.weight);
    for (int p = 0; p < PEERS; p++) {
        struct orphanage_usage a = orphanage_peer(m->o, p);
        u = usage_of(m, p);
        assert_int_equal(a.announcements, u.n);
        assert_int_equal(a.latency, u.latency);
        assert_int_equal(a.weight, u.weight);
    }
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < list[i].n_from; k++) {
            assert_true(orphanage_has_from(m->o, &list[i].tx->wtxid, list[i].from[k]));
            assert_true(k == 0 || list[i].from[k] > list[i].from[k - 1]);
        }
    free(list);
}

/* A block with one transaction, which spends what tx[i] spends. */
static void connect_conflict(struct model *m, int i)
{
    struct block b;

    memset(&b, 0, sizeof(b));
    b.n_tx = 1;
    b.tx = m->tx[i];
    orphanage_remove_block(m->o, &b);
    for (int k = 0; k < TXS; k++) {
        bool hit = false;
        for (uint32_t x = 0; x < m->tx[k]->n_in; x++)
            for (uint32_t y = 0; y < m->tx[i]->n_in; y++)
                hit = hit || outpoint_equal(m->tx[k]->in[x].prevout, m->tx[i]->in[y].prevout);
        if (hit)
            memset(m->ann[k], 0, sizeof(m->ann[k]));
    }
}

static void step(struct model *m, struct rng *r)
{
    int i = (int)rng_below(r, TXS), p = (int)rng_below(r, PEERS);
    bool known = usage_of(m, -1).n && orphanage_get(m->o, &m->tx[i]->wtxid);

    switch (rng_below(r, 20)) {
    case 0:
        orphanage_remove_peer(m->o, p);
        for (int k = 0; k < TXS; k++)
            m->ann[k][p] = 0;
        break;
    case 1:
        assert_int_equal(orphanage_remove(m->o, &m->tx[i]->wtxid), known);
        memset(m->ann[i], 0, sizeof(m->ann[i]));
        break;
    case 2:
        connect_conflict(m, i);
        break;
    case 3:
    case 4:
    case 5:
        assert_int_equal(orphanage_add_announcer(m->o, &m->tx[i]->wtxid, p), known && !m->ann[i][p]);
        if (known && !m->ann[i][p])
            m->ann[i][p] = ++m->clock;
        break;
    default:
        if (rng_below(r, 2))
            p = (int)rng_below(r, 2); /* some bring more than others */
        assert_int_equal(orphanage_add(m->o, m->tx[i], p), !known);
        if (!m->ann[i][p])
            m->ann[i][p] = ++m->clock;
    }
    model_trim(m);
}

static void as_the_model(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct model *m = xcalloc(1, sizeof(*m));
        struct rng r;

        rng_init_seed(&r, seed);
        rng_init_seed(&m->rng, seed + 100);
        m->o = orphanage_new(LATENCY, WEIGHT, &m->rng);
        for (int i = 0; i < TXS; i++)
            m->tx[i] =
                make((uint8_t)(1 + rng_below(&r, 20)), (uint32_t)rng_below(&r, 30), (uint32_t)(1 + rng_below(&r, 30)), (uint8_t)i);
        for (int i = 0; i < 600; i++) {
            step(m, &r);
            compare(m);
        }
        assert_true(m->trims > 10);
        orphanage_free(m->o);
        for (int i = 0; i < TXS; i++)
            tx_unref(m->tx[i]);
        free(m);
    }
}

static void work_sets(void **state)
{
    struct rng rng;
    struct orphanage *o;
    struct tx *parent = make(1, 0, 1, 1), *a = child_of(parent, 1, 2), *b = child_of(parent, 0, 3), *other = make(9, 0, 1, 4), *t,
              **list;
    int64_t *peers;
    size_t n;

    (void)state;
    rng_init_seed(&rng, 1);
    o = orphanage_new(ORPHANAGE_MAX_LATENCY, ORPHANAGE_PEER_WEIGHT, &rng);
    assert_true(orphanage_add(o, a, 1));
    assert_true(orphanage_add(o, b, 1));
    assert_true(orphanage_add(o, other, 1));
    assert_false(orphanage_add(o, a, 2)); /* another announcer */
    assert_true(orphanage_has_from(o, &a->wtxid, 2));
    assert_int_equal(orphanage_ready_peers(o, &peers), 0);
    /* The youngest child of that peer comes first; each once. */
    n = orphanage_children(o, parent, 1, &list);
    assert_int_equal(n, 2);
    assert_ptr_equal(list[0], orphanage_get(o, &b->wtxid));
    free(list);
    assert_int_equal(orphanage_children(o, parent, 2, &list), 1);
    free(list);
    assert_int_equal(orphanage_children(o, parent, 3, &list), 0);
    free(list);
    /* Both children are worth another try, each with one of its announcers. */
    orphanage_children_ready(o, parent);
    orphanage_children_ready(o, parent);
    for (int tries = 0; tries < 2; tries++) {
        assert_true(orphanage_ready_peers(o, &peers) >= 1);
        t = orphanage_take_ready(o, peers[0]);
        assert_true(t == orphanage_get(o, &a->wtxid) || t == orphanage_get(o, &b->wtxid));
        tx_unref(t);
        free(peers);
    }
    assert_int_equal(orphanage_ready_peers(o, &peers), 0);
    assert_null(orphanage_take_ready(o, 1));
    /* It goes with its last announcer. */
    orphanage_children_ready(o, parent);
    orphanage_remove_peer(o, 1);
    assert_null(orphanage_get(o, &b->wtxid));
    assert_non_null(orphanage_get(o, &a->wtxid));
    orphanage_remove_peer(o, 2);
    assert_int_equal(orphanage_total(o).n, 0);
    assert_int_equal(orphanage_ready_peers(o, &peers), 0);
    orphanage_free(o);
    tx_unref(parent);
    tx_unref(a);
    tx_unref(b);
    tx_unref(other);
}

/* One peer floods; what another one brought within its share stays. */
static void floods_hurt_the_flooder(void **state)
{
    struct rng rng;
    struct orphanage *o;
    struct tx *honest = make(7, 0, 1, 7);
    clock_t start = clock();

    (void)state;
    rng_init_seed(&rng, 1);
    o = orphanage_new(ORPHANAGE_MAX_LATENCY, ORPHANAGE_PEER_WEIGHT, &rng);
    assert_true(orphanage_add(o, honest, 500));
    for (uint32_t i = 0; i < 20000; i++) {
        struct tx *tx = make(8, i * 100, i % 3 ? 1 : 90, (uint8_t)i);
        orphanage_add(o, tx, i % 200); /* 200 peers */
        orphanage_add_announcer(o, &tx->wtxid, (i + 1) % 200);
        tx_unref(tx);
    }
    assert_non_null(orphanage_get(o, &honest->wtxid));
    assert_true(orphanage_total(o).latency <= ORPHANAGE_MAX_LATENCY);
    assert_true(orphanage_total(o).weight <= ORPHANAGE_PEER_WEIGHT * 201);
    orphanage_free(o);
    tx_unref(honest);
    assert_true((double)(clock() - start) / CLOCKS_PER_SEC < 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_the_model),
        cmocka_unit_test(work_sets),
        cmocka_unit_test(floods_hurt_the_flooder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
