/* blockfiles_write.c - appending blocks and undo records, preallocation, fsync and trimming. The validation thread only. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "blockfiles_internal.h"
#include "crypto/sha256.h"
#include "util/bytes.h"
#include "util/fs.h"
#include "util/log.h"
#include "util/mem.h"

#define BLOCK_CHUNK (16u << 20)
#define UNDO_CHUNK (1u << 20)
#define FAST_PRUNE_CHUNK (16u << 10)
#define FAST_PRUNE_MAX (64u << 10)
#define UNDO_OVERHEAD (BLOCKFILE_HEADER + 32) /* with the checksum behind the data */
#define DISK_RESERVE (50u << 20)              /* left free on the disk, as Core does */

static uint32_t used_size(const struct blockfiles *bf, enum file_kind kind, unsigned file)
{
    return kind == FILE_BLOCKS ? bf->file[file].info.size : bf->file[file].info.undo_size;
}

void blockfiles_forget_fd(struct blockfiles *bf, enum file_kind kind, unsigned file)
{
    if (bf->open[kind].fd < 0 || bf->open[kind].file != file)
        return;
    close(bf->open[kind].fd);
    bf->open[kind].fd = -1;
}

/* Keeps a descriptor for writing open until another file of its kind is wanted. create: a missing file is made. */
static enum rc writable(struct blockfiles *bf, enum file_kind kind, unsigned file, bool create, int *fd)
{
    char *path;

    if (bf->open[kind].fd >= 0 && bf->open[kind].file == file) {
        *fd = bf->open[kind].fd;
        return RC_OK;
    }
    path = blockfiles_path(bf, kind, file);
    *fd = open(path, O_RDWR | O_CLOEXEC);
    if (*fd < 0 && errno == ENOENT && create) {
        *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        bf->dir_unsynced |= *fd >= 0;
    }
    if (*fd < 0) {
        storage_error_errno(RC_IO, "Unable to open file", path);
        free(path);
        return RC_IO;
    }
    free(path);
    if (bf->open[kind].fd >= 0)
        close(bf->open[kind].fd);
    bf->open[kind].fd = *fd;
    bf->open[kind].file = file;
    return RC_OK;
}

/* Reports a failure on a file. Returns: RC_IO. */
static enum rc file_error(const struct blockfiles *bf, enum file_kind kind, unsigned file, const char *action)
{
    char *path = blockfiles_path(bf, kind, file);
    int saved = errno;

    storage_error_errno(RC_IO, action, path);
    free(path);
    errno = saved;
    return RC_IO;
}

/* Whole chunks are allocated ahead, which keeps files in one piece on disk and finds out early that it is full. */
static enum rc preallocate(struct blockfiles *bf, enum file_kind kind, unsigned file, int fd, uint32_t pos, size_t len)
{
    uint64_t chunk = kind == FILE_UNDO ? UNDO_CHUNK : bf->fast_prune ? FAST_PRUNE_CHUNK : BLOCK_CHUNK;
    uint64_t old_end = (pos + chunk - 1) / chunk * chunk, new_end = (pos + len + chunk - 1) / chunk * chunk;
    struct stat st;

    if (new_end <= old_end)
        return RC_OK;
    if (fs_free_space(bf->dir) < new_end - pos + DISK_RESERVE) {
        errno = ENOSPC;
        return file_error(bf, kind, file, "Disk space is too low! Cannot extend");
    }
    log_debug(LOG_VALIDATION, "Pre-allocating up to position 0x%llx in %s%05u.dat", (unsigned long long)new_end,
              kind == FILE_BLOCKS ? "blk" : "rev", file);
    /* What stands behind our place already is not ours to trim: blocks, perhaps, of an index that was lost. */
    if (fstat(fd, &st) == 0 && (uint64_t)st.st_size <= pos)
        bf->file[file].has_tail[kind] = true;
    /* Some file systems cannot allocate ahead; the write itself will tell if there is no room. */
    if (fs_preallocate(fd, pos, new_end - pos) != RC_OK && (errno == ENOSPC || errno == EDQUOT || errno == EFBIG || errno == EIO))
        return file_error(bf, kind, file, "Cannot extend");
    return RC_OK;
}

