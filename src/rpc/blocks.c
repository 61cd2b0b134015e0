/* blocks.c - commands that show headers and blocks. The short ones run on the loop thread; getblock reads the disk on the pool. */
#include <stdlib.h>

#include "chain/undo.h"
#include "rpc/server_priv.h"

#define ENVELOPE_ROOM 2048 /* of an answer with a block, besides what is kept of it */
/* An answer that shows transactions has about so many times the bytes of its block. */
#define TXS_GROWTH 7
#define PREVOUTS_GROWTH 9

#define BLOCKHASH_PARAM                                                                                                            \
    {                                                                                                                              \
        "blockhash", RPC_HEX, RPC_REQUIRED, NULL, "The block hash", NULL                                                           \
    }

struct hash_hex rpc_target_hex(uint32_t bits)
{
    return u256_hex(target_from_bits(bits, NULL, NULL));
}

static const struct block_entry *find_block(struct rpc_call *call, struct json_object *v, const char *name)
{
    struct block_hash hash;
    const struct block_entry *e;

    if (!rpc_hash_of(call, hash.b, v, name))
        return NULL;
    e = chain_lookup(call->host->chain, &hash);
    if (!e)
        rpc_error(call, RPC_INVALID_ADDRESS_OR_KEY, "Block not found");
    return e;
}

const struct block_entry *rpc_block_arg(struct rpc_call *call, size_t i, const char *name)
{
    return find_block(call, rpc_arg(call, i), name);
}

const struct block_entry *rpc_hash_or_height(struct rpc_call *call, struct json_object *v)
{
    const struct block_entry *tip = chain_tip(call->host->chain), *e;
    int64_t height;

    if (strcmp(rpc_type_name(v), "number") != 0)
        return find_block(call, v, "hash_or_height");
    if (!rpc_int_of(call, &height, v, INT32_MIN, INT32_MAX))
        return NULL;
    if (height < 0)
        rpc_error(call, RPC_INVALID_PARAMETER, "Target block height %lld is negative", (long long)height);
    else if (height > tip->node.height)
        rpc_error(call, RPC_INVALID_PARAMETER, "Target block height %lld after current tip %d", (long long)height,
                  tip->node.height);
    if (call->code)
        return NULL;
    e = chain_at(call->host->chain, (int32_t)height);
    return e ? e : entry_of(header_node_ancestor(&tip->node, (int32_t)height)); /* the chain got shorter just now */
}

bool rpc_has_data(struct rpc_call *call, const struct block_entry *e, bool undo)
{
    struct entry_facts f;

    chain_facts(call->host->chain, e, &f);
    if (f.status & (undo ? BLOCK_HAVE_UNDO : BLOCK_HAVE_DATA))
        return true;
    if (chain_pruned(call->host->chain) && f.n_tx > 0 && !(f.status & BLOCK_HAVE_DATA))
        return rpc_error(call, RPC_MISC_ERROR, "%s not available (pruned data)", undo ? "Undo data" : "Block");
    return rpc_error(call, RPC_MISC_ERROR, undo ? "Undo data not available" : "Block not available (not fully downloaded)");
}

