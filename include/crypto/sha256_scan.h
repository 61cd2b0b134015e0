/* sha256_scan.h - the search for a header's nonce: many double SHA-256 at once over headers that differ in their last four bytes. What does not
 * depend on the nonce is computed once, and of the result only the word that decides. Kernels are picked at run time. Pure; any thread. */
#ifndef FARTHING_CRYPTO_SHA256_SCAN_H
#define FARTHING_CRYPTO_SHA256_SCAN_H

#include <stdint.h>

/* A header as the kernels want it; a plain value. */
struct sha256_scan {
    uint32_t midstate[8]; /* after its first 64 bytes */
    uint32_t tail[3];     /* the words before the nonce */
    uint32_t state3[8];   /* after the three rounds that take them */
    uint32_t w16, w17;    /* the words of the message schedule that do not depend on the nonce */
};

/** header: 80 bytes; its nonce does not matter. */
void sha256_scan_init(struct sha256_scan *s, const uint8_t header[80]);
/** Tries the nonces first, first + 1, ... (modulo 2^32), n of them. Returns: the offset of the first one whose hash, as a little-endian number, has
 *  32 highest bits of at most limit; n if there is none. The lower bits are the caller's to look at. */
uint32_t sha256_scan(const struct sha256_scan *s, uint32_t first, uint32_t n, uint32_t limit);
/** The name of the kernel in use ("avx512", "sha-ni", "avx2", "portable"), for the log. */
const char *sha256_scan_kernel(void);

#endif
