/* help.c - usage lines and help texts, made from the command tables. Any thread. */
#include <stdio.h>
#include <stdlib.h>

#include "rpc/priv.h"

static void put(struct writer *w, const char *s)
{
    write_bytes(w, s, strlen(s));
}

static size_t first_name(const char *names)
{
    return strcspn(names, "|");
}

static void put_usage_value(struct writer *w, const struct rpc_param *p)
{
    if (p->usage) {
        put(w, p->usage);
        return;
    }
    switch (p->type) {
    case RPC_STR:
    case RPC_HEX:
        put(w, "\"");
        write_bytes(w, p->names, first_name(p->names));
        put(w, "\"");
        break;
    case RPC_ARR:
        put(w, "[...]");
        break;
    case RPC_OBJ:
    case RPC_OPTIONS:
        put(w, "{...}");
        break;
    default:
        write_bytes(w, p->names, first_name(p->names));
    }
}

static void put_usage_line(struct writer *w, const struct rpc_command *c)
{
    bool optional = false;

    put(w, c->name);
    for (const struct rpc_param *p = c->params; p && p->names; p++) {
        if (p->flags & (RPC_HIDDEN | RPC_OPTION))
            continue;
        if (!(p->flags & RPC_REQUIRED) && !optional) {
            put(w, " (");
            optional = true;
        } else if ((p->flags & RPC_REQUIRED) && optional) {
            put(w, " )");
            optional = false;
        }
        put(w, " ");
        put_usage_value(w, p);
    }
    if (optional)
        put(w, " )");
    put(w, "\n");
}

static void put_param(struct writer *w, const struct rpc_param *p, unsigned number)
{
    static const char *const types[] = {"string",      "string",     "numeric",    "boolean", "numeric or string",
                                        "json object", "json array", "json object"};
    char head[32];

    if (p->flags & RPC_OPTION)
        snprintf(head, sizeof(head), "     ");
    else
        snprintf(head, sizeof(head), "%u. ", number);
    put(w, head);
    write_bytes(w, p->names, first_name(p->names));
    put(w, "    (");
    put(w, types[p->type]);
    if (p->flags & RPC_REQUIRED)
        put(w, ", required");
    else
        put(w, ", optional");
    if (p->dflt) {
        put(w, ", default=");
        put(w, p->dflt);
    }
    put(w, ") ");
    put(w, p->help ? p->help : "");
    put(w, "\n");
}

char *rpc_help_text(const struct rpc_command *c)
{
    struct writer w = WRITER_INIT;
    unsigned number = 1;
    bool any = false;

    put_usage_line(&w, c);
    put(&w, "\n");
    put(&w, c->help);
    while (w.len && w.data[w.len - 1] == '\n')
        w.len--;
    put(&w, "\n");
    for (const struct rpc_param *p = c->params; p && p->names; p++) {
        if (p->flags & RPC_HIDDEN)
            continue;
        if (!any)
            put(&w, "\nArguments:\n");
        any = true;
        put_param(&w, p, number);
        number += !(p->flags & RPC_OPTION);
    }
    write_u8(&w, 0);
    return (char *)w.data;
}

static int by_category(const void *a, const void *b)
{
    const struct rpc_command *x = *(const struct rpc_command *const *)a, *y = *(const struct rpc_command *const *)b;
    int d = strcmp(x->category, y->category);

    return d ? d : strcmp(x->name, y->name);
}

char *rpc_help_list(void)
{
    const struct rpc_command *list[256];
    struct writer w = WRITER_INIT;
    const char *category = NULL;
    size_t n = 0;

    for (const struct rpc_command *const *t = rpc_tables; *t; t++) {
        for (const struct rpc_command *c = *t; c->name && n < ARRAY_LEN(list); c++) {
            if (strcmp(c->category, "hidden") != 0)
                list[n++] = c;
        }
    }
    qsort(list, n, sizeof(list[0]), by_category);
    for (size_t i = 0; i < n; i++) {
        if (!category || strcmp(category, list[i]->category) != 0) {
            char head[2] = {(char)(list[i]->category[0] - 'a' + 'A'), 0};
            put(&w, category ? "\n== " : "== ");
            put(&w, head);
            put(&w, list[i]->category + 1);
            put(&w, " ==\n");
            category = list[i]->category;
        }
        put_usage_line(&w, list[i]);
    }
    w.len--; /* the last newline */
    write_u8(&w, 0);
    return (char *)w.data;
}

static void put_conversion(struct json_writer *j, const struct rpc_command *c, unsigned position, const struct rpc_param *p)
{
    const char *name = p->names;

    while (*name) {
        char one[64];
        size_t n = first_name(name);
        snprintf(one, sizeof(one), "%.*s", (int)n, name);
        jw_arr_begin(j);
        jw_str(j, c->name);
        jw_uint(j, position);
        jw_str(j, one);
        jw_bool(j, p->type == RPC_STR || p->type == RPC_HEX);
        jw_arr_end(j);
        name += n + (name[n] == '|');
    }
}

void jw_conversions(struct json_writer *j)
{
    jw_arr_begin(j);
    for (const struct rpc_command *const *t = rpc_tables; *t; t++) {
        for (const struct rpc_command *c = *t; c->name; c++) {
            unsigned position = 0;
            if (c->flags & RPC_OWN)
                continue;
            for (const struct rpc_param *p = c->params; p && p->names; p++) {
                put_conversion(j, c, position, p);
                position += !(p->flags & RPC_OPTION); /* options stand where their object does */
            }
        }
    }
    jw_arr_end(j);
}
