/* check.h - one script-check job: a plain value that a worker thread can run without knowing anything else. */
#ifndef FARTHING_SCRIPT_CHECK_H
#define FARTHING_SCRIPT_CHECK_H

#include "script/verify.h"

/* Input n of tx against the output that it spends. Everything is borrowed and read only; it must outlive the job. */
struct script_check {
    const struct tx *tx;
    uint32_t n;
    uint32_t flags; /* enum script_flag */
    const struct tx_out *spent;
    const struct tx_midstate *mid;
};

/** Runs one job. Any thread; many at once over the same transaction.
 *  Returns: true if the input is satisfied; else false and *err (may be NULL).
 *  In: cache: signatures known to be valid, NULL for none; cache_store: remember new ones (else those found are given up). */
bool script_check_run(const struct script_check *c, struct sig_cache *cache, bool cache_store, enum script_error *err);

#endif
