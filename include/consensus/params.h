/* params.h - the rules' constants for each network. Filled once at start (options may change a copy), read-only after; any thread. */
#ifndef FARTHING_CONSENSUS_PARAMS_H
#define FARTHING_CONSENSUS_PARAMS_H

#include "primitives/address.h"
#include "primitives/block.h"
#include "primitives/target.h"

enum chain_id { CHAIN_MAIN, CHAIN_TESTNET3, CHAIN_TESTNET4, CHAIN_SIGNET, CHAIN_REGTEST };

/* Deployments whose activation height is fixed (BIP90). */
enum buried_deployment {
    DEPLOYMENT_BIP34,
    DEPLOYMENT_BIP66,
    DEPLOYMENT_BIP65,
    DEPLOYMENT_CSV,
    DEPLOYMENT_SEGWIT,
    DEPLOYMENT_BURIED_COUNT
};
/* Deployments by version bits (BIP9). */
enum bip9_deployment_id { DEPLOYMENT_TESTDUMMY, DEPLOYMENT_BIP9_COUNT };

#define BIP9_ALWAYS_ACTIVE (-1)
#define BIP9_NEVER_ACTIVE (-2)
#define BIP9_NO_TIMEOUT INT64_MAX

struct bip9_deployment {
    const char *name; /* as in getdeploymentinfo and -vbparams */
    int bit;
    int64_t start_time; /* median time past, or one of BIP9_... */
    int64_t timeout;
    int32_t min_activation_height;
    uint32_t period;
    uint32_t threshold;
};

struct flag_exception { /* a block to which fewer script flags apply */
    struct block_hash hash;
    uint32_t flags;
};

struct assumed_point { /* snapshots (loadtxoutset) that are known */
    int32_t height;
    struct block_hash hash;
    struct hash256 hash_serialized;
    uint64_t chain_tx_count;
};

struct chain_params {
    enum chain_id id;
    const char *name;   /* "main", "test", "testnet4", "signet", "regtest": -chain, getblockchaininfo, config sections */
    const char *folder; /* below the datadir: "", "testnet3", "testnet4", "signet", "regtest" */
    uint8_t magic[4];
    uint16_t port, rpc_port, onion_port;
    struct address_prefixes address;

    struct block_hash genesis_hash;
    uint8_t genesis_header[BLOCK_HEADER_SIZE];
    int32_t halving_interval;
    int32_t buried[DEPLOYMENT_BURIED_COUNT]; /* activation heights */
    struct block_hash bip34_hash;            /* block at the BIP34 height: BIP30 need not be checked above it; zero if none */
    int32_t taproot_height; /* where BIP341 activated, 0 if always active; for display: its rules hold for every block */
    int32_t min_bip9_warning_height;
    struct bip9_deployment bip9[DEPLOYMENT_BIP9_COUNT];
    struct flag_exception exceptions[2];
    unsigned n_exceptions;

    struct u256 pow_limit;
    bool pow_min_difficulty_blocks;    /* testnets: 20-minute rule */
    bool pow_no_retargeting;           /* regtest */
    bool enforce_bip94;                /* testnet4: retarget from the period's first block, timewarp rule */
    int64_t pow_spacing, pow_timespan; /* seconds */
    struct u256 min_chain_work;
    struct block_hash assume_valid; /* zero for none */

    bool signet;
    uint8_t *signet_challenge; /* owned by the copy */
    size_t signet_challenge_len;

    bool require_standard; /* default of -acceptnonstdtxn is its negation */
    bool mineable_by_rpc;  /* regtest: generate is meant to be used */
    uint64_t prune_after_height;
    double tx_rate; /* for the progress estimate: transactions a second after the known point */
    int64_t tx_known_time;
    uint64_t tx_known_count;
    const char *const *dns_seeds;  /* NULL-terminated; names end in a dot */
    struct assumed_point *assumed; /* owned by the copy, ascending heights */
    unsigned n_assumed;
    uint32_t presync_period; /* header presync: distance of commitments, in headers */
    uint32_t presync_buffer; /* header presync: headers held back in the second pass */
    uint64_t assumed_blockchain_gb, assumed_chainstate_gb;
};

/** Fills p with a network's constants. Out: p (chain_params_clear frees what it owns). */
void chain_params_init(struct chain_params *p, enum chain_id id);
/** Frees what p owns. */
void chain_params_clear(struct chain_params *p);
/** "main", "test", ... Returns: false if unknown. */
bool chain_id_from_name(enum chain_id *out, const char *name);
/** -signetchallenge: replaces challenge, magic and what follows from them (no seeds, no minimum work). */
void chain_params_set_signet_challenge(struct chain_params *p, const uint8_t *challenge, size_t len);
/** -testactivationheight=name@height; names: segwit, bip34, dersig, cltv, csv. Returns: false with Core's message in *error (to free). */
bool chain_params_set_activation(struct chain_params *p, const char *arg, char **error);
/** -vbparams=deployment:start:end[:min_activation_height]. Returns: as above. */
bool chain_params_set_vbparams(struct chain_params *p, const char *arg, char **error);
/** The genesis block as a block, one reference. */
struct block *chain_params_genesis(const struct chain_params *p);
/** The name as getdeploymentinfo shows it: "bip34", "bip66", "bip65", "csv", "segwit". */
const char *buried_deployment_name(enum buried_deployment d);
/** Blocks between two retargets. */
static inline int32_t chain_params_interval(const struct chain_params *p)
{
    return (int32_t)(p->pow_timespan / p->pow_spacing);
}

#endif
