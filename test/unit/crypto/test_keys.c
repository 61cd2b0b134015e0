/* test_keys.c - ECDSA with its lax parser, Schnorr and taproot tweaks, against Wycheproof, BIP340, BIP341 and by construction. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "crypto/hash.h"
#include "crypto/keys.h"
#include "crypto/sha256.h"
#include "util/random.h"
#include "vectors.h"

/* BIP66's rule for one INTEGER at p with `left` bytes to the end of the signature. Returns: its whole length, 0 if malformed. */
static size_t strict_integer(const uint8_t *p, size_t left)
{
    size_t n = left >= 2 ? p[1] : 0;

    if (left < 3 || p[0] != 2 || n == 0 || n > left - 2 || p[2] & 0x80)
        return 0;
    if (n > 1 && p[2] == 0 && !(p[3] & 0x80))
        return 0;
    return n + 2;
}

static bool is_strict_der(const uint8_t *sig, size_t len)
{
    size_t r, s;

    if (len < 8 || len > 72 || sig[0] != 0x30 || sig[1] != len - 2)
        return false;
    r = strict_integer(sig + 2, len - 2);
    s = r ? strict_integer(sig + 2 + r, len - 2 - r) : 0;
    return s && 2 + r + s == len;
}

/* Wycheproof's "bitcoin" set: valid means strict DER, low S and a correct signature. Together the three must decide as it says. */
static void test_wycheproof(void **state)
{
    struct json_object *root = vectors_json("crypto/wycheproof/ecdsa_secp256k1_sha256_bitcoin_test.json"), *groups = NULL,
                       *tests = NULL, *key = NULL;
    size_t n = 0, lax_only = 0;

    (void)state;
    if (!root)
        return;
    assert_true(json_object_object_get_ex(root, "testGroups", &groups));
    for (size_t g = 0; g < json_object_array_length(groups); g++) {
        struct json_object *group = json_object_array_get_idx(groups, g);
        size_t pub_len;
        uint8_t *pub, compressed[33];
        assert_true(json_object_object_get_ex(group, "publicKey", &key) && json_object_object_get_ex(group, "tests", &tests));
        pub = vectors_hex_member(key, "uncompressed", &pub_len);
        assert_int_equal(pub_len, 65);
        compressed[0] = 2 | (pub[64] & 1);
        memcpy(compressed + 1, pub + 1, 32);
        for (size_t t = 0; t < json_object_array_length(tests); t++, n++) {
            struct json_object *test = json_object_array_get_idx(tests, t);
            size_t msg_len, sig_len;
            uint8_t *msg = vectors_hex_member(test, "msg", &msg_len), *sig = vectors_hex_member(test, "sig", &sig_len), hash[32];
            bool want = !strcmp(vectors_str(test, "result"), "valid"), strict, verified;
            sha256(hash, msg, msg_len);
            verified = ecdsa_verify(sig, sig_len, hash, pub, pub_len);
            assert_true(verified == ecdsa_verify(sig, sig_len, hash, compressed, 33));
            strict = is_strict_der(sig, sig_len) && ecdsa_sig_is_low_s(sig, sig_len);
            if ((verified && strict) != want)
                fail_msg("case %s: %s", vectors_str(test, "tcId"), vectors_str(test, "comment"));
            lax_only += verified && !strict;
            free(msg);
            free(sig);
        }
        free(pub);
    }
    assert_int_equal(n, 463);
    assert_true(lax_only > 5); /* BER forms and the high S that consensus accepts */
    json_object_put(root);
}

/* Splits off the next field of a CSV line, which has no quotes. */
static char *next_field(char **line)
{
    char *field = *line, *comma = strchr(field, ',');

    if (comma)
        *comma++ = 0;
    *line = comma ? comma : field + strlen(field);
    return field;
}

static void test_bip340(void **state)
{
    size_t size;
    char *text = (char *)vectors_read("crypto/bip340-test-vectors.csv", &size), *save = NULL, *line;
    int n = 0;

    (void)state;
    line = text ? strtok_r(text, "\r\n", &save) : NULL; /* the heading */
    while (line && (line = strtok_r(NULL, "\r\n", &save))) {
        size_t len[5];
        uint8_t *f[5], x[33], got[64]; /* secret, public, aux, message, signature */
        bool want;
        next_field(&line);
        for (int i = 0; i < 5; i++)
            f[i] = vectors_hex(next_field(&line), &len[i]);
        want = !strcmp(next_field(&line), "TRUE");
        assert_true(len[1] == 32 && len[4] == 64);
        assert_true(schnorr_verify(f[4], f[3], len[3], f[1]) == want);
        if (len[0]) {
            assert_true(pubkey_create(x, f[0], true));
            assert_memory_equal(x + 1, f[1], 32);
            assert_true(schnorr_sign(got, f[3], len[3], f[0], f[2]));
            assert_memory_equal(got, f[4], 64);
        }
        n++;
        for (int i = 0; i < 5; i++)
            free(f[i]);
    }
    assert_true(!text || n == 19);
    free(text);
}

