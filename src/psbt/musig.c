/* musig.c - signatures of aggregate keys (BIP373), put together of the partial ones that an input holds. Called by sign.c; pure. */
#include <stdlib.h>

#include "crypto/hash.h"
#include "crypto/keys.h"
#include "descriptor/extkey.h"
#include "primitives/serialize.h"
#include "psbt/fill.h"
#include "util/mem.h"

#define TWEAKS_MAX 256 /* steps of a path and one; BIP32 has no more */

struct session {
    const struct fill *f;
    const struct sign_job *job;
    const struct psbt_record *sigs, *nonces; /* of one key and leaf */
    size_t n_sigs, n_nonces;
    const uint8_t *leaf; /* NULL: key path */
    struct musig_tweak *tweaks;
    size_t n_tweaks;
};

/* The path to an x-only key, from what the input tells of it. Out: *n steps, little-endian. */
static const uint8_t *path_of(const struct session *s, const uint8_t pub_x[32], const uint8_t root[33], size_t *n)
{
    size_t count;
    const struct psbt_record *r = psbt_entries(s->f->map, PSBT_TAP_ORIGIN, &count);
    uint8_t id[20];

    hash160(id, root, 33);
    for (size_t i = 0; i < count; i++) {
        struct reader value = reader_make(r[i].value, r[i].value_len);
        if (memcmp(r[i].key, pub_x, 32) != 0)
            continue;
        read_bytes(&value, 32 * (size_t)read_compact_size(&value));
        *n = reader_left(&value) / 4 - 1;
        return *n && *n < TWEAKS_MAX && memcmp(value.pos, id, 4) == 0 ? value.pos + 4 : NULL;
    }
    return NULL;
}

/* From the aggregate key to the one in the script, if that is below it. Out: plain (33 bytes); the tweaks on the way. */
static bool derive(struct session *s, uint8_t plain[33], const uint8_t root[33], const uint8_t pub_x[32])
{
    struct extkey key = {.depth = 0};
    const uint8_t *path;
    size_t n;

    s->n_tweaks = 0;
    memcpy(plain, root, 33);
    if (memcmp(root + 1, pub_x, 32) == 0)
        return true;
    path = path_of(s, pub_x, root, &n);
    if (!path)
        return false;
    extkey_of_musig(&key, root);
    for (size_t i = 0; i < n; i++) {
        struct musig_tweak *t = &s->tweaks[s->n_tweaks++];
        t->x_only = false;
        if (!extkey_tweak(t->tweak, &key, get_le32(path + 4 * i)) || !extkey_derive(&key, &key, get_le32(path + 4 * i)))
            return false;
    }
    memcpy(plain, key.pub, 33);
    return memcmp(plain + 1, pub_x, 32) == 0;
}

/* Adds the tweak that makes an internal key the output's. */
static bool add_tap_tweak(struct session *s, uint8_t plain[33], const struct tap_output *t)
{
    struct musig_tweak *tweak = &s->tweaks[s->n_tweaks++];
    int parity;

    tweak->x_only = true;
    taproot_tweak_hash(tweak->tweak, t->internal, t->has_root ? t->root : NULL);
    if (!taproot_tweak(plain + 1, &parity, t->internal, t->has_root ? t->root : NULL))
        return false;
    plain[0] = (uint8_t)(2 + parity);
    return true;
}

/* What one participant gave. */
static const struct psbt_record *given_by(const struct psbt_record *r, size_t n, const uint8_t pub[33])
{
    for (size_t i = 0; i < n; i++) {
        if (memcmp(r[i].key, pub, 33) == 0)
            return &r[i];
    }
    return NULL;
}

