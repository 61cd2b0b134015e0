/* params.c - makes struct chain_params from a network's table, builds the genesis block, and applies the options that change
 * a copy's rules. Called at start, and by the library for each block; any thread. */
#include "consensus/params.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/sha256.h"
#include "network.h"
#include "primitives/serialize.h"
#include "script/script.h"
#include "util/assert.h"
#include "util/hex.h"
#include "util/mem.h"

static const struct network *network_of(enum chain_id id)
{
    static const struct network *const networks[] = {
        [CHAIN_MAIN] = &network_main,     [CHAIN_TESTNET3] = &network_testnet3, [CHAIN_TESTNET4] = &network_testnet4,
        [CHAIN_SIGNET] = &network_signet, [CHAIN_REGTEST] = &network_regtest,
    };
    ASSERT((size_t)id < ARRAY_LEN(networks));
    return networks[id];
}

/* A hash of a table; NULL is zero. A malformed one is a bug. */
static void table_hash(uint8_t out[32], const char *text)
{
    if (!text)
        memset(out, 0, 32);
    else
        ASSERT(hash_from_hex(out, text));
}

static struct u256 table_number(const char *text)
{
    struct u256 n = u256_from_u64(0);
    if (text)
        ASSERT(u256_from_hex(&n, text));
    return n;
}

/* The whole genesis block: a header and one coinbase that pays 50 coins to a key and quotes a newspaper. */
static void genesis_write(struct writer *w, const struct network *n)
{
    struct writer script = WRITER_INIT, tx = WRITER_INIT;
    struct block_header h = {.version = 1, .time = n->genesis.time, .bits = n->genesis.bits, .nonce = n->genesis.nonce};
    static const struct outpoint null_outpoint = {.n = OUTPOINT_NULL_N};
    static const uint8_t four = 4;
    uint8_t pubkey[65];
    size_t pubkey_len = strlen(n->genesis.pubkey) / 2;

    ASSERT(pubkey_len <= sizeof(pubkey) && hex_decode(pubkey, pubkey_len, n->genesis.pubkey));
    write_u32(&tx, 1);
    write_compact_size(&tx, 1);
    write_bytes(&tx, null_outpoint.txid.b, 32);
    write_u32(&tx, null_outpoint.n);
    script_write_int(&script, 0x1d00ffff);
    script_write_push(&script, &four, 1);
    script_write_push(&script, n->genesis.text, strlen(n->genesis.text));
    write_var_bytes(&tx, script.data, script.len);
    write_u32(&tx, SEQUENCE_FINAL);
    write_compact_size(&tx, 1);
    write_u64(&tx, 50 * (uint64_t)COIN);
    script.len = 0;
    script_write_push(&script, pubkey, pubkey_len);
    write_u8(&script, OP_CHECKSIG);
    write_var_bytes(&tx, script.data, script.len);
    write_u32(&tx, 0);

    sha256d(h.merkle_root.b, tx.data, tx.len); /* one transaction: its id is the root */
    block_header_encode(writer_extend(w, BLOCK_HEADER_SIZE), &h);
    write_compact_size(w, 1);
    write_bytes(w, tx.data, tx.len);
    writer_clear(&script);
    writer_clear(&tx);
}

static void genesis_init(struct chain_params *p, const struct network *n)
{
    struct writer w = WRITER_INIT;
    uint8_t known[32];
    genesis_write(&w, n);
    memcpy(p->genesis_header, w.data, BLOCK_HEADER_SIZE);
    sha256d(p->genesis_hash.b, w.data, BLOCK_HEADER_SIZE);
    writer_clear(&w);
    table_hash(known, n->genesis.hash);
    ASSERT(memcmp(known, p->genesis_hash.b, 32) == 0);
}

/* The magic of a signet is the first bytes of the hash of its challenge, as a length-prefixed string. */
static void signet_set(struct chain_params *p, const uint8_t *challenge, size_t len)
{
    struct writer w = WRITER_INIT;
    uint8_t hash[32];
    uint8_t *copy = xmemdup(challenge, len);
    write_var_bytes(&w, copy, len);
    sha256d(hash, w.data, w.len);
    memcpy(p->magic, hash, 4);
    writer_clear(&w);
    free(p->signet_challenge);
    p->signet_challenge = copy;
    p->signet_challenge_len = len;
    p->signet = true;
}

