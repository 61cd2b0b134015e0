/* test_package.c - transactions that are judged together: who pays for whom, what is reported for each, what the pool holds afterwards. */
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

/* A parent of one confirmed coin, and its child. */
struct pair {
    struct tx *tx[2];
    struct mempool_package_result r;
};

static void pair_init(struct bed *t, struct pair *p, uint32_t version, struct outpoint in, int64_t value, int64_t fee,
                      int64_t child_fee)
{
    int64_t v = value - fee, w = v - child_fee;
    struct outpoint o;
    p->tx[0] = bed_tx(t, version, &in, 1, &v, 1, 0);
    o = out_of(p->tx[0], 0);
    p->tx[1] = bed_tx(t, version, &o, 1, &w, 1, 0);
}

static void pair_clear(struct pair *p)
{
    mempool_package_result_clear(&p->r);
    tx_unref(p->tx[0]);
    tx_unref(p->tx[1]);
}

static void assert_package(const struct mempool_package_result *r, enum mempool_package_kind kind, const char *reason)
{
    assert_int_equal(r->kind, kind);
    assert_string_equal(r->verdict.reason, reason);
    assert_int_equal(r->verdict.kind, kind == MEMPOOL_PACKAGE_VALID ? VERDICT_VALID : VERDICT_INVALID);
}

static void assert_result(const struct mempool_result *r, enum mempool_result_kind kind, const char *reason)
{
    assert_string_equal(r->verdict.reason, reason);
    assert_int_equal(r->kind, kind);
}

static void child_pays(void **state)
{
    struct bed *t = (struct bed *)*state;
    struct pair p;
    int64_t vsize;

    pair_init(t, &p, 2, bed_coin(t, 100000), 100000, 0, 500);
    assert_refused(t, p.tx[0], TX_RECONSIDERABLE, "min relay fee not met");
    assert_int_equal(t->r.includes, 1);
    assert_int_equal(t->r.effective_rate, 0);
    assert_true(mempool_accept_pair(t->m, p.tx[0], p.tx[1], &p.r));
    assert_package(&p.r, MEMPOOL_PACKAGE_VALID, "");
    vsize = tx_vsize(p.tx[0]) + tx_vsize(p.tx[1]);
    for (int i = 0; i < 2; i++) {
        assert_result(&p.r.tx[i], MEMPOOL_ACCEPTED, "");
        assert_int_equal(p.r.tx[i].fee, i ? 500 : 0);
        assert_int_equal(p.r.tx[i].vsize, tx_vsize(p.tx[i]));
        assert_int_equal(p.r.tx[i].includes, 3);
        assert_int_equal(p.r.tx[i].effective_rate, 500 * 1000 / vsize);
        assert_true(bed_has(t, p.tx[i]));
    }
    assert_int_equal(t->added, 2);
    mempool_package_result_clear(&p.r);
    assert_true(mempool_accept_pair(t->m, p.tx[0], p.tx[1], &p.r)); /* once more */
    assert_result(&p.r.tx[0], MEMPOOL_ALREADY_THERE, "");
    assert_result(&p.r.tx[1], MEMPOOL_ALREADY_THERE, "");
    assert_int_equal(p.r.tx[1].fee, 500);
    assert_int_equal(t->added, 2);
    pair_clear(&p);
}

/* Who can stand alone does, and its fee does not pay for others. */
static void each_alone_first(void **state)
{
    struct bed *t = (struct bed *)*state;
    struct pair p;

    pair_init(t, &p, 2, bed_coin(t, 100000), 100000, 1000, 0);
    assert_false(mempool_accept_pair(t->m, p.tx[0], p.tx[1], &p.r));
    assert_package(&p.r, MEMPOOL_PACKAGE_TX, "transaction failed");
    assert_result(&p.r.tx[0], MEMPOOL_ACCEPTED, "");
    assert_int_equal(p.r.tx[0].includes, 1);
    assert_result(&p.r.tx[1], MEMPOOL_REJECTED, "min relay fee not met");
    assert_int_equal(p.r.tx[1].includes, 2);
    assert_true(bed_has(t, p.tx[0]) && !bed_has(t, p.tx[1]));
    pair_clear(&p);
}

