/* address.h - base58check, bech32 and bech32m, and the addresses and keys of the networks. Pure; any thread. */
#ifndef FARTHING_PRIMITIVES_ADDRESS_H
#define FARTHING_PRIMITIVES_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Base58 of raw bytes. Returns: a string to free. Cost: quadratic in len. */
char *base58_encode(const void *data, size_t len);
/** Out: out, *len (in: room, out: bytes). Returns: false if not base58 or longer than the room. */
bool base58_decode(uint8_t *out, size_t *len, const char *text);
/** With the 4-byte checksum of double SHA-256. */
char *base58check_encode(const void *data, size_t len);
bool base58check_decode(uint8_t *out, size_t *len, const char *text);

enum bech32_encoding { BECH32_INVALID, BECH32, BECH32M };
/** Data are 5-bit values. Out: hrp (84 bytes room, lower case), data (room for 90), *len. */
enum bech32_encoding bech32_decode(char *hrp, uint8_t *data, size_t *len, const char *text);
/** Returns: a string to free, NULL if it would be too long. */
char *bech32_encode(const char *hrp, const uint8_t *data, size_t len, enum bech32_encoding enc);
/** Finds likely positions of wrong characters in a malformed bech32 string, as Core's LocateErrors does. Out: positions (at most
 *  *n indices from the left; strlen(text) is always room enough), *n (how many). Returns: a constant message such as
 *  "Invalid Bech32 checksum", "" if nothing is wrong. */
const char *bech32_locate_errors(const char *text, int *positions, size_t *n);

/* What makes a network's addresses; part of consensus/params.h's struct chain_params. */
struct address_prefixes {
    uint8_t pubkey_hash; /* base58 version bytes */
    uint8_t script_hash;
    uint8_t secret_key;
    uint8_t ext_public[4]; /* BIP32 */
    uint8_t ext_secret[4];
    const char *bech32_hrp;
};

#define ADDRESS_SCRIPT_MAX 42
/* Why an address was refused. */
struct address_error {
    char text[192];        /* Core's text, such as "Invalid or unsupported Segwit (Bech32) or Base58 encoding."; "" on success */
    bool malformed_bech32; /* bech32_locate_errors can tell which characters are wrong */
};
/** Reads an address. Out: script (ADDRESS_SCRIPT_MAX bytes), *script_len, *error (may be NULL): the texts of Core's
 *  DecodeDestination, some of which hold the prefix or size that was found. */
bool address_decode(uint8_t *script, size_t *script_len, struct address_error *error, const char *text,
                    const struct address_prefixes *p);
/** The address of a script. Returns: a string to free, NULL if the script has none (P2PK included). */
char *address_encode(const uint8_t *script, size_t script_len, const struct address_prefixes *p);
/** Wallet import format. Out: key (32 bytes), *compressed. */
bool wif_decode(uint8_t key[32], bool *compressed, const char *text, const struct address_prefixes *p);
char *wif_encode(const uint8_t key[32], bool compressed, const struct address_prefixes *p);

#endif