/* magic | length | data in the scratch buffer, in the clear, with room for `extra` bytes behind. Returns: where the data begins. */
static uint8_t *frame(struct blockfiles *bf, const void *data, size_t len, size_t extra)
{
    size_t total = BLOCKFILE_HEADER + len + extra;

    if (bf->scratch_cap < total) {
        free(bf->scratch);
        bf->scratch = xmalloc(total);
        bf->scratch_cap = total;
    }
    memcpy(bf->scratch, bf->magic, 4);
    put_le32(bf->scratch + 4, (uint32_t)len);
    memcpy(bf->scratch + BLOCKFILE_HEADER, data, len);
    return bf->scratch + BLOCKFILE_HEADER;
}

/* Obfuscates the scratch buffer's record for its place and writes it there. */
static enum rc write_frame(struct blockfiles *bf, enum file_kind kind, unsigned file, uint32_t pos, size_t total)
{
    int fd;
    enum rc rc = writable(bf, kind, file, true, &fd);

    if (rc == RC_OK)
        rc = preallocate(bf, kind, file, fd, pos, total);
    if (rc != RC_OK)
        return rc;
    obfuscate(bf->scratch, total, bf->key, pos);
    bf->file[file].unsynced[kind] = true;
    if (fs_pwrite(fd, bf->scratch, total, pos) != RC_OK)
        return file_error(bf, kind, file, "Cannot write");
    return RC_OK;
}

static enum rc sync_file(struct blockfiles *bf, enum file_kind kind, unsigned file)
{
    int fd;
    enum rc rc = writable(bf, kind, file, false, &fd);

    if (rc != RC_OK)
        return rc;
    /* EINVAL: a file system that has no sync. */
    if (fdatasync(fd) != 0 && errno != EINVAL)
        return file_error(bf, kind, file, "Cannot flush");
    bf->file[file].unsynced[kind] = false;
    return RC_OK;
}

enum rc blockfiles_trim(struct blockfiles *bf, enum file_kind kind, unsigned file)
{
    struct stat st;
    int fd;
    enum rc rc = writable(bf, kind, file, false, &fd);

    if (rc != RC_OK)
        return rc;
    /* Never longer: a file that somebody cut must not look whole. */
    if (fstat(fd, &st) != 0 || (st.st_size > used_size(bf, kind, file) && ftruncate(fd, used_size(bf, kind, file)) != 0))
        return file_error(bf, kind, file, "Cannot trim");
    bf->file[file].has_tail[kind] = false;
    return RC_OK;
}

/* Nothing more goes into this file; its tail may be of an earlier run. A failure leaves a tail or a late write-back, which harms nobody: it is only logged. */
static void finalize(struct blockfiles *bf, enum file_kind kind, unsigned file)
{
    if (blockfiles_trim(bf, kind, file) != RC_OK || sync_file(bf, kind, file) != RC_OK)
        log_warning("Failed to flush file %s%05u.dat at its end", kind == FILE_BLOCKS ? "blk" : "rev", file);
}

/* Is it a file of the other kind of blocks? */
static bool is_foreign(const struct blockfiles *bf, unsigned file, uint32_t height)
{
    const struct blockfile_info *info = &bf->file[file].info;

    return info->n_blocks && (info->height_last >= bf->split) != (height >= bf->split);
}

/* The file that takes `total` more bytes: the current one or, once that is full, the next number that nobody used. */
static unsigned choose_file(struct blockfiles *bf, uint32_t height, size_t total)
{
    size_t limit = bf->fast_prune ? FAST_PRUNE_MAX : BLOCKFILE_MAX;
    const struct write_place *place = blockfiles_place(bf, height);
    unsigned file = place->used ? place->file : bf->place[0].used || bf->place[1].used ? bf->count : 0;

    if (total >= limit)
        limit = total + 1; /* only in small test files: a block always has a place */
    while (file < bf->count && (bf->file[file].info.size + total >= limit || is_foreign(bf, file, height)))
        file++;
    return file;
}

static void leave_file(struct blockfiles *bf, struct write_place *place, unsigned next)
{
    unsigned old = place->file;
    /* When undo records keep up with the blocks, the old rev file is complete; when they lag behind, the last of them ends it. */
    bool undo_complete = bf->file[old].info.undo_size > 0 && bf->file[old].info.height_last == place->undo_height;

    log_debug(LOG_BLOCKSTORAGE, "Leaving block file %u (%u blocks, %u bytes, heights %u to %u) for %u", old,
              bf->file[old].info.n_blocks, bf->file[old].info.size, bf->file[old].info.height_first, bf->file[old].info.height_last,
              next);
    finalize(bf, FILE_BLOCKS, old);
    if (undo_complete)
        finalize(bf, FILE_UNDO, old);
}

