/* main.c - farthing-cli: sends one command to a node and prints what comes back, with Bitcoin Core's conventions and exit codes: 0, 1 for
 * a failure of the client, |code| of an RPC error. */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/generate.h"
#include "cli/getinfo.h"
#include "cli/http.h"
#include "cli/netinfo.h"
#include "cli/output.h"
#include "cli/reply.h"
#include "cli/request.h"
#include "cli/words.h"
#include "util/mem.h"
#include "util/time.h"
#include "util/version.h"

#define METHOD_NOT_FOUND (-32601)

#define O "Options"
#define P "Chain selection options"
#define C "CLI Commands"
static const struct arg_spec specs[] = {
    {"help", NULL, O, 0, "Print this help message and exit (also -h or -?)"},
    {"h", NULL, O, ARG_DEBUG_ONLY, "Same as -help"},
    {"?", NULL, O, ARG_DEBUG_ONLY, "Same as -help"},
    {"version", NULL, O, 0, "Print version and exit"},
    {"color", "<when>", O, ARG_NO_NEGATION,
     "Color setting for the output of -getinfo: always, auto (when standard output is a terminal), never (default: auto)"},
    {"conf", "<file>", O, 0,
     "Specify configuration file, relative to the datadir (default: farthing.conf, or bitcoin.conf where that exists)"},
    {"datadir", "<dir>", O, ARG_NO_NEGATION, "Specify data directory (default: ~/.farthing)"},
    {"ipcconnect", "<address>", O, ARG_DEBUG_ONLY, "Accepted with auto or 0: there is no IPC here"},
    {"miningaddress", "<addr>", O, ARG_NETWORK_ONLY, "With -generate, for a node without a wallet: the address to pay to"},
    {"named", NULL, O, 0, "Pass named instead of positional arguments (default: false)"},
    {"rpcid", "<id>", O, ARG_NO_NEGATION | ARG_NEEDS_VALUE, "Set a custom JSON-RPC request ID string (default: 1)"},
    {"rpcclienttimeout", "<n>", O, 0, "Timeout in seconds during HTTP requests, or 0 for no timeout (default: 900)"},
    {"rpcconnect", "<ip>", O, 0,
     "Send commands to node running on <ip>, which may have a port behind it, or on the unix socket unix:<path> (default: "
     "127.0.0.1)"},
    {"rpccookiefile", "<loc>", O, 0, "Location of the auth cookie, relative to the network's datadir (default: .cookie)"},
    {"rpcpassword", "<pw>", O, ARG_SENSITIVE, "Password for JSON-RPC connections"},
    {"rpcport", "<port>", O, ARG_NETWORK_ONLY,
     "Connect to JSON-RPC on <port> (default: 8332, testnet3: 18332, testnet4: 48332, signet: 38332, regtest: 18443)"},
    {"rpctls", NULL, O, 0, "Connect with TLS (default: 1 if -rpctlsca or -rpctlsfingerprint is given)"},
    {"rpctlsca", "<file>", O, 0,
     "Certificates (PEM) to trust, relative to the network's datadir (default: the node's -rpctlscert if the configuration file "
     "has "
     "it, else those of the system)"},
    {"rpctlscert", "<file>", O, ARG_DEBUG_ONLY, "As in the node's options"},
    {"rpctlsfingerprint", "<hex>", O, 0, "SHA-256 of the one certificate to trust, whatever its name"},
    {"rpcuser", "<user>", O, ARG_SENSITIVE, "Username for JSON-RPC connections"},
    {"rpcwait", NULL, O, 0, "Wait for RPC server to start"},
    {"rpcwaittimeout", "<n>", O, ARG_NO_NEGATION, "Seconds to wait for the RPC server to start, or 0 for no timeout (default: 0)"},
    {"rpcwallet", "<walletname>", O, 0, "Send the command to /wallet/<walletname>"},
    {"stdin", NULL, O, 0, "Read extra arguments from standard input, one per line until EOF"},
    {"stdinrpcpass", NULL, O, 0, "Read RPC password from standard input as a single line"},
    {"stdinwalletpassphrase", NULL, O, 0,
     "Read wallet passphrase from standard input as a single line, for walletpassphrase and walletpassphrasechange"},
    {"allowignoredconf", NULL, O, ARG_DEBUG_ONLY, "Accepted, as in the node's options"},
    {"chain", "<chain>", P, 0, "Use the chain <chain>: main, test, testnet4, signet, regtest (default: main)"},
    {"regtest", NULL, P, 0, "Use the regression test chain"},
    {"signet", NULL, P, 0, "Use the signet chain"},
    {"signetchallenge", "<hex>", P, ARG_DEBUG_ONLY, "Accepted, as in the node's options"},
    {"testnet", NULL, P, 0, "Use the testnet3 chain"},
    {"testnet4", NULL, P, 0, "Use the testnet4 chain"},
    {"addrinfo", NULL, C, 0, "Get the number of addresses known to the node, per network and total"},
    {"generate", NULL, C, 0,
     "Generate blocks for tests, to a new address of the wallet or, if the node has none, to -miningaddress. The number of blocks "
     "(default: 1) and the most tries for each may follow"},
    {"getinfo", NULL, C, 0, "Get general information from the node"},
    {"netinfo", NULL, C, 0,
     "Get the node's connections for people to read. A level from 0 to 4 may follow (default: 0), and behind a level above 0 "
     "\"outonly\" "
     "(or \"o\") for outbound peers only; \"help\" explains the columns"},
};
#undef O
#undef P
#undef C

