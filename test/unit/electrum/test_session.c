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
    struct watch_table *t = watch_table_new(WATCH_ALL_MAX);
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

static void test_watch_limits(void **state)
{
    struct watch_table *t = watch_table_new(WATCH_CLIENT_MAX + 2);
    struct watcher a = {.id = 1}, b = {.id = 2};
    struct script_hash h = {{0}};
    uint64_t serial;

    (void)state;
    for (uint32_t i = 0; i < WATCH_CLIENT_MAX; i++) {
        put_le32(h.bytes, i);
        assert_true(watch_add(t, &a, &serial, &h, NULL));
    }
    assert_true(watch_add(t, &a, &serial, &h, NULL)); /* not one more */
    assert_true(watch_add(t, &b, &serial, &h, NULL));
    put_le32(h.bytes, WATCH_CLIENT_MAX);
    assert_false(watch_add(t, &a, &serial, &h, NULL));
    assert_true(watch_add(t, &b, &serial, &h, NULL));
    assert_false(watch_add(t, &b, &serial, &h, "address"));
    assert_true(watch_remove(t, &a, &h, false) == false && watch_remove(t, &b, &h, false));
    assert_true(watch_add(t, &b, &serial, &h, "address"));
    watch_remove_all(t, &a);
    watch_remove_all(t, &b);
    assert_int_equal(watch_count(t), 0);
    watch_table_free(t);
}

/* The examples of the protocol's documentation. */
static void test_documented_status(void **state)
{
    static const char *const ids[] = {"a6c9c361bd0bc536d6a22648efbf8f9b200e425ef6c3a7a9669dc444c532a347",
                                      "9c42f84b2fcdaff676ba25d9d4941741cc0d1a01cce0c23fdc4c0b2afa38431c",
                                      "770f2d4371b3fabb902dd9a103e2dd005fcd3971181078fca4a2a1d6ff127b30",
                                      "80b19848aed792565ab7c5a79b7c2a00fbf985741579396ebe0ab6098e607311",
                                      "e02a1dadfa83b996b24175df807b271ea5d02937ef5b35c195fac1e1bdc3198f",
                                      "bb4c8ab438c13b89ca80d1d5bee25b0b6b7f55673f4d801998ba97db161d9e85"};
    static const int32_t heights[] = {2472, 2473, 2473, 0, 0, -1};
    struct history_row rows[6] = {0};
    struct script_history all = {rows, 6, 3};
    struct script_status s;
    uint8_t expected[32];

    (void)state;
    for (size_t i = 0; i < 6; i++) {
        assert_true(hex_decode_reversed(rows[i].txid.b, 32, ids[i]));
        rows[i].height = heights[i];
    }
    assert_true(hex_decode(expected, 32, "78e96c6562cafa71c115503b9411fdfdc595a45031e2ab76ff75162fe1b0590d"));
    script_status_of(&s, &all);
    assert_memory_equal(s.hash, expected, 32);
}

static bool first_blocks(void *ctx, struct block_hash *out, int32_t height)
{
    static const char *const hashes[] = {"000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f",
                                         "00000000839a8e6886ab5951d76f411475428afc90947ee320161bbf18eb6048",
                                         "000000006a625f06636b8bb6ac7b960a8d03705d1ace08b1a19da3fdcc99ddbd",
                                         "0000000082b5015589a3fdf2d4baff403e6f0be035a5d9742c1cae6295464449",
                                         "000000004ebadb55ee9096c9a2f8880e09da59c0d68b1c228da88e48844a1485",
                                         "000000009b7262315dbf071787ad3656097b892abffd1f95a1a022f896f533fc",
                                         "000000003031a0e73735690c5a1ff2a4be82553b2a12b776fbd3a215dc8f778d",
                                         "0000000071966c2b1d065fd446b1e485b2c9d9594acd2007ccbd5441cfc89444",
                                         "00000000408c48f847aa786c2268fc3e6ec2af68e8468a34a28c61b7f1de0dc6"};
    (void)ctx;
    return height < (int32_t)ARRAY_LEN(hashes) && hex_decode_reversed(out->b, 32, hashes[height]);
}

static void test_documented_proof(void **state)
{
    static const char *const branch[] = {"000000004ebadb55ee9096c9a2f8880e09da59c0d68b1c228da88e48844a1485",
                                         "96cbbc84783888e4cc971ae8acf86dd3c1a419370336bb3c634c97695a8c5ac9",
                                         "965ac94082cebbcffe458075651e9cc33ce703ab0115c72d9e8b1a9906b2b636",
                                         "89e5daa6950b895190716dd26054432b564ccdc2868188ba1da76de8e1dc7591"};
    struct header_tree *t = header_tree_new(first_blocks, NULL);
    struct merkle_proof p;
    uint8_t expected[32];

    (void)state;
    assert_true(header_tree_proof(t, &p, 5, 8));
    assert_int_equal(p.n, ARRAY_LEN(branch));
    for (size_t i = 0; i < ARRAY_LEN(branch); i++) {
        assert_true(hex_decode_reversed(expected, 32, branch[i]));
        assert_memory_equal(p.branch[i], expected, 32);
    }
    assert_true(hex_decode_reversed(expected, 32, "e347b1c43fd9b5415bf0d92708db8284b78daf4d0e24f9c3405f45feb85e25db"));
    assert_memory_equal(p.root, expected, 32);
    header_tree_free(t);
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

/* Subscriptions to long histories cost what the histories do, and one line no more than so much. */
static void test_cost(void **state)
{
    static const char one[] = "{\"id\":1,\"method\":\"blockchain.scripthash.subscribe\",\"params\":"
                              "[\"0000000000000000000000000000000000000000000000000000000000000%c01\"]}";
    char line[300 * sizeof(one)], cheap[sizeof(one)], dear[sizeof(one)];
    struct talk t;
    size_t n = 0;

    (void)state;
    talk_open(&t);
    snprintf(cheap, sizeof(cheap), one, '0');
    snprintf(dear, sizeof(dear), one, '9');
    assert_non_null(strstr(say(&t, cheap), "result"));
    assert_in_range(t.s.cost, 1, 1000);
    t.s.cost = 0;
    assert_non_null(strstr(say(&t, dear), "result"));
    assert_in_range(t.s.cost, 50000, 60000);
    for (size_t i = 0; i < 250; i++)
        n += (size_t)snprintf(line + n, sizeof(line) - n, "%c%s", i ? ',' : '[', dear);
    snprintf(line + n, sizeof(line) - n, "]");
    t.s.cost = 0;
    assert_non_null(strstr(say(&t, line), "{\"code\":-101,\"message\":\"excessive resource usage\"}"));
    assert_in_range(t.s.cost, ELECTRUM_COST_MAX, ELECTRUM_COST_MAX + 100000);
    talk_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_hello),
                                       cmocka_unit_test(test_wrong_hello),
                                       cmocka_unit_test(test_status),
                                       cmocka_unit_test(test_watch),
                                       cmocka_unit_test(test_tree),
                                       cmocka_unit_test(test_watch_limits),
                                       cmocka_unit_test(test_batches),
                                       cmocka_unit_test(test_documented_status),
                                       cmocka_unit_test(test_documented_proof),
                                       cmocka_unit_test(test_cost)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
