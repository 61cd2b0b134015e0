/* test_reorg.c - the address, transaction, spender and coin statistics indexes over random reorganisations, starts and kills, against a model that
 * walks over all blocks. Each session is a process of its own, which ends well or is killed wherever it stands; the next one goes on with what
 * is on disk. */
#include <signal.h>
#include <sys/wait.h>

#include "crypto/muhash.h"
#include "index/address_priv.h"
#include "index/grove.h"
#include "index/spender_index.h"
#include "index/stats_index.h"
#include "index/tx_index.h"
#include "index/view_check.h"
#include "util/log.h"

#define SESSIONS 10
#define STEPS 24 /* of a session */
#define INDEXES 4
#define FOREVER ((int64_t)1 << 40)

struct world {
    struct bed bed;
    struct grove grove;
    struct rng rng;
    struct address_index *addresses;
    struct tx_index *txs;
    struct spender_index *spenders;
    struct stats_index *stats;
    struct index *base[INDEXES]; /* NULL: not open */
    size_t cache_bytes;
    atomic_int fatals;
};

/* ---- a node's part: what the chain tells goes to the indexes ---- */

static void on_fatal(void *ctx, const char *text)
{
    struct world *w = ctx;

    printf("index: %s\n", text);
    atomic_fetch_add(&w->fatals, 1);
}

static struct world *world_of(void *bed)
{
    return (struct world *)(void *)((char *)bed - offsetof(struct world, bed));
}

static void on_tip(void *ctx, const struct block_entry *tip, const struct block_entry *fork, bool initial)
{
    struct world *w = world_of(ctx);

    bed_tip(ctx, tip, fork, initial);
    for (int i = 0; i < INDEXES && w->base[i]; i++)
        index_wake(w->base[i]);
}

static void on_spent(void *ctx, const struct block_entry *e, struct block *b, const uint8_t *undo, size_t len)
{
    struct world *w = world_of(ctx);
    struct index_block *shared;

    if (!w->base[0] || rng_below(&w->rng, 4) == 0) /* not at hand: it is read from disk */
        return;
    shared = index_block_new(e, b, undo, len);
    for (int i = 0; i < INDEXES && w->base[i]; i++)
        index_offer(w->base[i], shared);
    index_block_unref(shared);
}

static void on_disconnected(void *ctx, const struct block_entry *e, struct block *b)
{
    struct world *w = world_of(ctx);

    bed_disconnected(ctx, e, b);
    for (int i = 0; i < INDEXES && w->base[i]; i++)
        index_disconnected(w->base[i], e);
}

static struct index_setup setup(struct world *w, char **dir, const char *name)
{
    *dir = fs_join(w->bed.dir, name);
    return (struct index_setup){.chain = w->bed.c, .dir = *dir, .cache_bytes = w->cache_bytes, .fatal = on_fatal, .ctx = w};
}

static void check_rc(enum rc rc, char *error)
{
    if (rc != RC_OK)
        fail_msg("%s", error ? error : rc_name(rc));
}

static void open_indexes(struct world *w)
{
    static const size_t caches[] = {4096, 65536, 1 << 20};
    struct index_setup s;
    char *dir, *error;

    w->cache_bytes = caches[rng_below(&w->rng, ARRAY_LEN(caches))];
    s = setup(w, &dir, "addresses");
    check_rc(address_index_open(&w->addresses, &s, &error), error);
    free(dir);
    s = setup(w, &dir, "txs");
    check_rc(tx_index_open(&w->txs, &s, &error), error);
    free(dir);
    s = setup(w, &dir, "spenders");
    check_rc(spender_index_open(&w->spenders, &s, &error), error);
    free(dir);
    s = setup(w, &dir, "stats");
    check_rc(stats_index_open(&w->stats, &s, &error), error);
    free(dir);
    w->addresses->totals_gap = 1 + (uint32_t)rng_below(&w->rng, 4);
    w->addresses->totals_lot = 2 + (uint32_t)rng_below(&w->rng, 60); /* sums are written often, and cut off again */
    w->base[0] = address_index_base(w->addresses);
    w->base[1] = tx_index_base(w->txs);
    w->base[2] = spender_index_base(w->spenders);
    w->base[3] = stats_index_base(w->stats);
    for (int i = 0; i < INDEXES; i++)
        index_start(w->base[i]);
}

