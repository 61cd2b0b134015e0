/* subnet.h - ranges of addresses ("10.0.0.0/8", "fe80::/10", "1.2.3.4/255.255.0.0"). Pure; any thread. */
#ifndef FARTHING_NET_SUBNET_H
#define FARTHING_NET_SUBNET_H

#include "net/netaddr.h"

struct subnet {
    struct net_addr base;
    unsigned bits; /* leading bits that count; all for a single address */
};

/** Reads an address, an address/bits or an address/netmask. Bits of the address behind the mask become zero.
 *  Returns: false if malformed or the mask has holes. */
bool subnet_parse(struct subnet *s, const char *text);
bool subnet_contains(const struct subnet *s, const struct net_addr *a);
/** The subnet of one address (its port does not count). */
void subnet_of_addr(struct subnet *s, const struct net_addr *a);
/** Order by network, address, size: below zero, zero, above zero. */
int subnet_compare(const struct subnet *a, const struct subnet *b);
#define SUBNET_TEXT (NET_ADDR_TEXT + 4)
/** "10.0.0.0/8"; the bare address for networks without ranges (Tor, I2P, CJDNS). */
void subnet_text(char out[SUBNET_TEXT], const struct subnet *s);

#endif
