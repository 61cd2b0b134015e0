/* rest.c - the REST interface (-rest): paths, formats and answers; what reads the disk or waits for other threads runs on the pool. No password is
 * asked, as nothing here changes anything. Registered by http_rpc.c; loop thread, and pool threads. */
#include "rpc/rest.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "rpc/http_server.h"
#include "rpc/server_priv.h"

#define COUNT_MAX 2000

struct path {
    const char *prefix;
    void (*run)(struct rest *r);
    bool inline_;                    /* nothing of it takes long */
    bool (*at_once)(struct rest *r); /* answers what takes no time (NULL: nothing). Returns: false if it is not that */
};

static const struct path paths[] = {
    {"/rest/tx/", rest_tx, false, NULL},
    {"/rest/block/notxdetails/", rest_block_brief, false, rest_block_at_once},
    {"/rest/block/", rest_block, false, rest_block_at_once},
    {"/rest/blockpart/", rest_block_part, false, NULL},
    {"/rest/blockfilter/", rest_filter, false, NULL},
    {"/rest/blockfilterheaders/", rest_filter_headers, false, NULL},
    {"/rest/chaininfo", rest_chain_info, false, NULL},
    {"/rest/mempool/", rest_mempool, false, NULL},
    {"/rest/headers/", rest_headers, false, NULL},
    {"/rest/getutxos", rest_utxos, false, NULL},
    {"/rest/deploymentinfo/", rest_deployments, false, NULL},
    {"/rest/deploymentinfo", rest_deployments, false, NULL},
    {"/rest/blockhashbyheight/", rest_block_by_height, true, NULL},
    {"/rest/spenttxouts/", rest_spent, false, NULL},
};

/* ---- answers ---- */

static const char *cache_control(enum rest_cache cache)
{
    return cache == REST_NEVER_CHANGES ? "public, immutable, max-age=86400" : "no-store";
}

bool rest_fail(struct rest *r, int status, const char *fmt, ...)
{
    char *text;
    va_list args;
    int n;

    va_start(args, fmt);
    n = vasprintf(&text, fmt, args);
    va_end(args);
    rest_fail_bytes(r, status, "", text, n > 0 ? (size_t)n : 0);
    if (n >= 0)
        free(text);
    return false;
}

bool rest_fail_bytes(struct rest *r, int status, const char *text, const char *bytes, size_t len)
{
    struct writer w = WRITER_INIT;

    write_bytes(&w, text, strlen(text));
    write_bytes(&w, bytes, len);
    write_bytes(&w, "\r\n", 2);
    http_reply_header(r->req, "Cache-Control", cache_control(REST_CHANGES));
    http_reply_take(r->req, status, "text/plain", &w);
    return false;
}

bool rest_fail_format(struct rest *r, const char *formats)
{
    return rest_fail(r, 404, "output format not found (available: %s)", formats);
}

void rest_send_json(struct rest *r, enum rest_cache cache)
{
    write_u8(&r->call.out.w, '\n');
    http_reply_header(r->req, "Cache-Control", cache_control(cache));
    http_reply_take(r->req, 200, "application/json", &r->call.out.w);
}

static void send_hex(struct rest *r, enum rest_cache cache, const uint8_t *data, size_t len)
{
    struct writer w = WRITER_INIT;

    hex_put((char *)writer_extend(&w, 2 * len), data, len);
    write_u8(&w, '\n');
    http_reply_header(r->req, "Cache-Control", cache_control(cache));
    http_reply_take(r->req, 200, "text/plain", &w);
}

void rest_send_bytes(struct rest *r, enum rest_cache cache, struct writer *w)
{
    if (r->format == REST_HEX) {
        send_hex(r, cache, w->data, w->len);
        writer_clear(w);
        return;
    }
    http_reply_header(r->req, "Cache-Control", cache_control(cache));
    http_reply_take(r->req, 200, "application/octet-stream", w);
}

void rest_send_take(struct rest *r, enum rest_cache cache, uint8_t *data_take, size_t len)
{
    if (r->format == REST_HEX) {
        send_hex(r, cache, data_take, len);
        free(data_take);
    } else {
        rest_send_ref(r, cache, data_take, len, free, data_take);
    }
}

