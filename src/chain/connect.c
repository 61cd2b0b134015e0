/* connect.c - applies a block to the coins with every rule but the scripts, and takes it back from memory. Validation thread. */
#include "chain/internal.h"

#include <stdio.h>

/* BIP68 asks for the time of a coin's block: an ancestor of the block being connected, whatever the active chain is. */
static int64_t mtp_before(void *ctx, uint32_t coin_height)
{
    const struct header_node *prev = ctx;
    int32_t height = coin_height > 0 ? (int32_t)coin_height - 1 : 0;
    const struct header_node *n = header_node_ancestor(prev, height);

    return n ? header_node_mtp(n) : 0;
}

/* BIP30: no output may overwrite an unspent one. Where every block names its height in the coinbase (BIP34 from block 1 on), no
 * two coinbases of a branch are alike, hence no two transactions, and the search could find nothing. */
static enum connect_result check_bip30(struct chain *c, struct coins *coins, const struct block *b, const struct header_node *n,
                                       struct verdict *v)
{
    if (c->params->buried[DEPLOYMENT_BIP34] <= 1 || !bip30_applies(c->params, n))
        return CONNECT_OK;
    for (uint32_t i = 0; i < b->n_tx; i++) {
        struct outpoint o = {b->tx[i].txid, 0};

        for (; o.n < b->tx[i].n_out; o.n++) {
            bool have;
            enum rc rc = coins_have(coins, &have, &o);

            if (rc != RC_OK) {
                verdict_internal(v, "Error reading from database: %s", rc_name(rc));
                return CONNECT_ERROR;
            }
            if (have) {
                verdict_invalid(v, BLOCK_CONSENSUS, "bad-txns-BIP30", "tried to overwrite transaction");
                return CONNECT_INVALID;
            }
        }
    }
    return CONNECT_OK;
}

static void add_outputs(struct coins *coins, const struct tx *tx, uint32_t height, bool coinbase)
{
    struct outpoint o = {tx->txid, 0};
    struct coin coin = {.height = height, .coinbase = coinbase};

    for (; o.n < tx->n_out; o.n++) {
        coin.out = tx->out[o.n];
        /* A coinbase may overwrite an older one in the blocks that BIP30 excepts. */
        if (!script_is_unspendable(coin.out.script, coin.out.script_len))
            coins_add(coins, &o, &coin, coinbase);
    }
}

static void remove_outputs(struct coins *coins, const struct tx *tx)
{
    struct outpoint o = {tx->txid, tx->n_out};

    while (o.n-- > 0)
        if (!script_is_unspendable(tx->out[o.n].script, tx->out[o.n].script_len))
            coins_spend(coins, NULL, &o, NULL);
}

/* Puts the first n inputs of a transaction back. A coin that is not even a tombstone never was in the base. */
static void restore_inputs(struct coins *coins, const struct tx *tx, const struct coin *spent, uint32_t n)
{
    while (n-- > 0)
        coins_add(coins, tx->in[n].prevout, &spent[n], false);
}

void connect_revert(struct coins *coins, struct inflight *p)
{
    const struct block *b = p->block;

    while (p->n_applied > 0) {
        uint32_t i = --p->n_applied;

        remove_outputs(coins, &b->tx[i]);
        if (i > 0)
            restore_inputs(coins, &b->tx[i], p->coins + p->first_in[i], b->tx[i].n_in);
    }
}

static enum connect_result spend_inputs(struct coins *coins, struct inflight *p, uint32_t i, struct verdict *v)
{
    const struct tx *tx = &p->block->tx[i];
    struct coin *coin = p->coins + p->first_in[i];
    struct tx_out *spent = p->spent + p->first_in[i];
    enum rc rc;

    for (uint32_t j = 0; j < tx->n_in; j++) {
        rc = coins_spend(coins, &coin[j], tx->in[j].prevout, &p->scripts);
        if (rc == RC_OK) {
            spent[j] = coin[j].out;
            continue;
        }
        restore_inputs(coins, tx, coin, j);
        if (rc == RC_NOT_FOUND) {
            verdict_invalid(v, BLOCK_CONSENSUS, "bad-txns-inputs-missingorspent",
                            "CheckTxInputs: inputs missing/spent in transaction %s", txid_hex(&tx->txid).s);
            return CONNECT_INVALID;
        }
        verdict_internal(v, "Error reading from database: %s", rc_name(rc));
        return CONNECT_ERROR;
    }
    return CONNECT_OK;
}

