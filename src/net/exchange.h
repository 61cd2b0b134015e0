/* exchange.h - a short conversation over a socket with a proxy, a router or Tor: moves bytes between the socket and a machine that knows the
 * protocol. Loop thread. */
#ifndef FARTHING_NET_EXCHANGE_PRIV_H
#define FARTHING_NET_EXCHANGE_PRIV_H

#include <event2/util.h>

#include "net/loop.h"
#include "util/bytes.h"

enum exchange_step { EXCHANGE_MORE, EXCHANGE_DONE, EXCHANGE_FAILED };

/* The protocol. feed takes bytes that came and says how many it used; it may leave some only when it is done or has failed. What it wants to
 * send stands in *out, which the exchange empties. */
struct exchange_machine {
    void *self;
    enum exchange_step (*feed)(void *self, const uint8_t *data, size_t len, size_t *used);
    struct writer *out;
};

struct exchange;
/* Once. fd: when the machine is done, owned by the callee, and nothing beyond what the machine used has been read from it; -1 otherwise, with
 * why: the reason when it lies in the connection ("timed out"), NULL when the machine has failed and knows it. The exchange is gone. */
typedef void (*exchange_fn)(void *ctx, evutil_socket_t fd, const char *why);

/** Starts on a connected non-blocking socket. timeout_ms: for each answer, from the last bytes that the machine sent; 0: none. The machine
 *  must live until fn is called or the exchange is cancelled. */
struct exchange *exchange_start(struct loop *l, evutil_socket_t fd_take, const struct exchange_machine *m, int timeout_ms,
                                exchange_fn fn, void *ctx);
/** Gives up and closes the socket; fn is not called. NULL is allowed. */
void exchange_cancel(struct exchange *x);

#endif
