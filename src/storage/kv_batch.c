/* kv_batch.c - atomic batches of writes, and iteration over a snapshot. A batch or an iterator belongs to one thread. */
#include <stdlib.h>

#include "kv_internal.h"
#include "util/mem.h"

/* LevelDB's own form of a batch: a 12-byte header, and for each record a tag and the lengths as base-128 integers. */
#define BATCH_HEADER 12

struct kv_batch {
    struct kv *kv;
    leveldb_writebatch_t *batch;
    struct writer scratch; /* the value as it goes to disk */
    size_t size;
};

struct kv_iter {
    struct kv *kv;
    leveldb_iterator_t *it;
    struct writer scratch; /* the current value in the clear */
};

static size_t varint_len(size_t n)
{
    size_t len = 1;
    for (; n >= 128; n >>= 7)
        len++;
    return len;
}

struct kv_batch *kv_batch_new(struct kv *kv)
{
    struct kv_batch *b = xcalloc(1, sizeof(*b));

    b->kv = kv;
    b->batch = leveldb_writebatch_create();
    b->size = BATCH_HEADER;
    return b;
}

void kv_batch_put(struct kv_batch *b, const void *key, size_t key_len, const void *value, size_t len)
{
    if (!obfuscation_is_null(b->kv->key)) {
        b->scratch.len = 0;
        obfuscate_copy(writer_extend(&b->scratch, len), value, len, b->kv->key, 0);
        value = b->scratch.data;
    }
    leveldb_writebatch_put(b->batch, key, key_len, value, len);
    b->size += 1 + varint_len(key_len) + key_len + varint_len(len) + len;
}

void kv_batch_delete(struct kv_batch *b, const void *key, size_t key_len)
{
    leveldb_writebatch_delete(b->batch, key, key_len);
    b->size += 1 + varint_len(key_len) + key_len;
}

size_t kv_batch_size(const struct kv_batch *b)
{
    return b->size;
}

enum rc kv_batch_write(struct kv_batch *b, bool sync)
{
    char *err = NULL;

    leveldb_write(b->kv->db, sync ? b->kv->write_sync : b->kv->write, b->batch, &err);
    leveldb_writebatch_clear(b->batch);
    b->size = BATCH_HEADER;
    return kv_outcome(b->kv->path, err);
}

void kv_batch_free(struct kv_batch *b)
{
    if (!b)
        return;
    leveldb_writebatch_destroy(b->batch);
    writer_clear(&b->scratch);
    free(b);
}

struct kv_iter *kv_iter_new(struct kv *kv)
{
    struct kv_iter *it = xcalloc(1, sizeof(*it));

    it->kv = kv;
    it->it = leveldb_create_iterator(kv->db, kv->scan);
    return it;
}

void kv_iter_seek(struct kv_iter *it, const void *key, size_t key_len)
{
    leveldb_iter_seek(it->it, key, key_len);
}

void kv_iter_seek_floor(struct kv_iter *it, const void *key, size_t key_len)
{
    const char *at;
    size_t len;

    leveldb_iter_seek(it->it, key, key_len);
    if (!leveldb_iter_valid(it->it)) {
        leveldb_iter_seek_to_last(it->it);
        return;
    }
    at = leveldb_iter_key(it->it, &len);
    if (len != key_len || memcmp(at, key, len) != 0)
        leveldb_iter_prev(it->it);
}

bool kv_iter_valid(const struct kv_iter *it)
{
    return leveldb_iter_valid(it->it);
}

void kv_iter_next(struct kv_iter *it)
{
    leveldb_iter_next(it->it);
}

struct reader kv_iter_key(const struct kv_iter *it)
{
    size_t len;
    const char *key = leveldb_iter_key(it->it, &len);

    return reader_make(key, len);
}

struct reader kv_iter_value(struct kv_iter *it)
{
    size_t len;
    const uint8_t *value = (const uint8_t *)leveldb_iter_value(it->it, &len);

    if (obfuscation_is_null(it->kv->key))
        return reader_make(value, len);
    it->scratch.len = 0;
    obfuscate_copy(writer_extend(&it->scratch, len), value, len, it->kv->key, 0);
    return reader_make(it->scratch.data, len);
}

enum rc kv_iter_status(const struct kv_iter *it)
{
    char *err = NULL;

    leveldb_iter_get_error(it->it, &err);
    return kv_outcome(it->kv->path, err);
}

void kv_iter_free(struct kv_iter *it)
{
    if (!it)
        return;
    leveldb_iter_destroy(it->it);
    writer_clear(&it->scratch);
    free(it);
}
