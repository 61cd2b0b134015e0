/* handshake.c - version, verack and the negotiation around them (wtxidrelay, sendaddrv2, feature, sendcmpct, sendheaders). */
#include <stdio.h>
#include <string.h>

#include "primitives/serialize.h"
#include "sync/internal.h"

struct peer_text {
    char text[200];
};

/* What follows a peer's number in the log: its address where the user asked for it (-logips), its network's owner where that is known. */
static struct peer_text log_tail(const struct sync *s, const struct peer *p)
{
    struct peer_text t = {""};
    int n = 0;

    if (s->o.log_ips)
        n = snprintf(t.text, sizeof(t.text), ", peeraddr=%s", p->facts.addr);
    if (p->facts.mapped_as)
        snprintf(t.text + n, sizeof(t.text) - (size_t)n, ", mapped_as=%u", (unsigned)p->facts.mapped_as);
    return t;
}

/* The peer's address as the version message tells it: nothing for those that do not fit in there or mean nothing to it. */
static struct net_addr their_address(const struct peer *p)
{
    struct net_addr addr = p->facts.remote;

    if ((addr.network != NET_IPV4 && addr.network != NET_IPV6) || !net_addr_is_routable(&addr))
        addr = (struct net_addr){.network = NET_IPV6};
    return addr;
}

void handshake_send_version(struct sync *s, struct peer *p)
{
    struct msg_version v = {.version = PROTOCOL_VERSION, .services = p->our_services, .time = time_now(), .nonce = p->nonce};
    struct writer w = WRITER_INIT;
    char them[NET_ADDR_TEXT];

    v.addr_recv = their_address(p);
    snprintf(v.user_agent, sizeof(v.user_agent), "%s", s->o.user_agent);
    v.start_height = chain_height(s->o.chain);
    v.relay = !tx_refuses(s, p);
    if (peer_private(p))
        private_fill_version(&v);
    msg_version_encode(&w, &v);
    p->version_sent = true;
    peer_send_writer(s, p, "version", &w);
    net_addr_text(them, &v.addr_recv);
    log_debug(LOG_NET, "send version message: version=%d, blocks=%d%s%s, txrelay=%d, peer=%" PRId64, v.version, v.start_height,
              s->o.log_ips ? ", them=" : "", s->o.log_ips ? them : "", v.relay, p->id);
}

/* Did we open this connection to ourselves? */
static bool is_own_nonce(struct sync *s, const struct peer *in, uint64_t nonce)
{
    struct peer *p, *tmp;
    HASH_ITER (hh, s->peers, p, tmp)
        if (p != in && !peer_inbound(p) && !peer_private(p) && !p->handshake_done && p->nonce == nonce)
            return true;
    return false;
}

uint64_t wanted_services(const struct sync *s, uint64_t offered)
{
    const struct block_entry *tip = chain_tip(s->o.chain);
    bool near = (time_now() - (int64_t)tip->node.time) / s->o.params->pow_spacing < 144;

    if ((offered & NODE_NETWORK_LIMITED) && near)
        return NODE_NETWORK_LIMITED | NODE_WITNESS;
    return NODE_NETWORK | NODE_WITNESS;
}

/* Reasons to end the connection at once. */
static bool version_unacceptable(struct sync *s, struct peer *p, const struct msg_version *v)
{
    uint64_t want = wanted_services(s, v->services);
    bool expects =
        p->facts.type == CONN_OUTBOUND_FULL_RELAY || p->facts.type == CONN_BLOCK_RELAY || p->facts.type == CONN_ADDR_FETCH;

    if (expects && (v->services & want) != want) {
        log_debug(LOG_NET,
                  "peer does not offer the expected services (%08" PRIx64 " offered, %08" PRIx64 " expected), " DISCONNECT_FMT,
                  v->services, want, p->id);
    } else if (v->version < MIN_PEER_VERSION) {
        log_debug(LOG_NET, "peer using obsolete version %i, " DISCONNECT_FMT, v->version, p->id);
    } else if (peer_inbound(p) && is_own_nonce(s, p, v->nonce)) {
        log_info("connected to self at %s, disconnecting", p->facts.addr);
    } else {
        return false;
    }
    peer_disconnect(s, p);
    return true;
}

