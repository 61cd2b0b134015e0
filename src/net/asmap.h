/* asmap.h - the compressed map from address prefixes to autonomous systems, as Bitcoin Core's asmap files hold it: a program of bits that
 * looks at the bits of an address. Pure; any thread. */
#ifndef FARTHING_NET_ASMAP_H
#define FARTHING_NET_ASMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Does every path of the map end in a result, within 128 bits of address, without waste? Linear in the map (Core's SanityCheckAsmap). */
bool asmap_check(const uint8_t *map, size_t len);
/** Out: *asn, 0 if not mapped. ip: 16 bytes (IPv4 as IPv4-mapped IPv6). Returns: false if the map ends before the answer; never for one
 *  that asmap_check has passed. */
bool asmap_lookup(uint32_t *asn, const uint8_t *map, size_t len, const uint8_t ip[16]);

#endif
