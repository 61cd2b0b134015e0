/* eviction.c - the choice of an inbound peer to disconnect. Called by the node's network glue when a connection finds no slot; pure.
 *
 * The candidates stand in an array. Each protection sorts it from the worst to the best by one trait and cuts protected ones off its end. */
#include "net/eviction.h"

#include <stdlib.h>
#include <string.h>

#define KEEP_BY_GROUP 4
#define KEEP_BY_PING 8
#define KEEP_BY_TX 4
#define KEEP_BLOCK_RELAY 8
#define KEEP_BY_BLOCK 4
#define KINDS 4

typedef int (*order_fn)(const void *, const void *);

/* Worse first: a negative result says that a is to go before b. */
static int ascending(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

static int worse_without(bool a, bool b)
{
    return (int)a - (int)b;
}

static int by_uptime(const void *va, const void *vb)
{
    const struct eviction_candidate *a = va, *b = vb;
    int d = ascending(b->connected, a->connected);
    return d ? d : ascending(b->id, a->id);
}

static int by_group(const void *va, const void *vb)
{
    const struct eviction_candidate *a = va, *b = vb;
    return a->net_group != b->net_group ? (a->net_group < b->net_group ? -1 : 1) : by_uptime(va, vb);
}

static int by_ping(const void *va, const void *vb)
{
    const struct eviction_candidate *a = va, *b = vb;
    int d = ascending(b->min_ping, a->min_ping);
    return d ? d : by_uptime(va, vb);
}

static int by_tx(const void *va, const void *vb)
{
    const struct eviction_candidate *a = va, *b = vb;
    int d = ascending(a->last_tx, b->last_tx);
    if (!d)
        d = worse_without(a->relays_txs, b->relays_txs);
    if (!d)
        d = worse_without(!a->bloom, !b->bloom);
    return d ? d : by_uptime(va, vb);
}

static int by_block(const void *va, const void *vb)
{
    const struct eviction_candidate *a = va, *b = vb;
    int d = ascending(a->last_block, b->last_block);
    if (!d)
        d = worse_without(a->services, b->services);
    return d ? d : by_uptime(va, vb);
}

static int by_block_without_txs(const void *va, const void *vb)
{
    const struct eviction_candidate *a = va, *b = vb;
    int d = worse_without(!a->relays_txs, !b->relays_txs);
    return d ? d : by_block(va, vb);
}

static bool block_relay_only(const struct eviction_candidate *c)
{
    return !c->relays_txs && c->services;
}

/* Sorts, then removes those of the best k that the test admits (NULL: all). Returns: how many are left. */
static size_t cut(struct eviction_candidate *c, size_t n, size_t k, order_fn order, bool (*test)(const struct eviction_candidate *))
{
    size_t left;

    qsort(c, n, sizeof(*c), order);
    left = n - (k < n ? k : n);
    for (size_t i = left; i < n; i++)
        if (test && !test(&c[i]))
            c[left++] = c[i];
    return left;
}

/* ---- networks that are slow by nature ---- */

struct kind {
    bool (*test)(const struct eviction_candidate *);
    size_t count;
};

static bool is_cjdns(const struct eviction_candidate *c)
{
    return c->network == NET_CJDNS;
}

static bool is_i2p(const struct eviction_candidate *c)
{
    return c->network == NET_I2P;
}

static bool is_local(const struct eviction_candidate *c)
{
    return c->local;
}

static bool is_onion(const struct eviction_candidate *c)
{
    return c->network == NET_ONION;
}

/* Removes up to k of a kind, those that are connected longest. */
static size_t cut_kind(struct eviction_candidate *c, size_t n, size_t k, const struct kind *kind)
{
    qsort(c, n, sizeof(*c), by_uptime);
    for (size_t i = n; i > 0 && k > 0; i--) {
        if (!kind->test(&c[i - 1]))
            continue;
        memmove(&c[i - 1], &c[i], (n - i) * sizeof(*c));
        n--;
        k--;
    }
    return n;
}

/* Kinds with few members first: what they do not need goes to the others. */
static void sort_kinds(struct kind *kinds)
{
    for (size_t i = 1; i < KINDS; i++) {
        for (size_t k = i; k > 0 && kinds[k].count < kinds[k - 1].count; k--) {
            struct kind t = kinds[k];
            kinds[k] = kinds[k - 1];
            kinds[k - 1] = t;
        }
    }
}

/* Removes at most max of the slow kinds, in equal shares as far as there are members. Returns: how many candidates are left. */
static size_t cut_slow_kinds(struct eviction_candidate *c, size_t n, size_t max)
{
    struct kind kinds[KINDS] = {{is_cjdns, 0}, {is_i2p, 0}, {is_local, 0}, {is_onion, 0}};
    size_t done = 0;

    for (size_t k = 0; k < KINDS; k++)
        for (size_t i = 0; i < n; i++)
            kinds[k].count += kinds[k].test(&c[i]);
    sort_kinds(kinds);
    while (done < max) {
        size_t present = 0, share, before = done;

        for (size_t k = 0; k < KINDS; k++)
            present += kinds[k].count > 0;
        if (!present)
            break;
        share = (max - done) / present ? (max - done) / present : 1;
        for (size_t k = 0; k < KINDS && done < max; k++) {
            size_t left = kinds[k].count ? cut_kind(c, n, share, &kinds[k]) : n;
            kinds[k].count -= n - left;
            done += n - left;
            n = left;
        }
        if (done == before) /* the members that were counted are gone as members of another kind */
            break;
    }
    return n;
}

size_t eviction_protect_by_ratio(struct eviction_candidate *c, size_t n)
{
    size_t protect = n / 2, left = cut_slow_kinds(c, n, protect / 2);
    return cut(c, left, protect - (n - left), by_uptime, NULL);
}

/* ---- the choice ---- */

static size_t only_preferred(struct eviction_candidate *c, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++)
        kept += c[i].prefer_evict;
    if (kept == 0)
        return n;
    kept = 0;
    for (size_t i = 0; i < n; i++)
        if (c[i].prefer_evict)
            c[kept++] = c[i];
    return kept;
}

/* The youngest member of the network group with most members; of groups of one size, of the one with the youngest. */
static int64_t youngest_of_largest_group(struct eviction_candidate *c, size_t n)
{
    const struct eviction_candidate *best = c;
    size_t best_size = 0;

    qsort(c, n, sizeof(*c), by_group); /* groups together, the youngest of each first */
    for (size_t i = 0, size; i < n; i += size) {
        for (size = 1; i + size < n && c[i + size].net_group == c[i].net_group;)
            size++;
        if (size > best_size || (size == best_size && by_uptime(&c[i], best) < 0)) {
            best = &c[i];
            best_size = size;
        }
    }
    return best->id;
}

bool eviction_choose(int64_t *id, struct eviction_candidate *c, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++)
        if (c[i].inbound && !c[i].noban)
            c[kept++] = c[i];
    n = cut(c, kept, KEEP_BY_GROUP, by_group, NULL);
    n = cut(c, n, KEEP_BY_PING, by_ping, NULL);
    n = cut(c, n, KEEP_BY_TX, by_tx, NULL);
    n = cut(c, n, KEEP_BLOCK_RELAY, by_block_without_txs, block_relay_only);
    n = cut(c, n, KEEP_BY_BLOCK, by_block, NULL);
    n = eviction_protect_by_ratio(c, n);
    if (n == 0)
        return false;
    n = only_preferred(c, n);
    *id = youngest_of_largest_group(c, n);
    return true;
}
