/* test_fees.c - fee estimates: from simulated blocks, from the pool, and on disk. */
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>

#include "bed.h"
#include "mempool/fees.h"
#include "mempool/fees_priv.h"
#include "util/fs.h"

/* ---- blocks ---- */

/* A chain that has only fee rates. */
struct sim {
    struct fees *f;
    int32_t height;
    struct fees_mined wait[4096];
    size_t n;
};

static void sim_init(struct sim *s)
{
    memset(s, 0, sizeof(*s));
    s->f = fees_new();
}

static void sim_mine(struct sim *s, int64_t least);

/* At a height where all horizons look back on blocks. */
static void sim_init_high(struct sim *s)
{
    sim_init(s);
    s->height = 2000;
    sim_mine(s, 0);
}

static void sim_come(struct sim *s, int64_t rate, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        uint16_t mark = fees_tx_added(s->f, s->height, rate, true);
        assert_int_not_equal(mark, 0);
        s->wait[s->n++] = (struct fees_mined){mark, s->height, rate};
    }
}

/* A block with all that pays at least so much. */
static void sim_mine(struct sim *s, int64_t least)
{
    struct fees_mined taken[4096];
    struct fees_block b = {.height = ++s->height};
    size_t n = 0, kept = 0;

    for (size_t i = 0; i < s->n; i++) {
        if (s->wait[i].rate >= least)
            taken[n++] = s->wait[i];
        else
            s->wait[kept++] = s->wait[i];
    }
    s->n = kept;
    fees_block_connected(s->f, &b, taken, n);
}

static int64_t smart(const struct fees *f, unsigned target, bool conservative)
{
    int returned;
    return fees_estimate_smart(f, &returned, target, conservative);
}

static void nothing_known(void **state)
{
    struct fees *f = fees_new();
    struct fees_detail d;
    int returned;

    (void)state;
    assert_int_equal(fees_estimate_smart(f, &returned, 6, false), 0);
    assert_int_equal(returned, 0);
    assert_int_equal(fees_max_target(f, FEES_SHORT), 12);
    assert_int_equal(fees_max_target(f, FEES_MEDIUM), 48);
    assert_int_equal(fees_max_target(f, FEES_LONG), 1008);
    assert_int_equal(fees_estimate_raw(f, &d, 2, .95, FEES_SHORT), 0);
    assert_true(d.decay == .962 && d.scale == 1);
    assert_true(d.pass.start < 0);
    assert_true(d.fail.start == 0 && d.fail.end == 1e99); /* all buckets together are too few */
    assert_int_equal(fees_estimate_raw(f, &d, 13, .95, FEES_SHORT), 0);
    assert_int_equal(fees_estimate_raw(f, &d, 0, .95, FEES_SHORT), 0);
    fees_free(f);
}

static void steady_rate(void **state)
{
    struct sim s;
    int returned;

    (void)state;
    sim_init(&s);
    for (int i = 0; i < 21; i++) {
        sim_come(&s, 5000, 10);
        sim_mine(&s, 0);
    }
    assert_int_equal(fees_estimate_smart(s.f, &returned, 1, false), 5000);
    assert_int_equal(returned, 2);
    assert_int_equal(fees_estimate_smart(s.f, &returned, 6, true), 5000);
    assert_int_equal(returned, 6);
    assert_int_equal(fees_estimate_smart(s.f, &returned, 500, false), 5000);
    assert_int_equal(returned, 10); /* half of the 20 blocks since the first */
    assert_int_equal(fees_estimate_smart(s.f, &returned, 1009, false), 0);
    fees_free(s.f);
}

