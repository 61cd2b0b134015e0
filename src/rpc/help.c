/* help.c - usage lines and help texts, made from the command tables and from what is documented of them (doc.h). Any thread. */
#include <stdio.h>
#include <stdlib.h>

#include "rpc/doc.h"

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

void rpc_put_usage(struct writer *w, const struct rpc_command *c)
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

/* ---- two columns ---- */

struct row {
    char *left, *right;
};
struct rows {
    struct row *v;
    size_t n, cap;
};

static void add_row_take(struct rows *r, char *left, char *right)
{
    if (r->n == r->cap) {
        r->cap = r->cap ? 2 * r->cap : 32;
        r->v = xrealloc(r->v, r->cap * sizeof(r->v[0]));
    }
    r->v[r->n++] = (struct row){left, right};
}

/* What follows is the last of its kind: JSON has no comma there. */
static void drop_comma(struct rows *r)
{
    char *left = r->v[r->n - 1].left;
    size_t len = strlen(left);

    if (len > 0 && left[len - 1] == ',')
        left[len - 1] = 0;
}

static void put_rows_clear(struct writer *w, struct rows *r)
{
    int width = 0;

    for (size_t i = 0; i < r->n; i++) {
        if ((int)strlen(r->v[i].left) > width)
            width = (int)strlen(r->v[i].left);
    }
    width += 4;
    for (size_t i = 0; i < r->n; i++) {
        char *right = r->v[i].right, *line = right;
        put(w, r->v[i].left);
        if (*right) {
            for (size_t k = strlen(r->v[i].left); k < (size_t)width; k++)
                put(w, " ");
            for (char *end = strchr(line, '\n'); end; end = strchr(line, '\n')) { /* further lines begin below the first */
                write_bytes(w, line, (size_t)(end + 1 - line));
                for (int k = 0; k < width; k++)
                    put(w, " ");
                line = end + 1;
            }
            put(w, line);
        }
        put(w, "\n");
        free(r->v[i].left);
        free(right);
    }
    free(r->v);
    *r = (struct rows){NULL, 0, 0};
}

/* ---- values ---- */

static bool is_object(const struct rpc_value *v)
{
    return v->shape == SHAPE_OBJ || v->shape == SHAPE_OBJ_KEYS;
}

static bool is_array(const struct rpc_value *v)
{
    return v->shape == SHAPE_ARR || v->shape == SHAPE_ARR_FIXED;
}

static const char *type_of(const struct rpc_value *v, bool result)
{
    switch (v->shape) {
    case SHAPE_STR:
    case SHAPE_HEX:
        return "string";
    case SHAPE_BOOL:
        return "boolean";
    case SHAPE_NULL:
        return "json null";
    case SHAPE_AMOUNT:
        return result ? "numeric" : "numeric or string";
    case SHAPE_NUM_OR_STR:
        return "string or numeric";
    case SHAPE_RANGE:
        return "numeric or array";
    case SHAPE_ANY:
        return "any";
    case SHAPE_OBJ:
        return result && !v->inner ? "empty JSON object" : "json object";
    case SHAPE_OBJ_KEYS:
        return "json object";
    case SHAPE_ARR:
    case SHAPE_ARR_FIXED:
        return "json array";
    default:
        return "numeric";
    }
}

/* What stands for a value that has no members. */
static const char *stand_in(const struct rpc_value *v, bool result)
{
    switch (v->shape) {
    case SHAPE_STR:
        return "\"str\"";
    case SHAPE_HEX:
        return "\"hex\"";
    case SHAPE_BOOL:
        return result ? "true|false" : "bool";
    case SHAPE_NULL:
        return "null";
    case SHAPE_AMOUNT:
        return result ? "n" : "amount";
    case SHAPE_TIME:
    case SHAPE_ANY:
        return "xxx";
    case SHAPE_NUM_OR_STR:
        return "n or \"str\"";
    case SHAPE_RANGE:
        return "n or [n,n]";
    default:
        return "n";
    }
}

static char *describe(const struct rpc_value *v, bool result, bool named)
{
    const char *need = "";

    if (v->optional && (result || named || v->dflt))
        need = ", optional";
    else if (!v->optional && !result && named)
        need = ", required";
    return xasprintf("(%s%s%s%s)%s%s", type_of(v, result), need, v->dflt ? ", default=" : "", v->dflt ? v->dflt : "",
                     *v->text ? " " : "", v->text);
}

enum outer { OUTER_NONE, OUTER_OBJ, OUTER_ARR };

static void add_value(struct rows *r, const struct rpc_value *v, bool result, enum outer outer, int indent);

static void add_members(struct rows *r, const struct rpc_value *v, bool result, int indent)
{
    bool more = !result ? v->shape != SHAPE_OBJ : v->shape == SHAPE_OBJ_KEYS || v->shape == SHAPE_ARR;

    for (const struct rpc_value *i = v->inner; i; i = i->next)
        add_value(r, i, result, is_array(v) ? OUTER_ARR : OUTER_OBJ, indent);
    if (more)
        add_row_take(r, xasprintf("%*s...", indent, ""), xstrdup(""));
    else if (result)
        drop_comma(r);
}

