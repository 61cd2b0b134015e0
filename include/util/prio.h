/* prio.h - a priority queue (binary heap) of things that know their place in it by a member of their own, so that one can be moved or taken out
 * from anywhere. O(log n); nothing is allocated for each member. One thread at a time. */
#ifndef FARTHING_UTIL_PRIO_H
#define FARTHING_UTIL_PRIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a heap holds: the first is the one before which there is none. */
struct prio_kind {
    bool (*before)(const void *a, const void *b);
    size_t place; /* offset of a uint32_t in each member: its place + 1, 0 while it is in no heap */
};
struct prio {
    void **v;
    uint32_t n, cap;
};
/** Frees the places; the members are the caller's. */
void prio_clear(struct prio *h);
/** Item must be in none. */
void prio_add(struct prio *h, const struct prio_kind *k, void *item);
/** Item must be in this heap. */
void prio_remove(struct prio *h, const struct prio_kind *k, void *item);
/** Its order has changed. */
void prio_moved(struct prio *h, const struct prio_kind *k, void *item);
/** Returns: the first, NULL if there is none. */
static inline void *prio_first(const struct prio *h)
{
    return h->n ? h->v[0] : NULL;
}

#endif
