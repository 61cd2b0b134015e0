/* test_coindb.c - the coin database: bytes as Bitcoin Core writes them, flushes whole and broken off, iteration. */
#include "storage/coindb.h"

#include <sys/wait.h>

#include "tempdir.h"
#include "util/bytes.h"
#include "util/hex.h"

static struct coindb *open_db(const char *dir)
{
    struct coindb *db;
    char *error;

    assert_int_equal(coindb_open(&db, dir, 1 << 20, false, &error), RC_OK);
    return db;
}

static struct outpoint out(unsigned seed, uint32_t n)
{
    struct outpoint o = {.n = n};

    memset(o.txid.b, 0x40, 32);
    put_be32(o.txid.b, seed);
    return o;
}

static struct coin coin_of(const char *script_hex, int64_t value, uint32_t height, bool coinbase, uint8_t buf[128])
{
    struct coin c = {.height = height, .coinbase = coinbase};

    c.out.value = value;
    c.out.script_len = (uint32_t)(strlen(script_hex) / 2);
    assert_true(hex_decode(buf, c.out.script_len, script_hex));
    c.out.script = buf;
    return c;
}

static void expect_same(const struct coin *a, const struct coin *b)
{
    assert_int_equal(a->out.value, b->out.value);
    assert_int_equal(a->height, b->height);
    assert_int_equal(a->coinbase, b->coinbase);
    assert_int_equal(a->out.script_len, b->out.script_len);
    assert_memory_equal(a->out.script, b->out.script, a->out.script_len);
}

static void expect_coin(struct coindb *db, const struct outpoint *o, const struct coin *want)
{
    struct arena arena = ARENA_INIT;
    struct coin got;

    assert_int_equal(coindb_has(db, o), want != NULL);
    assert_int_equal(coindb_get(db, &got, o, &arena), want ? RC_OK : RC_NOT_FOUND);
    if (want)
        expect_same(&got, want);
    arena_clear(&arena);
}

static struct block_hash hash_of(uint8_t n)
{
    struct block_hash h;

    memset(h.b, n, 32);
    return h;
}

static struct coindb_flush *begin(struct coindb *db, uint8_t best, size_t batch)
{
    const struct block_hash h = hash_of(best);
    struct coindb_flush *f;

    assert_int_equal(coindb_flush_begin(&f, db, &h, batch), RC_OK);
    return f;
}

static void expect_best(struct coindb *db, uint8_t n)
{
    const struct block_hash want = hash_of(n);
    struct block_hash got, heads[2];

    assert_int_equal(coindb_best_block(db, &got), n ? RC_OK : RC_NOT_FOUND);
    assert_memory_equal(got.b, want.b, 32);
    if (n)
        assert_int_equal(coindb_head_blocks(db, heads), RC_NOT_FOUND);
}

static void expect_heads(struct coindb *db, uint8_t new_tip, uint8_t old_tip)
{
    const struct block_hash a = hash_of(new_tip), b = hash_of(old_tip);
    struct block_hash heads[2];

    assert_int_equal(coindb_head_blocks(db, heads), RC_OK);
    assert_memory_equal(heads[0].b, a.b, 32);
    assert_memory_equal(heads[1].b, b.b, 32);
    assert_int_equal(coindb_best_block(db, &heads[0]), RC_NOT_FOUND);
}

/* Puts the coins with seeds [from, to), n 0. */
static void put_range(struct coindb_flush *f, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++) {
        uint8_t script[5] = {0x51, (uint8_t)i, (uint8_t)(i >> 8), 3, 4};
        struct coin c = {.height = i, .coinbase = i % 2};
        struct outpoint o = out(i, 0);
        c.out.value = i * 1000 + 1;
        c.out.script = script;
        c.out.script_len = sizeof(script);
        assert_int_equal(coindb_flush_put(f, &o, &c), RC_OK);
    }
}

static unsigned count_range(struct coindb *db, unsigned from, unsigned to)
{
    unsigned n = 0;

    for (unsigned i = from; i < to; i++) {
        struct outpoint o = out(i, 0);
        n += coindb_has(db, &o);
    }
    return n;
}

