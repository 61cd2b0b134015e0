/* fuzz_sync_messages.c - six peers that send whatever the input says, of all message types, to one node: its protocol (sync) over a small regtest
 * chain, with a made-up host whose jobs are answered when and how the input says. Nothing of the chain is written: it is made once.
 *
 * The input is a list of steps, a byte for what and bytes for how. Messages are either raw bytes or made of things that the node may know
 * (blocks of its chain, headers it lacks the blocks of, transactions), so that the paths behind the checks are reached. Beside memory
 * errors this finds answers before a handshake, unbounded messages and jobs that pile up. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "consensus/check.h"
#include "crypto/hash.h"
#include "crypto/sha256.h"
#include "net/permissions.h"
#include "primitives/serialize.h"
#include "script/cache.h"
#include "sync/sync.h"
#include "util/assert.h"
#include "util/fs.h"
#include "util/mem.h"
#include "util/time.h"

#define PEERS 6
#define KNOWN 40  /* blocks of the chain, genesis included */
#define AHEAD 20  /* headers behind them, whose blocks the node lacks */
#define ORPHANS 2 /* blocks behind those that the node knows nothing of */
#define BLOCKS (KNOWN + AHEAD + ORPHANS)
#define TXS 24
#define MAX_JOBS 4096
#define START 1700000000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const types[] = {
    "version",     "verack",      "sendheaders", "sendcmpct",    "wtxidrelay",   "sendaddrv2",  "feature",    "sendtxrcncl",
    "ping",        "pong",        "addr",        "addrv2",       "getaddr",      "inv",         "getdata",    "notfound",
    "getheaders",  "getblocks",   "headers",     "block",        "tx",           "feefilter",   "mempool",    "filterload",
    "filteradd",   "filterclear", "getcfilters", "getcfheaders", "getcfcheckpt", "getblocktxn", "cmpctblock", "blocktxn",
    "merkleblock", "cfilter",     "cfheaders",   "cfcheckpt",    "alert",        "reject",      "",
};

/* ---- the world: made once ---- */

static struct {
    struct chain_params params;
    struct sig_cache *cache;
    struct chain *chain;
    char *dir;
    struct block *block[BLOCKS];
    struct tx *tx[TXS]; /* every third one spends an output of the one before it */
} world;

static void end_world(void)
{
    for (int i = 0; i < BLOCKS; i++)
        block_unref(world.block[i]);
    for (int i = 0; i < TXS; i++)
        tx_unref(world.tx[i]);
    (void)chain_close(world.chain);
    sig_cache_free(world.cache);
    (void)fs_remove_tree(world.dir);
    free(world.dir);
}

static struct tx *make_tx(const struct outpoint *prevout, const void *script, size_t len, int64_t value, bool witness)
{
    static const struct outpoint null_outpoint = {.n = OUTPOINT_NULL_N};
    static const uint8_t op_true = 0x51;
    struct witness_item item = {&op_true, 1};
    struct tx_builder b;
    struct tx *tx;

    tx_builder_init(&b, 2, 0);
    tx_builder_add_in(&b, prevout ? prevout : &null_outpoint, script, len, 0xffffffff);
    tx_builder_add_out(&b, value, &op_true, 1);
    if (witness)
        tx_builder_set_witness(&b, 0, &item, 1);
    tx = tx_build(&b);
    tx_builder_clear(&b);
    return tx;
}

/* A block with its coinbase and a transaction that spends nothing there is: only blocks that are never connected have one. */
static struct block *make_block(const struct block_hash *prev, uint32_t time, uint8_t height, struct tx *extra)
{
    uint8_t script[3] = {1, height, 0}, hashes[64];
    struct tx *coinbase;
    struct block_header h = {.version = 0x20000000, .time = time, .bits = 0x207fffff, .prev = *prev};
    struct writer w = WRITER_INIT;
    struct block_hash hash;

