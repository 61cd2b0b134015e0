/* disconnect.c - takes a block that is on disk back out of the coins. Called by reorganisations, invalidation, replay and
 * verification, on the validation thread. */
#include "chain/internal.h"

#include "util/assert.h"

/* Does the coin that was there equal the output that the block made? */
static bool same_output(const struct coin *c, const struct tx_out *out, int32_t height, bool coinbase)
{
    return c->out.value == out->value && c->out.script_len == out->script_len &&
           (!out->script_len || memcmp(c->out.script, out->script, out->script_len) == 0) && c->height == (uint32_t)height &&
           c->coinbase == coinbase;
}

static enum disconnect_result take_outputs(struct coins *coins, const struct block_entry *e, const struct tx *tx, bool coinbase,
                                           struct bytes_mem *mem)
{
    /* The coins of two early coinbases were overwritten later: their blocks cannot find them. */
    bool lenient = coinbase && bip30_is_unspendable(e->node.height, &e->node.hash);
    enum disconnect_result result = DISCONNECT_OK;
    struct outpoint o = {tx->txid, 0};

    for (; o.n < tx->n_out; o.n++) {
        const struct tx_out *out = &tx->out[o.n];
        struct coin coin;
        enum rc rc;

        if (script_is_unspendable(out->script, out->script_len))
            continue;
        rc = coins_spend(coins, &coin, &o, mem);
        if (rc != RC_OK && rc != RC_NOT_FOUND)
            return DISCONNECT_FAILED;
        if ((rc == RC_NOT_FOUND || !same_output(&coin, out, e->node.height, coinbase)) && !lenient)
            result = DISCONNECT_UNCLEAN;
    }
    return result;
}

/* Records of versions before 0.15 name height and coinbase only once for a transaction: an output that is still there knows. */
static bool find_origin(struct coins *coins, struct coin *coin, const struct txid *txid, struct bytes_mem *mem)
{
    struct outpoint o = {*txid, 0};
    struct coin other;

    for (; o.n < MAX_BLOCK_WEIGHT / 36; o.n++) {
        if (coins_get(coins, &other, &o, mem, false) != RC_OK)
            continue;
        coin->height = other.height;
        coin->coinbase = other.coinbase;
        return true;
    }
    return false;
}

static enum disconnect_result put_inputs(struct coins *coins, const struct tx *tx, const struct tx_undo *undo,
                                         struct bytes_mem *mem)
{
    enum disconnect_result result = DISCONNECT_OK;

    if (undo->n != tx->n_in) {
        log_error("DisconnectBlock(): transaction and undo data inconsistent");
        return DISCONNECT_FAILED;
    }
    for (uint32_t j = tx->n_in; j-- > 0;) {
        const struct outpoint *o = tx->in[j].prevout;
        struct coin coin = undo->coin[j];
        bool have;

        if (coins_have(coins, &have, o) != RC_OK)
            return DISCONNECT_FAILED;
        if (have)
            result = DISCONNECT_UNCLEAN;
        if (coin.height == 0 && !find_origin(coins, &coin, &o->txid, mem))
            return DISCONNECT_FAILED;
        coins_add(coins, o, &coin, have);
    }
    return result;
}

static enum disconnect_result undo_block(struct coins *coins, const struct block_entry *e, const struct block *b,
                                         const struct block_undo *undo, struct bytes_mem *mem)
{
    enum disconnect_result result = DISCONNECT_OK, r;

    if (undo->n_tx + 1 != b->n_tx) {
        log_error("DisconnectBlock(): block and undo data inconsistent");
        return DISCONNECT_FAILED;
    }
    for (uint32_t i = b->n_tx; i-- > 0;) {
        r = take_outputs(coins, e, &b->tx[i], i == 0, mem);
        if (r == DISCONNECT_FAILED)
            return r;
        if (r == DISCONNECT_UNCLEAN)
            result = r;
        if (i == 0)
            break;
        r = put_inputs(coins, &b->tx[i], &undo->tx[i - 1], mem);
        if (r == DISCONNECT_FAILED)
            return r;
        if (r == DISCONNECT_UNCLEAN)
            result = r;
        bytes_mem_reset(mem);
    }
    return result;
}

enum disconnect_result disconnect_block(struct chain *c, struct coins *coins, const struct block_entry *e, const struct block *b)
{
    struct bytes_mem mem = {0};
    struct block_undo *undo;
    enum disconnect_result result;
    enum rc rc = chain_read_undo(c, &undo, e);

    if (rc != RC_OK) {
        log_error("DisconnectBlock(): failure reading undo data");
        return DISCONNECT_FAILED;
    }
    result = undo_block(coins, e, b, undo, &mem);
    block_undo_free(undo);
    bytes_mem_clear(&mem);
    return result;
}

/* The record is read twice, but a reorganisation is seldom, and without this look the coins would be left half changed. */
static bool undo_readable(struct chain *c, const struct block_entry *e)
{
    struct block_undo *undo;

    if (chain_read_undo(c, &undo, e) != RC_OK) {
        log_error("DisconnectBlock(): failure reading undo data");
        return false;
    }
    block_undo_free(undo);
    return true;
}

enum rc disconnect_tip(struct chain *c)
{
    struct block_entry *tip = tip_of(c);
    struct block *b;
    enum rc rc;

    ASSERT(!c->first && tip == c->head && tip->node.prev);
    if (tip == assumed_base(c)) {
        log_error("DisconnectTip(): nothing is known below the snapshot's block %s", block_hash_hex(&tip->node.hash).s);
        return RC_NOT_FOUND;
    }
    if (!(tip->status & BLOCK_HAVE_DATA) || !(tip->status & BLOCK_HAVE_UNDO)) {
        log_error("DisconnectTip(): block %s or its undo data are pruned", block_hash_hex(&tip->node.hash).s);
        return RC_NOT_FOUND;
    }
    rc = chain_read_block(c, &b, tip);
    if (rc == RC_OK && !undo_readable(c, tip)) {
        log_error("DisconnectTip(): DisconnectBlock %s failed", block_hash_hex(&tip->node.hash).s);
        block_unref(b);
        c->intact = !c->broken;
        return fatal(c, RC_CORRUPT, "Failed to disconnect block.");
    }
    if (rc != RC_OK) {
        log_error("DisconnectTip(): Failed to read block");
        return fatal(c, rc, "Failed to disconnect block.");
    }
    if (disconnect_block(c, c->coins, tip, b) != DISCONNECT_OK) {
        log_error("DisconnectTip(): DisconnectBlock %s failed", block_hash_hex(&tip->node.hash).s);
        block_unref(b);
        return fatal(c, RC_CORRUPT, "Failed to disconnect block.");
    }
    if (!c->step_tip)
        c->step_tip = tip;
    active_pop(c);
    c->head = tip_of(c);
    log_update_tip(c, c->head);
    if (c->o.events.block_disconnected) {
        c->in_event++;
        c->o.events.block_disconnected(c->o.events.ctx, tip, b);
        c->in_event--;
    }
    block_unref(b);
    return flush_wanted(c) ? flush_state(c, FLUSH_IF_NEEDED, 0) : RC_OK;
}
