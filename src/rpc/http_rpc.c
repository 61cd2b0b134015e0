/* http_rpc.c - JSON-RPC over HTTP: requests answered on the loop thread, handed to the pool or to the validation thread; start and stop of it all.
 * Everything here runs on the loop thread but job_on_pool, scripts_on_pool and job_on_validation. */
#include <stdlib.h>

#include "rpc/http_rpc.h"

#define PARSE_ON_LOOP_MAX 65536 /* larger bodies are parsed on the pool */
#define SCRIPTS_WAITING_MAX 16  /* transactions whose scripts wait for the pool */

/* ---- answers ---- */

static void request_stop(struct rpc_http *h)
{
    if (h->stop_requested)
        return;
    h->stop_requested = true;
    if (h->rpc->host.request_stop)
        h->rpc->host.request_stop(h->rpc->host.ctx);
}

static void on_stop_sent(void *arg)
{
    request_stop(arg);
}

static void on_stop_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    request_stop(arg);
}

/* The answer first, then the node stops; the timer is for a client that does not read. */
static void stop_after(struct rpc_http *h, struct http_request *req)
{
    struct timeval second = {1, 0};

    http_on_sent(req, on_stop_sent, h);
    if (!h->stop_timer)
        h->stop_timer = evtimer_new(h->http->base, on_stop_timer, h);
    evtimer_add(h->stop_timer, &second);
}

static void send_reply(struct rpc_http *h, struct http_request *req, struct rpc_reply *reply)
{
    if (reply->stop)
        stop_after(h, req);
    http_reply_take(req, reply->status, reply->body.len ? "application/json" : NULL, &reply->body);
}

void http_send_unauthorized(struct http_request *req)
{
    http_reply_header(req, "WWW-Authenticate", "Basic realm=\"jsonrpc\"");
    http_reply_text(req, 401, NULL, NULL);
}

/* ---- jobs ---- */

struct rpc_job *http_job_new(struct rpc_http *h, struct http_request *req, enum job_kind kind)
{
    struct rpc_job *job = xcalloc(1, sizeof(*job));

    job->h = h;
    job->req = req;
    job->kind = kind;
    job->next = h->jobs;
    if (h->jobs)
        h->jobs->prev = job;
    h->jobs = job;
    req->job = job;
    return job;
}

void http_job_free(struct rpc_job *job)
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
    free(job->user);
    writer_clear(&job->reply.body);
    free(job);
}

/* The job is let go of first: its connection goes on with the next request at once. */
void http_job_answer(struct rpc_job *job)
{
    struct rpc_http *h = job->h;
    struct http_request *req = job->req;
    struct rpc_reply reply = job->reply;

    job->reply.body = (struct writer)WRITER_INIT;
    http_job_free(job);
    send_reply(h, req, &reply);
}

void http_job_back(struct http_request *req)
{
    http_job_answer(req->job);
}

/* Pool thread. */
static void job_on_pool(void *arg)
{
    struct rpc_job *job = arg;
    size_t len;
    const char *body = http_body(job->req, &len);

    if (!job->request)
        job->request = rpc_parse(body, len);
    if (job->request)
        rpc_handle(job->h->rpc, &job->reply, job->user, job->request, RPC_AT_POOL);
    else
        rpc_parse_error(&job->reply);
    http_hand_back(job->req, http_job_back);
}

/* Pool thread. */
static void scripts_on_pool(void *arg)
{
    struct rpc_job *job = arg;
    struct mempool_scripts *scripts = job->scripts;

    job->scripts = NULL;
    rpc_scripts_run(job->h->rpc, scripts);
    remote_resume(job->remote);
}

/* Validation thread, twice for those whose scripts the pool runs in between. Returns: is it answered? */
static bool job_on_validation(void *arg)
{
    struct rpc_job *job = arg;
    struct rpc_server *s = job->h->rpc;

    if (!job->looked_at) {
        job->looked_at = true;
        job->scripts = rpc_scripts_ahead(s, job->request);
        if (job->scripts && pool_push(s->pool, scripts_on_pool, job, SCRIPTS_WAITING_MAX))
            return false;
        if (job->scripts)
            rpc_scripts_drop(s, job->scripts);
        job->scripts = NULL;
    }
    rpc_handle(s, &job->reply, job->user, job->request, RPC_AT_VALIDATION);
    http_hand_back(job->req, http_job_back);
    return true;
}

/* Pool thread: a wait is over and its answer takes work. */
/* ---- requests ---- */

static void push_to_pool(struct rpc_job *job, struct pool *p)
{
    struct rpc_server *s = job->h->rpc;
    struct http_request *req = job->req;

    http_take_away(req);
    if (pool_push(p, job_on_pool, job, s->queue_depth))
        return;
    req->away = false;
    http_job_free(job);
    http_refuse_busy(req);
}

