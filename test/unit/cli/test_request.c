/* test_request.c - how words of the command line become JSON-RPC parameters. The expected texts are what Bitcoin Core's client sends for
 * the same words, blanks inside JSON aside, which ours leaves as they were typed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "cli/convert.h"
#include "cli/request.h"
#include "util/mem.h"

#define MAX_WORDS 8

/* params: what is sent; NULL where the client stops with "Error parsing JSON: " and that word. */
struct expected {
    const char *words[MAX_WORDS]; /* method first */
    const char *params;
    const char *bad;
};

static void run(const struct expected *e, bool by_name)
{
    size_t n = 0;
    char *error = NULL;
    struct json_object *params;

    while (n < MAX_WORDS && e->words[n])
        n++;
    params = request_params(e->words[0], e->words + 1, n - 1, by_name, &error);
    if (e->bad) {
        char *want = xasprintf("Error parsing JSON: %s", e->bad);
        assert_null(params);
        assert_non_null(error);
        assert_string_equal(error, want);
        free(want);
        free(error);
        return;
    }
    assert_null(error);
    assert_non_null(params);
    assert_string_equal(json_object_to_json_string_ext(params, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE), e->params);
    json_object_put(params);
}

static void run_all(const struct expected *e, size_t n, bool by_name)
{
    for (size_t i = 0; i < n; i++)
        run(&e[i], by_name);
}

static void positional_words(void **state)
{
    static const struct expected cases[] = {
        {{"help"}, "[]", NULL},
        {{"help", "getblock"}, "[\"getblock\"]", NULL},
        {{"getblockhash", "5"}, "[5]", NULL},
        {{"getblockhash", "abc"}, NULL, "abc"},
        {{"getblock", "12", "1"}, "[\"12\",1]", NULL},
        {{"getblock", "12", "true"}, "[\"12\",true]", NULL},
        {{"echo", "1", "true", "\"x\""}, "[\"1\",\"true\",\"\\\"x\\\"\"]", NULL},
        {{"unknown", "1"}, "[\"1\"]", NULL},
        {{"stop"}, "[]", NULL},
        {{"setmocktime", ""}, NULL, ""},
        {{"createwallet", "w", "true", "", "p w"}, "[\"w\",true,null,\"p w\"]", ""},
        {{"createwallet", "w", "true", "false", "p w"}, "[\"w\",true,false,\"p w\"]", NULL},
        {{"createrawtransaction", "[]", "{\"bcrt1\":0.10}"}, "[[],{\"bcrt1\":0.10}]", NULL},
        {{"createrawtransaction", "x"}, NULL, "x"},
        {{"getblockstats", "12", "[\"height\"]"}, "[12,[\"height\"]]", NULL},
        {{"getblockstats", "00ff"}, "[\"00ff\"]", NULL},
        {{"getblockstats", "0e5"}, "[0e5]", NULL},
        {{"gettxoutsetinfo", "none", "700", "true"}, "[\"none\",700,true]", NULL},
        {{"gettxoutsetinfo", "none", "00ab"}, "[\"none\",\"00ab\"]", NULL},
        {{"gettxoutsetinfo", "none", ""}, "[\"none\",\"\"]", NULL},
        {{"decodescript", "\xc3\xa9\n"}, "[\"\xc3\xa9\\n\"]", NULL},
    };
    (void)state;
    run_all(cases, ARRAY_LEN(cases), false);
}

/* JSON goes to the node as it was typed: no number is rounded, no name that stands twice is lost. */
static void json_as_typed(void **state)
{
    static const char *const kept[] = {"-0",
                                       "1.10",
                                       "1E+5",
                                       "1e400",
                                       "12345678901234567890123",
                                       "-9223372036854775809",
                                       "18446744073709551616",
                                       "0.1234567890123456789",
                                       "{\"a\":1,\"a\":2}",
                                       "{\"a\" : [ ] }",
                                       " 7 ",
                                       "null",
                                       "\"\\u00e9\\/\""};
    static const char *const refused[] = {"01",          "+1",       "1.",       ".5",          "nan",     "NaN",  "-Infinity",
                                          "True",        "'a'",      "",         " ",           "7 x",     "[1,]", "{a:1}",
                                          "\"\\ud83d\"", "\"a\tb\"", "[1] // c", "\"a\" \"b\"", "\xc3\xa9"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
        char *params = xasprintf("[%s]", kept[i]);
        run(&(struct expected){{"echojson", kept[i]}, params, NULL}, false);
        free(params);
    }
    for (size_t i = 0; i < ARRAY_LEN(refused); i++)
        run(&(struct expected){{"echojson", refused[i]}, NULL, refused[i]}, false);
}

