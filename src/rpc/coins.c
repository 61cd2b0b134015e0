/* coins.c - gettxout and gettxoutsetinfo. Single coins are asked of the validation thread; the whole set is read from a snapshot on the pool, or
 * its statistics from the index. */
#include "chain/utxo_stats.h"
#include "rpc/priv.h"

struct coin_query {
    struct rpc_call *call;
    struct outpoint point;
    bool with_mempool;
    struct coin coin;
    struct arena arena;
    bool found, unconfirmed;
    enum rc rc;
    const struct block_entry *tip;
};

static void find_coin(void *arg)
{
    struct coin_query *q = arg;
    const struct rpc_host *host = q->call->host;

    q->tip = chain_tip(host->chain);
    if (q->with_mempool && host->mempool) {
        if (mempool_is_spent(host->mempool, &q->point, NULL))
            return;
        if (mempool_get_coin(host->mempool, &q->coin, &q->point)) {
            /* the transaction may leave the pool as soon as this thread goes on */
            uint8_t *script = arena_alloc(&q->arena, q->coin.out.script_len + 1);
            memcpy(script, q->coin.out.script, q->coin.out.script_len);
            q->coin.out.script = script;
            q->found = q->unconfirmed = true;
            return;
        }
    }
    q->rc = chain_get_coin(host->chain, &q->coin, &q->point, &q->arena);
    q->found = q->rc == RC_OK;
}

static void write_coin(struct rpc_call *call, const struct coin_query *q)
{
    struct json_writer *j = &call->out;

    jw_obj_begin(j);
    jw_kv_hash(j, "bestblock", q->tip->node.hash.b);
    jw_kv_int(j, "confirmations", q->unconfirmed ? 0 : q->tip->node.height - (int64_t)q->coin.height + 1);
    jw_kv_amount(j, "value", q->coin.out.value);
    jw_script(j, "scriptPubKey", call->host->params, q->coin.out.script, q->coin.out.script_len);
    jw_kv_bool(j, "coinbase", q->coin.coinbase);
    jw_obj_end(j);
}

static void gettxout(struct rpc_call *call)
{
    struct coin_query q = {.call = call, .arena = ARENA_INIT};
    int64_t n;

    if (!rpc_hash(call, q.point.txid.b, 0, "txid") || !rpc_int_of(call, &n, rpc_arg(call, 1), 0, UINT32_MAX) ||
        !rpc_flag(call, &q.with_mempool, 2, true))
        return;
    q.point.n = (uint32_t)n;
    if (rpc_on_validation(call, find_coin, &q)) {
        if (q.found)
            write_coin(call, &q);
        else if (q.rc != RC_OK && q.rc != RC_NOT_FOUND)
            rpc_error(call, RPC_DATABASE_ERROR, "Unable to read UTXO set: %s", rc_name(q.rc));
    }
    arena_clear(&q.arena);
}

/* ---- the whole set ---- */

struct snapshot_op {
    struct chain *chain;
    struct coindb_iter *it;
    const struct block_entry *tip;
    enum rc rc;
};

static void take_snapshot(void *arg)
{
    struct snapshot_op *op = arg;

    chain_drain(op->chain);
    op->rc = chain_coins_snapshot(op->chain, &op->it, &op->tip);
}

static bool parse_hash_type(struct rpc_call *call, enum utxo_hash_type *type)
{
    const char *text;

    *type = UTXO_HASH_NONE;
    if (!rpc_text(call, &text, 0, "hash_serialized_3"))
        return false;
    if (strcmp(text, "hash_serialized_3") == 0)
        *type = UTXO_HASH_SERIALIZED;
    else if (strcmp(text, "muhash") == 0)
        *type = UTXO_HASH_MUHASH;
    else if (strcmp(text, "none") == 0)
        *type = UTXO_HASH_NONE;
    else
        return rpc_error(call, RPC_INVALID_PARAMETER, "'%s' is not a valid hash_type", text);
    return true;
}

