/* methods_tx.c - Electrum's blockchain.transaction.* and blockchain.utxo.*: transactions, where they are, and new ones. Called by session.c. */
#include <json-c/json.h>
#include <stdlib.h>

#include "crypto/sha256.h"
#include "session.h"
#include "util/hex.h"
#include "util/mem.h"

/* ---- reading ---- */

static struct json_object *hex_of(const uint8_t hash[32])
{
    return json_object_new_string(hash_to_hex(hash).s);
}

/* By the node's command, as it knows the mempool and -txindex. block: NULL: not known. */
static void get_by_command(struct electrum_call *c, const struct txid *id, bool verbose, const struct block_hash *block)
{
    struct json_object *params = json_object_new_array();
    struct writer w = WRITER_INIT;
    int code;

    json_object_array_add(params, hex_of(id->b));
    json_object_array_add(params, json_object_new_boolean(verbose));
    if (block)
        json_object_array_add(params, hex_of(block->b));
    code = electrum_command(c, &w, "getrawtransaction", params);
    if (code)
        electrum_fail(c, ELECTRUM_DAEMON_ERROR, "daemon error: DaemonError({'code': %d, 'message': '%.*s'})", code, (int)w.len,
                      w.len ? (const char *)w.data : "");
    else
        jw_raw(c->out, w.data, w.len);
    writer_clear(&w);
}

static void get(struct electrum_call *c)
{
    struct writer raw = WRITER_INIT;
    struct block_hash block;
    enum electrum_rc rc;
    struct txid id;
    bool verbose;

    if (!electrum_hash(c, id.b, 0, "transaction hash") || !electrum_flag(c, &verbose, 1))
        return;
    rc = c->src->known_tx(c->src->ctx, verbose ? NULL : &raw, &block, &id);
    if (rc != ELECTRUM_OK || verbose)
        get_by_command(c, &id, verbose, rc == ELECTRUM_OK ? &block : NULL);
    else
        jw_hex(c->out, raw.data, raw.len);
    writer_clear(&raw);
}

/* Upwards from transaction pos; ids are used up. */
static void branch_of(struct merkle_proof *p, struct txid *ids, size_t n, size_t pos)
{
    p->n = 0;
    while (n > 1) {
        size_t pair = (pos ^ 1) < n ? pos ^ 1 : pos;
        memcpy(p->branch[p->n++], ids[pair].b, 32);
        for (size_t i = 0; i < n; i += 2) {
            uint8_t both[64];
            memcpy(both, ids[i].b, 32);
            memcpy(both + 32, ids[i + 1 < n ? i + 1 : i].b, 32);
            sha256d(ids[i / 2].b, both, 64);
        }
        n = (n + 1) / 2;
        pos /= 2;
    }
    memcpy(p->root, ids[0].b, 32);
}

static void write_merkle(struct json_writer *j, struct txid *ids, size_t n, size_t pos)
{
    struct merkle_proof p;

    branch_of(&p, ids, n, pos);
    jw_key(j, "merkle");
    jw_arr_begin(j);
    for (unsigned i = 0; i < p.n; i++)
        jw_hash(j, p.branch[i]);
    jw_arr_end(j);
}

static bool read_ids(struct electrum_call *c, struct txid **ids, size_t *n, int64_t height)
{
    enum electrum_rc rc = c->src->block_ids(c->src->ctx, ids, n, (int32_t)height);

    if (rc == ELECTRUM_NONE)
        return electrum_fail(c, ELECTRUM_BAD_REQUEST, "height %lld out of range", (long long)height);
    if (!electrum_check(c, rc, "block"))
        return false;
    c->s->cost += 200 + (int64_t)*n / 2;
    return true;
}

