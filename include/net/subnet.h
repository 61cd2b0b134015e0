/* subnet.h - ranges of addresses ("10.0.0.0/8", "fe80::/10", "1.2.3.4/255.255.0.0"). Pure; any thread. */
#ifndef FARTHING_NET_SUBNET_H
#define FARTHING_NET_SUBNET_H

#include "net/netaddr.h"

struct subnet {
    struct net_addr base;
    unsigned bits; /* leading bits that count; all for a single address */
};

/** Reads an address, an address/bits or an address/netmask. Returns: false if malformed or the mask has holes. */
bool subnet_parse(struct subnet *s, const char *text);
bool subnet_contains(const struct subnet *s, const struct net_addr *a);

#endif
