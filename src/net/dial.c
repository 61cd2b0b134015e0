/* dial.c - outgoing connections: which way an address or a name goes, and the steps of that way one after the other (net/dial.h). Called by
 * node on the loop thread. I2P has a file of its own. */
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <utlist.h>

#include "net/dial_private.h"
#include "net/socks5.h"
#include "util/assert.h"
#include "util/hex.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/random.h"

#define SOCKS5_TIMEOUT_MS 20000 /* for each answer, as Core waits */
#define MAX_ADDRS 16

struct dial {
    struct dialer *dialer;
    struct event *begin; /* everything starts from the loop */
    struct net_addr addrs[MAX_ADDRS];
    size_t n_addrs, next; /* next: the one after that which is being tried */
    char host[256];       /* by name; "": by address */
    uint16_t port;
    struct proxy override, proxy; /* proxy: of the try under way */
    bool manual, looking_up, cancelled;
    dial_check_fn check;
    struct connector *connector;
    struct exchange *exchange;
    struct i2p_stream *stream;
    struct socks5 socks;
    char error[160];
    bool proxy_failed;
    dial_fn fn;
    void *ctx;
    struct dial *prev, *next_dial;
};

/* ---- the dialer ---- */

struct dialer *dialer_new(struct loop *l, const struct dialer_options *o)
{
    struct dialer *d = xcalloc(1, sizeof(*d));
    uint8_t prefix[8];

    d->loop = l;
    d->o = *o;
    random_bytes(prefix, sizeof(prefix));
    hex_encode(d->isolation, prefix, sizeof(prefix));
    return d;
}

void dialer_free(struct dialer *d)
{
    struct dial *c, *tmp;

    if (!d)
        return;
    DL_FOREACH_SAFE2(d->dials, c, tmp, next_dial)
    dial_cancel(c);
    resolver_free(d->resolver); /* ends look-ups, and with them the dials that wait for one */
    i2p_sessions_free(d);
    free(d);
}

void dialer_set_proxy(struct dialer *d, enum net_network network, const struct proxy *p)
{
    if (network == NET_I2P)
        d->o.i2p_sam = *p;
    else
        d->o.by_network[network] = *p;
}

const struct proxy *dialer_proxy(const struct dialer *d, enum net_network network)
{
    return network == NET_I2P ? &d->o.i2p_sam : &d->o.by_network[network];
}

bool dialer_has_name_proxy(const struct dialer *d)
{
    return d->o.names.kind != PROXY_NONE;
}

struct connector *proxy_connect(struct dialer *d, const struct proxy *p, connector_fn fn, void *ctx)
{
    if (p->kind == PROXY_UNIX)
        return connector_start_unix(d->loop, p->path, d->o.connect_timeout_ms, fn, ctx);
    return connector_start(d->loop, &p->addr, d->o.connect_timeout_ms, fn, ctx);
}

void log_connect_failure(bool manual, const char *to, int err)
{
    if (err == ETIMEDOUT)
        log_debug(LOG_NET, "connection attempt to %s timed out", to);
    else if (manual)
        log_info("connect() to %s failed after wait: %s (%d)", to, strerror(err), err);
    else
        log_debug(LOG_NET, "connect() to %s failed after wait: %s (%d)", to, strerror(err), err);
}

/* ---- one dial ---- */

static void try_next(struct dial *c);

static void dial_drop(struct dial *c)
{
    DL_DELETE2(c->dialer->dials, c, prev, next_dial);
    event_free(c->begin);
    socks5_clear(&c->socks);
    free(c);
}

static const struct net_addr *current(const struct dial *c)
{
    return c->next ? &c->addrs[c->next - 1] : NULL;
}

static void give(struct dial *c, struct dial_result *r)
{
    struct dial copy = *c;

    if (current(c))
        r->addr = *current(c);
    if (r->fd >= 0 && r->local.network == NET_UNKNOWN)
        socket_local_addr(&r->local, r->fd);
    r->error = r->fd < 0 ? copy.error : NULL;
    r->proxy_failed = r->fd < 0 && c->proxy_failed;
    dial_drop(c);
    if (copy.fn)
        copy.fn(copy.ctx, r);
    else if (r->fd >= 0)
        evutil_closesocket(r->fd);
}

static void give_up(struct dial *c)
{
    struct dial_result r = {.fd = -1, .control = -1, .proxied = c->proxy.kind != PROXY_NONE};
    give(c, &r);
}

static void succeed(struct dial *c, evutil_socket_t fd, bool proxied)
{
    struct dial_result r = {.fd = fd, .control = -1, .proxied = proxied};
    give(c, &r);
}

