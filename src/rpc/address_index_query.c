/* address_index_query.c - opens a view of the address index that fits the mempool, and collects pages out of it. Pool threads. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/address_index_priv.h"

#define ATTEMPTS 8 /* to find index and pool at the same block */

struct gathering {
    struct address_query *q;
    void (*gather)(struct address_query *q, void *arg);
    void *arg;
    const struct block_entry *tip;
};

/* Validation thread: pool and tip belong together there. */
static void run_gather(void *arg)
{
    struct gathering *g = arg;

    chain_drain(g->q->call->host->chain);
    g->tip = chain_tip(g->q->call->host->chain);
    if (g->gather && g->q->call->host->scripts)
        g->gather(g->q, g->arg);
}

static bool not_ready(struct address_query *q)
{
    struct index_summary s;

    index_summary(address_index_base(q->call->host->addresses), &s);
    return rpc_error(q->call, RPC_MISC_ERROR, "The address index is still being built (-addressindex): it is at height %d of %d",
                     s.best ? s.best->node.height : 0, chain_height(q->call->host->chain));
}

bool address_query_failed(struct address_query *q, enum rc rc)
{
    if (rc == RC_CORRUPT) {
        address_index_damaged(q->call->host->addresses);
        return rpc_error(q->call, RPC_DATABASE_ERROR,
                         "The address index is damaged: it is built anew at the next start of the node");
    }
    return rpc_error(q->call, RPC_DATABASE_ERROR, "Cannot read the address index (%s)", rc_name(rc));
}

bool address_query_open(struct address_query *q, void (*gather)(struct address_query *q, void *arg), void *arg)
{
    struct gathering g = {q, gather, arg, NULL};
    struct address_index *x = q->call->host->addresses;

    if (!x)
        return rpc_error(q->call, RPC_MISC_ERROR, "There is no address index. Start the node with -addressindex.");
    for (int i = 0; i < ATTEMPTS && !(q->tip && q->tip == g.tip); i++) {
        enum rc rc;

        address_view_close(q->view);
        q->view = NULL;
        if (!rpc_on_validation(q->call, run_gather, &g))
            return false;
        if (!index_wait(address_index_base(x), q->call->host->interrupt))
            return not_ready(q);
        rc = address_view_open(&q->view, x);
        if (rc != RC_OK)
            return address_query_failed(q, rc);
        q->tip = address_view_tip(q->view);
    }
    /* With blocks that come faster than that the pool's part may be of another block; nothing of the index is. */
    return q->tip && chain_fork(q->call->host->chain, q->tip) ? true : not_ready(q);
}

void jw_target(struct json_writer *j, const struct address_query *q, size_t target, bool script)
{
    const struct target *t = &q->target[target];
    char *address = address_encode(t->script, t->len, &q->call->host->params->address);

    if (address)
        jw_kv_str(j, "address", address);
    if (script || !address)
        jw_kv_hex(j, "script", t->script, t->len);
    free(address);
}

/* ---- pages ---- */

struct collecting {
    struct page *page;
    struct address_query *q;
    size_t cap;
    uint32_t target;
    uint64_t bound; /* places behind it are of no interest: there is enough in front */
};

static uint64_t number_of(struct address_place at)
{
    return (uint64_t)at.height << 16 | at.pos;
}

static int by_place(const void *pa, const void *pb)
{
    const struct found *a = pa, *b = pb;

    if (a->place != b->place)
        return a->place < b->place ? -1 : 1;
    if (a->target != b->target)
        return a->target < b->target ? -1 : 1;
    return a->n < b->n ? -1 : a->n > b->n;
}

/* Sorts, and drops what is behind the first place that does not belong to the page any more, whose rows stay. Returns: index of these. */
static size_t cut(struct collecting *c)
{
    struct page *p = c->page;
    size_t places = 0, i;

    if (!p->n)
        return 0;
    qsort(p->row, p->n, sizeof(*p->row), by_place);
    for (i = 0; i < p->n; i++)
        if ((i == 0 || p->row[i].place != p->row[i - 1].place) && ++places > c->q->limit)
            break;
    if (i < p->n) {
        size_t end = i;

        c->bound = p->row[i].place;
        while (end < p->n && p->row[end].place == c->bound)
            end++;
        p->n = end;
    }
    return i;
}

static bool take(struct collecting *c, const struct found *f)
{
    struct page *p = c->page;

    if (f->place > c->bound)
        return false;
    if (p->n == c->cap) {
        cut(c);
        if (p->n >= c->cap / 2) {
            c->cap = c->cap ? c->cap * 2 : 64;
            p->row = xrealloc(p->row, c->cap * sizeof(*p->row));
        }
        if (f->place > c->bound)
            return false;
    }
    p->row[p->n] = *f;
    p->row[p->n++].target = c->target;
    return true;
}

static bool take_tx(void *ctx, const struct address_tx *tx)
{
    return take(ctx, &(struct found){.place = number_of(tx->at), .txid = tx->txid, .received = tx->received, .spent = tx->spent});
}

static bool take_coin(void *ctx, const struct address_coin *coin)
{
    struct collecting *c = ctx;

    if (c->q->end >= 0 && coin->at.height > c->q->end)
        return false;
    return take(c, &(struct found){
                       .place = number_of(coin->at), .n = coin->outpoint.n, .txid = coin->outpoint.txid, .received = coin->value});
}

bool page_read(struct page *p, struct address_query *q, bool coins)
{
    struct collecting c = {.page = p, .q = q, .bound = UINT64_MAX};
    size_t end;

    *p = (struct page){0};
    for (size_t i = 0; i < q->n_targets; i++) {
        enum rc rc;

        c.target = (uint32_t)i;
        if (rpc_stopping(q->call))
            return rpc_error(q->call, RPC_MISC_ERROR, "The node is stopping");
        rc = coins ? address_view_coins(q->view, &q->target[i].hash, q->from, take_coin, &c)
                   : address_view_history(q->view, &q->target[i].hash, q->from, q->end, take_tx, &c);
        if (rc != RC_OK)
            return address_query_failed(q, rc);
    }
    end = cut(&c);
    p->more = end < p->n;
    if (p->more)
        p->next = (struct address_place){(int32_t)(p->row[end].place >> 16), (uint32_t)(p->row[end].place & 0xffff)};
    p->n = end;
    if (p->more && q->old_form && !q->paged)
        return rpc_error(q->call, RPC_INVALID_PARAMETER, "More than %d transactions: give a limit, and a cursor", ADDRESS_ROWS_MAX);
    return true;
}

void page_clear(struct page *p)
{
    free(p->row);
}

void jw_page_end(struct json_writer *j, const struct address_query *q, const struct page *p)
{
    char next[40];

    jw_kv_int(j, "height", q->tip->node.height);
    jw_kv_hash(j, "hash", q->tip->node.hash.b);
    if (p && p->more) {
        snprintf(next, sizeof(next), "%d:%u", p->next.height, p->next.pos);
        jw_kv_str(j, "next", next);
    }
}
