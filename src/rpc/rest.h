/* rest.h - what the files of the REST interface share: one request under way, and the ways to answer it. Paths, formats, headers and texts are
 * Bitcoin Core's (its doc/REST-interface.md). A request is worked upon by one thread: the loop's, or a pool thread where files are read. */
#ifndef FARTHING_RPC_REST_H
#define FARTHING_RPC_REST_H

#include "rpc/http_priv.h"
#include "rpc/priv.h"

enum rest_format { REST_UNKNOWN, REST_BIN, REST_HEX, REST_JSON };
enum rest_cache { REST_CHANGES, REST_NEVER_CHANGES }; /* may the answer be other tomorrow? */

struct rest {
    struct http_request *req;
    char *param;             /* of the path: behind its prefix, without query and extension */
    enum rest_format format; /* the extension */
    struct rpc_call call;    /* for what is shared with commands: its host, and `out`, the answer in JSON */
};

/** Answers on this thread. arg: the struct rpc_server, which is ready. */
void rest_answer(void *arg, struct http_request *req);
/** Loop thread: answers what takes no time. Returns: false if it is not that. */
bool rest_answer_at_once(struct rpc_server *s, struct http_request *req);

/** Answers with an error; the text is one line. Returns: false. */
bool rest_fail(struct rest *r, int status, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/** The same with a text that ends in bytes of the client's. */
bool rest_fail_bytes(struct rest *r, int status, const char *text, const char *bytes, size_t len);
/** That there is no such format (formats: those that there are, "json"). Returns: false. */
bool rest_fail_format(struct rest *r, const char *formats);
#define REST_ALL_FORMATS ".bin, .hex, .json"
/** Answers with what stands in call.out. */
void rest_send_json(struct rest *r, enum rest_cache cache);
/** Answers with bytes or their hex digits, by the format. *w is empty after. */
void rest_send_bytes(struct rest *r, enum rest_cache cache, struct writer *w);
/** The same with len bytes, malloc'ed, which are taken over. */
void rest_send_take(struct rest *r, enum rest_cache cache, uint8_t *data_take, size_t len);
/** Answers with a file's bytes as http_reply_file. */
void rest_send_file(struct rest *r, enum rest_cache cache, int file, size_t len, void (*release)(void *arg), void *arg);
/** Answers with borrowed bytes; release(arg) is called on the loop thread when they are sent. */
void rest_send_ref(struct rest *r, enum rest_cache cache, const uint8_t *data, size_t len, void (*release)(void *arg), void *arg);

/** A hash in text; text: borrowed. Returns: false once the error is sent. */
bool rest_hash(struct rest *r, uint8_t out[32], const char *text);
/** Decimal digits and nothing else. Returns: false if it is not that, or above max. */
bool rest_number(uint64_t *out, const char *text, uint64_t max);
/** The same, text not NUL-terminated. */
bool rest_digits(uint64_t *out, const char *text, size_t len, uint64_t max);
/** Splits param at each '/', in place. Out: up to max parts. Returns: how many there are, or max + 1 if more. */
size_t rest_split(char *param, char **parts, size_t max);
/** ?count=, or what stands in the path (given, may be NULL): 1 to 2000. Returns: false once the error is sent. */
bool rest_count(struct rest *r, size_t *count, const char *given);
/** Up to `count` blocks of the active chain from hash on. Out: list (room for count). Returns: how many; 0 if it is not in it. */
size_t rest_chain_from(struct rest *r, const struct block_entry **list, size_t count, const struct block_hash *hash);

/* The paths. */
void rest_headers(struct rest *r);
void rest_block_by_height(struct rest *r);
void rest_block(struct rest *r);
void rest_block_brief(struct rest *r);
/** Loop thread: answers with a block's bytes if they are at hand. Returns: false if they are not, or it is not them that are asked for. */
bool rest_block_at_once(struct rest *r);
void rest_block_part(struct rest *r);
void rest_spent(struct rest *r);
void rest_filter(struct rest *r);
void rest_filter_headers(struct rest *r);
void rest_utxos(struct rest *r);
void rest_tx(struct rest *r);
void rest_mempool(struct rest *r);
void rest_chain_info(struct rest *r);
void rest_deployments(struct rest *r);

#endif
