/* test_blockfilter.c - BIP158 sets: the published vectors, and what every set must have: no false negatives, few false positives, one encoding
 * for one set, and a decoder that any bytes leave alive. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "chain/undo.h"
#include "crypto/hash.h"
#include "index/blockfilter.h"
#include "primitives/serialize.h"
#include "util/random.h"
#include "vectors.h"

static const char *text_at(struct json_object *row, size_t i)
{
    return json_object_get_string(json_object_array_get_idx(row, i));
}

/* An undo record of one transaction that spends all of these scripts: the filter does not care whose they are. */
static struct block_undo *undo_of(struct json_object *scripts)
{
    struct block_undo *undo;
    struct writer w = WRITER_INIT;
    size_t n = json_object_array_length(scripts);

    write_compact_size(&w, 1);
    write_compact_size(&w, n);
    for (size_t i = 0; i < n; i++) {
        size_t len;
        uint8_t *script = vectors_hex(text_at(scripts, i), &len);
        struct coin c = {.out = {.value = 1, .script = script, .script_len = (uint32_t)len}, .height = 1};

        undo_coin_write(&w, &c);
        free(script);
    }
    undo = block_undo_decode(w.data, w.len);
    assert_non_null(undo);
    writer_clear(&w);
    return undo;
}

static void check_row(struct json_object *row)
{
    struct json_object *spent = json_object_array_get_idx(row, 3);
    struct block_undo *undo = json_object_array_length(spent) ? undo_of(spent) : NULL;
    struct writer w = WRITER_INIT;
    struct hash256 header, prev, want;
    size_t len, want_len;
    uint8_t *data = vectors_hex(text_at(row, 2), &len), *filter = vectors_hex(text_at(row, 5), &want_len);
    struct block *b = block_decode(data, len);

    assert_non_null(b);
    assert_string_equal(block_hash_hex(&b->hash).s, text_at(row, 1));
    filter_encode_basic(&w, b, undo);
    assert_int_equal(w.len, want_len);
    assert_memory_equal(w.data, filter, want_len);
    assert_true(filter_is_valid(w.data, w.len));
    assert_true(hash_from_hex(prev.b, text_at(row, 4)));
    assert_true(hash_from_hex(want.b, text_at(row, 6)));
    filter_hash(&header, w.data, w.len);
    filter_header(&header, &header, &prev);
    assert_memory_equal(header.b, want.b, 32);
    for (uint32_t i = 0; i < b->n_tx; i++) {
        for (uint32_t j = 0; j < b->tx[i].n_out; j++) {
            struct filter_item item = {b->tx[i].out[j].script, b->tx[i].out[j].script_len};
            if (item.len && item.data[0] != 0x6a)
                assert_true(filter_match(w.data, w.len, &b->hash, &item, 1));
        }
    }
    for (uint32_t i = 0; undo && i < undo->tx[0].n; i++) {
        struct filter_item item = {undo->tx[0].coin[i].out.script, undo->tx[0].coin[i].out.script_len};
        if (item.len)
            assert_true(filter_match(w.data, w.len, &b->hash, &item, 1));
    }
    if (undo)
        block_undo_free(undo);
    block_unref(b);
    writer_clear(&w);
    free(filter);
}

static void vectors(void **state)
{
    struct json_object *rows = vectors_json("filters/blockfilters.json");

    (void)state;
    if (!rows)
        return;
    assert_int_equal(json_object_array_length(rows), 11);
    for (size_t i = 1; i < json_object_array_length(rows); i++)
        check_row(json_object_array_get_idx(rows, i));
    json_object_put(rows);
}

#define SET 1000

struct random_set {
    uint8_t bytes[2 * SET][32];
    struct filter_item in[SET], out[SET];
    struct block_hash block;
};

static void random_set_init(struct random_set *s, uint64_t seed)
{
    struct rng rng;

    rng_init_seed(&rng, seed);
    for (size_t i = 0; i < 2 * SET; i++)
        for (size_t j = 0; j < 32; j += 8)
            put_le64(&s->bytes[i][j], rng_u64(&rng));
    for (size_t i = 0; i < SET; i++) {
        s->in[i] = (struct filter_item){s->bytes[i], 1 + rng_below(&rng, 31) + 1};
        s->out[i] = (struct filter_item){s->bytes[SET + i], 32};
    }
    memcpy(s->block.b, s->bytes[0], 32);
}

