/* options.h - the options of farthingd. */
#ifndef FARTHING_NODE_OPTIONS_H
#define FARTHING_NODE_OPTIONS_H

#include "util/args.h"

/** The table for args_new: options with help, then those that are accepted without effect (category NULL: not in --help). */
const struct arg_spec *options_table(size_t *n);
/** Options that the user switched on and that this version has no feature for. Out: names (room for max). Returns: the count. */
size_t options_without_effect(const struct args *args, const char **names, size_t max);

#endif
