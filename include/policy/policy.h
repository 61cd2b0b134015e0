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
    unsigned max_ancestors;       /* -limitancestorcount 25 */
    unsigned max_descendants;     /* -limitdescendantcount 25 */
    unsigned cluster_count;       /* -limitclustercount 64 */
    int64_t cluster_vsize;        /* -limitclustersize 101 kvB, in vbytes */
};
/** Core's defaults for a network. */
void policy_init(struct policy *p, const struct chain_params *params);
/** Fee for vsize at a rate, rounded up as Core's CFeeRate::GetFee. */
int64_t policy_fee(int64_t rate, int64_t vsize);
/** Value below which an output is dust. */
int64_t policy_dust_threshold(const struct tx_out *out, int64_t dust_fee_rate);
/** Virtual size with sigops taken into account. */
int64_t policy_vsize(int64_t weight, int64_t sigop_cost, unsigned bytes_per_sigop);
/** IsStandardTx: false with Core's reason ("version", "tx-size", "scriptsig-size", "scriptpubkey", "bare-multisig", "dust", "datacarrier"). */
bool policy_is_standard_tx(const struct policy *p, const struct tx *tx, const char **reason);
/** AreInputsStandard and IsWitnessStandard; spent: n_in outputs. */
bool policy_inputs_standard(const struct tx *tx, const struct tx_out *spent, struct verdict *v);
bool policy_witness_standard(const struct tx *tx, const struct tx_out *spent);
/** Does any input signal BIP125? */
bool policy_signals_rbf(const struct tx *tx);

#endif
