/* candidates.c - small sets of entries: possible tips in order of preference, blocks that wait for an ancestor's data, and
 * plain lists. Validation thread. */
#include "chain/internal.h"

#include <stdlib.h>

#include "util/mem.h"

bool entry_worse(const struct block_entry *a, const struct block_entry *b)
{
    int r = u256_cmp(a->node.chain_work, b->node.chain_work);

    if (r)
        return r < 0;
    if (a->sequence_id != b->sequence_id)
        return a->sequence_id > b->sequence_id;
    return memcmp(a->node.hash.b, b->node.hash.b, 32) > 0;
}

/* The first place whose entry is not worse than e. */
static size_t lower_bound(const struct candidates *s, const struct block_entry *e)
{
    size_t lo = s->first, hi = s->n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (entry_worse(s->e[mid], e))
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

bool candidates_has(const struct candidates *s, const struct block_entry *e)
{
    size_t i = lower_bound(s, e);

    return i < s->n && s->e[i] == e;
}

void candidates_insert(struct candidates *s, struct block_entry *e)
{
    size_t i = lower_bound(s, e);

    if (i < s->n && s->e[i] == e)
        return;
    if (s->n == s->cap) {
        if (s->first > s->cap / 2) {
            memmove(s->e, s->e + s->first, (s->n - s->first) * sizeof(*s->e));
            i -= s->first;
            s->n -= s->first;
            s->first = 0;
        } else {
            s->cap = s->cap ? s->cap * 2 : 64;
            s->e = xrealloc(s->e, s->cap * sizeof(*s->e));
        }
    }
    memmove(s->e + i + 1, s->e + i, (s->n - i) * sizeof(*s->e));
    s->e[i] = e;
    s->n++;
}

void candidates_erase(struct candidates *s, const struct block_entry *e)
{
    size_t i = lower_bound(s, e);

    if (i >= s->n || s->e[i] != e)
        return;
    memmove(s->e + i, s->e + i + 1, (s->n - i - 1) * sizeof(*s->e));
    s->n--;
}

struct block_entry *candidates_best(const struct candidates *s)
{
    return s->n > s->first ? s->e[s->n - 1] : NULL;
}

void candidates_prune(struct candidates *s, const struct block_entry *e)
{
    while (s->first < s->n && entry_worse(s->e[s->first], e))
        s->first++;
}

void entry_list_add(struct entry_list *l, struct block_entry *e)
{
    if (l->n == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 64;
        l->e = xrealloc(l->e, l->cap * sizeof(*l->e));
    }
    l->e[l->n++] = e;
}

/* ---- blocks without a complete branch, by parent; siblings in the order of their arrival, as the first of equals wins ---- */

static size_t parent_home(const struct unlinked *u, const void *parent)
{
    return (size_t)(((uintptr_t)parent >> 4) * 0x9e3779b97f4a7c15u >> 16) & u->mask;
}

void unlinked_init(struct unlinked *u)
{
    *u = (struct unlinked){.mask = 63};
    u->slots = xcalloc(u->mask + 1, sizeof(struct block_entry *));
}

static void unlinked_put(struct unlinked *u, struct block_entry *e)
{
    size_t i = parent_home(u, e->node.prev);

    while (u->slots[i])
        i = (i + 1) & u->mask;
    u->slots[i] = e;
}

bool unlinked_has(const struct unlinked *u, const struct block_entry *e)
{
    for (size_t i = parent_home(u, e->node.prev); u->slots[i]; i = (i + 1) & u->mask)
        if (u->slots[i] == e)
            return true;
    return false;
}

void unlinked_add(struct unlinked *u, struct block_entry *e)
{
    if (unlinked_has(u, e))
        return;
    if ((u->count + 1) * 2 > u->mask) {
        struct block_entry **old = u->slots;
        size_t n = u->mask + 1, start = 0;

        u->mask = n * 2 - 1;
        u->slots = xcalloc(n * 2, sizeof(struct block_entry *));
        /* From a gap on, so that children of one parent, which stand in the order of their arrival, stay in it. */
        while (old[start])
            start++;
        for (size_t i = 0; i < n; i++)
            if (old[(start + i) & (n - 1)])
                unlinked_put(u, old[(start + i) & (n - 1)]);
        free(old);
    }
    unlinked_put(u, e);
    u->count++;
}

static void remove_at(struct unlinked *u, size_t hole)
{
    u->count--;
    for (size_t i = (hole + 1) & u->mask; u->slots[i]; i = (i + 1) & u->mask) {
        size_t h = parent_home(u, u->slots[i]->node.prev);

        if (((i - h) & u->mask) >= ((i - hole) & u->mask)) {
            u->slots[hole] = u->slots[i];
            hole = i;
        }
    }
    u->slots[hole] = NULL;
}

struct block_entry *unlinked_take(struct unlinked *u, const struct block_entry *parent)
{
    for (size_t i = parent_home(u, &parent->node); u->slots[i]; i = (i + 1) & u->mask) {
        struct block_entry *e = u->slots[i];

        if (e->node.prev != &parent->node)
            continue;
        remove_at(u, i);
        return e;
    }
    return NULL;
}

void unlinked_erase(struct unlinked *u, const struct block_entry *e)
{
    for (size_t i = parent_home(u, e->node.prev); u->slots[i]; i = (i + 1) & u->mask) {
        if (u->slots[i] != e)
            continue;
        remove_at(u, i);
        return;
    }
}
