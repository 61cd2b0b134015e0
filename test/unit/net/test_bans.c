/* test_bans.c - bans with their ends, discouraged addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "net/bans.h"
#include "util/mem.h"
#include "util/time.h"

#define NOW 1700000000

static struct subnet subnet(const char *text)
{
    struct subnet s;

    assert_true(subnet_parse(&s, text));
    return s;
}

static bool add(struct bans *b, const char *text, int64_t until)
{
    struct ban ban = {.subnet = subnet(text), .created = NOW, .until = until};

    return bans_add(b, &ban);
}

static bool banned(struct bans *b, const char *text)
{
    struct net_addr a;

    assert_true(net_addr_parse(&a, text, 1));
    return bans_has_addr(b, &a);
}

static void subnets_as_text(void **state)
{
    static const char *const cases[][2] = {
        {"1.2.3.4", "1.2.3.4/32"},
        {"1.2.3.4/8", "1.0.0.0/8"},
        {"1.2.255.4/255.255.128.0", "1.2.128.0/17"},
        {"1.2.3.4/0", "0.0.0.0/0"},
        {"2001:4d48:ac57:400:cacf:e9ff:fe1d:9c63/19", "2001:4000::/19"},
        {"2001::1", "2001::1/128"},
        {"pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion",
         "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion"},
    };
    char text[SUBNET_TEXT];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct subnet s = subnet(cases[i][0]), again;
        subnet_text(text, &s);
        assert_string_equal(text, cases[i][1]);
        again = subnet(text);
        assert_int_equal(subnet_compare(&s, &again), 0);
    }
}

static void bans_and_their_ends(void **state)
{
    struct bans *b = bans_new();
    struct ban *list;
    struct subnet s = subnet("10.0.0.0/8"), inner = subnet("10.1.2.3");

    (void)state;
    time_mock_set(NOW);
    assert_true(add(b, "2001:4000::/19", NOW + 300));
    assert_true(add(b, "10.0.0.0/8", NOW + 100));
    assert_true(add(b, "10.0.0.0/16", NOW + 200));
    assert_true(add(b, "9.9.9.9", NOW + 100));
    assert_false(add(b, "9.9.9.9", NOW + 100)); /* no later end */
    assert_false(add(b, "9.9.9.9", NOW + 99));
    assert_true(add(b, "9.9.9.9", NOW + 101));

    assert_true(banned(b, "10.1.2.3"));
    assert_true(banned(b, "10.0.2.3"));
    assert_false(banned(b, "11.1.2.3"));
    assert_true(banned(b, "2001:4000::1"));
    assert_true(bans_has_subnet(b, &s));
    assert_false(bans_has_subnet(b, &inner));

    assert_int_equal(bans_list(b, &list), 4);
    for (int i = 0; i < 3; i++)
        assert_true(subnet_compare(&list[i].subnet, &list[i + 1].subnet) < 0);
    assert_int_equal(list[0].until, NOW + 101);
    free(list);

    time_mock_set(NOW + 100); /* over, but only dropped a second later */
    assert_false(banned(b, "10.1.2.3"));
    assert_false(bans_has_subnet(b, &s));
    assert_int_equal(bans_sweep(b), 0);
    time_mock_set(NOW + 101);
    assert_int_equal(bans_sweep(b), 1);
    assert_true(banned(b, "10.0.2.3"));
    s = subnet("10.0.0.0/16");
    assert_true(bans_remove(b, &s));
    assert_false(bans_remove(b, &s));
    assert_false(banned(b, "10.0.2.3"));
    bans_clear(b);
    assert_int_equal(bans_list(b, &list), 0);
    free(list);
    bans_free(b);
    time_mock_set(0);
}

static struct net_addr numbered(uint32_t i)
{
    struct net_addr a = {.network = NET_IPV4, .port = (uint16_t)i};

    memcpy(a.ip, &i, 4);
    return a;
}

static void discouragement(void **state)
{
    struct bans *b = bans_new();
    struct net_addr a;
    unsigned wrong = 0;

    (void)state;
    a = numbered(1);
    assert_false(bans_is_discouraged(b, &a));
    for (uint32_t i = 0; i < 120000; i++) {
        a = numbered(i);
        bans_discourage(b, &a);
        bans_discourage(b, &a);
    }
    for (uint32_t i = 70000; i < 120000; i++) {
        a = numbered(i);
        a.port++; /* a port does not count */
        assert_true(bans_is_discouraged(b, &a));
    }
    for (uint32_t i = 120000; i < 220000; i++) {
        a = numbered(i);
        wrong += bans_is_discouraged(b, &a);
    }
    assert_int_equal(wrong, 0);
    a = numbered(1);
    assert_false(bans_is_discouraged(b, &a)); /* forgotten */
    bans_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(subnets_as_text),
        cmocka_unit_test(bans_and_their_ends),
        cmocka_unit_test(discouragement),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
