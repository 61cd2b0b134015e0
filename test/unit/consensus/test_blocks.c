/* test_blocks.c - the rules of blocks that need no coins: real chains of three networks pass, blocks made to break one rule each fail
 * with its reason; Merkle roots, witness commitments and signet solutions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "block_tool.h"

static struct chain_params regtest;

static int setup(void **state)
{
    (void)state;
    chain_params_init(&regtest, CHAIN_REGTEST);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    chain_params_clear(&regtest);
    return 0;
}

/* --- real blocks --- */

static void accept_block(const struct chain_params *p, struct header_node *n, const struct block *b, const struct header_node *prev)
{
    struct verdict v;
    verdict_init(&v);
    if (!check_block(p, b, true, true, &v) || (prev && !check_header_context(p, &b->header, prev, b->header.time, &v)) ||
        !check_block_context(p, b, prev, &v))
        fail_msg("height %d: %s", prev ? prev->height + 1 : 0, v.reason);
    assert_false(block_is_mutated(b, prev && deployment_active_after(p, prev, DEPLOYMENT_SEGWIT)));
    header_node_init(n, &b->header, &b->hash, prev);
    assert_int_equal(n->height, prev ? prev->height + 1 : 0);
}

static void accept_dat(enum chain_id id, const char *path, unsigned count)
{
    struct chain_params p;
    size_t len;
    uint8_t *data = vectors_read(path, &len);
    struct reader r = reader_make(data, len);
    struct header_node *nodes = xcalloc(count, sizeof(*nodes));
    const uint8_t *bytes;
    uint32_t block_len;
    unsigned n = 0;
    chain_params_init(&p, id);
    while (data && reader_left(&r) && (bytes = dat_next(&r, &block_len))) {
        struct block *b = block_decode_copy(bytes, block_len);
        assert_non_null(b);
        assert_true(n < count);
        accept_block(&p, &nodes[n], b, n ? &nodes[n - 1] : NULL);
        if (n == 0)
            assert_true(block_hash_equal(&b->hash, &p.genesis_hash));
        block_unref(b);
        n++;
    }
    assert_true(!data || n == count);
    chain_params_clear(&p);
    free(nodes);
    free(data);
}

static void test_real_chains(void **state)
{
    (void)state;
    accept_dat(CHAIN_MAIN, "chain/mainnet/blocks-000000-004312.dat", 4313);
    accept_dat(CHAIN_MAIN, "chain/mainnet-alt/blocks-000000-002016.dat", 2017);
    accept_dat(CHAIN_SIGNET, "chain/signet/blocks-000000-000120.dat", 121);
    accept_dat(CHAIN_REGTEST, "chain/regtest/blocks-000000-000150.dat", 151);
}

static void test_regtest_branches(void **state)
{
    struct json_object *json = vectors_json("chain/regtest/floresta_test_reorg.json");
    struct header_node nodes[2][17];
    struct block *genesis = chain_params_genesis(&regtest);
    (void)state;
    accept_block(&regtest, &nodes[0][0], genesis, NULL);
    for (unsigned branch = 0; json && branch < 2; branch++) {
        struct json_object *list = json_object_array_get_idx(json, branch);
        for (size_t i = 0; i < json_object_array_length(list); i++) {
            size_t len, height = i + (branch ? 6 : 1);
            uint8_t *bytes = vectors_hex(json_object_get_string(json_object_array_get_idx(list, i)), &len);
            struct block *b = block_decode(bytes, len);
            accept_block(&regtest, &nodes[branch][height], b, &nodes[i ? branch : 0][height - 1]);
            block_unref(b);
        }
    }
    if (json)
        assert_ptr_equal(header_node_fork(&nodes[0][10], &nodes[1][16]), &nodes[0][5]);
    block_unref(genesis);
    json_object_put(json);
}

