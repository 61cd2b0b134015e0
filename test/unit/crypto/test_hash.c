/* test_hash.c - the other hashes, the MACs, the table hashes and ChaCha20, against published vectors and other programs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cavp.h"
#include "crypto/chacha.h"
#include "crypto/hash.h"
#include "crypto/sha256.h"
#include "util/bytes.h"
#include "util/random.h"

static void assert_hex(const uint8_t *got, size_t len, const char *want)
{
    char hex[2 * 128 + 1];

    hex_encode(hex, got, len);
    assert_string_equal(hex, want);
}

static void fill(uint8_t *p, size_t len, unsigned start)
{
    for (size_t i = 0; i < len; i++)
        p[i] = (uint8_t)(start + i);
}

static void run_sha1(uint8_t *out, const void *data, size_t len)
{
    sha1(out, data, len);
}

static void run_sha512(uint8_t *out, const void *data, size_t len)
{
    sha512(out, data, len);
}

static void run_sha3(uint8_t *out, const void *data, size_t len)
{
    sha3_256(out, data, len);
}

static void test_nist(void **state)
{
    int a = cavp_run("crypto/nist/SHA1ShortMsg.rsp", run_sha1, 20);
    int b = cavp_run("crypto/nist/SHA512ShortMsg.rsp", run_sha512, 64);
    int c = cavp_run("crypto/nist/SHA3_256ShortMsg.rsp", run_sha3, 32);
    uint8_t out[64];

    (void)state;
    assert_true(a >= 0 && b >= 0 && c >= 0);
    if (a)
        assert_true(a > 60 && b > 100 && c > 100);
    sha1(out, "abc", 3);
    assert_hex(out, 20, "a9993e364706816aba3e25717850c26c9cd0d89d");
    sha3_256(out, "", 0);
    assert_hex(out, 32, "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a");
}

static void test_ripemd160(void **state)
{
    static uint8_t million[1000000];
    uint8_t out[32], data[200], digests[200 * 20];

    (void)state;
    ripemd160(out, "", 0);
    assert_hex(out, 20, "9c1185a5c5e9fc54612808977ee8f548b2258d31");
    ripemd160(out, "abc", 3);
    assert_hex(out, 20, "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc");
    memset(million, 'a', sizeof(million));
    ripemd160(out, million, sizeof(million));
    assert_hex(out, 20, "52783243c1697bdbe16d37f97f68f08325dc1528");
    /* all lengths from 0 to 199, against OpenSSL's legacy provider */
    for (unsigned len = 0; len < 200; len++) {
        fill(data, len, len * 3);
        ripemd160(digests + 20 * len, data, len);
    }
    sha256(out, digests, sizeof(digests));
    assert_hex(out, 32, "b6a29e17b5c3b00082777cd0329d8c08f6881b43890e5a99c448875f952c8604");
}

/* hash160 of the generator's compressed key: the address of private key 1. */
static void test_hash160(void **state)
{
    uint8_t key[33], out[20];

    (void)state;
    assert_true(hex_decode(key, 33, "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"));
    hash160(out, key, 33);
    assert_hex(out, 20, "751e76e8199196d454941c45d1b3a323f1433bd6");
}

