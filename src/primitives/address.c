/* address.c - addresses of scripts and the import format of private keys, with Bitcoin Core's error texts.
 * Called by RPC, the wallet and mining options; pure, any thread. */
#include "primitives/address.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "crypto/keys.h"
#include "util/mem.h"

enum { OP_1 = 0x51, OP_16 = 0x60, OP_DUP = 0x76, OP_EQUAL = 0x87, OP_EQUALVERIFY = 0x88, OP_HASH160 = 0xa9, OP_CHECKSIG = 0xac };

#define HASH160_LEN 20
#define PROGRAM_MIN 2
#define PROGRAM_MAX 40

static void p2pkh_script(uint8_t *script, size_t *len, const uint8_t hash[HASH160_LEN])
{
    script[0] = OP_DUP;
    script[1] = OP_HASH160;
    script[2] = HASH160_LEN;
    memcpy(script + 3, hash, HASH160_LEN);
    script[23] = OP_EQUALVERIFY;
    script[24] = OP_CHECKSIG;
    *len = 25;
}

static void p2sh_script(uint8_t *script, size_t *len, const uint8_t hash[HASH160_LEN])
{
    script[0] = OP_HASH160;
    script[1] = HASH160_LEN;
    memcpy(script + 2, hash, HASH160_LEN);
    script[22] = OP_EQUAL;
    *len = 23;
}

/* Eight-bit bytes into five-bit values, the last one filled up with zeroes. Returns: how many. */
static size_t bytes_to_values(uint8_t *values, const uint8_t *bytes, size_t len)
{
    uint32_t acc = 0;
    unsigned bits = 0;
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        acc = acc << 8 | bytes[i];
        for (bits += 8; bits >= 5;) {
            bits -= 5;
            values[n++] = acc >> bits & 31;
        }
    }
    if (bits)
        values[n++] = (uint8_t)(acc << (5 - bits) & 31);
    return n;
}

/* And back. Returns: false if what is left over is not less than five zero bits. */
static bool values_to_bytes(uint8_t *bytes, size_t *len, const uint8_t *values, size_t n)
{
    uint32_t acc = 0;
    unsigned bits = 0;

    *len = 0;
    for (size_t i = 0; i < n; i++) {
        acc = acc << 5 | values[i];
        bits += 5;
        if (bits >= 8) {
            bits -= 8;
            bytes[(*len)++] = (uint8_t)(acc >> bits);
        }
    }
    return bits < 5 && (acc & ((1u << bits) - 1)) == 0;
}

__attribute__((format(printf, 2, 3))) static bool refuse(struct address_error *error, const char *fmt, ...)
{
    va_list ap;

    if (!error)
        return false;
    va_start(ap, fmt);
    vsnprintf(error->text, sizeof(error->text), fmt, ap);
    va_end(ap);
    return false;
}

static bool decode_base58(uint8_t *script, size_t *script_len, struct address_error *error, const char *text,
                          const struct address_prefixes *p)
{
    uint8_t data[100];
    size_t len = 1 + HASH160_LEN;

    if (!base58check_decode(data, &len, text)) {
        len = sizeof(data);
        if (base58_decode(data, &len, text))
            return refuse(error, "Invalid checksum or length of Base58 address (P2PKH or P2SH)");
        return refuse(error, "Invalid or unsupported Segwit (Bech32) or Base58 encoding.");
    }
    bool known = len > 0 && (data[0] == p->pubkey_hash || data[0] == p->script_hash);
    if (!known)
        return refuse(error, "Invalid or unsupported Base58-encoded address.");
    if (len != 1 + HASH160_LEN)
        return refuse(error, "Invalid length for Base58 address (P2PKH or P2SH)");
    if (data[0] == p->pubkey_hash)
        p2pkh_script(script, script_len, data + 1);
    else
        p2sh_script(script, script_len, data + 1);
    return true;
}

/* The script of a witness version and program, with Core's order of complaints. */
static bool witness_script(uint8_t *script, size_t *script_len, struct address_error *error, unsigned version,
                           const uint8_t *program, size_t len)
{
    const char *bytes = len == 1 ? "byte" : "bytes";

    if (version == 0 && len != 20 && len != 32)
        return refuse(error, "Invalid Bech32 v0 address program size (%zu %s), per BIP141", len, bytes);
    if (version > 16)
        return refuse(error, "Invalid Bech32 address witness version");
    if (len < PROGRAM_MIN || len > PROGRAM_MAX)
        return refuse(error, "Invalid Bech32 address program size (%zu %s)", len, bytes);
    script[0] = (uint8_t)(version ? OP_1 + version - 1 : 0);
    script[1] = (uint8_t)len;
    memcpy(script + 2, program, len);
    *script_len = 2 + len;
    return true;
}

