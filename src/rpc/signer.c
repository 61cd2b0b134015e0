/* signer.c - signing devices behind another program (-signer, such as HWI): enumeratesigners. On pool threads, as the program may take long. */
#include <stdlib.h>

#include "rpc/json_read.h"
#include "rpc/priv.h"
#include "util/child.h"

#define OUTPUT_MAX (1 << 20)
#define WORDS_MAX 64

static bool stopping(void *call)
{
    return rpc_stopping(call);
}

/* The command's words, parted by blanks, and the verb. text is cut. Returns: false if there are too many. */
static bool split(char *words[WORDS_MAX + 2], char *text, char *verb)
{
    char *save = NULL;
    size_t n = 0;

    for (char *w = strtok_r(text, " \t", &save); w; w = strtok_r(NULL, " \t", &save)) {
        if (n == WORDS_MAX)
            return false;
        words[n++] = w;
    }
    words[n] = verb;
    words[n + 1] = NULL;
    return n > 0;
}

/* Only the first line counts. */
static void cut_line(char *text)
{
    text[strcspn(text, "\n")] = 0;
}

/* Runs the program. Returns: false with the error set. Out: what it answers. */
static bool ask(struct rpc_call *call, const char *command, struct json_object **answer)
{
    char *text = xstrdup(command), *words[WORDS_MAX + 2], verb[] = "enumerate";
    struct child_result r = {NULL, NULL, 0};
    bool ok = false;
    int rc;

    if (!split(words, text, verb)) {
        rpc_error(call, RPC_MISC_ERROR, "-signer is no command");
    } else if ((rc = child_run(&r, words, OUTPUT_MAX, stopping, call)) != 0) {
        rpc_error(call, RPC_MISC_ERROR, "execve failed: %s", strerror(rc));
    } else {
        cut_line(r.out);
        cut_line(r.err);
        if (r.code)
            rpc_error(call, RPC_MISC_ERROR, "RunCommandParseJSON error: process(%s enumerate) returned %d: %s\n", command, r.code,
                      r.err);
        else if (!json_read(answer, r.out, strlen(r.out)))
            rpc_error(call, RPC_MISC_ERROR, "Unable to parse JSON: %s", r.out);
        else
            ok = true;
    }
    child_result_clear(&r);
    free(text);
    return ok;
}

/* Returns: its fingerprint, NULL with the error set. */
static const char *check_signer(struct rpc_call *call, const char *command, struct json_object *signer)
{
    struct json_object *error, *fingerprint;
    const char *text;

    if (!rpc_want(call, signer, RPC_OBJ))
        return NULL;
    error = rpc_member(signer, "error");
    fingerprint = rpc_member(signer, "fingerprint");
    if (error && json_object_is_type(error, json_type_string))
        rpc_error(call, RPC_MISC_ERROR, "'%s' error: %s", command, json_object_get_string(error));
    else if (error)
        rpc_error(call, RPC_MISC_ERROR, "'%s' error", command);
    else if (!fingerprint)
        rpc_error(call, RPC_MISC_ERROR, "'%s' received invalid response, missing signer fingerprint", command);
    else if (rpc_want(call, fingerprint, RPC_STR)) {
        text = json_object_get_string(fingerprint);
        if (strlen(text) == 8 && hex_is_valid(text))
            return text;
        rpc_error(call, RPC_MISC_ERROR, "'%s' received invalid fingerprint, must be 8 hex characters", command);
    }
    return NULL;
}

static void show_signers(struct rpc_call *call, const char *command, struct json_object *list)
{
    struct json_object *seen = json_object_new_object();
    struct json_writer *j = &call->out;

    jw_obj_begin(j);
    jw_key(j, "signers");
    jw_arr_begin(j);
    for (size_t i = 0; i < json_object_array_length(list) && !call->code; i++) {
        struct json_object *signer = json_object_array_get_idx(list, i), *model;
        const char *fingerprint = check_signer(call, command, signer);
        if (!fingerprint || json_object_object_get_ex(seen, fingerprint, NULL))
            continue;
        json_object_object_add(seen, fingerprint, NULL);
        model = rpc_member(signer, "model");
        jw_obj_begin(j);
        jw_kv_str(j, "fingerprint", fingerprint);
        jw_kv_str(j, "name", json_object_is_type(model, json_type_string) ? json_object_get_string(model) : "");
        jw_obj_end(j);
    }
    jw_arr_end(j);
    jw_obj_end(j);
    json_object_put(seen);
}

static void enumeratesigners(struct rpc_call *call)
{
    const char *command = call->host->args ? args_str(call->host->args, "signer", "") : "";
    struct json_object *list = NULL;

    if (!*command) {
        rpc_error(call, RPC_MISC_ERROR, "Error: restart bitcoind with -signer=<cmd>"); /* Core's words: HWI's users look for them */
        return;
    }
    if (!ask(call, command, &list))
        return;
    if (json_object_is_type(list, json_type_array))
        show_signers(call, command, list);
    else
        rpc_error(call, RPC_MISC_ERROR, "'%s' received invalid response, expected array of signers", command);
    json_object_put(list);
}

const struct rpc_command rpc_signer_commands[] = {
    {"signer", "enumeratesigners", enumeratesigners, NULL, 0,
     "Lists the signing devices that the program of -signer knows. Of devices with the same master key the first is listed.\n"},
    {NULL, NULL, NULL, NULL, 0, NULL}};