static uint8_t *optional_hash(struct json_object *obj, const char *key)
{
    size_t len;
    uint8_t *hash = vectors_str(obj, key) ? vectors_hex_member(obj, key, &len) : NULL;

    assert_true(!hash || len == 32);
    return hash;
}

static void check_output_key(struct json_object *c)
{
    struct json_object *given = NULL, *mid = NULL;
    uint8_t *internal, *want, *root, output[32];
    size_t len;
    int parity;

    assert_true(json_object_object_get_ex(c, "given", &given) && json_object_object_get_ex(c, "intermediary", &mid));
    internal = vectors_hex_member(given, "internalPubkey", &len);
    want = vectors_hex_member(mid, "tweakedPubkey", &len);
    root = optional_hash(mid, "merkleRoot");
    assert_true(taproot_tweak(output, &parity, internal, root));
    assert_memory_equal(output, want, 32);
    if (root) {
        assert_true(taproot_tweak_check(output, parity, internal, root));
        assert_false(taproot_tweak_check(output, !parity, internal, root));
        root[31] ^= 1;
        assert_false(taproot_tweak_check(output, parity, internal, root));
    }
    free(internal);
    free(want);
    free(root);
}

static void check_key_spend(struct json_object *c)
{
    struct json_object *given = NULL, *mid = NULL, *expected = NULL, *witness = NULL;
    uint8_t *key, *root, *hash, *want, sig[64];
    size_t len;

    assert_true(json_object_object_get_ex(c, "given", &given) && json_object_object_get_ex(c, "intermediary", &mid) &&
                json_object_object_get_ex(c, "expected", &expected) && json_object_object_get_ex(expected, "witness", &witness));
    key = vectors_hex_member(given, "internalPrivkey", &len);
    root = optional_hash(given, "merkleRoot");
    hash = vectors_hex_member(mid, "sigHash", &len);
    want = vectors_hex(json_object_get_string(json_object_array_get_idx(witness, 0)), &len);
    assert_true(schnorr_sign_taproot(sig, hash, key, root, NULL));
    assert_memory_equal(sig, want, 64);
    free(key);
    free(root);
    free(hash);
    free(want);
}

static void test_bip341(void **state)
{
    struct json_object *json = vectors_json("script/bip341_wallet_vectors.json"), *list = NULL, *inputs = NULL;

    (void)state;
    if (!json)
        return;
    assert_true(json_object_object_get_ex(json, "scriptPubKey", &list));
    assert_int_equal(json_object_array_length(list), 7);
    for (size_t i = 0; i < 7; i++)
        check_output_key(json_object_array_get_idx(list, i));
    assert_true(json_object_object_get_ex(json, "keyPathSpending", &list));
    assert_true(json_object_object_get_ex(json_object_array_get_idx(list, 0), "inputSpending", &inputs));
    assert_true(json_object_array_length(inputs) >= 7);
    for (size_t i = 0; i < json_object_array_length(inputs); i++)
        check_key_spend(json_object_array_get_idx(inputs, i));
    json_object_put(json);
}

static void random_key(struct rng *rng, uint8_t key[32])
{
    do
        for (int i = 0; i < 32; i++)
            key[i] = (uint8_t)rng_u64(rng);
    while (!seckey_is_valid(key));
}

/* What is signed verifies with every form of the key, is strict, low in R and S, and short; anything changed does not verify. */
static void test_sign(void **state)
{
    struct rng rng;

    (void)state;
    rng_init_seed(&rng, 6);
    for (int round = 0; round < 50; round++) {
        uint8_t key[32], hash[32], other[32], sig[72], again[72], pub[65], compressed[33];
        size_t len, len2 = 0;
        random_key(&rng, key);
        random_key(&rng, hash);
        memcpy(other, hash, 32);
        other[5] ^= 1;
        assert_true(pubkey_create(pub, key, false) && pubkey_create(compressed, key, true));
        assert_true(ecdsa_sign(sig, &len, hash, key) && ecdsa_sign(again, &len2, hash, key));
        assert_true(len == len2 && len <= 70 && is_strict_der(sig, len) && ecdsa_sig_is_low_s(sig, len));
        assert_memory_equal(sig, again, len);
        assert_true(ecdsa_verify(sig, len, hash, pub, 65) && ecdsa_verify(sig, len, hash, compressed, 33));
        assert_false(ecdsa_verify(sig, len, other, pub, 65));
        assert_false(ecdsa_verify(sig, len, hash, pub, 64) || ecdsa_verify(sig, len, hash, NULL, 0));
        pub[0] = 6 | (pub[64] & 1);
        assert_true(ecdsa_verify(sig, len, hash, pub, 65));
        pub[0] ^= 1;
        assert_false(ecdsa_verify(sig, len, hash, pub, 65));
        compressed[0] ^= 1;
        assert_false(ecdsa_verify(sig, len, hash, compressed, 33));
        assert_false(ecdsa_verify(NULL, 0, hash, pub, 65));
    }
}

