/* blockfiles.c - the folder of block and undo files: its obfuscation key, names, statistics, deletion. The validation thread
 * changes it; statistics are read from any thread. Writing and reading of records are in blockfiles_write.c and _read.c. */
#include "storage/blockfiles.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "blockfiles_internal.h"
#include "util/assert.h"
#include "util/fs.h"
#include "util/hex.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/random.h"

const char *blockfiles_last_error(void)
{
    return storage_error_text();
}

char *blockfiles_path(const struct blockfiles *bf, enum file_kind kind, unsigned file)
{
    return xasprintf("%s/%s%05u.dat", bf->dir, kind == FILE_BLOCKS ? "blk" : "rev", file);
}

/* True if nothing but hidden files (a lock) stands in the folder: only then may a key be chosen. */
static enum rc is_fresh(const char *dir, bool *fresh)
{
    DIR *d = opendir(dir);
    struct dirent *e;

    *fresh = true;
    if (!d)
        return storage_error_errno(RC_IO, "Cannot read folder", dir);
    while (*fresh && (e = readdir(d))) {
        struct stat st;
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        *fresh = e->d_name[0] == '.' && fstatat(dirfd(d), e->d_name, &st, 0) == 0 && S_ISREG(st.st_mode);
    }
    closedir(d);
    return RC_OK;
}

static enum rc load_key(struct blockfiles *bf, const char *path, bool use_xor)
{
    uint8_t *stored;
    size_t len;
    bool fresh;
    enum rc rc = fs_read(path, 4096, &stored, &len);

    if (rc == RC_OK) {
        /* A key that is there wins over the option. */
        if (len >= sizeof(bf->key))
            memcpy(bf->key, stored, sizeof(bf->key));
        else
            storage_error_set("The key file %s is cut short", path);
        free(stored);
        return len >= sizeof(bf->key) ? RC_OK : RC_CORRUPT;
    }
    if (rc != RC_NOT_FOUND)
        return storage_error_errno(rc, "Cannot read", path);
    rc = is_fresh(bf->dir, &fresh);
    if (rc != RC_OK)
        return rc;
    if (use_xor && fresh)
        random_bytes(bf->key, sizeof(bf->key));
    if (fs_write_atomic(path, bf->key, sizeof(bf->key), 0600) != RC_OK)
        return storage_error_errno(RC_IO, "Cannot write", path);
    return RC_OK;
}

static enum rc init_key(struct blockfiles *bf, bool use_xor)
{
    char *path = fs_join(bf->dir, "xor.dat");
    char text[2 * OBFUSCATION_KEY_SIZE + 1];
    enum rc rc = load_key(bf, path, use_xor);

    hex_encode(text, bf->key, sizeof(bf->key));
    if (rc == RC_OK && !use_xor && !obfuscation_is_null(bf->key)) {
        storage_error_set("The blocksdir XOR-key can not be disabled when a random key was already stored! "
                          "Stored key: '%s', stored path: '%s'.",
                          text, path);
        rc = RC_INVALID;
    }
    if (rc == RC_OK)
        log_info("Using obfuscation key for blocksdir *.dat files (%s): '%s'", bf->dir, text);
    free(path);
    return rc;
}

enum rc blockfiles_open(struct blockfiles **out, const struct blockfiles_options *o, char **error)
{
    struct blockfiles *bf = xcalloc(1, sizeof(*bf));
    enum rc rc = RC_OK;

    *out = NULL;
    *error = NULL;
    bf->dir = xstrdup(o->dir);
    memcpy(bf->magic, o->magic, sizeof(bf->magic));
    bf->fast_prune = o->fast_prune;
    bf->split = UINT32_MAX;
    bf->open[FILE_BLOCKS].fd = bf->open[FILE_UNDO].fd = -1;
    pthread_mutex_init(&bf->lock, NULL);
    if (fs_mkdirs(bf->dir) != RC_OK)
        rc = storage_error_errno(RC_IO, "Cannot make folder", bf->dir);
    if (rc == RC_OK)
        rc = init_key(bf, o->use_xor);
    if (rc != RC_OK) {
        *error = xstrdup(storage_error_text());
        blockfiles_close(bf);
        return rc;
    }
    *out = bf;
    return RC_OK;
}

