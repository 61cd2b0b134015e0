/* net_addr.c - addresses of other nodes between sync and the address manager: what peers tell goes in, what they ask for comes out, and how our
 * connections went is noted (struct sync_addr_host). Loop thread. */
#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "node/net_private.h"
#include "util/mem.h"
#include "util/random.h"
#include "util/time.h"

#define HEARSAY_PENALTY (2 * 3600)         /* s: taken from the times that peers tell */
#define CACHE_TIME (21 * 3600 * 1000000LL) /* us, and up to six hours more: long enough that asking often teaches nobody anything */
#define CACHE_SPREAD (6 * 3600 * 1000000LL)
#define SAMPLE_MAX 1000
#define SAMPLE_PERCENT 23

/* What everybody of one network who asks at one of our addresses is told. */
struct net_sample {
    uint64_t key;
    int64_t expires; /* time_now_us */
    struct addr_entry *entries;
    size_t n;
    UT_hash_handle hh;
};

static void heard(void *ctx, peer_id peer, const struct addr_entry *entries, size_t count)
{
    struct node_net *n = ctx;
    const struct net_peer *p = net_peer_find(n, peer);
    if (p)
        addrman_add(n->addrman, entries, count, &p->addr, HEARSAY_PENALTY);
}

static bool clean(void *ctx, const struct net_addr *a)
{
    const struct node_net *n = ctx;
    return !bans_has_addr(n->bans, a) && !bans_is_discouraged(n->bans, a);
}

static bool reachable(void *ctx, const struct net_addr *a)
{
    return net_reachable(ctx, a->network);
}

static size_t fresh_sample(struct node_net *n, struct addr_entry **out)
{
    size_t count = addrman_sample(n->addrman, out, SAMPLE_MAX, SAMPLE_PERCENT, NET_UNKNOWN, true), kept = 0;

    for (size_t i = 0; i < count; i++)
        if (clean(n, &(*out)[i].addr))
            (*out)[kept++] = (*out)[i];
    return kept;
}

/* The peer's network and the address of ours that it came to, hashed with a key. */
static uint64_t sample_key(const struct node_net *n, const struct net_peer *p)
{
    const struct net_addr *local = &p->facts.local;
    uint8_t data[3 + 32] = {(uint8_t)(p->facts.inbound_onion ? NET_ONION : net_addr_class(&p->addr)), (uint8_t)(local->port >> 8),
                            (uint8_t)local->port};
    size_t len = net_addr_bytes(data + 3, local);
    return siphash(n->group_key[1], n->group_key[0], data, 3 + len);
}

static size_t sample(void *ctx, peer_id peer, bool all, struct addr_entry **out)
{
    struct node_net *n = ctx;
    const struct net_peer *p = net_peer_find(n, peer);
    struct net_sample *s;
    uint64_t key;

    *out = NULL;
    if (!p)
        return 0;
    if (all)
        return fresh_sample(n, out);
    key = sample_key(n, p);
    HASH_FIND(hh, n->samples, &key, sizeof(key), s);
    if (!s) {
        s = xcalloc(1, sizeof(*s));
        s->key = key;
        HASH_ADD(hh, n->samples, key, sizeof(key), s);
    }
    if (s->expires < time_now_us()) {
        free(s->entries);
        s->n = fresh_sample(n, &s->entries);
        s->expires = time_now_us() + CACHE_TIME + (int64_t)(random_u64() % CACHE_SPREAD);
    }
    *out = xmalloc(s->n * sizeof(**out) + 1);
    memcpy(*out, s->entries, s->n * sizeof(**out));
    return s->n;
}

static void services(void *ctx, peer_id peer, uint64_t bits)
{
    struct node_net *n = ctx;
    const struct net_peer *p = net_peer_find(n, peer);
    if (p && p->addr.network == NET_ONION)
        n->privcast.tor_works = true;
    if (p)
        addrman_set_services(n->addrman, &p->addr, bits);
}

static void handshake_done(void *ctx, peer_id peer, uint64_t bits)
{
    struct node_net *n = ctx;
    const struct net_peer *p = net_peer_find(n, peer);
    (void)bits;
    if (p)
        addrman_good(n->addrman, &p->addr, time_now());
}

void net_addr_closing(struct net_peer *p)
{
    struct peer_merit m;

    /* Not of block-relay peers: who watches our address manager is not to learn of them. */
    if (p->type != CONN_INBOUND && p->type != CONN_BLOCK_RELAY && p->type != CONN_FEELER && p->type != CONN_PRIVATE_BROADCAST &&
        sync_peer_merit(p->net->sync, p->id, &m) && m.handshake_done)
        addrman_connected(p->net->addrman, &p->addr, time_now());
}

struct sync_addr_host net_addr_host(void)
{
    return (struct sync_addr_host){
        .heard = heard,
        .sample = sample,
        .clean = clean,
        .reachable = reachable,
        .services = services,
        .handshake_done = handshake_done,
        .seen_as = net_seen_as,
        .own = net_own_address,
    };
}

void net_addr_free(struct node_net *n)
{
    struct net_sample *s, *tmp;

    HASH_ITER (hh, n->samples, s, tmp) {
        HASH_DEL(n->samples, s);
        free(s->entries);
        free(s);
    }
}
