/* test_params.c - the networks' constants: genesis blocks, Core's own list of parameters, and the options that change them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "block_tool.h"
#include "consensus/header.h"

static void test_genesis(void **state)
{
    static const char *const hashes[] = {
        [CHAIN_MAIN] = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f",
        [CHAIN_TESTNET3] = "000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943",
        [CHAIN_TESTNET4] = "00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043",
        [CHAIN_SIGNET] = "00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6",
        [CHAIN_REGTEST] = "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206",
    };
    static const char root_2009[] = "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b";
    static const char root_testnet4[] = "7aa0a7ae1e223414cb807e40cd57e667b718e42aaf9306db9102fe28912b7b4e";
    (void)state;
    for (enum chain_id id = CHAIN_MAIN; id <= CHAIN_REGTEST; id++) {
        struct chain_params p;
        struct verdict v;
        struct block *b;
        chain_params_init(&p, id);
        b = chain_params_genesis(&p);
        assert_string_equal(block_hash_hex(&b->hash).s, hashes[id]);
        assert_string_equal(block_hash_hex(&p.genesis_hash).s, hashes[id]);
        assert_string_equal(hash_to_hex(b->header.merkle_root.b).s, id == CHAIN_TESTNET4 ? root_testnet4 : root_2009);
        assert_memory_equal(b->raw, p.genesis_header, 80);
        assert_int_equal(b->tx[0].out[0].value, 50 * COIN);
        verdict_init(&v);
        assert_true(check_block(&p, b, true, true, &v));
        assert_true(check_block_context(&p, b, NULL, &v));
        block_unref(b);
        chain_params_clear(&p);
    }
}

static struct json_object *member(struct json_object *obj, const char *key)
{
    struct json_object *v = NULL;
    assert_true(json_object_object_get_ex(obj, key, &v));
    return v;
}

static void check_against_json(const struct chain_params *p, const char *path)
{
    struct json_object *json = vectors_json(path), *pow, *net, *seeds;
    char hex[300];
    if (!json)
        return;
    assert_string_equal(vectors_str(json, "chain"), p->name);
    assert_int_equal(json_object_get_boolean(member(json, "test_chain")), p->id != CHAIN_MAIN);
    hex_encode(hex, p->genesis_hash.b, 32);
    assert_string_equal(vectors_str(json, "genesis"), hex);
    assert_int_equal(json_object_get_int(member(json, "subsidy_halving_interval")), p->halving_interval);
    pow = member(json, "pow");
    assert_string_equal(vectors_str(pow, "limit"), u256_hex(p->pow_limit).s);
    if (vectors_str(pow, "mindiff_blocks")) { /* not shown for networks that never retarget */
        const char *rule = p->enforce_bip94 ? "bip94" : p->pow_min_difficulty_blocks ? "yes" : "no";
        assert_string_equal(vectors_str(pow, "mindiff_blocks"), rule);
        assert_int_equal(json_object_get_int(member(pow, "target_spacing")), p->pow_spacing);
        assert_int_equal(json_object_get_int(member(pow, "difficulty_retarget_interval")), chain_params_interval(p));
    } else {
        assert_true(p->pow_no_retargeting);
    }
    net = member(json, "net");
    assert_int_equal(json_object_get_int(member(net, "default_port")), p->port);
    hex_encode(hex, p->magic, 4);
    assert_string_equal(vectors_str(net, "magic"), hex);
    seeds = member(net, "dns_seeds");
    for (size_t i = 0; i < json_object_array_length(seeds); i++)
        assert_string_equal(json_object_get_string(json_object_array_get_idx(seeds, i)), p->dns_seeds[i]);
    assert_null(p->dns_seeds[json_object_array_length(seeds)]);
    assert_string_equal(vectors_str(member(json, "addresses"), "bech32_hrp"), p->address.bech32_hrp);
    if (p->signet) {
        hex_encode(hex, p->signet_challenge, p->signet_challenge_len);
        assert_string_equal(vectors_str(member(json, "signet"), "challenge"), hex);
    }
    json_object_put(json);
}

static void test_core_list(void **state)
{
    static const char *const files[] = {
        [CHAIN_MAIN] = "util/getchainparams-mainnet.json",      [CHAIN_TESTNET3] = "util/getchainparams-testnet.json",
        [CHAIN_TESTNET4] = "util/getchainparams-testnet4.json", [CHAIN_SIGNET] = "util/getchainparams-signet.json",
        [CHAIN_REGTEST] = "util/getchainparams-regtest.json",
    };
    uint8_t challenge[37];
    struct chain_params p;
    (void)state;
    for (enum chain_id id = CHAIN_MAIN; id <= CHAIN_REGTEST; id++) {
        chain_params_init(&p, id);
        check_against_json(&p, files[id]);
        chain_params_clear(&p);
    }
    chain_params_init(&p, CHAIN_SIGNET);
    assert_false(u256_is_zero(p.min_chain_work));
    assert_true(
        hex_decode(challenge, sizeof(challenge), "512102f7561d208dd9ae99bf497273e16f389bdbd6c4742ddb8e6b216e64fa2928ad8f51ae"));
    chain_params_set_signet_challenge(&p, challenge, sizeof(challenge));
    check_against_json(&p, "util/getchainparams-signet-custom.json");
    assert_true(u256_is_zero(p.min_chain_work) && hash_is_zero(p.assume_valid.b));
    chain_params_clear(&p);
}

