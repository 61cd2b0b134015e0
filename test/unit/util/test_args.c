/* test_args.c - options: where values come from and which counts, in Bitcoin Core's order, and the messages about mistakes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/args.h"
#include "util/fs.h"
#include "util/mem.h"

static const struct arg_spec SPECS[] = {
    {"datadir", "<dir>", "Options:", 0, "Where the data is"},
    {"debug", "<category>", "Debugging:", ARG_DEBUG_ONLY, "What to log"},
    {"port", "<port>", "Options:", ARG_NETWORK_ONLY, "Where to listen"},
    {"bind", "<addr>", "Options:", ARG_NETWORK_ONLY, "What to bind"},
    {"server", NULL, "Options:", 0, "Whether to answer RPC"},
    {"rpcpassword", "<pw>", "Options:", ARG_SENSITIVE, "Secret"},
    {"par", "<n>", NULL, ARG_NO_NEGATION, NULL},
    {"loglevel", "<level>", NULL, ARG_NEEDS_VALUE, NULL},
    {"here", NULL, NULL, ARG_COMMAND_LINE_ONLY, NULL},
    {"conf", NULL, NULL, 0, NULL},
    {"includeconf", NULL, NULL, 0, NULL},
    {"reindex", NULL, NULL, 0, NULL},
    {"chain", NULL, NULL, 0, NULL},
    {"regtest", NULL, NULL, 0, NULL},
    {"testnet", NULL, NULL, 0, NULL},
    {"testnet4", NULL, NULL, 0, NULL},
    {"signet", NULL, NULL, 0, NULL},
};

static char dir[64];

static int setup(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/farthing-args-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    return fs_remove_tree(dir) == RC_OK ? 0 : -1;
}

/* Options out of a command line (blanks separate) and a config file (NULL for none). */
static struct args *make(const char *line, const char *config)
{
    struct args *a = args_new(SPECS, ARRAY_LEN(SPECS));
    char *copy = xstrdup(line), *argv[20] = {"prog"}, *error = NULL, *save = NULL;
    int argc = 1, rest;

    for (char *p = strtok_r(copy, " ", &save); p; p = strtok_r(NULL, " ", &save))
        argv[argc++] = p;
    if (!args_parse(a, argc, argv, &rest, &error))
        fail_msg("%s", error);
    assert_int_equal(rest, argc);
    if (config) {
        char *path = fs_join(dir, "x.conf");
        assert_int_equal(fs_write_atomic(path, config, strlen(config), 0600), RC_OK);
        if (!args_read_config(a, path, false, &error))
            fail_msg("%s", error);
        free(path);
    }
    free(copy);
    return a;
}

static void assert_str(const char *line, const char *config, const char *network, const char *name, const char *want)
{
    struct args *a = make(line, config);
    const char *got;

    if (network)
        args_select_network(a, network);
    got = args_str(a, name, "(none)");
    if (strcmp(got, want))
        fail_msg("[%s] [%s] %s: -%s is %s, not %s", line, config ? config : "", network ? network : "", name, got, want);
    args_free(a);
}

