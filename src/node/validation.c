/* validation.c - the validation thread: opens the chain and the mempool, imports what the options name, then runs jobs until the queue
 * is closed, and closes both. All writes to chain, coins and mempool happen here. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chain/snapshot.h"
#include "node/private.h"
#include "util/fs.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/time.h"

#define IDLE_MS 1000

/* Negative: a batch without end, and no crash. */
static struct coindb_tuning coin_tuning(const struct args *a)
{
    int64_t batch = args_int(a, "dbbatchsize", 0), ratio = args_int(a, "dbcrashratio", 0);

    if (args_is_set(a, "dbbatchsize") && !batch)
        batch = 1; /* a batch for every coin, as 0 says */
    return (struct coindb_tuning){.batch_bytes = batch < 0 ? SIZE_MAX : (size_t)batch,
                                  .crash_ratio = ratio < 0 ? 0 : (uint64_t)ratio};
}

static bool open_chain(struct node *n, char **error)
{
    const struct node_config *c = n->config;
    const struct args *a = c->args;
    struct chain_options o = {
        .params = &c->params,
        .blocks_dir = c->blocks_dir,
        .block_index_dir = c->index_dir,
        .chainstate_dir = c->coins_dir,
        .dbcache = c->dbcache - node_indexes_cache(c),
        .coins = coin_tuning(a),
        .script_threads = c->script_threads,
        .sig_cache = n->sig_cache,
        .reindex = args_bool(a, "reindex", false),
        .reindex_chainstate = args_bool(a, "reindex-chainstate", false),
        .blocks_xor = args_bool(a, "blocksxor", true),
        .fast_prune = args_bool(a, "fastprune", false),
        .check_block_index = args_int(a, "checkblockindex", c->params.id == CHAIN_REGTEST) != 0,
        .assume_valid = c->assume_valid,
        .min_chain_work = c->min_chain_work,
        .max_tip_age = args_int(a, "maxtipage", 24 * 3600),
        .stop_at_height = (int32_t)args_int(a, "stopatheight", 0),
        .check_blocks = (int)args_int(a, "checkblocks", 6),
        .check_level = (int)args_int(a, "checklevel", 3),
        .prune_target = (uint64_t)args_int(a, "prune", 0),
        .events = node_chain_events(n),
        .interrupt = &n->interrupt,
    };
    int64_t start = time_mono_us();

    if (o.prune_target > 1)
        o.prune_target <<= 20;
    if (chain_open(&n->chain, &o, error) != RC_OK) {
        if (atomic_load(&n->interrupt) || o.reindex || !args_list_has(a, "test", "reindex_after_failure_noninteractive_yes"))
            return false;
        log_warning("%s", *error);
        free(*error);
        *error = NULL;
        o.reindex = true;
        if (chain_open(&n->chain, &o, error) != RC_OK)
            return false;
    }
    log_info("Chain opened at height %d in %lld ms", chain_height(n->chain), (long long)((time_mono_us() - start) / 1000));
    return true;
}

static enum rc mempool_get_coin_of_chain(void *ctx, struct coin *c, const struct outpoint *o, struct arena *arena)
{
    struct node *n = ctx;
    return chain_get_coin(n->chain, c, o, arena);
}

static const struct header_node *mempool_tip_of_chain(void *ctx)
{
    struct node *n = ctx;
    return &chain_tip(n->chain)->node;
}

static bool mempool_chain_settled(void *ctx)
{
    struct node *n = ctx;
    return chain_settled(n->chain);
}

static void open_mempool(struct node *n)
{
    const struct node_config *c = n->config;
    int64_t check = args_int(c->args, "checkmempool", c->params.id == CHAIN_REGTEST ? 1 : 0);
    struct mempool_options o = {
        .params = &c->params,
        .policy = c->policy,
        .max_bytes = c->mempool_bytes,
        .expiry = args_int(c->args, "mempoolexpiry", 336) * 3600,
        .check = check < 0         ? 0
                 : check > 1000000 ? 1000000
                                   : (unsigned)check,
        .sig_cache = n->sig_cache,
        .fees = n->fees,
        .chain = {n, mempool_get_coin_of_chain, mempool_tip_of_chain, mempool_chain_settled, node_fees_current,
                  node_fees_initial_download},
        .events = node_mempool_events(n),
    };
    node_scripts_open(n);
    n->mempool = mempool_new(&o);
}

