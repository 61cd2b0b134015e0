/* test_mining.c - templates on a real regtest chain with a pool: valid under the chain's own rules, best fees first, within limits; and the
 * miner. */
#include "chain/chain_test.h"
#include "crypto/sha256.h"
#include "crypto/sha256_scan.h"
#include "mining/cpu_miner.h"
#include "mining/work.h"
#include "script/script.h"

struct shop {
    struct bed bed; /* first: the chain's events get it */
    struct mempool *m;
    uint8_t spk[34]; /* P2WSH(OP_TRUE) */
    struct mining_options o;
};

static void on_connected(void *ctx, const struct block_entry *e, struct block *b)
{
    struct shop *s = (struct shop *)ctx;
    mempool_block_connected(s->m, b, e->node.height);
}
static void on_disconnected(void *ctx, const struct block_entry *e, struct block *b)
{
    (void)e;
    mempool_block_disconnected(((struct shop *)ctx)->m, b);
}
static void on_tip(void *ctx, const struct block_entry *tip, const struct block_entry *fork, bool initial)
{
    (void)tip;
    (void)fork;
    (void)initial;
    mempool_tip_changed(((struct shop *)ctx)->m);
}
static enum rc get_coin(void *ctx, struct coin *c, const struct outpoint *o, struct arena *arena)
{
    return chain_get_coin(((struct shop *)ctx)->bed.c, c, o, arena);
}
static const struct header_node *tip_of(void *ctx)
{
    return &chain_tip(((struct shop *)ctx)->bed.c)->node;
}

static int setup(void **state)
{
    static const uint8_t op_true[1] = {OP_1};
    struct shop *s = (struct shop *)xcalloc(1, sizeof(*s));
    struct mempool_options o = {.params = &s->bed.params, .max_bytes = 300000000, .expiry = 336 * 3600};

    bed_init(&s->bed, CHAIN_REGTEST);
    s->bed.o.events = (struct chain_events){
        .ctx = s, .block_connected = on_connected, .block_disconnected = on_disconnected, .tip_changed = on_tip};
    policy_init(&o.policy, &s->bed.params);
    o.policy.require_standard = false; /* for outputs full of sigops */
    o.sig_cache = s->bed.cache;
    o.chain = (struct mempool_chain){s, get_coin, tip_of, NULL};
    s->m = mempool_new(&o);
    time_mock_set(1700000000);
    bed_open(&s->bed);
    s->o = (struct mining_options){.max_weight = 4000000, .reserved_weight = 8000, .min_fee_rate = 1};
    s->spk[1] = 32;
    sha256(s->spk + 2, op_true, 1);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct shop *s = (struct shop *)*state;
    bed_clear(&s->bed);
    mempool_free(s->m);
    time_mock_set(0);
    free(s);
    return 0;
}

static void done(void *arg, const struct block_hash *hash, bool is_new, const struct verdict *v)
{
    (void)hash;
    if (v->kind != VERDICT_VALID)
        print_message("refused: %s, %s\n", v->reason, v->debug);
    *(bool *)arg = is_new && v->kind == VERDICT_VALID;
}

/* Solves and submits. Returns: the block. */
static struct block *finish(struct shop *s, const struct block_template *t)
{
    struct block *open = mining_build(t, &s->bed.params, s->spk, sizeof(s->spk), 0), *solved;
    uint64_t tries = 1000000;
    struct verdict v;
    bool ok = false;

    verdict_init(&v);
    if (!chain_test_block(s->bed.c, open, false, true, &v))
        fail_msg("template is not valid: %s, %s", v.reason, v.debug);
    solved = mining_solve(open, &s->bed.params, &tries, NULL);
    assert_non_null(solved);
    block_unref(open);
    chain_process_block(s->bed.c, solved, true, true, done, &ok);
    chain_drain(s->bed.c);
    assert_true(ok);
    assert_memory_equal(&chain_tip(s->bed.c)->node.hash, &solved->hash, 32);
    return solved;
}

static struct block *mine(struct shop *s)
{
    struct block_template *t = mining_template(s->bed.c, s->m, &s->o);
    struct block *b = finish(s, t);
    block_template_free(t);
    return b;
}

/* Coinbases of the first blocks, to be spent. Returns: their txids. */
static struct txid *mine_coins(struct shop *s, size_t n)
{
    struct txid *ids = (struct txid *)xmalloc(n * sizeof(*ids));
    for (size_t i = 0; i < n + COINBASE_MATURITY; i++) {
        struct block *b = mine(s);
        if (i < n)
            ids[i] = b->tx[0].txid;
        block_unref(b);
    }
    return ids;
}

