/* settings.c - limits, fees and parameters out of the options, with Core's ranges and error texts. Called by main once, after the log is open. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/hash.h"
#include "electrum/electrum.h"
#include "node/config.h"
#include "primitives/amount.h"
#include "util/hex.h"
#include "util/log.h"
#include "util/mem.h"

#define MIB ((int64_t)1 << 20)
#define MAX_SCRIPT_THREADS 15
#define MIN_PRUNE_MIB 550
#define MAX_MEMPOOL_MB 1000000 /* no more than fits */

static bool fail(char **error, char *text_take)
{
    *error = text_take;
    return false;
}

/* An amount option in BTC/kvB. */
static bool fee_option(const struct args *a, const char *name, int64_t *rate, char **error)
{
    const char *text = args_str(a, name, NULL);
    if (text && (!amount_parse(rate, text) || !money_in_range(*rate)))
        return fail(error, xasprintf("Invalid amount for -%s=<amount>: '%s'", name, text));
    return true;
}

static bool apply_policy(struct node_config *c, char **error)
{
    const struct args *a = c->args;
    struct policy *p = &c->policy;

    policy_init(p, &c->params);
    if (!fee_option(a, "incrementalrelayfee", &p->incremental_fee_rate, error) ||
        !fee_option(a, "minrelaytxfee", &p->min_relay_fee_rate, error) || !fee_option(a, "dustrelayfee", &p->dust_fee_rate, error))
        return false;
    if (!args_is_set(a, "minrelaytxfee") && p->min_relay_fee_rate < p->incremental_fee_rate)
        p->min_relay_fee_rate = p->incremental_fee_rate;
    p->require_standard = !args_bool(a, "acceptnonstdtxn", !c->params.require_standard);
    if (c->params.require_standard && !p->require_standard && c->params.id == CHAIN_MAIN)
        return fail(error, xasprintf("acceptnonstdtxn is not currently supported for %s chain", c->params.name));
    p->bytes_per_sigop = (unsigned)args_int(a, "bytespersigop", p->bytes_per_sigop);
    p->permit_bare_multisig = args_bool(a, "permitbaremultisig", p->permit_bare_multisig);
    p->max_datacarrier = args_bool(a, "datacarrier", true) ? args_int(a, "datacarriersize", p->max_datacarrier) : -1;
    p->max_ancestors = (unsigned)args_int(a, "limitancestorcount", p->max_ancestors);
    p->max_descendants = (unsigned)args_int(a, "limitdescendantcount", p->max_descendants);
    p->cluster_count = (unsigned)args_int(a, "limitclustercount", p->cluster_count);
    p->cluster_vsize = args_is_set(a, "limitclustersize") ? args_int(a, "limitclustersize", 101) * 1000 : p->cluster_vsize;
    if (p->cluster_count > 64)
        return fail(error, xasprintf("limitclustercount must be less than or equal to %d", 64));
    return true;
}

int64_t node_config_gen(const struct node_config *c)
{
    return args_is_set(c->args, "gen") && !*args_str(c->args, "gen", "") ? 1 : args_int(c->args, "gen", 0);
}

/* Whom the node's own miner pays. */
static bool apply_miner(struct node_config *c, char **error)
{
    const char *address = args_str(c->args, "miningaddress", "");
    struct address_error why;

    if (*address && !address_decode(c->mining_script, &c->mining_script_len, &why, address, &c->params.address))
        return fail(error, xasprintf("Invalid -miningaddress (%s): %s", address, why.text));
    if (node_config_gen(c) == 0)
        return true;
    if (c->params.signet)
        return fail(error, xstrdup("-gen is not possible on a signet, whose blocks need a signature"));
    return *address || fail(error, xstrdup("-gen needs an address to mine to (-miningaddress)"));
}

/* The keys are never shown, not even wrong ones. */
static bool apply_signet_keys(struct node_config *c, char **error)
{
    const char *const *values;
    size_t n = args_list(c->args, "signetkey", &values);
    uint8_t secret[32];
    bool compressed, ok;

    if (n && !c->params.signet)
        return fail(error, xstrdup("-signetkey needs a signet (-signet, -signetchallenge)"));
    for (size_t i = 0; i < n; i++) {
        ok = wif_decode(secret, &compressed, values[i], &c->params.address) && keyring_add_key(&c->signet_keys, secret, compressed);
        crypto_wipe(secret, sizeof(secret));
        if (!ok)
            return fail(error, xstrdup("Invalid -signetkey: no private key of this network"));
    }
    c->mining.signet_keys = n ? &c->signet_keys : NULL;
    return true;
}