static enum connect_result connect_tx(struct coins *coins, struct inflight *p, struct block_connect *bc, uint32_t i,
                                      struct verdict *v)
{
    const struct tx *tx = &p->block->tx[i];
    struct coin *coin = p->coins ? p->coins + p->first_in[i] : NULL; /* a block of a coinbase alone spends none */

    if (i > 0) {
        enum connect_result r = spend_inputs(coins, p, i, v);
        if (r != CONNECT_OK)
            return r;
    }
    if (!block_connect_tx(bc, i, i ? coin : NULL, i ? p->spent + p->first_in[i] : NULL, v)) {
        if (i > 0)
            restore_inputs(coins, tx, coin, tx->n_in);
        return CONNECT_INVALID;
    }
    add_outputs(coins, tx, (uint32_t)bc->height, i == 0);
    p->n_applied = i + 1;
    return CONNECT_OK;
}

/* Where the table is going to be looked at for a transaction that comes soon. */
static void touch_tx(const struct coins *coins, const struct block *b, uint32_t i)
{
    const struct tx *tx;
    struct outpoint o;

    if (i >= b->n_tx)
        return;
    tx = &b->tx[i];
    for (uint32_t j = 0; j < tx->n_in && j < 8; j++)
        coins_touch(coins, tx->in[j].prevout);
    o.txid = tx->txid;
    for (o.n = 0; o.n < tx->n_out && o.n < 4; o.n++)
        coins_touch(coins, &o);
}

/* The table was looked at before: now the records. */
static void touch_records(const struct coins *coins, const struct block *b, uint32_t i)
{
    if (i < b->n_tx)
        for (uint32_t j = 0; j < b->tx[i].n_in && j < 8; j++)
            coins_touch_record(coins, b->tx[i].in[j].prevout);
}

enum connect_result connect_block(struct chain *c, struct coins *coins, struct inflight *p, const struct header_node *n,
                                  uint32_t flags, struct verdict *v)
{
    const struct block *b = p->block;
    struct sequence_source seq = {.ctx = (void *)(uintptr_t)n->prev, .mtp_before = mtp_before};
    enum connect_result r = check_bip30(c, coins, b, n, v);
    struct block_connect bc;

    p->n_applied = 0;
    if (r != CONNECT_OK)
        return r;
    inflight_reserve(p, b);
    fetch_coins(c, coins, b);
    block_connect_init(&bc, c->params, b, n->height, header_node_mtp(n->prev), flags, &seq);
    for (uint32_t i = 0; i < b->n_tx && r == CONNECT_OK; i++) {
        touch_tx(coins, b, i + 6);
        touch_records(coins, b, i + 3);
        r = connect_tx(coins, p, &bc, i, v);
    }
    if (r == CONNECT_OK && !block_connect_finish(&bc, v))
        r = CONNECT_INVALID;
    if (r != CONNECT_OK)
        connect_revert(coins, p);
    return r;
}

void script_verdict(const struct inflight *p, struct verdict *v)
{
    uint32_t i = (uint32_t)(p->job.fail_at >> 32), in = (uint32_t)p->job.fail_at;
    const struct tx *tx = &p->block->tx[i];
    char reason[160];

    snprintf(reason, sizeof(reason), "block-script-verify-flag-failed (%s)", script_error_text(p->job.fail_error));
    verdict_invalid(v, BLOCK_CONSENSUS, reason, "input %u of %s (wtxid %s), spending %s:%u", in, txid_hex(&tx->txid).s,
                    wtxid_hex(&tx->wtxid).s, txid_hex(&tx->in[in].prevout->txid).s, tx->in[in].prevout->n);
}

bool check_scripts(struct chain *c, struct inflight *p, uint32_t flags, bool at_tip, struct verdict *v)
{
    if (!p->n_inputs)
        return true;
    check_job_init(&p->job, p->block, p->spent, p->first_in, flags, c->o.sig_cache, at_tip, at_tip);
    check_queue_submit(c->queue, &p->job);
    check_queue_wait(c->queue, &p->job);
    if (p->job.fail_at == UINT64_MAX)
        return true;
    script_verdict(p, v);
    return false;
}
