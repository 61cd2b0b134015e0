/* rpc_test.h - for the tests of the RPC server: a regtest chain with a memory pool in a folder of its own, and calls without HTTP. */
#ifndef FARTHING_TEST_RPC_TEST_H
#define FARTHING_TEST_RPC_TEST_H

#include "chain/chain_test.h"
#include "rpc/server_priv.h"

struct rpc_bed {
    struct bed bed;
    struct mempool *pool;
    struct rpc_server *server;
};

static inline enum rc rpc_bed_coin(void *ctx, struct coin *c, const struct outpoint *o, struct arena *arena)
{
    return chain_get_coin(((struct rpc_bed *)ctx)->bed.c, c, o, arena);
}
static inline const struct header_node *rpc_bed_tip(void *ctx)
{
    return &chain_tip(((struct rpc_bed *)ctx)->bed.c)->node;
}
static inline void rpc_bed_connected(void *ctx, const struct block_entry *e, struct block *b)
{
    mempool_block_connected(((struct rpc_bed *)ctx)->pool, b, e->node.height);
}
static inline void rpc_bed_disconnected(void *ctx, const struct block_entry *e, struct block *b)
{
    (void)e;
    mempool_block_disconnected(((struct rpc_bed *)ctx)->pool, b);
}
static inline void rpc_bed_tip_changed(void *ctx, const struct block_entry *tip, const struct block_entry *fork, bool initial)
{
    struct rpc_bed *t = ctx;
    (void)fork;
    (void)initial;
    mempool_tip_changed(t->pool);
    rpc_server_tip_changed(t->server, tip);
}

static inline void rpc_bed_open(struct rpc_bed *t, enum chain_id id)
{
    struct mempool_options o = {.max_bytes = 300000000, .expiry = 336 * 3600};
    struct rpc_host host;

    memset(t, 0, sizeof(*t));
    bed_init(&t->bed, id);
    policy_init(&o.policy, &t->bed.params);
    o.params = &t->bed.params;
    o.sig_cache = t->bed.cache;
    o.chain = (struct mempool_chain){.ctx = t, .get_coin = rpc_bed_coin, .tip = rpc_bed_tip};
    t->pool = mempool_new(&o);
    t->bed.o.events = (struct chain_events){.ctx = t,
                                            .block_connected = rpc_bed_connected,
                                            .block_disconnected = rpc_bed_disconnected,
                                            .tip_changed = rpc_bed_tip_changed};
    host = (struct rpc_host){.params = &t->bed.params, .datadir = t->bed.dir, .mempool = t->pool};
    t->server = rpc_server_new(&host);
    bed_open(&t->bed);
    host.chain = t->bed.c;
    rpc_server_ready(t->server, &host);
}

static inline void rpc_bed_close(struct rpc_bed *t)
{
    bed_close(&t->bed);
    rpc_server_free(t->server);
    mempool_free(t->pool);
    bed_clear(&t->bed);
}

/* The whole answer to a body, parsed. */
static inline struct json_object *rpc_body(struct rpc_bed *t, const char *body, int *status)
{
    char *text = rpc_execute(t->server, "user", body, strlen(body), status);
    struct json_object *o = json_tokener_parse(text);

    free(text);
    return o;
}

/* A call with these positional parameters (JSON). Returns: the result (one reference); *error its object or NULL. */
static inline struct json_object *rpc_ask(struct rpc_bed *t, const char *method, const char *params, struct json_object **error)
{
    char *body = xasprintf("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}", method, params);
    struct json_object *reply, *result = NULL;
    int status;

    reply = rpc_body(t, body, &status);
    assert_non_null(reply);
    assert_int_equal(status, 200);
    json_object_object_get_ex(reply, "result", &result);
    json_object_get(result);
    if (error)
        *error = json_object_get(rpc_member(reply, "error"));
    else if (rpc_member(reply, "error"))
        fail_msg("%s %s: %s", method, params, json_object_to_json_string(reply));
    json_object_put(reply);
    free(body);
    return result;
}

/* The result as text without blanks. Returns: to free. */
static inline char *rpc_ask_text(struct rpc_bed *t, const char *method, const char *params)
{
    struct json_object *o = rpc_ask(t, method, params, NULL);
    char *text = xstrdup(json_object_is_type(o, json_type_string)
                             ? json_object_get_string(o)
                             : json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));

    json_object_put(o);
    return text;
}

#define assert_rpc(t, method, params, expected)                                                                                    \
    do {                                                                                                                           \
        char *got_ = rpc_ask_text(t, method, params);                                                                              \
        assert_string_equal(got_, expected);                                                                                       \
        free(got_);                                                                                                                \
    } while (0)

/* The call must fail with that code and a message that begins like that. */
static inline void rpc_refused(struct rpc_bed *t, const char *method, const char *params, int code, const char *message)
{
    struct json_object *error = NULL, *result = rpc_ask(t, method, params, &error);
    const char *text;

    if (!error)
        fail_msg("%s %s: no error but %s", method, params, json_object_to_json_string(result));
    text = json_object_get_string(rpc_member(error, "message"));
    if (json_object_get_int(rpc_member(error, "code")) != code || strncmp(text, message, strlen(message)) != 0)
        fail_msg("%s %s: %s", method, params, json_object_to_json_string(error));
    json_object_put(error);
    json_object_put(result);
}

#endif
