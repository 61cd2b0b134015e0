/* peer.c - a peer's life: connection, sending, punishment, what is due at each flush, and what RPC shows of it. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "primitives/serialize.h"
#include "sync/internal.h"

#define ADDR_FETCH_TIMEOUT 300 /* s */
#define GETDATA_PART 1000
#define KNOWN_TXS 12000 /* in each of two generations: what all of the network brings in a quarter of an hour */

const char *connection_type_name(enum connection_type t)
{
    static const char *const names[] = {"inbound",          "outbound-full-relay", "manual",           "feeler",
                                        "block-relay-only", "addr-fetch",          "private-broadcast"};
    return names[t];
}

void sync_peer_connected(struct sync *s, peer_id peer, const struct peer_facts *facts)
{
    struct peer *p = xcalloc(1, sizeof(*p));

    p->id = peer;
    p->facts = *facts;
    p->connected = time_now();
    p->our_services = s->o.local_services;
    if (peer_has(p, PERM_BLOOM))
        p->our_services |= NODE_BLOOM;
    p->nonce = rng_u64(&s->rng) | 1;
    p->starting_height = -1;
    p->ping_last = p->ping_min = -1;
    p->headers_timeout = INT64_MAX;
    p->last_inv_sequence = 1;
    p->addr_tokens = 1.0;
    p->addr_tokens_time = time_now_us();
    recent_init_small(&p->tx_known, KNOWN_TXS);
    p->announcer = tx_announcer_new(s->requests, peer, p);
    HASH_ADD(hh, s->peers, id, sizeof(p->id), p);
    log_debug(LOG_NET, "Added connection peer=%" PRId64, p->id);
    if (!peer_inbound(p))
        handshake_send_version(s, p);
}

void peer_free(struct sync *s, struct peer *p)
{
    HASH_DEL(s->peers, p);
    backlog_forget_peer(s, p);
    tx_announcer_free(s->requests, p->announcer);
    orphanage_remove_peer(s->orphanage, p->id);
    tx_unref(p->private_tx);
    free(p->held_payload);
    free(p->in_flight);
    compact_peer_free(p);
    free(p->getdata);
    hash_list_clear(&p->announce_headers);
    hash_list_clear(&p->announce_inv);
    recent_clear(&p->tx_known);
    addr_clear(p);
    filtered_clear(p);
    filters_clear(p);
    presync_end(p);
    free(p);
}

void sync_peer_disconnected(struct sync *s, peer_id peer)
{
    struct peer *p = sync_peer(s, peer);

    if (!p)
        return;
    if (p->sync_started)
        s->n_sync_started--;
    headers_no_hope(s, p);
    s->n_preferred -= p->preferred;
    s->n_lag_protected -= p->lag_protected;
    if (p->handshake_done && p->wtxid_relay)
        s->n_wtxid_peers--;
    download_forget_peer(s, p);
    compact_forget_peer(s, p);
    reconcile_forget(p);
    private_forget_peer(s, p);
    log_event(LOG_LEVEL_DEBUG, LOG_NET, LOG_EVENT("peer_disconnected", {"peer", NULL, p->id}),
              "Cleared nodestate for peer=%" PRId64, p->id);
    peer_free(s, p);
    sync_settle(s);
}

bool peer_checks_inactivity(const struct sync *s, const struct peer *p)
{
    return p->connected + s->o.peer_timeout < time_now();
}

void peer_send(struct sync *s, struct peer *p, const char *type, const void *payload, size_t len)
{
    if (p->closing)
        return;
    if (peer_private(p) && !private_may_send(type)) {
        log_debug(LOG_PRIVATEBROADCAST, "Omitting send of message '%s', peer=%" PRId64, type, p->id);
        return;
    }
    log_debug(LOG_NET, "sending %s (%zu bytes) peer=%" PRId64, type, len, p->id);
    p->last_send = time_now();
    s->o.host.send(s->o.host.ctx, p->id, type, payload, len);
}

void peer_send_writer(struct sync *s, struct peer *p, const char *type, struct writer *w)
{
    peer_send(s, p, type, w->data, w->len);
    writer_clear(w);
}

void peer_disconnect(struct sync *s, struct peer *p)
{
    if (p->closing)
        return;
    p->closing = true;
    s->o.host.disconnect(s->o.host.ctx, p->id);
}

void peer_misbehaving(struct peer *p, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    p->should_discourage = true;
    log_debug(LOG_NET, "Misbehaving: peer=%" PRId64 "%s%s", p->id, text[0] ? ": " : "", text);
}

void peer_malformed(const struct peer *p, const struct message *m, const char *what)
{
    log_debug(LOG_NET, "ProcessMessages(%s, %zu bytes): Exception '%s' caught, peer=%" PRId64, m->type, m->len, what, p->id);
}

/* Returns: true if the peer is to go. */
static bool act_on_misbehaviour(struct sync *s, struct peer *p)
{
    if (!p->should_discourage)
        return false;
    p->should_discourage = false;
    if (peer_has(p, PERM_NOBAN)) {
        log_warning("Not punishing noban peer %" PRId64 "!", p->id);
        return false;
    }
    if (p->facts.type == CONN_MANUAL) {
        log_warning("Not punishing manually connected peer %" PRId64 "!", p->id);
        return false;
    }
    p->closing = true;
    s->o.host.discourage(s->o.host.ctx, p->id);
    return true;
}

struct peer_wire peer_wire_of(const struct sync *s, const struct peer *p)
{
    struct peer_wire w = {p->last_send, p->last_recv, "v1"};
    if (s->o.host.wire)
        s->o.host.wire(s->o.host.ctx, p->id, &w);
    return w;
}

