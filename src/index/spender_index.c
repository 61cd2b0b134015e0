/* spender_index.c - finds the transaction of the active chain that spent an output. A row is all key: hash of the outpoint and position of the
 * spender; whether it really spends the outpoint is seen when it is read. Written by the index's own thread, read by any. */
#include "index/spender_index.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "records.h"
#include "store.h"
#include "util/log.h"
#include "util/mem.h"

struct spender_index {
    struct index *base;
    struct kv *kv;
    struct chain *chain;
    uint64_t salt[2];
    /* the index's thread: blocks taken back since the place was stored last, whose rows are still there */
    const struct block_entry **gone;
    size_t n_gone, cap_gone;
};

static uint64_t hash_of(const struct spender_index *x, const struct outpoint *o)
{
    return siphash_hash_u32(x->salt[0], x->salt[1], o->txid.b, o->n);
}

/* ---- following the chain ---- */

static int compare_rows(const void *pa, const void *pb)
{
    const struct spender_row *a = pa, *b = pb;

    return (a->hash > b->hash) - (a->hash < b->hash);
}

/* Adds rows to a batch or deletes them, about in the order of their keys: the database takes them faster so. */
static void batch_rows(struct kv_batch *batch, struct spender_row *rows, size_t n, bool add)
{
    struct writer w = WRITER_INIT;

    qsort(rows, n, sizeof(*rows), compare_rows);
    for (size_t i = 0; i < n; i++) {
        w.len = 0;
        spender_row_encode(&w, &rows[i]);
        if (add)
            kv_batch_put(batch, w.data, w.len, "", 0);
        else
            kv_batch_delete(batch, w.data, w.len);
    }
    writer_clear(&w);
}

static void batch_block(struct spender_index *x, struct kv_batch *batch, const struct block_entry *e, const struct block *b,
                        bool add)
{
    struct spender_row *rows;
    struct entry_facts f;
    size_t n = 0;

    chain_facts(x->chain, e, &f);
    for (uint32_t i = 1; i < b->n_tx; i++)
        n += b->tx[i].n_in;
    if (!n)
        return;
    rows = xmalloc(n * sizeof(*rows));
    n = 0;
    for (uint32_t i = 1; i < b->n_tx; i++) {
        struct tx_position at = {f.pos, (uint32_t)(b->tx[i].raw - b->raw) - BLOCK_HEADER_SIZE};

        for (uint32_t j = 0; j < b->tx[i].n_in; j++)
            rows[n++] = (struct spender_row){hash_of(x, b->tx[i].in[j].prevout), at};
    }
    batch_rows(batch, rows, n, add);
    free(rows);
}

static enum rc sp_start(void *impl, const struct block_entry *best)
{
    (void)impl;
    (void)best;
    return RC_OK;
}

static enum rc sp_append(void *impl, const struct block_entry *e, const struct block *b, const struct block_undo *undo)
{
    struct spender_index *x = impl;
    struct kv_batch *batch = kv_batch_new(x->kv);
    enum rc rc;

    (void)undo;
    for (size_t i = 0; i < x->n_gone; i++) {
        if (x->gone[i] == e) { /* once at most: it came again in between */
            x->gone[i] = x->gone[--x->n_gone];
            break;
        }
    }
    batch_block(x, batch, e, b, true);
    rc = kv_batch_write(batch, false);
    kv_batch_free(batch);
    return rc;
}

/* Its rows go together with the old place: a node that is killed before begins there again, and the chain may come back to this branch. Readers pass
 * over them meanwhile. */
static enum rc sp_remove(void *impl, const struct block_entry *e)
{
    struct spender_index *x = impl;

    if (x->n_gone == x->cap_gone) {
        x->cap_gone = x->cap_gone ? x->cap_gone * 2 : 16;
        x->gone = xrealloc(x->gone, x->cap_gone * sizeof(*x->gone));
    }
    x->gone[x->n_gone++] = e;
    return RC_OK;
}

static enum rc sp_commit(void *impl, struct kv_batch *batch)
{
    struct spender_index *x = impl;

    while (x->n_gone) {
        const struct block_entry *e = x->gone[x->n_gone - 1];
        struct block *b;
        enum rc rc = chain_read_block(x->chain, &b, e);

        if (rc == RC_OK) {
            batch_block(x, batch, e, b, false);
            block_unref(b);
        } else if (rc != RC_NOT_FOUND) { /* without its block a row finds nothing */
            return rc;
        }
        x->n_gone--;
    }
    return RC_OK;
}

static const struct index_ops ops = {
    .name = SPENDER_INDEX_NAME,
    .thread_name = "txospenderidx",
    .start = sp_start,
    .append = sp_append,
    .remove = sp_remove,
    .commit = sp_commit,
};

