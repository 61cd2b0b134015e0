/* test_log.c - the log's line format, categories and levels, the lines kept before it opens, and what reopening does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/fs.h"
#include "util/log.h"
#include "util/log_priv.h"
#include "util/mem.h"
#include "util/thread.h"
#include "util/time.h"

static char dir[64];
static char *path;

static int setup(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/farthing-log-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    path = fs_join(dir, "debug.log");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    log_close();
    free(path);
    return fs_remove_tree(dir) == RC_OK ? 0 : -1;
}

/* What is in the file now. To free. */
static char *content(const char *file)
{
    uint8_t *data;
    size_t len;

    assert_int_equal(fs_read(file, 1 << 24, &data, &len), RC_OK);
    return (char *)data;
}

static void start(struct log_config config)
{
    unlink(path);
    config.path = path;
    assert_true(log_open(&config));
}

static void assert_log(const char *want)
{
    char *got = content(path);
    assert_string_equal(got, want);
    free(got);
}

/* Runs first: nothing has opened the log before. */
static void test_kept(void **state)
{
    struct log_config bad = {.path = "/nonexistent/x/debug.log"};

    (void)state;
    log_info("early %d", 1);
    assert_false(log_open(&bad));
    log_warning("early two");
    start((struct log_config){0});
    assert_log("\n\n\n\n\nearly 1\n[warning] early two\n");
    log_close();
    log_info("nobody hears this");
    start((struct log_config){0});
    assert_log("\n\n\n\n\n");
}

static void test_prefix(void **state)
{
    (void)state;
    assert_true(log_category_set("net", true) && log_level_set("net", "trace"));
    start((struct log_config){0});
    log_info("info");
    log_error("error\n");
    log_debug(LOG_NET, "debug");
    log_trace(LOG_NET, "trace");
    log_write(LOG_LEVEL_INFO, LOG_NET, "f", 1, "g", "net info");
    log_write(LOG_LEVEL_WARNING, LOG_MEMPOOL, "f", 1, "g", "mempool warning");
    log_debug(LOG_MEMPOOL, "off");
    assert_log(
        "\n\n\n\n\ninfo\n[error] error\n[net] debug\n[net:trace] trace\n[net:info] net info\n[mempool:warning] mempool warning\n");
    start((struct log_config){.level_always = true});
    log_info("info");
    log_debug(LOG_NET, "debug");
    assert_log("\n\n\n\n\n[all:info] info\n[net:debug] debug\n");
    log_category_set("all", false);
}

static void *named_thread(void *arg)
{
    (void)arg;
    log_info("from a thread");
    return NULL;
}

static void test_thread_and_place(void **state)
{
    pthread_t t;
    char want[200];
    int line;

    (void)state;
    start((struct log_config){.thread_names = true});
    log_info("before a name");
    t = thread_start("worker", named_thread, NULL);
    pthread_join(t, NULL);
    log_thread_name("init");
    log_info("named");
    assert_log("\n\n\n\n\n[unknown] before a name\n[worker] from a thread\n[init] named\n");
    start((struct log_config){.source_locations = true});
    line = __LINE__ + 1;
    log_warning("here");
    snprintf(want, sizeof(want), "\n\n\n\n\n[test/unit/util/test_log.c:%d] [test_thread_and_place] [warning] here\n", line);
    assert_log(want);
}

/* Checks a text against a pattern in which '9' stands for any digit. */
static bool matches(const char *text, const char *pattern)
{
    for (; *pattern && *text; pattern++, text++)
        if (*pattern == '9' ? *text < '0' || *text > '9' : *pattern != *text)
            return false;
    return *pattern == *text;
}

static void test_timestamps(void **state)
{
    char *got, want[64];
    int64_t before = time_real();

    (void)state;
    start((struct log_config){.timestamps = true});
    log_info("x");
    got = content(path);
    assert_true(matches(got + 5, "9999-99-99T99:99:99Z x\n"));
    time_format_iso(want, sizeof(want), before);
    assert_memory_equal(got + 5, want, 13);
    free(got);
    start((struct log_config){.timestamps = true, .time_micros = true});
    log_info("x");
    time_mock_set(1700000000);
    log_info("y");
    time_mock_set(0);
    got = content(path);
    assert_true(
        matches(got + 5, "9999-99-99T99:99:99.999999Z x\n9999-99-99T99:99:99.999999Z (mocktime: 2023-11-14T22:13:20Z) y\n"));
    free(got);
}

