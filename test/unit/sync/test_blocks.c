/* test_blocks.c - headers and blocks between nodes: initial download from one and from several peers, the window, stalling, announcements,
 * reorganisation, old clients, low-work chains. */
#include "sync/sim.h"

static int start_time(void **state)
{
    *state = xcalloc(1, sizeof(struct sim));
    time_mock_set(SIM_START);
    return 0;
}

static int end_time(void **state)
{
    sim_clear(*state);
    free(*state);
    return 0;
}

static void initial_download(void **state)
{
    struct sim *s = *state;
    struct sim_node *a = sim_add(s, NULL), *b = sim_add(s, NULL);
    struct peer_info *info;

    sim_grow(a, 300);
    assert_true(chain_initial_download(b->bed.c));
    sim_link(b, a, CONN_MANUAL);
    sim_run(s);
    assert_true(sim_same_tip(a, b));
    assert_false(chain_initial_download(b->bed.c));
    assert_int_equal(b->blocks_submitted, 300);
    assert_int_equal(sync_peers(b->sync, &info), 1);
    assert_true(info[0].handshake_done);
    assert_int_equal(info[0].synced_headers, 300);
    assert_int_equal(info[0].n_inflight, 0);
    free(info);
}

/* A node whose only peers came to it downloads from them. */
static void download_from_inbound(void **state)
{
    struct sim *s = *state;
    struct sim_node *a = sim_add(s, NULL), *b = sim_add(s, NULL);

    sim_grow(a, 40);
    sim_link(a, b, CONN_MANUAL);
    sim_run(s);
    assert_true(sim_same_tip(a, b));
}

static void several_sources(void **state)
{
    struct sim *s = *state;
    struct sim_node *a[3], *b;
    size_t total = 0;

    for (int i = 0; i < 3; i++) {
        a[i] = sim_add(s, NULL);
        if (i == 0)
            sim_grow(a[0], 400);
        else
            sim_copy_chain(a[i], a[0]);
    }
    b = sim_add(s, NULL);
    for (int i = 0; i < 3; i++)
        sim_link(b, a[i], CONN_OUTBOUND_FULL_RELAY);
    /* Let all shake hands and the first one send its headers. */
    for (int guard = 0; !sim_same_tip(a[0], b) && guard < 100000; guard++) {
        struct peer_info *info;
        size_t n = sync_peers(b->sync, &info);
        for (size_t i = 0; i < n; i++)
            assert_true(info[i].n_inflight <= 64);
        free(info);
        sim_step(s);
    }
    sim_run(s);
    assert_true(sim_same_tip(a[0], b));
    for (int i = 0; i < 3; i++)
        total += a[i]->peer[0].blocks_sent;
    assert_int_equal(total, 400); /* none was asked for twice */
}

/* Blocks are only asked of peers that are known to have them; once all have, all serve. */
static void sources_share_the_work(void **state)
{
    struct sim *s = *state;
    struct sim_node *a[3], *b;

    for (int i = 0; i < 3; i++) {
        a[i] = sim_add(s, NULL);
        if (i == 0)
            sim_grow(a[0], 600);
        else
            sim_copy_chain(a[i], a[0]);
    }
    b = sim_add(s, NULL);
    for (int i = 0; i < 3; i++)
        sim_link(b, a[i], CONN_OUTBOUND_FULL_RELAY);
    b->frozen = true; /* headers of the first peer wait, so that the handshakes are done */
    sim_run(s);
    b->frozen = false;
    /* Near the tip headers are asked of all: the best header is as old as the mocked time. */
    sim_run(s);
    assert_true(sim_same_tip(a[0], b));
    for (int i = 0; i < 3; i++)
        assert_true(a[i]->peer[0].blocks_sent > 0);
}

