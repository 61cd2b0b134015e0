/* net_outbound.c - finds peers: twice a second, if a slot is free, chooses an address and opens a connection of the kind that is due. Kinds and
 * their order: net/outbound.c. Here: which address. Loop thread. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "net/outbound.h"
#include "node/net_private.h"
#include "util/fs.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/random.h"
#include "util/time.h"

#define FEELER_INTERVAL 120 /* s, means of the exponential distributions */
#define BLOCK_RELAY_INTERVAL 300
#define NETWORK_INTERVAL 300
#define FEELER_NOISE_US 1000000u
#define SEED_NODE_INTERVAL 10 /* s between two -seednode */
#define ENOUGH_FULL_RELAY 2   /* peers, and seed nodes are not needed */
#define MAX_TRIES 100
#define RECENTLY_TRIED 600 /* s */

static int64_t exp_delay_us(int64_t mean_s)
{
    double u = (double)(random_u64() >> 11) / 9007199254740992.0;
    return (int64_t)(-log1p(-u) * (double)mean_s * 1e6);
}

static bool is_automatic(enum connection_type t)
{
    return t != CONN_INBOUND && t != CONN_MANUAL && t != CONN_PRIVATE_BROADCAST; /* those have slots of their own */
}

/* Of all kinds that we choose, opened or being opened. */
static unsigned slots_used(const struct node_net *n, bool *opening)
{
    const struct net_attempt *a;
    unsigned used = 0;

    *opening = n->out.feeler_waits;
    for (const struct net_peer *p = n->peers; p; p = p->hh.next)
        used += is_automatic(p->type);
    DL_FOREACH (n->attempts, a) {
        used += is_automatic(a->target.type);
        *opening = *opening || (is_automatic(a->target.type) && a->target.type != CONN_ADDR_FETCH);
    }
    return used;
}

/* ---- addr-fetch ---- */

void net_fetch_addrs_from(struct node_net *n, const char *name)
{
    struct net_fetch *f = xcalloc(1, sizeof(*f));
    snprintf(f->name, sizeof(f->name), "%s", name);
    DL_APPEND(n->out.fetches, f);
}

static void next_fetch(struct node_net *n)
{
    struct net_fetch *f = n->out.fetches;
    bool opening;

    if (!f)
        return;
    DL_DELETE(n->out.fetches, f);
    if (slots_used(n, &opening) < n->slots.outbound)
        net_open_name(n, f->name, CONN_ADDR_FETCH, n->set.services & NODE_P2P_V2);
    free(f);
}

/* The next of -seednode, in random order. */
static void next_seed_node(struct node_net *n)
{
    const char *name;

    if (!n->out.fetch_seed_node)
        return;
    n->out.fetch_seed_node = false;
    name = n->out.seed_nodes[--n->out.n_seed_nodes];
    net_fetch_addrs_from(n, name);
    if (addrman_count(n->addrman, NET_UNKNOWN, ADDRMAN_BOTH) == 0)
        log_info("Empty addrman, adding seednode (%s) to addrfetch", name);
    else
        log_info("Couldn't connect to peers from addrman after %d seconds. Adding seednode (%s) to addrfetch", SEED_NODE_INTERVAL,
                 name);
}

/* ---- the choice of an address ---- */

/* What the present peers say about the next one. */
struct surroundings {
    struct {
        uint8_t bytes[NETGROUP_MAX];
        size_t len;
    } groups[64]; /* of IPv4 and IPv6 peers that stay */
    size_t n_groups;
    unsigned full_relay, block_relay;
    unsigned on_private; /* peers on networks whose groups mean nothing */
};

static void note_group(const struct node_net *n, struct surroundings *s, const struct net_addr *a)
{
    uint8_t group[NETGROUP_MAX];
    size_t len = netgroup_of(n->groups, group, a);

    for (size_t i = 0; i < s->n_groups; i++)
        if (s->groups[i].len == len && memcmp(s->groups[i].bytes, group, len) == 0)
            return;
    if (s->n_groups == ARRAY_LEN(s->groups))
        return;
    memcpy(s->groups[s->n_groups].bytes, group, len);
    s->groups[s->n_groups++].len = len;
}

static bool has_group(const struct node_net *n, const struct surroundings *s, const struct net_addr *a)
{
    uint8_t group[NETGROUP_MAX];
    size_t len = netgroup_of(n->groups, group, a);

    for (size_t i = 0; i < s->n_groups; i++)
        if (s->groups[i].len == len && memcmp(s->groups[i].bytes, group, len) == 0)
            return true;
    return false;
}

