/* methods_script.c - Electrum's blockchain.scripthash.* and, as Fulcrum has them, blockchain.address.*: what a script received and holds. Called by
 * session.c. */
#include <stdlib.h>

#include "primitives/address.h"
#include "session.h"
#include "util/hex.h"

static bool by_hash(struct electrum_call *c, struct script_hash *h)
{
    return electrum_hash(c, h->bytes, 0, "script hash");
}

static bool by_address(struct electrum_call *c, struct script_hash *h, const char **address)
{
    uint8_t script[ADDRESS_SCRIPT_MAX];
    size_t len;

    if (!electrum_text(c, address, 0))
        return false;
    if (!address_decode(script, &len, NULL, *address, &c->src->params->address))
        return electrum_fail(c, ELECTRUM_BAD_REQUEST, "invalid address");
    *h = script_hash_of(script, len);
    return true;
}

/* ---- what both ways share ---- */

static void show_balance(struct electrum_call *c, const struct script_hash *h)
{
    struct json_writer *j = c->out;
    int64_t confirmed, unconfirmed;

    if (!electrum_check(c, c->src->balance(c->src->ctx, &confirmed, &unconfirmed, h), "balance"))
        return;
    jw_obj_begin(j);
    jw_kv_int(j, "confirmed", confirmed);
    jw_kv_int(j, "unconfirmed", unconfirmed);
    jw_obj_end(j);
}

static void write_rows(struct json_writer *j, const struct script_history *all, size_t from)
{
    jw_arr_begin(j);
    for (size_t i = from; i < all->n; i++) {
        const struct history_row *row = &all->rows[i];
        jw_obj_begin(j);
        if (row->height <= 0)
            jw_kv_int(j, "fee", row->fee);
        jw_kv_int(j, "height", row->height);
        jw_kv_hash(j, "tx_hash", row->txid.b);
        jw_obj_end(j);
    }
    jw_arr_end(j);
}

static void show_history(struct electrum_call *c, const struct script_hash *h, bool mempool_only)
{
    struct script_history all;

    if (!electrum_check(c, c->src->history(c->src->ctx, &all, h), "history"))
        return;
    c->s->cost += (int64_t)all.n / 2;
    write_rows(c->out, &all, mempool_only ? all.n_confirmed : 0);
    free(all.rows);
}

static void show_unspent(struct electrum_call *c, const struct script_hash *h)
{
    struct json_writer *j = c->out;
    struct unspent_row *rows;
    size_t n;

    if (!electrum_check(c, c->src->unspent(c->src->ctx, &rows, &n, h), "list of unspent outputs"))
        return;
    c->s->cost += (int64_t)n / 2;
    jw_arr_begin(j);
    for (size_t i = 0; i < n; i++) {
        jw_obj_begin(j);
        jw_kv_hash(j, "tx_hash", rows[i].outpoint.txid.b);
        jw_kv_uint(j, "tx_pos", rows[i].outpoint.n);
        jw_kv_int(j, "height", rows[i].height);
        jw_kv_int(j, "value", rows[i].value);
        jw_obj_end(j);
    }
    jw_arr_end(j);
    free(rows);
}

static void show_first_use(struct electrum_call *c, const struct script_hash *h)
{
    uint8_t header[BLOCK_HEADER_SIZE];
    struct block_hash block = {{0}};
    struct history_row row;
    int32_t height;
    enum electrum_rc rc = c->src->first_use(c->src->ctx, &row, h);

    if (rc == ELECTRUM_NONE) {
        jw_null(c->out);
        return;
    }
    if (!electrum_check(c, rc, "history") || (row.height > 0 && !c->src->header(c->src->ctx, header, &block, row.height) &&
                                              !electrum_fail(c, ELECTRUM_INTERNAL, "the chain changed")))
        return;
    height = row.height > 0 ? row.height : 0;
    jw_obj_begin(c->out);
    jw_kv_hash(c->out, "block_hash", block.b);
    jw_kv_int(c->out, "block_height", height); /* the same: its older name */
    jw_kv_int(c->out, "height", height);
    jw_kv_hash(c->out, "tx_hash", row.txid.b);
    jw_obj_end(c->out);
}

static void do_subscribe(struct electrum_call *c, const struct script_hash *h, const char *address)
{
    struct script_status status;
    size_t rows;
    enum electrum_rc rc = c->src->watch(c->src->ctx, &c->s->watcher, &status, &rows, h, address);

    c->s->cost += (int64_t)rows / 2;
    if (rc == ELECTRUM_LARGE)
        electrum_fail(c, ELECTRUM_EXCESSIVE, "too many subscriptions, or a history that is too large");
    else if (electrum_check(c, rc, "history"))
        jw_status(c->out, &status);
}

