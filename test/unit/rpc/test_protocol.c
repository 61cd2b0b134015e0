/* Tests of JSON-RPC itself: envelopes, errors, batches, named parameters, types, and the writer's number and string forms. */
#include "rpc_test.h"

static struct rpc_bed bed;

static int setup(void **state)
{
    (void)state;
    rpc_bed_open(&bed, CHAIN_REGTEST);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rpc_bed_close(&bed);
    return 0;
}

static void expect_body(const char *body, int status, const char *reply)
{
    int got;
    char *text = rpc_execute(bed.server, "user", body, strlen(body), &got);

    assert_string_equal(text, reply);
    assert_int_equal(got, status);
    free(text);
}

static void test_envelopes(void **state)
{
    (void)state;
    expect_body("{\"method\":\"getblockcount\"}", 200, "{\"result\":0,\"error\":null}\n");
    expect_body("{\"method\":\"getblockcount\",\"id\":null}", 200, "{\"result\":0,\"error\":null,\"id\":null}\n");
    expect_body("{\"jsonrpc\":\"1.0\",\"method\":\"getblockcount\",\"id\":\"a/b\"}", 200,
                "{\"result\":0,\"error\":null,\"id\":\"a/b\"}\n");
    expect_body("{\"jsonrpc\":\"2.0\",\"method\":\"getblockcount\",\"id\":7}", 200,
                "{\"jsonrpc\":\"2.0\",\"result\":0,\"id\":7}\n");
    expect_body("{\"jsonrpc\":\"2.0\",\"method\":\"getblockcount\"}", 204, "");
    expect_body("{\"jsonrpc\":\"2.0\",\"method\":\"nosuch\",\"id\":7}", 200,
                "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32601,\"message\":\"Method not found\"},\"id\":7}\n");
    expect_body("{\"method\":\"nosuch\",\"id\":7}", 404,
                "{\"result\":null,\"error\":{\"code\":-32601,\"message\":\"Method not found\"},\"id\":7}\n");
    expect_body("{\"method\":\"getinfo\",\"id\":7}", 404,
                "{\"result\":null,\"error\":{\"code\":-32601,\"message\":\"Method not found\"},\"id\":7}\n");
    expect_body("{\"method\":\"getblockhash\",\"params\":[9],\"id\":1}", 500,
                "{\"result\":null,\"error\":{\"code\":-8,\"message\":\"Block height out of range\"},\"id\":1}\n");
}

static void test_bad_requests(void **state)
{
    static const char parse[] = "{\"result\":null,\"error\":{\"code\":-32700,\"message\":\"Parse error\"},\"id\":null}\n";
    static const char top[] =
        "{\"result\":null,\"error\":{\"code\":-32700,\"message\":\"Top-level object parse error\"},\"id\":null}\n";
    struct writer deep = WRITER_INIT;
    (void)state;
    expect_body("", 500, parse);
    expect_body("{\"method\":", 500, parse);
    expect_body("{} {}", 500, parse);
    expect_body("{'method':'getblockcount'}", 500, parse);
    expect_body("{\"method\":\"\xff\"}", 500, parse);
    expect_body("1", 500, top);
    expect_body("\"x\"", 500, top);
    expect_body("null", 500, top);
    expect_body("{}", 400, "{\"result\":null,\"error\":{\"code\":-32600,\"message\":\"Missing method\"}}\n");
    expect_body("{\"id\":3,\"method\":3}", 400,
                "{\"result\":null,\"error\":{\"code\":-32600,\"message\":\"Method must be a string\"},\"id\":3}\n");
    expect_body("{\"id\":3,\"method\":\"uptime\",\"params\":3}", 400,
                "{\"result\":null,\"error\":{\"code\":-32600,\"message\":\"Params must be an array or object\"},\"id\":3}\n");
    expect_body("{\"id\":3,\"method\":\"uptime\",\"jsonrpc\":\"3.0\"}", 400,
                "{\"result\":null,\"error\":{\"code\":-32600,\"message\":\"JSON-RPC version not supported\"},\"id\":3}\n");
    for (int i = 0; i < 100000; i++)
        write_u8(&deep, '[');
    write_u8(&deep, 0);
    expect_body((const char *)deep.data, 500, parse);
    writer_clear(&deep);
}

static void test_batches(void **state)
{
    (void)state;
    expect_body("[]", 200, "[]\n");
    expect_body("[{\"method\":\"getblockcount\",\"id\":1},{\"jsonrpc\":\"2.0\",\"method\":\"nosuch\",\"id\":2},{\"jsonrpc\":\"2."
                "0\",\"method\":"
                "\"getblockcount\"}]",
                200,
                "[{\"result\":0,\"error\":null,\"id\":1},{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32601,\"message\":\"Method not "
                "found\"},\"id\":2}]\n");
    expect_body("[{\"jsonrpc\":\"2.0\",\"method\":\"getblockcount\"}]", 204, "");
    expect_body("[1]", 200, "[{\"result\":null,\"error\":{\"code\":-32600,\"message\":\"Invalid Request object\"},\"id\":null}]\n");
}

