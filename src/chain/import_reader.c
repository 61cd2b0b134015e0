/* import_reader.c - reads a block file ahead of the validation thread: finds records, decodes blocks (which hashes all ids) and
 * checks them as far as that goes without coins. One thread a file, bounded in bytes. */
#include "chain/import.h"

#include <stdlib.h>

#include "util/mem.h"
#include "util/thread.h"

#define AHEAD_BYTES ((size_t)2 << 20) /* as serialised; in memory about three times as much */

struct import_reader {
    struct chain *c;
    struct blockfile_scan *scan;
    int32_t file;
    pthread_t thread;

    pthread_mutex_t lock;
    pthread_cond_t more, room;
    struct import_item *first, *last;
    size_t bytes;
    bool ended, stop;
    enum rc rc; /* why it ended */
};

/* Is the block of this header stored already? Then it need not be decoded. */
static bool already_here(struct import_reader *r, const uint8_t *header)
{
    const struct block_entry *e;
    struct block_header h;
    struct block_hash hash;
    struct entry_facts f;

    block_header_decode(&h, header);
    block_header_hash(&hash, &h);
    e = chain_lookup(r->c, &hash);
    if (!e)
        return false;
    chain_facts(r->c, e, &f);
    return f.status & BLOCK_HAVE_DATA;
}

/* The next record worth processing. Returns: NULL at the end, with r->rc set. */
static struct import_item *read_item(struct import_reader *r)
{
    struct import_item *item;
    struct block *b;
    uint8_t *data;
    uint64_t pos;
    size_t len;

    for (;;) {
        enum rc rc = blockfile_scan_next(r->scan, &data, &len, &pos);

        if (rc != RC_OK) {
            r->rc = rc == RC_NOT_FOUND ? RC_OK : rc;
            return NULL;
        }
        if (already_here(r, data)) {
            free(data);
            continue;
        }
        b = block_decode_front(data, len);
        if (b)
            break;
        log_debug(LOG_REINDEX, "LoadExternalBlockFile: unexpected data at file offset 0x%llx. continuing", (unsigned long long)pos);
        blockfile_scan_retry(r->scan);
    }
    item = xcalloc(1, sizeof(*item));
    item->block = b;
    item->pos = (struct disk_pos){r->file, (uint32_t)pos};
    chain_precheck(r->c, b, &item->pre);
    return item;
}

static void *reader_main(void *arg)
{
    struct import_reader *r = arg;
    struct import_item *item;

    while ((item = read_item(r))) {
        pthread_mutex_lock(&r->lock);
        while (r->bytes > AHEAD_BYTES && !r->stop)
            pthread_cond_wait(&r->room, &r->lock);
        if (r->last)
            r->last->next = item;
        else
            r->first = item;
        r->last = item;
        r->bytes += item->block->raw_len;
        pthread_cond_signal(&r->more);
        if (r->stop) {
            pthread_mutex_unlock(&r->lock);
            break;
        }
        pthread_mutex_unlock(&r->lock);
    }
    pthread_mutex_lock(&r->lock);
    r->ended = true;
    pthread_cond_signal(&r->more);
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

struct import_reader *import_reader_start(struct chain *c, const char *path, int32_t file)
{
    struct import_reader *r = xcalloc(1, sizeof(*r));

    if (blockfile_scan_open(&r->scan, path, c->params->magic, file >= 0 ? c->files : NULL) != RC_OK) {
        free(r);
        return NULL;
    }
    r->c = c;
    r->file = file;
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->more, NULL);
    pthread_cond_init(&r->room, NULL);
    r->thread = thread_start("import", reader_main, r);
    return r;
}

struct import_item *import_reader_next(struct import_reader *r, enum rc *rc)
{
    struct import_item *item;

    pthread_mutex_lock(&r->lock);
    while (!r->first && !r->ended)
        pthread_cond_wait(&r->more, &r->lock);
    item = r->first;
    if (item) {
        r->first = item->next;
        if (!r->first)
            r->last = NULL;
        r->bytes -= item->block->raw_len;
        pthread_cond_signal(&r->room);
    }
    *rc = item ? RC_OK : r->rc;
    pthread_mutex_unlock(&r->lock);
    return item;
}

void import_reader_stop(struct import_reader *r)
{
    pthread_mutex_lock(&r->lock);
    r->stop = true;
    pthread_cond_signal(&r->room);
    pthread_mutex_unlock(&r->lock);
    pthread_join(r->thread, NULL);
    while (r->first) {
        struct import_item *item = r->first;
        r->first = item->next;
        block_unref(item->block);
        free(item);
    }
    blockfile_scan_close(r->scan);
    pthread_mutex_destroy(&r->lock);
    pthread_cond_destroy(&r->more);
    pthread_cond_destroy(&r->room);
    free(r);
}