static int run_getinfo(const struct client *c, size_t n_words)
{
    if (n_words > 0)
        return client_fail(xstrdup("-getinfo takes no arguments"));
    return getinfo_run(c);
}

static int run_netinfo(const struct client *c, const char *const *words, size_t n)
{
    struct netinfo info = {.chain = c->dir.network->name, .client = "Farthing client v" FARTHING_VERSION, .now = time_real()};
    struct json_object *request, *reply = NULL;
    char *error = NULL;
    int code;

    if (!netinfo_parse(&info, words, n, &error))
        return client_fail(error);
    request = netinfo_request();
    code = client_call(c, request, &reply, &error) ? netinfo_print(&info, reply) : client_fail(error);
    json_object_put(request);
    json_object_put(reply);
    return code;
}

static int run_addrinfo(const struct client *c, size_t n_words)
{
    struct json_object *request, *reply = NULL, *rpc_error, *result;
    char *error = NULL;
    int code = EXIT_SUCCESS;

    if (n_words > 0)
        return client_fail(xstrdup("-addrinfo takes no arguments"));
    request = request_new("getaddrmaninfo", json_object_new_array(), json_object_new_int(1));
    if (!client_call(c, request, &reply, &error)) {
        code = client_fail(error);
    } else if ((rpc_error = reply_get(reply, "error")) != NULL) {
        code = json_object_get_int(reply_get(rpc_error, "code")) != METHOD_NOT_FOUND
                   ? output_error(rpc_error)
                   : client_fail(xstrdup("-addrinfo requires a node that has the getaddrmaninfo RPC (Bitcoin Core v26.0 or later). "
                                         "Please upgrade your node."));
    } else {
        result = addrinfo_result(reply_get(reply, "result"));
        output_result(result);
        json_object_put(result);
    }
    json_object_put(request);
    json_object_put(reply);
    return code;
}

static const char *const own_commands[] = {"addrinfo", "generate", "getinfo", "netinfo"};

/* Commands of the client itself: at most one. */
static bool one_command(const struct client *c, char **error)
{
    char *found = xstrdup(""), *longer;
    unsigned n = 0;

    for (size_t i = 0; i < ARRAY_LEN(own_commands); i++) {
        if (!args_is_set(c->args, own_commands[i]))
            continue;
        longer = xasprintf("%s%s-%s", found, n++ ? ", " : "", own_commands[i]);
        free(found);
        found = longer;
    }
    if (n > 1)
        *error = xasprintf("Only one of %s may be specified.", found);
    free(found);
    return n <= 1;
}

static int run_command(const struct client *c, const char *const *words, size_t n)
{
    struct json_object *params, *request, *reply = NULL, *rpc_error = NULL, *result = NULL;
    char *error = NULL;
    int code = EXIT_SUCCESS;

    params = request_params(words[0], words + 1, n - 1, args_bool(c->args, "named", false), &error);
    if (!params)
        return client_fail(error);
    request = request_new(words[0], params, json_object_new_string(args_str(c->args, "rpcid", "1")));
    if (!client_call(c, request, &reply, &error)) {
        code = client_fail(error);
    } else if (!json_object_is_type(reply, json_type_object) || json_object_object_length(reply) == 0) {
        code = client_fail(xstrdup("expected reply to have result, error and id properties"));
    } else if (json_object_object_get_ex(reply, "error", &rpc_error) && rpc_error) {
        code = output_error(rpc_error);
    } else {
        json_object_object_get_ex(reply, "result", &result);
        output_result(result);
    }
    json_object_put(request);
    json_object_put(reply);
    return code;
}

