/* test_limits.c - the limits of legacy and v0 scripts at their edges, the conditionals, and rules that vectors hardly touch. */
#include "script_vectors.h"

#include "crypto/keys.h"
#include "crypto/sha256.h"
#include "script/number.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct writer repeat(const char *before, const char *unit, size_t n, const char *after)
{
    struct writer w = script_of(before), u = script_of(unit), a = script_of(after);

    for (size_t i = 0; i < n; i++)
        write_bytes(&w, u.data, u.len);
    write_bytes(&w, a.data, a.len);
    writer_clear(&u);
    writer_clear(&a);
    return w;
}

static enum script_error run_repeat(const char *sig, const char *before, const char *unit, size_t n, const char *after,
                                    uint32_t flags)
{
    struct writer s = script_of(sig), pk = repeat(before, unit, n, after);
    const enum script_error err = run_scripts(&s, &pk, NULL, 0, 0, flags);

    writer_clear(&s);
    writer_clear(&pk);
    return err;
}

static void script_size(void **state)
{
    (void)state;
    /* 19 pushes of 520 bytes and a rest; the limit is 10000 bytes */
    for (size_t extra = 0; extra < 2; extra++) {
        struct writer s = WRITER_INIT, pk = script_of("1");
        uint8_t data[520] = {1};
        for (int i = 0; i < 19; i++)
            script_write_push(&s, data, sizeof(data));
        while (s.len < 10000 + extra)
            write_u8(&s, OP_1);
        assert_int_equal(run_scripts(&s, &pk, NULL, 0, 0, 0), extra ? SCRIPT_ERR_SCRIPT_SIZE : SCRIPT_ERR_OK);
        writer_clear(&s);
        writer_clear(&pk);
    }
}

static void push_size(void **state)
{
    static const uint8_t data[521] = {1};

    (void)state;
    for (size_t len = 519; len <= 521; len++) {
        struct writer s = WRITER_INIT, pk = script_of("SIZE DROP");
        script_write_push(&s, data, len);
        assert_int_equal(run_scripts(&s, &pk, NULL, 0, 0, SCRIPT_VERIFY_MINIMALDATA),
                         len > 520 ? SCRIPT_ERR_PUSH_SIZE : SCRIPT_ERR_OK);
        writer_clear(&s);
        writer_clear(&pk);
        /* also where it is not executed */
        pk = script_of("0 IF");
        script_write_push(&pk, data, len);
        write_u8(&pk, OP_ENDIF);
        write_u8(&pk, OP_1);
        assert_int_equal(run_scripts(&s, &pk, NULL, 0, 0, 0), len > 520 ? SCRIPT_ERR_PUSH_SIZE : SCRIPT_ERR_OK);
        writer_clear(&pk);
    }
}

static void op_count(void **state)
{
    (void)state;
    assert_int_equal(run_repeat("1", "", "NOP", 201, "", 0), SCRIPT_ERR_OK);
    assert_int_equal(run_repeat("1", "", "NOP", 202, "", 0), SCRIPT_ERR_OP_COUNT);
    assert_int_equal(run_repeat("1", "0 IF", "NOP", 200, "ENDIF", 0), SCRIPT_ERR_OP_COUNT);
    /* small numbers and OP_RESERVED do not count; the keys of a multisig do */
    assert_int_equal(run_repeat("1", "0 IF", "RESERVED 16", 300, "ENDIF", 0), SCRIPT_ERR_OK);
    assert_int_equal(run_repeat("1", "", "0 0 0 0 2 CHECKMULTISIG DROP", 50, "", 0), SCRIPT_ERR_OK);
    assert_int_equal(run_repeat("1", "", "0 0 0 0 2 CHECKMULTISIG DROP", 51, "", 0), SCRIPT_ERR_OP_COUNT);
}

static void stack_size(void **state)
{
    (void)state;
    assert_int_equal(run_repeat("", "", "1", 1000, "", 0), SCRIPT_ERR_OK);
    assert_int_equal(run_repeat("", "", "1", 1001, "", 0), SCRIPT_ERR_STACK_SIZE);
    assert_int_equal(run_repeat("1 1 1", "", "3DUP", 201, "", 0), SCRIPT_ERR_OK);
    assert_int_equal(run_repeat("1 TOALTSTACK", "", "1", 1000, "", 0), SCRIPT_ERR_OK);
    assert_int_equal(run_repeat("", "1 TOALTSTACK", "1", 1000, "", 0), SCRIPT_ERR_STACK_SIZE);
    assert_int_equal(run_repeat("", "", "1", 1000, "0x76", 0), SCRIPT_ERR_STACK_SIZE);
    assert_int_equal(run_repeat("", "", "1", 998, "3DUP", 0), SCRIPT_ERR_STACK_SIZE);
}