/* RFC 6979 for key 1 and SHA256("Satoshi Nakamoto"). Its first R is high, so this is the second try, with counter 1 mixed in as
 * Core does; computed with Python's integers. */
static void test_sign_known(void **state)
{
    uint8_t key[32] = {[31] = 1}, hash[32], sig[72];
    char hex[145];
    size_t len;

    (void)state;
    sha256(hash, "Satoshi Nakamoto", 16);
    assert_true(ecdsa_sign(sig, &len, hash, key));
    hex_encode(hex, sig, len);
    assert_string_equal(hex, "304402203311d51d1326e30774b2fb1fbfd5e199ebccb43be1db2ce41051eb2d75e4b68f"
                             "022044d2ea67486df31a242363de1f835d583620fea148ee422c8c80b904b53f5ac3");
}

/* n minus the number: turns low S into high S. */
static void negate(uint8_t s[32])
{
    uint8_t n[32];
    int borrow = 0;

    assert_true(hex_decode(n, 32, "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"));
    for (int i = 31; i >= 0; i--) {
        int d = n[i] - s[i] - borrow;
        borrow = d < 0;
        s[i] = (uint8_t)d;
    }
}

struct lax {
    uint8_t data[200];
    size_t len;
};

static void put(struct lax *l, const void *data, size_t len)
{
    memcpy(l->data + l->len, data, len);
    l->len += len;
}

static void put_byte(struct lax *l, unsigned b)
{
    l->data[l->len++] = (uint8_t)b;
}

/* Old blocks' forms, made out of a good signature: each must verify, or not, as OpenSSL 1.0 had it. */
static void test_lax(void **state)
{
    uint8_t key[32] = {[31] = 7}, hash[32] = {3}, sig[72], pub[33], r[32] = {0}, s[32] = {0}, high[32];
    static const uint8_t zeros[8];
    struct lax l;
    size_t len = 0, r_len, s_len;

    (void)state;
    assert_true(pubkey_create(pub, key, true) && ecdsa_sign(sig, &len, hash, key));
    r_len = sig[3];
    s_len = sig[5 + r_len];
    memcpy(r + 32 - r_len, sig + 4, r_len);
    memcpy(s + 32 - s_len, sig + 6 + r_len, s_len);
    memcpy(high, s, 32);
    negate(high);

    /* high S without its padding zero (a negative number in DER), sequence length wrong, bytes behind */
    l.len = 0;
    put(&l, "\x30\x01\x02\x20", 4);
    put(&l, r, 32);
    put(&l, "\x02\x20", 2);
    put(&l, high, 32);
    put(&l, "junk", 4);
    assert_true(ecdsa_verify(l.data, l.len, hash, pub, 33));
    assert_false(ecdsa_sig_is_low_s(l.data, l.len));
    assert_true(ecdsa_sig_is_low_s(sig, len));

    /* long lengths with leading zeroes, integers padded with zeroes, sequence length of five bytes that says anything */
    l.len = 0;
    put(&l, "\x30\x85zzzzz\x02\x86\0\0\0\0\0\x28", 15);
    put(&l, zeros, 8);
    put(&l, r, 32);
    put(&l, "\x02\x83\0\0\x28", 5);
    put(&l, zeros, 8);
    put(&l, s, 32);
    assert_true(ecdsa_verify(l.data, l.len, hash, pub, 33));
    assert_true(ecdsa_sig_is_low_s(l.data, l.len));
    /* every cut of it is refused without reading beyond */
    for (size_t n = 0; n < l.len; n++) {
        uint8_t *cut = xmemdup(l.data, n);
        assert_false(ecdsa_verify(cut, n, hash, pub, 33));
        free(cut);
    }

    /* a length of four bytes that matter is refused */
    l.len = 0;
    put(&l, "\x30\x00\x02\x84\x01\0\0\x20", 8);
    put(&l, r, 32);
    put(&l, "\x02\x20", 2);
    put(&l, s, 32);
    assert_false(ecdsa_verify(l.data, l.len, hash, pub, 33));
    assert_false(ecdsa_sig_is_low_s(l.data, l.len));

    /* numbers too large parse (and count as low S) but verify nothing */
    l.len = 0;
    put(&l, "\x30\x00\x02\x21\x01", 5);
    put(&l, r, 32);
    put(&l, "\x02\x20", 2);
    put(&l, s, 32);
    assert_false(ecdsa_verify(l.data, l.len, hash, pub, 33));
    assert_true(ecdsa_sig_is_low_s(l.data, l.len));
    memset(l.data + 5, 0xff, 32);
    l.data[3] = 0x20;
    memmove(l.data + 4, l.data + 5, l.len - 5);
    l.len--;
    assert_false(ecdsa_verify(l.data, l.len, hash, pub, 33));
    assert_true(ecdsa_sig_is_low_s(l.data, l.len));

    /* empty integers are zero */
    l.len = 0;
    put(&l, "\x30\x04\x02\0\x02\0", 6);
    assert_false(ecdsa_verify(l.data, l.len, hash, pub, 33));
    assert_true(ecdsa_sig_is_low_s(l.data, l.len));
    /* wrong tags */
    put_byte(&l, 0);
    l.data[0] = 0x31;
    assert_false(ecdsa_sig_is_low_s(l.data, l.len));
    l.data[0] = 0x30;
    l.data[4] = 3;
    assert_false(ecdsa_sig_is_low_s(l.data, l.len));
}

