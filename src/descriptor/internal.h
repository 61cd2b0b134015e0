/* internal.h - a descriptor that was read, and what the files of the module share. Private to the module. */
#ifndef FARTHING_DESCRIPTOR_INTERNAL_H
#define FARTHING_DESCRIPTOR_INTERNAL_H

#include "descriptor/descriptor.h"
#include "descriptor/extkey.h"
#include "script/miniscript.h"
#include "util/arena.h"

#define TAP_DEPTH_MAX 128

/* Steps below a key. With a multipath step there are several such paths, which differ in that step. */
struct key_path {
    uint32_t *steps;
    size_t n;
    size_t choice_at; /* which step has choices, if n_choices > 0 */
    uint32_t *choices;
    size_t n_choices;
};
enum key_kind { KEY_FIXED, KEY_EXTENDED, KEY_MUSIG };
enum key_range { RANGE_NONE, RANGE_PLAIN, RANGE_HARDENED };
struct key_expr {
    enum key_kind kind;
    bool has_origin;
    bool apostrophe; /* hardened steps are written with ' in place of h */
    uint8_t fingerprint[4];
    struct key_path origin;
    uint8_t pub[65]; /* FIXED */
    size_t pub_len;
    bool x_only;        /* FIXED: stands as 32 bytes in the text; pub has an even Y */
    struct extkey root; /* EXTENDED, without its secret: that is among the descriptor's */
    struct key_path path;
    enum key_range range;
    struct key_expr **parts; /* MUSIG */
    size_t n_parts;
    size_t paths;         /* how many descriptors it is good for: 1 for any */
    struct extkey parent; /* the key above the last, ranged step; of path parent_path - 1, 0: none yet */
    size_t parent_path;
};
enum desc_kind {
    DESC_ADDR,
    DESC_RAW,
    DESC_PK,
    DESC_PKH,
    DESC_WPKH,
    DESC_COMBO,
    DESC_MULTI,
    DESC_SORTEDMULTI,
    DESC_MULTI_A,
    DESC_SORTEDMULTI_A,
    DESC_SH,
    DESC_WSH,
    DESC_TR,
    DESC_RAWTR,
    DESC_UNUSED,
    DESC_MINISCRIPT
};
struct desc_node {
    enum desc_kind kind;
    struct key_expr **keys;
    size_t n_keys;
    bool x_only; /* DESC_PK in a leaf */
    uint32_t threshold;
    struct desc_node **subs; /* of DESC_TR: leaves from left to right */
    unsigned *depths;
    size_t n_subs;
    uint8_t *script; /* ADDR, RAW */
    size_t script_len;
    struct miniscript *ms; /* its keys are indices of keys */
    size_t paths;
};
struct descriptor {
    const struct chain_params *params;
    struct arena arena;
    struct desc_node *root;
    struct keyring secrets;
    struct miniscript **scripts; /* all of them, to be cleared */
    size_t n_scripts;
};

/* ---- text in ---- */
struct span {
    const char *s;
    size_t n;
};
enum desc_context { CTX_TOP, CTX_P2SH, CTX_P2WPKH, CTX_P2WSH, CTX_P2TR, CTX_MUSIG };
struct parser {
    struct descriptor *d;
    char *error; /* NULL: none, or "" */
};
bool parse_fail(struct parser *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Puts text in front of the error. Returns: false. */
bool parse_fail_in(struct parser *p, const char *prefix);
/* Takes `text` off the front. Returns: false if it is not there. */
bool span_skip(struct span *s, const char *text);
bool span_starts(struct span s, const char *text);
/* Takes "name(" and ")" off both ends. */
bool span_function(struct span *s, const char *name);
/* Takes an expression off the front: up to a comma or bracket that none in it opened. */
struct span span_expr(struct span *s);
/* A decimal number and nothing else. */
bool span_number(struct span s, uint64_t max, uint64_t *out);
bool span_is_hex(struct span s);
/* The next piece up to a separator. Returns: false when none is left; *rest must not be used for anything else. */
struct span_split {
    struct span rest;
    bool done;
};
bool span_next(struct span_split *split, char separator, struct span *out);

struct key_expr *parse_key(struct parser *p, struct span s, enum desc_context ctx);
struct desc_node *parse_script(struct parser *p, struct span *s, enum desc_context ctx);
/* A growing list in the arena. */
struct list {
    void **items;
    size_t n, cap;
};
void list_add(struct arena *a, struct list *l, void *item);

/* Reads the text of a miniscript. Returns: 1 if it is one (keys: its key_exprs), 0 if not, -1 with the error of a key. */
int parse_miniscript(struct parser *p, struct miniscript *ms, struct list *keys, struct span s, enum ms_context context);

/* ---- text out ---- */
void put_text(struct writer *w, const char *text);
void put_hex(struct writer *w, const void *data, size_t len);
void put_number(struct writer *w, uint32_t n);
/* secrets: the descriptor's, to write private keys, or NULL. */
void put_key(struct writer *w, const struct descriptor *d, const struct key_expr *k, size_t path, bool secret);
/* key: writes one. */
void put_miniscript(struct writer *w, const struct ms_node *root, void (*key)(void *arg, struct writer *w, uint32_t key),
                    void *arg);
void put_multi(struct writer *w, enum desc_kind kind, uint32_t threshold);
/* Adds '#', the checksum and a NUL. Returns: the writer's text, to free. */
char *finish_text(struct writer *w);

/* ---- keys ---- */
struct derived_key {
    uint8_t pub[65];
    size_t len;
};
/* The key at a position. ring: may be NULL. Returns: false if it takes a secret that is not there. */
bool key_at(struct derived_key *out, struct keyring *ring, struct descriptor *d, struct key_expr *k, size_t path, uint32_t position,
            bool secrets);
bool key_is_range(const struct key_expr *k);
/* Bytes of its public key in a script before tapscript: 33 or 65; 32 for musig. */
size_t key_size(const struct key_expr *k);

#endif
