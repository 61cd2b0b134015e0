/* netaddr.c - what kind of address it is, and its binary forms. Pure; called by connections, permissions and message codecs. */
#include "net/netaddr.h"

#include <netinet/in.h>
#include <string.h>

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
static const uint8_t torv2_prefix[6] = {0xfd, 0x87, 0xd8, 0x7e, 0xeb, 0x43};

size_t net_addr_size(enum net_network n)
{
    switch (n) {
    case NET_IPV4:
        return 4;
    case NET_IPV6:
    case NET_CJDNS:
        return 16;
    case NET_ONION:
    case NET_I2P:
        return 32;
    case NET_UNKNOWN:
        break;
    }
    return 0;
}

bool net_addr_same_ip(const struct net_addr *a, const struct net_addr *b)
{
    return a->network == b->network && memcmp(a->ip, b->ip, sizeof(a->ip)) == 0;
}

bool net_addr_equal(const struct net_addr *a, const struct net_addr *b)
{
    return a->port == b->port && net_addr_same_ip(a, b);
}

void net_addr_from16(struct net_addr *a, const uint8_t ip[16])
{
    uint16_t port = a->port;
    memset(a, 0, sizeof(*a));
    a->port = port;
    if (memcmp(ip, mapped_prefix, sizeof(mapped_prefix)) == 0) {
        a->network = NET_IPV4;
        memcpy(a->ip, ip + 12, 4);
    } else {
        a->network = NET_IPV6;
        if (memcmp(ip, torv2_prefix, sizeof(torv2_prefix)) != 0) /* of a network that is gone: "::", which is not valid */
            memcpy(a->ip, ip, 16);
    }
}

void net_addr_to16(uint8_t out[16], const struct net_addr *a)
{
    memset(out, 0, 16);
    if (a->network == NET_IPV4) {
        memcpy(out, mapped_prefix, sizeof(mapped_prefix));
        memcpy(out + 12, a->ip, 4);
    } else if (a->network == NET_IPV6) {
        memcpy(out, a->ip, 16);
    }
}

bool net_addr_from_sockaddr(struct net_addr *a, const struct sockaddr *sa)
{
    memset(a, 0, sizeof(*a));
    if (sa->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, sa, sizeof(in));
        a->network = NET_IPV4;
        memcpy(a->ip, &in.sin_addr, 4);
        a->port = ntohs(in.sin_port);
        return true;
    }
    if (sa->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, sa, sizeof(in6));
        a->port = ntohs(in6.sin6_port);
        net_addr_from16(a, in6.sin6_addr.s6_addr);
        return true;
    }
    return false;
}

bool net_addr_to_sockaddr(struct sockaddr_storage *out, socklen_t *len, const struct net_addr *a)
{
    memset(out, 0, sizeof(*out));
    if (a->network == NET_IPV4) {
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(a->port)};
        memcpy(&in.sin_addr, a->ip, 4);
        memcpy(out, &in, sizeof(in));
        *len = sizeof(in);
        return true;
    }
    if (a->network == NET_IPV6 || a->network == NET_CJDNS) {
        struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(a->port)};
        memcpy(in6.sin6_addr.s6_addr, a->ip, 16);
        memcpy(out, &in6, sizeof(in6));
        *len = sizeof(in6);
        return true;
    }
    return false;
}

void net_addr_flip_cjdns(struct net_addr *a)
{
    if (a->network == NET_IPV6 && a->ip[0] == 0xfc)
        a->network = NET_CJDNS;
}

bool net_addr_is_any(const struct net_addr *a)
{
    static const uint8_t zero[32];
    return (a->network == NET_IPV4 || a->network == NET_IPV6) && memcmp(a->ip, zero, sizeof(zero)) == 0;
}

bool net_addr_is_valid(const struct net_addr *a)
{
    static const uint8_t documentation[4] = {0x20, 0x01, 0x0d, 0xb8};
    static const uint8_t broadcast[4] = {255, 255, 255, 255};

    if (a->network == NET_UNKNOWN || net_addr_is_any(a) || net_addr_is_internal(a))
        return false;
    if (a->network == NET_IPV4)
        return memcmp(a->ip, broadcast, 4) != 0;
    if (a->network == NET_IPV6)
        return memcmp(a->ip, documentation, 4) != 0;
    if (a->network == NET_CJDNS)
        return a->ip[0] == 0xfc;
    return true;
}

bool net_addr_is_local(const struct net_addr *a)
{
    static const uint8_t loopback6[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    if (a->network == NET_IPV4)
        return a->ip[0] == 127 || a->ip[0] == 0;
    return a->network == NET_IPV6 && memcmp(a->ip, loopback6, 16) == 0;
}

/* A range that does not lead to a host of the public internet: first bytes of an address and how many bits of them count. */
struct special_range {
    uint8_t prefix[8];
    unsigned bits;
};

static const struct special_range unroutable4[] = {
    {{10}, 8}, /* RFC1918 */
    {{192, 168}, 16},
    {{172, 16}, 12},
    {{198, 18}, 15},   /* RFC2544 */
    {{169, 254}, 16},  /* RFC3927 */
    {{100, 64}, 10},   /* RFC6598 */
    {{192, 0, 2}, 24}, /* RFC5737 */
    {{198, 51, 100}, 24},
    {{203, 0, 113}, 24},
};
static const struct special_range unroutable6[] = {
    {{0xfe, 0x80}, 64},             /* RFC4862 */
    {{0xfc}, 7},                    /* RFC4193 */
    {{0x20, 0x01, 0x00, 0x10}, 28}, /* RFC4843 */
    {{0x20, 0x01, 0x00, 0x20}, 28}, /* RFC7343 */
};

static bool in_range(const uint8_t *ip, const struct special_range *r)
{
    unsigned bytes = r->bits / 8, rest = r->bits % 8;
    if (memcmp(ip, r->prefix, bytes) != 0)
        return false;
    return !rest || (ip[bytes] & (0xff << (8 - rest))) == r->prefix[bytes];
}

bool net_addr_is_routable(const struct net_addr *a)
{
    size_t i;

    if (!net_addr_is_valid(a) || net_addr_is_local(a))
        return false;
    if (a->network == NET_IPV4) {
        for (i = 0; i < sizeof(unroutable4) / sizeof(unroutable4[0]); i++)
            if (in_range(a->ip, &unroutable4[i]))
                return false;
    } else if (a->network == NET_IPV6) {
        for (i = 0; i < sizeof(unroutable6) / sizeof(unroutable6[0]); i++)
            if (in_range(a->ip, &unroutable6[i]))
                return false;
    }
    return true;
}

const char *net_addr_network_name(const struct net_addr *a)
{
    if (!net_addr_is_routable(a))
        return "not_publicly_routable";
    switch (a->network) {
    case NET_IPV4:
        return "ipv4";
    case NET_IPV6:
        return "ipv6";
    case NET_ONION:
        return "onion";
    case NET_I2P:
        return "i2p";
    case NET_CJDNS:
        return "cjdns";
    case NET_UNKNOWN:
        break;
    }
    return "not_publicly_routable";
}
