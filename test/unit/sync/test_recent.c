/* test_recent.c - the memory of hashes: what is remembered for certain, what is forgotten, how often it is wrong, what it costs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "sync/recent.h"

static void make_hash(uint8_t hash[32], uint32_t i)
{
    memset(hash, 0, 32);
    memcpy(hash + 5, &i, sizeof(i));
}

static bool has(const struct recent *r, uint32_t i)
{
    uint8_t hash[32];

    make_hash(hash, i);
    return recent_has(r, hash);
}

static void fill(struct recent *r, uint32_t from, uint32_t to)
{
    uint8_t hash[32];

    for (uint32_t i = from; i < to; i++) {
        make_hash(hash, i);
        recent_add(r, hash);
        recent_add(r, hash); /* twice is once */
    }
}

/* The last `limit` are there, those before the last two generations are not, and nothing else. */
static void check(struct recent *r, unsigned max_wrong)
{
    unsigned wrong = 0;

    fill(r, 0, 35000);
    for (uint32_t i = 25000; i < 35000; i++)
        assert_true(has(r, i));
    for (uint32_t i = 0; i < 10000; i++)
        wrong += has(r, i);
    for (uint32_t i = 1000000; i < 2000000; i++)
        wrong += has(r, i);
    assert_true(wrong <= max_wrong);
    recent_reset(r);
    assert_false(has(r, 34999));
    assert_int_equal(recent_memory(r), 0);
}

static void digests_of_64_bits(void **state)
{
    struct recent r;

    (void)state;
    recent_init(&r, 10000);
    check(&r, 0);
    recent_clear(&r);
}

/* Five mistakes are expected in a million. */
static void digests_of_32_bits(void **state)
{
    struct recent r;

    (void)state;
    recent_init_small(&r, 10000);
    check(&r, 40);
    recent_clear(&r);
}

/* There is one of these for each peer: 128 KiB at most. */
static void small_is_small(void **state)
{
    struct recent r;

    (void)state;
    recent_init_small(&r, 12000);
    assert_int_equal(recent_memory(&r), 0);
    fill(&r, 0, 40);
    assert_true(recent_memory(&r) <= 256);
    for (uint32_t i = 0; i < 10; i++) {
        fill(&r, i * 12000, (i + 1) * 12000);
        assert_true(recent_memory(&r) <= 128 << 10);
    }
    recent_clear(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_of_64_bits),
        cmocka_unit_test(digests_of_32_bits),
        cmocka_unit_test(small_is_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
