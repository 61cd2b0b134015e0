/* threads.c - how a command on a pool thread has something done on the validation or the loop thread, and waits for it. The wait ends when the
 * server stops: a job that has not begun by then is given up, so that stopping never waits for itself. And how http_rpc.c has a whole command run
 * on the validation thread, without a thread that waits. */
#include <stdlib.h>

#include "rpc/server_priv.h"

struct remote_job {
    struct rpc_server *server; /* one reference */
    job_fn fn;
    bool (*step)(void *arg); /* in place of fn, remote_start only */
    void *arg;               /* the waiter's; not touched once given up */
    enum { JOB_QUEUED, JOB_RUNNING, JOB_DONE, JOB_DROPPED } state;
    bool abandoned;
    bool left, resumed; /* its step ended early; it may go on */
};

static void job_release(struct remote_job *job)
{
    struct rpc_server *s = job->server;

    free(job);
    rpc_server_unref(s);
}

static void job_end(struct remote_job *job, int state)
{
    struct rpc_server *s = job->server;
    bool gone;

    pthread_mutex_lock(&s->mutex);
    gone = job->abandoned;
    job->state = state;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->mutex);
    if (gone)
        job_release(job);
}

static void job_run(void *arg);
static void job_drop(void *arg);

/* Whoever comes second of the step that ends and the thread that has it go on puts it into the queue again. Returns: was it that one? */
static void job_meet(struct remote_job *job, bool *mark)
{
    struct rpc_server *s = job->server;
    bool both;

    pthread_mutex_lock(&s->mutex);
    *mark = true;
    both = job->left && job->resumed;
    if (both) {
        job->left = job->resumed = false;
        job->state = JOB_QUEUED;
        if (atomic_load(&s->stopping)) /* somebody may wait for this state */
            pthread_cond_broadcast(&s->changed);
    }
    pthread_mutex_unlock(&s->mutex);
    if (both)
        queue_push(s->host.validation, job_run, job_drop, job, 0);
}

static void job_run(void *arg)
{
    struct remote_job *job = arg;
    bool gone;

    pthread_mutex_lock(&job->server->mutex);
    gone = job->abandoned;
    if (!gone)
        job->state = JOB_RUNNING;
    pthread_mutex_unlock(&job->server->mutex);
    if (gone) {
        job_release(job);
        return;
    }
    if (job->step && !job->step(job->arg)) {
        job_meet(job, &job->left);
        return;
    }
    if (job->fn)
        job->fn(job->arg);
    job_end(job, JOB_DONE);
}

static void job_drop(void *arg)
{
    job_end(arg, JOB_DROPPED);
}

static struct remote_job *job_new(struct rpc_server *s, job_fn fn, void *arg)
{
    struct remote_job *job = xcalloc(1, sizeof(*job));

    rpc_server_ref(s);
    job->server = s;
    job->fn = fn;
    job->arg = arg;
    return job;
}

/* Waits for the end of a job that was handed over. Returns: false if it did not and will not run. */
static bool job_wait(struct remote_job *job)
{
    struct rpc_server *s = job->server;
    bool done, gone = false;

    pthread_mutex_lock(&s->mutex);
    while (job->state < JOB_DONE && !gone) {
        if (job->state == JOB_QUEUED && atomic_load(&s->stopping))
            gone = job->abandoned = true;
        else
            pthread_cond_wait(&s->changed, &s->mutex);
    }
    done = job->state == JOB_DONE;
    pthread_mutex_unlock(&s->mutex);
    if (!gone)
        job_release(job);
    return done;
}

void remote_start(struct remote_job **out, struct rpc_server *s, bool (*step)(void *arg), void *arg)
{
    struct remote_job *job = *out = job_new(s, NULL, arg);

    job->step = step;
    queue_push(s->host.validation, job_run, job_drop, job, 0);
}

void remote_resume(struct remote_job *job)
{
    job_meet(job, &job->resumed);
}

void remote_forget(struct remote_job *job)
{
    struct rpc_server *s = job->server;
    bool ended;

    pthread_mutex_lock(&s->mutex);
    ended = job->state >= JOB_DONE;
    job->abandoned = true;
    pthread_mutex_unlock(&s->mutex);
    if (ended)
        job_release(job);
}

bool remote_stop(struct remote_job *job)
{
    return job_wait(job);
}

static bool wait_for(struct rpc_call *call, struct remote_job *job)
{
    return job_wait(job) || rpc_error(call, RPC_CLIENT_NOT_CONNECTED, "Shutting down");
}

bool rpc_on_validation(struct rpc_call *call, job_fn fn, void *arg)
{
    struct remote_job *job;

    if (!call->host->validation || call->on_validation) {
        fn(arg);
        return true;
    }
    job = job_new(call->server, fn, arg);
    queue_push(call->host->validation, job_run, job_drop, job, 0);
    return wait_for(call, job);
}

bool rpc_on_loop(struct rpc_call *call, job_fn fn, void *arg)
{
    struct rpc_server *s = call->server;
    struct remote_job *job;

    if (!call->host->loop || (s->has_loop_thread && pthread_equal(pthread_self(), s->loop_thread))) {
        fn(arg);
        return true;
    }
    job = job_new(s, fn, arg);
    loop_post(call->host->loop, job_run, job_drop, job);
    return wait_for(call, job);
}

void rpc_post_loop(struct rpc_call *call, job_fn fn, job_fn drop, void *arg)
{
    struct rpc_server *s = call->server;

    if (!call->host->loop || (s->has_loop_thread && pthread_equal(pthread_self(), s->loop_thread)))
        fn(arg);
    else
        loop_post(call->host->loop, fn, drop, arg);
}

bool rpc_stopping(const struct rpc_call *call)
{
    return atomic_load(&call->server->stopping) || (call->host->interrupt && atomic_load(call->host->interrupt));
}
