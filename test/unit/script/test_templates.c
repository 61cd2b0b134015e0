/* test_templates.c - standard forms, signature operation counts, and scripts as text. */
#include "script_vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define KEY33 "0x21 0x0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
#define KEY65                                                                                                                      \
    "0x41 "                                                                                                                        \
    "0x0479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08f" \
    "fb1"                                                                                                                          \
    "0d4b8"
#define HASH20 "0x14 0x0102030405060708090a0b0c0d0e0f1011121314"
#define HASH32 "0x20 0x0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20"

static struct script_solution solve(const char *text, const char *type)
{
    /* the script must outlive the items that point into it */
    static struct writer kept;
    struct script_solution s;

    writer_clear(&kept);
    kept = script_of(text);
    assert_string_equal(script_type_name(script_solve(&s, kept.data, kept.len)), type);
    return s;
}

static void templates(void **state)
{
    struct script_solution s;

    (void)state;
    s = solve(KEY33 " CHECKSIG", "pubkey");
    assert_int_equal(s.item_len[0], 33);
    s = solve(KEY65 " CHECKSIG", "pubkey");
    assert_int_equal(s.item_len[0], 65);
    solve("0x21 0x0479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798 CHECKSIG", "nonstandard");
    s = solve("DUP HASH160 " HASH20 " EQUALVERIFY CHECKSIG", "pubkeyhash");
    assert_int_equal(s.n, 1);
    assert_int_equal(s.item[0][19], 0x14);
    solve("HASH160 " HASH20 " EQUAL", "scripthash");
    solve("0 " HASH20, "witness_v0_keyhash");
    solve("0 " HASH32, "witness_v0_scripthash");
    s = solve("1 " HASH32, "witness_v1_taproot");
    assert_int_equal(s.item_len[0], 32);
    assert_int_equal(s.witness_version, 1);
    solve("1 0x02 0x4e73", "anchor");
    s = solve("16 0x02 0x4e73", "witness_unknown");
    assert_int_equal(s.witness_version, 16);
    s = solve("1 " HASH20, "witness_unknown");
    assert_int_equal(s.item_len[0], 20);
    solve("0 0x02 0x4e73", "nonstandard");
    solve("0x00", "nonstandard");
    solve("", "nonstandard");
    solve("RETURN", "nulldata");
    solve("RETURN 0 'hello'", "nulldata");
    solve("RETURN NOP", "nonstandard");
    solve("RETURN 0x05 0x01", "nonstandard");
}

static void multisig(void **state)
{
    struct script_solution s;
    struct writer w;

    (void)state;
    s = solve("1 " KEY33 " " KEY65 " 2 CHECKMULTISIG", "multisig");
    assert_int_equal(s.required, 1);
    assert_int_equal(s.n, 2);
    assert_int_equal(s.item_len[1], 65);
    solve("2 " KEY33 " " KEY65 " 2 CHECKMULTISIG", "multisig");
    solve("3 " KEY33 " " KEY65 " 2 CHECKMULTISIG", "nonstandard");
    solve("0 " KEY33 " " KEY65 " 2 CHECKMULTISIG", "nonstandard");
    solve("1 " KEY33 " " KEY65 " 1 CHECKMULTISIG", "nonstandard");
    solve("1 " KEY33 " " HASH20 " 2 CHECKMULTISIG", "nonstandard");
    solve("1 " KEY33 " 0x01 0x01 CHECKMULTISIG", "nonstandard");
    solve("1 " KEY33 " 1 NOP CHECKMULTISIG", "nonstandard");
    solve("CHECKMULTISIG", "nonstandard");
    solve("1 CHECKMULTISIG", "nonstandard");
    for (unsigned n = 15; n < 23; n++) {
        w = script_of(n < 17 ? "15" : "17");
        for (unsigned i = 0; i < n; i++) {
            struct writer key = script_of(KEY33);
            write_bytes(&w, key.data, key.len);
            writer_clear(&key);
        }
        script_write_int(&w, n);
        write_u8(&w, OP_CHECKMULTISIG);
        assert_int_equal(script_solve(&s, w.data, w.len), n <= 20 ? SCRIPT_MULTISIG : SCRIPT_NONSTANDARD);
        writer_clear(&w);
    }
}

static unsigned count(const char *text, bool accurate)
{
    struct writer w = script_of(text);
    const unsigned n = script_sigops(w.data, w.len, accurate);

    writer_clear(&w);
    return n;
}

