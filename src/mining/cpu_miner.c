/* cpu_miner.c - the node's own miner. Its threads share one piece of work, each with an extra nonce of its own; `epoch` moves when the work is no
 * longer worth anything, and every thread looks at it each millisecond or so. Templates and submissions are jobs of the validation thread. */
#include "mining/cpu_miner.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "crypto/sha256.h"
#include "crypto/sha256_scan.h"
#include "mining/work.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/random.h"
#include "util/time.h"

#define STRETCH (1u << 14)  /* nonces between two looks around: about a millisecond */
#define REFRESH_US 30000000 /* the same tip, but other fees */
#define EXTRA 8             /* bytes of extra nonce */
#define SAMPLES 16          /* of the count of hashes, a second or more apart */
#define LOWEST_PRIORITY 19

struct sample {
    int64_t us;
    uint64_t hashes;
};

struct cpu_miner {
    struct cpu_miner_host host;
    uint8_t *script;

    pthread_mutex_t control; /* held while threads start and end */
    pthread_t threads[CPU_MINER_MAX_THREADS];

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    unsigned n_threads;
    bool stop;
    struct mining_work *work; /* NULL: none yet, or used up */
    int64_t work_us;          /* when it was made, or last found to be as good as new */
    unsigned found_epoch;     /* the last one in which one of us found a block */
    struct sample samples[SAMPLES];
    size_t n_samples; /* ever */

    atomic_uint epoch; /* written under lock */
    atomic_bool asked; /* a template is under way */
    atomic_uint_fast64_t hashes, extra;
};

/* What one thread works at. */
struct dig {
    struct cpu_miner *m;
    struct mining_work *work;
    unsigned epoch;
    uint8_t header[BLOCK_HEADER_SIZE];
    struct writer coinbase;
    struct u256 target;
    struct sha256_scan scan;
};

/* ---- work: validation thread ---- */

static bool same_work(const struct mining_work *a, const struct mining_work *b)
{
    return a && a->t->prev == b->t->prev && a->t->fees == b->t->fees && a->t->n_txs == b->t->n_txs && a->t->weight == b->t->weight;
}

static void make_work(void *arg)
{
    struct cpu_miner *m = (struct cpu_miner *)arg;
    struct mining_work *work;

    atomic_store(&m->asked, false);
    if (cpu_miner_threads(m) == 0 || !mining_ready(m->host.chain))
        return; /* the threads ask again */
    chain_drain(m->host.chain);
    work = mining_work_new(template_cache_get(m->host.templates, m->host.chain, m->host.mempool, m->host.options));
    pthread_mutex_lock(&m->lock);
    m->work_us = time_mono_us();
    if (!same_work(m->work, work)) {
        struct mining_work *old = m->work;
        m->work = work;
        work = old;
        atomic_fetch_add(&m->epoch, 1);
    }
    pthread_cond_broadcast(&m->changed);
    pthread_mutex_unlock(&m->lock);
    mining_work_unref(work);
}

static void ask_for_work(struct cpu_miner *m)
{
    if (!atomic_exchange(&m->asked, true))
        queue_push(m->host.validation, make_work, NULL, m, 0);
}

struct find {
    struct cpu_miner *m;
    struct block *block;
    bool taken;
};

static void note_verdict(void *arg, const struct block_hash *hash, bool is_new, const struct verdict *v)
{
    struct find *f = (struct find *)arg;

    (void)is_new;
    f->taken = v->kind == VERDICT_VALID;
    if (!f->taken)
        log_warning("CPU miner: block %s was refused: %s", block_hash_hex(hash).s, v->reason);
}

static void drop_find(void *arg)
{
    struct find *f = (struct find *)arg;

    block_unref(f->block);
    free(f);
}

/* After a refusal the threads wait a second before they ask again. */
static void submit(void *arg)
{
    struct find *f = (struct find *)arg;
    struct cpu_miner *m = f->m;

    chain_process_block(m->host.chain, f->block, true, true, note_verdict, f);
    chain_drain(m->host.chain);
    if (f->taken) {
        log_info("CPU miner: found block %s, height %d", block_hash_hex(&f->block->hash).s, chain_height(m->host.chain));
        ask_for_work(m);
    }
    drop_find(f);
}

