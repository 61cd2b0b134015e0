/* infer.c - the descriptor of a script (Core's InferDescriptor), as far as a keyring tells. Called by RPC for every output of getblock 2; pure. */
#include <stdio.h>
#include <stdlib.h>

#include "crypto/keys.h"
#include "descriptor/internal.h"
#include "script/script.h"
#include "util/mem.h"

static const struct keyring nothing;

/* ---- keys ---- */

static void put_origin(struct writer *w, const struct sign_pub *from)
{
    if (!from)
        return;
    write_u8(w, '[');
    put_hex(w, from->fingerprint, 4);
    for (size_t i = 0; i < from->path_len; i++) {
        write_u8(w, '/');
        put_number(w, from->path[i] & ~EXTKEY_HARDENED);
        if (from->path[i] & EXTKEY_HARDENED)
            write_u8(w, 'h');
    }
    write_u8(w, ']');
}

/* No hybrid keys, and uncompressed ones only outside of witness scripts. */
static bool key_fits(const uint8_t *key, size_t len, enum desc_context ctx)
{
    if (len == 33)
        return key[0] == 2 || key[0] == 3;
    return len == 65 && key[0] == 4 && (ctx == CTX_TOP || ctx == CTX_P2SH);
}

static bool infer_key(struct writer *w, const uint8_t *key, size_t len, enum desc_context ctx, const struct keyring *ring)
{
    if (!key_fits(key, len, ctx))
        return false;
    put_origin(w, keyring_find_origin(ring, key, len));
    put_hex(w, key, len);
    return true;
}

static void infer_x_only(struct writer *w, const uint8_t key[32], const struct keyring *ring)
{
    put_origin(w, keyring_find_origin(ring, key, 32));
    put_hex(w, key, 32);
}

static bool infer_key_hash(struct writer *w, const char *name, const uint8_t hash[20], enum desc_context ctx,
                           const struct keyring *ring)
{
    uint8_t pub[65];
    size_t len;

    if (!keyring_find_pub(pub, &len, ring, hash, false))
        return false;
    put_text(w, name);
    if (!infer_key(w, pub, len, ctx, ring))
        return false;
    write_u8(w, ')');
    return true;
}

/* ---- scripts of keys ---- */

static bool infer_multi(struct writer *w, const struct script_solution *s, enum desc_context ctx, const struct keyring *ring)
{
    put_multi(w, DESC_MULTI, s->required);
    for (unsigned i = 0; i < s->n; i++) {
        write_u8(w, ',');
        if (!infer_key(w, s->item[i], s->item_len[i], ctx, ring))
            return false;
    }
    write_u8(w, ')');
    return true;
}

/* <key> OP_CHECKSIG (<key> OP_CHECKSIGADD)* <k> OP_NUMEQUAL. */
static bool infer_multi_a(struct writer *w, const uint8_t *script, size_t len, const struct keyring *ring)
{
    const uint8_t *pos = script, *end = script + len;
    struct writer keys = WRITER_INIT, number = WRITER_INIT;
    size_t n = 0, left;
    bool ok = false;

    for (; end - pos >= 34 && pos[0] == 32 && pos[33] == (n ? OP_CHECKSIGADD : OP_CHECKSIG); pos += 34, n++) {
        write_u8(&keys, ',');
        infer_x_only(&keys, pos + 1, ring);
    }
    left = (size_t)(end - pos);
    for (uint32_t k = 1; k <= n && n <= MS_MULTI_A_KEYS_MAX && left >= 2 && left <= 4 && !ok; k++) {
        number.len = 0;
        script_write_int(&number, k);
        ok = number.len + 1 == left && memcmp(number.data, pos, number.len) == 0 && pos[left - 1] == OP_NUMEQUAL;
        if (ok) {
            put_multi(w, DESC_MULTI_A, k);
            write_bytes(w, keys.data, keys.len);
            write_u8(w, ')');
        }
    }
    writer_clear(&keys);
    writer_clear(&number);
    return ok;
}

