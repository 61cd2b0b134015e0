/* turns.c - the scheduler of connections on the loop: a heap ordered by the time that each has used, as fair schedulers of processes do it. One
 * that was idle does not save up its share: it comes first, but only by LEAD_US. Made by loop.c, used by connection.c. Loop thread. */
#include "net/turns.h"

#include <event2/event.h>
#include <stdlib.h>

#include "util/assert.h"
#include "util/mem.h"
#include "util/time.h"

#define SLICE_US 2000 /* after this long libevent's other events have their chance */
#define LEAD_US 5000  /* how far an idle one may be behind in use */

struct turns {
    struct event *ev;
    struct turn **heap; /* [1..n], least used first */
    size_t n, cap;
    int64_t floor_us; /* use of the one that was last served: the scale moves on with it */
};

static void put(struct turns *t, size_t place, struct turn *turn)
{
    t->heap[place] = turn;
    turn->place = place;
}

static void sift_up(struct turns *t, size_t place, struct turn *turn)
{
    for (; place > 1 && turn->used_us < t->heap[place / 2]->used_us; place /= 2)
        put(t, place, t->heap[place / 2]);
    put(t, place, turn);
}

static void sift_down(struct turns *t, size_t place, struct turn *turn)
{
    for (size_t child; (child = 2 * place) <= t->n; place = child) {
        if (child < t->n && t->heap[child + 1]->used_us < t->heap[child]->used_us)
            child++;
        if (turn->used_us <= t->heap[child]->used_us)
            break;
        put(t, place, t->heap[child]);
    }
    put(t, place, turn);
}

static void wake(struct turns *t)
{
    /* A timer that is due at once, not event_active: only then does libevent look at the sockets before it comes. */
    static const struct timeval now = {0, 0};
    event_add(t->ev, &now);
}

void turns_cancel(struct turns *t, struct turn *turn)
{
    size_t place = turn->place;
    struct turn *last;

    if (!place)
        return;
    turn->place = 0;
    last = t->heap[t->n--];
    if (last == turn)
        return;
    if (place > 1 && last->used_us < t->heap[place / 2]->used_us)
        sift_up(t, place, last);
    else
        sift_down(t, place, last);
}

static void on_slice(evutil_socket_t fd, short what, void *arg)
{
    struct turns *t = arg;
    int64_t start = time_mono_us(), now = start;

    (void)fd;
    (void)what;
    while (t->n && now - start < SLICE_US) {
        struct turn *turn = t->heap[1];
        int64_t before = now;
        turns_cancel(t, turn);
        t->floor_us = turn->used_us > t->floor_us ? turn->used_us : t->floor_us;
        /* Time passes in whole microseconds: a turn that takes less than one is not for nothing. If it asks for another, that is ordered
         * by what it had used before this one, and set right below. */
        turn->fn(turn->ctx);
        now = time_mono_us();
        turn->used_us += (now - before) / turn->weight + 1;
        if (turn->place)
            sift_down(t, turn->place, turn);
    }
    if (t->n)
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
    free(t->heap);
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
    if (t->n + 1 >= t->cap) {
        t->cap = t->cap ? 2 * t->cap : 64;
        t->heap = xrealloc(t->heap, t->cap * sizeof(struct turn *));
    }
    if (turn->used_us < t->floor_us - LEAD_US)
        turn->used_us = t->floor_us - LEAD_US;
    t->n++;
    sift_up(t, t->n, turn);
    if (t->n == 1)
        wake(t);
}
