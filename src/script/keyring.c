/* keyring.c - what a signer knows: keys, scripts, origins, preimages; and looking them up. Called by RPC and descriptors on pool threads. */
#include <stdlib.h>

#include "crypto/hash.h"
#include "crypto/keys.h"
#include "crypto/sha256.h"
#include "script/sign.h"
#include "util/mem.h"

/* Room for one more of an array that doubles at powers of two. */
static void *grow(void *array, size_t n, size_t size)
{
    if (n & (n - 1))
        return array;
    return xrealloc(array, (n ? n * 2 : 1) * size);
}

bool keyring_add_key(struct keyring *ring, const uint8_t secret[32], bool compressed)
{
    struct sign_key *k;

    ring->keys = grow(ring->keys, ring->n_keys, sizeof(*ring->keys));
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
    ring->scripts = grow(ring->scripts, ring->n_scripts, sizeof(*ring->scripts));
    ring->scripts[ring->n_scripts].data = xmemdup(len ? script : (const uint8_t *)"", len ? len : 1);
    ring->scripts[ring->n_scripts++].len = (uint32_t)len;
}

void keyring_add_pub(struct keyring *ring, const uint8_t *pub, size_t pub_len, const uint8_t *fingerprint, const uint32_t *path,
                     size_t path_len)
{
    struct sign_pub *p;

    ring->pubs = grow(ring->pubs, ring->n_pubs, sizeof(*ring->pubs));
    p = &ring->pubs[ring->n_pubs++];
    memset(p, 0, sizeof(*p));
    memcpy(p->pub, pub, pub_len);
    p->pub_len = pub_len;
    hash160(p->hash, pub, pub_len);
    if (pub_len == 33)
        hash160(p->hash_x, pub + 1, 32);
    p->has_origin = fingerprint != NULL;
    if (fingerprint)
        memcpy(p->fingerprint, fingerprint, 4);
    if (path_len)
        p->path = xmemdup(path, path_len * sizeof(*path));
    p->path_len = path_len;
}

static size_t hash_len(enum hash_kind kind)
{
    return kind == HASH_KIND_SHA256 || kind == HASH_KIND_HASH256 ? 32 : 20;
}

void keyring_add_preimage(struct keyring *ring, enum hash_kind kind, const uint8_t *hash, const uint8_t *data, size_t len)
{
    struct sign_preimage *p;

    ring->preimages = grow(ring->preimages, ring->n_preimages, sizeof(*ring->preimages));
    p = &ring->preimages[ring->n_preimages++];
    memset(p, 0, sizeof(*p));
    p->kind = kind;
    memcpy(p->hash, hash, hash_len(kind));
    p->data = xmemdup(len ? data : (const uint8_t *)"", len ? len : 1);
    p->len = len;
}

void keyring_add_aggregate(struct keyring *ring, const uint8_t pub[33], const uint8_t (*parts)[33], size_t n_parts)
{
    struct sign_aggregate *a;

    ring->aggregates = grow(ring->aggregates, ring->n_aggregates, sizeof(*ring->aggregates));
    a = &ring->aggregates[ring->n_aggregates++];
    memcpy(a->pub, pub, 33);
    a->parts = xmemdup(parts, n_parts * sizeof(*parts));
    a->n_parts = n_parts;
}

struct tap_output *keyring_add_tap_output(struct keyring *ring, const uint8_t output[32])
{
    struct tap_output *t;

    ring->taps = grow(ring->taps, ring->n_taps, sizeof(*ring->taps));
    t = &ring->taps[ring->n_taps++];
    memset(t, 0, sizeof(*t));
    memcpy(t->output, output, 32);
    return t;
}

static void merge_taps(struct keyring *ring, const struct keyring *src)
{
    for (size_t i = 0; i < src->n_taps; i++) {
        const struct tap_output *from = &src->taps[i];
        struct tap_output *to = keyring_add_tap_output(ring, from->output);
        *to = *from;
        to->leaves = NULL;
        to->n_leaves = 0;
        for (size_t k = 0; k < from->n_leaves; k++)
            tap_output_add_leaf(to, from->leaves[k].script, from->leaves[k].len, from->leaves[k].control,
                                from->leaves[k].control_len);
    }
}

void keyring_merge(struct keyring *ring, const struct keyring *src, bool secrets)
{
    for (size_t i = 0; i < src->n_keys && secrets; i++)
        keyring_add_key(ring, src->keys[i].secret, src->keys[i].pub_len == 33);
    for (size_t i = 0; i < src->n_scripts; i++)
        keyring_add_script(ring, src->scripts[i].data, src->scripts[i].len);
    for (size_t i = 0; i < src->n_pubs; i++) {
        const struct sign_pub *p = &src->pubs[i];
        keyring_add_pub(ring, p->pub, p->pub_len, p->has_origin ? p->fingerprint : NULL, p->path, p->path_len);
    }
    for (size_t i = 0; i < src->n_preimages; i++)
        keyring_add_preimage(ring, src->preimages[i].kind, src->preimages[i].hash, src->preimages[i].data, src->preimages[i].len);
    for (size_t i = 0; i < src->n_aggregates; i++)
        keyring_add_aggregate(ring, src->aggregates[i].pub, (const uint8_t(*)[33])src->aggregates[i].parts,
                              src->aggregates[i].n_parts);
    merge_taps(ring, src);
}

