/* dial_i2p.c - I2P: sessions with the router's SAM bridge, streams in them to and from peers, the file with our key. Used by dial.c (streams)
 * and node (listener) on the loop thread. */
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <utlist.h>

#include "net/dial_private.h"
#include "net/i2p_sam.h"
#include "util/assert.h"
#include "util/fs.h"
#include "util/hex.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/random.h"

#define ANSWER_TIMEOUT_MS 180000 /* a router may ask half of its network first */
#define MAX_PAUSE_S 300

/* Our destination, as long as the control socket stands. */
struct i2p_session {
    struct dialer *dialer;
    struct proxy sam;
    bool transient, key_unreadable;
    char id[SAM_ID_TEXT];
    struct net_addr addr;
    struct connector *connector; /* while it is being made */
    struct exchange *exchange;
    struct sam machine;
    evutil_socket_t control; /* -1: there is no session */
    struct event *watch;
    struct i2p_stream *waiting; /* for the session */
};

/* A connection through a session: to a peer, or an accept. */
struct i2p_stream {
    struct i2p_session *session;
    struct net_addr to; /* NET_UNKNOWN: accept */
    bool waits;
    struct connector *connector;
    struct exchange *exchange;
    struct sam machine;
    i2p_fn fn;
    void *ctx;
    struct i2p_stream *prev, *next;
};

/* ---- sessions ---- */

static struct i2p_session *session_new(struct dialer *d, const struct proxy *sam, bool transient)
{
    struct i2p_session *s = xcalloc(1, sizeof(*s));

    s->dialer = d;
    s->sam = *sam;
    s->transient = transient;
    s->control = -1;
    return s;
}

static void stop_watching(struct i2p_session *s)
{
    if (s->watch)
        event_free(s->watch);
    s->watch = NULL;
}

static void session_end(struct i2p_session *s)
{
    stop_watching(s);
    if (s->control < 0)
        return;
    log_info("Destroying I2P SAM session %s", s->id);
    evutil_closesocket(s->control);
    s->control = -1;
}

static void session_free(struct i2p_session *s)
{
    if (!s)
        return;
    if (s->connector)
        connector_cancel(s->connector);
    exchange_cancel(s->exchange);
    sam_clear(&s->machine);
    session_end(s);
    free(s);
}

void i2p_sessions_free(struct dialer *d)
{
    session_free(d->i2p);
    d->i2p = NULL;
    while (d->n_unused)
        session_free(d->unused[--d->n_unused]);
}

static void stream_begin(struct i2p_stream *t);
static void stream_fail(struct i2p_stream *t, bool proxy_failed, const char *why);

/* The session stands or cannot be made: on with those that waited. What they lead to may add to the list or take from it; a transient session
 * has one, and its life may end with that. */
static void session_settled(struct i2p_session *s, const char *why)
{
    bool transient = s->transient;
    struct i2p_stream *t;
    size_t n;

    DL_COUNT(s->waiting, t, n);
    while (n-- && (t = s->waiting)) {
        DL_DELETE(s->waiting, t);
        t->waits = false;
        if (why)
            stream_fail(t, true, why);
        else
            stream_begin(t);
        if (transient)
            break;
    }
}

static void on_control(evutil_socket_t fd, short what, void *arg)
{
    struct i2p_session *s = arg;
    char buf[512];
    ssize_t n = recv(fd, buf, sizeof(buf), 0);

    (void)what;
    if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
        return; /* the bridge may say things nobody asked for */
    log_debug(LOG_I2P, "Control socket error: %s", n ? strerror(errno) : "not connected");
    session_end(s);
}

static bool save_key(struct i2p_session *s)
{
    const struct sam *m = &s->machine;

    return !m->key_is_new || fs_write_atomic(s->dialer->o.i2p_key_path, m->key.data, m->key.len, 0600) == RC_OK;
}

static void on_session(void *ctx, evutil_socket_t fd, const char *why)
{
    struct i2p_session *s = ctx;
    struct sam *m = &s->machine;
    char text[NET_ADDR_TEXT], error[600] = "";

    s->exchange = NULL;
    if (fd < 0)
        snprintf(error, sizeof(error), "%s", why ? why : m->error);
    else if (!save_key(s))
        snprintf(error, sizeof(error), "Cannot save I2P private key to \"%s\"", s->dialer->o.i2p_key_path);
    if (fd >= 0 && error[0])
        evutil_closesocket(fd);
    if (!error[0]) {
        s->control = fd;
        s->addr = m->addr;
        s->watch = event_new(loop_base(s->dialer->loop), fd, EV_READ | EV_PERSIST, on_control, s);
        ASSERT(s->watch);
        event_add(s->watch, NULL);
        net_addr_text(text, &s->addr);
        log_info("%s I2P SAM session %s created, my address=%s", s->transient ? "Transient" : "Persistent", s->id, text);
    }
    sam_clear(m);
    session_settled(s, error[0] ? error : NULL);
}