static void get_merkle(struct electrum_call *c)
{
    struct json_writer *j = c->out;
    struct txid id, *ids;
    int64_t height;
    size_t n, pos = 0;

    if (!electrum_hash(c, id.b, 0, "transaction hash") || !electrum_int(c, &height, 1, 0, 0, INT32_MAX) ||
        !read_ids(c, &ids, &n, height))
        return;
    while (pos < n && !txid_equal(&ids[pos], &id))
        pos++;
    if (pos == n) {
        electrum_fail(c, ELECTRUM_BAD_REQUEST, "tx %s not in block at height %lld", txid_hex(&id).s, (long long)height);
    } else {
        jw_obj_begin(j);
        jw_kv_int(j, "block_height", height);
        write_merkle(j, ids, n, pos);
        jw_kv_uint(j, "pos", pos);
        jw_obj_end(j);
    }
    free(ids);
}

static void id_from_pos(struct electrum_call *c)
{
    struct json_writer *j = c->out;
    int64_t height, pos;
    struct txid *ids;
    bool merkle;
    size_t n;

    if (!electrum_int(c, &height, 0, 0, 0, INT32_MAX) || !electrum_int(c, &pos, 1, 0, 0, INT32_MAX) ||
        !electrum_flag(c, &merkle, 2) || !read_ids(c, &ids, &n, height))
        return;
    if ((size_t)pos >= n) {
        electrum_fail(c, ELECTRUM_BAD_REQUEST, "no tx at position %lld in block at height %lld", (long long)pos, (long long)height);
    } else if (!merkle) {
        jw_hash(j, ids[pos].b);
    } else {
        jw_obj_begin(j);
        jw_kv_hash(j, "tx_hash", ids[pos].b);
        write_merkle(j, ids, n, (size_t)pos);
        jw_obj_end(j);
    }
    free(ids);
}

/* ---- an output, as Fulcrum tells of it ---- */

static void utxo_info(struct electrum_call *c)
{
    struct json_object *params, *whole = NULL, *value = NULL, *script = NULL, *confirmations = NULL;
    struct writer w = WRITER_INIT;
    uint8_t id[32], *bytes;
    struct script_hash h;
    int64_t n, depth;
    size_t len;

    if (!electrum_hash(c, id, 0, "transaction hash") || !electrum_int(c, &n, 1, 0, 0, INT32_MAX))
        return;
    params = json_object_new_array();
    json_object_array_add(params, hex_of(id));
    json_object_array_add(params, json_object_new_int64(n));
    if (electrum_command(c, &w, "gettxout", params) == 0) {
        write_u8(&w, 0);
        whole = json_tokener_parse((const char *)w.data);
    }
    writer_clear(&w);
    if (!json_object_object_get_ex(whole, "value", &value) || !json_object_object_get_ex(whole, "confirmations", &confirmations) ||
        !json_object_object_get_ex(whole, "scriptPubKey", &script) || !json_object_object_get_ex(script, "hex", &script)) {
        jw_null(c->out);
        json_object_put(whole);
        return;
    }
    len = (size_t)json_object_get_string_len(script) / 2;
    bytes = xmalloc(len + 1);
    if (!hex_decode(bytes, len, json_object_get_string(script)))
        len = 0;
    h = script_hash_of(bytes, len);
    free(bytes);
    depth = json_object_get_int64(confirmations);
    jw_obj_begin(c->out);
    if (depth > 0)
        jw_kv_int(c->out, "confirmed_height", c->src->height(c->src->ctx) + 1 - depth);
    jw_kv_hash(c->out, "scripthash", h.bytes);
    jw_kv_int(c->out, "value", (int64_t)(json_object_get_double(value) * 1e8 + 0.5));
    jw_obj_end(c->out);
    json_object_put(whole);
}

/* ---- sending ---- */

/* rejected: what was. */
static void refuse(struct electrum_call *c, const char *rejected, const struct writer *why)
{
    electrum_fail(c, ELECTRUM_BAD_REQUEST, "the %s was rejected by network rules.\n\n%.*s", rejected,
                  (int)(why->len < 1000 ? why->len : 1000), why->len ? (const char *)why->data : "");
}

