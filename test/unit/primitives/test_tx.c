/* test_tx.c - transactions: BIP144 forms, ids, sizes, hostile bytes, the builder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "crypto/sha256.h"
#include "primitives/serialize.h"
#include "primitives/tx.h"
#include "util/random.h"
#include "vectors.h"

/* BIP143's native P2WPKH example, signed. */
static const char bip143_tx[] =
    "01000000000102fff7f7881a8099afa6940d42d1e7f6362bec38171ea3edf433541db4e4ad969f00000000494830450221008b9d1dc26ba6a9cb62127b02"
    "742fa9d754cd3bebf337f7a55d114c8e5cdd30be022040529b194ba3f9281a99f2b1c0a19c0489bc22ede944ccf4ecbab4cc618ef3ed01eeffffffef51e1"
    "b804cc89d182d279655c3aa89e815b1b309fe287d9b2b55d57b90ec68a0100000000ffffffff02202cb206000000001976a9148280b37df378db99f66f85"
    "c95a783a76ac7a6d5988ac9093510d000000001976a9143bde42dbee7e4dbe6a21b2d50ce2f0167faa815988ac000247304402203609e17b84f6a7d30c80"
    "bfa610b5b4542f32a8a0d5447a12fb1366d7f01cc44a0220573a954c4518331561406f90300e8f3358f51928d43c212a8caed02de67eebee0121025476c2"
    "e83188368da1ff3e292e7acafcdb3566bb0ad253f62fc70f07aeee635711000000";

/* txid by a copy without witness, to check the ids hashed from ranges. */
static void expect_ids(const struct tx *tx)
{
    struct writer w = WRITER_INIT;
    uint8_t hash[32];

    tx_write(&w, tx, false);
    assert_int_equal(w.len, tx->stripped_len);
    sha256d(hash, w.data, w.len);
    assert_memory_equal(hash, tx->txid.b, 32);
    writer_clear(&w);
    tx_write(&w, tx, true);
    assert_int_equal(w.len, tx->raw_len);
    assert_memory_equal(w.data, tx->raw, w.len);
    sha256d(hash, w.data, w.len);
    assert_memory_equal(hash, tx->wtxid.b, 32);
    writer_clear(&w);
}

/* The same transaction made field by field is the same bytes. */
static void expect_rebuilds(const struct tx *tx)
{
    struct tx_builder b;

    tx_builder_init(&b, tx->version, tx->lock_time);
    for (uint32_t i = 0; i < tx->n_in; i++) {
        const struct tx_in *in = &tx->in[i];
        assert_int_equal(tx_builder_add_in(&b, in->prevout, NULL, 0, in->sequence), i);
        tx_builder_set_script(&b, i, in->script, in->script_len);
        tx_builder_set_witness(&b, i, in->witness, in->witness_count);
    }
    for (uint32_t i = 0; i < tx->n_out; i++)
        assert_int_equal(tx_builder_add_out(&b, tx->out[i].value, tx->out[i].script, tx->out[i].script_len), i);
    struct tx *built = tx_build(&b);
    tx_builder_clear(&b);
    assert_int_equal(built->raw_len, tx->raw_len);
    assert_memory_equal(built->raw, tx->raw, tx->raw_len);
    assert_true(txid_equal(&built->txid, &tx->txid));
    assert_true(wtxid_equal(&built->wtxid, &tx->wtxid));
    assert_int_equal(built->stripped_len, tx->stripped_len);
    tx_unref(built);
}

