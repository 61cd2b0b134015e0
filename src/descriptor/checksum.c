/* checksum.c - BIP380's checksum of descriptors. Pure. */
#include <stdlib.h>

#include "descriptor/internal.h"

/* Place of each character in the alphabet of descriptors, which groups those that are easily mistaken for each other; 255: not in it. */
static const uint8_t alphabet[128] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
                                      255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 94,  59,  92,  91,  28,  29,
                                      50,  15,  10,  11,  17,  51,  14,  52,  53,  16,  0,   1,   2,   3,   4,   5,   6,   7,   8,
                                      9,   27,  54,  55,  56,  57,  58,  26,  82,  83,  84,  85,  86,  87,  88,  89,  32,  33,  34,
                                      35,  36,  37,  38,  39,  40,  41,  42,  43,  44,  45,  46,  47,  48,  49,  12,  93,  13,  60,
                                      61,  90,  18,  19,  20,  21,  22,  23,  24,  25,  64,  65,  66,  67,  68,  69,  70,  71,  72,
                                      73,  74,  75,  76,  77,  78,  79,  80,  81,  30,  62,  31,  63,  255};
static const char output_set[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/* Multiples of the generator by each of the 32 elements. */
static const uint64_t generator[32] = {
    0x0000000000, 0xf5dee51989, 0xa9fdca3312, 0x5c232f2a9b, 0x1bab10e32d, 0xee75f5faa4, 0xb256dad03f, 0x47883fc9b6,
    0x3706b1677a, 0xc2d8547ef3, 0x9efb7b5468, 0x6b259e4de1, 0x2cada18457, 0xd973449dde, 0x85506bb745, 0x708e8eaecc,
    0x644d626ffd, 0x9193877674, 0xcdb0a85cef, 0x386e4d4566, 0x7fe6728cd0, 0x8a38979559, 0xd61bb8bfc2, 0x23c55da64b,
    0x534bd30887, 0xa69536110e, 0xfab6193b95, 0x0f68fc221c, 0x48e0c3ebaa, 0xbd3e26f223, 0xe11d09d8b8, 0x14c3ecc131};

static inline uint64_t step(uint64_t c, unsigned v)
{
    return ((c & 0x7ffffffff) << 5 ^ v) ^ generator[c >> 35];
}

bool descriptor_checksum(char out[9], const char *text, size_t len)
{
    uint64_t c = 1;
    unsigned classes = 0, count = 0;

    for (size_t i = 0; i < len; i++) {
        unsigned char ch = (unsigned char)text[i];
        unsigned pos = ch < 128 ? alphabet[ch] : 255;
        if (pos == 255)
            return false;
        c = step(c, pos & 31);
        classes = classes * 3 + (pos >> 5);
        if (++count == 3) {
            c = step(c, classes);
            classes = count = 0;
        }
    }
    if (count)
        c = step(c, classes);
    for (int i = 0; i < 8; i++)
        c = step(c, 0);
    c ^= 1;
    for (int i = 0; i < 8; i++)
        out[i] = output_set[c >> (5 * (7 - i)) & 31];
    out[8] = 0;
    return true;
}

char *finish_text(struct writer *w)
{
    char sum[9] = "";

    descriptor_checksum(sum, (const char *)w->data, w->len);
    write_u8(w, '#');
    write_bytes(w, sum, sizeof(sum));
    return (char *)w->data;
}
