/* local.h - the addresses at which this node can be reached, how sure that is, and which of them to tell a peer. Pure; one thread at a time. */
#ifndef FARTHING_NET_LOCAL_H
#define FARTHING_NET_LOCAL_H

#include "net/netaddr.h"

/* How an address became known (Core's scores); what peers confirm adds one each time. */
#define LOCAL_IF 1     /* of an interface */
#define LOCAL_BIND 2   /* bound to by -bind */
#define LOCAL_MAPPED 3 /* of a router that forwards to us */
#define LOCAL_MANUAL 4 /* given by the user, or ours by a key */

#define MAX_LOCAL_ADDRS 64

struct local_addrs {
    struct {
        struct net_addr addr;
        int score;
    } v[MAX_LOCAL_ADDRS];
    size_t n;
};

/** Adds, or raises the score and takes the port of one that is known with no higher score. Ignored when the list is full. */
void local_addrs_add(struct local_addrs *l, const struct net_addr *a, int score);
void local_addrs_remove(struct local_addrs *l, const struct net_addr *a);
/** The score of an address, whatever the port; 0: not ours. */
int local_addrs_score(const struct local_addrs *l, const struct net_addr *a);
/** A peer sees us at this address. Returns: false if it is not one that we know. */
bool local_addrs_seen(struct local_addrs *l, const struct net_addr *a);
/** How well a node at `theirs` can reach `ours`: the higher the better, 0: not at all (Core's GetReachabilityFrom). */
int local_reachability(const struct net_addr *ours, const struct net_addr *theirs);
/** The best of ours to tell a peer. through: the network that the connection came through (NET_ONION for Tor's listener). Addresses of Tor and
 *  I2P are told only on that network, and nothing else is told there. Out: *out. Returns: false if there is none. */
bool local_addrs_best(struct net_addr *out, const struct local_addrs *l, const struct net_addr *peer, enum net_network through);

#endif
