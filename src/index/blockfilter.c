/* blockfilter.c - encoder, decoder and matcher of BIP158 sets, and what the basic filter is made of. Called by filter_index.c on its thread
 * and by whoever reads filters; any thread. */
#include "index/blockfilter.h"

#include <stdlib.h>

#include "chain/undo.h"
#include "crypto/hash.h"
#include "crypto/sha256.h"
#include "primitives/serialize.h"
#include "script/opcodes.h"
#include "util/assert.h"
#include "util/mem.h"

/* ---- bits, most significant first ---- */

struct bit_writer {
    struct writer *w;
    uint64_t acc; /* the last `n` bits are not yet written */
    unsigned n;
};

/* count: up to 32 */
static void put_bits(struct bit_writer *b, uint64_t bits, unsigned count)
{
    b->acc = b->acc << count | bits;
    for (b->n += count; b->n >= 8; b->n -= 8)
        write_u8(b->w, (uint8_t)(b->acc >> (b->n - 8)));
}

static void put_difference(struct bit_writer *b, uint64_t d)
{
    uint64_t quotient = d >> FILTER_P;

    for (; quotient >= 32; quotient -= 32)
        put_bits(b, UINT32_MAX, 32);
    put_bits(b, ((uint64_t)1 << quotient) - 1, (unsigned)quotient);
    put_bits(b, 0, 1);
    put_bits(b, d & (((uint64_t)1 << FILTER_P) - 1), FILTER_P);
}

struct bit_reader {
    const uint8_t *pos, *end;
    uint64_t acc; /* the first `n` bits are the next ones, zeroes behind */
    unsigned n;
};

static void fill(struct bit_reader *b)
{
    for (; b->n <= 56 && b->pos < b->end; b->n += 8)
        b->acc |= (uint64_t)*b->pos++ << (56 - b->n);
}

static void drop(struct bit_reader *b, unsigned count)
{
    b->acc = count < 64 ? b->acc << count : 0;
    b->n -= count;
}

static bool get_difference(struct bit_reader *b, uint64_t *d)
{
    uint64_t quotient = 0;
    unsigned ones;

    for (;;) {
        fill(b);
        if (!b->n)
            return false;
        ones = ~b->acc ? (unsigned)__builtin_clzll(~b->acc) : 64;
        if (ones < b->n)
            break;
        quotient += b->n;
        drop(b, b->n);
    }
    quotient += ones;
    drop(b, ones + 1);
    fill(b);
    if (b->n < FILTER_P)
        return false;
    *d = quotient << FILTER_P | b->acc >> (64 - FILTER_P);
    drop(b, FILTER_P);
    return true;
}

/* Begins to decode. Out: *n, the number of elements that is claimed. Returns: false if the bytes at hand cannot hold that many. */
static bool open_set(struct bit_reader *b, uint64_t *n, const uint8_t *filter, size_t len)
{
    struct reader r = reader_make(filter, len);

    *n = read_compact_size(&r);
    *b = (struct bit_reader){.pos = r.pos, .end = r.end};
    return !r.failed && *n <= (uint64_t)reader_left(&r) * 8 / (FILTER_P + 1);
}

/* ---- hashes ---- */

static uint64_t item_hash(const struct block_hash *block, const struct filter_item *item)
{
    return siphash(get_le64(block->b), get_le64(block->b + 8), item->data, item->len);
}

/* The upper half of hash * range: maps evenly to [0, range), and keeps the order of hashes. */
static uint64_t to_range(uint64_t hash, uint64_t range)
{
    __extension__ typedef unsigned __int128 u128;

    return (uint64_t)((u128)hash * range >> 64);
}

struct hashed {
    uint64_t hash;
    const struct filter_item *item;
};