static void on_session_connected(void *ctx, evutil_socket_t fd, const struct net_addr *addr, int err)
{
    struct i2p_session *s = ctx;
    struct exchange_machine m = {&s->machine, sam_feed, &s->machine.out};
    char text[160], error[600];

    (void)addr;
    s->connector = NULL;
    if (fd >= 0 && !s->key_unreadable) {
        s->exchange = exchange_start(s->dialer->loop, fd, &m, ANSWER_TIMEOUT_MS, on_session, s);
        return;
    }
    if (fd >= 0) {
        evutil_closesocket(fd);
        snprintf(error, sizeof(error), "Cannot read the I2P private key from \"%s\"", s->dialer->o.i2p_key_path);
    } else {
        proxy_text(text, sizeof(text), &s->sam);
        log_connect_failure(true, text, err);
        snprintf(error, sizeof(error), "Cannot connect to %s", text);
    }
    sam_clear(&s->machine);
    session_settled(s, error);
}

/* Reads the kept key. Returns: false if there is a file that cannot be read: it must not be replaced. */
static bool load_key(struct i2p_session *s)
{
    uint8_t *data;
    size_t len;
    enum rc rc = fs_read(s->dialer->o.i2p_key_path, SAM_KEY_MAX, &data, &len);

    if (rc == RC_NOT_FOUND)
        return true;
    if (rc != RC_OK)
        return false;
    write_bytes(&s->machine.key, data, len);
    free(data);
    return true;
}

static void session_make(struct i2p_session *s)
{
    uint8_t raw[(SAM_ID_TEXT - 1) / 2];
    char text[160];

    random_bytes(raw, sizeof(raw));
    hex_encode(s->id, raw, sizeof(raw));
    proxy_text(text, sizeof(text), &s->sam);
    log_debug(LOG_I2P, "Creating %s I2P SAM session %s with %s", s->transient ? "transient" : "persistent", s->id, text);
    sam_init(&s->machine, s->transient ? SAM_FOR_TRANSIENT : SAM_FOR_SESSION, s->id);
    s->key_unreadable = !s->transient && !load_key(s);
    s->connector = proxy_connect(s->dialer, &s->sam, on_session_connected, s);
}

/* ---- streams ---- */

static void stream_drop(struct i2p_stream *t)
{
    sam_clear(&t->machine);
    free(t);
}

/* A transient session whose connection did not come about serves the next one: making one takes a minute. */
static void keep_unused(struct i2p_session *s)
{
    struct dialer *d = s->dialer;

    if (s->control >= 0 && d->n_unused < I2P_MAX_UNUSED)
        d->unused[d->n_unused++] = s;
    else
        session_free(s);
}

static void stream_fail(struct i2p_stream *t, bool proxy_failed, const char *why)
{
    struct i2p_result r = {.fd = -1, .control = -1, .error = why, .proxy_failed = proxy_failed};
    struct i2p_stream copy = *t;
    char text[NET_ADDR_TEXT];

    if (t->to.network != NET_UNKNOWN) {
        net_addr_text(text, &t->to);
        log_debug(LOG_I2P, "Error connecting to %s: %s", text, why);
    }
    if (t->machine.session_dead)
        session_end(t->session);
    if (t->session->transient)
        keep_unused(t->session);
    memset(&t->machine, 0, sizeof(t->machine)); /* why may stand in it: it is in copy now */
    stream_drop(t);
    copy.fn(copy.ctx, &r);
    sam_clear(&copy.machine);
}

static void on_stream(void *ctx, evutil_socket_t fd, const char *why)
{
    struct i2p_stream *t = ctx, copy;
    struct i2p_session *s = t->session;
    struct i2p_result r = {.fd = fd, .control = -1, .local = s->addr};

    t->exchange = NULL;
    if (fd < 0) {
        stream_fail(t, !t->machine.peer_at_fault, why ? why : t->machine.error);
        return;
    }
    if (s->transient) {
        stop_watching(s);
        r.control = s->control;
        s->control = -1;
        session_free(s);
    }
    copy = *t;
    stream_drop(t);
    copy.fn(copy.ctx, &r);
}

static void on_stream_connected(void *ctx, evutil_socket_t fd, const struct net_addr *addr, int err)
{
    struct i2p_stream *t = ctx;
    struct exchange_machine m = {&t->machine, sam_feed, &t->machine.out};
    char text[160], error[200];

    (void)addr;
    t->connector = NULL;
    if (fd >= 0) {
        t->exchange = exchange_start(t->session->dialer->loop, fd, &m, ANSWER_TIMEOUT_MS, on_stream, t);
        return;
    }
    proxy_text(text, sizeof(text), &t->session->sam);
    log_connect_failure(true, text, err);
    snprintf(error, sizeof(error), "Cannot connect to %s", text);
    stream_fail(t, true, error);
}

static void stream_begin(struct i2p_stream *t)
{
    struct i2p_session *s = t->session;
    char text[NET_ADDR_TEXT];

    sam_init(&t->machine, t->to.network == NET_UNKNOWN ? SAM_FOR_ACCEPT : SAM_FOR_CONNECT, s->id);
    net_addr_ip_text(text, &t->to);
    snprintf(t->machine.name, sizeof(t->machine.name), "%s", text);
    t->connector = proxy_connect(s->dialer, &s->sam, on_stream_connected, t);
}

