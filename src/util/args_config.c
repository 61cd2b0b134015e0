/* args_config.c - the config file: lines, sections, includeconf, and what is wrong with them, in Bitcoin Core's words.
 *
 * Called by the main thread at start. Why no INI library reads it: doc/adr/0002-config-reader.md. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/args_priv.h"
#include "util/fs.h"
#include "util/log.h"
#include "util/mem.h"

#define CONFIG_MAX ((size_t)16 << 20)

/* Where the reader is. */
struct config {
    struct args *args;
    const char *shown; /* the file's name for messages */
    int line;
    char *section; /* owned; NULL before the first "[x]" */
    char **error;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static char *trim(char *s)
{
    char *end;

    while (is_blank(*s))
        s++;
    end = s + strlen(s);
    while (end > s && is_blank(end[-1]))
        end--;
    *end = 0;
    return s;
}

/* A section was named. Warns if it is none that could ever be selected. */
static void section_seen(struct config *c, const char *name)
{
    static const char *const known[] = {"main", "test", "testnet4", "signet", "regtest"};

    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (!strcmp(known[i], name))
            return;
    args_warn(&c->args->section_warnings, "%s:%d Section [%s] is not recognized.", c->shown, c->line, name);
}

/* One "key=value". key: with the section in front. */
static bool set_value(struct config *c, const char *full_key, const char *value)
{
    char *copy = xstrdup(full_key);
    struct arg_key key = args_key_parse(copy);
    const struct arg_spec *spec = args_spec(c->args, key.name);
    bool ok = true;

    if (!strcmp(key.name, "conf")) {
        *c->error = xstrdup("conf cannot be set in the configuration file; use includeconf= if you want to include additional "
                            "config files");
        ok = false;
    } else if (!spec) {
        args_warn(&c->args->warnings, "Ignoring unknown configuration value %s", full_key);
    } else if (spec->flags & ARG_COMMAND_LINE_ONLY) {
        *c->error = xasprintf("%s cannot be set in the configuration file", key.name);
        ok = false;
    } else {
        if (!strcmp(key.name, "reindex"))
            args_warn(
                &c->args->warnings,
                "reindex=1 is set in the configuration file, which will significantly slow down startup. Consider removing or "
                "commenting out this option for better performance, unless there is currently a condition which makes "
                "rebuilding the indexes necessary");
        ok = args_add(c->args, SOURCE_CONFIG, &key, value, spec, c->error);
    }
    free(copy);
    return ok;
}

static bool read_assignment(struct config *c, char *line, char *eq, bool had_comment)
{
    char *name, *full, *value, *dot;
    size_t prefix = c->section ? strlen(c->section) + 1 : 0;
    bool ok;

    *eq = 0;
    name = trim(line);
    value = trim(eq + 1);
    full = c->section ? xasprintf("%s.%s", c->section, name) : xstrdup(name);
    if (had_comment && strstr(full, "rpcpassword")) {
        *c->error = xasprintf("parse error on line %d, using # in rpcpassword can be ambiguous and should be avoided", c->line);
        free(full);
        return false;
    }
    dot = strrchr(full, '.');
    if (dot && prefix <= (size_t)(dot - full)) {
        *dot = 0;
        section_seen(c, full);
        *dot = '.';
    }
    ok = set_value(c, full, value);
    free(full);
    return ok;
}

static bool read_line(struct config *c, char *line)
{
    char *hash = strchr(line, '#'), *eq;
    size_t len;

    if (hash)
        *hash = 0;
    line = trim(line);
    len = strlen(line);
    if (!len)
        return true;
    if (line[0] == '[' && line[len - 1] == ']') {
        line[len - 1] = 0;
        free(c->section);
        c->section = xstrdup(len > 1 ? line + 1 : "");
        section_seen(c, c->section);
        return true;
    }
    if (line[0] == '-') {
        *c->error = xasprintf("parse error on line %d: %s, options in configuration file must be specified without leading -",
                              c->line, line);
        return false;
    }
    eq = strchr(line, '=');
    if (eq)
        return read_assignment(c, line, eq, hash != NULL);
    if (!strncmp(line, "no", 2))
        *c->error = xasprintf("parse error on line %d: %s, if you intended to specify a negated option, use %s=1 instead", c->line,
                              line, line);
    else
        *c->error = xasprintf("parse error on line %d: %s", c->line, line);
    return false;
}

/* text: NUL-terminated, is cut into lines. */
static bool read_text(struct args *a, const char *shown, char *text, size_t len, char **error)
{
    struct config c = {a, shown, 1, NULL, error};
    bool ok = true;

    for (char *end = text + len; ok && text < end; c.line++) {
        char *newline = memchr(text, '\n', (size_t)(end - text)), *stop = newline ? newline : end;
        *stop = 0;
        if (strlen(text) != (size_t)(stop - text)) {
            *error = xasprintf("parse error on line %d: zero byte", c.line);
            ok = false;
        } else {
            ok = read_line(&c, text);
        }
        text = stop + 1;
    }
    free(c.section);
    return ok;
}

/* Appends copies of the includeconf values of a section, from the given one on. Returns: how many the section has. */
static size_t includes_of(const struct args *a, const char *section, size_t skip, char ***names, size_t *n)
{
    const struct arg_option *o = args_find(a, SOURCE_CONFIG, section, "includeconf");
    size_t from = o ? arg_option_negated(o) : 0;

    if (from < skip)
        from = skip;
    for (size_t i = from; o && i < o->n; i++) {
        *names = xrealloc(*names, (*n + 1) * sizeof(**names));
        (*names)[(*n)++] = xstrdup(o->values[i].kind == VALUE_TEXT ? o->values[i].text : "1");
    }
    return o ? o->n : 0;
}

static void names_free(char **names, size_t n)
{
    while (n)
        free(names[--n]);
    free(names);
}

void args_set_include_dir(struct args *a, const char *dir)
{
    free(a->include_dir);
    a->include_dir = xstrdup(dir);
}

static char *include_path(const struct args *a, const char *config_path, const char *name)
{
    const char *slash = strrchr(config_path, '/');

    if (*name == '/' || (!slash && !a->include_dir))
        return xstrdup(name);
    if (a->include_dir)
        return fs_join(a->include_dir, name);
    return xasprintf("%.*s%s", (int)(slash - config_path + 1), config_path, name);
}

static bool include_file(struct args *a, const char *config_path, const char *name, char **error)
{
    char *path = include_path(a, config_path, name);
    uint8_t *text = NULL;
    size_t len;
    bool ok = false;

    if (fs_is_dir(path)) {
        *error = xasprintf("Included config file \"%s\" is a directory.", path);
    } else if (fs_read(path, CONFIG_MAX, &text, &len) != RC_OK) {
        *error = xasprintf("Failed to include configuration file %s", name);
    } else {
        ok = read_text(a, name, (char *)text, len, error);
        if (ok)
            log_info("Included configuration file %s", name);
    }
    free(text);
    free(path);
    return ok;
}

/* Includes inside included files are not followed; the user is told. */
static bool warn_nested(const struct args *a, const char *chain, size_t chain_seen, size_t global_seen, char **error)
{
    const char *chain_now = args_chain_name(a, error);
    char **names = NULL;
    size_t n = 0;

    if (!chain_now)
        return false;
    includes_of(a, chain, chain_seen, &names, &n);
    includes_of(a, "", global_seen, &names, &n);
    if (strcmp(chain, chain_now))
        includes_of(a, chain_now, 0, &names, &n);
    for (size_t i = 0; i < n; i++)
        fprintf(stderr, "warning: -includeconf cannot be used from included files; ignoring -includeconf=%s\n", names[i]);
    names_free(names, n);
    return true;
}

static bool read_includes(struct args *a, const char *path, char **error)
{
    const char *selected;
    char *chain, **names = NULL;
    size_t n = 0, chain_seen, global_seen;
    bool ok = true;

    if (args_find(a, SOURCE_COMMAND_LINE, "", "includeconf")) /* only -noincludeconf gets past the command line */
        return true;
    selected = args_chain_name(a, error);
    if (!selected)
        return false;
    chain = xstrdup(selected); /* an included file may say otherwise */
    chain_seen = includes_of(a, chain, 0, &names, &n);
    global_seen = includes_of(a, "", 0, &names, &n);
    for (size_t i = 0; ok && i < n; i++)
        ok = include_file(a, path, names[i], error);
    names_free(names, n);
    ok = ok && warn_nested(a, chain, chain_seen, global_seen, error);
    free(chain);
    return ok;
}

bool args_read_config(struct args *a, const char *path, bool may_miss, char **error)
{
    uint8_t *text;
    size_t len;
    bool ok;

    *error = NULL;
    if (fs_is_dir(path)) {
        *error = xasprintf("Config file \"%s\" is a directory.", path);
        return false;
    }
    if (fs_read(path, CONFIG_MAX, &text, &len) != RC_OK) {
        if (may_miss)
            return true;
        *error = xasprintf("specified config file \"%s\" could not be opened.", path);
        return false;
    }
    ok = read_text(a, path, (char *)text, len, error);
    free(text);
    return ok && read_includes(a, path, error);
}

static const char *warnings_text(const struct writer *w)
{
    return w->len ? (const char *)w->data : "";
}

const char *args_warnings(const struct args *a)
{
    return warnings_text(&a->warnings);
}

const char *args_section_warnings(const struct args *a)
{
    return warnings_text(&a->section_warnings);
}

/* True if the option has values that count in the file's global part and nowhere else. */
static bool only_global(const struct args *a, const char *name)
{
    const struct arg_option *global = args_find(a, SOURCE_CONFIG, "", name);
    const struct arg_option *others[] = {
        args_find(a, SOURCE_FORCED, "", name),
        args_find(a, SOURCE_COMMAND_LINE, "", name),
        args_find(a, SOURCE_SETTINGS, "", name),
        args_find(a, SOURCE_CONFIG, a->network, name),
    };

    if (!global || arg_option_negated(global) == global->n)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        if (others[i] && arg_option_negated(others[i]) < others[i]->n)
            return false;
    return true;
}

char *args_section_errors(const struct args *a)
{
    struct writer w = WRITER_INIT;

    if (!*a->network || !strcmp(a->network, "main"))
        return NULL;
    for (size_t i = 0; i < a->n_specs; i++) {
        const struct arg_spec *s = &a->specs[i];
        char *line;
        if (!(s->flags & ARG_NETWORK_ONLY) || !only_global(a, s->name))
            continue;
        line =
            xasprintf("Config setting for -%s only applied on %s network when in [%s] section.\n", s->name, a->network, a->network);
        write_bytes(&w, line, strlen(line));
        free(line);
    }
    if (w.len)
        write_u8(&w, 0);
    return (char *)w.data;
}
