/* test_bip324.c - BIP324's three files of vectors: decoding, inverse, and whole sessions up to the packet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/bip324.h"
#include "crypto/keys.h"
#include "util/hex.h"
#include "util/mem.h"
#include "vectors.h"

/* Splits the next line of a CSV without quotes. Returns: the number of cells, 0 at the end. */
static unsigned next_row(char **text, char *cell[32])
{
    char *line = *text, *end;
    unsigned n = 0;

    if (!line || !*line)
        return 0;
    end = strchr(line, '\n');
    *text = end ? end + 1 : NULL;
    if (end)
        *end = 0;
    line[strcspn(line, "\r")] = 0;
    while (n < 32) {
        cell[n++] = line;
        line = strchr(line, ',');
        if (!line)
            break;
        *line++ = 0;
    }
    return n;
}

static char *read_csv(const char *name)
{
    size_t len;
    uint8_t *data = vectors_read(name, &len);
    char *text;

    if (!data)
        return NULL;
    text = (char *)xmalloc(len + 1);
    memcpy(text, data, len);
    text[len] = 0;
    free(data);
    return text;
}

static void decode(void **state)
{
    char *file = read_csv("crypto/bip324-ellswift_decode_test_vectors.csv"), *text = file, *cell[32];
    uint8_t ell[64], x[32], expected[32];
    unsigned rows = 0;

    (void)state;
    for (next_row(&text, cell); next_row(&text, cell); rows++) {
        assert_true(hex_decode(ell, 64, cell[0]) && hex_decode(expected, 32, cell[1]));
        ellswift_decode(x, ell);
        assert_memory_equal(x, expected, 32);
    }
    assert_true(!file || rows == 76);
    free(file);
}

static void inverse(void **state)
{
    char *file = read_csv("crypto/bip324-xswiftec_inv_test_vectors.csv"), *text = file, *cell[32];
    uint8_t u[32], x[32], t[32], expected[32], ell[64], back[32];
    unsigned rows = 0;

    (void)state;
    for (next_row(&text, cell); next_row(&text, cell); rows++) {
        assert_true(hex_decode(u, 32, cell[0]) && hex_decode(x, 32, cell[1]));
        for (unsigned way = 0; way < 8; way++) {
            bool ok = ellswift_inverse(t, x, u, way);
            assert_int_equal(ok, *cell[2 + way] != 0);
            if (!ok)
                continue;
            assert_true(hex_decode(expected, 32, cell[2 + way]));
            assert_memory_equal(t, expected, 32);
            memcpy(ell, u, 32);
            memcpy(ell + 32, t, 32);
            ellswift_decode(back, ell);
            assert_memory_equal(back, x, 32);
        }
    }
    assert_true(!file || rows == 32);
    free(file);
}

static uint8_t *bytes_of(const char *hex, size_t *len)
{
    uint8_t *out = (uint8_t *)xmalloc(strlen(hex) / 2 + 1);
    *len = strlen(hex) / 2;
    assert_true(hex_decode(out, *len, hex));
    return out;
}

static void check_hex(const uint8_t *got, size_t len, const char *expected)
{
    char *text = (char *)xmalloc(2 * len + 1);
    hex_encode(text, got, len);
    assert_string_equal(text, expected);
    free(text);
}

/* The tested packet; the other side, which has the mirrored streams, reads it back. */
static void packet(struct bip324_cipher *c, char *cell[32])
{
    size_t part_len, aad_len, len, times = strtoul(cell[6], NULL, 10);
    uint8_t *part = bytes_of(cell[5], &part_len), *aad = bytes_of(cell[7], &aad_len);
    uint8_t *contents, *out, skipped[BIP324_EXPANSION];
    struct bip324_cipher other = *c;
    char *text;
    bool ignore;

    len = part_len * times;
    contents = (uint8_t *)xmalloc(len + 1); /* room for the header byte of what is decrypted */
    for (size_t i = 0; i < times; i++)
        memcpy(contents + i * part_len, part, part_len);
    out = (uint8_t *)xmalloc(len + BIP324_EXPANSION);
    other.recv = c->send;
    for (unsigned long i = strtoul(cell[0], NULL, 10); i > 0; i--) {
        bip324_encrypt(c, skipped, 0, NULL, 0, false);
        assert_int_equal(bip324_decrypt_length(&other, skipped), 0);
        assert_true(bip324_decrypt(&other, skipped + 3, &ignore, skipped + 3, 0, NULL, 0) && !ignore);
    }
    memcpy(out + BIP324_CONTENTS, contents, len);
    bip324_encrypt(c, out, len, aad, aad_len, cell[8][0] == '1');
    if (*cell[20])
        check_hex(out, len + BIP324_EXPANSION, cell[20]);
    text = (char *)xmalloc(2 * (len + BIP324_EXPANSION) + 1);
    hex_encode(text, out, len + BIP324_EXPANSION);
    assert_string_equal(text + strlen(text) - strlen(cell[21]), cell[21]);
    assert_int_equal(bip324_decrypt_length(&other, out), len);
    out[len + BIP324_EXPANSION - 1] ^= 1;
    {
        struct bip324_cipher copy = other;
        assert_false(bip324_decrypt(&copy, contents, &ignore, out + 3, len, aad, aad_len));
    }
    out[len + BIP324_EXPANSION - 1] ^= 1;
    memset(contents, 0, len);
    assert_true(bip324_decrypt(&other, contents, &ignore, out + 3, len, aad, aad_len));
    assert_int_equal(ignore, cell[8][0] == '1');
    assert_true(part_len == 0 || memcmp(contents + 1 + len - part_len, part, part_len) == 0);
    free(text);
    free(out);
    free(contents);
    free(part);
    free(aad);
}

