/* net_book.c - the address manager in the node: network groups (-asmap), peers.dat at start, from time to time and at the end, and what
 * RPC asks of it. Loop thread; files are written on the I/O pool. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/net_private.h"
#include "util/fs.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/time.h"

#define SAVE_MS (15 * 60 * 1000)
#define HEALTH_MS (24 * 3600 * 1000)
#define MAX_ASMAP ((size_t)256 << 20)
#define MAX_CHECK_RATIO 1000000
#define BAN_SECONDS (24 * 3600)
#define BUG_REPORT "the developers of Farthing"

/* --- Network groups ------------------------------------------------------------------------------------------------------------------ */

/* The file of -asmap. Returns: NULL with the text in *error. */
static struct netgroup *read_asmap(const char *path, char **error)
{
    struct netgroup *g = NULL;
    uint8_t *data = NULL;
    size_t len;
    enum rc rc;

    if (!fs_exists(path)) {
        *error = xasprintf("Could not find asmap file \"%s\"", path);
        return NULL;
    }
    rc = fs_read(path, MAX_ASMAP, &data, &len);
    if (rc == RC_OK) {
        log_info("Opened asmap file \"%s\" (%zu bytes) from disk", path, len);
        g = netgroup_new(data, len);
        if (!g)
            log_warning("Sanity check of asmap file \"%s\" failed", path);
    } else {
        log_warning("Failed to open asmap file from disk");
    }
    free(data);
    if (!g)
        *error = xasprintf("Could not parse asmap file \"%s\"", path);
    return g;
}

