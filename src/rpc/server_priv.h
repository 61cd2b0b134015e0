/* server_priv.h - the server's state, shared by server.c, request.c, wait.c, threads.c, http*.c and auth.c. */
#ifndef FARTHING_RPC_SERVER_PRIV_H
#define FARTHING_RPC_SERVER_PRIV_H

#include "rpc/priv.h"

struct http_server;
struct rpc_http;
struct rpc_auth;
struct block_cache;
struct command_table;
struct template_store;

struct rpc_server {
    atomic_uint refs; /* the owner, and everything posted to the loop */
    struct rpc_host host;
    struct pool *pool;
    struct pool *busy_pool; /* for RPC_BUSY: no more threads than processors, so that the loop thread is not one among many */
    unsigned queue_depth;
    unsigned waits_max;  /* long polls at a time: as many as would fit into the threads and the queue */
    unsigned helpers;    /* threads that are worth having beside the validation thread for its scripts: processors but one */
    atomic_uint helping; /* how many do */
    int64_t started;     /* seconds of the monotonic clock, for uptime */
    atomic_bool ready, stopping, waking;
    bool doc_check;       /* -rpcdoccheck */
    bool sends_privately; /* -privatebroadcast: sendrawtransaction needs the loop before and after the validation thread */
    pthread_t loop_thread;
    bool has_loop_thread;

    pthread_mutex_t mutex;  /* guards what follows */
    pthread_cond_t changed; /* tip moved, or stopping */
    char warmup[128];
    struct rpc_call *active;
    uint64_t tip_changes;

    atomic_bool scanning, scan_abort; /* scantxoutset */
    atomic_int scan_progress;
    atomic_bool blocks_scanning, blocks_scan_abort; /* scanblocks */
    atomic_int blocks_scan_progress, blocks_scan_height;

    struct command_table *commands;    /* dispatch.c; read-only */
    struct block_cache *blocks;        /* block_cache.c */
    struct template_store *templates;  /* template_json.c */
    _Atomic uint64_t template_updates; /* of the pool, as the template shows them that was given out last */

    struct rpc_auth *auth;    /* read-only after start */
    struct rpc_http *front;   /* loop thread */
    struct http_server *http; /* the front's; loop thread */
};

struct rpc_server *rpc_server_new(const struct rpc_host *host);
void rpc_server_ref(struct rpc_server *s);
void rpc_server_unref(struct rpc_server *s);

/* ---- one JSON-RPC body (request.c) ---- */
struct rpc_reply {
    int status;                /* HTTP */
    struct writer body;        /* empty: none */
    struct rpc_call *deferred; /* a single call that waits: finished later by rpc_reply_finish */
    bool stop;                 /* the node is to stop once this is sent */
};
/** Parses a body. Returns: NULL if it is not JSON. */
struct json_object *rpc_parse(const char *body, size_t len);
/* Where a request runs. */
enum rpc_place { RPC_AT_LOOP, RPC_AT_POOL, RPC_AT_BUSY_POOL, RPC_AT_VALIDATION };
/** Handles a parsed body. user: whose whitelist counts. place: this thread; at the loop a call that waits is left in reply->deferred. */
void rpc_handle(struct rpc_server *s, struct rpc_reply *reply, const char *user, struct json_object *request, enum rpc_place place);
/** Gives a deferred call up: there will be no answer to it. */
void rpc_reply_drop(struct rpc_reply *reply);
/** Completes a deferred call (wait over): reply->body and status. */
void rpc_reply_finish(struct rpc_server *s, struct rpc_reply *reply);
void rpc_parse_error(struct rpc_reply *reply);
/** Where should the whole request run? */
enum rpc_place rpc_place_of(struct rpc_server *s, struct json_object *request);
/** For tests: a whole body, waiting calls block. Returns: the answer's text (to free), "" if there is none. */
char *rpc_execute(struct rpc_server *s, const char *user, const char *body, size_t len, int *status);

/* ---- dispatch.c ---- */
struct command_table *command_table_new(void); /* to be freed with free */
/** The command of that name, as rpc_find_command, in constant time. Returns: NULL if there is none. */
const struct rpc_command *rpc_lookup(const struct rpc_server *s, const char *name);

