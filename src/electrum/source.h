/* source.h - what a session asks of the node: chain, index, mempool and commands behind a table of functions, so that a session can be tested
 * without them. data.c is the real one. All may block and are called on a pool thread, several at a time. */
#ifndef FARTHING_ELECTRUM_SOURCE_H
#define FARTHING_ELECTRUM_SOURCE_H

#include "consensus/params.h"
#include "index/address_index.h"
#include "rpc/json_write.h"
#include "util/rc.h"

struct json_object;
struct watcher;

/* A transaction that touches a script. */
struct history_row {
    struct txid txid;
    int32_t height; /* 0: of the mempool; -1: of the mempool, with parents there */
    uint32_t pos;   /* in its block */
    int64_t fee;    /* satoshi, of the mempool's */
};
/* In the order that the protocol asks for: by place in the chain, then the mempool's. */
struct script_history {
    struct history_row *rows; /* malloc'ed */
    size_t n, n_confirmed;
};
struct unspent_row {
    struct outpoint outpoint;
    int32_t height; /* 0: of the mempool */
    int64_t value;
};

/* The way from a leaf of a Merkle tree to its root. */
struct merkle_proof {
    uint8_t branch[40][32]; /* deepest first */
    unsigned n;
    uint8_t root[32];
};

/* The status of a script: what clients compare. */
struct script_status {
    bool any; /* false: no history, and the rest means nothing */
    bool unconfirmed;
    uint8_t hash[32];
};

enum electrum_rc {
    ELECTRUM_OK,
    ELECTRUM_NONE, /* there is no such thing */
    ELECTRUM_BUSY, /* the index is still being built */
    ELECTRUM_LARGE,
    ELECTRUM_BROKEN
};

struct electrum_source {
    void *ctx;
    const struct chain_params *params;
    const char *banner, *donation;
    int32_t (*height)(void *ctx);
    /* The header of the active chain at a height. Out: hash may be NULL. */
    bool (*header)(void *ctx, uint8_t out[BLOCK_HEADER_SIZE], struct block_hash *hash, int32_t height);
    /* From the header at a height to the root over all headers up to cp (height <= cp <= tip). */
    bool (*header_proof)(void *ctx, struct merkle_proof *out, int32_t height, int32_t cp);
    enum electrum_rc (*history)(void *ctx, struct script_history *out, const struct script_hash *h);
    enum electrum_rc (*balance)(void *ctx, int64_t *confirmed, int64_t *unconfirmed, const struct script_hash *h);
    enum electrum_rc (*unspent)(void *ctx, struct unspent_row **rows, size_t *n, const struct script_hash *h);
    /* The first transaction of a script; height <= 0: of the mempool. */
    enum electrum_rc (*first_use)(void *ctx, struct history_row *out, const struct script_hash *h);
    /* The ids of a block's transactions, n of them, malloc'ed. */
    enum electrum_rc (*block_ids)(void *ctx, struct txid **ids, size_t *n, int32_t height);
    /* A transaction whose place is known; ELECTRUM_NONE: ask by command. Out: its bytes. *block: where it is, for commands. */
    enum electrum_rc (*known_tx)(void *ctx, struct writer *raw, struct block_hash *block, const struct txid *id);
    /* A command of the node's; see rpc_local_call. */
    int (*call)(void *ctx, struct writer *out, const char *method, struct json_object *params);
    /* Has w told when the status changes; Out: the status now, and how many rows it is made of. ELECTRUM_LARGE: too many. address: as the client
     * named it; NULL: by script hash. */
    enum electrum_rc (*watch)(void *ctx, struct watcher *w, struct script_status *out, size_t *rows, const struct script_hash *h,
                              const char *address);
    /* The same without being told. */
    enum electrum_rc (*status)(void *ctx, struct script_status *out, size_t *rows, const struct script_hash *h);
    bool (*unwatch)(void *ctx, struct watcher *w, const struct script_hash *h, bool by_address);
    /* "hosts" of server.features. */
    void (*hosts)(void *ctx, struct json_writer *j);
};

/** SHA-256 over "txid:height:" of all rows. */
void script_status_of(struct script_status *out, const struct script_history *h);
/** What a client is told: the hex of the status, or null. */
void jw_status(struct json_writer *j, const struct script_status *s);

#endif