static bool aggregate(const struct session *s, struct sign_sig *out, const struct psbt_record *participants)
{
    const struct sighash_v1_ctx ctx = {.codesep_pos = 0xffffffff, .leaf_hash = s->leaf};
    const struct sign_job *job = s->job;
    size_t n = participants->value_len / 33;
    const uint8_t(*keys)[33] = (const uint8_t(*)[33])participants->value;
    uint8_t message[32], aggregate_key[33];
    uint8_t(*nonces)[66], (*sigs)[32];
    bool ok = true;

    if (!job->mid->has_v1 || !sighash_v1(message, job->tx, job->n, job->hash_type, &ctx, job->mid) ||
        !pubkey_aggregate(aggregate_key, keys, n) || memcmp(aggregate_key, participants->key, 33) != 0)
        return false;
    nonces = xmalloc(n * sizeof(*nonces));
    sigs = xmalloc(n * sizeof(*sigs));
    for (size_t i = 0; i < n && ok; i++) {
        const struct psbt_record *nonce = given_by(s->nonces, s->n_nonces, keys[i]), *sig = given_by(s->sigs, s->n_sigs, keys[i]);
        ok = nonce && sig;
        if (ok) {
            memcpy(nonces[i], nonce->value, 66);
            memcpy(sigs[i], sig->value, 32);
        }
    }
    ok = ok && musig_aggregate(out->sig, keys, (const uint8_t(*)[66])nonces, (const uint8_t(*)[32])sigs, n, s->tweaks, s->n_tweaks,
                               message);
    free(nonces);
    free(sigs);
    return ok;
}

/* The aggregate key and the way from it that lead to this session's key: by the leaf's key, the internal one, or the output's. */
static bool try_participants(struct session *s, struct sign_sig *out, const struct psbt_record *participants)
{
    const uint8_t *key = s->sigs->key + 33;
    const struct tap_output *t = keyring_find_tap(s->job->ring, s->job->spent->script + 2);
    uint8_t plain[33];

    if (participants->value_len / 33 != s->n_sigs || s->n_nonces != s->n_sigs)
        return false;
    if (!s->leaf && t && t->has_internal && derive(s, plain, participants->key, t->internal) && add_tap_tweak(s, plain, t) &&
        memcmp(plain, key, 33) == 0)
        return aggregate(s, out, participants);
    return derive(s, plain, participants->key, key + 1) && memcmp(plain, key, 33) == 0 &&
           (s->leaf || memcmp(key + 1, s->job->spent->script + 2, 32) == 0) && aggregate(s, out, participants);
}

static bool same_session(const struct psbt_record *a, const struct psbt_record *b)
{
    return memcmp(a->order, b->order, 65) == 0;
}

static void find_nonces(struct session *s)
{
    size_t n;
    const struct psbt_record *r = psbt_entries(s->f->map, PSBT_PUB_NONCE, &n);

    s->nonces = NULL;
    s->n_nonces = 0;
    for (size_t i = 0; i < n; i++) {
        if (!same_session(&r[i], s->sigs))
            continue;
        if (!s->nonces)
            s->nonces = &r[i];
        s->n_nonces++;
    }
}

static void try_session(struct session *s, struct sign_data *d)
{
    struct sign_sig sig = {.kind = s->leaf ? SIGN_TAP_LEAF : SIGN_TAP_KEY, .pub_len = s->leaf ? 32 : 0, .len = 64};
    size_t n;
    const struct psbt_record *r = psbt_entries(s->f->map, PSBT_PARTICIPANTS, &n);

    if (s->leaf) {
        memcpy(sig.pub, s->sigs->key + 34, 32);
        memcpy(sig.leaf, s->leaf, 32);
    }
    find_nonces(s);
    for (size_t i = 0; i < n && s->n_nonces; i++) {
        if (r[i].value_len == 0 || !try_participants(s, &sig, &r[i]))
            continue;
        if (s->job->hash_type)
            sig.sig[sig.len++] = s->job->hash_type;
        sign_data_add(d, &sig);
        return;
    }
}

void fill_musig(const struct fill *f, const struct sign_job *job, struct sign_data *d)
{
    size_t n;
    const struct psbt_record *r = psbt_entries(f->map, PSBT_MUSIG_SIG, &n);
    struct session s = {.f = f, .job = job};

    s.tweaks = n ? xmalloc(TWEAKS_MAX * sizeof(*s.tweaks)) : NULL;
    for (size_t start = 0, i = 1; i <= n; i++) {
        if (i < n && same_session(&r[i], &r[start]))
            continue;
        s.sigs = &r[start];
        s.n_sigs = i - start;
        s.leaf = r[start].key_len > 66 ? r[start].key + 66 : NULL;
        try_session(&s, d);
        start = i;
    }
    free(s.tweaks);
}
