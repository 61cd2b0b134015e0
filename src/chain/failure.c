/* failure.c - what follows when a block turns out invalid, and when the system fails. Validation thread. */
#include "chain/internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "util/time.h"

void log_verdict(const char *what, const struct block_hash *hash, const struct verdict *v)
{
    log_error("%s %s failed, %s%s%s", what, block_hash_hex(hash).s, v->reason, v->debug[0] ? ", " : "", v->debug);
}

enum rc fatal(struct chain *c, enum rc rc, const char *fmt, ...)
{
    char text[1280];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (rc == RC_OK)
        rc = RC_IO;
    if (c->broken)
        return rc;
    c->broken = true;
    log_error("A fatal internal error occurred, see debug.log for details: %s", text);
    if (c->o.events.fatal)
        c->o.events.fatal(c->o.events.ctx, text);
    return rc;
}

void judge(struct chain *c, const struct block_hash *hash, const struct verdict *v)
{
    if (c->current && block_hash_equal(&c->current->hash, hash))
        c->current->verdict = *v;
    for (struct inflight *p = c->first; p; p = p->next)
        if (!p->entry && block_hash_equal(&p->ticket.hash, hash))
            p->ticket.verdict = *v;
    if (!c->o.events.block_checked)
        return;
    c->in_event++;
    c->o.events.block_checked(c->o.events.ctx, hash, v);
    c->in_event--;
}

/* Descendants of an invalid block are invalid. A warning speaks of the best of those that were to be connected: neither of headers alone, nor (by_user)
 * of blocks that the user gives up. */
static void fail_descendants(struct chain *c, const struct block_entry *invalid, bool by_user)
{
    for (size_t i = 0; i < c->tree.count; i++) {
        struct block_entry *e = tree_entry(&c->tree, i);

        if (e == invalid || e->node.height <= invalid->node.height || entry_ancestor(e, invalid->node.height) != invalid)
            continue;
        set_status(c, e, BLOCK_FAILED_VALID, 0);
        candidates_erase(&c->candidates, e);
        if (!by_user && e->status & BLOCK_HAVE_DATA && u256_cmp(e->node.chain_work, c->best_invalid->node.chain_work) > 0)
            c->best_invalid = e;
    }
}

void log_block_error(const struct block_hash *hash, const struct verdict *v)
{
    log_event(LOG_LEVEL_INFO, LOG_NONE, LOG_EVENT("block_invalid", {"hash", block_hash_hex(hash).s, 0}, {"reason", v->reason, 0}),
              "Block validation error: %s%s%s", v->reason, v->debug[0] ? ", " : "", v->debug);
}

static void log_found(const char *what, const char *name, const struct block_entry *e)
{
    struct hash_hex hash = block_hash_hex(&e->node.hash);
    char date[32];

    time_format_iso(date, sizeof(date), e->node.time);
    log_event(LOG_LEVEL_INFO, LOG_NONE, LOG_EVENT("invalid_chain", {"hash", hash.s, 0}, {"height", NULL, e->node.height}),
              "InvalidChainFound: %s%s=%s height=%d log2_work=%f date=%s", what, name, hash.s, e->node.height, log2_work(e), date);
}

void check_invalid_ahead(struct chain *c)
{
    const struct block_entry *tip = tip_of(c);
    struct u256 margin;
    bool ahead;

    if (!tip)
        return;
    margin = u256_mul_u64(work_from_bits(tip->node.bits), 6);
    ahead = c->best_invalid && u256_cmp(c->best_invalid->node.chain_work, u256_add(tip->node.chain_work, margin)) > 0;
    if (ahead)
        log_event(LOG_LEVEL_WARNING, LOG_NONE, LOG_EVENT("warning", {"kind", "invalid_chain", 0}),
                  "Found invalid chain more than 6 blocks longer than our best chain. This could be due to database corruption or "
                  "consensus "
                  "incompatibility with peers.");
    if (c->o.events.invalid_ahead)
        c->o.events.invalid_ahead(c->o.events.ctx, ahead);
}

void invalid_chain_found(struct chain *c, struct block_entry *e, bool by_user)
{
    struct block_entry *best = best_header_of(c);
    const struct block_entry *tip = tip_of(c);

    if (!c->best_invalid || u256_cmp(e->node.chain_work, c->best_invalid->node.chain_work) > 0)
        c->best_invalid = e;
    fail_descendants(c, e, by_user);
    if (best && entry_ancestor(best, e->node.height) == e)
        recalculate_best_header(c);
    log_found("invalid ", "block", e);
    if (!tip)
        return; /* a reindex that has not come to genesis yet */
    log_found("current ", "best", tip);
    check_invalid_ahead(c);
}

void mark_invalid(struct chain *c, struct block_entry *e, const struct verdict *v)
{
    if (v->code == BLOCK_MUTATED)
        return; /* these data are not the block's */
    set_status(c, e, BLOCK_FAILED_VALID, 0);
    candidates_erase(&c->candidates, e);
    c->failures++;
    invalid_chain_found(c, e, false);
}
