/* test_local.c - own addresses: scores, and which of them a peer is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "net/local.h"
#include "util/mem.h"

#define ONION "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion"
#define I2P "udhdrtrcetjm5sxzskjyr5ztpeszydbh4dpl3pl4utgqqw2v4jna.b32.i2p"

static struct net_addr addr(const char *text)
{
    struct net_addr a;
    assert_true(net_addr_parse(&a, text, 8333));
    return a;
}

static void scores(void **state)
{
    struct local_addrs l = {0};
    struct net_addr a = addr("1.1.1.1:8333"), b = addr("1.1.1.1:9000"), c = addr("2.2.2.2:1");

    (void)state;
    assert_int_equal(local_addrs_score(&l, &a), 0);
    assert_false(local_addrs_seen(&l, &a));
    local_addrs_add(&l, &a, LOCAL_BIND);
    assert_int_equal(local_addrs_score(&l, &b), LOCAL_BIND); /* the port does not matter */
    local_addrs_add(&l, &b, LOCAL_IF);                       /* less sure: nothing changes */
    assert_int_equal(l.v[0].addr.port, 8333);
    local_addrs_add(&l, &b, LOCAL_MANUAL);
    assert_int_equal(l.v[0].addr.port, 9000);
    assert_int_equal(local_addrs_score(&l, &a), LOCAL_MANUAL + 1);
    assert_true(local_addrs_seen(&l, &a));
    assert_int_equal(local_addrs_score(&l, &a), LOCAL_MANUAL + 2);
    local_addrs_add(&l, &c, LOCAL_IF);
    assert_int_equal(l.n, 2);
    local_addrs_remove(&l, &a);
    assert_int_equal(l.n, 1);
    assert_int_equal(local_addrs_score(&l, &c), LOCAL_IF);
    for (unsigned i = 0; i < 2 * MAX_LOCAL_ADDRS; i++) {
        c.ip[3] = (uint8_t)i;
        local_addrs_add(&l, &c, LOCAL_IF);
    }
    assert_int_equal(l.n, MAX_LOCAL_ADDRS);
}

static void best_for_a_peer(void **state)
{
    static const struct {
        const char *peer;
        enum net_network through;
        const char *best; /* NULL: none */
    } cases[] = {
        {"8.8.8.8", NET_IPV4, "1.1.1.1:8333"},
        {"[2a00::1]", NET_IPV6, "[2b00::1]:8333"},
        {ONION, NET_ONION, ONION ":8333"},
        {"127.0.0.1", NET_ONION, ONION ":8333"}, /* from the listener for Tor */
        {I2P, NET_I2P, NULL},
        {"[2001:0:1::1]", NET_IPV6, "1.1.1.1:8333"}, /* Teredo: better by IPv4 */
    };
    struct local_addrs l = {0}, tunnel = {0};
    struct net_addr a, out, v6 = addr("[2a00::1]");
    char text[NET_ADDR_TEXT];

    (void)state;
    a = addr("1.1.1.1"), local_addrs_add(&l, &a, LOCAL_IF);
    a = addr("[2b00::1]"), local_addrs_add(&l, &a, LOCAL_IF);
    a = addr(ONION), local_addrs_add(&l, &a, LOCAL_MANUAL);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct net_addr peer = addr(cases[i].peer);
        bool found = local_addrs_best(&out, &l, &peer, cases[i].through);
        assert_int_equal(found, cases[i].best != NULL);
        if (!found)
            continue;
        net_addr_text(text, &out);
        assert_string_equal(text, cases[i].best);
    }
    a = addr("1.1.1.2"), local_addrs_add(&l, &a, LOCAL_BIND); /* surer than the other */
    a = addr("8.8.8.8");
    assert_true(local_addrs_best(&out, &l, &a, NET_IPV4));
    assert_int_equal(out.ip[3], 2);
    a = addr("[2002:101::1]"), local_addrs_add(&tunnel, &a, LOCAL_MANUAL);
    a = addr("1.1.1.1"), local_addrs_add(&tunnel, &a, LOCAL_IF);
    assert_true(local_addrs_best(&out, &tunnel, &v6, NET_IPV6)); /* IPv4 rather than a tunnel */
    assert_int_equal(out.network, NET_IPV4);
    a = addr("192.168.0.1");
    assert_int_equal(local_reachability(&a, &v6), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(scores), cmocka_unit_test(best_for_a_peer)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
