/* params_regtest.c - private networks for tests: anybody finds a block at once. Facts only; read by params.c. */
#include "network.h"

static const char *const seeds[] = {"dummySeed.invalid.", NULL};

const struct network network_regtest = {
    .id = CHAIN_REGTEST,
    .name = "regtest",
    .folder = "regtest",
    .magic = {0xfa, 0xbf, 0xb5, 0xda},
    .port = 18444,
    .rpc_port = 18443,
    .address = TEST_ADDRESSES("bcrt"),
    .genesis = {GENESIS_TEXT_2009, GENESIS_KEY_2009, "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206", 1296688602,
                2, 0x207fffff},
    .halving_interval = 150,
    .buried =
        {[DEPLOYMENT_BIP34] = 1, [DEPLOYMENT_BIP66] = 1, [DEPLOYMENT_BIP65] = 1, [DEPLOYMENT_CSV] = 1, [DEPLOYMENT_SEGWIT] = 0},
    .bip9 = {[DEPLOYMENT_TESTDUMMY] = TESTDUMMY(0, 108, 144)},
    .pow_limit = "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    .pow_min_difficulty_blocks = true,
    .pow_no_retargeting = true,
    .pow_timespan = 24 * 60 * 60,
    .prune_after_height = 1000,
    .tx_rate = 0.001,
    .dns_seeds = seeds,
    /* The points that Core's own tests use. */
    .assumed = {{110, "135eec25a6fb277884e5824e7aa7d052c4868161c99a5122170b5266f86c273d",
                 "86e9a1205b418b16dde3a18a78c730e30137e28466bda5dbf6b33ab8fc05447c", 111},
                {200, "385901ccbd69dff6bbd00065d01fb8a9e464dede7cfe0372443884f9b1dcf6b9",
                 "17dcc016d188d16068907cdeb38b75691a118d43053b8cd6a25969419381d13a", 201},
                {299, "0c552ced4721c249a389eb9b08cb8da261cd46f0e7b5f9d064d48f3113406853",
                 "106b2c56233e378a824cf0d5ff2be42ed32c72f1605c9be288d00942908a40ac", 334}},
    .presync_period = 275,
    .presync_buffer = 7017,
};
