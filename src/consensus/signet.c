/* signet.c - the solution of a signet block (BIP325): its coinbase holds a script input that must satisfy the network's challenge
 * over the block without that solution. Called for every signet block; pure, any thread. */
#include <stdlib.h>

#include "consensus/check.h"
#include "primitives/serialize.h"
#include "script/script.h"
#include "script/verify.h"
#include "util/mem.h"

#define SIGNET_FLAGS (SCRIPT_VERIFY_P2SH | SCRIPT_VERIFY_WITNESS | SCRIPT_VERIFY_DERSIG | SCRIPT_VERIFY_NULLDUMMY)
#define TAG_LEN 4

/* Copies the commitment script with the solution cut out of the first push that starts with the tag and goes on behind it. The copy is
 * written with the shortest pushes. Out: *solution (borrowed; NULL if there is none: then the script stays as it is). */
static void cut_solution(struct writer *copy, const uint8_t **solution, size_t *solution_len, const struct tx_out *commitment)
{
    static const uint8_t tag[TAG_LEN] = {0xec, 0xc7, 0xda, 0xa2};
    const uint8_t *pos = commitment->script, *end = pos + commitment->script_len, *data;
    uint8_t opcode;
    size_t len;
    *solution = NULL;
    *solution_len = 0;
    while (script_next(&pos, end, &opcode, &data, &len)) {
        if (len == 0) {
            write_u8(copy, opcode);
            continue;
        }
        if (!*solution && len > TAG_LEN && memcmp(data, tag, TAG_LEN) == 0) {
            *solution = data + TAG_LEN;
            *solution_len = len - TAG_LEN;
            len = TAG_LEN;
        }
        script_write_push(copy, data, len);
    }
    if (!*solution) {
        copy->len = 0;
        write_bytes(copy, commitment->script, commitment->script_len);
    }
}

/* The id of the coinbase with another script in output `index`. */
static struct txid changed_txid(const struct tx *tx, uint32_t index, const struct writer *script)
{
    struct tx_builder b;
    struct tx *changed;
    struct txid id;
    tx_builder_init(&b, tx->version, tx->lock_time);
    for (uint32_t i = 0; i < tx->n_in; i++)
        tx_builder_add_in(&b, tx->in[i].prevout, tx->in[i].script, tx->in[i].script_len, tx->in[i].sequence);
    for (uint32_t i = 0; i < tx->n_out; i++) {
        bool here = i == index;
        tx_builder_add_out(&b, tx->out[i].value, here ? script->data : tx->out[i].script,
                           here ? script->len : tx->out[i].script_len);
    }
    changed = tx_build(&b);
    id = changed->txid;
    tx_unref(changed);
    tx_builder_clear(&b);
    return id;
}

/* The transaction that the solution is made to spend: its input commits to the block, its output is the challenge. */
static struct tx *make_to_spend(const struct chain_params *p, const struct block *b, const struct hash256 *root)
{
    static const struct outpoint null_outpoint = {.n = OUTPOINT_NULL_N};
    uint8_t header[BLOCK_HEADER_SIZE], data[72];
    struct writer script = WRITER_INIT;
    struct tx_builder t;
    struct tx *tx;
    block_header_encode(header, &b->header);
    memcpy(data, header, 36); /* version, previous block */
    memcpy(data + 36, root->b, 32);
    memcpy(data + 68, header + 68, 4); /* time */
    write_u8(&script, OP_0);
    script_write_push(&script, data, sizeof(data));
    tx_builder_init(&t, 0, 0);
    tx_builder_add_in(&t, &null_outpoint, script.data, script.len, 0);
    tx_builder_add_out(&t, 0, p->signet_challenge, p->signet_challenge_len);
    tx = tx_build(&t);
    tx_builder_clear(&t);
    writer_clear(&script);
    return tx;
}

/* The transaction that spends it, with the solution as its input. Returns: NULL if the solution is malformed. */
static struct tx *make_spending(const struct tx *to_spend, const uint8_t *solution, size_t len)
{
    struct outpoint prevout = {to_spend->txid, 0};
    static const uint8_t op_return = OP_RETURN;
    struct reader r = reader_make(solution ? solution : &op_return, len);
    struct arena arena = ARENA_INIT;
    struct witness_item *items = NULL;
    struct tx_builder t;
    struct tx *tx = NULL;
    size_t script_len = 0, n_items = 0;
    const uint8_t *script = NULL;
    if (solution) {
        script = read_var_bytes(&r, &script_len);
        n_items = (size_t)read_compact_size(&r);
        if (n_items > reader_left(&r)) /* each has a byte of length at least */
            reader_fail(&r);
        else
            items = arena_calloc(&arena, n_items + 1, sizeof(*items));
        for (size_t i = 0; items && i < n_items && !r.failed; i++) {
            size_t item_len;
            items[i].data = read_var_bytes(&r, &item_len);
            items[i].len = (uint32_t)item_len;
        }
    }
    if (!solution || reader_done(&r)) {
        tx_builder_init(&t, 0, 0);
        tx_builder_add_in(&t, &prevout, script, script_len, 0);
        if (n_items)
            tx_builder_set_witness(&t, 0, items, n_items);
        tx_builder_add_out(&t, 0, &op_return, 1);
        tx = tx_build(&t);
        tx_builder_clear(&t);
    }
    arena_clear(&arena);
    return tx;
}

/* The Merkle root of the block with that id in place of the coinbase's. */
static struct hash256 changed_root(const struct block *b, const struct txid *coinbase)
{
    uint8_t *hashes = xmalloc(32 * (size_t)b->n_tx);
    struct hash256 root;
    memcpy(hashes, coinbase->b, 32);
    for (size_t i = 1; i < b->n_tx; i++)
        memcpy(hashes + 32 * i, b->tx[i].txid.b, 32);
    root = merkle_root(hashes, b->n_tx, NULL);
    free(hashes);
    return root;
}

static bool solution_verifies(const struct tx *spending, const struct tx_out *challenge)
{
    struct tx_midstate mid;
    tx_midstate_init(&mid, spending, challenge, false);
    return script_verify_input(NULL, spending, 0, challenge, SIGNET_FLAGS, &mid, NULL, false);
}

bool signet_transactions(struct tx **to_spend, struct tx **spending, const struct chain_params *p, const struct block *b)
{
    struct writer script = WRITER_INIT;
    const uint8_t *solution;
    size_t solution_len;
    struct hash256 root;
    struct txid id;
    int index = block_witness_commitment_index(b);
    if (index < 0 || b->tx[0].n_in == 0)
        return false;

    cut_solution(&script, &solution, &solution_len, &b->tx[0].out[index]);
    id = changed_txid(&b->tx[0], (uint32_t)index, &script);
    root = changed_root(b, &id);
    *to_spend = make_to_spend(p, b, &root);
    *spending = make_spending(*to_spend, solution, solution_len); /* no solution at all does for a challenge like OP_TRUE */
    writer_clear(&script);
    if (!*spending)
        tx_unref(*to_spend);
    return *spending != NULL;
}

bool check_signet_solution(const struct chain_params *p, const struct block *b)
{
    struct tx *to_spend, *spending;
    bool ok;
    if (block_hash_equal(&b->hash, &p->genesis_hash))
        return true;
    if (!signet_transactions(&to_spend, &spending, p, b))
        return false;
    ok = solution_verifies(spending, &to_spend->out[0]);
    tx_unref(spending);
    tx_unref(to_spend);
    return ok;
}
