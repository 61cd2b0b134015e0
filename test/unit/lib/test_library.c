/* test_library.c - the consensus library as its users see it: real blocks with the coins they spend, the same blocks damaged in one
 * place, blocks made to order, many threads, and what the linker sees. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <libgen.h>
#include <pthread.h>
#include <unistd.h>

#include "../consensus/block_tool.h"
#include "farthingconsensus.h"
#include "util/random.h"

#define ALL FARTHING_VERIFY_ALL
static const char missing[] = "bad-txns-inputs-missingorspent";
static const char script_failed[] = "block-script-verify-flag-failed (";
static const char eval_false[] =
    "block-script-verify-flag-failed (Script evaluated without error but finished with a false/empty top stack element)";

/* --- real blocks with their coins --- */

struct sample {
    enum farthing_chain chain;
    const char *name;
    uint32_t height;
    uint8_t *block, *spent_file;
    size_t len, n;
    struct farthing_coin *coins;
};
static struct sample samples[] = {
    {.chain = FARTHING_MAIN, .name = "mainnet/blocks/300025", .height = 300025},
    {.chain = FARTHING_MAIN, .name = "mainnet/blocks/367891", .height = 367891},
    {.chain = FARTHING_MAIN, .name = "mainnet/blocks/866342", .height = 866342},
    {.chain = FARTHING_TESTNET3, .name = "testnet3/blocks/1087400", .height = 1087400},
};
#define LEGACY (&samples[0])
#define SEGWIT (&samples[3])

static void sample_load(struct sample *s)
{
    char path[80];
    size_t len;
    struct reader r;
    snprintf(path, sizeof(path), "chain/%s.blk", s->name);
    s->block = vectors_read(path, &s->len);
    snprintf(path, sizeof(path), "chain/%s.spent", s->name);
    s->spent_file = s->block ? vectors_read(path, &len) : NULL;
    if (!s->spent_file)
        return;
    r = reader_make(s->spent_file, len);
    assert_memory_equal(read_bytes(&r, 4), "SPNT", 4);
    assert_int_equal(read_u32(&r), 1);
    s->n = read_u32(&r);
    s->coins = xcalloc(s->n, sizeof(*s->coins));
    for (size_t i = 0; i < s->n; i++) {
        struct farthing_coin *c = &s->coins[i];
        c->out.value = (int64_t)read_u64(&r);
        c->height = read_u32(&r);
        c->coinbase = read_u8(&r);
        c->mtp_before = read_u32(&r);
        c->out.script = read_var_bytes(&r, &c->out.script_len);
    }
    assert_true(reader_done(&r));
}

static int setup(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(samples); i++)
        sample_load(&samples[i]);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(samples); i++) {
        free(samples[i].block);
        free(samples[i].spent_file);
        free(samples[i].coins);
    }
    return 0;
}

/* The answer for a sample, at an offset from its height. The median time before it is not known. */
static const char *ask(const struct sample *s, int offset)
{
    const char *reason = NULL;
    int ok = farthing_verify_block(&reason, s->chain, s->height + (uint32_t)offset, 0, s->block, s->len, s->coins, s->n);
    assert_int_equal(ok, strcmp(reason, "OK") == 0);
    return reason;
}

static void test_real_blocks(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(samples); i++) {
        if (samples[i].coins)
            assert_string_equal(ask(&samples[i], 0), "OK");
    }
}

/* Any bit of a block decides over it. */
static void test_flipped_bits(void **state)
{
    static const char *const allowed[] = {
        "high-hash",          "bad-txnmrklroot",   "bad-blk-encoding", "bad-witness-merkle-match", "bad-witness-nonce-size",
        "unexpected-witness", "bad-txns-duplicate"};
    struct rng rng;
    (void)state;
    rng_init_seed(&rng, 3);
    for (unsigned i = 0; i < ARRAY_LEN(samples); i++) {
        struct sample *s = &samples[i];
        for (unsigned round = 0; s->coins && round < 60; round++) {
            size_t at = round < 20 ? rng_below(&rng, 80) : rng_below(&rng, s->len);
            uint8_t bit = (uint8_t)(1 << rng_below(&rng, 8));
            const char *reason;
            bool known = false;
            s->block[at] ^= bit;
            reason = ask(s, 0);
            s->block[at] ^= bit;
            for (unsigned k = 0; k < ARRAY_LEN(allowed); k++)
                known = known || strcmp(reason, allowed[k]) == 0;
            if (!known)
                fail_msg("%s, byte %zu: %s", s->name, at, reason);
        }
    }
}

