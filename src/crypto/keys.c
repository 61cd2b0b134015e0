/* keys.c - ECDSA, Schnorr and taproot tweaks over libsecp256k1. Called by script checks on all workers and by the wallet side.
 *
 * Verification needs no tables of its own and uses the library's constant context; signing uses one that is randomised
 * against side channels, made once. */
#include "crypto/keys.h"

#include <pthread.h>
#include <secp256k1.h>
#include <secp256k1_extrakeys.h>
#include <secp256k1_recovery.h>
#include <secp256k1_schnorrsig.h>
#include <string.h>

#include "crypto/hash.h"
#include "crypto/sha256.h"
#include "util/assert.h"
#include "util/bytes.h"
#include "util/random.h"

#define VERIFY_CTX secp256k1_context_static

static pthread_once_t once = PTHREAD_ONCE_INIT;
static secp256k1_context *sign_ctx;

static void sign_ctx_make(void)
{
    uint8_t seed[32];
    int ok;

    sign_ctx = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    ASSERT(sign_ctx);
    random_bytes(seed, sizeof(seed));
    ok = secp256k1_context_randomize(sign_ctx, seed);
    ASSERT(ok);
    crypto_wipe(seed, sizeof(seed));
}

static const secp256k1_context *signer(void)
{
    pthread_once(&once, sign_ctx_make);
    return sign_ctx;
}

/* A BER length: one byte, or 0x8n and n bytes of which leading zeroes do not count. Returns: false if it is too long. */
static bool lax_length(struct reader *r, size_t *len)
{
    uint8_t first = read_u8(r);
    size_t n = first & 0x7f;

    *len = first;
    if (!(first & 0x80))
        return !r->failed;
    if (n > reader_left(r))
        return false;
    while (n && *r->pos == 0) {
        r->pos++;
        n--;
    }
    if (n >= 4)
        return false;
    for (*len = 0; n; n--)
        *len = *len << 8 | read_u8(r);
    return true;
}

/* An INTEGER that should fit 32 bytes. Out: out; *overflow is set if it does not fit. */
static bool lax_integer(struct reader *r, uint8_t out[32], bool *overflow)
{
    const uint8_t *p;
    size_t len;

    if (read_u8(r) != 0x02 || r->failed || !lax_length(r, &len))
        return false;
    p = read_bytes(r, len);
    if (!p)
        return false;
    while (len && *p == 0) {
        p++;
        len--;
    }
    memset(out, 0, 32);
    if (len > 32)
        *overflow = true;
    else if (len)
        memcpy(out + 32 - len, p, len);
    return true;
}

/* Reads what OpenSSL 1.0 read, as old blocks hold such signatures: lengths of the sequence are skipped unchecked, integers may
 * be padded or negative, bytes may follow. Numbers out of range parse, as a signature (0, 0) that verifies nothing. */
static bool parse_lax(secp256k1_ecdsa_signature *sig, const uint8_t *in, size_t len)
{
    struct reader r = reader_make(in, len);
    uint8_t compact[64], sequence_len;
    bool overflow = false;

    if (read_u8(&r) != 0x30 || r.failed)
        return false;
    sequence_len = read_u8(&r);
    if (r.failed || (sequence_len & 0x80 && !read_bytes(&r, sequence_len & 0x7f)))
        return false;
    if (!lax_integer(&r, compact, &overflow) || !lax_integer(&r, compact + 32, &overflow))
        return false;
    if (overflow || !secp256k1_ecdsa_signature_parse_compact(VERIFY_CTX, sig, compact)) {
        memset(compact, 0, sizeof(compact));
        overflow = !secp256k1_ecdsa_signature_parse_compact(VERIFY_CTX, sig, compact);
        ASSERT(!overflow);
    }
    return true;
}

/* The library takes a NULL pointer, which an empty script element may be, for a bug of ours: lengths are checked before. */
static bool parse_pubkey(secp256k1_pubkey *key, const uint8_t *in, size_t len)
{
    return (len == 33 || len == 65) && secp256k1_ec_pubkey_parse(VERIFY_CTX, key, in, len);
}

