/* test_turns.c - fair turns: whoever was idle comes first, equals share, cancelled ones do not come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdlib.h>

#include "net/turns.h"
#include "util/random.h"
#include "util/time.h"

#define BUSY 20

struct worker {
    struct turn turn;
    struct turns *turns;
    unsigned count;
    int64_t cost_us;
    int64_t *order; /* the next number of a turn */
    int64_t last;
    int64_t before, longest; /* what it had used before its last turn, and most in one turn */
    bool again;
};

static void work(void *ctx)
{
    struct worker *w = ctx;
    int64_t start = time_mono_us();

    if (w->turn.used_us - w->before > w->longest)
        w->longest = w->turn.used_us - w->before;
    w->before = w->turn.used_us;
    w->count++;
    w->last = ++*w->order;
    while (time_mono_us() - start < w->cost_us)
        ;
    if (w->again)
        turns_queue(w->turns, &w->turn);
}

static void worker_init(struct worker *w, struct turns *t, int64_t cost_us, int64_t *order)
{
    *w =
        (struct worker){.turn = {.fn = work, .ctx = w, .weight = 1}, .turns = t, .cost_us = cost_us, .order = order, .again = true};
    turns_join(t, &w->turn);
    turns_queue(t, &w->turn);
}

static void shares(void **state)
{
    struct event_base *base = event_base_new();
    struct turns *t = turns_new(base);
    struct worker w[BUSY], quiet;
    int64_t order = 0, longest = 0;

    (void)state;
    worker_init(&quiet, t, 10, &order);
    turns_cancel(t, &quiet.turn);
    /* Half of them take five times as long. */
    for (int i = 0; i < BUSY; i++)
        worker_init(&w[i], t, i % 2 ? 50 : 10, &order);
    for (int i = 0; i < 100; i++)
        event_base_loop(base, EVLOOP_ONCE);
    for (int i = 0; i < BUSY; i++) {
        if (w[i].turn.used_us - w[i].before > w[i].longest)
            w[i].longest = w[i].turn.used_us - w[i].before;
        longest = w[i].longest > longest ? w[i].longest : longest;
    }
    /* However the machine interrupts them, nobody is ahead of another by more than a turn. */
    for (int i = 0; i < BUSY; i++)
        for (int k = 0; k < BUSY; k++)
            assert_true(w[i].turn.used_us - w[k].turn.used_us <= longest);

    /* One that was idle is served before those who have been at work all the time, but they are not starved by it. */
    quiet.again = false;
    turns_queue(t, &quiet.turn);
    order = 0;
    event_base_loop(base, EVLOOP_ONCE);
    assert_int_equal(quiet.last, 1);
    assert_int_equal(quiet.count, 1);
    assert_true(order > 1);
    turns_free(t);
    event_base_free(base);
}

static void cancelled(void **state)
{
    struct event_base *base = event_base_new();
    struct turns *t = turns_new(base);
    struct worker w[200];
    struct rng r;
    int64_t order = 0, before[200];
    unsigned served = 0, kept = 0;

    (void)state;
    rng_init_seed(&r, 7);
    for (int i = 0; i < 200; i++) {
        worker_init(&w[i], t, 0, &order);
        turns_cancel(t, &w[i].turn);
        before[i] = w[i].turn.used_us = (int64_t)(rng_u64(&r) % 1000);
        w[i].again = false;
        turns_queue(t, &w[i].turn);
    }
    for (int i = 0; i < 200; i++) {
        if (rng_u64(&r) % 2)
            turns_cancel(t, &w[i].turn);
        else
            kept++;
    }
    for (int i = 0; i < 3; i++)
        event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
    for (int i = 0; i < 200; i++) {
        served += w[i].count;
        assert_true(w[i].count <= 1);
    }
    assert_int_equal(served, kept);
    /* In the order of what they had used. */
    for (int i = 0; i < 200; i++)
        for (int k = 0; k < 200; k++)
            if (w[i].count && w[k].count && w[i].last < w[k].last)
                assert_true(before[i] <= before[k]);
    turns_free(t);
    event_base_free(base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares),
        cmocka_unit_test(cancelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
