/* reply.h - looking into JSON-RPC replies: absent things are empty, never a crash. */
#ifndef FARTHING_CLI_REPLY_H
#define FARTHING_CLI_REPLY_H

#include <json-c/json.h>

/** A member, NULL if absent (or null). */
struct json_object *reply_get(struct json_object *o, const char *key);
/** The same as text, "" if absent. */
const char *reply_text(struct json_object *o, const char *key);
/** The number of elements, 0 if it is no array. */
size_t reply_length(struct json_object *list);
/** Is it an array of n answers, each with one of the ids 0 to n - 1? Returns: NULL, or what is wrong with it. */
const char *reply_batch_error(struct json_object *replies, size_t n);
/** The result of one request of a batch, by its id. Out: *error: its error, NULL if none. Returns: NULL if there is neither. */
struct json_object *reply_of(struct json_object *replies, int id, struct json_object **error);

#endif
