/* request.c - JSON-RPC 1.x and 2.0: parsing of a body, single requests and batches, and the envelope of each answer. Called by http_rpc.c on the
 * loop thread for short commands, on the validation thread for those that change its things, on pool threads for the rest. */
#include <stdlib.h>

#include "rpc/doc.h"
#include "rpc/json_read.h"
#include "rpc/server_priv.h"

#define LOOP_BATCH_MAX 100

/* The request's outer part; in a batch it lasts from one element to the next, as in Bitcoin Core. */
struct envelope {
    struct json_object *id; /* borrowed from the request */
    bool has_id, v2;
    const char *method;
    struct json_object *params;
};

struct json_object *rpc_parse(const char *body, size_t len)
{
    struct json_object *o;

    if (!json_read(&o, body, len))
        return NULL;
    return o ? o : json_object_new_boolean(false); /* a lone null: JSON, but no request */
}

static struct rpc_call *call_new(struct rpc_server *s, const struct envelope *e)
{
    struct rpc_call *call = xcalloc(1, sizeof(*call));

    call->server = s;
    call->host = &s->host;
    call->has_id = e->has_id;
    call->id = json_object_get(e->id);
    call->v2 = e->v2;
    call->started_us = time_mono_us();
    jw_raw(&call->out, e->v2 ? "{\"jsonrpc\":\"2.0\",\"result\":" : "{\"result\":", e->v2 ? 26 : 10);
    call->out.comma = false;
    call->result_at = call->out.w.len;
    return call;
}

static void call_free(struct rpc_call *call)
{
    jw_clear(&call->out);
    json_object_put(call->params);
    json_object_put(call->id);
    free(call->message);
    free(call);
}

static void activate(struct rpc_call *call)
{
    struct rpc_server *s = call->server;

    pthread_mutex_lock(&s->mutex);
    call->next = s->active;
    if (s->active)
        s->active->prev = call;
    s->active = call;
    pthread_mutex_unlock(&s->mutex);
}

static void deactivate(struct rpc_call *call)
{
    struct rpc_server *s = call->server;

    pthread_mutex_lock(&s->mutex);
    if (call->prev)
        call->prev->next = call->next;
    else
        s->active = call->next;
    if (call->next)
        call->next->prev = call->prev;
    pthread_mutex_unlock(&s->mutex);
}

/* The library's text, but for DEL, which is escaped. */
void jw_given(struct json_writer *j, struct json_object *v)
{
    size_t len, from = 0;
    const char *text = json_object_to_json_string_length(v, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);
    struct writer w = WRITER_INIT;

    for (size_t i = 0; i < len; i++) {
        if (text[i] != 0x7f)
            continue;
        write_bytes(&w, text + from, i - from);
        write_bytes(&w, "\\u007f", 6);
        from = i + 1;
    }
    if (from)
        write_bytes(&w, text + from, len - from);
    jw_raw(j, from ? (const char *)w.data : text, from ? w.len : len);
    writer_clear(&w);
}

static void write_id(struct json_writer *j, const struct rpc_call *call)
{
    if (!call->has_id)
        return;
    jw_key(j, "id");
    jw_given(j, call->id);
}

/* Turns what the handler wrote into the whole answer. */
static void seal(struct rpc_call *call)
{
    struct json_writer *j = &call->out;

    if (call->server->doc_check && !call->code)
        rpc_doc_check(call);
    if (!call->code) {
        if (j->w.len == call->result_at)
            jw_null(j);
        j->comma = true;
        if (!call->v2) {
            jw_key(j, "error");
            jw_null(j);
        }
    } else {
        j->w.len = 0;
        j->comma = false;
        jw_obj_begin(j);
        if (call->v2) {
            jw_kv_str(j, "jsonrpc", "2.0");
        } else {
            jw_key(j, "result");
            jw_null(j);
        }
        jw_key(j, "error");
        jw_obj_begin(j);
        jw_kv_int(j, "code", call->code);
        jw_kv_str(j, "message", call->message ? call->message : "");
        jw_obj_end(j);
    }
    write_id(j, call);
    jw_obj_end(j);
}

