/* work.c - a template made ready for the search: branch, coinbase parts, assembly. Called by the CPU miner and the stratum server; any thread. */
#include "mining/work.h"

#include <stdlib.h>

#include "crypto/sha256.h"
#include "crypto/sha256_scan.h"
#include "mining/coinbase.h"
#include "primitives/serialize.h"
#include "util/assert.h"
#include "util/mem.h"

#define TAG "/Farthing/"
#define INPUT_AT (4 + 1 + 36 + 1) /* version, count, outpoint, length of the script: where a coinbase's script begins */
#define TIME_AT 68
#define BITS_AT 72

/* The coinbase's own side of the tree is left open: of each level the neighbour is noted, the rest hashed in pairs. */
static void find_branch(struct mining_work *w)
{
    size_t n = w->t->n_txs + 1;
    uint8_t *ids = (uint8_t *)xcalloc(n + 1, 32);

    for (size_t i = 1; i < n; i++)
        memcpy(ids + 32 * i, w->t->txs[i - 1].tx->txid.b, 32);
    w->branch = (struct hash256 *)xcalloc(33, sizeof(*w->branch));
    for (; n > 1; n = (n + 1) / 2) {
        memcpy(w->branch[w->n_branch++].b, ids + 32, 32);
        if (n % 2)
            memcpy(ids + 32 * n, ids + 32 * (n - 1), 32);
        sha256d_64(ids, ids, (n + 1) / 2);
    }
    free(ids);
}

struct mining_work *mining_work_new(struct block_template *t_take)
{
    struct mining_work *w = (struct mining_work *)xcalloc(1, sizeof(*w));

    atomic_init(&w->refs, 1);
    w->t = t_take;
    find_branch(w);
    return w;
}

struct mining_work *mining_work_ref(struct mining_work *w)
{
    atomic_fetch_add(&w->refs, 1);
    return w;
}

void mining_work_unref(struct mining_work *w)
{
    if (!w || atomic_fetch_sub(&w->refs, 1) != 1)
        return;
    block_template_free(w->t);
    free(w->branch);
    free(w);
}

void mining_work_coinbase(struct writer *head, struct writer *tail, const struct mining_work *w, const uint8_t *script, size_t len,
                          size_t extra)
{
    static const uint8_t zeroes[MINING_EXTRA_MAX];
    struct writer sig = WRITER_INIT, whole = WRITER_INIT;
    struct tx *tx;
    size_t at;

    ASSERT(extra > 0 && extra <= MINING_EXTRA_MAX);
    script_write_int(&sig, w->t->height);
    at = INPUT_AT + sig.len + 1;
    write_u8(&sig, (uint8_t)extra); /* a push of that many bytes, whichever they will be */
    write_bytes(&sig, zeroes, extra);
    script_write_push(&sig, TAG, sizeof(TAG) - 1);
    tx = mining_coinbase(w->t, sig.data, sig.len, script, len);
    tx_write(&whole, tx, false);
    write_bytes(head, whole.data, at);
    write_bytes(tail, whole.data + at + extra, whole.len - at - extra);
    tx_unref(tx);
    writer_clear(&sig);
    writer_clear(&whole);
}

struct hash256 mining_work_root(const struct mining_work *w, const uint8_t coinbase_id[32])
{
    uint8_t pair[64];
    struct hash256 root;

    memcpy(root.b, coinbase_id, 32);
    for (size_t i = 0; i < w->n_branch; i++) {
        memcpy(pair, root.b, 32);
        memcpy(pair + 32, w->branch[i].b, 32);
        sha256d(root.b, pair, 64);
    }
    return root;
}

/* BIP144: marker and flag behind the version, the witness (the commitment's reserved value) in front of the lock time. */
static void write_with_witness(struct writer *out, const uint8_t *coinbase, size_t len)
{
    static const uint8_t marker[2] = {0, 1}, reserved[32];

    write_bytes(out, coinbase, 4);
    write_bytes(out, marker, sizeof(marker));
    write_bytes(out, coinbase + 4, len - 8);
    write_u8(out, 1);
    write_u8(out, sizeof(reserved));
    write_bytes(out, reserved, sizeof(reserved));
    write_bytes(out, coinbase + len - 4, 4);
}

struct block *mining_work_block(const struct mining_work *w, const uint8_t header[80], const uint8_t *coinbase, size_t len)
{
    struct writer out = WRITER_INIT;

    if (len < INPUT_AT + 8)
        return NULL;
    write_bytes(&out, header, BLOCK_HEADER_SIZE);
    write_compact_size(&out, w->t->n_txs + 1);
    if (w->t->segwit_active)
        write_with_witness(&out, coinbase, len);
    else
        write_bytes(&out, coinbase, len);
    for (size_t i = 0; i < w->t->n_txs; i++)
        tx_write(&out, w->t->txs[i].tx, true);
    return block_decode(out.data, out.len);
}

bool mining_work_set_time(uint8_t header[80], const struct mining_work *w, const struct chain_params *p, int64_t now)
{
    uint32_t when, bits = w->t->bits;

    if (now < w->t->min_time)
        now = w->t->min_time;
    when = now > UINT32_MAX ? UINT32_MAX : (uint32_t)now;
    if (p->pow_min_difficulty_blocks)
        bits = next_work_required(p, &w->t->prev->node, when);
    if (get_le32(header + TIME_AT) == when && get_le32(header + BITS_AT) == bits)
        return false;
    put_le32(header + TIME_AT, when);
    put_le32(header + BITS_AT, bits);
    return true;
}

uint32_t mining_scan(uint8_t header[80], const struct sha256_scan *s, struct u256 target, uint32_t first, uint32_t n)
{
    uint32_t done = 0, limit = (uint32_t)(target.w[3] >> 32);
    uint8_t hash[32];

    while ((done += sha256_scan(s, first + done, n - done, limit)) < n) {
        put_le32(header + BLOCK_HEADER_SIZE - 4, first + done);
        sha256d(hash, header, BLOCK_HEADER_SIZE);
        if (u256_cmp(u256_from_le(hash), target) <= 0)
            return done;
        done++; /* its highest bits were the target's own */
    }
    return n;
}

bool mining_ready(struct chain *c)
{
    if (!chain_initial_download(c))
        return true;
    return chain_get_params(c)->id != CHAIN_MAIN && chain_best_header(c)->node.height <= chain_height(c);
}
