/* test_flatfiles.c - the sequence of plain files: where records go, what is read back, overwriting, wiping, impossible places. */
#include "storage/flatfiles.h"
#include "tempdir.h"

#define CHUNK 256u
#define MAX 1000u

static struct flatfiles *open_in(const char *dir, bool wipe)
{
    struct flatfiles_options o = {.dir = dir, .prefix = "seq", .max_size = MAX, .chunk = CHUNK, .wipe = wipe};
    struct flatfiles *ff;
    char *error = NULL;

    if (flatfiles_open(&ff, &o, &error) != RC_OK)
        fail_msg("%s", error);
    return ff;
}

static void put(struct flatfiles *ff, struct disk_pos *next, size_t len, int value, int32_t file, uint32_t pos)
{
    uint8_t data[MAX];
    struct disk_pos at;

    memset(data, value, sizeof(data));
    assert_int_equal(flatfiles_append(ff, &at, next, data, len), RC_OK);
    assert_int_equal(at.file, file);
    assert_int_equal(at.pos, pos);
    assert_int_equal(next->file, file);
    assert_int_equal(next->pos, pos + len);
}

static void expect(const struct flatfiles *ff, size_t len, int value, int32_t file, uint32_t pos)
{
    uint8_t data[MAX], want[MAX];
    size_t got;

    memset(want, value, sizeof(want));
    assert_int_equal(flatfiles_read(ff, data, len, &got, (struct disk_pos){file, pos}), RC_OK);
    assert_int_equal(got, len);
    assert_memory_equal(data, want, len);
}

static uint64_t size_of(const char *dir, const char *name)
{
    char *path = fs_join(dir, name);
    uint64_t size = file_size(path);

    free(path);
    return size;
}

static void sequence(void **state)
{
    char *dir = fs_join(*state, "a/b");
    struct flatfiles *ff = open_in(dir, false);
    struct disk_pos next = {0, 0};

    put(ff, &next, 300, 1, 0, 0);
    assert_int_equal(size_of(dir, "seq00000.dat"), 2 * CHUNK); /* ahead in whole pieces */
    put(ff, &next, 600, 2, 0, 300);
    put(ff, &next, 100, 3, 0, 900); /* to the last byte */
    put(ff, &next, 1, 4, 1, 0);
    assert_int_equal(size_of(dir, "seq00000.dat"), MAX);
    put(ff, &next, 1000, 5, 2, 0);
    assert_int_equal(size_of(dir, "seq00001.dat"), 1); /* trimmed when it was left */
    assert_int_equal(flatfiles_sync(ff), RC_OK);
    flatfiles_close(ff);
    ff = open_in(dir, false);
    expect(ff, 300, 1, 0, 0);
    expect(ff, 600, 2, 0, 300);
    expect(ff, 100, 3, 0, 900);
    expect(ff, 1, 4, 1, 0);
    expect(ff, 1000, 5, 2, 0);
    /* a crash took the place back: the records behind it are written anew */
    next = (struct disk_pos){0, 900};
    put(ff, &next, 50, 6, 0, 900);
    put(ff, &next, 200, 7, 1, 0);
    expect(ff, 50, 6, 0, 900);
    expect(ff, 200, 7, 1, 0);
    assert_int_equal(size_of(dir, "seq00000.dat"), 950);
    flatfiles_close(ff);
    free(dir);
}

static void impossible(void **state)
{
    struct flatfiles *ff = open_in(*state, false);
    struct disk_pos next = {0, 0}, at;
    uint8_t data[MAX + 1] = {0};
    size_t got;

    assert_int_equal(flatfiles_append(ff, &at, &next, data, MAX + 1), RC_INVALID);
    assert_int_equal(next.pos, 0);
    next.file = -1;
    assert_int_equal(flatfiles_append(ff, &at, &next, data, 1), RC_INVALID);
    next = (struct disk_pos){0, 0};
    put(ff, &next, 10, 1, 0, 0);
    assert_int_equal(flatfiles_read(ff, data, 1, &got, (struct disk_pos){-1, 0}), RC_INVALID);
    assert_int_equal(flatfiles_read(ff, data, 1, &got, (struct disk_pos){0, MAX + 1}), RC_INVALID);
    assert_int_equal(flatfiles_read(ff, data, 1, &got, (struct disk_pos){1, 0}), RC_NOT_FOUND);
    assert_int_equal(flatfiles_read(ff, data, MAX, &got, (struct disk_pos){0, 100}), RC_OK);
    assert_int_equal(got, CHUNK - 100); /* the end of what is allocated */
    flatfiles_close(ff);
}

static void wiping(void **state)
{
    struct flatfiles *ff = open_in(*state, false);
    struct disk_pos next = {0, 0};
    size_t got;
    uint8_t byte;
    char *other = fs_join(*state, "seq.txt");

    for (int i = 0; i < 3; i++)
        put(ff, &next, 1000, i, i, 0);
    flatfiles_close(ff);
    write_file(other, "x", 1);
    ff = open_in(*state, true);
    for (int i = 0; i < 3; i++)
        assert_int_equal(flatfiles_read(ff, &byte, 1, &got, (struct disk_pos){i, 0}), RC_NOT_FOUND);
    assert_true(fs_exists(other));
    flatfiles_close(ff);
    free(other);
}

static void no_folder(void **state)
{
    char *path = fs_join(*state, "file"), *error = NULL;
    struct flatfiles_options o = {.dir = path, .prefix = "seq", .max_size = MAX, .chunk = CHUNK};
    struct flatfiles *ff;

    write_file(path, "x", 1);
    assert_int_equal(flatfiles_open(&ff, &o, &error), RC_IO);
    assert_null(ff);
    assert_non_null(strstr(error, path));
    free(error);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sequence, tempdir_setup, tempdir_teardown),
        cmocka_unit_test_setup_teardown(impossible, tempdir_setup, tempdir_teardown),
        cmocka_unit_test_setup_teardown(wiping, tempdir_setup, tempdir_teardown),
        cmocka_unit_test_setup_teardown(no_folder, tempdir_setup, tempdir_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
