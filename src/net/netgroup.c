/* netgroup.c - groups of addresses that are likely to belong to one operator. Immutable; the address manager, the choice of peers and getpeerinfo
 * ask it. */
#include "net/netgroup.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/sha256.h"
#include "net/asmap.h"
#include "util/mem.h"

/* The first byte of a group, as Core numbers its networks. They are hashed into places of peers.dat. */
enum { GROUP_UNROUTABLE, GROUP_IPV4, GROUP_IPV6, GROUP_ONION, GROUP_I2P, GROUP_CJDNS, GROUP_INTERNAL };

struct netgroup {
    uint8_t *asmap; /* NULL: none */
    size_t len;
};

struct netgroup *netgroup_new(const uint8_t *asmap, size_t len)
{
    struct netgroup *g;

    if (asmap && !asmap_check(asmap, len))
        return NULL;
    g = xcalloc(1, sizeof(*g));
    if (asmap) {
        g->asmap = xmemdup(asmap, len);
        g->len = len;
    }
    return g;
}

void netgroup_free(struct netgroup *g)
{
    if (!g)
        return;
    free(g->asmap);
    free(g);
}

bool netgroup_has_asmap(const struct netgroup *g)
{
    return g->asmap != NULL;
}

struct hash256 netgroup_version(const struct netgroup *g)
{
    struct hash256 v = {{0}};

    if (g->asmap)
        sha256d(v.b, g->asmap, g->len);
    return v;
}

uint32_t netgroup_asn(const struct netgroup *g, const struct net_addr *a)
{
    enum net_network class;
    struct net_addr ip4 = {.network = NET_IPV4};
    uint8_t ip[16];
    uint32_t asn;

    if (!g->asmap)
        return 0;
    class = net_addr_class(a);
    if (class != NET_IPV4 && class != NET_IPV6)
        return 0;
    net_addr_to16(ip, net_addr_linked_ipv4(ip4.ip, a) ? &ip4 : a);
    return asmap_lookup(&asn, g->asmap, g->len, ip) ? asn : 0;
}

/* The first bits of an address; the rest of the last byte is ones. */
static size_t put_prefix(uint8_t *out, const uint8_t *ip, unsigned bits)
{
    size_t n = bits / 8;

    memcpy(out, ip, n);
    if (bits % 8) {
        out[n] = ip[n] | (uint8_t)(0xff >> bits % 8);
        n++;
    }
    return n;
}

static uint8_t group_class(enum net_network n)
{
    switch (n) {
    case NET_IPV4:
        return GROUP_IPV4;
    case NET_IPV6:
        return GROUP_IPV6;
    case NET_ONION:
        return GROUP_ONION;
    case NET_I2P:
        return GROUP_I2P;
    case NET_CJDNS:
        return GROUP_CJDNS;
    case NET_UNKNOWN:
        break;
    }
    return GROUP_UNROUTABLE;
}

size_t netgroup_of(const struct netgroup *g, uint8_t out[NETGROUP_MAX], const struct net_addr *a)
{
    static const uint8_t he_net[4] = {0x20, 0x01, 0x04, 0x70};
    uint32_t asn = netgroup_asn(g, a);
    uint8_t ip4[4];

    if (asn) { /* IPv4 and IPv6 of one system are one group */
        out[0] = GROUP_IPV6;
        for (int i = 0; i < 4; i++)
            out[1 + i] = (uint8_t)(asn >> 8 * i);
        return 5;
    }
    if (net_addr_is_internal(a)) {
        out[0] = GROUP_INTERNAL;
        memcpy(out + 1, a->ip + 6, 10);
        return 11;
    }
    out[0] = group_class(net_addr_class(a));
    if (out[0] == GROUP_UNROUTABLE)
        return 1;
    if (net_addr_linked_ipv4(ip4, a))
        return 1 + put_prefix(out + 1, ip4, 16);
    if (a->network == NET_CJDNS) /* its first byte is always the same */
        return 1 + put_prefix(out + 1, a->ip, 12);
    if (a->network != NET_IPV6)
        return 1 + put_prefix(out + 1, a->ip, 4);
    return 1 + put_prefix(out + 1, a->ip, memcmp(a->ip, he_net, 4) == 0 ? 36 : 32);
}
