/* test_address.c - base58, bech32 and bech32m, addresses and import-format keys of all networks, error texts and positions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "primitives/address.h"
#include "util/random.h"
#include "vectors.h"

static const struct address_prefixes mainnet = {0, 5, 128, {4, 0x88, 0xb2, 0x1e}, {4, 0x88, 0xad, 0xe4}, "bc"};
static const struct address_prefixes testnet = {111, 196, 239, {4, 0x35, 0x87, 0xcf}, {4, 0x35, 0x83, 0x94}, "tb"};
static const struct address_prefixes regtest = {111, 196, 239, {4, 0x35, 0x87, 0xcf}, {4, 0x35, 0x83, 0x94}, "bcrt"};

static const struct address_prefixes *network(const char *name)
{
    if (strcmp(name, "main") == 0)
        return &mainnet;
    return strcmp(name, "regtest") == 0 ? &regtest : &testnet;
}

static void base58_vectors(void **state)
{
    struct json_object *cases = vectors_json("encoding/base58_encode_decode.json");
    size_t n = cases ? json_object_array_length(cases) : 0;
    (void)state;

    for (size_t i = 0; i < n; i++) {
        struct json_object *row = json_object_array_get_idx(cases, i);
        const char *text = json_object_get_string(json_object_array_get_idx(row, 1));
        size_t len, out_len;
        uint8_t *raw = vectors_hex(json_object_get_string(json_object_array_get_idx(row, 0)), &len), out[300];
        char *mine = base58_encode(raw, len);
        assert_string_equal(mine, text);
        out_len = sizeof(out);
        assert_true(base58_decode(out, &out_len, text));
        assert_int_equal(out_len, len);
        assert_memory_equal(out, raw, len);
        out_len = len;
        assert_true(base58_decode(out, &out_len, text));
        if (len > 0) {
            out_len = len - 1;
            assert_false(base58_decode(out, &out_len, text));
        }
        free(mine);
        free(raw);
    }
    assert_true(!cases || n == 21);
    json_object_put(cases);
}

static void base58_text(void **state)
{
    static const char *const bad[] = {"0", "O", "I", "l", "bad0IOl", "a b", "\xff", "good!", "3SEo3LWLoPntC x"};
    uint8_t out[100];
    size_t len;
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        len = sizeof(out);
        assert_false(base58_decode(out, &len, bad[i]));
    }
    len = sizeof(out);
    assert_true(base58_decode(out, &len, " \t\n\v\f\r skip \r\f\v\n\t "));
    assert_int_equal(len, 3);
    assert_memory_equal(out, "\x97\x1a\x55", 3);
    len = sizeof(out);
    assert_true(base58_decode(out, &len, "  "));
    assert_int_equal(len, 0);

    struct rng rng;
    rng_init_seed(&rng, 3);
    for (unsigned i = 0; i < 2000; i++) {
        uint8_t raw[60], back[64];
        size_t n = (size_t)rng_below(&rng, sizeof(raw));
        for (size_t k = 0; k < n; k++)
            raw[k] = k < n / 3 && i % 2 ? 0 : (uint8_t)rng_u64(&rng);
        char *text = base58check_encode(raw, n);
        len = n;
        assert_true(base58check_decode(back, &len, text));
        assert_int_equal(len, n);
        assert_memory_equal(back, raw, n);
        if (n > 0) {
            len = n - 1;
            assert_false(base58check_decode(back, &len, text));
        }
        text[rng_below(&rng, strlen(text))] ^= 1;
        len = sizeof(back);
        assert_false(base58check_decode(back, &len, text));
        free(text);
    }
    len = sizeof(out);
    assert_false(base58check_decode(out, &len, "111")); /* too short for a checksum */
}

