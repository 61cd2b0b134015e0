/* active.c - the active chain, and everything that any thread may read of the tree under the lock. Changed by the validation
 * thread alone. */
#include "chain/internal.h"

#include "util/assert.h"
#include "util/mem.h"
#include "util/time.h"

/* ---- changes ---- */

static void active_reserve(struct chain *c, int32_t height)
{
    if (height < c->active_cap)
        return;
    c->active_cap = height < 1024 ? 2048 : height + height / 4;
    c->active = xrealloc(c->active, (size_t)c->active_cap * sizeof(struct block_entry *));
}

void active_push(struct chain *c, struct block_entry *e)
{
    write_lock(c);
    active_reserve(c, e->node.height);
    c->active[e->node.height] = e;
    atomic_store_explicit(&c->tip, e, memory_order_release);
    unlock(c);
}

void active_pop(struct chain *c)
{
    struct block_entry *tip = tip_of(c);

    write_lock(c);
    atomic_store_explicit(&c->tip, prev_entry(tip), memory_order_release);
    unlock(c);
}

void active_set(struct chain *c, struct block_entry *tip)
{
    write_lock(c);
    active_reserve(c, tip->node.height);
    for (struct block_entry *e = tip; e; e = prev_entry(e))
        c->active[e->node.height] = e;
    atomic_store_explicit(&c->tip, tip, memory_order_release);
    unlock(c);
    c->head = tip;
}

void mark_dirty(struct chain *c, struct block_entry *e)
{
    if (e->dirty)
        return;
    e->dirty = true;
    entry_list_add(&c->dirty, e);
}

void set_status(struct chain *c, struct block_entry *e, uint32_t set, uint32_t clear)
{
    uint32_t status = (e->status & ~clear) | set;

    if (status == e->status)
        return;
    write_lock(c);
    e->status = status;
    unlock(c);
    mark_dirty(c, e);
}

void raise_validity(struct chain *c, struct block_entry *e, uint32_t level)
{
    if (!entry_failed(e) && (e->status & BLOCK_VALID_MASK) < level)
        set_status(c, e, level, BLOCK_VALID_MASK);
}

void update_initial_download(struct chain *c)
{
    const struct block_entry *tip = tip_of(c);

    if (!atomic_load_explicit(&c->initial_download, memory_order_relaxed) || !tip)
        return;
    if (c->importing || atomic_load(&c->reindexing))
        return;
    if (u256_cmp(tip->node.chain_work, c->o.min_chain_work) < 0 || (int64_t)tip->node.time < time_now() - c->o.max_tip_age)
        return;
    log_info("Leaving InitialBlockDownload (latching to false)");
    atomic_store(&c->initial_download, false);
    share_cache(c);
}

/* ---- reading ---- */

static struct block_entry *at_height(const struct chain *c, const struct block_entry *tip, int32_t height)
{
    return tip && height >= 0 && height <= tip->node.height ? c->active[height] : NULL;
}

static bool contains(struct chain *c, const struct block_entry *e)
{
    return e && at_height(c, tip_of(c), e->node.height) == e;
}

bool head_contains(const struct chain *c, const struct block_entry *e)
{
    const struct block_entry *tip = atomic_load_explicit(&((struct chain *)(uintptr_t)c)->tip, memory_order_relaxed);

    if (tip && e->node.height <= tip->node.height)
        return c->active[e->node.height] == e;
    return c->head && e->node.height <= c->head->node.height && entry_ancestor(c->head, e->node.height) == e;
}

const struct chain_params *chain_get_params(const struct chain *c)
{
    return c->params;
}

const struct block_entry *chain_tip(struct chain *c)
{
    return tip_of(c);
}

int32_t chain_height(struct chain *c)
{
    const struct block_entry *tip = tip_of(c);

    return tip ? tip->node.height : -1;
}

const struct block_entry *chain_flushed(struct chain *c)
{
    struct background *b = background_of(c);

    return atomic_load_explicit(b ? &b->flushed : &c->flushed, memory_order_acquire);
}

const struct block_entry *chain_best_header(struct chain *c)
{
    return best_header_of(c);
}

const struct block_entry *chain_lookup(struct chain *c, const struct block_hash *hash)
{
    const struct block_entry *e;

    read_lock(c);
    e = tree_find(&c->tree, hash);
    unlock(c);
    return e;
}

