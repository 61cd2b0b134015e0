/* test_blockfiles.c - block and undo files: bytes on disk, switching, finalising, and every way a read can fail. */
#include "storage/blockfiles.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "crypto/sha256.h"
#include "tempdir.h"
#include "util/bytes.h"
#include "util/obfuscate.h"

static const uint8_t magic[4] = {0xfa, 0xbf, 0xb5, 0xda};
static const struct block_hash prev_hash = {{1, 2, 3}};

static struct blockfiles *open_bf(const char *dir, bool use_xor, bool fast)
{
    struct blockfiles_options o = {.dir = dir, .use_xor = use_xor, .fast_prune = fast};
    struct blockfiles *bf;
    char *error;

    memcpy(o.magic, magic, 4);
    assert_int_equal(blockfiles_open(&bf, &o, &error), RC_OK);
    assert_null(error);
    return bf;
}

/* Opening must fail so, with a text that names the folder. */
static void expect_refused(const char *dir, bool use_xor, enum rc want, const char *text)
{
    struct blockfiles_options o = {.dir = dir, .use_xor = use_xor};
    struct blockfiles *bf;
    char *error;

    assert_int_equal(blockfiles_open(&bf, &o, &error), want);
    assert_null(bf);
    assert_non_null(strstr(error, text));
    assert_non_null(strstr(error, dir));
    free(error);
}

static char *path_of(const char *dir, const char *name)
{
    return fs_join(dir, name);
}

static uint64_t size_of(const char *dir, const char *name)
{
    char *path = path_of(dir, name);
    uint64_t size = file_size(path);

    free(path);
    return size;
}

/* Content that tells its seed and place. */
static uint8_t *sample(size_t len, unsigned seed)
{
    uint8_t *data = xmalloc(len);

    for (size_t i = 0; i < len; i++)
        data[i] = (uint8_t)(i * 31 + (i >> 8) * 7 + seed * 101);
    return data;
}

static struct disk_pos append(struct blockfiles *bf, size_t len, unsigned seed, uint32_t height)
{
    uint8_t *data = sample(len, seed);
    struct disk_pos pos;

    assert_int_equal(blockfiles_append(bf, &pos, data, len, height, 1000 + height), RC_OK);
    free(data);
    return pos;
}

static void expect_block(struct blockfiles *bf, struct disk_pos pos, size_t len, unsigned seed)
{
    uint8_t *want = sample(len, seed), *got;
    size_t got_len;

    assert_int_equal(blockfiles_read(bf, &got, &got_len, pos), RC_OK);
    assert_int_equal(got_len, len);
    assert_memory_equal(got, want, len);
    free(got);
    free(want);
}

static uint32_t append_undo(struct blockfiles *bf, int32_t file, size_t len, unsigned seed, uint32_t height)
{
    uint8_t *data = sample(len, seed);
    uint32_t pos;

    assert_int_equal(blockfiles_append_undo(bf, &pos, file, data, len, &prev_hash, height), RC_OK);
    free(data);
    return pos;
}

static void expect_undo(struct blockfiles *bf, int32_t file, uint32_t pos, size_t len, unsigned seed)
{
    uint8_t *want = sample(len, seed), *got;
    size_t got_len;

    assert_int_equal(blockfiles_read_undo(bf, &got, &got_len, file, pos, &prev_hash), RC_OK);
    assert_int_equal(got_len, len);
    assert_memory_equal(got, want, len);
    free(got);
    free(want);
}

static void expect_read_fails(struct blockfiles *bf, int32_t file, uint32_t pos, enum rc want)
{
    struct disk_pos p = {file, pos};
    uint8_t *data;
    size_t len;

    assert_int_equal(blockfiles_read(bf, &data, &len, p), want);
    assert_null(data);
    assert_string_not_equal(blockfiles_last_error(), "");
}

static void expect_undo_fails(struct blockfiles *bf, int32_t file, uint32_t pos, const struct block_hash *prev, enum rc want)
{
    uint8_t *data;
    size_t len;

    assert_int_equal(blockfiles_read_undo(bf, &data, &len, file, pos, prev), want);
    assert_null(data);
}

