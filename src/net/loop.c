/* loop.c - the libevent base with a completion queue: other threads post jobs, an eventfd wakes the loop. loop_post, loop_call and
 * loop_stop run on any thread, everything else on the loop thread. */
#include "net/loop.h"

#include <event2/event.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "util/assert.h"
#include "util/mem.h"

struct loop_job {
    struct loop_job *next;
    job_fn run, drop;
    void *arg;
};

struct loop_timer {
    struct loop_timer *next;
    struct event *ev;
    job_fn fn;
    void *arg;
};

struct loop {
    struct event_base *base;
    struct event *wake;
    int fd;
    struct loop_timer *timers;
    struct turns *turns;
    pthread_mutex_t lock;
    struct loop_job *head, **tail; /* under lock */
    bool stop, ended;              /* under lock */
};

static void job_drop(struct loop_job *j)
{
    if (j->drop)
        j->drop(j->arg);
    free(j);
}

static struct loop_job *take_jobs(struct loop *l, bool *stop)
{
    struct loop_job *j;
    pthread_mutex_lock(&l->lock);
    j = l->head;
    l->head = NULL;
    l->tail = &l->head;
    *stop = l->stop;
    pthread_mutex_unlock(&l->lock);
    return j;
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    struct loop *l = arg;
    uint64_t n;
    bool stop;
    struct loop_job *j;

    (void)what;
    if (read(fd, &n, sizeof(n)) < 0)
        return;
    j = take_jobs(l, &stop);
    while (j) {
        struct loop_job *next = j->next;
        j->run(j->arg);
        free(j);
        j = next;
    }
    if (stop)
        event_base_loopbreak(l->base);
}

static void wake(struct loop *l)
{
    uint64_t one = 1;
    /* The counter cannot overflow in practice; if it did, the loop is awake anyway. */
    ssize_t n = write(l->fd, &one, sizeof(one));
    (void)n;
}

struct loop *loop_new(void)
{
    struct loop *l = xcalloc(1, sizeof(*l));
    l->base = event_base_new();
    ASSERT(l->base);
    l->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    ASSERT(l->fd >= 0);
    pthread_mutex_init(&l->lock, NULL);
    l->tail = &l->head;
    l->wake = event_new(l->base, l->fd, EV_READ | EV_PERSIST, on_wake, l);
    ASSERT(l->wake);
    event_add(l->wake, NULL);
    l->turns = turns_new(l->base);
    return l;
}

/* No job is taken any more; those that wait are dropped. */
static void end(struct loop *l)
{
    bool stop;
    struct loop_job *j;

    pthread_mutex_lock(&l->lock);
    l->ended = true;
    pthread_mutex_unlock(&l->lock);
    j = take_jobs(l, &stop);
    while (j) {
        struct loop_job *next = j->next;
        job_drop(j);
        j = next;
    }
}

void loop_free(struct loop *l)
{
    if (!l)
        return;
    end(l);
    while (l->timers) {
        struct loop_timer *t = l->timers;
        l->timers = t->next;
        event_free(t->ev);
        free(t);
    }
    turns_free(l->turns);
    event_free(l->wake);
    event_base_free(l->base);
    close(l->fd);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

struct event_base *loop_base(struct loop *l)
{
    return l->base;
}

struct turns *loop_turns(struct loop *l)
{
    return l->turns;
}

void loop_run(struct loop *l)
{
    bool stop;

    thread_prompt();
    pthread_mutex_lock(&l->lock);
    stop = l->stop;
    pthread_mutex_unlock(&l->lock);
    if (!stop)
        event_base_loop(l->base, EVLOOP_NO_EXIT_ON_EMPTY);
    end(l);
}

void loop_stop(struct loop *l)
{
    pthread_mutex_lock(&l->lock);
    l->stop = true;
    pthread_mutex_unlock(&l->lock);
    wake(l);
}

void loop_post(struct loop *l, job_fn run, job_fn drop, void *arg)
{
    struct loop_job *j = xmalloc(sizeof(*j));
    bool first, ended;

    *j = (struct loop_job){NULL, run, drop, arg};
    pthread_mutex_lock(&l->lock);
    ended = l->ended;
    first = !l->head;
    if (!ended) {
        *l->tail = j;
        l->tail = &j->next;
    }
    pthread_mutex_unlock(&l->lock);
    if (ended)
        job_drop(j);
    else if (first)
        wake(l);
}

/* loop_call waits on this; it stands on the caller's stack. */
struct call {
    pthread_mutex_t lock;
    pthread_cond_t cond;
    job_fn run;
    void *arg;
    bool done, ran;
};

static void call_finish(struct call *c, bool ran)
{
    pthread_mutex_lock(&c->lock);
    c->done = true;
    c->ran = ran;
    pthread_cond_signal(&c->cond);
    pthread_mutex_unlock(&c->lock);
}

static void call_run(void *arg)
{
    struct call *c = arg;
    c->run(c->arg);
    call_finish(c, true);
}

static void call_drop(void *arg)
{
    call_finish(arg, false);
}

bool loop_call(struct loop *l, job_fn run, void *arg)
{
    struct call c = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, run, arg, false, false};

    loop_post(l, call_run, call_drop, &c);
    pthread_mutex_lock(&c.lock);
    while (!c.done)
        pthread_cond_wait(&c.cond, &c.lock);
    pthread_mutex_unlock(&c.lock);
    return c.ran;
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct loop_timer *t = arg;
    (void)fd;
    (void)what;
    t->fn(t->arg);
}

void loop_every(struct loop *l, unsigned interval_ms, job_fn fn, void *arg)
{
    struct loop_timer *t = xcalloc(1, sizeof(*t));
    struct timeval tv = {interval_ms / 1000, (suseconds_t)(interval_ms % 1000) * 1000};

    t->fn = fn;
    t->arg = arg;
    t->ev = event_new(l->base, -1, EV_PERSIST, on_timer, t);
    ASSERT(t->ev);
    event_add(t->ev, &tv);
    t->next = l->timers;
    l->timers = t;
}
