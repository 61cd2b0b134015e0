/* text.c - the canonical text of descriptors and miniscripts. Called by RPC and by the parser for its messages; pure. */
#include <stdio.h>
#include <stdlib.h>

#include "descriptor/internal.h"
#include "util/hex.h"
#include "util/mem.h"

void put_text(struct writer *w, const char *text)
{
    write_bytes(w, text, strlen(text));
}

void put_hex(struct writer *w, const void *data, size_t len)
{
    hex_encode((char *)writer_extend(w, 2 * len + 1), data, len);
    w->len--;
}

void put_number(struct writer *w, uint32_t n)
{
    char text[12];

    snprintf(text, sizeof(text), "%u", n);
    put_text(w, text);
}

/* ---- keys ---- */

static void put_path(struct writer *w, const struct key_path *path, size_t choice, bool apostrophe)
{
    for (size_t i = 0; i < path->n; i++) {
        uint32_t step = path->n_choices && i == path->choice_at ? path->choices[choice] : path->steps[i];
        write_u8(w, '/');
        put_number(w, step & ~EXTKEY_HARDENED);
        if (step & EXTKEY_HARDENED)
            write_u8(w, apostrophe ? '\'' : 'h');
    }
}

static void put_range(struct writer *w, const struct key_expr *k)
{
    if (k->range != RANGE_NONE)
        put_text(w, "/*");
    if (k->range == RANGE_HARDENED)
        write_u8(w, k->apostrophe ? '\'' : 'h');
}

static void put_extended(struct writer *w, const struct descriptor *d, const struct key_expr *k, size_t path, bool secret)
{
    const struct sign_key *own = secret ? keyring_find_key(&d->secrets, k->root.pub, 33) : NULL;
    struct extkey root = k->root;
    char *text;

    if (own)
        memcpy(root.secret, own->secret, 32);
    text = extkey_encode(&root, own != NULL, &d->params->address);
    extkey_neuter(&root);
    put_text(w, text);
    free(text);
    put_path(w, &k->path, path, k->apostrophe);
    put_range(w, k);
}

static void put_fixed(struct writer *w, const struct descriptor *d, const struct key_expr *k, bool secret)
{
    const uint8_t *pub = k->x_only ? k->pub + 1 : k->pub;
    size_t len = k->x_only ? 32 : k->pub_len;
    const struct sign_key *own = secret ? keyring_find_key(&d->secrets, pub, len) : NULL;
    char *text;

    if (!own) {
        put_hex(w, pub, len);
        return;
    }
    text = wif_encode(own->secret, own->pub_len == 33, &d->params->address);
    put_text(w, text);
    free(text);
}

void put_key(struct writer *w, const struct descriptor *d, const struct key_expr *k, size_t path, bool secret)
{
    if (k->has_origin) {
        write_u8(w, '[');
        put_hex(w, k->fingerprint, 4);
        put_path(w, &k->origin, 0, k->apostrophe);
        write_u8(w, ']');
    }
    if (k->kind == KEY_FIXED) {
        put_fixed(w, d, k, secret);
    } else if (k->kind == KEY_EXTENDED) {
        put_extended(w, d, k, path, secret);
    } else {
        put_text(w, "musig(");
        for (size_t i = 0; i < k->n_parts; i++) {
            if (i)
                write_u8(w, ',');
            put_key(w, d, k->parts[i], path, secret);
        }
        write_u8(w, ')');
        put_path(w, &k->path, path, false);
        put_range(w, k);
    }
}

/* ---- miniscript ---- */

/* What is still to be written: some text, or a node. */
struct task {
    const struct ms_node *node;
    bool wrapped; /* a wrapper stands in front */
    const char *text;
};
struct ms_text {
    struct writer *w;
    struct task *tasks;
    size_t n, cap;
    void (*key)(void *arg, struct writer *w, uint32_t key);
    void *arg;
};

static void add(struct ms_text *t, const struct ms_node *node, bool wrapped, const char *text)
{
    if (t->n == t->cap) {
        t->cap = t->cap ? 2 * t->cap : 64;
        t->tasks = xrealloc(t->tasks, t->cap * sizeof(*t->tasks));
    }
    t->tasks[t->n++] = (struct task){node, wrapped, text};
}

