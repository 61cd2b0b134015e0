/* decode_value.c - values of entries: what may stand in them, and their one form for what has several. Called by decode_map.c; pure. */
#include <stdlib.h>

#include "crypto/keys.h"
#include "primitives/serialize.h"
#include "psbt/decoding.h"
#include "script/verify.h"
#include "util/mem.h"

#define TAP_DEPTH_MAX 128
#define PUB_NONCE_SIZE 66

static void add(struct decoding *d, const struct entry *e, const struct field *f, const void *value, size_t len)
{
    map_append(d->p, d->map, (enum psbt_kind)f->kind, e->key + 1, e->len - 1, value, len);
}

void dec_value_bytes(struct decoding *d, const struct entry *e, const struct field *f)
{
    size_t len;
    const uint8_t *value = dec_var_bytes(d, &len);

    if (value)
        add(d, e, f, value, len);
}

void dec_value_script(struct decoding *d, const struct entry *e, const struct field *f)
{
    size_t len;
    const uint8_t *value = dec_var_bytes(d, &len);

    if (value && len) /* an empty one counts as none */
        add(d, e, f, value, len);
}

void dec_value_hash(struct decoding *d, const struct entry *e, const struct field *f)
{
    static const uint8_t none[32] = {0};
    struct stated s = dec_stated(d);
    const uint8_t *value = d->error ? NULL : dec_bytes(d, 32);

    dec_stated_end(d, s);
    if (value && !d->error && memcmp(value, none, 32) != 0)
        add(d, e, f, value, 32);
}

/* The key holds a public key, of either form. */
static bool want_pubkey(struct decoding *d, const struct entry *e, const char *what)
{
    if (e->len != 34 && e->len != 66)
        dec_fail(d, "Size of key was not the expected size for the type %s: iostream error", what);
    else if (!pubkey_is_valid(e->key + 1, e->len - 1))
        dec_fail(d, "Invalid pubkey: iostream error");
    return !d->error;
}

void dec_value_partial_sig(struct decoding *d, const struct entry *e, const struct field *f)
{
    const uint8_t *sig;
    size_t len;

    if (!want_pubkey(d, e, "partial signature pubkey"))
        return;
    sig = dec_var_bytes(d, &len);
    if (sig && !script_sig_is_well_formed(sig, len))
        dec_fail(d, "Signature is not a valid encoding: iostream error");
    else if (sig)
        add(d, e, f, sig, len);
}

/* Fingerprint and path: len bytes. Returns: NULL with the error set. */
static const uint8_t *read_origin(struct decoding *d, uint64_t len)
{
    if (!d->error && (len == 0 || len % 4)) {
        dec_fail(d, "Invalid length for HD key path: iostream error");
        return NULL;
    }
    return d->error ? NULL : dec_bytes(d, (size_t)len);
}

void dec_value_origin(struct decoding *d, const struct entry *e, const struct field *f)
{
    const uint8_t *origin;
    uint64_t len;

    if (!want_pubkey(d, e, "BIP32 keypath"))
        return;
    len = dec_compact(d);
    origin = read_origin(d, len);
    if (origin)
        add(d, e, f, origin, (size_t)len);
}

void dec_value_xpub(struct decoding *d, const struct entry *e, const struct field *f)
{
    static const uint8_t none[8] = {0};
    const uint8_t *depth = e->key + 5, *origin;
    uint64_t len;

    if ((*depth == 0 && memcmp(depth + 1, none, 8) != 0) || !pubkey_is_valid(e->key + 46, 33)) {
        dec_fail(d, "Invalid pubkey: iostream error");
        return;
    }
    len = dec_compact(d);
    origin = read_origin(d, len);
    if (origin)
        add(d, e, f, origin, (size_t)len);
}

void dec_value_stack(struct decoding *d, const struct entry *e, const struct field *f)
{
    struct stated s = dec_stated(d);
    uint64_t n = d->error ? 0 : dec_compact(d);
    size_t len;

    for (uint64_t i = 0; i < n && !d->error; i++)
        dec_var_bytes(d, &len);
    dec_stated_end(d, s);
    if (!d->error && n)
        add(d, e, f, s.start, (size_t)s.len);
}

