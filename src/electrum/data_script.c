/* data_script.c - what sessions ask of a script: history, balance, unspent outputs, of the index of addresses and the mempool by script; and to be
 * told of it. Pool threads, several at a time, and the notifier's; blocking. */
#include <stdlib.h>

#include "server.h"
#include "util/mem.h"

#define RECENT_ROWS 100
#define TRIES 3 /* to see index and mempool at the same tip */

bool electrum_data_follow(struct electrum_data *d, const struct block_entry **tip)
{
    *tip = chain_tip(d->host.chain);
    return index_wait(address_index_base(d->host.addresses), &d->stopping);
}

struct gather {
    struct script_history *h;
    size_t cap;
    bool large;
};

static bool add_row(void *ctx, const struct address_tx *tx)
{
    struct gather *g = ctx;

    if (g->h->n == ELECTRUM_HISTORY_MAX) {
        g->large = true;
        return false;
    }
    if (g->h->n == g->cap) {
        g->cap = g->cap ? 2 * g->cap : 8;
        g->h->rows = xrealloc(g->h->rows, g->cap * sizeof(*g->h->rows));
    }
    g->h->rows[g->h->n++] = (struct history_row){.txid = tx->txid, .height = tx->at.height, .pos = tx->at.pos};
    return true;
}

/* Those without unconfirmed parents come first, then by id as it is shown. */
static int by_protocol(const void *a, const void *b)
{
    const struct history_row *x = a, *y = b;

    return x->height != y->height ? (x->height > y->height ? -1 : 1) : hash_by_number(x->txid.b, y->txid.b);
}

/* Among the last rows: a block may be ahead of the mempool for a moment. */
static bool is_confirmed(const struct script_history *h, const struct txid *id)
{
    size_t i = h->n_confirmed, least = i > RECENT_ROWS ? i - RECENT_ROWS : 0;

    while (i-- > least)
        if (txid_equal(&h->rows[i].txid, id))
            return true;
    return false;
}

static void add_mempool(struct electrum_data *d, struct script_history *h, const struct script_hash *script)
{
    struct script_tx *txs = NULL;
    size_t n = d->host.scripts ? script_index_txs(d->host.scripts, &txs, script->bytes) : 0;

    h->n_confirmed = h->n;
    if (n)
        h->rows = xrealloc(h->rows, (h->n + n) * sizeof(*h->rows));
    for (size_t i = 0; i < n; i++)
        if (!is_confirmed(h, &txs[i].txid))
            h->rows[h->n++] =
                (struct history_row){.txid = txs[i].txid, .height = txs[i].unconfirmed_parents ? -1 : 0, .fee = txs[i].fee};
    if (n)
        qsort(h->rows + h->n_confirmed, h->n - h->n_confirmed, sizeof(*h->rows), by_protocol);
    free(txs);
}

/* Opens a view of the index at the tip. */
static enum electrum_rc open_view(struct electrum_data *d, struct address_view **v, const struct block_entry **tip)
{
    enum rc rc;

    if (!electrum_data_follow(d, tip))
        return ELECTRUM_BUSY;
    rc = address_view_open(v, d->host.addresses);
    if (rc != RC_OK)
        return ELECTRUM_BROKEN;
    if (address_view_tip(*v))
        return ELECTRUM_OK;
    address_view_close(*v);
    return ELECTRUM_BUSY;
}

/* Returns: was what was read meanwhile of one tip? */
static bool close_view(struct electrum_data *d, struct address_view *v, const struct block_entry *tip)
{
    bool settled = address_view_tip(v) == tip && chain_tip(d->host.chain) == tip;

    address_view_close(v);
    return settled;
}

static enum electrum_rc read_history(struct electrum_data *d, struct script_history *out, const struct script_hash *h,
                                     bool *settled)
{
    struct gather g = {.h = out};
    const struct block_entry *tip;
    struct address_view *v;
    enum electrum_rc rc = open_view(d, &v, &tip);

    memset(out, 0, sizeof(*out));
    if (rc != ELECTRUM_OK)
        return rc;
    rc = electrum_outcome(address_view_history(v, h, (struct address_place){0, 0}, -1, add_row, &g));
    if (rc == ELECTRUM_OK && g.large)
        rc = ELECTRUM_LARGE;
    if (rc == ELECTRUM_OK)
        add_mempool(d, out, h);
    *settled = close_view(d, v, tip);
    if (rc != ELECTRUM_OK) {
        free(out->rows);
        memset(out, 0, sizeof(*out));
    }
    return rc;
}

