/* test_sha256_scan.c - every kernel that searches nonces against the plain hash: random headers, every count, limits loose and tight, and the
 * header of the first block of all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/sha256.h"
#include "crypto/sha256_scan_kernels.h"
#include "util/bytes.h"
#include "util/hex.h"
#include "util/random.h"

/* What a scan must answer. */
static uint32_t expected(const uint8_t *header, uint32_t first, uint32_t n, uint32_t limit)
{
    uint8_t copy[80], hash[32];

    memcpy(copy, header, 80);
    for (uint32_t i = 0; i < n; i++) {
        put_le32(copy + 76, first + i);
        sha256d(hash, copy, 80);
        if (get_le32(hash + 28) <= limit)
            return i;
    }
    return n;
}

static void test_random(void **state)
{
    static const uint32_t limits[] = {0xffffffff, 0x7fffff7f, 0x10000000, 0x00ffffff, 0x000fffff, 0};
    uint8_t header[80];
    struct sha256_scan s;
    struct rng rng;
    unsigned hits = 0;

    (void)state;
    rng_init_seed(&rng, 5);
    for (int round = 0; round < 600; round++) {
        uint32_t first = (uint32_t)rng_u64(&rng), n = (uint32_t)rng_below(&rng, 70), limit = limits[round % 6], want;
        if (round % 7 == 0)
            first = UINT32_MAX - (uint32_t)rng_below(&rng, 40); /* over the end */
        for (int i = 0; i < 80; i++)
            header[i] = (uint8_t)rng_u64(&rng);
        sha256_scan_init(&s, header);
        want = expected(header, first, n, limit);
        hits += want < n;
        for (const struct sha256_scan_kernel *const *k = sha256_scan_kernels; *k; k++) {
            if ((*k)->usable() && (*k)->scan(&s, first, n, limit) != want)
                fail_msg("%s: %u nonces from %u, limit %x: %u, not %u", (*k)->name, n, first, limit,
                         (*k)->scan(&s, first, n, limit), want);
        }
        assert_int_equal(sha256_scan(&s, first, n, limit), want);
    }
    assert_true(hits > 200);
}

/* Difficulty 1: the nonce is found, and nothing before it. */
static void test_genesis(void **state)
{
    static const char hex[] =
        "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a"
        "51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c";
    uint8_t header[80];
    struct sha256_scan s;

    (void)state;
    assert_true(hex_decode(header, 80, hex));
    sha256_scan_init(&s, header);
    for (const struct sha256_scan_kernel *const *k = sha256_scan_kernels; *k; k++) {
        if ((*k)->usable())
            assert_int_equal((*k)->scan(&s, 2083236893u - 5001, 20000, 0), 5001);
    }
    assert_true(strlen(sha256_scan_kernel()) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random), cmocka_unit_test(test_genesis)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
