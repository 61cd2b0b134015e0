/* net_tor.c - the connection to Tor's control port: kept up, its conversation (net/tor_control.h) fed, what comes of it put to use: the onion
 * proxy, our onion address, the file with the service's key. Loop thread. */
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/tor_control.h"
#include "node/net_private.h"
#include "util/assert.h"
#include "util/fs.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/random.h"

#define PAUSE_FIRST 1.0 /* s; grows by half each time */
#define PAUSE_MAX 600.0
#define KEY_FILE_MAX 1000

struct net_tor {
    struct node_net *net;
    struct proxy control;
    char text[128]; /* the control port, for the log */
    struct net_addr target, service;
    char *key_path, *key; /* key: "" before there is one */
    struct connector *connector;
    struct bufferevent *be;
    struct tor_control *talk;
    struct event *again;
    double pause;
};

/* Tor names the file: it may be anything. */
static bool read_cookie(void *ctx, uint8_t cookie[TOR_COOKIE_SIZE], const char *path)
{
    uint8_t buf[TOR_COOKIE_SIZE + 1];
    struct stat st;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    bool ok;

    (void)ctx;
    if (fd < 0)
        return false;
    ok = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && pread(fd, buf, sizeof(buf), 0) == TOR_COOKIE_SIZE;
    close(fd);
    if (ok)
        memcpy(cookie, buf, TOR_COOKIE_SIZE);
    return ok;
}

static void make_random(void *ctx, uint8_t *out, size_t len)
{
    (void)ctx;
    random_bytes(out, len);
}

static void on_authenticated(void *ctx)
{
    struct net_tor *t = ctx;
    t->pause = PAUSE_FIRST;
}

static void on_socks(void *ctx, const struct net_addr *addr)
{
    struct net_tor *t = ctx;
    /* Other credentials each time: a circuit for each connection, so that nobody can tell that they are one node's. */
    struct proxy p = {.kind = PROXY_TCP, .addr = *addr, .randomize = true};

    net_ways_set_onion(t->net, &p);
}

static void on_service(void *ctx, const struct net_addr *addr, const char *key)
{
    struct net_tor *t = ctx;

    if (key && strcmp(key, t->key) != 0) {
        free(t->key);
        t->key = xstrdup(key);
        if (fs_write_atomic(t->key_path, key, strlen(key), 0600) == RC_OK)
            log_debug(LOG_TOR, "Cached service private key to %s", t->key_path);
        else
            log_warning("tor: Error writing service private key to %s", t->key_path);
    }
    t->service = *addr;
    if (addr->network == NET_ONION)
        net_local_add(t->net, addr, LOCAL_MANUAL, false);
}

static void hang_up(struct net_tor *t)
{
    if (t->service.network == NET_ONION)
        net_local_remove(t->net, &t->service);
    memset(&t->service, 0, sizeof(t->service));
    tor_control_free(t->talk);
    t->talk = NULL;
    if (t->be)
        bufferevent_free(t->be);
    t->be = NULL;
}

static void try_again(struct net_tor *t)
{
    struct timeval tv = {(time_t)t->pause, (suseconds_t)((t->pause - (double)(time_t)t->pause) * 1e6)};

    log_debug(LOG_TOR, "Not connected to Tor control port %s, will retry in %.1f seconds", t->text, t->pause);
    event_add(t->again, &tv);
    t->pause = t->pause * 1.5 < PAUSE_MAX ? t->pause * 1.5 : PAUSE_MAX;
}

static void send_commands(struct net_tor *t)
{
    struct writer *out = tor_control_out(t->talk);

    bufferevent_write(t->be, out->data, out->len);
    writer_clear(out);
}

static void on_readable(struct bufferevent *be, void *arg)
{
    struct net_tor *t = arg;
    uint8_t buf[4096];
    size_t n;

    while ((n = bufferevent_read(be, buf, sizeof(buf))) > 0) {
        if (tor_control_feed(t->talk, buf, n))
            continue;
        hang_up(t);
        try_again(t);
        return;
    }
    send_commands(t);
}

