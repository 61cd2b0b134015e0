/* doc.c - finds what is documented of a command and reads its notation (doc.h). Called by help, the OpenRPC document, the check of answers and
 * the program that writes doc/rpc.md. Any thread. */
#include "rpc/doc.h"

#include <stdlib.h>

#define DEPTH_MAX 24 /* of objects, arrays and parts in one another */

static const struct rpc_doc *const docs[] = {rpc_docs_chain,  rpc_docs_mempool, rpc_docs_rawtx,   rpc_docs_psbt, rpc_docs_network,
                                             rpc_docs_mining, rpc_docs_control, rpc_docs_address, NULL};
static const struct rpc_part *const parts[] = {rpc_parts_chain, rpc_parts_mempool, rpc_parts_rawtx,
                                               rpc_parts_psbt,  rpc_parts_control, NULL};

const struct rpc_doc *rpc_doc_of(const char *command)
{
    for (const struct rpc_doc *const *t = docs; *t; t++) {
        for (const struct rpc_doc *d = *t; d->name; d++) {
            if (strcmp(d->name, command) == 0)
                return d;
        }
    }
    return NULL;
}

static const char *part_lines(const char *name, size_t len)
{
    for (const struct rpc_part *const *t = parts; *t; t++) {
        for (const struct rpc_part *p = *t; p->name; p++) {
            if (strlen(p->name) == len && memcmp(p->name, name, len) == 0)
                return p->lines;
        }
    }
    return NULL;
}

/* ---- reading ---- */

struct doc_reader {
    struct arena *arena;
    const char *pos;
    unsigned depth;
    char closing; /* '}' or ']' ends this level, 0: the end of the text */
    bool bad;
};

static char *copy(struct arena *a, const char *s, size_t len)
{
    char *out = arena_alloc(a, len + 1);

    memcpy(out, s, len);
    out[len] = 0;
    return out;
}

/* The next line without the blanks in front. Returns: false at the end. */
static bool next_line(struct doc_reader *r, const char **line, size_t *len)
{
    while (*r->pos == ' ')
        r->pos++;
    if (!*r->pos)
        return false;
    *line = r->pos;
    *len = strcspn(r->pos, "\n");
    r->pos += *len + (r->pos[*len] == '\n');
    return true;
}

static bool shape_of(enum rpc_shape *shape, const char *word, size_t len)
{
    static const char *const words[] = {"str", "hex",     "num",   "bool", "null", "amount", "time",
                                        "any", "num|str", "range", "{",    "{*",   "[",      "[="};

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strlen(words[i]) == len && memcmp(words[i], word, len) == 0) {
            *shape = (enum rpc_shape)i;
            return true;
        }
    }
    return false;
}

/* "type[?] [name] [=default] [- description]" */
static bool read_head(struct doc_reader *r, struct rpc_value *v, const char *line, size_t len)
{
    const char *end = line + len, *text = memmem(line, len, " - ", 3);
    size_t word;

    v->text = text ? copy(r->arena, text + 3, (size_t)(end - text - 3)) : "";
    end = text ? text : end;
    v->unchecked = *line == '~';
    line += v->unchecked;
    word = strcspn(line, " \n");
    if (line + word > end)
        word = (size_t)(end - line);
    v->optional = word > 0 && line[word - 1] == '?';
    if (!shape_of(&v->shape, line, word - v->optional))
        return false;
    line += word;
    while (line < end && *line == ' ')
        line++;
    word = line < end && *line != '=' ? strcspn(line, " \n") : 0;
    if (line + word > end)
        word = (size_t)(end - line);
    v->name = copy(r->arena, line, word);
    line += word;
    while (line < end && *line == ' ')
        line++;
    if (line < end && *line++ != '=')
        return false;
    v->dflt = line < end ? copy(r->arena, line, (size_t)(end - line)) : NULL;
    return true;
}

static struct rpc_value *read_values(struct doc_reader *r);

static struct rpc_value *read_inner(struct doc_reader *r, const char *pos, char closing, const char **rest)
{
    struct doc_reader in = {.arena = r->arena, .pos = pos, .depth = r->depth + 1, .closing = closing};
    struct rpc_value *v;

    if (in.depth > DEPTH_MAX) {
        r->bad = true;
        return NULL;
    }
    v = read_values(&in);
    r->bad |= in.bad;
    if (rest)
        *rest = in.pos;
    return v;
}

/* "&name [- text]": what stands there is shown in full, or as the text in place of the first one. */
static struct rpc_value *read_part(struct doc_reader *r, const char *line, size_t len)
{
    size_t word = strcspn(line + 1, " \n");
    const char *lines, *text = memmem(line, len, " - ", 3);
    struct rpc_value *v;

    if (word > len - 1)
        word = len - 1;
    lines = part_lines(line + 1, word);
    v = lines ? read_inner(r, lines, 0, NULL) : NULL;
    r->bad |= !v;
    for (struct rpc_value *i = v; i && text; i = i->next) {
        i->hidden = true;
        i->elide = NULL;
    }
    if (v && text)
        v->elide = copy(r->arena, text + 3, (size_t)(line + len - text - 3));
    return v;
}

static bool has_members(enum rpc_shape s)
{
    return s >= SHAPE_OBJ;
}

static struct rpc_value *read_value(struct doc_reader *r, const char *line, size_t len)
{
    struct rpc_value *v = arena_calloc(r->arena, 1, sizeof(*v));

    v->when = "";
    if (!read_head(r, v, line, len)) {
        r->bad = true;
        return v;
    }
    if (!has_members(v->shape))
        return v;
    v->inner = read_inner(r, r->pos, v->shape < SHAPE_ARR ? '}' : ']', &r->pos);
    if (!v->inner && v->shape != SHAPE_OBJ)
        r->bad = true;
    return v;
}

static struct rpc_value *read_values(struct doc_reader *r)
{
    struct rpc_value *first = NULL, **at = &first;
    const char *line, *when = "";
    size_t len;

    while (!r->bad && next_line(r, &line, &len)) {
        if (len == 1 && (*line == '}' || *line == ']')) {
            r->bad = *line != r->closing;
            return first;
        }
        if (len > 5 && memcmp(line, "when ", 5) == 0) {
            when = copy(r->arena, line + 5, len - 5);
            continue;
        }
        *at = *line == '&' ? read_part(r, line, len) : read_value(r, line, len);
        if (*at && *when) {
            (*at)->when = when;
            (*at)->hidden = strcmp(when, "hidden") == 0;
        }
        while (*at)
            at = &(*at)->next;
    }
    r->bad |= r->closing != 0;
    return first;
}

struct rpc_value *rpc_doc_read(struct arena *a, const char *lines)
{
    struct doc_reader r = {.arena = a, .pos = lines};
    struct rpc_value *v = lines ? read_values(&r) : NULL;

    return r.bad ? NULL : v;
}
