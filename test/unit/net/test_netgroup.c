/* test_netgroup.c - groups of addresses, AS maps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "net/asmap.h"
#include "net/netgroup.h"
#include "vectors.h"

static struct net_addr parse(const char *text)
{
    struct net_addr a;

    assert_true(net_addr_parse(&a, text, 1));
    if (text[0] == 'f' && text[1] == 'c')
        net_addr_flip_cjdns(&a);
    return a;
}

/* By Core's rules: class, then the bits of the prefix. */
static void groups(void **state)
{
    static const struct {
        const char *addr, *group;
    } cases[] = {
        {"127.0.0.1", "00"},
        {"::1", "00"},
        {"10.0.0.1", "00"},
        {"169.254.1.1", "00"},
        {"2001:db8::1", "00"},
        {"1.2.3.4", "010102"},
        {"64:ff9b::102:304", "010102"},
        {"2002:102:304::1", "010102"},
        {"2001:0:9999:9999::fefd:fcfb", "010102"},
        {"2001:2001:9999::1", "0220012001"},
        {"2001:470:abcd:9999::1", "0220010470af"},
        {"fc12:3456::1", "05fc1f"},
        {"5wyqrzbvrdsumnok.onion", NULL},
        {"pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion", "037f"},
        {"ukeu3k5oycgaauneqgtnvselmt4yemvoilkln7jpvamvfx7dnkdq.b32.i2p", "04af"},
    };
    struct netgroup *g = netgroup_new(NULL, 0);
    struct net_addr a, b;
    uint8_t got[NETGROUP_MAX], want[NETGROUP_MAX];

    (void)state;
    assert_false(netgroup_has_asmap(g));
    assert_true(hash_is_zero(netgroup_version(g).b));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t len;
        if (!cases[i].group) {
            assert_false(net_addr_parse(&a, cases[i].addr, 1));
            continue;
        }
        a = parse(cases[i].addr);
        len = netgroup_of(g, got, &a);
        assert_int_equal(len, strlen(cases[i].group) / 2);
        assert_true(hex_decode(want, len, cases[i].group));
        assert_memory_equal(got, want, len);
        assert_int_equal(netgroup_asn(g, &a), 0);
    }
    net_addr_from_name(&a, "seed.example");
    net_addr_from_name(&b, "seed.example.net");
    assert_true(net_addr_is_internal(&a));
    assert_false(net_addr_is_valid(&a));
    assert_int_equal(netgroup_of(g, got, &a), 11);
    assert_int_equal(got[0], 6);
    assert_int_equal(netgroup_of(g, want, &b), 11);
    assert_memory_not_equal(got, want, 11);
    netgroup_free(g);
}

static void real_map(void **state)
{
    static const struct {
        const char *addr;
        uint32_t asn;
    } cases[] = {
        {"250.7.0.1", 1000},
        {"101.1.2.3", 1},
        {"101.8.255.255", 8},
        {"101.11.15.9", 8},
        {"1.2.3.4", 0},
        {"64:ff9b::6504:607", 4},
        {"2002:6505:1::1", 5},
        {"2600::1", 0},
        {"127.0.0.1", 0},
        {"fc00::1", 0},
        {"pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion", 0},
    };
    size_t len;
    uint8_t *map = vectors_read("net/asmap.raw", &len), group[NETGROUP_MAX];
    struct netgroup *g;
    struct net_addr a;

    (void)state;
    if (!map)
        return;
    assert_int_equal(len, 59);
    g = netgroup_new(map, len);
    assert_non_null(g);
    assert_true(netgroup_has_asmap(g));
    /* as Core's functional tests know it */
    assert_string_equal(hash_to_hex(netgroup_version(g).b).s, "bafc9da308f45179443bd1d22325400ac9104f741522d003e3fac86700f68895");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        a = parse(cases[i].addr);
        assert_int_equal(netgroup_asn(g, &a), cases[i].asn);
    }
    a = parse("250.7.0.1");
    assert_int_equal(netgroup_of(g, group, &a), 5);
    assert_memory_equal(group, "\x02\xe8\x03\x00\x00", 5);
    for (size_t cut = 0; cut < len; cut++)
        assert_false(asmap_check(map, cut));
    netgroup_free(g);
    free(map);
}

/* Bits in order, as text, to bytes. */
static size_t assemble(uint8_t *out, const char *bits)
{
    size_t n = 0;

    memset(out, 0, 64);
    for (; *bits; bits++) {
        if (*bits == ' ')
            continue;
        out[n / 8] |= (uint8_t)((*bits == '1') << n % 8);
        n++;
    }
    return (n + 7) / 8;
}

/* ASN n < 32769 is: 0, then n-1 in 15 bits. A jump of 17+j: 0, j in 5 bits. A match of one bit b: 0, b. */
static void programs(void **state)
{
    static const uint8_t zero[16], one[16] = {0x80};
    static const struct {
        const char *bits;
        bool sound;
        uint32_t for_zero, for_one;
    } cases[] = {
        {"0 0 000000000000100", true, 5, 5},                                 /* return 5 */
        {"0 0 000000000000100 1", false, 0, 0},                              /* padding that is not zero */
        {"0 0 000000000000100 0000000", true, 5, 5},                         /* seven bits of padding */
        {"0 0 000000000000100 0000000 00000000", false, 0, 0},               /* a byte of it */
        {"10 0 00000 0 0 000000000000001 0 0 000000000000010", true, 2, 3},  /* jump over the first return */
        {"10 0 00001 0 0 000000000000001 0 0 000000000000010", false, 0, 0}, /* into the second one */
        {"111 0 000000000000110 110 0 0 0 0 000000000000001", true, 2, 7},   /* default 7, match 0, return 2 */
        {"111 0 000000000000110 0 0 000000000000001", false, 0, 0},          /* default without use */
        {"110 0 0 110 0 0 0 0 000000000000001", false, 0, 0},                /* two short matches */
        {"111 0 000000000000110 111 0 000000000000110", false, 0, 0},        /* no return */
        {"", false, 0, 0},
    };
    uint8_t map[64];
    uint32_t asn;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t len = assemble(map, cases[i].bits);
        assert_int_equal(asmap_check(map, len), cases[i].sound);
        if (!cases[i].sound)
            continue;
        assert_true(asmap_lookup(&asn, map, len, zero));
        assert_int_equal(asn, cases[i].for_zero);
        assert_true(asmap_lookup(&asn, map, len, one));
        assert_int_equal(asn, cases[i].for_one);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups),
        cmocka_unit_test(real_map),
        cmocka_unit_test(programs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
