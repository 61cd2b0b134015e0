/* snapshot_activate.c - whether a snapshot may be loaded, and making its coins the active ones. Validation thread. */
#include <stdlib.h>

#include "chain/internal.h"
#include "chain/snapshot_load.h"
#include "util/mem.h"

static const struct assumed_point *find_assumed(const struct chain *c, const struct block_hash *hash, char **error)
{
    const struct chain_params *p = c->params;
    char *heights = xstrdup("");

    for (unsigned i = 0; i < p->n_assumed; i++) {
        char *more;

        if (block_hash_equal(&p->assumed[i].hash, hash)) {
            free(heights);
            return &p->assumed[i];
        }
        more = xasprintf("%s%s%d", heights, i ? ", " : "", p->assumed[i].height);
        free(heights);
        heights = more;
    }
    *error = xasprintf(
        "assumeutxo block hash in snapshot metadata not recognized (hash: %s). The following snapshot heights are available: %s",
        block_hash_hex(hash).s, heights);
    free(heights);
    return NULL;
}

/* Returns: what speaks against it, NULL: nothing. */
static char *objection(struct chain *c, const struct block_entry *base, const struct block_hash *hash)
{
    const struct block_entry *best = best_header_of(c);

    if (!base)
        return xasprintf("The base block header (%s) must appear in the headers chain. Make sure all headers are syncing, and call "
                         "loadtxoutset again",
                         block_hash_hex(hash).s);
    if (entry_failed(base))
        return xasprintf("The base block header (%s) is part of an invalid chain", block_hash_hex(hash).s);
    if (!best || entry_ancestor(best, base->node.height) != base)
        return xstrdup("A forked headers-chain with more work than the chain with the snapshot base block header exists. Please "
                       "proceed to sync "
                       "without AssumeUtxo.");
    return NULL;
}

bool snapshot_begin(struct snapshot_load **out, struct chain *c, const struct snapshot_head *head, char **error)
{
    const struct assumed_point *assumed;
    const struct block_entry *base;
    struct snapshot_load *l;

    *out = NULL;
    *error = NULL;
    chain_drain(c);
    if (atomic_load(&c->base) || atomic_exchange(&c->loading, true)) {
        *error = xstrdup("Can't activate a snapshot-based chainstate more than once");
        return false;
    }
    assumed = find_assumed(c, &head->base, error);
    base = assumed ? tree_find(&c->tree, &head->base) : NULL;
    if (assumed)
        *error = objection(c, base, &head->base);
    if (*error) {
        atomic_store(&c->loading, false);
        return false;
    }
    l = xcalloc(1, sizeof(*l));
    l->head = *head;
    l->base = base;
    l->assumed = assumed;
    l->dir = xstrdup(c->snapshot_dir);
    l->cache = (size_t)8 << 20;
    l->tuning = c->o.coins;
    l->loading = &c->loading;
    *out = l;
    return true;
}

const struct block_entry *snapshot_base(const struct snapshot_load *l)
{
    return l->base;
}

bool snapshot_has_more_work(struct chain *c, const struct snapshot_load *l)
{
    const struct block_entry *tip = tip_of(c);

    return !tip || entry_worse(tip, l->base);
}

/* What the tree needs to look like for a chain whose first blocks were never seen. */
static void mark_history(struct chain *c, struct block_entry *base)
{
    /* So that no start asks for a reindex because of blocks that came without their witnesses. */
    for (struct block_entry *e = base; e->node.prev; e = prev_entry(e))
        if (deployment_active_after(c->params, e->node.prev, DEPLOYMENT_SEGWIT))
            set_status(c, e, BLOCK_OPT_WITNESS, 0);
    mark_dirty(c, base);
}

static void switch_coins(struct chain *c, struct snapshot_load *l, struct block_entry *base)
{
    struct coindb *old_db = c->coindb;
    struct coins *old = c->coins;
    struct block_entry *old_tip = tip_of(c);

    write_lock(c);
    c->coindb = l->db;
    base->chain_tx = l->assumed->chain_tx_count;
    unlock(c);
    c->coins = coins_new(c->coindb, NULL);
    l->db = NULL;
    l->active = true;
    c->assumed = l->assumed;
    atomic_store(&c->base, base);
    background_start(c, old_db, old, old_tip);
    active_set(c, base);
    atomic_store(&c->flushed, base);
    blockfiles_split(c->files, (uint32_t)base->node.height);
    load_candidates(c);
}

bool snapshot_activate(struct chain *c, struct snapshot_load *l, char **error)
{
    struct block_entry *base = mutable_entry(&l->base->node), *old;

    chain_drain(c);
    *error = objection(c, base, &l->head.base);
    if (!*error && !snapshot_has_more_work(c, l))
        *error = xstrdup("work does not exceed active chainstate");
    if (*error)
        return false;
    old = tip_of(c);
    mark_history(c, base);
    /* The header and what was marked must be known before a start looks for them. */
    if (flush_state(c, FLUSH_ALWAYS, 0) != RC_OK || snapshot_name_base(l->dir, &l->head.base) != RC_OK) {
        *error = xstrdup("could not write base blockhash");
        return false;
    }
    switch_coins(c, l, base);
    log_info("[snapshot] successfully activated snapshot %s", block_hash_hex(&l->head.base).s);
    update_initial_download(c);
    if (c->o.events.history_changed) {
        c->in_event++;
        c->o.events.history_changed(c->o.events.ctx, false);
        c->in_event--;
    }
    fire_tip_changed(c, entry_of(header_node_fork(&base->node, &old->node)));
    check_index(c);
    return true;
}
