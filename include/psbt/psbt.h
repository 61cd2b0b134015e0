/* psbt.h - partially signed transactions: BIP174 (version 0), BIP370 (version 2), BIP371 (taproot) and BIP373 (MuSig2), read, written and worked on
 * as Bitcoin Core 31 does it. Entries of unknown kinds and proprietary ones are kept. Pure; a PSBT is used by one thread at a time. */
#ifndef FARTHING_PSBT_PSBT_H
#define FARTHING_PSBT_PSBT_H

#include "primitives/tx.h"
#include "script/sign.h"

/* Kinds of entries that stand in maps; those not here are fields of the structs below. The numbers are the maps' order. */
enum psbt_kind {
    PSBT_XPUB,        /* key: 78 bytes; value: fingerprint and path */
    PSBT_PARTIAL_SIG, /* key: public key; value: signature */
    PSBT_REDEEM,      /* no key; value: script */
    PSBT_WITNESS,     /* likewise: witness script */
    PSBT_ORIGIN,      /* key: public key; value: fingerprint and path */
    PSBT_RIPEMD160,   /* key: hash; value: preimage */
    PSBT_SHA256,
    PSBT_HASH160,
    PSBT_HASH256,
    PSBT_TAP_SIG,       /* no key; value: signature */
    PSBT_TAP_LEAF_SIG,  /* key: x-only key and leaf hash; value: signature */
    PSBT_TAP_LEAF,      /* key: control block; value: script and leaf version */
    PSBT_TAP_ORIGIN,    /* key: x-only key; value: number of leaf hashes, these in order, fingerprint and path */
    PSBT_TAP_INTERNAL,  /* no key; value: x-only key */
    PSBT_TAP_ROOT,      /* no key; value: hash */
    PSBT_TAP_TREE,      /* no key; value: depth, version, script of each leaf */
    PSBT_PARTICIPANTS,  /* key: aggregate key; value: keys of 33 bytes */
    PSBT_PUB_NONCE,     /* key: participant, aggregate key, perhaps leaf hash; value: 66 bytes */
    PSBT_MUSIG_SIG,     /* the same key; value: partial signature, 32 bytes */
    PSBT_FINAL_SCRIPT,  /* no key; value: scriptSig */
    PSBT_FINAL_WITNESS, /* no key; value: the witness as in a transaction */
    PSBT_PROPRIETARY,   /* key: with its type byte; value */
    PSBT_UNKNOWN        /* likewise */
};
struct psbt_record { /* bytes are in the PSBT's arena */
    const uint8_t *key, *value;
    const uint8_t *order; /* what the entries of a kind are sorted by, and told apart */
    uint32_t key_len, value_len, order_len;
    uint8_t kind;
};
/* Entries by kind and order. */
struct psbt_map {
    struct psbt_record *items; /* owned */
    size_t n, cap;
};
struct psbt_in {
    struct outpoint prevout;
    bool has_sequence, has_time_lock, has_height_lock, has_hash_type, has_utxo;
    uint32_t sequence; /* version 0: always there */
    uint32_t time_lock, height_lock;
    int32_t hash_type;
    struct tx *prev;    /* the whole transaction that it spends an output of: one reference, NULL if not there */
    struct tx_out utxo; /* the output that it spends alone ("witness UTXO"), if has_utxo; script in the arena */
    struct psbt_map map;
};
struct psbt_out {
    int64_t amount; /* satoshi, any number */
    const uint8_t *script;
    uint32_t script_len;
    struct psbt_map map;
};
struct psbt {
    struct arena arena;
    uint32_t version; /* of the PSBT: 0 or 2 */
    uint32_t tx_version;
    bool has_lock_time, has_modifiable;
    uint32_t lock_time; /* version 2: if no input asks for another */
    uint8_t modifiable; /* bit 0: inputs, 1: outputs, 2: there is a SIGHASH_SINGLE */
    struct psbt_map map;
    struct psbt_in *in; /* owned */
    struct psbt_out *out;
    size_t n_in, n_out, cap_in, cap_out;
};

/** Reads the binary form. Returns: it, or NULL with Core's message in *error (to free). */
struct psbt *psbt_decode(const void *data, size_t len, char **error);
void psbt_encode(struct writer *w, const struct psbt *p);
/** One of a transaction, without its scriptSigs and witnesses. version: 0 or 2. */
struct psbt *psbt_of_tx(const struct tx *tx, uint32_t version);
struct psbt *psbt_clone(const struct psbt *p);
void psbt_free(struct psbt *p);

/** The entries of a kind: the first one. Out: *n how many follow each other. Returns: borrowed, NULL if *n is 0. */
const struct psbt_record *psbt_entries(const struct psbt_map *m, enum psbt_kind kind, size_t *n);
/** The entry of a kind without keys, NULL if it is not there. */
const struct psbt_record *psbt_entry(const struct psbt_map *m, enum psbt_kind kind);
/** Adds an entry (copied) unless there is one. Of PSBT_TAP_LEAF another control block of the same script is another entry. */
void psbt_put(struct psbt *p, struct psbt_map *m, enum psbt_kind kind, const void *key, size_t key_len, const void *value,
              size_t value_len);