/* A whole file in the clear. */
static uint8_t *reveal(const char *dir, const char *name, size_t *len)
{
    char *path = path_of(dir, name), *key_path = path_of(dir, "xor.dat");
    uint8_t *data, *key;
    size_t key_len;

    assert_int_equal(fs_read(path, 1 << 28, &data, len), RC_OK);
    assert_int_equal(fs_read(key_path, 100, &key, &key_len), RC_OK);
    assert_int_equal(key_len, 8);
    for (size_t i = 0; i < *len; i++)
        data[i] ^= key[i % 8];
    free(key);
    free(path);
    free(key_path);
    return data;
}

static void check_format(const char *dir, bool use_xor)
{
    struct blockfiles *bf = open_bf(dir, use_xor, false);
    struct disk_pos a = append(bf, 1001, 1, 0), b = append(bf, 300, 2, 1);
    uint32_t u = append_undo(bf, 0, 77, 3, 1);
    uint8_t *one = sample(1001, 1), *two = sample(300, 2), *undo = sample(77, 3), *file, sum[32], *raw;
    struct writer hashed = WRITER_INIT;
    size_t len;
    char *path = path_of(dir, "blk00000.dat");

    assert_int_equal(a.file, 0);
    assert_int_equal(a.pos, 8);
    assert_int_equal(b.pos, 8 + 1001 + 8);
    assert_int_equal(u, 8);
    assert_int_equal(file_size(path), 16 << 20);
    assert_int_equal(size_of(dir, "rev00000.dat"), 1 << 20);
    expect_block(bf, a, 1001, 1);
    expect_block(bf, b, 300, 2);
    expect_undo(bf, 0, u, 77, 3);
    assert_int_equal(blockfiles_disk_size(bf), 1001 + 300 + 16 + 77 + 40);
    blockfiles_close(bf);

    file = reveal(dir, "blk00000.dat", &len);
    assert_int_equal(len, 1001 + 300 + 16);
    assert_memory_equal(file, "\xfa\xbf\xb5\xda\xe9\x03\0\0", 8);
    assert_memory_equal(file + 8, one, 1001);
    assert_memory_equal(file + 1009, "\xfa\xbf\xb5\xda\x2c\x01\0\0", 8);
    assert_memory_equal(file + 1017, two, 300);
    assert_int_equal(fs_read(path, 1 << 20, &raw, &len), RC_OK);
    assert_int_equal(memcmp(raw, file, len) != 0, use_xor);
    free(raw);
    free(file);
    file = reveal(dir, "rev00000.dat", &len);
    assert_int_equal(len, 77 + 40);
    assert_memory_equal(file, "\xfa\xbf\xb5\xda\x4d\0\0\0", 8);
    assert_memory_equal(file + 8, undo, 77);
    write_bytes(&hashed, prev_hash.b, 32);
    write_bytes(&hashed, undo, 77);
    sha256d(sum, hashed.data, hashed.len);
    assert_memory_equal(file + 8 + 77, sum, 32);
    writer_clear(&hashed);
    free(file);
    free(one);
    free(two);
    free(undo);
    free(path);
}

static void test_format(void **state)
{
    char *with = fs_join(*state, "with"), *without = fs_join(*state, "without");

    check_format(with, true);
    check_format(without, false);
    free(with);
    free(without);
}

static void test_key_rules(void **state)
{
    static const uint8_t zero[8];
    char *fresh = fs_join(*state, "fresh"), *used = fs_join(*state, "used"), *path;
    struct blockfiles *bf;
    uint8_t *key;
    size_t len;

    /* Hidden files do not make a folder used. */
    assert_int_equal(fs_mkdirs(fresh), RC_OK);
    path = path_of(fresh, ".lock");
    write_file(path, "", 0);
    free(path);
    blockfiles_close(open_bf(fresh, true, false));
    path = path_of(fresh, "xor.dat");
    assert_int_equal(fs_read(path, 100, &key, &len), RC_OK);
    assert_int_equal(len, 8);
    assert_memory_not_equal(key, zero, 8);
    free(key);
    expect_refused(fresh, false, RC_INVALID, "The blocksdir XOR-key can not be disabled when a random key was already stored!");
    write_file(path, "short", 5);
    expect_refused(fresh, true, RC_CORRUPT, "xor.dat");
    free(path);

    /* A folder with plain files in it stays plain. */
    assert_int_equal(fs_mkdirs(used), RC_OK);
    path = path_of(used, "blk00000.dat");
    write_file(path, "x", 1);
    free(path);
    bf = open_bf(used, true, false);
    blockfiles_close(bf);
    path = path_of(used, "xor.dat");
    assert_int_equal(fs_read(path, 100, &key, &len), RC_OK);
    assert_int_equal(len, 8);
    assert_memory_equal(key, zero, 8);
    free(key);
    free(path);
    blockfiles_close(open_bf(used, false, false));

    path = fs_join(used, "xor.dat/below");
    expect_refused(path, true, RC_IO, "Cannot make folder");
    free(path);
    free(fresh);
    free(used);
}

