/* test_accept.c - every reason for which a transaction is refused, and that nothing changes then. */
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

static void accepts_and_tells(void **state)
{
    struct bed *t = (struct bed *)*state;
    struct tx *a = bed_tx1(t, bed_coin(t, 100000), 99000);
    struct tx *b = bed_tx1(t, out_of(a, 0), 98000);
    struct mempool_entry e;
    struct outpoint o = out_of(a, 0);
    struct txid spender;
    struct coin c;

    assert_accepted(t, a);
    assert_int_equal(t->r.fee, 1000);
    assert_int_equal(t->r.vsize, tx_vsize(a));
    assert_accepted(t, b);
    assert_int_equal(t->added, 2);
    assert_int_equal(mempool_count(t->m), 2);
    assert_true(mempool_get(t->m, &e, &a->txid));
    assert_int_equal(e.n_ancestors, 1);
    assert_int_equal(e.n_descendants, 2);
    assert_int_equal(e.descendant_fees, 2000);
    assert_int_equal(e.height, t->height);
    assert_true(mempool_get_by_wtxid(t->m, &e, &b->wtxid));
    assert_int_equal(e.n_ancestors, 2);
    assert_int_equal(e.ancestor_vsize, tx_vsize(a) + tx_vsize(b));
    assert_true(mempool_has_wtxid(t->m, &a->wtxid));
    assert_true(mempool_get_coin(t->m, &c, &o));
    assert_int_equal(c.out.value, 99000);
    assert_int_equal(c.height, MEMPOOL_COIN_HEIGHT);
    assert_true(mempool_is_spent(t->m, &o, &spender));
    assert_memory_equal(&spender, &b->txid, 32);
    o.n = 1;
    assert_false(mempool_get_coin(t->m, &c, &o));
    assert_false(mempool_is_spent(t->m, &o, NULL));
    tx_unref(a);
    tx_unref(b);
}

static void tests_only(void **state)
{
    struct bed *t = (struct bed *)*state;
    struct tx *a = bed_tx1(t, bed_coin(t, 100000), 99000);
    struct mempool_stats before, after;
    mempool_stats(t->m, &before);
    assert_true(mempool_accept(t->m, a, true, false, &t->r));
    assert_int_equal(t->r.kind, MEMPOOL_ACCEPTED);
    assert_int_equal(t->r.fee, 1000);
    mempool_stats(t->m, &after);
    assert_int_equal(after.count, 0);
    assert_int_equal(after.usage, before.usage);
    assert_int_equal(after.sequence, before.sequence);
    assert_int_equal(after.total_fee, 0);
    assert_int_equal(t->added, 0);
    tx_unref(a);
}

static void known_already(void **state)
{
    struct bed *t = (struct bed *)*state;
    struct outpoint in = bed_coin(t, 100000);
    struct tx *a = bed_tx1(t, in, 99000), *same, *confirmed;
    struct witness_item items[2] = {{(const uint8_t *)"x", 1}, {(const uint8_t *)"\x51", 1}};
    struct tx_builder b;

    tx_builder_init(&b, 2, 0);
    tx_builder_set_witness(&b, tx_builder_add_in(&b, &in, NULL, 0, SEQUENCE_FINAL), items, 2);
    tx_builder_add_out(&b, 99000, t->spk, sizeof(t->spk));
    same = tx_build(&b);
    tx_builder_clear(&b);
    assert_memory_equal(&same->txid, &a->txid, 32);
    assert_accepted(t, a);
    assert_refused(t, a, TX_CONFLICT, "txn-already-in-mempool");
    assert_int_equal(t->r.kind, MEMPOOL_ALREADY_THERE);
    assert_refused(t, same, TX_CONFLICT, "txn-same-nonwitness-data-in-mempool");
    assert_int_equal(t->r.kind, MEMPOOL_REJECTED);

    confirmed = bed_tx1(t, (struct outpoint){{{1}}, 0}, 5000);
    bed_coin(t, 5000);
    t->coin[t->n_coins - 1].at = out_of(confirmed, 0);
    assert_refused(t, confirmed, TX_CONFLICT, "txn-already-known");
    tx_unref(confirmed);
    tx_unref(same);
    tx_unref(a);
}

