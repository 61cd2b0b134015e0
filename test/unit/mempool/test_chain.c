/* test_chain.c - what blocks, reorganisations, age and size do to the pool, and the pool on disk. */
#include <malloc.h>
#include <unistd.h>

#include "bed.h"
#include "util/fs.h"

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

static void block_takes_and_conflicts(void **state)
{
    struct bed *t = (struct bed *)*state;
    struct outpoint in = bed_coin(t, 100000);
    struct tx *a = bed_tx1(t, bed_coin(t, 100000), 99000), *b = bed_tx1(t, out_of(a, 0), 98000);
    struct tx *c = bed_tx1(t, in, 99000), *d = bed_tx1(t, out_of(c, 0), 98000), *rival = bed_tx1(t, in, 50000);
    struct tx *mined[2] = {a, rival};
    struct block *block = bed_block(t, mined, 2);
    struct mempool_entry e;

    assert_accepted(t, a);
    assert_accepted(t, b);
    assert_accepted(t, c);
    assert_accepted(t, d);
    mempool_prioritise(t->m, &c->txid, 5);
    bed_connect(t, block);
    mempool_tip_changed(t->m);
    assert_int_equal(mempool_count(t->m), 1);
    assert_true(mempool_get(t->m, &e, &b->txid));
    assert_int_equal(e.n_ancestors, 1);
    assert_int_equal(t->removed, 3);
    assert_string_equal(t->last_reason, "block");
    const struct mempool_delta *deltas;
    assert_int_equal(mempool_deltas(t->m, &deltas), 0);
    block_unref(block);
    tx_unref(a);
    tx_unref(b);
    tx_unref(c);
    tx_unref(d);
    tx_unref(rival);
}

static void reorganisation_puts_back(void **state)
{
    struct bed *t = (struct bed *)*state;
    struct tx *a = bed_tx1(t, bed_coin(t, 100000), 99000), *b = bed_tx1(t, out_of(a, 0), 99000 /* no fee: bypasses the limit */);
    struct tx *c = bed_tx1(t, out_of(b, 0), 90000), *second[1] = {b}, *first[1] = {a};
    struct block *one = bed_block(t, first, 1), *two = bed_block(t, second, 1);
    struct mempool_entry e;

    bed_connect(t, one);
    bed_connect(t, two);
    mempool_tip_changed(t->m);
    assert_accepted(t, c);
    bed_disconnect(t, two);
    bed_disconnect(t, one);
    mempool_tip_changed(t->m);
    assert_int_equal(mempool_count(t->m), 3);
    assert_true(mempool_get(t->m, &e, &c->txid));
    assert_int_equal(e.n_ancestors, 3);
    assert_true(mempool_get(t->m, &e, &a->txid));
    assert_int_equal(e.n_descendants, 3);
    assert_int_equal(e.sequence, 0);
    /* One of them is confirmed again by the other branch: only the rest comes back. */
    bed_connect(t, one);
    bed_connect(t, two);
    mempool_tip_changed(t->m);
    bed_disconnect(t, two);
    bed_disconnect(t, one);
    bed_connect(t, one);
    mempool_tip_changed(t->m);
    assert_int_equal(mempool_count(t->m), 2);
    assert_false(bed_has(t, a));
    assert_true(mempool_get(t->m, &e, &b->txid));
    assert_int_equal(e.n_descendants, 2);
    block_unref(one);
    block_unref(two);
    tx_unref(a);
    tx_unref(b);
    tx_unref(c);
}

