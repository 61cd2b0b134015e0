/* scan.c - scantxoutset: finds the coins of given scripts by reading the whole set once. One scan at a time; on a pool thread. */
#include <stdlib.h>

#include "rpc/descriptor.h"
#include "rpc/server_priv.h"

#define CHECK_EVERY 0x2000 /* coins between two looks at the abort flag */

struct needle {
    uint8_t *script;
    size_t len;
    char *desc;
};
struct scan {
    struct rpc_call *call;
    struct needle *needles;
    size_t n_needles;
    struct coindb_iter *it;
    const struct block_entry *tip;
    enum rc rc;
    struct json_writer found; /* the "unspents" array */
    int64_t count, total;
};

static int needle_order(const void *a, const void *b)
{
    const struct needle *x = a, *y = b;

    if (x->len != y->len)
        return x->len < y->len ? -1 : 1;
    return memcmp(x->script, y->script, x->len);
}

static void add_needle(struct scan *s, const uint8_t *script, size_t len)
{
    char *address = address_encode(script, len, &s->call->host->params->address);
    struct needle *n;

    s->needles = xrealloc(s->needles, (s->n_needles + 1) * sizeof(*s->needles));
    n = &s->needles[s->n_needles++];
    n->script = xmemdup(script, len);
    n->len = len;
    n->desc = descriptor_infer(script, len, address, NULL, 0);
    free(address);
}

/* The descriptor of a non-ranged object is shown as it was given, where that says more than the script alone. */
static bool add_descriptor(struct scan *s, const char *text)
{
    struct descriptor d;
    char *error, sum[9];

    if (!descriptor_parse(&d, text, s->call->host->params, false, &error)) {
        rpc_error(s->call, RPC_INVALID_ADDRESS_OR_KEY, "%s", error);
        free(error);
        return false;
    }
    for (unsigned i = 0; i < d.n_scripts; i++) {
        add_needle(s, d.script[i].bytes, d.script[i].len);
        if (d.n_scripts == 1 && d.solvable && descriptor_checksum(sum, d.text, strlen(d.text))) {
            free(s->needles[s->n_needles - 1].desc);
            s->needles[s->n_needles - 1].desc = xasprintf("%s#%s", d.text, sum);
        }
    }
    if (d.n_scripts == 0)
        rpc_error(s->call, RPC_INVALID_ADDRESS_OR_KEY, "Cannot derive script without private keys");
    descriptor_clear(&d);
    return !s->call->code;
}

static bool add_object(struct scan *s, struct json_object *o)
{
    struct json_object *desc;

    if (json_object_is_type(o, json_type_string))
        return add_descriptor(s, json_object_get_string(o));
    if (!json_object_is_type(o, json_type_object))
        return rpc_error(s->call, RPC_INVALID_PARAMETER, "Scan object needs to be either a string or an object");
    desc = rpc_member(o, "desc");
    if (!desc)
        return rpc_error(s->call, RPC_INVALID_PARAMETER, "Descriptor needs to be provided in scan object");
    return rpc_want(s->call, desc, RPC_STR) && add_descriptor(s, json_object_get_string(desc));
}

static void take_snapshot(void *arg)
{
    struct scan *s = arg;

    chain_drain(s->call->host->chain);
    s->rc = chain_coins_snapshot(s->call->host->chain, &s->it, &s->tip);
}

static void add_coin(struct scan *s, const struct outpoint *o, const struct coin *c, const struct needle *n)
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
        struct needle key = {(uint8_t *)(uintptr_t)c.out.script, c.out.script_len, NULL}, *hit;
        if (++s->count % CHECK_EVERY == 0) {
            atomic_store(&server->scan_progress, (int)((o.txid.b[0] * 256 + o.txid.b[1]) * 100.0 / 65536.0 + 0.5));
            if (atomic_load(&server->scan_abort) || rpc_stopping(s->call))
                return false;
        }
        hit = bsearch(&key, s->needles, s->n_needles, sizeof(key), needle_order);
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

    qsort(s->needles, s->n_needles, sizeof(*s->needles), needle_order);
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
    bool ok = true;

    if (!objects)
        rpc_error(call, RPC_MISC_ERROR, "scanobjects argument is required for the start action");
    for (size_t i = 0; objects && ok && i < json_object_array_length(objects); i++)
        ok = add_object(&s, json_object_array_get_idx(objects, i));
    if (objects && ok)
        run_scan(&s);
    for (size_t i = 0; i < s.n_needles; i++) {
        free(s.needles[i].script);
        free(s.needles[i].desc);
    }
    free(s.needles);
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