/* One peer holds back its blocks: the window ends 1,024 ahead, the peer is dropped after two seconds, the others finish. */
static void window_and_staller(void **state)
{
    struct sim *s = *state;
    struct sim_node *a[2], *b;
    struct block_entry const *first;
    int32_t highest = 0;

    a[0] = sim_add(s, NULL);
    a[1] = sim_add(s, NULL);
    sim_grow(a[0], 1300);
    sim_copy_chain(a[1], a[0]);
    b = sim_add(s, NULL);
    sim_link(b, a[0], CONN_OUTBOUND_FULL_RELAY);
    a[0]->peer[0].mute_blocks = true;
    sim_run(s);
    assert_int_equal(a[0]->peer[0].blocks_sent, 16);
    sim_link(b, a[1], CONN_OUTBOUND_FULL_RELAY);
    sim_run(s);
    assert_int_equal(chain_height(b->bed.c), 0); /* the first sixteen are missing */
    first = chain_best_header(b->bed.c);
    assert_int_equal(first->node.height, 1300);
    for (int32_t h = 1; h <= 1300; h++) {
        struct entry_facts f;
        chain_facts(b->bed.c, entry_of(header_node_ancestor(&first->node, h)), &f);
        if (f.status & BLOCK_HAVE_DATA)
            highest = h;
    }
    assert_int_equal(highest, 1024);
    assert_true(b->peer[0].used);
    sim_run_seconds(s, 4);
    assert_false(b->peer[0].used);
    assert_true(b->peer[1].used);
    assert_true(sim_same_tip(a[1], b));
}

/* A peer that does not answer a request for one block near the tip is dropped after the block's time. */
static void block_timeout(void **state)
{
    struct sim *s = *state;
    struct sim_node *a = sim_add(s, NULL), *b = sim_add(s, NULL);

    sim_grow(a, 20);
    sim_link(b, a, CONN_OUTBOUND_FULL_RELAY);
    sim_run(s);
    assert_true(sim_same_tip(a, b));
    a->peer[0].mute_blocks = true;
    time_mock_set(time_mock_get() + 30);
    sim_grow(a, 1);
    sim_run(s);
    assert_int_equal(chain_best_header(b->bed.c)->node.height, 21);
    time_mock_set(time_mock_get() + 599);
    sim_run(s);
    assert_true(b->peer[0].used);
    time_mock_set(time_mock_get() + 3);
    sim_run(s);
    assert_false(b->peer[0].used);
}

static void source_leaves(void **state)
{
    struct sim *s = *state;
    struct sim_node *a[2], *b;

    a[0] = sim_add(s, NULL);
    a[1] = sim_add(s, NULL);
    sim_grow(a[0], 200);
    sim_copy_chain(a[1], a[0]);
    b = sim_add(s, NULL);
    sim_link(b, a[0], CONN_OUTBOUND_FULL_RELAY);
    sim_link(b, a[1], CONN_OUTBOUND_FULL_RELAY);
    while (chain_height(b->bed.c) < 30)
        assert_true(sim_step(s));
    sim_drop(b, 0);
    sim_run(s);
    assert_true(sim_same_tip(a[1], b));
}

/* a - b - c: a block of a's reaches c, by headers where the peer asked for that. */
static void announcements(void **state)
{
    struct sim *s = *state;
    struct sim_node *a = sim_add(s, NULL), *b = sim_add(s, NULL), *c = sim_add(s, NULL);
    peer_id old;
    struct sim_msg *m;

    sim_grow(a, 5);
    sim_link(b, a, CONN_MANUAL);
    sim_link(b, c, CONN_MANUAL);
    sim_run(s);
    assert_true(sim_same_tip(a, b) && sim_same_tip(a, c));
    old = play_peer(s, b, CONN_INBOUND, 0, true); /* never sends sendheaders */
    while (played(b, old, "none"))
        ;
    for (int i = 0; i < 4; i++) {
        time_mock_set(time_mock_get() + 1);
        sim_grow(i % 2 ? c : a, 1);
        sim_run(s);
        assert_true(sim_same_tip(a, b) && sim_same_tip(a, c));
        m = played(b, old, "inv");
        assert_non_null(m);
        assert_int_equal(m->len, 37);
        assert_memory_equal(m->data + 5, chain_tip(a->bed.c)->node.hash.b, 32);
        sim_msg_free(m);
    }
    play(s, b, old, "sendheaders", NULL, 0);
    { /* it must know the tip for a header to connect */
        struct msg_locator l = {0};
        struct block_hash at = chain_tip(b->bed.c)->node.hash;
        struct writer w = WRITER_INIT;
        (void)l;
        msg_locator_encode(&w, &at, 1, &(struct block_hash){{0}});
        play_writer(s, b, old, "getheaders", &w);
        assert_true(played_any(b, old, "headers"));
    }
    time_mock_set(time_mock_get() + 1);
    sim_grow(a, 1);
    sim_run(s);
    m = played(b, old, "headers");
    assert_non_null(m);
    assert_int_equal(m->len, 82);
    sim_msg_free(m);
}

