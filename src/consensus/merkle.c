/* merkle.c - Merkle roots, a level at a time through the multi-lane double SHA-256. Called for every block, when a template is
 * made and for proofs; pure, any thread. */
#include "consensus/check.h"
#include "crypto/sha256.h"
#include "util/assert.h"

/* Two equal neighbours anywhere mean that the list may be a shorter one with its end repeated, which has the same root
 * (CVE-2012-2459). */
static bool has_equal_pair(const uint8_t *hashes, size_t n)
{
    for (size_t i = 0; i + 1 < n; i += 2) {
        if (memcmp(hashes + 32 * i, hashes + 32 * (i + 1), 32) == 0)
            return true;
    }
    return false;
}

struct hash256 merkle_root(uint8_t *hashes, size_t n, bool *mutated)
{
    struct hash256 root;
    bool repeated = false;
    ASSERT(n > 0);
    while (n > 1) {
        size_t pairs = n / 2;
        uint8_t last[64]; /* an odd hash is paired with itself */
        if (mutated && !repeated)
            repeated = has_equal_pair(hashes, n);
        memcpy(last, hashes + 32 * (n - 1), 32);
        memcpy(last + 32, hashes + 32 * (n - 1), 32);
        sha256d_64(hashes, hashes, pairs);
        if (n & 1)
            sha256d_64(hashes + 32 * pairs, last, 1);
        n = pairs + (n & 1);
    }
    if (mutated)
        *mutated = repeated;
    memcpy(root.b, hashes, 32);
    return root;
}

struct hash256 block_merkle_root(const struct block *b, bool *mutated, struct arena *scratch)
{
    uint8_t *hashes;
    if (b->n_tx == 0) {
        if (mutated)
            *mutated = false;
        return (struct hash256){{0}};
    }
    hashes = arena_alloc(scratch, 32 * (size_t)b->n_tx);
    for (size_t i = 0; i < b->n_tx; i++)
        memcpy(hashes + 32 * i, b->tx[i].txid.b, 32);
    return merkle_root(hashes, b->n_tx, mutated);
}

struct hash256 block_witness_merkle_root(const struct block *b, struct arena *scratch)
{
    uint8_t *hashes;
    if (b->n_tx == 0)
        return (struct hash256){{0}};
    hashes = arena_alloc(scratch, 32 * (size_t)b->n_tx);
    memset(hashes, 0, 32); /* the coinbase cannot commit to itself */
    for (size_t i = 1; i < b->n_tx; i++)
        memcpy(hashes + 32 * i, b->tx[i].wtxid.b, 32);
    return merkle_root(hashes, b->n_tx, NULL);
}
