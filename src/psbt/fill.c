/* fill.c - scripts, keys and taproot trees from a PSBT's input or output to the signer, and what the signer found back. Called by sign.c and
 * update.c; pure. */
#include "psbt/fill.h"

#include <stdlib.h>

#include "crypto/keys.h"
#include "primitives/serialize.h"
#include "script/script.h"
#include "util/mem.h"

/* ---- to the signer ---- */

static void load_pubs(struct keyring *own, const struct psbt_map *m)
{
    size_t n;
    const struct psbt_record *r = psbt_entries(m, PSBT_ORIGIN, &n);
    uint8_t pub[33] = {2};

    for (size_t i = 0; i < n; i++)
        keyring_add_pub(own, r[i].key, r[i].key_len, NULL, NULL, 0);
    r = psbt_entries(m, PSBT_TAP_ORIGIN, &n);
    for (size_t i = 0; i < n; i++) {
        memcpy(pub + 1, r[i].key, 32);
        keyring_add_pub(own, pub, 33, NULL, NULL, 0);
    }
}

static void load_preimages(struct keyring *own, const struct psbt_map *m)
{
    static const struct {
        enum psbt_kind kind;
        enum hash_kind hash;
    } kinds[] = {{PSBT_RIPEMD160, HASH_KIND_RIPEMD160},
                 {PSBT_SHA256, HASH_KIND_SHA256},
                 {PSBT_HASH160, HASH_KIND_HASH160},
                 {PSBT_HASH256, HASH_KIND_HASH256}};
    size_t n;

    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        const struct psbt_record *r = psbt_entries(m, kinds[k].kind, &n);
        for (size_t i = 0; i < n; i++)
            keyring_add_preimage(own, kinds[k].hash, r[i].key, r[i].value, r[i].value_len);
    }
}

static void append_leaf(const struct fill *f, struct psbt_map *m, const struct tap_leaf *leaf)
{
    struct writer value = WRITER_INIT;

    write_bytes(&value, leaf->script, leaf->len);
    write_u8(&value, leaf->version);
    map_append(f->p, m, PSBT_TAP_LEAF, leaf->control, leaf->control_len, value.data, value.len);
    writer_clear(&value);
}

static void add_leaf(struct tap_output *t, const uint8_t *script, size_t len, uint8_t version, const struct psbt_record *r)
{
    struct tap_leaf *leaf;

    if (!tap_output_add_leaf(t, script, len, r->key, r->key_len))
        return; /* no control block is of that size */
    leaf = &t->leaves[t->n_leaves - 1];
    leaf->version = version;
    tapleaf_hash(leaf->hash, version, script, len);
}

/* The leaves that map and ring know, in Core's order. */
static void load_leaves(const struct fill *f, struct tap_output *t, const struct tap_output *known)
{
    struct psbt_map all = {NULL, 0, 0};
    size_t n;
    const struct psbt_record *r = psbt_entries(f->map, PSBT_TAP_LEAF, &n);

    for (size_t i = 0; i < n; i++)
        map_append(f->p, &all, PSBT_TAP_LEAF, r[i].key, r[i].key_len, r[i].value, r[i].value_len);
    for (size_t i = 0; known && i < known->n_leaves; i++)
        append_leaf(f, &all, &known->leaves[i]);
    map_sort(&all);
    for (size_t i = 0; i < all.n; i++)
        add_leaf(t, all.items[i].value, all.items[i].value_len - 1, all.items[i].value[all.items[i].value_len - 1], &all.items[i]);
    map_clear(&all);
}

/* Makes the tree of an output's map. */
static void load_tree(const struct fill *f, struct keyring *own)
{
    const struct psbt_record *tree = psbt_entry(f->map, PSBT_TAP_TREE), *internal = psbt_entry(f->map, PSBT_TAP_INTERNAL);
    struct tap_tree_leaf *leaves = NULL;
    size_t n = 0, script_len;
    uint8_t output[32];
    struct reader r;

    if (!tree || !internal || !xonly_is_valid(internal->value))
        return;
    r = reader_make(tree->value, tree->value_len);
    while (reader_left(&r)) {
        unsigned depth = read_u8(&r);
        uint8_t version = read_u8(&r);
        const uint8_t *script = read_var_bytes(&r, &script_len);
        if ((n & (n - 1)) == 0) /* doubles at powers of two */
            leaves = xrealloc(leaves, (n ? 2 * n : 1) * sizeof(*leaves));
        leaves[n++] = (struct tap_tree_leaf){depth, version, script, script_len};
    }
    keyring_add_tap_tree(output, own, internal->value, leaves, n);
    free(leaves);
}

