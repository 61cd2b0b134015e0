/* http.c - the HTTP side on the node's event loop: listening sockets, authentication, requests handed to the pool, long polls that hold no
 * thread. Everything here runs on the loop thread but job_on_pool, finish_on_pool and job_on_validation. */
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "net/subnet.h"
#include "rpc/server_priv.h"

#define BODY_MAX 0x02000000
#define HEADERS_MAX 8192
#define PARSE_ON_LOOP_MAX 65536 /* larger bodies are parsed on the pool */
#define SOCKETS_MAX 32
#define WRONG_PASSWORD_MS 250
#define ALIVE_CHECK_MS 1000
#define OPENING_CHECK_MS 10 /* how often a connection is looked after that somebody waits for */

enum job_kind { JOB_ON_POOL, JOB_WAITING, JOB_REFUSED };
/* A request that is not answered at once. */
struct http_job {
    struct http_server *h;
    struct evhttp_request *req;
    enum job_kind kind;
    struct json_object *request; /* or body */
    char *body;
    size_t body_len;
    char *user;
    struct rpc_reply reply;
    struct remote_job *remote; /* what the validation thread does of it, NULL: nothing */
    struct event *timer;
    int64_t deadline_us;          /* JOB_WAITING; 0: none */
    struct http_job *next, *prev; /* jobs of the server */
    struct http_job *next_done;
};

struct http_server {
    struct rpc_server *rpc;
    struct loop *loop; /* of rpc->host, which the loop may be replacing while a pool thread hands a job back */
    struct event_base *base;
    struct evhttp *http;
    struct evhttp_bound_socket *sockets[SOCKETS_MAX];
    size_t n_sockets;
    struct subnet *allowed;
    size_t n_allowed;
    struct http_job *jobs;
    unsigned n_waiting;    /* of them long polls */
    unsigned n_remote;     /* of them on the validation thread */
    struct http_job *done; /* guarded by rpc->mutex: finished on the pool, to be sent */
    struct event *stop_timer;
    bool stop_requested;
};

/* ---- answers ---- */

static void free_body(const void *data, size_t len, void *arg)
{
    (void)len;
    (void)arg;
    free((void *)(uintptr_t)data);
}

static void send_text(struct evhttp_request *req, int status, const char *text)
{
    struct evbuffer *buf = evbuffer_new();

    evbuffer_add(buf, text, strlen(text));
    evhttp_send_reply(req, status, NULL, buf);
    evbuffer_free(buf);
}

static void request_stop(struct http_server *h)
{
    if (h->stop_requested)
        return;
    h->stop_requested = true;
    if (h->rpc->host.request_stop)
        h->rpc->host.request_stop(h->rpc->host.ctx);
}

static void on_stop_sent(struct evhttp_request *req, void *arg)
{
    (void)req;
    request_stop(arg);
}

static void on_stop_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    request_stop(arg);
}

/* The answer first, then the node stops; the timer is for a client that has gone. */
static void stop_after(struct http_server *h, struct evhttp_request *req)
{
    struct timeval second = {1, 0};

    evhttp_request_set_on_complete_cb(req, on_stop_sent, h);
    if (!h->stop_timer)
        h->stop_timer = evtimer_new(h->base, on_stop_timer, h);
    evtimer_add(h->stop_timer, &second);
}

static void send_reply(struct http_server *h, struct evhttp_request *req, struct rpc_reply *reply)
{
    struct evbuffer *buf;

    if (reply->stop)
        stop_after(h, req);
    if (reply->body.len == 0) {
        writer_clear(&reply->body);
        evhttp_send_reply(req, reply->status, NULL, NULL);
        return;
    }
    buf = evbuffer_new();
    evhttp_add_header(evhttp_request_get_output_headers(req), "Content-Type", "application/json");
    evbuffer_add_reference(buf, reply->body.data, reply->body.len, free_body, NULL);
    reply->body = (struct writer)WRITER_INIT;
    evhttp_send_reply(req, reply->status, NULL, buf);
    evbuffer_free(buf);
}

static void send_unauthorized(struct evhttp_request *req)
{
    evhttp_add_header(evhttp_request_get_output_headers(req), "WWW-Authenticate", "Basic realm=\"jsonrpc\"");
    evhttp_send_reply(req, 401, NULL, NULL);
}

