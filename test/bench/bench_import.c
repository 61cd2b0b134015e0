/* bench_import.c - imports a block file into a fresh folder with the chain module alone, and prints what it cost.
 *
 * bench_import FILE [THREADS [DBCACHE_MIB [ASSUMEVALID_HASH]]] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "chain/chain.h"
#include "chain/utxo_stats.h"
#include "script/cache.h"
#include "util/fs.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/time.h"

static double cpu_seconds(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static long peak_kib(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return u.ru_maxrss;
}

static void show_coins(struct chain *c)
{
    const struct block_entry *tip;
    struct coindb_iter *it;
    struct utxo_stats s;

    if (chain_coins_snapshot(c, &it, &tip) != RC_OK || utxo_stats_compute(&s, it, UTXO_HASH_MUHASH, NULL) != RC_OK)
        return;
    coindb_iter_free(it);
    printf("coins %llu, muhash %s\n", (unsigned long long)s.txouts, hash_to_hex(s.hash).s);
}

int main(int argc, char **argv)
{
    char dir[] = "/tmp/farthing-import-XXXXXX", *blocks, *index, *coins, *log, *error = NULL;
    struct log_config lc = {.timestamps = true};
    struct chain_params params;
    struct chain_options o;
    struct chain *c;
    uint64_t n_coins, bytes;
    double start, import, cpu;
    enum rc rc;

    if (argc < 2 || !mkdtemp(dir)) {
        fprintf(stderr, "usage: bench_import FILE [THREADS [DBCACHE_MIB [ASSUMEVALID_HASH]]]\n");
        return 1;
    }
    blocks = fs_join(dir, "blocks");
    index = fs_join(dir, "blocks/index");
    coins = fs_join(dir, "chainstate");
    log = fs_join(dir, "debug.log");
    fs_mkdirs(blocks);
    lc.path = log;
    log_open(&lc);
    chain_params_init(&params, CHAIN_REGTEST);
    o = (struct chain_options){.params = &params,
                               .blocks_dir = blocks,
                               .block_index_dir = index,
                               .chainstate_dir = coins,
                               .dbcache = (size_t)(argc > 3 ? strtoul(argv[3], NULL, 10) : 450) << 20,
                               .script_threads = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 1,
                               .sig_cache = sig_cache_new((size_t)32 << 20),
                               .blocks_xor = true,
                               .max_tip_age = 24 * 60 * 60};
    if (argc > 4 && !hash_from_hex(o.assume_valid.b, argv[4])) {
        fprintf(stderr, "not a hash: %s\n", argv[4]);
        return 1;
    }
    if (chain_open(&c, &o, &error) != RC_OK) {
        fprintf(stderr, "%s\n", error);
        return 1;
    }
    start = (double)time_mono_us() / 1e6;
    rc = chain_import_file(c, argv[1]);
    import = (double)time_mono_us() / 1e6 - start;
    cpu = cpu_seconds();
    chain_cache_stats(c, &n_coins, &bytes);
    printf("%s height %d: %.2f s wall, %.2f s CPU, peak %ld MiB; cache %llu coins, %.1f MiB, %.1f bytes a coin\n", rc_name(rc),
           chain_height(c), import, cpu, peak_kib() / 1024, (unsigned long long)n_coins, (double)bytes / 1048576,
           n_coins ? (double)bytes / (double)n_coins : 0.0);
    start = (double)time_mono_us() / 1e6;
    chain_flush(c);
    printf("flush %.2f s, peak %ld MiB\n", (double)time_mono_us() / 1e6 - start, peak_kib() / 1024);
    if (getenv("BENCH_COINS"))
        show_coins(c);
    rc = chain_close(c);
    if (getenv("BENCH_KEEP"))
        printf("kept in %s\n", dir);
    else
        fs_remove_tree(dir);
    sig_cache_free(o.sig_cache);
    chain_params_clear(&params);
    free(blocks);
    free(index);
    free(coins);
    free(log);
    return rc == RC_OK ? 0 : 1;
}
