/* addrman.c - the tables of the address manager: records, the new and the tried table, what moves addresses between them. Called by the node
 * and by its siblings addrman_*.c, on one thread (the node: loop). */
#include "net/addrman.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "net/addrman_priv.h"
#include "util/assert.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/time.h"

#define MIN_HEADS 1024

struct addrman *addrman_new(const struct netgroup *groups, bool deterministic, unsigned check_ratio)
{
    struct addrman *a = xcalloc(1, sizeof(*a));

    a->groups = groups;
    a->check_ratio = check_ratio;
    a->deterministic = deterministic;
    a->k0 = random_u64();
    a->k1 = random_u64();
    if (deterministic) {
        rng_init_seed(&a->rng, 0);
        a->key[0] = 1;
    } else {
        rng_init(&a->rng);
        random_bytes(a->key, sizeof(a->key));
    }
    a->free_record = NO_RECORD;
    a->sources.free = NO_RECORD;
    a->n_heads = MIN_HEADS;
    a->heads = xmalloc(a->n_heads * sizeof(*a->heads));
    memset(a->heads, 0xff, a->n_heads * sizeof(*a->heads));
    memset(a->fresh, 0xff, sizeof(a->fresh));
    memset(a->tried, 0xff, sizeof(a->tried));
    a->last_good = 1;
    return a;
}

void addrman_free(struct addrman *a)
{
    if (!a)
        return;
    crypto_wipe(a->key, sizeof(a->key));
    free(a->records);
    free(a->sources.v);
    free(a->sources.heads);
    free(a->heads);
    free(a->order);
    free(a);
}

void addrman_stir(struct addrman *a)
{
    if (!a->deterministic)
        rng_init(&a->rng);
}

void addrman_maybe_check(struct addrman *a)
{
    int problem;

    if (a->check_ratio == 0 || rng_below(&a->rng, a->check_ratio) != 0)
        return;
    problem = addrman_check(a);
    if (problem)
        log_error("ADDRMAN CONSISTENCY CHECK FAILED!!! err=%d", problem);
    ASSERT(problem == 0);
}

/* --- Records and their hash table ---------------------------------------------------------------------------------------------------- */

static int32_t *head_of(const struct addrman *a, uint8_t network, const uint8_t ip[32], uint16_t port)
{
    uint8_t buf[35];

    buf[0] = network;
    memcpy(buf + 1, ip, 32);
    buf[33] = (uint8_t)(port >> 8);
    buf[34] = (uint8_t)port;
    return &a->heads[siphash(a->k0, a->k1, buf, sizeof(buf)) & (a->n_heads - 1)];
}

int32_t addrman_find(const struct addrman *a, const struct net_addr *addr)
{
    int32_t id = *head_of(a, (uint8_t)addr->network, addr->ip, addr->port);

    for (; id != NO_RECORD; id = a->records[id].next) {
        const struct record *r = &a->records[id];
        if (r->port == addr->port && r->network == addr->network && memcmp(r->ip, addr->ip, sizeof(r->ip)) == 0)
            break;
    }
    return id;
}

static void link_record(struct addrman *a, int32_t id)
{
    struct record *r = &a->records[id];
    int32_t *head = head_of(a, r->network, r->ip, r->port);

    r->next = *head;
    *head = id;
}

/* A record that was never linked is not found, which is fine. */
static void unlink_record(struct addrman *a, int32_t id)
{
    const struct record *r = &a->records[id];
    int32_t *at = head_of(a, r->network, r->ip, r->port);

    while (*at != NO_RECORD && *at != id)
        at = &a->records[*at].next;
    if (*at == id)
        *at = r->next;
}

static void grow_heads(struct addrman *a)
{
    int32_t *old = a->heads;
    size_t n_old = a->n_heads;

    a->n_heads *= 2;
    a->heads = xmalloc(a->n_heads * sizeof(*a->heads));
    memset(a->heads, 0xff, a->n_heads * sizeof(*a->heads));
    for (size_t i = 0; i < n_old; i++) {
        int32_t next;
        for (int32_t id = old[i]; id != NO_RECORD; id = next) {
            next = a->records[id].next;
            link_record(a, id);
        }
    }
    free(old);
}

