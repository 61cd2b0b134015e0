/* sequence.c - relative lock times (BIP68): until when an input's age keeps a transaction out of a block. Called by block connection
 * and the memory pool; pure, any thread. */
#include "consensus/check.h"

#define SEQUENCE_DISABLE (1u << 31)
#define SEQUENCE_IS_TIME (1u << 22)
#define SEQUENCE_MASK 0xffffu
#define SEQUENCE_TIME_SHIFT 9 /* units of 512 seconds */

struct sequence_lock sequence_locks(const struct tx *tx, const uint32_t *coin_heights, bool enforce,
                                    const struct sequence_source *src)
{
    struct sequence_lock lock = {-1, -1};
    if (!enforce || tx->version < 2)
        return lock;
    for (uint32_t i = 0; i < tx->n_in; i++) {
        uint32_t sequence = tx->in[i].sequence;
        int64_t count = sequence & SEQUENCE_MASK;
        if (sequence & SEQUENCE_DISABLE)
            continue;
        /* One less than the first height or time that would do, as nLockTime means it. */
        if (sequence & SEQUENCE_IS_TIME) {
            int64_t start = src->known ? src->known[i] : src->mtp_before(src->ctx, coin_heights[i]);
            int64_t until = start + (count << SEQUENCE_TIME_SHIFT) - 1;
            if (start >= 0 && until > lock.time)
                lock.time = until;
        } else if (coin_heights[i] != COIN_HEIGHT_UNKNOWN) {
            int64_t until = (int64_t)coin_heights[i] + count - 1;
            if (until > lock.height)
                lock.height = until < INT32_MAX ? (int32_t)until : INT32_MAX;
        }
    }
    return lock;
}
