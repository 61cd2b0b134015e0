/* snapshot.c - dumptxoutset: the coin set of the tip or of an older block in a file; loadtxoutset: such a file as the coins to go on from. On a
 * pool thread; the chain goes on meanwhile. getchainstates: what there is of both kinds. */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "chain/snapshot.h"
#include "chain/utxo_stats.h"
#include "rpc/priv.h"
#include "util/confdir.h"
#include "util/fs.h"

struct dump {
    struct rpc_call *call;
    const struct block_entry *target; /* NULL: the tip, whichever it is by then */
    bool in_memory;
    char *path, *temp_path;
    bool fifo;
    FILE *f;
    struct coindb_iter *it;
    struct coindb_diff *diff;
    const struct block_entry *tip;
    bool holds;
    enum rc rc;
    struct utxo_stats stats;
};

/* ---- what is asked for ---- */

static const struct block_entry *latest_known(struct rpc_call *call)
{
    const struct chain_params *p = call->host->params;
    struct json_object *height = json_object_new_int(p->n_assumed ? p->assumed[p->n_assumed - 1].height : 0);
    const struct block_entry *e = rpc_hash_or_height(call, height);

    json_object_put(height);
    return e;
}

static bool choose_target(struct dump *d)
{
    struct rpc_call *call = d->call;
    struct json_object *options = rpc_arg(call, 2), *rollback = NULL,
                       *in_memory = options ? rpc_member(options, "in_memory") : NULL;
    const char *type;

    if (!rpc_text(call, &type, 1, ""))
        return false;
    if (in_memory && !rpc_want(call, in_memory, RPC_BOOL))
        return false;
    d->in_memory = in_memory && json_object_get_boolean(in_memory);
    if (options && json_object_object_get_ex(options, "rollback", &rollback)) {
        if (*type && strcmp(type, "rollback") != 0)
            return rpc_error(call, RPC_INVALID_PARAMETER, "Invalid snapshot type \"%s\" specified with rollback option", type);
        return (d->target = rpc_hash_or_height(call, rollback)) != NULL;
    }
    if (strcmp(type, "rollback") == 0)
        return (d->target = latest_known(call)) != NULL;
    return strcmp(type, "latest") == 0 ||
           rpc_error(call, RPC_INVALID_PARAMETER,
                     "Invalid snapshot type \"%s\" specified. Please specify \"rollback\" or \"latest\"", type);
}

/* The file gets its name when it is complete, unless it is a pipe. */
static bool open_file(struct dump *d, const char *path)
{
    struct stat st;
    bool exists;

    d->path = path_resolve(d->call->host->datadir, path);
    exists = stat(d->path, &st) == 0;
    d->fifo = exists && S_ISFIFO(st.st_mode);
    d->temp_path = xasprintf("%s%s", d->path, d->fifo ? "" : ".incomplete");
    if (exists && !d->fifo)
        return rpc_error(d->call, RPC_INVALID_PARAMETER,
                         "%s already exists. If you are sure this is what you want, move it out of the way first", d->path);
    d->f = fopen(d->temp_path, "wb");
    return d->f || rpc_error(d->call, RPC_INVALID_PARAMETER, "Couldn't open file %s for writing.", d->temp_path);
}

/* ---- the coins ---- */

static void take_snapshot(void *arg)
{
    struct dump *d = arg;
    struct chain *c = d->call->host->chain;

    chain_drain(c);
    d->rc = chain_coins_snapshot(c, &d->it, &d->tip);
    if (d->rc != RC_OK)
        return;
    if (!d->target)
        d->target = d->tip;
    if (header_node_ancestor(&d->tip->node, d->target->node.height) != &d->target->node)
        rpc_error(d->call, RPC_MISC_ERROR, "Could not roll back to requested block since it is not in the active chain.");
    else if (d->target != d->tip && !(d->holds = chain_hold_blocks(c, d->target->node.height)))
        rpc_error(d->call, RPC_MISC_ERROR, "Could not roll back to requested height since necessary block data is already pruned.");
}

static void release_blocks(void *arg)
{
    chain_release_blocks(arg);
}

static bool failed(struct dump *d, enum rc rc, const char *what, const struct block_entry *at)
{
    if (rc == RC_INTERRUPTED)
        return rpc_error(d->call, RPC_CLIENT_NOT_CONNECTED, "Shutting down");
    return rpc_error(d->call, RPC_INTERNAL_ERROR, at ? "%s at height %d" : "%s", what, at ? at->node.height : 0);
}

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *dir = xstrdup(path);

    dir[slash ? (size_t)(slash - path) + (slash == path) : 0] = 0;
    return dir;
}

