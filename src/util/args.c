/* args.c - options from the command line and where their values come from.
 *
 * Keeps every value of every source and decides at lookup which counts; Bitcoin Core's rules for that grew over years and
 * are followed to the letter, oddities included, since users' configurations depend on them. The file's reader is in
 * args_config.c. Filled by the main thread at start, read on any thread. */
#include "util/args.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/args_priv.h"
#include "util/mem.h"

struct args *args_new(const struct arg_spec *specs, size_t n_specs)
{
    struct args *a = xcalloc(1, sizeof(*a));

    a->specs = specs;
    a->n_specs = n_specs;
    a->network = xstrdup("");
    pthread_mutex_init(&a->lists_lock, NULL);
    return a;
}

static void option_clear(struct arg_option *o)
{
    for (size_t i = 0; i < o->n; i++)
        free(o->values[i].text);
    free(o->values);
    free(o->section);
    free(o->name);
}

void args_free(struct args *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < a->n_options; i++)
        option_clear(&a->options[i]);
    free(a->options);
    while (a->lists) {
        struct arg_list *l = a->lists;
        a->lists = l->next;
        free(l->name);
        free(l->values);
        free(l);
    }
    free(a->include_dir);
    pthread_mutex_destroy(&a->lists_lock);
    writer_clear(&a->warnings);
    writer_clear(&a->section_warnings);
    free(a->network);
    free(a);
}

void args_warn(struct writer *list, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (n < 0)
        return;
    if (list->len)
        list->data[list->len - 1] = '\n'; /* over the NUL */
    write_bytes(list, text, strlen(text) + 1);
}

const struct arg_spec *args_spec(const struct args *a, const char *name)
{
    for (size_t i = 0; i < a->n_specs; i++)
        if (!strcmp(a->specs[i].name, name))
            return &a->specs[i];
    return NULL;
}

struct arg_key args_key_parse(char *text)
{
    struct arg_key key = {text, text, false};
    char *dot = strchr(text, '.');

    if (dot) {
        *dot = 0;
        key.name = dot + 1;
    } else {
        key.section = text + strlen(text);
    }
    if (!strncmp(key.name, "no", 2)) {
        key.name += 2;
        key.negated = true;
    }
    return key;
}

static struct arg_option *find(const struct args *a, enum arg_source source, const char *section, const char *name)
{
    for (size_t i = 0; i < a->n_options; i++) {
        struct arg_option *o = &a->options[i];
        if (o->source == source && !strcmp(o->name, name) && !strcmp(o->section, section))
            return o;
    }
    return NULL;
}

const struct arg_option *args_find(const struct args *a, enum arg_source source, const char *section, const char *name)
{
    return find(a, source, section, name);
}

size_t arg_option_negated(const struct arg_option *o)
{
    size_t i = o->n;

    while (i && o->values[i - 1].kind != VALUE_FALSE)
        i--;
    return i;
}

static bool last_is_negated(const struct arg_option *o)
{
    return o->n && o->values[o->n - 1].kind == VALUE_FALSE;
}

static void value_push(struct args *a, enum arg_source source, const char *section, const char *name, int kind, const char *text)
{
    struct arg_option *o = find(a, source, section, name);

    if (!o) {
        a->options = xrealloc(a->options, (a->n_options + 1) * sizeof(*a->options));
        o = &a->options[a->n_options++];
        *o = (struct arg_option){source, xstrdup(section), xstrdup(name), NULL, 0};
    }
    o->values = xrealloc(o->values, (o->n + 1) * sizeof(*o->values));
    o->values[o->n].kind = kind;
    o->values[o->n].text = kind == VALUE_TEXT ? xstrdup(text) : NULL;
    o->n++;
    for (struct arg_list *l = a->lists; l; l = l->next)
        l->stale = true;
}

static bool text_is_true(const char *text)
{
    return !*text || strtoll(text, NULL, 10) != 0;
}

bool args_add(struct args *a, enum arg_source source, const struct arg_key *key, const char *value, const struct arg_spec *spec,
              char **error)
{
    int kind = VALUE_TEXT;

    if (key->negated) {
        if (spec->flags & ARG_NO_NEGATION) {
            *error = xasprintf("Negating of -%s is meaningless and therefore forbidden", key->name);
            return false;
        }
        kind = VALUE_FALSE;
        if (value && !text_is_true(value)) {
            args_warn(&a->warnings, "Parsed potentially confusing double-negative -%s=%s", key->name, value);
            kind = VALUE_TRUE;
        }
    } else if (!value && spec->flags & ARG_NEEDS_VALUE) {
        *error = xasprintf("Can not set -%s with no value. Please specify value with -%s=value.", key->name, key->name);
        return false;
    }
    value_push(a, source, key->section, key->name, kind, value ? value : "");
    return true;
}

