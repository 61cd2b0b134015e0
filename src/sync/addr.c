/* addr.c - addresses that peers send (addr, addrv2): checked, rate-limited and counted as Bitcoin Core does. There is no address manager to
 * keep them in, and none are handed out. */
#include "sync/internal.h"

#define TOKENS_PER_SECOND 0.1
#define TOKENS_MAX 1000.0

bool addr_setup(struct peer *p)
{
    if (p->facts.type == CONN_BLOCK_RELAY || p->facts.type == CONN_FEELER)
        return false;
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

static void process(struct sync *s, struct peer *p, const struct message *m, bool v2)
{
    struct addr_entry *entries;
    size_t n, done = 0, limited = 0;
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
    for (size_t i = 0; i < n; i++) {
        if (p->addr_tokens >= 1.0) {
            p->addr_tokens -= 1.0;
        } else if (!peer_has(p, PERM_ADDR)) {
            limited++;
            continue;
        }
        if (entries[i].services & (NODE_NETWORK | NODE_NETWORK_LIMITED))
            done++;
    }
    free(entries);
    p->addr_processed += done;
    p->addr_rate_limited += limited;
    log_debug(LOG_NET, "Received addr: %zu addresses (%zu processed, %zu rate-limited) from peer=%" PRId64, n, done, limited,
              p->id);
    if (n < MAX_ADDR_ITEMS)
        p->getaddr_sent = false;
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

void on_getaddr(struct sync *s, struct peer *p, const struct message *m)
{
    (void)s;
    (void)m;
    if (!peer_inbound(p)) {
        log_debug(LOG_NET, "Ignoring \"getaddr\" from %s connection. peer=%" PRId64, connection_type_name(p->facts.type), p->id);
        return;
    }
    addr_setup(p);
    if (p->getaddr_seen)
        log_debug(LOG_NET, "Ignoring repeated \"getaddr\". peer=%" PRId64, p->id);
    p->getaddr_seen = true;
}