static void open_chain(struct world *w, bool initial)
{
    w->bed.o.max_tip_age = initial ? 1 : FOREVER;
    bed_open(&w->bed);
}

static void world_close(struct world *w)
{
    assert_int_equal(chain_flush(w->bed.c), RC_OK);
    for (int i = 0; i < INDEXES; i++) {
        index_stop(w->base[i]);
        w->base[i] = NULL;
    }
    address_index_close(w->addresses);
    tx_index_close(w->txs);
    spender_index_close(w->spenders);
    stats_index_close(w->stats);
    bed_close(&w->bed);
    assert_int_equal(atomic_load(&w->fatals), 0);
    assert_int_equal(w->bed.fatals, 0);
}

static void settle(struct world *w)
{
    for (int k = 0; k < INDEXES; k++) {
        for (int i = 0; i < 60000 && !index_wait(w->base[k], NULL) && !atomic_load(&w->fatals); i++)
            usleep(1000);
        assert_true(index_wait(w->base[k], NULL));
    }
}

/* ---- what they answer ---- */

/* A reading at any moment is that of one block of the active chain. */
static void check_addresses(struct world *w, bool at_tip)
{
    const struct block_entry *tip;
    struct address_view *v;
    struct model m;

    assert_int_equal(address_view_open(&v, w->addresses), RC_OK);
    tip = address_view_tip(v);
    if (at_tip)
        assert_ptr_equal(tip, chain_tip(w->bed.c));
    if (tip) { /* not in front of the first block, and of what a kill took from the chain */
        assert_true(chain_contains(w->bed.c, tip));
        model_walk(&m, &w->grove, grove_number(&w->grove, tip));
        check_view(v, &m, &w->rng);
        model_clear(&m);
    }
    address_view_close(v);
}

static void check_txs(struct world *w, const struct model *m)
{
    for (size_t i = 0; i < m->n_txs; i += 1 + rng_below(&w->rng, 8)) {
        const struct model_tx *t = &m->tx[i];
        const struct block_entry *block;
        struct tx *tx;

        assert_int_equal(tx_index_find(w->txs, &tx, &block, &t->id), RC_OK);
        assert_true(txid_equal(&tx->txid, &t->id));
        assert_ptr_equal(block, chain_at(w->bed.c, t->height));
        tx_unref(tx);
    }
}

static void check_spenders(struct world *w, const struct model *m, const struct block_entry *tip)
{
    for (size_t i = 0; i < m->n_coins; i += 1 + rng_below(&w->rng, 8)) {
        const struct model_coin *c = &m->coin[i];
        const struct block_entry *block;
        struct tx *tx;

        assert_int_equal(spender_index_find(w->spenders, &tx, &block, &c->o), c->spent_height ? RC_OK : RC_NOT_FOUND);
        if (!c->spent_height)
            continue;
        assert_true(txid_equal(&tx->txid, &c->spender));
        assert_ptr_equal(block, entry_of(header_node_ancestor(&tip->node, c->spent_height)));
        tx_unref(tx);
    }
}

/* What a block left behind, summed up from its branch's coins. */
static void sum_up(struct coin_stats *s, struct world *w, const struct model *m)
{
    struct writer row = WRITER_INIT;
    struct muhash hash;
    uint8_t script[4];

    *s = (struct coin_stats){.genesis = block_subsidy(&w->bed.params, 0), .scripts = m->lost};
    muhash_init(&hash);
    for (int32_t h = 0; h <= m->height; h++)
        s->subsidy += block_subsidy(&w->bed.params, h);
    for (size_t i = 0; i < m->n_coins; i++) {
        const struct model_coin *c = &m->coin[i];
        size_t len = grove_script(script, c->kind);

        if (c->pos)
            s->new_outputs += (uint64_t)c->value;
        else
            s->coinbase += (uint64_t)c->value;
        if (c->spent_height) {
            s->prevouts_spent += (uint64_t)c->value;
            continue;
        }
        s->txouts++;
        s->total_amount += c->value;
        s->bogosize += 50 + len;
        row.len = 0;
        write_bytes(&row, c->o.txid.b, 32);
        write_u32(&row, c->o.n);
        write_u32(&row, (uint32_t)c->height << 1 | (c->pos == 0));
        write_u64(&row, (uint64_t)c->value);
        write_var_bytes(&row, script, len);
        muhash_insert(&hash, row.data, row.len);
    }
    s->unclaimed = s->subsidy - s->genesis - s->total_amount - s->scripts;
    muhash_finish(&hash, s->muhash);
    writer_clear(&row);
}

