/* output.h - results and errors as Bitcoin Core's client prints them. */
#ifndef FARTHING_CLI_OUTPUT_H
#define FARTHING_CLI_OUTPUT_H

struct json_object;

/** Prints a result: strings bare, null not at all, the rest as JSON with 2-space indent. */
void output_result(struct json_object *result);
/** Prints an RPC error on standard error. Returns: the exit code, |error code|. */
int output_error(struct json_object *error);

#endif
