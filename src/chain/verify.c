/* verify.c - checks the last blocks of the active chain against what is stored of them (-checkblocks, -checklevel, verifychain):
 * 0 readable, 1 valid by themselves, 2 undo data, 3 coins agree when they are disconnected, 4 and when they are connected again.
 * All of it in a view that is thrown away. Validation thread. */
#include "chain/internal.h"

struct verifier {
    struct chain *c;
    struct coins *coins, *view;
    struct block_entry *tip;
    int level;
    int32_t depth, shown; /* progress: in tenths */
    const struct block_entry *failure;
    uint64_t good;
    bool skipped_coins, missing_blocks;
};

static void progress(struct verifier *s, int percent)
{
    percent = percent < 1 ? 1 : percent > 99 ? 99 : percent;
    if (s->shown < percent / 10) {
        log_info("Verification progress: %d%%", percent);
        s->shown = percent / 10;
    }
    if (s->c->o.events.progress)
        s->c->o.events.progress(s->c->o.events.ctx, "Verifying blocks…", percent);
}

static enum verify_result corrupt(const char *what, const struct block_entry *e)
{
    log_error("Verification error: %s at %d, hash=%s", what, e->node.height, block_hash_hex(&e->node.hash).s);
    return VERIFY_CORRUPT;
}

static enum verify_result check_coins(struct verifier *s, const struct block_entry *e, const struct block *b)
{
    if (coins_bytes(s->view) + coins_bytes(s->coins) > s->c->coins_limit) {
        s->skipped_coins = true;
        return VERIFY_OK;
    }
    switch (disconnect_block(s->c, s->view, e, b)) {
    case DISCONNECT_FAILED:
        return corrupt("irrecoverable inconsistency in block data", e);
    case DISCONNECT_UNCLEAN:
        s->good = 0;
        s->failure = e;
        break;
    default:
        s->good += b->n_tx;
    }
    return VERIFY_OK;
}

static enum verify_result check_undo(struct verifier *s, const struct block_entry *e)
{
    struct block_undo *undo;

    if (!(e->status & BLOCK_HAVE_UNDO))
        return VERIFY_OK;
    if (chain_read_undo(s->c, &undo, e) != RC_OK)
        return corrupt("found bad undo data", e);
    block_undo_free(undo);
    return VERIFY_OK;
}

static enum verify_result check_back(struct verifier *s, const struct block_entry *e)
{
    enum verify_result r = VERIFY_OK;
    struct verdict v;
    struct block *b;

    if (chain_read_block(s->c, &b, e) != RC_OK)
        return corrupt("ReadBlock failed", e);
    verdict_init(&v);
    if (s->level >= 1 && !check_block(s->c->params, b, true, true, &v)) {
        log_error("Verification error: found bad block at %d, hash=%s (%s)", e->node.height, block_hash_hex(&e->node.hash).s,
                  v.reason);
        r = VERIFY_CORRUPT;
    }
    if (r == VERIFY_OK && s->level >= 2)
        r = check_undo(s, e);
    if (r == VERIFY_OK && s->level >= 3 && !s->skipped_coins)
        r = check_coins(s, e, b);
    block_unref(b);
    return r;
}

static enum verify_result check_forward(struct verifier *s, struct block_entry *e)
{
    struct chain *c = s->c;
    uint32_t flags = block_script_flags(c->params, &e->node);
    struct inflight *p = inflight_new(c);
    enum verify_result r = VERIFY_OK;
    struct verdict v;

    verdict_init(&v);
    if (chain_read_block(c, &p->block, e) != RC_OK) {
        p->block = NULL;
        r = corrupt("ReadBlock failed", e);
    } else if (connect_block(c, s->view, p, &e->node, flags, &v) != CONNECT_OK ||
               (script_check_reason(c, e) && !check_scripts(c, p, flags, false, &v))) {
        log_error("Verification error: found unconnectable block at %d, hash=%s (%s)", e->node.height,
                  block_hash_hex(&e->node.hash).s, v.reason);
        r = VERIFY_CORRUPT;
    }
    inflight_release(c, p);
    return r;
}

