/* Electrum sessions: what goes in and what comes out, without a socket or a chain; statuses, trees of headers, subscriptions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "crypto/sha256.h"
#include "fake_source.h"
#include "util/hex.h"

struct talk {
    struct fake f;
    struct electrum_session s;
};

static void talk_open(struct talk *t)
{
    fake_init(&t->f);
    electrum_session_init(&t->s, &t->f.src, 1);
}

static void talk_close(struct talk *t)
{
    watch_remove_all(t->f.watches, &t->s.watcher);
    electrum_session_clear(&t->s);
    fake_clear(&t->f);
}

/* The answer to a line, without its end. */
static const char *say(struct talk *t, const char *line)
{
    jw_clear(&t->s.out);
    electrum_session_line(&t->s, line, strlen(line));
    if (t->s.out.w.len == 0)
        return "";
    assert_int_equal(t->s.out.w.data[t->s.out.w.len - 1], '\n');
    t->s.out.w.data[t->s.out.w.len - 1] = 0;
    return (const char *)t->s.out.w.data;
}

static void test_hello(void **state)
{
    struct talk t;

    (void)state;
    talk_open(&t);
    assert_int_equal(electrum_session_limit(&t.s), ELECTRUM_HELLO_MAX);
    assert_string_equal(say(&t, "{\"id\":0,\"method\":\"server.version\",\"params\":[\"x\",[\"1.4\",\"1.6\"]]}"),
                        "{\"jsonrpc\":\"2.0\",\"result\":[\"Farthing 0.1.0\",\"1.6\"],\"id\":0}");
    assert_int_equal(electrum_session_limit(&t.s), ELECTRUM_LINE_MAX);
    assert_string_equal(
        say(&t, "{\"id\":1,\"method\":\"blockchain.relayfee\"}"),
        "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32601,\"message\":\"unknown method \\\"blockchain.relayfee\\\"\"},\"id\":1}");
    assert_true(t.s.cost > 0);
    talk_close(&t);
}

static void test_wrong_hello(void **state)
{
    static const char *const lines[] = {"{\"id\":0,\"method\":\"server.version\",\"params\":[\"x\",\"1.3\"]}", "nonsense",
                                        "{\"id\":0,\"method\":\"server.version\",\"params\":[\"x\",\"99999999999.1\"]}"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        struct talk t;
        talk_open(&t);
        assert_false(electrum_session_line(&t.s, lines[i], strlen(lines[i])));
        assert_true(t.s.out.w.len > 0);
        talk_close(&t);
    }
}

static void test_status(void **state)
{
    struct talk t;
    struct script_hash h = {{1}};
    struct script_history all;
    struct script_status s;
    uint8_t expected[32];
    char whole[300], hex[65];
    int n = 0;

    (void)state;
    talk_open(&t);
    fake_history(&t.f, &all, &h);
    for (size_t i = 0; i < 3; i++)
        n += snprintf(whole + n, sizeof(whole) - (size_t)n, "%s:%d:", txid_hex(&all.rows[i].txid).s, all.rows[i].height);
    sha256(expected, whole, (size_t)n);
    script_status_of(&s, &all);
    assert_true(s.any && s.unconfirmed);
    assert_memory_equal(s.hash, expected, 32);
    hex_encode(hex, expected, 32);
    assert_non_null(strstr(say(&t, "{\"id\":1,\"method\":\"blockchain.scripthash.subscribe\",\"params\":"
                                   "[\"0000000000000000000000000000000000000000000000000000000000000001\"]}"),
                           hex));
    free(all.rows);
    memset(&all, 0, sizeof(all));
    script_status_of(&s, &all);
    assert_false(s.any);
    talk_close(&t);
}

struct told {
    unsigned n;
    uint64_t last;
};

static void on_told(void *ctx, uint64_t watcher, const struct script_hash *h, const char *address,
                    const struct script_status *status)
{
    struct told *told = ctx;

    (void)h;
    (void)address;
    (void)status;
    told->n++;
    told->last = watcher;
}

