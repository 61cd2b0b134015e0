/* net_filters.c - sync's reads of the index of block filters (BIP157), carried to the I/O pool and back to the loop. */
#include <stdlib.h>

#include "node/net_private.h"
#include "primitives/serialize.h"
#include "util/mem.h"

struct filters_job {
    struct node_net *net;
    peer_id peer;
    struct filter_want *wants;
    size_t n;
    struct writer out;
    enum rc rc;
};

static void filters_drop(void *arg)
{
    struct filters_job *j = arg;
    free(j->wants);
    writer_clear(&j->out);
    free(j);
}

static void filters_answer(void *arg)
{
    struct filters_job *j = arg;
    sync_filters_read(j->net->sync, j->peer, j->out.data, j->out.len, j->rc);
    filters_drop(j);
}

static enum rc read_one(struct writer *out, struct filter_index *fi, const struct filter_want *w)
{
    struct hash256 hash;
    uint8_t *filter;
    size_t len;
    enum rc rc;

    if (w->part != FILTER_PART_BYTES) {
        rc = w->part == FILTER_PART_HASH ? filter_index_hash(fi, &hash, w->entry) : filter_index_header(fi, &hash, w->entry);
        if (rc == RC_OK)
            write_bytes(out, hash.b, 32);
        return rc;
    }
    rc = filter_index_read(fi, &filter, &len, w->entry);
    if (rc == RC_OK)
        write_var_bytes(out, filter, len);
    free(filter);
    return rc;
}

/* I/O thread. */
static void filters_run(void *arg)
{
    struct filters_job *j = arg;

    for (size_t i = 0; i < j->n && j->rc == RC_OK; i++)
        j->rc = j->net->filters ? read_one(&j->out, j->net->filters, &j->wants[i]) : RC_NOT_FOUND;
    loop_post(j->net->loop, filters_answer, filters_drop, j);
}

void net_read_filters(void *node_net, peer_id peer, struct filter_want *wants_take, size_t n)
{
    struct node_net *net = node_net;
    struct filters_job *j = xcalloc(1, sizeof(*j));

    j->net = net;
    j->peer = peer;
    j->wants = wants_take;
    j->n = n;
    j->rc = RC_OK;
    pool_push(net->io, filters_run, j, 0); /* one for each peer at a time */
}
