/* http.c - the HTTP server on the node's event loop: paths, what was asked, time limits, requests that go to other threads and come back. Started
 * and stopped by http_rpc.c. Loop thread, but http_hand_back and the work of http_offload. */
#include <stdlib.h>
#include <unistd.h>

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

char *http_query_value(size_t *len, const struct http_request *req, const char *key)
{
    return http_target_value(len, http_target(req), key);
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

/* ---- start ---- */

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
    if (http_listen(h, error))
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