/* ---- miniscript ---- */

struct inferred_keys {
    const struct keyring *ring;
    bool tapscript;
    struct derived_key *keys;
    uint32_t n;
};

static bool add_key(struct inferred_keys *k, uint32_t *key, const uint8_t *bytes, size_t len)
{
    if ((k->n & (k->n - 1)) == 0) /* doubles at powers of two */
        k->keys = xrealloc(k->keys, (k->n ? 2 * k->n : 1) * sizeof(*k->keys));
    memcpy(k->keys[k->n].pub, bytes, len);
    k->keys[k->n].len = len;
    *key = k->n++;
    return true;
}

static bool key_of_bytes(void *arg, uint32_t *key, const uint8_t *bytes, size_t len)
{
    struct inferred_keys *k = arg;

    return (k->tapscript ? len == 32 : key_fits(bytes, len, CTX_P2WSH)) && add_key(k, key, bytes, len);
}

static bool key_of_hash(void *arg, uint32_t *key, const uint8_t hash[20])
{
    struct inferred_keys *k = arg;
    uint8_t pub[65];
    size_t len;

    if (!keyring_find_pub(pub, &len, k->ring, hash, k->tapscript) || !key_fits(pub, len, CTX_P2WSH))
        return false;
    return k->tapscript ? add_key(k, key, pub + 1, 32) : add_key(k, key, pub, len);
}

static int compare_keys(const void *arg, uint32_t a, uint32_t b)
{
    const struct inferred_keys *k = arg;

    return memcmp(k->keys[a].pub, k->keys[b].pub, k->tapscript ? 32 : 33);
}

static void put_inferred(void *arg, struct writer *w, uint32_t key)
{
    const struct inferred_keys *k = arg;

    if (k->tapscript)
        infer_x_only(w, k->keys[key].pub, k->ring);
    else
        infer_key(w, k->keys[key].pub, 33, CTX_P2WSH, k->ring);
}

static bool infer_miniscript(struct writer *w, const uint8_t *script, size_t len, bool tapscript, const struct keyring *ring)
{
    struct inferred_keys k = {.ring = ring, .tapscript = tapscript};
    const struct ms_keys source = {&k, key_of_bytes, key_of_hash};
    struct miniscript ms;
    bool ok = ms_from_script(&ms, tapscript ? MS_TAPSCRIPT : MS_P2WSH, script, len, &source);

    if (ok) {
        ms_finish(&ms, ms.root, compare_keys, &k);
        ok = ms_is_sane(ms.root, ms.context);
        if (ok)
            put_miniscript(w, ms.root, put_inferred, &k);
        ms_clear(&ms);
    }
    free(k.keys);
    return ok;
}

/* ---- scripts ---- */

static bool infer(struct writer *w, const uint8_t *script, size_t len, enum desc_context ctx, const struct keyring *ring);

static bool infer_leaf(struct writer *w, const struct tap_leaf *leaf, const struct keyring *ring)
{
    if (leaf->version != 0xc0)
        return false;
    if (leaf->len == 34 && leaf->script[0] == 32 && leaf->script[33] == OP_CHECKSIG) {
        put_text(w, "pk(");
        infer_x_only(w, leaf->script + 1, ring);
        write_u8(w, ')');
        return true;
    }
    return infer_multi_a(w, leaf->script, leaf->len, ring) || infer_miniscript(w, leaf->script, leaf->len, true, ring);
}

static bool infer_tr(struct writer *w, const struct tap_output *tap, const struct keyring *ring)
{
    bool right[TAP_DEPTH_MAX];
    unsigned depth = 0;

    if (!tap || !tap->complete)
        return false;
    put_text(w, "tr(");
    infer_x_only(w, tap->internal, ring);
    for (size_t i = 0; i < tap->n_leaves; i++) {
        write_u8(w, ',');
        while (depth < tap->leaves[i].depth) {
            right[depth++] = false;
            write_u8(w, '{');
        }
        if (!infer_leaf(w, &tap->leaves[i], ring))
            return false;
        for (; depth && right[depth - 1]; depth--)
            write_u8(w, '}');
        if (depth)
            right[depth - 1] = true;
    }
    write_u8(w, ')');
    return true;
}

