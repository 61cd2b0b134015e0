/* netaddr.h - network addresses with their network (IPv4, IPv6, Tor v3, I2P, CJDNS), their text and wire forms. Pure; any thread. */
#ifndef FARTHING_NET_NETADDR_H
#define FARTHING_NET_NETADDR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "util/bytes.h"

/* The numbers are BIP155's network ids. */
enum net_network { NET_UNKNOWN = 0, NET_IPV4 = 1, NET_IPV6 = 2, NET_ONION = 4, NET_I2P = 5, NET_CJDNS = 6 };

/* An address and a port; an all-zero struct is "no address". */
struct net_addr {
    enum net_network network;
    uint8_t ip[32]; /* 4, 16 or 32 bytes as the network says; the rest is zero */
    uint16_t port;
};

#define NET_ADDR_TEXT 96 /* room that any printed address with port and NUL fits in */

/** Bytes of an address of that network: 4, 16, 32; 0 if unknown. */
size_t net_addr_size(enum net_network n);
/** Same address / same address and port. */
bool net_addr_same_ip(const struct net_addr *a, const struct net_addr *b);
bool net_addr_equal(const struct net_addr *a, const struct net_addr *b);
/** From and to the 16 bytes of old messages (IPv4-mapped IPv6). Out of to16: zeroes for networks without such a form. */
void net_addr_from16(struct net_addr *a, const uint8_t ip[16]);
void net_addr_to16(uint8_t out[16], const struct net_addr *a);
/** From and to the system's form. Returns: false for a family or network that it cannot hold. */
bool net_addr_from_sockaddr(struct net_addr *a, const struct sockaddr *sa);
bool net_addr_to_sockaddr(struct sockaddr_storage *out, socklen_t *len, const struct net_addr *a);
/** "1.2.3.4", "::1" (RFC 5952), "....onion", "....b32.i2p". Out: out (NET_ADDR_TEXT). */
void net_addr_ip_text(char out[NET_ADDR_TEXT], const struct net_addr *a);
/** "1.2.3.4:8333", "[::1]:8333". */
void net_addr_text(char out[NET_ADDR_TEXT], const struct net_addr *a);
/** Splits "host:port", "[v6]:port", "host" as Core's SplitHostPort. Out: host (size bytes), *port (left alone when absent).
 *  Returns: false if the port is not a number in 1..65535 or the host does not fit. */
bool net_split_host_port(char *host, size_t size, uint16_t *port, const char *text);
/** Reads a numeric host (no names are looked up), with an optional port; I2P addresses have port 0 unless one is given. Returns: false if it is a name or malformed. */
bool net_addr_parse(struct net_addr *a, const char *text, uint16_t default_port);
/** Where the user says that fc00::/8 is CJDNS (-cjdnsreachable): makes an IPv6 address in that range a CJDNS one. */
void net_addr_flip_cjdns(struct net_addr *a);
/** Core's IsValid, IsLocal and IsRoutable. */
bool net_addr_is_valid(const struct net_addr *a);
bool net_addr_is_local(const struct net_addr *a);
bool net_addr_is_routable(const struct net_addr *a);
bool net_addr_is_any(const struct net_addr *a);
/** A name in the dress of an address (in fd6b:88c0:8724::/48, Core's NET_INTERNAL): the source of addresses that a DNS seed gave. Never valid. */
bool net_addr_is_internal(const struct net_addr *a);
/** The internal address of a name. */
void net_addr_from_name(struct net_addr *a, const char *name);
/** The IPv4 address that a routable address is or tunnels (RFC 6145, RFC 6052, 6to4, Teredo). Returns: false if there is none. */
bool net_addr_linked_ipv4(uint8_t out[4], const struct net_addr *a);
/** Core's GetNetClass: the network, but IPv4 for what tunnels it, and NET_UNKNOWN for what is not routable. */
enum net_network net_addr_class(const struct net_addr *a);
/** Core's GetAddrBytes: the 16 bytes of old messages for IPv4 and IPv6, the address itself for others. Returns: the length. */
size_t net_addr_bytes(uint8_t out[32], const struct net_addr *a);
/** "ipv4", "ipv6", "onion", "i2p", "cjdns", "not_publicly_routable": as getpeerinfo names it. */
const char *net_addr_network_name(const struct net_addr *a);

#endif
