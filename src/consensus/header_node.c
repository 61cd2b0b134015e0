/* header_node.c - places in a tree of headers: ancestors, forks, median time. Called for every header that enters the tree and
 * by all rules that look back. Pure; any thread that keeps the nodes alive.
 *
 * The skip pointers are Myers' jump pointers ("An applicative random-access stack", 1983): a node jumps over two equal jumps of its
 * parent, or to its parent where those differ. Their length depends on the height alone, any ancestor is O(log n) steps away,
 * and a new node needs nothing but its parent. */
#include "consensus/header.h"

#include <string.h>

static const struct header_node *skip_of_child(const struct header_node *parent)
{
    const struct header_node *a = parent->skip;
    const struct header_node *b = a ? a->skip : NULL;
    return b && parent->height - a->height == a->height - b->height ? b : parent;
}

void header_node_init(struct header_node *n, const struct block_header *h, const struct block_hash *hash,
                      const struct header_node *prev)
{
    struct u256 work = work_from_bits(h->bits);
    *n = (struct header_node){
        .prev = prev,
        .skip = prev ? skip_of_child(prev) : NULL,
        .hash = *hash,
        .chain_work = prev ? u256_add(prev->chain_work, work) : work,
        .merkle_root = h->merkle_root,
        .height = prev ? prev->height + 1 : 0,
        .version = h->version,
        .time = h->time,
        .bits = h->bits,
        .nonce = h->nonce,
        .time_max = prev && prev->time_max > h->time ? prev->time_max : h->time,
    };
}

void header_node_header(struct block_header *h, const struct header_node *n)
{
    memset(h, 0, sizeof(*h));
    h->version = n->version;
    if (n->prev)
        h->prev = n->prev->hash;
    h->merkle_root = n->merkle_root;
    h->time = n->time;
    h->bits = n->bits;
    h->nonce = n->nonce;
}

const struct header_node *header_node_ancestor(const struct header_node *n, int32_t height)
{
    if (height < 0 || height > n->height)
        return NULL;
    while (n->height > height)
        n = n->skip->height >= height ? n->skip : n->prev;
    return n;
}

const struct header_node *header_node_fork(const struct header_node *a, const struct header_node *b)
{
    if (a->height > b->height)
        a = header_node_ancestor(a, b->height);
    else
        b = header_node_ancestor(b, a->height);
    while (a != b) { /* at equal heights skips are of equal length: different targets mean that the fork is not above them */
        bool far = a->skip != b->skip;
        a = far ? a->skip : a->prev;
        b = far ? b->skip : b->prev;
    }
    return a;
}

int64_t header_node_mtp(const struct header_node *n)
{
    uint32_t t[11] = {0};
    unsigned count = 0;
    for (; n && count < 11; n = n->prev) {
        unsigned i = count++;
        for (; i > 0 && t[i - 1] > n->time; i--)
            t[i] = t[i - 1];
        t[i] = n->time;
    }
    return t[count / 2];
}

int64_t header_node_work_time(const struct chain_params *p, const struct header_node *to, const struct header_node *from,
                              const struct header_node *tip)
{
    bool more = u256_cmp(to->chain_work, from->chain_work) > 0;
    struct u256 work = more ? u256_sub(to->chain_work, from->chain_work) : u256_sub(from->chain_work, to->chain_work);
    struct u256 seconds = u256_div(u256_mul_u64(work, (uint64_t)p->pow_spacing), work_from_bits(tip->bits));
    int64_t s = u256_bits(seconds) > 63 ? INT64_MAX : (int64_t)seconds.w[0];
    return more ? s : -s;
}
