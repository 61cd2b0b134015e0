/* test_taproot.c - BIP341's vectors (trees, tweaks, addresses, hashes, signatures) and the rules of tapscript spends made here: budget,
 * annex, code separator, OP_SUCCESS, unknown keys and leaf versions. */
#include "script_vectors.h"

#include "crypto/keys.h"
#include "crypto/sha256.h"
#include "primitives/address.h"
#include "script/sighash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct json_object *member(struct json_object *obj, const char *key)
{
    struct json_object *v = NULL;

    assert_true(json_object_object_get_ex(obj, key, &v));
    return v;
}

static void assert_hex(const uint8_t *bytes, size_t len, const char *hex)
{
    size_t want_len;
    uint8_t *want = vectors_hex(hex, &want_len);

    assert_int_equal(len, want_len);
    assert_memory_equal(bytes, want, len);
    free(want);
}

/* Hash of a tree; leaf hashes are compared on the way, in the order of their ids. */
static void tree_hash(uint8_t out[32], struct json_object *tree, struct json_object *leaf_hashes)
{
    if (json_object_is_type(tree, json_type_array)) {
        uint8_t a[32], b[32];
        tree_hash(a, json_object_array_get_idx(tree, 0), leaf_hashes);
        tree_hash(b, json_object_array_get_idx(tree, 1), leaf_hashes);
        tapbranch_hash(out, a, b);
        return;
    }
    size_t len;
    uint8_t *script = vectors_hex_member(tree, "script", &len);
    const size_t id = (size_t)json_object_get_int(member(tree, "id"));
    tapleaf_hash(out, (uint8_t)json_object_get_int(member(tree, "leafVersion")), script, len);
    assert_hex(out, 32, json_object_get_string(json_object_array_get_idx(leaf_hashes, id)));
    free(script);
}

static void check_control_blocks(struct json_object *expected, struct json_object *leaf_hashes, const char *root)
{
    struct json_object *blocks;

    if (!json_object_object_get_ex(expected, "scriptPathControlBlocks", &blocks))
        return;
    for (size_t i = 0; i < json_object_array_length(blocks); i++) {
        size_t len;
        uint8_t *control = vectors_hex(json_object_get_string(json_object_array_get_idx(blocks, i)), &len), got[32], leaf[32];
        assert_true(hex_decode(leaf, 32, json_object_get_string(json_object_array_get_idx(leaf_hashes, i))));
        taproot_merkle_root(got, control, len, leaf);
        assert_hex(got, 32, root);
        free(control);
    }
}

static void bip341_outputs(struct json_object *list)
{
    static const struct address_prefixes prefixes = {.pubkey_hash = 0, .script_hash = 5, .bech32_hrp = "bc"};

    assert_int_equal(json_object_array_length(list), 7);
    for (size_t i = 0; i < 7; i++) {
        struct json_object *v = json_object_array_get_idx(list, i), *given = member(v, "given"), *mid = member(v, "intermediary");
        struct json_object *expected = member(v, "expected"), *tree = member(given, "scriptTree"), *leaves = NULL;
        uint8_t internal[32], root[32], key[32], tweak[32], script[34] = {OP_1, 32};
        struct sha256 ctx;
        int parity;

        assert_true(hex_decode(internal, 32, vectors_str(given, "internalPubkey")));
        sha256_init_tagged(&ctx, "TapTweak");
        sha256_write(&ctx, internal, 32);
        if (tree) {
            leaves = member(mid, "leafHashes");
            tree_hash(root, tree, leaves);
            assert_hex(root, 32, vectors_str(mid, "merkleRoot"));
            check_control_blocks(expected, leaves, vectors_str(mid, "merkleRoot"));
            sha256_write(&ctx, root, 32);
        }
        sha256_finish(&ctx, tweak);
        assert_hex(tweak, 32, vectors_str(mid, "tweak"));
        assert_true(taproot_tweak(key, &parity, internal, tree ? root : NULL));
        assert_hex(key, 32, vectors_str(mid, "tweakedPubkey"));
        memcpy(script + 2, key, 32);
        assert_hex(script, 34, vectors_str(expected, "scriptPubKey"));
        char *address = address_encode(script, 34, &prefixes);
        assert_string_equal(address, vectors_str(expected, "bip350Address"));
        free(address);
    }
}