static void test_single_blocks(void **state)
{
    static const struct {
        enum chain_id id;
        int32_t height;
    } blocks[] = {{CHAIN_MAIN, 120383},     {CHAIN_MAIN, 169482},     {CHAIN_MAIN, 227835},     {CHAIN_MAIN, 227836},
                  {CHAIN_MAIN, 300025},     {CHAIN_MAIN, 363703},     {CHAIN_MAIN, 367891},     {CHAIN_MAIN, 413567},
                  {CHAIN_MAIN, 426884},     {CHAIN_MAIN, 481815},     {CHAIN_MAIN, 481829},     {CHAIN_MAIN, 482683},
                  {CHAIN_MAIN, 514485},     {CHAIN_MAIN, 540107},     {CHAIN_MAIN, 574200},     {CHAIN_MAIN, 702861},
                  {CHAIN_MAIN, 831328},     {CHAIN_MAIN, 831329},     {CHAIN_MAIN, 866342},     {CHAIN_TESTNET3, 21066},
                  {CHAIN_TESTNET3, 32768},  {CHAIN_TESTNET3, 35133},  {CHAIN_TESTNET3, 700000}, {CHAIN_TESTNET3, 828575},
                  {CHAIN_TESTNET3, 898352}, {CHAIN_TESTNET3, 924634}, {CHAIN_TESTNET3, 1087400}};
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(blocks); i++) {
        struct chain_params p;
        struct verdict v;
        char path[80];
        size_t len;
        uint8_t *bytes;
        struct block *b;
        snprintf(path, sizeof(path), "chain/%s/blocks/%d.blk", blocks[i].id == CHAIN_MAIN ? "mainnet" : "testnet3",
                 (int)blocks[i].height);
        bytes = vectors_read(path, &len);
        if (!bytes)
            return;
        b = block_decode(bytes, len);
        assert_non_null(b);
        chain_params_init(&p, blocks[i].id);
        verdict_init(&v);
        /* The median time before it is not known; its own time less two hours is late enough for what these blocks hold. */
        if (!check_block(&p, b, true, true, &v) || !check_block_version(&p, b->header.version, blocks[i].height, &v) ||
            !check_block_at(&p, b, blocks[i].height, b->header.time - 7200, &v))
            fail_msg("%s: %s", path, v.reason);
        if (blocks[i].height >= p.buried[DEPLOYMENT_BIP34]) {
            assert_false(check_block_at(&p, b, blocks[i].height + 1, b->header.time - 7200, &v));
            assert_string_equal(v.reason, "bad-cb-height");
        }
        chain_params_clear(&p);
        block_unref(b);
    }
}

static void test_signet_flip(void **state)
{
    struct chain_params p;
    size_t len;
    uint8_t *data = vectors_read("chain/signet/blocks-000000-000120.dat", &len);
    struct reader r = reader_make(data, len);
    uint32_t block_len;
    static const struct {
        uint8_t challenge[2];
        size_t len;
        bool ok;
    } other[] = {{{0x51}, 1, true}, {{0x00}, 1, false}, {{0x51, 0x75}, 2, false}};
    (void)state;
    if (!data)
        return;
    chain_params_init(&p, CHAIN_SIGNET);
    dat_next(&r, &block_len);
    for (unsigned flip = 0; flip < 2; flip++) {
        struct reader again = r;
        const uint8_t *bytes = dat_next(&again, &block_len);
        uint8_t *copy = xmemdup(bytes, block_len);
        struct block *b;
        struct verdict v;
        copy[232] ^= (uint8_t)flip;
        b = block_decode(copy, block_len);
        verdict_init(&v);
        assert_int_equal(check_block(&p, b, true, true, &v), !flip);
        assert_string_equal(v.reason, flip ? "bad-signet-blksig" : "");
        if (flip) {
            assert_int_equal(v.code, BLOCK_CONSENSUS);
            assert_false(check_block(&p, b, false, true, &v)); /* without proof of work the solution is not looked at */
            assert_string_equal(v.reason, "bad-txnmrklroot");
        }
        block_unref(b);
    }
    for (unsigned i = 0; i < ARRAY_LEN(other); i++) { /* an unsigned block of a network that anybody may solve */
        struct tx *tx = make_coinbase(1, 50 * COIN), *with;
        struct tx_builder t;
        struct block *b;
        static const uint8_t commitment[38] = {0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed};
        tx_builder_init(&t, 2, 0);
        tx_builder_add_in(&t, tx->in[0].prevout, tx->in[0].script, tx->in[0].script_len, SEQUENCE_FINAL);
        tx_builder_add_out(&t, 0, commitment, sizeof(commitment));
        with = tx_build(&t);
        tx_builder_clear(&t);
        chain_params_set_signet_challenge(&p, other[i].challenge, other[i].len);
        b = make_block(&regtest, &with, 1, NULL);
        assert_int_equal(check_signet_solution(&p, b), other[i].ok);
        block_unref(b);
        b = make_block(&regtest, &tx, 1, NULL);
        assert_false(check_signet_solution(&p, b)); /* no commitment */
        block_unref(b);
        tx_unref(tx);
        tx_unref(with);
    }
    chain_params_clear(&p);
    free(data);
}

