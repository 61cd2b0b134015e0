/* parse_script.c - script expressions of descriptors, and the checksum behind them. Called by RPC through descriptor_parse; pure. What may stand
 * where, in which order it is looked at, and the messages are Core's. */
#include <stdlib.h>

#include "descriptor/internal.h"
#include "script/script.h"
#include "util/hex.h"
#include "util/mem.h"

#define LEN(span) (int)(span).n, (span).s

static struct desc_node *new_node(struct parser *p, enum desc_kind kind)
{
    struct desc_node *n = arena_calloc(&p->d->arena, 1, sizeof(*n));

    n->kind = kind;
    n->paths = 1;
    return n;
}

static void set_keys(struct desc_node *n, const struct list *keys)
{
    n->keys = (struct key_expr **)(void *)keys->items;
    n->n_keys = keys->n;
    for (size_t i = 0; i < keys->n; i++) {
        if (n->keys[i]->paths > n->paths)
            n->paths = n->keys[i]->paths;
    }
}

/* Each part must be good for all paths: made for as many, or for any. */
static bool keys_agree(const struct desc_node *n)
{
    for (size_t i = 0; i < n->n_keys; i++) {
        if (n->keys[i]->paths != 1 && n->keys[i]->paths != n->paths)
            return false;
    }
    return true;
}

/* ---- one key ---- */

static struct desc_node *parse_single(struct parser *p, enum desc_kind kind, struct span s, enum desc_context ctx,
                                      const char *prefix)
{
    struct list keys = {NULL, 0, 0};
    struct desc_node *n = new_node(p, kind);
    struct key_expr *k = parse_key(p, s, kind == DESC_WPKH ? CTX_P2WPKH : ctx);

    if (!k) {
        parse_fail_in(p, prefix);
        return NULL;
    }
    list_add(&p->d->arena, &keys, k);
    set_keys(n, &keys);
    n->x_only = ctx == CTX_P2TR;
    return n;
}

static struct desc_node *parse_rawtr(struct parser *p, struct span s)
{
    struct span arg = span_expr(&s);

    if (s.n)
        return parse_fail(p, "rawtr(): only one key expected."), NULL;
    return parse_single(p, DESC_RAWTR, arg, CTX_P2TR, "rawtr(): ");
}

static struct desc_node *parse_unused(struct parser *p, struct span s)
{
    struct span arg = span_expr(&s);
    struct desc_node *n;

    if (s.n)
        return parse_fail(p, "unused(): only one key expected"), NULL;
    n = parse_single(p, DESC_UNUSED, arg, CTX_TOP, "");
    if (n && key_is_range(n->keys[0]))
        return parse_fail(p, "unused(): key cannot be ranged"), NULL;
    return n;
}

/* ---- multi ---- */

static bool check_multi(struct parser *p, const struct desc_node *n, uint64_t threshold, enum desc_context ctx)
{
    bool in_leaf = n->kind == DESC_MULTI_A || n->kind == DESC_SORTEDMULTI_A;
    unsigned max = in_leaf ? MS_MULTI_A_KEYS_MAX : MAX_PUBKEYS_PER_MULTISIG, keys = (unsigned)n->n_keys;
    size_t size = 3;

    if (n->n_keys == 0 || n->n_keys > max)
        return parse_fail(p, "Cannot have %u keys in %s; must have between 1 and %u keys, inclusive", keys,
                          in_leaf ? "multi_a" : "multisig", max);
    if (threshold < 1)
        return parse_fail(p, "Multisig threshold cannot be %u, must be at least 1", (unsigned)threshold);
    if (threshold > n->n_keys)
        return parse_fail(p,
                          "Multisig threshold cannot be larger than the number of keys; threshold is %u but only %u keys specified",
                          (unsigned)threshold, keys);
    if (ctx == CTX_TOP && n->n_keys > 3)
        return parse_fail(p, "Cannot have %u pubkeys in bare multisig; only at most 3 pubkeys", keys);
    for (size_t i = 0; i < n->n_keys; i++)
        size += key_size(n->keys[i]) + 1;
    if (ctx == CTX_P2SH && size > MAX_SCRIPT_ELEMENT_SIZE)
        return parse_fail(p, "P2SH script is too large, %u bytes is larger than %d bytes", (unsigned)size, MAX_SCRIPT_ELEMENT_SIZE);
    return keys_agree(n) || parse_fail(p, "multi(): Multipath derivation paths have mismatched lengths");
}

