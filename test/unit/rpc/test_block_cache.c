/* Tests of src/rpc/block_cache.c: what is kept, when, and for how long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rpc/server_priv.h"
#include "util/fs.h"

#define MIB ((size_t)1 << 20)

static struct block_hash hash_of(uint8_t n)
{
    struct block_hash h = {{0}};

    h.b[0] = n;
    return h;
}

static void add(struct block_cache *c, uint8_t n, enum kept_form form, size_t len)
{
    struct block_hash h = hash_of(n);
    uint8_t *data = xcalloc(1, len);

    data[len - 1] = n;
    kept_unref(block_cache_add_take(c, &h, form, data, len));
}

static uint8_t last_byte(const struct kept *k)
{
    uint8_t byte;

    assert_true((k->data == NULL) == (k->file >= 0));
    if (k->data)
        return k->data[k->len - 1];
    assert_int_equal(fs_pread(k->file, &byte, 1, k->len - 1), RC_OK);
    return byte;
}

static bool has(struct block_cache *c, uint8_t n, enum kept_form form)
{
    struct block_hash h = hash_of(n);
    struct kept *k = block_cache_find(c, &h, form);
    bool there = k != NULL;

    assert_true(!k || last_byte(k) == n);
    kept_unref(k);
    return there;
}

static void test_second_time(void **state)
{
    struct block_cache *c = block_cache_new();
    struct block_hash a = hash_of(1), b = hash_of(2);

    (void)state;
    assert_false(block_cache_wants(c, &a, KEPT_RAW, 10));
    assert_false(block_cache_wants(c, &b, KEPT_RAW, 10));
    assert_false(block_cache_wants(c, &a, KEPT_IDS, 10));
    assert_true(block_cache_wants(c, &a, KEPT_IDS, 10));
    assert_false(block_cache_wants(c, &a, KEPT_IDS, 10));
    assert_false(block_cache_wants(c, &a, KEPT_RAW, 10)); /* which is cheap to make: the third time counts */
    assert_true(block_cache_wants(c, &a, KEPT_RAW, 10));
    assert_false(block_cache_wants(c, &b, KEPT_RAW, 9 * MIB)); /* too long */
    assert_false(block_cache_wants(c, &b, KEPT_RAW, 8 * MIB));
    assert_true(block_cache_wants(c, &b, KEPT_RAW, 8 * MIB));
    for (uint8_t n = 3; n < 103; n++) { /* a client that goes through the chain */
        struct block_hash h = hash_of(n);
        assert_false(block_cache_wants(c, &h, KEPT_RAW, 10));
    }
    assert_false(block_cache_wants(c, &a, KEPT_IDS, 10)); /* too long ago */
    block_cache_free(c);
}

static void test_bounds(void **state)
{
    struct block_cache *c = block_cache_new();
    struct block_hash first = hash_of(1);
    struct kept *held;

    (void)state;
    add(c, 1, KEPT_RAW, 5 * MIB);
    add(c, 1, KEPT_TXS, 5 * MIB);
    add(c, 2, KEPT_RAW, 5 * MIB);
    assert_false(has(c, 2, KEPT_TXS));
    held = block_cache_find(c, &first, KEPT_RAW); /* used last: the other goes first */
    assert_non_null(held);
    add(c, 3, KEPT_RAW, 5 * MIB);
    assert_false(has(c, 1, KEPT_TXS));
    assert_true(has(c, 1, KEPT_RAW));
    for (uint8_t n = 10; n < 80; n++)
        add(c, n, KEPT_IDS, 1);
    assert_false(has(c, 1, KEPT_RAW));
    assert_false(has(c, 15, KEPT_IDS));
    assert_true(has(c, 16, KEPT_IDS));
    assert_int_equal(last_byte(held), 1); /* who has it keeps it */
    assert_true(held->file >= 0);
    kept_unref(held);
    block_cache_sweep(c, time_mono_us() + 50000000);
    assert_true(has(c, 79, KEPT_IDS));
    block_cache_sweep(c, time_mono_us() + 70000000);
    assert_false(has(c, 79, KEPT_IDS));
    block_cache_free(c);
}

static void test_buffer(void **state)
{
    struct block_cache *c = block_cache_new();
    struct block_buffer *first = block_buffer_get(c), *second = block_buffer_get(c);

    (void)state;
    assert_ptr_not_equal(first, second);
    second->bytes[BLOCK_BUFFER - 1] = 1;
    block_buffer_put(second);
    assert_ptr_equal(block_buffer_get(c), second);
    block_buffer_put(second);
    block_buffer_put(first); /* one is enough */
    assert_ptr_equal(block_buffer_get(c), second);
    block_buffer_put(second);
    block_cache_sweep(c, time_mono_us()); /* in use a moment ago */
    assert_ptr_equal(block_buffer_get(c), second);
    block_buffer_put(second);
    block_cache_sweep(c, time_mono_us());
    block_cache_sweep(c, time_mono_us());
    block_cache_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_second_time), cmocka_unit_test(test_bounds),
                                       cmocka_unit_test(test_buffer)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
