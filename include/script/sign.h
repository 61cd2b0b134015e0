/* sign.h - a signer for commands and blocks whose keys the user gives: what it knows, and the making of one input's scriptSig and witness. Pure; any
 * thread. */
#ifndef FARTHING_SCRIPT_SIGN_H
#define FARTHING_SCRIPT_SIGN_H

#include "primitives/tx.h"
#include "script/sighash.h"

struct sign_key {
    uint8_t secret[32];
    uint8_t pub[65];
    size_t pub_len;
    uint8_t hash[20]; /* HASH160 of pub */
};
struct keyring {
    struct sign_key *keys;
    size_t n_keys;
    struct witness_item *scripts; /* redeem and witness scripts, copies */
    size_t n_scripts;
};
/** Returns: false if the secret is no key. */
bool keyring_add_key(struct keyring *ring, const uint8_t secret[32], bool compressed);
void keyring_add_script(struct keyring *ring, const uint8_t *script, size_t len);
/** Wipes the secrets. */
void keyring_clear(struct keyring *ring);

/* One input to be signed. Everything is borrowed. */
struct sign_job {
    const struct tx *tx;
    uint32_t n;
    const struct tx_out *spent;
    const struct tx_midstate *mid; /* over tx; taproot inputs are signed only if it knows all spent outputs */
    const struct keyring *ring;
    struct tx *const *sources; /* the same transaction in other states: signatures and scripts in their input n are used too */
    size_t n_sources;
    uint8_t hash_type; /* SIGHASH_DEFAULT: ALL where there is no default */
};
/** Sets the scriptSig and witness of input n as far as keys, scripts and signatures go: a multisig may stay in part unsigned, with
 *  empty items for what is missing (Core's ProduceSignature, without its miniscript). Out: b, a builder of the same transaction. */
void sign_input(struct tx_builder *b, const struct sign_job *job);

#endif
