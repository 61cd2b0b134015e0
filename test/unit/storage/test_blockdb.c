/* test_blockdb.c - the block index database: records as Bitcoin Core writes them, round trips, damage. */
#include "storage/blockdb.h"

#include "tempdir.h"
#include "util/bytes.h"
#include "util/hex.h"

static struct blockdb *open_db(const char *dir)
{
    struct blockdb *db;
    char *error;

    assert_int_equal(blockdb_open(&db, dir, 1 << 20, false, &error), RC_OK);
    return db;
}

static struct block_record make_record(uint32_t n, uint32_t status)
{
    struct block_record r = {.height = (int32_t)n, .status = status, .n_tx = n * 3 + 1};

    r.header.version = (int32_t)(0x20000000 + n);
    r.header.time = 1600000000 + n;
    r.header.bits = 0x207fffff;
    r.header.nonce = n * 7;
    memset(r.header.prev.b, (int)n, 32);
    memset(r.header.merkle_root.b, (int)n + 1, 32);
    if (status & (BLOCK_HAVE_DATA | BLOCK_HAVE_UNDO))
        r.file = (int32_t)n % 5;
    if (status & BLOCK_HAVE_DATA)
        r.data_pos = n * 100000 + 8;
    if (status & BLOCK_HAVE_UNDO)
        r.undo_pos = n * 1000 + 8;
    block_header_hash(&r.hash, &r.header);
    return r;
}

struct collected {
    struct block_record rec[300];
    unsigned n, stop_at;
};

static bool collect(void *ctx, const struct block_record *rec)
{
    struct collected *c = ctx;

    c->rec[c->n++] = *rec;
    return c->n != c->stop_at;
}

static int by_height(const void *a, const void *b)
{
    return ((const struct block_record *)a)->height - ((const struct block_record *)b)->height;
}

static void expect_equal(const struct block_record *a, const struct block_record *b)
{
    assert_memory_equal(a->hash.b, b->hash.b, 32);
    assert_memory_equal(&a->header, &b->header, sizeof(a->header));
    assert_int_equal(a->height, b->height);
    assert_int_equal(a->status, b->status);
    assert_int_equal(a->n_tx, b->n_tx);
    assert_int_equal(a->file, b->file);
    assert_int_equal(a->data_pos, b->data_pos);
    assert_int_equal(a->undo_pos, b->undo_pos);
}

static void test_round_trip(void **state)
{
    static const uint32_t statuses[] = {
        BLOCK_VALID_TREE,
        BLOCK_VALID_TRANSACTIONS | BLOCK_HAVE_DATA,
        BLOCK_VALID_SCRIPTS | BLOCK_HAVE_DATA | BLOCK_HAVE_UNDO | BLOCK_OPT_WITNESS,
        BLOCK_VALID_SCRIPTS | BLOCK_HAVE_UNDO,
        BLOCK_VALID_TREE | BLOCK_FAILED_VALID,
    };
    struct block_record recs[200];
    struct collected got = {.n = 0};
    struct blockdb *db = open_db(*state);

    for (unsigned i = 0; i < 200; i++)
        recs[i] = make_record(i, statuses[i % ARRAY_LEN(statuses)]);
    assert_int_equal(blockdb_write(db, recs, 150, NULL, NULL, 0, 0), RC_OK);
    assert_int_equal(blockdb_write(db, recs + 100, 100, NULL, NULL, 0, 0), RC_OK);
    blockdb_close(db);
    db = open_db(*state);
    assert_int_equal(blockdb_each(db, collect, &got), RC_OK);
    assert_int_equal(got.n, 200);
    for (unsigned i = 1; i < 200; i++)
        assert_true(memcmp(got.rec[i - 1].hash.b, got.rec[i].hash.b, 32) < 0);
    qsort(got.rec, 200, sizeof(got.rec[0]), by_height);
    for (unsigned i = 0; i < 200; i++)
        expect_equal(&got.rec[i], &recs[i]);

    got = (struct collected){.stop_at = 7};
    assert_int_equal(blockdb_each(db, collect, &got), RC_INTERRUPTED);
    assert_int_equal(got.n, 7);
    blockdb_close(db);
}

static void test_empty(void **state)
{
    struct blockdb *db = open_db(*state);
    struct collected got = {.n = 0};
    struct blockfile_info *infos;
    unsigned last;
    bool on;

    assert_int_equal(blockdb_each(db, collect, &got), RC_OK);
    assert_int_equal(got.n, 0);
    assert_int_equal(blockdb_read_files(db, &infos, &last), RC_NOT_FOUND);
    assert_null(infos);
    assert_false(blockdb_reindexing(db));
    assert_int_equal(blockdb_get_flag(db, "prunedblockfiles", &on), RC_NOT_FOUND);
    blockdb_close(db);
}