static void look_around(const struct node_net *n, struct surroundings *s)
{
    memset(s, 0, sizeof(*s));
    for (const struct net_peer *p = n->peers; p; p = p->hh.next) {
        s->full_relay += p->type == CONN_OUTBOUND_FULL_RELAY;
        s->block_relay += p->type == CONN_BLOCK_RELAY;
        if (p->type != CONN_MANUAL && p->type != CONN_OUTBOUND_FULL_RELAY && p->type != CONN_BLOCK_RELAY)
            continue;
        if (p->addr.network == NET_ONION || p->addr.network == NET_I2P || p->addr.network == NET_CJDNS)
            s->on_private++;
        else
            note_group(n, s, &p->addr);
    }
}

static bool connected_to_ip(const struct node_net *n, const struct net_addr *a)
{
    for (const struct net_peer *p = n->peers; p; p = p->hh.next)
        if (net_addr_same_ip(&p->addr, a))
            return true;
    return false;
}

static bool is_added_node(const struct node_net *n, const struct net_addr *a)
{
    const struct net_wanted *w;
    char with_port[NET_ADDR_TEXT], without[NET_ADDR_TEXT];

    net_addr_text(with_port, a);
    net_addr_ip_text(without, a);
    DL_FOREACH (n->wanted, w)
        if (!w->from_connect && (strcmp(w->name, with_port) == 0 || strcmp(w->name, without) == 0))
            return true;
    return false;
}

static unsigned reachable_networks(const struct node_net *n)
{
    unsigned set = 0;
    for (enum net_network i = NET_IPV4; i <= NET_CJDNS; i++)
        if (net_reachable(n, i))
            set |= ADDRMAN_NETWORK(i);
    return set;
}

/* An address for a feeler: one whose place in the tried table is disputed, else any new one. */
static bool select_for_feeler(struct node_net *n, struct addr_entry *e, int64_t *last_try)
{
    if (addrman_select_collision(n->addrman, e, last_try) && net_addr_is_valid(&e->addr)) {
        if (!connected_to_ip(n, &e->addr))
            return true;
        addrman_good(n->addrman, &e->addr, time_now()); /* it is alive, and could not be connected to again */
    }
    return addrman_select(n->addrman, true, reachable_networks(n), e, last_try);
}

/* Would we connect to that address? tries: how many were looked at, which lowers the standards. */
static bool acceptable(struct node_net *n, const struct addr_entry *e, int64_t last_try, bool feeler, unsigned tries,
                       enum connection_type type, enum net_network preferred)
{
    char text[NET_ADDR_TEXT];
    const char *network = net_addr_network_name(&e->addr);

    if (!net_reachable(n, e->addr.network) || (time_now() - last_try < RECENTLY_TRIED && tries < 30))
        return false;
    /* A feeler needs a full node only: others have no good list of addresses. */
    if (feeler ? !(e->services & (NODE_NETWORK | NODE_NETWORK_LIMITED)) : !sync_wants_services(n->sync, e->services))
        return false;
    if (tries < 50 && (e->addr.network == NET_IPV4 || e->addr.network == NET_IPV6) && outbound_port_is_bad(e->addr.port))
        return false;
    if (!is_added_node(n, &e->addr))
        return true;
    net_addr_text(text, &e->addr);
    log_debug(LOG_NET, "Not making automatic %s%s connection to %s peer selected for manual (addnode) connection%s%s",
              preferred ? "network-specific " : "", connection_type_name(type), network, n->set.log_ips ? ": " : "",
              n->set.log_ips ? text : "");
    return false;
}

/* preferred: only of that network (NET_UNKNOWN: of all). Out: *out. Returns: false if none was found in reasonable time. */
static bool choose(struct node_net *n, const struct surroundings *s, enum connection_type type, enum net_network preferred,
                   struct addr_entry *out)
{
    bool feeler = type == CONN_FEELER;
    unsigned networks = preferred ? ADDRMAN_NETWORK(preferred) : reachable_networks(n);

    addrman_resolve_collisions(n->addrman);
    for (unsigned tries = 1; tries <= MAX_TRIES; tries++) {
        int64_t last_try = 0;
        bool found = feeler ? select_for_feeler(n, out, &last_try) : addrman_select(n->addrman, false, networks, out, &last_try);

        if (!found || !net_addr_is_valid(&out->addr))
            return false;
        if (!feeler && has_group(n, s, &out->addr))
            continue;
        if (net_is_own(n, &out->addr))
            return false;
        if (acceptable(n, out, last_try, feeler, tries, type, preferred))
            return true;
    }
    return false;
}

