/* test_policy.c - thresholds, fee arithmetic and the forms of outputs, inputs and witnesses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "policy/policy.h"
#include "util/hex.h"
#include "util/mem.h"

/* ---- scripts: bytes as hex, "aa*20" for twenty times aa ---- */

struct script {
    uint8_t b[20000];
    size_t len;
};

static struct script *hex(const char *text)
{
    struct script *s = (struct script *)xcalloc(1, sizeof(*s));
    while (*text) {
        char pair[3] = {text[0], text[1], 0};
        unsigned long times = 1;
        text += 2;
        if (*text == '*')
            times = strtoul(text + 1, (char **)(uintptr_t)&text, 10);
        if (*text == ' ')
            text++;
        while (times--)
            assert_true(hex_decode(&s->b[s->len++], 1, pair));
    }
    return s;
}

#define P2PK "21 02*33 ac"
#define P2PKH "76a914 11*20 88ac"
#define P2SH "a914 11*20 87"
#define P2WPKH "0014 11*20"
#define P2WSH "0020 11*32"
#define P2TR "5120 11*32"
#define P2A "51024e73"
#define WITNESS_UNKNOWN "5220 11*32"
#define MULTI_1_3 "51 21 02*33 21 02*33 21 02*33 53ae"
#define MULTI_1_4 "51 21 02*33 21 02*33 21 02*33 21 02*33 54ae"

static struct tx *make(uint32_t version, const char *sig, const char *const *witness, const char *const *outs,
                       const int64_t *values)
{
    struct outpoint o = {{{7}}, 1};
    struct witness_item items[200];
    struct script *held[200], *s = hex(sig);
    struct tx_builder b;
    struct tx *tx;
    size_t n = 0;

    tx_builder_init(&b, version, 0);
    tx_builder_add_in(&b, &o, s->b, s->len, SEQUENCE_FINAL);
    free(s);
    for (; witness && witness[n]; n++) {
        held[n] = hex(witness[n]);
        items[n] = (struct witness_item){held[n]->b, (uint32_t)held[n]->len};
    }
    if (n)
        tx_builder_set_witness(&b, 0, items, n);
    for (size_t i = 0; outs && outs[i]; i++) {
        s = hex(outs[i]);
        tx_builder_add_out(&b, values ? values[i] : 100000, s->b, s->len);
        free(s);
    }
    tx = tx_build(&b);
    tx_builder_clear(&b);
    while (n)
        free(held[--n]);
    return tx;
}

static struct policy defaults(void)
{
    struct chain_params params;
    struct policy p;
    chain_params_init(&params, CHAIN_MAIN);
    policy_init(&p, &params);
    chain_params_clear(&params);
    return p;
}

static int64_t dust_of(const char *script, int64_t rate)
{
    struct script *s = hex(script);
    struct tx_out out = {0, s->b, (uint32_t)s->len};
    int64_t threshold = policy_dust_threshold(&out, rate);
    if (threshold) {
        out.value = threshold - 1;
        assert_true(policy_is_dust(&out, rate));
    }
    out.value = threshold;
    assert_false(policy_is_dust(&out, rate));
    free(s);
    return threshold;
}

static void dust(void **state)
{
    (void)state;
    assert_int_equal(dust_of(P2PKH, 3000), 546);
    assert_int_equal(dust_of(P2SH, 3000), 540);
    assert_int_equal(dust_of(P2PK, 3000), 576);
    assert_int_equal(dust_of(P2WPKH, 3000), 294);
    assert_int_equal(dust_of(P2WSH, 3000), 330);
    assert_int_equal(dust_of(P2TR, 3000), 330);
    assert_int_equal(dust_of(P2A, 3000), 240);
    assert_int_equal(dust_of("6a04 00*4", 3000), 0);
    assert_int_equal(dust_of(P2PKH, 3702), 674); /* rounded up */
    assert_int_equal(dust_of(P2PKH, 0), 0);
}

