/* background.c - while the active coins began with a snapshot, history is validated behind them: a second coin set is built from genesis on, one
 * block after the other as they are stored, up to the snapshot's base. Then its hash decides about the snapshot. Validation thread, in
 * slices when there is nothing better to do. */
#include <stdlib.h>

#include "chain/internal.h"
#include "chain/snapshot.h"
#include "chain/utxo_stats.h"
#include "util/assert.h"
#include "util/mem.h"
#include "util/time.h"

#define SLICE_US 50000 /* how long others wait at most, but for the block that it ends with */
#define COINS_A_TIME 2048u
#define LEAST_CACHE ((size_t)8 << 20)

/* ---- the two sets ---- */

void background_start(struct chain *c, struct coindb *db_take, struct coins *coins_take, struct block_entry *tip)
{
    struct background *b = xcalloc(1, sizeof(*b));

    ASSERT(!atomic_load(&c->background));
    b->coindb = db_take;
    b->coins = coins_take;
    atomic_store(&b->tip, tip);
    atomic_store(&b->flushed, tip);
    atomic_store(&c->background, b);
    share_cache(c);
}

static void forget_hash(struct background *b)
{
    utxo_hasher_free(b->hasher);
    coindb_iter_free(b->iter);
    b->hasher = NULL;
    b->iter = NULL;
}

void background_free(struct background *b)
{
    if (!b)
        return;
    forget_hash(b);
    coins_free(b->coins);
    coindb_close(b->coindb);
    free(b);
}

void share_cache(struct chain *c)
{
    struct background *b = background_of(c);
    size_t less = c->cache_total / 20 > LEAST_CACHE ? c->cache_total / 20 : LEAST_CACHE;

    c->coins_limit = c->cache_total;
    if (!b)
        return;
    if (less > c->cache_total / 2)
        less = c->cache_total / 2;
    /* Those who are far from their goal get nearly all: the tip first, then history. */
    b->limit = chain_initial_download(c) ? less : c->cache_total - less;
    c->coins_limit = c->cache_total - b->limit;
}

/* ---- the verdict on the snapshot ---- */

static void reject_snapshot(struct chain *c, struct background *b, const char *why)
{
    int32_t to = background_tip(b)->node.height;
    char *more;

    log_error("[snapshot] %s", why);
    log_error("[snapshot] deleting snapshot, reverting to validated chain, and stopping node");
    more = snapshot_set_aside(c);
    fatal(c, RC_CORRUPT,
          "Farthing failed to validate the -assumeutxo snapshot state. This indicates a hardware problem, or a bug in the "
          "software, or a bad "
          "software modification that allowed an invalid snapshot to be loaded. As a result of this, the node will shut down and "
          "stop using any "
          "state that was built on the snapshot, resetting the chain height from %d to %d. On the next restart, the node will "
          "resume syncing "
          "from %d without using any snapshot data. The invalid snapshot chainstate will be left on disk in case it is helpful in "
          "diagnosing "
          "the issue that caused this error.%s%s",
          tip_of(c)->node.height, to, to, more ? "\n" : "", more ? more : "");
    free(more);
}

static enum rc begin_hash(struct chain *c, struct background *b)
{
    enum rc rc = flush_state(c, FLUSH_ALWAYS, 0);

    if (rc != RC_OK)
        return rc;
    log_info("[snapshot] computing UTXO stats for background chainstate to validate snapshot - this could take a few minutes");
    b->iter = coindb_iter_new(b->coindb);
    b->hasher = utxo_hasher_new(b->iter, UTXO_HASH_SERIALIZED);
    return RC_OK;
}

static bool hash_right(struct chain *c, struct background *b)
{
    const struct utxo_stats *s = utxo_hasher_stats(b->hasher);

    if (memcmp(s->hash, c->assumed->hash_serialized.b, sizeof(s->hash)) == 0) {
        log_info("[snapshot] snapshot beginning at %s has been fully validated", block_hash_hex(&c->assumed->hash).s);
        return true;
    }
    log_warning("[snapshot] hash mismatch: actual=%s, expected=%s", hash_to_hex(s->hash).s,
                hash_to_hex(c->assumed->hash_serialized.b).s);
    return false;
}

