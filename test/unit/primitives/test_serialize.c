/* test_serialize.c - CompactSize and VARINT: every number has one form, the other forms are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "primitives/hashes.h"
#include "primitives/serialize.h"
#include "util/mem.h"
#include "util/random.h"

static void compact_u64_forms(void **state)
{
    static const struct {
        uint64_t n;
        unsigned len;
        uint8_t bytes[9];
    } cases[] = {
        {0, 1, {0}},
        {0xfc, 1, {0xfc}},
        {0xfd, 3, {0xfd, 0xfd, 0}},
        {0xffff, 3, {0xfd, 0xff, 0xff}},
        {0x10000, 5, {0xfe, 0, 0, 1, 0}},
        {0xffffffff, 5, {0xfe, 0xff, 0xff, 0xff, 0xff}},
        {0x100000000, 9, {0xff, 0, 0, 0, 0, 1, 0, 0, 0}},
        {UINT64_MAX, 9, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct writer w = WRITER_INIT;
        write_compact_size(&w, cases[i].n);
        assert_int_equal(w.len, cases[i].len);
        assert_int_equal(compact_size_len(cases[i].n), cases[i].len);
        assert_memory_equal(w.data, cases[i].bytes, w.len);
        struct reader r = reader_make(w.data, w.len);
        assert_true(read_compact_u64(&r) == cases[i].n);
        assert_true(reader_done(&r));
        for (size_t cut = 0; cut < w.len; cut++) {
            r = reader_make(w.data, cut);
            read_compact_u64(&r);
            assert_true(r.failed);
        }
        writer_clear(&w);
    }
}

static void compact_size_refuses(void **state)
{
    static const struct {
        size_t len;
        uint8_t bytes[9];
    } bad[] = {
        {3, {0xfd, 0, 0}},
        {3, {0xfd, 0xfc, 0}},
        {5, {0xfe, 0xff, 0xff, 0, 0}},
        {9, {0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}},
        {9, {0xff, 0, 0, 0, 0, 0, 0, 0, 0}},
    };
    static const uint8_t largest[5] = {0xfe, 0, 0, 0, 2}, over[5] = {0xfe, 1, 0, 0, 2};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct reader r = reader_make(bad[i].bytes, bad[i].len);
        assert_true(read_compact_u64(&r) == 0);
        assert_true(r.failed);
    }
    struct reader r = reader_make(largest, 5);
    assert_true(read_compact_size(&r) == COMPACT_SIZE_MAX && !r.failed);
    r = reader_make(over, 5);
    assert_true(read_compact_size(&r) == 0 && r.failed);
    r = reader_make(over, 5);
    assert_true(read_compact_u64(&r) == COMPACT_SIZE_MAX + 1 && !r.failed);
}

static void varint_forms(void **state)
{
    static const struct {
        uint64_t n;
        unsigned len;
        uint8_t bytes[10];
    } cases[] = {
        {0, 1, {0}},
        {0x7f, 1, {0x7f}},
        {0x80, 2, {0x80, 0x00}},
        {0x407f, 2, {0xff, 0x7f}},
        {0x4080, 3, {0x80, 0x80, 0x00}},
        {0x1234, 2, {0xa3, 0x34}},
        {0xffff, 3, {0x82, 0xfe, 0x7f}},
        {UINT32_MAX, 5, {0x8e, 0xfe, 0xfe, 0xfe, 0x7f}},
        {UINT64_MAX, 10, {0x80, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0x7f}},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct writer w = WRITER_INIT;
        write_varint(&w, cases[i].n);
        assert_int_equal(w.len, cases[i].len);
        assert_memory_equal(w.data, cases[i].bytes, w.len);
        struct reader r = reader_make(w.data, w.len);
        assert_true(read_varint(&r) == cases[i].n);
        assert_true(reader_done(&r));
        writer_clear(&w);
    }
}

static void varint_refuses(void **state)
{
    /* One more than UINT64_MAX, a run of continuation bytes, an unfinished number, one more than UINT32_MAX. */
    static const uint8_t over[10] = {0x80, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0xff, 0x00};
    static const uint8_t unfinished[5] = {0x8e, 0xfe, 0xfe, 0xff, 0x80},
                         run[16] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f};
    uint8_t full32[5] = {0x8e, 0xfe, 0xfe, 0xff, 0x00};
    (void)state;
    struct reader r = reader_make(over, sizeof(over));
    assert_true(read_varint(&r) == 0 && r.failed);
    r = reader_make(run, sizeof(run));
    assert_true(read_varint(&r) == 0 && r.failed);
    r = reader_make(unfinished, sizeof(unfinished));
    assert_true(read_varint(&r) == 0 && r.failed);
    r = reader_make(full32, sizeof(full32));
    assert_true(read_varint(&r) == (uint64_t)UINT32_MAX + 1 && !r.failed);
    r = reader_make(full32, sizeof(full32));
    assert_true(read_varint32(&r) == 0 && r.failed);
}

static void random_round_trips(void **state)
{
    struct rng rng;
    (void)state;
    rng_init_seed(&rng, 7);
    for (unsigned i = 0; i < 20000; i++) {
        uint64_t n = rng_u64(&rng) >> rng_below(&rng, 64);
        struct writer w = WRITER_INIT;
        write_compact_size(&w, n);
        size_t compact = w.len;
        write_varint(&w, n);
        struct reader r = reader_make(w.data, w.len);
        assert_true(read_compact_u64(&r) == n);
        assert_int_equal(r.pos - w.data, compact);
        assert_true(read_varint(&r) == n);
        assert_true(reader_done(&r));
        writer_clear(&w);
    }
}

static void var_bytes(void **state)
{
    struct writer w = WRITER_INIT;
    size_t len;
    (void)state;
    write_var_bytes(&w, "abc", 3);
    write_var_bytes(&w, NULL, 0);
    assert_int_equal(w.len, 5);
    struct reader r = reader_make(w.data, w.len);
    assert_ptr_equal(read_var_bytes(&r, &len), w.data + 1);
    assert_int_equal(len, 3);
    assert_non_null(read_var_bytes(&r, &len));
    assert_int_equal(len, 0);
    assert_true(reader_done(&r));
    r = reader_make(w.data, 3);
    assert_null(read_var_bytes(&r, &len));
    assert_int_equal(len, 0);
    assert_true(r.failed);
    writer_clear(&w);
}

static void hash_text(void **state)
{
    uint8_t b[32], back[32];
    (void)state;
    for (unsigned i = 0; i < 32; i++)
        b[i] = (uint8_t)i;
    struct hash_hex h = hash_to_hex(b);
    assert_string_equal(h.s, "1f1e1d1c1b1a191817161514131211100f0e0d0c0b0a09080706050403020100");
    assert_true(hash_from_hex(back, h.s));
    assert_memory_equal(b, back, 32);
    h.s[63] = '\0';
    assert_false(hash_from_hex(back, h.s));
    assert_false(hash_is_zero(b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compact_u64_forms), cmocka_unit_test(compact_size_refuses), cmocka_unit_test(varint_forms),
        cmocka_unit_test(varint_refuses),    cmocka_unit_test(random_round_trips),   cmocka_unit_test(var_bytes),
        cmocka_unit_test(hash_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
