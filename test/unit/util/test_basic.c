/* test_basic.c - the smallest parts: bytes, hex, arena, memory, time, random numbers, names of outcomes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/arena.h"
#include "util/assert.h"
#include "util/base64.h"
#include "util/bytes.h"
#include "util/hex.h"
#include "util/mem.h"
#include "util/random.h"
#include "util/rc.h"
#include "util/time.h"

static void test_reader(void **state)
{
    static const uint8_t data[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    struct reader r = reader_make(data, sizeof(data));
    uint8_t out[4] = {9, 9, 9, 9};

    (void)state;
    assert_int_equal(read_u8(&r), 1);
    assert_int_equal(read_u16(&r), 0x0302);
    assert_int_equal(read_u32(&r), 0x07060504);
    assert_true(read_u64(&r) == 0x0f0e0d0c0b0a0908);
    assert_int_equal(reader_left(&r), 1);
    assert_false(reader_done(&r));
    read_copy(&r, out, 2);
    assert_true(r.failed && out[0] == 0 && out[1] == 0 && out[2] == 9);
    assert_int_equal(reader_left(&r), 0);
    assert_int_equal(read_u8(&r), 0);
    assert_null(read_bytes(&r, 1));
    assert_false(reader_done(&r));
    r = reader_make(data, 1);
    assert_null(read_bytes(&r, SIZE_MAX));
    r = reader_make(data, 0);
    assert_true(reader_done(&r));
    assert_int_equal(get_be32(data), 0x01020304);
    assert_true(get_be64(data) == 0x0102030405060708);
}

static void test_writer(void **state)
{
    struct writer w = WRITER_INIT;
    struct reader r;
    uint8_t be[12];

    (void)state;
    write_bytes(&w, NULL, 0);
    for (uint32_t i = 0; i < 1000; i++) {
        write_u8(&w, (uint8_t)i);
        write_u16(&w, (uint16_t)(i * 3));
        write_u32(&w, i * 1000003);
        write_u64(&w, i * 1000000007ull);
        write_bytes(&w, "abc", 3);
    }
    assert_int_equal(w.len, 18000);
    r = reader_make(w.data, w.len);
    for (uint32_t i = 0; i < 1000; i++) {
        assert_int_equal(read_u8(&r), (uint8_t)i);
        assert_int_equal(read_u16(&r), (uint16_t)(i * 3));
        assert_int_equal(read_u32(&r), i * 1000003);
        assert_true(read_u64(&r) == i * 1000000007ull);
        assert_memory_equal(read_bytes(&r, 3), "abc", 3);
    }
    assert_true(reader_done(&r));
    writer_clear(&w);
    assert_true(!w.data && !w.len && !w.cap);
    put_be32(be, 0x01020304);
    put_be64(be + 4, 0x0102030405060708);
    assert_memory_equal(be, "\1\2\3\4\1\2\3\4\5\6\7\10", 12);
}

static void test_hex(void **state)
{
    uint8_t data[3] = {0x00, 0xab, 0xff}, out[3], many[70], back[71];
    char text[7];

    (void)state;
    hex_encode(text, data, 3);
    assert_string_equal(text, "00abff");
    hex_encode_reversed(text, data, 3);
    assert_string_equal(text, "ffab00");
    hex_encode(text, data, 0);
    assert_string_equal(text, "");
    assert_true(hex_decode(out, 3, "00aBFf"));
    assert_memory_equal(out, data, 3);
    assert_true(hex_decode_reversed(out, 3, "ffab00"));
    assert_memory_equal(out, data, 3);
    assert_true(hex_decode(out, 0, ""));
    for (size_t len = 1; len <= sizeof(many); len++) { /* in steps of 16, and what is left */
        char digits[2 * sizeof(many) + 1];
        for (size_t i = 0; i < len; i++)
            many[i] = (uint8_t)(i * 37 + len);
        hex_encode(digits, many, len);
        assert_true(hex_decode(back, len, digits));
        assert_memory_equal(back, many, len);
        assert_false(hex_decode(back, len + 1, digits) || hex_decode(back, len - 1, digits));
        for (size_t at = 0; at < 2 * len; at++) {
            static const char wrong[] = "/:@G`g\xb0\xff\x10 ";
            const char was = digits[at];
            for (const char *c = wrong; *c; c++) {
                digits[at] = *c;
                assert_false(hex_decode(back, len, digits));
            }
            digits[at] = was >= 'a' ? (char)(was - 32) : was;
            assert_true(hex_decode(back, len, digits));
            assert_memory_equal(back, many, len);
        }
    }
    assert_false(hex_decode(out, 3, "00abf") || hex_decode(out, 3, "00ab") || hex_decode(out, 3, "00abff0"));
    assert_false(hex_decode(out, 3, "00abfg") || hex_decode(out, 3, "0x0abf") || hex_decode(out, 3, "@@@@@@"));
    assert_true(hex_is_valid("") && hex_is_valid("aF09"));
    assert_false(hex_is_valid("a") || hex_is_valid("ag") || hex_is_valid("aa "));
    /* what lies on both sides of the digits and letters */
    for (int c = 1; c < 256; c++) {
        char two[3] = {(char)c, '0', 0};
        bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        assert_true(hex_decode(out, 1, two) == digit);
    }
}

