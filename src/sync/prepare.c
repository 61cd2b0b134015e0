/* prepare.c - a block of a peer made ready for the chain: decoded, or put together from the parts of a compact one, and checked ahead. Runs on the
 * host's preparing thread, so that four megabytes of hostile transactions hold up nobody else; the last step on the validation thread. */
#include "primitives/serialize.h"
#include "sync/internal.h"

/* Why a block does not decode, in Core's words: its bytes end early, or the number of its transactions is written too long. */
static const char *why_malformed(const uint8_t *bytes, size_t len)
{
    struct reader r = reader_make(bytes, len);

    read_bytes(&r, BLOCK_HEADER_SIZE);
    if (!r.failed && reader_left(&r) >= 9) {
        read_compact_u64(&r);
        if (r.failed)
            return "non-canonical ReadCompactSize()";
    }
    return "DataStream::read(): end of data";
}

static void decode_whole(struct sync_block *b)
{
    const char *problem = why_malformed(b->bytes, b->len); /* decoding takes the bytes */

    b->block = block_decode_front(b->bytes, b->len); /* as Core, whatever follows */
    b->bytes = NULL;
    if (b->block)
        return;
    b->outcome = BLOCK_MALFORMED;
    b->problem = problem;
}

/* Fills the gaps of `all` with the transactions of a blocktxn message, which live in `arena` and the bytes. */
static enum block_outcome read_missing(const struct tx **all, struct sync_block *b, struct arena *arena)
{
    struct reader r = reader_make(b->bytes, b->len);
    size_t missing = 0;
    uint64_t n = 0;

    for (uint32_t i = 0; i < b->n_parts; i++)
        missing += !b->parts[i];
    if (b->bytes) {
        read_bytes(&r, 32);
        n = read_compact_size(&r);
    }
    if (r.failed || n > reader_left(&r) / 10)
        return BLOCK_MALFORMED;
    if (n != missing)
        return BLOCK_MISMATCH;
    for (uint32_t i = 0; i < b->n_parts; i++) {
        struct tx *tx;
        all[i] = b->parts[i];
        if (all[i])
            continue;
        tx = arena_alloc(arena, sizeof(*tx));
        if (!tx_read(tx, &r, arena, true))
            return BLOCK_MALFORMED;
        all[i] = tx;
    }
    return BLOCK_READY;
}

static void log_rebuilt(const struct sync_block *b, const struct tx *const *all)
{
    uint32_t missing = b->n_parts - b->n_prefilled - b->n_pool;
    size_t bytes = 0;

    if (!log_category_is_on(LOG_CMPCTBLOCK))
        return;
    for (uint32_t i = 0; i < b->n_parts; i++)
        bytes += b->parts[i] ? 0 : all[i]->raw_len;
    log_debug(
        LOG_CMPCTBLOCK,
        "Successfully reconstructed block %s with %u txn prefilled, %u txn from mempool (incl at least %u from extra pool) and "
        "%u txn (%zu bytes) requested",
        block_hash_hex(&b->hash).s, b->n_prefilled, b->n_pool, b->n_extra, missing, bytes);
    for (uint32_t i = 0; missing < 5 && i < b->n_parts; i++)
        if (!b->parts[i])
            log_debug(LOG_CMPCTBLOCK, "Reconstructed block %s required tx %s", block_hash_hex(&b->hash).s,
                      txid_hex(&all[i]->txid).s);
}

static void assemble(struct sync_block *b)
{
    struct arena arena = ARENA_INIT;
    const struct tx **all = xmalloc(b->n_parts * sizeof(const struct tx *) + 1);

    b->problem = "DataStream::read(): end of data";
    b->outcome = read_missing(all, b, &arena);
    if (b->outcome == BLOCK_READY)
        b->block = block_assemble(&b->header, all, b->n_parts);
    if (b->outcome == BLOCK_READY && (!b->block || block_is_mutated(b->block, b->segwit)))
        b->outcome = BLOCK_NOT_REBUILT;
    if (b->outcome == BLOCK_READY)
        log_rebuilt(b, all);
    free(all);
    arena_clear(&arena);
}

static void drop_input(struct sync_block *b)
{
    for (uint32_t i = 0; b->parts && i < b->n_parts; i++)
        tx_unref(b->parts[i]);
    free(b->bytes);
    b->bytes = NULL;
    b->len = 0;
}

void sync_block_prepare(struct chain *chain, struct sync_block *b)
{
    b->outcome = BLOCK_READY;
    if (b->parts)
        assemble(b);
    else
        decode_whole(b);
    drop_input(b);
    b->n_parts = 0;
    if (b->outcome == BLOCK_READY && chain)
        chain_precheck(chain, b->block, &b->pre);
}

void sync_block_free(struct sync_block *b)
{
    if (!b)
        return;
    drop_input(b);
    free(b->parts);
    block_unref(b->block);
    free(b);
}

static bool mutated(const struct verdict *why, struct verdict *v)
{
    char text[VERDICT_STRING_SIZE];
    log_debug(LOG_VALIDATION, "Block mutated: %s", verdict_string(why, text));
    return verdict_invalid(v, BLOCK_MUTATED, "mutated block", NULL);
}

bool sync_block_precheck(struct chain *chain, const struct u256 *min_chain_work, struct sync_block *b, bool *min_pow_checked)
{
    const struct block_header *h = &b->block->header;
    const struct block_entry *prev = chain_lookup(chain, &h->prev);
    struct block_precheck *pre = &b->pre;
    struct u256 work, least;

    *min_pow_checked = false;
    verdict_init(&b->verdict);
    if (!prev)
        return true;
    if (pre->verdict.kind == VERDICT_VALID && !pre->context_done)
        chain_precheck(chain, b->block, pre);
    if (pre->verdict.code == BLOCK_MUTATED)
        return mutated(&pre->verdict, &b->verdict);
    if (pre->context_done && pre->context.code == BLOCK_MUTATED)
        return mutated(&pre->context, &b->verdict);
    work = u256_add(prev->node.chain_work, work_from_bits(h->bits));
    least = headers_work_threshold(chain, min_chain_work);
    *min_pow_checked = u256_cmp(work, least) >= 0;
    return true;
}
