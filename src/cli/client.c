/* client.c - one request to the node and its reply, again and again while -rpcwait says so. */
#include "cli/client.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/http.h"
#include "cli/reply.h"
#include "util/bytes.h"
#include "util/json_check.h"
#include "util/mem.h"
#include "util/time.h"

#define RPC_IN_WARMUP (-28)

int client_fail(char *text_take)
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

/* Is the node, in the one reply or the first that says so of a batch, not ready yet? */
static bool in_warmup(struct json_object *reply)
{
    for (size_t i = 0; i < reply_length(reply); i++)
        if (in_warmup(json_object_array_get_idx(reply, i)))
            return true;
    return json_object_get_int(reply_get(reply_get(reply, "error"), "code")) == RPC_IN_WARMUP;
}

/* exchange, repeated while -rpcwait says so. */
bool client_call(const struct client *c, struct json_object *request, struct json_object **reply, char **error)
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

char *client_wallet_path(const char *name)
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
