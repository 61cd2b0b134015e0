/* sim.h - a network in one process: several struct sync over real regtest chains, links that keep order and respect backpressure, a queue in
 * place of the validation thread, a mempool of a few lines, and peers that the test plays itself. Time is mocked. */
#ifndef FARTHING_TEST_SYNC_SIM_H
#define FARTHING_TEST_SYNC_SIM_H

#include "chain/chain_test.h"
#include "net/permissions.h"
#include "primitives/serialize.h"
#include "sync/sync.h"
#include "util/random.h"

#define SIM_NODES 5
#define SIM_PEERS 8
#define SIM_START 1700000000

struct sim_msg {
    struct sim_msg *next;
    char type[13];
    uint8_t *data;
    size_t len;
};
struct sim_queue {
    struct sim_msg *head, **tail;
    size_t n;
};

enum sim_job_kind { SIM_HEADERS, SIM_BLOCK, SIM_TX, SIM_PACKAGE, SIM_READ };
struct sim_job {
    struct sim_job *next;
    enum sim_job_kind kind;
    peer_id peer;
    struct block_header *headers;
    size_t n;
    bool flag; /* min_pow_checked, requested, or decode */
    struct sync_block *block;
    struct tx *tx, *child;
    const struct block_entry *entry;
};

struct sim_node;
/* One end of a link, as its node sees it. */
struct sim_peer {
    bool used, closed, discouraged;
    struct sim_node *other; /* NULL: the test plays this peer */
    peer_id other_id;
    struct sim_queue in;  /* on its way to the node */
    struct sim_queue out; /* sent by the node to a played peer */
    size_t blocks_sent;   /* block messages that the node sent here */
    bool mute_blocks;     /* the link swallows block messages of this node (a staller) */
    bool full;            /* pretend that the send queue is full */
};

struct sim_node {
    struct bed bed;
    struct sync *sync;
    struct sim_peer peer[SIM_PEERS];
    peer_id next;
    struct sim_job *jobs, **jobs_tail;
    size_t n_jobs;
    bool frozen; /* validation does not run */
    bool busy;
    struct tx *pool[64];
    size_t n_pool;
    size_t blocks_submitted;
    bool tip_pending;
};

struct sim {
    struct sim_node node[SIM_NODES];
    unsigned n;
};

static inline void sim_queue_push(struct sim_queue *q, const char *type, const void *data, size_t len)
{
    struct sim_msg *m = (struct sim_msg *)xcalloc(1, sizeof(*m));
    strcpy(m->type, type);
    m->data = (uint8_t *)xmemdup(len ? data : "", len ? len : 1);
    m->len = len;
    if (!q->head)
        q->tail = &q->head;
    *q->tail = m;
    q->tail = &m->next;
    q->n++;
}
static inline struct sim_msg *sim_queue_pop(struct sim_queue *q)
{
    struct sim_msg *m = q->head;
    if (m) {
        q->head = m->next;
        q->n--;
        m->next = NULL;
    }
    return m;
}
static inline void sim_msg_free(struct sim_msg *m)
{
    free(m->data);
    free(m);
}
static inline void sim_queue_clear(struct sim_queue *q)
{
    struct sim_msg *m;
    while ((m = sim_queue_pop(q)))
        sim_msg_free(m);
}

