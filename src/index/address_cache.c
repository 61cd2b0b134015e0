/* address_cache.c - collects what blocks do to scripts and writes it in one batch: many blocks at once while the chain is synced, so that rows of
 * one script become one row and coins that come and go leave no trace. Runs on the index's thread, and on that of a reader who wants to see what is
 * pending, under the index's lock. */
#include <stdlib.h>
#include <string.h>

#include "address_priv.h"
#include "util/mem.h"

#define TOTALS_EVERY 256 /* weight of a script's rows, about, from one row of totals to the next */
#define ITEMS_A_ROW 8    /* that many transactions weigh as much as one more row */

/* ---- a block ---- */

/* Coinbases that are overwritten later can never be spent. */
static bool is_lost(const struct block *b, int32_t height, uint32_t pos)
{
    return pos == 0 && bip30_is_unspendable(height, &b->hash);
}

void walk_block(const struct block_walk *walk, int32_t height, const struct block *b, const struct block_undo *undo)
{
    for (uint32_t pos = 0; pos < b->n_tx && height > 0; pos++) {
        const struct tx *tx = &b->tx[pos];

        for (uint32_t i = 0; i < tx->n_out && !is_lost(b, height, pos); i++) {
            const struct tx_out *out = &tx->out[i];
            struct script_hash h;

            if (script_is_unspendable(out->script, out->script_len))
                continue;
            h = script_hash_of(out->script, out->script_len);
            walk->out(walk->ctx, &h, &(struct outpoint){tx->txid, i}, pos, out->value);
        }
        for (uint32_t i = 0; pos > 0 && i < tx->n_in; i++) {
            const struct coin *coin = &undo->tx[pos - 1].coin[i];
            struct script_hash h = script_hash_of(coin->out.script, coin->out.script_len);

            walk->in(walk->ctx, &h, tx->in[i].prevout, pos, coin);
        }
    }
}

static void add_touch(struct address_index *x, const struct short_key *script, uint32_t pos, int64_t value, bool in)
{
    if (x->n_touch == x->cap_touch) {
        x->cap_touch = x->cap_touch ? x->cap_touch * 2 : 1024;
        x->touch = xrealloc(x->touch, x->cap_touch * sizeof(*x->touch));
    }
    x->touch[x->n_touch++] = (struct touch){script->a, value, script->b, x->rows.height, (uint16_t)pos, in};
}

static struct coin_change *add_coin(struct address_index *x)
{
    if (x->n_coin == x->cap_coin) {
        x->cap_coin = x->cap_coin ? x->cap_coin * 2 : 1024;
        x->coin = xrealloc(x->coin, x->cap_coin * sizeof(*x->coin));
    }
    return &x->coin[x->n_coin++];
}

static void take_out(void *ctx, const struct script_hash *h, const struct outpoint *o, uint32_t pos, int64_t value)
{
    struct address_index *x = ctx;
    struct short_key script = short_script(&x->secret, h);

    add_touch(x, &script, pos, value, false);
    *add_coin(x) = (struct coin_change){script, short_outpoint(&x->secret, o), value, x->rows.height, o->n, (uint16_t)pos, false};
}

static void take_in(void *ctx, const struct script_hash *h, const struct outpoint *o, uint32_t pos, const struct coin *coin)
{
    struct address_index *x = ctx;
    struct short_key script = short_script(&x->secret, h);

    add_touch(x, &script, pos, coin->out.value, true);
    *add_coin(x) = (struct coin_change){
        script, short_outpoint(&x->secret, o), coin->out.value, (int32_t)coin->height, o->n, (uint16_t)pos, true};
}

static void put_txids(struct address_index *x, const struct block *b)
{
    uint8_t key[TXIDS_KEY], ids[TXIDS_GROUP * 32];

    for (uint32_t i = 0; i < b->n_tx; i += TXIDS_GROUP) {
        uint32_t n = b->n_tx - i < TXIDS_GROUP ? b->n_tx - i : TXIDS_GROUP;

        for (uint32_t k = 0; k < n; k++)
            memcpy(ids + 32 * (size_t)k, b->tx[i + k].txid.b, 32);
        key_txids(key, x->rows.height, i / TXIDS_GROUP);
        kv_batch_put(x->batch, key, sizeof(key), ids, 32 * (size_t)n);
    }
}

