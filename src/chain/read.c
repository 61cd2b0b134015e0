/* read.c - reads stored blocks and undo records back. Any thread; blocking I/O. */
#include "chain/internal.h"

#include <stdlib.h>

enum rc chain_read_raw(struct chain *c, uint8_t **data, size_t *len, const struct block_entry *e)
{
    struct entry_facts f;

    chain_facts(c, e, &f);
    if (!(f.status & BLOCK_HAVE_DATA))
        return RC_NOT_FOUND;
    return blockfiles_read(c->files, data, len, f.pos);
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
