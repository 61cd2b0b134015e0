/* places.h - a hash table that says where in an array something stands: eight bytes a slot, and nothing in the things themselves. The hashes are
 * the caller's, made with a secret key. One thread at a time. */
#ifndef FARTHING_SYNC_PLACES_H
#define FARTHING_SYNC_PLACES_H

#include <stddef.h>
#include <stdint.h>

struct place_slot {
    uint32_t hash, place; /* place + 1; 0: empty */
};
struct places {
    struct place_slot *slot;
    size_t n, cap;
};
void places_clear(struct places *p);
void places_add(struct places *p, uint32_t hash, uint32_t place);
/** It must be there. */
void places_remove(struct places *p, uint32_t hash, uint32_t place);
/** What stood there stands elsewhere now. */
void places_move(struct places *p, uint32_t hash, uint32_t from, uint32_t to);
/** Those with that hash, one after the other: *cursor, SIZE_MAX at first, is the table's. Returns: a place, PLACES_END behind the last; the
 *  caller compares the keys. */
#define PLACES_END UINT32_MAX
uint32_t places_next(const struct places *p, uint32_t hash, size_t *cursor);

#endif