/* A flipped bit in a witness and in a scriptSig, which only what commits to them notices. */
static void test_flipped_signature(void **state)
{
    struct block *b = SEGWIT->coins ? block_decode_copy(SEGWIT->block, SEGWIT->len) : NULL;
    bool witness = false, script = false;
    (void)state;
    for (uint32_t i = 1; b && i < b->n_tx && !(witness && script); i++) {
        const struct tx_in *in = &b->tx[i].in[0];
        if (!witness && in->witness_count && in->witness[0].len > 20) {
            size_t at = (size_t)(in->witness[0].data - b->raw) + 10;
            SEGWIT->block[at] ^= 1;
            assert_string_equal(ask(SEGWIT, 0), "bad-witness-merkle-match");
            SEGWIT->block[at] ^= 1;
            witness = true;
        }
        if (!script && in->script_len > 20) {
            size_t at = (size_t)(in->script - b->raw) + 10;
            SEGWIT->block[at] ^= 1;
            assert_string_equal(ask(SEGWIT, 0), "bad-txnmrklroot");
            SEGWIT->block[at] ^= 1;
            script = true;
        }
    }
    assert_true(!b || (witness && script));
    if (b)
        block_unref(b);
}

static void test_damaged_facts(void **state)
{
    struct farthing_coin *c = SEGWIT->coins, was;
    size_t last = SEGWIT->n - 1;
    struct sample other;
    uint8_t script[64];
    const char *reason;
    (void)state;
    if (!c)
        return;
    assert_string_equal(ask(SEGWIT, 1), "bad-cb-height");
    assert_string_equal(ask(SEGWIT, -1), "bad-txns-nonfinal"); /* it holds a transaction for this height on */
    assert_string_equal(ask(LEGACY, -1), "bad-cb-height");
    for (unsigned i = 0; i < 2; i++) { /* a satoshi less pays too little for the coinbase, one more breaks a witness signature */
        const struct sample *s = i ? SEGWIT : LEGACY;
        s->coins[s->n - 1].out.value--;
        assert_string_equal(ask(s, 0), "bad-cb-amount");
        s->coins[s->n - 1].out.value++;
    }
    for (size_t i = 0; i < SEGWIT->n; i++) {
        if (c[i].out.script_len == 22 && c[i].out.script[0] == 0) {
            c[i].out.value++;
            assert_string_equal(ask(SEGWIT, 0), eval_false);
            c[i].out.value--;
            break;
        }
    }
    was = c[last];
    c[last].out.value = MAX_MONEY + 1;
    assert_string_equal(ask(SEGWIT, 0), "bad-txns-inputvalues-outofrange");
    c[last].out.value = 0;
    assert_string_equal(ask(SEGWIT, 0), "bad-txns-in-belowout");
    c[last] = was;
    c[last].coinbase = 1;
    c[last].height = SEGWIT->height - 99;
    assert_string_equal(ask(SEGWIT, 0), "bad-txns-premature-spend-of-coinbase");
    c[last] = was;
    memcpy(script, was.out.script, was.out.script_len);
    script[was.out.script_len - 3] ^= 1;
    c[last].out.script = script;
    reason = ask(SEGWIT, 0);
    assert_memory_equal(reason, script_failed, strlen(script_failed));
    c[last] = was;
    other = *SEGWIT;
    other.n--;
    assert_string_equal(ask(&other, 0), missing);
    other = *SEGWIT;
    other.chain = FARTHING_SIGNET; /* nobody signed it there */
    assert_string_equal(ask(&other, 0), "bad-signet-blksig");
    other = *LEGACY;
    other.height = 400000; /* blocks of version 2 are over by then */
    assert_string_equal(ask(&other, 0), "bad-version");
}

/* A block without its last transaction, and with its last two the other way round. */
static void test_missing_tx(void **state)
{
    struct block *b = SEGWIT->coins ? block_decode_copy(SEGWIT->block, SEGWIT->len) : NULL;
    (void)state;
    for (unsigned swap = 0; b && swap < 2; swap++) {
        struct writer w = WRITER_INIT;
        struct sample s = *SEGWIT;
        write_bytes(&w, SEGWIT->block, 80);
        write_compact_size(&w, b->n_tx - !swap);
        for (uint32_t i = 0; i < b->n_tx - 2; i++)
            tx_write(&w, &b->tx[i], true);
        if (swap)
            tx_write(&w, &b->tx[b->n_tx - 1], true);
        tx_write(&w, &b->tx[b->n_tx - 2], true);
        s.block = w.data;
        s.len = w.len;
        assert_string_equal(ask(&s, 0), "bad-txnmrklroot");
        writer_clear(&w);
    }
    if (b)
        block_unref(b);
}

