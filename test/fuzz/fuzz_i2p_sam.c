/* fuzz_i2p_sam.c - what an I2P router answers, in pieces. The first byte picks the conversation and the size of the pieces. */
#include <stdio.h>

#include "net/i2p_sam.h"
#include "util/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sam s;
    struct net_addr a;
    size_t pos = 1, piece = size ? data[0] / 8 * 3u + 1u : 1;
    enum exchange_step step = EXCHANGE_MORE;

    if (!size)
        return 0;
    sam_init(&s, (enum sam_purpose)(data[0] % 5), "0123456789");
    snprintf(s.name, sizeof(s.name), "name.b32.i2p");
    while (step == EXCHANGE_MORE && pos < size) {
        size_t n = size - pos < piece ? size - pos : piece, used;
        step = sam_feed(&s, data + pos, n, &used);
        ASSERT(used <= n && (used == n || step != EXCHANGE_MORE));
        pos += used;
    }
    ASSERT(step != EXCHANGE_FAILED || s.error);
    ASSERT(s.key.len <= SAM_KEY_MAX && s.line.len <= SAM_LINE_MAX);
    if (s.key.len && sam_key_addr(&a, s.key.data, s.key.len))
        ASSERT(a.network == NET_I2P);
    sam_clear(&s);
    return 0;
}