/* ---- the host of a node ---- */
static inline void sim_send(void *ctx, peer_id id, const char *type, const void *payload, size_t len)
{
    struct sim_node *n = (struct sim_node *)ctx;
    struct sim_peer *p = &n->peer[id];
    assert_true(p->used);
    assert_true(len <= 4000000);
    if (p->closed)
        return;
    if (strcmp(type, "block") == 0)
        p->blocks_sent++;
    if (p->mute_blocks && (strcmp(type, "block") == 0 || strcmp(type, "cmpctblock") == 0 || strcmp(type, "blocktxn") == 0))
        return;
    sim_queue_push(p->other ? &p->other->peer[p->other_id].in : &p->out, type, payload, len);
}
static inline void sim_disconnect(void *ctx, peer_id id)
{
    ((struct sim_node *)ctx)->peer[id].closed = true;
}
static inline void sim_discourage(void *ctx, peer_id id)
{
    ((struct sim_node *)ctx)->peer[id].closed = true;
    ((struct sim_node *)ctx)->peer[id].discouraged = true;
}
static inline struct sim_job *sim_job_push(struct sim_node *n, enum sim_job_kind kind, peer_id peer)
{
    struct sim_job *j = (struct sim_job *)xcalloc(1, sizeof(*j));
    j->kind = kind;
    j->peer = peer;
    if (!n->jobs)
        n->jobs_tail = &n->jobs;
    *n->jobs_tail = j;
    n->jobs_tail = &j->next;
    n->n_jobs++;
    return j;
}
static inline void sim_headers(void *ctx, peer_id peer, struct block_header *headers, size_t n, bool checked)
{
    struct sim_job *j = sim_job_push((struct sim_node *)ctx, SIM_HEADERS, peer);
    j->headers = headers;
    j->n = n;
    j->flag = checked;
}
static inline void sim_block(void *ctx, peer_id peer, struct sync_block *b)
{
    struct sim_job *j = sim_job_push((struct sim_node *)ctx, SIM_BLOCK, peer);
    j->block = b;
    j->flag = b->requested;
    ((struct sim_node *)ctx)->blocks_submitted++;
}
static inline void sim_tx(void *ctx, peer_id peer, struct tx *tx)
{
    sim_job_push((struct sim_node *)ctx, SIM_TX, peer)->tx = tx;
}
static inline void sim_package(void *ctx, peer_id peer, struct tx *parent, struct tx *child)
{
    struct sim_job *j = sim_job_push((struct sim_node *)ctx, SIM_PACKAGE, peer);
    j->tx = parent;
    j->child = child;
}
static inline void sim_read(void *ctx, peer_id peer, const struct block_entry *e, bool decode)
{
    struct sim_job *j = sim_job_push((struct sim_node *)ctx, SIM_READ, peer);
    j->entry = e;
    j->flag = decode;
}
static inline bool sim_busy(void *ctx)
{
    return ((struct sim_node *)ctx)->busy;
}
static inline bool sim_full(void *ctx, peer_id id)
{
    return ((struct sim_node *)ctx)->peer[id].full;
}

/* ---- jobs ---- */
static inline void sim_block_done(void *arg, const struct block_hash *hash, bool is_new, const struct verdict *v)
{
    struct {
        struct sim_node *n;
        peer_id peer;
        bool called;
        bool is_new;
        struct block_hash hash;
        struct verdict v;
    } *o = arg;
    o->called = true;
    o->is_new = is_new;
    o->hash = *hash;
    o->v = *v;
}
/* A transaction is fine if its inputs' txids begin with 0xaa or are in the pool; with 0xee it breaks a rule; with 0xbb it pays too little,
 * unless somebody pays for it. */