static struct tx *spend(struct shop *s, struct outpoint from, int64_t value, size_t pad, uint32_t lock_time)
{
    static const uint8_t op_true[1] = {OP_1};
    struct witness_item w = {op_true, 1};
    struct tx_builder b;
    struct tx *tx;
    uint8_t *data = (uint8_t *)xcalloc(1, pad + 6);

    tx_builder_init(&b, 2, lock_time);
    tx_builder_set_witness(&b, tx_builder_add_in(&b, &from, NULL, 0, lock_time ? 0xfffffffe : SEQUENCE_FINAL), &w, 1);
    tx_builder_add_out(&b, value, s->spk, sizeof(s->spk));
    if (pad) {
        data[0] = OP_RETURN;
        data[1] = OP_PUSHDATA4;
        put_le32(data + 2, (uint32_t)pad);
        tx_builder_add_out(&b, 0, data, pad + 6);
    }
    tx = tx_build(&b);
    tx_builder_clear(&b);
    free(data);
    return tx;
}

static void give(struct shop *s, struct tx *tx_take)
{
    struct mempool_result r;
    if (!mempool_accept(s->m, tx_take, false, false, &r))
        fail_msg("refused: %s, %s", r.verdict.reason, r.verdict.debug);
    tx_unref(tx_take);
}

static void coinbases(void **state)
{
    struct shop *s = (struct shop *)*state;
    for (int32_t height = 1; height <= 130; height++) {
        struct block *b = mine(s);
        const struct tx *cb = &b->tx[0];
        assert_int_equal(cb->version, 2);
        assert_int_equal(cb->lock_time, height - 1);
        assert_int_equal(cb->in[0].sequence, 0xfffffffe);
        assert_int_equal(cb->n_out, 2);
        assert_int_equal(cb->out[0].value, 50 * COIN);
        assert_int_equal(cb->in[0].witness_count, 1);
        if (height <= 16) {
            const uint8_t want[2] = {(uint8_t)(0x50 + height), 0};
            assert_int_equal(cb->in[0].script_len, 2);
            assert_memory_equal(cb->in[0].script, want, 2);
        } else if (height < 128) {
            const uint8_t want[2] = {1, (uint8_t)height};
            assert_int_equal(cb->in[0].script_len, 2);
            assert_memory_equal(cb->in[0].script, want, 2);
        } else {
            const uint8_t want[3] = {2, (uint8_t)height, 0};
            assert_int_equal(cb->in[0].script_len, 3);
            assert_memory_equal(cb->in[0].script, want, 3);
        }
        block_unref(b);
    }
}

static void best_fees_first(void **state)
{
    struct shop *s = (struct shop *)*state;
    struct txid *c = mine_coins(s, 4);
    struct tx *low = spend(s, (struct outpoint){c[0], 0}, 50 * COIN - 1000, 0, 0);
    struct tx *child = spend(s, (struct outpoint){low->txid, 0}, 50 * COIN - 101000, 0, 0);
    struct tx *mid = spend(s, (struct outpoint){c[1], 0}, 50 * COIN - 20000, 0, 0);
    struct tx *high = spend(s, (struct outpoint){c[2], 0}, 50 * COIN - 900000, 0, 0);
    struct tx *want[4] = {high, low, child, mid};
    struct block_template *t;
    struct block *b;

    for (int i = 0; i < 4; i++)
        give(s, tx_ref(want[i]));
    t = mining_template(s->bed.c, s->m, &s->o);
    assert_int_equal(t->n_txs, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_memory_equal(&t->txs[i].tx->txid, &want[i]->txid, 32);
        tx_unref(want[i]);
    }
    assert_int_equal(t->fees, 1000 + 100000 + 20000 + 900000);
    assert_int_equal(t->coinbase_value, 50 * COIN + t->fees);
    b = finish(s, t);
    assert_int_equal(b->n_tx, 5);
    assert_int_equal(mempool_count(s->m), 0);
    block_template_free(t);
    block_unref(b);
    free(c);
}

