/* getinfo.c - the summary of -getinfo, out of one batch of requests, and of some more if the node has several wallets. */
#include "cli/getinfo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/output.h"
#include "cli/reply.h"
#include "cli/request.h"
#include "util/mem.h"

enum { ID_NETWORK, ID_CHAIN, ID_WALLET, ID_BALANCES };

struct colors {
    const char *reset, *green, *blue, *yellow, *magenta, *cyan;
};

struct json_object *getinfo_request(void)
{
    static const char *const methods[] = {"getnetworkinfo", "getblockchaininfo", "getwalletinfo", "getbalances"};
    struct json_object *batch = json_object_new_array();

    for (int id = ID_NETWORK; id <= ID_BALANCES; id++)
        json_object_array_add(batch, request_new(methods[id], json_object_new_array(), json_object_new_int(id)));
    return batch;
}

static void print_progress(double progress)
{
    const double width = 20;

    printf("Verification progress: ");
    if (progress < 0.99) {
        /* A piece that is begun counts on both sides. */
        for (int i = 0; progress >= 0 && i < progress * width; i++)
            fputs("\u2592", stdout);
        for (int i = 0; progress >= 0 && i < (1 - progress) * width; i++)
            fputs("\u2591", stdout);
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

static struct json_object *trusted(struct json_object *balances)
{
    return reply_get(reply_get(balances, "mine"), "trusted");
}

/* The wallet that the requests went to, if the node has one. */
static void print_wallet(struct json_object *wallet, struct json_object *balances, const struct colors *k)
{
    const char *name = reply_text(wallet, "walletname");

    if (wallet) {
        printf("%sWallet: %s%s\n", k->magenta, *name ? name : "\"\"", k->reset);
        printf("Keypool size: %s\n", reply_text(wallet, "keypoolsize"));
        if (reply_get(wallet, "unlocked_until"))
            printf("Unlocked until: %s\n", reply_text(wallet, "unlocked_until"));
    }
    if (trusted(balances))
        printf("%sBalance:%s %s\n\n", k->cyan, k->reset, json_object_get_string(trusted(balances)));
}

/* What the command answers. Returns: NULL if with an error; the reply is *keep (to put). */
static struct json_object *ask(const struct client *c, const char *method, struct json_object **keep)
{
    struct json_object *request =
        request_new(method, json_object_new_array(), json_object_new_string(args_str(c->args, "rpcid", "1")));
    char *error = NULL;

    *keep = NULL;
    if (!client_call(c, request, keep, &error))
        free(error);
    json_object_put(request);
    return reply_get(*keep, "error") ? NULL : reply_get(*keep, "result");
}

/* {name: balance} of all wallets, if there are several and none was asked for; else NULL. */
static struct json_object *all_balances(const struct client *c)
{
    struct json_object *keep, *wallets = ask(c, "listwallets", &keep), *all = NULL;
    size_t n = reply_length(wallets);

    for (size_t i = 0; n > 1 && i < n; i++) {
        const char *name = json_object_get_string(json_object_array_get_idx(wallets, i));
        struct client one = *c;
        struct json_object *reply, *balances;
        char *path = client_wallet_path(name ? name : "");
        one.path = path;
        balances = ask(&one, "getbalances", &reply);
        all = all ? all : json_object_new_object();
        json_object_object_add(all, name ? name : "", json_object_get(trusted(balances)));
        json_object_put(reply);
        free(path);
    }
    json_object_put(keep);
    return all;
}

static void print_balances(struct json_object *all, const struct colors *k)
{
    size_t width = 10;

    printf("%sBalances%s\n", k->cyan, k->reset);
    json_object_object_foreach(all, key, amount)
    {
        (void)key;
        if (amount && strlen(json_object_get_string(amount)) > width)
            width = strlen(json_object_get_string(amount));
    }
    json_object_object_foreach(all, name, value)
        printf("%*s %s\n", (int)width, value ? json_object_get_string(value) : "", *name ? name : "\"\"");
    putchar('\n');
}

int getinfo_print(struct json_object *replies, struct json_object *balances, bool color)
{
    static const struct colors on = {"\x1B[0m", "\x1B[32m", "\x1B[34m", "\x1B[33m", "\x1B[35m", "\x1B[36m"},
                               off = {"", "", "", "", "", ""};
    const struct colors *k = color ? &on : &off;
    struct json_object *error, *ignored, *network, *chain, *wallet;
    const char *wrong;

    wrong = reply_batch_error(replies, ID_BALANCES + 1);
    if (wrong)
        return client_fail(xstrdup(wrong));
    network = reply_of(replies, ID_NETWORK, &error);
    if (error)
        return output_error(error);
    chain = reply_of(replies, ID_CHAIN, &error);
    if (error)
        return output_error(error);
    if (!network || !chain)
        return client_fail(xstrdup("Batch result missing"));
    printf("%sChain: %s%s\nBlocks: %s\n", k->blue, reply_text(chain, "chain"), k->reset, reply_text(chain, "blocks"));
    printf("Headers: %s\n", reply_text(chain, "headers"));
    print_progress(json_object_get_double(reply_get(chain, "verificationprogress")));
    printf("Difficulty: %s\n\n", reply_text(chain, "difficulty"));
    printf("%sNetwork: in %s, out %s, total %s%s\n", k->green, reply_text(network, "connections_in"),
           reply_text(network, "connections_out"), reply_text(network, "connections"), k->reset);
    printf("Version: %s\nTime offset (s): %s\n", reply_text(network, "version"), reply_text(network, "timeoffset"));
    print_proxies(network);
    printf("Min tx relay fee rate (BTC/kvB): %s\n\n", reply_text(network, "relayfee"));
    wallet = reply_of(replies, ID_WALLET, &ignored);
    print_wallet(wallet, reply_of(replies, ID_BALANCES, &ignored), k);
    if (balances)
        print_balances(balances, k);
    print_warnings(network, k->yellow, k->reset);
    return 0;
}

static bool wants_color(const struct args *a, bool *color, char **error)
{
    const char *when = args_str(a, "color", "auto");

    *color = strcmp(when, "always") == 0 || (strcmp(when, "auto") == 0 && isatty(STDOUT_FILENO));
    if (strcmp(when, "always") != 0 && strcmp(when, "auto") != 0 && strcmp(when, "never") != 0)
        *error = xstrdup("Invalid value for -color option. Valid values: always, auto, never.");
    return !*error;
}

/* Did the node tell about itself and its chain? */
static bool has_both(struct json_object *replies)
{
    struct json_object *error;

    return reply_of(replies, ID_NETWORK, &error) && reply_of(replies, ID_CHAIN, &error);
}

int getinfo_run(const struct client *c)
{
    struct json_object *request = getinfo_request(), *reply = NULL, *balances = NULL;
    char *error = NULL;
    bool color = false;
    int code;

    if (!client_call(c, request, &reply, &error)) {
        code = client_fail(error);
    } else {
        if (has_both(reply) && strcmp(c->path, "/") == 0)
            balances = all_balances(c);
        if (has_both(reply) && !wants_color(c->args, &color, &error))
            code = client_fail(error);
        else
            code = getinfo_print(reply, balances, color);
    }
    json_object_put(request);
    json_object_put(reply);
    json_object_put(balances);
    return code;
}
