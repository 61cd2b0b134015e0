/* sign_input.c - makes the scriptSig and witness of one input out of keys, scripts and the signatures that are there already. Called by
 * RPC on pool threads and by mining/signet.c; pure. Taproot outputs: sign_taproot.c. */
#include <stdlib.h>

#include "crypto/hash.h"
#include "crypto/keys.h"
#include "crypto/sha256.h"
#include "script/script.h"
#include "script/signer.h"
#include "util/mem.h"

#define DUMMY_ECDSA_SIZE 71

static const struct witness_item nothing = {NULL, 0};

/* ---- what is known ---- */

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

/* The script behind a HASH160 (20 bytes) or SHA-256 (32); NULL data if it is not known. */
static struct witness_item script_of_hash(struct signer *s, const uint8_t *hash, size_t hash_len)
{
    const struct sign_data *d = s->data;
    struct witness_item redeem = {d->redeem_script, (uint32_t)d->redeem_len},
                        witness = {d->witness_script, (uint32_t)d->witness_len};
    const struct witness_item *found = keyring_find_script(s->job->ring, hash, hash_len);

    if (found)
        return *found;
    /* copies, as what is found takes the place of what was given */
    if (redeem.data && has_hash(&redeem, hash, hash_len))
        return (struct witness_item){arena_copy(&s->arena, redeem.data, redeem.len), redeem.len};
    if (witness.data && has_hash(&witness, hash, hash_len))
        return (struct witness_item){arena_copy(&s->arena, witness.data, witness.len), witness.len};
    for (size_t i = 0; i < s->n_seen; i++) {
        if (has_hash(&s->seen[i], hash, hash_len))
            return s->seen[i];
    }
    return nothing;
}

/* Keeps the script that was found; one that was given before may be another output's. */
static void set_script(uint8_t **script, size_t *len, const struct witness_item *found)
{
    free(*script);
    *script = xmemdup(found->data, found->len);
    *len = found->len;
}

static void note_missing(uint8_t (**list)[20], size_t *n, const uint8_t hash[20])
{
    *list = xrealloc(*list, (*n + 1) * sizeof(**list));
    memcpy((*list)[(*n)++], hash, 20);
}

struct witness_item signer_pub_of_hash(struct signer *s, const uint8_t hash[20], bool x_only)
{
    uint8_t pub[65], h[20];
    size_t len;

    if (keyring_find_pub(pub, &len, s->job->ring, hash, x_only))
        return (struct witness_item){arena_copy(&s->arena, pub, len), (uint32_t)len};
    for (size_t i = 0; i < s->data->n_sigs && !x_only; i++) {
        const struct sign_sig *sig = &s->data->sigs[i];
        hash160(h, sig->pub, sig->pub_len);
        if (sig->kind == SIGN_ECDSA && memcmp(h, hash, 20) == 0)
            return (struct witness_item){arena_copy(&s->arena, sig->pub, sig->pub_len), sig->pub_len};
    }
    for (size_t i = 0; i < s->n_seen && !x_only; i++) {
        if ((s->seen[i].len == 33 || s->seen[i].len == 65) && has_hash(&s->seen[i], hash, 20))
            return s->seen[i];
    }
    note_missing(&s->data->missing_pubs, &s->data->n_missing_pubs, hash);
    return nothing;
}

/* ---- signatures ---- */

static void message_of(const struct signer *s, uint8_t out[32], const struct sign_code *code, uint8_t hash_type)
{
    const struct sign_job *job = s->job;

    if (code->witness)
        sighash_v0(out, job->tx, job->n, code->script, code->len, job->spent->value, hash_type, job->mid);
    else
        sighash_legacy(out, job->tx, job->n, code->script, code->len, hash_type);
}

bool signer_note(struct signer *s, const uint8_t *pub, size_t pub_len, const uint8_t *leaf_hash, bool signs)
{
    struct sign_data *d = s->data;
    struct sign_try *t;

    if ((d->n_tried & (d->n_tried - 1)) == 0) /* doubles at powers of two */
        d->tried = xrealloc(d->tried, (d->n_tried ? 2 * d->n_tried : 1) * sizeof(*d->tried));
    t = &d->tried[d->n_tried++];
    memset(t, 0, sizeof(*t));
    memcpy(t->pub, pub, pub_len);
    t->pub_len = (uint8_t)pub_len;
    t->in_leaf = leaf_hash != NULL;
    t->signs = signs;
    if (leaf_hash)
        memcpy(t->leaf, leaf_hash, 32);
    return signs;
}

