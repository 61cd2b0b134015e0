/* base58.c - base58 with and without checksum, for addresses and keys. Called by address.c and BIP32 code; pure, any thread. */
#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "crypto/sha256.h"
#include "primitives/address.h"
#include "util/mem.h"

#define CHECKSUM_LEN 4

static const char digits58[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/* -1 if c is no base58 digit. */
static int digit_value(char c)
{
    const char *at = c ? strchr(digits58, c) : NULL;
    return at ? (int)(at - digits58) : -1;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

#define LIMB_DIGITS 5
#define LIMB_BASE 656356768u /* 58^5 */
#define SHORT_MAX 64         /* bytes that a number of limbs on the stack holds */

/* Splits the bytes, taken as one number, into digits of base 58^5. Out: limbs, the lowest first. Returns: how many. */
static size_t to_limbs(uint32_t *limb, const uint8_t *in, size_t len)
{
    size_t n = 0;

    for (size_t i = 0; i < len;) {
        size_t take = (len - i) % 4 ? (len - i) % 4 : 4;
        uint64_t carry = 0;
        for (size_t k = 0; k < take; k++)
            carry = carry << 8 | in[i + k];
        for (size_t k = 0; k < n; k++) {
            carry += (uint64_t)limb[k] << 8 * take;
            limb[k] = (uint32_t)(carry % LIMB_BASE);
            carry /= LIMB_BASE;
        }
        for (; carry; carry /= LIMB_BASE)
            limb[n++] = (uint32_t)(carry % LIMB_BASE);
        i += take;
    }
    return n;
}

char *base58_encode(const void *data, size_t len)
{
    const uint8_t *in = data;
    size_t zeroes = 0, n, used;
    uint32_t few[SHORT_MAX * 2 / LIMB_DIGITS + 2], *many = NULL, *limb = few;

    while (zeroes < len && in[zeroes] == 0)
        zeroes++;
    /* log(256)/log(58) is below 1.38 */
    if (len - zeroes > SHORT_MAX)
        limb = many = xmalloc(((len - zeroes) * 138 / 100 / LIMB_DIGITS + 2) * sizeof(*limb));
    n = to_limbs(limb, in + zeroes, len - zeroes);
    char *out = xmalloc(zeroes + n * LIMB_DIGITS + 1), *digits = out + zeroes;
    memset(out, digits58[0], zeroes);
    for (size_t k = 0; k < n; k++) {
        uint32_t v = limb[n - 1 - k];
        for (unsigned d = LIMB_DIGITS; d-- > 0; v /= 58)
            digits[k * LIMB_DIGITS + d] = digits58[v % 58];
    }
    for (used = 0; used + 1 < LIMB_DIGITS && used < n * LIMB_DIGITS && digits[used] == digits58[0];)
        used++; /* of the highest limb, digits that do not count */
    memmove(digits, digits + used, n * LIMB_DIGITS - used);
    digits[n * LIMB_DIGITS - used] = '\0';
    crypto_wipe(limb, n * sizeof(*limb));
    free(many);
    return out;
}

/* out = out * 58 + digit for a little-endian number of *used bytes. Returns: false if it outgrows the room. */
static bool push_digit(uint8_t *out, size_t *used, size_t room, unsigned digit)
{
    unsigned carry = digit;

    for (size_t k = 0; k < *used || carry; k++) {
        if (k == room)
            return false;
        if (k == *used)
            out[(*used)++] = 0;
        carry += 58u * out[k];
        out[k] = (uint8_t)carry;
        carry >>= 8;
    }
    return true;
}

bool base58_decode(uint8_t *out, size_t *len, const char *text)
{
    size_t room = *len, zeroes = 0, used = 0;

    /* Blanks around the text are allowed, as in Core. */
    while (is_space(*text))
        text++;
    for (; *text == digits58[0]; text++) {
        if (++zeroes > room)
            return false;
    }
    for (; *text && !is_space(*text); text++) {
        int v = digit_value(*text);
        if (v < 0 || !push_digit(out, &used, room - zeroes, (unsigned)v))
            return false;
    }
    while (is_space(*text))
        text++;
    if (*text)
        return false;
    for (size_t i = 0; i < used / 2; i++) {
        uint8_t swap = out[i];
        out[i] = out[used - 1 - i];
        out[used - 1 - i] = swap;
    }
    memmove(out + zeroes, out, used);
    memset(out, 0, zeroes);
    *len = zeroes + used;
    return true;
}

char *base58check_encode(const void *data, size_t len)
{
    uint8_t hash[32];
    uint8_t *full = xmalloc(len + CHECKSUM_LEN);

    memcpy(full, data, len);
    sha256d(hash, data, len);
    memcpy(full + len, hash, CHECKSUM_LEN);
    char *text = base58_encode(full, len + CHECKSUM_LEN);
    crypto_wipe(full, len + CHECKSUM_LEN);
    free(full);
    return text;
}

bool base58check_decode(uint8_t *out, size_t *len, const char *text)
{
    size_t room = *len + CHECKSUM_LEN, n = room;
    uint8_t *full = xmalloc(room);
    uint8_t hash[32];
    bool ok = base58_decode(full, &n, text) && n >= CHECKSUM_LEN;

    if (ok) {
        n -= CHECKSUM_LEN;
        sha256d(hash, full, n);
        ok = memcmp(hash, full + n, CHECKSUM_LEN) == 0;
    }
    if (ok) {
        memcpy(out, full, n);
        *len = n;
    }
    crypto_wipe(full, room);
    free(full);
    return ok;
}
