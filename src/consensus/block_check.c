/* block_check.c - the rules of a block that need no coins: alone, and at its height. Called once when a block is accepted; pure, any
 * thread. */
#include "commitment.h"
#include "script/script.h"
#include "tx_sigops.h"

static bool check_block_shape(const struct block *b, struct verdict *v)
{
    if (b->n_tx == 0 || (int64_t)b->n_tx * WITNESS_SCALE_FACTOR > MAX_BLOCK_WEIGHT ||
        (int64_t)b->stripped_len * WITNESS_SCALE_FACTOR > MAX_BLOCK_WEIGHT)
        return verdict_invalid(v, BLOCK_CONSENSUS, "bad-blk-length", "size limits failed");
    if (!tx_is_coinbase(&b->tx[0]))
        return verdict_invalid(v, BLOCK_CONSENSUS, "bad-cb-missing", "first tx is not coinbase");
    for (uint32_t i = 1; i < b->n_tx; i++) {
        if (tx_is_coinbase(&b->tx[i]))
            return verdict_invalid(v, BLOCK_CONSENSUS, "bad-cb-multiple", "more than one coinbase");
    }
    return true;
}

static bool check_block_txs(const struct block *b, struct verdict *v)
{
    int64_t sigops = 0;
    for (uint32_t i = 0; i < b->n_tx; i++) {
        struct verdict t;
        verdict_init(&t);
        if (!check_transaction(&b->tx[i], &t))
            return verdict_invalid(v, BLOCK_CONSENSUS, t.reason, "Transaction check failed (tx hash %s) %s",
                                   txid_hex(&b->tx[i].txid).s, t.debug);
    }
    /* Less than the block really has: P2SH and witnesses are counted when their coins are known. */
    for (uint32_t i = 0; i < b->n_tx; i++)
        sigops += tx_legacy_sigops(&b->tx[i]);
    if (sigops * WITNESS_SCALE_FACTOR > MAX_BLOCK_SIGOPS_COST)
        return verdict_invalid(v, BLOCK_CONSENSUS, "bad-blk-sigops", "out-of-bounds SigOpCount");
    return true;
}

bool check_block(const struct chain_params *p, const struct block *b, bool check_pow, bool check_merkle, struct verdict *v)
{
    if (check_pow && !check_proof_of_work(p, &b->hash, b->header.bits))
        return verdict_invalid(v, BLOCK_INVALID_HEADER, "high-hash", "proof of work failed");
    if (p->signet && check_pow && !check_signet_solution(p, b))
        return verdict_invalid(v, BLOCK_CONSENSUS, "bad-signet-blksig", "signet block signature validation failure");
    /* Whether the data belong to the header comes before all rules about the data: else a peer could make us refuse a good header by
     * sending wrong transactions for it. */
    if (check_merkle && !check_merkle_root(b, v))
        return false;
    return check_block_shape(b, v) && check_block_txs(b, v);
}

/* BIP34: the coinbase starts with a push of the height. */
static bool coinbase_has_height(const struct tx *coinbase, int32_t height)
{
    struct writer w = WRITER_INIT;
    bool ok;
    script_write_int(&w, height);
    ok = coinbase->in[0].script_len >= w.len && memcmp(coinbase->in[0].script, w.data, w.len) == 0;
    writer_clear(&w);
    return ok;
}

bool check_block_at(const struct chain_params *p, const struct block *b, int32_t height, int64_t prev_mtp, struct verdict *v)
{
    int64_t now = height >= p->buried[DEPLOYMENT_CSV] ? prev_mtp : (int64_t)b->header.time; /* BIP113 */
    for (uint32_t i = 0; i < b->n_tx; i++) {
        if (!is_final_tx(&b->tx[i], height, now))
            return verdict_invalid(v, BLOCK_CONSENSUS, "bad-txns-nonfinal", "non-final transaction");
    }
    if (height >= p->buried[DEPLOYMENT_BIP34] && !coinbase_has_height(&b->tx[0], height))
        return verdict_invalid(v, BLOCK_CONSENSUS, "bad-cb-height", "block height mismatch in coinbase");
    if (!check_witness_commitment(b, height >= p->buried[DEPLOYMENT_SEGWIT], v))
        return false;
    /* Only now, as too much weight in an uncommitted witness would not be the header's fault. */
    if (block_weight(b) > MAX_BLOCK_WEIGHT)
        return verdict_invalid(v, BLOCK_CONSENSUS, "bad-blk-weight", "ContextualCheckBlock : weight limit failed");
    return true;
}

bool check_block_context(const struct chain_params *p, const struct block *b, const struct header_node *prev, struct verdict *v)
{
    return check_block_at(p, b, prev ? prev->height + 1 : 0, prev ? header_node_mtp(prev) : 0, v);
}
