/* amount.c - amounts as text. Used by options, RPC and logs; any thread. */
#include "primitives/amount.h"

#include <ctype.h>
#include <stdio.h>

#define DIGITS_MAX 18 /* amounts have at most so many digits, as in Core: 10^18 < 2^63 */
#define DECIMALS 8
#define EXPONENT_MAX 1000000000000ll /* no text is as long as to matter beyond */

/* A number as its digits without the zeroes at both ends. */
struct digits {
    uint64_t value;
    int count;
    int64_t zeroes;   /* that followed the last of them */
    int64_t fraction; /* digits behind the point, those zeroes included */
};

/* Zeroes wait until another digit shows that they count: "1.000000000000" is exact however long it is. */
static bool add_digit(struct digits *d, char ch)
{
    if (ch == '0') {
        d->zeroes++;
        return true;
    }
    if (d->count > 0 && d->zeroes >= DIGITS_MAX - d->count)
        return false;
    for (; d->count > 0 && d->zeroes > 0; d->zeroes--, d->count++)
        d->value *= 10;
    d->zeroes = 0;
    if (d->count == DIGITS_MAX)
        return false;
    d->value = d->value * 10 + (uint64_t)(ch - '0');
    d->count++;
    return true;
}

/* Digits, one at least. A failure leaves *p at the digit that is one too many. */
static bool read_digits(struct digits *d, const char **p)
{
    const char *start = *p;
    while (isdigit((unsigned char)**p) && add_digit(d, **p))
        (*p)++;
    return *p > start && !isdigit((unsigned char)**p);
}

/* JSON's form: no zero in front of other digits, digits on both sides of a point. */
static bool read_mantissa(struct digits *d, const char **p)
{
    const char *point;

    if (**p == '0')
        (*p)++;
    else if (!read_digits(d, p))
        return false;
    if (**p != '.')
        return true;
    point = ++(*p);
    if (!read_digits(d, p))
        return false;
    d->fraction = *p - point;
    return true;
}

static bool read_exponent(int64_t *exponent, const char **p)
{
    bool negative = false;

    *exponent = 0;
    if (**p != 'e' && **p != 'E')
        return true;
    (*p)++;
    if (**p == '+' || **p == '-')
        negative = *(*p)++ == '-';
    if (!isdigit((unsigned char)**p))
        return false;
    for (; isdigit((unsigned char)**p); (*p)++)
        if (*exponent < EXPONENT_MAX)
            *exponent = *exponent * 10 + (**p - '0');
    *exponent = negative ? -*exponent : *exponent;
    return true;
}

bool amount_parse(int64_t *satoshi, const char *text)
{
    struct digits d = {0};
    const bool negative = *text == '-';
    int64_t shift;

    text += negative;
    if (!read_mantissa(&d, &text) || !read_exponent(&shift, &text) || *text)
        return false;
    shift += DECIMALS + d.zeroes - d.fraction;
    /* Below zero it is finer than a satoshi; a zero with such an exponent is refused alike. */
    if (shift < 0 || shift >= DIGITS_MAX || d.count + shift > DIGITS_MAX)
        return false;
    for (; shift > 0; shift--)
        d.value *= 10;
    *satoshi = negative ? -(int64_t)d.value : (int64_t)d.value;
    return true;
}

size_t amount_format(char *out, int64_t satoshi)
{
    uint64_t n = satoshi < 0 ? 0 - (uint64_t)satoshi : (uint64_t)satoshi;
    return (size_t)snprintf(out, 24, "%s%llu.%08llu", satoshi < 0 ? "-" : "", (unsigned long long)(n / 100000000u),
                            (unsigned long long)(n % 100000000u));
}
