/* methods_chain.c - Electrum's blockchain.block.*, blockchain.headers.*, fees and the mempool as a whole. Called by session.c. */
#include <json-c/json.h>
#include <stdlib.h>

#include "session.h"
#include "util/hex.h"

#define HEADERS_MAX 2016

static void write_proof(struct json_writer *j, const struct merkle_proof *p)
{
    jw_key(j, "branch");
    jw_arr_begin(j);
    for (unsigned i = 0; i < p->n; i++)
        jw_hash(j, p->branch[i]);
    jw_arr_end(j);
    jw_kv_hash(j, "root", p->root);
}

/* From the header at a height to a checkpoint that the client chose. */
static bool get_proof(struct electrum_call *c, struct merkle_proof *p, int64_t height, int64_t cp)
{
    int32_t tip = c->src->height(c->src->ctx);

    c->s->cost += 300;
    if (height > cp || cp > tip)
        return electrum_fail(c, ELECTRUM_BAD_REQUEST, "require header height %lld <= cp_height %lld <= chain height %d",
                             (long long)height, (long long)cp, tip);
    return c->src->header_proof(c->src->ctx, p, (int32_t)height, (int32_t)cp) ||
           electrum_fail(c, ELECTRUM_INTERNAL, "the chain changed");
}

static void block_header(struct electrum_call *c)
{
    struct json_writer *j = c->out;
    uint8_t header[BLOCK_HEADER_SIZE];
    struct merkle_proof proof;
    int64_t height, cp;

    if (!electrum_int(c, &height, 0, 0, 0, INT32_MAX) || !electrum_int(c, &cp, 1, 0, 0, INT32_MAX))
        return;
    if (!c->src->header(c->src->ctx, header, NULL, (int32_t)height)) {
        electrum_fail(c, ELECTRUM_BAD_REQUEST, "height %lld out of range", (long long)height);
    } else if (cp == 0) {
        jw_hex(j, header, sizeof(header));
    } else if (get_proof(c, &proof, height, cp)) {
        jw_obj_begin(j);
        jw_kv_hex(j, "header", header, sizeof(header));
        write_proof(j, &proof);
        jw_obj_end(j);
    }
}

/* Until the chain ends. Returns: how many headers there are. */
static size_t read_headers(struct electrum_call *c, struct writer *out, int64_t start, int64_t count)
{
    size_t n = 0;

    for (; (int64_t)n < count && start + (int64_t)n <= INT32_MAX; n++) {
        uint8_t header[BLOCK_HEADER_SIZE];
        if (!c->src->header(c->src->ctx, header, NULL, (int32_t)(start + (int64_t)n)))
            break;
        write_bytes(out, header, sizeof(header));
    }
    return n;
}

static void write_headers(struct electrum_call *c, const struct writer *headers, size_t n)
{
    struct json_writer *j = c->out;

    jw_kv_uint(j, "count", n);
    jw_kv_int(j, "max", HEADERS_MAX);
    if (c->s->version < ELECTRUM_1_6) {
        jw_kv_hex(j, "hex", n ? (const void *)headers->data : "", headers->len);
        return;
    }
    jw_key(j, "headers");
    jw_arr_begin(j);
    for (size_t i = 0; i < n; i++)
        jw_hex(j, headers->data + i * BLOCK_HEADER_SIZE, BLOCK_HEADER_SIZE);
    jw_arr_end(j);
}

static void block_headers(struct electrum_call *c)
{
    struct writer headers = WRITER_INIT;
    struct merkle_proof proof;
    int64_t start, count, cp;
    size_t n;

    if (!electrum_int(c, &start, 0, 0, 0, INT32_MAX) || !electrum_int(c, &count, 1, 0, 0, INT32_MAX) ||
        !electrum_int(c, &cp, 2, 0, 0, INT32_MAX))
        return;
    n = read_headers(c, &headers, start, count < HEADERS_MAX ? count : HEADERS_MAX);
    c->s->cost += (int64_t)n / 4;
    if (!n || !cp || get_proof(c, &proof, start + (int64_t)n - 1, cp)) {
        jw_obj_begin(c->out);
        write_headers(c, &headers, n);
        if (n && cp)
            write_proof(c->out, &proof);
        jw_obj_end(c->out);
    }
    writer_clear(&headers);
}

static void headers_subscribe(struct electrum_call *c)
{
    uint8_t header[BLOCK_HEADER_SIZE];
    int32_t height;

    atomic_store(&c->s->headers, true); /* before the tip is looked at, so that no later one is missed */
    height = c->src->height(c->src->ctx);
    if (c->src->header(c->src->ctx, header, NULL, height))
        electrum_write_header(c->out, height, header, false);
    else
        electrum_fail(c, ELECTRUM_INTERNAL, "the chain changed");
}

static void headers_unsubscribe(struct electrum_call *c)
{
    jw_bool(c->out, atomic_exchange(&c->s->headers, false));
}

