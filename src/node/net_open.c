/* net_open.c - outgoing connections: look-up and connect for one, and the list of nodes that are to stay connected (-addnode, -connect).
 * Loop thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "node/net_private.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/time.h"

#define RETRY_ADDED_US 60000000LL
#define RETRY_CONNECT_STEP_US 500000LL
#define RETRY_CONNECT_STEPS 10

static bool attempt_exists(const struct node_net *n, const char *name)
{
    const struct net_attempt *a;
    DL_FOREACH (n->attempts, a)
        if (strcmp(a->target.name, name) == 0)
            return true;
    return false;
}

static void attempt_end(struct net_attempt *a)
{
    DL_DELETE(a->net->attempts, a);
    free(a);
}

static bool connected_to_addr(const struct node_net *n, const struct net_addr *addr)
{
    for (const struct net_peer *p = n->peers; p; p = p->hh.next)
        if (net_addr_equal(&p->addr, addr))
            return true;
    return false;
}

static void try_next(struct net_attempt *a);

static void on_connected(void *ctx, evutil_socket_t fd, const struct net_addr *addr, int err)
{
    struct net_attempt *a = ctx;
    struct node_net *n = a->net;
    struct net_arrival from = {.fd = fd, .type = a->target.type, .addr = *addr, .name = a->target.name};
    char text[NET_ADDR_TEXT];

    a->connector = NULL;
    if (fd < 0) {
        net_addr_text(text, addr);
        if (a->target.type == CONN_MANUAL)
            log_info("connect() to %s failed after wait: %s (%d)", text, strerror(err), err);
        else
            log_debug(LOG_NET, "connect() to %s failed after wait: %s (%d)", text, strerror(err), err);
        try_next(a);
        return;
    }
    if (!n->active) {
        evutil_closesocket(fd);
        attempt_end(a);
        return;
    }
    socket_local_addr(&from.local, fd);
    from.permissions = a->target.type == CONN_MANUAL ? net_permissions_for(n, PERM_NONE, addr, false) : PERM_NONE;
    net_peer_add(n, &from);
    attempt_end(a);
}

static void try_next(struct net_attempt *a)
{
    if (a->next_addr == a->n_addrs) {
        attempt_end(a);
        return;
    }
    a->connector = connector_start(a->net->loop, &a->addrs[a->next_addr++], a->net->set.connect_timeout_ms, on_connected, a);
}

/* The addresses are known: gives up if one of them is connected already. */
static void resolved(struct net_attempt *a)
{
    char text[NET_ADDR_TEXT];

    for (size_t i = 0; i < a->n_addrs; i++) {
        if (!connected_to_addr(a->net, &a->addrs[i]))
            continue;
        net_addr_text(text, &a->addrs[i]);
        log_info("Not opening a connection to %s, already connected to %s", a->target.name, text);
        attempt_end(a);
        return;
    }
    try_next(a);
}

static void on_looked_up(void *ctx, const struct net_addr *addrs, size_t count)
{
    struct net_attempt *a = ctx;

    a->looking_up = false;
    if (a->net->stopping) {
        attempt_end(a);
        return;
    }
    for (size_t i = 0; i < count && a->n_addrs < ARRAY_LEN(a->addrs); i++) {
        a->addrs[a->n_addrs] = addrs[i];
        a->addrs[a->n_addrs++].port = a->port;
    }
    resolved(a);
}