/* ---- jobs ---- */

static struct http_job *job_new(struct http_server *h, struct evhttp_request *req, enum job_kind kind)
{
    struct http_job *job = xcalloc(1, sizeof(*job));

    job->h = h;
    job->req = req;
    job->kind = kind;
    job->next = h->jobs;
    if (h->jobs)
        h->jobs->prev = job;
    h->jobs = job;
    return job;
}

static void job_free(struct http_job *job)
{
    if (job->prev)
        job->prev->next = job->next;
    else
        job->h->jobs = job->next;
    if (job->next)
        job->next->prev = job->prev;
    if (job->timer)
        event_free(job->timer);
    if (job->remote) {
        job->h->n_remote--;
        remote_forget(job->remote);
    }
    json_object_put(job->request);
    free(job->body);
    free(job->user);
    writer_clear(&job->reply.body);
    free(job);
}

static void deliver_all(struct http_server *h)
{
    struct http_job *job;

    pthread_mutex_lock(&h->rpc->mutex);
    job = h->done;
    h->done = NULL;
    pthread_mutex_unlock(&h->rpc->mutex);
    while (job) {
        struct http_job *next = job->next_done;
        send_reply(h, job->req, &job->reply);
        job_free(job);
        job = next;
    }
}

static void deliver_on_loop(void *arg)
{
    struct rpc_server *s = arg;

    if (s->http)
        deliver_all(s->http);
    rpc_server_unref(s);
}

static void deliver_dropped(void *arg)
{
    rpc_server_unref(arg);
}

static void hand_back(struct http_job *job)
{
    struct rpc_server *s = job->h->rpc;
    struct loop *loop = job->h->loop; /* once handed back, the job is the loop's */

    pthread_mutex_lock(&s->mutex);
    job->next_done = job->h->done;
    job->h->done = job;
    pthread_mutex_unlock(&s->mutex);
    rpc_server_ref(s);
    loop_post(loop, deliver_on_loop, deliver_dropped, s);
}

/* Pool thread. */
static void job_on_pool(void *arg)
{
    struct http_job *job = arg;

    if (job->body) {
        job->request = rpc_parse(job->body, job->body_len);
        free(job->body);
        job->body = NULL;
    }
    if (job->request)
        rpc_handle(job->h->rpc, &job->reply, job->user, job->request, RPC_AT_POOL);
    else
        rpc_parse_error(&job->reply);
    hand_back(job);
}

/* Validation thread. */
static void job_on_validation(void *arg)
{
    struct http_job *job = arg;

    rpc_handle(job->h->rpc, &job->reply, job->user, job->request, RPC_AT_VALIDATION);
    hand_back(job);
}

/* Pool thread: a wait is over and its answer takes work. */
static void finish_on_pool(void *arg)
{
    struct http_job *job = arg;

    rpc_reply_finish(job->h->rpc, &job->reply);
    hand_back(job);
}

/* ---- long polls ---- */

