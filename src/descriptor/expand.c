/* expand.c - the scripts of a descriptor at a position, and what is to be known about them. Called by RPC; pure. */
#include <stdlib.h>

#include "crypto/hash.h"
#include "crypto/keys.h"
#include "crypto/sha256.h"
#include "descriptor/internal.h"
#include "script/script.h"
#include "util/mem.h"

/* ---- questions ---- */

static bool node_is_range(const struct desc_node *n)
{
    for (size_t i = 0; i < n->n_keys; i++) {
        if (key_is_range(n->keys[i]))
            return true;
    }
    for (size_t i = 0; i < n->n_subs; i++) {
        if (node_is_range(n->subs[i]))
            return true;
    }
    return false;
}

size_t descriptor_paths(const struct descriptor *d)
{
    return d->root->paths;
}

bool descriptor_is_range(const struct descriptor *d)
{
    return node_is_range(d->root);
}

bool descriptor_is_solvable(const struct descriptor *d)
{
    return d->root->kind != DESC_ADDR && d->root->kind != DESC_RAW;
}

bool descriptor_has_private(const struct descriptor *d)
{
    return d->secrets.n_keys > 0;
}

bool descriptor_has_scripts(const struct descriptor *d)
{
    return d->root->kind != DESC_UNUSED;
}

bool descriptor_is_single_type(const struct descriptor *d)
{
    return d->root->kind != DESC_COMBO;
}

void descriptor_free(struct descriptor *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < d->n_scripts; i++)
        ms_clear(d->scripts[i]);
    free(d->scripts);
    keyring_clear(&d->secrets);
    arena_clear(&d->arena);
    free(d);
}

/* ---- scripts ---- */

struct expansion {
    struct descriptor *d;
    struct keyring *ring; /* never NULL: an own one if the caller wants none */
    size_t path;
    uint32_t position;
    bool secrets;
    struct descriptor_scripts *out;
};

static void add_script(struct expansion *x, struct writer *w)
{
    x->out->script[x->out->n].bytes = xmemdup(w->len ? w->data : (const uint8_t *)"", w->len ? w->len : 1);
    x->out->script[x->out->n++].len = w->len;
}

static void write_p2pkh(struct writer *w, const uint8_t hash[20])
{
    write_u8(w, OP_DUP);
    write_u8(w, OP_HASH160);
    script_write_push(w, hash, 20);
    write_u8(w, OP_EQUALVERIFY);
    write_u8(w, OP_CHECKSIG);
}

static void write_program(struct writer *w, uint8_t version, const uint8_t *program, size_t len)
{
    write_u8(w, version);
    script_write_push(w, program, len);
}

static void write_p2sh(struct writer *w, const uint8_t *script, size_t len)
{
    uint8_t hash[20];

    hash160(hash, script, len);
    write_u8(w, OP_HASH160);
    script_write_push(w, hash, 20);
    write_u8(w, OP_EQUAL);
}

/* P2PK, P2PKH and, for compressed keys, P2WPKH and that in P2SH. */
static void expand_combo(struct expansion *x, const struct derived_key *key)
{
    struct writer w = WRITER_INIT, inner = WRITER_INIT;
    uint8_t hash[20];

    hash160(hash, key->pub, key->len);
    script_write_push(&w, key->pub, key->len);
    write_u8(&w, OP_CHECKSIG);
    add_script(x, &w);
    w.len = 0;
    write_p2pkh(&w, hash);
    add_script(x, &w);
    if (key->len == 33) {
        write_program(&inner, OP_0, hash, 20);
        add_script(x, &inner);
        keyring_add_script(x->ring, inner.data, inner.len);
        w.len = 0;
        write_p2sh(&w, inner.data, inner.len);
        add_script(x, &w);
    }
    writer_clear(&w);
    writer_clear(&inner);
}

static int key_order(const void *a, const void *b)
{
    const struct derived_key *x = a, *y = b;

    if (x->pub[0] != y->pub[0]) /* 33 bytes before 65: 2 and 3 before 4 */
        return x->pub[0] < y->pub[0] ? -1 : 1;
    return memcmp(x->pub, y->pub, x->len);
}

static int x_order(const void *a, const void *b)
{
    const struct derived_key *x = a, *y = b;

    return memcmp(x->pub + 1, y->pub + 1, 32);
}

static void write_multi(struct writer *w, const struct desc_node *n, struct derived_key *keys)
{
    bool leaf = n->kind == DESC_MULTI_A || n->kind == DESC_SORTEDMULTI_A;

    if (n->kind == DESC_SORTEDMULTI || n->kind == DESC_SORTEDMULTI_A)
        qsort(keys, n->n_keys, sizeof(*keys), leaf ? x_order : key_order);
    if (!leaf)
        script_write_int(w, n->threshold);
    for (size_t i = 0; i < n->n_keys; i++) {
        if (leaf)
            script_write_push(w, keys[i].pub + 1, 32);
        else
            script_write_push(w, keys[i].pub, keys[i].len);
        if (leaf)
            write_u8(w, i ? OP_CHECKSIGADD : OP_CHECKSIG);
    }
    script_write_int(w, leaf ? n->threshold : (int64_t)n->n_keys);
    write_u8(w, leaf ? OP_NUMEQUAL : OP_CHECKMULTISIG);
}