static void reorganisation(void **state)
{
    struct sim *s = *state;
    struct sim_node *a = sim_add(s, NULL), *b = sim_add(s, NULL), *c = sim_add(s, NULL);

    sim_grow(a, 10);
    sim_copy_chain(b, a);
    sim_grow(a, 3);
    for (int i = 0; i < 6; i++) { /* another branch, longer */
        struct block *blk = sim_next_block(b, chain_tip(b->bed.c), 7);
        sim_give(b, blk);
        block_unref(blk);
    }
    sim_copy_chain(c, a);
    sim_link(a, b, CONN_MANUAL);
    sim_link(c, a, CONN_MANUAL);
    sim_run(s);
    assert_int_equal(chain_height(a->bed.c), 16);
    assert_true(sim_same_tip(a, b) && sim_same_tip(a, c));
}

/* getblocks and blocks without witness, as clients did before headers. */
static void old_client(void **state)
{
    struct sim *s = *state;
    struct sim_node *a = sim_add(s, NULL);
    struct block_hash at = a->bed.params.genesis_hash, none = {{0}}, last;
    struct writer w = WRITER_INIT;
    struct sim_msg *m;
    struct inv *items;
    struct block *b;
    size_t n, got = 0;
    peer_id p;

    sim_grow(a, 600);
    p = play_peer(s, a, CONN_INBOUND, 0, false);
    msg_locator_encode(&w, &at, 1, &none);
    play_writer(s, a, p, "getblocks", &w);
    while ((m = played(a, p, "inv"))) {
        assert_true(msg_inv_decode(&items, &n, m->data, m->len));
        for (size_t i = 0; i < n; i++, got++) {
            assert_int_equal(items[i].type, INV_BLOCK);
            assert_memory_equal(items[i].hash, chain_at(a->bed.c, (int32_t)got + 1)->node.hash.b, 32);
            memcpy(last.b, items[i].hash, 32);
        }
        free(items);
        sim_msg_free(m);
    }
    assert_int_equal(got, 500);
    /* The last of the batch brings an inv of the tip. */
    play_inv(s, a, p, "getdata", INV_BLOCK, last.b);
    m = played(a, p, "block");
    assert_non_null(m);
    b = block_decode_copy(m->data, m->len);
    assert_non_null(b);
    assert_true(block_hash_equal(&b->hash, &last));
    block_unref(b);
    sim_msg_free(m);
    m = played(a, p, "inv");
    assert_non_null(m);
    assert_memory_equal(m->data + 5, chain_tip(a->bed.c)->node.hash.b, 32);
    sim_msg_free(m);
    /* Unknown blocks are not answered, and what follows is. */
    play_inv(s, a, p, "getdata", INV_WITNESS_BLOCK, (const uint8_t *)"0123456789abcdef0123456789abcdef");
    play(s, a, p, "ping", "12345678", 8);
    assert_false(played_any(a, p, "block"));
}

static struct u256 work_of(int blocks)
{
    return u256_mul_u64(work_from_bits(0x207fffff), (uint64_t)blocks + 1);
}

/* With a minimum of work, a long chain is looked through first and then accepted. */
static void presync_of_a_long_chain(void **state)
{
    struct sim *s = *state;
    struct u256 enough = work_of(4100);
    struct sim_node *a = sim_add(s, NULL), *b = sim_add(s, &enough);
    bool seen = false;

    sim_grow(a, 4300);
    sim_link(b, a, CONN_OUTBOUND_FULL_RELAY);
    while (chain_best_header(b->bed.c)->node.height == 0) {
        struct peer_info *info;
        assert_true(sim_step(s) || sim_step(s));
        if (sync_peers(b->sync, &info))
            seen = seen || info[0].presynced_headers > 0;
        free(info);
    }
    assert_true(seen);
    assert_true(chain_best_header(b->bed.c)->node.height >= 4100);
    sim_run(s);
    assert_true(sim_same_tip(a, b));
}