void net_open(struct node_net *n, const struct net_target *t)
{
    struct net_attempt *a;
    char text[NET_ADDR_TEXT], host[256];
    const char *name = t->name;

    if (!name[0])
        net_addr_text(text, &t->addr);
    if (!n->active || n->stopping || (name[0] && (net_connected_to(n, name, NULL) || attempt_exists(n, name))))
        return;
    log_debug(LOG_NET, "trying %s connection (%s) to %s, lastseen=0.0hrs", t->v2 ? "v2" : "v1", connection_type_name(t->type),
              name[0] ? name : text);
    a = xcalloc(1, sizeof(*a));
    a->net = n;
    a->target = *t;
    a->port = n->config->params.port;
    DL_APPEND(n->attempts, a);
    if (!name[0]) {
        a->addrs[a->n_addrs++] = t->addr;
        resolved(a);
    } else if (net_addr_parse(&a->addrs[0], name, a->port)) {
        a->n_addrs = 1;
        resolved(a);
    } else if (n->set.dns && net_split_host_port(host, sizeof(host), &a->port, name) && host[0]) {
        if (!n->resolver)
            n->resolver = resolver_new(n->loop);
        a->looking_up = true;
        resolver_lookup(n->resolver, host, on_looked_up, a);
    } else {
        log_debug(LOG_NET, "Cannot resolve %s", name);
        attempt_end(a);
    }
}

void net_open_name(struct node_net *n, const char *name, enum connection_type type, bool v2)
{
    struct net_target t = {.type = type, .v2 = v2};

    if (strlen(name) >= sizeof(t.name))
        return;
    snprintf(t.name, sizeof(t.name), "%s", name);
    net_open(n, &t);
}

void net_open_cancel_all(struct node_net *n)
{
    struct net_attempt *a, *tmp;

    resolver_free(n->resolver); /* ends the look-ups, whose attempts end with them */
    n->resolver = NULL;
    DL_FOREACH_SAFE (n->attempts, a, tmp) {
        if (a->connector)
            connector_cancel(a->connector);
        attempt_end(a);
    }
}

bool net_connected_to(struct node_net *n, const char *name, const struct net_peer **peer)
{
    for (const struct net_peer *p = n->peers; p; p = p->hh.next) {
        if (strcmp(p->name, name) != 0)
            continue;
        if (peer)
            *peer = p;
        return true;
    }
    return false;
}

struct net_wanted *net_wanted_find(struct node_net *n, const char *name)
{
    struct net_wanted *w;
    struct net_addr a, b;
    uint16_t port = n->config->params.port;
    bool numeric = net_addr_parse(&a, name, port);

    DL_FOREACH (n->wanted, w) {
        if (w->from_connect)
            continue;
        if (strcmp(w->name, name) == 0 || (numeric && net_addr_parse(&b, w->name, port) && net_addr_equal(&a, &b)))
            return w;
    }
    return NULL;
}

struct net_wanted *net_want(struct node_net *n, const char *name, bool from_connect)
{
    struct net_wanted *w = xcalloc(1, sizeof(*w));
    snprintf(w->name, sizeof(w->name), "%s", name);
    w->from_connect = from_connect;
    DL_APPEND(n->wanted, w);
    return w;
}

void net_unwant(struct node_net *n, struct net_wanted *w)
{
    DL_DELETE(n->wanted, w);
    free(w);
}

/* Is it connected, by name or by the address that the name is? */
static bool wanted_is_connected(struct node_net *n, const struct net_wanted *w)
{
    struct net_addr a;
    if (net_connected_to(n, w->name, NULL))
        return true;
    return net_addr_parse(&a, w->name, n->config->params.port) && connected_to_addr(n, &a);
}

static size_t count_manual(const struct node_net *n)
{
    size_t count = 0;
    const struct net_attempt *a;
    for (const struct net_peer *p = n->peers; p; p = p->hh.next)
        count += p->type == CONN_MANUAL;
    DL_FOREACH (n->attempts, a)
        count++;
    return count;
}

void net_wanted_tick(void *node_net)
{
    struct node_net *n = node_net;
    struct net_wanted *w;
    int64_t now = time_mono_us();

    if (!n->active || n->stopping)
        return;
    DL_FOREACH (n->wanted, w) {
        if (w->next_try > now || wanted_is_connected(n, w) || (!w->from_connect && count_manual(n) >= MAX_ADDED))
            continue;
        if (w->tries < RETRY_CONNECT_STEPS)
            w->tries++;
        w->next_try = now + (w->from_connect ? w->tries * RETRY_CONNECT_STEP_US : RETRY_ADDED_US);
        net_open_name(n, w->name, CONN_MANUAL, false);
    }
}
