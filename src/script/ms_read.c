/* ms_read.c - finds the miniscript behind script bytes. Called when inputs are signed and descriptors are inferred; pure.
 *
 * A script is read from its end: the last opcode tells what a fragment is. What is still expected stands on a stack of goals, finished nodes on a
 * second one. OP_...VERIFY opcodes are taken apart first, so that v: is always an OP_VERIFY. */
#include <stdlib.h>

#include "script/ms_internal.h"
#include "util/mem.h"

struct token {
    uint8_t op;
    const uint8_t *data; /* of pushes, OP_1 to OP_16 included */
    size_t len;
};
enum goal_kind {
    GOAL_EXPR,    /* an expression with no and_v at its top */
    GOAL_CHAIN,   /* expressions in a row: and_v */
    GOAL_CHAINED, /* behind an expression: perhaps one more before it */
    GOAL_W,       /* a: or s: with what it wraps */
    GOAL_WRAP,    /* opens a wrapper: `op` comes next, if it is not 0; then wraps the newest node */
    GOAL_JOIN,    /* makes a node of the newest two */
    GOAL_ANDOR,   /* of the newest three */
    GOAL_THRESH,  /* OP_ADD and one more sub, or the first one */
    GOAL_THRESH_END,
    GOAL_ENDIF, /* what belongs to an OP_ENDIF, behind its last branch */
    GOAL_NOTIF, /* or_c or or_d */
    GOAL_ELSE   /* or_i or andor */
};
struct goal {
    enum goal_kind kind;
    enum ms_fragment fragment;
    uint8_t op;
    uint32_t n, k;
};
struct script_reader {
    struct miniscript *ms;
    const struct ms_keys *keys;
    struct token *tokens; /* in the script's order */
    size_t left;          /* the next is tokens[left - 1] */
    struct goal *goals;
    size_t n_goals, cap_goals;
    struct ms_node **done;
    size_t n_done, cap_done;
};

/* ---- opcodes ---- */

/* True if no shorter push exists for these bytes. */
static bool push_is_minimal(uint8_t op, const uint8_t *data, size_t len)
{
    if (len == 0)
        return op == OP_0;
    if (len == 1 && ((data[0] >= 1 && data[0] <= 16) || data[0] == 0x81))
        return false;
    if (len <= 75)
        return op == len;
    return len <= 255 ? op == OP_PUSHDATA1 : len > 65535 || op == OP_PUSHDATA2;
}

static uint8_t without_verify(uint8_t op)
{
    switch (op) {
    case OP_CHECKSIGVERIFY:
        return OP_CHECKSIG;
    case OP_CHECKMULTISIGVERIFY:
        return OP_CHECKMULTISIG;
    case OP_EQUALVERIFY:
        return OP_EQUAL;
    case OP_NUMEQUALVERIFY:
        return OP_NUMEQUAL;
    default:
        return op;
    }
}

static bool split(struct script_reader *r, const uint8_t *script, size_t len)
{
    static const uint8_t small[17] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    const uint8_t *pos = script, *end = script + len;
    struct token t;

    r->tokens = xmalloc((2 * len + 1) * sizeof(*r->tokens));
    while (script_next(&pos, end, &t.op, &t.data, &t.len)) {
        uint8_t plain = without_verify(t.op);
        if (t.op >= OP_1 && t.op <= OP_16) {
            t.data = small + (t.op - OP_1 + 1);
            t.len = 1;
        } else if (t.op > OP_0 && t.op <= OP_PUSHDATA4) {
            if (!push_is_minimal(t.op, t.data, t.len))
                return false;
        } else if (plain != t.op) {
            r->tokens[r->left++] = (struct token){plain, NULL, 0};
            t = (struct token){OP_VERIFY, NULL, 0};
        } else if (pos < end && *pos == OP_VERIFY &&
                   (t.op == OP_CHECKSIG || t.op == OP_CHECKMULTISIG || t.op == OP_EQUAL || t.op == OP_NUMEQUAL)) {
            return false; /* there is one opcode for that */
        }
        r->tokens[r->left++] = t;
    }
    return pos == end;
}

/* The i'th opcode from the end of what is left. */
static const struct token *peek(const struct script_reader *r, size_t i)
{
    static const struct token nothing = {OP_INVALIDOPCODE, NULL, 0};

    return i < r->left ? &r->tokens[r->left - 1 - i] : &nothing;
}

static bool next_is(const struct script_reader *r, size_t i, uint8_t op)
{
    return i < r->left && peek(r, i)->op == op;
}

