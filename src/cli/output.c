/* output.c - how the client prints what came back. json-c's own printer differs from what scripts expect, so this one writes JSON itself. */
#include "cli/output.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RPC_WALLET_NOT_SPECIFIED (-19)
#define WALLET_HINT                                                                                                                \
    " Or for the CLI, specify the \"-rpcwallet=<walletname>\" option before the command (run \"farthing-cli -h\" for help or "     \
    "\"farthing-cli listwallets\" to see which wallets are currently loaded)."

static void print_string(const char *s, size_t len)
{
    putchar('"');
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];
        switch (c) {
        case '"':
            fputs("\\\"", stdout);
            break;
        case '\\':
            fputs("\\\\", stdout);
            break;
        case '\b':
            fputs("\\b", stdout);
            break;
        case '\f':
            fputs("\\f", stdout);
            break;
        case '\n':
            fputs("\\n", stdout);
            break;
        case '\r':
            fputs("\\r", stdout);
            break;
        case '\t':
            fputs("\\t", stdout);
            break;
        default:
            if (c < 0x20 || c == 0x7f)
                printf("\\u%04x", c);
            else
                putchar(c);
        }
    }
    putchar('"');
}

static void indent(int depth)
{
    for (int i = 0; i < depth; i++)
        fputs("  ", stdout);
}

static void print_value(struct json_object *v, int depth);

static void print_object(struct json_object *v, int depth)
{
    bool first = true;

    fputs("{\n", stdout);
    json_object_object_foreach(v, key, member)
    {
        if (!first)
            fputs(",\n", stdout);
        first = false;
        indent(depth + 1);
        print_string(key, strlen(key));
        fputs(": ", stdout);
        print_value(member, depth + 1);
    }
    if (!first)
        putchar('\n');
    indent(depth);
    putchar('}');
}

static void print_array(struct json_object *v, int depth)
{
    size_t n = json_object_array_length(v);

    fputs("[\n", stdout);
    for (size_t i = 0; i < n; i++) {
        indent(depth + 1);
        print_value(json_object_array_get_idx(v, i), depth + 1);
        fputs(i + 1 < n ? ",\n" : "\n", stdout);
    }
    indent(depth);
    putchar(']');
}

static void print_value(struct json_object *v, int depth)
{
    switch (json_object_get_type(v)) {
    case json_type_object:
        print_object(v, depth);
        break;
    case json_type_array:
        print_array(v, depth);
        break;
    case json_type_string:
        print_string(json_object_get_string(v), (size_t)json_object_get_string_len(v));
        break;
    case json_type_null:
        fputs("null", stdout);
        break;
    case json_type_boolean:
    case json_type_double:
    case json_type_int:
        fputs(json_object_to_json_string(v), stdout); /* a number keeps the node's own digits */
        break;
    }
}

void output_result(struct json_object *result)
{
    if (!result)
        return;
    if (!json_object_is_type(result, json_type_string))
        print_value(result, 0);
    else if (json_object_get_string_len(result) > 0)
        fwrite(json_object_get_string(result), 1, (size_t)json_object_get_string_len(result), stdout);
    else
        return;
    putchar('\n');
}

int output_error(struct json_object *error)
{
    struct json_object *code = NULL, *message = NULL;

    if (!json_object_object_get_ex(error, "code", &code) || !json_object_is_type(code, json_type_int)) {
        fprintf(stderr, "error: %s\n", json_object_to_json_string(error));
        return EXIT_FAILURE;
    }
    fprintf(stderr, "error code: %s\n", json_object_get_string(code));
    if (json_object_object_get_ex(error, "message", &message) && json_object_is_type(message, json_type_string))
        fprintf(stderr, "error message:\n%s%s\n", json_object_get_string(message),
                json_object_get_int(code) == RPC_WALLET_NOT_SPECIFIED ? WALLET_HINT : "");
    else
        fputc('\n', stderr); /* where the message would stand */
    return abs(json_object_get_int(code));
}