void jw_header_members(struct json_writer *j, struct rpc_call *call, const struct block_entry *tip, const struct block_entry *e)
{
    const struct header_node *n = &e->node, *next = header_node_ancestor(&tip->node, n->height + 1);
    struct entry_facts f;
    int confirmations;

    if (next && next->prev == n) {
        confirmations = tip->node.height - n->height + 1;
    } else {
        next = NULL;
        confirmations = e == tip ? 1 : -1;
    }
    chain_facts(call->host->chain, e, &f);
    jw_kv_hash(j, "hash", n->hash.b);
    jw_kv_int(j, "confirmations", confirmations);
    jw_kv_int(j, "height", n->height);
    jw_kv_int(j, "version", n->version);
    jw_kv_hex32(j, "versionHex", (uint32_t)n->version);
    jw_kv_hash(j, "merkleroot", n->merkle_root.b);
    jw_kv_uint(j, "time", n->time);
    jw_kv_int(j, "mediantime", header_node_mtp(n));
    jw_kv_uint(j, "nonce", n->nonce);
    jw_kv_hex32(j, "bits", n->bits);
    jw_kv_str(j, "target", rpc_target_hex(n->bits).s);
    jw_kv_double(j, "difficulty", difficulty_from_bits(n->bits));
    jw_kv_str(j, "chainwork", u256_hex(n->chain_work).s);
    jw_kv_uint(j, "nTx", f.n_tx);
    if (n->prev)
        jw_kv_hash(j, "previousblockhash", n->prev->hash.b);
    if (next)
        jw_kv_hash(j, "nextblockhash", next->hash.b);
}

static void getblockcount(struct rpc_call *call)
{
    jw_int(&call->out, chain_height(call->host->chain));
}

static void getbestblockhash(struct rpc_call *call)
{
    jw_hash(&call->out, chain_tip(call->host->chain)->node.hash.b);
}

static void getdifficulty(struct rpc_call *call)
{
    jw_double(&call->out, difficulty_from_bits(chain_tip(call->host->chain)->node.bits));
}

static void getblockhash(struct rpc_call *call)
{
    const struct block_entry *e;
    int64_t height;

    if (!rpc_int(call, &height, 0, 0))
        return;
    e = height < 0 ? NULL : chain_at(call->host->chain, (int32_t)height);
    if (e)
        jw_hash(&call->out, e->node.hash.b);
    else
        rpc_error(call, RPC_INVALID_PARAMETER, "Block height out of range");
}

static void getblockheader(struct rpc_call *call)
{
    const struct block_entry *e, *tip = chain_tip(call->host->chain);
    bool verbose;

    e = rpc_block_arg(call, 0, "hash");
    if (!e || !rpc_flag(call, &verbose, 1, true))
        return;
    if (!verbose) {
        struct block_header h;
        uint8_t raw[BLOCK_HEADER_SIZE];
        header_node_header(&h, &e->node);
        block_header_encode(raw, &h);
        jw_hex(&call->out, raw, sizeof(raw));
        return;
    }
    jw_obj_begin(&call->out);
    jw_header_members(&call->out, call, tip, e);
    jw_obj_end(&call->out);
}

static void write_coinbase(struct json_writer *j, const struct tx *tx)
{
    jw_key(j, "coinbase_tx");
    jw_obj_begin(j);
    jw_kv_uint(j, "version", tx->version);
    jw_kv_uint(j, "locktime", tx->lock_time);
    jw_kv_uint(j, "sequence", tx->in[0].sequence);
    jw_kv_hex(j, "coinbase", tx->in[0].script, tx->in[0].script_len);
    if (tx->in[0].witness_count)
        jw_kv_hex(j, "witness", tx->in[0].witness[0].data, tx->in[0].witness[0].len);
    jw_obj_end(j);
}

static void write_txs(struct rpc_call *call, const struct block *b, const struct block_undo *undo, int verbosity)
{
    struct json_writer *j = &call->out;

    jw_key(j, "tx");
    jw_arr_begin(j);
    for (uint32_t i = 0; i < b->n_tx; i++) {
        struct tx_view view = {.prevouts = verbosity >= 3, .hex = true};
        if (undo && i > 0 && i - 1 < undo->n_tx)
            view.undo = &undo->tx[i - 1];
        jw_obj_begin(j);
        jw_tx_members(j, call->host->params, &b->tx[i], &view);
        jw_obj_end(j);
    }
    jw_arr_end(j);
}

/* ---- what was shown of a block a moment ago ---- */

static enum kept_form form_of(int verbosity, bool undo)
{
    return verbosity <= 1 ? KEPT_IDS : !undo ? KEPT_TXS : verbosity == 2 ? KEPT_TXS_FEES : KEPT_TXS_PREVOUTS;
}