static int32_t take_record(struct addrman *a)
{
    int32_t id = a->free_record;

    if (id != NO_RECORD) {
        a->free_record = a->records[id].next;
        return id;
    }
    if (a->n_records == a->cap_records) {
        a->cap_records = a->cap_records ? a->cap_records + a->cap_records / 2 : 64;
        a->records = xrealloc(a->records, a->cap_records * sizeof(*a->records));
    }
    return (int32_t)a->n_records++;
}

int32_t addrman_create(struct addrman *a, const struct net_addr *addr, const struct net_addr *source, bool linked)
{
    int32_t id = take_record(a);
    struct record *r = &a->records[id];

    memset(r, 0, sizeof(*r));
    record_set_addr(r, addr);
    r->source = addrman_source_take(a, source);
    r->next = NO_RECORD;
    if (a->n == a->cap_order) {
        a->cap_order = a->cap_order ? a->cap_order + a->cap_order / 2 : 64;
        a->order = xrealloc(a->order, a->cap_order * sizeof(*a->order));
    }
    r->shuffle = (uint32_t)a->n;
    a->order[a->n++] = id;
    if (a->n > a->n_heads)
        grow_heads(a);
    if (linked)
        link_record(a, id);
    return id;
}

void addrman_swap(struct addrman *a, size_t i, size_t j)
{
    int32_t at_i = a->order[i], at_j = a->order[j];

    a->order[i] = at_j;
    a->order[j] = at_i;
    a->records[at_i].shuffle = (uint32_t)j;
    a->records[at_j].shuffle = (uint32_t)i;
}

static void forget_collision(struct addrman *a, int32_t id)
{
    for (size_t i = 0; i < a->n_collisions; i++)
        if (a->collisions[i] == id)
            a->collisions[i--] = a->collisions[--a->n_collisions];
}

void addrman_delete(struct addrman *a, int32_t id)
{
    struct record *r = &a->records[id];

    ASSERT(!r->tried && r->refs == 0);
    unlink_record(a, id);
    forget_collision(a, id);
    addrman_source_drop(a, r->source);
    addrman_swap(a, r->shuffle, a->n - 1);
    a->n--;
    r->network = NET_UNKNOWN;
    r->next = a->free_record;
    a->free_record = id;
}

static void text_of(char out[NET_ADDR_TEXT], const struct record *r)
{
    struct net_addr addr = record_addr(r);

    net_addr_text(out, &addr);
}

/* " mapped to AS1000", or nothing. */
static const char *mapped_text(char out[32], const struct addrman *a, const struct net_addr *addr)
{
    uint32_t asn = netgroup_asn(a->groups, addr);

    out[0] = 0;
    if (asn)
        snprintf(out, 32, " mapped to AS%" PRIu32, asn);
    return out;
}

/* --- The new table ------------------------------------------------------------------------------------------------------------------- */

static void count_new(struct addrman *a, const struct record *r, int change)
{
    a->n_new += (size_t)change;
    a->counts[record_network(r)][0] += (size_t)change;
}

static void count_tried(struct addrman *a, const struct record *r, int change)
{
    a->n_tried += (size_t)change;
    a->counts[record_network(r)][1] += (size_t)change;
}

/* Empties a place of the new table; an address that stood nowhere else is forgotten. */
static void clear_new(struct addrman *a, struct place p)
{
    int32_t id = a->fresh[p.bucket][p.position];
    char text[NET_ADDR_TEXT];

    if (id == NO_RECORD)
        return;
    a->fresh[p.bucket][p.position] = NO_RECORD;
    if (log_enabled(LOG_ADDRMAN, LOG_LEVEL_DEBUG)) {
        text_of(text, &a->records[id]);
        log_debug(LOG_ADDRMAN, "Removed %s from new[%d][%d]", text, p.bucket, p.position);
    }
    if (--a->records[id].refs == 0) {
        count_new(a, &a->records[id], -1);
        addrman_delete(a, id);
    }
}

