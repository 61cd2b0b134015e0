/* turns.h - fair shares of the loop thread: the work of many connections is done in short turns, and whoever has used least comes first. A
 * thousand busy connections then delay neither RPC nor a quiet peer by more than a few milliseconds. Loop thread only. */
#ifndef FARTHING_NET_TURNS_H
#define FARTHING_NET_TURNS_H

#include <stddef.h>
#include <stdint.h>

struct event_base;
struct turns;

/* One who wants turns, inside of its owner's struct. Zeroed but for the first three. */
struct turn {
    void (*fn)(void *ctx); /* a bounded piece of work, well below a millisecond; may ask for another turn, but not free its owner */
    void *ctx;
    unsigned weight; /* its share: 1 for a connection */
    uint32_t place;  /* in the queue, from 1; 0: not queued */
    int64_t used_us; /* of the thread's time, on a scale that all share */
};

/** base: whose other events come between slices of turns. */
struct turns *turns_new(struct event_base *base);
/** Turns that are still asked for are forgotten. */
void turns_free(struct turns *t);
/** Before the first turn of one who is new: it has no lead before those who are here. */
void turns_join(struct turns *t, struct turn *turn);
/** Asks for a turn; nothing happens if one is asked for already. */
void turns_queue(struct turns *t, struct turn *turn);
/** Takes that back. Before the owner is freed. */
void turns_cancel(struct turns *t, struct turn *turn);

#endif
