/* queue.c - the job queue to one consumer: many threads push, one runs. See thread.h. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "util/assert.h"
#include "util/mem.h"
#include "util/thread.h"

struct job {
    struct job *next;
    job_fn run;
    job_fn drop;
    void *arg;
    size_t bytes;
};

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t wake; /* a job came, or the queue was closed */
    pthread_cond_t room; /* it is no longer full, or closed */
    struct job *first, *last;
    size_t len, bytes, max_bytes;
    bool closed, sleeps; /* sleeps: the consumer waits for a job */
};

struct queue *queue_new(size_t max_bytes)
{
    struct queue *q = xcalloc(1, sizeof(*q));
    pthread_condattr_t attr;

    pthread_mutex_init(&q->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&q->wake, &attr);
    pthread_condattr_destroy(&attr);
    pthread_cond_init(&q->room, NULL);
    q->max_bytes = max_bytes;
    return q;
}

void queue_free(struct queue *q)
{
    if (!q)
        return;
    while (q->first) {
        struct job *j = q->first;
        q->first = j->next;
        if (j->drop)
            j->drop(j->arg);
        free(j);
    }
    pthread_cond_destroy(&q->wake);
    pthread_cond_destroy(&q->room);
    pthread_mutex_destroy(&q->lock);
    free(q);
}

bool queue_push(struct queue *q, job_fn run, job_fn drop, void *arg, size_t bytes)
{
    struct job *j = xmalloc(sizeof(*j));
    bool sleeps;

    *j = (struct job){NULL, run, drop, arg, bytes};
    pthread_mutex_lock(&q->lock);
    if (q->closed) {
        pthread_mutex_unlock(&q->lock);
        free(j);
        if (drop)
            drop(arg);
        return false;
    }
    if (q->last)
        q->last->next = j;
    else
        q->first = j;
    q->last = j;
    q->len++;
    q->bytes += bytes;
    sleeps = q->sleeps;
    pthread_mutex_unlock(&q->lock);
    if (sleeps) /* not under the lock, which the consumer needs at once */
        pthread_cond_signal(&q->wake);
    return true;
}

static void deadline_in(struct timespec *ts, int ms)
{
    clock_gettime(CLOCK_MONOTONIC, ts);
    ts->tv_sec += ms / 1000;
    ts->tv_nsec += (long)(ms % 1000) * 1000000;
    if (ts->tv_nsec >= 1000000000) {
        ts->tv_sec++;
        ts->tv_nsec -= 1000000000;
    }
}

/* Waits for a job; the lock is held. Returns: NULL when the time is over or the queue closed and empty. */
static struct job *take_job(struct queue *q, int timeout_ms)
{
    struct timespec until;
    struct job *j;

    if (timeout_ms > 0)
        deadline_in(&until, timeout_ms);
    q->sleeps = true;
    while (!q->first && !q->closed && timeout_ms) {
        if (timeout_ms < 0)
            pthread_cond_wait(&q->wake, &q->lock);
        else if (pthread_cond_timedwait(&q->wake, &q->lock, &until) == ETIMEDOUT)
            break;
    }
    q->sleeps = false;
    j = q->first;
    if (j) {
        q->first = j->next;
        if (!q->first)
            q->last = NULL;
        q->len--;
    }
    return j;
}

bool queue_run_one(struct queue *q, int timeout_ms)
{
    struct job *j;

    pthread_mutex_lock(&q->lock);
    j = take_job(q, timeout_ms);
    pthread_mutex_unlock(&q->lock);
    if (!j)
        return false;
    j->run(j->arg);
    /* The bytes count until the job is done: that is when they are freed. */
    pthread_mutex_lock(&q->lock);
    q->bytes -= j->bytes;
    if (q->bytes <= q->max_bytes)
        pthread_cond_broadcast(&q->room);
    pthread_mutex_unlock(&q->lock);
    free(j);
    return true;
}

size_t queue_len(struct queue *q)
{
    size_t n;

    pthread_mutex_lock(&q->lock);
    n = q->len;
    pthread_mutex_unlock(&q->lock);
    return n;
}

bool queue_full(struct queue *q)
{
    bool full;

    pthread_mutex_lock(&q->lock);
    full = q->bytes > q->max_bytes;
    pthread_mutex_unlock(&q->lock);
    return full;
}

void queue_wait_room(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    while (q->bytes > q->max_bytes && !q->closed)
        pthread_cond_wait(&q->room, &q->lock);
    pthread_mutex_unlock(&q->lock);
}

void queue_close(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->closed = true;
    pthread_cond_broadcast(&q->wake);
    pthread_cond_broadcast(&q->room);
    pthread_mutex_unlock(&q->lock);
}

bool queue_closed(struct queue *q)
{
    bool closed;

    pthread_mutex_lock(&q->lock);
    closed = q->closed;
    pthread_mutex_unlock(&q->lock);
    return closed;
}
