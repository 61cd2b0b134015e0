/* address_index.c - commands of -addressindex: balances, coins and histories of any scripts. Amounts are in satoshi, as other nodes with such commands
 * have them. Pool threads; what the mempool adds is taken on the validation thread. */
#include <stdlib.h>
#include <string.h>

#include "rpc/address_index_priv.h"

#define UNCONFIRMED 0          /* heights in a history, as Electrum has them */
#define UNCONFIRMED_PARENTS -1 /* it spends outputs of the pool */

/* What the pool has of all scripts, in one array. */
struct pool_part {
    void *row;
    size_t n, size;
    int64_t received, spent;
};

static void pool_append(struct pool_part *p, void *rows_take, size_t n, size_t size)
{
    if (n) {
        p->row = xrealloc(p->row, (p->n + n) * size);
        memcpy((char *)p->row + p->n * size, rows_take, n * size);
        p->n += n;
    }
    free(rows_take);
}

/* ---- getaddressbalance ---- */

static void gather_sums(struct address_query *q, void *arg)
{
    struct pool_part *p = arg;

    p->received = p->spent = 0;
    for (size_t i = 0; i < q->n_targets; i++) {
        int64_t received, spent;

        script_index_sums(q->call->host->scripts, &received, &spent, q->target[i].hash.bytes);
        p->received += received;
        p->spent += spent;
    }
}

static bool add_up(struct address_query *q, struct address_summary *sum, int64_t *immature)
{
    for (size_t i = 0; i < q->n_targets; i++) {
        struct address_summary s;
        int64_t young;
        enum rc rc = address_view_summary(q->view, &s, &q->target[i].hash);

        if (rc == RC_NOT_FOUND)
            continue;
        if (rc == RC_OK)
            rc = address_view_immature(q->view, &young, &q->target[i].hash);
        if (rc != RC_OK)
            return address_query_failed(q, rc);
        sum->balance += s.balance;
        sum->received += s.received;
        sum->n_txs += s.n_txs;
        sum->n_coins += s.n_coins;
        *immature += young;
    }
    return true;
}

/* Of the blocks within bounds alone. */
struct bounded_sum {
    struct rpc_call *call;
    int64_t received, spent;
    uint64_t n_txs;
};

static bool add_tx(void *ctx, const struct address_tx *tx)
{
    struct bounded_sum *b = ctx;

    b->received += tx->received;
    b->spent += tx->spent;
    return ++b->n_txs % 4096 != 0 || !rpc_stopping(b->call);
}

static void jw_bounded_balance(struct address_query *q)
{
    struct bounded_sum b = {.call = q->call};
    struct json_writer *j = &q->call->out;

    for (size_t i = 0; i < q->n_targets; i++) {
        enum rc rc = address_view_history(q->view, &q->target[i].hash, q->from, q->end, add_tx, &b);

        if (rc != RC_OK) {
            address_query_failed(q, rc);
            return;
        }
        if (rpc_stopping(q->call)) {
            rpc_error(q->call, RPC_MISC_ERROR, "The node is stopping");
            return;
        }
    }
    jw_obj_begin(j);
    jw_kv_int(j, "balance", b.received - b.spent);
    jw_kv_int(j, "received", b.received);
    jw_kv_int(j, "spent", b.spent);
    jw_kv_uint(j, "txs", b.n_txs);
    jw_page_end(j, q, NULL);
    jw_obj_end(j);
}

static void getaddressbalance(struct rpc_call *call)
{
    struct address_query q;
    struct pool_part pool = {0};
    struct address_summary sum = {0};
    int64_t immature = 0;

    if (!address_query_read(&q, call) || !address_query_open(&q, gather_sums, &pool)) {
        address_query_clear(&q);
        return;
    }
    if (q.start > 0 || q.end >= 0) {
        jw_bounded_balance(&q);
    } else if (add_up(&q, &sum, &immature)) {
        jw_obj_begin(&call->out);
        jw_kv_int(&call->out, "balance", sum.balance);
        jw_kv_int(&call->out, "received", sum.received);
        jw_kv_int(&call->out, "confirmed", sum.balance - immature);
        jw_kv_int(&call->out, "immature", immature);
        jw_kv_int(&call->out, "unconfirmed", pool.received - pool.spent);
        jw_kv_uint(&call->out, "txs", sum.n_txs);
        jw_kv_uint(&call->out, "utxos", sum.n_coins);
        jw_page_end(&call->out, &q, NULL);
        jw_obj_end(&call->out);
    }
    address_query_clear(&q);
}

