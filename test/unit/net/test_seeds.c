/* test_seeds.c - the fixed seeds: each list has every kind of network, and every entry is an address that can be connected to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "net/seeds.h"
#include "util/mem.h"

static void every_entry_is_routable(void **state)
{
    static const char *const chains[] = {"main", "test", "testnet4", "signet"};

    (void)state;
    for (size_t k = 0; k < ARRAY_LEN(chains); k++) {
        struct net_addr *a;
        size_t n = seeds_fixed(&a, chains[k]), of[NET_CJDNS + 1] = {0};

        assert_in_range(n, 100, 512);
        for (size_t i = 0; i < n; i++) {
            char text[NET_ADDR_TEXT];
            struct net_addr back;

            assert_in_range(net_addr_size(a[i].network), 4, 32);
            of[a[i].network]++;
            assert_true(a[i].port != 0 || a[i].network == NET_I2P);
            net_addr_ip_text(text, &a[i]);
            assert_true(net_addr_parse(&back, text, 1));
            if (a[i].network != NET_CJDNS) { /* as text that is an IPv6 address */
                assert_true(net_addr_is_routable(&a[i]));
                assert_true(net_addr_same_ip(&a[i], &back));
            }
            for (size_t m = 0; m < i; m++)
                assert_false(net_addr_equal(&a[i], &a[m]));
        }
        assert_true(of[NET_IPV4] > 0 && of[NET_IPV6] > 0 && of[NET_ONION] > 0);
        free(a);
    }
}

static void others_have_none(void **state)
{
    struct net_addr *a;

    (void)state;
    assert_int_equal(seeds_fixed(&a, "regtest"), 0);
    assert_null(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_entry_is_routable), cmocka_unit_test(others_have_none)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
