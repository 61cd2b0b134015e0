/* interfaces.c - the addresses of this machine's network interfaces. Called by the node's network glue at start. */
#include <ifaddrs.h>
#include <net/if.h>
#include <stddef.h>

#include "net/endpoint.h"

size_t interface_addrs(struct net_addr *out, size_t max)
{
    struct ifaddrs *list;
    size_t n = 0;

    if (getifaddrs(&list) != 0)
        return 0;
    for (const struct ifaddrs *i = list; i && n < max; i = i->ifa_next)
        if (i->ifa_addr && (i->ifa_flags & IFF_UP) && !(i->ifa_flags & IFF_LOOPBACK))
            n += net_addr_from_sockaddr(&out[n], i->ifa_addr);
    freeifaddrs(list);
    return n;
}