static void test_switching(void **state)
{
    struct blockfiles *bf = open_bf(*state, true, true);
    struct disk_pos pos[8];
    struct blockfile_info info;

    for (unsigned i = 0; i < 4; i++)
        pos[i] = append(bf, 20000, i, 10 - i);
    assert_int_equal(pos[2].file, 0);
    assert_int_equal(pos[3].file, 1); /* 80,032 bytes would be too many */
    assert_int_equal(pos[3].pos, 8);
    assert_int_equal(size_of(*state, "blk00000.dat"), 3 * 20008);
    assert_int_equal(size_of(*state, "blk00001.dat"), 32 << 10);
    info = blockfiles_info(bf, 0);
    assert_int_equal(info.n_blocks, 3);
    assert_int_equal(info.size, 3 * 20008);
    assert_int_equal(info.height_first, 8);
    assert_int_equal(info.height_last, 10);
    assert_int_equal(info.time_first, 1008);
    assert_int_equal(info.time_last, 1010);
    pos[4] = append(bf, 70000, 4, 11); /* longer than a file: has one for itself */
    assert_int_equal(pos[4].file, 2);
    pos[5] = append(bf, 100, 5, 12);
    assert_int_equal(pos[5].file, 3);
    /* One byte below the limit is the fullest that a file gets. */
    pos[6] = append(bf, 65536 - 108 - 8 - 1, 6, 13);
    assert_int_equal(pos[6].file, 3);
    pos[7] = append(bf, 80, 7, 14);
    assert_int_equal(pos[7].file, 4);
    assert_int_equal(blockfiles_count(bf), 5);
    assert_int_equal(blockfiles_last(bf), 4);
    for (unsigned i = 0; i < 4; i++)
        expect_block(bf, pos[i], 20000, i);
    expect_block(bf, pos[4], 70000, 4);
    blockfiles_close(bf);
}

static void test_limit_of_real_files(void **state)
{
    struct blockfiles *bf = open_bf(*state, true, false);
    struct blockfile_info info = {.n_blocks = 1, .size = BLOCKFILE_MAX - 1000};
    struct disk_pos pos;
    uint8_t byte = 0;

    blockfiles_restore(bf, &info, 1, 0);
    pos = append(bf, 991, 1, 5); /* ends one byte below 128 MiB */
    assert_int_equal(pos.file, 0);
    assert_int_equal(pos.pos, BLOCKFILE_MAX - 1000 + 8);
    pos = append(bf, 10, 2, 6);
    assert_int_equal(pos.file, 1);
    assert_int_equal(blockfiles_append(bf, &pos, &byte, BLOCKFILE_MAX - 8, 7, 7), RC_INVALID);
    blockfiles_close(bf);
}

/* Undo records that keep up with the blocks end a rev file together with its blk file; late ones end it with the last. */
static void test_undo_finalising(void **state)
{
    struct blockfiles *bf = open_bf(*state, true, true);

    for (unsigned h = 1; h <= 3; h++) {
        append(bf, 20000, h, h);
        append_undo(bf, 0, 50, h, h);
    }
    assert_int_equal(size_of(*state, "rev00000.dat"), 1 << 20);
    append(bf, 20000, 4, 4);
    assert_int_equal(size_of(*state, "rev00000.dat"), 3 * 90);

    append(bf, 20000, 5, 5);
    append(bf, 20000, 6, 6);
    append_undo(bf, 1, 50, 4, 4);
    append(bf, 20000, 7, 7); /* into file 2; heights 5 and 6 have no undo record yet */
    assert_int_equal(size_of(*state, "rev00001.dat"), 1 << 20);
    append_undo(bf, 1, 50, 5, 5);
    assert_int_equal(size_of(*state, "rev00001.dat"), 1 << 20);
    append_undo(bf, 1, 50, 6, 6);
    assert_int_equal(size_of(*state, "rev00001.dat"), 3 * 90);
    expect_undo(bf, 1, 8 + 2 * 90, 50, 6);
    expect_undo(bf, 0, 8, 50, 1);
    blockfiles_close(bf);
}

