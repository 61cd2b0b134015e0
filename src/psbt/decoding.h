/* decoding.h - the state of reading a PSBT, shared by the decode*.c files: a reader whose failures have Core's words. */
#ifndef FARTHING_PSBT_DECODING_H
#define FARTHING_PSBT_DECODING_H

#include "psbt/maps.h"

struct decoding {
    struct reader r;
    struct psbt *p;
    char *error; /* the first one */
    /* the map being read */
    const char *place; /* "global", "input", "output" */
    const char *name;  /* "Input", "Output" */
    struct psbt_map *map;
    struct psbt_in *in;
    struct psbt_out *out;
    bool v2;        /* its fields are fine */
    unsigned found; /* bits of required fields */
    /* global only */
    struct tx *tx;
    bool has_version;
    uint64_t n_in, n_out;
};
/* An entry's key. */
struct entry {
    const uint8_t *key; /* with the type */
    size_t len;
    uint64_t type;
};
/* How entries of a type are read: the key's length is checked (0: by the function), then the value read. */
struct field {
    uint8_t type;
    uint8_t kind; /* enum psbt_kind, where it matters */
    uint16_t key_len;
    const char *name;
    void (*read)(struct decoding *d, const struct entry *e, const struct field *f);
    const char *v2_only; /* what is "not allowed in PSBTv0"; NULL: it is */
};

/* Sets the error (the first one stays) and leaves nothing to read. */
void dec_fail(struct decoding *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
const uint8_t *dec_bytes(struct decoding *d, size_t len);
uint64_t dec_compact(struct decoding *d);
uint32_t dec_u32(struct decoding *d);
const uint8_t *dec_var_bytes(struct decoding *d, size_t *len);
/* A value that is read field by field must be as long as it says. */
struct stated {
    uint64_t len;
    const uint8_t *start;
};
struct stated dec_stated(struct decoding *d);
void dec_stated_end(struct decoding *d, struct stated s);
/* A transaction out of the stream. Returns: one reference, NULL with the error set. */
struct tx *dec_tx(struct decoding *d, bool allow_witness);
/* Reads one map to its end, and sorts it. */
void dec_map(struct decoding *d, const struct field *fields, size_t n);

/* ---- decode_value.c: values that stand in several maps, and in maps as they are ---- */
void dec_value_bytes(struct decoding *d, const struct entry *e, const struct field *f);
void dec_value_script(struct decoding *d, const struct entry *e, const struct field *f);
void dec_value_hash(struct decoding *d, const struct entry *e, const struct field *f);
void dec_value_partial_sig(struct decoding *d, const struct entry *e, const struct field *f);
void dec_value_origin(struct decoding *d, const struct entry *e, const struct field *f);
void dec_value_stack(struct decoding *d, const struct entry *e, const struct field *f);
void dec_value_tap_sig(struct decoding *d, const struct entry *e, const struct field *f);
void dec_value_tap_leaf(struct decoding *d, const struct entry *e, const struct field *f);
void dec_value_tap_origin(struct decoding *d, const struct entry *e, const struct field *f);
void dec_value_tap_tree(struct decoding *d, const struct entry *e, const struct field *f);
void dec_value_participants(struct decoding *d, const struct entry *e, const struct field *f);
void dec_value_nonce(struct decoding *d, const struct entry *e, const struct field *f);
void dec_value_xpub(struct decoding *d, const struct entry *e, const struct field *f);
void dec_value_proprietary(struct decoding *d, const struct entry *e, const struct field *f);

#endif
