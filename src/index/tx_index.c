/* tx_index.c - finds transactions by id, in the format of Bitcoin Core 32: rows 'x', five bytes of a salted hash of the txid, number of the
 * block, offset in it, all in the key. Blocks are numbered as they come ('h' + hash to number, 's' + number to hash) and keep their numbers and
 * rows when they leave the active chain. Written by the index's own thread, read by any. */
#include "index/tx_index.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "primitives/serialize.h"
#include "records.h"
#include "store.h"
#include "util/log.h"
#include "util/mem.h"

#define CANDIDATES_MAX 64 /* rows of one hash; more than a few do not happen by chance */

struct tx_index {
    struct index *base;
    struct kv *kv;
    struct chain *chain;
    uint64_t salt[2];
    bool legacy;          /* rows of the old format are there */
    uint32_t next_number; /* the index's thread */
};

static uint64_t hash_of(const struct tx_index *x, const struct txid *id)
{
    return siphash13_jumbo(x->salt[0], x->salt[1], id->b) >> (64 - 8 * TX_ROW_HASH_BYTES);
}

/* ---- following the chain ---- */

static enum rc tx_start(void *impl, const struct block_entry *best)
{
    struct tx_index *x = impl;
    struct writer key = WRITER_INIT;
    uint8_t *value;
    size_t len;
    enum rc rc;

    (void)best;
    store_name_key(&key, "next_block_seq");
    rc = kv_get(x->kv, key.data, key.len, &value, &len);
    writer_clear(&key);
    if (rc != RC_OK)
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    rc = len == 4 ? RC_OK : RC_CORRUPT;
    if (rc == RC_OK)
        x->next_number = get_le32(value);
    free(value);
    return rc;
}

/* Has this block its rows already? Its ancestors have, but for genesis: where no others were numbered it is not looked for. */
static enum rc have_block(struct tx_index *x, const struct block_entry *e)
{
    uint8_t key[33] = {'h'}, *value;
    size_t len;
    enum rc rc;

    if (!x->legacy && x->next_number == (uint32_t)e->node.height - 1)
        return RC_NOT_FOUND;
    memcpy(key + 1, e->node.hash.b, 32);
    rc = kv_get(x->kv, key, sizeof(key), &value, &len);
    if (rc == RC_OK)
        free(value);
    return rc;
}

static void put_number(struct tx_index *x, struct kv_batch *batch, struct writer *w, const struct block_entry *e)
{
    uint8_t hash_key[33] = {'h'}, number[4];

    memcpy(hash_key + 1, e->node.hash.b, 32);
    put_le32(number, x->next_number);
    kv_batch_put(batch, hash_key, sizeof(hash_key), number, sizeof(number));
    w->len = 0;
    block_number_key(w, x->next_number);
    kv_batch_put(batch, w->data, w->len, e->node.hash.b, 32);
    w->len = 0;
    store_name_key(w, "next_block_seq");
    put_le32(number, x->next_number + 1);
    kv_batch_put(batch, w->data, w->len, number, sizeof(number));
}

static int compare_rows(const void *pa, const void *pb)
{
    const struct tx_row *a = pa, *b = pb;

    return (a->hash > b->hash) - (a->hash < b->hash);
}

/* In the order of the keys: the database takes them faster so. */
static void put_rows(struct tx_index *x, struct kv_batch *batch, struct writer *w, const struct block *b)
{
    struct tx_row *rows = xmalloc(b->n_tx * sizeof(*rows));

    for (uint32_t i = 0; i < b->n_tx; i++)
        rows[i] = (struct tx_row){hash_of(x, &b->tx[i].txid), x->next_number, (uint32_t)(b->tx[i].raw - b->raw)};
    qsort(rows, b->n_tx, sizeof(*rows), compare_rows);
    for (uint32_t i = 0; i < b->n_tx; i++) {
        w->len = 0;
        tx_row_encode(w, &rows[i]);
        kv_batch_put(batch, w->data, w->len, "", 0);
    }
    free(rows);
}

