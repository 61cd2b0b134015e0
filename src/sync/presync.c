/* presync.c - a long chain of headers whose work is not known to be enough is downloaded twice: first only one salted bit of every few hundred
 * headers is kept, until the claimed work suffices; then it is fetched again, checked against those bits, and released from a buffer that is
 * long enough for the bits to prove that it is the same chain. So a peer with cheap headers cannot make us store them (Bitcoin Core's
 * HeadersSyncState). Called by headers.c. */
#include <string.h>

#include "crypto/hash.h"
#include "sync/internal.h"

struct packed_header { /* without the hash of its parent */
    int32_t version;
    uint8_t merkle_root[32];
    uint32_t time, bits, nonce;
};

struct presync {
    const struct block_entry *start;
    struct u256 enough, work; /* work: of the chain that was seen in the present phase */
    bool second;              /* fetching again */
    bool release_all;         /* the second time the work sufficed, too */
    unsigned period, offset;
    size_t buffer_size;
    uint64_t k0, k1;
    uint8_t *bits; /* one a commitment */
    size_t n_bits, next_bit, max_bits;
    struct block_hash last; /* hash of the last header seen */
    uint32_t last_bits;
    int32_t height; /* of it */
    struct packed_header *buf;
    size_t buf_first, buf_end, buf_cap;
    struct block_hash buf_prev; /* parent of the first in buf */
};

/* How often a bit is kept, and how many headers are held back: chosen by Bitcoin Core so that memory and forgery are both hopeless. */
static void choose(struct presync *y, enum chain_id id)
{
    static const struct {
        unsigned period, buffer;
    } by_chain[] = {
        [CHAIN_MAIN] = {641, 15218},   [CHAIN_TESTNET3] = {673, 14460}, [CHAIN_TESTNET4] = {606, 16092},
        [CHAIN_SIGNET] = {620, 15724}, [CHAIN_REGTEST] = {275, 7017},
    };
    y->period = by_chain[id].period;
    y->buffer_size = by_chain[id].buffer;
}

void presync_start(struct sync *s, struct peer *p, const struct block_entry *e)
{
    struct presync *y = xcalloc(1, sizeof(*y));
    int64_t seconds = time_now() - header_node_mtp(&e->node) + 7200;

    presync_end(p);
    choose(y, s->o.params->id);
    y->start = e;
    y->enough = headers_work_threshold(s->o.chain, &s->o.min_chain_work);
    y->work = e->node.chain_work;
    y->offset = (unsigned)rng_below(&s->rng, y->period);
    y->k0 = random_u64();
    y->k1 = random_u64();
    y->max_bits = seconds > 0 ? (size_t)(6 * seconds / y->period) : 0;
    y->last = e->node.hash;
    y->last_bits = e->node.bits;
    y->height = e->node.height;
    p->presync = y;
    log_debug(LOG_NET, "Initial headers sync started with peer=%" PRId64 ": height=%i, max_commitments=%zu, min_work=%s", p->id,
              y->height, y->max_bits, u256_hex(y->enough).s);
}

void presync_end(struct peer *p)
{
    if (!p->presync)
        return;
    free(p->presync->bits);
    free(p->presync->buf);
    free(p->presync);
    p->presync = NULL;
}

int32_t presync_height(const struct peer *p)
{
    return p->presync && !p->presync->second ? p->presync->height : -1;
}

static bool aborted(const struct peer *p, const char *why, int32_t height)
{
    log_debug(LOG_NET, "Initial headers sync aborted with peer=%" PRId64 ": %s at height=%i (%s phase)", p->id, why, height,
              p->presync->second ? "redownload" : "presync");
    return false;
}

static bool push_bit(struct presync *y, bool bit)
{
    if (y->n_bits == y->max_bits)
        return false;
    if (y->n_bits % 8 == 0) {
        y->bits = xrealloc(y->bits, y->n_bits / 8 + 1);
        y->bits[y->n_bits / 8] = 0;
    }
    y->bits[y->n_bits / 8] |= (uint8_t)(bit << (y->n_bits % 8));
    y->n_bits++;
    return true;
}

static void push_header(struct presync *y, const struct block_header *h)
{
    struct packed_header *k;

    if (y->buf_end == y->buf_cap) {
        if (y->buf_first > y->buf_cap / 2) {
            memmove(y->buf, y->buf + y->buf_first, (y->buf_end - y->buf_first) * sizeof(*y->buf));
            y->buf_end -= y->buf_first;
            y->buf_first = 0;
        } else {
            y->buf_cap = y->buf_cap ? y->buf_cap * 2 : 2048;
            y->buf = xrealloc(y->buf, y->buf_cap * sizeof(*y->buf));
        }
    }
    k = &y->buf[y->buf_end++];
    k->version = h->version;
    memcpy(k->merkle_root, h->merkle_root.b, 32);
    k->time = h->time;
    k->bits = h->bits;
    k->nonce = h->nonce;
}