static void test_watch(void **state)
{
    struct watch_table *t = watch_table_new();
    struct watcher a = {.id = 1}, b = {.id = 2};
    struct script_hash h = {{9}}, other = {{8}};
    struct script_status none = {0}, some = {.any = true, .hash = {5}};
    struct touched_script touched[4];
    struct told told = {0};
    uint64_t serial;

    (void)state;
    assert_false(watch_touch(t, h.bytes));
    assert_true(watch_add(t, &a, &serial, &h, NULL));
    assert_true(watch_touch(t, h.bytes)); /* between looking and telling */
    assert_true(watch_set(t, &a, &h, false, serial, &none));
    assert_int_equal(watch_take(t, touched, 4), 1);
    assert_int_equal(watch_take(t, touched, 4), 0);
    watch_publish(t, &h, &none, on_told, &told);
    assert_int_equal(told.n, 0); /* it knows that */
    assert_true(watch_add(t, &b, &serial, &h, "address"));
    watch_publish(t, &h, &some, on_told, &told);
    assert_int_equal(told.n, 1); /* b has not been told anything yet */
    assert_int_equal(told.last, 1);
    assert_false(watch_set(t, &b, &h, true, serial, &none));
    watch_publish(t, &h, &some, on_told, &told);
    assert_int_equal(told.n, 2);
    assert_int_equal(told.last, 2);
    assert_false(watch_touch(t, other.bytes));
    assert_false(watch_remove(t, &b, &h, false));
    assert_true(watch_remove(t, &b, &h, true));
    assert_int_equal(watch_count(t), 1);
    watch_touch_all(t, true);
    assert_int_equal(watch_take(t, touched, 4), 0);
    watch_touch_all(t, false);
    watch_remove_all(t, &a); /* touched as it is */
    assert_int_equal(watch_count(t), 0);
    assert_int_equal(watch_take(t, touched, 4), 0);
    watch_table_free(t);
}

static bool long_chain(void *ctx, struct block_hash *out, int32_t height)
{
    memset(out, 0, sizeof(*out));
    put_le32(out->b, (uint32_t)height);
    out->b[4] = *(uint8_t *)ctx;
    return height < 9000;
}

static void check_proof(const struct merkle_proof *p, uint8_t *branch_of_chain, int32_t height, int32_t cp)
{
    struct block_hash leaf;
    uint8_t node[64], (*all)[32] = xmalloc(((size_t)cp + 2) * 32);
    size_t n = (size_t)cp + 1;

    long_chain(branch_of_chain, &leaf, height);
    for (size_t i = 0; i < n; i++) {
        struct block_hash h;
        long_chain(branch_of_chain, &h, (int32_t)i);
        memcpy(all[i], h.b, 32);
    }
    while (n > 1) { /* the plain way */
        if (n & 1) {
            memcpy(all[n], all[n - 1], 32);
            n++;
        }
        sha256d_64(all[0], all[0], n / 2);
        n /= 2;
    }
    assert_memory_equal(all[0], p->root, 32);
    for (unsigned i = 0; i < p->n; i++) {
        bool right = height >> i & 1;
        memcpy(node + (right ? 32 : 0), leaf.b, 32);
        memcpy(node + (right ? 0 : 32), p->branch[i], 32);
        sha256d(leaf.b, node, 64);
    }
    assert_memory_equal(leaf.b, p->root, 32);
    free(all);
}

static void test_tree(void **state)
{
    static const int32_t cps[] = {0, 1, 2, 6, 2046, 2047, 2048, 2049, 4095, 4096, 4097, 6143, 6200, 8999};
    uint8_t branch = 0;
    struct header_tree *t = header_tree_new(long_chain, &branch);
    struct merkle_proof p;

    (void)state;
    for (branch = 0; branch < 2; branch++) { /* and after a reorganisation of everything */
        for (size_t i = 0; i < ARRAY_LEN(cps); i++) {
            const int32_t heights[] = {0, cps[i] / 3, cps[i] / 2, cps[i]};
            for (size_t k = 0; k < ARRAY_LEN(heights); k++) {
                assert_true(header_tree_proof(t, &p, heights[k], cps[i]));
                check_proof(&p, &branch, heights[k], cps[i]);
            }
        }
    }
    assert_false(header_tree_proof(t, &p, 5, 9000));
    header_tree_free(t);
}

static void test_batches(void **state)
{
    struct talk t;

    (void)state;
    talk_open(&t);
    assert_string_equal(say(&t, "[{\"method\":\"server.ping\"}]"), "");
    assert_string_equal(say(&t, "{\"id\":1,\"result\":null}"), "");
    assert_string_equal(
        say(&t,
            "[{\"id\":1,\"method\":\"server.ping\"},7,{\"method\":\"server.ping\"},{\"id\":\"b\",\"method\":\"server.banner\"}]"),
        "[{\"jsonrpc\":\"2.0\",\"result\":null,\"id\":1},{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32600,\"message\":"
        "\"request must be an object\"},\"id\":null},{\"jsonrpc\":\"2.0\",\"result\":\"hello\",\"id\":\"b\"}]");
    assert_string_equal(say(&t, "{\"id\":2,\"method\":\"blockchain.scripthash.get_balance\",\"params\":{\"scripthash\":"
                                "\"0000000000000000000000000000000000000000000000000000000000000002\"}}"),
                        "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":1,\"message\":\"balance too large\"},\"id\":2}");
    talk_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_hello),  cmocka_unit_test(test_wrong_hello),
                                       cmocka_unit_test(test_status), cmocka_unit_test(test_watch),
                                       cmocka_unit_test(test_tree),   cmocka_unit_test(test_batches)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
