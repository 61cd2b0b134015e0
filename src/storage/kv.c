/* kv.c - opening LevelDB with Bitcoin Core's settings, single reads and writes. Called by coindb, blockdb and the indexes;
 * any thread. Batches and iterators are in kv_batch.c. */
#include "storage/kv.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kv_internal.h"
#include "util/fs.h"
#include "util/hex.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/random.h"
#include "util/time.h"

#define BLOOM_BITS 10
#define MAX_TABLE_SIZE (32u << 20)
#define DEFAULT_OPEN_FILES 1000
/* Tables straight from the write buffer: with so many LevelDB begins to merge them, with more it lets the next level grow. */
#define UNMERGED_MAX 4
#define MERGE_WAIT_US 10000000
#define MERGE_NAP_NS 1000000

/* Keys made of a string carry its length in front: 0x0e, then a NUL and the name. */
static const char obfuscate_name[] = "\x0e\0obfuscate_key";
#define OBFUSCATE_NAME_LEN (sizeof(obfuscate_name) - 1)

const char *kv_last_error(void)
{
    return storage_error_text();
}

enum rc kv_outcome(const char *path, char *err)
{
    enum rc rc = RC_IO;

    if (!err)
        return RC_OK;
    if (strncmp(err, "Corruption", 10) == 0)
        rc = RC_CORRUPT;
    else if (strncmp(err, "Invalid argument", 16) == 0)
        rc = RC_INVALID;
    storage_error_set("Fatal LevelDB error: %s (%s)", err, path);
    leveldb_free(err);
    return rc;
}

static void make_options(struct kv *kv, const struct kv_options *o)
{
    kv->cache = leveldb_cache_create_lru(o->cache_bytes / 2);
    kv->filter = o->no_bloom ? NULL : leveldb_filterpolicy_create_bloom(BLOOM_BITS);
    kv->options = leveldb_options_create();
    leveldb_options_set_cache(kv->options, kv->cache);
    if (kv->filter)
        leveldb_options_set_filter_policy(kv->options, kv->filter);
    /* Two write buffers can be in memory at once: half of the budget together. */
    leveldb_options_set_write_buffer_size(kv->options, o->write_bytes ? o->write_bytes : o->cache_bytes / 4);
    leveldb_options_set_compression(kv->options, leveldb_no_compression);
    leveldb_options_set_paranoid_checks(kv->options, 1);
    leveldb_options_set_max_file_size(kv->options, o->table_bytes ? o->table_bytes : MAX_TABLE_SIZE);
    leveldb_options_set_max_open_files(kv->options, o->max_files ? (int)o->max_files : DEFAULT_OPEN_FILES);
    leveldb_options_set_create_if_missing(kv->options, 1);

    kv->read = leveldb_readoptions_create();
    leveldb_readoptions_set_verify_checksums(kv->read, 1);
    kv->scan = leveldb_readoptions_create();
    leveldb_readoptions_set_verify_checksums(kv->scan, 1);
    leveldb_readoptions_set_fill_cache(kv->scan, 0);
    kv->write = leveldb_writeoptions_create();
    kv->write_sync = leveldb_writeoptions_create();
    leveldb_writeoptions_set_sync(kv->write_sync, 1);
}

static bool has_suffix(const char *name, const char *suffix)
{
    size_t n = strlen(name), k = strlen(suffix);
    return n >= k && strcmp(name + n - k, suffix) == 0;
}

/* LevelDB takes a folder without the file CURRENT for a new database and deletes the tables in it: such a loss must be seen. A database whose
 * making was interrupted has no CURRENT either, but no tables and no journal. */
static enum rc refuse_headless(const char *path)
{
    char *current = fs_join(path, "CURRENT");
    DIR *dir = fs_exists(current) ? NULL : opendir(path);
    const struct dirent *entry;
    bool found = false;

    free(current);
    if (!dir)
        return RC_OK;
    while (!found && (entry = readdir(dir)))
        found = has_suffix(entry->d_name, ".ldb") || has_suffix(entry->d_name, ".log");
    closedir(dir);
    if (found)
        storage_error_set("Fatal LevelDB error: Corruption: the file CURRENT is missing (%s)", path);
    return found ? RC_CORRUPT : RC_OK;
}

static enum rc open_files(struct kv *kv, bool wipe)
{
    char *err = NULL;
    enum rc rc = RC_OK;

    if (wipe) {
        log_info("Wiping LevelDB in %s", kv->path);
        leveldb_destroy_db(kv->options, kv->path, &err);
        rc = kv_outcome(kv->path, err);
    }
    if (rc == RC_OK && fs_mkdirs(kv->path) != RC_OK)
        rc = storage_error_errno(RC_IO, "Cannot make folder", kv->path);
    if (rc == RC_OK)
        rc = refuse_headless(kv->path);
    if (rc != RC_OK)
        return rc;
    log_info("Opening LevelDB in %s", kv->path);
    kv->db = leveldb_open(kv->options, kv->path, &err);
    rc = kv_outcome(kv->path, err);
    if (rc == RC_OK)
        log_info("Opened LevelDB successfully");
    return rc;
}

/* The key is stored as a length-prefixed vector under a null key, that is in the clear. */
static enum rc load_obfuscation(struct kv *kv, bool create)
{
    uint8_t stored[1 + OBFUSCATION_KEY_SIZE] = {OBFUSCATION_KEY_SIZE};
    char text[2 * OBFUSCATION_KEY_SIZE + 1];
    uint8_t *value;
    size_t len;
    enum rc rc = kv_get(kv, obfuscate_name, OBFUSCATE_NAME_LEN, &value, &len);