/* Returns: false if the peer was refused instead. */
static bool announce_features(struct sync *s, struct peer *p)
{
    if (p->common_version >= WTXIDRELAY_VERSION) {
        peer_send(s, p, "wtxidrelay", NULL, 0);
        peer_send(s, p, "sendaddrv2", NULL, 0);
        reconcile_offer(s, p);
    }
    if (upkeep_refuses_txs(s, p, "version", true))
        return false;
    peer_send(s, p, "verack", NULL, 0);
    return true;
}

/* Keeps what the version message says. */
static void version_take(struct sync *s, struct peer *p, const struct msg_version *v)
{
    bool never_relays = p->facts.type == CONN_BLOCK_RELAY || p->facts.type == CONN_FEELER || peer_private(p);

    p->version_seen = true;
    p->version = v->version;
    p->common_version = v->version < PROTOCOL_VERSION ? v->version : PROTOCOL_VERSION;
    p->services = v->services;
    p->starting_height = v->start_height;
    p->relay_txs = v->relay;
    p->tx_relay = !never_relays && (v->relay || (p->our_services & NODE_BLOOM));
    memcpy(p->subver, v->user_agent, sizeof(p->subver));
    if (net_addr_is_valid(&v->addr_recv)) {
        char text[NET_ADDR_TEXT];
        net_addr_text(text, &v->addr_recv);
        snprintf(p->facts.addr_local, sizeof(p->facts.addr_local), "%s", text);
    }
    p->time_offset = (v->time < 0 ? 0 : v->time) - time_now();
    p->preferred = (!peer_inbound(p) || peer_has(p, PERM_NOBAN)) && p->facts.type != CONN_ADDR_FETCH && !peer_private(p) &&
                   peer_serves_blocks(p);
    s->n_preferred += p->preferred;
}

void on_version(struct sync *s, struct peer *p, const struct message *m)
{
    struct msg_version v;
    char us[NET_ADDR_TEXT];

    if (p->version_seen) {
        log_debug(LOG_NET, "redundant version message from peer=%" PRId64, p->id);
        return;
    }
    if (!msg_version_decode(&v, m->payload, m->len)) {
        peer_malformed(p, m, "DataStream::read(): end of data");
        return;
    }
    if (!peer_inbound(p) && !peer_private(p) && s->o.host.addr.services)
        s->o.host.addr.services(s->o.host.ctx, p->id, v.services);
    if (version_unacceptable(s, p, &v))
        return;
    if (s->o.host.addr.seen_as && !peer_private(p))
        s->o.host.addr.seen_as(s->o.host.ctx, p->id, &v.addr_recv);
    if (peer_inbound(p))
        handshake_send_version(s, p);
    version_take(s, p, &v);
    net_addr_text(us, &v.addr_recv);
    log_debug(LOG_NET, "receive version message: %s: version %d, blocks=%d, us=%s, txrelay=%d, peer=%" PRId64 "%s",
              v.user_agent[0] ? v.user_agent : "<no user agent>", v.version, v.start_height, us, v.relay, p->id,
              log_tail(s, p).text);
    if (peer_private(p)) {
        private_on_version(s, p);
        return;
    }
    if (!announce_features(s, p))
        return;
    if (!peer_inbound(p)) {
        addr_start(s, p);
        if (s->o.host.addr.handshake_done)
            s->o.host.addr.handshake_done(s->o.host.ctx, p->id, v.services);
    }
    if (p->facts.type == CONN_FEELER) {
        log_debug(LOG_NET, "feeler connection completed, " DISCONNECT_FMT, p->id);
        peer_disconnect(s, p);
    }
}

/* Anybody can make us write the line of an inbound peer as often as they like: it is a debug line. */
static void log_new_peer(const struct sync *s, const struct peer *p)
{
    const char *type = connection_type_name(p->facts.type), *transport = peer_wire_of(s, p).transport;

    log_event(peer_inbound(p) ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO, peer_inbound(p) ? LOG_NET : LOG_NONE,
              LOG_EVENT("peer_connected", {"peer", NULL, p->id}, {"type", type, 0}, {"transport", transport, 0},
                        {"version", NULL, p->version}),
              "New %s peer connected: transport: %s, version: %d, peer=%" PRId64 "%s", type, transport, p->version, p->id,
              log_tail(s, p).text);
}

