/* scanblocks.c - scanblocks and getdescriptoractivity: which blocks touch given scripts, by their filters, and what happens to the scripts in
 * given blocks and in the mempool. One scan of filters at a time. Pool threads, as they read from disk. */
#include <stdlib.h>

#include "chain/undo.h"
#include "index/blockfilter.h"
#include "rpc/scan_objects.h"
#include "rpc/server_priv.h"

/* ---- scanblocks ---- */

struct block_scan {
    struct rpc_call *call;
    struct scan_list scripts; /* sorted */
    struct filter_item *items;
    const struct block_entry *from, *to, *at; /* at: the last one looked at */
    bool exact;                               /* look into the blocks that match */
    struct json_writer found;
};

/* Does the block really have one of the scripts? Returns: false with the error set if it cannot be read. */
static bool look_inside(struct block_scan *s, bool *match, const struct block_entry *e)
{
    struct chain *chain = s->call->host->chain;
    struct block_undo *undo = NULL;
    struct block *b = NULL;

    *match = false;
    if (!rpc_has_data(s->call, e, false) || (e->node.prev && !rpc_has_data(s->call, e, true)))
        return false;
    if (chain_read_block(chain, &b, e) != RC_OK)
        return rpc_error(s->call, RPC_MISC_ERROR, "Block not found on disk");
    for (uint32_t i = 0; i < b->n_tx && !*match; i++)
        for (uint32_t j = 0; j < b->tx[i].n_out && !*match; j++)
            *match = scan_list_find(&s->scripts, b->tx[i].out[j].script, b->tx[i].out[j].script_len) != NULL;
    block_unref(b);
    if (*match || !e->node.prev)
        return true;
    if (chain_read_undo(chain, &undo, e) != RC_OK)
        return rpc_error(s->call, RPC_INTERNAL_ERROR, "Can't read undo data from disk");
    for (uint32_t i = 0; i < undo->n_tx && !*match; i++)
        for (uint32_t j = 0; j < undo->tx[i].n && !*match; j++)
            *match = scan_list_find(&s->scripts, undo->tx[i].coin[j].out.script, undo->tx[i].coin[j].out.script_len) != NULL;
    block_undo_free(undo);
    return true;
}

/* A block whose filter is not there (yet) is passed over, as in Core. Returns: false with the error set. */
static bool scan_block(struct block_scan *s, const struct block_entry *e)
{
    uint8_t *filter;
    size_t len;
    bool match;

    if (filter_index_read(s->call->host->filters, &filter, &len, e) != RC_OK)
        return true;
    match = filter_match(filter, len, &e->node.hash, s->items, s->scripts.n);
    free(filter);
    if (match && s->exact && !look_inside(s, &match, e))
        return false;
    if (match)
        jw_hash(&s->found, e->node.hash.b);
    return true;
}

/* Out: *complete. Returns: false with the error set. */
static bool scan_filters(struct block_scan *s, bool *complete)
{
    struct rpc_server *server = s->call->server;
    int32_t first = s->from->node.height, n = s->to->node.height - first;

    *complete = false;
    for (int32_t h = first; h <= s->to->node.height; h++) {
        const struct block_entry *e =
            entry_of(header_node_ancestor(&s->to->node, h)); /* one branch, whatever the chain does meanwhile */

        if (rpc_stopping(s->call))
            return rpc_error(s->call, RPC_CLIENT_NOT_CONNECTED, "Shutting down");
        if (atomic_load(&server->blocks_scan_abort))
            return true;
        if (!scan_block(s, e))
            return false;
        s->at = e;
        atomic_store(&server->blocks_scan_progress, n ? (int)(100.0 / n * (h - first)) : 100);
        atomic_store(&server->blocks_scan_height, h);
    }
    *complete = true;
    return true;
}

static bool scan_range(struct rpc_call *call, struct block_scan *s)
{
    struct chain *chain = call->host->chain;
    int64_t height;

    s->from = chain_at(chain, 0);
    s->to = chain_tip(chain);
    if (rpc_has(call, 2)) {
        if (!rpc_int(call, &height, 2, 0))
            return false;
        s->from = height >= 0 ? chain_at(chain, (int32_t)height) : NULL;
        if (!s->from)
            return rpc_error(call, RPC_MISC_ERROR, "Invalid start_height");
    }
    if (rpc_has(call, 3)) {
        if (!rpc_int(call, &height, 3, 0))
            return false;
        s->to = height >= 0 ? chain_at(chain, (int32_t)height) : NULL;
    }
    if (!s->to || s->to->node.height < s->from->node.height)
        return rpc_error(call, RPC_MISC_ERROR, "Invalid stop_height");
    s->at = s->from;
    return true;
}

