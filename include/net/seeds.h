/* seeds.h - fixed seeds: addresses built into the program, for a node that knows no others. Pure; any thread. */
#ifndef FARTHING_NET_SEEDS_H
#define FARTHING_NET_SEEDS_H

#include "net/netaddr.h"

/** chain: "main", "test", "testnet4", "signet" (others have none). Out: *out malloc'ed, NULL for none. Returns: the count. */
size_t seeds_fixed(struct net_addr **out, const char *chain);

#endif