/* --- Merkle --- */

static struct hash256 slow_root(uint8_t (*h)[32], size_t n)
{
    struct hash256 root;
    if (n == 1) {
        memcpy(root.b, h[0], 32);
        return root;
    }
    for (size_t i = 0; i < (n + 1) / 2; i++) {
        uint8_t both[64];
        memcpy(both, h[2 * i], 32);
        memcpy(both + 32, h[2 * i + 1 < n ? 2 * i + 1 : 2 * i], 32);
        sha256d(h[i], both, 64);
    }
    return slow_root(h, (n + 1) / 2);
}

static void test_merkle(void **state)
{
    uint8_t leaves[40][32], a[40][32], b[40][32];
    (void)state;
    for (uint8_t i = 0; i < 40; i++)
        sha256(leaves[i], &i, 1);
    for (size_t n = 1; n <= 33; n++) {
        bool mutated = true;
        struct hash256 fast, slow;
        memcpy(a, leaves, sizeof(a));
        memcpy(b, leaves, sizeof(b));
        fast = merkle_root(a[0], n, &mutated);
        slow = slow_root(b, n);
        assert_memory_equal(fast.b, slow.b, 32);
        assert_false(mutated);
        /* The tail that an odd level repeats, written out: the same root, and noticed. */
        for (size_t unit = 1; unit <= n; unit *= 2) {
            if (n % unit == 0 && (n / unit) % 2 == 1 && n > unit && n + unit <= 40) {
                memcpy(a, leaves, sizeof(a));
                memcpy(a[n], leaves[n - unit], 32 * unit);
                fast = merkle_root(a[0], n + unit, &mutated);
                assert_memory_equal(fast.b, slow.b, 32);
                assert_true(mutated);
            }
        }
    }
}

/* --- one broken rule each --- */

static void expect(const struct block *b, const char *reason, enum verdict_code code)
{
    struct verdict v;
    bool ok;
    verdict_init(&v);
    assert_non_null(b);
    ok = check_block(&regtest, b, true, true, &v);
    assert_string_equal(v.reason, reason);
    assert_int_equal(v.code, code);
    assert_int_equal(ok, !*reason);
}

static void expect_txs(struct tx *const *txs, size_t n, const char *reason)
{
    struct block *b = make_block(&regtest, txs, n, NULL);
    expect(b, reason, *reason ? BLOCK_CONSENSUS : CODE_NONE);
    block_unref(b);
}

static const struct outpoint some_coin = {{{1, 2, 3}}, 7};

static void test_block_rules(void **state)
{
    struct tx *cb = make_coinbase(1, 50 * COIN), *spend = make_tx(&some_coin, NULL, 0, SEQUENCE_FINAL, 1, NULL, 0);
    struct tx *both[] = {cb, spend}, *no_coinbase[] = {spend, cb}, *two[] = {cb, cb}, *repeated[] = {cb, spend, spend, spend};
    struct hash256 wrong = {{1}};
    struct block *b;
    struct writer w;
    size_t big_len = 1000001;
    uint8_t *big = xcalloc(1, big_len);
    struct tx *huge = make_tx(NULL, "\1\1", 2, SEQUENCE_FINAL, 0, big, big_len), *busy;
    (void)state;
    expect_txs(both, 2, "");
    expect_txs(both + 1, 1, "bad-cb-missing");
    expect_txs(no_coinbase, 2, "bad-cb-missing");
    expect_txs(&huge, 1, "bad-blk-length");
    b = make_block(&regtest, two, 2, NULL);
    expect(b, "bad-txns-duplicate", BLOCK_MUTATED);
    block_unref(b);
    b = make_block(&regtest, both, 2, &wrong);
    expect(b, "bad-txnmrklroot", BLOCK_MUTATED);
    assert_true(block_is_mutated(b, false));
    block_unref(b);
    b = make_block(&regtest, repeated, 4, NULL);
    expect(b, "bad-txns-duplicate", BLOCK_MUTATED);
    assert_true(block_is_mutated(b, false));
    block_unref(b);
    {
        struct tx *cb2 = make_coinbase(2, 1), *multiple[] = {cb, spend, cb2};
        expect_txs(multiple, 3, "bad-cb-multiple");
        tx_unref(cb2);
    }
    w = make_block_bytes(&regtest, NULL, 1700000000, both, 2, NULL);
    do
        put_le32(w.data + 76, get_le32(w.data + 76) + 1);
    while (sha256d(wrong.b, w.data, 80), !(wrong.b[31] & 0x80));
    b = block_decode(w.data, w.len);
    expect(b, "high-hash", BLOCK_INVALID_HEADER);
    block_unref(b);
    memset(big, OP_CHECKSIG, 20001);
    busy = make_tx(NULL, "\1\1", 2, SEQUENCE_FINAL, 0, big, 20001);
    expect_txs(&busy, 1, "bad-blk-sigops");
    tx_unref(busy);
    busy = make_tx(NULL, "\1\1", 2, SEQUENCE_FINAL, 0, big, 20000);
    expect_txs(&busy, 1, "");
    tx_unref(busy);
    tx_unref(cb);
    tx_unref(spend);
    tx_unref(huge);
    free(big);
}