/* The bit that stands for a header. */
static bool salted_bit(const struct presync *y, const struct block_hash *hash)
{
    return siphash_hash(y->k0, y->k1, hash->b) & 1;
}

static bool check_bit(struct peer *p, const struct block_hash *hash, int32_t height)
{
    struct presync *y = p->presync;
    bool want;

    if (y->next_bit == y->n_bits)
        return aborted(p, "commitment overrun", height);
    want = y->bits[y->next_bit / 8] >> (y->next_bit % 8) & 1;
    y->next_bit++;
    return want == salted_bit(y, hash) || aborted(p, "commitment mismatch", height);
}

static bool take_one(struct sync *s, struct peer *p, const struct block_header *h, const struct block_hash *hash)
{
    struct presync *y = p->presync;
    int32_t height = y->height + 1;
    bool commit = (unsigned)height % y->period == y->offset;

    if (!block_hash_equal(&h->prev, &y->last))
        return aborted(p, "non-continuous headers", height);
    if (!permitted_difficulty_transition(s->o.params, height, y->last_bits, h->bits))
        return aborted(p, "invalid difficulty transition", height);
    y->work = u256_add(y->work, work_from_bits(h->bits));
    if (!y->second) {
        if (commit && !push_bit(y, salted_bit(y, hash)))
            return aborted(p, "exceeded max commitments", height);
    } else {
        if (u256_cmp(y->work, y->enough) >= 0)
            y->release_all = true;
        if (!y->release_all && commit && !check_bit(p, hash, height))
            return false;
        push_header(y, h);
    }
    y->last = *hash;
    y->last_bits = h->bits;
    y->height = height;
    return true;
}

/* The first phase has seen enough work: begin again. */
static void second_phase(struct peer *p)
{
    struct presync *y = p->presync;

    log_debug(LOG_NET,
              "Initial headers sync transition with peer=%" PRId64
              ": reached sufficient work at height=%i, redownloading from height=%i",
              p->id, y->height, y->start->node.height);
    y->second = true;
    y->work = y->start->node.chain_work;
    y->last = y->buf_prev = y->start->node.hash;
    y->last_bits = y->start->node.bits;
    y->height = y->start->node.height;
}

/* Headers that the bits have proven, or all of them once the work was seen twice. */
static size_t pop_ready(struct presync *y, struct block_header **out)
{
    size_t have = y->buf_end - y->buf_first, n;

    n = y->release_all ? have : have > y->buffer_size ? have - y->buffer_size : 0;
    *out = n ? xmalloc(n * sizeof(**out)) : NULL;
    for (size_t i = 0; i < n; i++) {
        const struct packed_header *k = &y->buf[y->buf_first++];
        struct block_header *h = &(*out)[i];
        h->version = k->version;
        h->prev = y->buf_prev;
        memcpy(h->merkle_root.b, k->merkle_root, 32);
        h->time = k->time;
        h->bits = k->bits;
        h->nonce = k->nonce;
        block_header_hash(&y->buf_prev, h);
    }
    return n;
}

static void request_more(struct sync *s, struct peer *p)
{
    struct block_hash hashes[65], stop = {{0}};
    struct writer w = WRITER_INIT;
    size_t n;

    hashes[0] = p->presync->last;
    n = 1 + chain_locator(s->o.chain, p->presync->start, hashes + 1);
    msg_locator_encode(&w, hashes, n, &stop);
    p->last_getheaders = time_now();
    peer_send_writer(s, p, "getheaders", &w);
    log_debug(LOG_NET, "more getheaders (from %s) to peer=%" PRId64, block_hash_hex(&hashes[0]).s, p->id);
}

bool presync_headers(struct sync *s, struct peer *p, const struct block_header *headers, const struct block_hash *hashes, size_t n,
                     struct block_header **release, size_t *n_release)
{
    struct presync *y = p->presync;
    bool full = n == MAX_HEADERS_ITEMS, more = full;

    *release = NULL;
    *n_release = 0;
    for (size_t i = 0; i < n; i++) {
        if (!take_one(s, p, &headers[i], &hashes[i])) {
            presync_end(p);
            return false;
        }
    }
    p->last_getheaders = 0;
    if (y->second) {
        *n_release = pop_ready(y, release);
        if (y->release_all)
            more = false;
    } else if (u256_cmp(y->work, y->enough) >= 0) {
        second_phase(p);
        more = true;
    }
    if (more) {
        request_more(s, p);
        return true;
    }
    if (y->second && y->release_all)
        log_debug(LOG_NET, "Initial headers sync complete with peer=%" PRId64 ": releasing all at height=%i (redownload phase)",
                  p->id, y->height);
    else
        aborted(p, "incomplete headers message", y->height);
    presync_end(p);
    return true;
}
