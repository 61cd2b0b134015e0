/* rest_coins.c - REST: single transactions, and getutxos (BIP64): which of some outputs are unspent. Pool threads; the questions to coins and
 * mempool are put on the validation thread. */
#include <stdlib.h>

#include "primitives/serialize.h"
#include "rpc/rest.h"

#define OUTPOINTS_MAX 15

/* ---- tx ---- */

struct pool_tx {
    struct mempool *mempool;
    struct txid id;
    struct tx *tx; /* one reference, NULL if it is not there */
};

static void look_up(void *arg)
{
    struct pool_tx *q = arg;
    struct mempool_entry e;

    if (mempool_get(q->mempool, &e, &q->id))
        q->tx = tx_ref(e.tx);
}

static void send_tx(struct rest *r, const struct tx *tx, const struct block_entry *e)
{
    struct tx_view view = {.hex = true, .block = e ? &e->node.hash : NULL};
    struct json_writer *j = &r->call.out;
    struct writer w = WRITER_INIT;

    if (r->format == REST_JSON) {
        jw_obj_begin(j);
        jw_tx_members(j, r->call.host->params, tx, &view);
        jw_obj_end(j);
        rest_send_json(r, REST_CHANGES);
    } else if (r->format == REST_UNKNOWN) {
        rest_fail_format(r, REST_ALL_FORMATS);
    } else {
        write_bytes(&w, tx->raw, tx->raw_len);
        rest_send_bytes(r, REST_CHANGES, &w);
    }
}

void rest_tx(struct rest *r)
{
    const struct rpc_host *host = r->call.host;
    struct pool_tx q = {.mempool = host->mempool};
    const struct block_entry *e = NULL;

    if (!rest_hash(r, q.id.b, r->param))
        return;
    if (host->txs)
        index_wait(tx_index_base(host->txs), host->interrupt);
    if (q.mempool && !rpc_on_validation(&r->call, look_up, &q)) {
        rest_fail(r, 503, "%s", r->call.message);
        return;
    }
    if (!q.tx && host->txs && tx_index_find(host->txs, &q.tx, &e, &q.id) != RC_OK)
        q.tx = NULL;
    if (q.tx)
        send_tx(r, q.tx, e);
    else
        rest_fail(r, 404, "%s not found", r->param);
    tx_unref(q.tx);
}

/* ---- getutxos ---- */

struct utxos {
    const struct rpc_host *host;
    struct outpoint point[OUTPOINTS_MAX];
    size_t n;     /* asked for; what is above the most is not kept */
    bool mempool; /* what it spends is spent, what it makes is there */
    struct arena arena;
    struct coin coin[OUTPOINTS_MAX];
    bool found[OUTPOINTS_MAX];
    enum rc rc;
    const struct block_entry *tip;
};

static bool find_coin(struct utxos *u, struct coin *coin, const struct outpoint *point)
{
    struct mempool *m = u->host->mempool;
    enum rc rc;

    if (u->mempool && mempool_is_spent(m, point, NULL))
        return false;
    if (u->mempool && mempool_get_coin(m, coin, point)) {
        /* the transaction may leave the pool as soon as this thread goes on */
        uint8_t *script = arena_alloc(&u->arena, coin->out.script_len + 1);
        memcpy(script, coin->out.script, coin->out.script_len);
        coin->out.script = script;
        return true;
    }
    rc = chain_get_coin(u->host->chain, coin, point, &u->arena);
    if (rc != RC_OK && rc != RC_NOT_FOUND)
        u->rc = rc;
    return rc == RC_OK;
}

static void find_coins(void *arg)
{
    struct utxos *u = arg;

    chain_drain(u->host->chain);
    u->tip = chain_tip(u->host->chain);
    for (size_t i = 0; i < u->n; i++)
        u->found[i] = find_coin(u, &u->coin[i], &u->point[i]);
}

static void add_point(struct utxos *u, const struct outpoint *point)
{
    if (u->n < OUTPOINTS_MAX)
        u->point[u->n] = *point;
    u->n++;
}

/* "/checkmempool/<txid>-<n>/..." Returns: false once the error is sent. */
static bool read_path(struct rest *r, struct utxos *u)
{
    char *p = r->param + 1, *next;
    struct outpoint point;
    uint64_t n;

    if (strncmp(p, "checkmempool", 12) == 0 && (!p[12] || p[12] == '/')) {
        u->mempool = true;
        p = p[12] ? p + 13 : NULL;
    }
    for (; p; p = next) {
        char *dash = strchr(p, '-');
        next = strchr(p, '/');
        if (next)
            *next++ = 0;
        if (!dash || (next && dash >= next))
            return rest_fail(r, 400, "Parse error");
        *dash = 0;
        if (!hash_from_hex(point.txid.b, p) || !rest_number(&n, dash + 1, UINT32_MAX))
            return rest_fail(r, 400, "Parse error");
        point.n = (uint32_t)n;
        add_point(u, &point);
    }
    return u->n || rest_fail(r, 400, "Error: empty request");
}

