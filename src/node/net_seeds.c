/* net_seeds.c - the first addresses: from DNS seeds when few are known and peers are lacking, and those built into the program when there are no
 * others. Both are steps of a twice-a-second tick. Loop thread. */
#include "net/seeds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "node/net_private.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/random.h"
#include "util/time.h"

#define AT_ONCE 3            /* seeds asked before we look whether that was enough */
#define DELAY_FEW 11         /* s, when few addresses are known; also between two looks at how many peers there are */
#define DELAY_MANY 300       /* s */
#define MANY 1000            /* addresses */
#define ENOUGH_PEERS 2       /* full-relay ones */
#define SEED_NODE_TIME 30    /* s that -seednode has before DNS is asked */
#define MAX_IPS 32           /* taken from one seed */
#define FIXED_SEEDS_AFTER 60 /* s */
#define DAY (24 * 3600)
#define WEEK (7 * DAY)
#define WANTED_SERVICES (NODE_NETWORK | NODE_WITNESS)

/* ---- fixed seeds ---- */

/* Set of networks that we could connect to if we knew an address there. */
static unsigned empty_networks(const struct node_net *n)
{
    static const enum net_network nets[] = {NET_IPV4, NET_IPV6, NET_ONION, NET_I2P, NET_CJDNS};
    unsigned set = 0;

    for (size_t i = 0; i < ARRAY_LEN(nets); i++)
        if (net_reachable(n, nets[i]) && addrman_count(n->addrman, nets[i], ADDRMAN_BOTH) == 0)
            set |= ADDRMAN_NETWORK(nets[i]);
    return set;
}

static bool added_nodes(const struct node_net *n)
{
    const struct net_wanted *w;
    DL_FOREACH (n->wanted, w)
        if (!w->from_connect)
            return true;
    return false;
}

static void add_fixed_seeds(struct node_net *n, unsigned networks)
{
    struct net_addr *list, source;
    size_t count = seeds_fixed(&list, n->config->params.name), added = 0;
    struct addr_entry *entries = xcalloc(count + 1, sizeof(*entries));
    char text[NET_ADDR_TEXT];

    for (size_t i = 0; i < count; i++) {
        net_addr_text(text, &list[i]);
        log_debug(LOG_NET, "Added hardcoded seed: %s", text);
        if (!(networks & ADDRMAN_NETWORK(list[i].network)))
            continue;
        entries[added].addr = list[i];
        entries[added].services = SEED_SERVICES;
        entries[added++].time = (uint32_t)(time_now() - WEEK - (int64_t)(random_u64() % WEEK));
    }
    net_addr_from_name(&source, "fixedseeds");
    addrman_add(n->addrman, entries, added, &source, 0);
    log_info("Added %zu fixed seeds from reachable networks.", added);
    n->out.add_fixed_seeds = false;
    free(entries);
    free(list);
}

void net_fixed_seeds_tick(struct node_net *n)
{
    unsigned networks;

    if (!n->out.add_fixed_seeds || (networks = empty_networks(n)) == 0)
        return;
    if (time_now() > n->out.started_us / 1000000 + FIXED_SEEDS_AFTER)
        log_info("Adding fixed seeds as %d seconds have passed and addrman is empty for at least one reachable network",
                 FIXED_SEEDS_AFTER);
    else if (!n->set.dns_seed && n->set.n_seed_nodes == 0 && !added_nodes(n))
        log_info("Adding fixed seeds as -dnsseed=0 (or IPv4/IPv6 connections are disabled via -onlynet) and neither -addnode nor "
                 "-seednode are provided");
    else
        return;
    add_fixed_seeds(n, networks);
}

/* ---- DNS ---- */

struct seed_lookup {
    struct node_net *net;
    const char *seed;
};

static size_t known(const struct node_net *n)
{
    return addrman_count(n->addrman, NET_UNKNOWN, ADDRMAN_BOTH);
}

static unsigned full_relay_peers(struct node_net *n)
{
    struct peer_merit m;
    unsigned count = 0;

    for (const struct net_peer *p = n->peers; p; p = p->hh.next)
        count += p->type == CONN_OUTBOUND_FULL_RELAY && sync_peer_merit(n->sync, p->id, &m) && m.handshake_done;
    return count;
}

static void seeds_end(struct node_net *n)
{
    n->dns.phase = SEEDS_DONE;
    free(n->dns.names);
    n->dns.names = NULL;
}

/* The name's addresses go to the address manager; without any, the seed itself is asked by a connection. */
static void on_seed(void *ctx, const struct net_addr *addrs, size_t count)
{
    struct seed_lookup *l = ctx;
    struct node_net *n = l->net;
    struct addr_entry entries[MAX_IPS];
    struct net_addr source;
    char name[256];

    n->dns.looking_up = false;
    if (count > MAX_IPS)
        count = MAX_IPS;
    if (!n->stopping && count == 0)
        net_fetch_addrs_from(n, l->seed);
    if (!n->stopping && count) {
        for (size_t i = 0; i < count; i++) {
            entries[i].addr = addrs[i];
            entries[i].addr.port = n->config->params.port;
            entries[i].services = SEED_SERVICES;
            entries[i].time = (uint32_t)(time_now() - 3 * DAY - (int64_t)(random_u64() % (4 * DAY)));
        }
        snprintf(name, sizeof(name), "x%x.%s", WANTED_SERVICES, l->seed);
        net_addr_from_name(&source, name);
        addrman_add(n->addrman, entries, count, &source, 0);
        n->dns.found += count;
    }
    free(l);
}

