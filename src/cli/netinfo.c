/* netinfo.c - the dashboard of -netinfo, out of one batch of getpeerinfo and getnetworkinfo: a table of peers from level 1 on, counts by network,
 * local services and addresses. -addrinfo beside it. */
#include "cli/netinfo.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/client.h"
#include "cli/output.h"
#include "cli/reply.h"
#include "cli/request.h"
#include "util/mem.h"

#define MAX_LEVEL 4
#define SERVICES_TEXT 72
#define NUMBER_TEXT 24
#define OLDEST_NODE 209900 /* versions before lack connection types */

enum { ID_PEERS, ID_NETWORK };

static const struct {
    const char *name, *shown;
} networks[] = {{"not_publicly_routable", "npr"},
                {"ipv4", "ipv4"},
                {"ipv6", "ipv6"},
                {"onion", "onion"},
                {"i2p", "i2p"},
                {"cjdns", "cjdns"},
                {"internal", "int"}};
#define N_NETWORKS ARRAY_LEN(networks)
#define ALL N_NETWORKS /* column of sums */

/* One row of the table. */
struct row {
    struct json_object *peer;
    bool outbound;
    size_t network;
    double min_ping, ping; /* seconds, below zero: none */
    char services[SERVICES_TEXT];
    char age[NUMBER_TEXT];
};

/* Counts and widths. */
struct board {
    const struct netinfo *info;
    unsigned counts[3][N_NETWORKS + 1]; /* in, out, both; by network and in all */
    unsigned block_relay, manual;
    struct row *rows;
    size_t n_rows;
    bool asmap;
    int w_services, w_processed, w_limited, w_age, w_id, w_addr;
};

/* --- Arguments ----------------------------------------------------------------------------------------------------------------------- */

bool netinfo_parse(struct netinfo *n, const char *const *words, size_t count, char **error)
{
    static const char help[] = "For more information, run: farthing-cli -netinfo help";
    size_t digits;
    unsigned long level;

    n->level = 0;
    n->out_only = false;
    if (count == 0)
        return true;
    digits = strspn(words[0], "0123456789");
    level = digits && digits <= 3 && !words[0][digits] ? strtoul(words[0], NULL, 10) : 256;
    if (level > 255) {
        *error = xasprintf("invalid -netinfo level argument: %s\n%s", words[0], help);
        return false;
    }
    n->level = level > MAX_LEVEL ? MAX_LEVEL : (unsigned)level;
    if (count == 1)
        return true;
    n->out_only = level && (strcmp(words[1], "o") == 0 || strcmp(words[1], "outonly") == 0);
    if (!n->out_only)
        *error =
            xasprintf("invalid -netinfo outonly argument: %s\n%s%s", words[1],
                      level ? "" : "The outonly argument is only valid for a level greater than 0 (the first argument). ", help);
    return n->out_only;
}

bool netinfo_wants_help(const char *const *words, size_t count)
{
    return count > 0 && (strcmp(words[0], "help") == 0 || strcmp(words[0], "h") == 0);
}

struct json_object *netinfo_request(void)
{
    struct json_object *batch = json_object_new_array();

    json_object_array_add(batch, request_new("getpeerinfo", json_object_new_array(), json_object_new_int(ID_PEERS)));
    json_object_array_add(batch, request_new("getnetworkinfo", json_object_new_array(), json_object_new_int(ID_NETWORK)));
    return batch;
}

/* --- Small texts --------------------------------------------------------------------------------------------------------------------- */

static bool flag(struct json_object *o, const char *key, bool dflt)
{
    struct json_object *v = reply_get(o, key);

    return v ? json_object_get_boolean(v) : dflt;
}

static int64_t number(struct json_object *o, const char *key)
{
    return json_object_get_int64(reply_get(o, key));
}

static double ping_of(struct json_object *o, const char *key)
{
    struct json_object *v = reply_get(o, key);

    return v ? json_object_get_double(v) : -1;
}

static int lower(int c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static const char *element(struct json_object *list, size_t i)
{
    const char *s = json_object_get_string(json_object_array_get_idx(list, i));

    return s ? s : "";
}

/* A letter for each service: "nwl2". */
static void service_letters(char out[SERVICES_TEXT], struct json_object *names)
{
    size_t n = reply_length(names);

    if (n >= SERVICES_TEXT)
        n = SERVICES_TEXT - 1;
    for (size_t i = 0; i < n; i++) {
        const char *s = element(names, i);
        out[i] = (char)(strcmp(s, "NETWORK_LIMITED") == 0 ? 'l' : strcmp(s, "P2P_V2") == 0 ? '2' : lower(s[0]));
    }
    out[n] = 0;
}

static void print_services(struct json_object *names)
{
    for (size_t i = 0; i < reply_length(names); i++) {
        const char *s = element(names, i);
        if (i)
            fputs(", ", stdout);
        for (; *s; s++)
            putchar(*s == '_' ? ' ' : lower(*s));
    }
}

static const char *short_type(const char *type)
{
    static const char *const names[][2] = {
        {"outbound-full-relay", "full"}, {"block-relay-only", "block"}, {"manual", "manual"}, {"feeler", "feeler"},
        {"addr-fetch", "addr"},          {"private-broadcast", "priv"}};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(type, names[i][0]) == 0)
            return names[i][1];
    return "";
}

