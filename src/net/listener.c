/* listener.c - listening sockets. Made by node at start; accepted sockets go to its callback on the loop thread, one a turn (net/turns.h): a storm
 * of connections does not shut out the peers that are there. */
#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/endpoint.h"
#include "util/assert.h"
#include "util/log.h"
#include "util/mem.h"

#define SHARE 32 /* of the loop's time, counted in connections */

struct listener {
    int fd;
    struct event *ev;
    struct event *retry; /* goes on after an error such as too many open files */
    struct turns *turns;
    struct turn turn;
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

static void accepted(struct listener *s, int fd, const struct sockaddr *sa)
{
    struct net_addr peer, local;

    if (!net_addr_from_sockaddr(&peer, sa)) {
        log_warning("Unknown socket family");
        close(fd);
        return;
    }
    socket_local_addr(&local, fd);
    s->fn(s->ctx, fd, &peer, &local);
}

static void on_turn(void *ctx)
{
    struct listener *s = ctx;
    struct sockaddr_storage ss;
    socklen_t len = sizeof(ss);
    struct timeval second = {1, 0};
    int fd = accept4(s->fd, (struct sockaddr *)&ss, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd >= 0) {
        accepted(s, fd, (struct sockaddr *)&ss);
        turns_queue(s->turns, &s->turn);
    } else if (errno == EAGAIN) {
        event_add(s->ev, NULL);
    } else if (errno == EINTR || errno == ECONNABORTED) {
        turns_queue(s->turns, &s->turn);
    } else {
        log_info("socket error accept failed: %s", strerror(errno));
        event_add(s->retry, &second);
    }
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
    struct listener *s = arg;
    (void)fd;
    (void)what;
    turns_queue(s->turns, &s->turn);
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
    if (listen(fd, SOMAXCONN) != 0) {
        *error = xasprintf("Listening for incoming connections failed (listen returned error %s (%d))", strerror(errno), errno);
        close(fd);
        return NULL;
    }
    s = xcalloc(1, sizeof(*s));
    s->fd = fd;
    s->fn = fn;
    s->ctx = ctx;
    s->turns = loop_turns(l);
    s->turn = (struct turn){.fn = on_turn, .ctx = s, .weight = SHARE};
    s->ev = event_new(loop_base(l), fd, EV_READ, on_event, s);
    s->retry = event_new(loop_base(l), -1, 0, on_event, s);
    ASSERT(s->ev && s->retry);
    event_add(s->ev, NULL);
    net_addr_text(text, addr);
    log_info("Bound to %s", text);
    return s;
}

void listener_free(struct listener *s)
{
    if (!s)
        return;
    turns_cancel(s->turns, &s->turn);
    event_free(s->retry);
    event_free(s->ev);
    close(s->fd);
    free(s);
}
