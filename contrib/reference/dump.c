/* dump.c - writes what the command tables say as JSON on standard output, for reference.py, which makes doc/rpc.md and the shells' completions
 * of it. Built and run by `make docs`. */
#include <stdio.h>
#include <stdlib.h>

#include "rpc/doc.h"

static void put_text(struct json_writer *j, const char *key, struct writer *w)
{
    jw_key(j, key);
    jw_str_len(j, w->len ? (const char *)w->data : "", w->len);
    free(w->data);
}

static void put_examples(struct json_writer *j, const struct rpc_command *c, const char *lines, struct arena *a)
{
    struct rpc_example e;

    jw_key(j, "examples");
    jw_arr_begin(j);
    for (const char *line = lines; rpc_doc_next_example(&e, &lines, a); line = lines, free(e.params)) {
        char *words = rpc_doc_example_words(c, e.params);
        jw_obj_begin(j);
        jw_key(j, "line");
        jw_str_len(j, line, strcspn(line, "\n"));
        jw_kv_str(j, "words", words);
        jw_key(j, "params");
        jw_raw(j, e.params, strlen(e.params));
        jw_kv_int(j, "error", e.error);
        jw_kv_str(j, "why", e.why);
        jw_obj_end(j);
        free(words);
    }
    jw_arr_end(j);
}

static void put_command(struct json_writer *j, const struct rpc_command *c)
{
    const struct rpc_doc *doc = rpc_doc_of(c->name);
    struct writer usage = WRITER_INIT, arguments = WRITER_INIT, results = WRITER_INIT;
    struct arena a = ARENA_INIT;

    jw_obj_begin(j);
    jw_kv_str(j, "name", c->name);
    jw_kv_str(j, "category", c->category);
    jw_kv_bool(j, "own", c->flags & RPC_OWN);
    rpc_put_usage(&usage, c);
    put_text(j, "usage", &usage);
    jw_kv_str(j, "help", c->help);
    rpc_put_arguments(&arguments, c, rpc_doc_read(&a, doc ? doc->args : NULL));
    put_text(j, "arguments", &arguments);
    rpc_put_results(&results, rpc_doc_read(&a, doc ? doc->results : NULL));
    put_text(j, "results", &results);
    put_examples(j, c, doc ? doc->examples : NULL, &a);
    jw_obj_end(j);
    arena_clear(&a);
}

int main(void)
{
    struct json_writer j = JSON_WRITER_INIT;

    jw_obj_begin(&j);
    jw_key(&j, "samples");
    jw_obj_begin(&j);
    for (const struct rpc_sample *p = rpc_samples; p->name; p++)
        jw_kv_str(&j, p->name, p->text);
    jw_obj_end(&j);
    jw_key(&j, "commands");
    jw_arr_begin(&j);
    for (const struct rpc_command *const *t = rpc_tables; *t; t++) {
        for (const struct rpc_command *c = *t; c->name; c++)
            put_command(&j, c);
    }
    jw_arr_end(&j);
    jw_obj_end(&j);
    fwrite(j.w.data, 1, j.w.len, stdout);
    putchar('\n');
    jw_clear(&j);
    return 0;
}