static void reorganisation_drops(void **state)
{
    struct bed *t = (struct bed *)*state;
    struct witness_item w = {(const uint8_t *)"\x51", 1};
    struct outpoint young = bed_coin_of(t, 100000, 201, true, t->spk, sizeof(t->spk));
    struct outpoint in[2] = {bed_coin(t, 100000), bed_coin_of(t, 100000, 296, false, t->spk, sizeof(t->spk))};
    struct tx *mature = bed_tx1(t, young, 99000), *child = bed_tx1(t, out_of(mature, 0), 98000), *late, *relative, *orphaned;
    struct block *empty = bed_block(t, NULL, 0), *block;
    struct tx_builder b;

    tx_builder_init(&b, 2, 300);
    tx_builder_set_witness(&b, tx_builder_add_in(&b, &in[0], NULL, 0, 0xfffffffe), &w, 1);
    tx_builder_add_out(&b, 90000, t->spk, sizeof(t->spk));
    late = tx_build(&b);
    tx_builder_clear(&b);
    tx_builder_init(&b, 2, 0);
    tx_builder_set_witness(&b, tx_builder_add_in(&b, &in[1], NULL, 0, 5), &w, 1);
    tx_builder_add_out(&b, 90000, t->spk, sizeof(t->spk));
    relative = tx_build(&b);
    tx_builder_clear(&b);
    assert_accepted(t, mature);
    assert_accepted(t, child);
    assert_accepted(t, late);
    assert_accepted(t, relative);
    bed_disconnect(t, empty); /* height 299 */
    mempool_tip_changed(t->m);
    assert_int_equal(mempool_count(t->m), 0);
    assert_string_equal(t->last_reason, "reorg");

    /* What spends a coinbase that is no more goes with it. */
    block = bed_block(t, NULL, 0);
    bed_connect(t, block);
    t->coin[t->n_coins - 1].coinbase = false;
    orphaned = bed_tx1(t, out_of(&block->tx[0], 0), 1000);
    assert_accepted(t, orphaned);
    bed_disconnect(t, block);
    mempool_tip_changed(t->m);
    assert_int_equal(mempool_count(t->m), 0);
    tx_unref(orphaned);
    block_unref(block);
    block_unref(empty);
    tx_unref(mature);
    tx_unref(child);
    tx_unref(late);
    tx_unref(relative);
}

/* The coin is in a later block of the new branch than it was in the old one: its age has to be counted anew. */
static void reorganisation_renews_locks(void **state)
{
    struct bed *t = (struct bed *)*state;
    struct witness_item w = {(const uint8_t *)"\x51", 1};
    struct outpoint in[2] = {bed_coin_of(t, 100000, 296, false, t->spk, sizeof(t->spk)),
                             bed_coin_of(t, 100000, 296, false, t->spk, sizeof(t->spk))};
    struct block_header h = {.version = 0x20000000, .bits = 0x207fffff};
    struct block *empty = bed_block(t, NULL, 0);
    struct header_node branch[7];
    struct tx *tx[2];

    for (uint32_t i = 0; i < 2; i++) {
        struct tx_builder b;
        tx_builder_init(&b, 2, 0);
        tx_builder_set_witness(&b, tx_builder_add_in(&b, &in[i], NULL, 0, 3), &w, 1);
        tx_builder_add_out(&b, 90000, t->spk, sizeof(t->spk));
        tx[i] = tx_build(&b);
        tx_builder_clear(&b);
        assert_accepted(t, tx[i]);
    }
    for (int i = 0; i < 7; i++) {
        struct block_hash hash = {{(uint8_t)i, 0, 2}};
        h.time = t->node[295].time + 60u * (uint32_t)(i + 1);
        header_node_init(&branch[i], &h, &hash, i ? &branch[i - 1] : &t->node[295]);
    }
    t->other_tip = &branch[6]; /* 302 */
    t->coin[t->n_coins - 2].height = 300;
    t->coin[t->n_coins - 1].height = 301;
    mempool_block_disconnected(t->m, empty);
    mempool_tip_changed(t->m);
    assert_true(bed_has(t, tx[0])); /* from 303 on, which is next */
    assert_false(bed_has(t, tx[1]));
    t->other_tip = NULL;
    block_unref(empty);
    tx_unref(tx[0]);
    tx_unref(tx[1]);
}