/* Reads one "-name[=value]". */
static bool parse_one(struct args *a, const char *arg, char **error)
{
    char *copy = xstrdup(arg + (arg[1] == '-' ? 2 : 1)), *eq = strchr(copy, '=');
    const struct arg_spec *spec;
    struct arg_key key;
    bool ok = false;

    if (eq)
        *eq = 0;
    key = args_key_parse(copy);
    spec = args_spec(a, key.name);
    if (!spec || *key.section)
        *error = xasprintf("Invalid parameter %s", arg);
    else
        ok = args_add(a, SOURCE_COMMAND_LINE, &key, eq ? eq + 1 : NULL, spec, error);
    free(copy);
    return ok;
}

/* As JSON text, which is how values are shown. */
static char *value_quoted(const struct arg_value *v)
{
    struct writer w = WRITER_INIT;
    char code[8];

    if (v->kind != VALUE_TEXT)
        return xstrdup(v->kind == VALUE_TRUE ? "true" : "false");
    write_u8(&w, '"');
    for (const char *p = v->text; *p; p++) {
        if ((unsigned char)*p < 32 || *p == 127) {
            snprintf(code, sizeof(code), "\\u%04x", (unsigned char)*p);
            write_bytes(&w, code, 6);
            continue;
        }
        if (*p == '"' || *p == '\\')
            write_u8(&w, '\\');
        write_u8(&w, (uint8_t)*p);
    }
    write_bytes(&w, "\"", 2);
    return (char *)w.data;
}

bool args_parse(struct args *a, int argc, char **argv, int *rest, char **error)
{
    const struct arg_option *include;
    int i;

    *error = NULL;
    for (i = 1; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
        if (!parse_one(a, argv[i], error))
            return false;
    }
    *rest = i;
    include = args_find(a, SOURCE_COMMAND_LINE, "", "includeconf");
    if (include && !last_is_negated(include)) {
        char *shown = value_quoted(&include->values[arg_option_negated(include)]);
        *error = xasprintf("-includeconf cannot be used from commandline; -includeconf=%s", shown);
        free(shown);
        return false;
    }
    return true;
}

void args_add_setting(struct args *a, const char *name, const char *value)
{
    value_push(a, SOURCE_SETTINGS, "", name, value ? VALUE_TEXT : VALUE_FALSE, value);
}

void args_select_network(struct args *a, const char *section)
{
    free(a->network);
    a->network = xstrdup(section);
    for (struct arg_list *l = a->lists; l; l = l->next)
        l->stale = true;
}

/* The places an option's values may come from, in falling precedence. */
enum place { PLACE_FORCED, PLACE_COMMAND_LINE, PLACE_SETTINGS, PLACE_NETWORK, PLACE_GLOBAL, PLACE_END };

static const struct arg_option *at_place(const struct args *a, enum place place, const char *network, const char *name)
{
    if (place == PLACE_NETWORK)
        return *network ? find(a, SOURCE_CONFIG, network, name) : NULL;
    return find(a, place == PLACE_GLOBAL ? SOURCE_CONFIG : (enum arg_source)place, "", name);
}

/* True if values of the file's global part do not apply to this option on the selected network. */
static bool skips_global(const struct args *a, const char *name)
{
    const struct arg_spec *spec = args_spec(a, name);
    return spec && spec->flags & ARG_NETWORK_ONLY && strcmp(a->network, "main");
}

/* The single value that counts, NULL if there is none. A trailing negation in the global part applies even to network-only
 * options, and within the file the first value wins: both as in Core. */
static const struct arg_value *lookup(const struct args *a, const char *name)
{
    bool skip_global = skips_global(a, name);

    for (enum place p = PLACE_FORCED; p < PLACE_END; p++) {
        const struct arg_option *o = at_place(a, p, a->network, name);
        if (!o)
            continue;
        if (last_is_negated(o))
            return &o->values[o->n - 1];
        if (p == PLACE_GLOBAL && skip_global)
            continue;
        return p >= PLACE_NETWORK ? &o->values[arg_option_negated(o)] : &o->values[o->n - 1];
    }
    return NULL;
}

static const char *value_text(const struct arg_value *v)
{
    return v->kind == VALUE_TEXT ? v->text : v->kind == VALUE_TRUE ? "1" : "0";
}

/* A switch that selects a chain. Differs from other lookups: the last value counts in the file too, negations are passed
 * over, and network sections do not take part. */
static bool chain_switch(const struct args *a, const char *name)
{
    for (enum place p = PLACE_FORCED; p < PLACE_END; p++) {
        const struct arg_option *o = at_place(a, p, "", name);
        if (o && !last_is_negated(o))
            return text_is_true(value_text(&o->values[o->n - 1]));
    }
    return false;
}

const char *args_chain_name(const struct args *a, char **error)
{
    static const char *const switches[][2] = {
        {"regtest", "regtest"}, {"signet", "signet"}, {"testnet", "test"}, {"testnet4", "testnet4"}};
    const char *chosen = args_str(a, "chain", NULL);
    int n = chosen != NULL;

    for (size_t i = 0; i < ARRAY_LEN(switches); i++) {
        if (!chain_switch(a, switches[i][0]))
            continue;
        chosen = switches[i][1];
        n++;
    }
    if (n > 1) {
        *error = xstrdup("Invalid combination of -regtest, -signet, -testnet, -testnet4 and -chain. Can use at most one.");
        return NULL;
    }
    return chosen ? chosen : "main";
}

