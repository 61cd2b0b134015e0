/* entry.c - an entry of the pool: allocation, honest size, parents; and lists of entries. Called by all of the pool; validation thread. */
#include <stdlib.h>
#include <string.h>

#include "mempool/internal.h"
#include "util/mem.h"

size_t heap_bytes(size_t size)
{
    /* One word in front of each block, sizes in steps of 16, at least 32. */
    return size == 0 ? 0 : size <= 24 ? 32 : (size + 8 + 15) & ~(size_t)15;
}

static int by_txid(const void *a, const void *b)
{
    const struct entry *const *x = (const struct entry *const *)a, *const *y = (const struct entry *const *)b;
    return memcmp((*x)->pub.tx->txid.b, (*y)->pub.tx->txid.b, 32);
}

void entry_sort_parents(struct entry *e)
{
    if (e->n_parents > 1)
        qsort(e->parent, e->n_parents, sizeof(struct entry *), by_txid);
}

struct entry *entry_new(struct mempool *m, struct tx *tx)
{
    struct entry *e = (struct entry *)xcalloc(1, sizeof(*e));

    e->pub.tx = tx_ref(tx);
    pool_new_mark(m);
    for (uint32_t i = 0; i < tx->n_in; i++) {
        struct entry *parent = index_find(m, &tx->in[i].prevout->txid);
        if (parent && parent->mark != m->mark) {
            parent->mark = m->mark;
            entry_add_parent(e, parent);
        }
    }
    entry_sort_parents(e);
    return e;
}

void entry_free(struct entry *e)
{
    if (!e)
        return;
    tx_unref(e->pub.tx);
    free(e->parent);
    free(e->lock);
    free(e);
}

/* Room is always a power of two, so that its size is known. */
static size_t parent_room(uint32_t n)
{
    return n & (n - 1) ? (size_t)1 << (32 - __builtin_clz(n)) : n;
}

size_t entry_usage(const struct entry *e)
{
    return heap_bytes(sizeof(*e)) + heap_bytes(tx_bytes(e->pub.tx)) + heap_bytes(parent_room(e->n_parents) * sizeof(*e->parent)) +
           (e->lock ? heap_bytes(sizeof(*e->lock)) : 0);
}

void entry_set_lock(struct entry *e, struct sequence_lock lock, const struct header_node *block)
{
    if (lock.height < 0 && lock.time < 0) { /* always passed, whatever the chain */
        free(e->lock);
        e->lock = NULL;
        return;
    }
    if (!e->lock)
        e->lock = (struct entry_lock *)xmalloc(sizeof(*e->lock));
    *e->lock = (struct entry_lock){lock, block};
}

bool entry_has_parent(const struct entry *e, const struct entry *parent)
{
    for (uint32_t i = 0; i < e->n_parents; i++) {
        if (e->parent[i] == parent)
            return true;
    }
    return false;
}

void entry_add_parent(struct entry *e, struct entry *parent)
{
    if ((e->n_parents & (e->n_parents - 1)) == 0)
        e->parent = (struct entry **)xrealloc(e->parent, parent_room(e->n_parents + 1) * sizeof(*e->parent));
    e->parent[e->n_parents++] = parent;
}

void entry_drop_parent(struct entry *e, const struct entry *parent)
{
    struct entry **kept = NULL;
    uint32_t n = e->n_parents;
    bool found = entry_has_parent(e, parent);

    if (!found)
        return;
    kept = e->parent;
    e->parent = NULL;
    e->n_parents = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (kept[i] != parent)
            entry_add_parent(e, kept[i]);
    }
    free(kept);
}

void pool_list_add(struct pool_list *l, struct entry *e)
{
    if (l->n == l->cap) {
        l->cap = l->cap ? 2 * l->cap : 16;
        l->e = (struct entry **)xrealloc(l->e, l->cap * sizeof(*l->e));
    }
    l->e[l->n++] = e;
}

void pool_list_clear(struct pool_list *l)
{
    free(l->e);
    *l = (struct pool_list){NULL, 0, 0};
}

void pool_list_add_descendants(struct mempool *m, struct pool_list *l, const struct entry *e)
{
    const struct cluster *c = e->cluster;
    for (uint64_t set = c->tx[e->at].descendants; set; set &= set - 1) {
        struct entry *d = c->tx[__builtin_ctzll(set)].e;
        if (d->mark != m->mark) {
            d->mark = m->mark;
            pool_list_add(l, d);
        }
    }
}
