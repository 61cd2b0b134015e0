/* net_ways.c - the dialer made of the options, which networks can be reached, and connections that come through I2P. Called by net_host.c at
 * start and end, by net_tor.c when Tor tells of its proxy, by RPC. Loop thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/net_private.h"
#include "util/fs.h"
#include "util/log.h"
#include "util/mem.h"

void net_ways_open(struct node_net *n)
{
    const struct net_ways *w = &n->set.ways;
    struct dialer_options o = {
        .names = w->names, .i2p_sam = w->by_network[NET_I2P], .connect_timeout_ms = n->set.connect_timeout_ms};

    memcpy(o.by_network, w->by_network, sizeof(o.by_network));
    memset(&o.by_network[NET_I2P], 0, sizeof(o.by_network[NET_I2P]));
    memcpy(n->reachable, w->reachable, sizeof(n->reachable));
    o.allow_names = n->set.dns;
    if (o.i2p_sam.kind != PROXY_NONE && w->i2p_accept)
        n->i2p_key_path = fs_join(n->config->dir.net_dir, "i2p_private_key");
    o.i2p_key_path = n->i2p_key_path;
    n->dialer = dialer_new(n->loop, &o);
}

static void on_i2p_peer(void *ctx, evutil_socket_t fd, const struct net_addr *peer, const struct net_addr *local)
{
    struct net_arrival from = {.fd = fd, .type = CONN_INBOUND, .addr = *peer, .local = *local};
    net_accept(ctx, &from, PERM_NONE);
}

static void on_i2p_address(void *ctx, const struct net_addr *local, bool up)
{
    if (up)
        net_local_add(ctx, local, LOCAL_MANUAL, false);
    else
        net_local_remove(ctx, local);
}

void net_ways_listen(struct node_net *n)
{
    if (n->i2p_key_path)
        n->i2p_listener = i2p_listener_new(n->dialer, on_i2p_peer, on_i2p_address, n);
}

void net_ways_close(struct node_net *n)
{
    i2p_listener_free(n->i2p_listener);
    n->i2p_listener = NULL;
    dialer_free(n->dialer);
    n->dialer = NULL;
    free(n->i2p_key_path);
    n->i2p_key_path = NULL;
}

bool net_reachable(const struct node_net *n, enum net_network network)
{
    return n->reachable[network];
}

void net_ways_set_onion(struct node_net *n, const struct proxy *p)
{
    dialer_set_proxy(n->dialer, NET_ONION, p);
    n->reachable[NET_ONION] = n->set.ways.onion_allowed;
}

void node_net_way(struct node_net *n, enum net_network network, struct net_way *out)
{
    const struct proxy *p = n->dialer ? dialer_proxy(n->dialer, network) : &n->set.ways.by_network[network];

    memset(out, 0, sizeof(*out));
    out->reachable = n->dialer ? n->reachable[network] : n->set.ways.reachable[network];
    proxy_text(out->proxy, sizeof(out->proxy), p);
    out->randomize = p->kind != PROXY_NONE && p->randomize;
}