static void test_flush_trims(void **state)
{
    struct blockfiles *bf = open_bf(*state, true, false);
    struct disk_pos pos = append(bf, 500, 1, 1);

    append_undo(bf, 0, 20, 2, 1);
    assert_int_equal(blockfiles_flush(bf, false), RC_OK);
    assert_int_equal(size_of(*state, "blk00000.dat"), 16 << 20);
    assert_int_equal(blockfiles_flush(bf, true), RC_OK);
    assert_int_equal(size_of(*state, "blk00000.dat"), 508);
    assert_int_equal(size_of(*state, "rev00000.dat"), 60);
    expect_block(bf, pos, 500, 1);
    pos = append(bf, 600, 2, 2);
    assert_int_equal(pos.pos, 508 + 8);
    blockfiles_close(bf);
    assert_int_equal(size_of(*state, "blk00000.dat"), 508 + 608);
}

/* A second run goes on where the statistics say, and leaves the rest of the file alone until it writes there. */
static void test_restore(void **state)
{
    struct blockfiles *bf = open_bf(*state, true, true);
    struct disk_pos first = append(bf, 20000, 1, 1), pos;
    struct blockfile_info info[2] = {{0}};

    append(bf, 20000, 2, 2);
    info[0] = blockfiles_info(bf, 0);
    append(bf, 20000, 3, 3); /* the database never heard of this one */
    blockfiles_close(bf);

    bf = open_bf(*state, true, true);
    blockfiles_restore(bf, info, 1, 0);
    blockfiles_close(bf);
    assert_int_equal(size_of(*state, "blk00000.dat"), 3 * 20008);
    bf = open_bf(*state, true, true);
    blockfiles_restore(bf, info, 1, 0);
    pos = append(bf, 1000, 4, 3);
    assert_int_equal(pos.pos, 2 * 20008 + 8);
    expect_block(bf, first, 20000, 1);
    expect_block(bf, pos, 1000, 4);
    pos = append(bf, 64000, 5, 4); /* leaves file 0, whose stale rest goes */
    assert_int_equal(pos.file, 1);
    assert_int_equal(size_of(*state, "blk00000.dat"), 2 * 20008 + 1008);
    blockfiles_close(bf);
}

/* Whose index is lost begins at the front again, with the same first block: what stands behind it is for a reindex to find. */
static void test_lost_statistics(void **state)
{
    struct blockfiles *bf = open_bf(*state, true, false);
    struct disk_pos pos;

    append(bf, 300, 1, 0);
    pos = append(bf, 20000, 2, 1);
    blockfiles_close(bf);
    assert_int_equal(size_of(*state, "blk00000.dat"), 308 + 20008);

    bf = open_bf(*state, true, false);
    append(bf, 300, 1, 0);
    assert_int_equal(blockfiles_flush(bf, true), RC_OK);
    blockfiles_close(bf);
    assert_true(size_of(*state, "blk00000.dat") >= 308 + 20008);
    bf = open_bf(*state, true, false);
    expect_block(bf, pos, 20000, 2);
    blockfiles_close(bf);
}

static void test_note(void **state)
{
    struct blockfiles *bf = open_bf(*state, true, false);
    struct disk_pos pos = {2, 5008};

    blockfiles_note(bf, pos, 1000, 40, 4000);
    pos.pos = 8;
    blockfiles_note(bf, pos, 1000, 50, 3000);
    assert_int_equal(blockfiles_count(bf), 3);
    assert_int_equal(blockfiles_last(bf), 2);
    assert_int_equal(blockfiles_info(bf, 2).size, 6008);
    assert_int_equal(blockfiles_info(bf, 2).n_blocks, 2);
    assert_int_equal(blockfiles_info(bf, 2).height_first, 40);
    assert_int_equal(blockfiles_info(bf, 2).time_first, 3000);
    assert_int_equal(blockfiles_info(bf, 9).n_blocks, 0);
    pos = append(bf, 10, 1, 51);
    assert_int_equal(pos.file, 2);
    assert_int_equal(pos.pos, 6016);
    blockfiles_close(bf);
}

