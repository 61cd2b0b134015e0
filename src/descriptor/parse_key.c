/* parse_key.c - key expressions of descriptors: fixed keys, extended keys with their steps, musig(), key origins. Called by parse_script.c and
 * parse_miniscript.c; pure. Messages are Core's. */
#include <stdlib.h>

#include "crypto/hash.h"
#include "crypto/keys.h"
#include "descriptor/internal.h"
#include "util/hex.h"
#include "util/mem.h"

#define HARDENED EXTKEY_HARDENED
#define LEN(span) (int)(span).n, (span).s
#define WIF_MAX 64
#define EXTKEY_TEXT_MAX 128

/* ---- steps ---- */

struct steps {
    struct key_path path;
    size_t cap;
    bool hardened;
};

static bool read_step(struct parser *p, struct span s, uint32_t *out, bool *hardened, bool *apostrophe)
{
    bool hard = s.n && (s.s[s.n - 1] == '\'' || s.s[s.n - 1] == 'h');
    struct span digits = {s.s, s.n - hard};
    uint64_t v;

    if (s.n == 0)
        return parse_fail(p, "Key path value '' is not valid");
    if (!span_number(digits, UINT32_MAX, &v))
        return parse_fail(p, "Key path value '%.*s' is not a valid uint32", LEN(s));
    if (v >= HARDENED)
        return parse_fail(p, "Key path value %u is out of range", (unsigned)v);
    if (hard) {
        *hardened = true;
        *apostrophe = s.s[s.n - 1] == '\'';
    }
    *out = (uint32_t)v | (hard ? HARDENED : 0);
    return true;
}

/* A set of numbers, open addressing; 0 is an empty place, so numbers are kept plus one. */
struct number_set {
    uint64_t *slots;
    size_t mask;
};

static bool set_insert(struct number_set *set, uint32_t v)
{
    size_t i = (size_t)(v * 0x9e3779b97f4a7c15ull >> 20) & set->mask;

    while (set->slots[i]) {
        if (set->slots[i] == (uint64_t)v + 1)
            return false;
        i = (i + 1) & set->mask;
    }
    set->slots[i] = (uint64_t)v + 1;
    return true;
}

/* "0;1;2h": what stands between the angle brackets of a multipath step. */
static bool read_choices(struct parser *p, struct steps *t, struct span inside, bool *apostrophe)
{
    struct span_split split = {inside, false};
    struct number_set set = {NULL, 3};
    struct span s;
    size_t n = 1;
    bool ok = true;

    for (size_t i = 0; i < inside.n; i++)
        n += inside.s[i] == ';';
    if (n < 2)
        return parse_fail(p, "Multipath key path specifiers must have at least two items");
    while (set.mask < 2 * n)
        set.mask = 2 * set.mask + 1;
    set.slots = xcalloc(set.mask + 1, sizeof(*set.slots));
    t->path.choices = arena_alloc(&p->d->arena, n * sizeof(uint32_t));
    t->path.choice_at = t->path.n;
    while (ok && span_next(&split, ';', &s)) {
        uint32_t v;
        ok = read_step(p, s, &v, &t->hardened, apostrophe);
        if (ok && !set_insert(&set, v))
            ok = parse_fail(p, "Duplicated key path value %u in multipath specifier", v);
        if (ok)
            t->path.choices[t->path.n_choices++] = v;
    }
    free(set.slots);
    return ok;
}

