/* test_target.c - compact targets with the corners of Core's SetCompact and GetCompact, work, difficulty, 256-bit arithmetic. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "primitives/target.h"
#include "util/random.h"
#include "vectors.h"

static struct u256 num(const char *hex)
{
    char full[65];
    struct u256 v;
    memset(full, '0', 64);
    full[64] = '\0';
    memcpy(full + 64 - strlen(hex), hex, strlen(hex));
    assert_true(u256_from_hex(&v, full));
    return v;
}

static void expect_num(struct u256 got, const char *hex)
{
    assert_string_equal(u256_hex(got).s, u256_hex(num(hex)).s);
}

static void compact_to_target(void **state)
{
    static const struct {
        uint32_t bits;
        const char *target;
        bool negative, overflow;
        uint32_t back;
    } cases[] = {
        {0x1d00ffff, "ffff0000000000000000000000000000000000000000000000000000", false, false, 0x1d00ffff},
        {0x207fffff, "7fffff0000000000000000000000000000000000000000000000000000000000", false, false, 0x207fffff},
        {0x1e0377ae, "377ae000000000000000000000000000000000000000000000000000000", false, false, 0x1e0377ae},
        {0, "0", false, false, 0},
        {0x00123456, "0", false, false, 0},
        {0x01003456, "0", false, false, 0},
        {0x02000056, "0", false, false, 0},
        {0x03000000, "0", false, false, 0},
        {0x04000000, "0", false, false, 0},
        {0x00923456, "0", false, false, 0}, /* the sign bit alone is no negative number */
        {0x01803456, "0", false, false, 0},
        {0x02800056, "0", false, false, 0},
        {0x03800000, "0", false, false, 0},
        {0x04800000, "0", false, false, 0},
        {0x01123456, "12", false, false, 0x01120000},
        {0x02008000, "80", false, false, 0x02008000},
        {0x02123456, "1234", false, false, 0x02123400},
        {0x03123456, "123456", false, false, 0x03123456},
        {0x04123456, "12345600", false, false, 0x04123456},
        {0x05009234, "92340000", false, false, 0x05009234},
        {0x04923456, "12345600", true, false, 0x04123456},
        {0x01fedcba, "7e", true, false, 0x017e0000},
        {0x20123456, "1234560000000000000000000000000000000000000000000000000000000000", false, false, 0x20123456},
        {0xff123456, "0", false, true, 0},
        {0xff923456, "0", true, true, 0},
        {0x23000001, "0", false, true, 0},
        {0x22000001, "100000000000000000000000000000000000000000000000000000000000000", false, false, 0x20010000},
        {0x22000100, "0", false, true, 0},
        {0x210000ff,
         "ff0000000000000000000000000000000000000000000000000000000000000"
         "0",
         false, false, 0x2100ff00},
        {0x2100ffff, "ffff000000000000000000000000000000000000000000000000000000000000", false, false, 0x2100ffff},
        {0x21010000, "0", false, true, 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        bool negative, overflow;
        struct u256 t = target_from_bits(cases[i].bits, &negative, &overflow);
        if (!cases[i].overflow && cases[i].bits != 0x22000001 && cases[i].bits != 0x210000ff) {
            expect_num(t, cases[i].target);
            assert_int_equal(target_to_bits(t), cases[i].back);
        }
        assert_int_equal(negative, cases[i].negative);
        assert_int_equal(overflow, cases[i].overflow);
    }
    /* The last byte at sizes 34 and 33 is the top byte of the number. */
    expect_num(target_from_bits(0x22000001, NULL, NULL), "0100000000000000000000000000000000000000000000000000000000000000");
    expect_num(target_from_bits(0x210000ff, NULL, NULL), "00ff000000000000000000000000000000000000000000000000000000000000");
}

static void target_to_compact_rounds_down(void **state)
{
    (void)state;
    assert_int_equal(target_to_bits(num("ffff0000000000000000000000000000000000000000000000000000")), 0x1d00ffff);
    assert_int_equal(target_to_bits(num("ffffffffffffffffffffffffffffffffffffffffffffffffffffffff")), 0x1d00ffff);
    assert_int_equal(target_to_bits(num("7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff")), 0x207fffff);
    assert_int_equal(target_to_bits(num("ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff")), 0x2100ffff);
    assert_int_equal(target_to_bits(num("80")), 0x02008000);
    assert_int_equal(target_to_bits(num("7f")), 0x017f0000);
    assert_int_equal(target_to_bits(num("8000")), 0x03008000);
    assert_int_equal(target_to_bits(num("800000")), 0x04008000);
    assert_int_equal(target_to_bits(num("123456ff")), 0x04123456);
    assert_int_equal(target_to_bits(num("923456ff")), 0x05009234);
    assert_int_equal(target_to_bits(num("0")), 0);
}