struct ms_key_bytes {
    const struct derived_key *keys;
    bool x_only;
};

static void ms_key_at(const void *arg, uint8_t *out, uint32_t key)
{
    const struct ms_key_bytes *k = arg;

    memcpy(out, k->keys[key].pub + (k->x_only ? 1 : 0), k->x_only ? 32 : 33);
}

static void write_keys_script(struct writer *w, const struct desc_node *n, struct derived_key *keys)
{
    struct ms_key_bytes bytes = {keys, n->ms && n->ms->context == MS_TAPSCRIPT};
    uint8_t hash[20];

    switch (n->kind) {
    case DESC_PK:
        script_write_push(w, keys->pub + n->x_only, n->x_only ? 32 : keys->len);
        write_u8(w, OP_CHECKSIG);
        break;
    case DESC_PKH:
        hash160(hash, keys->pub, keys->len);
        write_p2pkh(w, hash);
        break;
    case DESC_WPKH:
        hash160(hash, keys->pub, keys->len);
        write_program(w, OP_0, hash, 20);
        break;
    case DESC_RAWTR:
        write_program(w, OP_1, keys->pub + 1, 32);
        break;
    case DESC_MINISCRIPT:
        ms_to_script(w, n->ms, ms_key_at, &bytes);
        break;
    default:
        write_multi(w, n, keys);
    }
}

static bool expand_node(struct expansion *x, struct writer *w, const struct desc_node *n);

static bool write_tr(struct expansion *x, struct writer *w, const struct desc_node *n, const struct derived_key *internal)
{
    struct tap_tree_leaf *leaves = xcalloc(n->n_subs + 1, sizeof(*leaves));
    struct writer *scripts = xcalloc(n->n_subs + 1, sizeof(*scripts));
    uint8_t output[32];
    bool ok = true;

    for (size_t i = 0; ok && i < n->n_subs; i++) {
        ok = expand_node(x, &scripts[i], n->subs[i]);
        leaves[i] = (struct tap_tree_leaf){n->depths[i], 0xc0, scripts[i].data, scripts[i].len};
    }
    if (ok && keyring_add_tap_tree(output, x->ring, internal->pub + 1, leaves, n->n_subs))
        write_program(w, OP_1, output, 32);
    for (size_t i = 0; i < n->n_subs; i++)
        writer_clear(&scripts[i]);
    free(scripts);
    free(leaves);
    return ok;
}

static bool write_wrapped(struct expansion *x, struct writer *w, const struct desc_node *n)
{
    struct writer inner = WRITER_INIT;
    bool ok = expand_node(x, &inner, n->subs[0]);
    uint8_t hash[32];

    if (ok) {
        keyring_add_script(x->ring, inner.data, inner.len);
        if (n->kind == DESC_SH) {
            write_p2sh(w, inner.data, inner.len);
        } else {
            sha256(hash, inner.data, inner.len);
            write_program(w, OP_0, hash, 32);
        }
    }
    writer_clear(&inner);
    return ok;
}

/* The script of a node; combo() and unused(), which have not just one, add theirs to the output. */
static bool expand_node(struct expansion *x, struct writer *w, const struct desc_node *n)
{
    struct derived_key *keys = xcalloc(n->n_keys + 1, sizeof(*keys));
    bool ok = true;

    for (size_t i = 0; ok && i < n->n_keys; i++)
        ok = key_at(&keys[i], x->ring, x->d, n->keys[i], x->path, x->position, x->secrets);
    if (!ok || n->kind == DESC_UNUSED) {
        free(keys);
        return ok;
    }
    if (n->kind == DESC_ADDR || n->kind == DESC_RAW)
        write_bytes(w, n->script, n->script_len);
    else if (n->kind == DESC_COMBO)
        expand_combo(x, keys);
    else if (n->kind == DESC_SH || n->kind == DESC_WSH)
        ok = write_wrapped(x, w, n);
    else if (n->kind == DESC_TR)
        ok = write_tr(x, w, n, keys);
    else
        write_keys_script(w, n, keys);
    free(keys);
    return ok;
}

bool descriptor_expand(struct descriptor_scripts *out, struct keyring *ring, struct descriptor *d, size_t path, uint32_t position,
                       bool secrets)
{
    struct keyring own = {.n_keys = 0};
    struct expansion x = {d, ring ? ring : &own, path, position, ring && secrets, NULL};
    struct writer w = WRITER_INIT;
    bool ok;

    memset(out, 0, sizeof(*out));
    x.out = out;
    ok = expand_node(&x, &w, d->root);
    if (ok && w.len)
        add_script(&x, &w);
    writer_clear(&w);
    keyring_clear(&own);
    if (!ok)
        descriptor_scripts_clear(out);
    return ok;
}

void descriptor_scripts_clear(struct descriptor_scripts *s)
{
    for (unsigned i = 0; i < s->n; i++)
        free(s->script[i].bytes);
    memset(s, 0, sizeof(*s));
}
