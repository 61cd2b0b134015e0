/* listener.c - listening sockets. Made by node at start; accepted sockets go to its callback on the loop thread. */
#include <errno.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/endpoint.h"
#include "util/log.h"
#include "util/mem.h"

struct listener {
    struct evconnlistener *ev;
    struct event *retry; /* switches accepting on again after an error such as too many open files */
    listener_fn fn;
    void *ctx;
};

void socket_local_addr(struct net_addr *out, evutil_socket_t fd)
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof(ss);

    if (getsockname(fd, (struct sockaddr *)&ss, &len) != 0 || !net_addr_from_sockaddr(out, (struct sockaddr *)&ss))
        memset(out, 0, sizeof(*out));
}

static void on_accept(struct evconnlistener *ev, evutil_socket_t fd, struct sockaddr *sa, int len, void *arg)
{
    struct listener *s = arg;
    struct net_addr peer, local;

    (void)ev;
    (void)len;
    if (!net_addr_from_sockaddr(&peer, sa)) {
        log_warning("Unknown socket family");
        evutil_closesocket(fd);
        return;
    }
    socket_local_addr(&local, fd);
    s->fn(s->ctx, fd, &peer, &local);
}

static void on_error(struct evconnlistener *ev, void *arg)
{
    struct listener *s = arg;
    struct timeval second = {1, 0};

    log_info("socket error accept failed: %s", strerror(errno));
    evconnlistener_disable(ev);
    event_add(s->retry, &second);
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
    struct listener *s = arg;
    (void)fd;
    (void)what;
    evconnlistener_enable(s->ev);
}

/* A bound socket, -1 with *error. */
static int bind_socket(const struct net_addr *addr, char **error)
{
    struct sockaddr_storage ss;
    socklen_t len;
    int fd, on = 1;
    char text[NET_ADDR_TEXT];

    net_addr_text(text, addr);
    if (!net_addr_to_sockaddr(&ss, &len, addr)) {
        *error = xasprintf("Bind address family for %s not supported", text);
        return -1;
    }
    fd = socket(ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    if (fd < 0) {
        *error = xasprintf("Couldn't open socket for incoming connections (socket returned error %s (%d))", strerror(errno), errno);
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (ss.ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    if (bind(fd, (struct sockaddr *)&ss, len) == 0)
        return fd;
    if (errno == EADDRINUSE)
        *error = xasprintf("Unable to bind to %s on this computer. Farthing is probably already running.", text);
    else
        *error = xasprintf("Unable to bind to %s on this computer (bind returned error %s (%d))", text, strerror(errno), errno);
    close(fd);
    return -1;
}

struct listener *listener_new(struct loop *l, const struct net_addr *addr, listener_fn fn, void *ctx, char **error)
{
    struct listener *s;
    char text[NET_ADDR_TEXT];
    int fd = bind_socket(addr, error);

    if (fd < 0)
        return NULL;
    s = xcalloc(1, sizeof(*s));
    s->fn = fn;
    s->ctx = ctx;
    s->ev = evconnlistener_new(loop_base(l), on_accept, s, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, SOMAXCONN, fd);
    if (!s->ev) {
        *error = xasprintf("Listening for incoming connections failed (listen returned error %s (%d))", strerror(errno), errno);
        close(fd);
        free(s);
        return NULL;
    }
    s->retry = event_new(loop_base(l), -1, 0, on_retry, s);
    evconnlistener_set_error_cb(s->ev, on_error);
    net_addr_text(text, addr);
    log_info("Bound to %s", text);
    return s;
}

void listener_free(struct listener *s)
{
    if (!s)
        return;
    event_free(s->retry);
    evconnlistener_free(s->ev);
    free(s);
}