static void inputs(void **state)
{
    struct bed *t = (struct bed *)*state;
    struct outpoint in = bed_coin(t, 100000), young = bed_coin_of(t, 100000, 250, true, t->spk, sizeof(t->spk));
    struct outpoint odd = bed_coin_of(t, 100000, 100, false, (const uint8_t *)"\x51", 1);
    struct outpoint future = bed_coin_of(t, 100000, 100, false, (const uint8_t *)"\x52\x02\x12\x34", 4);
    struct tx *tx;

    tx = bed_tx1(t, (struct outpoint){{{9}}, 1}, 1000);
    assert_refused(t, tx, TX_MISSING_INPUTS, "bad-txns-inputs-missingorspent");
    tx_unref(tx);
    tx = bed_tx1(t, in, 100001);
    assert_refused(t, tx, TX_CONSENSUS, "bad-txns-in-belowout");
    tx_unref(tx);
    tx = bed_tx1(t, young, 99000);
    assert_refused(t, tx, TX_PREMATURE_SPEND, "bad-txns-premature-spend-of-coinbase");
    tx_unref(tx);
    tx = bed_tx1(t, odd, 99000);
    assert_refused(t, tx, TX_INPUTS_NOT_STANDARD, "bad-txns-nonstandard-inputs");
    assert_string_equal(t->r.verdict.debug, "input 0 script unknown");
    tx_unref(tx);
    tx = bed_tx1(t, future, 99000);
    assert_refused(t, tx, TX_INPUTS_NOT_STANDARD, "bad-txns-nonstandard-inputs");
    assert_string_equal(t->r.verdict.debug, "input 0 witness program is undefined");
    tx_unref(tx);
    t->get_coin_fails = RC_IO;
    tx = bed_tx1(t, in, 99000);
    assert_false(bed_accept(t, tx));
    assert_int_equal(t->r.verdict.kind, VERDICT_INTERNAL);
    tx_unref(tx);
    assert_int_equal(mempool_count(t->m), 0);
}

/* One input with any scriptSig and witness. */
static struct tx *odd_tx(struct bed *t, struct outpoint in, uint32_t sequence, uint32_t lock_time, const char *sig, size_t sig_len,
                         const struct witness_item *w, size_t n)
{
    struct tx_builder b;
    struct tx *tx;
    tx_builder_init(&b, 2, lock_time);
    tx_builder_add_in(&b, &in, sig, sig_len, sequence);
    if (n)
        tx_builder_set_witness(&b, 0, w, n);
    tx_builder_add_out(&b, 90000, t->spk, sizeof(t->spk));
    tx = tx_build(&b);
    tx_builder_clear(&b);
    return tx;
}

static void locks(void **state)
{
    struct bed *t = (struct bed *)*state;
    struct witness_item w = {(const uint8_t *)"\x51", 1};
    struct outpoint in = bed_coin_of(t, 100000, 296, false, t->spk, sizeof(t->spk));
    struct tx *tx;

    tx = odd_tx(t, in, 0, 301, NULL, 0, &w, 1);
    assert_refused(t, tx, TX_PREMATURE_SPEND, "non-final");
    tx_unref(tx);
    tx = odd_tx(t, in, 6, 0, NULL, 0, &w, 1); /* in 302 at the earliest */
    assert_refused(t, tx, TX_PREMATURE_SPEND, "non-BIP68-final");
    t->height++;
    assert_accepted(t, tx);
    tx_unref(tx);
    tx = odd_tx(t, in, (1 << 22) | 100, 0, NULL, 0, &w, 1);
    assert_refused(t, tx, TX_PREMATURE_SPEND, "non-BIP68-final");
    tx_unref(tx);
}

