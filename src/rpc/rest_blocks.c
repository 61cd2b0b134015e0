/* rest_blocks.c - REST: headers, blocks, parts of them, and the outputs that they spent. Pool threads; blocks that are at hand, the loop thread. */
#include <inttypes.h>
#include <stdlib.h>

#include "chain/undo.h"
#include "primitives/serialize.h"
#include "rpc/rest.h"
#include "rpc/server_priv.h"

void rest_headers(struct rest *r)
{
    const struct block_entry **list = NULL, *tip;
    struct writer w = WRITER_INIT;
    struct block_hash hash;
    struct block_header h;
    char *parts[2];
    size_t count, n = rest_split(r->param, parts, 2);

    if (n > 2) {
        rest_fail(r, 400, "Invalid URI format. Expected /rest/headers/<hash>.<ext>?count=<count>");
        return;
    }
    if (!rest_count(r, &count, n == 2 ? parts[0] : NULL) || !rest_hash(r, hash.b, parts[n - 1]))
        return;
    if (r->format == REST_UNKNOWN) {
        rest_fail_format(r, REST_ALL_FORMATS);
        return;
    }
    tip = chain_tip(r->call.host->chain);
    list = xcalloc(count, sizeof(const struct block_entry *));
    n = rest_chain_from(r, list, count, &hash);
    if (r->format == REST_JSON) {
        struct json_writer *j = &r->call.out;
        jw_arr_begin(j);
        for (size_t i = 0; i < n; i++) {
            jw_obj_begin(j);
            jw_header_members(j, &r->call, tip, list[i]);
            jw_obj_end(j);
        }
        jw_arr_end(j);
        rest_send_json(r, REST_CHANGES);
    } else {
        for (size_t i = 0; i < n; i++) {
            header_node_header(&h, &list[i]->node);
            block_header_encode(writer_extend(&w, BLOCK_HEADER_SIZE), &h);
        }
        rest_send_bytes(r, REST_CHANGES, &w);
    }
    free(list);
}

void rest_block_by_height(struct rest *r)
{
    struct json_writer *j = &r->call.out;
    struct writer w = WRITER_INIT;
    const struct block_entry *e;
    struct hash_hex hex;
    uint64_t height;

    if (!rest_number(&height, r->param, INT32_MAX)) {
        size_t n = 0;
        for (const char *p = r->param; *p; p++) { /* characters of addresses only, as in Core */
            if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.!~*'();:@&=+$,/?#[]%", *p))
                r->param[n++] = *p;
        }
        r->param[n] = 0;
        rest_fail(r, 400, "Invalid height: %s", r->param);
        return;
    }
    e = chain_at(r->call.host->chain, (int32_t)height);
    if (!e) {
        rest_fail(r, 404, "Block height out of range");
        return;
    }
    hex = block_hash_hex(&e->node.hash);
    if (r->format == REST_JSON) {
        jw_obj_begin(j);
        jw_kv_hash(j, "blockhash", e->node.hash.b);
        jw_obj_end(j);
        rest_send_json(r, REST_CHANGES);
    } else if (r->format == REST_HEX) { /* as people read it, unlike the bytes */
        write_bytes(&w, hex.s, 64);
        write_u8(&w, '\n');
        http_reply_header(r->req, "Cache-Control", "no-store");
        http_reply_take(r->req, 200, "text/plain", &w);
    } else if (r->format == REST_BIN) {
        write_bytes(&w, e->node.hash.b, 32);
        rest_send_bytes(r, REST_CHANGES, &w);
    } else {
        rest_fail_format(r, REST_ALL_FORMATS);
    }
}

/* The block that the path names, if its data are there. Returns: NULL once the error is sent. */
static const struct block_entry *find_block(struct rest *r)
{
    struct chain *c = r->call.host->chain;
    const struct block_entry *e;
    struct block_hash hash;
    struct entry_facts f;

    if (!rest_hash(r, hash.b, r->param))
        return NULL;
    e = chain_lookup(c, &hash);
    if (!e) {
        rest_fail(r, 404, "%s not found", r->param);
        return NULL;
    }
    chain_facts(c, e, &f);
    if (f.status & BLOCK_HAVE_DATA)
        return e;
    rest_fail(r, 404, "%s not available (%s)", r->param, chain_pruned(c) && f.n_tx ? "pruned data" : "not fully downloaded");
    return NULL;
}

