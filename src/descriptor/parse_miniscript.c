/* parse_miniscript.c - the text form of miniscript (BIP379). Called by parse_script.c; pure. Nothing recurses, as wrappers may go deep: what is still
 * expected stands on one stack, finished nodes on another. The size of the script is counted on the way, and a text that grows over the limit is
 * given up at once. */
#include <stdlib.h>

#include "descriptor/internal.h"
#include "util/hex.h"
#include "util/mem.h"

enum goal_kind {
    GOAL_WRAPPED, /* an expression, perhaps with wrappers and a colon in front */
    GOAL_EXPR,
    GOAL_WRAP,   /* wraps the newest node */
    GOAL_ZERO,   /* a node of the newest and 0: u: */
    GOAL_ONE,    /* and_v of the newest and 1: t: */
    GOAL_JOIN,   /* a node of the newest two */
    GOAL_AND_N,  /* andor of the newest two and 0 */
    GOAL_ANDOR,  /* of the newest three */
    GOAL_THRESH, /* one more sub, or the end */
    GOAL_COMMA,
    GOAL_CLOSE
};
struct goal {
    enum goal_kind kind;
    enum ms_fragment fragment;
    uint64_t n, k;
};
struct text_reader {
    struct parser *p;
    struct miniscript *ms;
    struct list *keys;
    struct span in;
    size_t size; /* of the script so far, at least */
    bool key_error;
    struct goal *goals;
    size_t n_goals, cap_goals;
    struct ms_node **done;
    size_t n_done, cap_done;
};

static bool goal(struct text_reader *r, struct goal g)
{
    if (r->n_goals == r->cap_goals) {
        r->cap_goals = r->cap_goals ? 2 * r->cap_goals : 32;
        r->goals = xrealloc(r->goals, r->cap_goals * sizeof(*r->goals));
    }
    r->goals[r->n_goals++] = g;
    return true;
}

static bool want(struct text_reader *r, enum goal_kind kind)
{
    return goal(r, (struct goal){.kind = kind});
}

static bool done(struct text_reader *r, struct ms_node *n)
{
    if (r->n_done == r->cap_done) {
        r->cap_done = r->cap_done ? 2 * r->cap_done : 32;
        r->done = xrealloc(r->done, r->cap_done * sizeof(*r->done));
    }
    r->done[r->n_done++] = n;
    return true;
}

static bool make(struct text_reader *r, enum ms_fragment fragment, struct ms_node *const *subs, size_t n_subs, uint32_t k)
{
    return done(r, ms_node_new(r->ms, fragment, subs, n_subs, NULL, 0, NULL, k));
}

/* Puts a node of the newest n in their place. */
static bool combine(struct text_reader *r, enum ms_fragment fragment, size_t n, uint32_t k)
{
    r->n_done -= n;
    return make(r, fragment, r->done + r->n_done, n, k);
}

static size_t number_size(uint64_t n)
{
    return (n > 16) + (n > 0x7f) + (n > 0x7fff) + (n > 0x7fffff);
}

/* ---- leaves ---- */

static bool read_key(struct text_reader *r, struct span s, uint32_t *key)
{
    struct key_expr *k = parse_key(r->p, s, r->ms->context == MS_P2WSH ? CTX_P2WSH : CTX_P2TR);

    if (!k) {
        r->key_error = true;
        return false;
    }
    *key = (uint32_t)r->keys->n;
    list_add(&r->p->d->arena, r->keys, k);
    return true;
}

static bool read_pk(struct text_reader *r, const char *name, enum ms_fragment fragment, bool check)
{
    struct span expr = span_expr(&r->in);
    bool tapscript = r->ms->context == MS_TAPSCRIPT;
    uint32_t key;

    if (!span_function(&expr, name) || !read_key(r, expr, &key))
        return false;
    done(r, ms_node_new(r->ms, fragment, NULL, 0, &key, 1, NULL, 0));
    r->size += (fragment == MS_PK_H ? 23 : tapscript ? 32 : 33) + check;
    return !check || combine(r, MS_WRAP_C, 1, 0);
}

static bool read_hash(struct text_reader *r, const char *name, enum ms_fragment fragment)
{
    struct span expr = span_expr(&r->in);
    size_t len = fragment == MS_SHA256 || fragment == MS_HASH256 ? 32 : 20;
    uint8_t hash[32];
    char text[65] = "";

    if (!span_function(&expr, name) || expr.n != 2 * len || !span_is_hex(expr))
        return false;
    memcpy(text, expr.s, expr.n);
    hex_decode(hash, len, text);
    r->size += 6 + len;
    return done(r, ms_node_new(r->ms, fragment, NULL, 0, NULL, 0, hash, 0));
}

static bool read_time(struct text_reader *r, const char *name, enum ms_fragment fragment)
{
    struct span expr = span_expr(&r->in);
    uint64_t n;

    if (!span_function(&expr, name) || !span_number(expr, INT32_MAX, &n) || n < 1)
        return false;
    r->size += 1 + number_size(n);
    return make(r, fragment, NULL, 0, (uint32_t)n);
}

