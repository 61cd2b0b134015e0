/* kv.h - an ordered key-value store; the only door to LevelDB. Values can be obfuscated as Bitcoin Core does (key "\0obfuscate_key").
 * Reads, writes and iterators may be used from any thread at once (LevelDB's own guarantee). */
#ifndef FARTHING_STORAGE_KV_H
#define FARTHING_STORAGE_KV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/bytes.h"
#include "util/rc.h"

struct kv;
struct kv_options {
    size_t cache_bytes; /* block cache and write buffers together */
    size_t write_bytes; /* of one write buffer, of which there can be two; 0: a quarter of cache_bytes */
    bool wipe;          /* delete what is there first */
    bool obfuscate;     /* new database: make a random obfuscation key; an existing one keeps what it has */
    unsigned max_files; /* open files, 0: default */
    size_t
        table_bytes; /* of one file, 0: 32 MiB as Bitcoin Core's. What is merged at a time, and read through mappings, is some ten of them */
    bool no_bloom; /* no filters in new tables: the store is searched through iterators, which do not use them */
};
/** Opens or makes a database. Out: *kv; *error (to free) names what is wrong on failure. */
enum rc kv_open(struct kv **kv, const char *path, const struct kv_options *options, char **error);
void kv_close(struct kv *kv);

/** Reads a value. Out: *value is malloc'ed, *len. Returns: RC_NOT_FOUND if absent, RC_CORRUPT, RC_IO. */
enum rc kv_get(struct kv *kv, const void *key, size_t key_len, uint8_t **value, size_t *len);
enum rc kv_put(struct kv *kv, const void *key, size_t key_len, const void *value, size_t len, bool sync);
enum rc kv_delete(struct kv *kv, const void *key, size_t key_len, bool sync);
bool kv_is_empty(struct kv *kv);
/** Rewrites all tables in order (-forcecompactdb). Blocks for long. */
void kv_compact(struct kv *kv);
/** Waits while LevelDB is behind with merging, which makes a merge larger and maps more of its files at a time the longer it lasts; ten seconds
 *  at most. For who writes much, between batches; any thread. */
void kv_wait_merged(struct kv *kv);
/** LevelDB's estimate of the bytes on disk of a key range. */
uint64_t kv_approximate_size(struct kv *kv, const void *from, size_t from_len, const void *to, size_t to_len);
/** Why the last failed operation of this thread failed (LevelDB's text), "" if none. */
const char *kv_last_error(void);

struct kv_batch;
struct kv_batch *kv_batch_new(struct kv *kv);
void kv_batch_put(struct kv_batch *b, const void *key, size_t key_len, const void *value, size_t len);
void kv_batch_delete(struct kv_batch *b, const void *key, size_t key_len);
/** Approximate bytes held. */
size_t kv_batch_size(const struct kv_batch *b);
/** Writes atomically and empties the batch. sync: on disk before it returns. */
enum rc kv_batch_write(struct kv_batch *b, bool sync);
void kv_batch_free(struct kv_batch *b);

/* Iteration over a consistent snapshot taken at its creation; stands nowhere until the first seek (an empty key: the first
 * entry). Key and value are borrowed until the next step. */
struct kv_iter;
struct kv_iter *kv_iter_new(struct kv *kv);
void kv_iter_seek(struct kv_iter *it, const void *key, size_t key_len);
/** The last entry whose key is not greater. */
void kv_iter_seek_floor(struct kv_iter *it, const void *key, size_t key_len);
bool kv_iter_valid(const struct kv_iter *it);
void kv_iter_next(struct kv_iter *it);
struct reader kv_iter_key(const struct kv_iter *it);
struct reader kv_iter_value(struct kv_iter *it);
/** RC_OK unless iteration met an error. */
enum rc kv_iter_status(const struct kv_iter *it);
void kv_iter_free(struct kv_iter *it);

#endif