static struct desc_node *parse_multi(struct parser *p, enum desc_kind kind, struct span s, enum desc_context ctx)
{
    struct span number = span_expr(&s);
    struct desc_node *n = new_node(p, kind);
    struct list keys = {NULL, 0, 0};
    uint64_t threshold;

    if (!span_number(number, UINT32_MAX, &threshold))
        return parse_fail(p, "Multi threshold '%.*s' is not valid", LEN(number)), NULL;
    while (s.n) {
        struct key_expr *k;
        if (!span_skip(&s, ","))
            return parse_fail(p, "Multi: expected ',', got '%c'", s.s[0]), NULL;
        k = parse_key(p, span_expr(&s), ctx);
        if (!k)
            return parse_fail_in(p, "Multi: "), NULL;
        list_add(&p->d->arena, &keys, k);
    }
    set_keys(n, &keys);
    n->threshold = (uint32_t)threshold;
    return check_multi(p, n, threshold, ctx) ? n : NULL;
}

/* ---- addr, raw ---- */

static struct desc_node *set_script(struct parser *p, enum desc_kind kind, const uint8_t *script, size_t len)
{
    struct desc_node *n = new_node(p, kind);

    n->script = arena_copy(&p->d->arena, script, len);
    n->script_len = len;
    return n;
}

static struct desc_node *parse_addr(struct parser *p, struct span s)
{
    uint8_t script[ADDRESS_SCRIPT_MAX];
    char text[128] = "";
    size_t len;

    if (s.n < sizeof(text))
        memcpy(text, s.s, s.n);
    if (!address_decode(script, &len, NULL, text, &p->d->params->address))
        return parse_fail(p, "Address is not valid"), NULL;
    return set_script(p, DESC_ADDR, script, len);
}

static struct desc_node *parse_raw(struct parser *p, struct span s)
{
    struct desc_node *n = NULL;
    uint8_t *script;
    char *text;

    if (!span_is_hex(s))
        return parse_fail(p, "Raw script is not hex"), NULL;
    text = xmalloc(s.n + 1);
    memcpy(text, s.s, s.n);
    text[s.n] = 0;
    script = xmalloc(s.n / 2);
    hex_decode(script, s.n / 2, text);
    n = set_script(p, DESC_RAW, script, s.n / 2);
    free(text);
    free(script);
    return n;
}

/* ---- scripts in scripts ---- */

static struct desc_node *parse_wrapped(struct parser *p, enum desc_kind kind, struct span s)
{
    struct desc_node *n = new_node(p, kind), *sub = parse_script(p, &s, kind == DESC_SH ? CTX_P2SH : CTX_P2WSH);

    if (!sub || s.n)
        return NULL;
    n->subs = arena_copy(&p->d->arena, &sub, sizeof(sub));
    n->n_subs = 1;
    n->paths = sub->paths;
    return n;
}

/* The tree behind tr()'s internal key. */
struct tree {
    struct list leaves;
    unsigned *depths;
    bool right[TAP_DEPTH_MAX]; /* at which side of each branch on the way down we are */
    unsigned depth;
};

static bool add_leaf(struct parser *p, struct tree *t, struct span s)
{
    struct desc_node *leaf = parse_script(p, &s, CTX_P2TR);

    if (!leaf)
        return false;
    if ((t->leaves.n & (t->leaves.n - 1)) == 0) { /* doubles at powers of two */
        unsigned *bigger = arena_alloc(&p->d->arena, (t->leaves.n ? 2 * t->leaves.n : 1) * sizeof(*bigger));
        if (t->leaves.n)
            memcpy(bigger, t->depths, t->leaves.n * sizeof(*bigger));
        t->depths = bigger;
    }
    t->depths[t->leaves.n] = t->depth;
    list_add(&p->d->arena, &t->leaves, leaf);
    return true;
}