bool signer_push(struct signer *s, const uint8_t *data, size_t len)
{
    if (s->n == s->cap) {
        s->cap = s->cap ? 2 * s->cap : 16;
        s->stack = xrealloc(s->stack, s->cap * sizeof(*s->stack));
    }
    s->stack[s->n++] = (struct witness_item){data, (uint32_t)len};
    return true;
}

static bool seen_sig(const struct signer *s, struct sign_sig *out, const struct sign_code *code)
{
    uint8_t message[32];

    for (size_t i = 0; i < s->n_seen; i++) {
        const struct witness_item *sig = &s->seen[i];
        if (sig->len < SIG_MIN || sig->len > SIG_MAX || sig->data[0] != 0x30)
            continue;
        message_of(s, message, code, sig->data[sig->len - 1]);
        if (!ecdsa_verify(sig->data, sig->len - 1, message, out->pub, out->pub_len))
            continue;
        memcpy(out->sig, sig->data, sig->len);
        out->len = (uint8_t)sig->len;
        return true;
    }
    return false;
}

static bool new_sig(const struct signer *s, struct sign_sig *out, const struct sign_code *code)
{
    const struct sign_job *job = s->job;
    uint8_t message[32], type = job->hash_type ? job->hash_type : SIGHASH_ALL;
    const struct sign_key *k;
    size_t len;

    if (job->dummy) {
        memset(out->sig, 0, DUMMY_ECDSA_SIZE);
        out->len = DUMMY_ECDSA_SIZE;
        return true;
    }
    if ((job->hash_type & 0x1f) == SIGHASH_SINGLE && job->n >= job->tx->n_out && !job->any_single)
        return false;
    k = keyring_find_key(job->ring, out->pub, out->pub_len);
    if (!k || (code->witness && out->pub_len != 33))
        return false;
    message_of(s, message, code, type);
    if (!ecdsa_sign(out->sig, &len, message, k->secret))
        return false;
    out->sig[len] = type;
    out->len = (uint8_t)(len + 1);
    return true;
}

struct witness_item signer_ecdsa(struct signer *s, const struct sign_code *code, const uint8_t *pub, size_t pub_len)
{
    struct sign_sig sig = {.kind = SIGN_ECDSA, .pub_len = (uint8_t)pub_len};
    const struct sign_sig *have = sign_data_find(s->data, SIGN_ECDSA, pub, pub_len, NULL);
    uint8_t hash[20];

    if (have)
        return (struct witness_item){arena_copy(&s->arena, have->sig, have->len), have->len};
    memcpy(sig.pub, pub, pub_len);
    if (!signer_note(s, pub, pub_len, NULL, seen_sig(s, &sig, code) || new_sig(s, &sig, code))) {
        hash160(hash, pub, pub_len);
        note_missing(&s->data->missing_sigs, &s->data->n_missing_sigs, hash);
        return nothing;
    }
    sign_data_add(s->data, &sig);
    return (struct witness_item){arena_copy(&s->arena, sig.sig, sig.len), sig.len};
}

/* ---- scripts ---- */

static bool push_sig(struct signer *s, const struct sign_code *code, const uint8_t *pub, size_t pub_len)
{
    struct witness_item sig = signer_ecdsa(s, code, pub, pub_len);

    return sig.data && signer_push(s, sig.data, sig.len);
}

static bool push_key_hash(struct signer *s, const struct sign_code *code, const uint8_t hash[20])
{
    struct witness_item pub = signer_pub_of_hash(s, hash, false);

    return pub.data && push_sig(s, code, pub.data, pub.len) && signer_push(s, pub.data, pub.len);
}

/* Every key signs, as others may put the signatures together; only as many as are needed stand on the stack. */
static bool push_multisig(struct signer *s, const struct sign_code *code, const struct script_solution *sol)
{
    unsigned have = 0;
    bool ok;

    signer_push(s, NULL, 0); /* what OP_CHECKMULTISIG takes too much */
    for (unsigned i = 0; i < sol->n; i++) {
        struct witness_item sig = signer_ecdsa(s, code, sol->item[i], sol->item_len[i]);
        if (sig.data && have < sol->required)
            have += signer_push(s, sig.data, sig.len);
    }
    ok = have == sol->required;
    for (; have < sol->required; have++)
        signer_push(s, NULL, 0);
    return ok;
}

