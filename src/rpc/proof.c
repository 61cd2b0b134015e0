/* proof.c - gettxoutproof and verifytxoutproof: a block's header with a partial Merkle tree (BIP37 merkleblock). Pool threads. */
#include <stdlib.h>

#include "consensus/merkle_block.h"
#include "rpc/priv.h"

struct coin_search {
    struct chain *chain;
    const struct txid *ids;
    size_t n;
    int64_t height; /* -1: none found */
};

/* An unspent output tells which block its transaction is in. */
static void find_unspent(void *arg)
{
    struct coin_search *s = arg;
    struct arena arena = ARENA_INIT;
    struct coin c;

    for (size_t i = 0; i < s->n && s->height < 0; i++) {
        struct outpoint o = {.txid = s->ids[i]};
        for (o.n = 0; o.n < MAX_BLOCK_WEIGHT / (9 * WITNESS_SCALE_FACTOR) && s->height < 0; o.n++) {
            if (chain_get_coin(s->chain, &c, &o, &arena) == RC_OK)
                s->height = c.height;
            if (arena.total > 1000000)
                arena_clear(&arena);
        }
    }
    arena_clear(&arena);
}

static bool read_ids(struct rpc_call *call, struct txid *ids, struct json_object *list)
{
    size_t n = json_object_array_length(list);

    if (n == 0)
        return rpc_error(call, RPC_INVALID_PARAMETER, "Parameter 'txids' cannot be empty");
    for (size_t i = 0; i < n; i++) {
        struct json_object *v = json_object_array_get_idx(list, i);
        if (!rpc_hash_of(call, ids[i].b, v, "txid"))
            return false;
        for (size_t k = 0; k < i; k++) {
            if (txid_equal(&ids[i], &ids[k]))
                return rpc_error(call, RPC_INVALID_PARAMETER, "Invalid parameter, duplicated txid: %s", json_object_get_string(v));
        }
    }
    return true;
}

/* Core asks its index for the smallest id. */
static const struct block_entry *find_indexed(struct rpc_call *call, const struct txid *ids, size_t n)
{
    const struct block_entry *e = NULL;
    const struct txid *first = ids;
    struct tx *tx;

    for (size_t i = 1; i < n; i++)
        if (memcmp(ids[i].b, first->b, 32) < 0)
            first = &ids[i];
    index_wait(tx_index_base(call->host->txs), call->host->interrupt);
    if (tx_index_find(call->host->txs, &tx, &e, first) != RC_OK)
        return NULL;
    tx_unref(tx);
    return e;
}

static const struct block_entry *find_block(struct rpc_call *call, const struct txid *ids, size_t n)
{
    struct coin_search s = {.chain = call->host->chain, .ids = ids, .n = n, .height = -1};
    const struct block_entry *e;

    if (rpc_has(call, 1))
        return rpc_block_arg(call, 1, "blockhash");
    if (!rpc_on_validation(call, find_unspent, &s))
        return NULL;
    e = s.height >= 0 ? chain_at(call->host->chain, (int32_t)s.height) : NULL;
    if (!e && call->host->txs)
        e = find_indexed(call, ids, n);
    if (!e)
        rpc_error(call, RPC_INVALID_ADDRESS_OR_KEY, "Transaction not yet in block");
    return e;
}

static void prove(struct rpc_call *call, const struct block_entry *e, const struct txid *ids, size_t n)
{
    struct block *b = NULL;
    struct writer w = WRITER_INIT;
    size_t found = 0;
    bool *match;

    if (!rpc_has_data(call, e, false))
        return;
    if (chain_read_block(call->host->chain, &b, e) != RC_OK) {
        rpc_error(call, RPC_INTERNAL_ERROR, "Can't read block from disk");
        return;
    }
    match = xcalloc(b->n_tx, sizeof(bool));
    for (uint32_t i = 0; i < b->n_tx; i++) {
        for (size_t k = 0; k < n && !match[i]; k++)
            match[i] = txid_equal(&b->tx[i].txid, &ids[k]);
        found += match[i];
    }
    if (found == n) {
        merkle_block_encode(&w, b, match);
        jw_hex(&call->out, w.data, w.len);
        writer_clear(&w);
    } else {
        rpc_error(call, RPC_INVALID_ADDRESS_OR_KEY, "Not all transactions found in specified or retrieved block");
    }
    free(match);
    block_unref(b);
}

static void gettxoutproof(struct rpc_call *call)
{
    struct json_object *list = rpc_arg(call, 0);
    size_t n = json_object_array_length(list);
    struct txid *ids = xcalloc(n + 1, sizeof(*ids));
    const struct block_entry *e = NULL;

    if (read_ids(call, ids, list) && (e = find_block(call, ids, n)))
        prove(call, e, ids, n);
    free(ids);
}

/* ---- verifying ---- */

static void verifytxoutproof(struct rpc_call *call)
{
    struct writer ids = WRITER_INIT;
    struct block_header header;
    struct block_hash hash;
    const struct block_entry *e;
    struct entry_facts f;
    enum merkle_block_result result;
    uint8_t *proof;
    uint32_t n_tx;
    size_t len;

    if (!rpc_bytes_of(call, &proof, &len, rpc_arg(call, 0), "proof"))
        return;
    jw_arr_begin(&call->out);
    result = merkle_block_check(&header, &n_tx, &ids, proof, len);
    if (result == MERKLE_BLOCK_MALFORMED)
        rpc_error(call, RPC_MISC_ERROR, "SpanReader::read(): end of data: iostream error");
    if (result == MERKLE_BLOCK_WRONG &&
        hash_is_zero(header.merkle_root.b)) /* what Core finds in such a tree is the root that is given */
        rpc_error(call, RPC_INVALID_ADDRESS_OR_KEY, "Block not found in chain");
    if (result == MERKLE_BLOCK_VALID) {
        block_header_hash(&hash, &header);
        e = chain_lookup(call->host->chain, &hash);
        memset(&f, 0, sizeof(f));
        if (e)
            chain_facts(call->host->chain, e, &f);
        if (!e || !f.active || f.n_tx == 0)
            rpc_error(call, RPC_INVALID_ADDRESS_OR_KEY, "Block not found in chain");
        for (size_t i = 0; f.n_tx == n_tx && i < ids.len / 32; i++)
            jw_hash(&call->out, ids.data + 32 * i);
    }
    jw_arr_end(&call->out);
    writer_clear(&ids);
    free(proof);
}

const struct rpc_command rpc_proof_commands[] = {
    {"blockchain", "gettxoutproof", gettxoutproof,
     RPC_PARAMS({"txids", RPC_ARR, RPC_REQUIRED, NULL, "The txids to filter", "[\"txid\",...]"},
                {"blockhash", RPC_HEX, 0, NULL, "If specified, looks for txid in the block with this hash", NULL}),
     0,
     "Returns a hex-encoded proof that \"txid\" was included in a block.\n"
     "\nNOTE: By default this function only works sometimes. This is when there is an\n"
     "unspent output in the utxo for this transaction. To make it always work,\n"
     "you need to maintain a transaction index, using the -txindex command line option or\n"
     "specify the block in which the transaction is included manually (by blockhash).\n"},
    {"blockchain", "verifytxoutproof", verifytxoutproof,
     RPC_PARAMS({"proof", RPC_HEX, RPC_REQUIRED, NULL, "The hex-encoded proof generated by gettxoutproof", NULL}), 0,
     "Verifies that a proof points to a transaction in a block, returning the transaction it commits to\n"
     "and throwing an RPC error if the block is not in our best chain\n"},
    {NULL, NULL, NULL, NULL, 0, NULL}};
