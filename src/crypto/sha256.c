/* sha256.c - SHA-256 over whichever kernel the processor has: streaming, one-shot, double and tagged hashes.
 *
 * Called by all that identify or commit to something, on any thread. */
#include "crypto/sha256.h"

#include <stdatomic.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "crypto/sha256_scan_kernels.h"
#include "util/bytes.h"

const struct sha256_kernel *const sha256_kernels[] = {
#if defined(__x86_64__)
    &sha256_kernel_shani,
    &sha256_kernel_avx2,
#endif
    &sha256_kernel_portable,
    NULL,
};

/* Every thread that finds it empty makes the same choice, so a race does no harm. */
static _Atomic(const struct sha256_kernel *) chosen;

static const struct sha256_kernel *kernel_choose(void)
{
    const struct sha256_kernel *const *k = sha256_kernels;

    while (!(*k)->usable())
        k++;
    atomic_store_explicit(&chosen, *k, memory_order_relaxed);
    return *k;
}

static inline const struct sha256_kernel *kernel(void)
{
    const struct sha256_kernel *k = atomic_load_explicit(&chosen, memory_order_relaxed);
    return k ? k : kernel_choose();
}

const char *sha256_kernel(void)
{
    return kernel()->name;
}

void sha256_init(struct sha256 *ctx)
{
    memcpy(ctx->state, SHA256_INIT, sizeof(ctx->state));
    ctx->bytes = 0;
}

void sha256_write(struct sha256 *ctx, const void *data, size_t len)
{
    const uint8_t *p = data;
    size_t used = ctx->bytes % 64;

    ctx->bytes += len;
    if (used) {
        size_t room = 64 - used;
        if (len < room) {
            if (len)
                memcpy(ctx->buf + used, p, len);
            return;
        }
        memcpy(ctx->buf + used, p, room);
        kernel()->transform(ctx->state, ctx->buf, 1);
        p += room;
        len -= room;
    }
    if (len >= 64) {
        kernel()->transform(ctx->state, p, len / 64);
        p += len & ~(size_t)63;
        len %= 64;
    }
    if (len)
        memcpy(ctx->buf, p, len);
}

static void finish_words(struct sha256 *ctx)
{
    size_t used = ctx->bytes % 64;

    ctx->buf[used++] = 0x80;
    if (used > 56) {
        memset(ctx->buf + used, 0, 64 - used);
        kernel()->transform(ctx->state, ctx->buf, 1);
        used = 0;
    }
    memset(ctx->buf + used, 0, 56 - used);
    put_be64(ctx->buf + 56, ctx->bytes * 8);
    kernel()->transform(ctx->state, ctx->buf, 1);
}

static void put_digest(uint8_t out[32], const uint32_t state[8])
{
    for (int i = 0; i < 8; i++)
        put_be32(out + 4 * i, state[i]);
}

void sha256_finish(struct sha256 *ctx, uint8_t out[32])
{
    finish_words(ctx);
    put_digest(out, ctx->state);
}

void sha256d_finish(struct sha256 *ctx, uint8_t out[32])
{
    uint8_t block[64] = {[32] = 0x80, [62] = 1}; /* padding of a 256-bit message */

    finish_words(ctx);
    put_digest(block, ctx->state);
    memcpy(ctx->state, SHA256_INIT, sizeof(ctx->state));
    kernel()->transform(ctx->state, block, 1);
    put_digest(out, ctx->state);
}

void sha256(uint8_t out[32], const void *data, size_t len)
{
    struct sha256 ctx;

    sha256_init(&ctx);
    sha256_write(&ctx, data, len);
    sha256_finish(&ctx, out);
}

void sha256d(uint8_t out[32], const void *data, size_t len)
{
    struct sha256 ctx;

    sha256_init(&ctx);
    sha256_write(&ctx, data, len);
    sha256d_finish(&ctx, out);
}

void sha256d_64(uint8_t *out, const uint8_t *in, size_t n)
{
    kernel()->d64(out, in, n);
}

void sha256d_80(uint8_t *out, const uint8_t *in, size_t n)
{
    kernel()->d80(out, in, n);
}

void sha256_init_tagged(struct sha256 *ctx, const char *tag)
{
    uint8_t twice[64];

    sha256(twice, tag, strlen(tag));
    memcpy(twice + 32, twice, 32);
    sha256_init(ctx);
    sha256_write(ctx, twice, 64);
}

#if defined(__x86_64__)
/* True if the operating system saves the registers of the mask (XCR0 bits: 2 = SSE, 4 = AVX, 0xe0 = AVX-512). */
static bool os_saves(uint32_t mask)
{
    uint32_t a, b, c, d;

    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
        return false;
    __asm__("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
    return (a & mask) == mask;
}

bool sha256_cpu_has_shani(void)
{
    uint32_t a, b, c, d;

    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSE4_1))
        return false;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && b & bit_SHA;
}

bool sha256_cpu_has_avx2(void)
{
    uint32_t a, b, c, d;

    return os_saves(6) && __get_cpuid_count(7, 0, &a, &b, &c, &d) && b & bit_AVX2;
}

bool sha256_cpu_has_avx512(void)
{
    uint32_t a, b, c, d;

    return os_saves(0xe6) && __get_cpuid_count(7, 0, &a, &b, &c, &d) && b & bit_AVX512F;
}
#endif