static void note(struct dial *c, bool proxy_failed, const char *why)
{
    c->proxy_failed = proxy_failed;
    snprintf(c->error, sizeof(c->error), "%s", why);
}

/* ---- directly ---- */

static void on_connected(void *ctx, evutil_socket_t fd, const struct net_addr *addr, int err)
{
    struct dial *c = ctx;
    char text[NET_ADDR_TEXT];

    c->connector = NULL;
    if (fd >= 0) {
        succeed(c, fd, false);
        return;
    }
    net_addr_text(text, addr);
    log_connect_failure(c->manual, text, err);
    note(c, false, strerror(err));
    try_next(c);
}

/* ---- through SOCKS5 ---- */

static void on_socks5(void *ctx, evutil_socket_t fd, const char *why)
{
    struct dial *c = ctx;
    const struct socks5 *s = &c->socks;

    c->exchange = NULL;
    if (fd >= 0) {
        log_debug(LOG_NET, "SOCKS5 connected %s", s->host);
        succeed(c, fd, true);
        return;
    }
    if (!why && s->refused) {
        log_debug(LOG_NET, "Socks5() connect to %s:%u failed: %s", s->host, s->port, s->error);
    } else if (!why) {
        log_error("%s", s->error);
    } else if (s->step == SOCKS5_METHOD) {
        log_info("Socks5() connect to %s:%u failed: %s", s->host, s->port, why);
    } else {
        /* Waiting for Tor to reach a host that is not there ends so, very often. */
        log_debug(LOG_PROXY, "No answer of the proxy for %s:%u: %s", s->host, s->port, why);
    }
    note(c, why ? s->step != SOCKS5_REPLY : !s->refused, why ? why : s->error);
    try_next(c);
}

static void on_proxy_connected(void *ctx, evutil_socket_t fd, const struct net_addr *addr, int err)
{
    struct dial *c = ctx;
    struct exchange_machine m = {&c->socks, socks5_feed, &c->socks.out};
    char text[160], credentials[40];
    const struct net_addr *to = current(c);

    (void)addr;
    c->connector = NULL;
    if (fd < 0) {
        proxy_text(text, sizeof(text), &c->proxy);
        log_connect_failure(true, text, err);
        note(c, true, strerror(err));
        try_next(c);
        return;
    }
    snprintf(credentials, sizeof(credentials), "%s-%llu", c->dialer->isolation, (unsigned long long)c->dialer->next_isolation++);
    if (to)
        net_addr_ip_text(text, to);
    socks5_clear(&c->socks);
    if (!socks5_init(&c->socks, to ? text : c->host, c->port, c->proxy.randomize ? credentials : NULL)) {
        log_error("Hostname too long");
        evutil_closesocket(fd);
        note(c, false, "Hostname too long");
        try_next(c);
        return;
    }
    log_debug(LOG_NET, "SOCKS5 connecting %s", c->socks.host);
    c->exchange = exchange_start(c->dialer->loop, fd, &m, SOCKS5_TIMEOUT_MS, on_socks5, c);
}

/* ---- through I2P ---- */

static void on_i2p(void *ctx, const struct i2p_result *r)
{
    struct dial *c = ctx;
    struct dial_result out = {.fd = r->fd, .control = r->control, .local = r->local, .proxied = true};

    c->stream = NULL;
    if (r->fd >= 0) {
        give(c, &out);
        return;
    }
    note(c, r->proxy_failed, r->error);
    try_next(c);
}

static void start_i2p(struct dial *c)
{
    struct dialer *d = c->dialer;
    bool transient = c->override.kind != PROXY_NONE || !d->o.i2p_key_path || !*d->o.i2p_key_path;
    const struct net_addr *to = current(c);
    char text[NET_ADDR_TEXT];

    net_addr_text(text, to);
    if (to->port != 0) {
        /* SAM 3.1 knows no ports. */
        log_debug(LOG_I2P, "Error connecting to %s, connection refused due to arbitrary port %u", text, to->port);
        note(c, false, "I2P addresses have port 0");
        try_next(c);
    } else {
        c->stream = i2p_connect(d, &c->proxy, transient, to, on_i2p, c);
    }
}

/* ---- which way ---- */

static void choose_proxy(struct dial *c, const struct net_addr *to)
{
    static const struct proxy none;

    if (c->override.kind != PROXY_NONE)
        c->proxy = c->override;
    else
        c->proxy = net_addr_is_routable(to) ? *dialer_proxy(c->dialer, to->network) : none;
}

