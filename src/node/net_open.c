/* net_open.c - outgoing connections: dialling one, and the list of nodes that are to stay connected (-addnode, -connect).
 * Loop thread. */
#include <arpa/inet.h>
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

static void on_dialed(void *ctx, const struct dial_result *r)
{
    struct net_attempt *a = ctx;
    struct node_net *n = a->net;
    struct net_arrival from = {
        .fd = r->fd, .type = a->target.type, .addr = r->addr, .local = r->local, .name = a->target.name, .v2 = a->target.v2};

    if (!r->proxy_failed) {
        const struct net_addr *addr = r->addr.network != NET_UNKNOWN ? &r->addr : &a->target.addr;
        addrman_attempt(n->addrman, addr, a->target.count_failure, time_now());
    }
    if (r->fd >= 0 && n->active) {
        from.proxied = r->proxied;
        from.permissions = a->target.type == CONN_MANUAL ? net_permissions_for(n, PERM_NONE, &r->addr, false) : PERM_NONE;
        net_peer_add(n, &from)->control = r->control;
    } else if (r->fd >= 0) {
        evutil_closesocket(r->fd);
        if (r->control >= 0)
            evutil_closesocket(r->control);
    }
    attempt_end(a);
}

/* The addresses are known: refuses if one of them is connected already. */
static bool may_connect(void *ctx, const struct net_addr *addrs, size_t count)
{
    const struct net_attempt *a = ctx;
    char text[NET_ADDR_TEXT];

    for (size_t i = 0; i < count; i++) {
        if (!connected_to_addr(a->net, &addrs[i]))
            continue;
        net_addr_text(text, &addrs[i]);
        log_info("Not opening a connection to %s, already connected to %s", a->target.name, text);
        return false;
    }
    return true;
}

/* The system's other forms of an IPv4 address, such as "127.1". */
static bool parse_short(struct net_addr *a, const char *name, uint16_t port)
{
    char host[64];
    struct in_addr in;

    if (!net_split_host_port(host, sizeof(host), &port, name) || !host[0] ||
        strspn(host, "0123456789abcdefABCDEFxX.") != strlen(host) || !inet_aton(host, &in))
        return false;
    memset(a, 0, sizeof(*a));
    a->network = NET_IPV4;
    memcpy(a->ip, &in, 4);
    a->port = port;
    return true;
}

bool net_parse(const struct node_net *n, struct net_addr *a, const char *name)
{
    if (!net_addr_parse(a, name, n->config->params.port) && !parse_short(a, name, n->config->params.port))
        return false;
    if (n->set.ways.cjdns)
        net_addr_flip_cjdns(a);
    return true;
}

/* Starts the dial. Returns: false if there is nothing to connect to. */
static bool start(struct net_attempt *a)
{
    struct node_net *n = a->net;
    const char *name = a->target.name;
    struct net_addr addr = a->target.addr;
    char host[256];
    uint16_t port = n->config->params.port;

    if (!name[0] || net_parse(n, &addr, name)) {
        if (!may_connect(a, &addr, 1))
            return false;
        a->dial = dial_addr(n->dialer, &addr, NULL, on_dialed, a);
    } else if (net_split_host_port(host, sizeof(host), &port, name) && host[0]) {
        a->dial = dial_name(n->dialer, host, port, on_dialed, a);
        dial_set_check(a->dial, may_connect);
    } else {
        log_debug(LOG_NET, "Cannot resolve %s", name);
        return false;
    }
    if (a->target.type == CONN_MANUAL)
        dial_set_manual(a->dial);
    return true;
}

void net_open(struct node_net *n, const struct net_target *t)
{
    struct net_attempt *a;
    char text[NET_ADDR_TEXT];
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
    DL_APPEND(n->attempts, a);
    if (!start(a))
        attempt_end(a);
}

void net_open_name(struct node_net *n, const char *name, enum connection_type type, bool v2)
{
    struct net_target t = {.type = type, .v2 = v2};

    if (strlen(name) >= sizeof(t.name))
        return;
    snprintf(t.name, sizeof(t.name), "%s", name);
    net_open(n, &t);
}

bool node_net_opening(struct node_net *n, const char *addr)
{
    return attempt_exists(n, addr);
}

void net_open_cancel_all(struct node_net *n)
{
    struct net_attempt *a, *tmp;

    DL_FOREACH_SAFE (n->attempts, a, tmp) {
        dial_cancel(a->dial);
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
    bool numeric = net_parse(n, &a, name);

    DL_FOREACH (n->wanted, w) {
        if (w->from_connect)
            continue;
        if (strcmp(w->name, name) == 0 || (numeric && net_parse(n, &b, w->name) && net_addr_equal(&a, &b)))
            return w;
    }
    return NULL;
}

struct net_wanted *net_want(struct node_net *n, const char *name, bool from_connect, bool v2)
{
    struct net_wanted *w = xcalloc(1, sizeof(*w));
    snprintf(w->name, sizeof(w->name), "%s", name);
    w->from_connect = from_connect;
    w->v2 = v2;
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
    return net_parse(n, &a, w->name) && connected_to_addr(n, &a);
}

/* How many of -addnode and addnode are connected or being connected to; -connect and "onetry" do not count. */
static size_t count_added(struct node_net *n)
{
    const struct net_wanted *w;
    size_t count = 0;

    DL_FOREACH (n->wanted, w)
        count += !w->from_connect && (attempt_exists(n, w->name) || wanted_is_connected(n, w));
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
        if (w->next_try > now || wanted_is_connected(n, w) || (!w->from_connect && count_added(n) >= MAX_ADDED))
            continue;
        if (w->tries < RETRY_CONNECT_STEPS)
            w->tries++;
        w->next_try = now + (w->from_connect ? w->tries * RETRY_CONNECT_STEP_US : RETRY_ADDED_US);
        net_open_name(n, w->name, CONN_MANUAL, w->v2);
    }
}
