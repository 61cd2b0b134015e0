/* getinfo.h - farthing-cli -getinfo: what a person wants to see of a node at one glance. */
#ifndef FARTHING_CLI_GETINFO_H
#define FARTHING_CLI_GETINFO_H

#include "cli/client.h"

/** The batch of requests. */
struct json_object *getinfo_request(void);
/** Prints the replies (an array in any order, ids as sent; those about a wallet may be errors). balances: of all wallets by name, NULL if
 *  these are not to be shown. Returns: the exit code. */
int getinfo_print(struct json_object *replies, struct json_object *balances, bool color);
/** Asks the node and prints the summary, in the colours that -color wants. Returns: the exit code. */
int getinfo_run(const struct client *c);

#endif
