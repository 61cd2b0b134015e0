/* progress.h - how far the first download is, and how long it will take: for the person who waits. Validation thread. */
#ifndef FARTHING_NODE_PROGRESS_H
#define FARTHING_NODE_PROGRESS_H

#include <stddef.h>
#include <stdint.h>

/* One estimate: the speed is taken over the last minutes. A zeroed one is new. */
struct progress {
    int64_t since_us, said_us; /* time_mono_us */
    double from;               /* progress at since_us, 0..1 */
};

/** Notes that the chain stands at `done` (0..1) now. Out: text such as "12.34% of the chain is verified, about 3 h 20 min left".
 *  Returns: 1 if it is time to say it (every half a minute), else 0 and text is untouched. */
int progress_update(struct progress *p, double done, int64_t now_us, char *text, size_t size);

#endif
