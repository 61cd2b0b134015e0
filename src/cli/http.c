/* http.c - the client's connection, over libevent's HTTP client. */
#include "cli/http.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/base64.h"
#include "util/bytes.h"
#include "util/fs.h"
#include "util/mem.h"

#define COOKIE_MAX 4096
#define NO_TIMEOUT (5 * 365 * 24 * 3600)

struct exchange {
    struct http_reply *reply;
    int error; /* enum evhttp_request_error, -1 if none */
};

static void on_reply(struct evhttp_request *req, void *arg)
{
    struct exchange *x = arg;
    struct evbuffer *in;
    size_t len;

    if (!req || evhttp_request_get_response_code(req) == 0)
        return; /* status stays 0: no connection */
    x->reply->status = evhttp_request_get_response_code(req);
    in = evhttp_request_get_input_buffer(req);
    len = evbuffer_get_length(in);
    x->reply->body = xmalloc(len + 1);
    evbuffer_remove(in, x->reply->body, len);
    x->reply->body[len] = 0;
}

static void on_error(enum evhttp_request_error error, void *arg)
{
    struct exchange *x = arg;
    x->error = (int)error;
}

static const char *error_text(int error)
{
    switch (error) {
    case EVREQ_HTTP_TIMEOUT:
        return "timeout reached";
    case EVREQ_HTTP_EOF:
        return "EOF reached";
    case EVREQ_HTTP_INVALID_HEADER:
        return "error while reading header, or invalid header";
    case EVREQ_HTTP_BUFFER_ERROR:
        return "error encountered while reading or writing";
    case EVREQ_HTTP_REQUEST_CANCEL:
        return "request was canceled";
    case EVREQ_HTTP_DATA_TOO_LONG:
        return "response body is larger than allowed";
    default:
        return "unknown";
    }
}

/* "user:password" from the options, or from the cookie file. */
static char *credentials(const struct args *a, const struct confdir *d, bool *cookie_used, bool *cookie_found)
{
    char *path;
    uint8_t *data = NULL;
    size_t len;

    *cookie_found = false;
    *cookie_used = !*args_str(a, "rpcpassword", "");
    if (!*cookie_used)
        return xasprintf("%s:%s", args_str(a, "rpcuser", ""), args_str(a, "rpcpassword", ""));
    if (args_is_negated(a, "rpccookiefile"))
        return xstrdup("");
    path = path_resolve(d->net_dir, args_str(a, "rpccookiefile", ".cookie"));
    if (fs_read(path, COOKIE_MAX, &data, &len) == RC_OK) {
        *cookie_found = true;
        data[strcspn((char *)data, "\r\n")] = 0;
    }
    free(path);
    return data ? (char *)data : xstrdup("");
}

/* "host", "host:port", "[v6]", "[v6]:port". Returns: false if the port is no number. */
static bool split_host(const char *text, char **host, int *port)
{
    const char *colon = strrchr(text, ':');
    const char *bracket = strrchr(text, ']');
    bool has_port = colon && (text[0] == '[' ? colon > bracket : strchr(text, ':') == colon);
    size_t len = has_port ? (size_t)(colon - text) : strlen(text);
    char *end;

    *port = 0;
    if (has_port) {
        long v = strtol(colon + 1, &end, 10);
        if (*end || end == colon + 1 || v < 1 || v > 65535)
            return false;
        *port = (int)v;
    }
    if (text[0] == '[' && len >= 2 && text[len - 1] == ']') {
        text++;
        len -= 2;
    }
    *host = xmalloc(len + 1);
    memcpy(*host, text, len);
    (*host)[len] = 0;
    return true;
}

static bool find_server(const struct args *a, const struct confdir *d, char **host, int *port, char **error)
{
    const char *connect = args_str(a, "rpcconnect", "127.0.0.1");

    if (!split_host(connect, host, port)) {
        *error = xasprintf("Invalid port provided in -rpcconnect: %s", connect);
        return false;
    }
    if (args_is_set(a, "rpcport")) {
        const char *text = args_str(a, "rpcport", "");
        char *end;
        long v = strtol(text, &end, 10);
        if (*end || end == text || v < 1 || v > 65535) {
            *error = xasprintf("Invalid port provided in -rpcport: %s", text);
            free(*host);
            return false;
        }
        if (*port)
            fprintf(stderr, "Warning: Port specified in both -rpcconnect and -rpcport. Using -rpcport %ld\n", v);
        *port = (int)v;
    }
    if (!*port)
        *port = d->network->rpc_port;
    return true;
}

static bool exchange(struct exchange *x, const char *host, int port, int timeout, const char *path, const char *auth,
                     const char *body)
{
    struct event_base *base = event_base_new();
    struct evhttp_connection *conn = evhttp_connection_base_new(base, NULL, host, (uint16_t)port);
    struct evhttp_request *req = evhttp_request_new(on_reply, x);
    struct evkeyvalq *headers = evhttp_request_get_output_headers(req);
    char *line = xasprintf("Basic %s", auth);
    bool made;

    evhttp_connection_set_timeout(conn, timeout);
    evhttp_request_set_error_cb(req, on_error);
    evhttp_add_header(headers, "Host", host);
    evhttp_add_header(headers, "Connection", "close");
    evhttp_add_header(headers, "Content-Type", "application/json");
    evhttp_add_header(headers, "Authorization", line);
    evbuffer_add(evhttp_request_get_output_buffer(req), body, strlen(body));
    made = evhttp_make_request(conn, req, EVHTTP_REQ_POST, path) == 0;
    if (made)
        event_base_dispatch(base);
    evhttp_connection_free(conn);
    event_base_free(base);
    free(line);
    return made;
}

enum http_outcome http_post(struct http_reply *reply, const struct args *a, const struct confdir *d, const char *path,
                            const char *body, bool *cookie_used, bool *cookie_found, char **error)
{
    struct exchange x = {reply, -1};
    int64_t timeout = args_int(a, "rpcclienttimeout", 900);
    char *host, *plain, *auth;
    int port;

    reply->status = 0;
    reply->body = NULL;
    if (!find_server(a, d, &host, &port, error))
        return HTTP_BAD_SETTING;
    plain = credentials(a, d, cookie_used, cookie_found);
    auth = base64_encode(plain, strlen(plain));
    exchange(&x, host, port, timeout > 0 && timeout < NO_TIMEOUT ? (int)timeout : NO_TIMEOUT, path, auth, body);
    free(plain);
    free(auth);
    if (reply->status == 0) {
        *error = xasprintf("Error while attempting to communicate with server %s:%d (%s)\n\nMake sure the farthingd server is "
                           "running and that you "
                           "are connecting to the correct RPC port.\nUse \"farthing-cli -help\" for more info.",
                           host, port, x.error >= 0 ? error_text(x.error) : "Could not connect to the server");
        free(host);
        return HTTP_NO_CONNECTION;
    }
    free(host);
    return HTTP_OK_REPLY;
}