static enum rc make_diff(struct dump *d)
{
    char *dir = folder_of(d->temp_path), *db_path = xasprintf("%s/temp_utxo_%d", dir, d->target->node.height), *error = NULL;
    enum rc rc;

    if (d->in_memory)
        log_info("Using in-memory database for UTXO-set rollback (this may require significant RAM).");
    rc = coindb_diff_new(&d->diff, d->in_memory ? NULL : db_path, &error);
    if (error)
        log_error("%s", error);
    free(error);
    free(db_path);
    free(dir);
    return rc;
}

static bool roll_back(struct dump *d)
{
    const struct block_entry *at = d->tip;
    enum rc rc;

    if (d->target == d->tip)
        return true;
    rc = make_diff(d);
    if (rc != RC_OK)
        return failed(d, rc, "Unable to create the temporary UTXO database", NULL);
    rc = snapshot_roll_back(d->call->host->chain, d->diff, d->tip, d->target, d->call->host->interrupt, &at);
    if (rc != RC_OK)
        return failed(d, rc, "Failed to roll back block", at);
    coindb_iter_apply(d->it, d->diff);
    log_info("Rollback complete. Computing UTXO statistics for created txoutset dump.");
    return true;
}

/* ---- the file ---- */

static bool write_file(struct dump *d)
{
    const struct rpc_host *host = d->call->host;
    struct snapshot_head head = {.base = d->target->node.hash};
    int64_t start = time_mono_us();
    enum rc rc = utxo_stats_compute(&d->stats, d->it, UTXO_HASH_SERIALIZED, host->interrupt);

    if (rc != RC_OK)
        return failed(d, rc, d->target == d->tip ? "Unable to read UTXO set" : "Unable to compute UTXO statistics", NULL);
    head.coins = d->stats.txouts;
    coindb_iter_rewind(d->it);
    log_info("Writing snapshot to disk.");
    rc = snapshot_write(d->f, host->params, &head, d->it, host->interrupt);
    if (rc == RC_IO || (rc == RC_OK && (fflush(d->f) != 0 || (!d->fifo && fsync(fileno(d->f)) != 0))))
        return rpc_error(d->call, RPC_MISC_ERROR, "Error writing %s: %s", d->temp_path, strerror(errno));
    if (rc != RC_OK)
        return failed(d, rc, "Unable to read UTXO set", NULL);
    log_info("writing UTXO snapshot at height %d (%s) to file %s (via %s) completed (%.2fs)", d->target->node.height,
             block_hash_hex(&d->target->node.hash).s, d->path, d->temp_path, (double)(time_mono_us() - start) / 1e6);
    return true;
}

static bool close_file(struct dump *d, bool ok)
{
    if (!d->f)
        return ok;
    if (fclose(d->f) != 0 && ok)
        ok = rpc_error(d->call, RPC_MISC_ERROR, "Error closing %s: %s", d->temp_path, strerror(errno));
    if (d->fifo)
        return ok;
    if (!ok)
        unlink(d->temp_path);
    else if (rename(d->temp_path, d->path) != 0)
        ok = rpc_error(d->call, RPC_MISC_ERROR, "Cannot rename %s to %s: %s", d->temp_path, d->path, strerror(errno));
    return ok;
}

static bool dump_coins(struct dump *d)
{
    if (!rpc_on_validation(d->call, take_snapshot, d))
        return false;
    if (d->rc != RC_OK)
        return failed(d, d->rc, "Unable to read UTXO set", NULL);
    return !d->call->code && roll_back(d) && write_file(d);
}

static void show(const struct dump *d)
{
    struct json_writer *j = &d->call->out;
    struct entry_facts facts;

    chain_facts(d->call->host->chain, d->target, &facts);
    jw_obj_begin(j);
    jw_kv_uint(j, "coins_written", d->stats.txouts);
    jw_kv_hash(j, "base_hash", d->target->node.hash.b);
    jw_kv_int(j, "base_height", d->target->node.height);
    jw_kv_str(j, "path", d->path);
    jw_kv_hash(j, "txoutset_hash", d->stats.hash);
    jw_kv_uint(j, "nchaintx", facts.chain_tx);
    jw_obj_end(j);
}

