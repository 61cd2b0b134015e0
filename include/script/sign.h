/* sign.h - a signer for commands and blocks whose keys the user gives: what it knows (the keyring), and the making of one input's scriptSig and
 * witness. Pure; any thread. */
#ifndef FARTHING_SCRIPT_SIGN_H
#define FARTHING_SCRIPT_SIGN_H

#include "primitives/tx.h"
#include "script/sighash.h"

struct sign_key {
    uint8_t secret[32];
    uint8_t pub[65];
    size_t pub_len;
    uint8_t hash[20]; /* HASH160 of pub */
};
/* A public key, and where it comes from (BIP32) if that is known. */
struct sign_pub {
    uint8_t pub[65]; /* x-only keys stand as compressed ones with an even Y (0x02) */
    size_t pub_len;
    uint8_t hash[20];   /* HASH160 of pub */
    uint8_t hash_x[20]; /* HASH160 of its x-only form; zeroes if uncompressed */
    bool has_origin;
    uint8_t fingerprint[4];
    uint32_t *path; /* owned; hardened steps have bit 31 set */
    size_t path_len;
};
/* One script of a taproot output. */
struct tap_leaf {
    uint8_t *script; /* owned */
    size_t len;
    uint8_t version;
    uint8_t depth; /* in the tree, 0..128 */
    uint8_t hash[32];
    uint8_t *control; /* control block, owned: 33 + 32 * depth bytes */
    size_t control_len;
};
/* What is known about a taproot output. */
struct tap_output {
    uint8_t output[32];
    int parity; /* of the output key; only if it is complete */
    bool has_internal, has_root;
    bool complete; /* internal key and all leaves, in the tree's order from left to right */
    uint8_t internal[32];
    uint8_t root[32]; /* if there are leaves */
    struct tap_leaf *leaves;
    size_t n_leaves;
};
enum hash_kind { HASH_KIND_SHA256, HASH_KIND_HASH256, HASH_KIND_RIPEMD160, HASH_KIND_HASH160 };
struct sign_preimage {
    enum hash_kind kind;
    uint8_t hash[32]; /* 20 bytes for RIPEMD160 and HASH160 */
    uint8_t *data;    /* owned */
    size_t len;
};
/* A MuSig2 key (BIP327) and those that it is made of, in the order of aggregation. */
struct sign_aggregate {
    uint8_t pub[33];
    uint8_t (*parts)[33]; /* owned */
    size_t n_parts;
};
/* Everything that signing, PSBTs and the inference of descriptors may look up. All zeroes: empty. Where several entries fit, the first counts. */
struct keyring {
    const struct keyring *next; /* borrowed: where the keyring_find functions look after this one; NULL: nowhere */
    struct sign_key *keys;
    size_t n_keys;
    struct witness_item *scripts; /* redeem and witness scripts, copies */
    size_t n_scripts;
    struct sign_pub *pubs;
    size_t n_pubs;
    struct tap_output *taps;
    size_t n_taps;
    struct sign_preimage *preimages;
    size_t n_preimages;
    struct sign_aggregate *aggregates;
    size_t n_aggregates;
};
/** Returns: false if the secret is no key. */
bool keyring_add_key(struct keyring *ring, const uint8_t secret[32], bool compressed);
void keyring_add_script(struct keyring *ring, const uint8_t *script, size_t len);
/** Adds a public key. In: pub (33 or 65 bytes), fingerprint: NULL if the origin is not known; path: path_len steps, copied. */
void keyring_add_pub(struct keyring *ring, const uint8_t *pub, size_t pub_len, const uint8_t *fingerprint, const uint32_t *path,
                     size_t path_len);
/** Copies the preimage (any length, 32 bytes is what miniscript takes) under its hash of that kind. */
void keyring_add_preimage(struct keyring *ring, enum hash_kind kind, const uint8_t *hash, const uint8_t *data, size_t len);
void keyring_add_aggregate(struct keyring *ring, const uint8_t pub[33], const uint8_t (*parts)[33], size_t n_parts);
/** Adds an output of which nothing but its key is known yet. Returns: the entry, to be filled in by the caller; valid until the next call. */
struct tap_output *keyring_add_tap_output(struct keyring *ring, const uint8_t output[32]);
/** Adds a leaf to an output by its control block (script and control are copied, version, depth and hash come from them).
 *  Returns: false if control is not 33 + 32 * n bytes, n up to 128. */
bool tap_output_add_leaf(struct tap_output *t, const uint8_t *script, size_t len, const uint8_t *control, size_t control_len);
/* A leaf of a tree that is to be built. */
struct tap_tree_leaf {
    unsigned depth;
    uint8_t version; /* 0xc0 */
    const uint8_t *script;
    size_t len;
};
/** Builds a taproot output (BIP341): leaves in order from left to right, n == 0 for none. Out: output (32 bytes).
 *  Returns: false if the depths make no tree or the internal key is no point. */