static void expect_raw(struct kv *kv, const char *key_hex, const char *value_hex)
{
    uint8_t key[64], *value;
    size_t key_len = strlen(key_hex) / 2, len;
    char text[400];

    assert_true(hex_decode(key, key_len, key_hex));
    assert_int_equal(kv_get(kv, key, key_len, &value, &len), RC_OK);
    assert_in_range(len, 0, sizeof(text) / 2 - 1);
    hex_encode(text, value, len);
    assert_string_equal(text, value_hex);
    free(value);
}

/* Records taken from a database that Bitcoin Core 31.99 wrote: the genesis block of regtest, a later block, two files, the last
 * file's number. */
static void test_core_bytes(void **state)
{
    static const uint8_t genesis[80] =
        "\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
        "\x3b\xa3\xed\xfd\x7a\x7b\x12\xb2\x7a\xc7\x2c\x3e\x67\x76\x8f\x61\x7f\xc8\x1b\xc3\x88\x8a\x51\x32\x3a\x9f\xb8\xaa\x4b\x1e"
        "\x5e\x4a\xda\xe5\x49\x4d\xff\xff\x7f\x20\x02\0\0";
    const unsigned files[] = {0, 1};
    const struct blockfile_info infos[] = {{251, 65506, 10250, 0, 250, 1296688602, 1795363937},
                                           {249, 65441, 10236, 251, 499, 1795363937, 1795364425}};
    struct block_record r[2] = {{.height = 0, .status = 128 | 8 | 3, .n_tx = 1, .file = 0, .data_pos = 8}};
    struct blockdb *db = open_db(*state);
    struct kv *kv = blockdb_kv(db);
    uint8_t header[80];

    block_header_decode(&r[0].header, genesis);
    block_header_hash(&r[0].hash, &r[0].header);
    assert_true(hex_decode(header, 80,
                           "0000002006226e46111a0b59caaf126043eb5bbf28c34f3a5e332a1fc7b2b73cf188910f2cb1612a5a18503e337856ae56857e"
                           "f7091a253d9672348c23366c50acd584863614036bffff7f2000000000"));
    r[1] = (struct block_record){.height = 1, .status = 128 | 16 | 8 | 5, .n_tx = 1, .file = 0, .data_pos = 301, .undo_pos = 8};
    block_header_decode(&r[1].header, header);
    block_header_hash(&r[1].hash, &r[1].header);
    assert_int_equal(blockdb_write(db, r, 2, files, infos, 2, 3), RC_OK);
    assert_int_equal(blockdb_set_flag(db, "prunedblockfiles", true), RC_OK);
    expect_raw(kv, "6206226e46111a0b59caaf126043eb5bbf28c34f3a5e332a1fc7b2b73cf188910f",
               "8eed3c00800b0100080100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e"
               "67768f617fc81bc3888a51323a9fb8aa4b1e5e4adae5494dffff7f2002000000");
    expect_raw(kv, "62a39a235d3b3afae1ced6372388b1107758e16efb1ede0cf9c963cd85677ea813",
               "8eed3c01801d0100812d080000002006226e46111a0b59caaf126043eb5bbf28c34f3a5e332a1fc7b2b73cf188910f2cb1612a5a18503e3378"
               "56ae56857ef7091a253d9672348c23366c50acd584863614036bffff7f2000000000");
    expect_raw(kv, "6600000000", "807b82fe62cf0a00807a83e9a6ca5a85d78ba761");
    expect_raw(kv, "6601000000", "807982fe21ce7c807b827385d78ba76185d78bab49");
    expect_raw(kv, "6c", "03000000");
    expect_raw(kv, "46107072756e6564626c6f636b66696c6573", "31");
    blockdb_close(db);
}