static void work_and_difficulty(void **state)
{
    (void)state;
    expect_num(work_from_bits(0x1d00ffff), "100010001");
    expect_num(work_from_bits(0x207fffff), "2");
    expect_num(work_from_bits(0x01010000), "8000000000000000000000000000000000000000000000000000000000000000");
    expect_num(work_from_bits(0x2100ffff), "1");
    expect_num(work_from_bits(0), "0");
    expect_num(work_from_bits(0x04923456), "0");
    expect_num(work_from_bits(0xff123456), "0");
    assert_true(difficulty_from_bits(0x1d00ffff) == 1.0);
    assert_true(difficulty_from_bits(0x1c3fffc0) == 65535.0 / 0x3fffc0 * 256.0);
    assert_true(difficulty_from_bits(0x207fffff) == 65535.0 / 0x7fffff / 256.0 / 256.0 / 256.0);
    assert_true(difficulty_from_bits(0x1b0404cb) > 16307.420938523 && difficulty_from_bits(0x1b0404cb) < 16307.420938524);
    assert_true(u256_to_double(num("0")) == 0.0);
    assert_true(u256_to_double(num("100010001")) == 4295032833.0);
    assert_true(u256_to_double(num("8000000000000000000000000000000000000000000000000000000000000000")) == 0x1p255);
}

/* Chain work of real headers: within a period of one target it grows by the work of each block. */
static void real_chainwork(void **state)
{
    size_t len;
    char *text = (char *)vectors_read("chain/mainnet/retarget-headers.csv", &len), *save = NULL;
    struct u256 total = u256_from_u64(0);
    unsigned last = 0, n = 0;
    (void)state;

    if (text)
        strtok_r(text, "\n", &save);
    for (char *line = text ? strtok_r(NULL, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save), n++) {
        unsigned height;
        char header[161], work[65];
        uint8_t raw[80];
        assert_int_equal(sscanf(line, "%u,%*[0-9a-f],%160[0-9a-f],%64[0-9a-f]", &height, header, work), 3);
        assert_true(hex_decode(raw, 80, header));
        uint32_t bits = (uint32_t)raw[72] | (uint32_t)raw[73] << 8 | (uint32_t)raw[74] << 16 | (uint32_t)raw[75] << 24;
        total = u256_add(total, u256_mul_u64(work_from_bits(bits), n ? height - last : 1));
        assert_string_equal(u256_hex(total).s, work);
        assert_int_equal(target_to_bits(target_from_bits(bits, NULL, NULL)), bits);
        last = height;
    }
    assert_true(!text || n == 827);
    free(text);
}

/* Bit by bit, as the definition says. */
static struct u256 slow_div(struct u256 a, struct u256 b)
{
    struct u256 q = u256_from_u64(0), rest = u256_from_u64(0);
    for (int i = 255; i >= 0; i--) {
        bool carry = rest.w[3] >> 63;
        rest = u256_shl(rest, 1);
        rest.w[0] |= a.w[i / 64] >> (i % 64) & 1;
        if (carry || u256_cmp(rest, b) >= 0) {
            rest = u256_sub(rest, b);
            q.w[i / 64] |= 1ULL << (i % 64);
        }
    }
    return q;
}

static struct u256 random_num(struct rng *rng)
{
    struct u256 v;
    for (unsigned i = 0; i < 4; i++) {
        uint64_t kind = rng_below(rng, 6);
        v.w[i] = kind == 0 ? 0 : kind == 1 ? UINT64_MAX : kind == 2 ? 0xffffffff00000000 : kind == 3 ? 0x80000000 : rng_u64(rng);
    }
    return u256_shr(v, (unsigned)rng_below(rng, 256));
}

static void arithmetic(void **state)
{
    struct rng rng;
    (void)state;

    rng_init_seed(&rng, 5);
    for (unsigned i = 0; i < 50000; i++) {
        struct u256 a = random_num(&rng), b = random_num(&rng);
        uint64_t m = rng_u64(&rng) >> rng_below(&rng, 64);
        unsigned k = (unsigned)rng_below(&rng, 300);
        uint8_t le[32];

        assert_int_equal(u256_cmp(u256_sub(u256_add(a, b), b), a), 0);
        assert_int_equal(u256_cmp(u256_add(a, u256_not(a)), u256_not(u256_from_u64(0))), 0);
        assert_int_equal(u256_cmp(a, b), -u256_cmp(b, a));
        u256_to_le(le, a);
        assert_int_equal(u256_cmp(u256_from_le(le), a), 0);
        assert_int_equal(u256_cmp(num(u256_hex(a).s), a), 0);
        assert_int_equal(u256_bits(a) == 0, u256_is_zero(a));
        if (!u256_is_zero(a))
            assert_true(u256_is_zero(u256_shr(a, u256_bits(a))) && !u256_is_zero(u256_shr(a, u256_bits(a) - 1)));
        if (k >= 256) {
            assert_true(u256_is_zero(u256_shl(a, k)) && u256_is_zero(u256_shr(a, k)));
        } else {
            struct u256 power = u256_shl(u256_from_u64(1), k);
            assert_int_equal(u256_cmp(u256_shr(a, k), u256_div(a, power)), 0);
            assert_int_equal(u256_cmp(u256_shl(u256_shr(a, k), k), u256_sub(a, u256_shr(u256_shl(a, 256 - k), 256 - k))), 0);
        }
        if (!u256_is_zero(b))
            assert_int_equal(u256_cmp(u256_div(a, b), slow_div(a, b)), 0);
        struct u256 small = u256_shr(a, 64);
        if (m)
            assert_int_equal(u256_cmp(u256_div(u256_mul_u64(small, m), u256_from_u64(m)), small), 0);
    }
    struct u256 v;
    assert_false(u256_from_hex(&v, "12"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compact_to_target),   cmocka_unit_test(target_to_compact_rounds_down),
        cmocka_unit_test(work_and_difficulty), cmocka_unit_test(real_chainwork),
        cmocka_unit_test(arithmetic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
