/* filter_index.c - stores and finds basic block filters. Written by the index's own thread, read by any. */
#include "index/filter_index.h"

#include <stdlib.h>
#include <string.h>

#include "index/blockfilter.h"
#include "primitives/serialize.h"
#include "storage/flatfiles.h"
#include "store.h"
#include "util/fs.h"
#include "util/mem.h"

#define MIB (1u << 20)
#define RECORD_HEAD (32 + 9) /* block hash and the longest CompactSize in front of a filter */

struct filter_index {
    struct index *base;
    struct kv *kv;
    struct flatfiles *files;
    uint32_t file_size;
    /* the index's thread */
    struct disk_pos next; /* where the next filter goes */
    struct hash256 last_header;
};

/* What is known of a filter. */
struct record {
    struct hash256 hash, header;
    struct disk_pos at;
};

static const uint8_t next_key[1] = {'P'};

static void write_pos(struct writer *w, struct disk_pos at)
{
    write_varint(w, (uint64_t)at.file);
    write_varint(w, at.pos);
}

static struct disk_pos read_pos(struct reader *r)
{
    struct disk_pos at;
    uint32_t file = read_varint32(r);

    if (file > INT32_MAX)
        reader_fail(r);
    at.file = (int32_t)file;
    at.pos = read_varint32(r);
    return at;
}

static void write_record(struct writer *w, const struct record *rec)
{
    write_bytes(w, rec->hash.b, 32);
    write_bytes(w, rec->header.b, 32);
    write_pos(w, rec->at);
}

static void read_record(struct record *rec, struct reader *r)
{
    read_copy(r, rec->hash.b, 32);
    read_copy(r, rec->header.b, 32);
    rec->at = read_pos(r);
}

/* ---- looking up ---- */

static enum rc find(struct filter_index *fi, struct record *rec, const struct block_entry *e)
{
    struct reader r;
    uint8_t *value;
    size_t len;
    enum rc rc = store_block_get(fi->kv, &value, &len, e);

    if (rc != RC_OK)
        return rc;
    r = reader_make(value, len);
    read_record(rec, &r);
    free(value);
    return reader_done(&r) ? RC_OK : RC_CORRUPT;
}

enum rc filter_index_header(struct filter_index *fi, struct hash256 *header, const struct block_entry *e)
{
    struct record rec;
    enum rc rc = find(fi, &rec, e);

    if (rc == RC_OK)
        *header = rec.header;
    return rc;
}

enum rc filter_index_hash(struct filter_index *fi, struct hash256 *hash, const struct block_entry *e)
{
    struct record rec;
    enum rc rc = find(fi, &rec, e);

    if (rc == RC_OK)
        *hash = rec.hash;
    return rc;
}

/* Reads the filter behind the head of a record. */
static enum rc read_body(struct filter_index *fi, uint8_t *out, size_t len, struct disk_pos at, size_t head)
{
    size_t got;
    enum rc rc;

    at.pos += (uint32_t)head;
    rc = flatfiles_read(fi->files, out, len, &got, at);
    if (rc != RC_OK)
        return rc == RC_NOT_FOUND || rc == RC_INVALID ? RC_CORRUPT : rc;
    return got == len ? RC_OK : RC_CORRUPT;
}

enum rc filter_index_read(struct filter_index *fi, uint8_t **filter, size_t *len, const struct block_entry *e)
{
    uint8_t head[RECORD_HEAD];
    struct hash256 hash;
    struct record rec;
    struct reader r;
    uint64_t size;
    size_t got;
    enum rc rc = find(fi, &rec, e);

    *filter = NULL;
    if (rc != RC_OK)
        return rc;
    rc = flatfiles_read(fi->files, head, sizeof(head), &got, rec.at);
    if (rc != RC_OK)
        return rc == RC_IO ? rc : RC_CORRUPT;
    r = reader_make(head, got);
    read_bytes(&r, 32);
    size = read_compact_size(&r);
    if (r.failed || size > fi->file_size || memcmp(head, e->node.hash.b, 32) != 0)
        return RC_CORRUPT;
    *len = (size_t)size;
    *filter = xmalloc(*len ? *len : 1);
    rc = read_body(fi, *filter, *len, rec.at, (size_t)(r.pos - head));
    if (rc == RC_OK) {
        filter_hash(&hash, *filter, *len);
        rc = memcmp(hash.b, rec.hash.b, 32) == 0 ? RC_OK : RC_CORRUPT;
    }
    if (rc != RC_OK) {
        free(*filter);
        *filter = NULL;
    }
    return rc;
}

/* ---- following the chain ---- */

static enum rc fi_start(void *impl, const struct block_entry *best)
{
    struct filter_index *fi = impl;
    struct reader r;
    uint8_t *value;
    size_t len;
    enum rc rc = kv_get(fi->kv, next_key, sizeof(next_key), &value, &len);

    if (rc == RC_OK) {
        r = reader_make(value, len);
        fi->next = read_pos(&r);
        free(value);
        rc = reader_done(&r) ? RC_OK : RC_CORRUPT;
    } else if (rc == RC_NOT_FOUND) {
        rc = RC_OK;
    }
    /* The last block stored may have been taken out again before a crash: then it is found by its hash. */
    if (rc == RC_OK && best)
        rc = filter_index_header(fi, &fi->last_header, best);
    return rc;
}

