/* pipeline.c - blocks in flight: connected to the coins, their scripts still running. They retire in order; one whose scripts
 * fail is taken back together with all behind it. Validation thread. */
#include "chain/internal.h"

#include <inttypes.h>
#include <stdlib.h>

#include "primitives/serialize.h"
#include "util/mem.h"

#define INFLIGHT_BYTES ((size_t)3 << 20) /* as serialised; in memory about three times as much */
#define INFLIGHT_BLOCKS 128u

struct inflight *inflight_new(struct chain *c)
{
    struct inflight *p = c->spare;

    if (!p)
        return xcalloc(1, sizeof(*p));
    c->spare = p->next;
    p->next = NULL;
    return p;
}

static void inflight_free(struct inflight *p)
{
    free(p->coins);
    free(p->spent);
    free(p->first_in);
    bytes_mem_clear(&p->scripts);
    check_job_clear(&p->job);
    free(p);
}

void inflight_release(struct chain *c, struct inflight *p)
{
    block_unref(p->block);
    p->block = NULL;
    p->entry = NULL;
    p->checking = false;
    p->n_applied = 0;
    bytes_mem_reset(&p->scripts);
    p->next = c->spare;
    c->spare = p;
}

void inflight_reserve(struct inflight *p, const struct block *b)
{
    uint32_t n = 0;

    if (b->n_tx + 1 > p->cap_tx) {
        p->cap_tx = b->n_tx + 1 + b->n_tx / 4;
        free(p->first_in);
        p->first_in = xmalloc(p->cap_tx * sizeof(*p->first_in));
    }
    p->first_in[0] = 0;
    for (uint32_t i = 0; i < b->n_tx; i++) {
        p->first_in[i] = n;
        n += i ? b->tx[i].n_in : 0;
    }
    p->first_in[b->n_tx] = n;
    p->n_inputs = n;
    if (n <= p->cap_inputs)
        return;
    p->cap_inputs = n + n / 4;
    free(p->coins);
    free(p->spent);
    p->coins = xmalloc(p->cap_inputs * sizeof(*p->coins));
    p->spent = xmalloc(p->cap_inputs * sizeof(*p->spent));
}

bool pipeline_allowed(const struct chain *c)
{
    /* Near the present, and while a reorganisation is under way, each block is finished before the next: those who are told
     * of the new tip find the coins exactly there. */
    return (c->importing || atomic_load_explicit(&c->initial_download, memory_order_relaxed)) && !c->step_tip;
}

static void append(struct chain *c, struct inflight *p)
{
    p->next = NULL;
    if (c->last)
        c->last->next = p;
    else
        c->first = p;
    c->last = p;
}

void pipeline_push(struct chain *c, struct inflight *p, bool check_scripts, uint32_t flags)
{
    append(c, p);
    c->inflight_blocks++;
    c->inflight_bytes += p->block->raw_len;
    p->checking = check_scripts && p->n_inputs;
    if (!p->checking)
        return;
    check_job_init(&p->job, p->block, p->spent, p->first_in, flags, c->o.sig_cache, !chain_initial_download(c), false);
    check_queue_submit(c->queue, &p->job);
}

void pipeline_push_ticket(struct chain *c, const struct ticket *t)
{
    struct inflight *p;

    if (!c->first) {
        if (t->done)
            t->done(t->arg, &t->hash, t->is_new, &t->verdict);
        return;
    }
    p = inflight_new(c);
    p->ticket = *t;
    append(c, p);
}

static struct inflight *take_first(struct chain *c)
{
    struct inflight *p = c->first;

    c->first = p->next;
    if (!c->first)
        c->last = NULL;
    if (p->entry) {
        c->inflight_blocks--;
        c->inflight_bytes -= p->block->raw_len;
    }
    return p;
}

/* ---- the end of a block ---- */

enum rc write_undo(struct chain *c, struct writer *w, struct inflight *p)
{
    struct block_entry *e = p->entry;
    const struct block *b = p->block;
    uint32_t pos;
    enum rc rc;