/* ---- taproot ---- */

void dec_value_tap_sig(struct decoding *d, const struct entry *e, const struct field *f)
{
    const char *path = f->kind == PSBT_TAP_SIG ? "key" : "script";
    size_t len;
    const uint8_t *sig = dec_var_bytes(d, &len);

    if (!sig)
        return;
    if (len < 64)
        dec_fail(d, "Input Taproot %s path signature is shorter than 64 bytes: iostream error", path);
    else if (len > 65)
        dec_fail(d, "Input Taproot %s path signature is longer than 65 bytes: iostream error", path);
    else
        add(d, e, f, sig, len);
}

void dec_value_tap_leaf(struct decoding *d, const struct entry *e, const struct field *f)
{
    const uint8_t *script;
    size_t len;

    if (e->len < 34) {
        dec_fail(d, "Input Taproot leaf script key is not at least 34 bytes: iostream error");
    } else if ((e->len - 2) % 32) {
        dec_fail(d, "Input Taproot leaf script key's control block size is not valid: iostream error");
    } else if ((script = dec_var_bytes(d, &len)) != NULL) {
        if (len == 0)
            dec_fail(d, "Input Taproot leaf script must be at least 1 byte: iostream error");
        else
            add(d, e, f, script, len);
    }
}

static int by_hash(const void *a, const void *b)
{
    return memcmp(a, b, 32);
}

/* Leaf hashes in order and each once, then the origin. */
static void add_tap_origin(struct decoding *d, const struct entry *e, const struct field *f, const uint8_t *hashes, size_t n,
                           const uint8_t *origin, size_t origin_len)
{
    uint8_t *sorted = xmemdup(n ? hashes : (const uint8_t *)"", n ? 32 * n : 1);
    struct writer w = WRITER_INIT;
    size_t kept = 0;

    if (n)
        qsort(sorted, n, 32, by_hash);
    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || memcmp(sorted + 32 * (kept - 1), sorted + 32 * i, 32) != 0)
            memmove(sorted + 32 * kept++, sorted + 32 * i, 32);
    }
    write_compact_size(&w, kept);
    write_bytes(&w, sorted, 32 * kept);
    write_bytes(&w, origin, origin_len);
    add(d, e, f, w.data, w.len);
    writer_clear(&w);
    free(sorted);
}

void dec_value_tap_origin(struct decoding *d, const struct entry *e, const struct field *f)
{
    struct stated s = dec_stated(d);
    uint64_t n = d->error ? 0 : dec_compact(d), used;
    const uint8_t *hashes = d->r.pos, *origin;

    for (uint64_t i = 0; i < n && !d->error; i++)
        dec_bytes(d, 32);
    if (d->error)
        return;
    used = (uint64_t)(d->r.pos - s.start);
    if (used > s.len) {
        dec_fail(d, "%s Taproot BIP32 keypath has an invalid length: iostream error", d->name);
        return;
    }
    origin = read_origin(d, s.len - used);
    if (origin)
        add_tap_origin(d, e, f, hashes, (size_t)n, origin, (size_t)(s.len - used));
}

/* Depths of leaves from left to right, put together as soon as two siblings are there. */
struct tree {
    uint8_t depth[TAP_DEPTH_MAX + 1]; /* of the open nodes, each deeper than the one before */
    size_t n;
    bool malformed;
};

static void tree_add(struct tree *t, uint8_t depth)
{
    while (t->n && t->depth[t->n - 1] == depth && depth) {
        t->n--;
        depth--;
    }
    if (t->n && t->depth[t->n - 1] >= depth)
        t->malformed = true;
    if (!t->malformed)
        t->depth[t->n++] = depth;
}