static void arithmetic(void **state)
{
    (void)state;
    assert_int_equal(policy_fee(1000, 0), 0);
    assert_int_equal(policy_fee(0, 100000), 0);
    assert_int_equal(policy_fee(1000, 121), 121);
    assert_int_equal(policy_fee(123, 8), 1);
    assert_int_equal(policy_fee(123, 9), 2);
    assert_int_equal(policy_fee(1, 1), 1);
    assert_int_equal(policy_fee(-1000, 121), -121);
    assert_int_equal(policy_fee(-123, 8), -1);
    assert_int_equal(policy_fee(INT64_MAX, INT64_MAX), INT64_MAX);
    assert_int_equal(policy_vsize(400, 0, 20), 100);
    assert_int_equal(policy_vsize(401, 0, 20), 101);
    assert_int_equal(policy_vsize(400, 21, 20), 105);
    assert_int_equal(policy_weight(400, 20, 20), 400);
}

static void check_form(const struct policy *p, struct tx *tx_take, const char *want)
{
    const char *reason = "";
    assert_int_equal(policy_is_standard_tx(p, tx_take, &reason), want == NULL);
    assert_string_equal(reason, want ? want : "");
    tx_unref(tx_take);
}

static struct tx *pays(const char *script)
{
    const char *outs[] = {script, NULL};
    return make(2, "51", NULL, outs, NULL);
}

static void form(void **state)
{
    static const char *const standard[] = {P2PK, P2PKH,           P2SH,      P2WPKH, P2WSH,      P2TR,
                                           P2A,  WITNESS_UNKNOWN, MULTI_1_3, "6a",   "6a04 00*4"};
    static const char *const odd[] = {"51", "", MULTI_1_4, "6a04 00*3", "51ae", "5e 51ae"};
    const char *two_dusts[] = {P2PKH, P2PKH, NULL}, *data[] = {"6a 01 00", "6a 01 00", NULL}, *plain[] = {P2PKH, NULL};
    const int64_t small[] = {545, 545};
    struct policy p = defaults();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(standard); i++)
        check_form(&p, pays(standard[i]), NULL);
    for (size_t i = 0; i < ARRAY_LEN(odd); i++)
        check_form(&p, pays(odd[i]), "scriptpubkey");
    check_form(&p, make(0, "", NULL, plain, NULL), "version");
    check_form(&p, make(1, "", NULL, plain, NULL), NULL);
    check_form(&p, make(3, "", NULL, plain, NULL), NULL);
    check_form(&p, make(4, "", NULL, plain, NULL), "version");
    check_form(&p, make(UINT32_MAX, "", NULL, plain, NULL), "version");
    check_form(&p, make(2, "00*1650", NULL, plain, NULL), NULL);
    check_form(&p, make(2, "00*1651", NULL, plain, NULL), "scriptsig-size");
    check_form(&p, make(2, "76", NULL, plain, NULL), "scriptsig-not-pushonly");
    check_form(&p, make(2, "02 00", NULL, plain, NULL), "scriptsig-not-pushonly");
    check_form(&p, make(2, "", NULL, two_dusts, small), "dust");
    check_form(&p, make(2, "", NULL, plain, small), NULL); /* one may be: its child must spend it */
    p.permit_bare_multisig = false;
    check_form(&p, pays(MULTI_1_3), "bare-multisig");
    p.max_datacarrier = 6;
    check_form(&p, make(2, "", NULL, data, NULL), NULL);
    p.max_datacarrier = 5;
    check_form(&p, make(2, "", NULL, data, NULL), "datacarrier");
    p.max_datacarrier = -1;
    check_form(&p, pays("6a"), "datacarrier");
}