static bool apply_mining(struct node_config *c, char **error)
{
    struct mining_options *m = &c->mining;

    m->max_weight = args_int(c->args, "blockmaxweight", MAX_BLOCK_WEIGHT);
    m->reserved_weight = args_int(c->args, "blockreservedweight", 8000);
    m->min_fee_rate = 1;
    m->print_fees = args_bool(c->args, "printpriority", false);
    m->version = c->params.id == CHAIN_REGTEST ? (int32_t)args_int(c->args, "blockversion", 0) : 0;
    if (!fee_option(c->args, "blockmintxfee", &m->min_fee_rate, error))
        return false;
    if (m->reserved_weight < 2000)
        return fail(error, xasprintf("-blockreservedweight (%lld) is lower than minimum safety value of (%d)",
                                     (long long)m->reserved_weight, 2000));
    if (m->reserved_weight > MAX_BLOCK_WEIGHT)
        return fail(error, xasprintf("-blockreservedweight (%lld) exceeds consensus maximum block weight (%d)",
                                     (long long)m->reserved_weight, MAX_BLOCK_WEIGHT));
    if (m->max_weight > MAX_BLOCK_WEIGHT)
        return fail(error, xasprintf("-blockmaxweight (%lld) exceeds consensus maximum block weight (%d)", (long long)m->max_weight,
                                     MAX_BLOCK_WEIGHT));
    if (m->reserved_weight > m->max_weight)
        return fail(error, xasprintf("-blockreservedweight (%lld) exceeds -blockmaxweight (%lld)", (long long)m->reserved_weight,
                                     (long long)m->max_weight));
    return apply_miner(c, error) && apply_signet_keys(c, error);
}

/* Core's UintHash: hex digits, shorter than 64 means leading zeroes. */
static bool number_from_hex(uint8_t out[32], const char *text)
{
    char padded[65];
    size_t len;

    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
        text += 2;
    len = strlen(text);
    if (len > 64)
        return false;
    memset(padded, '0', 64 - len);
    memcpy(padded + 64 - len, text, len + 1);
    return hash_from_hex(out, padded);
}

static bool apply_chain_points(struct node_config *c, char **error)
{
    const char *text = args_str(c->args, "assumevalid", NULL);

    c->assume_valid = c->params.assume_valid;
    if (args_is_negated(c->args, "assumevalid"))
        memset(&c->assume_valid, 0, sizeof(c->assume_valid));
    else if (text && !number_from_hex(c->assume_valid.b, text))
        return fail(
            error, xasprintf("Invalid assumevalid block hash specified (%s), must be up to 64 hex digits (or 0 to disable)", text));
    text = args_str(c->args, "minimumchainwork", NULL);
    c->min_chain_work = c->params.min_chain_work;
    if (text) {
        uint8_t le[32];
        if (!number_from_hex(le, text))
            return fail(error, xasprintf("Invalid minimum work specified (%s), must be up to 64 hex digits", text));
        c->min_chain_work = u256_from_le(le);
    }
    return true;
}

static bool apply_test_params(struct node_config *c, char **error)
{
    const char *const *values;
    const char *challenge = args_str(c->args, "signetchallenge", NULL);
    size_t n = args_list(c->args, "signetchallenge", &values);

    if (n > 1)
        return fail(error, xstrdup("-signetchallenge cannot be multiple values."));
    if (challenge && c->params.signet) {
        size_t len = strlen(challenge) / 2;
        uint8_t *script = xmalloc(len + 1);
        bool ok = hex_is_valid(challenge) && hex_decode(script, len, challenge);
        if (ok)
            chain_params_set_signet_challenge(&c->params, script, len);
        free(script);
        if (!ok)
            return fail(error, xasprintf("-signetchallenge must be hex, not '%s'.", challenge));
    }
    if (c->params.id != CHAIN_REGTEST)
        return true;
    n = args_list(c->args, "test", &values);
    for (size_t i = 0; i < n; i++)
        c->params.enforce_bip94 |= strcmp(values[i], "bip94") == 0;
    n = args_list(c->args, "testactivationheight", &values);
    for (size_t i = 0; i < n; i++)
        if (!chain_params_set_activation(&c->params, values[i], error))
            return false;
    n = args_list(c->args, "vbparams", &values);
    for (size_t i = 0; i < n; i++)
        if (!chain_params_set_vbparams(&c->params, values[i], error))
            return false;
    return true;
}