static int http_status_of(const struct rpc_call *call)
{
    if (!call->code)
        return 200;
    return call->code == RPC_INVALID_REQUEST ? 400 : call->code == RPC_METHOD_NOT_FOUND ? 404 : 500;
}

/* Only characters that are harmless in a log. */
static void sanitize(char *out, size_t size, const char *in)
{
    static const char extra[] = " .,;-_/:?@()";
    size_t n = 0;

    for (; *in && n + 1 < size; in++) {
        if ((*in >= '0' && *in <= '9') || (*in >= 'a' && *in <= 'z') || (*in >= 'A' && *in <= 'Z') || strchr(extra, *in))
            out[n++] = *in;
    }
    out[n] = 0;
}

static void log_request(const struct envelope *e, const char *user)
{
    char method[64], id[64];

    if (!log_enabled(LOG_RPC, LOG_LEVEL_DEBUG))
        return;
    sanitize(method, sizeof(method), e->method);
    sanitize(id, sizeof(id), e->id ? json_object_get_string(e->id) : "");
    log_debug(LOG_RPC, "ThreadRPCServer method=%s user=%s id=%s", method, user ? user : "", id);
}

/* Reads the outer part. Returns: NULL, or why it is no request (-32600). */
static const char *read_envelope(struct envelope *e, struct json_object *request, const char *user)
{
    struct json_object *v;

    if (!json_object_is_type(request, json_type_object))
        return "Invalid Request object";
    e->id = NULL;
    e->has_id = json_object_object_get_ex(request, "id", &e->id);
    e->v2 = false;
    v = rpc_member(request, "jsonrpc");
    if (v) {
        if (!json_object_is_type(v, json_type_string))
            return "jsonrpc field must be a string";
        e->v2 = strcmp(json_object_get_string(v), "2.0") == 0;
        if (!e->v2 && strcmp(json_object_get_string(v), "1.0") != 0)
            return "JSON-RPC version not supported";
    }
    v = rpc_member(request, "method");
    if (!v)
        return "Missing method";
    if (!json_object_is_type(v, json_type_string))
        return "Method must be a string";
    e->method = json_object_get_string(v);
    if (strlen(e->method) != (size_t)json_object_get_string_len(v))
        e->method = ""; /* a NUL is in no method's name */
    log_request(e, user);
    e->params = rpc_member(request, "params");
    if (e->params && !json_object_is_type(e->params, json_type_array) && !json_object_is_type(e->params, json_type_object))
        return "Params must be an array or object";
    return NULL;
}

static void execute(struct rpc_call *call, const struct envelope *e)
{
    if (!atomic_load(&call->server->ready)) {
        char text[sizeof(call->server->warmup)];
        pthread_mutex_lock(&call->server->mutex);
        memcpy(text, call->server->warmup, sizeof(text));
        pthread_mutex_unlock(&call->server->mutex);
        rpc_error(call, RPC_IN_WARMUP, "%s", text);
        return;
    }
    call->command = rpc_lookup(call->server, e->method);
    call->method = call->command ? call->command->name : "";
    activate(call);
    rpc_run(call, e->params);
}

static void finish_wait(struct rpc_call *call)
{
    if (call->wait.finish && !call->code)
        call->wait.finish(call);
    call->wait.kind = RPC_WAIT_NONE;
}

static void end_call(struct rpc_call *call, bool ran)
{
    if (ran)
        deactivate(call);
    seal(call);
}

