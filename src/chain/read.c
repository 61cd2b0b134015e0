/* read.c - reads stored blocks, undo records and single transactions back. Any thread; blocking I/O. */
#include "chain/internal.h"

#include <stdlib.h>

#include "util/mem.h"

enum rc chain_read_raw(struct chain *c, uint8_t **data, size_t *len, const struct block_entry *e)
{
    struct entry_facts f;

    chain_facts(c, e, &f);
    if (!(f.status & BLOCK_HAVE_DATA))
        return RC_NOT_FOUND;
    return blockfiles_read(c->files, data, len, f.pos);
}

enum rc chain_read_raw_cached(struct chain *c, uint8_t *out, size_t *len, size_t cap, const struct block_entry *e)
{
    struct entry_facts f;

    chain_facts(c, e, &f);
    return f.status & BLOCK_HAVE_DATA ? blockfiles_read_cached(c->files, out, len, cap, f.pos) : RC_NOT_FOUND;
}

enum rc chain_read_part(struct chain *c, uint8_t *out, const struct block_entry *e, uint32_t offset, uint32_t len)
{
    struct entry_facts f;

    chain_facts(c, e, &f);
    return f.status & BLOCK_HAVE_DATA ? blockfiles_read_part(c->files, out, f.pos, offset, len) : RC_NOT_FOUND;
}

bool chain_files_exist(struct chain *c, const struct block_entry *e, bool undo)
{
    struct entry_facts f;

    chain_facts(c, e, &f);
    if (!(f.status & BLOCK_HAVE_DATA) || !blockfiles_exists(c->files, (unsigned)f.pos.file, false))
        return false;
    return !undo || (f.status & BLOCK_HAVE_UNDO && blockfiles_exists(c->files, (unsigned)f.pos.file, true));
}

enum rc chain_read_block(struct chain *c, struct block **out, const struct block_entry *e)
{
    struct block *b;
    uint8_t *data;
    size_t len;
    enum rc rc = chain_read_raw(c, &data, &len, e);

    if (rc != RC_OK)
        return rc;
    b = block_decode_front(data, len); /* an imported record may be longer than its block */
    if (!b)
        return RC_CORRUPT;
    if (!block_hash_equal(&b->hash, &e->node.hash)) {
        block_unref(b);
        return RC_CORRUPT;
    }
    *out = b;
    return RC_OK;
}

enum rc chain_read_undo(struct chain *c, struct block_undo **out, const struct block_entry *e)
{
    struct entry_facts f;
    uint8_t *data;
    size_t len;
    enum rc rc;

    chain_facts(c, e, &f);
    if (!(f.status & BLOCK_HAVE_UNDO) || !e->node.prev)
        return RC_NOT_FOUND;
    rc = blockfiles_read_undo(c->files, &data, &len, f.pos.file, f.undo_pos, &e->node.prev->hash);
    if (rc != RC_OK)
        return rc;
    *out = block_undo_decode(data, len);
    free(data);
    return *out ? RC_OK : RC_CORRUPT;
}

/* Decodes the transaction that these bytes begin with. Returns: NULL if they do not hold a whole one. */
static struct tx *decode_first(const uint8_t *data, size_t len)
{
    struct arena arena = ARENA_INIT;
    struct reader r = reader_make(data, len);
    struct tx probe, *tx = NULL;

    if (tx_read(&probe, &r, &arena, true))
        tx = tx_decode_as(data, (size_t)(r.pos - data), true);
    arena_clear(&arena);
    return tx;
}

/* Most transactions are short: the rest of the block is read only for those that are not. */
static enum rc read_tx(struct chain *c, struct tx **tx, struct disk_pos block, uint32_t offset)
{
    static const size_t steps[] = {2048, 65536, MAX_BLOCK_SERIALIZED_SIZE};
    enum rc rc = RC_CORRUPT;

    *tx = NULL;
    for (size_t i = 0; i < ARRAY_LEN(steps) && !*tx; i++) {
        uint8_t *data = xmalloc(steps[i]);
        size_t len;

        rc = blockfiles_read_some(c->files, data, &len, steps[i], block, offset);
        if (rc == RC_OK) {
            *tx = decode_first(data, len);
            rc = *tx ? RC_OK : RC_CORRUPT;
        }
        free(data);
        if (rc != RC_OK && (rc != RC_CORRUPT || len < steps[i]))
            break;
    }
    return rc == RC_INVALID ? RC_CORRUPT : rc;
}

enum rc chain_read_tx(struct chain *c, struct tx **tx, const struct block_entry *e, uint32_t offset)
{
    struct entry_facts f;

    *tx = NULL;
    chain_facts(c, e, &f);
    return f.status & BLOCK_HAVE_DATA ? read_tx(c, tx, f.pos, offset) : RC_NOT_FOUND;
}

enum rc chain_read_tx_at(struct chain *c, struct tx **tx, const struct block_entry **e, struct disk_pos block, uint32_t offset)
{
    uint8_t bytes[BLOCK_HEADER_SIZE];
    struct block_header header;
    struct block_hash hash;
    struct entry_facts f;
    enum rc rc = blockfiles_read_part(c->files, bytes, block, 0, sizeof(bytes));

    *tx = NULL;
    if (rc != RC_OK)
        return rc == RC_CORRUPT ? RC_INVALID : rc;
    block_header_decode(&header, bytes);
    block_header_hash(&hash, &header);
    *e = chain_lookup(c, &hash);
    if (!*e)
        return RC_INVALID;
    chain_facts(c, *e, &f);
    if (!(f.status & BLOCK_HAVE_DATA) || f.pos.file != block.file || f.pos.pos != block.pos)
        return RC_INVALID;
    return read_tx(c, tx, block, offset);
}
