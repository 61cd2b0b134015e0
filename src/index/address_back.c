/* address_back.c - takes blocks off the rows of the address index again: histories are cut, coins that the block made go, those that it spent come
 * back. The block comes from the chain, or from the database itself where the chain may have lost it in a crash. Called by address_index.c under
 * the index's lock. */
#include <stdlib.h>
#include <string.h>

#include "address_priv.h"
#include "util/mem.h"

struct back {
    struct address_index *x;
    struct kv_iter *it; /* as it was before this block is taken off */
    struct kv_batch *batch;
    int32_t height;
    struct touch *touch;
    size_t n_touch, cap_touch;
    enum rc rc; /* the first that failed */
};

enum rc rows_block(struct address_index *x, struct block_hash *hash, int32_t height)
{
    uint8_t key[BLOCK_KEY], *value;
    size_t len;
    enum rc rc;

    if (height == x->rows.height) {
        *hash = x->rows.hash;
        return RC_OK;
    }
    rc = kv_get(x->kv, key, key_block(key, ROW_BLOCK, height), &value, &len);
    if (rc != RC_OK)
        return rc == RC_NOT_FOUND ? RC_CORRUPT : rc;
    if (len < 32)
        rc = RC_CORRUPT;
    else
        memcpy(hash->b, value, 32);
    free(value);
    return rc;
}

/* ---- the block itself ---- */

static enum rc decode_way_back(struct block **b, struct block_undo **undo, const uint8_t *value, size_t len)
{
    struct reader r = reader_make(value, len);
    uint32_t raw_len = read_u32(&r);
    const uint8_t *raw = read_bytes(&r, raw_len);

    *undo = NULL;
    *b = raw ? block_decode_copy(raw, raw_len) : NULL;
    if (*b && reader_left(&r) > 0)
        *undo = block_undo_decode(r.pos, reader_left(&r));
    return *b ? RC_OK : RC_CORRUPT;
}

static enum rc read_from_chain(struct address_index *x, struct block **b, struct block_undo **undo)
{
    const struct block_entry *e = chain_lookup(x->chain, &x->rows.hash);
    enum rc rc = e ? chain_read_block(x->chain, b, e) : RC_NOT_FOUND;

    if (rc == RC_OK && e->node.prev && (rc = chain_read_undo(x->chain, undo, e)) != RC_OK) {
        block_unref(*b);
        *b = NULL;
    }
    return rc;
}

/* Does the undo record fit the block? Both come from disk. */
static bool fits(const struct block *b, const struct block_undo *undo)
{
    if (!undo || undo->n_tx + 1 != b->n_tx)
        return false;
    for (uint32_t i = 0; i < undo->n_tx; i++)
        if (undo->tx[i].n != b->tx[i + 1].n_in)
            return false;
    return true;
}

static enum rc read_last_block(struct address_index *x, struct block **b, struct block_undo **undo)
{
    uint8_t key[BLOCK_KEY], *value;
    size_t len;
    enum rc rc = kv_get(x->kv, key, key_block(key, ROW_WAY_BACK, x->rows.height), &value, &len);

    *b = NULL;
    *undo = NULL;
    if (rc == RC_OK) {
        rc = decode_way_back(b, undo, value, len);
        free(value);
    } else if (rc == RC_NOT_FOUND) {
        rc = read_from_chain(x, b, undo);
    }
    if (rc == RC_OK && (!block_hash_equal(&(*b)->hash, &x->rows.hash) || (x->rows.height > 0 && !fits(*b, *undo)))) {
        block_unref(*b);
        if (*undo)
            block_undo_free(*undo);
        rc = RC_CORRUPT;
    }
    return rc;
}

/* ---- coins ---- */

/* Is it this transaction's place? */
static bool is_place_of(struct back *k, uint64_t place, const struct txid *id)
{
    struct txid found;

    k->rc = read_txid(&found, k->it, place);
    return k->rc == RC_OK && txid_equal(&found, id);
}

