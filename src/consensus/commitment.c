/* commitment.c - does a block's data belong to its header? The Merkle root, and the witness commitment in the coinbase (BIP141).
 * Called when a block arrives and when it is accepted; pure, any thread. */
#include "commitment.h"

#include "crypto/sha256.h"
#include "script/script.h"

#define COMMITMENT_LEN 38

int block_witness_commitment_index(const struct block *b)
{
    static const uint8_t prefix[6] = {OP_RETURN, 0x24, 0xaa, 0x21, 0xa9, 0xed};
    if (b->n_tx == 0)
        return -1;
    for (uint32_t i = b->tx[0].n_out; i-- > 0;) { /* the last one counts */
        const struct tx_out *out = &b->tx[0].out[i];
        if (out->script_len >= COMMITMENT_LEN && memcmp(out->script, prefix, sizeof(prefix)) == 0)
            return (int)i;
    }
    return -1;
}

bool check_merkle_root(const struct block *b, struct verdict *v)
{
    struct arena scratch = ARENA_INIT;
    bool mutated;
    struct hash256 root = block_merkle_root(b, &mutated, &scratch);
    arena_clear(&scratch);
    if (memcmp(root.b, b->header.merkle_root.b, 32) != 0)
        return verdict_invalid(v, BLOCK_MUTATED, "bad-txnmrklroot", "hashMerkleRoot mismatch");
    if (mutated)
        return verdict_invalid(v, BLOCK_MUTATED, "bad-txns-duplicate", "duplicate transaction");
    return true;
}

static bool commitment_matches(const struct block *b, const struct tx_out *commitment, const uint8_t reserved[32])
{
    struct arena scratch = ARENA_INIT;
    struct hash256 root = block_witness_merkle_root(b, &scratch);
    uint8_t both[64];
    arena_clear(&scratch);
    memcpy(both, root.b, 32);
    memcpy(both + 32, reserved, 32);
    sha256d_64(both, both, 1);
    return memcmp(both, commitment->script + 6, 32) == 0;
}

bool check_witness_commitment(const struct block *b, bool expected, struct verdict *v)
{
    int index = expected ? block_witness_commitment_index(b) : -1;
    if (index >= 0) {
        const struct tx_in *in = b->tx[0].n_in ? &b->tx[0].in[0] : NULL;
        if (!in || in->witness_count != 1 || in->witness[0].len != 32)
            return verdict_invalid(v, BLOCK_MUTATED, "bad-witness-nonce-size",
                                   "CheckWitnessMalleation : invalid witness reserved value size");
        if (!commitment_matches(b, &b->tx[0].out[index], in->witness[0].data))
            return verdict_invalid(v, BLOCK_MUTATED, "bad-witness-merkle-match",
                                   "CheckWitnessMalleation : witness merkle commitment mismatch");
        return true;
    }
    for (uint32_t i = 0; i < b->n_tx; i++) { /* what nothing commits to could be anything */
        if (b->tx[i].has_witness)
            return verdict_invalid(v, BLOCK_MUTATED, "unexpected-witness",
                                   "CheckWitnessMalleation : unexpected witness data found");
    }
    return true;
}

bool block_is_mutated(const struct block *b, bool check_witness_root)
{
    struct verdict v;
    verdict_init(&v);
    if (!check_merkle_root(b, &v))
        return true;
    if (b->n_tx == 0 || !tx_is_coinbase(&b->tx[0])) {
        /* A transaction of 64 bytes could be an inner node of the tree in disguise. With a coinbase at the front that would need
         * far more work than a block. */
        for (uint32_t i = 0; i < b->n_tx; i++) {
            if (b->tx[i].stripped_len == 64)
                return true;
        }
        return false;
    }
    return !check_witness_commitment(b, check_witness_root, &v);
}
