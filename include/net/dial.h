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
    const char *i2p_key_path; /* where the destination's private key is kept; NULL or "": a transient one for each connection */
    bool allow_names;         /* -dns: may names be looked up through the system's resolver? */
    int connect_timeout_ms;
};
/** o is copied; i2p_key_path must outlive it. */
struct dialer *dialer_new(struct loop *l, const struct dialer_options *o);
/** Dials under way end without a call. */
void dialer_free(struct dialer *d);
/** The onion proxy became known later (Tor's control port). */
void dialer_set_proxy(struct dialer *d, enum net_network network, const struct proxy *p);
const struct proxy *dialer_proxy(const struct dialer *d, enum net_network network);

struct dial;
struct dial_result {
    evutil_socket_t fd;    /* connected, non-blocking, owned by the callee; -1: failed */
    struct net_addr addr;  /* the peer's; NET_UNKNOWN when only a proxy knows what a name is */
    struct net_addr local; /* our end; zero when unknown */
    bool proxied;          /* through a proxy or I2P */
    bool proxy_failed;     /* the proxy itself could not be reached or spoken with: the address is not to blame */
    const char *error;     /* why it failed, for the log; NULL on success */
};
/* Once, from the loop, never from inside dial_addr or dial_name. The dial is gone after it. */
typedef void (*dial_fn)(void *ctx, const struct dial_result *r);
/** Connects to an address. override: a proxy for this connection only (NULL: the network's own). */
struct dial *dial_addr(struct dialer *d, const struct net_addr *addr, const struct proxy *override, dial_fn fn, void *ctx);
/** Connects to a host by name and port: through the name proxy, or its addresses in turn after a look-up. */
struct dial *dial_name(struct dialer *d, const char *host, uint16_t port, dial_fn fn, void *ctx);
/** Gives up; fn is not called. */
void dial_cancel(struct dial *c);

#endif
