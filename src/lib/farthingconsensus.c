/* farthingconsensus.c - the library's two functions, over the same rules that the node applies. Called by programs of any kind; any
 * thread. */
#include "farthingconsensus.h"

#include <stdlib.h>

#include "block_coins.h"
#include "consensus/check.h"
#include "reason.h"
#include "script/verify.h"
#include "util/mem.h"

#define KNOWN_FLAGS ((1u << 21) - 1)

static int answer(const char **out, bool ok, const char *text)
{
    if (out)
        *out = text;
    return ok;
}

/* Some flags have no meaning without others; the interpreter relies on it. */
static bool flags_make_sense(uint32_t flags)
{
    if ((flags & SCRIPT_VERIFY_CLEANSTACK) && !(flags & SCRIPT_VERIFY_WITNESS))
        return false;
    return !(flags & ~KNOWN_FLAGS) && ((flags & SCRIPT_VERIFY_P2SH) || !(flags & SCRIPT_VERIFY_WITNESS));
}

static enum script_error verify_input(const struct tx *tx, size_t n, const struct farthing_output *spent, uint32_t flags)
{
    struct tx_out *outs = xmalloc(tx->n_in * sizeof(*outs));
    struct tx_midstate mid;
    enum script_error err = SCRIPT_ERR_OK;
    for (size_t i = 0; i < tx->n_in; i++) {
        if (spent[i].script_len > UINT32_MAX)
            err = SCRIPT_ERR_SCRIPT_SIZE;
        else
            outs[i] = (struct tx_out){spent[i].value, spent[i].script, (uint32_t)spent[i].script_len};
    }
    if (err == SCRIPT_ERR_OK) {
        tx_midstate_init(&mid, tx, outs, false);
        if (script_verify_input(&err, tx, (uint32_t)n, &outs[n], flags, &mid, NULL, false))
            err = SCRIPT_ERR_OK;
    }
    free(outs);
    return err;
}

int farthing_verify_input(const char **error, const unsigned char *tx_bytes, size_t tx_len, size_t n,
                          const struct farthing_output *spent, size_t n_spent, unsigned flags)
{
    enum script_error err;
    struct tx *tx;
    if (!flags_make_sense(flags))
        return answer(error, false, "INVALID_FLAGS");
    tx = tx_decode(tx_bytes, tx_len, false);
    if (!tx)
        return answer(error, false, "TX_DESERIALIZE");
    if (n >= tx->n_in || n_spent != tx->n_in) {
        bool index = n >= tx->n_in;
        tx_unref(tx);
        return answer(error, false, index ? "TX_INDEX" : "SPENT_OUTPUTS_MISMATCH");
    }
    err = verify_input(tx, n, spent, flags);
    tx_unref(tx);
    return answer(error, err == SCRIPT_ERR_OK, script_error_name(err));
}

static const char *verify_scripts(const struct block *b, const struct block_coins *coins, uint32_t flags)
{
    const struct tx_out *spent = coins->spent;
    for (uint32_t i = 1; i < b->n_tx; i++) {
        const struct tx *tx = &b->tx[i];
        struct tx_midstate mid;
        enum script_error err;
        tx_midstate_init(&mid, tx, spent, false);
        for (uint32_t j = 0; j < tx->n_in; j++) {
            if (!script_verify_input(&err, tx, j, &spent[j], flags, &mid, NULL, false))
                return script_error_block_reason(err);
        }
        spent += tx->n_in;
    }
    return NULL;
}

/* The rules about coins, then the scripts: the cheap ones first. Returns: the reason, NULL if valid. */
static const char *connect(const struct chain_params *p, const struct block *b, int32_t height, int64_t prev_mtp,
                           const struct block_coins *coins)
{
    uint32_t flags = block_script_flags_at(p, height, &b->hash);
    struct sequence_source seq = {NULL, NULL, NULL};
    struct block_connect c;
    struct verdict v;
    size_t k = 0;
    verdict_init(&v);
    block_connect_init(&c, p, b, height, prev_mtp, flags, &seq);
    for (uint32_t i = 0; i < b->n_tx; i++) {
        c.seq.known = &coins->mtp_before[k];
        if (!block_connect_tx(&c, i, &coins->coin[k], &coins->spent[k], &v))
            return reason_constant(v.reason);
        k += i ? b->tx[i].n_in : 0;
    }
    if (!block_connect_finish(&c, &v))
        return reason_constant(v.reason);
    return verify_scripts(b, coins, flags);
}

/* The rules that need no coins, and those of a header that its height alone decides. */
static const char *check_alone(const struct chain_params *p, const struct block *b, int32_t height, int64_t prev_mtp)
{
    struct verdict v;
    verdict_init(&v);
    if (!check_block(p, b, true, true, &v) || !check_block_version(p, b->header.version, height, &v) ||
        !check_block_at(p, b, height, prev_mtp, &v))
        return reason_constant(v.reason);
    return NULL;
}

static const char *verify_block(const struct chain_params *p, const struct block *b, int32_t height, uint32_t prev_mtp,
                                const struct farthing_coin *coins, size_t n_coins)
{
    int64_t now = prev_mtp ? (int64_t)prev_mtp : INT64_MAX; /* not known: late enough for every lock */
    struct block_coins c;
    const char *reason = check_alone(p, b, height, now);
    if (reason)
        return reason;
    if (height == 0) /* its coinbase pays nobody and is not connected */
        return block_hash_equal(&b->hash, &p->genesis_hash) ? NULL : "bad-height";
    reason = "bad-txns-inputs-missingorspent";
    if (block_coins_init(&c, b, height, prev_mtp ? (int64_t)prev_mtp : MTP_UNKNOWN, coins, n_coins))
        reason = connect(p, b, height, now, &c);
    block_coins_clear(&c);
    return reason;
}

int farthing_verify_block(const char **reason, enum farthing_chain chain, uint32_t height, uint32_t prev_mtp,
                          const unsigned char *block, size_t block_len, const struct farthing_coin *coins, size_t n_coins)
{
    static const enum chain_id ids[] = {
        [FARTHING_MAIN] = CHAIN_MAIN,     [FARTHING_TESTNET3] = CHAIN_TESTNET3, [FARTHING_TESTNET4] = CHAIN_TESTNET4,
        [FARTHING_SIGNET] = CHAIN_SIGNET, [FARTHING_REGTEST] = CHAIN_REGTEST,
    };
    struct chain_params p;
    struct block *b;
    const char *bad;
    if ((size_t)chain >= ARRAY_LEN(ids))
        return answer(reason, false, "bad-chain");
    if (height >= INT32_MAX)
        return answer(reason, false, "bad-height");
    b = block_decode_copy(block, block_len);
    if (!b)
        return answer(reason, false, "bad-blk-encoding");
    chain_params_init(&p, ids[chain]);
    bad = verify_block(&p, b, (int32_t)height, prev_mtp, coins, n_coins);
    chain_params_clear(&p);
    block_unref(b);
    return answer(reason, !bad, bad ? bad : "OK");
}
