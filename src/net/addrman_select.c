/* addrman_select.c - what the address manager gives out: addresses to connect to, samples for others, collisions to test, statistics. */
#include <stdlib.h>
#include <string.h>

#include "net/addrman_priv.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/time.h"

#define REPLACEMENT (4 * 3600) /* a tried address that answered within this time stays */
#define TEST_WINDOW (40 * 60)  /* so long we try to test who stands in the way */
#define TEST_ANSWER_SECONDS 60 /* to let the test end */

static void log_replacing(const char *fmt_begin, const struct record *old, const struct record *fresh, const char *fmt_end)
{
    struct net_addr old_addr = record_addr(old), addr = record_addr(fresh);
    char old_text[NET_ADDR_TEXT], text[NET_ADDR_TEXT];

    net_addr_text(old_text, &old_addr);
    net_addr_text(text, &addr);
    log_debug(LOG_ADDRMAN, "%s %s with %s in tried table%s", fmt_begin, old_text, text, fmt_end);
}

/* Settles one collision. Returns: true if it is over. */
static bool resolve(struct addrman *a, int32_t id, int64_t now)
{
    const struct record *r = &a->records[id], *old;
    struct place p = record_place_tried(a, r);
    struct net_addr addr = record_addr(r);
    int32_t old_id = a->tried[p.bucket][p.position];

    if (r->tried)
        return true;
    if (old_id != NO_RECORD) {
        old = &a->records[old_id];
        if (now - old->last_success < REPLACEMENT)
            return true;
        if (now - old->last_try < REPLACEMENT) {
            if (now - old->last_try <= TEST_ANSWER_SECONDS)
                return false;
            log_replacing("Replacing", old, r, "");
        } else if (now - r->last_success > TEST_WINDOW) {
            log_replacing("Unable to test; replacing", old, r, " anyway");
        } else {
            return false;
        }
    }
    addrman_make_good(a, &addr, false, now);
    return true;
}

void addrman_resolve_collisions(struct addrman *a)
{
    int32_t ids[MAX_COLLISIONS];
    size_t n = a->n_collisions;
    int64_t now = time_now();

    addrman_maybe_check(a);
    memcpy(ids, a->collisions, n * sizeof(ids[0]));
    for (size_t i = 0; i < n; i++) {
        size_t at = 0;
        /* Settling an earlier one may have pushed this one out of the tables. */
        while (at < a->n_collisions && a->collisions[at] != ids[i])
            at++;
        if (at == a->n_collisions || !resolve(a, ids[i], now))
            continue;
        for (at = 0; at < a->n_collisions; at++)
            if (a->collisions[at] == ids[i])
                a->collisions[at--] = a->collisions[--a->n_collisions];
    }
    addrman_maybe_check(a);
}

bool addrman_select_collision(struct addrman *a, struct addr_entry *out, int64_t *last_try)
{
    struct place p;
    int32_t old;

    addrman_maybe_check(a);
    if (a->n_collisions == 0)
        return false;
    addrman_stir(a);
    p = record_place_tried(a, &a->records[a->collisions[rng_below(&a->rng, a->n_collisions)]]);
    old = a->tried[p.bucket][p.position];
    if (old == NO_RECORD)
        return false;
    *out = record_entry(&a->records[old]);
    *last_try = a->records[old].last_try;
    return true;
}

/* The next record of a bucket that is of one of the networks, from a random position on. */
static int32_t pick_in_bucket(struct addrman *a, bool tried, unsigned networks)
{
    size_t bucket = rng_below(&a->rng, tried ? TRIED_BUCKETS : NEW_BUCKETS);
    const int32_t *places = tried ? a->tried[bucket] : a->fresh[bucket];
    size_t start = rng_below(&a->rng, BUCKET_SIZE);

    for (size_t i = 0; i < BUCKET_SIZE; i++) {
        int32_t id = places[(start + i) % BUCKET_SIZE];
        if (id != NO_RECORD && (!networks || networks & ADDRMAN_NETWORK(record_network(&a->records[id]))))
            return id;
    }
    return NO_RECORD;
}

