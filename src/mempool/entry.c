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

/* A transaction on its own is one block: itself, a counter, its arrays and bytes. */
static size_t tx_usage(const struct tx *tx)
{
    size_t items = 0;
    for (uint32_t i = 0; i < tx->n_in; i++)
        items += tx->in[i].witness_count;
    return heap_bytes(sizeof(*tx) + sizeof(uint64_t) + tx->n_in * sizeof(*tx->in) + tx->n_out * sizeof(*tx->out) +
                      items * sizeof(struct witness_item) + tx->raw_len);
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
    size_t size = sizeof(struct entry) + tx->n_in * sizeof(struct spend);
    struct entry *e = (struct entry *)xcalloc(1, size);

    e->pub.tx = tx_ref(tx);
    e->usage = heap_bytes(size) + tx_usage(tx);
    e->serial = ++m->serial;
    m->mark++;
    for (uint32_t i = 0; i < tx->n_in; i++) {
        struct entry *parent = index_find(m, &tx->in[i].prevout.txid);
        e->spend[i] = (struct spend){.by = e, .outpoint = &tx->in[i].prevout};
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
    free(e);
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
    /* Room is always a power of two, so that its size is known. */
    if ((e->n_parents & (e->n_parents - 1)) == 0) {
        size_t room = e->n_parents ? 2 * (size_t)e->n_parents : 1;
        e->usage -= e->n_parents ? heap_bytes(e->n_parents * sizeof(*e->parent)) : 0;
        e->parent = (struct entry **)xrealloc(e->parent, room * sizeof(*e->parent));
        e->usage += heap_bytes(room * sizeof(*e->parent));
    }
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
    e->usage -= heap_bytes((n & (n - 1) ? (size_t)1 << (32 - __builtin_clz(n)) : n) * sizeof(*e->parent));
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
