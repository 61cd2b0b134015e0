/* thread.h - threads, and the two queues between them.
 *
 * pthread mutexes and conditions are used directly. `struct queue`: many producers, one consumer, bounded in bytes, for
 * jobs to the validation thread. `struct pool`: a few threads that run jobs in any order (I/O readers, RPC). Script checks
 * have their own queue in chain/. */
#ifndef FARTHING_UTIL_THREAD_H
#define FARTHING_UTIL_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

/** Starts a thread that is named in the log. Ends the process if the system cannot start one. */
pthread_t thread_start(const char *name, void *(*fn)(void *), void *arg);
/** This thread works in short bursts, and others wait for each: asks that it may run soon after it wakes up, for which it is interrupted sooner when it
 *  goes on (a slice of 0.1 ms; Linux 6.12 and later). Its share of the processor is the same, and it is not passed on to threads that it starts. */
void thread_prompt(void);

/* A job: run on the consumer's thread; it frees its own argument. */
typedef void (*job_fn)(void *arg);

struct queue;
/** max_bytes: what queue_full reports against; pushes are never refused. */
struct queue *queue_new(size_t max_bytes);
/** Drops jobs still queued by calling their drop function. */
void queue_free(struct queue *q);
/** Any thread. bytes: what the job holds. drop (may be NULL): frees arg if the job never runs. Returns: false if closed (drop was called). */
bool queue_push(struct queue *q, job_fn run, job_fn drop, void *arg, size_t bytes);
/** The consumer: takes and runs one job; waits up to timeout_ms (-1 for ever) for one. Returns: false if none came or the queue is closed and empty. */
bool queue_run_one(struct queue *q, int timeout_ms);
/** Any thread: jobs waiting / bytes waiting / over the bound. */
size_t queue_len(struct queue *q);
bool queue_full(struct queue *q);
/** Any thread but the consumer's: waits until the queue is not over its bound, or closed. */
void queue_wait_room(struct queue *q);
/** No push succeeds from now on; the consumer empties the queue and then sees false. */
void queue_close(struct queue *q);
bool queue_closed(struct queue *q);

struct pool;
/** A pool that starts threads on demand up to max_threads and ends those idle for long. name: of its threads. */
struct pool *pool_new(const char *name, unsigned max_threads);
/** Any thread. Returns: false (arg untouched) when max_waiting (0: no bound) jobs are waiting already. */
bool pool_push(struct pool *p, job_fn run, void *arg, size_t max_waiting);
/** Runs what is queued, joins the threads, frees. */
void pool_free(struct pool *p);

#endif
