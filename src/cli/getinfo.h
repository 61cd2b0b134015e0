/* getinfo.h - farthing-cli -getinfo: what a person wants to see of a node at one glance. */
#ifndef FARTHING_CLI_GETINFO_H
#define FARTHING_CLI_GETINFO_H

#include <stdbool.h>

struct json_object;

/** The batch of requests. */
struct json_object *getinfo_request(void);
/** Prints the replies (an array in any order, ids as sent). Returns: the exit code. */
int getinfo_print(struct json_object *replies, bool color);

#endif
