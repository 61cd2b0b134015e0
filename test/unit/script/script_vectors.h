/* script_vectors.h - what the script tests share: flags by name, assembly from JSON, transactions that spend one output. */
#ifndef FARTHING_TEST_SCRIPT_VECTORS_H
#define FARTHING_TEST_SCRIPT_VECTORS_H

#include "vectors.h"

#include "script/script.h"
#include "script/verify.h"

#define ALL_SCRIPT_FLAGS ((1u << 21) - 1)

static inline uint32_t flag_by_name(const char *name, size_t len)
{
    static const char *const names[] = {"P2SH",
                                        "STRICTENC",
                                        "DERSIG",
                                        "LOW_S",
                                        "NULLDUMMY",
                                        "SIGPUSHONLY",
                                        "MINIMALDATA",
                                        "DISCOURAGE_UPGRADABLE_NOPS",
                                        "CLEANSTACK",
                                        "CHECKLOCKTIMEVERIFY",
                                        "CHECKSEQUENCEVERIFY",
                                        "WITNESS",
                                        "DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM",
                                        "MINIMALIF",
                                        "NULLFAIL",
                                        "WITNESS_PUBKEYTYPE",
                                        "CONST_SCRIPTCODE",
                                        "TAPROOT",
                                        "DISCOURAGE_UPGRADABLE_TAPROOT_VERSION",
                                        "DISCOURAGE_OP_SUCCESS",
                                        "DISCOURAGE_UPGRADABLE_PUBKEYTYPE"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0)
            return 1u << i;
    }
    fprintf(stderr, "unknown flag %.*s\n", (int)len, name);
    exit(1);
}

/* "P2SH,WITNESS", "" or "NONE". */
static inline uint32_t flags_from_text(const char *text)
{
    uint32_t flags = 0;

    if (!strcmp(text, "NONE"))
        return 0;
    while (*text) {
        const size_t len = strcspn(text, ",");
        flags |= flag_by_name(text, len);
        text += len + (text[len] == ',');
    }
    return flags;
}

static inline struct writer script_of(const char *text)
{
    struct writer w = WRITER_INIT;

    if (!script_from_asm(&w, text)) {
        fprintf(stderr, "not assembly: %s\n", text);
        exit(1);
    }
    return w;
}

/* The transaction of the script vectors that makes one output, and the one that spends it. */
static inline struct tx *make_credit(const struct writer *script, int64_t value)
{
    struct tx_builder b;
    struct outpoint null = {.n = OUTPOINT_NULL_N};

    tx_builder_init(&b, 1, 0);
    tx_builder_add_in(&b, &null, "\0\0", 2, SEQUENCE_FINAL);
    tx_builder_add_out(&b, value, script->data, script->len);
    struct tx *tx = tx_build(&b);
    tx_builder_clear(&b);
    return tx;
}

static inline struct tx *make_spend(const struct tx *credit, const struct writer *script_sig, const struct witness_item *witness,
                                    size_t n)
{
    struct tx_builder b;
    struct outpoint from = {.txid = credit->txid, .n = 0};

    tx_builder_init(&b, 1, 0);
    tx_builder_add_in(&b, &from, script_sig->data, script_sig->len, SEQUENCE_FINAL);
    if (n)
        tx_builder_set_witness(&b, 0, witness, n);
    tx_builder_add_out(&b, credit->out[0].value, "", 0);
    struct tx *tx = tx_build(&b);
    tx_builder_clear(&b);
    return tx;
}

/* Runs input 0 of a spend of these; returns the error. */
static inline enum script_error run_scripts(const struct writer *script_sig, const struct writer *script_pubkey,
                                            const struct witness_item *witness, size_t n, int64_t value, uint32_t flags)
{
    struct tx *credit = make_credit(script_pubkey, value), *spend = make_spend(credit, script_sig, witness, n);
    struct tx_midstate mid;
    enum script_error err;

    tx_midstate_init(&mid, spend, credit->out, false);
    if (script_verify_input(&err, spend, 0, &credit->out[0], flags, &mid, NULL, false) != (err == SCRIPT_ERR_OK)) {
        fprintf(stderr, "the result does not agree with the error\n");
        exit(1);
    }
    tx_unref(spend);
    tx_unref(credit);
    return err;
}

/* The same from assembly, without witness. */
static inline enum script_error run_asm(const char *script_sig, const char *script_pubkey, uint32_t flags)
{
    struct writer sig = script_of(script_sig), pk = script_of(script_pubkey);
    const enum script_error err = run_scripts(&sig, &pk, NULL, 0, 0, flags);

    writer_clear(&sig);
    writer_clear(&pk);
    return err;
}

#endif
