/* checksig.c - encoding rules of signatures and keys, and their verification against the right signature hash, through the signature
 * cache. Called by the signature operations (ops_sig.c) and by the taproot key path (verify.c); any thread, one context each. */
#include "script/checksig.h"

#include "crypto/keys.h"
#include "script/cache.h"

#include <string.h>

/* An integer at p, with at most `room` bytes behind its header, as DER has it: positive, no needless zero in front.
 * Returns: bytes of header and value, 0 if it is not that. */
static size_t der_integer(const uint8_t *p, size_t room)
{
    if (room < 3 || p[0] != 0x02)
        return 0;
    const size_t len = p[1];
    if (len == 0 || len > room - 2 || (p[2] & 0x80) || (len > 1 && p[2] == 0 && !(p[3] & 0x80)))
        return 0;
    return len + 2;
}

bool sig_is_strict_der(const uint8_t *sig, size_t len)
{
    /* 0x30, length, R, S, hash type */
    if (len < 9 || len > 73 || sig[0] != 0x30 || sig[1] != len - 3)
        return false;
    const size_t body = len - 3;
    const size_t r = der_integer(sig + 2, body);
    return r && r < body && der_integer(sig + 2 + r, body - r) == body - r;
}

static bool hash_type_is_defined(uint8_t hash_type)
{
    const uint8_t base = hash_type & ~SIGHASH_ANYONECANPAY;
    return base >= SIGHASH_ALL && base <= SIGHASH_SINGLE;
}

bool script_sig_is_well_formed(const uint8_t *sig, size_t len)
{
    return sig_is_strict_der(sig, len) && hash_type_is_defined(sig[len - 1]);
}

enum script_error sig_check_encoding(const uint8_t *sig, size_t len, uint32_t flags)
{
    const uint32_t der = SCRIPT_VERIFY_DERSIG | SCRIPT_VERIFY_LOW_S | SCRIPT_VERIFY_STRICTENC;

    if (len == 0)
        return SCRIPT_ERR_OK;
    if ((flags & der) && !sig_is_strict_der(sig, len))
        return SCRIPT_ERR_SIG_DER;
    if ((flags & SCRIPT_VERIFY_LOW_S) && !ecdsa_sig_is_low_s(sig, len - 1))
        return SCRIPT_ERR_SIG_HIGH_S;
    if ((flags & SCRIPT_VERIFY_STRICTENC) && !hash_type_is_defined(sig[len - 1]))
        return SCRIPT_ERR_SIG_HASHTYPE;
    return SCRIPT_ERR_OK;
}

static bool is_compressed(const uint8_t *key, size_t len)
{
    return len == 33 && (key[0] == 2 || key[0] == 3);
}

enum script_error pubkey_check_encoding(const uint8_t *key, size_t len, uint32_t flags, bool v0)
{
    if ((flags & SCRIPT_VERIFY_STRICTENC) && !is_compressed(key, len) && !(len == 65 && key[0] == 4))
        return SCRIPT_ERR_PUBKEYTYPE;
    if ((flags & SCRIPT_VERIFY_WITNESS_PUBKEYTYPE) && v0 && !is_compressed(key, len))
        return SCRIPT_ERR_WITNESS_PUBKEYTYPE;
    return SCRIPT_ERR_OK;
}

bool pubkey_size_is_valid(const uint8_t *key, size_t len)
{
    return is_compressed(key, len) || (len == 65 && (key[0] == 4 || key[0] == 6 || key[0] == 7));
}

/* Runs a verification unless the cache knows it to succeed. While storing, entries stay; else a hit is given up: its block is here. */
static bool cached_verify(struct sig_context *c, char kind, const uint8_t hash[32], const uint8_t *key, size_t key_len,
                          const uint8_t *sig, size_t sig_len)
{
    uint8_t id[32];

    if (c->cache) {
        sig_cache_key(id, c->cache, kind, hash, key, key_len, sig, sig_len);
        if (sig_cache_has(c->cache, id, !c->cache_store))
            return true;
    }
    if (!(kind == 'E' ? ecdsa_verify(sig, sig_len, hash, key, key_len) : schnorr_verify(sig, hash, 32, key)))
        return false;
    if (c->cache && c->cache_store)
        sig_cache_add(c->cache, id);
    return true;
}

bool check_ecdsa(struct sig_context *c, const uint8_t *sig, size_t sig_len, const uint8_t *key, size_t key_len,
                 const struct script_code *code, bool v0)
{
    uint8_t hash[32];

    if (sig_len == 0 || !pubkey_size_is_valid(key, key_len) || (v0 && c->spent->value < 0))
        return false;
    sighash_memo_hash(hash, &c->memo, c->tx, c->n, v0, code, c->spent->value, sig[sig_len - 1], c->mid);
    return cached_verify(c, 'E', hash, key, key_len, sig, sig_len - 1);
}

/* One output may be long and many signatures may sign it alone: hash it once. */
static void keep_output_hash(struct sig_context *c, struct sighash_v1_ctx *extra, uint8_t hash_type)
{
    if ((hash_type & 3) != SIGHASH_SINGLE || c->n >= c->tx->n_out)
        return;
    if (!c->has_output_hash)
        sighash_v1_output(c->output_hash, &c->tx->out[c->n]);
    c->has_output_hash = true;
    extra->output_hash = c->output_hash;
}

enum script_error check_schnorr(struct sig_context *c, const uint8_t *sig, size_t sig_len, const uint8_t *key_x,
                                const struct sighash_v1_ctx *extra)
{
    struct sighash_v1_ctx with_output = *extra;
    uint8_t hash[32], hash_type = SIGHASH_DEFAULT;

    if (sig_len != 64 && sig_len != 65)
        return SCRIPT_ERR_SCHNORR_SIG_SIZE;
    if (sig_len == 65) {
        hash_type = sig[64];
        if (hash_type == SIGHASH_DEFAULT)
            return SCRIPT_ERR_SCHNORR_SIG_HASHTYPE;
    }
    if (!c->mid || !c->mid->spent)
        return SCRIPT_ERR_UNKNOWN;
    keep_output_hash(c, &with_output, hash_type);
    if (!sighash_v1(hash, c->tx, c->n, hash_type, &with_output, c->mid))
        return SCRIPT_ERR_SCHNORR_SIG_HASHTYPE;
    return cached_verify(c, 'S', hash, key_x, 32, sig, 64) ? SCRIPT_ERR_OK : SCRIPT_ERR_SCHNORR_SIG;
}