/* Which table to search. Returns: false if there is nothing to be found. */
static bool pick_table(struct addrman *a, bool new_only, unsigned networks, bool *tried)
{
    size_t n_new = a->n_new, n_tried = a->n_tried;

    if (networks) {
        n_new = n_tried = 0;
        for (unsigned i = 0; i < NETWORKS; i++) {
            if (networks & ADDRMAN_NETWORK(i)) {
                n_new += a->counts[i][0];
                n_tried += a->counts[i][1];
            }
        }
    }
    if (new_only)
        n_tried = 0;
    if (n_new + n_tried == 0)
        return false;
    *tried = n_new == 0 || (n_tried != 0 && rng_below(&a->rng, 2));
    return true;
}

bool addrman_select(struct addrman *a, bool new_only, unsigned networks, struct addr_entry *out, int64_t *last_try)
{
    const struct record *r = NULL;
    double factor = 1.0;
    int64_t now = time_now();
    bool tried;
    char text[NET_ADDR_TEXT];

    addrman_maybe_check(a);
    addrman_stir(a);
    if (!pick_table(a, new_only, networks, &tried))
        return false;
    while (!r) { /* ends: each record met raises the chance of the next */
        int32_t id = pick_in_bucket(a, tried, networks);
        if (id == NO_RECORD)
            continue;
        if ((double)rng_below(&a->rng, 1u << 30) < factor * record_chance(&a->records[id], now) * (1u << 30))
            r = &a->records[id];
        factor *= 1.2;
    }
    *out = record_entry(r);
    *last_try = r->last_try;
    net_addr_text(text, &out->addr);
    log_debug(LOG_ADDRMAN, "Selected %s from %s", text, tried ? "tried" : "new");
    return true;
}

size_t addrman_sample(struct addrman *a, struct addr_entry **out, size_t max, size_t pct, enum net_network network, bool filtered)
{
    size_t limit = a->n, n = 0;
    int64_t now = time_now();

    addrman_maybe_check(a);
    addrman_stir(a);
    if (pct && pct < 100)
        limit = pct * a->n / 100;
    if (max && max < limit)
        limit = max;
    *out = xmalloc(limit * sizeof(**out));
    for (size_t i = 0; i < a->n && n < limit; i++) {
        const struct record *r;
        struct net_addr addr;
        addrman_swap(a, i, i + (size_t)rng_below(&a->rng, a->n - i));
        r = &a->records[a->order[i]];
        addr = record_addr(r);
        if (network != NET_UNKNOWN && net_addr_class(&addr) != network)
            continue;
        if (filtered && record_is_terrible(r, now))
            continue;
        (*out)[n++] = record_entry(r);
    }
    log_debug(LOG_ADDRMAN, "GetAddr returned %zu random addresses", n);
    addrman_maybe_check(a);
    return n;
}

size_t addrman_count(const struct addrman *a, enum net_network network, enum addrman_table table)
{
    size_t n = 0;

    if (table & ADDRMAN_NEW)
        n += network == NET_UNKNOWN ? a->n_new : a->counts[network][0];
    if (table & ADDRMAN_TRIED)
        n += network == NET_UNKNOWN ? a->n_tried : a->counts[network][1];
    return n;
}

/* Appends the occupied places of one table. */
static size_t collect_places(const struct addrman *a, struct addrman_place *out, size_t n, bool tried)
{
    int buckets = tried ? TRIED_BUCKETS : NEW_BUCKETS;

    for (int bucket = 0; bucket < buckets; bucket++) {
        for (int position = 0; position < BUCKET_SIZE; position++) {
            int32_t id = tried ? a->tried[bucket][position] : a->fresh[bucket][position];
            if (id == NO_RECORD)
                continue;
            out[n].entry = record_entry(&a->records[id]);
            out[n].source = record_source(a, &a->records[id]);
            out[n].tried = tried;
            out[n].bucket = bucket;
            out[n++].position = position;
        }
    }
    return n;
}

size_t addrman_places(const struct addrman *a, struct addrman_place **out, enum addrman_table table)
{
    size_t room = 0, n = 0;

    for (size_t i = 0; i < a->n; i++)
        room += a->records[a->order[i]].tried ? 1 : a->records[a->order[i]].refs;
    *out = xmalloc(room * sizeof(**out));
    if (table & ADDRMAN_NEW)
        n = collect_places(a, *out, n, false);
    if (table & ADDRMAN_TRIED)
        n = collect_places(a, *out, n, true);
    return n;
}
