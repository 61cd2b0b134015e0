/* keys.h - signatures and keys over libsecp256k1. The context is made once, at first use, and only read after. Any thread. */
#ifndef FARTHING_CRYPTO_KEYS_H
#define FARTHING_CRYPTO_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Verifies an ECDSA signature as consensus does: lax DER parse (BER variants that old blocks hold), S normalised.
 *  In: sig (DER without the hash type byte), hash (32 bytes), pubkey (33 or 65 bytes; hybrid 0x06/0x07 allowed). */
bool ecdsa_verify(const uint8_t *sig, size_t sig_len, const uint8_t hash[32], const uint8_t *pubkey, size_t pubkey_len);
/** True if S of a lax-parsable signature is in the lower half (false if it does not parse). */
bool ecdsa_sig_is_low_s(const uint8_t *sig, size_t sig_len);
/** BIP340. In: sig (64), msg (any length), pubkey_x (32). */
bool schnorr_verify(const uint8_t sig[64], const uint8_t *msg, size_t msg_len, const uint8_t pubkey_x[32]);
/** BIP341: true if output_x with that parity is internal_x tweaked by the tagged hash TapTweak(internal_x | merkle_root). */
bool taproot_tweak_check(const uint8_t output_x[32], int parity, const uint8_t internal_x[32], const uint8_t merkle_root[32]);
/** BIP341's tweak: the tagged hash of the internal key and, if there are scripts (else NULL), their root. */
void taproot_tweak_hash(uint8_t out[32], const uint8_t internal_x[32], const uint8_t *merkle_root);
/** Tweaks a key. merkle_root may be NULL (no scripts). Out: output_x, *parity. Returns: false if internal_x is no point. */
bool taproot_tweak(uint8_t output_x[32], int *parity, const uint8_t internal_x[32], const uint8_t *merkle_root);
/** True if the bytes are a valid public key on the curve. */
bool pubkey_is_valid(const uint8_t *pubkey, size_t len);
/** The full form of a compressed key. Out: out (0x04, x, y). Returns: false (out undefined) if in is no point. */
bool pubkey_decompress(uint8_t out[65], const uint8_t in[33]);
bool xonly_is_valid(const uint8_t pubkey_x[32]);
/** The same without libsecp256k1, and faster: for showing many of them. Not constant time. */
bool xonly_is_on_curve(const uint8_t pubkey_x[32]);
/** True if 0 < key < n. */
bool seckey_is_valid(const uint8_t key[32]);
/** Out: out (33 if compressed, else 65 bytes). Returns: false if the key is invalid. */
bool pubkey_create(uint8_t *out, const uint8_t key[32], bool compressed);
/** RFC 6979 with low R as Core does (grind). Out: sig (72 bytes room), *sig_len. Returns: false if the key is invalid. */
bool ecdsa_sign(uint8_t *sig, size_t *sig_len, const uint8_t hash[32], const uint8_t key[32]);
/** A signature from which the key can be found: a byte 27 + recovery id (+ 4 for a compressed key), then R and S (Core's SignCompact).
 *  Out: sig (65 bytes). Returns: false if the key is invalid. */
bool ecdsa_sign_compact(uint8_t sig[65], const uint8_t hash[32], const uint8_t key[32], bool compressed);
/** The key that made such a signature. Out: pubkey (65 bytes room), *len (33 or 65). Returns: false if there is none. */
bool ecdsa_recover_compact(uint8_t pubkey[65], size_t *len, const uint8_t sig[65], const uint8_t hash[32]);
/** BIP340 signature, verified before it is returned. aux may be NULL for zeroes. */
bool schnorr_sign(uint8_t sig[64], const uint8_t *msg, size_t msg_len, const uint8_t key[32], const uint8_t *aux);
/** Signs with a key-path tweak: merkle_root NULL for no scripts (BIP86). */
bool schnorr_sign_taproot(uint8_t sig[64], const uint8_t hash[32], const uint8_t key[32], const uint8_t *merkle_root,
                          const uint8_t *aux);

/** Adds a tweak to a secret or to a public key (BIP32). Returns: false if the tweak or the sum is out of range. */
bool seckey_tweak_add(uint8_t key[32], const uint8_t tweak[32]);
bool pubkey_tweak_add(uint8_t out[33], const uint8_t in[33], const uint8_t tweak[32]);
/** BIP327's aggregate of compressed keys, in the order given. In: keys (n of them, n > 0). Returns: false if one is no point or the sum is none. */
bool pubkey_aggregate(uint8_t out[33], const uint8_t (*keys)[33], size_t n);
/* A tweak of an aggregate key: plain (BIP32) or of its x-only form (BIP341). */
struct musig_tweak {
    uint8_t tweak[32];
    bool x_only;
};
/** BIP327: the BIP340 signature that partial ones make, if it is valid. In: keys in the order of aggregation, nonces (66 bytes) and partial signatures
 *  by the same order, n > 0; the key's tweaks. Out: sig (64 bytes). Returns: false if it is not valid. */
bool musig_aggregate(uint8_t sig[64], const uint8_t (*keys)[33], const uint8_t (*nonces)[66], const uint8_t (*partial)[32],
                     size_t n, const struct musig_tweak *tweaks, size_t n_tweaks, const uint8_t msg[32]);

#endif
