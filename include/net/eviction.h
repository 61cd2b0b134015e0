/* eviction.h - which inbound peer goes when all slots are taken. Several traits that are hard to forge protect some peers each, so that an
 * attacker would have to be better than honest peers at all of them at once. Pure; any thread. */
#ifndef FARTHING_NET_EVICTION_H
#define FARTHING_NET_EVICTION_H

#include "net/netaddr.h"

struct eviction_candidate {
    int64_t id;
    int64_t connected;        /* when; any unit */
    int64_t min_ping;         /* INT64_MAX: not measured */
    int64_t last_block;       /* when it last gave us a block that we did not have, 0: never */
    int64_t last_tx;          /* the same of transactions accepted to the memory pool */
    uint64_t net_group;       /* keyed hash of its network group */
    enum net_network network; /* through which it came (NET_ONION for Tor's listener) */
    bool local;               /* its address is one of this machine */
    bool inbound, noban;      /* others are never chosen */
    bool services;            /* offers all that we want of a peer */
    bool relays_txs;          /* takes part in transaction relay */
    bool bloom;               /* has loaded a filter */
    bool prefer_evict;        /* was discouraged before it came */
};

/** Chooses as Core's SelectNodeToEvict does. In: c (n, left in another order). Out: *id. Returns: false if every one is protected. */
bool eviction_choose(int64_t *id, struct eviction_candidate *c, size_t n);
/** One step of it: removes the protected half from c: those connected longest, with up to half of that half kept for Tor, I2P, CJDNS and local
 *  peers, which are slow by nature (Core's ProtectEvictionCandidatesByRatio). Returns: how many are left, most recently connected first. */
size_t eviction_protect_by_ratio(struct eviction_candidate *c, size_t n);

#endif
