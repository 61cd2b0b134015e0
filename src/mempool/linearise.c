/* linearise.c - the best order in which a miner can take the transactions of one cluster. Called by cluster.c; pure.
 *
 * A set that holds all its ancestors is called closed. Against a fee rate r, each transaction is worth fee - r * weight; the closed set of
 * greatest worth is a minimum cut: what is worth something gives to its ancestors that cost something, as much as they can take, and those
 * that keep something left over, with all that they hang together with through what was given, are the set. With r the rate of the whole, a
 * set of positive worth goes to the front, and both parts are split again; if there is none, all parts of the whole pay the same rate, and
 * the smallest of these are the chunks. So each cut either splits or ends the matter, and the result is optimal: of all orders it has
 * collected the most fees at any weight that is a chunk's end.
 *
 * The work is bounded. Where the bound is reached, what is left is ordered by ancestor fee rate, chunks that fall into unconnected pieces
 * are taken apart, and the outcome is dropped if the order that was given is not beaten by it. */
#include <string.h>

#include "mempool/internal.h"
#include "util/assert.h"

#define BIT(i) (1ull << (i))

typedef __int128 wide;

/* What is given at the cut of one set. */
struct flow {
    uint64_t givers, takers;              /* worth more than nothing, less than nothing */
    uint64_t rich, open;                  /* givers with something left, takers with room left */
    wide left[CLUSTER_MAX];               /* of either */
    uint64_t gives_to[CLUSTER_MAX];       /* by taker: who gives to it */
    wide given[CLUSTER_MAX][CLUSTER_MAX]; /* by taker and giver, where gives_to has the bit */
    uint8_t from[CLUSTER_MAX];            /* how it was reached */
    uint64_t reached;
};

struct search {
    const struct lin_tx *t;
    unsigned n;
    unsigned *order, at;
    uint64_t steps; /* left */
    struct flow f;
};

static struct fee_weight sum_of(const struct lin_tx *t, uint64_t set)
{
    struct fee_weight sum = {0, 0};
    for (; set; set &= set - 1) {
        sum.fee = fee_add(sum.fee, t[__builtin_ctzll(set)].rate.fee);
        sum.weight += t[__builtin_ctzll(set)].rate.weight;
    }
    return sum;
}

static void spend_steps(struct search *s, uint64_t steps)
{
    s->steps = s->steps > steps ? s->steps - steps : 0;
}

/* ---- cut ---- */

static void give(struct flow *f, unsigned taker, unsigned giver, wide amount)
{
    if (!(f->gives_to[taker] & BIT(giver))) {
        f->gives_to[taker] |= BIT(giver);
        f->given[taker][giver] = 0;
    }
    f->given[taker][giver] += amount;
}

static void take_back(struct flow *f, unsigned taker, unsigned giver, wide amount)
{
    f->given[taker][giver] -= amount;
    if (f->given[taker][giver] == 0)
        f->gives_to[taker] &= ~BIT(giver);
}

static void use_up(struct flow *f, uint64_t *bits, unsigned i, wide amount)
{
    f->left[i] -= amount;
    if (f->left[i] == 0)
        *bits &= ~BIT(i);
}