static void too_little_together(void **state)
{
    struct bed *t = (struct bed *)*state;
    struct pair p;

    pair_init(t, &p, 2, bed_coin(t, 100000), 100000, 0, 12);
    assert_false(mempool_accept_pair(t->m, p.tx[0], p.tx[1], &p.r));
    assert_package(&p.r, MEMPOOL_PACKAGE_TX, "transaction failed");
    assert_result(&p.r.tx[0], MEMPOOL_REJECTED, "min relay fee not met");
    assert_int_equal(p.r.tx[0].includes, 1);
    assert_result(&p.r.tx[1], MEMPOOL_REJECTED, "min relay fee not met");
    assert_int_equal(p.r.tx[1].verdict.code, TX_RECONSIDERABLE);
    assert_int_equal(p.r.tx[1].includes, 3);
    assert_int_equal(p.r.tx[1].effective_rate, 12 * 1000 / (tx_vsize(p.tx[0]) + tx_vsize(p.tx[1])));
    assert_int_equal(mempool_count(t->m), 0);
    pair_clear(&p);
}

static struct tx *other_witness(struct bed *t, struct outpoint in, int64_t value)
{
    static const uint8_t push[1] = {1}, op_drop_true[1] = {OP_1};
    struct witness_item items[2] = {{push, 1}, {op_drop_true, 1}};
    struct tx_builder b;
    struct tx *tx;

    tx_builder_init(&b, 2, 0);
    tx_builder_set_witness(&b, tx_builder_add_in(&b, &in, NULL, 0, SEQUENCE_FINAL), items, 2);
    tx_builder_add_out(&b, value, t->spk, sizeof(t->spk));
    tx = tx_build(&b);
    tx_builder_clear(&b);
    return tx;
}

static void other_witness_there(void **state)
{
    struct bed *t = (struct bed *)*state;
    struct outpoint in = bed_coin(t, 100000);
    struct tx *other = other_witness(t, in, 99000);
    struct pair p;

    pair_init(t, &p, 2, in, 100000, 1000, 1000);
    assert_memory_equal(&other->txid, &p.tx[0]->txid, 32);
    assert_accepted(t, p.tx[0]);
    assert_true(mempool_accept_pair(t->m, other, p.tx[1], &p.r));
    assert_result(&p.r.tx[0], MEMPOOL_OTHER_WITNESS, "");
    assert_memory_equal(&p.r.tx[0].other, &p.tx[0]->wtxid, 32);
    assert_result(&p.r.tx[1], MEMPOOL_ACCEPTED, "");
    tx_unref(other);
    pair_clear(&p);
}

static void shape(void **state)
{
    struct bed *t = (struct bed *)*state;
    struct tx *a = bed_tx1(t, bed_coin(t, 100000), 99000), *b = bed_tx1(t, bed_coin(t, 100000), 99000);
    struct tx *const apart[2] = {a, b}, *const twice[2] = {a, a};
    struct mempool_package_result r;
    struct pair p;

    assert_false(mempool_accept_package(t->m, apart, 2, 0, &r));
    assert_package(&r, MEMPOOL_PACKAGE_POLICY, "package-not-child-with-parents");
    assert_result(&r.tx[0], MEMPOOL_NOT_JUDGED, "");
    assert_result(&r.tx[1], MEMPOOL_NOT_JUDGED, "");
    assert_false(mempool_accept_package(t->m, twice, 2, 0, &r));
    assert_package(&r, MEMPOOL_PACKAGE_POLICY, "package-contains-duplicates");
    pair_init(t, &p, 2, bed_coin(t, 100000), 100000, 1000, 1000);
    assert_false(mempool_accept_pair(t->m, p.tx[1], p.tx[0], &p.r));
    assert_package(&p.r, MEMPOOL_PACKAGE_POLICY, "package-not-sorted");
    assert_int_equal(mempool_count(t->m), 0);
    assert_true(mempool_accept_package(t->m, &a, 1, 0, &r)); /* one alone */
    assert_result(&r.tx[0], MEMPOOL_ACCEPTED, "");
    pair_clear(&p);
    tx_unref(a);
    tx_unref(b);
}

