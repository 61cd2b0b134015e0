/* miniscript.h - scripts that can be analysed (BIP379), in P2WSH and in tapscript leaves: nodes with their types and limits, from and to script bytes,
 * and their cheapest satisfaction that no third party can change. The text form is the descriptor module's. Pure; any thread. */
#ifndef FARTHING_SCRIPT_MINISCRIPT_H
#define FARTHING_SCRIPT_MINISCRIPT_H

#include "script/script.h"
#include "script/sign.h"

enum ms_context { MS_P2WSH, MS_TAPSCRIPT };
enum ms_fragment {
    MS_0,
    MS_1,
    MS_PK_K,
    MS_PK_H,
    MS_OLDER,
    MS_AFTER,
    MS_SHA256,
    MS_HASH256,
    MS_RIPEMD160,
    MS_HASH160,
    MS_WRAP_A,
    MS_WRAP_S,
    MS_WRAP_C,
    MS_WRAP_D,
    MS_WRAP_V,
    MS_WRAP_J,
    MS_WRAP_N,
    MS_AND_V,
    MS_AND_B,
    MS_OR_B,
    MS_OR_C,
    MS_OR_D,
    MS_OR_I,
    MS_ANDOR,
    MS_THRESH,
    MS_MULTI,
    MS_MULTI_A
};
#define MS_MULTI_A_KEYS_MAX 999

/* Type bits: the four base types and BIP379's properties under their letters; the last five are Core's, on time locks. */
enum ms_type {
    MS_B = 1 << 0,
    MS_V = 1 << 1,
    MS_K = 1 << 2,
    MS_W = 1 << 3,
    MS_z = 1 << 4,  /* takes no stack element */
    MS_o = 1 << 5,  /* takes exactly one */
    MS_n = 1 << 6,  /* its top element is never zero when satisfied */
    MS_d = 1 << 7,  /* can be dissatisfied */
    MS_u = 1 << 8,  /* leaves exactly 1 when satisfied */
    MS_e = 1 << 9,  /* has just one way to be dissatisfied without signatures */
    MS_f = 1 << 10, /* dissatisfying it takes a signature */
    MS_s = 1 << 11, /* satisfying it takes a signature */
    MS_m = 1 << 12, /* has a non-malleable satisfaction */
    MS_x = 1 << 13, /* its last opcode has no VERIFY form */
    MS_g = 1 << 14, /* relative time lock in seconds */
    MS_h = 1 << 15, /* ... in blocks */
    MS_i = 1 << 16, /* absolute time lock in seconds */
    MS_j = 1 << 17, /* ... in blocks */
    MS_k = 1 << 18  /* no way to satisfy it mixes the two */
};

struct ms_max { /* a maximum over possible executions, if there is one */
    bool valid;
    uint32_t value;
};
struct ms_depth { /* how the stack moves, at most, over possible executions */
    bool valid;
    int32_t net;  /* elements fewer at the end than at the start */
    int32_t exec; /* elements more, in between, than at the end */
};
struct ms_node {
    enum ms_fragment fragment;
    uint32_t k;      /* time or threshold */
    uint32_t n_keys; /* PK_K, PK_H: 1 */
    uint32_t n_subs;
    uint32_t *keys; /* numbers that the owner of the keys knows */
    uint8_t *data;  /* 32 or 20 bytes of a hash */
    struct ms_node **subs;
    uint32_t type;                   /* enum ms_type; 0: not valid */
    uint32_t ops;                    /* opcodes that are no pushes */
    struct ms_max ops_sat, ops_dsat; /* keys of multisigs run */
    struct ms_max wit_sat, wit_dsat; /* bytes of witness */
    struct ms_depth depth_sat, depth_dsat;
    size_t script_len;
    bool duplicate; /* a key stands twice in it; set by ms_finish */
};
struct miniscript {
    enum ms_context context;
    struct arena arena;
    struct ms_node *root;
    struct ms_node **order; /* all nodes, each after its subs */
    size_t n_nodes;
};

/** The most bytes that a script of this context may have to be standard. */
size_t ms_script_max(enum ms_context context);
/** Makes a node out of finished ones. All pointers go into the node as they are: they must live as long as it. Of subs, keys, data and k those that
 *  the fragment takes must be there and in range (keys: 1..20 or 999, thresholds 1..n, times 1..2^31-1). */
struct ms_node *ms_node_new(struct miniscript *ms, enum ms_fragment fragment, struct ms_node *const *subs, size_t n_subs,
                            const uint32_t *keys, size_t n_keys, const uint8_t *data, uint32_t k);
/** Ends the making of a miniscript: orders its nodes, and looks for keys that stand twice. compare: three-way, NULL to leave that out. */
void ms_finish(struct miniscript *ms, struct ms_node *root, int (*compare)(const void *arg, uint32_t a, uint32_t b),
               const void *arg);
void ms_clear(struct miniscript *ms);

/* Core's questions to a node. */
bool ms_is_valid(const struct ms_node *n, enum ms_context c);
bool ms_is_valid_top(const struct ms_node *n, enum ms_context c);
/** Every satisfaction stays within the limits of opcodes and stack. */
bool ms_is_within_limits(const struct ms_node *n, enum ms_context c);
bool ms_is_sane_sub(const struct ms_node *n, enum ms_context c);
/** A script that is safe to pay to. */
bool ms_is_sane(const struct ms_node *n, enum ms_context c);
/** The first insane node that has no insane sub, NULL if there is none. */
const struct ms_node *ms_find_insane(const struct miniscript *ms);

/* Keys of a script that is read: the number of each. Returns: false if it cannot be a key here, or is not known. */
struct ms_keys {
    void *arg;
    bool (*of_bytes)(void *arg, uint32_t *key, const uint8_t *bytes, size_t len); /* 32 or 33 bytes */
    bool (*of_hash)(void *arg, uint32_t *key, const uint8_t hash[20]);
};
/** Reads a script. Returns: false (nothing to clear) if it is no valid miniscript of the context. ms_finish is run without compare. */
bool ms_from_script(struct miniscript *ms, enum ms_context context, const uint8_t *script, size_t len, const struct ms_keys *keys);
/** Writes the script. key_bytes: 33 bytes (32 in tapscript) of a key. */
void ms_to_script(struct writer *w, const struct miniscript *ms, void (*key_bytes)(const void *arg, uint8_t *out, uint32_t key),
                  const void *arg);

/* What can be had for a satisfaction. */
struct ms_satisfier {
    void *arg;
    void (*key_bytes)(const void *arg, uint8_t *out, uint32_t key);
    struct witness_item (*sign)(void *arg, uint32_t key); /* NULL data: no signature */
    struct witness_item (*preimage)(void *arg, enum hash_kind kind, const uint8_t *hash);
    bool (*older)(void *arg, uint32_t value);
    bool (*after)(void *arg, uint32_t value);
    void (*push)(void *arg, const uint8_t *data, size_t len); /* takes the items, bottom first */
};
/** Finds the smallest satisfaction that is not malleable. What it pushes lives in ms or with the satisfier. Every key is asked for its signature.
 *  Returns: false (nothing pushed) if there is none. thresh() of more than 1,000 subs is not tried. */
bool ms_satisfy(struct miniscript *ms, const struct ms_satisfier *s);

#endif
