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

static uint64_t digest(const struct recent *r, const uint8_t hash[32])
{
    uint64_t d = siphash_hash(r->k0, r->k1, hash);
    return d ? d : 1;
}

static bool find(const uint64_t *slots, size_t cap, uint64_t d)
{
    if (!cap)
        return false;
    for (size_t i = (size_t)d & (cap - 1); slots[i]; i = (i + 1) & (cap - 1))
        if (slots[i] == d)
            return true;
    return false;
}

static void place(uint64_t *slots, size_t cap, uint64_t d)
{
    size_t i = (size_t)d & (cap - 1);
    while (slots[i])
        i = (i + 1) & (cap - 1);
    slots[i] = d;
}

static void grow(struct recent *r)
{
    size_t cap = r->cap[0] ? r->cap[0] * 2 : FIRST_CAP;
    uint64_t *slots = xcalloc(cap, sizeof(*slots));

    for (size_t i = 0; i < r->cap[0]; i++)
        if (r->slots[0][i])
            place(slots, cap, r->slots[0][i]);
    free(r->slots[0]);
    r->slots[0] = slots;
    r->cap[0] = cap;
}

static void add(struct recent *r, uint64_t d)
{
    if (find(r->slots[0], r->cap[0], d))
        return;
    if (r->n[0] == r->limit) {
        free(r->slots[1]);
        r->slots[1] = r->slots[0];
        r->cap[1] = r->cap[0];
        r->n[1] = r->n[0];
        r->slots[0] = NULL;
        r->cap[0] = r->n[0] = 0;
    }
    if (r->n[0] * 2 >= r->cap[0])
        grow(r);
    place(r->slots[0], r->cap[0], d);
    r->n[0]++;
}

static bool has(const struct recent *r, uint64_t d)
{
    return find(r->slots[0], r->cap[0], d) || find(r->slots[1], r->cap[1], d);
}

void recent_add(struct recent *r, const uint8_t hash[32])
{
    add(r, digest(r, hash));
}

bool recent_has(const struct recent *r, const uint8_t hash[32])
{
    return has(r, digest(r, hash));
}

static uint64_t digest_bytes(const struct recent *r, const void *data, size_t len)
{
    uint64_t d = siphash(r->k0, r->k1, data, len);
    return d ? d : 1;
}

void recent_add_bytes(struct recent *r, const void *data, size_t len)
{
    add(r, digest_bytes(r, data, len));
}

bool recent_has_bytes(const struct recent *r, const void *data, size_t len)
{
    return has(r, digest_bytes(r, data, len));
}