void on_verack(struct sync *s, struct peer *p, const struct message *m)
{
    struct msg_sendcmpct cmpct = {0, CMPCT_VERSION};
    struct writer w = WRITER_INIT;

    (void)m;
    if (p->handshake_done) {
        log_debug(LOG_NET, "ignoring redundant verack message from peer=%" PRId64, p->id);
        return;
    }
    log_new_peer(s, p);
    if (peer_private(p)) {
        private_on_verack(s, p);
        return;
    }
    if (p->common_version >= SENDCMPCT_VERSION) {
        msg_sendcmpct_encode(&w, &cmpct);
        peer_send_writer(s, p, "sendcmpct", &w);
    }
    if (!p->wtxid_relay || p->reconcile != RECONCILE_REGISTERED)
        reconcile_forget(p);
    p->handshake_done = true;
    if (p->wtxid_relay)
        s->n_wtxid_peers++;
}

void on_sendheaders(struct sync *s, struct peer *p, const struct message *m)
{
    (void)s;
    (void)m;
    p->prefers_headers = true;
}

void on_sendcmpct(struct sync *s, struct peer *p, const struct message *m)
{
    struct msg_sendcmpct c;

    (void)s;
    if (!msg_sendcmpct_decode(&c, m->payload, m->len)) {
        peer_malformed(p, m, "DataStream::read(): end of data");
        return;
    }
    if (c.announce > 1) {
        peer_misbehaving(p, "invalid sendcmpct announce field");
        return;
    }
    if (c.version != CMPCT_VERSION)
        return;
    p->provides_cmpct = true;
    p->hb_from = c.announce;
}

void on_wtxidrelay(struct sync *s, struct peer *p, const struct message *m)
{
    (void)m;
    if (p->handshake_done) {
        log_debug(LOG_NET, "wtxidrelay received after verack, " DISCONNECT_FMT, p->id);
        peer_disconnect(s, p);
    } else if (p->common_version < WTXIDRELAY_VERSION) {
        log_debug(LOG_NET, "ignoring wtxidrelay due to old common version=%d from peer=%" PRId64, p->common_version, p->id);
    } else if (p->wtxid_relay) {
        log_debug(LOG_NET, "ignoring duplicate wtxidrelay from peer=%" PRId64, p->id);
    } else {
        p->wtxid_relay = true;
    }
}

void on_sendaddrv2(struct sync *s, struct peer *p, const struct message *m)
{
    (void)m;
    if (p->handshake_done) {
        log_debug(LOG_NET, "sendaddrv2 received after verack, " DISCONNECT_FMT, p->id);
        peer_disconnect(s, p);
        return;
    }
    p->wants_addrv2 = true;
}

/* A feature's name and data (protocol version 70017). We know none, but the form is checked. */
static bool feature_well_formed(char name[81], const struct message *m)
{
    struct reader r = reader_make(m->payload, m->len);
    size_t n, data_len;
    const uint8_t *p = read_var_bytes(&r, &n);

    if (!p || n < 4 || n > 80)
        return false;
    message_sanitize(name, 81, (const char *)p, n);
    read_var_bytes(&r, &data_len);
    return reader_done(&r) && data_len <= 512;
}

void on_feature(struct sync *s, struct peer *p, const struct message *m)
{
    char name[81];

    if (p->handshake_done)
        log_debug(LOG_NET, "feature received after verack, " DISCONNECT_FMT, p->id);
    else if (p->common_version < FEATURE_VERSION)
        log_debug(LOG_NET, "feature received with incompatible version %d, " DISCONNECT_FMT, p->common_version, p->id);
    else if (!feature_well_formed(name, m))
        log_debug(LOG_NET, "invalid feature payload, " DISCONNECT_FMT, p->id);
    else {
        log_debug(LOG_NET, "unknown feature advertised: %s", name);
        return;
    }
    peer_disconnect(s, p);
}

void handshake_flush(struct sync *s, struct peer *p)
{
    if (p->sent_sendheaders || p->common_version < SENDHEADERS_VERSION || !p->best_known)
        return;
    if (u256_cmp(p->best_known->node.chain_work, s->o.min_chain_work) <= 0)
        return;
    p->sent_sendheaders = true;
    peer_send(s, p, "sendheaders", NULL, 0);
}