enum rc background_verify(struct chain *c)
{
    struct background *b = background_of(c);
    enum rc rc = begin_hash(c, b);

    while (rc == RC_OK) {
        rc = utxo_hasher_step(b->hasher, COINS_A_TIME);
        if (rc == RC_OK && interrupted(c))
            rc = RC_INTERRUPTED;
    }
    if (rc == RC_NOT_FOUND) {
        rc = hash_right(c, b) ? RC_OK : RC_CORRUPT;
        if (rc != RC_OK)
            reject_snapshot(c, b, "hash mismatch");
    }
    forget_hash(b);
    return rc;
}

/* History and snapshot agree: from now on there is one chain, in which everything is validated. */
static void complete(struct chain *c, struct background *b)
{
    atomic_store_explicit(&b->done, true, memory_order_release);
    coins_free(b->coins); /* the database is left as it is: somebody may still read it */
    b->coins = NULL;
    share_cache(c);
    log_info("[snapshot] allocating all cache to the snapshot chainstate");
    load_candidates(c); /* branches from before the snapshot may be gone to now */
    if (c->o.events.history_changed) {
        c->in_event++;
        c->o.events.history_changed(c->o.events.ctx, true);
        c->in_event--;
    }
    if (activate(c, NULL) == RC_OK)
        check_index(c);
}

/* Returns: is there more to hash? */
static bool hash_some(struct chain *c, struct background *b)
{
    int64_t end = time_mono_us() + SLICE_US;
    bool right;
    enum rc rc = RC_OK;

    if (!b->hasher && begin_hash(c, b) != RC_OK)
        return false;
    while (rc == RC_OK && time_mono_us() < end)
        rc = utxo_hasher_step(b->hasher, COINS_A_TIME);
    if (rc == RC_OK)
        return true;
    right = rc == RC_NOT_FOUND && hash_right(c, b);
    forget_hash(b);
    if (right)
        complete(c, b);
    else if (rc == RC_NOT_FOUND)
        reject_snapshot(c, b, "hash mismatch");
    else
        fatal(c, rc, "Cannot read from database, shutting down.");
    return false;
}

/* ---- the way there ---- */

static void move_tip(struct background *b, struct block_entry *e)
{
    atomic_store_explicit(&b->tip, e, memory_order_release);
    atomic_store_explicit(&b->stat_bytes, coins_bytes(b->coins), memory_order_relaxed);
}

/* The set stood on another branch when the snapshot was loaded. */
static enum rc disconnect(struct chain *c, struct background *b)
{
    struct block_entry *tip = background_tip(b);
    struct block *block;
    enum rc rc = chain_read_block(c, &block, tip);

    if (rc == RC_OK && disconnect_block(c, b->coins, tip, block) != DISCONNECT_OK)
        rc = RC_CORRUPT;
    if (rc != RC_OK)
        return fatal(c, rc, "Failed to disconnect block.");
    block_unref(block);
    move_tip(b, prev_entry(tip));
    return RC_OK;
}

/* p->block is read. */
static enum rc connect(struct chain *c, struct background *b, struct inflight *p)
{
    uint32_t flags = block_script_flags(c->params, &p->entry->node);
    enum connect_result r = CONNECT_INVALID;
    struct writer undo = WRITER_INIT;
    struct verdict v;
    enum rc rc;

