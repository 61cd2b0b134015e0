/* http.c - the HTTP server on the node's event loop: listening sockets, who may connect, how many, paths, time limits, requests that come back from
 * other threads. Started and stopped by http_rpc.c. Loop thread, but http_hand_back and the work of http_offload. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "crypto/certificate.h"
#include "net/endpoint.h"
#include "net/tls.h"
#include "rpc/http_server.h"
#include "rpc/server_priv.h"
#include "util/fs.h"

#define SWEEP_MS 250
#define FLUSH_US 2000000
/* Connections: a quarter of the files that the process may have open, within these bounds. */
#define CONNS_LEAST 64
#define CONNS_MOST 2048

/* ---- what was asked ---- */

enum http_method http_method(const struct http_request *req)
{
    return req->parse.method;
}

const char *http_target(const struct http_request *req)
{
    return http_parser_target(&req->parse);
}

const char *http_rest_of_target(const struct http_request *req)
{
    return http_target(req) + strlen(req->route->prefix);
}

char *http_query_value(const struct http_request *req, const char *key)
{
    return http_target_value(http_target(req), key);
}

const char *http_header(const struct http_request *req, const char *name)
{
    return http_parser_header(&req->parse, name);
}

const void *http_body(const struct http_request *req, size_t *len)
{
    *len = req->parse.body_len;
    return req->parse.body;
}

const char *http_peer(const struct http_request *req)
{
    struct http_request *r = (struct http_request *)(uintptr_t)req;
    char text[NET_ADDR_TEXT];

    if (r->conn->peer.network == NET_UNKNOWN)
        return "unix";
    if (!r->peer) {
        net_addr_text(text, &r->conn->peer);
        r->peer = xstrdup(text);
    }
    return r->peer;
}

bool http_is_gone(const struct http_request *req)
{
    return atomic_load(&req->gone);
}

void *http_session(struct http_request *req)
{
    return req->conn->session;
}

void http_session_set(struct http_request *req, void *session, void (*free_fn)(void *session))
{
    struct http_conn *c = req->conn;

    if (c->session_free)
        c->session_free(c->session);
    c->session = session;
    c->session_free = free_fn;
}

void http_on_gone(struct http_request *req, void (*fn)(struct http_request *req))
{
    req->on_gone = fn;
}

void http_on_sent(struct http_request *req, void (*fn)(void *arg), void *arg)
{
    req->on_sent = fn;
    req->sent_arg = arg;
}

/* ---- paths ---- */

void http_route_add(struct http_server *h, const struct http_route *route)
{
    ASSERT(h->n_routes < HTTP_ROUTES_MAX);
    h->routes[h->n_routes++] = *route;
}

const struct http_route *http_route_of(const struct http_server *h, const char *target)
{
    for (size_t i = 0; i < h->n_routes; i++) {
        const struct http_route *r = &h->routes[i];
        if (r->exact ? strcmp(target, r->prefix) == 0 : strncmp(target, r->prefix, strlen(r->prefix)) == 0)
            return r;
    }
    return NULL;
}

/* ---- other threads ---- */

void http_take_away(struct http_request *req)
{
    http_parser_keep_body(&req->parse);
    http_peer(req);
    req->away = true;
}

void http_take_back(struct http_server *h)
{
    struct http_request *req, *next;

    pthread_mutex_lock(&h->rpc->mutex);
    req = h->back;
    h->back = NULL;
    pthread_mutex_unlock(&h->rpc->mutex);
    for (; req; req = next) {
        next = req->next_back;
        req->away = false;
        req->on_back(req);
    }
}

static void back_on_loop(void *arg)
{
    struct rpc_server *s = arg;

    if (s->http)
        http_take_back(s->http);
    rpc_server_unref(s);
}

static void back_dropped(void *arg)
{
    rpc_server_unref(arg);
}

void http_hand_back(struct http_request *req, void (*back)(struct http_request *req))
{
    struct http_server *h = req->conn->server;
    struct rpc_server *s = h->rpc;
    struct loop *loop = h->loop; /* once handed back, the request is the loop's */

    req->on_back = back;
    rpc_server_ref(s);
    pthread_mutex_lock(&s->mutex);
    req->next_back = h->back;
    h->back = req;
    pthread_mutex_unlock(&s->mutex);
    loop_post(loop, back_on_loop, back_dropped, s);
}

