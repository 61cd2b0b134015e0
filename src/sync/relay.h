/* relay.h - what relay.c (the table of transactions that may be asked for), backlog.c and trickle.c (telling peers of them) share. Loop thread. */
#ifndef FARTHING_SYNC_RELAY_H
#define FARTHING_SYNC_RELAY_H

#include "sync/internal.h"

/* A transaction of the mempool, which shares it: there may be 300,000 of these. */
struct relay_tx {
    struct tx *tx;
    int64_t fee;
    float score;         /* fee rate of what it is mined with, as it came */
    uint32_t sequence;   /* when it came, against peers that probe for what they were not told; stays at its largest value */
    uint32_t place[2];   /* in the backlogs */
    uint32_t in_pool;    /* in sync.pool */
    uint32_t batch : 31; /* of the batch that is being put in order */
    uint32_t own : 1;    /* no peer has fetched it yet */
};

/* Announcements that wait, and those on their way to one kind of peers (inbound, others). The rate at which they are let go is bounded, by
 * count and by size of the transactions; the best go first. What was let go stands in a log, which each peer reads at its own times. */
struct backlog {
    struct prio waiting; /* of relay_tx, best first */
    size_t stale;        /* were waiting when they left the mempool, since the backlog was last worked on */
    double count, size;  /* tokens */
    double rate;         /* of both */
    int64_t filled;      /* us; 0: never */
    struct wtxid *log;   /* n_log of them, the first one has number log_first */
    size_t n_log, cap_log;
    uint64_t log_first;
    unsigned n_peers; /* that are told of transactions */
};

struct relay_tx *relay_by_wtxid(const struct sync *s, const uint8_t hash[32]);
struct relay_tx *relay_by_txid(const struct sync *s, const uint8_t hash[32]);

static inline unsigned relay_side(const struct peer *p)
{
    return peer_inbound(p) ? 0 : 1;
}

/* ---- backlog.c ---- */
#define RELAY_MAX_DEPTH 200 /* of ancestors: clusters are smaller */
/** Of two struct relay_tx. */
bool relay_better(const void *a, const void *b);
void backlog_init(struct sync *s);
void backlog_clear(struct sync *s);
/** p is told of what is let go from now on. */
void backlog_join(struct sync *s, struct peer *p);
/** It leaves the mempool. */
void backlog_removed(struct sync *s, struct relay_tx *r);
/** Out: the part of the log that p has not read. Returns: its length. */
size_t backlog_unread(const struct sync *s, const struct peer *p, const struct wtxid **out);
void backlog_all_read(const struct sync *s, struct peer *p);

#endif
