/* mempool.c - commands that show the memory pool. The pool belongs to the validation thread: answers are written there. */
#include <stdlib.h>

#include "policy/policy.h"
#include "rpc/priv.h"
#include "util/fs.h"

const struct rpc_host *rpc_need_mempool(struct rpc_call *call)
{
    if (call->host->mempool)
        return call->host;
    rpc_error(call, RPC_CLIENT_MEMPOOL_DISABLED, "Mempool disabled or instance not found");
    return NULL;
}

struct pool_op {
    struct rpc_call *call;
    struct mempool *mempool;
    struct txid id;
    bool verbose, sequence;
    enum mempool_relation relation;
};

/* ---- entries ---- */

static bool may_be_replaced(struct mempool *m, const struct mempool_entry *e)
{
    struct txid *ids = NULL;
    size_t n;
    bool yes = policy_signals_rbf(e->tx);

    if (yes || e->n_ancestors <= 1)
        return yes;
    n = mempool_relatives(m, &ids, &e->tx->txid, MEMPOOL_ANCESTORS);
    for (size_t i = 0; i < n && !yes; i++) {
        struct mempool_entry a;
        yes = mempool_get(m, &a, &ids[i]) && policy_signals_rbf(a.tx);
    }
    free(ids);
    return yes;
}

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct txid));
}

static void write_ids(struct json_writer *j, const char *key, struct mempool *m, const struct txid *id, enum mempool_relation rel)
{
    struct txid *ids = NULL;
    size_t n = mempool_relatives(m, &ids, id, rel);

    qsort(ids, n, sizeof(*ids), rel == MEMPOOL_PARENTS ? hash_by_number : by_bytes);
    jw_key(j, key);
    jw_arr_begin(j);
    for (size_t i = 0; i < n; i++)
        jw_hash(j, ids[i].b);
    jw_arr_end(j);
    free(ids);
}

/* The chunk that an entry is mined in. */
struct chunk_place {
    const struct txid *id;
    int64_t fee, weight;
};

static bool look_into_chunk(void *ctx, const struct mempool_chunk *c)
{
    struct chunk_place *place = ctx;

    for (size_t i = 0; i < c->n; i++) {
        if (!txid_equal(&c->tx[i].tx->txid, place->id))
            continue;
        place->fee = c->fee;
        place->weight = c->weight;
        return false;
    }
    return true;
}

static void write_entry(struct json_writer *j, struct mempool *m, const struct mempool_entry *e, const struct chunk_place *known)
{
    struct chunk_place place = {&e->tx->txid, e->modified_fee, e->weight};

    if (known)
        place = *known;
    else
        mempool_each_chunk(m, look_into_chunk, &place);
    jw_obj_begin(j);
    jw_kv_int(j, "vsize_adjusted", e->vsize);
    jw_kv_int(j, "vsize", e->vsize);
    jw_kv_int(j, "vsize_bip141", tx_vsize(e->tx));
    jw_kv_int(j, "weight", e->weight);
    jw_kv_int(j, "time", e->time);
    jw_kv_int(j, "height", e->height);
    jw_kv_uint(j, "descendantcount", e->n_descendants);
    jw_kv_int(j, "descendantsize", e->descendant_vsize);
    jw_kv_uint(j, "ancestorcount", e->n_ancestors);
    jw_kv_int(j, "ancestorsize", e->ancestor_vsize);
    jw_kv_hash(j, "wtxid", e->tx->wtxid.b);
    jw_kv_int(j, "chunkweight", place.weight);
    jw_key(j, "fees");
    jw_obj_begin(j);
    jw_kv_amount(j, "base", e->fee);
    jw_kv_amount(j, "modified", e->modified_fee);
    jw_kv_amount(j, "ancestor", e->ancestor_fees);
    jw_kv_amount(j, "descendant", e->descendant_fees);
    jw_kv_amount(j, "chunk", place.fee);
    jw_obj_end(j);
    write_ids(j, "depends", m, &e->tx->txid, MEMPOOL_PARENTS);
    write_ids(j, "spentby", m, &e->tx->txid, MEMPOOL_CHILDREN);
    jw_kv_bool(j, "unbroadcast", e->unbroadcast);
    jw_kv_bool(j, "bip125-replaceable", may_be_replaced(m, e)); /* older nodes' field, still read by clients */
    jw_obj_end(j);
}