static void write_set(struct rpc_call *call, const struct block_entry *tip, const struct utxo_stats *s, enum utxo_hash_type type)
{
    struct json_writer *j = &call->out;

    jw_obj_begin(j);
    jw_kv_int(j, "height", tip->node.height);
    jw_kv_hash(j, "bestblock", tip->node.hash.b);
    jw_kv_uint(j, "txouts", s->txouts);
    jw_kv_uint(j, "bogosize", s->bogosize);
    if (type == UTXO_HASH_SERIALIZED)
        jw_kv_hash(j, "hash_serialized_3", s->hash);
    if (type == UTXO_HASH_MUHASH)
        jw_kv_hash(j, "muhash", s->hash);
    jw_kv_amount(j, "total_amount", s->total_amount);
    jw_kv_uint(j, "transactions", s->transactions);
    jw_kv_uint(j, "disk_size", chain_coins_disk_size(call->host->chain));
    jw_obj_end(j);
}

/* ---- by the index ---- */

static int64_t unspendable(const struct coin_stats *s)
{
    return s->genesis + s->bip30 + s->scripts + s->unclaimed;
}

/* What one block added to the sums. */
static void write_block_info(struct json_writer *j, const struct coin_stats *s, const struct coin_stats *before)
{
    jw_key(j, "block_info");
    jw_obj_begin(j);
    jw_kv_amount(j, "prevout_spent", (int64_t)(uint64_t)(s->prevouts_spent - before->prevouts_spent));
    jw_kv_amount(j, "coinbase", (int64_t)(uint64_t)(s->coinbase - before->coinbase));
    jw_kv_amount(j, "new_outputs_ex_coinbase", (int64_t)(uint64_t)(s->new_outputs - before->new_outputs));
    jw_kv_amount(j, "unspendable", unspendable(s) - unspendable(before));
    jw_key(j, "unspendables");
    jw_obj_begin(j);
    jw_kv_amount(j, "genesis_block", s->genesis - before->genesis);
    jw_kv_amount(j, "bip30", s->bip30 - before->bip30);
    jw_kv_amount(j, "scripts", s->scripts - before->scripts);
    jw_kv_amount(j, "unclaimed_rewards", s->unclaimed - before->unclaimed);
    jw_obj_end(j);
    jw_obj_end(j);
}

static void write_indexed(struct rpc_call *call, const struct block_entry *e, enum utxo_hash_type type)
{
    struct json_writer *j = &call->out;
    struct coin_stats s, before = {.txouts = 0};

    if (stats_index_find(call->host->coin_stats, &s, e) != RC_OK ||
        (e->node.prev && stats_index_find(call->host->coin_stats, &before, entry_prev(e)) != RC_OK)) {
        rpc_error(call, RPC_INTERNAL_ERROR, "Unable to read UTXO set");
        return;
    }
    jw_obj_begin(j);
    jw_kv_int(j, "height", e->node.height);
    jw_kv_hash(j, "bestblock", e->node.hash.b);
    jw_kv_uint(j, "txouts", s.txouts);
    jw_kv_uint(j, "bogosize", s.bogosize);
    if (type == UTXO_HASH_MUHASH)
        jw_kv_hash(j, "muhash", s.muhash);
    jw_kv_amount(j, "total_amount", s.total_amount);
    jw_kv_amount(j, "total_unspendable_amount", unspendable(&s));
    write_block_info(j, &s, &before);
    jw_obj_end(j);
}

/* The block that is asked for: *e stays NULL if none is. */
static bool parse_block(struct rpc_call *call, const struct block_entry **e, enum utxo_hash_type type, bool use_index)
{
    *e = NULL;
    if (!rpc_has(call, 1))
        return true;
    if (!call->host->coin_stats)
        return rpc_error(call, RPC_INVALID_PARAMETER, "Querying specific block heights requires coinstatsindex");
    if (type == UTXO_HASH_SERIALIZED)
        return rpc_error(call, RPC_INVALID_PARAMETER, "hash_serialized_3 hash type cannot be queried for a specific block");
    if (!use_index)
        return rpc_error(call, RPC_INVALID_PARAMETER, "Cannot set use_index to false when querying for a specific block");
    *e = rpc_hash_or_height(call, rpc_arg(call, 1));
    return *e != NULL;
}