static void scripts(void **state)
{
    struct bed *t = (struct bed *)*state;
    struct outpoint in = bed_coin(t, 100000);
    struct witness_item bad[2] = {{NULL, 0}, {(const uint8_t *)"\x51", 1}}, wrong = {(const uint8_t *)"\x52", 1};
    struct witness_item many[102];
    uint8_t key[32];
    struct tx *tx;

    tx = odd_tx(t, in, SEQUENCE_FINAL, 0, NULL, 0, NULL, 0);
    assert_refused(t, tx, TX_WITNESS_STRIPPED, "mempool-script-verify-flag-failed (Witness program was passed an empty witness)");
    tx_unref(tx);
    tx = odd_tx(t, in, SEQUENCE_FINAL, 0, NULL, 0, &wrong, 1);
    assert_refused(t, tx, TX_NOT_STANDARD, "mempool-script-verify-flag-failed (Witness program hash mismatch)");
    assert_memory_equal(t->r.verdict.debug, "input 0 of ", 11);
    tx_unref(tx);
    tx = odd_tx(t, in, SEQUENCE_FINAL, 0, NULL, 0, bad, 2);
    assert_refused(t, tx, TX_NOT_STANDARD, "mempool-script-verify-flag-failed (Stack size must be exactly one after execution)");
    tx_unref(tx);
    for (size_t i = 0; i < 102; i++)
        many[i] = bad[1];
    tx = odd_tx(t, in, SEQUENCE_FINAL, 0, NULL, 0, many, 102);
    assert_refused(t, tx, TX_WITNESS_MUTATED, "bad-witness-nonstandard");
    tx_unref(tx);

    tx = bed_tx1(t, in, 90000);
    sig_cache_tx_key(key, t->cache, &tx->wtxid, block_script_flags(&t->params, bed_tip(t)));
    assert_false(sig_cache_has(t->cache, key, false));
    assert_accepted(t, tx);
    assert_true(sig_cache_has(t->cache, key, false)); /* connecting a block with it will skip its scripts */
    tx_unref(tx);
}

/* Scripts that another thread has run: the same verdicts, and what passed is not run again. */
static void scripts_ahead(void **state)
{
    struct bed *t = (struct bed *)*state;
    struct tx *good = bed_tx1(t, bed_coin(t, 100000), 90000), *poor = bed_tx1(t, bed_coin(t, 100000), 100000);
    struct tx *bad = bed_tx1(t, (struct outpoint){.n = 7}, 90000);
    struct mempool_scripts *s = mempool_look(t->m, good);
    struct witness_item wrong = {(const uint8_t *)"\x52", 1};
    struct tx *failing = odd_tx(t, bed_coin(t, 100000), SEQUENCE_FINAL, 0, NULL, 0, &wrong, 1);
    uint8_t key[32];

    assert_non_null(s);
    assert_int_equal(mempool_count(t->m), 0);
    sig_cache_tx_key(key, t->cache, &good->wtxid, block_script_flags(&t->params, bed_tip(t)));
    assert_false(sig_cache_has(t->cache, key, false));
    mempool_scripts_run(s);
    assert_true(sig_cache_has(t->cache, key, false));
    assert_accepted(t, good);
    assert_null(mempool_look(t->m, good)); /* known */
    assert_null(mempool_look(t->m, poor)); /* no fee */
    assert_null(mempool_look(t->m, bad));  /* no coin */
    s = mempool_look(t->m, failing);
    assert_non_null(s);
    mempool_scripts_run(s);
    assert_refused(t, failing, TX_NOT_STANDARD, "mempool-script-verify-flag-failed (Witness program hash mismatch)");
    mempool_scripts_free(mempool_look(t->m, failing)); /* never run */
    mempool_scripts_free(NULL);
    tx_unref(failing);
    tx_unref(good);
    tx_unref(poor);
    tx_unref(bad);
}

static void fees(void **state)
{
    struct bed *t = (struct bed *)*state;
    struct outpoint in = bed_coin(t, 100000);
    struct tx *tx = bed_tx1(t, in, 99991); /* 9 satoshi; about 90 vbytes need 10 */
    char debug[32];
    int64_t need = policy_fee(100, tx_vsize(tx));

    assert_refused(t, tx, TX_RECONSIDERABLE, "min relay fee not met");
    snprintf(debug, sizeof(debug), "9 < %d", (int)need);
    assert_string_equal(t->r.verdict.debug, debug);
    assert_int_equal(t->r.fee, 9);
    mempool_prioritise(t->m, &tx->txid, need - 9);
    assert_accepted(t, tx);
    tx_unref(tx);
}

