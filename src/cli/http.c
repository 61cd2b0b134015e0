/* http.c - one request to the node: where it is, who asks, and what comes back. */
#include "cli/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/response.h"
#include "cli/stream.h"
#include "util/base64.h"
#include "util/bytes.h"
#include "util/fs.h"
#include "util/mem.h"

#define COOKIE_MAX 4096
#define NO_TIMEOUT (5 * 365 * 24 * 3600)

/* "user:password" from the options, or from the cookie file. */
static char *credentials(const struct args *a, const struct confdir *d, bool *cookie_used, bool *cookie_found)
{
    const char *name;
    char *path;
    uint8_t *data = NULL;
    size_t len;

    *cookie_found = false;
    *cookie_used = !*args_str(a, "rpcpassword", "");
    if (!*cookie_used)
        return xasprintf("%s:%s", args_str(a, "rpcuser", ""), args_str(a, "rpcpassword", ""));
    if (args_is_negated(a, "rpccookiefile"))
        return xstrdup("");
    name = args_str(a, "rpccookiefile", "");
    path = path_resolve(d->net_dir, *name ? name : ".cookie");
    if (fs_read(path, COOKIE_MAX, &data, &len) == RC_OK) {
        *cookie_found = true;
        data[strcspn((char *)data, "\r\n")] = 0;
    }
    free(path);
    return data ? (char *)data : xstrdup("");
}

/* Returns: 0 if it is none. */
static int parse_port(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    long v = digits > 0 && !text[digits] ? strtol(text, NULL, 10) : 0;

    return v <= 65535 ? (int)v : 0;
}

/* "host", "host:port", "[v6]", "[v6]:port". Returns: false if the port is no number. */
static bool split_host(const char *text, char **host, int *port)
{
    const char *colon = strrchr(text, ':');
    bool bracketed = colon && text[0] == '[' && colon[-1] == ']';
    bool has_port = colon && (bracketed || strchr(text, ':') == colon);
    size_t len = has_port ? (size_t)(colon - text) : strlen(text);

    *port = has_port ? parse_port(colon + 1) : 0;
    if (has_port && !*port)
        return false;
    if (text[0] == '[' && len >= 2 && text[len - 1] == ']') {
        text++;
        len -= 2;
    }
    *host = xmalloc(len + 1);
    memcpy(*host, text, len);
    (*host)[len] = 0;
    return true;
}

/* warn: say on standard error that a port is given twice. */
static bool find_server(const struct args *a, const struct confdir *d, char **host, int *port, bool warn, char **error)
{
    const char *connect = args_str(a, "rpcconnect", "127.0.0.1");

    if (!split_host(connect, host, port)) {
        *error = xasprintf("Invalid port provided in -rpcconnect: %s", connect);
        return false;
    }
    if (args_is_set(a, "rpcport")) {
        const char *text = args_str(a, "rpcport", "");
        int v = parse_port(text);
        if (!v) {
            *error = xasprintf("Invalid port provided in -rpcport: %s", text);
            free(*host);
            return false;
        }
        if (*port && warn)
            fprintf(stderr, "Warning: Port specified in both -rpcconnect and -rpcport. Using -rpcport %d\n", v);
        *port = v;
    }
    if (!*port)
        *port = d->network->rpc_port;
    return true;
}

bool http_check(const struct args *a, const struct confdir *d, char **error)
{
    char *host = NULL;
    int port;
    bool ok = strncmp(args_str(a, "rpcconnect", ""), "unix:", 5) == 0 || find_server(a, d, &host, &port, false, error);

    if (ok)
        free(host);
    return ok;
}

/* A path of an option: below the network's folder. */
static char *net_path(const struct args *a, const struct confdir *d, const char *name)
{
    const char *value = args_str(a, name, "");

    return *value ? path_resolve(d->net_dir, value) : NULL;
}

/* The server's address as messages show it. */
static char *name_of(const struct stream_target *t)
{
    return t->unix_path ? xasprintf("unix:%s", t->unix_path) : xasprintf("%s:%d", t->host, t->port);
}

static bool find_target(struct stream_target *t, char **owned_host, char **owned_path, const struct args *a,
                        const struct confdir *d, char **error)
{
    const char *connect = args_str(a, "rpcconnect", "127.0.0.1");
    int64_t timeout = args_int(a, "rpcclienttimeout", 900);
    int port = 0;

    memset(t, 0, sizeof(*t));
    *owned_host = *owned_path = NULL;
    t->timeout_s = timeout > 0 && timeout < NO_TIMEOUT ? (int)timeout : NO_TIMEOUT;
    t->tls = args_bool(a, "rpctls", false) || args_is_set(a, "rpctlsca") || args_is_set(a, "rpctlsfingerprint");
    t->fingerprint = args_is_set(a, "rpctlsfingerprint") ? args_str(a, "rpctlsfingerprint", "") : NULL;
    if (strncmp(connect, "unix:", 5) == 0) {
        t->host = "localhost";
        t->unix_path = *owned_path = path_resolve(d->net_dir, connect + 5);
        return true;
    }
    if (!find_server(a, d, owned_host, &port, true, error))
        return false;
    t->host = *owned_host;
    t->port = (uint16_t)port;
    return true;
}

/* Returns: NULL, or what went wrong (to free); *tls_failed: trying again will not help. */
static char *exchange(struct http_reply *reply, const struct stream_target *t, const char *path, const char *auth, const char *body,
                      bool *tls_failed)
{
    char *error = NULL, *head;
    struct stream *s = stream_open(t, tls_failed, &error);
    const char *wrong = NULL;
    size_t len;

    if (!s)
        return error;
    head = xasprintf("POST %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nContent-Type: application/json\r\n"
                     "Authorization: Basic %s\r\nContent-Length: %zu\r\n\r\n",
                     path, t->host, auth, strlen(body));
    /* A server may answer before it has read all of it. */
    if (stream_write(s, head, strlen(head)))
        stream_write(s, body, strlen(body));
    wrong = response_read(s, &reply->status, &reply->body, &len);
    stream_close(s);
    free(head);
    return wrong ? xstrdup(wrong) : NULL;
}

enum http_outcome http_post(struct http_reply *reply, const struct args *a, const struct confdir *d, const char *path,
                            const char *body, bool *cookie_used, bool *cookie_found, char **error)
{
    struct stream_target target;
    char *host, *socket_path, *plain, *auth, *ca, *wrong, *name;
    bool tls_failed;

    reply->status = 0;
    reply->body = NULL;
    *error = NULL;
    if (!find_target(&target, &host, &socket_path, a, d, error))
        return HTTP_BAD_SETTING;
    /* The node's own certificate, if it stands in the same configuration file. */
    ca = net_path(a, d, args_is_set(a, "rpctlsca") ? "rpctlsca" : "rpctlscert");
    target.ca_path = ca;
    plain = credentials(a, d, cookie_used, cookie_found);
    auth = base64_encode(plain, strlen(plain));
    wrong = exchange(reply, &target, path, auth, body, &tls_failed);
    if (wrong) {
        name = name_of(&target);
        *error =
            xasprintf("Error while attempting to communicate with server %s (%s)\n\nMake sure the farthingd server is running and "
                      "that you are connecting to the correct RPC port.\nUse \"farthing-cli -help\" for more info.",
                      name, wrong);
        free(name);
    }
    free(plain);
    free(auth);
    free(host);
    free(socket_path);
    free(ca);
    free(wrong);
    if (!*error)
        return HTTP_OK_REPLY;
    return tls_failed ? HTTP_BAD_SETTING : HTTP_NO_CONNECTION;
}
