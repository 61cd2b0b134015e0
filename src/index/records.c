/* records.c - encodes and decodes the rows of the transaction and the spender index. Pure; any thread. */
#include "records.h"

#include "primitives/serialize.h"

void tx_position_encode(struct writer *w, const struct tx_position *at)
{
    write_varint(w, (uint64_t)at->block.file);
    write_varint(w, at->block.pos);
    write_varint(w, at->offset);
}

bool tx_position_decode(struct tx_position *at, struct reader *r)
{
    uint32_t file = read_varint32(r);

    if (file > INT32_MAX)
        reader_fail(r);
    at->block.file = (int32_t)file;
    at->block.pos = read_varint32(r);
    at->offset = read_varint32(r);
    return !r->failed;
}

void tx_row_prefix(struct writer *w, uint64_t hash)
{
    uint8_t bytes[8];

    put_be64(bytes, hash);
    write_u8(w, 'x');
    write_bytes(w, bytes + 8 - TX_ROW_HASH_BYTES, TX_ROW_HASH_BYTES);
}

void tx_row_encode(struct writer *w, const struct tx_row *row)
{
    uint8_t offset[4];

    tx_row_prefix(w, row->hash);
    write_varint(w, row->number);
    put_be32(offset, row->offset);
    write_bytes(w, offset + 1, 3);
}

bool tx_row_decode(struct tx_row *row, struct reader *r)
{
    uint8_t hash[8] = {0}, offset[4] = {0};

    if (read_u8(r) != 'x')
        reader_fail(r);
    read_copy(r, hash + 8 - TX_ROW_HASH_BYTES, TX_ROW_HASH_BYTES);
    row->hash = get_be64(hash);
    row->number = read_varint32(r);
    read_copy(r, offset + 1, 3);
    row->offset = get_be32(offset);
    return reader_done(r);
}

void block_number_key(struct writer *w, uint32_t number)
{
    write_u8(w, 's');
    write_varint(w, number);
}

void spender_row_prefix(struct writer *w, uint64_t hash)
{
    write_u8(w, 's');
    write_u64(w, hash);
}

void spender_row_encode(struct writer *w, const struct spender_row *row)
{
    spender_row_prefix(w, row->hash);
    tx_position_encode(w, &row->at);
}

bool spender_row_decode(struct spender_row *row, struct reader *r)
{
    if (read_u8(r) != 's')
        reader_fail(r);
    row->hash = read_u64(r);
    return tx_position_decode(&row->at, r) && reader_done(r);
}
