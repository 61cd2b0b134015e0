/* sha256_scan_kernels.h - the kernels that search nonces. Used by sha256_scan.c, which picks one, and by unit tests and benchmarks, which run all
 * that the processor has. */
#ifndef FARTHING_CRYPTO_SHA256_SCAN_KERNELS_H
#define FARTHING_CRYPTO_SHA256_SCAN_KERNELS_H

#include "crypto/sha256_kernels.h"
#include "crypto/sha256_scan.h"

struct sha256_scan_kernel {
    const char *name;
    bool (*usable)(void);
    /* As sha256_scan. */
    uint32_t (*scan)(const struct sha256_scan *s, uint32_t first, uint32_t n, uint32_t limit);
};

/* Best first, NULL at the end. */
extern const struct sha256_scan_kernel *const sha256_scan_kernels[];

extern const struct sha256_scan_kernel sha256_scan_portable;
#if defined(__x86_64__)
extern const struct sha256_scan_kernel sha256_scan_shani;
extern const struct sha256_scan_kernel sha256_scan_avx2;
extern const struct sha256_scan_kernel sha256_scan_avx512;
bool sha256_cpu_has_avx512(void);
#endif

#endif