static bool client_gone(struct evhttp_request *req)
{
    struct evhttp_connection *c = evhttp_request_get_connection(req);
    char byte;

    if (!c)
        return true;
    return recv(bufferevent_getfd(evhttp_connection_get_bufferevent(c)), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static void end_wait(struct http_job *job)
{
    struct http_server *h = job->h;

    job->kind = JOB_ON_POOL;
    h->n_waiting--;
    evtimer_del(job->timer);
    if (job->reply.deferred->wait.pool_after && h->rpc->pool && !atomic_load(&h->rpc->stopping) &&
        pool_push(h->rpc->pool, finish_on_pool, job, 0))
        return;
    rpc_reply_finish(h->rpc, &job->reply);
    send_reply(h, job->req, &job->reply);
    job_free(job);
}

static void arm_timer(struct http_job *job)
{
    int64_t ms = job->reply.deferred->wait.kind == RPC_WAIT_OPENING ? OPENING_CHECK_MS : ALIVE_CHECK_MS;
    struct timeval tv;

    if (job->deadline_us) {
        int64_t left = (job->deadline_us - time_mono_us() + 999) / 1000;
        ms = left < 0 ? 0 : left < ms ? left : ms;
    }
    tv.tv_sec = ms / 1000;
    tv.tv_usec = (ms % 1000) * 1000;
    evtimer_add(job->timer, &tv);
}

static void on_wait_timer(evutil_socket_t fd, short what, void *arg)
{
    struct http_job *job = arg;
    const struct rpc_wait *w = &job->reply.deferred->wait;

    (void)fd;
    (void)what;
    if (job->deadline_us && time_mono_us() >= job->deadline_us)
        job->deadline_us += rpc_wait_more(job->h->rpc, w) * 1000;
    if ((job->deadline_us && time_mono_us() >= job->deadline_us) || client_gone(job->req) || rpc_wait_over(job->h->rpc, w))
        end_wait(job);
    else
        arm_timer(job);
}

static void start_wait(struct http_job *job)
{
    int64_t ms = job->reply.deferred->wait.timeout_ms;

    job->kind = JOB_WAITING;
    job->h->n_waiting++;
    job->deadline_us = ms ? time_mono_us() + ms * 1000 : 0;
    job->timer = evtimer_new(job->h->base, on_wait_timer, job);
    arm_timer(job);
}

void http_server_tip_changed(struct http_server *h)
{
    struct http_job *next;

    for (struct http_job *job = h->jobs; job; job = next) {
        next = job->next;
        if (job->kind == JOB_WAITING && rpc_wait_over(h->rpc, &job->reply.deferred->wait))
            end_wait(job);
    }
}

/* ---- requests ---- */

static void on_refused_timer(evutil_socket_t fd, short what, void *arg)
{
    struct http_job *job = arg;

    (void)fd;
    (void)what;
    send_unauthorized(job->req);
    job_free(job);
}

/* A wrong password is answered late, so that guessing is slow. */
static void refuse_later(struct http_server *h, struct evhttp_request *req)
{
    struct timeval tv = {0, WRONG_PASSWORD_MS * 1000};
    struct http_job *job = job_new(h, req, JOB_REFUSED);

    job->timer = evtimer_new(h->base, on_refused_timer, job);
    evtimer_add(job->timer, &tv);
}

static bool client_allowed(const struct http_server *h, struct evhttp_request *req)
{
    struct evhttp_connection *c = evhttp_request_get_connection(req);
    char *text = NULL;
    ev_uint16_t port;
    struct net_addr a;

    if (!c)
        return false;
    evhttp_connection_get_peer(c, &text, &port);
    if (!text || !net_addr_parse(&a, text, 0))
        return false;
    for (size_t i = 0; i < h->n_allowed; i++) {
        if (subnet_contains(&h->allowed[i], &a))
            return true;
    }
    return false;
}

static void refuse_busy(struct evhttp_request *req)
{
    log_warning("Request rejected because http work queue depth exceeded, it can be increased with the -rpcworkqueue= setting");
    send_text(req, 503, "Work queue depth exceeded");
}

static void push_to_pool(struct http_job *job)
{
    struct rpc_server *s = job->h->rpc;

    if (pool_push(s->pool, job_on_pool, job, s->queue_depth))
        return;
    refuse_busy(job->req);
    job_free(job);
}

static void push_to_validation(struct http_job *job)
{
    struct http_server *h = job->h;

    if (h->n_remote >= h->rpc->waits_max) { /* what threads and queue would take of calls that wait for it */
        refuse_busy(job->req);
        job_free(job);
        return;
    }
    h->n_remote++;
    job->remote = remote_start(h->rpc, job_on_validation, job);
}

/* Takes request: a call that waits goes on using it. */
static void run_inline(struct http_server *h, struct evhttp_request *req, const char *user, struct json_object *request_take)
{
    struct rpc_reply reply;
    struct http_job *job;

    rpc_handle(h->rpc, &reply, user, request_take, RPC_AT_LOOP);
    if (!reply.deferred) {
        send_reply(h, req, &reply);
        json_object_put(request_take);
        return;
    }
    if (h->n_waiting >= h->rpc->waits_max && rpc_wait_is_poll(&reply.deferred->wait)) {
        rpc_reply_drop(&reply);
        refuse_busy(req);
        json_object_put(request_take);
        return;
    }
    job = job_new(h, req, JOB_WAITING);
    job->request = request_take;
    job->reply = reply;
    start_wait(job);
    if (rpc_wait_over(h->rpc, &reply.deferred->wait)) {
        end_wait(job); /* nothing to wait for: the pool writes the answer */
        return;
    }
    if (atomic_load(&h->rpc->waking))
        http_server_tip_changed(h); /* "stop" ends the other long polls */
}

/* Takes user. */
static void dispatch(struct http_server *h, struct evhttp_request *req, char *user_take)
{
    struct evbuffer *in = evhttp_request_get_input_buffer(req);
    size_t len = evbuffer_get_length(in);
    struct json_object *request = NULL;
    enum rpc_place place = RPC_AT_POOL;
    struct http_job *job;
    struct rpc_reply reply;

    if (len <= PARSE_ON_LOOP_MAX) {
        request = len ? rpc_parse((const char *)evbuffer_pullup(in, -1), len) : NULL;
        if (!request) {
            memset(&reply, 0, sizeof(reply));
            rpc_parse_error(&reply);
            send_reply(h, req, &reply);
            free(user_take);
            return;
        }
        place = rpc_place_of(h->rpc, request);
        if (place == RPC_AT_LOOP) {
            run_inline(h, req, user_take, request);
            free(user_take);
            return;
        }
    }
    job = job_new(h, req, JOB_ON_POOL);
    job->user = user_take;
    job->request = request;
    if (!request) {
        job->body = xmalloc(len);
        job->body_len = len;
        evbuffer_remove(in, job->body, len);
    }
    if (place == RPC_AT_VALIDATION)
        push_to_validation(job);
    else
        push_to_pool(job);
}

static void on_request(struct evhttp_request *req, void *arg)
{
    struct http_server *h = arg;
    const char *header;
    char *user;

    if (atomic_load(&h->rpc->stopping) || !h->rpc->pool) {
        send_text(req, 503, "Shutting down");
        return;
    }
    if (!client_allowed(h, req)) {
        log_debug(LOG_HTTP, "HTTP request from a client that is not allowed to connect");
        evhttp_connection_free(evhttp_request_get_connection(req)); /* and the request with it: no answer */
        return;
    }
    if (strcmp(evhttp_request_get_uri(req), "/") != 0) {
        evhttp_send_reply(req, 404, NULL, NULL);
        return;
    }
    if (evhttp_request_get_command(req) != EVHTTP_REQ_POST) {
        send_text(req, 405, "JSONRPC server handles only POST requests");
        return;
    }
    header = evhttp_find_header(evhttp_request_get_input_headers(req), "Authorization");
    if (!header) {
        send_unauthorized(req);
        return;
    }
    if (!rpc_auth_check(h->rpc->auth, header, &user)) {
        char *ip = NULL;
        ev_uint16_t port = 0;
        evhttp_connection_get_peer(evhttp_request_get_connection(req), &ip, &port);
        log_warning("ThreadRPCServer incorrect password attempt from %s:%u", ip ? ip : "?", port);
        refuse_later(h, req);
        return;
    }
    dispatch(h, req, user);
}

/* ---- start and stop ---- */

static bool add_allowed(struct http_server *h, const char *text)
{
    h->allowed = xrealloc(h->allowed, (h->n_allowed + 1) * sizeof(*h->allowed));
    return subnet_parse(&h->allowed[h->n_allowed++], text);
}

static bool init_allowed(struct http_server *h, const struct args *args, char **error)
{
    const char *const *values;
    size_t n = args_list(args, "rpcallowip", &values);

    add_allowed(h, "127.0.0.0/8");
    add_allowed(h, "::1");
    for (size_t i = 0; i < n; i++) {
        if (add_allowed(h, values[i]))
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

static void bind_to(struct http_server *h, const char *host, uint16_t port)
{
    struct evhttp_bound_socket *s;
    int on = 1;

    if (h->n_sockets == SOCKETS_MAX)
        return;
    log_info("Binding RPC on address %s port %u", host, port);
    s = evhttp_bind_socket_with_handle(h->http, host, port);
    if (s) /* accepted sockets inherit it: the end of a long answer must not wait for an acknowledgement */
        setsockopt(evhttp_bound_socket_get_fd(s), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (s)
        h->sockets[h->n_sockets++] = s;
    else
        log_warning("Binding RPC on address %s port %u failed.", host, port);
}

static bool bind_all(struct http_server *h, const struct rpc_host *host, char **error)
{
    const char *const *values;
    size_t n = args_list(host->args, "rpcbind", &values);
    bool allow = args_is_set(host->args, "rpcallowip");
    int64_t port = args_int(host->args, "rpcport", host->params->rpc_port);

    if (port < 1 || port > 65535) {
        *error = xasprintf("Invalid port specified in -rpcport: '%s'", args_str(host->args, "rpcport", ""));
        return false;
    }
    if (!allow || n == 0) {
        if (allow)
            log_warning("Option -rpcallowip was specified without -rpcbind; this doesn't usually make sense");
        if (n)
            log_warning("Option -rpcbind was ignored because -rpcallowip was not specified, refusing to allow everyone to connect");
        bind_to(h, "::1", (uint16_t)port);
        bind_to(h, "127.0.0.1", (uint16_t)port);
    }
    for (size_t i = 0; allow && i < n; i++) {
        char name[256];
        uint16_t p = (uint16_t)port;
        if (!net_split_host_port(name, sizeof(name), &p, values[i])) {
            *error = xasprintf("Invalid port specified in -rpcbind: '%s'", values[i]);
            return false;
        }
        bind_to(h, name, p);
    }
    if (h->n_sockets)
        return true;
    log_error("Unable to bind any endpoint for RPC server");
    *error = xasprintf("Unable to start HTTP server: no RPC endpoint could be bound (port %u). See debug log for details.",
                       (unsigned)port);
    return false;
}

static void server_free(struct http_server *h)
{
    if (h->stop_timer)
        event_free(h->stop_timer);
    if (h->http)
        evhttp_free(h->http);
    free(h->allowed);
    free(h);
}

bool http_server_start(struct http_server **out, struct rpc_server *s, char **error)
{
    struct http_server *h = xcalloc(1, sizeof(*h));
    const struct args *args = s->host.args;

    *out = NULL;
    h->rpc = s;
    h->loop = s->host.loop;
    h->base = loop_base(h->loop);
    h->http = evhttp_new(h->base);
    evhttp_set_timeout(h->http, (int)args_int(args, "rpcservertimeout", 30));
    evhttp_set_max_headers_size(h->http, HEADERS_MAX);
    evhttp_set_max_body_size(h->http, BODY_MAX);
    evhttp_set_allowed_methods(h->http, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD | EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE |
                                            EVHTTP_REQ_OPTIONS | EVHTTP_REQ_PATCH);
    evhttp_set_gencb(h->http, on_request, h);
    if (!init_allowed(h, args, error) || !bind_all(h, &s->host, error)) {
        server_free(h);
        return false;
    }
    *out = h;
    return true;
}

/* Writes what fits into the socket now: the loop may not run again. */
static void push_out(struct evhttp_connection *c)
{
    struct bufferevent *bev = c ? evhttp_connection_get_bufferevent(c) : NULL;
    struct evbuffer *buf = bev ? bufferevent_get_output(bev) : NULL;

    if (!buf || evbuffer_get_length(buf) == 0)
        return;
    evbuffer_unfreeze(buf, 1);
    evbuffer_write(buf, bufferevent_getfd(bev));
    evbuffer_freeze(buf, 1);
}

static void answer_last(struct http_server *h, struct http_job *job)
{
    struct evhttp_connection *c = evhttp_request_get_connection(job->req);

    if (job->kind == JOB_REFUSED) {
        send_unauthorized(job->req);
    } else {
        if (job->kind == JOB_WAITING)
            rpc_reply_finish(h->rpc, &job->reply);
        send_reply(h, job->req, &job->reply);
    }
    push_out(c);
    job_free(job);
}

/* What the validation thread has begun comes to its end, the rest is told that the node stops. */
static void end_remote(struct http_server *h)
{
    for (struct http_job *job = h->jobs; job; job = job->next) {
        if (!job->remote)
            continue;
        if (!remote_stop(job->remote))
            rpc_handle(h->rpc, &job->reply, job->user, job->request, RPC_AT_POOL);
        job->remote = NULL;
    }
}

void http_server_stop(struct http_server *h)
{
    for (size_t i = 0; i < h->n_sockets; i++)
        evhttp_del_accept_socket(h->http, h->sockets[i]);
    h->stop_requested = true;
    end_remote(h);
    pool_free(h->rpc->pool);
    h->rpc->pool = NULL;
    h->done = NULL; /* every job is finished now and stands in the list */
    while (h->jobs)
        answer_last(h, h->jobs);
    server_free(h);
}
