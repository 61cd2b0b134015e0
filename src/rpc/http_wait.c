/* http_wait.c - long polls over HTTP: a call that waits for the chain holds no thread, but a timer that looks whether it is over. Loop thread, but
 * finish_on_pool. */
#include "rpc/http_rpc.h"

#define ALIVE_CHECK_MS 1000
#define OPENING_CHECK_MS 10 /* how often a connection is looked after that somebody waits for */

/* Pool thread: a wait is over and its answer takes work. */
static void finish_on_pool(void *arg)
{
    struct rpc_job *job = arg;

    rpc_reply_finish(job->h->rpc, &job->reply);
    http_hand_back(job->req, http_job_back);
}

void http_wait_end(struct rpc_job *job)
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
    http_job_answer(job);
}

/* The client has gone, or will send no more: his wait ends with him. */
static void on_wait_gone(struct http_request *req)
{
    http_wait_end(req->job);
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
        http_wait_end(job);
    else
        arm_timer(job);
}

void http_wait_start(struct rpc_job *job)
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
        http_wait_end(job);
        job = h->jobs; /* an answer may have changed the list: its connection went on */
    }
}
