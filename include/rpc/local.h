/* local.h - commands called by other parts of the node: no HTTP, no user, no text to parse. Owned by whoever calls. */
#ifndef FARTHING_RPC_LOCAL_H
#define FARTHING_RPC_LOCAL_H

#include "rpc/rpc.h"
#include "util/bytes.h"

struct json_object;
struct rpc_local;

/** host: copied; complete, and its parts outlive the result. Any thread. */
struct rpc_local *rpc_local_new(const struct rpc_host *host);
/** Runs a command and waits for its end. params: an array or an object, borrowed; NULL: none. Out: appended to *out: its result, one JSON value;
 *  of an error the message, not terminated. Returns: 0, or the code of the error. Any thread that may block, but neither the loop's nor the
 *  validation thread, whose help commands may need. */
int rpc_local_call(struct rpc_local *l, struct writer *out, const char *method, struct json_object *params);
/** The node stops: whoever waits for another thread gives up. Any thread. */
void rpc_local_stop(struct rpc_local *l);
/** No call is under way. NULL is ignored. */
void rpc_local_free(struct rpc_local *l);

#endif