/* The end of a call that did not stand in a batch: the reply gets its status and its text. */
static void give_answer(struct rpc_reply *reply, struct rpc_call *call_take, bool well_formed)
{
    struct rpc_call *call = call_take;
    bool v2 = well_formed && call->v2;

    reply->stop = !call->code && (call->command->flags & RPC_STOPS);
    reply->status = v2 ? 200 : http_status_of(call);
    if (v2 && !call->has_id) {
        reply->status = 204;
    } else {
        reply->body = call->out.w;
        call->out.w = (struct writer)WRITER_INIT;
        write_u8(&reply->body, '\n');
    }
    call_free(call);
}

static void handle_single(struct rpc_server *s, struct rpc_reply *reply, const char *user, struct json_object *request,
                          enum rpc_place place)
{
    struct envelope e = {.has_id = true};
    const char *bad = read_envelope(&e, request, user);
    struct rpc_call *call;
    bool ran;

    if (!bad && !rpc_auth_method_allowed(s->auth, user, e.method)) {
        log_warning("RPC User %s not allowed to call method %s", user ? user : "", e.method);
        reply->status = 403;
        return;
    }
    call = call_new(s, &e);
    call->on_validation = place == RPC_AT_VALIDATION;
    ran = !bad && atomic_load(&s->ready);
    if (bad)
        rpc_error(call, RPC_INVALID_REQUEST, "%s", bad);
    else
        execute(call, &e);
    if (call->wait.kind && !call->code) {
        if (place == RPC_AT_LOOP) {
            reply->deferred = call;
            return;
        }
        rpc_wait_block(s, &call->wait);
        finish_wait(call);
    }
    end_call(call, ran);
    give_answer(reply, call, !bad);
}

void rpc_reply_drop(struct rpc_reply *reply)
{
    struct rpc_call *call = reply->deferred;

    reply->deferred = NULL;
    end_call(call, true);
    call_free(call);
}

void rpc_reply_finish(struct rpc_server *s, struct rpc_reply *reply)
{
    struct rpc_call *call = reply->deferred;

    (void)s;
    reply->deferred = NULL;
    finish_wait(call);
    end_call(call, true);
    give_answer(reply, call, true);
}

/* Returns: false if some method of a batch is not for this user (status set), or an element is none (error body). */
static bool batch_allowed(struct rpc_server *s, struct rpc_reply *reply, const char *user, struct json_object *batch)
{
    for (size_t i = 0; i < json_object_array_length(batch); i++) {
        struct json_object *m = rpc_member(json_object_array_get_idx(batch, i), "method");
        if (!json_object_is_type(m, json_type_string))
            continue; /* answered with an error of its own */
        if (rpc_auth_method_allowed(s->auth, user, json_object_get_string(m)))
            continue;
        log_warning("RPC User %s not allowed to call method %s", user ? user : "", json_object_get_string(m));
        reply->status = 403;
        return false;
    }
    return true;
}

static void handle_batch(struct rpc_server *s, struct rpc_reply *reply, const char *user, struct json_object *batch)
{
    struct envelope e = {.has_id = true};
    struct json_writer j = JSON_WRITER_INIT;
    size_t n = json_object_array_length(batch), answers = 0;

    if (!batch_allowed(s, reply, user, batch))
        return;
    jw_arr_begin(&j);
    for (size_t i = 0; i < n; i++) {
        const char *bad = read_envelope(&e, json_object_array_get_idx(batch, i), user);
        struct rpc_call *call = call_new(s, &e);
        bool ran = !bad && atomic_load(&s->ready);
        if (bad)
            rpc_error(call, RPC_INVALID_REQUEST, "%s", bad);
        else
            execute(call, &e);
        if (call->wait.kind && !call->code) {
            rpc_wait_block(s, &call->wait);
            finish_wait(call);
        }
        end_call(call, ran);
        if (!call->code && (call->command->flags & RPC_STOPS))
            reply->stop = true;
        if (call->has_id || !call->v2) {
            jw_raw(&j, call->out.w.data, call->out.w.len);
            answers++;
        }
        call_free(call);
    }
    jw_arr_end(&j);
    write_u8(&j.w, '\n');
    reply->status = 200;
    if (answers == 0 && n > 0) {
        reply->status = 204;
        jw_clear(&j);
    } else {
        reply->body = j.w;
    }
}