/* Core's InactivityCheck. Returns: true if the peer was dropped. */
static bool check_inactivity(struct sync *s, struct peer *p)
{
    int64_t now = time_now();
    struct peer_wire w;

    if (!peer_checks_inactivity(s, p))
        return false;
    w = peer_wire_of(s, p);
    if (!w.last_recv || !w.last_send)
        log_debug(LOG_NET, "socket no message in first %" PRId64 " seconds%s%s, " DISCONNECT_FMT, s->o.peer_timeout,
                  w.last_recv ? "" : ", never received from peer", w.last_send ? "" : ", never sent to peer", p->id);
    else if (now > w.last_send + INACTIVITY_TIMEOUT)
        log_debug(LOG_NET, "socket sending timeout: %" PRId64 "s, " DISCONNECT_FMT, now - w.last_send, p->id);
    else if (now > w.last_recv + INACTIVITY_TIMEOUT)
        log_debug(LOG_NET, "socket receive timeout: %" PRId64 "s, " DISCONNECT_FMT, now - w.last_recv, p->id);
    else if (!p->handshake_done)
        log_debug(LOG_NET, "%s handshake timeout, " DISCONNECT_FMT, w.transport[0] == 'd' ? "V2" : "version", p->id);
    else
        return false;
    peer_disconnect(s, p);
    return true;
}

void peer_send_getdata(struct sync *s, struct peer *p, struct writer *items, size_t n)
{
    struct writer w = WRITER_INIT;

    for (size_t i = 0; i < n;) {
        size_t part = n - i > GETDATA_PART ? GETDATA_PART : n - i;
        write_compact_size(&w, part);
        write_bytes(&w, items->data + i * 36, part * 36);
        peer_send_writer(s, p, "getdata", &w);
        i += part;
    }
    writer_clear(items);
}

/* Asks for blocks and transactions in one getdata. */
static void flush_getdata(struct sync *s, struct peer *p, bool may_sync)
{
    struct writer items = WRITER_INIT;
    size_t n = 0;

    download_flush(s, p, may_sync, &items, &n);
    tx_fetch_flush(s, p, &items, &n);
    peer_send_getdata(s, p, &items, n);
}

void peer_flush(struct sync *s, struct peer *p)
{
    bool may_sync;

    if (peer_private(p)) {
        private_flush(s, p);
        return;
    }
    if (p->closing || act_on_misbehaviour(s, p) || check_inactivity(s, p))
        return;
    if (!p->handshake_done)
        return;
    if (p->facts.type == CONN_ADDR_FETCH && time_now() - p->connected > ADDR_FETCH_TIMEOUT) {
        log_debug(LOG_NET, "addrfetch connection timeout, " DISCONNECT_FMT, p->id);
        peer_disconnect(s, p);
        return;
    }
    ping_flush(s, p);
    if (p->closing)
        return;
    addr_flush(s, p);
    handshake_flush(s, p);
    /* Initial sync goes with peers that we chose; with others only when there is none of those or nothing is under way. */
    may_sync = p->preferred ||
               (peer_serves_blocks(p) && p->facts.type != CONN_ADDR_FETCH && (s->n_preferred == 0 || s->n_requested_blocks == 0));
    headers_flush(s, p, may_sync);
    announce_flush(s, p);
    relay_flush(s, p);
    download_check_stall(s, p);
    if (!p->closing)
        headers_check_timeout(s, p);
    if (!p->closing)
        lagging_flush(s, p);
    if (p->closing)
        return;
    flush_getdata(s, p, may_sync);
    relay_fee_filter(s, p);
}

static void info_fill(const struct sync *s, const struct peer *p, struct peer_info *i)
{
    memset(i, 0, sizeof(*i));
    i->id = p->id;
    i->facts = p->facts;
    i->services = p->services;
    i->relay_txs = p->tx_relay && p->relay_txs;
    i->bip152_hb_to = p->hb_to;
    i->bip152_hb_from = p->hb_from;
    i->addr_relay_enabled = p->addr_relay;
    i->last_send = p->last_send;
    i->last_recv = p->last_recv;
    i->last_transaction = p->last_tx;
    i->last_block = p->last_block;
    i->conn_time = p->connected;
    i->time_offset = p->time_offset;
    i->ping_us = p->ping_last;
    i->min_ping_us = p->ping_min;
    i->ping_wait_us = p->ping_nonce && p->ping_start ? time_now_us() - p->ping_start : -1;
    i->version = (uint32_t)p->version;
    memcpy(i->subver, p->subver, sizeof(i->subver));
    i->starting_height = p->starting_height;
    i->presynced_headers = presync_height(p);
    i->synced_headers = p->best_known ? p->best_known->node.height : -1;
    i->synced_blocks = p->last_common ? p->last_common->node.height : -1;
    for (size_t k = 0; k < p->n_in_flight && i->n_inflight < ARRAY_LEN(i->inflight); k++)
        i->inflight[i->n_inflight++] = p->in_flight[k]->entry->node.height;
    i->min_fee_filter = p->tx_relay ? p->fee_filter : 0;
    i->addr_processed = p->addr_processed;
    i->addr_rate_limited = p->addr_rate_limited;
    i->last_inv_sequence = p->tx_relay ? p->last_inv_sequence : 0;
    i->inv_to_send = trickle_waiting(s, p);
    i->handshake_done = p->handshake_done;
}

size_t sync_peers(struct sync *s, struct peer_info **out)
{
    struct peer *p, *tmp;
    size_t n = 0;

    *out = xcalloc(HASH_COUNT(s->peers) + 1, sizeof(**out));
    HASH_ITER (hh, s->peers, p, tmp)
        info_fill(s, p, &(*out)[n++]);
    return n;
}