/* A number of up to 4 bytes in its shortest form. */
static bool number_at(const struct script_reader *r, size_t i, int64_t *out)
{
    const struct token *t = peek(r, i);
    int64_t v = 0;

    if (i < r->left && t->op == OP_0) {
        *out = 0;
        return true;
    }
    if (t->len == 0 || t->len > 4 || ((t->data[t->len - 1] & 0x7f) == 0 && (t->len == 1 || !(t->data[t->len - 2] & 0x80))))
        return false;
    for (size_t b = 0; b < t->len; b++)
        v |= (int64_t)t->data[b] << 8 * b;
    if (t->data[t->len - 1] & 0x80)
        v = -(v & ~((int64_t)0x80 << 8 * (t->len - 1)));
    *out = v;
    return true;
}

/* ---- the two stacks ---- */

static bool add_goal(struct script_reader *r, struct goal g)
{
    if (r->n_goals == r->cap_goals) {
        r->cap_goals = r->cap_goals ? 2 * r->cap_goals : 32;
        r->goals = xrealloc(r->goals, r->cap_goals * sizeof(*r->goals));
    }
    r->goals[r->n_goals++] = g;
    return true;
}

static bool goal(struct script_reader *r, enum goal_kind kind)
{
    return add_goal(r, (struct goal){.kind = kind});
}

/* After an expression, to wrap it. */
static bool wrap_expr(struct script_reader *r, enum ms_fragment fragment)
{
    r->left--;
    add_goal(r, (struct goal){.kind = GOAL_WRAP, .fragment = fragment});
    return goal(r, GOAL_EXPR);
}

/* Takes a finished node. Returns: false if it is not valid: nothing that holds it would be. */
static bool done(struct script_reader *r, struct ms_node *n)
{
    if (!ms_is_valid(n, r->ms->context))
        return false;
    if (r->n_done == r->cap_done) {
        r->cap_done = r->cap_done ? 2 * r->cap_done : 32;
        r->done = xrealloc(r->done, r->cap_done * sizeof(*r->done));
    }
    r->done[r->n_done++] = n;
    return true;
}

/* Makes a node of the newest n ones: the newest stands first in the script. */
static bool combine(struct script_reader *r, enum ms_fragment fragment, size_t n, uint32_t k)
{
    struct ms_node **subs;

    if (r->n_done < n)
        return false;
    subs = arena_alloc(&r->ms->arena, n * sizeof(*subs));
    for (size_t i = 0; i < n; i++)
        subs[i] = r->done[--r->n_done];
    return done(r, ms_node_new(r->ms, fragment, subs, n, NULL, 0, NULL, k));
}

static bool leaf(struct script_reader *r, size_t n_tokens, enum ms_fragment fragment, const uint32_t *keys, size_t n_keys,
                 const uint8_t *data, uint32_t k)
{
    r->left -= n_tokens;
    return done(r, ms_node_new(r->ms, fragment, NULL, 0, keys, n_keys, data, k));
}

/* ---- leaves ---- */

static bool read_multi(struct script_reader *r)
{
    uint32_t keys[MAX_PUBKEYS_PER_MULTISIG];
    int64_t n, k;

    if (r->ms->context != MS_P2WSH || !number_at(r, 1, &n) || n < 1 || n > MAX_PUBKEYS_PER_MULTISIG || r->left < 3 + (size_t)n)
        return false;
    for (int64_t i = 0; i < n; i++) { /* as the keys' owner hears of them: from the end */
        const struct token *t = peek(r, (size_t)(2 + i));
        if (t->len != 33 || !r->keys->of_bytes(r->keys->arg, &keys[n - 1 - i], t->data, t->len))
            return false;
    }
    if (!number_at(r, (size_t)(2 + n), &k) || k < 1 || k > n)
        return false;
    return leaf(r, (size_t)(3 + n), MS_MULTI, keys, (size_t)n, NULL, (uint32_t)k);
}

static bool read_multi_a(struct script_reader *r)
{
    uint32_t keys[MS_MULTI_A_KEYS_MAX], n = 0;
    int64_t k;

    if (r->ms->context != MS_TAPSCRIPT || !number_at(r, 1, &k) || k < 1 || k > MS_MULTI_A_KEYS_MAX)
        return false;
    for (size_t pos = 2;; pos += 2) {
        const struct token *key = peek(r, pos + 1);
        bool last = next_is(r, pos, OP_CHECKSIG);
        if (n == MS_MULTI_A_KEYS_MAX || (!last && !next_is(r, pos, OP_CHECKSIGADD)) || key->len != 32)
            return false;
        if (!r->keys->of_bytes(r->keys->arg, &keys[n++], key->data, key->len))
            return false;
        if (last)
            break;
    }
    if (n < (uint64_t)k)
        return false;
    for (uint32_t i = 0; i < n / 2; i++) {
        uint32_t swap = keys[i];
        keys[i] = keys[n - 1 - i];
        keys[n - 1 - i] = swap;
    }
    return leaf(r, 2 + 2 * (size_t)n, MS_MULTI_A, keys, n, NULL, (uint32_t)k);
}