    if (e->status & BLOCK_HAVE_UNDO)
        return RC_OK;
    write_compact_size(w, b->n_tx - 1);
    for (uint32_t i = 1; i < b->n_tx; i++) {
        write_compact_size(w, b->tx[i].n_in);
        for (uint32_t j = p->first_in[i]; j < p->first_in[i + 1]; j++)
            undo_coin_write(w, &p->coins[j]);
    }
    rc = blockfiles_append_undo(c->files, &pos, e->file, w->data, w->len, &e->node.prev->hash, (uint32_t)e->node.height);
    if (rc != RC_OK)
        return fatal(c, rc, "Failed to write undo data: %s", blockfiles_last_error());
    write_lock(c);
    e->undo_pos = pos;
    e->status |= BLOCK_HAVE_UNDO;
    unlock(c);
    mark_dirty(c, e);
    return RC_OK;
}

void fire_tip_changed(struct chain *c, const struct block_entry *fork)
{
    const struct block_entry *tip = tip_of(c);

    if (!c->o.events.tip_changed)
        return;
    check_invalid_ahead(c);
    c->in_event++;
    c->o.events.tip_changed(c->o.events.ctx, tip, fork, chain_initial_download(c));
    c->in_event--;
}

static void fire_connected(struct chain *c, const struct block_entry *e, struct block *b, const struct writer *undo)
{
    c->in_event++;
    if (c->o.events.block_connected)
        c->o.events.block_connected(c->o.events.ctx, e, b);
    if (c->o.events.block_spent && e->node.prev)
        c->o.events.block_spent(c->o.events.ctx, e, b, undo->len ? undo->data : NULL, undo->len);
    c->in_event--;
}

/* A reorganisation is one step: it is over once the new tip is not worse than the one it left. */
static void announce_tip(struct chain *c, const struct block_entry *e)
{
    const struct block_entry *old = c->step_tip;

    if (!old) {
        fire_tip_changed(c, e->node.prev ? prev_entry(e) : e);
        return;
    }
    if (entry_worse(e, old))
        return;
    c->step_tip = NULL;
    fire_tip_changed(c, entry_of(header_node_fork(&e->node, &old->node)));
}

void end_step(struct chain *c)
{
    const struct block_entry *old = c->step_tip;
    struct block_entry *tip = tip_of(c);

    if (!old || c->first)
        return;
    c->step_tip = NULL;
    if (tip != old)
        fire_tip_changed(c, entry_of(header_node_fork(&tip->node, &old->node)));
}

static void update_stats(struct chain *c)
{
    atomic_store_explicit(&c->stat_coins, coins_count(c->coins), memory_order_relaxed);
    atomic_store_explicit(&c->stat_bytes, coins_bytes(c->coins), memory_order_relaxed);
    atomic_store_explicit(&c->disk_size, blockfiles_disk_size(c->files), memory_order_relaxed);
}

static enum rc retire_block(struct chain *c, struct inflight *p)
{
    struct block_entry *e = p->entry;
    struct block *b = p->block;
    struct writer undo = WRITER_INIT;
    struct verdict v;
    enum rc rc = e->node.prev ? write_undo(c, &undo, p) : RC_OK;

    if (rc != RC_OK) {
        writer_clear(&undo);
        return rc;
    }
    p->block = NULL; /* kept for the events, while the buffers go back */
    inflight_release(c, p);
    if (e->node.prev)
        raise_validity(c, e, BLOCK_VALID_SCRIPTS);
    verdict_init(&v);
    judge(c, &e->node.hash, &v);
    active_push(c, e);
    update_initial_download(c);
    update_stats(c);
    log_update_tip(c, e);
    candidates_prune(&c->candidates, e);
    fire_connected(c, e, b, &undo);
    writer_clear(&undo);
    block_unref(b);
    announce_tip(c, e);
    if (c->o.stop_at_height && e->node.height >= c->o.stop_at_height && !c->stopping) {
        c->stopping = true;
        if (c->o.events.stop_requested)
            c->o.events.stop_requested(c->o.events.ctx);
    }
    return RC_OK;
}

