/* dial.h - outgoing connections by the way that an address's network needs: directly, through a SOCKS5 proxy (RFC 1928, 1929; Tor), or through
 * an I2P router (SAM 3.1). Loop thread only. */
#ifndef FARTHING_NET_DIAL_H
#define FARTHING_NET_DIAL_H

#include "net/endpoint.h"

enum proxy_kind { PROXY_NONE, PROXY_TCP, PROXY_UNIX };
struct proxy {
    enum proxy_kind kind;
    struct net_addr addr; /* PROXY_TCP */
    char path[108];       /* PROXY_UNIX */
    bool randomize;       /* another user name and password for each connection: Tor builds a circuit of its own for it */
};
/** "127.0.0.1:9050", "[::1]:9050", "unix:/path". Returns: false if malformed. */
bool proxy_parse(struct proxy *p, const char *text, uint16_t default_port);
/** As getnetworkinfo shows it: "127.0.0.1:9050" or "unix:/path"; "" for none. Out: out (size bytes). */
void proxy_text(char *out, size_t size, const struct proxy *p);

struct dialer;
struct dialer_options {
    struct proxy by_network[NET_CJDNS + 1]; /* index: enum net_network */
    struct proxy names;                     /* for host names; PROXY_NONE: they are looked up (where allowed) */
    struct proxy i2p_sam;                   /* the router's SAM bridge; PROXY_NONE: no I2P */
    const char
        *i2p_key_path; /* where our I2P destination's private key is kept (made when missing); NULL: another for each connection */
    bool allow_names;  /* -dns: may names be looked up through the system's resolver? */
    int connect_timeout_ms;
};
/** o is copied; i2p_key_path must outlive it. */
struct dialer *dialer_new(struct loop *l, const struct dialer_options *o);
/** Dials under way end without a call. */
void dialer_free(struct dialer *d);
/** The onion proxy became known later (Tor's control port). Dials under way keep theirs. */
void dialer_set_proxy(struct dialer *d, enum net_network network, const struct proxy *p);
/** Of NET_I2P: the router's SAM bridge. Returns: kind PROXY_NONE when connections to that network are direct (or impossible). */
const struct proxy *dialer_proxy(const struct dialer *d, enum net_network network);
/** Are host names passed to a proxy (and never looked up)? */
bool dialer_has_name_proxy(const struct dialer *d);

struct dial;
struct dial_result {
    evutil_socket_t fd;    /* connected, non-blocking, owned by the callee; -1: failed */
    struct net_addr addr;  /* the peer's; NET_UNKNOWN when only a proxy knows what a name is */
    struct net_addr local; /* our end; zero when unknown */
    /* I2P with a destination for this connection only: the socket that keeps it alive. Owned by the callee, who closes it when the connection
     * ends; -1: none. */
    evutil_socket_t control;
    bool proxied;      /* through a proxy or I2P */
    bool proxy_failed; /* the proxy itself could not be reached or spoken with: the address is not to blame */
    const char *error; /* why it failed (logged already); NULL on success. Valid during the call */
};
/* Once, from the loop, never from inside dial_addr or dial_name. The dial is gone after it. */
typedef void (*dial_fn)(void *ctx, const struct dial_result *r);
/** Connects to an address. override: a proxy for this connection only (NULL: the network's own; addresses that are not routable, as the
 *  loopback's, have none). For an I2P address it is the SAM bridge, and our destination is one for this connection only. */
struct dial *dial_addr(struct dialer *d, const struct net_addr *addr, const struct proxy *override, dial_fn fn, void *ctx);
/** Connects to a host by name and port: through the name proxy, or its addresses in turn (in random order) after a look-up. Never looks up
 *  names that end in .onion or .i2p (RFC 7686). */
struct dial *dial_name(struct dialer *d, const char *host, uint16_t port, dial_fn fn, void *ctx);
/** Right after dial_addr or dial_name: the user asked for this connection, and sees in the log why it fails. */
void dial_set_manual(struct dial *c);
/* May these be connected to? n addresses that a name stands for. false ends the dial with an error. */
typedef bool (*dial_check_fn)(void *ctx, const struct net_addr *addrs, size_t n);
/** Right after dial_name: check is asked once when the name has been looked up, before the first connect. */
void dial_set_check(struct dial *c, dial_check_fn check);
/** Gives up; fn is not called. */
void dial_cancel(struct dial *c);

struct i2p_listener;
/* Our address is usable (up) or no longer. It may be another one the next time. */
typedef void (*i2p_address_fn)(void *ctx, const struct net_addr *local, bool up);
/** Accepts connections from I2P in the session of i2p_key_path, which must be set, as must i2p_sam; tries again with growing pauses when the
 *  router is away. fn as for listener_new. To be freed before the dialer. */
struct i2p_listener *i2p_listener_new(struct dialer *d, listener_fn fn, i2p_address_fn address_fn, void *ctx);
void i2p_listener_free(struct i2p_listener *s);

#endif
