/* net_host.c - the network's start and end, and what RPC commands ask of it (rpc/net_host.h). Loop thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "chain/snapshot.h"
#include "node/net_private.h"
#include "util/fs.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/random.h"
#include "util/time.h"

#define OTHER_FILES 512 /* descriptors for everything but peers */
#define TRIM_PEERS 50   /* as many are worth giving their memory back */
#define TRIM_DELAY_US 3000000

bool node_net_check(const struct node_config *config, char **error)
{
    struct net_settings s;
    bool ok = net_settings_read(&s, config, error);
    net_settings_clear(&s);
    return ok;
}

/* Peers must not take the descriptors that databases, block files and RPC need: a database that cannot open a table ends the node. */
static void fit_open_files(struct net_settings *s)
{
    size_t have = fs_raise_open_files(OTHER_FILES + (size_t)s->max_connections);
    int64_t room = have > OTHER_FILES ? (int64_t)(have - OTHER_FILES) : 0;

    if (room >= s->max_connections)
        return;
    log_warning("Reducing -maxconnections from %lld to %lld, because of system limitations.", (long long)s->max_connections,
                (long long)room);
    s->max_connections = room;
}

static void on_ready(void *ctx, peer_id peer)
{
    struct net_peer *p = net_peer_find(ctx, peer);
    if (p)
        connection_resume(p->conn);
}

struct node_net *node_net_new(const struct node_config *config, struct loop *loop, struct chain *chain, struct mempool *mempool,
                              struct filter_index *filters, struct queue *validation, struct pool *io)
{
    struct node_net *n = xcalloc(1, sizeof(*n));
    const struct block_entry *tip, *base;
    struct sync_options o = {0};
    char *error;

    n->config = config;
    n->loop = loop;
    n->chain = chain;
    n->mempool = mempool;
    n->filters = filters;
    n->validation = validation;
    n->io = io;
    n->prepare = pool_new("blocks", 1);
    if (!net_settings_read(&n->set, config, &error)) { /* node_net_check has passed: the same text comes from node_net_start */
        free(error);
    }
    n->set.services_full = n->set.services;
    if (chain_history(chain, &tip, &base) && (n->set.services & NODE_NETWORK)) {
        log_info("Running node in NODE_NETWORK_LIMITED mode until snapshot background sync completes");
        n->set.services &= ~(uint64_t)NODE_NETWORK;
    }
    fit_open_files(&n->set);
    net_slots_init(n);
    n->active = n->set.active;
    log_info("SetNetworkActive: %s", n->active ? "true" : "false");
    n->group_key[0] = random_u64();
    n->group_key[1] = random_u64();
    o.params = &config->params;
    o.chain = chain;
    o.host = net_sync_host(n);
    o.user_agent = n->set.user_agent;
    o.local_services = n->set.services;
    o.blocks_only = n->set.blocks_only;
    o.min_fee_rate = config->policy.min_relay_fee_rate;
    o.incremental_fee_rate = config->policy.incremental_fee_rate;
    o.tx_send_rate = (double)n->set.tx_send_rate;
    o.peer_timeout = n->set.peer_timeout;
    o.tx_reconciliation = args_bool(config->args, "txreconciliation", false);
    o.extra_txs = n->set.extra_txs;
    o.log_ips = args_bool(config->args, "logips", false);
    o.min_chain_work = config->min_chain_work;
    n->sync = sync_new(&o);
    sync_set_ready_callback(n->sync, on_ready, n);
    sync_set_outbound(n->sync, n->slots.full_relay, n->slots.block_relay, false);
    return n;
}

static void on_tick(void *arg)
{
    struct node_net *n = arg;
    if (n->stopping)
        return;
    sync_tick(n->sync);
    net_own_tick(n);
    net_privcast_tick(n);
    net_upload_tick(n);
    net_outbound_tick(n);
}

static void give_back(void *arg)
{
    (void)arg;
    mem_give_back();
}

/* When most peers have left, what they took lies in holes of the heap. A moment later, as others may come in their place. */
static void trim_tick(struct node_net *n)
{
    size_t count = HASH_COUNT(n->peers);
    int64_t now = time_mono_us();

    if (count * 2 > n->trim.peak || n->trim.peak < TRIM_PEERS)
        n->trim.due = 0;
    else if (n->trim.due == 0)
        n->trim.due = now + TRIM_DELAY_US;
    if (count > n->trim.peak)
        n->trim.peak = count;
    if (n->trim.due == 0 || now < n->trim.due)
        return;
    n->trim.due = 0;
    n->trim.peak = count;
    pool_push(n->io, give_back, NULL, 0);
}

/* Every half second. */
static void on_slow_tick(void *arg)
{
    struct node_net *n = arg;
    if (n->stopping)
        return;
    net_wanted_tick(n);
    net_seeds_tick(n);
    trim_tick(n);
}