/* What the pool says that it uses is what it takes from the heap. */
static void usage_is_honest(void **state)
{
    struct bed *t = (struct bed *)*state;
    struct tx *tx[2000];
    struct mempool_options o = bed_options(t);
    struct mempool_stats s;
    size_t before, used, txs;

    o.sig_cache = NULL;
    o.check = 0; /* of thousands, each time, takes minutes with the thread sanitizer */
    bed_renew(t, &o);
    for (size_t i = 0; i < ARRAY_LEN(tx); i++)
        bed_coin(t, 100000);
    before = mallinfo2().uordblks;
    for (size_t i = 0; i < ARRAY_LEN(tx); i++) {
        struct outpoint in[2] = {t->coin[i].at, i % 3 ? out_of(tx[i - 1], 0) : t->coin[i].at};
        int64_t value = 90000;
        tx[i] = bed_tx(t, 2, in, i % 3 ? 2 : 1, &value, 1, 0);
    }
    txs = mallinfo2().uordblks - before;
    for (size_t i = 0; i < ARRAY_LEN(tx); i++)
        assert_accepted(t, tx[i]);
    used = mallinfo2().uordblks - before;
    mempool_stats(t->m, &s);
    if (txs) /* the sanitizers' heap does not tell */
        assert_in_range(s.usage, used - used / 10, used + used / 10);
    mempool_check(t->m);
    for (size_t i = 0; i < ARRAY_LEN(tx); i++)
        tx_unref(tx[i]);
}

/* A chain of 80 comes back under a limit of 64: the end of it goes. */
static void reorganisation_keeps_limits(void **state)
{
    struct bed *t = (struct bed *)*state;
    struct outpoint at = bed_coin(t, 1000000);
    int64_t value = 1000000;
    struct tx *tx[80], *first[40];
    struct block *block;

    for (int i = 0; i < 80; i++) {
        value -= 1000;
        tx[i] = bed_tx1(t, at, value);
        at = out_of(tx[i], 0);
        if (i < 40)
            first[i] = tx[i];
    }
    block = bed_block(t, first, 40);
    bed_connect(t, block);
    for (int i = 40; i < 80; i++)
        assert_accepted(t, tx[i]);
    bed_disconnect(t, block);
    mempool_tip_changed(t->m);
    assert_int_equal(mempool_count(t->m), 64);
    for (size_t i = 0; i < 80; i++) {
        assert_int_equal(bed_has(t, tx[i]), i < mempool_count(t->m));
        tx_unref(tx[i]);
    }
    block_unref(block);
}

/* Two clusters whose parent comes back: those in the worse chunks go, and no more than must. */
static void reorganisation_keeps_the_best(void **state)
{
    struct bed *t = (struct bed *)*state;
    struct outpoint in = bed_coin(t, 1000000), out[2];
    int64_t values[2] = {499000, 499000};
    struct tx *parent = bed_tx(t, 2, &in, 1, values, 2, 0), *tx[2][40];
    struct block *block = bed_block(t, &parent, 1);
    struct mempool_entry e;

    bed_connect(t, block);
    for (int k = 0; k < 2; k++) {
        int64_t value = values[k];
        out[k] = out_of(parent, (uint32_t)k);
        for (int i = 0; i < 40; i++) {
            value -= k == 0 ? 1000 + i % 2 : 2000 - i; /* the second is better all along */
            tx[k][i] = bed_tx1(t, out[k], value);
            out[k] = out_of(tx[k][i], 0);
            assert_accepted(t, tx[k][i]);
        }
    }
    bed_disconnect(t, block);
    mempool_tip_changed(t->m);
    assert_int_equal(mempool_count(t->m), 64);
    assert_string_equal(t->last_reason, "sizelimit");
    for (int i = 0; i < 40; i++) {
        assert_true(bed_has(t, tx[1][i]));
        assert_int_equal(bed_has(t, tx[0][i]), i < 23);
    }
    assert_true(mempool_get(t->m, &e, &parent->txid));
    assert_int_equal(e.n_descendants, 64);
    assert_true(mempool_get(t->m, &e, &tx[0][22]->txid));
    assert_int_equal(e.n_ancestors, 24);
    for (int i = 0; i < 80; i++)
        tx_unref(tx[i / 40][i % 40]);
    tx_unref(parent);
    block_unref(block);
}