/* Keys and values taken from a database that Bitcoin Core 31.99 wrote (its values in the clear), one for each kind of script. */
static const struct {
    const char *key, *value, *script;
    int64_t amount;
    uint32_t height;
    bool coinbase;
} samples[] = {
    {"432fa3aa7f092433e7437c9d9d713ba1a1d6fe58e8843d4dd3cdd31171d566666700", "830b80650b0102030405", "0102030405", 2500000000, 261,
     true},
    {"4300600a79121f5cea381ded91064cd08e0b8be14588d6169912a1f413aa02553200", "0f3200c39c58872cc43dc652522073a2164f0a4a6d458c",
     "76a914c39c58872cc43dc652522073a2164f0a4a6d458c88ac", 5000000000, 7, true},
    {"43022548362b7e7718cca732398af874a285a9cb418feb9129115a5f2e0674e82b00", "8613aa7b016ba336543ab7de40a61b3b192cbc51449f9700b0",
     "a9146ba336543ab7de40a61b3b192cbc51449f9700b087", 625000000, 457, true},
    {"4300d4cf0a4e283a553722311423ec7ac50948a6090da75ead37d5501abf2cecb700", "8123321c0014ced263fa8e304ffc3b3cf84135ca85387db776ab",
     "0014ced263fa8e304ffc3b3cf84135ca85387db776ab", 5000000000, 145, true},
    {"43019eaf69f5ea583442830ebe631852dc164b204e1a37f1e158c9a9393278cb6000",
     "8263806502dfef5d494fbc493996e5b2259178fc5049eac8775190577043fe92a0f8a91c57",
     "2102dfef5d494fbc493996e5b2259178fc5049eac8775190577043fe92a0f8a91c57ac", 2500000000, 241, true},
};

static void test_core_bytes(void **state)
{
    struct coindb *db = open_db(*state);
    struct kv *kv = coindb_kv(db);

    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        uint8_t key[64], value[128], script[128], *back;
        size_t key_len = strlen(samples[i].key) / 2, len = strlen(samples[i].value) / 2, back_len;
        struct arena arena = ARENA_INIT;
        struct outpoint o = {.n = 0};
        struct coindb_flush *f;
        struct coin got, want;

        assert_true(hex_decode(key, key_len, samples[i].key));
        assert_true(hex_decode(value, len, samples[i].value));
        memcpy(o.txid.b, key + 1, 32);
        assert_int_equal(kv_put(kv, key, key_len, value, len, false), RC_OK);
        assert_int_equal(coindb_get(db, &got, &o, &arena), RC_OK);
        want = coin_of(samples[i].script, samples[i].amount, samples[i].height, samples[i].coinbase, script);
        expect_same(&got, &want);
        assert_int_equal(kv_delete(kv, key, key_len, false), RC_OK);
        f = begin(db, 1, 1 << 20);
        assert_int_equal(coindb_flush_put(f, &o, &got), RC_OK);
        assert_int_equal(coindb_flush_end(f), RC_OK);
        assert_int_equal(kv_get(kv, key, key_len, &back, &back_len), RC_OK);
        assert_int_equal(back_len, len);
        assert_memory_equal(back, value, len);
        free(back);
        arena_clear(&arena);
    }
    coindb_close(db);
}

/* The output's number is a base-128 integer whose groups count from one. */
static void test_key_numbers(void **state)
{
    static const struct {
        uint32_t n;
        const char *suffix;
    } numbers[] = {{0, "00"},
                   {1, "01"},
                   {127, "7f"},
                   {128, "8000"},
                   {255, "807f"},
                   {16511, "ff7f"},
                   {16512, "808000"},
                   {65535, "82fe7f"},
                   {2113663, "ffff7f"},
                   {2113664, "80808000"},
                   {0xffffffff, "8efefefe7f"}};
    struct coindb *db = open_db(*state);
    struct coindb_iter *it;
    struct outpoint o;
    struct coin c;

    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        struct coindb_flush *f = begin(db, 1, 1 << 20);
        uint8_t key[40] = {'C'}, script[128], *value;
        size_t len, suffix = strlen(numbers[i].suffix) / 2;
        struct coin put = coin_of("6a", 5, 9, false, script);
        o = out(i, numbers[i].n);
        assert_int_equal(coindb_flush_put(f, &o, &put), RC_OK);
        assert_int_equal(coindb_flush_end(f), RC_OK);
        memcpy(key + 1, o.txid.b, 32);
        assert_true(hex_decode(key + 33, suffix, numbers[i].suffix));
        assert_int_equal(kv_get(coindb_kv(db), key, 33 + suffix, &value, &len), RC_OK);
        free(value);
        expect_coin(db, &o, &put);
    }
    it = coindb_iter_new(db);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        assert_int_equal(coindb_iter_next(it, &o, &c), RC_OK);
        assert_int_equal(o.n, numbers[i].n);
    }
    assert_int_equal(coindb_iter_next(it, &o, &c), RC_NOT_FOUND);
    coindb_iter_free(it);
    coindb_close(db);
}

