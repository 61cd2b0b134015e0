/* connect.c - the rules of a block's transactions against the coins that they spend: money, maturity, relative locks, sigops, the
 * coinbase's amount; and which blocks need to be searched for overwritten coins (BIP30). Scripts are verified by the caller, in
 * parallel. Called by the chain's validation thread and by the library; pure. */
#include <inttypes.h>

#include "consensus/check.h"
#include "primitives/amount.h"

/* Coins as text with at least two decimals, as messages show them. */
static const char *money_text(char out[32], int64_t v)
{
    size_t len = amount_format(out, v);
    for (int kept = 8; kept > 2 && out[len - 1] == '0'; kept--)
        out[--len] = 0;
    return out;
}

static int64_t tx_value_out(const struct tx *tx)
{
    int64_t total = 0; /* in range: check_transaction came before */
    for (uint32_t i = 0; i < tx->n_out; i++)
        total += tx->out[i].value;
    return total;
}

bool check_tx_inputs(const struct tx *tx, const struct coin *coins, int32_t spend_height, int64_t *fee, struct verdict *v)
{
    char in_text[32], out_text[32];
    int64_t in = 0, out;
    for (uint32_t i = 0; i < tx->n_in; i++) {
        int64_t depth = (int64_t)spend_height - (int64_t)coins[i].height;
        if (coins[i].coinbase && depth < COINBASE_MATURITY)
            return verdict_invalid(v, TX_PREMATURE_SPEND, "bad-txns-premature-spend-of-coinbase",
                                   "tried to spend coinbase at depth %" PRId64, depth);
        if (!money_in_range(coins[i].out.value) || !money_in_range(in + coins[i].out.value))
            return verdict_invalid(v, TX_CONSENSUS, "bad-txns-inputvalues-outofrange", NULL);
        in += coins[i].out.value;
    }
    out = tx_value_out(tx);
    if (in < out)
        return verdict_invalid(v, TX_CONSENSUS, "bad-txns-in-belowout", "value in (%s) < value out (%s)", money_text(in_text, in),
                               money_text(out_text, out));
    *fee = in - out; /* in range, as both terms are */
    return true;
}

void block_connect_init(struct block_connect *c, const struct chain_params *p, const struct block *b, int32_t height,
                        int64_t prev_mtp, uint32_t flags, const struct sequence_source *seq)
{
    *c = (struct block_connect){
        .params = p,
        .block = b,
        .height = height,
        .prev_mtp = prev_mtp,
        .flags = flags,
        .csv = height >= p->buried[DEPLOYMENT_CSV],
        .seq = *seq,
    };
}

static bool has_relative_lock(const struct tx *tx)
{
    for (uint32_t i = 0; i < tx->n_in; i++) {
        if (!(tx->in[i].sequence >> 31))
            return true;
    }
    return false;
}

static bool relative_locks_passed(const struct block_connect *c, const struct tx *tx, const struct coin *coins)
{
    uint32_t on_stack[64], *heights = on_stack;
    struct arena arena = ARENA_INIT;
    struct sequence_lock lock;
    if (!c->csv || tx->version < 2 || !has_relative_lock(tx))
        return true;
    if (tx->n_in > 64)
        heights = arena_alloc(&arena, tx->n_in * sizeof(*heights));
    for (uint32_t i = 0; i < tx->n_in; i++)
        heights[i] = coins[i].height;
    lock = sequence_locks(tx, heights, true, &c->seq);
    arena_clear(&arena);
    return lock.height < c->height && lock.time < c->prev_mtp;
}

static bool connect_inputs(struct block_connect *c, const struct tx *tx, const struct coin *coins, int64_t *fee, struct verdict *v)
{
    struct verdict t;
    verdict_init(&t);
    if (!check_tx_inputs(tx, coins, c->height, fee, &t))
        return verdict_invalid(v, BLOCK_CONSENSUS, t.reason, "%s in transaction %s", t.debug, txid_hex(&tx->txid).s);
    c->fees += *fee;
    if (!money_in_range(c->fees))
        return verdict_invalid(v, BLOCK_CONSENSUS, "bad-txns-accumulated-fee-outofrange",
                               "accumulated fee in the block out of range");
    if (!relative_locks_passed(c, tx, coins))
        return verdict_invalid(v, BLOCK_CONSENSUS, "bad-txns-nonfinal", "contains a non-BIP68-final transaction %s",
                               txid_hex(&tx->txid).s);
    return true;
}

bool block_connect_tx(struct block_connect *c, uint32_t i, const struct coin *coins, const struct tx_out *spent, struct verdict *v)
{
    const struct tx *tx = &c->block->tx[i];
    int64_t fee = 0;
    if (!tx_is_coinbase(tx) && !connect_inputs(c, tx, coins, &fee, v))
        return false;
    c->sigop_cost += tx_sigop_cost(tx, spent, c->flags);
    if (c->sigop_cost > MAX_BLOCK_SIGOPS_COST)
        return verdict_invalid(v, BLOCK_CONSENSUS, "bad-blk-sigops", "too many sigops");
    return true;
}

bool block_connect_finish(const struct block_connect *c, struct verdict *v)
{
    int64_t paid = tx_value_out(&c->block->tx[0]);
    int64_t limit = c->fees + block_subsidy(c->params, c->height);
    if (paid > limit)
        return verdict_invalid(v, BLOCK_CONSENSUS, "bad-cb-amount",
                               "coinbase pays too much (actual=%" PRId64 " vs limit=%" PRId64 ")", paid, limit);
    return true;
}

static bool is_block(int32_t height, const struct block_hash *hash, int32_t known_height, const char *known_hash)
{
    struct block_hash known = {{0}};
    return height == known_height && hash_from_hex(known.b, known_hash) && block_hash_equal(hash, &known);
}

bool bip30_is_repeat(const struct header_node *n)
{
    return is_block(n->height, &n->hash, 91842, "00000000000a4d0a398161ffc163c503763b1f4360639393e0e4c8e300e0caec") ||
           is_block(n->height, &n->hash, 91880, "00000000000743f190a18c5577a3c2d2a1f610ae9601ac046a38084ccb7cd721");
}

bool bip30_is_unspendable(int32_t height, const struct block_hash *hash)
{
    return is_block(height, hash, 91722, "00000000000271a2dc26e7667f8419f2e15416dc6955e5a6c6cdf3f2574dd08e") ||
           is_block(height, hash, 91812, "00000000000af0aed4792b1acee3d966af36cf5def14935db8de83d6f9306f2f");
}

bool bip30_applies(const struct chain_params *p, const struct header_node *n)
{
    /* Since BIP34 a coinbase names its height and cannot be made twice, up to the lowest height that an older coinbase happens to
     * name and that is still to come. */
    static const int32_t bip34_suffices_below = 1983702;
    const struct header_node *at_bip34;
    if (!n->prev)
        return false;
    if (n->height >= bip34_suffices_below)
        return true;
    at_bip34 = header_node_ancestor(n->prev, p->buried[DEPLOYMENT_BIP34]);
    return !bip30_is_repeat(n) && !(at_bip34 && block_hash_equal(&at_bip34->hash, &p->bip34_hash));
}
