/* header_check.c - the rules of a header at its place in the chain, and what a block's height decides: subsidy, buried
 * deployments, script flags. Called for every header and block; pure, any thread. */
#include <stdio.h>

#include "consensus/header.h"
#include "script/verify.h"

#define MAX_TIMEWARP_SECONDS 600 /* BIP94 */

bool check_block_version(const struct chain_params *p, int32_t version, int32_t height, struct verdict *v)
{
    char reason[32];
    if ((version >= 2 || height < p->buried[DEPLOYMENT_BIP34]) && (version >= 3 || height < p->buried[DEPLOYMENT_BIP66]) &&
        (version >= 4 || height < p->buried[DEPLOYMENT_BIP65]))
        return true;
    snprintf(reason, sizeof(reason), "bad-version(0x%08x)", (unsigned)version);
    return verdict_invalid(v, BLOCK_INVALID_HEADER, reason, "rejected nVersion=0x%08x block", (unsigned)version);
}

bool check_header_context(const struct chain_params *p, const struct block_header *h, const struct header_node *prev, int64_t now,
                          struct verdict *v)
{
    int32_t height = prev->height + 1;
    if (h->bits != next_work_required(p, prev, h->time))
        return verdict_invalid(v, BLOCK_INVALID_HEADER, "bad-diffbits", "incorrect proof of work");
    if ((int64_t)h->time <= header_node_mtp(prev))
        return verdict_invalid(v, BLOCK_INVALID_HEADER, "time-too-old", "block's timestamp is too early");
    if (p->enforce_bip94 && height % chain_params_interval(p) == 0 && (int64_t)h->time < (int64_t)prev->time - MAX_TIMEWARP_SECONDS)
        return verdict_invalid(v, BLOCK_INVALID_HEADER, "time-timewarp-attack",
                               "block's timestamp is too early on diff adjustment block");
    if ((int64_t)h->time > now + MAX_FUTURE_SECONDS)
        return verdict_invalid(v, BLOCK_TIME_FUTURE, "time-too-new", "block timestamp too far in the future");
    return check_block_version(p, h->version, height, v);
}

int64_t block_subsidy(const struct chain_params *p, int32_t height)
{
    int32_t halvings = height / p->halving_interval;
    return halvings < 64 ? (int64_t)((uint64_t)(50 * COIN) >> halvings) : 0;
}

bool deployment_active_after(const struct chain_params *p, const struct header_node *prev, enum buried_deployment d)
{
    return (prev ? prev->height + 1 : 0) >= p->buried[d];
}

uint32_t block_script_flags_at(const struct chain_params *p, int32_t height, const struct block_hash *hash)
{
    /* The soft forks that every block but the listed ones obeys are in force from the start; the others at their height. */
    static const struct {
        enum buried_deployment deployment;
        uint32_t flag;
    } buried[] = {{DEPLOYMENT_BIP66, SCRIPT_VERIFY_DERSIG},
                  {DEPLOYMENT_BIP65, SCRIPT_VERIFY_CHECKLOCKTIMEVERIFY},
                  {DEPLOYMENT_CSV, SCRIPT_VERIFY_CHECKSEQUENCEVERIFY},
                  {DEPLOYMENT_SEGWIT, SCRIPT_VERIFY_NULLDUMMY}};
    uint32_t flags = SCRIPT_VERIFY_P2SH | SCRIPT_VERIFY_WITNESS | SCRIPT_VERIFY_TAPROOT;
    for (unsigned i = 0; i < p->n_exceptions; i++) {
        if (block_hash_equal(&p->exceptions[i].hash, hash))
            flags = p->exceptions[i].flags;
    }
    for (unsigned i = 0; i < sizeof(buried) / sizeof(buried[0]); i++) {
        if (height >= p->buried[buried[i].deployment])
            flags |= buried[i].flag;
    }
    return flags;
}

uint32_t block_script_flags(const struct chain_params *p, const struct header_node *n)
{
    return block_script_flags_at(p, n->height, &n->hash);
}