static const char *number_text(char out[NUMBER_TEXT], int64_t v)
{
    snprintf(out, NUMBER_TEXT, "%" PRId64, v);
    return out;
}

static const char *ping_text(char out[NUMBER_TEXT], double seconds)
{
    double ms = round(1000 * seconds);

    if (seconds < 0)
        return "";
    return !(ms <= 999999) ? "-" : number_text(out, (int64_t)ms);
}

/* How long ago, in units of so many seconds; "" for never. */
static const char *since_text(char out[NUMBER_TEXT], int64_t now, int64_t then, int64_t unit)
{
    return then ? number_text(out, (int64_t)((uint64_t)now - (uint64_t)then) / unit) : "";
}

static size_t network_index(const char *name)
{
    size_t i = 0;

    while (i < N_NETWORKS && strcmp(networks[i].name, name) != 0)
        i++;
    return i;
}

/* --- The table of peers -------------------------------------------------------------------------------------------------------------- */

static void widen(int *width, size_t len)
{
    if (len < 200 && (int)len > *width)
        *width = (int)len;
}

static void add_row(struct board *b, struct json_object *peer, bool outbound, size_t network)
{
    struct row *r = &b->rows[b->n_rows++];
    char text[NUMBER_TEXT];

    r->peer = peer;
    r->outbound = outbound;
    r->network = network;
    r->min_ping = ping_of(peer, "minping");
    r->ping = ping_of(peer, "pingtime");
    service_letters(r->services, reply_get(peer, "servicesnames"));
    snprintf(r->age, sizeof(r->age), "%s", since_text(text, b->info->now, number(peer, "conntime"), 60));
    widen(&b->w_addr, strlen(reply_text(peer, "addr")) + 1);
    widen(&b->w_processed, strlen(number_text(text, number(peer, "addr_processed"))));
    widen(&b->w_limited, strlen(number_text(text, number(peer, "addr_rate_limited"))));
    widen(&b->w_age, strlen(r->age));
    widen(&b->w_id, strlen(number_text(text, number(peer, "id"))));
    widen(&b->w_services, strlen(r->services));
    b->asmap |= number(peer, "mapped_as") != 0;
}

static void count_peers(struct board *b, struct json_object *peers)
{
    b->rows = xcalloc(reply_length(peers) + 1, sizeof(*b->rows));
    for (size_t i = 0; i < reply_length(peers); i++) {
        struct json_object *peer = json_object_array_get_idx(peers, i);
        bool outbound = !flag(peer, "inbound", false);
        size_t network = network_index(reply_text(peer, "network"));
        const char *type = reply_text(peer, "connection_type");
        if (network == N_NETWORKS)
            continue;
        b->counts[outbound][network]++;
        b->counts[outbound][ALL]++;
        b->counts[2][network]++;
        b->counts[2][ALL]++;
        b->block_relay += strcmp(type, "block-relay-only") == 0;
        b->manual += strcmp(type, "manual") == 0;
        if (b->info->level && (outbound || !b->info->out_only))
            add_row(b, peer, outbound, network);
    }
}

static int by_direction_and_ping(const void *x, const void *y)
{
    const struct row *a = x, *b = y;

    if (a->outbound != b->outbound)
        return a->outbound ? 1 : -1;
    return (a->min_ping > b->min_ping) - (a->min_ping < b->min_ping);
}

