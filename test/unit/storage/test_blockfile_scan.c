/* test_blockfile_scan.c - finding records among garbage, and in the real mainnet file of the vectors. */
#include "primitives/block.h"
#include "storage/blockfiles.h"
#include "tempdir.h"
#include "util/bytes.h"
#include "vectors.h"

static const uint8_t magic[4] = {0xf9, 0xbe, 0xb4, 0xd9};

static void add_record(struct writer *w, const uint8_t mark[4], uint32_t claimed, size_t len, uint8_t fill)
{
    write_bytes(w, mark, 4);
    write_u32(w, claimed);
    memset(writer_extend(w, len), fill, len);
}

static struct blockfile_scan *scan_of(const char *dir, const struct writer *content)
{
    char *path = fs_join(dir, "file.dat");
    struct blockfile_scan *s;

    write_file(path, content->data ? content->data : (const uint8_t *)"", content->len);
    assert_int_equal(blockfile_scan_open(&s, path, magic, NULL), RC_OK);
    assert_int_equal(blockfile_scan_size(s), content->len);
    free(path);
    return s;
}

static void expect_next(struct blockfile_scan *s, size_t len, uint8_t fill, uint64_t want_pos)
{
    uint8_t *data;
    size_t got;
    uint64_t pos;

    assert_int_equal(blockfile_scan_next(s, &data, &got, &pos), RC_OK);
    assert_int_equal(got, len);
    assert_int_equal(pos, want_pos);
    assert_int_equal(blockfile_scan_offset(s), pos + len);
    for (size_t i = 0; i < len; i++)
        assert_int_equal(data[i], fill);
    free(data);
}

static void expect_end(struct blockfile_scan *s)
{
    uint8_t *data;
    size_t len;
    uint64_t pos;

    assert_int_equal(blockfile_scan_next(s, &data, &len, &pos), RC_NOT_FOUND);
    assert_null(data);
    assert_int_equal(blockfile_scan_next(s, &data, &len, &pos), RC_NOT_FOUND);
}

static void test_garbage(void **state)
{
    static const uint8_t other[4] = {0xfa, 0xbf, 0xb5, 0xda};
    struct writer w = WRITER_INIT;
    struct blockfile_scan *s;

    write_bytes(&w, "junk\xf9\xbe\xb4", 7);
    add_record(&w, magic, 100, 100, 1); /* data at 15 */
    write_bytes(&w, "\xf9\xf9\xf9", 3); /* 118: the search must not step over the magic that begins in the third */
    w.len--;
    add_record(&w, magic, 80, 80, 2);     /* data at 125 */
    add_record(&w, other, 90, 90, 3);     /* another network's: skipped */
    add_record(&w, magic, 79, 79, 4);     /* too short for a header */
    add_record(&w, magic, 4000001, 9, 5); /* too long for a block */
    add_record(&w, magic, 200, 200, 6);
    s = scan_of(*state, &w);
    expect_next(s, 100, 1, 15);
    expect_next(s, 80, 2, 125);
    expect_next(s, 200, 6, w.len - 200);
    expect_end(s);
    blockfile_scan_close(s);
    writer_clear(&w);
}

static void test_cut_at_end(void **state)
{
    struct writer w = WRITER_INIT;
    struct blockfile_scan *s;

    add_record(&w, magic, 100, 100, 1);
    add_record(&w, magic, 5000, 300, 2); /* claims more than there is, and hides another behind its start */
    add_record(&w, magic, 120, 120, 3);
    add_record(&w, magic, 500, 499, 4); /* one byte short */
    s = scan_of(*state, &w);
    expect_next(s, 100, 1, 8);
    expect_next(s, 120, 3, 108 + 308 + 8);
    expect_end(s);
    blockfile_scan_close(s);

    w.len = 108 + 5; /* ends within a record's head */
    s = scan_of(*state, &w);
    expect_next(s, 100, 1, 8);
    expect_end(s);
    blockfile_scan_close(s);
    w.len = 0;
    s = scan_of(*state, &w);
    expect_end(s);
    blockfile_scan_close(s);
    writer_clear(&w);
}

/* A record that does not decode may hide a good one: the search goes on right behind its magic. */
static void test_retry(void **state)
{
    struct writer w = WRITER_INIT;
    struct blockfile_scan *s;
    uint8_t *data;
    size_t len;
    uint64_t pos;

    add_record(&w, magic, 500, 60, 1);
    add_record(&w, magic, 100, 100, 2);
    add_record(&w, magic, 90, 332, 3); /* the first one ends within this */
    add_record(&w, magic, 85, 85, 4);
    s = scan_of(*state, &w);
    blockfile_scan_retry(s); /* nothing to take back yet */
    assert_int_equal(blockfile_scan_next(s, &data, &len, &pos), RC_OK);
    assert_int_equal(len, 500);
    free(data);
    blockfile_scan_retry(s);
    expect_next(s, 100, 2, 68 + 8);
    expect_next(s, 90, 3, 68 + 108 + 8);
    expect_next(s, 85, 4, w.len - 85);
    expect_end(s);
    blockfile_scan_close(s);
    writer_clear(&w);
}