/** The same, in place of one that is there. Kinds without keys only. */
void psbt_set(struct psbt *p, struct psbt_map *m, enum psbt_kind kind, const void *value, size_t value_len);
void psbt_remove(struct psbt_map *m, enum psbt_kind kind);
/** Steps over the final witness entry's items. In/out: r at its bytes behind the count. */
struct witness_item psbt_next_item(struct reader *r);

/** The transaction without signatures. Returns: one reference, NULL if the inputs' lock times contradict each other. */
struct tx *psbt_unsigned_tx(const struct psbt *p);
/** The output that input i spends. Returns: false if it is not known. */
bool psbt_spent(struct tx_out *out, const struct psbt *p, size_t i);
/** The input has a final scriptSig or witness. */
bool psbt_is_final(const struct psbt_in *in);

/** Adds all of src to p. Returns: false (p in parts changed) if they are not of one transaction and version. */
bool psbt_merge(struct psbt *p, const struct psbt *src);
/** Puts version 0 PSBTs (n > 0) together: their inputs without what is final or ECDSA, their outputs, both in an order by chance, and their unknown
 *  global entries. Returns: NULL if two inputs spend the same output, *twice then. */
struct psbt *psbt_join(struct psbt *const *list, size_t n, struct outpoint *twice);
/** Drops the whole previous transactions if all inputs are such that their signatures commit to the amounts (taproot). */
void psbt_drop_unneeded(struct psbt *p);

/* ---- signing (sign.c) ---- */
enum psbt_error { PSBT_OK, PSBT_MISSING_INPUTS, PSBT_HASH_TYPE_MISMATCH, PSBT_INCOMPLETE };
/* A PSBT being worked on: what its inputs share. */
struct psbt_work {
    struct psbt *p;
    struct tx *tx;    /* without signatures */
    struct tx view;   /* the same with inputs that can be set */
    struct tx_in *in; /* of view */
    struct tx_out *spent;
    struct tx_midstate mid;      /* with all outputs spent, if they are known */
    struct tx_midstate bare_mid; /* as if they were not */
    struct tx_builder builder;
};
/** Returns: false (nothing to clear) if there is no such transaction. What the inputs spend must not change while it is used. */
bool psbt_work_init(struct psbt_work *w, struct psbt *p);
void psbt_work_clear(struct psbt_work *w);
/** The final scriptSig and witness of input i satisfy what it spends. */
bool psbt_is_verified(struct psbt_work *w, size_t i);
struct psbt_signing {
    const struct keyring *ring; /* scripts, origins, keys; NULL: nothing but what the PSBT tells */
    bool has_hash_type;
    int32_t hash_type;    /* to sign with; else by the output's kind */
    bool finalize;        /* put final scripts if it is complete */
    bool without_origins; /* do not tell where keys come from */
    bool dummy;           /* for sizes: every key signs */
};
/** Adds to input i what ring and signatures give. Out: data (may be NULL; to clear): what is missing. Returns: PSBT_OK if it is complete. */
enum psbt_error psbt_sign(struct psbt_work *w, size_t i, const struct psbt_signing *s, struct sign_data *data);
/** Adds to output i scripts, origins and taproot trees that the ring knows. */
void psbt_update_output(struct psbt *p, size_t i, const struct keyring *ring, bool without_origins);
/** Makes the final scripts of all inputs where that is possible. Returns: true if all have them. */
bool psbt_finalize(struct psbt *p);
/** The transaction with the final scripts. Returns: one reference; NULL if the lock times contradict each other. */
struct tx *psbt_extract(const struct psbt *p);

/* ---- analysis (analyze.c) ---- */
enum psbt_role { PSBT_CREATOR, PSBT_UPDATER, PSBT_SIGNER, PSBT_FINALIZER, PSBT_EXTRACTOR };
const char *psbt_role_name(enum psbt_role role);
struct psbt_in_state {
    bool has_utxo, is_final;
    enum psbt_role next;
    struct sign_data missing; /* its lists of what is missing */
};
struct psbt_analysis {
    char *error; /* Core's message, owned; NULL: none. If set, nothing else is. */
    struct psbt_in_state *in;
    size_t n_in;
    bool has_fee, has_size;
    int64_t fee, vsize; /* satoshi; estimated, sigops taken into account */
    enum psbt_role next;
};
/** Says how far it is (Core's AnalyzePSBT); p is changed: it ends as if everything was signed. Out: a (to clear). In: bytes_per_sigop: for the
 *  size. */
void psbt_analyze(struct psbt_analysis *a, struct psbt *p, unsigned bytes_per_sigop);
void psbt_analysis_clear(struct psbt_analysis *a);

#endif