static inline void sim_accept(struct sim_node *n, struct tx *tx, bool paid_for, struct mempool_result_summary *r)
{
    verdict_init(&r->verdict);
    r->accepted = r->already_there = false;
    for (uint32_t i = 0; i < tx->n_in; i++) {
        bool found = tx->in[i].prevout->txid.b[0] == 0xaa || tx->in[i].prevout->txid.b[0] == 0xbb;
        if (tx->in[i].prevout->txid.b[0] == 0xee) {
            verdict_invalid(&r->verdict, TX_CONSENSUS, "bad-txns-made-up", NULL);
            return;
        }
        if (tx->in[i].prevout->txid.b[0] == 0xbb && !paid_for) {
            verdict_invalid(&r->verdict, TX_RECONSIDERABLE, "min relay fee not met", NULL);
            return;
        }
        for (size_t k = 0; k < n->n_pool; k++)
            found = found || txid_equal(&n->pool[k]->txid, &tx->in[i].prevout->txid);
        if (!found) {
            verdict_invalid(&r->verdict, TX_MISSING_INPUTS, "bad-txns-inputs-missingorspent", NULL);
            return;
        }
    }
    r->accepted = true;
    n->pool[n->n_pool++] = tx_ref(tx);
    sync_tx_added(n->sync, tx, 1000, 1, false);
}
static inline void sim_run_block(struct sim_node *n, struct sim_job *j)
{
    struct {
        struct sim_node *n;
        peer_id peer;
        bool called;
        bool is_new;
        struct block_hash hash;
        struct verdict v;
    } o;
    struct sync_block *b = j->block;
    bool enough;

    memset(&o, 0, sizeof(o));
    sync_block_prepare(n->bed.c, b);
    if (b->outcome == BLOCK_READY && sync_block_precheck(n->bed.c, &n->bed.o.min_chain_work, b, &enough)) {
        chain_process_checked_block(n->bed.c, b->block, &b->pre, b->requested, enough, sim_block_done, &o);
        chain_drain(n->bed.c);
        assert_true(o.called);
        b->is_new = o.is_new;
        b->verdict = o.v;
    }
    sync_block_done(n->sync, j->peer, b);
}
static inline void sim_run_package(struct sim_node *n, struct sim_job *j)
{
    struct package_result_summary p;
    struct mempool_result_summary r;

    memset(&p, 0, sizeof(p));
    sim_accept(n, j->tx, true, &r);
    p.tx[0].outcome = r.accepted ? PACKAGE_TX_ACCEPTED : PACKAGE_TX_REJECTED;
    p.tx[0].verdict = r.verdict;
    sim_accept(n, j->child, false, &r);
    p.tx[1].outcome = r.accepted ? PACKAGE_TX_ACCEPTED : PACKAGE_TX_REJECTED;
    p.tx[1].verdict = r.verdict;
    p.valid = p.tx[0].outcome == PACKAGE_TX_ACCEPTED && r.accepted;
    sync_package_done(n->sync, j->peer, j->tx, j->child, &p);
}
static inline void sim_run_one(struct sim_node *n)
{
    struct sim_job *j = n->jobs;
    struct verdict v;
    const struct block_entry *last = NULL;
    struct mempool_result_summary r;
    uint8_t *raw = NULL;
    size_t len = 0;

    n->jobs = j->next;
    n->n_jobs--;
    verdict_init(&v);
    if (j->kind == SIM_HEADERS) {
        chain_accept_headers(n->bed.c, j->headers, j->n, j->flag, &last, &v);
        sync_headers_done(n->sync, j->peer, last, &v, j->n);
    } else if (j->kind == SIM_BLOCK) {
        sim_run_block(n, j);
    } else if (j->kind == SIM_TX) {
        sim_accept(n, j->tx, false, &r);
        sync_tx_done(n->sync, j->peer, j->tx, &r);
    } else if (j->kind == SIM_PACKAGE) {
        sim_run_package(n, j);
    } else {
        struct block *b = NULL;
        enum rc rc = j->flag ? chain_read_block(n->bed.c, &b, j->entry) : chain_read_raw(n->bed.c, &raw, &len, j->entry);
        sync_block_read(n->sync, j->peer, j->entry, b, raw, len, rc);
        block_unref(b);
        free(raw);
    }
    free(j->headers);
    sync_block_free(j->block);
    tx_unref(j->tx);
    tx_unref(j->child);
    free(j);
}

