/* test_records.c - keys and values of the indexes as Bitcoin Core writes them, byte for byte, and what does not decode. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "index/records.h"
#include "index/stats_index.h"
#include "util/hex.h"
#include "util/mem.h"
#include "util/random.h"

static void expect_hex(struct writer *w, const char *want)
{
    char *text = xmalloc(2 * w->len + 1);

    hex_encode(text, w->data, w->len);
    assert_string_equal(text, want);
    free(text);
    w->len = 0;
}

static void known_bytes(void **state)
{
    struct writer w = WRITER_INIT;

    (void)state;
    tx_row_encode(&w, &(struct tx_row){0x1122334455, 300, 0x010203});
    expect_hex(&w, "781122334455812c010203");
    tx_row_encode(&w, &(struct tx_row){0xff, 0, 81});
    expect_hex(&w, "7800000000ff00000051");
    block_number_key(&w, 300);
    expect_hex(&w, "73812c");
    spender_row_encode(&w, &(struct spender_row){0x0102030405060708, {{2, 8}, 1}});
    expect_hex(&w, "730807060504030201020801");
    tx_position_encode(&w, &(struct tx_position){{128, 16511}, 16512});
    expect_hex(&w, "8000ff7f808000");
    writer_clear(&w);
}

static void rows_round_trip(void **state)
{
    struct rng rng;

    (void)state;
    rng_init_seed(&rng, 11);
    for (int i = 0; i < 2000; i++) {
        unsigned shift = (unsigned)rng_below(&rng, 32);
        struct tx_row row = {rng_u64(&rng) >> 24, (uint32_t)(rng_u64(&rng) >> 32) >> shift, (uint32_t)rng_below(&rng, 1 << 24)},
                      got;
        struct spender_row sp = {rng_u64(&rng), {{(int32_t)(rng_u64(&rng) >> 33), row.number}, row.offset}}, sp_got;
        struct writer w = WRITER_INIT;
        struct reader r;

        tx_row_encode(&w, &row);
        r = reader_make(w.data, w.len);
        assert_true(tx_row_decode(&got, &r));
        assert_true(got.hash == row.hash && got.number == row.number && got.offset == row.offset);
        for (size_t len = 0; len < w.len; len++) {
            r = reader_make(w.data, len);
            assert_false(tx_row_decode(&got, &r) && got.number == row.number);
        }
        write_u8(&w, 0);
        w.len = 0;
        spender_row_encode(&w, &sp);
        r = reader_make(w.data, w.len);
        assert_true(spender_row_decode(&sp_got, &r));
        assert_true(sp_got.hash == sp.hash && sp_got.at.block.file == sp.at.block.file && sp_got.at.block.pos == sp.at.block.pos &&
                    sp_got.at.offset == sp.at.offset);
        write_u8(&w, 0);
        r = reader_make(w.data, w.len);
        assert_false(spender_row_decode(&sp_got, &r));
        w.data[0] = 'x';
        r = reader_make(w.data, w.len - 1);
        assert_false(spender_row_decode(&sp_got, &r));
        writer_clear(&w);
    }
}

static void statistics(void **state)
{
    struct coin_stats s = {.txouts = 1,
                           .bogosize = 2,
                           .total_amount = 3,
                           .subsidy = 4,
                           .prevouts_spent = ((unsigned __int128)1 << 64) + 5,
                           .new_outputs = 6,
                           .coinbase = 7,
                           .genesis = 8,
                           .bip30 = 9,
                           .scripts = 10,
                           .unclaimed = -1},
                      got;
    struct writer w = WRITER_INIT;
    struct reader r;

    (void)state;
    memset(s.muhash, 0xab, sizeof(s.muhash));
    coin_stats_encode(&w, &s);
    assert_int_equal(w.len, 32 + 4 * 8 + 3 * 32 + 4 * 8);
    r = reader_make(w.data, w.len);
    assert_true(coin_stats_decode(&got, &r));
    assert_memory_equal(&got, &s, sizeof(s));
    for (size_t len = 0; len < w.len; len++) {
        r = reader_make(w.data, len);
        assert_false(coin_stats_decode(&got, &r));
    }
    w.data[32 + 32 + 16] = 1; /* more than any chain moves */
    r = reader_make(w.data, w.len);
    assert_false(coin_stats_decode(&got, &r));
    w.len = 0;
    s = (struct coin_stats){.txouts = 0x0102, .prevouts_spent = 0x0304};
    coin_stats_encode(&w, &s);
    w.len = 32 + 4 * 8 + 8;
    expect_hex(&w, "0000000000000000000000000000000000000000000000000000000000000000"
                   "0201000000000000"
                   "0000000000000000"
                   "0000000000000000"
                   "0000000000000000"
                   "0403000000000000");
    writer_clear(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_bytes),
        cmocka_unit_test(rows_round_trip),
        cmocka_unit_test(statistics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