static struct tx_out *read_spent(struct json_object *list, size_t *n)
{
    *n = json_object_array_length(list);
    struct tx_out *spent = xcalloc(*n, sizeof(*spent));

    for (size_t i = 0; i < *n; i++) {
        struct json_object *o = json_object_array_get_idx(list, i);
        size_t len;
        spent[i].script = vectors_hex_member(o, "scriptPubKey", &len);
        spent[i].script_len = (uint32_t)len;
        spent[i].value = json_object_get_int64(member(o, "amountSats"));
    }
    return spent;
}

static void check_key_spend(const struct tx *tx, const struct tx_midstate *mid, struct json_object *v)
{
    static const uint8_t zero[32];
    struct json_object *given = member(v, "given"), *inter = member(v, "intermediary"), *root_text = member(given, "merkleRoot");
    const uint32_t n = (uint32_t)json_object_get_int(member(given, "txinIndex"));
    const uint8_t hash_type = (uint8_t)json_object_get_int(member(given, "hashType"));
    const struct sighash_v1_ctx extra = {NULL, NULL, 0xffffffff, NULL};
    uint8_t hash[32], again[32], key[32], root[32], sig[65];
    size_t len;

    assert_true(sighash_v1(hash, tx, n, hash_type, &extra, mid));
    assert_hex(hash, 32, vectors_str(inter, "sigHash"));
    uint8_t *message = vectors_hex_member(inter, "sigMsg", &len);
    struct sha256 ctx;
    sha256_init_tagged(&ctx, "TapSighash");
    sha256_write(&ctx, message, len);
    sha256_finish(&ctx, again);
    assert_memory_equal(hash, again, 32);
    free(message);
    assert_true(hex_decode(key, 32, vectors_str(given, "internalPrivkey")));
    if (root_text)
        assert_true(hex_decode(root, 32, json_object_get_string(root_text)));
    assert_true(schnorr_sign_taproot(sig, hash, key, root_text ? root : NULL, zero));
    sig[64] = hash_type;
    assert_hex(sig, hash_type ? 65 : 64,
               json_object_get_string(json_object_array_get_idx(member(member(v, "expected"), "witness"), 0)));
}

static void bip341_spends(struct json_object *v)
{
    struct json_object *given = member(v, "given"), *inter = member(v, "intermediary"), *inputs = member(v, "inputSpending");
    size_t n, len;
    struct tx_out *spent = read_spent(member(given, "utxosSpent"), &n);
    uint8_t *raw = vectors_hex_member(given, "rawUnsignedTx", &len);
    struct tx *tx = tx_decode(raw, len, true);
    struct tx_midstate mid;

    free(raw);
    assert_non_null(tx);
    assert_int_equal(tx->n_in, n);
    tx_midstate_init(&mid, tx, spent, true);
    assert_hex(mid.amounts_single, 32, vectors_str(inter, "hashAmounts"));
    assert_hex(mid.outputs_single, 32, vectors_str(inter, "hashOutputs"));
    assert_hex(mid.prevouts_single, 32, vectors_str(inter, "hashPrevouts"));
    assert_hex(mid.scripts_single, 32, vectors_str(inter, "hashScriptPubkeys"));
    assert_hex(mid.sequences_single, 32, vectors_str(inter, "hashSequences"));
    for (size_t i = 0; i < json_object_array_length(inputs); i++)
        check_key_spend(tx, &mid, json_object_array_get_idx(inputs, i));
    tx_unref(tx);

    raw = vectors_hex_member(member(v, "auxiliary"), "fullySignedTx", &len);
    tx = tx_decode(raw, len, false);
    free(raw);
    assert_non_null(tx);
    tx_midstate_init(&mid, tx, spent, false);
    for (uint32_t i = 0; i < tx->n_in; i++)
        assert_true(script_verify_input(NULL, tx, i, &spent[i], SCRIPT_VERIFY_STANDARD, &mid, NULL, false));
    for (uint32_t i = 0; i < n; i++)
        free((void *)(uintptr_t)spent[i].script);
    free(spent);
    tx_unref(tx);
}