static void broadcast(struct electrum_call *c)
{
    struct json_object *params;
    struct writer w = WRITER_INIT;
    const char *hex;

    if (!electrum_text(c, &hex, 0))
        return;
    c->s->cost += (int64_t)strlen(hex) / 20;
    params = json_object_new_array();
    json_object_array_add(params, json_object_get(c->args[0]));
    if (electrum_command(c, &w, "sendrawtransaction", params) == 0)
        jw_raw(c->out, w.data, w.len);
    else
        refuse(c, "transaction", &w);
    writer_clear(&w);
}

static void write_package_errors(struct json_writer *j, struct json_object *results, const char *message)
{
    jw_key(j, "errors");
    jw_arr_begin(j);
    json_object_object_foreach(results, wtxid, result)
    {
        struct json_object *error, *id;
        (void)wtxid;
        if (!json_object_object_get_ex(result, "error", &error) || !json_object_object_get_ex(result, "txid", &id))
            continue;
        jw_obj_begin(j);
        jw_kv_str(j, "txid", json_object_get_string(id));
        jw_kv_str(j, "error", json_object_get_string(error));
        jw_obj_end(j);
        message = NULL;
    }
    if (message) { /* the package as such is at fault */
        jw_obj_begin(j);
        jw_key(j, "txid");
        jw_null(j);
        jw_kv_str(j, "error", message);
        jw_obj_end(j);
    }
    jw_arr_end(j);
}

static void write_package(struct electrum_call *c, const struct writer *answer)
{
    struct json_object *o = json_tokener_parse((const char *)answer->data), *message = NULL, *results = NULL;
    const char *text = "";

    if (json_object_object_get_ex(o, "package_msg", &message))
        text = json_object_get_string(message);
    jw_obj_begin(c->out);
    jw_kv_bool(c->out, "success", strcmp(text, "success") == 0);
    if (strcmp(text, "success") != 0 && json_object_object_get_ex(o, "tx-results", &results))
        write_package_errors(c->out, results, text);
    jw_obj_end(c->out);
    json_object_put(o);
}

static void broadcast_package(struct electrum_call *c)
{
    struct json_object *params;
    struct writer w = WRITER_INIT;
    bool verbose;

    if (!json_object_is_type(c->args[0], json_type_array)) {
        electrum_fail(c, ELECTRUM_BAD_REQUEST, "raw_txs should be a list of transactions");
        return;
    }
    if (!electrum_flag(c, &verbose, 1))
        return;
    c->s->cost += 2000 * (int64_t)json_object_array_length(c->args[0]);
    params = json_object_new_array();
    json_object_array_add(params, json_object_get(c->args[0]));
    if (electrum_command(c, &w, "submitpackage", params) != 0) {
        refuse(c, "tx package", &w);
    } else if (verbose) {
        jw_raw(c->out, w.data, w.len);
    } else {
        write_u8(&w, 0);
        write_package(c, &w);
    }
    writer_clear(&w);
}

const struct electrum_method electrum_tx_methods[] = {
    {.name = "blockchain.transaction.get", .params = "tx_hash,verbose", .required = 1, .run = get, .cost = 200},
    {.name = "blockchain.transaction.get_merkle", .params = "tx_hash,height", .required = 2, .run = get_merkle},
    {.name = "blockchain.transaction.id_from_pos", .params = "height,tx_pos,merkle", .required = 2, .run = id_from_pos},
    {.name = "blockchain.transaction.broadcast", .params = "raw_tx", .required = 1, .run = broadcast, .cost = 2000},
    {.name = "blockchain.transaction.broadcast_package",
     .since = ELECTRUM_1_6,
     .params = "raw_txs,verbose",
     .required = 1,
     .run = broadcast_package,
     .cost = 2000},
    {.name = "blockchain.utxo.get_info", .params = "tx_hash,out_n", .required = 2, .run = utxo_info, .cost = 200},
    {.name = NULL}};