static bool open_groups(struct node_net *n, char **error)
{
    const struct args *a = n->config->args;
    const char *name = args_str(a, "asmap", "");
    struct hash256 version;
    char *path;

    if (!args_is_set(a, "asmap") || args_is_negated(a, "asmap")) {
        n->groups = netgroup_new(NULL, 0);
        log_info("Using /16 prefix for IP bucketing");
        return true;
    }
    if (args_bool(a, "asmap", false)) {
        *error = xstrdup("Embedded asmap data not available");
        return false;
    }
    path = name[0] == '/' ? xstrdup(name) : fs_join(n->config->dir.net_dir, name);
    n->groups = read_asmap(path, error);
    free(path);
    if (!n->groups)
        return false;
    version = netgroup_version(n->groups);
    log_info("Using asmap version %s for IP bucketing", hash_to_hex(version.b).s);
    return true;
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

/* How well the map covers the addresses that we know. */
static void log_health(void *arg)
{
    struct node_net *n = arg;
    static const enum net_network networks[] = {NET_IPV4, NET_IPV6};
    size_t total = 0, mapped = 0, systems = 0;
    uint32_t *asns = NULL;

    if (n->stopping)
        return;
    for (size_t i = 0; i < ARRAY_LEN(networks); i++) {
        struct addr_entry *list;
        size_t count = addrman_sample(n->addrman, &list, 0, 0, networks[i], false);
        asns = xrealloc(asns, (mapped + count) * sizeof(*asns));
        for (size_t k = 0; k < count; k++) {
            asns[mapped] = netgroup_asn(n->groups, &list[k].addr);
            mapped += asns[mapped] != 0;
        }
        total += count;
        free(list);
    }
    qsort(asns, mapped, sizeof(*asns), by_number);
    for (size_t i = 0; i < mapped; i++)
        systems += i == 0 || asns[i] != asns[i - 1];
    free(asns);
    log_info("ASMap Health Check: %zu clearnet peers are mapped to %zu ASNs with %zu peers being unmapped", total, systems,
             total - mapped);
}

/* --- peers.dat ----------------------------------------------------------------------------------------------------------------------- */

static bool is_deterministic(const struct args *a)
{
    const char *const *list;
    size_t n = args_list(a, "test", &list);

    while (n > 0 && strcmp(list[n - 1], "addrman") != 0)
        n--;
    return n > 0;
}

static unsigned check_ratio(const struct args *a)
{
    int64_t n = args_int(a, "checkaddrman", 0);

    return n < 0 ? 0 : n > MAX_CHECK_RATIO ? MAX_CHECK_RATIO : (unsigned)n;
}

static void save_now(struct node_net *n)
{
    int64_t start = time_mono_us();

    if (addrman_save(n->addrman, n->book.peers_path, n->config->params.magic) != RC_OK)
        log_error("Failed to write file %s: %s", n->book.peers_path, strerror(errno));
    else
        log_debug(LOG_NET, "Flushed %zu addresses to peers.dat %" PRId64 "ms", addrman_count(n->addrman, NET_UNKNOWN, ADDRMAN_BOTH),
                  (time_mono_us() - start) / 1000);
}

/* A new address manager in place of a file that is not there or cannot be used. */
static void start_afresh(struct node_net *n)
{
    n->addrman = addrman_new(n->groups, is_deterministic(n->config->args), check_ratio(n->config->args));
    save_now(n);
}

static bool open_addrman(struct node_net *n, char **error)
{
    const struct args *a = n->config->args;
    const char *path = n->book.peers_path;
    int64_t start = time_mono_us();
    char *problem, *backup;
    bool ok = true;
    enum rc rc;

    rc = addrman_load(&n->addrman, path, n->config->params.magic, n->groups, is_deterministic(a), check_ratio(a), &problem);
    switch (rc) {
    case RC_OK:
        log_info("Loaded %zu addresses from peers.dat %" PRId64 "ms", addrman_count(n->addrman, NET_UNKNOWN, ADDRMAN_BOTH),
                 (time_mono_us() - start) / 1000);
        break;
    case RC_NOT_FOUND:
        log_info("Creating peers.dat because the file was not found (\"%s\")", path);
        start_afresh(n);
        break;
    case RC_INVALID:
        backup = xasprintf("%s.bak", path);
        ok = rename(path, backup) == 0;
        free(backup);
        if (!ok) {
            *error = xstrdup("Failed to rename invalid peers.dat file. Please move or delete it and try again.");
            break;
        }
        log_warning(
            "Creating new peers.dat because the file version was not compatible (\"%s\"). Original backed up to peers.dat.bak",
            path);
        start_afresh(n);
        break;
    default:
        *error =
            xasprintf("Invalid or corrupt peers.dat (%s). If you believe this is a bug, please report it to " BUG_REPORT
                      ". As a workaround, you can move the file (\"%s\") out of the way (rename, move, or delete) to have a new "
                      "one created on the next start.",
                      problem, path);
        ok = false;
    }
    free(problem);
    return ok;
}

/* --- Writing in the background ------------------------------------------------------------------------------------------------------- */

/* One file's new content. */
struct write_job {
    struct node_net *net;
    const char *path; /* of net->book */
    bool bans;
    uint8_t *data;
    size_t len, n;
    int64_t start;
    enum rc rc;
    int error;
};

static void write_job_free(void *arg)
{
    struct write_job *j = arg;

    free(j->data);
    free(j);
}

static void write_done(void *arg)
{
    struct write_job *j = arg;
    struct node_net *n = j->net;
    int64_t ms = (time_mono_us() - j->start) / 1000;

    *(j->bans ? &n->book.writing_bans : &n->book.writing_peers) = false;
    if (j->rc != RC_OK) {
        log_error("Failed to write file %s: %s", j->path, strerror(j->error));
    } else if (j->bans) {
        log_debug(LOG_NET, "Flushed %zu banned node addresses/subnets to disk %" PRId64 "ms", j->n, ms);
        if (n->book.bans_dirty)
            net_bans_changed(n);
    } else {
        log_debug(LOG_NET, "Flushed %zu addresses to peers.dat %" PRId64 "ms", j->n, ms);
    }
    if (j->rc != RC_OK && j->bans)
        n->book.bans_dirty = true; /* again when they are due next */
    write_job_free(j);
}

static void write_run(void *arg)
{
    struct write_job *j = arg;

    j->rc = fs_write_atomic(j->path, j->data, j->len, 0600);
    j->error = errno;
    loop_post(j->net->loop, write_done, write_job_free, j);
}

static struct write_job *write_job_new(struct node_net *n, const char *path, bool bans)
{
    struct write_job *j = xcalloc(1, sizeof(*j));

    j->net = n;
    j->path = path;
    j->bans = bans;
    j->start = time_mono_us();
    return j;
}

void net_bans_changed(struct node_net *n)
{
    struct write_job *j;
    char *text;

    n->book.bans_dirty = true;
    if (n->book.writing_bans || n->stopping)
        return; /* when that is done, or at the end */
    n->book.bans_dirty = false;
    n->book.writing_bans = true;
    j = write_job_new(n, n->book.bans_path, true);
    j->n = net_bans_encode(n, &text);
    j->data = (uint8_t *)text;
    j->len = strlen(text);
    pool_push(n->io, write_run, j, 0);
}

static void save_bans_now(struct node_net *n)
{
    int64_t start = time_mono_us();
    char *text;
    size_t count = net_bans_encode(n, &text);

    if (fs_write_atomic(n->book.bans_path, text, strlen(text), 0600) != RC_OK)
        log_error("Failed to write file %s: %s", n->book.bans_path, strerror(errno));
    else
        log_debug(LOG_NET, "Flushed %zu banned node addresses/subnets to disk %" PRId64 "ms", count,
                  (time_mono_us() - start) / 1000);
    free(text);
}

static void save_all(void *arg)
{
    struct node_net *n = arg;
    struct write_job *j;
    struct writer w = WRITER_INIT;

    if (n->stopping)
        return;
    if (bans_sweep(n->bans) || n->book.bans_dirty)
        net_bans_changed(n);
    if (n->book.writing_peers)
        return;
    n->book.writing_peers = true;
    j = write_job_new(n, n->book.peers_path, false);
    j->n = addrman_count(n->addrman, NET_UNKNOWN, ADDRMAN_BOTH);
    addrman_encode(&w, n->addrman, n->config->params.magic);
    j->data = w.data;
    j->len = w.len;
    pool_push(n->io, write_run, j, 0);
}

/* --- Start and end ------------------------------------------------------------------------------------------------------------------- */

bool net_book_open(struct node_net *n, char **error)
{
    const char *dir = n->config->dir.net_dir;

    n->book.peers_path = fs_join(dir, "peers.dat");
    n->book.bans_path = fs_join(dir, "banlist.json");
    n->book.ban_time = args_int(n->config->args, "bantime", BAN_SECONDS);
    log_info("init message: Loading P2P addresses…");
    if (!open_groups(n, error) || !open_addrman(n, error))
        return false;
    log_info("init message: Loading banlist…");
    n->bans = bans_new();
    if (!net_bans_read(n, n->book.bans_path)) {
        log_info("Recreating the banlist database");
        bans_clear(n->bans);
        save_bans_now(n);
    }
    loop_every(n->loop, SAVE_MS, save_all, n);
    if (netgroup_has_asmap(n->groups)) {
        log_health(n);
        loop_every(n->loop, HEALTH_MS, log_health, n);
    }
    return true;
}

void net_book_close(struct node_net *n)
{
    if (n->addrman)
        save_now(n);
    if (n->bans && (bans_sweep(n->bans) || n->book.bans_dirty))
        save_bans_now(n);
    addrman_free(n->addrman);
    bans_free(n->bans);
    netgroup_free(n->groups);
    free(n->book.peers_path);
    free(n->book.bans_path);
}

/* --- For RPC ------------------------------------------------------------------------------------------------------------------------- */

size_t node_net_known(struct node_net *n, struct addr_entry **out, size_t max, enum net_network network)
{
    return addrman_sample(n->addrman, out, max, 0, network, true);
}

size_t node_net_known_count(struct node_net *n, enum net_network network, enum addrman_table table)
{
    return addrman_count(n->addrman, network, table);
}

size_t node_net_known_places(struct node_net *n, struct addrman_place **out, enum addrman_table table)
{
    return addrman_places(n->addrman, out, table);
}

uint32_t node_net_asn(struct node_net *n, const struct net_addr *a)
{
    return netgroup_asn(n->groups, a);
}

const char *node_net_add_known(struct node_net *n, const struct net_addr *a, bool tried)
{
    int64_t now = time_now();
    struct addr_entry e = {.time = (uint32_t)now, .services = NODE_NETWORK | NODE_WITNESS, .addr = *a};

    if (!addrman_add(n->addrman, &e, 1, a, 0))
        return "failed-adding-to-new";
    return tried && !addrman_good(n->addrman, a, now) ? "failed-adding-to-tried" : NULL;
}

bool node_net_has_cjdns(struct node_net *n)
{
    return n->set.ways.cjdns;
}
