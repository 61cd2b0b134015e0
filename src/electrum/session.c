/* session.c - Electrum's JSON lines: requests and batches, arguments by place or by name, versions, errors. What methods do is in methods_*.c.
 * Called by client.c, mostly on pool threads. */
#include "session.h"

#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "rpc/json_read.h"
#include "util/hex.h"
#include "util/mem.h"

void electrum_session_init(struct electrum_session *s, const struct electrum_source *src, uint64_t id)
{
    memset(s, 0, sizeof(*s));
    s->src = src;
    s->watcher.id = id;
    atomic_init(&s->headers, false);
}

void electrum_session_clear(struct electrum_session *s)
{
    jw_clear(&s->out);
}

size_t electrum_session_limit(const struct electrum_session *s)
{
    return s->version ? ELECTRUM_LINE_MAX : ELECTRUM_HELLO_MAX;
}

/* ---- errors and arguments ---- */

bool electrum_fail(struct electrum_call *c, int code, const char *fmt, ...)
{
    va_list ap;
    char *text = NULL;

    if (c->code)
        return false;
    va_start(ap, fmt);
    if (vasprintf(&text, fmt, ap) < 0)
        text = xstrdup("error");
    va_end(ap);
    c->code = code;
    c->message = text;
    return false;
}

bool electrum_check(struct electrum_call *c, enum electrum_rc rc, const char *what)
{
    switch (rc) {
    case ELECTRUM_OK:
        return true;
    case ELECTRUM_NONE:
        return electrum_fail(c, ELECTRUM_BAD_REQUEST, "%s not found", what);
    case ELECTRUM_BUSY:
        return electrum_fail(c, ELECTRUM_SERVER_BUSY, "server busy - the index of addresses is being built");
    case ELECTRUM_LARGE:
        return electrum_fail(c, ELECTRUM_BAD_REQUEST, "%s too large", what);
    case ELECTRUM_BROKEN:
        break;
    }
    return electrum_fail(c, ELECTRUM_INTERNAL, "%s could not be read", what);
}

bool electrum_int(struct electrum_call *c, int64_t *out, unsigned i, int64_t dflt, int64_t lo, int64_t hi)
{
    struct json_object *v = c->args[i];

    *out = dflt;
    if (!v)
        return true;
    *out = json_object_get_int64(v);
    if (json_object_is_type(v, json_type_int) && *out >= lo && *out <= hi)
        return true;
    return electrum_fail(c, ELECTRUM_BAD_REQUEST, "%s should be a non-negative integer", json_object_to_json_string_ext(v, 0));
}

bool electrum_flag(struct electrum_call *c, bool *out, unsigned i)
{
    struct json_object *v = c->args[i];

    *out = v && json_object_get_boolean(v);
    if (!v || json_object_is_type(v, json_type_boolean))
        return true;
    if (json_object_is_type(v, json_type_int) && (json_object_get_int64(v) == 0 || json_object_get_int64(v) == 1))
        return true;
    return electrum_fail(c, ELECTRUM_BAD_REQUEST, "argument %u should be a boolean", i + 1);
}

bool electrum_text(struct electrum_call *c, const char **out, unsigned i)
{
    if (json_object_is_type(c->args[i], json_type_string)) {
        *out = json_object_get_string(c->args[i]);
        return true;
    }
    return electrum_fail(c, ELECTRUM_BAD_REQUEST, "argument %u should be a string", i + 1);
}

bool electrum_hash(struct electrum_call *c, uint8_t out[32], unsigned i, const char *what)
{
    if (json_object_is_type(c->args[i], json_type_string) && json_object_get_string_len(c->args[i]) == 64 &&
        hex_decode_reversed(out, 32, json_object_get_string(c->args[i])))
        return true;
    return electrum_fail(c, ELECTRUM_BAD_REQUEST, "argument %u should be a %s: 64 hex digits", i + 1, what);
}

int electrum_command(struct electrum_call *c, struct writer *out, const char *method, struct json_object *params_take)
{
    int code = c->src->call(c->src->ctx, out, method, params_take);

    json_object_put(params_take);
    return code;
}

/* ---- one request ---- */

static const struct electrum_method *find_in(const struct electrum_method *m, const char *name, unsigned version)
{
    for (; m->name; m++)
        if (strcmp(m->name, name) == 0 && version >= m->since && (!m->until || version < m->until))
            return m;
    return NULL;
}

static const struct electrum_method *find_method(const char *name, unsigned version)
{
    static const struct electrum_method *const tables[] = {electrum_server_methods, electrum_chain_methods, electrum_script_methods,
                                                           electrum_tx_methods};
    const struct electrum_method *m = NULL;

    for (size_t i = 0; i < ARRAY_LEN(tables) && !m; i++)
        m = find_in(tables[i], name, version);
    return m;
}