bool ecdsa_verify(const uint8_t *sig, size_t sig_len, const uint8_t hash[32], const uint8_t *pubkey, size_t pubkey_len)
{
    secp256k1_ecdsa_signature s;
    secp256k1_pubkey key;

    if (!parse_pubkey(&key, pubkey, pubkey_len) || !parse_lax(&s, sig, sig_len))
        return false;
    secp256k1_ecdsa_signature_normalize(VERIFY_CTX, &s, &s); /* the library takes low S only; consensus takes both */
    return secp256k1_ecdsa_verify(VERIFY_CTX, &s, hash, &key);
}

bool ecdsa_sig_is_low_s(const uint8_t *sig, size_t sig_len)
{
    secp256k1_ecdsa_signature s;

    return parse_lax(&s, sig, sig_len) && !secp256k1_ecdsa_signature_normalize(VERIFY_CTX, NULL, &s);
}

bool schnorr_verify(const uint8_t sig[64], const uint8_t *msg, size_t msg_len, const uint8_t pubkey_x[32])
{
    secp256k1_xonly_pubkey key;

    return secp256k1_xonly_pubkey_parse(VERIFY_CTX, &key, pubkey_x) &&
           secp256k1_schnorrsig_verify(VERIFY_CTX, sig, msg, msg_len, &key);
}

void taproot_tweak_hash(uint8_t out[32], const uint8_t internal_x[32], const uint8_t *merkle_root)
{
    struct sha256 ctx;

    sha256_init_tagged(&ctx, "TapTweak");
    sha256_write(&ctx, internal_x, 32);
    if (merkle_root)
        sha256_write(&ctx, merkle_root, 32);
    sha256_finish(&ctx, out);
}

bool taproot_tweak_check(const uint8_t output_x[32], int parity, const uint8_t internal_x[32], const uint8_t merkle_root[32])
{
    secp256k1_xonly_pubkey internal;
    uint8_t tweak[32];

    if (!secp256k1_xonly_pubkey_parse(VERIFY_CTX, &internal, internal_x))
        return false;
    taproot_tweak_hash(tweak, internal_x, merkle_root);
    return secp256k1_xonly_pubkey_tweak_add_check(VERIFY_CTX, output_x, parity, &internal, tweak);
}

bool taproot_tweak(uint8_t output_x[32], int *parity, const uint8_t internal_x[32], const uint8_t *merkle_root)
{
    secp256k1_xonly_pubkey internal, output;
    secp256k1_pubkey full;
    uint8_t tweak[32];

    if (!secp256k1_xonly_pubkey_parse(VERIFY_CTX, &internal, internal_x))
        return false;
    taproot_tweak_hash(tweak, internal_x, merkle_root);
    if (!secp256k1_xonly_pubkey_tweak_add(VERIFY_CTX, &full, &internal, tweak) ||
        !secp256k1_xonly_pubkey_from_pubkey(VERIFY_CTX, &output, parity, &full))
        return false;
    secp256k1_xonly_pubkey_serialize(VERIFY_CTX, output_x, &output);
    return true;
}

bool pubkey_is_valid(const uint8_t *pubkey, size_t len)
{
    secp256k1_pubkey key;
    return parse_pubkey(&key, pubkey, len);
}

bool xonly_is_valid(const uint8_t pubkey_x[32])
{
    secp256k1_xonly_pubkey key;
    return secp256k1_xonly_pubkey_parse(VERIFY_CTX, &key, pubkey_x);
}

bool seckey_is_valid(const uint8_t key[32])
{
    return secp256k1_ec_seckey_verify(VERIFY_CTX, key);
}

bool pubkey_create(uint8_t *out, const uint8_t key[32], bool compressed)
{
    secp256k1_pubkey pub;
    size_t len = compressed ? 33 : 65;

    if (!secp256k1_ec_pubkey_create(signer(), &pub, key))
        return false;
    secp256k1_ec_pubkey_serialize(VERIFY_CTX, out, &len, &pub, compressed ? SECP256K1_EC_COMPRESSED : SECP256K1_EC_UNCOMPRESSED);
    return true;
}

/* True if R needs no padding byte in DER: the signature is a byte shorter then. */
static bool has_low_r(const secp256k1_ecdsa_signature *s)
{
    uint8_t compact[64];

    secp256k1_ecdsa_signature_serialize_compact(VERIFY_CTX, compact, s);
    return compact[0] < 0x80;
}