static void test_arena(void **state)
{
    struct arena a = ARENA_INIT;
    unsigned char *p[300];
    int *zero;

    (void)state;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 300; i++) {
            p[i] = arena_alloc(&a, (size_t)i * 7);
            assert_int_equal((uintptr_t)p[i] % _Alignof(max_align_t), 0);
            memset(p[i], i, (size_t)i * 7);
        }
        for (int i = 1; i < 300; i++)
            assert_true(p[i][0] == (unsigned char)i && p[i][i * 7 - 1] == (unsigned char)i);
        zero = arena_calloc(&a, 1000, sizeof(int));
        for (int i = 0; i < 1000; i++)
            assert_int_equal(zero[i], 0);
        arena_reset(&a);
        assert_int_equal(a.used, 0);
    }
    memset(arena_alloc(&a, 5000000), 1, 5000000);
    assert_true(a.total >= 5000000);
    arena_clear(&a);
    assert_true(!a.chunk && !a.total);
    arena_reset(&a);
    assert_non_null(arena_alloc(&a, 0));
    arena_clear(&a);
}

/* Returns: the signal that ends a child which runs fn. */
static int dies_of(void (*fn)(void))
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        signal(SIGABRT, SIG_DFL);
        if (!freopen("/dev/null", "w", stderr))
            _exit(2);
        fn();
        _exit(0);
    }
    assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void assert_wrong(void)
{
    ASSERT(1 + 1 == 3);
}

