/* test_coindb_diff.c - changes beside a coin database: what an iterator shows must be what the changes would have made of the database. */
#include "storage/coindb.h"

#include "tempdir.h"
#include "util/bytes.h"
#include "util/fs.h"
#include "util/mem.h"

#define TXIDS 7u
/* Indexes whose keys take one byte, two and three, in an order of keys that is not that of numbers. */
static const uint32_t indexes[] = {0, 1, 127, 128, 129, 16511, 16512, 16513, 70000};
#define INDEXES (sizeof(indexes) / sizeof(indexes[0]))
#define PLACES (TXIDS * INDEXES)

static struct coindb *open_db(const char *dir)
{
    struct coindb *db;
    char *error;

    assert_int_equal(coindb_open(&db, dir, 1 << 20, false, &error), RC_OK);
    return db;
}

static struct outpoint place(unsigned i)
{
    struct outpoint o = {.n = indexes[i % INDEXES]};

    memset(o.txid.b, (int)(i / INDEXES * 40), 32);
    return o;
}

static struct coin coin_of(unsigned value)
{
    return (struct coin){.out = {.value = value, .script = (const uint8_t *)"\x51\x52\x53", .script_len = value % 4},
                         .height = value % 1000 + 1,
                         .coinbase = value & 1};
}

/* 0: no coin. */
static void fill(struct coindb *db, const unsigned value[PLACES])
{
    const struct block_hash best = {{1}};
    struct coindb_flush *f;

    assert_int_equal(coindb_flush_begin(&f, db, &best, 1 << 20), RC_OK);
    for (unsigned i = 0; i < PLACES; i++) {
        struct outpoint o = place(i);
        struct coin c = coin_of(value[i]);

        if (value[i])
            assert_int_equal(coindb_flush_put(f, &o, &c), RC_OK);
    }
    assert_int_equal(coindb_flush_end(f), RC_OK);
}

static void expect_equal(struct coindb_iter *a, struct coindb_iter *b)
{
    struct outpoint oa, ob;
    struct coin ca, cb;
    enum rc rc;

    do {
        rc = coindb_iter_next(a, &oa, &ca);
        assert_int_equal(coindb_iter_next(b, &ob, &cb), rc);
        if (rc != RC_OK)
            break;
        assert_true(outpoint_equal(&oa, &ob));
        assert_int_equal(ca.out.value, cb.out.value);
        assert_int_equal(ca.height, cb.height);
        assert_int_equal(ca.coinbase, cb.coinbase);
        assert_int_equal(ca.out.script_len, cb.out.script_len);
    } while (1);
    assert_int_equal(rc, RC_NOT_FOUND);
}

static void change(struct coindb_diff *d, unsigned value[PLACES], unsigned rounds, uint32_t seed)
{
    for (unsigned r = 0; r < rounds; r++) {
        struct outpoint o;
        struct coin c;
        unsigned i;

        seed = seed * 1664525 + 1013904223;
        i = (seed >> 8) % PLACES;
        o = place(i);
        value[i] = seed >> 30 ? (seed >> 10) % 100000 + 1 : 0;
        c = coin_of(value[i]);
        assert_int_equal(value[i] ? coindb_diff_put(d, &o, &c) : coindb_diff_remove(d, &o), RC_OK);
    }
    assert_int_equal(coindb_diff_end(d), RC_OK);
}

/* rounds: from no change at all to several of each coin. */
static void one_case(const char *dir, bool in_memory, unsigned rounds, uint32_t seed)
{
    char *base_dir = xasprintf("%s/base%u", dir, seed), *want_dir = xasprintf("%s/want%u", dir, seed);
    char *diff_dir = xasprintf("%s/diff%u", dir, seed), *error = NULL;
    struct coindb *base = open_db(base_dir), *want = open_db(want_dir);
    struct coindb_iter *shown, *expected;
    unsigned value[PLACES];
    struct coindb_diff *d;

    for (unsigned i = 0; i < PLACES; i++)
        value[i] = (i * 2654435761u + seed) >> 29 & 1 ? i + 1 : 0;
    fill(base, value);
    assert_int_equal(coindb_diff_new(&d, in_memory ? NULL : diff_dir, &error), RC_OK);
    change(d, value, rounds, seed);
    fill(want, value);
    shown = coindb_iter_new(base);
    expected = coindb_iter_new(want);
    coindb_iter_apply(shown, d);
    expect_equal(shown, expected);
    coindb_iter_rewind(shown);
    coindb_iter_rewind(expected);
    expect_equal(shown, expected);
    coindb_iter_free(shown);
    coindb_iter_free(expected);
    assert_true(coindb_diff_free(d));
    assert_false(fs_exists(diff_dir));
    coindb_close(base);
    coindb_close(want);
    free(base_dir);
    free(want_dir);
    free(diff_dir);
}

static void test_changes(void **state)
{
    for (uint32_t seed = 1; seed <= 12; seed++)
        one_case(*state, seed & 1, seed < 3 ? 0 : seed * seed * 2, seed);
}

/* Without changes an iterator begins again as well, whether it came to the end or not. */
static void test_rewind(void **state)
{
    unsigned value[PLACES] = {[3] = 5, [9] = 6};
    struct coindb *db = open_db(*state);
    struct coindb_iter *it;
    struct outpoint o;
    struct coin c;

    fill(db, value);
    it = coindb_iter_new(db);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(coindb_iter_next(it, &o, &c), RC_OK);
        assert_int_equal(c.out.value, 5);
        if (i)
            assert_int_equal(coindb_iter_next(it, &o, &c), RC_OK);
        if (i)
            assert_int_equal(coindb_iter_next(it, &o, &c), RC_NOT_FOUND);
        coindb_iter_rewind(it);
    }
    coindb_iter_free(it);
    coindb_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_changes, tempdir_setup, tempdir_teardown),
        cmocka_unit_test_setup_teardown(test_rewind, tempdir_setup, tempdir_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