static enum rc store_filter(struct filter_index *fi, struct disk_pos *at, const struct block_hash *block,
                            const struct writer *filter)
{
    struct writer w = WRITER_INIT;
    enum rc rc;

    write_bytes(&w, block->b, 32);
    write_var_bytes(&w, filter->data, filter->len);
    rc = flatfiles_append(fi->files, at, &fi->next, w.data, w.len);
    writer_clear(&w);
    return rc;
}

static enum rc fi_append(void *impl, const struct block_entry *e, const struct block *b, const struct block_undo *undo)
{
    struct filter_index *fi = impl;
    struct writer filter = WRITER_INIT, value = WRITER_INIT;
    struct record rec;
    enum rc rc;

    filter_encode_basic(&filter, b, undo);
    filter_hash(&rec.hash, filter.data, filter.len);
    filter_header(&rec.header, &rec.hash, &fi->last_header);
    rc = store_filter(fi, &rec.at, &e->node.hash, &filter);
    if (rc == RC_OK) {
        write_record(&value, &rec);
        rc = store_block_put(fi->kv, e, value.data, value.len);
    }
    if (rc == RC_OK)
        fi->last_header = rec.header;
    writer_clear(&filter);
    writer_clear(&value);
    return rc;
}

static enum rc copy_to_hash(struct filter_index *fi, const struct block_entry *e, const struct record *rec)
{
    struct kv_batch *batch = kv_batch_new(fi->kv);
    struct writer w = WRITER_INIT;
    enum rc rc;

    write_record(&w, rec);
    store_block_keep(batch, e, w.data, w.len);
    w.len = 0;
    /* The filter stays in use: whatever happens, nothing may be written over it. */
    write_pos(&w, fi->next);
    kv_batch_put(batch, next_key, sizeof(next_key), w.data, w.len);
    rc = kv_batch_write(batch, false);
    kv_batch_free(batch);
    writer_clear(&w);
    return rc;
}

/* The height's record will be overwritten by the block that takes e's place: e's is kept under its hash. */
static enum rc fi_remove(void *impl, const struct block_entry *e)
{
    struct filter_index *fi = impl;
    struct record rec;
    enum rc rc = flatfiles_sync(fi->files);

    if (rc == RC_OK)
        rc = find(fi, &rec, e);
    if (rc == RC_OK)
        rc = copy_to_hash(fi, e, &rec);
    if (rc != RC_OK)
        return rc;
    memset(&fi->last_header, 0, sizeof(fi->last_header));
    return e->node.prev ? filter_index_header(fi, &fi->last_header, entry_prev(e)) : RC_OK;
}

static enum rc fi_commit(void *impl, struct kv_batch *batch)
{
    struct filter_index *fi = impl;
    struct writer w = WRITER_INIT;
    enum rc rc = flatfiles_sync(fi->files);

    if (rc != RC_OK)
        return rc;
    write_pos(&w, fi->next);
    kv_batch_put(batch, next_key, sizeof(next_key), w.data, w.len);
    writer_clear(&w);
    return RC_OK;
}

static const struct index_ops ops = {
    .name = FILTER_INDEX_NAME,
    .thread_name = "blkfltbscidx",
    .needs_undo = true,
    .start = fi_start,
    .append = fi_append,
    .remove = fi_remove,
    .commit = fi_commit,
};

/* ---- opening ---- */

static enum rc open_stores(struct filter_index *fi, const struct filter_index_options *o, char **error)
{
    struct flatfiles_options fo = {
        .dir = o->dir, .prefix = "fltr", .max_size = fi->file_size, .chunk = o->file_size ? o->file_size : MIB, .wipe = o->wipe};
    struct index_setup db = {.cache_bytes = o->cache_bytes, .wipe = o->wipe};
    char *path;
    enum rc rc = flatfiles_open(&fi->files, &fo, error);

    if (rc != RC_OK)
        return rc;
    path = fs_join(o->dir, "db");
    db.dir = path;
    rc = store_open(&fi->kv, &db, false, error);
    free(path);
    return rc;
}

enum rc filter_index_open(struct filter_index **out, const struct filter_index_options *o, char **error)
{
    struct filter_index *fi = xcalloc(1, sizeof(*fi));
    struct index_options io = {.chain = o->chain, .ops = &ops, .impl = fi, .fatal = o->fatal, .ctx = o->ctx};
    enum rc rc;

    *out = NULL;
    *error = NULL;
    fi->file_size = o->file_size ? o->file_size : 16 * MIB;
    rc = open_stores(fi, o, error);
    if (rc == RC_OK) {
        io.kv = fi->kv;
        rc = index_new(&fi->base, &io, error);
    }
    if (rc != RC_OK) {
        filter_index_close(fi);
        return rc;
    }
    *out = fi;
    return RC_OK;
}

void filter_index_close(struct filter_index *fi)
{
    if (!fi)
        return;
    index_free(fi->base);
    kv_close(fi->kv);
    flatfiles_close(fi->files);
    free(fi);
}

struct index *filter_index_base(struct filter_index *fi)
{
    return fi->base;
}
