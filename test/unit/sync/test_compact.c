/* test_compact.c - compact blocks between nodes and with played peers: both modes, reconstruction, collisions, what is missing or wrong, three peers
 * at a time, serving, relay before validation; and how long the search of a large mempool takes. */
#include "sync/internal.h"
#include "sync/sim.h"

static int setup(void **state)
{
    struct sim *s = xcalloc(1, sizeof(*s));

    time_mock_set(SIM_START);
    sim_add(s, NULL);
    sim_grow(&s->node[0], 110);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    sim_clear(*state);
    free(*state);
    return 0;
}

static void drain(struct sim_node *n, peer_id p)
{
    struct sim_msg *m;
    while ((m = sim_queue_pop(&n->peer[p].out)))
        sim_msg_free(m);
}

/* Spends the coinbase at a height; another value makes another transaction. */
static struct tx *spend(struct sim_node *n, int32_t height, int64_t value)
{
    static const uint8_t padding[] = {0x01, 0x33}; /* no transaction of 64 bytes */
    struct outpoint o = {.n = 0};
    struct block *b;

    assert_int_equal(chain_read_block(n->bed.c, &b, chain_at(n->bed.c, height)), RC_OK);
    o.txid = b->tx[0].txid;
    block_unref(b);
    return make_tx(&o, padding, sizeof(padding), SEQUENCE_FINAL, value, NULL, 0);
}

/* A block on the tip with so many spends; each needs a mature coinbase of its own. */
static struct block *next_block(struct sim_node *n, struct tx **txs, int count, uint32_t salt)
{
    const struct block_entry *prev = chain_tip(n->bed.c);
    struct tx *all[16];
    struct writer w;

    all[0] = make_coinbase(prev->node.height + 1, 5000000000 >> ((prev->node.height + 1) / 150));
    for (int i = 0; i < count; i++)
        all[i + 1] = txs[i];
    w = make_block_bytes(&n->bed.params, &prev->node.hash, prev->node.time + 1 + salt, all, (size_t)count + 1, NULL);
    tx_unref(all[0]);
    return block_decode(w.data, w.len);
}

static void play_cmpct(struct sim *s, struct sim_node *n, peer_id p, const struct block *b)
{
    struct writer w = WRITER_INIT;
    msg_cmpctblock_encode(&w, b, 42);
    play_writer(s, n, p, "cmpctblock", &w);
}

static void play_txs(struct sim *s, struct sim_node *n, peer_id p, const struct block *b, const uint16_t *indexes, size_t count)
{
    struct writer w = WRITER_INIT;
    msg_blocktxn_encode(&w, b, indexes, count);
    play_writer(s, n, p, "blocktxn", &w);
}

static bool asked_whole(struct sim_node *n, peer_id p, const struct block *b)
{
    struct sim_msg *m = played(n, p, "getdata");
    bool yes = m && get_le32(m->data + 1) == INV_WITNESS_BLOCK && memcmp(m->data + 5, b->hash.b, 32) == 0;
    if (m)
        sim_msg_free(m);
    return yes;
}

static size_t asked_txs(struct sim_node *n, peer_id p)
{
    struct sim_msg *m = played(n, p, "getblocktxn");
    struct msg_getblocktxn r;
    const char *problem;
    size_t count;

    if (!m)
        return 0;
    assert_true(msg_getblocktxn_decode(&r, m->data, m->len, &problem));
    count = r.n;
    free(r.indexes);
    sim_msg_free(m);
    return count;
}

/* A played peer that speaks compact blocks and was the first with a block, so that we ask it for more of them unasked. */
static peer_id chosen_peer(struct sim *s, struct sim_node *n, enum connection_type type)
{
    peer_id p = play_peer(s, n, type, 0, true);
    struct block *b = next_block(n, NULL, 0, 0);

    play(s, n, p, "sendcmpct", "\0\2\0\0\0\0\0\0\0", 9);
    drain(n, p);
    play_block(s, n, p, b);
    block_unref(b);
    return p;
}

static bool is_tip(struct sim_node *n, const struct block *b)
{
    return block_hash_equal(&chain_tip(n->bed.c)->node.hash, &b->hash);
}

