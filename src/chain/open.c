/* open.c - opens a chain: databases, tree, coins, tip, verification of the last blocks; and closes it. Validation thread. */
#include "chain/internal.h"

#include <stdlib.h>

#include "util/mem.h"
#include "util/time.h"

#define MIB ((size_t)1 << 20)
#define MAX_FUTURE_BLOCK_TIME (2 * 60 * 60)

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static struct chain *chain_new(const struct chain_options *o)
{
    struct chain *c = xcalloc(1, sizeof(*c));

    c->o = *o;
    c->params = o->params;
    c->o.blocks_dir = xstrdup(o->blocks_dir);
    c->o.block_index_dir = xstrdup(o->block_index_dir);
    c->o.chainstate_dir = xstrdup(o->chainstate_dir);
    pthread_rwlock_init(&c->lock, NULL);
    pthread_mutex_init(&c->bip9_lock, NULL);
    tree_init(&c->tree);
    unlinked_init(&c->unlinked);
    c->next_sequence = SEQUENCE_FROM_DISK + 1;
    c->reverse_sequence = -1;
    atomic_store(&c->initial_download, true);
    return c;
}

static void chain_free(struct chain *c)
{
    pipeline_clear(c);
    check_queue_free(c->queue);
    background_free(atomic_load(&c->background));
    coins_free(c->coins);
    if (c->coindb)
        coindb_close(c->coindb);
    if (c->index)
        blockdb_close(c->index);
    if (c->files)
        blockfiles_close(c->files);
    tree_clear(&c->tree);
    free(c->candidates.e);
    free(c->unlinked.slots);
    free(c->dirty.e);
    free(c->active);
    free(c->snapshot_dir);
    pthread_rwlock_destroy(&c->lock);
    pthread_mutex_destroy(&c->bip9_lock);
    free((char *)(uintptr_t)c->o.blocks_dir);
    free((char *)(uintptr_t)c->o.block_index_dir);
    free((char *)(uintptr_t)c->o.chainstate_dir);
    free(c);
}

/* Fails with Core's text for the user, and the cause in the log. */
enum rc chain_refuse(enum rc rc, char **error, const char *text, char *cause_take)
{
    if (cause_take)
        log_error("%s", cause_take);
    if (rc == RC_INTERRUPTED)
        *error = xstrdup(text);
    else
        *error = xasprintf("%s.\nPlease restart with -reindex or -reindex-chainstate to recover.%s%s", text, cause_take ? "\n" : "",
                           cause_take ? cause_take : "");
    free(cause_take);
    return rc;
}

static enum rc open_blocks(struct chain *c, size_t index_cache, char **error)
{
    struct blockfiles_options fo = {.dir = c->o.blocks_dir, .use_xor = c->o.blocks_xor, .fast_prune = c->o.fast_prune};
    char *cause = NULL;
    enum rc rc;

    memcpy(fo.magic, c->params->magic, 4);
    rc = blockfiles_open(&c->files, &fo, error);
    if (rc != RC_OK)
        return rc;
    rc = blockdb_open(&c->index, c->o.block_index_dir, index_cache, c->o.reindex, &cause);
    if (rc != RC_OK)
        return chain_refuse(rc, error, "Error opening block database", cause);
    if (!c->o.reindex)
        return RC_OK;
    rc = blockdb_set_reindexing(c->index, true);
    if (rc == RC_OK && c->o.prune_target)
        rc = blockfiles_clean_for_reindex(c->files);
    return rc == RC_OK ? rc : chain_refuse(rc, error, "Error opening block database", NULL);
}

/* Opens a coin database with a cache over it, and finishes what a crash left of its last flush. */
static enum rc open_one(struct chain *c, struct coindb **db, struct coins **coins, const char *dir, size_t cache, char **error)
{
    char *cause = NULL;
    enum rc rc = coindb_open(db, dir, cache, c->o.reindex || c->o.reindex_chainstate, &cause);