struct offloaded {
    struct http_request *req;
    void (*work)(void *arg, struct http_request *req);
    void *arg;
};

static void answer_back(struct http_request *req)
{
    http_conn_answer(req->conn);
}

static void work_on_pool(void *arg)
{
    struct offloaded o = *(struct offloaded *)arg;

    free(arg);
    o.work(o.arg, o.req);
    ASSERT(o.req->answered);
    http_hand_back(o.req, answer_back);
}

void http_refuse_busy(struct http_request *req)
{
    log_warning("Request rejected because http work queue depth exceeded, it can be increased with the -rpcworkqueue= setting");
    http_reply_error(req, 503, "Work queue depth exceeded");
}

void http_offload(struct http_request *req, void (*work)(void *arg, struct http_request *req), void (*drop)(void *arg), void *arg)
{
    struct rpc_server *s = req->conn->server->rpc;
    struct offloaded *o = xmalloc(sizeof(*o));

    *o = (struct offloaded){req, work, arg};
    http_take_away(req);
    if (s->pool && pool_push(s->pool, work_on_pool, o, s->queue_depth))
        return;
    req->away = false;
    free(o);
    if (drop)
        drop(arg);
    http_refuse_busy(req);
}

/* ---- connections ---- */

static bool allowed(const struct http_server *h, const struct net_addr *peer)
{
    for (size_t i = 0; i < h->n_allowed; i++) {
        if (subnet_contains(&h->allowed[i], peer))
            return true;
    }
    return false;
}

/* Nobody misses it: it does nothing, or waits to be told that its password is wrong. */
static bool is_dispensable(const struct http_conn *c)
{
    const struct http_request *req = &c->req;

    if (c->sending || c->feeding || req->away)
        return false;
    return !req->pending || (req->on_gone && !c->trusted);
}

/* The connection that has been idle longest of those that were served nothing, or else of the others. */
static struct http_conn *idlest(const struct http_server *h)
{
    const struct http_conn_list *lists[] = {&h->fresh, &h->proven};

    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        for (struct http_conn *c = lists[i]->first; c; c = c->next) {
            if (is_dispensable(c))
                return c;
        }
    }
    return NULL;
}

/* A full house has room for one more as long as somebody in it does nothing. */
static bool make_room(struct http_server *h)
{
    struct http_conn *c;

    if (h->fresh.n + h->proven.n < h->conns_max)
        return true;
    c = idlest(h);
    if (!c)
        return false;
    http_conn_drop(c);
    return true;
}

static void on_accepted(void *ctx, evutil_socket_t fd, const struct net_addr *peer, const struct net_addr *local)
{
    struct http_server *h = ctx;
    char text[NET_ADDR_TEXT];
    int on = 1;
    bool is_unix = peer->network == NET_UNKNOWN;

    (void)local;
    if (!is_unix && !allowed(h, peer)) {
        net_addr_text(text, peer);
        log_debug(LOG_HTTP, "Connection from %s rejected: Client network is not allowed HTTP access", text);
        close(fd);
        return;
    }
    if (!make_room(h)) {
        log_debug(LOG_HTTP, "HTTP connection dropped: all %zu are busy", h->conns_max);
        close(fd);
        return;
    }
    if (!is_unix)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    http_conn_new(h, fd, peer);
}

static void sweep_list(const struct http_conn_list *l, int64_t now)
{
    struct http_conn *next;

    for (struct http_conn *c = l->first; c; c = next) {
        next = c->next;
        http_conn_check_time(c, now);
    }
}

static void on_sweep(evutil_socket_t fd, short what, void *arg)
{
    struct http_server *h = arg;
    int64_t now = time_mono_us();

    (void)fd;
    (void)what;
    sweep_list(&h->fresh, now);
    sweep_list(&h->proven, now);
    block_cache_sweep(h->rpc->blocks, now);
}

/* ---- start ---- */

static bool add_allowed(struct http_server *h, const char *text)
{
    h->allowed = xrealloc(h->allowed, (h->n_allowed + 1) * sizeof(*h->allowed));
    return subnet_parse(&h->allowed[h->n_allowed++], text);
}

