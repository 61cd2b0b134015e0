/* bip324.c - shared secret, key derivation and packet cipher of the encrypted transport. Pure but for the cipher's own state. */
#include "crypto/bip324.h"

#include <secp256k1.h>
#include <secp256k1_ecdh.h>
#include <string.h>

#include "crypto/chacha.h"
#include "crypto/hash.h"
#include "crypto/sha256.h"
#include "util/bytes.h"

#define IGNORE_BIT 0x80

/* The library's own hash of the shared point is not wanted: x alone. */
static int take_x(unsigned char *out, const unsigned char *x, const unsigned char *y, void *data)
{
    (void)y;
    (void)data;
    memcpy(out, x, 32);
    return 1;
}

bool bip324_ecdh(uint8_t secret[32], const uint8_t key[32], const uint8_t ell_ours[64], const uint8_t ell_theirs[64],
                 bool initiating)
{
    uint8_t point[33] = {2}, x[32];
    secp256k1_pubkey pub;
    struct sha256 h;

    ellswift_decode(point + 1, ell_theirs);
    if (!secp256k1_ec_pubkey_parse(secp256k1_context_static, &pub, point, 33) ||
        !secp256k1_ecdh(secp256k1_context_static, x, &pub, key, take_x, NULL))
        return false;
    sha256_init_tagged(&h, "bip324_ellswift_xonly_ecdh");
    sha256_write(&h, initiating ? ell_ours : ell_theirs, 64);
    sha256_write(&h, initiating ? ell_theirs : ell_ours, 64);
    sha256_write(&h, x, 32);
    sha256_finish(&h, secret);
    crypto_wipe(x, sizeof(x));
    return true;
}

/* HKDF-SHA256 with outputs of one hash. */
static void expand(uint8_t out[32], const uint8_t prk[32], const char *info)
{
    uint8_t text[64];
    size_t len = strlen(info);

    memcpy(text, info, len);
    text[len] = 1;
    hmac_sha256(out, prk, 32, text, len + 1);
}

void bip324_cipher_init(struct bip324_cipher *c, const uint8_t secret[32], const uint8_t magic[4], bool initiating)
{
    struct bip324_stream *initiator = initiating ? &c->send : &c->recv, *responder = initiating ? &c->recv : &c->send;
    uint8_t salt[28], prk[32], terminators[32];

    memset(c, 0, sizeof(*c));
    memcpy(salt, "bitcoin_v2_shared_secret", 24);
    memcpy(salt + 24, magic, 4);
    hmac_sha256(prk, salt, sizeof(salt), secret, 32);
    expand(initiator->length_key, prk, "initiator_L");
    expand(initiator->packet_key, prk, "initiator_P");
    expand(responder->length_key, prk, "responder_L");
    expand(responder->packet_key, prk, "responder_P");
    expand(c->session_id, prk, "session_id");
    expand(terminators, prk, "garbage_terminators");
    memcpy(c->send_garbage_terminator, terminators + (initiating ? 0 : 16), 16);
    memcpy(c->recv_garbage_terminator, terminators + (initiating ? 16 : 0), 16);
    c->aead = aead_new();
    crypto_wipe(prk, sizeof(prk));
}

void bip324_cipher_clear(struct bip324_cipher *c)
{
    aead_free(c->aead);
    crypto_wipe(c, sizeof(*c));
}

/* FSChaCha20 over the 3 bytes of a length: one keystream goes on until the key moves on, so that it is made for all of them at once. */
static void crypt_length(struct bip324_stream *s, uint8_t bytes[3])
{
    uint8_t nonce[12] = {0};

    if (!s->pads_made) {
        put_le64(nonce + 4, s->length_epoch);
        chacha20_keystream(s->pads, sizeof(s->pads), s->length_key, nonce, 0);
        s->pads_made = true;
    }
    for (unsigned i = 0; i < 3; i++)
        bytes[i] ^= s->pads[s->length_count * 3 + i];
    if (++s->length_count == BIP324_REKEY) {
        memcpy(s->length_key, s->pads + BIP324_REKEY * 3, 32);
        s->length_count = 0;
        s->length_epoch++;
        s->pads_made = false;
    }
}

static void packet_nonce(uint8_t nonce[12], const struct bip324_stream *s, uint32_t count)
{
    put_le32(nonce, count);
    put_le64(nonce + 4, s->packet_epoch);
}

/* After each packet; the key that follows is the start of a keystream under the nonce that no packet has. */
static void packet_done(struct bip324_stream *s)
{
    uint8_t nonce[12], next[32];

    if (++s->packet_count < BIP324_REKEY)
        return;
    packet_nonce(nonce, s, 0xffffffff);
    chacha20_keystream(next, 32, s->packet_key, nonce, 1);
    memcpy(s->packet_key, next, 32);
    s->packet_count = 0;
    s->packet_epoch++;
    crypto_wipe(next, sizeof(next));
}

void bip324_encrypt(struct bip324_cipher *c, uint8_t *packet, size_t len, const uint8_t *aad, size_t aad_len, bool ignore)
{
    uint8_t nonce[12], *plain = packet + BIP324_LENGTH;

    packet[0] = (uint8_t)len;
    packet[1] = (uint8_t)(len >> 8);
    packet[2] = (uint8_t)(len >> 16);
    crypt_length(&c->send, packet);
    plain[0] = ignore ? IGNORE_BIT : 0;
    packet_nonce(nonce, &c->send, c->send.packet_count);
    aead_encrypt(c->aead, plain, plain, len + 1, aad, aad_len, c->send.packet_key, nonce);
    packet_done(&c->send);
}

uint32_t bip324_decrypt_length(struct bip324_cipher *c, const uint8_t in[3])
{
    uint8_t bytes[3];

    memcpy(bytes, in, 3);
    crypt_length(&c->recv, bytes);
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16;
}

bool bip324_decrypt(struct bip324_cipher *c, uint8_t *plain, bool *ignore, const uint8_t *in, size_t len, const uint8_t *aad,
                    size_t aad_len)
{
    uint8_t nonce[12];
    bool ok;

    packet_nonce(nonce, &c->recv, c->recv.packet_count);
    ok = aead_decrypt(c->aead, plain, in, len + 1, aad, aad_len, c->recv.packet_key, nonce);
    packet_done(&c->recv);
    *ignore = (plain[0] & IGNORE_BIT) != 0;
    return ok;
}
