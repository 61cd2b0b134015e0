/* sha256_kernels.h - the SHA-256 kernels and what they share. Used by sha256.c, which picks one, and by the unit tests, which
 * run all that the processor has. */
#ifndef FARTHING_CRYPTO_SHA256_KERNELS_H
#define FARTHING_CRYPTO_SHA256_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sha256_kernel {
    const char *name;
    /* True if this processor (and operating system) can run it. */
    bool (*usable)(void);
    /* Runs n 64-byte blocks into the state. */
    void (*transform)(uint32_t state[8], const uint8_t *blocks, size_t n);
    /* n double hashes of 64 or 80 bytes each, back to back; in place is allowed (out == in). */
    void (*d64)(uint8_t *out, const uint8_t *in, size_t n);
    void (*d80)(uint8_t *out, const uint8_t *in, size_t n);
};

/* Best first, NULL at the end; a machine other than x86 has the portable one alone. */
extern const struct sha256_kernel *const sha256_kernels[];

extern const struct sha256_kernel sha256_kernel_portable;
#if defined(__x86_64__)
extern const struct sha256_kernel sha256_kernel_shani;
extern const struct sha256_kernel sha256_kernel_avx2;
/* What the kernels' usable() answers; asked outside of them as their files are compiled for the newer processors. */
bool sha256_cpu_has_shani(void);
bool sha256_cpu_has_avx2(void);
#endif

/* FIPS 180-4: the initial state and the round constants. */
extern const uint32_t SHA256_INIT[8];
extern const uint32_t SHA256_K[64];
/* Round constants plus message schedule of the block that ends a 64-byte message: its contents are always the same. */
extern const uint32_t SHA256_K_PAD64[64];

#endif
