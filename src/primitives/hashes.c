/* hashes.c - text form of the 32-byte ids. Used by logs and RPC; pure, any thread. */
#include "primitives/hashes.h"

#include "util/hex.h"

struct hash_hex hash_to_hex(const uint8_t b[32])
{
    struct hash_hex h;
    hex_encode_reversed(h.s, b, 32);
    return h;
}

int hash_by_number(const void *a, const void *b)
{
    const uint8_t *x = a, *y = b;

    for (int i = 31; i >= 0; i--) {
        if (x[i] != y[i])
            return x[i] < y[i] ? -1 : 1;
    }
    return 0;
}

bool hash_from_hex(uint8_t out[32], const char *text)
{
    return hex_decode_reversed(out, 32, text);
}
