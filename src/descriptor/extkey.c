/* extkey.c - extended keys (BIP32). Called by the descriptor files and RPC; pure. */
#include "descriptor/extkey.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "crypto/keys.h"
#include "util/bytes.h"

#define EXTKEY_SIZE 78 /* with its network's 4 bytes */

bool extkey_from_seed(struct extkey *out, const void *seed, size_t len)
{
    uint8_t h[64];
    bool ok;

    memset(out, 0, sizeof(*out));
    hmac_sha512(h, "Bitcoin seed", 12, seed, len);
    memcpy(out->secret, h, 32);
    memcpy(out->chain_code, h + 32, 32);
    crypto_wipe(h, sizeof(h));
    out->has_secret = true;
    ok = pubkey_create(out->pub, out->secret, true);
    return ok;
}

bool extkey_decode(struct extkey *out, const char *text, const struct address_prefixes *p)
{
    static const uint8_t none[4] = {0};
    uint8_t b[EXTKEY_SIZE];
    size_t len = sizeof(b);
    bool ok = false;

    memset(out, 0, sizeof(*out));
    if (!base58check_decode(b, &len, text) || len != sizeof(b))
        return false;
    out->depth = b[4];
    memcpy(out->parent, b + 5, 4);
    out->child = get_be32(b + 9);
    memcpy(out->chain_code, b + 13, 32);
    if (memcmp(b, p->ext_secret, 4) == 0) {
        memcpy(out->secret, b + 46, 32);
        out->has_secret = true;
        ok = b[45] == 0 && pubkey_create(out->pub, out->secret, true);
    } else if (memcmp(b, p->ext_public, 4) == 0) {
        memcpy(out->pub, b + 45, 33);
        ok = pubkey_is_valid(out->pub, 33);
    }
    crypto_wipe(b, sizeof(b));
    return ok && (out->depth != 0 || (out->child == 0 && memcmp(out->parent, none, 4) == 0));
}

char *extkey_encode(const struct extkey *key, bool secret, const struct address_prefixes *p)
{
    uint8_t b[EXTKEY_SIZE];
    char *text;

    memcpy(b, secret ? p->ext_secret : p->ext_public, 4);
    b[4] = key->depth;
    memcpy(b + 5, key->parent, 4);
    put_be32(b + 9, key->child);
    memcpy(b + 13, key->chain_code, 32);
    b[45] = 0;
    memcpy(b + (secret ? 46 : 45), secret ? key->secret : key->pub, secret ? 32 : 33);
    text = base58check_encode(b, sizeof(b));
    crypto_wipe(b, sizeof(b));
    return text;
}

void extkey_fingerprint(uint8_t out[4], const struct extkey *key)
{
    uint8_t h[20];

    hash160(h, key->pub, 33);
    memcpy(out, h, 4);
}

void extkey_of_musig(struct extkey *out, const uint8_t pub[33])
{
    /* BIP328: SHA-256 of "MuSig2MuSig2MuSig2" */
    static const uint8_t musig_chain_code[32] = {0x86, 0x80, 0x87, 0xca, 0x02, 0xa6, 0xf9, 0x74, 0xc4, 0x59, 0x89,
                                                 0x24, 0xc3, 0x6b, 0x57, 0x76, 0x2d, 0x32, 0xcb, 0x45, 0x71, 0x71,
                                                 0x67, 0xe3, 0x00, 0x62, 0x2c, 0x71, 0x67, 0xe3, 0x89, 0x65};
    struct extkey root = {.depth = 0};

    memcpy(root.pub, pub, 33);
    memcpy(root.chain_code, musig_chain_code, 32);
    *out = root;
}

bool extkey_tweak(uint8_t out[32], const struct extkey *key, uint32_t step)
{
    uint8_t data[37], h[64];

    if (key->depth == 255 || (step & EXTKEY_HARDENED))
        return false;
    memcpy(data, key->pub, 33);
    put_be32(data + 33, step);
    hmac_sha512(h, key->chain_code, 32, data, sizeof(data));
    memcpy(out, h, 32);
    return true;
}

bool extkey_derive(struct extkey *out, const struct extkey *key, uint32_t step)
{
    uint8_t data[37] = {0}, h[64];
    struct extkey child = {.depth = (uint8_t)(key->depth + 1), .child = step, .has_secret = key->has_secret};
    bool hardened = step & EXTKEY_HARDENED, ok;

    if (key->depth == 255 || (hardened && !key->has_secret))
        return false;
    if (hardened)
        memcpy(data + 1, key->secret, 32);
    else
        memcpy(data, key->pub, 33);
    put_be32(data + 33, step);
    hmac_sha512(h, key->chain_code, 32, data, sizeof(data));
    extkey_fingerprint(child.parent, key);
    memcpy(child.chain_code, h + 32, 32);
    if (key->has_secret) {
        memcpy(child.secret, key->secret, 32);
        ok = seckey_tweak_add(child.secret, h) && pubkey_create(child.pub, child.secret, true);
    } else {
        ok = pubkey_tweak_add(child.pub, key->pub, h);
    }
    *out = child;
    crypto_wipe(data, sizeof(data));
    crypto_wipe(h, sizeof(h));
    crypto_wipe(&child, sizeof(child));
    return ok;
}

void extkey_neuter(struct extkey *key)
{
    crypto_wipe(key->secret, sizeof(key->secret));
    key->has_secret = false;
}
