/* message.h - the messages of the Bitcoin protocol as small structs, and their codecs. Pure; any thread.
 *
 * Decoders take the payload of one message and ignore bytes behind the fields they know, as Bitcoin Core does. They return false for
 * a payload that ends early or has an impossible value; nothing is allocated beyond what the bytes at hand justify. */
#ifndef FARTHING_NET_MESSAGE_H
#define FARTHING_NET_MESSAGE_H

#include "net/netaddr.h"
#include "primitives/block.h"

struct message {
    char type[13];          /* NUL-terminated */
    const uint8_t *payload; /* borrowed */
    size_t len;
    uint8_t **owner; /* where message_take finds the malloc'ed payload; NULL: it can only be copied */
};
/** The payload as a malloc'ed block of the caller's own: handed over where that is possible, else copied. m->payload stays readable as long as
 *  the result lives. */
uint8_t *message_take(const struct message *m);

#define PROTOCOL_VERSION 70017
#define MIN_PEER_VERSION 31800
#define BIP31_VERSION 60000 /* pong, when above */
#define SENDHEADERS_VERSION 70012
#define FEEFILTER_VERSION 70013
#define SENDCMPCT_VERSION 70014
#define WTXIDRELAY_VERSION 70016
#define FEATURE_VERSION 70017

#define NODE_NETWORK 1u
#define NODE_BLOOM 4u
#define NODE_WITNESS 8u
#define NODE_COMPACT_FILTERS 64u
#define NODE_NETWORK_LIMITED 1024u
#define NODE_P2P_V2 2048u

#define INV_TX 1u
#define INV_BLOCK 2u
#define INV_FILTERED_BLOCK 3u
#define INV_CMPCT_BLOCK 4u
#define INV_WTX 5u
#define INV_WITNESS 0x40000000u
#define INV_WITNESS_BLOCK (INV_BLOCK | INV_WITNESS)
#define INV_WITNESS_TX (INV_TX | INV_WITNESS)

#define MAX_INV_ITEMS 50000u
#define MAX_LOCATOR_ITEMS 101u
#define MAX_HEADERS_ITEMS 2000u
#define MAX_ADDR_ITEMS 1000u
#define MAX_USER_AGENT 256u

struct msg_version {
    int32_t version;
    uint64_t services;
    int64_t time;
    uint64_t addr_recv_services;
    struct net_addr addr_recv; /* the receiver as the sender sees it */
    uint64_t nonce;
    char user_agent[MAX_USER_AGENT + 1];
    int32_t start_height;
    bool relay;
};
void msg_version_encode(struct writer *w, const struct msg_version *m);
/** Fields behind addr_recv are optional in old versions: nonce 1, height -1, relay true. */
bool msg_version_decode(struct msg_version *m, const void *data, size_t len);

struct inv {
    uint32_t type;
    uint8_t hash[32];
};
static inline bool inv_is_tx(const struct inv *i)
{
    return i->type == INV_TX || i->type == INV_WTX || i->type == INV_WITNESS_TX;
}
static inline bool inv_is_block(const struct inv *i)
{
    return i->type == INV_BLOCK || i->type == INV_FILTERED_BLOCK || i->type == INV_CMPCT_BLOCK || i->type == INV_WITNESS_BLOCK;
}
/** inv, getdata, notfound. Out: *items (malloc'ed, to free on success), *n. */
bool msg_inv_decode(struct inv **items, size_t *n, const void *data, size_t len);
void msg_inv_encode(struct writer *w, const struct inv *items, size_t n);
/** "tx 00..", "witness-block 00..", as the log shows an item. Out: out (96 bytes). */
const char *inv_text(char out[96], const struct inv *i);

/* getheaders and getblocks. */
struct msg_locator {
    struct block_hash *hashes; /* malloc'ed */
    size_t n;
    struct block_hash stop;
};
bool msg_locator_decode(struct msg_locator *m, const void *data, size_t len);
void msg_locator_encode(struct writer *w, const struct block_hash *hashes, size_t n, const struct block_hash *stop);

/** Out: *headers (malloc'ed, NULL when there are more than MAX_HEADERS_ITEMS), *n as announced. */
bool msg_headers_decode(struct block_header **headers, size_t *n, const void *data, size_t len);
void msg_headers_encode(struct writer *w, const struct block_header *headers, size_t n);

struct addr_entry {
    uint32_t time;
    uint64_t services;
    struct net_addr addr; /* NET_UNKNOWN: of a network that we do not know */
};
/** addr (v2 false) and addrv2. Out: *entries (malloc'ed; NULL when *n is over MAX_ADDR_ITEMS), *n. *problem (may be NULL): what is wrong. */
bool msg_addr_decode(struct addr_entry **entries, size_t *n, bool v2, const void *data, size_t len, const char **problem);
void msg_addr_encode(struct writer *w, const struct addr_entry *entries, size_t n, bool v2);

struct msg_sendcmpct {
    uint8_t announce;
    uint64_t version;
};
bool msg_sendcmpct_decode(struct msg_sendcmpct *m, const void *data, size_t len);
void msg_sendcmpct_encode(struct writer *w, const struct msg_sendcmpct *m);

/** ping, pong (nonce) and feefilter (satoshi per 1,000 vB): eight bytes. */
bool msg_u64_decode(uint64_t *v, const void *data, size_t len);

/** Is it a type that Core counts by name (others are "*other*")? */
bool message_type_known(const char *type);
/** Copies text with only the characters that the log may show. Out: out (size bytes, NUL-terminated). */
void message_sanitize(char *out, size_t size, const char *text, size_t len);

#endif
