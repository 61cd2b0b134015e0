/* maps.c - the entries of a PSBT's maps: kept sorted as they are written, looked up, added, merged. Called by the rest of the module; pure. */
#include "psbt/maps.h"

#include <stdlib.h>

#include "crypto/hash.h"
#include "primitives/serialize.h"
#include "util/mem.h"

/* ---- order ---- */

static int compare_bytes(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
    int c = memcmp(a, b, a_len < b_len ? a_len : b_len);

    return c ? c : a_len < b_len ? -1 : a_len > b_len;
}

/* Script, then leaf version, which stands behind it. */
static int compare_leaves(const struct psbt_record *a, const struct psbt_record *b)
{
    int c = compare_bytes(a->value, a->value_len - 1, b->value, b->value_len - 1);

    return c ? c : (int)a->value[a->value_len - 1] - (int)b->value[b->value_len - 1];
}

static int compare(const struct psbt_record *a, const struct psbt_record *b)
{
    int c;

    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->kind == PSBT_TAP_LEAF) {
        c = compare_leaves(a, b);
        if (c || a->key_len != b->key_len) /* short control blocks first */
            return c ? c : a->key_len < b->key_len ? -1 : 1;
    }
    return compare_bytes(a->order, a->order_len, b->order, b->order_len);
}

/* The same but for which control block proves a leaf: what makes entries one when maps are merged. */
static int compare_identity(const struct psbt_record *a, const struct psbt_record *b)
{
    return a->kind == PSBT_TAP_LEAF && b->kind == PSBT_TAP_LEAF ? compare_leaves(a, b) : compare(a, b);
}

/* Origin (fingerprint, length and steps of the path), then public key and chain code. */
static void order_xpub(struct psbt *p, struct psbt_record *r)
{
    size_t steps = r->value_len / 4 - 1;
    uint8_t *o = arena_alloc(&p->arena, 8 + 4 * steps + 65);

    memcpy(o, r->value, 4);
    put_be32(o + 4, (uint32_t)steps);
    for (size_t i = 0; i < steps; i++)
        put_be32(o + 8 + 4 * i, get_le32(r->value + 4 + 4 * i));
    memcpy(o + 8 + 4 * steps, r->key + 45, 33);
    memcpy(o + 8 + 4 * steps + 33, r->key + 13, 32);
    r->order = o;
    r->order_len = (uint32_t)(8 + 4 * steps + 65);
}

static void find_order(struct psbt *p, struct psbt_record *r)
{
    uint8_t *o;

    r->order = r->key;
    r->order_len = r->key_len;
    if (r->kind == PSBT_XPUB) {
        order_xpub(p, r);
    } else if (r->kind == PSBT_PARTIAL_SIG) {
        o = arena_alloc(&p->arena, 20);
        hash160(o, r->key, r->key_len);
        r->order = o;
        r->order_len = 20;
    } else if (r->kind == PSBT_PUB_NONCE || r->kind == PSBT_MUSIG_SIG) {
        /* aggregate, leaf hash (zeroes: none), participant */
        o = arena_calloc(&p->arena, 1, 98);
        memcpy(o, r->key + 33, r->key_len - 33);
        memcpy(o + 65, r->key, 33);
        r->order = o;
        r->order_len = 98;
    }
}

/* ---- maps ---- */

static void append_record(struct psbt_map *m, const struct psbt_record *r)
{
    if (m->n == m->cap) {
        m->cap = m->cap ? 2 * m->cap : 4;
        m->items = xrealloc(m->items, m->cap * sizeof(*m->items));
    }
    m->items[m->n++] = *r;
}

void map_append(struct psbt *p, struct psbt_map *m, enum psbt_kind kind, const void *key, size_t key_len, const void *value,
                size_t value_len)
{
    struct psbt_record r = {.kind = (uint8_t)kind, .key_len = (uint32_t)key_len, .value_len = (uint32_t)value_len};

    r.key = arena_copy(&p->arena, key, key_len);
    r.value = arena_copy(&p->arena, value, value_len);
    find_order(p, &r);
    append_record(m, &r);
}

/* Merge sort, as of equal entries the first must stay. */
static void sort_stable(struct psbt_record *items, size_t n)
{
    struct psbt_record *spare = xmalloc((n + 1) * sizeof(*spare));

    for (size_t width = 1; width < n; width *= 2) {
        for (size_t start = 0; start < n; start += 2 * width) {
            size_t mid = start + width < n ? start + width : n, end = start + 2 * width < n ? start + 2 * width : n;
            size_t a = start, b = mid;
            for (size_t i = start; i < end; i++)
                spare[i] = a < mid && (b >= end || compare(&items[a], &items[b]) <= 0) ? items[a++] : items[b++];
        }
        memcpy(items, spare, n * sizeof(*items));
    }
    free(spare);
}