bool ecdsa_sign(uint8_t *sig, size_t *sig_len, const uint8_t hash[32], const uint8_t key[32])
{
    secp256k1_ecdsa_signature s;
    uint8_t extra[32] = {0};

    for (uint32_t counter = 0;; put_le32(extra, ++counter)) {
        /* The first try is plain RFC 6979; only repeats mix in the counter. */
        if (!secp256k1_ecdsa_sign(signer(), &s, hash, key, secp256k1_nonce_function_rfc6979, counter ? extra : NULL))
            return false;
        if (has_low_r(&s))
            break;
    }
    *sig_len = 72;
    return secp256k1_ecdsa_signature_serialize_der(VERIFY_CTX, sig, sig_len, &s);
}

bool ecdsa_sign_compact(uint8_t sig[65], const uint8_t hash[32], const uint8_t key[32], bool compressed)
{
    secp256k1_ecdsa_recoverable_signature s;
    int id;

    if (!secp256k1_ecdsa_sign_recoverable(signer(), &s, hash, key, secp256k1_nonce_function_rfc6979, NULL))
        return false;
    secp256k1_ecdsa_recoverable_signature_serialize_compact(VERIFY_CTX, sig + 1, &id, &s);
    sig[0] = (uint8_t)(27 + id + (compressed ? 4 : 0));
    return true;
}

bool ecdsa_recover_compact(uint8_t pubkey[65], size_t *len, const uint8_t sig[65], const uint8_t hash[32])
{
    secp256k1_ecdsa_recoverable_signature s;
    secp256k1_pubkey key;
    unsigned head = (sig[0] - 27u) & 7; /* as Core: other bits do not count */

    if (!secp256k1_ecdsa_recoverable_signature_parse_compact(VERIFY_CTX, &s, sig + 1, (int)(head & 3)) ||
        !secp256k1_ecdsa_recover(VERIFY_CTX, &key, &s, hash))
        return false;
    *len = head & 4 ? 33 : 65;
    return secp256k1_ec_pubkey_serialize(VERIFY_CTX, pubkey, len, &key,
                                         head & 4 ? SECP256K1_EC_COMPRESSED : SECP256K1_EC_UNCOMPRESSED);
}

/* Takes the key pair by reference and wipes it. */
static bool sign_pair(uint8_t sig[64], const uint8_t *msg, size_t msg_len, secp256k1_keypair *pair, const uint8_t *aux)
{
    secp256k1_schnorrsig_extraparams params = SECP256K1_SCHNORRSIG_EXTRAPARAMS_INIT;
    secp256k1_xonly_pubkey pub;
    uint8_t aux_copy[32];
    bool ok;

    if (aux) {
        memcpy(aux_copy, aux, sizeof(aux_copy));
        params.ndata = aux_copy;
    }
    /* A fault while signing could reveal the key, hence the check. */
    ok = secp256k1_schnorrsig_sign_custom(signer(), sig, msg, msg_len, pair, &params) &&
         secp256k1_keypair_xonly_pub(VERIFY_CTX, &pub, NULL, pair) &&
         secp256k1_schnorrsig_verify(VERIFY_CTX, sig, msg, msg_len, &pub);
    crypto_wipe(pair, sizeof(*pair));
    if (!ok)
        memset(sig, 0, 64);
    return ok;
}

bool schnorr_sign(uint8_t sig[64], const uint8_t *msg, size_t msg_len, const uint8_t key[32], const uint8_t *aux)
{
    secp256k1_keypair pair;

    return secp256k1_keypair_create(signer(), &pair, key) && sign_pair(sig, msg, msg_len, &pair, aux);
}

bool schnorr_sign_taproot(uint8_t sig[64], const uint8_t hash[32], const uint8_t key[32], const uint8_t *merkle_root,
                          const uint8_t *aux)
{
    secp256k1_xonly_pubkey internal;
    secp256k1_keypair pair;
    uint8_t x[32], tweak[32];

    if (!secp256k1_keypair_create(signer(), &pair, key) || !secp256k1_keypair_xonly_pub(VERIFY_CTX, &internal, NULL, &pair))
        return false;
    secp256k1_xonly_pubkey_serialize(VERIFY_CTX, x, &internal);
    taproot_tweak_hash(tweak, x, merkle_root);
    if (!secp256k1_keypair_xonly_tweak_add(VERIFY_CTX, &pair, tweak)) {
        crypto_wipe(&pair, sizeof(pair));
        return false;
    }
    return sign_pair(sig, hash, 32, &pair, aux);
}