/* Worth of each against the rate of all, and a first round of giving. */
static void flow_start(struct search *s, uint64_t set)
{
    struct flow *f = &s->f;
    wide fee = 0, weight = 0;

    for (uint64_t i = set; i; i &= i - 1) {
        fee += s->t[__builtin_ctzll(i)].rate.fee;
        weight += s->t[__builtin_ctzll(i)].rate.weight;
    }
    f->givers = f->takers = 0;
    for (uint64_t b = set; b; b &= b - 1) {
        unsigned i = (unsigned)__builtin_ctzll(b);
        wide worth = s->t[i].rate.fee * weight - fee * s->t[i].rate.weight;
        f->gives_to[i] = 0;
        f->left[i] = worth < 0 ? -worth : worth;
        if (worth > 0)
            f->givers |= BIT(i);
        else if (worth < 0)
            f->takers |= BIT(i);
    }
    f->rich = f->givers;
    f->open = f->takers;
    for (uint64_t g = f->givers; g; g &= g - 1) {
        unsigned i = (unsigned)__builtin_ctzll(g);
        uint64_t to;
        while (f->rich & BIT(i) && (to = s->t[i].ancestors & f->open)) {
            unsigned k = (unsigned)__builtin_ctzll(to);
            wide amount = f->left[i] < f->left[k] ? f->left[i] : f->left[k];
            give(f, k, i, amount);
            use_up(f, &f->rich, i, amount);
            use_up(f, &f->open, k, amount);
        }
    }
}

/* Gives along the path that ends at an open taker: each giver on it gives more here and less there. */
static void flow_along(struct flow *f, uint64_t sources, unsigned taker)
{
    wide amount = f->left[taker];
    unsigned k = taker, i;

    for (i = f->from[k]; !(sources & BIT(i)); i = f->from[k]) {
        k = f->from[i];
        if (f->given[k][i] < amount)
            amount = f->given[k][i];
    }
    if (f->left[i] < amount)
        amount = f->left[i];
    use_up(f, &f->rich, i, amount);
    k = taker;
    for (i = f->from[k]; !(sources & BIT(i)); i = f->from[k]) {
        give(f, k, i, amount);
        k = f->from[i];
        take_back(f, k, i, amount);
    }
    give(f, k, i, amount);
    use_up(f, &f->open, taker, amount);
}

/* Looks, breadth first, for a taker with room that a rich giver can reach. Returns: false if there is none; f->reached is complete then. */
static bool flow_more(struct search *s)
{
    struct flow *f = &s->f;
    uint64_t sources = f->rich, givers = sources, takers = 0, edge = sources;

    while (edge) {
        uint64_t next = 0;
        for (; edge; edge &= edge - 1) {
            unsigned i = (unsigned)__builtin_ctzll(edge);
            uint64_t fresh = s->t[i].ancestors & f->takers & ~takers;
            takers |= fresh;
            spend_steps(s, 1 + (unsigned)__builtin_popcountll(fresh));
            for (; fresh; fresh &= fresh - 1) {
                unsigned k = (unsigned)__builtin_ctzll(fresh);
                f->from[k] = (uint8_t)i;
                if (f->open & BIT(k)) {
                    flow_along(f, sources, k);
                    return true;
                }
                for (uint64_t back = f->gives_to[k] & ~givers; back; back &= back - 1) {
                    f->from[__builtin_ctzll(back)] = (uint8_t)k;
                    givers |= back & -back;
                    next |= back & -back;
                }
            }
        }
        edge = next;
    }
    f->reached = givers | takers;
    return false;
}

/* ---- output ---- */

static int id_cmp(const struct lin_tx *a, const struct lin_tx *b)
{
    return memcmp(a->id, b->id, 32);
}

/* One chunk: of those whose parents are out the best paying, then the smallest, then by id; then smoothed. */
static void put_chunk(struct search *s, uint64_t chunk)
{
    unsigned start = s->at;

    while (chunk) {
        const struct lin_tx *best = NULL;
        for (uint64_t b = chunk; b; b &= b - 1) {
            const struct lin_tx *x = &s->t[__builtin_ctzll(b)];
            int cmp;
            if ((x->ancestors & chunk) != (b & -b))
                continue;
            cmp = best ? rate_cmp(x->rate, best->rate) : 1;
            if (cmp > 0 ||
                (cmp == 0 && (x->rate.weight < best->rate.weight || (x->rate.weight == best->rate.weight && id_cmp(x, best) < 0))))
                best = x;
        }
        ASSERT(best);
        s->order[s->at++] = (unsigned)(best - s->t);
        chunk &= ~BIT(best - s->t);
    }
    lin_smooth(s->order + start, s->t, s->at - start);
}