/* The block's hash, and behind it what the coinbase pays: first_coin is its first output among the changes. */
static void put_block(struct address_index *x, size_t first_coin)
{
    uint8_t key[BLOCK_KEY];
    struct writer w = WRITER_INIT;

    key_block(key, ROW_BLOCK, x->rows.height);
    write_bytes(&w, x->rows.hash.b, 32);
    for (size_t i = first_coin; i < x->n_coin && x->coin[i].pos == 0 && !x->coin[i].spent; i++)
        write_coinbase_pay(&w, &(struct coinbase_pay){x->coin[i].script, x->coin[i].value});
    kv_batch_put(x->batch, key, sizeof(key), w.data, w.len);
    writer_clear(&w);
}

static void put_way_back(struct address_index *x, const struct block *b, const struct block_undo *undo)
{
    uint8_t key[BLOCK_KEY];
    struct writer w = WRITER_INIT;

    key_block(key, ROW_WAY_BACK, x->rows.height);
    write_u32(&w, b->raw_len);
    write_bytes(&w, b->raw, b->raw_len);
    if (undo)
        block_undo_encode(&w, undo);
    kv_batch_put(x->batch, key, sizeof(key), w.data, w.len);
    writer_clear(&w);
    if (x->rows.height < x->lowest_back)
        x->lowest_back = x->rows.height;
}

void cache_block(struct address_index *x, const struct block_entry *e, const struct block *b, const struct block_undo *undo,
                 bool way_back)
{
    struct block_walk walk = {x, take_out, take_in};
    size_t first_coin = x->n_coin;

    x->rows = (struct rows_tip){e->node.height, e->node.hash};
    x->pending = true;
    walk_block(&walk, e->node.height, b, undo);
    put_txids(x, b);
    put_block(x, first_coin);
    if (way_back)
        put_way_back(x, b, undo);
}

/* ---- sorting: keys are evenly spread, so that one distribution leaves next to nothing to do ---- */

#define BUCKET_BITS 16

/* Out: order: the numbers 0..n-1 by the bucket of each, otherwise in their order. */
static void distribute(uint32_t *order, const void *first, size_t stride, size_t n)
{
    uint32_t *count = xcalloc((1u << BUCKET_BITS) + 1, sizeof(*count));
    const uint8_t *p = first;
    uint64_t key;

    for (size_t i = 0; i < n; i++) {
        memcpy(&key, p + i * stride, sizeof(key));
        count[(key >> (64 - BUCKET_BITS)) + 1]++;
    }
    for (size_t i = 1; i < 1u << BUCKET_BITS; i++)
        count[i + 1] += count[i];
    for (size_t i = 0; i < n; i++) {
        memcpy(&key, p + i * stride, sizeof(key));
        order[count[key >> (64 - BUCKET_BITS)]++] = (uint32_t)i;
    }
    free(count);
}

static bool touch_after(const struct touch *x, const struct touch *y)
{
    return x->a != y->a ? x->a > y->a : x->b > y->b;
}

void order_touches(uint32_t *order, const struct touch *touch, size_t n)
{
    if (n == 0)
        return; /* and there is no first */
    distribute(order, &touch->a, sizeof(*touch), n);
    for (size_t i = 1; i < n; i++) {
        uint32_t moved = order[i];
        size_t k = i;

        for (; k > 0 && touch_after(&touch[order[k - 1]], &touch[moved]); k--)
            order[k] = order[k - 1];
        order[k] = moved;
    }
}

static bool coin_after(const struct coin_change *x, const struct coin_change *y)
{
    return x->outpoint.a != y->outpoint.a ? x->outpoint.a > y->outpoint.a : x->outpoint.b > y->outpoint.b;
}

