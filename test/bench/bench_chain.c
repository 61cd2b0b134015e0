/* bench_chain.c - makes the regtest chain that the benchmarks import: a file of blocks with real signatures, the same bytes each time.
 *
 * bench_chain FILE [CONTENT_BLOCKS [TXS_A_BLOCK [BURIED [TRANSACTIONS N KIND]]]]
 * 110 blocks with coinbases alone, then blocks full of spends (P2WPKH, P2TR, P2PKH, P2WSH 2-of-3 in turn by chance), then empty blocks that
 * bury them by two weeks of work, which is what -assumevalid asks for. Into the file TRANSACTIONS, if it is named, go N transactions in hex,
 * one a line, that spend coins of that chain and nothing of each other; KIND is "mixed", or "p2wpkh": one input and two outputs each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/check.h"
#include "crypto/hash.h"
#include "crypto/keys.h"
#include "crypto/sha256.h"
#include "primitives/serialize.h"
#include "script/opcodes.h"
#include "script/script.h"
#include "script/sighash.h"
#include "util/assert.h"
#include "util/mem.h"
#include "util/random.h"

#define KEYS 4096
#define MATURE_BLOCKS 110
#define FAN_OUT 500 /* outputs of each of the first spends */
#define FEE 500
#define SMALL (20 * FEE) /* coins of less are put together, not split */

enum kind { P2WPKH, P2TR, P2PKH, P2WSH, KINDS };

struct key {
    uint8_t secret[32], pub[33], hash[20], tweaked_x[32];
};
struct utxo {
    struct outpoint prevout;
    int64_t value;
    uint16_t key;
    uint8_t kind;
};
struct maker {
    struct chain_params params;
    struct key *keys;
    struct utxo *pool; /* spendable coins, in no order */
    size_t n_pool, cap_pool;
    struct utxo immature[COINBASE_MATURITY + 1]; /* coinbases by height modulo */
    struct rng rng;
    struct header_node tip;
    FILE *out;
    bool p2wpkh; /* all outputs are that */
    bool keep;   /* new outputs do not join the pool */
    uint64_t n_tx, n_in, bytes;
};

static void make_keys(struct maker *m)
{
    m->keys = xcalloc(KEYS, sizeof(*m->keys));
    for (uint32_t i = 0; i < KEYS; i++) {
        struct key *k = &m->keys[i];
        char seed[32];
        int parity;
        snprintf(seed, sizeof(seed), "farthing bench key %u", i);
        sha256(k->secret, seed, strlen(seed));
        ASSERT(pubkey_create(k->pub, k->secret, true));
        hash160(k->hash, k->pub, 33);
        ASSERT(taproot_tweak(k->tweaked_x, &parity, k->pub + 1, NULL));
    }
}

/* 2-of-3 of this key and the two behind it. */
static size_t multisig_script(const struct maker *m, unsigned key, uint8_t out[105])
{
    size_t n = 0;
    out[n++] = OP_2;
    for (unsigned i = 0; i < 3; i++) {
        out[n++] = 33;
        memcpy(out + n, m->keys[(key + i) % KEYS].pub, 33);
        n += 33;
    }
    out[n++] = OP_3;
    out[n++] = OP_CHECKMULTISIG;
    return n;
}

static size_t make_script(const struct maker *m, enum kind kind, unsigned key, uint8_t out[40])
{
    const struct key *k = &m->keys[key];
    uint8_t witness_script[105];
    size_t len;

    switch (kind) {
    case P2WPKH:
        out[0] = OP_0;
        out[1] = 20;
        memcpy(out + 2, k->hash, 20);
        return 22;
    case P2TR:
        out[0] = OP_1;
        out[1] = 32;
        memcpy(out + 2, k->tweaked_x, 32);
        return 34;
    case P2PKH:
        memcpy(out, "\x76\xa9\x14", 3);
        memcpy(out + 3, k->hash, 20);
        memcpy(out + 23, "\x88\xac", 2);
        return 25;
    case P2WSH:
    case KINDS:
        break;
    }
    len = multisig_script(m, key, witness_script);
    out[0] = OP_0;
    out[1] = 32;
    sha256(out + 2, witness_script, len);
    return 34;
}

