/* test_block.c - headers and real blocks: ids against Merkle roots and witness commitments, sizes against the vectors' tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "crypto/sha256.h"
#include "primitives/block.h"
#include "primitives/serialize.h"
#include "vectors.h"

/* Root over n leaves, computed in place. */
static void merkle_root(uint8_t root[32], uint8_t *leaves, size_t n)
{
    for (; n > 1; n = (n + 1) / 2) {
        if (n % 2)
            memcpy(leaves + n * 32, leaves + (n - 1) * 32, 32);
        for (size_t i = 0; i < (n + 1) / 2; i++)
            sha256d(leaves + i * 32, leaves + i * 64, 64);
    }
    memcpy(root, leaves, 32);
}

/* The commitment of BIP141 in the last fitting output of the coinbase, NULL if there is none. */
static const uint8_t *commitment(const struct block *b)
{
    const uint8_t *found = NULL;

    for (uint32_t i = 0; i < b->tx[0].n_out; i++) {
        const struct tx_out *o = &b->tx[0].out[i];
        if (o->script_len >= 38 && memcmp(o->script, "\x6a\x24\xaa\x21\xa9\xed", 6) == 0)
            found = o->script + 6;
    }
    return found;
}

/* The outline says the same, and reads no block that is cut short or longer. */
static void expect_outline(const struct block *b)
{
    struct block_outline o;

    assert_true(block_outline_read(&o, b->raw, b->raw_len));
    assert_int_equal(o.n_tx, b->n_tx);
    assert_int_equal(o.stripped_len, b->stripped_len);
    assert_int_equal(o.raw_len, b->raw_len);
    assert_memory_equal(o.coinbase.wtxid.b, b->tx[0].wtxid.b, 32);
    for (uint32_t i = 0; i < b->n_tx; i++)
        assert_memory_equal(o.txid[i].b, b->tx[i].txid.b, 32);
    block_outline_clear(&o);
    for (uint32_t len = 0; len < b->raw_len; len += 1 + b->raw_len / 64)
        assert_false(block_outline_read(&o, b->raw, len));
    assert_false(block_outline_read(&o, b->raw, b->raw_len - 1));
}

/* Roots prove the txids and wtxids of all transactions; the parts written out again are the bytes. */
static void expect_sound(const struct block *b)
{
    uint8_t *leaves = xmalloc((b->n_tx + 1) * (size_t)32), root[64];
    struct writer w = WRITER_INIT;
    bool witness = false;

    for (uint32_t i = 0; i < b->n_tx; i++)
        memcpy(leaves + i * 32, b->tx[i].txid.b, 32);
    merkle_root(root, leaves, b->n_tx);
    assert_memory_equal(root, b->header.merkle_root.b, 32);
    expect_outline(b);

    memset(leaves, 0, 32);
    for (uint32_t i = 1; i < b->n_tx; i++) {
        memcpy(leaves + i * 32, b->tx[i].wtxid.b, 32);
        witness |= b->tx[i].has_witness;
        assert_int_equal(b->tx[i].has_witness, memcmp(b->tx[i].txid.b, b->tx[i].wtxid.b, 32) != 0);
    }
    if (witness) {
        assert_non_null(commitment(b));
        merkle_root(root, leaves, b->n_tx);
        memcpy(root + 32, b->tx[0].in[0].witness[0].data, 32);
        sha256d(root, root, 64);
        assert_memory_equal(root, commitment(b), 32);
    }
    free(leaves);

    uint8_t header[80];
    struct block_hash hash;
    block_header_encode(header, &b->header);
    block_header_hash(&hash, &b->header);
    assert_true(block_hash_equal(&hash, &b->hash));
    write_bytes(&w, header, 80);
    write_compact_size(&w, b->n_tx);
    for (uint32_t i = 0; i < b->n_tx; i++)
        tx_write(&w, &b->tx[i], true);
    assert_int_equal(w.len, b->raw_len);
    assert_memory_equal(w.data, b->raw, w.len);
    w.len = 0;
    block_write_stripped(&w, b);
    assert_int_equal(w.len, b->stripped_len);
    struct block *stripped = block_decode_copy(w.data, w.len);
    assert_non_null(stripped);
    assert_int_equal(stripped->raw_len, stripped->stripped_len);
    for (uint32_t i = 0; i < b->n_tx; i++)
        assert_true(txid_equal(&stripped->tx[i].txid, &b->tx[i].txid));
    block_unref(stripped);
    writer_clear(&w);
}