static void signet_init(struct chain_params *p, const char *challenge_hex)
{
    size_t len = strlen(challenge_hex) / 2;
    uint8_t *challenge = xmalloc(len);
    ASSERT(hex_decode(challenge, len, challenge_hex));
    signet_set(p, challenge, len);
    free(challenge);
}

static void points_init(struct chain_params *p, const struct network *n)
{
    p->assumed = xcalloc(NETWORK_ASSUMED_MAX, sizeof(*p->assumed));
    for (; p->n_assumed < NETWORK_ASSUMED_MAX && n->assumed[p->n_assumed].height; p->n_assumed++) {
        struct assumed_point *a = &p->assumed[p->n_assumed];
        a->height = n->assumed[p->n_assumed].height;
        a->chain_tx_count = n->assumed[p->n_assumed].chain_tx_count;
        table_hash(a->hash.b, n->assumed[p->n_assumed].hash);
        table_hash(a->hash_serialized.b, n->assumed[p->n_assumed].hash_serialized);
    }
    for (; p->n_exceptions < NETWORK_EXCEPTIONS_MAX && n->exceptions[p->n_exceptions].hash; p->n_exceptions++) {
        p->exceptions[p->n_exceptions].flags = n->exceptions[p->n_exceptions].flags;
        table_hash(p->exceptions[p->n_exceptions].hash.b, n->exceptions[p->n_exceptions].hash);
    }
}

void chain_params_init(struct chain_params *p, enum chain_id id)
{
    const struct network *n = network_of(id);
    *p = (struct chain_params){
        .id = id,
        .name = n->name,
        .folder = n->folder,
        .port = n->port,
        .rpc_port = n->rpc_port,
        .onion_port = (uint16_t)(n->port + 1),
        .address = n->address,
        .halving_interval = n->halving_interval,
        .taproot_height = n->taproot_height,
        .min_bip9_warning_height = n->min_bip9_warning_height,
        .pow_limit = table_number(n->pow_limit),
        .pow_min_difficulty_blocks = n->pow_min_difficulty_blocks,
        .pow_no_retargeting = n->pow_no_retargeting,
        .enforce_bip94 = n->enforce_bip94,
        .pow_spacing = 600,
        .pow_timespan = n->pow_timespan,
        .min_chain_work = table_number(n->min_chain_work),
        .require_standard = true,
        .mineable_by_rpc = n->pow_no_retargeting,
        .prune_after_height = n->prune_after_height,
        .tx_rate = n->tx_rate,
        .tx_known_time = n->tx_known_time,
        .tx_known_count = n->tx_known_count,
        .dns_seeds = n->dns_seeds,
        .assumed_blockchain_gb = n->assumed_blockchain_gb,
        .assumed_chainstate_gb = n->assumed_chainstate_gb,
        .presync_period = n->presync_period,
        .presync_buffer = n->presync_buffer,
    };
    memcpy(p->magic, n->magic, sizeof(p->magic));
    memcpy(p->buried, n->buried, sizeof(p->buried));
    memcpy(p->bip9, n->bip9, sizeof(p->bip9));
    table_hash(p->bip34_hash.b, n->bip34_hash);
    table_hash(p->assume_valid.b, n->assume_valid);
    points_init(p, n);
    genesis_init(p, n);
    if (n->signet_challenge)
        signet_init(p, n->signet_challenge);
}

void chain_params_clear(struct chain_params *p)
{
    free(p->signet_challenge);
    free(p->assumed);
    p->signet_challenge = NULL;
    p->signet_challenge_len = 0;
    p->assumed = NULL;
    p->n_assumed = 0;
}

bool chain_id_from_name(enum chain_id *out, const char *name)
{
    for (enum chain_id id = CHAIN_MAIN; id <= CHAIN_REGTEST; id++) {
        if (strcmp(name, network_of(id)->name) == 0) {
            *out = id;
            return true;
        }
    }
    return false;
}

struct block *chain_params_genesis(const struct chain_params *p)
{
    struct writer w = WRITER_INIT;
    struct block *b;
    genesis_write(&w, network_of(p->id));
    b = block_decode(w.data, w.len);
    ASSERT(b);
    return b;
}

