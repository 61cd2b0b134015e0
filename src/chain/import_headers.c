/* import_headers.c - the first pass over block files: their headers alone. With the whole branch known beforehand, blocks can be
 * connected as they are read, -assumevalid included, and their order in the files does not matter. Validation thread. */
#include "chain/import.h"

#include <stdlib.h>

#include "util/mem.h"

#define BUCKETS 4096u

/* A header that came before its parent. */
struct orphan {
    struct orphan *next;
    struct block_header header;
    struct block_hash hash;
};

struct header_pass {
    struct chain *c;
    uint64_t salt;
    struct orphan *bucket[BUCKETS]; /* by the parent's hash */
};

struct header_pass *header_pass_new(struct chain *c)
{
    struct header_pass *p = xcalloc(1, sizeof(*p));

    p->c = c;
    p->salt = c->tree.salt;
    return p;
}

void header_pass_free(struct header_pass *p)
{
    for (size_t i = 0; i < BUCKETS; i++)
        while (p->bucket[i]) {
            struct orphan *o = p->bucket[i];
            p->bucket[i] = o->next;
            free(o);
        }
    free(p);
}

static struct orphan **bucket_of(struct header_pass *p, const struct block_hash *parent)
{
    return &p->bucket[((get_le64(parent->b) ^ p->salt) * 0x9e3779b97f4a7c15u >> 40) % BUCKETS];
}

static void add_orphan(struct header_pass *p, const struct block_header *h, const struct block_hash *hash)
{
    struct orphan **b = bucket_of(p, &h->prev), *o = xmalloc(sizeof(*o));

    log_debug(LOG_REINDEX, "LoadExternalBlockFile: Out of order block %s, parent %s not known", block_hash_hex(hash).s,
              block_hash_hex(&h->prev).s);
    *o = (struct orphan){*b, *h, *hash};
    *b = o;
}

static struct orphan *take_child(struct header_pass *p, const struct block_hash *parent)
{
    for (struct orphan **at = bucket_of(p, parent); *at; at = &(*at)->next) {
        struct orphan *o = *at;

        if (!block_hash_equal(&o->header.prev, parent))
            continue;
        *at = o->next;
        return o;
    }
    return NULL;
}

static bool accept(struct header_pass *p, const struct block_header *h, const struct block_hash *hash)
{
    struct block_entry *e;
    struct verdict v;

    verdict_init(&v);
    if (accept_header(p->c, h, hash, true, &e, &v))
        return true;
    log_debug(LOG_REINDEX, "LoadExternalBlockFile: header %s: %s", block_hash_hex(hash).s, v.reason);
    return false;
}

/* The header is in the tree: now its waiting descendants follow. */
static void accept_children(struct header_pass *p, const struct block_hash *hash)
{
    struct orphan *stack = NULL, *o;
    struct block_hash at = *hash;

    for (;;) {
        while ((o = take_child(p, &at))) {
            log_debug(LOG_REINDEX, "LoadExternalBlockFile: Processing out of order child %s of %s", block_hash_hex(&o->hash).s,
                      block_hash_hex(&at).s);
            if (accept(p, &o->header, &o->hash)) {
                o->next = stack;
                stack = o;
            } else {
                free(o);
            }
        }
        if (!stack)
            return;
        o = stack;
        stack = o->next;
        at = o->hash;
        free(o);
    }
}

static void take_header(struct header_pass *p, const uint8_t bytes[80])
{
    const struct chain *c = p->c;
    struct block_header h;
    struct block_hash hash;

    block_header_decode(&h, bytes);
    block_header_hash(&hash, &h);
    if (!block_hash_equal(&hash, &c->params->genesis_hash) && !tree_find(&c->tree, &h.prev)) {
        /* Work costs something, so that what waits is bounded by it; anything may stand in a file. */
        if (check_proof_of_work(c->params, &hash, h.bits))
            add_orphan(p, &h, &hash);
        return;
    }
    if (accept(p, &h, &hash))
        accept_children(p, &hash);
}

enum rc header_pass_file(struct header_pass *p, const char *path, bool own)
{
    struct chain *c = p->c;
    struct blockfile_scan *s;
    uint8_t header[80];
    uint64_t pos;
    size_t len;
    enum rc rc = blockfile_scan_open(&s, path, c->params->magic, own ? c->files : NULL);

    if (rc != RC_OK)
        return rc;
    while ((rc = blockfile_scan_skim(s, header, &len, &pos)) == RC_OK) {
        take_header(p, header);
        if (interrupted(c)) {
            rc = RC_INTERRUPTED;
            break;
        }
    }
    blockfile_scan_close(s);
    notify_header_tip(c);
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}
