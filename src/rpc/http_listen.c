/* http_listen.c - the doors of the HTTP server: the sockets that it listens on, who may come in, and how many. Called by http.c at start; loop thread. */
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

/* ---- sockets ---- */

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
    struct listener *l;

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
    l = listener_new(h->loop, &addr, on_accepted, h, &error);
    add_listener(h, l, text, error);
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

bool http_listen(struct http_server *h, char **error)
{
    const struct rpc_host *host = &h->rpc->host;

    return init_allowed(h, host->args, error) && init_tls(h, host, error) && bind_all(h, host, error);
}