/* ---- looking up ---- */

static bool spends(const struct tx *tx, const struct outpoint *o)
{
    for (uint32_t i = 0; i < tx->n_in; i++)
        if (outpoint_equal(tx->in[i].prevout, o))
            return true;
    return false;
}

/* Does a transaction of the block stand there? */
static enum rc begins_tx(struct spender_index *x, bool *yes, const struct block_entry *e, uint32_t offset)
{
    struct block *b;
    enum rc rc = chain_read_block(x->chain, &b, e);

    *yes = false;
    if (rc != RC_OK)
        return rc;
    for (uint32_t i = 0; i < b->n_tx && !*yes; i++)
        *yes = (uint32_t)(b->tx[i].raw - b->raw) == offset;
    block_unref(b);
    return RC_OK;
}

/* Reads the transaction of a row. After a crash rows may stand for blocks that the chain does not have any more, or has elsewhere, and others may
 * have taken their places: RC_NOT_FOUND. */
static enum rc read_row(struct spender_index *x, struct tx **tx, const struct block_entry **block, struct reader *key,
                        const struct outpoint *o)
{
    struct spender_row row;
    bool there;
    enum rc rc;

    if (!spender_row_decode(&row, key))
        return RC_CORRUPT;
    *block = NULL;
    rc = chain_read_tx_at(x->chain, tx, block, row.at.block, BLOCK_HEADER_SIZE + row.at.offset);
    if (rc == RC_CORRUPT && *block && begins_tx(x, &there, *block, BLOCK_HEADER_SIZE + row.at.offset) == RC_OK && !there)
        return RC_NOT_FOUND;
    if (rc != RC_OK)
        return rc == RC_INVALID ? RC_NOT_FOUND : rc == RC_NOT_FOUND ? RC_CORRUPT : rc;
    if (index_covers(x->base, *block) && spends(*tx, o))
        return RC_OK;
    tx_unref(*tx);
    return RC_NOT_FOUND;
}

enum rc spender_index_find(struct spender_index *x, struct tx **tx, const struct block_entry **block, const struct outpoint *o)
{
    struct kv_iter *it = kv_iter_new(x->kv);
    struct writer prefix = WRITER_INIT;
    enum rc rc = RC_NOT_FOUND;

    spender_row_prefix(&prefix, hash_of(x, o));
    for (kv_iter_seek(it, prefix.data, prefix.len); rc == RC_NOT_FOUND && kv_iter_valid(it); kv_iter_next(it)) {
        struct reader key = kv_iter_key(it);

        if (reader_left(&key) < prefix.len || memcmp(key.pos, prefix.data, prefix.len) != 0)
            break;
        rc = read_row(x, tx, block, &key, o);
    }
    if (rc == RC_NOT_FOUND && kv_iter_status(it) != RC_OK)
        rc = RC_IO;
    if (rc != RC_OK) {
        *tx = NULL;
        *block = NULL;
    }
    if (rc != RC_OK && rc != RC_NOT_FOUND)
        log_error("txospenderindex: the transaction that spends %s:%u cannot be read (%s)", txid_hex(&o->txid).s, o->n,
                  rc_name(rc));
    writer_clear(&prefix);
    kv_iter_free(it);
    return rc;
}

/* ---- opening ---- */

enum rc spender_index_open(struct spender_index **out, const struct index_setup *s, char **error)
{
    struct spender_index *x = xcalloc(1, sizeof(*x));
    struct index_options io = {.chain = s->chain, .ops = &ops, .impl = x, .fatal = s->fatal, .ctx = s->ctx};
    enum rc rc;

    *out = NULL;
    *error = NULL;
    x->chain = s->chain;
    rc = store_open(&x->kv, s, true, error);
    if (rc == RC_OK) {
        static const char key[] = "siphash_key"; /* with its NUL and without a length: Core's key is a C string here */

        rc = store_salt(x->salt, x->kv, key, sizeof(key));
        if (rc != RC_OK)
            *error = xasprintf("Cannot read the state of %s: %s", SPENDER_INDEX_NAME, kv_last_error());
    }
    if (rc == RC_OK) {
        io.kv = x->kv;
        rc = index_new(&x->base, &io, error);
    }
    if (rc != RC_OK) {
        spender_index_close(x);
        return rc;
    }
    *out = x;
    return RC_OK;
}

void spender_index_close(struct spender_index *x)
{
    if (!x)
        return;
    index_free(x->base);
    kv_close(x->kv);
    free(x->gone);
    free(x);
}

struct index *spender_index_base(struct spender_index *x)
{
    return x->base;
}