/* The reference is taken over. */
static void send_kept(struct rest *r, struct kept *k)
{
    if (k->data)
        rest_send_ref(r, REST_NEVER_CHANGES, k->data, k->len, kept_unref, k);
    else
        rest_send_file(r, REST_NEVER_CHANGES, k->file, k->len, kept_unref, k);
}

/* Sends a block that the system has in memory. Where there are processors to spare that is the pool's work; where there are not, the way to another
 * thread and back costs more than reading. */
static bool send_cached(struct rest *r, const struct block_entry *e)
{
    struct block_cache *c = r->call.server->blocks;
    struct block_buffer *b;
    size_t len;

    if (r->call.server->helpers > 1)
        return false;
    b = block_buffer_get(c);
    if (chain_read_raw_cached(r->call.host->chain, b->bytes, &len, BLOCK_BUFFER, e) != RC_OK) {
        block_buffer_put(b);
        return false;
    }
    if (block_cache_wants(c, &e->node.hash, KEPT_RAW, len)) {
        struct kept *k = block_cache_add_take(c, &e->node.hash, KEPT_RAW, xmemdup(b->bytes, len), len);
        block_buffer_put(b);
        send_kept(r, k);
    } else {
        rest_send_ref(r, REST_NEVER_CHANGES, b->bytes, len, block_buffer_put, b);
    }
    return true;
}

bool rest_block_at_once(struct rest *r)
{
    const struct block_entry *e;
    struct block_hash hash;
    struct kept *k;

    if (r->format != REST_BIN || !hash_from_hex(hash.b, r->param))
        return false;
    e = chain_lookup(r->call.host->chain, &hash);
    if (!e)
        return false;
    k = block_cache_find(r->call.server->blocks, &hash, KEPT_RAW);
    if (!k)
        return send_cached(r, e);
    if (!chain_files_exist(r->call.host->chain, e, false)) {
        kept_unref(k);
        return false;
    }
    send_kept(r, k);
    return true;
}

/* Keeps it if it is asked for again and again. */
static void send_bytes(struct rest *r, const struct block_entry *e, uint8_t *data_take, size_t len)
{
    struct block_cache *c = r->call.server->blocks;

    if (r->format != REST_BIN || !block_cache_wants(c, &e->node.hash, KEPT_RAW, len))
        rest_send_take(r, REST_NEVER_CHANGES, data_take, len);
    else
        send_kept(r, block_cache_add_take(c, &e->node.hash, KEPT_RAW, data_take, len));
}

static void send_block(struct rest *r, int verbosity)
{
    const struct block_entry *e = find_block(r);
    uint8_t *data;
    size_t len;

    if (!e)
        return;
    if (r->format == REST_JSON) {
        rpc_write_block(&r->call, e, verbosity);
        if (r->call.code)
            rest_fail(r, 500, "%s", r->call.message);
        else
            rest_send_json(r, REST_CHANGES);
    } else if (r->format == REST_UNKNOWN) {
        rest_fail_format(r, REST_ALL_FORMATS);
    } else if (chain_read_raw(r->call.host->chain, &data, &len, e) == RC_OK) {
        send_bytes(r, e, data, len);
    } else {
        rest_fail(r, 500, "I/O error reading %s", r->param);
    }
}

void rest_block(struct rest *r)
{
    send_block(r, 3);
}

void rest_block_brief(struct rest *r)
{
    send_block(r, 1);
}

static bool query_number(struct rest *r, uint64_t *out, const char *key)
{
    size_t len;
    char *text = http_query_value(&len, r->req, key);
    bool ok = (text && rest_digits(out, text, len, UINT64_MAX)) || rest_fail(r, 400, "Block part %s missing or invalid", key);

    free(text);
    return ok;
}

