/* arena.h - bump allocation that is freed at once. One thread at a time. */
#ifndef FARTHING_UTIL_ARENA_H
#define FARTHING_UTIL_ARENA_H

#include <stddef.h>

struct arena_chunk;
struct arena {
    struct arena_chunk *chunk; /* newest */
    size_t used;               /* of the newest */
    size_t total;              /* bytes in all chunks */
};

#define ARENA_INIT                                                                                                                 \
    {                                                                                                                              \
        NULL, 0, 0                                                                                                                 \
    }

/** `size` bytes, aligned for any type, uninitialised, valid until arena_clear. Never NULL. */
void *arena_alloc(struct arena *a, size_t size);
/** Like arena_alloc, zeroed. */
void *arena_calloc(struct arena *a, size_t count, size_t size);
/** A copy of len bytes (data may be NULL if len is 0). */
void *arena_copy(struct arena *a, const void *data, size_t len);
/** Frees everything; the arena can be used again. */
void arena_clear(struct arena *a);
/** Keeps the newest chunk and makes all of it free again: for a loop's scratch. */
void arena_reset(struct arena *a);

#endif