void dec_value_tap_tree(struct decoding *d, const struct entry *e, const struct field *f)
{
    struct decoding leaf = {.error = NULL};
    struct tree tree = {.n = 0};
    const uint8_t *value, *head;
    size_t len, script_len;

    value = dec_var_bytes(d, &len);
    if (!value)
        return;
    if (len == 0)
        dec_fail(d, "Output Taproot tree must not be empty: iostream error");
    leaf.r = reader_make(value, len);
    while (!d->error && reader_left(&leaf.r)) {
        head = dec_bytes(&leaf, 1);
        if (head && dec_bytes(&leaf, 1))
            dec_var_bytes(&leaf, &script_len);
        if (leaf.error) {
            dec_fail(d, "%s", leaf.error);
        } else if (head[0] > TAP_DEPTH_MAX) {
            dec_fail(d, "Output Taproot tree has as leaf greater than Taproot maximum depth: iostream error");
        } else if (head[1] & 1) {
            dec_fail(d, "Output Taproot tree has a leaf with an invalid leaf version: iostream error");
        } else {
            tree_add(&tree, head[0]);
        }
    }
    free(leaf.error);
    if (!d->error && (tree.malformed || tree.n != 1 || tree.depth[0] != 0))
        dec_fail(d, "Output Taproot tree is malformed: iostream error");
    if (!d->error)
        add(d, e, f, value, len);
}

/* ---- MuSig2 ---- */

void dec_value_participants(struct decoding *d, const struct entry *e, const struct field *f)
{
    const uint8_t *value;
    size_t len;

    if (!pubkey_is_valid(e->key + 1, 33)) {
        dec_fail(d, "%s musig2 aggregate pubkey is invalid: iostream error", d->name);
        return;
    }
    value = dec_var_bytes(d, &len);
    for (size_t i = 0; i + 33 <= len; i += 33) {
        if (!pubkey_is_valid(value + i, 33)) {
            dec_fail(d, "%s musig2 participant pubkey is invalid: iostream error", d->name);
            return;
        }
    }
    if (len % 33)
        dec_fail(d, "%s musig2 participants pubkeys value size is not a multiple of 33: iostream error", d->name);
    else if (value)
        add(d, e, f, value, len);
}

void dec_value_nonce(struct decoding *d, const struct entry *e, const struct field *f)
{
    static const uint8_t none[32] = {0};
    bool nonce = f->kind == PSBT_PUB_NONCE;
    struct entry plain = *e;
    const uint8_t *value;
    size_t len = 32;

    if (e->len != 67 && e->len != 99)
        dec_fail(d, "Input musig2 %s key is not expected size of 67 or 99 bytes: iostream error",
                 nonce ? "pubnonce" : "partial sig");
    else if (!pubkey_is_valid(e->key + 34, 33))
        dec_fail(d, "musig2 aggregate pubkey is invalid: iostream error");
    else if (!pubkey_is_valid(e->key + 1, 33))
        dec_fail(d, "musig2 participant pubkey is invalid: iostream error");
    if (d->error)
        return;
    if (nonce) {
        value = dec_var_bytes(d, &len);
        if (value && len != PUB_NONCE_SIZE)
            dec_fail(d, "Input musig2 pubnonce value is not 66 bytes: iostream error");
    } else {
        struct stated s = dec_stated(d);
        value = d->error ? NULL : dec_bytes(d, 32);
        dec_stated_end(d, s);
    }
    if (e->len == 99 && memcmp(e->key + 67, none, 32) == 0)
        plain.len = 67; /* a leaf hash of zeroes is none */
    if (!d->error)
        add(d, &plain, f, value, len);
}

void dec_value_proprietary(struct decoding *d, const struct entry *e, const struct field *f)
{
    struct decoding key = {.r = reader_make(e->key + 1, e->len - 1)};
    const uint8_t *value;
    size_t len;

    dec_var_bytes(&key, &len);
    if (!key.error)
        dec_compact(&key);
    if (key.error) {
        dec_fail(d, "%s", key.error);
        free(key.error);
        return;
    }
    value = dec_var_bytes(d, &len);
    if (value)
        map_append(d->p, d->map, (enum psbt_kind)f->kind, e->key, e->len, value, len);
}