enum rc blockfiles_append(struct blockfiles *bf, struct disk_pos *pos, const void *block, size_t len, uint32_t height,
                          uint32_t time)
{
    struct write_place *place = blockfiles_place(bf, height);
    size_t total = len + BLOCKFILE_HEADER;
    unsigned file;
    enum rc rc;

    if (len >= BLOCKFILE_MAX - BLOCKFILE_HEADER)
        return RC_INVALID;
    pthread_mutex_lock(&bf->lock);
    if (place->used)
        blockfiles_grow(bf, place->file);
    file = choose_file(bf, height, total);
    blockfiles_grow(bf, file);
    pthread_mutex_unlock(&bf->lock);
    if (place->used && file != place->file)
        leave_file(bf, place, file);
    if (!place->used || file != place->file)
        *place = (struct write_place){.used = true, .file = file};

    pos->file = (int32_t)file;
    pos->pos = bf->file[file].info.size + BLOCKFILE_HEADER;
    frame(bf, block, len, 0);
    rc = write_frame(bf, FILE_BLOCKS, file, bf->file[file].info.size, total);
    if (rc != RC_OK)
        return rc;
    pthread_mutex_lock(&bf->lock);
    blockfiles_count_block(bf, file, height, time);
    bf->file[file].info.size += (uint32_t)total;
    pthread_mutex_unlock(&bf->lock);
    return RC_OK;
}

enum rc blockfiles_append_undo(struct blockfiles *bf, uint32_t *undo_pos, int32_t file, const void *undo, size_t len,
                               const struct block_hash *prev, uint32_t height)
{
    unsigned n = (unsigned)file;
    struct sha256 ctx;
    uint8_t *data;
    uint32_t pos;
    enum rc rc;

    if (file < 0 || n >= bf->count || len > BLOCKFILE_UNDO_MAX ||
        bf->file[n].info.undo_size + (uint64_t)len > UINT32_MAX - UNDO_OVERHEAD)
        return RC_INVALID;
    pos = bf->file[n].info.undo_size;
    data = frame(bf, undo, len, 32);
    sha256_init(&ctx);
    sha256_write(&ctx, prev->b, sizeof(prev->b));
    sha256_write(&ctx, data, len);
    sha256d_finish(&ctx, data + len);
    rc = write_frame(bf, FILE_UNDO, n, pos, len + UNDO_OVERHEAD);
    if (rc != RC_OK)
        return rc;
    *undo_pos = pos + BLOCKFILE_HEADER;
    pthread_mutex_lock(&bf->lock);
    bf->file[n].info.undo_size += (uint32_t)(len + UNDO_OVERHEAD);
    bf->file[n].info_dirty = true;
    pthread_mutex_unlock(&bf->lock);

    /* Undo records come in height order, blocks as they arrive: the record of a left file's highest block is its last. */
    for (unsigned i = 0; i < 2; i++) {
        if (!bf->place[i].used || bf->place[i].file != n)
            continue;
        if (height > bf->place[i].undo_height)
            bf->place[i].undo_height = height;
        return RC_OK;
    }
    if (height == bf->file[n].info.height_last)
        finalize(bf, FILE_UNDO, n);
    return RC_OK;
}

enum rc blockfiles_flush(struct blockfiles *bf, bool finalize_last)
{
    enum rc rc = RC_OK, one;

    for (unsigned i = 0; i < bf->count; i++) {
        for (unsigned kind = 0; kind < FILE_KINDS; kind++) {
            if (finalize_last && blockfiles_is_current(bf, i) && bf->file[i].has_tail[kind]) {
                one = blockfiles_trim(bf, kind, i);
                rc = rc == RC_OK ? one : rc;
                bf->file[i].unsynced[kind] = true;
            }
            if (kind == FILE_UNDO && bf->file[i].info.size && blockfiles_is_current(bf, i) && !blockfiles_exists(bf, i, true)) {
                int fd;

                one = writable(bf, kind, i, true, &fd); /* no block file without its undo file, as in Core's folders */
                rc = rc == RC_OK ? one : rc;
            }
            if (bf->file[i].unsynced[kind]) {
                one = sync_file(bf, kind, i);
                rc = rc == RC_OK ? one : rc;
            }
        }
    }
    if (bf->dir_unsynced) {
        if (fs_sync_dir(bf->dir) == RC_OK)
            bf->dir_unsynced = false;
        else
            rc = storage_error_errno(RC_IO, "Cannot flush folder", bf->dir);
    }
    return rc;
}