/* The numbers behind an estimate, computed by hand. */
static void decay_and_ranges(void **state)
{
    struct fees_detail d;
    struct sim s;

    (void)state;
    sim_init_high(&s);
    sim_come(&s, 105, 100);   /* the second bucket ends at 105 */
    sim_come(&s, 20000, 100); /* stay */
    sim_mine(&s, 1000000);
    sim_mine(&s, 20000); /* mined after two blocks */
    sim_mine(&s, 1000000);
    assert_int_equal(fees_estimate_raw(s.f, &d, 2, .95, FEES_SHORT), 20000);
    assert_true(fabs(d.pass.confirmed - 100 * .962) < 1e-9);
    assert_true(fabs(d.pass.within_target - 100 * .962) < 1e-9);
    assert_true(d.pass.in_pool == 0 && d.pass.left_pool == 0);
    assert_true(d.pass.start >= 19000 && d.pass.start < 20000 && d.pass.end == 1e99); /* empty buckets join from above */
    assert_true(d.fail.start == 0 && fabs(d.fail.end - d.pass.start) < 1e-9);
    assert_true(d.fail.in_pool == 100); /* waiting for 3 blocks */
    /* Nobody was mined within one. */
    assert_int_equal(fees_estimate_raw(s.f, &d, 1, .95, FEES_SHORT), 0);
    assert_true(d.fail.within_target == 0);
    /* Within one period of the medium horizon, which has two blocks. */
    assert_int_equal(fees_estimate_raw(s.f, &d, 1, .95, FEES_MEDIUM), 20000);
    assert_true(d.scale == 2);
    /* What leaves unmined after three blocks counts against the rate. */
    for (size_t i = 0; i < s.n; i++)
        fees_tx_removed(s.f, s.wait[i].mark, s.wait[i].height);
    s.n = 0;
    assert_int_equal(fees_estimate_raw(s.f, &d, 2, .95, FEES_SHORT), 20000);
    assert_true(d.fail.in_pool == 0 && d.fail.left_pool == 100);
    assert_int_equal(fees_estimate_raw(s.f, &d, 4, .95, FEES_SHORT), 20000);
    assert_true(d.fail.left_pool == 0); /* nobody waited for four */
    fees_free(s.f);
}

static void low_rates_wait(void **state)
{
    struct sim s;

    (void)state;
    sim_init(&s);
    for (int i = 0; i < 60; i++) {
        sim_come(&s, 1000, 10);
        sim_come(&s, 10000, 10);
        sim_mine(&s, i % 10 == 9 ? 0 : 5000); /* the cheap ones wait for each tenth block */
    }
    assert_int_equal(smart(s.f, 2, false), 10000);
    assert_int_equal(smart(s.f, 25, false), 1000);
    assert_true(smart(s.f, 6, false) >= smart(s.f, 12, false));
    fees_free(s.f);
}

static void modes_differ(void **state)
{
    struct sim s;

    (void)state;
    sim_init(&s);
    for (int i = 0; i < 12; i++) {
        sim_come(&s, 500000, 24);
        sim_mine(&s, 0);
    }
    assert_int_equal(smart(s.f, 1, true), 500000);
    assert_int_equal(smart(s.f, 1, false), 500000);
    for (int i = 0; i < 4; i++) {
        sim_come(&s, 100000, 24);
        sim_mine(&s, 0);
    }
    assert_int_equal(smart(s.f, 1, true), 500000);
    assert_int_equal(smart(s.f, 1, false), 100000);
    fees_free(s.f);
}

static void what_does_not_count(void **state)
{
    struct fees_mined tx = {0};
    struct sim s;

    (void)state;
    sim_init(&s);
    s.height = 5;
    assert_int_equal(fees_tx_added(s.f, 5, 1000, true), 0); /* no block was seen yet */
    sim_mine(&s, 0);
    assert_int_equal(fees_tx_added(s.f, 6, 1000, false), 0);
    assert_int_equal(fees_tx_added(s.f, 5, 1000, true), 0);
    sim_come(&s, 1000, 1);
    assert_int_equal(s.f->waiting, 1);
    /* Another block of the same height teaches nothing; its transactions are gone. */
    tx = s.wait[0];
    fees_block_connected(s.f, &(struct fees_block){.height = 6}, &tx, 1);
    assert_int_equal(s.f->waiting, 0);
    assert_int_equal(s.f->first, 0);
    assert_int_equal(s.f->best, 6);
    fees_free(s.f);
}

