/* disk_addr.h - what peers.dat and anchors.dat have in common: Core's disk form of an address, the frame of magic and checksum. Pure; any
 * thread. */
#ifndef FARTHING_NET_DISK_ADDR_H
#define FARTHING_NET_DISK_ADDR_H

#include "net/message.h"

/** v2: BIP155's form is allowed (each address says for itself whether it is used). Returns: false if malformed; *problem as addr_read_v2. */
bool disk_addr_read(struct reader *r, struct addr_entry *e, bool v2, const char **problem);
void disk_addr_write(struct writer *w, const struct addr_entry *e);
/** The checksum over all that was written. */
void disk_file_end(struct writer *w);
/** Is what follows the checksum of [data, r->pos)? Sets r->failed if it is cut off. */
bool disk_file_check(struct reader *r, const uint8_t *data);

#endif
