/* generate.c - blocks for tests: a new address of the node's wallet, or that of -miningaddress, then generatetoaddress. */
#include "cli/generate.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output.h"
#include "cli/reply.h"
#include "cli/request.h"
#include "util/mem.h"

#define METHOD_NOT_FOUND (-32601)

/* Out: *address (to free). Returns: the exit code, 0 if there is one. */
static int find_address(char **address, const struct client *c)
{
    struct json_object *request = request_new("getnewaddress", json_object_new_array(),
                                              json_object_new_string(args_str(c->args, "rpcid", "1"))),
                       *reply = NULL, *error;
    const char *own = args_str(c->args, "miningaddress", "");
    char *text = NULL;
    int code = EXIT_SUCCESS;

    *address = NULL;
    if (!client_call(c, request, &reply, &text)) {
        code = client_fail(text);
    } else if ((error = reply_get(reply, "error")) == NULL) {
        *address = xstrdup(reply_text(reply, "result"));
    } else if (json_object_get_int(reply_get(error, "code")) != METHOD_NOT_FOUND) {
        code = output_error(error);
    } else if (*own) {
        *address = xstrdup(own);
    } else {
        code = client_fail(
            xstrdup("This node has no wallet to pay to. Give -miningaddress=<addr>, here or in the configuration file, or "
                    "use generatetoaddress"));
    }
    json_object_put(request);
    json_object_put(reply);
    return code;
}

static int generate(const struct client *c, struct json_object *params, const char *address)
{
    struct json_object *request = request_new("generatetoaddress", params, json_object_new_int(1)), *reply = NULL, *error, *result;
    char *text = NULL;
    int code = EXIT_SUCCESS;

    if (!client_call(c, request, &reply, &text)) {
        code = client_fail(text);
    } else if ((error = reply_get(reply, "error")) != NULL) {
        code = output_error(error);
    } else {
        result = json_object_new_object();
        json_object_object_add(result, "address", json_object_new_string(address));
        json_object_object_add(result, "blocks", json_object_get(reply_get(reply, "result")));
        output_result(result);
        json_object_put(result);
    }
    json_object_put(request);
    json_object_put(reply);
    return code;
}

int generate_run(const struct client *c, const char *const *words, size_t n)
{
    const char *args[3] = {n > 0 ? words[0] : "1", NULL, n > 1 ? words[1] : NULL};
    struct json_object *params;
    char *address, *error = NULL;
    int code = find_address(&address, c);

    if (code)
        return code;
    if (n > 2) {
        code = client_fail(xstrdup("too many arguments (maximum 2 for nblocks and maxtries)"));
    } else if (strcmp(args[0], "0") == 0) {
        code = client_fail(
            xstrdup("the first argument (number of blocks to generate, default: 1) must be an integer value greater than zero"));
    } else {
        args[1] = address;
        params = request_params("generatetoaddress", args, n > 1 ? 3 : 2, false, &error);
        code = params ? generate(c, params, address) : client_fail(error);
    }
    free(address);
    return code;
}