/* --- whole chains from genesis, with all that is known of their coins --- */

struct known_tx {
    const struct tx *tx;
    uint32_t height;
};

static const struct known_tx *find_tx(const struct known_tx *txs, size_t n, const struct txid *id)
{
    for (size_t i = n; i-- > 0;) {
        if (txid_equal(&txs[i].tx->txid, id))
            return &txs[i];
    }
    return NULL;
}

static void verify_dat(enum farthing_chain chain, const char *path, size_t blocks, size_t txs)
{
    size_t len, n = 0, n_tx = 0, spends = 0;
    uint8_t *data = vectors_read(path, &len);
    struct reader r = reader_make(data, len);
    struct header_node *nodes = xcalloc(blocks, sizeof(*nodes));
    struct block **kept = xcalloc(blocks, sizeof(struct block *));
    struct known_tx *known = xcalloc(txs, sizeof(*known));
    const uint8_t *bytes;
    uint32_t block_len;
    while (data && reader_left(&r) && (bytes = dat_next(&r, &block_len))) {
        struct block *b = kept[n] = block_decode_copy(bytes, block_len);
        struct farthing_coin coins[64];
        size_t k = 0;
        const char *reason;
        header_node_init(&nodes[n], &b->header, &b->hash, n ? &nodes[n - 1] : NULL);
        for (uint32_t i = 0; i < b->n_tx; i++) {
            assert_true(n_tx < txs);
            known[n_tx++] = (struct known_tx){&b->tx[i], (uint32_t)n};
            for (uint32_t j = 0; i && j < b->tx[i].n_in; j++) {
                const struct outpoint *o = b->tx[i].in[j].prevout;
                const struct known_tx *from = find_tx(known, n_tx, &o->txid);
                const struct tx_out *out = &from->tx->out[o->n];
                int64_t mtp = header_node_mtp(&nodes[from->height ? from->height - 1 : 0]);
                assert_true(k < ARRAY_LEN(coins));
                coins[k++] = (struct farthing_coin){
                    {out->value, out->script, out->script_len}, from->height, tx_is_coinbase(from->tx), (uint32_t)mtp};
            }
        }
        spends += k;
        if (!farthing_verify_block(&reason, chain, (uint32_t)n, n ? (uint32_t)header_node_mtp(&nodes[n - 1]) : 0, bytes, block_len,
                                   coins, k))
            fail_msg("%s, height %zu: %s", path, n, reason);
        n++;
    }
    assert_true(!data || n == blocks);
    assert_true(!data || chain != FARTHING_MAIN || blocks < 4000 || spends > 60);
    for (size_t i = 0; i < n; i++)
        block_unref(kept[i]);
    free(known);
    free(kept);
    free(nodes);
    free(data);
}

static void test_chains(void **state)
{
    (void)state;
    verify_dat(FARTHING_MAIN, "chain/mainnet/blocks-000000-004312.dat", 4313, 4371);
    verify_dat(FARTHING_MAIN, "chain/mainnet-alt/blocks-000000-002016.dat", 2017, 2017);
    verify_dat(FARTHING_SIGNET, "chain/signet/blocks-000000-000120.dat", 121, 121);
    verify_dat(FARTHING_REGTEST, "chain/regtest/blocks-000000-000150.dat", 151, 151);
}

static void test_signet(void **state)
{
    size_t len;
    uint8_t *data = vectors_read("chain/signet/blocks-000000-000120.dat", &len), *copy;
    struct reader r = reader_make(data, len);
    uint32_t block_len;
    const char *reason;
    (void)state;
    if (!data)
        return;
    dat_next(&r, &block_len);
    copy = data + (dat_next(&r, &block_len) - data);
    assert_true(farthing_verify_block(NULL, FARTHING_SIGNET, 1, 1598918400, copy, block_len, NULL, 0));
    copy[232] ^= 1;
    assert_false(farthing_verify_block(&reason, FARTHING_SIGNET, 1, 1598918400, copy, block_len, NULL, 0));
    assert_string_equal(reason, "bad-signet-blksig");
    free(data);
}

/* --- blocks made to order --- */

static struct chain_params regtest;
static const struct outpoint outside = {{{42}}, 1};
static const uint8_t op_true = OP_1, op_false = OP_0;