/* A fault that fees do not mend ends the matter, but not for those that stand alone. */
static void bad_script(void **state)
{
    struct bed *t = (struct bed *)*state;
    struct outpoint in = bed_coin(t, 100000);
    struct tx *bad, *const *txs;
    struct tx *list[2];
    struct mempool_package_result r;
    struct pair p;

    pair_init(t, &p, 2, in, 100000, 0, 1000);
    bad = other_witness(t, out_of(p.tx[0], 0), 90000); /* leaves more than one item: bad for P2WSH */
    list[0] = p.tx[0];
    list[1] = bad;
    txs = list;
    assert_false(mempool_accept_package(t->m, txs, 2, 0, &r));
    assert_package(&r, MEMPOOL_PACKAGE_TX, "transaction failed");
    assert_result(&r.tx[0], MEMPOOL_REJECTED, "min relay fee not met");
    assert_int_equal(r.tx[1].kind, MEMPOOL_REJECTED);
    assert_non_null(strstr(r.tx[1].verdict.reason, "mempool-script-verify-flag-failed"));
    assert_int_equal(mempool_count(t->m), 0);
    tx_unref(bad);
    memset(&p.r, 0, sizeof(p.r));
    pair_clear(&p);
}

static void max_rate(void **state)
{
    struct bed *t = (struct bed *)*state;
    struct pair p;

    pair_init(t, &p, 2, bed_coin(t, 100000), 100000, 0, 50000);
    assert_false(mempool_accept_package(t->m, p.tx, 2, 100000, &p.r));
    assert_package(&p.r, MEMPOOL_PACKAGE_TX, "transaction failed");
    assert_result(&p.r.tx[1], MEMPOOL_REJECTED, "max feerate exceeded");
    assert_int_equal(mempool_count(t->m), 0);
    mempool_package_result_clear(&p.r);
    assert_true(mempool_accept_package(t->m, p.tx, 2, 100000000, &p.r));
    pair_clear(&p);
}

static void replaces_together(void **state)
{
    struct bed *t = (struct bed *)*state;
    struct outpoint in = bed_coin(t, 100000), ins[2];
    struct tx *old = bed_tx1(t, in, 99000), *old_child = bed_tx1(t, out_of(old, 0), 98000), *lone, *child;
    struct tx *list[2];
    struct mempool_package_result r;
    int64_t v = 150000;
    struct pair p;

    assert_accepted(t, old);
    assert_accepted(t, old_child);
    pair_init(t, &p, 2, in, 100000, 0, 1500);
    assert_false(mempool_accept_pair(t->m, p.tx[0], p.tx[1], &p.r));
    assert_package(&p.r, MEMPOOL_PACKAGE_POLICY, "package RBF failed: insufficient anti-DoS fees");
    assert_result(&p.r.tx[0], MEMPOOL_REJECTED, "min relay fee not met"); /* what was found alone */
    pair_clear(&p);

    /* A child that has another parent in the pool. */
    lone = bed_tx1(t, bed_coin(t, 100000), 99000);
    assert_accepted(t, lone);
    pair_init(t, &p, 2, in, 100000, 0, 9000);
    ins[0] = out_of(p.tx[0], 0);
    ins[1] = out_of(lone, 0);
    child = bed_tx(t, 2, ins, 2, &v, 1, 0);
    list[0] = p.tx[0];
    list[1] = child;
    assert_false(mempool_accept_package(t->m, list, 2, 0, &r));
    assert_package(&r, MEMPOOL_PACKAGE_POLICY, "package RBF failed: new transaction cannot have mempool ancestors");
    assert_true(bed_has(t, old) && bed_has(t, old_child));

    assert_true(mempool_accept_pair(t->m, p.tx[0], p.tx[1], &p.r));
    assert_int_equal(p.r.n_replaced, 2);
    assert_false(bed_has(t, old) || bed_has(t, old_child));
    assert_int_equal(mempool_count(t->m), 3);
    assert_string_equal(t->last_reason, "replaced");
    pair_clear(&p);
    tx_unref(child);
    tx_unref(lone);
    tx_unref(old);
    tx_unref(old_child);
}

/* The child must make the pair better than the parent is. */
static void parent_pays_more(void **state)
{
    struct bed *t = (struct bed *)*state;
    struct outpoint in = bed_coin(t, 100000);
    struct tx *old = bed_tx1(t, in, 90000);
    struct pair p;

    assert_accepted(t, old);
    pair_init(t, &p, 2, in, 100000, 9990, 200);
    assert_false(mempool_accept_pair(t->m, p.tx[0], p.tx[1], &p.r));
    assert_package(&p.r, MEMPOOL_PACKAGE_POLICY, "package RBF failed: package feerate is less than or equal to parent feerate");
    assert_non_null(strstr(p.r.verdict.debug, "BTC/kvB <= parent feerate is 0.00"));
    assert_true(bed_has(t, old));
    pair_clear(&p);
    tx_unref(old);
}

