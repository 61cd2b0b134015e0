/* test_confdir.c - where the data are, which config file counts, which network is meant, and what is said when that fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/confdir.h"
#include "util/fs.h"
#include "util/mem.h"

static const struct arg_spec SPECS[] = {
    {"datadir", "<dir>", NULL, ARG_NO_NEGATION, NULL},
    {"conf", NULL, NULL, 0, NULL},
    {"includeconf", NULL, NULL, 0, NULL},
    {"allowignoredconf", NULL, NULL, 0, NULL},
    {"chain", NULL, NULL, 0, NULL},
    {"regtest", NULL, NULL, 0, NULL},
    {"testnet", NULL, NULL, 0, NULL},
    {"testnet4", NULL, NULL, 0, NULL},
    {"signet", NULL, NULL, 0, NULL},
    {"port", NULL, NULL, ARG_NETWORK_ONLY, NULL},
    {"server", NULL, NULL, 0, NULL},
};

/* What a test stands on: home with the folders "a" and "b", made the working directory. */
struct place {
    char home[64];
    char *old;
    struct confdir d;
    struct args *args;
    char *error;
};

static int setup(void **state)
{
    struct place *p = xcalloc(1, sizeof(*p));

    strcpy(p->home, "/tmp/farthing-confdir-XXXXXX");
    p->old = getcwd(NULL, 0);
    if (!mkdtemp(p->home) || setenv("HOME", p->home, 1) != 0 || chdir(p->home) != 0)
        return -1;
    *state = p;
    return fs_mkdirs("a") == RC_OK && fs_mkdirs("b") == RC_OK ? 0 : -1;
}

static void reset(struct place *p)
{
    confdir_clear(&p->d);
    args_free(p->args);
    free(p->error);
    p->args = NULL;
    p->error = NULL;
}

static int teardown(void **state)
{
    struct place *p = *state;
    bool ok = chdir(p->old) == 0 && fs_remove_tree(p->home) == RC_OK;

    reset(p);
    free(p->old);
    free(p);
    return ok ? 0 : -1;
}

static void put(const char *path, const char *text)
{
    assert_int_equal(fs_write_atomic(path, text, strlen(text), 0600), RC_OK);
}

/* line: options, parted by single blanks. */
static bool read_line(struct place *p, const char *line)
{
    char *copy = xstrdup(line), *argv[10] = {"prog"}, *save = NULL;
    int argc = 1, rest;
    bool ok;

    reset(p);
    p->args = args_new(SPECS, ARRAY_LEN(SPECS));
    for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save))
        argv[argc++] = word;
    assert_true(args_parse(p->args, argc, argv, &rest, &p->error));
    ok = confdir_read(&p->d, p->args, &p->error);
    assert_int_equal(ok, p->error == NULL);
    free(copy);
    return ok;
}

static void expect_ok(struct place *p, const char *line)
{
    if (!read_line(p, line))
        fail_msg("%s: %s", line, p->error);
}

static void expect_error(struct place *p, const char *line, const char *want)
{
    if (read_line(p, line))
        fail_msg("%s: no error", line);
    assert_string_equal(p->error, want);
}

/* want: below home. */
static void expect_path(const struct place *p, const char *path, const char *want)
{
    char *full = fs_join(p->home, want);
    assert_non_null(path);
    assert_string_equal(path, full);
    free(full);
}

static void default_datadir(void **state)
{
    struct place *p = *state;

    expect_ok(p, "");
    expect_path(p, p->d.datadir, ".farthing");
    expect_path(p, p->d.net_dir, ".farthing");
    expect_path(p, p->d.conf_path, ".farthing/farthing.conf");
    assert_false(p->d.core_names);
    assert_string_equal(p->d.network->name, "main");
    assert_false(fs_exists(".farthing")); /* looking makes nothing */
    expect_ok(p, "-datadir= -regtest");
    expect_path(p, p->d.net_dir, ".farthing/regtest");
    assert_int_equal(unsetenv("HOME"), 0);
    expect_ok(p, "");
    assert_string_equal(p->d.datadir, "/.farthing");
}

static void named_datadir(void **state)
{
    struct place *p = *state;
    char *line = xasprintf("-datadir=%s/b", p->home);

    expect_ok(p, "-datadir=a");
    expect_path(p, p->d.datadir, "a");
    expect_ok(p, line);
    expect_path(p, p->d.datadir, "b");
    free(line);
    put("file", "");
    expect_error(p, "-datadir=nowhere", "Specified data directory \"nowhere\" does not exist.");
    expect_error(p, "-datadir=file", "Specified data directory \"file\" does not exist.");
}

