/* params_signet.c - the default signet, whose blocks carry a signature (BIP325). With another challenge it is another network
 * that shares these rules and the genesis block. Facts only; read by params.c. */
#include "network.h"

static const char *const seeds[] = {"seed.signet.bitcoin.sprovoost.nl.", "seed.signet.achownodes.xyz.", NULL};

const struct network network_signet = {
    .id = CHAIN_SIGNET,
    .name = "signet",
    .folder = "signet",
    .port = 38333,
    .rpc_port = 38332,
    .address = TEST_ADDRESSES("tb"),
    .genesis = {GENESIS_TEXT_2009, GENESIS_KEY_2009, "00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6", 1598918400,
                52613770, 0x1e0377ae},
    .halving_interval = 210000,
    .buried =
        {[DEPLOYMENT_BIP34] = 1, [DEPLOYMENT_BIP66] = 1, [DEPLOYMENT_BIP65] = 1, [DEPLOYMENT_CSV] = 1, [DEPLOYMENT_SEGWIT] = 1},
    .bip9 = {[DEPLOYMENT_TESTDUMMY] = TESTDUMMY(BIP9_NEVER_ACTIVE, 1815, 2016)},
    .pow_limit = "00000377ae000000000000000000000000000000000000000000000000000000",
    .pow_timespan = TWO_WEEKS,
    .min_chain_work = "00000000000000000000000000000000000000000000000000000b463ea0a4b8",
    .assume_valid = "00000008414aab61092ef93f1aacc54cf9e9f16af29ddad493b908a01ff5c329", /* height 293175 */
    .signet_challenge =
        "512103ad5e0edad18cb1f0fc0d28a3d4f1f3e445640337489abb10404f2d1e086be430210359ef5021964fe22d6f8e05b2463c9540ce9688"
        "3fe3b278760f048f5189f2e6c452ae",
    .prune_after_height = 1000,
    .tx_rate = 0.06736623436338929,
    .tx_known_time = 1772055248,
    .tx_known_count = 28676833,
    .dns_seeds = seeds,
    .assumed = {{160000, "0000003ca3c99aff040f2563c2ad8f8ec88bd0fd6b8f0895cfaf1ef90353a62c",
                 "fe0a44309b74d6b5883d246cb419c6221bcccf0b308c9b59b7d70783dbdf928a", 2289496},
                {290000, "0000000577f2741bb30cd9d39d6d71b023afbeb9764f6260786a97969d5c9ac0",
                 "97267e000b4b876800167e71b9123f1529d13b14308abec2888bbd2160d14545", 28547497}},
    .assumed_blockchain_gb = 24,
    .assumed_chainstate_gb = 4,
    .presync_period = 620,
    .presync_buffer = 15724,
};
