/* lagging.c - outbound peers whose chain stays behind ours are asked once more, then let go (Bitcoin Core's ConsiderEviction). */
#include "sync/internal.h"

#define CHAIN_SYNC_TIMEOUT (20 * 60) /* s */

static int work_cmp(const struct block_entry *a, const struct block_entry *b)
{
    return u256_cmp(a->node.chain_work, b->node.chain_work);
}

static void timed_out(struct sync *s, struct peer *p, int64_t now)
{
    struct hash_hex hex = {"<none>"};
    const char *best = hex.s;

    if (p->best_known)
        hex = block_hash_hex(&p->best_known->node.hash);
    if (p->lag_getheaders_sent) {
        log_info("Outbound peer has old chain, best known block = %s, " DISCONNECT_FMT, best, p->id);
        peer_disconnect(s, p);
        return;
    }
    headers_request(s, p, p->lag_work->node.prev ? entry_prev(p->lag_work) : p->lag_work);
    log_debug(LOG_NET,
              "sending getheaders to outbound peer=%" PRId64 " to verify chain work (current best known block:%s, benchmark "
              "blockhash: %s)",
              p->id, best, block_hash_hex(&p->lag_work->node.hash).s);
    p->lag_getheaders_sent = true;
    p->lag_timeout = now + HEADERS_RESPONSE_TIME;
}

void lagging_flush(struct sync *s, struct peer *p)
{
    const struct block_entry *tip = chain_tip(s->o.chain);
    int64_t now = time_now();

    if (p->lag_protected || !peer_is_outbound_auto(p) || !p->sync_started)
        return;
    if (p->best_known && work_cmp(p->best_known, tip) >= 0) {
        p->lag_timeout = 0;
        p->lag_work = NULL;
        p->lag_getheaders_sent = false;
    } else if (!p->lag_timeout || (p->lag_work && p->best_known && work_cmp(p->best_known, p->lag_work) >= 0)) {
        p->lag_timeout = now + CHAIN_SYNC_TIMEOUT;
        p->lag_work = tip;
        p->lag_getheaders_sent = false;
    } else if (now > p->lag_timeout) {
        timed_out(s, p, now);
    }
}
