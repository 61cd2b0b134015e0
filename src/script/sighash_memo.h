/* sighash_memo.h - what one input's evaluation remembers of its legacy and v0 signature hashes: the hash state just before the hash
 * type goes in, for each way of hashing and its last script code. Twenty signatures of one multisig then cost one pass over the
 * transaction. Belongs to one evaluation on one thread. */
#ifndef FARTHING_SCRIPT_SIGHASH_MEMO_H
#define FARTHING_SCRIPT_SIGHASH_MEMO_H

#include "crypto/sha256.h"
#include "script/sighash.h"

#define SIGHASH_MEMO_WAYS 6 /* ALL, NONE, SINGLE; each with and without ANYONECANPAY */

struct sighash_memo {
    unsigned filled; /* bit per entry */
    struct {
        const uint8_t *code;
        size_t len;
        uint8_t *owned; /* a copy of the code where the caller's does not last, else NULL */
        struct sha256 state;
    } entry[SIGHASH_MEMO_WAYS];
};

/* A script code: what the signature signs of the script. */
struct script_code {
    const uint8_t *data;
    size_t len;
    bool lasting; /* the bytes outlive the memo */
};

static inline void sighash_memo_init(struct sighash_memo *m)
{
    m->filled = 0;
}
void sighash_memo_clear(struct sighash_memo *m);
/** The hash of input n, legacy or (v0) BIP143; same arguments as sighash_v0 otherwise. */
void sighash_memo_hash(uint8_t out[32], struct sighash_memo *m, const struct tx *tx, uint32_t n, bool v0,
                       const struct script_code *code, int64_t amount, int32_t hash_type, const struct tx_midstate *mid);

/** The legacy special case of SINGLE without an output of that index. Returns: true if it is that, with its hash in out. */
bool sighash_signs_one(uint8_t out[32], const struct tx *tx, uint32_t n, int32_t hash_type);
static inline bool sighash_is_single(int32_t hash_type)
{
    return (hash_type & 0x1f) == SIGHASH_SINGLE;
}
static inline bool sighash_is_none(int32_t hash_type)
{
    return (hash_type & 0x1f) == SIGHASH_NONE;
}
/** The two hashes up to, not including, the hash type. The legacy one must not be asked for SINGLE without an output of that index. */
void sighash_legacy_start(struct sha256 *ctx, const struct tx *tx, uint32_t n, const uint8_t *code, size_t len, int32_t hash_type);
void sighash_v0_start(struct sha256 *ctx, const struct tx *tx, uint32_t n, const uint8_t *code, size_t len, int64_t amount,
                      int32_t hash_type, const struct tx_midstate *mid);
/** Appends the hash type and finishes. */
void sighash_finish(uint8_t out[32], struct sha256 *ctx, int32_t hash_type);

#endif
