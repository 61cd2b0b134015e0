/* cavp.h - runs a NIST CAVP response file ("Len = ", "Msg = ", "MD = ") against a hash. For the tests of crypto. */
#ifndef FARTHING_TEST_CAVP_H
#define FARTHING_TEST_CAVP_H

#include "vectors.h"

typedef void (*cavp_hash)(uint8_t *out, const void *data, size_t len);

/** Returns: the number of cases that matched; -1 after a mismatch, 0 if the vectors are missing. */
static inline int cavp_run(const char *rel, cavp_hash hash, size_t hash_len)
{
    size_t size, bits = 0, msg_len = 0;
    char *text = (char *)vectors_read(rel, &size), *save = NULL;
    uint8_t *msg = NULL, got[64];
    int n = 0;

    for (char *line = text ? strtok_r(text, "\r\n", &save) : NULL; line && n >= 0; line = strtok_r(NULL, "\r\n", &save)) {
        if (!strncmp(line, "Len = ", 6)) {
            bits = strtoul(line + 6, NULL, 10);
        } else if (!strncmp(line, "Msg = ", 6)) {
            free(msg);
            msg = vectors_hex(line + 6, &msg_len);
        } else if (!strncmp(line, "MD = ", 5)) {
            size_t want_len;
            uint8_t *want = vectors_hex(line + 5, &want_len);
            hash(got, msg, bits / 8);
            n = want_len == hash_len && bits / 8 <= msg_len && !memcmp(got, want, want_len) ? n + 1 : -1;
            free(want);
        }
    }
    free(msg);
    free(text);
    return n;
}

#endif
