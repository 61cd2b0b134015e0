/* test_signing.c - what a descriptor pays to, its own keys can spend: every kind of script, with locks and preimages that are there or not; what is
 * inferred from the scripts; and what is refused, in which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>

#include "crypto/sha256.h"
#include "descriptor/descriptor.h"
#include "script/verify.h"
#include "util/mem.h"

#define WIF1 "KwDiBf89QgGbjEhKnhXJuH7LrciVrZi3qYjgd9M7rFU73sVHnoWn" /* secret 1 */
#define WIF2 "KwDiBf89QgGbjEhKnhXJuH7LrciVrZi3qYjgd9M7rFU74NMTptX4" /* secret 2 */
#define XPRV "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi"
#define OTHER "02f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9"
#define OTHER_X "f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9"
#define THIRD_X "dff1d77f2a671c5f36183726db2341be58feae1da2deced843240f7b502ba659"
/* SHA-256 of 32 bytes of 7 */
#define HASH "4bb06f8e4e3a7715d201d573d0aa423762e55dabd61a2c02278fa56cc6d294e0"

static struct chain_params params;

struct spend {
    uint32_t lock_time, sequence;
    bool preimage;
};

/* Makes a transaction that spends an output of the descriptor, and signs it. Returns: whether that satisfies the output. */
static bool spends(const char *text, uint32_t position, struct spend how)
{
    static const uint8_t secret[32] = {7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
                                       7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7};
    struct keyring ring = {.n_keys = 0};
    struct descriptor_scripts scripts;
    char *error = NULL;
    struct descriptor *d = descriptor_parse(text, &params, false, &error);
    bool all = true;

    if (!d)
        fail_msg("%s: %s", text, error);
    if (how.preimage) {
        uint8_t hash[32];
        sha256(hash, secret, 32);
        keyring_add_preimage(&ring, HASH_KIND_SHA256, hash, secret, 32);
    }
    assert_true(descriptor_expand(&scripts, &ring, d, 0, position, true));
    assert_true(scripts.n > 0);
    for (unsigned i = 0; i < scripts.n; i++) {
        struct tx_out spent = {100000, scripts.script[i].bytes, (uint32_t)scripts.script[i].len};
        const struct outpoint prevout = {.n = 3};
        struct sign_data data = {.n_sigs = 0};
        struct tx_midstate mid;
        struct tx_builder b;
        struct tx *bare, *done;
        bool ok;
        tx_builder_init(&b, 2, how.lock_time);
        tx_builder_add_in(&b, &prevout, "", 0, how.sequence);
        tx_builder_add_out(&b, 90000, scripts.script[i].bytes, scripts.script[i].len);
        bare = tx_build(&b);
        tx_midstate_init(&mid, bare, &spent, true);
        sign_input(&b, &(struct sign_job){.tx = bare, .spent = &spent, .mid = &mid, .ring = &ring, .data = &data});
        done = tx_build(&b);
        ok = script_verify_input(NULL, done, 0, &spent, SCRIPT_VERIFY_STANDARD, &mid, NULL, false);
        assert_int_equal(ok, data.solved);
        all = all && ok;
        sign_data_clear(&data);
        tx_unref(bare);
        tx_unref(done);
        tx_builder_clear(&b);
    }
    descriptor_scripts_clear(&scripts);
    keyring_clear(&ring);
    descriptor_free(d);
    return all;
}

