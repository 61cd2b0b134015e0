/* ms_type.c - the type of a miniscript node out of those of its subs: BIP379's correctness and malleability tables. Called by ms_node.c; pure. */
#include "script/ms_internal.h"

#define SEQUENCE_TIME_FLAG (1u << 22)
#define BASES (MS_B | MS_V | MS_K | MS_W)
#define LOCKS (MS_g | MS_h | MS_i | MS_j)

static bool has(uint32_t type, uint32_t bits)
{
    return (type & bits) == bits;
}

static uint32_t when(bool condition, uint32_t bits)
{
    return condition ? bits : 0;
}

/* Both must be met, and one is in seconds, the other in blocks. */
static bool locks_clash(uint32_t x, uint32_t y)
{
    return (has(x, MS_g) && has(y, MS_h)) || (has(x, MS_h) && has(y, MS_g)) || (has(x, MS_i) && has(y, MS_j)) ||
           (has(x, MS_j) && has(y, MS_i));
}

/* Exactly one of two takes one element and the other none. */
static bool one_of(uint32_t x, uint32_t y)
{
    return has(x | y, MS_o | MS_z); /* no type has both */
}

static uint32_t leaf_type(const struct ms_node *n)
{
    switch (n->fragment) {
    case MS_0:
        return MS_B | MS_z | MS_u | MS_d | MS_e | MS_m | MS_s | MS_x | MS_k;
    case MS_1:
        return MS_B | MS_z | MS_u | MS_f | MS_m | MS_x | MS_k;
    case MS_PK_K:
        return MS_K | MS_o | MS_n | MS_u | MS_d | MS_e | MS_m | MS_s | MS_x | MS_k;
    case MS_PK_H:
        return MS_K | MS_n | MS_u | MS_d | MS_e | MS_m | MS_s | MS_x | MS_k;
    case MS_OLDER:
        return MS_B | MS_z | MS_f | MS_m | MS_x | MS_k | (n->k & SEQUENCE_TIME_FLAG ? MS_g : MS_h);
    case MS_AFTER:
        return MS_B | MS_z | MS_f | MS_m | MS_x | MS_k | (n->k >= LOCKTIME_THRESHOLD ? MS_i : MS_j);
    case MS_MULTI:
        return MS_B | MS_n | MS_u | MS_d | MS_e | MS_m | MS_s | MS_k;
    case MS_MULTI_A:
        return MS_B | MS_u | MS_d | MS_e | MS_m | MS_s | MS_k;
    default: /* the four hashes */
        return MS_B | MS_o | MS_n | MS_u | MS_d | MS_m | MS_k;
    }
}

static uint32_t wrapper_type(enum ms_fragment f, uint32_t x, bool tapscript)
{
    uint32_t kept = x & (LOCKS | MS_k);

    switch (f) {
    case MS_WRAP_A:
        return kept | when(has(x, MS_B), MS_W) | (x & (MS_u | MS_d | MS_f | MS_e | MS_m | MS_s)) | MS_x;
    case MS_WRAP_S:
        return kept | when(has(x, MS_B | MS_o), MS_W) | (x & (MS_u | MS_d | MS_f | MS_e | MS_m | MS_s | MS_x));
    case MS_WRAP_C:
        return kept | when(has(x, MS_K), MS_B) | (x & (MS_o | MS_n | MS_d | MS_f | MS_e | MS_m)) | MS_u | MS_s;
    case MS_WRAP_D: /* MINIMALIF is a rule of consensus in tapscript only */
        return kept | when(has(x, MS_V | MS_z), MS_B) | when(has(x, MS_z), MS_o) | when(has(x, MS_f), MS_e) | (x & (MS_m | MS_s)) |
               when(tapscript, MS_u) | MS_n | MS_d | MS_x;
    case MS_WRAP_V:
        return kept | when(has(x, MS_B), MS_V) | (x & (MS_z | MS_o | MS_n | MS_m | MS_s)) | MS_f | MS_x;
    case MS_WRAP_J:
        return kept | when(has(x, MS_B | MS_n), MS_B) | when(has(x, MS_f), MS_e) | (x & (MS_o | MS_u | MS_m | MS_s)) | MS_n | MS_d |
               MS_x;
    default: /* n: */
        return kept | (x & (MS_B | MS_z | MS_o | MS_n | MS_d | MS_f | MS_e | MS_m | MS_s)) | MS_u | MS_x;
    }
}

static uint32_t and_type(enum ms_fragment f, uint32_t x, uint32_t y)
{
    uint32_t both = x & y, any = x | y, t;

    t = (any & LOCKS) | (any & MS_s) | (both & (MS_z | MS_m)) | when(one_of(x, y), MS_o) | (x & MS_n) |
        when(has(x, MS_z), y & MS_n) | when(has(both, MS_k) && !locks_clash(x, y), MS_k);
    if (f == MS_AND_V)
        return t | when(has(x, MS_V), y & (MS_B | MS_V | MS_K)) | when(has(y, MS_f) || has(x, MS_s), MS_f) | (y & (MS_u | MS_x));
    return t | when(has(y, MS_W), x & MS_B) | (both & MS_d) | when(has(both, MS_s), both & MS_e) |
           when(has(both, MS_f) || has(x, MS_s | MS_f) || has(y, MS_s | MS_f), MS_f) | MS_u | MS_x;
}

