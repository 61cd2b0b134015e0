/* netaddr_class.c - which network an address counts for: tunnelled IPv4, and names in the dress of an address (sources of the address
 * manager). Pure; called by the network groups and the address manager. */
#include <string.h>

#include "crypto/sha256.h"
#include "net/netaddr.h"

static const uint8_t internal_prefix[6] = {0xfd, 0x6b, 0x88, 0xc0, 0x87, 0x24};

bool net_addr_is_internal(const struct net_addr *a)
{
    return a->network == NET_IPV6 && memcmp(a->ip, internal_prefix, sizeof(internal_prefix)) == 0;
}

void net_addr_from_name(struct net_addr *a, const char *name)
{
    uint8_t hash[32];

    sha256(hash, name, strlen(name));
    memset(a, 0, sizeof(*a));
    a->network = NET_IPV6;
    memcpy(a->ip, internal_prefix, sizeof(internal_prefix));
    memcpy(a->ip + sizeof(internal_prefix), hash, 10);
}

bool net_addr_linked_ipv4(uint8_t out[4], const struct net_addr *a)
{
    static const uint8_t teredo[4] = {0x20, 0x01, 0, 0};
    static const uint8_t translated[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0};
    static const uint8_t well_known[12] = {0, 0x64, 0xff, 0x9b};

    if (!net_addr_is_routable(a))
        return false;
    if (a->network == NET_IPV4) {
        memcpy(out, a->ip, 4);
        return true;
    }
    if (a->network != NET_IPV6)
        return false;
    if (memcmp(a->ip, translated, 12) == 0 || memcmp(a->ip, well_known, 12) == 0) {
        memcpy(out, a->ip + 12, 4);
        return true;
    }
    if (a->ip[0] == 0x20 && a->ip[1] == 0x02) { /* 6to4 */
        memcpy(out, a->ip + 2, 4);
        return true;
    }
    if (memcmp(a->ip, teredo, 4) == 0) {
        for (int i = 0; i < 4; i++)
            out[i] = (uint8_t)~a->ip[12 + i];
        return true;
    }
    return false;
}

enum net_network net_addr_class(const struct net_addr *a)
{
    uint8_t ip4[4];

    if (!net_addr_is_routable(a))
        return NET_UNKNOWN;
    return net_addr_linked_ipv4(ip4, a) ? NET_IPV4 : a->network;
}

size_t net_addr_bytes(uint8_t out[32], const struct net_addr *a)
{
    if (a->network == NET_ONION || a->network == NET_I2P || a->network == NET_CJDNS) {
        memcpy(out, a->ip, net_addr_size(a->network));
        return net_addr_size(a->network);
    }
    net_addr_to16(out, a);
    return 16;
}
