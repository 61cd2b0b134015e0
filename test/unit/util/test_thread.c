/* test_thread.c - the queue to one consumer and the pool: order, bounds, closing, and that no job is lost or run twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "util/mem.h"
#include "util/thread.h"
#include "util/time.h"

static atomic_int ran, dropped;
static int order[3000], n_order;

static void count_run(void *arg)
{
    (void)arg;
    ran++;
}

static void count_drop(void *arg)
{
    (void)arg;
    dropped++;
}

static void note_order(void *arg)
{
    order[n_order++] = (int)(intptr_t)arg;
}

static int reset(void **state)
{
    (void)state;
    ran = dropped = n_order = 0;
    return 0;
}

static void test_order_and_bounds(void **state)
{
    struct queue *q = queue_new(100);

    (void)state;
    assert_false(queue_run_one(q, 0));
    for (intptr_t i = 0; i < 3; i++)
        assert_true(queue_push(q, note_order, NULL, (void *)i, 50));
    assert_int_equal(queue_len(q), 3);
    assert_true(queue_full(q));
    assert_true(queue_run_one(q, 0));
    assert_false(queue_full(q)); /* 100 of 100 is not over the bound */
    assert_true(queue_run_one(q, -1) && queue_run_one(q, 1000) && !queue_run_one(q, 0));
    assert_true(n_order == 3 && order[0] == 0 && order[1] == 1 && order[2] == 2);
    queue_free(q);
}

static void test_close(void **state)
{
    struct queue *q = queue_new(0);

    (void)state;
    queue_push(q, count_run, count_drop, NULL, 1);
    queue_push(q, count_run, count_drop, NULL, 1);
    queue_close(q);
    assert_true(queue_closed(q));
    assert_false(queue_push(q, count_run, count_drop, NULL, 1));
    assert_int_equal(dropped, 1);
    assert_true(queue_run_one(q, -1));
    assert_int_equal(ran, 1);
    queue_free(q);
    assert_int_equal(dropped, 2);
    assert_int_equal(ran, 1);
}

static void test_timeout(void **state)
{
    struct queue *q = queue_new(0);
    int64_t start = time_mono_us();

    (void)state;
    assert_false(queue_run_one(q, 30));
    assert_true(time_mono_us() - start >= 29000);
    queue_close(q);
    assert_false(queue_run_one(q, -1)); /* closed and empty: no waiting */
    queue_free(q);
}

static void *producer(void *arg)
{
    struct queue *q = arg;

    for (intptr_t i = 0; i < 1000; i++)
        queue_push(q, note_order, NULL, (void *)i, 1);
    return NULL;
}

static void *consumer(void *arg)
{
    while (queue_run_one(arg, -1))
        ;
    return NULL;
}

static void test_producers(void **state)
{
    struct queue *q = queue_new(10);
    pthread_t c = thread_start("consumer", consumer, q), p[3];
    int seen[1000] = {0};

    (void)state;
    for (int i = 0; i < 3; i++)
        p[i] = thread_start("producer", producer, q);
    for (int i = 0; i < 3; i++)
        pthread_join(p[i], NULL);
    queue_close(q);
    pthread_join(c, NULL);
    assert_int_equal(n_order, 3000);
    for (int i = 0; i < 3000; i++)
        seen[order[i]]++;
    for (int i = 0; i < 1000; i++)
        assert_int_equal(seen[i], 3);
    queue_free(q);
}

/* Jobs that wait until the test lets them go on, and tell how many there are at once. */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static atomic_int inside, most;

static void wait_at_gate(void *arg)
{
    int now = ++inside;

    (void)arg;
    if (now > most)
        most = now;
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    inside--;
    ran++;
}

static void wait_until(atomic_int *value, int want)
{
    for (int i = 0; i < 10000 && *value != want; i++)
        usleep(1000);
    assert_int_equal(*value, want);
}

static void test_pool_bounds(void **state)
{
    struct pool *p = pool_new("pool", 2);

    (void)state;
    pthread_mutex_lock(&gate);
    assert_true(pool_push(p, wait_at_gate, NULL, 0));
    assert_true(pool_push(p, wait_at_gate, NULL, 0));
    wait_until(&inside, 2);
    assert_true(pool_push(p, wait_at_gate, NULL, 2) && pool_push(p, wait_at_gate, NULL, 2));
    assert_false(pool_push(p, wait_at_gate, NULL, 2));
    assert_true(pool_push(p, wait_at_gate, NULL, 0));
    pthread_mutex_unlock(&gate);
    pool_free(p); /* runs what waits */
    assert_int_equal(ran, 5);
    assert_int_equal(most, 2);
}

static void test_pool_many(void **state)
{
    struct pool *p = pool_new("pool", 4);

    (void)state;
    for (int i = 0; i < 5000; i++)
        assert_true(pool_push(p, count_run, NULL, 0));
    pool_free(p);
    assert_int_equal(ran, 5000);
    pool_free(pool_new("unused", 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_order_and_bounds, reset), cmocka_unit_test_setup(test_close, reset),
        cmocka_unit_test_setup(test_timeout, reset),          cmocka_unit_test_setup(test_producers, reset),
        cmocka_unit_test_setup(test_pool_bounds, reset),      cmocka_unit_test_setup(test_pool_many, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