static uint32_t or_type(enum ms_fragment f, uint32_t x, uint32_t z)
{
    uint32_t both = x & z, any = x | z, t = (any & LOCKS) | (both & MS_k) | MS_x;
    bool choice_x = has(x, MS_B | MS_d | MS_u); /* x may stand before a conditional */

    switch (f) {
    case MS_OR_B:
        return t | when(has(x, MS_B | MS_d) && has(z, MS_W | MS_d), MS_B) | when(one_of(x, z), MS_o) |
               when(has(any, MS_s) && has(both, MS_e), both & MS_m) | (both & (MS_z | MS_s | MS_e)) | MS_d | MS_u;
    case MS_OR_D:
        return t | when(choice_x, z & MS_B) | when(has(z, MS_z), x & MS_o) | when(has(x, MS_e) && has(any, MS_s), both & MS_m) |
               (both & (MS_z | MS_s)) | (z & (MS_u | MS_f | MS_d | MS_e));
    case MS_OR_C:
        return t | when(choice_x, z & MS_V) | when(has(z, MS_z), x & MS_o) | when(has(x, MS_e) && has(any, MS_s), both & MS_m) |
               (both & (MS_z | MS_s)) | MS_f;
    default: /* or_i */
        return t | (both & (MS_V | MS_B | MS_K | MS_u | MS_f | MS_s)) | when(has(both, MS_z), MS_o) |
               when(has(any, MS_f), any & MS_e) | when(has(any, MS_s), both & MS_m) | (any & MS_d);
    }
}

static uint32_t andor_type(uint32_t x, uint32_t y, uint32_t z)
{
    uint32_t yz = y & z, all = x & yz;

    return when(has(x, MS_B | MS_d | MS_u), yz & (MS_B | MS_K | MS_V)) | (all & MS_z) | when(one_of(x, yz), MS_o) | (yz & MS_u) |
           when(has(x, MS_s) || has(y, MS_f), z & (MS_f | MS_e)) | (z & MS_d) |
           when(has(x, MS_e) && has(x | y | z, MS_s), all & MS_m) | (z & (x | y) & MS_s) | MS_x | ((x | y | z) & LOCKS) |
           when(has(all, MS_k) && !locks_clash(x, y), MS_k);
}

static uint32_t thresh_type(const struct ms_node *n)
{
    bool all_e = true, all_m = true;
    uint32_t elements = 0, signing = 0, locks = MS_k, n_subs = n->n_subs;

    for (uint32_t i = 0; i < n_subs; i++) {
        uint32_t t = n->subs[i]->type;
        bool k;
        if (!has(t, (i ? MS_W : MS_B) | MS_d | MS_u))
            return 0;
        all_e = all_e && has(t, MS_e);
        all_m = all_m && has(t, MS_m);
        signing += has(t, MS_s);
        if (!has(t, MS_z))
            elements += has(t, MS_o) ? 1 : 2;
        k = has(locks & t, MS_k) && (n->k <= 1 || !locks_clash(locks, t));
        locks = ((locks | t) & LOCKS) | when(k, MS_k);
    }
    return MS_B | MS_d | MS_u | when(elements == 0, MS_z) | when(elements == 1, MS_o) | when(all_e && signing == n_subs, MS_e) |
           when(all_e && all_m && signing >= n_subs - n->k, MS_m) | when(signing >= n_subs - n->k + 1, MS_s) | locks;
}

uint32_t ms_type_of(const struct ms_node *n, enum ms_context context)
{
    uint32_t x = n->n_subs > 0 ? n->subs[0]->type : 0, y = n->n_subs > 1 ? n->subs[1]->type : 0, t;

    switch (n->fragment) {
    case MS_WRAP_A:
    case MS_WRAP_S:
    case MS_WRAP_C:
    case MS_WRAP_D:
    case MS_WRAP_V:
    case MS_WRAP_J:
    case MS_WRAP_N:
        t = wrapper_type(n->fragment, x, context == MS_TAPSCRIPT);
        break;
    case MS_AND_V:
    case MS_AND_B:
        t = and_type(n->fragment, x, y);
        break;
    case MS_OR_B:
    case MS_OR_C:
    case MS_OR_D:
    case MS_OR_I:
        t = or_type(n->fragment, x, y);
        break;
    case MS_ANDOR:
        t = andor_type(x, y, n->subs[2]->type);
        break;
    case MS_THRESH:
        t = thresh_type(n);
        break;
    default:
        t = leaf_type(n);
    }
    return t & BASES ? t : 0;
}
