/* amount.c - amounts as text. Used by options, RPC and logs; any thread. */
#include "primitives/amount.h"

#include <ctype.h>
#include <stdio.h>

#define DIGITS_MAX 18 /* of the mantissa: 10^18 < 2^63 */

/* Reads an optional exponent; *p is left behind it. Small values only: more cannot matter. */
static bool read_exponent(const char **p, int *exponent)
{
    bool negative = false;
    int value = 0;

    *exponent = 0;
    if (**p != 'e' && **p != 'E')
        return true;
    (*p)++;
    if (**p == '+' || **p == '-')
        negative = *(*p)++ == '-';
    if (!isdigit((unsigned char)**p))
        return false;
    for (; isdigit((unsigned char)**p); (*p)++)
        if (value < 1000)
            value = value * 10 + (**p - '0');
    *exponent = negative ? -value : value;
    return true;
}

/* Reads digits with an optional point. Trailing zeroes are counted, not multiplied in, so that "1.000000000000" is exact. */
static bool read_mantissa(const char **p, uint64_t *mantissa, int *exponent)
{
    int zeroes = 0, digits = 0, significant = 0, point = -1;

    *mantissa = 0;
    *exponent = 0;
    for (;; (*p)++) {
        if (**p == '.' && point < 0) {
            point = digits;
            continue;
        }
        if (!isdigit((unsigned char)**p))
            break;
        digits++;
        if (**p == '0') {
            zeroes++;
            continue;
        }
        if (*mantissa || significant)
            significant += zeroes;
        if (significant + 1 > DIGITS_MAX)
            return false;
        if (*mantissa)
            for (; zeroes > 0; zeroes--)
                *mantissa *= 10;
        zeroes = 0;
        *mantissa = *mantissa * 10 + (uint64_t)(**p - '0');
        significant++;
    }
    *exponent = zeroes - (point < 0 ? 0 : digits - point);
    return digits > 0 && (point < 0 || point < digits) && point != 0;
}

bool amount_parse(int64_t *satoshi, const char *text)
{
    uint64_t mantissa;
    int exponent, shift;
    bool negative = *text == '-';

    text += negative;
    if (!read_mantissa(&text, &mantissa, &exponent) || !read_exponent(&text, &shift) || *text)
        return false;
    shift += exponent + 8;
    if (mantissa == 0)
        shift = 0;
    if (shift < 0)
        return false; /* trailing zeroes are not in the mantissa: the value is finer than a satoshi */
    for (; shift > 0; shift--)
        if (__builtin_mul_overflow(mantissa, (uint64_t)10, &mantissa) || mantissa > INT64_MAX)
            return false;
    *satoshi = negative ? -(int64_t)mantissa : (int64_t)mantissa;
    return true;
}

size_t amount_format(char *out, int64_t satoshi)
{
    uint64_t n = satoshi < 0 ? 0 - (uint64_t)satoshi : (uint64_t)satoshi;
    return (size_t)snprintf(out, 24, "%s%llu.%08llu", satoshi < 0 ? "-" : "", (unsigned long long)(n / 100000000u),
                            (unsigned long long)(n % 100000000u));
}
