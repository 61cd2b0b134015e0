/* flush.c - when and in which order things are written: block files, then the index that points into them, then the coins that
 * stand at an indexed block. A crash at any moment leaves each layer behind the one before, never ahead. Validation thread. */
#include "chain/internal.h"

#include <inttypes.h>
#include <stdlib.h>

#include "util/fs.h"
#include "util/mem.h"
#include "util/random.h"
#include "util/time.h"

#define WRITE_INTERVAL_MIN ((int64_t)50 * 60 * 1000000)
#define WRITE_INTERVAL_MAX ((int64_t)70 * 60 * 1000000)

struct dirty_files {
    unsigned *file;
    struct blockfile_info *info;
    size_t n, cap;
};

static void collect_file(void *ctx, unsigned file, const struct blockfile_info *info)
{
    struct dirty_files *d = ctx;

    if (d->n == d->cap) {
        d->cap = d->cap ? d->cap * 2 : 16;
        d->file = xrealloc(d->file, d->cap * sizeof(*d->file));
        d->info = xrealloc(d->info, d->cap * sizeof(*d->info));
    }
    d->file[d->n] = file;
    d->info[d->n++] = *info;
}

static void record_of(struct block_record *r, const struct block_entry *e)
{
    header_node_header(&r->header, &e->node);
    r->hash = e->node.hash;
    r->height = e->node.height;
    r->status = e->status;
    r->n_tx = e->n_tx;
    r->file = e->file;
    r->data_pos = e->data_pos;
    r->undo_pos = e->undo_pos;
}

static enum rc write_index(struct chain *c)
{
    struct block_record *recs = xmalloc((c->dirty.n ? c->dirty.n : 1) * sizeof(*recs));
    struct dirty_files files = {0};
    unsigned count = blockfiles_count(c->files);
    enum rc rc;

    for (size_t i = 0; i < c->dirty.n; i++)
        record_of(&recs[i], c->dirty.e[i]);
    blockfiles_each_dirty(c->files, collect_file, &files);
    rc = blockdb_write(c->index, recs, c->dirty.n, files.file, files.info, files.n, count ? (int)count - 1 : 0);
    if (rc == RC_OK) {
        for (size_t i = 0; i < c->dirty.n; i++)
            c->dirty.e[i]->dirty = false;
        c->dirty.n = 0;
    }
    free(recs);
    free(files.file);
    free(files.info);
    return rc;
}

static bool cache_over(const struct coins *coins, size_t limit, bool ahead)
{
    size_t bytes = coins_bytes(coins);

    if (!ahead)
        return bytes > limit;
    /* With time at hand: within a tenth or 10 MiB of the limit. */
    return bytes > limit / 10 * 9 && bytes + ((size_t)10 << 20) > limit;
}

bool flush_wanted(struct chain *c)
{
    struct background *b = background_of(c);

    return cache_over(c->coins, c->coins_limit, false) || (b && cache_over(b->coins, b->limit, false));
}

static enum rc write_coins(struct chain *c, struct coins *coins, struct coindb *db, const struct block_entry *tip, bool keep)
{
    int64_t start = time_mono_us();
    size_t dirty = coins_dirty(coins);
    struct block_hash best;
    enum rc rc;

    /* Each change is written up to twice: to LevelDB's log and to a table. */
    if (fs_free_space(c->o.chainstate_dir) < DISK_SPACE_MIN + (uint64_t)dirty * 48 * 2 * 2)
        return fatal(c, RC_IO, "Disk space is too low!");
    if (!dirty && coindb_best_block(db, &best) == RC_OK && block_hash_equal(&best, &tip->node.hash)) {
        if (!keep)
            coins_flush(coins, &tip->node.hash, false);
        return RC_OK;
    }
    rc = coins_flush(coins, &tip->node.hash, keep);
    if (rc != RC_OK)
        return fatal(c, rc, "System error while flushing: %s", kv_last_error());
    log_debug(LOG_COINDB, "Wrote %zu changed coins to the coin database in %.3fs", dirty, (double)(time_mono_us() - start) / 1e6);
    return RC_OK;
}

/* The coins of history. */
static enum rc write_background(struct chain *c, struct background *b, bool keep)
{
    struct block_entry *tip = background_tip(b);
    enum rc rc = tip ? write_coins(c, b->coins, b->coindb, tip, keep) : RC_OK;

    if (rc == RC_OK)
        atomic_store_explicit(&b->flushed, tip, memory_order_release);
    return rc;
}

/* keep, keep_background: what was cached stays so. */
static enum rc write_all(struct chain *c, bool keep, bool keep_background)
{
    struct background *b = background_of(c);
    enum rc rc;

