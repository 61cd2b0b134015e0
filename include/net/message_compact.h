/* message_compact.h - the messages of compact blocks (BIP152, version 2: short ids over wtxids): cmpctblock, getblocktxn, blocktxn. Pure; any
 * thread. As with the other messages bytes behind the known fields are ignored, and nothing is allocated beyond what the bytes justify. */
#ifndef FARTHING_NET_MESSAGE_COMPACT_H
#define FARTHING_NET_MESSAGE_COMPACT_H

#include "primitives/block.h"

#define CMPCT_VERSION 2u
#define CMPCT_MAX_TXS 65535u /* places of transactions are 16 bits wide */
#define CMPCT_SHORT_ID_BITS 48
/* Prefilled transactions beyond either bound are not decoded: nodes prefill a coinbase and a few more, and who decodes has no time for four
 * megabytes of them. */
#define CMPCT_MAX_PREFILLED 2000u
#define CMPCT_MAX_PREFILLED_BYTES 250000u

/* The SipHash key of one compact block's short ids. */
struct cmpct_key {
    uint64_t k0, k1;
};
/** header: its 80 bytes. */
void cmpct_key_init(struct cmpct_key *key, const uint8_t header[80], uint64_t nonce);
/** The low 48 bits of SipHash-2-4 of the wtxid. */
uint64_t cmpct_short_id(const struct cmpct_key *key, const struct wtxid *id);

struct cmpct_prefilled {
    uint16_t skip; /* places between the one before (or the start) and this one, as on the wire */
    struct tx *tx; /* one reference */
};
struct msg_cmpctblock {
    struct block_header header;
    struct block_hash hash;
    uint64_t nonce;
    struct cmpct_key key;
    uint64_t *short_ids;
    struct cmpct_prefilled *prefilled;
    size_t n_short, n_prefilled; /* together at most CMPCT_MAX_TXS */
    size_t wire_len;             /* bytes of it */
    bool heavy;                  /* more is prefilled than is decoded: prefilled is empty, the block is better asked for whole */
};
/** Bounded work whatever the bytes are: see CMPCT_MAX_PREFILLED. Out: *m, to be cleared on success; *problem: what is wrong, in Core's words.
 *  Returns: false if malformed (*m is empty then). */
bool msg_cmpctblock_decode(struct msg_cmpctblock *m, const void *data, size_t len, const char **problem);
void msg_cmpctblock_clear(struct msg_cmpctblock *m);
/** The compact form of a block (at least one transaction, at most CMPCT_MAX_TXS) with its coinbase prefilled. */
void msg_cmpctblock_encode(struct writer *w, const struct block *b, uint64_t nonce);

struct msg_getblocktxn {
    struct block_hash hash;
    uint16_t *indexes; /* rising; malloc'ed */
    size_t n;
};
/** Returns: false if malformed (nothing to free then). */
bool msg_getblocktxn_decode(struct msg_getblocktxn *m, const void *data, size_t len, const char **problem);
/** indexes: rising. */
void msg_getblocktxn_encode(struct writer *w, const struct block_hash *hash, const uint16_t *indexes, size_t n);

/** Those transactions of the block. Every index is below b->n_tx. */
void msg_blocktxn_encode(struct writer *w, const struct block *b, const uint16_t *indexes, size_t n);

#endif