static void expect_tx(const struct tx *tx, const char *reason)
{
    struct verdict v;
    bool ok;
    verdict_init(&v);
    ok = check_transaction(tx, &v);
    assert_string_equal(v.reason, reason);
    assert_int_equal(ok, !*reason);
    assert_int_equal(v.code, *reason ? TX_CONSENSUS : CODE_NONE);
}

/* A transaction with n inputs, the last one equal to input `same` (n for none). */
static struct tx *many_inputs(uint32_t n, uint32_t same)
{
    struct tx_builder t;
    struct tx *tx;
    tx_builder_init(&t, 1, 0);
    for (uint32_t i = 0; i < n; i++) {
        struct outpoint o = some_coin;
        uint32_t k = i == n - 1 && same < n ? same : i;
        put_le32(o.txid.b, k / 3); /* inputs share ids and indices, but not both */
        o.n = k % 3;
        tx_builder_add_in(&t, &o, NULL, 0, SEQUENCE_FINAL);
    }
    tx_builder_add_out(&t, 1, "\x51", 1);
    tx = tx_build(&t);
    tx_builder_clear(&t);
    return tx;
}

static void test_tx_rules(void **state)
{
    static const struct {
        uint32_t n_out;
        int64_t value[2];
        const char *reason;
    } money[] = {{1, {0}, ""},
                 {1, {MAX_MONEY}, ""},
                 {1, {-1}, "bad-txns-vout-negative"},
                 {1, {MAX_MONEY + 1}, "bad-txns-vout-toolarge"},
                 {2, {MAX_MONEY, 0}, ""},
                 {2, {MAX_MONEY, 1}, "bad-txns-txouttotal-toolarge"},
                 {2, {INT64_MAX, INT64_MAX}, "bad-txns-vout-toolarge"}};
    static const uint32_t counts[] = {3, 8, 9, 16, 17, 300, 512, 513, 5000, 24000};
    static const uint8_t script[101];
    struct tx tx = {.version = 1};
    struct outpoint point = some_coin;
    struct tx_in in = {.prevout = &point, .sequence = SEQUENCE_FINAL};
    struct tx_out out[2] = {{0}};
    (void)state;
    expect_tx(&tx, "bad-txns-vin-empty");
    tx.in = &in;
    tx.n_in = 1;
    expect_tx(&tx, "bad-txns-vout-empty");
    tx.out = out;
    for (unsigned i = 0; i < ARRAY_LEN(money); i++) {
        tx.n_out = money[i].n_out;
        out[0].value = money[i].value[0];
        out[1].value = money[i].value[1];
        expect_tx(&tx, money[i].reason);
    }
    out[0].value = out[1].value = 1;
    tx.stripped_len = 1000000;
    expect_tx(&tx, "");
    tx.stripped_len = 1000001;
    expect_tx(&tx, "bad-txns-oversize");
    tx.stripped_len = 100;
    memset(&point, 0, sizeof(point));
    expect_tx(&tx, ""); /* a zero id alone is no null outpoint */
    point.n = OUTPOINT_NULL_N;
    in.script = script;
    for (uint32_t len = 0; len <= 101; len++) {
        in.script_len = len;
        expect_tx(&tx, len < 2 || len > 100 ? "bad-cb-length" : "");
    }
    {
        struct tx_in two[2] = {{.prevout = &some_coin}, in};
        tx.in = two;
        tx.n_in = 2;
        expect_tx(&tx, "bad-txns-prevout-null");
    }
    for (unsigned i = 0; i < ARRAY_LEN(counts); i++) {
        uint32_t n = counts[i], same[] = {n, 0, n / 2, n - 2};
        for (unsigned k = 0; k < 4; k++) {
            struct tx *many = many_inputs(n, same[k]);
            expect_tx(many, k ? "bad-txns-inputs-duplicate" : "");
            tx_unref(many);
        }
    }
}