static void print_row(const struct board *b, const struct row *r)
{
    struct json_object *p = r->peer;
    const char *transport = reply_text(p, "transport_protocol_type"), *type = short_type(reply_text(p, "connection_type"));
    char t[NUMBER_TEXT], version[NUMBER_TEXT];
    int64_t now = b->info->now, as = number(p, "mapped_as"), processed = number(p, "addr_processed"),
            limited = number(p, "addr_rate_limited"), tx = number(p, "last_transaction");
    bool with_addr = b->info->level == 2 || b->info->level == 4, with_version = b->info->level >= 3 && number(p, "version");

    printf("%3s %6s %5s %*s ", r->outbound ? "out" : "in", type, networks[r->network].shown, b->w_services, r->services);
    printf("%2c", !*transport ? '1' : transport[0] == 'v' && strlen(transport) == 2 ? transport[1] : ' ');
    printf("%7s", ping_text(t, r->min_ping));
    printf("%7s", ping_text(t, r->ping));
    printf("%5s", since_text(t, now, number(p, "lastsend"), 1));
    printf("%5s", since_text(t, now, number(p, "lastrecv"), 1));
    printf("%5s", tx || flag(p, "relaytxes", true) ? since_text(t, now, tx, 60) : "*");
    printf("%5s", since_text(t, now, number(p, "last_block"), 60));
    printf("  %c%c ", flag(p, "bip152_hb_to", false) ? '.' : ' ', flag(p, "bip152_hb_from", false) ? '*' : ' ');
    printf("%*s", b->w_processed, processed ? number_text(t, processed) : flag(p, "addr_relay_enabled", false) ? "" : ".");
    printf("%*s", b->w_limited, limited ? number_text(t, limited) : "");
    printf("%*s%*s ", b->w_age, r->age, b->asmap ? 7 : 0, as ? number_text(t, as) : "");
    printf("%*s ", b->w_id, number_text(t, number(p, "id")));
    printf("%-*s", with_addr ? b->w_addr : 0, with_addr ? reply_text(p, "addr") : "");
    printf("%s%s\n", with_version ? number_text(version, number(p, "version")) : "", with_version ? reply_text(p, "subver") : "");
}

static void print_rows(struct board *b)
{
    bool with_addr = b->info->level == 2 || b->info->level == 4;

    qsort(b->rows, b->n_rows, sizeof(*b->rows), by_direction_and_ping);
    printf("<->   type   net %*s  v  mping   ping send recv  txn  blk  hb %*s%*s%*s ", b->w_services, "serv", b->w_processed,
           "addrp", b->w_limited, "addrl", b->w_age, "age");
    if (b->asmap)
        fputs(" asmap ", stdout);
    printf("%*s %-*s%s\n", b->w_id, "id", with_addr ? b->w_addr : 0, with_addr ? "address" : "",
           b->info->level >= 3 ? "version" : "");
    for (size_t i = 0; i < b->n_rows; i++)
        print_row(b, &b->rows[i]);
    printf("                %*s         ms     ms  sec  sec  min  min                %*s\n\n", b->w_services, "", b->w_age, "min");
}

/* --- Counts and local addresses ------------------------------------------------------------------------------------------------------ */

static void print_counts(const struct board *b, struct json_object *network)
{
    static const char *const names[] = {"in", "out", "total"};
    struct json_object *list = reply_get(network, "networks");
    size_t columns[2 * N_NETWORKS], n = 0;

    for (size_t i = 0; i < reply_length(list); i++) {
        struct json_object *o = json_object_array_get_idx(list, i);
        size_t k = network_index(reply_text(o, "name"));
        if (k < N_NETWORKS && n < N_NETWORKS && flag(o, "reachable", false))
            columns[n++] = k;
    }
    fputs("     ", stdout);
    for (size_t i = 0; i < n; i++)
        printf("%8s", networks[columns[i]].name);
    for (size_t k = 0; k < N_NETWORKS; k++) { /* those that have no line of their own there */
        if ((k != 0 && k != N_NETWORKS - 1) || !b->counts[2][k])
            continue;
        printf("%8s", networks[k].shown);
        columns[n++] = k;
    }
    printf("   total   block%s", b->manual ? "  manual" : "");
    for (size_t row = 0; row < 3; row++) {
        printf("\n%-5s", names[row]);
        for (size_t i = 0; i < n; i++)
            printf("%8u", b->counts[row][columns[i]]);
        printf("   %5u", b->counts[row][ALL]);
        if (row == 1)
            printf("   %5u", b->block_relay);
        if (row == 1 && b->manual)
            printf("   %5u", b->manual);
    }
}

static void print_local_addresses(struct json_object *list)
{
    int width = 0;

    fputs("\n\nLocal addresses", stdout);
    if (reply_length(list) == 0)
        fputs(": n/a\n", stdout);
    for (size_t i = 0; i < reply_length(list); i++)
        widen(&width, strlen(reply_text(json_object_array_get_idx(list, i), "address")) + 1);
    for (size_t i = 0; i < reply_length(list); i++) {
        struct json_object *o = json_object_array_get_idx(list, i);
        printf("\n%-*s    port %6" PRId64 "    score %6" PRId64, width, reply_text(o, "address"), number(o, "port"),
               number(o, "score"));
    }
    putchar('\n');
}