static void get_tip(struct electrum_call *c)
{
    uint8_t header[BLOCK_HEADER_SIZE];
    int32_t height = c->src->height(c->src->ctx);

    if (c->src->header(c->src->ctx, header, NULL, height))
        electrum_write_header(c->out, height, header, false);
    else
        electrum_fail(c, ELECTRUM_INTERNAL, "the chain changed");
}

/* A member of what a command of the node answers. Returns: a reference to the whole answer in *whole, the member borrowed. */
static struct json_object *ask_member(struct electrum_call *c, struct json_object **whole, const char *method,
                                      struct json_object *params_take, const char *member)
{
    struct writer w = WRITER_INIT;
    struct json_object *v = NULL;

    *whole = NULL;
    if (electrum_command(c, &w, method, params_take) == 0) {
        write_u8(&w, 0);
        *whole = json_tokener_parse((const char *)w.data);
        json_object_object_get_ex(*whole, member, &v);
    }
    writer_clear(&w);
    return v;
}

static void write_amount_of(struct electrum_call *c, struct json_object *v)
{
    const char *text = json_object_to_json_string_ext(v, 0);

    jw_raw(c->out, text, strlen(text));
}

static void estimatefee(struct electrum_call *c)
{
    struct json_object *params, *whole, *rate;
    const char *mode = NULL;
    int64_t target;

    if (!electrum_int(c, &target, 0, 0, 1, INT32_MAX) || (c->args[1] && !electrum_text(c, &mode, 1)))
        return;
    if (mode && c->s->version < ELECTRUM_1_6) {
        electrum_fail(c, ELECTRUM_INVALID_ARGS, "the mode of estimates is known from protocol 1.6 on");
        return;
    }
    params = json_object_new_array();
    json_object_array_add(params, json_object_new_int64(target > 1008 ? 1008 : target));
    if (mode)
        json_object_array_add(params, json_object_new_string(mode));
    rate = ask_member(c, &whole, "estimatesmartfee", params, "feerate");
    if (!whole && mode)
        electrum_fail(c, ELECTRUM_BAD_REQUEST, "unknown estimate_mode: %.40s", mode);
    else if (rate)
        write_amount_of(c, rate);
    else
        jw_int(c->out, -1);
    json_object_put(whole);
}

static void relayfee(struct electrum_call *c)
{
    struct json_object *whole, *fee = ask_member(c, &whole, "getmempoolinfo", NULL, "minrelaytxfee");

    if (fee)
        write_amount_of(c, fee);
    else
        electrum_fail(c, ELECTRUM_DAEMON_ERROR, "the mempool cannot be asked");
    json_object_put(whole);
}

static void mempool_info(struct electrum_call *c)
{
    static const char *const names[] = {"mempoolminfee", "minrelaytxfee", "incrementalrelayfee"};
    struct json_object *whole, *v = ask_member(c, &whole, "getmempoolinfo", NULL, names[0]);

    if (!v) {
        electrum_fail(c, ELECTRUM_DAEMON_ERROR, "the mempool cannot be asked");
    } else {
        jw_obj_begin(c->out);
        for (size_t i = 0; i < 3; i++) {
            if (!json_object_object_get_ex(whole, names[i], &v))
                continue;
            jw_key(c->out, names[i]);
            write_amount_of(c, v);
        }
        jw_obj_end(c->out);
    }
    json_object_put(whole);
}

static void fee_histogram(struct electrum_call *c)
{
    struct writer w = WRITER_INIT;

    if (electrum_command(c, &w, "getmempoolfeehistogram", NULL) == 0)
        jw_raw(c->out, w.data, w.len);
    else
        electrum_fail(c, ELECTRUM_DAEMON_ERROR, "the mempool cannot be asked");
    writer_clear(&w);
}

const struct electrum_method electrum_chain_methods[] = {
    {.name = "blockchain.block.header", .params = "height,cp_height", .required = 1, .run = block_header},
    {.name = "blockchain.block.headers", .params = "start_height,count,cp_height", .required = 2, .run = block_headers},
    {.name = "blockchain.headers.subscribe",
     .params = "",
     .run = headers_subscribe,
     .any_more = true}, /* "raw" of 1.2: still sent */
    {.name = "blockchain.headers.unsubscribe", .params = "", .run = headers_unsubscribe},
    {.name = "blockchain.headers.get_tip", .params = "", .run = get_tip},
    {.name = "blockchain.estimatefee", .params = "number,mode", .required = 1, .run = estimatefee, .cost = 100},
    {.name = "blockchain.relayfee", .until = ELECTRUM_1_6, .params = "", .run = relayfee, .cost = 100},
    {.name = "mempool.get_info", .since = ELECTRUM_1_6, .params = "", .run = mempool_info, .cost = 100},
    {.name = "mempool.get_fee_histogram", .params = "", .run = fee_histogram, .cost = 1000},
    {.name = NULL}};