/* The place of a parameter's name. Returns: -1 if there is none. */
static int place_of(const struct electrum_method *m, const char *name)
{
    size_t len = strlen(name);
    const char *p = m->params;

    for (int i = 0; *p; i++) {
        size_t n = strcspn(p, ",");
        if (n == len && memcmp(p, name, n) == 0)
            return i;
        p += n + (p[n] == ',');
    }
    return -1;
}

static unsigned count_params(const struct electrum_method *m)
{
    unsigned n = *m->params != 0;

    for (const char *p = m->params; *p; p++)
        n += *p == ',';
    return n;
}

static bool take_named(struct electrum_call *c, const struct electrum_method *m, struct json_object *params)
{
    json_object_object_foreach(params, name, value)
    {
        int i = place_of(m, name);
        if (i >= 0)
            c->args[i] = value;
        else if (!m->any_more)
            return electrum_fail(c, ELECTRUM_INVALID_ARGS, "unexpected parameter \"%.40s\"", name);
    }
    return true;
}

static bool take_args(struct electrum_call *c, const struct electrum_method *m, struct json_object *params)
{
    unsigned known = count_params(m), i;

    if (json_object_is_type(params, json_type_object)) {
        if (!take_named(c, m, params))
            return false;
    } else if (json_object_is_type(params, json_type_array)) {
        size_t n = json_object_array_length(params);
        if (n > known && !m->any_more)
            return electrum_fail(c, ELECTRUM_INVALID_ARGS, "%s takes %u arguments at most", m->name, known);
        for (i = 0; i < n && i < known; i++)
            c->args[i] = json_object_array_get_idx(params, i);
    } else if (params) {
        return electrum_fail(c, ELECTRUM_INVALID_ARGS, "invalid request arguments");
    }
    for (i = 0; i < m->required; i++)
        if (!c->args[i])
            return electrum_fail(c, ELECTRUM_INVALID_ARGS, "%s takes %u arguments at least", m->name, m->required);
    return true;
}

static void run(struct electrum_call *c, const char *method, struct json_object *params)
{
    struct electrum_session *s = c->s;
    const struct electrum_method *m;
    bool hello = strcmp(method, "server.version") == 0;

    if (!hello && !s->version) { /* clients of 1.4 need not introduce themselves */
        s->version = ELECTRUM_1_4;
        s->spoke = true;
    }
    m = find_method(method, hello ? ELECTRUM_1_4 : s->version);
    if (!m) {
        s->cost += 50;
        electrum_fail(c, ELECTRUM_NO_METHOD, "unknown method \"%.60s\"", method);
        return;
    }
    s->cost += m->cost;
    if (take_args(c, m, params))
        m->run(c);
}

static void write_id(struct json_writer *j, struct json_object *id)
{
    jw_key(j, "id");
    if (!id)
        jw_null(j);
    else if (json_object_is_type(id, json_type_string))
        jw_str_len(j, json_object_get_string(id), (size_t)json_object_get_string_len(id));
    else if (json_object_is_type(id, json_type_int))
        jw_int(j, json_object_get_int64(id));
    else {
        const char *text = json_object_to_json_string_ext(id, 0);
        jw_raw(j, text, strlen(text));
    }
}

static void write_error(struct json_writer *j, struct json_object *id, int code, const char *message)
{
    jw_obj_begin(j);
    jw_kv_str(j, "jsonrpc", "2.0");
    jw_key(j, "error");
    jw_obj_begin(j);
    jw_kv_int(j, "code", code);
    jw_kv_str(j, "message", message);
    jw_obj_end(j);
    write_id(j, id);
    jw_obj_end(j);
}

static bool is_scalar(struct json_object *id)
{
    return !json_object_is_type(id, json_type_array) && !json_object_is_type(id, json_type_object);
}

/* Answers one request, if it wants an answer. Returns: false: hang up. */
static bool answer(struct electrum_session *s, struct json_object *request)
{
    struct json_writer *j = &s->out;
    struct electrum_call c = {.s = s, .src = s->src, .out = j};
    struct json_object *id = NULL, *method = NULL, *params = NULL;
    size_t start = j->w.len;
    bool comma = j->comma, wanted;

    s->cost += 20;
    if (!json_object_is_type(request, json_type_object)) {
        write_error(j, NULL, ELECTRUM_INVALID_REQUEST, "request must be an object");
        return true;
    }
    wanted = json_object_object_get_ex(request, "id", &id);
    json_object_object_get_ex(request, "params", &params);
    if (!json_object_object_get_ex(request, "method", &method)) {
        if (json_object_object_get_ex(request, "result", NULL) || json_object_object_get_ex(request, "error", NULL))
            return true; /* an answer to what nobody asked */
    }
    if (!is_scalar(id) || !json_object_is_type(method, json_type_string)) {
        write_error(j, is_scalar(id) ? id : NULL, ELECTRUM_INVALID_REQUEST, "invalid request");
        return true;
    }
    jw_obj_begin(j);
    jw_kv_str(j, "jsonrpc", "2.0");
    jw_key(j, "result");
    run(&c, json_object_get_string(method), params);
    if (c.code || !wanted) { /* what was written is taken back */
        j->w.len = start;
        j->comma = comma;
        if (wanted)
            write_error(j, id, c.code, c.message);
    } else {
        write_id(j, id);
        jw_obj_end(j);
    }
    s->cost += (int64_t)((j->w.len - start) / 50);
    free(c.message);
    return !c.hang_up;
}

