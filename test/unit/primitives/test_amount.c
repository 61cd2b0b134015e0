/* test_amount.c - amounts as text: exact to the satoshi, with the bounds and the grammar of Bitcoin Core's ParseFixedPoint. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "primitives/amount.h"
#include "util/mem.h"
#include "util/random.h"

static void expect(const char *text, int64_t want)
{
    int64_t got = 12345;
    if (!amount_parse(&got, text) || got != want)
        fail_msg("\"%s\" read as %lld, not %lld", text, (long long)got, (long long)want);
}

static void refuse_all(const char *const *texts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int64_t got = 12345;
        if (amount_parse(&got, texts[i]))
            fail_msg("\"%s\" accepted as %lld", texts[i], (long long)got);
        assert_int_equal(got, 12345);
    }
}

static void reads_exactly(void **state)
{
    static const struct {
        const char *text;
        int64_t satoshi;
    } cases[] = {
        {"0", 0},
        {"-0", 0},
        {"0.0", 0},
        {"0.00000000", 0},
        {"0.000000000000000000000000000000", 0},
        {"0e9", 0},
        {"0e-8", 0},
        {"1", 100000000},
        {"-1", -100000000},
        {"0.1", 10000000},
        {"0.00000001", 1},
        {"-0.00000001", -1},
        {"0.17622195", 17622195},
        {"0.5", 50000000},
        {"0.50000000", 50000000},
        {"0.89898989", 89898989},
        {"100000000.00000000", 10000000000000000},
        {"20999999.9999999", 2099999999999990},
        {"20999999.99999999", 2099999999999999},
        {"21000000", 2100000000000000},
        {"1e-8", 1},
        {"0.1e-7", 1},
        {"0.01e-6", 1},
        {"0.00000000000000000000000000000000000001e+30", 1},
        {"1000000000000e-20", 1},
        {"10e-9", 1},
        {"1E-8", 1},
        {"1e+1", 1000000000},
        {"1e01", 1000000000},
        {"1.50e1", 1500000000},
        {"0.000000010000000000000000000000000", 1},
        {"1.000000000000000000", 100000000},
        {"9e9", 900000000000000000},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        expect(cases[i].text, cases[i].satoshi);
}

static void has_bounds(void **state)
{
    static const char *const beyond[] = {"10000000000",
                                         "-10000000000",
                                         "10000000000.00000000",
                                         "1e10",
                                         "99999999999",
                                         "1e11",
                                         "1e999999999999999999999",
                                         "9223372036854775807",
                                         "92233720368.54775807",
                                         "1234567890123456789",
                                         "0.1e12",
                                         "0e10"};
    (void)state;
    expect("9999999999.99999999", 999999999999999999);
    expect("-9999999999.99999999", -999999999999999999);
    expect("9999999999999999.99e-6", 999999999999999999);
    expect("0.00999999999999999999e12", 999999999999999999);
    refuse_all(beyond, ARRAY_LEN(beyond));
}

static void refuses_what_is_finer_than_a_satoshi(void **state)
{
    static const char *const fine[] = {"0.000000001",
                                       "0.00000001000000001",
                                       "0.000000019",
                                       "1e-9",
                                       "-1e-9",
                                       "0.1e-8",
                                       "1.1e-8",
                                       "0e-9",
                                       "0.00000000000000000000000000000000000001",
                                       "1e-999999999999999999999",
                                       "12345678.123456789"};
    (void)state;
    refuse_all(fine, ARRAY_LEN(fine));
}

static void refuses_what_is_no_number(void **state)
{
    static const char *const texts[] = {"",   " ",   "-",    "+1", "--1", "-+1", ".",     ".5",    "-.5",   "1.",      "1.e1", "01",
                                        "00", "-01", "00.1", "1e", "1e+", "1e-", "1e+-1", "1e1.0", "1e1e1", "1.2.3",   "1,0",  "1 ",
                                        " 1", "1\n", "0x1",  "1f", "nan", "inf", "1_0",   "e1",    "1-",    "\xd9\xa1"};
    (void)state;
    refuse_all(texts, ARRAY_LEN(texts));
}

static void writes_eight_decimals(void **state)
{
    static const struct {
        int64_t satoshi;
        const char *text;
    } cases[] = {
        {0, "0.00000000"},
        {1, "0.00000001"},
        {-1, "-0.00000001"},
        {100000000, "1.00000000"},
        {-100000001, "-1.00000001"},
        {2100000000000000, "21000000.00000000"},
        {INT64_MAX, "92233720368.54775807"},
        {INT64_MIN, "-92233720368.54775808"},
    };
    char out[24];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(amount_format(out, cases[i].satoshi), strlen(cases[i].text));
        assert_string_equal(out, cases[i].text);
    }
}

/* A slow reading of the same text: all digits, without a point, in 128 bits. Texts are kept short enough for it. */
static bool read_slowly(int64_t *satoshi, const char *text)
{
    const bool negative = *text == '-';
    unsigned __int128 value = 0;
    int scale = 8;
    bool point = false;

    for (text += negative; *text && *text != 'e'; text++) {
        if (*text == '.') {
            point = true;
            continue;
        }
        value = value * 10 + (unsigned)(*text - '0');
        scale -= point;
    }
    if (*text)
        scale += (int)strtol(text + 1, NULL, 10);
    if (value == 0) {
        *satoshi = 0;
        return true;
    }
    for (; scale < 0 && value % 10 == 0; scale++)
        value /= 10;
    for (; scale > 0 && value < (unsigned __int128)1 << 100; scale--)
        value *= 10;
    if (scale != 0 || value >= 1000000000000000000u)
        return false;
    *satoshi = negative ? -(int64_t)value : (int64_t)value;
    return true;
}

