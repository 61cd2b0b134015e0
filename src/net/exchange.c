/* exchange.c - bytes between a socket and a protocol machine until that is done (exchange.h). Started by dial*.c on the loop thread. */
#include "net/exchange.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "util/assert.h"
#include "util/mem.h"

struct exchange {
    evutil_socket_t fd;
    struct exchange_machine m;
    int timeout_ms;
    size_t sent; /* of m.out */
    struct event *readable, *writable, *deadline;
    exchange_fn fn;
    void *ctx;
};

static void free_all(struct exchange *x)
{
    event_free(x->readable);
    event_free(x->writable);
    event_free(x->deadline);
    free(x);
}

static void finish(struct exchange *x, bool done, const char *why)
{
    evutil_socket_t fd = x->fd;
    exchange_fn fn = x->fn;
    void *ctx = x->ctx;

    free_all(x);
    if (!done) {
        evutil_closesocket(fd);
        fd = -1;
    }
    fn(ctx, fd, why);
}

/* Sends what waits; the answer's time begins when something new was there to send. Returns: false if the socket is broken. */
static bool flush(struct exchange *x)
{
    struct writer *out = x->m.out;
    struct timeval tv = {x->timeout_ms / 1000, (suseconds_t)(x->timeout_ms % 1000) * 1000};

    if (out->len && x->timeout_ms)
        event_add(x->deadline, &tv);
    while (x->sent < out->len) {
        ssize_t n = send(x->fd, out->data + x->sent, out->len - x->sent, MSG_NOSIGNAL);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            event_add(x->writable, NULL);
            return true;
        }
        if (n < 0)
            return false;
        x->sent += (size_t)n;
    }
    writer_clear(out);
    x->sent = 0;
    return true;
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct exchange *x = arg;
    (void)fd;
    (void)what;
    if (!flush(x))
        finish(x, false, strerror(errno));
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    finish(arg, false, "timed out");
}

/* Looks at what has come, and takes from the socket only what the machine used: the rest is the peer's. */
static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct exchange *x = arg;
    uint8_t buf[2048];
    enum exchange_step step;
    ssize_t n = recv(fd, buf, sizeof(buf), MSG_PEEK);
    size_t used = 0;

    (void)what;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        finish(x, false, n ? strerror(errno) : "connection closed");
        return;
    }
    step = x->m.feed(x->m.self, buf, (size_t)n, &used);
    ASSERT(used <= (size_t)n && (used == (size_t)n || step != EXCHANGE_MORE));
    if (used && recv(fd, buf, used, 0) != (ssize_t)used)
        finish(x, false, "connection closed");
    else if (step != EXCHANGE_MORE)
        finish(x, step == EXCHANGE_DONE, NULL);
    else if (!flush(x))
        finish(x, false, strerror(errno));
}

struct exchange *exchange_start(struct loop *l, evutil_socket_t fd_take, const struct exchange_machine *m, int timeout_ms,
                                exchange_fn fn, void *ctx)
{
    struct exchange *x = xcalloc(1, sizeof(*x));

    x->fd = fd_take;
    x->m = *m;
    x->timeout_ms = timeout_ms;
    x->fn = fn;
    x->ctx = ctx;
    x->readable = event_new(loop_base(l), fd_take, EV_READ | EV_PERSIST, on_readable, x);
    x->writable = event_new(loop_base(l), fd_take, EV_WRITE, on_writable, x);
    x->deadline = event_new(loop_base(l), -1, 0, on_deadline, x);
    ASSERT(x->readable && x->writable && x->deadline);
    event_add(x->readable, NULL);
    event_add(x->writable, NULL); /* sends from the loop: a failure is never reported from inside this call */
    return x;
}

void exchange_cancel(struct exchange *x)
{
    if (!x)
        return;
    evutil_closesocket(x->fd);
    free_all(x);
}