static bool choose_anchor(struct node_net *n, const struct surroundings *s, struct addr_entry *out)
{
    char text[NET_ADDR_TEXT];

    while (n->out.n_anchors) {
        *out = n->out.anchors[--n->out.n_anchors];
        if (!net_addr_is_valid(&out->addr) || net_is_own(n, &out->addr) || !net_reachable(n, out->addr.network) ||
            !sync_wants_services(n->sync, out->services) || has_group(n, s, &out->addr))
            continue;
        net_addr_text(text, &out->addr);
        log_debug(LOG_NET, "Trying to make an anchor connection to %s", text);
        return true;
    }
    return false;
}

/* A reachable network with known addresses where we have no full-relay or manual peer, at random. Returns: NET_UNKNOWN if there is none. */
static enum net_network lonely_network(const struct node_net *n)
{
    enum net_network nets[] = {NET_IPV4, NET_IPV6, NET_ONION, NET_I2P, NET_CJDNS};

    for (size_t i = ARRAY_LEN(nets); i > 0; i--) {
        size_t k = random_u64() % i;
        enum net_network net = nets[k];
        bool have = false;
        nets[k] = nets[i - 1];
        for (const struct net_peer *p = n->peers; p; p = p->hh.next)
            have = have || ((p->type == CONN_OUTBOUND_FULL_RELAY || p->type == CONN_MANUAL) && p->addr.network == net);
        if (!have && net_reachable(n, net) && addrman_count(n->addrman, net, ADDRMAN_BOTH) > 0)
            return net;
    }
    return NET_UNKNOWN;
}

/* ---- opening ---- */

static void open_target(struct node_net *n, const struct net_target *t)
{
    if (!bans_has_addr(n->bans, &t->addr) && !bans_is_discouraged(n->bans, &t->addr) && !net_is_own(n, &t->addr) &&
        !connected_to_ip(n, &t->addr))
        net_open(n, t);
}

static void open_feeler(struct node_net *n)
{
    char text[NET_ADDR_TEXT];

    n->out.feeler_waits = false;
    net_addr_text(text, &n->out.feeler.addr);
    log_debug(LOG_NET, "Making feeler connection to %s", text);
    open_target(n, &n->out.feeler);
}

/* Failures count only while we are surely online: with two peers that have nothing to do with each other. */
static bool count_failures(const struct node_net *n, const struct surroundings *s)
{
    int64_t enough = n->set.max_connections - 1 < 2 ? n->set.max_connections - 1 : 2;
    return (int64_t)(s->n_groups + s->on_private) >= enough;
}

static void open_chosen(struct node_net *n, const struct surroundings *s, const struct addr_entry *e, enum connection_type type,
                        enum net_network preferred)
{
    struct net_target t = {.addr = e->addr, .type = type, .count_failure = count_failures(n, s)};
    char text[NET_ADDR_TEXT];

    t.v2 = e->services & n->set.services & NODE_P2P_V2;
    net_addr_text(text, &e->addr);
    if (preferred)
        log_debug(LOG_NET, "Making network specific connection to %s on %s.", text, net_addr_network_name(&e->addr));
    if (type != CONN_FEELER) {
        open_target(n, &t);
        return;
    }
    n->out.feeler = t; /* a little later, so that many nodes' feelers do not come at one time */
    n->out.feeler_due = time_mono_us() + (int64_t)(random_u64() % FEELER_NOISE_US);
    n->out.feeler_waits = true;
}

static void restart_timer(struct node_net *n, enum outbound_kind kind, int64_t now)
{
    if (kind == OUTBOUND_BLOCK_RELAY)
        n->out.next_block_relay = now + exp_delay_us(BLOCK_RELAY_INTERVAL);
    else if (kind == OUTBOUND_FEELER)
        n->out.next_feeler = now + exp_delay_us(FEELER_INTERVAL);
    else if (kind == OUTBOUND_NETWORK)
        n->out.next_network = now + exp_delay_us(NETWORK_INTERVAL);
}

static enum outbound_kind next_kind(const struct node_net *n, const struct surroundings *s, int64_t now, bool *timed)
{
    struct outbound_state o = {.full_relay = s->full_relay,
                               .block_relay = s->block_relay,
                               .max_full_relay = n->slots.full_relay,
                               .max_block_relay = n->slots.block_relay,
                               .usual_full_relay = MAX_OUTBOUND_FULL,
                               .anchors = (unsigned)n->out.n_anchors,
                               .tip_stale = sync_wants_extra_peer(n->sync),
                               .sync_done = sync_initial_sync_done(n->sync),
                               .now = now,
                               .next_block_relay = n->out.next_block_relay,
                               .next_feeler = n->out.next_feeler,
                               .next_network = n->out.next_network};
    return outbound_next(&o, timed);
}

