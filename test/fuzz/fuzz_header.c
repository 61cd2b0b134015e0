/* fuzz_header.c - any 80 bytes are a header; its bits as a target, work and difficulty stay within their bounds. */
#include "primitives/block.h"
#include "primitives/target.h"
#include "util/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct block_header h;
    uint8_t back[BLOCK_HEADER_SIZE];
    bool negative, overflow;

    if (size < BLOCK_HEADER_SIZE)
        return 0;
    block_header_decode(&h, data);
    block_header_encode(back, &h);
    ASSERT(memcmp(back, data, sizeof(back)) == 0);

    struct u256 target = target_from_bits(h.bits, &negative, &overflow);
    struct u256 work = work_from_bits(h.bits);
    bool valid = !negative && !overflow && !u256_is_zero(target);
    ASSERT(u256_is_zero(work) == !valid);
    ASSERT(target_from_bits(target_to_bits(target), NULL, NULL).w[3] == target.w[3]);
    /* work * (target + 1) never exceeds 2^256, and the next work up does. */
    if (valid && u256_bits(work) <= 64) {
        struct u256 span = u256_add(target, u256_from_u64(1));
        struct u256 rest = u256_sub(u256_from_u64(0), u256_mul_u64(span, work.w[0]));
        ASSERT(u256_cmp(rest, span) < 0);
    }
    (void)difficulty_from_bits(h.bits);

    struct u256 a = u256_from_le(data), b = u256_from_le(data + 32);
    if (!u256_is_zero(b)) {
        struct u256 q = u256_div(a, b);
        if (u256_bits(q) <= 64)
            ASSERT(u256_cmp(u256_sub(a, u256_mul_u64(b, q.w[0])), b) < 0);
    }
    return 0;
}
