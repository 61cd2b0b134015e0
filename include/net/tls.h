/* tls.h - TLS connections of servers (RPC, Electrum) on the event loop. */
#ifndef FARTHING_NET_TLS_H
#define FARTHING_NET_TLS_H

#include "crypto/tls_context.h"

struct bufferevent;
struct event_base;

/** The server's side of TLS on an accepted, non-blocking socket. Reads and writes are of the plain bytes; callbacks are the caller's to set and
 *  enable. The handshake runs by itself: BEV_EVENT_CONNECTED at its end, BEV_EVENT_ERROR if it fails; the caller limits its time.
 *  fd: owned by the result, closed with it. base: the loop's. Loop thread. Returns: NULL if memory is out (fd is closed). */
struct bufferevent *tls_accept(struct tls_context *ctx, struct event_base *base, int fd);
/** Why the last operation on it failed, for the log. Returns: static text. */
const char *tls_failure(struct bufferevent *bev);

#endif