static bool scan_options(struct rpc_call *call, struct block_scan *s)
{
    struct json_object *options = rpc_arg(call, 5), *exact = options ? rpc_member(options, "filter_false_positives") : NULL;
    const char *type;

    if (!rpc_arg(call, 1))
        return rpc_error(call, RPC_MISC_ERROR, "scanobjects argument is required for the start action");
    if (!rpc_text(call, &type, 4, "basic"))
        return false;
    if (strcmp(type, "basic") != 0)
        return rpc_error(call, RPC_INVALID_ADDRESS_OR_KEY, "Unknown filtertype");
    if (exact) {
        if (!rpc_want(call, exact, RPC_BOOL))
            return false;
        s->exact = json_object_get_boolean(exact);
    }
    if (!call->host->filters)
        return rpc_error(call, RPC_MISC_ERROR, "Index is not enabled for filtertype %s", type);
    return true;
}

static void show_scan(struct block_scan *s, bool complete)
{
    struct json_writer *j = &s->call->out;

    jw_obj_begin(j);
    jw_kv_int(j, "from_height", s->from->node.height);
    jw_kv_int(j, "to_height", s->at->node.height);
    jw_key(j, "relevant_blocks");
    jw_raw(j, s->found.w.data, s->found.w.len);
    jw_kv_bool(j, "completed", complete);
    jw_obj_end(j);
}

static void start_block_scan(struct rpc_call *call)
{
    struct block_scan s = {.call = call, .found = JSON_WRITER_INIT};
    struct rpc_server *server = call->server;
    bool complete;

    if (!scan_options(call, &s) || !scan_range(call, &s) || !rpc_scan_objects(call, rpc_arg(call, 1), &s.scripts, false))
        goto out;
    scan_list_sort(&s.scripts);
    s.items = xcalloc(s.scripts.n + 1, sizeof(*s.items));
    for (size_t i = 0; i < s.scripts.n; i++)
        s.items[i] = (struct filter_item){s.scripts.items[i].script, s.scripts.items[i].len};
    index_wait(filter_index_base(call->host->filters), call->host->interrupt); /* the last blocks may be on their way */
    atomic_store(&server->blocks_scan_progress, 0);
    atomic_store(&server->blocks_scan_height, s.from->node.height);
    jw_arr_begin(&s.found);
    if (scan_filters(&s, &complete)) {
        jw_arr_end(&s.found);
        show_scan(&s, complete);
    }
out:
    free(s.items);
    scan_list_clear(&s.scripts);
    jw_clear(&s.found);
}

static void scanblocks(struct rpc_call *call)
{
    struct rpc_server *server = call->server;
    const char *action;

    if (!rpc_text(call, &action, 0, ""))
        return;
    if (strcmp(action, "status") == 0) {
        if (!atomic_load(&server->blocks_scanning))
            return;
        jw_obj_begin(&call->out);
        jw_kv_int(&call->out, "progress", atomic_load(&server->blocks_scan_progress));
        jw_kv_int(&call->out, "current_height", atomic_load(&server->blocks_scan_height));
        jw_obj_end(&call->out);
    } else if (strcmp(action, "abort") == 0) {
        bool running = atomic_load(&server->blocks_scanning);
        if (running)
            atomic_store(&server->blocks_scan_abort, true);
        jw_bool(&call->out, running);
    } else if (strcmp(action, "start") == 0) {
        if (atomic_exchange(&server->blocks_scanning, true)) {
            rpc_error(call, RPC_INVALID_PARAMETER, "Scan already in progress, use action \"abort\" or \"status\"");
            return;
        }
        atomic_store(&server->blocks_scan_abort, false);
        start_block_scan(call);
        atomic_store(&server->blocks_scanning, false);
    } else {
        rpc_error(call, RPC_INVALID_PARAMETER, "Invalid action '%s'", action);
    }
}

/* ---- getdescriptoractivity ---- */

struct activity {
    struct rpc_call *call;
    struct scan_list scripts; /* sorted */
    const struct block_entry **blocks;
    size_t n_blocks;
};

static bool watched(const struct activity *a, const struct tx_out *out)
{
    return scan_list_find(&a->scripts, out->script, out->script_len) != NULL;
}

