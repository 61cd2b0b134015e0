/* warnings.h - what the user should know of the network: rules that miners have activated and this version does not know. Shown by RPC
 * ("warnings") and told once to the -alertnotify command. Set by the validation thread, read by any. */
#ifndef FARTHING_NODE_WARNINGS_H
#define FARTHING_NODE_WARNINGS_H

#include <pthread.h>
#include <stddef.h>

#include "consensus/header.h"

#define WARNING_SIZE 160

struct warnings {
    pthread_mutex_t lock;
    char unknown_rules[WARNING_SIZE]; /* under lock; "" while there is nothing to say */
    struct bip9_warnings votes;       /* validation thread */
};

void warnings_init(struct warnings *w);
void warnings_clear(struct warnings *w);
/** The tip moved, outside of initial download. Out: text, if something new is to be told. Returns: 1 then, else 0. Validation thread.
 *  As Core's CheckUnknownActivations: only the first text is kept. */
int warnings_new_tip(struct warnings *w, char text[WARNING_SIZE], const struct chain_params *params, const struct header_node *tip);
/** Out: text, "" if there is no warning. Any thread. */
void warnings_get(struct warnings *w, char text[WARNING_SIZE]);

#endif
