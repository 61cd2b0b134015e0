/* stratum_session.c - stratum v1 as one client hears it: subscribe, authorize, configure (BIP310), and the answers. Loop thread. */
#include "rpc/stratum_session.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "rpc/server_priv.h"

#define MAX_FAULTS 100 /* bad lines and shares without a good one */

void stratum_session_init(struct stratum_session *s, const struct chain_params *p, const uint8_t extra1[STRATUM_EXTRA1],
                          double difficulty, int64_t now_us)
{
    memset(s, 0, sizeof(*s));
    s->params = p;
    memcpy(s->extra1, extra1, STRATUM_EXTRA1);
    s->difficulty = difficulty;
    s->window_us = s->start_us = s->done_us = now_us;
}

void stratum_session_clear(struct stratum_session *s)
{
    stratum_session_work(s, NULL, true);
    block_unref(s->found);
    jw_clear(&s->out);
    s->found = NULL;
}

bool stratum_session_ready(const struct stratum_session *s)
{
    return s->subscribed && s->script_len > 0;
}

const char *stratum_text(struct json_object *params, size_t i)
{
    struct json_object *v = i < json_object_array_length(params) ? json_object_array_get_idx(params, i) : NULL;

    return json_object_is_type(v, json_type_string) ? json_object_get_string(v) : NULL;
}

size_t stratum_address_len(const char *user)
{
    return strcspn(user, ".");
}

/* Names end up in logs and on terminals. */
static void copy_name(char *out, size_t size, const char *name)
{
    snprintf(out, size, "%s", name);
    for (; *out; out++) {
        if (*out < ' ' || *out > '~')
            *out = '?';
    }
}

/* A number, or a text that is one. Returns: 0 if it is none above 0. */
static double read_difficulty(struct json_object *v)
{
    double d = 0;

    if (json_object_is_type(v, json_type_int) || json_object_is_type(v, json_type_double))
        d = json_object_get_double(v);
    else if (json_object_is_type(v, json_type_string))
        d = strtod(json_object_get_string(v), NULL);
    return isfinite(d) && d > 0 ? d : 0;
}

/* ---- answers ---- */

static void answer_head(struct stratum_session *s, struct json_object *id)
{
    struct json_writer *j = &s->out;
    const char *text = id ? json_object_to_json_string_ext(id, JSON_C_TO_STRING_PLAIN) : "null";

    j->comma = false;
    jw_obj_begin(j);
    jw_key(j, "id");
    jw_raw(j, text, strlen(text));
    jw_key(j, "result");
}

static void answer_tail(struct stratum_session *s, int code, const char *text)
{
    struct json_writer *j = &s->out;

    jw_key(j, "error");
    if (code) {
        jw_arr_begin(j);
        jw_int(j, code);
        jw_str(j, text);
        jw_null(j);
        jw_arr_end(j);
    } else {
        jw_null(j);
    }
    jw_obj_end(j);
    write_u8(&j->w, '\n');
    j->comma = false;
}

static void answer_error(struct stratum_session *s, struct json_object *id, int code, const char *text)
{
    answer_head(s, id);
    jw_null(&s->out);
    answer_tail(s, code, text);
}

static void answer_true(struct stratum_session *s, struct json_object *id)
{
    answer_head(s, id);
    jw_bool(&s->out, true);
    answer_tail(s, 0, NULL);
}

/* ---- methods ---- */

static void subscribe(struct stratum_session *s, struct json_object *id, struct json_object *params)
{
    static const char *const topics[] = {"mining.set_difficulty", "mining.notify"};
    struct json_writer *j = &s->out;
    const char *agent = stratum_text(params, 0);
    char extra1[2 * STRATUM_EXTRA1 + 1];

    copy_name(s->agent, sizeof(s->agent), agent ? agent : "");
    hex_encode(extra1, s->extra1, STRATUM_EXTRA1);
    answer_head(s, id);
    jw_arr_begin(j);
    jw_arr_begin(j);
    for (size_t i = 0; i < ARRAY_LEN(topics); i++) {
        jw_arr_begin(j);
        jw_str(j, topics[i]);
        jw_str(j, extra1);
        jw_arr_end(j);
    }
    jw_arr_end(j);
    jw_str(j, extra1);
    jw_int(j, STRATUM_EXTRA2);
    jw_arr_end(j);
    answer_tail(s, 0, NULL);
    if (!s->subscribed) {
        s->subscribed = true;
        stratum_notify(s, true);
    }
}

/* "d=<difficulty>" somewhere among a password's parts. */
static double password_difficulty(const char *password)
{
    for (const char *p = password; p && *p; p += strcspn(p, ",; ") + (p[strcspn(p, ",; ")] != 0)) {
        double d = strncmp(p, "d=", 2) == 0 ? strtod(p + 2, NULL) : 0;
        if (isfinite(d) && d > 0)
            return d;
    }
    return 0;
}

/* Several workers may share a connection, but it has one coinbase: they share the address too. */
static bool take_user(struct stratum_session *s, const char *user)
{
    size_t n = user ? stratum_address_len(user) : 0, len;
    char address[sizeof(s->user)];
    uint8_t script[ADDRESS_SCRIPT_MAX];

    if (n == 0 || n >= sizeof(address))
        return false;
    memcpy(address, user, n);
    address[n] = 0;
    if (!address_decode(script, &len, NULL, address, &s->params->address))
        return false;
    if (s->script_len && (len != s->script_len || memcmp(script, s->script, len) != 0))
        return false;
    copy_name(s->user, sizeof(s->user), user);
    memcpy(s->script, script, len);
    s->script_len = len;
    return true;
}

