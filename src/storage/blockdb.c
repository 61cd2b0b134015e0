/* blockdb.c - blocks/index: reads it whole at start, writes what changed at each flush. Called by chain on the validation
 * thread (and on the main thread before that one starts). */
#include "storage/blockdb.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/sha256.h"
#include "error.h"
#include "primitives/serialize.h"
#include "util/mem.h"

#define KEY_BLOCK 'b'
#define KEY_FILE 'f'
#define KEY_LAST_FILE 'l'
#define KEY_REINDEX 'R'
#define KEY_FLAG 'F'

/* Where the format once held the client's version: the highest number ever written. */
#define DUMMY_VERSION 259900
/* 128 TB of blocks: a larger number of the last file is damage. */
#define MAX_FILES 1000000u
/* Entries are hashed in groups, several at a time. */
#define GROUP 64

struct blockdb {
    struct kv *kv;
};

enum rc blockdb_open(struct blockdb **out, const char *dir, size_t cache_bytes, bool wipe, char **error)
{
    const struct kv_options options = {.cache_bytes = cache_bytes, .wipe = wipe};
    struct kv *kv;
    enum rc rc = kv_open(&kv, dir, &options, error);

    *out = NULL;
    if (rc != RC_OK)
        return rc;
    *out = xmalloc(sizeof(**out));
    (*out)->kv = kv;
    return RC_OK;
}

void blockdb_close(struct blockdb *db)
{
    if (!db)
        return;
    kv_close(db->kv);
    free(db);
}

struct kv *blockdb_kv(struct blockdb *db)
{
    return db->kv;
}

/* Numbers that Core keeps as signed ones. */
static int32_t read_int31(struct reader *r)
{
    uint32_t n = read_varint32(r);

    if (n > INT32_MAX)
        reader_fail(r);
    return r->failed ? 0 : (int32_t)n;
}

/* Bytes behind the header are left alone, as a later version may add fields. Out: rec but for its hash; header: its 80 bytes. */
static bool decode_record(struct block_record *rec, uint8_t header[BLOCK_HEADER_SIZE], struct reader r)
{
    memset(rec, 0, sizeof(*rec));
    read_int31(&r);
    rec->height = read_int31(&r);
    rec->status = read_varint32(&r);
    rec->n_tx = read_varint32(&r);
    if (rec->status & (BLOCK_HAVE_DATA | BLOCK_HAVE_UNDO))
        rec->file = read_int31(&r);
    if (rec->status & BLOCK_HAVE_DATA)
        rec->data_pos = read_varint32(&r);
    if (rec->status & BLOCK_HAVE_UNDO)
        rec->undo_pos = read_varint32(&r);
    read_copy(&r, header, BLOCK_HEADER_SIZE);
    block_header_decode(&rec->header, header);
    return !r.failed;
}

static void encode_record(struct writer *w, const struct block_record *rec)
{
    write_varint(w, DUMMY_VERSION);
    write_varint(w, (uint32_t)rec->height);
    write_varint(w, rec->status);
    write_varint(w, rec->n_tx);
    if (rec->status & (BLOCK_HAVE_DATA | BLOCK_HAVE_UNDO))
        write_varint(w, (uint32_t)rec->file);
    if (rec->status & BLOCK_HAVE_DATA)
        write_varint(w, rec->data_pos);
    if (rec->status & BLOCK_HAVE_UNDO)
        write_varint(w, rec->undo_pos);
    block_header_encode(writer_extend(w, BLOCK_HEADER_SIZE), &rec->header);
}

static enum rc corrupt_entry(const uint8_t key_hash[32])
{
    storage_error_set("The block index database has a malformed entry for block %s", hash_to_hex(key_hash).s);
    return RC_CORRUPT;
}

/* Entries that wait for their hashes. */
struct group {
    struct block_record rec[GROUP];
    uint8_t header[GROUP * BLOCK_HEADER_SIZE];
    uint8_t key[GROUP][32];
    unsigned n;
};

