/* tor_control.h - the conversation with Tor's control port (control-spec): authenticate, ask for the SOCKS proxy, have an onion service made. A
 * machine over bytes: no socket, no clock, no file. Loop thread. */
#ifndef FARTHING_NET_TOR_CONTROL_H
#define FARTHING_NET_TOR_CONTROL_H

#include "net/netaddr.h"

#define TOR_COOKIE_SIZE 32

struct tor_control_config {
    const char *password;   /* -torpassword; "": none */
    bool want_socks;        /* ask Tor where its SOCKS proxy listens */
    const char *key;        /* of the onion service that we had before ("ED25519-V3:..."); "": a new one */
    uint16_t virtual_port;  /* of the service, as the world sees it: the chain's default, whatever the node listens on */
    struct net_addr target; /* where Tor passes the service's connections to */
    /* The file with the authentication cookie: hostile until proven otherwise. Returns: false if it cannot be read or has another size. */
    bool (*read_cookie)(void *ctx, uint8_t cookie[TOR_COOKIE_SIZE], const char *path);
    void (*random)(void *ctx, uint8_t *out, size_t len);
    void (*authenticated)(void *ctx);
    void (*socks)(void *ctx, const struct net_addr *proxy);
    /* The service stands. key: to be kept and given next time; NULL: the one that was given. addr: NET_UNKNOWN if Tor's answer makes no sense. */
    void (*service)(void *ctx, const struct net_addr *addr, const char *key);
    void *ctx;
};

struct tor_control;
/** Begins a conversation: the first command stands in the output. config is copied, its strings too. */
struct tor_control *tor_control_new(const struct tor_control_config *config);
void tor_control_free(struct tor_control *t);
/** Takes bytes from Tor. Calls back. Returns: false if the connection is to be closed (lines too long, too many). */
bool tor_control_feed(struct tor_control *t, const void *data, size_t len);
/** What is to be sent; the caller empties it. */
struct writer *tor_control_out(struct tor_control *t);
/** The value of a key in a line such as 'METHODS=COOKIE COOKIEFILE="/a b"' (quoted strings as control-spec 2.1.1 says). Returns: a string to
 *  free; NULL if the key is missing or the line malformed. */
char *tor_control_value(const char *line, const char *key);

#endif