/* fc00::/8 is CJDNS's where that is in use: there, neighbouring addresses have nothing to do with each other. */
static bool is_cjdns_network(const struct subnet *s)
{
    struct net_addr a = s->base;

    net_addr_flip_cjdns(&a);
    return a.network == NET_CJDNS && s->bits < 128;
}

static bool init_allowed(struct http_server *h, const struct args *args, char **error)
{
    const char *const *values;
    size_t n = args_list(args, "rpcallowip", &values);

    add_allowed(h, "127.0.0.0/8");
    add_allowed(h, "::1");
    for (size_t i = 0; i < n; i++) {
        if (add_allowed(h, values[i]) && !(args_is_set(args, "cjdnsreachable") && is_cjdns_network(&h->allowed[h->n_allowed - 1])))
            continue;
        *error = xasprintf(
            "Invalid -rpcallowip subnet specification: %s. Valid values are a single IP (e.g. 1.2.3.4), a network/netmask "
            "(e.g. 1.2.3.4/255.255.255.0), a network/CIDR (e.g. 1.2.3.4/24), all ipv4 (0.0.0.0/0), or all ipv6 (::/0). "
            "RFC4193 is allowed only if -cjdnsreachable=0.",
            values[i]);
        return false;
    }
    return true;
}

static void add_listener(struct http_server *h, struct listener *l, const char *where, char *error)
{
    if (l)
        h->listeners[h->n_listeners++] = l;
    else
        log_warning("Binding RPC on address %s failed: %s", where, error);
    free(error);
}

static void bind_to(struct http_server *h, const char *host, uint16_t port)
{
    struct net_addr addr;
    char *error = NULL, text[NET_ADDR_TEXT];

    if (h->n_listeners == HTTP_LISTENERS_MAX)
        return;
    log_info("Binding RPC on address %s port %u", host, port);
    if (!net_addr_parse(&addr, host, port)) {
        log_warning("Could not bind RPC on address %s port %u: Address lookup failed.", host, port);
        return;
    }
    addr.port = port;
    if (net_addr_is_any(&addr))
        log_warning("The RPC server is not safe to expose to untrusted networks such as the public internet");
    net_addr_text(text, &addr);
    add_listener(h, listener_new(h->loop, &addr, on_accepted, h, &error), text, error);
}

static void bind_unix(struct http_server *h, const char *path, const char *datadir)
{
    char *full = *path == '/' ? xstrdup(path) : fs_join(datadir, path), *error = NULL;
    struct listener *l;

    log_info("Binding RPC on unix socket %s", full);
    if (h->unix_path || h->n_listeners == HTTP_LISTENERS_MAX) {
        log_warning("Only one unix socket can be bound for RPC");
        free(full);
        return;
    }
    l = listener_new_unix(h->loop, full, on_accepted, h, &error);
    add_listener(h, l, full, error);
    if (l)
        h->unix_path = full;
    else
        free(full);
}

static bool is_unix(const char *value)
{
    return strncmp(value, "unix:", 5) == 0;
}

/* -rpcbind with an address counts only beside -rpcallowip. Returns: false with *error. */
static bool bind_given(struct http_server *h, const struct rpc_host *host, uint16_t port, bool allow, char **error)
{
    const char *const *values;
    size_t n = args_list(host->args, "rpcbind", &values);

    for (size_t i = 0; i < n; i++) {
        char name[256];
        uint16_t p = port;
        if (is_unix(values[i])) {
            bind_unix(h, values[i] + 5, host->datadir);
            continue;
        }
        if (!allow)
            continue;
        if (!net_split_host_port(name, sizeof(name), &p, values[i])) {
            *error = xasprintf("Invalid port specified in -rpcbind: '%s'", values[i]);
            return false;
        }
        bind_to(h, name, p);
    }
    return true;
}

static bool any_address(const struct args *args)
{
    const char *const *values;
    size_t n = args_list(args, "rpcbind", &values);

    for (size_t i = 0; i < n; i++) {
        if (!is_unix(values[i]))
            return true;
    }
    return false;
}