/* ---- events of the chain ---- */
static inline void sim_connected(void *ctx, const struct block_entry *e, struct block *b)
{
    struct sim_node *n = (struct sim_node *)ctx;
    if (n->sync)
        sync_block_connected(n->sync, e, b);
}
static inline void sim_pow_valid(void *ctx, const struct block_entry *e, struct block *b)
{
    struct sim_node *n = (struct sim_node *)ctx;
    if (n->sync)
        sync_block_pow_valid(n->sync, e, b);
}
static inline void sim_tip(void *ctx, const struct block_entry *tip, const struct block_entry *fork, bool initial)
{
    struct sim_node *n = (struct sim_node *)ctx;
    if (n->sync)
        sync_tip_changed(n->sync, tip, fork, initial);
}
static inline void sim_checked(void *ctx, const struct block_hash *hash, const struct verdict *v)
{
    struct sim_node *n = (struct sim_node *)ctx;
    if (n->sync)
        sync_block_checked(n->sync, hash, v);
}
static inline void sim_header_tip(void *ctx, const struct block_entry *best, bool initial)
{
    struct sim_node *n = (struct sim_node *)ctx;
    (void)initial;
    if (n->sync)
        sync_header_tip(n->sync, best);
}

/* Set by a test: changes the options of nodes made from then on. */
static void (*sim_tune)(struct sync_options *o);

static inline struct sim_node *sim_add(struct sim *s, const struct u256 *min_work)
{
    struct sim_node *n = &s->node[s->n++];
    struct sync_options o;

    memset(n, 0, sizeof(*n));
    bed_init(&n->bed, CHAIN_REGTEST);
    n->bed.o.check_block_index = false;
    n->bed.o.script_threads = 0;
    n->bed.o.dbcache = (size_t)8 << 20;
    if (min_work)
        n->bed.o.min_chain_work = *min_work;
    n->bed.o.events = (struct chain_events){.ctx = n,
                                            .block_connected = sim_connected,
                                            .new_pow_valid_block = sim_pow_valid,
                                            .tip_changed = sim_tip,
                                            .header_tip = sim_header_tip,
                                            .block_checked = sim_checked};
    bed_open(&n->bed);
    memset(&o, 0, sizeof(o));
    o.params = &n->bed.params;
    o.chain = n->bed.c;
    o.host = (struct sync_host){.ctx = n,
                                .send = sim_send,
                                .disconnect = sim_disconnect,
                                .discourage = sim_discourage,
                                .submit_headers = sim_headers,
                                .submit_block = sim_block,
                                .submit_tx = sim_tx,
                                .submit_package = sim_package,
                                .read_block = sim_read,
                                .busy = sim_busy,
                                .send_full = sim_full};
    o.user_agent = "/Test:1/";
    o.local_services = NODE_NETWORK | NODE_WITNESS | NODE_NETWORK_LIMITED;
    o.min_fee_rate = 100;
    o.incremental_fee_rate = 100;
    o.tx_send_rate = 14;
    o.peer_timeout = 60;
    o.min_chain_work = n->bed.o.min_chain_work;
    o.seed = 1234 + s->n;
    if (sim_tune)
        sim_tune(&o);
    o.extra_txs = 100;
    n->sync = sync_new(&o);
    return n;
}

static inline peer_id sim_peer_add(struct sim_node *n, struct sim_node *other, enum connection_type type, uint32_t permissions)
{
    struct peer_facts f = {.type = type, .permissions = permissions};
    peer_id id = n->next++;
    assert_true(id < SIM_PEERS);
    sim_queue_clear(&n->peer[id].in);
    sim_queue_clear(&n->peer[id].out);
    memset(&n->peer[id], 0, sizeof(n->peer[id]));
    n->peer[id].used = true;
    n->peer[id].other = other;
    strcpy(f.addr, "127.0.0.1:1");
    return sync_peer_connected(n->sync, id, &f), id;
}
/* A connects to b. Returns: a's id of the link; b's is b->next - 1. */
static inline peer_id sim_link(struct sim_node *a, struct sim_node *b, enum connection_type type)
{
    peer_id ia = a->next, ib = b->next;
    struct peer_facts f = {.type = CONN_INBOUND};
    memset(&a->peer[ia], 0, sizeof(a->peer[ia]));
    memset(&b->peer[ib], 0, sizeof(b->peer[ib]));
    a->peer[ia] = (struct sim_peer){.used = true, .other = b, .other_id = ib};
    b->peer[ib] = (struct sim_peer){.used = true, .other = a, .other_id = ia};
    a->next++;
    b->next++;
    sync_peer_connected(b->sync, ib, &f);
    f.type = type;
    sync_peer_connected(a->sync, ia, &f);
    return ia;
}

