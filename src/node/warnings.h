/* warnings.h - what the user should know: shown by RPC ("warnings") for as long as it holds, told to the -alertnotify command when it begins.
 * Set by the validation thread, read by any. */
#ifndef FARTHING_NODE_WARNINGS_H
#define FARTHING_NODE_WARNINGS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "consensus/header.h"

#define WARNING_SIZE 256

/* In the order in which they are shown. */
enum warning { WARNING_UNKNOWN_RULES, WARNING_INVALID_CHAIN, WARNING_END };

struct warnings {
    pthread_mutex_t lock;
    char text[WARNING_END][WARNING_SIZE]; /* under lock; "" while there is nothing to say */
    struct bip9_warnings votes;           /* validation thread */
};

void warnings_init(struct warnings *w);
void warnings_clear(struct warnings *w);
/** A warning holds from now on (the first text is kept), or no longer (text NULL). Returns: true if it did not hold before and does now:
 *  the user is to be told. Validation thread. */
bool warnings_set(struct warnings *w, enum warning which, const char *text);
/** The tip moved, outside of initial download: have miners activated rules that this version does not know (Core's CheckUnknownActivations)?
 *  Out: text, if that is new. Returns: true then. Validation thread. */
bool warnings_new_tip(struct warnings *w, char text[WARNING_SIZE], const struct chain_params *params,
                      const struct header_node *tip);
/** The i-th of the warnings that hold. Returns: false if there are not so many. Any thread. */
bool warnings_get(struct warnings *w, unsigned i, char text[WARNING_SIZE]);

#endif