/* The position of a transaction in its block: among those that paid the script there. The row of a coin that was spent holds it no more. */
static bool find_pos(struct back *k, uint32_t *pos, const struct short_key *script, int32_t height, const struct txid *id)
{
    uint64_t at = place_number(height, 0xffff);

    while (seek_history(k->it, script, at)) {
        struct reader row = kv_iter_value(k->it);
        struct history_item item[HISTORY_ROW_ITEMS];
        uint64_t first, prev;
        unsigned n = 0;

        if (!history_key_place(&first, kv_iter_key(k->it)))
            break;
        for (prev = first; n < HISTORY_ROW_ITEMS && read_history_item(&item[n], &row, prev, n == 0); n++)
            prev = item[n].place;
        if (row.failed)
            break;
        for (unsigned i = n; i-- > 0 && k->rc == RC_OK;) {
            if (place_height(item[i].place) == height && item[i].n_out && is_place_of(k, item[i].place, id)) {
                *pos = place_pos(item[i].place);
                return true;
            }
        }
        if (k->rc != RC_OK || first <= place_number(height, 0))
            break;
        at = first - 1;
    }
    if (k->rc == RC_OK)
        k->rc = RC_CORRUPT;
    return false;
}

static void note_touch(struct back *k, const struct short_key *script)
{
    if (k->n_touch == k->cap_touch) {
        k->cap_touch = k->cap_touch ? k->cap_touch * 2 : 256;
        k->touch = xrealloc(k->touch, k->cap_touch * sizeof(*k->touch));
    }
    k->touch[k->n_touch++] = (struct touch){.a = script->a, .b = script->b};
}

static void back_out(void *ctx, const struct script_hash *h, const struct outpoint *o, uint32_t pos, int64_t value)
{
    struct back *k = ctx;
    struct short_key script = short_script(&k->x->secret, h), outpoint = short_outpoint(&k->x->secret, o);
    uint8_t key[COIN_KEY];

    (void)pos;
    (void)value;
    note_touch(k, &script);
    kv_batch_delete(k->batch, key, key_coin(key, &script, k->height, &outpoint));
}

static void back_in(void *ctx, const struct script_hash *h, const struct outpoint *o, uint32_t pos, const struct coin *coin)
{
    struct back *k = ctx;
    struct short_key script = short_script(&k->x->secret, h), outpoint = short_outpoint(&k->x->secret, o);
    struct writer w = WRITER_INIT;
    uint8_t key[COIN_KEY];
    uint32_t made;

    (void)pos;
    note_touch(k, &script);
    if (k->rc != RC_OK || (int32_t)coin->height >= k->height || !find_pos(k, &made, &script, (int32_t)coin->height, &o->txid))
        return;
    write_coin_row(&w, &(struct coin_row){made, o->n, coin->out.value});
    kv_batch_put(k->batch, key, key_coin(key, &script, (int32_t)coin->height, &outpoint), w.data, w.len);
    writer_clear(&w);
}

/* ---- history ---- */

/* Rewrites a row without what is at the height or behind it. */
static void cut_row(struct back *k, const struct short_key *script, uint64_t first)
{
    struct reader r = kv_iter_value(k->it);
    struct writer w = WRITER_INIT;
    struct history_item item;
    uint64_t prev = first;
    uint8_t key[HISTORY_KEY];

    while (read_history_item(&item, &r, prev, w.len == 0) && place_height(item.place) < k->height) {
        write_history_item(&w, &item, prev, w.len == 0);
        prev = item.place;
    }
    if (r.failed)
        k->rc = RC_CORRUPT;
    key_history(key, script, first);
    if (w.len)
        kv_batch_put(k->batch, key, sizeof(key), w.data, w.len);
    else
        kv_batch_delete(k->batch, key, sizeof(key));
    writer_clear(&w);
}

