/* table.h - two containers for things that are linked into several orders at once, by members of their own: a hash table whose digests the
 * caller makes with a secret key (so that no peer can choose collisions), and a priority queue (binary heap) whose members know their place. O(1) and O(log n);
 * nothing is allocated for each member. One thread at a time. */
#ifndef FARTHING_SYNC_TABLE_H
#define FARTHING_SYNC_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The struct that a member belongs to. */
#define ENTRY_OF(member_ptr, type, member) ((type *)(void *)((char *)(member_ptr)-offsetof(type, member)))

/* Member of what is in a table. */
struct table_link {
    struct table_link *next, **at;
    uint64_t digest;
};
struct table {
    struct table_link **slots;
    size_t n, cap; /* cap: a power of two, or 0 */
};
/** Frees the slots; nothing may be linked any more that will be removed later. */
void table_clear(struct table *t);
void table_add(struct table *t, struct table_link *l, uint64_t digest);
void table_remove(struct table *t, struct table_link *l);
/** Those with that digest, one after the other, NULL at the end: the caller compares the keys. */
struct table_link *table_first(const struct table *t, uint64_t digest);
struct table_link *table_next(const struct table_link *l);

/* What a heap holds: the first is the one before which there is none. */
struct prio_kind {
    bool (*before)(const void *a, const void *b);
    size_t place; /* offset of a uint32_t in each member: its place + 1, 0 while it is in no heap */
};
struct prio {
    void **v;
    uint32_t n, cap;
};
void prio_clear(struct prio *h);
void prio_add(struct prio *h, const struct prio_kind *k, void *item);
/** Item must be in this heap. */
void prio_remove(struct prio *h, const struct prio_kind *k, void *item);
/** Its order has changed. */
void prio_moved(struct prio *h, const struct prio_kind *k, void *item);
static inline void *prio_first(const struct prio *h)
{
    return h->n ? h->v[0] : NULL;
}

#endif
