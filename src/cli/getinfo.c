/* getinfo.c - the summary of -getinfo, out of one batch of two requests. */
#include "cli/getinfo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output.h"
#include "cli/reply.h"
#include "cli/request.h"

enum { ID_NETWORK, ID_CHAIN };

struct json_object *getinfo_request(void)
{
    struct json_object *batch = json_object_new_array();
    json_object_array_add(batch, request_new("getnetworkinfo", json_object_new_array(), json_object_new_int(ID_NETWORK)));
    json_object_array_add(batch, request_new("getblockchaininfo", json_object_new_array(), json_object_new_int(ID_CHAIN)));
    return batch;
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
    return reply_text(json_object_array_get_idx(networks, i), "proxy");
}

/* Each proxy once, with the networks that use it. */
static void print_proxies(struct json_object *network)
{
    struct json_object *networks = reply_get(network, "networks");
    const size_t n = reply_length(networks);
    bool any = false;

    printf("Proxies: ");
    for (size_t i = 0; i < n; i++) {
        const char *proxy = proxy_at(networks, i);
        size_t seen = 0;
        while (strcmp(proxy_at(networks, seen), proxy) != 0)
            seen++;
        if (!*proxy || seen < i)
            continue;
        printf("%s%s (%s", any ? ", " : "", proxy, reply_text(json_object_array_get_idx(networks, i), "name"));
        for (size_t k = i + 1; k < n; k++)
            if (strcmp(proxy_at(networks, k), proxy) == 0)
                printf(", %s", reply_text(json_object_array_get_idx(networks, k), "name"));
        putchar(')');
        any = true;
    }
    puts(any ? "" : "n/a");
}

static void print_warnings(struct json_object *network, const char *yellow, const char *reset)
{
    struct json_object *w = reply_get(network, "warnings");

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
        return output_error(reply_get(replies, "error"));
    network = reply_of(replies, ID_NETWORK, &error);
    if (error)
        return output_error(error);
    chain = reply_of(replies, ID_CHAIN, &error);
    if (error)
        return output_error(error);
    if (!network || !chain) {
        fprintf(stderr, "error: Batch result missing\n");
        return 1;
    }
    printf("%sChain: %s%s\nBlocks: %s\n", blue, reply_text(chain, "chain"), reset, reply_text(chain, "blocks"));
    printf("Headers: %s\n", reply_text(chain, "headers"));
    print_progress(json_object_get_double(reply_get(chain, "verificationprogress")));
    printf("Difficulty: %s\n\n", reply_text(chain, "difficulty"));
    printf("%sNetwork: in %s, out %s, total %s%s\n", green, reply_text(network, "connections_in"),
           reply_text(network, "connections_out"), reply_text(network, "connections"), reset);
    printf("Version: %s\nTime offset (s): %s\n", reply_text(network, "version"), reply_text(network, "timeoffset"));
    print_proxies(network);
    printf("Min tx relay fee rate (BTC/kvB): %s\n\n", reply_text(network, "relayfee"));
    print_warnings(network, yellow, reset);
    return 0;
}