static enum verify_result go_back(struct verifier *s, struct block_entry **e)
{
    const struct block_entry *base = assumed_base(s->c);
    int32_t top = (*e)->node.height;
    enum verify_result r;

    for (; (*e)->node.prev && (*e)->node.height > top - s->depth; *e = prev_entry(*e)) {
        progress(s, (int)((double)(top - (*e)->node.height) / s->depth * (s->level >= 4 ? 50 : 100)));
        if (*e == base || ((s->c->o.prune_target || base) && !((*e)->status & BLOCK_HAVE_DATA))) {
            log_info("Block verification stopping at height %d (no data). This could be due to pruning or use of an assumeutxo "
                     "snapshot.",
                     (*e)->node.height);
            s->missing_blocks = true;
            break;
        }
        r = check_back(s, *e);
        if (r != VERIFY_OK)
            return r;
        if (interrupted(s->c))
            return VERIFY_INTERRUPTED;
    }
    if (!s->failure)
        return VERIFY_OK;
    log_error("Verification error: coin database inconsistencies found (last %d blocks, %llu good transactions before that)",
              top - s->failure->node.height + 1, (unsigned long long)s->good);
    return VERIFY_CORRUPT;
}

static enum verify_result go_forward(struct verifier *s, struct block_entry *e)
{
    enum verify_result r;

    while (e != s->tip) {
        progress(s, 100 - (int)((double)(s->tip->node.height - e->node.height) / s->depth * 50));
        e = entry_ancestor(s->tip, e->node.height + 1);
        r = check_forward(s, e);
        if (r != VERIFY_OK)
            return r;
        if (interrupted(s->c))
            return VERIFY_INTERRUPTED;
    }
    return VERIFY_OK;
}

static enum verify_result run(struct verifier *s)
{
    struct block_entry *e = s->tip;
    enum verify_result r = go_back(s, &e);

    if (r != VERIFY_OK)
        return r;
    if (s->skipped_coins)
        log_warning("Skipped verification of level >=3 (insufficient database cache size). Consider increasing -dbcache.");
    else if (s->level >= 4)
        r = go_forward(s, e);
    if (r != VERIFY_OK)
        return r;
    log_info("Verification: checked last %d blocks at level %d", s->tip->node.height - e->node.height, s->level);
    if (s->level >= 3 && !s->skipped_coins)
        log_info("Verification: no coin database inconsistencies (%llu transactions)", (unsigned long long)s->good);
    return s->missing_blocks ? VERIFY_MISSING : s->skipped_coins ? VERIFY_SKIPPED : VERIFY_OK;
}

enum verify_result verify_chain(struct chain *c, struct coins *coins, struct block_entry *tip, int level, int n_blocks)
{
    struct verifier s = {.c = c, .coins = coins, .tip = tip};
    enum verify_result r;

    if (!tip || !tip->node.prev)
        return VERIFY_OK;
    s.level = level < 0 ? 0 : level > 4 ? 4 : level;
    s.depth = n_blocks <= 0 || n_blocks > tip->node.height ? tip->node.height : n_blocks;
    log_info("Verifying last %d blocks at level %d", s.depth, s.level);
    log_info("Verification progress: 0%%");
    s.view = coins_new(NULL, coins);
    r = run(&s);
    coins_free(s.view);
    if (c->o.events.progress)
        c->o.events.progress(c->o.events.ctx, "", 100);
    return r;
}

enum rc chain_verify(struct chain *c, int level, int n_blocks)
{
    chain_drain(c);
    switch (verify_chain(c, c->coins, tip_of(c), level, n_blocks)) {
    case VERIFY_CORRUPT:
        return RC_CORRUPT;
    case VERIFY_INTERRUPTED:
        return RC_INTERRUPTED;
    case VERIFY_SKIPPED:
        return RC_BUSY;
    case VERIFY_MISSING:
        return RC_NOT_FOUND;
    default:
        return RC_OK;
    }
}