static struct i2p_stream *stream_new(struct i2p_session *s, const struct net_addr *to, i2p_fn fn, void *ctx)
{
    struct i2p_stream *t = xcalloc(1, sizeof(*t));

    t->session = s;
    if (to)
        t->to = *to;
    t->fn = fn;
    t->ctx = ctx;
    if (s->control >= 0) {
        stream_begin(t);
        return t;
    }
    t->waits = true;
    DL_APPEND(s->waiting, t);
    if (!s->connector && !s->exchange)
        session_make(s);
    return t;
}

/* The session of the kept key. */
static struct i2p_session *kept_session(struct dialer *d)
{
    if (!d->i2p)
        d->i2p = session_new(d, &d->o.i2p_sam, false);
    return d->i2p;
}

struct i2p_stream *i2p_connect(struct dialer *d, const struct proxy *sam, bool transient, const struct net_addr *to, i2p_fn fn,
                               void *ctx)
{
    struct i2p_session *s;

    if (!transient)
        s = kept_session(d);
    else
        s = d->n_unused ? d->unused[--d->n_unused] : session_new(d, sam, true);
    return stream_new(s, to, fn, ctx);
}

void i2p_stream_cancel(struct i2p_stream *t)
{
    struct i2p_session *s = t->session;

    if (t->waits)
        DL_DELETE(s->waiting, t);
    if (t->connector)
        connector_cancel(t->connector);
    exchange_cancel(t->exchange);
    stream_drop(t);
    if (s->transient)
        keep_unused(s);
}

/* ---- accepting ---- */

struct i2p_listener {
    struct dialer *dialer;
    struct i2p_stream *stream; /* while it asks for an accept */
    struct exchange *exchange; /* while it waits for a peer */
    struct sam machine;
    struct event *again;
    unsigned pause_s;
    struct net_addr addr; /* that was made known; NET_UNKNOWN: none */
    listener_fn fn;
    i2p_address_fn address_fn;
    void *ctx;
};

static void listener_listen(struct i2p_listener *l);

static void listener_pause(struct i2p_listener *l)
{
    struct timeval tv = {(time_t)l->pause_s, 0};

    event_add(l->again, &tv);
    if (l->pause_s < MAX_PAUSE_S)
        l->pause_s++;
}

static void set_address(struct i2p_listener *l, const struct net_addr *addr)
{
    struct net_addr old = l->addr;

    if (net_addr_equal(&old, addr))
        return;
    l->addr = *addr;
    if (old.network != NET_UNKNOWN)
        l->address_fn(l->ctx, &old, false);
    if (addr->network != NET_UNKNOWN)
        l->address_fn(l->ctx, addr, true);
}

static void on_peer(void *ctx, evutil_socket_t fd, const char *why)
{
    struct i2p_listener *l = ctx;
    bool dead = l->machine.session_dead;
    struct net_addr peer = l->machine.addr, local = l->addr;

    l->exchange = NULL;
    if (fd < 0)
        log_debug(LOG_I2P, "Error accepting%s: %s", dead ? " (will close the session)" : "", why ? why : l->machine.error);
    sam_clear(&l->machine);
    if (fd < 0) {
        if (dead)
            session_end(l->dialer->i2p);
        listener_pause(l);
        return;
    }
    l->pause_s = 1;
    listener_listen(l);
    l->fn(l->ctx, fd, &peer, &local);
}

static void on_listening(void *ctx, const struct i2p_result *r)
{
    struct i2p_listener *l = ctx;
    struct exchange_machine m = {&l->machine, sam_feed, &l->machine.out};
    static const struct net_addr none;

    l->stream = NULL;
    if (r->fd < 0) {
        log_error("Couldn't listen: %s", r->error);
        set_address(l, &none);
        listener_pause(l);
        return;
    }
    set_address(l, &r->local);
    sam_init(&l->machine, SAM_FOR_PEER, "");
    l->exchange = exchange_start(l->dialer->loop, r->fd, &m, 0, on_peer, l);
}

static void listener_listen(struct i2p_listener *l)
{
    l->stream = stream_new(kept_session(l->dialer), NULL, on_listening, l);
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    listener_listen(arg);
}

struct i2p_listener *i2p_listener_new(struct dialer *d, listener_fn fn, i2p_address_fn address_fn, void *ctx)
{
    struct i2p_listener *l = xcalloc(1, sizeof(*l));

    l->dialer = d;
    l->fn = fn;
    l->address_fn = address_fn;
    l->ctx = ctx;
    l->pause_s = 1;
    l->again = event_new(loop_base(d->loop), -1, 0, on_again, l);
    ASSERT(l->again);
    listener_listen(l);
    return l;
}

void i2p_listener_free(struct i2p_listener *l)
{
    if (!l)
        return;
    if (l->stream)
        i2p_stream_cancel(l->stream);
    exchange_cancel(l->exchange);
    sam_clear(&l->machine);
    event_free(l->again);
    free(l);
}
