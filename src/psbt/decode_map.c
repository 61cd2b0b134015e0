/* decode_map.c - reading a PSBT's maps: keys, duplicates, and the primitives whose failures have Core's words. Called by decode.c; pure. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "primitives/serialize.h"
#include "psbt/decoding.h"
#include "util/hex.h"
#include "util/mem.h"

#define END_OF_DATA "SpanReader::read(): end of data: iostream error"

void dec_fail(struct decoding *d, const char *fmt, ...)
{
    char text[256];
    va_list args;

    reader_fail(&d->r);
    if (d->error)
        return;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    d->error = xasprintf("%s", text);
}

const uint8_t *dec_bytes(struct decoding *d, size_t len)
{
    const uint8_t *data = read_bytes(&d->r, len);

    if (!data)
        dec_fail(d, END_OF_DATA);
    return data;
}

uint64_t dec_compact(struct decoding *d)
{
    struct reader plain = d->r; /* fails for two reasons: what is there is read again */
    uint64_t n = read_compact_u64(&plain);
    const uint8_t *first = d->r.pos;

    if (plain.failed) {
        if (reader_left(&d->r) == 0 || reader_left(&d->r) < (*first < 0xfd ? 1u : 1u + (2u << (*first - 0xfd))))
            dec_fail(d, END_OF_DATA);
        else
            dec_fail(d, "non-canonical ReadCompactSize(): iostream error");
        return 0;
    }
    d->r = plain;
    if (n > COMPACT_SIZE_MAX) {
        dec_fail(d, "ReadCompactSize(): size too large: iostream error");
        return 0;
    }
    return n;
}

uint32_t dec_u32(struct decoding *d)
{
    const uint8_t *b = dec_bytes(d, 4);

    return b ? get_le32(b) : 0;
}

const uint8_t *dec_var_bytes(struct decoding *d, size_t *len)
{
    uint64_t n = dec_compact(d);
    const uint8_t *data = d->error ? NULL : dec_bytes(d, (size_t)n);

    *len = data ? (size_t)n : 0;
    return data;
}

struct stated dec_stated(struct decoding *d)
{
    uint64_t len = dec_compact(d);

    return (struct stated){len, d->r.pos};
}

void dec_stated_end(struct decoding *d, struct stated s)
{
    if (!d->error && (uint64_t)(d->r.pos - s.start) != s.len)
        dec_fail(d, "Size of value was not the stated size: iostream error");
}

/* ---- transactions ---- */

static void skip_inputs(struct decoding *d, uint64_t n)
{
    size_t len;

    for (uint64_t i = 0; i < n && !d->error; i++) {
        if (dec_bytes(d, 36) && dec_var_bytes(d, &len))
            dec_bytes(d, 4);
    }
}

static void skip_outputs(struct decoding *d)
{
    uint64_t n = dec_compact(d);
    size_t len;

    for (uint64_t i = 0; i < n && !d->error; i++) {
        if (dec_bytes(d, 8))
            dec_var_bytes(d, &len);
    }
}

/* Returns: false if no input has a witness. */
static bool skip_witnesses(struct decoding *d, uint64_t n_in)
{
    bool any = false;
    size_t len;

    for (uint64_t i = 0; i < n_in && !d->error; i++) {
        uint64_t n = dec_compact(d);
        any |= n > 0;
        for (uint64_t k = 0; k < n && !d->error; k++)
            dec_var_bytes(d, &len);
    }
    return any;
}

struct tx *dec_tx(struct decoding *d, bool allow_witness)
{
    const uint8_t *start = d->r.pos;
    uint8_t flags = 0;
    const uint8_t *b;
    uint64_t n_in;
    struct tx *tx;