static const struct lin_tx *last_id(const struct lin_tx *t, uint64_t set)
{
    const struct lin_tx *last = &t[__builtin_ctzll(set)];
    for (; set; set &= set - 1) {
        if (id_cmp(&t[__builtin_ctzll(set)], last) > 0)
            last = &t[__builtin_ctzll(set)];
    }
    return last;
}

/* Transactions of which none comes without the others. */
struct knot {
    uint64_t members, needs; /* with themselves */
    int64_t weight;
    const struct lin_tx *last;
};

/* The smaller first, then the one whose last id comes first. */
static bool knot_before(const struct knot *a, const struct knot *b)
{
    return a->weight != b->weight ? a->weight < b->weight : id_cmp(a->last, b->last) < 0;
}

/* Whoever needs the other, by descent or by what was given, is in one knot with it. */
static unsigned find_knots(struct knot *knot, const struct search *s, uint64_t set)
{
    uint64_t needs[CLUSTER_MAX];
    unsigned n = 0;

    for (uint64_t b = set; b; b &= b - 1) {
        unsigned i = (unsigned)__builtin_ctzll(b);
        needs[i] = (s->t[i].ancestors & set) | s->f.gives_to[i];
    }
    for (uint64_t k = set; k; k &= k - 1) {
        for (uint64_t b = set; b; b &= b - 1) {
            if (needs[__builtin_ctzll(b)] & (k & -k))
                needs[__builtin_ctzll(b)] |= needs[__builtin_ctzll(k)];
        }
    }
    for (uint64_t left = set; left; left &= ~knot[n++].members) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        uint64_t members = 0;
        for (uint64_t k = needs[i] & left; k; k &= k - 1) {
            if (needs[__builtin_ctzll(k)] & BIT(i))
                members |= k & -k;
        }
        knot[n] = (struct knot){members, needs[i], sum_of(s->t, members).weight, last_id(s->t, members)};
    }
    return n;
}

/* A set that no cut could split: its knots pay the same and are the chunks. */
static void put_equal(struct search *s, uint64_t set)
{
    struct knot knot[CLUSTER_MAX];
    unsigned n = find_knots(knot, s, set);

    while (n) {
        unsigned best = n;
        for (unsigned i = 0; i < n; i++) {
            if ((knot[i].needs & set) == knot[i].members && (best == n || knot_before(&knot[i], &knot[best])))
                best = i;
        }
        ASSERT(best < n);
        put_chunk(s, knot[best].members);
        set &= ~knot[best].members;
        knot[best] = knot[--n];
    }
}

/* Where there is no time for better: again and again the one that pays best with its ancestors. */
static void put_greedy(struct search *s, uint64_t set)
{
    while (set) {
        struct fee_weight best_rate = {0, 1};
        uint64_t best = 0;
        for (uint64_t b = set; b; b &= b - 1) {
            uint64_t family = s->t[__builtin_ctzll(b)].ancestors & set;
            struct fee_weight rate = sum_of(s->t, family);
            int cmp = best ? rate_cmp(rate, best_rate) : 1;
            if (cmp > 0 || (cmp == 0 && rate.weight < best_rate.weight)) {
                best = family;
                best_rate = rate;
            }
        }
        put_chunk(s, best);
        set &= ~best;
    }
}

static void split(struct search *s, uint64_t set)
{
    uint64_t front = 0;

    if (!(set & (set - 1))) {
        s->order[s->at++] = (unsigned)__builtin_ctzll(set);
        return;
    }
    flow_start(s, set);
    spend_steps(s, 2 * (unsigned)__builtin_popcountll(set));
    while (s->steps && flow_more(s)) {
    }
    if (!s->steps) {
        put_greedy(s, set);
        return;
    }
    for (uint64_t r = s->f.reached; r; r &= r - 1)
        front |= s->t[__builtin_ctzll(r)].ancestors & set;
    if (!front) {
        put_equal(s, set);
        return;
    }
    split(s, front);
    split(s, set & ~front);
}