static void test_named(void **state)
{
    (void)state;
    assert_rpc(&bed, "echo", "[]", "[]");
    assert_rpc(&bed, "echo", "{\"arg0\":0,\"arg9\":9}", "[0,null,null,null,null,null,null,null,null,9]");
    assert_rpc(&bed, "echo", "{\"arg1\":1}", "[null,1]");
    assert_rpc(&bed, "echo", "{\"args\":[0,1],\"arg3\":3}", "[0,1,null,3]");
    assert_rpc(&bed, "echo", "{\"arg0\":0.00000001,\"arg1\":\"a/\\\"\"}", "[0.00000001,\"a/\\\"\"]");
    assert_rpc(&bed, "getblockhash", "{\"height\":0}", "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206");
    rpc_refused(&bed, "echo", "{\"args\":[0,null,2],\"arg1\":1}", RPC_INVALID_PARAMETER,
                "Parameter arg1 specified twice both as positional and named argument");
    rpc_refused(&bed, "echo", "{\"args\":[0,1,2,3],\"args\":[\"4\"]}", RPC_INVALID_PARAMETER,
                "Parameter args specified multiple times");
    rpc_refused(&bed, "echo", "{ \"arg0\" : {\"}\":[{}]}, \"arg1\":\"\\\"\", \"arg0\" : -1e3 }", RPC_INVALID_PARAMETER,
                "Parameter arg0 specified multiple times");
    assert_rpc(&bed, "echo", "{\"arg0\":{\"a\":1,\"a\":2}}", "[{\"a\":1}]");
    expect_body("[{\"method\":\"echo\",\"params\":[1]}, {\"method\":\"echo\",\"params\":{\"arg0\":1,\"arg0\":1},\"id\":2}]", 200,
                "[{\"result\":[1],\"error\":null},{\"result\":null,\"error\":{\"code\":-8,\"message\":\"Parameter arg0 specified "
                "multiple times\"},\"id\":2}]\n");
    rpc_refused(&bed, "help", "{\"random\":\"x\"}", RPC_INVALID_PARAMETER, "Unknown named parameter random");
    rpc_refused(&bed, "gettxspendingprevout", "{\"outputs\":[{\"txid\":\"00\",\"vout\":0}],\"options\":{},\"mempool_only\":true}",
                RPC_INVALID_PARAMETER, "Parameter options conflicts with parameter mempool_only");
}

static void test_parameters(void **state)
{
    (void)state;
    rpc_refused(&bed, "getblockhash", "[]", RPC_MISC_ERROR, "getblockhash height\n");
    rpc_refused(&bed, "getblockcount", "[1]", RPC_MISC_ERROR, "getblockcount\n");
    rpc_refused(&bed, "getblock", "[]", RPC_MISC_ERROR, "getblock \"blockhash\" ( verbosity )\n");
    rpc_refused(
        &bed, "getblockhash", "[\"1\"]", RPC_TYPE_ERROR,
        "Wrong type passed:\n{\n    \"Position 1 (height)\": \"JSON value of type string is not of expected type number\"\n}");
    rpc_refused(&bed, "getblockhash", "[1.5]", RPC_MISC_ERROR, "JSON integer out of range");
    rpc_refused(&bed, "getblockhash", "[99999999999999999999]", RPC_MISC_ERROR, "JSON integer out of range");
    rpc_refused(&bed, "getblockheader", "[\"00\"]", RPC_INVALID_PARAMETER, "hash must be of length 64 (not 2, for '00')");
    rpc_refused(&bed, "getblockheader", "[\"zz00000000000000000000000000000000000000000000000000000000000000\"]",
                RPC_INVALID_PARAMETER, "hash must be hexadecimal string (not 'zz00");
    rpc_refused(&bed, "getblock", "[\"0000000000000000000000000000000000000000000000000000000000000000\"]",
                RPC_INVALID_ADDRESS_OR_KEY, "Block not found");
    rpc_refused(&bed, "getblock", "[\"0000000000000000000000000000000000000000000000000000000000000000\",\"1\"]", RPC_TYPE_ERROR,
                "JSON value of type string is not of expected type number");
    rpc_refused(&bed, "generate", "[]", RPC_METHOD_NOT_FOUND,
                "generate\n\nhas been replaced by the -generate cli option. Refer to -help for more information.\n");
    rpc_refused(&bed, "getpeerinfo", "[]", RPC_CLIENT_P2P_DISABLED, "Error: Peer-to-peer functionality missing or disabled");
    rpc_refused(&bed, "echo", "[0,1,2,3,4,5,6,7,8,\"trigger_internal_bug\"]", RPC_MISC_ERROR, "Internal bug detected");
}