static void which_file_counts(void **state)
{
    struct place *p = *state;
    char *unread;

    put("a/bitcoin.conf", "server=core\n");
    expect_ok(p, "-datadir=a");
    expect_path(p, p->d.conf_path, "a/bitcoin.conf");
    assert_true(p->d.core_names);
    assert_string_equal(args_str(p->args, "server", ""), "core");

    put("a/farthing.conf", "server=own\n");
    expect_ok(p, "-datadir=a");
    expect_path(p, p->d.conf_path, "a/farthing.conf");
    assert_false(p->d.core_names);
    assert_string_equal(args_str(p->args, "server", ""), "own");
    assert_true(confdir_check_ignored(&p->d, p->args, &p->error));

    assert_null(confdir_unread_file(&p->d));

    expect_ok(p, "-datadir=b -noconf");
    assert_null(confdir_unread_file(&p->d));
    expect_ok(p, "-datadir=a -noconf");
    assert_null(p->d.conf_path);
    unread = confdir_unread_file(&p->d);
    assert_string_equal(unread, "farthing.conf");
    free(unread);
    assert_false(args_is_set(p->args, "server"));
    assert_true(confdir_check_ignored(&p->d, p->args, &p->error));
}

static void named_file(void **state)
{
    struct place *p = *state;
    char *want;

    put("b/x.conf", "server=x\n");
    expect_ok(p, "-datadir=b -conf=x.conf");
    expect_path(p, p->d.conf_path, "b/x.conf");
    assert_string_equal(args_str(p->args, "server", ""), "x");

    want = xasprintf("Error reading configuration file: specified config file \"%s/a/x.conf\" could not be opened.", p->home);
    expect_error(p, "-datadir=a -conf=x.conf", want);
    free(want);
    want = xasprintf("Error reading configuration file: Config file \"%s/a/../b\" is a directory.", p->home);
    expect_error(p, "-datadir=a -conf=../b", want);
    free(want);
    put("b/bad.conf", "server\n");
    expect_error(p, "-datadir=b -conf=bad.conf", "Error reading configuration file: parse error on line 1: server");
    put("b/bad.conf", "conf=y\n");
    expect_error(p, "-datadir=b -conf=bad.conf",
                 "Error reading configuration file: conf cannot be set in the configuration file; use includeconf= if you want to "
                 "include additional config files");
}

static void file_moves_the_datadir(void **state)
{
    struct place *p = *state;
    char *text = xasprintf("datadir=%s/b\nserver=a\n", p->home);

    put("a/bitcoin.conf", text);
    expect_ok(p, "-datadir=b");
    expect_path(p, p->d.datadir, "b");
    put("x.conf", text);
    free(text);
    text = xasprintf("-conf=%s/x.conf -regtest", p->home);
    expect_ok(p, text); /* the command line names no datadir, so the file's counts */
    expect_path(p, p->d.datadir, "b");
    expect_path(p, p->d.net_dir, "b/regtest");
    expect_path(p, p->d.first_datadir, ".farthing");
    assert_string_equal(args_str(p->args, "server", ""), "a");
    assert_true(confdir_check_ignored(&p->d, p->args, &p->error));
    free(text);
    put("x.conf", "datadir=/nowhere\n");
    text = xasprintf("-conf=%s/x.conf", p->home);
    expect_error(p, text, "Error reading configuration file: specified data directory \"/nowhere\" does not exist.");
    free(text);
}

static void ignored_file(void **state)
{
    struct place *p = *state;
    char *text = xasprintf("datadir=%s/b\n", p->home);

    assert_int_equal(fs_mkdirs(".farthing"), RC_OK);
    put(".farthing/farthing.conf", text);
    put("b/bitcoin.conf", "server=b\n");
    free(text);
    expect_ok(p, ""); /* nothing that the client minds */
    assert_false(args_is_set(p->args, "server"));
    assert_false(confdir_check_ignored(&p->d, p->args, &p->error));
    text = xasprintf(
        "Data directory \"%s/b\" contains a \"bitcoin.conf\" file which is ignored, because a different configuration file "
        "\"%s/.farthing/farthing.conf\" from data directory \"%s/.farthing\" is being used instead.",
        p->home, p->home, p->home);
    assert_memory_equal(p->error, text, strlen(text));
    free(text);
    expect_ok(p, "-allowignoredconf");
    assert_true(confdir_check_ignored(&p->d, p->args, &p->error));

    put("b/x.conf", "");
    expect_ok(p, "-datadir=b -conf=x.conf");
    assert_false(confdir_check_ignored(&p->d, p->args, &p->error));
    assert_non_null(strstr(p->error, "/b/x.conf\" from command line argument \"-conf=x.conf\" is being"));
    expect_ok(p, "-datadir=b -conf=../b/bitcoin.conf"); /* the same file by another name */
    assert_true(confdir_check_ignored(&p->d, p->args, &p->error));
}

