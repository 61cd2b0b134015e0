/* replay.c - finishes a flush that a crash interrupted: the database holds a mixture of two coin sets, and going over the blocks
 * between them again leads to the newer one. Called by open.c. */
#include "chain/internal.h"

static void progress(struct chain *c, int percent)
{
    if (c->o.events.progress)
        c->o.events.progress(c->o.events.ctx, percent < 100 ? "Replaying blocks…" : "", percent);
}

static enum rc roll_back(struct chain *c, struct coins *coins, const struct block_entry *from, const struct block_entry *fork)
{
    enum disconnect_result r;
    struct block *b;
    enum rc rc;

    if (from != fork)
        log_info("Rolling back from %s (%d to %d)", block_hash_hex(&from->node.hash).s, from->node.height,
                 fork ? fork->node.height : 0);
    for (; from != fork && from->node.height > 0; from = prev_entry(from)) {
        rc = chain_read_block(c, &b, from);
        if (rc != RC_OK) {
            log_error("RollbackBlock(): ReadBlock() failed at %d, hash=%s", from->node.height, block_hash_hex(&from->node.hash).s);
            return rc;
        }
        /* Unclean is expected: not everything of the block may have reached the database. */
        r = disconnect_block(c, coins, from, b);
        block_unref(b);
        if (r == DISCONNECT_FAILED)
            return RC_CORRUPT;
        if (interrupted(c))
            return RC_INTERRUPTED;
    }
    return RC_OK;
}

/* Applies a block whose effects may be there already, wholly or in part. */
static enum rc apply_again(struct coins *coins, const struct block *b, uint32_t height)
{
    for (uint32_t i = 0; i < b->n_tx; i++) {
        const struct tx *tx = &b->tx[i];
        struct outpoint o = {tx->txid, 0};

        for (uint32_t j = 0; i > 0 && j < tx->n_in; j++) {
            enum rc rc = coins_spend(coins, NULL, tx->in[j].prevout, NULL);
            if (rc != RC_OK && rc != RC_NOT_FOUND)
                return rc;
        }
        for (; o.n < tx->n_out; o.n++) {
            struct coin coin = {.out = tx->out[o.n], .height = height, .coinbase = i == 0};
            bool have;
            enum rc rc;

            if (script_is_unspendable(coin.out.script, coin.out.script_len))
                continue;
            rc = coins_have(coins, &have, &o);
            if (rc != RC_OK)
                return rc;
            coins_add(coins, &o, &coin, have);
        }
    }
    return RC_OK;
}

static enum rc roll_forward(struct chain *c, struct coins *coins, const struct block_entry *fork, const struct block_entry *to)
{
    int32_t from = fork ? fork->node.height : 0;
    struct block *b;
    enum rc rc;

    if (from < to->node.height)
        log_info("Rolling forward to %s (%d to %d)", block_hash_hex(&to->node.hash).s, from, to->node.height);
    for (int32_t h = from + 1; h <= to->node.height; h++) {
        const struct block_entry *e = entry_ancestor(to, h);

        progress(c, (int)((int64_t)(h - from) * 100 / (to->node.height - from + 1)));
        rc = chain_read_block(c, &b, e);
        if (rc != RC_OK) {
            log_error("ReplayBlock(): ReadBlock failed at %d, hash=%s", h, block_hash_hex(&e->node.hash).s);
            return rc;
        }
        rc = apply_again(coins, b, (uint32_t)h);
        block_unref(b);
        if (rc != RC_OK)
            return rc;
        if (interrupted(c))
            return RC_INTERRUPTED;
    }
    return RC_OK;
}

enum rc replay_blocks(struct chain *c, struct coindb *db, struct coins *coins)
{
    const struct block_entry *to, *from = NULL, *fork = NULL;
    struct block_hash heads[2];
    enum rc rc = coindb_head_blocks(db, heads);

    if (rc == RC_NOT_FOUND)
        return RC_OK;
    if (rc != RC_OK)
        return rc;
    progress(c, 0);
    log_info("Replaying blocks");
    to = tree_find(&c->tree, &heads[0]);
    if (!to) {
        log_error("ReplayBlocks(): reorganization to unknown block requested");
        return RC_CORRUPT;
    }
    if (!hash_is_zero(heads[1].b)) {
        from = tree_find(&c->tree, &heads[1]);
        if (!from) {
            log_error("ReplayBlocks(): reorganization from unknown block requested");
            return RC_CORRUPT;
        }
        fork = entry_of(header_node_fork(&from->node, &to->node));
    }
    rc = from ? roll_back(c, coins, from, fork) : RC_OK;
    if (rc == RC_OK)
        rc = roll_forward(c, coins, fork, to);
    if (rc == RC_OK)
        rc = coins_flush(coins, &to->node.hash, false);
    progress(c, 100);
    return rc;
}