/* ---- getaddressutxos ---- */

struct pool_coin {
    struct script_coin coin;
    uint32_t target;
};
struct pool_coins {
    struct pool_part made;  /* struct pool_coin */
    struct pool_part spent; /* struct outpoint, sorted */
};

static void gather_coins(struct address_query *q, void *arg)
{
    struct pool_coins *p = arg;

    p->made.n = p->spent.n = 0;
    for (size_t i = 0; i < q->n_targets; i++) {
        const uint8_t *hash = q->target[i].hash.bytes;
        struct outpoint *spent;
        struct script_coin *coin;
        size_t n = script_index_coins(q->call->host->scripts, &coin, hash);

        for (size_t k = 0; k < n; k++) {
            struct pool_coin c = {coin[k], (uint32_t)i};
            pool_append(&p->made, xmemdup(&c, sizeof(c)), 1, sizeof(c));
        }
        free(coin);
        n = script_index_spent(q->call->host->scripts, &spent, hash);
        pool_append(&p->spent, spent, n, sizeof(*spent));
    }
    if (p->spent.n)
        qsort(p->spent.row, p->spent.n, sizeof(struct outpoint), outpoint_order);
}

static void jw_coin(struct json_writer *j, const struct address_query *q, const struct found *f)
{
    int32_t height = (int32_t)(f->place >> 16);

    jw_obj_begin(j);
    jw_target(j, q, f->target, true);
    jw_kv_hash(j, "txid", f->txid.b);
    jw_kv_uint(j, "outputIndex", f->n);
    jw_kv_int(j, "satoshis", f->received);
    jw_kv_int(j, "height", height);
    if (!q->old_form) {
        jw_kv_bool(j, "coinbase", (f->place & 0xffff) == 0);
        jw_kv_int(j, "confirmations", q->tip->node.height - height + 1);
    }
    jw_obj_end(j);
}

static void jw_pool_coin(struct json_writer *j, const struct address_query *q, const struct pool_coin *c)
{
    jw_obj_begin(j);
    jw_target(j, q, c->target, true);
    jw_kv_hash(j, "txid", c->coin.outpoint.txid.b);
    jw_kv_uint(j, "outputIndex", c->coin.outpoint.n);
    jw_kv_int(j, "satoshis", c->coin.value);
    jw_kv_int(j, "height", UNCONFIRMED);
    jw_kv_bool(j, "coinbase", false);
    jw_kv_int(j, "confirmations", 0);
    jw_obj_end(j);
}

/* Are unconfirmed lines to stand behind this page? */
static bool shows_pool(const struct address_query *q, const struct page *p)
{
    return !p->more && !q->old_form && q->end < 0;
}

static void jw_coins(struct json_writer *j, const struct address_query *q, const struct page *p, const struct pool_coins *pool)
{
    jw_arr_begin(j);
    for (size_t i = 0; i < p->n; i++) {
        struct outpoint o = {p->row[i].txid, p->row[i].n};

        if (q->old_form || !pool->spent.n || !bsearch(&o, pool->spent.row, pool->spent.n, sizeof(o), outpoint_order))
            jw_coin(j, q, &p->row[i]);
    }
    for (size_t i = 0; i < pool->made.n && shows_pool(q, p); i++)
        jw_pool_coin(j, q, (const struct pool_coin *)pool->made.row + i);
    jw_arr_end(j);
}

static void getaddressutxos(struct rpc_call *call)
{
    struct address_query q;
    struct pool_coins pool = {0};
    struct page page = {0};

    if (address_query_read(&q, call) && address_query_open(&q, gather_coins, &pool) && page_read(&page, &q, true)) {
        if (address_query_is_bare(&q)) {
            jw_coins(&call->out, &q, &page, &pool);
        } else {
            jw_obj_begin(&call->out);
            jw_key(&call->out, "utxos");
            jw_coins(&call->out, &q, &page, &pool);
            jw_page_end(&call->out, &q, &page);
            jw_obj_end(&call->out);
        }
    }
    page_clear(&page);
    free(pool.made.row);
    free(pool.spent.row);
    address_query_clear(&q);
}

