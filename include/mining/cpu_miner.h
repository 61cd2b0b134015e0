/* cpu_miner.h - the node's own miner (-gen, setgenerate): threads of low priority that search nonces on the present tip for one address. It owns its
 * threads; templates are made and blocks taken by the validation thread. */
#ifndef FARTHING_MINING_CPU_MINER_H
#define FARTHING_MINING_CPU_MINER_H

#include "mining/mining.h"
#include "util/thread.h"

/* What it works with; all outlive it, script is copied. */
struct cpu_miner_host {
    const struct chain_params *params;
    struct chain *chain;
    struct mempool *mempool;  /* validation thread; may be NULL */
    struct queue *validation; /* jobs for the validation thread */
    const struct mining_options *options;
    struct template_cache *templates; /* where its work comes from */
    const uint8_t *script;            /* who is paid; script_len 0: nobody, it cannot be switched on */
    size_t script_len;
};

struct cpu_miner;
#define CPU_MINER_MAX_THREADS 256

/** Idle at first. Any thread. */
struct cpu_miner *cpu_miner_new(const struct cpu_miner_host *h);
/** After the validation thread has ended, or if nothing was ever switched on. */
void cpu_miner_free(struct cpu_miner *m);
/** Mines with that many threads (at most CPU_MINER_MAX_THREADS; negative: one a processor); 0: stops, and waits for the threads' end. Any thread but the miner's own. Returns: false
 *  if there is nobody to pay. */
bool cpu_miner_set_threads(struct cpu_miner *m, int64_t n);
unsigned cpu_miner_threads(struct cpu_miner *m);
/** Hashes a second over the last seconds; 0 when idle. Any thread. */
double cpu_miner_rate(struct cpu_miner *m);
/** There is a new tip: the search stops at once and goes on upon it. Any thread. */
void cpu_miner_tip_changed(struct cpu_miner *m);

#endif