static void test_bad_blocks(void **state)
{
    struct blockfiles *bf = open_bf(*state, true, false);
    struct disk_pos a = append(bf, 1000, 1, 1), b = append(bf, 1000, 2, 2);
    char *path = path_of(*state, "blk00000.dat");
    uint8_t big[4];
    int fd;

    expect_read_fails(bf, 0, a.pos + 1, RC_CORRUPT); /* no magic in front */
    assert_non_null(strstr(blockfiles_last_error(), path));
    expect_read_fails(bf, 0, 7, RC_INVALID);
    expect_read_fails(bf, -1, 8, RC_INVALID);
    expect_read_fails(bf, 1, 8, RC_NOT_FOUND);
    expect_read_fails(bf, 0, 0xfffffff0, RC_CORRUPT);
    assert_int_equal(blockfiles_flush(bf, true), RC_OK);
    assert_int_equal(truncate(path, b.pos + 999), 0);
    expect_read_fails(bf, 0, b.pos, RC_CORRUPT);
    expect_block(bf, a, 1000, 1);
    assert_int_equal(truncate(path, b.pos - 5), 0);
    expect_read_fails(bf, 0, b.pos, RC_CORRUPT);
    /* A length that only says that much. */
    fd = open(path, O_RDWR);
    assert_int_equal(fs_pread(fd, big, 4, 4), RC_OK);
    big[3] ^= 0x01;
    assert_int_equal(fs_pwrite(fd, big, 4, 4), RC_OK);
    close(fd);
    expect_read_fails(bf, 0, a.pos, RC_CORRUPT);
    blockfiles_close(bf);
    free(path);
}

static void test_bad_undo(void **state)
{
    struct blockfiles *bf = open_bf(*state, true, false);
    const struct block_hash other = {{9}};
    char *path = path_of(*state, "rev00000.dat");
    uint32_t a, b, c;

    append(bf, 100, 1, 1);
    a = append_undo(bf, 0, 200, 1, 1);
    b = append_undo(bf, 0, 0, 2, 1); /* only its checksum */
    c = append_undo(bf, 0, 1, 3, 1);
    expect_undo(bf, 0, b, 0, 2);
    expect_undo_fails(bf, 0, a, &other, RC_CORRUPT);
    assert_non_null(strstr(blockfiles_last_error(), "Checksum mismatch"));
    damage_byte(path, a + 150);
    expect_undo_fails(bf, 0, a, &prev_hash, RC_CORRUPT);
    damage_byte(path, a + 150);
    expect_undo(bf, 0, a, 200, 1);
    damage_byte(path, a + 200 + 31); /* in the checksum itself */
    expect_undo_fails(bf, 0, a, &prev_hash, RC_CORRUPT);
    expect_undo(bf, 0, c, 1, 3);
    expect_undo_fails(bf, 0, c + 1, &prev_hash, RC_CORRUPT);
    expect_undo_fails(bf, 3, 8, &prev_hash, RC_NOT_FOUND);
    assert_int_equal(truncate(path, c + 1 + 31), 0);
    expect_undo_fails(bf, 0, c, &prev_hash, RC_CORRUPT);
    assert_int_equal(blockfiles_append_undo(bf, &a, 7, "x", 1, &prev_hash, 1), RC_INVALID);
    assert_int_equal(blockfiles_append_undo(bf, &a, -1, "x", 1, &prev_hash, 1), RC_INVALID);
    blockfiles_close(bf);
    free(path);
}

static void test_read_part(void **state)
{
    struct blockfiles *bf = open_bf(*state, true, false);
    struct disk_pos pos;
    uint8_t *want = sample(1000, 2), out[1000];

    append(bf, 333, 1, 1);
    pos = append(bf, 1000, 2, 2);
    assert_int_equal(blockfiles_read_part(bf, out, pos, 0, 1000), RC_OK);
    assert_memory_equal(out, want, 1000);
    assert_int_equal(blockfiles_read_part(bf, out, pos, 517, 83), RC_OK);
    assert_memory_equal(out, want + 517, 83);
    assert_int_equal(blockfiles_read_part(bf, out, pos, 999, 1), RC_OK);
    assert_int_equal(out[0], want[999]);
    assert_int_equal(blockfiles_read_part(bf, out, pos, 999, 2), RC_INVALID);
    assert_int_equal(blockfiles_read_part(bf, out, pos, 5, 0), RC_INVALID);
    assert_int_equal(blockfiles_read_part(bf, out, pos, 0xffffffff, 0xffffffff), RC_INVALID);
    free(want);
    blockfiles_close(bf);
}

