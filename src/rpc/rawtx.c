/* rawtx.c - commands that show transactions and scripts: getrawtransaction, decoderawtransaction, decodescript. */
#include <stdlib.h>

#include "chain/undo.h"
#include "crypto/hash.h"
#include "crypto/sha256.h"
#include "rpc/priv.h"
#include "script/script.h"

/* ---- getrawtransaction ---- */

struct pool_lookup {
    struct mempool *mempool;
    struct txid id;
    struct tx *tx; /* one reference, NULL if it is not there */
    int64_t vsize;
};

static void look_up_pool(void *arg)
{
    struct pool_lookup *l = arg;
    struct mempool_entry e;

    if (!mempool_get(l->mempool, &e, &l->id))
        return;
    l->tx = tx_ref(e.tx);
    l->vsize = e.vsize;
}

static void write_place(struct rpc_call *call, const struct block_entry *e)
{
    struct json_writer *j = &call->out;
    struct chain *c = call->host->chain;

    jw_kv_hash(j, "blockhash", e->node.hash.b);
    if (chain_contains(c, e)) {
        jw_kv_int(j, "confirmations", chain_height(c) - e->node.height + 1);
        jw_kv_uint(j, "time", e->node.time);
        jw_kv_uint(j, "blocktime", e->node.time);
    } else {
        jw_kv_int(j, "confirmations", 0);
    }
}

/* The coins that transaction i of a block spent. Returns: NULL with the error set if they cannot be read. */
static struct block_undo *read_spent(struct rpc_call *call, const struct block_entry *e, uint32_t i)
{
    struct block_undo *undo = NULL;

    if (chain_read_undo(call->host->chain, &undo, e) == RC_OK && i <= undo->n_tx)
        return undo;
    rpc_error(call, RPC_INTERNAL_ERROR,
              "Undo data expected but can't be read. This could be due to disk corruption or a conflict with a pruning event.");
    if (undo)
        block_undo_free(undo);
    return NULL;
}

/* A transaction of a block. i: its number in it, needed for verbosity 2. */
static void show_from_block(struct rpc_call *call, const struct block_entry *e, const struct tx *tx, uint32_t i, int verbosity)
{
    struct json_writer *j = &call->out;
    struct tx_view view = {.hex = true, .prevouts = true};
    struct block_undo *undo = NULL;
    struct entry_facts f;

    if (verbosity <= 0) {
        jw_hex(j, tx->raw, tx->raw_len);
        return;
    }
    chain_facts(call->host->chain, e, &f);
    if (verbosity >= 2 && i > 0 && (f.status & BLOCK_HAVE_UNDO)) {
        undo = read_spent(call, e, i);
        if (!undo)
            return;
        view.undo = &undo->tx[i - 1];
    }
    jw_obj_begin(j);
    if (rpc_has(call, 2))
        jw_kv_bool(j, "in_active_chain", f.active);
    jw_tx_members(j, call->host->params, tx, &view);
    write_place(call, e);
    jw_obj_end(j);
    if (undo)
        block_undo_free(undo);
}

static void find_in_block(struct rpc_call *call, const struct block_entry *e, const struct txid *id, int verbosity)
{
    struct block *b = NULL;
    struct entry_facts f;
    uint32_t i;

    chain_facts(call->host->chain, e, &f);
    if (!(f.status & BLOCK_HAVE_DATA) || chain_read_block(call->host->chain, &b, e) != RC_OK) {
        rpc_error(call, RPC_MISC_ERROR, "Block not available");
        return;
    }
    for (i = 0; i < b->n_tx && !txid_equal(&b->tx[i].txid, id); i++)
        ;
    if (i < b->n_tx)
        show_from_block(call, e, &b->tx[i], i, verbosity);
    else
        rpc_error(call, RPC_INVALID_ADDRESS_OR_KEY,
                  "No such transaction found in the provided block. Use gettransaction for wallet "
                  "transactions.");
    block_unref(b);
}

/* By the transaction index, in whatever block. */
static void find_by_index(struct rpc_call *call, const struct txid *id, int verbosity)
{
    struct tx_index *txs = call->host->txs;
    bool ready = index_wait(tx_index_base(txs), call->host->interrupt);
    const struct block_entry *e;
    struct tx *tx;

    if (tx_index_find(txs, &tx, &e, id) != RC_OK) {
        rpc_error(call, RPC_INVALID_ADDRESS_OR_KEY, "No such mempool %stransaction%s. Use gettransaction for wallet transactions.",
                  ready ? "or blockchain " : "",
                  ready ? "" : ". Blockchain transactions are still in the process of being indexed");
        return;
    }
    if (verbosity >= 2)
        find_in_block(call, e, id, verbosity); /* its coins are found by its number in the block */
    else
        show_from_block(call, e, tx, 0, verbosity);
    tx_unref(tx);
}

