/* bip324.h - ElligatorSwift keys and the cipher of the encrypted transport (BIP324). A cipher belongs to one thread; the rest is pure, any thread. */
#ifndef FARTHING_CRYPTO_BIP324_H
#define FARTHING_CRYPTO_BIP324_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** XElligatorSwift decoding: the x coordinate that 64 bytes (u, t) stand for. Out: x (32). Never fails. */
void ellswift_decode(uint8_t x[32], const uint8_t ell[64]);
/** The t that with u encodes x in one of eight ways (`way` 0 to 7). Out: t (32). Returns: false if that way has no solution. */
bool ellswift_inverse(uint8_t t[32], const uint8_t x[32], const uint8_t u[32], unsigned way);
/** An encoding of a key's point that looks like random bytes: one of about 2^256, chosen by `seed` (32 random bytes). Out: ell (64).
 *  Returns: false if key is invalid. About 0.3 ms. */
bool ellswift_create(uint8_t ell[64], const uint8_t key[32], const uint8_t seed[32]);
/** The secret of both sides. In: key (ours), ell_ours, ell_theirs; initiating: we opened the connection. Out: secret (32). Returns: false if key is invalid. */
bool bip324_ecdh(uint8_t secret[32], const uint8_t key[32], const uint8_t ell_ours[64], const uint8_t ell_theirs[64],
                 bool initiating);

#define BIP324_REKEY 224    /* messages under one key */
#define BIP324_LENGTH 3     /* bytes of the encrypted length in front of a packet */
#define BIP324_CONTENTS 4   /* where its contents begin, behind length and header byte */
#define BIP324_EXPANSION 20 /* bytes that a packet has beyond its contents: those and the tag */

/* One direction: a stream for lengths, an AEAD for packets, both with keys that move on. */
struct bip324_stream {
    uint8_t length_key[32], packet_key[32];
    uint32_t length_count, packet_count; /* messages under the present keys */
    uint64_t length_epoch, packet_epoch; /* keys used up */
    bool pads_made;
    uint8_t pads[BIP324_REKEY * 3 + 32]; /* keystream of all lengths under the present key, and the next key */
};
struct aead;
struct bip324_cipher {
    struct bip324_stream send, recv;
    struct aead *aead; /* owned */
    uint8_t session_id[32], send_garbage_terminator[16], recv_garbage_terminator[16];
};
/** Derives everything from the secret. magic: of the network. */
void bip324_cipher_init(struct bip324_cipher *c, const uint8_t secret[32], const uint8_t magic[4], bool initiating);
/** Wipes it; one of zeroes is allowed. */
void bip324_cipher_clear(struct bip324_cipher *c);
/** Encrypts one packet in place. In/out: packet (len + BIP324_EXPANSION bytes), whose contents (len bytes, below 2^24) stand at
 *  packet + BIP324_CONTENTS; all of it is the packet afterwards. ignore: a decoy. */
void bip324_encrypt(struct bip324_cipher *c, uint8_t *packet, size_t len, const uint8_t *aad, size_t aad_len, bool ignore);
/** Length of the contents out of a packet's first 3 bytes; once for each packet, before bip324_decrypt. */
uint32_t bip324_decrypt_length(struct bip324_cipher *c, const uint8_t in[3]);
/** Decrypts what follows the length (len + 17 bytes). Out: plain (1 + len bytes, may be `in`), whose contents stand at plain + 1; *ignore.
 *  Returns: false (plain zeroed) if it was tampered with. */
bool bip324_decrypt(struct bip324_cipher *c, uint8_t *plain, bool *ignore, const uint8_t *in, size_t len, const uint8_t *aad,
                    size_t aad_len);

#endif
