/* fuzz_compact.c - compact blocks: any bytes as the three messages; and a block of known transactions, some of which are in the pools, announced and
 * answered with damage that the input chooses. Whatever is put together is what the header commits to: never another block. */
#include <stdlib.h>

#include "sync/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TXS 12

/* Transaction i; with twist 1 the same with a witness, with twist 2 another one. */
static struct tx *make(unsigned i, unsigned twist)
{
    static const uint8_t bytes[] = {1, 2, 3};
    struct witness_item item = {bytes, sizeof(bytes)};
    struct outpoint o = {.n = i ? i : OUTPOINT_NULL_N};
    struct tx_builder b;
    struct tx *tx;

    o.txid.b[0] = i ? 7 : 0;
    tx_builder_init(&b, 2, 0);
    tx_builder_add_in(&b, &o, bytes, sizeof(bytes), i);
    tx_builder_add_out(&b, (int64_t)(i + (twist == 2) * 1000), bytes, sizeof(bytes));
    if (twist == 1)
        tx_builder_set_witness(&b, 0, &item, 1);
    tx = tx_build(&b);
    tx_builder_clear(&b);
    return tx;
}

static struct block *make_original(struct tx *const *txs, unsigned n)
{
    struct block_header h = {.version = 4, .bits = 0x207fffff};
    uint8_t hashes[32 * TXS];

    for (unsigned i = 0; i < n; i++)
        memcpy(hashes + 32 * i, txs[i]->txid.b, 32);
    h.merkle_root = merkle_root(hashes, n, NULL);
    return block_assemble(&h, (const struct tx *const *)txs, n);
}

/* The rebuilt block reads back, and has the header's Merkle root and no witness that nothing commits to. */
static void check_rebuilt(const struct sync_block *b, const struct block *original)
{
    struct block *again = block_decode_copy(b->block->raw, b->block->raw_len);

    ASSERT(again && block_hash_equal(&again->hash, &b->hash) && again->n_tx == b->block->n_tx);
    ASSERT(!block_is_mutated(again, true));
    ASSERT(block_weight(again) == block_weight(b->block));
    for (uint32_t i = 0; i < again->n_tx; i++)
        ASSERT(wtxid_equal(&again->tx[i].wtxid, &b->block->tx[i].wtxid));
    if (original && block_hash_equal(&original->hash, &b->hash))
        ASSERT(again->raw_len == original->raw_len && memcmp(again->raw, original->raw, again->raw_len) == 0);
    block_unref(again);
}

/* What sync does with an announcement and the answer to its request. */
static void rebuild(struct sync *s, const struct writer *announcement, const uint8_t *answer, size_t answer_len,
                    const struct block *original)
{
    uint16_t *missing = xmalloc(CMPCT_MAX_TXS * sizeof(*missing));
    struct msg_cmpctblock m;
    struct partial *partial;
    struct sync_block *b;
    const char *problem;

    if (msg_cmpctblock_decode(&m, announcement->data, announcement->len, &problem)) {
        if (partial_new(&partial, s, &m) == FILL_OK) {
            size_t n = partial_missing(partial, missing);
            ASSERT(n <= m.n_short);
            b = partial_take(partial, true);
            ASSERT(partial_spent(partial));
            if (n) {
                b->bytes = xmemdup(answer, answer_len);
                b->len = answer_len;
            }
            sync_block_prepare(NULL, b);
            if (b->outcome == BLOCK_READY)
                check_rebuilt(b, original);
            sync_block_free(b);
            partial_free(partial);
        }
        msg_cmpctblock_clear(&m);
    }
    free(missing);
}

/* Changes a byte, or cuts the message. */
static void damage(struct writer *w, struct reader *r)
{
    for (unsigned n = read_u8(r) % 4; n > 0 && w->len; n--) {
        size_t at = read_u16(r) % w->len;
        w->data[at] ^= read_u8(r);
    }
    if (read_u8(r) > 250)
        w->len = read_u16(r) % (w->len + 1);
}

static void made_block(struct sync *s, struct reader *r)
{
    struct tx *txs[TXS];
    unsigned n = 1 + read_u8(r) % TXS, twists = read_u8(r);
    uint16_t in_pool = read_u16(r), in_extra = read_u16(r), answered = read_u16(r), indexes[TXS];
    struct writer announcement = WRITER_INIT, answer = WRITER_INIT;
    struct block *original;
    size_t n_answered = 0;

    for (unsigned i = 0; i < n; i++) {
        struct tx *pooled = make(i, i < 4 ? twists >> 2 * i & 3 : 0);
        txs[i] = make(i, 0);
        if (in_pool >> i & 1)
            sync_tx_added(s, pooled, 1000, 1.0, false);
        if (in_extra >> i & 1)
            extra_add(s, pooled);
        if (answered >> i & 1)
            indexes[n_answered++] = (uint16_t)i;
        tx_unref(pooled);
    }
    original = make_original(txs, n);
    msg_cmpctblock_encode(&announcement, original, read_u64(r));
    msg_blocktxn_encode(&answer, original, indexes, n_answered);
    damage(&announcement, r);
    damage(&answer, r);
    rebuild(s, &announcement, answer.data, answer.len, original);
    writer_clear(&announcement);
    writer_clear(&answer);
    block_unref(original);
    for (unsigned i = 0; i < n; i++)
        tx_unref(txs[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sync s;
    struct msg_getblocktxn request;
    const char *problem;
    struct reader r;

    if (size < 2)
        return 0;
    memset(&s, 0, sizeof(s));
    rng_init_seed(&s.rng, 1);
    trickle_init(&s);
    s.o.extra_txs = 4;
    if (data[0] & 1) {
        r = reader_make(data + 1, size - 1);
        made_block(&s, &r);
    } else {
        struct writer w = WRITER_INIT;
        write_bytes(&w, data + 1, size - 1);
        rebuild(&s, &w, data + 1, size - 1, NULL);
        if (msg_getblocktxn_decode(&request, data + 1, size - 1, &problem)) {
            for (size_t i = 1; i < request.n; i++)
                ASSERT(request.indexes[i] > request.indexes[i - 1]);
            w.len = 0;
            msg_getblocktxn_encode(&w, &request.hash, request.indexes, request.n);
            ASSERT(w.len <= size - 1 && memcmp(w.data, data + 1, w.len) == 0);
            free(request.indexes);
        }
        writer_clear(&w);
    }
    relay_clear(&s);
    extra_clear(&s);
    return 0;
}