/* Every field of every transaction, built anew, gives the same ids. */
static void expect_rebuilds(const struct block *b)
{
    for (uint32_t t = 0; t < b->n_tx; t++) {
        const struct tx *tx = &b->tx[t];
        struct tx_builder builder;
        tx_builder_init(&builder, tx->version, tx->lock_time);
        for (uint32_t i = 0; i < tx->n_in; i++) {
            tx_builder_add_in(&builder, tx->in[i].prevout, tx->in[i].script, tx->in[i].script_len, tx->in[i].sequence);
            tx_builder_set_witness(&builder, i, tx->in[i].witness, tx->in[i].witness_count);
        }
        for (uint32_t i = 0; i < tx->n_out; i++)
            tx_builder_add_out(&builder, tx->out[i].value, tx->out[i].script, tx->out[i].script_len);
        struct tx *copy = tx_build(&builder);
        assert_true(wtxid_equal(&copy->wtxid, &tx->wtxid));
        assert_true(txid_equal(&copy->txid, &tx->txid));
        tx_unref(copy);
        tx_builder_clear(&builder);
    }
}

struct row {
    unsigned height, version, txs, inputs, size, weight;
    char hash[65], witness[4];
};

static void check_row(const char *folder, const struct row *row)
{
    char rel[100];
    size_t len, inputs = 0;
    bool witness = false;

    snprintf(rel, sizeof(rel), "chain/%s/blocks/%u.blk", folder, row->height);
    uint8_t *raw = vectors_read(rel, &len);
    struct block *b = block_decode(raw, len);
    assert_non_null(b);
    assert_string_equal(block_hash_hex(&b->hash).s, row->hash);
    assert_int_equal(b->header.version, row->version);
    assert_int_equal(b->n_tx, row->txs);
    assert_int_equal(b->raw_len, row->size);
    assert_int_equal(block_weight(b), row->weight);
    assert_true(tx_is_coinbase(&b->tx[0]));
    for (uint32_t i = 0; i < b->n_tx; i++) {
        inputs += i ? b->tx[i].n_in : 0;
        witness |= b->tx[i].has_witness;
    }
    assert_int_equal(inputs, row->inputs);
    assert_int_equal(witness, strcmp(row->witness, "yes") == 0);
    expect_sound(b);
    expect_rebuilds(b);
    assert_ptr_equal(block_ref(b), b);
    block_unref(b);
    assert_int_equal(b->n_tx, row->txs);
    block_unref(b);
}

/* The tables of the vectors' manifest list every block file. */
static void single_blocks(void **state)
{
    size_t len;
    char *text = (char *)vectors_read("MANIFEST.md", &len), *save = NULL;
    const char *folder = "mainnet";
    unsigned n = 0;
    (void)state;

    for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save)) {
        struct row row;
        if (strncmp(line, "## 11. chain/testnet3", 21) == 0)
            folder = "testnet3";
        if (sscanf(line, "| %u | `%64[0-9a-f]` | %x | %u | %u | %u | %u | %3[a-z] |", &row.height, row.hash, &row.version, &row.txs,
                   &row.inputs, &row.size, &row.weight, row.witness) != 8)
            continue;
        check_row(folder, &row);
        n++;
    }
    assert_true(!text || n == 27);
    free(text);
}

/* Files of records magic, length, block, from genesis on: each block names the one before it. */
static void block_file(const char *rel, unsigned expected)
{
    size_t len;
    uint8_t *data = vectors_read(rel, &len);
    struct reader r = reader_make(data, len);
    struct block_hash prev = {{0}};
    unsigned n = 0;

    for (; data && reader_left(&r) > 0; n++) {
        read_u32(&r);
        uint32_t size = read_u32(&r);
        const uint8_t *raw = read_bytes(&r, size);
        assert_non_null(raw);
        struct block *b = block_decode_copy(raw, size);
        assert_non_null(b);
        assert_true(block_hash_equal(&b->header.prev, &prev));
        prev = b->hash;
        expect_sound(b);
        block_unref(b);
    }
    assert_true(!data || n == expected);
    free(data);
}

static void block_files(void **state)
{
    (void)state;
    block_file("chain/mainnet/blocks-000000-004312.dat", 4313);
    block_file("chain/mainnet-alt/blocks-000000-002016.dat", 2017);
    block_file("chain/signet/blocks-000000-000120.dat", 121);
    block_file("chain/regtest/blocks-000000-000150.dat", 151);
}

static void malformed(void **state)
{
    size_t len;
    uint8_t *raw = vectors_read("chain/testnet3/blocks/924634.blk", &len);
    uint8_t header[81] = {0};
    (void)state;

    /* A header alone is no block; with a zero count it is an empty one. */
    assert_null(block_decode_copy(header, 80));
    struct block *empty = block_decode_copy(header, 81);
    assert_non_null(empty);
    assert_true(empty->n_tx == 0 && empty->stripped_len == 81);
    block_unref(empty);
    header[80] = 1;
    assert_null(block_decode_copy(header, 81));
    assert_null(block_decode(xmalloc(0), 0));
    block_unref(NULL);

    uint8_t claim[85 + 9] = {0};
    claim[80] = 0xfe; /* 2^25 transactions in 9 bytes */
    claim[84] = 0x02;
    assert_null(block_decode_copy(claim, sizeof(claim)));
    if (!raw)
        return;
    for (size_t cut = 0; cut < len; cut++)
        assert_null(block_decode_copy(raw, cut));
    uint8_t *longer = xmalloc(len + 1);
    memcpy(longer, raw, len);
    longer[len] = 0;
    assert_null(block_decode(longer, len + 1));

    /* What peers and submitters send may go on behind the block; it may not end early. */
    longer = xmalloc(len + 2);
    memcpy(longer, raw, len);
    memset(longer + len, 0xff, 2);
    struct block *front = block_decode_front(longer, len + 2);
    assert_non_null(front);
    assert_int_equal(front->raw_len, len);
    assert_memory_equal(front->raw, raw, len);
    block_unref(front);
    assert_null(block_decode_front(memcpy(xmalloc(len), raw, len), len - 1));
    free(raw);
}

