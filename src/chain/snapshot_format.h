/* snapshot_format.h - constants of snapshot files, for those who write and who read them. Private to chain/. */
#ifndef FARTHING_CHAIN_SNAPSHOT_FORMAT_H
#define FARTHING_CHAIN_SNAPSHOT_FORMAT_H

#define SNAPSHOT_MAGIC "utxo\xff"
#define SNAPSHOT_MAGIC_LEN 5u
#define SNAPSHOT_VERSION 2u
#define SNAPSHOT_HEAD_LEN (SNAPSHOT_MAGIC_LEN + 2 + 4 + 32 + 8)

#endif