/* Steps between slashes; the first piece was something else and is gone. */
static bool read_steps(struct parser *p, struct steps *t, struct span_split *split, bool multipath, bool *apostrophe)
{
    struct span s;

    while (span_next(split, '/', &s)) {
        uint32_t v = 0;
        if (s.n && s.s[0] == '<' && s.s[s.n - 1] == '>') {
            if (!multipath)
                return parse_fail(p, "Key path value '%.*s' specifies multipath in a section where multipath is not allowed",
                                  LEN(s));
            if (t->path.n_choices)
                return parse_fail(p, "Multiple multipath key path specifiers found");
            if (!read_choices(p, t, (struct span){s.s + 1, s.n - 2}, apostrophe))
                return false;
        } else if (!read_step(p, s, &v, &t->hardened, apostrophe)) {
            return false;
        }
        if (t->path.n == t->cap) {
            uint32_t *bigger = arena_alloc(&p->d->arena, (t->cap ? 2 * t->cap : 8) * sizeof(*bigger));
            if (t->path.n)
                memcpy(bigger, t->path.steps, t->path.n * sizeof(*bigger));
            t->path.steps = bigger;
            t->cap = t->cap ? 2 * t->cap : 8;
        }
        t->path.steps[t->path.n++] = v;
    }
    return true;
}

/* Takes a star off the end of the text, if that is its last piece and not its first. */
static enum key_range read_range(struct span *s, bool *apostrophe)
{
    size_t at = s->n;
    struct span last;

    while (at && s->s[at - 1] != '/')
        at--;
    if (at == 0)
        return RANGE_NONE;
    last = (struct span){s->s + at, s->n - at};
    if (last.n == 0 || last.n > 2 || last.s[0] != '*' || (last.n == 2 && last.s[1] != '\'' && last.s[1] != 'h'))
        return RANGE_NONE;
    s->n = at - 1;
    if (last.n == 2)
        *apostrophe = last.s[1] == '\'';
    return last.n == 2 ? RANGE_HARDENED : RANGE_PLAIN;
}

/* ---- fixed keys ---- */

static struct key_expr *new_key(struct parser *p, enum key_kind kind)
{
    struct key_expr *k = arena_calloc(&p->d->arena, 1, sizeof(*k));

    k->kind = kind;
    k->paths = 1;
    return k;
}

static bool set_fixed(struct parser *p, struct key_expr **out, const uint8_t *pub, size_t len, bool x_only)
{
    struct key_expr *k = new_key(p, KEY_FIXED);

    memcpy(k->pub, pub, len);
    k->pub_len = len;
    k->x_only = x_only;
    *out = k;
    return true;
}

static size_t size_by_head(uint8_t head)
{
    return head == 2 || head == 3 ? 33 : head == 4 || head == 6 || head == 7 ? 65 : 0;
}

static bool read_hex_key(struct parser *p, struct key_expr **out, struct span s, enum desc_context ctx, bool uncompressed)
{
    uint8_t b[66] = {2};
    size_t len = s.n / 2;
    char text[131];

    if (len <= 65) {
        memcpy(text, s.s, s.n);
        text[s.n] = 0;
        hex_decode(b + 1, len, text);
        if (len == size_by_head(b[1])) {
            if (b[1] >= 6)
                return parse_fail(p, "Hybrid public keys are not allowed");
            if (pubkey_is_valid(b + 1, len))
                return len == 33 || uncompressed ? set_fixed(p, out, b + 1, len, false)
                                                 : parse_fail(p, "Uncompressed keys are not allowed");
        } else if (len == 32 && ctx == CTX_P2TR && xonly_is_valid(b + 1)) {
            return set_fixed(p, out, b, 33, true);
        }
    }
    return parse_fail(p, "Pubkey '%.*s' is invalid", LEN(s));
}

/* Returns: false if it is no private key; else *ok tells whether it may stand here. */
static bool read_wif_key(struct parser *p, struct key_expr **out, struct span s, enum desc_context ctx, bool uncompressed, bool *ok)
{
    uint8_t secret[32], pub[65];
    char text[WIF_MAX];
    bool compressed;

    if (s.n >= sizeof(text))
        return false;
    memcpy(text, s.s, s.n);
    text[s.n] = 0;
    if (!wif_decode(secret, &compressed, text, &p->d->params->address) || !pubkey_create(pub, secret, compressed))
        return false;
    *ok = compressed || uncompressed;
    if (*ok) {
        keyring_add_key(&p->d->secrets, secret, compressed);
        set_fixed(p, out, pub, compressed ? 33 : 65, ctx == CTX_P2TR);
    } else {
        parse_fail(p, "Uncompressed keys are not allowed");
    }
    crypto_wipe(secret, sizeof(secret));
    crypto_wipe(text, sizeof(text));
    return true;
}

