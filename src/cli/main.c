/* main.c - farthing-cli: sends one command to a node and prints what comes back, with Bitcoin Core's conventions and exit codes: 0, 1 for
 * a failure of the client, |code| of an RPC error. */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cli/getinfo.h"
#include "cli/http.h"
#include "cli/netinfo.h"
#include "cli/output.h"
#include "cli/reply.h"
#include "cli/request.h"
#include "util/bytes.h"
#include "util/json_check.h"
#include "util/mem.h"
#include "util/time.h"
#include "util/version.h"

#define RPC_IN_WARMUP (-28)

#define O "Options"
#define P "Chain selection options"
#define C "CLI Commands"
static const struct arg_spec specs[] = {
    {"help", NULL, O, 0, "Print this help message and exit (also -h or -?)"},
    {"h", NULL, O, ARG_DEBUG_ONLY, "Same as -help"},
    {"?", NULL, O, ARG_DEBUG_ONLY, "Same as -help"},
    {"version", NULL, O, 0, "Print version and exit"},
    {"color", "<when>", O, 0,
     "Color setting for the output of -getinfo: always, auto (when standard output is a terminal), never (default: auto)"},
    {"conf", "<file>", O, 0,
     "Specify configuration file, relative to the datadir (default: farthing.conf, or bitcoin.conf where that exists)"},
    {"datadir", "<dir>", O, ARG_NO_NEGATION, "Specify data directory (default: ~/.farthing)"},
    {"named", NULL, O, 0, "Pass named instead of positional arguments (default: false)"},
    {"rpcid", "<id>", O, 0, "Set a custom JSON-RPC request ID string (default: 1)"},
    {"rpcclienttimeout", "<n>", O, 0, "Timeout in seconds during HTTP requests, or 0 for no timeout (default: 900)"},
    {"rpcconnect", "<ip>", O, 0, "Send commands to node running on <ip> (default: 127.0.0.1)"},
    {"rpccookiefile", "<loc>", O, 0, "Location of the auth cookie, relative to the network's datadir (default: .cookie)"},
    {"rpcpassword", "<pw>", O, ARG_SENSITIVE, "Password for JSON-RPC connections"},
    {"rpcport", "<port>", O, ARG_NETWORK_ONLY,
     "Connect to JSON-RPC on <port> (default: 8332, testnet3: 18332, testnet4: 48332, signet: 38332, regtest: 18443)"},
    {"rpcuser", "<user>", O, ARG_SENSITIVE, "Username for JSON-RPC connections"},
    {"rpcwait", NULL, O, 0, "Wait for RPC server to start"},
    {"rpcwaittimeout", "<n>", O, 0, "Seconds to wait for the RPC server to start, or 0 for no timeout (default: 0)"},
    {"rpcwallet", "<walletname>", O, 0, "Send the command to /wallet/<walletname>"},
    {"stdin", NULL, O, 0, "Read extra arguments from standard input, one per line until EOF"},
    {"stdinrpcpass", NULL, O, 0, "Read RPC password from standard input as a single line"},
    {"allowignoredconf", NULL, O, ARG_DEBUG_ONLY, "Accepted, as in the node's options"},
    {"chain", "<chain>", P, 0, "Use the chain <chain>: main, test, testnet4, signet, regtest (default: main)"},
    {"regtest", NULL, P, 0, "Use the regression test chain"},
    {"signet", NULL, P, 0, "Use the signet chain"},
    {"signetchallenge", "<hex>", P, ARG_DEBUG_ONLY, "Accepted, as in the node's options"},
    {"testnet", NULL, P, 0, "Use the testnet3 chain"},
    {"testnet4", NULL, P, 0, "Use the testnet4 chain"},
    {"addrinfo", NULL, C, 0, "Get the number of addresses known to the node, per network and total"},
    {"getinfo", NULL, C, 0, "Get general information from the node"},
    {"netinfo", NULL, C, 0,
     "Get the node's connections for people to read. A level from 0 to 4 may follow (default: 0), and behind a level above 0 "
     "\"outonly\" "
     "(or \"o\") for outbound peers only; \"help\" explains the columns"},
};
#undef O
#undef P
#undef C

struct client {
    struct args *args;
    struct confdir dir;
    const char *path;
};

static int fail(char *text_take)
{
    fprintf(stderr, "error: %s\n", text_take);
    free(text_take);
    return EXIT_FAILURE;
}

/* The text of an HTTP status that carries no JSON-RPC reply; NULL if it may. */
static char *status_error(const struct client *c, const struct http_reply *r, bool cookie_used, bool cookie_found)
{
    if (r->status == 401) {
        const char *why = !cookie_used ? "Incorrect rpcuser or rpcpassword were specified."
                          : args_is_negated(c->args, "rpccookiefile")
                              ? "Cookie file was disabled via -norpccookiefile and no rpcpassword was specified."
                          : cookie_found ? "Cookie file credentials were invalid and no rpcpassword was specified."
                                         : "Failed to read cookie file and no rpcpassword was specified.";
        return xasprintf("Authorization failed: %s Configuration file: (%s)", why, c->dir.conf_path ? c->dir.conf_path : "");
    }
    if (r->status == 503)
        return xasprintf("Server response: %s", r->body);
    if (r->status >= 400 && r->status != 400 && r->status != 404 && r->status != 500)
        return xasprintf("server returned HTTP error %d", r->status);
    return *r->body ? NULL : xstrdup("no response from server");
}

