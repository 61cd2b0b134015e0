/* fuzz_script.c - arbitrary scripts, witnesses and flags, bare or wrapped as P2SH, P2WSH or tapscript, or spent by an arbitrary
 * transaction: nothing may crash, and the answer may depend neither on the caches nor on how often it is asked. */
#include "crypto/hash.h"
#include "crypto/keys.h"
#include "crypto/sha256.h"
#include "primitives/serialize.h"
#include "script/cache.h"
#include "script/script.h"
#include "script/verify.h"
#include "util/assert.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum wrap { WRAP_NONE, WRAP_P2SH, WRAP_P2WSH, WRAP_TAPSCRIPT, WRAP_TX };

#define MAX_ITEMS 40

struct input {
    uint32_t flags, version, lock_time, sequence;
    int64_t value;
    const uint8_t *script, *script_sig;
    size_t script_len, sig_len, n_items;
    struct witness_item item[MAX_ITEMS + 2];
};

static void read_input(struct input *in, struct reader *r)
{
    in->flags = read_u32(r) & 0x1fffff;
    in->version = read_u8(r);
    in->lock_time = read_u32(r);
    in->sequence = read_u32(r);
    in->value = (int64_t)(read_u64(r) & 0x7ffffffffffff);
    in->script = read_var_bytes(r, &in->script_len);
    in->script_sig = read_var_bytes(r, &in->sig_len);
    in->n_items = 0;
    while (reader_left(r) > 0 && in->n_items < MAX_ITEMS) {
        size_t len;
        const uint8_t *item = read_var_bytes(r, &len);
        if (!r->failed)
            in->item[in->n_items++] = (struct witness_item){item, (uint32_t)len};
    }
}

/* Both forms of text and the templates: no crash; what is written as a push reads back. */
static void look_at(const uint8_t *script, size_t len)
{
    struct script_solution s;
    char *text = script_to_asm(script, len, true);
    struct writer w = WRITER_INIT;

    (void)script_from_asm(&w, text);
    writer_clear(&w);
    free(text);
    script_solve(&s, script, len);
    ASSERT(script_sigops(script, len, true) <= script_sigops(script, len, false));
    (void)script_is_push_only(script, len);
}

static void run(const struct tx *tx, uint32_t n, const struct tx_out *spent, uint32_t flags)
{
    struct sig_cache *cache = sig_cache_new(1 << 12);
    struct tx_midstate mid;
    enum script_error plain, again;

    tx_midstate_init(&mid, tx, spent, false);
    const bool ok = script_verify_input(&plain, tx, n, &spent[n], flags, &mid, NULL, false);
    ASSERT(ok == (plain == SCRIPT_ERR_OK));
    for (int i = 0; i < 4; i++) {
        ASSERT(script_verify_input(&again, tx, n, &spent[n], flags, &mid, cache, i < 2) == ok);
        ASSERT(again == plain);
    }
    (void)script_witness_sigops(&tx->in[n], &spent[n], flags);
    (void)script_p2sh_sigops(spent[n].script, spent[n].script_len, tx->in[n].script, tx->in[n].script_len);
    sig_cache_free(cache);
}

/* An output script that commits to the script, and what of the spend reveals it. */
static void wrap_script(enum wrap wrap, struct input *in, struct writer *pk, struct writer *sig, uint8_t control[33])
{
    static const uint8_t internal[32] = {0x79, 0xbe, 0x66, 0x7e, 0xf9, 0xdc, 0xbb, 0xac, 0x55, 0xa0, 0x62,
                                         0x95, 0xce, 0x87, 0x0b, 0x07, 0x02, 0x9b, 0xfc, 0xdb, 0x2d, 0xce,
                                         0x28, 0xd9, 0x59, 0xf2, 0x81, 0x5b, 0x16, 0xf8, 0x17, 0x98};
    uint8_t hash[32], leaf[32];
    int parity = 0;

    write_bytes(sig, in->script_sig, in->sig_len);
    if (wrap == WRAP_P2SH) {
        script_write_push(sig, in->script, in->script_len);
        hash160(hash, in->script, in->script_len);
        write_u8(pk, OP_HASH160);
        script_write_push(pk, hash, 20);
        write_u8(pk, OP_EQUAL);
    } else if (wrap == WRAP_P2WSH) {
        in->item[in->n_items++] = (struct witness_item){in->script, (uint32_t)in->script_len};
        sha256(hash, in->script, in->script_len);
        write_u8(pk, OP_0);
        script_write_push(pk, hash, 32);
    } else if (wrap == WRAP_TAPSCRIPT) {
        tapleaf_hash(leaf, 0xc0, in->script, in->script_len);
        ASSERT(taproot_tweak(hash, &parity, internal, leaf));
        control[0] = (uint8_t)(0xc0 | parity);
        memcpy(control + 1, internal, 32);
        in->item[in->n_items++] = (struct witness_item){in->script, (uint32_t)in->script_len};
        in->item[in->n_items++] = (struct witness_item){control, 33};
        write_u8(pk, OP_1);
        script_write_push(pk, hash, 32);
    } else {
        write_bytes(pk, in->script, in->script_len);
    }
}

static void run_built(enum wrap wrap, struct input *in)
{
    struct writer pk = WRITER_INIT, sig = WRITER_INIT;
    const struct outpoint from = {.n = 1};
    struct tx_builder b;
    uint8_t control[33];

    wrap_script(wrap, in, &pk, &sig, control);
    tx_builder_init(&b, in->version, in->lock_time);
    tx_builder_add_in(&b, &from, sig.data, sig.len, in->sequence);
    if (in->n_items)
        tx_builder_set_witness(&b, 0, in->item, in->n_items);
    tx_builder_add_out(&b, in->value, "", 0);
    struct tx *tx = tx_build(&b);
    const struct tx_out spent = {in->value, pk.data ? pk.data : (const uint8_t *)"", (uint32_t)pk.len};
    run(tx, 0, &spent, in->flags);
    tx_unref(tx);
    tx_builder_clear(&b);
    writer_clear(&pk);
    writer_clear(&sig);
}

/* Every input of an arbitrary transaction spends the same script. */
static void run_tx(const struct input *in, const uint8_t *data, size_t len)
{
    struct tx *tx = tx_decode(data, len, true);

    if (!tx)
        return;
    struct tx_out *spent = calloc(tx->n_in + 1, sizeof(*spent));
    ASSERT(spent);
    for (uint32_t i = 0; i < tx->n_in; i++)
        spent[i] = (struct tx_out){in->value, in->script, (uint32_t)in->script_len};
    for (uint32_t i = 0; i < tx->n_in && i < 20; i++)
        run(tx, i, spent, in->flags);
    free(spent);
    tx_unref(tx);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader r = reader_make(data, size);
    struct input in;
    const unsigned wrap = read_u8(&r) % 5;

    if (wrap == WRAP_TX) {
        memset(&in, 0, sizeof(in));
        in.flags = read_u32(&r) & 0x1fffff;
        in.value = read_u32(&r);
        in.script = read_var_bytes(&r, &in.script_len);
        if (!r.failed)
            run_tx(&in, r.pos, reader_left(&r));
        return 0;
    }
    read_input(&in, &r);
    if (!in.script || !in.script_sig)
        return 0;
    look_at(in.script, in.script_len);
    run_built((enum wrap)wrap, &in);
    return 0;
}