static enum electrum_rc history(void *ctx, struct script_history *out, const struct script_hash *h)
{
    struct electrum_data *d = ctx;
    enum electrum_rc rc;
    bool settled;

    for (unsigned i = 0;; i++) {
        rc = read_history(d, out, h, &settled);
        if (rc != ELECTRUM_OK)
            return rc;
        if (settled || i + 1 == TRIES)
            break;
        free(out->rows);
    }
    electrum_data_remember(d, out);
    return ELECTRUM_OK;
}

enum electrum_rc electrum_data_status(struct electrum_data *d, struct script_status *out, size_t *rows, const struct script_hash *h)
{
    struct script_history all;
    enum electrum_rc rc = history(d, &all, h);

    if (rc != ELECTRUM_OK)
        return rc;
    script_status_of(out, &all);
    *rows = all.n;
    free(all.rows);
    return ELECTRUM_OK;
}

static enum electrum_rc read_balance(struct electrum_data *d, int64_t *confirmed, int64_t *unconfirmed, const struct script_hash *h,
                                     bool *settled)
{
    int64_t received = 0, spent = 0;
    struct address_summary s = {0};
    const struct block_entry *tip;
    struct address_view *v;
    enum electrum_rc rc = open_view(d, &v, &tip);
    enum rc found;

    if (rc != ELECTRUM_OK)
        return rc;
    found = address_view_summary(v, &s, h);
    if (d->host.scripts)
        script_index_sums(d->host.scripts, &received, &spent, h->bytes);
    *settled = close_view(d, v, tip);
    *confirmed = s.balance;
    *unconfirmed = received - spent;
    return found == RC_NOT_FOUND ? ELECTRUM_OK : electrum_outcome(found);
}

static enum electrum_rc balance(void *ctx, int64_t *confirmed, int64_t *unconfirmed, const struct script_hash *h)
{
    enum electrum_rc rc = ELECTRUM_OK;
    bool settled = false;

    for (unsigned i = 0; i < TRIES && rc == ELECTRUM_OK && !settled; i++)
        rc = read_balance(ctx, confirmed, unconfirmed, h, &settled);
    return rc;
}

struct gather_coins {
    struct unspent_row *rows;
    size_t n, cap;
    const struct outpoint *spent;
    size_t n_spent;
    bool large;
};

static void put_coin(struct gather_coins *g, const struct outpoint *o, int32_t height, int64_t value)
{
    if (g->n == g->cap) {
        g->cap = g->cap ? 2 * g->cap : 8;
        g->rows = xrealloc(g->rows, g->cap * sizeof(*g->rows));
    }
    g->rows[g->n++] = (struct unspent_row){*o, height, value};
}

static bool add_coin(void *ctx, const struct address_coin *coin)
{
    struct gather_coins *g = ctx;

    if (g->n_spent && bsearch(&coin->outpoint, g->spent, g->n_spent, sizeof(*g->spent), outpoint_order))
        return true;
    g->large = g->n == ELECTRUM_HISTORY_MAX;
    if (!g->large)
        put_coin(g, &coin->outpoint, coin->at.height, coin->value);
    return !g->large;
}

/* A block may be ahead of the mempool for a moment. */
static bool has_coin(const struct gather_coins *g, size_t n, const struct outpoint *o)
{
    size_t least = n > RECENT_ROWS ? n - RECENT_ROWS : 0;

    while (n-- > least)
        if (outpoint_order(&g->rows[n].outpoint, o) == 0)
            return true;
    return false;
}