/* Relative to the datadir wherever the file stands. */
static void includes(void **state)
{
    struct place *p = *state;
    char *line = xasprintf("-datadir=b -conf=%s/a/x.conf", p->home);

    put("a/x.conf", "includeconf=y.conf\n");
    put("a/y.conf", "server=a\n");
    expect_error(p, line, "Error reading configuration file: Failed to include configuration file y.conf");
    put("b/y.conf", "server=b\nregtest=1\n");
    expect_ok(p, line);
    assert_string_equal(args_str(p->args, "server", ""), "b");
    assert_string_equal(p->d.network->name, "regtest");
    free(line);
}

static void networks(void **state)
{
    static const struct {
        const char *line, *config, *name, *folder;
        int rpc_port;
    } cases[] = {
        {"-datadir=a", "", "main", "a", 8332},
        {"-datadir=a -testnet", "", "test", "a/testnet3", 18332},
        {"-datadir=a -testnet4", "", "testnet4", "a/testnet4", 48332},
        {"-datadir=a -signet", "", "signet", "a/signet", 38332},
        {"-datadir=a -regtest", "", "regtest", "a/regtest", 18443},
        {"-datadir=a -chain=test", "", "test", "a/testnet3", 18332},
        {"-datadir=a", "regtest=1\n", "regtest", "a/regtest", 18443},
        {"-datadir=a", "chain=signet\n", "signet", "a/signet", 38332},
        {"-datadir=a -noregtest", "regtest=1\n", "regtest", "a/regtest", 18443}, /* Core looks past a negation here */
        {"-datadir=a -regtest=0 -signet", "regtest=1\n", "signet", "a/signet", 38332},
        {"-datadir=a", "[regtest]\nregtest=1\n", "main", "a", 8332},
    };
    struct place *p = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        put("a/farthing.conf", cases[i].config);
        expect_ok(p, cases[i].line);
        assert_string_equal(p->d.network->name, cases[i].name);
        assert_int_equal(p->d.network->rpc_port, cases[i].rpc_port);
        expect_path(p, p->d.net_dir, cases[i].folder);
    }
    expect_error(p, "-datadir=a -chain=other", "Unknown chain other.");
    expect_error(p, "-datadir=a -regtest -signet",
                 "Invalid combination of -regtest, -signet, -testnet, -testnet4 and -chain. Can use at most one.");
}

static void sections(void **state)
{
    struct place *p = *state;

    put("a/farthing.conf", "port=1\nserver=g\n[regtest]\nserver=r\n");
    expect_ok(p, "-datadir=a");
    assert_string_equal(args_str(p->args, "port", ""), "1");
    assert_string_equal(args_str(p->args, "server", ""), "g");
    expect_ok(p, "-datadir=a -regtest"); /* it is the node that insists on sections (args_section_errors) */
    assert_false(args_is_set(p->args, "port"));
    put("a/farthing.conf", "port=1\nserver=g\n[regtest]\nserver=r\nport=2\n");
    expect_ok(p, "-datadir=a -regtest");
    assert_string_equal(args_str(p->args, "port", ""), "2");
    assert_string_equal(args_str(p->args, "server", ""), "r");
}

static void paths(void **state)
{
    struct place *p = *state;
    char *path = path_resolve("/x", "/y/z");

    assert_string_equal(path, "/y/z");
    free(path);
    path = path_resolve("/x", "y");
    assert_string_equal(path, "/x/y");
    free(path);
    path = path_absolute("y");
    expect_path(p, path, "y");
    free(path);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(default_datadir), T(named_datadir), T(which_file_counts), T(named_file), T(file_moves_the_datadir),
        T(ignored_file),    T(includes),      T(networks),          T(sections),   T(paths)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
