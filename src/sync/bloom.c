/* bloom.c - see bloom.h. Used by filtered.c and by the relay of transactions. */
#include "sync/bloom.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "primitives/serialize.h"
#include "script/script.h"
#include "util/mem.h"

#define SEED_STEP 0xfba4c795u /* between the seeds of the hash functions */
#define UPDATE_MASK 3
#define UPDATE_ALL 1
#define UPDATE_KEYS 2
#define OUTPOINT_SIZE 36

enum bloom_result bloom_decode(struct bloom *f, const void *data, size_t len)
{
    struct reader r = reader_make(data, len);
    const uint8_t *bits = read_var_bytes(&r, &f->len);

    f->bits = NULL;
    f->n_hashes = read_u32(&r);
    f->tweak = read_u32(&r);
    f->flags = read_u8(&r);
    if (r.failed)
        return BLOOM_MALFORMED;
    if (f->len > BLOOM_MAX_BYTES || f->n_hashes > BLOOM_MAX_HASHES)
        return BLOOM_TOO_LARGE;
    if (f->len)
        f->bits = xmemdup(bits, f->len);
    return BLOOM_OK;
}

void bloom_clear(struct bloom *f)
{
    free(f->bits);
    f->bits = NULL;
    f->len = 0;
}

static uint32_t bit_of(const struct bloom *f, uint32_t k, const void *data, size_t len)
{
    return murmur3(k * SEED_STEP + f->tweak, data, len) % ((uint32_t)f->len * 8);
}

void bloom_insert(struct bloom *f, const void *data, size_t len)
{
    if (!f->len)
        return;
    for (uint32_t k = 0; k < f->n_hashes; k++) {
        uint32_t bit = bit_of(f, k, data, len);
        f->bits[bit / 8] |= (uint8_t)(1u << (bit % 8));
    }
}

bool bloom_contains(const struct bloom *f, const void *data, size_t len)
{
    if (!f->len)
        return true;
    for (uint32_t k = 0; k < f->n_hashes; k++) {
        uint32_t bit = bit_of(f, k, data, len);
        if (!(f->bits[bit / 8] >> (bit % 8) & 1))
            return false;
    }
    return true;
}

static void outpoint_bytes(uint8_t out[OUTPOINT_SIZE], const struct txid *id, uint32_t n)
{
    memcpy(out, id->b, 32);
    put_le32(out + 32, n);
}

/* Is any piece of data that the script pushes in the filter? */
static bool script_matches(const struct bloom *f, const uint8_t *script, size_t script_len)
{
    const uint8_t *pos = script, *data;
    uint8_t opcode;
    size_t len;

    while (script_next(&pos, script + script_len, &opcode, &data, &len))
        if (len && bloom_contains(f, data, len))
            return true;
    return false;
}

/* An output that the client pays attention to: so that it sees the spending too, without setting a new filter. */
static void add_output(struct bloom *f, const struct tx *tx, uint32_t n)
{
    const struct tx_out *out = &tx->out[n];
    struct script_solution solution;
    uint8_t bytes[OUTPOINT_SIZE];
    enum script_type type;

    if ((f->flags & UPDATE_MASK) == UPDATE_KEYS) {
        type = script_solve(&solution, out->script, out->script_len);
        if (type != SCRIPT_PUBKEY && type != SCRIPT_MULTISIG)
            return;
    } else if ((f->flags & UPDATE_MASK) != UPDATE_ALL) {
        return;
    }
    outpoint_bytes(bytes, &tx->txid, n);
    bloom_insert(f, bytes, sizeof(bytes));
}

bool bloom_match_tx(struct bloom *f, const struct tx *tx)
{
    bool found;
    uint8_t bytes[OUTPOINT_SIZE];

    if (!f->len)
        return true;
    found = bloom_contains(f, tx->txid.b, 32);
    for (uint32_t i = 0; i < tx->n_out; i++) {
        if (script_matches(f, tx->out[i].script, tx->out[i].script_len)) {
            found = true;
            add_output(f, tx, i);
        }
    }
    for (uint32_t i = 0; i < tx->n_in && !found; i++) {
        outpoint_bytes(bytes, &tx->in[i].prevout->txid, tx->in[i].prevout->n);
        found = bloom_contains(f, bytes, sizeof(bytes)) || script_matches(f, tx->in[i].script, tx->in[i].script_len);
    }
    return found;
}