/* Blocks of several pieces. What the system has dropped from memory is not read; a file system that is nothing but memory never drops it. */
static void test_read_cached(void **state)
{
    struct blockfiles *bf = open_bf(*state, true, false);
    char *path = path_of(*state, "blk00000.dat");
    const size_t size = 300000;
    struct disk_pos pos;
    uint8_t *want = sample(size, 2), *out = xmalloc(size), *data;
    size_t len;
    enum rc rc;
    int fd;

    append(bf, 333, 1, 1);
    pos = append(bf, size, 2, 2);
    rc = blockfiles_read_cached(bf, out, &len, size, pos);
    if (rc == RC_OK) { /* it was written just now */
        assert_int_equal(len, size);
        assert_memory_equal(out, want, size);
    } else {
        assert_int_equal(rc, RC_BUSY);
    }
    assert_int_equal(blockfiles_read_cached(bf, out, &len, size - 1, pos), RC_INVALID);
    assert_int_equal(len, 0);
    assert_int_equal(blockfiles_flush(bf, false), RC_OK);
    fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    close(fd);
    rc = blockfiles_read_cached(bf, out, &len, size, pos);
    assert_true(rc == RC_BUSY || (rc == RC_OK && len == size));
    assert_int_equal(blockfiles_read(bf, &data, &len, pos), RC_OK); /* which fetches it */
    free(data);
    memset(out, 0, size);
    rc = blockfiles_read_cached(bf, out, &len, size, pos);
    assert_true(rc == RC_BUSY || (rc == RC_OK && len == size && memcmp(out, want, size) == 0));
    pos.file = 5;
    assert_int_equal(blockfiles_read_cached(bf, out, &len, size, pos), RC_NOT_FOUND);
    pos.file = -1;
    assert_int_equal(blockfiles_read_cached(bf, out, &len, size, pos), RC_INVALID);
    free(path);
    free(out);
    free(want);
    blockfiles_close(bf);
}

static void count_dirty(void *ctx, unsigned file, const struct blockfile_info *info)
{
    unsigned *seen = ctx;

    assert_in_range(file, 0, 2);
    seen[file] += 1 + info->n_blocks * 10;
}

static void test_dirty_and_delete(void **state)
{
    struct blockfiles *bf = open_bf(*state, true, true);
    unsigned seen[3] = {0};
    struct disk_pos pos = append(bf, 40000, 1, 1);

    append(bf, 40000, 2, 2);
    append_undo(bf, 0, 10, 1, 1);
    blockfiles_each_dirty(bf, count_dirty, seen);
    assert_int_equal(seen[0], 11);
    assert_int_equal(seen[1], 11);
    blockfiles_each_dirty(bf, count_dirty, seen);
    assert_int_equal(seen[0], 11);

    blockfiles_forget(bf, 0);
    assert_true(blockfiles_exists(bf, 0, false));
    assert_int_equal(blockfiles_info(bf, 0).size, 0);
    assert_int_equal(blockfiles_disk_size(bf), 40008);
    blockfiles_each_dirty(bf, count_dirty, seen);
    assert_int_equal(seen[0], 12);
    assert_true(blockfiles_exists(bf, 0, true));
    assert_int_equal(blockfiles_delete(bf, 0), RC_OK);
    assert_false(blockfiles_exists(bf, 0, false));
    assert_false(blockfiles_exists(bf, 0, true));
    assert_int_equal(blockfiles_delete(bf, 0), RC_OK);
    blockfiles_each_dirty(bf, count_dirty, seen);
    assert_int_equal(seen[0], 12); /* told already */
    expect_read_fails(bf, 0, pos.pos, RC_NOT_FOUND);
    assert_int_equal(blockfiles_flush(bf, true), RC_OK);
    blockfiles_close(bf);
}

