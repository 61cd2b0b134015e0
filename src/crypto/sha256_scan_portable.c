/* sha256_scan_portable.c - the search for nonces in four lanes: SSE2, NEON, or whatever the compiler makes of four words. Called by
 * sha256_scan.c, on any thread. */
#define LANES 4
#include "crypto/sha256_scan_lanes.h"

static bool usable(void)
{
    return true;
}

const struct sha256_scan_kernel sha256_scan_portable = {"portable", usable, scan};