static void size(void **state)
{
    struct policy p = defaults();
    struct tx_builder b;
    struct tx *tx;
    struct outpoint o = {{{7}}, 1};
    uint8_t data[99900] = {OP_RETURN, OP_PUSHDATA4};

    (void)state;
    for (size_t len = 99800; len <= 99900; len++) {
        const char *reason = "";
        put_le32(data + 2, (uint32_t)len - 6);
        tx_builder_init(&b, 2, 0);
        tx_builder_add_in(&b, &o, NULL, 0, 0);
        tx_builder_add_out(&b, 0, data, len);
        tx = tx_build(&b);
        tx_builder_clear(&b);
        assert_int_equal(policy_is_standard_tx(&p, tx, &reason), tx_weight(tx) <= 400000);
        if (tx_weight(tx) > 400000)
            assert_string_equal(reason, "tx-size");
        tx_unref(tx);
    }
}

static void check_inputs(const char *spent, const char *sig, const char *debug)
{
    const char *outs[] = {P2PKH, NULL};
    struct script *s = hex(spent);
    struct tx_out out = {1000, s->b, (uint32_t)s->len};
    struct tx *tx = make(2, sig, NULL, outs, NULL);
    struct verdict v;

    verdict_init(&v);
    assert_int_equal(policy_inputs_standard(tx, &out, &v), debug == NULL);
    if (debug) {
        assert_int_equal(v.code, TX_INPUTS_NOT_STANDARD);
        assert_string_equal(v.reason, "bad-txns-nonstandard-inputs");
        assert_string_equal(v.debug, debug);
    }
    tx_unref(tx);
    free(s);
}

static void inputs(void **state)
{
    (void)state;
    check_inputs(P2PKH, "", NULL);
    check_inputs(P2WSH, "", NULL);
    check_inputs(P2A, "", NULL);
    check_inputs("51", "", "input 0 script unknown");
    check_inputs(WITNESS_UNKNOWN, "", "input 0 witness program is undefined");
    check_inputs(P2SH, "", "input 0 P2SH redeemscript missing");
    check_inputs(P2SH, "51 0f ac*15", NULL);
    check_inputs(P2SH, "10 ac*16", "p2sh redeemscript sigops exceed limit (input 0: 16 > 15)");
    check_inputs(P2SH, "02 5fae", NULL); /* OP_15 OP_CHECKMULTISIG */
    check_inputs(P2SH, "02 60ae", "p2sh redeemscript sigops exceed limit (input 0: 16 > 15)");
    check_inputs(P2SH, "01ae", "p2sh redeemscript sigops exceed limit (input 0: 20 > 15)");
    check_inputs(P2SH, "50", "p2sh scriptsig malformed (input 0: Opcode missing or not understood)");
    check_inputs(P2SH, "4d0902 00*521", "p2sh scriptsig malformed (input 0: Push value size limit exceeded)");
    check_inputs(P2SH, "00*1001", "p2sh scriptsig malformed (input 0: Stack size limit exceeded)");
    check_inputs(P2PKH, "ac*2500", "non-witness sigops exceed bip54 limit");
    check_inputs(P2PKH, "ac*2499", NULL);
}

static void check_witness(const char *spent, const char *sig, const char *const *witness, bool want)
{
    const char *outs[] = {P2PKH, NULL};
    struct script *s = hex(spent);
    struct tx_out out = {1000, s->b, (uint32_t)s->len};
    struct tx *tx = make(2, sig, witness, outs, NULL);
    assert_int_equal(policy_witness_standard(tx, &out), want);
    tx_unref(tx);
    free(s);
}

