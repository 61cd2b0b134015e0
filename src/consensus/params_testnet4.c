/* params_testnet4.c - the fourth public test network (BIP94): retargets from the first block of a period, and no timewarp.
 * Facts only; read by params.c. */
#include "network.h"

static const char *const seeds[] = {"seed.testnet4.bitcoin.sprovoost.nl.", "seed.testnet4.wiz.biz.", NULL};

const struct network network_testnet4 = {
    .id = CHAIN_TESTNET4,
    .name = "testnet4",
    .folder = "testnet4",
    .magic = {0x1c, 0x16, 0x3f, 0x28},
    .port = 48333,
    .rpc_port = 48332,
    .address = TEST_ADDRESSES("tb"),
    .genesis = {"03/May/2024 000000000000000000001ebd58c244970b3aa9d783bb001011fbe8ea8e98e00e",
                "000000000000000000000000000000000000000000000000000000000000000000",
                "00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043", 1714777860, 393743547, 0x1d00ffff},
    .halving_interval = 210000,
    .buried =
        {[DEPLOYMENT_BIP34] = 1, [DEPLOYMENT_BIP66] = 1, [DEPLOYMENT_BIP65] = 1, [DEPLOYMENT_CSV] = 1, [DEPLOYMENT_SEGWIT] = 1},
    .bip9 = {[DEPLOYMENT_TESTDUMMY] = TESTDUMMY(BIP9_NEVER_ACTIVE, 1512, 2016)},
    .pow_limit = "00000000ffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    .pow_min_difficulty_blocks = true,
    .enforce_bip94 = true,
    .pow_timespan = TWO_WEEKS,
    .min_chain_work = "0000000000000000000000000000000000000000000009a0fe15d0177d086304",
    .assume_valid = "0000000002368b1e4ee27e2e85676ae6f9f9e69579b29093e9a82c170bf7cf8a", /* height 123613 */
    .prune_after_height = 1000,
    .tx_rate = 0.01848579579528412,
    .tx_known_time = 1772013387,
    .tx_known_count = 14191421,
    .dns_seeds = seeds,
    .assumed = {{90000, "0000000002ebe8bcda020e0dd6ccfbdfac531d2f6a81457191b99fc2df2dbe3b",
                 "784fb5e98241de66fdd429f4392155c9e7db5c017148e66e8fdbc95746f8b9b5", 11347043},
                {120000, "000000000bd2317e51b3c5794981c35ba894ce27d3e772d5c39ecd9cbce01dc8",
                 "10b05d05ad468d0971162e1b222a4aa66caca89da2bb2a93f8f37fb29c4794b0", 14141057}},
    .assumed_blockchain_gb = 31,
    .assumed_chainstate_gb = 2,
    .presync_period = 606,
    .presync_buffer = 16092,
};
