/* tx_check.c - what can be said of a transaction alone, and of its lock time. Called for every transaction of a block and of the
 * memory pool; pure, any thread. */
#include "consensus/check.h"
#include "crypto/hash.h"
#include "script/script.h"

#define PAIRWISE_MAX 8    /* up to that many inputs are compared each with each */
#define STACK_SLOTS 1024u /* tables up to that size live on the stack */

static bool duplicate_pairwise(const struct tx *tx)
{
    for (uint32_t i = 1; i < tx->n_in; i++) {
        for (uint32_t j = 0; j < i; j++) {
            if (outpoint_equal(tx->in[i].prevout, tx->in[j].prevout))
                return true;
        }
    }
    return false;
}

/* An open hash table of input indices, at most half full. Its key is the transaction's own id, which nobody can choose so that the
 * inputs in it collide. */
static bool duplicate_by_table(const struct tx *tx, uint32_t *slots, uint32_t n_slots)
{
    uint64_t k0 = get_le64(tx->wtxid.b), k1 = get_le64(tx->wtxid.b + 8);
    memset(slots, 0, n_slots * sizeof(*slots));
    for (uint32_t i = 0; i < tx->n_in; i++) {
        const struct outpoint *o = tx->in[i].prevout;
        uint32_t s = (uint32_t)siphash_hash_u32(k0, k1, o->txid.b, o->n) & (n_slots - 1);
        for (; slots[s]; s = (s + 1) & (n_slots - 1)) {
            if (outpoint_equal(tx->in[slots[s] - 1].prevout, o))
                return true;
        }
        slots[s] = i + 1;
    }
    return false;
}

/* Two inputs that spend the same output (CVE-2018-17144). */
static bool has_duplicate_inputs(const struct tx *tx)
{
    uint32_t on_stack[STACK_SLOTS], n_slots = 4 * PAIRWISE_MAX;
    struct arena arena = ARENA_INIT;
    bool found;
    if (tx->n_in <= PAIRWISE_MAX)
        return duplicate_pairwise(tx);
    while (n_slots / 2 < tx->n_in) /* the size limit was checked before: a few 10,000 inputs at most */
        n_slots *= 2;
    if (n_slots <= STACK_SLOTS)
        return duplicate_by_table(tx, on_stack, n_slots);
    found = duplicate_by_table(tx, arena_alloc(&arena, n_slots * sizeof(uint32_t)), n_slots);
    arena_clear(&arena);
    return found;
}

static bool check_outputs(const struct tx *tx, struct verdict *v)
{
    int64_t total = 0;
    for (uint32_t i = 0; i < tx->n_out; i++) {
        if (tx->out[i].value < 0)
            return verdict_invalid(v, TX_CONSENSUS, "bad-txns-vout-negative", NULL);
        if (tx->out[i].value > MAX_MONEY)
            return verdict_invalid(v, TX_CONSENSUS, "bad-txns-vout-toolarge", NULL);
        total += tx->out[i].value;
        if (!money_in_range(total))
            return verdict_invalid(v, TX_CONSENSUS, "bad-txns-txouttotal-toolarge", NULL);
    }
    return true;
}

bool check_transaction(const struct tx *tx, struct verdict *v)
{
    if (tx->n_in == 0)
        return verdict_invalid(v, TX_CONSENSUS, "bad-txns-vin-empty", NULL);
    if (tx->n_out == 0)
        return verdict_invalid(v, TX_CONSENSUS, "bad-txns-vout-empty", NULL);
    if ((int64_t)tx->stripped_len * WITNESS_SCALE_FACTOR > MAX_BLOCK_WEIGHT)
        return verdict_invalid(v, TX_CONSENSUS, "bad-txns-oversize", NULL);
    if (!check_outputs(tx, v))
        return false;
    if (has_duplicate_inputs(tx))
        return verdict_invalid(v, TX_CONSENSUS, "bad-txns-inputs-duplicate", NULL);
    if (tx_is_coinbase(tx)) {
        if (tx->in[0].script_len < 2 || tx->in[0].script_len > 100)
            return verdict_invalid(v, TX_CONSENSUS, "bad-cb-length", NULL);
        return true;
    }
    for (uint32_t i = 0; i < tx->n_in; i++) {
        if (outpoint_is_null(tx->in[i].prevout))
            return verdict_invalid(v, TX_CONSENSUS, "bad-txns-prevout-null", NULL);
    }
    return true;
}

bool is_final_tx(const struct tx *tx, int32_t height, int64_t block_time)
{
    int64_t now = tx->lock_time < LOCKTIME_THRESHOLD ? height : block_time;
    if (tx->lock_time == 0 || (int64_t)tx->lock_time < now)
        return true;
    for (uint32_t i = 0; i < tx->n_in; i++) {
        if (tx->in[i].sequence != SEQUENCE_FINAL)
            return false;
    }
    return true; /* every input opts out of the lock time */
}
