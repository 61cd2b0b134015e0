/* target.h - 256-bit numbers for targets and chain work. Pure; any thread. */
#ifndef FARTHING_PRIMITIVES_TARGET_H
#define FARTHING_PRIMITIVES_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#include "primitives/hashes.h"

struct u256 {
    uint64_t w[4]; /* little-endian words */
};

struct u256 u256_from_u64(uint64_t v);
/** From the 32 bytes of a hash (internal order = little-endian number), and back. */
struct u256 u256_from_le(const uint8_t b[32]);
void u256_to_le(uint8_t b[32], struct u256 v);
/** 64 hex digits, most significant first. Returns: false if malformed. */
bool u256_from_hex(struct u256 *out, const char *text);
struct hash_hex u256_hex(struct u256 v);
int u256_cmp(struct u256 a, struct u256 b);
bool u256_is_zero(struct u256 a);
struct u256 u256_add(struct u256 a, struct u256 b);
struct u256 u256_sub(struct u256 a, struct u256 b);
struct u256 u256_mul_u64(struct u256 a, uint64_t b); /* modulo 2^256 */
struct u256 u256_div(struct u256 a, struct u256 b);  /* b != 0 */
struct u256 u256_shl(struct u256 a, unsigned n);
struct u256 u256_shr(struct u256 a, unsigned n);
struct u256 u256_not(struct u256 a);
unsigned u256_bits(struct u256 a); /* position of the highest set bit + 1, 0 for zero */
double u256_to_double(struct u256 a);

/** The target of compact bits. Out: *negative, *overflow (may be NULL) as in Core's SetCompact. */
struct u256 target_from_bits(uint32_t bits, bool *negative, bool *overflow);
uint32_t target_to_bits(struct u256 target);
/** Expected hashes for a block of these bits: 2^256 / (target + 1); 0 if bits are invalid. */
struct u256 work_from_bits(uint32_t bits);
/** The difficulty shown by RPC. */
double difficulty_from_bits(uint32_t bits);

#endif