static void limits(void **state)
{
    struct shop *s = (struct shop *)*state;
    struct txid *c = mine_coins(s, 30);
    struct block_template *t;
    int64_t weight = 0;

    for (int i = 0; i < 30; i++) /* 30 of a quarter of a megabyte's weight each: four blocks could not hold them */
        give(s, spend(s, (struct outpoint){c[i], 0}, 49 * COIN - i * 1000000, 90000, 0));
    t = mining_template(s->bed.c, s->m, &s->o);
    for (size_t i = 0; i < t->n_txs; i++)
        weight += tx_weight(t->txs[i].tx);
    assert_int_equal(t->weight, weight + 8000);
    assert_true(t->weight < 4000000);
    assert_int_equal(t->n_txs, 11);
    block_unref(finish(s, t));
    block_template_free(t);
    assert_int_equal(mempool_count(s->m), 19);

    s->o.max_weight = 800000;
    t = mining_template(s->bed.c, s->m, &s->o);
    assert_int_equal(t->n_txs, 2);
    block_template_free(t);
    s->o.min_fee_rate = 10000000; /* more than any pays */
    t = mining_template(s->bed.c, s->m, &s->o);
    assert_int_equal(t->n_txs, 0);
    block_template_free(t);
    s->o.min_fee_rate = 1;
    t = mining_template(s->bed.c, NULL, &s->o);
    assert_int_equal(t->n_txs, 0);
    block_template_free(t);
    free(c);
}

/* Bare multisig outputs: 20 sigops each, times four. */
static void sigops(void **state)
{
    struct shop *s = (struct shop *)*state;
    struct txid *c = mine_coins(s, 8);
    uint8_t script[200];
    struct block_template *t;
    struct block *b;

    memset(script, OP_CHECKMULTISIG, sizeof(script));
    for (int i = 0; i < 8; i++) {
        static const uint8_t op_true[1] = {OP_1};
        struct witness_item w = {op_true, 1};
        struct outpoint from = {c[i], 0};
        struct tx_builder tb;
        tx_builder_init(&tb, 2, 0);
        tx_builder_set_witness(&tb, tx_builder_add_in(&tb, &from, NULL, 0, SEQUENCE_FINAL), &w, 1);
        tx_builder_add_out(&tb, 49 * COIN, script, 190); /* 15,200 */
        struct tx *tx = tx_build(&tb);
        tx_builder_clear(&tb);
        give(s, tx);
    }
    t = mining_template(s->bed.c, s->m, &s->o);
    assert_int_equal(t->n_txs, 5); /* the coinbase keeps 400 of 80,000 */
    assert_int_equal(t->sigop_cost, 5 * 15200 + 400);
    b = finish(s, t);
    block_template_free(t);
    block_unref(b);
    free(c);
}

static void given_transactions(void **state)
{
    struct shop *s = (struct shop *)*state;
    struct txid *c = mine_coins(s, 2);
    struct tx *txs[2] = {spend(s, (struct outpoint){c[0], 0}, 50 * COIN, 0, 0), NULL};
    struct block_template *t;
    struct block *b;

    txs[1] = spend(s, (struct outpoint){txs[0]->txid, 0}, 49 * COIN, 0, 0);
    t = mining_template_of(s->bed.c, txs, 2, &s->o);
    assert_int_equal(t->coinbase_value, 50 * COIN);
    b = finish(s, t);
    assert_int_equal(b->n_tx, 3);
    block_unref(b);
    block_template_free(t);
    tx_unref(txs[0]);
    tx_unref(txs[1]);
    free(c);
}

static void times(void **state)
{
    struct shop *s = (struct shop *)*state;
    struct block_template *t;
    for (int i = 0; i < 12; i++)
        block_unref(mine(s));
    time_mock_set(1600000000); /* a clock that went wrong */
    t = mining_template(s->bed.c, NULL, &s->o);
    assert_int_equal(t->min_time, header_node_mtp(&t->prev->node) + 1);
    assert_int_equal(t->time, t->min_time);
    time_mock_set(1700009999);
    block_template_update_time(t, &s->bed.params);
    assert_int_equal(t->time, 1700009999);
    time_mock_set(1700000000);
    block_template_update_time(t, &s->bed.params);
    assert_int_equal(t->time, 1700009999);
    block_template_free(t);
    for (int i = 0; i < 143 - 12; i++) /* the next is the first of a period: not long before its parent */
        block_unref(mine(s));
    time_mock_set(1700000000 + 7000);
    s->bed.params.enforce_bip94 = false;
    t = mining_template(s->bed.c, NULL, &s->o);
    assert_int_equal(t->height % chain_params_interval(&s->bed.params), 0);
    assert_int_equal(t->min_time, mining_min_time(&s->bed.params, &t->prev->node));
    assert_true(t->min_time >= (int64_t)t->prev->node.time - 600);
    block_template_free(t);
}