/* ---- files ---- */

static struct writer encoded(const struct fees *f)
{
    struct writer w = WRITER_INIT;
    fees_encode(f, &w);
    return w;
}

static void sim_history(struct sim *s)
{
    sim_init(s);
    for (int i = 0; i < 60; i++) {
        sim_come(s, 1000 + 333 * (i % 7), 10);
        sim_come(s, 10000, 3);
        sim_mine(s, i % 4 == 3 ? 0 : 5000);
    }
}

static void round_trip(void **state)
{
    struct fees *g = fees_new();
    struct writer a, b;
    struct sim s;
    const char *why;

    (void)state;
    sim_history(&s);
    a = encoded(s.f);
    assert_true(fees_decode(g, a.data, a.len, &why));
    b = encoded(g);
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.data, b.data, a.len);
    for (unsigned target = 1; target <= 29; target++)
        assert_int_equal(fees_estimate_raw(g, NULL, target, .85, FEES_LONG), fees_estimate_raw(s.f, NULL, target, .85, FEES_LONG));
    assert_int_equal(fees_old_span(g), 59);
    assert_int_equal(smart(g, 2, false), 10000);
    g->best += 6 * 1008 + 1; /* what was learned long ago */
    assert_int_equal(fees_old_span(g), 0);
    writer_clear(&a);
    writer_clear(&b);
    fees_free(g);
    fees_free(s.f);
}

static void must_refuse(struct fees *f, const struct writer *before, const uint8_t *data, size_t len)
{
    const char *why = NULL;
    struct writer after;

    if (fees_decode(f, data, len, &why))
        fail_msg("a bad file of %zu bytes was taken", len);
    assert_non_null(why);
    after = encoded(f);
    assert_int_equal(after.len, before->len);
    assert_memory_equal(after.data, before->data, after.len);
    writer_clear(&after);
}

static void put_double(uint8_t *at, double v)
{
    uint64_t bits;
    memcpy(&bits, &v, 8);
    put_le64(at, bits);
}

static void hostile_files(void **state)
{
    static const double bad[] = {-1, 0, 1, 1.5, NAN, INFINITY};
    struct fees *f = fees_new();
    struct writer file, before = encoded(f);
    struct sim s;
    size_t decay, scale;
    uint8_t old[8];

    (void)state;
    sim_history(&s);
    file = encoded(s.f);
    for (size_t len = 0; len < file.len; len += len < 4000 ? 1 : 4999)
        must_refuse(f, &before, file.data, len);
    must_refuse(f, &before, file.data, file.len - 1);
    for (int version = 0; version < 2; version++) { /* one too low, one too high */
        put_le32(file.data, version ? 309901 : 309899);
        must_refuse(f, &before, file.data, file.len);
    }
    put_le32(file.data, 309900);
    put_le32(file.data + 8, 1000); /* begins after its end */
    must_refuse(f, &before, file.data, file.len);
    put_le32(file.data + 8, 1);
    memcpy(old, file.data + 17, 8);
    put_double(file.data + 17, 1e9); /* the first bucket ends above the second */
    must_refuse(f, &before, file.data, file.len);
    memcpy(file.data + 17, old, 8);
    decay = 16 + 1 + 8 * (size_t)s.f->n_buckets;
    scale = decay + 8;
    assert_true(s.f->n_buckets < 0xfd);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        put_double(file.data + decay, bad[i]);
        must_refuse(f, &before, file.data, file.len);
    }
    put_double(file.data + decay, .9952);
    for (uint32_t i = 0; i < 3; i++) {
        put_le32(file.data + scale, i == 0 ? 0 : i == 1 ? 43 : UINT32_MAX); /* 24 periods of 43 are more than a week */
        must_refuse(f, &before, file.data, file.len);
    }
    put_le32(file.data + scale, 2);
    size_t row = 1 + 8 * (size_t)s.f->n_buckets, shorter = decay + 12 + 2 * row + 2 * (1 + 24 * row);
    assert_int_equal(get_le32(file.data + shorter + 8), 1);
    put_le32(file.data + shorter + 8, 5); /* the short horizon would see further than the medium one */
    must_refuse(f, &before, file.data, file.len);
    put_le32(file.data + shorter + 8, 1);
    memcpy(old, file.data + scale + 5, 8);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (bad[i] >= 0 && bad[i] < 2)
            continue;
        put_double(file.data + scale + 5, bad[i]);
        must_refuse(f, &before, file.data, file.len);
    }
    memcpy(file.data + scale + 5, old, 8);
    assert_true(fees_decode(f, file.data, file.len, &(const char *){NULL})); /* all was put back */
    writer_clear(&before);
    before = encoded(f);
    file.data[16] = 0; /* no buckets */
    must_refuse(f, &before, file.data, file.len);
    writer_clear(&file);
    writer_clear(&before);
    fees_free(f);
    fees_free(s.f);
}

