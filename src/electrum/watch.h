/* watch.h - the scripts that clients subscribed to, who they are, and which of them something happened to. Any thread, under one lock that is held
 * for microseconds. */
#ifndef FARTHING_ELECTRUM_WATCH_H
#define FARTHING_ELECTRUM_WATCH_H

#include "source.h"

#define WATCH_CLIENT_MAX 50000 /* subscriptions of one client */
#define WATCH_ALL_MAX 1000000  /* of all */

struct subscription;
/* Who subscribes: inside of its owner. */
struct watcher {
    uint64_t id;
    struct subscription *first;
    size_t n;
};

struct watch_table;
/** most: subscriptions of all watchers. */
struct watch_table *watch_table_new(size_t most);
/** All watchers have left. */
void watch_table_free(struct watch_table *t);

/** Before the status is computed. Out: *serial, for watch_set. Returns: false if there are too many. */
bool watch_add(struct watch_table *t, struct watcher *w, uint64_t *serial, const struct script_hash *h, const char *address);
/** What the client is told now; if the script was touched since, it is looked at again. Returns: true if so. */
bool watch_set(struct watch_table *t, struct watcher *w, const struct script_hash *h, bool by_address, uint64_t serial,
               const struct script_status *status);
/** Returns: false if it was not subscribed. */
bool watch_remove(struct watch_table *t, struct watcher *w, const struct script_hash *h, bool by_address);
void watch_remove_all(struct watch_table *t, struct watcher *w);
size_t watch_count(struct watch_table *t);

/** Something happened to a script. Returns: true if somebody watches it. */
bool watch_touch(struct watch_table *t, const uint8_t script[32]);
/** Something happened to all scripts with unconfirmed transactions (unconfirmed_only), or to all. */
void watch_touch_all(struct watch_table *t, bool unconfirmed_only);

struct touched_script {
    struct script_hash hash;
    uint64_t serial;
};
/** Takes touched scripts off the list. Out: out (max). Returns: their number. */
size_t watch_take(struct watch_table *t, struct touched_script *out, size_t max);
/** The status of a script is known: fn is called, under the lock, for all who were told another one. */
void watch_publish(struct watch_table *t, const struct script_hash *h, const struct script_status *status,
                   void (*fn)(void *ctx, uint64_t watcher, const struct script_hash *h, const char *address,
                              const struct script_status *status),
                   void *ctx);

#endif