/* --- at a height --- */

static void expect_at(const struct block *b, int32_t height, int64_t mtp, const char *reason, enum verdict_code code)
{
    struct verdict v;
    bool ok;
    verdict_init(&v);
    ok = check_block_at(&regtest, b, height, mtp, &v);
    assert_string_equal(v.reason, reason);
    assert_int_equal(v.code, code);
    assert_int_equal(ok, !*reason);
}

static void test_lock_time(void **state)
{
    static const struct {
        uint32_t lock, sequence;
        int32_t height;
        int64_t time;
        bool final;
    } cases[] = {
        {0, 0, 0, 0, true},
        {100, 0, 100, 0, false},
        {100, 0, 101, 0, true},
        {100, SEQUENCE_FINAL, 1, 0, true},
        {100, SEQUENCE_FINAL - 1, 100, 1 << 30, false},
        {499999999, 0, 499999999, 600000000, false},
        {500000000, 0, 600000000, 500000000, false},
        {500000000, 0, 1, 500000001, true},
        {UINT32_MAX, 0, INT32_MAX, UINT32_MAX, false},
        {UINT32_MAX, 0, 0, (int64_t)UINT32_MAX + 1, true},
    };
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct tx_in in[2] = {{.sequence = SEQUENCE_FINAL}, {.sequence = cases[i].sequence}};
        struct tx tx = {.n_in = 2, .in = in, .lock_time = cases[i].lock};
        assert_int_equal(is_final_tx(&tx, cases[i].height, cases[i].time), cases[i].final);
    }
}

static void test_height_and_locks(void **state)
{
    static const int32_t heights[] = {1, 16, 17, 127, 128, 255, 256, 32767, 32768, 8388607, 8388608, 500000};
    struct tx_builder t;
    struct tx *cb, *txs[2];
    struct block *b;
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(heights); i++) {
        cb = make_coinbase(heights[i], 0);
        b = make_block(&regtest, &cb, 1, NULL);
        expect_at(b, heights[i], 1, "", CODE_NONE);
        expect_at(b, heights[i] + 1, 1, "bad-cb-height", BLOCK_CONSENSUS);
        block_unref(b);
        tx_unref(cb);
    }
    txs[0] = make_coinbase(5, 0);
    tx_builder_init(&t, 1, 600000000);
    tx_builder_add_in(&t, &some_coin, NULL, 0, 0);
    tx_builder_add_out(&t, 1, NULL, 0);
    txs[1] = tx_build(&t);
    tx_builder_clear(&t);
    b = make_block(&regtest, txs, 2, NULL);
    expect_at(b, 5, 600000000, "bad-txns-nonfinal", BLOCK_CONSENSUS);
    expect_at(b, 5, 600000001, "", CODE_NONE);
    regtest.buried[DEPLOYMENT_CSV] = 6; /* before BIP113 the block's own time counts */
    expect_at(b, 5, 600000000, "", CODE_NONE);
    regtest.buried[DEPLOYMENT_CSV] = 1;
    block_unref(b);
    tx_unref(txs[0]);
    tx_unref(txs[1]);
}

/* A coinbase whose commitment output and witness are as asked. */
static struct tx *committing_coinbase(const uint8_t commitment[32], const struct witness_item *items, size_t n)
{
    uint8_t script[38] = {0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed};
    struct tx_builder t;
    struct tx *tx;
    static const struct outpoint null_outpoint = {.n = OUTPOINT_NULL_N};
    memcpy(script + 6, commitment, 32);
    tx_builder_init(&t, 2, 0);
    tx_builder_add_in(&t, &null_outpoint, "\x51\x00", 2, SEQUENCE_FINAL);
    tx_builder_add_out(&t, 0, script, sizeof(script));
    if (n)
        tx_builder_set_witness(&t, 0, items, n);
    tx = tx_build(&t);
    tx_builder_clear(&t);
    return tx;
}