/* What an announcement says of an address that is known. Returns: true if it may get one more place in the new table. */
static bool update_known(struct addrman *a, struct record *r, const struct addr_entry *e, int64_t penalty)
{
    bool online = time_now() - e->time < 86400;
    int64_t interval = online ? 3600 : 86400;

    if (r->time < e->time - interval - penalty)
        r->time = e->time > penalty ? (uint32_t)(e->time - penalty) : 0;
    r->services |= e->services;
    if (e->time <= r->time || r->tried || r->refs == MAX_REFS)
        return false;
    /* Each further place is twice as hard to get. */
    return rng_below(&a->rng, 1u << r->refs) == 0;
}

/* May a place of the new table be taken from who has it? */
static bool may_replace(const struct addrman *a, int32_t old, const struct record *r)
{
    const struct record *o = &a->records[old];

    return record_is_terrible(o, time_now()) || (o->refs > 1 && r->refs == 0);
}

static bool add_one(struct addrman *a, const struct addr_entry *e, const struct net_addr *source, int64_t penalty)
{
    int32_t id, old;
    struct record *r;
    struct place p;
    char text[NET_ADDR_TEXT], mapped[32];

    if (!net_addr_is_routable(&e->addr))
        return false;
    if (net_addr_same_ip(&e->addr, source)) /* it speaks of itself */
        penalty = 0;
    id = addrman_find(a, &e->addr);
    if (id != NO_RECORD) {
        if (!update_known(a, &a->records[id], e, penalty))
            return false;
    } else {
        id = addrman_create(a, &e->addr, source, true);
        a->records[id].services = e->services;
        a->records[id].time = e->time > penalty ? (uint32_t)(e->time - penalty) : 0;
        count_new(a, &a->records[id], 1);
    }
    r = &a->records[id];
    p = record_place_new(a, r, source);
    old = a->fresh[p.bucket][p.position];
    if (old == id)
        return false;
    if (old != NO_RECORD && !may_replace(a, old, r)) {
        if (r->refs == 0) {
            count_new(a, r, -1);
            addrman_delete(a, id);
        }
        return false;
    }
    clear_new(a, p);
    r->refs++;
    a->fresh[p.bucket][p.position] = id;
    if (log_enabled(LOG_ADDRMAN, LOG_LEVEL_DEBUG)) {
        net_addr_text(text, &e->addr);
        log_debug(LOG_ADDRMAN, "Added %s%s to new[%d][%d]", text, mapped_text(mapped, a, &e->addr), p.bucket, p.position);
    }
    return true;
}

bool addrman_add(struct addrman *a, const struct addr_entry *entries, size_t n, const struct net_addr *source, int64_t penalty)
{
    size_t added = 0;
    char text[NET_ADDR_TEXT];

    addrman_maybe_check(a);
    for (size_t i = 0; i < n; i++)
        added += add_one(a, &entries[i], source, penalty);
    if (added && log_enabled(LOG_ADDRMAN, LOG_LEVEL_DEBUG)) {
        net_addr_ip_text(text, source);
        log_debug(LOG_ADDRMAN, "Added %zu addresses (of %zu) from %s: %zu tried, %zu new", added, n, text, a->n_tried, a->n_new);
    }
    addrman_maybe_check(a);
    return added > 0;
}

/* --- The tried table ----------------------------------------------------------------------------------------------------------------- */

/* Takes it out of all its places in the new table. */
static void leave_new(struct addrman *a, int32_t id)
{
    struct record *r = &a->records[id];
    struct net_addr source = record_source(a, r);
    int start = record_place_new(a, r, &source).bucket;

    for (int i = 0; i < NEW_BUCKETS && r->refs; i++) {
        int bucket = (start + i) % NEW_BUCKETS;
        int position = record_position_new(a, r, bucket);
        if (a->fresh[bucket][position] == id) {
            a->fresh[bucket][position] = NO_RECORD;
            r->refs--;
        }
    }
    ASSERT(r->refs == 0);
    count_new(a, r, -1);
}