static void files_on_disk(void **state)
{
    char dir[] = "/tmp/test_fees_XXXXXX", path[64];
    struct utimbuf long_ago = {.actime = time_real() - 61 * 3600, .modtime = time_real() - 61 * 3600};
    struct fees *f = fees_new();
    struct sim s;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/fees/estimates.dat", dir);
    sim_history(&s);
    assert_int_equal(fees_load(f, path, false), RC_NOT_FOUND);
    assert_int_equal(fees_save(s.f, path), RC_OK); /* makes the folder */
    assert_int_equal(fees_load(f, path, false), RC_OK);
    assert_int_equal(smart(f, 2, false), 10000);
    fees_free(f);
    f = fees_new();
    assert_int_equal(utime(path, &long_ago), 0);
    assert_int_equal(fees_load(f, path, false), RC_BUSY);
    assert_int_equal(smart(f, 2, false), 0);
    assert_int_equal(fees_load(f, path, true), RC_OK);
    assert_int_equal(smart(f, 2, false), 10000);
    assert_int_equal(fs_write_atomic(path, "not estimates", 13, 0600), RC_OK);
    assert_int_equal(fees_load(f, path, false), RC_CORRUPT);
    assert_int_equal(smart(f, 2, false), 10000);
    assert_int_equal(fs_remove_tree(dir), RC_OK);
    fees_free(f);
    fees_free(s.f);
}

/* ---- the window ---- */

static void add_block(struct fees *f, int32_t height, int64_t weight, int64_t known)
{
    struct fees_block b = {.hash = {{(uint8_t)height, 9}}, .height = height, .weight = weight, .known_weight = known};
    fees_block_connected(f, &b, NULL, 0);
}

static void pool_health(void **state)
{
    struct fees *f = fees_new();
    const struct fees_block *b;

    (void)state;
    for (int32_t i = 1; i <= 5; i++)
        add_block(f, i, 3000000, 3000000);
    assert_int_equal(fees_pool_health(f), FEES_TOO_FEW_BLOCKS);
    add_block(f, 6, 3000000, 0);
    assert_int_equal(fees_pool_health(f), FEES_HEALTHY); /* 15 of 18 */
    add_block(f, 7, 3000000, 0);
    assert_int_equal(fees_window(f, &b), 6);
    assert_int_equal(b[0].height, 2);
    assert_int_equal(fees_pool_health(f), FEES_LOW_COVERAGE);
    add_block(f, 6, 3000000, 3000000); /* another branch: 7 is gone */
    assert_int_equal(fees_window(f, &b), 5);
    add_block(f, 9, 0, 0); /* a gap */
    assert_int_equal(fees_window(f, &b), 1);
    for (int32_t i = 10; i <= 14; i++)
        add_block(f, i, 1000, 0);
    assert_int_equal(fees_pool_health(f), FEES_HEALTHY); /* too little was mined to tell */
    fees_free(f);
}

