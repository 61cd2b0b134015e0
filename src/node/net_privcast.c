/* net_privcast.c - connections for private broadcast (-privatebroadcast): as many as sync wants, to Tor and I2P addresses of the address manager,
 * or to IPv4 and IPv6 ones through Tor once that has worked; and what has not come back is judged again. Loop thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "node/net_private.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/random.h"
#include "util/time.h"

#define MAX_CONNECTIONS 64
#define BAD_PER_TICK 20 /* addresses that cannot be used, before the next tick goes on */
#define WARN_SECONDS 5
#define REATTEMPT_US 120000000
#define REATTEMPT_SPREAD_US 60000000

/* A connection that is being opened. */
struct privcast_dial {
    struct node_net *net;
    struct dial *dial;
    struct net_addr addr;
    bool v2;
    char text[320]; /* for the log */
    struct privcast_dial *prev, *next;
};

void net_privcast_wanted(void *ctx, int connections)
{
    struct node_net *n = ctx;

    if (connections < 0 && (size_t)-connections >= n->privcast.to_open)
        n->privcast.to_open = 0;
    else
        n->privcast.to_open += (size_t)connections;
}

static void on_dialed(void *ctx, const struct dial_result *r)
{
    struct privcast_dial *d = ctx;
    struct node_net *n = d->net;
    struct net_arrival from = {
        .fd = r->fd, .type = CONN_PRIVATE_BROADCAST, .addr = d->addr, .local = r->local, .proxied = true, .v2 = d->v2};

    DL_DELETE(n->privcast.dials, d);
    n->privcast.n_dials--;
    if (!r->proxy_failed)
        addrman_attempt(n->addrman, &d->addr, true, time_now());
    if (r->fd >= 0) {
        net_peer_add(n, &from)->control = r->control;
        n->privcast.to_open -= n->privcast.to_open > 0;
        log_debug(LOG_PRIVATEBROADCAST, "Socket connected to %s; remaining connections to open: %zu", d->text, n->privcast.to_open);
    } else if (n->privcast.to_open == 0) {
        log_debug(LOG_PRIVATEBROADCAST, "Failed to connect to %s, will not retry, no more connections needed", d->text);
    } else {
        log_debug(LOG_PRIVATEBROADCAST,
                  "Failed to connect to %s, will retry to a different address; remaining connections to open: %zu", d->text,
                  n->privcast.to_open);
    }
    free(d);
}

/* At random among those that hide where we are. Returns: NET_UNKNOWN if there is none. */
static enum net_network pick_network(const struct node_net *n)
{
    enum net_network list[4];
    size_t count = 0;
    bool onion = net_reachable(n, NET_ONION) && dialer_proxy(n->dialer, NET_ONION)->kind != PROXY_NONE;

    if (onion)
        list[count++] = NET_ONION;
    if (onion && n->privcast.tor_works && net_reachable(n, NET_IPV4))
        list[count++] = NET_IPV4;
    if (onion && n->privcast.tor_works && net_reachable(n, NET_IPV6))
        list[count++] = NET_IPV6;
    if (net_reachable(n, NET_I2P) && dialer_proxy(n->dialer, NET_I2P)->kind != PROXY_NONE)
        list[count++] = NET_I2P;
    return count ? list[random_u64() % count] : NET_UNKNOWN;
}

static bool may_open(struct node_net *n, const struct net_addr *a)
{
    const struct privcast_dial *d;

    if (!net_addr_is_routable(a) || net_is_own(n, a) || bans_has_addr(n->bans, a) || bans_is_discouraged(n->bans, a))
        return false;
    DL_FOREACH (n->privcast.dials, d)
        if (net_addr_same_ip(&d->addr, a))
            return false;
    for (const struct net_peer *p = n->peers; p; p = p->hh.next)
        if (net_addr_same_ip(&p->addr, a))
            return false;
    return true;
}

static void open_one(struct node_net *n, const struct net_addr *a, bool v2)
{
    struct privcast_dial *d = xcalloc(1, sizeof(*d));
    /* Never past a proxy: Tor's, or a destination in I2P that is made for this. */
    struct proxy proxy = *dialer_proxy(n->dialer, a->network == NET_I2P ? NET_I2P : NET_ONION);
    char text[NET_ADDR_TEXT], via[140];

    d->net = n;
    d->addr = *a;
    d->v2 = v2;
    net_addr_text(text, a);
    proxy_text(via, sizeof(via), &proxy);
    if (a->network == NET_IPV4 || a->network == NET_IPV6)
        snprintf(d->text, sizeof(d->text), "%s through the proxy at %s", text, via);
    else
        snprintf(d->text, sizeof(d->text), "%s", text);
    log_debug(LOG_NET, "trying %s connection (private-broadcast) to %s, lastseen=0.0hrs", v2 ? "v2" : "v1", text);
    DL_APPEND(n->privcast.dials, d);
    n->privcast.n_dials++;
    d->dial = dial_addr(n->dialer, a, &proxy, on_dialed, d);
}