void blockfiles_close(struct blockfiles *bf)
{
    if (!bf)
        return;
    /* A tail that stays is harmless: the data's end is known from the statistics, so failures are only logged. */
    for (unsigned i = 0; i < bf->count; i++)
        for (unsigned kind = 0; kind < FILE_KINDS; kind++)
            if (bf->file[i].has_tail[kind])
                (void)blockfiles_trim(bf, kind, i);
    for (unsigned kind = 0; kind < FILE_KINDS; kind++)
        if (bf->open[kind].fd >= 0)
            close(bf->open[kind].fd);
    pthread_mutex_destroy(&bf->lock);
    free(bf->file);
    free(bf->scratch);
    free(bf->dir);
    free(bf);
}

void blockfiles_grow(struct blockfiles *bf, unsigned file)
{
    if (file < bf->count)
        return;
    if (file >= bf->cap) {
        bf->cap = file + file / 2 + 16;
        bf->file = xrealloc(bf->file, bf->cap * sizeof(*bf->file));
    }
    memset(bf->file + bf->count, 0, (file + 1 - bf->count) * sizeof(*bf->file));
    bf->count = file + 1;
}

void blockfiles_restore(struct blockfiles *bf, const struct blockfile_info *infos, unsigned n, unsigned last)
{
    pthread_mutex_lock(&bf->lock);
    blockfiles_grow(bf, n > last ? n - 1 : last);
    for (unsigned i = 0; i < n; i++)
        bf->file[i].info = infos[i];
    pthread_mutex_unlock(&bf->lock);
    bf->place[0] = (struct write_place){.used = true, .file = last};
}

void blockfiles_split(struct blockfiles *bf, uint32_t height)
{
    bf->split = height;
    bf->place[0] = bf->place[1] = (struct write_place){0};
    for (unsigned i = 0; i < bf->count; i++)
        if (bf->file[i].info.n_blocks)
            *blockfiles_place(bf, bf->file[i].info.height_last) = (struct write_place){.used = true, .file = i};
}

bool blockfiles_is_current(const struct blockfiles *bf, unsigned file)
{
    return (bf->place[0].used && bf->place[0].file == file) || (bf->place[1].used && bf->place[1].file == file);
}

void blockfiles_count_block(struct blockfiles *bf, unsigned file, uint32_t height, uint32_t time)
{
    struct blockfile_info *info = &bf->file[file].info;

    if (info->n_blocks == 0 || height < info->height_first)
        info->height_first = height;
    if (info->n_blocks == 0 || time < info->time_first)
        info->time_first = time;
    if (height > info->height_last)
        info->height_last = height;
    if (time > info->time_last)
        info->time_last = time;
    info->n_blocks++;
    bf->file[file].info_dirty = true;
}

void blockfiles_note(struct blockfiles *bf, struct disk_pos pos, size_t len, uint32_t height, uint32_t time)
{
    unsigned file = (unsigned)pos.file;
    uint64_t end = (uint64_t)pos.pos + len;
    struct write_place *place = blockfiles_place(bf, height);

    ASSERT(pos.file >= 0);
    if (end > UINT32_MAX)
        end = UINT32_MAX;
    if (!place->used || file > place->file)
        *place = (struct write_place){.used = true, .file = file};
    pthread_mutex_lock(&bf->lock);
    blockfiles_grow(bf, file);
    blockfiles_count_block(bf, file, height, time);
    if (end > bf->file[file].info.size)
        bf->file[file].info.size = (uint32_t)end;
    pthread_mutex_unlock(&bf->lock);
}

unsigned blockfiles_count(const struct blockfiles *bf)
{
    struct blockfiles *mut = (struct blockfiles *)bf;
    unsigned n;

    pthread_mutex_lock(&mut->lock);
    n = bf->count;
    pthread_mutex_unlock(&mut->lock);
    return n;
}

unsigned blockfiles_last(const struct blockfiles *bf)
{
    return bf->place[1].used && bf->place[1].file > bf->place[0].file ? bf->place[1].file : bf->place[0].file;
}

struct blockfile_info blockfiles_info(const struct blockfiles *bf, unsigned file)
{
    struct blockfiles *mut = (struct blockfiles *)bf;
    struct blockfile_info info = {0};

