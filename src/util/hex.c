/* hex.c - hexadecimal text, both byte orders. Pure; called by RPC, addresses, logs and tests on any thread. */
#include "util/hex.h"

#include <string.h>

static const char DIGITS[] = "0123456789abcdef";

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

#ifdef __SSE2__
#include <emmintrin.h>

/* 16 digits of nibbles: those above 9 lie further on in ASCII. */
static __m128i digits_of(__m128i nibbles)
{
    __m128i letters = _mm_and_si128(_mm_cmpgt_epi8(nibbles, _mm_set1_epi8(9)), _mm_set1_epi8('a' - '0' - 10));

    return _mm_add_epi8(_mm_add_epi8(nibbles, _mm_set1_epi8('0')), letters);
}

/* Returns: how many bytes are done, a multiple of 16. */
static size_t put_many(char *out, const uint8_t *p, size_t len)
{
    const __m128i low = _mm_set1_epi8(15);
    size_t n = 0;

    for (; n + 16 <= len; n += 16) {
        __m128i in = _mm_loadu_si128((const __m128i *)(const void *)(p + n));
        __m128i hi = digits_of(_mm_and_si128(_mm_srli_epi16(in, 4), low)), lo = digits_of(_mm_and_si128(in, low));
        _mm_storeu_si128((__m128i *)(void *)(out + 2 * n), _mm_unpacklo_epi8(hi, lo));
        _mm_storeu_si128((__m128i *)(void *)(out + 2 * n + 16), _mm_unpackhi_epi8(hi, lo));
    }
    return n;
}

/* 16 digits to nibbles. *bad: 0xff where something was none. */
static __m128i nibbles_of(__m128i text, __m128i *bad)
{
    __m128i digit = _mm_sub_epi8(text, _mm_set1_epi8('0'));
    __m128i letter = _mm_sub_epi8(_mm_or_si128(text, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
    __m128i is_digit = _mm_cmpeq_epi8(_mm_min_epu8(digit, _mm_set1_epi8(9)), digit);
    __m128i is_letter = _mm_cmpeq_epi8(_mm_min_epu8(letter, _mm_set1_epi8(5)), letter);

    letter = _mm_and_si128(is_letter, _mm_add_epi8(letter, _mm_set1_epi8(10)));
    *bad = _mm_or_si128(*bad, _mm_cmpeq_epi8(_mm_or_si128(is_digit, is_letter), _mm_setzero_si128()));
    return _mm_or_si128(_mm_and_si128(is_digit, digit), letter);
}

/* Two digits in each 16 bits, the first one in the low half, to a byte. */
static __m128i join_nibbles(__m128i n)
{
    return _mm_and_si128(_mm_or_si128(_mm_slli_epi16(n, 4), _mm_srli_epi16(n, 8)), _mm_set1_epi16(0xff));
}

/* Of 2 * len digits. Returns: how many bytes are done, a multiple of 16; those before a wrong digit at least. */
static size_t take_many(uint8_t *out, size_t len, const char *text)
{
    size_t n = 0;

    for (; n + 16 <= len; n += 16) {
        const char *at = text + 2 * n;
        __m128i bad = _mm_setzero_si128(), low, high;
        low = nibbles_of(_mm_loadu_si128((const __m128i *)(const void *)at), &bad);
        high = nibbles_of(_mm_loadu_si128((const __m128i *)(const void *)(at + 16)), &bad);
        if (_mm_movemask_epi8(bad))
            break;
        _mm_storeu_si128((__m128i *)(void *)(out + n), _mm_packus_epi16(join_nibbles(low), join_nibbles(high)));
    }
    return n;
}
#else
static size_t take_many(uint8_t *out, size_t len, const char *text)
{
    (void)out;
    (void)len;
    (void)text;
    return 0;
}

static size_t put_many(char *out, const uint8_t *p, size_t len)
{
    (void)out;
    (void)p;
    (void)len;
    return 0;
}
#endif

void hex_put(char *out, const void *data, size_t len)
{
    const uint8_t *p = data;

    for (size_t i = put_many(out, p, len); i < len; i++) {
        out[2 * i] = DIGITS[p[i] >> 4];
        out[2 * i + 1] = DIGITS[p[i] & 15];
    }
}

void hex_encode(char *out, const void *data, size_t len)
{
    hex_put(out, data, len);
    out[2 * len] = 0;
}

void hex_encode_reversed(char *out, const void *data, size_t len)
{
    const uint8_t *p = data;

    for (; len; len--) {
        *out++ = DIGITS[p[len - 1] >> 4];
        *out++ = DIGITS[p[len - 1] & 15];
    }
    *out = 0;
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
    size_t n = memchr(text, 0, 2 * len + 1) == text + 2 * len ? take_many(out, len, text) : 0;

    return decode_step((uint8_t *)out + n, len - n, text + 2 * n, 1);
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
