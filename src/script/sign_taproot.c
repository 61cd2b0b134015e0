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

    if (have)
        return keep(s, have);
    memcpy(sig.pub, pub_x, 32);
    memcpy(sig.leaf, leaf_hash, 32);
    if (!s->job->dummy) {
        k = keyring_find_key(s->job->ring, pub_x, 32);
        if (!k || !message_of(s, message, leaf_hash) || !schnorr_sign(sig.sig, message, 32, k->secret, NULL))
            return (struct witness_item){NULL, 0};
    }
    finish_sig(s, &sig);
    sign_data_add(s->data, &sig);
    return keep(s, &sig);
}

bool signer_taproot(struct signer *s, const uint8_t output[32])
{
    return push_key_path(s, output);
}