void rest_send_ref(struct rest *r, enum rest_cache cache, const uint8_t *data, size_t len, void (*release)(void *arg), void *arg)
{
    http_reply_header(r->req, "Cache-Control", cache_control(cache));
    http_reply_ref(r->req, 200, "application/octet-stream", data, len, release, arg);
}

void rest_send_file(struct rest *r, enum rest_cache cache, int file, size_t len, void (*release)(void *arg), void *arg)
{
    http_reply_header(r->req, "Cache-Control", cache_control(cache));
    http_reply_file(r->req, 200, "application/octet-stream", file, len, release, arg);
}

/* ---- what was asked ---- */

bool rest_hash(struct rest *r, uint8_t out[32], const char *text)
{
    return hash_from_hex(out, text) || rest_fail(r, 400, "Invalid hash: %s", text);
}

bool rest_number(uint64_t *out, const char *text, uint64_t max)
{
    return rest_digits(out, text, strlen(text), max);
}

bool rest_digits(uint64_t *out, const char *text, size_t len, uint64_t max)
{
    uint64_t v = 0;

    if (!len)
        return false;
    for (; len; text++, len--) {
        unsigned digit = (unsigned)(*text - '0');
        if (digit > 9 || v > (max - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *out = v;
    return true;
}

size_t rest_split(char *param, char **parts, size_t max)
{
    size_t n = 0;

    for (char *p = param; p; n++) {
        char *slash = strchr(p, '/');
        if (n == max)
            return max + 1;
        parts[n] = p;
        if (slash)
            *slash++ = 0;
        p = slash;
    }
    return n;
}

bool rest_count(struct rest *r, size_t *count, const char *given)
{
    size_t len = 0;
    char *asked = given ? NULL : http_query_value(&len, r->req, "count");
    const char *text = given ? given : asked ? asked : "5";
    uint64_t n = 0;
    bool ok = rest_digits(&n, text, asked ? len : strlen(text), COUNT_MAX) && n;

    if (!ok)
        rest_fail_bytes(r, 400, "Header count is invalid or out of acceptable range (1-2000): ", text, asked ? len : strlen(text));

    *count = (size_t)n;
    free(asked);
    return ok;
}

size_t rest_chain_from(struct rest *r, const struct block_entry **list, size_t count, const struct block_hash *hash)
{
    struct chain *c = r->call.host->chain;
    const struct block_entry *e = chain_lookup(c, hash);
    size_t n = 0;

    if (!e || !chain_contains(c, e))
        return 0;
    for (; e && n < count; e = chain_next(c, e))
        list[n++] = e;
    return n;
}

/* Without the query and the extension. */
static char *read_param(const char *rest, enum rest_format *format)
{
    static const char *const names[] = {[REST_UNKNOWN] = "", [REST_BIN] = "bin", [REST_HEX] = "hex", [REST_JSON] = "json"};
    char *param = xstrdup(rest), *query = strrchr(param, '?'), *dot;

    *format = REST_UNKNOWN;
    if (query)
        *query = 0;
    dot = strrchr(param, '.');
    for (int f = REST_UNKNOWN; dot && f <= REST_JSON; f++) {
        if (strcmp(dot + 1, names[f]) == 0) {
            *format = (enum rest_format)f;
            *dot = 0;
            break;
        }
    }
    return param;
}

static const struct path *path_of(const char *target)
{
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        if (strncmp(target, paths[i].prefix, strlen(paths[i].prefix)) == 0)
            return &paths[i];
    }
    return NULL;
}

static void rest_init(struct rest *r, struct rpc_server *s, const struct path *p, struct http_request *req)
{
    *r = (struct rest){.req = req, .call = {.server = s, .host = &s->host, .out = JSON_WRITER_INIT}};
    r->param = read_param(http_target(req) + strlen(p->prefix), &r->format);
}

static void rest_clear(struct rest *r)
{
    free(r->param);
    free(r->call.message);
    jw_clear(&r->call.out);
}

void rest_answer(void *arg, struct http_request *req)
{
    const struct path *p = path_of(http_target(req));
    struct rest r;

    if (!p) {
        http_reply_error(req, 404, NULL);
        return;
    }
    rest_init(&r, arg, p, req);
    p->run(&r);
    rest_clear(&r);
}

bool rest_answer_at_once(struct rpc_server *s, struct http_request *req)
{
    const struct path *p = path_of(http_target(req));
    struct rest r;
    bool done;

    if (!p || !p->at_once)
        return false;
    rest_init(&r, s, p, req);
    done = p->at_once(&r);
    rest_clear(&r);
    return done;
}

static void handle(void *arg, struct http_request *req)
{
    struct rpc_server *s = arg;
    const struct path *p = path_of(http_target(req));
    struct rest r = {.req = req};
    char text[sizeof(s->warmup)];

    if (p && !atomic_load(&s->ready)) {
        pthread_mutex_lock(&s->mutex);
        memcpy(text, s->warmup, sizeof(text));
        pthread_mutex_unlock(&s->mutex);
        rest_fail(&r, 503, "Service temporarily unavailable: %s", text);
    } else if (!p || p->inline_) {
        rest_answer(s, req);
    } else if (!rest_answer_at_once(s, req)) {
        http_offload(req, rest_answer, NULL, s);
    }
}

void rest_start(struct rpc_server *s)
{
    struct http_route route = {"/rest/", false, NULL, handle, s};

    http_route_add(s->http, &route);
}

/* ---- what commands answer as well ---- */

/* Has a command write into call.out. Returns: false once the error is sent. */
static bool run_command(struct rest *r, const char *name, struct json_object *params)
{
    r->call.command = rpc_find_command(name);
    r->call.method = name;
    rpc_run(&r->call, params);
    json_object_put(r->call.params);
    r->call.params = NULL;
    return !r->call.code || rest_fail(r, 500, "%s", r->call.message);
}

static void answer_command(struct rest *r, const char *name, struct json_object *params, enum rest_cache cache)
{
    if (run_command(r, name, params))
        rest_send_json(r, cache);
    json_object_put(params);
}

void rest_chain_info(struct rest *r)
{
    if (r->format == REST_JSON)
        answer_command(r, "getblockchaininfo", NULL, REST_CHANGES);
    else
        rest_fail_format(r, "json");
}

void rest_deployments(struct rest *r)
{
    struct json_object *params = json_object_new_array();
    struct block_hash hash;
    bool ok = true;

    if (r->format != REST_JSON) {
        ok = rest_fail_format(r, "json");
    } else if (*r->param) {
        ok = rest_hash(r, hash.b, r->param) && (chain_lookup(r->call.host->chain, &hash) || rest_fail(r, 400, "Block not found"));
        json_object_array_add(params, json_object_new_string(r->param));
    }
    if (ok && run_command(r, "getdeploymentinfo", params))
        rest_send_json(r, *r->param ? REST_NEVER_CHANGES : REST_CHANGES);
    json_object_put(params);
}

/* ?key=true or =false. Returns: false once the error is sent. */
static bool query_flag(struct rest *r, bool *out, const char *key, bool dflt)
{
    size_t len;
    char *text = http_query_value(&len, r->req, key);
    bool ok = true;

    *out = text ? len == 4 && memcmp(text, "true", 4) == 0 : dflt;
    if (text && !*out && !(len == 5 && memcmp(text, "false", 5) == 0))
        ok = rest_fail(r, 400, "The \"%s\" query parameter must be either \"true\" or \"false\".", key);
    free(text);
    return ok;
}

static void mempool_contents(struct rest *r)
{
    struct json_object *params;
    bool verbose, sequence;

    if (!query_flag(r, &verbose, "verbose", true) || !query_flag(r, &sequence, "mempool_sequence", false))
        return;
    if (verbose && sequence) {
        rest_fail(r, 400, "Verbose results cannot contain mempool sequence values. (hint: set \"verbose=false\")");
        return;
    }
    params = json_object_new_array();
    json_object_array_add(params, json_object_new_boolean(verbose));
    json_object_array_add(params, json_object_new_boolean(sequence));
    answer_command(r, "getrawmempool", params, REST_CHANGES);
}

void rest_mempool(struct rest *r)
{
    bool contents = strcmp(r->param, "contents") == 0;

    if (!contents && strcmp(r->param, "info") != 0)
        rest_fail(r, 400, "Invalid URI format. Expected /rest/mempool/<info|contents>.json");
    else if (!r->call.host->mempool)
        rest_fail(r, 404, "Mempool disabled or instance not found");
    else if (r->format != REST_JSON)
        rest_fail_format(r, "json");
    else if (contents)
        mempool_contents(r);
    else
        answer_command(r, "getmempoolinfo", NULL, REST_CHANGES);
}
