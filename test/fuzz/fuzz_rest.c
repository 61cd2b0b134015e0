/* fuzz_rest.c - any target and body as a request of the REST interface, over a small chain with a memory pool: each gets one answer, with a status that
 * belongs there and JSON where it says so; what is answered at once is what a pool thread would have answered. */
#include "rpc/http_server.h"
#include "rpc/rest.h"
#include "rpc/server_priv.h"
#include "sync_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct http_server doors;
static struct http_conn client = {.server = &doors, .fd = -1};
static struct rpc_server *server;
static struct mempool *pool;
static struct args *args;

static enum rc get_coin(void *ctx, struct coin *c, const struct outpoint *o, struct arena *arena)
{
    (void)ctx;
    return chain_get_coin(world.chain, c, o, arena);
}

static const struct header_node *get_tip(void *ctx)
{
    (void)ctx;
    return &chain_tip(world.chain)->node;
}

static void end_server(void)
{
    rpc_server_free(server);
    mempool_free(pool);
    args_free(args);
}

static void make_server(void)
{
    struct mempool_options o = {.max_bytes = 300000000, .expiry = 336 * 3600, .params = &world.params};
    struct rpc_host host = {.params = &world.params};

    make_world();
    policy_init(&o.policy, &world.params);
    o.sig_cache = world.cache;
    o.chain = (struct mempool_chain){.get_coin = get_coin, .tip = get_tip};
    pool = mempool_new(&o);
    host.datadir = world.dir;
    host.mempool = pool;
    host.args = args = args_new(NULL, 0);
    host.chain = world.chain;
    server = rpc_server_new(&host);
    rpc_server_ready(server, &host);
    atexit(end_server);
}

/* The request's text: "@" and a byte stand for a block's hash, "$" and a byte for a transaction's. */
static void write_target(struct writer *w, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct hash_hex hex;
        if (p[i] != '@' && p[i] != '$') {
            write_u8(w, p[i]);
            continue;
        }
        i++;
        hex = i < n && p[i - 1] == '@' ? block_hash_hex(&world.block[p[i] % BLOCKS]->hash)
                                       : txid_hex(&world.tx[i < n ? p[i] % TXS : 0]->txid);
        write_bytes(w, hex.s, 64);
    }
}

/* Target up to the first line feed, then the body. Returns: false if that is no request for REST. */
static bool read_request(struct http_request *req, const uint8_t *data, size_t size)
{
    static const char *const methods[] = {"GET", "POST", "HEAD", "PUT"};
    const uint8_t *feed = memchr(data + 1, '\n', size - 1);
    size_t n = feed ? (size_t)(feed - data) - 1 : size - 1, n_body = feed ? size - n - 2 : 0;
    struct writer w = WRITER_INIT;
    const char *p, *end;
    char *line = xasprintf(" HTTP/1.1\r\nContent-Length: %zu\r\n\r\n", n_body);
    bool ok;

    write_bytes(&w, methods[data[0] & 3], strlen(methods[data[0] & 3]));
    write_bytes(&w, " /rest/", 7);
    write_target(&w, data + 1, n);
    write_bytes(&w, line, strlen(line));
    free(line);
    write_bytes(&w, feed ? feed + 1 : NULL, n_body);
    p = (const char *)w.data;
    end = p + w.len;
    ok = http_parse(&req->parse, &p, end) == HTTP_GOT_HEAD;
    if (ok && req->parse.at != AT_END)
        ok = http_parse(&req->parse, &p, end) == HTTP_GOT_REQUEST && p == end;
    if (ok)
        http_parser_keep_body(&req->parse);
    writer_clear(&w);
    return ok && strncmp(http_target(req), "/rest/", 6) == 0;
}

static struct writer body_of(const struct http_request *req)
{
    struct writer w = WRITER_INIT;

    if (req->from_file)
        ASSERT(fs_pread(req->file, writer_extend(&w, req->len), req->len, 0) == RC_OK);
    else
        write_bytes(&w, req->data, req->len);
    return w;
}

static void check_answer(struct http_request *req)
{
    struct writer body = body_of(req);
    char head[HTTP_HEAD_ROOM];
    bool keep, has_body;

    ASSERT(req->answered && (req->status == 200 || req->status == 400 || req->status == 404));
    ASSERT(req->type || req->len == 0);
    ASSERT(req->status != 200 || req->len > 0 || strcmp(req->type, "application/octet-stream") == 0);
    if (req->status == 200 && strcmp(req->type, "application/json") == 0) {
        struct json_object *o = rpc_parse((const char *)body.data, body.len);
        ASSERT(o);
        json_object_put(o);
    }
    ASSERT(http_reply_head(req, head, &keep, &has_body) > 0);
    ASSERT(has_body == (http_method(req) != HTTP_HEAD));
    writer_clear(&body);
}

static void request_clear(struct http_request *req)
{
    http_reply_release(req);
    http_parser_clear(&req->parse);
}

static bool same_answer(const struct http_request *a, const struct http_request *b)
{
    struct writer x = body_of(a), y = body_of(b);
    bool same = a->status == b->status && x.len == y.len && (x.len == 0 || memcmp(x.data, y.data, x.len) == 0) &&
                (a->type == b->type || strcmp(a->type, b->type) == 0);

    writer_clear(&x);
    writer_clear(&y);
    return same;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* `away`: answers are noted, and not sent */
    struct http_request req = {.conn = &client, .pending = true, .away = true}, again = req;

    if (!server)
        make_server();
    if (size < 1 || size > HTTP_HEADERS_MAX)
        return 0;
    if (read_request(&req, data, size)) {
        rest_answer(server, &req);
        check_answer(&req);
        ASSERT(read_request(&again, data, size));
        if (rest_answer_at_once(server, &again))
            ASSERT(same_answer(&req, &again));
        request_clear(&again);
    }
    request_clear(&req);
    return 0;
}
