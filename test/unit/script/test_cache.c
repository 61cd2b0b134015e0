/* test_cache.c - the signature cache: what it holds, what it gives up, its bound, and many threads at once. */
#include "script/cache.h"
#include "util/bytes.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void numbered_key(uint8_t key[32], const struct sig_cache *c, uint32_t n)
{
    struct wtxid id = {{0}};

    put_le32(id.b, n);
    sig_cache_tx_key(key, c, &id, 0);
}

static void keys(void **state)
{
    struct sig_cache *a = sig_cache_new(1 << 16), *b = sig_cache_new(1 << 16);
    const uint8_t hash[32] = {1}, pub[33] = {2}, sig[70] = {3};
    const struct wtxid id = {{4}};
    uint8_t k1[32], k2[32];

    (void)state;
    sig_cache_key(k1, a, 'E', hash, pub, 33, sig, 70);
    sig_cache_key(k2, a, 'E', hash, pub, 33, sig, 70);
    assert_memory_equal(k1, k2, 32);
    sig_cache_key(k2, a, 'S', hash, pub, 33, sig, 70);
    assert_memory_not_equal(k1, k2, 32);
    sig_cache_key(k2, a, 'E', hash, pub, 33, sig, 69);
    assert_memory_not_equal(k1, k2, 32);
    sig_cache_key(k2, b, 'E', hash, pub, 33, sig, 70);
    assert_memory_not_equal(k1, k2, 32); /* another salt */
    sig_cache_tx_key(k1, a, &id, 1);
    sig_cache_tx_key(k2, a, &id, 2);
    assert_memory_not_equal(k1, k2, 32);
    sig_cache_free(a);
    sig_cache_free(b);
    sig_cache_free(NULL);
}

static void holds_and_gives_up(void **state)
{
    struct sig_cache *c = sig_cache_new(0); /* one bucket of fifteen */
    uint8_t key[32];
    unsigned left = 0;

    (void)state;
    for (uint32_t i = 0; i < 15; i++) {
        numbered_key(key, c, i);
        assert_false(sig_cache_has(c, key, false));
        sig_cache_add(c, key);
        sig_cache_add(c, key);
    }
    for (uint32_t i = 0; i < 15; i++) {
        numbered_key(key, c, i);
        assert_true(sig_cache_has(c, key, i >= 13)); /* two are not needed any more */
        assert_true(sig_cache_has(c, key, false));   /* but still there */
    }
    for (uint32_t i = 15; i < 17; i++) {
        numbered_key(key, c, i);
        sig_cache_add(c, key);
    }
    for (uint32_t i = 0; i < 17; i++) {
        numbered_key(key, c, i);
        assert_int_equal(sig_cache_has(c, key, false), i != 13 && i != 14);
    }
    for (uint32_t i = 17; i < 109; i++) {
        numbered_key(key, c, i);
        sig_cache_add(c, key);
        assert_true(sig_cache_has(c, key, false));
    }
    for (uint32_t i = 0; i < 109; i++) {
        numbered_key(key, c, i);
        left += sig_cache_has(c, key, false);
    }
    assert_int_equal(left, 15);
    sig_cache_free(c);
}

/* Nearly all of a quarter of the capacity stays, also while the table grows. */
static void bound(void **state)
{
    struct sig_cache *c = sig_cache_new(1 << 20);
    uint8_t key[32];
    unsigned left = 0;

    (void)state;
    for (uint32_t i = 0; i < 14000; i++) {
        numbered_key(key, c, i);
        sig_cache_add(c, key);
    }
    for (uint32_t i = 0; i < 14000; i++) {
        numbered_key(key, c, i);
        left += sig_cache_has(c, key, false);
    }
    assert_in_range(left, 13000, 14000);
    for (uint32_t i = 14000; i < 200000; i++) {
        numbered_key(key, c, i);
        sig_cache_add(c, key);
    }
    left = 0;
    for (uint32_t i = 0; i < 200000; i++) {
        numbered_key(key, c, i);
        left += sig_cache_has(c, key, false);
    }
    assert_in_range(left, 20000, (1 << 20) / 16);
    sig_cache_free(c);
}

struct worker {
    struct sig_cache *cache;
    uint32_t first;
    unsigned wrong;
};

static void *work(void *arg)
{
    struct worker *w = arg;
    uint8_t key[32];

    for (uint32_t round = 0; round < 20; round++) {
        for (uint32_t i = 0; i < 500; i++) {
            numbered_key(key, w->cache, w->first + i);
            sig_cache_add(w->cache, key);
            w->wrong += !sig_cache_has(w->cache, key, i % 3 == 0);
            numbered_key(key, w->cache, 1000000 + w->first + i);
            w->wrong += sig_cache_has(w->cache, key, false);
        }
    }
    return NULL;
}

static void threads(void **state)
{
    struct sig_cache *c = sig_cache_new(4 << 20);
    struct worker workers[4];
    pthread_t ids[4];

    (void)state;
    for (int i = 0; i < 4; i++) {
        workers[i] = (struct worker){c, (uint32_t)i * 250, 0}; /* neighbours share half of their keys */
        assert_int_equal(pthread_create(&ids[i], NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(ids[i], NULL);
        assert_int_equal(workers[i].wrong, 0);
    }
    sig_cache_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys),
        cmocka_unit_test(holds_and_gives_up),
        cmocka_unit_test(bound),
        cmocka_unit_test(threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
