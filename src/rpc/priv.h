/* priv.h - what the command files share: a call under way, its parameters and its output, the tables of commands, and the ways to the other
 * threads. Handlers run on the loop thread (RPC_INLINE, RPC_WAITS) or on a pool thread. */
#ifndef FARTHING_RPC_PRIV_H
#define FARTHING_RPC_PRIV_H

#include <json-c/json.h>

#include "rpc/json_write.h"
#include "rpc/net_host.h"
#include "rpc/rpc.h"
#include "util/assert.h"
#include "util/hex.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/time.h"

/* Error codes of Bitcoin Core's rpc/protocol.h. */
enum rpc_code {
    RPC_INVALID_REQUEST = -32600,
    RPC_METHOD_NOT_FOUND = -32601,
    RPC_LIMIT_EXCEEDED = -37,
    RPC_INVALID_PARAMS = -32602,
    RPC_INTERNAL_ERROR = -32603,
    RPC_PARSE_ERROR = -32700,
    RPC_MISC_ERROR = -1,
    RPC_TYPE_ERROR = -3,
    RPC_INVALID_ADDRESS_OR_KEY = -5,
    RPC_INVALID_PARAMETER = -8,
    RPC_CLIENT_NOT_CONNECTED = -9,
    RPC_CLIENT_IN_INITIAL_DOWNLOAD = -10,
    RPC_DATABASE_ERROR = -20,
    RPC_DESERIALIZATION_ERROR = -22,
    RPC_CLIENT_NODE_ALREADY_ADDED = -23,
    RPC_CLIENT_NODE_NOT_ADDED = -24,
    RPC_VERIFY_ERROR = -25,
    RPC_VERIFY_REJECTED = -26,
    RPC_VERIFY_ALREADY_IN_UTXO_SET = -27,
    RPC_IN_WARMUP = -28,
    RPC_CLIENT_NODE_NOT_CONNECTED = -29,
    RPC_CLIENT_INVALID_IP_OR_SUBNET = -30,
    RPC_CLIENT_P2P_DISABLED = -31,
    RPC_CLIENT_MEMPOOL_DISABLED = -33,
    RPC_CLIENT_NODE_CAPACITY_REACHED = -34
};

enum rpc_type { RPC_STR, RPC_HEX, RPC_NUM, RPC_BOOL, RPC_AMOUNT, RPC_OBJ, RPC_ARR, RPC_OPTIONS };
enum rpc_param_flag {
    RPC_REQUIRED = 1,
    RPC_ANY_TYPE = 2, /* the command looks at the type itself */
    RPC_HIDDEN = 4,   /* not in the help */
    RPC_OPTION = 8    /* may be given by name only: a member of the RPC_OPTIONS parameter that follows */
};
struct rpc_param {
    const char *names; /* "verbosity|verbose" */
    enum rpc_type type;
    unsigned flags;
    const char *dflt; /* as the help shows it; NULL: none */
    const char *help;
    const char *usage; /* how the usage line shows a structured value, NULL: by type */
};

struct rpc_call;
enum rpc_command_flag {
    RPC_INLINE = 1,     /* runs on the loop thread at once: no I/O, no waiting */
    RPC_WAITS = 2,      /* runs on the loop thread and may set call->wait: answered when the wait is over */
    RPC_STOPS = 4,      /* the node is asked to stop once the answer is sent */
    RPC_OWN = 8,        /* not one of Core's: left out of the table of conversions, which Core's tools hold against theirs */
    RPC_VALIDATES = 16, /* short work that is done on the validation thread: runs there as a whole if it comes alone */
    RPC_ANYWHERE = 32,  /* with RPC_INLINE: takes no time and nothing that is the loop thread's, so that it may run on any */
    RPC_BUSY = 64       /* keeps a processor busy for milliseconds: few of them run at a time */
};
struct rpc_command {
    const char *category; /* "blockchain", ... "hidden" */
    const char *name;
    void (*run)(struct rpc_call *call);
    const struct rpc_param *params; /* ended by names == NULL; NULL: none */
    unsigned flags;
    const char *help;
};
#define RPC_PARAMS(...) ((const struct rpc_param[]){__VA_ARGS__, {NULL, RPC_STR, 0, NULL, NULL, NULL}})