/* ---- getaddresshistory, getaddresstxids ---- */

static int tx_order(const void *pa, const void *pb)
{
    const struct script_tx *a = pa, *b = pb;

    if (a->unconfirmed_parents != b->unconfirmed_parents)
        return a->unconfirmed_parents ? 1 : -1;
    return memcmp(a->txid.b, b->txid.b, sizeof(a->txid.b));
}

/* One for each transaction, whichever scripts it touches: those without parents in the pool first. */
static void gather_txs(struct address_query *q, void *arg)
{
    struct pool_part *p = arg;
    struct script_tx *row;
    size_t n = 0;

    p->n = 0;
    for (size_t i = 0; i < q->n_targets; i++) {
        struct script_tx *txs;
        size_t count = script_index_txs(q->call->host->scripts, &txs, q->target[i].hash.bytes);
        pool_append(p, txs, count, sizeof(*txs));
    }
    row = p->row;
    if (p->n)
        qsort(row, p->n, sizeof(*row), tx_order);
    for (size_t i = 0; i < p->n; i++) {
        if (n && txid_equal(&row[n - 1].txid, &row[i].txid)) {
            row[n - 1].received += row[i].received;
            row[n - 1].spent += row[i].spent;
        } else {
            row[n++] = row[i];
        }
    }
    p->n = n;
}

/* What one transaction did to all scripts together. */
static void jw_history_rows(struct json_writer *j, const struct page *p)
{
    for (size_t i = 0; i < p->n;) {
        const struct found *f = &p->row[i];
        int64_t received = 0, spent = 0;

        for (; i < p->n && p->row[i].place == f->place; i++) {
            received += p->row[i].received;
            spent += p->row[i].spent;
        }
        jw_obj_begin(j);
        jw_kv_hash(j, "txid", f->txid.b);
        jw_kv_int(j, "height", (int64_t)(f->place >> 16));
        jw_kv_int(j, "blockindex", (int64_t)(f->place & 0xffff));
        jw_kv_int(j, "received", received);
        jw_kv_int(j, "spent", spent);
        jw_obj_end(j);
    }
}

static void jw_pool_rows(struct json_writer *j, const struct pool_part *pool)
{
    for (size_t i = 0; i < pool->n; i++) {
        const struct script_tx *t = (const struct script_tx *)pool->row + i;

        jw_obj_begin(j);
        jw_kv_hash(j, "txid", t->txid.b);
        jw_kv_int(j, "height", t->unconfirmed_parents ? UNCONFIRMED_PARENTS : UNCONFIRMED);
        jw_kv_int(j, "received", t->received);
        jw_kv_int(j, "spent", t->spent);
        jw_kv_int(j, "fee", t->fee);
        jw_kv_int(j, "vsize", t->vsize);
        jw_kv_int(j, "time", t->time);
        jw_obj_end(j);
    }
}

static void getaddresshistory(struct rpc_call *call)
{
    struct address_query q;
    struct pool_part pool = {0};
    struct page page = {0};

    if (address_query_read(&q, call) && address_query_open(&q, gather_txs, &pool) && page_read(&page, &q, false)) {
        jw_obj_begin(&call->out);
        jw_key(&call->out, "history");
        jw_arr_begin(&call->out);
        jw_history_rows(&call->out, &page);
        if (shows_pool(&q, &page))
            jw_pool_rows(&call->out, &pool);
        jw_arr_end(&call->out);
        jw_page_end(&call->out, &q, &page);
        jw_obj_end(&call->out);
    }
    page_clear(&page);
    free(pool.row);
    address_query_clear(&q);
}

static void jw_txids(struct json_writer *j, const struct address_query *q, const struct page *p, const struct pool_part *pool)
{
    jw_arr_begin(j);
    for (size_t i = 0; i < p->n; i++)
        if (i == 0 || p->row[i].place != p->row[i - 1].place)
            jw_hash(j, p->row[i].txid.b);
    for (size_t i = 0; i < pool->n && shows_pool(q, p); i++)
        jw_hash(j, ((const struct script_tx *)pool->row)[i].txid.b);
    jw_arr_end(j);
}