static void dumptxoutset(struct rpc_call *call)
{
    struct dump d = {.call = call};
    const char *path;

    if (!choose_target(&d) || !rpc_text(call, &path, 0, ""))
        return;
    if (close_file(&d, open_file(&d, path) && dump_coins(&d)))
        show(&d);
    coindb_iter_free(d.it);
    if (!coindb_diff_free(d.diff))
        log_info("Failed to clean up the temporary UTXO database beside %s, please remove it manually.", d.path);
    if (d.holds)
        rpc_on_validation(call, release_blocks, call->host->chain);
    free(d.path);
    free(d.temp_path);
}

/* ---- loading ---- */

struct load {
    struct rpc_call *call;
    struct snapshot_head head;
    struct snapshot_load *l;
    char *error; /* what speaks against it */
};

static void begin_load(void *arg)
{
    struct load *l = arg;
    const struct rpc_host *host = l->call->host;

    if (snapshot_begin(&l->l, host->chain, &l->head, &l->error) && host->mempool && mempool_count(host->mempool))
        l->error = xstrdup("Can't activate a snapshot when mempool not empty");
    else if (!l->error && !snapshot_has_more_work(host->chain, l->l))
        l->error = xstrdup("Population failed: Work does not exceed active chainstate");
}

static void activate_load(void *arg)
{
    struct load *l = arg;
    const struct rpc_host *host = l->call->host;

    if (host->mempool && mempool_count(host->mempool))
        l->error = xstrdup("Can't activate a snapshot when mempool not empty");
    else
        snapshot_activate(host->chain, l->l, &l->error);
}

static void populate(struct load *l, FILE *f)
{
    char *why;

    if (snapshot_populate(l->l, f, l->call->host->interrupt, &why))
        return;
    l->error = xasprintf("Population failed: %s", why);
    free(why);
}

static bool load_coins(struct load *l, FILE *f, const char *path)
{
    bool ok = rpc_on_validation(l->call, begin_load, l);

    if (ok && !l->error)
        populate(l, f);
    ok = ok && (l->error || rpc_on_validation(l->call, activate_load, l));
    if (l->error)
        rpc_error(l->call, RPC_INTERNAL_ERROR, "Unable to load UTXO snapshot: %s. (%s)", l->error, path);
    return ok && !l->error;
}

static void load_file(struct rpc_call *call, FILE *f, const char *path)
{
    struct load l = {.call = call};
    struct json_writer *j = &call->out;

    if (!snapshot_read_head(&l.head, f, call->host->params, &l.error)) {
        rpc_error(call, RPC_DESERIALIZATION_ERROR, "Unable to parse metadata: %s", l.error);
    } else if (load_coins(&l, f, path)) {
        jw_obj_begin(j);
        jw_kv_uint(j, "coins_loaded", l.head.coins);
        jw_kv_hash(j, "tip_hash", l.head.base.b);
        jw_kv_int(j, "base_height", snapshot_base(l.l)->node.height);
        jw_kv_str(j, "path", path);
        jw_obj_end(j);
    }
    snapshot_load_free(l.l);
    free(l.error);
}

static void loadtxoutset(struct rpc_call *call)
{
    const char *given;
    char *path;
    FILE *f;

    if (!rpc_text(call, &given, 0, ""))
        return;
    path = path_resolve(call->host->datadir, given);
    f = fopen(path, "rb");
    if (f) {
        load_file(call, f, path);
        fclose(f);
    } else {
        rpc_error(call, RPC_INVALID_PARAMETER, "Couldn't open file %s for reading.", path);
    }
    free(path);
}

/* ---- what is there ---- */

static void write_state(struct rpc_call *call, const struct chain_state *s)
{
    struct json_writer *j = &call->out;

    jw_obj_begin(j);
    if (s->tip) {
        jw_kv_int(j, "blocks", s->tip->node.height);
        jw_kv_hash(j, "bestblockhash", s->tip->node.hash.b);
        jw_kv_hex32(j, "bits", s->tip->node.bits);
        jw_kv_str(j, "target", rpc_target_hex(s->tip->node.bits).s);
        jw_kv_double(j, "difficulty", difficulty_from_bits(s->tip->node.bits));
        jw_kv_double(j, "verificationprogress", chain_progress(call->host->chain, s->tip));
        jw_kv_uint(j, "coins_db_cache_bytes", 0); /* LevelDB's share is not told apart */
        jw_kv_uint(j, "coins_tip_cache_bytes", s->cache_bytes);
        if (s->base)
            jw_kv_hash(j, "snapshot_blockhash", s->base->node.hash.b);
        jw_kv_bool(j, "validated", s->validated);
    }
    jw_obj_end(j);
}

