/* test_coin.c - the compressed form of coins: known values, round trips, hostile bytes, and every coin of Core's snapshots. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "crypto/keys.h"
#include "primitives/coin.h"
#include "primitives/serialize.h"
#include "util/random.h"
#include "vectors.h"

static void amounts(void **state)
{
    static const struct {
        uint64_t plain, compressed;
    } cases[] = {
        {0, 0}, {1, 1}, {9, 81}, {10, 2}, {1000000, 7}, {COIN, 9}, {50 * COIN, 50}, {MAX_MONEY, 21000000},
    };
    struct rng rng;
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_true(amount_compress(cases[i].plain) == cases[i].compressed);
        assert_true(amount_decompress(cases[i].compressed) == cases[i].plain);
    }
    for (uint64_t x = 0; x < 100000; x++) {
        assert_true(amount_compress(amount_decompress(x)) == x);
        assert_true(amount_decompress(amount_compress(x)) == x);
        assert_true(amount_decompress(amount_compress(x * COIN)) == x * COIN);
    }
    rng_init_seed(&rng, 21);
    for (unsigned i = 0; i < 100000; i++) {
        uint64_t n = rng_below(&rng, MAX_MONEY + 1);
        assert_true(amount_decompress(amount_compress(n)) == n);
    }
}

static void expect_script(const char *script_hex, const char *compressed_hex)
{
    size_t len, want_len;
    uint8_t *script = vectors_hex(script_hex, &len), *want = vectors_hex(compressed_hex, &want_len);
    struct writer w = WRITER_INIT;
    struct arena arena = ARENA_INIT;
    uint32_t back_len;

    write_compressed_script(&w, script, len);
    assert_int_equal(w.len, want_len);
    assert_memory_equal(w.data, want, want_len);
    struct reader r = reader_make(w.data, w.len);
    const uint8_t *back = read_compressed_script(&r, &arena, &back_len);
    assert_true(reader_done(&r));
    assert_int_equal(back_len, len);
    assert_memory_equal(back, script, len);
    /* Bytes that stand in the input are borrowed. */
    if (want_len == len + 1)
        assert_true(arena.total == 0 && back == w.data + 1);
    for (size_t cut = 0; cut < want_len; cut++) {
        r = reader_make(w.data, cut);
        assert_null(read_compressed_script(&r, &arena, &back_len));
        assert_true(r.failed);
        assert_int_equal(back_len, 0);
    }
    arena_clear(&arena);
    writer_clear(&w);
    free(script);
    free(want);
}

#define H20 "0102030405060708090a0b0c0d0e0f1011121314"
/* The generator point: its y is even. */
#define GX "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
#define GY "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"
#define GY_NEG "b7c52588d95c3b9aa25b0403f1eef75702e84bb7597aabe663b82f6f04ef2777"

static void scripts(void **state)
{
    (void)state;
    expect_script("76a914" H20 "88ac", "00" H20);
    expect_script("a914" H20 "87", "01" H20);
    expect_script("2102" GX "ac", "02" GX);
    expect_script("2103" GX "ac", "03" GX);
    expect_script("4104" GX GY "ac", "04" GX);
    expect_script("4104" GX GY_NEG "ac", "05" GX);
    /* A compressed key need not be a point. */
    expect_script("2102ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffac",
                  "02ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff");
    /* Not a point, hybrid forms, near misses: as they are, after their length plus six. */
    expect_script("4104" GX GX "ac", "49"
                                     "4104" GX GX "ac");
    expect_script("4106" GX GY "ac", "49"
                                     "4106" GX GY "ac");
    expect_script("4107" GX GY_NEG "ac", "49"
                                         "4107" GX GY_NEG "ac");
    expect_script("2104" GX "ac", "29"
                                  "2104" GX "ac");
    expect_script("76a914" H20 "88ad", "1f"
                                       "76a914" H20 "88ad");
    expect_script("a914" H20 "88", "1d"
                                   "a914" H20 "88");
    expect_script("0014" H20, "1c"
                              "0014" H20);
    expect_script("", "06");
    expect_script("6a", "076a");
}