static void tap_output_clear(struct tap_output *t)
{
    for (size_t i = 0; i < t->n_leaves; i++) {
        free(t->leaves[i].script);
        free(t->leaves[i].control);
    }
    free(t->leaves);
}

void keyring_clear(struct keyring *ring)
{
    for (size_t i = 0; i < ring->n_keys; i++)
        crypto_wipe(ring->keys[i].secret, sizeof(ring->keys[i].secret));
    for (size_t i = 0; i < ring->n_scripts; i++)
        free((void *)(uintptr_t)ring->scripts[i].data);
    for (size_t i = 0; i < ring->n_pubs; i++)
        free(ring->pubs[i].path);
    for (size_t i = 0; i < ring->n_taps; i++)
        tap_output_clear(&ring->taps[i]);
    for (size_t i = 0; i < ring->n_preimages; i++)
        free(ring->preimages[i].data);
    for (size_t i = 0; i < ring->n_aggregates; i++)
        free(ring->aggregates[i].parts);
    free(ring->keys);
    free(ring->scripts);
    free(ring->pubs);
    free(ring->taps);
    free(ring->preimages);
    free(ring->aggregates);
    memset(ring, 0, sizeof(*ring));
}

/* ---- looking up ---- */

const struct witness_item *keyring_find_script(const struct keyring *ring, const uint8_t *hash, size_t len)
{
    uint8_t h[32];

    for (size_t i = 0; i < ring->n_scripts; i++) {
        if (len == 20)
            hash160(h, ring->scripts[i].data, ring->scripts[i].len);
        else
            sha256(h, ring->scripts[i].data, ring->scripts[i].len);
        if (memcmp(h, hash, len) == 0)
            return &ring->scripts[i];
    }
    return ring->next ? keyring_find_script(ring->next, hash, len) : NULL;
}

bool keyring_find_pub(uint8_t *pub, size_t *pub_len, const struct keyring *ring, const uint8_t hash[20], bool x_only)
{
    uint8_t h[20];

    for (size_t i = 0; i < ring->n_pubs; i++) {
        const struct sign_pub *p = &ring->pubs[i];
        if ((x_only && p->pub_len != 33) || memcmp(x_only ? p->hash_x : p->hash, hash, 20) != 0)
            continue;
        memcpy(pub, p->pub, p->pub_len);
        *pub_len = p->pub_len;
        return true;
    }
    for (size_t i = 0; i < ring->n_keys; i++) {
        const struct sign_key *k = &ring->keys[i];
        if (x_only && k->pub_len == 33)
            hash160(h, k->pub + 1, 32);
        else
            memcpy(h, k->hash, 20);
        if ((x_only && k->pub_len != 33) || memcmp(h, hash, 20) != 0)
            continue;
        memcpy(pub, k->pub, k->pub_len);
        *pub_len = k->pub_len;
        return true;
    }
    return ring->next && keyring_find_pub(pub, pub_len, ring->next, hash, x_only);
}

static bool same_key(const uint8_t *mine, size_t mine_len, const uint8_t *pub, size_t pub_len)
{
    if (pub_len == 32)
        return mine_len == 33 && memcmp(mine + 1, pub, 32) == 0;
    return mine_len == pub_len && memcmp(mine, pub, pub_len) == 0;
}

const struct sign_pub *keyring_find_origin(const struct keyring *ring, const uint8_t *pub, size_t pub_len)
{
    for (size_t i = 0; i < ring->n_pubs; i++) {
        if (ring->pubs[i].has_origin && same_key(ring->pubs[i].pub, ring->pubs[i].pub_len, pub, pub_len))
            return &ring->pubs[i];
    }
    return ring->next ? keyring_find_origin(ring->next, pub, pub_len) : NULL;
}

const struct sign_key *keyring_find_key(const struct keyring *ring, const uint8_t *pub, size_t pub_len)
{
    for (size_t i = 0; i < ring->n_keys; i++) {
        if (same_key(ring->keys[i].pub, ring->keys[i].pub_len, pub, pub_len))
            return &ring->keys[i];
    }
    return ring->next ? keyring_find_key(ring->next, pub, pub_len) : NULL;
}

const struct tap_output *keyring_find_tap(const struct keyring *ring, const uint8_t output[32])
{
    for (size_t i = 0; i < ring->n_taps; i++) {
        if (memcmp(ring->taps[i].output, output, 32) == 0)
            return &ring->taps[i];
    }
    return ring->next ? keyring_find_tap(ring->next, output) : NULL;
}

const struct sign_preimage *keyring_find_preimage(const struct keyring *ring, enum hash_kind kind, const uint8_t *hash)
{
    for (size_t i = 0; i < ring->n_preimages; i++) {
        if (ring->preimages[i].kind == kind && memcmp(ring->preimages[i].hash, hash, hash_len(kind)) == 0)
            return &ring->preimages[i];
    }
    return ring->next ? keyring_find_preimage(ring->next, kind, hash) : NULL;
}
