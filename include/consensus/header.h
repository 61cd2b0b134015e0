/* header.h - rules of headers over a linked view of ancestors: proof of work, retargeting, time, version, deployments.
 * Pure; any thread that keeps the nodes alive and unchanged. */
#ifndef FARTHING_CONSENSUS_HEADER_H
#define FARTHING_CONSENSUS_HEADER_H

#include "consensus/params.h"
#include "consensus/verdict.h"

/* A header with its place: the first member of the chain module's block entry. */
struct header_node {
    const struct header_node *prev; /* NULL for genesis */
    const struct header_node *skip; /* an ancestor further back, the same distance for all nodes of a height; NULL for genesis */
    struct block_hash hash;
    struct u256 chain_work; /* of the whole branch up to here */
    struct hash256 merkle_root;
    int32_t height;
    int32_t version;
    uint32_t time;
    uint32_t bits;
    uint32_t nonce;
    uint32_t time_max; /* highest time in the branch up to here */
};

/** Fills a node from a header and its place (prev NULL: genesis). hash: of the header. */
void header_node_init(struct header_node *n, const struct block_header *h, const struct block_hash *hash,
                      const struct header_node *prev);
/** The header back. */
void header_node_header(struct block_header *h, const struct header_node *n);
/** Ancestor at that height in O(log n); NULL if height is out of range. */
const struct header_node *header_node_ancestor(const struct header_node *n, int32_t height);
/** Last common ancestor of two nodes of one tree, in O(log n). */
const struct header_node *header_node_fork(const struct header_node *a, const struct header_node *b);
/** Median time of the last 11 (BIP113); n may not be NULL. */
int64_t header_node_mtp(const struct header_node *n);

/** The bits that a block after prev with that time must have. */
uint32_t next_work_required(const struct chain_params *p, const struct header_node *prev, uint32_t block_time);
/** Is the claimed target in range and met? */
bool check_proof_of_work(const struct chain_params *p, const struct block_hash *hash, uint32_t bits);
/** Could bits change like that at this height? (header presync) */
bool permitted_difficulty_transition(const struct chain_params *p, int32_t height, uint32_t old_bits, uint32_t new_bits);
/** The version that a block must at least have at that height: bad-version(0x...). */
bool check_block_version(const struct chain_params *p, int32_t version, int32_t height, struct verdict *v);
#define MAX_FUTURE_SECONDS (2 * 60 * 60) /* so far ahead of our clock may a block be */
/** Rules of a header given its parent: bits, median time, BIP94 timewarp, future time, version. now: adjusted time in seconds. */
bool check_header_context(const struct chain_params *p, const struct block_header *h, const struct header_node *prev, int64_t now,
                          struct verdict *v);

/** Seconds that the work between two nodes takes at the rate of tip's difficulty; negative if to has less work than from
 *  (Core's GetBlockProofEquivalentTime). */
int64_t header_node_work_time(const struct chain_params *p, const struct header_node *to, const struct header_node *from,
                              const struct header_node *tip);

/** New coins of the block at that height, in satoshi. */
int64_t block_subsidy(const struct chain_params *p, int32_t height);
/** Is a buried deployment active in the block after prev (prev NULL: genesis)? */
bool deployment_active_after(const struct chain_params *p, const struct header_node *prev, enum buried_deployment d);
/** Script flags for the block n (its own node). */
uint32_t block_script_flags(const struct chain_params *p, const struct header_node *n);
/** The same from bare facts. */
uint32_t block_script_flags_at(const struct chain_params *p, int32_t height, const struct block_hash *hash);

enum bip9_state { BIP9_DEFINED, BIP9_STARTED, BIP9_LOCKED_IN, BIP9_ACTIVE, BIP9_FAILED };
const char *bip9_state_name(enum bip9_state s); /* "defined", "started", "locked_in", "active", "failed" */
/** State of a BIP9 deployment for the block after prev (prev may be NULL). Walks back by periods; cost O(periods). */
enum bip9_state bip9_state_after(const struct bip9_deployment *d, const struct header_node *prev);
/** Height of the first block of the period since which that state holds. */
int32_t bip9_state_since(const struct bip9_deployment *d, const struct header_node *prev);
struct bip9_stats {
    uint32_t period, threshold, elapsed, count;
    bool possible;
};
/** Signalling in the period that n is in, up to n. signals (may be NULL): room for `period` flags, filled for the elapsed blocks. */
void bip9_statistics(struct bip9_stats *out, const struct bip9_deployment *d, const struct header_node *n, bool *signals);
/* Rules that miners signal but this node does not know: the state of the bits that BIP323 leaves to deployments (0 to 4). A plain
 * value that remembers how far it has looked, so that following the tip costs one period; zero it before its first use. */
#define BIP9_WARNING_BITS 5
struct bip9_warnings {
    const struct header_node *at; /* last block of the newest period looked at */
    uint8_t state[BIP9_WARNING_BITS];
};
/** Looks at the chain that ends with tip. w->at, if set, must still be alive; it may be on another branch.
 *  Out: masks of the bits, whose rules are locked in or active for the block after tip (Core's CheckUnknownActivations). */
void bip9_warnings_update(struct bip9_warnings *w, const struct chain_params *p, const struct header_node *tip, uint32_t *locked_in,
                          uint32_t *active);
/** Version for a new block after prev. */
int32_t block_version_after(const struct chain_params *p, const struct header_node *prev);

#endif