static int compare_u64(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

/* By hash; equal items stand side by side even if others share their hash. */
static int compare_hashed(const void *a, const void *b)
{
    const struct hashed *x = a, *y = b;

    if (x->hash != y->hash)
        return compare_u64(x->hash, y->hash);
    if (x->item->len != y->item->len)
        return compare_u64(x->item->len, y->item->len);
    return x->item->len ? memcmp(x->item->data, y->item->data, x->item->len) : 0;
}

void filter_encode(struct writer *w, const struct block_hash *block, const struct filter_item *items, size_t n)
{
    struct hashed *set = xmalloc((n ? n : 1) * sizeof(*set));
    struct bit_writer b = {w, 0, 0};
    uint64_t last = 0;
    size_t unique = 0;

    for (size_t i = 0; i < n; i++)
        set[i] = (struct hashed){item_hash(block, &items[i]), &items[i]};
    qsort(set, n, sizeof(*set), compare_hashed);
    for (size_t i = 0; i < n; i++)
        if (!unique || compare_hashed(&set[unique - 1], &set[i]) != 0)
            set[unique++] = set[i];
    ASSERT(unique <= COMPACT_SIZE_MAX);
    write_compact_size(w, unique);
    for (size_t i = 0; i < unique; i++) {
        uint64_t value = to_range(set[i].hash, (uint64_t)unique * FILTER_M);

        put_difference(&b, value - last);
        last = value;
    }
    if (b.n)
        put_bits(&b, 0, 8 - b.n);
    free(set);
}

bool filter_is_valid(const uint8_t *filter, size_t len)
{
    struct bit_reader b;
    uint64_t n, d;

    if (!open_set(&b, &n, filter, len))
        return false;
    for (uint64_t i = 0; i < n; i++)
        if (!get_difference(&b, &d))
            return false;
    return b.pos == b.end && b.n < 8;
}

static int compare_values(const void *a, const void *b)
{
    return compare_u64(*(const uint64_t *)a, *(const uint64_t *)b);
}

bool filter_match(const uint8_t *filter, size_t len, const struct block_hash *block, const struct filter_item *items, size_t n)
{
    uint64_t count, d, value = 0, *wanted;
    struct bit_reader b;
    bool found = false;
    size_t at = 0;

    if (!n || !open_set(&b, &count, filter, len))
        return false;
    wanted = xmalloc(n * sizeof(*wanted));
    for (size_t i = 0; i < n; i++)
        wanted[i] = to_range(item_hash(block, &items[i]), count * FILTER_M);
    qsort(wanted, n, sizeof(*wanted), compare_values);
    for (uint64_t i = 0; i < count && at < n && !found && get_difference(&b, &d); i++) {
        value += d;
        while (at < n && wanted[at] < value)
            at++;
        found = at < n && wanted[at] == value;
    }
    free(wanted);
    return found;
}

/* ---- the basic filter ---- */

static size_t most_items(const struct block *b, const struct block_undo *undo)
{
    size_t n = 1;

    for (uint32_t i = 0; i < b->n_tx; i++)
        n += b->tx[i].n_out;
    for (uint32_t i = 0; undo && i < undo->n_tx; i++)
        n += undo->tx[i].n;
    return n;
}

void filter_encode_basic(struct writer *w, const struct block *b, const struct block_undo *undo)
{
    struct filter_item *items = xmalloc(most_items(b, undo) * sizeof(*items));
    size_t n = 0;

    for (uint32_t i = 0; i < b->n_tx; i++) {
        for (uint32_t j = 0; j < b->tx[i].n_out; j++) {
            const struct tx_out *out = &b->tx[i].out[j];

            if (out->script_len && out->script[0] != OP_RETURN)
                items[n++] = (struct filter_item){out->script, out->script_len};
        }
    }
    for (uint32_t i = 0; undo && i < undo->n_tx; i++) {
        for (uint32_t j = 0; j < undo->tx[i].n; j++) {
            const struct tx_out *out = &undo->tx[i].coin[j].out;

            if (out->script_len)
                items[n++] = (struct filter_item){out->script, out->script_len};
        }
    }
    filter_encode(w, &b->hash, items, n);
    free(items);
}

void filter_hash(struct hash256 *out, const uint8_t *filter, size_t len)
{
    sha256d(out->b, filter, len);
}

void filter_header(struct hash256 *out, const struct hash256 *hash, const struct hash256 *prev)
{
    uint8_t both[64];

    memcpy(both, hash->b, 32);
    memcpy(both + 32, prev->b, 32);
    sha256d(out->b, both, sizeof(both));
}