static bool bind_all(struct http_server *h, const struct rpc_host *host, char **error)
{
    bool allow = args_is_set(host->args, "rpcallowip"), given = any_address(host->args);
    int64_t port = args_int(host->args, "rpcport", host->params->rpc_port);

    if (port < 1 || port > 65535) {
        *error = xasprintf("Invalid port specified in -rpcport: '%s'", args_str(host->args, "rpcport", ""));
        return false;
    }
    if (!allow || !given) {
        if (allow)
            log_warning("Option -rpcallowip was specified without -rpcbind; this doesn't usually make sense");
        if (given)
            log_warning("Option -rpcbind was ignored because -rpcallowip was not specified, refusing to allow everyone to connect");
        bind_to(h, "::1", (uint16_t)port);
        bind_to(h, "127.0.0.1", (uint16_t)port);
    }
    if (!bind_given(h, host, (uint16_t)port, allow, error))
        return false;
    if (h->n_listeners)
        return true;
    log_error("Unable to bind any endpoint for RPC server");
    *error = xasprintf("Unable to start HTTP server: no RPC endpoint could be bound (port %u). See debug log for details.",
                       (unsigned)port);
    return false;
}

static char *in_datadir(const struct rpc_host *host, const char *name)
{
    return *name == '/' ? xstrdup(name) : fs_join(host->datadir, name);
}

static bool init_tls(struct http_server *h, const struct rpc_host *host, char **error)
{
    const char *cert = args_str(host->args, "rpctlscert", ""), *key = args_str(host->args, "rpctlskey", "");
    char *cert_path, *key_path;
    bool made;

    if (!*cert && !*key)
        return true;
    if (!*cert || !*key) {
        *error = xstrdup("-rpctlscert and -rpctlskey go together");
        return false;
    }
    cert_path = in_datadir(host, cert);
    key_path = in_datadir(host, key);
    if (certificate_ensure(cert_path, key_path, &made, error)) {
        if (made)
            log_info("Made a self-signed TLS certificate for RPC: %s", cert_path);
        h->tls = tls_context_new(cert_path, key_path, error);
    }
    free(cert_path);
    free(key_path);
    return h->tls;
}

bool http_server_new(struct http_server **out, struct rpc_server *s, char **error)
{
    struct http_server *h = *out = xcalloc(1, sizeof(*h));
    int64_t seconds = args_int(s->host.args, "rpcservertimeout", 30);
    size_t files = fs_raise_open_files(4 * CONNS_MOST) / 4;
    struct timeval tv = {0, SWEEP_MS * 1000};

    h->rpc = s;
    h->loop = s->host.loop;
    h->base = loop_base(h->loop);
    h->timeout_us = seconds <= 0 ? 0 : seconds > 1000000000 ? INT64_MAX / 2 : seconds * 1000000;
    h->conns_max = files < CONNS_LEAST ? CONNS_LEAST : files > CONNS_MOST ? CONNS_MOST : files;
    h->sweep = event_new(h->base, -1, EV_PERSIST, on_sweep, h);
    ASSERT(h->sweep);
    event_add(h->sweep, &tv);
    if (init_allowed(h, s->host.args, error) && init_tls(h, &s->host, error) && bind_all(h, &s->host, error))
        return true;
    http_server_free(h);
    *out = NULL;
    return false;
}

/* ---- stop ---- */

void http_server_close_doors(struct http_server *h)
{
    for (size_t i = 0; i < h->n_listeners; i++)
        listener_free(h->listeners[i]);
    h->n_listeners = 0;
    h->stopping = true;
    if (h->unix_path)
        unlink(h->unix_path);
    free(h->unix_path);
    h->unix_path = NULL;
}

static void end_list(struct http_conn_list *l, int64_t until)
{
    while (l->first) {
        struct http_conn *c = l->first;
        http_conn_flush(c, until);
        ASSERT(!c->req.pending);
        http_conn_drop(c);
    }
}

void http_server_free(struct http_server *h)
{
    int64_t until = time_mono_us() + FLUSH_US;

    http_server_close_doors(h);
    end_list(&h->proven, until);
    end_list(&h->fresh, until);
    event_free(h->sweep);
    tls_context_free(h->tls);
    free(h->allowed);
    free(h);
}