/* ---- extended keys ---- */

static bool read_extended(struct parser *p, struct key_expr **out, struct span s, bool *apostrophe)
{
    struct span_split split = {s, false};
    struct steps steps = {.cap = 0};
    char text[EXTKEY_TEXT_MAX] = "";
    struct key_expr *k = new_key(p, KEY_EXTENDED);
    struct span name;

    span_next(&split, '/', &name);
    if (name.n < sizeof(text))
        memcpy(text, name.s, name.n);
    if (!extkey_decode(&k->root, text, &p->d->params->address))
        return parse_fail(p, "key '%.*s' is not valid", LEN(name));
    k->range = read_range(&s, apostrophe);
    split = (struct span_split){s, false};
    span_next(&split, '/', &name);
    if (!read_steps(p, &steps, &split, true, apostrophe))
        return false;
    if (k->root.has_secret)
        keyring_add_key(&p->d->secrets, k->root.secret, true);
    extkey_neuter(&k->root);
    k->path = steps.path;
    if (k->path.n_choices)
        k->paths = k->path.n_choices;
    k->apostrophe = *apostrophe;
    *out = k;
    return true;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* A key without its origin. */
static bool read_plain(struct parser *p, struct key_expr **out, struct span s, enum desc_context ctx, bool *apostrophe)
{
    bool uncompressed = ctx == CTX_TOP || ctx == CTX_P2SH, ok;
    struct span_split split = {s, false};
    struct span name;

    span_next(&split, '/', &name);
    if (name.n == 0)
        return parse_fail(p, "No key provided");
    if (is_space(name.s[0]) || is_space(name.s[name.n - 1]))
        return parse_fail(p, "Key '%.*s' is invalid due to whitespace", LEN(name));
    if (split.done && span_is_hex(name))
        return read_hex_key(p, out, name, ctx, uncompressed);
    if (split.done && read_wif_key(p, out, name, ctx, uncompressed, &ok))
        return ok;
    return read_extended(p, out, s, apostrophe);
}

/* ---- musig ---- */

static bool read_parts(struct parser *p, struct key_expr *k, struct span s)
{
    struct list parts = {NULL, 0, 0};

    while (s.n) {
        struct key_expr *part;
        if (parts.n && !span_skip(&s, ","))
            return parse_fail(p, "musig(): expected ',', got '%c'", s.s[0]);
        part = parse_key(p, span_expr(&s), CTX_MUSIG);
        if (!part)
            return parse_fail_in(p, "musig(): ");
        list_add(&p->d->arena, &parts, part);
        if (part->paths > k->paths)
            k->paths = part->paths;
    }
    if (!parts.n)
        return parse_fail(p, "musig(): Must contain key expressions");
    k->parts = (struct key_expr **)(void *)parts.items;
    k->n_parts = parts.n;
    return true;
}

/* "/0/<1;2>/STAR" behind the bracket. */
static bool read_musig_steps(struct parser *p, struct key_expr *k, struct span s)
{
    struct span_split split;
    struct steps steps = {.cap = 0};
    bool apostrophe = false;
    struct span empty;

    for (size_t i = 0; i < k->n_parts; i++) {
        if (k->parts[i]->kind != KEY_EXTENDED)
            return parse_fail(p, "musig(): derivation requires all participants to be xpubs or xprvs");
    }
    if (key_is_range(k))
        return parse_fail(p, "musig(): Cannot have ranged participant keys if musig() also has derivation");
    k->range = read_range(&s, &apostrophe);
    if (k->range == RANGE_HARDENED)
        return parse_fail(p, "musig(): Cannot have hardened child derivation");
    split = (struct span_split){s, false};
    span_next(&split, '/', &empty);
    if (!read_steps(p, &steps, &split, true, &apostrophe))
        return parse_fail_in(p, "musig(): ");
    if (steps.hardened)
        return parse_fail(p, "musig(): cannot have hardened derivation steps");
    k->path = steps.path;
    return true;
}

static bool read_musig(struct parser *p, struct key_expr **out, struct span s, enum desc_context ctx)
{
    const char *close = memchr(s.s, ')', s.n);
    struct span call = s, rest = {s.s + s.n, 0};
    struct key_expr *k = new_key(p, KEY_MUSIG);

    if (ctx != CTX_P2TR)
        return parse_fail(p, "musig() is only allowed in tr() and rawtr()");
    if (close) {
        call.n = (size_t)(close + 1 - s.s);
        rest = (struct span){close + 1, s.n - call.n};
    }
    if (rest.n && memchr(rest.s, ')', rest.n))
        return parse_fail(p, "Too many ')' in musig() expression");
    if (!span_function(&call, "musig"))
        return parse_fail(p, "Invalid musig() expression");
    if (!read_parts(p, k, call))
        return false;
    if (rest.n && rest.s[0] == '/' && !read_musig_steps(p, k, rest))
        return false;
    if (k->paths > 1 && k->path.n_choices)
        return parse_fail(p, "musig(): Cannot have multipath participant keys if musig() is also multipath");
    for (size_t i = 0; i < k->n_parts; i++) {
        if (k->parts[i]->paths != 1 && k->parts[i]->paths != k->paths)
            return parse_fail(p, "musig(): Multipath derivation paths have mismatched lengths");
    }
    if (k->path.n_choices)
        k->paths = k->path.n_choices;
    *out = k;
    return true;
}

/* ---- origins ---- */

static bool read_origin(struct parser *p, struct key_expr *o, struct span s, bool *apostrophe)
{
    struct span_split split = {{s.s + 1, s.n - 1}, false};
    struct steps steps = {.cap = 0};
    struct span print;
    char text[9] = "";

    span_next(&split, '/', &print);
    if (print.n != 8)
        return parse_fail(p, "Fingerprint is not 4 bytes (%u characters instead of 8 characters)", (unsigned)print.n);
    if (!span_is_hex(print))
        return parse_fail(p, "Fingerprint '%.*s' is not hex", LEN(print));
    memcpy(text, print.s, 8);
    hex_decode(o->fingerprint, 4, text);
    if (!read_steps(p, &steps, &split, false, apostrophe))
        return false;
    o->origin = steps.path;
    return true;
}

struct key_expr *parse_key(struct parser *p, struct span s, enum desc_context ctx)
{
    const char *close = s.n ? memchr(s.s, ']', s.n) : NULL;
    struct key_expr *k = NULL, from;
    bool apostrophe = false;
    struct span key;

    if (span_starts(s, "musig("))
        return read_musig(p, &k, s, ctx) ? k : NULL;
    if (!close)
        return read_plain(p, &k, s, ctx, &apostrophe) ? k : NULL;
    key = (struct span){close + 1, s.n - (size_t)(close + 1 - s.s)};
    if (key.n && memchr(key.s, ']', key.n))
        return parse_fail(p, "Multiple ']' characters found for a single pubkey"), NULL;
    if (s.s[0] != '[')
        return parse_fail(p, "Key origin start '[ character expected but not found, got '%c' instead", s.s[0]), NULL;
    s.n = (size_t)(close - s.s);
    if (!read_origin(p, &from, s, &apostrophe) || !read_plain(p, &k, key, ctx, &apostrophe))
        return NULL;
    k->has_origin = true;
    memcpy(k->fingerprint, from.fingerprint, 4);
    k->origin = from.origin;
    k->apostrophe = apostrophe;
    return k;
}