static void ask(struct node_net *n, const char *seed)
{
    struct seed_lookup *l;
    char name[256];

    log_info("Loading addresses from DNS seed %s", seed);
    if (dialer_has_name_proxy(n->dialer)) { /* a look-up of ours would tell who we are */
        net_fetch_addrs_from(n, seed);
        return;
    }
    l = xcalloc(1, sizeof(*l));
    l->net = n;
    l->seed = seed;
    n->dns.looking_up = true;
    snprintf(name, sizeof(name), "x%x.%s", WANTED_SERVICES, seed);
    if (!n->dns.resolver)
        n->dns.resolver = resolver_new(n->loop);
    resolver_lookup(n->dns.resolver, name, on_seed, l);
}

/* -seednode comes first. */
static void wait_for_seed_nodes(struct node_net *n)
{
    if (time_now() > n->dns.started + SEED_NODE_TIME)
        log_info("Couldn't connect to enough peers via seed nodes. Handing fetch logic to the DNS seeds.");
    else if ((n->dns.peers = full_relay_peers(n)) >= ENOUGH_PEERS)
        log_info("P2P peers available. Finished fetching data from seed nodes.");
    else
        return;
    n->dns.phase = SEEDS_BEGIN;
}

static void begin(struct node_net *n)
{
    if (n->set.force_dns_seed || known(n) == 0)
        n->dns.right_now = n->dns.n_names;
    n->dns.phase = SEEDS_ASK;
    if (n->dns.peers < ENOUGH_PEERS || n->dns.right_now)
        return;
    log_info("Skipping DNS seeds. Enough peers have been found");
    seeds_end(n);
}

/* Known addresses are given some time before the next seeds are asked. */
static void wait_for_peers(struct node_net *n)
{
    int64_t now = time_mono_us();

    if (now < n->dns.next_look)
        return;
    n->dns.next_look = now + DELAY_FEW * 1000000LL;
    if (full_relay_peers(n) >= ENOUGH_PEERS) {
        if (n->dns.found)
            log_info("%zu addresses found from DNS seeds", n->dns.found);
        log_info("P2P peers available. %s DNS seeding.", n->dns.found ? "Finished" : "Skipped");
        seeds_end(n);
    } else if (now >= n->dns.wait_until) {
        n->dns.phase = SEEDS_ASK;
    }
}

static void begin_waiting(struct node_net *n)
{
    int64_t delay = known(n) >= MANY ? DELAY_MANY : DELAY_FEW, now = time_mono_us();

    n->dns.right_now = AT_ONCE;
    if (known(n) == 0)
        return;
    log_info("Waiting %d seconds before querying DNS seeds.", (int)delay);
    n->dns.wait_until = now + delay * 1000000LL;
    n->dns.next_look = now + DELAY_FEW * 1000000LL;
    n->dns.phase = SEEDS_WAIT;
}

static void ask_next(struct node_net *n)
{
    if (n->dns.looking_up)
        return;
    if (n->dns.next_name == n->dns.n_names) {
        log_info("%zu addresses found from DNS seeds", n->dns.found);
        seeds_end(n);
        return;
    }
    if (n->dns.right_now == 0) {
        begin_waiting(n);
        return;
    }
    if (!n->active) {
        if (!n->dns.told_inactive)
            log_info("Waiting for network to be reactivated before querying DNS seeds.");
        n->dns.told_inactive = true;
        return;
    }
    n->dns.told_inactive = false;
    ask(n, n->dns.names[n->dns.next_name++]);
    n->dns.right_now--;
}

void net_seeds_tick(struct node_net *n)
{
    enum net_seeds_phase before;

    do {
        before = n->dns.phase;
        if (before == SEEDS_NODES)
            wait_for_seed_nodes(n);
        else if (before == SEEDS_BEGIN)
            begin(n);
        else if (before == SEEDS_ASK)
            ask_next(n);
        else if (before == SEEDS_WAIT)
            wait_for_peers(n);
    } while (n->dns.phase != before || (before == SEEDS_ASK && !n->dns.looking_up && n->active));
}

void net_seeds_start(struct node_net *n)
{
    const struct args *a = n->config->args;
    const char *const *seeds;

    if (n->set.n_connect && n->set.n_seed_nodes)
        log_info("-seednode is ignored when -connect is used");
    if (!n->set.automatic && n->set.dns_seed && args_is_set(a, "dnsseed") && args_is_set(a, "proxy"))
        log_info("-dnsseed is ignored when -connect is used and -proxy is specified");
    if (!n->set.dns_seed) {
        log_info("DNS seeding disabled");
        return;
    }
    log_info("dnsseed thread start");
    n->dns.n_names = n->config->params.id == CHAIN_SIGNET ? args_list(a, "signetseednode", &seeds) : 0;
    if (n->dns.n_names == 0)
        for (seeds = n->config->params.dns_seeds; seeds[n->dns.n_names];)
            n->dns.n_names++;
    n->dns.names = xcalloc(n->dns.n_names + 1, sizeof(*n->dns.names));
    for (size_t i = 0; i < n->dns.n_names; i++) {
        size_t k = random_u64() % (i + 1);
        n->dns.names[i] = n->dns.names[k];
        n->dns.names[k] = seeds[i];
    }
    n->dns.started = time_now();
    n->dns.phase = n->set.n_seed_nodes ? SEEDS_NODES : SEEDS_BEGIN;
    if (n->set.n_seed_nodes)
        log_info("-seednode enabled. Trying the provided seeds for %d seconds before defaulting to the dnsseeds.", SEED_NODE_TIME);
}

void net_seeds_stop(struct node_net *n)
{
    n->dns.phase = SEEDS_DONE;
    resolver_free(n->dns.resolver);
    n->dns.resolver = NULL;
    free(n->dns.names);
    n->dns.names = NULL;
}