static enum rc tx_append(void *impl, const struct block_entry *e, const struct block *b, const struct block_undo *undo)
{
    struct tx_index *x = impl;
    struct kv_batch *batch;
    struct writer w = WRITER_INIT;
    enum rc rc;

    (void)undo;
    if (!e->node.prev) /* the genesis coinbase is no coin */
        return RC_OK;
    rc = have_block(x, e);
    if (rc != RC_NOT_FOUND)
        return rc;
    batch = kv_batch_new(x->kv);
    put_number(x, batch, &w, e);
    put_rows(x, batch, &w, b);
    rc = kv_batch_write(batch, false);
    if (rc == RC_OK)
        x->next_number++;
    kv_batch_free(batch);
    writer_clear(&w);
    return rc;
}

static enum rc tx_remove(void *impl, const struct block_entry *e)
{
    (void)impl;
    (void)e;
    return RC_OK;
}

static enum rc tx_commit(void *impl, struct kv_batch *batch)
{
    (void)impl;
    (void)batch;
    return RC_OK;
}

static const struct index_ops ops = {
    .name = TX_INDEX_NAME,
    .thread_name = "txidx",
    .place_name = "best_block_v2",
    .start = tx_start,
    .append = tx_append,
    .remove = tx_remove,
    .commit = tx_commit,
};

/* ---- looking up ---- */

struct candidate {
    const struct block_entry *block;
    uint32_t number, offset;
    bool active;
};

/* The entry of a block's number; NULL with a warning. */
static const struct block_entry *block_of(struct tx_index *x, uint32_t number, const struct txid *id)
{
    const struct block_entry *e = NULL;
    struct writer key = WRITER_INIT;
    struct block_hash hash;
    uint8_t *value;
    size_t len;
    enum rc rc;

    block_number_key(&key, number);
    rc = kv_get(x->kv, key.data, key.len, &value, &len);
    writer_clear(&key);
    if (rc != RC_OK || len != 32) {
        log_warning("Block sequence %u not found for txid %s", number, txid_hex(id).s);
    } else {
        memcpy(hash.b, value, 32);
        e = chain_lookup(x->chain, &hash);
        if (!e)
            log_warning("Block index entry %s not found for txid %s", block_hash_hex(&hash).s, txid_hex(id).s);
    }
    if (rc == RC_OK)
        free(value);
    return e;
}

static bool add_candidate(struct tx_index *x, struct candidate *c, const struct tx_row *row, const struct txid *id)
{
    struct entry_facts f;

    *c = (struct candidate){.block = block_of(x, row->number, id), .number = row->number, .offset = row->offset};
    if (!c->block)
        return false;
    chain_facts(x->chain, c->block, &f);
    c->active = f.active;
    return f.status & BLOCK_HAVE_DATA;
}

/* Active blocks first, then the latest. */
static int compare_candidates(const void *pa, const void *pb)
{
    const struct candidate *a = pa, *b = pb;

    if (a->active != b->active)
        return b->active - a->active;
    return (a->number < b->number) - (a->number > b->number);
}

static enum rc find_candidates(struct tx_index *x, struct candidate *c, size_t *n, const struct txid *id)
{
    struct kv_iter *it = kv_iter_new(x->kv);
    struct writer prefix = WRITER_INIT;
    struct tx_row row = {.hash = hash_of(x, id)};
    enum rc rc;

    *n = 0;
    tx_row_prefix(&prefix, row.hash);
    for (kv_iter_seek(it, prefix.data, prefix.len); kv_iter_valid(it) && *n < CANDIDATES_MAX; kv_iter_next(it)) {
        struct reader key = kv_iter_key(it);

        if (reader_left(&key) < prefix.len || memcmp(key.pos, prefix.data, prefix.len) != 0)
            break;
        if (tx_row_decode(&row, &key) && add_candidate(x, &c[*n], &row, id))
            (*n)++;
    }
    rc = kv_iter_status(it);
    writer_clear(&prefix);
    kv_iter_free(it);
    return rc;
}