static void order_coins(uint32_t *order, const struct coin_change *coin, size_t n)
{
    if (n == 0)
        return;
    distribute(order, &coin->outpoint.a, sizeof(*coin), n);
    for (size_t i = 1; i < n; i++) {
        uint32_t moved = order[i];
        size_t k = i;

        for (; k > 0 && coin_after(&coin[order[k - 1]], &coin[moved]); k--)
            order[k] = order[k - 1];
        order[k] = moved;
    }
}

/* ---- writing ---- */

/* State of writing the history. */
struct history_writer {
    struct address_index *x;
    struct kv_iter *it; /* the database in front of this batch; made when it is needed */
    struct writer row;
    uint64_t first, prev;
    unsigned items, rows;
    struct short_key script;
    struct script_totals sums; /* of this batch */
};

static void end_row(struct history_writer *h)
{
    uint8_t key[HISTORY_KEY];

    if (!h->items)
        return;
    key_history(key, &h->script, h->first);
    kv_batch_put(h->x->batch, key, sizeof(key), h->row.data, h->row.len);
    h->row.len = 0;
    h->items = 0;
    h->rows++;
}

static void add_item(struct history_writer *h, const struct history_item *item)
{
    if (h->items == HISTORY_ROW_ITEMS)
        end_row(h);
    if (!h->items)
        h->first = h->prev = item->place;
    write_history_item(&h->row, item, h->prev, h->items == 0);
    h->prev = item->place;
    h->items++;
    totals_add(&h->sums, item);
}

/* May the script have rows in the database? From now on it has. */
static bool has_past(struct address_index *x, const struct short_key *script)
{
    uint32_t bit = script->b % SEEN_BITS;
    bool seen = x->seen_all || x->seen[bit / 8] >> bit % 8 & 1;

    x->seen[bit / 8] |= (uint8_t)(1 << bit % 8);
    return seen;
}

/* Now and then the sums of all that a script ever did are written, so that no reader has to add up more than some rows. Looking at each script's
 * past would cost more than all the rest: those that come often are remembered, of the others chance picks some, which nobody outside can foresee,
 * and a script without a past needs none. */
static bool wants_totals(const struct history_writer *h)
{
    struct busy_script *busy = &h->x->busy[h->script.a % BUSY_SCRIPTS];
    unsigned weight = h->rows + (unsigned)(h->sums.n_txs / ITEMS_A_ROW);
    uint64_t lot = (h->script.a ^ h->script.b ^ h->sums.last) * 0x9e3779b97f4a7c15u;
    uint16_t tag = (uint16_t)h->script.b;
    bool past = has_past(h->x, &h->script);

    if (weight >= TOTALS_EVERY)
        return true;
    if (busy->tag == tag || !busy->weight) {
        busy->tag = tag;
        busy->weight = (uint16_t)(busy->weight + weight);
    } else {
        busy->weight--; /* another one's: whoever comes more often keeps the place */
    }
    if (busy->weight >= TOTALS_EVERY) {
        busy->weight = 0;
        return true;
    }
    return past && (lot >> 32) % h->x->totals_lot < weight;
}

static enum rc put_totals(struct history_writer *h)
{
    struct script_totals t;
    struct writer w = WRITER_INIT;
    uint8_t key[TOTALS_KEY];
    uint64_t behind;
    enum rc rc;

    if (!h->it)
        h->it = kv_iter_new(h->x->kv);
    rc = read_sums(&t, h->it, &h->script, &behind);
    if (rc != RC_OK && rc != RC_NOT_FOUND)
        return rc;
    if (behind + h->rows < h->x->totals_gap)
        return RC_OK;
    if (t.n_txs == 0)
        t.first_height = h->sums.first_height;
    t.last = h->sums.last;
    t.n_txs += h->sums.n_txs;
    t.n_coins += h->sums.n_coins;
    t.received = (int64_t)((uint64_t)t.received + (uint64_t)h->sums.received);
    t.balance = (int64_t)((uint64_t)t.balance + (uint64_t)h->sums.balance);
    key_totals(key, &h->script, place_height(t.last));
    write_totals(&w, &t);
    kv_batch_put(h->x->batch, key, sizeof(key), w.data, w.len);
    writer_clear(&w);
    return RC_OK;
}

