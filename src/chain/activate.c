/* activate.c - chooses the best known branch and goes there. Validation thread. */
#include "chain/internal.h"

#include "util/assert.h"
#include "util/time.h"

/* The best candidate whose branch is complete and not known to be invalid; what proves unusable leaves the set. */
static struct block_entry *find_most_work(struct chain *c)
{
    for (;;) {
        struct block_entry *best = candidates_best(&c->candidates), *base = assumed_base(c), *e;

        if (!best)
            return NULL;
        if (base && entry_ancestor(best, base->node.height) != base) {
            candidates_erase(&c->candidates, best); /* no way there until history is validated */
            continue;
        }
        for (e = best; e && !head_contains(c, e); e = prev_entry(e))
            if (entry_failed(e) || !(e->status & BLOCK_HAVE_DATA))
                break;
        if (!e || head_contains(c, e))
            return best;
        if (entry_failed(e) && (!c->best_invalid || u256_cmp(best->node.chain_work, c->best_invalid->node.chain_work) > 0))
            c->best_invalid = best;
        for (struct block_entry *f = best; f != e; f = prev_entry(f)) {
            if (!entry_failed(e) && (f->status & BLOCK_HAVE_DATA))
                unlinked_add(&c->unlinked, f); /* pruned: complete again once the data come */
            candidates_erase(&c->candidates, f);
        }
        candidates_erase(&c->candidates, e);
    }
}

/* Goes back to the last block that is on the way to `to`. */
static enum rc disconnect_to_branch(struct chain *c, const struct block_entry *to)
{
    enum rc rc;

    while (entry_ancestor(to, tip_of(c)->node.height) != tip_of(c)) {
        rc = disconnect_tip(c);
        if (rc != RC_OK)
            return fatal(c, rc, "Failed to disconnect block.");
    }
    return RC_OK;
}

static enum rc connect_genesis(struct chain *c, struct inflight *p)
{
    p->n_inputs = 0;
    p->n_applied = 0; /* its coinbase cannot be spent */
    c->head = p->entry;
    pipeline_push(c, p, false, 0);
    return RC_OK;
}

/* The rules failed: but if an ancestor's scripts fail as well, that is the block to blame. */
static enum rc connect_failed(struct chain *c, struct block_entry *e, const struct verdict *v)
{
    enum rc rc = pipeline_advance(c, true);

    if (rc != RC_OK)
        return rc;
    if (entry_failed(e))
        return RC_OK;
    log_block_error(&e->node.hash, v);
    if (v->code == BLOCK_MUTATED)
        return fatal(c, RC_CORRUPT, "Corrupt block found indicating potential hardware failure.");
    judge(c, &e->node.hash, v);
    mark_invalid(c, e, v);
    log_verdict("ConnectTip: ConnectBlock", &e->node.hash, v);
    return RC_OK;
}

/* Connects e, whose parent is the head, and leaves it in flight. b is taken over. */
static enum rc connect_next(struct chain *c, struct block_entry *e, struct block *b)
{
    uint32_t flags = block_script_flags(c->params, &e->node);
    struct inflight *p = inflight_new(c);
    const char *reason;
    enum connect_result r;
    struct verdict v;

    p->entry = e;
    p->block = b;
    if (!e->node.prev)
        return connect_genesis(c, p);
    verdict_init(&v);
    reason = script_check_reason(c, e);
    log_script_check_reason(c, e, reason);
    r = connect_block(c, c->coins, p, &e->node, flags, &v);
    if (r == CONNECT_OK) {
        c->head = e;
        pipeline_push(c, p, reason != NULL, flags);
        return RC_OK;
    }
    inflight_release(c, p);
    if (r == CONNECT_ERROR)
        return fatal(c, RC_IO, "%s", v.reason);
    return connect_failed(c, e, &v);
}

static enum rc get_block(struct chain *c, struct block **out, struct block_entry *e, struct block *hint)
{
    struct verdict v;
    enum rc rc;

    if (hint && block_hash_equal(&hint->hash, &e->node.hash)) {
        *out = block_ref(hint);
        return RC_OK;
    }
    rc = chain_read_block(c, out, e);
    if (rc != RC_OK)
        return fatal(c, rc, "Failed to read block.");
    /* What comes from disk is checked again, as it may have been stored by an older version. */
    verdict_init(&v);
    if (!check_block(c->params, *out, true, true, &v) && v.code == BLOCK_MUTATED) {
        block_unref(*out);
        return fatal(c, RC_CORRUPT, "Corrupt block found indicating potential hardware failure.");
    }
    if (v.kind == VERDICT_INVALID) {
        block_unref(*out);
        *out = NULL;
        return connect_failed(c, e, &v);
    }
    return RC_OK;
}

/* One block further on the way to `to`. */
static enum rc step(struct chain *c, struct block_entry *to, struct block *hint)
{
    uint64_t failures = c->failures;
    struct block_entry *next;
    struct block *b;
    enum rc rc;

    if (c->head && entry_ancestor(to, c->head->node.height) != c->head) {
        rc = pipeline_advance(c, true);
        if (rc != RC_OK || failures != c->failures)
            return rc;
        rc = disconnect_to_branch(c, to);
        if (rc != RC_OK)
            return rc;
    }
    next = entry_ancestor(to, c->head ? c->head->node.height + 1 : 0);
    rc = get_block(c, &b, next, hint);
    if (rc != RC_OK || !b)
        return rc;
    rc = connect_next(c, next, b);
    if (rc != RC_OK)
        return rc;
    rc = pipeline_advance(c, !pipeline_allowed(c));
    if (rc == RC_OK && flush_wanted(c))
        rc = flush_state(c, FLUSH_IF_NEEDED, 0);
    return rc;
}

static bool may_go_on(const struct chain *c)
{
    int32_t stop = c->o.stop_at_height;

    /* Never interrupted before the first block, as a coin set without a tip could not be flushed, nor half-way through a
     * reorganisation, as what is worse than the tip that was left would be forgotten. */
    if (!c->head || c->step_tip)
        return true;
    return !interrupted(c) && !c->stopping && !(stop && c->head->node.height >= stop && c->first);
}

enum rc activate(struct chain *c, struct block *hint)
{
    struct block_entry *to = NULL;
    uint64_t failures = c->failures;
    enum rc rc = RC_OK;

    while (rc == RC_OK && may_go_on(c)) {
        if (c->broken)
            return RC_IO;
        if (failures != c->failures)
            to = NULL;
        failures = c->failures;
        if (!to || to == c->head)
            to = find_most_work(c);
        if (!to || to == c->head)
            break;
        rc = step(c, to, hint);
    }
    if (rc != RC_OK)
        return rc;
    if (!pipeline_allowed(c) || !may_go_on(c)) {
        rc = pipeline_advance(c, true);
        if (rc != RC_OK)
            return rc;
        if (failures != c->failures)
            return activate(c, NULL);
    }
    end_step(c);
    return RC_OK;
}

enum rc activate_genesis(struct chain *c, struct block_entry *genesis)
{
    struct block *b;
    enum rc rc = chain_read_block(c, &b, genesis);

    if (rc == RC_OK)
        rc = connect_next(c, genesis, b);
    return rc == RC_OK ? pipeline_advance(c, true) : rc;
}

enum rc chain_activate_best(struct chain *c, struct verdict *v)
{
    enum rc rc;

    verdict_init(v);
    rc = activate(c, NULL);
    if (rc == RC_OK)
        chain_drain(c);
    if (rc != RC_OK || c->broken)
        verdict_internal(v, "ActivateBestChain failed (%s)", rc_name(rc));
    return c->broken ? RC_IO : rc;
}