static void version_three(void **state)
{
    struct bed *t = (struct bed *)*state;
    struct outpoint at, in = bed_coin(t, 100000);
    int64_t two[2] = {50000, 50000}, v = 40000;
    struct tx *parent = bed_tx(t, 3, &in, 1, two, 2, 0), *child, *big;
    struct tx *list[2] = {parent, NULL};
    struct mempool_package_result r;

    child = bed_tx1(t, out_of(parent, 0), 40000); /* version 2 */
    list[1] = child;
    assert_false(mempool_accept_package(t->m, list, 2, 0, &r));
    assert_package(&r, MEMPOOL_PACKAGE_POLICY, "TRUC-violation");
    assert_non_null(strstr(r.verdict.debug, "cannot spend from version=3 tx"));
    tx_unref(child);
    at = out_of(parent, 0);
    big = bed_tx(t, 3, &at, 1, &v, 1, 1000);
    list[1] = big;
    assert_false(mempool_accept_package(t->m, list, 2, 0, &r));
    assert_non_null(strstr(r.verdict.debug, "is too big"));
    tx_unref(big);
    child = bed_tx(t, 3, &at, 1, &v, 1, 0);
    list[1] = child;
    assert_true(mempool_accept_package(t->m, list, 2, 0, &r));
    tx_unref(child);
    tx_unref(parent);
}

static void ephemeral_dust(void **state)
{
    struct bed *t = (struct bed *)*state;
    struct outpoint in = bed_coin(t, 100000), ends[2];
    int64_t out[2] = {100000, 0}, v = 90000;
    struct tx *parent = bed_tx(t, 3, &in, 1, out, 2, 0), *tx;
    struct tx *list[2] = {parent, NULL};
    struct mempool_package_result r;

    ends[0] = out_of(parent, 0);
    ends[1] = out_of(parent, 1);
    list[1] = tx = bed_tx(t, 3, ends, 1, &v, 1, 0);
    assert_false(mempool_accept_package(t->m, list, 2, 0, &r));
    assert_package(&r, MEMPOOL_PACKAGE_TX, "unspent-dust");
    assert_result(&r.tx[1], MEMPOOL_REJECTED, "missing-ephemeral-spends");
    tx_unref(tx);
    list[1] = tx = bed_tx(t, 3, ends, 2, &v, 1, 0);
    assert_true(mempool_accept_package(t->m, list, 2, 0, &r));
    tx_unref(tx);
    tx_unref(parent);
}

static void cluster_limit(void **state)
{
    struct bed *t = (struct bed *)*state;
    struct mempool_options o = bed_options(t);
    struct outpoint ins[2];
    struct tx *there, *child;
    struct tx *list[2];
    struct mempool_package_result r;
    int64_t v = 190000;
    struct pair p;

    o.policy.cluster_count = 2;
    bed_renew(t, &o);
    there = bed_tx1(t, bed_coin(t, 100000), 99000);
    assert_accepted(t, there);
    pair_init(t, &p, 2, bed_coin(t, 100000), 100000, 0, 1000);
    ins[0] = out_of(p.tx[0], 0);
    ins[1] = out_of(there, 0);
    list[0] = p.tx[0];
    list[1] = child = bed_tx(t, 2, ins, 2, &v, 1, 0);
    assert_false(mempool_accept_package(t->m, list, 2, 0, &r));
    assert_package(&r, MEMPOOL_PACKAGE_POLICY, "too-large-cluster");
    assert_true(mempool_accept_pair(t->m, p.tx[0], p.tx[1], &p.r));
    pair_clear(&p);
    tx_unref(there);
    tx_unref(child);
}

/* The pool is full of better ones: in for a moment, and out again. */
static void pool_full(void **state)
{
    struct bed *t = (struct bed *)*state;
    struct mempool_options o = bed_options(t);
    struct mempool_stats s;
    struct pair p;

    o.max_bytes = 600000;
    bed_renew(t, &o);
    do {
        struct outpoint in = bed_coin(t, 1000000);
        int64_t value = 900000;
        struct tx *tx = bed_tx(t, 2, &in, 1, &value, 1, 20000);
        assert_accepted(t, tx);
        tx_unref(tx);
        mempool_stats(t->m, &s);
    } while (s.usage < 600000 - 22000);
    {
        struct outpoint in = bed_coin(t, 100000), at;
        int64_t v = 99990, w = 90000;
        p.tx[0] = bed_tx(t, 2, &in, 1, &v, 1, 20000);
        at = out_of(p.tx[0], 0);
        p.tx[1] = bed_tx(t, 2, &at, 1, &w, 1, 20000);
    }
    assert_false(mempool_accept_pair(t->m, p.tx[0], p.tx[1], &p.r));
    assert_package(&p.r, MEMPOOL_PACKAGE_TX, "transaction failed");
    assert_result(&p.r.tx[0], MEMPOOL_REJECTED, "mempool full");
    assert_result(&p.r.tx[1], MEMPOOL_REJECTED, "mempool full");
    assert_false(bed_has(t, p.tx[0]) || bed_has(t, p.tx[1]));
    pair_clear(&p);
}

