/* reply.c - looking into JSON-RPC replies, for -getinfo, -netinfo and -addrinfo. */
#include "cli/reply.h"

struct json_object *reply_get(struct json_object *o, const char *key)
{
    struct json_object *v = NULL;

    if (json_object_is_type(o, json_type_object))
        json_object_object_get_ex(o, key, &v);
    return v;
}

const char *reply_text(struct json_object *o, const char *key)
{
    struct json_object *v = reply_get(o, key);

    return v ? json_object_get_string(v) : "";
}

size_t reply_length(struct json_object *list)
{
    return json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
}

const char *reply_batch_error(struct json_object *replies, size_t n)
{
    if (!json_object_is_type(replies, json_type_array))
        return "Batch must be an array";
    for (size_t i = 0; i < reply_length(replies); i++) {
        struct json_object *r = json_object_array_get_idx(replies, i);
        int64_t id = json_object_get_int64(reply_get(r, "id"));
        if (!json_object_is_type(r, json_type_object))
            return "Batch member must be an object";
        if (id < 0 || (uint64_t)id >= n)
            return "Batch member id is larger than batch size";
    }
    return reply_length(replies) < n ? "Batch result missing" : NULL;
}

struct json_object *reply_of(struct json_object *replies, int id, struct json_object **error)
{
    *error = NULL;
    for (size_t i = 0; i < reply_length(replies); i++) {
        struct json_object *r = json_object_array_get_idx(replies, i);
        if (json_object_get_int(reply_get(r, "id")) != id)
            continue;
        *error = reply_get(r, "error");
        return reply_get(r, "result");
    }
    return NULL;
}