void cpu_miner_tip_changed(struct cpu_miner *m)
{
    struct mining_work *old;
    bool idle;

    pthread_mutex_lock(&m->lock);
    old = m->work;
    m->work = NULL;
    idle = m->n_threads == 0;
    atomic_fetch_add(&m->epoch, 1);
    pthread_mutex_unlock(&m->lock);
    mining_work_unref(old);
    if (!idle)
        ask_for_work(m);
}

/* ---- the miner's own threads ---- */

/* The first find of an epoch stops all of us until there is other work. */
static void report(struct dig *d)
{
    struct cpu_miner *m = d->m;
    struct mining_work *old = NULL;
    struct find *f;
    bool first;

    pthread_mutex_lock(&m->lock);
    first = m->found_epoch != d->epoch;
    m->found_epoch = d->epoch;
    if (first && atomic_load(&m->epoch) == d->epoch) {
        old = m->work;
        m->work = NULL;
        atomic_fetch_add(&m->epoch, 1);
    }
    pthread_mutex_unlock(&m->lock);
    mining_work_unref(old);
    if (!first)
        return;
    f = (struct find *)xcalloc(1, sizeof(*f));
    f->m = m;
    f->block = mining_work_block(d->work, d->header, d->coinbase.data, d->coinbase.len);
    queue_push(m->host.validation, submit, drop_find, f, f->block->raw_len);
}

/* Another coinbase: another search space. */
static void new_coinbase(struct dig *d)
{
    struct cpu_miner *m = d->m;
    struct block_header h = {.version = d->work->t->version, .prev = d->work->t->prev->node.hash, .bits = d->work->t->bits};
    struct writer tail = WRITER_INIT;
    uint8_t id[32];

    writer_clear(&d->coinbase);
    mining_work_coinbase(&d->coinbase, &tail, d->work, m->script, m->host.script_len, EXTRA);
    write_u64(&d->coinbase, atomic_fetch_add(&m->extra, 1));
    write_bytes(&d->coinbase, tail.data, tail.len);
    writer_clear(&tail);
    sha256d(id, d->coinbase.data, d->coinbase.len);
    h.merkle_root = mining_work_root(d->work, id);
    block_header_encode(d->header, &h);
}

/* Once a second at most something of the header changes. */
static void roll_time(struct dig *d)
{
    if (!mining_work_set_time(d->header, d->work, d->m->host.params, time_now()))
        return;
    d->target = target_from_bits(get_le32(d->header + 72), NULL, NULL);
    sha256_scan_init(&d->scan, d->header);
}

static void sample(struct cpu_miner *m)
{
    int64_t now = time_mono_us();
    const struct sample *last;
    bool old;

    pthread_mutex_lock(&m->lock);
    last = &m->samples[(m->n_samples + SAMPLES - 1) % SAMPLES];
    if (m->n_samples == 0 || now - last->us >= 1000000)
        m->samples[m->n_samples++ % SAMPLES] = (struct sample){now, atomic_load(&m->hashes)};
    old = now - m->work_us > REFRESH_US;
    pthread_mutex_unlock(&m->lock);
    if (old)
        ask_for_work(m);
}

/* Searches until a block is found or the epoch is over. */
static void dig(struct dig *d)
{
    struct cpu_miner *m = d->m;
    uint32_t nonce = 0, at;
    unsigned turns = 0;

    sample(m);
    new_coinbase(d);
    while (atomic_load_explicit(&m->epoch, memory_order_relaxed) == d->epoch) {
        roll_time(d);
        at = mining_scan(d->header, &d->scan, d->target, nonce, STRETCH);
        atomic_fetch_add_explicit(&m->hashes, at == STRETCH ? at : at + 1, memory_order_relaxed);
        if (at < STRETCH) {
            report(d);
            return;
        }
        nonce += STRETCH;
        if (nonce == 0)
            new_coinbase(d);
        if (++turns % 128 == 0)
            sample(m);
    }
}

/* Waits for work. Returns: NULL if this thread is to end. */
static struct mining_work *next_work(struct cpu_miner *m, unsigned *epoch)
{
    struct mining_work *work = NULL;

