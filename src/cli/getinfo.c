/* getinfo.c - the summary of -getinfo, out of one batch of two requests. */
#include "cli/getinfo.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output.h"
#include "cli/request.h"

enum { ID_NETWORK, ID_CHAIN };

struct json_object *getinfo_request(void)
{
    struct json_object *batch = json_object_new_array();
    json_object_array_add(batch, request_new("getnetworkinfo", json_object_new_array(), json_object_new_int(ID_NETWORK)));
    json_object_array_add(batch, request_new("getblockchaininfo", json_object_new_array(), json_object_new_int(ID_CHAIN)));
    return batch;
}

static struct json_object *get(struct json_object *o, const char *key)
{
    struct json_object *v = NULL;
    json_object_object_get_ex(o, key, &v);
    return v;
}

static const char *text(struct json_object *o, const char *key)
{
    struct json_object *v = get(o, key);
    return v ? json_object_get_string(v) : "";
}

static struct json_object *result_of(struct json_object *replies, int id, struct json_object **error)
{
    for (size_t i = 0; i < json_object_array_length(replies); i++) {
        struct json_object *r = json_object_array_get_idx(replies, i);
        if (json_object_get_int(get(r, "id")) == id) {
            *error = get(r, "error");
            return get(r, "result");
        }
    }
    *error = NULL;
    return NULL;
}

static void print_progress(double progress)
{
    const int width = 20;
    int filled = (int)(progress * width);

    printf("Verification progress: ");
    if (progress < 0.99) {
        for (int i = 0; i < width; i++)
            fputs(i < filled ? "\u2592" : "\u2591", stdout);
        putchar(' ');
    }
    printf("%.4f%%\n", progress * 100);
}

static const char *proxy_at(struct json_object *networks, size_t i)
{
    return text(json_object_array_get_idx(networks, i), "proxy");
}

/* Each proxy once, with the networks that use it. */
static void print_proxies(struct json_object *network)
{
    struct json_object *networks = get(network, "networks");
    const size_t n = json_object_is_type(networks, json_type_array) ? json_object_array_length(networks) : 0;
    bool any = false;

    printf("Proxies: ");
    for (size_t i = 0; i < n; i++) {
        const char *proxy = proxy_at(networks, i);
        size_t seen = 0;
        while (strcmp(proxy_at(networks, seen), proxy) != 0)
            seen++;
        if (!*proxy || seen < i)
            continue;
        printf("%s%s (%s", any ? ", " : "", proxy, text(json_object_array_get_idx(networks, i), "name"));
        for (size_t k = i + 1; k < n; k++)
            if (strcmp(proxy_at(networks, k), proxy) == 0)
                printf(", %s", text(json_object_array_get_idx(networks, k), "name"));
        putchar(')');
        any = true;
    }
    puts(any ? "" : "n/a");
}

static void print_warnings(struct json_object *network, const char *yellow, const char *reset)
{
    struct json_object *w = get(network, "warnings");

    printf("%sWarnings:%s ", yellow, reset);
    if (!json_object_is_type(w, json_type_array)) {
        puts(w && *json_object_get_string(w) ? json_object_get_string(w) : "(none)");
        return;
    }
    if (json_object_array_length(w) == 0)
        puts("(none)");
    for (size_t i = 0; i < json_object_array_length(w); i++)
        puts(json_object_get_string(json_object_array_get_idx(w, i)));
}

int getinfo_print(struct json_object *replies, bool color)
{
    const char *reset = color ? "\x1B[0m" : "", *green = color ? "\x1B[32m" : "", *blue = color ? "\x1B[34m" : "",
               *yellow = color ? "\x1B[33m" : "";
    struct json_object *error, *network, *chain;

    if (!json_object_is_type(replies, json_type_array))
        return output_error(get(replies, "error"));
    network = result_of(replies, ID_NETWORK, &error);
    if (error)
        return output_error(error);
    chain = result_of(replies, ID_CHAIN, &error);
    if (error)
        return output_error(error);
    if (!network || !chain) {
        fprintf(stderr, "error: Batch result missing\n");
        return 1;
    }
    printf("%sChain: %s%s\nBlocks: %s\n", blue, text(chain, "chain"), reset, text(chain, "blocks"));
    printf("Headers: %s\n", text(chain, "headers"));
    print_progress(json_object_get_double(get(chain, "verificationprogress")));
    printf("Difficulty: %s\n\n", text(chain, "difficulty"));
    printf("%sNetwork: in %s, out %s, total %s%s\n", green, text(network, "connections_in"), text(network, "connections_out"),
           text(network, "connections"), reset);
    printf("Version: %s\nTime offset (s): %s\n", text(network, "version"), text(network, "timeoffset"));
    print_proxies(network);
    printf("Min tx relay fee rate (BTC/kvB): %s\n\n", text(network, "relayfee"));
    print_warnings(network, yellow, reset);
    return 0;
}