static void plain_error(struct rpc_reply *reply, int code, const char *text)
{
    struct json_writer j = JSON_WRITER_INIT;

    jw_obj_begin(&j);
    jw_key(&j, "result");
    jw_null(&j);
    jw_key(&j, "error");
    jw_obj_begin(&j);
    jw_kv_int(&j, "code", code);
    jw_kv_str(&j, "message", text);
    jw_obj_end(&j);
    jw_key(&j, "id");
    jw_null(&j);
    jw_obj_end(&j);
    write_u8(&j.w, '\n');
    reply->body = j.w;
    reply->status = 500;
}

void rpc_parse_error(struct rpc_reply *reply)
{
    plain_error(reply, RPC_PARSE_ERROR, "Parse error");
}

void rpc_handle(struct rpc_server *s, struct rpc_reply *reply, const char *user, struct json_object *request, enum rpc_place place)
{
    memset(reply, 0, sizeof(*reply));
    if (!rpc_auth_user_allowed(s->auth, user)) {
        log_warning("RPC User %s not allowed to call any methods", user ? user : "");
        reply->status = 403;
    } else if (json_object_is_type(request, json_type_object)) {
        handle_single(s, reply, user, request, place);
    } else if (json_object_is_type(request, json_type_array)) {
        handle_batch(s, reply, user, request);
    } else {
        plain_error(reply, RPC_PARSE_ERROR, "Top-level object parse error");
    }
}

static enum rpc_place place_of_single(struct rpc_server *s, struct json_object *request)
{
    struct json_object *m = rpc_member(request, "method");
    const struct rpc_command *c;

    if (!json_object_is_type(m, json_type_string) || !atomic_load(&s->ready))
        return RPC_AT_LOOP; /* an error is all there is to send */
    c = rpc_lookup(s, json_object_get_string(m));
    if (!c || (c->flags & (RPC_INLINE | RPC_WAITS)))
        return RPC_AT_LOOP;
    if (c->flags & RPC_BUSY)
        return RPC_AT_BUSY_POOL;
    return (c->flags & RPC_VALIDATES) && s->host.validation && !s->sends_privately ? RPC_AT_VALIDATION : RPC_AT_POOL;
}

/* A batch of a few calls that take no time is not worth another thread. */
static enum rpc_place place_of_batch(struct rpc_server *s, struct json_object *batch)
{
    size_t n = json_object_array_length(batch);

    for (size_t i = 0; i < n && n <= LOOP_BATCH_MAX; i++) {
        struct json_object *m = rpc_member(json_object_array_get_idx(batch, i), "method");
        const struct rpc_command *c = json_object_is_type(m, json_type_string) ? rpc_lookup(s, json_object_get_string(m)) : NULL;
        if (!c || !(c->flags & RPC_ANYWHERE))
            return RPC_AT_POOL;
    }
    return n <= LOOP_BATCH_MAX ? RPC_AT_LOOP : RPC_AT_POOL;
}

enum rpc_place rpc_place_of(struct rpc_server *s, struct json_object *request)
{
    if (json_object_is_type(request, json_type_object))
        return place_of_single(s, request);
    return json_object_is_type(request, json_type_array) ? place_of_batch(s, request) : RPC_AT_POOL;
}

char *rpc_execute(struct rpc_server *s, const char *user, const char *body, size_t len, int *status)
{
    struct json_object *request = rpc_parse(body, len);
    struct rpc_reply reply;

    memset(&reply, 0, sizeof(reply));
    if (request)
        rpc_handle(s, &reply, user, request, RPC_AT_POOL);
    else
        rpc_parse_error(&reply);
    json_object_put(request);
    *status = reply.status;
    write_u8(&reply.body, 0);
    return (char *)reply.body.data;
}