    pthread_mutex_lock(&m->lock);
    while (!m->stop && !m->work) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec++;
        if (pthread_cond_timedwait(&m->changed, &m->lock, &until) == ETIMEDOUT && !m->stop && !m->work) {
            pthread_mutex_unlock(&m->lock);
            ask_for_work(m);
            pthread_mutex_lock(&m->lock);
        }
    }
    if (!m->stop)
        work = mining_work_ref(m->work);
    *epoch = atomic_load(&m->epoch);
    pthread_mutex_unlock(&m->lock);
    return work;
}

static void *mine(void *arg)
{
    struct dig d = {.m = (struct cpu_miner *)arg, .coinbase = WRITER_INIT};

#if defined(__linux__)
    setpriority(PRIO_PROCESS, 0, LOWEST_PRIORITY); /* 0: this thread, on Linux */
#endif
    while ((d.work = next_work(d.m, &d.epoch))) {
        dig(&d);
        mining_work_unref(d.work);
    }
    writer_clear(&d.coinbase);
    return NULL;
}

/* ---- life ---- */

struct cpu_miner *cpu_miner_new(const struct cpu_miner_host *h)
{
    struct cpu_miner *m = (struct cpu_miner *)xcalloc(1, sizeof(*m));
    uint64_t start;

    m->host = *h;
    m->script = (uint8_t *)xmemdup(h->script, h->script_len);
    m->host.script = m->script;
    random_bytes(&start, sizeof(start)); /* others may mine for the same address */
    atomic_init(&m->extra, start);
    atomic_init(&m->epoch, 1);
    pthread_mutex_init(&m->control, NULL);
    pthread_mutex_init(&m->lock, NULL);
    pthread_cond_init(&m->changed, NULL);
    return m;
}

void cpu_miner_free(struct cpu_miner *m)
{
    if (!m)
        return;
    cpu_miner_set_threads(m, 0);
    mining_work_unref(m->work);
    pthread_cond_destroy(&m->changed);
    pthread_mutex_destroy(&m->lock);
    pthread_mutex_destroy(&m->control);
    free(m->script);
    free(m);
}

static void end_threads(struct cpu_miner *m)
{
    unsigned n;

    pthread_mutex_lock(&m->lock);
    m->stop = true;
    atomic_fetch_add(&m->epoch, 1);
    n = m->n_threads;
    m->n_threads = 0;
    m->n_samples = 0;
    pthread_cond_broadcast(&m->changed);
    pthread_mutex_unlock(&m->lock);
    for (unsigned i = 0; i < n; i++)
        pthread_join(m->threads[i], NULL);
}

static unsigned threads_for(int64_t wanted)
{
    if (wanted < 0)
        wanted = sysconf(_SC_NPROCESSORS_ONLN);
    return wanted < 0 ? 1 : wanted > CPU_MINER_MAX_THREADS ? CPU_MINER_MAX_THREADS : (unsigned)wanted;
}

bool cpu_miner_set_threads(struct cpu_miner *m, int64_t wanted)
{
    unsigned n = threads_for(wanted);

    if (n && m->host.script_len == 0)
        return false;
    pthread_mutex_lock(&m->control);
    end_threads(m);
    if (n) {
        pthread_mutex_lock(&m->lock);
        m->stop = false;
        m->n_threads = n;
        pthread_mutex_unlock(&m->lock);
        log_info("CPU miner: %u threads, kernel %s", n, sha256_scan_kernel());
        ask_for_work(m);
        for (unsigned i = 0; i < n; i++)
            m->threads[i] = thread_start("miner", mine, m);
    }
    pthread_mutex_unlock(&m->control);
    return true;
}

unsigned cpu_miner_threads(struct cpu_miner *m)
{
    unsigned n;

    pthread_mutex_lock(&m->lock);
    n = m->n_threads;
    pthread_mutex_unlock(&m->lock);
    return n;
}

double cpu_miner_rate(struct cpu_miner *m)
{
    int64_t now = time_mono_us();
    double rate = 0;

    pthread_mutex_lock(&m->lock);
    if (m->n_samples) {
        const struct sample *first = &m->samples[m->n_samples > SAMPLES ? m->n_samples % SAMPLES : 0];
        if (now > first->us)
            rate = (double)(atomic_load(&m->hashes) - first->hashes) * 1e6 / (double)(now - first->us);
    }
    pthread_mutex_unlock(&m->lock);
    return rate;
}
