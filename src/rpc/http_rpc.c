/* http_rpc.c - JSON-RPC over HTTP: who may call, requests answered on the loop thread, handed to the pool or to the validation thread, and long polls
 * that hold no thread. Everything here runs on the loop thread but job_on_pool, finish_on_pool and job_on_validation. */
#include <stdlib.h>

#include "crypto/hash.h"
#include "rpc/http_server.h"
#include "rpc/server_priv.h"

#define PARSE_ON_LOOP_MAX 65536 /* larger bodies are parsed on the pool */
#define WRONG_PASSWORD_MS 250
#define GUESSES_AT_A_TIME 16 /* wrong passwords answered in that time */
#define ALIVE_CHECK_MS 1000
#define SCRIPTS_WAITING_MAX 16 /* transactions whose scripts wait for the pool */
#define OPENING_CHECK_MS 10    /* how often a connection is looked after that somebody waits for */

enum job_kind { JOB_ON_POOL, JOB_WAITING, JOB_REFUSED };
/* A request that is not answered at once. */
struct rpc_job {
    struct rpc_http *h;
    struct http_request *req;
    enum job_kind kind;
    struct json_object *request; /* NULL: still text */
    char *user;
    struct rpc_reply reply;
    struct remote_job *remote;       /* what the validation thread does of it, NULL: nothing */
    struct mempool_scripts *scripts; /* that the pool runs first */
    bool looked_at;                  /* whether there are any */
    struct event *timer;
    int64_t deadline_us;         /* JOB_WAITING; 0: none */
    struct rpc_job *next, *prev; /* jobs of the server */
};

struct rpc_http {
    struct rpc_server *rpc;
    struct http_server *http;
    struct rpc_job *jobs;
    unsigned n_waiting;      /* of them long polls */
    unsigned n_remote;       /* of them on the validation thread */
    int64_t last_refusal_us; /* when the last wrong password will have been answered */
    struct event *stop_timer;
    bool stop_requested;
};

/* Whom a connection speaks for: its last Authorization line that was right is not looked up again. */
struct session {
    char *header, *user;                                             /* NULL: none yet */
    enum { SESSION_OPEN, SESSION_NO_HEADER, SESSION_WRONG } verdict; /* on the request under way */
};

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

static void send_unauthorized(struct http_request *req)
{
    http_reply_header(req, "WWW-Authenticate", "Basic realm=\"jsonrpc\"");
    http_reply_text(req, 401, NULL, NULL);
}

/* ---- jobs ---- */

static struct rpc_job *job_new(struct rpc_http *h, struct http_request *req, enum job_kind kind)
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

static void job_free(struct rpc_job *job)
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
static void job_answer(struct rpc_job *job)
{
    struct rpc_http *h = job->h;
    struct http_request *req = job->req;
    struct rpc_reply reply = job->reply;

    job->reply.body = (struct writer)WRITER_INIT;
    job_free(job);
    send_reply(h, req, &reply);
}

static void on_back(struct http_request *req)
{
    job_answer(req->job);
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
    http_hand_back(job->req, on_back);
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
    http_hand_back(job->req, on_back);
    return true;
}

/* Pool thread: a wait is over and its answer takes work. */
static void finish_on_pool(void *arg)
{
    struct rpc_job *job = arg;

    rpc_reply_finish(job->h->rpc, &job->reply);
    http_hand_back(job->req, on_back);
}

/* ---- long polls ---- */

static void end_wait(struct rpc_job *job)
{
    struct rpc_http *h = job->h;

    job->kind = JOB_ON_POOL;
    h->n_waiting--;
    evtimer_del(job->timer);
    http_on_gone(job->req, NULL);
    http_take_away(job->req);
    if (job->reply.deferred->wait.pool_after && h->rpc->pool && !atomic_load(&h->rpc->stopping) &&
        pool_push(h->rpc->pool, finish_on_pool, job, 0))
        return;
    job->req->away = false;
    rpc_reply_finish(h->rpc, &job->reply);
    job_answer(job);
}

/* The client has gone, or will send no more: his wait ends with him. */
static void on_wait_gone(struct http_request *req)
{
    end_wait(req->job);
}

static void arm_timer(struct rpc_job *job)
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
    struct rpc_job *job = arg;
    const struct rpc_wait *w = &job->reply.deferred->wait;

    (void)fd;
    (void)what;
    if (job->deadline_us && time_mono_us() >= job->deadline_us)
        job->deadline_us += rpc_wait_more(job->h->rpc, w) * 1000;
    if ((job->deadline_us && time_mono_us() >= job->deadline_us) || rpc_wait_over(job->h->rpc, w))
        end_wait(job);
    else
        arm_timer(job);
}

static void start_wait(struct rpc_job *job)
{
    int64_t ms = job->reply.deferred->wait.timeout_ms;

    job->kind = JOB_WAITING;
    job->h->n_waiting++;
    job->deadline_us = ms ? time_mono_us() + ms * 1000 : 0;
    job->timer = evtimer_new(job->h->http->base, on_wait_timer, job);
    http_on_gone(job->req, on_wait_gone);
    arm_timer(job);
}

