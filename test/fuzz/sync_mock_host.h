/* sync_mock_host.h - for fuzz_sync_messages: the state of a run, a host that only keeps what it is asked for, and its answers. */
#ifndef FARTHING_FUZZ_SYNC_MOCK_HOST_H
#define FARTHING_FUZZ_SYNC_MOCK_HOST_H

#include "sync_world.h"

#define PEERS 6
#define MAX_JOBS 4096

enum job_kind { JOB_HEADERS, JOB_BLOCK, JOB_TX, JOB_PACKAGE, JOB_READ, JOB_FILTERS };
struct job {
    enum job_kind kind;
    peer_id peer;
    struct block_header *headers;
    size_t n;
    struct sync_block *block;
    struct tx *tx, *child;
    const struct block_entry *entry;
    bool decode;
    struct filter_want *wants;
};

struct fuzz_peer {
    bool used, closed, full, heard_version, inbound, no_addr;
    peer_id id;
};

static struct run {
    struct sync *sync;
    struct reader in;
    struct fuzz_peer peer[PEERS];
    peer_id next;
    struct job job[MAX_JOBS];
    size_t first_job, n_jobs;
    bool busy, flag; /* flag: what some callbacks answer */
} run;

static struct fuzz_peer *peer_of(peer_id id)
{
    for (int i = 0; i < PEERS; i++)
        if (run.peer[i].used && run.peer[i].id == id)
            return &run.peer[i];
    return NULL;
}

static bool is_one_of(const char *type, const char *const *list)
{
    for (; *list; list++)
        if (strcmp(type, *list) == 0)
            return true;
    return false;
}

