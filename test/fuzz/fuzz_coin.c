/* fuzz_coin.c - any bytes as coins of the coin database: what was read is written and read again as the same coin. */
#include "primitives/coin.h"
#include "util/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader r = reader_make(data, size);
    struct arena arena = ARENA_INIT;
    struct writer w = WRITER_INIT;
    struct coin c, again;

    while (reader_left(&r) > 0 && coin_read(&c, &r, &arena)) {
        w.len = 0;
        coin_write(&w, &c);
        struct reader back = reader_make(w.data, w.len);
        ASSERT(coin_read(&again, &back, &arena) && reader_done(&back));
        ASSERT(again.height == c.height && again.coinbase == c.coinbase);
        ASSERT(c.out.script_len <= 10000 && again.out.script_len == c.out.script_len);
        ASSERT(c.out.script_len == 0 || memcmp(again.out.script, c.out.script, c.out.script_len) == 0);
        /* Amounts that no coin has may wrap around; those that exist never do. */
        if (money_in_range(c.out.value))
            ASSERT(again.out.value == c.out.value);
        arena_reset(&arena);
    }
    arena_clear(&arena);
    writer_clear(&w);
    return 0;
}
