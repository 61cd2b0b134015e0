/* scan.c - scantxoutset: finds the coins of given scripts by reading the whole set once. One scan at a time; on a pool thread. */
#include <stdlib.h>

#include "rpc/scan_objects.h"
#include "rpc/server_priv.h"

#define CHECK_EVERY 0x2000 /* coins between two looks at the abort flag */

struct scan {
    struct rpc_call *call;
    struct scan_list needles;
    struct coindb_iter *it;
    const struct block_entry *tip;
    enum rc rc;
    struct json_writer found; /* the "unspents" array */
    int64_t count, total;
};

static void take_snapshot(void *arg)
{
    struct scan *s = arg;

    chain_drain(s->call->host->chain);
    s->rc = chain_coins_snapshot(s->call->host->chain, &s->it, &s->tip);
}

static void add_coin(struct scan *s, const struct outpoint *o, const struct coin *c, const struct scan_script *n)
{
    const struct header_node *origin = header_node_ancestor(&s->tip->node, (int32_t)c->height);
    struct json_writer *j = &s->found;

    s->total += c->out.value;
    jw_obj_begin(j);
    jw_kv_hash(j, "txid", o->txid.b);
    jw_kv_uint(j, "vout", o->n);
    jw_kv_hex(j, "scriptPubKey", c->out.script, c->out.script_len);
    jw_kv_str(j, "desc", n->desc);
    jw_kv_amount(j, "amount", c->out.value);
    jw_kv_bool(j, "coinbase", c->coinbase);
    jw_kv_int(j, "height", c->height);
    if (origin)
        jw_kv_hash(j, "blockhash", origin->hash.b);
    jw_kv_int(j, "confirmations", s->tip->node.height - (int64_t)c->height + 1);
    jw_obj_end(j);
}

/* Returns: false if it was aborted. */
static bool read_all(struct scan *s)
{
    struct rpc_server *server = s->call->server;
    struct outpoint o;
    struct coin c;

    while ((s->rc = coindb_iter_next(s->it, &o, &c)) == RC_OK) {
        const struct scan_script *hit;
        if (++s->count % CHECK_EVERY == 0) {
            atomic_store(&server->scan_progress, (int)((o.txid.b[0] * 256 + o.txid.b[1]) * 100.0 / 65536.0 + 0.5));
            if (atomic_load(&server->scan_abort) || rpc_stopping(s->call))
                return false;
        }
        hit = scan_list_find(&s->needles, c.out.script, c.out.script_len);
        if (hit)
            add_coin(s, &o, &c, hit);
    }
    atomic_store(&server->scan_progress, 100);
    return true;
}

static void run_scan(struct scan *s)
{
    struct json_writer *j = &s->call->out;
    bool complete;

    scan_list_sort(&s->needles);
    if (!rpc_on_validation(s->call, take_snapshot, s))
        return;
    if (s->rc != RC_OK) {
        rpc_error(s->call, RPC_DATABASE_ERROR, "Unable to read UTXO set");
        return;
    }
    jw_arr_begin(&s->found);
    complete = read_all(s);
    jw_arr_end(&s->found);
    coindb_iter_free(s->it);
    if (complete && s->rc != RC_NOT_FOUND) {
        rpc_error(s->call, RPC_DATABASE_ERROR, "Unable to read UTXO set");
        return;
    }
    jw_obj_begin(j);
    jw_kv_bool(j, "success", complete);
    jw_kv_int(j, "txouts", s->count);
    jw_kv_int(j, "height", s->tip->node.height);
    jw_kv_hash(j, "bestblock", s->tip->node.hash.b);
    jw_key(j, "unspents");
    jw_raw(j, s->found.w.data, s->found.w.len);
    jw_kv_amount(j, "total_amount", s->total);
    jw_obj_end(j);
}

static void start_scan(struct rpc_call *call)
{
    struct scan s = {.call = call, .found = JSON_WRITER_INIT};
    struct json_object *objects = rpc_arg(call, 1);

    if (!objects)
        rpc_error(call, RPC_MISC_ERROR, "scanobjects argument is required for the start action");
    else if (rpc_scan_objects(call, objects, &s.needles, true))
        run_scan(&s);
    scan_list_clear(&s.needles);
    jw_clear(&s.found);
}

static void scantxoutset(struct rpc_call *call)
{
    struct rpc_server *server = call->server;
    const char *action;

    if (!rpc_text(call, &action, 0, ""))
        return;
    if (strcmp(action, "status") == 0) {
        if (!atomic_load(&server->scanning))
            return;
        jw_obj_begin(&call->out);
        jw_kv_int(&call->out, "progress", atomic_load(&server->scan_progress));
        jw_obj_end(&call->out);
    } else if (strcmp(action, "abort") == 0) {
        bool running = atomic_load(&server->scanning);
        if (running)
            atomic_store(&server->scan_abort, true);
        jw_bool(&call->out, running);
    } else if (strcmp(action, "start") == 0) {
        if (atomic_exchange(&server->scanning, true)) {
            rpc_error(call, RPC_INVALID_PARAMETER, "Scan already in progress, use action \"abort\" or \"status\"");
            return;
        }
        atomic_store(&server->scan_abort, false);
        atomic_store(&server->scan_progress, 0);
        start_scan(call);
        atomic_store(&server->scanning, false);
    } else {
        rpc_error(call, RPC_INVALID_PARAMETER, "Invalid action '%s'", action);
    }
}

const struct rpc_command rpc_scan_commands[] = {
    {"blockchain", "scantxoutset", scantxoutset,
     RPC_PARAMS({"action", RPC_STR, RPC_REQUIRED, NULL,
                 "The action to execute: \"start\" for starting a scan, \"abort\" for aborting the current scan (returns true when "
                 "abort was "
                 "successful), \"status\" for progress report (in %) of the current scan",
                 NULL},
                {"scanobjects", RPC_ARR, 0, NULL,
                 "Array of scan objects. Required for \"start\" action: descriptors, or objects with \"desc\".",
                 "[scanobjects,...]"}),
     0, "Scans the unspent transaction output set for entries that match certain output descriptors.\n"},
    {NULL, NULL, NULL, NULL, 0, NULL}};
