/* obfuscate.h - the XOR with a rotating 8-byte key that Bitcoin Core applies to files and database values, so that scanners
 * do not mistake transaction data for malware. Applying it twice gives the original. Pure; any thread. */
#ifndef FARTHING_UTIL_OBFUSCATE_H
#define FARTHING_UTIL_OBFUSCATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define OBFUSCATION_KEY_SIZE 8

/** True for a key that changes nothing. */
static inline bool obfuscation_is_null(const uint8_t key[OBFUSCATION_KEY_SIZE])
{
    static const uint8_t zero[OBFUSCATION_KEY_SIZE];
    return memcmp(key, zero, sizeof(zero)) == 0;
}

/** out[i] = in[i] ^ key[(offset + i) % 8]. out may be in. offset: place of in[0] in the file (0 for database values). */
static inline void obfuscate_copy(uint8_t *out, const uint8_t *in, size_t len, const uint8_t key[OBFUSCATION_KEY_SIZE],
                                  uint64_t offset)
{
    uint8_t rotated[OBFUSCATION_KEY_SIZE];
    uint64_t word, mask;
    size_t i = 0;

    if (obfuscation_is_null(key)) {
        if (len && out != in)
            memcpy(out, in, len);
        return;
    }
    for (unsigned k = 0; k < OBFUSCATION_KEY_SIZE; k++)
        rotated[k] = key[(offset + k) % OBFUSCATION_KEY_SIZE];
    memcpy(&mask, rotated, sizeof(mask));
    for (; i + 4 * sizeof(word) <= len; i += 4 * sizeof(word)) { /* a block's bytes: two registers at once */
        uint64_t four[4];

        memcpy(four, in + i, sizeof(four));
        for (unsigned k = 0; k < 4; k++)
            four[k] ^= mask;
        memcpy(out + i, four, sizeof(four));
    }
    for (; i + sizeof(word) <= len; i += sizeof(word)) {
        memcpy(&word, in + i, sizeof(word));
        word ^= mask;
        memcpy(out + i, &word, sizeof(word));
    }
    for (; i < len; i++)
        out[i] = (uint8_t)(in[i] ^ rotated[i % OBFUSCATION_KEY_SIZE]);
}

/** The same in place. */
static inline void obfuscate(uint8_t *data, size_t len, const uint8_t key[OBFUSCATION_KEY_SIZE], uint64_t offset)
{
    if (!obfuscation_is_null(key))
        obfuscate_copy(data, data, len, key, offset);
}

#endif