static void apply_limits(struct node_config *c)
{
    int64_t ram = (int64_t)sysconf(_SC_PHYS_PAGES) * (int64_t)sysconf(_SC_PAGE_SIZE);
    int64_t cores = sysconf(_SC_NPROCESSORS_ONLN);
    int64_t dbcache = args_int(c->args, "dbcache", ram >= 4096 * MIB ? 1024 : 450);
    int64_t par = args_int(c->args, "par", 0);
    int64_t mempool = args_int(c->args, "maxmempool", 300);
    int64_t cache = args_int(c->args, "maxsigcachesize", 32);

    c->dbcache = (size_t)((dbcache < 4 ? 4 : dbcache > 1048576 ? 1048576 : dbcache) * MIB);
    c->mempool_bytes = (size_t)(mempool < 1 ? 1 : mempool > MAX_MEMPOOL_MB ? MAX_MEMPOOL_MB : mempool) * 1000000;
    c->sig_cache_bytes = (size_t)((cache < 0 ? 0 : cache > 4096 ? 4096 : cache) * MIB);
    if (par <= 0)
        par += cores;
    par = par < 1 ? 0 : par - 1; /* the validation thread is one of them */
    c->script_threads = (unsigned)(par > MAX_SCRIPT_THREADS ? MAX_SCRIPT_THREADS : par);
}

/* What is too small to work with; the mempool must hold a few of its largest clusters. */
static bool check_limits(const struct node_config *c, char **error)
{
    int64_t mempool = args_int(c->args, "maxmempool", 300), least = (c->policy.cluster_vsize * 40 + 999999) / 1000000;
    int64_t prune = args_int(c->args, "prune", 0);

    if (mempool < 0 || (mempool > 0 && mempool < least))
        return fail(error, xasprintf("-maxmempool must be at least %lld MB", (long long)least));
    if (c->params.id != CHAIN_REGTEST && args_bool(c->args, "acceptstalefeeestimates", false) &&
        !args_bool(c->args, "blocksonly", false))
        return fail(error, xasprintf("acceptstalefeeestimates is not supported on %s chain.", c->dir.network->name));
    if (prune < 0)
        return fail(error, xstrdup("Prune cannot be configured with a negative value."));
    if (prune > 1 && prune < MIN_PRUNE_MIB)
        return fail(error, xasprintf("Prune configured below the minimum of %d MiB.  Please use a higher number.", MIN_PRUNE_MIB));
    if (prune && args_bool(c->args, "txindex", false))
        return fail(error, xstrdup("Prune mode is incompatible with -txindex."));
    if (prune && args_bool(c->args, "txospenderindex", false))
        return fail(error, xstrdup("Prune mode is incompatible with -txospenderindex."));
    if (prune && args_bool(c->args, "reindex-chainstate", false))
        return fail(error, xstrdup("Prune mode is incompatible with -reindex-chainstate. Use full -reindex instead."));
    if (prune && electrum_wanted(c->args))
        return fail(error, xstrdup("Prune mode is incompatible with -electrum and -electrumtls, which show old blocks."));
    return true;
}

/* "basic" is the one type; without a value, or with 1, all types are meant. */
static bool apply_indexes(struct node_config *c, char **error)
{
    const char *text = args_str(c->args, "blockfilterindex", "0");
    const char *const *values;
    size_t n;

    c->block_filter_index = strcmp(text, "0") != 0;
    if (!*text || strcmp(text, "0") == 0 || strcmp(text, "1") == 0)
        return true;
    n = args_list(c->args, "blockfilterindex", &values);
    for (size_t i = 0; i < n; i++)
        if (strcmp(values[i], "basic") != 0)
            return fail(error, xasprintf("Unknown -blockfilterindex value %s.", values[i]));
    return true;
}

bool node_config_apply(struct node_config *c, char **error)
{
    apply_limits(c);
    return apply_test_params(c, error) && apply_chain_points(c, error) && apply_policy(c, error) && check_limits(c, error) &&
           apply_mining(c, error) && apply_indexes(c, error);
}
