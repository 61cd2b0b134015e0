/* warnings.c - follows the version bits of the active chain and keeps the warning about unknown rules. Called by events.c on the validation
 * thread, and by RPC on any. */
#include "node/warnings.h"

#include <stdio.h>
#include <string.h>

#include "util/log.h"

void warnings_init(struct warnings *w)
{
    memset(w, 0, sizeof(*w));
    pthread_mutex_init(&w->lock, NULL);
}

void warnings_clear(struct warnings *w)
{
    pthread_mutex_destroy(&w->lock);
}

int warnings_new_tip(struct warnings *w, char text[WARNING_SIZE], const struct chain_params *params, const struct header_node *tip)
{
    uint32_t locked_in, active;
    int bit = 0;

    bip9_warnings_update(&w->votes, params, tip, &locked_in, &active);
    if (!active || w->unknown_rules[0])
        return 0;
    while (!(active >> bit & 1))
        bit++;
    snprintf(text, WARNING_SIZE, "Unknown new rules activated (versionbit %i)", bit);
    log_warning("%s", text);
    pthread_mutex_lock(&w->lock);
    memcpy(w->unknown_rules, text, WARNING_SIZE);
    pthread_mutex_unlock(&w->lock);
    return 1;
}

void warnings_get(struct warnings *w, char text[WARNING_SIZE])
{
    pthread_mutex_lock(&w->lock);
    memcpy(text, w->unknown_rules, WARNING_SIZE);
    pthread_mutex_unlock(&w->lock);
}