static void test_put_and_remove(void **state)
{
    struct coindb *db = open_db(*state);
    const struct outpoint a = out(1, 0), b = out(1, 1), none = out(2, 0);
    uint8_t buf[2][128];
    struct coin empty = coin_of("", 0, 0, false, buf[0]), big = coin_of("51", MAX_MONEY, 0x7fffffff, true, buf[1]);
    struct coindb_flush *f;

    expect_best(db, 0);
    f = begin(db, 1, 1 << 20);
    assert_int_equal(coindb_flush_put(f, &a, &empty), RC_OK);
    assert_int_equal(coindb_flush_put(f, &b, &big), RC_OK);
    expect_coin(db, &a, NULL);
    assert_int_equal(coindb_flush_end(f), RC_OK);
    expect_best(db, 1);
    expect_coin(db, &a, &empty);
    expect_coin(db, &b, &big);
    expect_coin(db, &none, NULL);
    f = begin(db, 2, 1 << 20);
    assert_int_equal(coindb_flush_remove(f, &a), RC_OK);
    assert_int_equal(coindb_flush_remove(f, &none), RC_OK);
    assert_int_equal(coindb_flush_end(f), RC_OK);
    coindb_close(db);
    db = open_db(*state);
    expect_best(db, 2);
    expect_coin(db, &a, NULL);
    expect_coin(db, &b, &big);
    coindb_close(db);
}

/* Changes come in any order; of several to one coin the last counts, within a batch and across. */
static void check_order(struct coindb *db, uint8_t best, size_t batch)
{
    const struct outpoint kept = out(9, 300), gone = out(9, 2), twice = out(9, 17000), other = out(1, 5);
    uint8_t buf[2][128];
    struct coin old = coin_of("51", 100, 1, false, buf[0]), new = coin_of("0020", 200, 2, true, buf[1]);
    struct coindb_flush *f = begin(db, best, batch);

    assert_int_equal(coindb_flush_put(f, &kept, &old), RC_OK);
    assert_int_equal(coindb_flush_put(f, &gone, &old), RC_OK);
    assert_int_equal(coindb_flush_put(f, &twice, &old), RC_OK);
    assert_int_equal(coindb_flush_remove(f, &kept), RC_OK);
    assert_int_equal(coindb_flush_put(f, &other, &old), RC_OK);
    assert_int_equal(coindb_flush_remove(f, &gone), RC_OK);
    assert_int_equal(coindb_flush_put(f, &twice, &new), RC_OK);
    assert_int_equal(coindb_flush_put(f, &kept, &new), RC_OK);
    assert_int_equal(coindb_flush_end(f), RC_OK);
    expect_coin(db, &kept, &new);
    expect_coin(db, &gone, NULL);
    expect_coin(db, &twice, &new);
    expect_coin(db, &other, &old);
}

static void test_order_of_changes(void **state)
{
    struct coindb *db = open_db(*state);

    check_order(db, 1, 1 << 20);
    check_order(db, 2, 100);
    check_order(db, 3, 0);
    coindb_close(db);
}

/* A flush of one batch is all or nothing; one of several leaves head blocks, and only the same flush may follow. */
static void test_broken_flush(void **state)
{
    struct coindb *db = open_db(*state);
    struct block_hash other = hash_of(9);
    struct coindb_flush *f = begin(db, 1, 1 << 20);
    unsigned written;

    put_range(f, 0, 100);
    coindb_flush_abandon(f);
    expect_best(db, 0);
    assert_int_equal(count_range(db, 0, 100), 0);

    f = begin(db, 1, 1000); /* from nothing */
    put_range(f, 0, 100);
    coindb_flush_abandon(f);
    coindb_close(db);
    db = open_db(*state);
    expect_heads(db, 1, 0);
    written = count_range(db, 0, 100);
    assert_in_range(written, 50, 99);
    assert_int_equal(coindb_flush_begin(&f, db, &other, 1000), RC_INVALID);
    assert_null(f);
    f = begin(db, 1, 1 << 20);
    put_range(f, 0, 100);
    assert_int_equal(coindb_flush_end(f), RC_OK);
    expect_best(db, 1);
    assert_int_equal(count_range(db, 0, 100), 100);

    f = begin(db, 2, 1000);
    put_range(f, 100, 200);
    coindb_flush_abandon(f);
    expect_heads(db, 2, 1);
    f = begin(db, 2, 1000); /* broken off once more: the old tip is kept */
    put_range(f, 100, 150);
    coindb_flush_abandon(f);
    expect_heads(db, 2, 1);
    f = begin(db, 2, 1000);
    put_range(f, 100, 200);
    assert_int_equal(coindb_flush_end(f), RC_OK);
    expect_best(db, 2);
    assert_int_equal(count_range(db, 0, 200), 200);
    coindb_close(db);
}