/* -reindex first, then -loadblock. */
static void import_files(struct node *n)
{
    const char *const *files;
    size_t count = args_list(n->config->args, "loadblock", &files);
    struct verdict v;
    enum rc rc;

    verdict_init(&v);
    if (chain_reindexing(n->chain)) {
        rc = chain_import_file(n->chain, NULL);
        if (rc != RC_OK && rc != RC_INTERRUPTED)
            node_fatal(n, "Reindexing failed");
    }
    for (size_t i = 0; i < count && !atomic_load(&n->interrupt); i++) {
        log_info("Importing blocks file %s...", files[i]);
        rc = chain_import_file(n->chain, files[i]);
        if (rc != RC_OK && rc != RC_INTERRUPTED)
            log_warning("Could not import blocks file %s (%s)", files[i], rc_name(rc));
    }
    if (!atomic_load(&n->interrupt) && !chain_activate_best(n->chain, &v) && v.kind == VERDICT_INTERNAL)
        node_fatal(n, v.reason);
    if (args_bool(n->config->args, "stopafterblockimport", false)) {
        log_info("Stopping after block import");
        node_request_stop(n);
    }
}

static void load_mempool(struct node *n)
{
    char *path = fs_join(n->config->dir.net_dir, "mempool.dat");
    size_t count = 0;
    enum rc rc = RC_NOT_FOUND;

    if (args_bool(n->config->args, "persistmempool", true) && !atomic_load(&n->interrupt))
        rc = mempool_load(n->mempool, path, &count);
    if (rc == RC_OK)
        log_info("Imported mempool transactions from file: %zu succeeded", count);
    else if (rc != RC_NOT_FOUND)
        log_info("Failed to read mempool file %s (%s). Continuing anyway.", path, rc_name(rc));
    atomic_store(&n->mempool_loaded, true);
    free(path);
}

static void close_chain(struct node *n)
{
    char *path = fs_join(n->config->dir.net_dir, "mempool.dat");
    size_t count = 0;

    chain_drain(n->chain);
    if (atomic_load(&n->mempool_loaded) && args_bool(n->config->args, "persistmempool", true)) {
        enum rc rc = mempool_save(n->mempool, path, &count);
        if (rc == RC_OK)
            log_info("Dumped mempool: %zu transactions", count);
        else
            log_warning("Failed to write mempool file %s: %s", path, strerror(errno));
    }
    free(path);
    node_fees_close(n);
    if (n->n_indexes)
        (void)chain_flush(n->chain); /* the place of an index may not run ahead of the coins on disk */
    node_indexes_close(n);
    if (chain_close(n->chain) != RC_OK) {
        log_error("The chain state could not be written at shutdown");
        /* After a fatal error the user has read why already. */
        if (atomic_exchange(&n->exit_code, EXIT_FAILURE) == EXIT_SUCCESS)
            fprintf(stderr, "Error: The chain state could not be written at shutdown\n");
    }
    n->chain = NULL;
}

/* There is nothing to do: settles what is under way, and goes on with history. Returns: how long to wait for work, in milliseconds. */
static int idle_for(struct node *n)
{
    chain_drain(n->chain);
    return chain_background(n->chain) ? 0 : IDLE_MS;
}

void *node_validation_main(void *arg)
{
    struct node *n = arg;
    char *error = NULL;

    n->sig_cache = sig_cache_new(n->config->sig_cache_bytes);
    if (atomic_load(&n->interrupt))
        return NULL;
    if (!open_chain(n, &error)) {
        if (!atomic_load(&n->interrupt))
            node_fatal(n, error ? error : "Error opening block database");
        free(error);
        return NULL;
    }
    node_fees_open(n);
    open_mempool(n);
    if (!node_indexes_open(n, &error)) {
        node_fatal(n, error);
        free(error);
        close_chain(n);
        return NULL;
    }
    /* Nobody may ask for the tip of a chain that has none: in a reindex it comes with genesis (see on_tip_changed). */
    if (chain_height(n->chain) >= 0)
        node_chain_opened(n);
    log_info("initload thread start"); /* Core has a thread of its own for it; scripts wait for these lines */
    import_files(n);
    if (!n->net && !atomic_load(&n->interrupt))
        node_chain_opened(n);
    load_mempool(n);
    log_info("initload thread exit");
    while (!queue_closed(n->validation) || queue_len(n->validation)) {
        if (!queue_run_one(n->validation, queue_len(n->validation) ? 0 : idle_for(n)))
            chain_periodic(n->chain);
        node_fees_periodic(n);
    }
    close_chain(n);
    return NULL;
}

void node_parts_close(struct node *n)
{
    if (n->mempool)
        mempool_free(n->mempool);
    node_scripts_close(n);
    fees_free(n->fees);
    if (n->sig_cache)
        sig_cache_free(n->sig_cache);
}
