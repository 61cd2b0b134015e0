/* tempdir.h - a folder for one test, and small helpers for files in it. */
#ifndef FARTHING_TEST_TEMPDIR_H
#define FARTHING_TEST_TEMPDIR_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/fs.h"
#include "util/mem.h"

/* cmocka setup and teardown: *state is the path. */
static inline int tempdir_setup(void **state)
{
    const char *base = getenv("TMPDIR");
    char *path = xasprintf("%s/farthing-storage-XXXXXX", base && *base ? base : "/tmp");

    *state = mkdtemp(path);
    return *state ? 0 : -1;
}

static inline int tempdir_teardown(void **state)
{
    enum rc rc = fs_remove_tree(*state);

    free(*state);
    return rc == RC_OK ? 0 : -1;
}

static inline uint64_t file_size(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    return (uint64_t)st.st_size;
}

static inline void write_file(const char *path, const void *data, size_t len)
{
    FILE *f = fopen(path, "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

/* Flips the bits of one byte. */
static inline void damage_byte(const char *path, uint64_t offset)
{
    int fd = open(path, O_RDWR);
    uint8_t b;

    assert_true(fd >= 0);
    assert_int_equal(fs_pread(fd, &b, 1, offset), RC_OK);
    b ^= 0xff;
    assert_int_equal(fs_pwrite(fd, &b, 1, offset), RC_OK);
    close(fd);
}

static inline bool contains(const uint8_t *hay, size_t hay_len, const void *needle, size_t len)
{
    return memmem(hay, hay_len, needle, len) != NULL;
}

#endif
