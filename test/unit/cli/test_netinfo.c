/* test_netinfo.c - arguments of -netinfo, the result of -addrinfo, and replies that are not what they should be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "cli/netinfo.h"
#include "cli/reply.h"
#include "util/mem.h"

static void arguments(void **state)
{
    static const struct {
        const char *words[2];
        unsigned level;
        bool out_only;
        const char *error;
    } cases[] = {
        {{NULL}, 0, false, NULL},
        {{"0"}, 0, false, NULL},
        {{"4"}, 4, false, NULL},
        {{"5"}, 4, false, NULL},
        {{"255"}, 4, false, NULL},
        {{"1", "o"}, 1, true, NULL},
        {{"3", "outonly"}, 3, true, NULL},
        {{"256"}, 0, false, "invalid -netinfo level argument: 256\n"},
        {{"-1"}, 0, false, "invalid -netinfo level argument: -1\n"},
        {{"1x"}, 0, false, "invalid -netinfo level argument: 1x\n"},
        {{""}, 0, false, "invalid -netinfo level argument: \n"},
        {{"1", "out"}, 1, false, "invalid -netinfo outonly argument: out\nFor more"},
        {{"0", "o"}, 0, false, "invalid -netinfo outonly argument: o\nThe outonly argument is only valid"},
    };
    struct netinfo n;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t count = !cases[i].words[0] ? 0 : !cases[i].words[1] ? 1 : 2;
        char *error = NULL;
        assert_int_equal(netinfo_parse(&n, cases[i].words, count, &error), !cases[i].error);
        if (cases[i].error) {
            assert_memory_equal(error, cases[i].error, strlen(cases[i].error));
            free(error);
            continue;
        }
        assert_int_equal(n.level, cases[i].level);
        assert_int_equal(n.out_only, cases[i].out_only);
    }
}

static void known_addresses(void **state)
{
    struct json_object *in =
        json_tokener_parse("{\"ipv4\":{\"new\":2,\"tried\":1,\"total\":3},\"onion\":{\"new\":0,\"tried\":0,\"total\":0},"
                           "\"all_networks\":{\"new\":2,\"tried\":1,\"total\":3}}");
    struct json_object *out = addrinfo_result(in), *want;

    (void)state;
    want = json_tokener_parse("{\"addresses_known\":{\"ipv4\":3,\"onion\":0,\"total\":3}}");
    assert_true(json_object_equal(out, want));
    json_object_put(in);
    json_object_put(out);
    json_object_put(want);
}

/* A server may send anything: no crash, and an error's code as the exit code. */
static void odd_replies(void **state)
{
    static const struct {
        const char *replies;
        int code;
    } cases[] = {
        {"null", 1},
        {"[]", 1},
        {"{\"error\":{\"code\":-28,\"message\":\"x\"}}", 1},
        {"[{\"id\":0,\"result\":[]},{\"id\":2,\"result\":{\"version\":300000}}]", 1},
        {"[{\"id\":0,\"result\":[]},{\"id\":-1,\"result\":{\"version\":300000}}]", 1},
        {"[{\"id\":0,\"result\":[]},{\"id\":0,\"result\":{\"version\":300000}}]", 1},
        {"[{\"id\":0,\"result\":[]},{\"id\":1,\"result\":{\"version\":209899}}]", 1},
        {"[{\"id\":0,\"result\":[]},{\"id\":1,\"result\":{\"version\":209900}}]", 0},
        {"[{\"id\":0,\"error\":{\"code\":-31,\"message\":\"x\"}},{\"id\":1,\"result\":{}}]", 31},
        {"[{\"id\":1,\"result\":[]},{\"id\":0,\"result\":{}}]", 1},
        {"[{\"id\":1,\"result\":{\"version\":300000,\"networks\":[1,null,{\"name\":\"ipv4\",\"reachable\":true}],"
         "\"localaddresses\":[5]}},"
         "{\"id\":0,\"result\":[null,3,{\"network\":\"ipv4\",\"minping\":\"x\",\"servicesnames\":[1,null],\"addr\":[],\"id\":-"
         "9223372036854775808}]}]",
         0},
    };
    struct netinfo n = {.level = 4, .chain = "regtest", .client = "client", .now = 1700000000};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct json_object *replies = json_tokener_parse(cases[i].replies);
        assert_int_equal(netinfo_print(&n, replies), cases[i].code);
        json_object_put(replies);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments),
        cmocka_unit_test(known_addresses),
        cmocka_unit_test(odd_replies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
