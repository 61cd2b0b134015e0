/* args_help.c - the text of --help out of the option table. Main thread. */
#include <string.h>

#include "util/args_priv.h"
#include "util/mem.h"

#define SCREEN_WIDTH 79
#define TEXT_INDENT 7

static void put(struct writer *w, const char *s, size_t len)
{
    write_bytes(w, s, len);
}

static void put_indent(struct writer *w, size_t n)
{
    memset(writer_extend(w, n), ' ', n);
}

/* Breaks a paragraph at blanks so that lines end before the screen does; a word that is too long stands alone. */
static void put_wrapped(struct writer *w, const char *text)
{
    const size_t width = SCREEN_WIDTH - TEXT_INDENT;
    size_t column = 0;

    put_indent(w, TEXT_INDENT);
    while (*text) {
        size_t word = strcspn(text, " \n");
        if (column && column + 1 + word > width) {
            put(w, "\n", 1);
            put_indent(w, TEXT_INDENT);
            column = 0;
        }
        if (column) {
            put(w, " ", 1);
            column++;
        }
        put(w, text, word);
        column += word;
        text += word;
        if (*text == '\n') {
            put(w, "\n", 1);
            put_indent(w, TEXT_INDENT);
            column = 0;
        }
        if (*text)
            text++;
    }
    put(w, "\n\n", 2);
}

static void put_option(struct writer *w, const struct arg_spec *s)
{
    put(w, "  -", 3);
    put(w, s->name, strlen(s->name));
    if (s->value) {
        put(w, "=", 1);
        put(w, s->value, strlen(s->value));
    }
    put(w, "\n", 1);
    put_wrapped(w, s->help);
}

static bool first_of_category(const struct args *a, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (a->specs[j].category && !strcmp(a->specs[j].category, a->specs[i].category))
            return false;
    return true;
}

static void put_category(struct writer *w, const struct args *a, const char *category, bool debug)
{
    bool heading = false;

    for (size_t i = 0; i < a->n_specs; i++) {
        const struct arg_spec *s = &a->specs[i];
        if (!s->category || strcmp(s->category, category) || !s->help || (s->flags & ARG_DEBUG_ONLY && !debug))
            continue;
        if (!heading) {
            put(w, category, strlen(category));
            put(w, "\n\n", 2);
            heading = true;
        }
        put_option(w, s);
    }
}

char *args_help(const struct args *a, bool debug)
{
    struct writer w = WRITER_INIT;

    for (size_t i = 0; i < a->n_specs; i++)
        if (a->specs[i].category && first_of_category(a, i))
            put_category(&w, a, a->specs[i].category, debug);
    write_u8(&w, 0);
    return (char *)w.data;
}