static void add_value(struct rows *r, const struct rpc_value *v, bool result, enum outer outer, int indent)
{
    const char *comma = outer == OUTER_NONE ? "" : ",", *quote = outer == OUTER_OBJ ? "\"" : "";
    const char *name = outer == OUTER_OBJ ? v->name : "", *colon = outer != OUTER_OBJ ? "" : result ? " : " : ": ";
    char *text;

    if (v->elide)
        add_row_take(r, xasprintf("%*s...%s", indent, "", comma), xstrdup(v->elide));
    if (v->elide || v->hidden)
        return;
    text = describe(v, result, outer == OUTER_OBJ);
    if (!is_object(v) && !is_array(v)) {
        add_row_take(r, xasprintf("%*s%s%s%s%s%s%s", indent, "", quote, name, quote, colon, stand_in(v, result), comma), text);
        return;
    }
    if (result && !v->inner) {
        add_row_take(r, xasprintf("%*s%s%s%s%s{}%s", indent, "", quote, name, quote, colon, comma), text);
        return;
    }
    add_row_take(r, xasprintf("%*s%s%s%s%s%c", indent, "", quote, name, quote, colon, is_array(v) ? '[' : '{'), text);
    add_members(r, v, result, indent + 2);
    add_row_take(r, xasprintf("%*s%c%s", indent, "", is_array(v) ? ']' : '}', comma), xstrdup(""));
}

void rpc_put_results(struct writer *w, const struct rpc_value *results)
{
    for (const struct rpc_value *v = results; v; v = v->next) {
        struct rows r = {NULL, 0, 0};
        if (v->hidden)
            continue;
        put(w, *v->when ? "\nResult (" : "\nResult");
        put(w, v->when);
        put(w, *v->when ? "):\n" : ":\n");
        add_value(&r, v, true, OUTER_NONE, 0);
        put_rows_clear(w, &r);
    }
}

/* ---- arguments ---- */

static const struct rpc_value *inside_of(const struct rpc_param *p, const struct rpc_value *args)
{
    size_t n = first_name(p->names);

    while (args && (strlen(args->name) != n || memcmp(args->name, p->names, n) != 0))
        args = args->next;
    return args;
}

/* "(numeric, optional, default=1) what it is" */
static char *describe_param(const struct rpc_param *p, const struct rpc_value *inside)
{
    static const char *const types[] = {"string",      "string",     "numeric",    "boolean", "numeric or string",
                                        "json object", "json array", "json object"};

    return xasprintf("(%s%s%s%s)%s%s%s", inside ? type_of(inside, false) : types[p->type],
                     p->flags & RPC_REQUIRED ? ", required" : ", optional", p->dflt ? ", default=" : "", p->dflt ? p->dflt : "",
                     p->type == RPC_OPTIONS ? " Options object that can be used to pass named arguments, listed below." : "",
                     p->help && p->type != RPC_OPTIONS ? " " : "", p->help && p->type != RPC_OPTIONS ? p->help : "");
}

static void add_inside(struct rows *r, const struct rpc_value *v)
{
    if (!v || !v->inner)
        return;
    add_row_take(r, xstrdup(is_array(v) ? "     [" : "     {"), xstrdup(""));
    add_members(r, v, false, 7);
    add_row_take(r, xstrdup(is_array(v) ? "     ]" : "     }"), xstrdup(""));
}

void rpc_put_arguments(struct writer *w, const struct rpc_command *c, const struct rpc_value *args)
{
    struct rows positions = {NULL, 0, 0}, names = {NULL, 0, 0};
    unsigned number = 1;

    for (const struct rpc_param *p = c->params; p && p->names; p++) {
        const struct rpc_value *inside = inside_of(p, args);
        int n = (int)first_name(p->names);
        if (p->flags & RPC_HIDDEN)
            continue;
        if (p->flags & RPC_OPTION) {
            add_row_take(&names, xasprintf("%.*s", n, p->names), describe_param(p, inside));
            add_inside(&names, inside);
        } else {
            add_row_take(&positions, xasprintf("%u. %.*s", number++, n, p->names), describe_param(p, inside));
            if (p->type != RPC_OPTIONS)
                add_inside(&positions, inside);
        }
    }
    if (positions.n)
        put(w, "\nArguments:\n");
    put_rows_clear(w, &positions);
    if (names.n)
        put(w, "\nNamed Arguments:\n");
    put_rows_clear(w, &names);
}

/* ---- examples ---- */

static void put_examples(struct writer *w, const struct rpc_command *c, const char *lines, struct arena *a)
{
    const char *pos = lines;
    struct rpc_example e;

    if (lines)
        put(w, "\nExamples:\n");
    while (rpc_doc_next_example(&e, &pos, a)) {
        char *words = rpc_doc_example_words(c, e.params);
        put(w, "> farthing-cli ");
        put(w, words);
        put(w, "\n");
        free(words);
        free(e.params);
    }
    for (pos = lines; rpc_doc_next_example(&e, &pos, a); free(e.params)) {
        put(w, "> curl --user myusername --data-binary '{\"jsonrpc\": \"2.0\", \"id\": \"curltest\", \"method\": \"");
        put(w, c->name);
        put(w, "\", \"params\": ");
        put(w, e.params);
        put(w, "}' -H 'content-type: application/json' http://127.0.0.1:8332/\n");
    }
}

char *rpc_help_text(const struct rpc_command *c)
{
    const struct rpc_doc *doc = rpc_doc_of(c->name);
    struct writer w = WRITER_INIT;
    struct arena a = ARENA_INIT;

    rpc_put_usage(&w, c);
    put(&w, "\n");
    put(&w, c->help);
    while (w.len && w.data[w.len - 1] == '\n')
        w.len--;
    put(&w, "\n");
    rpc_put_arguments(&w, c, rpc_doc_read(&a, doc ? doc->args : NULL));
    if (doc) {
        const struct rpc_value *results = rpc_doc_read(&a, doc->results);
        rpc_put_results(&w, results);
        if (results && !results->hidden) /* else there is no use of the command to show */
            put_examples(&w, c, doc->examples, &a);
    }
    write_u8(&w, 0);
    arena_clear(&a);
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
    const struct rpc_command *list[RPC_COMMANDS_MAX];
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
        rpc_put_usage(&w, list[i]);
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
