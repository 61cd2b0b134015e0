/* bytes.c - the growing part of the writer; everything else of bytes.h is inline. A writer belongs to one thread. */
#include "util/bytes.h"

#include <stdlib.h>

#include "util/assert.h"
#include "util/mem.h"

uint8_t *writer_extend(struct writer *w, size_t len)
{
    size_t need = w->len + len;
    uint8_t *p;

    ASSERT(need >= w->len);
    if (need > w->cap || !w->data) {
        size_t cap = w->cap * 2 < 64 ? 64 : w->cap * 2;
        if (cap < need)
            cap = need;
        w->data = xrealloc(w->data, cap);
        w->cap = cap;
    }
    p = w->data + w->len;
    w->len = need;
    return p;
}

void writer_clear(struct writer *w)
{
    free(w->data);
    *w = (struct writer)WRITER_INIT;
}