/* ---- block_cache.c, any thread ---- */
/* The bytes of a block; or its members behind the header's as getblock writes them, without and with what its undo record tells. */
enum kept_form { KEPT_RAW, KEPT_IDS, KEPT_TXS, KEPT_TXS_FEES, KEPT_TXS_PREVOUTS };
struct kept {
    uint8_t *data; /* NULL: they are in a file */
    int file;      /* in memory, and nowhere else; its bytes never change. -1: none */
    size_t len;
    /* the cache's */
    atomic_uint refs;
    struct block_hash hash;
    enum kept_form form;
    int64_t used_us;
    struct kept *next;
};
struct block_cache *block_cache_new(void);
void block_cache_free(struct block_cache *c);
/** Returns: one reference, NULL if it is not there. The block's files may be gone meanwhile: chain_files_exist tells. */
struct kept *block_cache_find(struct block_cache *c, const struct block_hash *hash, enum kept_form form);
/** It was not there and had to be made, `len` bytes: is it worth keeping? */
bool block_cache_wants(struct block_cache *c, const struct block_hash *hash, enum kept_form form, size_t len);
/** Keeps it for a while, longer ones of KEPT_RAW as a file; data_take: malloc'ed. Returns: one reference. */
struct kept *block_cache_add_take(struct block_cache *c, const struct block_hash *hash, enum kept_form form, uint8_t *data_take,
                                  size_t len);
/* Room for a block, to be sent and given back: the same again and again, so that it is in the processor's cache already. */
#define BLOCK_BUFFER ((size_t)1 << 20)
struct block_buffer {
    struct block_cache *of;
    uint8_t bytes[BLOCK_BUFFER];
};
struct block_buffer *block_buffer_get(struct block_cache *c);
/** arg: the struct block_buffer. */
void block_buffer_put(void *arg);
/** arg: a struct kept, NULL is ignored. */
void kept_unref(void *arg);
/** Forgets what nobody has asked for for a minute, and the buffer if it is not used. */
void block_cache_sweep(struct block_cache *c, int64_t now_us);

struct template_store *template_store_new(void);
void template_store_free(struct template_store *s);

/* ---- send.c ---- */
struct mempool_scripts;
/** The scripts of a transaction that is being sent, if it is worth while to run them on another thread: others wait for this one, the
 *  validation thread, and a processor is free for them. NULL: they are run with the command. */
struct mempool_scripts *rpc_scripts_ahead(struct rpc_server *s, struct json_object *request);
/** Runs them on the calling thread. */
void rpc_scripts_run(struct rpc_server *s, struct mempool_scripts *scripts_take);
void rpc_scripts_drop(struct rpc_server *s, struct mempool_scripts *scripts_take);

/* ---- threads.c: a job on another thread ---- */
struct remote_job;
/** Has step(arg) run on the validation thread, and again after each remote_resume as long as it returns false. Out: *out, set before it runs:
 *  what is to be let go of with remote_forget or remote_stop. */
void remote_start(struct remote_job **out, struct rpc_server *s, bool (*step)(void *arg), void *arg);
/** Once for each step that returns false, before or after it does. Any thread; the job is the validation thread's from then on. */
void remote_resume(struct remote_job *job);
/** The last step is over: arg is not touched any more. */
void remote_forget(struct remote_job *job);
/** The server stops: waits for a step that has begun. Returns: false if the last one has not and never will. */
bool remote_stop(struct remote_job *job);

/* ---- waits (wait.c) ---- */
bool rpc_wait_over(struct rpc_server *s, const struct rpc_wait *w);
/** Is it a client's wait for the chain, one of those that are counted? */
bool rpc_wait_is_poll(const struct rpc_wait *w);
/** The time of a wait is up: milliseconds that it goes on for all that, 0: it is over. */
int64_t rpc_wait_more(struct rpc_server *s, const struct rpc_wait *w);
/** Blocks this (pool) thread until the wait is over, the node stops or time is up. */
void rpc_wait_block(struct rpc_server *s, const struct rpc_wait *w);

/* ---- auth.c ---- */
bool rpc_auth_init(struct rpc_auth **out, const struct rpc_host *host, char **error);
void rpc_auth_free(struct rpc_auth *a); /* removes the cookie */
/** header: the Authorization value. Out: user (to free, may be NULL). */
bool rpc_auth_check(const struct rpc_auth *a, const char *header, char **user);
/** May this user call anything / this method? a NULL: yes. */
bool rpc_auth_user_allowed(const struct rpc_auth *a, const char *user);
bool rpc_auth_method_allowed(const struct rpc_auth *a, const char *user, const char *method);

/* ---- rest.c, loop thread ---- */
/** Adds the paths of the REST interface. */
void rest_start(struct rpc_server *s);

/* ---- http_rpc.c, http_wait.c, loop thread ---- */
bool rpc_http_start(struct rpc_http **out, struct rpc_server *s, char **error);
void rpc_http_stop(struct rpc_http *h);
void rpc_http_tip_changed(struct rpc_http *h);

#endif
