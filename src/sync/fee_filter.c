/* fee_filter.c - the feefilter messages that we send (BIP133): what our mempool would refuse, rounded so that it does not identify us, seldom and
 * at random times. Loop thread. */
#include "sync/internal.h"

#define INTERVAL (600 * US)
#define MAX_DELAY (300 * US) /* after a large change */
#define MAX_RATE 1e7
#define STEP 1.1

/* Rounds a rate to one of a few steps (each 10% over the last), up or down at random. */
static int64_t round_rate(struct sync *s, int64_t rate)
{
    int64_t first = s->o.incremental_fee_rate / 2;
    double below = 0, step = first > 1 ? (double)first : 1;

    while (step <= MAX_RATE && step < (double)rate) {
        below = step;
        step *= STEP;
    }
    if (step > MAX_RATE || (rate > 0 && rng_below(&s->rng, 3) != 0))
        return (int64_t)below;
    return rate > 0 ? (int64_t)step : 0;
}

void sync_set_mempool_fee_rate(struct sync *s, int64_t rate)
{
    s->mempool_fee_rate = rate;
}

void relay_fee_filter(struct sync *s, struct peer *p)
{
    int64_t now, want = s->mempool_fee_rate;

    if (s->o.blocks_only || p->common_version < FEEFILTER_VERSION || peer_has(p, PERM_FORCERELAY) ||
        p->facts.type == CONN_BLOCK_RELAY)
        return;
    if (!s->max_fee_filter)
        s->max_fee_filter = round_rate(s, MAX_MONEY);
    now = time_now_us();
    if (chain_initial_download(s->o.chain))
        want = MAX_MONEY; /* nothing that they could send is of use yet */
    else if (p->fee_filter_sent == s->max_fee_filter)
        p->next_fee_filter = 0;
    if (now > p->next_fee_filter) {
        int64_t rate = round_rate(s, want);
        struct writer w = WRITER_INIT;
        if (rate < s->o.min_fee_rate)
            rate = s->o.min_fee_rate;
        if (rate != p->fee_filter_sent) {
            write_u64(&w, (uint64_t)rate);
            peer_send_writer(s, p, "feefilter", &w);
            p->fee_filter_sent = rate;
        }
        p->next_fee_filter = now + trickle_random_delay(s, INTERVAL);
    } else if (now + MAX_DELAY < p->next_fee_filter && (want < 3 * p->fee_filter_sent / 4 || want > 4 * p->fee_filter_sent / 3)) {
        p->next_fee_filter = now + (int64_t)rng_below(&s->rng, MAX_DELAY);
    }
}