static void cut_history(struct back *k, const struct short_key *script)
{
    uint8_t key[TOTALS_KEY];
    uint64_t at = place_number(k->height, 0xffff), first;

    kv_batch_delete(k->batch, key, key_totals(key, script, k->height));
    while (k->rc == RC_OK && seek_history(k->it, script, at)) {
        if (!history_key_place(&first, kv_iter_key(k->it))) {
            k->rc = RC_CORRUPT;
            return;
        }
        cut_row(k, script, first);
        if (place_height(first) < k->height)
            return;
        at = first - 1;
    }
}

static void cut_histories(struct back *k)
{
    uint32_t *order = xmalloc((k->n_touch + 1) * sizeof(*order));
    const struct touch *prev = NULL;

    order_touches(order, k->touch, k->n_touch);
    for (size_t i = 0; i < k->n_touch && k->rc == RC_OK; i++) {
        const struct touch *t = &k->touch[order[i]];

        if (!prev || prev->a != t->a || prev->b != t->b)
            cut_history(k, &(struct short_key){t->a, t->b});
        prev = t;
    }
    free(order);
}

/* ---- all of it ---- */

static void delete_block_rows(struct back *k, const struct block *b)
{
    uint8_t key[TXIDS_KEY];

    kv_batch_delete(k->batch, key, key_block(key, ROW_BLOCK, k->height));
    kv_batch_delete(k->batch, key, key_block(key, ROW_WAY_BACK, k->height));
    for (uint32_t i = 0; i < b->n_tx; i += TXIDS_GROUP)
        kv_batch_delete(k->batch, key, key_txids(key, k->height, i / TXIDS_GROUP));
}

enum rc rows_back(struct address_index *x)
{
    struct rows_tip tip = {.height = x->rows.height - 1};
    struct block_walk walk = {NULL, back_out, back_in};
    struct back k = {.x = x, .height = x->rows.height};
    struct block_undo *undo;
    struct block *b;
    enum rc rc = read_last_block(x, &b, &undo);

    if (rc != RC_OK)
        return rc;
    k.it = kv_iter_new(x->kv);
    k.batch = kv_batch_new(x->kv);
    walk.ctx = &k;
    walk_block(&walk, k.height, b, undo);
    if (k.rc == RC_OK)
        cut_histories(&k);
    delete_block_rows(&k, b);
    tip.hash = b->header.prev;
    batch_put_tip(k.batch, &tip);
    if (k.rc == RC_OK)
        k.rc = kv_iter_status(k.it);
    if (k.rc == RC_OK)
        k.rc = kv_batch_write(k.batch, false);
    if (k.rc == RC_OK)
        x->rows = tip;
    kv_iter_free(k.it);
    kv_batch_free(k.batch);
    free(k.touch);
    block_unref(b);
    if (undo)
        block_undo_free(undo);
    return k.rc;
}

enum rc rows_forget_ways(struct address_index *x, struct kv_batch *batch, int32_t height)
{
    uint8_t key[BLOCK_KEY];
    struct kv_iter *it;
    enum rc rc;

    if (x->lowest_back > height)
        return RC_OK;
    it = kv_iter_new(x->kv);
    kv_iter_seek(it, key, key_block(key, ROW_WAY_BACK, x->lowest_back));
    x->lowest_back = INT32_MAX;
    for (; kv_iter_valid(it); kv_iter_next(it)) {
        struct reader r = kv_iter_key(it);
        const uint8_t *p = read_bytes(&r, BLOCK_KEY);
        int32_t at;

        if (!p || p[0] != ROW_WAY_BACK)
            break;
        at = p[1] << 16 | p[2] << 8 | p[3];
        if (at > height) {
            x->lowest_back = at;
            break;
        }
        kv_batch_delete(batch, p, BLOCK_KEY);
    }
    rc = kv_iter_status(it);
    kv_iter_free(it);
    return rc;
}