    dec_u32(d);
    n_in = dec_compact(d);
    skip_inputs(d, n_in);
    if (n_in == 0 && allow_witness && !d->error) {
        b = dec_bytes(d, 1);
        flags = b ? *b : 0;
        if (flags) {
            n_in = dec_compact(d);
            skip_inputs(d, n_in);
        }
    }
    if (!d->error && (!allow_witness || n_in || flags))
        skip_outputs(d);
    if ((flags & 1) && !d->error && !skip_witnesses(d, n_in))
        dec_fail(d, "Superfluous witness record: iostream error");
    if (flags & ~1u)
        dec_fail(d, "Unknown transaction optional data: iostream error");
    dec_u32(d);
    if (d->error)
        return NULL;
    tx = tx_decode_as(start, (size_t)(d->r.pos - start), allow_witness);
    if (!tx)
        dec_fail(d, END_OF_DATA);
    return tx;
}

/* ---- maps ---- */

struct key_list {
    struct key_at {
        const uint8_t *key;
        size_t len, at;
    } * items;
    size_t n, cap;
};

static void note_key(struct key_list *l, const struct entry *e)
{
    if (l->n == l->cap) {
        l->cap = l->cap ? 2 * l->cap : 16;
        l->items = xrealloc(l->items, l->cap * sizeof(*l->items));
    }
    l->items[l->n] = (struct key_at){e->key, e->len, l->n};
    l->n++;
}

static int by_key(const void *a, const void *b)
{
    const struct key_at *x = a, *y = b;
    int c;

    if (x->len != y->len)
        return x->len < y->len ? -1 : 1;
    c = memcmp(x->key, y->key, x->len);
    return c ? c : x->at < y->at ? -1 : x->at > y->at;
}

/* The first key that was there before is the error, whatever came behind it. (Found at the end, as all keys together are sorted faster.) */
static void check_duplicates(struct decoding *d, struct key_list *l)
{
    const struct key_at *first = NULL;
    char *hex;

    if (l->n)
        qsort(l->items, l->n, sizeof(*l->items), by_key);
    for (size_t i = 1; i < l->n; i++) {
        const struct key_at *k = &l->items[i];
        if (k->len == k[-1].len && memcmp(k->key, k[-1].key, k->len) == 0 && (!first || k->at < first->at))
            first = k;
    }
    if (!first)
        return;
    free(d->error);
    hex = xmalloc(2 * first->len + 1);
    hex_encode(hex, first->key, first->len);
    d->error = xasprintf("Duplicate Key, %s key \"%s\" already provided: iostream error", d->place, hex);
    free(hex);
    reader_fail(&d->r);
}

static void read_unknown(struct decoding *d, const struct entry *e)
{
    size_t len;
    const uint8_t *value = dec_var_bytes(d, &len);

    if (value)
        map_append(d->p, d->map, PSBT_UNKNOWN, e->key, e->len, value, len);
}

static void read_entry(struct decoding *d, struct entry *e, const struct field *fields, size_t n)
{
    struct decoding key = {.r = reader_make(e->key, e->len)};

    e->type = dec_compact(&key);
    if (key.error) {
        dec_fail(d, "%s", key.error);
        free(key.error);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const struct field *f = &fields[i];
        if (f->type != e->type)
            continue;
        if (f->key_len && f->key_len != e->len)
            dec_fail(d, "Size of key was not %u for the type %s: iostream error", (unsigned)f->key_len, f->name);
        else if (f->v2_only && !d->v2)
            dec_fail(d, "%s is not allowed in PSBTv0: iostream error", f->v2_only);
        else
            f->read(d, e, f);
        return;
    }
    read_unknown(d, e);
}

void dec_map(struct decoding *d, const struct field *fields, size_t n)
{
    struct key_list keys = {NULL, 0, 0};
    bool ended = false;

    d->found = 0;
    while (!d->error && !ended && reader_left(&d->r)) {
        struct entry e = {.key = NULL};
        e.key = dec_var_bytes(d, &e.len);
        ended = e.key && e.len == 0;
        if (!e.key || ended)
            continue;
        note_key(&keys, &e);
        read_entry(d, &e, fields, n);
    }
    check_duplicates(d, &keys);
    free(keys.items);
    map_sort(d->map);
    if (!d->error && !ended)
        dec_fail(d, "Separator is missing at the end of %s %s map: iostream error", strcmp(d->place, "global") == 0 ? "the" : "an",
                 d->place);
}
