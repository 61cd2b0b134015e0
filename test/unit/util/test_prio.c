/* test_prio.c - the priority queue against a plain search for the least, over random additions, removals and changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>

#include "util/prio.h"

#define N_ITEMS 20

struct item {
    int key;
    uint32_t place;
};

static bool before(const void *a, const void *b)
{
    return ((const struct item *)a)->key < ((const struct item *)b)->key;
}

static const struct prio_kind kind = {before, offsetof(struct item, place)};

static void assert_least_first(const struct prio *h, const struct item *items, uint32_t n_in)
{
    const struct item *first = prio_first(h);
    int least = INT32_MAX;

    assert_int_equal(h->n, n_in);
    for (uint32_t i = 0; i < N_ITEMS; i++) {
        if (!items[i].place)
            continue;
        assert_ptr_equal(h->v[items[i].place - 1], &items[i]);
        least = items[i].key < least ? items[i].key : least;
    }
    if (n_in)
        assert_int_equal(first->key, least);
    else
        assert_null(first);
}

/* Returns: a number below n; the high bits of a linear congruential generator, each call's apart from the last one's. */
static uint32_t draw(uint32_t *seed, uint32_t n)
{
    *seed = *seed * 1664525 + 1013904223;
    return (*seed >> 8) % n;
}

static void test_random(void **state)
{
    struct item items[N_ITEMS] = {0};
    struct prio h = {0};
    uint32_t n_in = 0, seed = 1;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        struct item *it = &items[draw(&seed, N_ITEMS)];
        if (!it->place) {
            it->key = (int)draw(&seed, 4096);
            prio_add(&h, &kind, it);
            n_in++;
        } else if (draw(&seed, 2)) {
            it->key = (int)draw(&seed, 4096);
            prio_moved(&h, &kind, it);
        } else {
            prio_remove(&h, &kind, it);
            assert_int_equal(it->place, 0);
            n_in--;
        }
        assert_least_first(&h, items, n_in);
    }
    prio_clear(&h);
}

/* Taking the first again and again gives them in order. */
static void test_sorts(void **state)
{
    struct item items[N_ITEMS];
    struct prio h = {0};
    int last = -1;

    (void)state;
    for (int i = 0; i < N_ITEMS; i++) {
        items[i] = (struct item){.key = i * 7 % N_ITEMS};
        prio_add(&h, &kind, &items[i]);
    }
    for (struct item *it; (it = prio_first(&h)); last = it->key) {
        assert_int_equal(it->key, last + 1);
        prio_remove(&h, &kind, it);
    }
    assert_int_equal(last, N_ITEMS - 1);
    assert_null(h.v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random), cmocka_unit_test(test_sorts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
