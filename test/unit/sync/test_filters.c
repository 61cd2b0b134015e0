/* test_filters.c - compact block filters for light clients (BIP157): requests, answers in pieces, what is refused. The index is made up: a
 * filter, hash or header is a few bytes that begin with the height. */
#include "sync/sim.h"

static struct {
    struct filter_want *wants;
    size_t n, jobs;
} host;

static void on_read(void *ctx, peer_id peer, struct filter_want *wants_take, size_t n)
{
    (void)ctx;
    (void)peer;
    assert_null(host.wants); /* one at a time */
    host.wants = wants_take;
    host.n = n;
    host.jobs++;
}
static void tune(struct sync_options *o)
{
    o->host.read_filters = on_read;
    o->local_services |= NODE_COMPACT_FILTERS;
}

/* Answers what the node waits for. */
static void answer(struct sim *s, peer_id peer, enum rc rc)
{
    struct filter_want *wants = host.wants;
    size_t n = host.n;
    struct writer w = WRITER_INIT;

    assert_non_null(wants);
    host.wants = NULL;
    for (size_t i = 0; i < n && rc == RC_OK; i++) {
        uint8_t bytes[32] = {(uint8_t)wants[i].entry->node.height, (uint8_t)(wants[i].entry->node.height >> 8),
                             (uint8_t)wants[i].part};
        if (wants[i].part == FILTER_PART_BYTES)
            write_var_bytes(&w, bytes, 5);
        else
            write_bytes(&w, bytes, 32);
    }
    free(wants);
    sync_filters_read(s->node[0].sync, peer, w.data, w.len, rc);
    writer_clear(&w);
    sim_run(s);
}
static void answer_all(struct sim *s, peer_id peer)
{
    while (host.wants)
        answer(s, peer, RC_OK);
}

static int setup(void **state)
{
    struct sim *s = xcalloc(1, sizeof(*s));
    time_mock_set(SIM_START);
    memset(&host, 0, sizeof(host));
    sim_tune = tune;
    sim_add(s, NULL);
    sim_grow(&s->node[0], 70);
    *state = s;
    return 0;
}
static int teardown(void **state)
{
    free(host.wants);
    sim_clear(*state);
    free(*state);
    return 0;
}

static void ask(struct sim *s, peer_id p, const char *type, uint8_t filter, int64_t start, const struct block_hash *stop)
{
    struct writer w = WRITER_INIT;
    write_u8(&w, filter);
    if (start >= 0)
        write_u32(&w, (uint32_t)start);
    write_bytes(&w, stop->b, 32);
    play_writer(s, &s->node[0], p, type, &w);
}
static const struct block_hash *hash_at(struct sim *s, int32_t height)
{
    return &chain_at(s->node[0].bed.c, height)->node.hash;
}

static void filters_come_in_pieces(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = &s->node[0];
    peer_id p = play_peer(s, n, CONN_INBOUND, 0, true);
    struct sim_msg *m;

    sim_queue_clear(&n->peer[p].out);
    ask(s, p, "getcfilters", 0, 1, hash_at(s, 70));
    play(s, n, p, "ping", "12345678", 8);
    assert_true(host.n < 40); /* bounded memory */
    n->peer[p].full = true;
    answer(s, p, RC_OK);
    assert_null(host.wants); /* the peer does not take them: no more is read */
    n->peer[p].full = false;
    sync_peer_writable(n->sync, p);
    answer_all(s, p);
    assert_true(host.jobs > 2);
    for (int32_t h = 1; h <= 70; h++) {
        m = sim_queue_pop(&n->peer[p].out);
        assert_string_equal(m->type, "cfilter");
        assert_int_equal(m->len, 1 + 32 + 1 + 5);
        assert_int_equal(m->data[0], 0);
        assert_memory_equal(m->data + 1, hash_at(s, h)->b, 32);
        assert_int_equal(m->data[33], 5);
        assert_int_equal(m->data[34], h);
        sim_msg_free(m);
    }
    m = sim_queue_pop(&n->peer[p].out); /* what came behind had to wait */
    assert_string_equal(m->type, "pong");
    sim_msg_free(m);
}

static void headers_and_checkpoints(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = &s->node[0];
    peer_id p = play_peer(s, n, CONN_INBOUND, 0, true);
    struct sim_msg *m;

    ask(s, p, "getcfheaders", 0, 5, hash_at(s, 7));
    answer_all(s, p);
    m = played(n, p, "cfheaders");
    assert_int_equal(m->len, 1 + 32 + 32 + 1 + 3 * 32);
    assert_memory_equal(m->data + 1, hash_at(s, 7)->b, 32);
    assert_int_equal(m->data[33], 4); /* the header before the first block */
    assert_int_equal(m->data[35], FILTER_PART_HEADER);
    assert_int_equal(m->data[65], 3);
    assert_int_equal(m->data[66], 5);
    assert_int_equal(m->data[68], FILTER_PART_HASH);
    sim_msg_free(m);
    ask(s, p, "getcfheaders", 0, 0, hash_at(s, 0));
    answer_all(s, p);
    m = played(n, p, "cfheaders");
    assert_int_equal(m->len, 1 + 32 + 32 + 1 + 32);
    for (int i = 33; i < 65; i++)
        assert_int_equal(m->data[i], 0);
    sim_msg_free(m);
    ask(s, p, "getcfcheckpt", 0, -1, hash_at(s, 70));
    answer_all(s, p);
    m = played(n, p, "cfcheckpt");
    assert_int_equal(m->len, 1 + 32 + 1); /* none yet: every thousandth block has one */
    sim_msg_free(m);
    assert_true(n->peer[p].used);
}

static void index_behind(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = &s->node[0];
    peer_id p = play_peer(s, n, CONN_INBOUND, 0, true);

    ask(s, p, "getcfilters", 0, 1, hash_at(s, 70));
    answer(s, p, RC_NOT_FOUND);
    assert_null(host.wants);
    assert_false(played_any(n, p, "cfilter"));
    play(s, n, p, "ping", "12345678", 8);
    assert_true(played_any(n, p, "pong"));
    ask(s, p, "getcfilters", 0, 1, hash_at(s, 70)); /* gone while it is read: nobody is answered */
    sim_drop(n, p);
    answer(s, p, RC_OK);
}

static void refused(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = &s->node[0];
    struct block_hash nowhere = {{1}};

    for (int what = 0; what < 4; what++) {
        peer_id p = play_peer(s, n, CONN_INBOUND, 0, true);
        ask(s, p, "getcfilters", what == 0, what == 1 ? 71 : 0, what == 2 ? &nowhere : hash_at(s, 70));
        if (what == 3) {
            answer_all(s, p);
            play(s, n, p, "getcfheaders", "\0\0", 2); /* malformed: ignored */
            assert_true(n->peer[p].used);
            continue;
        }
        assert_false(n->peer[p].used);
        assert_false(n->peer[p].discouraged);
    }
    assert_true(host.jobs > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(filters_come_in_pieces, setup, teardown),
        cmocka_unit_test_setup_teardown(headers_and_checkpoints, setup, teardown),
        cmocka_unit_test_setup_teardown(index_behind, setup, teardown),
        cmocka_unit_test_setup_teardown(refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
