/* check_index.c - verifies the invariants of the tree (-checkblockindex). A violation is a bug and ends the process. Validation
 * thread, with nothing in flight. */
#include "chain/internal.h"

#include <stdlib.h>

#include "util/assert.h"
#include "util/mem.h"
#include "util/random.h"

#define OFTEN 2000u /* entries up to which every call checks; beyond, one in proportion */

/* What is true of any ancestor or the entry itself. */
enum { ANY_INVALID = 1, ANY_MISSING = 2, ANY_NEVER = 4, ANY_NOT_CHAIN = 8, ANY_NOT_SCRIPTS = 16 };

static uint8_t own_marks(const struct block_entry *e)
{
    uint32_t level = e->status & BLOCK_VALID_MASK;
    uint8_t m = 0;

    m |= entry_failed(e) ? ANY_INVALID : 0;
    m |= e->status & BLOCK_HAVE_DATA ? 0 : ANY_MISSING;
    m |= e->n_tx ? 0 : ANY_NEVER;
    if (e->node.prev) {
        m |= level < BLOCK_VALID_CHAIN ? ANY_NOT_CHAIN : 0;
        m |= level < BLOCK_VALID_SCRIPTS ? ANY_NOT_SCRIPTS : 0;
    }
    return m;
}

static void check_place(struct chain *c, const struct block_entry *e)
{
    const struct block_entry *prev = prev_entry(e);

    if (!prev) {
        ASSERT(block_hash_equal(&e->node.hash, &c->params->genesis_hash));
        ASSERT(e->node.height == 0 && e->chain_tx == e->n_tx);
        return;
    }
    ASSERT(e->node.height == prev->node.height + 1);
    ASSERT(u256_cmp(e->node.chain_work, prev->node.chain_work) >= 0);
    ASSERT(e->node.height < 2 || (e->node.skip && e->node.skip->height < e->node.height));
    if (prev->chain_tx && e->n_tx)
        ASSERT(e->chain_tx == prev->chain_tx + e->n_tx);
    else
        ASSERT((e->chain_tx != 0) == (e == assumed_base(c)));
}

static void check_status(struct chain *c, const struct block_entry *e, uint8_t marks)
{
    uint32_t level = e->status & BLOCK_VALID_MASK;
    bool data = e->status & BLOCK_HAVE_DATA;

    if (!chain_pruned(c))
        ASSERT(data == (e->n_tx > 0));
    if (data)
        ASSERT(e->n_tx > 0);
    if (e->status & BLOCK_HAVE_UNDO)
        ASSERT(data);
    ASSERT(level >= BLOCK_VALID_TREE);
    ASSERT((level >= BLOCK_VALID_TRANSACTIONS) == (e->n_tx > 0));
    ASSERT((!(marks & ANY_NEVER) || e == assumed_base(c)) == (e->chain_tx != 0));
    if (!e->chain_tx)
        ASSERT(e->sequence_id <= SEQUENCE_FROM_DISK);
    if (level >= BLOCK_VALID_CHAIN)
        ASSERT(!(marks & ANY_NOT_CHAIN));
    if (level >= BLOCK_VALID_SCRIPTS)
        ASSERT(!(marks & ANY_NOT_SCRIPTS));
    ASSERT(!(marks & ANY_INVALID) == !entry_failed(e));
}

static void check_sets(struct chain *c, const struct block_entry *e, uint8_t marks)
{
    const struct block_entry *tip = tip_of(c), *best = best_header_of(c), *base = assumed_base(c);
    bool candidate = candidates_has(&c->candidates, e), waiting = unlinked_has(&c->unlinked, e);

    ASSERT(entry_failed(e) || u256_cmp(e->node.chain_work, best->node.chain_work) <= 0);
    if (tip && (!base || entry_ancestor(e, base->node.height) == base)) {
        bool could_be = !entry_worse(e, tip) && (!(marks & ANY_NEVER) || e == base);

        if (could_be && !(marks & ANY_INVALID) && (!(marks & ANY_MISSING) || e == tip))
            ASSERT(candidate);
        if (!could_be)
            ASSERT(!candidate);
    }
    if (!(e->status & BLOCK_HAVE_DATA) || !(marks & ANY_MISSING))
        ASSERT(!waiting);
    if ((e->status & BLOCK_HAVE_DATA) && (marks & ANY_NEVER) && !(marks & ANY_INVALID))
        ASSERT(waiting);
}

/* Parents stand before their children in the tree, except after a load: so entries are taken by height. */
static int by_height(const void *pa, const void *pb, void *ctx)
{
    const struct tree *t = ctx;
    uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;
    int32_t ha = tree_entry(t, a)->node.height, hb = tree_entry(t, b)->node.height;

    return ha != hb ? (ha < hb ? -1 : 1) : (a > b) - (a < b);
}

static size_t index_of(const struct tree *t, const struct block_entry *e)
{
    for (size_t s = 0; s < t->n_slabs; s++) {
        uintptr_t first = (uintptr_t)t->slabs[s], at = (uintptr_t)e;

        if (at >= first && at < first + ENTRIES_PER_SLAB * sizeof(*e))
            return s * ENTRIES_PER_SLAB + (at - first) / sizeof(*e);
    }
    ASSERT(!"entry outside of the tree");
    return 0;
}

static void check_all(struct chain *c)
{
    const struct tree *t = &c->tree;
    uint32_t *order = xmalloc(t->count * sizeof(*order));
    uint8_t *marks = xcalloc(t->count, 1);
    const struct block_entry *base = assumed_base(c);

    for (size_t i = 0; i < t->count; i++)
        order[i] = (uint32_t)i;
    qsort_r(order, t->count, sizeof(*order), by_height, &c->tree);
    for (size_t i = 0; i < t->count; i++) {
        const struct block_entry *e = tree_entry(t, order[i]);

        marks[order[i]] = own_marks(e);
        if (e->node.prev) {
            uint8_t inherited = marks[index_of(t, prev_entry(e))];

            /* Behind a snapshot all is as if its block's ancestors had been there. */
            marks[order[i]] |= base && prev_entry(e) == base ? inherited & ANY_INVALID : inherited;
        }
        check_place(c, e);
        check_status(c, e, marks[order[i]]);
        check_sets(c, e, marks[order[i]]);
    }
    free(order);
    free(marks);
}

void check_index(struct chain *c)
{
    const struct block_entry *tip = tip_of(c);

    if (!c->o.check_block_index || c->first || c->broken || !tip)
        return;
    if (c->tree.count > OFTEN && random_u64() % (c->tree.count / OFTEN * c->tree.count / OFTEN) != 0)
        return;
    ASSERT(best_header_of(c) && !entry_failed(best_header_of(c)));
    ASSERT(c->head == tip && c->active[tip->node.height] == tip);
    check_all(c);
}
