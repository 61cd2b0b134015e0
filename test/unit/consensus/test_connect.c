/* test_connect.c - what a block may do with its coins: subsidy, amounts, maturity, relative locks, sigops, script flags, BIP30. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "block_tool.h"
#include "script/verify.h"

static struct chain_params mainnet, regtest;

static int setup(void **state)
{
    (void)state;
    chain_params_init(&mainnet, CHAIN_MAIN);
    chain_params_init(&regtest, CHAIN_REGTEST);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    chain_params_clear(&mainnet);
    chain_params_clear(&regtest);
    return 0;
}

static void test_subsidy(void **state)
{
    int64_t total = 0, last = 50 * COIN;
    (void)state;
    for (int32_t era = 0; era < 70; era++) {
        int64_t s = block_subsidy(&mainnet, era * 210000);
        assert_int_equal(s, era < 33 ? 5000000000LL >> era : 0);
        assert_int_equal(block_subsidy(&mainnet, era * 210000 + 209999), s);
        assert_true(s <= last);
        last = s;
        total += s * 210000;
    }
    assert_int_equal(total, 2099999997690000LL); /* all the coins that there will be */
    assert_int_equal(block_subsidy(&mainnet, INT32_MAX), 0);
    assert_int_equal(block_subsidy(&regtest, 149), 50 * COIN);
    assert_int_equal(block_subsidy(&regtest, 150), 25 * COIN);
}

static int64_t times_by_height(void *ctx, uint32_t coin_height)
{
    return ((const int64_t *)ctx)[coin_height];
}

static void test_sequence_locks(void **state)
{
    int64_t times[] = {1000, 2000, 3000, 4000};
    struct sequence_source src = {times, times_by_height, NULL};
    static const struct {
        uint32_t version, sequence[2];
        bool enforce;
        int32_t height;
        int64_t time;
    } cases[] = {
        {2, {0, 0}, true, 2, -1},                                        /* the younger coin's height less one */
        {2, {10, 4}, true, 10, -1},                                      /* 1 + 10 - 1 */
        {2, {10, 0x80000004}, true, 10, -1},                             /* one input opts out */
        {2, {0xffffffff, 0x80000000}, true, -1, -1},                     /* both do */
        {2, {0x00400001, 3}, true, 5, 2000 + 512 - 1},                   /* one by time, one by height */
        {2, {0x00400000, 0x0040ffff}, true, -1, 4000 + 65535 * 512 - 1}, /* the later of two */
        {2, {0x00bf0007, 0x003f0001}, true, 7, -1},                      /* other bits mean nothing */
        {1, {10, 10}, true, -1, -1},                                     /* old transactions have none */
        {2, {10, 10}, false, -1, -1},                                    /* before CSV */
        {0xffffffff, {10, 10}, true, 12, -1},                            /* the version has no sign here */
    };
    static const uint32_t heights[] = {1, 3}, unknown[] = {COIN_HEIGHT_UNKNOWN, 3};
    static const int64_t known[] = {7000, -1};
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct tx_in in[2] = {{.sequence = cases[i].sequence[0]}, {.sequence = cases[i].sequence[1]}};
        struct tx tx = {.version = cases[i].version, .n_in = 2, .in = in};
        struct sequence_lock lock = sequence_locks(&tx, heights, cases[i].enforce, &src);
        assert_int_equal(lock.height, cases[i].height);
        assert_int_equal(lock.time, cases[i].time);
    }
    {
        struct tx_in in[2] = {{.sequence = 500}, {.sequence = 1}};
        struct tx tx = {.version = 2, .n_in = 2, .in = in};
        assert_int_equal(sequence_locks(&tx, unknown, true, &src).height, 3);
        src.known = known;
        in[0].sequence = in[1].sequence = 1 << 22 | 1;
        assert_int_equal(sequence_locks(&tx, unknown, true, &src).time, 7000 + 511);
    }
}

/* --- a block of two transactions that spend four coins --- */

struct fixture {
    struct tx *txs[3];
    struct block *block;
    struct coin coins[4];
    struct tx_out spent[4];
};

