/* electrum.h - the Electrum server (-electrum, -electrumtls): wallets that speak the Electrum protocol, 1.4 to 1.6, connect to the node itself.
 * JSON lines over TCP or TLS; addresses are looked up in -addressindex and in the mempool by script, both of which it needs. Nothing in the log
 * ties a script to who asked for it. Loop thread, unless stated. */
#ifndef FARTHING_ELECTRUM_ELECTRUM_H
#define FARTHING_ELECTRUM_ELECTRUM_H

#include "rpc/rpc.h"

struct electrum;

/** Do the options ask for it? */
bool electrum_wanted(const struct args *args);
/** Listens as the options say. host: copied; complete, and its parts outlive the server's threads. Out: *out, NULL if the options want none.
 *  Returns: false with *error (to free). */
bool electrum_start(struct electrum **out, const struct rpc_host *host, char **error);
/** Hangs up on all, stops listening, ends its threads. The validation thread still runs. */
void electrum_stop(struct electrum *e);
/** After electrum_stop, when the validation thread has ended. NULL is ignored. */
void electrum_free(struct electrum *e);

/** There is a new tip: clients hear of it, and of what it changed for their scripts, as soon as the index has followed. Any thread. */
void electrum_tip_changed(struct electrum *e);
/** Transactions that touch these scripts (n, SHA-256 of each) came into the mempool or left it. Any thread. */
void electrum_touched(struct electrum *e, const uint8_t (*scripts)[32], size_t n);

#endif
