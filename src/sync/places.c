/* places.c - the table of places.h: open addressing, in which a slot alone tells where it belongs. Used by relay.c; loop thread. */
#include "sync/places.h"

#include <stdbool.h>
#include <stdlib.h>

#include "util/assert.h"
#include "util/mem.h"

#define FEW_SLOTS 64

void places_clear(struct places *p)
{
    free(p->slot);
    *p = (struct places){0};
}

static size_t home_of(const struct places *p, uint32_t hash)
{
    return (size_t)(((uint64_t)hash * p->cap) >> 32);
}

static size_t next_of(const struct places *p, size_t i)
{
    return i + 1 == p->cap ? 0 : i + 1;
}

static void put(struct places *p, struct place_slot s)
{
    size_t i = home_of(p, s.hash);

    while (p->slot[i].place)
        i = next_of(p, i);
    p->slot[i] = s;
}

static void resize(struct places *p, size_t cap)
{
    struct places bigger = {.slot = xcalloc(cap, sizeof(*bigger.slot)), .n = p->n, .cap = cap};

    for (size_t i = 0; i < p->cap; i++) {
        if (p->slot[i].place)
            put(&bigger, p->slot[i]);
    }
    free(p->slot);
    *p = bigger;
}

void places_add(struct places *p, uint32_t hash, uint32_t place)
{
    if ((p->n + 1) * 8 > p->cap * 7) /* a table has little more than it needs, as it is many bytes */
        resize(p, p->n + p->n / 2 + FEW_SLOTS);
    put(p, (struct place_slot){hash, place + 1});
    p->n++;
}

static size_t find(const struct places *p, uint32_t hash, uint32_t place)
{
    size_t i = home_of(p, hash);

    while (p->slot[i].hash != hash || p->slot[i].place != place + 1) {
        ASSERT(p->slot[i].place);
        i = next_of(p, i);
    }
    return i;
}

void places_move(struct places *p, uint32_t hash, uint32_t from, uint32_t to)
{
    p->slot[find(p, hash, from)].place = to + 1;
}

/* Is home, going round, not between the hole and i? Then what stands at i may stand in the hole. */
static bool may_fill(size_t hole, size_t i, size_t home)
{
    return hole <= i ? home <= hole || home > i : home <= hole && home > i;
}

void places_remove(struct places *p, uint32_t hash, uint32_t place)
{
    size_t hole = find(p, hash, place);

    for (size_t i = next_of(p, hole); p->slot[i].place; i = next_of(p, i)) {
        if (!may_fill(hole, i, home_of(p, p->slot[i].hash)))
            continue;
        p->slot[hole] = p->slot[i];
        hole = i;
    }
    p->slot[hole].place = 0;
    p->n--;
    if (p->cap > 4 * FEW_SLOTS && p->n * 8 < p->cap)
        resize(p, p->n * 2 + FEW_SLOTS);
}

uint32_t places_next(const struct places *p, uint32_t hash, size_t *cursor)
{
    size_t i;

    if (p->cap == 0)
        return PLACES_END;
    for (i = *cursor == SIZE_MAX ? home_of(p, hash) : next_of(p, *cursor); p->slot[i].place; i = next_of(p, i)) {
        if (p->slot[i].hash != hash)
            continue;
        *cursor = i;
        return p->slot[i].place - 1;
    }
    return PLACES_END;
}
