/* methods_server.c - Electrum's server.*: versions, features, the rest that has fixed answers. Called by session.c. */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

#include "session.h"
#include "util/version.h"

#define SERVER_NAME FARTHING_NAME " " FARTHING_VERSION

/* "1.4.2" and the like. Returns: 0 if it is no version. */
static unsigned parse_version(struct json_object *v)
{
    unsigned part[3] = {0}, n = 0;
    const char *p = json_object_is_type(v, json_type_string) ? json_object_get_string(v) : "";

    while (n < 3 && *p >= '0' && *p <= '9') {
        for (; *p >= '0' && *p <= '9'; p++)
            part[n] = part[n] > 25 ? 255 : part[n] * 10 + (unsigned)(*p - '0');
        n++;
        if (*p != '.')
            break;
        p++;
    }
    return n < 2 || *p ? 0
                       : ELECTRUM_V(part[0] > 255 ? 255 : part[0], part[1] > 255 ? 255 : part[1], part[2] > 255 ? 255 : part[2]);
}

static bool read_range(unsigned *lo, unsigned *hi, struct json_object *v)
{
    *lo = *hi = ELECTRUM_1_4;
    if (!v)
        return true;
    if (!json_object_is_type(v, json_type_array)) {
        *lo = *hi = parse_version(v);
        return *lo != 0;
    }
    if (json_object_array_length(v) != 2)
        return false;
    *lo = parse_version(json_object_array_get_idx(v, 0));
    *hi = parse_version(json_object_array_get_idx(v, 1));
    return *lo && *hi;
}

/* The highest that both speak; there is no 1.5. Returns: 0: none. */
static unsigned choose_version(unsigned lo, unsigned hi, unsigned most)
{
    unsigned v = hi < most ? hi : most;

    if (v > ELECTRUM_1_4_3 && v < ELECTRUM_1_6)
        v = ELECTRUM_1_4_3;
    return v >= ELECTRUM_1_4 && v >= lo ? v : 0;
}

static void version(struct electrum_call *c)
{
    struct electrum_session *s = c->s;
    unsigned lo, hi, v;
    char text[16];

    if (s->negotiated) {
        electrum_fail(c, ELECTRUM_BAD_REQUEST, "server.version already sent");
        return;
    }
    v = read_range(&lo, &hi, c->args[1]) ? choose_version(lo, hi, s->spoke ? ELECTRUM_1_4_3 : ELECTRUM_1_6) : 0;
    if (!v) {
        electrum_fail(c, ELECTRUM_BAD_REQUEST, "unsupported protocol version");
        c->hang_up = true;
        return;
    }
    s->version = v;
    s->negotiated = true;
    snprintf(text, sizeof(text), v & 255 ? "%u.%u.%u" : "%u.%u", v >> 16, v >> 8 & 255, v & 255);
    jw_arr_begin(c->out);
    jw_str(c->out, SERVER_NAME);
    jw_str(c->out, text);
    jw_arr_end(c->out);
}

static void features(struct electrum_call *c)
{
    struct json_writer *j = c->out;

    jw_obj_begin(j);
    jw_kv_hash(j, "genesis_hash", c->src->params->genesis_hash.b);
    jw_key(j, "hosts");
    jw_obj_begin(j);
    c->src->hosts(c->src->ctx, j);
    jw_obj_end(j);
    jw_kv_str(j, "protocol_max", "1.6");
    jw_kv_str(j, "protocol_min", "1.4");
    jw_key(j, "pruning");
    jw_null(j);
    jw_kv_str(j, "server_version", SERVER_NAME);
    jw_kv_str(j, "hash_function", "sha256");
    jw_obj_end(j);
}

static void banner(struct electrum_call *c)
{
    jw_str(c->out, c->src->banner);
}

static void donation_address(struct electrum_call *c)
{
    jw_str(c->out, c->src->donation);
}

/* One's own node is no part of the public network of servers: it knows no others and does not introduce itself. */
static void peers_subscribe(struct electrum_call *c)
{
    jw_arr_begin(c->out);
    jw_arr_end(c->out);
}

static void add_peer(struct electrum_call *c)
{
    if (!json_object_is_type(c->args[0], json_type_object))
        electrum_fail(c, ELECTRUM_BAD_REQUEST, "features should be an object");
    else
        jw_bool(c->out, false);
}

static void ping(struct electrum_call *c)
{
    jw_null(c->out);
}

const struct electrum_method electrum_server_methods[] = {
    {.name = "server.version", .params = "client_name,protocol_version", .run = version, .any_more = true},
    {.name = "server.features", .params = "", .run = features},
    {.name = "server.banner", .params = "", .run = banner},
    {.name = "server.donation_address", .params = "", .run = donation_address},
    {.name = "server.peers.subscribe", .params = "", .run = peers_subscribe},
    {.name = "server.add_peer", .params = "features", .required = 1, .run = add_peer},
    {.name = "server.ping", .params = "", .run = ping},
    {.name = NULL}};
