/* The PSBT module: Core's vectors (BIP174, 370, 371, 373), what must be refused with its message, and work on PSBTs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../vectors.h"
#include "psbt/psbt.h"
#include "util/base64.h"

static struct psbt *decode64(const char *text, char **error)
{
    size_t len = strlen(text);
    uint8_t *data = xmalloc(len + 1);
    struct psbt *p;

    *error = NULL;
    p = base64_decode(data, &len, text, strlen(text)) ? psbt_decode(data, len, error) : NULL;
    if (!p && !*error)
        *error = xstrdup("invalid base64");
    assert_true((p == NULL) == (*error != NULL));
    free(data);
    return p;
}

static struct psbt *decode_good(const char *text)
{
    char *error;
    struct psbt *p = decode64(text, &error);

    if (!p)
        fail_msg("%s: %s", error, text);
    return p;
}

static char *encode64(const struct psbt *p)
{
    struct writer w = WRITER_INIT;
    char *text;

    psbt_encode(&w, p);
    text = base64_encode(w.data, w.len);
    writer_clear(&w);
    return text;
}

static void assert_encodes(const struct psbt *p, const char *want)
{
    char *text = encode64(p);

    assert_string_equal(text, want);
    free(text);
}

static struct json_object *vectors(const char *name, size_t *n)
{
    static struct json_object *all;
    struct json_object *list = NULL;
    size_t len;
    uint8_t *text;

    *n = 0;
    if (!all) {
        text = vectors_read("wallet/rpc_psbt.json", &len);
        if (!text)
            return NULL;
        all = json_tokener_parse((const char *)text);
        free(text);
        assert_non_null(all);
    }
    assert_true(json_object_object_get_ex(all, name, &list));
    *n = json_object_array_length(list);
    assert_true(*n > 0);
    return list;
}

static const char *text_at(struct json_object *list, size_t i)
{
    return json_object_get_string(json_object_array_get_idx(list, i));
}

static const char *member(struct json_object *o, const char *key)
{
    return json_object_get_string(json_object_object_get(o, key));
}

/* What is read is written again so that it reads the same; copies are the same; nothing is lost on the way. */
static void test_valid(void **state)
{
    size_t n;
    struct json_object *list = vectors("valid", &n);

    (void)state;
    for (size_t i = 0; i < n; i++) {
        struct psbt *p = decode_good(text_at(list, i)), *again, *copy;
        char *text = encode64(p);
        again = decode_good(text);
        copy = psbt_clone(again);
        assert_encodes(again, text);
        assert_encodes(copy, text);
        assert_true(psbt_merge(copy, again));
        assert_encodes(copy, text);
        psbt_free(p);
        psbt_free(again);
        psbt_free(copy);
        free(text);
    }
}

static void test_invalid(void **state)
{
    size_t n;
    struct json_object *list = vectors("invalid", &n);
    char *error;

    (void)state;
    for (size_t i = 0; i < n; i++) {
        assert_null(decode64(text_at(list, i), &error));
        free(error);
    }
    list = vectors("invalid_with_msg", &n);
    for (size_t i = 0; i < n; i++) {
        struct json_object *pair = json_object_array_get_idx(list, i);
        assert_null(decode64(text_at(pair, 0), &error));
        assert_non_null(strstr(error, text_at(pair, 1)));
        free(error);
    }
}

static void test_combine_and_finalize(void **state)
{
    size_t n;
    struct json_object *list = vectors("combiner", &n), *o;
    struct psbt *p, *q;
    struct tx *tx;

    (void)state;
    for (size_t i = 0; i < n; i++) {
        struct json_object *from;
        o = json_object_array_get_idx(list, i);
        from = json_object_object_get(o, "combine");
        p = decode_good(text_at(from, 0));
        for (size_t k = 1; k < json_object_array_length(from); k++) {
            q = decode_good(text_at(from, k));
            assert_true(psbt_merge(p, q));
            psbt_free(q);
        }
        assert_encodes(p, member(o, "result"));
        psbt_free(p);
    }
    list = vectors("finalizer", &n);
    for (size_t i = 0; i < n; i++) {
        o = json_object_array_get_idx(list, i);
        p = decode_good(member(o, "finalize"));
        assert_true(psbt_finalize(p));
        assert_encodes(p, member(o, "result"));
        psbt_free(p);
    }
    list = vectors("extractor", &n);
    for (size_t i = 0; i < n; i++) {
        char *hex;
        o = json_object_array_get_idx(list, i);
        p = decode_good(member(o, "extract"));
        assert_true(psbt_finalize(p));
        tx = psbt_extract(p);
        hex = xmalloc(2 * (size_t)tx->raw_len + 1);
        hex_encode(hex, tx->raw, tx->raw_len);
        assert_string_equal(hex, member(o, "result"));
        free(hex);
        tx_unref(tx);
        psbt_free(p);
    }
}

/* ---- without vectors ---- */

/* A PSBT of version 0 or 2 with two inputs and one output. */
static struct psbt *sample(uint32_t version, uint8_t id)
{
    struct tx_builder b;
    struct outpoint prev = {.n = 1};
    struct psbt *p;
    struct tx *tx;