/* Makes room in the tried table: who stands there goes back to the new one. */
static void back_to_new(struct addrman *a, struct place from)
{
    int32_t id = a->tried[from.bucket][from.position];
    struct record *r = &a->records[id];
    struct net_addr source = record_source(a, r);
    struct place to = record_place_new(a, r, &source);
    char text[NET_ADDR_TEXT];

    r->tried = false;
    a->tried[from.bucket][from.position] = NO_RECORD;
    count_tried(a, r, -1);
    clear_new(a, to);
    r->refs = 1;
    a->fresh[to.bucket][to.position] = id;
    count_new(a, r, 1);
    text_of(text, r);
    log_debug(LOG_ADDRMAN, "Moved %s from tried[%d][%d] to new[%d][%d] to make space", text, from.bucket, from.position, to.bucket,
              to.position);
}

static void note_collision(struct addrman *a, int32_t id, struct place p, const struct net_addr *addr)
{
    char old_text[NET_ADDR_TEXT], text[NET_ADDR_TEXT];
    bool noted = false;

    for (size_t i = 0; i < a->n_collisions; i++)
        noted |= a->collisions[i] == id;
    if (!noted && a->n_collisions < MAX_COLLISIONS)
        a->collisions[a->n_collisions++] = id;
    text_of(old_text, &a->records[a->tried[p.bucket][p.position]]);
    net_addr_text(text, addr);
    log_debug(LOG_ADDRMAN, "Collision with %s while attempting to move %s to tried table. Collisions=%zu", old_text, text,
              a->n_collisions);
}

bool addrman_make_good(struct addrman *a, const struct net_addr *addr, bool test_before_evict, int64_t time)
{
    int32_t id = addrman_find(a, addr);
    struct record *r;
    struct place p;
    char text[NET_ADDR_TEXT], mapped[32];

    a->last_good = time;
    if (id == NO_RECORD)
        return false;
    r = &a->records[id];
    /* The time seen stays: it goes out to others, who would learn whom we are connected to. */
    r->last_success = r->last_try = record_seconds(time);
    r->attempts = 0;
    if (r->tried)
        return false;
    p = record_place_tried(a, r);
    if (test_before_evict && a->tried[p.bucket][p.position] != NO_RECORD) {
        note_collision(a, id, p, addr);
        return false;
    }
    leave_new(a, id);
    if (a->tried[p.bucket][p.position] != NO_RECORD)
        back_to_new(a, p);
    a->tried[p.bucket][p.position] = id;
    r->tried = true;
    count_tried(a, r, 1);
    if (log_enabled(LOG_ADDRMAN, LOG_LEVEL_DEBUG)) {
        net_addr_text(text, addr);
        log_debug(LOG_ADDRMAN, "Moved %s%s to tried[%d][%d]", text, mapped_text(mapped, a, addr), p.bucket, p.position);
    }
    return true;
}

bool addrman_good(struct addrman *a, const struct net_addr *addr, int64_t time)
{
    bool moved;

    addrman_maybe_check(a);
    moved = addrman_make_good(a, addr, true, time);
    addrman_maybe_check(a);
    return moved;
}

/* --- What happens to an address ------------------------------------------------------------------------------------------------------ */

void addrman_attempt(struct addrman *a, const struct net_addr *addr, bool count_failure, int64_t time)
{
    int32_t id = addrman_find(a, addr);
    struct record *r;

    addrman_maybe_check(a);
    if (id == NO_RECORD)
        return;
    r = &a->records[id];
    r->last_try = record_seconds(time);
    /* While nothing at all works it is our network that fails. */
    if (count_failure && r->last_count < a->last_good) {
        r->last_count = record_seconds(time);
        if (r->attempts < INT32_MAX)
            r->attempts++;
    }
}

void addrman_connected(struct addrman *a, const struct net_addr *addr, int64_t time)
{
    int32_t id = addrman_find(a, addr);

    addrman_maybe_check(a);
    if (id != NO_RECORD && time - a->records[id].time > 1200)
        a->records[id].time = time > UINT32_MAX ? UINT32_MAX : (uint32_t)time;
}

void addrman_set_services(struct addrman *a, const struct net_addr *addr, uint64_t services)
{
    int32_t id = addrman_find(a, addr);

    addrman_maybe_check(a);
    if (id != NO_RECORD)
        a->records[id].services = services;
}
