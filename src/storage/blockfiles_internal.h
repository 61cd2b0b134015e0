/* blockfiles_internal.h - the state that blockfiles.c (folder, statistics), blockfiles_write.c and blockfiles_read.c share.
 *
 * Locking: `lock` guards `file`, `count` and `cap`. Only the validation thread changes them, so it may read without the lock;
 * the other members are its own. What never changes after open needs none. */
#ifndef FARTHING_STORAGE_BLOCKFILES_INTERNAL_H
#define FARTHING_STORAGE_BLOCKFILES_INTERNAL_H

#include <pthread.h>

#include "error.h"
#include "storage/blockfiles.h"
#include "util/obfuscate.h"

/* No block can spend that much; a longer record is refused on both ways. */
#define BLOCKFILE_UNDO_MAX 0x40000000u

enum file_kind { FILE_BLOCKS, FILE_UNDO, FILE_KINDS };

struct file_state {
    struct blockfile_info info;
    bool info_dirty;           /* not yet handed to the database */
    bool unsynced[FILE_KINDS]; /* written since the last fsync */
    bool has_tail[FILE_KINDS]; /* we preallocated beyond the data: to be trimmed */
};

struct blockfiles {
    char *dir;
    uint8_t magic[4];
    uint8_t key[OBFUSCATION_KEY_SIZE];
    bool fast_prune;

    pthread_mutex_t lock;
    struct file_state *file;
    unsigned count, cap;

    /* Where blocks are appended: those below the split, and those from there on. */
    struct write_place {
        bool used; /* there is such a file yet */
        unsigned file;
        uint32_t undo_height; /* highest block of that file whose undo record is written */
    } place[2];
    uint32_t split; /* a height; UINT32_MAX: all blocks go to place[0] */
    struct {
        int fd; /* -1: none */
        unsigned file;
    } open[FILE_KINDS]; /* the files last written to */
    bool dir_unsynced;  /* a file was created since the last fsync of the folder */
    uint8_t *scratch;   /* a record as it goes to disk */
    size_t scratch_cap;
};

/** The path of a file, to free(). */
char *blockfiles_path(const struct blockfiles *bf, enum file_kind kind, unsigned file);
/** Makes sure that statistics of files 0..file exist. Lock held. */
void blockfiles_grow(struct blockfiles *bf, unsigned file);
/** Counts one block in a file's heights and times. Lock held. */
void blockfiles_count_block(struct blockfiles *bf, unsigned file, uint32_t height, uint32_t time);
/** Closes the descriptor for writing if it is this file's. */
void blockfiles_forget_fd(struct blockfiles *bf, enum file_kind kind, unsigned file);
/** Cuts a file to its data and closes its descriptor for writing. */
enum rc blockfiles_trim(struct blockfiles *bf, enum file_kind kind, unsigned file);

/** The place that blocks of that height go to. */
static inline struct write_place *blockfiles_place(struct blockfiles *bf, uint32_t height)
{
    return &bf->place[height >= bf->split];
}

#endif
