/* args_priv.h - what args.c (values and lookups), args_config.c (the file) and args_help.c share. */
#ifndef FARTHING_UTIL_ARGS_PRIV_H
#define FARTHING_UTIL_ARGS_PRIV_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "util/args.h"
#include "util/bytes.h"

/* In falling precedence. The file's values are one source here; their section tells network and global part apart. */
enum arg_source { SOURCE_FORCED, SOURCE_COMMAND_LINE, SOURCE_SETTINGS, SOURCE_CONFIG };

struct arg_value {
    enum { VALUE_TEXT, VALUE_FALSE, VALUE_TRUE } kind; /* -nox is FALSE, -nox=0 is TRUE */
    char *text;                                        /* of VALUE_TEXT, else NULL */
};

/* All values of one option from one source, in the order given. */
struct arg_option {
    enum arg_source source;
    char *section; /* "" unless SOURCE_CONFIG */
    char *name;
    struct arg_value *values;
    size_t n;
};

/* A list handed out by args_list; kept until the end because callers borrow it. */
struct arg_list {
    struct arg_list *next;
    char *name;
    bool stale; /* something was set since */
    const char **values;
    size_t n;
};

struct args {
    const struct arg_spec *specs;
    size_t n_specs;
    struct arg_option *options;
    size_t n_options;
    char *network;     /* "" until selected */
    char *include_dir; /* NULL: the config file's folder */
    struct writer warnings, section_warnings;
    pthread_mutex_t lists_lock;
    struct arg_list *lists;
};

/* "regtest.nolisten" taken apart. The pointers go into the text that was parsed. */
struct arg_key {
    char *section; /* "" if none */
    char *name;
    bool negated;
};

struct arg_key args_key_parse(char *text);
const struct arg_spec *args_spec(const struct args *a, const char *name);
/* Adds a value as the key and spec say. value: NULL if there was no '='. Returns: false with a message in *error. */
bool args_add(struct args *a, enum arg_source source, const struct arg_key *key, const char *value, const struct arg_spec *spec,
              char **error);
const struct arg_option *args_find(const struct args *a, enum arg_source source, const char *section, const char *name);
/* The number of values up to the last negation: those do not count. */
size_t arg_option_negated(const struct arg_option *o);
/* The chain that the options select, without checking that it exists; the string lives as long as args. */
const char *args_chain_name(const struct args *a, char **error);
/* Appends a line to a list of warnings. */
void args_warn(struct writer *list, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
