/* sign_input.c - makes the scriptSig and witness of one input out of keys, scripts and the signatures that are there already. Called by
 * RPC on pool threads and by mining/signet.c; pure. */
#include <stdlib.h>

#include "crypto/hash.h"
#include "crypto/keys.h"
#include "crypto/sha256.h"
#include "script/script.h"
#include "script/sign.h"
#include "util/mem.h"

#define SEEN_MAX 1024 /* items of other states looked at; 20 signatures are the most that one input needs */
#define SIG_MIN 9
#define SIG_MAX 73

struct signer {
    const struct sign_job *job;
    struct arena arena;
    struct witness_item seen[SEEN_MAX];
    size_t n_seen;
    struct witness_item stack[MAX_PUBKEYS_PER_MULTISIG + 4];
    size_t n;
};

/* ---- what is known ---- */

bool keyring_add_key(struct keyring *ring, const uint8_t secret[32], bool compressed)
{
    struct sign_key *k;

    ring->keys = xrealloc(ring->keys, (ring->n_keys + 1) * sizeof(*ring->keys));
    k = &ring->keys[ring->n_keys];
    memset(k, 0, sizeof(*k));
    k->pub_len = compressed ? 33 : 65;
    if (!pubkey_create(k->pub, secret, compressed))
        return false;
    memcpy(k->secret, secret, 32);
    hash160(k->hash, k->pub, k->pub_len);
    ring->n_keys++;
    return true;
}

void keyring_add_script(struct keyring *ring, const uint8_t *script, size_t len)
{
    ring->scripts = xrealloc(ring->scripts, (ring->n_scripts + 1) * sizeof(*ring->scripts));
    ring->scripts[ring->n_scripts].data = xmemdup(script, len ? len : 1);
    ring->scripts[ring->n_scripts++].len = (uint32_t)len;
}

void keyring_clear(struct keyring *ring)
{
    for (size_t i = 0; i < ring->n_keys; i++)
        crypto_wipe(ring->keys[i].secret, sizeof(ring->keys[i].secret));
    for (size_t i = 0; i < ring->n_scripts; i++)
        free((void *)(uintptr_t)ring->scripts[i].data);
    free(ring->keys);
    free(ring->scripts);
    memset(ring, 0, sizeof(*ring));
}

static void see(struct signer *s, const uint8_t *data, size_t len)
{
    if (len > 0 && s->n_seen < SEEN_MAX)
        s->seen[s->n_seen++] = (struct witness_item){data, (uint32_t)len};
}

static void see_sources(struct signer *s)
{
    for (size_t i = 0; i < s->job->n_sources; i++) {
        const struct tx_in *in = &s->job->sources[i]->in[s->job->n];
        const uint8_t *pos = in->script, *end = pos + in->script_len, *data;
        size_t len;
        uint8_t op;
        while (script_next(&pos, end, &op, &data, &len)) {
            if (data)
                see(s, data, len);
        }
        for (uint32_t k = 0; k < in->witness_count; k++)
            see(s, in->witness[k].data, in->witness[k].len);
    }
}

static bool has_hash(const struct witness_item *item, const uint8_t *hash, size_t hash_len)
{
    uint8_t h[32];

    if (hash_len == 20)
        hash160(h, item->data, item->len);
    else
        sha256(h, item->data, item->len);
    return memcmp(h, hash, hash_len) == 0;
}

/* The script behind a HASH160 (20 bytes) or SHA-256 (32), NULL if it is not known. */
static const struct witness_item *script_of_hash(const struct signer *s, const uint8_t *hash, size_t hash_len)
{
    const struct keyring *ring = s->job->ring;

    for (size_t i = 0; i < ring->n_scripts; i++) {
        if (has_hash(&ring->scripts[i], hash, hash_len))
            return &ring->scripts[i];
    }
    for (size_t i = 0; i < s->n_seen; i++) {
        if (has_hash(&s->seen[i], hash, hash_len))
            return &s->seen[i];
    }
    return NULL;
}

static struct witness_item pubkey_of_hash(const struct signer *s, const uint8_t hash[20])
{
    const struct keyring *ring = s->job->ring;