static enum electrum_rc read_unspent(struct electrum_data *d, struct unspent_row **rows, size_t *n, const struct script_hash *h,
                                     bool *settled)
{
    struct gather_coins g = {0};
    struct script_coin *fresh = NULL;
    struct outpoint *spent = NULL;
    const struct block_entry *tip;
    struct address_view *v;
    enum electrum_rc rc = open_view(d, &v, &tip);
    size_t n_fresh = 0, n_old;

    if (rc != ELECTRUM_OK)
        return rc;
    if (d->host.scripts) {
        g.n_spent = script_index_spent(d->host.scripts, &spent, h->bytes);
        n_fresh = script_index_coins(d->host.scripts, &fresh, h->bytes);
    }
    g.spent = spent;
    rc = electrum_outcome(address_view_coins(v, h, (struct address_place){0, 0}, add_coin, &g));
    *settled = close_view(d, v, tip);
    n_old = g.n;
    for (size_t i = 0; i < n_fresh; i++)
        if (!has_coin(&g, n_old, &fresh[i].outpoint))
            put_coin(&g, &fresh[i].outpoint, 0, fresh[i].value);
    free(spent);
    free(fresh);
    if (rc == ELECTRUM_OK && g.large)
        rc = ELECTRUM_LARGE;
    if (rc != ELECTRUM_OK) {
        free(g.rows);
        return rc;
    }
    *rows = g.rows;
    *n = g.n;
    return ELECTRUM_OK;
}

static enum electrum_rc unspent(void *ctx, struct unspent_row **rows, size_t *n, const struct script_hash *h)
{
    enum electrum_rc rc;
    bool settled;

    for (unsigned i = 0;; i++) {
        rc = read_unspent(ctx, rows, n, h, &settled);
        if (rc != ELECTRUM_OK || settled || i + 1 == TRIES)
            return rc;
        free(*rows);
    }
}

static bool take_first(void *ctx, const struct address_tx *tx)
{
    struct history_row *row = ctx;

    *row = (struct history_row){.txid = tx->txid, .height = tx->at.height, .pos = tx->at.pos};
    return false;
}

static enum electrum_rc first_use(void *ctx, struct history_row *out, const struct script_hash *h)
{
    struct script_history pool = {0};
    struct electrum_data *d = ctx;
    const struct block_entry *tip;
    struct address_view *v;
    enum electrum_rc rc = open_view(d, &v, &tip);

    if (rc != ELECTRUM_OK)
        return rc;
    memset(out, 0, sizeof(*out));
    rc = electrum_outcome(address_view_history(v, h, (struct address_place){0, 0}, -1, take_first, out));
    address_view_close(v);
    if (rc != ELECTRUM_OK || out->height > 0)
        return rc;
    add_mempool(d, &pool, h);
    if (pool.n)
        *out = pool.rows[0];
    free(pool.rows);
    return pool.n ? ELECTRUM_OK : ELECTRUM_NONE;
}

/* ---- subscriptions ---- */

static enum electrum_rc watch(void *ctx, struct watcher *w, struct script_status *out, size_t *rows, const struct script_hash *h,
                              const char *address)
{
    struct electrum_data *d = ctx;
    enum electrum_rc rc;
    uint64_t serial;

    *rows = 0;
    if (!watch_add(d->watches, w, &serial, h, address))
        return ELECTRUM_LARGE;
    rc = electrum_data_status(d, out, rows, h);
    if (rc != ELECTRUM_OK)
        watch_remove(d->watches, w, h, address != NULL);
    else if (watch_set(d->watches, w, h, address != NULL, serial, out))
        d->again(d->again_ctx);
    return rc;
}

static enum electrum_rc status(void *ctx, struct script_status *out, size_t *rows, const struct script_hash *h)
{
    return electrum_data_status(ctx, out, rows, h);
}

static bool unwatch(void *ctx, struct watcher *w, const struct script_hash *h, bool by_address)
{
    return watch_remove(((struct electrum_data *)ctx)->watches, w, h, by_address);
}

void electrum_data_script_source(struct electrum_source *src)
{
    src->history = history;
    src->balance = balance;
    src->unspent = unspent;
    src->first_use = first_use;
    src->status = status;
    src->watch = watch;
    src->unwatch = unwatch;
}