static void solving(void **state)
{
    struct shop *s = (struct shop *)*state;
    struct block_template *t = mining_template(s->bed.c, NULL, &s->o);
    struct block *easy = mining_build(t, &s->bed.params, s->spk, sizeof(s->spk), 7), *hard, *solved;
    atomic_bool stop = true;
    uint64_t tries = 0;

    assert_int_equal(easy->tx[0].in[0].script_len, 3); /* height, 0, extra nonce */
    assert_null(mining_solve(easy, &s->bed.params, &tries, NULL));
    tries = 100;
    assert_null(mining_solve(easy, &s->bed.params, &tries, &stop));
    assert_int_equal(tries, 100);
    stop = false;
    solved = mining_solve(easy, &s->bed.params, &tries, &stop);
    assert_non_null(solved);
    assert_int_equal(tries, 100 - solved->header.nonce);
    assert_true(check_proof_of_work(&s->bed.params, &solved->hash, solved->header.bits));
    for (uint32_t nonce = 0; nonce < solved->header.nonce; nonce++) {
        uint8_t header[80];
        struct block_hash hash;
        memcpy(header, easy->raw, 80);
        put_le32(header + 76, nonce);
        sha256d(hash.b, header, 80);
        assert_false(check_proof_of_work(&s->bed.params, &hash, easy->header.bits));
    }
    t->bits = 0x1d00ffff; /* some four thousand million tries */
    hard = mining_build(t, &s->bed.params, s->spk, sizeof(s->spk), 0);
    tries = 1000;
    assert_null(mining_solve(hard, &s->bed.params, &tries, NULL));
    assert_int_equal(tries, 0);
    block_unref(solved);
    block_unref(easy);
    block_unref(hard);
    block_template_free(t);
}

static void reorganises_with_the_chain(void **state)
{
    struct shop *s = (struct shop *)*state;
    struct txid *c = mine_coins(s, 1);
    struct tx *tx = spend(s, (struct outpoint){c[0], 0}, 49 * COIN, 0, 0);
    const struct block_entry *before = chain_tip(s->bed.c);
    struct verdict v;

    give(s, tx_ref(tx));
    block_unref(mine(s));
    block_unref(mine(s));
    assert_int_equal(mempool_count(s->m), 0);
    verdict_init(&v);
    assert_true(chain_invalidate(s->bed.c, chain_next(s->bed.c, before), &v));
    assert_ptr_equal(chain_tip(s->bed.c), before);
    assert_int_equal(mempool_count(s->m), 1);
    time_mock_set(1700000100);
    block_unref(mine(s));
    assert_int_equal(mempool_count(s->m), 0);
    tx_unref(tx);
    free(c);
}

/* Blocks put together of a coinbase's parts and the branch, as miners do it, for every shape of a small tree. */
static void work_parts(void **state)
{
    struct shop *s = (struct shop *)*state;
    struct txid *c = mine_coins(s, 1);
    struct outpoint from = {c[0], 0};
    struct tx *txs[9];

    for (size_t n = 0; n <= 9; n++) {
        struct mining_work *w = mining_work_new(mining_template_of(s->bed.c, txs, n, &s->o));
        struct writer coinbase = WRITER_INIT, tail = WRITER_INIT;
        struct block_header h = {.version = w->t->version, .prev = w->t->prev->node.hash, .bits = w->t->bits, .time = w->t->time};
        uint8_t header[80], id[32];
        struct sha256_scan scan;
        struct block *b;
        struct verdict v;
        bool ok = false;

        mining_work_coinbase(&coinbase, &tail, w, s->spk, sizeof(s->spk), 12);
        write_bytes(&coinbase, "extra nonce!", 12);
        write_bytes(&coinbase, tail.data, tail.len);
        sha256d(id, coinbase.data, coinbase.len);
        h.merkle_root = mining_work_root(w, id);
        block_header_encode(header, &h);
        sha256_scan_init(&scan, header);
        assert_true(mining_scan(header, &scan, target_from_bits(h.bits, NULL, NULL), 0, 1000) < 1000);
        b = mining_work_block(w, header, coinbase.data, coinbase.len);
        assert_non_null(b);
        assert_int_equal(b->n_tx, n + 1);
        verdict_init(&v);
        if (!chain_test_block(s->bed.c, b, true, true, &v))
            fail_msg("%zu transactions: %s, %s", n, v.reason, v.debug);
        if (n == 9) {
            chain_process_block(s->bed.c, b, true, true, done, &ok);
            chain_drain(s->bed.c);
            assert_true(ok);
        } else {
            txs[n] = spend(s, from, (50 - (int64_t)n) * COIN, 0, 0);
            from = (struct outpoint){txs[n]->txid, 0};
        }
        block_unref(b);
        writer_clear(&coinbase);
        writer_clear(&tail);
        mining_work_unref(w);
    }
    for (int i = 0; i < 9; i++)
        tx_unref(txs[i]);
    free(c);
}

