/* fuzz_tx.c - any bytes as a transaction, in both forms: what decodes writes itself back, its copy and its rebuilt twin are equal. */
#include "primitives/tx.h"
#include "util/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_same(const struct tx *a, const struct tx *b)
{
    ASSERT(a->raw_len == b->raw_len && memcmp(a->raw, b->raw, a->raw_len) == 0);
    ASSERT(txid_equal(&a->txid, &b->txid) && wtxid_equal(&a->wtxid, &b->wtxid));
    ASSERT(a->stripped_len == b->stripped_len && a->has_witness == b->has_witness);
}

static void check_rebuilds(const struct tx *tx)
{
    struct tx_builder b;

    tx_builder_init(&b, tx->version, tx->lock_time);
    for (uint32_t i = 0; i < tx->n_in; i++) {
        tx_builder_add_in(&b, tx->in[i].prevout, tx->in[i].script, tx->in[i].script_len, tx->in[i].sequence);
        tx_builder_set_witness(&b, i, tx->in[i].witness, tx->in[i].witness_count);
    }
    for (uint32_t i = 0; i < tx->n_out; i++)
        tx_builder_add_out(&b, tx->out[i].value, tx->out[i].script, tx->out[i].script_len);
    struct tx *built = tx_build(&b);
    check_same(tx, built);
    tx_unref(built);
    tx_builder_clear(&b);
}

static void check_stripped(const struct tx *tx)
{
    struct writer w = WRITER_INIT;

    tx_write(&w, tx, false);
    ASSERT(w.len == tx->stripped_len && tx->stripped_len <= tx->raw_len);
    struct tx *stripped = tx_decode_as(w.data, w.len, false);
    ASSERT(stripped && txid_equal(&stripped->txid, &tx->txid) && stripped->n_in == tx->n_in && stripped->n_out == tx->n_out);
    tx_unref(stripped);
    writer_clear(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (unsigned witness = 0; witness < 2; witness++) {
        struct tx *tx = tx_decode_as(data, size, witness == 1);
        if (!tx)
            continue;
        ASSERT(tx->raw_len == size && memcmp(tx->raw, data, size) == 0);
        struct tx *copy = tx_clone(tx);
        tx_unref(tx);
        check_rebuilds(copy);
        check_stripped(copy);
        tx_unref(copy);
    }
    return 0;
}
