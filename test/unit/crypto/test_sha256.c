/* test_sha256.c - every SHA-256 kernel this processor has, against NIST's vectors, an independent implementation's results,
 * and each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cavp.h"
#include "crypto/sha256.h"
#include "crypto/sha256_kernels.h"
#include "util/random.h"

static void assert_hex(const uint8_t *got, const char *want)
{
    char hex[65];

    hex_encode(hex, got, 32);
    assert_string_equal(hex, want);
}

static void hash_once(uint8_t *out, const void *data, size_t len)
{
    sha256(out, data, len);
}

static void test_known(void **state)
{
    uint8_t out[32];

    (void)state;
    sha256(out, "", 0);
    assert_hex(out, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    sha256(out, "abc", 3);
    assert_hex(out, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sha256d(out, "hello", 5);
    assert_hex(out, "9595c9df90075148eb06860365df33584b75bff782a510c6cd4883a419833d50");
}

static void test_nist(void **state)
{
    int n, m;

    (void)state;
    n = cavp_run("crypto/nist/SHA256ShortMsg.rsp", hash_once, 32);
    m = cavp_run("crypto/nist/SHA256LongMsg.rsp", hash_once, 32);
    assert_true(n >= 0 && m >= 0);
    if (n)
        assert_int_equal(n + m, 129);
}

static void fill(uint8_t *p, size_t len, unsigned start)
{
    for (size_t i = 0; i < len; i++)
        p[i] = (uint8_t)(start + i);
}

/* The digests of messages of 0 to 300 bytes, hashed together; the constant comes from Python's hashlib. */
static void test_all_lengths(void **state)
{
    uint8_t data[300], digests[301 * 32], out[32];

    (void)state;
    for (unsigned len = 0; len <= 300; len++) {
        fill(data, len, len * 3);
        sha256(digests + 32 * len, data, len);
    }
    sha256(out, digests, sizeof(digests));
    assert_hex(out, "4f1c2c6f711b2ec410bbe939d2c632a99815070ad7c77a22ae03aa1b0c953064");
}

static void test_streaming(void **state)
{
    uint8_t data[1000], want[32], got[32], first[32];
    struct sha256 ctx;
    struct rng rng;

    (void)state;
    rng_init_seed(&rng, 1);
    fill(data, sizeof(data), 9);
    for (int round = 0; round < 500; round++) {
        size_t len = rng_below(&rng, sizeof(data) + 1), at = 0;
        sha256(want, data, len);
        sha256_init(&ctx);
        while (at < len) {
            size_t n = rng_below(&rng, 150);
            if (n > len - at)
                n = len - at;
            sha256_write(&ctx, data + at, n);
            at += n;
        }
        sha256_finish(&ctx, got);
        assert_memory_equal(got, want, 32);
        sha256(first, want, 32);
        sha256_init(&ctx);
        sha256_write(&ctx, data, len);
        sha256d_finish(&ctx, got);
        assert_memory_equal(got, first, 32);
        sha256d(got, data, len);
        assert_memory_equal(got, first, 32);
    }
}

/* Each kernel's block function, from any state, over any number of blocks. */
static void test_kernels_transform(void **state)
{
    uint8_t data[64 * 20];
    struct rng rng;

    (void)state;
    rng_init_seed(&rng, 2);
    for (int round = 0; round < 200; round++) {
        uint32_t start[8], want[8];
        size_t n = rng_below(&rng, 21);
        for (size_t i = 0; i < sizeof(data); i++)
            data[i] = (uint8_t)rng_u64(&rng);
        for (int i = 0; i < 8; i++)
            want[i] = start[i] = (uint32_t)rng_u64(&rng);
        sha256_kernel_portable.transform(want, data, n);
        for (const struct sha256_kernel *const *k = sha256_kernels; *k; k++) {
            uint32_t got[8];
            if (!(*k)->usable())
                continue;
            memcpy(got, start, sizeof(got));
            (*k)->transform(got, data, n);
            assert_memory_equal(got, want, sizeof(got));
        }
    }
}

/* The multi-message functions for every count that mixes full groups and rests, unaligned, and in place. */
static void test_kernels_multi(void **state)
{
    enum { MAX = 35 };
    static uint8_t in[80 * MAX + 1], out[32 * MAX + 2], work[64 * MAX];
    uint8_t want[32];
    struct rng rng;

    (void)state;
    rng_init_seed(&rng, 3);
    for (size_t i = 0; i < sizeof(in); i++)
        in[i] = (uint8_t)rng_u64(&rng);
    for (const struct sha256_kernel *const *k = sha256_kernels; *k; k++) {
        if (!(*k)->usable())
            continue;
        for (size_t n = 0; n <= MAX; n++) {
            memset(out, 0xa5, sizeof(out));
            (*k)->d64(out + 1, in + 1, n);
            assert_int_equal(out[1 + 32 * n], 0xa5);
            memcpy(work, in + 1, 64 * n);
            (*k)->d64(work, work, n);
            assert_memory_equal(work, out + 1, 32 * n);
            for (size_t i = 0; i < n; i++) {
                sha256d(want, in + 1 + 64 * i, 64);
                assert_memory_equal(out + 1 + 32 * i, want, 32);
            }
            memset(out, 0xa5, sizeof(out));
            (*k)->d80(out + 1, in + 1, n);
            assert_int_equal(out[1 + 32 * n], 0xa5);
            for (size_t i = 0; i < n; i++) {
                sha256d(want, in + 1 + 80 * i, 80);
                assert_memory_equal(out + 1 + 32 * i, want, 32);
            }
        }
    }
    sha256d_64(out, in, 3);
    sha256d(want, in + 128, 64);
    assert_memory_equal(out + 64, want, 32);
    sha256d_80(out, in, 3);
    sha256d(want, in + 160, 80);
    assert_memory_equal(out + 64, want, 32);
}

static void test_tagged(void **state)
{
    struct sha256 ctx;
    uint8_t out[32];

    (void)state;
    sha256_init_tagged(&ctx, "TapLeaf");
    sha256_write(&ctx, "abc", 3);
    sha256_finish(&ctx, out);
    assert_hex(out, "83a56308a9c56f467e8df293da5ae5fdbc85b871952a83c4bf0575ee948ec230");
}

static void test_kernel_name(void **state)
{
    const struct sha256_kernel *const *k = sha256_kernels;

    (void)state;
    while (!(*k)->usable())
        k++;
    assert_string_equal(sha256_kernel(), (*k)->name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_nist),
        cmocka_unit_test(test_all_lengths),
        cmocka_unit_test(test_streaming),
        cmocka_unit_test(test_kernels_transform),
        cmocka_unit_test(test_kernels_multi),
        cmocka_unit_test(test_tagged),
        cmocka_unit_test(test_kernel_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
