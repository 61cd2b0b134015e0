/* proof.c - gettxoutproof and verifytxoutproof: a block's header with a partial Merkle tree (BIP37 merkleblock). Pool threads. */
#include <stdlib.h>

#include "crypto/sha256.h"
#include "primitives/serialize.h"
#include "rpc/priv.h"

#define TX_MIN_WEIGHT (60 * WITNESS_SCALE_FACTOR) /* bounds the number of transactions that a proof may claim */

/* A partial tree: depth-first bits (does this node lead to a match?) and hashes. */
struct partial_tree {
    uint32_t n_tx;
    uint8_t *bits; /* one byte each */
    size_t n_bits, bits_used;
    const uint8_t *hashes;
    struct writer out; /* hashes, when building */
    size_t n_hashes, hashes_used;
    bool bad;
};

static uint32_t width(const struct partial_tree *t, unsigned height)
{
    return (uint32_t)(((uint64_t)t->n_tx + (1ull << height) - 1) >> height);
}

static unsigned tree_height(const struct partial_tree *t)
{
    unsigned h = 0;

    while (width(t, h) > 1)
        h++;
    return h;
}

static void join(uint8_t out[32], const uint8_t left[32], const uint8_t right[32])
{
    uint8_t both[64];

    memcpy(both, left, 32);
    memcpy(both + 32, right, 32);
    sha256d(out, both, 64);
}

/* ---- building ---- */

static void node_hash(uint8_t out[32], const struct partial_tree *t, const struct block *b, unsigned height, uint32_t pos)
{
    uint8_t left[32], right[32];

    if (height == 0) {
        memcpy(out, b->tx[pos].txid.b, 32);
        return;
    }
    node_hash(left, t, b, height - 1, pos * 2);
    if (pos * 2 + 1 < width(t, height - 1))
        node_hash(right, t, b, height - 1, pos * 2 + 1);
    else
        memcpy(right, left, 32);
    join(out, left, right);
}

static void build(struct partial_tree *t, const struct block *b, const bool *match, unsigned height, uint32_t pos)
{
    bool parent = false;
    uint8_t h[32];

    for (uint64_t i = (uint64_t)pos << height; i < ((uint64_t)pos + 1) << height && i < t->n_tx; i++)
        parent |= match[i];
    t->bits[t->n_bits++] = parent;
    if (height == 0 || !parent) {
        node_hash(h, t, b, height, pos);
        write_bytes(&t->out, h, 32);
        t->n_hashes++;
        return;
    }
    build(t, b, match, height - 1, pos * 2);
    if (pos * 2 + 1 < width(t, height - 1))
        build(t, b, match, height - 1, pos * 2 + 1);
}

static void write_proof(struct json_writer *j, const struct block *b, const bool *match)
{
    struct partial_tree t = {.n_tx = b->n_tx};
    struct writer w = WRITER_INIT;
    size_t bytes;
    uint8_t *p;

    t.bits = xcalloc((size_t)b->n_tx * 2 + 64, 1);
    build(&t, b, match, tree_height(&t), 0);
    write_bytes(&w, b->raw, BLOCK_HEADER_SIZE);
    write_u32(&w, t.n_tx);
    write_compact_size(&w, t.n_hashes);
    write_bytes(&w, t.out.data, t.out.len);
    bytes = (t.n_bits + 7) / 8;
    write_compact_size(&w, bytes);
    p = writer_extend(&w, bytes);
    memset(p, 0, bytes);
    for (size_t i = 0; i < t.n_bits; i++)
        p[i / 8] |= (uint8_t)(t.bits[i] << (i % 8));
    jw_hex(j, w.data, w.len);
    writer_clear(&w);
    writer_clear(&t.out);
    free(t.bits);
}

struct coin_search {
    struct chain *chain;
    const struct txid *ids;
    size_t n;
    int64_t height; /* -1: none found */
};

/* An unspent output tells which block its transaction is in. */
static void find_unspent(void *arg)
{
    struct coin_search *s = arg;
    struct arena arena = ARENA_INIT;
    struct coin c;

    for (size_t i = 0; i < s->n && s->height < 0; i++) {
        struct outpoint o = {.txid = s->ids[i]};
        for (o.n = 0; o.n < MAX_BLOCK_WEIGHT / (9 * WITNESS_SCALE_FACTOR) && s->height < 0; o.n++) {
            if (chain_get_coin(s->chain, &c, &o, &arena) == RC_OK)
                s->height = c.height;
            if (arena.total > 1000000)
                arena_clear(&arena);
        }
    }
    arena_clear(&arena);
}

