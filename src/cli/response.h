/* response.h - reads an HTTP response from a stream. */
#ifndef FARTHING_CLI_RESPONSE_H
#define FARTHING_CLI_RESPONSE_H

#include "cli/stream.h"

/** Reads status and body, whatever way its length is given. Out: *status; *body (to free), ended by a NUL that is not part of *len.
 *  Returns: NULL, or what went wrong (static text; nothing to free then). */
const char *response_read(struct stream *s, int *status, char **body, size_t *len);

#endif
