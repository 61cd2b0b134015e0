/* sha256_scan_avx2.c - the search for nonces in 8 lanes; compiled for AVX2, empty on machines other than x86. Called by sha256_scan.c, on any
 * thread. */
#include "crypto/sha256_scan_kernels.h"

#if defined(__x86_64__)
#define LANES 8
#include "crypto/sha256_scan_lanes.h"

const struct sha256_scan_kernel sha256_scan_avx2 = {"avx2", sha256_cpu_has_avx2, scan};
#else
extern int sha256_scan_avx2_unused; /* a translation unit must not be empty */
#endif