static void witness_transaction(void **state)
{
    size_t len;
    uint8_t *raw = vectors_hex(bip143_tx, &len);
    struct tx *tx = tx_decode(raw, len, false);
    (void)state;

    assert_non_null(tx);
    assert_string_equal(txid_hex(&tx->txid).s, "e8151a2af31c368a35053ddd4bdb285a8595c769a3ad83e0fa02314a602d4609");
    assert_string_equal(wtxid_hex(&tx->wtxid).s, "c36c38370907df2324d9ce9d149d191192f338b37665a82e78e76a12c909b762");
    assert_int_equal(tx->version, 1);
    assert_int_equal(tx->lock_time, 17);
    assert_int_equal(tx->n_in, 2);
    assert_int_equal(tx->n_out, 2);
    assert_true(tx->has_witness);
    assert_int_equal(tx->raw_len, len);
    assert_int_equal(tx->in[0].prevout->n, 0);
    assert_int_equal(tx->in[0].sequence, 0xffffffee);
    assert_int_equal(tx->in[0].script_len, 0x49);
    assert_int_equal(tx->in[0].witness_count, 0);
    assert_int_equal(tx->in[1].prevout->n, 1);
    assert_int_equal(tx->in[1].witness_count, 2);
    assert_int_equal(tx->in[1].witness[0].len, 0x47);
    assert_int_equal(tx->in[1].witness[1].len, 33);
    assert_int_equal(tx->in[1].witness[1].data[0], 0x02);
    assert_int_equal(tx->out[0].value, 112340000);
    assert_int_equal(tx->out[1].value, 223450000);
    assert_int_equal(tx->out[1].script_len, 25);
    /* Marker and flag, one empty stack, one stack of 1 + 72 + 34 bytes. */
    assert_int_equal(tx->stripped_len, len - 2 - 1 - 107);
    assert_int_equal(tx_weight(tx), 3 * (int64_t)tx->stripped_len + (int64_t)len);
    assert_int_equal(tx_vsize(tx), (tx_weight(tx) + 3) / 4);
    assert_false(tx_is_coinbase(tx));
    expect_ids(tx);
    expect_rebuilds(tx);

    struct tx *copy = tx_clone(tx);
    free(raw);
    tx_unref(tx);
    expect_ids(copy);
    expect_rebuilds(copy);
    assert_ptr_equal(tx_ref(copy), copy);
    tx_unref(copy);
    expect_ids(copy);
    tx_unref(copy);
    tx_unref(NULL);
}

static void cut_anywhere_fails(void **state)
{
    size_t len;
    uint8_t *raw = vectors_hex(bip143_tx, &len);
    struct writer w = WRITER_INIT;
    struct tx *tx = tx_decode(raw, len, false);
    (void)state;

    tx_write(&w, tx, false);
    for (size_t cut = 0; cut < len; cut++) {
        uint8_t *part = xmemdup(raw, cut); /* its own allocation: a sanitizer sees a read past its end */
        assert_null(tx_decode(part, cut, false));
        free(part);
    }
    for (size_t cut = 0; cut < w.len; cut++) {
        uint8_t *part = xmemdup(w.data, cut);
        assert_null(tx_decode(part, cut, false));
        assert_null(tx_decode_as(part, cut, false));
        free(part);
    }
    write_u8(&w, 0);
    assert_null(tx_decode(w.data, w.len, true));
    writer_clear(&w);
    tx_unref(tx);
    free(raw);
}

static struct tx *decode_hex(const char *hex, bool allow_witness)
{
    size_t len;
    uint8_t *raw = vectors_hex(hex, &len);
    struct tx *tx = tx_decode_as(raw, len, allow_witness);
    free(raw);
    return tx;
}

#define IN_HEX "0000000000000000000000000000000000000000000000000000000000000000ffffffff00ffffffff"
#define OUT_HEX "010000000000000000"

static void bip144_rules(void **state)
{
    struct tx *tx;
    (void)state;

    /* One witness of one empty item is a witness; all stacks empty is superfluous; flags other than 1 are unknown. */
    tx = decode_hex("02000000"
                    "0001"
                    "01" IN_HEX "01" OUT_HEX "0100"
                    "00000000",
                    true);
    assert_non_null(tx);
    assert_true(tx->has_witness && tx->in[0].witness_count == 1 && tx->in[0].witness[0].len == 0);
    assert_true(tx_is_coinbase(tx));
    expect_ids(tx);
    tx_unref(tx);
    assert_null(decode_hex("02000000"
                           "0001"
                           "01" IN_HEX "01" OUT_HEX "00"
                           "00000000",
                           true));
    assert_null(decode_hex("02000000"
                           "0001"
                           "00"
                           "01" OUT_HEX "00000000",
                           true));
    for (unsigned flag = 2; flag < 256; flag++) {
        char hex[400];
        snprintf(hex, sizeof(hex), "0200000000%02x01" IN_HEX "01" OUT_HEX "010000000000", flag);
        assert_null(decode_hex(hex, true));
    }
    /* The same bytes as an old transaction: no inputs, one output, rest does not fit. */
    assert_null(decode_hex("02000000"
                           "0001"
                           "01" IN_HEX "01" OUT_HEX "0100"
                           "00000000",
                           false));
    /* No inputs and no outputs reads in both forms. */
    tx = decode_hex("ffffffff"
                    "0000"
                    "11223344",
                    true);
    assert_non_null(tx);
    assert_true(tx->version == 0xffffffff && tx->n_in == 0 && tx->n_out == 0 && tx->lock_time == 0x44332211 && !tx->has_witness);
    assert_int_equal(tx->stripped_len, 10);
    expect_ids(tx);
    expect_rebuilds(tx);
    tx_unref(tx);
    tx = decode_hex("ffffffff"
                    "0000"
                    "11223344",
                    false);
    assert_non_null(tx);
    tx_unref(tx);
}

