/* config.h - from command line and file to the settings that the node's parts take. Main thread, at start. */
#ifndef FARTHING_NODE_CONFIG_H
#define FARTHING_NODE_CONFIG_H

#include "consensus/params.h"
#include "mining/mining.h"
#include "policy/policy.h"
#include "util/confdir.h"
#include "util/version.h"

struct node_config {
    struct args *args;
    struct chain_params params;
    struct policy policy;
    struct mining_options mining;
    struct keyring signet_keys;                /* of -signetkey */
    uint8_t mining_script[ADDRESS_SCRIPT_MAX]; /* of -miningaddress */
    size_t mining_script_len;                  /* 0: none given */
    struct confdir dir;
    char *blocks_dir; /* .../blocks */
    char *index_dir;  /* .../blocks/index */
    char *coins_dir;  /* .../chainstate */
    char *log_path;   /* NULL: no log file */
    char *pid_path;   /* NULL: no pid file */
    size_t dbcache, mempool_bytes, sig_cache_bytes;
    unsigned script_threads;
    bool block_filter_index;
    struct block_hash assume_valid;
    struct u256 min_chain_work;
};

/** Reads the command line and the config file, and settles folders and network. Returns: false with *error (to free), Core's text. */
bool node_config_read(struct node_config *c, int argc, char **argv, char **error);
/** What comes before the datadir is touched: options in the wrong part of the file, the folder of the blocks. From here on a failure is one of a node that
 *  has begun to start (-shutdownnotify). Returns: false with *error. */
bool node_config_check(struct node_config *c, char **error);
/** Derives everything else (limits, fees, parameters) from the options. Returns: false with *error. */
bool node_config_apply(struct node_config *c, char **error);
/** -gen: how many threads are to mine; negative for one a processor. */
int64_t node_config_gen(const struct node_config *c);
void node_config_clear(struct node_config *c);

#endif
