/* client.h - what the commands of the client share: its settings, and a request to the node. */
#ifndef FARTHING_CLI_CLIENT_H
#define FARTHING_CLI_CLIENT_H

#include <stdbool.h>

#include "util/confdir.h"

struct json_object;

struct client {
    struct args *args;
    struct confdir dir;
    const char *path; /* of the request */
};

/** Prints "error: text" and frees it. Returns: the exit code of the client's own failures. */
int client_fail(char *text_take);
/** Sends a request (single or batch), waiting for the node as -rpcwait says. Out: *reply or *error (to free). Returns: false on error; an
 *  error that the node answers with is none of these. */
bool client_call(const struct client *c, struct json_object *request, struct json_object **reply, char **error);
/** The path of requests to a wallet (to free). */
char *client_wallet_path(const char *name);

#endif
