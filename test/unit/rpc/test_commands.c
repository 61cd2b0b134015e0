/* Tests of the commands against vectors and against each other. */
#include "rpc_test.h"

#include "consensus/merkle_block.h"
#include "primitives/address.h"

#define ADDRESS "bcrt1qs758ursh4q9z627kt3pp5yysm78ddny6txaqgw"

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
    time_mock_set(0);
    return 0;
}

static struct json_object *vectors(const char *rel)
{
    size_t len;
    uint8_t *data = vectors_read(rel, &len);
    struct json_object *o = data ? json_tokener_parse((char *)data) : NULL;

    free(data);
    return o;
}

/* Do all members of a and b agree, in text? */
static void same_members(struct json_object *a, struct json_object *b)
{
    assert_int_equal(json_object_object_length(a), json_object_object_length(b));
    json_object_object_foreach(a, key, v)
    {
        struct json_object *w = rpc_member(b, key);
        if (json_object_is_type(v, json_type_object)) {
            same_members(v, w);
            continue;
        }
        if (!w || strcmp(json_object_get_string(v), json_object_get_string(w)) != 0)
            fail_msg("%s: %s instead of %s", key, json_object_get_string(w), json_object_get_string(v));
    }
}

static void test_block_stats(void **state)
{
    struct json_object *all = vectors("rpc/rpc_getblockstats.json"), *blocks, *stats;
    (void)state;
    if (!all)
        return;
    blocks = rpc_member(all, "blocks");
    stats = rpc_member(all, "stats");
    time_mock_set(json_object_get_int64(rpc_member(all, "mocktime")));
    for (size_t i = 1; i < json_object_array_length(blocks); i++) {
        char *params = xasprintf("[\"%s\"]", json_object_get_string(json_object_array_get_idx(blocks, i)));
        assert_rpc(&bed, "submitblock", params, "null");
        free(params);
    }
    assert_rpc(&bed, "getbestblockhash", "[]", "7474991c2ae3c94c4813d75b4c752028304b773dd4dce8d460dfa2d1e7b542a3");
    for (size_t i = 0; i < json_object_array_length(stats); i++) {
        struct json_object *want = json_object_array_get_idx(stats, i), *got;
        char *params = xasprintf("[%d]", json_object_get_int(rpc_member(want, "height")));
        got = rpc_ask(&bed, "getblockstats", params, NULL);
        same_members(want, got);
        json_object_put(got);
        free(params);
    }
    {
        struct json_object *info = rpc_ask(&bed, "gettxoutsetinfo", "[]", NULL);
        assert_int_equal(json_object_get_int(rpc_member(info, "txouts")), 107);
        assert_string_equal(json_object_get_string(rpc_member(info, "hash_serialized_3")),
                            "7629466f04320895a7d1897a0a4a38bc984b81dd6acf1211bee3bc1ba4770eba");
        json_object_put(info);
    }
    assert_rpc(&bed, "getblockstats", "[101,[\"txs\",\"height\"]]", "{\"height\":101,\"txs\":1}");
    rpc_refused(&bed, "getblockstats", "[101,[\"nosuch\"]]", RPC_INVALID_PARAMETER, "Invalid selected statistic 'nosuch'");
    rpc_refused(&bed, "getblockstats", "[1000]", RPC_INVALID_PARAMETER, "Target block height 1000 after current tip 103");
    json_object_put(all);
}

static void test_decode_script(void **state)
{
    struct json_object *all = vectors("rpc/rpc_decodescript.json");
    (void)state;
    for (size_t i = 0; all && i < json_object_array_length(all); i++) {
        struct json_object *row = json_object_array_get_idx(all, i), *got;
        char *params = xasprintf("[\"%s\"]", json_object_get_string(json_object_array_get_idx(row, 0)));
        got = rpc_ask(&bed, "decodescript", params, NULL);
        same_members(json_object_array_get_idx(row, 1), got);
        json_object_put(got);
        free(params);
    }
    json_object_put(all);
    assert_rpc(
        &bed, "decodescript", "[\"\"]",
        "{\"asm\":\"\",\"desc\":\"raw()#58lrscpx\",\"type\":\"nonstandard\",\"p2sh\":\"2N9hLwkSqr1cPQAPxbrGVUjxyjD11G2e1he\","
        "\"segwit\":{\"asm\":\"0 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\",\"desc\":"
        "\"addr(bcrt1quwcvgs5clswpfxhm7nyfjmaeysn6us0yvjdexn9yjkv3k7zjhp2snwgpgy)#ctv6wqhy\",\"hex\":"
        "\"0020e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\",\"address\":"
        "\"bcrt1quwcvgs5clswpfxhm7nyfjmaeysn6us0yvjdexn9yjkv3k7zjhp2snwgpgy\",\"type\":\"witness_v0_scripthash\",\"p2sh-segwit\":"
        "\"2N2CmnxjBbPTHrawgG2FkTuBLcJtEzA86sF\"}}");
}