/* Two nodes: the first block by request, then the giver is asked to send them at once. */
static void both_modes(void **state)
{
    struct sim *s = *state;
    struct sim_node *a = &s->node[0], *b = sim_add(s, NULL);
    struct peer_info *i;

    sim_copy_chain(b, a);
    sim_link(b, a, CONN_OUTBOUND_FULL_RELAY);
    sim_run(s);
    sim_grow(a, 1);
    sim_run(s);
    assert_true(sim_same_tip(a, b));
    assert_int_equal(a->peer[0].blocks_sent, 0); /* in compact form */
    assert_int_equal(sync_peers(b->sync, &i), 1);
    assert_true(i[0].bip152_hb_to);
    free(i);
    assert_int_equal(sync_peers(a->sync, &i), 1);
    assert_true(i[0].bip152_hb_from);
    free(i);
    sim_grow(a, 1);
    sim_run(s);
    assert_true(sim_same_tip(a, b));
    assert_int_equal(a->peer[0].blocks_sent, 0);
}

/* Transactions that are known in any way are not asked for; the others are, and only they. */
static void from_pool_extra_and_peer(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = &s->node[0];
    static const uint16_t missing[] = {2};
    peer_id p = chosen_peer(s, n, CONN_INBOUND);
    struct tx *tx[3];
    struct block *b;

    for (int i = 0; i < 3; i++)
        tx[i] = spend(n, i + 1, 1000 + i);
    sync_tx_added(n->sync, tx[0], 100, 1.0, false);
    sync_tx_added(n->sync, tx[2], 100, 1.0, false);
    sync_tx_removed(n->sync, tx[2], true); /* replaced by another: the miner preferred it */
    b = next_block(n, tx, 3, 0);
    play_cmpct(s, n, p, b);
    assert_int_equal(asked_txs(n, p), 1);
    assert_false(is_tip(n, b));
    play_txs(s, n, p, b, missing, 1);
    assert_true(is_tip(n, b));
    assert_false(n->peer[p].discouraged);
    block_unref(b);
    for (int i = 0; i < 3; i++)
        tx_unref(tx[i]);
}

/* Nothing is missing: the block is taken without another message. */
static void all_known(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = &s->node[0];
    peer_id p = chosen_peer(s, n, CONN_INBOUND);
    struct tx *tx = spend(n, 1, 1000);
    struct block *b = next_block(n, &tx, 1, 0);

    sync_tx_added(n->sync, tx, 100, 1.0, false);
    drain(n, p);
    play_cmpct(s, n, p, b);
    assert_true(is_tip(n, b));
    assert_int_equal(asked_txs(n, p), 0);
    block_unref(b);
    tx_unref(tx);
}

static void not_welcome(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = &s->node[0];
    peer_id p = play_peer(s, n, CONN_INBOUND, 0, true);
    struct tx *tx = spend(n, 1, 1000);
    struct block *b = next_block(n, &tx, 1, 0);

    play_cmpct(s, n, p, b); /* it has not said that it knows them */
    assert_null(chain_lookup(n->bed.c, &b->hash));
    play(s, n, p, "sendcmpct", "\0\2\0\0\0\0\0\0\0", 9);
    drain(n, p);
    play_cmpct(s, n, p, b); /* it was not asked for them: as good as a header */
    assert_non_null(chain_lookup(n->bed.c, &b->hash));
    assert_int_equal(asked_txs(n, p), 0);
    block_unref(b);
    tx_unref(tx);
}

/* Two of the block's short ids are equal: nobody's fault, the whole block is asked for. */
static void equal_short_ids(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = &s->node[0];
    peer_id p = chosen_peer(s, n, CONN_INBOUND);
    struct tx *tx[2] = {spend(n, 1, 1000), spend(n, 2, 1000)};
    struct block *b = next_block(n, tx, 2, 0);
    struct writer w = WRITER_INIT;

    drain(n, p);
    msg_cmpctblock_encode(&w, b, 42);
    memcpy(w.data + 89 + 6, w.data + 89, 6);
    play_writer(s, n, p, "cmpctblock", &w);
    assert_true(asked_whole(n, p, b));
    play_block(s, n, p, b);
    assert_true(is_tip(n, b));
    assert_false(n->peer[p].discouraged);
    block_unref(b);
    tx_unref(tx[0]);
    tx_unref(tx[1]);
}