static void try_next(struct dial *c)
{
    struct dialer *d = c->dialer;
    const struct net_addr *to;
    char text[NET_ADDR_TEXT], proxy[160];

    if (c->next >= c->n_addrs) {
        give_up(c);
        return;
    }
    to = &c->addrs[c->next++];
    net_addr_text(text, to);
    c->port = to->port;
    choose_proxy(c, to);
    if (c->proxy.kind == PROXY_NONE) {
        if (net_addr_size(to->network) == 32)
            log_info("Cannot connect to %s: unsupported network", text);
        c->connector = connector_start(d->loop, to, d->o.connect_timeout_ms, on_connected, c);
    } else if (to->network == NET_I2P) {
        start_i2p(c);
    } else {
        proxy_text(proxy, sizeof(proxy), &c->proxy);
        log_debug(LOG_PROXY, "Using proxy: %s to connect to %s", proxy, text);
        c->connector = proxy_connect(d, &c->proxy, on_proxy_connected, c);
    }
}

static void on_looked_up(void *ctx, const struct net_addr *addrs, size_t n)
{
    struct dial *c = ctx;
    struct rng rng;

    c->looking_up = false;
    if (c->cancelled) {
        dial_drop(c);
        return;
    }
    rng_init(&rng);
    for (size_t i = 0; i < n && c->n_addrs < MAX_ADDRS; i++) {
        size_t at = (size_t)rng_below(&rng, c->n_addrs + 1);
        c->addrs[c->n_addrs++] = c->addrs[at];
        c->addrs[at] = addrs[i];
        c->addrs[at].port = c->port;
    }
    note(c, false, n ? "refused" : "the name is unknown");
    if (n && c->check && !c->check(c->ctx, c->addrs, c->n_addrs))
        give_up(c);
    else
        try_next(c);
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcasecmp(text + n - m, end) == 0;
}

static void on_begin(evutil_socket_t fd, short what, void *arg)
{
    struct dial *c = arg;
    struct dialer *d = c->dialer;
    char text[160];

    (void)fd;
    (void)what;
    if (!c->host[0] || c->n_addrs) {
        try_next(c);
    } else if (d->o.names.kind != PROXY_NONE) {
        c->proxy = d->o.names;
        proxy_text(text, sizeof(text), &c->proxy);
        log_debug(LOG_PROXY, "Using proxy: %s to connect to %s:%u", text, c->host, c->port);
        c->connector = proxy_connect(d, &c->proxy, on_proxy_connected, c);
    } else if (!d->o.allow_names || ends_with(c->host, ".onion") || ends_with(c->host, ".i2p")) {
        log_debug(LOG_NET, "Cannot resolve %s", c->host);
        note(c, false, "names are not looked up");
        give_up(c);
    } else {
        if (!d->resolver)
            d->resolver = resolver_new(d->loop);
        c->looking_up = true;
        resolver_lookup(d->resolver, c->host, on_looked_up, c);
    }
}

static struct dial *dial_new(struct dialer *d, dial_fn fn, void *ctx)
{
    struct dial *c = xcalloc(1, sizeof(*c));

    c->dialer = d;
    c->fn = fn;
    c->ctx = ctx;
    c->begin = event_new(loop_base(d->loop), -1, 0, on_begin, c);
    ASSERT(c->begin);
    event_active(c->begin, 0, 0);
    DL_APPEND2(d->dials, c, prev, next_dial);
    return c;
}

struct dial *dial_addr(struct dialer *d, const struct net_addr *addr, const struct proxy *override, dial_fn fn, void *ctx)
{
    struct dial *c = dial_new(d, fn, ctx);

    c->addrs[0] = *addr;
    c->n_addrs = 1;
    if (override)
        c->override = *override;
    return c;
}

struct dial *dial_name(struct dialer *d, const char *host, uint16_t port, dial_fn fn, void *ctx)
{
    struct dial *c = dial_new(d, fn, ctx);

    snprintf(c->host, sizeof(c->host), "%s", host);
    c->port = port;
    if (net_addr_parse(&c->addrs[0], host, port)) {
        c->addrs[0].port = port;
        c->n_addrs = 1;
    }
    return c;
}

void dial_set_manual(struct dial *c)
{
    c->manual = true;
}

void dial_set_check(struct dial *c, dial_check_fn check)
{
    c->check = check;
}

void dial_cancel(struct dial *c)
{
    if (c->looking_up) { /* the look-up cannot be stopped: it ends the dial */
        c->cancelled = true;
        c->fn = NULL;
        return;
    }
    if (c->connector)
        connector_cancel(c->connector);
    exchange_cancel(c->exchange);
    if (c->stream)
        i2p_stream_cancel(c->stream);
    dial_drop(c);
}