/* OP_SIZE 32 OP_EQUALVERIFY <hash opcode> <hash> OP_EQUAL. Returns: false if it is none (nothing is taken). */
static bool is_hash(const struct script_reader *r, enum ms_fragment *fragment)
{
    size_t len = peek(r, 1)->len;
    int64_t n;

    if (!next_is(r, 0, OP_EQUAL) || !next_is(r, 3, OP_VERIFY) || !next_is(r, 4, OP_EQUAL) || !number_at(r, 5, &n) || n != 32 ||
        !next_is(r, 6, OP_SIZE))
        return false;
    switch (peek(r, 2)->op) {
    case OP_SHA256:
        *fragment = MS_SHA256;
        return len == 32;
    case OP_HASH256:
        *fragment = MS_HASH256;
        return len == 32;
    case OP_RIPEMD160:
        *fragment = MS_RIPEMD160;
        return len == 20;
    case OP_HASH160:
        *fragment = MS_HASH160;
        return len == 20;
    default:
        return false;
    }
}

static bool is_pk_h(const struct script_reader *r)
{
    return next_is(r, 0, OP_VERIFY) && next_is(r, 1, OP_EQUAL) && peek(r, 2)->len == 20 && next_is(r, 3, OP_HASH160) &&
           next_is(r, 4, OP_DUP);
}

/* ---- expressions ---- */

/* Expressions that are known by an opcode behind their subs. */
static bool read_compound(struct script_reader *r)
{
    int64_t n;

    switch (peek(r, 0)->op) {
    case OP_CHECKSIG:
        return wrap_expr(r, MS_WRAP_C);
    case OP_VERIFY:
        return wrap_expr(r, MS_WRAP_V);
    case OP_0NOTEQUAL:
        return wrap_expr(r, MS_WRAP_N);
    case OP_EQUAL:
        if (r->left < 3 || !number_at(r, 1, &n) || n < 1)
            return false;
        r->left -= 2;
        return add_goal(r, (struct goal){.kind = GOAL_THRESH, .k = (uint32_t)n});
    case OP_ENDIF:
        r->left--;
        goal(r, GOAL_ENDIF);
        return goal(r, GOAL_CHAIN);
    case OP_BOOLAND:
    case OP_BOOLOR:
        add_goal(r, (struct goal){.kind = GOAL_JOIN, .fragment = peek(r, 0)->op == OP_BOOLAND ? MS_AND_B : MS_OR_B});
        r->left--;
        goal(r, GOAL_EXPR);
        return goal(r, GOAL_W);
    default:
        return false;
    }
}

static bool read_expr(struct script_reader *r)
{
    const struct token *t = peek(r, 0);
    enum ms_fragment fragment;
    uint32_t key;
    int64_t n;

    if (r->left == 0)
        return false;
    if (t->op == OP_0 || t->op == OP_1)
        return leaf(r, 1, t->op == OP_1 ? MS_1 : MS_0, NULL, 0, NULL, 0);
    if (t->len == 32 || t->len == 33)
        return r->keys->of_bytes(r->keys->arg, &key, t->data, t->len) && leaf(r, 1, MS_PK_K, &key, 1, NULL, 0);
    if (is_pk_h(r))
        return r->keys->of_hash(r->keys->arg, &key, peek(r, 2)->data) && leaf(r, 5, MS_PK_H, &key, 1, NULL, 0);
    if ((t->op == OP_CHECKSEQUENCEVERIFY || t->op == OP_CHECKLOCKTIMEVERIFY) && number_at(r, 1, &n))
        return n >= 1 && n <= INT32_MAX &&
               leaf(r, 2, t->op == OP_CHECKSEQUENCEVERIFY ? MS_OLDER : MS_AFTER, NULL, 0, NULL, (uint32_t)n);
    if (is_hash(r, &fragment))
        return leaf(r, 7, fragment, NULL, 0, peek(r, 1)->data, 0);
    if (t->op == OP_CHECKMULTISIG && r->left >= 3)
        return read_multi(r);
    if (t->op == OP_NUMEQUAL && r->left >= 4)
        return read_multi_a(r);
    return read_compound(r);
}

/* What stands before a branch that an OP_ENDIF closes. */
static bool read_endif(struct script_reader *r)
{
    if (next_is(r, 0, OP_ELSE)) {
        r->left--;
        goal(r, GOAL_ELSE);
        return goal(r, GOAL_CHAIN);
    }
    if (next_is(r, 0, OP_NOTIF)) {
        r->left--;
        return goal(r, GOAL_NOTIF);
    }
    if (!next_is(r, 0, OP_IF))
        return false;
    if (next_is(r, 1, OP_DUP)) {
        r->left -= 2;
        return combine(r, MS_WRAP_D, 1, 0);
    }
    if (!next_is(r, 1, OP_0NOTEQUAL) || !next_is(r, 2, OP_SIZE))
        return false;
    r->left -= 3;
    return combine(r, MS_WRAP_J, 1, 0);
}