/* By a row of the old format. */
static enum rc find_legacy(struct tx_index *x, struct tx **tx, const struct block_entry **block, const struct txid *id)
{
    uint8_t key[33] = {'t'}, *value;
    struct tx_position at;
    struct reader r;
    size_t len;
    enum rc rc;

    memcpy(key + 1, id->b, 32);
    rc = kv_get(x->kv, key, sizeof(key), &value, &len);
    if (rc != RC_OK)
        return rc;
    r = reader_make(value, len);
    rc = tx_position_decode(&at, &r) && reader_done(&r) ? RC_OK : RC_CORRUPT;
    free(value);
    if (rc != RC_OK)
        return rc;
    if (chain_read_tx_at(x->chain, tx, block, at.block, BLOCK_HEADER_SIZE + at.offset) != RC_OK) {
        log_error("txindex: the transaction %s cannot be read where the index says", txid_hex(id).s);
        return RC_NOT_FOUND;
    }
    if (txid_equal(&(*tx)->txid, id))
        return RC_OK;
    log_error("txid mismatch");
    tx_unref(*tx);
    return RC_NOT_FOUND;
}

enum rc tx_index_find(struct tx_index *x, struct tx **tx, const struct block_entry **block, const struct txid *id)
{
    struct candidate c[CANDIDATES_MAX];
    size_t n;
    enum rc rc = find_candidates(x, c, &n, id);

    *tx = NULL;
    if (rc != RC_OK)
        return rc;
    qsort(c, n, sizeof(c[0]), compare_candidates);
    for (size_t i = 0; i < n; i++) {
        if (chain_read_tx(x->chain, tx, c[i].block, c[i].offset) != RC_OK) {
            log_warning("txindex: a transaction in block %s cannot be read", block_hash_hex(&c[i].block->node.hash).s);
            continue;
        }
        *block = c[i].block;
        if (txid_equal(&(*tx)->txid, id))
            return RC_OK;
        tx_unref(*tx);
    }
    *tx = NULL;
    return x->legacy ? find_legacy(x, tx, block, id) : RC_NOT_FOUND;
}

/* ---- opening ---- */

static bool has_legacy(struct kv *kv)
{
    struct kv_iter *it = kv_iter_new(kv);
    struct reader key;
    bool found = false;

    kv_iter_seek(it, "t", 1);
    if (kv_iter_valid(it)) {
        key = kv_iter_key(it);
        found = read_u8(&key) == 't';
    }
    kv_iter_free(it);
    return found;
}

enum rc tx_index_open(struct tx_index **out, const struct index_setup *s, char **error)
{
    struct tx_index *x = xcalloc(1, sizeof(*x));
    struct index_options io = {.chain = s->chain, .ops = &ops, .impl = x, .fatal = s->fatal, .ctx = s->ctx};
    enum rc rc;

    *out = NULL;
    *error = NULL;
    x->chain = s->chain;
    rc = store_open(&x->kv, s, true, error);
    if (rc == RC_OK) {
        struct writer key = WRITER_INIT;

        store_name_key(&key, "txid_hash_salt");
        rc = store_salt(x->salt, x->kv, key.data, key.len);
        writer_clear(&key);
        if (rc != RC_OK)
            *error = xasprintf("Cannot read the state of %s: %s", TX_INDEX_NAME, kv_last_error());
    }
    if (rc == RC_OK) {
        x->legacy = has_legacy(x->kv);
        if (x->legacy)
            log_info(
                "txindex contains entries in the legacy format, which uses excessive disk space. To reclaim disk space, stop the "
                "node, delete %s and restart to rebuild the index.",
                s->dir);
        io.kv = x->kv;
        rc = index_new(&x->base, &io, error);
    }
    if (rc != RC_OK) {
        tx_index_close(x);
        return rc;
    }
    *out = x;
    return RC_OK;
}

void tx_index_close(struct tx_index *x)
{
    if (!x)
        return;
    index_free(x->base);
    kv_close(x->kv);
    free(x);
}

struct index *tx_index_base(struct tx_index *x)
{
    return x->base;
}
