/* test_netaddr.c - addresses, ranges of them, and permissions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "net/permissions.h"
#include "util/mem.h"

static void texts(void **state)
{
    static const struct {
        const char *in, *out, *network;
    } cases[] = {
        {"127.0.0.1", "127.0.0.1:8333", "not_publicly_routable"},
        {"1.2.3.4:18444", "1.2.3.4:18444", "ipv4"},
        {"[::1]:9", "[::1]:9", "not_publicly_routable"},
        {"2a00:0:0:0:0:0:0:1", "[2a00::1]:8333", "ipv6"},
        {"::1.2.3.4", "[::102:304]:8333", "ipv6"},
        {"::ffff:8.8.8.8", "8.8.8.8:8333", "ipv4"},
        {"10.1.2.3", "10.1.2.3:8333", "not_publicly_routable"},
        {"172.31.0.1", "172.31.0.1:8333", "not_publicly_routable"},
        {"172.32.0.1", "172.32.0.1:8333", "ipv4"},
        {"[fd00::1]", "[fd00::1]:8333", "not_publicly_routable"},
        {"[2001:10::1]", "[2001:10::1]:8333", "not_publicly_routable"},
        {"pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion",
         "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion:8333", "onion"},
        {"udhdrtrcetjm5sxzskjyr5ztpeszydbh4dpl3pl4utgqqw2v4jna.b32.i2p:0x", NULL, NULL},
        {"udhdrtrcetjm5sxzskjyr5ztpeszydbh4dpl3pl4utgqqw2v4jna.b32.i2p",
         "udhdrtrcetjm5sxzskjyr5ztpeszydbh4dpl3pl4utgqqw2v4jna.b32.i2p:0", "i2p"}, /* I2P has no ports */
        {"udhdrtrcetjm5sxzskjyr5ztpeszydbh4dpl3pl4utgqqw2v4jna.b32.i2p:0",
         "udhdrtrcetjm5sxzskjyr5ztpeszydbh4dpl3pl4utgqqw2v4jna.b32.i2p:0", "i2p"},
        {"1.2.3.4:0", NULL, NULL},
        /* one letter of the checksum changed */
        {"pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscrye.onion", NULL, NULL},
        {"1.2.3.4 ", NULL, NULL},
        {"1.2.3", "1.2.0.3:8333", "ipv4"}, /* as the system's resolver reads them */
        {"0x7f.1", "127.0.0.1:8333", "not_publicly_routable"},
        {"010.0.0.1:5", "8.0.0.1:5", "ipv4"},
        {"08.0.0.1", NULL, NULL},
        {"256.1", NULL, NULL},
        {"abc", NULL, NULL},
        {"1.2.3.4.5", NULL, NULL},
        {"1.2.3.4:0", NULL, NULL},
        {"1.2.3.4:65536", NULL, NULL},
        {"1.2.3.4:", NULL, NULL},
        {"[::1", NULL, NULL},
        {"[::1]x", NULL, NULL},
        {"localhost", NULL, NULL},
        {"", NULL, NULL},
    };
    char text[NET_ADDR_TEXT];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct net_addr a;
        bool ok = net_addr_parse(&a, cases[i].in, 8333);
        if (ok != (cases[i].out != NULL))
            fail_msg("%s", cases[i].in);
        if (!ok)
            continue;
        net_addr_text(text, &a);
        assert_string_equal(text, cases[i].out);
        assert_string_equal(net_addr_network_name(&a), cases[i].network);
    }
}

static void host_and_port(void **state)
{
    char host[32];
    uint16_t port = 7;

    (void)state;
    assert_true(net_split_host_port(host, sizeof(host), &port, "seed.example"));
    assert_string_equal(host, "seed.example");
    assert_int_equal(port, 7);
    assert_true(net_split_host_port(host, sizeof(host), &port, "seed.example:99"));
    assert_int_equal(port, 99);
    assert_true(net_split_host_port(host, sizeof(host), &port, "[::2]:5"));
    assert_string_equal(host, "::2");
    assert_int_equal(port, 5);
    assert_true(net_split_host_port(host, sizeof(host), &port, "::2"));
    assert_string_equal(host, "::2");
    assert_false(net_split_host_port(host, 4, &port, "longer"));
}

static void wire_form(void **state)
{
    struct net_addr a, b = {0};
    uint8_t raw[16];

    (void)state;
    assert_true(net_addr_parse(&a, "1.2.3.4", 0));
    net_addr_to16(raw, &a);
    assert_int_equal(raw[10], 0xff);
    assert_int_equal(raw[15], 4);
    net_addr_from16(&b, raw);
    assert_true(net_addr_equal(&a, &b));
}

