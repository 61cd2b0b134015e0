/* confdir.h - where the data are and which network is meant: what farthingd and farthing-cli settle the same way before all else. Main thread, at start. */
#ifndef FARTHING_UTIL_CONFDIR_H
#define FARTHING_UTIL_CONFDIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/args.h"

/* What a network is called, before its rules matter. */
struct network_name {
    const char *name;   /* "main", "test", "testnet4", "signet", "regtest": -chain and config sections */
    const char *folder; /* below the datadir; "" for main */
    uint16_t rpc_port;
};

struct confdir {
    char *datadir;       /* absolute */
    char *first_datadir; /* the same before the config file had its say */
    char *conf_path;     /* NULL with -noconf */
    bool core_names;     /* the file is a bitcoin.conf: default file names follow Core's */
    char *net_dir;       /* the network's own folder */
    const struct network_name *network;
};
/** Reads the config file that the command line leads to, selects the network (args_select_network). The command line was parsed before.
 *  Options that stand in the wrong part of the file are the node's matter: see args_section_errors.
 *  Returns: false with Core's message in *error (to free). */
bool confdir_read(struct confdir *d, struct args *a, char **error);
void confdir_clear(struct confdir *d);
/** The node's check after confdir_read: a default config file in the datadir that another one kept from being read is a likely mistake.
 *  Returns: false with Core's message in *error (to free), unless -allowignoredconf or -noconf. */
bool confdir_check_ignored(const struct confdir *d, const struct args *a, char **error);
/** Returns: the name of the datadir's default config file, to free, if there is one and -noconf keeps it from being read; else NULL. */
char *confdir_unread_file(const struct confdir *d);
/** An absolute path: relative ones start at base. */
char *path_resolve(const char *base, const char *path);
/** An absolute path: relative ones start at the working directory. */
char *path_absolute(const char *path);

#endif