static void fixture_init(struct fixture *f, int32_t height, int64_t coinbase_value, uint32_t sequence)
{
    memset(f, 0, sizeof(*f));
    f->txs[0] = make_coinbase(height, coinbase_value);
    for (uint32_t i = 1; i < 3; i++) {
        struct tx_builder t;
        tx_builder_init(&t, 2, 0);
        for (uint32_t j = 0; j < 2; j++) {
            struct outpoint o = {{{(uint8_t)i}}, j};
            tx_builder_add_in(&t, &o, NULL, 0, sequence);
        }
        tx_builder_add_out(&t, 10 * COIN, "\x51", 1);
        f->txs[i] = tx_build(&t);
        tx_builder_clear(&t);
    }
    for (unsigned i = 0; i < 4; i++)
        f->coins[i] = (struct coin){.out = {6 * COIN, (const uint8_t *)"\x51", 1}, .height = 10};
    f->block = make_block(&regtest, f->txs, 3, NULL);
}

static void fixture_clear(struct fixture *f)
{
    block_unref(f->block);
    for (unsigned i = 0; i < 3; i++)
        tx_unref(f->txs[i]);
}

static int64_t mtp_is_a_million(void *ctx, uint32_t coin_height)
{
    (void)ctx;
    (void)coin_height;
    return 1000000;
}

static void expect(struct fixture *f, int32_t height, int64_t mtp, const char *reason, const char *debug_start)
{
    struct sequence_source seq = {NULL, mtp_is_a_million, NULL};
    struct block_connect c;
    struct verdict v;
    bool ok = true;
    verdict_init(&v);
    for (unsigned i = 0; i < 4; i++)
        f->spent[i] = f->coins[i].out;
    block_connect_init(&c, &regtest, f->block, height, mtp, SCRIPT_VERIFY_MANDATORY, &seq);
    for (uint32_t i = 0; ok && i < 3; i++)
        ok = i ? block_connect_tx(&c, i, &f->coins[2 * i - 2], &f->spent[2 * i - 2], &v) : block_connect_tx(&c, 0, NULL, NULL, &v);
    ok = ok && block_connect_finish(&c, &v);
    assert_string_equal(v.reason, reason);
    assert_int_equal(ok, !*reason);
    assert_int_equal(v.code, ok ? CODE_NONE : BLOCK_CONSENSUS);
    assert_memory_equal(v.debug, debug_start, strlen(debug_start));
    if (ok)
        assert_int_equal(c.fees, 4 * COIN);
}

static void test_amounts(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f, 120, 54 * COIN, SEQUENCE_FINAL);
    expect(&f, 120, 1, "", "");
    expect(&f, 150, 1, "bad-cb-amount", "coinbase pays too much (actual=5400000000 vs limit=2900000000)");
    f.coins[3].out.value--;
    expect(&f, 120, 1, "bad-cb-amount", "coinbase pays too much (actual=5400000000 vs limit=5399999999)");
    f.coins[3].out.value = 4 * COIN - 1;
    expect(&f, 120, 1, "bad-txns-in-belowout", "value in (9.99999999) < value out (10.00) in transaction ");
    f.coins[3].out.value = -1;
    expect(&f, 120, 1, "bad-txns-inputvalues-outofrange", " in transaction ");
    f.coins[3].out.value = INT64_MAX;
    expect(&f, 120, 1, "bad-txns-inputvalues-outofrange", "");
    f.coins[2].out.value = f.coins[3].out.value = MAX_MONEY;
    expect(&f, 120, 1, "bad-txns-inputvalues-outofrange", "");
    f.coins[2].out.value = 0;
    f.coins[0].out.value = MAX_MONEY;
    f.coins[1].out.value = 0;
    expect(&f, 120, 1, "bad-txns-accumulated-fee-outofrange", "accumulated fee in the block out of range");
    fixture_clear(&f);
}

static void test_maturity(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f, 120, 50 * COIN, SEQUENCE_FINAL);
    f.coins[2].coinbase = true;
    f.coins[2].height = 20;
    expect(&f, 120, 1, "", "");
    f.coins[2].height = 21;
    expect(&f, 120, 1, "bad-txns-premature-spend-of-coinbase", "tried to spend coinbase at depth 99 in transaction ");
    fixture_clear(&f);
}