/* A v0 witness may start with more than 1000 elements; only what stands after an operation counts. */
static void witness_stack(void **state)
{
    static struct witness_item items[2001];
    struct writer none = WRITER_INIT, pk = WRITER_INIT;
    static const uint8_t one[1] = {1}, drop[1] = {OP_2DROP}, empty[1];
    uint8_t hash[32];

    (void)state;
    for (size_t i = 0; i < 2000; i++)
        items[i] = (struct witness_item){one, 1};
    items[2000] = (struct witness_item){drop, 1};
    sha256(hash, drop, 1);
    write_u8(&pk, OP_0);
    script_write_push(&pk, hash, 32);
    assert_int_equal(run_scripts(&none, &pk, items, 2001, 5, SCRIPT_VERIFY_STANDARD), SCRIPT_ERR_STACK_SIZE);
    assert_int_equal(run_scripts(&none, &pk, items + 998, 1003, 5, SCRIPT_VERIFY_STANDARD), SCRIPT_ERR_CLEANSTACK);
    assert_int_equal(run_scripts(&none, &pk, items + 1997, 4, 5, SCRIPT_VERIFY_STANDARD), SCRIPT_ERR_OK);
    items[2000] = (struct witness_item){empty, 0};
    sha256(hash, "", 0);
    pk.len = 2;
    write_bytes(&pk, hash, 32);
    assert_int_equal(run_scripts(&none, &pk, items, 2001, 5, SCRIPT_VERIFY_STANDARD), SCRIPT_ERR_CLEANSTACK);
    assert_int_equal(run_scripts(&none, &pk, items + 1999, 2, 5, SCRIPT_VERIFY_STANDARD), SCRIPT_ERR_OK);
    writer_clear(&pk);
}

static void conditionals(void **state)
{
    (void)state;
    assert_int_equal(run_asm("0", "IF 0 ELSE 1 ELSE 0 ELSE 1 ENDIF", 0), SCRIPT_ERR_OK);
    assert_int_equal(run_asm("0 0", "IF IF RETURN ELSE RETURN ENDIF RETURN ELSE IF RETURN ELSE 1 ENDIF ENDIF", 0), SCRIPT_ERR_OK);
    assert_int_equal(run_asm("1", "IF 1", 0), SCRIPT_ERR_UNBALANCED_CONDITIONAL);
    assert_int_equal(run_asm("1", "ENDIF", 0), SCRIPT_ERR_UNBALANCED_CONDITIONAL);
    assert_int_equal(run_asm("1", "ELSE", 0), SCRIPT_ERR_UNBALANCED_CONDITIONAL);
    assert_int_equal(run_asm("1 IF", "1 ENDIF", 0), SCRIPT_ERR_UNBALANCED_CONDITIONAL);
    assert_int_equal(run_asm("1", "0 IF VERIF ENDIF", 0), SCRIPT_ERR_BAD_OPCODE);
    assert_int_equal(run_asm("1", "0 IF VERNOTIF ENDIF", 0), SCRIPT_ERR_BAD_OPCODE);
    assert_int_equal(run_asm("1", "0 IF VER RESERVED1 0xba 0xff ENDIF", 0), SCRIPT_ERR_OK);
    assert_int_equal(run_asm("1", "0 IF CAT ENDIF", 0), SCRIPT_ERR_DISABLED_OPCODE);
    assert_int_equal(run_asm("1", "0 IF CODESEPARATOR ENDIF", SCRIPT_VERIFY_CONST_SCRIPTCODE), SCRIPT_ERR_OP_CODESEPARATOR);
}

