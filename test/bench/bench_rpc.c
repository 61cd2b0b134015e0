/* bench_rpc.c - commands' own cost, without HTTP: CPU time of getblockcount and of getblock at each verbosity over the biggest of the last blocks of
 * a regtest datadir (read only in effect; the node must not run).
 *
 * build/bench/bench_rpc DATADIR/regtest */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "rpc/server_priv.h"
#include "script/cache.h"
#include "util/fs.h"

#define LAST_BLOCKS 500

static double cpu_seconds(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void measure(struct rpc_server *s, const char *name, const char *body)
{
    double start = cpu_seconds(), spent;
    unsigned long calls = 0;
    size_t bytes = 0;
    int status;

    do {
        char *text = rpc_execute(s, "", body, strlen(body), &status);
        bytes = strlen(text);
        free(text);
        calls++;
        spent = cpu_seconds() - start;
    } while (spent < 1.0);
    printf("  %-16s \033[1m%10.0f\033[0m /s  %9.1f us  %9zu bytes  HTTP %d\n", name, (double)calls / spent,
           spent * 1e6 / (double)calls, bytes, status);
}

static const struct block_entry *biggest(struct chain *c)
{
    const struct block_entry *e = chain_tip(c), *best = e;
    struct entry_facts f, b;

    chain_facts(c, best, &b);
    for (int i = 0; i < LAST_BLOCKS && e; i++, e = entry_prev(e)) {
        chain_facts(c, e, &f);
        if (f.n_tx > b.n_tx) {
            best = e;
            b = f;
        }
    }
    printf("Block %d with %u transactions:\n", best->node.height, b.n_tx);
    return best;
}

int main(int argc, char **argv)
{
    struct chain_params params;
    struct rpc_host host = {.params = &params};
    struct chain_options o = {.params = &params,
                              .dbcache = (size_t)64 << 20,
                              .blocks_xor = true,
                              .check_blocks = 1,
                              .check_level = 1,
                              .max_tip_age = 86400};
    struct rpc_server *s;
    char *error = NULL, *paths[3];

    if (argc != 2) {
        fprintf(stderr, "usage: bench_rpc DATADIR/regtest\n");
        return 1;
    }
    chain_params_init(&params, CHAIN_REGTEST);
    paths[0] = fs_join(argv[1], "blocks");
    paths[1] = fs_join(paths[0], "index");
    paths[2] = fs_join(argv[1], "chainstate");
    o.blocks_dir = paths[0];
    o.block_index_dir = paths[1];
    o.chainstate_dir = paths[2];
    o.sig_cache = sig_cache_new((size_t)1 << 20);
    if (chain_open(&host.chain, &o, &error) != RC_OK) {
        fprintf(stderr, "%s\n", error);
        return 1;
    }
    s = rpc_server_new(&host);
    rpc_server_ready(s, &host);
    measure(s, "getblockcount", "{\"method\":\"getblockcount\",\"params\":[],\"id\":1}");
    const struct block_entry *e = biggest(host.chain);
    for (int v = 0; v <= 3; v++) {
        char *body = xasprintf("{\"method\":\"getblock\",\"params\":[\"%s\",%d],\"id\":1}", block_hash_hex(&e->node.hash).s, v);
        char name[32];
        snprintf(name, sizeof(name), "getblock %d", v);
        measure(s, name, body);
        free(body);
    }
    chain_close(host.chain);
    rpc_server_free(s);
    sig_cache_free(o.sig_cache);
    chain_params_clear(&params);
    for (int i = 0; i < 3; i++)
        free(paths[i]);
    return 0;
}