static void find_in_pool(struct rpc_call *call, const struct txid *id, int verbosity)
{
    struct pool_lookup l = {.mempool = call->host->mempool, .id = *id};
    struct tx_view view = {.hex = true};
    struct json_writer *j = &call->out;

    if (l.mempool && !rpc_on_validation(call, look_up_pool, &l))
        return;
    if (!l.tx && call->host->txs) {
        find_by_index(call, id, verbosity);
        return;
    }
    if (!l.tx) {
        rpc_error(call, RPC_INVALID_ADDRESS_OR_KEY,
                  "No such mempool transaction. Use -txindex or provide a block hash to enable blockchain "
                  "transaction queries. Use gettransaction for wallet transactions.");
        return;
    }
    if (verbosity <= 0) {
        jw_hex(j, l.tx->raw, l.tx->raw_len);
    } else {
        jw_obj_begin(j);
        jw_kv_int(j, "vsize_adjusted", l.vsize);
        jw_tx_members(j, call->host->params, l.tx, &view);
        jw_obj_end(j);
    }
    tx_unref(l.tx);
}

static void getrawtransaction(struct rpc_call *call)
{
    const struct block_entry *e = NULL;
    struct block_header genesis;
    struct block_hash hash;
    struct txid id;
    int verbosity;

    if (!rpc_hash(call, id.b, 0, "parameter 1"))
        return;
    block_header_decode(&genesis, call->host->params->genesis_header);
    if (memcmp(genesis.merkle_root.b, id.b, 32) == 0) {
        rpc_error(call, RPC_INVALID_ADDRESS_OR_KEY,
                  "The genesis block coinbase is not considered an ordinary transaction and cannot be "
                  "retrieved");
        return;
    }
    if (!rpc_verbosity(call, &verbosity, 1, 0, true))
        return;
    if (rpc_has(call, 2)) {
        if (!rpc_hash(call, hash.b, 2, "parameter 3"))
            return;
        e = chain_lookup(call->host->chain, &hash);
        if (!e) {
            rpc_error(call, RPC_INVALID_ADDRESS_OR_KEY, "Block hash not found");
            return;
        }
    }
    if (e)
        find_in_block(call, e, &id, verbosity);
    else
        find_in_pool(call, &id, verbosity);
}

/* ---- decoding ---- */

static void decoderawtransaction(struct rpc_call *call)
{
    struct tx_view view = {.hex = false};
    bool witness = true, given = rpc_has(call, 1);
    const char *hex;
    struct tx *tx;

    if (!rpc_text(call, &hex, 0, "") || !rpc_flag(call, &witness, 1, true))
        return;
    tx = rpc_decode_tx(hex, !given || !witness, !given || witness);
    if (!tx) {
        rpc_error(call, RPC_DESERIALIZATION_ERROR, "TX decode failed");
        return;
    }
    jw_obj_begin(&call->out);
    jw_tx_members(&call->out, call->host->params, tx, &view);
    jw_obj_end(&call->out);
    tx_unref(tx);
}

/* Opcodes that make a tapscript succeed whatever else it says (BIP342). */
static bool is_op_success(uint8_t op)
{
    return op == 80 || op == 98 || (op >= 126 && op <= 129) || (op >= 131 && op <= 134) || (op >= 137 && op <= 138) ||
           (op >= 141 && op <= 142) || (op >= 149 && op <= 153) || (op >= 187 && op <= 254);
}

static bool can_wrap(const uint8_t *script, size_t len, enum script_type type)
{
    const uint8_t *pos = script, *end = script + len, *data;
    uint8_t op;
    size_t n;

    switch (type) {
    case SCRIPT_NULLDATA:
    case SCRIPT_SCRIPTHASH:
    case SCRIPT_WITNESS_UNKNOWN:
    case SCRIPT_WITNESS_V1_TAPROOT:
    case SCRIPT_ANCHOR:
        return false;
    default:
        break;
    }
    if (script_is_unspendable(script, len))
        return false;
    while (script_next(&pos, end, &op, &data, &n)) {
        if (op >= OP_CHECKSIGADD || n > MAX_SCRIPT_ELEMENT_SIZE || is_op_success(op))
            return false;
    }
    return pos == end;
}