static void stack_operations(void **state)
{
    (void)state;
    assert_int_equal(
        run_asm("1 2 3 4 5 6", "2ROT 2 EQUALVERIFY 1 EQUALVERIFY 6 EQUALVERIFY 5 EQUALVERIFY 4 EQUALVERIFY 3 EQUAL", 0), 0);
    assert_int_equal(run_asm("1 2 3 4", "2SWAP 2 EQUALVERIFY 1 EQUALVERIFY 4 EQUALVERIFY 3 EQUAL", 0), 0);
    assert_int_equal(run_asm("1 2 3", "ROT 1 EQUALVERIFY 3 EQUALVERIFY 2 EQUAL", 0), 0);
    assert_int_equal(run_asm("1 2", "TUCK 2 EQUALVERIFY 1 EQUALVERIFY 2 EQUAL", 0), 0);
    assert_int_equal(run_asm("1 2 3 4", "2OVER 2 EQUALVERIFY 1 EQUALVERIFY 4 EQUALVERIFY DEPTH 3 EQUAL", 0), 0);
    assert_int_equal(run_asm("1 2 3 4", "3 ROLL 1 EQUALVERIFY DEPTH 3 EQUALVERIFY 1 PICK 3 EQUAL", 0), 0);
    assert_int_equal(run_asm("1 2 3", "3DUP 3 EQUALVERIFY 2 EQUALVERIFY 1 EQUALVERIFY 3 EQUAL", 0), 0);
    assert_int_equal(run_asm("1 2", "NIP DEPTH 1 EQUALVERIFY 2 EQUAL", 0), 0);
    assert_int_equal(run_asm("0 7", "IFDUP DEPTH 3 EQUALVERIFY 2DROP IFDUP DEPTH 1 EQUAL", 0), 0);
    assert_int_equal(run_asm("1", "0x01 0x80 IFDUP DEPTH 2 EQUAL", 0), 0);
    assert_int_equal(run_asm("1 2", "2 PICK", 0), SCRIPT_ERR_INVALID_STACK_OPERATION);
    assert_int_equal(run_asm("1 2", "-1 ROLL", 0), SCRIPT_ERR_INVALID_STACK_OPERATION);
    assert_int_equal(run_asm("1", "FROMALTSTACK", 0), SCRIPT_ERR_INVALID_ALTSTACK_OPERATION);
}

/* Core's order: counts before operands, the dummy before any signature. */
static void multisig_arguments(void **state)
{
    (void)state;
    assert_int_equal(run_asm("", "CHECKMULTISIG", 0), SCRIPT_ERR_INVALID_STACK_OPERATION);
    assert_int_equal(run_asm("", "21 CHECKMULTISIG", 0), SCRIPT_ERR_PUBKEY_COUNT);
    assert_int_equal(run_asm("", "-1 CHECKMULTISIG", 0), SCRIPT_ERR_PUBKEY_COUNT);
    assert_int_equal(run_asm("", "0x05 0x0000000000 CHECKMULTISIG", 0), SCRIPT_ERR_SCRIPTNUM);
    assert_int_equal(run_asm("", "1 CHECKMULTISIG", 0), SCRIPT_ERR_INVALID_STACK_OPERATION);
    assert_int_equal(run_asm("", "2 0 1 CHECKMULTISIG", 0), SCRIPT_ERR_SIG_COUNT);
    assert_int_equal(run_asm("", "0x01 0x30 1 0 1 CHECKMULTISIG", SCRIPT_VERIFY_DERSIG), SCRIPT_ERR_INVALID_STACK_OPERATION);
    assert_int_equal(run_asm("0", "0x01 0x30 1 0 1 CHECKMULTISIG", SCRIPT_VERIFY_DERSIG), SCRIPT_ERR_SIG_DER);
    assert_int_equal(run_asm("1", "0 0 CHECKMULTISIG", SCRIPT_VERIFY_NULLDUMMY), SCRIPT_ERR_SIG_NULLDUMMY);
    assert_int_equal(run_asm("1", "0x01 0x30 1 0 1 CHECKMULTISIG NOT", SCRIPT_VERIFY_NULLFAIL | SCRIPT_VERIFY_NULLDUMMY),
                     SCRIPT_ERR_SIG_NULLFAIL);
    assert_int_equal(run_asm("0", "0 1 0 1 CHECKMULTISIG NOT", SCRIPT_VERIFY_NULLFAIL | SCRIPT_VERIFY_NULLDUMMY), SCRIPT_ERR_OK);
}

static void numbers(void **state)
{
    static const int64_t values[] = {0,    1,     -1,     127,        128,         -128,       255,          256,
                                     -255, 32767, -32768, 0x7fffffff, -0x7fffffff, 0xffffffff, 0x7fffffffff, -0x7fffffffff};
    uint8_t bytes[SCRIPT_NUMBER_MAX];
    int64_t n;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        const size_t len = script_number_encode(bytes, values[i]);
        assert_true(script_number_decode(&n, bytes, len, 5, true));
        assert_true(n == values[i]);
        assert_int_equal(script_number_decode(&n, bytes, len, 4, true), len <= 4);
        bytes[len] = 0;
        if (len && !(bytes[len - 1] & 0x80)) {
            assert_false(script_number_decode(&n, bytes, len + 1, 8, true));
            assert_true(script_number_decode(&n, bytes, len + 1, 8, false));
            assert_true(n == values[i]);
        }
    }
    assert_int_equal(script_number_encode(bytes, INT64_MIN), 9);
    assert_false(script_number_decode(&n, (const uint8_t *)"\x80", 1, 4, true));
    assert_true(script_number_decode(&n, (const uint8_t *)"\x80", 1, 4, false));
    assert_true(n == 0);
    assert_int_equal(run_asm("2147483647 2147483647", "ADD 4294967294 EQUAL", 0), SCRIPT_ERR_OK);
    assert_int_equal(run_asm("2147483647 1", "ADD 1ADD", 0), SCRIPT_ERR_SCRIPTNUM);
}