static void foreign_bytes(void **state)
{
    struct writer w = WRITER_INIT;
    struct arena arena = ARENA_INIT;
    uint8_t *zeroes = xcalloc(1, 10002);
    uint32_t len;
    (void)state;

    /* A key that is no point reads as an empty script; over-long scripts as OP_RETURN, all of their bytes used up. */
    write_u8(&w, 4);
    for (unsigned i = 0; i < 32; i++)
        write_u8(&w, 0xff);
    struct reader r = reader_make(w.data, w.len);
    read_compressed_script(&r, &arena, &len);
    assert_true(reader_done(&r));
    assert_int_equal(len, 0);
    w.len = 0;
    write_varint(&w, 10001 + SPECIAL_SCRIPTS);
    write_bytes(&w, zeroes, 10001);
    r = reader_make(w.data, w.len);
    const uint8_t *s = read_compressed_script(&r, &arena, &len);
    assert_true(reader_done(&r));
    assert_int_equal(len, 1);
    assert_int_equal(s[0], 0x6a);
    r = reader_make(w.data, w.len - 1);
    assert_null(read_compressed_script(&r, &arena, &len));
    w.len = 0;
    write_varint(&w, 10000 + SPECIAL_SCRIPTS);
    write_bytes(&w, zeroes, 10000);
    r = reader_make(w.data, w.len);
    read_compressed_script(&r, &arena, &len);
    assert_true(reader_done(&r));
    assert_int_equal(len, 10000);
    /* Script code and height code over 32 bits. */
    w.len = 0;
    write_varint(&w, (uint64_t)UINT32_MAX + 1);
    r = reader_make(w.data, w.len);
    assert_null(read_compressed_script(&r, &arena, &len));
    assert_true(r.failed);
    write_bytes(&w, "\x01\x06", 2);
    struct coin c;
    r = reader_make(w.data, w.len);
    assert_false(coin_read(&c, &r, &arena));
    r = reader_make(w.data, w.len);
    assert_false(undo_coin_read(&c, &r, &arena));
    writer_clear(&w);
    arena_clear(&arena);
    free(zeroes);
}

static void expect_coin(const struct coin *c, const char *hex, bool undo)
{
    struct writer w = WRITER_INIT;
    struct arena arena = ARENA_INIT;
    struct coin back;
    size_t len;
    uint8_t *want = vectors_hex(hex, &len);

    if (undo)
        undo_coin_write(&w, c);
    else
        coin_write(&w, c);
    assert_int_equal(w.len, len);
    assert_memory_equal(w.data, want, len);
    for (size_t cut = 0; cut <= len; cut++) {
        struct reader r = reader_make(w.data, cut);
        bool ok = undo ? undo_coin_read(&back, &r, &arena) : coin_read(&back, &r, &arena);
        assert_int_equal(ok, cut == len);
    }
    assert_int_equal(back.height, c->height);
    assert_int_equal(back.coinbase, c->coinbase);
    assert_true(back.out.value == c->out.value);
    assert_int_equal(back.out.script_len, c->out.script_len);
    assert_memory_equal(back.out.script, c->out.script, c->out.script_len);
    writer_clear(&w);
    arena_clear(&arena);
    free(want);
}

static void coins_and_undo(void **state)
{
    static const uint8_t p2sh[23] = {0xa9, 20, [22] = 0x87}, odd[3] = {0x51, 0x52, 0x53};
    struct coin c = {{50 * COIN, p2sh, sizeof(p2sh)}, 203998, true};
    (void)state;

    expect_coin(&c,
                "97f23d"
                "32"
                "010000000000000000000000000000000000000000",
                false);
    expect_coin(&c,
                "97f23d"
                "00"
                "32"
                "010000000000000000000000000000000000000000",
                true);
    c = (struct coin){{0, odd, sizeof(odd)}, 0, true};
    expect_coin(&c,
                "01"
                "00"
                "09515253",
                false);
    expect_coin(&c,
                "01"
                "00"
                "09515253",
                true); /* no version slot at height 0 */
    c = (struct coin){{1, odd, sizeof(odd)}, 0x7fffffff, true};
    expect_coin(&c,
                "8efefefe7f"
                "01"
                "09515253",
                false);
    expect_coin(&c,
                "8efefefe7f"
                "00"
                "01"
                "09515253",
                true);
    assert_true(script_is_unspendable((const uint8_t *)"\x6a", 1));
    assert_false(script_is_unspendable(odd, sizeof(odd)));
    assert_false(script_is_unspendable(odd, 0));
    assert_false(script_is_unspendable(odd, 10000));
    assert_true(script_is_unspendable(odd, 10001));
}

