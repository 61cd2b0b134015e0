/* The documentation of commands: every command has results and an example, the notation is well-formed, and answers that are not as
 * documented are found out. What is wrong is named, command by command, before the test fails. */
#include <stdio.h>
#include <stdlib.h>

#include <json-c/json_pointer.h>

#include "rpc_test.h"

#include "rpc/doc.h"
#include "rpc/json_read.h"
#include "util/json_check.h"

static unsigned complain(const char *command, const char *what)
{
    fprintf(stderr, "%s: %s\n", command, what);
    return 1;
}

static const struct rpc_value *inside_of(const struct rpc_value *args, const char *names)
{
    size_t n = strcspn(names, "|");

    while (args && (strlen(args->name) != n || memcmp(args->name, names, n) != 0))
        args = args->next;
    return args;
}

static unsigned check_args(const struct rpc_command *c, const struct rpc_doc *d, struct arena *a)
{
    const struct rpc_value *args = rpc_doc_read(a, d->args);
    unsigned bad = d->args && !args ? complain(c->name, "the notation of its arguments is not well-formed") : 0;

    for (const struct rpc_param *p = c->params; p && p->names; p++) {
        bool structured = p->type == RPC_ARR || p->type == RPC_OBJ;
        if (structured && !inside_of(args, p->names))
            bad += complain(c->name, xasprintf("argument %s: nothing says what is inside", p->names));
    }
    for (const struct rpc_value *v = args; v; v = v->next) {
        const struct rpc_param *p = c->params;
        while (p && p->names && inside_of(v, p->names) != v)
            p++;
        if (!p || !p->names)
            bad += complain(c->name, xasprintf("%s is documented, and is no argument", v->name));
    }
    return bad;
}

static unsigned check_examples(const struct rpc_command *c, const struct rpc_doc *d, struct arena *a)
{
    const char *pos = d->examples;
    struct rpc_example e;
    unsigned bad = 0, n = 0;

    for (; rpc_doc_next_example(&e, &pos, a); free(e.params), n++) {
        char *words = rpc_doc_example_words(c, e.params);
        if (!json_check(e.params, strlen(e.params)) || strchr("[{", e.params[0]) == NULL)
            bad += complain(c->name, "an example is not a JSON array or object");
        if (strchr(e.params, '@'))
            bad += complain(c->name, "an example has a sample that is not known");
        if ((e.error != 0) != (*e.why != 0))
            bad += complain(c->name, "an example's error needs a code and a reason");
        free(words);
    }
    return bad + (n == 0 ? complain(c->name, "has no example") : 0);
}

static unsigned check_named(const struct rpc_command *c, const struct rpc_value *v, bool member)
{
    unsigned bad = 0;

    for (; v; v = v->next) {
        if (member != (*v->name != 0))
            bad += complain(c->name, xasprintf("a member without a name, or an element with one: %s %s", v->name, v->text));
        if (v->dflt)
            bad += complain(c->name, xasprintf("a result has no default: %s", v->name));
        bad += check_named(c, v->inner, v->shape == SHAPE_OBJ || v->shape == SHAPE_OBJ_KEYS);
    }
    return bad;
}

/* help has a heading for each; clients and Bitcoin Core's tests know these. */
static bool category_known(const char *category)
{
    static const char *const known[] = {"blockchain",      "control", "hidden", "mining", "network",
                                        "rawtransactions", "signer",  "util",   "wallet", "zmq"};

    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (strcmp(known[i], category) == 0)
            return true;
    }
    return false;
}

static unsigned check_command(const struct rpc_command *c)
{
    const struct rpc_doc *d = rpc_doc_of(c->name);
    struct arena a = ARENA_INIT;
    const struct rpc_value *results;
    unsigned bad;
    char *text;

    if (!d)
        return complain(c->name, "has no entry in src/rpc/doc_*.c (how to write one: src/rpc/doc.h)");
    if (!category_known(c->category))
        return complain(c->name, "is of a category that is not Bitcoin Core's");
    results = rpc_doc_read(&a, d->results);
    bad = results ? check_named(c, results, false) : complain(c->name, "has no results, or their notation is not well-formed");
    bad += check_args(c, d, &a) + check_examples(c, d, &a);
    text = rpc_help_text(c);
    if (results && !results->hidden && (!strstr(text, "\n\nResult") || !strstr(text, "\n\nExamples:\n> farthing-cli ")))
        bad += complain(c->name, "the help text lacks something");
    free(text);
    arena_clear(&a);
    return bad;
}