static void test_names(void **state)
{
    static const char *const names[] = {"main", "test", "testnet4", "signet", "regtest"};
    static const uint16_t rpc_ports[] = {8332, 18332, 48332, 38332, 18443}, onion_ports[] = {8334, 18334, 48334, 38334, 18445};
    enum chain_id id;
    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        struct chain_params p;
        assert_true(chain_id_from_name(&id, names[i]));
        assert_int_equal(id, i);
        chain_params_init(&p, id);
        assert_int_equal(p.rpc_port, rpc_ports[i]);
        assert_int_equal(p.onion_port, onion_ports[i]);
        for (unsigned k = 1; k < p.n_assumed; k++)
            assert_true(p.assumed[k].height > p.assumed[k - 1].height);
        chain_params_clear(&p);
    }
    assert_false(chain_id_from_name(&id, "testnet3"));
    assert_string_equal(buried_deployment_name(DEPLOYMENT_BIP65), "bip65");
    assert_string_equal(buried_deployment_name(DEPLOYMENT_SEGWIT), "segwit");
}

static void expect_error(bool (*set)(struct chain_params *, const char *, char **), struct chain_params *p, const char *arg,
                         const char *text)
{
    char *error = NULL;
    assert_false(set(p, arg, &error));
    assert_string_equal(error, text);
    free(error);
}

static void test_activation_option(void **state)
{
    struct chain_params p;
    char *error = NULL;
    (void)state;
    chain_params_init(&p, CHAIN_REGTEST);
    assert_true(chain_params_set_activation(&p, "segwit@432", &error));
    assert_true(chain_params_set_activation(&p, "cltv@0", &error));
    assert_true(chain_params_set_activation(&p, "dersig@2147483646", &error));
    assert_int_equal(p.buried[DEPLOYMENT_SEGWIT], 432);
    assert_int_equal(p.buried[DEPLOYMENT_BIP65], 0);
    assert_int_equal(p.buried[DEPLOYMENT_BIP66], 2147483646);
    assert_int_equal(p.buried[DEPLOYMENT_CSV], 1);
    expect_error(chain_params_set_activation, &p, "csv", "Invalid format (csv) for -testactivationheight=name@height.");
    expect_error(chain_params_set_activation, &p, "csv@", "Invalid height value (csv@) for -testactivationheight=name@height.");
    expect_error(chain_params_set_activation, &p, "csv@-1", "Invalid height value (csv@-1) for -testactivationheight=name@height.");
    expect_error(chain_params_set_activation, &p, "csv@1x", "Invalid height value (csv@1x) for -testactivationheight=name@height.");
    expect_error(chain_params_set_activation, &p, "csv@2147483647",
                 "Invalid height value (csv@2147483647) for -testactivationheight=name@height.");
    expect_error(chain_params_set_activation, &p, "bip65@1", "Invalid name (bip65@1) for -testactivationheight=name@height.");
    chain_params_clear(&p);
}

static void test_vbparams_option(void **state)
{
    static const char malformed[] = "Version bits parameters malformed, expecting deployment:start:end[:min_activation_height]";
    struct chain_params p;
    char *error = NULL;
    (void)state;
    chain_params_init(&p, CHAIN_REGTEST);
    assert_true(chain_params_set_vbparams(&p, "testdummy:-2:9223372036854775807:300", &error));
    assert_true(p.bip9[0].start_time == BIP9_NEVER_ACTIVE && p.bip9[0].timeout == BIP9_NO_TIMEOUT);
    assert_int_equal(p.bip9[0].min_activation_height, 300);
    assert_true(chain_params_set_vbparams(&p, "testdummy:5:-9223372036854775808", &error));
    assert_true(p.bip9[0].start_time == 5 && p.bip9[0].timeout == INT64_MIN);
    assert_int_equal(p.bip9[0].min_activation_height, 0);
    assert_int_equal(p.bip9[0].threshold, 108);
    expect_error(chain_params_set_vbparams, &p, "testdummy:1", malformed);
    expect_error(chain_params_set_vbparams, &p, "testdummy:1:2:3:4", malformed);
    expect_error(chain_params_set_vbparams, &p, "testdummy:1:2:3:", malformed);
    expect_error(chain_params_set_vbparams, &p, "testdummy::2", "Invalid nStartTime ()");
    expect_error(chain_params_set_vbparams, &p, "testdummy:+1:2", "Invalid nStartTime (+1)");
    expect_error(chain_params_set_vbparams, &p, "testdummy:1:9223372036854775808", "Invalid nTimeout (9223372036854775808)");
    expect_error(chain_params_set_vbparams, &p, "testdummy:1:2:", "Invalid min_activation_height ()");
    expect_error(chain_params_set_vbparams, &p, "taproot:1:2", "Invalid deployment (taproot)");
    chain_params_clear(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_genesis),           cmocka_unit_test(test_core_list),       cmocka_unit_test(test_names),
        cmocka_unit_test(test_activation_option), cmocka_unit_test(test_vbparams_option),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
