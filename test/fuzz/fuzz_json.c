/* fuzz_json.c - any bytes as JSON from a client: what is read is what json_check takes, is written so that it reads the same again, and as parameters,
 * by position or by name, of commands that need no chain, gives an answer that is JSON. */
#include <stdlib.h>

#include "rpc/json_read.h"
#include "rpc/server_priv.h"
#include "util/json_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text, size_t size)
{
    struct json_object *o, *again;
    const char *plain;
    char *copy;
    bool ok = json_read(&o, text, size);

    ASSERT(ok == json_check(text, size)); /* texts of this size are never too dear */
    if (!ok)
        return;
    plain = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN);
    copy = xstrdup(plain);
    ASSERT(json_read(&again, copy, strlen(copy)));
    ASSERT(strcmp(copy, json_object_to_json_string_ext(again, JSON_C_TO_STRING_PLAIN)) == 0);
    json_object_put(o);
    json_object_put(again);
    free(copy);
}

static void check_call(struct rpc_server *s, const char *method, const char *params, size_t len)
{
    struct writer w = WRITER_INIT;
    struct json_object *answer;
    int status;
    char *text;

    write_bytes(&w, "{\"id\":1,\"method\":\"", 18);
    write_bytes(&w, method, strlen(method));
    write_bytes(&w, "\",\"params\":", 11);
    write_bytes(&w, params, len);
    write_u8(&w, '}');
    text = rpc_execute(s, "user", (const char *)w.data, w.len, &status);
    ASSERT(status == 200 || status == 400 || status == 404 || status == 500);
    ASSERT(json_read(&answer, text, strlen(text)));
    json_object_put(answer);
    free(text);
    writer_clear(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const methods[] = {"echo",
                                          "help",
                                          "validateaddress",
                                          "getdescriptorinfo",
                                          "deriveaddresses",
                                          "decodescript",
                                          "decoderawtransaction",
                                          "createrawtransaction",
                                          "createmultisig",
                                          "verifymessage",
                                          "signmessagewithprivkey",
                                          "createpsbt",
                                          "converttopsbt",
                                          "decodepsbt",
                                          "analyzepsbt",
                                          "combinepsbt",
                                          "finalizepsbt",
                                          "joinpsbts"};
    struct chain_params params;
    struct rpc_host host = {.params = &params};
    struct rpc_server *s;

    if (size == 0)
        return 0;
    check_text((const char *)data + 1, size - 1);
    chain_params_init(&params, CHAIN_REGTEST);
    s = rpc_server_new(&host);
    rpc_server_ready(s, &host);
    if (json_check((const char *)data + 1, size - 1)) /* so that nothing else gets into the envelope */
        check_call(s, methods[data[0] % ARRAY_LEN(methods)], (const char *)data + 1, size - 1);
    rpc_server_free(s);
    chain_params_clear(&params);
    return 0;
}