void rest_block_part(struct rest *r)
{
    const struct block_entry *e;
    uint64_t offset, size;
    uint8_t *data = NULL;
    enum rc rc = RC_INVALID;

    if (!query_number(r, &offset, "offset") || !query_number(r, &size, "size"))
        return;
    e = find_block(r);
    if (!e)
        return;
    if (offset <= COMPACT_SIZE_MAX && size <= COMPACT_SIZE_MAX && size) {
        data = xmalloc((size_t)size);
        rc = chain_read_part(r->call.host->chain, data, e, (uint32_t)offset, (uint32_t)size);
    }
    if (rc == RC_OK && (r->format == REST_BIN || r->format == REST_HEX)) {
        rest_send_take(r, REST_NEVER_CHANGES, data, (size_t)size);
        return;
    }
    free(data);
    if (rc == RC_INVALID)
        rest_fail(r, 400, "Bad block part offset/size %" PRIu64 "/%" PRIu64 " for %s", offset, size, r->param);
    else if (rc != RC_OK)
        rest_fail(r, 500, "I/O error reading %s", r->param);
    else if (r->format == REST_JSON)
        rest_fail(r, 400, "JSON output is not supported for this request type");
    else
        rest_fail_format(r, REST_ALL_FORMATS);
}

static void spent_json(struct rest *r, const struct block_undo *undo)
{
    struct json_writer *j = &r->call.out;

    jw_arr_begin(j);
    jw_arr_begin(j); /* the coinbase */
    jw_arr_end(j);
    for (uint32_t i = 0; undo && i < undo->n_tx; i++) {
        jw_arr_begin(j);
        for (uint32_t k = 0; k < undo->tx[i].n; k++) {
            const struct tx_out *out = &undo->tx[i].coin[k].out;
            jw_obj_begin(j);
            jw_kv_amount(j, "value", out->value);
            jw_script(j, "scriptPubKey", r->call.host->params, out->script, out->script_len);
            jw_obj_end(j);
        }
        jw_arr_end(j);
    }
    jw_arr_end(j);
}

static void spent_bytes(struct writer *w, const struct block_undo *undo)
{
    uint32_t n = undo ? undo->n_tx : 0;

    write_compact_size(w, (uint64_t)n + 1);
    write_compact_size(w, 0); /* the coinbase */
    for (uint32_t i = 0; i < n; i++) {
        write_compact_size(w, undo->tx[i].n);
        for (uint32_t k = 0; k < undo->tx[i].n; k++) {
            const struct tx_out *out = &undo->tx[i].coin[k].out;
            write_u64(w, (uint64_t)out->value);
            write_compact_size(w, out->script_len);
            write_bytes(w, out->script, out->script_len);
        }
    }
}

void rest_spent(struct rest *r)
{
    struct block_undo *undo = NULL;
    struct writer w = WRITER_INIT;
    const struct block_entry *e;
    struct block_hash hash;

    if (strchr(r->param, '/')) {
        rest_fail(r, 400, "Invalid URI format. Expected /rest/spenttxouts/<hash>.<ext>");
        return;
    }
    if (!rest_hash(r, hash.b, r->param))
        return;
    e = chain_lookup(r->call.host->chain, &hash);
    if (!e) {
        rest_fail(r, 404, "%s not found", r->param);
    } else if (e->node.height > 0 && chain_read_undo(r->call.host->chain, &undo, e) != RC_OK) {
        rest_fail(r, 404, "%s undo not available", r->param);
    } else if (r->format == REST_JSON) {
        spent_json(r, undo);
        rest_send_json(r, REST_NEVER_CHANGES);
    } else if (r->format == REST_UNKNOWN) {
        rest_fail_format(r, REST_ALL_FORMATS);
    } else {
        spent_bytes(&w, undo);
        rest_send_bytes(r, REST_NEVER_CHANGES, &w);
    }
    if (undo)
        block_undo_free(undo);
}