void rpc_http_tip_changed(struct rpc_http *h)
{
    struct rpc_job *job = h->jobs;

    while (job) {
        if (job->kind != JOB_WAITING || !rpc_wait_over(h->rpc, &job->reply.deferred->wait)) {
            job = job->next;
            continue;
        }
        end_wait(job);
        job = h->jobs; /* an answer may have changed the list: its connection went on */
    }
}

/* ---- who calls ---- */

static void session_free(void *arg)
{
    struct session *s = arg;

    if (s->header)
        crypto_wipe(s->header, strlen(s->header));
    free(s->header);
    free(s->user);
    free(s);
}

static struct session *session_of(struct http_request *req)
{
    struct session *s = http_session(req);

    if (!s) {
        s = xcalloc(1, sizeof(*s));
        http_session_set(req, s, session_free);
    }
    return s;
}

static bool same_secret(const char *a, const char *b)
{
    size_t n = strlen(a);

    return n == strlen(b) && crypto_memcmp(a, b, n) == 0;
}

/* Before the body is read: bodies of those who may not call are not kept. */
static bool pass(void *arg, struct http_request *req)
{
    struct rpc_http *h = arg;
    struct session *s = session_of(req);
    const char *header = http_header(req, "Authorization");
    char *user;

    s->verdict = SESSION_NO_HEADER;
    if (!header)
        return false;
    s->verdict = SESSION_OPEN;
    if (s->header && same_secret(header, s->header))
        return true;
    if (!rpc_auth_check(h->rpc->auth, header, &user)) {
        s->verdict = SESSION_WRONG;
        return false;
    }
    free(s->user);
    if (s->header)
        crypto_wipe(s->header, strlen(s->header));
    free(s->header);
    s->user = user;
    s->header = xstrdup(header);
    return true;
}

static void on_refused_timer(evutil_socket_t fd, short what, void *arg)
{
    struct rpc_job *job = arg;
    struct http_request *req = job->req;

    (void)fd;
    (void)what;
    job_free(job);
    send_unauthorized(req);
}

/* The client has gone, or will send no more, which does not get him his answer sooner. */
static void on_refused_gone(struct http_request *req)
{
    if (http_is_gone(req)) {
        job_free(req->job);
        send_unauthorized(req);
    } else {
        http_on_gone(req, on_refused_gone);
    }
}

/* A wrong password is answered late, so that guessing is slow, and not faster with more connections than Bitcoin Core's threads would be. */
static void refuse_later(struct rpc_http *h, struct http_request *req)
{
    const int64_t now = time_mono_us(), soonest = now + WRONG_PASSWORD_MS * 1000;
    int64_t next = h->last_refusal_us + WRONG_PASSWORD_MS * 1000 / GUESSES_AT_A_TIME;
    struct rpc_job *job = job_new(h, req, JOB_REFUSED);
    struct timeval tv;

    log_warning("ThreadRPCServer incorrect password attempt from %s", http_peer(req));
    h->last_refusal_us = next > soonest ? next : soonest;
    tv.tv_sec = (h->last_refusal_us - now) / 1000000;
    tv.tv_usec = (h->last_refusal_us - now) % 1000000;
    job->timer = evtimer_new(h->http->base, on_refused_timer, job);
    http_on_gone(req, on_refused_gone);
    evtimer_add(job->timer, &tv);
}

/* ---- requests ---- */

static void push_to_pool(struct rpc_job *job, struct pool *p)
{
    struct rpc_server *s = job->h->rpc;
    struct http_request *req = job->req;

    http_take_away(req);
    if (pool_push(p, job_on_pool, job, s->queue_depth))
        return;
    req->away = false;
    job_free(job);
    http_refuse_busy(req);
}

static void push_to_validation(struct rpc_job *job)
{
    struct rpc_http *h = job->h;
    struct http_request *req = job->req;

    if (h->n_remote >= h->rpc->waits_max) { /* what threads and queue would take of calls that wait for it */
        job_free(job);
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
    job = job_new(h, req, JOB_WAITING);
    job->request = request_take;
    job->reply = reply;
    start_wait(job);
    if (rpc_wait_over(h->rpc, &reply.deferred->wait))
        end_wait(job); /* nothing to wait for: the pool writes the answer */
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
    job = job_new(h, req, JOB_ON_POOL);
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
    struct session *s = session_of(req);

    if (http_method(req) != HTTP_POST)
        http_reply_text(req, 405, NULL, "JSONRPC server handles only POST requests");
    else if (s->verdict == SESSION_NO_HEADER)
        send_unauthorized(req);
    else if (s->verdict == SESSION_WRONG)
        refuse_later(h, req);
    else
        dispatch(h, req, s->user);
}

/* ---- start and stop ---- */

bool rpc_http_start(struct rpc_http **out, struct rpc_server *s, char **error)
{
    struct rpc_http *h = xcalloc(1, sizeof(*h));
    struct http_route root = {"/", true, pass, handle, h}, wallet = {"/wallet/", false, pass, handle, h};

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
        http_hand_back(job->req, on_back);
    }
}

static void answer_last(struct rpc_job *job)
{
    struct http_request *req = job->req;

    if (job->kind == JOB_WAITING) {
        end_wait(job);
        return;
    }
    ASSERT(job->kind == JOB_REFUSED);
    job_free(job);
    send_unauthorized(req);
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