/* Each way of hashing under one multisig gives the right hash. */
static void multisig_hash_types(void **state)
{
    static const uint8_t secrets[3][32] = {{[31] = 1}, {[31] = 2}, {[31] = 3}}, types[3] = {0x01, 0x82, 0x01};
    struct writer pk = script_of("3"), sig = script_of("0"), none = WRITER_INIT;
    uint8_t key[33], hash[32], sigs[3][80];
    size_t lens[3];

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_true(pubkey_create(key, secrets[i], true));
        script_write_push(&pk, key, 33);
    }
    script_write_int(&pk, 3);
    write_u8(&pk, OP_CHECKMULTISIG);
    struct tx *credit = make_credit(&pk, 10), *spend = make_spend(credit, &none, NULL, 0);
    for (int i = 0; i < 3; i++) {
        sighash_legacy(hash, spend, 0, pk.data, pk.len, types[i]);
        assert_true(ecdsa_sign(sigs[i], &lens[i], hash, secrets[i]));
        sigs[i][lens[i]++] = types[i];
        script_write_push(&sig, sigs[i], lens[i]);
    }
    assert_int_equal(run_scripts(&sig, &pk, NULL, 0, 10, SCRIPT_VERIFY_STANDARD), SCRIPT_ERR_OK);
    sig.data[10] ^= 1;
    assert_int_equal(run_scripts(&sig, &pk, NULL, 0, 10, 0), SCRIPT_ERR_EVAL_FALSE);
    tx_unref(spend);
    tx_unref(credit);
    writer_clear(&pk);
    writer_clear(&sig);
}

/* <sig> DROP <key> CHECKSIG: a legacy signature is taken out of the script that it signs. */
static void signature_in_script(void **state)
{
    static const uint8_t secret[32] = {[31] = 1};
    const struct outpoint from = {.n = 7};
    struct writer rest = script_of("DROP"), whole = WRITER_INIT, script_sig = WRITER_INIT;
    uint8_t key[33], hash[32], sig[80];
    enum script_error err;
    struct tx_builder b;
    struct tx *tx;
    size_t len;

    (void)state;
    assert_true(pubkey_create(key, secret, true));
    script_write_push(&rest, key, 33);
    write_u8(&rest, OP_CHECKSIG);
    tx_builder_init(&b, 1, 0);
    tx_builder_add_in(&b, &from, "", 0, SEQUENCE_FINAL);
    tx_builder_add_out(&b, 10, "", 0);
    tx = tx_build(&b);
    sighash_legacy(hash, tx, 0, rest.data, rest.len, 0x83);
    assert_true(ecdsa_sign(sig, &len, hash, secret));
    sig[len++] = 0x83;
    script_write_push(&whole, sig, len);
    write_bytes(&whole, rest.data, rest.len);
    script_write_push(&script_sig, sig, len);
    tx_builder_set_script(&b, 0, script_sig.data, script_sig.len);
    tx_unref(tx);
    tx = tx_build(&b);
    tx_builder_clear(&b);
    const struct tx_out out = {10, whole.data, (uint32_t)whole.len};
    assert_true(script_verify_input(&err, tx, 0, &out, SCRIPT_VERIFY_MANDATORY, NULL, NULL, false));
    assert_false(script_verify_input(&err, tx, 0, &out, SCRIPT_VERIFY_CONST_SCRIPTCODE, NULL, NULL, false));
    assert_int_equal(err, SCRIPT_ERR_SIG_FINDANDDELETE);
    tx_unref(tx);
    writer_clear(&rest);
    writer_clear(&whole);
    writer_clear(&script_sig);
}

static void error_names(void **state)
{
    (void)state;
    for (int i = 0; i < SCRIPT_ERR_COUNT; i++) {
        assert_non_null(script_error_name((enum script_error)i));
        assert_non_null(script_error_text((enum script_error)i));
        for (int j = 0; j < i; j++)
            assert_string_not_equal(script_error_name((enum script_error)i), script_error_name((enum script_error)j));
    }
    assert_string_equal(script_error_text(SCRIPT_ERR_SIG_DER), "Non-canonical DER signature");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(script_size),         cmocka_unit_test(push_size),           cmocka_unit_test(op_count),
        cmocka_unit_test(stack_size),          cmocka_unit_test(witness_stack),       cmocka_unit_test(conditionals),
        cmocka_unit_test(stack_operations),    cmocka_unit_test(multisig_arguments),  cmocka_unit_test(numbers),
        cmocka_unit_test(multisig_hash_types), cmocka_unit_test(signature_in_script), cmocka_unit_test(error_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