static bool read_tree(struct parser *p, struct tree *t, struct span *s)
{
    do {
        while (span_skip(s, "{")) {
            if (t->depth == TAP_DEPTH_MAX)
                return parse_fail(p, "tr() supports at most %d nesting levels", TAP_DEPTH_MAX);
            t->right[t->depth++] = false;
        }
        if (!add_leaf(p, t, span_expr(s)))
            return false;
        for (; t->depth && t->right[t->depth - 1]; t->depth--) {
            if (!span_skip(s, "}"))
                return parse_fail(p, "tr(): expected '}' after script expression");
        }
        if (t->depth) {
            if (!span_skip(s, ","))
                return parse_fail(p, "tr(): expected ',' after script expression");
            t->right[t->depth - 1] = true;
        }
    } while (t->depth);
    return !s->n || parse_fail(p, "tr(): expected ')' after script expression");
}

static struct desc_node *parse_tr(struct parser *p, struct span s)
{
    struct desc_node *n = parse_single(p, DESC_TR, span_expr(&s), CTX_P2TR, "tr(): ");
    struct tree t = {.depth = 0};
    bool scripts = s.n > 0;

    if (!n)
        return NULL;
    if (scripts && !span_skip(&s, ","))
        return parse_fail(p, "tr: expected ',', got '%c'", s.s[0]), NULL;
    if (scripts && !read_tree(p, &t, &s))
        return NULL;
    n->subs = (struct desc_node **)(void *)t.leaves.items;
    n->depths = t.depths;
    n->n_subs = t.leaves.n;
    for (size_t i = 0; i < n->n_subs; i++)
        n->paths = n->subs[i]->paths > n->paths ? n->subs[i]->paths : n->paths;
    for (size_t i = 0; i < n->n_subs; i++) {
        if (n->subs[i]->paths != 1 && n->subs[i]->paths != n->paths)
            return parse_fail(p, "tr(): Multipath subscripts have mismatched lengths"), NULL;
    }
    if (n->keys[0]->paths > 1 && n->keys[0]->paths != n->paths)
        return parse_fail(p, "tr(): Multipath internal key mismatches multipath subscripts lengths"), NULL;
    return n;
}

/* ---- miniscript ---- */

struct key_names {
    const struct descriptor *d;
    const struct list *keys;
};

static void put_plain_key(void *arg, struct writer *w, uint32_t key)
{
    const struct key_names *names = arg;

    put_key(w, names->d, names->keys->items[key], 0, false);
}

/* Why a miniscript is not taken: Core names the innermost part that is at fault. */
static bool fail_insane(struct parser *p, const struct miniscript *ms, const struct list *keys)
{
    struct key_names names = {p->d, keys};
    const struct ms_node *n = ms_find_insane(ms);
    enum ms_context c = ms->context;
    const char *why = "";
    struct writer w = WRITER_INIT;

    if (!n)
        n = ms->root;
    if (!ms_is_valid(n, c))
        why = " is invalid";
    else if (ms_is_sane(ms->root, c))
        why = " is not satisfiable";
    else if (!(n->type & MS_m))
        why = " is not sane: malleable witnesses exist";
    else if (n == ms->root && !(n->type & MS_s))
        why = " is not sane: witnesses without signature exist";
    else if (!(n->type & MS_k))
        why = " is not sane: contains mixes of timelocks expressed in blocks and seconds";
    else if (n->duplicate)
        why = " is not sane: contains duplicate public keys";
    else if (!ms_is_within_limits(n, c))
        why = " is not sane: needs witnesses that may exceed resource limits";
    else
        why = " is not sane";
    put_miniscript(&w, n, put_plain_key, &names);
    parse_fail(p, "%.*s%s", (int)w.len, (const char *)w.data, why);
    writer_clear(&w);
    return false;
}

/* Order of keys for finding twins, as far as they are known without secrets: those that are not are all the same. */
struct key_order {
    struct derived_key *keys;
    bool *known;
};

static int compare_keys(const void *arg, uint32_t a, uint32_t b)
{
    const struct key_order *o = arg;

    if (!o->known[a] || !o->known[b])
        return (int)o->known[a] - (int)o->known[b];
    if (o->keys[a].pub[0] != o->keys[b].pub[0])
        return o->keys[a].pub[0] < o->keys[b].pub[0] ? -1 : 1;
    return memcmp(o->keys[a].pub, o->keys[b].pub, o->keys[a].len);
}