static const char *ask_regtest(struct tx *const *txs, size_t n, int32_t height, uint32_t mtp, const struct farthing_coin *coins,
                               size_t n_coins)
{
    struct writer w;
    const char *reason;
    chain_params_init(&regtest, CHAIN_REGTEST);
    w = make_block_bytes(&regtest, NULL, 1700000000, txs, n, NULL);
    chain_params_clear(&regtest);
    farthing_verify_block(&reason, FARTHING_REGTEST, (uint32_t)height, mtp, w.data, w.len, coins, n_coins);
    writer_clear(&w);
    return reason;
}

static struct outpoint out_of(const struct tx *tx, uint32_t n)
{
    struct outpoint o = {tx->txid, n};
    return o;
}

static void test_inside_coins(void **state)
{
    struct farthing_coin c[3] = {{{1000, &op_true, 1}, 5, 0, 0}, {{900, &op_true, 1}, 6, 2, 0}, {{900, &op_true, 1}, 6, 0, 0}};
    struct tx *cb = make_coinbase(200, 25 * COIN), *a, *b, *again, *beyond;
    struct outpoint o;
    (void)state;
    a = make_tx(&outside, NULL, 0, SEQUENCE_FINAL, 900, NULL, 0);
    o = out_of(a, 0);
    b = make_tx(&o, NULL, 0, SEQUENCE_FINAL, 800, NULL, 0);
    again = make_tx(&o, NULL, 0, SEQUENCE_FINAL, 700, NULL, 0);
    o = out_of(a, 1);
    beyond = make_tx(&o, NULL, 0, SEQUENCE_FINAL, 700, NULL, 0);
    {
        struct tx *good[] = {cb, a, b}, *order[] = {cb, b, a}, *twice[] = {cb, a, b, again}, *none[] = {cb, a, beyond};
        assert_string_equal(ask_regtest(good, 3, 200, 1, c, 2), "OK");
        assert_string_equal(ask_regtest(good, 3, 200, 1, c, 3), missing);
        assert_string_equal(ask_regtest(good, 3, 200, 1, c, 1), missing);
        assert_string_equal(ask_regtest(good, 3, 201, 1, c, 2), "bad-cb-height");
        assert_string_equal(ask_regtest(twice, 4, 200, 1, c, 3), missing);
        assert_string_equal(ask_regtest(none, 3, 200, 1, c, 2), missing);
        c[1].out.value = 901; /* not what the block says */
        assert_string_equal(ask_regtest(good, 3, 200, 1, c, 2), missing);
        c[1].out.value = 900;
        c[1].out.script = &op_false;
        assert_string_equal(ask_regtest(good, 3, 200, 1, c, 2), missing);
        c[0].out.value = 900;
        assert_string_equal(ask_regtest(order, 3, 200, 1, c, 2), missing);
    }
    { /* the block's own coinbase is never ripe */
        struct farthing_coin own = {{25 * COIN, &op_true, 1}, UINT32_MAX, 2, 0};
        struct tx *spend, *txs[2] = {cb};
        o = out_of(cb, 0);
        txs[1] = spend = make_tx(&o, NULL, 0, SEQUENCE_FINAL, 700, NULL, 0);
        assert_string_equal(ask_regtest(txs, 2, 200, 1, &own, 1), "bad-txns-premature-spend-of-coinbase");
        tx_unref(spend);
    }
    tx_unref(cb);
    tx_unref(a);
    tx_unref(b);
    tx_unref(again);
    tx_unref(beyond);
}

/* What is not known is not held against the block. */
static void test_unknown_facts(void **state)
{
    static const struct {
        uint32_t sequence, height;
        int coinbase;
        uint32_t mtp_before, prev_mtp;
        const char *reason;
    } cases[] = {
        {SEQUENCE_FINAL, 101, 1, 0, 9, "bad-txns-premature-spend-of-coinbase"},
        {SEQUENCE_FINAL, 100, 1, 0, 9, "OK"},
        {SEQUENCE_FINAL, 101, 0, 0, 9, "OK"},
        {SEQUENCE_FINAL, 101, 2, 0, 9, "OK"},
        {SEQUENCE_FINAL, UINT32_MAX, 1, 0, 9, "OK"},
        {50, 150, 0, 0, 9, "OK"},
        {50, 151, 0, 0, 9, "bad-txns-nonfinal"},
        {50, UINT32_MAX, 0, 0, 9, "OK"},
        {1 << 22 | 10, 1, 0, 1000000, 1000000 + 5119, "bad-txns-nonfinal"},
        {1 << 22 | 10, 1, 0, 1000000, 1000000 + 5120, "OK"},
        {1 << 22 | 10, 1, 0, 0, 1000000, "OK"},
        {1 << 22 | 10, 1, 0, 1000000, 0, "OK"},
    };
    struct tx *txs[2] = {make_coinbase(200, 25 * COIN)};
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct farthing_coin c = {{1000, &op_true, 1}, cases[i].height, cases[i].coinbase, cases[i].mtp_before};
        txs[1] = make_tx(&outside, NULL, 0, cases[i].sequence, 1, NULL, 0);
        assert_string_equal(ask_regtest(txs, 2, 200, cases[i].prev_mtp, &c, 1), cases[i].reason);
        tx_unref(txs[1]);
    }
    tx_unref(txs[0]);
}