/* ---- failure ---- */

/* Those who wait for a block behind the failed one learn that its branch is invalid. */
static void fail_ticket(struct ticket *t, const struct block_hash *hash)
{
    if (t && block_hash_equal(&t->hash, hash))
        verdict_invalid(&t->verdict, BLOCK_CACHED_INVALID, "duplicate-invalid", "block %s has an invalid ancestor",
                        block_hash_hex(hash).s);
}

static void fail_tickets(struct chain *c, struct inflight *list)
{
    for (struct inflight *q = list; q; q = q->next) {
        if (!q->entry)
            continue;
        fail_ticket(c->current, &q->entry->node.hash);
        for (struct inflight *t = q->next; t; t = t->next)
            if (!t->entry)
                fail_ticket(&t->ticket, &q->entry->node.hash);
    }
}

static void revert_from(struct chain *c, struct inflight *p)
{
    if (!p)
        return;
    revert_from(c, p->next);
    if (!p->entry)
        return;
    if (p->checking)
        check_queue_cancel(c->queue, &p->job);
    connect_revert(c->coins, p);
    c->head = prev_entry(p->entry);
}

/* The scripts of the first block failed: takes it and all blocks behind it back. Tickets stay. */
static void fail_first(struct chain *c)
{
    struct inflight *p = c->first, *list, *next;
    struct block_entry *e = p->entry;
    struct verdict v;

    verdict_init(&v);
    script_verdict(p, &v);
    log_block_error(&e->node.hash, &v);
    revert_from(c, p);
    list = p->next;
    take_first(c);
    inflight_release(c, p);
    fail_tickets(c, list);
    c->first = c->last = NULL;
    for (struct inflight *q = list; q; q = next) {
        next = q->next;
        if (q->entry)
            inflight_release(c, q);
        else
            append(c, q);
    }
    c->inflight_blocks = 0;
    c->inflight_bytes = 0;
    judge(c, &e->node.hash, &v);
    mark_invalid(c, e, &v);
    log_verdict("ConnectTip: ConnectBlock", &e->node.hash, &v);
}

/* ---- progress ---- */

static void retire_ticket(struct chain *c)
{
    struct inflight *p = take_first(c);
    struct ticket t = p->ticket;

    inflight_release(c, p);
    if (t.done)
        t.done(t.arg, &t.hash, t.is_new, &t.verdict);
}

static enum rc retire_first(struct chain *c)
{
    struct inflight *p = c->first;

    if (!p->entry) {
        retire_ticket(c);
        return RC_OK;
    }
    if (p->checking) {
        check_queue_wait(c->queue, &p->job);
        if (p->job.fail_at != UINT64_MAX) {
            fail_first(c);
            return RC_OK;
        }
    }
    return retire_block(c, take_first(c));
}

static bool ready(struct chain *c, const struct inflight *p)
{
    return !p->entry || !p->checking || check_queue_done(c->queue, &p->job);
}

enum rc pipeline_advance(struct chain *c, bool all)
{
    while (c->first) {
        bool full = c->inflight_bytes > INFLIGHT_BYTES || c->inflight_blocks > INFLIGHT_BLOCKS;
        enum rc rc;

        if (c->broken)
            return RC_IO;
        if (!all && !full && !ready(c, c->first))
            return RC_OK;
        rc = retire_first(c);
        if (rc != RC_OK)
            return rc;
    }
    return RC_OK;
}

void pipeline_clear(struct chain *c)
{
    for (struct inflight *p = c->first, *next; p; p = next) {
        next = p->next;
        if (p->entry && p->checking)
            check_queue_cancel(c->queue, &p->job);
        block_unref(p->block);
        inflight_free(p);
    }
    for (struct inflight *p = c->spare, *next; p; p = next) {
        next = p->next;
        inflight_free(p);
    }
    c->first = c->last = c->spare = NULL;
}
