/* test_vectors.c - the BIPs' own vectors of extended keys (BIP32), of aggregate keys (BIP328) and of descriptors (BIP380 to 390). */
#include "vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "crypto/keys.h"
#include "descriptor/descriptor.h"
#include "descriptor/extkey.h"

static struct chain_params params;

static const char *text_of(struct json_object *o, const char *key)
{
    return json_object_get_string(json_object_object_get(o, key));
}

static void check_chain(const struct extkey *master, struct json_object *chain)
{
    struct extkey key = *master, shown;
    char *xprv, *xpub, *path = xstrdup(text_of(chain, "path")), *save = NULL;

    for (char *step = strtok_r(path, "/", &save); step; step = strtok_r(NULL, "/", &save)) {
        uint32_t n = (uint32_t)strtoul(step, NULL, 10);
        if (strchr(step, 'h') || strchr(step, 'H') || strchr(step, '\''))
            n |= EXTKEY_HARDENED;
        if (*step != 'm')
            assert_true(extkey_derive(&key, &key, n));
    }
    xprv = extkey_encode(&key, true, &params.address);
    xpub = extkey_encode(&key, false, &params.address);
    assert_string_equal(xprv, text_of(chain, "xprv"));
    assert_string_equal(xpub, text_of(chain, "xpub"));
    assert_true(extkey_decode(&shown, xpub, &params.address));
    assert_false(shown.has_secret);
    assert_false(extkey_derive(&shown, &shown, EXTKEY_HARDENED));
    assert_true(extkey_decode(&shown, xprv, &params.address));
    assert_memory_equal(shown.pub, key.pub, 33);
    free(xprv);
    free(xpub);
    free(path);
}

static void extended_keys(void **state)
{
    struct json_object *all = vectors_json("wallet/bip32.json"), *valid, *invalid;
    struct extkey key;

    (void)state;
    if (!all)
        return;
    valid = json_object_object_get(all, "valid");
    for (size_t i = 0; i < json_object_array_length(valid); i++) {
        struct json_object *v = json_object_array_get_idx(valid, i), *chains = json_object_object_get(v, "chains");
        const char *hex = text_of(v, "seed");
        uint8_t seed[64];
        assert_true(hex_decode(seed, strlen(hex) / 2, hex));
        assert_true(extkey_from_seed(&key, seed, strlen(hex) / 2));
        for (size_t k = 0; k < json_object_array_length(chains); k++)
            check_chain(&key, json_object_array_get_idx(chains, k));
    }
    invalid = json_object_object_get(all, "invalid");
    for (size_t i = 0; i < json_object_array_length(invalid); i++)
        assert_false(extkey_decode(&key, text_of(json_object_array_get_idx(invalid, i), "extkey"), &params.address));
    json_object_put(all);
}

static void aggregate_keys(void **state)
{
    struct json_object *all = vectors_json("wallet/bip328_vectors.json");

    (void)state;
    for (size_t i = 0; all && i < json_object_array_length(all); i++) {
        struct json_object *v = json_object_array_get_idx(all, i), *keys = json_object_object_get(v, "keys");
        uint8_t list[16][33], out[33], wanted[33];
        size_t n = json_object_array_length(keys);
        assert_in_range(n, 1, 16);
        for (size_t k = 0; k < n; k++)
            assert_true(hex_decode(list[k], 33, json_object_get_string(json_object_array_get_idx(keys, k))));
        assert_true(hex_decode(wanted, 33, text_of(v, "aggregate_pubkey")));
        assert_true(pubkey_aggregate(out, (const uint8_t(*)[33])list, n));
        assert_memory_equal(out, wanted, 33);
    }
    json_object_put(all);
}

/* scripts: one list for each position (of the scripts there) or, without a range, one list. */
static void check_scripts(struct descriptor *d, struct json_object *lists, const char *text)
{
    for (size_t i = 0; i < json_object_array_length(lists); i++) {
        struct json_object *list = json_object_array_get_idx(lists, i);
        struct descriptor_scripts s;
        assert_true(descriptor_expand(&s, NULL, d, 0, (uint32_t)i, false));
        if (s.n != json_object_array_length(list))
            fail_msg("%s: %u scripts", text, s.n);
        for (unsigned k = 0; k < s.n; k++) {
            char *hex = xmalloc(2 * s.script[k].len + 1);
            hex_encode(hex, s.script[k].bytes, s.script[k].len);
            assert_string_equal(hex, json_object_get_string(json_object_array_get_idx(list, k)));
            free(hex);
        }
        descriptor_scripts_clear(&s);
    }
}

/* Each path of a multipath descriptor is the descriptor that it is said to stand for. */
static void check_paths(const struct descriptor *d, struct json_object *texts)
{
    assert_int_equal(descriptor_paths(d), json_object_array_length(texts));
    for (size_t i = 0; i < descriptor_paths(d); i++) {
        char *error, *mine = descriptor_text_private(d, i), *wanted;
        struct descriptor *one =
            descriptor_parse(json_object_get_string(json_object_array_get_idx(texts, i)), &params, false, &error);
        assert_non_null(one);
        wanted = descriptor_text_private(one, 0);
        assert_string_equal(mine, wanted);
        free(mine);
        free(wanted);
        descriptor_free(one);
    }
}

static void check_descriptor(struct json_object *v)
{
    bool valid = json_object_get_boolean(json_object_object_get(v, "valid")), key = strcmp(text_of(v, "kind"), "key") == 0;
    struct json_object *scripts = json_object_object_get(v, "scripts"), *paths = json_object_object_get(v, "expands_to");
    char *error = NULL, *text = key ? xasprintf("pk(%s)", text_of(v, "text")) : xstrdup(text_of(v, "text"));
    struct descriptor *d = descriptor_parse(text, &params, false, &error);

    if (valid != (d != NULL))
        fail_msg("%s: %s", text, d ? "taken" : error);
    if (d && scripts)
        check_scripts(d, scripts, text);
    if (d && paths)
        check_paths(d, paths);
    descriptor_free(d);
    free(error);
    free(text);
}

static void descriptors(void **state)
{
    struct json_object *all = vectors_json("wallet/descriptors.json");

    (void)state;
    for (size_t i = 0; all && i < json_object_array_length(all); i++)
        check_descriptor(json_object_array_get_idx(all, i));
    json_object_put(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(extended_keys), cmocka_unit_test(aggregate_keys),
                                       cmocka_unit_test(descriptors)};
    int failed;

    chain_params_init(&params, CHAIN_MAIN);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    chain_params_clear(&params);
    return failed;
}