/* Random texts of up to 10 + 12 digits and exponents around the bounds; zeroes are frequent. */
static void agrees_with_a_slow_reader(void **state)
{
    unsigned accepted = 0;
    struct rng rng;

    (void)state;
    rng_init_seed(&rng, 1);
    for (int i = 0; i < 200000; i++) {
        char text[64], digits[24];
        const unsigned whole = 1 + (unsigned)rng_below(&rng, 10), part = (unsigned)rng_below(&rng, 13);
        int64_t fast = 0, slow = 0;
        size_t n = 0;
        bool ok;

        for (unsigned k = 0; k < whole + part; k++)
            digits[k] = rng_below(&rng, 2) ? '0' : (char)('0' + rng_below(&rng, 10));
        if (digits[0] == '0' && whole > 1)
            digits[0] = '7';
        n = (size_t)snprintf(text, sizeof(text), "%s%.*s%s%.*s", rng_below(&rng, 2) ? "-" : "", (int)whole, digits, part ? "." : "",
                             (int)part, digits + whole);
        if (rng_below(&rng, 2))
            snprintf(text + n, sizeof(text) - n, "e%s%u",
                     rng_below(&rng, 2)   ? "-"
                     : rng_below(&rng, 2) ? "+"
                                          : "",
                     (unsigned)rng_below(&rng, 12));
        ok = read_slowly(&slow, text);
        if (slow == 0 && ok)
            continue; /* a zero's exponent has bounds of its own, tested above */
        if (amount_parse(&fast, text) != ok || (ok && fast != slow))
            fail_msg("%s: %lld, slowly %lld", text, (long long)fast, (long long)slow);
        accepted += ok;
    }
    assert_true(accepted > 20000);
}

static void round_trips(void **state)
{
    struct rng rng;

    (void)state;
    rng_init_seed(&rng, 2);
    for (int i = 0; i < 100000; i++) {
        const int64_t range = (int64_t)1 << (1 + rng_below(&rng, 59));
        const int64_t want = (int64_t)rng_below(&rng, (uint64_t)range) * (rng_below(&rng, 2) ? 1 : -1);
        char text[24];
        amount_format(text, want);
        expect(text, want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_exactly),
        cmocka_unit_test(has_bounds),
        cmocka_unit_test(refuses_what_is_finer_than_a_satoshi),
        cmocka_unit_test(refuses_what_is_no_number),
        cmocka_unit_test(writes_eight_decimals),
        cmocka_unit_test(agrees_with_a_slow_reader),
        cmocka_unit_test(round_trips),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
