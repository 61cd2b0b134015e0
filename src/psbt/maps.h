/* maps.h - the files of the module among each other. */
#ifndef FARTHING_PSBT_MAPS_H
#define FARTHING_PSBT_MAPS_H

#include "psbt/psbt.h"

/* Appends without looking: map_sort follows. Bytes are copied. */
void map_append(struct psbt *p, struct psbt_map *m, enum psbt_kind kind, const void *key, size_t key_len, const void *value,
                size_t value_len);
/* Sorts; of equal entries the first stays. */
void map_sort(struct psbt_map *m);
/* Adds the entries of src that are not there. */
void map_merge(struct psbt *p, struct psbt_map *m, const struct psbt_map *src);
/* Adds the extended keys of src that are not there under any origin. */
void map_merge_xpubs(struct psbt *p, struct psbt_map *m, const struct psbt_map *src);
/* Adds entries of one kind that are not there. */
void map_merge_kind(struct psbt *p, struct psbt_map *m, const struct psbt_map *src, enum psbt_kind kind);
void map_clear(struct psbt_map *m);

/* New ones at the end, all zeroes. */
struct psbt_in *psbt_add_in(struct psbt *p);
struct psbt_out *psbt_add_out(struct psbt *p);

#endif
