/* net_slots.c - how many connections there may be, who goes when all slots for inbound ones are taken, and how much may be uploaded in a day.
 * Called for each accepted connection and by sync (struct sync_conn_host). Loop thread. */
#include <stdlib.h>
#include <string.h>

#include "net/eviction.h"
#include "node/net_private.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/time.h"

#define DAY 86400
#define BLOCK_INTERVAL 600 /* s: -maxuploadtarget keeps enough for one full block in each */
#define BLOCK_BYTES 4000000u

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

void net_slots_init(struct node_net *n)
{
    struct net_slots *s = &n->slots;
    int64_t all = n->set.max_connections;

    s->full_relay = (unsigned)least(MAX_OUTBOUND_FULL, all);
    s->block_relay = (unsigned)least(MAX_OUTBOUND_BLOCKS, all - s->full_relay);
    s->outbound = s->full_relay + s->block_relay + MAX_FEELERS;
    s->inbound = (size_t)(all > s->outbound ? all - s->outbound : 0);
    s->inbound_txs = s->inbound * (size_t)n->set.inbound_relay_percent / 100;
    if (s->outbound > all)
        s->outbound = (unsigned)all;
}

/* ---- eviction ---- */

static bool fill_candidate(struct eviction_candidate *c, const struct net_peer *p, bool relaying_only)
{
    struct peer_merit m;

    if (connection_closing(p->conn) || !sync_peer_merit(p->net->sync, p->id, &m) || m.closing || (relaying_only && !m.relays_txs))
        return false;
    *c = (struct eviction_candidate){
        .id = p->id,
        .connected = p->connected,
        .min_ping = m.min_ping_us >= 0 ? m.min_ping_us : INT64_MAX,
        .last_block = m.last_block,
        .last_tx = m.last_tx,
        .net_group = p->facts.net_group,
        .network = p->facts.inbound_onion ? NET_ONION : p->addr.network,
        .local = net_addr_is_local(&p->addr),
        .inbound = p->type == CONN_INBOUND,
        .noban = net_has_permission(p->facts.permissions, PERM_NOBAN),
        .services = m.wanted_services,
        .relays_txs = m.relays_txs,
        .bloom = m.bloom,
        .prefer_evict = p->prefer_evict,
    };
    return true;
}

/* Disconnects one inbound peer. relaying_only: of those that relay transactions. but: not this one (-1: none). Returns: false if all are protected. */
static bool evict_one(struct node_net *n, bool relaying_only, peer_id but)
{
    struct eviction_candidate *c = xcalloc(HASH_COUNT(n->peers) + 1, sizeof(*c));
    struct net_peer *p;
    size_t count = 0;
    int64_t id;
    bool found;

    for (p = n->peers; p; p = p->hh.next)
        count += p->id != but && fill_candidate(&c[count], p, relaying_only);
    found = eviction_choose(&id, c, count);
    free(c);
    if (!found)
        return false;
    p = net_peer_find(n, id);
    log_debug(LOG_NET, "selected %s connection for eviction, disconnecting peer=%lld", connection_type_name(p->type),
              (long long)id);
    net_peer_close(p, NULL);
    return true;
}

size_t net_count_type(const struct node_net *n, enum connection_type type)
{
    size_t count = 0;
    for (const struct net_peer *p = n->peers; p; p = p->hh.next)
        count += p->type == type;
    return count;
}

bool net_slot_for_inbound(struct node_net *n)
{
    return net_count_type(n, CONN_INBOUND) < n->slots.inbound || evict_one(n, false, -1);
}

bool net_slot_for_txs(void *ctx, peer_id peer, bool protect)
{
    struct node_net *n = ctx;
    struct peer_merit m;
    size_t count = 0;

    for (const struct net_peer *p = n->peers; p; p = p->hh.next)
        count += p->type == CONN_INBOUND && !connection_closing(p->conn) && sync_peer_merit(n->sync, p->id, &m) && !m.closing &&
                 m.relays_txs;
    return count <= n->slots.inbound_txs || evict_one(n, true, protect ? peer : -1);
}

/* ---- upload ---- */

static uint64_t total_sent(const struct node_net *n)
{
    uint64_t sent = n->closed_sent;
    for (const struct net_peer *p = n->peers; p; p = p->hh.next)
        sent += connection_bytes_sent(p->conn);
    return sent;
}

void net_upload_tick(struct node_net *n)
{
    uint64_t sent;

    if (n->set.max_upload == 0)
        return;
    sent = total_sent(n);
    if (sent != n->upload.seen && n->upload.cycle_start + DAY < time_now()) {
        n->upload.cycle_start = time_now();
        n->upload.base = n->upload.seen;
    }
    n->upload.seen = sent;
}

static int64_t time_left(const struct node_net *n)
{
    int64_t end = n->upload.cycle_start + DAY, now = time_now();

    if (n->set.max_upload == 0)
        return 0;
    if (n->upload.cycle_start == 0)
        return DAY;
    return end < now ? 0 : end - now;
}

bool net_upload_reached(void *ctx, bool historical)
{
    struct node_net *n = ctx;
    uint64_t buffer = 0;

    if (n->set.max_upload == 0)
        return false;
    net_upload_tick(n);
    if (historical)
        buffer = (uint64_t)(time_left(n) / BLOCK_INTERVAL) * BLOCK_BYTES;
    return buffer >= n->set.max_upload || n->upload.seen - n->upload.base >= n->set.max_upload - buffer;
}

void net_upload_state(struct node_net *n, struct net_upload_info *out)
{
    uint64_t spent;

    net_upload_tick(n);
    spent = n->upload.seen - n->upload.base;
    out->target = n->set.max_upload;
    out->reached = net_upload_reached(n, false);
    out->serve_historical = !net_upload_reached(n, true);
    out->bytes_left = out->target > spent ? out->target - spent : 0;
    out->time_left = time_left(n);
}
