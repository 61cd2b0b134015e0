/* outbound.h - what kind of connection to open next, and which ports not to connect to. Pure; any thread. */
#ifndef FARTHING_NET_OUTBOUND_H
#define FARTHING_NET_OUTBOUND_H

#include <stdbool.h>
#include <stdint.h>

enum outbound_kind {
    OUTBOUND_NONE,        /* all slots are taken and no timer has ended */
    OUTBOUND_ANCHOR,      /* a block-relay peer of before the restart */
    OUTBOUND_FULL_RELAY,  /* one of the eight, or one more because the tip is stale */
    OUTBOUND_BLOCK_RELAY, /* one of the two, or one for a while to look at its tip */
    OUTBOUND_FEELER,      /* to see whether an address is alive */
    OUTBOUND_NETWORK,     /* a full-relay peer on a network where we have none */
};

struct outbound_state {
    unsigned full_relay, block_relay;                         /* peers that we have */
    unsigned max_full_relay, max_block_relay;                 /* and want */
    unsigned usual_full_relay;                                /* what is wanted without -maxconnections */
    unsigned anchors;                                         /* left to try */
    bool tip_stale, sync_done;                                /* sync_wants_extra_peer, sync_initial_sync_done */
    int64_t now, next_block_relay, next_feeler, next_network; /* us */
};
/** The decision of Core's ThreadOpenConnections. For OUTBOUND_NETWORK the caller must find such a network; none: nothing is opened. *timed: the
 *  kind's timer has ended and is to be set anew (OUTBOUND_NETWORK: once a network was found). */
enum outbound_kind outbound_next(const struct outbound_state *s, bool *timed);

/** Is it a port that other services use, so that a node there is a trap for our users (Core's IsBadPort)? */
bool outbound_port_is_bad(uint16_t port);

#endif