/* One exchange. Out: *reply (parsed) or *error. Returns: false on error; *transient: waiting may help. */
static bool exchange(const struct client *c, const char *body, struct json_object **reply, bool *transient, char **error)
{
    struct http_reply r = {0};
    bool cookie_used, cookie_found;
    enum http_outcome outcome = http_post(&r, c->args, &c->dir, c->path, body, &cookie_used, &cookie_found, error);

    *transient = outcome == HTTP_NO_CONNECTION;
    if (outcome != HTTP_OK_REPLY)
        return false;
    *error = status_error(c, &r, cookie_used, cookie_found);
    if (!*error) {
        size_t len = strlen(r.body);
        struct json_tokener *t = json_tokener_new_ex(JSON_CHECK_DEPTH);
        bool sound = len < INT32_MAX && json_check(r.body, len);
        *reply = sound ? json_tokener_parse_ex(t, r.body, (int)len + 1) : NULL;
        if (!sound || json_tokener_get_error(t) != json_tokener_success)
            *error = xstrdup("couldn't parse reply from server");
        json_tokener_free(t);
    }
    free(r.body);
    return !*error;
}

static bool in_warmup(struct json_object *reply)
{
    struct json_object *error = NULL, *code = NULL;
    return json_object_is_type(reply, json_type_object) && json_object_object_get_ex(reply, "error", &error) &&
           json_object_is_type(error, json_type_object) && json_object_object_get_ex(error, "code", &code) &&
           json_object_get_int(code) == RPC_IN_WARMUP;
}

/* exchange, repeated while -rpcwait says so. */
static bool call(const struct client *c, struct json_object *request, struct json_object **reply, char **error)
{
    bool wait = args_bool(c->args, "rpcwait", false);
    int64_t timeout = args_int(c->args, "rpcwaittimeout", 0);
    int64_t deadline = time_mono_us() + timeout * 1000000;
    char *body = xasprintf("%s\n", json_object_to_json_string_ext(request, JSON_C_TO_STRING_PLAIN));
    bool ok;

    for (;;) {
        bool transient;
        ok = exchange(c, body, reply, &transient, error);
        if (ok && wait && in_warmup(*reply)) {
            json_object_put(*reply);
            *error = xstrdup("server in warmup");
            transient = true;
            ok = false;
        }
        if (ok || !wait || !transient)
            break;
        if (timeout > 0 && time_mono_us() >= deadline) {
            char *late = xasprintf("timeout on transient error: %s", *error);
            free(*error);
            *error = late;
            break;
        }
        free(*error);
        usleep(timeout > 0 && timeout < 5 ? 200000 : 1000000);
    }
    free(body);
    return ok;
}

static char *read_line(FILE *f)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t n = getline(&line, &cap, f);
    if (n < 0) {
        free(line);
        return NULL;
    }
    if (n > 0 && line[n - 1] == '\n')
        line[n - 1] = 0;
    return line;
}

static bool read_password(struct client *c)
{
    struct termios old;
    bool terminal = tcgetattr(STDIN_FILENO, &old) == 0;
    char *line;

    if (terminal) {
        struct termios silent = old;
        silent.c_lflag &= ~(tcflag_t)ECHO;
        tcsetattr(STDIN_FILENO, TCSANOW, &silent);
        fputs("RPC password> ", stderr);
    }
    line = read_line(stdin);
    if (terminal) {
        tcsetattr(STDIN_FILENO, TCSANOW, &old);
        fputc('\n', stdout);
    }
    if (line)
        args_force(c->args, "rpcpassword", line);
    free(line);
    return line != NULL;
}

/* The command's words: those of the command line, then lines of standard input with -stdin. Returns: array (its strings are not owned twice). */
static const char **collect_words(const struct client *c, int argc, char **argv, int rest, size_t *n)
{
    size_t cap = (size_t)(argc - rest) + 8;
    const char **words = xcalloc(cap, sizeof(*words));
    char *line;

    *n = 0;
    for (int i = rest; i < argc; i++)
        words[(*n)++] = argv[i];
    while (args_bool(c->args, "stdin", false) && (line = read_line(stdin)) != NULL) {
        if (*n == cap)
            words = xrealloc(words, (cap *= 2) * sizeof(*words));
        words[(*n)++] = line;
    }
    return words;
}

static bool wants_color(const struct args *a, bool *color, char **error)
{
    const char *when = args_str(a, "color", "auto");
    *color = strcmp(when, "always") == 0 || (strcmp(when, "auto") == 0 && isatty(STDOUT_FILENO));
    if (strcmp(when, "always") != 0 && strcmp(when, "auto") != 0 && strcmp(when, "never") != 0)
        *error = xstrdup("Invalid value for -color option. Valid values: always, auto, never.");
    return !*error;
}

