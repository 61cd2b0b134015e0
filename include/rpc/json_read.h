/* json_read.h - JSON text from clients to json-c's objects, as Bitcoin Core reads it: of members with one name the first counts and the fact is kept,
 * numbers keep their text. Any thread. */
#ifndef FARTHING_RPC_JSON_READ_H
#define FARTHING_RPC_JSON_READ_H

#include <json-c/json.h>
#include <stdbool.h>

/* What the objects of one text may take: reached only by texts made for it, such as millions of empty objects. */
#define JSON_READ_MEMORY_MAX ((size_t)512 << 20)

/** Reads a whole text. Out: *out: one reference; NULL is null. Returns: false if it is not JSON (json_check), or would take more memory than that. */
bool json_read(struct json_object **out, const char *text, size_t len);
/** The first name that an object was given twice, borrowed. Returns: NULL if there is none. o: of json_read. */
const char *json_duplicate_key(struct json_object *o);

#endif