/* For the user's eyes too, as Core does with what they should reconsider. */
static void warn_user(const char *text)
{
    log_warning("%s", text);
    fprintf(stderr, "Warning: %s\n", text);
}

bool node_net_start(struct node_net *n, char **error)
{
    if (!node_net_check(n->config, error) || !net_book_open(n, error))
        return false;
    if (n->set.listen && !net_listen(n, error))
        return false;
    net_ways_open(n);
    if (n->set.private_broadcast && !n->set.ways.randomize && (net_reachable(n, NET_ONION) || n->set.ways.listen_onion))
        warn_user(
            "Private broadcast of own transactions requested (-privatebroadcast) and -proxyrandomize is disabled. Tor circuits "
            "for private broadcast connections may be correlated to other connections over Tor. For maximum privacy set "
            "-proxyrandomize=1.");
    net_local_start(n);
    net_ways_listen(n);
    net_tor_start(n);
    for (size_t i = 0; i < n->set.n_added; i++) {
        if (n->set.added[i][strspn(n->set.added[i], " \t\n\r\f\v")] == 0)
            log_warning("Ignoring empty -addnode value");
        else if (!net_wanted_find(n, n->set.added[i]))
            net_want(n, n->set.added[i], false, n->set.v2);
    }
    for (size_t i = 0; i < n->set.n_connect; i++)
        net_want(n, n->set.connect[i], true, n->set.v2);
    net_seeds_start(n);
    log_info("init message: Starting network threads…");
    log_info("net thread start"); /* one loop does what these threads do in Core; scripts wait for the lines */
    log_info("addcon thread start");
    log_info("msghand thread start");
    net_outbound_start(n);
    loop_every(n->loop, 100, on_tick, n);
    loop_every(n->loop, 500, on_slow_tick, n);
    on_slow_tick(n);
    return true;
}

void node_net_stop(struct node_net *n)
{
    n->stopping = true;
    net_outbound_stop(n);
    net_seeds_stop(n);
    net_open_cancel_all(n);
    net_privcast_stop(n);
    net_tor_stop(n);
    net_ways_close(n);
    net_close_all(n);
    pool_free(n->prepare); /* its last jobs go to validation, which still runs */
    n->prepare = NULL;
}

void node_net_free(struct node_net *n)
{
    if (!n)
        return;
    node_net_stop(n);
    while (n->wanted)
        net_unwant(n, n->wanted);
    sync_free(n->sync);
    net_due_free(n);
    free(n->listeners);
    net_outbound_free(n);
    net_addr_free(n);
    net_book_close(n);
    net_settings_clear(&n->set);
    free(n);
}

size_t node_net_peers(struct node_net *n, struct peer_info **out)
{
    size_t count = sync_peers(n->sync, out);

    for (size_t i = 0; i < count; i++) {
        struct peer_info *info = &(*out)[i];
        const struct net_peer *p = net_peer_find(n, info->id);
        struct message_count counts[ARRAY_LEN(info->per_msg) - 1];
        size_t n_counts;
        if (!p)
            continue;
        info->bytes_sent = connection_bytes_sent(p->conn);
        info->bytes_recv = connection_bytes_recv(p->conn);
        info->last_send = connection_last_send(p->conn);
        info->last_recv = connection_last_recv(p->conn);
        info->transport = connection_transport(p->conn);
        if (connection_session_id(p->conn))
            memcpy(info->session_id, connection_session_id(p->conn), sizeof(info->session_id));
        n_counts = connection_message_counts(p->conn, counts, ARRAY_LEN(counts));
        for (size_t k = 0; k < n_counts; k++) {
            snprintf(info->per_msg[k].type, sizeof(info->per_msg[k].type), "%s", counts[k].type);
            info->per_msg[k].sent = counts[k].sent;
            info->per_msg[k].recv = counts[k].recv;
        }
    }
    return count;
}

void node_net_totals(struct node_net *n, struct net_totals *out)
{
    out->bytes_sent = n->closed_sent;
    out->bytes_recv = n->closed_recv;
    for (const struct net_peer *p = n->peers; p; p = p->hh.next) {
        out->bytes_sent += connection_bytes_sent(p->conn);
        out->bytes_recv += connection_bytes_recv(p->conn);
    }
    net_upload_state(n, &out->upload);
}

unsigned node_net_count(struct node_net *n, bool in, bool out)
{
    unsigned count = 0;
    for (const struct net_peer *p = n->peers; p; p = p->hh.next)
        count += p->type == CONN_INBOUND ? in : out;
    return count;
}

const char *node_net_user_agent(struct node_net *n)
{
    return n->set.user_agent;
}

uint64_t node_net_local_services(struct node_net *n)
{
    return n->set.services;
}

bool node_net_active(struct node_net *n)
{
    return n->active;
}

void node_net_set_active(struct node_net *n, bool on)
{
    struct net_peer *p, *tmp;

    log_info("SetNetworkActive: %s", on ? "true" : "false");
    if (n->active == on)
        return;
    n->active = on;
    if (on)
        return;
    HASH_ITER (hh, n->peers, p, tmp)
        net_peer_close(p, "Network not active");
}