static void sigops(void **state)
{
    (void)state;
    assert_int_equal(count("", true), 0);
    assert_int_equal(count("CHECKSIG CHECKSIGVERIFY", false), 2);
    assert_int_equal(count("1 " KEY33 " " KEY33 " 2 CHECKMULTISIG", false), 20);
    assert_int_equal(count("1 " KEY33 " " KEY33 " 2 CHECKMULTISIG", true), 2);
    assert_int_equal(count("16 CHECKMULTISIGVERIFY", true), 16);
    assert_int_equal(count("0 CHECKMULTISIG", true), 20);
    assert_int_equal(count("0x01 0x02 CHECKMULTISIG", true), 20);
    assert_int_equal(count("0 IF CHECKSIG ENDIF RETURN CHECKSIG", true), 2);
    assert_int_equal(count("CHECKSIG 0x05 0xacacacac", true), 1);
    assert_int_equal(count("0x03 0xacacac 0xba", true), 0);
}

static void p2sh_and_witness_sigops(void **state)
{
    struct writer pk = script_of("HASH160 " HASH20 " EQUAL"), sig = WRITER_INIT,
                  redeem = script_of("2 NOP 3 CHECKMULTISIG CHECKSIG");
    struct writer program = script_of("0 " HASH32), keyhash = script_of("0 " HASH20), later = script_of("1 " HASH32);
    const struct witness_item items[] = {{redeem.data, (uint32_t)redeem.len}};

    (void)state;
    write_u8(&sig, OP_1);
    script_write_push(&sig, redeem.data, redeem.len);
    assert_int_equal(script_p2sh_sigops(pk.data, pk.len, sig.data, sig.len), 4);
    assert_int_equal(script_p2sh_sigops(redeem.data, redeem.len, sig.data, sig.len), 0);
    write_u8(&sig, OP_1); /* the last push is what counts, and a number is no script */
    assert_int_equal(script_p2sh_sigops(pk.data, pk.len, sig.data, sig.len), 0);
    sig.data[sig.len - 1] = OP_NOP;
    assert_int_equal(script_p2sh_sigops(pk.data, pk.len, sig.data, sig.len), 0);
    assert_int_equal(script_p2sh_sigops(pk.data, pk.len, NULL, 0), 0);

    struct tx_in in = {.script = (const uint8_t *)"", .witness = items, .witness_count = 1};
    struct tx_out out = {0, program.data, (uint32_t)program.len};
    assert_int_equal(script_witness_sigops(&in, &out, SCRIPT_VERIFY_MANDATORY), 4);
    assert_int_equal(script_witness_sigops(&in, &out, SCRIPT_VERIFY_P2SH), 0);
    in.witness_count = 0;
    assert_int_equal(script_witness_sigops(&in, &out, SCRIPT_VERIFY_MANDATORY), 0);
    in.witness_count = 1;
    out.script = keyhash.data;
    out.script_len = (uint32_t)keyhash.len;
    assert_int_equal(script_witness_sigops(&in, &out, SCRIPT_VERIFY_MANDATORY), 1);
    out.script = later.data;
    out.script_len = (uint32_t)later.len;
    assert_int_equal(script_witness_sigops(&in, &out, SCRIPT_VERIFY_MANDATORY), 0);
    sig.len = 0;
    script_write_push(&sig, program.data, program.len);
    in.script = sig.data;
    in.script_len = (uint32_t)sig.len;
    out.script = pk.data;
    out.script_len = (uint32_t)pk.len;
    assert_int_equal(script_witness_sigops(&in, &out, SCRIPT_VERIFY_MANDATORY), 4);
    writer_clear(&pk);
    writer_clear(&sig);
    writer_clear(&redeem);
    writer_clear(&program);
    writer_clear(&keyhash);
    writer_clear(&later);
}

static void assert_asm(const char *hex, const char *text, bool sighash)
{
    size_t len;
    uint8_t *script = vectors_hex(hex, &len);
    char *got = script_to_asm(script, len, sighash);

    assert_string_equal(got, text);
    free(got);
    free(script);
}