/* Where the character stands before the next closing bracket. Returns: false if it does not. */
static bool find_inside(struct span s, char c, size_t *at)
{
    for (*at = 0; *at < s.n; ++*at) {
        if (s.s[*at] == c)
            return true;
        if (s.s[*at] == ')')
            return false;
    }
    return false;
}

/* A number and a comma. */
static bool read_threshold(struct text_reader *r, uint64_t *k)
{
    size_t at;
    bool negative;

    if (!find_inside(r->in, ',', &at))
        return false;
    negative = at > 1 && r->in.s[0] == '-'; /* a number like others, which is refused later */
    if (!span_number((struct span){r->in.s + negative, at - negative}, INT64_MAX, k))
        return false;
    if (negative)
        *k = 0;
    r->in.s += at + 1;
    r->in.n -= at + 1;
    return true;
}

static bool read_multi(struct text_reader *r, enum ms_fragment fragment)
{
    bool a = fragment == MS_MULTI_A, more = true;
    uint32_t keys[MS_MULTI_A_KEYS_MAX], max = a ? MS_MULTI_A_KEYS_MAX : MAX_PUBKEYS_PER_MULTISIG, n = 0, spare;
    uint64_t k;

    if ((r->ms->context == MS_TAPSCRIPT) != a || !read_threshold(r, &k))
        return false;
    while (more) {
        size_t at;
        more = find_inside(r->in, ',', &at);
        if ((!more && !find_inside(r->in, ')', &at)) || at < 1)
            return false;
        if (!read_key(r, (struct span){r->in.s, at}, n < max ? &keys[n] : &spare))
            return false;
        n++;
        r->in.s += at + 1;
        r->in.n -= at + 1;
    }
    if (n > max || k < 1 || k > n)
        return false;
    r->size += a ? 34 * (size_t)n + 1 + number_size(k) : 2 + (n > 16) + (k > 16) + 34 * (size_t)n;
    return done(r, ms_node_new(r->ms, fragment, NULL, 0, keys, n, NULL, (uint32_t)k));
}

/* ---- expressions ---- */

struct pair {
    const char *name;
    enum goal_kind kind;
    enum ms_fragment fragment;
    size_t size;
};
static const struct pair pairs[] = {{"and_n(", GOAL_AND_N, MS_ANDOR, 5}, {"and_b(", GOAL_JOIN, MS_AND_B, 2},
                                    {"and_v(", GOAL_JOIN, MS_AND_V, 1},  {"or_b(", GOAL_JOIN, MS_OR_B, 2},
                                    {"or_c(", GOAL_JOIN, MS_OR_C, 3},    {"or_d(", GOAL_JOIN, MS_OR_D, 4},
                                    {"or_i(", GOAL_JOIN, MS_OR_I, 4}};

static bool read_compound(struct text_reader *r)
{
    uint64_t k;

    if (span_skip(&r->in, "thresh(")) {
        if (!read_threshold(r, &k) || k < 1)
            return false;
        goal(r, (struct goal){GOAL_THRESH, MS_THRESH, 1, k});
        r->size += 2 + number_size(k);
        return want(r, GOAL_WRAPPED);
    }
    if (span_skip(&r->in, "andor(")) {
        want(r, GOAL_ANDOR);
        want(r, GOAL_CLOSE);
        want(r, GOAL_WRAPPED);
        want(r, GOAL_COMMA);
        r->size += 5;
    } else {
        size_t i = 0;
        while (i < ARRAY_LEN(pairs) && !span_skip(&r->in, pairs[i].name))
            i++;
        if (i == ARRAY_LEN(pairs))
            return false;
        goal(r, (struct goal){.kind = pairs[i].kind, .fragment = pairs[i].fragment});
        want(r, GOAL_CLOSE);
        r->size += pairs[i].size;
    }
    want(r, GOAL_WRAPPED);
    want(r, GOAL_COMMA);
    return want(r, GOAL_WRAPPED);
}

static bool read_expr(struct text_reader *r)
{
    if (span_skip(&r->in, "0"))
        return make(r, MS_0, NULL, 0, 0);
    if (span_skip(&r->in, "1"))
        return make(r, MS_1, NULL, 0, 0);
    if (span_starts(r->in, "pk("))
        return read_pk(r, "pk", MS_PK_K, true);
    if (span_starts(r->in, "pkh("))
        return read_pk(r, "pkh", MS_PK_H, true);
    if (span_starts(r->in, "pk_k("))
        return read_pk(r, "pk_k", MS_PK_K, false);
    if (span_starts(r->in, "pk_h("))
        return read_pk(r, "pk_h", MS_PK_H, false);
    if (span_starts(r->in, "sha256("))
        return read_hash(r, "sha256", MS_SHA256);
    if (span_starts(r->in, "ripemd160("))
        return read_hash(r, "ripemd160", MS_RIPEMD160);
    if (span_starts(r->in, "hash256("))
        return read_hash(r, "hash256", MS_HASH256);
    if (span_starts(r->in, "hash160("))
        return read_hash(r, "hash160", MS_HASH160);
    if (span_starts(r->in, "after("))
        return read_time(r, "after", MS_AFTER);
    if (span_starts(r->in, "older("))
        return read_time(r, "older", MS_OLDER);
    if (span_skip(&r->in, "multi("))
        return read_multi(r, MS_MULTI);
    if (span_skip(&r->in, "multi_a("))
        return read_multi(r, MS_MULTI_A);
    return read_compound(r);
}