static void test_validity(void **state)
{
    uint8_t key[32] = {0}, out[65], x[32];

    (void)state;
    assert_false(seckey_is_valid(key));
    assert_false(pubkey_create(out, key, true));
    memset(key, 0xff, 32);
    assert_false(seckey_is_valid(key));
    memset(key, 0, 32);
    key[31] = 1;
    assert_true(seckey_is_valid(key) && pubkey_create(out, key, false));
    assert_true(pubkey_is_valid(out, 65));
    assert_false(pubkey_is_valid(out, 33) || pubkey_is_valid(NULL, 0));
    assert_true(xonly_is_valid(out + 1));
    memcpy(x, out + 1, 32);
    out[64] ^= 1;
    assert_false(pubkey_is_valid(out, 65));
    memset(x, 0, 32);
    x[31] = 5; /* x = 5 is not on the curve */
    assert_false(xonly_is_valid(x));
    assert_false(taproot_tweak(out, &(int){0}, x, NULL));
}

static void test_compact(void **state)
{
    uint8_t key[32] = {0}, hash[32], sig[65], pub[65], expected[65];
    size_t len;

    (void)state;
    memset(hash, 7, sizeof(hash));
    assert_false(ecdsa_sign_compact(sig, hash, key, true));
    for (unsigned i = 1; i < 20; i++) {
        bool compressed = i & 1;
        key[31] = (uint8_t)i;
        hash[0] = (uint8_t)i;
        assert_true(ecdsa_sign_compact(sig, hash, key, compressed));
        assert_in_range(sig[0], compressed ? 31 : 27, compressed ? 34 : 30);
        assert_true(ecdsa_recover_compact(pub, &len, sig, hash));
        assert_int_equal(len, compressed ? 33 : 65);
        assert_true(pubkey_create(expected, key, compressed));
        assert_memory_equal(pub, expected, len);
        hash[1] ^= 1; /* another message: another key, or none */
        assert_false(ecdsa_recover_compact(pub, &len, sig, hash) && memcmp(pub, expected, len) == 0);
    }
    memset(sig + 1, 0xff, 64);
    assert_false(ecdsa_recover_compact(pub, &len, sig, hash));
}

/* The fast test agrees with libsecp256k1's on random numbers and at the ends of the range. */
static void test_on_curve(void **state)
{
    uint8_t x[32];
    unsigned points = 0;

    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        random_bytes(x, sizeof(x));
        if (i % 4 == 1)
            memset(x, 0xff, 27 + i / 4 % 5); /* near the prime, on both sides of it */
        if (i % 4 == 2)
            memset(x, 0, 1 + i / 4 % 32);
        if (i % 16 == 3)
            memset(x + 8, 0, 16);
        points += xonly_is_valid(x);
        assert_int_equal(xonly_is_on_curve(x), xonly_is_valid(x));
    }
    assert_in_range(points, 6000, 12000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_on_curve), cmocka_unit_test(test_wycheproof), cmocka_unit_test(test_bip340),
        cmocka_unit_test(test_bip341),   cmocka_unit_test(test_sign),       cmocka_unit_test(test_sign_known),
        cmocka_unit_test(test_lax),      cmocka_unit_test(test_validity),   cmocka_unit_test(test_compact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