/* Hashes the group's headers, compares with the keys and hands the entries over. */
static enum rc deliver(struct group *g, bool (*fn)(void *ctx, const struct block_record *rec), void *ctx)
{
    uint8_t hash[GROUP * 32];

    sha256d_80(hash, g->header, g->n);
    for (unsigned i = 0; i < g->n; i++) {
        if (memcmp(hash + 32 * i, g->key[i], 32) != 0)
            return corrupt_entry(g->key[i]);
        memcpy(g->rec[i].hash.b, hash + 32 * i, 32);
        if (!fn(ctx, &g->rec[i]))
            return RC_INTERRUPTED;
    }
    g->n = 0;
    return RC_OK;
}

enum rc blockdb_each(struct blockdb *db, bool (*fn)(void *ctx, const struct block_record *rec), void *ctx)
{
    const uint8_t first = KEY_BLOCK;
    struct kv_iter *it = kv_iter_new(db->kv);
    struct group *g = xcalloc(1, sizeof(*g));
    enum rc rc = RC_OK;

    for (kv_iter_seek(it, &first, 1); rc == RC_OK && kv_iter_valid(it); kv_iter_next(it)) {
        struct reader key = kv_iter_key(it);
        if (read_u8(&key) != KEY_BLOCK)
            break;
        read_copy(&key, g->key[g->n], 32);
        if (!reader_done(&key) || !decode_record(&g->rec[g->n], g->header + BLOCK_HEADER_SIZE * g->n, kv_iter_value(it)))
            rc = corrupt_entry(g->key[g->n]);
        else if (++g->n == GROUP)
            rc = deliver(g, fn, ctx);
    }
    if (rc == RC_OK)
        rc = kv_iter_status(it);
    if (rc == RC_OK)
        rc = deliver(g, fn, ctx);
    free(g);
    kv_iter_free(it);
    return rc;
}

static void file_key(uint8_t key[5], unsigned file)
{
    key[0] = KEY_FILE;
    put_le32(key + 1, file);
}

static void put_info(struct kv_batch *b, struct writer *w, unsigned file, const struct blockfile_info *info)
{
    uint8_t key[5];

    file_key(key, file);
    w->len = 0;
    write_varint(w, info->n_blocks);
    write_varint(w, info->size);
    write_varint(w, info->undo_size);
    write_varint(w, info->height_first);
    write_varint(w, info->height_last);
    write_varint(w, info->time_first);
    write_varint(w, info->time_last);
    kv_batch_put(b, key, sizeof(key), w->data, w->len);
}

enum rc blockdb_write(struct blockdb *db, const struct block_record *recs, size_t n, const unsigned *files,
                      const struct blockfile_info *infos, size_t n_files, int last_file)
{
    const uint8_t last_key = KEY_LAST_FILE;
    struct kv_batch *b = kv_batch_new(db->kv);
    struct writer w = WRITER_INIT;
    uint8_t key[33] = {KEY_BLOCK}, last[4];
    enum rc rc;

    for (size_t i = 0; i < n_files; i++)
        put_info(b, &w, files[i], &infos[i]);
    put_le32(last, (uint32_t)last_file);
    kv_batch_put(b, &last_key, 1, last, sizeof(last));
    for (size_t i = 0; i < n; i++) {
        w.len = 0;
        encode_record(&w, &recs[i]);
        memcpy(key + 1, recs[i].hash.b, 32);
        kv_batch_put(b, key, sizeof(key), w.data, w.len);
    }
    rc = kv_batch_write(b, true);
    kv_batch_free(b);
    writer_clear(&w);
    return rc;
}

/* Returns: RC_NOT_FOUND (info zero) if nothing is stored for that file. */
static enum rc read_info(struct blockdb *db, unsigned file, struct blockfile_info *info)
{
    uint8_t key[5], *value;
    size_t len;
    struct reader r;
    enum rc rc;