static void on_event(struct bufferevent *be, short what, void *arg)
{
    struct net_tor *t = arg;

    (void)be;
    if (!(what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)))
        return;
    log_debug(LOG_TOR, "Lost connection to Tor control port");
    hang_up(t);
    try_again(t);
}

static void on_connected(void *ctx, evutil_socket_t fd, const struct net_addr *peer, int err)
{
    struct net_tor *t = ctx;
    struct node_net *n = t->net;
    struct tor_control_config c = {.password = args_str(n->config->args, "torpassword", ""),
                                   .want_socks = !n->set.ways.onion_given,
                                   .key = t->key,
                                   .virtual_port = n->config->params.port,
                                   .target = t->target,
                                   .read_cookie = read_cookie,
                                   .random = make_random,
                                   .authenticated = on_authenticated,
                                   .socks = on_socks,
                                   .service = on_service,
                                   .ctx = t};

    (void)peer;
    t->connector = NULL;
    if (fd < 0) {
        log_debug(LOG_TOR, "tor: Initiating connection to Tor control port %s failed: %s", t->text, strerror(err));
        try_again(t);
        return;
    }
    log_debug(LOG_TOR, "Successfully connected to Tor control port");
    t->be = bufferevent_socket_new(loop_base(n->loop), fd, BEV_OPT_CLOSE_ON_FREE);
    ASSERT(t->be);
    t->talk = tor_control_new(&c);
    bufferevent_setcb(t->be, on_readable, NULL, on_event, t);
    bufferevent_enable(t->be, EV_READ | EV_WRITE);
    send_commands(t);
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
    struct net_tor *t = arg;

    (void)fd;
    (void)what;
    log_debug(LOG_TOR, "Attempting to connect to Tor control port %s", t->text);
    t->connector = connector_start(t->net->loop, &t->control.addr, t->net->set.connect_timeout_ms, on_connected, t);
}

static char *read_key(const char *path)
{
    uint8_t *data;
    size_t len;
    char *key;

    if (fs_read(path, KEY_FILE_MAX, &data, &len) != RC_OK)
        return xstrdup("");
    log_debug(LOG_TOR, "Reading cached private key from %s", path);
    key = xasprintf("%.*s", (int)strcspn((char *)data, " \r\n"), (char *)data);
    free(data);
    return key;
}

void net_tor_start(struct node_net *n)
{
    const struct net_settings *s = &n->set;
    struct net_tor *t;
    char text[NET_ADDR_TEXT];

    if (!s->ways.listen_onion || s->ways.tor_control.kind != PROXY_TCP || !(s->n_onion_binds + s->n_binds))
        return;
    t = xcalloc(1, sizeof(*t));
    t->net = n;
    t->control = s->ways.tor_control;
    proxy_text(t->text, sizeof(t->text), &t->control);
    t->target = s->n_onion_binds ? s->onion_binds[0] : s->binds[0];
    if (s->n_onion_binds > 1) {
        net_addr_text(text, &t->target);
        log_warning("More than one onion bind address is provided. Using %s for the automatically created Tor onion service.",
                    text);
    }
    t->key_path = fs_join(n->config->dir.net_dir, "onion_v3_private_key");
    t->key = read_key(t->key_path);
    t->pause = PAUSE_FIRST;
    t->again = event_new(loop_base(n->loop), -1, 0, on_again, t);
    ASSERT(t->again);
    n->tor = t;
    on_again(-1, 0, t);
}

void net_tor_stop(struct node_net *n)
{
    struct net_tor *t = n->tor;

    if (!t)
        return;
    n->tor = NULL;
    hang_up(t);
    if (t->connector)
        connector_cancel(t->connector);
    event_free(t->again);
    free(t->key_path);
    free(t->key);
    free(t);
}