static bool read_ids(struct rpc_call *call, struct txid *ids, struct json_object *list)
{
    size_t n = json_object_array_length(list);

    if (n == 0)
        return rpc_error(call, RPC_INVALID_PARAMETER, "Parameter 'txids' cannot be empty");
    for (size_t i = 0; i < n; i++) {
        struct json_object *v = json_object_array_get_idx(list, i);
        if (!rpc_hash_of(call, ids[i].b, v, "txid"))
            return false;
        for (size_t k = 0; k < i; k++) {
            if (txid_equal(&ids[i], &ids[k]))
                return rpc_error(call, RPC_INVALID_PARAMETER, "Invalid parameter, duplicated txid: %s", json_object_get_string(v));
        }
    }
    return true;
}

static const struct block_entry *find_block(struct rpc_call *call, const struct txid *ids, size_t n)
{
    struct coin_search s = {.chain = call->host->chain, .ids = ids, .n = n, .height = -1};
    const struct block_entry *e;

    if (rpc_has(call, 1))
        return rpc_block_arg(call, 1, "blockhash");
    if (!rpc_on_validation(call, find_unspent, &s))
        return NULL;
    e = s.height >= 0 ? chain_at(call->host->chain, (int32_t)s.height) : NULL;
    if (!e)
        rpc_error(call, RPC_INVALID_ADDRESS_OR_KEY, "Transaction not yet in block");
    return e;
}

static void prove(struct rpc_call *call, const struct block_entry *e, const struct txid *ids, size_t n)
{
    struct block *b = NULL;
    size_t found = 0;
    bool *match;

    if (!rpc_has_data(call, e, false))
        return;
    if (chain_read_block(call->host->chain, &b, e) != RC_OK) {
        rpc_error(call, RPC_INTERNAL_ERROR, "Can't read block from disk");
        return;
    }
    match = xcalloc(b->n_tx, sizeof(bool));
    for (uint32_t i = 0; i < b->n_tx; i++) {
        for (size_t k = 0; k < n && !match[i]; k++)
            match[i] = txid_equal(&b->tx[i].txid, &ids[k]);
        found += match[i];
    }
    if (found == n)
        write_proof(&call->out, b, match);
    else
        rpc_error(call, RPC_INVALID_ADDRESS_OR_KEY, "Not all transactions found in specified or retrieved block");
    free(match);
    block_unref(b);
}

static void gettxoutproof(struct rpc_call *call)
{
    struct json_object *list = rpc_arg(call, 0);
    size_t n = json_object_array_length(list);
    struct txid *ids = xcalloc(n + 1, sizeof(*ids));
    const struct block_entry *e = NULL;

    if (read_ids(call, ids, list) && (e = find_block(call, ids, n)))
        prove(call, e, ids, n);
    free(ids);
}

/* ---- verifying ---- */

static void extract(struct partial_tree *t, uint8_t out[32], unsigned height, uint32_t pos, struct writer *ids)
{
    uint8_t left[32], right[32];
    bool parent;

    memset(out, 0, 32);
    if (t->bad || t->bits_used >= t->n_bits) {
        t->bad = true;
        return;
    }
    parent = t->bits[t->bits_used++];
    if (height == 0 || !parent) {
        if (t->hashes_used >= t->n_hashes) {
            t->bad = true;
            return;
        }
        memcpy(out, t->hashes + 32 * t->hashes_used++, 32);
        if (height == 0 && parent)
            write_bytes(ids, out, 32);
        return;
    }
    extract(t, left, height - 1, pos * 2, ids);
    if (pos * 2 + 1 < width(t, height - 1)) {
        extract(t, right, height - 1, pos * 2 + 1, ids);
        t->bad |= memcmp(left, right, 32) == 0; /* a duplicate stands for something that is not there */
    } else {
        memcpy(right, left, 32);
    }
    join(out, left, right);
}