/* BIP64's body: a flag, and outpoints. */
static bool read_body(struct rest *r, struct utxos *u, const uint8_t *data, size_t len)
{
    struct reader in = reader_make(data, len);
    struct outpoint point;
    uint64_t n;

    u->mempool = read_u8(&in) != 0;
    n = read_compact_size(&in);
    for (uint64_t i = 0; i < n && !in.failed; i++) {
        read_copy(&in, point.txid.b, 32);
        point.n = read_u32(&in);
        if (!in.failed)
            add_point(u, &point);
    }
    return !in.failed || rest_fail(r, 400, "Parse error");
}

/* Digits with blanks between them. Returns: to be freed; nothing (*n: 0) if there is anything else. */
static uint8_t *read_hex(size_t *n, const char *text, size_t len)
{
    char *digits = xmalloc(len + 1);
    uint8_t *out = xmalloc(len / 2 + 1);
    size_t k = 0;

    for (size_t i = 0; i < len; i++) {
        if (!strchr(" \f\n\r\t\v", text[i]) || !text[i])
            digits[k++] = text[i];
    }
    digits[k] = 0;
    *n = hex_decode(out, k / 2, digits) ? k / 2 : 0;
    free(digits);
    return out;
}

static bool read_request(struct rest *r, struct utxos *u)
{
    bool in_path = strlen(r->param) > 1, ok = true;
    size_t len;
    const uint8_t *body = http_body(r->req, &len);
    uint8_t *bytes = NULL;

    if (!len && !in_path)
        return rest_fail(r, 400, "Error: empty request");
    if (in_path && !read_path(r, u))
        return false;
    if (r->format == REST_UNKNOWN)
        return rest_fail_format(r, REST_ALL_FORMATS);
    if (r->format == REST_JSON)
        return in_path || rest_fail(r, 400, "Error: empty request");
    if (r->format == REST_HEX && len) {
        bytes = read_hex(&len, (const char *)body, len);
        body = bytes;
    }
    if (len && in_path)
        ok = rest_fail(r, 400, "Combination of URI scheme inputs and raw post data is not allowed");
    else if (len)
        ok = read_body(r, u, body, len);
    free(bytes);
    return ok;
}

static void utxos_json(struct json_writer *j, const struct chain_params *params, const struct utxos *u)
{
    char bitmap[OUTPOINTS_MAX + 1] = {0};

    for (size_t i = 0; i < u->n; i++)
        bitmap[i] = u->found[i] ? '1' : '0';
    jw_obj_begin(j);
    jw_kv_int(j, "chainHeight", u->tip->node.height);
    jw_kv_hash(j, "chaintipHash", u->tip->node.hash.b);
    jw_kv_str(j, "bitmap", bitmap);
    jw_key(j, "utxos");
    jw_arr_begin(j);
    for (size_t i = 0; i < u->n; i++) {
        const struct tx_out *out = &u->coin[i].out;
        if (!u->found[i])
            continue;
        jw_obj_begin(j);
        jw_kv_uint(j, "height", u->coin[i].height);
        jw_kv_amount(j, "value", out->value);
        jw_script(j, "scriptPubKey", params, out->script, out->script_len);
        jw_obj_end(j);
    }
    jw_arr_end(j);
    jw_obj_end(j);
}

static void utxos_bytes(struct writer *w, const struct utxos *u)
{
    size_t hits = 0, map_len = (u->n + 7) / 8;
    uint8_t map[(OUTPOINTS_MAX + 7) / 8] = {0};

    for (size_t i = 0; i < u->n; i++) {
        hits += u->found[i];
        map[i / 8] |= (uint8_t)(u->found[i] << (i % 8));
    }
    write_u32(w, (uint32_t)u->tip->node.height);
    write_bytes(w, u->tip->node.hash.b, 32);
    write_compact_size(w, map_len);
    write_bytes(w, map, map_len);
    write_compact_size(w, hits);
    for (size_t i = 0; i < u->n; i++) {
        const struct tx_out *out = &u->coin[i].out;
        if (!u->found[i])
            continue;
        write_u32(w, 0); /* once a transaction's version */
        write_u32(w, u->coin[i].height);
        write_u64(w, (uint64_t)out->value);
        write_compact_size(w, out->script_len);
        write_bytes(w, out->script, out->script_len);
    }
}

static void send_utxos(struct rest *r, struct utxos *u)
{
    struct writer w = WRITER_INIT;

    if (u->n > OUTPOINTS_MAX) {
        rest_fail(r, 400, "Error: max outpoints exceeded (max: %d, tried: %zu)", OUTPOINTS_MAX, u->n);
    } else if (u->mempool && !u->host->mempool) {
        rest_fail(r, 404, "Mempool disabled or instance not found");
    } else if (!rpc_on_validation(&r->call, find_coins, u)) {
        rest_fail(r, 503, "%s", r->call.message);
    } else if (u->rc != RC_OK) {
        rest_fail(r, 500, "Unable to read UTXO set: %s", rc_name(u->rc));
    } else if (r->format == REST_JSON) {
        utxos_json(&r->call.out, u->host->params, u);
        rest_send_json(r, REST_CHANGES);
    } else {
        utxos_bytes(&w, u);
        rest_send_bytes(r, REST_CHANGES, &w);
    }
}

void rest_utxos(struct rest *r)
{
    struct utxos u = {.host = r->call.host, .arena = ARENA_INIT, .rc = RC_OK};

    if (read_request(r, &u))
        send_utxos(r, &u);
    arena_clear(&u.arena);
}