static void show_status(struct electrum_call *c, const struct script_hash *h)
{
    struct script_status status;
    size_t rows;

    if (!electrum_check(c, c->src->status(c->src->ctx, &status, &rows, h), "history"))
        return;
    c->s->cost += (int64_t)rows / 2;
    jw_status(c->out, &status);
}

static void do_unsubscribe(struct electrum_call *c, const struct script_hash *h, bool address)
{
    jw_bool(c->out, c->src->unwatch(c->src->ctx, &c->s->watcher, h, address));
}

/* ---- by script hash ---- */

static void get_balance(struct electrum_call *c)
{
    struct script_hash h;

    if (by_hash(c, &h))
        show_balance(c, &h);
}
static void get_history(struct electrum_call *c)
{
    struct script_hash h;

    if (by_hash(c, &h))
        show_history(c, &h, false);
}
static void get_mempool(struct electrum_call *c)
{
    struct script_hash h;

    if (by_hash(c, &h))
        show_history(c, &h, true);
}
static void listunspent(struct electrum_call *c)
{
    struct script_hash h;

    if (by_hash(c, &h))
        show_unspent(c, &h);
}
static void get_first_use(struct electrum_call *c)
{
    struct script_hash h;

    if (by_hash(c, &h))
        show_first_use(c, &h);
}
static void get_status(struct electrum_call *c)
{
    struct script_hash h;

    if (by_hash(c, &h))
        show_status(c, &h);
}
static void subscribe(struct electrum_call *c)
{
    struct script_hash h;

    if (by_hash(c, &h))
        do_subscribe(c, &h, NULL);
}
static void unsubscribe(struct electrum_call *c)
{
    struct script_hash h;

    if (by_hash(c, &h))
        do_unsubscribe(c, &h, false);
}

/* ---- by address ---- */

static void address_get_balance(struct electrum_call *c)
{
    struct script_hash h;
    const char *a;

    if (by_address(c, &h, &a))
        show_balance(c, &h);
}
static void address_get_history(struct electrum_call *c)
{
    struct script_hash h;
    const char *a;

    if (by_address(c, &h, &a))
        show_history(c, &h, false);
}
static void address_get_mempool(struct electrum_call *c)
{
    struct script_hash h;
    const char *a;

    if (by_address(c, &h, &a))
        show_history(c, &h, true);
}
static void address_listunspent(struct electrum_call *c)
{
    struct script_hash h;
    const char *a;

    if (by_address(c, &h, &a))
        show_unspent(c, &h);
}
static void address_get_first_use(struct electrum_call *c)
{
    struct script_hash h;
    const char *a;

    if (by_address(c, &h, &a))
        show_first_use(c, &h);
}
static void address_get_status(struct electrum_call *c)
{
    struct script_hash h;
    const char *a;

    if (by_address(c, &h, &a))
        show_status(c, &h);
}
static void address_get_scripthash(struct electrum_call *c)
{
    struct script_hash h;
    const char *a;

    if (by_address(c, &h, &a))
        jw_hash(c->out, h.bytes);
}
static void address_subscribe(struct electrum_call *c)
{
    struct script_hash h;
    const char *a;

    if (by_address(c, &h, &a))
        do_subscribe(c, &h, a);
}
static void address_unsubscribe(struct electrum_call *c)
{
    struct script_hash h;
    const char *a;

    if (by_address(c, &h, &a))
        do_unsubscribe(c, &h, true);
}

#define SCRIPT(what, fn)                                                                                                           \
    {                                                                                                                              \
        .name = "blockchain.scripthash." what, .params = "scripthash", .required = 1, .run = fn, .cost = 50                        \
    }
#define ADDRESS(what)                                                                                                              \
    {                                                                                                                              \
        .name = "blockchain.address." #what, .params = "address", .required = 1, .run = address_##what, .cost = 50                 \
    }

const struct electrum_method electrum_script_methods[] = {SCRIPT("get_balance", get_balance),
                                                          SCRIPT("get_history", get_history),
                                                          SCRIPT("get_mempool", get_mempool),
                                                          SCRIPT("listunspent", listunspent),
                                                          SCRIPT("get_first_use", get_first_use),
                                                          SCRIPT("get_status", get_status),
                                                          SCRIPT("subscribe", subscribe),
                                                          {.name = "blockchain.scripthash.unsubscribe",
                                                           .since = ELECTRUM_1_4_2,
                                                           .params = "scripthash",
                                                           .required = 1,
                                                           .run = unsubscribe},
                                                          ADDRESS(get_balance),
                                                          ADDRESS(get_history),
                                                          ADDRESS(get_mempool),
                                                          ADDRESS(listunspent),
                                                          ADDRESS(get_first_use),
                                                          ADDRESS(get_status),
                                                          ADDRESS(get_scripthash),
                                                          ADDRESS(subscribe),
                                                          ADDRESS(unsubscribe),
                                                          {.name = NULL}};
