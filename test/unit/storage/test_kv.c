/* test_kv.c - the key-value store: obfuscation as it stands on disk, batches, snapshots, damage. */
#include "storage/kv.h"

#include <dirent.h>
#include <pthread.h>

#include "tempdir.h"
#include "util/obfuscate.h"

static struct kv *open_kv(const char *dir, bool obfuscated)
{
    const struct kv_options o = {.cache_bytes = 1 << 20, .obfuscate = obfuscated};
    struct kv *kv;
    char *error;

    assert_int_equal(kv_open(&kv, dir, &o, &error), RC_OK);
    assert_null(error);
    return kv;
}

static void put(struct kv *kv, const char *key, const char *value)
{
    assert_int_equal(kv_put(kv, key, strlen(key), value, strlen(value), false), RC_OK);
}

static void expect(struct kv *kv, const char *key, const char *value)
{
    uint8_t *got;
    size_t len;
    enum rc rc = kv_get(kv, key, strlen(key), &got, &len);

    if (!value) {
        assert_int_equal(rc, RC_NOT_FOUND);
        assert_null(got);
        return;
    }
    assert_int_equal(rc, RC_OK);
    assert_int_equal(len, strlen(value));
    assert_memory_equal(got, value, len);
    free(got);
}

/* All bytes of the files in a folder whose names end so. */
static struct writer slurp(const char *dir, const char *suffix)
{
    struct writer all = WRITER_INIT;
    DIR *d = opendir(dir);
    struct dirent *e;

    assert_non_null(d);
    while ((e = readdir(d))) {
        size_t n = strlen(e->d_name), m = strlen(suffix), len;
        uint8_t *data;
        char *path;
        if (n < m || strcmp(e->d_name + n - m, suffix) != 0)
            continue;
        path = fs_join(dir, e->d_name);
        assert_int_equal(fs_read(path, 1 << 28, &data, &len), RC_OK);
        write_bytes(&all, data, len);
        free(data);
        free(path);
    }
    closedir(d);
    return all;
}

static void test_obfuscate(void **state)
{
    const uint8_t key[8] = {1, 2, 4, 8, 16, 32, 64, 128}, zero[8] = {0};
    uint8_t in[100], out[100], same[100];

    (void)state;
    for (size_t i = 0; i < sizeof(in); i++)
        in[i] = (uint8_t)(i * 7);
    for (uint64_t offset = 0; offset < 17; offset++) {
        for (size_t len = 0; len <= sizeof(in); len++) {
            memset(out, 0xee, sizeof(out));
            obfuscate_copy(out, in, len, key, offset);
            for (size_t i = 0; i < sizeof(in); i++)
                assert_int_equal(out[i], i < len ? in[i] ^ key[(offset + i) % 8] : 0xee);
            memcpy(same, in, sizeof(in));
            obfuscate(same, len, key, offset);
            assert_memory_equal(same, out, len);
        }
    }
    obfuscate_copy(out, in, sizeof(in), zero, 3);
    assert_memory_equal(out, in, sizeof(in));
}

static void test_basic(void **state)
{
    struct kv *kv = open_kv(*state, false);

    assert_true(kv_is_empty(kv));
    expect(kv, "a", NULL);
    put(kv, "a", "one");
    put(kv, "empty", "");
    assert_false(kv_is_empty(kv));
    expect(kv, "a", "one");
    expect(kv, "empty", "");
    put(kv, "a", "two");
    expect(kv, "a", "two");
    assert_int_equal(kv_delete(kv, "a", 1, true), RC_OK);
    expect(kv, "a", NULL);
    kv_close(kv);
    kv = open_kv(*state, false);
    expect(kv, "a", NULL);
    expect(kv, "empty", "");
    kv_close(kv);
}

/* What stands on disk: the key in the clear under its name, values under the key. */
static void test_obfuscation_on_disk(void **state)
{
    static const char name[] = "\x0e\0obfuscate_key\x09\x08"; /* with both lengths in front of the key's bytes */
    static const char text[] = "the quick brown fox jumps";
    struct kv *kv = open_kv(*state, true);
    struct writer log;
    const uint8_t *at;
    uint8_t hidden[sizeof(text) - 1];

    put(kv, "fox", text);
    expect(kv, "fox", text);
    kv_close(kv);
    log = slurp(*state, ".log");
    assert_false(contains(log.data, log.len, text, sizeof(text) - 1));
    at = memmem(log.data, log.len, name, sizeof(name) - 1);
    assert_non_null(at);
    at += sizeof(name) - 1;
    assert_false(obfuscation_is_null(at));
    obfuscate_copy(hidden, (const uint8_t *)text, sizeof(hidden), at, 0);
    assert_true(contains(log.data, log.len, hidden, sizeof(hidden)));
    writer_clear(&log);

    kv = open_kv(*state, false); /* the stored key counts, not the option */
    expect(kv, "fox", text);
    kv_close(kv);
}