static bool add_wrapper(struct text_reader *r, char c)
{
    static const struct {
        char letter;
        enum ms_fragment fragment;
        size_t size;
    } wrappers[] = {{'a', MS_WRAP_A, 2}, {'s', MS_WRAP_S, 1}, {'c', MS_WRAP_C, 1}, {'d', MS_WRAP_D, 3},
                    {'j', MS_WRAP_J, 4}, {'n', MS_WRAP_N, 1}, {'v', MS_WRAP_V, 0}};

    for (size_t i = 0; i < ARRAY_LEN(wrappers); i++) {
        if (wrappers[i].letter == c) {
            r->size += wrappers[i].size;
            return goal(r, (struct goal){.kind = GOAL_WRAP, .fragment = wrappers[i].fragment});
        }
    }
    if (c == 't') {
        r->size += 1;
        return want(r, GOAL_ONE);
    }
    if (c != 'u' && c != 'l')
        return false;
    r->size += 4;
    if (c == 'u')
        return want(r, GOAL_ZERO);
    make(r, MS_0, NULL, 0, 0);
    return goal(r, (struct goal){.kind = GOAL_JOIN, .fragment = MS_OR_I});
}

static bool read_wrapped(struct text_reader *r)
{
    size_t colon = 1;

    while (colon < r->in.n && r->in.s[colon] >= 'a' && r->in.s[colon] <= 'z')
        colon++;
    if (colon >= r->in.n || r->in.s[colon] != ':')
        return want(r, GOAL_EXPR);
    for (size_t i = 0; i < colon; i++) {
        if (r->size > ms_script_max(r->ms->context) || (i && r->in.s[i] == 'v' && r->in.s[i - 1] == 'v') ||
            !add_wrapper(r, r->in.s[i]))
            return false;
    }
    r->in.s += colon + 1;
    r->in.n -= colon + 1;
    return want(r, GOAL_EXPR);
}

static bool read_thresh(struct text_reader *r, struct goal g)
{
    if (span_skip(&r->in, ",")) {
        g.n++;
        goal(r, g);
        r->size += 2;
        return want(r, GOAL_WRAPPED);
    }
    return span_skip(&r->in, ")") && g.k <= g.n && combine(r, MS_THRESH, (size_t)g.n, (uint32_t)g.k);
}

static bool reach(struct text_reader *r, struct goal g)
{
    switch (g.kind) {
    case GOAL_WRAPPED:
        return read_wrapped(r);
    case GOAL_EXPR:
        return read_expr(r);
    case GOAL_WRAP:
        if (g.fragment == MS_WRAP_V)
            r->size += (r->done[r->n_done - 1]->type & MS_x) != 0;
        return combine(r, g.fragment, 1, 0);
    case GOAL_ZERO:
        return make(r, MS_0, NULL, 0, 0) && combine(r, MS_OR_I, 2, 0);
    case GOAL_ONE:
        return make(r, MS_1, NULL, 0, 0) && combine(r, MS_AND_V, 2, 0);
    case GOAL_JOIN:
        return combine(r, g.fragment, 2, 0);
    case GOAL_AND_N:
        return make(r, MS_0, NULL, 0, 0) && combine(r, MS_ANDOR, 3, 0);
    case GOAL_ANDOR:
        return combine(r, MS_ANDOR, 3, 0);
    case GOAL_THRESH:
        return read_thresh(r, g);
    case GOAL_COMMA:
        return span_skip(&r->in, ",");
    default:
        return span_skip(&r->in, ")");
    }
}

int parse_miniscript(struct parser *p, struct miniscript *ms, struct list *keys, struct span s, enum ms_context context)
{
    struct text_reader r = {.p = p, .ms = ms, .keys = keys, .in = s, .size = 1};
    bool ok = true;

    ms->context = context;
    want(&r, GOAL_WRAPPED);
    while (ok && r.n_goals)
        ok = r.size <= ms_script_max(context) && reach(&r, r.goals[--r.n_goals]);
    ok = ok && r.in.n == 0;
    if (ok)
        ms->root = r.done[0];
    free(r.goals);
    free(r.done);
    return ok ? 1 : r.key_error ? -1 : 0;
}