/* The members that both kinds of event begin with. block: NULL in the mempool. */
static void begin_event(struct json_writer *j, const char *type, int64_t value, const struct block_entry *block)
{
    jw_obj_begin(j);
    jw_kv_str(j, "type", type);
    jw_kv_amount(j, "amount", value);
    if (block) {
        jw_kv_hash(j, "blockhash", block->node.hash.b);
        jw_kv_int(j, "height", block->node.height);
    }
}

static void show_spend(struct activity *a, const struct tx *tx, uint32_t in, const struct tx_out *spent,
                       const struct block_entry *block)
{
    struct json_writer *j = &a->call->out;

    begin_event(j, "spend", spent->value, block);
    jw_kv_hash(j, "spend_txid", tx->txid.b);
    jw_kv_uint(j, "spend_vin", in);
    jw_kv_hash(j, "prevout_txid", tx->in[in].prevout->txid.b);
    jw_kv_uint(j, "prevout_vout", tx->in[in].prevout->n);
    jw_script(j, "prevout_spk", a->call->host->params, spent->script, spent->script_len);
    jw_obj_end(j);
}

static void show_receipts(struct activity *a, const struct tx *tx, const struct block_entry *block)
{
    struct json_writer *j = &a->call->out;

    for (uint32_t i = 0; i < tx->n_out; i++) {
        if (!watched(a, &tx->out[i]))
            continue;
        begin_event(j, "receive", tx->out[i].value, block);
        jw_kv_hash(j, "txid", tx->txid.b);
        jw_kv_uint(j, "vout", i);
        jw_script(j, "output_spk", a->call->host->params, tx->out[i].script, tx->out[i].script_len);
        jw_obj_end(j);
    }
}

static bool show_block(struct activity *a, const struct block_entry *e)
{
    struct chain *chain = a->call->host->chain;
    struct block_undo *undo = NULL;
    struct block *b;

    if (!rpc_has_data(a->call, e, false) || (e->node.prev && !rpc_has_data(a->call, e, true)))
        return false;
    if (chain_read_block(chain, &b, e) != RC_OK)
        return rpc_error(a->call, RPC_MISC_ERROR, "Block not found on disk");
    if (e->node.prev && (chain_read_undo(chain, &undo, e) != RC_OK || undo->n_tx + 1 != b->n_tx)) {
        rpc_error(a->call, RPC_INTERNAL_ERROR, "Can't read undo data from disk");
    } else {
        for (uint32_t i = 0; i < b->n_tx; i++) {
            const struct tx_undo *spent = i && undo ? &undo->tx[i - 1] : NULL;

            for (uint32_t k = 0; spent && k < spent->n && k < b->tx[i].n_in; k++)
                if (watched(a, &spent->coin[k].out))
                    show_spend(a, &b->tx[i], k, &spent->coin[k].out, e);
            show_receipts(a, &b->tx[i], e);
        }
    }
    if (undo)
        block_undo_free(undo);
    block_unref(b);
    return !a->call->code;
}

/* Validation thread. */
static void show_pool_tx(struct activity *a, const struct tx *tx, struct arena *arena)
{
    for (uint32_t i = 0; i < tx->n_in; i++) {
        struct coin c;

        if (!mempool_get_coin(a->call->host->mempool, &c, tx->in[i].prevout) &&
            chain_get_coin(a->call->host->chain, &c, tx->in[i].prevout, arena) != RC_OK)
            continue;
        if (watched(a, &c.out))
            show_spend(a, tx, i, &c.out, NULL);
    }
    show_receipts(a, tx, NULL);
}

struct pool_walk {
    struct activity *a;
    struct arena arena;
};

static bool on_pool_tx(void *ctx, const struct mempool_entry *e)
{
    struct pool_walk *w = ctx;

    show_pool_tx(w->a, e->tx, &w->arena);
    arena_clear(&w->arena);
    return true;
}

static void show_pool(void *arg)
{
    struct activity *a = arg;
    struct pool_walk w = {.a = a, .arena = ARENA_INIT};

    mempool_each(a->call->host->mempool, on_pool_tx, &w);
    arena_clear(&w.arena);
}

static int compare_heights(const void *pa, const void *pb)
{
    const struct block_entry *const *a = pa, *const *b = pb;

    return ((*a)->node.height > (*b)->node.height) - ((*a)->node.height < (*b)->node.height);
}