static void finish_miniscript(struct parser *p, struct miniscript *ms, const struct list *keys)
{
    struct key_order o = {xcalloc(keys->n + 1, sizeof(*o.keys)), xcalloc(keys->n + 1, sizeof(*o.known))};
    struct keyring given = p->d->secrets;

    memset(&p->d->secrets, 0, sizeof(p->d->secrets));
    for (size_t i = 0; i < keys->n; i++)
        o.known[i] = key_at(&o.keys[i], NULL, p->d, keys->items[i], 0, 0, false);
    p->d->secrets = given;
    ms_finish(ms, ms->root, compare_keys, &o);
    free(o.keys);
    free(o.known);
}

static void keep_miniscript(struct descriptor *d, struct miniscript *ms)
{
    d->scripts = xrealloc(d->scripts, (d->n_scripts + 1) * sizeof(*d->scripts));
    d->scripts[d->n_scripts++] = ms;
}

/* Returns: 1 with *out, 0 if it is no miniscript, -1 with the error. */
static int parse_ms_node(struct parser *p, struct desc_node **out, struct span s, enum desc_context ctx)
{
    struct miniscript *ms = arena_calloc(&p->d->arena, 1, sizeof(*ms));
    struct list keys = {NULL, 0, 0};
    struct desc_node *n;
    int found;

    keep_miniscript(p->d, ms);
    found = parse_miniscript(p, ms, &keys, s, ctx == CTX_P2WSH ? MS_P2WSH : MS_TAPSCRIPT);
    if (found <= 0)
        return found;
    if (ctx != CTX_P2WSH && ctx != CTX_P2TR)
        return parse_fail(p, "Miniscript expressions can only be used in wsh or tr."), -1;
    finish_miniscript(p, ms, &keys);
    if (!ms_is_sane(ms->root, ms->context) || !ms->root->depth_sat.valid)
        return fail_insane(p, ms, &keys), -1;
    n = new_node(p, DESC_MINISCRIPT);
    n->ms = ms;
    set_keys(n, &keys);
    if (!keys_agree(n))
        return parse_fail(p, "Miniscript: Multipath derivation paths have mismatched lengths"), -1;
    *out = n;
    return 1;
}

/* ---- which function is it? ---- */

#define IN(c) (1u << CTX_##c)

struct function {
    const char *name;
    enum desc_kind kind;
    unsigned contexts;
    bool passes_on; /* where it may not stand, others of the same name may: it is looked at as miniscript */
    const char *refusal;
};

static const struct function functions[] = {
    {"pk", DESC_PK, IN(TOP) | IN(P2SH) | IN(P2WSH) | IN(P2TR), true, NULL},
    {"pkh", DESC_PKH, IN(TOP) | IN(P2SH) | IN(P2WSH), true, NULL},
    {"combo", DESC_COMBO, IN(TOP), false, "Can only have combo() at top level"},
    {"multi", DESC_MULTI, IN(TOP) | IN(P2SH) | IN(P2WSH), false,
     "Can only have multi/sortedmulti at top level, in sh(), or in wsh()"},
    {"sortedmulti", DESC_SORTEDMULTI, IN(TOP) | IN(P2SH) | IN(P2WSH), false,
     "Can only have multi/sortedmulti at top level, in sh(), or in wsh()"},
    {"multi_a", DESC_MULTI_A, IN(P2TR), false, "Can only have multi_a/sortedmulti_a inside tr()"},
    {"sortedmulti_a", DESC_SORTEDMULTI_A, IN(P2TR), false, "Can only have multi_a/sortedmulti_a inside tr()"},
    {"wpkh", DESC_WPKH, IN(TOP) | IN(P2SH), false, "Can only have wpkh() at top level or inside sh()"},
    {"sh", DESC_SH, IN(TOP), false, "Can only have sh() at top level"},
    {"wsh", DESC_WSH, IN(TOP) | IN(P2SH), false, "Can only have wsh() at top level or inside sh()"},
    {"addr", DESC_ADDR, IN(TOP), false, "Can only have addr() at top level"},
    {"tr", DESC_TR, IN(TOP), false, "Can only have tr at top level"},
    {"rawtr", DESC_RAWTR, IN(TOP), false, "Can only have rawtr at top level"},
    {"unused", DESC_UNUSED, IN(TOP), false, "Can only have unused at top level"},
    {"raw", DESC_RAW, IN(TOP), false, "Can only have raw() at top level"},
};

