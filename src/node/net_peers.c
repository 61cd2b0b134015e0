/* net_peers.c - connections as peers of sync: accepting, registering, closing, permissions, unwanted addresses. Loop thread. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "node/net_private.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/time.h"

struct net_peer *net_peer_find(struct node_net *n, peer_id id)
{
    struct net_peer *p;
    HASH_FIND(hh, n->peers, &id, sizeof(id), p);
    return p;
}

static bool on_message(void *ctx, struct connection *c, const struct message *m)
{
    struct net_peer *p = ctx;
    (void)c;
    if (p->net->set.capture)
        net_capture(p->net, &p->addr, true, m->type, m->payload, m->len);
    return sync_message(p->net->sync, p->id, m);
}

static void on_writable(void *ctx, struct connection *c)
{
    struct net_peer *p = ctx;
    (void)c;
    sync_peer_writable(p->net->sync, p->id);
}

static void peer_drop(struct net_peer *p)
{
    struct node_net *n = p->net;

    net_addr_closing(p);
    sync_peer_disconnected(n->sync, p->id);
    n->closed_sent += connection_bytes_sent(p->conn);
    n->closed_recv += connection_bytes_recv(p->conn);
    HASH_DEL(n->peers, p);
    connection_free(p->conn);
    if (p->control >= 0)
        evutil_closesocket(p->control);
    free(p);
}

/* A peer that did not answer to v2 is tried with v1 at once. */
static void on_closed(void *ctx, struct connection *c)
{
    struct net_peer *p = ctx;
    struct node_net *n = p->net;
    struct net_target t = {.addr = p->addr, .type = p->type};
    bool again = connection_wants_v1(c) && n->active;

    memcpy(t.name, p->name, sizeof(t.name));
    if (again)
        log_debug(LOG_NET, "retrying with v1 transport protocol for peer=%lld", (long long)p->id);
    peer_drop(p);
    if (again && t.type == CONN_PRIVATE_BROADCAST)
        net_privcast_again(n, &t.addr); /* never past the proxy */
    else if (again)
        net_open(n, &t);
}

void net_peer_send(struct net_peer *p, const char *type, const void *payload, size_t len)
{
    if (p->net->set.capture)
        net_capture(p->net, &p->addr, false, type, payload, len);
    connection_send(p->conn, type, payload, len);
}

uint32_t net_permissions_for(const struct node_net *n, uint32_t flags, const struct net_addr *addr, bool inbound)
{
    for (size_t i = 0; i < n->set.n_whitelist; i++) {
        const struct whitelist_entry *w = &n->set.whitelist[i];
        if ((inbound ? w->in : w->out) && addr && subnet_contains(&w->subnet, addr))
            flags |= w->flags;
    }
    return net_permissions_resolve(flags, n->set.whitelist_relay, n->set.whitelist_forcerelay);
}

uint64_t net_group_of(const struct node_net *n, const struct net_addr *addr)
{
    uint8_t group[NETGROUP_MAX];
    size_t len = netgroup_of(n->groups, group, addr);

    return siphash(n->group_key[0], n->group_key[1], group, len);
}

static void fill_facts(const struct node_net *n, struct peer_facts *f, const struct net_arrival *from)
{
    const char *name = from->name ? from->name : "";

    f->type = from->type;
    f->permissions = from->permissions;
    f->remote = from->addr;
    f->local = from->local;
    f->inbound_onion = from->onion;
    f->proxied = from->proxied;
    f->v2 = from->v2;
    f->net_group = net_group_of(n, &from->addr);
    f->mapped_as = netgroup_asn(n->groups, &from->addr);
    if (name[0])
        snprintf(f->addr, sizeof(f->addr), "%.127s", name);
    else
        net_addr_text(f->addr, &from->addr);
    snprintf(f->addr_name, sizeof(f->addr_name), "%s", name);
    if (from->local.network != NET_UNKNOWN)
        net_addr_text(f->addr_bind, &from->local);
    snprintf(f->network, sizeof(f->network), "%s", from->onion ? "onion" : net_addr_network_name(&from->addr));
}

struct net_peer *net_peer_add(struct node_net *n, const struct net_arrival *from)
{
    struct net_peer *p = xcalloc(1, sizeof(*p));
    struct connection_config config = {.id = n->next_id, .max_send = n->set.max_send, .max_recv = n->set.max_recv, .ctx = p};

    config.events.message = on_message;
    config.events.writable = on_writable;
    config.events.closed = on_closed;
    memcpy(config.magic, n->config->params.magic, 4);
    if (from->type == CONN_INBOUND)
        config.role = n->set.v2 ? TRANSPORT_V2_RESPONDER : TRANSPORT_V1_ONLY;
    else
        config.role = from->v2 ? TRANSPORT_V2_INITIATOR : TRANSPORT_V1_ONLY;
    p->id = n->next_id++;
    p->net = n;
    p->type = from->type;
    p->addr = from->addr;
    p->connected = time_now();
    p->prefer_evict = from->prefer_evict;
    p->control = -1;
    snprintf(p->name, sizeof(p->name), "%s", from->name ? from->name : "");
    fill_facts(n, &p->facts, from);
    p->conn = connection_new(n->loop, from->fd, &config);
    HASH_ADD(hh, n->peers, id, sizeof(p->id), p);
    sync_peer_connected(n->sync, p->id, &p->facts);
    return p;
}