static void host_send(void *ctx, peer_id id, const char *type, const void *payload, size_t len)
{
    static const char *const addr_types[] = {"addr", "addrv2", "getaddr", NULL};
    struct fuzz_peer *p = peer_of(id);
    uint8_t sum = 0;

    (void)ctx;
    ASSERT(p && message_type_known(type));
    ASSERT(len <= 4000000);
    ASSERT(!p->inbound || p->heard_version);
    ASSERT(!p->no_addr || !is_one_of(type, addr_types));
    for (size_t i = 0; i < len; i++) /* all of it is there */
        sum ^= ((const uint8_t *)payload)[i];
    run.flag ^= sum == 0;
}
static void host_disconnect(void *ctx, peer_id id)
{
    struct fuzz_peer *p = peer_of(id);
    (void)ctx;
    ASSERT(p);
    p->closed = true;
}
static struct job *push_job(enum job_kind kind, peer_id peer)
{
    struct job *j;
    ASSERT(run.n_jobs < MAX_JOBS); /* the queue is bounded by what each peer may have waiting */
    j = &run.job[(run.first_job + run.n_jobs++) % MAX_JOBS];
    memset(j, 0, sizeof(*j));
    j->kind = kind;
    j->peer = peer;
    return j;
}
static void host_headers(void *ctx, peer_id peer, struct block_header *headers, size_t n, bool checked)
{
    struct job *j = push_job(JOB_HEADERS, peer);
    (void)ctx;
    (void)checked;
    j->headers = headers;
    j->n = n;
}
static void host_block(void *ctx, peer_id peer, struct sync_block *b)
{
    (void)ctx;
    push_job(JOB_BLOCK, peer)->block = b;
}
static void host_tx(void *ctx, peer_id peer, struct tx *tx)
{
    (void)ctx;
    push_job(JOB_TX, peer)->tx = tx;
}
static void host_package(void *ctx, peer_id peer, struct tx *parent, struct tx *child)
{
    struct job *j = push_job(JOB_PACKAGE, peer);
    (void)ctx;
    j->tx = parent;
    j->child = child;
}
static void host_read(void *ctx, peer_id peer, const struct block_entry *e, bool decode)
{
    struct job *j = push_job(JOB_READ, peer);
    (void)ctx;
    j->entry = e;
    j->decode = decode;
}
static void host_filters(void *ctx, peer_id peer, struct filter_want *wants, size_t n)
{
    struct job *j = push_job(JOB_FILTERS, peer);
    (void)ctx;
    ASSERT(n <= 2001);
    j->wants = wants;
    j->n = n;
}
static bool host_busy(void *ctx)
{
    (void)ctx;
    return run.busy;
}
static bool host_full(void *ctx, peer_id id)
{
    struct fuzz_peer *p = peer_of(id);
    (void)ctx;
    return p && p->full;
}
static void host_private(void *ctx, int connections)
{
    (void)ctx;
    run.flag ^= connections & 1;
}
static void host_heard(void *ctx, peer_id peer, const struct addr_entry *e, size_t n)
{
    (void)ctx;
    (void)peer;
    for (size_t i = 0; i < n; i++)
        ASSERT(e[i].addr.network != NET_UNKNOWN);
}
static size_t host_sample(void *ctx, peer_id peer, bool all, struct addr_entry **out)
{
    size_t n = all ? 1000 : 30;
    (void)ctx;
    (void)peer;
    *out = xcalloc(n, sizeof(**out));
    for (size_t i = 0; i < n; i++) {
        (*out)[i].addr =
            (struct net_addr){.network = i % 7 ? NET_IPV4 : NET_ONION, .ip = {9, (uint8_t)(i >> 8), (uint8_t)i, 1}, .port = 1};
        (*out)[i].time = START;
    }
    return n;
}
static bool host_clean(void *ctx, const struct net_addr *a)
{
    (void)ctx;
    return a->ip[0] != 66;
}
static bool host_reachable(void *ctx, const struct net_addr *a)
{
    (void)ctx;
    return a->network == NET_IPV4;
}
static bool host_own(void *ctx, peer_id peer, struct addr_entry *out)
{
    (void)ctx;
    (void)peer;
    out->addr = (struct net_addr){.network = NET_IPV4, .ip = {42, 42, 42, 42}, .port = 8333};
    return run.flag;
}
static bool host_slot(void *ctx, peer_id peer, bool protect)
{
    (void)ctx;
    (void)peer;
    return protect || run.flag;
}
static bool host_upload(void *ctx, bool historical)
{
    (void)ctx;
    return historical && run.flag;
}

/* ---- answers ---- */

static void fill_verdict(struct verdict *v, uint8_t how)
{
    verdict_init(v);
    if (how % 4 == 1)
        verdict_invalid(v, TX_CONSENSUS, "bad-made-up", NULL);
    else if (how % 4 == 2)
        verdict_invalid(v, BLOCK_MUTATED, "bad-txnmrklroot", NULL);
    else if (how % 4 == 3)
        verdict_invalid(v, BLOCK_MISSING_PREV, "prev-blk-not-found", NULL);
}

static void answer_headers(const struct job *j, uint8_t how)
{
    const struct block_entry *last = NULL;
    struct block_hash hash;
    struct verdict v;

    verdict_init(&v);
    for (size_t i = 0; i < j->n; i++) {
        const struct block_entry *e;
        block_header_hash(&hash, &j->headers[i]);
        e = chain_lookup(world.chain, &hash);
        if (!e) { /* the chain is not to grow: made-up headers are refused */
            verdict_invalid(&v, how & 1 ? BLOCK_INVALID_HEADER : BLOCK_MISSING_PREV, "made-up", NULL);
            break;
        }
        last = e;
    }
    sync_headers_done(run.sync, j->peer, last, &v, j->n);
}