static void pool_add(struct maker *m, const struct tx *tx, uint32_t n, unsigned key, enum kind kind)
{
    if (m->n_pool == m->cap_pool) {
        m->cap_pool = m->cap_pool ? m->cap_pool * 2 : 4096;
        m->pool = xrealloc(m->pool, m->cap_pool * sizeof(*m->pool));
    }
    m->pool[m->n_pool++] = (struct utxo){{tx->txid, n}, tx->out[n].value, (uint16_t)key, (uint8_t)kind};
}

static struct utxo pool_take(struct maker *m)
{
    size_t i = rng_below(&m->rng, m->n_pool);
    struct utxo u = m->pool[i];
    m->pool[i] = m->pool[--m->n_pool];
    return u;
}

static size_t sign_ecdsa(uint8_t sig[80], const uint8_t hash[32], const struct key *k)
{
    size_t len = 80;
    ASSERT(ecdsa_sign(sig, &len, hash, k->secret));
    sig[len++] = SIGHASH_ALL;
    return len;
}

static void sign_input(const struct maker *m, struct tx_builder *b, const struct tx *tx, uint32_t i, const struct utxo *u,
                       const struct tx_midstate *mid)
{
    const struct key *k = &m->keys[u->key];
    uint8_t hash[32], sig[2][80], script[120];
    size_t len = make_script(m, (enum kind)u->kind, u->key, script);
    uint8_t code[25] = {OP_DUP, OP_HASH160, 20};

    memcpy(code + 3, k->hash, 20);
    code[23] = OP_EQUALVERIFY;
    code[24] = OP_CHECKSIG;
    if (u->kind == P2WPKH) {
        struct witness_item w[2];
        sighash_v0(hash, tx, i, code, sizeof(code), u->value, SIGHASH_ALL, mid);
        w[0] = (struct witness_item){sig[0], (uint32_t)sign_ecdsa(sig[0], hash, k)};
        w[1] = (struct witness_item){k->pub, 33};
        tx_builder_set_witness(b, i, w, 2);
    } else if (u->kind == P2TR) {
        struct sighash_v1_ctx ctx = {.codesep_pos = 0xffffffff};
        struct witness_item w = {sig[0], 64};
        ASSERT(sighash_v1(hash, tx, i, SIGHASH_DEFAULT, &ctx, mid) && schnorr_sign_taproot(sig[0], hash, k->secret, NULL, NULL));
        tx_builder_set_witness(b, i, &w, 1);
    } else if (u->kind == P2PKH) {
        struct writer s = WRITER_INIT;
        sighash_legacy(hash, tx, i, script, len, SIGHASH_ALL);
        script_write_push(&s, sig[0], sign_ecdsa(sig[0], hash, k));
        script_write_push(&s, k->pub, 33);
        tx_builder_set_script(b, i, s.data, s.len);
        writer_clear(&s);
    } else {
        struct witness_item w[4] = {{sig[0], 0}};
        len = multisig_script(m, u->key, script);
        sighash_v0(hash, tx, i, script, len, u->value, SIGHASH_ALL, mid);
        for (unsigned s = 0; s < 2; s++)
            w[1 + s] = (struct witness_item){sig[s], (uint32_t)sign_ecdsa(sig[s], hash, &m->keys[(u->key + s) % KEYS])};
        w[3] = (struct witness_item){script, (uint32_t)len};
        tx_builder_set_witness(b, i, w, 4);
    }
}

/* A signed transaction that spends these coins to n_out new ones, which join the pool. */
static struct tx *make_spend(struct maker *m, const struct utxo *coins, uint32_t n_in, uint32_t n_out)
{
    struct tx_builder b;
    struct tx_out spent[8];
    struct tx_midstate mid;
    uint8_t scripts[8][40], script[40];
    unsigned keys[FAN_OUT];
    enum kind kinds[FAN_OUT];
    int64_t value = -FEE;
    struct tx *unsigned_tx, *tx;

