/* convert.h - how the client turns words of the command line into JSON-RPC parameters. */
#ifndef FARTHING_CLI_CONVERT_H
#define FARTHING_CLI_CONVERT_H

#include <stdbool.h>
#include <stddef.h>

enum param_format { PARAM_JSON, PARAM_STRING, PARAM_JSON_OR_STRING };

/** The format of a positional argument. */
enum param_format param_format_at(const char *method, int index);
/** The format of a named argument. Out: *listed: the command's row knows the name. */
enum param_format param_format_of(const char *method, const char *name, size_t len, bool *listed);
/** Is the argument at that position listed as a string that may contain '='? */
bool param_string_at(const char *method, int index);

#endif
