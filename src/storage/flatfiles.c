/* flatfiles.c - appending to and reading from a numbered sequence of plain files. The index threads write, any thread reads. */
#include "storage/flatfiles.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "error.h"
#include "util/fs.h"
#include "util/mem.h"

#define DISK_RESERVE (50u << 20) /* left free on the disk, as with block files */

struct flatfiles {
    char *dir, *prefix;
    uint32_t max_size, chunk;
    int fd; /* the file last written to, -1: none */
    int32_t file;
    bool unsynced;     /* written to fd since the last sync */
    bool dir_unsynced; /* a file was made since the folder's last sync */
};

static char *path_of(const struct flatfiles *ff, int32_t file)
{
    return xasprintf("%s/%s%05u.dat", ff->dir, ff->prefix, (unsigned)file);
}

static enum rc file_error(const struct flatfiles *ff, int32_t file, const char *action)
{
    int saved = errno;
    char *path = path_of(ff, file);

    errno = saved;
    storage_error_errno(RC_IO, action, path);
    saved = errno;
    free(path);
    errno = saved;
    return RC_IO;
}

static enum rc delete_all(const struct flatfiles *ff)
{
    for (int32_t i = 0; i < INT32_MAX; i++) {
        char *path = path_of(ff, i);
        bool gone = unlink(path) != 0;

        free(path);
        if (gone)
            return errno == ENOENT ? RC_OK : file_error(ff, i, "Cannot delete");
    }
    return RC_OK;
}

enum rc flatfiles_open(struct flatfiles **out, const struct flatfiles_options *o, char **error)
{
    struct flatfiles *ff = xcalloc(1, sizeof(*ff));
    enum rc rc = RC_OK;

    *out = NULL;
    *error = NULL;
    ff->dir = xstrdup(o->dir);
    ff->prefix = xstrdup(o->prefix);
    ff->max_size = o->max_size;
    ff->chunk = o->chunk;
    ff->fd = -1;
    if (fs_mkdirs(ff->dir) != RC_OK)
        rc = storage_error_errno(RC_IO, "Cannot make folder", ff->dir);
    if (rc == RC_OK && o->wipe)
        rc = delete_all(ff);
    if (rc != RC_OK) {
        *error = xstrdup(storage_error_text());
        flatfiles_close(ff);
        return rc;
    }
    *out = ff;
    return RC_OK;
}

void flatfiles_close(struct flatfiles *ff)
{
    if (!ff)
        return;
    if (ff->fd >= 0)
        close(ff->fd);
    free(ff->dir);
    free(ff->prefix);
    free(ff);
}

/* Makes `file` the one that is written to. */
static enum rc switch_to(struct flatfiles *ff, int32_t file)
{
    char *path;
    int fd;

    if (ff->fd >= 0 && ff->file == file)
        return RC_OK;
    path = path_of(ff, file);
    fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        ff->dir_unsynced |= fd >= 0;
    }
    free(path);
    if (fd < 0)
        return file_error(ff, file, "Unable to open file");
    if (flatfiles_sync(ff) != RC_OK) {
        close(fd);
        return RC_IO;
    }
    if (ff->fd >= 0)
        close(ff->fd);
    ff->fd = fd;
    ff->file = file;
    return RC_OK;
}

static enum rc preallocate(struct flatfiles *ff, struct disk_pos at, size_t len)
{
    uint64_t chunk = ff->chunk;
    uint64_t old_end = (at.pos + chunk - 1) / chunk * chunk, new_end = (at.pos + len + chunk - 1) / chunk * chunk;

    if (new_end <= old_end)
        return RC_OK;
    if (fs_free_space(ff->dir) < new_end - at.pos + DISK_RESERVE) {
        errno = ENOSPC;
        return file_error(ff, at.file, "Disk space is too low! Cannot extend");
    }
    /* Some file systems cannot allocate ahead; the write itself will tell if there is no room. */
    if (fs_preallocate(ff->fd, at.pos, new_end - at.pos) != RC_OK &&
        (errno == ENOSPC || errno == EDQUOT || errno == EFBIG || errno == EIO))
        return file_error(ff, at.file, "Cannot extend");
    return RC_OK;
}

/* Nothing more goes into the file that ends at `end`. */
static enum rc leave(struct flatfiles *ff, struct disk_pos end)
{
    enum rc rc = switch_to(ff, end.file);

    if (rc != RC_OK)
        return rc;
    if (ftruncate(ff->fd, (off_t)end.pos) != 0)
        return file_error(ff, end.file, "Cannot trim");
    ff->unsynced = true;
    return flatfiles_sync(ff);
}

enum rc flatfiles_append(struct flatfiles *ff, struct disk_pos *at, struct disk_pos *next, const void *data, size_t len)
{
    struct disk_pos to = *next;
    enum rc rc = RC_OK;

    if (len > ff->max_size || to.file < 0)
        return RC_INVALID;
    if (to.pos > ff->max_size || len > ff->max_size - to.pos) {
        rc = leave(ff, to);
        to.file++;
        to.pos = 0;
    }
    if (rc == RC_OK)
        rc = switch_to(ff, to.file);
    if (rc == RC_OK)
        rc = preallocate(ff, to, len);
    if (rc != RC_OK)
        return rc;
    ff->unsynced = true;
    if (fs_pwrite(ff->fd, data, len, to.pos) != RC_OK)
        return file_error(ff, to.file, "Cannot write");
    *at = to;
    to.pos += (uint32_t)len;
    *next = to;
    return RC_OK;
}

enum rc flatfiles_sync(struct flatfiles *ff)
{
    /* EINVAL: a file system that has no sync. */
    if (ff->unsynced && fdatasync(ff->fd) != 0 && errno != EINVAL)
        return file_error(ff, ff->file, "Cannot flush");
    ff->unsynced = false;
    if (ff->dir_unsynced && fs_sync_dir(ff->dir) != RC_OK)
        return storage_error_errno(RC_IO, "Cannot flush folder", ff->dir);
    ff->dir_unsynced = false;
    return RC_OK;
}

static enum rc read_some(int fd, uint8_t *out, size_t len, size_t *got, uint64_t offset)
{
    while (*got < len) {
        ssize_t n = pread(fd, out + *got, len - *got, (off_t)(offset + *got));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return RC_IO;
        if (n == 0)
            break;
        *got += (size_t)n;
    }
    return RC_OK;
}

enum rc flatfiles_read(const struct flatfiles *ff, void *out, size_t len, size_t *got, struct disk_pos at)
{
    enum rc rc;
    char *path;
    int fd;

    *got = 0;
    if (at.file < 0 || at.pos > ff->max_size)
        return RC_INVALID;
    path = path_of(ff, at.file);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    free(path);
    if (fd < 0)
        return errno == ENOENT ? RC_NOT_FOUND : file_error(ff, at.file, "Unable to open file");
    rc = read_some(fd, out, len, got, at.pos);
    if (rc != RC_OK)
        file_error(ff, at.file, "Cannot read");
    close(fd);
    return rc;
}
