/* fuzz_socks5.c - what a proxy answers, in pieces. The first byte picks the size of the pieces and whether credentials are offered. */
#include "net/socks5.h"
#include "util/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct socks5 s;
    size_t pos = 1, piece = size ? data[0] % 31 + 1u : 1;
    enum exchange_step step = EXCHANGE_MORE;

    ASSERT(socks5_init(&s, "example.com", 8333, size && data[0] & 32 ? "user" : NULL));
    while (step == EXCHANGE_MORE && pos < size) {
        size_t n = size - pos < piece ? size - pos : piece, used;
        step = socks5_feed(&s, data + pos, n, &used);
        ASSERT(used <= n && (used == n || step != EXCHANGE_MORE));
        pos += used;
    }
    ASSERT(pos < 600 && s.out.len < 100);
    ASSERT(step != EXCHANGE_FAILED || s.error[0]);
    socks5_clear(&s);
    return 0;
}