bool keyring_add_tap_tree(uint8_t output[32], struct keyring *ring, const uint8_t internal[32], const struct tap_tree_leaf *leaves,
                          size_t n);
/** Copies everything of src; secrets only if `secrets`. */
void keyring_merge(struct keyring *ring, const struct keyring *src, bool secrets);
/** Wipes the secrets. */
void keyring_clear(struct keyring *ring);

/** The script with this HASH160 (hash_len 20) or SHA-256 (32). Returns: borrowed, NULL if not known. */
const struct witness_item *keyring_find_script(const struct keyring *ring, const uint8_t *hash, size_t hash_len);
/** The public key with this HASH160; x_only: of its 32-byte form. Public keys of secrets count too. Out: pub (65 bytes room), *pub_len. */
bool keyring_find_pub(uint8_t *pub, size_t *pub_len, const struct keyring *ring, const uint8_t hash[20], bool x_only);
/** The origin of a key: 33 or 65 bytes, or 32 for an x-only one, of either parity. Returns: borrowed, NULL if not known. */
const struct sign_pub *keyring_find_origin(const struct keyring *ring, const uint8_t *pub, size_t pub_len);
/** The secret of a key, given as for keyring_find_origin. */
const struct sign_key *keyring_find_key(const struct keyring *ring, const uint8_t *pub, size_t pub_len);
const struct tap_output *keyring_find_tap(const struct keyring *ring, const uint8_t output[32]);
const struct sign_preimage *keyring_find_preimage(const struct keyring *ring, enum hash_kind kind, const uint8_t *hash);

/* A signature of one input: BIP174's partial ones and BIP371's. */
struct sign_sig {
    enum { SIGN_ECDSA, SIGN_TAP_KEY, SIGN_TAP_LEAF } kind;
    uint8_t pub[65]; /* TAP_LEAF: x-only; TAP_KEY: not used */
    uint8_t pub_len;
    uint8_t leaf[32]; /* TAP_LEAF: leaf hash */
    uint8_t sig[73];  /* with its hash type byte */
    uint8_t len;
};
/* A key that was asked for a signature. ECDSA: only if there was none before. */
struct sign_try {
    uint8_t pub[65]; /* in_leaf: x-only */
    uint8_t pub_len;
    bool in_leaf, signs;
    uint8_t leaf[32]; /* in_leaf: leaf hash */
};
/* What was found out while one input was signed. All zeroes: empty. */
struct sign_data {
    struct sign_sig *sigs; /* used where they are there before; every one that can be made is added */
    size_t n_sigs;
    bool solved;  /* every part is there; whether it satisfies the output is script_verify_input's to say */
    bool witness; /* the output is a witness program, direct or in P2SH */
    uint8_t *redeem_script, *witness_script; /* owned copies, NULL: not there or not known */
    size_t redeem_len, witness_len;
    uint8_t (*missing_pubs)[20]; /* HASH160 of keys that are not known, and of those for which there is no signature */
    size_t n_missing_pubs;
    uint8_t (*missing_sigs)[20];
    size_t n_missing_sigs;
    bool lacks_redeem, lacks_witness;
    uint8_t missing_redeem[20], missing_witness[32];
    struct sign_try *tried; /* keys that were asked for a signature, in that order */
    size_t n_tried;
};
/** Adds a signature unless the same kind, key and leaf has one. */
void sign_data_add(struct sign_data *d, const struct sign_sig *sig);
const struct sign_sig *sign_data_find(const struct sign_data *d, int kind, const uint8_t *pub, size_t pub_len, const uint8_t *leaf);
void sign_data_clear(struct sign_data *d);

/* One input to be signed. Everything is borrowed. */
struct sign_job {
    const struct tx *tx;
    uint32_t n;
    const struct tx_out *spent;
    const struct tx_midstate *mid; /* over tx; taproot inputs are signed only if it knows all spent outputs */
    const struct keyring *ring;
    struct tx *const *sources; /* the same transaction in other states: signatures and scripts in their input n are used too */
    size_t n_sources;
    uint8_t hash_type; /* SIGHASH_DEFAULT: ALL where there is no default */
    bool
        any_single; /* sign with SIGHASH_SINGLE also where there is no output of that number: such a signature is over next to nothing */
    bool dummy; /* for sizes: every key signs, with as many bytes as a real signature has (71 and 64); time locks are met */
    struct sign_data *data; /* NULL if not of interest */
};
/** Sets the scriptSig and witness of input n as far as keys, scripts and signatures go: a multisig may stay in part unsigned, with
 *  empty items for what is missing (Core's ProduceSignature). Out: b, a builder of the same transaction. */
void sign_input(struct tx_builder *b, const struct sign_job *job);

#endif