static void no_inputs_is_legacy(void **state)
{
    static const char hex[] = "02000000"
                              "00"
                              "01" OUT_HEX "00000000";
    size_t len;
    uint8_t *raw = vectors_hex(hex, &len);
    (void)state;

    assert_null(tx_decode(raw, len, false));
    struct tx *tx = tx_decode(raw, len, true);
    assert_non_null(tx);
    assert_true(tx->n_in == 0 && tx->n_out == 1 && tx->out[0].value == 1 && !tx->has_witness);
    expect_ids(tx);
    expect_rebuilds(tx);
    tx_unref(tx);
    free(raw);
}

static void hostile_counts(void **state)
{
    /* Counts and lengths far over what follows, in each place that has one. */
    static const char *const bad[] = {
        "02000000"
        "fe00000002",
        "02000000"
        "ff0000000001000000",
        "02000000"
        "02" IN_HEX "00"
        "00000000",
        "02000000"
        "01" IN_HEX "fe00000002"
        "00000000",
        "02000000"
        "01" IN_HEX "ffffffffffffffffff"
        "00000000",
        "02000000"
        "0001"
        "01" IN_HEX "01" OUT_HEX "fe00000002"
        "00000000",
        "02000000"
        "0001"
        "01" IN_HEX "01" OUT_HEX "01fe00000002"
        "00000000",
        "02000000"
        "fd0100" IN_HEX "01" OUT_HEX "00000000",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        size_t len;
        uint8_t *raw = vectors_hex(bad[i], &len);
        struct reader r = reader_make(raw, len);
        struct arena arena = ARENA_INIT;
        struct tx tx;
        assert_false(tx_read(&tx, &r, &arena, true));
        assert_true(r.failed);
        assert_true(arena.total <= 8192);
        arena_clear(&arena);
        free(raw);
    }
}

/* Any damage of a valid transaction is either refused or reads as another one that writes itself back. */
static void damaged_bytes(void **state)
{
    size_t len;
    uint8_t *raw = vectors_hex(bip143_tx, &len);
    unsigned decoded = 0;
    (void)state;

    for (size_t i = 0; i < len; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            raw[i] ^= (uint8_t)(1u << bit);
            struct tx *tx = tx_decode(raw, len, true);
            if (tx) {
                decoded++;
                expect_ids(tx);
                expect_rebuilds(tx);
                tx_unref(tx);
            }
            raw[i] ^= (uint8_t)(1u << bit);
        }
    }
    assert_true(decoded > len);
    free(raw);
}

static void vectors_round_trip(void **state)
{
    struct json_object *cases = vectors_json("script/sighash.json");
    unsigned n = 0;
    (void)state;

    for (size_t i = 1; cases && i < json_object_array_length(cases); i++, n++) {
        const char *hex = json_object_get_string(json_object_array_get_idx(json_object_array_get_idx(cases, i), 0));
        struct tx *tx = decode_hex(hex, true);
        assert_non_null(tx);
        expect_ids(tx);
        expect_rebuilds(tx);
        tx_unref(tx);
    }
    assert_true(!cases || n == 500);
    json_object_put(cases);
    for (unsigned k = 0; k < 2; k++) {
        cases = vectors_json(k ? "script/tx_invalid.json" : "script/tx_valid.json");
        n = 0;
        for (size_t i = 0; cases && i < json_object_array_length(cases); i++) {
            struct json_object *row = json_object_array_get_idx(cases, i);
            if (json_object_get_type(json_object_array_get_idx(row, 0)) == json_type_string)
                continue;
            const char *hex = json_object_get_string(json_object_array_get_idx(row, 1));
            struct tx *tx = decode_hex(hex, true);
            if (!tx)
                tx = decode_hex(hex, false);
            assert_non_null(tx);
            expect_ids(tx);
            expect_rebuilds(tx);
            tx_unref(tx);
            n++;
        }
        assert_true(!cases || n == (k ? 93 : 121));
        json_object_put(cases);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(witness_transaction), cmocka_unit_test(cut_anywhere_fails), cmocka_unit_test(bip144_rules),
        cmocka_unit_test(no_inputs_is_legacy), cmocka_unit_test(hostile_counts),     cmocka_unit_test(damaged_bytes),
        cmocka_unit_test(vectors_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
