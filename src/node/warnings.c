/* warnings.c - keeps the warnings, and follows the version bits of the active chain for one of them. Called by events.c on the validation thread,
 * and by RPC on any. */
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

bool warnings_set(struct warnings *w, enum warning which, const char *text)
{
    bool is_new;

    pthread_mutex_lock(&w->lock);
    is_new = text && !w->text[which][0];
    if (!text)
        w->text[which][0] = 0;
    else if (is_new)
        snprintf(w->text[which], WARNING_SIZE, "%s", text);
    pthread_mutex_unlock(&w->lock);
    return is_new;
}

bool warnings_new_tip(struct warnings *w, char text[WARNING_SIZE], const struct chain_params *params, const struct header_node *tip)
{
    uint32_t locked_in, active;
    int bit = 0;

    bip9_warnings_update(&w->votes, params, tip, &locked_in, &active);
    if (!active)
        return false;
    while (!(active >> bit & 1))
        bit++;
    snprintf(text, WARNING_SIZE, "Unknown new rules activated (versionbit %i)", bit);
    if (!warnings_set(w, WARNING_UNKNOWN_RULES, text))
        return false;
    log_event(LOG_LEVEL_WARNING, LOG_NONE, LOG_EVENT("warning", {"kind", "unknown_rules", 0}), "%s", text);
    return true;
}

bool warnings_get(struct warnings *w, unsigned i, char text[WARNING_SIZE])
{
    bool found = false;

    pthread_mutex_lock(&w->lock);
    for (int k = 0; k < WARNING_END && !found; k++) {
        found = w->text[k][0] && i-- == 0;
        if (found)
            memcpy(text, w->text[k], WARNING_SIZE);
    }
    pthread_mutex_unlock(&w->lock);
    return found;
}