size_t node_net_local_addresses(struct node_net *n, struct net_local_address **out)
{
    *out = xcalloc(n->local.n + 1, sizeof(**out));
    for (size_t i = 0; i < n->local.n; i++) {
        char text[NET_ADDR_TEXT];
        net_addr_ip_text(text, &n->local.v[i].addr);
        snprintf((*out)[i].address, sizeof((*out)[i].address), "%s", text);
        (*out)[i].port = n->local.v[i].addr.port;
        (*out)[i].score = n->local.v[i].score;
    }
    return n->local.n;
}

const char *node_net_add(struct node_net *n, const char *addr, bool v2)
{
    struct net_wanted *w;

    if (strlen(addr) >= sizeof(w->name) || net_wanted_find(n, addr))
        return "Error: Node already added";
    net_want(n, addr, false, v2);
    net_wanted_tick(n);
    return NULL;
}

const char *node_net_remove(struct node_net *n, const char *addr)
{
    struct net_wanted *w;

    DL_FOREACH (n->wanted, w) {
        if (!w->from_connect && strcmp(w->name, addr) == 0) {
            net_unwant(n, w);
            return NULL;
        }
    }
    return "Error: Node could not be removed. It has not been added previously.";
}

void node_net_onetry(struct node_net *n, const char *addr, bool v2)
{
    net_open_name(n, addr, CONN_MANUAL, v2);
}

size_t node_net_added(struct node_net *n, struct added_node **out)
{
    struct net_wanted *w;
    size_t count = 0;

    DL_FOREACH (n->wanted, w)
        count++;
    *out = xcalloc(count + 1, sizeof(**out));
    count = 0;
    DL_FOREACH (n->wanted, w) {
        struct added_node *a = &(*out)[count];
        struct net_addr addr;
        bool numeric = net_parse(n, &addr, w->name);
        if (w->from_connect)
            continue;
        count++;
        snprintf(a->address, sizeof(a->address), "%s", w->name);
        for (const struct net_peer *p = n->peers; p && !a->connected; p = p->hh.next) {
            if (numeric ? !net_addr_equal(&p->addr, &addr) : strcmp(p->name, w->name) != 0)
                continue;
            a->connected = true;
            a->inbound = p->type == CONN_INBOUND;
            net_addr_text(a->connected_addr, &p->addr);
        }
    }
    return count;
}

bool node_net_add_connection(struct node_net *n, const char *addr, enum connection_type type, bool v2)
{
    size_t outbound = HASH_COUNT(n->peers) - net_count_type(n, CONN_INBOUND) - net_count_type(n, CONN_MANUAL);

    if ((type == CONN_OUTBOUND_FULL_RELAY && net_count_type(n, type) >= n->slots.full_relay) ||
        (type == CONN_BLOCK_RELAY && net_count_type(n, type) >= n->slots.block_relay) || outbound >= n->slots.outbound)
        return false;
    net_open_name(n, addr, type, v2);
    return true;
}

bool node_net_is_opening(struct node_net *n, const char *addr)
{
    const struct net_attempt *a;
    DL_FOREACH (n->attempts, a)
        if (strcmp(a->target.name, addr) == 0)
            return true;
    return false;
}

bool node_net_disconnect_addr(struct node_net *n, const char *addr)
{
    struct net_peer *p;
    char text[NET_ADDR_TEXT];

    for (p = n->peers; p; p = p->hh.next) {
        net_addr_text(text, &p->addr);
        if (strcmp(p->name[0] ? p->name : text, addr) == 0) {
            log_debug(LOG_NET, "disconnect by address=%s match, disconnecting peer=%lld", addr, (long long)p->id);
            net_peer_close(p, NULL);
            return true;
        }
    }
    return false;
}

bool node_net_disconnect_id(struct node_net *n, peer_id id)
{
    struct net_peer *p = net_peer_find(n, id);
    if (p)
        net_peer_close(p, "disconnect by id");
    return p != NULL;
}

void node_net_ping_all(struct node_net *n)
{
    sync_ping_all(n->sync);
}

void node_net_announce_tx(struct node_net *n, struct tx *tx)
{
    sync_announce_own_tx(n->sync, tx);
}

bool node_net_send(struct node_net *n, peer_id id, const char *type, const void *payload, size_t len)
{
    struct net_peer *p = net_peer_find(n, id);
    if (p)
        net_peer_send(p, type, payload, len);
    return p != NULL;
}

const char *node_net_fetch_block(struct node_net *n, peer_id id, const struct block_entry *e)
{
    return sync_fetch_block(n->sync, id, e);
}

struct tx_relay_info node_net_tx_relay(struct node_net *n)
{
    return sync_tx_relay(n->sync);
}

size_t node_net_orphans(struct node_net *n, struct orphan_info **out)
{
    return sync_orphans(n->sync, out);
}
