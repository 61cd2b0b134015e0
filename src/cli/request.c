/* request.c - builds JSON-RPC 2.0 requests out of the words of the command line. */
#include "cli/request.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "cli/convert.h"
#include "util/mem.h"

/* Parses a whole text as one JSON value. Returns: false if it is none; null is a value (NULL). */
static bool parse_json(struct json_object **out, const char *text)
{
    struct json_tokener *t = json_tokener_new();
    size_t len = strlen(text);
    bool ok;

    json_tokener_set_flags(t, JSON_TOKENER_STRICT);
    *out = json_tokener_parse_ex(t, text, (int)len);
    ok = json_tokener_get_error(t) == json_tokener_success;
    if (!ok && json_tokener_get_error(t) == json_tokener_continue) {
        *out = json_tokener_parse_ex(t, " ", 1); /* a bare number ends with what follows it */
        ok = json_tokener_get_error(t) == json_tokener_success && len > 0;
    } else if (ok) {
        size_t used = json_tokener_get_parse_end(t);
        ok = strspn(text + used, " \t\r\n") == len - used;
        if (!ok)
            json_object_put(*out);
    }
    json_tokener_free(t);
    return ok;
}

static bool convert(struct json_object **out, enum param_format format, const char *text, char **error)
{
    if (format != PARAM_STRING && parse_json(out, text))
        return true;
    if (format == PARAM_JSON) {
        *error = xasprintf("Error parsing JSON: %s", text);
        return false;
    }
    *out = json_object_new_string(text);
    return true;
}

static struct json_object *positional(const char *method, const char *const *args, size_t n, char **error)
{
    struct json_object *params = json_object_new_array();

    for (size_t i = 0; i < n; i++) {
        struct json_object *v;
        if (!convert(&v, param_format_at(method, (int)i), args[i], error)) {
            json_object_put(params);
            return NULL;
        }
        json_object_array_add(params, v);
    }
    return params;
}

/* One word under -named: name=value, or a positional argument. */
static bool add_named(struct json_object *params, struct json_object *args, const char *method, const char *word, char **error)
{
    const char *eq = strchr(word, '=');
    int index = (int)json_object_array_length(args);
    enum param_format format = param_format_at(method, index);
    struct json_object *v;
    bool listed = false;
    char *name;

    if (!eq) {
        if (!convert(&v, format, word, error))
            return false;
        json_object_array_add(args, v);
        return true;
    }
    if (param_format_of(method, word, (size_t)(eq - word), &listed), !listed) {
        if (format == PARAM_JSON && parse_json(&v, word)) {
            json_object_array_add(args, v);
            return true;
        }
        if (param_string_at(method, index)) {
            json_object_array_add(args, json_object_new_string(word));
            return true;
        }
    }
    if (!convert(&v, listed ? param_format_of(method, word, (size_t)(eq - word), &listed) : PARAM_STRING, eq + 1, error))
        return false;
    name = xstrdup(word);
    name[eq - word] = 0;
    json_object_object_add(params, name, v);
    free(name);
    return true;
}

static struct json_object *named(const char *method, const char *const *args, size_t n, char **error)
{
    struct json_object *params = json_object_new_object();
    struct json_object *rest = json_object_new_array();
    bool ok = true;

    for (size_t i = 0; ok && i < n; i++)
        ok = add_named(params, rest, method, args[i], error);
    if (ok && json_object_array_length(rest) > 0)
        json_object_object_add(params, "args", rest);
    else
        json_object_put(rest);
    if (ok)
        return params;
    json_object_put(params);
    return NULL;
}

struct json_object *request_params(const char *method, const char *const *args, size_t n, bool by_name, char **error)
{
    return by_name ? named(method, args, n, error) : positional(method, args, n, error);
}

struct json_object *request_new(const char *method, struct json_object *params_take, struct json_object *id_take)
{
    struct json_object *r = json_object_new_object();
    json_object_object_add(r, "jsonrpc", json_object_new_string("2.0"));
    json_object_object_add(r, "method", json_object_new_string(method));
    json_object_object_add(r, "params", params_take);
    json_object_object_add(r, "id", id_take);
    return r;
}