/* What came is not what the header commits to: the whole block is asked for, once; a second try is not forgiven. */
static void wrong_transactions(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = &s->node[0];
    static const uint16_t all[] = {1};
    peer_id p = chosen_peer(s, n, CONN_INBOUND);
    struct tx *tx = spend(n, 1, 1000), *other = spend(n, 1, 999);
    struct block *b = next_block(n, &tx, 1, 0), *wrong = next_block(n, &other, 1, 0);
    struct writer w = WRITER_INIT;

    play_cmpct(s, n, p, b);
    assert_int_equal(asked_txs(n, p), 1);
    msg_blocktxn_encode(&w, wrong, all, 1);
    memcpy(w.data, b->hash.b, 32);
    play(s, n, p, "blocktxn", w.data, w.len);
    assert_true(asked_whole(n, p, b));
    assert_false(n->peer[p].discouraged);
    play_writer(s, n, p, "blocktxn", &w);
    assert_true(n->peer[p].discouraged);
    assert_false(is_tip(n, b));
    block_unref(b);
    block_unref(wrong);
    tx_unref(tx);
    tx_unref(other);
}

static void wrong_count(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = &s->node[0];
    static const uint16_t two[] = {0, 1};
    peer_id p = chosen_peer(s, n, CONN_INBOUND);
    struct tx *tx = spend(n, 1, 1000);
    struct block *b = next_block(n, &tx, 1, 0);

    play_cmpct(s, n, p, b);
    play_txs(s, n, p, b, two, 2);
    assert_true(n->peer[p].discouraged);
    block_unref(b);
    tx_unref(tx);
}

/* A place beyond the end, and an empty block: invalid by themselves. */
static void invalid_messages(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = &s->node[0];

    for (int kind = 0; kind < 2; kind++) {
        peer_id p = chosen_peer(s, n, CONN_INBOUND);
        struct block *b = next_block(n, NULL, 0, 0);
        struct writer w = WRITER_INIT;
        write_bytes(&w, b->raw, 80);
        write_u64(&w, 42);
        write_compact_size(&w, 0);
        write_compact_size(&w, kind);
        if (kind) {
            write_compact_size(&w, 1);
            tx_write(&w, &b->tx[0], true);
        }
        play_writer(s, n, p, "cmpctblock", &w);
        assert_true(n->peer[p].discouraged);
        block_unref(b);
    }
}

/* Hundreds of kilobytes of prefilled transactions are not unpacked, though nothing is missing: the whole block is asked for, which is prepared
 * elsewhere. */
static void heavy_announcement(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = &s->node[0];
    peer_id p = chosen_peer(s, n, CONN_INBOUND);
    struct tx *small = spend(n, 1, 1000), *big;
    uint8_t *script = xmalloc(CMPCT_MAX_PREFILLED_BYTES);
    struct block *b;
    struct writer w = WRITER_INIT;

    memset(script, 0x6a, CMPCT_MAX_PREFILLED_BYTES);
    big = make_tx(small->in[0].prevout, small->in[0].script, small->in[0].script_len, SEQUENCE_FINAL, 1000, script,
                  CMPCT_MAX_PREFILLED_BYTES);
    b = next_block(n, &big, 1, 0);
    drain(n, p);
    write_bytes(&w, b->raw, 80);
    write_u64(&w, 42);
    write_compact_size(&w, 0);
    write_compact_size(&w, b->n_tx);
    for (uint32_t i = 0; i < b->n_tx; i++) {
        write_compact_size(&w, 0);
        tx_write(&w, &b->tx[i], true);
    }
    play_writer(s, n, p, "cmpctblock", &w);
    assert_false(is_tip(n, b));
    assert_true(asked_whole(n, p, b));
    play_block(s, n, p, b);
    assert_true(is_tip(n, b));
    assert_false(n->peer[p].discouraged);
    free(script);
    block_unref(b);
    tx_unref(small);
    tx_unref(big);
}

