/* signer.h - the state of one input being signed, shared by the sign_*.c files. Private to the module. */
#ifndef FARTHING_SCRIPT_SIGNER_H
#define FARTHING_SCRIPT_SIGNER_H

#include "script/sign.h"

#define SEEN_MAX 1024 /* items of other states looked at; 20 signatures are the most that one input needs */
#define SIG_MIN 9
#define SIG_MAX 73

struct signer {
    const struct sign_job *job;
    struct sign_data *data; /* the job's or own */
    struct sign_data own;
    struct arena arena;
    struct witness_item seen[SEEN_MAX];
    size_t n_seen;
    struct witness_item *stack; /* the satisfaction, first item at the bottom */
    size_t n, cap;
};

/* The script that a signature commits to, and by which rules. */
struct sign_code {
    const uint8_t *script;
    size_t len;
    bool witness;
};

/* Notes a key that is asked for a signature. leaf_hash: NULL for ECDSA. Returns: signs. */
bool signer_note(struct signer *s, const uint8_t *pub, size_t pub_len, const uint8_t *leaf_hash, bool signs);
/* Puts borrowed bytes on the satisfaction. Returns: true. */
bool signer_push(struct signer *s, const uint8_t *data, size_t len);
/* The key behind a HASH160, NULL data if it is not known (and noted as missing); x_only: the hash is of its 32 bytes. */
struct witness_item signer_pub_of_hash(struct signer *s, const uint8_t hash[20], bool x_only);
/* An ECDSA signature of this key, an old or a new one. Returns: NULL data if there is none (and noted as missing). */
struct witness_item signer_ecdsa(struct signer *s, const struct sign_code *code, const uint8_t *pub, size_t pub_len);
/* The schnorr signature of a key in a leaf. */
struct witness_item signer_tap_leaf(struct signer *s, const uint8_t leaf_hash[32], const uint8_t pub_x[32]);
/* Satisfies a script as miniscript: a witness script (leaf_hash NULL), or a leaf. Returns: false (nothing pushed) if that is not possible. */
bool signer_miniscript(struct signer *s, const struct sign_code *code, const uint8_t *leaf_hash);
/* Satisfies a taproot output by its key or by the leaf that costs least. Returns: false (nothing pushed) if nothing does. */
bool signer_taproot(struct signer *s, const uint8_t output[32]);

#endif
