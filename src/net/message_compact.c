/* message_compact.c - codecs of compact blocks (BIP152). Pure; called by sync, and by its workers for what is decoded off the loop. */
#include "net/message_compact.h"

#include <stdlib.h>

#include "crypto/hash.h"
#include "crypto/sha256.h"
#include "primitives/serialize.h"
#include "util/assert.h"
#include "util/mem.h"

#define SHORT_ID_LEN 6
#define PREFILLED_MIN 11 /* bytes: a place, and the least that a transaction takes */

static const char end_of_data[] = "DataStream::read(): end of data";

void cmpct_key_init(struct cmpct_key *key, const uint8_t header[80], uint64_t nonce)
{
    uint8_t bytes[BLOCK_HEADER_SIZE + 8], hash[32];

    memcpy(bytes, header, BLOCK_HEADER_SIZE);
    put_le64(bytes + BLOCK_HEADER_SIZE, nonce);
    sha256(hash, bytes, sizeof(bytes));
    key->k0 = get_le64(hash);
    key->k1 = get_le64(hash + 8);
}

uint64_t cmpct_short_id(const struct cmpct_key *key, const struct wtxid *id)
{
    return siphash_hash(key->k0, key->k1, id->b) & (((uint64_t)1 << CMPCT_SHORT_ID_BITS) - 1);
}

static uint64_t get_short_id(const uint8_t *p)
{
    return (uint64_t)get_le32(p) | (uint64_t)get_le16(p + 4) << 32;
}

static bool read_short_ids(struct msg_cmpctblock *m, struct reader *r)
{
    uint64_t n = read_compact_size(r);

    if (r->failed || n > reader_left(r) / SHORT_ID_LEN)
        return false;
    m->short_ids = xmalloc(n * sizeof(*m->short_ids) + 1);
    m->n_short = (size_t)n;
    for (size_t i = 0; i < m->n_short; i++)
        m->short_ids[i] = get_short_id(read_bytes(r, SHORT_ID_LEN));
    return true;
}

static bool read_prefilled(struct msg_cmpctblock *m, struct reader *r, const char **problem)
{
    uint64_t n = read_compact_size(r);

    if (r->failed || n > reader_left(r) / PREFILLED_MIN)
        return false;
    if (m->n_short + n > CMPCT_MAX_TXS) {
        *problem = "indexes overflowed 16 bits";
        return false;
    }
    m->heavy = n > CMPCT_MAX_PREFILLED || (n > 0 && reader_left(r) > CMPCT_MAX_PREFILLED_BYTES);
    if (m->heavy) {
        read_bytes(r, reader_left(r));
        return true;
    }
    m->prefilled = xmalloc(n * sizeof(*m->prefilled) + 1);
    for (uint64_t i = 0; i < n; i++) {
        struct arena arena = ARENA_INIT;
        struct tx view, *tx = NULL;
        uint64_t skip = read_compact_size(r);
        if (!r->failed && skip > UINT16_MAX) {
            *problem = "CompactSize exceeds limit of type";
            return false;
        }
        if (tx_read(&view, r, &arena, true))
            tx = tx_clone(&view);
        arena_clear(&arena);
        if (!tx)
            return false;
        m->prefilled[m->n_prefilled++] = (struct cmpct_prefilled){(uint16_t)skip, tx};
    }
    return true;
}

bool msg_cmpctblock_decode(struct msg_cmpctblock *m, const void *data, size_t len, const char **problem)
{
    struct reader r = reader_make(data, len);
    const uint8_t *header = read_bytes(&r, BLOCK_HEADER_SIZE);

    memset(m, 0, sizeof(*m));
    *problem = end_of_data;
    m->nonce = read_u64(&r);
    if (r.failed)
        return false;
    block_header_decode(&m->header, header);
    sha256d(m->hash.b, header, BLOCK_HEADER_SIZE);
    cmpct_key_init(&m->key, header, m->nonce);
    if (read_short_ids(m, &r) && read_prefilled(m, &r, problem)) {
        m->wire_len = len - reader_left(&r);
        return true;
    }
    msg_cmpctblock_clear(m);
    return false;
}

void msg_cmpctblock_clear(struct msg_cmpctblock *m)
{
    for (size_t i = 0; i < m->n_prefilled; i++)
        tx_unref(m->prefilled[i].tx);
    free(m->prefilled);
    free(m->short_ids);
    memset(m, 0, sizeof(*m));
}

void msg_cmpctblock_encode(struct writer *w, const struct block *b, uint64_t nonce)
{
    struct cmpct_key key;

    ASSERT(b->n_tx > 0 && b->n_tx <= CMPCT_MAX_TXS);
    write_bytes(w, b->raw, BLOCK_HEADER_SIZE);
    write_u64(w, nonce);
    cmpct_key_init(&key, b->raw, nonce);
    write_compact_size(w, b->n_tx - 1);
    for (uint32_t i = 1; i < b->n_tx; i++) {
        uint64_t id = cmpct_short_id(&key, &b->tx[i].wtxid);
        write_u32(w, (uint32_t)id);
        write_u16(w, (uint16_t)(id >> 32));
    }
    write_compact_size(w, 1);
    write_compact_size(w, 0);
    tx_write(w, &b->tx[0], true);
}

bool msg_getblocktxn_decode(struct msg_getblocktxn *m, const void *data, size_t len, const char **problem)
{
    struct reader r = reader_make(data, len);
    uint64_t n, place = 0;

    memset(m, 0, sizeof(*m));
    *problem = end_of_data;
    read_copy(&r, m->hash.b, 32);
    n = read_compact_size(&r);
    if (r.failed || n > reader_left(&r))
        return false;
    m->indexes = xmalloc((n < CMPCT_MAX_TXS + 1 ? n : CMPCT_MAX_TXS + 1) * sizeof(*m->indexes) + 1);
    for (uint64_t i = 0; i < n; i++) {
        place += read_compact_size(&r);
        if (r.failed)
            break;
        if (place > UINT16_MAX) {
            *problem = "differential value overflow";
            reader_fail(&r);
            break;
        }
        m->indexes[m->n++] = (uint16_t)place++;
    }
    if (!r.failed)
        return true;
    free(m->indexes);
    memset(m, 0, sizeof(*m));
    return false;
}

void msg_getblocktxn_encode(struct writer *w, const struct block_hash *hash, const uint16_t *indexes, size_t n)
{
    write_bytes(w, hash->b, 32);
    write_compact_size(w, n);
    for (size_t i = 0; i < n; i++)
        write_compact_size(w, i ? (uint64_t)indexes[i] - indexes[i - 1] - 1 : indexes[i]);
}

void msg_blocktxn_encode(struct writer *w, const struct block *b, const uint16_t *indexes, size_t n)
{
    write_bytes(w, b->hash.b, 32);
    write_compact_size(w, n);
    for (size_t i = 0; i < n; i++) {
        ASSERT(indexes[i] < b->n_tx);
        tx_write(w, &b->tx[indexes[i]], true);
    }
}
