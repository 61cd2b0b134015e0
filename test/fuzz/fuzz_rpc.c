/* fuzz_rpc.c - any bytes as the body of a JSON-RPC request and as what commands parse on their own: proofs and amounts. Without a chain: the
 * server answers as in warm-up, after the whole envelope was read, unless all commands asked for do without one. */
#include <stdlib.h>

#include "consensus/merkle_block.h"
#include "rpc/server_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool needs_no_chain(struct json_object *request)
{
    static const char *const names[] = {
        "echo",         "help",       "validateaddress",      "getdescriptorinfo",   "deriveaddresses",
        "decodescript", "getrpcinfo", "decoderawtransaction", "createrawtransaction"};
    const char *method = json_object_get_string(rpc_member(request, "method"));

    for (size_t i = 0; method && i < ARRAY_LEN(names); i++) {
        if (strcmp(method, names[i]) == 0)
            return true;
    }
    return !method || !rpc_find_command(method);
}

/* Lets the commands run if that is safe. */
static void wake(struct rpc_server *s, const uint8_t *data, size_t size)
{
    struct json_object *request = rpc_parse((const char *)data, size);
    bool safe = true;

    if (json_object_is_type(request, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(request); i++)
            safe &= needs_no_chain(json_object_array_get_idx(request, i));
    } else {
        safe = needs_no_chain(request);
    }
    json_object_put(request);
    if (safe)
        rpc_server_ready(s, &s->host);
}

/* The answer to anything must be JSON again, or nothing. */
static void check_body(struct rpc_server *s, const uint8_t *data, size_t size)
{
    int status;
    char *text = rpc_execute(s, "user", (const char *)data, size, &status);
    struct json_object *again = *text ? rpc_parse(text, strlen(text)) : NULL;

    ASSERT(status == 200 || status == 204 || status == 400 || status == 404 || status == 500);
    ASSERT(status == 204 ? !*text : again != NULL);
    json_object_put(again);
    free(text);
}

static void check_proof(const uint8_t *data, size_t size)
{
    struct writer ids = WRITER_INIT;
    struct block_header header;
    uint32_t n_tx;

    if (merkle_block_check(&header, &n_tx, &ids, data, size) == MERKLE_BLOCK_VALID)
        ASSERT(ids.len / 32 <= n_tx);
    writer_clear(&ids);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct chain_params params;
    struct rpc_host host = {.params = &params};
    struct rpc_server *s;
    struct tx *tx;
    int64_t amount;
    char *text;

    if (size == 0)
        return 0;
    chain_params_init(&params, CHAIN_REGTEST);
    text = xmalloc(size);
    memcpy(text, data + 1, size - 1);
    text[size - 1] = 0;
    s = rpc_server_new(&host);
    switch (data[0] % 4) {
    case 0:
        wake(s, data + 1, size - 1);
        check_body(s, data + 1, size - 1);
        break;
    case 1:
        parse_fixed_point(&amount, text, 8);
        break;
    case 2:
        check_proof(data + 1, size - 1);
        break;
    default:
        tx = rpc_decode_tx(text, true, true);
        tx_unref(tx);
    }
    rpc_server_free(s);
    free(text);
    chain_params_clear(&params);
    return 0;
}