static void open_next(struct node_net *n)
{
    struct surroundings s;
    struct addr_entry e;
    int64_t now = time_now_us();
    enum net_network preferred = NET_UNKNOWN;
    enum connection_type type = CONN_OUTBOUND_FULL_RELAY;
    enum outbound_kind kind;
    bool timed;

    look_around(n, &s);
    if (n->out.n_seed_nodes && s.full_relay < ENOUGH_FULL_RELAY && time_now() > n->out.seed_node_time + SEED_NODE_INTERVAL) {
        n->out.seed_node_time = time_now();
        n->out.fetch_seed_node = true;
    }
    kind = next_kind(n, &s, now, &timed);
    if (kind == OUTBOUND_NONE || (kind == OUTBOUND_NETWORK && (preferred = lonely_network(n)) == NET_UNKNOWN))
        return;
    if (timed)
        restart_timer(n, kind, now);
    if (kind == OUTBOUND_ANCHOR || kind == OUTBOUND_BLOCK_RELAY)
        type = CONN_BLOCK_RELAY;
    else if (kind == OUTBOUND_FEELER)
        type = CONN_FEELER;
    if ((kind == OUTBOUND_ANCHOR && choose_anchor(n, &s, &e)) || choose(n, &s, type, preferred, &e))
        open_chosen(n, &s, &e, type, preferred);
}

void net_outbound_tick(struct node_net *n)
{
    bool opening;

    if (!n->set.automatic)
        return;
    if (n->out.feeler_waits && time_mono_us() >= n->out.feeler_due)
        open_feeler(n);
    if (time_mono_us() < n->out.next_round)
        return;
    n->out.next_round = time_mono_us() + 500000;
    sync_set_outbound(n->sync, n->slots.full_relay, n->slots.block_relay, n->active);
    next_seed_node(n);
    if (n->active)
        next_fetch(n);
    if (slots_used(n, &opening) >= n->slots.outbound || opening)
        return;
    net_fixed_seeds_tick(n);
    if (n->active)
        open_next(n);
}

void net_outbound_start(struct node_net *n)
{
    struct net_outbound *o = &n->out;
    char *path;

    if (!n->set.automatic)
        return;
    path = fs_join(n->config->dir.net_dir, "anchors.dat");
    o->n_anchors = anchors_load(o->anchors, ARRAY_LEN(o->anchors), path, n->config->params.magic);
    free(path);
    log_info("%zu block-relay-only anchors will be tried for connections.", o->n_anchors);
    log_info("opencon thread start");
    o->started_us = time_now_us();
    o->next_feeler = o->started_us + exp_delay_us(FEELER_INTERVAL);
    o->next_block_relay = o->started_us + exp_delay_us(BLOCK_RELAY_INTERVAL);
    o->next_network = o->started_us + exp_delay_us(NETWORK_INTERVAL);
    o->seed_node_time = time_now();
    o->add_fixed_seeds = n->set.fixed_seeds;
    if (!o->add_fixed_seeds)
        log_info("Fixed seeds are disabled");
    o->n_seed_nodes = n->set.n_seed_nodes;
    o->seed_nodes = xcalloc(o->n_seed_nodes + 1, sizeof(*o->seed_nodes));
    for (size_t i = 0; i < o->n_seed_nodes; i++) { /* in random order, so that restarts do not favour one */
        size_t k = random_u64() % (i + 1);
        o->seed_nodes[i] = o->seed_nodes[k];
        o->seed_nodes[k] = n->set.seed_nodes[i];
    }
    o->fetch_seed_node = o->n_seed_nodes && addrman_count(n->addrman, NET_UNKNOWN, ADDRMAN_BOTH) == 0;
}

void net_outbound_stop(struct node_net *n)
{
    struct addr_entry anchors[ARRAY_LEN(n->out.anchors)];
    size_t count = 0;
    char *path;

    if (!n->set.automatic || n->out.started_us == 0)
        return;
    n->out.started_us = 0;
    memset(anchors, 0, sizeof(anchors));
    for (const struct net_peer *p = n->peers; p && count < ARRAY_LEN(anchors); p = p->hh.next) {
        struct peer_merit m;
        if (p->type != CONN_BLOCK_RELAY || !sync_peer_merit(n->sync, p->id, &m))
            continue;
        anchors[count].addr = p->addr;
        anchors[count++].services = m.services;
    }
    log_info("DumpAnchors: Flush %zu outbound block-relay-only peer addresses to anchors.dat", count);
    path = fs_join(n->config->dir.net_dir, "anchors.dat");
    anchors_save(path, anchors, count, n->config->params.magic);
    free(path);
}

void net_outbound_free(struct node_net *n)
{
    struct net_fetch *f, *tmp;

    DL_FOREACH_SAFE (n->out.fetches, f, tmp)
        free(f);
    n->out.fetches = NULL;
    free(n->out.seed_nodes);
    n->out.seed_nodes = NULL;
}
