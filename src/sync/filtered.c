/* filtered.c - service for light clients with Bloom filters (BIP37, off unless -peerbloomfilters or the bloomfilter permission): setting the
 * filter, and blocks as a proof of the transactions that match it with these behind. Announcements are filtered in relay.c. */
#include "consensus/merkle_block.h"
#include "primitives/serialize.h"
#include "script/script.h"
#include "sync/internal.h"

/* Is the service on for the peer? Else it is disconnected, so that it looks for another node. */
static bool offered(struct sync *s, struct peer *p, const struct message *m)
{
    if (p->our_services & NODE_BLOOM)
        return true;
    log_debug(LOG_NET, "%s received despite not offering bloom services, " DISCONNECT_FMT, m->type, p->id);
    peer_disconnect(s, p);
    return false;
}

void filtered_clear(struct peer *p)
{
    if (p->bloom)
        bloom_clear(p->bloom);
    free(p->bloom);
    p->bloom = NULL;
}

void on_filterload(struct sync *s, struct peer *p, const struct message *m)
{
    struct bloom f;
    enum bloom_result result;

    if (!offered(s, p, m))
        return;
    result = bloom_decode(&f, m->payload, m->len);
    if (result == BLOOM_MALFORMED) {
        peer_malformed(p, m, "DataStream::read(): end of data");
    } else if (result == BLOOM_TOO_LARGE) {
        peer_misbehaving(p, "too-large bloom filter");
    } else if (!p->tx_relay) {
        bloom_clear(&f);
    } else {
        filtered_clear(p);
        p->bloom = xmemdup(&f, sizeof(f));
        p->relay_txs = true;
        upkeep_refuses_txs(s, p, m->type, false);
    }
}

void on_filteradd(struct sync *s, struct peer *p, const struct message *m)
{
    struct reader r = reader_make(m->payload, m->len);
    const uint8_t *data;
    size_t len;

    if (!offered(s, p, m))
        return;
    data = read_var_bytes(&r, &len);
    if (!data)
        peer_malformed(p, m, "DataStream::read(): end of data");
    else if (len > MAX_SCRIPT_ELEMENT_SIZE || (p->tx_relay && !p->bloom)) /* nothing longer can ever match */
        peer_misbehaving(p, "bad filteradd message");
    else if (p->bloom)
        bloom_insert(p->bloom, data, len);
}

void on_filterclear(struct sync *s, struct peer *p, const struct message *m)
{
    if (!offered(s, p, m) || !p->tx_relay)
        return;
    filtered_clear(p);
    p->relay_txs = true;
    upkeep_refuses_txs(s, p, m->type, false);
}

void filtered_send_block(struct sync *s, struct peer *p, const struct block *b)
{
    struct writer w = WRITER_INIT;
    bool *match;

    if (!p->bloom)
        return;
    match = xcalloc(b->n_tx, sizeof(*match));
    for (uint32_t i = 0; i < b->n_tx; i++)
        match[i] = bloom_match_tx(p->bloom, &b->tx[i]);
    merkle_block_encode(&w, b, match);
    peer_send_writer(s, p, "merkleblock", &w);
    for (uint32_t i = 0; i < b->n_tx; i++) {
        if (!match[i])
            continue;
        tx_write(&w, &b->tx[i], false);
        peer_send_writer(s, p, "tx", &w);
    }
    free(match);
}
