/* duplicates.c - finds a named argument that a request gives twice: the parser keeps the last one only, Bitcoin Core answers with an error.
 * Called when a body is parsed, on that thread; only bodies with named arguments are read a second time. */
#include <stdlib.h>

#include "rpc/server_priv.h"

/* The body is known to be well-formed JSON. */
static const char *skip_blanks(const char *p)
{
    return p + strspn(p, " \t\r\n");
}

static const char *skip_string(const char *p)
{
    for (p++; *p != '"'; p++)
        p += *p == '\\';
    return p + 1;
}

/* A value of any depth. */
static const char *skip_value(const char *p)
{
    size_t depth = 0;

    do {
        p = skip_blanks(p);
        if (*p == '"') {
            p = skip_string(p);
        } else if (*p == '{' || *p == '[') {
            depth++;
            p++;
        } else if (*p == '}' || *p == ']') {
            depth--;
            p++;
        } else if (*p == ',' || *p == ':') {
            p++;
        } else {
            p += strcspn(p, " \t\r\n,:]}");
        }
    } while (depth > 0);
    return p;
}

/* Steps to the next member of an object or element of an array; p: behind '{' or '[', or a value. Returns: NULL at its end. */
static const char *next(const char *p)
{
    p = skip_blanks(p);
    if (*p == ',')
        p = skip_blanks(p + 1);
    return *p == '}' || *p == ']' ? NULL : p;
}

/* Out: *key, *len: between the quotes. Returns: where the value begins. */
static const char *read_key(const char *p, const char **key, size_t *len)
{
    const char *end = skip_string(p);

    *key = p + 1;
    *len = (size_t)(end - 1 - *key);
    return skip_blanks(skip_blanks(end) + 1);
}

/* The first name that the object at p has twice (to free), NULL if there is none. */
static char *name_twice(const char *p, int distinct)
{
    struct json_object *seen;
    char *twice = NULL;
    int n = 0;

    for (const char *m = next(p + 1); m; n++) {
        const char *key;
        size_t len;
        m = next(skip_value(read_key(m, &key, &len)));
    }
    if (n == distinct)
        return NULL;
    seen = json_object_new_object();
    for (const char *m = next(p + 1); m && !twice;) {
        const char *key;
        size_t len;
        char *name;
        m = next(skip_value(read_key(m, &key, &len)));
        name = xmalloc(len + 1);
        memcpy(name, key, len);
        name[len] = 0;
        if (json_object_object_get_ex(seen, name, NULL))
            twice = name;
        else
            json_object_object_add(seen, name, NULL);
        if (!twice)
            free(name);
    }
    json_object_put(seen);
    return twice;
}

static void drop_name(struct json_object *o, void *name)
{
    (void)o;
    free(name);
}

static bool has_named(struct json_object *request)
{
    return json_object_is_type(request, json_type_object) && json_object_is_type(rpc_member(request, "params"), json_type_object);
}

/* One request, whose text is at p. */
static void mark(struct json_object *request, const char *p)
{
    struct json_object *params;
    const char *key, *value;
    char *twice = NULL;
    size_t len;

    if (!has_named(request))
        return;
    params = rpc_member(request, "params");
    for (const char *m = next(p + 1); m; m = next(skip_value(value))) {
        value = read_key(m, &key, &len);
        if (len != 6 || memcmp(key, "params", 6) != 0 || *value != '{')
            continue;
        free(twice);
        twice = name_twice(value, json_object_object_length(params));
    }
    if (twice)
        json_object_set_userdata(params, twice, drop_name);
}

void rpc_mark_duplicates(struct json_object *request, const char *body)
{
    bool any = has_named(request);
    const char *p = skip_blanks(body);

    if (!json_object_is_type(request, json_type_array)) {
        if (any)
            mark(request, p);
        return;
    }
    for (size_t i = 0; i < json_object_array_length(request) && !any; i++)
        any = has_named(json_object_array_get_idx(request, i));
    p = any ? next(p + 1) : NULL;
    for (size_t i = 0; p && i < json_object_array_length(request); i++, p = next(skip_value(p)))
        mark(json_object_array_get_idx(request, i), p);
}

const char *rpc_named_twice(struct json_object *params)
{
    return json_object_get_userdata(params);
}
