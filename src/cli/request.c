/* request.c - builds JSON-RPC 2.0 requests out of the words of the command line. */
#include "cli/request.h"

#include <json-c/json.h>
#include <json-c/printbuf.h>
#include <stdlib.h>
#include <string.h>

#include "cli/convert.h"
#include "util/json_check.h"
#include "util/mem.h"

static int print_raw(struct json_object *o, struct printbuf *out, int level, int flags)
{
    (void)level;
    (void)flags;
    return printbuf_memappend(out, json_object_get_string(o), json_object_get_string_len(o));
}

/* A text that is JSON, as an object that prints itself as it was written: the node sees each digit. Returns: false if it is none. */
static bool parse_json(struct json_object **out, const char *text)
{
    if (!json_check(text, strlen(text)))
        return false;
    *out = json_object_new_string(text);
    json_object_set_serializer(*out, print_raw, NULL, NULL);
    return true;
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
        json_object_object_add_ex(params, "args", rest,
                                  JSON_C_OBJECT_ADD_KEY_IS_NEW); /* never in place of an "args" that was given */
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
