/* netgroup.h - which addresses are likely to belong to one operator: the group of an address, by its prefix or by an AS map. Immutable once
 * made; any thread. */
#ifndef FARTHING_NET_NETGROUP_H
#define FARTHING_NET_NETGROUP_H

#include "net/netaddr.h"
#include "primitives/hashes.h"

#define NETGROUP_MAX 40 /* bytes of the longest group */

struct netgroup;

/** asmap: the bytes of an AS map (copied), NULL for none. Returns: NULL if they are not a sound map (Core's SanityCheckAsmap for 128 bits). */
struct netgroup *netgroup_new(const uint8_t *asmap, size_t len);
void netgroup_free(struct netgroup *g);
/** Does it have a map? */
bool netgroup_has_asmap(const struct netgroup *g);
/** Hash of the map, as it stands in peers.dat (zero without one). */
struct hash256 netgroup_version(const struct netgroup *g);
/** The autonomous system that announces the address; 0: not mapped, or no map. Tunnelled IPv4 addresses count as IPv4. */
uint32_t netgroup_asn(const struct netgroup *g, const struct net_addr *a);
/** The group (Core's NetGroupManager::GetGroup): all local addresses are one, IPv4 is /16, IPv6 /32, Tor, I2P and CJDNS four bits.
 *  Out: out. Returns: its length. */
size_t netgroup_of(const struct netgroup *g, uint8_t out[NETGROUP_MAX], const struct net_addr *a);

#endif