/* Each line of the table: height, indexes, txids, proof. */
static void test_proofs(void **state)
{
    size_t len;
    char *data = (char *)vectors_read("rpc/txoutproofs.csv", &len), *line, *rest = data, *field;
    int rows = 0;
    (void)state;
    if (!data)
        return;
    strsep(&rest, "\n"); /* headings */
    while ((line = strsep(&rest, "\n")) && *line) {
        struct writer ids = WRITER_INIT;
        struct block_header header;
        char *txids, *hex, *id;
        uint8_t *proof, want[32];
        uint32_t n_tx;
        size_t at = 0;
        strsep(&line, ",");
        strsep(&line, ",");
        txids = strsep(&line, ",");
        hex = strsep(&line, ",\r");
        proof = xmalloc(strlen(hex) / 2);
        assert_true(hex_decode(proof, strlen(hex) / 2, hex));
        assert_int_equal(merkle_block_check(&header, &n_tx, &ids, proof, strlen(hex) / 2), MERKLE_BLOCK_VALID);
        field = txids;
        while ((id = strsep(&field, " ")) && *id) {
            assert_true(hash_from_hex(want, id));
            assert_true(at + 32 <= ids.len);
            assert_memory_equal(ids.data + at, want, 32);
            at += 32;
        }
        assert_int_equal(at, ids.len);
        proof[90] ^= 1; /* one bit of the first hash */
        ids.len = 0;
        assert_int_equal(merkle_block_check(&header, &n_tx, &ids, proof, strlen(hex) / 2), MERKLE_BLOCK_WRONG);
        assert_int_equal(merkle_block_check(&header, &n_tx, &ids, proof, strlen(hex) / 2 - 1), MERKLE_BLOCK_MALFORMED);
        writer_clear(&ids);
        free(proof);
        rows++;
    }
    assert_true(rows > 0);
    free(data);
}

static void test_mining_and_views(void **state)
{
    struct json_object *hashes, *block, *header, *coin, *proof;
    const char *hash;
    char *params, *text;
    int32_t height;
    (void)state;
    time_mock_set(0);
    hashes = rpc_ask(&bed, "generatetoaddress", "[3,\"" ADDRESS "\"]", NULL);
    assert_int_equal(json_object_array_length(hashes), 3);
    hash = json_object_get_string(json_object_array_get_idx(hashes, 2));
    height = chain_height(bed.bed.c);
    assert_rpc(&bed, "getbestblockhash", "[]", hash);
    params = xasprintf("[\"%s\",2]", hash);
    block = rpc_ask(&bed, "getblock", params, NULL);
    assert_int_equal(json_object_get_int(rpc_member(block, "height")), height);
    assert_int_equal(json_object_get_int(rpc_member(block, "confirmations")), 1);
    text =
        xasprintf("[\"%s\",0]", json_object_get_string(rpc_member(json_object_array_get_idx(rpc_member(block, "tx"), 0), "txid")));
    coin = rpc_ask(&bed, "gettxout", text, NULL);
    assert_string_equal(json_object_get_string(rpc_member(rpc_member(coin, "scriptPubKey"), "address")), ADDRESS);
    assert_string_equal(json_object_get_string(rpc_member(coin, "bestblock")), hash);
    free(text);
    text =
        xasprintf("[[\"%s\"]]", json_object_get_string(rpc_member(json_object_array_get_idx(rpc_member(block, "tx"), 0), "txid")));
    proof = rpc_ask(&bed, "gettxoutproof", text, NULL);
    free(text);
    text = xasprintf("[\"%s\"]", json_object_get_string(proof));
    free(params);
    params =
        xasprintf("[\"%s\"]", json_object_get_string(rpc_member(json_object_array_get_idx(rpc_member(block, "tx"), 0), "txid")));
    {
        char *got = rpc_ask_text(&bed, "verifytxoutproof", text);
        assert_string_equal(got, params);
        free(got);
    }
    free(text);
    free(params);
    params = xasprintf("[\"%s\"]", hash);
    rpc_ask(&bed, "invalidateblock", params, NULL);
    assert_int_equal(chain_height(bed.bed.c), height - 1);
    header = rpc_ask(&bed, "getblockheader", params, NULL);
    assert_int_equal(json_object_get_int(rpc_member(header, "confirmations")), -1);
    text = rpc_ask_text(&bed, "getchaintips", "[]");
    assert_non_null(strstr(text, "\"branchlen\":1,\"status\":\"invalid\""));
    assert_non_null(strstr(text, "\"branchlen\":0,\"status\":\"active\""));
    free(text);
    rpc_ask(&bed, "reconsiderblock", params, NULL);
    assert_rpc(&bed, "getbestblockhash", "[]", hash);
    assert_rpc(&bed, "verifychain", "[4,0]", "true");
    free(params);
    json_object_put(hashes);
    json_object_put(block);
    json_object_put(header);
    json_object_put(coin);
    json_object_put(proof);
}

