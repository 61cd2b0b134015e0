/* process.c - the front door for blocks: accept, connect, and tell the submitter in order. Validation thread. */
#include "chain/internal.h"

#include "util/assert.h"
#include "util/time.h"

static void submit(struct chain *c, struct block *b, const struct block_precheck *pre, bool requested, bool min_pow_checked,
                   struct ticket *t)
{
    struct block_entry *e;
    struct verdict v;
    bool ok;

    verdict_init(&v);
    /* A block that fails by itself is refused before its header is taken: its hash is not marked, in case the data were not
     * the block's after all. */
    ok = pre->verdict.kind == VERDICT_VALID;
    if (ok)
        ok = accept_block(c, b, pre, requested, min_pow_checked, NULL, &e, &t->is_new, &v);
    else
        v = pre->verdict;
    if (!ok) {
        /* In this order: who sees the peer disconnected finds the reason in the log. */
        log_error("ProcessNewBlock: AcceptBlock FAILED (%s%s%s)", v.reason, v.debug[0] ? ", " : "", v.debug);
        judge(c, &b->hash, &v);
        return;
    }
    notify_header_tip(c);
    if (c->check_for_pruning && c->o.prune_target > 1)
        flush_state(c, FLUSH_NONE, 0);
    if (activate(c, b) != RC_OK)
        verdict_internal(&t->verdict, "ActivateBestChain failed");
    /* A test that lets the process crash has to know in which call: nothing is left for the next idle moment. */
    else if (c->o.coins.crash_ratio)
        flush_state(c, FLUSH_PERIODIC, 0);
}

void chain_process_checked_block(struct chain *c, struct block *b, const struct block_precheck *pre, bool requested,
                                 bool min_pow_checked, chain_block_done done, void *arg)
{
    struct ticket t = {.done = done, .arg = arg, .hash = b->hash};

    ASSERT(!c->in_event && !c->current);
    verdict_init(&t.verdict);
    c->current = &t;
    if (c->broken)
        verdict_internal(&t.verdict, "shutting down after an error");
    else if (chain_reindexing(c))
        verdict_internal(&t.verdict, "reindexing"); /* the end of the block files is not known yet: nothing can be stored */
    else
        submit(c, b, pre, requested, min_pow_checked, &t);
    c->current = NULL;
    pipeline_push_ticket(c, &t);
    if (!c->first)
        check_index(c);
}

void chain_process_block(struct chain *c, struct block *b, bool requested, bool min_pow_checked, chain_block_done done, void *arg)
{
    struct block_precheck pre = {0};

    check_block(c->params, b, true, true, &pre.verdict);
    chain_process_checked_block(c, b, &pre, requested, min_pow_checked, done, arg);
}

bool chain_settled(const struct chain *c)
{
    return !c->first;
}

void chain_drain(struct chain *c)
{
    uint64_t failures;

    if (c->in_event)
        return;
    do {
        failures = c->failures;
        if (pipeline_advance(c, true) != RC_OK)
            return;
        if (failures != c->failures && activate(c, NULL) != RC_OK)
            return;
    } while (c->first || failures != c->failures);
    end_step(c);
    if (flush_wanted(c))
        flush_state(c, FLUSH_IF_NEEDED, 0);
    check_index(c);
}

bool chain_test_block(struct chain *c, struct block *b, bool check_pow, bool check_merkle, struct verdict *v)
{
    const struct block_entry *tip;
    struct inflight *p;
    struct header_node node;
    struct coins *view;
    uint32_t flags;
    enum connect_result r;

    chain_drain(c);
    verdict_init(v);
    tip = tip_of(c);
    if (!block_hash_equal(&b->header.prev, &tip->node.hash))
        return verdict_invalid(v, CODE_NONE, "inconclusive-not-best-prevblk", NULL);
    if (!check_block(c->params, b, check_pow, check_merkle, v) ||
        !check_header_context(c->params, &b->header, &tip->node, time_now(), v) ||
        !check_block_context(c->params, b, &tip->node, v))
        return false;
    header_node_init(&node, &b->header, &b->hash, &tip->node);
    flags = block_script_flags(c->params, &node);
    view = coins_new(NULL, c->coins);
    p = inflight_new(c);
    p->block = block_ref(b);
    r = connect_block(c, view, p, &node, flags, v);
    if (r == CONNECT_OK)
        check_scripts(c, p, flags, true, v);
    inflight_release(c, p);
    coins_free(view);
    if (v->kind == VERDICT_INVALID)
        log_block_error(&b->hash, v);
    return v->kind == VERDICT_VALID;
}

enum rc chain_get_coin(struct chain *c, struct coin *coin, const struct outpoint *o, struct arena *arena)
{
    struct bytes_mem mem = {0};
    uint8_t *script;
    enum rc rc;

    if (c->first && !c->in_event)
        chain_drain(c);
    /* Coins that unconfirmed transactions ask for will be asked for by a block: kept while there is ample room. */
    rc = coins_get(c->coins, coin, o, &mem, coins_bytes(c->coins) < c->coins_limit / 2);
    if (rc == RC_OK) {
        script = arena_alloc(arena, coin->out.script_len);
        if (coin->out.script_len)
            memcpy(script, coin->out.script, coin->out.script_len);
        coin->out.script = script;
    } else if (rc != RC_NOT_FOUND) {
        fatal(c, rc, "Cannot read from database, shutting down."); /* who asked cannot judge anything any more: so says Core */
    }
    bytes_mem_clear(&mem);
    return rc;
}
