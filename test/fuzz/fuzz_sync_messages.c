/* fuzz_sync_messages.c - six peers that send whatever the input says, of all message types, to one node: its protocol (sync) over a small regtest
 * chain, with a made-up host whose jobs are answered when and how the input says. Nothing of the chain is written: it is made once.
 *
 * The input is a list of steps, a byte for what and bytes for how. Messages are either raw bytes or made of things that the node may know
 * (blocks of its chain, headers it lacks the blocks of, transactions), so that the paths behind the checks are reached. Beside memory
 * errors this finds answers before a handshake, unbounded messages and jobs that pile up. */
#include <stdio.h>

#include "crypto/hash.h"
#include "crypto/sha256.h"
#include "net/permissions.h"
#include "primitives/serialize.h"
#include "sync/sync.h"
#include "sync_mock_host.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const types[] = {
    "version",     "verack",      "sendheaders", "sendcmpct",    "wtxidrelay",   "sendaddrv2",  "feature",    "sendtxrcncl",
    "ping",        "pong",        "addr",        "addrv2",       "getaddr",      "inv",         "getdata",    "notfound",
    "getheaders",  "getblocks",   "headers",     "block",        "tx",           "feefilter",   "mempool",    "filterload",
    "filteradd",   "filterclear", "getcfilters", "getcfheaders", "getcfcheckpt", "getblocktxn", "cmpctblock", "blocktxn",
    "merkleblock", "cfilter",     "cfheaders",   "cfcheckpt",    "alert",        "reject",      "",
};

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
    struct peer_facts f = {.type = (enum connection_type)(next() % 7)};
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
    p->no_addr = f.type == CONN_BLOCK_RELAY || f.type == CONN_FEELER || f.type == CONN_PRIVATE_BROADCAST;
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
    } else if (what == 4) {
        sync_private_add(run.sync, world.tx[next() % TXS]);
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
        sync_tx_added(run.sync, tx, next() * 100, next(), next() & 1);
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
        ask_rpc(next() % 6, i);
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
        .private_wanted = host_private,
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
