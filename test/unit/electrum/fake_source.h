/* fake_source.h - for tests of Electrum sessions: a chain of 40 headers, one script with three transactions, and commands that always succeed. */
#ifndef FARTHING_TEST_FAKE_SOURCE_H
#define FARTHING_TEST_FAKE_SOURCE_H

#include <json-c/json.h>
#include <stdlib.h>

#include "electrum/header_tree.h"
#include "electrum/session.h"
#include "rpc/json_read.h"
#include "util/assert.h"
#include "util/mem.h"

#define FAKE_TIP 40

struct fake {
    struct chain_params params;
    struct electrum_source src;
    struct watch_table *watches;
    struct header_tree *tree;
    unsigned calls;
};

static inline int32_t fake_height(void *ctx)
{
    (void)ctx;
    return FAKE_TIP;
}
static inline bool fake_hash(void *ctx, struct block_hash *out, int32_t height)
{
    (void)ctx;
    memset(out, height + 1, sizeof(*out));
    return height >= 0 && height <= FAKE_TIP;
}
static inline bool fake_header(void *ctx, uint8_t out[BLOCK_HEADER_SIZE], struct block_hash *hash, int32_t height)
{
    struct block_hash h;
    if (!fake_hash(ctx, hash ? hash : &h, height))
        return false;
    memset(out, height, BLOCK_HEADER_SIZE);
    return true;
}
static inline bool fake_proof(void *ctx, struct merkle_proof *out, int32_t height, int32_t cp)
{
    return header_tree_proof(((struct fake *)ctx)->tree, out, height, cp);
}
/* The script whose hash begins with 01 has a history, that with 02 is too large, with 03 not indexed yet. */
static inline enum electrum_rc fake_kind(const struct script_hash *h)
{
    return h->bytes[0] == 2 ? ELECTRUM_LARGE : h->bytes[0] == 3 ? ELECTRUM_BUSY : h->bytes[0] == 4 ? ELECTRUM_BROKEN : ELECTRUM_OK;
}
static inline enum electrum_rc fake_history(void *ctx, struct script_history *out, const struct script_hash *h)
{
    (void)ctx;
    memset(out, 0, sizeof(*out));
    if (h->bytes[0] != 1)
        return fake_kind(h);
    out->rows = xcalloc(3, sizeof(*out->rows));
    out->rows[0] = (struct history_row){.txid = {{0xaa}}, .height = 7};
    out->rows[1] = (struct history_row){.txid = {{0xbb}}, .height = 0, .fee = 5};
    out->rows[2] = (struct history_row){.txid = {{0xcc}}, .height = -1, .fee = 6};
    out->n = 3;
    out->n_confirmed = 1;
    return ELECTRUM_OK;
}
static inline enum electrum_rc fake_balance(void *ctx, int64_t *confirmed, int64_t *unconfirmed, const struct script_hash *h)
{
    (void)ctx;
    *confirmed = 100;
    *unconfirmed = -30;
    return fake_kind(h);
}
static inline enum electrum_rc fake_unspent(void *ctx, struct unspent_row **rows, size_t *n, const struct script_hash *h)
{
    (void)ctx;
    if (fake_kind(h) != ELECTRUM_OK)
        return fake_kind(h);
    *n = 1;
    *rows = xcalloc(1, sizeof(**rows));
    **rows = (struct unspent_row){.outpoint = {.n = 3}, .height = 7, .value = 70};
    return ELECTRUM_OK;
}
static inline enum electrum_rc fake_first_use(void *ctx, struct history_row *out, const struct script_hash *h)
{
    (void)ctx;
    *out = (struct history_row){.height = 7};
    return h->bytes[0] == 1 ? ELECTRUM_OK : ELECTRUM_NONE;
}
static inline enum electrum_rc fake_block_ids(void *ctx, struct txid **ids, size_t *n, int32_t height)
{
    (void)ctx;
    if (height > FAKE_TIP)
        return ELECTRUM_NONE;
    *n = (size_t)height + 1;
    *ids = xcalloc(*n, sizeof(**ids));
    for (size_t i = 0; i < *n; i++)
        (*ids)[i].b[0] = (uint8_t)i;
    return ELECTRUM_OK;
}
static inline enum electrum_rc fake_known_tx(void *ctx, struct writer *raw, struct block_hash *block, const struct txid *id)
{
    (void)ctx;
    memset(block, 0, sizeof(*block));
    if (raw)
        write_bytes(raw, "raw", 3);
    return id->b[0] == 1 ? ELECTRUM_OK : ELECTRUM_NONE;
}
static inline int fake_call(void *ctx, struct writer *out, const char *method, struct json_object *params)
{
    static const char failed[] = "it \"failed\"";
    ((struct fake *)ctx)->calls++;
    if (params && json_object_array_length(params) > 2) {
        write_bytes(out, failed, strlen(failed));
        return -5;
    }
    if (strcmp(method, "getmempoolinfo") == 0)
        write_bytes(out, "{\"mempoolminfee\":0.00001,\"minrelaytxfee\":0.00001000}", 51);
    else
        write_bytes(out, "{}", 2);
    return 0;
}
static inline enum electrum_rc fake_watch(void *ctx, struct watcher *w, struct script_status *out, size_t *rows,
                                          const struct script_hash *h, const char *address)
{
    struct script_history all;
    uint64_t serial;
    *rows = 0;
    if (!watch_add(((struct fake *)ctx)->watches, w, &serial, h, address))
        return ELECTRUM_LARGE;
    if (fake_history(ctx, &all, h) != ELECTRUM_OK) {
        watch_remove(((struct fake *)ctx)->watches, w, h, address != NULL);
        return fake_kind(h);
    }
    script_status_of(out, &all);
    *rows = h->bytes[1] == 9 ? 100000 : all.n; /* costs as much as that */
    free(all.rows);
    watch_set(((struct fake *)ctx)->watches, w, h, address != NULL, serial, out);
    return ELECTRUM_OK;
}
static inline enum electrum_rc fake_status(void *ctx, struct script_status *out, size_t *rows, const struct script_hash *h)
{
    struct script_history all;
    if (fake_history(ctx, &all, h) != ELECTRUM_OK)
        return fake_kind(h);
    script_status_of(out, &all);
    *rows = all.n;
    free(all.rows);
    return ELECTRUM_OK;
}
static inline bool fake_unwatch(void *ctx, struct watcher *w, const struct script_hash *h, bool by_address)
{
    return watch_remove(((struct fake *)ctx)->watches, w, h, by_address);
}
static inline void fake_hosts(void *ctx, struct json_writer *j)
{
    (void)ctx;
    jw_kv_int(j, "x", 1);
}

static inline void fake_init(struct fake *f)
{
    memset(f, 0, sizeof(*f));
    chain_params_init(&f->params, CHAIN_REGTEST);
    f->watches = watch_table_new(WATCH_ALL_MAX);
    f->tree = header_tree_new(fake_hash, f);
    f->src = (struct electrum_source){.ctx = f,
                                      .params = &f->params,
                                      .banner = "hello",
                                      .donation = "",
                                      .height = fake_height,
                                      .header = fake_header,
                                      .header_proof = fake_proof,
                                      .history = fake_history,
                                      .balance = fake_balance,
                                      .unspent = fake_unspent,
                                      .first_use = fake_first_use,
                                      .block_ids = fake_block_ids,
                                      .known_tx = fake_known_tx,
                                      .call = fake_call,
                                      .status = fake_status,
                                      .watch = fake_watch,
                                      .unwatch = fake_unwatch,
                                      .hosts = fake_hosts};
}
static inline void fake_clear(struct fake *f)
{
    watch_table_free(f->watches);
    header_tree_free(f->tree);
    chain_params_clear(&f->params);
}

#endif