/* The letter of a wrapper and what it wraps. Returns: 0 if the node is none. */
static char wrapper_of(const struct ms_node *n, const struct ms_node **inner)
{
    static const char letters[] = {[MS_WRAP_A] = 'a', [MS_WRAP_S] = 's', [MS_WRAP_C] = 'c', [MS_WRAP_D] = 'd',
                                   [MS_WRAP_V] = 'v', [MS_WRAP_J] = 'j', [MS_WRAP_N] = 'n'};

    if (n->n_subs == 0)
        return 0;
    *inner = n->subs[0];
    if (n->n_subs == 1 && n->fragment != MS_THRESH)
        return n->fragment == MS_WRAP_C && ((*inner)->fragment == MS_PK_K || (*inner)->fragment == MS_PK_H) ? 0
                                                                                                            : letters[n->fragment];
    if (n->fragment == MS_AND_V && n->subs[1]->fragment == MS_1)
        return 't';
    if (n->fragment == MS_OR_I && n->subs[0]->fragment == MS_0) {
        *inner = n->subs[1];
        return 'l';
    }
    return n->fragment == MS_OR_I && n->subs[1]->fragment == MS_0 ? 'u' : 0;
}

static void put_leaf(struct ms_text *t, const struct ms_node *n)
{
    static const char *const names[] = {
        [MS_PK_K] = "pk_k(",     [MS_PK_H] = "pk_h(",           [MS_OLDER] = "older(",     [MS_AFTER] = "after(",
        [MS_SHA256] = "sha256(", [MS_RIPEMD160] = "ripemd160(", [MS_HASH256] = "hash256(", [MS_HASH160] = "hash160(",
        [MS_MULTI] = "multi(",   [MS_MULTI_A] = "multi_a("};

    if (n->fragment == MS_0 || n->fragment == MS_1) {
        write_u8(t->w, n->fragment == MS_0 ? '0' : '1');
        return;
    }
    put_text(t->w, names[n->fragment]);
    if (n->data)
        put_hex(t->w, n->data, n->fragment == MS_SHA256 || n->fragment == MS_HASH256 ? 32 : 20);
    else if (n->k)
        put_number(t->w, n->k);
    for (uint32_t i = 0; i < n->n_keys; i++) {
        if (n->k)
            write_u8(t->w, ',');
        t->key(t->arg, t->w, n->keys[i]);
    }
    write_u8(t->w, ')');
}

static void put_node(struct ms_text *t, const struct ms_node *n)
{
    static const char *const names[] = {
        [MS_AND_V] = "and_v(", [MS_AND_B] = "and_b(", [MS_OR_B] = "or_b(",   [MS_OR_C] = "or_c(",
        [MS_OR_D] = "or_d(",   [MS_OR_I] = "or_i(",   [MS_ANDOR] = "andor(", [MS_THRESH] = "thresh("};
    uint32_t shown = n->n_subs;
    bool and_n = n->fragment == MS_ANDOR && n->subs[2]->fragment == MS_0;

    if (n->fragment == MS_WRAP_C) {
        put_text(t->w, n->subs[0]->fragment == MS_PK_K ? "pk(" : "pkh(");
        t->key(t->arg, t->w, n->subs[0]->keys[0]);
        write_u8(t->w, ')');
        return;
    }
    if (n->n_subs == 0) {
        put_leaf(t, n);
        return;
    }
    put_text(t->w, and_n ? "and_n(" : names[n->fragment]);
    if (n->fragment == MS_THRESH) {
        put_number(t->w, n->k);
        write_u8(t->w, ',');
    }
    shown -= and_n;
    add(t, NULL, false, ")");
    for (uint32_t i = shown; i-- > 0;) {
        add(t, n->subs[i], false, NULL);
        if (i)
            add(t, NULL, false, ",");
    }
}

void put_miniscript(struct writer *w, const struct ms_node *root, void (*key)(void *arg, struct writer *w, uint32_t key), void *arg)
{
    struct ms_text t = {.w = w, .key = key, .arg = arg};

    add(&t, root, false, NULL);
    while (t.n) {
        struct task now = t.tasks[--t.n];
        const struct ms_node *inner;
        char letter;
        if (now.text) {
            put_text(w, now.text);
            continue;
        }
        letter = wrapper_of(now.node, &inner);
        if (letter) {
            write_u8(w, (uint8_t)letter);
            add(&t, inner, true, NULL);
            continue;
        }
        if (now.wrapped)
            write_u8(w, ':');
        put_node(&t, now.node);
    }
    free(t.tasks);
}