static void to_text(void **state)
{
    (void)state;
    assert_asm("", "", false);
    assert_asm("00514f60", "0 1 -1 16", false);
    assert_asm("0102018101ff02ff0004ffffffff05ffffffff00", "2 -1 -127 255 -2147483647 ffffffff00", false);
    assert_asm("50ff0176", "OP_RESERVED OP_INVALIDOPCODE 118", false);
    assert_asm("76a914000102030405060708090a0b0c0d0e0f1011121388ac",
               "OP_DUP OP_HASH160 000102030405060708090a0b0c0d0e0f10111213 OP_EQUALVERIFY OP_CHECKSIG", false);
    assert_asm("ac05aa", "OP_CHECKSIG [error]", false);
    assert_asm("bbba", "OP_UNKNOWN OP_CHECKSIGADD", false);
    assert_asm("09300602010102010101", "3006020101020101[ALL]", true);
    assert_asm("09300602010102010101", "300602010102010101", false);
    assert_asm("09300602010102010183", "3006020101020101[SINGLE|ANYONECANPAY]", true);
    assert_asm("09300602010102010104", "300602010102010104", true);
    assert_asm("6a09300602010102010101", "OP_RETURN 300602010102010101", true);
}

static void assert_script(const char *text, const char *hex)
{
    struct writer w = script_of(text);
    size_t len;
    uint8_t *want = vectors_hex(hex, &len);

    assert_int_equal(w.len, len);
    if (len)
        assert_memory_equal(w.data, want, len);
    free(want);
    writer_clear(&w);
}

static void from_text(void **state)
{
    static const char *const bad[] = {"FOO",  "OP_",         "0x1", "0xzz", "4294967296", "-4294967296",
                                      "OP_1", "CHECKSIGADD", "'",   "-",    "1-",         "NOP2x"};

    (void)state;
    assert_script("", "");
    assert_script(" \t1\n  OP_DUP DUP ", "517676");
    assert_script("0 -1 16 17 128 -128 255 256 4294967295 -4294967295",
                  "004f60011102800002808002ff0002000105ffffffff0005ffffffff80");
    assert_script("'' 'abc' 0x02abcd", "000361626302abcd");
    assert_script("RESERVED NOP1 NOP10 CHECKLOCKTIMEVERIFY", "50b0b9b1");
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct writer w = WRITER_INIT;
        assert_false(script_from_asm(&w, bad[i]));
        writer_clear(&w);
    }
}

static void pushes(void **state)
{
    static const size_t lens[] = {0, 1, 75, 76, 255, 256, 65535, 65536}, heads[] = {1, 1, 1, 2, 2, 3, 3, 5};
    static const uint8_t data[65536] = {7};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
        struct writer w = WRITER_INIT;
        const uint8_t *pos, *got;
        size_t len;
        uint8_t op;
        script_write_push(&w, data, lens[i]);
        assert_int_equal(w.len, heads[i] + lens[i]);
        pos = w.data;
        assert_true(script_next(&pos, w.data + w.len, &op, &got, &len));
        assert_int_equal(len, lens[i]);
        assert_ptr_equal(pos, w.data + w.len);
        assert_false(script_next(&pos, w.data + w.len, &op, &got, &len));
        pos = w.data;
        if (lens[i]) {
            assert_false(script_next(&pos, w.data + w.len - 1, &op, &got, &len));
            assert_ptr_equal(pos, w.data);
        }
        assert_true(script_is_push_only(w.data, w.len));
        writer_clear(&w);
    }
}

/* The answers of decodescript that come from this module. */
static void decodescript(void **state)
{
    struct json_object *rows = vectors_json("rpc/rpc_decodescript.json");

    (void)state;
    for (size_t i = 0; rows && i < json_object_array_length(rows); i++) {
        struct json_object *row = json_object_array_get_idx(rows, i), *answer = json_object_array_get_idx(row, 1);
        const char *hex = json_object_get_string(json_object_array_get_idx(row, 0));
        struct script_solution s;
        size_t len;
        uint8_t *script = vectors_hex(hex, &len);
        assert_asm(hex, vectors_str(answer, "asm"), false);
        assert_string_equal(script_type_name(script_solve(&s, script, len)), vectors_str(answer, "type"));
        free(script);
    }
    json_object_put(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(templates), cmocka_unit_test(multisig),
        cmocka_unit_test(sigops),    cmocka_unit_test(p2sh_and_witness_sigops),
        cmocka_unit_test(to_text),   cmocka_unit_test(from_text),
        cmocka_unit_test(pushes),    cmocka_unit_test(decodescript),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
