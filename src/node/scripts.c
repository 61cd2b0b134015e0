/* scripts.c - keeps the mempool by script, told by the mempool's events, where an index of addresses wants it. Validation thread. */
#include <stdlib.h>

#include "node/private.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/time.h"

void node_scripts_open(struct node *n)
{
    if (node_wants_addresses(n->config))
        n->scripts = script_index_new();
}

static bool find_spent(struct node *n, struct script_spend *out, const struct outpoint *o, struct arena *arena)
{
    struct coin c;

    if (!mempool_get_coin(n->mempool, &c, o) && chain_get_coin(n->chain, &c, o, arena) != RC_OK)
        return false;
    *out = (struct script_spend){c.out.script, c.out.script_len, c.out.value};
    return true;
}

void node_scripts_added(struct node *n, struct tx *tx, int64_t fee)
{
    struct arena arena = ARENA_INIT;
    struct mempool_entry e = {.vsize = tx_vsize(tx)};
    struct script_spend *spent;
    uint8_t(*touched)[32];
    size_t count;

    if (!n->scripts)
        return;
    spent = xcalloc(tx->n_in, sizeof(*spent));
    for (uint32_t i = 0; i < tx->n_in; i++)
        if (!find_spent(n, &spent[i], tx->in[i].prevout, &arena))
            log_error("Input %u of %s, which is in the mempool, is not known", i, txid_hex(&tx->txid).s);
    if (!mempool_get(n->mempool, &e, &tx->txid))
        e.time = time_now();
    script_index_add(n->scripts, tx, spent, fee, e.vsize, e.time);
    if (n->electrum) {
        count = script_index_touched(n->scripts, &touched, &tx->txid);
        electrum_touched(n->electrum, (const uint8_t(*)[32])touched, count);
        free(touched);
    }
    free(spent);
    arena_clear(&arena);
}

void node_scripts_removed(struct node *n, const struct tx *tx)
{
    uint8_t(*touched)[32] = NULL;
    size_t count = 0;

    if (!n->scripts)
        return;
    if (n->electrum)
        count = script_index_touched(n->scripts, &touched, &tx->txid);
    script_index_remove(n->scripts, &tx->txid);
    if (count)
        electrum_touched(n->electrum, (const uint8_t(*)[32])touched, count);
    free(touched);
}

void node_scripts_close(struct node *n)
{
    script_index_free(n->scripts);
    n->scripts = NULL;
}