static enum rc end_script(struct history_writer *h)
{
    enum rc rc;

    end_row(h);
    rc = h->rows && wants_totals(h) ? put_totals(h) : RC_OK;
    h->rows = 0;
    h->sums = (struct script_totals){0};
    return rc;
}

static void add_to_item(struct history_item *item, const struct touch *t)
{
    if (t->in) {
        item->n_in++;
        item->spent += t->value;
    } else {
        item->n_out++;
        item->received += t->value;
    }
}

static enum rc put_history(struct address_index *x)
{
    uint32_t *order = xmalloc(x->n_touch * sizeof(*order));
    struct history_writer h = {.x = x};
    enum rc rc = RC_OK;

    order_touches(order, x->touch, x->n_touch);
    for (size_t i = 0; i < x->n_touch && rc == RC_OK;) {
        const struct touch *t = &x->touch[order[i]];
        struct history_item item = {.place = place_number(t->height, t->pos)};
        struct short_key script = {t->a, t->b};

        if (!short_key_equal(&script, &h.script)) {
            rc = end_script(&h);
            h.script = script;
        }
        for (; i < x->n_touch; i++) {
            const struct touch *u = &x->touch[order[i]];
            if (u->a != t->a || u->b != t->b || u->height != t->height || u->pos != t->pos)
                break;
            add_to_item(&item, u);
        }
        add_item(&h, &item);
    }
    if (rc == RC_OK)
        rc = end_script(&h);
    kv_iter_free(h.it);
    writer_clear(&h.row);
    free(order);
    return rc;
}

static void put_coin(struct address_index *x, const struct coin_change *c, struct writer *w)
{
    uint8_t key[COIN_KEY];

    key_coin(key, &c->script, c->height, &c->outpoint);
    if (c->spent) {
        kv_batch_delete(x->batch, key, sizeof(key));
        return;
    }
    w->len = 0;
    write_coin_row(w, &(struct coin_row){c->pos, c->n, c->value});
    kv_batch_put(x->batch, key, sizeof(key), w->data, w->len);
}

/* Does the second end what the first began? */
static bool cancels(const struct coin_change *made, const struct coin_change *spent)
{
    return !made->spent && spent->spent && made->height == spent->height && short_key_equal(&made->outpoint, &spent->outpoint) &&
           short_key_equal(&made->script, &spent->script);
}

static void put_coins(struct address_index *x)
{
    uint32_t *order = xmalloc(x->n_coin * sizeof(*order));
    struct writer w = WRITER_INIT;

    order_coins(order, x->coin, x->n_coin);
    for (size_t i = 0; i < x->n_coin; i++) {
        if (i + 1 < x->n_coin && cancels(&x->coin[order[i]], &x->coin[order[i + 1]]))
            i++;
        else
            put_coin(x, &x->coin[order[i]], &w);
    }
    writer_clear(&w);
    free(order);
}

void batch_put_tip(struct kv_batch *b, const struct rows_tip *tip)
{
    struct writer w = WRITER_INIT;

    write_u32(&w, (uint32_t)tip->height);
    write_bytes(&w, tip->hash.b, 32);
    kv_batch_put(b, (const uint8_t[]){ROW_STATE}, 1, w.data, w.len);
    writer_clear(&w);
}

enum rc cache_flush(struct address_index *x)
{
    enum rc rc;

    if (!x->pending)
        return RC_OK;
    rc = put_history(x);
    if (rc != RC_OK)
        return rc;
    put_coins(x);
    batch_put_tip(x->batch, &x->rows);
    rc = kv_batch_write(x->batch, false);
    x->n_touch = x->n_coin = 0;
    x->pending = false;
    return rc;
}

void cache_clear(struct address_index *x)
{
    free(x->touch);
    free(x->coin);
    kv_batch_free(x->batch);
}
