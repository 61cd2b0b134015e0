/* merkle_block.c - partial Merkle trees (BIP37): a block's header with as much of its tree as proves some of its transactions. Made for
 * merkleblock messages and gettxoutproof, checked for verifytxoutproof. Pure; any thread. */
#include "consensus/merkle_block.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/sha256.h"
#include "primitives/serialize.h"
#include "util/mem.h"

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

void merkle_block_encode(struct writer *w, const struct block *b, const bool *match)
{
    struct partial_tree t = {.n_tx = b->n_tx};
    size_t bytes;
    uint8_t *p;

    t.bits = xcalloc((size_t)b->n_tx * 2 + 64, 1);
    build(&t, b, match, tree_height(&t), 0);
    write_bytes(w, b->raw, BLOCK_HEADER_SIZE);
    write_u32(w, t.n_tx);
    write_compact_size(w, t.n_hashes);
    write_bytes(w, t.out.data, t.out.len);
    bytes = (t.n_bits + 7) / 8;
    write_compact_size(w, bytes);
    p = writer_extend(w, bytes);
    memset(p, 0, bytes);
    for (size_t i = 0; i < t.n_bits; i++)
        p[i / 8] |= (uint8_t)(t.bits[i] << (i % 8));
    writer_clear(&t.out);
    free(t.bits);
}

/* ---- checking ---- */

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

enum merkle_block_result merkle_block_check(struct block_header *header, uint32_t *n_tx, struct writer *ids, const uint8_t *data,
                                            size_t len)
{
    struct reader r = reader_make(data, len);
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
    return !decoded ? MERKLE_BLOCK_MALFORMED : ok ? MERKLE_BLOCK_VALID : MERKLE_BLOCK_WRONG;
}
