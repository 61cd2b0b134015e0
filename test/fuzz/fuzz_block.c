/* fuzz_block.c - any bytes as a block: what decodes has parts that add up to its bytes, with and without witnesses, and
 * an outline that says the same. */
#include "primitives/block.h"
#include "primitives/serialize.h"
#include "util/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever the bytes are, the outline must not read beyond them; of a block it knows the same ids and sizes. */
static void check_outline(const struct block *b, const uint8_t *data, size_t size)
{
    struct block_outline o;
    bool read = block_outline_read(&o, data, size);

    ASSERT(!b || read == (b->n_tx && b->tx[0].n_in));
    if (!read)
        return;
    for (uint32_t i = 0; b && i < b->n_tx; i++)
        ASSERT(memcmp(o.txid[i].b, b->tx[i].txid.b, 32) == 0);
    ASSERT(!b || (o.n_tx == b->n_tx && o.raw_len == b->raw_len && o.stripped_len == b->stripped_len));
    block_outline_clear(&o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct block *b = block_decode_copy(data, size);
    struct writer w = WRITER_INIT;
    uint8_t header[BLOCK_HEADER_SIZE];

    check_outline(b, data, size);
    if (!b)
        return 0;
    block_header_encode(header, &b->header);
    write_bytes(&w, header, sizeof(header));
    write_compact_size(&w, b->n_tx);
    for (uint32_t i = 0; i < b->n_tx; i++)
        tx_write(&w, &b->tx[i], true);
    ASSERT(w.len == size && memcmp(w.data, data, size) == 0);
    w.len = 0;
    block_write_stripped(&w, b);
    ASSERT(w.len == b->stripped_len && w.len <= size);
    ASSERT(block_weight(b) >= (int64_t)size && block_weight(b) <= 4 * (int64_t)size);
    block_unref(b);
    writer_clear(&w);
    return 0;
}