void map_sort(struct psbt_map *m)
{
    size_t kept = 0;

    if (m->n < 2)
        return;
    sort_stable(m->items, m->n);
    for (size_t i = 0; i < m->n; i++) {
        if (kept == 0 || compare(&m->items[kept - 1], &m->items[i]) != 0)
            m->items[kept++] = m->items[i];
    }
    m->n = kept;
}

static const struct psbt_record *search(const struct psbt_record *items, size_t n, const struct psbt_record *r)
{
    size_t low = 0, high = n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int c = compare_identity(&items[mid], r);
        if (c == 0)
            return &items[mid];
        if (c < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

const struct psbt_record *psbt_entries(const struct psbt_map *m, enum psbt_kind kind, size_t *n)
{
    size_t low = 0, high = m->n, end;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (m->items[mid].kind < kind)
            low = mid + 1;
        else
            high = mid;
    }
    for (end = low; end < m->n && m->items[end].kind == kind; end++)
        ;
    *n = end - low;
    return *n ? &m->items[low] : NULL;
}

const struct psbt_record *psbt_entry(const struct psbt_map *m, enum psbt_kind kind)
{
    size_t n;

    return psbt_entries(m, kind, &n);
}

void psbt_put(struct psbt *p, struct psbt_map *m, enum psbt_kind kind, const void *key, size_t key_len, const void *value,
              size_t value_len)
{
    map_append(p, m, kind, key, key_len, value, value_len);
    map_sort(m);
}

void psbt_set(struct psbt *p, struct psbt_map *m, enum psbt_kind kind, const void *value, size_t value_len)
{
    psbt_remove(m, kind);
    psbt_put(p, m, kind, NULL, 0, value, value_len);
}

void psbt_remove(struct psbt_map *m, enum psbt_kind kind)
{
    size_t n;
    const struct psbt_record *first = psbt_entries(m, kind, &n);
    size_t at = first ? (size_t)(first - m->items) : 0;

    if (!first)
        return;
    memmove(m->items + at, m->items + at + n, (m->n - at - n) * sizeof(*m->items));
    m->n -= n;
}

void map_clear(struct psbt_map *m)
{
    free(m->items);
    *m = (struct psbt_map){NULL, 0, 0};
}

/* ---- merging ---- */

/* Entries of src from..to that the first n of m don't have. */
static void merge_range(struct psbt *p, struct psbt_map *m, const struct psbt_record *from, size_t count)
{
    size_t n = m->n;

    for (size_t i = 0; i < count; i++) {
        const struct psbt_record *r = &from[i];
        if (!search(m->items, n, r))
            map_append(p, m, (enum psbt_kind)r->kind, r->key, r->key_len, r->value, r->value_len);
    }
    if (m->n != n)
        map_sort(m);
}

void map_merge(struct psbt *p, struct psbt_map *m, const struct psbt_map *src)
{
    merge_range(p, m, src->items, src->n);
}

void map_merge_kind(struct psbt *p, struct psbt_map *m, const struct psbt_map *src, enum psbt_kind kind)
{
    size_t n;
    const struct psbt_record *first = psbt_entries(src, kind, &n);

    merge_range(p, m, first, n);
}

/* By public key and chain code. */
static int compare_xpubs(const void *a, const void *b)
{
    const struct psbt_record *x = *(const struct psbt_record *const *)a, *y = *(const struct psbt_record *const *)b;

    return memcmp(x->order + x->order_len - 65, y->order + y->order_len - 65, 65);
}

void map_merge_xpubs(struct psbt *p, struct psbt_map *m, const struct psbt_map *src)
{
    size_t n, n_known, added = 0;
    const struct psbt_record *known = psbt_entries(m, PSBT_XPUB, &n_known), *r = psbt_entries(src, PSBT_XPUB, &n), **sorted;
    struct psbt_record *fresh;

    if (!r)
        return;
    sorted = xmalloc((n_known + 1) * sizeof(*sorted));
    fresh = xmalloc(n * sizeof(*fresh));
    for (size_t i = 0; i < n_known; i++)
        sorted[i] = &known[i];
    qsort(sorted, n_known, sizeof(*sorted), compare_xpubs);
    for (size_t i = 0; i < n; i++) {
        const struct psbt_record *key = &r[i];
        if (!n_known || !bsearch(&key, sorted, n_known, sizeof(*sorted), compare_xpubs))
            fresh[added++] = r[i];
    }
    for (size_t i = 0; i < added; i++)
        map_append(p, m, PSBT_XPUB, fresh[i].key, fresh[i].key_len, fresh[i].value, fresh[i].value_len);
    map_sort(m);
    free(fresh);
    free(sorted);
}