static void plain_forms(void **state)
{
    static const char *const own[] = {"pk(" WIF1 ")",
                                      "combo(" XPRV "/0h/*)",
                                      "wpkh(" XPRV "/1/*h)",
                                      "sh(wpkh(" XPRV "/1/2))",
                                      "wsh(multi(2," OTHER "," WIF1 "," WIF2 "))",
                                      "sh(wsh(sortedmulti(1," OTHER "," XPRV "/*)))",
                                      "tr(" WIF1 ")",
                                      "rawtr(" WIF1 ")",
                                      "tr(" XPRV "/86h/*,pk(" OTHER_X "))",
                                      "tr(" OTHER_X ",pk(" WIF1 "))",
                                      "tr(" OTHER_X ",{pk(" THIRD_X "),{pkh(" WIF1 "),multi_a(2," THIRD_X "," WIF1 "," WIF2 ")}})"};
    static const char *const not_own[] = {"pk(" OTHER ")", "wsh(multi(2," OTHER "," WIF1 "))",
                                          "tr(" OTHER_X ",multi_a(2," THIRD_X "," WIF1 "))"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(own); i++) {
        if (!spends(own[i], 5, (struct spend){0, SEQUENCE_FINAL, false}))
            fail_msg("%s cannot be spent", own[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(not_own); i++)
        assert_false(spends(not_own[i], 0, (struct spend){0, SEQUENCE_FINAL, false}));
}

static void miniscripts(void **state)
{
    static const struct {
        const char *script; /* %s: wsh(...) or tr(key,...) */
        struct spend how;
        bool ok;
    } cases[] = {
        {"and_v(v:pk(" WIF1 "),older(144))", {0, 144, false}, true},
        {"and_v(v:pk(" WIF1 "),older(144))", {0, 143, false}, false},
        {"and_v(v:pk(" WIF1 "),older(4194305))", {0, 144, false}, false},
        {"and_v(v:pk(" WIF1 "),after(500))", {500, 0, false}, true},
        {"and_v(v:pk(" WIF1 "),after(500))", {499, 0, false}, false},
        {"and_v(v:pk(" WIF1 "),after(500))", {500, SEQUENCE_FINAL, false}, false},
        {"and_v(v:pk(" WIF1 "),sha256(" HASH "))", {0, 0, true}, true},
        {"and_v(v:pk(" WIF1 "),sha256(" HASH "))", {0, 0, false}, false},
        {"or_d(pk(" OTHER "),and_v(v:pkh(" WIF1 "),older(10)))", {0, 10, false}, true},
        {"or_d(pk(" OTHER "),and_v(v:pkh(" WIF1 "),older(10)))", {0, 9, false}, false},
        {"or_i(and_v(v:pkh(" WIF1 "),older(10)),pk(" WIF2 "))", {0, 0, false}, true},
        {"andor(pk(" WIF1 "),older(20),pk(" WIF2 "))", {0, 5, false}, true}, /* by the second key */
        {"andor(pk(" OTHER "),older(20),pk(" WIF2 "))", {0, 5, false}, true},
        {"thresh(2,pk(" OTHER "),s:pk(" WIF1 "),sln:older(12))", {0, 12, false}, true},
        {"thresh(2,pk(" OTHER "),s:pk(" WIF1 "),sln:older(12))", {0, 11, false}, false},
        {"and_b(pk(" WIF1 "),s:pk(" WIF2 "))", {0, 0, false}, true},
        {"j:and_v(v:pk(" WIF1 "),pk(" WIF2 "))", {0, 0, false}, true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *wsh = xasprintf("wsh(%s)", cases[i].script), *tr = xasprintf("tr(" THIRD_X ",{pk(" OTHER_X "),%s})", cases[i].script);
        if (spends(wsh, 0, cases[i].how) != cases[i].ok)
            fail_msg("%s: not %d", wsh, cases[i].ok);
        if (spends(tr, 0, cases[i].how) != cases[i].ok)
            fail_msg("%s: not %d", tr, cases[i].ok);
        free(wsh);
        free(tr);
    }
}

/* With the ring of its own expansion, a script is inferred to be what it came from. */
static void inference(void **state)
{
    static const char *const texts[] = {"pkh([00112233/44h/1]" OTHER ")",
                                        "sh(wsh(multi(1,[00112233/0h]" OTHER
                                        ",[00112233]02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5)))",
                                        "wsh(and_v(v:pkh([00112233/7]" OTHER "),older(144)))",
                                        "tr([00112233/1]" OTHER_X ",{pk([00112233/2]" THIRD_X "),{multi_a(1,[00112233/1]" OTHER_X
                                        "),and_v(v:pk([00112233/2]" THIRD_X "),after(9))}})"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct keyring ring = {.n_keys = 0};
        struct descriptor_scripts s;
        char *error, *inferred, *own;
        struct descriptor *d = descriptor_parse(texts[i], &params, false, &error);
        assert_non_null(d);
        assert_true(descriptor_expand(&s, &ring, d, 0, 0, false));
        inferred = descriptor_infer(s.script[0].bytes, s.script[0].len, &ring, &params.address);
        own = descriptor_text(d, 0);
        assert_string_equal(inferred, own);
        free(inferred);
        free(own);
        descriptor_scripts_clear(&s);
        keyring_clear(&ring);
        descriptor_free(d);
    }
}

static void refusals(void **state)
{
    static const char *const cases[][2] = {
        {"pk(" OTHER ")#", "Expected 8 character checksum, not 0 characters"},
        {"pk([0011223/1]" OTHER ")", "pk(): Fingerprint is not 4 bytes (7 characters instead of 8 characters)"},
        {"pk(" XPRV "/2147483648)", "pk(): Key path value 2147483648 is out of range"},
        {"pk(" XPRV "/<0;0>)", "pk(): Duplicated key path value 0 in multipath specifier"},
        {"wsh(wpkh(" OTHER "))", "Can only have wpkh() at top level or inside sh()"},
        {"tr(" OTHER_X ",{pk(" THIRD_X ")})", "tr(): expected ',' after script expression"},
        {"wsh(and_v(v:pk(" OTHER "),pk(" OTHER ")))",
         "and_v(v:pk(" OTHER "),pk(" OTHER ")) is not sane: contains duplicate public keys"},
        {"wsh(and_v(v:pk(" OTHER "),and_b(older(1),a:older(4194305))))",
         "and_b(older(1),a:older(4194305)) is not sane: contains mixes of timelocks expressed in blocks and seconds"},
        {"wsh(or_b(pk(" OTHER "),pk(" OTHER ")))", "or_b(pk(" OTHER "),pk(" OTHER ")) is invalid"},
        {"wsh(older(1))", "older(1) is not sane: witnesses without signature exist"},
        {"pk(musig(" OTHER "))", "pk(): musig() is only allowed in tr() and rawtr()"},
        {"sh(pk(" OTHER "),x)", ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *error = NULL;
        assert_null(descriptor_parse(cases[i][0], &params, false, &error));
        assert_string_equal(error, cases[i][1]);
        free(error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(plain_forms), cmocka_unit_test(miniscripts), cmocka_unit_test(inference),
                                       cmocka_unit_test(refusals)};
    int failed;

    chain_params_init(&params, CHAIN_MAIN);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    chain_params_clear(&params);
    return failed;
}
