/* connector.c - outgoing connects with a time limit, and name look-ups. Started by node on the loop thread; answers come from the loop. */
#include <errno.h>
#include <event2/dns.h>
#include <event2/event.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/endpoint.h"
#include "util/assert.h"
#include "util/mem.h"

#define MAX_RESOLVED 16

struct connector {
    struct net_addr addr;
    int fd; /* -1: failed before it began, err says why */
    int err;
    struct event *ev;
    connector_fn fn;
    void *ctx;
};

static void on_connected(evutil_socket_t fd, short what, void *arg)
{
    struct connector *c = arg;
    connector_fn fn = c->fn;
    void *ctx = c->ctx;
    struct net_addr addr = c->addr;
    int err = c->err, sock = c->fd;
    socklen_t len = sizeof(err);

    (void)fd;
    if (sock >= 0) {
        if (what & EV_TIMEOUT)
            err = ETIMEDOUT;
        else if (getsockopt(sock, SOL_SOCKET, SO_ERROR, &err, &len) != 0)
            err = errno;
        if (err) {
            close(sock);
            sock = -1;
        }
    }
    event_free(c->ev);
    free(c);
    fn(ctx, sock, &addr, err);
}

static struct connector *start(struct loop *l, const struct sockaddr *sa, socklen_t len, int timeout_ms, connector_fn fn, void *ctx)
{
    struct connector *c = xcalloc(1, sizeof(*c));
    struct timeval tv = {timeout_ms / 1000, (suseconds_t)(timeout_ms % 1000) * 1000};

    c->fn = fn;
    c->ctx = ctx;
    c->fd = -1;
    c->err = EAFNOSUPPORT;
    if (sa) {
        c->fd = socket(sa->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        c->err = c->fd < 0 ? errno : 0;
    }
    if (c->fd >= 0 && connect(c->fd, sa, len) != 0 && errno != EINPROGRESS) {
        c->err = errno;
        close(c->fd);
        c->fd = -1;
    }
    c->ev = event_new(loop_base(l), c->fd, c->fd >= 0 ? EV_WRITE : 0, on_connected, c);
    ASSERT(c->ev);
    if (c->fd >= 0)
        event_add(c->ev, &tv);
    else
        event_active(c->ev, 0, 0);
    return c;
}

struct connector *connector_start(struct loop *l, const struct net_addr *addr, int timeout_ms, connector_fn fn, void *ctx)
{
    struct sockaddr_storage ss;
    socklen_t len = 0;
    bool able = net_addr_to_sockaddr(&ss, &len, addr);
    struct connector *c = start(l, able ? (struct sockaddr *)&ss : NULL, len, timeout_ms, fn, ctx);

    c->addr = *addr;
    return c;
}

struct connector *connector_start_unix(struct loop *l, const char *path, int timeout_ms, connector_fn fn, void *ctx)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    size_t len = strlen(path);

    if (len >= sizeof(un.sun_path))
        return start(l, NULL, 0, timeout_ms, fn, ctx);
    memcpy(un.sun_path, path, len + 1);
    return start(l, (struct sockaddr *)&un, sizeof(un), timeout_ms, fn, ctx);
}

void connector_cancel(struct connector *c)
{
    event_free(c->ev);
    if (c->fd >= 0)
        close(c->fd);
    free(c);
}

/* One look-up under way. */
struct lookup {
    resolver_fn fn;
    void *ctx;
};

struct resolver {
    struct event_base *base;
    struct evdns_base *dns;
};

struct resolver *resolver_new(struct loop *l)
{
    struct resolver *r = xcalloc(1, sizeof(*r));
    r->base = loop_base(l);
    return r;
}

static void on_resolved(int result, struct evutil_addrinfo *list, void *arg)
{
    struct lookup *q = arg;
    struct net_addr addrs[MAX_RESOLVED];
    size_t n = 0;

    if (result == 0)
        for (struct evutil_addrinfo *i = list; i && n < MAX_RESOLVED; i = i->ai_next)
            if (net_addr_from_sockaddr(&addrs[n], i->ai_addr))
                n++;
    if (list)
        evutil_freeaddrinfo(list);
    q->fn(q->ctx, addrs, n);
    free(q);
}

void resolver_lookup(struct resolver *r, const char *name, resolver_fn fn, void *ctx)
{
    struct evutil_addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = EVUTIL_AI_ADDRCONFIG};
    struct lookup *q = xmalloc(sizeof(*q));

    q->fn = fn;
    q->ctx = ctx;
    if (!r->dns) {
        r->dns = evdns_base_new(r->base, 0);
        if (r->dns) {
            evdns_base_resolv_conf_parse(r->dns, DNS_OPTIONS_ALL, "/etc/resolv.conf");
            evdns_base_load_hosts(r->dns, "/etc/hosts");
        }
    }
    if (r->dns)
        evdns_getaddrinfo(r->dns, name, NULL, &hints, on_resolved, q);
    else
        on_resolved(EVUTIL_EAI_FAIL, NULL, q);
}

void resolver_free(struct resolver *r)
{
    if (!r)
        return;
    if (r->dns)
        evdns_base_free(r->dns, 1);
    free(r);
}
