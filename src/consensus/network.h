/* network.h - the constants of one network as they are written down in params_*.c: hashes as text, in display order.
 * params.c turns them into struct chain_params. Private to consensus. */
#ifndef FARTHING_CONSENSUS_NETWORK_H
#define FARTHING_CONSENSUS_NETWORK_H

#include "consensus/params.h"

#define NETWORK_EXCEPTIONS_MAX 2
#define NETWORK_ASSUMED_MAX 4
#define TWO_WEEKS (14 * 24 * 60 * 60)

struct network {
    enum chain_id id;
    const char *name;
    const char *folder;
    uint8_t magic[4]; /* zero: derived from the signet challenge */
    uint16_t port, rpc_port;
    struct address_prefixes address;
    struct {
        const char *text;   /* in the coinbase */
        const char *pubkey; /* hex; paid by P2PK */
        const char *hash;
        uint32_t time, nonce, bits;
    } genesis;
    int32_t halving_interval;
    int32_t buried[DEPLOYMENT_BURIED_COUNT];
    const char *bip34_hash; /* NULL: none */
    int32_t taproot_height;
    int32_t min_bip9_warning_height;
    struct bip9_deployment bip9[DEPLOYMENT_BIP9_COUNT];
    struct {
        const char *hash;
        uint32_t flags;
    } exceptions[NETWORK_EXCEPTIONS_MAX]; /* up to a NULL hash */
    const char *pow_limit;
    bool pow_min_difficulty_blocks, pow_no_retargeting, enforce_bip94;
    int64_t pow_timespan;
    const char *min_chain_work; /* NULL: none */
    const char *assume_valid;   /* NULL: none */
    const char *signet_challenge;
    uint64_t prune_after_height;
    double tx_rate;
    int64_t tx_known_time;
    uint64_t tx_known_count;
    const char *const *dns_seeds;
    struct {
        int32_t height;
        const char *hash;
        const char *hash_serialized;
        uint64_t chain_tx_count;
    } assumed[NETWORK_ASSUMED_MAX]; /* up to a height of 0 */
    uint64_t assumed_blockchain_gb, assumed_chainstate_gb;
    uint32_t presync_period, presync_buffer;
};

extern const struct network network_main, network_testnet3, network_testnet4, network_signet, network_regtest;

#define GENESIS_TEXT_2009 "The Times 03/Jan/2009 Chancellor on brink of second bailout for banks"
#define GENESIS_KEY_2009                                                                                                           \
    "04678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6b" \
    "f1"                                                                                                                           \
    "1d5f"
/* What the test networks share. */
#define TEST_ADDRESSES(hrp)                                                                                                        \
    {                                                                                                                              \
        111, 196, 239, {0x04, 0x35, 0x87, 0xcf}, {0x04, 0x35, 0x83, 0x94}, hrp                                                     \
    }
/* A deployment that no real network ever runs. */
#define TESTDUMMY(start, threshold_, period_)                                                                                      \
    {                                                                                                                              \
        "testdummy", 28, start, BIP9_NO_TIMEOUT, 0, period_, threshold_                                                            \
    }

#endif