static void test_generate(void **state)
{
    struct json_object *o;
    (void)state;
    rpc_refused(&bed, "generatetoaddress", "[1,\"x\"]", RPC_INVALID_ADDRESS_OR_KEY, "Error: Invalid address");
    rpc_refused(&bed, "generateblock", "[\"x\",[]]", RPC_INVALID_ADDRESS_OR_KEY, "Error: Invalid address or descriptor");
    rpc_refused(&bed, "generateblock", "[\"" ADDRESS "\",[\"00\"]]", RPC_DESERIALIZATION_ERROR,
                "Transaction decode failed for 00.");
    rpc_refused(&bed, "generateblock", "[\"" ADDRESS "\",[\"0000000000000000000000000000000000000000000000000000000000000000\"]]",
                RPC_INVALID_ADDRESS_OR_KEY,
                "Transaction 0000000000000000000000000000000000000000000000000000000000000000 not in mempool.");
    rpc_refused(
        &bed, "generatetodescriptor",
        "[1,\"pkh(tpubD6NzVbkrYhZ4XgiXtGrdW5XDAPFCL9h7we1vwNCpn8tGbBcgfVYjXyhWo4E1xkh56hjod1RhGjxbaTLV3X4FyWuejifB9jusQ46QzG87VKp/"
        "0/*)\"]",
        RPC_INVALID_PARAMETER, "Ranged descriptor not accepted. Maybe pass through deriveaddresses first?");
    rpc_refused(
        &bed, "generateblock",
        "[\"pkh(tpubD6NzVbkrYhZ4XgiXtGrdW5XDAPFCL9h7we1vwNCpn8tGbBcgfVYjXyhWo4E1xkh56hjod1RhGjxbaTLV3X4FyWuejifB9jusQ46QzG87VKp/0'/"
        "0)\",[]]",
        RPC_INVALID_ADDRESS_OR_KEY, "Cannot derive script without private keys");
    o = rpc_ask(&bed, "generateblock", "[\"raw(51)\",[],false]", NULL);
    assert_non_null(rpc_member(o, "hex"));
    json_object_put(o);
    o = rpc_ask(&bed, "generateblock", "[\"raw(51)\",[]]", NULL);
    assert_null(rpc_member(o, "hex"));
    json_object_put(o);
    o = rpc_ask(&bed, "scantxoutset", "[\"start\",[\"raw(51)#8lvh9jxk\"]]", NULL);
    assert_true(json_object_get_boolean(rpc_member(o, "success")));
    assert_int_equal(json_object_array_length(rpc_member(o, "unspents")), 1);
    json_object_put(o);
    rpc_refused(&bed, "scantxoutset", "[\"start\",[\"raw(51)#8lvh9jxx\"]]", RPC_INVALID_ADDRESS_OR_KEY,
                "Provided checksum '8lvh9jxx' does not match computed checksum '8lvh9jxk'");
}

static void test_submit(void **state)
{
    struct json_object *o;
    char *params, *text;
    (void)state;
    rpc_refused(&bed, "submitblock", "[\"00\"]", RPC_DESERIALIZATION_ERROR, "Block decode failed");
    rpc_refused(&bed, "submitheader", "[\"00\"]", RPC_DESERIALIZATION_ERROR, "Block header decode failed");
    o = rpc_ask(&bed, "generateblock", "[\"raw(51)\",[],false]", NULL);
    text = xstrdup(json_object_get_string(rpc_member(o, "hex")));
    params = xasprintf("[\"%s\"]", text);
    assert_rpc(&bed, "submitblock", params, "null");
    assert_rpc(&bed, "submitblock", params, "duplicate");
    free(params);
    memset(text + 2 * 4, '1', 64); /* another parent */
    params = xasprintf("[\"%s\"]", text);
    free(text);
    text = rpc_ask_text(&bed, "submitblock", params);
    assert_true(strcmp(text, "prev-blk-not-found") == 0 || strcmp(text, "high-hash") == 0);
    free(text);
    free(params);
    json_object_put(o);
    text = rpc_ask_text(&bed, "getblocktemplate", "[{\"rules\":[\"segwit\"]}]");
    assert_non_null(strstr(text, "\"default_witness_commitment\":\"6a24aa21a9ed"));
    free(text);
    rpc_refused(&bed, "getblocktemplate", "[{}]", RPC_INVALID_PARAMETER,
                "getblocktemplate must be called with the segwit rule set");
    rpc_refused(&bed, "getblocktemplate", "[{\"mode\":\"x\"}]", RPC_INVALID_PARAMETER, "Invalid mode");
}

