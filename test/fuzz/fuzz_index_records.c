/* fuzz_index_records.c - any bytes as keys and values of the indexes: the first byte says which; what decodes is encoded to the same bytes. */
#include "index/stats_index.h"
#include "index/tx_index.h"

#include "index/records.h"
#include "util/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every encoding is the only one of its value, so that a row is found under the one key that it has. */
static void same(struct writer *w, const uint8_t *data, size_t size)
{
    ASSERT(w->len == size && (size == 0 || memcmp(w->data, data, size) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct writer w = WRITER_INIT;
    struct spender_row spender;
    struct tx_position at;
    struct coin_stats stats;
    struct tx_row row;
    struct reader r;

    if (size == 0)
        return 0;
    r = reader_make(data + 1, size - 1);
    switch (data[0] % 4) {
    case 0:
        if (tx_row_decode(&row, &r)) {
            tx_row_encode(&w, &row);
            same(&w, data + 1, size - 1);
        }
        break;
    case 1:
        if (spender_row_decode(&spender, &r)) {
            spender_row_encode(&w, &spender);
            same(&w, data + 1, size - 1);
        }
        break;
    case 2:
        if (tx_position_decode(&at, &r) && reader_done(&r)) {
            tx_position_encode(&w, &at);
            same(&w, data + 1, size - 1);
        }
        break;
    default:
        if (coin_stats_decode(&stats, &r)) {
            coin_stats_encode(&w, &stats);
            same(&w, data + 1, size - 1);
        }
    }
    writer_clear(&w);
    return 0;
}
