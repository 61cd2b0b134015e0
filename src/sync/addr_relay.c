/* addr_relay.c - addresses on their way out: what is still to be told to each peer and when, what it knows already, the answer to its getaddr,
 * the one or two peers that a fresh address is passed on to, and our own address. Called by addr.c and by each flush of a peer. */
#include <math.h>
#include <string.h>

#include "crypto/hash.h"
#include "sync/internal.h"

#define ADDR_INTERVAL (30 * US)            /* mean between two messages to a peer */
#define OWN_ADDR_INTERVAL (24 * 3600 * US) /* mean between two announcements of ourselves */
#define ROTATION (24 * 3600u)              /* s: as long an address goes to the same peers */

/* An address and port as bytes: what "known" and the choice of peers go by. Returns: the length. */
static size_t addr_key(uint8_t out[35], const struct net_addr *a)
{
    size_t n = net_addr_size(a->network);

    out[0] = (uint8_t)a->network;
    out[1] = (uint8_t)(a->port >> 8);
    out[2] = (uint8_t)a->port;
    memcpy(out + 3, a->ip, n);
    return n + 3;
}

void addr_remember(struct peer *p, const struct net_addr *a)
{
    uint8_t key[35];
    size_t n = addr_key(key, a);
    recent_add_bytes(&p->addr_known, key, n);
}

static bool knows(const struct peer *p, const struct net_addr *a)
{
    uint8_t key[35];
    size_t n = addr_key(key, a);
    return recent_has_bytes(&p->addr_known, key, n);
}

/* Can the peer's kind of message carry it? */
static bool compatible(const struct peer *p, const struct net_addr *a)
{
    return p->wants_addrv2 || a->network == NET_IPV4 || a->network == NET_IPV6;
}

static void push(struct sync *s, struct peer *p, const struct addr_entry *e)
{
    if (!net_addr_is_valid(&e->addr) || !compatible(p, &e->addr) || knows(p, &e->addr))
        return;
    if (p->n_addr_to_send >= MAX_ADDR_ITEMS) {
        p->addr_to_send[rng_below(&s->rng, p->n_addr_to_send)] = *e;
        return;
    }
    if (p->n_addr_to_send == p->cap_addr_to_send) {
        p->cap_addr_to_send = p->cap_addr_to_send ? p->cap_addr_to_send * 2 : 8;
        p->addr_to_send = xrealloc(p->addr_to_send, p->cap_addr_to_send * sizeof(*p->addr_to_send));
    }
    p->addr_to_send[p->n_addr_to_send++] = *e;
}

static void forget_queue(struct peer *p)
{
    free(p->addr_to_send);
    p->addr_to_send = NULL;
    p->n_addr_to_send = p->cap_addr_to_send = 0;
}

void addr_clear(struct peer *p)
{
    forget_queue(p);
    recent_clear(&p->addr_known);
}

void addr_pass_on(struct sync *s, const struct peer *from, const struct addr_entry *e, bool reachable)
{
    struct peer *p, *tmp, *best[2] = {NULL, NULL};
    uint64_t score[2] = {0, 0}, digest, mix[3];
    uint8_t key[35];
    size_t n;
    unsigned want;

    /* The hash of the address in the sum makes the moment of the change differ from address to address. */
    n = addr_key(key, &e->addr);
    mix[0] = siphash(s->addr_k0, s->addr_k1, key, n);
    mix[1] = ((uint64_t)time_now() + siphash(0, 0, key, n)) / ROTATION;
    digest = siphash(s->addr_k1, s->addr_k0, mix, 2 * sizeof(mix[0]));
    want = reachable || (digest & 1) ? 2 : 1;
    HASH_ITER (hh, s->peers, p, tmp) {
        uint64_t h;
        if (!p->addr_relay || p == from || p->closing || !compatible(p, &e->addr))
            continue;
        mix[2] = (uint64_t)p->id;
        h = siphash(s->addr_k0, s->addr_k1, mix, sizeof(mix));
        if (h > score[0]) {
            score[1] = score[0];
            best[1] = best[0];
            score[0] = h;
            best[0] = p;
        } else if (h > score[1]) {
            score[1] = h;
            best[1] = p;
        }
    }
    for (unsigned i = 0; i < want && best[i]; i++)
        push(s, best[i], e);
}

/* An exponentially distributed delay. */
static int64_t random_delay(struct sync *s, int64_t mean)
{
    double u = (double)(rng_u64(&s->rng) >> 11) / 9007199254740992.0;
    return (int64_t)(-log1p(-u) * (double)mean);
}

static void send_entries(struct sync *s, struct peer *p, const struct addr_entry *entries, size_t n)
{
    struct writer w = WRITER_INIT;

    msg_addr_encode(&w, entries, n, p->wants_addrv2);
    peer_send_writer(s, p, p->wants_addrv2 ? "addrv2" : "addr", &w);
}

/* Tells the peer our own address: the first time in a message of its own, so that a full one does not drown it in the peer's rate limit. */
static void announce_ourselves(struct sync *s, struct peer *p, int64_t now)
{
    const struct sync_addr_host *h = &s->o.host.addr;
    struct addr_entry e = {0};
    bool first = p->next_own_addr == 0;
    char text[NET_ADDR_TEXT];

    if (!h->own || p->next_own_addr >= now || chain_initial_download(s->o.chain))
        return;
    if (!first)
        recent_reset(&p->addr_known); /* what we said a day ago is to go out again */
    if (h->own(s->o.host.ctx, p->id, &e)) {
        e.services = p->our_services;
        e.time = (uint32_t)time_now();
        net_addr_text(text, &e.addr);
        log_debug(LOG_NET, "Advertising address %s to peer=%" PRId64, text, p->id);
        if (!first)
            push(s, p, &e);
        else if (compatible(p, &e.addr))
            send_entries(s, p, &e, 1);
    }
    p->next_own_addr = now + random_delay(s, OWN_ADDR_INTERVAL);
}

void addr_flush(struct sync *s, struct peer *p)
{
    int64_t now = time_now_us();
    size_t n = 0;

    if (!p->addr_relay)
        return;
    announce_ourselves(s, p, now);
    if (now <= p->next_addr_send)
        return;
    p->next_addr_send = now + random_delay(s, ADDR_INTERVAL);
    for (size_t i = 0; i < p->n_addr_to_send; i++) {
        if (knows(p, &p->addr_to_send[i].addr))
            continue;
        addr_remember(p, &p->addr_to_send[i].addr);
        p->addr_to_send[n++] = p->addr_to_send[i];
    }
    if (n)
        send_entries(s, p, p->addr_to_send, n);
    forget_queue(p);
}

void on_getaddr(struct sync *s, struct peer *p, const struct message *m)
{
    struct addr_entry *entries = NULL;
    size_t n = 0;

    (void)m;
    /* Whoever can plant addresses in us and ask for them again could tell which connections are ours: only inbound peers are answered. */
    if (!peer_inbound(p)) {
        log_debug(LOG_NET, "Ignoring \"getaddr\" from %s connection. peer=%" PRId64, connection_type_name(p->facts.type), p->id);
        return;
    }
    addr_setup(p);
    if (p->getaddr_seen) {
        log_debug(LOG_NET, "Ignoring repeated \"getaddr\". peer=%" PRId64, p->id);
        return;
    }
    p->getaddr_seen = true;
    forget_queue(p);
    if (s->o.host.addr.sample)
        n = s->o.host.addr.sample(s->o.host.ctx, p->id, peer_has(p, PERM_ADDR), &entries);
    for (size_t i = 0; i < n; i++)
        push(s, p, &entries[i]);
    free(entries);
}