static void test_block_reasons(void **state)
{
    struct farthing_coin c = {{1000, &op_true, 1}, 5, 0, 1};
    struct tx *cb = make_coinbase(200, 25 * COIN), *rich = make_coinbase(200, 25 * COIN + 1000);
    struct tx *spend = make_tx(&outside, NULL, 0, SEQUENCE_FINAL, 1, NULL, 0), *txs[] = {cb, spend}, *paid[] = {rich, spend};
    const char *reason;
    (void)state;
    assert_string_equal(ask_regtest(txs, 2, 200, 1, &c, 1), "OK");
    assert_string_equal(ask_regtest(paid, 2, 200, 1, &c, 1), "bad-cb-amount"); /* 999 of fees */
    c.out.script = &op_false;
    assert_string_equal(ask_regtest(txs, 2, 200, 1, &c, 1), eval_false);
    c.out.script_len = 0;
    c.out.script = NULL;
    assert_string_equal(ask_regtest(txs, 2, 200, 1, &c, 1), eval_false);
    assert_string_equal(ask_regtest(txs + 1, 1, 200, 1, &c, 0), "bad-cb-missing");
    assert_string_equal(ask_regtest(txs, 0, 200, 1, &c, 0), "bad-blk-length");
    assert_false(farthing_verify_block(&reason, FARTHING_REGTEST, 1, 1, (const uint8_t *)"", 0, NULL, 0));
    assert_string_equal(reason, "bad-blk-encoding");
    assert_false(farthing_verify_block(&reason, (enum farthing_chain)7, 1, 1, (const uint8_t *)"", 0, NULL, 0));
    assert_string_equal(reason, "bad-chain");
    assert_false(farthing_verify_block(&reason, FARTHING_MAIN, 0x7fffffff, 1, (const uint8_t *)"", 0, NULL, 0));
    assert_string_equal(reason, "bad-height");
    assert_string_equal(ask_regtest(txs, 1, 0, 1, &c, 0), "bad-height");
    tx_unref(cb);
    tx_unref(rich);
    tx_unref(spend);
}

/* --- single inputs --- */

static void test_inputs_of_blocks(void **state)
{
    struct block *b = SEGWIT->coins ? block_decode_copy(SEGWIT->block, SEGWIT->len) : NULL;
    const struct farthing_coin *c = SEGWIT->coins;
    struct farthing_output spent[200];
    (void)state;
    for (uint32_t i = 1; b && i < b->n_tx; c += b->tx[i].n_in, i++) {
        const struct tx *tx = &b->tx[i];
        assert_true(tx->n_in <= ARRAY_LEN(spent));
        for (uint32_t j = 0; j < tx->n_in; j++)
            spent[j] = c[j].out;
        for (uint32_t j = 0; j < tx->n_in; j++) {
            const char *error;
            assert_true(farthing_verify_input(&error, tx->raw, tx->raw_len, j, spent, tx->n_in, ALL));
            assert_string_equal(error, "OK");
        }
        assert_false(farthing_verify_input(NULL, tx->raw, tx->raw_len - 1, 0, spent, tx->n_in, ALL));
    }
    if (b)
        block_unref(b);
}

static void expect_input(const struct tx *tx, size_t n, const struct farthing_output *spent, size_t n_spent, unsigned flags,
                         const char *expected)
{
    const char *error;
    int ok = farthing_verify_input(&error, tx->raw, tx->raw_len, n, spent, n_spent, flags);
    assert_string_equal(error, expected);
    assert_int_equal(ok, strcmp(expected, "OK") == 0);
}