static bool decode_bech32(uint8_t *script, size_t *script_len, struct address_error *error, const char *text,
                          const struct address_prefixes *p)
{
    char hrp[84];
    uint8_t values[90], program[64];
    size_t n, len = 0;
    enum bech32_encoding enc = bech32_decode(hrp, values, &n, text);

    if (enc == BECH32_INVALID) {
        if (error)
            error->malformed_bech32 = true;
        return refuse(error, "%s", bech32_locate_errors(text, NULL, &len));
    }
    if (n == 0)
        return refuse(error, "Empty Bech32 data section");
    if (strcmp(hrp, p->bech32_hrp) != 0)
        return refuse(error, "Invalid or unsupported prefix for Segwit (Bech32) address (expected %s, got %s).", p->bech32_hrp,
                      hrp);
    if (values[0] == 0 && enc != BECH32)
        return refuse(error, "Version 0 witness address must use Bech32 checksum");
    if (values[0] != 0 && enc != BECH32M)
        return refuse(error, "Version 1+ witness address must use Bech32m checksum");
    if (!values_to_bytes(program, &len, values + 1, n - 1))
        return refuse(error, "Invalid padding in Bech32 data section");
    return witness_script(script, script_len, error, values[0], program, len);
}

/* Text that begins like the network's bech32 addresses is never taken for base58. */
static bool has_prefix(const char *text, const char *hrp)
{
    for (; *hrp; hrp++, text++) {
        char c = *text >= 'A' && *text <= 'Z' ? (char)(*text - 'A' + 'a') : *text;
        if (c != *hrp)
            return false;
    }
    return true;
}

bool address_decode(uint8_t *script, size_t *script_len, struct address_error *error, const char *text,
                    const struct address_prefixes *p)
{
    if (error)
        memset(error, 0, sizeof(*error));
    if (has_prefix(text, p->bech32_hrp))
        return decode_bech32(script, script_len, error, text, p);
    return decode_base58(script, script_len, error, text, p);
}

static char *encode_hash(uint8_t prefix, const uint8_t hash[HASH160_LEN])
{
    uint8_t data[1 + HASH160_LEN];
    data[0] = prefix;
    memcpy(data + 1, hash, HASH160_LEN);
    return base58check_encode(data, sizeof(data));
}

static char *encode_witness(unsigned version, const uint8_t *program, size_t len, const struct address_prefixes *p)
{
    uint8_t values[1 + PROGRAM_MAX * 8 / 5 + 1];

    values[0] = (uint8_t)version;
    size_t n = 1 + bytes_to_values(values + 1, program, len);
    return bech32_encode(p->bech32_hrp, values, n, version == 0 ? BECH32 : BECH32M);
}

char *address_encode(const uint8_t *script, size_t len, const struct address_prefixes *p)
{
    uint8_t same[ADDRESS_SCRIPT_MAX];
    size_t same_len;

    if (len == 25) {
        p2pkh_script(same, &same_len, script + 3);
        if (memcmp(same, script, len) == 0)
            return encode_hash(p->pubkey_hash, script + 3);
    }
    if (len == 23) {
        p2sh_script(same, &same_len, script + 2);
        if (memcmp(same, script, len) == 0)
            return encode_hash(p->script_hash, script + 2);
    }
    if (len < 2 + PROGRAM_MIN || len > 2 + PROGRAM_MAX || script[1] != len - 2)
        return NULL;
    if (script[0] >= OP_1 && script[0] <= OP_16)
        return encode_witness(script[0] - OP_1 + 1u, script + 2, len - 2, p);
    if (script[0] == 0 && (len == 22 || len == 34))
        return encode_witness(0, script + 2, len - 2, p);
    return NULL;
}

bool wif_decode(uint8_t key[32], bool *compressed, const char *text, const struct address_prefixes *p)
{
    uint8_t data[34];
    size_t len = sizeof(data);
    bool ok = base58check_decode(data, &len, text) && (len == 33 || (len == 34 && data[33] == 1)) && data[0] == p->secret_key &&
              seckey_is_valid(data + 1);

    if (ok) {
        memcpy(key, data + 1, 32);
        *compressed = len == 34;
    }
    crypto_wipe(data, sizeof(data));
    return ok;
}

char *wif_encode(const uint8_t key[32], bool compressed, const struct address_prefixes *p)
{
    uint8_t data[34];

    data[0] = p->secret_key;
    memcpy(data + 1, key, 32);
    data[33] = 1;
    char *text = base58check_encode(data, compressed ? 34 : 33);
    crypto_wipe(data, sizeof(data));
    return text;
}
