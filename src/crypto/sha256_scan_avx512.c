/* sha256_scan_avx512.c - the search for nonces in 16 lanes; compiled for AVX-512, empty on machines other than x86. Called by sha256_scan.c, on any
 * thread. */
#include "crypto/sha256_scan_kernels.h"

#if defined(__x86_64__)
#define LANES 16
#include "crypto/sha256_scan_lanes.h"

const struct sha256_scan_kernel sha256_scan_avx512 = {"avx512", sha256_cpu_has_avx512, scan};
#else
extern int sha256_scan_avx512_unused; /* a translation unit must not be empty */
#endif