void net_privcast_again(struct node_net *n, const struct net_addr *a)
{
    enum net_network way = a->network == NET_I2P ? NET_I2P : NET_ONION;

    if (dialer_proxy(n->dialer, way)->kind != PROXY_NONE)
        open_one(n, a, false);
}

static void warn_unreachable(struct node_net *n)
{
    if (time_now() < n->privcast.next_warning)
        return;
    n->privcast.next_warning = time_now() + WARN_SECONDS;
    log_warning("Unable to open -privatebroadcast connections: neither Tor nor I2P is reachable");
}

static void open_wanted(struct node_net *n)
{
    size_t open = net_count_type(n, CONN_PRIVATE_BROADCAST);
    unsigned bad = 0;

    while (n->privcast.n_dials < n->privcast.to_open && open + n->privcast.n_dials < MAX_CONNECTIONS && bad < BAD_PER_TICK) {
        enum net_network network = pick_network(n);
        struct addr_entry e;
        int64_t last_try;
        if (network == NET_UNKNOWN) {
            warn_unreachable(n);
            return;
        }
        if (addrman_select(n->addrman, false, ADDRMAN_NETWORK(network), &e, &last_try) && may_open(n, &e.addr))
            open_one(n, &e.addr, n->set.v2 && (e.services & NODE_P2P_V2));
        else
            bad++;
    }
}

/* ---- those that have not come back ---- */

struct stale_job {
    struct node_net *net;
    struct tx **txs;
    char (*why)[200]; /* "": acceptable still */
    size_t n;
};

static void stale_drop(void *arg)
{
    struct stale_job *j = arg;

    for (size_t i = 0; i < j->n; i++)
        tx_unref(j->txs[i]);
    free(j->txs);
    free(j->why);
    free(j);
}

static void stale_settle(void *arg)
{
    struct stale_job *j = arg;

    for (size_t i = 0; i < j->n; i++)
        sync_private_settle(j->net->sync, j->txs[i], j->why[i][0] ? j->why[i] : NULL);
    stale_drop(j);
}

static void stale_judge(void *arg)
{
    struct stale_job *j = arg;

    for (size_t i = 0; i < j->n; i++) {
        struct mempool_result r;
        char text[sizeof(struct verdict)];
        mempool_accept(j->net->mempool, j->txs[i], true, false, &r);
        if (r.kind != MEMPOOL_ACCEPTED)
            snprintf(j->why[i], sizeof(j->why[i]), "%.199s", verdict_string(&r.verdict, text));
    }
    loop_post(j->net->loop, stale_settle, stale_drop, j);
}

static void reattempt(struct node_net *n)
{
    struct tx **txs;
    size_t count = sync_private_stale(n->sync, &txs);
    struct stale_job *j;

    if (!count)
        return;
    j = xcalloc(1, sizeof(*j));
    j->net = n;
    j->txs = txs;
    j->n = count;
    j->why = xcalloc(count, sizeof(*j->why));
    queue_push(n->validation, stale_judge, stale_drop, j, 0);
}

void net_privcast_tick(struct node_net *n)
{
    int64_t now = time_mono_us();

    if (!n->set.private_broadcast || !n->dialer)
        return;
    if (n->active)
        open_wanted(n);
    if (n->privcast.next_reattempt && now < n->privcast.next_reattempt)
        return;
    if (n->privcast.next_reattempt)
        reattempt(n);
    n->privcast.next_reattempt = now + REATTEMPT_US + (int64_t)(random_u64() % REATTEMPT_SPREAD_US);
}

void net_privcast_stop(struct node_net *n)
{
    struct privcast_dial *d, *tmp;

    DL_FOREACH_SAFE (n->privcast.dials, d, tmp) {
        dial_cancel(d->dial);
        DL_DELETE(n->privcast.dials, d);
        free(d);
    }
    n->privcast.n_dials = 0;
}

/* ---- for RPC ---- */

enum privcast_state node_net_privcast_state(struct node_net *n)
{
    if (!n->set.private_broadcast)
        return PRIVCAST_OFF;
    return net_reachable(n, NET_ONION) || net_reachable(n, NET_I2P) ? PRIVCAST_ON : PRIVCAST_UNREACHABLE;
}

enum private_result node_net_privcast_add(struct node_net *n, struct tx *tx)
{
    return sync_private_add(n->sync, tx);
}

size_t node_net_privcast_list(struct node_net *n, struct private_info **out)
{
    return sync_private_list(n->sync, out);
}

size_t node_net_privcast_abort(struct node_net *n, const uint8_t id[32], struct tx ***out)
{
    return sync_private_abort(n->sync, id, out);
}
