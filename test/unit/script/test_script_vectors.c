/* test_script_vectors.c - Bitcoin Core's script_tests.json: every case with its exact error, and the legacy signature hashes. */
#include "script_vectors.h"

#include "crypto/keys.h"
#include "script/sighash.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const char generator_x[] = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";

/* The witness of one case; the tokens for taproot are put in. */
struct case_witness {
    struct witness_item item[1024];
    uint8_t *bytes[1024];
    size_t n;
    int64_t value;
    uint8_t output_key[32]; /* of the last control block */
};

static void add_control_block(struct case_witness *w)
{
    uint8_t internal[32], leaf[32];
    uint8_t *control = xmalloc(33);
    int parity;

    assert_true(hex_decode(internal, 32, generator_x));
    tapleaf_hash(leaf, 0xc0, w->item[w->n - 1].data, w->item[w->n - 1].len);
    assert_true(taproot_tweak(w->output_key, &parity, internal, leaf));
    control[0] = (uint8_t)(0xc0 | parity);
    memcpy(control + 1, internal, 32);
    w->bytes[w->n] = control;
    w->item[w->n++].len = 33;
}

static void read_witness(struct case_witness *w, struct json_object *list)
{
    const size_t n = json_object_array_length(list);

    w->value = llround(json_object_get_double(json_object_array_get_idx(list, n - 1)) * COIN);
    for (size_t i = 0; i + 1 < n; i++) {
        const char *text = json_object_get_string(json_object_array_get_idx(list, i));
        if (!strcmp(text, "#CONTROLBLOCK#")) {
            add_control_block(w);
        } else if (!strncmp(text, "#SCRIPT#", 8)) {
            struct writer script = script_of(text + 8);
            w->item[w->n].len = (uint32_t)script.len;
            w->bytes[w->n++] = script.data;
        } else {
            size_t len;
            w->bytes[w->n] = vectors_hex(text, &len);
            w->item[w->n++].len = (uint32_t)len;
        }
        w->item[w->n - 1].data = w->bytes[w->n - 1];
    }
}

static struct writer output_script(const char *text, const struct case_witness *w)
{
    struct writer script = WRITER_INIT;

    if (strstr(text, "#TAPROOTOUTPUT#")) {
        write_u8(&script, OP_1);
        script_write_push(&script, w->output_key, 32);
        return script;
    }
    return script_of(text);
}

static bool run_case(struct json_object *row)
{
    static struct case_witness w;
    size_t at = 0;

    memset(&w, 0, sizeof(w));
    if (json_object_is_type(json_object_array_get_idx(row, 0), json_type_array))
        read_witness(&w, json_object_array_get_idx(row, at++));
    struct writer sig = script_of(json_object_get_string(json_object_array_get_idx(row, at)));
    struct writer pk = output_script(json_object_get_string(json_object_array_get_idx(row, at + 1)), &w);
    const uint32_t flags = flags_from_text(json_object_get_string(json_object_array_get_idx(row, at + 2)));
    const char *want = json_object_get_string(json_object_array_get_idx(row, at + 3));
    const char *got = script_error_name(run_scripts(&sig, &pk, w.item, w.n, w.value, flags));

    if (strcmp(got, want))
        fprintf(stderr, "got %s: %s\n", got, json_object_to_json_string(row));
    writer_clear(&sig);
    writer_clear(&pk);
    for (size_t i = 0; i < w.n; i++)
        free(w.bytes[i]);
    return !strcmp(got, want);
}

static void script_tests(void **state)
{
    struct json_object *rows = vectors_json("script/script_tests.json");
    size_t run = 0, failed = 0;

    (void)state;
    for (size_t i = 0; rows && i < json_object_array_length(rows); i++) {
        struct json_object *row = json_object_array_get_idx(rows, i);
        if (json_object_array_length(row) == 1)
            continue;
        run++;
        failed += !run_case(row);
    }
    if (rows) {
        printf("script_tests.json: %zu cases\n", run);
        assert_int_equal(run, 1233);
    }
    assert_int_equal(failed, 0);
    json_object_put(rows);
}

static void sighash_vectors(void **state)
{
    struct json_object *rows = vectors_json("script/sighash.json");
    size_t run = 0;

    (void)state;
    for (size_t i = 1; rows && i < json_object_array_length(rows); i++, run++) {
        struct json_object *row = json_object_array_get_idx(rows, i);
        size_t tx_len, script_len;
        uint8_t *raw = vectors_hex(json_object_get_string(json_object_array_get_idx(row, 0)), &tx_len), hash[32], want[32];
        uint8_t *script = vectors_hex(json_object_get_string(json_object_array_get_idx(row, 1)), &script_len);
        struct tx *tx = tx_decode(raw, tx_len, true);

        assert_non_null(tx);
        sighash_legacy(hash, tx, (uint32_t)json_object_get_int(json_object_array_get_idx(row, 2)), script, script_len,
                       json_object_get_int(json_object_array_get_idx(row, 3)));
        assert_true(hash_from_hex(want, json_object_get_string(json_object_array_get_idx(row, 4))));
        assert_memory_equal(hash, want, 32);
        tx_unref(tx);
        free(raw);
        free(script);
    }
    if (rows)
        assert_int_equal(run, 500);
    json_object_put(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(script_tests),
        cmocka_unit_test(sighash_vectors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