static void assert_right(void)
{
    ASSERT(1 + 1 == 2);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define ALLOCATOR_OF_SYSTEM
static void exhaust(void)
{
    volatile size_t much = SIZE_MAX / 2;
    free(xmalloc(much));
}
#endif

static void test_deaths(void **state)
{
    (void)state;
    assert_int_equal(dies_of(assert_wrong), SIGABRT);
    assert_int_equal(dies_of(assert_right), 0);
#ifdef ALLOCATOR_OF_SYSTEM
    assert_int_equal(dies_of(exhaust), SIGABRT);
#else
    print_message("exhausted memory: not tested, a sanitizer's allocator has its own way to fail\n");
#endif
}

static void test_mem(void **state)
{
    char *s = xasprintf("%s-%d", "x", 5), *d = xmemdup("abc", 3), *t = xstrdup("tea");
    int *z = xcalloc(10, sizeof(int));
    void *empty = xmalloc(0);

    (void)state;
    assert_string_equal(s, "x-5");
    assert_memory_equal(d, "abc", 3);
    assert_string_equal(t, "tea");
    assert_int_equal(z[0] | z[9], 0);
    assert_non_null(empty);
    d = xrealloc(d, 1000);
    assert_memory_equal(d, "abc", 3);
    free(s);
    free(d);
    free(t);
    free(z);
    free(empty);
}

static void test_time(void **state)
{
    char text[32];
    int64_t mono = time_mono_us();

    (void)state;
    time_format_iso(text, sizeof(text), 1231006505);
    assert_string_equal(text, "2009-01-03T18:15:05Z");
    time_format_iso(text, sizeof(text), 0);
    assert_string_equal(text, "1970-01-01T00:00:00Z");
    time_format_iso(text, sizeof(text), 4294967295);
    assert_string_equal(text, "2106-02-07T06:28:15Z");
    assert_int_equal(time_mock_get(), 0);
    assert_true(llabs(time_now() - time_real()) <= 1 && llabs(time_now_us() - time_real_us()) < 1000000);
    time_mock_set(1700000000);
    assert_true(time_now() == 1700000000 && time_now_us() == 1700000000000000 && time_mock_get() == 1700000000);
    assert_true(time_real() > 1700000000);
    time_mock_set(0);
    assert_true(time_now() > 1700000000);
    assert_true(time_mono_us() >= mono);
}

static void test_random(void **state)
{
    uint8_t a[64] = {0}, b[64] = {0};
    struct rng r, s;
    int count[7] = {0};

    (void)state;
    random_bytes(a, sizeof(a));
    random_bytes(b, sizeof(b));
    assert_memory_not_equal(a, b, sizeof(a));
    assert_true(random_u64() != random_u64());
    rng_init(&r);
    rng_init(&s);
    assert_true(rng_u64(&r) != rng_u64(&s));
    rng_init_seed(&r, 42);
    rng_init_seed(&s, 42);
    for (int i = 0; i < 100; i++)
        assert_true(rng_u64(&r) == rng_u64(&s));
    for (int i = 0; i < 70000; i++)
        count[rng_below(&r, 7)]++;
    for (int i = 0; i < 7; i++)
        assert_in_range(count[i], 9500, 10500); /* five standard deviations */
    assert_true(rng_below(&r, 1) == 0);
    for (int i = 0; i < 100; i++)
        assert_true(rng_below(&r, ((uint64_t)1 << 63) + 1) <= (uint64_t)1 << 63);
    /* xoshiro256** by its authors' code from the state 1, 2, 3, 4 */
    r = (struct rng){{1, 2, 3, 4}};
    assert_true(rng_u64(&r) == 11520 && rng_u64(&r) == 0 && rng_u64(&r) == 1509978240);
}

static void test_base64(void **state)
{
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"},
                                           {"\xff\xfe", "//4="}};
    static const char *const bad[] = {"Zg=", "Zg", "Zg===", "Z===", "====", "Zh==", "Zm9=", "Zm9_", "Zm 9", "=m9v", "Zg==Zg=="};
    char out[8];
    size_t len;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        char *text = base64_encode(pairs[i][0], strlen(pairs[i][0]));
        assert_string_equal(text, pairs[i][1]);
        free(text);
        len = sizeof(out);
        assert_true(base64_decode(out, &len, pairs[i][1], strlen(pairs[i][1])));
        assert_int_equal(len, strlen(pairs[i][0]));
        assert_memory_equal(out, pairs[i][0], len);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        len = sizeof(out);
        assert_false(base64_decode(out, &len, bad[i], strlen(bad[i])));
    }
    len = 5;
    assert_false(base64_decode(out, &len, "Zm9vYmFy", 8)); /* no room */
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(rc_name(RC_OK), "ok");
    for (int i = RC_OK; i <= RC_INTERRUPTED; i++)
        for (int j = i + 1; j <= RC_INTERRUPTED; j++)
            assert_string_not_equal(rc_name((enum rc)i), rc_name((enum rc)j));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reader), cmocka_unit_test(test_writer), cmocka_unit_test(test_hex),  cmocka_unit_test(test_arena),
        cmocka_unit_test(test_deaths), cmocka_unit_test(test_mem),    cmocka_unit_test(test_time), cmocka_unit_test(test_random),
        cmocka_unit_test(test_names),  cmocka_unit_test(test_base64),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
