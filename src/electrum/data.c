/* data.c - what sessions ask, answered from the chain, the index of addresses, the mempool by script and the node's commands. Pool threads, several
 * at a time; blocking. */
#include <json-c/json.h>
#include <stdlib.h>

#include "chain/undo.h"
#include "crypto/hash.h"
#include "server.h"
#include "util/mem.h"
#include "util/random.h"

#define PLACE_SETS ((size_t)1 << 16)
#define RECENT_ROWS 100
#define TRIES 3 /* to see index and mempool at the same tip */

/* ---- the chain ---- */

static int32_t height_of(void *ctx)
{
    return chain_height(((struct electrum_data *)ctx)->host.chain);
}

static bool header_at(void *ctx, uint8_t out[BLOCK_HEADER_SIZE], struct block_hash *hash, int32_t height)
{
    const struct block_entry *e = chain_at(((struct electrum_data *)ctx)->host.chain, height);
    struct block_header h;

    if (!e)
        return false;
    header_node_header(&h, &e->node);
    block_header_encode(out, &h);
    if (hash)
        *hash = e->node.hash;
    return true;
}

static bool hash_at(void *ctx, struct block_hash *out, int32_t height)
{
    const struct block_entry *e = chain_at(((struct electrum_data *)ctx)->host.chain, height);

    if (e)
        *out = e->node.hash;
    return e != NULL;
}

static bool header_proof(void *ctx, struct merkle_proof *out, int32_t height, int32_t cp)
{
    return header_tree_proof(((struct electrum_data *)ctx)->headers, out, height, cp);
}

static enum electrum_rc outcome(enum rc rc)
{
    return rc == RC_OK ? ELECTRUM_OK : rc == RC_NOT_FOUND ? ELECTRUM_NONE : ELECTRUM_BROKEN;
}

static enum electrum_rc block_ids(void *ctx, struct txid **ids, size_t *n, int32_t height)
{
    struct electrum_data *d = ctx;
    const struct block_entry *e = chain_at(d->host.chain, height);
    struct block_outline o;
    uint8_t *raw;
    size_t len;

    if (!e)
        return ELECTRUM_NONE;
    if (chain_read_raw(d->host.chain, &raw, &len, e) != RC_OK)
        return ELECTRUM_BROKEN;
    if (!block_outline_read(&o, raw, len)) {
        free(raw);
        return ELECTRUM_BROKEN;
    }
    *n = o.n_tx;
    *ids = xmemdup(o.txid, o.n_tx * sizeof(**ids));
    block_outline_clear(&o);
    free(raw);
    return ELECTRUM_OK;
}

/* One of the blocks that were read last, or from disk. Returns: one reference; NULL. */
static struct block *get_block(struct electrum_data *d, const struct block_entry *e)
{
    struct block *b = NULL;

    pthread_mutex_lock(&d->lock);
    for (unsigned i = 0; i < BLOCKS_KEPT && !b; i++)
        if (d->blocks[i] && block_hash_equal(&d->blocks[i]->hash, &e->node.hash))
            b = block_ref(d->blocks[i]);
    pthread_mutex_unlock(&d->lock);
    if (b || chain_read_block(d->host.chain, &b, e) != RC_OK)
        return b;
    pthread_mutex_lock(&d->lock);
    block_unref(d->blocks[d->next_block]);
    d->blocks[d->next_block] = block_ref(b);
    d->next_block = (d->next_block + 1) % BLOCKS_KEPT;
    pthread_mutex_unlock(&d->lock);
    return b;
}

/* ---- where transactions are, as far as histories told ---- */

static uint64_t place_id(const struct electrum_data *d, const struct txid *id)
{
    uint64_t v = siphash_hash(d->secret[0], d->secret[1], id->b);

    return v ? v : 1;
}

static void remember_place(struct electrum_data *d, const struct txid *id, int32_t height, uint32_t pos)
{
    uint64_t v = place_id(d, id);
    struct tx_place *set = d->places + v % d->n_sets * PLACE_WAYS, *at = set + (v >> 60) % PLACE_WAYS;

    for (unsigned i = PLACE_WAYS; i-- > 0;)
        if (!set[i].id)
            at = &set[i];
    for (unsigned i = 0; i < PLACE_WAYS; i++)
        if (set[i].id == v)
            at = &set[i];
    *at = (struct tx_place){v, height, pos};
}

static bool find_place(struct electrum_data *d, struct tx_place *out, const struct txid *id)
{
    uint64_t v = place_id(d, id);
    bool found = false;

    if (!d->places)
        return false;
    pthread_mutex_lock(&d->lock);
    for (unsigned i = 0; i < PLACE_WAYS && !found; i++) {
        *out = d->places[v % d->n_sets * PLACE_WAYS + i];
        found = out->id == v;
    }
    pthread_mutex_unlock(&d->lock);
    return found;
}

static enum electrum_rc known_tx(void *ctx, struct writer *raw, struct block_hash *block, const struct txid *id)
{
    struct electrum_data *d = ctx;
    const struct block_entry *e;
    struct tx_place place;
    struct block *b;
    bool found;

    if (!find_place(d, &place, id))
        return ELECTRUM_NONE;
    e = chain_at(d->host.chain, place.height);
    b = e ? get_block(d, e) : NULL;
    found = b && place.pos < b->n_tx && txid_equal(&b->tx[place.pos].txid, id); /* else the chain is another now */
    if (found) {
        *block = b->hash;
        if (raw)
            write_bytes(raw, b->tx[place.pos].raw, b->tx[place.pos].raw_len);
    }
    block_unref(b);
    return found ? ELECTRUM_OK : ELECTRUM_NONE;
}

/* ---- scripts ---- */

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