/* A chain below the minimum leaves no trace, however long. */
static void low_work_chain_is_not_kept(void **state)
{
    struct sim *s = *state;
    struct u256 enough = work_of(5000);
    struct sim_node *a = sim_add(s, NULL), *b = sim_add(s, &enough);

    sim_grow(a, 2300);
    sim_link(b, a, CONN_MANUAL);
    sim_run(s);
    assert_int_equal(chain_best_header(b->bed.c)->node.height, 0);
    assert_null(chain_lookup(b->bed.c, &chain_at(a->bed.c, 1)->node.hash));
    assert_true(b->peer[0].used);
    /* Nor does a block of it, sent unasked. */
    assert_int_equal(b->blocks_submitted, 0);
}

/* A block on another branch is kept without being connected. Somebody who then sends a mutated copy of it has the honest sender's hash to
 * hide behind: only he goes. */
static void mutated_copy_blames_its_sender(void **state)
{
    struct sim *s = *state;
    struct sim_node *a = sim_add(s, NULL);
    struct verdict v;
    struct block *b;
    uint8_t *bytes;
    peer_id honest, hostile;

    sim_grow(a, 3);
    honest = play_peer(s, a, CONN_INBOUND, 0, true);
    hostile = play_peer(s, a, CONN_INBOUND, 0, true);
    b = sim_next_block(a, chain_at(a->bed.c, 2), 7);
    play(s, a, honest, "block", b->raw, b->raw_len);
    assert_int_equal(a->blocks_submitted, 1);
    bytes = xmemdup(b->raw, b->raw_len);
    bytes[b->raw_len - 1] ^= 1; /* the coinbase's lock time: the Merkle root does not fit any more */
    play(s, a, hostile, "block", bytes, b->raw_len);
    assert_int_equal(a->blocks_submitted, 2);
    assert_true(a->peer[honest].used && !a->peer[honest].discouraged);
    assert_true(a->peer[hostile].discouraged);
    /* Nor does the chain's own word about such a copy reach anybody else. */
    verdict_init(&v);
    verdict_invalid(&v, BLOCK_MUTATED, "bad-txnmrklroot", NULL);
    sync_block_checked(a->sync, &b->hash, &v);
    sim_run(s);
    assert_true(a->peer[honest].used && !a->peer[honest].discouraged);
    free(bytes);
    block_unref(b);
}

/* The next block of a, whose header alone is known. */
static struct block *header_first(struct sim_node *a)
{
    struct block *b = sim_next_block(a, chain_tip(a->bed.c), 7);
    const struct block_entry *last;
    struct verdict v;

    verdict_init(&v);
    assert_true(chain_accept_headers(a->bed.c, &b->header, 1, true, &last, &v));
    return b;
}

/* The headers of the chain are asked of one peer at a time, but not for long if that is silent, and no longer if it says that it has none. */
static void peers_without_headers(void **state)
{
    struct sim *s = *state;
    struct sim_node *a = sim_add(s, NULL);
    const uint8_t none = 0;
    peer_id p[4];

    for (int i = 0; i < 4; i++) {
        p[i] = play_peer(s, a, i < 3 ? CONN_OUTBOUND_FULL_RELAY : CONN_INBOUND, 0, true);
        assert_int_equal(played_any(a, p[i], "getheaders"), i == 0);
    }
    sim_run_seconds(s, 2);
    assert_false(played_any(a, p[1], "getheaders"));
    sim_run_seconds(s, 1); /* the first is silent */
    assert_true(played_any(a, p[1], "getheaders"));
    assert_false(played_any(a, p[2], "getheaders"));
    play(s, a, p[0], "headers", &none, 1);
    assert_false(played_any(a, p[2], "getheaders"));
    play(s, a, p[1], "headers", &none, 1);
    assert_true(played_any(a, p[2], "getheaders"));
    sim_drop(a, p[2]); /* nor is one waited for that has left */
    sim_run(s);
    assert_true(played_any(a, p[3], "getheaders"));
}

/* Copies that nobody asked for, cut off behind a good header, do not keep us from asking others for the block. */
static void garbage_behind_a_good_header(void **state)
{
    struct sim *s = *state;
    struct sim_node *a = sim_add(s, NULL);
    struct sim_msg *m;
    struct block *b;
    peer_id honest, hostile;

    sim_grow(a, 3);
    honest = play_peer(s, a, CONN_INBOUND, 0, true);
    hostile = play_peer(s, a, CONN_INBOUND, 0, true);
    b = header_first(a);
    a->frozen = true;
    for (int i = 0; i < 3; i++)
        play(s, a, hostile, "block", b->raw, BLOCK_HEADER_SIZE + 1);
    assert_int_equal(a->n_jobs, 3);
    play_inv(s, a, honest, "inv", INV_BLOCK, b->hash.b);
    m = played(a, honest, "getdata");
    assert_non_null(m);
    assert_memory_equal(m->data + 5, b->hash.b, 32);
    sim_msg_free(m);
    play_block(s, a, honest, b);
    a->frozen = false;
    sim_run(s);
    assert_true(block_hash_equal(&chain_tip(a->bed.c)->node.hash, &b->hash));
    assert_true(a->peer[hostile].used);
    block_unref(b);
}

