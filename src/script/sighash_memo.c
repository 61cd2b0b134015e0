/* sighash_memo.c - keeps the states of an input's legacy and v0 signature hashes between its signature checks (Bitcoin Core's
 * SigHashCache). Called by the signature checks; one evaluation on one thread. */
#include "script/sighash_memo.h"

#include "util/mem.h"

#include <stdlib.h>
#include <string.h>

void sighash_memo_clear(struct sighash_memo *m)
{
    for (unsigned i = 0; i < SIGHASH_MEMO_WAYS; i++) {
        if (m->filled >> i & 1)
            free(m->entry[i].owned);
    }
    m->filled = 0;
}

/* One input's signature operations are all legacy or all v0, so that the two can share the entries. */
static unsigned way_of(int32_t hash_type)
{
    const unsigned outputs = sighash_is_single(hash_type) ? 2 : sighash_is_none(hash_type) ? 1 : 0;

    return outputs + (hash_type & SIGHASH_ANYONECANPAY ? 3 : 0);
}

static bool remembers(const struct sighash_memo *m, unsigned way, const struct script_code *code)
{
    if (!(m->filled >> way & 1) || m->entry[way].len != code->len)
        return false;
    return m->entry[way].code == code->data || memcmp(m->entry[way].code, code->data, code->len) == 0;
}

static void remember(struct sighash_memo *m, unsigned way, const struct script_code *code, const struct sha256 *state)
{
    if (m->filled >> way & 1)
        free(m->entry[way].owned);
    m->filled |= 1u << way;
    m->entry[way].owned = code->lasting ? NULL : xmemdup(code->data, code->len);
    m->entry[way].code = code->lasting ? code->data : m->entry[way].owned;
    m->entry[way].len = code->len;
    m->entry[way].state = *state;
}

void sighash_memo_hash(uint8_t out[32], struct sighash_memo *m, const struct tx *tx, uint32_t n, bool v0,
                       const struct script_code *code, int64_t amount, int32_t hash_type, const struct tx_midstate *mid)
{
    const unsigned way = way_of(hash_type);
    struct sha256 ctx;

    if (!v0 && sighash_signs_one(out, tx, n, hash_type))
        return;
    if (remembers(m, way, code)) {
        ctx = m->entry[way].state;
    } else {
        if (v0)
            sighash_v0_start(&ctx, tx, n, code->data, code->len, amount, hash_type, mid);
        else
            sighash_legacy_start(&ctx, tx, n, code->data, code->len, hash_type);
        remember(m, way, code, &ctx);
    }
    sighash_finish(out, &ctx, hash_type);
}
