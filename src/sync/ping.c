/* ping.c - keep-alive and latency (BIP31). */
#include "sync/internal.h"

#define PING_INTERVAL (120 * US)
#define PING_TIMEOUT (20 * 60 * US)

void ping_flush(struct sync *s, struct peer *p)
{
    int64_t now = time_now_us();
    struct writer w = WRITER_INIT;

    if (peer_checks_inactivity(s, p) && p->ping_nonce && now > p->ping_start + PING_TIMEOUT) {
        log_debug(LOG_NET, "ping timeout: %fs, " DISCONNECT_FMT, (double)(now - p->ping_start) / 1e6, p->id);
        peer_disconnect(s, p);
        return;
    }
    if (!p->ping_queued && (p->ping_nonce || now <= p->ping_start + PING_INTERVAL))
        return;
    p->ping_queued = false;
    p->ping_start = now;
    if (p->common_version > BIP31_VERSION) {
        do {
            p->ping_nonce = rng_u64(&s->rng);
        } while (p->ping_nonce == 0);
        write_u64(&w, p->ping_nonce);
    } else {
        p->ping_nonce = 0; /* too old to answer */
    }
    peer_send_writer(s, p, "ping", &w);
}

void on_ping(struct sync *s, struct peer *p, const struct message *m)
{
    uint64_t nonce;
    struct writer w = WRITER_INIT;

    if (p->common_version <= BIP31_VERSION)
        return;
    if (!msg_u64_decode(&nonce, m->payload, m->len)) {
        peer_malformed(p, m, "DataStream::read(): end of data");
        return;
    }
    write_u64(&w, nonce);
    peer_send_writer(s, p, "pong", &w);
}

void on_pong(struct sync *s, struct peer *p, const struct message *m)
{
    uint64_t nonce = 0;
    const char *problem = NULL;
    bool finished = false;
    int64_t took;

    if (!msg_u64_decode(&nonce, m->payload, m->len)) {
        nonce = 0;
        problem = "Short payload";
        finished = true;
    } else if (!p->ping_nonce) {
        problem = "Unsolicited pong without ping";
    } else if (nonce == p->ping_nonce) {
        finished = true;
        took = time_now_us() - p->ping_start;
        if (took >= 0) {
            p->ping_last = took;
            if (p->ping_min < 0 || took < p->ping_min)
                p->ping_min = took;
            if (peer_private(p))
                private_on_pong(s, p);
        } else {
            problem = "Timing mishap";
        }
    } else {
        problem = "Nonce mismatch";
        if (nonce == 0) {
            problem = "Nonce zero";
            finished = true;
        }
    }
    if (problem)
        log_debug(LOG_NET, "pong peer=%" PRId64 ": %s, %" PRIx64 " expected, %" PRIx64 " received, %zu bytes", p->id, problem,
                  p->ping_nonce, nonce, m->len);
    if (finished)
        p->ping_nonce = 0;
}