static inline void sim_drop(struct sim_node *n, peer_id id)
{
    struct sim_peer *p = &n->peer[id];
    if (!p->used)
        return;
    p->used = false;
    sync_peer_disconnected(n->sync, id);
    sim_queue_clear(&p->in);
    if (p->other)
        p->other->peer[p->other_id].closed = true;
}

/* One round: each node gets at most one message from each peer, runs one job. Returns: true if anything happened. */
static inline bool sim_step(struct sim *s)
{
    bool active = false;
    for (unsigned i = 0; i < s->n; i++) {
        struct sim_node *n = &s->node[i];
        for (peer_id id = 0; id < n->next; id++) {
            struct sim_peer *p = &n->peer[id];
            struct sim_msg *m;
            struct message msg;
            if (p->used && p->closed) {
                sim_drop(n, id);
                active = true;
            }
            if (!p->used || !p->in.head || !sync_peer_ready(n->sync, id))
                continue;
            m = sim_queue_pop(&p->in);
            memcpy(msg.type, m->type, sizeof(msg.type));
            msg.payload = m->data;
            msg.len = m->len;
            msg.owner = &m->data;
            sync_message(n->sync, id, &msg);
            sim_msg_free(m);
            active = true;
        }
        if (n->jobs && !n->frozen) {
            sim_run_one(n);
            active = true;
        }
    }
    return active;
}
/* Runs until nothing moves, with ticks but no time passing. */
static inline void sim_run(struct sim *s)
{
    unsigned quiet = 0, steps = 0;
    while (quiet < 3) {
        quiet = sim_step(s) ? 0 : quiet + 1;
        if (quiet || ++steps % 16 == 0)
            for (unsigned i = 0; i < s->n; i++)
                sync_tick(s->node[i].sync);
    }
}
/* The same while so many seconds pass. */
static inline void sim_run_seconds(struct sim *s, int seconds)
{
    for (int i = 0; i < seconds; i++) {
        time_mock_set(time_mock_get() + 1);
        sim_run(s);
    }
}

static inline void sim_clear(struct sim *s)
{
    for (unsigned i = 0; i < s->n; i++) {
        struct sim_node *n = &s->node[i];
        for (peer_id id = 0; id < SIM_PEERS; id++) {
            sim_drop(n, id);
            sim_queue_clear(&n->peer[id].in);
            sim_queue_clear(&n->peer[id].out);
        }
        while (n->jobs)
            sim_run_one(n);
        for (size_t k = 0; k < n->n_pool; k++)
            tx_unref(n->pool[k]);
        sync_free(n->sync);
        n->sync = NULL;
        bed_clear(&n->bed);
    }
    time_mock_set(0);
    memset(s, 0, sizeof(*s));
}

