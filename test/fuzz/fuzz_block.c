/* fuzz_block.c - any bytes as a block: what decodes has parts that add up to its bytes, with and without witnesses. */
#include "primitives/block.h"
#include "primitives/serialize.h"
#include "util/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct block *b = block_decode_copy(data, size);
    struct writer w = WRITER_INIT;
    uint8_t header[BLOCK_HEADER_SIZE];

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