static void print_usage(const struct args *a)
{
    char *help = args_help(a, false);
    printf("Farthing RPC client version v%s\n\n"
           "Usage: farthing-cli [options] <command> [params]\n"
           "or:    farthing-cli [options] -named <command> [name=value]...\n"
           "or:    farthing-cli [options] help\n"
           "or:    farthing-cli [options] help <command>\n\n%s",
           FARTHING_VERSION, help);
    free(help);
}

static bool one_is_on(const struct args *a)
{
    for (size_t i = 0; i < ARRAY_LEN(own_commands); i++)
        if (args_bool(a, own_commands[i], false))
            return true;
    return false;
}

/* There is no IPC here; -ipcconnect may ask for none. The words are those that Bitcoin Core's tests look for. */
static bool no_ipc(const struct args *a, char **error)
{
    const char *where = args_str(a, "ipcconnect", "auto");

    if (strcmp(where, "0") == 0)
        return true;
    if (strcmp(where, "auto") != 0)
        *error = xstrdup(args_is_set(a, "rpcconnect") && !args_is_negated(a, "rpcconnect")
                             ? "-rpcconnect and -ipcconnect options cannot both be enabled"
                             : "bitcoin-cli was not built with IPC support");
    return !*error;
}

static int run_own_or_command(struct client *c, const char *const *words, size_t n)
{
    char *error = NULL;

    if (!one_command(c, &error))
        return client_fail(error);
    if (n == 0 && !one_is_on(c->args))
        return client_fail(xstrdup("too few parameters (need at least command)"));
    if (args_bool(c->args, "netinfo", false) && !args_bool(c->args, "getinfo", false) && netinfo_wants_help(words, n)) {
        netinfo_help();
        return EXIT_SUCCESS;
    }
    if (!no_ipc(c->args, &error) || !http_check(c->args, &c->dir, &error))
        return client_fail(error);
    if (args_bool(c->args, "getinfo", false))
        return run_getinfo(c, n);
    if (args_bool(c->args, "netinfo", false))
        return run_netinfo(c, words, n);
    if (args_bool(c->args, "addrinfo", false))
        return run_addrinfo(c, n);
    if (args_bool(c->args, "generate", false))
        return generate_run(c, words, n);
    return run_command(c, words, n);
}

static int run(struct client *c, int argc, char **argv, int rest)
{
    struct words words;
    char *wallet = NULL, *error = NULL;
    int code;

    c->path = "/";
    if (args_is_set(c->args, "rpcwallet") && !args_is_negated(c->args, "rpcwallet"))
        c->path = wallet = client_wallet_path(args_str(c->args, "rpcwallet", ""));
    while (rest < argc && argv[rest][0] == '-') /* "-" ends the options */
        rest++;
    if (words_collect(&words, c->args, argv + rest, argc - rest, &error))
        code = run_own_or_command(c, (const char *const *)words.v, words.n);
    else
        code = client_fail(error);
    words_clear(&words);
    free(wallet);
    return code;
}

int main(int argc, char **argv)
{
    struct client c = {.args = args_new(specs, ARRAY_LEN(specs))};
    char *error = NULL;
    int rest = argc, code = EXIT_FAILURE;

    if (!args_parse(c.args, argc, argv, &rest, &error)) {
        fprintf(stderr, "Error parsing command line arguments: %s\n", error);
    } else if (argc < 2) {
        print_usage(c.args);
        fprintf(stderr, "Error: too few parameters\n");
    } else if (args_bool(c.args, "version", false)) {
        printf("Farthing RPC client version v%s\n", FARTHING_VERSION);
        code = EXIT_SUCCESS;
    } else if (args_is_set(c.args, "help") || args_is_set(c.args, "h") || args_is_set(c.args, "?")) {
        print_usage(c.args);
        code = EXIT_SUCCESS;
    } else if (!confdir_read(&c.dir, c.args, &error)) {
        fprintf(stderr, strncmp(error, "Error reading", 13) ? "Error: %s\n" : "%s\n", error);
    } else {
        code = run(&c, argc, argv, rest);
    }
    free(error);
    confdir_clear(&c.dir);
    args_free(c.args);
    return code;
}