static bool answer_batch(struct electrum_session *s, struct json_object *batch)
{
    struct json_writer *j = &s->out;
    size_t n = json_object_array_length(batch), start = j->w.len;
    int64_t most = s->cost + ELECTRUM_COST_MAX;
    bool goes_on = true;

    if (n == 0 || n > ELECTRUM_BATCH_MAX) {
        write_error(j, NULL, n ? ELECTRUM_EXCESSIVE : ELECTRUM_INVALID_REQUEST, n ? "batch too large" : "batch is empty");
        return true;
    }
    jw_arr_begin(j);
    for (size_t i = 0; i < n && goes_on; i++) {
        struct json_object *request = json_object_array_get_idx(batch, i), *id = NULL;
        if (j->w.len - start < ELECTRUM_REPLY_MAX && s->cost < most)
            goes_on = answer(s, request);
        else if (json_object_is_type(request, json_type_object) && json_object_object_get_ex(request, "id", &id))
            write_error(j, is_scalar(id) ? id : NULL, ELECTRUM_EXCESSIVE,
                        s->cost < most ? "response too large" : "excessive resource usage");
    }
    jw_arr_end(j);
    if (j->w.len - start == 2)
        j->w.len = start; /* nobody wanted an answer */
    return goes_on;
}

/* Objects take a hundred times the room of the bytes that make them. */
static bool is_affordable(const char *line, size_t len)
{
    size_t values = 0;

    for (size_t i = 0; i < len; i++)
        values += line[i] == ',' || line[i] == '[' || line[i] == '{';
    return values <= ELECTRUM_VALUES_MAX;
}

bool electrum_session_line(struct electrum_session *s, const char *line, size_t len)
{
    struct json_object *o = NULL;
    size_t start = s->out.w.len;
    bool goes_on = true;

    s->cost += 5 + (int64_t)(len / 100);
    s->out.comma = false;
    if (!is_affordable(line, len)) {
        write_error(&s->out, NULL, ELECTRUM_EXCESSIVE, "request too large");
        goes_on = false;
    } else if (!json_read(&o, line, len)) {
        write_error(&s->out, NULL, ELECTRUM_PARSE_ERROR, "invalid JSON");
        goes_on = s->version != 0; /* whoever cannot even say hello speaks another protocol */
    } else if (json_object_is_type(o, json_type_array)) {
        goes_on = answer_batch(s, o);
    } else {
        goes_on = answer(s, o);
    }
    json_object_put(o);
    if (s->out.w.len > start)
        write_u8(&s->out.w, '\n');
    s->out.comma = false;
    return goes_on;
}

/* ---- notifications ---- */

static void open_notification(struct json_writer *j, const char *method)
{
    j->comma = false;
    jw_obj_begin(j);
    jw_kv_str(j, "jsonrpc", "2.0");
    jw_kv_str(j, "method", method);
    jw_key(j, "params");
    jw_arr_begin(j);
}

static void close_notification(struct json_writer *j)
{
    jw_arr_end(j);
    jw_obj_end(j);
    write_u8(&j->w, '\n');
    j->comma = false;
}

void electrum_write_header(struct json_writer *j, int32_t height, const uint8_t header[BLOCK_HEADER_SIZE], bool notify)
{
    if (notify)
        open_notification(j, "blockchain.headers.subscribe");
    jw_obj_begin(j);
    jw_kv_int(j, "height", height);
    jw_kv_hex(j, "hex", header, BLOCK_HEADER_SIZE);
    jw_obj_end(j);
    if (notify)
        close_notification(j);
}

void electrum_write_change(struct json_writer *j, const struct script_hash *h, const char *address,
                           const struct script_status *status)
{
    open_notification(j, address ? "blockchain.address.subscribe" : "blockchain.scripthash.subscribe");
    if (address)
        jw_str(j, address);
    else
        jw_hash(j, h->bytes);
    jw_status(j, status);
    close_notification(j);
}
