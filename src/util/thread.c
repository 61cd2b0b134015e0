/* thread.c - starting threads, and what a thread asks of the processor's scheduler. See thread.h; any thread. */
#include "util/thread.h"

#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/log.h"
#include "util/mem.h"

#define PROMPT_SLICE_NS 100000 /* the shortest that Linux grants */

struct start {
    char *name;
    void *(*fn)(void *);
    void *arg;
};

static void *thread_main(void *ctx)
{
    struct start s = *(struct start *)ctx;

    free(ctx);
    log_thread_name(s.name);
    free(s.name);
    return s.fn(s.arg);
}

pthread_t thread_start(const char *name, void *(*fn)(void *), void *arg)
{
    struct start *s = xmalloc(sizeof(*s));
    pthread_t t;
    int err;

    *s = (struct start){xstrdup(name), fn, arg};
    err = pthread_create(&t, NULL, thread_main, s);
    if (err) {
        fprintf(stderr, "Error: cannot start thread %s: %s\n", name, strerror(err));
        abort();
    }
    return t;
}

#ifdef SYS_sched_setattr
/* The kernel's struct sched_attr in its first form; the C library has neither it nor the call. */
struct schedule {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
};
#define RESET_ON_FORK 1 /* threads that this one starts are ordinary again */

void thread_prompt(void)
{
    struct schedule s = {.size = sizeof(s), .policy = SCHED_OTHER, .flags = RESET_ON_FORK, .runtime = PROMPT_SLICE_NS};

    if (sched_getscheduler(0) != SCHED_OTHER)
        return; /* somebody has decided otherwise */
    s.nice = getpriority(PRIO_PROCESS, 0);
    (void)syscall(SYS_sched_setattr, 0, &s, 0); /* where it is not granted all goes on as ever */
}
#else
void thread_prompt(void) {}
#endif