static void getaddresstxids(struct rpc_call *call)
{
    struct address_query q;
    struct pool_part pool = {0};
    struct page page = {0};

    if (address_query_read(&q, call) && address_query_open(&q, gather_txs, &pool) && page_read(&page, &q, false)) {
        if (address_query_is_bare(&q)) {
            jw_txids(&call->out, &q, &page, &pool);
        } else {
            jw_obj_begin(&call->out);
            jw_key(&call->out, "txids");
            jw_txids(&call->out, &q, &page, &pool);
            jw_page_end(&call->out, &q, &page);
            jw_obj_end(&call->out);
        }
    }
    page_clear(&page);
    free(pool.row);
    address_query_clear(&q);
}

/* ---- the table ---- */

#define SCRIPTS_PARAM                                                                                                              \
    {                                                                                                                              \
        "addresses", RPC_OBJ, RPC_REQUIRED | RPC_ANY_TYPE, NULL,                                                                   \
            "An address, a script in hex, a descriptor or an extended public key, an object with \"desc\" and \"range\", or an "   \
            "array of these; or {\"addresses\": [...]}, to which the answer is as that of other nodes with such commands.",        \
            "addresses"                                                                                                            \
    }
#define HEIGHT_PARAMS                                                                                                              \
    {"start", RPC_NUM, RPC_OPTION, "0", "Lowest height of the blocks that count", NULL},                                           \
        {"end", RPC_NUM, RPC_OPTION, "the tip", "Highest height of the blocks that count", NULL},                                  \
    {                                                                                                                              \
        "options", RPC_OPTIONS, 0, NULL, "Options object that can be used to pass named arguments.", "options"                     \
    }
#define PAGE_PARAMS                                                                                                                \
    {"limit", RPC_NUM, RPC_OPTION, "1000", "How many transactions to answer with", NULL},                                          \
        {"cursor", RPC_STR, RPC_OPTION, NULL, "Where to go on: what \"next\" of the answer before said", NULL},                    \
    {                                                                                                                              \
        "options", RPC_OPTIONS, 0, NULL, "Options object that can be used to pass named arguments.", "options"                     \
    }
#define BOUND_PARAMS                                                                                                                 \
    {"start", RPC_NUM, RPC_OPTION, "0", "Lowest height of the blocks that count", NULL},                                             \
        {"end", RPC_NUM, RPC_OPTION, "the tip", "Highest height of the blocks that count; nothing unconfirmed is shown then", NULL}, \
        PAGE_PARAMS

const struct rpc_command rpc_address_index_commands[] = {
    {"blockchain", "getaddressbalance", getaddressbalance, RPC_PARAMS(SCRIPTS_PARAM, HEIGHT_PARAMS), RPC_OWN,
     "What scripts hold and ever received, in satoshi; or what the blocks from one height to another did to them: with an end "
     "alone, what they held then. Needs -addressindex.\n"},
    {"blockchain", "getaddressutxos", getaddressutxos, RPC_PARAMS(SCRIPTS_PARAM, BOUND_PARAMS), RPC_OWN,
     "The unspent outputs of scripts in the order of the chain, without those that the mempool spends and with those that it "
     "makes, "
     "which come last. Needs -addressindex.\n"},
    {"blockchain", "getaddresshistory", getaddresshistory, RPC_PARAMS(SCRIPTS_PARAM, BOUND_PARAMS), RPC_OWN,
     "The transactions that paid to scripts or spent from them, in the order of the chain, unconfirmed ones last. Needs "
     "-addressindex.\n"},
    {"blockchain", "getaddresstxids", getaddresstxids, RPC_PARAMS(SCRIPTS_PARAM, BOUND_PARAMS), RPC_OWN,
     "The ids of the transactions that paid to scripts or spent from them, in the order of the chain, unconfirmed ones last. Needs "
     "-addressindex.\n"},
    {"blockchain", "getaddressmempool", rpc_getaddressmempool, RPC_PARAMS(SCRIPTS_PARAM, PAGE_PARAMS), RPC_OWN,
     "Each output and input of unconfirmed transactions that belongs to the scripts, in the order in which they came. Needs "
     "-addressindex.\n"},
    {"blockchain", "getaddressdeltas", rpc_getaddressdeltas, RPC_PARAMS(SCRIPTS_PARAM, BOUND_PARAMS), RPC_OWN,
     "Each output and input of confirmed transactions that belongs to the scripts, in the order of the chain. Needs -addressindex, "
     "and the blocks.\n"},
    {NULL, NULL, NULL, NULL, 0, NULL}};
