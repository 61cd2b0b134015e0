/* tap_tree.c - taproot outputs with scripts (BIP341): from leaves and their depths to the output key and a control block for each leaf. Called by
 * descriptors and PSBTs; pure. */
#include <stdlib.h>

#include "crypto/keys.h"
#include "script/sign.h"
#include "util/mem.h"

#define TAP_DEPTH_MAX 128
#define CONTROL_BASE 33

bool tap_output_add_leaf(struct tap_output *t, const uint8_t *script, size_t len, const uint8_t *control, size_t control_len)
{
    struct tap_leaf *leaf;

    if (control_len < CONTROL_BASE || (control_len - CONTROL_BASE) % 32 != 0 || (control_len - CONTROL_BASE) / 32 > TAP_DEPTH_MAX)
        return false;
    if (!(t->n_leaves & (t->n_leaves - 1))) /* doubles at powers of two */
        t->leaves = xrealloc(t->leaves, (t->n_leaves ? t->n_leaves * 2 : 1) * sizeof(*t->leaves));
    leaf = &t->leaves[t->n_leaves++];
    leaf->script = xmemdup(len ? script : (const uint8_t *)"", len ? len : 1);
    leaf->len = len;
    leaf->version = control[0] & 0xfe;
    leaf->depth = (uint8_t)((control_len - CONTROL_BASE) / 32);
    tapleaf_hash(leaf->hash, leaf->version, script, len);
    leaf->control = xmemdup(control, control_len);
    leaf->control_len = control_len;
    return true;
}

/* A finished part of the tree: which leaves it covers, and how deep its root stands. */
struct part {
    uint8_t hash[32];
    unsigned depth;
    size_t first, n;
};

/* Adds a sibling's hash to the proofs of all leaves of a part. */
static void add_step(struct tap_output *t, const struct part *p, const uint8_t sibling[32])
{
    for (size_t i = p->first; i < p->first + p->n; i++) {
        struct tap_leaf *leaf = &t->leaves[i];
        memcpy(leaf->control + leaf->control_len, sibling, 32);
        leaf->control_len += 32;
    }
}

static bool add_leaves(struct tap_output *t, const struct tap_tree_leaf *leaves, size_t n)
{
    struct part stack[TAP_DEPTH_MAX + 2];
    size_t top = 0;

    t->leaves = xcalloc(n, sizeof(*t->leaves));
    for (size_t i = 0; i < n; i++) {
        struct tap_leaf *leaf = &t->leaves[i];
        if (leaves[i].depth > TAP_DEPTH_MAX || (top > 0 && stack[top - 1].depth > leaves[i].depth) || top > TAP_DEPTH_MAX)
            return false;
        *leaf = (struct tap_leaf){
            .script = xmemdup(leaves[i].len ? leaves[i].script : (const uint8_t *)"", leaves[i].len ? leaves[i].len : 1),
            .len = leaves[i].len,
            .version = leaves[i].version,
            .depth = (uint8_t)leaves[i].depth,
            .control = xcalloc(1, CONTROL_BASE + 32 * leaves[i].depth),
            .control_len = CONTROL_BASE};
        t->n_leaves++;
        tapleaf_hash(leaf->hash, leaf->version, leaf->script, leaf->len);
        stack[top] = (struct part){.depth = leaves[i].depth, .first = i, .n = 1};
        memcpy(stack[top++].hash, leaf->hash, 32);
        while (top > 1 && stack[top - 1].depth == stack[top - 2].depth) {
            struct part *a = &stack[top - 2], *b = &stack[top - 1];
            if (a->depth == 0)
                return false;
            add_step(t, a, b->hash);
            add_step(t, b, a->hash);
            tapbranch_hash(a->hash, a->hash, b->hash);
            a->n += b->n;
            a->depth--;
            top--;
        }
    }
    memcpy(t->root, stack[0].hash, 32);
    return top == 1 && stack[0].depth == 0;
}

bool keyring_add_tap_tree(uint8_t output[32], struct keyring *ring, const uint8_t internal[32], const struct tap_tree_leaf *leaves,
                          size_t n)
{
    static const uint8_t unknown[32] = {0};
    struct tap_output *t = keyring_add_tap_output(ring, unknown);

    memcpy(t->internal, internal, 32);
    t->has_internal = true;
    if ((n && !add_leaves(t, leaves, n)) || !taproot_tweak(t->output, &t->parity, internal, n ? t->root : NULL))
        return false; /* the entry stays, under a key that no output has */
    t->has_root = n > 0;
    t->complete = true;
    for (size_t i = 0; i < n; i++) {
        t->leaves[i].control[0] = (uint8_t)(t->leaves[i].version | t->parity);
        memcpy(t->leaves[i].control + 1, internal, 32);
    }
    memcpy(output, t->output, 32);
    return true;
}