static void named_words(void **state)
{
    static const struct expected cases[] = {
        {{"help"}, "{}", NULL},
        {{"getblock", "blockhash=12", "verbosity=2"}, "{\"blockhash\":\"12\",\"verbosity\":2}", NULL},
        {{"getblock", "12", "verbosity=2"}, "{\"verbosity\":2,\"args\":[\"12\"]}", NULL},
        {{"getblock", "12", "2"}, "{\"args\":[\"12\",2]}", NULL},
        {{"getblock", "verbosity=2", "12"}, "{\"verbosity\":2,\"args\":[\"12\"]}", NULL},
        {{"getblock", "12", "verbosity=x"}, NULL, "x"},
        {{"getblock", "verbosity="}, NULL, ""},
        {{"getblockhash", "h=1"}, "{\"h\":\"1\"}", NULL},
        {{"unknown", "1", "b=2"}, "{\"b\":\"2\",\"args\":[\"1\"]}", NULL},
        {{"echo", "=x"}, "{\"\":\"x\"}", NULL},
        {{"echo", "a="}, "{\"a\":\"\"}", NULL},
        {{"echo", "a=1", "a=2"}, "{\"a\":\"2\"}", NULL},
        {{"echojson", "arg0=1", "arg0=2"}, "{\"arg0\":2}", NULL},
        {{"getblockstats", "hash_or_height=1"}, "{\"hash_or_height\":1}", NULL},
        {{"getblockstats", "hash_or_height=a=b"}, "{\"hash_or_height\":\"a=b\"}", NULL},
        {{"logging", "include=[\"net\"]", "exclude=[]"}, "{\"include\":[\"net\"],\"exclude\":[]}", NULL},
        {{"listunspent", "0", "9", "minimumAmount=0.1"}, "{\"minimumAmount\":0.1,\"args\":[0,9]}", NULL},
        {{"dumptxoutset", "x", "rollback", "rollback=ab"}, "{\"rollback\":\"ab\",\"args\":[\"x\",\"rollback\"]}", NULL},
        {{"dumptxoutset", "x", "rollback", "rollback=12"}, "{\"rollback\":12,\"args\":[\"x\",\"rollback\"]}", NULL},
    };
    (void)state;
    run_all(cases, ARRAY_LEN(cases), true);
}

/* A word with '=' in it is positional where the next position wants it so and no argument has that name. */
static void equals_sign_in_values(void **state)
{
    static const struct expected cases[] = {
        {{"createwallet", "my=wallet"}, "{\"args\":[\"my=wallet\"]}", NULL},
        {{"createwallet", "wallet_name=my=wallet"}, "{\"wallet_name\":\"my=wallet\"}", NULL},
        {{"createwallet", "a", "b=c"}, "{\"b\":\"c\",\"args\":[\"a\"]}", NULL},
        {{"createwallet", "a", "true", "true", "b=c"}, "{\"args\":[\"a\",true,true,\"b=c\"]}", NULL},
        {{"createwallet", "a", "blank=true"}, "{\"blank\":true,\"args\":[\"a\"]}", NULL},
        {{"echojson", "[\"a=b\"]"}, "{\"args\":[[\"a=b\"]]}", NULL},
        {{"echojson", "[a=b"}, "{\"[a\":\"b\"}", NULL},
        {{"send", "{\"a=b\":1}", "options={\"x\":\"=\"}"}, "{\"options\":{\"x\":\"=\"},\"args\":[{\"a=b\":1}]}", NULL},
        {{"getblockhash", "\"h=1\""}, "{\"args\":[\"h=1\"]}", NULL},
        {{"getblockstats", "a=b"}, "{\"a\":\"b\"}", NULL},
        {{"dumptxoutset", "p=x", "rollback=12"}, "{\"rollback\":12,\"args\":[\"p=x\"]}", NULL},
    };
    (void)state;
    run_all(cases, ARRAY_LEN(cases), true);
}

/* An "args" that was given stands beside the collected one: the node is asked to decide, as by Core's client. */
static void args_given_twice(void **state)
{
    static const struct expected cases[] = {
        {{"echo", "args=[\"q\"]", "y"}, "{\"args\":\"[\\\"q\\\"]\",\"args\":[\"y\"]}", NULL},
        {{"echo", "x", "a=1", "y"}, "{\"a\":\"1\",\"args\":[\"x\",\"y\"]}", NULL},
    };
    (void)state;
    run_all(cases, ARRAY_LEN(cases), true);
}

static void formats(void **state)
{
    bool listed;

    (void)state;
    assert_int_equal(param_format_at("getblock", 0), PARAM_STRING);
    assert_int_equal(param_format_at("getblock", 1), PARAM_JSON);
    assert_int_equal(param_format_at("getblock", 2), PARAM_STRING);
    assert_int_equal(param_format_at("getblockstats", 0), PARAM_JSON_OR_STRING);
    assert_int_equal(param_format_at("nothing", 0), PARAM_STRING);
    assert_int_equal(param_format_at("echojson", 9), PARAM_JSON);
    assert_int_equal(param_format_of("getblock", "verbose", 7, &listed), PARAM_JSON);
    assert_true(listed);
    assert_int_equal(param_format_of("getblock", "verbos", 6, &listed), PARAM_STRING);
    assert_false(listed);
    assert_int_equal(param_format_of("getblock", "verbosity=1", 9, &listed), PARAM_JSON);
    assert_true(listed);
    assert_true(param_string_at("createwallet", 0));
    assert_false(param_string_at("createwallet", 1));
    assert_false(param_string_at("getblock", 0));
}

static void envelope(void **state)
{
    struct json_object *r = request_new("getblock", json_object_new_array(), json_object_new_string("1"));

    (void)state;
    assert_string_equal(json_object_to_json_string_ext(r, JSON_C_TO_STRING_PLAIN),
                        "{\"jsonrpc\":\"2.0\",\"method\":\"getblock\",\"params\":[],\"id\":\"1\"}");
    json_object_put(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(positional_words), cmocka_unit_test(json_as_typed),
        cmocka_unit_test(named_words),      cmocka_unit_test(equals_sign_in_values),
        cmocka_unit_test(args_given_twice), cmocka_unit_test(formats),
        cmocka_unit_test(envelope),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
