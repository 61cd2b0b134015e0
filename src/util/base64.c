/* base64.c - base64 for HTTP authentication and signed messages. Called by cli and rpc; pure. */
#include "util/base64.h"

#include "util/mem.h"

char *base64_encode(const void *data, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *in = data;
    char *out = xmalloc((len + 2) / 3 * 4 + 1), *o = out;

    for (size_t i = 0; i < len; i += 3) {
        uint32_t v = (uint32_t)in[i] << 16;
        if (i + 1 < len)
            v |= (uint32_t)in[i + 1] << 8;
        if (i + 2 < len)
            v |= in[i + 2];
        *o++ = digits[v >> 18];
        *o++ = digits[v >> 12 & 63];
        *o++ = i + 1 < len ? digits[v >> 6 & 63] : '=';
        *o++ = i + 2 < len ? digits[v & 63] : '=';
    }
    *o = 0;
    return out;
}

static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool base64_decode(void *out, size_t *len, const char *text, size_t text_len)
{
    uint8_t *bytes = out;
    size_t room = *len, n = 0, digits = text_len;
    uint32_t bits = 0;
    unsigned have = 0;

    *len = 0;
    if (text_len % 4 != 0)
        return false;
    while (digits > 0 && text_len - digits < 2 && text[digits - 1] == '=')
        digits--;
    for (size_t i = 0; i < digits; i++) {
        int v = value_of(text[i]);
        if (v < 0)
            return false;
        bits = (bits << 6 | (uint32_t)v) & 0xffff;
        have += 6;
        if (have < 8)
            continue;
        have -= 8;
        if (n == room)
            return false;
        bytes[n++] = (uint8_t)(bits >> have);
    }
    if (bits & ((1u << have) - 1))
        return false; /* bits that no byte has */
    *len = n;
    return true;
}
