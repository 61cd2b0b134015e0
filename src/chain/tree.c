/* tree.c - the table of all known headers: entries in slabs, found by an open-addressing table on the hash's own bytes. Entries
 * are never removed. Written by the validation thread under the chain's write lock. */
#include "chain/internal.h"

#include <stdlib.h>

#include "util/mem.h"
#include "util/random.h"

#define SLOTS_MIN 512u

void tree_init(struct tree *t)
{
    *t = (struct tree){.mask = SLOTS_MIN - 1};
    t->slots = xcalloc(SLOTS_MIN, sizeof(struct block_entry *));
    random_bytes(&t->salt, sizeof(t->salt));
}

void tree_clear(struct tree *t)
{
    for (size_t i = 0; i < t->n_slabs; i++)
        free(t->slabs[i]);
    free(t->slabs);
    free(t->slots);
    *t = (struct tree){0};
}

/* A header's hash costs work, but its low bytes are free to choose: the salted product keeps clusters from being made. */
static size_t home(const struct tree *t, const struct block_hash *hash)
{
    uint64_t v = get_le64(hash->b) ^ t->salt;

    v *= 0x9e3779b97f4a7c15u ^ t->salt << 1;
    return (size_t)(v >> 20);
}

static size_t find_slot(const struct tree *t, const struct block_hash *hash)
{
    size_t i = home(t, hash) & t->mask;

    while (t->slots[i] && !block_hash_equal(&t->slots[i]->node.hash, hash))
        i = (i + 1) & t->mask;
    return i;
}

struct block_entry *tree_find(const struct tree *t, const struct block_hash *hash)
{
    return t->slots[find_slot(t, hash)];
}

static void grow(struct tree *t)
{
    struct block_entry **old = t->slots;
    size_t n = t->mask + 1;

    t->mask = n * 2 - 1;
    t->slots = xcalloc(n * 2, sizeof(struct block_entry *));
    for (size_t i = 0; i < n; i++)
        if (old[i])
            t->slots[find_slot(t, &old[i]->node.hash)] = old[i];
    free(old);
}

struct block_entry *tree_add(struct tree *t, const struct block_hash *hash)
{
    struct block_entry *e;

    if ((t->count + 1) * 3 > (t->mask + 1) * 2)
        grow(t);
    if (t->count == t->n_slabs * ENTRIES_PER_SLAB) {
        t->slabs = xrealloc(t->slabs, (t->n_slabs + 1) * sizeof(*t->slabs));
        t->slabs[t->n_slabs++] = xcalloc(ENTRIES_PER_SLAB, sizeof(struct block_entry));
    }
    e = tree_entry(t, t->count++);
    e->node.hash = *hash;
    t->slots[find_slot(t, hash)] = e;
    return e;
}