/* The first peer does not answer. A second one is asked as well; the last of the three places is for one that we connected to. */
static void three_at_a_time(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = &s->node[0];
    static const uint16_t all[] = {1};
    peer_id in[3] = {chosen_peer(s, n, CONN_INBOUND), chosen_peer(s, n, CONN_INBOUND), 0}, out;
    struct tx *tx = spend(n, 1, 1000);
    struct block *b;

    out = chosen_peer(s, n, CONN_OUTBOUND_FULL_RELAY);
    b = next_block(n, &tx, 1, 0);
    play_cmpct(s, n, in[0], b);
    assert_int_equal(asked_txs(n, in[0]), 1);
    play_cmpct(s, n, in[1], b);
    assert_int_equal(asked_txs(n, in[1]), 1);
    play_cmpct(s, n, out, b);
    assert_int_equal(asked_txs(n, out), 1);
    play_txs(s, n, out, b, all, 1);
    assert_true(is_tip(n, b));
    play_txs(s, n, in[0], b, all, 1); /* late, and harmless */
    assert_false(n->peer[in[0]].discouraged);
    block_unref(b);
    tx_unref(tx);
}

static void last_place_is_outbound(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = &s->node[0];
    peer_id in[3];
    struct tx *tx = spend(n, 1, 1000);
    struct block *b;

    for (int i = 0; i < 3; i++)
        in[i] = chosen_peer(s, n, CONN_INBOUND);
    b = next_block(n, &tx, 1, 0);
    for (int i = 0; i < 3; i++) {
        play_cmpct(s, n, in[i], b);
        assert_int_equal(asked_txs(n, in[i]), i < 2);
    }
    block_unref(b);
    tx_unref(tx);
}

/* An invalid block in compact form is not held against its sender; a header on top of it is. */
static void invalid_block_is_forgiven(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = &s->node[0];
    peer_id p = chosen_peer(s, n, CONN_INBOUND);
    struct tx *tx = spend(n, 109, 1000); /* not mature */
    struct block *b = next_block(n, &tx, 1, 0);

    sync_tx_added(n->sync, tx, 100, 1.0, false);
    play_cmpct(s, n, p, b);
    assert_non_null(chain_lookup(n->bed.c, &b->hash));
    assert_false(is_tip(n, b));
    assert_false(n->peer[p].discouraged);
    play_cmpct(s, n, p, b);
    assert_false(n->peer[p].discouraged);
    block_unref(b);
    tx_unref(tx);
}

static void play_getblocktxn(struct sim *s, struct sim_node *n, peer_id p, int32_t height, uint16_t index)
{
    struct writer w = WRITER_INIT;
    msg_getblocktxn_encode(&w, &chain_at(n->bed.c, height)->node.hash, &index, 1);
    play_writer(s, n, p, "getblocktxn", &w);
}

static void serving(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = &s->node[0];
    peer_id p = play_peer(s, n, CONN_INBOUND, 0, true), q = play_peer(s, n, CONN_INBOUND, 0, true);
    struct msg_cmpctblock c;
    struct sim_msg *m;
    const char *problem;

    for (int32_t depth = 0; depth <= 6; depth++) {
        play_inv(s, n, p, "getdata", INV_CMPCT_BLOCK, chain_at(n->bed.c, 110 - depth)->node.hash.b);
        if (depth > 5) {
            assert_true(played_any(n, p, "block"));
            break;
        }
        m = played(n, p, "cmpctblock");
        assert_non_null(m);
        assert_true(msg_cmpctblock_decode(&c, m->data, m->len, &problem));
        assert_true(block_hash_equal(&c.hash, &chain_at(n->bed.c, 110 - depth)->node.hash));
        msg_cmpctblock_clear(&c);
        sim_msg_free(m);
    }
    play_getblocktxn(s, n, p, 100, 0);
    assert_true(played_any(n, p, "blocktxn"));
    play_getblocktxn(s, n, p, 99, 0);
    assert_true(played_any(n, p, "block"));
    play_getblocktxn(s, n, q, 105, 1);
    assert_true(n->peer[q].discouraged);
    assert_true(n->peer[p].used);
}

/* Who wants compact blocks gets the new one before it is connected; a request for the whole block waits until it is known to be valid, one for
 * its parts does not. */