static bool can_wrap_witness(const struct script_solution *s)
{
    if (s->type == SCRIPT_MULTISIG || s->type == SCRIPT_PUBKEY) {
        for (unsigned i = 0; i < s->n; i++) {
            if (s->item_len[i] != 1 && s->item_len[i] != 33)
                return false;
        }
        return true;
    }
    return s->type == SCRIPT_NONSTANDARD || s->type == SCRIPT_PUBKEYHASH;
}

static void write_p2sh(struct rpc_call *call, const char *key, const uint8_t *script, size_t len)
{
    uint8_t out[23] = {OP_HASH160, 20};
    char *address;

    hash160(out + 2, script, len);
    out[22] = OP_EQUAL;
    address = address_encode(out, sizeof(out), &call->host->params->address);
    if (address)
        jw_kv_str(&call->out, key, address);
    free(address);
}

static void write_segwit(struct rpc_call *call, const struct script_solution *s, const uint8_t *script, size_t len)
{
    uint8_t program[34] = {OP_0};
    size_t program_len = 22;
    bool whole = s->type != SCRIPT_PUBKEY && s->type != SCRIPT_PUBKEYHASH;

    program[1] = 20;
    if (s->type == SCRIPT_PUBKEY) {
        hash160(program + 2, s->item[0], s->item_len[0]);
    } else if (s->type == SCRIPT_PUBKEYHASH) {
        memcpy(program + 2, s->item[0], 20);
    } else {
        program[1] = 32;
        sha256(program + 2, script, len);
        program_len = 34;
    }
    jw_key(&call->out, "segwit");
    jw_obj_begin(&call->out);
    jw_script_members(&call->out, call->host->params, program, program_len, true, whole ? script : NULL, len);
    write_p2sh(call, "p2sh-segwit", program, program_len);
    jw_obj_end(&call->out);
}

static void decodescript(struct rpc_call *call)
{
    struct script_solution s;
    const char *hex;
    uint8_t *script = NULL;
    size_t len = 0;

    if (!rpc_text(call, &hex, 0, "") || (*hex && !rpc_bytes_of(call, &script, &len, rpc_arg(call, 0), "argument")))
        return;
    if (!script)
        script = xmalloc(1);
    jw_obj_begin(&call->out);
    jw_script_members(&call->out, call->host->params, script, len, false, NULL, 0);
    script_solve(&s, script, len);
    if (can_wrap(script, len, s.type)) {
        write_p2sh(call, "p2sh", script, len);
        if (can_wrap_witness(&s))
            write_segwit(call, &s, script, len);
    }
    jw_obj_end(&call->out);
    free(script);
}

const struct rpc_command rpc_rawtx_commands[] = {
    {"rawtransactions", "getrawtransaction", getrawtransaction,
     RPC_PARAMS({"txid", RPC_HEX, RPC_REQUIRED, NULL, "The transaction id", NULL},
                {"verbosity|verbose", RPC_NUM, RPC_ANY_TYPE, "0",
                 "0 for hex-encoded data, 1 for a JSON object, and 2 for JSON object with fee and prevout", NULL},
                {"blockhash", RPC_HEX, 0, NULL, "The block in which to look for the transaction", NULL}),
     0,
     "By default, this call only returns a transaction if it is in the mempool. If -txindex is enabled\n"
     "and no blockhash argument is passed, it will return the transaction if it is in the mempool or any block.\n"
     "If a blockhash argument is passed, it will return the transaction if\n"
     "the specified block is available and the transaction is in that block.\n"},
    {"rawtransactions", "decoderawtransaction", decoderawtransaction,
     RPC_PARAMS({"hexstring", RPC_HEX, RPC_REQUIRED, NULL, "The transaction hex string", NULL},
                {"iswitness", RPC_BOOL, 0, "depends on heuristic tests",
                 "Whether the transaction hex is a serialized witness transaction.", NULL}),
     0, "Return a JSON object representing the serialized, hex-encoded transaction."},
    {"rawtransactions", "decodescript", decodescript,
     RPC_PARAMS({"hexstring", RPC_HEX, RPC_REQUIRED, NULL, "the hex-encoded script", NULL}), 0, "Decode a hex-encoded script.\n"},
    {NULL, NULL, NULL, NULL, 0, NULL}};