static void test_no_late_obfuscation(void **state)
{
    struct kv *kv = open_kv(*state, false);
    struct writer log;

    put(kv, "fox", "plain words stay plain");
    kv_close(kv);
    kv = open_kv(*state, true);
    expect(kv, "fox", "plain words stay plain");
    put(kv, "more", "and those that follow too");
    kv_close(kv);
    log = slurp(*state, ".log");
    assert_true(contains(log.data, log.len, "and those that follow too", 25));
    writer_clear(&log);
}

static void test_malformed_key(void **state)
{
    static const char name[] = "\x0e\0obfuscate_key";
    const struct kv_options o = {.cache_bytes = 1 << 20, .obfuscate = true};
    struct kv *kv = open_kv(*state, false);
    char *error;

    assert_int_equal(kv_put(kv, name, sizeof(name) - 1, "\x04xxxx", 5, true), RC_OK);
    kv_close(kv);
    assert_int_equal(kv_open(&kv, *state, &o, &error), RC_CORRUPT);
    assert_null(kv);
    assert_non_null(strstr(error, *state));
    free(error);
}

static void test_batch(void **state)
{
    struct kv *kv = open_kv(*state, true);
    struct kv_batch *b = kv_batch_new(kv);
    size_t empty = kv_batch_size(b);
    char big[300];

    memset(big, 'x', sizeof(big));
    big[299] = 0;
    put(kv, "gone", "soon");
    kv_batch_put(b, "k1", 2, "first", 5);
    assert_int_equal(kv_batch_size(b), empty + 1 + 1 + 2 + 1 + 5);
    kv_batch_put(b, "k1", 2, "second", 6);
    kv_batch_put(b, "big", 3, big, 299);
    kv_batch_delete(b, "gone", 4);
    expect(kv, "k1", NULL);
    expect(kv, "gone", "soon");
    assert_int_equal(kv_batch_write(b, true), RC_OK);
    assert_int_equal(kv_batch_size(b), empty);
    expect(kv, "k1", "second");
    expect(kv, "big", big);
    expect(kv, "gone", NULL);
    put(kv, "k1", "third");
    assert_int_equal(kv_batch_write(b, false), RC_OK); /* empty by now: changes nothing */
    expect(kv, "k1", "third");
    kv_batch_free(b);
    kv_close(kv);
}

static void expect_entry(struct kv_iter *it, const char *key, const char *value)
{
    struct reader k, v;

    assert_true(kv_iter_valid(it));
    k = kv_iter_key(it);
    v = kv_iter_value(it);
    assert_int_equal(reader_left(&k), strlen(key));
    assert_memory_equal(k.pos, key, strlen(key));
    assert_int_equal(reader_left(&v), strlen(value));
    assert_memory_equal(v.pos, value, strlen(value));
}

static void test_iterator(void **state)
{
    struct kv *kv = open_kv(*state, false);
    struct kv_iter *it, *empty = kv_iter_new(kv);

    put(kv, "b", "2");
    put(kv, "d", "4");
    put(kv, "a", "1");
    it = kv_iter_new(kv);
    put(kv, "c", "3"); /* behind the snapshot */
    assert_int_equal(kv_delete(kv, "d", 1, false), RC_OK);
    put(kv, "a", "changed");

    assert_false(kv_iter_valid(it));
    kv_iter_seek(it, "", 0);
    expect_entry(it, "a", "1");
    kv_iter_next(it);
    expect_entry(it, "b", "2");
    kv_iter_next(it);
    expect_entry(it, "d", "4");
    kv_iter_next(it);
    assert_false(kv_iter_valid(it));
    assert_int_equal(kv_iter_status(it), RC_OK);
    kv_iter_seek(it, "bb", 2);
    expect_entry(it, "d", "4");
    kv_iter_seek(empty, "", 0);
    assert_false(kv_iter_valid(empty));
    kv_iter_free(it);
    kv_iter_free(empty);
    kv_close(kv);
}

static void test_wipe(void **state)
{
    const struct kv_options wipe = {.cache_bytes = 1 << 20, .wipe = true, .obfuscate = true};
    struct kv *kv = open_kv(*state, false);
    char *error;

    put(kv, "a", "1");
    kv_close(kv);
    assert_int_equal(kv_open(&kv, *state, &wipe, &error), RC_OK);
    expect(kv, "a", NULL);
    put(kv, "b", "2");
    kv_close(kv);
    kv = open_kv(*state, false);
    expect(kv, "b", "2");
    kv_close(kv);
}

static void test_open_failures(void **state)
{
    const struct kv_options o = {.cache_bytes = 1 << 20};
    char *dir = fs_join(*state, "db"), *in_file = fs_join(*state, "file/db"), *file = fs_join(*state, "file");
    char *current = fs_join(dir, "CURRENT"), *error;
    struct kv *kv = open_kv(dir, false), *second;

    assert_int_equal(kv_open(&second, dir, &o, &error), RC_IO); /* locked */
    assert_null(second);
    assert_non_null(strstr(error, dir));
    free(error);
    kv_close(kv);

    write_file(file, "x", 1);
    assert_int_equal(kv_open(&kv, in_file, &o, &error), RC_IO);
    assert_non_null(strstr(error, in_file));
    free(error);

    write_file(current, "MANIFEST-999999\n", 16);
    assert_int_equal(kv_open(&kv, dir, &o, &error), RC_CORRUPT);
    assert_non_null(strstr(error, "LevelDB error: Corruption: CURRENT points to a non-existent file"));
    assert_string_equal(kv_last_error(), error);
    free(error);
    free(dir);
    free(file);
    free(in_file);
    free(current);
}