static void load_tap(const struct fill *f, struct keyring *own)
{
    const uint8_t *output = f->output->script + 2;
    const struct tap_output *known = f->ring ? keyring_find_tap(f->ring, output) : NULL;
    const struct psbt_record *internal =
                                 f->is_input ? psbt_entry(f->map, PSBT_TAP_INTERNAL) : NULL, /* an output's: with its tree only */
        *root = psbt_entry(f->map, PSBT_TAP_ROOT);
    struct tap_output *t;

    if (own->n_taps) { /* the tree in the map counts for this output, whatever its key */
        memcpy(own->taps[0].output, output, 32);
        return;
    }
    t = keyring_add_tap_output(own, output);
    t->has_internal = internal || (known && known->has_internal);
    if (t->has_internal)
        memcpy(t->internal, internal ? internal->value : known->internal, 32);
    t->has_root = root || (known && known->has_root);
    if (t->has_root)
        memcpy(t->root, root ? root->value : known->root, 32);
    load_leaves(f, t, known);
}

static void load_script(uint8_t **script, size_t *len, const struct psbt_record *r)
{
    if (!r)
        return;
    *script = xmemdup(r->value, r->value_len);
    *len = r->value_len;
}

void fill_load(const struct fill *f, struct keyring *own, struct sign_data *d)
{
    load_pubs(own, f->map);
    load_preimages(own, f->map);
    load_tree(f, own);
    if (script_is_p2tr(f->output->script, f->output->script_len))
        load_tap(f, own);
    load_script(&d->redeem_script, &d->redeem_len, psbt_entry(f->map, PSBT_REDEEM));
    load_script(&d->witness_script, &d->witness_len, psbt_entry(f->map, PSBT_WITNESS));
}

/* ---- back ---- */

static void write_origin(struct writer *w, const struct sign_pub *origin)
{
    write_bytes(w, origin->fingerprint, 4);
    for (size_t i = 0; i < origin->path_len; i++)
        write_u32(w, origin->path[i]);
}

static const struct sign_pub *origin_of(const struct fill *f, const uint8_t *pub, size_t len)
{
    return f->ring && !f->without_origins ? keyring_find_origin(f->ring, pub, len) : NULL;
}

/* Of an x-only key: that of the one with an even Y if both are known. */
static const struct sign_pub *origin_of_x(const struct fill *f, const uint8_t pub_x[32])
{
    const struct sign_pub *origin;
    uint8_t pub[33] = {2};

    memcpy(pub + 1, pub_x, 32);
    origin = origin_of(f, pub, 33);
    pub[0] = 3;
    return origin ? origin : origin_of(f, pub, 33);
}

static void store_origins(const struct fill *f, const struct sign_data *d)
{
    for (size_t i = 0; i < d->n_tried; i++) {
        const struct sign_try *t = &d->tried[i];
        const struct sign_pub *origin = t->in_leaf ? NULL : origin_of(f, t->pub, t->pub_len);
        struct writer w = WRITER_INIT;
        if (!origin)
            continue;
        write_origin(&w, origin);
        map_append(f->p, f->map, PSBT_ORIGIN, t->pub, t->pub_len, w.data, w.len);
        writer_clear(&w);
    }
    map_sort(f->map);
}

/* A use of an x-only key: in a leaf or elsewhere. */
struct use {
    uint8_t pub[32], leaf[32];
    bool in_leaf;
    const struct sign_pub *origin;
};
struct uses {
    struct use *items;
    size_t n;
};

static void add_use(const struct fill *f, struct uses *u, const uint8_t pub[32], const uint8_t *leaf)
{
    const struct sign_pub *origin = origin_of_x(f, pub);
    struct use *use;

    if (!origin)
        return;
    if ((u->n & (u->n - 1)) == 0) /* doubles at powers of two */
        u->items = xrealloc(u->items, (u->n ? 2 * u->n : 1) * sizeof(*u->items));
    use = &u->items[u->n++];
    memset(use, 0, sizeof(*use));
    memcpy(use->pub, pub, 32);
    use->origin = origin;
    use->in_leaf = leaf != NULL;
    if (leaf)
        memcpy(use->leaf, leaf, 32);
}

static int by_pub_and_leaf(const void *a, const void *b)
{
    const struct use *x = a, *y = b;
    int c = memcmp(x->pub, y->pub, 32);

    return c ? c : x->in_leaf != y->in_leaf ? (int)x->in_leaf - (int)y->in_leaf : memcmp(x->leaf, y->leaf, 32);
}

/* The uses of one key, sorted, as an entry. */
static void store_uses(const struct fill *f, const struct use *u, size_t n)
{
    struct writer hashes = WRITER_INIT, w = WRITER_INIT;

    for (size_t i = 0; i < n; i++) {
        if (u[i].in_leaf && (i == 0 || !u[i - 1].in_leaf || memcmp(u[i - 1].leaf, u[i].leaf, 32) != 0))
            write_bytes(&hashes, u[i].leaf, 32);
    }
    write_compact_size(&w, hashes.len / 32);
    write_bytes(&w, hashes.data, hashes.len);
    write_origin(&w, u->origin);
    map_append(f->p, f->map, PSBT_TAP_ORIGIN, u->pub, 32, w.data, w.len);
    writer_clear(&hashes);
    writer_clear(&w);
}

