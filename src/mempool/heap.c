/* heap.c - a binary heap whose members know their place, so that any of them can be taken out. Called by the pool for its oldest entry and
 * its worst cluster; validation thread. */
#include "mempool/internal.h"
#include "util/mem.h"

static void put(struct heap *h, size_t at, struct heap_node *n)
{
    h->node[at] = n;
    n->pos = (uint32_t)at;
}

static void rise(struct heap *h, size_t at)
{
    struct heap_node *n = h->node[at];
    for (; at && h->before(n, h->node[(at - 1) / 2]); at = (at - 1) / 2)
        put(h, at, h->node[(at - 1) / 2]);
    put(h, at, n);
}

static void sink(struct heap *h, size_t at)
{
    struct heap_node *n = h->node[at];
    for (size_t child; (child = 2 * at + 1) < h->n; at = child) {
        if (child + 1 < h->n && h->before(h->node[child + 1], h->node[child]))
            child++;
        if (!h->before(h->node[child], n))
            break;
        put(h, at, h->node[child]);
    }
    put(h, at, n);
}

void heap_add(struct heap *h, struct heap_node *n)
{
    if (h->n == h->cap) {
        h->cap += h->cap / 8 + 64;
        h->node = (struct heap_node **)xrealloc(h->node, h->cap * sizeof(*h->node));
    }
    put(h, h->n++, n);
    rise(h, h->n - 1);
}

void heap_remove(struct heap *h, struct heap_node *n)
{
    size_t at = n->pos;
    struct heap_node *last = h->node[--h->n];
    if (last == n)
        return;
    put(h, at, last);
    rise(h, at);
    sink(h, last->pos);
}