#define ITEMS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void witnesses(void **state)
{
    const char *many[103];
    (void)state;
    check_witness(P2PKH, "", ITEMS("51"), false);
    check_witness(P2A, "", ITEMS("51"), false);
    check_witness(P2WPKH, "", ITEMS("00*100", "00*100"), true);
    check_witness(P2WSH, "", ITEMS("00*80", "51*3600"), true);
    check_witness(P2WSH, "", ITEMS("00*81", "51*3600"), false);
    check_witness(P2WSH, "", ITEMS("51*3601"), false);
    for (int i = 0; i < 102; i++)
        many[i] = "00";
    many[102] = NULL;
    check_witness(P2WSH, "", many, false);
    check_witness(P2WSH, "", many + 1, true);
    check_witness(P2SH, "22 0020 11*32", ITEMS("51*3601"), false);
    check_witness(P2SH, "22 0020 11*32", ITEMS("51"), true);
    check_witness(P2SH, "01 51", ITEMS("51"), false);
    check_witness(P2SH, "51", ITEMS("51"), false);
    check_witness(P2TR, "", ITEMS("00*64"), true);
    check_witness(P2TR, "", ITEMS("00*64", "50"), false);
    check_witness(P2TR, "", ITEMS("51", ""), false);
    check_witness(P2TR, "", ITEMS("00*80", "51", "c0 11*32"), true);
    check_witness(P2TR, "", ITEMS("00*81", "51", "c1 11*32"), false);
    check_witness(P2TR, "", ITEMS("00*81", "51", "c2 11*32"), true); /* an unknown leaf version */
    check_witness(P2SH, "22 5120 11*32", ITEMS("00*81", "51", "c0 11*32"), true);
}

static void stripped(void **state)
{
    static const struct {
        const char *spent, *sig;
        bool want;
    } v[] = {{P2WPKH, "", true},     {P2TR, "", true},   {WITNESS_UNKNOWN, "", true},
             {P2A, "", false},       {P2PKH, "", false}, {P2SH, "16 0014 11*20", true},
             {P2SH, "01 51", false}, {P2SH, "", false},  {P2SH, "76 16 0014 11*20", false}};
    const char *outs[] = {P2PKH, NULL};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        struct script *s = hex(v[i].spent);
        struct tx_out out = {1000, s->b, (uint32_t)s->len};
        struct tx *tx = make(2, v[i].sig, NULL, outs, NULL);
        assert_int_equal(policy_spends_witness_program(tx, &out), v[i].want);
        tx_unref(tx);
        free(s);
    }
}

static void replacement(void **state)
{
    struct policy p = defaults();
    struct txid id = {{0}};
    struct verdict v;
    struct tx *tx;
    struct tx_builder b;
    struct outpoint o = {{{7}}, 1};

    (void)state;
    verdict_init(&v);
    assert_true(policy_pays_for_replacement(&p, &id, 1000, 1010, 100, "insufficient fee", &v));
    assert_false(policy_pays_for_replacement(&p, &id, 1000, 1009, 100, "insufficient fee", &v));
    assert_string_equal(v.reason, "insufficient fee");
    assert_int_equal(v.code, TX_RECONSIDERABLE);
    assert_non_null(strstr(v.debug, "not enough additional fees to relay; 0.00000009 < 0.0000001"));
    assert_false(policy_pays_for_replacement(&p, &id, 200000000, 150000000, 100, "insufficient fee", &v));
    assert_non_null(strstr(v.debug, "less fees than conflicting txs; 1.50 < 2.00"));
    assert_true(policy_pays_for_replacement(&p, &id, INT64_MIN, INT64_MAX, 100, "insufficient fee", &v));
    for (uint32_t s = 0xfffffffc; s != 0; s++) {
        tx_builder_init(&b, 2, 0);
        tx_builder_add_in(&b, &o, NULL, 0, SEQUENCE_FINAL);
        tx_builder_add_in(&b, &o, NULL, 0, s);
        tx = tx_build(&b);
        tx_builder_clear(&b);
        assert_int_equal(policy_signals_rbf(tx), s <= 0xfffffffd);
        tx_unref(tx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dust),   cmocka_unit_test(arithmetic), cmocka_unit_test(form),     cmocka_unit_test(size),
        cmocka_unit_test(inputs), cmocka_unit_test(witnesses),  cmocka_unit_test(stripped), cmocka_unit_test(replacement),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