/* The blocks, by height; of those at one height the first. */
static bool read_blocks(struct activity *a, struct json_object *list)
{
    struct rpc_call *call = a->call;
    size_t n = json_object_array_length(list), kept = 0;

    a->blocks = xcalloc(n + 1, sizeof(*a->blocks));
    for (size_t i = 0; i < n; i++) {
        struct block_hash hash;

        if (!rpc_hash_of(call, hash.b, json_object_array_get_idx(list, i), "blockhash"))
            return false;
        a->blocks[i] = chain_lookup(call->host->chain, &hash);
        if (!a->blocks[i])
            return rpc_error(call, RPC_INVALID_ADDRESS_OR_KEY, "Block not found");
        if (!chain_contains(call->host->chain, a->blocks[i]))
            return rpc_error(call, RPC_INVALID_PARAMETER, "Block is not in main chain");
    }
    qsort(a->blocks, n, sizeof(*a->blocks), compare_heights);
    for (size_t i = 0; i < n; i++)
        if (!kept || a->blocks[kept - 1]->node.height != a->blocks[i]->node.height)
            a->blocks[kept++] = a->blocks[i];
    a->n_blocks = kept;
    return true;
}

static void show_activity(struct activity *a, bool with_pool)
{
    struct json_writer *j = &a->call->out;

    jw_obj_begin(j);
    jw_key(j, "activity");
    jw_arr_begin(j);
    for (size_t i = 0; i < a->n_blocks; i++) {
        if (rpc_stopping(a->call))
            rpc_error(a->call, RPC_CLIENT_NOT_CONNECTED, "Shutting down");
        if (a->call->code || !show_block(a, a->blocks[i]))
            return;
    }
    if (with_pool && (!rpc_need_mempool(a->call) || !rpc_on_validation(a->call, show_pool, a)))
        return;
    jw_arr_end(j);
    jw_obj_end(j);
}

static void getdescriptoractivity(struct rpc_call *call)
{
    struct activity a = {.call = call};
    bool with_pool;

    if (rpc_flag(call, &with_pool, 2, true) && read_blocks(&a, rpc_arg(call, 0)) &&
        rpc_scan_objects(call, rpc_arg(call, 1), &a.scripts, false)) {
        scan_list_sort(&a.scripts);
        show_activity(&a, with_pool);
    }
    scan_list_clear(&a.scripts);
    free(a.blocks);
}

const struct rpc_command rpc_scanblocks_commands[] = {
    {"blockchain", "scanblocks", scanblocks,
     RPC_PARAMS(
         {"action", RPC_STR, RPC_REQUIRED, NULL,
          "The action to execute: \"start\" for starting a scan, \"abort\" for aborting the current scan (returns true when "
          "abort was successful), \"status\" for progress report (in %) of the current scan",
          NULL},
         {"scanobjects", RPC_ARR, 0, NULL,
          "Array of scan objects. Required for \"start\" action: descriptors, or objects with \"desc\".", "[scanobjects,...]"},
         {"start_height", RPC_NUM, 0, "0", "Height to start to scan from", NULL},
         {"stop_height", RPC_NUM, 0, "chain tip", "Height to stop to scan", NULL},
         {"filtertype", RPC_STR, 0, "\"basic\"", "The type name of the filter", NULL},
         {"filter_false_positives", RPC_BOOL, RPC_OPTION, "false",
          "Filter false positives (slower and may fail on pruned nodes). Otherwise they may occur at a rate of 1/784931.", NULL},
         {"options", RPC_OPTIONS, 0, NULL, "Options object that can be used to pass named arguments.", "options"}),
     0,
     "Return relevant blockhashes for given descriptors (requires blockfilterindex).\n"
     "This call may take several minutes. Make sure to use no RPC timeout (farthing-cli -rpcclienttimeout=0)\n"},
    {"blockchain", "getdescriptoractivity", getdescriptoractivity,
     RPC_PARAMS(
         {"blockhashes", RPC_ARR, RPC_REQUIRED, NULL,
          "The list of blockhashes to examine for activity. Order doesn't matter. Must be along main chain or an error is thrown.",
          "[\"blockhash\",...]"},
         {"scanobjects", RPC_ARR, RPC_REQUIRED, NULL,
          "The list of descriptors (scan objects) to examine for activity: descriptors, or objects with \"desc\".",
          "[scanobjects,...]"},
         {"include_mempool", RPC_BOOL, 0, "true", "Whether to include unconfirmed activity", NULL}),
     0,
     "Get spend and receive activity associated with a set of descriptors for a set of blocks. This command pairs well with the "
     "`relevant_blocks` output of `scanblocks()`.\n"
     "This call may take several minutes. If you encounter timeouts, try specifying no RPC timeout (farthing-cli "
     "-rpcclienttimeout=0)\n"},
    {NULL, NULL, NULL, NULL, 0, NULL}};