static void test_hostile_bytes(void **state)
{
    char *long_text = xmalloc(5001);

    (void)state;
    start((struct log_config){0});
    log_info("a\x1b[31m\r\t\x7f\x01 b\xc3\xa9\nsecond");
    assert_log("\n\n\n\n\na\\x1b[31m\\x0d\\x09\\x7f\\x01 b\xc3\xa9\nsecond\n");
    memset(long_text, 'x', 5000);
    long_text[5000] = 0;
    start((struct log_config){0});
    log_info("%s", long_text);
    free(long_text);
    long_text = content(path);
    assert_int_equal(strlen(long_text), 5 + 5000 + 1);
    free(long_text);
}

static void test_categories(void **state)
{
    (void)state;
    assert_string_equal(log_category_name(LOG_NET), "net");
    assert_string_equal(log_category_name(LOG_PRIVATEBROADCAST), "privatebroadcast");
    for (int c = LOG_NET; c < LOG_CATEGORY_END; c++) {
        assert_false(log_category_is_on((enum log_category)c));
        assert_true(log_category_set(log_category_name((enum log_category)c), true));
        assert_true(log_category_is_on((enum log_category)c));
        assert_true(log_category_set(log_category_name((enum log_category)c), false));
    }
    assert_false(log_category_set("nonsense", true));
    assert_true(log_category_set("1", true) && log_category_is_on(LOG_ZMQ));
    assert_true(log_category_set("zmq", false) && !log_category_is_on(LOG_ZMQ) && log_category_is_on(LOG_TOR));
    assert_false(log_category_set("none", true) || log_category_set("0", true)); /* words of the option -debug */
    assert_true(log_category_set("all", false) && !log_category_is_on(LOG_TOR));
}

static void test_levels(void **state)
{
    (void)state;
    assert_true(log_level_set("net", "info"));
    log_category_set("all", true);
    assert_false(log_enabled(LOG_NET, LOG_LEVEL_DEBUG));
    assert_true(log_enabled(LOG_NET, LOG_LEVEL_INFO));
    assert_true(log_enabled(LOG_RPC, LOG_LEVEL_DEBUG));
    assert_false(log_enabled(LOG_RPC, LOG_LEVEL_TRACE));
    assert_true(log_level_set(NULL, "trace"));
    assert_true(log_enabled(LOG_RPC, LOG_LEVEL_TRACE));
    assert_false(log_enabled(LOG_NET, LOG_LEVEL_DEBUG));
    assert_false(log_level_set(NULL, "warning") || log_level_set(NULL, "x") || log_level_set("x", "debug"));
    assert_true(log_level_set(NULL, "debug"));
    log_category_set("all", false);
    assert_false(log_enabled(LOG_RPC, LOG_LEVEL_DEBUG));
    assert_true(log_enabled(LOG_RPC, LOG_LEVEL_ERROR));
}

static void test_reopen_and_shrink(void **state)
{
    char *moved = fs_join(dir, "old.log"), *got, *big = xmalloc(11500000);
    struct log_config config = {.path = path, .shrink = true};

    (void)state;
    start((struct log_config){0});
    log_info("one");
    assert_int_equal(rename(path, moved), 0);
    log_info("two");
    log_reopen();
    log_info("three");
    assert_log("three\n");
    got = content(moved);
    assert_string_equal(got, "\n\n\n\n\none\ntwo\n");
    free(got);
    /* opening again appends; shrinking leaves the last 10 MB of what has grown over 11 */
    config.shrink = false;
    assert_true(log_open(&config));
    assert_log("three\n\n\n\n\n\n");
    memset(big, 'b', 11500000);
    big[11500000 - 1] = 'e';
    assert_int_equal(fs_write_atomic(path, big, 11500000, 0600), RC_OK);
    config.shrink = true;
    assert_true(log_open(&config));
    got = content(path);
    assert_int_equal(strlen(got), 10000000 + 5);
    assert_int_equal(got[10000000 - 1], 'e');
    free(got);
    free(moved);
    free(big);
}

