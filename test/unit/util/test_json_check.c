/* test_json_check.c - what is JSON and what only looks like it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "util/json_check.h"
#include "util/mem.h"

static void check_all(const char *const *texts, size_t n, bool want)
{
    for (size_t i = 0; i < n; i++)
        if (json_check(texts[i], strlen(texts[i])) != want)
            fail_msg("%s: %s", want ? "refused" : "accepted", texts[i]);
}

static void takes_json(void **state)
{
    static const char *const texts[] = {
        "null",
        "true",
        "false",
        "0",
        "-0",
        "-0.0",
        "1",
        "-1",
        "10",
        "1.10",
        "1e5",
        "1E+5",
        "1e-05",
        "0e1",
        "1.5e400",
        " 7\t\r\n",
        "12345678901234567890123",
        "\"\"",
        "\"a\"",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
        "\"\\u00e9\\u0000\\uFFFF\\ud7ff\\ue000\"",
        "\"\\ud83d\\ude00\"",
        "\"\x7f\"",
        "\"\xc2\x80\xdf\xbf\"",
        "\"\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\"",
        "\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"",
        "[]",
        "[ ]",
        "[1,[2,[]],{}]",
        "{}",
        "{ }",
        "{\"a\":1,\"a\":{\"\" : [ true , null ]}}",
    };
    (void)state;
    check_all(texts, ARRAY_LEN(texts), true);
}

static void refuses_numbers(void **state)
{
    static const char *const texts[] = {"",    "-",   "+1",  "01",  "-01", "00",  "1.",       ".5",        "1.e5", "1e", "1e+",
                                        "0x1", "1_0", "1 2", "--1", "NaN", "nan", "Infinity", "-Infinity", "1f",   "1,"};
    (void)state;
    check_all(texts, ARRAY_LEN(texts), false);
}

static void refuses_words_and_brackets(void **state)
{
    static const char *const texts[] = {
        " ",
        "tru",
        "True",
        "NULL",
        "nulll",
        "truefalse",
        "[",
        "]",
        "[1",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1}",
        "{",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1",
        "{\"a\":1,}",
        "{a:1}",
        "{1:1}",
        "{\"a\" 1}",
        "{\"a\":1]",
        "{\"a\":1}}",
        "[]x",
        "/**/1",
        "1//",
        "'a'",
        "\xef\xbb\xbf"
        "1",
    };
    (void)state;
    check_all(texts, ARRAY_LEN(texts), false);
    assert_false(json_check("1\0", 2));
    assert_false(json_check("\"a\0b\"", 5));
    assert_true(json_check("nullX", 4));
    assert_false(json_check("null", 3));
}

static void refuses_strings(void **state)
{
    static const char *const texts[] = {
        "\"",
        "\"a",
        "\"\\\"",
        "\"\\x41\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\\u123",
        "\"a\tb\"",
        "\"a\nb\"",
        "\"\x1f\"",
        "\"\\ud83d\"",
        "\"\\ud83dx\"",
        "\"\\ud83d\\n\"",
        "\"\\ud83d\\ud83d\"",
        "\"\\ude00\"",
        "\"\\ud83d\\u0041\"",
        "\"\x80\"",
        "\"\xc0\x80\"",
        "\"\xc1\xbf\"",
        "\"\xc3\"",
        "\"\xc3(\"",
        "\"\xe0\x9f\xbf\"",
        "\"\xed\xa0\x80\"",
        "\"\xe2\x82\"",
        "\"\xf0\x8f\xbf\xbf\"",
        "\"\xf4\x90\x80\x80\"",
        "\"\xf5\x80\x80\x80\"",
        "\"\xff\"",
        "\"\xe2\x82",
    };
    (void)state;
    check_all(texts, ARRAY_LEN(texts), false);
}

static void depth_has_a_bound(void **state)
{
    char text[4 * JSON_CHECK_DEPTH];

    (void)state;
    for (size_t depth = JSON_CHECK_DEPTH - 1; depth <= JSON_CHECK_DEPTH + 1; depth++) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        assert_int_equal(json_check(text, 2 * depth), depth <= JSON_CHECK_DEPTH);
        assert_false(json_check(text, 2 * depth - 1));
    }
}

/* No prefix of a value is one, numbers aside; each is read without a byte past its end. */
static void cut_short(void **state)
{
    static const char text[] = "{\"k\\u00e9\":[1.5e-3,true,false,null,\"\xf0\x9f\x98\x80\\ud83d\\ude00\",{\"a\":{}}]}";

    (void)state;
    assert_true(json_check(text, sizeof(text) - 1));
    for (size_t len = 0; len < sizeof(text) - 1; len++) {
        char *exact = malloc(len + !len);
        memcpy(exact, text, len);
        assert_false(json_check(exact, len));
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_json),      cmocka_unit_test(refuses_numbers),   cmocka_unit_test(refuses_words_and_brackets),
        cmocka_unit_test(refuses_strings), cmocka_unit_test(depth_has_a_bound), cmocka_unit_test(cut_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