static void window_file(void **state)
{
    struct bed *t = (struct bed *)*state;
    struct fees *f = fees_new(), *g = fees_new();
    struct writer w = WRITER_INIT;
    const struct fees_block *b;
    const char *why;

    for (int32_t i = 0; i < 3; i++)
        fees_block_connected(f, &(struct fees_block){t->node[10 + i].hash, 10 + i, 400, 300}, NULL, 0);
    fees_window_encode(f, &w);
    assert_false(fees_window_decode(g, w.data, w.len, &t->node[11], &why));
    assert_false(fees_window_decode(g, w.data, w.len, NULL, &why));
    for (size_t len = 0; len < w.len; len++)
        assert_false(fees_window_decode(g, w.data, len, &t->node[12], &why));
    assert_int_equal(fees_window(g, &b), 0);
    assert_true(fees_window_decode(g, w.data, w.len, &t->node[12], &why));
    assert_int_equal(fees_window(g, &b), 3);
    assert_int_equal(b[2].height, 12);
    assert_int_equal(b[2].weight, 400);
    assert_int_equal(b[2].known_weight, 300);
    w.data[4] = 7; /* more than the window holds */
    assert_false(fees_window_decode(g, w.data, w.len, &t->node[12], &why));
    w.data[4] = 3;
    w.data[5] = 9; /* not one after the other */
    assert_false(fees_window_decode(g, w.data, w.len, &t->node[12], &why));
    writer_clear(&w);
    fees_free(f);
    fees_free(g);
}

/* ---- what the pool tells ---- */

static bool not_current(void *ctx)
{
    (void)ctx;
    return false;
}

static void renew_with_fees(struct bed *t, struct fees *f, bool current)
{
    struct mempool_options o = bed_options(t);
    o.fees = f;
    if (!current)
        o.chain.current = not_current;
    bed_renew(t, &o);
}

static void pool_feeds(void **state)
{
    struct bed *t = (struct bed *)*state;
    struct fees *f = fees_new();
    struct outpoint in = bed_coin(t, 100000);
    struct tx *a = bed_tx1(t, in, 99000), *child = bed_tx1(t, out_of(a, 0), 98000), *better = bed_tx1(t, in, 90000);
    struct tx *b = bed_tx1(t, bed_coin(t, 100000), 99000), *parent = bed_tx1(t, bed_coin(t, 100000), 99000), *mined[1] = {better};
    struct tx *package[2] = {parent, bed_tx1(t, out_of(parent, 0), 98000)};
    struct block *empty = bed_block(t, NULL, 0), *block = bed_block(t, mined, 1);
    struct mempool_package_result r;

    renew_with_fees(t, f, true);
    bed_connect(t, empty);
    assert_accepted(t, a);
    assert_int_equal(f->waiting, 1);
    assert_accepted(t, child); /* pays for two */
    assert_int_equal(f->waiting, 1);
    assert_accepted(t, better); /* replaces both */
    assert_int_equal(f->waiting, 1);
    assert_accepted(t, b);
    assert_int_equal(f->waiting, 2);
    assert_true(mempool_accept_package(t->m, package, 2, 0, &r));
    mempool_package_result_clear(&r);
    assert_int_equal(f->waiting, 2);
    assert_int_equal(f->tracked, 3);
    assert_int_equal(f->untracked, 3); /* the child and the two of the package */
    bed_connect(t, block);
    assert_int_equal(f->waiting, 1);
    assert_int_equal(f->first, t->height);
    const struct fees_block *window;
    assert_int_equal(fees_window(f, &window), 2);
    assert_int_equal(window[1].weight, tx_weight(better));
    assert_int_equal(window[1].known_weight, tx_weight(better));
    assert_int_equal(window[0].weight, 0);
    bed_disconnect(t, block);
    mempool_tip_changed(t->m); /* it is back, but that says nothing */
    assert_int_equal(mempool_count(t->m), 4);
    assert_int_equal(f->waiting, 1);
    mempool_forget_fees(t->m);
    assert_int_equal(f->waiting, 0);
    renew_with_fees(t, f, false);
    t->height = (int32_t)f->best;
    assert_accepted(t, b);
    assert_int_equal(f->waiting, 0);
    assert_int_equal(f->untracked, 1);
    bed_renew(t, &(struct mempool_options){.params = &t->params, .chain = {t, bed_get_coin, bed_tip, NULL, NULL, NULL}});
    block_unref(empty);
    block_unref(block);
    tx_unref(a);
    tx_unref(child);
    tx_unref(better);
    tx_unref(b);
    tx_unref(package[1]);
    tx_unref(parent);
    fees_free(f);
}

