/* upkeep.c - which peers are worth their slot: outbound ones beyond those wanted are let go, a tip that stays the same makes the node look for
 * one more peer, and inbound peers that relay transactions have a limit. The node asks for a peer's merits to choose whom to evict. */
#include "sync/internal.h"

#define CHECK_INTERVAL (45 * US)   /* steady time */
#define STALE_CHECK_INTERVAL (600) /* s */
#define MINIMUM_CONNECT_TIME 30    /* s: younger ones are not let go */

static bool counts(const struct peer *p, enum connection_type type)
{
    return !p->closing && p->facts.type == type;
}

/* More peers of a type than wanted? Only those past the handshake count, so that none goes for one that may never get there. */
static bool have_extra(const struct sync *s, enum connection_type type, unsigned wanted)
{
    unsigned n = 0;
    for (const struct peer *p = s->peers; p; p = p->hh.next)
        n += p->handshake_done && counts(p, type);
    return n > wanted;
}

/* ---- extra block-relay peers: they come for a while, to ask somebody else about the tip ---- */

/* The youngest, or the one before it if the youngest gave us a block more recently. */
static struct peer *worst_block_relay(const struct sync *s)
{
    struct peer *youngest = NULL, *next = NULL;

    for (struct peer *p = s->peers; p; p = p->hh.next) {
        if (!counts(p, CONN_BLOCK_RELAY) || (youngest && p->id < youngest->id))
            continue;
        next = youngest;
        youngest = p;
    }
    return youngest && next && youngest->last_block > next->last_block ? next : youngest;
}

static void evict_block_relay(struct sync *s)
{
    struct peer *p = worst_block_relay(s);

    if (!p)
        return;
    if (time_now() - p->connected >= MINIMUM_CONNECT_TIME && p->n_in_flight == 0) {
        log_debug(LOG_NET, "disconnecting extra block-relay-only peer=%" PRId64 " (last block received at time %" PRId64 ")", p->id,
                  p->last_block);
        peer_disconnect(s, p);
    } else {
        log_debug(LOG_NET,
                  "keeping block-relay-only peer=%" PRId64 " chosen for eviction (connect time: %" PRId64
                  ", blocks_in_flight: %zu)",
                  p->id, p->connected, p->n_in_flight);
    }
}

/* ---- extra full-relay peers ---- */

/* Is it our only full-relay or manual peer on its network? */
static bool alone_on_network(const struct sync *s, const struct peer *of)
{
    unsigned n = 0;
    for (const struct peer *p = s->peers; p; p = p->hh.next)
        n += (p->facts.type == CONN_OUTBOUND_FULL_RELAY || p->facts.type == CONN_MANUAL) &&
             p->facts.remote.network == of->facts.remote.network;
    return n <= 1;
}

/* The one whose last announcement of a block is oldest, the younger of two such. */
static struct peer *worst_full_relay(const struct sync *s)
{
    struct peer *worst = NULL;

    for (struct peer *p = s->peers; p; p = p->hh.next) {
        if (!counts(p, CONN_OUTBOUND_FULL_RELAY) || p->lag_protected || alone_on_network(s, p))
            continue;
        if (!worst || p->last_announcement < worst->last_announcement ||
            (p->last_announcement == worst->last_announcement && p->id > worst->id))
            worst = p;
    }
    return worst;
}

static void want_extra(struct sync *s, bool on)
{
    s->wants_extra_peer = on;
    log_debug(LOG_NET, "setting try another outbound peer=%s", on ? "true" : "false");
}

static void evict_full_relay(struct sync *s)
{
    struct peer *p = worst_full_relay(s);

    if (!p)
        return;
    if (time_now() - p->connected > MINIMUM_CONNECT_TIME && p->n_in_flight == 0) {
        log_debug(LOG_NET, "disconnecting extra outbound peer=%" PRId64 " (last block announcement received at time %" PRId64 ")",
                  p->id, p->last_announcement);
        peer_disconnect(s, p);
        want_extra(s, false); /* one was found since the tip was last stale: enough until it is again */
    } else {
        log_debug(LOG_NET,
                  "keeping outbound peer=%" PRId64 " chosen for eviction (connect time: %" PRId64 ", blocks_in_flight: %zu)", p->id,
                  p->connected, p->n_in_flight);
    }
}