static void test_files(void **state)
{
    const unsigned files[] = {0, 2, 3, 4, 6};
    const struct blockfile_info infos[] = {{1, 2, 3, 4, 5, 6, 7},
                                           {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT64_MAX, UINT64_MAX},
                                           {.size = 30},
                                           {.size = 40},
                                           {.size = 60}};
    struct blockdb *db = open_db(*state);
    struct blockfile_info *got;
    unsigned last;

    assert_int_equal(blockdb_write(db, NULL, 0, files, infos, 5, 2), RC_OK);
    assert_int_equal(blockdb_read_files(db, &got, &last), RC_OK);
    assert_int_equal(last, 4); /* beyond the stored number up to the first gap */
    assert_memory_equal(&got[0], &infos[0], sizeof(got[0]));
    assert_int_equal(got[1].size, 0); /* a gap in the range */
    assert_memory_equal(&got[2], &infos[1], sizeof(got[2]));
    assert_int_equal(got[4].size, 40);
    free(got);

    assert_int_equal(kv_put(blockdb_kv(db), "l", 1, "\xff\xff\xff\x7f", 4, false), RC_OK);
    assert_int_equal(blockdb_read_files(db, &got, &last), RC_CORRUPT);
    assert_int_equal(kv_put(blockdb_kv(db), "l", 1, "\0\0", 2, false), RC_OK);
    assert_int_equal(blockdb_read_files(db, &got, &last), RC_CORRUPT);
    assert_int_equal(kv_put(blockdb_kv(db), "l", 1, "\2\0\0\0", 4, false), RC_OK);
    assert_int_equal(kv_put(blockdb_kv(db), "f\1\0\0\0", 5, "\1\2\3", 3, false), RC_OK);
    assert_int_equal(blockdb_read_files(db, &got, &last), RC_CORRUPT);
    assert_null(got);
    blockdb_close(db);
}

static void test_flags(void **state)
{
    struct blockdb *db = open_db(*state);
    bool on;

    assert_int_equal(blockdb_set_flag(db, "txindex", true), RC_OK);
    assert_int_equal(blockdb_set_flag(db, "prunedblockfiles", false), RC_OK);
    assert_int_equal(blockdb_set_reindexing(db, true), RC_OK);
    blockdb_close(db);
    db = open_db(*state);
    assert_int_equal(blockdb_get_flag(db, "txindex", &on), RC_OK);
    assert_true(on);
    assert_int_equal(blockdb_get_flag(db, "prunedblockfiles", &on), RC_OK);
    assert_false(on);
    assert_true(blockdb_reindexing(db));
    expect_raw(blockdb_kv(db), "52", "31");
    assert_int_equal(blockdb_set_reindexing(db, false), RC_OK);
    assert_false(blockdb_reindexing(db));
    blockdb_close(db);
}

/* Puts a value under a block's key and expects the whole reading to fail. */
static void expect_malformed(struct blockdb *db, const struct block_hash *hash, const uint8_t *value, size_t len)
{
    struct collected got = {.n = 0};
    uint8_t key[33] = {'b'};

    memcpy(key + 1, hash->b, 32);
    assert_int_equal(kv_put(blockdb_kv(db), key, sizeof(key), value, len, false), RC_OK);
    assert_int_equal(blockdb_each(db, collect, &got), RC_CORRUPT);
    assert_int_equal(kv_delete(blockdb_kv(db), key, sizeof(key), false), RC_OK);
    assert_int_equal(blockdb_each(db, collect, &got), RC_OK);
}

static void test_malformed(void **state)
{
    struct blockdb *db = open_db(*state);
    struct block_record r = make_record(77, BLOCK_VALID_SCRIPTS | BLOCK_HAVE_DATA | BLOCK_HAVE_UNDO);
    struct collected got = {.n = 0};
    uint8_t key[33] = {'b'}, *value, height[100];
    size_t len;

    assert_int_equal(blockdb_write(db, &r, 1, NULL, NULL, 0, 0), RC_OK);
    memcpy(key + 1, r.hash.b, 32);
    assert_int_equal(kv_get(blockdb_kv(db), key, sizeof(key), &value, &len), RC_OK);
    assert_int_equal(kv_delete(blockdb_kv(db), key, sizeof(key), false), RC_OK);
    for (size_t cut = 0; cut < len; cut++)
        expect_malformed(db, &r.hash, value, cut);
    value[len - 1] ^= 1; /* another header than the key says */
    expect_malformed(db, &r.hash, value, len);
    memset(height, 0, sizeof(height));
    memcpy(height + 1, "\x8e\xfe\xfe\xfe\xff", 5); /* a height of 2^32 */
    expect_malformed(db, &r.hash, height, sizeof(height));
    free(value);

    assert_int_equal(kv_put(blockdb_kv(db), "b123", 4, "", 0, false), RC_OK); /* a key of the wrong length */
    assert_int_equal(blockdb_each(db, collect, &got), RC_CORRUPT);
    blockdb_close(db);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, tempdir_setup, tempdir_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_round_trip), TEST(test_empty), TEST(test_core_bytes), TEST(test_files), TEST(test_flags), TEST(test_malformed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