static void bip341(void **state)
{
    struct json_object *v = vectors_json("script/bip341_wallet_vectors.json");

    (void)state;
    if (!v)
        return;
    bip341_outputs(member(v, "scriptPubKey"));
    bip341_spends(json_object_array_get_idx(member(v, "keyPathSpending"), 0));
    json_object_put(v);
}

/* The constants in sighash_v1.c are the tagged hashes that they claim to be. */
static void tags(void **state)
{
    static const uint8_t script[] = {1, 2, 3};
    const uint8_t leaf_message[] = {0xc0, 3, 1, 2, 3};
    uint8_t pair[64] = {0}, got[32], want[32];
    struct sha256 ctx;

    (void)state;
    tapleaf_hash(got, 0xc0, script, sizeof(script));
    sha256_init_tagged(&ctx, "TapLeaf");
    sha256_write(&ctx, leaf_message, sizeof(leaf_message));
    sha256_finish(&ctx, want);
    assert_memory_equal(got, want, 32);
    pair[32] = 1;
    sha256_init_tagged(&ctx, "TapBranch");
    sha256_write(&ctx, pair, 64);
    sha256_finish(&ctx, want);
    tapbranch_hash(got, pair + 32, pair);
    assert_memory_equal(got, want, 32);
}

/* A script-path spend under construction: one leaf, key of secret 1 inside. */
struct spend {
    struct writer script;
    uint8_t leaf_version;
    struct witness_item arg[1100];
    size_t n_args;
    struct witness_item annex; /* len 0: none */
    uint8_t control[33];
    uint8_t leaf[32];
};

static const uint8_t secret[32] = {[31] = 7};

static void xonly_key(uint8_t out[32])
{
    uint8_t key[33];

    assert_true(pubkey_create(key, secret, true));
    memcpy(out, key + 1, 32);
}

static struct tx *finish_spend(struct spend *s, struct tx **credit)
{
    struct writer pk = WRITER_INIT, none = WRITER_INIT;
    uint8_t internal[32], output[32];
    int parity;

    xonly_key(internal);
    tapleaf_hash(s->leaf, s->leaf_version, s->script.data, s->script.len);
    assert_true(taproot_tweak(output, &parity, internal, s->leaf));
    s->control[0] = (uint8_t)(s->leaf_version | parity);
    memcpy(s->control + 1, internal, 32);
    write_u8(&pk, OP_1);
    script_write_push(&pk, output, 32);
    *credit = make_credit(&pk, 1000);
    size_t n = s->n_args;
    s->arg[n++] = (struct witness_item){s->script.len ? s->script.data : (const uint8_t *)"", (uint32_t)s->script.len};
    s->arg[n++] = (struct witness_item){s->control, 33};
    if (s->annex.len)
        s->arg[n++] = s->annex;
    struct tx *tx = make_spend(*credit, &none, s->arg, n);
    writer_clear(&pk);
    return tx;
}

static enum script_error run_spend(struct spend *s, uint32_t flags)
{
    struct tx *credit, *tx = finish_spend(s, &credit);
    struct tx_midstate mid;
    enum script_error err;

    tx_midstate_init(&mid, tx, credit->out, false);
    script_verify_input(&err, tx, 0, &credit->out[0], flags, &mid, NULL, false);
    tx_unref(tx);
    tx_unref(credit);
    return err;
}