/* ---- the tip ---- */

static bool tip_may_be_stale(struct sync *s)
{
    if (s->last_tip_update == 0)
        s->last_tip_update = time_now();
    return s->last_tip_update < time_now() - 3 * s->o.params->pow_spacing && s->n_requested_blocks == 0;
}

static void check_tip(struct sync *s)
{
    int64_t now = time_now();

    if (now <= s->next_stale_check)
        return;
    if (s->seeks_peers && !chain_reindexing(s->o.chain) && tip_may_be_stale(s)) {
        log_info("Potential stale tip detected, will try using extra outbound peer (last tip update: %" PRId64 " seconds ago)",
                 now - s->last_tip_update);
        want_extra(s, true);
    } else if (s->wants_extra_peer) {
        want_extra(s, false);
    }
    s->next_stale_check = now + STALE_CHECK_INTERVAL;
}

void upkeep_check(struct sync *s)
{
    if (have_extra(s, CONN_BLOCK_RELAY, s->max_block_relay))
        evict_block_relay(s);
    if (have_extra(s, CONN_OUTBOUND_FULL_RELAY, s->max_full_relay))
        evict_full_relay(s);
    check_tip(s);
    if (!s->initial_sync_done && download_may_fetch_directly(s)) {
        log_debug(LOG_NET, "enabling extra block-relay-only peers");
        s->initial_sync_done = true;
    }
}

void upkeep_tick(struct sync *s)
{
    int64_t now = time_mono_us();

    if (s->next_upkeep == 0)
        s->next_upkeep = now + CHECK_INTERVAL;
    if (now < s->next_upkeep)
        return;
    s->next_upkeep = now + CHECK_INTERVAL;
    upkeep_check(s);
}

void upkeep_announced(struct sync *s, struct peer *p, const struct block_entry *e)
{
    if (u256_cmp(e->node.chain_work, chain_tip(s->o.chain)->node.chain_work) > 0)
        p->last_announcement = time_now();
}

/* ---- what the node asks ---- */

void sync_set_outbound(struct sync *s, unsigned full_relay, unsigned block_relay, bool seeks)
{
    s->max_full_relay = full_relay;
    s->max_block_relay = block_relay;
    s->seeks_peers = seeks;
}

bool sync_wants_extra_peer(const struct sync *s)
{
    return s->wants_extra_peer;
}

bool sync_initial_sync_done(const struct sync *s)
{
    return s->initial_sync_done;
}

void sync_set_local_services(struct sync *s, uint64_t services)
{
    s->o.local_services = services;
}

bool sync_wants_services(const struct sync *s, uint64_t services)
{
    return (services & wanted_services(s, services)) == wanted_services(s, services);
}

bool sync_peer_merit(struct sync *s, peer_id peer, struct peer_merit *out)
{
    const struct peer *p = sync_peer(s, peer);

    if (!p)
        return false;
    out->handshake_done = p->handshake_done;
    out->closing = p->closing;
    out->relays_txs = p->tx_relay && p->relay_txs;
    out->bloom = p->bloom != NULL;
    out->services = p->services;
    out->wanted_services = p->version_seen && sync_wants_services(s, p->services);
    out->min_ping_us = p->ping_min;
    out->last_block = p->last_block;
    out->last_tx = p->last_tx;
    return true;
}

bool upkeep_refuses_txs(struct sync *s, struct peer *p, const char *message, bool protect)
{
    const struct sync_host *h = &s->o.host;

    if (!peer_inbound(p) || !p->tx_relay || !p->relay_txs || !h->conn.tx_slot || h->conn.tx_slot(h->ctx, p->id, protect))
        return false;
    log_debug(LOG_NET, "failed to find a tx-relaying eviction candidate - connection dropped after %s message, peer=%" PRId64,
              message, p->id);
    peer_disconnect(s, p);
    return true;
}