/* Blocks of the active chain must be there, others may be. */
static void check_stats(struct world *w, const struct block_entry *e, bool must)
{
    struct coin_stats want, have;
    struct writer a = WRITER_INIT, b = WRITER_INIT;
    enum rc rc = stats_index_find(w->stats, &have, e);
    struct model m;

    if (rc == RC_NOT_FOUND && !must)
        return;
    assert_int_equal(rc, RC_OK);
    model_walk(&m, &w->grove, grove_number(&w->grove, e));
    sum_up(&want, w, &m);
    coin_stats_encode(&a, &want);
    coin_stats_encode(&b, &have);
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.data, b.data, a.len);
    writer_clear(&a);
    writer_clear(&b);
    model_clear(&m);
}

static const struct block_entry *known(struct world *w, int i)
{
    return chain_lookup(w->bed.c, i < 0 ? &w->bed.params.genesis_hash : &w->grove.plant[i].block->hash);
}

static void check_all(struct world *w)
{
    const struct block_entry *tip = chain_tip(w->bed.c), *other;
    struct index_summary s;
    struct model m;

    settle(w);
    check_addresses(w, true);
    model_walk(&m, &w->grove, grove_number(&w->grove, tip));
    check_txs(w, &m);
    model_clear(&m);
    /* A tip that was taken away with nothing in its place leaves this index where it was. */
    index_summary(w->base[2], &s);
    assert_ptr_equal(header_node_ancestor(&s.best->node, tip->node.height), &tip->node);
    model_walk(&m, &w->grove, grove_number(&w->grove, s.best));
    check_spenders(w, &m, s.best);
    model_clear(&m);
    check_stats(w, tip, true);
    check_stats(w, chain_at(w->bed.c, (int32_t)rng_below(&w->rng, (uint64_t)tip->node.height + 1)), true);
    other = known(w, w->grove.n - 1 - (int)rng_below(&w->rng, 20));
    if (other)
        check_stats(w, other, false);
}

/* ---- what happens ---- */

static void submit(struct world *w, int i)
{
    struct outcome o = bed_submit(&w->bed, w->grove.plant[i].block);

    /* What was taken away by hand stays away, and what follows it. */
    if (o.v.kind != VERDICT_VALID && strcmp(o.v.reason, "duplicate-invalid") != 0 && strcmp(o.v.reason, "bad-prevblk") != 0)
        fail_msg("block %d: %s", i, o.v.reason);
}

/* One of the last blocks, whose parent is known. */
static void submit_any(struct world *w)
{
    for (int tries = 0; tries < 40; tries++) {
        int i = w->grove.n - 1 - (int)rng_below(&w->rng, tries < 30 ? 40 : (uint64_t)w->grove.n);
        const struct block_entry *up = known(w, w->grove.plant[i].parent);
        struct entry_facts f;

        if (!up)
            continue;
        chain_facts(w->bed.c, up, &f);
        if (!(f.status & BLOCK_HAVE_DATA))
            continue;
        submit(w, i);
        return;
    }
}

/* Takes some blocks away, perhaps for others, and most often gives them back. */
static void invalidate(struct world *w)
{
    int32_t height = chain_height(w->bed.c) - (int32_t)rng_below(&w->rng, 9);
    const struct block_entry *e = chain_at(w->bed.c, height > 1 ? height : 1);
    struct verdict v;

    if (!e)
        return;
    assert_true(chain_invalidate(w->bed.c, e, &v));
    assert_int_equal(chain_activate_best(w->bed.c, &v), RC_OK);
    if (rng_below(&w->rng, 2))
        check_all(w);
    else if (rng_below(&w->rng, 2))
        check_addresses(w, false);
    for (uint64_t n = rng_below(&w->rng, 3); n > 0; n--)
        submit_any(w);
    chain_reconsider(w->bed.c, e);
    assert_int_equal(chain_activate_best(w->bed.c, &v), RC_OK);
    chain_drain(w->bed.c);
}

static void prefer(struct world *w)
{
    const struct block_entry *e = known(w, w->grove.n - 1 - (int)rng_below(&w->rng, 20));
    struct entry_facts f;
    struct verdict v;

    if (!e)
        return;
    chain_facts(w->bed.c, e, &f);
    if (f.status & BLOCK_HAVE_DATA)
        chain_precious(w->bed.c, e, &v);
    chain_drain(w->bed.c);
}