const struct block_entry *chain_at(struct chain *c, int32_t height)
{
    const struct block_entry *e;

    read_lock(c);
    e = at_height(c, tip_of(c), height);
    unlock(c);
    return e;
}

bool chain_contains(struct chain *c, const struct block_entry *e)
{
    bool in;

    read_lock(c);
    in = contains(c, e);
    unlock(c);
    return in;
}

const struct block_entry *chain_next(struct chain *c, const struct block_entry *e)
{
    const struct block_entry *next = NULL;

    read_lock(c);
    if (contains(c, e))
        next = at_height(c, tip_of(c), e->node.height + 1);
    unlock(c);
    return next;
}

void chain_facts(struct chain *c, const struct block_entry *e, struct entry_facts *out)
{
    read_lock(c);
    out->status = e->status;
    out->n_tx = e->n_tx;
    out->chain_tx = e->chain_tx;
    out->pos.file = e->status & BLOCK_HAVE_DATA ? e->file : -1;
    out->pos.pos = e->data_pos;
    out->undo_pos = e->undo_pos;
    out->active = contains(c, e);
    unlock(c);
}

const struct block_entry *chain_fork(struct chain *c, const struct block_entry *e)
{
    const struct block_entry *tip = tip_of(c);

    return e && tip ? entry_of(header_node_fork(&e->node, &tip->node)) : NULL;
}

size_t chain_locator(struct chain *c, const struct block_entry *e, struct block_hash hashes[64])
{
    int32_t height, step = 1;
    size_t n = 0;

    if (!e)
        e = tip_of(c);
    if (!e)
        return 0;
    for (height = e->node.height; n<64; height = height> step ? height - step : 0) {
        e = entry_ancestor(e, height);
        if (n > 10)
            step *= 2; /* after eleven hashes each step is twice the one before */
        hashes[n++] = e->node.hash;
        if (height == 0)
            break;
    }
    return n;
}

const struct block_entry *chain_find_fork(struct chain *c, const struct block_hash *hashes, size_t n)
{
    const struct block_entry *found = NULL;

    read_lock(c);
    for (size_t i = 0; i < n && !found; i++) {
        const struct block_entry *e = tree_find(&c->tree, &hashes[i]), *tip = tip_of(c);

        if (!e || !tip)
            continue;
        if (contains(c, e))
            found = e;
        else if (header_node_ancestor(&e->node, tip->node.height) == &tip->node)
            found = tip; /* a successor of the tip that is not connected */
    }
    if (!found)
        found = at_height(c, tip_of(c), 0);
    unlock(c);
    return found;
}

bool chain_initial_download(struct chain *c)
{
    return atomic_load_explicit(&c->initial_download, memory_order_relaxed);
}

void chain_each_entry(struct chain *c, void (*fn)(void *ctx, const struct block_entry *e), void *ctx)
{
    read_lock(c);
    for (size_t i = 0; i < c->tree.count; i++)
        fn(ctx, tree_entry(&c->tree, i));
    unlock(c);
}

bool chain_reindexing(const struct chain *c)
{
    return atomic_load_explicit(&c->reindexing, memory_order_relaxed);
}

bool chain_pruned(const struct chain *c)
{
    return atomic_load_explicit(&c->have_pruned, memory_order_relaxed);
}

uint64_t chain_disk_size(const struct chain *c)
{
    return atomic_load_explicit(&c->disk_size, memory_order_relaxed);
}

enum bip9_state chain_bip9_state(struct chain *c, const struct block_entry *e, enum bip9_deployment_id d)
{
    const struct bip9_deployment *dep = &c->params->bip9[d];
    int32_t period = (int32_t)dep->period;
    struct bip9_slot *slot;
    enum bip9_state state;

    if (dep->start_time == BIP9_ALWAYS_ACTIVE || dep->start_time == BIP9_NEVER_ACTIVE || !e || !period)
        return bip9_state_after(dep, e ? &e->node : NULL);
    /* The state is that of the block that ends the period before: one slot each. */
    e = entry_of(header_node_ancestor(&e->node, e->node.height - (e->node.height + 1) % period));
    if (!e)
        return bip9_state_after(dep, NULL);
    slot = &c->bip9[d][(size_t)(e->node.height / period) % BIP9_SLOTS];
    pthread_mutex_lock(&c->bip9_lock);
    if (slot->entry != e) {
        slot->state = bip9_state_after(dep, &e->node);
        slot->entry = e;
    }
    state = slot->state;
    pthread_mutex_unlock(&c->bip9_lock);
    return state;
}