static struct tx *witness_spend(size_t size)
{
    struct witness_item item = {xcalloc(1, size), (uint32_t)size};
    struct tx_builder t;
    struct tx *tx;
    tx_builder_init(&t, 2, 0);
    tx_builder_add_in(&t, &some_coin, NULL, 0, SEQUENCE_FINAL);
    tx_builder_add_out(&t, 1, "\x51", 1);
    tx_builder_set_witness(&t, 0, &item, 1);
    tx = tx_build(&t);
    tx_builder_clear(&t);
    free((void *)(uintptr_t)item.data);
    return tx;
}

static void expect_commitment(struct tx *cb, struct tx *spend, const char *reason)
{
    struct tx *txs[] = {cb, spend};
    struct block *b = make_block(&regtest, txs, 2, NULL);
    bool weight = strcmp(reason, "bad-blk-weight") == 0;
    expect(b, "", CODE_NONE);
    expect_at(b, 1, 1, reason, !*reason ? CODE_NONE : weight ? BLOCK_CONSENSUS : BLOCK_MUTATED);
    assert_int_equal(block_is_mutated(b, true), *reason && !weight);
    block_unref(b);
    tx_unref(cb);
}

static void test_commitment(void **state)
{
    uint8_t reserved[33] = {9}, both[64] = {0}, good[32], bad[32] = {0};
    struct witness_item items[2] = {{reserved, 32}, {reserved, 32}};
    static const size_t sizes[] = {10, 3998000};
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct tx *spend = witness_spend(sizes[i]), *plain = make_tx(&some_coin, NULL, 0, SEQUENCE_FINAL, 1, NULL, 0);
        struct tx *cb = make_coinbase(1, 0);
        memcpy(both + 32, spend->wtxid.b, 32);
        memset(both, 0, 32);
        sha256d(both, both, 64);
        memcpy(both + 32, reserved, 32);
        sha256d(good, both, 64);
        expect_commitment(committing_coinbase(good, items, 1), spend, "");
        expect_commitment(committing_coinbase(bad, items, 1), spend, "bad-witness-merkle-match");
        expect_commitment(committing_coinbase(good, items, 2), spend, "bad-witness-nonce-size");
        expect_commitment(committing_coinbase(good, NULL, 0), spend, "bad-witness-nonce-size");
        items[0].len = 33;
        expect_commitment(committing_coinbase(good, items, 1), spend, "bad-witness-nonce-size");
        items[0].len = 32;
        expect_commitment(tx_ref(cb), spend, "unexpected-witness");
        expect_commitment(cb, plain, "");
        tx_unref(spend);
        tx_unref(plain);
    }
    { /* too heavy, and committed to */
        struct tx *spend = witness_spend(3999900);
        memcpy(both + 32, spend->wtxid.b, 32);
        memset(both, 0, 32);
        sha256d(both, both, 64);
        memcpy(both + 32, reserved, 32);
        sha256d(good, both, 64);
        expect_commitment(committing_coinbase(good, items, 1), spend, "bad-blk-weight");
        tx_unref(spend);
    }
    { /* before segwit a commitment means nothing and a witness is unexpected */
        struct tx *txs[] = {committing_coinbase(good, items, 1)};
        struct block *b = make_block(&regtest, txs, 1, NULL);
        regtest.buried[DEPLOYMENT_SEGWIT] = 2;
        expect_at(b, 1, 1, "unexpected-witness", BLOCK_MUTATED);
        regtest.buried[DEPLOYMENT_SEGWIT] = 0;
        assert_int_equal(block_witness_commitment_index(b), 0);
        block_unref(b);
        tx_unref(txs[0]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_real_chains), cmocka_unit_test(test_regtest_branches), cmocka_unit_test(test_single_blocks),
        cmocka_unit_test(test_signet_flip), cmocka_unit_test(test_merkle),           cmocka_unit_test(test_block_rules),
        cmocka_unit_test(test_tx_rules),    cmocka_unit_test(test_lock_time),        cmocka_unit_test(test_height_and_locks),
        cmocka_unit_test(test_commitment),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
