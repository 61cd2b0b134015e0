/* Putting MuSig2 signatures together: BIP327's vectors (sig_agg_vectors.json). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../vectors.h"
#include "crypto/keys.h"

/* The i-th of the indices that the case names, as bytes of the list. */
static void pick(uint8_t *out, size_t len, struct json_object *all, const char *list, struct json_object *c, const char *indices,
                 size_t i)
{
    struct json_object *index = json_object_array_get_idx(json_object_object_get(c, indices), i);

    assert_true(hex_decode(
        out, len,
        json_object_get_string(json_object_array_get_idx(json_object_object_get(all, list), (size_t)json_object_get_int(index)))));
}

static bool run_case(uint8_t sig[64], struct json_object *all, struct json_object *c)
{
    uint8_t sig2[64], keys[4][33], nonces[4][66], partial[4][32], msg[32];
    struct musig_tweak tweaks[4];
    size_t n = json_object_array_length(json_object_object_get(c, "psig_indices")),
           n_tweaks = json_object_array_length(json_object_object_get(c, "tweak_indices"));

    assert_true(n <= 4 && n_tweaks <= 4);
    assert_true(hex_decode(msg, 32, json_object_get_string(json_object_object_get(all, "msg"))));
    for (size_t i = 0; i < n; i++) {
        pick(keys[i], 33, all, "pubkeys", c, "key_indices", i);
        pick(nonces[i], 66, all, "pnonces", c, "nonce_indices", i);
        pick(partial[i], 32, all, "psigs", c, "psig_indices", i);
    }
    for (size_t i = 0; i < n_tweaks; i++) {
        pick(tweaks[i].tweak, 32, all, "tweaks", c, "tweak_indices", i);
        tweaks[i].x_only = json_object_get_boolean(json_object_array_get_idx(json_object_object_get(c, "is_xonly"), i));
    }
    if (!musig_aggregate(sig, (const uint8_t(*)[33])keys, (const uint8_t(*)[66])nonces, (const uint8_t(*)[32])partial, n, tweaks,
                         n_tweaks, msg))
        return false;
    partial[0][31] ^= 1; /* what is wrong is seen */
    assert_false(musig_aggregate(sig2, (const uint8_t(*)[33])keys, (const uint8_t(*)[66])nonces, (const uint8_t(*)[32])partial, n,
                                 tweaks, n_tweaks, msg));
    return true;
}

static void test_aggregate(void **state)
{
    size_t len;
    uint8_t *text = vectors_read("wallet/musig2/sig_agg_vectors.json", &len), sig[64], want[64];
    struct json_object *all = text ? json_tokener_parse((const char *)text) : NULL, *list;

    (void)state;
    if (!text)
        return;
    list = json_object_object_get(all, "valid_test_cases");
    assert_true(json_object_array_length(list) > 0);
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *c = json_object_array_get_idx(list, i);
        assert_true(hex_decode(want, 64, json_object_get_string(json_object_object_get(c, "expected"))));
        assert_true(run_case(sig, all, c));
        assert_memory_equal(sig, want, 64);
    }
    list = json_object_object_get(all, "error_test_cases");
    for (size_t i = 0; i < json_object_array_length(list); i++)
        assert_false(run_case(sig, all, json_object_array_get_idx(list, i)));
    json_object_put(all);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_aggregate)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
