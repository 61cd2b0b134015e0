/* versionbits.c - BIP9: soft forks that miners switch on by setting bits of the block version. A state holds for a whole period
 * of blocks and follows from the chain before it. Called by mining, RPC and the warning about unknown rules; pure, any thread.
 *
 * Nothing is remembered here: a state is worked out from the first period after the start time on, one look a period and, while a
 * deployment is being voted on, one look a block. */
#include "consensus/header.h"

#define TOP_MASK 0xe0000000u
#define TOP_BITS 0x20000000u

/* What is voted on: a deployment, and for unknown rules the network as well. */
struct vote {
    const struct bip9_deployment *d;
    const struct chain_params *unknown; /* not NULL: count only signals that we would not give ourselves */
};

static bool bit_is_set(int32_t version, int bit)
{
    return ((uint32_t)version & TOP_MASK) == TOP_BITS && ((uint32_t)version >> bit & 1);
}

static bool we_signal(const struct chain_params *p, const struct header_node *n, int bit)
{
    for (unsigned i = 0; i < DEPLOYMENT_BIP9_COUNT; i++) {
        if (p->bip9[i].bit == bit)
            return (uint32_t)block_version_after(p, n->prev) >> bit & 1;
    }
    return false; /* no deployment of ours uses the bit: the usual case, without the cost of a version */
}

static bool signals(const struct vote *vote, const struct header_node *n)
{
    if (!bit_is_set(n->version, vote->d->bit))
        return false;
    return !vote->unknown || (n->height >= vote->unknown->min_bip9_warning_height && !we_signal(vote->unknown, n, vote->d->bit));
}

static uint32_t count_period(const struct vote *vote, const struct header_node *last)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < vote->d->period; i++, last = last->prev)
        count += signals(vote, last);
    return count;
}

/* The state after a period that ended with `last`, given the state in that period. */
static enum bip9_state next_state(const struct vote *vote, enum bip9_state state, const struct header_node *last)
{
    const struct bip9_deployment *d = vote->d;
    switch (state) {
    case BIP9_DEFINED:
        return header_node_mtp(last) >= d->start_time ? BIP9_STARTED : BIP9_DEFINED;
    case BIP9_STARTED:
        if (count_period(vote, last) >= d->threshold)
            return BIP9_LOCKED_IN;
        return header_node_mtp(last) >= d->timeout ? BIP9_FAILED : BIP9_STARTED;
    case BIP9_LOCKED_IN:
        return last->height + 1 >= d->min_activation_height ? BIP9_ACTIVE : BIP9_LOCKED_IN;
    case BIP9_ACTIVE:
    case BIP9_FAILED:
        break; /* for ever */
    }
    return state;
}

/* The last block of the newest whole period of the chain that ends with prev; NULL if there is none. */
static const struct header_node *period_end(const struct bip9_deployment *d, const struct header_node *prev)
{
    return prev ? header_node_ancestor(prev, prev->height - (prev->height + 1) % (int32_t)d->period) : NULL;
}

/* State after the period that ends with `end`, and the height since which it holds. */
static enum bip9_state state_at(const struct vote *vote, const struct header_node *end, int32_t *since)
{
    const struct bip9_deployment *d = vote->d;
    const struct header_node *first = end;
    enum bip9_state state = BIP9_DEFINED;
    int32_t period = (int32_t)d->period, height;
    *since = 0;
    if (d->start_time == BIP9_ALWAYS_ACTIVE)
        return BIP9_ACTIVE;
    if (d->start_time == BIP9_NEVER_ACTIVE)
        return BIP9_FAILED;
    /* All periods that ended before the start time are only defined, and so are those before them. */
    while (first && header_node_mtp(first) >= d->start_time)
        first = header_node_ancestor(first, first->height - period);
    for (height = first ? first->height + period : period - 1; end && height <= end->height; height += period) {
        enum bip9_state next = next_state(vote, state, header_node_ancestor(end, height));
        if (next != state)
            *since = height + 1;
        state = next;
    }
    return state;
}

const char *bip9_state_name(enum bip9_state s)
{
    static const char *const names[] = {"defined", "started", "locked_in", "active", "failed"};
    return names[s];
}

enum bip9_state bip9_state_after(const struct bip9_deployment *d, const struct header_node *prev)
{
    struct vote vote = {d, NULL};
    int32_t since;
    return state_at(&vote, period_end(d, prev), &since);
}

int32_t bip9_state_since(const struct bip9_deployment *d, const struct header_node *prev)
{
    struct vote vote = {d, NULL};
    int32_t since;
    state_at(&vote, period_end(d, prev), &since);
    return since;
}

void bip9_statistics(struct bip9_stats *out, const struct bip9_deployment *d, const struct header_node *n, bool *signals_out)
{
    struct vote vote = {d, NULL};
    *out = (struct bip9_stats){.period = d->period, .threshold = d->threshold};
    if (!n)
        return;
    out->elapsed = (uint32_t)n->height % d->period + 1;
    for (uint32_t i = out->elapsed; i-- > 0; n = n->prev) {
        bool yes = signals(&vote, n);
        out->count += yes;
        if (signals_out)
            signals_out[i] = yes;
    }
    out->possible = d->period - d->threshold >= out->elapsed - out->count;
}

int32_t block_version_after(const struct chain_params *p, const struct header_node *prev)
{
    uint32_t version = TOP_BITS;
    for (unsigned i = 0; i < DEPLOYMENT_BIP9_COUNT; i++) {
        enum bip9_state s = bip9_state_after(&p->bip9[i], prev);
        if (s == BIP9_STARTED || s == BIP9_LOCKED_IN)
            version |= 1u << p->bip9[i].bit;
    }
    return (int32_t)version;
}

void bip9_warnings_update(struct bip9_warnings *w, const struct chain_params *p, const struct header_node *tip, uint32_t *locked_in,
                          uint32_t *active)
{
    struct bip9_deployment d = {.name = "unknown", .start_time = 0, .timeout = BIP9_NO_TIMEOUT, .period = 2016, .threshold = 1815};
    const struct header_node *end;
    if (p->id != CHAIN_MAIN) {
        d.period = (uint32_t)chain_params_interval(p);
        d.threshold = d.period * 3 / 4;
    }
    end = period_end(&d, tip);
    *locked_in = *active = 0;
    if (!end)
        return;
    for (d.bit = 0; d.bit < BIP9_WARNING_BITS; d.bit++) {
        struct vote vote = {&d, p};
        int32_t since;
        if (w->at && w->at->height < end->height && header_node_ancestor(end, w->at->height) == w->at) {
            for (int32_t h = w->at->height + (int32_t)d.period; h <= end->height; h += (int32_t)d.period)
                w->state[d.bit] = (uint8_t)next_state(&vote, (enum bip9_state)w->state[d.bit], header_node_ancestor(end, h));
        } else if (w->at != end) {
            w->state[d.bit] = (uint8_t)state_at(&vote, end, &since);
        }
        if (w->state[d.bit] == BIP9_LOCKED_IN)
            *locked_in |= 1u << d.bit;
        if (w->state[d.bit] == BIP9_ACTIVE)
            *active |= 1u << d.bit;
    }
    w->at = end;
}
