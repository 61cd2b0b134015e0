/* prio.c - the heap of prio.h. Any thread, one at a time. */
#include "util/prio.h"

#include <stdlib.h>

#include "util/assert.h"
#include "util/mem.h"

static uint32_t *place_of(const struct prio_kind *k, void *item)
{
    return (uint32_t *)(void *)((char *)item + k->place);
}

static void put(struct prio *h, const struct prio_kind *k, uint32_t i, void *item)
{
    h->v[i] = item;
    *place_of(k, item) = i + 1;
}

static void rise(struct prio *h, const struct prio_kind *k, uint32_t i)
{
    void *item = h->v[i];

    while (i > 0 && k->before(item, h->v[(i - 1) / 2])) {
        put(h, k, i, h->v[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    put(h, k, i, item);
}

static void sink(struct prio *h, const struct prio_kind *k, uint32_t i)
{
    void *item = h->v[i];
    uint32_t child;

    while ((child = 2 * i + 1) < h->n) {
        if (child + 1 < h->n && k->before(h->v[child + 1], h->v[child]))
            child++;
        if (!k->before(h->v[child], item))
            break;
        put(h, k, i, h->v[child]);
        i = child;
    }
    put(h, k, i, item);
}

void prio_clear(struct prio *h)
{
    free(h->v);
    *h = (struct prio){0};
}

void prio_add(struct prio *h, const struct prio_kind *k, void *item)
{
    ASSERT(*place_of(k, item) == 0);
    if (h->n == h->cap) {
        h->cap = h->cap ? h->cap * 2 : 4;
        h->v = xrealloc(h->v, h->cap * sizeof(*h->v));
    }
    h->v[h->n] = item;
    rise(h, k, h->n++);
}

void prio_moved(struct prio *h, const struct prio_kind *k, void *item)
{
    uint32_t i = *place_of(k, item) - 1;

    ASSERT(i < h->n && h->v[i] == item);
    if (i > 0 && k->before(item, h->v[(i - 1) / 2]))
        rise(h, k, i);
    else
        sink(h, k, i);
}

void prio_remove(struct prio *h, const struct prio_kind *k, void *item)
{
    uint32_t i = *place_of(k, item) - 1;
    void *last;

    ASSERT(i < h->n && h->v[i] == item);
    *place_of(k, item) = 0;
    last = h->v[--h->n];
    if (last != item) {
        h->v[i] = last;
        *place_of(k, last) = i + 1;
        prio_moved(h, k, last);
    }
    if (h->n == 0)
        prio_clear(h);
    else if (h->cap > 64 && h->n * 4 < h->cap) {
        h->cap /= 2;
        h->v = xrealloc(h->v, h->cap * sizeof(*h->v));
    }
}