/* Those that make an aggregate key, as it may be the one that has to sign. */
static void add_participants(const struct fill *f, struct uses *u, const uint8_t *leaf)
{
    size_t n;
    const struct psbt_record *r = psbt_entries(f->map, PSBT_PARTICIPANTS, &n);

    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k + 33 <= r[i].value_len; k += 33)
            add_use(f, u, r[i].value + k + 1, leaf);
    }
}

/* The internal key is a single one, that signed now. */
static bool signed_by_internal(const struct fill *f, const struct tap_output *t, const struct sign_data *d)
{
    return f->ring && t->has_internal && keyring_find_key(f->ring, t->internal, 32) &&
           sign_data_find(d, SIGN_TAP_KEY, NULL, 0, NULL);
}

static void store_tap_origins(const struct fill *f, const struct tap_output *t, const struct sign_data *d)
{
    struct uses u = {NULL, 0};
    size_t start = 0;

    if (t->has_internal)
        add_use(f, &u, t->internal, NULL);
    add_use(f, &u, t->output, NULL);
    if (!psbt_entry(f->map, PSBT_TAP_SIG) && !signed_by_internal(f, t, d))
        add_participants(f, &u, NULL);
    for (size_t i = 0; i < d->n_tried; i++) {
        if (!d->tried[i].in_leaf)
            continue;
        add_use(f, &u, d->tried[i].pub, d->tried[i].leaf);
        if (!d->tried[i].signs)
            add_participants(f, &u, d->tried[i].leaf);
    }
    if (u.n)
        qsort(u.items, u.n, sizeof(*u.items), by_pub_and_leaf);
    for (size_t i = 1; i <= u.n; i++) {
        if (i < u.n && memcmp(u.items[i].pub, u.items[start].pub, 32) == 0)
            continue;
        store_uses(f, u.items + start, i - start);
        start = i;
    }
    free(u.items);
    map_sort(f->map);
}

static void store_aggregates(const struct fill *f)
{
    for (const struct keyring *ring = f->ring; ring; ring = ring->next) {
        for (size_t i = 0; i < ring->n_aggregates; i++) {
            const struct sign_aggregate *a = &ring->aggregates[i];
            map_append(f->p, f->map, PSBT_PARTICIPANTS, a->pub, 33, a->parts, 33 * a->n_parts);
        }
    }
    map_sort(f->map);
}

/* Core writes a tree from right to left, one that it read in the other order, too. */
static void store_tree(const struct fill *f, const struct tap_output *t)
{
    struct writer w = WRITER_INIT;

    for (size_t i = t->n_leaves; i-- > 0;) {
        write_u8(&w, t->leaves[i].depth);
        write_u8(&w, t->leaves[i].version);
        write_var_bytes(&w, t->leaves[i].script, t->leaves[i].len);
    }
    if (w.len)
        psbt_set(f->p, f->map, PSBT_TAP_TREE, w.data, w.len);
    writer_clear(&w);
}

/* What is known of an input's tree. Of the leaves of one script, those control blocks stay that are there. */
static void store_spend(const struct fill *f, const struct tap_output *t)
{
    struct psbt_map fresh = {NULL, 0, 0};

    if (t->has_root)
        psbt_set(f->p, f->map, PSBT_TAP_ROOT, t->root, 32);
    for (size_t i = 0; i < t->n_leaves; i++)
        append_leaf(f, &fresh, &t->leaves[i]);
    map_sort(&fresh);
    map_merge(f->p, f->map, &fresh);
    map_clear(&fresh);
}

static void store_tap(const struct fill *f, const struct keyring *own, const struct sign_data *d)
{
    const struct tap_output *t = keyring_find_tap(own, f->output->script + 2),
                            *known = f->ring ? keyring_find_tap(f->ring, f->output->script + 2) : NULL;

    if (t->has_internal)
        psbt_set(f->p, f->map, PSBT_TAP_INTERNAL, t->internal, 32);
    if (!f->is_input && known && known->complete)
        store_tree(f, known);
    if (f->is_input)
        store_spend(f, t);
    store_aggregates(f);
    store_tap_origins(f, t, d);
}

void fill_store(const struct fill *f, const struct keyring *own, const struct sign_data *d)
{
    if (!psbt_entry(f->map, PSBT_REDEEM) && d->redeem_len)
        psbt_put(f->p, f->map, PSBT_REDEEM, NULL, 0, d->redeem_script, d->redeem_len);
    if (!psbt_entry(f->map, PSBT_WITNESS) && d->witness_len)
        psbt_put(f->p, f->map, PSBT_WITNESS, NULL, 0, d->witness_script, d->witness_len);
    store_origins(f, d);
    if (!f->is_input && own->n_taps && own->taps[0].complete)
        store_tree(f, &own->taps[0]);
    if (script_is_p2tr(f->output->script, f->output->script_len))
        store_tap(f, own, d);
}
