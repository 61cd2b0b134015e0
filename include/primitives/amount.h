/* amount.h - amounts as text: satoshi <-> decimal BTC. Pure; any thread. */
#ifndef FARTHING_PRIMITIVES_AMOUNT_H
#define FARTHING_PRIMITIVES_AMOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Reads a decimal number with at most 8 decimals, exactly, exponent form ("1e-8") included, in JSON's form: a minus allowed, no plus,
 *  no needless zero in front. Out: *satoshi. Returns: false if malformed, finer than a satoshi, or out of +-(10^18 - 1). The range of
 *  money is the caller's rule. As Core's ParseFixedPoint with 8 decimals. */
bool amount_parse(int64_t *satoshi, const char *text);
/** Writes "-12.34567890": always 8 decimals. Out: out (at least 24 bytes). Returns: length. */
size_t amount_format(char *out, int64_t satoshi);

#endif
