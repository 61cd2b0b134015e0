/* farthingconsensus.h - Bitcoin's consensus rules as a library: is this input satisfied, is this block valid?
 *
 * The functions are pure: the answer depends on the arguments alone. They keep no state between calls, may be called from any number
 * of threads at once, read nothing but what they are given, and free everything they allocate before they return. What they are given
 * is borrowed for the time of the call and may be hostile: any bytes are allowed wherever bytes are asked for.
 *
 * The rules are those of Bitcoin Core 31. Strings that come back are constants that are never freed.
 *
 * Link with `pkg-config --libs libfarthingconsensus`; a whole example is contrib/examples/verify_tx.c. */
#ifndef FARTHINGCONSENSUS_H
#define FARTHINGCONSENSUS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define FARTHING_API __attribute__((visibility("default")))
#else
#define FARTHING_API
#endif

/** An output that an input spends.
 *  value:  in satoshi.
 *  script: its scriptPubKey, script_len bytes (may be NULL if that is 0). */
struct farthing_output {
    int64_t value;
    const unsigned char *script;
    size_t script_len;
};

/** An output with what the rules ask of its origin. Facts that the caller does not know are left out, and what depends on them is not
 *  checked.
 *  out:        the output.
 *  height:     of the block that created it; 0xffffffff: not known (no maturity and no relative height lock is checked).
 *  coinbase:   1 if a coinbase created it, else 0; 2: not known (no maturity is checked).
 *  mtp_before: median time past of the block before the one that created it, in seconds since 1970 (what a relative time lock counts
 *              from, BIP68); 0: not known (no relative time lock is checked). */
struct farthing_coin {
    struct farthing_output out;
    uint32_t height;
    int coinbase;
    uint32_t mtp_before;
};

/** The networks. Signet is the default one. */
enum farthing_chain { FARTHING_MAIN, FARTHING_TESTNET3, FARTHING_TESTNET4, FARTHING_SIGNET, FARTHING_REGTEST };

/** Flags of farthing_verify_input: which soft forks are in force. Any bit of Bitcoin Core's script/verify_flags is taken; these are the
 *  ones of consensus. WITNESS needs P2SH. */
#define FARTHING_VERIFY_P2SH (1U << 0)                 /* BIP16 */
#define FARTHING_VERIFY_DERSIG (1U << 2)               /* BIP66 */
#define FARTHING_VERIFY_NULLDUMMY (1U << 4)            /* BIP147 */
#define FARTHING_VERIFY_CHECKLOCKTIMEVERIFY (1U << 9)  /* BIP65 */
#define FARTHING_VERIFY_CHECKSEQUENCEVERIFY (1U << 10) /* BIP112 */
#define FARTHING_VERIFY_WITNESS (1U << 11)             /* BIP141, BIP143 */
#define FARTHING_VERIFY_TAPROOT (1U << 17)             /* BIP341, BIP342 */
#define FARTHING_VERIFY_ALL                                                                                                        \
    (FARTHING_VERIFY_P2SH | FARTHING_VERIFY_DERSIG | FARTHING_VERIFY_NULLDUMMY | FARTHING_VERIFY_CHECKLOCKTIMEVERIFY |             \
     FARTHING_VERIFY_CHECKSEQUENCEVERIFY | FARTHING_VERIFY_WITNESS | FARTHING_VERIFY_TAPROOT)

/** Verifies one input of a transaction: its script and witness against the output that it spends.
 *
 *  Amounts, duplicate inputs and all else that makes a transaction valid are not looked at.
 *
 *  Returns: 1 if the input satisfies its output under the flags; else 0.
 *  Out: error:   may be NULL. "OK", or why not: Bitcoin Core's name of the script error ("EVAL_FALSE", "SIG_DER", ...), or what is wrong
 *                with the arguments: "TX_DESERIALIZE" (the bytes are not one whole transaction), "TX_INDEX" (it has no input n),
 *                "SPENT_OUTPUTS_MISMATCH" (n_spent is not its number of inputs), "INVALID_FLAGS".
 *  In:  tx:      the transaction, tx_len bytes, with its witnesses (BIP144) if it has any.
 *       n:       index of the input, from 0.
 *       spent:   the outputs that all its inputs spend, in the order of the inputs. Signatures commit to them.
 *       n_spent: their number.
 *       flags:   FARTHING_VERIFY_... */
FARTHING_API int farthing_verify_input(const char **error, const unsigned char *tx, size_t tx_len, size_t n,
                                       const struct farthing_output *spent, size_t n_spent, unsigned flags);

/** Verifies a whole block at its height, given the coins that it spends: every rule but those about the header's place in the chain
 *  (its parent, the difficulty there, its time) and the one that asks for all coins there are (BIP30).
 *
 *  Checked are proof of work against the target that the header itself names, the block version's minimum for the height, the signet
 *  solution, Merkle root and witness commitment, sizes, weight, sigops, the coinbase with its height and amount, every transaction alone,
 *  lock times, double spends in the block, amounts, maturity, relative lock times, and all scripts under the flags that this block of
 *  this network has to obey. Coins made in the block itself must be what the block says; what is known of their origin follows from it.
 *
 *  Returns: 1 if the block is valid; else 0.
 *  Out: reason:    may be NULL. "OK", or Bitcoin Core's reject reason ("bad-txnmrklroot", "bad-cb-amount", "block-script-verify-flag-failed
 *                  (Script failed an OP_EQUALVERIFY operation)", ...; "bad-version" without the number), or what is wrong with the
 *                  arguments: "bad-blk-encoding" (the bytes are not one whole block), "bad-chain", "bad-height" (out of range, or 0 for
 *                  another block than the network's first). Coins that are too few or too many, or that contradict the block, are
 *                  "bad-txns-inputs-missingorspent".
 *  In:  chain:     the network.
 *       height:    of the block, 0 for the network's first.
 *       prev_mtp:  median time past of the parent, in seconds since 1970; 0: not known (no lock by time is checked).
 *       block:     the block with its witnesses, block_len bytes.
 *       coins:     one for each input of each transaction but the coinbase, in the order of the block.
 *       n_coins:   their number. */
FARTHING_API int farthing_verify_block(const char **reason, enum farthing_chain chain, uint32_t height, uint32_t prev_mtp,
                                       const unsigned char *block, size_t block_len, const struct farthing_coin *coins,
                                       size_t n_coins);

#ifdef __cplusplus
}
#endif

#endif