    tx_builder_init(&b, 2, 7);
    for (unsigned i = 0; i < 2; i++) {
        prev.txid.b[0] = (uint8_t)(id + i);
        tx_builder_add_in(&b, &prev, "\x51", 1, 5 + i);
    }
    tx_builder_add_out(&b, 1000, "\x51", 1);
    tx = tx_build(&b);
    p = psbt_of_tx(tx, version);
    tx_unref(tx);
    tx_builder_clear(&b);
    return p;
}

static void test_entries(void **state)
{
    struct psbt *p = sample(0, 1);
    struct psbt_map *m = &p->in[0].map;
    size_t n;
    const struct psbt_record *r;

    (void)state;
    psbt_put(p, m, PSBT_UNKNOWN, "\xf1z", 2, "one", 3);
    psbt_put(p, m, PSBT_UNKNOWN,
             "\xf1"
             "a",
             2, "two", 3);
    psbt_put(p, m, PSBT_UNKNOWN, "\xf1z", 2, "three", 5); /* there already */
    psbt_set(p, m, PSBT_REDEEM, "x", 1);
    psbt_set(p, m, PSBT_REDEEM, "y", 1);
    r = psbt_entries(m, PSBT_UNKNOWN, &n);
    assert_int_equal(n, 2);
    assert_memory_equal(r[0].key,
                        "\xf1"
                        "a",
                        2);
    assert_memory_equal(r[1].value, "one", 3);
    assert_memory_equal(psbt_entry(m, PSBT_REDEEM)->value, "y", 1);
    psbt_remove(m, PSBT_UNKNOWN);
    assert_null(psbt_entries(m, PSBT_UNKNOWN, &n));
    assert_null(psbt_entry(m, PSBT_TAP_ROOT));
    psbt_free(p);
}

/* Cut anywhere, or with a byte behind it, it is no PSBT. */
static void test_cut(void **state)
{
    for (uint32_t version = 0; version <= 2; version += 2) {
        struct psbt *p = sample(version, 1);
        struct writer w = WRITER_INIT;
        char *error;
        psbt_put(p, &p->in[1].map, PSBT_UNKNOWN, "\xf1z", 2, "one", 3);
        psbt_encode(&w, p);
        psbt_free(p);
        for (size_t i = 0; i < w.len; i++) {
            assert_null(psbt_decode(w.data, i, &error));
            free(error);
        }
        write_u8(&w, 0);
        assert_null(psbt_decode(w.data, w.len, &error));
        assert_string_equal(error, "extra data after PSBT");
        free(error);
        p = psbt_decode(w.data, w.len - 1, &error);
        assert_non_null(p);
        assert_int_equal(p->in[1].sequence, 6);
        assert_int_equal(p->in[1].prevout.txid.b[0], 2);
        assert_int_equal(p->out[0].amount, 1000);
        psbt_free(p);
        writer_clear(&w);
    }
    (void)state;
}

/* BIP370: heights before times; what one input alone can have, all must. */
static void test_lock_times(void **state)
{
    struct psbt *p = sample(2, 1);
    struct tx *tx = psbt_unsigned_tx(p);

    (void)state;
    assert_int_equal(tx->lock_time, 7);
    tx_unref(tx);
    p->in[0].has_time_lock = p->in[0].has_height_lock = p->in[1].has_time_lock = true;
    p->in[0].time_lock = 500000010;
    p->in[0].height_lock = 99;
    p->in[1].time_lock = 500000020;
    tx = psbt_unsigned_tx(p);
    assert_int_equal(tx->lock_time, 500000020);
    tx_unref(tx);
    p->in[1].has_height_lock = true;
    p->in[1].height_lock = 5;
    tx = psbt_unsigned_tx(p);
    assert_int_equal(tx->lock_time, 99);
    tx_unref(tx);
    p->in[0].has_time_lock = p->in[1].has_height_lock = false;
    assert_null(psbt_unsigned_tx(p));
    assert_false(psbt_finalize(p));
    psbt_free(p);
}

static void test_join(void **state)
{
    struct psbt *list[2] = {sample(0, 1), sample(0, 3)}, *p;
    struct outpoint twice;

    (void)state;
    list[1]->tx_version = 3;
    list[1]->lock_time = 6;
    psbt_put(list[0], &list[0]->in[0].map, PSBT_FINAL_SCRIPT, NULL, 0, "\x51", 1);
    psbt_put(list[0], &list[0]->map, PSBT_UNKNOWN, "\xf1z", 2, "one", 3);
    p = psbt_join(list, 2, &twice);
    assert_non_null(p);
    assert_int_equal(p->n_in, 4);
    assert_int_equal(p->n_out, 2);
    assert_int_equal(p->tx_version, 3);
    assert_int_equal(p->lock_time, 6);
    assert_non_null(psbt_entry(&p->map, PSBT_UNKNOWN));
    for (size_t i = 0; i < 4; i++)
        assert_false(psbt_is_final(&p->in[i]));
    psbt_free(p);
    assert_false(psbt_merge(list[0], list[1]));
    psbt_free(list[1]);
    list[1] = sample(0, 2);
    assert_null(psbt_join(list, 2, &twice));
    assert_int_equal(twice.txid.b[0], 2);
    psbt_free(list[0]);
    psbt_free(list[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valid),   cmocka_unit_test(test_invalid), cmocka_unit_test(test_combine_and_finalize),
        cmocka_unit_test(test_entries), cmocka_unit_test(test_cut),     cmocka_unit_test(test_lock_times),
        cmocka_unit_test(test_join),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
