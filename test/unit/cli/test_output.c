/* test_output.c - what the client prints for a result, an error and -getinfo, and the exit codes: scripts depend on each byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/getinfo.h"
#include "cli/output.h"
#include "util/mem.h"

/* A stream and what it was before. */
struct capture {
    FILE *stream;
    FILE *file;
    int saved;
};

static struct capture capture_start(FILE *stream)
{
    struct capture c = {stream, tmpfile(), -1};

    assert_non_null(c.file);
    fflush(stream);
    c.saved = dup(fileno(stream));
    assert_true(c.saved >= 0 && dup2(fileno(c.file), fileno(stream)) >= 0);
    return c;
}

/* Out: *len bytes. Returns: what was written, to free. */
static char *capture_end(struct capture *c, size_t *len)
{
    char *text = xcalloc(1, 65536);

    fflush(c->stream);
    assert_true(dup2(c->saved, fileno(c->stream)) >= 0);
    close(c->saved);
    rewind(c->file);
    *len = fread(text, 1, 65535, c->file);
    fclose(c->file);
    return text;
}

static void expect_result(const char *json, const char *want, size_t want_len)
{
    struct json_object *o = json_tokener_parse(json);
    struct capture c = capture_start(stdout);
    char *text;
    size_t len;

    output_result(o);
    text = capture_end(&c, &len);
    if (len != want_len || memcmp(text, want, len) != 0)
        fail_msg("%s printed as %s", json, text);
    free(text);
    json_object_put(o);
}

static void results(void **state)
{
    static const struct {
        const char *json, *want;
    } cases[] = {
        {"null", ""},
        {"\"\"", ""},
        {"\"a\\nb\"", "a\nb\n"},
        {"\"\\u00e9\"", "\xc3\xa9\n"},
        {"1", "1\n"},
        {"0.10000000", "0.10000000\n"},
        {"123.45678901234567890", "123.45678901234567890\n"},
        {"1E5", "1E5\n"},
        {"18446744073709551615", "18446744073709551615\n"},
        {"true", "true\n"},
        {"{}", "{\n}\n"},
        {"[]", "[\n]\n"},
        {"{\"a\":{},\"b\":[]}", "{\n  \"a\": {\n  },\n  \"b\": [\n  ]\n}\n"},
        {"{\"a\":[1,[2,{\"c\":null}]],\"d\":true}",
         "{\n  \"a\": [\n    1,\n    [\n      2,\n      {\n        \"c\": null\n      }\n    ]\n  ],\n  \"d\": true\n}\n"},
        {"[\"\\u00e9\\u0001\\u007f/\\\\\\\"\\b\\f\\n\\r\\t\"]", "[\n  \"\xc3\xa9\\u0001\\u007f/\\\\\\\"\\b\\f\\n\\r\\t\"\n]\n"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        expect_result(cases[i].json, cases[i].want, strlen(cases[i].want));
    expect_result("\"a\\u0000b\"", "a\0b\n", 4);
}

static void errors(void **state)
{
    static const struct {
        const char *json, *want;
        int code;
    } cases[] = {
        {"{\"code\":-8,\"message\":\"bad\"}", "error code: -8\nerror message:\nbad\n", 8},
        {"{\"code\":-28,\"message\":\"Loading\"}", "error code: -28\nerror message:\nLoading\n", 28},
        {"{\"code\":-32601,\"message\":\"Method not found\"}", "error code: -32601\nerror message:\nMethod not found\n", 32601},
        {"{\"code\":5,\"message\":\"\"}", "error code: 5\nerror message:\n\n", 5},
        {"{\"code\":-1}", "error code: -1\n\n", 1},
        {"\"text\"", "error: \"text\"\n", 1},
        {"{\"code\":\"x\"}", "error: { \"code\": \"x\" }\n", 1},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct json_object *o = json_tokener_parse(cases[i].json);
        struct capture c = capture_start(stderr);
        const int code = output_error(o);
        size_t len;
        char *text = capture_end(&c, &len);
        assert_string_equal(text, cases[i].want);
        assert_int_equal(code, cases[i].code);
        free(text);
        json_object_put(o);
    }
}

/* Replies come in any order and may lack the wallet's part. */
static void getinfo(void **state)
{
    struct json_object *request = getinfo_request();
    struct json_object *replies = json_tokener_parse(
        "[{\"id\":2,\"result\":null,\"error\":{\"code\":-32601,\"message\":\"Method not found\"}},"
        "{\"id\":1,\"result\":{\"chain\":\"regtest\",\"blocks\":101,\"headers\":102,\"verificationprogress\":0.5,\"difficulty\":1},"
        "\"error\":null},"
        "{\"id\":3,\"result\":null,\"error\":{\"code\":-32601,\"message\":\"Method not found\"}},"
        "{\"id\":0,\"result\":{\"version\":319900,\"timeoffset\":0,\"connections\":3,\"connections_in\":1,\"connections_out\":2,"
        "\"networks\":[{\"name\":\"ipv4\",\"proxy\":\"p:1\"},{\"name\":\"onion\",\"proxy\":\"q:2\"},"
        "{\"name\":\"cjdns\",\"proxy\":\"\"},{\"name\":\"ipv6\",\"proxy\":\"p:1\"}],\"relayfee\":0.00000100,\"warnings\":[]},"
        "\"error\":null}]");
    struct capture c;
    size_t len;
    char *text;
    int code;

    (void)state;
    assert_int_equal(json_object_array_length(request), 4);
    assert_non_null(replies);
    c = capture_start(stdout);
    code = getinfo_print(replies, NULL, false);
    text = capture_end(&c, &len);
    assert_int_equal(code, 0);
    assert_non_null(strstr(text, "Chain: regtest\n"));
    assert_non_null(strstr(text, "Blocks: 101\n"));
    assert_non_null(strstr(text, "Headers: 102\n"));
    assert_non_null(strstr(text, "Verification progress: "));
    assert_non_null(strstr(text, "50.0000%"));
    assert_non_null(strstr(text, "Network: in 1, out 2, total 3\n"));
    assert_non_null(strstr(text, "Version: 319900\n"));
    assert_non_null(strstr(text, "Proxies: p:1 (ipv4, ipv6), q:2 (onion)\n"));
    assert_null(strchr(text, '\x1b'));
    free(text);
    json_object_put(request);
    json_object_put(replies);
}

static void getinfo_wallets(void **state)
{
    struct json_object *replies = json_tokener_parse(
                           "[{\"id\":0,\"result\":{\"version\":1}},{\"id\":1,\"result\":{\"chain\":\"main\"}},"
                           "{\"id\":2,\"result\":{\"walletname\":\"\",\"keypoolsize\":1000,\"unlocked_until\":0}},"
                           "{\"id\":3,\"result\":{\"mine\":{\"trusted\":1.50000000}}}]"),
                       *balances = json_tokener_parse("{\"\":1.50000000,\"cold\":12345678.00000000}");
    struct capture c;
    size_t len;
    char *text;

    (void)state;
    c = capture_start(stdout);
    assert_int_equal(getinfo_print(replies, balances, false), 0);
    text = capture_end(&c, &len);
    assert_non_null(strstr(text, "Wallet: \"\"\nKeypool size: 1000\nUnlocked until: 0\nBalance: 1.50000000\n\n"));
    assert_non_null(strstr(text, "Balances\n       1.50000000 \"\"\n12345678.00000000 cold\n\n"));
    free(text);
    json_object_put(replies);
    json_object_put(balances);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(results), cmocka_unit_test(errors), cmocka_unit_test(getinfo),
                                       cmocka_unit_test(getinfo_wallets)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