/* Who answers a request with a block that does not decode is not asked for it again: another peer is. */
static void malformed_answer(void **state)
{
    struct sim *s = *state;
    struct sim_node *a = sim_add(s, NULL);
    struct block *b;
    peer_id honest, hostile;

    sim_grow(a, 3);
    hostile = play_peer(s, a, CONN_INBOUND, 0, true);
    b = header_first(a);
    play_inv(s, a, hostile, "inv", INV_BLOCK, b->hash.b);
    assert_true(played_any(a, hostile, "getdata"));
    honest = play_peer(s, a, CONN_INBOUND, 0, true);
    play_inv(s, a, honest, "inv", INV_BLOCK, b->hash.b);
    assert_false(played_any(a, honest, "getdata"));
    play(s, a, hostile, "block", b->raw, b->raw_len - 1);
    assert_true(a->peer[hostile].used); /* as Bitcoin Core, which forgives it */
    assert_false(played_any(a, hostile, "getdata"));
    assert_false(a->peer[hostile].discouraged);
    assert_true(played_any(a, honest, "getdata"));
    play_block(s, a, honest, b);
    assert_true(block_hash_equal(&chain_tip(a->bed.c)->node.hash, &b->hash));
    block_unref(b);
}

/* More transactions than a block can hold are not even decoded; as many as the bytes cannot hold are only a malformed message. */
static void too_many_transactions(void **state)
{
    static const uint8_t empty[10] = {2};
    struct sim *s = *state;
    struct sim_node *a = sim_add(s, NULL);
    struct block *b;
    peer_id p;

    sim_grow(a, 3);
    b = sim_next_block(a, chain_tip(a->bed.c), 7);
    for (int whole = 0; whole < 2; whole++) {
        struct writer w = WRITER_INIT;
        p = play_peer(s, a, CONN_INBOUND, 0, true);
        write_bytes(&w, b->raw, BLOCK_HEADER_SIZE);
        write_compact_size(&w, 20000);
        for (int i = 0; i < 20000 - !whole; i++)
            write_bytes(&w, empty, sizeof(empty));
        play_writer(s, a, p, "block", &w);
        assert_int_equal(a->peer[p].discouraged, whole);
    }
    assert_int_equal(a->blocks_submitted, 1); /* the malformed one was looked at */
    assert_int_equal(chain_height(a->bed.c), 3);
    block_unref(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(initial_download, start_time, end_time),
        cmocka_unit_test_setup_teardown(download_from_inbound, start_time, end_time),
        cmocka_unit_test_setup_teardown(several_sources, start_time, end_time),
        cmocka_unit_test_setup_teardown(sources_share_the_work, start_time, end_time),
        cmocka_unit_test_setup_teardown(window_and_staller, start_time, end_time),
        cmocka_unit_test_setup_teardown(block_timeout, start_time, end_time),
        cmocka_unit_test_setup_teardown(source_leaves, start_time, end_time),
        cmocka_unit_test_setup_teardown(announcements, start_time, end_time),
        cmocka_unit_test_setup_teardown(reorganisation, start_time, end_time),
        cmocka_unit_test_setup_teardown(old_client, start_time, end_time),
        cmocka_unit_test_setup_teardown(presync_of_a_long_chain, start_time, end_time),
        cmocka_unit_test_setup_teardown(low_work_chain_is_not_kept, start_time, end_time),
        cmocka_unit_test_setup_teardown(mutated_copy_blames_its_sender, start_time, end_time),
        cmocka_unit_test_setup_teardown(peers_without_headers, start_time, end_time),
        cmocka_unit_test_setup_teardown(garbage_behind_a_good_header, start_time, end_time),
        cmocka_unit_test_setup_teardown(malformed_answer, start_time, end_time),
        cmocka_unit_test_setup_teardown(too_many_transactions, start_time, end_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
