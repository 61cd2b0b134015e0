/* mem.h - allocation that cannot fail: running out of memory ends the process with a message, as there is no sane way on.
 * Sizes that come from outside are bounded before they get here. Any thread. */
#ifndef FARTHING_UTIL_MEM_H
#define FARTHING_UTIL_MEM_H

#include <stddef.h>

/** malloc, calloc, realloc, strdup, memdup that never return NULL (size 0 gives a unique pointer). Free with free(). */
void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *ptr, size_t size);
char *xstrdup(const char *s);
void *xmemdup(const void *data, size_t size);
/** printf into a new string. Returns: a string to free(). */
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/** Gives free memory back to the system, which malloc by itself does only at the heap's end. May take tens of milliseconds, in which other threads'
 *  allocations wait: for rare moments. Any thread. */
void mem_give_back(void);
/** Has malloc keep one heap for each processor in place of one for each thread (up to eight a processor): what threads leave free in theirs is
 *  lost to others. At the start, before there are threads. */
void mem_few_heaps(void);

#endif