static void expiry(void **state)
{
    struct bed *t = (struct bed *)*state;
    struct tx *a = bed_tx1(t, bed_coin(t, 100000), 99000), *b = bed_tx1(t, out_of(a, 0), 98000);
    struct tx *c = bed_tx1(t, bed_coin(t, 100000), 99000), *d = bed_tx1(t, bed_coin(t, 100000), 99000);
    int64_t start = time_now();

    assert_accepted(t, a);
    time_mock_set(start + 1000);
    assert_accepted(t, b);
    time_mock_set(start + 336 * 3600);
    assert_accepted(t, c);
    assert_int_equal(mempool_count(t->m), 3);
    time_mock_set(start + 336 * 3600 + 1);
    assert_accepted(t, d);
    assert_int_equal(mempool_count(t->m), 2);
    assert_string_equal(t->last_reason, "expiry");
    tx_unref(a);
    tx_unref(b);
    tx_unref(c);
    tx_unref(d);
}

static void size_limit(void **state)
{
    struct bed *t = (struct bed *)*state;
    struct mempool_options o = bed_options(t);
    struct mempool_stats s;
    struct block *empty = bed_block(t, NULL, 0);
    int64_t rate = 0, start;
    struct tx *tx;

    o.max_bytes = 600000;
    bed_renew(t, &o);
    for (int i = 0; i < 60; i++) {
        struct outpoint in = bed_coin(t, 1000000);
        int64_t value = 1000000 - 20000 - 100 * i;
        tx = bed_tx(t, 2, &in, 1, &value, 1, 20000);
        assert_accepted(t, tx); /* each pays more than the last */
        tx_unref(tx);
        mempool_stats(t->m, &s);
        assert_true(s.usage <= o.max_bytes);
        assert_true(s.min_fee_rate >= rate);
        rate = s.min_fee_rate;
    }
    assert_in_range(s.count, 20, 30);
    assert_string_equal(t->last_reason, "sizelimit");
    assert_true(rate > 1000);
    tx = bed_tx1(t, bed_coin(t, 100000), 99980);
    assert_refused(t, tx, TX_RECONSIDERABLE, "mempool min fee not met");
    tx_unref(tx);
    /* No decay without a block; half of it twelve hours after one (the pool is more than half full). */
    start = time_now();
    time_mock_set(start + 12 * 3600);
    mempool_stats(t->m, &s);
    assert_int_equal(s.min_fee_rate, rate);
    bed_connect(t, empty);
    time_mock_set(start + 24 * 3600);
    mempool_stats(t->m, &s);
    assert_in_range(s.min_fee_rate, rate / 2 - 1, rate / 2 + 1);
    time_mock_set(start + 30 * 24 * 3600);
    mempool_stats(t->m, &s);
    assert_int_equal(s.min_fee_rate, 100);
    block_unref(empty);
}

/* A parent that pays nothing much is kept by its child's fee. */
static void eviction_sees_children(void **state)
{
    struct bed *t = (struct bed *)*state;
    struct mempool_options o = bed_options(t);
    struct outpoint in = bed_coin(t, 1000000);
    int64_t low = 997900, high = 500000;
    struct tx *parent = bed_tx(t, 2, &in, 1, &low, 1, 20000), *child, *tx;

    o.max_bytes = 300000;
    bed_renew(t, &o);
    assert_accepted(t, parent);
    in = out_of(parent, 0);
    child = bed_tx(t, 2, &in, 1, &high, 1, 0);
    assert_accepted(t, child);
    for (int i = 0; i < 30; i++) {
        in = bed_coin(t, 1000000);
        low = 1000000 - 30000 - 3000 * i;
        tx = bed_tx(t, 2, &in, 1, &low, 1, 20000);
        assert_accepted(t, tx);
        tx_unref(tx);
    }
    assert_true(bed_has(t, parent));
    assert_true(bed_has(t, child));
    tx_unref(parent);
    tx_unref(child);
}

