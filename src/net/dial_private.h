/* dial_private.h - what dial.c (addresses, names, SOCKS5) and dial_i2p.c (I2P sessions and streams) share. Loop thread. */
#ifndef FARTHING_NET_DIAL_PRIV_H
#define FARTHING_NET_DIAL_PRIV_H

#include "net/dial.h"

#define I2P_MAX_UNUSED 10 /* transient sessions kept for the next connection when theirs failed */

struct dialer {
    struct loop *loop;
    struct dialer_options o;
    struct resolver *resolver;
    struct dial *dials;
    struct i2p_session *i2p; /* the one with the kept key */
    struct i2p_session *unused[I2P_MAX_UNUSED];
    size_t n_unused;
    char isolation[17]; /* random prefix of proxy credentials */
    uint64_t next_isolation;
};

struct i2p_result {
    evutil_socket_t fd;      /* -1: failed; owned by the callee */
    evutil_socket_t control; /* of a transient session that now belongs to the connection, or -1 */
    struct net_addr local;
    const char *error;
    bool proxy_failed;
};
typedef void (*i2p_fn)(void *ctx, const struct i2p_result *r);

struct i2p_stream;
/** Connects to an I2P address. sam: the bridge; transient: with a destination of its own. fn comes once, from the loop. */
struct i2p_stream *i2p_connect(struct dialer *d, const struct proxy *sam, bool transient, const struct net_addr *to, i2p_fn fn,
                               void *ctx);
void i2p_stream_cancel(struct i2p_stream *s);
/** Ends all sessions. No stream exists any more. */
void i2p_sessions_free(struct dialer *d);

/** Connects to a proxy or bridge. */
struct connector *proxy_connect(struct dialer *d, const struct proxy *p, connector_fn fn, void *ctx);
/** Core's log line of a failed connect. */
void log_connect_failure(bool manual, const char *to, int err);

#endif