static void test_relative_locks(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f, 120, 50 * COIN, 5); /* five blocks */
    f.coins[1].height = 115;
    expect(&f, 120, 1, "", "");
    f.coins[1].height = 116;
    expect(&f, 120, 1, "bad-txns-nonfinal", "contains a non-BIP68-final transaction ");
    regtest.buried[DEPLOYMENT_CSV] = 121;
    expect(&f, 120, 1, "", "");
    regtest.buried[DEPLOYMENT_CSV] = 1;
    fixture_clear(&f);
    fixture_init(&f, 120, 50 * COIN, 1 << 22 | 2); /* 1,024 seconds */
    expect(&f, 120, 1000000 + 1023, "bad-txns-nonfinal", "");
    expect(&f, 120, 1000000 + 1024, "", "");
    fixture_clear(&f);
}

static void test_sigops(void **state)
{
    static const uint8_t p2sh[23] = {0xa9, 20, [22] = 0x87}, p2wpkh[22] = {0, 20}, p2wsh[34] = {0, 32};
    static const uint8_t redeem[] = {3, OP_CHECKSIG, OP_2, OP_CHECKMULTISIG}; /* a push of a script of 1 + 2 sigops */
    static const struct witness_item items[] = {{redeem + 1, 3}};
    uint8_t many[20001];
    struct tx_out spent[3] = {{1, p2sh, 23}, {1, p2wpkh, 22}, {1, p2wsh, 34}};
    static const struct outpoint null_outpoint = {.n = OUTPOINT_NULL_N}, point[3] = {{{{1}}, 0}, {{{1}}, 1}, {{{1}}, 2}};
    struct tx_in in[3] = {{.prevout = &point[0], .script = redeem, .script_len = 4},
                          {.prevout = &point[1]},
                          {.prevout = &point[2], .witness = items, .witness_count = 1}};
    struct tx_out out = {1, many, 2};
    struct tx tx = {.version = 2, .n_in = 3, .in = in, .n_out = 1, .out = &out};
    struct sequence_source seq = {NULL, NULL, NULL};
    struct block b = {.n_tx = 1, .tx = &tx};
    struct block_connect c;
    struct verdict v;
    (void)state;
    memset(many, OP_CHECKSIG, sizeof(many));
    assert_int_equal(tx_sigop_cost(&tx, spent, 0), 2 * 4);
    assert_int_equal(tx_sigop_cost(&tx, spent, SCRIPT_VERIFY_P2SH), 2 * 4 + 3 * 4);
    assert_int_equal(tx_sigop_cost(&tx, spent, SCRIPT_VERIFY_P2SH | SCRIPT_VERIFY_WITNESS), 2 * 4 + 3 * 4 + 1 + 3);
    tx.n_in = 1; /* a coinbase spends nothing */
    in[0].prevout = &null_outpoint;
    assert_int_equal(tx_sigop_cost(&tx, NULL, SCRIPT_VERIFY_MANDATORY), 2 * 4);
    for (uint32_t n = 20000; n <= 20001; n++) {
        out.script_len = n;
        verdict_init(&v);
        block_connect_init(&c, &regtest, &b, 1, 1, SCRIPT_VERIFY_MANDATORY, &seq);
        assert_int_equal(block_connect_tx(&c, 0, NULL, NULL, &v), n == 20000);
        assert_string_equal(v.reason, n == 20000 ? "" : "bad-blk-sigops");
    }
}

