/* sign_taproot.c - satisfies taproot outputs (BIP341): by the output's key or by one of its scripts. Called by sign_input.c; pure. */
#include "crypto/keys.h"
#include "script/script.h"
#include "script/signer.h"

/* The hash that a signature of this input commits to. Returns: false if it cannot be known. */
static bool message_of(const struct signer *s, uint8_t message[32], const uint8_t *leaf_hash)
{
    const struct sighash_v1_ctx ctx = {.codesep_pos = 0xffffffff, .leaf_hash = leaf_hash};
    const struct sign_job *job = s->job;

    return job->mid->has_v1 && sighash_v1(message, job->tx, job->n, job->hash_type, &ctx, job->mid);
}

static void finish_sig(const struct signer *s, struct sign_sig *sig)
{
    sig->len = 64;
    if (s->job->hash_type != SIGHASH_DEFAULT && !s->job->dummy)
        sig->sig[sig->len++] = s->job->hash_type;
}

static struct witness_item keep(struct signer *s, const struct sign_sig *sig)
{
    return (struct witness_item){arena_copy(&s->arena, sig->sig, sig->len), sig->len};
}

/* Key path: with the internal key and the tweak, with a key of ours under the tweak of no scripts (BIP86), or with the output's key itself. */
static bool key_path_sig(const struct signer *s, struct sign_sig *sig, const uint8_t output[32])
{
    const struct sign_job *job = s->job;
    const struct tap_output *tap = keyring_find_tap(job->ring, output);
    uint8_t message[32], tweaked[32];
    const struct sign_key *k;
    int parity;

    if (job->dummy)
        return true;
    if (!message_of(s, message, NULL))
        return false;
    k = tap && tap->has_internal ? keyring_find_key(job->ring, tap->internal, 32) : NULL;
    if (k)
        return schnorr_sign_taproot(sig->sig, message, k->secret, tap->has_root ? tap->root : NULL, NULL);
    k = keyring_find_key(job->ring, output, 32);
    if (k)
        return schnorr_sign(sig->sig, message, 32, k->secret, NULL);
    for (size_t i = 0; i < job->ring->n_keys && !tap; i++) {
        k = &job->ring->keys[i];
        if (taproot_tweak(tweaked, &parity, k->pub + 1, NULL) && memcmp(tweaked, output, 32) == 0)
            return schnorr_sign_taproot(sig->sig, message, k->secret, NULL, NULL);
    }
    return false;
}

static bool push_key_path(struct signer *s, const uint8_t output[32])
{
    struct sign_sig sig = {.kind = SIGN_TAP_KEY};
    const struct sign_sig *have = sign_data_find(s->data, SIGN_TAP_KEY, NULL, 0, NULL);
    struct witness_item item;

    if (!have) {
        if (!key_path_sig(s, &sig, output))
            return false;
        finish_sig(s, &sig);
        sign_data_add(s->data, &sig);
        have = &sig;
    }
    item = keep(s, have);
    return signer_push(s, item.data, item.len);
}

struct witness_item signer_tap_leaf(struct signer *s, const uint8_t leaf_hash[32], const uint8_t pub_x[32])
{
    struct sign_sig sig = {.kind = SIGN_TAP_LEAF, .pub_len = 32};
    const struct sign_sig *have = sign_data_find(s->data, SIGN_TAP_LEAF, pub_x, 32, leaf_hash);
    const struct sign_key *k;
    uint8_t message[32];

    bool ok = have || s->job->dummy;

    if (!ok) {
        k = keyring_find_key(s->job->ring, pub_x, 32);
        ok = k && message_of(s, message, leaf_hash) && schnorr_sign(sig.sig, message, 32, k->secret, NULL);
    }
    if (!signer_note(s, pub_x, 32, leaf_hash, ok))
        return (struct witness_item){NULL, 0};
    if (have)
        return keep(s, have);
    memcpy(sig.pub, pub_x, 32);
    memcpy(sig.leaf, leaf_hash, 32);
    finish_sig(s, &sig);
    sign_data_add(s->data, &sig);
    return keep(s, &sig);
}

/* Bytes of the satisfaction as witness. */
static size_t stack_size(const struct signer *s)
{
    size_t size = 0;

    for (size_t i = 0; i < s->n; i++)
        size += s->stack[i].len + (s->stack[i].len < 0xfd ? 1 : s->stack[i].len <= 0xffff ? 3 : 5);
    return size;
}

/* True if a leaf of the same script before has a proof that is as good: shorter, or smaller by its bytes. */
static bool has_better_twin(const struct tap_output *tap, size_t n)
{
    const struct tap_leaf *leaf = &tap->leaves[n];

    for (size_t i = 0; i < tap->n_leaves; i++) {
        const struct tap_leaf *other = &tap->leaves[i];
        if (i == n || memcmp(other->hash, leaf->hash, 32) != 0)
            continue;
        if (other->control_len != leaf->control_len ? other->control_len < leaf->control_len
                                                    : memcmp(other->control, leaf->control, leaf->control_len) < (i < n))
            return true;
    }
    return false;
}

/* Script path: every leaf is tried, so that all signatures that can be made are; the smallest witness stays on the stack. */
static bool push_script_path(struct signer *s, const struct tap_output *tap)
{
    struct witness_item *best = NULL;
    size_t best_n = 0, best_size = 0;

    for (size_t i = 0; i < tap->n_leaves; i++) {
        const struct tap_leaf *leaf = &tap->leaves[i];
        size_t size;
        s->n = 0;
        if (leaf->version != 0xc0 || has_better_twin(tap, i) ||
            !signer_miniscript(s, &(struct sign_code){leaf->script, leaf->len, true}, leaf->hash))
            continue;
        signer_push(s, leaf->script, leaf->len);
        signer_push(s, leaf->control, leaf->control_len);
        size = stack_size(s);
        if (best && size >= best_size)
            continue;
        best = arena_copy(&s->arena, s->stack, s->n * sizeof(*best));
        best_n = s->n;
        best_size = size;
    }
    s->n = 0;
    for (size_t i = 0; i < best_n; i++)
        signer_push(s, best[i].data, best[i].len);
    return best != NULL;
}

bool signer_taproot(struct signer *s, const uint8_t output[32])
{
    const struct tap_output *tap = keyring_find_tap(s->job->ring, output);

    return push_key_path(s, output) || (tap && push_script_path(s, tap));
}
