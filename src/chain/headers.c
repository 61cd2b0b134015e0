/* headers.c - takes headers into the tree and keeps track of the best one. Validation thread. */
#include "chain/internal.h"

#include "util/time.h"

struct block_entry *add_entry(struct chain *c, const struct block_header *h, const struct block_hash *hash)
{
    struct block_entry *e, *best = best_header_of(c);

    write_lock(c);
    e = tree_add(&c->tree, hash);
    header_node_init(&e->node, h, hash, hash_is_zero(h->prev.b) ? NULL : &tree_find(&c->tree, &h->prev)->node);
    e->status = BLOCK_VALID_TREE;
    e->sequence_id = SEQUENCE_FROM_DISK;
    unlock(c);
    if (!best || u256_cmp(best->node.chain_work, e->node.chain_work) < 0)
        atomic_store(&c->best_header, e);
    mark_dirty(c, e);
    return e;
}

/* Says which header a rule refused: the reason alone leaves a user in the dark. Returns: false. */
static bool refused(const char *rule, const struct block_hash *hash, const struct verdict *v)
{
    log_debug(LOG_VALIDATION, "AcceptBlockHeader: Consensus::%s: %s, %s%s%s", rule, block_hash_hex(hash).s, v->reason,
              v->debug[0] ? ", " : "", v->debug);
    return false;
}

static bool check_new_header(struct chain *c, const struct block_header *h, const struct block_hash *hash,
                             const struct block_entry *prev, struct verdict *v)
{
    if (!prev) {
        log_debug(LOG_VALIDATION, "header %s has prev block not found: %s", block_hash_hex(hash).s, block_hash_hex(&h->prev).s);
        return verdict_invalid(v, BLOCK_MISSING_PREV, "prev-blk-not-found", NULL);
    }
    if (entry_failed(prev)) {
        log_debug(LOG_VALIDATION, "header %s has prev block invalid: %s", block_hash_hex(hash).s, block_hash_hex(&h->prev).s);
        return verdict_invalid(v, BLOCK_INVALID_PREV, "bad-prevblk", NULL);
    }
    return check_header_context(c->params, h, &prev->node, time_now(), v) || refused("ContextualCheckBlockHeader", hash, v);
}

bool accept_header(struct chain *c, const struct block_header *h, const struct block_hash *hash, bool min_pow_checked,
                   struct block_entry **out, struct verdict *v)
{
    struct block_entry *e = tree_find(&c->tree, hash), *prev;
    bool genesis = block_hash_equal(hash, &c->params->genesis_hash);

    *out = e;
    if (e) {
        if (!genesis && entry_failed(e)) {
            log_debug(LOG_VALIDATION, "AcceptBlockHeader: block %s is marked invalid", block_hash_hex(hash).s);
            return verdict_invalid(v, BLOCK_CACHED_INVALID, "duplicate-invalid", "block %s was previously marked invalid",
                                   block_hash_hex(hash).s);
        }
        return true;
    }
    if (!genesis) {
        if (!check_proof_of_work(c->params, hash, h->bits)) {
            verdict_invalid(v, BLOCK_INVALID_HEADER, "high-hash", "proof of work failed");
            return refused("CheckBlockHeader", hash, v);
        }
        prev = tree_find(&c->tree, &h->prev);
        if (!check_new_header(c, h, hash, prev, v))
            return false;
        if (!min_pow_checked && u256_cmp(u256_add(prev->node.chain_work, work_from_bits(h->bits)), c->o.min_chain_work) < 0) {
            log_debug(LOG_VALIDATION,
                      "AcceptBlockHeader: not adding new block header %s, missing anti-dos proof-of-work validation",
                      block_hash_hex(hash).s);
            return verdict_invalid(v, BLOCK_HEADER_LOW_WORK, "too-little-chainwork", NULL);
        }
    }
    *out = add_entry(c, h, hash);
    return true;
}

void recalculate_best_header(struct chain *c)
{
    struct block_entry *best = tip_of(c);

    for (size_t i = 0; i < c->tree.count; i++) {
        struct block_entry *e = tree_entry(&c->tree, i);

        if (!entry_failed(e) && (!best || u256_cmp(best->node.chain_work, e->node.chain_work) < 0))
            best = e;
    }
    atomic_store(&c->best_header, best);
}

void notify_header_tip(struct chain *c)
{
    struct block_entry *best = best_header_of(c);

    if (best == c->notified_header)
        return;
    c->notified_header = best;
    if (!c->o.events.header_tip)
        return;
    c->in_event++;
    c->o.events.header_tip(c->o.events.ctx, best, chain_initial_download(c));
    c->in_event--;
}

static void log_header_progress(struct chain *c, const struct block_entry *last)
{
    int64_t left = (time_now() - (int64_t)last->node.time) / c->params->pow_spacing;

    if (left < 0)
        left = 0;
    log_info("Synchronizing blockheaders, height: %d (~%.2f%%)", last->node.height,
             100.0 * last->node.height / (double)(last->node.height + left));
}

bool chain_accept_headers(struct chain *c, const struct block_header *headers, size_t n, bool min_pow_checked,
                          const struct block_entry **last, struct verdict *v)
{
    const struct block_entry *notified = c->notified_header;
    struct block_entry *e = NULL;
    struct block_hash hash;

    verdict_init(v);
    if (last)
        *last = NULL;
    for (size_t i = 0; i < n; i++) {
        struct block_entry *next;

        block_header_hash(&hash, &headers[i]);
        if (!accept_header(c, &headers[i], &hash, min_pow_checked, &next, v)) {
            check_index(c);
            return false;
        }
        e = next;
        if (last)
            *last = e;
    }
    check_index(c);
    notify_header_tip(c);
    if (e && c->notified_header != notified && chain_initial_download(c))
        log_header_progress(c, e);
    return true;
}