/* Signs a spend whose first argument is to be the signature. codesep: position to commit to. */
static void sign_spend(struct spend *s, uint8_t sig[65], uint8_t hash_type, uint32_t codesep)
{
    struct tx *credit, *tx = finish_spend(s, &credit);
    struct sighash_v1_ctx extra = {NULL, s->leaf, codesep, NULL};
    struct tx_midstate mid;
    uint8_t annex_hash[32], hash[32];
    struct writer annex = WRITER_INIT;

    if (s->annex.len) {
        assert_true(s->annex.len < 253);
        write_u8(&annex, (uint8_t)s->annex.len);
        write_bytes(&annex, s->annex.data, s->annex.len);
        sha256(annex_hash, annex.data, annex.len);
        extra.annex_hash = annex_hash;
        writer_clear(&annex);
    }
    tx_midstate_init(&mid, tx, credit->out, true);
    assert_true(sighash_v1(hash, tx, 0, hash_type, &extra, &mid));
    assert_true(schnorr_sign(sig, hash, 32, secret, NULL));
    sig[64] = hash_type;
    tx_unref(tx);
    tx_unref(credit);
}

static void start_spend(struct spend *s, const char *text)
{
    memset(s, 0, sizeof(*s));
    s->script = script_of(text);
    s->leaf_version = 0xc0;
}

static enum script_error run_text(const char *text, const struct witness_item *args, size_t n, uint32_t flags)
{
    static struct spend s;

    start_spend(&s, text);
    for (size_t i = 0; i < n; i++)
        s.arg[i] = args[i];
    s.n_args = n;
    const enum script_error err = run_spend(&s, flags);
    writer_clear(&s.script);
    return err;
}

static void tapscript_rules(void **state)
{
    static const uint8_t one[1] = {1}, two[1] = {2}, big[521] = {0};
    const struct witness_item yes[] = {{one, 1}}, odd[] = {{two, 1}}, too_big[] = {{big, 521}}, empty[] = {{one, 0}};
    const uint32_t std = SCRIPT_VERIFY_STANDARD, mandatory = SCRIPT_VERIFY_MANDATORY;

    (void)state;
    assert_int_equal(run_text("", yes, 1, std), SCRIPT_ERR_OK);
    assert_int_equal(run_text("", empty, 1, std), SCRIPT_ERR_EVAL_FALSE);
    assert_int_equal(run_text("1", yes, 1, std), SCRIPT_ERR_CLEANSTACK);
    assert_int_equal(run_text("DROP 1", too_big, 1, std), SCRIPT_ERR_PUSH_SIZE);
    assert_int_equal(run_text("IF 1 ELSE 1 ENDIF", odd, 1, mandatory), SCRIPT_ERR_TAPSCRIPT_MINIMALIF);
    assert_int_equal(run_text("NOTIF 1 ELSE 1 ENDIF", yes, 1, mandatory), SCRIPT_ERR_OK);
    assert_int_equal(run_text("0 0 CHECKMULTISIG", yes, 1, mandatory), SCRIPT_ERR_TAPSCRIPT_CHECKMULTISIG);
    /* OP_SUCCESS overrides all, what is malformed before it excepted */
    assert_int_equal(run_text("RETURN 0x50", too_big, 1, mandatory), SCRIPT_ERR_OK);
    assert_int_equal(run_text("RETURN 0x50 0x4c", too_big, 1, mandatory), SCRIPT_ERR_OK);
    assert_int_equal(run_text("RETURN 0xfe", too_big, 1, mandatory), SCRIPT_ERR_OK);
    assert_int_equal(run_text("RETURN 0x50", yes, 1, std), SCRIPT_ERR_DISCOURAGE_OP_SUCCESS);
    assert_int_equal(run_text("0x05 0x50", yes, 1, mandatory), SCRIPT_ERR_BAD_OPCODE);
    assert_int_equal(run_text("0xff", yes, 1, mandatory), SCRIPT_ERR_BAD_OPCODE);
    /* keys */
    assert_int_equal(run_text("0 CHECKSIG", yes, 1, mandatory), SCRIPT_ERR_TAPSCRIPT_EMPTY_PUBKEY);
    assert_int_equal(run_text("0 CHECKSIG NOT", empty, 1, mandatory), SCRIPT_ERR_TAPSCRIPT_EMPTY_PUBKEY);
    assert_int_equal(run_text("1 CHECKSIG", yes, 1, mandatory), SCRIPT_ERR_OK);
    assert_int_equal(run_text("1 CHECKSIG NOT", empty, 1, mandatory), SCRIPT_ERR_OK);
    assert_int_equal(run_text("1 CHECKSIG", yes, 1, std), SCRIPT_ERR_DISCOURAGE_UPGRADABLE_PUBKEYTYPE);
    assert_int_equal(run_text("5 2 0xba 6 EQUAL", yes, 1, mandatory), SCRIPT_ERR_OK);
    assert_int_equal(run_text("5 2 0xba 5 EQUAL", empty, 1, mandatory), SCRIPT_ERR_OK);
    assert_int_equal(run_text("2 0xba", yes, 1, mandatory), SCRIPT_ERR_INVALID_STACK_OPERATION);
    assert_int_equal(run_asm("0 0 2", "0xba", mandatory), SCRIPT_ERR_BAD_OPCODE);
}