    tx_builder_init(&b, 2, 0);
    for (uint32_t i = 0; i < n_in; i++) {
        tx_builder_add_in(&b, &coins[i].prevout, NULL, 0, SEQUENCE_FINAL - 1);
        spent[i] = (struct tx_out){coins[i].value, scripts[i],
                                   (uint32_t)make_script(m, (enum kind)coins[i].kind, coins[i].key, scripts[i])};
        value += coins[i].value;
    }
    for (uint32_t i = 0; i < n_out; i++) {
        keys[i] = (unsigned)rng_below(&m->rng, KEYS);
        kinds[i] = m->p2wpkh ? P2WPKH : (enum kind)rng_below(&m->rng, KINDS);
        tx_builder_add_out(&b, value / n_out, script, make_script(m, kinds[i], keys[i], script));
    }
    unsigned_tx = tx_build(&b);
    tx_midstate_init(&mid, unsigned_tx, spent, true);
    for (uint32_t i = 0; i < n_in; i++)
        sign_input(m, &b, unsigned_tx, i, &coins[i], &mid);
    tx = tx_build(&b);
    for (uint32_t i = 0; i < n_out && !m->keep; i++)
        pool_add(m, tx, i, keys[i], kinds[i]);
    tx_unref(unsigned_tx);
    tx_builder_clear(&b);
    return tx;
}

static struct tx *make_coinbase(struct maker *m, int32_t height, const struct tx *const *txs, uint32_t n)
{
    static const uint8_t nonce[32] = {0};
    struct tx_builder b;
    struct outpoint null = {{{0}}, OUTPOINT_NULL_N};
    struct writer s = WRITER_INIT;
    uint8_t script[40], commitment[38] = {OP_RETURN, 36, 0xaa, 0x21, 0xa9, 0xed};
    uint8_t *hashes = xcalloc(n + 1, 32), preimage[64] = {0};
    unsigned key = (unsigned)rng_below(&m->rng, KEYS);
    struct hash256 root;
    struct witness_item w = {nonce, 32};
    struct tx *tx;

    for (uint32_t i = 0; i < n; i++)
        memcpy(hashes + 32 * (size_t)(i + 1), txs[i]->wtxid.b, 32);
    root = merkle_root(hashes, n + 1, NULL);
    memcpy(preimage, root.b, 32);
    sha256d(commitment + 6, preimage, 64);
    script_write_int(&s, height);
    write_u8(&s, OP_0); /* at least two bytes */
    tx_builder_init(&b, 2, 0);
    tx_builder_add_in(&b, &null, s.data, s.len, SEQUENCE_FINAL);
    tx_builder_add_out(&b, block_subsidy(&m->params, height), script, make_script(m, P2WPKH, key, script));
    tx_builder_add_out(&b, 0, commitment, sizeof(commitment));
    tx_builder_set_witness(&b, 0, &w, 1);
    tx = tx_build(&b);
    m->immature[height % (COINBASE_MATURITY + 1)] = (struct utxo){{tx->txid, 0}, tx->out[0].value, (uint16_t)key, P2WPKH};
    tx_builder_clear(&b);
    writer_clear(&s);
    free(hashes);
    return tx;
}

static void write_block(struct maker *m, struct tx *const *txs, uint32_t n)
{
    struct block_header h = {0x20000000, m->tip.hash, {{0}}, m->tip.time + 600, m->tip.bits, 0};
    struct block_hash hash;
    struct header_node next;
    struct writer w = WRITER_INIT;
    uint8_t *hashes = xcalloc(n, 32), header[80], prefix[8];

    for (uint32_t i = 0; i < n; i++)
        memcpy(hashes + 32 * (size_t)i, txs[i]->txid.b, 32);
    h.merkle_root = merkle_root(hashes, n, NULL);
    for (block_header_hash(&hash, &h); !check_proof_of_work(&m->params, &hash, h.bits); block_header_hash(&hash, &h))
        h.nonce++;
    block_header_encode(header, &h);
    write_bytes(&w, header, 80);
    write_compact_size(&w, n);
    for (uint32_t i = 0; i < n; i++)
        tx_write(&w, txs[i], true);
    memcpy(prefix, m->params.magic, 4);
    put_le32(prefix + 4, (uint32_t)w.len);
    ASSERT(fwrite(prefix, 8, 1, m->out) == 1 && fwrite(w.data, w.len, 1, m->out) == 1);
    m->bytes += w.len + 8;
    m->n_tx += n;
    header_node_init(&next, &h, &hash, &m->tip);
    m->tip = next;
    m->tip.prev = m->tip.skip = NULL; /* nothing here looks back */
    writer_clear(&w);
    free(hashes);
}

