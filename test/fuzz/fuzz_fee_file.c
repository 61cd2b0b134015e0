/* fuzz_fee_file.c - the fee estimator's files. The first byte chooses one. What is taken must estimate within bounds, go on learning, and come
 * out of another round through the file as it was. */
#include <string.h>

#include "mempool/fees.h"
#include "util/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same_again(const struct fees *f)
{
    struct fees *g = fees_new();
    struct writer a = WRITER_INIT, b = WRITER_INIT;
    const char *why;

    fees_encode(f, &a);
    ASSERT(fees_decode(g, a.data, a.len, &why));
    fees_encode(g, &b);
    ASSERT(a.len == b.len && memcmp(a.data, b.data, a.len) == 0);
    writer_clear(&a);
    writer_clear(&b);
    fees_free(g);
}

static void ask(const struct fees *f)
{
    static const unsigned targets[] = {0, 1, 2, 3, 12, 13, 48, 49, 500, 1008, 1009, UINT32_MAX};

    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        int returned;
        ASSERT(fees_estimate_smart(f, &returned, targets[i], i & 1) >= 0);
        for (int h = FEES_SHORT; h <= FEES_LONG; h++)
            ASSERT(fees_estimate_raw(f, NULL, targets[i], .85, (enum fees_horizon)h) >= 0);
    }
}

static void estimates(const uint8_t *data, size_t size)
{
    struct fees *f = fees_new();
    const char *why = NULL;

    if (!fees_decode(f, data, size, &why)) {
        ASSERT(why);
    } else {
        uint32_t height = size > 8 ? get_le32(data + 4) : 0;
        same_again(f);
        ask(f);
        for (int i = 0; height < INT32_MAX - 10 && i < 3; i++) {
            struct fees_mined tx = {fees_tx_added(f, (int32_t)height, 1000 << 7 * i, true), (int32_t)height, 1000 << 7 * i};
            struct fees_block b = {.height = (int32_t)++height};
            fees_block_connected(f, &b, &tx, 1);
        }
        ask(f);
    }
    fees_free(f);
}

static void window(const uint8_t *data, size_t size)
{
    struct fees *f = fees_new(), *g = fees_new();
    struct header_node tip = {.height = 5};
    struct writer w = WRITER_INIT;
    const struct fees_block *b;
    const char *why = NULL;

    if (fees_window_decode(f, data, size, &tip, &why)) {
        ASSERT(fees_window(f, &b) <= FEES_WINDOW);
        (void)fees_pool_health(f);
        fees_window_encode(f, &w);
        ASSERT(fees_window_decode(g, w.data, w.len, &tip, &why));
        fees_block_connected(f, &(struct fees_block){.height = 6}, NULL, 0);
    } else {
        ASSERT(why);
    }
    writer_clear(&w);
    fees_free(f);
    fees_free(g);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (data[0] & 1)
        window(data + 1, size - 1);
    else
        estimates(data + 1, size - 1);
    return 0;
}