    if (height <= 16) {
        script[0] = (uint8_t)(0x50 + height);
        script[1] = 0;
    }
    coinbase = make_tx(NULL, script, height <= 16 ? 2 : 3, 5000000000, false);
    memcpy(hashes, coinbase->txid.b, 32);
    if (extra)
        memcpy(hashes + 32, extra->txid.b, 32);
    h.merkle_root = merkle_root(hashes, extra ? 2 : 1, NULL);
    do {
        h.nonce++;
        w.len = 0;
        block_header_encode(writer_extend(&w, BLOCK_HEADER_SIZE), &h);
        block_header_hash(&hash, &h);
    } while (!check_proof_of_work(&world.params, &hash, h.bits));
    write_compact_size(&w, extra ? 2 : 1);
    tx_write(&w, coinbase, true);
    if (extra)
        tx_write(&w, extra, true);
    tx_unref(coinbase);
    return block_decode(w.data, w.len);
}

static void on_judged(void *arg, const struct block_hash *hash, bool is_new, const struct verdict *v)
{
    (void)arg;
    (void)hash;
    (void)is_new;
    ASSERT(v->kind == VERDICT_VALID);
}

static void fill_chain(void)
{
    struct block_header headers[AHEAD];
    const struct block_entry *last;
    struct verdict v;

    ASSERT(chain_read_block(world.chain, &world.block[0], chain_tip(world.chain)) == RC_OK);
    for (int i = 0; i < TXS; i++) {
        struct outpoint o = {.txid = {{0xaa, (uint8_t)i}}, .n = 1};
        if (i % 3 == 1)
            o = (struct outpoint){.txid = world.tx[i - 1]->txid, .n = 0};
        world.tx[i] = make_tx(&o, "\1x", 2, 1000 + i, i & 1);
    }
    for (int i = 1; i < BLOCKS; i++) {
        uint32_t time = i < KNOWN - 1 ? (uint32_t)(START - 100000 + i) : (uint32_t)(START + i);
        world.block[i] = make_block(&world.block[i - 1]->hash, time, (uint8_t)i, i < KNOWN ? NULL : world.tx[i % 8]);
        ASSERT(world.block[i]);
        if (i < KNOWN)
            chain_process_block(world.chain, world.block[i], true, true, on_judged, NULL);
        else if (i < KNOWN + AHEAD)
            headers[i - KNOWN] = world.block[i]->header;
    }
    chain_drain(world.chain);
    verdict_init(&v);
    ASSERT(chain_accept_headers(world.chain, headers, AHEAD, true, &last, &v));
    ASSERT(chain_height(world.chain) == KNOWN - 1);
}