static void members_match(void **state)
{
    struct random_set *s = xmalloc(sizeof(*s));
    size_t false_hits = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct writer w = WRITER_INIT;

        random_set_init(s, seed);
        filter_encode(&w, &s->block, s->in, SET);
        assert_true(filter_is_valid(w.data, w.len));
        for (size_t i = 0; i < SET; i++) {
            struct filter_item both[2] = {s->out[i], s->in[i]};
            assert_true(filter_match(w.data, w.len, &s->block, &s->in[i], 1));
            assert_true(filter_match(w.data, w.len, &s->block, both, 2));
            false_hits += filter_match(w.data, w.len, &s->block, &s->out[i], 1);
        }
        assert_false(filter_match(w.data, w.len, &s->block, s->out, 0));
        assert_true(filter_match(w.data, w.len, &s->block, s->in, SET));
        /* about P + 1.5 bits each */
        assert_in_range(w.len, SET * 20 / 8, SET * 22 / 8);
        s->block.b[3] ^= 1; /* another key: another set */
        assert_false(filter_match(w.data, w.len, &s->block, s->in, 20));
        writer_clear(&w);
    }
    assert_true(false_hits <= 1); /* expected: 3000 / 784931 */
    free(s);
}

/* Order and repetition do not count; an empty set is one zero byte. */
static void one_encoding(void **state)
{
    struct random_set *s = xmalloc(sizeof(*s));
    struct filter_item twice[2 * SET];
    struct writer a = WRITER_INIT, b = WRITER_INIT, none = WRITER_INIT;

    (void)state;
    random_set_init(s, 9);
    for (size_t i = 0; i < SET; i++)
        twice[i] = twice[2 * SET - 1 - i] = s->in[i];
    filter_encode(&a, &s->block, s->in, SET);
    filter_encode(&b, &s->block, twice, 2 * SET);
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.data, b.data, a.len);
    filter_encode(&none, &s->block, NULL, 0);
    assert_int_equal(none.len, 1);
    assert_int_equal(none.data[0], 0);
    assert_true(filter_is_valid(none.data, 1));
    assert_false(filter_match(none.data, 1, &s->block, s->in, SET));
    writer_clear(&a);
    writer_clear(&b);
    writer_clear(&none);
    free(s);
}

static void broken(void **state)
{
    static const uint8_t many[] = {0xfe, 0, 0, 0, 2, 0xff, 0xff, 0xff, 0xff}, wide[] = {0xfe, 1, 0, 0, 2, 0},
                         ones[] = {1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
                         not_minimal[] = {0xfd, 0, 0}, behind_empty[] = {0, 0};
    struct random_set *s = xmalloc(sizeof(*s));
    struct writer w = WRITER_INIT;

    (void)state;
    random_set_init(s, 10);
    filter_encode(&w, &s->block, s->in, SET);
    for (size_t len = 0; len < w.len; len++)
        assert_false(filter_is_valid(w.data, len));
    write_u8(&w, 0);
    assert_false(filter_is_valid(w.data, w.len));
    assert_false(filter_is_valid(many, sizeof(many)));
    assert_false(filter_is_valid(wide, sizeof(wide)));
    assert_false(filter_is_valid(ones, sizeof(ones)));
    assert_false(filter_is_valid(not_minimal, sizeof(not_minimal)));
    assert_false(filter_is_valid(behind_empty, sizeof(behind_empty)));
    assert_false(filter_match(many, sizeof(many), &s->block, s->in, SET));
    assert_false(filter_match(ones, sizeof(ones), &s->block, s->in, SET));
    assert_false(filter_match(NULL, 0, &s->block, s->in, SET));
    writer_clear(&w);
    free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors),
        cmocka_unit_test(members_match),
        cmocka_unit_test(one_encoding),
        cmocka_unit_test(broken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