static void test_clean_for_reindex(void **state)
{
    static const char *const names[] = {"blk00000.dat", "blk00001.dat", "blk00003.dat", "rev00000.dat",
                                        "rev00001.dat", "blk0000x.dat", "other.dat",    "blk00004.dat.bak"};
    static const bool stays[] = {true, true, false, false, false, true, true, true};
    struct blockfiles *bf = open_bf(*state, true, false);

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char *path = path_of(*state, names[i]);
        write_file(path, "x", 1);
        free(path);
    }
    assert_int_equal(blockfiles_clean_for_reindex(bf), RC_OK);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char *path = path_of(*state, names[i]);
        assert_int_equal(fs_exists(path), stays[i]);
        free(path);
    }
    blockfiles_close(bf);
}

struct reading {
    struct blockfiles *bf;
    struct disk_pos pos;
    bool failed;
};

static void *read_often(void *arg)
{
    struct reading *r = arg;
    uint64_t size = 0;

    for (unsigned i = 0; i < 300; i++) {
        uint64_t now = blockfiles_disk_size(r->bf);
        uint8_t *data, part[10];
        size_t len;
        if (blockfiles_read(r->bf, &data, &len, r->pos) != RC_OK || len != 5000)
            r->failed = true;
        free(data);
        if (blockfiles_read_part(r->bf, part, r->pos, 4990, 10) != RC_OK || now < size)
            r->failed = true;
        if (blockfiles_info(r->bf, 0).n_blocks == 0 || blockfiles_count(r->bf) == 0)
            r->failed = true;
        size = now;
    }
    return NULL;
}

/* Other threads read blocks and statistics while this one writes. */
static void test_threads(void **state)
{
    struct blockfiles *bf = open_bf(*state, true, true);
    struct reading r[2] = {{.bf = bf, .pos = append(bf, 5000, 1, 1)}, {.bf = bf, .pos = append(bf, 5000, 2, 2)}};
    pthread_t t[2];

    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&t[i], NULL, read_often, &r[i]), 0);
    for (unsigned i = 3; i < 300; i++) {
        struct disk_pos pos = append(bf, 5000, i, i);
        append_undo(bf, pos.file, 100, i, i);
    }
    assert_int_equal(blockfiles_flush(bf, false), RC_OK);
    for (unsigned i = 0; i < 2; i++) {
        pthread_join(t[i], NULL);
        assert_false(r[i].failed);
    }
    blockfiles_close(bf);
}

/* In a process that may not write files over 1 MiB: the failure is told, and nothing is counted. Exit status 0 if right. */
static int append_with_limit(const char *dir)
{
    const struct rlimit limit = {1 << 20, 1 << 20};
    struct blockfiles_options o = {.dir = dir, .use_xor = true};
    struct blockfiles *bf;
    struct disk_pos pos;
    uint8_t *data = sample(5000, 1);
    char *error;

    signal(SIGXFSZ, SIG_IGN);
    if (blockfiles_open(&bf, &o, &error) != RC_OK || setrlimit(RLIMIT_FSIZE, &limit) != 0)
        return 1;
    if (blockfiles_append(bf, &pos, data, 5000, 1, 1) != RC_IO || errno != EFBIG)
        return 2;
    if (!strstr(blockfiles_last_error(), "blk00000.dat: File too large"))
        return 3;
    if (blockfiles_info(bf, 0).n_blocks != 0 || blockfiles_disk_size(bf) != 0)
        return 4;
    free(data);
    blockfiles_close(bf);
    return 0;
}

static void test_write_failure(void **state)
{
    pid_t pid = fork();
    int status;

    assert_true(pid >= 0);
    if (pid == 0)
        _exit(append_with_limit(*state));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, tempdir_setup, tempdir_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_format),
        TEST(test_key_rules),
        TEST(test_switching),
        TEST(test_limit_of_real_files),
        TEST(test_undo_finalising),
        TEST(test_flush_trims),
        TEST(test_restore),
        TEST(test_lost_statistics),
        TEST(test_note),
        TEST(test_bad_blocks),
        TEST(test_bad_undo),
        TEST(test_read_part),
        TEST(test_read_cached),
        TEST(test_dirty_and_delete),
        TEST(test_clean_for_reindex),
        TEST(test_threads),
        TEST(test_write_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
