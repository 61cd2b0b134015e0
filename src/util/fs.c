/* fs.c - files and folders over POSIX, with outcomes as enum rc and errno kept. Any thread. */
#include "util/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include "util/mem.h"

char *fs_join(const char *dir, const char *name)
{
    size_t n = strlen(dir);
    return xasprintf("%s%s%s", dir, n && dir[n - 1] == '/' ? "" : "/", name);
}

bool fs_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

bool fs_mtime(const char *path, int64_t *seconds)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return false;
    *seconds = st.st_mtime;
    return true;
}

bool fs_same(const char *a, const char *b)
{
    struct stat sa, sb;
    return stat(a, &sa) == 0 && stat(b, &sb) == 0 && sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

bool fs_is_dir(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static enum rc make_dir(const char *path)
{
    if (mkdir(path, 0700) == 0)
        return RC_OK;
    return errno == EEXIST && fs_is_dir(path) ? RC_OK : RC_IO;
}

enum rc fs_mkdirs(const char *path)
{
    char *copy = xstrdup(path);
    enum rc rc = RC_OK;

    for (char *p = copy + (*copy == '/'); rc == RC_OK && (p = strchr(p, '/')); p++) {
        *p = 0;
        /* A parent that is there may be one we could not make (read-only mount): only its absence matters. */
        if (!fs_is_dir(copy))
            rc = make_dir(copy);
        *p = '/';
    }
    if (rc == RC_OK)
        rc = make_dir(copy);
    free(copy);
    return rc;
}

static void close_keep_errno(int fd)
{
    int saved = errno;
    close(fd);
    errno = saved;
}

/* Reads until the end, so that pipes and /proc files (size 0) work too. */
static enum rc read_all(int fd, size_t max, uint8_t **data, size_t *len)
{
    struct stat st;
    size_t cap = 4096, used = 0;
    uint8_t *buf;

    if (fstat(fd, &st) == 0 && st.st_size > 0)
        cap = (uint64_t)st.st_size < max ? (size_t)st.st_size : max;
    buf = xmalloc(cap + 1);
    for (;;) {
        ssize_t n;
        if (used == cap)
            buf = xrealloc(buf, (cap = cap + cap / 2 + 4096) + 1);
        n = read(fd, buf + used, cap - used);
        if (n < 0 && errno == EINTR)
            continue;
        if (n > 0)
            used += (size_t)n;
        if (used > max) {
            errno = EFBIG;
            n = -1;
        }
        if (n < 0) {
            free(buf);
            return errno == EFBIG ? RC_CORRUPT : RC_IO;
        }
        if (n == 0)
            break;
    }
    buf[used] = 0;
    *data = buf;
    *len = used;
    return RC_OK;
}

enum rc fs_read(const char *path, size_t max, uint8_t **data, size_t *len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    enum rc rc;

    *data = NULL;
    *len = 0;
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? RC_NOT_FOUND : RC_IO;
    rc = read_all(fd, max, data, len);
    close_keep_errno(fd);
    return rc;
}

enum rc fs_sync_dir(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum rc rc;

    if (fd < 0)
        return errno == ENOENT ? RC_NOT_FOUND : RC_IO;
    /* Some file systems cannot sync a folder and say EINVAL; nothing is lost there that could be saved. */
    rc = fsync(fd) == 0 || errno == EINVAL ? RC_OK : RC_IO;
    close_keep_errno(fd);
    return rc;
}

static enum rc write_synced(const char *path, const void *data, size_t len, unsigned mode)
{
    int fd;
    enum rc rc;

    /* A file left from a crash goes; a link that somebody put in its place (-rpccookiefile in a shared folder) is not followed. */
    unlink(path);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);
    if (fd < 0)
        return RC_IO;
    /* umask must not narrow what the caller asks for. */
    rc = fchmod(fd, (mode_t)mode) == 0 ? fs_pwrite(fd, data, len, 0) : RC_IO;
    if (rc == RC_OK && fsync(fd) != 0)
        rc = RC_IO;
    if (rc != RC_OK)
        close_keep_errno(fd);
    else if (close(fd) != 0)
        rc = RC_IO;
    return rc;
}

enum rc fs_write_atomic(const char *path, const void *data, size_t len, unsigned mode)
{
    char *tmp = xasprintf("%s.new", path), *dir = xstrdup(path), *slash = strrchr(dir, '/');
    enum rc rc = write_synced(tmp, data, len, mode);

    if (rc == RC_OK && rename(tmp, path) != 0)
        rc = RC_IO;
    if (rc == RC_OK) {
        if (slash)
            slash[slash == dir] = 0;
        rc = fs_sync_dir(slash ? dir : ".");
    } else {
        int saved = errno;
        unlink(tmp);
        errno = saved;
    }
    free(tmp);
    free(dir);
    return rc;
}

enum rc fs_pread(int fd, void *out, size_t len, uint64_t offset)
{
    uint8_t *p = out;

    while (len) {
        ssize_t n = pread(fd, p, len, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return RC_IO;
        if (n == 0) {
            errno = ENODATA;
            return RC_CORRUPT;
        }
        p += n;
        len -= (size_t)n;
        offset += (uint64_t)n;
    }
    return RC_OK;
}

/* A file system of which all is in memory, but for what is swapped out. */
static bool is_in_memory(int fd)
{
    struct statfs st;

    return fstatfs(fd, &st) == 0 && (st.f_type == TMPFS_MAGIC || st.f_type == RAMFS_MAGIC);
}

enum rc fs_pread_cached(int fd, void *out, size_t len, uint64_t offset)
{
    uint8_t *p = out;

    while (len) {
        struct iovec v = {p, len};
        ssize_t n = preadv2(fd, &v, 1, (off_t)offset, RWF_NOWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EOPNOTSUPP && is_in_memory(fd))
            return fs_pread(fd, p, len, offset);
        if (n <= 0)
            return RC_BUSY; /* if something is wrong, reading it in the usual way will tell */
        p += n;
        len -= (size_t)n;
        offset += (uint64_t)n;
    }
    return RC_OK;
}

enum rc fs_pwrite(int fd, const void *data, size_t len, uint64_t offset)
{
    const uint8_t *p = data;

    while (len) {
        ssize_t n = pwrite(fd, p, len, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return RC_IO;
        p += n;
        len -= (size_t)n;
        offset += (uint64_t)n;
    }
    return RC_OK;
}

enum rc fs_preallocate(int fd, uint64_t offset, uint64_t len)
{
    int err;

    if (!len)
        return RC_OK;
    do
        err = posix_fallocate(fd, (off_t)offset, (off_t)len);
    while (err == EINTR);
    errno = err;
    return err ? RC_IO : RC_OK;
}

uint64_t fs_free_space(const char *path)
{
    struct statvfs st;

    if (statvfs(path, &st) != 0)
        return UINT64_MAX;
    return (uint64_t)st.f_bavail * st.f_frsize;
}

enum rc fs_lock(const char *path, int *fd)
{
    struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int f = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

    *fd = -1;
    if (f < 0)
        return RC_IO;
        /* Locks of the open file description meet Core's process locks in other processes, and one another in this one. */
#ifdef F_OFD_SETLK
    if (fcntl(f, F_OFD_SETLK, &fl) != 0) {
#else
    if (fcntl(f, F_SETLK, &fl) != 0) {
#endif
        enum rc rc = errno == EACCES || errno == EAGAIN ? RC_BUSY : RC_IO;
        close_keep_errno(f);
        return rc;
    }
    *fd = f;
    return RC_OK;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path) == 0 || errno == ENOENT ? 0 : -1;
}

enum rc fs_remove_tree(const char *path)
{
    struct stat st;

    if (lstat(path, &st) != 0)
        return errno == ENOENT ? RC_OK : RC_IO;
    return nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS) == 0 ? RC_OK : RC_IO;
}

size_t fs_raise_open_files(size_t want)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return want;
    if (limit.rlim_cur < want) {
        rlim_t old = limit.rlim_cur;
        limit.rlim_cur = limit.rlim_max < want ? limit.rlim_max : (rlim_t)want;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
            limit.rlim_cur = old;
    }
    return limit.rlim_cur > SIZE_MAX ? SIZE_MAX : (size_t)limit.rlim_cur;
}