static void test_all_commands(void **state)
{
    unsigned bad = 0;

    (void)state;
    for (const struct rpc_command *const *t = rpc_tables; *t; t++) {
        for (const struct rpc_command *c = *t; c->name; c++)
            bad += check_command(c);
    }
    assert_int_equal(bad, 0);
}

static void test_notation(void **state)
{
    static const char *const malformed[] = {"{\n",     "{\nnum a\n]", "number",  "[\n]",          "{*\n}",
                                            "&nosuch", "}",           "num a b", "{\nnum a\n}\n}"};
    struct arena a = ARENA_INIT;
    struct rpc_value *v;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(malformed); i++)
        assert_null(rpc_doc_read(&a, malformed[i]));
    v = rpc_doc_read(&a, "when for a = 1\n~{? name =1 - what it is\n  num|str x =as it is\n}\nwhen hidden\n[\n  &tip - tip\n]");
    assert_non_null(v);
    assert_string_equal(v->when, "for a = 1");
    assert_int_equal(v->shape, SHAPE_OBJ);
    assert_true(v->unchecked && v->optional && !v->hidden);
    assert_string_equal(v->name, "name");
    assert_string_equal(v->dflt, "1");
    assert_string_equal(v->text, "what it is");
    assert_int_equal(v->inner->shape, SHAPE_NUM_OR_STR);
    assert_string_equal(v->inner->dflt, "as it is");
    assert_true(v->next->hidden);
    assert_string_equal(v->next->inner->elide, "tip");
    assert_true(v->next->inner->next->hidden);
    arena_clear(&a);
}

static void expect(const char *lines, const char *json, const char *wrong)
{
    struct arena a = ARENA_INIT;
    struct json_object *o;
    char *says;

    assert_true(json_read(&o, json, strlen(json)));
    says = rpc_doc_mismatch(rpc_doc_read(&a, lines), o);

    if (wrong)
        assert_string_equal(says, wrong);
    else
        assert_null(says);
    free(says);
    json_object_put(o);
    arena_clear(&a);
}

static void test_mismatches(void **state)
{
    (void)state;
    expect("num", "1", NULL);
    expect("amount", "1.5", NULL);
    expect("null", "null", NULL);
    expect("any", "[1]", NULL);
    expect("num", "\"1\"", "the result: returned type is string, but documented as number");
    expect("{\nnum a\nstr? b\n}", "{\"a\":1}", NULL);
    expect("{\nnum a\nstr? b\n}", "{\"b\":\"\"}", "a: missing, and not documented as optional");
    expect("{\nnum a\nstr? b\n}", "{\"a\":1,\"b\":null}", "b: returned type is null, but documented as string");
    expect("{\nnum a\n}", "{\"a\":1,\"c\":2}", "c: returned, but not documented");
    expect("{\n{ a\nnum b\n}\n}", "{\"a\":{\"b\":1,\"b\":1}}", "a.b: returned twice");
    expect("[\n{\n[ x\nnum\n]\n}\n]", "[{\"x\":[]},{\"x\":[1,2,true]}]",
           "[1].x[2]: returned type is bool, but documented as number");
    expect("[\nnum\nstr\n]", "[1,\"a\",2]", NULL);
    expect("[=\nnum\nstr\n]", "[1,\"a\"]", NULL);
    expect("[=\nnum\nstr\n]", "[1]", "the result: fewer elements than documented");
    expect("[=\nnum\nstr\n]", "[1,\"a\",1]", "[2]: one more element than documented");
    expect("{*\n{ key\nnum n\n}\n}", "{\"k\":{\"n\":1},\"l\":{}}", "l.n: missing, and not documented as optional");
    expect("~{\nnum a\n}", "false", NULL);
    expect("when a\nnum\nwhen b\nnull", "null", NULL);
    expect("when a\nnum\nwhen b\nnull", "true",
           "a: the result: returned type is bool, but documented as number\nb: the result: returned type is bool, but documented "
           "as null");
    expect(NULL, "1", "no results are documented");
}

/* -rpcdoccheck, as the server calls it. */
static void test_check_of_answers(void **state)
{
    static const struct {
        const char *answer;
        int code;
    } all[] = {{"101", 0}, {"\"101\"", RPC_MISC_ERROR}, {"", RPC_MISC_ERROR}, {"10a", RPC_MISC_ERROR}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct rpc_call call = {.command = rpc_find_command("getblockcount"), .result_at = 1};
        jw_raw(&call.out, "x", 1);
        write_bytes(&call.out.w, all[i].answer, strlen(all[i].answer));
        rpc_doc_check(&call);
        assert_int_equal(call.code, all[i].code);
        if (call.code)
            assert_non_null(strstr(call.message, "RPC call \"getblockcount\" returned incorrect type:\nthe result"));
        jw_clear(&call.out);
        free(call.message);
    }
}