    pthread_mutex_lock(&mut->lock);
    if (file < bf->count)
        info = bf->file[file].info;
    pthread_mutex_unlock(&mut->lock);
    return info;
}

uint64_t blockfiles_disk_size(const struct blockfiles *bf)
{
    struct blockfiles *mut = (struct blockfiles *)bf;
    uint64_t sum = 0;

    pthread_mutex_lock(&mut->lock);
    for (unsigned i = 0; i < bf->count; i++)
        sum += (uint64_t)bf->file[i].info.size + bf->file[i].info.undo_size;
    pthread_mutex_unlock(&mut->lock);
    return sum;
}

void blockfiles_each_dirty(struct blockfiles *bf, void (*fn)(void *ctx, unsigned file, const struct blockfile_info *info),
                           void *ctx)
{
    for (unsigned i = 0; i < bf->count; i++) {
        if (!bf->file[i].info_dirty)
            continue;
        bf->file[i].info_dirty = false;
        fn(ctx, i, &bf->file[i].info);
    }
}

void blockfiles_forget(struct blockfiles *bf, unsigned file)
{
    pthread_mutex_lock(&bf->lock);
    if (file < bf->count) {
        const struct blockfile_info none = {0};
        if (memcmp(&bf->file[file].info, &none, sizeof(none)) != 0)
            bf->file[file].info_dirty = true;
        bf->file[file].info = none;
    }
    pthread_mutex_unlock(&bf->lock);
}

enum rc blockfiles_delete(struct blockfiles *bf, unsigned file)
{
    enum rc rc = RC_OK;

    blockfiles_forget(bf, file);
    for (unsigned kind = 0; kind < FILE_KINDS; kind++) {
        char *path = blockfiles_path(bf, kind, file);
        blockfiles_forget_fd(bf, kind, file);
        if (file < bf->count)
            bf->file[file].unsynced[kind] = bf->file[file].has_tail[kind] = false;
        if (unlink(path) != 0 && errno != ENOENT)
            rc = storage_error_errno(RC_IO, "Cannot delete", path);
        free(path);
    }
    if (rc == RC_OK)
        log_debug(LOG_BLOCKSTORAGE, "Prune: deleted blk/rev (%05u)", file);
    return rc;
}

bool blockfiles_exists(const struct blockfiles *bf, unsigned file, bool undo)
{
    char *path = blockfiles_path(bf, undo ? FILE_UNDO : FILE_BLOCKS, file);
    bool there = fs_exists(path);

    free(path);
    return there;
}

/* Reads "blk01234.dat" or "rev01234.dat". */
static bool parse_name(const char *name, enum file_kind *kind, unsigned *file)
{
    if (strlen(name) != 12 || strcmp(name + 8, ".dat") != 0 || (memcmp(name, "blk", 3) != 0 && memcmp(name, "rev", 3) != 0))
        return false;
    *kind = name[0] == 'b' ? FILE_BLOCKS : FILE_UNDO;
    *file = 0;
    for (unsigned i = 3; i < 8; i++) {
        if (name[i] < '0' || name[i] > '9')
            return false;
        *file = *file * 10 + (unsigned)(name[i] - '0');
    }
    return true;
}

enum rc blockfiles_clean_for_reindex(struct blockfiles *bf)
{
    unsigned contiguous = 0, file;
    enum file_kind kind;
    enum rc rc = RC_OK;
    DIR *d = opendir(bf->dir);
    struct dirent *e;

    if (!d)
        return storage_error_errno(RC_IO, "Cannot read folder", bf->dir);
    log_info("Removing unusable blk?????.dat and rev?????.dat files for -reindex with -prune");
    while (blockfiles_exists(bf, contiguous, false))
        contiguous++;
    while ((e = readdir(d))) {
        if (!parse_name(e->d_name, &kind, &file) || (kind == FILE_BLOCKS && file < contiguous))
            continue;
        blockfiles_forget_fd(bf, kind, file);
        if (unlinkat(dirfd(d), e->d_name, 0) != 0 && errno != ENOENT)
            rc = storage_error_errno(RC_IO, "Cannot delete", e->d_name);
    }
    closedir(d);
    return rc;
}