static void form(void **state)
{
    struct bed *t = (struct bed *)*state;
    struct outpoint in = bed_coin(t, 100000), null = {.n = OUTPOINT_NULL_N};
    struct mempool_options o = bed_options(t);
    int64_t dust[2] = {1, 1}, none = 90000;
    struct tx_builder b;
    struct tx *tx;

    tx = bed_tx(t, 4, &in, 1, &none, 1, 0);
    assert_refused(t, tx, TX_NOT_STANDARD, "version");
    tx_unref(tx);
    tx = bed_tx(t, 2, &in, 1, dust, 2, 0);
    assert_refused(t, tx, TX_NOT_STANDARD, "dust");
    tx_unref(tx);
    tx = bed_tx(t, 2, &in, 1, dust, 1, 0);
    assert_refused(t, tx, TX_NOT_STANDARD, "dust");
    assert_string_equal(t->r.verdict.debug, "tx with dust output must be 0-fee");
    tx_unref(tx);
    tx = bed_tx(t, 2, &in, 0, &none, 1, 0);
    assert_refused(t, tx, TX_CONSENSUS, "bad-txns-vin-empty");
    tx_unref(tx);
    tx_builder_init(&b, 2, 0);
    tx_builder_add_in(&b, &null, "ab", 2, SEQUENCE_FINAL);
    tx_builder_add_out(&b, 1, t->spk, sizeof(t->spk));
    tx = tx_build(&b);
    assert_refused(t, tx, TX_CONSENSUS, "coinbase");
    tx_unref(tx);
    tx_builder_clear(&b);
    tx_builder_init(&b, 2, 0);
    spend_op_true(&b, &in, SEQUENCE_FINAL);
    tx_builder_add_out(&b, 0, "\x6a", 1);
    tx = tx_build(&b);
    tx_builder_clear(&b);
    assert_true(tx->stripped_len < MIN_STANDARD_TX_NONWITNESS_SIZE);
    assert_refused(t, tx, TX_NOT_STANDARD, "tx-size-small");
    o.policy.require_standard = false;
    bed_renew(t, &o);
    assert_refused(t, tx, TX_NOT_STANDARD, "tx-size-small");
    tx_unref(tx);
}

/* Deltas beyond all money, and back: the fee is what is left. */
static void extreme_deltas(void **state)
{
    struct bed *t = (struct bed *)*state;
    struct tx *a = bed_tx1(t, bed_coin(t, 100000), 99000);
    struct mempool_entry e;

    assert_accepted(t, a);
    mempool_prioritise(t->m, &a->txid, INT64_MAX);
    mempool_check(t->m);
    mempool_prioritise(t->m, &a->txid, INT64_MAX);
    mempool_prioritise(t->m, &a->txid, -INT64_MAX);
    mempool_check(t->m);
    assert_true(mempool_get(t->m, &e, &a->txid));
    assert_int_equal(e.modified_fee, 1000);
    mempool_prioritise(t->m, &a->txid, INT64_MIN);
    mempool_check(t->m);
    tx_unref(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(accepts_and_tells, setup, teardown),
        cmocka_unit_test_setup_teardown(tests_only, setup, teardown),
        cmocka_unit_test_setup_teardown(known_already, setup, teardown),
        cmocka_unit_test_setup_teardown(inputs, setup, teardown),
        cmocka_unit_test_setup_teardown(locks, setup, teardown),
        cmocka_unit_test_setup_teardown(scripts, setup, teardown),
        cmocka_unit_test_setup_teardown(scripts_ahead, setup, teardown),
        cmocka_unit_test_setup_teardown(fees, setup, teardown),
        cmocka_unit_test_setup_teardown(form, setup, teardown),
        cmocka_unit_test_setup_teardown(extreme_deltas, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
