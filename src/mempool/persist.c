/* persist.c - the pool on disk: Core's mempool.dat. Version and a key in clear, the rest under the key: transactions with their time and fee
 * delta, deltas of absent transactions, unbroadcast ids. Called by node and RPC; validation thread. */
#include <stdlib.h>

#include "mempool/internal.h"
#include "primitives/serialize.h"
#include "util/fs.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/obfuscate.h"
#include "util/random.h"
#include "util/time.h"

#define VERSION_PLAIN 1
#define VERSION_OBFUSCATED 2
#define FILE_MAX ((size_t)4 << 30)

/* ---- save ---- */

struct saving {
    struct mempool *m;
    struct writer w;
    struct writer unbroadcast; /* txids, not sorted yet */
};

static bool save_entry(void *ctx, const struct mempool_entry *e)
{
    struct saving *s = (struct saving *)ctx;
    tx_write(&s->w, e->tx, true);
    write_u64(&s->w, (uint64_t)e->time);
    write_u64(&s->w, (uint64_t)pool_delta(s->m, &e->tx->txid));
    if (e->unbroadcast)
        write_bytes(&s->unbroadcast, e->tx->txid.b, 32);
    return true;
}

static int id_cmp(const void *a, const void *b)
{
    return memcmp(a, b, 32);
}

static void save_sets(struct saving *s)
{
    size_t absent = 0, n = s->unbroadcast.len / 32;
    for (size_t i = 0; i < s->m->n_delta; i++)
        absent += !index_find(s->m, &s->m->delta[i].txid);
    write_compact_size(&s->w, absent);
    for (size_t i = 0; i < s->m->n_delta; i++) {
        if (index_find(s->m, &s->m->delta[i].txid))
            continue;
        write_bytes(&s->w, s->m->delta[i].txid.b, 32);
        write_u64(&s->w, (uint64_t)s->m->delta[i].delta);
    }
    if (n)
        qsort(s->unbroadcast.data, n, 32, id_cmp);
    write_compact_size(&s->w, n);
    write_bytes(&s->w, s->unbroadcast.data, s->unbroadcast.len);
    writer_clear(&s->unbroadcast);
}

enum rc mempool_save(struct mempool *m, const char *path, size_t *count)
{
    struct saving s = {m, WRITER_INIT, WRITER_INIT};
    int64_t start = time_mono_us();
    uint8_t key[OBFUSCATION_KEY_SIZE];
    size_t clear;
    enum rc rc;

    random_bytes(key, sizeof(key));
    write_u64(&s.w, VERSION_OBFUSCATED);
    write_var_bytes(&s.w, key, sizeof(key));
    clear = s.w.len;
    log_info("Writing %zu mempool transactions to file...", m->by_txid.n);
    write_u64(&s.w, m->by_txid.n);
    mempool_each(m, save_entry, &s);
    log_info("Writing %zu unbroadcast transactions to file.", s.unbroadcast.len / 32);
    save_sets(&s);
    obfuscate(s.w.data + clear, s.w.len - clear, key, clear);
    rc = fs_write_atomic(path, s.w.data, s.w.len, 0600);
    if (rc == RC_OK)
        log_info("Dumped mempool: %.3fs to copy and dump, %zu bytes dumped to file", (double)(time_mono_us() - start) / 1e6,
                 s.w.len);
    else
        log_info("Failed to dump mempool: %s. Continuing anyway.", rc_name(rc));
    if (count)
        *count = m->by_txid.n;
    writer_clear(&s.w);
    return rc;
}

/* ---- load ---- */

struct loading {
    const struct mempool_import *what;
    size_t accepted, failed, expired, there, unbroadcast;
};

static void load_tx(struct mempool *m, struct tx *tx, int64_t time, int64_t delta, struct loading *l)
{
    struct mempool_result r;
    if (delta && l->what->apply_deltas)
        mempool_prioritise(m, &tx->txid, delta);
    if (l->what->use_current_time)
        time = time_now();
    if (time <= time_now() - m->o.expiry)
        l->expired++;
    else if (pool_accept(m, tx, &(const struct accept_rules){.time = time}, &r, NULL))
        l->accepted++;
    else if (index_find(m, &tx->txid))
        l->there++;
    else
        l->failed++;
}

static bool load_txs(struct mempool *m, struct reader *r, struct loading *l)
{
    uint64_t n = read_u64(r);
    for (uint64_t i = 0; i < n; i++) {
        struct arena arena = ARENA_INIT;
        struct tx borrowed, *tx = NULL;
        int64_t time, delta;
        if (tx_read(&borrowed, r, &arena, true))
            tx = tx_clone(&borrowed);
        arena_clear(&arena);
        time = (int64_t)read_u64(r);
        delta = (int64_t)read_u64(r);
        if (tx && !r->failed)
            load_tx(m, tx, time, delta, l);
        tx_unref(tx);
        if (r->failed)
            return false;
    }
    return true;
}

static bool load_sets(struct mempool *m, struct reader *r, struct loading *l)
{
    struct txid id;
    uint64_t n = read_compact_size(r);
    for (uint64_t i = 0; i < n && !r->failed; i++) {
        int64_t delta;
        read_copy(r, id.b, 32);
        delta = (int64_t)read_u64(r);
        if (!r->failed && l->what->apply_deltas)
            mempool_prioritise(m, &id, delta);
    }
    n = read_compact_size(r);
    for (uint64_t i = 0; i < n && !r->failed; i++) {
        read_copy(r, id.b, 32);
        if (r->failed || !l->what->apply_unbroadcast)
            continue;
        mempool_set_unbroadcast(m, &id, true);
        l->unbroadcast++;
    }
    return !r->failed;
}

/* Reads the clear part and takes the key off the rest. Returns: false if it is no file of ours or Core's. */
static bool open_file(struct reader *r, uint8_t *data, size_t len)
{
    uint64_t version;
    const uint8_t *key;
    size_t key_len;

    *r = reader_make(data, len);
    version = read_u64(r);
    if (version == VERSION_PLAIN)
        return !r->failed;
    if (version != VERSION_OBFUSCATED)
        return false;
    key = read_var_bytes(r, &key_len);
    if (!key || key_len != OBFUSCATION_KEY_SIZE)
        return false;
    obfuscate(data + (r->pos - data), reader_left(r), key, (uint64_t)(r->pos - data));
    return true;
}

enum rc mempool_load(struct mempool *m, const char *path, size_t *count)
{
    const struct mempool_import all = {.apply_deltas = true, .apply_unbroadcast = true};

    return mempool_import(m, path, &all, count);
}

enum rc mempool_import(struct mempool *m, const char *path, const struct mempool_import *what, size_t *count)
{
    struct loading l = {.what = what};
    struct reader r;
    uint8_t *data;
    size_t len;
    enum rc rc = fs_read(path, FILE_MAX, &data, &len);

    if (count)
        *count = 0;
    if (rc != RC_OK) {
        log_info("Failed to open mempool file. Continuing anyway.");
        return rc;
    }
    if (!open_file(&r, data, len) || !load_txs(m, &r, &l) || !load_sets(m, &r, &l)) {
        log_info("Failed to deserialize mempool data on file. Continuing anyway.");
        rc = RC_CORRUPT;
    } else {
        log_info(
            "Imported mempool transactions from file: %zu succeeded, %zu failed, %zu expired, %zu already there, %zu waiting for "
            "initial broadcast",
            l.accepted, l.failed, l.expired, l.there, l.unbroadcast);
    }
    if (count)
        *count = l.accepted;
    free(data);
    return rc;
}