static void test_hmac(void **state)
{
    uint8_t out[64], key[300], data[150], all[300 * 64], digest[32];

    (void)state;
    hmac_sha256(out, "Jefe", 4, "what do ya want for nothing?", 28);
    assert_hex(out, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    hmac_sha512(out, "Jefe", 4, "what do ya want for nothing?", 28);
    assert_hex(out, 64,
               "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
               "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737");
    /* keys of 0 to 299 bytes; constants from Python's hmac */
    for (unsigned len = 0; len < 300; len++) {
        fill(key, len, len * 5);
        fill(data, len / 2, len * 3);
        hmac_sha256(all + 32 * len, key, len, data, len / 2);
    }
    sha256(digest, all, 300 * 32);
    assert_hex(digest, 32, "e75efe493deb3b77166cd420f72aafe75bab88bbe0b085299aea0dfdfb63ebb6");
    for (unsigned len = 0; len < 300; len++) {
        fill(key, len, len * 5);
        fill(data, len / 2, len * 3);
        hmac_sha512(all + 64 * len, key, len, data, len / 2);
    }
    sha256(digest, all, 300 * 64);
    assert_hex(digest, 32, "3f0313c871d57fc31c0e1bde1f61596b190f61df24bbe356173a42f4ec31ed28");
}

static void test_siphash_vectors(void **state)
{
    struct json_object *cases = vectors_json("crypto/siphash.json");
    size_t n = cases ? json_object_array_length(cases) : 0;

    (void)state;
    for (size_t i = 0; i < n; i++) {
        struct json_object *c = json_object_array_get_idx(cases, i), *key = NULL, *input = NULL, *expected = NULL;
        uint64_t k0, k1, want;
        uint8_t data[4096];
        size_t len = 0;
        assert_true(json_object_object_get_ex(c, "key", &key) && json_object_object_get_ex(c, "input", &input) &&
                    json_object_object_get_ex(c, "expected", &expected));
        k0 = strtoull(json_object_get_string(json_object_array_get_idx(key, 0)), NULL, 16);
        k1 = strtoull(json_object_get_string(json_object_array_get_idx(key, 1)), NULL, 16);
        want = strtoull(vectors_str(expected, "siphash24"), NULL, 16);
        for (size_t j = 0; j < json_object_array_length(input); j++) {
            size_t part_len;
            uint8_t *part = vectors_hex(json_object_get_string(json_object_array_get_idx(input, j)), &part_len);
            assert_true(len + part_len <= sizeof(data));
            memcpy(data + len, part, part_len);
            len += part_len;
            free(part);
        }
        assert_true(siphash(k0, k1, data, len) == want);
        if (len == 32)
            assert_true(siphash_hash(k0, k1, data) == want);
    }
    assert_true(!cases || n == 146);
    json_object_put(cases);
}

static void test_siphash(void **state)
{
    uint8_t data[36];
    struct rng rng;

    (void)state;
    for (size_t i = 0; i < 32; i++)
        data[i] = (uint8_t)i;
    /* by a plain implementation of the description in Core's siphash.h */
    assert_true(siphash13_jumbo(0x0706050403020100, 0x0f0e0d0c0b0a0908, data) == 0xc67d87b08ca4b5c6);
    /* from the SipHash paper: key 00..0f, message 00..0e */
    fill(data, 15, 0);
    assert_true(siphash(0x0706050403020100, 0x0f0e0d0c0b0a0908, data, 15) == 0xa129ca6149be45e5);
    rng_init_seed(&rng, 4);
    for (int i = 0; i < 1000; i++) {
        uint64_t k0 = rng_u64(&rng), k1 = rng_u64(&rng);
        uint32_t extra = (uint32_t)rng_u64(&rng);
        for (int j = 0; j < 32; j++)
            data[j] = (uint8_t)rng_u64(&rng);
        put_le32(data + 32, extra);
        assert_true(siphash_hash(k0, k1, data) == siphash(k0, k1, data, 32));
        assert_true(siphash_hash_u32(k0, k1, data, extra) == siphash(k0, k1, data, 36));
    }
}

static void test_murmur3(void **state)
{
    static const struct {
        uint32_t want, seed;
        const char *hex;
    } cases[] = {
        {0x00000000, 0x00000000, ""},
        {0x6a396f08, 0xfba4c795, ""},
        {0x81f16f39, 0xffffffff, ""},
        {0x514e28b7, 0x00000000, "00"},
        {0xea3f0b17, 0xfba4c795, "00"},
        {0xfd6cf10d, 0x00000000, "ff"},
        {0x16c6b7ab, 0x00000000, "0011"},
        {0x8eb51c3d, 0x00000000, "001122"},
        {0xb4471bf8, 0x00000000, "00112233"},
        {0xe2301fa8, 0x00000000, "0011223344"},
        {0xfc2e4a15, 0x00000000, "001122334455"},
        {0xb074502c, 0x00000000, "00112233445566"},
        {0x8034d2a0, 0x00000000, "0011223344556677"},
        {0xb4698def, 0x00000000, "001122334455667788"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t len;
        uint8_t *data = vectors_hex(cases[i].hex, &len);
        assert_int_equal(murmur3(cases[i].seed, data, len), cases[i].want);
        free(data);
    }
}

/* RFC 8439, 2.3.2 and A.1. */
static void test_chacha20(void **state)
{
    uint8_t key[32] = {0}, nonce[12] = {0}, out[200], again[200];

    (void)state;
    chacha20_keystream(out, 32, key, nonce, 0);
    assert_hex(out, 32, "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7");
    fill(key, 32, 0);
    nonce[3] = 9;
    nonce[7] = 0x4a;
    chacha20_keystream(out, 64, key, nonce, 1);
    assert_hex(out, 64,
               "10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e"
               "d2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e");
    /* the counter counts 64-byte blocks */
    chacha20_keystream(out, 200, key, nonce, 5);
    chacha20_keystream(again, 136, key, nonce, 6);
    assert_memory_equal(out + 64, again, 136);
}

/* RFC 8439, 2.8.2. */
static void test_aead(void **state)
{
    static const char plain[] = "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
                                "sunscreen would be it.";
    const size_t len = sizeof(plain) - 1;
    uint8_t key[32], nonce[12] = {7, 0, 0, 0}, aad[12], out[sizeof(plain) + 16], back[sizeof(plain)];

    (void)state;
    fill(key, 32, 0x80);
    fill(nonce + 4, 8, 0x40);
    assert_true(hex_decode(aad, 12, "50515253c0c1c2c3c4c5c6c7"));
    chacha20poly1305_encrypt(out, (const uint8_t *)plain, len, aad, 12, key, nonce);
    assert_hex(out, 16, "d31a8d34648e60db7b86afbc53ef7ec2");
    assert_hex(out + len, 16, "1ae10b594f09e26a7e902ecbd0600691");
    assert_true(chacha20poly1305_decrypt(back, out, len, aad, 12, key, nonce));
    assert_memory_equal(back, plain, len);
    for (size_t i = 0; i < len + 16; i += 13) {
        out[i] ^= 4;
        memset(back, 1, sizeof(back));
        assert_false(chacha20poly1305_decrypt(back, out, len, aad, 12, key, nonce));
        assert_int_equal(back[0] | back[len - 1], 0);
        out[i] ^= 4;
    }
    aad[0] ^= 1;
    assert_false(chacha20poly1305_decrypt(back, out, len, aad, 12, key, nonce));
    /* nothing but a tag, and in place */
    chacha20poly1305_encrypt(out, NULL, 0, NULL, 0, key, nonce);
    assert_true(chacha20poly1305_decrypt(back, out, 0, NULL, 0, key, nonce));
    memcpy(out, plain, len);
    chacha20poly1305_encrypt(out, out, len, NULL, 0, key, nonce);
    assert_true(chacha20poly1305_decrypt(out, out, len, NULL, 0, key, nonce));
    assert_memory_equal(out, plain, len);
}

static void test_secrets(void **state)
{
    uint8_t a[8] = {1, 2, 3, 4, 5, 6, 7, 8}, b[8] = {1, 2, 3, 4, 5, 6, 7, 9};

    (void)state;
    assert_int_equal(crypto_memcmp(a, b, 7), 0);
    assert_int_not_equal(crypto_memcmp(a, b, 8), 0);
    crypto_wipe(a, 4);
    assert_int_equal(a[0] | a[3], 0);
    assert_int_equal(a[4], 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nist),    cmocka_unit_test(test_ripemd160), cmocka_unit_test(test_hash160),
        cmocka_unit_test(test_hmac),    cmocka_unit_test(test_siphash),   cmocka_unit_test(test_siphash_vectors),
        cmocka_unit_test(test_murmur3), cmocka_unit_test(test_chacha20),  cmocka_unit_test(test_aead),
        cmocka_unit_test(test_secrets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
