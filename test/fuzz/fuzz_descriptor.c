/* fuzz_descriptor.c - any text as a descriptor: what it is written as reads the same and has the same scripts, and any bytes as a miniscript: what
 * it is written as is the same bytes, and its satisfaction ends. */
#include <stdlib.h>

#include "consensus/params.h"
#include "descriptor/descriptor.h"
#include "script/miniscript.h"
#include "util/assert.h"
#include "util/mem.h"

#define TEXT_MAX 4096
#define PATHS_MAX 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_scripts(struct descriptor *d, struct descriptor *again, size_t path, uint32_t position)
{
    struct descriptor_scripts a, b;
    struct keyring ring = {.n_keys = 0};
    bool ok = descriptor_expand(&a, &ring, d, path, position, true),
         ok_again = descriptor_expand(&b, NULL, again, 0, position, false);

    ASSERT(ok || !ok_again);
    ASSERT(ok == ok_again || descriptor_has_private(d));
    for (unsigned i = 0; ok && i < a.n; i++) {
        char *text = descriptor_infer(a.script[i].bytes, a.script[i].len, &ring, &(struct address_prefixes){.bech32_hrp = "bc"});
        ASSERT(*text);
        free(text);
        ASSERT(!ok_again ||
               (a.script[i].len == b.script[i].len && memcmp(a.script[i].bytes, b.script[i].bytes, a.script[i].len) == 0));
    }
    descriptor_scripts_clear(&a);
    descriptor_scripts_clear(&b);
    keyring_clear(&ring);
}

/* With its private keys it reads as the same. */
static void check_private(const struct descriptor *d, size_t path, const struct chain_params *params)
{
    char *text = descriptor_text_private(d, path), *error = NULL, *shown, *shown_again;
    struct descriptor *again = descriptor_parse(text, params, true, &error);

    ASSERT(again);
    ASSERT(descriptor_has_private(again) == descriptor_has_private(d) &&
           descriptor_is_solvable(again) == descriptor_is_solvable(d));
    ASSERT(descriptor_has_scripts(again) == descriptor_has_scripts(d) &&
           descriptor_is_single_type(again) == descriptor_is_single_type(d));
    shown = descriptor_text(d, path);
    shown_again = descriptor_text(again, 0);
    ASSERT(strcmp(shown, shown_again) == 0);
    free(shown);
    free(shown_again);
    free(text);
    descriptor_free(again);
}

static void check_text(const char *text, const struct chain_params *params)
{
    char *error = NULL, *shown, *shown_again;
    struct descriptor *d = descriptor_parse(text, params, false, &error), *again;

    if (!d) {
        ASSERT(error);
        free(error);
        return;
    }
    for (size_t path = 0; path < descriptor_paths(d) && path < PATHS_MAX; path++) {
        check_private(d, path, params);
        shown = descriptor_text(d, path);
        again = descriptor_parse(shown, params, true, &error);
        ASSERT(again);
        ASSERT(descriptor_paths(again) == 1 && descriptor_is_range(again) == descriptor_is_range(d));
        shown_again = descriptor_text(again, 0);
        ASSERT(strcmp(shown, shown_again) == 0);
        check_scripts(d, again, path, 0);
        check_scripts(d, again, path, 0x7fffffff);
        free(shown);
        free(shown_again);
        descriptor_free(again);
    }
    descriptor_free(d);
}

/* ---- miniscript ---- */

struct keys {
    uint8_t bytes[512][33];
    uint32_t n;
    size_t len;
    size_t pushed;
};

static bool of_bytes(void *arg, uint32_t *key, const uint8_t *bytes, size_t len)
{
    struct keys *k = arg;

    if (len != k->len || k->n == ARRAY_LEN(k->bytes))
        return false;
    memcpy(k->bytes[k->n], bytes, len);
    *key = k->n++;
    return true;
}

static bool of_hash(void *arg, uint32_t *key, const uint8_t hash[20])
{
    (void)arg;
    (void)key;
    (void)hash;
    return false;
}

static void key_bytes(const void *arg, uint8_t *out, uint32_t key)
{
    const struct keys *k = arg;

    memcpy(out, k->bytes[key], k->len);
}

static struct witness_item sign(void *arg, uint32_t key)
{
    (void)arg;
    return (struct witness_item){(const uint8_t *)"signature", key % 3 ? 9 : 0};
}

static struct witness_item preimage(void *arg, enum hash_kind kind, const uint8_t *hash)
{
    (void)arg;
    (void)kind;
    return (struct witness_item){hash[0] & 1 ? hash : NULL, 20};
}

static bool time_is_met(void *arg, uint32_t value)
{
    (void)arg;
    return value & 1;
}

static void push(void *arg, const uint8_t *data, size_t len)
{
    struct keys *k = arg;

    ASSERT(data || len == 0);
    k->pushed++;
}

static void check_script(const uint8_t *script, size_t len, enum ms_context context)
{
    struct keys k = {.len = context == MS_TAPSCRIPT ? 32 : 33};
    const struct ms_keys source = {&k, of_bytes, of_hash};
    const struct ms_satisfier satisfier = {&k, key_bytes, sign, preimage, time_is_met, time_is_met, push};
    struct writer w = WRITER_INIT;
    struct miniscript ms;

    if (!ms_from_script(&ms, context, script, len, &source))
        return;
    ms_to_script(&w, &ms, key_bytes, &k);
    ASSERT(w.len == len && ms.root->script_len == len && memcmp(w.data, script, len) == 0);
    if (ms_satisfy(&ms, &satisfier) && ms_is_within_limits(ms.root, context))
        ASSERT(ms.root->depth_sat.valid && (int64_t)k.pushed <= ms.root->depth_sat.net + 1);
    writer_clear(&w);
    ms_clear(&ms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct chain_params params;
    char *text;

    if (size < 2 || size > TEXT_MAX)
        return 0;
    if (data[0] == 'W' || data[0] == 'T') {
        check_script(data + 1, size - 1, data[0] == 'T' ? MS_TAPSCRIPT : MS_P2WSH);
        return 0;
    }
    chain_params_init(&params, CHAIN_MAIN);
    text = xmalloc(size + 1);
    memcpy(text, data, size);
    text[size] = 0;
    check_text(text, &params);
    free(text);
    chain_params_clear(&params);
    return 0;
}