    if (rc == RC_INVALID && cause) { /* of an older program: no damage that a reindex of the blocks would be asked for */
        log_error("%s", cause);
        *error = cause;
        return rc;
    }
    if (rc != RC_OK)
        return chain_refuse(rc, error, "Error opening coins database", cause);
    coindb_tune(*db, &c->o.coins);
    *coins = coins_new(*db, NULL);
    rc = replay_blocks(c, *db, *coins);
    if (rc == RC_INTERRUPTED)
        return chain_refuse(rc, error, "Interrupted", NULL);
    if (rc != RC_OK)
        return chain_refuse(rc, error, "Unable to replay blocks. You will need to rebuild the database using -reindex-chainstate",
                            NULL);
    return RC_OK;
}

/* History, which is to be validated behind a snapshot. */
static enum rc open_history(struct chain *c, size_t cache, char **error)
{
    struct block_entry *tip = NULL;
    struct block_hash best;
    struct coindb *db = NULL;
    struct coins *coins = NULL;
    enum rc rc = open_one(c, &db, &coins, c->o.chainstate_dir, cache, error);

    if (rc == RC_OK) {
        rc = coindb_best_block(db, &best);
        if (rc == RC_OK)
            tip = tree_find(&c->tree, &best);
        if (rc == RC_NOT_FOUND)
            coins_base_empty(coins, true);
        if (rc == RC_NOT_FOUND || tip)
            rc = RC_OK;
        else
            rc = chain_refuse(RC_CORRUPT, error, "Error initializing block database", NULL);
    }
    if (rc == RC_OK) {
        background_start(c, db, coins, tip);
        return RC_OK;
    }
    coins_free(coins);
    coindb_close(db);
    return rc;
}

/* The snapshot is right: from now on it is as if its coins had been built from genesis on. */
static enum rc forget_history(struct chain *c, char **error)
{
    log_info("[snapshot] cleaning up unneeded background chainstate, then reinitializing");
    background_free(atomic_exchange(&c->background, NULL));
    coins_free(c->coins);
    coindb_close(c->coindb);
    c->coins = NULL;
    c->coindb = NULL;
    c->assumed = NULL;
    atomic_store(&c->base, NULL);
    share_cache(c);
    return snapshot_swap(c, error);
}

static enum rc open_snapshot(struct chain *c, size_t cache, char **error)
{
    struct block_entry *base = atomic_load(&c->base);
    enum rc rc;

    if (!base)
        return chain_refuse(RC_CORRUPT, error, "Error loading block database", NULL);
    rc = open_history(c, cache / 2, error);
    if (rc == RC_OK)
        rc = open_one(c, &c->coindb, &c->coins, c->snapshot_dir, cache / 2, error);
    if (rc == RC_OK)
        rc = load_tip(c, error);
    if (rc != RC_OK)
        return rc;
    if (!tip_of(c) || entry_ancestor(tip_of(c), base->node.height) != base)
        return chain_refuse(RC_CORRUPT, error, "Error initializing block database", NULL);
    if (background_tip(background_of(c)) != base) {
        blockfiles_split(c->files, (uint32_t)base->node.height);
        return RC_OK;
    }
    rc = background_verify(c);
    if (rc == RC_OK)
        return forget_history(c, error);
    if (rc == RC_INTERRUPTED)
        return chain_refuse(rc, error, "Interrupted", NULL);
    *error = xstrdup(
        "UTXO snapshot failed to validate. Restart to resume normal initial block download, or try loading a different snapshot.");
    return rc;
}

static enum rc open_coins(struct chain *c, size_t cache, char **error)
{
    enum rc rc = c->assumed ? open_snapshot(c, cache, error) : RC_OK;

    if (rc != RC_OK || c->assumed)
        return rc;
    rc = open_one(c, &c->coindb, &c->coins, c->o.chainstate_dir, cache, error);
    return rc == RC_OK ? load_tip(c, error) : rc;
}

static enum rc verify_one(struct chain *c, struct coins *coins, struct block_entry *tip, char **error)
{
    if (!tip || c->o.reindex || c->o.reindex_chainstate)
        return RC_OK;
    if ((int64_t)tip->node.time > time_now() + MAX_FUTURE_BLOCK_TIME)
        return chain_refuse(
            RC_INVALID, error,
            "The block database contains a block which appears to be from the future. This may be due to your computer's date and "
            "time being set incorrectly. Only rebuild the block database if you are sure that your computer's date and time are "
            "correct",
            NULL);
    log_info("init message: Verifying blocks…");
    switch (verify_chain(c, coins, tip, c->o.check_level, c->o.check_blocks)) {
    case VERIFY_CORRUPT:
        if (coins_read_failed(coins))
            return chain_refuse(RC_IO, error, "Error loading databases", xstrdup(kv_last_error()));
        return chain_refuse(RC_CORRUPT, error, "Corrupted block database detected", NULL);
    case VERIFY_INTERRUPTED:
        return chain_refuse(RC_INTERRUPTED, error, "Block verification was interrupted", NULL);
    default:
        return RC_OK;
    }
}

