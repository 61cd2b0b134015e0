/* endpoint.h - how connections come to be: listening sockets, outgoing connects, names. Loop thread only. */
#ifndef FARTHING_NET_ENDPOINT_H
#define FARTHING_NET_ENDPOINT_H

#include <event2/util.h>

#include "net/loop.h"
#include "net/netaddr.h"

struct listener;
/* fd: non-blocking, owned by the callee. */
typedef void (*listener_fn)(void *ctx, evutil_socket_t fd, const struct net_addr *peer, const struct net_addr *local);
/** Binds and listens. Returns: NULL with Core's message in *error (to free), such as
 *  "Unable to bind to 127.0.0.1:8333 on this computer. Farthing is probably already running.". */
struct listener *listener_new(struct loop *l, const struct net_addr *addr, listener_fn fn, void *ctx, char **error);
/** The same on a unix socket that only this user may open; the peer that fn is told is all zero. A socket left behind at that path is replaced.
 *  path: shorter than 108 bytes; removed by the caller at the end. */
struct listener *listener_new_unix(struct loop *l, const char *path, listener_fn fn, void *ctx, char **error);
void listener_free(struct listener *s);

struct connector;
/* fd: connected and non-blocking, owned by the callee; -1 with the reason in err (errno). The connector frees itself after the call. */
typedef void (*connector_fn)(void *ctx, evutil_socket_t fd, const struct net_addr *peer, int err);
/** Connects to a numeric address within timeout_ms. The answer always comes later, from the loop. */
struct connector *connector_start(struct loop *l, const struct net_addr *addr, int timeout_ms, connector_fn fn, void *ctx);
/** The same to a unix socket. path: shorter than 108 bytes, or it fails. The peer that fn is told is all zero. */
struct connector *connector_start_unix(struct loop *l, const char *path, int timeout_ms, connector_fn fn, void *ctx);
/** Gives up; fn is not called. */
void connector_cancel(struct connector *c);

struct resolver;
/* n addresses (0: not found), without ports. The answer always comes later, from the loop. */
typedef void (*resolver_fn)(void *ctx, const struct net_addr *addrs, size_t n);
/** Asynchronous name look-up (evdns; /etc/hosts and /etc/resolv.conf). Made at its first use. */
struct resolver *resolver_new(struct loop *l);
void resolver_lookup(struct resolver *r, const char *name, resolver_fn fn, void *ctx);
/** Look-ups under way are dropped: their fn is called with n 0 at once. */
void resolver_free(struct resolver *r);

/** Addresses of interfaces that are up, loopback aside. Out: out (max). Returns: the count. */
size_t interface_addrs(struct net_addr *out, size_t max);
/** Our end of a connected socket; zeroes on failure. */
void socket_local_addr(struct net_addr *out, evutil_socket_t fd);

#endif
