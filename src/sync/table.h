/* table.h - a hash table of things that are linked into several orders at once (see util/prio.h too), by members of their own. The caller makes
 * the digests with a secret key, so that no peer can choose collisions. O(1); nothing is allocated for each member. One thread at a time. */
#ifndef FARTHING_SYNC_TABLE_H
#define FARTHING_SYNC_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/prio.h"

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

#endif