static bool not_there(struct pool_op *op)
{
    return rpc_error(op->call, RPC_INVALID_ADDRESS_OR_KEY, "Transaction not in mempool");
}

static void show_entry(void *arg)
{
    struct pool_op *op = arg;
    struct mempool_entry e;

    if (mempool_get(op->mempool, &e, &op->id))
        write_entry(&op->call->out, op->mempool, &e, NULL);
    else
        not_there(op);
}

static void getmempoolentry(struct rpc_call *call)
{
    struct pool_op op = {.call = call, .mempool = call->host->mempool};

    if (rpc_hash(call, op.id.b, 0, "txid") && rpc_need_mempool(call))
        rpc_on_validation(call, show_entry, &op);
}

static void show_relatives(void *arg)
{
    struct pool_op *op = arg;
    struct json_writer *j = &op->call->out;
    struct txid *ids = NULL;
    struct mempool_entry e;
    size_t n;

    if (!mempool_get(op->mempool, &e, &op->id)) {
        not_there(op);
        return;
    }
    n = mempool_relatives(op->mempool, &ids, &op->id, op->relation);
    qsort(ids, n, sizeof(*ids), by_bytes);
    if (op->verbose)
        jw_obj_begin(j);
    else
        jw_arr_begin(j);
    for (size_t i = 0; i < n; i++) {
        if (!op->verbose) {
            jw_hash(j, ids[i].b);
        } else if (mempool_get(op->mempool, &e, &ids[i])) {
            jw_key(j, txid_hex(&ids[i]).s);
            write_entry(j, op->mempool, &e, NULL);
        }
    }
    if (op->verbose)
        jw_obj_end(j);
    else
        jw_arr_end(j);
    free(ids);
}

static void relatives(struct rpc_call *call, enum mempool_relation rel)
{
    struct pool_op op = {.call = call, .mempool = call->host->mempool, .relation = rel};

    if (rpc_flag(call, &op.verbose, 1, false) && rpc_hash(call, op.id.b, 0, "txid") && rpc_need_mempool(call))
        rpc_on_validation(call, show_relatives, &op);
}

static void getmempoolancestors(struct rpc_call *call)
{
    relatives(call, MEMPOOL_ANCESTORS);
}
static void getmempooldescendants(struct rpc_call *call)
{
    relatives(call, MEMPOOL_DESCENDANTS);
}

/* ---- the whole pool ---- */

static bool show_id(void *ctx, const struct mempool_entry *e)
{
    jw_hash(ctx, e->tx->txid.b);
    return true;
}

static bool show_chunk(void *ctx, const struct mempool_chunk *c)
{
    struct pool_op *op = ctx;

    for (size_t i = 0; i < c->n; i++) {
        struct chunk_place place = {&c->tx[i].tx->txid, c->fee, c->weight};
        struct mempool_entry e;
        if (!mempool_get(op->mempool, &e, place.id))
            continue;
        jw_key(&op->call->out, txid_hex(place.id).s);
        write_entry(&op->call->out, op->mempool, &e, &place);
    }
    return true;
}

static void show_pool(void *arg)
{
    struct pool_op *op = arg;
    struct json_writer *j = &op->call->out;
    struct mempool_stats s;

    if (op->verbose) {
        jw_obj_begin(j);
        mempool_each_chunk(op->mempool, show_chunk, op);
        jw_obj_end(j);
        return;
    }
    if (op->sequence) {
        jw_obj_begin(j);
        jw_key(j, "txids");
    }
    jw_arr_begin(j);
    mempool_each(op->mempool, show_id, j);
    jw_arr_end(j);
    if (op->sequence) {
        mempool_stats(op->mempool, &s);
        jw_kv_uint(j, "mempool_sequence", s.sequence);
        jw_obj_end(j);
    }
}

