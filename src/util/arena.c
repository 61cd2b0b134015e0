/* arena.c - a list of chunks, each twice the one before, allocated from by bumping. One thread at a time. */
#include "util/arena.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "util/assert.h"
#include "util/mem.h"

#define CHUNK_MIN 4096u
#define CHUNK_MAX ((size_t)1 << 20) /* growth stops here; larger single requests get a chunk of their size */

struct arena_chunk {
    struct arena_chunk *next; /* older */
    size_t size;              /* of data */
    alignas(max_align_t) unsigned char data[];
};

static void chunk_add(struct arena *a, size_t need)
{
    size_t size = a->chunk ? a->chunk->size * 2 : CHUNK_MIN;
    struct arena_chunk *c;

    if (size > CHUNK_MAX)
        size = CHUNK_MAX;
    if (size < need)
        size = need;
    c = xmalloc(sizeof(*c) + size);
    c->next = a->chunk;
    c->size = size;
    a->chunk = c;
    a->used = 0;
    a->total += size;
}

void *arena_alloc(struct arena *a, size_t size)
{
    void *p;

    ASSERT(size <= SIZE_MAX / 2);
    size = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    if (!a->chunk || a->chunk->size - a->used < size)
        chunk_add(a, size);
    p = a->chunk->data + a->used;
    a->used += size;
    return p;
}

void *arena_calloc(struct arena *a, size_t count, size_t size)
{
    size_t total;
    bool overflow = __builtin_mul_overflow(count, size, &total);

    ASSERT(!overflow);
    return memset(arena_alloc(a, total), 0, total);
}

static void chunks_free(struct arena_chunk *c)
{
    while (c) {
        struct arena_chunk *next = c->next;
        free(c);
        c = next;
    }
}

void *arena_copy(struct arena *a, const void *data, size_t len)
{
    void *p = arena_alloc(a, len ? len : 1);

    if (len)
        memcpy(p, data, len);
    return p;
}

void arena_clear(struct arena *a)
{
    chunks_free(a->chunk);
    *a = (struct arena)ARENA_INIT;
}

void arena_reset(struct arena *a)
{
    if (!a->chunk)
        return;
    chunks_free(a->chunk->next);
    a->chunk->next = NULL;
    a->used = 0;
    a->total = a->chunk->size;
}
