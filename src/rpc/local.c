/* local.c - commands called by other parts of the node, such as the Electrum server, on their own threads: a server without doors. */
#include "rpc/local.h"

#include <stdlib.h>

#include "rpc/server_priv.h"

struct rpc_local {
    struct rpc_server *server;
};

struct rpc_local *rpc_local_new(const struct rpc_host *host)
{
    struct rpc_local *l = xcalloc(1, sizeof(*l));

    l->server = rpc_server_new(host);
    rpc_server_ready(l->server, host);
    return l;
}

int rpc_local_call(struct rpc_local *l, struct writer *out, const char *method, struct json_object *params)
{
    struct rpc_server *s = l->server;
    struct rpc_call call = {
        .server = s, .host = &s->host, .out = JSON_WRITER_INIT, .command = rpc_lookup(s, method), .method = method};

    rpc_run(&call, params);
    ASSERT(!call.wait.kind || call.code); /* commands that wait for an event are not for here */
    if (call.code)
        write_bytes(out, call.message, strlen(call.message));
    else if (call.out.w.len)
        write_bytes(out, call.out.w.data, call.out.w.len);
    else
        write_bytes(out, "null", 4);
    jw_clear(&call.out);
    json_object_put(call.params);
    free(call.message);
    return call.code;
}

void rpc_local_stop(struct rpc_local *l)
{
    rpc_server_stop(l->server);
}

void rpc_local_free(struct rpc_local *l)
{
    if (!l)
        return;
    rpc_server_free(l->server);
    free(l);
}
