/* recent.c - see recent.h. Used by relay and addr (what a peer knows) and by transaction requests (rejected, confirmed). */
#include "sync/recent.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "util/mem.h"
#include "util/random.h"

#define FIRST_CAP 64

void recent_init(struct recent *r, size_t limit)
{
    memset(r, 0, sizeof(*r));
    r->k0 = random_u64();
    r->k1 = random_u64();
    r->limit = limit;
}

void recent_init_small(struct recent *r, size_t limit)
{
    recent_init(r, limit);
    r->small = true;
}

void recent_clear(struct recent *r)
{
    for (int g = 0; g < 2; g++) {
        free(r->slots[g]);
        r->slots[g] = NULL;
        r->n[g] = r->cap[g] = 0;
    }
}

void recent_reset(struct recent *r)
{
    recent_clear(r);
}

static size_t slot_size(const struct recent *r)
{
    return r->small ? sizeof(uint32_t) : sizeof(uint64_t);
}

size_t recent_memory(const struct recent *r)
{
    return (r->cap[0] + r->cap[1]) * slot_size(r);
}

/* A digest that is kept is never 0. */
static uint64_t kept(const struct recent *r, uint64_t digest)
{
    if (r->small)
        digest &= UINT32_MAX;
    return digest ? digest : 1;
}

static uint64_t slot(const struct recent *r, const void *slots, size_t i)
{
    return r->small ? ((const uint32_t *)slots)[i] : ((const uint64_t *)slots)[i];
}

/* Where d stands, or the free place where it would. */
static size_t seek(const struct recent *r, const void *slots, size_t cap, uint64_t d)
{
    size_t i = (size_t)d & (cap - 1);
    uint64_t v;

    while ((v = slot(r, slots, i)) && v != d)
        i = (i + 1) & (cap - 1);
    return i;
}

static bool find(const struct recent *r, int g, uint64_t d)
{
    return r->cap[g] && slot(r, r->slots[g], seek(r, r->slots[g], r->cap[g], d)) == d;
}

static void place(const struct recent *r, void *slots, size_t cap, uint64_t d)
{
    size_t i = seek(r, slots, cap, d);

    if (r->small)
        ((uint32_t *)slots)[i] = (uint32_t)d;
    else
        ((uint64_t *)slots)[i] = d;
}

static void grow(struct recent *r)
{
    size_t cap = r->cap[0] ? r->cap[0] * 2 : FIRST_CAP;
    void *slots = xcalloc(cap, slot_size(r));

    for (size_t i = 0; i < r->cap[0]; i++)
        if (slot(r, r->slots[0], i))
            place(r, slots, cap, slot(r, r->slots[0], i));
    free(r->slots[0]);
    r->slots[0] = slots;
    r->cap[0] = cap;
}

static void add(struct recent *r, uint64_t d)
{
    if (find(r, 0, d))
        return;
    if (r->n[0] == r->limit) {
        free(r->slots[1]);
        r->slots[1] = r->slots[0];
        r->cap[1] = r->cap[0];
        r->n[1] = r->n[0];
        r->slots[0] = NULL;
        r->cap[0] = r->n[0] = 0;
    }
    if (r->n[0] * 4 >= r->cap[0] * 3)
        grow(r);
    place(r, r->slots[0], r->cap[0], d);
    r->n[0]++;
}

static uint64_t digest(const struct recent *r, const uint8_t hash[32])
{
    return kept(r, siphash_hash(r->k0, r->k1, hash));
}

static uint64_t digest_bytes(const struct recent *r, const void *data, size_t len)
{
    return kept(r, siphash(r->k0, r->k1, data, len));
}

static bool has(const struct recent *r, uint64_t d)
{
    return find(r, 0, d) || find(r, 1, d);
}

void recent_add(struct recent *r, const uint8_t hash[32])
{
    add(r, digest(r, hash));
}

bool recent_has(const struct recent *r, const uint8_t hash[32])
{
    return has(r, digest(r, hash));
}

void recent_add_bytes(struct recent *r, const void *data, size_t len)
{
    add(r, digest_bytes(r, data, len));
}

bool recent_has_bytes(const struct recent *r, const void *data, size_t len)
{
    return has(r, digest_bytes(r, data, len));
}
