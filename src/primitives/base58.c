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

char *base58_encode(const void *data, size_t len)
{
    const uint8_t *in = data;
    size_t zeroes = 0, used = 0;

    while (zeroes < len && in[zeroes] == 0)
        zeroes++;
    /* log(256)/log(58) is below 1.38. The digits grow from the low end, then are turned around. */
    size_t room = zeroes + (len - zeroes) * 138 / 100 + 2;
    char *out = xmalloc(room);
    uint8_t *number = xmalloc(room);
    for (size_t i = zeroes; i < len; i++) {
        unsigned carry = in[i];
        for (size_t k = 0; k < used || carry; k++) {
            if (k == used)
                number[used++] = 0;
            carry += 256u * number[k];
            number[k] = (uint8_t)(carry % 58);
            carry /= 58;
        }
    }
    memset(out, digits58[0], zeroes);
    for (size_t i = 0; i < used; i++)
        out[zeroes + i] = digits58[number[used - 1 - i]];
    out[zeroes + used] = '\0';
    crypto_wipe(number, room);
    free(number);
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