static void test_json(void **state)
{
    char *got;

    (void)state;
    log_thread_name("init");
    time_mock_set(1700000000);
    start((struct log_config){.json = true, .thread_names = true});
    log_event(LOG_LEVEL_INFO, LOG_NONE, LOG_EVENT("tip", {"hash", "ab\"\\\x01\xff", 0}, {"height", NULL, -7}), "a \"line\"\n");
    log_write(LOG_LEVEL_WARNING, LOG_NET, "f", 1, "g", "plain\ttext");
    log_event(LOG_LEVEL_DEBUG, LOG_NET, LOG_EVENT("off", {"x", NULL, 1}), "not to be seen");
    time_mock_set(0);
    got = content(path);
    assert_memory_equal(got, "{\"time\":\"20", 11);
    assert_non_null(
        strstr(got, "Z\",\"mocktime\":\"2023-11-14T22:13:20Z\",\"level\":\"info\",\"thread\":\"init\",\"event\":\"tip\",\"hash\":"
                    "\"ab\\\"\\\\\\u0001\\u00ff\",\"height\":-7,\"message\":\"a \\\"line\\\"\"}\n{\"time\""));
    assert_non_null(strstr(
        got,
        "\"level\":\"warning\",\"category\":\"net\",\"thread\":\"init\",\"event\":\"log\",\"message\":\"plain\\u0009text\"}\n"));
    assert_null(strstr(got, "not to be seen"));
    free(got);
}

static void test_limit_places(void **state)
{
    struct log_limit l = {0};
    struct log_place p;

    (void)state;
    log_limit_init(&l, 100, 5);
    assert_int_equal(log_limit_consume(&l, "a.c", 1, "f", 100), LOG_LIMIT_BELOW);
    assert_int_equal(log_limit_consume(&l, "a.c", 2, "f", 101), LOG_LIMIT_REACHED);
    assert_int_equal(log_limit_consume(&l, "a.c", 1, "f", 1), LOG_LIMIT_REACHED);
    assert_int_equal(log_limit_consume(&l, "a.c", 1, "f", 10), LOG_LIMIT_OVER);
    assert_int_equal(log_limit_consume(&l, "b.c", 1, "f", 10), LOG_LIMIT_BELOW);
    assert_int_equal(l.n_over, 2);
    assert_false(log_limit_expired(&l, &p, 5 + INT64_C(3599999999)));
    assert_true(log_limit_expired(&l, &p, 5 + INT64_C(3600000000)));
    assert_true(p.line == 2 && p.dropped == 101);
    assert_true(log_limit_expired(&l, &p, 5 + INT64_C(3600000000)));
    assert_true(p.line == 1 && p.dropped == 11);
    assert_false(log_limit_expired(&l, &p, 5 + INT64_C(3600000000)));
    assert_int_equal(log_limit_consume(&l, "a.c", 1, "f", 10), LOG_LIMIT_BELOW);
    log_limit_init(&l, 0, 0);
}

static void from_one_place(int i)
{
    log_info("0123456789 %d", i);
}

static void test_limit(void **state)
{
    char *got;

    (void)state;
    start((struct log_config){.limit = 40});
    for (int i = 0; i < 6; i++)
        from_one_place(i);
    log_warning("another place");
    log_event(LOG_LEVEL_INFO, LOG_NONE, ((struct log_event){"always", NULL, 0, true}),
              "this line is longer than the limit, and as the line of an event without a limit it is written all the same");
    got = content(path);
    /* the one that goes over it is the last */
    assert_non_null(strstr(got, "0123456789 2\n[*] [warning] Excessive logging detected from test/unit/util/test_log.c:"));
    assert_non_null(
        strstr(got, " (from_one_place): >40 bytes logged during the last time window of 3600s. Suppressing logging to disk from "
                    "this source location until time window resets. Console logging unaffected. Last log entry.\n[*] "
                    "0123456789 3\n[*] [warning] another place\n[*] this line is longer"));
    assert_null(strstr(got, "0123456789 4"));
    free(got);
}

static void *many_lines(void *arg)
{
    for (int i = 0; i < 500; i++)
        log_info("%s %04d 0123456789012345678901234567890123456789", (const char *)arg, i);
    return NULL;
}

/* Lines of several threads never mix. */
static void test_threads(void **state)
{
    pthread_t a, b;
    char *got, *save = NULL;
    int n = 0;

    (void)state;
    start((struct log_config){0});
    a = thread_start("a", many_lines, "aaaa");
    b = thread_start("b", many_lines, "bbbb");
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    got = content(path);
    for (char *line = strtok_r(got, "\n", &save); line; line = strtok_r(NULL, "\n", &save), n++) {
        line[0] = line[1] = line[2] = line[3] = '9';
        assert_true(matches(line, "9999 9999 9999999999999999999999999999999999999999") && line[10] == '0');
    }
    assert_int_equal(n, 1000);
    free(got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kept),
        cmocka_unit_test(test_prefix),
        cmocka_unit_test(test_thread_and_place),
        cmocka_unit_test(test_timestamps),
        cmocka_unit_test(test_hostile_bytes),
        cmocka_unit_test(test_categories),
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_reopen_and_shrink),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_limit_places),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