const char *args_chain(const struct args *a, char **error)
{
    static const char *const chains[] = {"main", "test", "testnet4", "signet", "regtest"};
    const char *name;

    *error = NULL;
    name = args_chain_name(a, error);
    if (!name)
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(chains); i++)
        if (!strcmp(chains[i], name))
            return chains[i];
    *error = xasprintf("Unknown chain %s.", name);
    return NULL;
}

bool args_soft_set(struct args *a, const char *name, const char *value)
{
    if (lookup(a, name))
        return false;
    args_force(a, name, value);
    return true;
}

void args_force(struct args *a, const char *name, const char *value)
{
    value_push(a, SOURCE_FORCED, "", name, VALUE_TEXT, value);
}

bool args_is_set(const struct args *a, const char *name)
{
    return lookup(a, name) != NULL;
}

bool args_is_negated(const struct args *a, const char *name)
{
    const struct arg_value *v = lookup(a, name);
    return v && v->kind == VALUE_FALSE;
}

const char *args_str(const struct args *a, const char *name, const char *dflt)
{
    const struct arg_value *v = lookup(a, name);
    return v ? value_text(v) : dflt;
}

int64_t args_int(const struct args *a, const char *name, int64_t dflt)
{
    const struct arg_value *v = lookup(a, name);
    return v ? strtoll(value_text(v), NULL, 10) : dflt;
}

bool args_bool(const struct args *a, const char *name, bool dflt)
{
    const struct arg_value *v = lookup(a, name);
    return v ? text_is_true(value_text(v)) : dflt;
}

/* A negation ends the list for lower places, but for the file only if nothing was given after it: a value that follows the
 * negation on the command line brings the file's values back. That is Core's rule. */
static struct arg_list *list_make(const struct args *a, const char *name)
{
    struct arg_list *l = xcalloc(1, sizeof(*l));
    bool done = false, negated_empty = false, skip_global = skips_global(a, name);

    l->name = xstrdup(name);
    for (enum place p = PLACE_FORCED; p < PLACE_END; p++) {
        const struct arg_option *o = at_place(a, p, a->network, name);
        size_t from, first;
        if (!o || (p == PLACE_GLOBAL && skip_global))
            continue;
        first = arg_option_negated(o);
        from = !done || (p >= PLACE_NETWORK && !negated_empty) ? first : o->n;
        if (p == PLACE_FORCED && from < o->n)
            from = o->n - 1; /* setting twice replaces */
        for (size_t i = from; i < o->n; i++) {
            l->values = xrealloc(l->values, (l->n + 1) * sizeof(*l->values));
            l->values[l->n++] = value_text(&o->values[i]);
        }
        done |= first > 0 || p == PLACE_FORCED;
        negated_empty |= last_is_negated(o) && !l->n;
    }
    return l;
}

size_t args_list(const struct args *a, const char *name, const char *const **values)
{
    struct args *cache = (struct args *)a; /* lists are made at first use, under their lock */
    struct arg_list *l;

    pthread_mutex_lock(&cache->lists_lock);
    for (l = cache->lists; l; l = l->next)
        if (!l->stale && !strcmp(l->name, name))
            break;
    if (!l) {
        l = list_make(a, name);
        l->next = cache->lists;
        cache->lists = l;
    }
    pthread_mutex_unlock(&cache->lists_lock);
    *values = l->values;
    return l->n;
}

static void each_of(const struct args *a, const struct arg_option *o, const char *source,
                    void (*fn)(void *ctx, const char *source, const char *name, const char *value), void *ctx)
{
    const struct arg_spec *spec = args_spec(a, o->name);

    for (size_t i = 0; spec && i < o->n; i++) {
        char *shown = spec->flags & ARG_SENSITIVE ? xstrdup("****") : value_quoted(&o->values[i]);
        fn(ctx, source, o->name, shown);
        free(shown);
    }
}

bool args_list_has(const struct args *a, const char *name, const char *value)
{
    const char *const *values;
    size_t n = args_list(a, name, &values);

    while (n && strcmp(values[n - 1], value) != 0)
        n--;
    return n != 0;
}

void args_each(const struct args *a, void (*fn)(void *ctx, const char *source, const char *name, const char *value), void *ctx)
{
    static const struct {
        enum arg_source source;
        const char *text;
    } order[] = {{SOURCE_CONFIG, "Config file arg:"}, {SOURCE_COMMAND_LINE, "Command-line arg:"}};

    for (size_t s = 0; s < ARRAY_LEN(order); s++) {
        for (size_t i = 0; i < a->n_options; i++) {
            const struct arg_option *o = &a->options[i];
            char *source;
            if (o->source != order[s].source)
                continue;
            source = *o->section ? xasprintf("%s [%s]", order[s].text, o->section) : xstrdup(order[s].text);
            each_of(a, o, source, fn, ctx);
            free(source);
        }
    }
}
