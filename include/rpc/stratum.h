/* stratum.h - the server of stratum v1, the protocol that mining hardware speaks: JSON lines over TCP. Each client is paid by the coinbase of its own
 * work, at the address that it names. Loop thread, unless stated. */
#ifndef FARTHING_RPC_STRATUM_H
#define FARTHING_RPC_STRATUM_H

#include "rpc/rpc.h"

struct stratum;

/** Listens as -stratum says. host: copied; its parts outlive the server. Out: *out, NULL if the options want none. Returns: false with *error (to
 *  free). */
bool stratum_start(struct stratum **out, const struct rpc_host *host, char **error);
/** Hangs up on all clients and stops listening. */
void stratum_stop(struct stratum *st);
/** After stratum_stop, when the validation thread has ended. NULL is ignored. */
void stratum_free(struct stratum *st);
/** There is a new tip: clients get work upon it. Any thread. */
void stratum_tip_changed(struct stratum *st);

#endif
