/* test_muhash.c - MuHash3072 against values that independent big-integer arithmetic gives, and the laws of a set. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/muhash.h"
#include "util/hex.h"
#include "util/random.h"

static void assert_finish(const struct muhash *m, const char *want)
{
    uint8_t out[32];
    char hex[65];

    muhash_finish(m, out);
    hex_encode(hex, out, 32);
    assert_string_equal(hex, want);
}

/* Values from Python's integers and a ChaCha20 written there; the second is Bitcoin Core's known answer too. */
static void test_known(void **state)
{
    uint8_t e[32] = {0};
    struct muhash m;

    (void)state;
    muhash_init(&m);
    assert_finish(&m, "c85525462fdcf30a2c18d6f4b92923000974355c2477f59594d2c205a1d25add");
    for (uint8_t i = 0; i < 3; i++) {
        e[0] = i;
        if (i < 2)
            muhash_insert(&m, e, 32);
        else
            muhash_remove(&m, e, 32);
    }
    assert_finish(&m, "63587d602a00105f62d2683610fffc82340de446664a02da2ad3cb00b112d310");
}

static void test_hundred(void **state)
{
    struct muhash m;

    (void)state;
    muhash_init(&m);
    for (unsigned i = 0; i < 100; i++) {
        uint8_t data[100];
        for (unsigned j = 0; j < i; j++)
            data[j] = (uint8_t)(i * 7 + j);
        if (i % 3 == 2)
            muhash_remove(&m, data, i);
        else
            muhash_insert(&m, data, i);
    }
    assert_finish(&m, "3cf6459f5f8b6228228fe25a449650b4d55ed38a1b0a304bcb82537433480c9a");
}

/* Numbers from the modulus up are the same as those from 0 up. */
static void test_canonical(void **state)
{
    struct muhash m;

    (void)state;
    muhash_init(&m);
    memset(m.num, 0xff, sizeof(m.num));
    m.num[0] = -(uint64_t)1103717 + 5;
    assert_finish(&m, "c696be12091bb9414bbb50899c8439d791877aea5bdd6e7429e2d697424d3b7f");
    m.num[0] -= 5;
    assert_finish(&m, "a1a4f5721c1c4610af7f71078f3a68c330536d679803b0e0507ee8dc10c5dfca");
    /* the largest number times itself, divided by itself twice, is one: every carry runs */
    memset(m.num, 0xff, sizeof(m.num));
    memcpy(m.den, m.num, sizeof(m.den));
    muhash_combine(&m, &m);
    assert_finish(&m, "c85525462fdcf30a2c18d6f4b92923000974355c2477f59594d2c205a1d25add");
}

/* Any order of adding and removing, in any split, gives the hash of what is left. */
static void test_set(void **state)
{
    struct rng rng;

    (void)state;
    rng_init_seed(&rng, 5);
    for (int round = 0; round < 10; round++) {
        struct muhash whole, left, right;
        uint8_t want[32], got[32];
        muhash_init(&whole);
        muhash_init(&left);
        muhash_init(&right);
        for (int i = 0; i < 20; i++) {
            uint64_t element = rng_u64(&rng), passing = rng_u64(&rng);
            muhash_insert(&whole, &element, 8);
            muhash_remove(&left, &passing, 8);
            muhash_insert(rng_below(&rng, 2) ? &left : &right, &element, 8);
            muhash_insert(&right, &passing, 8);
        }
        muhash_combine(&right, &left);
        muhash_finish(&whole, want);
        muhash_finish(&right, got);
        assert_memory_equal(got, want, 32);
        muhash_remove(&right, "x", 1);
        muhash_finish(&right, got);
        assert_memory_not_equal(got, want, 32);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_hundred),
        cmocka_unit_test(test_canonical),
        cmocka_unit_test(test_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
