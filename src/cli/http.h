/* http.h - one HTTP POST to the node, with the credentials that options and cookie give. */
#ifndef FARTHING_CLI_HTTP_H
#define FARTHING_CLI_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "util/confdir.h"

struct http_reply {
    int status;
    char *body; /* to free */
};

enum http_outcome { HTTP_OK_REPLY, HTTP_NO_CONNECTION, HTTP_BAD_SETTING };

/** Does -rpcconnect name a place, -rpcport a port? Returns: false with a message in *error (to free). */
bool http_check(const struct args *a, const struct confdir *d, char **error);

/** Posts body to the node that the options name. Out: *reply, or *error (to free). cookie_used: credentials came from the cookie file
 *  (*cookie_found: it could be read). */
enum http_outcome http_post(struct http_reply *reply, const struct args *a, const struct confdir *d, const char *path,
                            const char *body, bool *cookie_used, bool *cookie_found, char **error);

#endif