/* Waits for the index, or sees whether it has passed e. */
static bool stats_cover(struct rpc_call *call, const struct block_entry *e)
{
    struct index *x = stats_index_base(call->host->coin_stats);
    struct index_summary s;
    int32_t height;

    if (index_wait(x, call->host->interrupt))
        return true;
    index_summary(x, &s);
    height = s.best ? s.best->node.height : 0;
    if (!e || e->node.height <= height)
        return true;
    return rpc_error(call, RPC_INTERNAL_ERROR, "Unable to get data because coinstatsindex is still syncing. Current height: %d",
                     height);
}

/* ---- by counting ---- */

static void count_set(struct rpc_call *call, enum utxo_hash_type type)
{
    struct snapshot_op op = {.chain = call->host->chain};
    struct utxo_stats stats;
    enum rc rc;

    if (!rpc_on_validation(call, take_snapshot, &op))
        return;
    if (op.rc != RC_OK) {
        rpc_error(call, RPC_INTERNAL_ERROR, "Unable to read UTXO set");
        return;
    }
    rc = utxo_stats_compute(&stats, op.it, type, call->host->interrupt);
    coindb_iter_free(op.it);
    if (rc == RC_OK)
        write_set(call, op.tip, &stats, type);
    else if (rc == RC_INTERRUPTED)
        rpc_error(call, RPC_CLIENT_NOT_CONNECTED, "Shutting down");
    else
        rpc_error(call, RPC_INTERNAL_ERROR, "Unable to read UTXO set");
}

static void gettxoutsetinfo(struct rpc_call *call)
{
    enum utxo_hash_type type = UTXO_HASH_NONE;
    const struct block_entry *e, *tip = chain_tip(call->host->chain); /* before the wait: the index may not have a later one */
    bool use_index;

    if (!parse_hash_type(call, &type) || !rpc_flag(call, &use_index, 2, true) || !parse_block(call, &e, type, use_index))
        return;
    use_index = use_index && call->host->coin_stats;
    if (use_index && !stats_cover(call, e))
        return;
    if (use_index && type != UTXO_HASH_SERIALIZED)
        write_indexed(call, e ? e : tip, type);
    else
        count_set(call, type);
}

const struct rpc_command rpc_coins_commands[] = {
    {"blockchain", "gettxout", gettxout,
     RPC_PARAMS({"txid", RPC_STR, RPC_REQUIRED, NULL, "The transaction id", NULL},
                {"n", RPC_NUM, RPC_REQUIRED, NULL, "vout number", NULL},
                {"include_mempool", RPC_BOOL, 0, "true",
                 "Whether to include the mempool. Note that an unspent output that is spent in the mempool won't appear.", NULL}),
     0, "Returns details about an unspent transaction output.\n"},
    {"blockchain", "gettxoutsetinfo", gettxoutsetinfo,
     RPC_PARAMS({"hash_type", RPC_STR, 0, "\"hash_serialized_3\"",
                 "Which UTXO set hash should be calculated. Options: 'hash_serialized_3' (the legacy algorithm), 'muhash', 'none'.",
                 NULL},
                {"hash_or_height", RPC_NUM, RPC_ANY_TYPE, "the current best block",
                 "The block hash or height of the target height (only available with coinstatsindex).", NULL},
                {"use_index", RPC_BOOL, 0, "true", "Use coinstatsindex, if available.", NULL}),
     0,
     "Returns statistics about the unspent transaction output set.\nNote this call may take some time if you are not using "
     "coinstatsindex.\n"},
    {NULL, NULL, NULL, NULL, 0, NULL}};