/* Of one to three coins, or more if they are small. */
static struct tx *make_any_spend(struct maker *m)
{
    struct utxo coins[8];
    int64_t value = 0;
    uint32_t n_in = 1 + (uint32_t)(rng_below(&m->rng, 3) == 0) + (uint32_t)(rng_below(&m->rng, 3) == 0);
    uint32_t n_out = 1 + (uint32_t)rng_below(&m->rng, 3);

    if (m->p2wpkh) {
        n_in = 1;
        n_out = 2;
    }
    for (uint32_t i = 0; i < n_in; i++) {
        coins[i] = pool_take(m);
        value += coins[i].value;
        if (i + 1 == n_in && n_in < ARRAY_LEN(coins) && value < 2 * FEE)
            n_in++;
    }
    if (value < SMALL)
        n_out = 1;
    m->n_in += n_in;
    return make_spend(m, coins, n_in, n_out);
}

/* One block with n_txs spends. */
static void make_block(struct maker *m, uint32_t n_txs)
{
    int32_t height = m->tip.height + 1;
    struct tx **txs = xcalloc(n_txs + 1, sizeof(*txs));
    uint32_t n = 0;

    if (height > COINBASE_MATURITY && n_txs > 0) {
        /* The slot that this block's own coinbase does not take: the one of height - COINBASE_MATURITY. */
        struct utxo *matured = &m->immature[(height + 1) % (COINBASE_MATURITY + 1)];
        if (matured->value > 10000000)
            txs[++n] = make_spend(m, matured, 1, FAN_OUT);
    }
    while (n < n_txs)
        txs[++n] = make_any_spend(m);
    txs[0] = make_coinbase(m, height, (const struct tx *const *)(txs + 1), n);
    write_block(m, txs, n + 1);
    for (uint32_t i = 0; i <= n; i++)
        tx_unref(txs[i]);
    free(txs);
}

static bool write_transactions(struct maker *m, const char *path, size_t n)
{
    FILE *f = fopen(path, "w");

    m->keep = true;
    for (size_t i = 0; f && i < n; i++) {
        struct tx *tx = make_any_spend(m);
        for (uint32_t k = 0; k < tx->raw_len; k++)
            fprintf(f, "%02x", tx->raw[k]);
        fputc('\n', f);
        tx_unref(tx);
    }
    return f && fclose(f) == 0;
}

int main(int argc, char **argv)
{
    struct maker m = {.p2wpkh = argc > 7 && strcmp(argv[7], "p2wpkh") == 0};
    int content = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 345;
    uint32_t txs = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) : 1165;
    int buried = argc > 4 ? (int)strtol(argv[4], NULL, 10) : 2020;
    struct block *genesis;

    if (argc < 2 || !(m.out = fopen(argv[1], "wb"))) {
        fprintf(stderr, "usage: bench_chain FILE [CONTENT_BLOCKS [TXS_A_BLOCK [BURIED [TRANSACTIONS N KIND]]]]\n");
        return 1;
    }
    chain_params_init(&m.params, CHAIN_REGTEST);
    rng_init_seed(&m.rng, 1);
    make_keys(&m);
    genesis = chain_params_genesis(&m.params);
    header_node_init(&m.tip, &genesis->header, &genesis->hash, NULL);
    block_unref(genesis);
    for (int i = 0; i < MATURE_BLOCKS; i++)
        make_block(&m, i < COINBASE_MATURITY ? 0 : 1);
    for (int i = 0; i < content; i++)
        make_block(&m, txs);
    for (int i = 0; i < buried; i++)
        make_block(&m, 0);
    if (fclose(m.out) != 0 || (argc > 6 && !write_transactions(&m, argv[5], strtoul(argv[6], NULL, 10))))
        return 1;
    printf("{\"height\": %d, \"tip\": \"%s\", \"transactions\": %llu, \"inputs\": %llu, \"bytes\": %llu}\n", m.tip.height,
           block_hash_hex(&m.tip.hash).s, (unsigned long long)m.n_tx, (unsigned long long)m.n_in, (unsigned long long)m.bytes);
    chain_params_clear(&m.params);
    free(m.keys);
    free(m.pool);
    return 0;
}
