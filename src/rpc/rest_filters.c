/* rest_filters.c - REST: block filters and their headers (BIP157), where there is an index of them. Pool threads. */
#include <stdlib.h>

#include "index/filter_index.h"
#include "primitives/serialize.h"
#include "rpc/rest.h"

#define BASIC_FILTER 0

/* The index of that kind of filters. Returns: NULL once the error is sent. */
static struct filter_index *find_index(struct rest *r, const char *type)
{
    struct filter_index *fi = r->call.host->filters;

    if (strcmp(type, "basic") != 0)
        rest_fail(r, 400, "Unknown filtertype %s", type);
    else if (!fi)
        rest_fail(r, 400, "Index is not enabled for filtertype %s", type);
    else
        return fi;
    return NULL;
}

static void fail_missing(struct rest *r, bool connected, bool ready)
{
    rest_fail(r, 404, "Filter not found. %s",
              !connected ? "Block was not connected to active chain."
              : !ready   ? "Block filters are still in the process of being indexed."
                         : "This error is unexpected and indicates index corruption.");
}

static void send_filter(struct rest *r, const struct block_entry *e, const uint8_t *filter, size_t len)
{
    struct json_writer *j = &r->call.out;
    struct writer w = WRITER_INIT;

    if (r->format == REST_JSON) {
        jw_obj_begin(j);
        jw_kv_hex(j, "filter", filter, len);
        jw_obj_end(j);
        rest_send_json(r, REST_NEVER_CHANGES);
    } else if (r->format == REST_UNKNOWN) {
        rest_fail_format(r, REST_ALL_FORMATS);
    } else {
        write_u8(&w, BASIC_FILTER);
        write_bytes(&w, e->node.hash.b, 32);
        write_compact_size(&w, len);
        write_bytes(&w, filter, len);
        rest_send_bytes(r, REST_NEVER_CHANGES, &w);
    }
}

void rest_filter(struct rest *r)
{
    const struct block_entry *e;
    struct filter_index *fi;
    struct block_hash hash;
    struct entry_facts f;
    uint8_t *filter;
    char *parts[2];
    bool ready;
    size_t len;

    if (rest_split(r->param, parts, 2) != 2) {
        rest_fail(r, 400, "Invalid URI format. Expected /rest/blockfilter/<filtertype>/<blockhash>");
        return;
    }
    if (!rest_hash(r, hash.b, parts[1]) || !(fi = find_index(r, parts[0])))
        return;
    e = chain_lookup(r->call.host->chain, &hash);
    if (!e) {
        rest_fail(r, 404, "%s not found", parts[1]);
        return;
    }
    chain_facts(r->call.host->chain, e, &f);
    ready = index_wait(filter_index_base(fi), r->call.host->interrupt);
    if (filter_index_read(fi, &filter, &len, e) == RC_OK) {
        send_filter(r, e, filter, len);
        free(filter);
        return;
    }
    fail_missing(r, (f.status & BLOCK_VALID_MASK) >= BLOCK_VALID_SCRIPTS && !(f.status & (BLOCK_FAILED_VALID | BLOCK_FAILED_CHILD)),
                 ready);
}

static void send_headers(struct rest *r, const struct hash256 *header, size_t n)
{
    struct json_writer *j = &r->call.out;
    struct writer w = WRITER_INIT;

    if (r->format == REST_JSON) {
        jw_arr_begin(j);
        for (size_t i = 0; i < n; i++)
            jw_hash(j, header[i].b);
        jw_arr_end(j);
        rest_send_json(r, REST_CHANGES);
    } else if (r->format == REST_UNKNOWN) {
        rest_fail_format(r, REST_ALL_FORMATS);
    } else {
        for (size_t i = 0; i < n; i++)
            write_bytes(&w, header[i].b, 32);
        rest_send_bytes(r, REST_CHANGES, &w);
    }
}

void rest_filter_headers(struct rest *r)
{
    const struct block_entry **list;
    struct filter_index *fi;
    struct block_hash hash;
    struct hash256 *header;
    char *parts[3];
    size_t count, n = rest_split(r->param, parts, 3), found = 0;
    bool ready;

    if (n != 2 && n != 3) {
        rest_fail(r, 400, "Invalid URI format. Expected /rest/blockfilterheaders/<filtertype>/<blockhash>.<ext>?count=<count>");
        return;
    }
    if (!rest_count(r, &count, n == 3 ? parts[1] : NULL) || !rest_hash(r, hash.b, parts[n - 1]) || !(fi = find_index(r, parts[0])))
        return;
    list = xcalloc(count, sizeof(const struct block_entry *));
    header = xcalloc(count, sizeof(*header));
    n = rest_chain_from(r, list, count, &hash);
    ready = index_wait(filter_index_base(fi), r->call.host->interrupt);
    while (found < n && filter_index_header(fi, &header[found], list[found]) == RC_OK)
        found++;
    if (found < n)
        fail_missing(r, true, ready);
    else
        send_headers(r, header, n);
    free(list);
    free(header);
}