static void put_file(const char *path, const uint8_t *data, size_t len)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, len, f), len);
    fclose(f);
}

static void save_and_load(void **state)
{
    struct bed *t = (struct bed *)*state;
    char path[] = "/tmp/farthing-mempool-XXXXXX";
    struct tx *a = bed_tx1(t, bed_coin(t, 100000), 99000), *b = bed_tx1(t, out_of(a, 0), 98000),
              *old = bed_tx1(t, bed_coin(t, 9000), 7000);
    struct mempool_options o = bed_options(t);
    struct txid absent = {{0xab}};
    const struct mempool_delta *deltas;
    struct mempool_entry e;
    int64_t start = time_now();
    uint8_t *data;
    size_t n, len;
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    close(fd);
    assert_accepted(t, old);
    time_mock_set(start + 336 * 3600);
    assert_accepted(t, a);
    assert_accepted(t, b);
    mempool_set_unbroadcast(t->m, &b->txid, true);
    mempool_prioritise(t->m, &b->txid, -100);
    mempool_prioritise(t->m, &absent, 7);
    assert_int_equal(mempool_save(t->m, path, &n), RC_OK);
    assert_int_equal(n, 3);

    time_mock_set(start + 336 * 3600 + 60);
    bed_renew(t, &o);
    assert_int_equal(mempool_load(t->m, path, &n), RC_OK);
    assert_int_equal(n, 2); /* one is too old now */
    assert_true(mempool_get(t->m, &e, &b->txid));
    assert_int_equal(e.time, start + 336 * 3600);
    assert_int_equal(e.modified_fee, 900);
    assert_true(e.unbroadcast);
    assert_int_equal(e.n_ancestors, 2);
    assert_int_equal(mempool_deltas(t->m, &deltas), 2);
    assert_int_equal(deltas[0].delta + deltas[1].delta, -93);

    /* Cut short anywhere, nothing worse happens than that some are missing. */
    assert_int_equal(fs_read(path, 100000, &data, &len), RC_OK);
    for (size_t cut = 0; cut < len; cut += 3) {
        bed_renew(t, &o);
        put_file(path, data, cut);
        assert_int_equal(mempool_load(t->m, path, &n), RC_CORRUPT);
    }
    for (size_t i = 0; i < len; i++) {
        bed_renew(t, &o);
        data[i] ^= 0x5a;
        put_file(path, data, len);
        (void)mempool_load(t->m, path, &n);
        data[i] ^= 0x5a;
    }
    free(data);
    unlink(path);
    assert_int_equal(mempool_load(t->m, path, &n), RC_NOT_FOUND);
    tx_unref(a);
    tx_unref(b);
    tx_unref(old);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(block_takes_and_conflicts, setup, teardown),
        cmocka_unit_test_setup_teardown(reorganisation_puts_back, setup, teardown),
        cmocka_unit_test_setup_teardown(reorganisation_drops, setup, teardown),
        cmocka_unit_test_setup_teardown(reorganisation_renews_locks, setup, teardown),
        cmocka_unit_test_setup_teardown(reorganisation_keeps_limits, setup, teardown),
        cmocka_unit_test_setup_teardown(reorganisation_keeps_the_best, setup, teardown),
        cmocka_unit_test_setup_teardown(usage_is_honest, setup, teardown),
        cmocka_unit_test_setup_teardown(expiry, setup, teardown),
        cmocka_unit_test_setup_teardown(size_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(eviction_sees_children, setup, teardown),
        cmocka_unit_test_setup_teardown(save_and_load, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
