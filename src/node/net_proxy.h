/* net_proxy.h - by which way each network is reached: what -proxy, -onion, -i2psam, -onlynet and their kin say. Part of struct net_settings. */
#ifndef FARTHING_NODE_NET_PROXY_H
#define FARTHING_NODE_NET_PROXY_H

#include "net/dial.h"
#include "util/args.h"

#define TOR_SOCKS_PORT 9050
#define TOR_CONTROL_PORT 9051
#define I2P_SAM_PORT 7656

struct net_ways {
    struct proxy by_network[NET_CJDNS + 1]; /* index: enum net_network; of NET_I2P the SAM bridge */
    struct proxy names;
    bool reachable[NET_CJDNS + 1]; /* at start; Tor's control port may add NET_ONION */
    bool only_some;                /* -onlynet was given */
    bool onion_allowed;            /* by -onlynet: reachable as soon as there is a proxy */
    bool onion_given;              /* -onion was given: what Tor says of its proxy doesn't count */
    bool cjdns;                    /* addresses in fc00::/8 are CJDNS */
    struct proxy tor_control;      /* where Tor's control port is; PROXY_NONE: unknown name */
    bool randomize, listen_onion, i2p_accept;
};

/** Reads and checks the options; names of proxies are looked up (blocking: once, at start). listen: does the node listen? Any thread.
 *  Returns: false with Core's text in *error (to free). */
bool net_ways_read(struct net_ways *w, const struct args *a, bool listen, char **error);
/** Does -onlynet leave out both IPv4 and IPv6? */
bool net_ways_no_clearnet(const struct args *a);
/** "ipv4", "onion", ... in any case. Returns: NET_UNKNOWN if it is none. */
enum net_network net_network_parse(const char *name);

#endif