/* The members behind the header's, from `from` on. */
static void keep_tail(struct rpc_call *call, const struct block_entry *e, enum kept_form form, size_t from)
{
    struct block_cache *c = call->server->blocks;
    size_t len = call->out.w.len - from;

    if (block_cache_wants(c, &e->node.hash, form, len))
        kept_unref(block_cache_add_take(c, &e->node.hash, form, xmemdup(call->out.w.data + from, len), len));
}

/* Returns: false if it was not kept. What is remembered of a block is no answer once its file is gone. */
static bool write_kept(struct rpc_call *call, const struct block_entry *e, int verbosity)
{
    struct json_writer *j = &call->out;
    struct entry_facts f;
    struct kept *k;
    bool undo;

    chain_facts(call->host->chain, e, &f);
    undo = verbosity > 1 && f.status & BLOCK_HAVE_UNDO;
    k = block_cache_find(call->server->blocks, &e->node.hash, form_of(verbosity, undo));
    if (k && !chain_files_exist(call->host->chain, e, undo)) {
        kept_unref(k);
        return false;
    }
    if (!k)
        return false;
    jw_room(j, k->len + ENVELOPE_ROOM);
    jw_obj_begin(j);
    jw_header_members(j, call, chain_tip(call->host->chain), e);
    write_bytes(&j->w, k->data, k->len);
    kept_unref(k);
    return true;
}

static void write_sizes(struct json_writer *j, uint32_t stripped_len, uint32_t len)
{
    jw_kv_uint(j, "strippedsize", stripped_len);
    jw_kv_uint(j, "size", len);
    jw_kv_int(j, "weight", 3LL * stripped_len + len);
}

/* The ids of its transactions. */
static bool write_brief(struct rpc_call *call, const struct block_entry *e, const uint8_t *raw, size_t len)
{
    const struct block_entry *tip = chain_tip(call->host->chain);
    struct json_writer *j = &call->out;
    struct block_outline o;
    size_t tail;

    if (!block_outline_read(&o, raw, len))
        return rpc_error(call, RPC_MISC_ERROR, "Block not found on disk");
    jw_obj_begin(j);
    jw_header_members(j, call, tip, e);
    tail = j->w.len;
    write_sizes(j, o.stripped_len, o.raw_len);
    write_coinbase(j, &o.coinbase);
    jw_key(j, "tx");
    jw_arr_begin(j);
    for (uint32_t i = 0; i < o.n_tx; i++)
        jw_hash(j, o.txid[i].b);
    jw_arr_end(j);
    jw_obj_end(j);
    keep_tail(call, e, KEPT_IDS, tail);
    block_outline_clear(&o);
    return true;
}

static void write_block(struct rpc_call *call, const struct block_entry *e, const struct block *b, int verbosity)
{
    const struct block_entry *tip = chain_tip(call->host->chain);
    struct json_writer *j = &call->out;
    struct block_undo *undo = NULL;
    struct entry_facts f;
    size_t tail;

    chain_facts(call->host->chain, e, &f);
    if ((f.status & BLOCK_HAVE_UNDO) && chain_read_undo(call->host->chain, &undo, e) != RC_OK) {
        rpc_error(call, RPC_INTERNAL_ERROR,
                  "Undo data expected but can't be read. This could be due to disk corruption or a conflict with a "
                  "pruning event.");
        return;
    }
    jw_room(j, b->raw_len * (size_t)(verbosity == 2 ? TXS_GROWTH : PREVOUTS_GROWTH) + ENVELOPE_ROOM);
    jw_obj_begin(j);
    jw_header_members(j, call, tip, e);
    tail = j->w.len;
    write_sizes(j, b->stripped_len, b->raw_len);
    write_coinbase(j, &b->tx[0]);
    write_txs(call, b, undo, verbosity);
    jw_obj_end(j);
    keep_tail(call, e, form_of(verbosity, undo != NULL), tail);
    if (undo)
        block_undo_free(undo);
}

