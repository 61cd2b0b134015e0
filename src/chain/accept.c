/* accept.c - takes a block's data into storage: which blocks are worth it, the rules that need no coins, and what becomes
 * connectable by it. Validation thread; chain_precheck any thread. */
#include "chain/internal.h"

#include <stdlib.h>

void try_add_candidate(struct chain *c, struct block_entry *e)
{
    const struct block_entry *tip = tip_of(c);

    if (!tip || !entry_worse(e, tip))
        candidates_insert(&c->candidates, e);
}

/* The branch up to e is complete. */
static void complete(struct chain *c, struct block_entry *e)
{
    const struct block_entry *prev = prev_entry(e);

    candidates_erase(&c->candidates, e); /* its order may change (data that were pruned came again) */
    write_lock(c);
    e->chain_tx = e->n_tx + (prev ? prev->chain_tx : 0);
    e->sequence_id = c->next_sequence++;
    unlock(c);
    try_add_candidate(c, e);
}

void received_transactions(struct chain *c, struct block_entry *e, const struct block *b, struct disk_pos pos)
{
    struct entry_list complete_now = {0};
    struct block_entry *child;

    write_lock(c);
    e->n_tx = b->n_tx;
    e->file = pos.file;
    e->data_pos = pos.pos;
    e->undo_pos = 0;
    e->status |= BLOCK_HAVE_DATA;
    if (deployment_active_after(c->params, e->node.prev, DEPLOYMENT_SEGWIT))
        e->status |= BLOCK_OPT_WITNESS;
    unlock(c);
    mark_dirty(c, e);
    raise_validity(c, e, BLOCK_VALID_TRANSACTIONS);
    if (e->node.prev && !prev_entry(e)->chain_tx) {
        unlinked_add(&c->unlinked, e);
        return;
    }
    entry_list_add(&complete_now, e);
    for (size_t i = 0; i < complete_now.n; i++) {
        complete(c, complete_now.e[i]);
        while ((child = unlinked_take(&c->unlinked, complete_now.e[i])))
            entry_list_add(&complete_now, child);
    }
    free(complete_now.e);
}

void chain_precheck(struct chain *c, const struct block *b, struct block_precheck *out)
{
    const struct block_entry *prev;

    verdict_init(&out->verdict);
    verdict_init(&out->context);
    out->context_done = false;
    if (!check_block(c->params, b, true, true, &out->verdict))
        return;
    prev = chain_lookup(c, &b->header.prev);
    if (!prev)
        return;
    check_block_context(c->params, b, &prev->node, &out->context);
    out->context_done = true;
}

/* Blocks that nobody asked for are taken only if they are about to matter. */
static bool worth_storing(struct chain *c, const struct block_entry *e, bool requested)
{
    const struct block_entry *head = c->head;

    if (e->status & BLOCK_HAVE_DATA)
        return false;
    if (requested)
        return true;
    if (e->n_tx)
        return false; /* was here before, and pruned */
    if (head && u256_cmp(e->node.chain_work, head->node.chain_work) < 0)
        return false;
    if (e->node.height > (head ? head->node.height : -1) + MIN_BLOCKS_TO_KEEP)
        return false;
    return u256_cmp(e->node.chain_work, c->o.min_chain_work) >= 0;
}

static bool check_data(struct chain *c, struct block *b, const struct block_entry *e, const struct block_precheck *pre,
                       struct verdict *v)
{
    if (pre)
        *v = pre->verdict;
    else
        check_block(c->params, b, true, true, v);
    if (v->kind != VERDICT_VALID || !e->node.prev)
        return v->kind == VERDICT_VALID;
    if (pre && pre->context_done)
        *v = pre->context;
    else
        check_block_context(c->params, b, e->node.prev, v);
    return v->kind == VERDICT_VALID;
}

static bool store(struct chain *c, struct block *b, struct block_entry *e, const struct disk_pos *at, struct verdict *v)
{
    struct disk_pos pos;
    enum rc rc;

    if (at) {
        pos = *at;
        blockfiles_note(c->files, pos, b->raw_len, (uint32_t)e->node.height, b->header.time);
    } else {
        rc = blockfiles_append(c->files, &pos, b->raw, b->raw_len, (uint32_t)e->node.height, b->header.time);
        if (rc != RC_OK) {
            fatal(c, rc, "System error while saving block to disk: %s", blockfiles_last_error());
            return verdict_internal(v, "AcceptBlock: Failed to find position to write new block to disk");
        }
        if (c->last_chunk != ((uint64_t)pos.file << 32 | pos.pos >> 24)) {
            c->last_chunk = (uint64_t)pos.file << 32 | pos.pos >> 24;
            c->check_for_pruning = true;
        }
    }
    received_transactions(c, e, b, pos);
    return true;
}

bool accept_block(struct chain *c, struct block *b, const struct block_precheck *pre, bool requested, bool min_pow_checked,
                  const struct disk_pos *at, struct block_entry **out, bool *is_new, struct verdict *v)
{
    struct block_entry *e;

    *is_new = false;
    *out = NULL;
    if (!accept_header(c, &b->header, &b->hash, min_pow_checked, &e, v))
        return false;
    *out = e;
    if (!worth_storing(c, e, requested))
        return true;
    if (!check_data(c, b, e, pre, v)) {
        if (v->kind == VERDICT_INVALID)
            mark_invalid(c, e, v);
        log_error("AcceptBlock: %s%s%s", v->reason, v->debug[0] ? ", " : "", v->debug);
        return false;
    }
    if (!chain_initial_download(c) && e->node.prev && prev_entry(e) == tip_of(c) && c->o.events.new_pow_valid_block) {
        c->in_event++;
        c->o.events.new_pow_valid_block(c->o.events.ctx, e, b);
        c->in_event--;
    }
    *is_new = true;
    return store(c, b, e, at, v);
}
