/* turns.c - the scheduler of connections on the loop: a heap ordered by the time that each has used, as fair schedulers of processes do it. One
 * that was idle does not save up its share: it comes first, but only by LEAD_US. Made by loop.c, used by connection.c. Loop thread. */
#include "net/turns.h"

#include <event2/event.h>
#include <stdlib.h>

#include "util/assert.h"
#include "util/mem.h"
#include "util/prio.h"
#include "util/time.h"

#define SLICE_US 2000 /* after this long libevent's other events have their chance */
#define LEAD_US 5000  /* how far an idle one may be behind in use */

struct turns {
    struct event *ev;
    struct prio heap; /* of turns, least used first */
    int64_t floor_us; /* use of the one that was last served: the scale moves on with it */
};

static bool used_less(const void *a, const void *b)
{
    return ((const struct turn *)a)->used_us < ((const struct turn *)b)->used_us;
}

static const struct prio_kind kind = {used_less, offsetof(struct turn, place)};

static void wake(struct turns *t)
{
    /* A timer that is due at once, not event_active: only then does libevent look at the sockets before it comes. */
    static const struct timeval now = {0, 0};
    event_add(t->ev, &now);
}

void turns_cancel(struct turns *t, struct turn *turn)
{
    if (turn->place)
        prio_remove(&t->heap, &kind, turn);
}

static void on_slice(evutil_socket_t fd, short what, void *arg)
{
    struct turns *t = arg;
    int64_t start = time_mono_us(), now = start;

    (void)fd;
    (void)what;
    while (t->heap.n && now - start < SLICE_US) {
        struct turn *turn = prio_first(&t->heap);
        int64_t before = now;
        turns_cancel(t, turn);
        t->floor_us = turn->used_us > t->floor_us ? turn->used_us : t->floor_us;
        /* Time passes in whole microseconds: a turn that takes less than one is not for nothing. If it asks for another, that is ordered
         * by what it had used before this one, and set right below. */
        turn->fn(turn->ctx);
        now = time_mono_us();
        turn->used_us += (now - before) / turn->weight + 1;
        if (turn->place)
            prio_moved(&t->heap, &kind, turn);
    }
    if (t->heap.n)
        wake(t);
}

struct turns *turns_new(struct event_base *base)
{
    struct turns *t = xcalloc(1, sizeof(*t));

    t->ev = event_new(base, -1, 0, on_slice, t);
    ASSERT(t->ev);
    return t;
}

void turns_free(struct turns *t)
{
    if (!t)
        return;
    event_free(t->ev);
    prio_clear(&t->heap);
    free(t);
}

void turns_join(struct turns *t, struct turn *turn)
{
    turn->used_us = t->floor_us;
}

void turns_queue(struct turns *t, struct turn *turn)
{
    if (turn->place)
        return;
    if (turn->used_us < t->floor_us - LEAD_US)
        turn->used_us = t->floor_us - LEAD_US;
    prio_add(&t->heap, &kind, turn);
    if (t->heap.n == 1)
        wake(t);
}