/* What a long poll waits for. */
enum rpc_wait_kind {
    RPC_WAIT_NONE,
    RPC_WAIT_TIP_CHANGE,
    RPC_WAIT_BLOCK,
    RPC_WAIT_HEIGHT,
    RPC_WAIT_DELAY,
    RPC_WAIT_NOTHING,
    RPC_WAIT_OPENING,
    RPC_WAIT_TEMPLATE
};
struct rpc_wait {
    enum rpc_wait_kind kind;
    struct block_hash hash; /* TIP_CHANGE, TEMPLATE: until the tip is another; BLOCK: until it is this */
    uint64_t updates;       /* TEMPLATE: when time is up, it goes on until the pool's are others */
    int32_t height;
    char name[256];                        /* OPENING: until no connection is being opened by that name (loop thread only) */
    int64_t timeout_ms;                    /* 0: for ever */
    void (*finish)(struct rpc_call *call); /* writes the result; pool_after: on a pool thread */
    bool pool_after;
};

struct rpc_call {
    struct rpc_server *server;
    const struct rpc_host *host;
    const struct rpc_command *command;
    struct json_object *params; /* array, never NULL while the handler runs */
    struct json_writer out;     /* the result, one JSON value; empty: null */
    int code;                   /* 0: no error */
    char *message;
    struct rpc_wait wait;
    size_t result_at;       /* where the result begins in out; the envelope's head stands in front */
    struct json_object *id; /* NULL: null */
    bool has_id, v2;
    bool on_validation; /* it runs on the validation thread */
    const char *method; /* as the request names it; static once the command is known */
    int64_t started_us;
    struct rpc_call *next, *prev; /* active calls, for getrpcinfo */
};

