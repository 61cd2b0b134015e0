/* args.h - options: command line over settings over config file, with Bitcoin Core's rules.
 *
 * Names are given without the leading dash ("datadir"). `-noname` is `name=0` (negated). On the command line the last value of a
 * single-value option counts, in the file the first; a network section ([regtest], "regtest.key=") beats the file's global
 * part, in which network-only options apply to mainnet alone. Filled at start by one thread, read-only (any thread) after. */
#ifndef FARTHING_UTIL_ARGS_H
#define FARTHING_UTIL_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum arg_flag {
    ARG_NETWORK_ONLY = 1, /* in the file's global part it applies to mainnet only */
    ARG_DEBUG_ONLY = 2,   /* shown by -help-debug only */
    ARG_SENSITIVE = 4,    /* value never logged */
    ARG_NO_NEGATION = 8,
    ARG_COMMAND_LINE_ONLY = 16,
    ARG_NEEDS_VALUE = 32 /* a plain "-name" is an error */
};

struct arg_spec {
    const char *name;     /* "datadir" */
    const char *value;    /* how the value is shown in --help ("<dir>"), NULL for a plain switch */
    const char *category; /* heading in --help ("Options:"), NULL hides the option */
    unsigned flags;       /* enum arg_flag */
    const char *help;
};

struct args;

/** Out of a constant table that must outlive it. */
struct args *args_new(const struct arg_spec *specs, size_t n_specs);
void args_free(struct args *a);
/** Reads the command line (argv[0] skipped). Returns: false with a message in *error (to free) such as
 *  "Invalid parameter -foo"; arguments that are not options end the parse and are left: *rest = index of the first. */
bool args_parse(struct args *a, int argc, char **argv, int *rest, char **error);
/** The folder that relative includeconf paths start at: the datadir. Without it, the config file's own. */
void args_set_include_dir(struct args *a, const char *dir);
/** Reads a config file and its includeconf files. Returns: false with a message in *error.
 *  Unknown keys are collected as warnings, see args_warnings. A missing file: false unless may_miss. An includeconf inside an
 *  included file is reported on standard error and ignored, as Core does. */
bool args_read_config(struct args *a, const char *path, bool may_miss, char **error);
/** Selects the section whose values beat the global part: "main", "test", "testnet4", "signet", "regtest". */
void args_select_network(struct args *a, const char *section);
/** Adds one value of settings.json: below the command line, above the config file. For a JSON array once for each element;
 *  value NULL for JSON false (a negation). */
void args_add_setting(struct args *a, const char *name, const char *value);
/** The network that -chain, -regtest, -signet, -testnet, -testnet4 select, before args_select_network. Returns: "main", "test",
 *  "testnet4", "signet" or "regtest"; NULL with a message in *error (to free) on a contradiction or an unknown -chain. */
const char *args_chain(const struct args *a, char **error);
/** Warnings for the log (unknown keys, double negatives), newline separated; "" if none. */
const char *args_warnings(const struct args *a);
/** Warnings for the user: sections of the config file that name no network, newline separated; "" if none. */
const char *args_section_warnings(const struct args *a);
/** Network-only options that stand in the file's global part alone while another network than main is selected: an error at
 *  start. Returns: Core's messages, each ended by a newline, in a new string; NULL if there are none. */
char *args_section_errors(const struct args *a);
/** Sets a value unless the user set one (parameter interaction). Returns: true if it was set. */
bool args_soft_set(struct args *a, const char *name, const char *value);
/** Overrides whatever the user gave. */
void args_force(struct args *a, const char *name, const char *value);

bool args_is_set(const struct args *a, const char *name);
bool args_is_negated(const struct args *a, const char *name);
/** The value or dflt. The string lives as long as args. A negated option gives "0". */
const char *args_str(const struct args *a, const char *name, const char *dflt);
/** Leading decimal number as strtoll reads it, saturated; dflt when absent. */
int64_t args_int(const struct args *a, const char *name, int64_t dflt);
/** "" and absence of '=' mean true; otherwise a number != 0. */
bool args_bool(const struct args *a, const char *name, bool dflt);
/** All values of a list option, config values after command-line ones; a negation clears the ones before it.
 *  Returns: the count; *values borrows. */
size_t args_list(const struct args *a, const char *name, const char *const **values);
/** Is value one of them? */
bool args_list_has(const struct args *a, const char *name, const char *value);
/** Writes the --help text of the options to a new string. debug: with the debug-only ones. */
char *args_help(const struct args *a, bool debug);
/** Calls fn for each value given, for logging at start as "<source> <name>=<value>". source: "Config file arg:",
 *  "Config file arg: [regtest]" or "Command-line arg:"; value: in double quotes, false, true or ****. */
void args_each(const struct args *a, void (*fn)(void *ctx, const char *source, const char *name, const char *value), void *ctx);

#endif