static void test_raw_transactions(void **state)
{
    char *hex, *params, *text;
    (void)state;
    hex = rpc_ask_text(&bed, "createrawtransaction",
                       "[[{\"txid\":\"1111111111111111111111111111111111111111111111111111111111111111\",\"vout\":2}],[{\"" ADDRESS
                       "\":\"0.1\"},{\"data\":\"0102\"}],1]");
    assert_string_equal(hex, "02000000011111111111111111111111111111111111111111111111111111111111111111"
                             "0200000000fdffffff028096980000000000160014"
                             "87a87e0e17a80a2d2bd65c421a1090df8ed6cc9a0000000000000000046a02010201000000");
    params = xasprintf("[\"%s\"]", hex);
    text = rpc_ask_text(&bed, "decoderawtransaction", params);
    assert_non_null(strstr(text,
                           "\"vin\":[{\"txid\":\"1111111111111111111111111111111111111111111111111111111111111111\",\"vout\":2,"
                           "\"scriptSig\":{\"asm\":\"\",\"hex\":\"\"},\"sequence\":4294967293}]"));
    assert_non_null(strstr(text, "{\"value\":0.10000000,\"n\":0,\"scriptPubKey\":{\"asm\":\"0 "));
    free(text);
    rpc_refused(&bed, "sendrawtransaction", params, RPC_VERIFY_ERROR, "bad-txns-inputs-missingorspent");
    free(params);
    free(hex);
    rpc_refused(&bed, "sendrawtransaction", "[\"00\"]", RPC_DESERIALIZATION_ERROR, "TX decode failed.");
    rpc_refused(&bed, "createrawtransaction", "[[],{\"" ADDRESS "\":-1}]", RPC_TYPE_ERROR, "Amount out of range");
    rpc_refused(&bed, "createrawtransaction", "[[],{\"" ADDRESS "\":true}]", RPC_TYPE_ERROR, "Amount is not a number or string");
    rpc_refused(&bed, "createrawtransaction", "[[],{\"x\":1}]", RPC_INVALID_ADDRESS_OR_KEY, "Invalid Bitcoin address: x");
    assert_rpc(&bed, "getrawmempool", "[]", "[]");
    text = rpc_ask_text(&bed, "getmempoolinfo", "[]");
    assert_int_equal(strncmp(text, "{\"loaded\":true,\"size\":0,", 24), 0);
    free(text);
}

static void test_addresses(void **state)
{
    (void)state;
    assert_rpc(&bed, "validateaddress", "[\"" ADDRESS "\"]",
               "{\"isvalid\":true,\"address\":\"" ADDRESS
               "\",\"scriptPubKey\":\"001487a87e0e17a80a2d2bd65c421a1090df8ed6cc9a\",\"isscript\":false,"
               "\"iswitness\":true,\"witness_version\":0,\"witness_program\":\"87a87e0e17a80a2d2bd65c421a1090df8ed6cc9a\"}");
    assert_rpc(&bed, "validateaddress", "[\"bcrt1q049edschfnwystcqnsvyfpj23mpsg3jcedq9xv\"]",
               "{\"isvalid\":false,\"error_locations\":[9],\"error\":\"Invalid Bech32 checksum\"}");
    assert_rpc(&bed, "getdescriptorinfo", "[\"wpkh(02f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9)\"]",
               "{\"descriptor\":\"wpkh(02f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9)#8zl0zxma\",\"checksum\":"
               "\"8zl0zxma\","
               "\"isrange\":false,\"issolvable\":true,\"hasprivatekeys\":false}");
    rpc_refused(&bed, "deriveaddresses", "[\"addr(" ADDRESS ")\"]", RPC_INVALID_ADDRESS_OR_KEY, "Missing checksum");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_block_stats),      cmocka_unit_test(test_decode_script), cmocka_unit_test(test_proofs),
        cmocka_unit_test(test_mining_and_views), cmocka_unit_test(test_generate),      cmocka_unit_test(test_submit),
        cmocka_unit_test(test_raw_transactions), cmocka_unit_test(test_addresses),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