static void getrawmempool(struct rpc_call *call)
{
    struct pool_op op = {.call = call, .mempool = call->host->mempool};

    if (!rpc_flag(call, &op.verbose, 0, false) || !rpc_flag(call, &op.sequence, 1, false) || !rpc_need_mempool(call))
        return;
    if (op.verbose && op.sequence)
        rpc_error(call, RPC_INVALID_PARAMETER, "Verbose results cannot contain mempool sequence values.");
    else
        rpc_on_validation(call, show_pool, &op);
}

static void show_info(void *arg)
{
    struct pool_op *op = arg;
    const struct args *a = op->call->host->args;
    struct json_writer *j = &op->call->out;
    const struct policy *p = mempool_policy(op->mempool);
    struct mempool_stats s;

    mempool_stats(op->mempool, &s);
    jw_obj_begin(j);
    jw_kv_bool(j, "loaded", !op->call->host->loaded || atomic_load(op->call->host->loaded));
    jw_kv_uint(j, "size", s.count);
    jw_kv_uint(j, "bytes", s.bytes);
    jw_kv_uint(j, "usage", s.usage);
    jw_kv_amount(j, "total_fee", s.total_fee);
    jw_kv_uint(j, "maxmempool", s.max_bytes);
    jw_kv_amount(j, "mempoolminfee", s.min_fee_rate);
    jw_kv_amount(j, "minrelaytxfee", p->min_relay_fee_rate);
    jw_kv_amount(j, "incrementalrelayfee", p->incremental_fee_rate);
    jw_kv_uint(j, "unbroadcastcount", s.unbroadcast);
    jw_kv_bool(j, "permitbaremultisig", !a || args_bool(a, "permitbaremultisig", true));
    jw_kv_int(j, "maxdatacarriersize",
              !a                                  ? 100000
              : args_bool(a, "datacarrier", true) ? args_int(a, "datacarriersize", 100000)
                                                  : 0);
    jw_kv_int(j, "limitclustercount", a ? args_int(a, "limitclustercount", 64) : 64);
    jw_kv_int(j, "limitclustersize", a ? args_int(a, "limitclustersize", 101) * 1000 : 101000);
    jw_kv_bool(j, "optimal", s.optimal);
    jw_kv_bool(j, "fullrbf", true); /* older nodes' field, still read by clients */
    jw_obj_end(j);
}

static void getmempoolinfo(struct rpc_call *call)
{
    struct pool_op op = {.call = call, .mempool = call->host->mempool};

    if (rpc_need_mempool(call))
        rpc_on_validation(call, show_info, &op);
}

/* ---- gettxspendingprevout ---- */

/* An output that is asked for, and what spends it. */
struct spent_output {
    struct outpoint point;
    struct tx *spender; /* one reference; NULL: none is known */
    const struct block_entry *block;
};

struct spending {
    struct rpc_call *call;
    struct spent_output *out;
    size_t n, missing;
    bool show_tx, pool_only;
};

static void look_in_pool(void *arg)
{
    struct spending *s = arg;
    struct mempool *m = s->call->host->mempool;

    for (size_t i = 0; i < s->n; i++) {
        struct mempool_entry e;
        struct txid spender;

        if (mempool_is_spent(m, &s->out[i].point, &spender) && mempool_get(m, &e, &spender))
            s->out[i].spender = tx_ref(e.tx);
        else
            s->missing++;
    }
}