static void make_world(void)
{
    const char *tmp = getenv("TMPDIR");
    char *blocks, *index, *coins, *error = NULL;
    struct chain_options o = {.params = &world.params, .dbcache = (size_t)4 << 20, .max_tip_age = 24 * 3600};

    time_mock_set(START);
    world.dir = xasprintf("%s/farthing-fuzz-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    ASSERT(mkdtemp(world.dir));
    blocks = fs_join(world.dir, "blocks");
    index = fs_join(blocks, "index");
    coins = fs_join(world.dir, "chainstate");
    ASSERT(fs_mkdirs(blocks) == RC_OK);
    chain_params_init(&world.params, CHAIN_REGTEST);
    world.cache = sig_cache_new((size_t)1 << 16);
    o.sig_cache = world.cache;
    o.blocks_dir = blocks;
    o.block_index_dir = index;
    o.chainstate_dir = coins;
    ASSERT(chain_open(&world.chain, &o, &error) == RC_OK);
    fill_chain();
    free(blocks);
    free(index);
    free(coins);
    atexit(end_world);
}

/* ---- one run ---- */

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
        sync_tx_added(run.sync, j->tx, 1000, false);
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

/* ---- messages ---- */

static uint8_t next(void)
{
    return reader_left(&run.in) ? read_u8(&run.in) : 0;
}
static const struct block *some_block(void)
{
    return world.block[next() % BLOCKS];
}
static const struct tx *some_tx(void)
{
    return world.tx[next() % TXS];
}

static void give(int i, const char *type, const void *payload, size_t len)
{
    struct fuzz_peer *p = &run.peer[i];
    struct message m = {.payload = payload, .len = len};
    uint8_t *exact;

    if (!p->used || p->closed || !sync_peer_ready(run.sync, p->id))
        return;
    snprintf(m.type, sizeof(m.type), "%s", type);
    exact = xmalloc(len ? len : 1); /* an allocation of its own shows a read past its end */
    if (len)
        memcpy(exact, payload, len);
    m.payload = exact;
    m.owner = &exact;
    p->heard_version |= strcmp(type, "version") == 0;
    sync_message(run.sync, p->id, &m);
    free(exact);
}

static void give_writer(int i, const char *type, struct writer *w)
{
    give(i, type, w->data, w->len);
    writer_clear(w);
}

static void write_version(struct writer *w, uint8_t how)
{
    struct msg_version v = {.version = how & 1 ? 70015 : PROTOCOL_VERSION,
                            .services = how & 2 ? NODE_WITNESS : NODE_NETWORK | NODE_WITNESS | NODE_NETWORK_LIMITED,
                            .time = START,
                            .nonce = 1000 + how,
                            .start_height = 5,
                            .relay = !(how & 4)};
    v.addr_recv = (struct net_addr){.network = NET_IPV4, .ip = {1, 2, 3, how}, .port = 8333};
    msg_version_encode(w, &v);
}

static void shake_hands(int i)
{
    struct writer w = WRITER_INIT;
    uint8_t how = next();

    write_version(&w, how & 7);
    give_writer(i, "version", &w);
    if (how & 8)
        give(i, "wtxidrelay", NULL, 0);
    if (how & 16)
        give(i, "sendaddrv2", NULL, 0);
    give(i, "verack", NULL, 0);
    if (how & 32)
        give(i, "sendcmpct", how & 64 ? "\1\2\0\0\0\0\0\0\0" : "\0\2\0\0\0\0\0\0\0", 9);
}

static void write_invs(struct writer *w)
{
    static const uint32_t kinds[] = {INV_TX,  INV_BLOCK,         INV_FILTERED_BLOCK, INV_CMPCT_BLOCK,
                                     INV_WTX, INV_WITNESS_BLOCK, INV_WITNESS_TX,     77};
    struct inv items[8];
    size_t n = 1 + next() % ARRAY_LEN(items);

    for (size_t i = 0; i < n; i++) {
        items[i].type = kinds[next() % ARRAY_LEN(kinds)];
        if (items[i].type == INV_WTX)
            memcpy(items[i].hash, some_tx()->wtxid.b, 32);
        else if (items[i].type == INV_TX || items[i].type == INV_WITNESS_TX)
            memcpy(items[i].hash, some_tx()->txid.b, 32);
        else
            memcpy(items[i].hash, some_block()->hash.b, 32);
        items[i].hash[0] ^= next() % 16 == 1; /* now and then one that nobody has */
    }
    msg_inv_encode(w, items, n);
}

static void write_addrs(struct writer *w, bool v2)
{
    struct addr_entry e[12];
    size_t n = next() % (ARRAY_LEN(e) + 1);

    for (size_t i = 0; i < n; i++) {
        static const enum net_network networks[] = {NET_IPV4, NET_IPV6, NET_ONION, NET_I2P, NET_CJDNS};
        memset(&e[i], 0, sizeof(e[i]));
        e[i].time = (uint32_t)(time_now() - next() * 10);
        e[i].services = NODE_NETWORK;
        e[i].addr.network = v2 ? networks[next() % 5] : NET_IPV4;
        e[i].addr.ip[0] = e[i].addr.network == NET_CJDNS ? 0xfc : next();
        e[i].addr.ip[2] = next();
        e[i].addr.port = 8333;
    }
    msg_addr_encode(w, e, n, v2);
}

static void write_compact_block(struct writer *w, const struct block *b, uint8_t how)
{
    write_bytes(w, b->raw, BLOCK_HEADER_SIZE);
    write_u64(w, how);
    if (how & 1) { /* everything is in it */
        write_compact_size(w, 0);
        write_compact_size(w, b->n_tx);
        for (uint32_t i = 0; i < b->n_tx; i++) {
            write_compact_size(w, 0);
            tx_write(w, &b->tx[i], true);
        }
        return;
    }
    write_compact_size(w, b->n_tx - 1);
    for (uint32_t i = 1; i < b->n_tx; i++) { /* the short id of BIP152, or none that fits */
        uint8_t key[88], digest[32], id[8];
        memcpy(key, w->data, 88);
        sha256(digest, key, 88);
        put_le64(id, siphash_hash(get_le64(digest), get_le64(digest + 8), b->tx[i].wtxid.b) + (how & 2));
        write_bytes(w, id, 6);
    }
    write_compact_size(w, 1);
    write_compact_size(w, 0);
    tx_write(w, &b->tx[0], true);
}

static void write_locator(struct writer *w)
{
    struct block_hash hashes[4], stop = {{0}};
    size_t n = next() % 5;

    for (size_t i = 0; i < n; i++)
        hashes[i] = some_block()->hash;
    if (next() & 1)
        stop = some_block()->hash;
    msg_locator_encode(w, hashes, n, &stop);
}

static void write_headers(struct writer *w)
{
    struct block_header h[BLOCKS];
    size_t from = next() % BLOCKS, n = next() % (BLOCKS - from + 1);

    for (size_t i = 0; i < n; i++)
        h[i] = world.block[from + i]->header;
    if (n && next() % 8 == 1)
        h[n - 1].time++; /* breaks its proof of work, half of the time */
    msg_headers_encode(w, h, n);
}

static void write_filter(struct writer *w)
{
    uint8_t fill = next(), len = next();
    write_compact_size(w, len);
    memset(writer_extend(w, len), fill, len);
    write_u32(w, next() % 60);
    write_u32(w, 7);
    write_u8(w, next());
}

static void write_block_part(struct writer *w, bool answer)
{
    const struct block *b = some_block();
    uint8_t n = next() % 3;

    write_bytes(w, b->hash.b, 32);
    write_compact_size(w, n);
    for (uint8_t i = 0; i < n; i++) {
        if (answer)
            tx_write(w, i < b->n_tx ? &b->tx[b->n_tx - 1 - i] : some_tx(), true);
        else
            write_compact_size(w, next() % 3);
    }
}

/* A message of that type made of what there is. Returns: false if the type has nothing to make up. */
static bool compose(struct writer *w, const char *type)
{
    if (strcmp(type, "version") == 0)
        write_version(w, next());
    else if (strcmp(type, "inv") == 0 || strcmp(type, "getdata") == 0 || strcmp(type, "notfound") == 0)
        write_invs(w);
    else if (strcmp(type, "addr") == 0 || strcmp(type, "addrv2") == 0)
        write_addrs(w, type[4] != 0);
    else if (strcmp(type, "headers") == 0)
        write_headers(w);
    else if (strcmp(type, "block") == 0) {
        const struct block *b = some_block();
        write_bytes(w, b->raw, b->raw_len);
    } else if (strcmp(type, "tx") == 0) {
        tx_write(w, some_tx(), next() & 7);
    } else if (strcmp(type, "getheaders") == 0 || strcmp(type, "getblocks") == 0) {
        write_locator(w);
    } else if (strcmp(type, "cmpctblock") == 0) {
        const struct block *b = some_block();
        write_compact_block(w, b, next());
    } else if (strcmp(type, "getblocktxn") == 0 || strcmp(type, "blocktxn") == 0) {
        write_block_part(w, type[0] == 'b');
    } else if (strcmp(type, "filterload") == 0) {
        write_filter(w);
    } else if (strcmp(type, "filteradd") == 0) {
        write_var_bytes(w, some_tx()->txid.b, 32);
    } else if (strncmp(type, "getcf", 5) == 0) {
        write_u8(w, next() % 16 == 1);
        if (strcmp(type, "getcfcheckpt") != 0)
            write_u32(w, next() % 64);
        write_bytes(w, some_block()->hash.b, 32);
    } else if (strcmp(type, "sendcmpct") == 0) {
        write_u8(w, next() % 3);
        write_u64(w, 1 + (next() & 3));
    } else if (strcmp(type, "sendtxrcncl") == 0) {
        write_u32(w, next() % 3);
        write_u64(w, 5);
    } else if (strcmp(type, "feefilter") == 0) {
        write_u64(w, (uint64_t)next() * 100);
    } else {
        return false;
    }
    return true;
}

static void message(int i, bool raw)
{
    const char *type = types[next() % ARRAY_LEN(types)];
    struct writer w = WRITER_INIT;

    if (raw || !compose(&w, type)) {
        size_t len = next();
        if (len > reader_left(&run.in))
            len = reader_left(&run.in);
        write_bytes(&w, read_bytes(&run.in, len), len);
    } else if (next() % 8 == 1 && w.len) {
        w.len -= 1 + next() % w.len; /* cut short */
    }
    give_writer(i, type, &w);
}

/* ---- everything else that can happen ---- */

static void peer_gone(int i)
{
    if (!run.peer[i].used)
        return;
    sync_peer_disconnected(run.sync, run.peer[i].id);
    run.peer[i].used = false;
}

static void peer_new(int i)
{
    static const uint32_t permissions[] = {
        0, 0, PERM_NOBAN, PERM_ALL, PERM_BLOOM, PERM_RELAY, PERM_ADDR | PERM_MEMPOOL, PERM_DOWNLOAD};
    struct peer_facts f = {.type = (enum connection_type)(next() % 6)};
    struct fuzz_peer *p = &run.peer[i];

    peer_gone(i);
    f.permissions = permissions[next() % ARRAY_LEN(permissions)];
    f.remote = (struct net_addr){.network = NET_IPV4, .ip = {8, 8, 8, (uint8_t)i}, .port = 8333};
    f.net_group = (uint64_t)i;
    snprintf(f.addr, sizeof(f.addr), "8.8.8.%d:8333", i);
    snprintf(f.network, sizeof(f.network), "ipv4");
    memset(p, 0, sizeof(*p));
    p->used = true;
    p->id = run.next++;
    p->inbound = f.type == CONN_INBOUND;
    p->no_addr = f.type == CONN_BLOCK_RELAY || f.type == CONN_FEELER;
    sync_peer_connected(run.sync, p->id, &f);
}

static void ask_rpc(uint8_t what, int i)
{
    struct peer_info *infos;
    struct orphan_info *orphans;
    struct peer_merit merit;

    if (what == 0) {
        sync_peers(run.sync, &infos);
        free(infos);
    } else if (what == 1) {
        sync_orphans(run.sync, &orphans);
        free(orphans);
    } else if (what == 2) {
        sync_ping_all(run.sync);
    } else if (what == 3) {
        const struct block_entry *e = chain_lookup(world.chain, &some_block()->hash);
        if (e && run.peer[i].used)
            sync_fetch_block(run.sync, run.peer[i].id, e);
    } else if (run.peer[i].used) {
        sync_peer_merit(run.sync, run.peer[i].id, &merit);
    }
}

static void event(uint8_t what)
{
    const struct block_entry *tip = chain_tip(world.chain);
    struct tx *tx = world.tx[next() % TXS];
    struct verdict v;

    switch (what) {
    case 0:
        sync_tx_added(run.sync, tx, next() * 100, next() & 1);
        sync_announce_tx(run.sync, tx);
        break;
    case 1:
        sync_tx_removed(run.sync, tx, next() & 1);
        break;
    case 2:
        sync_announce_own_tx(run.sync, tx);
        break;
    case 3:
        sync_block_connected(run.sync, tip, world.block[KNOWN - 1]);
        sync_tip_changed(run.sync, tip, entry_prev(tip), next() & 1);
        break;
    case 4:
        sync_header_tip(run.sync, chain_best_header(world.chain));
        break;
    case 5:
        sync_block_pow_valid(run.sync, tip, world.block[KNOWN - 1]);
        break;
    case 6:
        fill_verdict(&v, next());
        sync_block_checked(run.sync, &some_block()->hash, &v);
        break;
    default:
        sync_set_mempool_fee_rate(run.sync, next() * 100);
    }
}

static void step(void)
{
    uint8_t what = next();
    int i = (what >> 4) % PEERS;

    switch (what & 15) {
    case 0:
        peer_new(i);
        break;
    case 1:
        peer_new(i);
        shake_hands(i);
        break;
    case 2:
        message(i, true);
        break;
    case 3:
        time_mock_set(time_mock_get() + next());
        sync_tick(run.sync);
        break;
    case 4:
        time_mock_set(time_mock_get() + next() * 60);
        sync_tick(run.sync);
        break;
    case 5:
        event(next() % 8);
        break;
    case 6:
        ask_rpc(next() % 5, i);
        break;
    case 7:
        run.busy = next() & 1;
        break;
    case 8:
        run.peer[i].full = next() & 1;
        if (run.peer[i].used && !run.peer[i].full)
            sync_peer_writable(run.sync, run.peer[i].id);
        break;
    case 9:
        peer_gone(i);
        break;
    case 10:
        run.flag = next() & 1;
        sync_due(run.sync);
        break;
    case 11:
        for (uint8_t how = next(); run.n_jobs && how; how--)
            answer_one(how);
        break;
    default:
        message(i, false);
    }
    if (run.n_jobs && (what & 15) != 7)
        answer_one((what & 15) == 12 ? 0 : next());
    for (int k = 0; k < PEERS; k++)
        if (run.peer[k].closed)
            peer_gone(k);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sync_options o = {.user_agent = "/Fuzz:1/", .min_fee_rate = 100, .peer_timeout = 60, .seed = 99, .extra_txs = 10};

    if (!world.chain)
        make_world();
    time_mock_set(START + 1000);
    memset(&run, 0, sizeof(run));
    run.in = reader_make(data, size);
    o.params = &world.params;
    o.chain = world.chain;
    o.host = (struct sync_host){
        .send = host_send,
        .disconnect = host_disconnect,
        .discourage = host_disconnect,
        .submit_headers = host_headers,
        .submit_block = host_block,
        .submit_tx = host_tx,
        .submit_package = host_package,
        .read_block = host_read,
        .read_filters = host_filters,
        .busy = host_busy,
        .send_full = host_full,
        .addr = {.heard = host_heard, .sample = host_sample, .clean = host_clean, .reachable = host_reachable, .own = host_own},
        .conn = {.tx_slot = host_slot, .upload_reached = host_upload}};
    o.local_services = NODE_WITNESS | NODE_NETWORK_LIMITED;
    if (next() & 1)
        o.local_services |= NODE_NETWORK | NODE_COMPACT_FILTERS | NODE_BLOOM;
    o.tx_reconciliation = next() & 1;
    run.sync = sync_new(&o);
    while (reader_left(&run.in))
        step();
    while (run.n_jobs)
        answer_one(4);
    sync_tick(run.sync);
    while (run.n_jobs) /* at most what the tick set off */
        answer_one(4);
    for (int i = 0; i < PEERS; i++)
        peer_gone(i);
    sync_free(run.sync);
    return 0;
}