static void answer_tx(const struct job *j, uint8_t how)
{
    struct mempool_result_summary r = {0};

    verdict_init(&r.verdict);
    switch (how % 6) {
    case 0:
        r.accepted = true;
        sync_tx_added(run.sync, j->tx, 1000, 1.0, false);
        break;
    case 1:
        r.already_there = true;
        verdict_invalid(&r.verdict, TX_CONFLICT, "txn-already-in-mempool", NULL);
        break;
    case 2:
        verdict_invalid(&r.verdict, TX_MISSING_INPUTS, "bad-txns-inputs-missingorspent", NULL);
        break;
    case 3:
        verdict_invalid(&r.verdict, TX_RECONSIDERABLE, "min relay fee not met", NULL);
        break;
    case 4:
        verdict_invalid(&r.verdict, TX_WITNESS_MUTATED, "bad-witness-nonstandard", NULL);
        break;
    default:
        verdict_invalid(&r.verdict, TX_CONSENSUS, "bad-made-up", NULL);
    }
    sync_tx_done(run.sync, j->peer, j->tx, &r);
}

static void answer_package(const struct job *j, uint8_t how)
{
    struct package_result_summary r = {0};

    for (int i = 0; i < 2; i++, how /= 4) {
        fill_verdict(&r.tx[i].verdict, how % 2 ? (uint8_t)(how & 3) : 0);
        r.tx[i].outcome = how % 4 == 2 ? PACKAGE_TX_NOT_JUDGED : how % 2 ? PACKAGE_TX_REJECTED : PACKAGE_TX_ACCEPTED;
    }
    r.valid = r.tx[0].outcome == PACKAGE_TX_ACCEPTED && r.tx[1].outcome == PACKAGE_TX_ACCEPTED;
    sync_package_done(run.sync, j->peer, j->tx, j->child, &r);
}

static void answer_block(const struct job *j, uint8_t how)
{
    struct sync_block *b = j->block;

    sync_block_prepare(world.chain, b);
    if (b->outcome == BLOCK_READY) {
        fill_verdict(&b->verdict, how);
        b->is_new = how & 4;
    }
    sync_block_done(run.sync, j->peer, b);
}

static void answer_filters(const struct job *j, uint8_t how)
{
    static const uint8_t bytes[32];
    struct writer w = WRITER_INIT;

    for (size_t i = 0; i < j->n && how % 4; i++) {
        if (j->wants[i].part == FILTER_PART_BYTES)
            write_var_bytes(&w, bytes, how % 32);
        else
            write_bytes(&w, bytes, 32);
    }
    sync_filters_read(run.sync, j->peer, w.data, w.len, how % 4 ? RC_OK : RC_NOT_FOUND);
    writer_clear(&w);
}

static struct block *block_with(const struct block_hash *hash)
{
    for (int i = 0; i < BLOCKS; i++)
        if (block_hash_equal(&world.block[i]->hash, hash))
            return world.block[i];
    return NULL;
}

static void answer_read(const struct job *j, uint8_t how)
{
    struct block *b = how % 8 ? block_with(&j->entry->node.hash) : NULL;

    if (!b)
        sync_block_read(run.sync, j->peer, j->entry, NULL, NULL, 0, RC_IO);
    else if (j->decode)
        sync_block_read(run.sync, j->peer, j->entry, b, NULL, 0, RC_OK);
    else
        sync_block_read(run.sync, j->peer, j->entry, NULL, b->raw, b->raw_len, RC_OK);
}

static void answer_one(uint8_t how)
{
    struct job j = run.job[run.first_job];

    run.first_job = (run.first_job + 1) % MAX_JOBS;
    run.n_jobs--;
    if (j.kind == JOB_HEADERS)
        answer_headers(&j, how);
    else if (j.kind == JOB_BLOCK)
        answer_block(&j, how);
    else if (j.kind == JOB_TX)
        answer_tx(&j, how);
    else if (j.kind == JOB_PACKAGE)
        answer_package(&j, how);
    else if (j.kind == JOB_READ)
        answer_read(&j, how);
    else
        answer_filters(&j, how);
    free(j.headers);
    sync_block_free(j.block);
    tx_unref(j.tx);
    tx_unref(j.child);
    free(j.wants);
}

#endif