static void genesis_header(void **state)
{
    static const char hex[] =
        "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f61"
        "7fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c";
    uint8_t bytes[80], back[80];
    struct block_header h;
    struct block_hash hash;
    (void)state;

    assert_true(hex_decode(bytes, 80, hex));
    block_header_decode(&h, bytes);
    assert_int_equal(h.version, 1);
    assert_true(hash_is_zero(h.prev.b));
    assert_int_equal(h.time, 1231006505);
    assert_int_equal(h.bits, 0x1d00ffff);
    assert_int_equal(h.nonce, 2083236893);
    block_header_encode(back, &h);
    assert_memory_equal(bytes, back, 80);
    block_header_hash(&hash, &h);
    assert_string_equal(block_hash_hex(&hash).s, "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f");
}

static bool within(const struct tx *tx, const void *p, size_t len)
{
    return (const uint8_t *)p >= tx->raw && (const uint8_t *)p + len <= tx->raw + tx->raw_len;
}

/* Whatever a transaction points to is in its own bytes, and says what the one that it was made of says. */
static void expect_own_bytes(const struct tx *tx, const struct tx *from)
{
    assert_memory_equal(tx->raw, from->raw, from->raw_len);
    for (uint32_t i = 0; i < tx->n_in; i++) {
        const struct tx_in *in = &tx->in[i];
        assert_true(within(tx, in->prevout, sizeof(*in->prevout)) && outpoint_equal(in->prevout, from->in[i].prevout));
        assert_true(in->script_len == from->in[i].script_len && (in->script_len == 0 || within(tx, in->script, in->script_len)));
        assert_int_equal(in->witness_count, from->in[i].witness_count);
        for (uint32_t k = 0; k < in->witness_count; k++)
            assert_true(in->witness[k].len == 0 || within(tx, in->witness[k].data, in->witness[k].len));
    }
    for (uint32_t i = 0; i < tx->n_out; i++)
        assert_true(tx->out[i].script_len == 0 || within(tx, tx->out[i].script, tx->out[i].script_len));
}

static struct tx *some_tx(uint8_t id)
{
    const struct outpoint spent[2] = {{{{id, 1}}, id}, {{{id, 2}}, 7}};
    const struct witness_item items[2] = {{(const uint8_t *)"witness", 7}, {NULL, 0}};
    struct tx_builder b;
    struct tx *tx;

    tx_builder_init(&b, 2, id);
    tx_builder_add_in(&b, &spent[0], "script", 6, id);
    tx_builder_set_witness(&b, tx_builder_add_in(&b, &spent[1], NULL, 0, SEQUENCE_FINAL), items, 2);
    tx_builder_add_out(&b, id, "to", 2);
    tx_builder_add_out(&b, 0, NULL, 0);
    tx = tx_build(&b);
    tx_builder_clear(&b);
    expect_own_bytes(tx, tx);
    return tx;
}

/* A block of transactions that go away afterwards, as one that is rebuilt from the pool. */
static void put_together(void **state)
{
    const struct block_header h = {.version = 2, .bits = 0x207fffff};
    struct tx *tx[3], *copy[3];
    struct block *b;

    (void)state;
    for (uint8_t i = 0; i < 3; i++) {
        tx[i] = some_tx(i);
        copy[i] = tx_clone(tx[i]);
        expect_own_bytes(copy[i], tx[i]);
    }
    b = block_assemble(&h, (const struct tx *const *)tx, 3);
    assert_non_null(b);
    for (uint32_t i = 0; i < 3; i++) {
        expect_own_bytes(&b->tx[i], tx[i]);
        tx_unref(tx[i]);
        assert_true(b->tx[i].raw >= b->raw && b->tx[i].raw + b->tx[i].raw_len <= b->raw + b->raw_len);
        expect_own_bytes(&b->tx[i], copy[i]);
        tx_unref(copy[i]);
    }
    block_unref(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(genesis_header), cmocka_unit_test(malformed),   cmocka_unit_test(single_blocks),
        cmocka_unit_test(put_together),   cmocka_unit_test(block_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
