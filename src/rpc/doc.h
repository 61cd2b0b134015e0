/* doc.h - what commands answer, and examples of their use: const tables beside the commands (doc_<group>.c). They make the help texts, the
 * OpenRPC document and doc/rpc.md, and with -rpcdoccheck every answer is held against them. A unit test fails for a command without results
 * and an example: whoever adds a command adds an entry to the table of its group.
 *
 * The notation of values, one a line (spaces in front only show the nesting; lines are parted by '\n'):
 *
 *     type[?] [name] [=default] [- description]
 *
 *     hex txid - The transaction's id         a member of an object (its name is needed there)
 *     num? height - Its height                it may be absent
 *     hex - A transaction's id                no name: an element of an array, or the whole result
 *     { fees - What it pays                   an object: its members follow, then a line "}"
 *     {* deployments                          an object whose keys are data: one line (or object) tells of all values, its name of the keys
 *     [ tx - Its transactions                 an array: what it holds follows, then "]"; several kinds: an element is one of them
 *     [= range                                an array of just these elements, in this order
 *     &script                                 the lines of a struct rpc_part of that name stand here
 *     &script - As above                      the same, but the help shows only "... As above"
 *     when for verbosity = 1                  what follows is the result in this case; one is for each case
 *     when hidden                             likewise, but in no text (if it is the first: the examples are in none, either)
 *
 * Types: str, hex, num, bool, null, amount (result: a number of coins; argument: that or a string), time (seconds since 1970), any (nothing is
 * checked); for arguments num|str and range (a number or two in an array), too. "~" in front of { or [: what is inside is not checked.
 * Defaults (arguments only) are JSON, or words that say where the value comes from.
 *
 * Arguments are described beside the command (struct rpc_param); here stands only what is inside of those that are arrays or objects, or what
 * type they have if that has no enum rpc_type: one value for each of these, by the parameter's first name.
 *
 * Examples, one a line: the parameters as a JSON array or object (by name), then " ! code why" if the answer is an error on a new node.
 * @name stands for a sample value (rpc_doc_sample), as a whole ([@block, 1]) or in a string ("addr(@address)"). */
#ifndef FARTHING_RPC_DOC_H
#define FARTHING_RPC_DOC_H

#include "rpc/priv.h"
#include "util/arena.h"

#define RPC_COMMANDS_MAX 256

/* Any of the texts but name may be NULL: nothing to say. */
struct rpc_doc {
    const char *name;
    const char *args;
    const char *results;
    const char *examples;
};
/* Lines that several commands share. */
struct rpc_part {
    const char *name;
    const char *lines;
};
/* Each ended by name == NULL; doc.c lists them. */
extern const struct rpc_doc rpc_docs_chain[], rpc_docs_mempool[], rpc_docs_rawtx[], rpc_docs_psbt[], rpc_docs_network[],
    rpc_docs_mining[], rpc_docs_control[], rpc_docs_address[];
extern const struct rpc_part rpc_parts_chain[], rpc_parts_mempool[], rpc_parts_rawtx[], rpc_parts_psbt[], rpc_parts_control[];

/** Returns: the entry, NULL if there is none. Any thread. */
const struct rpc_doc *rpc_doc_of(const char *command);

enum rpc_shape {
    SHAPE_STR,
    SHAPE_HEX,
    SHAPE_NUM,
    SHAPE_BOOL,
    SHAPE_NULL,
    SHAPE_AMOUNT,
    SHAPE_TIME,
    SHAPE_ANY,
    SHAPE_NUM_OR_STR,
    SHAPE_RANGE,
    SHAPE_OBJ,
    SHAPE_OBJ_KEYS, /* the keys are data */
    SHAPE_ARR,
    SHAPE_ARR_FIXED
};
/* A value of the notation, read. */
struct rpc_value {
    enum rpc_shape shape;
    bool optional, unchecked;
    bool hidden;       /* the help does not show it */
    const char *elide; /* the help shows this, as "... text", in its place; NULL: it shows the value */
    const char *name;  /* "" if none */
    const char *dflt;  /* NULL: none */
    const char *text;  /* "" if none */
    const char *when;  /* the case that this result is for, "" if any */
    struct rpc_value *inner, *next;
};
/** Reads lines of the notation. Returns: the first value, chained by next; NULL if they are not well-formed (a bug of the table) or NULL.
 *  Valid until the arena is cleared. Any thread. */
struct rpc_value *rpc_doc_read(struct arena *a, const char *lines);

/** Holds a result against the values of which it must be one. Returns: NULL if it is, else what is wrong where (to free). Any thread. */
char *rpc_doc_mismatch(const struct rpc_value *results, struct json_object *result);
/** -rpcdoccheck: sets the error if the answer of the call is not as it is documented. Any thread. */
void rpc_doc_check(struct rpc_call *call);

/* An example, read. */
struct rpc_example {
    char *params; /* JSON, the samples filled in */
    int error;    /* the code expected, 0 if none */
    const char *why;
};
/** Reads the example at *lines and moves it on. Returns: false at the end. Out: e->params (to free), e->why (NUL-terminated, in the arena). */
bool rpc_doc_next_example(struct rpc_example *e, const char **lines, struct arena *a);
/** The example as words for the shell: what follows "farthing-cli ", the method included (to free). */
char *rpc_doc_example_words(const struct rpc_command *c, const char *params);
/* What @name stands for in examples; ended by name == NULL. */
struct rpc_sample {
    const char *name, *text;
};
extern const struct rpc_sample rpc_samples[];
/** What @name stands for in examples. Returns: NULL if it is not known. */
const char *rpc_doc_sample(const char *name, size_t len);

/* ---- help.c: how texts show values ---- */
/** Adds "Result:" with all that follows to the help text of a command. */
void rpc_put_results(struct writer *w, const struct rpc_value *results);
/** Adds the lines of all parameters but the hidden ones. args: what the command's struct rpc_doc says of them. */
void rpc_put_arguments(struct writer *w, const struct rpc_command *c, const struct rpc_value *args);
/** Adds "name ( arguments )" and a newline. */
void rpc_put_usage(struct writer *w, const struct rpc_command *c);

/* ---- openrpc.c ---- */
/** Writes the OpenRPC document of all commands. hidden: of the hidden ones and their hidden parameters, too. */
void jw_openrpc(struct json_writer *j, bool hidden);

#endif