static void authorize(struct stratum_session *s, struct json_object *id, struct json_object *params)
{
    bool first = s->script_len == 0;
    double d = password_difficulty(stratum_text(params, 1));

    if (!take_user(s, stratum_text(params, 0))) {
        s->faults += 10;
        answer_error(s, id, STRATUM_UNAUTHORIZED,
                     first ? "The user must be an address of this network" : "One address a connection");
        return;
    }
    answer_true(s, id);
    if (d > 0)
        stratum_set_difficulty(s, d);
    if (first || d > 0)
        stratum_notify(s, first);
}

static uint32_t wanted_mask(struct json_object *options)
{
    struct json_object *v = rpc_member(options, "version-rolling.mask");
    uint8_t b[4];

    if (json_object_is_type(v, json_type_string) && hex_decode(b, sizeof(b), json_object_get_string(v)))
        return get_be32(b);
    return UINT32_MAX;
}

/* BIP310. */
static void configure(struct stratum_session *s, struct json_object *id, struct json_object *params)
{
    struct json_object *names = json_object_array_length(params) > 0 ? json_object_array_get_idx(params, 0) : NULL;
    struct json_object *options = json_object_array_length(params) > 1 ? json_object_array_get_idx(params, 1) : NULL;
    size_t n = json_object_is_type(names, json_type_array) ? json_object_array_length(names) : 0;
    bool rolling = false, least = false;
    struct json_writer *j = &s->out;

    for (size_t i = 0; i < n; i++) {
        const char *name = stratum_text(names, i);
        rolling |= name && strcmp(name, "version-rolling") == 0;
        least |= name && strcmp(name, "minimum-difficulty") == 0;
    }
    answer_head(s, id);
    jw_obj_begin(j);
    if (rolling) {
        s->version_mask = wanted_mask(options) & STRATUM_VERSION_MASK;
        jw_kv_bool(j, "version-rolling", true);
        jw_kv_hex32(j, "version-rolling.mask", s->version_mask);
    }
    if (least) {
        s->least = read_difficulty(rpc_member(options, "minimum-difficulty.value"));
        stratum_set_difficulty(s, s->difficulty);
        jw_kv_bool(j, "minimum-difficulty", true);
    }
    jw_obj_end(j);
    answer_tail(s, 0, NULL);
    if (least && s->difficulty > s->told)
        stratum_notify(s, false);
}

static void suggest_difficulty(struct stratum_session *s, struct json_object *id, struct json_object *params)
{
    double d = json_object_array_length(params) > 0 ? read_difficulty(json_object_array_get_idx(params, 0)) : 0;

    if (d <= 0) {
        s->faults++;
        answer_error(s, id, STRATUM_OTHER, "Not a difficulty");
        return;
    }
    answer_true(s, id);
    stratum_set_difficulty(s, d);
    stratum_notify(s, false);
}

static void submit(struct stratum_session *s, struct json_object *id, struct json_object *params, int64_t now_us)
{
    const char *text = "";
    int code = stratum_submit(s, params, &text, now_us);

    if (code == 0) {
        answer_true(s, id);
        return;
    }
    if (code == STRATUM_STALE)
        s->stale++;
    else
        s->rejected++;
    s->faults++;
    answer_error(s, id, code, text);
}

static void dispatch(struct stratum_session *s, const char *method, struct json_object *id, struct json_object *params,
                     int64_t now_us)
{
    if (strcmp(method, "mining.submit") == 0) {
        submit(s, id, params, now_us);
    } else if (strcmp(method, "mining.subscribe") == 0) {
        subscribe(s, id, params);
    } else if (strcmp(method, "mining.authorize") == 0) {
        authorize(s, id, params);
    } else if (strcmp(method, "mining.configure") == 0) {
        configure(s, id, params);
    } else if (strcmp(method, "mining.suggest_difficulty") == 0) {
        suggest_difficulty(s, id, params);
    } else if (strcmp(method, "mining.extranonce.subscribe") == 0) {
        answer_true(s, id); /* ours never changes */
    } else if (strcmp(method, "mining.ping") == 0) {
        answer_head(s, id);
        jw_str(&s->out, "pong");
        answer_tail(s, 0, NULL);
    } else {
        s->faults++;
        answer_error(s, id, STRATUM_OTHER, "Unknown method");
    }
}

bool stratum_session_line(struct stratum_session *s, const char *line, size_t len, int64_t now_us)
{
    struct json_object *o, *id, *method, *params, *none = NULL;

    if (len == 0)
        return ++s->faults < MAX_FAULTS;
    o = len <= STRATUM_LINE_MAX ? rpc_parse(line, len) : NULL;
    if (!json_object_is_type(o, json_type_object)) {
        json_object_put(o);
        return false;
    }
    id = rpc_member(o, "id");
    method = rpc_member(o, "method");
    params = rpc_member(o, "params");
    if (!params)
        params = none = json_object_new_array();
    if (json_object_is_type(id, json_type_object) || json_object_is_type(id, json_type_array))
        id = NULL;
    if (!method)
        s->faults++; /* an answer; nothing was asked */
    else if (json_object_is_type(method, json_type_string) && json_object_is_type(params, json_type_array))
        dispatch(s, json_object_get_string(method), id, params, now_us);
    else
        s->faults += MAX_FAULTS;
    json_object_put(none);
    json_object_put(o);
    return s->faults < MAX_FAULTS;
}
