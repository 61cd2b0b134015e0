/* derive.c - the keys of a descriptor at a position. Called by expand.c and by the parser for finding twins; pure. */
#include <stdlib.h>

#include "crypto/hash.h"
#include "crypto/keys.h"
#include "descriptor/internal.h"
#include "util/mem.h"

bool key_is_range(const struct key_expr *k)
{
    if (k->range != RANGE_NONE)
        return true;
    for (size_t i = 0; i < k->n_parts; i++) {
        if (key_is_range(k->parts[i]))
            return true;
    }
    return false;
}

size_t key_size(const struct key_expr *k)
{
    return k->kind == KEY_FIXED ? k->pub_len : k->kind == KEY_EXTENDED ? 33 : 32;
}

static uint32_t step_at(const struct key_path *path, size_t i, size_t choice)
{
    return path->n_choices && i == path->choice_at ? path->choices[choice] : path->steps[i];
}

static bool is_hardened(const struct key_expr *k, size_t path)
{
    for (size_t i = 0; i < k->path.n; i++) {
        if (step_at(&k->path, i, path) & EXTKEY_HARDENED)
            return true;
    }
    return k->range == RANGE_HARDENED;
}

static uint32_t range_step(const struct key_expr *k, uint32_t position)
{
    return k->range == RANGE_HARDENED ? position | EXTKEY_HARDENED : position;
}

/* Tells the ring of a key and the way to it: the origin's steps, the key's own, the position. */
static void tell(struct keyring *ring, const struct key_expr *k, const struct derived_key *key, const uint8_t root[4], size_t path,
                 uint32_t position)
{
    size_t n = 0, total = (k->has_origin ? k->origin.n : 0) + k->path.n + 1;
    uint32_t *steps;

    if (!ring)
        return;
    steps = xmalloc(total * sizeof(*steps));
    for (size_t i = 0; k->has_origin && i < k->origin.n; i++)
        steps[n++] = k->origin.steps[i];
    for (size_t i = 0; k->kind != KEY_FIXED && i < k->path.n; i++)
        steps[n++] = step_at(&k->path, i, path);
    if (k->kind != KEY_FIXED && k->range != RANGE_NONE)
        steps[n++] = range_step(k, position);
    keyring_add_pub(ring, key->pub, key->len, k->has_origin ? k->fingerprint : root, steps, n);
    free(steps);
}

static void tell_secret(struct keyring *ring, const struct sign_key *own)
{
    if (own)
        keyring_add_key(ring, own->secret, own->pub_len == 33);
}

/* A key that is there as it stands. */
static bool fixed_at(struct derived_key *out, struct keyring *ring, const struct descriptor *d, const struct key_expr *k,
                     bool secrets)
{
    uint8_t id[20];

    memcpy(out->pub, k->pub, k->pub_len);
    out->len = k->pub_len;
    hash160(id, k->pub, k->pub_len);
    tell(ring, k, out, id, 0, 0);
    if (ring && secrets)
        tell_secret(ring,
                    k->x_only ? keyring_find_key(&d->secrets, k->pub + 1, 32) : keyring_find_key(&d->secrets, k->pub, k->pub_len));
    return true;
}

/* The key below all steps but the range's. Kept for the next position. */
static bool find_parent(struct key_expr *k, const struct extkey *root, size_t path)
{
    struct extkey key = *root;

    if (k->parent_path == path + 1 && k->parent.has_secret == root->has_secret)
        return true;
    k->parent_path = 0;
    for (size_t i = 0; i < k->path.n; i++) {
        if (!extkey_derive(&key, &key, step_at(&k->path, i, path)))
            return false;
    }
    k->parent = key;
    k->parent_path = path + 1;
    extkey_neuter(&key);
    return true;
}

static bool derive(struct extkey *out, struct key_expr *k, const struct extkey *root, size_t path, uint32_t position)
{
    if (!find_parent(k, root, path))
        return false;
    *out = k->parent;
    return k->range == RANGE_NONE || extkey_derive(out, &k->parent, range_step(k, position));
}

static bool extended_at(struct derived_key *out, struct keyring *ring, const struct descriptor *d, struct key_expr *k, size_t path,
                        uint32_t position, bool secrets)
{
    struct extkey root = k->root, key;
    const struct sign_key *own = NULL;
    uint8_t print[4];
    bool ok;

    if (is_hardened(k, path) || (ring && secrets)) {
        own = keyring_find_key(&d->secrets, root.pub, 33);
        root.has_secret = own != NULL;
        if (own)
            memcpy(root.secret, own->secret, 32);
    }
    ok = derive(&key, k, &root, path, position);
    if (ok) {
        memcpy(out->pub, key.pub, 33);
        out->len = 33;
        extkey_fingerprint(print, &k->root);
        tell(ring, k, out, print, path, position);
        if (ring && secrets && own)
            keyring_add_key(ring, key.secret, true);
    }
    extkey_neuter(&root);
    extkey_neuter(&key);
    return ok;
}

static int pub_order(const void *a, const void *b)
{
    return memcmp(a, b, 33);
}

static bool musig_at(struct derived_key *out, struct keyring *ring, struct descriptor *d, struct key_expr *k, size_t path,
                     uint32_t position, bool secrets)
{
    uint8_t(*parts)[33] = xmalloc(k->n_parts * sizeof(*parts)), id[20];
    struct extkey root = {.depth = 0}, key;
    bool ok = true;

    for (size_t i = 0; ok && i < k->n_parts; i++) {
        struct derived_key part;
        ok = key_at(&part, ring, d, k->parts[i], path, position, secrets);
        if (ok)
            memcpy(parts[i], part.pub, 33);
    }
    if (ok) {
        qsort(parts, k->n_parts, sizeof(*parts), pub_order);
        ok = pubkey_aggregate(root.pub, (const uint8_t(*)[33])parts, k->n_parts);
    }
    if (ok && ring)
        keyring_add_aggregate(ring, root.pub, (const uint8_t(*)[33])parts, k->n_parts);
    free(parts);
    key = root;
    extkey_of_musig(&root, root.pub);
    if (ok && (k->path.n || k->range != RANGE_NONE)) {
        k->parent_path = 0; /* the root is another one at each call */
        ok = derive(&key, k, &root, path, position);
    }
    memcpy(out->pub, key.pub, 33);
    out->len = 33;
    hash160(id, root.pub, 33);
    if (ok)
        tell(ring, k, out, id, path, position);
    return ok;
}

bool key_at(struct derived_key *out, struct keyring *ring, struct descriptor *d, struct key_expr *k, size_t path, uint32_t position,
            bool secrets)
{
    if (k->kind == KEY_FIXED)
        return fixed_at(out, ring, d, k, secrets);
    if (k->kind == KEY_EXTENDED)
        return extended_at(out, ring, d, k, path, position, secrets);
    return musig_at(out, ring, d, k, path, position, secrets);
}
