/* sign_miniscript.c - satisfies witness scripts and tapscript leaves that no template knows, as miniscript. Called by sign_input.c and
 * sign_taproot.c; pure. */
#include <stdlib.h>

#include "script/interp.h"
#include "script/miniscript.h"
#include "script/signer.h"
#include "util/mem.h"

struct satisfying {
    struct signer *s;
    const struct sign_code *code;
    const uint8_t *leaf_hash; /* NULL: a witness script */
    uint8_t (*keys)[33];      /* in tapscript 32 bytes each */
    uint32_t n_keys;
};

static bool add_key(struct satisfying *a, uint32_t *key, const uint8_t *bytes, size_t len)
{
    if ((a->n_keys & (a->n_keys - 1)) == 0) /* doubles at powers of two */
        a->keys = xrealloc(a->keys, (a->n_keys ? 2 * a->n_keys : 1) * sizeof(*a->keys));
    memcpy(a->keys[a->n_keys], bytes, len);
    *key = a->n_keys++;
    return true;
}

static bool key_of_bytes(void *arg, uint32_t *key, const uint8_t *bytes, size_t len)
{
    struct satisfying *a = arg;

    if (a->leaf_hash ? len != 32 : len != 33 || (bytes[0] != 2 && bytes[0] != 3))
        return false;
    return add_key(a, key, bytes, len);
}

static bool key_of_hash(void *arg, uint32_t *key, const uint8_t hash[20])
{
    struct satisfying *a = arg;
    struct witness_item pub = signer_pub_of_hash(a->s, hash, a->leaf_hash != NULL);

    if (!pub.data || pub.len != 33)
        return false;
    return a->leaf_hash ? add_key(a, key, pub.data + 1, 32) : add_key(a, key, pub.data, 33);
}

static void key_bytes(const void *arg, uint8_t *out, uint32_t key)
{
    const struct satisfying *a = arg;

    memcpy(out, a->keys[key], a->leaf_hash ? 32 : 33);
}

static struct witness_item sign_with(void *arg, uint32_t key)
{
    struct satisfying *a = arg;

    return a->leaf_hash ? signer_tap_leaf(a->s, a->leaf_hash, a->keys[key]) : signer_ecdsa(a->s, a->code, a->keys[key], 33);
}

static struct witness_item preimage_of(void *arg, enum hash_kind kind, const uint8_t *hash)
{
    const struct satisfying *a = arg;
    const struct sign_preimage *p = keyring_find_preimage(a->s->job->ring, kind, hash);

    return p ? (struct witness_item){p->data, (uint32_t)p->len} : (struct witness_item){NULL, 0};
}

static bool older_is_met(void *arg, uint32_t value)
{
    const struct sign_job *job = ((struct satisfying *)arg)->s->job;

    return job->dummy || sequence_reached(job->tx, job->n, value);
}

static bool after_is_met(void *arg, uint32_t value)
{
    const struct sign_job *job = ((struct satisfying *)arg)->s->job;

    return job->dummy || lock_time_reached(job->tx, job->n, value);
}

static void push_item(void *arg, const uint8_t *data, size_t len)
{
    struct satisfying *a = arg;

    signer_push(a->s, len ? arena_copy(&a->s->arena, data, len) : (const uint8_t *)"", len);
}

bool signer_miniscript(struct signer *s, const struct sign_code *code, const uint8_t *leaf_hash)
{
    struct satisfying a = {.s = s, .code = code, .leaf_hash = leaf_hash};
    const struct ms_keys keys = {&a, key_of_bytes, key_of_hash};
    const struct ms_satisfier satisfier = {&a, key_bytes, sign_with, preimage_of, older_is_met, after_is_met, push_item};
    struct miniscript ms;
    bool ok = ms_from_script(&ms, leaf_hash ? MS_TAPSCRIPT : MS_P2WSH, code->script, code->len, &keys);

    if (ok) {
        ok = ms_satisfy(&ms, &satisfier);
        ms_clear(&ms);
    }
    free(a.keys);
    return ok;
}
