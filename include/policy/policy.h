/* policy.h - what this node relays beyond what consensus allows: standardness, dust, fee rates, and the arithmetic of replacement. Pure; any thread. */
#ifndef FARTHING_POLICY_POLICY_H
#define FARTHING_POLICY_POLICY_H

#include "consensus/check.h"
#include "script/script.h"

#define MAX_STANDARD_TX_WEIGHT 400000
#define MIN_STANDARD_TX_NONWITNESS_SIZE 65
#define MAX_STANDARD_TX_SIGOPS_COST (MAX_BLOCK_SIGOPS_COST / 5)

/* Set from options at start, read-only after. Fee rates in satoshi per 1,000 virtual bytes. */
struct policy {
    int64_t min_relay_fee_rate;   /* -minrelaytxfee: 100 */
    int64_t incremental_fee_rate; /* -incrementalrelayfee: 100 */
    int64_t dust_fee_rate;        /* -dustrelayfee: 3000 */
    unsigned bytes_per_sigop;     /* -bytespersigop: 20 */
    bool require_standard;        /* !-acceptnonstdtxn */
    bool permit_bare_multisig;    /* -permitbaremultisig */
    int64_t max_datacarrier;      /* -datacarriersize: 100000; -1: no data carriers */
    unsigned max_ancestors;       /* -limitancestorcount 25: a hint to wallets; the pool itself limits clusters */
    unsigned max_descendants;     /* -limitdescendantcount 25 */
    unsigned cluster_count;       /* -limitclustercount 64 */
    int64_t cluster_vsize;        /* -limitclustersize 101 kvB, in vbytes */
};
/** Core's defaults for a network. */
void policy_init(struct policy *p, const struct chain_params *params);
/** Fee for vsize at a rate, rounded up as Core's CFeeRate::GetFee. */
int64_t policy_fee(int64_t rate, int64_t vsize);
/** Rate of a fee, rounded down; 0 if vsize is not positive. */
int64_t policy_rate(int64_t fee, int64_t vsize);
/** Value below which an output is dust: what spending it costs at that rate; 0 for outputs that cannot be spent. */
int64_t policy_dust_threshold(const struct tx_out *out, int64_t dust_fee_rate);
bool policy_is_dust(const struct tx_out *out, int64_t dust_fee_rate);
/** Number of a transaction's outputs that are dust. */
uint32_t policy_dust_count(const struct tx *tx, int64_t dust_fee_rate);
/** Weight, or what its sigops count for if that is more. */
int64_t policy_weight(int64_t weight, int64_t sigop_cost, unsigned bytes_per_sigop);
/** Virtual size with sigops taken into account. */
int64_t policy_vsize(int64_t weight, int64_t sigop_cost, unsigned bytes_per_sigop);
/** Is an output script of a standard form (bare multisig of up to 3 keys included)? Out: *type. */
bool policy_is_standard_script(const uint8_t *script, size_t len, enum script_type *type);
/** IsStandardTx: false with Core's reason ("version", "tx-size", "scriptsig-size", "scriptpubkey", "bare-multisig", "dust", "datacarrier"). */
bool policy_is_standard_tx(const struct policy *p, const struct tx *tx, const char **reason);
/** Are the inputs of known forms, with few enough sigops (BIP54's 2,500 a transaction, 15 a P2SH script)? spent: n_in outputs.
 *  Returns: false with bad-txns-nonstandard-inputs. The transaction must have passed policy_is_standard_tx. */
bool policy_inputs_standard(const struct tx *tx, const struct tx_out *spent, struct verdict *v);
/** Are the witnesses within the limits of P2WSH and tapscript, without annex, and none where none belongs? */
bool policy_witness_standard(const struct tx *tx, const struct tx_out *spent);
/** Does it spend a witness program, P2A excepted? Then one without witnesses may have been stripped of them on its way. */
bool policy_spends_witness_program(const struct tx *tx, const struct tx_out *spent);
/** Does any input signal BIP125? */
bool policy_signals_rbf(const struct tx *tx);
/** May these be judged together (IsWellFormedPackage)? At most 25 of 101 kvB, none twice, parents first, no input spent twice.
 *  Returns: NULL, or the reason: "package-too-many-transactions", "package-too-large", "package-contains-duplicates",
 *  "package-not-sorted", "conflict-in-package". */
const char *policy_package_error(struct tx *const *txs, size_t n);
/** Is the last of at least two a child of all the others (IsChildWithParents)? tree: and none of those spends another. */
bool policy_is_child_with_parents(struct tx *const *txs, size_t n, bool tree);
/** Names a package, whatever its order: SHA-256 of the sorted wtxids (GetPackageHash). */
struct hash256 policy_package_hash(struct tx *const *txs, size_t n);
/** May a transaction replace others with fees of old_fees together? It must pay no less, and the relay of its own vsize on top.
 *  Returns: false with TX_RECONSIDERABLE and that reason. Fees include what prioritisetransaction added. */
bool policy_pays_for_replacement(const struct policy *p, const struct txid *id, int64_t old_fees, int64_t new_fees, int64_t vsize,
                                 const char *reason, struct verdict *v);

#endif
