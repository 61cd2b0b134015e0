/* test_filtered.c - Bloom filters (BIP37): the filter itself, and what a peer that sets one is sent. */
#include "consensus/merkle_block.h"
#include "script/script.h"
#include "sync/bloom.h"
#include "sync/sim.h"

/* The payload of filterload. */
static struct writer filter_bytes(size_t len, uint32_t hashes, uint8_t fill, uint8_t flags)
{
    struct writer w = WRITER_INIT;
    write_compact_size(&w, len);
    memset(writer_extend(&w, len), fill, len);
    write_u32(&w, hashes);
    write_u32(&w, 77);
    write_u8(&w, flags);
    return w;
}
static struct bloom filter_make(size_t len, uint32_t hashes, uint8_t flags)
{
    struct writer w = filter_bytes(len, hashes, 0, flags);
    struct bloom f;
    assert_int_equal(bloom_decode(&f, w.data, w.len), BLOOM_OK);
    writer_clear(&w);
    return f;
}

static void the_set(void **state)
{
    struct bloom f = filter_make(1000, 8, 0);
    unsigned wrong = 0;

    (void)state;
    for (uint32_t i = 0; i < 500; i++)
        bloom_insert(&f, &i, sizeof(i));
    for (uint32_t i = 0; i < 500; i++)
        assert_true(bloom_contains(&f, &i, sizeof(i)));
    for (uint32_t i = 500; i < 10500; i++)
        wrong += bloom_contains(&f, &i, sizeof(i));
    assert_in_range(wrong, 1, 60); /* (1 - e^(-8 * 500 / 8000))^8 of 10,000: 6 */
    bloom_clear(&f);
    f = filter_make(0, 8, 0);
    assert_true(bloom_contains(&f, "x", 1)); /* an empty one matches everything, and inserting into it divides by nothing */
    bloom_insert(&f, "x", 1);
    bloom_clear(&f);
}

static void bounds(void **state)
{
    struct writer w = filter_bytes(BLOOM_MAX_BYTES, BLOOM_MAX_HASHES, 1, 0);
    struct bloom f;

    (void)state;
    assert_int_equal(bloom_decode(&f, w.data, w.len), BLOOM_OK);
    bloom_clear(&f);
    assert_int_equal(bloom_decode(&f, w.data, w.len - 1), BLOOM_MALFORMED);
    writer_clear(&w);
    w = filter_bytes(BLOOM_MAX_BYTES + 1, 1, 1, 0);
    assert_int_equal(bloom_decode(&f, w.data, w.len), BLOOM_TOO_LARGE);
    writer_clear(&w);
    w = filter_bytes(1, BLOOM_MAX_HASHES + 1, 1, 0);
    assert_int_equal(bloom_decode(&f, w.data, w.len), BLOOM_TOO_LARGE);
    writer_clear(&w);
}

/* A transaction that spends prevout with the push "sig" and pays to a public key and to a key's hash. */
static struct tx *pay_two(const struct outpoint *prevout, uint8_t salt)
{
    struct tx_builder b;
    uint8_t key[35] = {33, 2, salt}, hash[25] = {OP_DUP, OP_HASH160, 20, 9, salt}, sig[4] = {3, 's', 'i', 'g'};
    struct tx *tx;

    key[34] = OP_CHECKSIG;
    hash[23] = OP_EQUALVERIFY;
    hash[24] = OP_CHECKSIG;
    tx_builder_init(&b, 2, 0);
    tx_builder_add_in(&b, prevout, sig, sizeof(sig), 0xffffffff);
    tx_builder_add_out(&b, 1000, key, sizeof(key));
    tx_builder_add_out(&b, 2000, hash, sizeof(hash));
    tx = tx_build(&b);
    tx_builder_clear(&b);
    return tx;
}

static bool has_output(const struct bloom *f, const struct tx *tx, uint32_t n)
{
    uint8_t bytes[36];
    memcpy(bytes, tx->txid.b, 32);
    put_le32(bytes + 32, n);
    return bloom_contains(f, bytes, sizeof(bytes));
}

static void what_matches(void **state)
{
    struct outpoint in = {.txid = {{0xaa, 1}}, .n = 3}, of;
    struct tx *tx = pay_two(&in, 5), *child;
    uint8_t bytes[36] = {0xaa, 1}, key[33] = {2, 5}, hash[20] = {9, 5};
    struct bloom f;

    (void)state;
    bytes[32] = 3;
    for (int what = 0; what < 6; what++) {
        f = filter_make(500, 10, 0);
        if (what == 0)
            bloom_insert(&f, tx->txid.b, 32);
        else if (what == 1)
            bloom_insert(&f, bytes, 36);
        else if (what == 2)
            bloom_insert(&f, "sig", 3);
        else if (what == 3)
            bloom_insert(&f, key, 33);
        else if (what == 4)
            bloom_insert(&f, hash, 20);
        else
            bloom_insert(&f, tx->wtxid.b, 31);
        assert_int_equal(bloom_match_tx(&f, tx), what != 5);
        assert_false(has_output(&f, tx, 0)); /* flags: nothing is added */
        bloom_clear(&f);
    }
    f = filter_make(500, 10, 1); /* all outputs that match */
    bloom_insert(&f, hash, 20);
    assert_true(bloom_match_tx(&f, tx));
    assert_true(has_output(&f, tx, 1));
    assert_false(has_output(&f, tx, 0));
    of.txid = tx->txid;
    of.n = 1;
    child = pay_two(&of, 6);
    assert_true(bloom_match_tx(&f, child));
    bloom_clear(&f);
    f = filter_make(500, 10, 2); /* public keys only */
    bloom_insert(&f, hash, 20);
    bloom_insert(&f, key, 33);
    assert_true(bloom_match_tx(&f, tx));
    assert_true(has_output(&f, tx, 0));
    assert_false(has_output(&f, tx, 1));
    bloom_clear(&f);
    tx_unref(tx);
    tx_unref(child);
}