static void push_to_validation(struct rpc_job *job)
{
    struct rpc_http *h = job->h;
    struct http_request *req = job->req;

    if (h->n_remote >= h->rpc->waits_max) { /* what threads and queue would take of calls that wait for it */
        http_job_free(job);
        http_refuse_busy(req);
        return;
    }
    h->n_remote++;
    http_take_away(req);
    remote_start(&job->remote, h->rpc, job_on_validation, job);
}

/* Takes request: a call that waits goes on using it. */
static void run_inline(struct rpc_http *h, struct http_request *req, const char *user, struct json_object *request_take)
{
    struct rpc_reply reply;
    struct rpc_job *job;

    rpc_handle(h->rpc, &reply, user, request_take, RPC_AT_LOOP);
    if (!reply.deferred) {
        json_object_put(request_take);
        send_reply(h, req, &reply);
        return;
    }
    if (h->n_waiting >= h->rpc->waits_max && rpc_wait_is_poll(&reply.deferred->wait)) {
        rpc_reply_drop(&reply);
        json_object_put(request_take);
        http_refuse_busy(req);
        return;
    }
    job = http_job_new(h, req, JOB_WAITING);
    job->request = request_take;
    job->reply = reply;
    http_wait_start(job);
    if (rpc_wait_over(h->rpc, &reply.deferred->wait))
        http_wait_end(job); /* nothing to wait for: the pool writes the answer */
    else if (atomic_load(&h->rpc->waking))
        rpc_http_tip_changed(h); /* "stop" ends the other long polls */
}

static void dispatch(struct rpc_http *h, struct http_request *req, const char *user)
{
    struct json_object *request = NULL;
    enum rpc_place place = RPC_AT_POOL;
    struct rpc_job *job;
    struct rpc_reply reply;
    size_t len;
    const char *body = http_body(req, &len);

    if (len <= PARSE_ON_LOOP_MAX) {
        request = len ? rpc_parse(body, len) : NULL;
        if (!request) {
            memset(&reply, 0, sizeof(reply));
            rpc_parse_error(&reply);
            send_reply(h, req, &reply);
            return;
        }
        place = rpc_place_of(h->rpc, request);
        if (place == RPC_AT_LOOP) {
            run_inline(h, req, user, request);
            return;
        }
    }
    job = http_job_new(h, req, JOB_ON_POOL);
    job->user = xstrdup(user);
    job->request = request;
    if (place == RPC_AT_VALIDATION)
        push_to_validation(job);
    else
        push_to_pool(job, place == RPC_AT_BUSY_POOL ? h->rpc->busy_pool : h->rpc->pool);
}

static void handle(void *arg, struct http_request *req)
{
    struct rpc_http *h = arg;
    struct session *s = http_session_of(req);

    if (http_method(req) != HTTP_POST)
        http_reply_text(req, 405, NULL, "JSONRPC server handles only POST requests");
    else if (s->verdict == SESSION_NO_HEADER)
        http_send_unauthorized(req);
    else if (s->verdict == SESSION_WRONG)
        http_login_refuse(h, req);
    else
        dispatch(h, req, s->user);
}

/* ---- start and stop ---- */

bool rpc_http_start(struct rpc_http **out, struct rpc_server *s, char **error)
{
    struct rpc_http *h = xcalloc(1, sizeof(*h));
    struct http_route root = {"/", true, http_login, handle, h}, wallet = {"/wallet/", false, http_login, handle, h};

    *out = NULL;
    h->rpc = s;
    if (!http_server_new(&h->http, s, error)) {
        free(h);
        return false;
    }
    http_route_add(h->http, &root);
    http_route_add(h->http, &wallet);
    s->http = h->http;
    if (s->host.args && args_bool(s->host.args, "rest", false))
        rest_start(s);
    *out = h;
    return true;
}

/* What the validation thread has begun comes to its end, the rest is told that the node stops. */
static void end_remote(struct rpc_http *h)
{
    for (struct rpc_job *job = h->jobs; job; job = job->next) {
        struct remote_job *remote = job->remote;
        if (!remote)
            continue;
        job->remote = NULL;
        if (remote_stop(remote))
            continue;
        rpc_handle(h->rpc, &job->reply, job->user, job->request, RPC_AT_POOL);
        http_hand_back(job->req, http_job_back);
    }
}

static void answer_last(struct rpc_job *job)
{
    struct http_request *req = job->req;

    if (job->kind == JOB_WAITING) {
        http_wait_end(job);
        return;
    }
    ASSERT(job->kind == JOB_REFUSED);
    http_job_free(job);
    http_send_unauthorized(req);
}

void rpc_http_stop(struct rpc_http *h)
{
    http_server_close_doors(h->http);
    h->stop_requested = true;
    end_remote(h);
    pool_free(h->rpc->pool);
    pool_free(h->rpc->busy_pool);
    h->rpc->pool = h->rpc->busy_pool = NULL;
    http_take_back(h->http); /* every request is back now */
    while (h->jobs)
        answer_last(h->jobs);
    http_server_free(h->http);
    h->rpc->http = NULL;
    if (h->stop_timer)
        event_free(h->stop_timer);
    free(h);
}
