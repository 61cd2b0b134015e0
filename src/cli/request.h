/* request.h - JSON-RPC requests of the client. */
#ifndef FARTHING_CLI_REQUEST_H
#define FARTHING_CLI_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

struct json_object;

/** Converts the words behind the method. Returns: params, NULL with *error (to free). */
struct json_object *request_params(const char *method, const char *const *args, size_t n, bool by_name, char **error);
/** {"jsonrpc":"2.0","method":..,"params":..,"id":..}; takes both objects. */
struct json_object *request_new(const char *method, struct json_object *params_take, struct json_object *id_take);

#endif
