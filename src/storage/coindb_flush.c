/* coindb_flush.c - the flush that moves the coins from one block to another, in batches of bounded size. The validation thread.
 *
 * Changes are collected, put in the order of their keys and handed to LevelDB batch by batch: in the coins cache's random order
 * its sorted table of recent writes costs five times as much. */
#include <stdlib.h>
#include <string.h>

#include "coindb_internal.h"
#include "error.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/random.h"

#define REMOVED UINT32_MAX
/* Offsets within a batch are 32 bits wide. */
#define BATCH_LIMIT ((size_t)1 << 30)

struct change {
    uint64_t rank;      /* first bytes of the txid, as a number that sorts as they do */
    uint32_t n;         /* of the outpoint */
    uint32_t at;        /* of the key in `data`; the value follows */
    uint32_t value_len; /* REMOVED: delete */
    uint32_t key_len;
};

struct coindb_flush {
    struct coindb *db;
    struct kv_batch *batch;
    struct block_hash best;
    size_t batch_bytes;
    struct writer data; /* keys and values of the changes */
    struct change *change;
    size_t n, cap;
};

/* The block that the coins stood at before this flush, or before the unfinished one that it completes. */
static enum rc old_tip(struct coindb *db, const struct block_hash *new_best, struct block_hash *out)
{
    struct block_hash heads[2];
    enum rc rc = coindb_best_block(db, out);

    if (rc != RC_NOT_FOUND)
        return rc;
    rc = coindb_head_blocks(db, heads);
    if (rc != RC_OK)
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    if (!block_hash_equal(&heads[0], new_best)) {
        storage_error_set("The coins database detected an inconsistent state, likely due to a previous crash or shutdown. You will "
                          "need to restart with the -reindex-chainstate or -reindex configuration option.");
        return RC_INVALID;
    }
    *out = heads[1];
    return RC_OK;
}

void coindb_tune(struct coindb *db, const struct coindb_tuning *tuning)
{
    db->tuning = *tuning;
}

enum rc coindb_flush_begin(struct coindb_flush **out, struct coindb *db, const struct block_hash *new_best, size_t batch_bytes)
{
    const uint8_t best_key = KEY_BEST, heads_key = KEY_HEADS;
    uint8_t heads[1 + 64] = {2};
    struct block_hash old;
    struct coindb_flush *f;
    enum rc rc = old_tip(db, new_best, &old);

    *out = NULL;
    if (rc != RC_OK)
        return rc;
    if (db->tuning.batch_bytes)
        batch_bytes = db->tuning.batch_bytes;
    f = xcalloc(1, sizeof(*f));
    f->db = db;
    f->best = *new_best;
    f->batch_bytes = batch_bytes < BATCH_LIMIT ? batch_bytes : BATCH_LIMIT;
    f->batch = kv_batch_new(db->kv);
    memcpy(heads + 1, new_best->b, 32);
    memcpy(heads + 33, old.b, 32);
    kv_batch_delete(f->batch, &best_key, 1);
    kv_batch_put(f->batch, &heads_key, 1, heads, sizeof(heads));
    *out = f;
    return RC_OK;
}

/* Nearly the order of the keys, which is all that speed needs; changes of one coin stay in the order of time, so the last counts. */
static int compare_changes(const void *a, const void *b)
{
    const struct change *x = a, *y = b;

    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    if (x->n != y->n)
        return x->n < y->n ? -1 : 1;
    return x->at < y->at ? -1 : 1;
}

/* Moves the changes into the batch, in order. */
static void drain(struct coindb_flush *f)
{
    if (f->n > 1)
        qsort(f->change, f->n, sizeof(*f->change), compare_changes);
    for (size_t i = 0; i < f->n; i++) {
        const struct change *c = &f->change[i];
        const uint8_t *key = f->data.data + c->at;
        if (c->value_len == REMOVED)
            kv_batch_delete(f->batch, key, c->key_len);
        else
            kv_batch_put(f->batch, key, c->key_len, key + c->key_len, c->value_len);
    }
    f->n = 0;
    f->data.len = 0;
}

/* Begins a change; the caller appends the value to data and sets value_len. */
static struct change *add_change(struct coindb_flush *f, const struct outpoint *o)
{
    uint8_t key[COIN_KEY_MAX];
    struct change *c;

    if (f->n == f->cap) {
        f->cap = f->cap ? f->cap * 2 : 1024;
        f->change = xrealloc(f->change, f->cap * sizeof(*f->change));
    }
    c = &f->change[f->n++];
    c->rank = get_be64(o->txid.b);
    c->n = o->n;
    c->at = (uint32_t)f->data.len;
    c->key_len = (uint32_t)coindb_key(key, o);
    c->value_len = REMOVED;
    write_bytes(&f->data, key, c->key_len);
    return c;
}

/* The state on disk is what a power cut would leave here: nothing is closed, no other thread waited for. */
static void crash_if_asked(uint64_t ratio)
{
    if (!ratio || random_u64() % ratio)
        return;
    log_error("Simulating a crash. Goodbye.");
    _Exit(0);
}

/* Each batch is synced: LevelDB may start a new log between two of them, and a power cut could then lose the older one alone,
 * behind a database that says it is whole. */
static enum rc write_if_full(struct coindb_flush *f)
{
    enum rc rc;

    if (f->data.len <= f->batch_bytes)
        return RC_OK;
    drain(f);
    rc = kv_batch_write(f->batch, true);
    if (rc == RC_OK)
        crash_if_asked(f->db->tuning.crash_ratio);
    return rc;
}

enum rc coindb_flush_put(struct coindb_flush *f, const struct outpoint *o, const struct coin *c)
{
    struct change *change = add_change(f, o);

    coin_write(&f->data, c);
    change->value_len = (uint32_t)f->data.len - change->at - change->key_len;
    return write_if_full(f);
}

enum rc coindb_flush_remove(struct coindb_flush *f, const struct outpoint *o)
{
    add_change(f, o);
    return write_if_full(f);
}

enum rc coindb_flush_end(struct coindb_flush *f)
{
    const uint8_t best_key = KEY_BEST, heads_key = KEY_HEADS;
    enum rc rc;

    drain(f);
    kv_batch_delete(f->batch, &heads_key, 1);
    kv_batch_put(f->batch, &best_key, 1, f->best.b, 32);
    rc = kv_batch_write(f->batch, true);
    coindb_flush_abandon(f);
    return rc;
}

void coindb_flush_abandon(struct coindb_flush *f)
{
    if (!f)
        return;
    kv_batch_free(f->batch);
    writer_clear(&f->data);
    free(f->change);
    free(f);
}
