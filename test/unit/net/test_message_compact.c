/* test_message_compact.c - codecs of compact blocks: real ones of mainnet and testnet3, round trips, and what is malformed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "net/message_compact.h"
#include "primitives/serialize.h"
#include "vectors.h"

static void real_block(const char *compact, const char *whole, size_t n_short)
{
    size_t len, block_len;
    uint8_t *raw = vectors_read(compact, &len), *bytes = vectors_read(whole, &block_len);
    struct msg_cmpctblock m;
    struct writer w = WRITER_INIT;
    struct block *b;
    const char *problem;

    if (!raw || !bytes) {
        free(raw);
        free(bytes);
        return;
    }
    b = block_decode(bytes, block_len);
    assert_non_null(b);
    assert_true(msg_cmpctblock_decode(&m, raw, len, &problem));
    assert_true(block_hash_equal(&m.hash, &b->hash));
    assert_int_equal(m.n_short, n_short);
    assert_int_equal(m.n_prefilled, 1);
    assert_int_equal(m.wire_len, len);
    assert_int_equal(m.prefilled[0].skip, 0);
    for (uint32_t i = 1; i < b->n_tx; i++)
        assert_true(m.short_ids[i - 1] == cmpct_short_id(&m.key, &b->tx[i].wtxid));
    /* Ours of the same block with the same nonce is the same, but for the coinbase's witness, which version 1 leaves out. */
    msg_cmpctblock_encode(&w, b, m.nonce);
    assert_memory_equal(w.data, raw, 80 + 8 + 1 + n_short * 6);
    assert_true(txid_equal(&m.prefilled[0].tx->txid, &b->tx[0].txid));
    for (size_t cut = 0; cut < len; cut++) {
        struct msg_cmpctblock bad;
        assert_false(msg_cmpctblock_decode(&bad, raw, cut, &problem));
    }
    writer_clear(&w);
    msg_cmpctblock_clear(&m);
    block_unref(b);
    free(raw);
}

static void real_blocks(void **state)
{
    (void)state;
    real_block("net/compact426884.raw", "chain/mainnet/blocks/426884.blk", 408);
    real_block("net/compact898352.raw", "chain/testnet3/blocks/898352.blk", 9);
}

static void requests(void **state)
{
    static const uint16_t want[] = {0, 1, 5, 6, 300, 65535};
    static const uint8_t overflow[] = {2, 0xfd, 0xff, 0xff, 0}; /* 65535, and the one behind it */
    struct block_hash hash = {{7}};
    struct msg_getblocktxn m;
    struct writer w = WRITER_INIT;
    const char *problem;
    (void)state;

    msg_getblocktxn_encode(&w, &hash, want, 6);
    assert_int_equal(w.len, 32 + 1 + 4 + 3 + 3);
    assert_true(msg_getblocktxn_decode(&m, w.data, w.len, &problem));
    assert_true(block_hash_equal(&m.hash, &hash));
    assert_int_equal(m.n, 6);
    assert_memory_equal(m.indexes, want, sizeof(want));
    free(m.indexes);
    for (size_t cut = 0; cut < w.len; cut++)
        assert_false(msg_getblocktxn_decode(&m, w.data, cut, &problem));
    w.len = 32;
    write_bytes(&w, overflow, sizeof(overflow));
    assert_false(msg_getblocktxn_decode(&m, w.data, w.len, &problem));
    assert_string_equal(problem, "differential value overflow");
    writer_clear(&w);
}

static void too_many(void **state)
{
    struct msg_cmpctblock m;
    struct writer w = WRITER_INIT;
    const char *problem;
    (void)state;

    memset(writer_extend(&w, 88), 1, 88);
    write_compact_size(&w, 65536);
    memset(writer_extend(&w, 65536 * 6), 2, 65536 * 6);
    write_compact_size(&w, 0);
    assert_false(msg_cmpctblock_decode(&m, w.data, w.len, &problem));
    assert_string_equal(problem, "indexes overflowed 16 bits");
    w.len = 88;
    write_compact_size(&w, 0x2000000); /* a promise without bytes */
    assert_false(msg_cmpctblock_decode(&m, w.data, w.len, &problem));
    writer_clear(&w);
}

/* A message of one kind of prefilled transactions. */
static struct writer prefilled(size_t n, size_t script_len)
{
    struct writer w = WRITER_INIT;

    memset(writer_extend(&w, 88), 1, 88);
    write_compact_size(&w, 0);
    write_compact_size(&w, n);
    for (size_t i = 0; i < n; i++) {
        write_compact_size(&w, 0);
        write_u32(&w, 2);
        write_compact_size(&w, 1);
        memset(writer_extend(&w, 36), 3, 36);
        write_compact_size(&w, script_len);
        memset(writer_extend(&w, script_len), 4, script_len);
        write_u32(&w, 0);
        write_compact_size(&w, 0);
        write_u32(&w, 0);
    }
    return w;
}

/* What a hostile peer prefills costs little, however much it is; what nodes prefill is read. */
static void bounded_prefilled(void **state)
{
    static const struct {
        size_t n, script_len;
        bool heavy;
    } cases[] = {{1, 0, false},
                 {1, 240000, false},
                 {1, 260000, true},
                 {CMPCT_MAX_PREFILLED, 50, false},
                 {CMPCT_MAX_PREFILLED + 1, 0, true},
                 {65535, 9, true}};
    struct msg_cmpctblock m;
    const char *problem;
    (void)state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct writer w = prefilled(cases[i].n, cases[i].script_len);
        assert_true(msg_cmpctblock_decode(&m, w.data, w.len, &problem));
        assert_int_equal(m.heavy, cases[i].heavy);
        assert_int_equal(m.n_prefilled, cases[i].heavy ? 0 : cases[i].n);
        assert_int_equal(m.wire_len, w.len);
        msg_cmpctblock_clear(&m);
        writer_clear(&w);
    }
    /* More than there are places is malformed before anything of it is read. */
    struct writer w = prefilled(65536, 0);
    assert_false(msg_cmpctblock_decode(&m, w.data, w.len, &problem));
    assert_string_equal(problem, "indexes overflowed 16 bits");
    writer_clear(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_blocks),
        cmocka_unit_test(requests),
        cmocka_unit_test(too_many),
        cmocka_unit_test(bounded_prefilled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
