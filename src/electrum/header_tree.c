/* header_tree.c - the tree over the headers' hashes, as ElectrumX's checkpoints define it: Bitcoin's Merkle tree, whose last node stands for its
 * missing neighbour. The roots of full groups are remembered with the last hash in them, which tells whether they are still those of the chain. */
#include "header_tree.h"

#include <pthread.h>
#include <stdlib.h>

#include "crypto/sha256.h"
#include "util/mem.h"

#define GROUP_LEVELS 11u
#define GROUP ((size_t)1 << GROUP_LEVELS)

struct group {
    bool known;
    struct block_hash last;
    uint8_t root[32];
};
struct header_tree {
    pthread_mutex_t lock;
    struct group *groups;
    size_t n_groups;
    bool (*leaf)(void *ctx, struct block_hash *out, int32_t height);
    void *ctx;
};

struct header_tree *header_tree_new(bool (*leaf)(void *ctx, struct block_hash *out, int32_t height), void *ctx)
{
    struct header_tree *t = xcalloc(1, sizeof(*t));

    pthread_mutex_init(&t->lock, NULL);
    t->leaf = leaf;
    t->ctx = ctx;
    return t;
}

void header_tree_free(struct header_tree *t)
{
    if (!t)
        return;
    pthread_mutex_destroy(&t->lock);
    free(t->groups);
    free(t);
}

/* One level up, in place; the last of an odd number is paired with itself. Returns: the number of nodes. */
static size_t raise(uint8_t (*nodes)[32], size_t n)
{
    for (size_t i = 0; i < n; i += 2) {
        uint8_t both[64];
        memcpy(both, nodes[i], 32);
        memcpy(both + 32, nodes[i + 1 < n ? i + 1 : i], 32);
        sha256d(nodes[i / 2], both, 64);
    }
    return (n + 1) / 2;
}

/* levels: how often at most; to the root if it is more than it takes. pos: whose branch is added to p (NULL: nobody's). pad: a lonely node is
 * raised as well, as it has neighbours that are not here. */
static void climb(struct merkle_proof *p, uint8_t (*nodes)[32], size_t n, size_t pos, unsigned levels, bool pad)
{
    for (unsigned i = 0; i < levels && (n > 1 || pad); i++) {
        if (p)
            memcpy(p->branch[p->n++], nodes[(pos ^ 1) < n ? pos ^ 1 : pos], 32);
        n = raise(nodes, n);
        pos /= 2;
    }
}

static bool read_leaves(struct header_tree *t, uint8_t (*nodes)[32], size_t from, size_t n)
{
    struct block_hash h;

    for (size_t i = 0; i < n; i++) {
        if (!t->leaf(t->ctx, &h, (int32_t)(from + i)))
            return false;
        memcpy(nodes[i], h.b, 32);
    }
    return true;
}

static struct group *get_group(struct header_tree *t, size_t i)
{
    if (i >= t->n_groups) {
        t->groups = xrealloc(t->groups, (i + 64) * sizeof(*t->groups));
        memset(t->groups + t->n_groups, 0, (i + 64 - t->n_groups) * sizeof(*t->groups));
        t->n_groups = i + 64;
    }
    return &t->groups[i];
}

/* The root of a full group. */
static bool group_root(struct header_tree *t, uint8_t root[32], size_t i, uint8_t (*scratch)[32])
{
    struct group *g = get_group(t, i);
    struct block_hash last;

    if (!t->leaf(t->ctx, &last, (int32_t)((i + 1) * GROUP - 1)))
        return false;
    if (!g->known || !block_hash_equal(&g->last, &last)) {
        if (!read_leaves(t, scratch, i * GROUP, GROUP) || memcmp(scratch[GROUP - 1], last.b, 32) != 0)
            return false;
        climb(NULL, scratch, GROUP, 0, GROUP_LEVELS, false);
        memcpy(g->root, scratch[0], 32);
        g->last = last;
        g->known = true;
    }
    memcpy(root, g->root, 32);
    return true;
}

static bool prove(struct header_tree *t, struct merkle_proof *out, size_t at, size_t n, uint8_t (*scratch)[32],
                  uint8_t (*roots)[32])
{
    size_t n_groups = (n + GROUP - 1) / GROUP, own = at / GROUP;

    for (size_t i = 0; i < n_groups; i++) {
        size_t len = n - i * GROUP < GROUP ? n - i * GROUP : GROUP;
        if (i != own && len == GROUP) {
            if (!group_root(t, roots[i], i, scratch))
                return false;
            continue;
        }
        if (!read_leaves(t, scratch, i * GROUP, len))
            return false;
        climb(i == own ? out : NULL, scratch, len, at % GROUP, GROUP_LEVELS, n_groups > 1);
        memcpy(roots[i], scratch[0], 32);
    }
    climb(out, roots, n_groups, own, 32, false);
    memcpy(out->root, roots[0], 32);
    return true;
}

bool header_tree_proof(struct header_tree *t, struct merkle_proof *out, int32_t height, int32_t cp)
{
    size_t n = (size_t)cp + 1;
    uint8_t(*scratch)[32] = xmalloc(GROUP * 32), (*roots)[32] = xmalloc((n / GROUP + 1) * 32);
    bool ok;

    out->n = 0;
    pthread_mutex_lock(&t->lock);
    ok = prove(t, out, (size_t)height, n, scratch, roots);
    pthread_mutex_unlock(&t->lock);
    free(scratch);
    free(roots);
    return ok;
}