/* The budget is 50 and the witness size; each signature that is not empty takes 50 off. The key here is of an unknown type. */
static void budget(void **state)
{
    static struct spend s;
    static uint8_t filler[50];
    struct writer text = WRITER_INIT;

    (void)state;
    for (unsigned checks = 1; checks < 40; checks++) {
        start_spend(&s, "");
        for (unsigned i = 0; i < checks; i++) {
            const uint8_t op[] = {OP_DUP, OP_1, OP_CHECKSIGVERIFY};
            write_bytes(&s.script, op, sizeof(op));
        }
        s.arg[0] = (struct witness_item){filler, 50};
        filler[0] = 1;
        s.n_args = 1;
        const int64_t size = 1 + 51 + 1 + (int64_t)s.script.len + 34;
        assert_int_equal(run_spend(&s, SCRIPT_VERIFY_MANDATORY),
                         50 + size - 50 * (int64_t)checks >= 0 ? SCRIPT_ERR_OK : SCRIPT_ERR_TAPSCRIPT_VALIDATION_WEIGHT);
        writer_clear(&s.script);
    }
    writer_clear(&text);
}

static void signatures(void **state)
{
    static const uint8_t annex[] = {0x50, 1, 2, 3};
    static struct spend s;
    uint8_t key[32], sig[65];
    char text[200], hex[65];

    (void)state;
    xonly_key(key);
    hex_encode(hex, key, 32);
    for (int with_annex = 0; with_annex < 2; with_annex++) {
        for (int separator = 0; separator < 2; separator++) {
            snprintf(text, sizeof(text), "%s 0x20 0x%s CHECKSIG", separator ? "CODESEPARATOR" : "NOP", hex);
            for (int type = 0; type < 256; type++) {
                const bool defined = type <= 3 || (type >= 0x81 && type <= 0x83);
                start_spend(&s, text);
                if (with_annex)
                    s.annex = (struct witness_item){annex, sizeof(annex)};
                s.n_args = 1;
                s.arg[0] = (struct witness_item){sig, 65};
                memset(sig, 0, sizeof(sig));
                if (defined)
                    sign_spend(&s, sig, (uint8_t)type, separator ? 0 : 0xffffffff);
                sig[64] = (uint8_t)type;
                s.arg[0].len = type ? 65 : 64;
                assert_int_equal(run_spend(&s, SCRIPT_VERIFY_MANDATORY), defined ? SCRIPT_ERR_OK : SCRIPT_ERR_SCHNORR_SIG_HASHTYPE);
                if (type == 0) {
                    s.arg[0].len = 65;
                    assert_int_equal(run_spend(&s, SCRIPT_VERIFY_MANDATORY), SCRIPT_ERR_SCHNORR_SIG_HASHTYPE);
                    s.arg[0].len = 63;
                    assert_int_equal(run_spend(&s, SCRIPT_VERIFY_MANDATORY), SCRIPT_ERR_SCHNORR_SIG_SIZE);
                    s.arg[0].len = 64;
                    sig[5] ^= 1;
                    assert_int_equal(run_spend(&s, SCRIPT_VERIFY_MANDATORY), SCRIPT_ERR_SCHNORR_SIG);
                    sig[5] ^= 1;
                    /* the annex is signed */
                    s.annex = with_annex ? (struct witness_item){NULL, 0} : (struct witness_item){annex, sizeof(annex)};
                    assert_int_equal(run_spend(&s, SCRIPT_VERIFY_MANDATORY), SCRIPT_ERR_SCHNORR_SIG);
                }
                writer_clear(&s.script);
            }
        }
    }
}

