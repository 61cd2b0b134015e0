/* logging.c - categories, levels and the first lines of the log. Called by main. */
#include "node/logging.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/sha256.h"
#include "node/options.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/time.h"

#define LOG_RATE_LIMIT (1024 * 1024) /* bytes an hour from one place, as Core's */

static bool apply_categories(const struct args *a, char **error)
{
    const char *const *values;
    size_t n = args_list(a, "debug", &values), first = 0;

    /* -debug=0 or none switches off what stands before it, mistakes included, as in Core. */
    for (size_t i = 0; i < n; i++)
        if (strcmp(values[i], "0") == 0 || strcmp(values[i], "none") == 0)
            first = i + 1;
    for (size_t i = first; i < n; i++)
        if (!log_category_set(*values[i] ? values[i] : "all", true)) {
            *error = xasprintf("Unsupported logging category %s=%s.", "-debug", values[i]);
            return false;
        }
    n = args_list(a, "debugexclude", &values);
    for (size_t i = 0; i < n; i++)
        if (!log_category_set(values[i], false)) {
            *error = xasprintf("Unsupported logging category %s=%s.", "-debugexclude", values[i]);
            return false;
        }
    return true;
}

static bool apply_levels(const struct args *a, char **error)
{
    const char *const *values;
    size_t n = args_list(a, "loglevel", &values);

    for (size_t i = 0; i < n; i++) {
        const char *colon = strchr(values[i], ':');
        char *category = colon ? xstrdup(values[i]) : NULL;
        bool ok;
        if (category)
            category[colon - values[i]] = 0;
        ok = log_level_set(category, colon ? colon + 1 : values[i]);
        free(category);
        if (!ok) {
            *error =
                colon
                    ? xasprintf(
                          "Unsupported category-specific logging level %s=%s. Expected %s=<category>:<loglevel>. Valid categories: "
                          "see the logging RPC. Valid loglevels: info, debug, trace.",
                          "-loglevel", values[i], "-loglevel")
                    : xasprintf("Unsupported global logging level %s=%s. Valid values: info, debug, trace.", "-loglevel",
                                values[i]);
            return false;
        }
    }
    return true;
}

static void log_value(void *ctx, const char *source, const char *name, const char *value)
{
    (void)ctx;
    log_info("%s %s=%s", source, name, value);
}

static void log_start(const struct node_config *c)
{
    const char *missing[32];
    char *unread = confdir_unread_file(&c->dir);
    size_t n;

    log_event(LOG_LEVEL_INFO, LOG_NONE, LOG_EVENT("start", {"version", FARTHING_VERSION, 0}, {"chain", c->params.name, 0}),
              "%s version v%s", FARTHING_NAME, FARTHING_VERSION);
    log_info("Using the '%s' SHA256 implementation", sha256_kernel());
    log_info("Default data directory %s/.farthing", getenv("HOME") ? getenv("HOME") : "");
    log_info("Using data directory %s", c->dir.net_dir);
    if (c->params.signet) {
        const uint8_t *m = c->params.magic;
        log_info("Signet derived magic (message start): %02x%02x%02x%02x", m[0], m[1], m[2], m[3]);
    }
    log_info("Config file: %s", c->dir.conf_path ? c->dir.conf_path : "<disabled>");
    if (unread)
        log_info("Data directory \"%s\" contains a \"%s\" file which is explicitly ignored using -noconf.", c->dir.datadir, unread);
    free(unread);
    args_each(c->args, log_value, NULL);
    if (args_warnings(c->args)[0])
        log_warning("%s", args_warnings(c->args));
    if (args_section_warnings(c->args)[0]) {
        log_warning("%s", args_section_warnings(c->args));
        fprintf(stderr, "Warning: %s\n", args_section_warnings(c->args));
    }
    n = options_without_effect(c->args, missing, ARRAY_LEN(missing));
    for (size_t i = 0; i < n; i++)
        log_warning("Option -%s has no effect: this version does not have that feature", missing[i]);
}

bool node_logging_open(const struct node_config *c, bool foreground, char **error)
{
    const struct args *a = c->args;
    const char *format = args_str(a, "logformat", "text");
    struct log_config log = {
        .path = c->log_path,
        .print_to_console = args_bool(a, "printtoconsole", foreground),
        .timestamps = args_bool(a, "logtimestamps", true),
        .time_micros = args_bool(a, "logtimemicros", false),
        .thread_names = args_bool(a, "logthreadnames", false),
        .source_locations = args_bool(a, "logsourcelocations", false),
        .level_always = args_bool(a, "loglevelalways", false),
        .json = strcmp(format, "json") == 0,
        .limit = args_bool(a, "logratelimit", true) ? LOG_RATE_LIMIT : 0,
    };
    if (!log.json && strcmp(format, "text") != 0) {
        *error = xasprintf("Unsupported log format -logformat=%s. Valid formats: text, json.", format);
        return false;
    }
    time_mock_set(args_int(a, "mocktime", 0));
    if (!apply_categories(a, error) || !apply_levels(a, error))
        return false;
    log.shrink = args_bool(a, "shrinkdebugfile", !args_is_set(a, "debug"));
    if (!log_open(&log)) {
        *error = xasprintf("Could not open debug log file %s", c->log_path);
        return false;
    }
    log_start(c);
    return true;
}