static bool read_else(struct script_reader *r)
{
    if (next_is(r, 0, OP_IF)) {
        r->left--;
        return combine(r, MS_OR_I, 2, 0);
    }
    if (!next_is(r, 0, OP_NOTIF))
        return false;
    r->left--;
    goal(r, GOAL_ANDOR);
    return goal(r, GOAL_EXPR);
}

/* Script: X NOTIF Z ELSE Y ENDIF. The newest node is X, then Z, then Y. */
static bool make_andor(struct script_reader *r)
{
    struct ms_node *subs[3];

    if (r->n_done < 3)
        return false;
    subs[0] = r->done[r->n_done - 1];
    subs[2] = r->done[r->n_done - 2];
    subs[1] = r->done[r->n_done - 3];
    r->n_done -= 3;
    return done(r, ms_node_new(r->ms, MS_ANDOR, subs, 3, NULL, 0, NULL, 0));
}

static bool read_thresh(struct script_reader *r, struct goal g)
{
    if (r->left == 0)
        return false;
    g.n++;
    if (next_is(r, 0, OP_ADD)) {
        r->left--;
        add_goal(r, g);
        return goal(r, GOAL_W);
    }
    g.kind = GOAL_THRESH_END;
    add_goal(r, g);
    return goal(r, GOAL_EXPR);
}

/* Before an expression: more of them, unless what stands there opens something. */
static bool read_chained(struct script_reader *r)
{
    uint8_t op = peek(r, 0)->op;

    if (r->left == 0 || op == OP_IF || op == OP_ELSE || op == OP_NOTIF || op == OP_TOALTSTACK || op == OP_SWAP)
        return true;
    add_goal(r, (struct goal){.kind = GOAL_JOIN, .fragment = MS_AND_V});
    return goal(r, GOAL_CHAIN);
}

static bool read_w(struct script_reader *r)
{
    bool alt = next_is(r, 0, OP_FROMALTSTACK);

    if (r->left == 0)
        return false;
    r->left -= alt;
    add_goal(r, (struct goal){.kind = GOAL_WRAP, .fragment = alt ? MS_WRAP_A : MS_WRAP_S, .op = alt ? OP_TOALTSTACK : OP_SWAP});
    return goal(r, GOAL_CHAIN);
}

static bool reach(struct script_reader *r, struct goal g)
{
    switch (g.kind) {
    case GOAL_EXPR:
        return read_expr(r);
    case GOAL_CHAIN:
        goal(r, GOAL_CHAINED);
        return goal(r, GOAL_EXPR);
    case GOAL_CHAINED:
        return read_chained(r);
    case GOAL_W:
        return read_w(r);
    case GOAL_WRAP:
        if (g.op && !next_is(r, 0, g.op))
            return false;
        r->left -= g.op != 0;
        return combine(r, g.fragment, 1, 0);
    case GOAL_JOIN:
        return combine(r, g.fragment, 2, 0);
    case GOAL_ANDOR:
        return make_andor(r);
    case GOAL_THRESH:
        return read_thresh(r, g);
    case GOAL_THRESH_END:
        return g.k <= g.n && combine(r, MS_THRESH, g.n, g.k);
    case GOAL_ENDIF:
        return read_endif(r);
    case GOAL_NOTIF:
        g.fragment = next_is(r, 0, OP_IFDUP) ? MS_OR_D : MS_OR_C;
        if (r->left == 0)
            return false;
        r->left -= g.fragment == MS_OR_D;
        add_goal(r, (struct goal){.kind = GOAL_JOIN, .fragment = g.fragment});
        return goal(r, GOAL_EXPR);
    default:
        return read_else(r);
    }
}

bool ms_from_script(struct miniscript *ms, enum ms_context context, const uint8_t *script, size_t len, const struct ms_keys *keys)
{
    struct script_reader r = {.ms = ms, .keys = keys};
    bool ok;

    memset(ms, 0, sizeof(*ms));
    ms->context = context;
    if (len > ms_script_max(context))
        return false;
    ok = split(&r, script, len);
    goal(&r, GOAL_CHAIN);
    while (ok && r.n_goals)
        ok = reach(&r, r.goals[--r.n_goals]);
    ok = ok && r.left == 0 && r.n_done == 1 && ms_is_valid_top(r.done[0], context);
    if (ok)
        ms_finish(ms, r.done[0], NULL, NULL);
    else
        ms_clear(ms);
    free(r.tokens);
    free(r.goals);
    free(r.done);
    return ok;
}
