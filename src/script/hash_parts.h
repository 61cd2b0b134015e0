/* hash_parts.h - the pieces of a transaction as all three signature hashes write them. Private to the sighash files; pure. */
#ifndef FARTHING_SCRIPT_HASH_PARTS_H
#define FARTHING_SCRIPT_HASH_PARTS_H

#include "crypto/sha256.h"
#include "primitives/tx.h"

#include <string.h>

#define OUTPOINT_SIZE 36

static inline void hash_u32(struct sha256 *ctx, uint32_t v)
{
    uint8_t b[4];
    put_le32(b, v);
    sha256_write(ctx, b, sizeof(b));
}
static inline void hash_u64(struct sha256 *ctx, uint64_t v)
{
    uint8_t b[8];
    put_le64(b, v);
    sha256_write(ctx, b, sizeof(b));
}
static inline void put_outpoint(uint8_t b[OUTPOINT_SIZE], const struct outpoint *o)
{
    memcpy(b, o->txid.b, 32);
    put_le32(b + 32, o->n);
}
void hash_compact_size(struct sha256 *ctx, uint64_t n);
/** CompactSize and bytes. */
void hash_var_bytes(struct sha256 *ctx, const uint8_t *data, size_t len);
/** Value and script. */
void hash_output(struct sha256 *ctx, const struct tx_out *out);
/** Single SHA-256 over all outpoints, all sequence numbers, all outputs of a transaction. */
void hash_prevouts(uint8_t out[32], const struct tx *tx);
void hash_sequences(uint8_t out[32], const struct tx *tx);
void hash_outputs(uint8_t out[32], const struct tx *tx);

#endif
