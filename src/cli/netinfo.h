/* netinfo.h - farthing-cli -netinfo and -addrinfo: connections and known addresses as a person reads them. */
#ifndef FARTHING_CLI_NETINFO_H
#define FARTHING_CLI_NETINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_object;

struct netinfo {
    unsigned level; /* 0 to 4: which table of peers */
    bool out_only;
    const char *chain;  /* "main", "regtest" */
    const char *client; /* "Farthing client v0.1.0" */
    int64_t now;        /* unix seconds */
};

/** Reads the words behind -netinfo. Returns: false with Core's text in *error (to free). */
bool netinfo_parse(struct netinfo *n, const char *const *words, size_t count, char **error);
/** The batch of requests. */
struct json_object *netinfo_request(void);
/** Prints the dashboard out of the replies. Returns: the exit code. */
int netinfo_print(const struct netinfo *n, struct json_object *replies);
/** Do the words behind -netinfo ask what the columns mean? */
bool netinfo_wants_help(const char *const *words, size_t count);
/** Prints what the columns mean. */
void netinfo_help(void);

/** -addrinfo: the result of getaddrmaninfo as {"addresses_known": {..., "total": n}}, a new object. */
struct json_object *addrinfo_result(struct json_object *info);

#endif
