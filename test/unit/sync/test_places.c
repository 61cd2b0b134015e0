/* Tests of sync/places.c against a plain array, with hashes that meet often. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>

#include "sync/places.h"
#include "util/random.h"

#define MANY 3000

/* What the table should hold: the hash at each place. */
struct model {
    uint32_t hash[MANY];
    uint32_t n;
};

static bool holds(const struct places *p, uint32_t hash, uint32_t place)
{
    size_t cursor = SIZE_MAX;
    uint32_t at;

    while ((at = places_next(p, hash, &cursor)) != PLACES_END) {
        if (at == place)
            return true;
    }
    return false;
}

static uint32_t count(const struct places *p, uint32_t hash)
{
    size_t cursor = SIZE_MAX;
    uint32_t n = 0;

    while (places_next(p, hash, &cursor) != PLACES_END)
        n++;
    return n;
}

static void check(const struct places *p, const struct model *m)
{
    assert_int_equal(p->n, m->n);
    for (uint32_t i = 0; i < m->n; i++)
        assert_true(holds(p, m->hash[i], i));
}

/* As relay.c does it: the last one takes the place of what goes. */
static void take(struct places *p, struct model *m, uint32_t place)
{
    uint32_t last = --m->n;

    places_remove(p, m->hash[place], place);
    if (last == place)
        return;
    places_move(p, m->hash[last], last, place);
    m->hash[place] = m->hash[last];
}

static void as_the_model(void **state)
{
    struct places p = {0};
    struct model *m = calloc(1, sizeof(*m));
    struct rng rng;
    size_t cursor = SIZE_MAX, peak = 0;

    (void)state;
    rng_init_seed(&rng, 7);
    assert_int_equal(places_next(&p, 1, &cursor), PLACES_END);
    for (unsigned step = 0; step < 20000; step++) {
        bool grows = step / 5000 % 2 == 0 ? rng_below(&rng, 4) != 0 : rng_below(&rng, 4) == 0;
        if (grows && m->n < MANY) {
            /* Few hashes, close to each other and at both ends of the range. */
            uint32_t hash = (uint32_t)rng_below(&rng, 300) * (rng_below(&rng, 2) ? 14000000u : 1u) - (uint32_t)rng_below(&rng, 50);
            places_add(&p, hash, m->n);
            m->hash[m->n++] = hash;
        } else if (m->n) {
            take(&p, m, (uint32_t)rng_below(&rng, m->n));
        }
        peak = p.cap > peak ? p.cap : peak;
        if (step % 500 == 0)
            check(&p, m);
    }
    check(&p, m);
    while (m->n)
        take(&p, m, m->n / 2);
    assert_int_equal(p.n, 0);
    assert_true(p.cap < peak); /* memory is given back */
    assert_int_equal(count(&p, m->hash[0]), 0);
    places_clear(&p);
    assert_int_equal(p.cap, 0);
    free(m);
}

static void equal_hashes(void **state)
{
    struct places p = {0};

    (void)state;
    for (uint32_t i = 0; i < 10; i++)
        places_add(&p, UINT32_MAX, i);
    places_add(&p, 0, 10);
    assert_int_equal(count(&p, UINT32_MAX), 10);
    places_remove(&p, UINT32_MAX, 3);
    assert_int_equal(count(&p, UINT32_MAX), 9);
    assert_false(holds(&p, UINT32_MAX, 3));
    assert_true(holds(&p, 0, 10));
    places_move(&p, 0, 10, 3);
    assert_true(holds(&p, 0, 3));
    assert_false(holds(&p, 0, 10));
    places_clear(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_the_model),
        cmocka_unit_test(equal_hashes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