/* The name of the largest table in a folder, to free. */
static char *largest_table(const char *dir)
{
    DIR *d = opendir(dir);
    struct dirent *e;
    char *best = NULL;

    assert_non_null(d);
    while ((e = readdir(d))) {
        size_t n = strlen(e->d_name);
        char *path = fs_join(dir, e->d_name);
        if (n > 4 && strcmp(e->d_name + n - 4, ".ldb") == 0 && (!best || file_size(path) > file_size(best))) {
            free(best);
            best = path;
        } else {
            free(path);
        }
    }
    closedir(d);
    assert_non_null(best);
    return best;
}

/* A damaged table is noticed wherever it is read; what is read at all is right. */
static void test_damaged_table(void **state)
{
    struct kv *kv = open_kv(*state, true);
    struct kv_iter *it;
    unsigned corrupt = 0, good = 0;
    char key[16], value[64], *table;

    for (int i = 0; i < 5000; i++) {
        snprintf(key, sizeof(key), "key%05d", i);
        snprintf(value, sizeof(value), "value of the entry with number %d", i);
        put(kv, key, value);
    }
    kv_compact(kv);
    kv_close(kv);
    table = largest_table(*state);
    damage_byte(table, file_size(table) / 2);
    free(table);

    kv = open_kv(*state, true);
    for (int i = 0; i < 5000; i++) {
        uint8_t *got;
        size_t len;
        enum rc rc;
        snprintf(key, sizeof(key), "key%05d", i);
        snprintf(value, sizeof(value), "value of the entry with number %d", i);
        rc = kv_get(kv, key, strlen(key), &got, &len);
        if (rc == RC_OK) {
            assert_int_equal(len, strlen(value));
            assert_memory_equal(got, value, len);
            free(got);
            good++;
        } else {
            assert_int_equal(rc, RC_CORRUPT);
            assert_non_null(strstr(kv_last_error(), "Corruption"));
            corrupt++;
        }
    }
    assert_true(corrupt > 0);
    assert_true(good > 4000);

    it = kv_iter_new(kv);
    for (kv_iter_seek(it, "", 0); kv_iter_valid(it); kv_iter_next(it))
        ;
    assert_int_equal(kv_iter_status(it), RC_CORRUPT);
    kv_iter_free(it);
    kv_close(kv);
}

struct reading {
    struct kv *kv;
    bool failed;
};

static void *read_all(void *arg)
{
    struct reading *r = arg;

    for (int i = 0; i < 2000; i++) {
        char key[16];
        uint8_t *got;
        size_t len;
        snprintf(key, sizeof(key), "k%d", i);
        if (kv_get(r->kv, key, strlen(key), &got, &len) != RC_OK || len != strlen(key) || memcmp(got, key, len) != 0)
            r->failed = true;
        free(got);
    }
    return NULL;
}

static void test_threads(void **state)
{
    struct kv *kv = open_kv(*state, true);
    struct reading r[2] = {{kv, false}, {kv, false}};
    pthread_t t[2];
    char key[16];

    for (int i = 0; i < 2000; i++) {
        snprintf(key, sizeof(key), "k%d", i);
        put(kv, key, key);
    }
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&t[i], NULL, read_all, &r[i]), 0);
    for (int i = 0; i < 2000; i++) {
        snprintf(key, sizeof(key), "w%d", i);
        put(kv, key, key);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(t[i], NULL);
        assert_false(r[i].failed);
    }
    kv_close(kv);
}

static void test_approximate_size(void **state)
{
    struct kv *kv = open_kv(*state, true);
    char key[16], value[1000];

    memset(value, 'v', sizeof(value));
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof(key), "C%04d", i);
        assert_int_equal(kv_put(kv, key, 5, value, sizeof(value), false), RC_OK);
    }
    kv_compact(kv);
    assert_in_range(kv_approximate_size(kv, "C", 1, "D", 1), 900000, 1200000);
    assert_in_range(kv_approximate_size(kv, "C", 1, "C0500", 5), 400000, 600000);
    assert_int_equal(kv_approximate_size(kv, "D", 1, "E", 1), 0);
    kv_close(kv);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, tempdir_setup, tempdir_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_obfuscate),
        TEST(test_basic),
        TEST(test_obfuscation_on_disk),
        TEST(test_no_late_obfuscation),
        TEST(test_malformed_key),
        TEST(test_batch),
        TEST(test_iterator),
        TEST(test_wipe),
        TEST(test_open_failures),
        TEST(test_damaged_table),
        TEST(test_threads),
        TEST(test_approximate_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