    if (rc == RC_OK) {
        bool sane = len == sizeof(stored) && value[0] == OBFUSCATION_KEY_SIZE;
        if (sane)
            memcpy(kv->key, value + 1, OBFUSCATION_KEY_SIZE);
        else
            storage_error_set("The obfuscation key of %s is malformed", kv->path);
        free(value);
        if (!sane)
            return RC_CORRUPT;
    } else if (rc == RC_NOT_FOUND && create && kv_is_empty(kv)) {
        random_bytes(stored + 1, OBFUSCATION_KEY_SIZE);
        rc = kv_put(kv, obfuscate_name, OBFUSCATE_NAME_LEN, stored, sizeof(stored), true);
        if (rc != RC_OK)
            return rc;
        memcpy(kv->key, stored + 1, OBFUSCATION_KEY_SIZE);
        hex_encode(text, kv->key, OBFUSCATION_KEY_SIZE);
        log_info("Wrote new obfuscation key for %s: %s", kv->path, text);
    } else if (rc != RC_NOT_FOUND) {
        return rc;
    }
    hex_encode(text, kv->key, OBFUSCATION_KEY_SIZE);
    log_info("Using obfuscation key for %s: %s", kv->path, text);
    return RC_OK;
}

enum rc kv_open(struct kv **out, const char *path, const struct kv_options *options, char **error)
{
    struct kv *kv = xcalloc(1, sizeof(*kv));
    enum rc rc;

    *out = NULL;
    *error = NULL;
    kv->path = xstrdup(path);
    make_options(kv, options);
    rc = open_files(kv, options->wipe);
    if (rc == RC_OK)
        rc = load_obfuscation(kv, options->obfuscate);
    if (rc != RC_OK) {
        *error = xstrdup(storage_error_text());
        kv_close(kv);
        return rc;
    }
    *out = kv;
    return RC_OK;
}

void kv_close(struct kv *kv)
{
    if (!kv)
        return;
    if (kv->db)
        leveldb_close(kv->db);
    leveldb_writeoptions_destroy(kv->write);
    leveldb_writeoptions_destroy(kv->write_sync);
    leveldb_readoptions_destroy(kv->read);
    leveldb_readoptions_destroy(kv->scan);
    leveldb_options_destroy(kv->options);
    if (kv->filter)
        leveldb_filterpolicy_destroy(kv->filter);
    leveldb_cache_destroy(kv->cache);
    free(kv->path);
    free(kv);
}

enum rc kv_get(struct kv *kv, const void *key, size_t key_len, uint8_t **value, size_t *len)
{
    char *err = NULL;
    char *data = leveldb_get(kv->db, kv->read, key, key_len, len, &err);

    *value = NULL;
    if (err) {
        free(data);
        return kv_outcome(kv->path, err);
    }
    if (!data)
        return RC_NOT_FOUND;
    /* LevelDB allocates with malloc, so its copy can be handed on. */
    *value = (uint8_t *)data;
    obfuscate(*value, *len, kv->key, 0);
    return RC_OK;
}

enum rc kv_put(struct kv *kv, const void *key, size_t key_len, const void *value, size_t len, bool sync)
{
    uint8_t *hidden = xmalloc(len);
    char *err = NULL;

    obfuscate_copy(hidden, value, len, kv->key, 0);
    leveldb_put(kv->db, sync ? kv->write_sync : kv->write, key, key_len, (const char *)hidden, len, &err);
    free(hidden);
    return kv_outcome(kv->path, err);
}

enum rc kv_delete(struct kv *kv, const void *key, size_t key_len, bool sync)
{
    char *err = NULL;

    leveldb_delete(kv->db, sync ? kv->write_sync : kv->write, key, key_len, &err);
    return kv_outcome(kv->path, err);
}

bool kv_is_empty(struct kv *kv)
{
    struct kv_iter *it = kv_iter_new(kv);
    bool empty;

    kv_iter_seek(it, "", 0);
    /* A database that cannot be read is not taken for a fresh one. */
    empty = !kv_iter_valid(it) && kv_iter_status(it) == RC_OK;
    kv_iter_free(it);
    return empty;
}

uint64_t kv_approximate_size(struct kv *kv, const void *from, size_t from_len, const void *to, size_t to_len)
{
    const char *start = from, *limit = to;
    uint64_t size = 0;

    leveldb_approximate_sizes(kv->db, 1, &start, &from_len, &limit, &to_len, &size);
    return size;
}

void kv_compact(struct kv *kv)
{
    log_info("Starting database compaction of %s", kv->path);
    leveldb_compact_range(kv->db, NULL, 0, NULL, 0);
    log_info("Finished database compaction of %s", kv->path);
}

static bool is_behind(struct kv *kv)
{
    char *text = leveldb_property_value(kv->db, "leveldb.num-files-at-level0");
    bool behind = text && strtoul(text, NULL, 10) >= UNMERGED_MAX;

    leveldb_free(text);
    return behind;
}

/* LevelDB tells nobody when it is done. After a failure it never is: the next write says so. */
void kv_wait_merged(struct kv *kv)
{
    const struct timespec nap = {.tv_nsec = MERGE_NAP_NS};
    int64_t end = time_mono_us() + MERGE_WAIT_US;

    while (is_behind(kv) && time_mono_us() < end)
        nanosleep(&nap, NULL);
}