static int run_getinfo(const struct client *c, size_t n_words)
{
    struct json_object *request, *reply = NULL;
    char *error = NULL;
    bool color;
    int code;

    if (n_words > 0)
        return fail(xstrdup("-getinfo takes no arguments"));
    if (!wants_color(c->args, &color, &error))
        return fail(error);
    request = getinfo_request();
    code = call(c, request, &reply, &error) ? getinfo_print(reply, color) : fail(error);
    json_object_put(request);
    json_object_put(reply);
    return code;
}

static int run_netinfo(const struct client *c, const char *const *words, size_t n)
{
    struct netinfo info = {.chain = c->dir.network->name, .client = "Farthing client v" FARTHING_VERSION, .now = time_real()};
    struct json_object *request, *reply = NULL;
    char *error = NULL;
    int code;

    if (n > 0 && (strcmp(words[0], "help") == 0 || strcmp(words[0], "h") == 0)) {
        netinfo_help();
        return EXIT_SUCCESS;
    }
    if (!netinfo_parse(&info, words, n, &error))
        return fail(error);
    request = netinfo_request();
    code = call(c, request, &reply, &error) ? netinfo_print(&info, reply) : fail(error);
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
        return fail(xstrdup("-addrinfo takes no arguments"));
    request = request_new("getaddrmaninfo", json_object_new_array(), json_object_new_int(1));
    if (!call(c, request, &reply, &error)) {
        code = fail(error);
    } else if ((rpc_error = reply_get(reply, "error")) != NULL) {
        code = output_error(rpc_error);
    } else {
        result = addrinfo_result(reply_get(reply, "result"));
        output_result(result);
        json_object_put(result);
    }
    json_object_put(request);
    json_object_put(reply);
    return code;
}

/* Commands of the client itself: at most one. */
static bool one_command(const struct client *c, char **error)
{
    static const char *const names[] = {"addrinfo", "getinfo", "netinfo"};
    char *found = xstrdup(""), *longer;
    unsigned n = 0;

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (!args_is_set(c->args, names[i]))
            continue;
        longer = xasprintf("%s%s-%s", found, n++ ? ", " : "", names[i]);
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

    if (n == 0)
        return fail(xstrdup("too few parameters (need at least command)"));
    params = request_params(words[0], words + 1, n - 1, args_bool(c->args, "named", false), &error);
    if (!params)
        return fail(error);
    request = request_new(words[0], params, json_object_new_string(args_str(c->args, "rpcid", "1")));
    if (!call(c, request, &reply, &error)) {
        code = fail(error);
    } else if (!json_object_is_type(reply, json_type_object) || json_object_object_length(reply) == 0) {
        code = fail(xstrdup("expected reply to have result, error and id properties"));
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

static char *wallet_path(const char *name)
{
    struct writer w = WRITER_INIT;
    static const char digits[] = "0123456789ABCDEF";

    write_bytes(&w, "/wallet/", 8);
    for (; *name; name++) {
        unsigned char ch = (unsigned char)*name;
        if ((ch >= '0' && ch <= '9') || (ch >= 'A' && ch <= 'Z') || (ch >= 'a' && ch <= 'z') || strchr("-._~", ch)) {
            write_u8(&w, ch);
        } else {
            write_u8(&w, '%');
            write_u8(&w, (uint8_t)digits[ch >> 4]);
            write_u8(&w, (uint8_t)digits[ch & 15]);
        }
    }
    write_u8(&w, 0);
    return (char *)w.data;
}

static int run(struct client *c, int argc, char **argv, int rest)
{
    const char **words;
    char *wallet = NULL, *error = NULL;
    size_t n;
    int code;

    if (args_bool(c->args, "stdinrpcpass", false) && !read_password(c))
        return fail(xstrdup("-stdinrpcpass specified but failed to read from standard input"));
    c->path = "/";
    if (args_is_set(c->args, "rpcwallet") && !args_is_negated(c->args, "rpcwallet"))
        c->path = wallet = wallet_path(args_str(c->args, "rpcwallet", ""));
    words = collect_words(c, argc, argv, rest, &n);
    if (!one_command(c, &error))
        code = fail(error);
    else if (args_bool(c->args, "getinfo", false))
        code = run_getinfo(c, n);
    else if (args_bool(c->args, "netinfo", false))
        code = run_netinfo(c, words, n);
    else if (args_bool(c->args, "addrinfo", false))
        code = run_addrinfo(c, n);
    else
        code = run_command(c, words, n);
    for (size_t i = (size_t)(argc - rest); i < n; i++)
        free((void *)(uintptr_t)words[i]);
    free(words);
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
    } else if (args_bool(c.args, "help", false) || args_bool(c.args, "h", false) || args_bool(c.args, "?", false)) {
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