void net_peer_close(struct net_peer *p, const char *why)
{
    if (why && !connection_closing(p->conn))
        log_debug(LOG_NET, "%s, disconnecting peer=%lld", why, (long long)p->id);
    connection_close(p->conn);
}

void net_discourage(struct node_net *n, peer_id id)
{
    struct net_peer *p = net_peer_find(n, id), *q, *tmp;
    struct net_addr addr;

    if (!p)
        return;
    if (net_addr_is_local(&p->addr)) {
        log_debug(LOG_NET, "Warning: disconnecting but not discouraging local peer %lld!", (long long)id);
        net_peer_close(p, NULL);
        return;
    }
    log_debug(LOG_NET, "Disconnecting and discouraging peer %lld!", (long long)id);
    addr = p->addr;
    bans_discourage(n->bans, &addr);
    HASH_ITER (hh, n->peers, q, tmp)
        if (net_addr_same_ip(&q->addr, &addr))
            net_peer_close(q, q == p ? NULL : "disconnect by address match");
}

/* Logs why the connection is not wanted. */
static bool refused(struct node_net *n, const struct net_addr *addr, uint32_t permissions)
{
    char text[NET_ADDR_TEXT];

    net_addr_text(text, addr);
    if (!n->active)
        log_debug(LOG_NET, "connection from %s dropped: not accepting new connections", text);
    else if (!net_has_permission(permissions, PERM_NOBAN) && bans_has_addr(n->bans, addr))
        log_debug(LOG_NET, "connection from %s dropped (banned)", text);
    else if (net_count_type(n, CONN_INBOUND) + 1 >= n->slots.inbound && !net_has_permission(permissions, PERM_NOBAN) &&
             bans_is_discouraged(n->bans, addr))
        log_debug(LOG_NET, "connection from %s dropped (discouraged)", text);
    else if (!net_slot_for_inbound(n))
        log_debug(LOG_NET, "failed to find an eviction candidate - connection dropped (full)");
    else
        return false;
    return true;
}

void net_accept(struct node_net *n, const struct net_arrival *arrival, uint32_t flags)
{
    struct net_arrival from = *arrival;
    char text[NET_ADDR_TEXT];

    from.permissions = net_permissions_for(n, flags, from.onion ? NULL : &from.addr, true);
    if (refused(n, &from.addr, from.permissions)) {
        evutil_closesocket(from.fd);
        return;
    }
    from.prefer_evict = bans_is_discouraged(n->bans, &from.addr);
    net_addr_text(text, &from.addr);
    net_peer_add(n, &from);
    log_debug(LOG_NET, "connection from %s accepted", text);
}

static void on_accept(void *ctx, evutil_socket_t fd, const struct net_addr *addr, const struct net_addr *local)
{
    struct net_listener *l = ctx;
    struct net_arrival from = {.fd = fd, .type = CONN_INBOUND, .addr = *addr, .local = *local, .onion = l->onion};

    if (l->net->set.ways.cjdns) {
        net_addr_flip_cjdns(&from.addr);
        net_addr_flip_cjdns(&from.local);
    }
    net_accept(l->net, &from, l->permissions);
}

static bool listen_on(struct node_net *n, const struct net_addr *addr, uint32_t permissions, bool onion, char **error)
{
    struct net_listener *l = &n->listeners[n->n_listeners];

    l->net = n;
    l->permissions = permissions;
    l->onion = onion;
    l->listener = listener_new(n->loop, addr, on_accept, l, error);
    if (!l->listener)
        return false;
    n->n_listeners++;
    return true;
}

/* "::" may fail where the system has no IPv6; 0.0.0.0 may not. */
static bool listen_any(struct node_net *n, char **error)
{
    struct net_addr any6 = {.network = NET_IPV6, .port = n->set.listen_port},
                    any4 = {.network = NET_IPV4, .port = n->set.listen_port};

    if (!listen_on(n, &any6, PERM_NONE, false, error)) {
        log_info("%s", *error);
        free(*error);
        *error = NULL;
    }
    return listen_on(n, &any4, PERM_NONE, false, error);
}

bool net_listen(struct node_net *n, char **error)
{
    const struct net_settings *s = &n->set;
    bool ok = true;
    char *first = NULL;

    n->listeners = xcalloc(s->n_binds + s->n_onion_binds + s->n_whitebinds + 2, sizeof(*n->listeners));
    for (size_t i = 0; ok && i < s->n_binds; i++)
        ok = listen_on(n, &s->binds[i], PERM_NONE, false, &first);
    for (size_t i = 0; ok && i < s->n_whitebinds; i++)
        ok = listen_on(n, &s->whitebinds[i].addr, s->whitebinds[i].flags, false, &first);
    for (size_t i = 0; ok && i < s->n_onion_binds; i++)
        ok = listen_on(n, &s->onion_binds[i], PERM_NONE, true, &first);
    if (ok && s->bind_any)
        ok = listen_any(n, &first);
    if (ok)
        return true;
    log_error("%s", first);
    *error = xasprintf("%s\nError: Failed to listen on any port. Use -listen=0 if you want this.", first);
    free(first);
    return false;
}

void net_close_all(struct node_net *n)
{
    for (size_t i = 0; i < n->n_listeners; i++)
        listener_free(n->listeners[i].listener);
    n->n_listeners = 0;
    while (n->peers) {
        log_debug(LOG_NET, "Stopping node, disconnecting peer=%lld", (long long)n->peers->id);
        peer_drop(n->peers);
    }
}
