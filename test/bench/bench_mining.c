/* bench_mining.c - the search for nonces: each kernel in a bare loop on one thread. Prints lines of a kernel's name and millions of nonces a second
 * of the processor's time, and at last the name of the one that the node takes. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "crypto/sha256_scan_kernels.h"

#define STRIDE (1u << 18)
#define RUN_US 700000

/* Not the wall's clock: who shares the processor makes no difference. */
static int64_t used_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static double rate_of(const struct sha256_scan_kernel *k)
{
    uint8_t header[80];
    struct sha256_scan s;
    uint64_t n = 0;
    int64_t start, now;

    memset(header, 7, sizeof(header));
    sha256_scan_init(&s, header);
    start = now = used_us();
    while (now - start < RUN_US) {
        n += k->scan(&s, (uint32_t)n, STRIDE, 0) == STRIDE ? STRIDE : STRIDE / 2;
        now = used_us();
    }
    return (double)n / (double)(now - start);
}

int main(void)
{
    for (const struct sha256_scan_kernel *const *k = sha256_scan_kernels; *k; k++) {
        if ((*k)->usable())
            printf("%s %.2f\n", (*k)->name, rate_of(*k));
    }
    printf("%s\n", sha256_scan_kernel());
    return 0;
}
