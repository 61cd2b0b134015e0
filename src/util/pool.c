/* pool.c - a few threads that run jobs in any order. Threads come with work and go after a while without. See thread.h.
 *
 * Threads that end by themselves are detached from the start; pool_free waits for their count to reach zero. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "util/assert.h"
#include "util/mem.h"
#include "util/thread.h"

#define IDLE_SECONDS 30

struct job {
    struct job *next;
    job_fn run;
    void *arg;
};

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t wake; /* to the threads: a job, or the end */
    pthread_cond_t gone; /* to pool_free: a thread has ended */
    struct job *first, *last;
    size_t waiting;
    unsigned threads, idle, max_threads;
    bool ending;
    char *name;
};

struct pool *pool_new(const char *name, unsigned max_threads)
{
    struct pool *p = xcalloc(1, sizeof(*p));
    pthread_condattr_t attr;

    ASSERT(max_threads > 0);
    pthread_mutex_init(&p->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&p->wake, &attr);
    pthread_cond_init(&p->gone, NULL);
    pthread_condattr_destroy(&attr);
    p->max_threads = max_threads;
    p->name = xstrdup(name);
    return p;
}

/* Waits for a job; the lock is held. Returns: NULL when this thread should end. */
static struct job *next_job(struct pool *p)
{
    struct timespec until;
    struct job *j;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += IDLE_SECONDS;
    p->idle++;
    while (!p->first && !p->ending) {
        if (pthread_cond_timedwait(&p->wake, &p->lock, &until) == ETIMEDOUT)
            break;
    }
    p->idle--;
    j = p->first;
    if (j) {
        p->first = j->next;
        if (!p->first)
            p->last = NULL;
        p->waiting--;
    }
    return j;
}

static void *pool_thread(void *arg)
{
    struct pool *p = arg;
    struct job *j;

    pthread_mutex_lock(&p->lock);
    while ((j = next_job(p))) {
        pthread_mutex_unlock(&p->lock);
        j->run(j->arg);
        free(j);
        pthread_mutex_lock(&p->lock);
    }
    p->threads--;
    pthread_cond_signal(&p->gone);
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

bool pool_push(struct pool *p, job_fn run, void *arg, size_t max_waiting)
{
    bool start, wake;
    struct job *j;

    pthread_mutex_lock(&p->lock);
    if (max_waiting && p->waiting >= max_waiting) {
        pthread_mutex_unlock(&p->lock);
        return false;
    }
    j = xmalloc(sizeof(*j));
    *j = (struct job){NULL, run, arg};
    if (p->last)
        p->last->next = j;
    else
        p->first = j;
    p->last = j;
    p->waiting++;
    /* Idle threads may already be promised to jobs that wait, hence the comparison with all of them. */
    start = p->waiting > p->idle && p->threads < p->max_threads;
    wake = !start && p->idle > 0;
    if (start)
        p->threads++;
    pthread_mutex_unlock(&p->lock);
    if (start)
        pthread_detach(thread_start(p->name, pool_thread, p));
    else if (wake) /* not under the lock, which that thread needs at once */
        pthread_cond_signal(&p->wake);
    return true;
}

void pool_free(struct pool *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->ending = true;
    pthread_cond_broadcast(&p->wake);
    while (p->threads)
        pthread_cond_wait(&p->gone, &p->lock);
    pthread_mutex_unlock(&p->lock);
    pthread_cond_destroy(&p->gone);
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
    free(p->name);
    free(p);
}
