/* bans.c - what the user has banned (a sorted array) and who is discouraged (fingerprints in two generations). The node's loop owns it. */
#include "net/bans.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/random.h"
#include "util/time.h"

#define GENERATION 50000u

/* A set of 64-bit fingerprints, by open addressing; zero is an empty place. */
struct fingerprints {
    uint64_t *slots;
    size_t cap, n; /* cap: zero or a power of two, at least twice n */
};

struct bans {
    struct ban *list; /* ordered by subnet */
    size_t n, cap;
    uint64_t k0, k1;
    struct fingerprints now, before; /* when `now` is full it becomes `before` */
};

static size_t slot_of(const struct fingerprints *f, uint64_t v)
{
    size_t i = (size_t)v & (f->cap - 1);

    while (f->slots[i] && f->slots[i] != v)
        i = (i + 1) & (f->cap - 1);
    return i;
}

static bool fingerprints_have(const struct fingerprints *f, uint64_t v)
{
    return f->n && f->slots[slot_of(f, v)] == v;
}

static void fingerprints_add(struct fingerprints *f, uint64_t v)
{
    if (2 * (f->n + 1) > f->cap) {
        struct fingerprints bigger = {.cap = f->cap ? 2 * f->cap : 64, .n = f->n};
        bigger.slots = xcalloc(bigger.cap, sizeof(uint64_t));
        for (size_t i = 0; i < f->cap; i++)
            if (f->slots[i])
                bigger.slots[slot_of(&bigger, f->slots[i])] = f->slots[i];
        free(f->slots);
        *f = bigger;
    }
    f->slots[slot_of(f, v)] = v;
    f->n++;
}

struct bans *bans_new(void)
{
    struct bans *b = xcalloc(1, sizeof(*b));

    b->k0 = random_u64();
    b->k1 = random_u64();
    return b;
}

void bans_free(struct bans *b)
{
    if (!b)
        return;
    free(b->list);
    free(b->now.slots);
    free(b->before.slots);
    free(b);
}

/* Where the subnet stands, or would stand. */
static size_t find(const struct bans *b, const struct subnet *s, bool *found)
{
    size_t low = 0, high = b->n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (subnet_compare(&b->list[mid].subnet, s) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    *found = low < b->n && subnet_compare(&b->list[low].subnet, s) == 0;
    return low;
}

bool bans_add(struct bans *b, const struct ban *ban)
{
    bool found;
    size_t at = find(b, &ban->subnet, &found);

    if (found) {
        if (b->list[at].until >= ban->until)
            return false;
        b->list[at] = *ban;
        return true;
    }
    if (ban->until <= 0)
        return false;
    if (b->n == b->cap) {
        b->cap = b->cap ? 2 * b->cap : 8;
        b->list = xrealloc(b->list, b->cap * sizeof(*b->list));
    }
    memmove(b->list + at + 1, b->list + at, (b->n - at) * sizeof(*b->list));
    b->list[at] = *ban;
    b->n++;
    return true;
}

bool bans_remove(struct bans *b, const struct subnet *s)
{
    bool found;
    size_t at = find(b, s, &found);

    if (!found)
        return false;
    b->n--;
    memmove(b->list + at, b->list + at + 1, (b->n - at) * sizeof(*b->list));
    return true;
}

void bans_clear(struct bans *b)
{
    free(b->list);
    b->list = NULL;
    b->n = b->cap = 0;
}

bool bans_has_subnet(const struct bans *b, const struct subnet *s)
{
    bool found;
    size_t at = find(b, s, &found);

    return found && time_now() < b->list[at].until;
}

bool bans_has_addr(const struct bans *b, const struct net_addr *a)
{
    int64_t now = time_now();

    if (!net_addr_is_valid(a))
        return false;
    for (size_t i = 0; i < b->n; i++)
        if (now < b->list[i].until && subnet_contains(&b->list[i].subnet, a))
            return true;
    return false;
}

size_t bans_sweep(struct bans *b)
{
    int64_t now = time_now();
    size_t kept = 0, ended;
    char text[SUBNET_TEXT];

    for (size_t i = 0; i < b->n; i++) {
        if (now <= b->list[i].until) {
            b->list[kept++] = b->list[i];
            continue;
        }
        subnet_text(text, &b->list[i].subnet);
        log_debug(LOG_NET, "Removed banned node address/subnet: %s", text);
    }
    ended = b->n - kept;
    b->n = kept;
    return ended;
}

size_t bans_list(struct bans *b, struct ban **out)
{
    bans_sweep(b);
    *out = b->n ? xmemdup(b->list, b->n * sizeof(*b->list)) : xmalloc(0);
    return b->n;
}

static uint64_t fingerprint(const struct bans *b, const struct net_addr *a)
{
    uint8_t bytes[33];
    uint64_t v;

    bytes[0] = (uint8_t)a->network;
    memcpy(bytes + 1, a->ip, 32);
    v = siphash(b->k0, b->k1, bytes, sizeof(bytes));
    return v ? v : 1;
}

void bans_discourage(struct bans *b, const struct net_addr *a)
{
    uint64_t v = fingerprint(b, a);

    if (fingerprints_have(&b->now, v))
        return;
    if (b->now.n == GENERATION) {
        free(b->before.slots);
        b->before = b->now;
        memset(&b->now, 0, sizeof(b->now));
    }
    fingerprints_add(&b->now, v);
}

bool bans_is_discouraged(const struct bans *b, const struct net_addr *a)
{
    uint64_t v = fingerprint(b, a);

    return fingerprints_have(&b->now, v) || fingerprints_have(&b->before, v);
}
