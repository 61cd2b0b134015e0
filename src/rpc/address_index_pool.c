/* address_index_pool.c - getaddressmempool: single outputs and inputs of unconfirmed transactions, page by page in the order of time. Pool threads; the
 * mempool is looked at on the validation thread. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/address_index_priv.h"

struct pool_line {
    struct script_delta delta;
    uint32_t target;
};
struct pool_lines {
    struct pool_line *row;
    size_t n, cap;
};

static int by_place(int64_t time_a, const struct txid *a, int64_t time_b, const struct txid *b)
{
    return time_a != time_b ? (time_a < time_b ? -1 : 1) : memcmp(a->b, b->b, sizeof(a->b));
}

/* Outputs in front of inputs. */
static int line_order(const void *pa, const void *pb)
{
    const struct script_delta *a = &((const struct pool_line *)pa)->delta, *b = &((const struct pool_line *)pb)->delta;
    int order = by_place(a->time, &a->txid, b->time, &b->txid);

    if (order == 0)
        order = (int)a->input - (int)b->input;
    return order ? order : (a->index > b->index) - (a->index < b->index);
}

static void add_line(struct pool_lines *p, const struct script_delta *d, size_t target)
{
    if (p->n == p->cap) {
        p->cap = p->cap ? p->cap * 2 : 64;
        p->row = xrealloc(p->row, p->cap * sizeof(*p->row));
    }
    p->row[p->n++] = (struct pool_line){*d, (uint32_t)target};
}

/* Those from the cursor on. */
static void gather(struct address_query *q, void *arg)
{
    struct pool_lines *p = arg;

    p->n = 0;
    for (size_t i = 0; i < q->n_targets; i++) {
        struct script_delta *d;
        size_t n = script_index_deltas(q->call->host->scripts, &d, q->target[i].hash.bytes);

        for (size_t k = 0; k < n; k++)
            if (by_place(d[k].time, &d[k].txid, q->pool_from.time, &q->pool_from.txid) >= 0)
                add_line(p, &d[k], i);
        free(d);
    }
}

static void jw_line(struct json_writer *j, const struct address_query *q, const struct pool_line *l)
{
    const struct script_delta *d = &l->delta;

    jw_obj_begin(j);
    jw_target(j, q, l->target, false);
    jw_kv_hash(j, "txid", d->txid.b);
    jw_kv_uint(j, "index", d->index);
    jw_kv_int(j, "satoshis", d->input ? -d->value : d->value);
    jw_kv_int(j, "timestamp", d->time);
    if (d->input) {
        jw_kv_hash(j, "prevtxid", d->prevout.txid.b);
        jw_kv_uint(j, "prevout", d->prevout.n);
    }
    jw_obj_end(j);
}

/* How many lines belong to the page: its transactions are not parted. */
static size_t page_length(const struct pool_lines *p, size_t limit)
{
    size_t txs = 0;

    for (size_t i = 0; i < p->n; i++)
        if ((i == 0 || !txid_equal(&p->row[i].delta.txid, &p->row[i - 1].delta.txid)) && ++txs > limit)
            return i;
    return p->n;
}

static void jw_lines(struct json_writer *j, const struct address_query *q, const struct pool_lines *p, size_t n)
{
    jw_arr_begin(j);
    for (size_t i = 0; i < n; i++)
        jw_line(j, q, &p->row[i]);
    jw_arr_end(j);
}

static void jw_answer(struct json_writer *j, const struct address_query *q, const struct pool_lines *p, size_t n)
{
    jw_obj_begin(j);
    jw_key(j, "deltas");
    jw_lines(j, q, p, n);
    jw_page_end(j, q, NULL);
    if (n < p->n) {
        const struct script_delta *d = &p->row[n].delta;
        char next[96];

        snprintf(next, sizeof(next), "%" PRId64 ":%s", d->time, txid_hex(&d->txid).s);
        jw_kv_str(j, "next", next);
    }
    jw_obj_end(j);
}

void rpc_getaddressmempool(struct rpc_call *call)
{
    struct address_query q;
    struct pool_lines p = {0};

    if (address_query_read_pool(&q, call) && address_query_open(&q, gather, &p)) {
        size_t n;

        if (p.n)
            qsort(p.row, p.n, sizeof(*p.row), line_order);
        n = page_length(&p, q.limit);
        if (!address_query_is_bare(&q))
            jw_answer(&call->out, &q, &p, n);
        else if (n == p.n)
            jw_lines(&call->out, &q, &p, n);
        else
            rpc_error(call, RPC_INVALID_PARAMETER, "More than %d transactions: give a limit, and a cursor", ADDRESS_ROWS_MAX);
    }
    free(p.row);
    address_query_clear(&q);
}