void chain_params_set_signet_challenge(struct chain_params *p, const uint8_t *challenge, size_t len)
{
    static const char *const no_seeds[] = {NULL};
    signet_set(p, challenge, len);
    p->dns_seeds = no_seeds;
    p->min_chain_work = u256_from_u64(0);
    memset(&p->assume_valid, 0, sizeof(p->assume_valid));
    p->tx_rate = 0;
    p->tx_known_time = 0;
    p->tx_known_count = 0;
    p->assumed_blockchain_gb = 0;
    p->assumed_chainstate_gb = 0;
}

const char *buried_deployment_name(enum buried_deployment d)
{
    static const char *const names[DEPLOYMENT_BURIED_COUNT] = {
        [DEPLOYMENT_BIP34] = "bip34", [DEPLOYMENT_BIP66] = "bip66",   [DEPLOYMENT_BIP65] = "bip65",
        [DEPLOYMENT_CSV] = "csv",     [DEPLOYMENT_SEGWIT] = "segwit",
    };
    ASSERT((size_t)d < DEPLOYMENT_BURIED_COUNT);
    return names[d];
}

/* Decimal digits with an optional minus and nothing else, of len characters. */
static bool parse_int(int64_t *out, const char *text, size_t len)
{
    bool negative = len > 0 && text[0] == '-';
    uint64_t limit = (uint64_t)INT64_MAX + negative, v = 0;
    size_t i = negative;
    if (i == len)
        return false;
    for (; i < len; i++) {
        unsigned digit = (unsigned)(text[i] - '0');
        if (digit > 9 || v > (limit - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *out = negative ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}

bool chain_params_set_activation(struct chain_params *p, const char *arg, char **error)
{
    static const char *const option_names[DEPLOYMENT_BURIED_COUNT] = {
        [DEPLOYMENT_BIP34] = "bip34", [DEPLOYMENT_BIP66] = "dersig",  [DEPLOYMENT_BIP65] = "cltv",
        [DEPLOYMENT_CSV] = "csv",     [DEPLOYMENT_SEGWIT] = "segwit",
    };
    const char *at = strchr(arg, '@');
    int64_t height;
    if (!at) {
        *error = xasprintf("Invalid format (%s) for -testactivationheight=name@height.", arg);
        return false;
    }
    if (!parse_int(&height, at + 1, strlen(at + 1)) || height < 0 || height >= INT32_MAX) {
        *error = xasprintf("Invalid height value (%s) for -testactivationheight=name@height.", arg);
        return false;
    }
    for (unsigned d = 0; d < DEPLOYMENT_BURIED_COUNT; d++) {
        if (strlen(option_names[d]) == (size_t)(at - arg) && memcmp(option_names[d], arg, (size_t)(at - arg)) == 0) {
            p->buried[d] = (int32_t)height;
            return true;
        }
    }
    *error = xasprintf("Invalid name (%s) for -testactivationheight=name@height.", arg);
    return false;
}

bool chain_params_set_vbparams(struct chain_params *p, const char *arg, char **error)
{
    static const char *const field_names[] = {NULL, "nStartTime", "nTimeout", "min_activation_height"};
    const char *field[4];
    size_t len[4];
    int64_t number[4] = {0};
    unsigned n = 0;
    for (const char *s = arg;; s++) {
        size_t field_len = strcspn(s, ":");
        if (n < ARRAY_LEN(field)) {
            field[n] = s;
            len[n] = field_len;
        }
        n++;
        s += field_len;
        if (!*s)
            break;
    }
    if (n < 3 || n > 4) {
        *error = xstrdup("Version bits parameters malformed, expecting deployment:start:end[:min_activation_height]");
        return false;
    }
    for (unsigned i = 1; i < n; i++) {
        if (!parse_int(&number[i], field[i], len[i])) {
            *error = xasprintf("Invalid %s (%.*s)", field_names[i], (int)len[i], field[i]);
            return false;
        }
    }
    for (unsigned d = 0; d < DEPLOYMENT_BIP9_COUNT; d++) {
        struct bip9_deployment *dep = &p->bip9[d];
        if (strlen(dep->name) == len[0] && memcmp(dep->name, field[0], len[0]) == 0) {
            dep->start_time = number[1];
            dep->timeout = number[2];
            dep->min_activation_height = (int32_t)number[3];
            return true;
        }
    }
    *error = xasprintf("Invalid deployment (%.*s)", (int)len[0], field[0]);
    return false;
}
