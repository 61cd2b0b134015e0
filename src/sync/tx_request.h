/* tx_request.h - who announced which transaction, and whom to ask now (Core's TxRequestTracker): a data structure of its own, which knows
 * neither messages nor the mempool. Each announcement (a peer and a txid or wtxid) waits for its time, is then one of those that may be asked,
 * is asked, or has failed. At most one peer is asked for a transaction at a time: the preferred ones first, among equals the one that a keyed
 * hash chooses. When a request is answered without success or its time is over, the next one's turn has come. A transaction is forgotten when
 * all who announced it have failed. All operations cost O(log n) for each announcement that they touch. One thread at a time. */
#ifndef FARTHING_SYNC_TX_REQUEST_H
#define FARTHING_SYNC_TX_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tx_requests;
/* A peer's part of it. */
struct tx_announcer;

/** k0, k1: key of the order among equals and of the tables. */
struct tx_requests *tx_requests_new(uint64_t k0, uint64_t k1);
/** All announcers must be gone. */
void tx_requests_free(struct tx_requests *t);
/** id: distinguishes peers; ctx: what tx_announcer_ctx gives back. */
struct tx_announcer *tx_announcer_new(struct tx_requests *t, int64_t id, void *ctx);
/** The peer has left: others are asked for what it was asked for. NULL: nothing happens. */
void tx_announcer_free(struct tx_requests *t, struct tx_announcer *a);
void *tx_announcer_ctx(const struct tx_announcer *a);
int64_t tx_announcer_id(const struct tx_announcer *a);
/** Announcements, failed ones included, and those that are being asked. */
size_t tx_announcer_count(const struct tx_announcer *a);
size_t tx_announcer_in_flight(const struct tx_announcer *a);

/** a announced it. time: when it may be asked (us). Ignored if it did before. */
void tx_requests_announced(struct tx_requests *t, struct tx_announcer *a, const uint8_t hash[32], bool is_wtxid, bool preferred,
                           int64_t time);
/** a is being asked, until `expiry`. Whoever was asked before has failed. */
void tx_requests_asked(struct tx_requests *t, struct tx_announcer *a, const uint8_t hash[32], int64_t expiry);
/** a has answered (the transaction, or notfound): it is not asked again. */
void tx_requests_answered(struct tx_requests *t, struct tx_announcer *a, const uint8_t hash[32]);
/** Nobody needs to be asked any more. */
void tx_requests_forget(struct tx_requests *t, const uint8_t hash[32]);
/** Time has passed: expired (may be NULL) is told of requests that nobody answered in time. A clock that goes back stops waiting longer. */
typedef void (*tx_expired_fn)(void *ctx, struct tx_announcer *a, const uint8_t hash[32], bool is_wtxid);
void tx_requests_advance(struct tx_requests *t, int64_t now, tx_expired_fn expired, void *ctx);
/** What is to be asked of a now, as of the last tx_requests_advance, in the order of announcement. Out: malloc'ed. Returns: the count. */
struct tx_wanted {
    uint8_t hash[32];
    bool is_wtxid;
};
size_t tx_requests_wanted(struct tx_requests *t, struct tx_announcer *a, struct tx_wanted **out);
/** One of those of whom something is to be asked now; NULL if there is none. */
struct tx_announcer *tx_requests_ready(const struct tx_requests *t);
/** When tx_requests_advance has something to do next; INT64_MAX: never. */
int64_t tx_requests_next(const struct tx_requests *t);
/** Those who announced it and have not failed. Out: malloc'ed. Returns: the count. */
size_t tx_requests_candidates(const struct tx_requests *t, const uint8_t hash[32], struct tx_announcer ***out);
/** All announcements. */
size_t tx_requests_size(const struct tx_requests *t);

#endif