static void tests_only(void **state)
{
    struct bed *t = (struct bed *)*state;
    struct outpoint in = bed_coin(t, 100000);
    struct mempool_stats before, after;
    struct pair p;
    struct tx *other;

    mempool_stats(t->m, &before);
    pair_init(t, &p, 2, in, 100000, 1000, 2000);
    assert_true(mempool_test_package(t->m, p.tx, 2, &p.r));
    assert_result(&p.r.tx[0], MEMPOOL_ACCEPTED, "");
    assert_result(&p.r.tx[1], MEMPOOL_ACCEPTED, "");
    assert_int_equal(p.r.tx[0].includes, 1);
    assert_int_equal(p.r.tx[1].includes, 2);
    assert_int_equal(p.r.tx[1].effective_rate, 2000 * 1000 / tx_vsize(p.tx[1]));
    mempool_stats(t->m, &after);
    assert_int_equal(after.usage, before.usage);
    assert_int_equal(mempool_count(t->m), 0);
    assert_int_equal(t->added, 0);

    other = bed_tx1(t, in, 99500);
    assert_accepted(t, other);
    assert_false(mempool_test_package(t->m, p.tx, 2, &p.r));
    assert_package(&p.r, MEMPOOL_PACKAGE_TX, "transaction failed");
    assert_result(&p.r.tx[0], MEMPOOL_REJECTED, "bip125-replacement-disallowed");
    assert_result(&p.r.tx[1], MEMPOOL_NOT_JUDGED, "");
    tx_unref(other);
    pair_clear(&p);

    pair_init(t, &p, 2, bed_coin(t, 100000), 100000, 0, 2000); /* each pays for itself here */
    assert_false(mempool_test_package(t->m, p.tx, 2, &p.r));
    assert_result(&p.r.tx[0], MEMPOOL_REJECTED, "min relay fee not met");
    pair_clear(&p);
}

static void names(void **state)
{
    struct bed *t = (struct bed *)*state;
    struct hash256 one, two;
    struct pair p;
    struct tx *turned[2];

    pair_init(t, &p, 2, bed_coin(t, 100000), 100000, 1000, 1000);
    turned[0] = p.tx[1];
    turned[1] = p.tx[0];
    one = policy_package_hash(p.tx, 2);
    two = policy_package_hash(turned, 2);
    assert_memory_equal(&one, &two, 32);
    two = policy_package_hash(p.tx, 1);
    assert_memory_not_equal(&one, &two, 32);
    assert_true(policy_is_child_with_parents(p.tx, 2, true));
    assert_false(policy_is_child_with_parents(turned, 2, false));
    assert_false(policy_is_child_with_parents(p.tx, 1, false));
    memset(&p.r, 0, sizeof(p.r));
    pair_clear(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(child_pays, setup, teardown),
        cmocka_unit_test_setup_teardown(each_alone_first, setup, teardown),
        cmocka_unit_test_setup_teardown(too_little_together, setup, teardown),
        cmocka_unit_test_setup_teardown(other_witness_there, setup, teardown),
        cmocka_unit_test_setup_teardown(shape, setup, teardown),
        cmocka_unit_test_setup_teardown(bad_script, setup, teardown),
        cmocka_unit_test_setup_teardown(max_rate, setup, teardown),
        cmocka_unit_test_setup_teardown(replaces_together, setup, teardown),
        cmocka_unit_test_setup_teardown(parent_pays_more, setup, teardown),
        cmocka_unit_test_setup_teardown(version_three, setup, teardown),
        cmocka_unit_test_setup_teardown(ephemeral_dust, setup, teardown),
        cmocka_unit_test_setup_teardown(cluster_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(pool_full, setup, teardown),
        cmocka_unit_test_setup_teardown(tests_only, setup, teardown),
        cmocka_unit_test_setup_teardown(names, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