    for (size_t i = 0; i < ring->n_keys; i++) {
        if (memcmp(ring->keys[i].hash, hash, 20) == 0)
            return (struct witness_item){ring->keys[i].pub, (uint32_t)ring->keys[i].pub_len};
    }
    for (size_t i = 0; i < s->n_seen; i++) {
        if ((s->seen[i].len == 33 || s->seen[i].len == 65) && has_hash(&s->seen[i], hash, 20))
            return s->seen[i];
    }
    return (struct witness_item){NULL, 0};
}

/* ---- signatures ---- */

/* The script that a signature commits to, and by which rules. */
struct sign_code {
    const uint8_t *script;
    size_t len;
    bool witness;
};

static void message_of(const struct signer *s, uint8_t out[32], const struct sign_code *code, uint8_t hash_type)
{
    const struct sign_job *job = s->job;

    if (code->witness)
        sighash_v0(out, job->tx, job->n, code->script, code->len, job->spent->value, hash_type, job->mid);
    else
        sighash_legacy(out, job->tx, job->n, code->script, code->len, hash_type);
}

static bool may_sign(const struct signer *s)
{
    return (s->job->hash_type & 0x1f) != SIGHASH_SINGLE || s->job->n < s->job->tx->n_out;
}

static bool push(struct signer *s, const uint8_t *data, size_t len)
{
    s->stack[s->n++] = (struct witness_item){data, (uint32_t)len};
    return true;
}

static bool push_seen_sig(struct signer *s, const struct sign_code *code, const uint8_t *pub, size_t pub_len)
{
    uint8_t message[32];

    for (size_t i = 0; i < s->n_seen; i++) {
        const struct witness_item *sig = &s->seen[i];
        if (sig->len < SIG_MIN || sig->len > SIG_MAX || sig->data[0] != 0x30)
            continue;
        message_of(s, message, code, sig->data[sig->len - 1]);
        if (ecdsa_verify(sig->data, sig->len - 1, message, pub, pub_len))
            return push(s, sig->data, sig->len);
    }
    return false;
}

/* Pushes a signature of this key, an old or a new one. */
static bool push_sig(struct signer *s, const struct sign_code *code, const uint8_t *pub, size_t pub_len)
{
    const struct keyring *ring = s->job->ring;
    uint8_t message[32], type = s->job->hash_type ? s->job->hash_type : SIGHASH_ALL;

    if (push_seen_sig(s, code, pub, pub_len))
        return true;
    for (size_t i = 0; i < ring->n_keys && may_sign(s); i++) {
        const struct sign_key *k = &ring->keys[i];
        uint8_t *sig;
        size_t len;
        if (k->pub_len != pub_len || memcmp(k->pub, pub, pub_len) != 0 || (code->witness && pub_len != 33))
            continue;
        sig = arena_alloc(&s->arena, SIG_MAX);
        message_of(s, message, code, type);
        if (!ecdsa_sign(sig, &len, message, k->secret))
            return false;
        sig[len++] = type;
        return push(s, sig, len);
    }
    return false;
}

/* ---- scripts ---- */

static void push_key_hash(struct signer *s, const struct sign_code *code, const uint8_t hash[20])
{
    struct witness_item pub = pubkey_of_hash(s, hash);

    if (pub.data && push_sig(s, code, pub.data, pub.len))
        push(s, pub.data, pub.len);
}

static void push_multisig(struct signer *s, const struct sign_code *code, const struct script_solution *sol)
{
    unsigned have = 0;

    push(s, NULL, 0); /* what OP_CHECKMULTISIG takes too much */
    for (unsigned i = 0; i < sol->n && have < sol->required; i++)
        have += push_sig(s, code, sol->item[i], sol->item_len[i]);
    for (; have < sol->required; have++)
        push(s, NULL, 0);
}

/* What satisfies a script that is no hash of another one. */
static void push_solution(struct signer *s, const struct sign_code *code)
{
    struct script_solution sol;

    switch (script_solve(&sol, code->script, code->len)) {
    case SCRIPT_PUBKEY:
        push_sig(s, code, sol.item[0], sol.item_len[0]);
        break;
    case SCRIPT_PUBKEYHASH:
        push_key_hash(s, code, sol.item[0]);
        break;
    case SCRIPT_MULTISIG:
        push_multisig(s, code, &sol);
        break;
    default:
        break;
    }
}

