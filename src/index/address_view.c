/* address_view.c - reading the address index. A view is two iterators, which stand upon one snapshot of the database. Any thread that may block. */
#include <stdlib.h>
#include <string.h>

#include "address_priv.h"
#include "util/mem.h"

struct address_view {
    struct address_index *x;
    struct kv_iter *it;            /* on rows of scripts and blocks */
    struct kv_iter *ids;           /* on those of transaction ids */
    const struct block_entry *tip; /* NULL: none, or one that the chain does not know yet */
    struct coinbase_pay *pay;      /* of the coinbases that are not mature; NULL: not read yet */
    size_t n_pay;
};

/* ---- what other files use as well ---- */

bool on_script(const struct kv_iter *it, char row, const struct short_key *script)
{
    uint8_t prefix[SCRIPT_PREFIX];
    struct reader r;
    const uint8_t *p;

    if (!kv_iter_valid(it))
        return false;
    r = kv_iter_key(it);
    p = read_bytes(&r, SCRIPT_PREFIX);
    key_script(prefix, row, script);
    return p && memcmp(p, prefix, SCRIPT_PREFIX) == 0;
}

bool seek_history(struct kv_iter *it, const struct short_key *script, uint64_t place)
{
    uint8_t key[HISTORY_KEY];

    kv_iter_seek_floor(it, key, key_history(key, script, place));
    return on_script(it, ROW_HISTORY, script);
}

static bool is_on(const struct kv_iter *it, const uint8_t *key, size_t len)
{
    struct reader r;

    if (!kv_iter_valid(it))
        return false;
    r = kv_iter_key(it);
    return reader_left(&r) == len && memcmp(r.pos, key, len) == 0;
}

enum rc read_txid(struct txid *id, struct kv_iter *it, uint64_t place)
{
    uint8_t key[TXIDS_KEY];
    uint32_t pos = place_pos(place);
    struct reader r;

    key_txids(key, place_height(place), pos / TXIDS_GROUP);
    if (!is_on(it, key, sizeof(key)))
        kv_iter_seek(it, key, sizeof(key));
    if (!is_on(it, key, sizeof(key)))
        return kv_iter_status(it) == RC_OK ? RC_CORRUPT : kv_iter_status(it);
    r = kv_iter_value(it);
    read_bytes(&r, 32 * (size_t)(pos % TXIDS_GROUP));
    read_copy(&r, id->b, 32);
    return r.failed ? RC_CORRUPT : RC_OK;
}

static enum rc add_rows(struct script_totals *t, struct kv_iter *it, const struct short_key *script, uint64_t *rows)
{
    uint8_t key[HISTORY_KEY];

    kv_iter_seek(it, key, key_history(key, script, t->n_txs ? t->last + 1 : 0));
    for (*rows = 0; on_script(it, ROW_HISTORY, script); kv_iter_next(it), ++*rows) {
        struct reader r = kv_iter_value(it);
        struct history_item item;
        uint64_t prev;
        bool first = true;

        if (!history_key_place(&prev, kv_iter_key(it)))
            return RC_CORRUPT;
        for (; read_history_item(&item, &r, prev, first); first = false) {
            totals_add(t, &item);
            prev = item.place;
        }
        if (r.failed)
            return RC_CORRUPT;
    }
    return kv_iter_status(it);
}

enum rc read_sums(struct script_totals *t, struct kv_iter *it, const struct short_key *script, uint64_t *rows_behind)
{
    uint8_t key[TOTALS_KEY];
    enum rc rc;

    *t = (struct script_totals){0};
    kv_iter_seek(it, key, key_totals(key, script, MAX_PLACE_HEIGHT));
    if (on_script(it, ROW_TOTALS, script) && !read_totals(t, kv_iter_value(it)))
        return RC_CORRUPT;
    rc = add_rows(t, it, script, rows_behind);
    return rc == RC_OK && t->n_txs == 0 ? RC_NOT_FOUND : rc;
}

/* ---- views ---- */

enum rc address_view_open(struct address_view **out, struct address_index *x)
{
    struct address_view *v;
    enum rc rc;

    *out = NULL;
    pthread_mutex_lock(&x->lock);
    rc = rows_follow(x);
    if (rc == RC_OK) {
        v = xcalloc(1, sizeof(*v));
        v->x = x;
        v->it = kv_iter_new(x->kv);
        v->ids = kv_iter_new(x->kv); /* the same snapshot: nobody writes without the lock but the follower, and its place only */
        v->tip = x->rows.height < 0 ? NULL : chain_lookup(x->chain, &x->rows.hash);
        *out = v;
    }
    pthread_mutex_unlock(&x->lock);
    return rc;
}