static struct json_object *member(struct json_object *o, const char *path)
{
    struct json_object *found = NULL;

    assert_int_equal(json_pointer_get(o, path, &found), 0);
    return found;
}

static void expect_json(struct json_object *o, const char *path, const char *json)
{
    assert_string_equal(json_object_to_json_string_ext(member(o, path), JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE),
                        json);
}

static struct json_object *method(struct json_object *methods, const char *name)
{
    for (size_t i = 0; i < json_object_array_length(methods); i++) {
        struct json_object *m = json_object_array_get_idx(methods, i);
        if (strcmp(json_object_get_string(rpc_member(m, "name")), name) == 0)
            return m;
    }
    return NULL;
}

static void test_openrpc(void **state)
{
    for (int hidden = 0; hidden < 2; hidden++) {
        struct json_writer j = JSON_WRITER_INIT;
        struct json_object *doc, *methods, *m;
        (void)state;
        jw_openrpc(&j, hidden);
        write_u8(&j.w, 0);
        assert_true(json_check((const char *)j.w.data, j.w.len - 1));
        doc = json_tokener_parse((const char *)j.w.data);
        jw_clear(&j);
        methods = rpc_member(doc, "methods");
        expect_json(doc, "/openrpc", "\"1.4.1\"");
        assert_true((method(methods, "echo") != NULL) == hidden);
        assert_int_equal(json_object_array_length(rpc_member(method(methods, "stop"), "params")), hidden);
        m = method(methods, "getblock");
        expect_json(m, "/params/1/schema", "{\"default\":1}");
        expect_json(m, "/params/1/x-bitcoin-aliases", "[\"verbose\"]");
        expect_json(m, "/result/schema/oneOf/0",
                    "{\"type\":\"string\",\"pattern\":\"^[0-9a-fA-F]+$\",\"description\":\"for verbosity = 0\"}");
        expect_json(m, "/result/schema/oneOf/1/properties/tx/items/type", "\"string\"");
        expect_json(m, "/result/schema/oneOf/2/properties/tx/items/properties/vout/items/properties/value/x-bitcoin-unit",
                    "\"amount\"");
        m = method(methods, "gettxspendingprevout");
        expect_json(m, "/params/1/schema/additionalProperties", "false");
        expect_json(m, "/params/1/schema/properties/return_spending_tx/default", "false");
        m = method(methods, "getblockstats");
        expect_json(m, "/params/0/schema", "{\"oneOf\":[{\"type\":\"integer\"},{\"type\":\"string\"}]}");
        expect_json(m, "/params/1/schema/x-bitcoin-default-hint", "\"all values\"");
        expect_json(m, "/result/schema/properties/feerate_percentiles/maxItems", "5");
        json_object_put(doc);
    }
}

static void test_example_words(void **state)
{
    static const struct rpc_command c = {.name = "method"};
    static const struct {
        const char *line, *words;
        int error;
    } all[] = {
        {"[]", "method", 0},
        {"[1, true, \"a b\"] ! -5 no such thing", "method 1 true 'a b'", -5},
        {"[[\"it's\"], \"\"]", "method '[\"it'\\''s\"]' ''", 0},
        {"{\"a\": 1, \"b\": {\"c\": 2}}", "-named method a=1 'b={\"c\":2}'", 0},
        {"[@privkey, \"x(@privkey)\"]",
         "method KwDiBf89QgGbjEhKnhXJuH7LrciVrZi3qYjgd9M7rFU73sVHnoWn 'x(KwDiBf89QgGbjEhKnhXJuH7LrciVrZi3qYjgd9M7rFU73sVHnoWn)'",
         0},
    };
    struct arena a = ARENA_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        const char *pos = all[i].line;
        struct rpc_example e;
        char *words;
        assert_true(rpc_doc_next_example(&e, &pos, &a));
        words = rpc_doc_example_words(&c, e.params);
        assert_string_equal(words, all[i].words);
        assert_int_equal(e.error, all[i].error);
        assert_false(rpc_doc_next_example(&e, &pos, &a));
        free(words);
        free(e.params);
    }
    arena_clear(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all_commands),     cmocka_unit_test(test_notation),
                                       cmocka_unit_test(test_mismatches),       cmocka_unit_test(test_example_words),
                                       cmocka_unit_test(test_check_of_answers), cmocka_unit_test(test_openrpc)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
