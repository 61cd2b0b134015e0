/* fuzz_undo.c - any bytes as the undo data of a block: vectors of spent coins, as the undo files hold them. */
#include "primitives/coin.h"
#include "primitives/serialize.h"
#include "util/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_coin(const struct coin *c, struct arena *arena)
{
    struct writer w = WRITER_INIT;
    struct coin again;

    undo_coin_write(&w, c);
    struct reader r = reader_make(w.data, w.len);
    ASSERT(undo_coin_read(&again, &r, arena) && reader_done(&r));
    ASSERT(again.height == c->height && again.coinbase == c->coinbase && again.out.script_len == c->out.script_len);
    ASSERT(c->out.script_len == 0 || memcmp(again.out.script, c->out.script, c->out.script_len) == 0);
    if (money_in_range(c->out.value))
        ASSERT(again.out.value == c->out.value);
    writer_clear(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader r = reader_make(data, size);
    struct arena arena = ARENA_INIT;
    struct coin c;

    for (uint64_t txs = read_compact_size(&r); txs > 0 && !r.failed; txs--) {
        for (uint64_t coins = read_compact_size(&r); coins > 0 && undo_coin_read(&c, &r, &arena); coins--) {
            check_coin(&c, &arena);
            arena_reset(&arena);
        }
    }
    arena_clear(&arena);
    return 0;
}
