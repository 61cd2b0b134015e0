/* address_index_deltas.c - getaddressdeltas: single outputs and inputs, which the index does not hold; it tells in which transactions they are, and
 * these are read from their blocks. Pool threads. */
#include <stdlib.h>
#include <string.h>

#include "chain/undo.h"
#include "rpc/address_index_priv.h"

/* The block read last: a page goes through them in order. */
struct open_block {
    int32_t height;
    struct block *block;
    struct block_undo *undo;
};

static void close_block(struct open_block *o)
{
    block_unref(o->block);
    if (o->undo)
        block_undo_free(o->undo);
    *o = (struct open_block){.height = -1};
}

static bool open_block(struct open_block *o, struct address_query *q, int32_t height)
{
    struct chain *chain = q->call->host->chain;
    const struct block_entry *e = entry_of(header_node_ancestor(&q->tip->node, height));
    enum rc rc;

    if (o->height == height)
        return true;
    close_block(o);
    rc = chain_read_block(chain, &o->block, e);
    if (rc == RC_OK && e->node.prev)
        rc = chain_read_undo(chain, &o->undo, e);
    if (rc == RC_OK && o->undo->n_tx + 1 == o->block->n_tx) {
        o->height = height;
        return true;
    }
    close_block(o);
    return rc == RC_NOT_FOUND ? rpc_error(q->call, RPC_MISC_ERROR, "Block %d is not available (pruned data)", height)
                              : rpc_error(q->call, RPC_MISC_ERROR, "Can't read block %d from disk", height);
}

static void jw_delta(struct json_writer *j, const struct address_query *q, const struct found *f, uint32_t index, int64_t satoshis)
{
    jw_obj_begin(j);
    jw_target(j, q, f->target, false);
    jw_kv_hash(j, "txid", f->txid.b);
    jw_kv_uint(j, "index", index);
    jw_kv_int(j, "satoshis", satoshis);
    jw_kv_int(j, "height", (int64_t)(f->place >> 16));
    jw_kv_int(j, "blockindex", (int64_t)(f->place & 0xffff));
    jw_obj_end(j);
}

static bool is_script(const struct target *t, const struct tx_out *o)
{
    return o->script_len == t->len && memcmp(o->script, t->script, t->len) == 0;
}

/* Inputs first, as money is taken before it is given. */
static bool jw_tx_deltas(struct json_writer *j, struct address_query *q, const struct open_block *o, const struct found *f)
{
    const struct target *t = &q->target[f->target];
    uint32_t pos = (uint32_t)(f->place & 0xffff);
    const struct tx *tx = pos < o->block->n_tx ? &o->block->tx[pos] : NULL;
    const struct tx_undo *undo = pos > 0 && tx ? &o->undo->tx[pos - 1] : NULL;

    if (!tx || !txid_equal(&tx->txid, &f->txid) || (undo && undo->n != tx->n_in))
        return address_query_failed(q, RC_CORRUPT);
    for (uint32_t i = 0; undo && i < undo->n; i++)
        if (is_script(t, &undo->coin[i].out))
            jw_delta(j, q, f, i, -undo->coin[i].out.value);
    for (uint32_t i = 0; i < tx->n_out; i++)
        if (is_script(t, &tx->out[i]))
            jw_delta(j, q, f, i, tx->out[i].value);
    return true;
}

static bool jw_deltas(struct json_writer *j, struct address_query *q, const struct page *p)
{
    struct open_block o = {.height = -1};
    bool ok = true;

    jw_arr_begin(j);
    for (size_t i = 0; i < p->n && ok; i++) {
        if (rpc_stopping(q->call))
            ok = rpc_error(q->call, RPC_MISC_ERROR, "The node is stopping");
        ok = ok && open_block(&o, q, (int32_t)(p->row[i].place >> 16)) && jw_tx_deltas(j, q, &o, &p->row[i]);
    }
    jw_arr_end(j);
    close_block(&o);
    return ok;
}

static void jw_edge(struct json_writer *j, const struct address_query *q, const char *key, int32_t height)
{
    const struct header_node *n = header_node_ancestor(&q->tip->node, height);

    jw_key(j, key);
    jw_obj_begin(j);
    jw_kv_hash(j, "hash", n->hash.b);
    jw_kv_int(j, "height", height);
    jw_obj_end(j);
}

static void jw_answer(struct json_writer *j, struct address_query *q, const struct page *p)
{
    int32_t top = q->tip->node.height;

    jw_obj_begin(j);
    jw_key(j, "deltas");
    if (!jw_deltas(j, q, p))
        return;
    if (q->old_form && q->chain_info) {
        jw_edge(j, q, "start", q->start < top ? q->start : top);
        jw_edge(j, q, "end", q->end >= 0 && q->end < top ? q->end : top);
    }
    jw_page_end(j, q, p);
    jw_obj_end(j);
}

void rpc_getaddressdeltas(struct rpc_call *call)
{
    struct address_query q;
    struct page page = {0};

    if (address_query_read(&q, call) && address_query_open(&q, NULL, NULL) && page_read(&page, &q, false)) {
        if (address_query_is_bare(&q))
            jw_deltas(&call->out, &q, &page);
        else
            jw_answer(&call->out, &q, &page);
    }
    page_clear(&page);
    address_query_clear(&q);
}
