/* JSON from clients: what comes out for what goes in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rpc/json_read.h"
#include "util/mem.h"

static void same(const char *text, const char *want)
{
    struct json_object *o;

    assert_true(json_read(&o, text, strlen(text)));
    assert_string_equal(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE), want);
    json_object_put(o);
}

static void test_values(void **state)
{
    (void)state;
    same(" null ", "null");
    same("true", "true");
    same(" [ false , 1 ] ", "[false,1]");
    same("[]", "[]");
    same("{ }", "{}");
    same("[[],[[]],{}]", "[[],[[]],{}]");
    same(" { \"a\" : 1 , \"b\" : [ 2 , { \"c\" : null } ] } ", "{\"a\":1,\"b\":[2,{\"c\":null}]}");
    same("[1,2,3,4,5,6,7,8,9]", "[1,2,3,4,5,6,7,8,9]"); /* more than a new array has room for */
    same("\"/a\\/\\\"\\\\\\b\\f\\n\\r\\t\"", "\"/a/\\\"\\\\\\b\\f\\n\\r\\t\"");
}

static void test_numbers(void **state)
{
    static const char *const texts[] = {"0",        "-0",  "5",    "-7",   "9223372036854775807", "-9223372036854775808",
                                        "1.50",     "1e3", "1E+3", "-0.0", "9223372036854775808", "123456789012345678901234567890",
                                        "1.0e-999", "1e9"};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        same(texts[i], texts[i]); /* as written */
}

static void string_is(const char *text, const char *want, size_t len)
{
    struct json_object *o;

    assert_true(json_read(&o, text, strlen(text)));
    assert_true(json_object_is_type(o, json_type_string));
    assert_int_equal(json_object_get_string_len(o), len);
    assert_memory_equal(json_object_get_string(o), want, len);
    json_object_put(o);
}

static void test_strings(void **state)
{
    (void)state;
    string_is("\"\"", "", 0);
    string_is("\"plain\"", "plain", 5);
    string_is("\"\\u0041\\u00e9\\u20AC\\ud83d\\ude00\"", "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 10);
    string_is("\"a\\u0000b\"", "a\0b", 3);
    string_is("\"\xc3\xa9\\\\\"", "\xc3\xa9\\", 3);
    string_is("\"\\\\\\\"\"", "\\\"", 2);
}

static void test_equal_names(void **state)
{
    static const char text[] = "{\"a\":1,\"b\":{\"c\":2},\"\\u0061\":3,\"b\":4,\"d\\u0000x\":5,\"d\":6}";
    struct json_object *o, *b;

    (void)state;
    assert_true(json_read(&o, text, strlen(text)));
    assert_string_equal(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN), "{\"a\":1,\"b\":{\"c\":2},\"d?x\":5,\"d\":6}");
    assert_string_equal(json_duplicate_key(o), "a");
    assert_true(json_object_object_get_ex(o, "b", &b));
    assert_null(json_duplicate_key(b));
    assert_null(json_duplicate_key(NULL));
    json_object_put(o);
}

static void test_refused(void **state)
{
    static const char *const texts[] = {"",    " ",  "{",  "[1",  "[1,]", "{\"a\"}",     "{\"a\":}", "{a:1}",  "\"", "\"\\x\"",
                                        "nul", "01", "1.", "NaN", "[1]x", "\"\\ud800\"", "\"\xff\"", "\"\n\"", "'a'"};
    struct json_object *o;
    const size_t n = 800000;
    char *many = xmalloc(3 * n + 2);

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        assert_false(json_read(&o, texts[i], strlen(texts[i])));
    /* Millions of objects are refused before they are made; in a string the same characters are nothing. */
    many[0] = '[';
    for (size_t i = 0; i < n; i++)
        memcpy(many + 1 + 3 * i, "{},", 3);
    many[3 * n] = ']';
    assert_false(json_read(&o, many, 3 * n + 1));
    many[0] = many[3 * n] = '"';
    assert_true(json_read(&o, many, 3 * n + 1));
    assert_int_equal(json_object_get_string_len(o), 3 * n - 1);
    json_object_put(o);
    free(many);
}

static void test_depth(void **state)
{
    char deep[2000];
    struct json_object *o;

    (void)state;
    memset(deep, '[', 1000);
    memset(deep + 1000, ']', 1000);
    assert_false(json_read(&o, deep, 2000));
    assert_true(json_read(&o, deep + 500, 1000));
    json_object_put(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_values),  cmocka_unit_test(test_numbers),
                                       cmocka_unit_test(test_strings), cmocka_unit_test(test_equal_names),
                                       cmocka_unit_test(test_refused), cmocka_unit_test(test_depth)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