/* ---- when it could not be finished ---- */

size_t lin_chunks(struct fee_weight *chunk, uint64_t *members, const struct lin_tx *t, const unsigned *order, unsigned n)
{
    size_t k = 0;
    for (unsigned i = 0; i < n; i++) {
        chunk[k] = t[order[i]].rate;
        members[k++] = BIT(order[i]);
        for (; k > 1 && rate_cmp(chunk[k - 1], chunk[k - 2]) > 0; k--) {
            chunk[k - 2].fee = fee_add(chunk[k - 2].fee, chunk[k - 1].fee);
            chunk[k - 2].weight += chunk[k - 1].weight;
            members[k - 2] |= members[k - 1];
        }
    }
    return k;
}

/* What of a set hangs together with its first member, through members. */
static uint64_t connected(const struct lin_tx *t, uint64_t set)
{
    uint64_t part = set & -set, old;
    do {
        old = part;
        for (uint64_t b = set; b; b &= b - 1) {
            uint64_t family = t[__builtin_ctzll(b)].ancestors & set;
            if (family & part)
                part |= family;
        }
    } while (part != old);
    return part;
}

/* The first chunk that does not hang together is taken apart. Returns: false if there is none. */
static bool take_apart(struct search *s)
{
    struct fee_weight chunk[CLUSTER_MAX];
    uint64_t members[CLUSTER_MAX];
    size_t n = lin_chunks(chunk, members, s->t, s->order, s->n);

    s->at = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t part = connected(s->t, members[i]), rest = members[i] & ~part;
        if (!rest) {
            s->at += (unsigned)__builtin_popcountll(part);
            continue;
        }
        if (rate_cmp(sum_of(s->t, rest), sum_of(s->t, part)) > 0) {
            put_chunk(s, rest);
            put_chunk(s, part);
        } else {
            put_chunk(s, part);
            put_chunk(s, rest);
        }
        return true;
    }
    return false;
}

/* Each time the chunks become more or better, so that it ends. */
static void connect(struct search *s)
{
    while (take_apart(s)) {
    }
}

/* The order that was given, made to have parents first. */
static void order_given(struct search *s)
{
    uint64_t left = s->n == CLUSTER_MAX ? ~0ull : BIT(s->n) - 1;
    s->at = 0;
    while (left) {
        uint64_t b = left;
        while ((s->t[__builtin_ctzll(b)].ancestors & left) != (b & -b))
            b &= b - 1;
        s->order[s->at++] = (unsigned)__builtin_ctzll(b);
        left &= ~(b & -b);
    }
}

static bool beats_given(const struct search *s)
{
    struct search given = {.t = s->t, .n = s->n};
    struct fee_weight a[CLUSTER_MAX], b[CLUSTER_MAX];
    uint64_t unused[CLUSTER_MAX];
    unsigned order[CLUSTER_MAX];
    size_t n_a, n_b;

    given.order = order;
    order_given(&given);
    n_a = lin_chunks(a, unused, s->t, s->order, s->n);
    n_b = lin_chunks(b, unused, s->t, order, s->n);
    return diagram_compare(a, n_a, b, n_b) == DIAGRAM_BETTER;
}

bool linearise(unsigned *order, const struct lin_tx *t, unsigned n, uint64_t steps)
{
    struct search s;

    ASSERT(n > 0 && n <= CLUSTER_MAX);
    s.t = t;
    s.n = n;
    s.order = order;
    s.at = 0;
    s.steps = steps + 1;
    split(&s, n == CLUSTER_MAX ? ~0ull : BIT(n) - 1);
    if (s.steps)
        return true;
    connect(&s);
    if (!beats_given(&s)) {
        order_given(&s);
        connect(&s);
    }
    return false;
}
