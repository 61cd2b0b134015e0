/* loop.h - the node's one event loop (libevent base), and how other threads reach it. */
#ifndef FARTHING_NET_LOOP_H
#define FARTHING_NET_LOOP_H

#include <stdbool.h>

#include "net/turns.h"
#include "util/thread.h"

struct event_base;
struct loop;

struct loop *loop_new(void);
void loop_free(struct loop *l);
/** The libevent base, for sockets and HTTP. Loop thread. */
struct event_base *loop_base(struct loop *l);
/** The turns that connections take on it. Loop thread. */
struct turns *loop_turns(struct loop *l);
/** Runs until loop_stop. The calling thread becomes the loop thread. */
void loop_run(struct loop *l);
/** Any thread, also from signal handlers' events: ends loop_run. */
void loop_stop(struct loop *l);
/** Any thread: runs fn(arg) on the loop thread, in order of posting (completion queue and eventfd). Jobs never run are dropped through drop (may be NULL). */
void loop_post(struct loop *l, job_fn run, job_fn drop, void *arg);
/** Any thread but the loop's: posts and waits until it has run. Returns: false if the loop has ended. */
bool loop_call(struct loop *l, job_fn run, void *arg);
/** Calls fn every interval_ms on the loop thread until loop_free. */
void loop_every(struct loop *l, unsigned interval_ms, job_fn fn, void *arg);

#endif
