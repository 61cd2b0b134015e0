/* header_tree.h - Merkle proofs over all headers up to a checkpoint. What is hashed once is kept by groups of 2,048 headers. Any thread; a lock of
 * its own. */
#ifndef FARTHING_ELECTRUM_HEADER_TREE_H
#define FARTHING_ELECTRUM_HEADER_TREE_H

#include "source.h"

struct header_tree;
/** leaf: the hash of the active chain's header at a height; false: there is none. */
struct header_tree *header_tree_new(bool (*leaf)(void *ctx, struct block_hash *out, int32_t height), void *ctx);
void header_tree_free(struct header_tree *t);
/** From the header at height to the root over all up to cp (0 <= height <= cp). Returns: false if the chain is shorter. */
bool header_tree_proof(struct header_tree *t, struct merkle_proof *out, int32_t height, int32_t cp);

#endif
