/* fuzz_filter.c - any bytes as a block filter: judging and matching stay inside them, and what holds of every valid filter holds. The first
 * 16 bytes are the key, the next one says how many of the following 4-byte pieces are asked for; the rest is the filter. */
#include "index/blockfilter.h"
#include "util/assert.h"
#include "util/bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The pieces as a set of their own: all of them are found in it. */
static void round_trip(const struct block_hash *key, const struct filter_item *items, size_t n)
{
    struct writer w = WRITER_INIT;

    filter_encode(&w, key, items, n);
    ASSERT(filter_is_valid(w.data, w.len));
    for (size_t i = 0; i < n; i++)
        ASSERT(filter_match(w.data, w.len, key, &items[i], 1));
    ASSERT(filter_match(w.data, w.len, key, items, n) == (n > 0));
    ASSERT(!filter_is_valid(w.data, w.len - 1));
    writer_clear(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader r = reader_make(data, size);
    struct block_hash key = {{0}};
    struct filter_item items[64];
    bool any = false;
    size_t n;

    read_copy(&r, key.b, 16);
    n = read_u8(&r) % 65;
    for (size_t i = 0; i < n; i++)
        items[i] = (struct filter_item){read_bytes(&r, 4), 4};
    if (r.failed)
        return 0;
    round_trip(&key, items, n);
    (void)filter_is_valid(r.pos, reader_left(&r));
    for (size_t i = 0; i < n; i++)
        any |= filter_match(r.pos, reader_left(&r), &key, &items[i], 1);
    ASSERT(filter_match(r.pos, reader_left(&r), &key, items, n) == any);
    return 0;
}
