/* log_limit.c - keeps a line that repeats without end from filling the disk: each place in the source may write so many bytes an hour
 * (Core's -logratelimit). Called by log.c under its lock. */
#include <stdlib.h>
#include <string.h>

#include "util/log_priv.h"
#include "util/mem.h"

void log_limit_init(struct log_limit *l, uint64_t max, int64_t now_us)
{
    free(l->places);
    free(l->expired);
    memset(l, 0, sizeof(*l));
    l->max = max;
    l->since_us = now_us;
}

/* There are as many places as the program has such lines: few, and busy ones come early. */
static struct log_place *find_place(struct log_limit *l, const char *file, int line, const char *func)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->places[i].line == line && strcmp(l->places[i].file, file) == 0)
            return &l->places[i];
    l->places = xrealloc(l->places, (l->n + 1) * sizeof(*l->places));
    l->places[l->n] = (struct log_place){.file = file, .func = func, .line = line};
    return &l->places[l->n++];
}

enum log_limit_state log_limit_consume(struct log_limit *l, const char *file, int line, const char *func, size_t len)
{
    struct log_place *p = find_place(l, file, line, func);

    if (p->dropped) {
        p->dropped += len;
        return LOG_LIMIT_OVER;
    }
    if (len <= l->max - p->written) {
        p->written += len;
        return LOG_LIMIT_BELOW;
    }
    p->dropped = len;
    l->n_over++;
    return LOG_LIMIT_REACHED;
}

bool log_limit_expired(struct log_limit *l, struct log_place *out, int64_t now_us)
{
    if (!l->n_expired && now_us - l->since_us >= (int64_t)LOG_LIMIT_WINDOW_S * 1000000) {
        free(l->expired);
        l->expired = l->places;
        l->n_expired = l->n;
        l->places = NULL;
        l->n = l->n_over = 0;
        l->since_us = now_us;
    }
    while (l->n_expired) {
        *out = l->expired[--l->n_expired];
        if (out->dropped)
            return true;
    }
    return false;
}