void address_view_close(struct address_view *v)
{
    if (!v)
        return;
    kv_iter_free(v->it);
    kv_iter_free(v->ids);
    free(v->pay);
    free(v);
}

const struct block_entry *address_view_tip(const struct address_view *v)
{
    return v->tip;
}

enum rc address_view_summary(struct address_view *v, struct address_summary *out, const struct script_hash *h)
{
    struct short_key script = short_script(&v->x->secret, h);
    struct script_totals t;
    uint64_t behind;
    enum rc rc = read_sums(&t, v->it, &script, &behind);

    *out = (struct address_summary){.balance = t.balance,
                                    .received = t.received,
                                    .n_txs = t.n_txs,
                                    .n_coins = t.n_coins,
                                    .first_height = t.first_height,
                                    .last_height = place_height(t.last)};
    return rc;
}

/* ---- immature coins: what the last coinbases pay ---- */

static enum rc add_pays(struct address_view *v, size_t *cap)
{
    struct reader r = kv_iter_value(v->it);
    struct coinbase_pay p;

    read_bytes(&r, 32);
    while (read_coinbase_pay(&p, &r)) {
        if (v->n_pay == *cap) {
            *cap = *cap * 2;
            v->pay = xrealloc(v->pay, *cap * sizeof(*v->pay));
        }
        v->pay[v->n_pay++] = p;
    }
    return r.failed ? RC_CORRUPT : RC_OK;
}

static int by_script(const void *a, const void *b)
{
    const struct coinbase_pay *x = a, *y = b;

    if (x->script.a != y->script.a)
        return x->script.a < y->script.a ? -1 : 1;
    return x->script.b < y->script.b ? -1 : x->script.b > y->script.b;
}

static enum rc read_pays(struct address_view *v, int32_t from)
{
    uint8_t key[BLOCK_KEY];
    size_t cap = 128;
    enum rc rc = RC_OK;

    v->pay = xmalloc(cap * sizeof(*v->pay));
    kv_iter_seek(v->it, key, key_block(key, ROW_BLOCK, from));
    while (rc == RC_OK && kv_iter_valid(v->it)) {
        struct reader r = kv_iter_key(v->it);

        if (read_u8(&r) != ROW_BLOCK)
            break;
        rc = add_pays(v, &cap);
        kv_iter_next(v->it);
    }
    if (v->n_pay)
        qsort(v->pay, v->n_pay, sizeof(*v->pay), by_script);
    return rc == RC_OK ? kv_iter_status(v->it) : rc;
}

enum rc address_view_immature(struct address_view *v, int64_t *out, const struct script_hash *h)
{
    struct coinbase_pay key = {.script = short_script(&v->x->secret, h)}, *hit;
    enum rc rc = RC_OK;

    *out = 0;
    if (!v->pay && v->tip) {
        /* A coinbase may be spent in the 100th block behind its own, that is by the next block if it is 99 deep. */
        int32_t from = v->tip->node.height + 2 - COINBASE_MATURITY;
        rc = read_pays(v, from > 1 ? from : 1);
    }
    if (rc != RC_OK || !v->n_pay)
        return rc;
    hit = bsearch(&key, v->pay, v->n_pay, sizeof(key), by_script);
    if (!hit)
        return RC_OK;
    while (hit > v->pay && by_script(hit - 1, &key) == 0)
        hit--;
    for (; hit < v->pay + v->n_pay && by_script(hit, &key) == 0; hit++)
        *out += hit->value;
    return RC_OK;
}

/* ---- history ---- */

struct walk {
    struct address_view *v;
    uint64_t from;
    int32_t to_height;
    bool (*fn)(void *ctx, const struct address_tx *tx);
    void *ctx;
};

/* Shows one transaction. Returns: RC_INTERRUPTED if the visitor has enough, or the height is passed. */
static enum rc show_item(const struct walk *w, const struct history_item *item)
{
    struct address_tx tx = {
        .at = {place_height(item->place), place_pos(item->place)}, .received = item->received, .spent = item->spent};
    enum rc rc;

    if (item->place < w->from)
        return RC_OK;
    if (w->to_height >= 0 && tx.at.height > w->to_height)
        return RC_INTERRUPTED;
    rc = read_txid(&tx.txid, w->v->ids, item->place);
    return rc != RC_OK || w->fn(w->ctx, &tx) ? rc : RC_INTERRUPTED;
}

static enum rc show_row(const struct walk *w)
{
    struct reader r = kv_iter_value(w->v->it);
    struct history_item item;
    uint64_t prev;
    bool first = true;
    enum rc rc = RC_OK;