/* ---- descriptors ---- */

struct key_text {
    const struct descriptor *d;
    struct key_expr **keys;
    size_t path;
    bool secret;
};

static void put_indexed_key(void *arg, struct writer *w, uint32_t key)
{
    const struct key_text *t = arg;

    put_key(w, t->d, t->keys[key], t->path, t->secret);
}

static void put_node_text(struct writer *w, const struct key_text *t, const struct desc_node *n);

/* Leaves with the brackets that their depths call for. */
static void put_tree(struct writer *w, const struct key_text *t, const struct desc_node *n)
{
    bool right[TAP_DEPTH_MAX];
    unsigned depth = 0;

    for (size_t i = 0; i < n->n_subs; i++) {
        write_u8(w, ',');
        while (depth < n->depths[i]) {
            right[depth++] = false;
            write_u8(w, '{');
        }
        put_node_text(w, t, n->subs[i]);
        for (; depth && right[depth - 1]; depth--)
            write_u8(w, '}');
        if (depth)
            right[depth - 1] = true;
    }
}

void put_multi(struct writer *w, enum desc_kind kind, uint32_t threshold)
{
    static const char *const names[] = {[DESC_MULTI] = "multi(",
                                        [DESC_SORTEDMULTI] = "sortedmulti(",
                                        [DESC_MULTI_A] = "multi_a(",
                                        [DESC_SORTEDMULTI_A] = "sortedmulti_a("};

    put_text(w, names[kind]);
    put_number(w, threshold);
}

static void put_fixed_script(struct writer *w, const struct key_text *t, const struct desc_node *n)
{
    char *address;

    put_text(w, n->kind == DESC_ADDR ? "addr(" : "raw(");
    if (n->kind == DESC_ADDR) {
        address = address_encode(n->script, n->script_len, &t->d->params->address);
        put_text(w, address ? address : "");
        free(address);
    } else {
        put_hex(w, n->script, n->script_len);
    }
    write_u8(w, ')');
}

static void put_node_text(struct writer *w, const struct key_text *t, const struct desc_node *n)
{
    static const char *const names[] = {
        [DESC_PK] = "pk(",   [DESC_PKH] = "pkh(", [DESC_WPKH] = "wpkh(",   [DESC_COMBO] = "combo(",  [DESC_SH] = "sh(",
        [DESC_WSH] = "wsh(", [DESC_TR] = "tr(",   [DESC_RAWTR] = "rawtr(", [DESC_UNUSED] = "unused("};
    bool multi = n->kind >= DESC_MULTI && n->kind <= DESC_SORTEDMULTI_A;
    struct key_text own = *t;

    own.keys = n->keys;
    if (n->kind == DESC_ADDR || n->kind == DESC_RAW) {
        put_fixed_script(w, t, n);
        return;
    }
    if (n->kind == DESC_MINISCRIPT) {
        put_miniscript(w, n->ms->root, put_indexed_key, &own);
        return;
    }
    if (multi)
        put_multi(w, n->kind, n->threshold);
    else
        put_text(w, names[n->kind]);
    for (size_t i = 0; i < n->n_keys; i++) {
        if (multi || i)
            write_u8(w, ',');
        put_indexed_key(&own, w, (uint32_t)i);
    }
    if (n->kind == DESC_TR)
        put_tree(w, t, n);
    else if (n->n_subs)
        put_node_text(w, t, n->subs[0]);
    write_u8(w, ')');
}

static char *make_text(const struct descriptor *d, size_t path, bool secret)
{
    const struct key_text t = {d, NULL, path, secret};
    struct writer w = WRITER_INIT;

    put_node_text(&w, &t, d->root);
    return finish_text(&w);
}

char *descriptor_text(const struct descriptor *d, size_t path)
{
    return make_text(d, path, false);
}

char *descriptor_text_private(const struct descriptor *d, size_t path)
{
    return make_text(d, path, true);
}
