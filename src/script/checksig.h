/* checksig.h - signatures in scripts: encoding rules, hashing, verification through the cache. One context per input; one thread. */
#ifndef FARTHING_SCRIPT_CHECKSIG_H
#define FARTHING_SCRIPT_CHECKSIG_H

#include "script/sighash_memo.h"
#include "script/verify.h"

/* What a signature is checked against: one input of one transaction. */
struct sig_context {
    const struct tx *tx;
    const struct tx_out *spent;
    const struct tx_midstate *mid; /* may be NULL: then no taproot spend is valid */
    struct sig_cache *cache;       /* may be NULL */
    uint32_t n;
    bool cache_store;
    bool has_output_hash;
    uint8_t output_hash[32]; /* of output n for SIGHASH_SINGLE in tapscript, once it was needed */
    struct sighash_memo memo;
};

/** Strict DER (BIP66), hash type byte included. */
bool sig_is_strict_der(const uint8_t *sig, size_t len);
/** The encoding rules that flags ask for; an empty signature passes. Returns: SCRIPT_ERR_OK or the rule that is broken. */
enum script_error sig_check_encoding(const uint8_t *sig, size_t len, uint32_t flags);
enum script_error pubkey_check_encoding(const uint8_t *key, size_t len, uint32_t flags, bool v0);
/** The length that a public key's first byte announces is the one it has. */
bool pubkey_size_is_valid(const uint8_t *key, size_t len);
/** An ECDSA signature (hash type at its end) over a script code. */
bool check_ecdsa(struct sig_context *c, const uint8_t *sig, size_t sig_len, const uint8_t *key, size_t key_len,
                 const struct script_code *code, bool v0);
/** A Schnorr signature of 64 or 65 bytes. Returns: SCRIPT_ERR_OK or what is wrong. In: key_x (32). */
enum script_error check_schnorr(struct sig_context *c, const uint8_t *sig, size_t sig_len, const uint8_t *key_x,
                                const struct sighash_v1_ctx *extra);

#endif