static bool in_subnet(const char *net, const char *addr)
{
    struct subnet s;
    struct net_addr a;
    assert_true(subnet_parse(&s, net));
    assert_true(net_addr_parse(&a, addr, 0));
    return subnet_contains(&s, &a);
}

static void subnets(void **state)
{
    static const char *const bad[] = {"1.2.3.4/33", "1.2.3.4/255.0.255.0", "1.2.3.4.5",       "/8", "1.2.3.4/", "1.2.3.4/-1",
                                      "::1/129",    "1.2.3.4:80/8",        "fe80::/255.0.0.0"};
    struct subnet s;

    (void)state;
    assert_true(in_subnet("10.0.0.0/8", "10.255.1.2"));
    assert_false(in_subnet("10.0.0.0/8", "11.0.0.0"));
    assert_true(in_subnet("192.168.0.0/255.255.254.0", "192.168.1.9"));
    assert_false(in_subnet("192.168.0.0/255.255.254.0", "192.168.2.9"));
    assert_true(in_subnet("1.2.3.4", "1.2.3.4"));
    assert_false(in_subnet("1.2.3.4", "1.2.3.5"));
    assert_true(in_subnet("0.0.0.0/0", "9.9.9.9"));
    assert_false(in_subnet("0.0.0.0/0", "::1"));
    assert_true(in_subnet("fe80::/10", "fe90::1"));
    assert_false(in_subnet("fe80::/10", "fec0::1"));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (subnet_parse(&s, bad[i]))
            fail_msg("%s", bad[i]);
}

static void whitelists(void **state)
{
    struct whitelist_entry w;
    char *error;
    const char *names[7];

    (void)state;
    assert_true(whitelist_parse(&w, "noban,in,out@127.0.0.1", &error));
    assert_true(w.in && w.out);
    assert_int_equal(w.flags, PERM_NOBAN);
    assert_int_equal(net_permission_names(names, w.flags), 2);
    assert_string_equal(names[0], "noban");
    assert_string_equal(names[1], "download");
    assert_true(whitelist_parse(&w, "relay,mempool@10.0.0.0/8", &error));
    assert_true(w.in && !w.out);
    assert_true(whitelist_parse(&w, "1.2.3.4", &error));
    assert_int_equal(net_permissions_resolve(w.flags, true, false), PERM_RELAY | PERM_MEMPOOL | PERM_NOBAN);
    assert_int_equal(net_permissions_resolve(w.flags, false, true), PERM_FORCERELAY | PERM_MEMPOOL | PERM_NOBAN);
    assert_int_equal(net_permissions_resolve(PERM_ADDR, true, true), PERM_ADDR);
    assert_true(whitelist_parse(&w, "all@::1", &error));
    assert_int_equal(net_permission_names(names, w.flags), 7);
    assert_true(whitelist_parse(&w, "@1.2.3.4", &error)); /* no permission at all */
    assert_int_equal(w.flags, PERM_NONE);
}

static void expect_error(bool ok, char *error, const char *want)
{
    assert_false(ok);
    assert_string_equal(error, want);
    free(error);
}

static void permission_errors(void **state)
{
    struct whitelist_entry w;
    struct whitebind b;
    char *error;
    bool ok;

    (void)state;
    ok = whitelist_parse(&w, "oopsie@127.0.0.1", &error);
    expect_error(ok, error, "Invalid P2P permission: 'oopsie'");
    ok = whitelist_parse(&w, "noban@127.0.0.1:230", &error);
    expect_error(ok, error, "Invalid netmask specified in -whitelist: '127.0.0.1:230'");
    ok = whitelist_parse(&w, "in,out@127.0.0.1", &error);
    expect_error(ok, error, "Only direction was set, no permissions: 'in,out@127.0.0.1'");
    ok = whitebind_parse(&b, "noban,out@127.0.0.1:1", &error);
    expect_error(ok, error, "whitebind may only be used for incoming connections (\"out\" was passed)");
    ok = whitebind_parse(&b, "noban@127.0.0.1", &error);
    expect_error(ok, error, "Need to specify a port with -whitebind: '127.0.0.1'");
    ok = whitebind_parse(&b, "noban@127.0.0.1/10", &error);
    expect_error(ok, error, "Cannot resolve -whitebind address: '127.0.0.1/10'");
    assert_true(whitebind_parse(&b, "noban,relay@127.0.0.1:30001", &error));
    assert_int_equal(b.addr.port, 30001);
    assert_int_equal(b.flags, PERM_NOBAN | PERM_RELAY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts),   cmocka_unit_test(host_and_port), cmocka_unit_test(wire_form),
        cmocka_unit_test(subnets), cmocka_unit_test(whitelists),    cmocka_unit_test(permission_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