static void sessions(void **state)
{
    static const uint8_t magic[4] = {0xf9, 0xbe, 0xb4, 0xd9};
    char *file = read_csv("crypto/bip324-packet_encoding_test_vectors.csv"), *text = file, *cell[32];
    uint8_t key[32], ours[64], theirs[64], x[32], secret[32];
    unsigned rows = 0;

    (void)state;
    for (next_row(&text, cell); next_row(&text, cell) >= 22; rows++) {
        struct bip324_cipher c;
        bool initiating = cell[4][0] == '1';
        const struct bip324_stream *initiator = initiating ? &c.send : &c.recv, *responder = initiating ? &c.recv : &c.send;

        assert_true(hex_decode(key, 32, cell[1]) && hex_decode(ours, 64, cell[2]) && hex_decode(theirs, 64, cell[3]));
        ellswift_decode(x, ours);
        check_hex(x, 32, cell[9]);
        ellswift_decode(x, theirs);
        check_hex(x, 32, cell[10]);
        assert_true(bip324_ecdh(secret, key, ours, theirs, initiating));
        check_hex(secret, 32, cell[12]);
        bip324_cipher_init(&c, secret, magic, initiating);
        check_hex(initiator->length_key, 32, cell[13]);
        check_hex(initiator->packet_key, 32, cell[14]);
        check_hex(responder->length_key, 32, cell[15]);
        check_hex(responder->packet_key, 32, cell[16]);
        check_hex(c.send_garbage_terminator, 16, cell[17]);
        check_hex(c.recv_garbage_terminator, 16, cell[18]);
        check_hex(c.session_id, 32, cell[19]);
        packet(&c, cell);
        bip324_cipher_clear(&c);
        assert_null(c.aead);
    }
    assert_true(!file || rows > 0);
    free(file);
}

/* What ellswift_create makes decodes to the key's point, both sides agree on a secret, and a bad key makes nothing. */
static void create(void **state)
{
    uint8_t key[2][32], ell[2][64], again[64], seed[32], x[32], point[33], secret[2][32];

    (void)state;
    memset(seed, 7, sizeof(seed));
    for (unsigned round = 0; round < 40; round++) {
        for (unsigned i = 0; i < 2; i++) {
            memset(key[i], (int)(2 * round + i + 1), 32);
            seed[round % 32] ^= (uint8_t)(round + i + 1);
            assert_true(ellswift_create(ell[i], key[i], seed));
            assert_true(ellswift_create(again, key[i], seed));
            assert_memory_equal(ell[i], again, 64);
            ellswift_decode(x, ell[i]);
            assert_true(pubkey_create(point, key[i], true));
            assert_memory_equal(x, point + 1, 32);
        }
        seed[0] ^= 0x80;
        assert_true(ellswift_create(again, key[1], seed));
        assert_memory_not_equal(ell[1], again, 64);
        assert_true(bip324_ecdh(secret[0], key[0], ell[0], ell[1], true) && bip324_ecdh(secret[1], key[1], ell[1], ell[0], false));
        assert_memory_equal(secret[0], secret[1], 32);
        assert_true(bip324_ecdh(secret[1], key[1], ell[1], ell[0], true));
        assert_memory_not_equal(secret[0], secret[1], 32);
    }
    memset(key[0], 0, 32);
    assert_false(ellswift_create(ell[0], key[0], seed));
    assert_false(bip324_ecdh(secret[0], key[0], ell[0], ell[1], true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(decode), cmocka_unit_test(inverse), cmocka_unit_test(sessions),
                                       cmocka_unit_test(create)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
