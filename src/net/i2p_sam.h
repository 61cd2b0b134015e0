/* i2p_sam.h - the client's side of I2P's SAM 3.1 bridge as machines over lines: making a session, connecting and accepting in it. No socket, no
 * clock, no file; dial_i2p.c moves the bytes and keeps the key. Source: geti2p.net/en/docs/api/samv3. */
#ifndef FARTHING_NET_I2P_SAM_PRIV_H
#define FARTHING_NET_I2P_SAM_PRIV_H

#include "net/exchange.h"
#include "net/netaddr.h"

#define SAM_ID_TEXT 11     /* with NUL */
#define SAM_LINE_MAX 65536 /* an answer is about 1,400 bytes; no router may make us keep more than this */
#define SAM_KEY_MAX 4096   /* bytes of a private key with its destination; today's have 679 */
#define SAM_NAME_MAX 128   /* a name to look up, with NUL */

enum sam_step {
    SAM_HELLO,
    SAM_GENERATE, /* DEST GENERATE: a key of our own */
    SAM_SESSION,  /* SESSION CREATE */
    SAM_LOOKUP,   /* NAMING LOOKUP */
    SAM_CONNECT,  /* STREAM CONNECT */
    SAM_ACCEPT,   /* STREAM ACCEPT */
    SAM_PEER      /* who has connected: one line with its destination */
};
enum sam_purpose { SAM_FOR_SESSION, SAM_FOR_TRANSIENT, SAM_FOR_CONNECT, SAM_FOR_ACCEPT, SAM_FOR_PEER };

struct sam {
    enum sam_purpose purpose;
    enum sam_step step;
    char id[SAM_ID_TEXT];
    char name[SAM_NAME_MAX]; /* SAM_FOR_CONNECT */
    struct writer line;      /* of the answer so far */
    struct writer out;       /* to be sent */
    struct writer key;       /* SAM_FOR_SESSION: the private key; empty at first: one is made */
    bool key_is_new;         /* the router made it: to be kept */
    struct net_addr addr;    /* our own (sessions), or the peer's (SAM_FOR_PEER); port 0 */
    bool session_dead;       /* the router doesn't know the session any more */
    bool peer_at_fault;      /* the bridge works; the peer cannot be reached */
    char *error;             /* why it failed; owned */
};

/** Begins with HELLO (SAM_FOR_PEER: with nothing). id: the session's. Before the first byte comes, the caller may set name or key. */
void sam_init(struct sam *s, enum sam_purpose purpose, const char *id);
void sam_clear(struct sam *s);
/** Takes bytes of the bridge. Out: *used: up to the end of the last line that the conversation has. */
enum exchange_step sam_feed(void *sam, const uint8_t *data, size_t len, size_t *used);
/** The address that a private key (starting with its destination) leads to. Returns: false if it is not one. */
bool sam_key_addr(struct net_addr *a, const uint8_t *key, size_t len);

#endif