    memset(info, 0, sizeof(*info));
    file_key(key, file);
    rc = kv_get(db->kv, key, sizeof(key), &value, &len);
    if (rc != RC_OK)
        return rc;
    r = reader_make(value, len);
    info->n_blocks = read_varint32(&r);
    info->size = read_varint32(&r);
    info->undo_size = read_varint32(&r);
    info->height_first = read_varint32(&r);
    info->height_last = read_varint32(&r);
    info->time_first = read_varint(&r);
    info->time_last = read_varint(&r);
    free(value);
    if (r.failed) {
        storage_error_set("The block index database has malformed statistics for file %u", file);
        return RC_CORRUPT;
    }
    return RC_OK;
}

/* Out: *last. Returns: RC_NOT_FOUND if never written. */
static enum rc read_last_file(struct blockdb *db, uint32_t *last)
{
    const uint8_t key = KEY_LAST_FILE;
    uint8_t *value;
    size_t len;
    enum rc rc = kv_get(db->kv, &key, 1, &value, &len);

    *last = 0;
    if (rc != RC_OK)
        return rc;
    if (len >= 4)
        *last = get_le32(value);
    free(value);
    if (len < 4 || *last >= MAX_FILES) {
        storage_error_set("The block index database has an impossible number of the last block file");
        return RC_CORRUPT;
    }
    return RC_OK;
}

enum rc blockdb_read_files(struct blockdb *db, struct blockfile_info **infos, unsigned *last)
{
    uint32_t n;
    bool found;
    enum rc rc = read_last_file(db, &n);

    *infos = NULL;
    *last = 0;
    if (rc != RC_OK && rc != RC_NOT_FOUND)
        return rc;
    found = rc == RC_OK;
    *infos = xcalloc((size_t)n + 1, sizeof(**infos));
    /* Files of the given range may lack an entry; beyond it, whatever is there counts, up to the first gap. */
    for (unsigned i = 0; i < MAX_FILES; i++) {
        struct blockfile_info info;
        rc = read_info(db, i, &info);
        if (rc == RC_NOT_FOUND && i > n)
            break;
        if (rc != RC_OK && rc != RC_NOT_FOUND)
            break;
        found |= rc == RC_OK;
        if (i > n)
            *infos = xrealloc(*infos, ((size_t)i + 1) * sizeof(**infos));
        (*infos)[i] = info;
        *last = i;
    }
    if (rc == RC_NOT_FOUND && found)
        rc = RC_OK;
    if (rc != RC_OK) {
        free(*infos);
        *infos = NULL;
    }
    return rc;
}

enum rc blockdb_set_reindexing(struct blockdb *db, bool on)
{
    const uint8_t key = KEY_REINDEX;

    return on ? kv_put(db->kv, &key, 1, "1", 1, true) : kv_delete(db->kv, &key, 1, true);
}

bool blockdb_reindexing(struct blockdb *db)
{
    const uint8_t key = KEY_REINDEX;
    uint8_t *value;
    size_t len;
    enum rc rc = kv_get(db->kv, &key, 1, &value, &len);

    free(value);
    return rc == RC_OK;
}

static void write_flag_key(struct writer *w, const char *name)
{
    write_u8(w, KEY_FLAG);
    write_var_bytes(w, name, strlen(name));
}

enum rc blockdb_set_flag(struct blockdb *db, const char *name, bool on)
{
    struct writer key = WRITER_INIT;
    enum rc rc;

    write_flag_key(&key, name);
    rc = kv_put(db->kv, key.data, key.len, on ? "1" : "0", 1, true);
    writer_clear(&key);
    return rc;
}

enum rc blockdb_get_flag(struct blockdb *db, const char *name, bool *on)
{
    struct writer key = WRITER_INIT;
    uint8_t *value;
    size_t len;
    enum rc rc;

    *on = false;
    write_flag_key(&key, name);
    rc = kv_get(db->kv, key.data, key.len, &value, &len);
    if (rc == RC_OK)
        *on = len > 0 && value[0] == '1';
    free(value);
    writer_clear(&key);
    return rc;
}
