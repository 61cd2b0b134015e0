/* solve.c - a miner for networks whose difficulty a processor can meet. Called by RPC; any thread. */
#include <stdlib.h>

#include "crypto/sha256.h"
#include "crypto/sha256_scan.h"
#include "mining/work.h"
#include "util/mem.h"

#define STRETCH (1u << 14) /* nonces between two looks at `stop`: a few milliseconds at most */

static struct block *with_header(const struct block *b, const uint8_t header[80])
{
    uint8_t *raw = (uint8_t *)xmemdup(b->raw, b->raw_len);
    memcpy(raw, header, BLOCK_HEADER_SIZE);
    return block_decode(raw, b->raw_len);
}

/* The last nonce is not tried: a miner that got there starts over with another coinbase. */
static uint32_t stretch(uint64_t tries, uint32_t nonce)
{
    uint64_t left = UINT32_MAX - nonce;
    uint64_t n = STRETCH < tries ? STRETCH : tries;
    return (uint32_t)(n < left ? n : left);
}

struct block *mining_solve(const struct block *b, const struct chain_params *p, uint64_t *tries, const atomic_bool *stop)
{
    struct u256 target = target_from_bits(b->header.bits, NULL, NULL);
    uint8_t header[BLOCK_HEADER_SIZE];
    struct sha256_scan scan;
    uint32_t nonce = b->header.nonce, n;

    memcpy(header, b->raw, sizeof(header));
    sha256_scan_init(&scan, header);
    while ((n = stretch(*tries, nonce)) > 0 && !(stop && atomic_load_explicit(stop, memory_order_relaxed))) {
        uint32_t at = mining_scan(header, &scan, target, nonce, n);
        struct block_hash hash;
        *tries -= at;
        if (at == n) {
            nonce += n;
            continue;
        }
        sha256d(hash.b, header, BLOCK_HEADER_SIZE);
        if (!check_proof_of_work(p, &hash, b->header.bits))
            return NULL; /* bits that this network does not allow: no nonce will do */
        return with_header(b, header);
    }
    return NULL;
}