static bool look_in_blocks(struct spending *s)
{
    struct rpc_call *call = s->call;
    struct spender_index *x = call->host->spenders;

    if (!x || !index_wait(spender_index_base(x), call->host->interrupt))
        return rpc_error(call, RPC_MISC_ERROR, "Mempool lacks a relevant spend, and txospenderindex is unavailable.");
    for (size_t i = 0; i < s->n; i++) {
        struct spent_output *o = &s->out[i];
        enum rc rc = o->spender ? RC_OK : spender_index_find(x, &o->spender, &o->block, &o->point);

        if (rc == RC_NOT_FOUND)
            o->spender = NULL;
        else if (rc != RC_OK)
            return rpc_error(call, RPC_MISC_ERROR, "IO error finding spending tx for outpoint %s:%u.", txid_hex(&o->point.txid).s,
                             o->point.n);
    }
    return true;
}

static void show_spending(struct spending *s)
{
    struct json_writer *j = &s->call->out;

    jw_arr_begin(j);
    for (size_t i = 0; i < s->n; i++) {
        const struct spent_output *o = &s->out[i];

        jw_obj_begin(j);
        jw_kv_hash(j, "txid", o->point.txid.b);
        jw_kv_uint(j, "vout", o->point.n);
        if (o->spender)
            jw_kv_hash(j, "spendingtxid", o->spender->txid.b);
        if (o->spender && s->show_tx)
            jw_kv_hex(j, "spendingtx", o->spender->raw, o->spender->raw_len);
        if (o->block)
            jw_kv_hash(j, "blockhash", o->block->node.hash.b);
        jw_obj_end(j);
    }
    jw_arr_end(j);
}

static bool read_point(struct rpc_call *call, struct outpoint *p, struct json_object *o)
{
    struct json_object *v;
    int64_t n;

    if (!rpc_want(call, o, RPC_OBJ))
        return false;
    v = rpc_member(o, "txid");
    if (!v)
        return rpc_error(call, RPC_TYPE_ERROR, "Missing txid");
    if (!json_object_is_type(v, json_type_string))
        return rpc_error(call, RPC_TYPE_ERROR, "JSON value of type %s for field txid is not of expected type string",
                         rpc_type_name(v));
    v = rpc_member(o, "vout");
    if (!v)
        return rpc_error(call, RPC_TYPE_ERROR, "Missing vout");
    if (strcmp(rpc_type_name(v), "number") != 0)
        return rpc_error(call, RPC_TYPE_ERROR, "JSON value of type %s for field vout is not of expected type number",
                         rpc_type_name(v));
    json_object_object_foreach(o, key, value)
    {
        (void)value;
        if (strcmp(key, "txid") != 0 && strcmp(key, "vout") != 0)
            return rpc_error(call, RPC_TYPE_ERROR, "Unexpected key %s", key);
    }
    if (!rpc_hash_of(call, p->txid.b, rpc_member(o, "txid"), "txid") || !rpc_int_of(call, &n, v, INT32_MIN, INT32_MAX))
        return false;
    if (n < 0)
        return rpc_error(call, RPC_INVALID_PARAMETER, "Invalid parameter, vout cannot be negative");
    p->n = (uint32_t)n;
    return true;
}

static bool read_flag(struct rpc_call *call, bool *flag, struct json_object *options, const char *name)
{
    struct json_object *v = rpc_member(options, name);

    if (!v || json_object_is_type(v, json_type_null))
        return true;
    if (!json_object_is_type(v, json_type_boolean))
        return rpc_error(call, RPC_TYPE_ERROR, "JSON value of type %s for field %s is not of expected type bool", rpc_type_name(v),
                         name);
    *flag = json_object_get_boolean(v);
    return true;
}

static bool read_spending_options(struct rpc_call *call, struct spending *s)
{
    struct json_object *options = rpc_arg(call, 1);

    s->pool_only = !call->host->spenders;
    if (!options || json_object_is_type(options, json_type_null))
        return true;
    if (!read_flag(call, &s->pool_only, options, "mempool_only") || !read_flag(call, &s->show_tx, options, "return_spending_tx"))
        return false;
    json_object_object_foreach(options, key, value)
    {
        (void)value;
        if (strcmp(key, "mempool_only") != 0 && strcmp(key, "return_spending_tx") != 0)
            return rpc_error(call, RPC_TYPE_ERROR, "Unexpected key %s", key);
    }
    return true;
}