static void random_coins(void **state)
{
    struct rng rng;
    struct arena arena = ARENA_INIT;
    uint8_t script[300], key[32];
    (void)state;

    rng_init_seed(&rng, 99);
    for (unsigned i = 0; i < 3000; i++) {
        struct coin c = {{(int64_t)rng_below(&rng, MAX_MONEY + 1), script, (uint32_t)rng_below(&rng, sizeof(script))},
                         (uint32_t)rng_below(&rng, 1u << 31),
                         rng_below(&rng, 2)};
        for (size_t k = 0; k < sizeof(script); k++)
            script[k] = (uint8_t)rng_u64(&rng);
        if (i % 3 == 0) {
            /* P2PK of a random key in full form. */
            memcpy(key, script, 32);
            script[0] = 65;
            assert_true(pubkey_create(script + 1, key, false));
            script[66] = 0xac;
            c.out.script_len = 67;
        }
        struct writer w = WRITER_INIT;
        struct coin back;
        coin_write(&w, &c);
        struct reader r = reader_make(w.data, w.len);
        assert_true(coin_read(&back, &r, &arena) && reader_done(&r));
        assert_true(back.out.value == c.out.value && back.height == c.height && back.coinbase == c.coinbase);
        assert_int_equal(back.out.script_len, c.out.script_len);
        assert_memory_equal(back.out.script, script, c.out.script_len);
        if (i % 3 == 0)
            assert_true(w.len < 50);
        writer_clear(&w);
        arena_reset(&arena);
    }
    arena_clear(&arena);
}

/* Every coin of a snapshot that Core wrote is read and written back to the same bytes. */
static void snapshot(const char *rel, uint64_t expected)
{
    size_t len;
    uint8_t *data = vectors_read(rel, &len);
    struct reader r = reader_make(data, len);
    struct arena arena = ARENA_INIT;
    struct writer w = WRITER_INIT;
    uint64_t n = 0;

    if (!data)
        return;
    assert_non_null(read_bytes(&r, 5 + 2 + 4 + 32));
    assert_true(read_u64(&r) == expected);
    while (reader_left(&r) > 0) {
        assert_non_null(read_bytes(&r, 32));
        uint64_t coins = read_compact_size(&r);
        assert_true(coins > 0);
        for (; coins > 0; coins--, n++) {
            struct coin c;
            read_compact_size(&r);
            const uint8_t *start = r.pos;
            assert_true(coin_read(&c, &r, &arena));
            assert_true(money_in_range(c.out.value) && c.out.script_len > 0);
            w.len = 0;
            coin_write(&w, &c);
            assert_int_equal(w.len, r.pos - start);
            assert_memory_equal(w.data, start, w.len);
            arena_reset(&arena);
        }
    }
    assert_true(reader_done(&r));
    assert_true(n == expected);
    arena_clear(&arena);
    writer_clear(&w);
    free(data);
}

static void snapshots(void **state)
{
    (void)state;
    snapshot("chain/mainnet/utxo-snapshot-004312.dat", 4149);
    snapshot("chain/signet/utxo-snapshot-100-core28_0.dat", 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(amounts),        cmocka_unit_test(scripts),      cmocka_unit_test(foreign_bytes),
        cmocka_unit_test(coins_and_undo), cmocka_unit_test(random_coins), cmocka_unit_test(snapshots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
