/* span.c - pieces of a descriptor's text. Called by the parsers; pure. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "descriptor/internal.h"
#include "util/mem.h"

bool parse_fail(struct parser *p, const char *fmt, ...)
{
    va_list ap;

    free(p->error);
    va_start(ap, fmt);
    if (vasprintf(&p->error, fmt, ap) < 0)
        p->error = xstrdup("out of memory");
    va_end(ap);
    return false;
}

bool parse_fail_in(struct parser *p, const char *prefix)
{
    char *inner = p->error;

    p->error = xasprintf("%s%s", prefix, inner ? inner : "");
    free(inner);
    return false;
}

bool span_starts(struct span s, const char *text)
{
    size_t n = strlen(text);

    return s.n >= n && memcmp(s.s, text, n) == 0;
}

bool span_skip(struct span *s, const char *text)
{
    if (!span_starts(*s, text))
        return false;
    s->s += strlen(text);
    s->n -= strlen(text);
    return true;
}

bool span_function(struct span *s, const char *name)
{
    size_t n = strlen(name);

    if (s->n < n + 2 || s->s[n] != '(' || s->s[s->n - 1] != ')' || memcmp(s->s, name, n) != 0)
        return false;
    s->s += n + 1;
    s->n -= n + 2;
    return true;
}

struct span span_expr(struct span *s)
{
    struct span out = {s->s, 0};
    size_t level = 0;

    for (; out.n < s->n; out.n++) {
        char c = s->s[out.n];
        if (c == '(' || c == '{')
            level++;
        else if (level && (c == ')' || c == '}'))
            level--;
        else if (!level && (c == ')' || c == '}' || c == ','))
            break;
    }
    s->s += out.n;
    s->n -= out.n;
    return out;
}

bool span_number(struct span s, uint64_t max, uint64_t *out)
{
    uint64_t v = 0;

    if (s.n == 0)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.s[i] < '0' || s.s[i] > '9')
            return false;
        v = v * 10 + (uint64_t)(s.s[i] - '0');
        if (v > max)
            return false;
    }
    *out = v;
    return true;
}

bool span_is_hex(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.s[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')))
            return false;
    }
    return s.n > 0 && s.n % 2 == 0;
}

bool span_next(struct span_split *split, char separator, struct span *out)
{
    const char *end;

    if (split->done)
        return false;
    end = split->rest.n ? memchr(split->rest.s, separator, split->rest.n) : NULL;
    *out = split->rest;
    if (!end) {
        split->done = true;
        return true;
    }
    out->n = (size_t)(end - split->rest.s);
    split->rest.s = end + 1;
    split->rest.n -= out->n + 1;
    return true;
}

void list_add(struct arena *a, struct list *l, void *item)
{
    if (l->n == l->cap) {
        void **bigger = arena_alloc(a, (l->cap ? 2 * l->cap : 4) * sizeof(*bigger));
        if (l->n)
            memcpy(bigger, l->items, l->n * sizeof(*bigger));
        l->items = bigger;
        l->cap = l->cap ? 2 * l->cap : 4;
    }
    l->items[l->n++] = item;
}
