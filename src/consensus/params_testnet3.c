/* params_testnet3.c - the third public test network, with its 20-minute rule. Facts only; read by params.c. */
#include "network.h"

#include "script/verify.h"

static const char *const seeds[] = {
    "testnet-seed.bitcoin.jonasschnelli.ch.",
    "seed.tbtc.petertodd.net.",
    "testnet-seed.bluematt.me.",
    "seed.testnet.achownodes.xyz.",
    NULL,
};

const struct network network_testnet3 = {
    .id = CHAIN_TESTNET3,
    .name = "test",
    .folder = "testnet3",
    .magic = {0x0b, 0x11, 0x09, 0x07},
    .port = 18333,
    .rpc_port = 18332,
    .address = TEST_ADDRESSES("tb"),
    .genesis = {GENESIS_TEXT_2009, GENESIS_KEY_2009, "000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943", 1296688602,
                414098458, 0x1d00ffff},
    .halving_interval = 210000,
    .buried = {[DEPLOYMENT_BIP34] = 21111,
               [DEPLOYMENT_BIP66] = 330776,
               [DEPLOYMENT_BIP65] = 581885,
               [DEPLOYMENT_CSV] = 770112,
               [DEPLOYMENT_SEGWIT] = 834624},
    .bip34_hash = "0000000023b3a96d3484e5abb3755c413e7d41500f8e2a5c3f0dd01299cd8ef8",
    .taproot_height = 2011968,
    .min_bip9_warning_height = 2013984, /* one period after taproot's activation */
    .bip9 = {[DEPLOYMENT_TESTDUMMY] = TESTDUMMY(BIP9_NEVER_ACTIVE, 1512, 2016)},
    .exceptions = {{"00000000dd30457c001f4095d208cc1296b0eed002427aa599874af7a432b105", SCRIPT_VERIFY_NONE}}, /* breaks P2SH */
    .pow_limit = "00000000ffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    .pow_min_difficulty_blocks = true,
    .pow_timespan = TWO_WEEKS,
    .min_chain_work = "0000000000000000000000000000000000000000000017dde1c649f3708d14b6",
    .assume_valid = "000000007a61e4230b28ac5cb6b5e5a0130de37ac1faf2f8987d2fa6505b67f4", /* height 4842348 */
    .prune_after_height = 1000,
    .tx_rate = 0.02691479016257117,
    .tx_known_time = 1772051651,
    .tx_known_count = 536108416,
    .dns_seeds = seeds,
    .assumed = {{2500000, "0000000000000093bcb68c03a9a168ae252572d348a2eaeba2cdf9231d73206f",
                 "f841584909f68e47897952345234e37fcd9128cd818f41ee6c3ca68db8071be7", 66484552},
                {4840000, "00000000000000f4971a7fb37fbdff89315b69a2e1920c467654a382f0d64786",
                 "ce6bb677bb2ee9789c4a1c9d73e6683c53fc20e8fdbedbdaaf468982a0c8db2a", 536078574}},
    .assumed_blockchain_gb = 245,
    .assumed_chainstate_gb = 19,
    .presync_period = 673,
    .presync_buffer = 14460,
};
