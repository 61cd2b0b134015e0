/* orphanage.h - transactions whose parents are missing (Core's TxOrphanage of version 30 and later): each is kept once, with all the peers that
 * announced it. What may be kept is bounded for all peers together, and shared fairly: when it is too much, the peer that uses most of its
 * share loses its oldest announcements, so that nobody can push out what others brought within theirs. An orphan goes with its last
 * announcement. All operations are O(log n) for each announcement and input that they touch. One thread at a time. */
#ifndef FARTHING_SYNC_ORPHANAGE_H
#define FARTHING_SYNC_ORPHANAGE_H

#include "primitives/block.h"
#include "sync/sync.h"
#include "util/random.h"

#define ORPHANAGE_MAX_LATENCY 3000   /* announcements, and a tenth of the inputs, of all peers */
#define ORPHANAGE_PEER_WEIGHT 404000 /* each peer's share of memory, as weight */

struct orphanage;

/** rng: borrowed. */
struct orphanage *orphanage_new(size_t max_latency, int64_t peer_weight, struct rng *rng);
void orphanage_free(struct orphanage *o);

/** Keeps tx as announced by peer (ref'ed) and then makes room. Returns: true if it is new; false if it is another announcer, too large, or
 *  known from that peer. */
bool orphanage_add(struct orphanage *o, struct tx *tx, int64_t peer);
/** Another announcer. Returns: false if it is not kept, or known from that peer. */
bool orphanage_add_announcer(struct orphanage *o, const struct wtxid *id, int64_t peer);
/** Borrowed; NULL if it is not there. */
struct tx *orphanage_get(const struct orphanage *o, const struct wtxid *id);
bool orphanage_has_from(const struct orphanage *o, const struct wtxid *id, int64_t peer);
bool orphanage_remove(struct orphanage *o, const struct wtxid *id);
/** The peer has left. */
void orphanage_remove_peer(struct orphanage *o, int64_t peer);
/** Removes what the block contains or conflicts with. */
void orphanage_remove_block(struct orphanage *o, const struct block *b);

/** tx can be spent now: orphans that spend it are put into the work set of one of their announcers, chosen at random. */
void orphanage_children_ready(struct orphanage *o, const struct tx *tx);
/** Takes the oldest one out of a peer's work set. Returns: a reference, NULL if the set is empty. */
struct tx *orphanage_take_ready(struct orphanage *o, int64_t peer);
/** The peers that have something in their work sets. Out: malloc'ed, NULL if there are none. Returns: the count. */
size_t orphanage_ready_peers(const struct orphanage *o, int64_t **out);
/** Orphans that peer announced and that spend outputs of parent, youngest first. Out: malloc'ed, borrowed transactions. Returns: the count. */
size_t orphanage_children(const struct orphanage *o, const struct tx *parent, int64_t peer, struct tx ***out);

/** All of them. Out: malloc'ed, one allocation. Returns: the count. */
size_t orphanage_list(const struct orphanage *o, struct orphan_info **out);

struct orphanage_usage {
    size_t n, announcements, latency; /* n: 0 for one peer */
    int64_t weight;
};
/** All together (each orphan once), and one peer's. */
struct orphanage_usage orphanage_total(const struct orphanage *o);
struct orphanage_usage orphanage_peer(const struct orphanage *o, int64_t peer);

#endif
