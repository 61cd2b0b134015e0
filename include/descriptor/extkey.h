/* extkey.h - extended keys (BIP32): their text form and the keys below them. Pure; any thread. */
#ifndef FARTHING_DESCRIPTOR_EXTKEY_H
#define FARTHING_DESCRIPTOR_EXTKEY_H

#include "primitives/address.h"

#define EXTKEY_HARDENED 0x80000000u

struct extkey {
    uint8_t depth;
    uint8_t parent[4]; /* fingerprint of the key above */
    uint32_t child;
    uint8_t chain_code[32];
    uint8_t pub[33];
    bool has_secret;
    uint8_t secret[32];
};

/** The master key of a seed. Returns: false if the seed gives none (to be expected once in 2^127). */
bool extkey_from_seed(struct extkey *out, const void *seed, size_t len);
/** Reads an xprv or xpub of this network. Returns: false if it is neither. */
bool extkey_decode(struct extkey *out, const char *text, const struct address_prefixes *p);
/** Its text; secret: as xprv (it must have one). Returns: a string to free. */
char *extkey_encode(const struct extkey *key, bool secret, const struct address_prefixes *p);
/** The key one step below; with its secret if key has one. Out may be key itself. Returns: false for a hardened step without the secret, below depth
 *  255, or where the step gives no key. */
bool extkey_derive(struct extkey *out, const struct extkey *key, uint32_t step);
/** What stands at the root of the keys below a MuSig2 aggregate (BIP328). */
void extkey_of_musig(struct extkey *out, const uint8_t pub[33]);
/** What a step adds to the public key. Returns: false for a hardened one, or below depth 255. */
bool extkey_tweak(uint8_t out[32], const struct extkey *key, uint32_t step);
/** First four bytes of HASH160 of the public key. */
void extkey_fingerprint(uint8_t out[4], const struct extkey *key);
/** Takes the secret off, wiping it. */
void extkey_neuter(struct extkey *key);

#endif