    verdict_init(&v);
    if (check_block(c->params, p->block, true, true, &v))
        r = connect_block(c, b->coins, p, &p->entry->node, flags, &v);
    if (r == CONNECT_OK && script_check_reason(c, p->entry) && !check_scripts(c, p, flags, false, &v)) {
        connect_revert(b->coins, p);
        r = CONNECT_INVALID;
    }
    if (r == CONNECT_ERROR)
        return fatal(c, RC_IO, "%s", v.reason);
    if (r == CONNECT_INVALID) {
        log_verdict("ConnectTip: ConnectBlock", &p->entry->node.hash, &v);
        set_status(c, p->entry, BLOCK_FAILED_VALID, 0); /* what descends from it follows when the index is loaded again */
        (void)flush_state(c, FLUSH_ALWAYS, 0);
        reject_snapshot(c, b, "a block that the snapshot is based on is invalid");
        return RC_CORRUPT;
    }
    rc = write_undo(c, &undo, p);
    writer_clear(&undo);
    if (rc != RC_OK)
        return rc;
    raise_validity(c, p->entry, BLOCK_VALID_SCRIPTS);
    move_tip(b, p->entry);
    return RC_OK;
}

static enum rc connect_next(struct chain *c, struct background *b, struct block_entry *next)
{
    struct inflight *p = inflight_new(c);
    enum rc rc;

    p->entry = next;
    rc = chain_read_block(c, &p->block, next);
    if (rc != RC_OK) {
        p->block = NULL;
        rc = fatal(c, rc, "Failed to read block.");
    } else {
        rc = connect(c, b, p);
    }
    inflight_release(c, p);
    return rc;
}

/* Returns: RC_NOT_FOUND if the next block is not there yet. */
static enum rc step(struct chain *c, struct background *b, struct block_entry *base)
{
    struct block_entry *tip = background_tip(b), *fork = tip ? mutable_entry(header_node_fork(&tip->node, &base->node)) : NULL;
    struct block_entry *next = entry_ancestor(base, fork ? fork->node.height + 1 : 0);
    enum rc rc;

    if (!(next->status & BLOCK_HAVE_DATA))
        return RC_NOT_FOUND;
    if (fork != tip)
        return disconnect(c, b);
    if (!next->node.prev) {
        move_tip(b, next); /* nothing of genesis can be spent */
        return RC_OK;
    }
    rc = connect_next(c, b, next);
    if (rc == RC_OK && (next == base || next->node.height % 1000 == 0))
        log_info("[background validation] validated up to height %d of %d", next->node.height, base->node.height);
    if (rc == RC_OK && flush_wanted(c))
        rc = flush_state(c, FLUSH_IF_NEEDED, 0);
    return rc;
}

bool chain_background(struct chain *c)
{
    struct background *b = background_of(c);
    int64_t end = time_mono_us() + SLICE_US;
    struct block_entry *before;
    enum rc rc = RC_OK;

    if (!b || c->broken || c->stopping || c->first || c->in_event || interrupted(c))
        return false;
    before = background_tip(b);
    while (rc == RC_OK && background_tip(b) != assumed_base(c) && time_mono_us() < end && !interrupted(c))
        rc = step(c, b, assumed_base(c));
    if (background_tip(b) != before && !c->broken && c->o.events.history_moved) {
        c->in_event++;
        c->o.events.history_moved(c->o.events.ctx);
        c->in_event--;
    }
    if (rc != RC_OK)
        return false;
    return background_tip(b) != assumed_base(c) || hash_some(c, b);
}

/* ---- what others want to know; any thread ---- */

bool chain_history(struct chain *c, const struct block_entry **tip, const struct block_entry **target)
{
    struct background *b = background_of(c);

    if (!b)
        return false;
    *tip = background_tip(b);
    *target = atomic_load(&c->base);
    return *tip != NULL;
}

const struct block_entry *chain_validated_tip(struct chain *c)
{
    struct background *b = background_of(c);

    return b ? background_tip(b) : tip_of(c);
}

size_t chain_states(struct chain *c, struct chain_state out[2])
{
    struct background *b = background_of(c);
    uint64_t coins;
    size_t n = 0;

    if (b)
        out[n++] = (struct chain_state){background_tip(b), NULL, true, atomic_load(&b->stat_bytes)};
    out[n] = (struct chain_state){tip_of(c), atomic_load(&c->base), !b, 0};
    chain_cache_stats(c, &coins, &out[n].cache_bytes);
    return n + 1;
}
