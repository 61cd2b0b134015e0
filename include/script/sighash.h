/* sighash.h - the three signature hashes, and the midstates that the inputs of one transaction share. Pure; any thread. */
#ifndef FARTHING_SCRIPT_SIGHASH_H
#define FARTHING_SCRIPT_SIGHASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "primitives/tx.h"

enum { SIGHASH_DEFAULT = 0, SIGHASH_ALL = 1, SIGHASH_NONE = 2, SIGHASH_SINGLE = 3, SIGHASH_ANYONECANPAY = 0x80 };

struct tx_midstate {
    const struct tx_out *spent; /* all spent outputs in input order, borrowed; NULL if not known */
    bool has_v0;                /* the BIP143 fields are filled */
    bool has_v1;                /* the BIP341 fields are filled */
    uint8_t prevouts_single[32], sequences_single[32], outputs_single[32]; /* one SHA-256 each */
    uint8_t amounts_single[32], scripts_single[32];
    uint8_t prevouts_double[32], sequences_double[32], outputs_double[32]; /* BIP143 */
};
/** Computes what the inputs need: only what their kind (witness v0, taproot) makes use of, or all if spent is NULL or `all`.
 *  In: spent: n_in outputs or NULL; must outlive m. */
void tx_midstate_init(struct tx_midstate *m, const struct tx *tx, const struct tx_out *spent, bool all);

/** Pre-segwit hash of input n with this script code (OP_CODESEPARATORs are left out here; FindAndDelete is the interpreter's). */
void sighash_legacy(uint8_t out[32], const struct tx *tx, uint32_t n, const uint8_t *script, size_t len, int32_t hash_type);
/** BIP143. mid may be NULL. */
void sighash_v0(uint8_t out[32], const struct tx *tx, uint32_t n, const uint8_t *script, size_t len, int64_t amount,
                int32_t hash_type, const struct tx_midstate *mid);
/* What BIP341/342 add to the transaction's own data. */
struct sighash_v1_ctx {
    const uint8_t *annex_hash;  /* SHA256(CompactSize | annex), NULL without annex */
    const uint8_t *leaf_hash;   /* tapscript only, else NULL */
    uint32_t codesep_pos;       /* tapscript only, 0xffffffff if none was run */
    const uint8_t *output_hash; /* sighash_v1_output of output n if the caller keeps it for SIGHASH_SINGLE, else NULL */
};
/** Single SHA-256 of one output as SIGHASH_SINGLE commits to it. */
void sighash_v1_output(uint8_t out[32], const struct tx_out *output);
/** BIP341/342; mid must have has_v1. Returns: false if the hash type is invalid for this input. */
bool sighash_v1(uint8_t out[32], const struct tx *tx, uint32_t n, uint8_t hash_type, const struct sighash_v1_ctx *ctx,
                const struct tx_midstate *mid);
/** BIP341 leaf and branch hashes and the root that a control block proves. */
void tapleaf_hash(uint8_t out[32], uint8_t leaf_version, const uint8_t *script, size_t len);
void tapbranch_hash(uint8_t out[32], const uint8_t a[32], const uint8_t b[32]);
void taproot_merkle_root(uint8_t out[32], const uint8_t *control, size_t control_len, const uint8_t leaf[32]);

#endif
