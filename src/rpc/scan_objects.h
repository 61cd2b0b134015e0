/* scan_objects.h - scan objects, as several commands take them: a descriptor, or {"desc": descriptor, "range": n or [from, to]}. */
#ifndef FARTHING_RPC_SCAN_OBJECTS_H
#define FARTHING_RPC_SCAN_OBJECTS_H

#include "descriptor/descriptor.h"
#include "rpc/priv.h"

struct scan_script {
    uint8_t *script;
    size_t len;
    char *desc; /* as it can be inferred from what the object tells, with checksum; NULL if not wanted */
};
struct scan_list { /* all zeroes: empty */
    struct scan_script *items;
    size_t n, cap;
};
/** Reads "range": an end, or [begin, end]. Returns: false with Core's error set. */
bool rpc_range_of(struct rpc_call *call, int64_t *first, int64_t *last, struct json_object *v);
/** Reads a descriptor. Returns: NULL with the error set. */
struct descriptor *rpc_descriptor(struct rpc_call *call, const char *text, bool need_checksum);
/** Adds the scripts of one scan object, in order of positions and multipath steps; the range is 0..1000 if none is given. list: NULL if only the
 *  ring is wanted; ring: NULL, or gets what is known of the scripts and, with `secrets`, private keys. Returns: false with the error set. */
bool rpc_scan_object(struct rpc_call *call, struct json_object *object, struct scan_list *list, bool with_desc,
                     struct keyring *ring, bool secrets);
/** The same for an array of them, without a ring. */
bool rpc_scan_objects(struct rpc_call *call, struct json_object *objects, struct scan_list *list, bool with_desc);
/** Sorts by script and leaves one of each (the first in the order given), for scan_list_find. */
void scan_list_sort(struct scan_list *list);
/** Looks in a sorted list. Returns: NULL if it is not there. */
const struct scan_script *scan_list_find(const struct scan_list *list, const uint8_t *script, size_t len);
void scan_list_clear(struct scan_list *list);

#endif
