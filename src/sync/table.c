/* table.c - the hash table of table.h. Any thread, one at a time. */
#include "sync/table.h"

#include <stdlib.h>

#include "util/assert.h"
#include "util/mem.h"

#define MIN_SLOTS 16

void table_clear(struct table *t)
{
    free(t->slots);
    *t = (struct table){0};
}

static void link_in(struct table *t, struct table_link *l)
{
    struct table_link **slot = &t->slots[l->digest & (t->cap - 1)];

    l->next = *slot;
    l->at = slot;
    if (l->next)
        l->next->at = &l->next;
    *slot = l;
}

static void resize(struct table *t, size_t cap)
{
    struct table_link **old = t->slots, *l, *next;
    size_t n = t->cap;

    t->slots = xcalloc(cap, sizeof(*t->slots));
    t->cap = cap;
    for (size_t i = 0; i < n; i++) {
        for (l = old[i]; l; l = next) {
            next = l->next;
            link_in(t, l);
        }
    }
    free(old);
}

void table_add(struct table *t, struct table_link *l, uint64_t digest)
{
    if (t->n >= t->cap)
        resize(t, t->cap ? t->cap * 2 : MIN_SLOTS);
    l->digest = digest;
    link_in(t, l);
    t->n++;
}

void table_remove(struct table *t, struct table_link *l)
{
    ASSERT(t->n > 0);
    *l->at = l->next;
    if (l->next)
        l->next->at = l->at;
    t->n--;
    if (t->cap > MIN_SLOTS && t->n * 8 < t->cap)
        resize(t, t->cap / 2);
}

static struct table_link *skip_others(struct table_link *l, uint64_t digest)
{
    while (l && l->digest != digest)
        l = l->next;
    return l;
}

struct table_link *table_first(const struct table *t, uint64_t digest)
{
    return t->cap ? skip_others(t->slots[digest & (t->cap - 1)], digest) : NULL;
}

struct table_link *table_next(const struct table_link *l)
{
    return skip_others(l->next, l->digest);
}