static bool infer_wrapped(struct writer *w, const char *name, const uint8_t *hash, size_t hash_len, enum desc_context ctx,
                          const struct keyring *ring)
{
    const struct witness_item *inner = keyring_find_script(ring, hash, hash_len);

    if (!inner)
        return false;
    put_text(w, name);
    if (!infer(w, inner->data, inner->len, ctx, ring))
        return false;
    write_u8(w, ')');
    return true;
}

/* What the templates tell. */
static bool infer_known(struct writer *w, const struct script_solution *s, enum desc_context ctx, const struct keyring *ring)
{
    bool wrappable = ctx == CTX_TOP || ctx == CTX_P2SH;

    switch (s->type) {
    case SCRIPT_PUBKEY:
        put_text(w, "pk(");
        if (!infer_key(w, s->item[0], s->item_len[0], ctx, ring))
            return false;
        write_u8(w, ')');
        return true;
    case SCRIPT_PUBKEYHASH:
        return infer_key_hash(w, "pkh(", s->item[0], ctx, ring);
    case SCRIPT_WITNESS_V0_KEYHASH:
        return wrappable && infer_key_hash(w, "wpkh(", s->item[0], CTX_P2WPKH, ring);
    case SCRIPT_MULTISIG:
        return infer_multi(w, s, ctx, ring);
    case SCRIPT_SCRIPTHASH:
        return ctx == CTX_TOP && infer_wrapped(w, "sh(", s->item[0], 20, CTX_P2SH, ring);
    case SCRIPT_WITNESS_V0_SCRIPTHASH:
        return wrappable && infer_wrapped(w, "wsh(", s->item[0], 32, CTX_P2WSH, ring);
    case SCRIPT_WITNESS_V1_TAPROOT:
        return ctx == CTX_TOP && infer_tr(w, keyring_find_tap(ring, s->item[0]), ring);
    default:
        return false;
    }
}

/* Nothing but what the script itself shows. */
static void infer_bare(struct writer *w, const struct script_solution *s, const uint8_t *script, size_t len,
                       const struct keyring *ring, const struct address_prefixes *p)
{
    char *address;

    if (s->type == SCRIPT_WITNESS_V1_TAPROOT && xonly_is_on_curve(s->item[0])) {
        put_text(w, "rawtr(");
        infer_x_only(w, s->item[0], ring);
        write_u8(w, ')');
        return;
    }
    address = s->type == SCRIPT_PUBKEY ? NULL : address_encode(script, len, p);
    put_text(w, address ? "addr(" : "raw(");
    if (address)
        put_text(w, address);
    else
        put_hex(w, script, len);
    write_u8(w, ')');
    free(address);
}

static bool infer(struct writer *w, const uint8_t *script, size_t len, enum desc_context ctx, const struct keyring *ring)
{
    struct script_solution s;
    size_t start = w->len;

    script_solve(&s, script, len);
    if (infer_known(w, &s, ctx, ring))
        return true;
    w->len = start;
    return ctx == CTX_P2WSH && infer_miniscript(w, script, len, false, ring);
}

char *descriptor_infer(const uint8_t *script, size_t len, const struct keyring *ring, const struct address_prefixes *p)
{
    struct writer w = WRITER_INIT;
    struct script_solution s;

    if (!ring)
        ring = &nothing;
    if (!infer(&w, script, len, CTX_TOP, ring)) {
        w.len = 0;
        script_solve(&s, script, len);
        infer_bare(&w, &s, script, len, ring, p);
    }
    return finish_text(&w);
}