/* Each row: command line, file, network, option, value. */
static void test_precedence(void **state)
{
    static const char *const rows[][5] = {
        {"", NULL, NULL, "server", "(none)"},
        {"-server", NULL, NULL, "server", ""},
        {"--server=2", NULL, NULL, "server", "2"},
        {"-server=1 -server=3", NULL, NULL, "server", "3"},
        {"-noserver", NULL, NULL, "server", "0"},
        {"-noserver=0", NULL, NULL, "server", "1"},
        {"-server=5 -noserver", NULL, NULL, "server", "0"},
        {"-noserver -server=5", NULL, NULL, "server", "5"},
        {"", "server=1\nserver=2\n", "main", "server", "1"},
        {"-server=7", "server=1\n", "main", "server", "7"},
        {"", "server=1\n[regtest]\nserver=2\n", "regtest", "server", "2"},
        {"", "regtest.server=2\nserver=1\n", "regtest", "server", "2"},
        {"", "server=1\n[regtest]\nserver=2\n", "main", "server", "1"},
        {"", "server=1\n[regtest]\nserver=2\n", "test", "server", "1"},
        {"", "server=1\nnoserver=1\n", "main", "server", "0"},
        {"", "noserver=1\nserver=4\nserver=5\n", "main", "server", "4"},
        {"", "noserver=0\n", "main", "server", "1"},
        /* network-only options */
        {"", "port=1\n", "main", "port", "1"},
        {"", "port=1\n", "regtest", "port", "(none)"},
        {"", "port=1\n[regtest]\nport=2\n", "regtest", "port", "2"},
        {"-port=3", "port=1\n", "regtest", "port", "3"},
        {"", "noport=1\n", "regtest", "port", "0"},
        {"", "[main]\nport=9\n", "main", "port", "9"},
        {"", "port=1\n[main]\nport=9\n", "main", "port", "9"},
        /* blanks, comments, carriage returns, empty values, no newline at the end */
        {"", "  # c\r\n\tserver =  a b # c\r\n", "main", "server", "a b"},
        {"", "server=\n", "main", "server", ""},
        {"", "server=x=y", "main", "server", "x=y"},
        {"", "[regtest]\nserver=1\n[main]\nserver=2\n", "regtest", "server", "1"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_str(rows[i][0], rows[i][1], rows[i][2], rows[i][3], rows[i][4]);
}

static void test_types(void **state)
{
    struct args *a = make("-server -par=12x -port=99999999999999999999 -debug=abc -loglevel=-5 -nobind", NULL);

    (void)state;
    assert_true(args_bool(a, "server", false));
    assert_true(args_bool(a, "datadir", true));
    assert_false(args_bool(a, "datadir", false));
    assert_false(args_bool(a, "debug", true)); /* no number: false */
    assert_true(args_bool(a, "par", false));
    assert_int_equal(args_int(a, "par", 3), 12);
    assert_int_equal(args_int(a, "loglevel", 3), -5);
    assert_int_equal(args_int(a, "datadir", 3), 3);
    assert_int_equal(args_int(a, "debug", 3), 0);
    assert_true(args_int(a, "port", 0) == INT64_MAX);
    assert_true(args_is_set(a, "bind") && args_is_negated(a, "bind"));
    assert_true(args_is_set(a, "par") && !args_is_negated(a, "par"));
    assert_false(args_is_set(a, "datadir") || args_is_negated(a, "datadir"));
    assert_true(args_soft_set(a, "datadir", "/d") && !args_soft_set(a, "datadir", "/e") && !args_soft_set(a, "bind", "x"));
    assert_string_equal(args_str(a, "datadir", ""), "/d");
    args_force(a, "par", "4");
    args_force(a, "par", "5");
    assert_int_equal(args_int(a, "par", 0), 5);
    args_free(a);
}

static void assert_list(const char *line, const char *config, const char *network, const char *name, const char *want)
{
    struct args *a = make(line, config);
    const char *const *values, *const *again;
    char got[200] = "";
    size_t n;

    args_select_network(a, network);
    n = args_list(a, name, &values);
    for (size_t i = 0; i < n; i++)
        sprintf(got + strlen(got), "%s%s", i ? "," : "", values[i]);
    if (strcmp(got, want))
        fail_msg("[%s] [%s]: %s, not %s", line, config ? config : "", got, want);
    assert_int_equal(args_list(a, name, &again), n);
    assert_ptr_equal(values, again);
    args_free(a);
}

static void test_lists(void **state)
{
    (void)state;
    assert_list("", NULL, "main", "debug", "");
    assert_list("-debug=a -debug=b", "debug=c\nregtest.debug=d\n", "regtest", "debug", "a,b,d,c");
    assert_list("-debug=a -debug=b", "debug=c\n[regtest]\ndebug=d\n", "main", "debug", "a,b,c");
    assert_list("-debug=a -nodebug", "debug=c\n", "main", "debug", "");
    /* a value after the negation brings the file's back */
    assert_list("-debug=a -nodebug -debug=b", "debug=c\n", "main", "debug", "b,c");
    assert_list("", "debug=c\nnodebug=1\ndebug=d\ndebug=e\n", "main", "debug", "d,e");
    assert_list("", "regtest.nodebug=1\ndebug=d\n", "regtest", "debug", "");
    assert_list("", "bind=c\n", "regtest", "bind", "");
    assert_list("", "bind=c\n", "main", "bind", "c");
    assert_list("-nodebug=0 -debug", NULL, "main", "debug", "1,");
}

static void test_list_changes(void **state)
{
    struct args *a = make("-debug=a", NULL);
    const char *const *before, *const *after;

    (void)state;
    assert_int_equal(args_list(a, "debug", &before), 1);
    args_add_setting(a, "debug", "s");
    assert_int_equal(args_list(a, "debug", &after), 2);
    assert_string_equal(after[1], "s");
    assert_string_equal(before[0], "a"); /* still there */
    args_force(a, "debug", "f");
    assert_int_equal(args_list(a, "debug", &after), 1);
    assert_string_equal(after[0], "f");
    args_free(a);
}

static void test_settings(void **state)
{
    struct args *a = make("-par=1", "par=3\nserver=3\nport=3\n");

    (void)state;
    args_add_setting(a, "par", "2");
    args_add_setting(a, "server", "2");
    args_add_setting(a, "port", NULL);
    args_select_network(a, "main");
    assert_string_equal(args_str(a, "par", ""), "1");
    assert_string_equal(args_str(a, "server", ""), "2");
    assert_true(args_is_negated(a, "port"));
    args_free(a);
}

static void assert_parse_error(const char *arg, const char *want)
{
    struct args *a = args_new(SPECS, ARRAY_LEN(SPECS));
    char *argv[] = {"prog", "-server", (char *)arg, "-server"}, *error = NULL;
    int rest;

    assert_false(args_parse(a, 4, argv, &rest, &error));
    assert_string_equal(error, want);
    free(error);
    args_free(a);
}

static void test_command_line_errors(void **state)
{
    (void)state;
    assert_parse_error("-foo", "Invalid parameter -foo");
    assert_parse_error("--foo=1", "Invalid parameter --foo=1");
    assert_parse_error("-regtest.port=1", "Invalid parameter -regtest.port=1");
    assert_parse_error("--", "Invalid parameter --");
    assert_parse_error("-nopar", "Negating of -par is meaningless and therefore forbidden");
    assert_parse_error("-loglevel", "Can not set -loglevel with no value. Please specify value with -loglevel=value.");
    assert_parse_error("-includeconf=a\"b", "-includeconf cannot be used from commandline; -includeconf=\"a\\\"b\"");
    assert_parse_error("-noincludeconf=0", "-includeconf cannot be used from commandline; -includeconf=true");
}

static void test_rest(void **state)
{
    struct args *a = args_new(SPECS, ARRAY_LEN(SPECS));
    char *argv[] = {"prog", "-server", "getblock", "-unknown", "x"}, *dash[] = {"prog", "-", "-foo"}, *error;
    int rest;

    (void)state;
    assert_true(args_parse(a, 5, argv, &rest, &error));
    assert_int_equal(rest, 2);
    assert_true(args_parse(a, 3, dash, &rest, &error));
    assert_int_equal(rest, 1);
    args_free(a);
}

/* want: NULL if the file must be accepted; its warnings then. */
static void assert_config(const char *config, size_t len, const char *want_error, const char *want_warnings)
{
    struct args *a = args_new(SPECS, ARRAY_LEN(SPECS));
    char *path = fs_join(dir, "y.conf"), *error;

    assert_int_equal(fs_write_atomic(path, config, len, 0600), RC_OK);
    if (want_error) {
        assert_false(args_read_config(a, path, true, &error));
        assert_string_equal(error, want_error);
        free(error);
    } else {
        if (!args_read_config(a, path, false, &error))
            fail_msg("%s", error);
        assert_string_equal(args_warnings(a), want_warnings);
    }
    free(path);
    args_free(a);
}

#define CONFIG_ERROR(text, want) assert_config(text, sizeof(text) - 1, want, NULL)
#define CONFIG_WARNS(text, want) assert_config(text, sizeof(text) - 1, NULL, want)

static void test_config_errors(void **state)
{
    (void)state;
    CONFIG_ERROR("garbage\n", "parse error on line 1: garbage");
    CONFIG_ERROR("\n\nnolisten\n",
                 "parse error on line 3: nolisten, if you intended to specify a negated option, use nolisten=1 instead");
    CONFIG_ERROR("server=1\n-dash=1\n",
                 "parse error on line 2: -dash=1, options in configuration file must be specified without leading -");
    CONFIG_ERROR("rpcpassword=a#b\n", "parse error on line 1, using # in rpcpassword can be ambiguous and should be avoided");
    CONFIG_ERROR("main.rpcpassword=a#b\n", "parse error on line 1, using # in rpcpassword can be ambiguous and should be avoided");
    CONFIG_ERROR("conf=x\n",
                 "conf cannot be set in the configuration file; use includeconf= if you want to include additional config files");
    CONFIG_ERROR("here=1\n", "here cannot be set in the configuration file");
    CONFIG_ERROR("nopar=1\n", "Negating of -par is meaningless and therefore forbidden");
    CONFIG_ERROR("server=1\0\n", "parse error on line 1: zero byte");
    CONFIG_ERROR("regtest=1\ntestnet=1\n",
                 "Invalid combination of -regtest, -signet, -testnet, -testnet4 and -chain. Can use at most one.");
    CONFIG_WARNS("", "");
    CONFIG_WARNS("unknown=1\n[regtest]\nother=1\n",
                 "Ignoring unknown configuration value unknown\nIgnoring unknown configuration value regtest.other");
    CONFIG_WARNS("noserver=0\n", "Parsed potentially confusing double-negative -server=0");
}

static void test_config_file_errors(void **state)
{
    struct args *a = args_new(SPECS, ARRAY_LEN(SPECS));
    char *missing = fs_join(dir, "missing.conf"), *error, *want;

    (void)state;
    assert_true(args_read_config(a, missing, true, &error));
    assert_false(args_read_config(a, missing, false, &error));
    want = xasprintf("specified config file \"%s\" could not be opened.", missing);
    assert_string_equal(error, want);
    free(error);
    free(want);
    assert_false(args_read_config(a, dir, true, &error));
    want = xasprintf("Config file \"%s\" is a directory.", dir);
    assert_string_equal(error, want);
    free(error);
    free(want);
    free(missing);
    args_free(a);
}

static void test_sections(void **state)
{
    struct args *a = make("-bind=x", "port=1\nbind=2\n[nonet]\nserver=1\nfoo.server=2\n[regtest]\n");
    char *path = fs_join(dir, "x.conf"), *want, *errors;

    (void)state;
    want = xasprintf("%s:3 Section [nonet] is not recognized.\n%s:5 Section [nonet.foo] is not recognized.", path, path);
    assert_string_equal(args_section_warnings(a), want);
    assert_null(args_section_errors(a));
    args_select_network(a, "main");
    assert_null(args_section_errors(a));
    args_select_network(a, "regtest");
    errors = args_section_errors(a);
    assert_string_equal(errors, "Config setting for -port only applied on regtest network when in [regtest] section.\n");
    free(errors);
    free(want);
    free(path);
    args_free(a);
}

static void write_file(const char *name, const char *text)
{
    char *path = fs_join(dir, name);

    assert_int_equal(fs_write_atomic(path, text, strlen(text), 0600), RC_OK);
    free(path);
}

static void test_include(void **state)
{
    struct args *a;
    char *path = fs_join(dir, "z.conf"), *error, *argv[] = {"prog", "-noincludeconf"};
    int rest;

    (void)state;
    write_file("a.conf", "server=a\nport=a\n[regtest]\nport=ra\n");
    write_file("b.conf", "server=b\npar=b\n");
    write_file("z.conf", "includeconf=b.conf\nregtest=1\nregtest.includeconf=a.conf\nsignet.includeconf=missing\n");
    a = args_new(SPECS, ARRAY_LEN(SPECS));
    assert_true(args_read_config(a, path, false, &error));
    args_select_network(a, "regtest");
    assert_string_equal(args_str(a, "server", ""), "a"); /* the network's includes come first, and first wins */
    assert_string_equal(args_str(a, "par", ""), "b");
    assert_string_equal(args_str(a, "port", ""), "ra");
    args_free(a);

    a = args_new(SPECS, ARRAY_LEN(SPECS));
    assert_true(args_parse(a, 2, argv, &rest, &error) && args_read_config(a, path, false, &error));
    assert_false(args_is_set(a, "server"));
    args_free(a);

    write_file("z.conf", "includeconf=missing.conf\n");
    a = args_new(SPECS, ARRAY_LEN(SPECS));
    assert_false(args_read_config(a, path, false, &error));
    assert_string_equal(error, "Failed to include configuration file missing.conf");
    free(error);
    args_free(a);
    free(path);
}

static void assert_chain(const char *line, const char *config, const char *want)
{
    struct args *a = make(line, config);
    char *error;
    const char *got = args_chain(a, &error);

    assert_string_equal(got ? got : error, want);
    free(error);
    args_free(a);
}

static void test_chain(void **state)
{
    (void)state;
    assert_chain("", NULL, "main");
    assert_chain("-regtest", NULL, "regtest");
    assert_chain("-chain=test", NULL, "test");
    assert_chain("-testnet4", NULL, "testnet4");
    assert_chain("", "signet=1\n", "signet");
    assert_chain("-noregtest", "regtest=1\n", "regtest"); /* Core passes over this negation */
    assert_chain("-regtest=0", "regtest=1\n", "main");
    assert_chain("", "[regtest]\ntestnet=1\n", "main");
    assert_chain("-chain=foo", NULL, "Unknown chain foo.");
    assert_chain("-chain=main -regtest", NULL,
                 "Invalid combination of -regtest, -signet, -testnet, -testnet4 and -chain. Can use at most one.");
}

static void collect(void *ctx, const char *source, const char *name, const char *value)
{
    char *text = ctx;
    sprintf(text + strlen(text), "%s %s=%s\n", source, name, value);
}

static void test_each(void **state)
{
    struct args *a = make("-server -rpcpassword=secret -noport", "server=a\"b\n[regtest]\nport=1\n");
    char text[500] = "";

    (void)state;
    args_each(a, collect, text);
    assert_string_equal(text, "Config file arg: server=\"a\\\"b\"\n"
                              "Config file arg: [regtest] port=\"1\"\n"
                              "Command-line arg: server=\"\"\n"
                              "Command-line arg: rpcpassword=****\n"
                              "Command-line arg: port=false\n");
    args_free(a);
}

static void test_help(void **state)
{
    static const struct arg_spec specs[] = {
        {"a", "<n>", "One:", 0, "Short"},
        {"b", NULL, "Two:", ARG_DEBUG_ONLY, "Hidden"},
        {"c", NULL, "One:", 0, "A text so long that it has to be broken before the right edge of a screen of seventy-nine columns"},
        {"d", NULL, NULL, 0, NULL},
    };
    struct args *a = args_new(specs, ARRAY_LEN(specs));
    char *help = args_help(a, false), *debug = args_help(a, true);

    (void)state;
    assert_string_equal(help, "One:\n\n  -a=<n>\n       Short\n\n  -c\n"
                              "       A text so long that it has to be broken before the right edge of a\n"
                              "       screen of seventy-nine columns\n\n");
    assert_non_null(strstr(debug, "Two:\n\n  -b\n       Hidden\n\n"));
    free(help);
    free(debug);
    args_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_precedence),   cmocka_unit_test(test_types),         cmocka_unit_test(test_lists),
        cmocka_unit_test(test_list_changes), cmocka_unit_test(test_settings),      cmocka_unit_test(test_command_line_errors),
        cmocka_unit_test(test_rest),         cmocka_unit_test(test_config_errors), cmocka_unit_test(test_config_file_errors),
        cmocka_unit_test(test_sections),     cmocka_unit_test(test_include),       cmocka_unit_test(test_chain),
        cmocka_unit_test(test_each),         cmocka_unit_test(test_help),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
