/* address_index_priv.h - what the commands of -addressindex share: the scripts that are asked for, the bounds of the answer, and a view of the index
 * with what the mempool adds to it. Pool threads. */
#ifndef FARTHING_RPC_ADDRESS_INDEX_PRIV_H
#define FARTHING_RPC_ADDRESS_INDEX_PRIV_H

#include "index/address_index.h"
#include "mempool/script_index.h"
#include "rpc/priv.h"

#define ADDRESS_TARGETS_MAX 100000 /* scripts of one question */
#define ADDRESS_ROWS_MAX 200000    /* transactions of one answer */
#define ADDRESS_ROWS_DEFAULT 1000

/* A script that is asked for. */
struct target {
    struct script_hash hash;
    uint8_t *script;
    size_t len;
};

struct address_query {
    struct rpc_call *call;
    struct target *target; /* by hash, each once */
    size_t n_targets, cap_targets;
    bool old_form;   /* {"addresses": [...]}, as other nodes take it: plain arrays are the answer */
    bool chain_info; /* old form: the answer says of which block it is */
    int32_t start, end;
    struct address_place from; /* where the page begins */
    struct pool_place {
        int64_t time;
        struct txid txid;
    } pool_from;  /* the same in an answer about the mempool, which is in the order of time */
    bool pool;    /* it is one */
    size_t limit; /* transactions of the page */
    bool paged;   /* limit or cursor was given */
    struct address_view *view;
    const struct block_entry *tip; /* of the view */
};

/** Reads both parameters: the scripts, and the options that bound the answer, of which a command takes those that it names. Returns: false with the
 *  error set; to be cleared in any case. */
bool address_query_read(struct address_query *q, struct rpc_call *call);
/** The same for an answer about the mempool. */
bool address_query_read_pool(struct address_query *q, struct rpc_call *call);
/** An array alone is the answer: the old form, unless more is asked for. */
bool address_query_is_bare(const struct address_query *q);
/** Opens the view. gather (may be NULL) runs on the validation thread first, when the pool stands upon the same block as the view; it may run more
 *  than once, and begins anew each time. Returns: false with the error set. */
bool address_query_open(struct address_query *q, void (*gather)(struct address_query *q, void *arg), void *arg);
void address_query_clear(struct address_query *q);
/** Sets the error of a reading that failed. Returns: false. */
bool address_query_failed(struct address_query *q, enum rc rc);
/** Members "address" (if it has one) and "script" (if asked for, or if it has none). */
void jw_target(struct json_writer *j, const struct address_query *q, size_t target, bool script);

/* A line of an answer: a transaction in one script's history, or a coin. */
struct found {
    uint64_t place;  /* height and position */
    uint32_t target; /* index of the script */
    uint32_t n;      /* coins: of the output */
    struct txid txid;
    int64_t received, spent; /* coins: the value, and 0 */
};
struct page {
    struct found *row; /* in the order of the chain */
    size_t n;
    bool more;
    struct address_place next; /* where the next page begins */
};
/** Collects a page of histories, or of coins, over all scripts; limits are in transactions, whose lines are not parted. Returns: false with the
 *  error set; the page is to be freed in any case. */
bool page_read(struct page *p, struct address_query *q, bool coins);
void page_clear(struct page *p);
/** The end of a paged answer: of which block it is, and where it goes on. */
void jw_page_end(struct json_writer *j, const struct address_query *q, const struct page *p);

/* address_index_deltas.c, address_index_pool.c */
void rpc_getaddressdeltas(struct rpc_call *call);
void rpc_getaddressmempool(struct rpc_call *call);

#endif
