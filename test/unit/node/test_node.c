/* test_node.c - the parts of the composition root that can be tested alone: progress, the option table, paths and limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/config.h"
#include "node/options.h"
#include "node/progress.h"
#include "util/fs.h"
#include "util/mem.h"

#define SECOND ((int64_t)1000000)

static void progress_is_said_twice_a_minute(void **state)
{
    struct progress p = {0};
    char text[120] = "";

    (void)state;
    assert_int_equal(progress_update(&p, 0.10, SECOND, text, sizeof(text)), 0);
    assert_int_equal(progress_update(&p, 0.11, 30 * SECOND, text, sizeof(text)), 0);
    assert_string_equal(text, "");
    /* A tenth of a percent a second: 88% take 880 seconds. */
    assert_int_equal(progress_update(&p, 0.1300, 31 * SECOND, text, sizeof(text)), 1);
    assert_string_equal(text, "13.00% of the chain is verified, about 14 min left");
    assert_int_equal(progress_update(&p, 0.14, 32 * SECOND, text, sizeof(text)), 0);
}

static void progress_without_gain_names_no_time(void **state)
{
    struct progress p = {0};
    char text[120];

    (void)state;
    progress_update(&p, 0.5, SECOND, text, sizeof(text));
    assert_int_equal(progress_update(&p, 0.5, 40 * SECOND, text, sizeof(text)), 1);
    assert_string_equal(text, "50.00% of the chain is verified");
}

static void progress_forgets_old_speed(void **state)
{
    struct progress p = {0};
    char text[120] = "";
    double done = 0;

    (void)state;
    /* An hour at a fast pace, then an hour at a tenth of it: the estimate follows the later one. */
    for (int s = 1; s <= 3600; s++)
        progress_update(&p, done += 0.0001, s * SECOND, text, sizeof(text));
    for (int s = 3601; s <= 7200; s++)
        progress_update(&p, done += 0.00001, s * SECOND, text, sizeof(text));
    assert_non_null(strstr(text, "about 16 h"));
}

static void options_are_named_once(void **state)
{
    size_t n;
    const struct arg_spec *specs = options_table(&n);

    (void)state;
    for (size_t i = 0; i < n; i++) {
        assert_true(specs[i].name && *specs[i].name && specs[i].name[0] != '-');
        assert_true(!specs[i].category || specs[i].help);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(specs[i].name, specs[j].name);
    }
}

/* Reads these words in a fresh datadir. Returns: what went wrong, NULL if nothing did. */
static char *configure(struct node_config *c, const char *dir, const char *const *words, int n)
{
    char *argv[16] = {xstrdup("farthingd"), xasprintf("-datadir=%s", dir)};
    int argc = 2;
    char *error = NULL;

    for (int i = 0; i < n; i++)
        argv[argc++] = xstrdup(words[i]);
    if (node_config_read(c, argc, argv, &error) && node_config_check(c, &error))
        node_config_apply(c, &error);
    for (int i = 0; i < argc; i++)
        free(argv[i]);
    return error;
}

static char *temporary(void)
{
    const char *base = getenv("TMPDIR");
    char *dir = xasprintf("%s/farthing-node-XXXXXX", base && *base ? base : "/tmp");
    assert_non_null(mkdtemp(dir));
    return dir;
}

static void settings_follow_the_options(void **state)
{
    static const char *const words[] = {
        "-regtest", "-par=3", "-dbcache=2", "-minrelaytxfee=0.00002", "-assumevalid=abc", "-minimumchainwork=10", "-datacarrier=0"};
    struct node_config c;
    char *dir = temporary(), *expected = xasprintf("%s/regtest/blocks/index", dir);
    char *error = configure(&c, dir, words, (int)ARRAY_LEN(words));

    (void)state;
    assert_null(error);
    assert_int_equal(c.params.id, CHAIN_REGTEST);
    assert_int_equal(c.script_threads, 2);
    assert_int_equal(c.dbcache, 4 << 20);
    assert_int_equal(c.policy.min_relay_fee_rate, 2000);
    assert_int_equal(c.policy.max_datacarrier, -1);
    assert_string_equal(block_hash_hex(&c.assume_valid).s + 60, "0abc");
    assert_true(u256_cmp(c.min_chain_work, u256_from_u64(16)) == 0);
    assert_string_equal(c.index_dir, expected);
    assert_non_null(strstr(c.pid_path, "/regtest/farthingd.pid"));
    node_config_clear(&c);
    fs_remove_tree(dir);
    free(dir);
    free(expected);
}

static void core_names_beside_a_bitcoin_conf(void **state)
{
    static const char text[] = "signet=1\n[signet]\nmaxmempool=7\n";
    struct node_config c;
    char *dir = temporary(), *conf = fs_join(dir, "bitcoin.conf");
    char *error;

    (void)state;
    assert_int_equal(fs_write_atomic(conf, text, sizeof(text) - 1, 0600), RC_OK);
    error = configure(&c, dir, NULL, 0);
    assert_null(error);
    assert_int_equal(c.params.id, CHAIN_SIGNET);
    assert_int_equal(c.mempool_bytes, 7000000);
    assert_non_null(strstr(c.pid_path, "/signet/bitcoind.pid"));
    node_config_clear(&c);
    fs_remove_tree(dir);
    free(dir);
    free(conf);
}

static void bad_values_are_named(void **state)
{
    static const char *const bad[][2] = {
        {"-minrelaytxfee=x", "Invalid amount for -minrelaytxfee=<amount>: 'x'"},
        {"-dustrelayfee=-1", "Invalid amount for -dustrelayfee=<amount>: '-1'"},
        {"-assumevalid=xyz", "Invalid assumevalid block hash specified (xyz)"},
        {"-minimumchainwork=12345678901234567890123456789012345678901234567890123456789012345", "Invalid minimum work specified"},
        {"-chain=moon", "Unknown chain moon."},
        {"-testnet", "Invalid combination"},
        {"-blocksdir=/nonexistent", "Specified blocks directory \"/nonexistent\" does not exist."},
        {"-moon", "Invalid parameter -moon"},
        {"-testactivationheight=moon@1", "moon"},
        {"word", "Command line contains unexpected token 'word'"},
    };
    char *dir = temporary();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        const char *words[] = {"-regtest", bad[i][0]};
        bool chain = strncmp(bad[i][0], "-chain", 6) == 0;
        struct node_config c;
        char *error = configure(&c, dir, words + chain, 2 - chain);
        assert_non_null(error);
        if (!strstr(error, bad[i][1]))
            fail_msg("%s: %s", bad[i][0], error);
        free(error);
        node_config_clear(&c);
    }
    fs_remove_tree(dir);
    free(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(progress_is_said_twice_a_minute),
        cmocka_unit_test(progress_without_gain_names_no_time),
        cmocka_unit_test(progress_forgets_old_speed),
        cmocka_unit_test(options_are_named_once),
        cmocka_unit_test(settings_follow_the_options),
        cmocka_unit_test(core_names_beside_a_bitcoin_conf),
        cmocka_unit_test(bad_values_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
