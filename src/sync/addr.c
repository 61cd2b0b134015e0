/* addr.c - addresses that peers send (addr, addrv2): checked and rate-limited as Bitcoin Core does, kept by the host's address manager, and
 * passed on when they are fresh. */
#include "sync/internal.h"

#define TOKENS_PER_SECOND 0.1
#define TOKENS_MAX 1000.0
#define KNOWN_ADDRESSES 2500     /* of a peer, in each of two generations */
#define FRESH (10 * 60)          /* s: passed on when it was seen alive within this time */
#define SMALL_MESSAGE 10         /* larger ones answer a getaddr: they are not passed on */
#define EARLIEST_TIME 100000000u /* before this, or in the future: the time is made up */
#define GUESSED_AGE (5 * 24 * 3600)

bool addr_setup(struct peer *p)
{
    if (p->facts.type == CONN_BLOCK_RELAY || p->facts.type == CONN_FEELER)
        return false;
    if (!p->addr_relay)
        recent_init_small(&p->addr_known, KNOWN_ADDRESSES);
    p->addr_relay = true;
    return true;
}

void addr_start(struct sync *s, struct peer *p)
{
    if (!addr_setup(p))
        return;
    p->getaddr_sent = true;
    p->addr_tokens += MAX_ADDR_ITEMS;
    peer_send(s, p, "getaddr", NULL, 0);
}

static void refill(struct peer *p)
{
    int64_t now = time_now_us();
    if (p->addr_tokens < TOKENS_MAX && now > p->addr_tokens_time) {
        p->addr_tokens += (double)(now - p->addr_tokens_time) / 1e6 * TOKENS_PER_SECOND;
        if (p->addr_tokens > TOKENS_MAX)
            p->addr_tokens = TOKENS_MAX;
    }
    p->addr_tokens_time = now;
}

/* Takes one address that the rate limit let through. Returns: true if it counts as processed; *keep: the host is to hear of it. */
static bool take(struct sync *s, struct peer *p, struct addr_entry *e, bool may_pass_on, bool *keep)
{
    const struct sync_addr_host *h = &s->o.host.addr;
    int64_t now = time_now();
    bool reachable;

    *keep = false;
    if (!(e->services & (NODE_NETWORK | NODE_NETWORK_LIMITED)))
        return false;
    if (e->time <= EARLIEST_TIME || e->time > now + FRESH)
        e->time = (uint32_t)(now - GUESSED_AGE);
    addr_remember(p, &e->addr);
    if (h->clean && !h->clean(s->o.host.ctx, &e->addr))
        return false;
    reachable = e->addr.network != NET_UNKNOWN && (!h->reachable || h->reachable(s->o.host.ctx, &e->addr));
    if (e->time > now - FRESH && may_pass_on && net_addr_is_routable(&e->addr))
        addr_pass_on(s, p, e, reachable);
    *keep = reachable;
    return true;
}

/* Handles the entries one by one in random order, as far as the peer's tokens reach; those to keep move to the front. Returns: their number. */
static size_t take_all(struct sync *s, struct peer *p, struct addr_entry *entries, size_t n, size_t *done, size_t *limited)
{
    bool may_pass_on = !p->getaddr_sent && n <= SMALL_MESSAGE, keep;
    size_t kept = 0;

    for (size_t i = n; i > 1; i--) {
        size_t k = (size_t)rng_below(&s->rng, i);
        struct addr_entry e = entries[i - 1];
        entries[i - 1] = entries[k];
        entries[k] = e;
    }
    for (size_t i = 0; i < n; i++) {
        struct addr_entry e = entries[i];
        if (p->addr_tokens >= 1.0) {
            p->addr_tokens -= 1.0;
        } else if (!peer_has(p, PERM_ADDR)) {
            (*limited)++;
            continue;
        }
        *done += take(s, p, &e, may_pass_on, &keep);
        if (keep)
            entries[kept++] = e;
    }
    return kept;
}

static void process(struct sync *s, struct peer *p, const struct message *m, bool v2)
{
    struct addr_entry *entries;
    size_t n, kept, done = 0, limited = 0;
    const char *problem;

    if (!msg_addr_decode(&entries, &n, v2, m->payload, m->len, &problem)) {
        peer_malformed(p, m, problem);
        return;
    }
    if (!addr_setup(p)) {
        log_debug(LOG_NET, "ignoring %s message from %s peer=%" PRId64, m->type, connection_type_name(p->facts.type), p->id);
        free(entries);
        return;
    }
    if (n > MAX_ADDR_ITEMS) {
        peer_misbehaving(p, "%s message size = %zu", m->type, n);
        return;
    }
    refill(p);
    kept = take_all(s, p, entries, n, &done, &limited);
    p->addr_processed += done;
    p->addr_rate_limited += limited;
    log_debug(LOG_NET, "Received addr: %zu addresses (%zu processed, %zu rate-limited) from peer=%" PRId64, n, done, limited,
              p->id);
    if (kept && s->o.host.addr.heard)
        s->o.host.addr.heard(s->o.host.ctx, p->id, entries, kept);
    free(entries);
    if (n < MAX_ADDR_ITEMS)
        p->getaddr_sent = false;
    /* More than one: else it is the peer's own address, and its answer is still to come. */
    if (p->facts.type == CONN_ADDR_FETCH && n > 1) {
        log_debug(LOG_NET, "addrfetch connection completed, " DISCONNECT_FMT, p->id);
        peer_disconnect(s, p);
    }
}

void on_addr(struct sync *s, struct peer *p, const struct message *m)
{
    process(s, p, m, false);
}

void on_addrv2(struct sync *s, struct peer *p, const struct message *m)
{
    process(s, p, m, true);
}
