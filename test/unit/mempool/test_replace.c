/* test_replace.c - limits of clusters, replacement, version 3 and dust that must be spent. */
#include "bed.h"

static int setup(void **state)
{
    struct bed *t = (struct bed *)xcalloc(1, sizeof(*t));
    bed_init(t);
    *state = t;
    return 0;
}

static int teardown(void **state)
{
    bed_clear((struct bed *)*state);
    free(*state);
    return 0;
}

static void cluster_count(void **state)
{
    struct bed *t = (struct bed *)*state;
    struct outpoint at = bed_coin(t, 1000000), other = bed_coin(t, 1000000), both[2];
    int64_t value = 1000000, sum;
    struct tx *tx;

    for (int i = 0; i < 64; i++) {
        value -= 1000;
        tx = bed_tx1(t, at, value);
        assert_accepted(t, tx);
        at = out_of(tx, 0);
        tx_unref(tx);
    }
    tx = bed_tx1(t, at, value - 1000);
    assert_refused(t, tx, TX_MEMPOOL_POLICY, "too-large-cluster");
    tx_unref(tx);
    /* Nor may two clusters grow together beyond it; a replacement within is fine. */
    tx = bed_tx1(t, other, 999000);
    assert_accepted(t, tx);
    both[0] = at;
    both[1] = out_of(tx, 0);
    tx_unref(tx);
    sum = value + 999000 - 5000;
    tx = bed_tx(t, 2, both, 2, &sum, 1, 0);
    assert_refused(t, tx, TX_MEMPOOL_POLICY, "too-large-cluster");
    tx_unref(tx);
    assert_int_equal(mempool_count(t->m), 65);
}

static void cluster_weight(void **state)
{
    struct bed *t = (struct bed *)*state;
    int64_t value = 900000, next = 700000;
    struct outpoint at = bed_coin(t, 1000000);
    struct tx *big = bed_tx(t, 2, &at, 1, &value, 1, 60000), *tx;

    assert_accepted(t, big);
    at = out_of(big, 0);
    tx = bed_tx(t, 2, &at, 1, &next, 1, 41000);
    assert_refused(t, tx, TX_MEMPOOL_POLICY, "too-large-cluster");
    tx_unref(tx);
    tx = bed_tx(t, 2, &at, 1, &next, 1, 40000);
    assert_accepted(t, tx);
    tx_unref(tx);
    tx_unref(big);
}

static void replaces(void **state)
{
    struct bed *t = (struct bed *)*state;
    struct outpoint in = bed_coin(t, 100000);
    struct tx *a = bed_tx1(t, in, 99000), *child = bed_tx1(t, out_of(a, 0), 98000), *tx;
    char debug[160];

    assert_accepted(t, a);
    assert_accepted(t, child);
    tx = bed_tx1(t, in, 98500);
    assert_refused(t, tx, TX_RECONSIDERABLE, "insufficient fee");
    snprintf(debug, sizeof(debug), "rejecting replacement %s, less fees than conflicting txs; 0.000015 < 0.00002",
             txid_hex(&tx->txid).s);
    assert_string_equal(t->r.verdict.debug, debug);
    tx_unref(tx);
    tx = bed_tx1(t, in, 97995);
    assert_refused(t, tx, TX_RECONSIDERABLE, "insufficient fee");
    snprintf(debug, sizeof(debug), "rejecting replacement %s, not enough additional fees to relay; 0.00000005 < 0.0000001",
             txid_hex(&tx->txid).s); /* 10 satoshi for 95 vbytes, without needless zeroes */
    assert_string_equal(t->r.verdict.debug, debug);
    tx_unref(tx);
    tx = bed_tx1(t, in, 97900);
    assert_accepted(t, tx);
    assert_int_equal(t->r.n_replaced, 2);
    assert_int_equal(t->removed, 2);
    assert_string_equal(t->last_reason, "replaced");
    assert_false(bed_has(t, a));
    assert_false(bed_has(t, child));
    assert_true(bed_has(t, tx));
    assert_int_equal(mempool_count(t->m), 1);
    tx_unref(tx);
    tx_unref(child);
    tx_unref(a);
}

/* More fee, but so much larger that a miner would be worse off at first. */
static void diagram(void **state)
{
    struct bed *t = (struct bed *)*state;
    struct outpoint in = bed_coin(t, 100000);
    struct tx *a = bed_tx1(t, in, 95000), *tx;
    int64_t value = 93000;

    assert_accepted(t, a);
    tx = bed_tx(t, 2, &in, 1, &value, 1, 1500);
    assert_refused(t, tx, TX_RECONSIDERABLE, "replacement-failed");
    assert_string_equal(t->r.verdict.debug, "insufficient feerate: does not improve feerate diagram");
    tx_unref(tx);
    assert_true(bed_has(t, a));
    tx_unref(a);
}

static void spends_what_it_replaces(void **state)
{
    struct bed *t = (struct bed *)*state;
    struct outpoint in[2] = {bed_coin(t, 100000)};
    struct tx *a = bed_tx1(t, in[0], 99000), *tx;
    int64_t value = 100000;

    assert_accepted(t, a);
    in[1] = out_of(a, 0);
    tx = bed_tx(t, 2, in, 2, &value, 1, 0);
    assert_refused(t, tx, TX_CONSENSUS, "bad-txns-spends-conflicting-tx");
    tx_unref(tx);
    tx_unref(a);
}