/* ---- blocks ---- */
static inline struct block *sim_next_block(struct sim_node *n, const struct block_entry *prev, uint32_t salt)
{
    struct tx *cb = make_coinbase(prev->node.height + 1, 5000000000 >> ((prev->node.height + 1) / 150));
    struct writer w = make_block_bytes(&n->bed.params, &prev->node.hash, prev->node.time + 1 + salt, &cb, 1, NULL);
    tx_unref(cb);
    return block_decode(w.data, w.len);
}
static inline void sim_give(struct sim_node *n, struct block *b)
{
    struct {
        struct sim_node *n;
        peer_id peer;
        bool called;
        bool is_new;
        struct block_hash hash;
        struct verdict v;
    } o;
    memset(&o, 0, sizeof(o));
    chain_process_block(n->bed.c, b, true, true, sim_block_done, &o);
    chain_drain(n->bed.c);
    assert_true(o.called);
    assert_int_equal(o.v.kind, VERDICT_VALID);
}
/* Grows the node's chain by so many blocks; the last ones are as old as the mocked time. */
static inline void sim_grow(struct sim_node *n, int blocks)
{
    for (int i = 0; i < blocks; i++) {
        const struct block_entry *tip = chain_tip(n->bed.c);
        int64_t jump = i == blocks - 1 && time_mock_get() > tip->node.time + 1 ? time_mock_get() - tip->node.time - 1 : 0;
        struct block *b = sim_next_block(n, tip, (uint32_t)jump);
        sim_give(n, b);
        block_unref(b);
    }
}
/* Gives all of a's blocks to b without the network. */
static inline void sim_copy_chain(struct sim_node *b, struct sim_node *a)
{
    for (int32_t h = 1; h <= chain_height(a->bed.c); h++) {
        struct block *blk;
        assert_int_equal(chain_read_block(a->bed.c, &blk, chain_at(a->bed.c, h)), RC_OK);
        sim_give(b, blk);
        block_unref(blk);
    }
}
static inline bool sim_same_tip(struct sim_node *a, struct sim_node *b)
{
    return block_hash_equal(&chain_tip(a->bed.c)->node.hash, &chain_tip(b->bed.c)->node.hash);
}

/* ---- played peers ---- */
static inline void play(struct sim *s, struct sim_node *n, peer_id id, const char *type, const void *data, size_t len)
{
    sim_queue_push(&n->peer[id].in, type, data, len);
    sim_run(s);
}
static inline void play_writer(struct sim *s, struct sim_node *n, peer_id id, const char *type, struct writer *w)
{
    play(s, n, id, type, w->data, w->len);
    writer_clear(w);
}
/* Takes messages that the node sent until one of that type. Returns: NULL if there is none. */
static inline struct sim_msg *played(struct sim_node *n, peer_id id, const char *type)
{
    struct sim_msg *m;
    while ((m = sim_queue_pop(&n->peer[id].out))) {
        if (strcmp(m->type, type) == 0)
            return m;
        sim_msg_free(m);
    }
    return NULL;
}
static inline bool played_any(struct sim_node *n, peer_id id, const char *type)
{
    struct sim_msg *m = played(n, id, type);
    if (!m)
        return false;
    sim_msg_free(m);
    return true;
}
static inline void play_version(struct sim *s, struct sim_node *n, peer_id id, bool wtxid)
{
    struct msg_version v = {
        .version = 70016, .services = NODE_NETWORK | NODE_WITNESS, .time = time_now(), .nonce = 99, .relay = true};
    struct writer w = WRITER_INIT;
    msg_version_encode(&w, &v);
    play_writer(s, n, id, "version", &w);
    if (wtxid)
        play(s, n, id, "wtxidrelay", NULL, 0);
    play(s, n, id, "verack", NULL, 0);
}
/* A played peer that has shaken hands. */
static inline peer_id play_peer(struct sim *s, struct sim_node *n, enum connection_type type, uint32_t permissions, bool wtxid)
{
    peer_id id = sim_peer_add(n, NULL, type, permissions);
    play_version(s, n, id, wtxid);
    assert_true(played_any(n, id, "verack"));
    return id;
}
static inline void play_block(struct sim *s, struct sim_node *n, peer_id id, const struct block *b)
{
    play(s, n, id, "block", b->raw, b->raw_len);
}
static inline void play_inv(struct sim *s, struct sim_node *n, peer_id id, const char *type, uint32_t kind, const uint8_t hash[32])
{
    struct inv i = {.type = kind};
    struct writer w = WRITER_INIT;
    memcpy(i.hash, hash, 32);
    msg_inv_encode(&w, &i, 1);
    play_writer(s, n, id, type, &w);
}

#endif