static void push_witness_v0(struct signer *s, const uint8_t *program, size_t len)
{
    const struct witness_item *script;

    if (len == 20) {
        uint8_t code[25] = {OP_DUP, OP_HASH160, 20};
        memcpy(code + 3, program, 20);
        code[23] = OP_EQUALVERIFY;
        code[24] = OP_CHECKSIG;
        push_key_hash(s, &(struct sign_code){code, sizeof(code), true}, program);
        return;
    }
    script = script_of_hash(s, program, len);
    if (!script)
        return;
    push_solution(s, &(struct sign_code){script->data, script->len, true});
    push(s, script->data, script->len);
}

/* Key path: the output's key is one of ours as it stands, or tweaked with no scripts (BIP86). */
static void push_taproot(struct signer *s, const uint8_t output[32])
{
    const struct sighash_v1_ctx ctx = {.codesep_pos = 0xffffffff};
    const struct sign_job *job = s->job;
    uint8_t message[32], tweaked[32], type = job->hash_type;
    int parity;

    if (!job->mid->has_v1 || !may_sign(s) || !sighash_v1(message, job->tx, job->n, type, &ctx, job->mid))
        return;
    for (size_t i = 0; i < job->ring->n_keys; i++) {
        const struct sign_key *k = &job->ring->keys[i];
        uint8_t *sig = arena_alloc(&s->arena, 65);
        bool plain = memcmp(k->pub + 1, output, 32) == 0;
        if (!plain && (!taproot_tweak(tweaked, &parity, k->pub + 1, NULL) || memcmp(tweaked, output, 32) != 0))
            continue;
        if (plain ? schnorr_sign(sig, message, 32, k->secret, NULL) : schnorr_sign_taproot(sig, message, k->secret, NULL, NULL)) {
            sig[64] = type;
            push(s, sig, type == SIGHASH_DEFAULT ? 64 : 65);
            return;
        }
    }
}

/* The stack as a scriptSig; numbers by their own opcodes. */
static void write_stack(struct writer *w, const struct signer *s)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct witness_item *item = &s->stack[i];
        if (item->len == 1 && (item->data[0] == 0x81 || (item->data[0] >= 1 && item->data[0] <= 16)))
            script_write_int(w, item->data[0] == 0x81 ? -1 : item->data[0]);
        else
            script_write_push(w, item->data, item->len);
    }
}

static void compose(struct signer *s, struct writer *script_sig, bool *witness)
{
    struct witness_item script = {s->job->spent->script, s->job->spent->script_len};
    const struct witness_item *redeem = NULL;
    const uint8_t *program;
    size_t len;
    int version;

    if (script_is_p2sh(script.data, script.len)) {
        redeem = script_of_hash(s, script.data + 2, 20);
        if (!redeem)
            return;
        script = *redeem;
    }
    *witness = script_is_witness_program(script.data, script.len, &version, &program, &len);
    if (*witness && version == 0 && (len == 20 || len == 32))
        push_witness_v0(s, program, len);
    else if (*witness && !redeem && script_is_p2tr(script.data, script.len))
        push_taproot(s, program);
    else if (!*witness)
        push_solution(s, &(struct sign_code){script.data, script.len, false});
    if (!*witness)
        write_stack(script_sig, s);
    if (redeem)
        script_write_push(script_sig, redeem->data, redeem->len);
}

void sign_input(struct tx_builder *b, const struct sign_job *job)
{
    struct signer *s = xcalloc(1, sizeof(*s));
    struct writer script_sig = WRITER_INIT;
    bool witness = false;

    s->job = job;
    see_sources(s);
    compose(s, &script_sig, &witness);
    tx_builder_set_script(b, job->n, script_sig.len ? script_sig.data : (const uint8_t *)"", script_sig.len);
    tx_builder_set_witness(b, job->n, s->stack, witness ? s->n : 0);
    writer_clear(&script_sig);
    arena_clear(&s->arena);
    free(s);
}
