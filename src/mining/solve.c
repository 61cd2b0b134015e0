/* solve.c - a miner for networks whose difficulty a processor can meet. Called by RPC; any thread. */
#include <stdlib.h>

#include "crypto/sha256.h"
#include "mining/mining.h"
#include "util/mem.h"

#define BATCH 64 /* headers hashed at once: fills the lanes of any kernel */

static struct block *with_nonce(const struct block *b, uint32_t nonce)
{
    uint8_t *raw = (uint8_t *)xmemdup(b->raw, b->raw_len);
    put_le32(raw + BLOCK_HEADER_SIZE - 4, nonce);
    return block_decode(raw, b->raw_len);
}

static bool meets(const uint8_t hash[32], struct u256 target)
{
    return u256_cmp(u256_from_le(hash), target) <= 0;
}

/* The last nonce is not tried: a miner that got there starts over with another coinbase. */
static uint64_t batch_size(uint64_t want, uint64_t tries, uint32_t nonce)
{
    uint64_t left = UINT32_MAX - nonce;
    uint64_t n = want < tries ? want : tries;
    return n < left ? n : left;
}

struct block *mining_solve(const struct block *b, const struct chain_params *p, uint64_t *tries, const atomic_bool *stop)
{
    uint8_t headers[BATCH * BLOCK_HEADER_SIZE], hashes[BATCH * 32];
    struct u256 target = target_from_bits(b->header.bits, NULL, NULL);
    uint32_t nonce = b->header.nonce;
    uint64_t n, want = 1; /* grows: where every other nonce will do, little is hashed in vain */

    for (size_t i = 0; i < BATCH; i++)
        memcpy(headers + i * BLOCK_HEADER_SIZE, b->raw, BLOCK_HEADER_SIZE);
    while ((n = batch_size(want, *tries, nonce)) > 0 && !(stop && atomic_load_explicit(stop, memory_order_relaxed))) {
        for (uint64_t i = 0; i < n; i++)
            put_le32(headers + (i + 1) * BLOCK_HEADER_SIZE - 4, nonce + (uint32_t)i);
        sha256d_80(hashes, headers, (size_t)n);
        for (uint64_t i = 0; i < n; i++, --*tries) {
            struct block_hash hash;
            memcpy(hash.b, hashes + i * 32, 32);
            if (meets(hash.b, target) && check_proof_of_work(p, &hash, b->header.bits))
                return with_nonce(b, nonce + (uint32_t)i);
        }
        nonce += (uint32_t)n;
        if (want < BATCH)
            want *= 2;
    }
    return NULL;
}