/* What satisfies a script that is no hash of another one. */
static bool push_solution(struct signer *s, const struct sign_code *code)
{
    struct script_solution sol;

    switch (script_solve(&sol, code->script, code->len)) {
    case SCRIPT_PUBKEY:
        return push_sig(s, code, sol.item[0], sol.item_len[0]);
    case SCRIPT_PUBKEYHASH:
        return push_key_hash(s, code, sol.item[0]);
    case SCRIPT_MULTISIG:
        return push_multisig(s, code, &sol);
    case SCRIPT_ANCHOR:
        return true;
    default:
        return false;
    }
}

static bool push_witness_v0(struct signer *s, const uint8_t *program, size_t len)
{
    struct witness_item script;
    struct sign_code code;
    bool ok;

    if (len == 20) {
        uint8_t p2pkh[25] = {OP_DUP, OP_HASH160, 20};
        memcpy(p2pkh + 3, program, 20);
        p2pkh[23] = OP_EQUALVERIFY;
        p2pkh[24] = OP_CHECKSIG;
        return push_key_hash(s, &(struct sign_code){p2pkh, sizeof(p2pkh), true}, program);
    }
    script = script_of_hash(s, program, len);
    if (!script.data) {
        s->data->lacks_witness = true;
        memcpy(s->data->missing_witness, program, 32);
        return false;
    }
    set_script(&s->data->witness_script, &s->data->witness_len, &script);
    code = (struct sign_code){script.data, script.len, true};
    ok = push_solution(s, &code) || (s->n == 0 && signer_miniscript(s, &code, NULL));
    signer_push(s, script.data, script.len);
    return ok;
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

/* The script behind a P2SH output. Returns: NULL data if it is not known. */
static struct witness_item find_redeem(struct signer *s, const uint8_t hash[20])
{
    struct witness_item redeem = script_of_hash(s, hash, 20);

    if (!redeem.data) {
        s->data->lacks_redeem = true;
        memcpy(s->data->missing_redeem, hash, 20);
    } else {
        set_script(&s->data->redeem_script, &s->data->redeem_len, &redeem);
    }
    return redeem;
}

static void compose(struct signer *s, struct writer *script_sig)
{
    struct witness_item script = {s->job->spent->script, s->job->spent->script_len}, redeem = nothing;
    const uint8_t *program;
    bool witness, ok = false;
    size_t len;
    int version;

    if (script_is_p2sh(script.data, script.len)) {
        redeem = find_redeem(s, script.data + 2);
        if (!redeem.data)
            return;
        script = redeem;
    }
    witness = script_is_witness_program(script.data, script.len, &version, &program, &len);
    if (witness && version == 0 && (len == 20 || len == 32))
        ok = push_witness_v0(s, program, len);
    else if (witness && !redeem.data && script_is_p2tr(script.data, script.len))
        ok = signer_taproot(s, program);
    else if (!witness || script_is_p2a(script.data, script.len))
        ok = push_solution(s, &(struct sign_code){script.data, script.len, false});
    if (!witness)
        write_stack(script_sig, s);
    if (redeem.data)
        script_write_push(script_sig, redeem.data, redeem.len);
    s->data->witness = witness;
    s->data->solved = ok;
}

void sign_input(struct tx_builder *b, const struct sign_job *job)
{
    struct signer *s = xcalloc(1, sizeof(*s));
    struct writer script_sig = WRITER_INIT;

    s->job = job;
    s->data = job->data ? job->data : &s->own;
    see_sources(s);
    compose(s, &script_sig);
    tx_builder_set_script(b, job->n, script_sig.len ? script_sig.data : (const uint8_t *)"", script_sig.len);
    tx_builder_set_witness(b, job->n, s->stack, s->data->witness ? s->n : 0);
    writer_clear(&script_sig);
    arena_clear(&s->arena);
    sign_data_clear(&s->own);
    free(s->stack);
    free(s);
}