static void before_validation(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = &s->node[0];
    peer_id p = play_peer(s, n, CONN_INBOUND, 0, true), q = play_peer(s, n, CONN_INBOUND, 0, true);
    struct block *b = next_block(n, NULL, 0, 0);
    const struct block_entry *e;
    struct verdict v;
    struct writer w = WRITER_INIT;
    uint16_t first = 0;

    play(s, n, p, "sendcmpct", "\1\2\0\0\0\0\0\0\0", 9);
    play_inv(s, n, p, "inv", INV_BLOCK, chain_tip(n->bed.c)->node.hash.b); /* it has our tip */
    drain(n, p);
    drain(n, q);
    chain_accept_headers(n->bed.c, &b->header, 1, true, &e, &v);
    sync_block_pow_valid(n->sync, e, b);
    assert_true(played_any(n, p, "cmpctblock"));
    assert_false(played_any(n, q, "cmpctblock"));
    play_inv(s, n, q, "getdata", INV_CMPCT_BLOCK, b->hash.b);
    assert_true(played_any(n, q, "cmpctblock"));
    msg_getblocktxn_encode(&w, &b->hash, &first, 1);
    play_writer(s, n, q, "getblocktxn", &w);
    assert_true(played_any(n, q, "blocktxn"));
    play_inv(s, n, q, "getdata", INV_WITNESS_BLOCK, b->hash.b);
    assert_false(played_any(n, q, "block"));
    sim_give(n, b); /* now it is connected */
    sim_run(s);
    assert_true(played_any(n, q, "block"));
    assert_false(played_any(n, p, "cmpctblock")); /* not twice */
    block_unref(b);
}

/* The search of 100,000 transactions for a block of 4,000, half of which are known. */
static void speed(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = &s->node[0];
    const size_t n_pool = 100000, n_block = 4000;
    struct tx **tx = xcalloc(n_pool, sizeof(struct tx *));
    struct outpoint o = {.n = 1};
    struct msg_cmpctblock m = {.header.bits = 1, .n_short = n_block, .short_ids = xmalloc(n_block * sizeof(uint64_t))};
    struct partial *partial;
    uint16_t *missing = xmalloc(CMPCT_MAX_TXS * sizeof(*missing));
    int64_t start, best = INT64_MAX;

    m.key = (struct cmpct_key){12345, 67890};
    for (size_t i = 0; i < n_pool; i++) {
        put_le32(o.txid.b, (uint32_t)i);
        tx[i] = make_tx(&o, NULL, 0, SEQUENCE_FINAL, (int64_t)i, NULL, 0);
        sync_tx_added(n->sync, tx[i], 1000, 1.0, false);
    }
    for (size_t i = 0; i < n_block; i++)
        m.short_ids[i] = i % 2 ? cmpct_short_id(&m.key, &tx[i * 25]->wtxid) : 1000 + i;
    for (int round = 0; round < 5; round++) {
        start = time_mono_us();
        assert_int_equal(partial_new(&partial, n->sync, &m), FILL_OK);
        if (time_mono_us() - start < best)
            best = time_mono_us() - start;
        assert_int_equal(partial_missing(partial, missing), n_block / 2);
        partial_free(partial);
    }
    print_message("4,000 short ids against 100,000 transactions: %.1f ms\n", (double)best / 1000);
    for (size_t i = 0; i < n_pool; i++) {
        sync_tx_removed(n->sync, tx[i], false);
        tx_unref(tx[i]);
    }
    free(m.short_ids);
    free(missing);
    free(tx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(both_modes, setup, teardown),
        cmocka_unit_test_setup_teardown(from_pool_extra_and_peer, setup, teardown),
        cmocka_unit_test_setup_teardown(all_known, setup, teardown),
        cmocka_unit_test_setup_teardown(not_welcome, setup, teardown),
        cmocka_unit_test_setup_teardown(equal_short_ids, setup, teardown),
        cmocka_unit_test_setup_teardown(wrong_transactions, setup, teardown),
        cmocka_unit_test_setup_teardown(wrong_count, setup, teardown),
        cmocka_unit_test_setup_teardown(invalid_messages, setup, teardown),
        cmocka_unit_test_setup_teardown(heavy_announcement, setup, teardown),
        cmocka_unit_test_setup_teardown(three_at_a_time, setup, teardown),
        cmocka_unit_test_setup_teardown(last_place_is_outbound, setup, teardown),
        cmocka_unit_test_setup_teardown(invalid_block_is_forgiven, setup, teardown),
        cmocka_unit_test_setup_teardown(serving, setup, teardown),
        cmocka_unit_test_setup_teardown(before_validation, setup, teardown),
        cmocka_unit_test_setup_teardown(speed, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