static void test_input_arguments(void **state)
{
    static const uint8_t p2wpkh[22] = {0, 20, 1}, p2tr[34] = {OP_1, 32, 1}, dummy[] = {OP_RETURN};
    struct farthing_output t = {5, &op_true, 1}, f = {5, &op_false, 1}, w = {5, p2wpkh, 22}, r = {5, p2tr, 34}, d = {5, dummy, 1};
    struct farthing_output two[] = {t, t};
    struct tx *tx = make_tx(&outside, NULL, 0, SEQUENCE_FINAL, 1, NULL, 0);
    (void)state;
    expect_input(tx, 0, &t, 1, ALL, "OK");
    expect_input(tx, 0, &t, 1, 0, "OK");
    expect_input(tx, 0, &f, 1, ALL, "EVAL_FALSE");
    expect_input(tx, 0, &d, 1, ALL, "OP_RETURN");
    expect_input(tx, 0, &w, 1, ALL, "WITNESS_PROGRAM_MISMATCH");
    expect_input(tx, 0, &w, 1, FARTHING_VERIFY_P2SH, "OK");
    expect_input(tx, 0, &r, 1, ALL, "WITNESS_PROGRAM_WITNESS_EMPTY");
    expect_input(tx, 0, &r, 1, FARTHING_VERIFY_P2SH | FARTHING_VERIFY_WITNESS, "OK");
    expect_input(tx, 1, &t, 1, ALL, "TX_INDEX");
    expect_input(tx, SIZE_MAX, &t, 1, ALL, "TX_INDEX");
    expect_input(tx, 0, two, 2, ALL, "SPENT_OUTPUTS_MISMATCH");
    expect_input(tx, 0, NULL, 0, ALL, "SPENT_OUTPUTS_MISMATCH");
    expect_input(tx, 0, &t, 1, 1u << 21, "INVALID_FLAGS");
    expect_input(tx, 0, &t, 1, FARTHING_VERIFY_WITNESS, "INVALID_FLAGS");
    expect_input(tx, 0, &t, 1, 1u << 8, "INVALID_FLAGS"); /* CLEANSTACK alone */
    tx_unref(tx);
}

/* --- threads, and the linker's view --- */

static void *verify_often(void *arg)
{
    uintptr_t wrong = 0;
    (void)arg;
    for (unsigned i = 0; i < 3; i++) {
        const char *reason;
        wrong +=
            !farthing_verify_block(&reason, SEGWIT->chain, SEGWIT->height, 0, SEGWIT->block, SEGWIT->len, SEGWIT->coins, SEGWIT->n);
        wrong += strcmp(reason, "OK") != 0;
    }
    return (void *)wrong;
}

static void test_threads(void **state)
{
    pthread_t threads[6];
    (void)state;
    if (!SEGWIT->coins)
        return;
    for (unsigned i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, verify_often, NULL), 0);
    for (unsigned i = 0; i < ARRAY_LEN(threads); i++) {
        void *wrong;
        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
}

/* Names that a file of the build offers to other programs: two, and both begin with farthing_. */
static void check_names(const char *command, const char *file)
{
    char exe[4096], line[4200];
    ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
    unsigned names = 0;
    FILE *f;
    assert_true(len > 0);
    exe[len] = 0;
    snprintf(line, sizeof(line), "%s '%s/../../%s'", command, dirname(exe), file);
    f = popen(line, "r");
    assert_non_null(f);
    while (fgets(line, sizeof(line), f)) {
        char type, name[200];
        if (!strchr(line, ' ') || sscanf(line, "%*x %c %199s", &type, name) != 2)
            continue;
        names++;
        if (strncmp(name, "farthing_", 9) != 0)
            fail_msg("%s offers %s", file, name);
    }
    assert_int_equal(pclose(f), 0);
    assert_int_equal(names, 2);
}

static void test_names(void **state)
{
    (void)state;
    check_names("nm -D --defined-only", "libfarthingconsensus.so");
    check_names("nm -g --defined-only", "libfarthingconsensus.a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_real_blocks),
        cmocka_unit_test(test_flipped_bits),
        cmocka_unit_test(test_flipped_signature),
        cmocka_unit_test(test_damaged_facts),
        cmocka_unit_test(test_missing_tx),
        cmocka_unit_test(test_chains),
        cmocka_unit_test(test_signet),
        cmocka_unit_test(test_inside_coins),
        cmocka_unit_test(test_unknown_facts),
        cmocka_unit_test(test_block_reasons),
        cmocka_unit_test(test_inputs_of_blocks),
        cmocka_unit_test(test_input_arguments),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