static void getchainstates(struct rpc_call *call)
{
    const struct block_entry *best = chain_best_header(call->host->chain);
    struct json_writer *j = &call->out;
    struct chain_state states[2];
    size_t n = chain_states(call->host->chain, states);

    jw_obj_begin(j);
    jw_kv_int(j, "headers", best ? best->node.height : -1);
    jw_key(j, "chainstates");
    jw_arr_begin(j);
    for (size_t i = 0; i < n; i++)
        write_state(call, &states[i]);
    jw_arr_end(j);
    jw_obj_end(j);
}

void jw_history(struct rpc_call *call)
{
    struct chain *c = call->host->chain;
    struct json_writer *j = &call->out;
    const struct block_entry *tip, *base;
    struct entry_facts at, to;

    if (!chain_history(c, &tip, &base))
        return;
    chain_facts(c, tip, &at);
    chain_facts(c, base, &to);
    jw_key(j, "backgroundvalidation");
    jw_obj_begin(j);
    jw_kv_int(j, "snapshotheight", base->node.height);
    jw_kv_int(j, "blocks", tip->node.height);
    jw_kv_hash(j, "bestblockhash", tip->node.hash.b);
    jw_kv_int(j, "mediantime", header_node_mtp(&tip->node));
    jw_kv_str(j, "chainwork", u256_hex(tip->node.chain_work).s);
    jw_kv_double(j, "verificationprogress", to.chain_tx ? (double)at.chain_tx / (double)to.chain_tx : 0);
    jw_obj_end(j);
}

const struct rpc_command rpc_snapshot_commands[] = {
    {"blockchain", "dumptxoutset", dumptxoutset,
     RPC_PARAMS(
         {"path", RPC_STR, RPC_REQUIRED, NULL, "Path to the output file. If relative, will be prefixed by datadir.", NULL},
         {"type", RPC_STR, 0, "\"\"",
          "The type of snapshot to create. Can be \"latest\" to create a snapshot of the current UTXO set or \"rollback\" for "
          "the UTXO set of a historical block. Can be omitted if the \"rollback\" option names that block. If \"rollback\" is "
          "specified without it, the latest block is taken whose snapshot can be loaded with loadtxoutset.",
          NULL},
         {"rollback", RPC_NUM, RPC_OPTION | RPC_ANY_TYPE, NULL,
          "Height or hash of the block whose UTXO set is written. The further it is from the tip, the longer it takes. "
          "Consider setting a higher -rpcclienttimeout value in this case.",
          NULL},
         {"in_memory", RPC_BOOL, RPC_OPTION, "false",
          "If true, what differs from the current UTXO set is kept in memory rather than in a temporary database.", NULL},
         {"options", RPC_OPTIONS, 0, NULL, "Options object that can be used to pass named arguments.",
          "{\"rollback\":n,\"in_memory\":bool,...}"}),
     0,
     "Write the serialized UTXO set to a file. This can be used in loadtxoutset afterwards if this snapshot height is supported in "
     "the "
     "chainparams as well.\n"
     "Rolling back leaves the main chain as it is, and uses a temporary database beside the file. Should the node be killed "
     "meanwhile it "
     "may need to be removed manually.\n"
     "For deep rollbacks, make sure to use no RPC timeout (farthing-cli -rpcclienttimeout=0) as it may take several minutes.\n"},
    {"blockchain", "loadtxoutset", loadtxoutset,
     RPC_PARAMS(
         {"path", RPC_STR, RPC_REQUIRED, NULL, "path to the snapshot file. If relative, will be prefixed by datadir.", NULL}),
     0,
     "Load the serialized UTXO set from a file.\n"
     "Once this snapshot is loaded, its coins are used to sync to the network's tip. Meanwhile, history is downloaded and "
     "validated in the "
     "background, up to the block that the snapshot is based upon.\n\n"
     "The result is a usable node that is current with the network tip in a matter of minutes rather than hours. Snapshots are "
     "typically "
     "obtained from third-party sources (HTTP, torrent, etc.), which is reasonable since their contents are always checked by "
     "hash.\n"},
    {"blockchain", "getchainstates", getchainstates, NULL, 0, "Return information about chainstates.\n"},
    {NULL, NULL, NULL, NULL, 0, NULL}};
