/* notify.c - a thread that tells clients what changed. After a new tip it waits for the index to follow, so that who is told of a block finds it in
 * histories; then it looks which watched scripts the blocks touched. Each script is looked at once, however much happened to it meanwhile. */
#include <stdlib.h>

#include "chain/undo.h"
#include "server.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/time.h"

#define ROUND 64      /* scripts looked at between looks for a new tip */
#define BLOCKS_MAX 12 /* more of them: all scripts are looked at */

struct notifier {
    struct electrum_data *data;
    struct notify_target target;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stop, tip_changed, touched;
    const struct block_entry *tip; /* told of; the thread's own, as all below */
};

/* ---- to the loop ---- */

struct notice {
    struct notify_target target;
    uint64_t client;
    struct json_writer lines;
    int32_t height;
    uint8_t header[BLOCK_HEADER_SIZE];
};

static void notice_drop(void *arg)
{
    struct notice *m = arg;

    jw_clear(&m->lines);
    free(m);
}

static void notice_run(void *arg)
{
    struct notice *m = arg;

    if (m->client)
        m->target.lines(m->target.ctx, m->client, m->lines.w.data, m->lines.w.len);
    else
        m->target.header(m->target.ctx, m->height, m->header);
    notice_drop(m);
}

/* Under the lock of the subscriptions: no more than this. */
static void tell_client(void *ctx, uint64_t client, const struct script_hash *h, const char *address,
                        const struct script_status *status)
{
    struct notifier *n = ctx;
    struct notice *m = xcalloc(1, sizeof(*m));

    m->target = n->target;
    m->client = client;
    electrum_write_change(&m->lines, h, address, status);
    loop_post(n->data->host.loop, notice_run, notice_drop, m);
}

static void tell_header(struct notifier *n, const struct block_entry *tip)
{
    struct notice *m = xcalloc(1, sizeof(*m));
    struct block_header h;

    m->target = n->target;
    m->height = tip->node.height;
    header_node_header(&h, &tip->node);
    block_header_encode(m->header, &h);
    loop_post(n->data->host.loop, notice_run, notice_drop, m);
}

/* ---- what blocks touch ---- */

static void touch_script(struct notifier *n, const uint8_t *script, size_t len)
{
    struct script_hash h = script_hash_of(script, len);

    watch_touch(n->data->watches, h.bytes);
}

static bool touch_block(struct notifier *n, const struct block_entry *e)
{
    struct block_undo *undo = NULL;
    struct block *b;

    if (chain_read_block(n->data->host.chain, &b, e) != RC_OK)
        return false;
    for (uint32_t i = 0; i < b->n_tx; i++)
        for (uint32_t k = 0; k < b->tx[i].n_out; k++)
            touch_script(n, b->tx[i].out[k].script, b->tx[i].out[k].script_len);
    block_unref(b);
    if (e->node.height == 0)
        return true;
    if (chain_read_undo(n->data->host.chain, &undo, e) != RC_OK)
        return false;
    for (uint32_t i = 0; i < undo->n_tx; i++)
        for (uint32_t k = 0; k < undo->tx[i].n; k++)
            touch_script(n, undo->tx[i].coin[k].out.script, undo->tx[i].coin[k].out.script_len);
    block_undo_free(undo);
    return true;
}

/* Blocks from e down to the fork, without it. */
static bool touch_branch(struct notifier *n, const struct block_entry *e, const struct header_node *fork)
{
    for (; &e->node != fork; e = entry_prev(e))
        if (!touch_block(n, e))
            return false;
    return true;
}

static void touch_changes(struct notifier *n, const struct block_entry *from, const struct block_entry *to)
{
    const struct header_node *fork;

    if (watch_count(n->data->watches) == 0)
        return;
    fork = header_node_fork(&from->node, &to->node);
    watch_touch_all(n->data->watches, true);
    if (!fork || from->node.height - fork->height + to->node.height - fork->height > BLOCKS_MAX || !touch_branch(n, from, fork) ||
        !touch_branch(n, to, fork))
        watch_touch_all(n->data->watches, false);
}

/* ---- the thread ---- */

static void follow_tip(struct notifier *n)
{
    const struct block_entry *tip, *before = n->tip;

    if (!electrum_data_follow(n->data, &tip))
        tip = chain_tip(n->data->host.chain); /* nobody can watch a script yet */
    if (tip == before)
        return;
    n->tip = tip;
    tell_header(n, tip);
    touch_changes(n, before, tip);
}

/* Returns: were there so many that there may be more? */
static bool look_at_some(struct notifier *n)
{
    struct touched_script some[ROUND];
    size_t count = watch_take(n->data->watches, some, ROUND);

    for (size_t i = 0; i < count && !atomic_load(&n->data->stopping); i++) {
        struct script_status status;
        size_t rows;
        if (electrum_data_status(n->data, &status, &rows, &some[i].hash) == ELECTRUM_OK)
            watch_publish(n->data->watches, &some[i].hash, &status, tell_client, n);
    }
    return count == ROUND;
}

/* Waits for something to do. Returns: false: the end. */
static bool wait_for_work(struct notifier *n, bool *tip_changed)
{
    bool goes_on;

    pthread_mutex_lock(&n->lock);
    while (!n->stop && !n->tip_changed && !n->touched)
        pthread_cond_wait(&n->wake, &n->lock);
    goes_on = !n->stop;
    *tip_changed = n->tip_changed;
    n->tip_changed = n->touched = false;
    pthread_mutex_unlock(&n->lock);
    return goes_on;
}

static void *notifier_main(void *arg)
{
    struct notifier *n = arg;
    bool tip_changed;

    while (wait_for_work(n, &tip_changed)) {
        if (tip_changed)
            follow_tip(n);
        if (look_at_some(n))
            notifier_wake(n);
    }
    return NULL;
}

struct notifier *notifier_new(struct electrum_data *d, const struct notify_target *target)
{
    struct notifier *n = xcalloc(1, sizeof(*n));

    n->data = d;
    n->target = *target;
    n->tip = chain_tip(d->host.chain);
    pthread_mutex_init(&n->lock, NULL);
    pthread_cond_init(&n->wake, NULL);
    n->thread = thread_start("electrum", notifier_main, n);
    return n;
}

static void set_and_wake(struct notifier *n, bool *flag)
{
    pthread_mutex_lock(&n->lock);
    *flag = true;
    pthread_cond_signal(&n->wake);
    pthread_mutex_unlock(&n->lock);
}

void notifier_tip_changed(struct notifier *n)
{
    set_and_wake(n, &n->tip_changed);
}

void notifier_wake(struct notifier *n)
{
    set_and_wake(n, &n->touched);
}

void notifier_stop(struct notifier *n)
{
    set_and_wake(n, &n->stop);
    pthread_join(n->thread, NULL);
}

void notifier_free(struct notifier *n)
{
    if (!n)
        return;
    pthread_cond_destroy(&n->wake);
    pthread_mutex_destroy(&n->lock);
    free(n);
}
