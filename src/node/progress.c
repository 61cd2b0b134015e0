/* progress.c - percentage and time left of the first download. Called by node for each new tip. */
#include "node/progress.h"

#include <stdio.h>

#define SAY_EVERY_US ((int64_t)30 * 1000000)
#define FORGET_US ((int64_t)300 * 1000000) /* the speed of the last five to ten minutes counts */

static void format_left(char *out, size_t size, double seconds)
{
    long minutes = (long)(seconds / 60);

    if (seconds < 60)
        snprintf(out, size, "less than a minute");
    else if (minutes < 60)
        snprintf(out, size, "about %ld min", minutes);
    else if (minutes < 48 * 60)
        snprintf(out, size, "about %ld h %ld min", minutes / 60, minutes % 60);
    else
        snprintf(out, size, "about %ld days", minutes / (24 * 60));
}

int progress_update(struct progress *p, double done, int64_t now_us, char *text, size_t size)
{
    double gained;
    char left[48];

    if (!p->since_us) {
        p->since_us = p->said_us = now_us;
        p->from = done;
        return 0;
    }
    if (now_us - p->said_us < SAY_EVERY_US)
        return 0;
    p->said_us = now_us;
    gained = done - p->from;
    if (gained > 0) {
        format_left(left, sizeof(left), (1 - done) / gained * (double)(now_us - p->since_us) / 1e6);
        snprintf(text, size, "%.2f%% of the chain is verified, %s left", done * 100, left);
    } else {
        snprintf(text, size, "%.2f%% of the chain is verified", done * 100);
    }
    if (now_us - p->since_us > 2 * FORGET_US) {
        p->from += gained / 2;
        p->since_us += (now_us - p->since_us) / 2;
    }
    return 1;
}