/** Sets the error (the first one stays). Returns: false. */
bool rpc_error(struct rpc_call *call, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/** The error with the command's help as text (wrong use). */
bool rpc_error_usage(struct rpc_call *call, int code);

/* ---- parameters (args.c). All: false with the error set if the value is not fit; absent (or null) gives dflt. ---- */
struct json_object *rpc_arg(const struct rpc_call *call, size_t i);
bool rpc_has(const struct rpc_call *call, size_t i);
/** "null", "bool", "object", "array", "string", "number" */
const char *rpc_type_name(const struct json_object *v);
bool rpc_want(struct rpc_call *call, const struct json_object *v, enum rpc_type type);
bool rpc_int_of(struct rpc_call *call, int64_t *out, struct json_object *v, int64_t lo, int64_t hi);
bool rpc_int(struct rpc_call *call, int64_t *out, size_t i, int64_t dflt); /* 32 bit range */
bool rpc_int64(struct rpc_call *call, int64_t *out, size_t i, int64_t dflt);
bool rpc_flag(struct rpc_call *call, bool *out, size_t i, bool dflt);
bool rpc_text(struct rpc_call *call, const char **out, size_t i, const char *dflt);
bool rpc_hash_of(struct rpc_call *call, uint8_t out[32], struct json_object *v, const char *name);
bool rpc_hash(struct rpc_call *call, uint8_t out[32], size_t i, const char *name);
/** Bytes of a hex string; *out malloc'ed. error text names it. */
bool rpc_bytes_of(struct rpc_call *call, uint8_t **out, size_t *len, struct json_object *v, const char *name);
bool rpc_amount_of(struct rpc_call *call, int64_t *out, struct json_object *v);
/** Fee rate in satoshi/kvB; dflt as text. */
bool rpc_fee_rate(struct rpc_call *call, int64_t *out, size_t i, int64_t dflt);
/** Numbers 0..3, booleans where allow_bool. */
bool rpc_verbosity(struct rpc_call *call, int *out, size_t i, int dflt, bool allow_bool);
/** Decimal text to a fixed-point number of `decimals` places. */
bool parse_fixed_point(int64_t *out, const char *text, unsigned decimals);
/** Hex of a transaction, Core's choice between the two forms. Returns: NULL if it does not decode. */
struct tx *rpc_decode_tx(const char *hex, bool try_legacy, bool try_witness);
/** A member of an object, NULL if absent. */
struct json_object *rpc_member(struct json_object *o, const char *key);

/* ---- help and dispatch ---- */
const struct rpc_command *rpc_find_command(const char *name);
extern const struct rpc_command rpc_block_commands[], rpc_chain_commands[], rpc_stats_commands[], rpc_chain_control_commands[],
    rpc_coins_commands[], rpc_scan_commands[], rpc_scanblocks_commands[], rpc_mining_commands[], rpc_template_commands[],
    rpc_generate_commands[], rpc_network_commands[], rpc_peer_commands[], rpc_rawtx_commands[], rpc_create_commands[],
    rpc_send_commands[], rpc_privcast_commands[], rpc_package_commands[], rpc_mempool_commands[], rpc_control_commands[],
    rpc_util_commands[], rpc_wait_commands[], rpc_proof_commands[], rpc_hidden_commands[], rpc_sign_commands[],
    rpc_multisig_commands[], rpc_message_commands[], rpc_mempool_cluster_commands[], rpc_mempool_file_commands[],
    rpc_index_commands[], rpc_address_book_commands[], rpc_miner_commands[], rpc_fees_commands[], rpc_snapshot_commands[],
    rpc_zmq_commands[], rpc_signer_commands[], rpc_psbt_commands[], rpc_psbt_show_commands[], rpc_psbt_process_commands[];
extern const struct rpc_command rpc_address_index_commands[];
/** Tables of all files, ended by NULL. */
extern const struct rpc_command *const rpc_tables[];
char *rpc_help_text(const struct rpc_command *c);
char *rpc_help_list(void);
/** All parameters of all commands: [method, position, name, is it a string?], for clients that convert words to JSON. */
void jw_conversions(struct json_writer *j);
/** Checks the parameters and runs the handler of call->command (NULL: there is none). params: array or object, NULL for none. */
void rpc_run(struct rpc_call *call, struct json_object *params);

/* ---- what the commands that take transactions share ---- */
#define RPC_MAX_FEE_RATE (COIN / 10) /* satoshi per 1,000 vbytes */
#define RPC_MAX_FEE_RATE_PARAM                                                                                                     \
    {                                                                                                                              \
        "maxfeerate", RPC_AMOUNT, 0, "\"0.10\"",                                                                                   \
            "Reject transactions whose fee rate is higher than the specified value, expressed in BTC/kvB. Fee rates larger than "  \
            "1BTC/kvB are rejected. Set "                                                                                          \
            "to 0 to accept any fee rate.",                                                                                        \
            NULL                                                                                                                   \
    }
#define RPC_MAX_BURN_PARAM                                                                                                         \
    {                                                                                                                              \
        "maxburnamount", RPC_AMOUNT, 0, "\"0.00\"",                                                                                \
            "Reject transactions with provably unspendable outputs (e.g. 'datacarrier' outputs that use the OP_RETURN opcode) "    \
            "greater than the "                                                                                                    \
            "specified value, expressed in BTC.",                                                                                  \
            NULL                                                                                                                   \
    }

/* The parameters that say what a new transaction is made of. */
#define RPC_CONSTRUCT_PARAMS                                                                                                       \
    {"inputs", RPC_ARR, RPC_REQUIRED, NULL, "The inputs", "[{\"txid\":\"hex\",\"vout\":n,\"sequence\":n},...]"},                   \
        {"outputs",                                                                                                                \
         RPC_ARR,                                                                                                                  \
         RPC_REQUIRED | RPC_ANY_TYPE,                                                                                              \
         NULL,                                                                                                                     \
         "The outputs specified as key-value pairs. Each key may only appear once: addresses with amounts, and \"data\" with "     \
         "hex.",                                                                                                                   \
         "[{\"address\":amount,...},{\"data\":\"hex\"},...]"},                                                                     \
        {"locktime", RPC_NUM, 0, "0", "Raw locktime. Non-0 value also locktime-activates inputs", NULL},                           \
        {"replaceable", RPC_BOOL, 0, "true", "Marks this transaction as BIP125-replaceable.", NULL},                               \
    {                                                                                                                              \
        "version", RPC_NUM, 0, "2", "Transaction version", NULL                                                                    \
    }
/** The transaction that these parameters, the first five of the call, describe. Returns: one reference; NULL with the error set. */
struct tx *rpc_construct_tx(struct rpc_call *call);
/** A hash type by its name, SIGHASH_DEFAULT if absent. */
bool rpc_hash_type(struct rpc_call *call, uint8_t *out, size_t i);
/** A value as a client gave it. */
void jw_given(struct json_writer *j, struct json_object *v);

/* ---- other threads (threads.c) ---- */
/** Runs fn(arg) on the validation thread and waits. Returns: false with the error set if the node is stopping. */
bool rpc_on_validation(struct rpc_call *call, job_fn fn, void *arg);
/** Runs fn(arg) on the loop thread and waits; on the loop thread at once. */
bool rpc_on_loop(struct rpc_call *call, job_fn fn, void *arg);
/** Has fn(arg) run on the loop thread before the answer is sent, and does not wait for it. drop (may be NULL): frees arg if it never runs. */
void rpc_post_loop(struct rpc_call *call, job_fn fn, job_fn drop, void *arg);
bool rpc_stopping(const struct rpc_call *call);

/* ---- results shared by several files ---- */
struct coin;
struct tx_undo;
/** Members of a script object: asm, desc, hex, address, type. */
void jw_script_members(struct json_writer *j, const struct chain_params *p, const uint8_t *script, size_t len, bool with_hex,
                       const uint8_t *inner, size_t inner_len);
void jw_script(struct json_writer *j, const char *key, const struct chain_params *p, const uint8_t *script, size_t len);
struct tx_view {
    const struct tx_undo *undo; /* coins spent; NULL if not known */
    bool prevouts;              /* show them */
    bool hex;
    const struct block_hash *block; /* NULL: none */
};
/** Members of a transaction (the braces are the caller's). */
void jw_tx_members(struct json_writer *j, const struct chain_params *p, const struct tx *tx, const struct tx_view *view);
void jw_header_members(struct json_writer *j, struct rpc_call *call, const struct block_entry *tip, const struct block_entry *e);
/** "error": the entry of a block hash parameter, or the error set. */
const struct block_entry *rpc_block_arg(struct rpc_call *call, size_t i, const char *name);
/** The same of a value that may be a height in the active chain as well. */
const struct block_entry *rpc_hash_or_height(struct rpc_call *call, struct json_object *v);
/** The answer of getblock: a block whose data are there. Pool thread. */
void rpc_write_block(struct rpc_call *call, const struct block_entry *e, int verbosity);
bool rpc_has_data(struct rpc_call *call, const struct block_entry *e, bool undo);
/** Display form of the target of bits. */
struct hash_hex rpc_target_hex(uint32_t bits);
double rpc_network_hashps(struct rpc_call *call, int64_t lookup, int64_t height);
void jw_services(struct json_writer *j, const char *key, uint64_t services);
void jw_service_names(struct json_writer *j, const char *key, uint64_t services);
/** Member "backgroundvalidation", while history is validated behind a snapshot. */
void jw_history(struct rpc_call *call);
void jw_warnings(struct rpc_call *call);
void jw_signet_challenge(struct rpc_call *call);
/** Does an output that nobody can spend hold more than max_burn satoshi? */
bool rpc_burns_too_much(const struct tx *tx, int64_t max_burn);
const struct rpc_host *rpc_need_net(struct rpc_call *call);
const struct rpc_host *rpc_need_mempool(struct rpc_call *call);

#endif