/* Of several such the first by its bytes is named, wherever it is spent. */
static void names_the_first_conflict(void **state)
{
    struct bed *t = (struct bed *)*state;
    for (unsigned round = 0; round < 6; round++) {
        struct outpoint in[4] = {bed_coin(t, 100000), bed_coin(t, 100000)};
        struct tx *a = bed_tx1(t, in[0], 99000), *b = bed_tx1(t, in[1], 99000), *tx;
        const struct tx *first = memcmp(a->txid.b, b->txid.b, 32) < 0 ? a : b;
        int64_t value = 300000;

        assert_accepted(t, a);
        assert_accepted(t, b);
        in[2] = out_of(round & 1 ? a : b, 0);
        in[3] = out_of(round & 1 ? b : a, 0);
        tx = bed_tx(t, 2, in, 4, &value, 1, 0);
        assert_refused(t, tx, TX_CONSENSUS, "bad-txns-spends-conflicting-tx");
        assert_non_null(strstr(t->r.verdict.debug, txid_hex(&first->txid).s));
        tx_unref(tx);
        tx_unref(a);
        tx_unref(b);
    }
}

static void too_many_clusters(void **state)
{
    struct bed *t = (struct bed *)*state;
    struct outpoint in[101];
    int64_t value = 90000 * 101;
    struct tx *tx;

    for (int i = 0; i < 101; i++) {
        in[i] = bed_coin(t, 100000);
        tx = bed_tx1(t, in[i], 99900);
        assert_accepted(t, tx);
        tx_unref(tx);
    }
    tx = bed_tx(t, 2, in, 101, &value, 1, 0);
    assert_refused(t, tx, TX_MEMPOOL_POLICY, "too many potential replacements");
    tx_unref(tx);
    value -= 90000;
    tx = bed_tx(t, 2, in, 100, &value, 1, 0);
    assert_accepted(t, tx);
    assert_int_equal(t->r.n_replaced, 100);
    assert_int_equal(mempool_count(t->m), 2);
    tx_unref(tx);
}

static void version_three(void **state)
{
    struct bed *t = (struct bed *)*state;
    struct outpoint in = bed_coin(t, 100000), old = bed_coin(t, 100000), at;
    int64_t two[2] = {40000, 50000}, v;
    struct tx *parent = bed_tx(t, 3, &in, 1, two, 2, 0), *plain = bed_tx1(t, old, 90000), *child, *tx;

    assert_accepted(t, parent);
    assert_accepted(t, plain);
    tx = bed_tx1(t, out_of(parent, 0), 39000);
    assert_refused(t, tx, TX_MEMPOOL_POLICY, "TRUC-violation");
    tx_unref(tx);
    at = out_of(plain, 0);
    v = 80000;
    tx = bed_tx(t, 3, &at, 1, &v, 1, 0);
    assert_refused(t, tx, TX_MEMPOOL_POLICY, "TRUC-violation");
    tx_unref(tx);
    at = out_of(parent, 0);
    v = 30000;
    tx = bed_tx(t, 3, &at, 1, &v, 1, 1000);
    assert_refused(t, tx, TX_MEMPOOL_POLICY, "TRUC-violation");
    tx_unref(tx);
    child = bed_tx(t, 3, &at, 1, &v, 1, 0);
    assert_accepted(t, child);
    at = out_of(child, 0);
    v = 20000;
    tx = bed_tx(t, 3, &at, 1, &v, 1, 0);
    assert_refused(t, tx, TX_MEMPOOL_POLICY, "TRUC-violation"); /* a grandchild */
    tx_unref(tx);
    at = out_of(parent, 1);
    v = 45000;
    tx = bed_tx(t, 3, &at, 1, &v, 1, 0);
    assert_refused(t, tx, TX_RECONSIDERABLE, "insufficient fee (including sibling eviction)");
    tx_unref(tx);
    v = 35000;
    tx = bed_tx(t, 3, &at, 1, &v, 1, 0);
    assert_accepted(t, tx);
    assert_false(bed_has(t, child));
    tx_unref(tx);
    tx_unref(child);
    tx_unref(parent);
    tx_unref(plain);

    in = bed_coin(t, 1000000);
    v = 900000;
    tx = bed_tx(t, 3, &in, 1, &v, 1, 10000);
    assert_refused(t, tx, TX_MEMPOOL_POLICY, "TRUC-violation");
    tx_unref(tx);
}

static void ephemeral_dust(void **state)
{
    struct bed *t = (struct bed *)*state;
    struct mempool_options o = bed_options(t);
    struct outpoint in = bed_coin(t, 100000), ends[2];
    int64_t out[2] = {100000, 0}, v = 90000;
    struct tx *parent = bed_tx(t, 3, &in, 1, out, 2, 0), *tx;

    assert_refused(t, parent, TX_RECONSIDERABLE, "min relay fee not met"); /* alone; packages are another matter */
    o.policy.min_relay_fee_rate = 0;
    bed_renew(t, &o);
    assert_accepted(t, parent);
    ends[0] = out_of(parent, 0);
    ends[1] = out_of(parent, 1);
    tx = bed_tx(t, 3, ends, 1, &v, 1, 0);
    assert_refused(t, tx, TX_MEMPOOL_POLICY, "missing-ephemeral-spends");
    tx_unref(tx);
    tx = bed_tx(t, 3, ends, 2, &v, 1, 0);
    assert_accepted(t, tx);
    tx_unref(tx);
    tx_unref(parent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(cluster_count, setup, teardown),
        cmocka_unit_test_setup_teardown(cluster_weight, setup, teardown),
        cmocka_unit_test_setup_teardown(replaces, setup, teardown),
        cmocka_unit_test_setup_teardown(diagram, setup, teardown),
        cmocka_unit_test_setup_teardown(names_the_first_conflict, setup, teardown),
        cmocka_unit_test_setup_teardown(spends_what_it_replaces, setup, teardown),
        cmocka_unit_test_setup_teardown(too_many_clusters, setup, teardown),
        cmocka_unit_test_setup_teardown(version_three, setup, teardown),
        cmocka_unit_test_setup_teardown(ephemeral_dust, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