    if (fs_free_space(c->o.blocks_dir) < DISK_SPACE_MIN)
        return fatal(c, RC_IO, "Disk space is too low!");
    rc = blockfiles_flush(c->files, false);
    if (rc != RC_OK)
        return fatal(c, rc, "Flushing block file to disk failed. This is likely the result of an I/O error. (%s)",
                     blockfiles_last_error());
    rc = write_index(c);
    if (rc != RC_OK)
        return fatal(c, rc, "System error while flushing: %s", kv_last_error());
    if (!tip_of(c))
        return RC_OK;
    rc = write_coins(c, c->coins, c->coindb, tip_of(c), keep);
    if (rc == RC_OK)
        atomic_store_explicit(&c->flushed, tip_of(c), memory_order_release);
    return rc == RC_OK && b ? write_background(c, b, keep_background) : rc;
}

/* The coins stand at the tip on disk now, so that no start will ask for the blocks that go. */
static enum rc delete_pruned(struct chain *c, const unsigned *files, size_t n)
{
    enum rc rc = prune_forget(c, files, n);

    if (rc == RC_OK)
        rc = write_index(c);
    if (rc != RC_OK)
        return fatal(c, rc, "System error while flushing: %s", kv_last_error());
    for (size_t i = 0; i < n; i++)
        if (blockfiles_delete(c->files, files[i]) != RC_OK)
            log_warning("Could not delete pruned block file %u: %s", files[i], blockfiles_last_error());
    return RC_OK;
}

static void plan_next_write(struct chain *c)
{
    c->next_write_us =
        time_now_us() + WRITE_INTERVAL_MIN + (int64_t)(random_u64() % (uint64_t)(WRITE_INTERVAL_MAX - WRITE_INTERVAL_MIN));
}

enum rc flush_state(struct chain *c, enum flush_mode mode, int32_t manual_prune)
{
    unsigned *pruned = NULL;
    size_t n_pruned = 0;
    struct background *b = background_of(c);
    bool asked = mode == FLUSH_IF_NEEDED || mode == FLUSH_PERIODIC, ahead = mode == FLUSH_PERIODIC, clear, clear_background, write;
    enum rc rc = pipeline_advance(c, true);

    if (rc != RC_OK)
        return rc;
    if (c->o.prune_target && (c->check_for_pruning || manual_prune) && !chain_reindexing(c))
        n_pruned = prune_choose(c, &pruned, manual_prune);
    clear = asked && cache_over(c->coins, c->coins_limit, ahead);
    clear_background = asked && b && cache_over(b->coins, b->limit, ahead);
    write = clear || clear_background || mode == FLUSH_ALWAYS || n_pruned ||
            (mode == FLUSH_PERIODIC && time_now_us() >= c->next_write_us);
    if (write)
        rc = write_all(c, !clear, !clear_background);
    if (rc == RC_OK && n_pruned)
        rc = delete_pruned(c, pruned, n_pruned);
    if (write || !c->next_write_us)
        plan_next_write(c);
    free(pruned);
    return rc;
}

enum rc chain_flush(struct chain *c)
{
    chain_drain(c);
    return c->broken ? RC_IO : flush_state(c, FLUSH_ALWAYS, 0);
}

void chain_periodic(struct chain *c)
{
    chain_drain(c);
    if (!c->broken)
        flush_state(c, FLUSH_PERIODIC, 0);
}

enum rc chain_prune_to(struct chain *c, int32_t height, int32_t *reached)
{
    enum rc rc;

    chain_drain(c);
    rc = flush_state(c, FLUSH_NONE, height);
    if (reached) {
        const struct block_entry *e = tip_of(c);

        while (e && e->node.prev && (prev_entry(e)->status & BLOCK_HAVE_DATA))
            e = prev_entry(e);
        *reached = e ? e->node.height - 1 : -1;
    }
    return rc;
}

void chain_cache_stats(const struct chain *c, uint64_t *coins, uint64_t *bytes)
{
    *coins = atomic_load_explicit(&c->stat_coins, memory_order_relaxed);
    *bytes = atomic_load_explicit(&c->stat_bytes, memory_order_relaxed);
}

enum rc chain_coins_snapshot(struct chain *c, struct coindb_iter **it, const struct block_entry **tip)
{
    enum rc rc = chain_flush(c);

    if (rc != RC_OK)
        return rc;
    *tip = tip_of(c);
    *it = coindb_iter_new(c->coindb);
    return RC_OK;
}

uint64_t chain_coins_disk_size(struct chain *c)
{
    struct coindb *db;

    read_lock(c);
    db = c->coindb;
    unlock(c);
    return coindb_disk_size(db);
}