static void print_head(const struct netinfo *n, struct json_object *network)
{
    char letters[SERVICES_TEXT];
    bool is_main = strcmp(n->chain, "main") == 0;

    printf("%s%s%s - server %s%s", n->client, is_main ? "" : " ",
           is_main                         ? ""
           : strcmp(n->chain, "test") == 0 ? "testnet"
                                           : n->chain,
           reply_text(network, "protocolversion"), reply_text(network, "subversion"));
    if (n->level) {
        service_letters(letters, reply_get(network, "localservicesnames"));
        printf(" - services %s", letters);
    }
    fputs("\n\n", stdout);
}

int netinfo_print(const struct netinfo *n, struct json_object *replies)
{
    struct board b = {.info = n, .w_services = 6, .w_processed = 5, .w_limited = 6, .w_age = 5, .w_id = 2};
    struct json_object *error, *peers, *network;
    const char *wrong;

    wrong = reply_batch_error(replies, ID_NETWORK + 1);
    if (wrong)
        return client_fail(xstrdup(wrong));
    peers = reply_of(replies, ID_PEERS, &error);
    if (error)
        return output_error(error);
    network = reply_of(replies, ID_NETWORK, &error);
    if (error)
        return output_error(error);
    if (!peers || !network)
        return client_fail(xstrdup("Batch result missing"));
    if (number(network, "version") < OLDEST_NODE)
        return client_fail(xstrdup("-netinfo requires a node of Bitcoin Core's version v0.21.0 and up"));
    count_peers(&b, peers);
    print_head(n, network);
    if (b.n_rows)
        print_rows(&b);
    print_counts(&b, network);
    if (!n->level) {
        fputs("\n\nLocal services: ", stdout);
        print_services(reply_get(network, "localservicesnames"));
    }
    print_local_addresses(reply_get(network, "localaddresses"));
    free(b.rows);
    return EXIT_SUCCESS;
}

void netinfo_help(void)
{
    fputs(
        "-netinfo (level [outonly]) | help\n\n"
        "Shows the node's connections, by getpeerinfo and getnetworkinfo. It is for people: its form may change.\n\n"
        "level    0 (default)  counts of peers by network, local services and addresses\n"
        "         1            a table of peers in front of these\n"
        "         2            the same with the peers' addresses\n"
        "         3            the same with their versions\n"
        "         4 and above  with both\n"
        "outonly  (or \"o\")     only outbound peers in the table; needs a level above 0\n\n"
        "Columns of the table, which is ordered by direction and least ping:\n"
        "  <->      in: the peer connected to us; out: we connected to it\n"
        "  type     full: relays everything; block: blocks only; manual: by addnode or -connect; feeler: a test of an address;\n"
        "           addr: fetches addresses; priv: broadcasts a transaction of ours\n"
        "  net      ipv4, ipv6, onion, i2p, cjdns, or npr: not publicly routable\n"
        "  serv     services: n full chain, b bloom filters, w witnesses, c block filters, l the last 288 blocks, 2 transport v2,\n"
        "           u unknown\n"
        "  v        version of the transport\n"
        "  mping    least ping time in milliseconds\n"
        "  ping     last ping time in milliseconds\n"
        "  send     seconds since we sent something\n"
        "  recv     seconds since we received something\n"
        "  txn      minutes since it brought a new transaction; * if we relay none to it\n"
        "  blk      minutes since it brought a new block\n"
        "  hb       high-bandwidth compact blocks: . we asked it to, * it asked us to\n"
        "  addrp    addresses of it that were processed; . if we relay none to it\n"
        "  addrl    addresses of it that were over its rate limit\n"
        "  age      minutes since it connected\n"
        "  asmap    its autonomous system (with -asmap)\n"
        "  id       number of the peer\n"
        "  address  address and port\n"
        "  version  protocol version and user agent\n\n"
        "Examples:\n"
        "> farthing-cli -netinfo\n"
        "> farthing-cli -netinfo 4 outonly\n"
        "> watch --interval 1 --no-title farthing-cli -netinfo 4\n",
        stdout);
}

struct json_object *addrinfo_result(struct json_object *info)
{
    struct json_object *result = json_object_new_object(), *known = json_object_new_object();

    if (json_object_is_type(info, json_type_object)) {
        json_object_object_foreach(info, key, counts)
        {
            const char *name = strcmp(key, "all_networks") == 0 ? "total" : key;
            json_object_object_add(known, name, json_object_new_int64(number(counts, "total")));
        }
    }
    json_object_object_add(result, "addresses_known", known);
    return result;
}