static void flip_case(char *text)
{
    for (; *text; text++) {
        if ((*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z'))
            *text ^= 0x20;
    }
}

static bool json_flag(struct json_object *obj, const char *key)
{
    struct json_object *v;
    return json_object_object_get_ex(obj, key, &v) && json_object_get_boolean(v);
}

static void valid_key(const char *text, const uint8_t *raw, size_t len, struct json_object *meta, const struct address_prefixes *p)
{
    uint8_t key[32], script[ADDRESS_SCRIPT_MAX];
    size_t script_len;
    bool compressed;

    assert_true(wif_decode(key, &compressed, text, p));
    assert_int_equal(len, 32);
    assert_memory_equal(key, raw, 32);
    assert_int_equal(compressed, json_flag(meta, "isCompressed"));
    char *again = wif_encode(key, compressed, p);
    assert_string_equal(again, text);
    free(again);
    assert_false(address_decode(script, &script_len, NULL, text, p));
}

static void valid_address(const char *text, const uint8_t *raw, size_t len, struct json_object *meta,
                          const struct address_prefixes *p)
{
    uint8_t key[32], script[ADDRESS_SCRIPT_MAX];
    struct address_error error;
    size_t script_len;
    bool compressed;

    assert_true(address_decode(script, &script_len, &error, text, p));
    assert_string_equal(error.text, "");
    assert_int_equal(script_len, len);
    assert_memory_equal(script, raw, len);
    char *again = address_encode(script, script_len, p);
    assert_string_equal(again, text);
    free(again);
    assert_false(wif_decode(key, &compressed, text, p));
    char *flipped = xstrdup(text);
    flip_case(flipped);
    assert_int_equal(address_decode(script, &script_len, &error, flipped, p), json_flag(meta, "tryCaseFlip"));
    assert_int_equal(error.text[0] == '\0', json_flag(meta, "tryCaseFlip"));
    free(flipped);
}

static void key_io_valid(void **state)
{
    struct json_object *cases = vectors_json("encoding/key_io_valid.json");
    size_t n = cases ? json_object_array_length(cases) : 0;
    (void)state;

    for (size_t i = 0; i < n; i++) {
        struct json_object *row = json_object_array_get_idx(cases, i), *meta = json_object_array_get_idx(row, 2);
        const char *text = json_object_get_string(json_object_array_get_idx(row, 0));
        const struct address_prefixes *p = network(vectors_str(meta, "chain"));
        size_t len;
        uint8_t *raw = vectors_hex(json_object_get_string(json_object_array_get_idx(row, 1)), &len);
        if (json_flag(meta, "isPrivkey"))
            valid_key(text, raw, len, meta, p);
        else
            valid_address(text, raw, len, meta, p);
        free(raw);
    }
    assert_true(!cases || n == 70);
    json_object_put(cases);
}

static void key_io_invalid(void **state)
{
    static const struct address_prefixes *const all[] = {&mainnet, &testnet, &regtest};
    struct json_object *cases = vectors_json("encoding/key_io_invalid.json");
    size_t n = cases ? json_object_array_length(cases) : 0;
    (void)state;

    for (size_t i = 0; i < n; i++) {
        const char *text = json_object_get_string(json_object_array_get_idx(json_object_array_get_idx(cases, i), 0));
        for (size_t k = 0; k < ARRAY_LEN(all); k++) {
            uint8_t key[32], script[ADDRESS_SCRIPT_MAX];
            struct address_error error;
            size_t len;
            bool compressed;
            assert_false(address_decode(script, &len, &error, text, all[k]));
            assert_true(error.text[0] != '\0');
            assert_false(wif_decode(key, &compressed, text, all[k]));
        }
    }
    assert_true(!cases || n == 70);
    json_object_put(cases);
}

static void bech32_strings(struct json_object *set, enum bech32_encoding kind, size_t n_valid, size_t n_invalid)
{
    struct json_object *list;
    char hrp[84];
    uint8_t data[90];
    size_t len, n;

    assert_true(json_object_object_get_ex(set, "valid", &list));
    assert_int_equal(json_object_array_length(list), n_valid);
    for (size_t i = 0; i < n_valid; i++) {
        const char *text = json_object_get_string(json_object_array_get_idx(list, i));
        assert_int_equal(bech32_decode(hrp, data, &len, text), kind);
        char *again = bech32_encode(hrp, data, len, kind);
        assert_non_null(again);
        assert_int_equal(strcasecmp(again, text), 0);
        free(again);
        n = 0;
        assert_string_equal(bech32_locate_errors(text, NULL, &n), "");
    }
    assert_true(json_object_object_get_ex(set, "invalid", &list));
    assert_int_equal(json_object_array_length(list), n_invalid);
    for (size_t i = 0; i < n_invalid; i++) {
        struct json_object *row = json_object_array_get_idx(list, i);
        uint8_t *raw = vectors_hex_member(row, "hex", &len);
        char *text = xcalloc(1, len + 1);
        memcpy(text, raw, len);
        assert_int_equal(bech32_decode(hrp, data, &len, text), BECH32_INVALID);
        n = 0;
        assert_string_not_equal(bech32_locate_errors(text, NULL, &n), "");
        free(raw);
        free(text);
    }
}

/* Addresses of the older list with version 1 and above must be refused: they have the checksum of bech32. */
static void segwit_addresses(struct json_object *set, size_t n_valid, size_t n_invalid, size_t n_refused)
{
    struct json_object *list;
    uint8_t script[ADDRESS_SCRIPT_MAX];
    struct address_error error;
    size_t len, script_len, refused = 0;

    assert_true(json_object_object_get_ex(set, "valid_segwit_address", &list));
    assert_int_equal(json_object_array_length(list), n_valid);
    for (size_t i = 0; i < n_valid; i++) {
        struct json_object *row = json_object_array_get_idx(list, i);
        const char *text = vectors_str(row, "address");
        const struct address_prefixes *p = text[0] == 'b' || text[0] == 'B' ? &mainnet : &testnet;
        uint8_t *want = vectors_hex_member(row, "scriptPubKey", &len);
        if (address_decode(script, &script_len, &error, text, p)) {
            assert_int_equal(script_len, len);
            assert_memory_equal(script, want, len);
            char *again = address_encode(script, script_len, p);
            assert_int_equal(strcasecmp(again, text), 0);
            free(again);
        } else {
            assert_string_equal(error.text, "Version 1+ witness address must use Bech32m checksum");
            assert_true(want[0] >= 0x51);
            refused++;
        }
        free(want);
    }
    assert_int_equal(refused, n_refused);
    assert_true(json_object_object_get_ex(set, "invalid_segwit_address", &list));
    assert_int_equal(json_object_array_length(list), n_invalid);
    for (size_t i = 0; i < n_invalid; i++) {
        const char *text = vectors_str(json_object_array_get_idx(list, i), "address");
        assert_false(address_decode(script, &script_len, NULL, text, &mainnet));
        assert_false(address_decode(script, &script_len, NULL, text, &testnet));
        assert_false(address_decode(script, &script_len, NULL, text, &regtest));
    }
}

static void bip173_bip350(void **state)
{
    struct json_object *all = vectors_json("encoding/bech32.json"), *set;
    (void)state;

    if (!all)
        return;
    assert_true(json_object_object_get_ex(all, "bip173", &set));
    bech32_strings(set, BECH32, 7, 12);
    segwit_addresses(set, 6, 10, 3);
    assert_true(json_object_object_get_ex(all, "bip350", &set));
    bech32_strings(set, BECH32M, 7, 14);
    segwit_addresses(set, 8, 15, 0);
    json_object_put(all);
}

static void error_texts(void **state)
{
    static const struct {
        const char *address, *text;
        bool malformed;
    } cases[] = {
        {"", "Invalid checksum or length of Base58 address (P2PKH or P2SH)", false},
        {"tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", "Invalid or unsupported Segwit (Bech32) or Base58 encoding.", false},
        {"1FsSia9rv4NeEwvJ2GvXrX7LyxYspbN2mp", "Invalid checksum or length of Base58 address (P2PKH or P2SH)", false},
        {"1FsSia9rv4NeEwvJ2GvXrX7LyxYspbN2m0", "Invalid or unsupported Segwit (Bech32) or Base58 encoding.", false},
        {"mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn", "Invalid or unsupported Base58-encoded address.", false},
        {"bc1gmk9yu", "Empty Bech32 data section", false},
        {"bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd", "Version 1+ witness address must use Bech32m checksum",
         false},
        {"bc1q0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqk5jj0", "Invalid checksum", true},
        {"bc130xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqg8e6v8", "Invalid checksum", true},
        {"bc1pw5dgrnzv", "Invalid Bech32 address program size (1 byte)", false},
        {"bc1zw508d6qejxtdg4y5r3zarvaryvqyzf3du", "Version 1+ witness address must use Bech32m checksum", false},
        {"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", "Invalid Bech32 checksum", true},
        {"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8F3t4", "Invalid character or mixed case", true},
        {"bcxqw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "Missing separator", true},
        {"bc1qw508", "Invalid separator position", true},
        {"bc1qw508d6qejxtdg4y5b3zarvary0c5xw7kv8f3t4", "Invalid Base 32 character", true},
        {"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080",
         "Invalid or unsupported prefix for Segwit (Bech32) address (expected bc, got bcrt).", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t script[ADDRESS_SCRIPT_MAX];
        struct address_error error;
        size_t len;
        assert_false(address_decode(script, &len, &error, cases[i].address, &mainnet));
        assert_string_equal(error.text, cases[i].text);
        assert_int_equal(error.malformed_bech32, cases[i].malformed);
    }
}

static void made_up_errors(void **state)
{
    uint8_t data[90] = {0}, raw[40] = {0};
    struct {
        uint8_t version;
        size_t values;
        uint8_t last;
        enum bech32_encoding enc;
        const char *text;
    } cases[] = {
        {0, 26, 0, BECH32, "Invalid Bech32 v0 address program size (16 bytes), per BIP141"},
        {0, 2, 0, BECH32, "Invalid Bech32 v0 address program size (1 byte), per BIP141"},
        {0, 0, 0, BECH32, "Invalid Bech32 v0 address program size (0 bytes), per BIP141"},
        {0, 32, 0, BECH32M, "Version 0 witness address must use Bech32 checksum"},
        {1, 32, 0, BECH32, "Version 1+ witness address must use Bech32m checksum"},
        {17, 32, 0, BECH32M, "Invalid Bech32 address witness version"},
        {2, 2, 0, BECH32M, "Invalid Bech32 address program size (1 byte)"},
        {2, 66, 0, BECH32M, "Invalid Bech32 address program size (41 bytes)"},
        {1, 33, 0, BECH32M, "Invalid padding in Bech32 data section"}, /* five bits left over */
        {1, 52, 1, BECH32M, "Invalid padding in Bech32 data section"}, /* not zero */
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t script[ADDRESS_SCRIPT_MAX];
        struct address_error error;
        size_t len;
        data[0] = cases[i].version;
        data[cases[i].values] = cases[i].values ? cases[i].last : data[0];
        char *text = bech32_encode("bcrt", data, 1 + cases[i].values, cases[i].enc);
        assert_non_null(text);
        assert_false(address_decode(script, &len, &error, text, &regtest));
        assert_string_equal(error.text, cases[i].text);
        assert_false(error.malformed_bech32);
        if (cases[i].values)
            data[cases[i].values] = 0;
        free(text);
    }
    assert_null(bech32_encode("bc", data, 82, BECH32));
    char *longest = bech32_encode("bc", data, 81, BECH32);
    assert_int_equal(strlen(longest), 90);
    free(longest);
    /* Base58 of a known prefix with too short a payload. */
    uint8_t script[ADDRESS_SCRIPT_MAX];
    struct address_error error;
    size_t len;
    char *text = base58check_encode(raw, 20);
    assert_false(address_decode(script, &len, &error, text, &mainnet));
    assert_string_equal(error.text, "Invalid length for Base58 address (P2PKH or P2SH)");
    free(text);
    text = base58check_encode(raw, 22);
    assert_false(address_decode(script, &len, &error, text, &mainnet));
    assert_string_equal(error.text, "Invalid checksum or length of Base58 address (P2PKH or P2SH)");
    free(text);
}

static void scripts_without_address(void **state)
{
    static const char *const none[] = {
        "",
        "6a",
        "51",
        "00",
        "510151",
        "0002aaaa",
        "6102aaaa",
        "5003aabbcc",
        "5103aabb",
        "5102aabbcc",
        "2102"
        "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
        "ac",
        "76a914000000000000000000000000000000000000000088ad",
        "a914000000000000000000000000000000000000000088",
        "0013"
        "00000000000000000000000000000000000000",
        "0021"
        "000000000000000000000000000000000000000000000000000000000000000000",
        "5129"
        "0000000000000000000000000000000000000000000000000000000000000000000000000000000000",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(none); i++) {
        size_t len;
        uint8_t *script = vectors_hex(none[i], &len);
        assert_null(address_encode(script, len, &mainnet));
        free(script);
    }
    /* Every witness version and length that has one, among them pay to anchor, both ways. */
    for (unsigned version = 1; version <= 16; version++) {
        for (size_t n = 2; n <= 40; n++) {
            uint8_t script[42], back[ADDRESS_SCRIPT_MAX];
            size_t len;
            for (size_t k = 0; k < n; k++)
                script[2 + k] = (uint8_t)(version * 37 + k * 11);
            script[0] = (uint8_t)(0x50 + version);
            script[1] = (uint8_t)n;
            char *text = address_encode(script, n + 2, &regtest);
            assert_non_null(text);
            assert_true(address_decode(back, &len, NULL, text, &regtest));
            assert_int_equal(len, n + 2);
            assert_memory_equal(back, script, len);
            free(text);
        }
    }
    char *anchor = address_encode((const uint8_t *)"\x51\x02\x4e\x73", 4, &mainnet);
    assert_string_equal(anchor, "bc1pfeessrawgf");
    free(anchor);
}

static void wif_refuses(void **state)
{
    uint8_t raw[34] = {128}, key[32], order[32];
    bool compressed;
    (void)state;

    char *text = base58check_encode(raw, 33); /* zero is no key */
    assert_false(wif_decode(key, &compressed, text, &mainnet));
    free(text);
    assert_true(hex_decode(order, 32, "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"));
    text = wif_encode(order, true, &mainnet);
    assert_false(wif_decode(key, &compressed, text, &mainnet));
    free(text);
    raw[1] = 1;
    raw[33] = 2; /* not the mark of a compressed key */
    text = base58check_encode(raw, 34);
    assert_false(wif_decode(key, &compressed, text, &mainnet));
    free(text);
    text = base58check_encode(raw, 33);
    assert_true(wif_decode(key, &compressed, text, &mainnet) && !compressed);
    assert_false(wif_decode(key, &compressed, text, &testnet));
    free(text);
}

static void expect_located(const char *text, const char *message, size_t n_want, const int *want)
{
    int at[300];
    size_t n = ARRAY_LEN(at);
    assert_string_equal(bech32_locate_errors(text, at, &n), message);
    assert_int_equal(n, n_want);
    for (size_t i = 0; i < n_want; i++)
        assert_int_equal(at[i], want[i]);
}

#define AT(...)                                                                                                                    \
    sizeof((int[]){__VA_ARGS__}) / sizeof(int), (const int[])                                                                      \
    {                                                                                                                              \
        __VA_ARGS__                                                                                                                \
    }

static void located_errors(void **state)
{
    char text[200];
    int at[4];
    size_t n = 2;
    (void)state;

    expect_located("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", "Invalid Bech32 checksum", AT(41));
    expect_located("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3q5", "Invalid Bech32 checksum", AT(40, 41));
    expect_located("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8fq55", "Invalid checksum", 0, NULL);
    expect_located("bc1qw508D6qejxTdg4y5r3zarvary0c5xw7kv8f3t4", "Invalid character or mixed case", AT(8, 14));
    expect_located("BC1QW508d6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", "Invalid character or mixed case", AT(8));
    expect_located("bc1qw508d6qe xtdg4y5r3zarvary0c5xw7kv8f3t4", "Invalid character or mixed case", AT(12));
    expect_located("1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "Invalid separator position", AT(0));
    expect_located("bcqqw508d6qej", "Missing separator", 0, NULL);
    expect_located("bc1qw508d6qejxtdg4y5b3zarvary0c5xw7kv8f3t4", "Invalid Base 32 character", AT(20));
    expect_located("bc1qw508", "Invalid separator position", AT(2));
    expect_located("bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj1", "Invalid separator position", AT(61));
    expect_located("bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jjq", "Invalid Bech32m checksum", AT(61));
    expect_located("bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt081", "Invalid separator position", AT(43));
    expect_located("bc1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq",
                   "Bech32 string too long", AT(90, 91));
    memset(text, 'q', sizeof(text));
    text[100] = '\0';
    assert_string_equal(bech32_locate_errors(text, at, &n), "Bech32 string too long");
    assert_int_equal(n, 2); /* never more than there is room for */
    assert_true(at[0] == 90 && at[1] == 91);
}

/* Any one or two wrong characters of a valid string are found exactly. */
static void one_or_two_errors(void **state)
{
    static const char charset[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    static const char *const good[] = {"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
                                       "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0"};
    struct rng rng;
    (void)state;

    rng_init_seed(&rng, 11);
    for (unsigned i = 0; i < 400; i++) {
        char *text = xstrdup(good[i % 2]);
        size_t len = strlen(text), a = 3 + (size_t)rng_below(&rng, len - 3), b = 3 + (size_t)rng_below(&rng, len - 3);
        int at[4];
        size_t n = 4;
        const char *value = strchr(charset, text[a]);
        text[a] = charset[((size_t)(value - charset) + 1 + rng_below(&rng, 31)) % 32];
        if (i % 4 > 1 && b != a)
            text[b] = charset[((size_t)(strchr(charset, text[b]) - charset) + 1 + rng_below(&rng, 31)) % 32];
        else
            b = a;
        assert_string_equal(bech32_locate_errors(text, at, &n), i % 2 ? "Invalid Bech32m checksum" : "Invalid Bech32 checksum");
        assert_int_equal(n, a == b ? 1 : 2);
        assert_int_equal(at[0], a < b ? a : b);
        assert_int_equal(at[n - 1], a < b ? b : a);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base58_vectors),    cmocka_unit_test(base58_text),
        cmocka_unit_test(key_io_valid),      cmocka_unit_test(key_io_invalid),
        cmocka_unit_test(bip173_bip350),     cmocka_unit_test(error_texts),
        cmocka_unit_test(made_up_errors),    cmocka_unit_test(scripts_without_address),
        cmocka_unit_test(wif_refuses),       cmocka_unit_test(located_errors),
        cmocka_unit_test(one_or_two_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
