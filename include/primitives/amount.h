/* amount.h - amounts as text: satoshi <-> decimal BTC. Pure; any thread. */
#ifndef FARTHING_PRIMITIVES_AMOUNT_H
#define FARTHING_PRIMITIVES_AMOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Reads a decimal number with at most 8 decimals, exactly, exponent form ("1e-8") included; sign allowed. Out: *satoshi.
 *  Returns: false if malformed, finer than a satoshi, or out of +-(2^63-1). Range of money is the caller's rule. */
bool amount_parse(int64_t *satoshi, const char *text);
/** Writes "-12.34567890": always 8 decimals. Out: out (at least 24 bytes). Returns: length. */
size_t amount_format(char *out, int64_t satoshi);

#endif
