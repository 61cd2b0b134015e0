/* snapshot_load.c - brings the coins of a snapshot file into a database of their own and compares their hash with the one that is known. Called
 * by loadtxoutset on its own thread, beside a chain that goes on. */
#include "chain/snapshot_load.h"

#include <stdlib.h>

#include "chain/snapshot_read.h"
#include "chain/utxo_stats.h"
#include "util/fs.h"
#include "util/log.h"
#include "util/mem.h"

#define BATCH_BYTES ((size_t)16 << 20)

static bool failed(char **error, const char *text)
{
    *error = xstrdup(text);
    return false;
}

static bool put(void *ctx, const struct outpoint *o, const struct coin *c, char **error)
{
    return coindb_flush_put(ctx, o, c) == RC_OK || failed(error, kv_last_error());
}

static bool fill_database(struct snapshot_load *l, FILE *f, const atomic_bool *interrupt, char **error)
{
    struct snapshot_reading r = {.coins = l->head.coins, .height = l->base->node.height, .take = put, .interrupt = interrupt};
    struct coindb_flush *flush;

    if (coindb_flush_begin(&flush, l->db, &l->head.base, BATCH_BYTES) != RC_OK)
        return failed(error, kv_last_error());
    r.ctx = flush;
    if (!snapshot_read_coins(f, &r, error)) {
        coindb_flush_abandon(flush);
        return false;
    }
    return coindb_flush_end(flush) == RC_OK || failed(error, kv_last_error());
}

static bool compare_hash(struct snapshot_load *l, const atomic_bool *interrupt, char **error)
{
    struct coindb_iter *it = coindb_iter_new(l->db);
    struct utxo_stats stats;
    enum rc rc = utxo_stats_compute(&stats, it, UTXO_HASH_SERIALIZED, interrupt);

    coindb_iter_free(it);
    if (rc == RC_INTERRUPTED)
        return failed(error, "Aborting after an interrupt was requested");
    if (rc != RC_OK)
        return failed(error, "Failed to generate coins stats");
    if (memcmp(stats.hash, l->assumed->hash_serialized.b, sizeof(stats.hash)) == 0)
        return true;
    *error = xasprintf("Bad snapshot content hash: expected %s, got %s", hash_to_hex(l->assumed->hash_serialized.b).s,
                       hash_to_hex(stats.hash).s);
    return false;
}

bool snapshot_populate(struct snapshot_load *l, FILE *f, const atomic_bool *interrupt, char **error)
{
    *error = NULL;
    if (coindb_open(&l->db, l->dir, l->cache, true, error) != RC_OK) {
        if (!*error)
            *error = xstrdup("Error opening coins database");
        return false;
    }
    coindb_tune(l->db, &l->tuning);
    log_info("[snapshot] loading %llu coins from snapshot %s", (unsigned long long)l->head.coins, block_hash_hex(&l->head.base).s);
    if (!fill_database(l, f, interrupt, error))
        return false;
    log_info("[snapshot] loaded %llu coins from snapshot %s", (unsigned long long)l->head.coins, block_hash_hex(&l->head.base).s);
    if (!compare_hash(l, interrupt, error))
        return false;
    log_info("[snapshot] validated snapshot");
    return true;
}

void snapshot_load_free(struct snapshot_load *l)
{
    if (!l)
        return;
    if (l->db)
        coindb_close(l->db);
    if (!l->active && l->dir && fs_remove_tree(l->dir) != RC_OK)
        log_error("Failed to remove snapshot chainstate dir (%s). Manually remove it before restarting.", l->dir);
    atomic_store(l->loading, false);
    free(l->dir);
    free(l);
}