static void step(struct world *w, bool initial)
{
    switch (rng_below(&w->rng, 9)) {
    case 0:
        invalidate(w);
        break;
    case 1:
        prefer(w);
        break;
    case 2:
        assert_int_equal(chain_flush(w->bed.c), RC_OK);
        break;
    case 3:
        if (rng_below(&w->rng, 3) == 0) {
            world_close(w);
            open_chain(w, initial);
            open_indexes(w);
        }
        break;
    case 4:
        check_addresses(w, false);
        break;
    case 5:
        check_all(w);
        break;
    default:
        for (uint64_t n = 1 + rng_below(&w->rng, 6); n > 0; n--)
            submit_any(w);
    }
}

struct plan {
    uint64_t seed;
    bool
        initial; /* as in the first download: rows of many blocks are written together, and there are no ways back beside the chain's */
    bool killed;
    bool
        again; /* the session before was killed in its first download: the chain comes again to where it was, before the indexes look */
};

static void session(struct world *w, const struct plan *p)
{
    unsigned end = p->killed ? (unsigned)(p->seed % STEPS) : STEPS;
    struct verdict v;

    rng_init_seed(&w->rng, p->seed);
    open_chain(w, p->initial);
    chain_reconsider(w->bed.c, known(w, -1));
    assert_int_equal(chain_activate_best(w->bed.c, &v), RC_OK);
    for (int i = 0; i < w->grove.n && p->again; i++)
        submit(w, i);
    open_indexes(w);
    for (int i = 0; i < GROVE_TRUNK; i++)
        if (!known(w, i))
            submit(w, i);
    for (unsigned i = 0; i < end; i++)
        step(w, p->initial);
    assert_int_equal(atomic_load(&w->fatals), 0);
    if (p->killed)
        kill(getpid(), SIGKILL);
    check_all(w);
    world_close(w);
}

static void run(struct world *w, const struct plan *p)
{
    int status;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        char *log = fs_join(w->bed.dir, "debug.log");

        assert_true(log_open(&(struct log_config){.path = log}));
        free(log);
        session(w, p);
        _exit(0); /* an assertion that fails ends the whole program with its own code */
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (p->killed)
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    else
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* Nothing was built anew, but after a kill in front of the first place, or in a first download whose last branch did not come again. */
static void check_log(const struct world *w, const struct plan *p)
{
    char *path = fs_join(w->bed.dir, "debug.log"), line[1000];
    FILE *f = fopen(path, "r");

    assert_non_null(f);
    while (fgets(line, sizeof(line), f))
        if (strstr(line, "built anew") && !strstr(line, "soon after it had begun") && !p->again)
            fail_msg("%s", line);
    fclose(f);
    assert_int_equal(unlink(path), 0);
    free(path);
}

static void random_reorganisations(void **state)
{
    const char *given = getenv("FARTHING_TEST_SEED");
    struct world *w = xcalloc(1, sizeof(*w));
    struct plan p = {0};
    struct rng rng;

    (void)state;
    rng_init(&rng);
    p.seed = given ? strtoull(given, NULL, 10) : rng_u64(&rng);
    printf("FARTHING_TEST_SEED=%llu\n", (unsigned long long)p.seed);
    rng_init_seed(&rng, p.seed);
    bed_init(&w->bed, CHAIN_REGTEST);
    w->bed.o.check_block_index = false;
    w->bed.o.events.tip_changed = on_tip;
    w->bed.o.events.block_spent = on_spent;
    w->bed.o.events.block_disconnected = on_disconnected;
    grove_init(&w->grove, &w->bed.params, rng_u64(&rng));
    for (int i = 0; i < SESSIONS; i++) {
        for (int n = 0; n < 16; n++) {
            int back = (int)rng_below(&rng, rng_below(&rng, 4) ? 3 : 12);
            grove_grow(&w->grove, w->grove.n - 1 - back, (unsigned)rng_below(&rng, rng_below(&rng, 4) ? 6 : GROVE_TXS));
        }
        p.seed = rng_u64(&rng);
        p.again = p.killed && p.initial;
        p.initial = rng_below(&rng, 2);
        p.killed = rng_below(&rng, 2) && i + 1 < SESSIONS;
        run(w, &p);
        check_log(w, &p);
    }
    bed_clear(&w->bed);
    grove_clear(&w->grove);
    free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_reorganisations)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