/* ---- with a node ---- */

static int setup(void **state)
{
    struct sim *s = xcalloc(1, sizeof(*s));
    time_mock_set(SIM_START);
    sim_add(s, NULL);
    sim_grow(&s->node[0], 5);
    *state = s;
    return 0;
}
static int teardown(void **state)
{
    sim_clear(*state);
    free(*state);
    return 0;
}

static void filtered_block(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = &s->node[0];
    peer_id p = play_peer(s, n, CONN_INBOUND, PERM_BLOOM, true);
    const struct block_entry *e = chain_at(n->bed.c, 3);
    struct writer w, ids = WRITER_INIT;
    struct block_header header;
    struct sim_msg *m;
    struct block *b;
    uint32_t n_tx;

    assert_int_equal(chain_read_block(n->bed.c, &b, e), RC_OK);
    play_inv(s, n, p, "getdata", INV_FILTERED_BLOCK, e->node.hash.b);
    assert_false(played_any(n, p, "merkleblock")); /* no filter: no answer */
    w = filter_bytes(50, 5, 0, 0);
    play_writer(s, n, p, "filterload", &w);
    play_inv(s, n, p, "getdata", INV_FILTERED_BLOCK, e->node.hash.b);
    m = played(n, p, "merkleblock");
    assert_non_null(m);
    assert_int_equal(merkle_block_check(&header, &n_tx, &ids, m->data, m->len), MERKLE_BLOCK_VALID);
    assert_int_equal(ids.len, 0);
    sim_msg_free(m);
    assert_false(played_any(n, p, "tx"));
    write_var_bytes(&w, b->tx[0].txid.b, 32);
    play_writer(s, n, p, "filteradd", &w);
    play_inv(s, n, p, "getdata", INV_FILTERED_BLOCK, e->node.hash.b);
    m = played(n, p, "merkleblock");
    assert_int_equal(merkle_block_check(&header, &n_tx, &ids, m->data, m->len), MERKLE_BLOCK_VALID);
    assert_int_equal(ids.len, 32);
    sim_msg_free(m);
    assert_true(played_any(n, p, "tx"));
    play(s, n, p, "filterclear", NULL, 0);
    play_inv(s, n, p, "getdata", INV_FILTERED_BLOCK, e->node.hash.b);
    assert_false(played_any(n, p, "merkleblock"));
    assert_true(n->peer[p].used);
    writer_clear(&ids);
    block_unref(b);
}

static void filtered_announcements(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = &s->node[0];
    peer_id from = play_peer(s, n, CONN_INBOUND, PERM_NOBAN, false),
            p = play_peer(s, n, CONN_INBOUND, PERM_BLOOM | PERM_NOBAN, false);
    struct outpoint in = {.txid = {{0xaa, 1}}, .n = 3};
    struct tx *wanted = pay_two(&in, 5), *other = pay_two(&in, 6);
    struct writer w = filter_bytes(500, 10, 0, 0);
    struct sim_msg *m;
    struct inv *items;
    size_t k;

    play_writer(s, n, p, "filterload", &w);
    write_var_bytes(&w, wanted->txid.b, 32);
    play_writer(s, n, p, "filteradd", &w);
    play(s, n, from, "tx", other->raw, other->raw_len);
    play(s, n, from, "tx", wanted->raw, wanted->raw_len);
    assert_int_equal(n->n_pool, 2);
    sync_announce_own_tx(n->sync, other);
    sync_announce_own_tx(n->sync, wanted);
    sim_run_seconds(s, 1);
    m = played(n, p, "inv");
    assert_non_null(m);
    assert_true(msg_inv_decode(&items, &k, m->data, m->len));
    assert_int_equal(k, 1);
    assert_memory_equal(items[0].hash, wanted->txid.b, 32);
    free(items);
    sim_msg_free(m);
    assert_false(played_any(n, p, "inv"));
    tx_unref(wanted);
    tx_unref(other);
}

static void misuse(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = &s->node[0];
    uint8_t long_item[524] = {0xfd, 521 & 0xff, 521 >> 8};
    peer_id p = play_peer(s, n, CONN_INBOUND, PERM_BLOOM, true);
    struct writer w = filter_bytes(BLOOM_MAX_BYTES + 1, 5, 0, 0);

    play_writer(s, n, p, "filterload", &w);
    assert_true(n->peer[p].discouraged);
    p = play_peer(s, n, CONN_INBOUND, PERM_BLOOM, true);
    play(s, n, p, "filteradd", "\1x", 2); /* there is none to add to */
    assert_true(n->peer[p].discouraged);
    p = play_peer(s, n, CONN_INBOUND, PERM_BLOOM, true);
    w = filter_bytes(50, 5, 0, 0);
    play_writer(s, n, p, "filterload", &w);
    play(s, n, p, "filterload", "\3x", 2); /* malformed: ignored */
    play(s, n, p, "filteradd", "\3x", 2);
    assert_true(n->peer[p].used);
    play(s, n, p, "filteradd", long_item, sizeof(long_item));
    assert_true(n->peer[p].discouraged);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_set),
        cmocka_unit_test(bounds),
        cmocka_unit_test(what_matches),
        cmocka_unit_test_setup_teardown(filtered_block, setup, teardown),
        cmocka_unit_test_setup_teardown(filtered_announcements, setup, teardown),
        cmocka_unit_test_setup_teardown(misuse, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
