/* outline.c - a stored block's transaction ids and sizes, without making transactions of it: a list of ids takes a third of the hashing and none
 * of the memory of block_decode. Called by RPC; any thread. */
#include <stdlib.h>

#include "crypto/sha256.h"
#include "primitives/block.h"
#include "primitives/serialize.h"
#include "util/mem.h"

#define TX_MIN 10

static void skip_script(struct reader *r)
{
    uint64_t len = read_compact_size(r);

    if (!r->failed)
        (void)read_bytes(r, (size_t)len);
}

static void skip_inputs(struct reader *r, uint64_t n)
{
    for (; n && !r->failed; n--) {
        (void)read_bytes(r, 36);
        skip_script(r);
        (void)read_bytes(r, 4);
    }
}

static void skip_outputs(struct reader *r, uint64_t n)
{
    for (; n && !r->failed; n--) {
        (void)read_bytes(r, 8);
        skip_script(r);
    }
}

static void skip_witnesses(struct reader *r, uint64_t inputs)
{
    for (; inputs && !r->failed; inputs--) {
        for (uint64_t items = read_compact_size(r); items && !r->failed; items--)
            skip_script(r);
    }
}

/* Returns: the bytes of the transaction without witnesses. */
static size_t read_id(struct reader *r, struct txid *id)
{
    const uint8_t *start = r->pos, *body, *end;
    bool witness;
    struct sha256 ctx;
    uint64_t n;

    (void)read_bytes(r, 4);
    witness = reader_left(r) >= 2 && r->pos[0] == 0 && r->pos[1] == 1;
    body = r->pos + (witness ? 2 : 0);
    r->pos = body;
    n = read_compact_size(r);
    skip_inputs(r, n);
    skip_outputs(r, read_compact_size(r));
    end = r->pos;
    if (witness)
        skip_witnesses(r, n);
    (void)read_bytes(r, 4);
    if (r->failed)
        return 0;
    if (!witness) {
        sha256d(id->b, start, (size_t)(r->pos - start));
        return (size_t)(r->pos - start);
    }
    sha256_init(&ctx);
    sha256_write(&ctx, start, 4);
    sha256_write(&ctx, body, (size_t)(end - body));
    sha256_write(&ctx, r->pos - 4, 4);
    sha256d_finish(&ctx, id->b);
    return (size_t)(end - body) + 8;
}

bool block_outline_read(struct block_outline *o, const uint8_t *raw, size_t len)
{
    struct reader r = reader_make(raw, len), first;
    uint64_t n;

    *o = (struct block_outline){.arena = ARENA_INIT};
    (void)read_bytes(&r, BLOCK_HEADER_SIZE);
    n = read_compact_size(&r);
    if (r.failed || n == 0 || n > reader_left(&r) / TX_MIN || len > UINT32_MAX)
        return false;
    o->n_tx = (uint32_t)n;
    o->stripped_len = (uint32_t)(r.pos - raw);
    first = r;
    o->txid = xmalloc(o->n_tx * sizeof(*o->txid));
    for (uint32_t i = 0; i < o->n_tx && !r.failed; i++)
        o->stripped_len += (uint32_t)read_id(&r, &o->txid[i]);
    o->raw_len = (uint32_t)len;
    if (reader_done(&r) && tx_read(&o->coinbase, &first, &o->arena, true) && o->coinbase.n_in)
        return true;
    block_outline_clear(o);
    return false;
}

void block_outline_clear(struct block_outline *o)
{
    arena_clear(&o->arena);
    free(o->txid);
    o->txid = NULL;
}