static struct desc_node *parse_function(struct parser *p, enum desc_kind kind, struct span s, enum desc_context ctx)
{
    switch (kind) {
    case DESC_PK:
        return parse_single(p, kind, s, ctx, "pk(): ");
    case DESC_PKH:
        return parse_single(p, kind, s, ctx, "pkh(): ");
    case DESC_WPKH:
        return parse_single(p, kind, s, ctx, "wpkh(): ");
    case DESC_COMBO:
        return parse_single(p, kind, s, ctx, "combo(): ");
    case DESC_SH:
    case DESC_WSH:
        return parse_wrapped(p, kind, s);
    case DESC_ADDR:
        return parse_addr(p, s);
    case DESC_TR:
        return parse_tr(p, s);
    case DESC_RAWTR:
        return parse_rawtr(p, s);
    case DESC_UNUSED:
        return parse_unused(p, s);
    case DESC_RAW:
        return parse_raw(p, s);
    default:
        return parse_multi(p, kind, s, ctx);
    }
}

struct desc_node *parse_script(struct parser *p, struct span *s, enum desc_context ctx)
{
    struct span expr = span_expr(s);
    struct desc_node *n = NULL;
    int found;

    for (size_t i = 0; i < ARRAY_LEN(functions); i++) {
        const struct function *f = &functions[i];
        struct span args = expr;
        if (!span_function(&args, f->name))
            continue;
        if (f->contexts & 1u << ctx)
            return parse_function(p, f->kind, args, ctx);
        if (!f->passes_on)
            return parse_fail(p, "%s", f->refusal), NULL;
    }
    found = parse_ms_node(p, &n, expr, ctx);
    if (found)
        return found > 0 ? n : NULL;
    if (ctx == CTX_P2SH)
        parse_fail(p, "A function is needed within P2SH");
    else if (ctx == CTX_P2WSH)
        parse_fail(p, "A function is needed within P2WSH");
    else
        parse_fail(p, "'%.*s' is not a valid descriptor function", LEN(expr));
    return NULL;
}

/* ---- the whole ---- */

static bool check_sum(struct parser *p, struct span *s, bool need)
{
    const char *hash = s->n ? memchr(s->s, '#', s->n) : NULL;
    struct span given = {NULL, 0};
    char sum[9];

    if (hash) {
        given = (struct span){hash + 1, s->n - (size_t)(hash + 1 - s->s)};
        s->n = (size_t)(hash - s->s);
        if (given.n && memchr(given.s, '#', given.n))
            return parse_fail(p, "Multiple '#' symbols");
        if (given.n != 8)
            return parse_fail(p, "Expected 8 character checksum, not %u characters", (unsigned)given.n);
    } else if (need) {
        return parse_fail(p, "Missing checksum");
    }
    if (!descriptor_checksum(sum, s->s, s->n))
        return parse_fail(p, "Invalid characters in payload");
    if (hash && memcmp(sum, given.s, 8) != 0)
        return parse_fail(p, "Provided checksum '%.*s' does not match computed checksum '%s'", LEN(given), sum);
    return true;
}

struct descriptor *descriptor_parse(const char *text, const struct chain_params *params, bool need_checksum, char **error)
{
    struct descriptor *d = xcalloc(1, sizeof(*d));
    struct parser p = {d, NULL};
    struct span s = {text, strlen(text)};

    d->params = params;
    if (check_sum(&p, &s, need_checksum))
        d->root = parse_script(&p, &s, CTX_TOP);
    if (d->root && s.n == 0) {
        free(p.error);
        *error = NULL;
        return d;
    }
    *error = p.error ? p.error : xstrdup("");
    descriptor_free(d);
    return NULL;
}