/* 50 transactions of nearly 400,000 weight each, of rates 1..50 times 1,000 and a bit. */
static void pool_estimates(void **state)
{
    struct bed *t = (struct bed *)*state;
    struct fees *f = fees_new();
    struct fees_bin *bins;
    struct fees_pool p;
    int64_t rate[51], vsize = 0;
    size_t n;

    renew_with_fees(t, f, true);
    for (int i = 1; i <= 50; i++) {
        struct outpoint in = bed_coin(t, 100000000);
        int64_t value = 100000000 - (int64_t)i * 99900;
        struct tx *tx = bed_tx(t, 2, &in, 1, &value, 1, 99000);
        vsize = tx_vsize(tx);
        rate[i] = policy_rate((int64_t)i * 99900, vsize);
        assert_accepted(t, tx);
        tx_unref(tx);
    }
    assert_true(vsize > 98000 && vsize < 100000);
    fees_estimate_pool(f, &p, t->m);
    /* Ten fit into a block: the sixth goes over half, the eighth over three quarters of it, and the eleventh is not in it. */
    assert_int_equal(p.half, rate[45]);
    assert_int_equal(p.three_quarters, rate[43]);
    assert_int_equal(p.next_1, rate[40]);
    assert_int_equal(p.next_3, rate[20]);
    assert_int_equal(p.next_6, 100); /* all fits: the least that the pool takes */
    n = fees_histogram(&bins, t->m);
    int64_t sum = 0;
    assert_int_equal(bins[0].rate, rate[50]);
    for (size_t i = 0; i < n; i++) {
        sum += bins[i].vsize;
        assert_true(!i || bins[i].rate < bins[i - 1].rate);
    }
    assert_int_equal(sum, 50 * vsize);
    assert_int_equal(bins[n - 1].rate, rate[1]);
    assert_true(n < 50); /* bins grow */
    free(bins);
    /* For seven seconds the answer stays. */
    struct tx *more = bed_tx1(t, bed_coin(t, 50000000), 1000);
    struct fees_pool again;
    assert_accepted(t, more);
    time_mock_set(time_now() + 7);
    fees_estimate_pool(f, &again, t->m);
    assert_memory_equal(&again, &p, sizeof(p));
    mempool_prioritise(t->m, &more->txid, 0);
    t->height++; /* another tip, another answer */
    f->cache.rates.half = 1;
    fees_estimate_pool(f, &again, t->m);
    assert_int_equal(again.half, rate[45]);
    f->cache.rates.half = 1;
    time_mock_set(time_now() + 8);
    fees_estimate_pool(f, &again, t->m);
    assert_int_equal(again.half, rate[45]);
    tx_unref(more);
    bed_renew(t, &(struct mempool_options){.params = &t->params, .chain = {t, bed_get_coin, bed_tip, NULL, NULL, NULL}});
    fees_free(f);
}

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_known),
        cmocka_unit_test(steady_rate),
        cmocka_unit_test(decay_and_ranges),
        cmocka_unit_test(low_rates_wait),
        cmocka_unit_test(modes_differ),
        cmocka_unit_test(what_does_not_count),
        cmocka_unit_test(round_trip),
        cmocka_unit_test(hostile_files),
        cmocka_unit_test(files_on_disk),
        cmocka_unit_test(pool_health),
        cmocka_unit_test_setup_teardown(window_file, setup, teardown),
        cmocka_unit_test_setup_teardown(pool_feeds, setup, teardown),
        cmocka_unit_test_setup_teardown(pool_estimates, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