/* More than one window of data, with records across its ends. */
static void test_long_file(void **state)
{
    struct writer w = WRITER_INIT;
    struct blockfile_scan *s;
    uint64_t pos = 0;

    for (unsigned i = 0; i < 12; i++) {
        size_t len = i % 2 ? 3999999 - i : 700001 + i;
        add_record(&w, magic, (uint32_t)len, len, (uint8_t)(i + 1));
    }
    memset(writer_extend(&w, 9000000), 0, 9000000); /* as preallocation leaves it */
    s = scan_of(*state, &w);
    for (unsigned i = 0; i < 12; i++) {
        size_t len = i % 2 ? 3999999 - i : 700001 + i, got;
        uint8_t *data;
        uint64_t at;
        assert_int_equal(blockfile_scan_next(s, &data, &got, &at), RC_OK);
        assert_int_equal(got, len);
        assert_int_equal(at, pos + 8);
        assert_int_equal(data[0], i + 1);
        assert_int_equal(memcmp(data, data + 1, len - 1), 0);
        free(data);
        pos = at + len;
    }
    expect_end(s);
    blockfile_scan_close(s);
    writer_clear(&w);
}

static void test_own_folder(void **state)
{
    struct blockfiles_options o = {.dir = *state, .use_xor = true};
    char *path = fs_join(*state, "blk00000.dat"), *error;
    struct blockfiles *bf;
    struct blockfile_scan *s;
    struct disk_pos pos[20];
    uint8_t block[2000];

    memcpy(o.magic, magic, 4);
    assert_int_equal(blockfiles_open(&bf, &o, &error), RC_OK);
    for (unsigned i = 0; i < 20; i++) {
        memset(block, (int)i + 1, sizeof(block));
        assert_int_equal(blockfiles_append(bf, &pos[i], block, 100 + i * 97, i, i), RC_OK);
    }
    /* Still with its preallocated tail, which reads as the key over and over. */
    assert_int_equal(blockfile_scan_open(&s, path, magic, bf), RC_OK);
    assert_int_equal(blockfile_scan_size(s), 16 << 20);
    for (unsigned i = 0; i < 20; i++)
        expect_next(s, 100 + i * 97, (uint8_t)(i + 1), pos[i].pos);
    expect_end(s);
    blockfile_scan_close(s);
    assert_int_equal(blockfile_scan_open(&s, path, magic, NULL), RC_OK); /* without the key: nothing to see */
    expect_end(s);
    blockfile_scan_close(s);
    blockfiles_close(bf);
    free(path);
}

static void test_open_failures(void **state)
{
    char *path = fs_join(*state, "none.dat");
    struct blockfile_scan *s;

    assert_int_equal(blockfile_scan_open(&s, path, magic, NULL), RC_NOT_FOUND);
    assert_null(s);
    assert_non_null(strstr(blockfiles_last_error(), path));
    assert_int_equal(blockfile_scan_open(&s, *state, magic, NULL), RC_INVALID);
    free(path);
}

static void test_mainnet_file(void **state)
{
    char *path = vectors_path("chain/mainnet/blocks-000000-004312.dat");
    struct blockfile_scan *s;
    struct block_hash tip = {{0}};
    unsigned n = 0;
    uint8_t *data;
    size_t len;
    uint64_t pos, end = 0;
    enum rc rc;

    (void)state;
    if (!path)
        return;
    assert_int_equal(blockfile_scan_open(&s, path, magic, NULL), RC_OK);
    while ((rc = blockfile_scan_next(s, &data, &len, &pos)) == RC_OK) {
        struct block *b = block_decode(data, len);
        assert_non_null(b);
        assert_true(block_hash_equal(&b->header.prev, &tip));
        assert_int_equal(pos, end + 8);
        tip = b->hash;
        end = pos + len;
        block_unref(b);
        n++;
    }
    assert_int_equal(rc, RC_NOT_FOUND);
    assert_int_equal(n, 4313);
    assert_int_equal(end, blockfile_scan_size(s));
    blockfile_scan_close(s);
    free(path);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, tempdir_setup, tempdir_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_garbage),    TEST(test_cut_at_end),    TEST(test_retry),        TEST(test_long_file),
        TEST(test_own_folder), TEST(test_open_failures), TEST(test_mainnet_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