static void remember_places(struct electrum_data *d, const struct script_history *h)
{
    if (!d->places)
        return;
    pthread_mutex_lock(&d->lock);
    for (size_t i = 0; i < h->n_confirmed; i++)
        remember_place(d, &h->rows[i].txid, h->rows[i].height, h->rows[i].pos);
    pthread_mutex_unlock(&d->lock);
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
    rc = outcome(address_view_history(v, h, (struct address_place){0, 0}, -1, add_row, &g));
    if (rc == ELECTRUM_OK && g.large)
        rc = ELECTRUM_LARGE;
    if (rc == ELECTRUM_OK)
        add_mempool(d, out, h);
    *settled = address_view_tip(v) == tip && chain_tip(d->host.chain) == tip;
    address_view_close(v);
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
    remember_places(d, out);
    return ELECTRUM_OK;
}

enum electrum_rc electrum_data_status(struct electrum_data *d, struct script_status *out, const struct script_hash *h)
{
    struct script_history all;
    enum electrum_rc rc = history(d, &all, h);

    if (rc != ELECTRUM_OK)
        return rc;
    script_status_of(out, &all);
    free(all.rows);
    return ELECTRUM_OK;
}

static enum electrum_rc balance(void *ctx, int64_t *confirmed, int64_t *unconfirmed, const struct script_hash *h)
{
    struct electrum_data *d = ctx;
    int64_t received = 0, spent = 0;
    struct address_summary s = {0};
    const struct block_entry *tip;
    struct address_view *v;
    enum electrum_rc rc = open_view(d, &v, &tip);
    enum rc found;

    if (rc != ELECTRUM_OK)
        return rc;
    found = address_view_summary(v, &s, h);
    address_view_close(v);
    if (d->host.scripts)
        script_index_sums(d->host.scripts, &received, &spent, h->bytes);
    *confirmed = s.balance;
    *unconfirmed = received - spent;
    return found == RC_NOT_FOUND ? ELECTRUM_OK : outcome(found);
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

static enum electrum_rc unspent(void *ctx, struct unspent_row **rows, size_t *n, const struct script_hash *h)
{
    struct electrum_data *d = ctx;
    struct gather_coins g = {0};
    struct script_coin *fresh = NULL;
    struct outpoint *spent = NULL;
    const struct block_entry *tip;
    struct address_view *v;
    enum electrum_rc rc = open_view(d, &v, &tip);
    size_t n_fresh = 0;

    if (rc != ELECTRUM_OK)
        return rc;
    if (d->host.scripts) {
        g.n_spent = script_index_spent(d->host.scripts, &spent, h->bytes);
        n_fresh = script_index_coins(d->host.scripts, &fresh, h->bytes);
    }
    g.spent = spent;
    rc = outcome(address_view_coins(v, h, (struct address_place){0, 0}, add_coin, &g));
    address_view_close(v);
    for (size_t i = 0; i < n_fresh; i++)
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
    rc = outcome(address_view_history(v, h, (struct address_place){0, 0}, -1, take_first, out));
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

static enum electrum_rc watch(void *ctx, struct watcher *w, struct script_status *out, const struct script_hash *h,
                              const char *address)
{
    struct electrum_data *d = ctx;
    enum electrum_rc rc;
    uint64_t serial;

    if (!watch_add(d->watches, w, &serial, h, address))
        return ELECTRUM_LARGE;
    rc = electrum_data_status(d, out, h);
    if (rc != ELECTRUM_OK)
        watch_remove(d->watches, w, h, address != NULL);
    else if (watch_set(d->watches, w, h, address != NULL, serial, out))
        d->again(d->again_ctx);
    return rc;
}

static bool unwatch(void *ctx, struct watcher *w, const struct script_hash *h, bool by_address)
{
    return watch_remove(((struct electrum_data *)ctx)->watches, w, h, by_address);
}

/* ---- the rest ---- */

static int call(void *ctx, struct writer *out, const char *method, struct json_object *params)
{
    return rpc_local_call(((struct electrum_data *)ctx)->rpc, out, method, params);
}

static void hosts(void *ctx, struct json_writer *j)
{
    struct electrum_data *d = ctx;

    d->hosts(d->hosts_ctx, j);
}

void electrum_data_init(struct electrum_data *d, const struct rpc_host *host)
{
    memset(d, 0, sizeof(*d));
    d->host = *host;
    d->watches = watch_table_new();
    d->headers = header_tree_new(hash_at, d);
    d->rpc = rpc_local_new(host);
    atomic_init(&d->stopping, false);
    pthread_mutex_init(&d->lock, NULL);
    random_bytes(d->secret, sizeof(d->secret));
    if (!host->txs) {
        d->n_sets = PLACE_SETS;
        d->places = xcalloc(PLACE_SETS * PLACE_WAYS, sizeof(*d->places));
    }
}

void electrum_data_clear(struct electrum_data *d)
{
    for (unsigned i = 0; i < BLOCKS_KEPT; i++)
        block_unref(d->blocks[i]);
    free(d->places);
    rpc_local_free(d->rpc);
    header_tree_free(d->headers);
    watch_table_free(d->watches);
    pthread_mutex_destroy(&d->lock);
}

void electrum_data_source(struct electrum_data *d, struct electrum_source *src)
{
    *src = (struct electrum_source){.ctx = d,
                                    .params = d->host.params,
                                    .banner = "",
                                    .donation = "",
                                    .height = height_of,
                                    .header = header_at,
                                    .header_proof = header_proof,
                                    .history = history,
                                    .balance = balance,
                                    .unspent = unspent,
                                    .first_use = first_use,
                                    .block_ids = block_ids,
                                    .known_tx = known_tx,
                                    .call = call,
                                    .watch = watch,
                                    .unwatch = unwatch,
                                    .hosts = hosts};
}