static enum rc verify_loaded(struct chain *c, char **error)
{
    struct background *b = background_of(c);
    enum rc rc = b ? verify_one(c, b->coins, background_tip(b), error) : RC_OK;

    return rc == RC_OK ? verify_one(c, c->coins, tip_of(c), error) : rc;
}

static void log_settings(const struct chain *c)
{
    if (hash_is_zero(c->o.assume_valid.b))
        log_info("Validating signatures for all blocks.");
    else
        log_info("Assuming ancestors of block %s have valid signatures.", block_hash_hex(&c->o.assume_valid).s);
    log_info("Setting nMinimumChainWork=%s", u256_hex(c->o.min_chain_work).s);
    if (u256_cmp(c->o.min_chain_work, c->params->min_chain_work) < 0)
        log_warning("nMinimumChainWork set below default value of %s", u256_hex(c->params->min_chain_work).s);
    if (c->o.prune_target == 1)
        log_info("Block pruning enabled. Use RPC call pruneblockchain(height) to manually prune block and undo files.");
    else if (c->o.prune_target)
        log_info("Prune configured to target %zu MiB on disk for block and undo files.", (size_t)(c->o.prune_target / MIB));
}

static enum rc open_all(struct chain *c, char **error)
{
    size_t index_cache = smaller(c->o.dbcache / 8, 2 * MIB), coindb_cache = smaller((c->o.dbcache - index_cache) / 2, 8 * MIB);
    enum rc rc = open_blocks(c, index_cache, error);

    c->coins_limit = c->cache_total = c->o.dbcache - index_cache - coindb_cache;
    if (rc == RC_OK)
        rc = snapshot_find(c, error);
    if (rc == RC_OK)
        rc = load_index(c, error);
    if (rc != RC_OK)
        return rc;
    /* A reindex finds genesis in the files; else it is written if it is not there. */
    if (!chain_reindexing(c) && load_genesis(c) != RC_OK)
        return chain_refuse(RC_IO, error, "Error initializing block database", NULL);
    rc = open_coins(c, coindb_cache, error);
    if (rc == RC_OK)
        rc = verify_loaded(c, error);
    return rc;
}

enum rc chain_open(struct chain **out, const struct chain_options *o, char **error)
{
    struct chain *c = chain_new(o);
    struct block_entry *genesis;
    enum rc rc;

    *error = NULL;
    log_settings(c);
    c->queue = check_queue_new(o->script_threads);
    rc = open_all(c, error);
    if (rc != RC_OK) {
        if (!*error)
            *error = xasprintf("Error opening block database (%s)", rc_name(rc));
        chain_free(c);
        return rc;
    }
    atomic_store(&c->disk_size, blockfiles_disk_size(c->files));
    atomic_store(&c->flushed, tip_of(c)); /* as loaded: nothing was connected yet */
    /* A fresh chain begins with genesis; what else is stored is connected when the node asks for it. */
    genesis = tree_find(&c->tree, &c->params->genesis_hash);
    if (!tip_of(c) && genesis && (genesis->status & BLOCK_HAVE_DATA)) {
        c->o.events = (struct chain_events){0}; /* nobody knows this chain yet */
        rc = activate_genesis(c, genesis);
        c->o.events = o->events;
    }
    if (rc != RC_OK) {
        *error = xstrdup("Error initializing block database");
        c->broken = true;
        chain_free(c);
        return rc;
    }
    *out = c;
    return RC_OK;
}

enum rc chain_close(struct chain *c)
{
    enum rc rc = RC_IO;

    if (!c)
        return RC_OK;
    c->stopping = true; /* what is in flight is finished, nothing new begun */
    if (!c->broken && c->queue)
        rc = chain_flush(c);
    else if (c->intact && !c->first)
        rc = flush_state(c, FLUSH_ALWAYS, 0);
    chain_free(c);
    return rc;
}
