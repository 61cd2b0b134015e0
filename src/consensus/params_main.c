/* params_main.c - mainnet: the network on which people trade goods and services. Facts only; read by params.c. */
#include "network.h"

#include "script/verify.h"

static const char *const seeds[] = {
    "dnsseed.bluematt.me.", "seed.bitcoin.jonasschnelli.ch.", "seed.btc.petertodd.net.",      "seed.bitcoin.sprovoost.nl.",
    "dnsseed.emzy.de.",     "seed.bitcoin.wiz.biz.",          "seed.mainnet.achownodes.xyz.", NULL,
};

const struct network network_main = {
    .id = CHAIN_MAIN,
    .name = "main",
    .folder = "",
    .magic = {0xf9, 0xbe, 0xb4, 0xd9},
    .port = 8333,
    .rpc_port = 8332,
    .address = {0, 5, 128, {0x04, 0x88, 0xb2, 0x1e}, {0x04, 0x88, 0xad, 0xe4}, "bc"},
    .genesis = {GENESIS_TEXT_2009, GENESIS_KEY_2009, "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f", 1231006505,
                2083236893, 0x1d00ffff},
    .halving_interval = 210000,
    .buried = {[DEPLOYMENT_BIP34] = 227931,
               [DEPLOYMENT_BIP66] = 363725,
               [DEPLOYMENT_BIP65] = 388381,
               [DEPLOYMENT_CSV] = 419328,
               [DEPLOYMENT_SEGWIT] = 481824},
    .bip34_hash = "000000000000024b89b42a942fe0d9fea3bb44ab7bd1b19115dd6a759c0808b8",
    .taproot_height = 709632,
    .min_bip9_warning_height = 711648, /* one period after taproot's activation */
    .bip9 = {[DEPLOYMENT_TESTDUMMY] = TESTDUMMY(BIP9_NEVER_ACTIVE, 1815, 2016)},
    .exceptions = {{"00000000000002dc756eebf4f49723ed8d30cc28a5f108eb94b1ba88ac4f9c22", SCRIPT_VERIFY_NONE}, /* breaks P2SH */
                   {"0000000000000000000f14c35b2d841e986ab5441de8c585d5ffe55ea1e395ad",                      /* breaks taproot */
                    SCRIPT_VERIFY_P2SH | SCRIPT_VERIFY_WITNESS}},
    .pow_limit = "00000000ffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    .pow_timespan = TWO_WEEKS,
    .min_chain_work = "0000000000000000000000000000000000000001128750f82f4c366153a3a030",
    .assume_valid = "00000000000000000000ccebd6d74d9194d8dcdc1d177c478e094bfad51ba5ac", /* height 938343 */
    .prune_after_height = 100000,
    .tx_rate = 5.40111006496122,
    .tx_known_time = 1772055173,
    .tx_known_count = 1315805869,
    .dns_seeds = seeds,
    .assumed = {{840000, "0000000000000000000320283a032748cef8227873ff4872689bf23f1cda83a5",
                 "a2a5521b1b5ab65f67818e5e8eccabb7171a517f9e2382208f77687310768f96", 991032194},
                {880000, "000000000000000000010b17283c3c400507969a9c2afd1dcf2082ec5cca2880",
                 "dbd190983eaf433ef7c15f78a278ae42c00ef52e0fd2a54953782175fbadcea9", 1145604538},
                {910000, "0000000000000000000108970acb9522ffd516eae17acddcb1bd16469194a821",
                 "4daf8a17b4902498c5787966a2b51c613acdab5df5db73f196fa59a4da2f1568", 1226586151},
                {935000, "0000000000000000000147034958af1652b2b91bba607beacc5e72a56f0fb5ee",
                 "e4b90ef9eae834f56c4b64d2d50143cee10ad87994c614d7d04125e2a6025050", 1305397408}},
    .assumed_blockchain_gb = 856,
    .assumed_chainstate_gb = 14,
    .presync_period = 641,
    .presync_buffer = 15218,
};