static bool read_tree(struct partial_tree *t, struct reader *r)
{
    const uint8_t *packed;
    size_t bytes;

    t->n_tx = read_u32(r);
    t->n_hashes = (size_t)read_compact_size(r);
    if (t->n_hashes > reader_left(r) / 32)
        return false;
    t->hashes = read_bytes(r, 32 * t->n_hashes);
    packed = read_var_bytes(r, &bytes);
    if (r->failed)
        return false;
    t->n_bits = bytes * 8;
    t->bits = xmalloc(t->n_bits + 1);
    for (size_t i = 0; i < t->n_bits; i++)
        t->bits[i] = packed[i / 8] >> (i % 8) & 1;
    return true;
}

enum proof_result rpc_check_proof(struct block_header *header, uint32_t *n_tx, struct writer *ids, const uint8_t *proof, size_t len)
{
    struct reader r = reader_make(proof, len);
    struct partial_tree t = {0};
    uint8_t raw[BLOCK_HEADER_SIZE], root[32];
    bool decoded, ok;

    read_copy(&r, raw, sizeof(raw));
    block_header_decode(header, raw);
    decoded = read_tree(&t, &r);
    ok = decoded && t.n_tx > 0 && t.n_tx <= MAX_BLOCK_WEIGHT / TX_MIN_WEIGHT && t.n_hashes <= t.n_tx && t.n_bits >= t.n_hashes;
    if (ok) {
        extract(&t, root, tree_height(&t), 0, ids);
        ok = !t.bad && (t.bits_used + 7) / 8 == t.n_bits / 8 && t.hashes_used == t.n_hashes &&
             memcmp(root, header->merkle_root.b, 32) == 0;
    }
    *n_tx = t.n_tx;
    free(t.bits);
    return !decoded ? PROOF_MALFORMED : ok ? PROOF_VALID : PROOF_WRONG;
}

static void verifytxoutproof(struct rpc_call *call)
{
    struct writer ids = WRITER_INIT;
    struct block_header header;
    struct block_hash hash;
    const struct block_entry *e;
    struct entry_facts f;
    enum proof_result result;
    uint8_t *proof;
    uint32_t n_tx;
    size_t len;

    if (!rpc_bytes_of(call, &proof, &len, rpc_arg(call, 0), "proof"))
        return;
    jw_arr_begin(&call->out);
    result = rpc_check_proof(&header, &n_tx, &ids, proof, len);
    if (result == PROOF_MALFORMED)
        rpc_error(call, RPC_MISC_ERROR, "SpanReader::read(): end of data: iostream error");
    if (result == PROOF_VALID) {
        block_header_hash(&hash, &header);
        e = chain_lookup(call->host->chain, &hash);
        memset(&f, 0, sizeof(f));
        if (e)
            chain_facts(call->host->chain, e, &f);
        if (!e || !f.active || f.n_tx == 0)
            rpc_error(call, RPC_INVALID_ADDRESS_OR_KEY, "Block not found in chain");
        for (size_t i = 0; f.n_tx == n_tx && i < ids.len / 32; i++)
            jw_hash(&call->out, ids.data + 32 * i);
    }
    jw_arr_end(&call->out);
    writer_clear(&ids);
    free(proof);
}

const struct rpc_command rpc_proof_commands[] = {
    {"blockchain", "gettxoutproof", gettxoutproof,
     RPC_PARAMS({"txids", RPC_ARR, RPC_REQUIRED, NULL, "The txids to filter", "[\"txid\",...]"},
                {"blockhash", RPC_HEX, 0, NULL, "If specified, looks for txid in the block with this hash", NULL}),
     0,
     "Returns a hex-encoded proof that \"txid\" was included in a block.\n"
     "\nNOTE: By default this function only works sometimes. This is when there is an\n"
     "unspent output in the utxo for this transaction. To make it always work,\n"
     "specify the block in which the transaction is included manually (by blockhash).\n"},
    {"blockchain", "verifytxoutproof", verifytxoutproof,
     RPC_PARAMS({"proof", RPC_HEX, RPC_REQUIRED, NULL, "The hex-encoded proof generated by gettxoutproof", NULL}), 0,
     "Verifies that a proof points to a transaction in a block, returning the transaction it commits to\n"
     "and throwing an RPC error if the block is not in our best chain\n"},
    {NULL, NULL, NULL, NULL, 0, NULL}};
