/* progress.c - how far the chain is, as a fraction and in the log. Any thread. */
#include "chain/internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "util/time.h"

double log2_work(const struct block_entry *e)
{
    return log(u256_to_double(e->node.chain_work)) / log(2.0);
}

double chain_progress(struct chain *c, const struct block_entry *e)
{
    const struct chain_params *p = c->params;
    const struct block_entry *best = best_header_of(c);
    int64_t now = time_now(), block_time;
    struct entry_facts facts;
    double total, done;

    if (!e)
        return 0.0;
    chain_facts(c, e, &facts);
    if (!facts.chain_tx)
        return 0.0;
    done = (double)facts.chain_tx;
    block_time = e->node.time;
    /* Near the present the number of headers left says more than a miner's clock. */
    if (best && best->node.height >= e->node.height && llabs(now - block_time) <= 2 * 60 * 60)
        block_time = now - (int64_t)(best->node.height - e->node.height) * p->pow_spacing;
    if (facts.chain_tx <= p->tx_known_count)
        total = (double)p->tx_known_count + (double)(now - p->tx_known_time) * p->tx_rate;
    else
        total = done + (double)(now - block_time) * p->tx_rate;
    return done / total < 1.0 ? done / total : 1.0;
}

void log_update_tip(struct chain *c, const struct block_entry *tip)
{
    struct hash_hex hash = block_hash_hex(&tip->node.hash);
    struct log_event event =
        LOG_EVENT("tip", {"hash", hash.s, 0}, {"height", NULL, tip->node.height}, {"txs", NULL, (int64_t)tip->chain_tx});
    char date[32];

    time_format_iso(date, sizeof(date), tip->node.time);
    event.unlimited = true; /* it comes often in initial download */
    log_event(LOG_LEVEL_INFO, LOG_NONE, event,
              "UpdateTip: new best=%s height=%d version=0x%08x log2_work=%f tx=%" PRIu64
              " date='%s' progress=%f cache=%.1fMiB(%zutxo)",
              hash.s, tip->node.height, (unsigned)tip->node.version, log2_work(tip), tip->chain_tx, date, chain_progress(c, tip),
              (double)coins_bytes(c->coins) / 1048576.0, coins_count(c->coins));
}