static void test_script_flags(void **state)
{
    static const uint32_t base = SCRIPT_VERIFY_P2SH | SCRIPT_VERIFY_WITNESS | SCRIPT_VERIFY_TAPROOT;
    static const struct {
        int32_t height;
        uint32_t flag;
    } steps[] = {{363725, SCRIPT_VERIFY_DERSIG},
                 {388381, SCRIPT_VERIFY_CHECKLOCKTIMEVERIFY},
                 {419328, SCRIPT_VERIFY_CHECKSEQUENCEVERIFY},
                 {481824, SCRIPT_VERIFY_NULLDUMMY}};
    struct header_node n = {.height = 0};
    uint32_t flags = base;
    (void)state;
    assert_int_equal(block_script_flags(&mainnet, &n), base);
    for (unsigned i = 0; i < ARRAY_LEN(steps); i++) {
        n.height = steps[i].height - 1;
        assert_int_equal(block_script_flags(&mainnet, &n), flags);
        flags |= steps[i].flag;
        n.height++;
        assert_int_equal(block_script_flags(&mainnet, &n), flags);
    }
    assert_int_equal(flags, SCRIPT_VERIFY_MANDATORY);
    assert_int_equal(block_script_flags_at(&regtest, 1, &n.hash), SCRIPT_VERIFY_MANDATORY);
    assert_true(hash_from_hex(n.hash.b, "0000000000000000000f14c35b2d841e986ab5441de8c585d5ffe55ea1e395ad"));
    n.height = 692261;
    assert_int_equal(block_script_flags(&mainnet, &n), SCRIPT_VERIFY_MANDATORY & ~(uint32_t)SCRIPT_VERIFY_TAPROOT);
    assert_true(hash_from_hex(n.hash.b, "00000000000002dc756eebf4f49723ed8d30cc28a5f108eb94b1ba88ac4f9c22"));
    n.height = 170060;
    assert_int_equal(block_script_flags(&mainnet, &n), SCRIPT_VERIFY_NONE);
}

static void test_bip30(void **state)
{
    struct header_node at = {.height = 227931}, parent = {.prev = &at, .skip = &at, .height = 227932};
    struct header_node n = {.prev = &parent, .skip = &parent, .height = 227933}, low = {.height = 91841};
    struct block_hash unspendable;
    (void)state;
    assert_true(bip30_applies(&mainnet, &n)); /* another chain than the known one */
    at.hash = mainnet.bip34_hash;
    assert_false(bip30_applies(&mainnet, &n));
    n.height = 1983702;
    assert_true(bip30_applies(&mainnet, &n));
    n = (struct header_node){.prev = &low, .skip = &low, .height = 91842};
    assert_true(bip30_applies(&mainnet, &n));
    assert_true(hash_from_hex(n.hash.b, "00000000000a4d0a398161ffc163c503763b1f4360639393e0e4c8e300e0caec"));
    assert_false(bip30_applies(&mainnet, &n));
    assert_true(bip30_is_repeat(&n));
    n.height++;
    assert_false(bip30_is_repeat(&n));
    assert_true(hash_from_hex(unspendable.b, "00000000000af0aed4792b1acee3d966af36cf5def14935db8de83d6f9306f2f"));
    assert_true(bip30_is_unspendable(91812, &unspendable));
    assert_false(bip30_is_unspendable(91813, &unspendable));
    n = (struct header_node){.height = 0};
    assert_false(bip30_applies(&regtest, &n)); /* genesis is never connected */
    parent = (struct header_node){.height = 0};
    n = (struct header_node){.prev = &parent, .skip = &parent, .height = 1};
    assert_true(bip30_applies(&regtest, &n));
}

static void test_verdict_text(void **state)
{
    struct verdict v;
    char text[sizeof(v.reason) + sizeof(v.debug) + 8];
    (void)state;
    verdict_init(&v);
    assert_string_equal(verdict_string(&v, text), "Valid");
    assert_false(verdict_invalid(&v, TX_CONSENSUS, "bad", "%d of %d", 1, 2));
    assert_string_equal(verdict_string(&v, text), "bad, 1 of 2");
    assert_false(verdict_invalidf(&v, TX_CONSENSUS, "bad-%s", "thing"));
    assert_string_equal(verdict_string(&v, text), "bad-thing");
    assert_false(verdict_internal(&v, "disk"));
    assert_int_equal(v.kind, VERDICT_INTERNAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_subsidy),      cmocka_unit_test(test_sequence_locks), cmocka_unit_test(test_amounts),
        cmocka_unit_test(test_maturity),     cmocka_unit_test(test_relative_locks), cmocka_unit_test(test_sigops),
        cmocka_unit_test(test_script_flags), cmocka_unit_test(test_bip30),          cmocka_unit_test(test_verdict_text),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