void rpc_write_block(struct rpc_call *call, const struct block_entry *e, int verbosity)
{
    struct block *b;
    uint8_t *raw;
    size_t len;

    verbosity = verbosity > 3 ? 3 : verbosity;
    if (verbosity >= 1 && write_kept(call, e, verbosity))
        return;
    if (chain_read_raw(call->host->chain, &raw, &len, e) != RC_OK) {
        rpc_error(call, RPC_MISC_ERROR, "Block not found on disk");
        return;
    }
    if (verbosity <= 1) {
        if (verbosity == 1)
            write_brief(call, e, raw, len);
        else
            jw_hex(&call->out, raw, len);
        free(raw);
        return;
    }
    b = block_decode(raw, len);
    if (b && b->n_tx)
        write_block(call, e, b, verbosity);
    else
        rpc_error(call, RPC_MISC_ERROR, "Block not found on disk");
    block_unref(b);
}

static void getblock(struct rpc_call *call)
{
    const struct block_entry *e;
    struct block_hash hash;
    int verbosity;

    /* the hash is looked at first, as its error comes first */
    if (!rpc_hash(call, hash.b, 0, "blockhash") || !rpc_verbosity(call, &verbosity, 1, 1, true))
        return;
    e = rpc_block_arg(call, 0, "blockhash");
    if (e && rpc_has_data(call, e, false))
        rpc_write_block(call, e, verbosity);
}

const struct rpc_command rpc_block_commands[] = {
    {"blockchain", "getblockcount", getblockcount, NULL, RPC_INLINE | RPC_ANYWHERE,
     "Returns the height of the most-work fully-validated chain.\nThe genesis block has height 0.\n"},
    {"blockchain", "getbestblockhash", getbestblockhash, NULL, RPC_INLINE | RPC_ANYWHERE,
     "Returns the hash of the best (tip) block in the most-work fully-validated chain.\n"},
    {"blockchain", "getblock", getblock,
     RPC_PARAMS(BLOCKHASH_PARAM,
                {"verbosity|verbose", RPC_NUM, RPC_ANY_TYPE, "1",
                 "0 for hex-encoded data, 1 for a JSON object, 2 for JSON object with transaction data, and 3 for JSON object "
                 "with transaction data including prevout information for inputs",
                 NULL}),
     RPC_BUSY,
     "If verbosity is 0, returns a string that is serialized, hex-encoded data for block 'hash'.\n"
     "If verbosity is 1, returns an Object with information about block <hash>.\n"
     "If verbosity is 2, returns an Object with information about block <hash> and information about each transaction.\n"
     "If verbosity is 3, returns an Object with information about block <hash> and information about each transaction, including "
     "prevout "
     "information for inputs (only for unpruned blocks in the current best chain).\n"},
    {"blockchain", "getblockhash", getblockhash, RPC_PARAMS({"height", RPC_NUM, RPC_REQUIRED, NULL, "The height index", NULL}),
     RPC_INLINE | RPC_ANYWHERE, "Returns hash of block in best-block-chain at height provided.\n"},
    {"blockchain", "getblockheader", getblockheader,
     RPC_PARAMS(BLOCKHASH_PARAM, {"verbose", RPC_BOOL, 0, "true", "true for a json object, false for the hex-encoded data", NULL}),
     RPC_INLINE | RPC_ANYWHERE,
     "If verbose is false, returns a string that is serialized, hex-encoded data for blockheader 'hash'.\n"
     "If verbose is true, returns an Object with information about blockheader <hash>.\n"},
    {"blockchain", "getdifficulty", getdifficulty, NULL, RPC_INLINE | RPC_ANYWHERE,
     "Returns the proof-of-work difficulty as a multiple of the minimum difficulty.\n"},
    {NULL, NULL, NULL, NULL, 0, NULL}};
