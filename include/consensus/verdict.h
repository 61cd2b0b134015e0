/* verdict.h - three outcomes of a rule: valid, invalid, or an internal error that says nothing about the input. A plain value. */
#ifndef FARTHING_CONSENSUS_VERDICT_H
#define FARTHING_CONSENSUS_VERDICT_H

#include <stdbool.h>

enum verdict_kind { VERDICT_VALID, VERDICT_INVALID, VERDICT_INTERNAL };

/* Why, coarsely: what a caller decides on. Blocks first, transactions behind. */
enum verdict_code {
    CODE_NONE,
    BLOCK_CONSENSUS,      /* breaks a rule */
    BLOCK_CACHED_INVALID, /* was found invalid before */
    BLOCK_INVALID_HEADER, /* proof of work or time of the header */
    BLOCK_MUTATED,        /* the data do not belong to the header: the block itself may be fine */
    BLOCK_MISSING_PREV,
    BLOCK_INVALID_PREV,
    BLOCK_TIME_FUTURE,
    BLOCK_HEADER_LOW_WORK,
    TX_CONSENSUS,
    TX_INPUTS_NOT_STANDARD,
    TX_NOT_STANDARD,
    TX_MISSING_INPUTS,
    TX_PREMATURE_SPEND,
    TX_WITNESS_MUTATED,
    TX_WITNESS_STRIPPED,
    TX_CONFLICT, /* already known, in the chain, or a conflict */
    TX_MEMPOOL_POLICY,
    TX_NO_MEMPOOL,
    TX_RECONSIDERABLE,
    TX_UNKNOWN
};

struct verdict {
    enum verdict_kind kind;
    enum verdict_code code;
    char reason[160]; /* Core's reject reason, "" when valid */
    char debug[360];  /* Core's debug message, often "" */
};

static inline void verdict_init(struct verdict *v)
{
    v->kind = VERDICT_VALID;
    v->code = CODE_NONE;
    v->reason[0] = v->debug[0] = 0;
}
/** Sets an invalid outcome. debug may be NULL. Always returns false, so that rules read `return verdict_invalid(...)`. */
bool verdict_invalid(struct verdict *v, enum verdict_code code, const char *reason, const char *debug_fmt, ...)
    __attribute__((format(printf, 4, 5)));
/** The same with a formatted reason and no debug message. */
bool verdict_invalidf(struct verdict *v, enum verdict_code code, const char *reason_fmt, ...) __attribute__((format(printf, 3, 4)));
/** Sets an internal error. Always returns false. */
bool verdict_internal(struct verdict *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
#define VERDICT_STRING_SIZE sizeof(struct verdict) /* room for both parts */
/** "reason" or "reason, debug" (Core's ValidationState::ToString). Out: out. Returns: out. */
const char *verdict_string(const struct verdict *v, char out[VERDICT_STRING_SIZE]);

#endif
