/* sha256_scan.c - prepares a header for the search of its nonce and picks the kernel. Called by mining, on any thread. */
#include "crypto/sha256_scan.h"

#include <stdatomic.h>
#include <string.h>

#include "crypto/sha256_scan_kernels.h"
#include "util/bytes.h"

const struct sha256_scan_kernel *const sha256_scan_kernels[] = {
#if defined(__x86_64__)
    &sha256_scan_avx512,   &sha256_scan_shani,
    &sha256_scan_avx2,
#endif
    &sha256_scan_portable, NULL,
};

/* Every thread that finds it empty makes the same choice, so a race does no harm. */
static _Atomic(const struct sha256_scan_kernel *) chosen;

static const struct sha256_scan_kernel *kernel(void)
{
    const struct sha256_scan_kernel *k = atomic_load_explicit(&chosen, memory_order_relaxed);

    if (k)
        return k;
    for (const struct sha256_scan_kernel *const *p = sha256_scan_kernels; !(k = *p)->usable(); p++)
        continue;
    atomic_store_explicit(&chosen, k, memory_order_relaxed);
    return k;
}

static uint32_t rotr(uint32_t v, int n)
{
    return v >> n | v << (32 - n);
}

static void one_round(uint32_t s[8], uint32_t kw)
{
    uint32_t a = s[0], e = s[4];
    uint32_t t1 = s[7] + kw + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) + (s[6] ^ (e & (s[5] ^ s[6])));
    uint32_t t2 = (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) + ((a & s[1]) | (s[2] & (a | s[1])));

    memmove(s + 1, s, 7 * sizeof(*s));
    s[4] += t1;
    s[0] = t1 + t2;
}

static uint32_t sigma0(uint32_t x)
{
    return rotr(x, 7) ^ rotr(x, 18) ^ x >> 3;
}

static uint32_t sigma1(uint32_t x)
{
    return rotr(x, 17) ^ rotr(x, 19) ^ x >> 10;
}

void sha256_scan_init(struct sha256_scan *s, const uint8_t header[80])
{
    memcpy(s->midstate, SHA256_INIT, sizeof(s->midstate));
    sha256_kernel_portable.transform(s->midstate, header, 1);
    memcpy(s->state3, s->midstate, sizeof(s->state3));
    for (int i = 0; i < 3; i++) {
        s->tail[i] = get_be32(header + 64 + 4 * i);
        one_round(s->state3, SHA256_K[i] + s->tail[i]);
    }
    s->w16 = sigma0(s->tail[1]) + s->tail[0];
    s->w17 = sigma1(640) + sigma0(s->tail[2]) + s->tail[1];
}

uint32_t sha256_scan(const struct sha256_scan *s, uint32_t first, uint32_t n, uint32_t limit)
{
    return kernel()->scan(s, first, n, limit);
}

const char *sha256_scan_kernel(void)
{
    return kernel()->name;
}
