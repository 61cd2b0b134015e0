/* listener.c - listening sockets. Made by node at start; accepted sockets go to its callback on the loop thread, one a turn (net/turns.h): a storm
 * of connections does not shut out the peers that are there. */
#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
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
    struct net_addr peer = {0}, local;

    if (sa->sa_family != AF_UNIX && !net_addr_from_sockaddr(&peer, sa)) {
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

/* Takes the socket. Returns: NULL with *error. */
static struct listener *listen_on(struct loop *l, int fd, listener_fn fn, void *ctx, char **error)
{
    struct listener *s;

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
    return s;
}

struct listener *listener_new(struct loop *l, const struct net_addr *addr, listener_fn fn, void *ctx, char **error)
{
    struct listener *s;
    char text[NET_ADDR_TEXT];
    int fd = bind_socket(addr, error);

    s = fd < 0 ? NULL : listen_on(l, fd, fn, ctx, error);
    net_addr_text(text, addr);
    if (s)
        log_info("Bound to %s", text);
    return s;
}

/* A socket that a process left behind which is no more: nobody accepts there. Returns: false if it is in use or no socket. */
static bool remove_stale(const struct sockaddr_un *un)
{
    struct stat st;
    int fd;
    bool stale;

    if (lstat(un->sun_path, &st) != 0)
        return errno == ENOENT;
    if (!S_ISSOCK(st.st_mode))
        return false;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    stale = fd >= 0 && connect(fd, (const struct sockaddr *)un, sizeof(*un)) != 0 && errno == ECONNREFUSED;
    if (fd >= 0)
        close(fd);
    return stale && unlink(un->sun_path) == 0;
}

struct listener *listener_new_unix(struct loop *l, const char *path, listener_fn fn, void *ctx, char **error)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    int fd;

    if (strlen(path) >= sizeof(un.sun_path)) {
        *error = xasprintf("The path of a unix socket may not be longer than %zu bytes", sizeof(un.sun_path) - 1);
        return NULL;
    }
    memcpy(un.sun_path, path, strlen(path) + 1);
    if (!remove_stale(&un)) {
        *error = xasprintf("%s is in use or is no socket", path);
        return NULL;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || fchmod(fd, 0600) != 0 || bind(fd, (struct sockaddr *)&un, sizeof(un)) != 0 || chmod(path, 0600) != 0) {
        *error = xasprintf("Unable to bind to %s (%s)", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    return listen_on(l, fd, fn, ctx, error);
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
