/* hex.c - hexadecimal text, both byte orders. Pure; called by RPC, addresses, logs and tests on any thread. */
#include "util/hex.h"

static const char DIGITS[] = "0123456789abcdef";

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void encode_step(char *out, const uint8_t *p, size_t len, ptrdiff_t step)
{
    for (; len; len--, p += step) {
        *out++ = DIGITS[*p >> 4];
        *out++ = DIGITS[*p & 15];
    }
    *out = 0;
}

void hex_encode(char *out, const void *data, size_t len)
{
    encode_step(out, data, len, 1);
}

void hex_encode_reversed(char *out, const void *data, size_t len)
{
    const uint8_t *p = data;
    encode_step(out, len ? p + len - 1 : p, len, -1);
}

static bool decode_step(uint8_t *out, size_t len, const char *text, ptrdiff_t step)
{
    for (; len; len--, out += step) {
        int hi = digit_value(text[0]), lo;
        if (hi < 0)
            return false; /* the NUL of a short text ends here, before text[1] is read */
        lo = digit_value(text[1]);
        if (lo < 0)
            return false;
        *out = (uint8_t)(hi << 4 | lo);
        text += 2;
    }
    return *text == 0;
}

bool hex_decode(void *out, size_t len, const char *text)
{
    return decode_step(out, len, text, 1);
}

bool hex_decode_reversed(void *out, size_t len, const char *text)
{
    uint8_t *p = out;
    return decode_step(len ? p + len - 1 : p, len, text, -1);
}

bool hex_is_valid(const char *text)
{
    size_t n = 0;
    while (digit_value(text[n]) >= 0)
        n++;
    return text[n] == 0 && n % 2 == 0;
}