static void control_and_versions(void **state)
{
    static struct spend s;
    struct tx *credit, *tx;
    struct tx_midstate mid;
    enum script_error err;

    (void)state;
    start_spend(&s, "RETURN");
    s.leaf_version = 0xc2;
    assert_int_equal(run_spend(&s, SCRIPT_VERIFY_MANDATORY), SCRIPT_ERR_OK);
    assert_int_equal(run_spend(&s, SCRIPT_VERIFY_STANDARD), SCRIPT_ERR_DISCOURAGE_UPGRADABLE_TAPROOT_VERSION);
    tx = finish_spend(&s, &credit);
    for (uint32_t len = 0; len < 70; len++) {
        static uint8_t control[80];
        const uint8_t *script = s.script.data;
        const struct witness_item items[] = {{script, 1}, {control, len}};
        struct writer none = WRITER_INIT;
        struct tx *wrong = make_spend(credit, &none, items, 2);
        memcpy(control, s.control, 33);
        tx_midstate_init(&mid, wrong, credit->out, true);
        script_verify_input(&err, wrong, 0, &credit->out[0], SCRIPT_VERIFY_MANDATORY, &mid, NULL, false);
        assert_int_equal(err, len == 33   ? SCRIPT_ERR_OK
                              : len == 65 ? SCRIPT_ERR_WITNESS_PROGRAM_MISMATCH
                                          : SCRIPT_ERR_TAPROOT_WRONG_CONTROL_SIZE);
        tx_unref(wrong);
    }
    /* without the spent outputs no taproot signature can be right, and nothing crashes */
    const uint8_t sig[64] = {0};
    const struct witness_item key_path[] = {{sig, 64}};
    struct writer none = WRITER_INIT;
    struct tx *key_spend = make_spend(credit, &none, key_path, 1);
    assert_false(script_verify_input(&err, key_spend, 0, &credit->out[0], SCRIPT_VERIFY_MANDATORY, NULL, NULL, false));
    assert_true(script_verify_input(&err, key_spend, 0, &credit->out[0], SCRIPT_VERIFY_MANDATORY & ~SCRIPT_VERIFY_TAPROOT, NULL,
                                    NULL, false));
    tx_unref(key_spend);
    tx_unref(tx);
    tx_unref(credit);
    writer_clear(&s.script);
}

/* 1000 elements are the limit, in the initial stack and while running. */
static void stack_limits(void **state)
{
    static struct spend s;
    static const uint8_t one[1] = {1};

    (void)state;
    start_spend(&s, "");
    for (size_t i = 0; i < 499; i++)
        write_u8(&s.script, OP_2DROP);
    write_u8(&s.script, OP_DROP);
    for (size_t i = 0; i < 1002; i++)
        s.arg[i] = (struct witness_item){one, 1};
    s.n_args = 1000;
    assert_int_equal(run_spend(&s, SCRIPT_VERIFY_MANDATORY), SCRIPT_ERR_OK);
    s.n_args = 1001;
    assert_int_equal(run_spend(&s, SCRIPT_VERIFY_MANDATORY), SCRIPT_ERR_STACK_SIZE);
    s.n_args = 1000;
    s.script.data[0] = OP_3DUP;
    assert_int_equal(run_spend(&s, SCRIPT_VERIFY_MANDATORY), SCRIPT_ERR_STACK_SIZE);
    s.script.data[0] = OP_TOALTSTACK;
    s.script.data[1] = OP_DUP;
    assert_int_equal(run_spend(&s, SCRIPT_VERIFY_MANDATORY), SCRIPT_ERR_STACK_SIZE);
    writer_clear(&s.script);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bip341),       cmocka_unit_test(tags),       cmocka_unit_test(tapscript_rules),
        cmocka_unit_test(budget),       cmocka_unit_test(signatures), cmocka_unit_test(control_and_versions),
        cmocka_unit_test(stack_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
