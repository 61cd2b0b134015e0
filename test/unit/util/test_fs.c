/* test_fs.c - files: whole reads and writes, the atomic replacement, locks between processes, and the outcomes of failures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/fs.h"
#include "util/mem.h"

static char dir[64];

static int setup(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/farthing-fs-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    return fs_remove_tree(dir) == RC_OK ? 0 : -1;
}

static void test_paths(void **state)
{
    char *a = fs_join("x", "y"), *b = fs_join("x/", "y"), *deep = fs_join(dir, "p/q//r"), *file = fs_join(dir, "file");
    struct stat st;

    (void)state;
    assert_string_equal(a, "x/y");
    assert_string_equal(b, "x/y");
    assert_int_equal(fs_mkdirs(deep), RC_OK);
    assert_int_equal(fs_mkdirs(deep), RC_OK);
    assert_true(fs_is_dir(deep) && fs_exists(deep));
    assert_true(stat(deep, &st) == 0 && (st.st_mode & 0777) == 0700);
    assert_int_equal(fs_write_atomic(file, "", 0, 0600), RC_OK);
    assert_true(fs_exists(file) && !fs_is_dir(file));
    free(deep);
    deep = fs_join(file, "sub");
    assert_int_equal(fs_mkdirs(deep), RC_IO);
    assert_int_equal(fs_mkdirs(file), RC_IO);
    assert_true(fs_free_space(dir) > 0 && fs_free_space(dir) != UINT64_MAX);
    assert_true(fs_free_space("/nonexistent") == UINT64_MAX);
    free(a);
    free(b);
    free(deep);
    free(file);
}

static void test_read_write(void **state)
{
    char *file = fs_join(dir, "data"), *tmp = fs_join(dir, "data.new"), *no_dir = fs_join(dir, "none/data");
    uint8_t *data;
    struct stat st;
    size_t len;

    (void)state;
    assert_int_equal(fs_read(file, 100, &data, &len), RC_NOT_FOUND);
    assert_null(data);
    assert_int_equal(fs_write_atomic(file, "hello", 5, 0640), RC_OK);
    assert_int_equal(fs_write_atomic(file, "hello world", 11, 0600), RC_OK);
    assert_false(fs_exists(tmp));
    assert_true(stat(file, &st) == 0 && (st.st_mode & 0777) == 0600);
    assert_int_equal(fs_read(file, 11, &data, &len), RC_OK);
    assert_int_equal(len, 11);
    assert_string_equal((char *)data, "hello world");
    free(data);
    assert_int_equal(fs_read(file, 10, &data, &len), RC_CORRUPT);
    assert_int_equal(fs_read("/proc/self/status", 1 << 20, &data, &len), RC_OK); /* a file whose size says 0 */
    assert_true(len > 100);
    free(data);
    assert_int_equal(fs_read(dir, 100, &data, &len), RC_IO);
    assert_int_equal(fs_write_atomic(no_dir, "x", 1, 0600), RC_IO);
    assert_int_equal(errno, ENOENT);
    free(file);
    free(tmp);
    free(no_dir);
}

/* A failing replacement leaves the old content. */
static void test_atomic_failure(void **state)
{
    char *file = fs_join(dir, "kept"), *blocker = fs_join(dir, "kept.new");
    uint8_t *data;
    size_t len;

    (void)state;
    assert_int_equal(fs_write_atomic(file, "old", 3, 0600), RC_OK);
    assert_int_equal(fs_mkdirs(blocker), RC_OK);
    assert_int_equal(fs_write_atomic(file, "new", 3, 0600), RC_IO);
    assert_int_equal(fs_read(file, 10, &data, &len), RC_OK);
    assert_memory_equal(data, "old", 3);
    free(data);
    free(file);
    free(blocker);
}

static void test_offsets(void **state)
{
    char *file = fs_join(dir, "offsets"), out[8];
    struct stat st;
    int fd = open(file, O_RDWR | O_CREAT, 0600);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(fs_pwrite(fd, "abcdef", 6, 10), RC_OK);
    assert_int_equal(fs_pread(fd, out, 4, 12), RC_OK);
    assert_memory_equal(out, "cdef", 4);
    assert_int_equal(fs_pread(fd, out, 5, 12), RC_CORRUPT);
    assert_int_equal(fs_pread(fd, out, 0, 1000), RC_OK);
    assert_int_equal(fs_preallocate(fd, 16, 4096), RC_OK);
    assert_int_equal(fs_preallocate(fd, 16, 0), RC_OK);
    assert_true(fstat(fd, &st) == 0 && st.st_size == 16 + 4096);
    close(fd);
    assert_int_equal(fs_pread(fd, out, 1, 0), RC_IO);
    assert_int_equal(fs_pwrite(fd, out, 1, 0), RC_IO);
    fd = open(file, O_RDONLY);
    assert_int_equal(fs_pwrite(fd, out, 1, 0), RC_IO);
    close(fd);
    free(file);
}

/* Returns: what another process gets for the lock, asked with the older kind of lock if old. */
static int lock_elsewhere(const char *file, bool old)
{
    struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        int fd;
        if (!old)
            _exit((int)fs_lock(file, &fd));
        fd = open(file, O_RDWR);
        _exit(fcntl(fd, F_SETLK, &fl) == 0 ? RC_OK : RC_BUSY);
    }
    assert_true(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void test_lock(void **state)
{
    char *file = fs_join(dir, ".lock"), *no_dir = fs_join(dir, "none/.lock");
    int fd, second, reader;

    (void)state;
    assert_int_equal(fs_lock(file, &fd), RC_OK);
    assert_int_equal(fs_lock(file, &second), RC_BUSY);
    assert_int_equal(second, -1);
    assert_int_equal(lock_elsewhere(file, false), RC_BUSY);
    assert_int_equal(lock_elsewhere(file, true), RC_BUSY);
    /* closing another descriptor of the file must not give the lock up */
    reader = open(file, O_RDONLY);
    close(reader);
    assert_int_equal(lock_elsewhere(file, true), RC_BUSY);
    close(fd);
    assert_int_equal(lock_elsewhere(file, false), RC_OK);
    assert_int_equal(lock_elsewhere(file, true), RC_OK);
    assert_int_equal(fs_lock(no_dir, &fd), RC_IO);
    free(file);
    free(no_dir);
}

static void test_remove(void **state)
{
    char *top = fs_join(dir, "tree"), *sub = fs_join(top, "a/b"), *file = fs_join(sub, "f"), *link = fs_join(top, "link"),
         *outside = fs_join(dir, "outside");

    (void)state;
    assert_int_equal(fs_remove_tree(top), RC_OK);
    assert_int_equal(fs_mkdirs(sub), RC_OK);
    assert_int_equal(fs_write_atomic(file, "x", 1, 0600), RC_OK);
    assert_int_equal(fs_mkdirs(outside), RC_OK);
    assert_int_equal(symlink(outside, link), 0);
    assert_int_equal(fs_remove_tree(top), RC_OK);
    assert_false(fs_exists(top));
    assert_true(fs_is_dir(outside)); /* links are not followed */
    assert_int_equal(fs_sync_dir(outside), RC_OK);
    assert_int_equal(fs_sync_dir(top), RC_NOT_FOUND);
    free(top);
    free(sub);
    free(file);
    free(link);
    free(outside);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),   cmocka_unit_test(test_read_write), cmocka_unit_test(test_atomic_failure),
        cmocka_unit_test(test_offsets), cmocka_unit_test(test_lock),       cmocka_unit_test(test_remove),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