/* A process of its own: what a flush of n coins in batches of 1000 bytes makes of it with that crash ratio. Returns: its exit code. */
static int flush_in_child(const char *dir, uint64_t crash_ratio, uint8_t best, unsigned from, unsigned to)
{
    int status;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        const struct coindb_tuning tuning = {.batch_bytes = 1000, .crash_ratio = crash_ratio};
        struct coindb *db = open_db(dir);
        struct coindb_flush *f;

        coindb_tune(db, &tuning);
        f = begin(db, best, 1 << 20);
        put_range(f, from, to);
        if (coindb_flush_end(f) != RC_OK)
            _exit(2);
        coindb_close(db);
        _exit(3);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* The crash comes between two batches of a flush, never after its last one, and the size of a batch is that of the tuning. */
static void test_tuned_crash(void **state)
{
    struct coindb *db;
    unsigned written;

    assert_int_equal(flush_in_child(*state, 1, 1, 0, 100), 0);
    db = open_db(*state);
    expect_heads(db, 1, 0);
    written = count_range(db, 0, 100);
    assert_in_range(written, 10, 40); /* one batch */
    coindb_close(db);

    assert_int_equal(flush_in_child(*state, 1, 1, 0, 10), 3); /* fits one */
    assert_int_equal(flush_in_child(*state, 0, 2, 10, 100), 3);
    assert_int_equal(flush_in_child(*state, UINT64_MAX, 3, 0, 100), 3);
    db = open_db(*state);
    expect_best(db, 3);
    assert_int_equal(count_range(db, 0, 100), 100);
    coindb_close(db);
}

static void test_iteration(void **state)
{
    struct coindb *db = open_db(*state);
    struct coindb_flush *f = begin(db, 1, 5000);
    struct coindb_iter *it;
    struct outpoint o, gone = out(7, 0);
    struct coin c;

    put_range(f, 0, 500);
    assert_int_equal(coindb_flush_end(f), RC_OK);
    it = coindb_iter_new(db);
    f = begin(db, 2, 5000); /* behind the snapshot */
    put_range(f, 500, 600);
    assert_int_equal(coindb_flush_remove(f, &gone), RC_OK);
    assert_int_equal(coindb_flush_end(f), RC_OK);
    for (unsigned i = 0; i < 500; i++) {
        struct outpoint want = out(i, 0);
        assert_int_equal(coindb_iter_next(it, &o, &c), RC_OK);
        assert_true(outpoint_equal(&o, &want));
        assert_int_equal(c.out.value, i * 1000 + 1);
        assert_int_equal(c.height, i);
        assert_int_equal(c.coinbase, i % 2);
        assert_int_equal(c.out.script_len, 5);
        assert_int_equal(c.out.script[1] | c.out.script[2] << 8, i);
    }
    assert_int_equal(coindb_iter_next(it, &o, &c), RC_NOT_FOUND);
    assert_int_equal(coindb_iter_next(it, &o, &c), RC_NOT_FOUND);
    coindb_iter_free(it);
    kv_compact(coindb_kv(db));
    assert_true(coindb_disk_size(db) > 500 * 40);
    coindb_close(db);
}

static void test_malformed(void **state)
{
    struct coindb *db = open_db(*state);
    struct kv *kv = coindb_kv(db);
    struct outpoint o = out(5, 0), got;
    struct arena arena = ARENA_INIT;
    uint8_t key[34] = {'C'};
    struct block_hash heads[2];
    struct coindb_iter *it;
    struct coin c;

    memcpy(key + 1, o.txid.b, 32);
    assert_int_equal(kv_put(kv, key, 34, "\x04\x05\x00short", 8, false), RC_OK);
    assert_int_equal(coindb_get(db, &c, &o, &arena), RC_CORRUPT);
    it = coindb_iter_new(db);
    assert_int_equal(coindb_iter_next(it, &got, &c), RC_CORRUPT);
    coindb_iter_free(it);
    assert_int_equal(kv_put(kv, "B", 1, "short", 5, false), RC_OK);
    assert_int_equal(coindb_best_block(db, heads), RC_CORRUPT);
    assert_int_equal(kv_put(kv, "H", 1, "\x01 and something of over thirty-two bytes", 40, false), RC_OK);
    assert_int_equal(coindb_head_blocks(db, heads), RC_CORRUPT);
    arena_clear(&arena);
    coindb_close(db);
}

static void test_old_format(void **state)
{
    struct coindb *db = open_db(*state);
    char *error;

    assert_int_equal(kv_put(coindb_kv(db), "c0123456789", 11, "old", 3, true), RC_OK);
    coindb_close(db);
    assert_int_equal(coindb_open(&db, *state, 1 << 20, false, &error), RC_INVALID);
    assert_null(db);
    assert_non_null(strstr(error, "-reindex-chainstate"));
    free(error);
    assert_int_equal(coindb_open(&db, *state, 1 << 20, true, &error), RC_OK);
    coindb_close(db);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, tempdir_setup, tempdir_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_core_bytes),       TEST(test_key_numbers),  TEST(test_put_and_remove),
        TEST(test_order_of_changes), TEST(test_broken_flush), TEST(test_iteration),
        TEST(test_malformed),        TEST(test_old_format),   TEST(test_tuned_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