/* Testnets: twenty minutes after the tip a block of the least difficulty may come, and not a second earlier. */
static void twenty_minutes(void **state)
{
    struct chain_params p;
    struct block_entry prev = {.node = {.height = 100, .bits = 0x1c00ffff, .time = 1700000000}};
    struct block_template t = {.prev = &prev, .height = 101, .bits = 0x1c00ffff, .min_time = 1699999000};
    struct mining_work w = {.t = &t};
    uint8_t header[80] = {0};

    (void)state;
    chain_params_init(&p, CHAIN_TESTNET3);
    assert_true(mining_work_set_time(header, &w, &p, 1700000000 + 1200));
    assert_int_equal(get_le32(header + 68), 1700001200);
    assert_int_equal(get_le32(header + 72), 0x1c00ffff);
    assert_false(mining_work_set_time(header, &w, &p, 1700000000 + 1200));
    assert_true(mining_work_set_time(header, &w, &p, 1700000000 + 1201));
    assert_int_equal(get_le32(header + 68), 1700001201);
    assert_int_equal(get_le32(header + 72), 0x1d00ffff);
    assert_true(mining_work_set_time(header, &w, &p, 5)); /* a clock that went wrong */
    assert_int_equal(get_le32(header + 68), 1699999000);
    assert_int_equal(get_le32(header + 72), 0x1c00ffff);
    chain_params_clear(&p);
}

/* The miner's threads against a validation thread that is this one. */
static void own_miner(void **state)
{
    struct shop *s = (struct shop *)*state;
    struct queue *q = queue_new(1 << 20);
    struct template_cache *templates = template_cache_new();
    struct cpu_miner_host h = {
        .params = &s->bed.params, .chain = s->bed.c, .mempool = s->m, .validation = q, .options = &s->o, .templates = templates};
    struct cpu_miner *m = cpu_miner_new(&h);
    const struct block_entry *fifth;
    struct block *b;
    int32_t height;
    size_t n_txs;
    int64_t weight;

    assert_false(cpu_miner_set_threads(m, 1)); /* nobody to pay */
    cpu_miner_free(m);
    h.script = s->spk;
    h.script_len = sizeof(s->spk);
    m = cpu_miner_new(&h);
    assert_int_equal(cpu_miner_threads(m), 0);
    assert_true(cpu_miner_rate(m) == 0);
    assert_true(cpu_miner_set_threads(m, 2));
    assert_int_equal(cpu_miner_threads(m), 2);
    while (chain_height(s->bed.c) < 5)
        assert_true(queue_run_one(q, 10000));
    assert_true(cpu_miner_rate(m) > 0);
    fifth = chain_at(s->bed.c, 5);
    assert_int_equal(chain_read_block(s->bed.c, &b, fifth), RC_OK);
    assert_memory_equal(b->tx[0].out[0].script, s->spk, sizeof(s->spk));
    block_unref(b);
    /* A block from elsewhere: it goes on upon that one. */
    block_unref(mine(s));
    cpu_miner_tip_changed(m);
    height = chain_height(s->bed.c);
    while (chain_height(s->bed.c) < height + 2)
        assert_true(queue_run_one(q, 10000));
    assert_true(cpu_miner_set_threads(m, 0));
    assert_int_equal(cpu_miner_threads(m), 0);
    while (queue_run_one(q, 0))
        continue;
    height = chain_height(s->bed.c);
    cpu_miner_tip_changed(m);
    assert_false(queue_run_one(q, 0)); /* it asks for nothing any more */
    assert_int_equal(chain_height(s->bed.c), height);
    queue_close(q);
    cpu_miner_free(m);
    queue_free(q);
    assert_true(template_cache_last(templates, &n_txs, &weight)); /* its templates are everybody's */
    assert_int_equal(n_txs, 0);
    assert_int_equal(weight, s->o.reserved_weight);
    template_cache_free(templates);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(coinbases, setup, teardown),
        cmocka_unit_test_setup_teardown(best_fees_first, setup, teardown),
        cmocka_unit_test_setup_teardown(limits, setup, teardown),
        cmocka_unit_test_setup_teardown(sigops, setup, teardown),
        cmocka_unit_test_setup_teardown(given_transactions, setup, teardown),
        cmocka_unit_test_setup_teardown(times, setup, teardown),
        cmocka_unit_test_setup_teardown(solving, setup, teardown),
        cmocka_unit_test_setup_teardown(reorganises_with_the_chain, setup, teardown),
        cmocka_unit_test_setup_teardown(work_parts, setup, teardown),
        cmocka_unit_test(twenty_minutes),
        cmocka_unit_test_setup_teardown(own_miner, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