    if (!history_key_place(&prev, kv_iter_key(w->v->it)))
        return RC_CORRUPT;
    for (; rc == RC_OK && read_history_item(&item, &r, prev, first); first = false) {
        rc = show_item(w, &item);
        prev = item.place;
    }
    return r.failed ? RC_CORRUPT : rc;
}

enum rc address_view_history(struct address_view *v, const struct script_hash *h, struct address_place from, int32_t to_height,
                             bool (*fn)(void *ctx, const struct address_tx *tx), void *ctx)
{
    struct walk w = {v, place_number(from.height < 0 ? 0 : from.height, from.pos), to_height, fn, ctx};
    struct short_key script = short_script(&v->x->secret, h);
    uint8_t key[HISTORY_KEY];
    enum rc rc = RC_OK;

    if (from.height > MAX_PLACE_HEIGHT || from.pos > 0xffff)
        return RC_OK;
    if (!seek_history(v->it, &script, w.from))
        kv_iter_seek(v->it, key, key_history(key, &script, w.from));
    for (; rc == RC_OK && on_script(v->it, ROW_HISTORY, &script); kv_iter_next(v->it))
        rc = show_row(&w);
    if (rc == RC_OK)
        rc = kv_iter_status(v->it);
    return rc == RC_INTERRUPTED ? RC_OK : rc;
}

/* ---- unspent outputs ---- */

/* Those of one block, which stand in the database by the hash of their outpoints. */
struct coins_of_block {
    struct coin_row *row;
    size_t n, cap;
};

static int by_pos(const void *a, const void *b)
{
    const struct coin_row *x = a, *y = b;

    if (x->pos != y->pos)
        return x->pos < y->pos ? -1 : 1;
    return x->n < y->n ? -1 : x->n > y->n;
}

/* Reads the coins of the block in which the iterator stands. Out: *height. */
static enum rc load_coins(struct coins_of_block *c, int32_t *height, struct kv_iter *it, const struct short_key *script)
{
    for (c->n = 0; on_script(it, ROW_COIN, script); kv_iter_next(it)) {
        struct reader key = kv_iter_key(it);
        const uint8_t *p;
        int32_t at;

        read_bytes(&key, SCRIPT_PREFIX);
        p = read_bytes(&key, 3 + SHORT_KEY);
        if (!p || !reader_done(&key))
            return RC_CORRUPT;
        at = p[0] << 16 | p[1] << 8 | p[2];
        if (c->n && at != *height)
            break;
        *height = at;
        if (c->n == c->cap) {
            c->cap = c->cap ? c->cap * 2 : 16;
            c->row = xrealloc(c->row, c->cap * sizeof(*c->row));
        }
        if (!read_coin_row(&c->row[c->n], kv_iter_value(it)))
            return RC_CORRUPT;
        c->n++;
    }
    if (c->n)
        qsort(c->row, c->n, sizeof(*c->row), by_pos);
    return kv_iter_status(it);
}

/* Returns: RC_INTERRUPTED if the visitor has enough. */
static enum rc show_coins(struct address_view *v, const struct coins_of_block *c, int32_t height, uint32_t from_pos,
                          bool (*fn)(void *ctx, const struct address_coin *coin), void *ctx)
{
    for (size_t i = 0; i < c->n; i++) {
        struct address_coin coin = {
            .at = {height, c->row[i].pos}, .outpoint.n = c->row[i].n, .value = c->row[i].value, .coinbase = c->row[i].pos == 0};
        enum rc rc;

        if (coin.at.pos < from_pos)
            continue;
        rc = read_txid(&coin.outpoint.txid, v->ids, place_number(height, coin.at.pos));
        if (rc != RC_OK)
            return rc;
        if (!fn(ctx, &coin))
            return RC_INTERRUPTED;
    }
    return RC_OK;
}

enum rc address_view_coins(struct address_view *v, const struct script_hash *h, struct address_place from,
                           bool (*fn)(void *ctx, const struct address_coin *coin), void *ctx)
{
    struct short_key script = short_script(&v->x->secret, h), none = {0, 0};
    struct coins_of_block c = {0};
    int32_t start = from.height < 0 ? 0 : from.height, height = 0;
    uint8_t key[COIN_KEY];
    enum rc rc = RC_OK;

    if (start > MAX_PLACE_HEIGHT)
        return RC_OK;
    kv_iter_seek(v->it, key, key_coin(key, &script, start, &none));
    do {
        rc = load_coins(&c, &height, v->it, &script);
        if (rc == RC_OK)
            rc = show_coins(v, &c, height, height == start ? from.pos : 0, fn, ctx);
    } while (rc == RC_OK && c.n);
    free(c.row);
    return rc == RC_INTERRUPTED ? RC_OK : rc;
}
