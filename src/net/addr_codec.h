/* addr_codec.h - one address in BIP155's form, as in addrv2 messages and in the address manager's files. Pure; any thread. */
#ifndef FARTHING_NET_ADDR_CODEC_H
#define FARTHING_NET_ADDR_CODEC_H

#include "net/netaddr.h"

/** Network id, length, bytes. Networks that we do not know, and IPv6 that embeds IPv4 or Tor v2, leave NET_UNKNOWN. The port is left zero. Returns: false if malformed, with Core's text in *problem when it is not just too short. */
bool addr_read_v2(struct reader *r, struct net_addr *a, const char **problem);
/** NET_UNKNOWN is written as "::". */
void addr_write_v2(struct writer *w, const struct net_addr *a);
/** A port, in network order. */
uint16_t addr_read_port(struct reader *r);
void addr_write_port(struct writer *w, uint16_t port);

#endif