static void test_help(void **state)
{
    char *all = rpc_ask_text(&bed, "help", "[]");
    (void)state;
    assert_non_null(strstr(all, "== Blockchain ==\n"));
    assert_non_null(strstr(all, "\ngetblockhash height\n"));
    assert_null(strstr(all, "generatetoaddress"));
    free(all);
    assert_rpc(&bed, "help", "[\"nosuch\"]", "help: unknown command: nosuch");
    for (const struct rpc_command *const *t = rpc_tables; *t; t++) {
        for (const struct rpc_command *c = *t; c->name; c++) {
            char *text = rpc_help_text(c);
            assert_int_equal(strncmp(text, c->name, strlen(c->name)), 0);
            assert_ptr_equal(rpc_find_command(c->name), c); /* no name twice */
            free(text);
        }
    }
}

static void test_warmup(void **state)
{
    struct rpc_host host = {.params = &bed.bed.params};
    struct rpc_server *s = rpc_server_new(&host);
    int status;
    char *text;
    (void)state;
    rpc_server_warmup(s, "Loading block index…");
    text = rpc_execute(s, NULL, "{\"method\":\"getblockcount\",\"id\":1}", 33, &status);
    assert_string_equal(text, "{\"result\":null,\"error\":{\"code\":-28,\"message\":\"Loading block index…\"},\"id\":1}\n");
    assert_int_equal(status, 500);
    free(text);
    rpc_server_free(s);
}

static void test_waits(void **state)
{
    int64_t start = time_mono_us();
    char *text = rpc_ask_text(&bed, "waitfornewblock", "[50]");
    (void)state;
    assert_true(time_mono_us() - start >= 50000);
    assert_non_null(strstr(text, "\"height\":0"));
    free(text);
    text = rpc_ask_text(&bed, "waitforblockheight", "[0]");
    assert_non_null(strstr(text, "\"height\":0"));
    free(text);
    rpc_refused(&bed, "waitforblockheight", "[1,-1]", RPC_MISC_ERROR, "Negative timeout");
}

static void expect_json(struct json_writer *j, const char *expected)
{
    write_u8(&j->w, 0);
    assert_string_equal((char *)j->w.data, expected);
    jw_clear(j);
}

static void test_writer(void **state)
{
    struct json_writer j = JSON_WRITER_INIT;
    (void)state;
    jw_arr_begin(&j);
    jw_amount(&j, 1);
    jw_amount(&j, -150000000);
    jw_amount(&j, MAX_MONEY);
    jw_int(&j, INT64_MIN);
    jw_uint(&j, UINT64_MAX);
    jw_double(&j, 4.656542373906925e-10);
    jw_double(&j, 1);
    jw_double(&j, 0.1);
    jw_str(&j, "\"\\\n\x01\x7f/é");
    jw_obj_begin(&j);
    jw_obj_end(&j);
    jw_hex32(&j, 0x207fffff);
    jw_null(&j);
    jw_arr_end(&j);
    expect_json(&j,
                "[0.00000001,-1.50000000,21000000.00000000,-9223372036854775808,18446744073709551615,4.656542373906925e-10,1,0.1,"
                "\"\\\"\\\\\\n\\u0001\\u007f/é\",{},\"207fffff\",null]");
}

static void test_fixed_point(void **state)
{
    static const struct {
        const char *text;
        int64_t value;
    } good[] = {{"0", 0},
                {"1", 100000000},
                {"0.00000001", 1},
                {"-0.1", -10000000},
                {"1e-8", 1},
                {"1.10", 110000000},
                {"0.1e1", 100000000},
                {"21000000", MAX_MONEY},
                {"1E2", 10000000000}};
    static const char *const bad[] = {
        "", "-", "01", "1.", ".1", "1e", "0.000000001", "1e-9", "100000000000", "1x", " 1", "1e99999999999999999999", "+1"};
    int64_t v;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_true(parse_fixed_point(&v, good[i].text, 8));
        assert_int_equal(v, good[i].value);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (parse_fixed_point(&v, bad[i], 8))
            fail_msg("'%s' reads as %lld", bad[i], (long long)v);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_envelopes),   cmocka_unit_test(test_bad_requests), cmocka_unit_test(test_batches),
        cmocka_unit_test(test_named),       cmocka_unit_test(test_parameters),   cmocka_unit_test(test_help),
        cmocka_unit_test(test_warmup),      cmocka_unit_test(test_waits),        cmocka_unit_test(test_writer),
        cmocka_unit_test(test_fixed_point),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