static void gettxspendingprevout(struct rpc_call *call)
{
    struct json_object *list = rpc_arg(call, 0);
    struct spending s = {.call = call, .n = json_object_array_length(list)};
    bool ok = true;

    if (s.n == 0) {
        rpc_error(call, RPC_INVALID_PARAMETER, "Invalid parameter, outputs are missing");
        return;
    }
    if (!read_spending_options(call, &s))
        return;
    s.out = xcalloc(s.n, sizeof(*s.out));
    for (size_t i = 0; ok && i < s.n; i++)
        ok = read_point(call, &s.out[i].point, json_object_array_get_idx(list, i));
    ok = ok && rpc_need_mempool(call) && rpc_on_validation(call, look_in_pool, &s);
    if (ok && s.missing && !s.pool_only)
        ok = look_in_blocks(&s);
    if (ok)
        show_spending(&s);
    for (size_t i = 0; i < s.n; i++)
        tx_unref(s.out[i].spender);
    free(s.out);
}

#define TXID_PARAM                                                                                                                 \
    {                                                                                                                              \
        "txid", RPC_HEX, RPC_REQUIRED, NULL, "The transaction id (must be in mempool)", NULL                                       \
    }
#define VERBOSE_PARAM                                                                                                              \
    {                                                                                                                              \
        "verbose", RPC_BOOL, 0, "false", "True for a json object, false for array of transaction ids", NULL                        \
    }

const struct rpc_command rpc_mempool_commands[] = {
    {"blockchain", "getmempoolancestors", getmempoolancestors, RPC_PARAMS(TXID_PARAM, VERBOSE_PARAM), 0,
     "If txid is in the mempool, returns all in-mempool ancestors."},
    {"blockchain", "getmempooldescendants", getmempooldescendants, RPC_PARAMS(TXID_PARAM, VERBOSE_PARAM), 0,
     "If txid is in the mempool, returns all in-mempool descendants."},
    {"blockchain", "getmempoolentry", getmempoolentry, RPC_PARAMS(TXID_PARAM), 0, "Returns mempool data for given transaction\n"},
    {"blockchain", "gettxspendingprevout", gettxspendingprevout,
     RPC_PARAMS({"outputs", RPC_ARR, RPC_REQUIRED, NULL,
                 "The transaction outputs that we want to check, and within each, the txid (string) vout (numeric).",
                 "[{\"txid\":\"hex\",\"vout\":n},...]"},
                {"mempool_only", RPC_BOOL, RPC_OPTION, "true if txospenderindex unavailable, otherwise false",
                 "If false and mempool lacks a relevant spend, use txospenderindex (throws an exception if not available).", NULL},
                {"return_spending_tx", RPC_BOOL, RPC_OPTION, "false", "If true, return the full spending tx.", NULL},
                {"options", RPC_OPTIONS, 0, NULL, "Options object that can be used to pass named arguments.",
                 "{\"mempool_only\":bool,\"return_spending_tx\":bool,...}"}),
     0, "Scans the mempool (and the txospenderindex, if available) to find transactions spending any of the given outputs"},
    {"blockchain", "getmempoolinfo", getmempoolinfo, NULL, 0, "Returns details on the active state of the TX memory pool."},
    {"blockchain", "getrawmempool", getrawmempool,
     RPC_PARAMS(VERBOSE_PARAM,
                {"mempool_sequence", RPC_BOOL, 0, "false",
                 "If verbose=false, returns a json object with transaction list and mempool sequence number attached.", NULL}),
     0,
     "Returns all transaction ids in memory pool as a json array of string transaction ids.\n"
     "\nHint: use getmempoolentry to fetch a specific transaction from the mempool."},
    {NULL, NULL, NULL, NULL, 0, NULL}};
