/* test_addrman.c - the address manager: places as Bitcoin Core's, rules of the tables, its file and hostile ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/sha256.h"
#include "net/addrman_priv.h"
#include "util/fs.h"
#include "util/mem.h"
#include "util/time.h"

#define NOW 1790000000

static const uint8_t magic[4] = {0xfa, 0xbf, 0xb5, 0xda};

struct fixture {
    struct netgroup *groups;
    struct addrman *a;
};

static int set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));

    time_mock_set(NOW);
    f->groups = netgroup_new(NULL, 0);
    f->a = addrman_new(f->groups, true, 1); /* each operation is checked */
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    addrman_free(f->a);
    netgroup_free(f->groups);
    free(f);
    time_mock_set(0);
    return 0;
}

static struct net_addr parse(const char *text)
{
    struct net_addr a;

    assert_true(net_addr_parse(&a, text, 8333));
    if (strncmp(text, "fc", 2) == 0)
        net_addr_flip_cjdns(&a);
    return a;
}

static bool add_from(struct addrman *a, const char *text, const char *source, uint32_t time, int64_t penalty)
{
    struct addr_entry e = {.time = time, .services = 9, .addr = parse(text)};
    struct net_addr from = parse(source);

    return addrman_add(a, &e, 1, &from, penalty);
}

static bool add(struct addrman *a, const char *text)
{
    return add_from(a, text, text, NOW, 0);
}

static const struct record *record_of(const struct addrman *a, const char *text)
{
    struct net_addr addr = parse(text);
    int32_t id = addrman_find(a, &addr);

    assert_int_not_equal(id, NO_RECORD);
    return &a->records[id];
}

/* Bitcoin Core v31.99, -test=addrman: addpeeraddress and then getrawaddrman. */
static void places_are_cores(void **state)
{
    static const struct {
        const char *addr;
        uint16_t port;
        bool tried;
        int bucket, position;
    } cases[] = {
        {"1.2.3.4", 8333, true, 6, 33},
        {"2.0.0.0", 8333, false, 82, 8},
        {"250.0.1.9", 8333, false, 0, 22},
        {"91.125.172.33", 8333, true, 2, 8},
        {"2803:0:1234:abcd::1", 45324, false, 613, 6},
        {"2a02:29e0:1:420::64", 18333, false, 4, 38},
        {"2002:102:304::1", 8333, false, 774, 46},
        {"2001:0:1111:2222::abcd", 8333, false, 836, 38},
        {"64:ff9b::808:808", 8333, true, 197, 42},
        {"2001:470:1f2a:8d::2", 8333, false, 906, 14},
        {"fc00:1:2:3:4:5:6:7", 8333, false, 336, 24},
        {"fc55:6715:db3d:3f44:ec62:ea3d:ada9:cccb", 8333, true, 243, 15},
        {"mdj4zxy5afohbhm5qdwcbzzpqsdi5w6ur24obkkjcctzj76dgtkedqqd.onion", 18333, false, 10, 4},
        {"4rw4wtyzql7l4ifnvae3jgxza3pfg5izae6olk5jrgyh77cmgsljjiyd.onion", 8333, true, 4, 26},
        {"c4gfnttsuwqomiygupdqqqyy5y5emnk5c73hrfvatri67prd7vyq.b32.i2p", 8333, false, 963, 46},
        {"sxpzpfhep56dxkxpdfk2ntqmm3hkvljjumngdtlxrovotncq4leq.b32.i2p", 0, true, 0, 24},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct addrman *a = addrman_new(f->groups, true, 1);
        struct addr_entry e = {.time = NOW, .services = 9, .addr = parse(cases[i].addr)};
        struct addrman_place *p;
        e.addr.port = cases[i].port;
        assert_true(addrman_add(a, &e, 1, &e.addr, 0));
        if (cases[i].tried)
            assert_true(addrman_good(a, &e.addr, NOW));
        assert_int_equal(addrman_places(a, &p, ADDRMAN_BOTH), 1);
        assert_int_equal(p->tried, cases[i].tried);
        assert_int_equal(p->bucket, cases[i].bucket);
        assert_int_equal(p->position, cases[i].position);
        assert_true(net_addr_equal(&p->entry.addr, &e.addr));
        free(p);
        addrman_free(a);
    }
}

static void only_routable_addresses(void **state)
{
    static const char *const unwanted[] = {"10.0.0.1", "127.0.0.1", "0.0.0.1", "255.255.255.255", "::1", "fd00::1", "2001:db8::1"};
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(unwanted); i++)
        assert_false(add_from(f->a, unwanted[i], "8.8.8.8", NOW, 0));
    assert_int_equal(addrman_count(f->a, NET_UNKNOWN, ADDRMAN_BOTH), 0);
    assert_true(add(f->a, "8.8.8.8"));
    assert_true(add(f->a, "8.8.8.8:8334")); /* another port is another node */
    assert_false(add(f->a, "8.8.8.8"));
    assert_int_equal(addrman_count(f->a, NET_IPV4, ADDRMAN_NEW), 2);
    assert_int_equal(addrman_count(f->a, NET_IPV4, ADDRMAN_TRIED), 0);
    assert_int_equal(addrman_count(f->a, NET_IPV6, ADDRMAN_BOTH), 0);
}

static void times(void **state)
{
    struct fixture *f = *state;
    struct addrman *a = f->a;
    struct net_addr addr = parse("1.2.3.4");

    assert_true(add_from(a, "1.2.3.4", "8.8.8.8", NOW - 10000, 7200));
    assert_int_equal(record_of(a, "1.2.3.4")->time, NOW - 17200);
    /* moves only if it is an hour newer behind the penalty */
    add_from(a, "1.2.3.4", "8.8.8.8", NOW - 10000 + 3600, 7200);
    assert_int_equal(record_of(a, "1.2.3.4")->time, NOW - 17200);
    add_from(a, "1.2.3.4", "8.8.8.8", NOW - 10000 + 3601, 7200);
    assert_int_equal(record_of(a, "1.2.3.4")->time, NOW - 13599);
    add_from(a, "1.2.3.4", "8.8.8.8", NOW - 9900 + 3600, 7200);
    assert_int_equal(record_of(a, "1.2.3.4")->time, NOW - 13599);
    add_from(a, "1.2.3.4", "1.2.3.4", NOW, 7200); /* of itself: no penalty */
    assert_int_equal(record_of(a, "1.2.3.4")->time, NOW);
    assert_true(add_from(a, "1.2.3.5", "8.8.8.8", 100, 7200));
    assert_int_equal(record_of(a, "1.2.3.5")->time, 0);

    addrman_connected(a, &addr, NOW + 1200);
    assert_int_equal(record_of(a, "1.2.3.4")->time, NOW);
    addrman_connected(a, &addr, NOW + 1201);
    assert_int_equal(record_of(a, "1.2.3.4")->time, NOW + 1201);
    addrman_set_services(a, &addr, 1033);
    assert_int_equal(record_of(a, "1.2.3.4")->services, 1033);
}

/* Full tables are 82,000 records: a few bytes each are worth the trouble. A source stands once, and not longer than what it told us. */
static void sources_are_shared(void **state)
{
    struct fixture *f = *state;
    struct addrman *a = f->a;
    struct net_addr source[3] = {parse("250.1.1.1"), parse("250.1.1.2"), parse("250.1.1.3")};
    char text[NET_ADDR_TEXT];

    assert_int_equal(sizeof(struct record), 80);
    for (int i = 0; i < 300; i++) {
        struct addr_entry e = {.time = NOW, .services = NODE_NETWORK};
        snprintf(text, sizeof(text), "%d.%d.9.9", 20 + i % 100, i / 100 + 1);
        e.addr = parse(text);
        addrman_add(a, &e, 1, &source[i % 3], 0);
    }
    assert_int_equal(a->sources.n_used, 3);
    while (a->n) {
        struct record *r = &a->records[a->order[a->n - 1]];
        struct net_addr from = record_source(a, r);
        assert_true(net_addr_same_ip(&from, &source[0]) || net_addr_same_ip(&from, &source[1]) ||
                    net_addr_same_ip(&from, &source[2]));
        r->refs = 0;
        addrman_delete(a, a->order[a->n - 1]);
    }
    assert_int_equal(a->sources.n_used, 0);
    memset(a->fresh, 0xff, sizeof(a->fresh));
    memset(a->counts, 0, sizeof(a->counts));
    a->n_new = 0;
    for (int i = 0; i < 500; i++) { /* as many sources, through several sizes of their table */
        struct addr_entry e = {.time = NOW, .services = NODE_NETWORK};
        snprintf(text, sizeof(text), "%d.%d.9.9", 20 + i % 100, i / 100 + 1);
        e.addr = parse(text);
        addrman_add(a, &e, 1, &e.addr, 0);
    }
    for (size_t i = 0; i < a->n; i++) {
        struct net_addr addr = record_addr(&a->records[a->order[i]]), from = record_source(a, &a->records[a->order[i]]);
        assert_true(net_addr_same_ip(&addr, &from));
    }
    assert_int_equal(a->sources.n_used, a->n);
    assert_int_equal(addrman_check(a), 0);
}

static void attempts(void **state)
{
    struct fixture *f = *state;
    struct addrman *a = f->a;
    struct net_addr addr = parse("1.2.3.4"), other = parse("5.6.7.8");
    const struct record *r;

    add(a, "1.2.3.4");
    add(a, "5.6.7.8");
    r = record_of(a, "1.2.3.4");
    assert_true(record_chance(r, NOW) == 1.0);
    addrman_attempt(a, &addr, false, NOW - 1000);
    assert_int_equal(r->attempts, 0);
    assert_int_equal(r->last_try, NOW - 1000);
    addrman_attempt(a, &addr, true, NOW - 900);
    addrman_attempt(a, &addr, true, NOW - 800);
    assert_int_equal(r->attempts, 1); /* nothing has worked since the last one: it is our network */
    for (int i = 1; i < 12; i++) {
        addrman_good(a, &other, NOW - 800 + i);
        addrman_attempt(a, &addr, true, NOW - 800 + i);
        assert_int_equal(r->attempts, 1 + i);
    }
    assert_true(record_chance(r, NOW - 100) < 1 / 27.0 && record_chance(r, NOW - 100) > 1 / 29.0);
    assert_true(record_chance(r, NOW - 700) < 0.0004); /* just tried */
    assert_true(record_is_terrible(r, NOW));
    assert_false(record_is_terrible(r, NOW - 760)); /* within a minute of the attempt it may still answer */
    addrman_good(a, &addr, NOW);
    assert_int_equal(r->attempts, 0);
    assert_false(record_is_terrible(r, NOW + 100));
    assert_true(record_is_terrible(r, NOW + 30 * 86400 + 1));
    assert_true(record_is_terrible(record_of(a, "5.6.7.8"), NOW - 601)); /* seen in the future */
}

static void choosing(void **state)
{
    struct fixture *f = *state;
    struct addrman *a = f->a;
    struct addr_entry e;
    struct net_addr onion = parse("pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion");
    int64_t last;
    char text[32];
    unsigned tried = 0;

    assert_false(addrman_select(a, false, ADDRMAN_NETWORKS_ALL, &e, &last));
    add(a, "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion");
    addrman_good(a, &onion, NOW - 50000);
    assert_false(addrman_select(a, true, ADDRMAN_NETWORKS_ALL, &e, &last)); /* none in the new table */
    assert_true(addrman_select(a, false, ADDRMAN_NETWORKS_ALL, &e, &last));
    assert_true(net_addr_equal(&e.addr, &onion));
    assert_int_equal(last, NOW - 50000);
    for (int i = 0; i < 100; i++) {
        snprintf(text, sizeof(text), "%d.7.7.7", i + 20);
        add(a, text);
    }
    add(a, "2a00::1");
    assert_false(addrman_select(a, false, ADDRMAN_NETWORK(NET_I2P), &e, &last));
    assert_false(addrman_select(a, true, ADDRMAN_NETWORK(NET_ONION), &e, &last));
    for (int i = 0; i < 100; i++) {
        assert_true(addrman_select(a, false, ADDRMAN_NETWORKS_ALL, &e, &last));
        tried += e.addr.network == NET_ONION;
        assert_true(addrman_select(a, false, ADDRMAN_NETWORK(NET_IPV6) | ADDRMAN_NETWORK(NET_I2P), &e, &last));
        assert_int_equal(e.addr.network, NET_IPV6);
        assert_true(addrman_select(a, true, ADDRMAN_NETWORK(NET_IPV4), &e, &last));
        assert_int_equal(e.addr.network, NET_IPV4);
        assert_int_equal(last, 0);
    }
    assert_true(tried > 20 && tried < 80); /* either table in half the cases, full or not */
}

static void sampling(void **state)
{
    struct fixture *f = *state;
    struct addrman *a = f->a;
    struct addr_entry *list;
    char text[32];
    size_t n;

    for (int i = 0; i < 200; i++) {
        snprintf(text, sizeof(text), "%d.%d.9.9", i + 1 + (i >= 9) + (i >= 126), i);
        add(a, text);
    }
    add(a, "2002:102:304::1");
    add_from(a, "1.1.1.1", "1.1.1.1", NOW - 31 * 86400, 0); /* too old to tell others */
    n = addrman_count(a, NET_UNKNOWN, ADDRMAN_BOTH);
    assert_true(n > 150);
    assert_int_equal(addrman_sample(a, &list, 0, 0, NET_UNKNOWN, true), n - 1);
    for (size_t i = 0; i + 1 < n; i++)
        for (size_t k = 0; k < i; k++)
            assert_false(net_addr_equal(&list[i].addr, &list[k].addr));
    free(list);
    assert_int_equal(addrman_sample(a, &list, 0, 0, NET_UNKNOWN, false), n);
    free(list);
    assert_int_equal(addrman_sample(a, &list, 0, 23, NET_UNKNOWN, true), n * 23 / 100);
    free(list);
    assert_int_equal(addrman_sample(a, &list, 5, 23, NET_UNKNOWN, true), 5);
    free(list);
    assert_int_equal(addrman_sample(a, &list, 0, 0, NET_IPV6, false), 0); /* the tunnel counts as IPv4 */
    free(list);
    assert_int_equal(addrman_sample(a, &list, 0, 0, NET_IPV4, false), n);
    free(list);
}

/* 1.2.5.45 belongs where 1.2.3.4 stands. */
static void collisions(void **state)
{
    struct fixture *f = *state;
    struct addrman *a = f->a;
    struct net_addr old = parse("1.2.3.4"), fresh = parse("1.2.5.45");
    struct addr_entry e;
    int64_t last;

    add(a, "1.2.3.4");
    add(a, "1.2.5.45");
    assert_true(addrman_good(a, &old, NOW));
    assert_false(addrman_good(a, &old, NOW)); /* it is there already */
    assert_false(addrman_good(a, &fresh, NOW));
    assert_false(addrman_good(a, &fresh, NOW));
    assert_int_equal(a->n_collisions, 1);
    assert_true(addrman_select_collision(a, &e, &last));
    assert_true(net_addr_equal(&e.addr, &old));
    addrman_resolve_collisions(a); /* the old one has answered lately and stays */
    assert_int_equal(a->n_collisions, 0);
    assert_false(addrman_select_collision(a, &e, &last));
    assert_true(record_of(a, "1.2.3.4")->tried);

    /* The old one is tested and does not answer. */
    time_mock_set(NOW + 5 * 3600);
    assert_false(addrman_good(a, &fresh, NOW + 5 * 3600));
    addrman_resolve_collisions(a);
    assert_int_equal(a->n_collisions, 1); /* wait for the test */
    addrman_attempt(a, &old, true, NOW + 5 * 3600);
    time_mock_set(NOW + 5 * 3600 + 60);
    addrman_resolve_collisions(a);
    assert_int_equal(a->n_collisions, 1); /* let it end */
    time_mock_set(NOW + 5 * 3600 + 61);
    addrman_resolve_collisions(a);
    assert_int_equal(a->n_collisions, 0);
    assert_true(record_of(a, "1.2.5.45")->tried);
    assert_false(record_of(a, "1.2.3.4")->tried);
    assert_int_equal(record_of(a, "1.2.3.4")->refs, 1);
    assert_int_equal(addrman_count(a, NET_IPV4, ADDRMAN_NEW), 1);
    assert_int_equal(addrman_count(a, NET_IPV4, ADDRMAN_TRIED), 1);

    /* Nobody finds the time to test: after forty minutes the new one wins anyway. */
    time_mock_set(NOW + 10 * 3600);
    assert_false(addrman_good(a, &old, NOW + 10 * 3600));
    time_mock_set(NOW + 10 * 3600 + 2401);
    addrman_resolve_collisions(a);
    assert_true(record_of(a, "1.2.3.4")->tried);
}

/* Many operations in a random order; addrman_check runs within each. */
static void random_walk(void **state)
{
    struct fixture *f = *state;
    struct addrman *a = addrman_new(f->groups, true, 200);
    struct rng rng;
    size_t most = 0;

    rng_init_seed(&rng, 1);
    for (int i = 0; i < 30000; i++) {
        struct addr_entry e = {.time = (uint32_t)(NOW + i - rng_below(&rng, 40 * 86400)), .services = 1};
        struct net_addr source = {.network = NET_IPV4, .ip = {(uint8_t)(rng_below(&rng, 100) + 11), 1, 1, 1}};
        int64_t last;
        e.addr.network = rng_below(&rng, 4) ? NET_IPV4 : NET_ONION;
        e.addr.port = 8333;
        e.addr.ip[0] = (uint8_t)(rng_below(&rng, 40) + 11);
        e.addr.ip[1] = (uint8_t)rng_below(&rng, 200);
        e.addr.ip[2] = (uint8_t)rng_below(&rng, 3);
        time_mock_set(NOW + i);
        switch (rng_below(&rng, 8)) {
        case 0:
            addrman_good(a, &e.addr, NOW + i);
            break;
        case 1:
            addrman_attempt(a, &e.addr, true, NOW + i);
            break;
        case 2:
            if (i % 100 == 0)
                addrman_resolve_collisions(a);
            addrman_select(a, i & 1, i & 2 ? ADDRMAN_NETWORK(NET_ONION) : 0, &e, &last);
            break;
        default:
            addrman_add(a, &e, 1, &source, 7200);
        }
        if (a->n > most)
            most = a->n;
    }
    assert_int_equal(addrman_check(a), 0);
    assert_true(most > 3000);
    assert_true(a->n_tried > 200);
    assert_true(a->n_records < most + 2); /* records are used again */
    addrman_free(a);
}

/* --- The file ------------------------------------------------------------------------------------------------------------------------ */

static void fill(struct addrman *a)
{
    char text[64];
    struct net_addr addr;

    for (int i = 0; i < 300; i++) {
        snprintf(text, sizeof(text), i % 3 ? "%d.%d.1.1" : "2a%02d:%d::1", i % 50 + 11, i % 256);
        add_from(a, text, i % 2 ? "8.8.8.8" : "9.9.9.9", NOW - (uint32_t)i, 0);
        addr = parse(text);
        if (i % 4 == 0)
            addrman_good(a, &addr, NOW);
    }
    add_from(a, "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion", "8.8.8.8", NOW, 0);
}

static void assert_same(struct addrman *a, struct addrman *b)
{
    struct addrman_place *p, *q;
    size_t n = addrman_places(a, &p, ADDRMAN_BOTH);

    assert_int_equal(addrman_places(b, &q, ADDRMAN_BOTH), n);
    assert_true(n > 250);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(p[i].bucket, q[i].bucket);
        assert_int_equal(p[i].position, q[i].position);
        assert_int_equal(p[i].tried, q[i].tried);
        assert_int_equal(p[i].entry.time, q[i].entry.time);
        assert_int_equal(p[i].entry.services, q[i].entry.services);
        assert_true(net_addr_equal(&p[i].entry.addr, &q[i].entry.addr));
        assert_true(net_addr_equal(&p[i].source, &q[i].source));
    }
    free(p);
    free(q);
}

static void file_round_trip(void **state)
{
    struct fixture *f = *state;
    char path[] = "/tmp/farthing-addrman-XXXXXX", *problem;
    int fd = mkstemp(path);
    struct addrman *b;

    close(fd);
    unlink(path);
    assert_int_equal(addrman_load(&b, path, magic, f->groups, false, 1, &problem), RC_NOT_FOUND);
    assert_null(b);
    assert_null(problem);
    fill(f->a);
    assert_int_equal(addrman_save(f->a, path, magic), RC_OK);
    assert_int_equal(addrman_load(&b, path, magic, f->groups, false, 1, &problem), RC_OK);
    assert_same(f->a, b);
    assert_int_equal(record_of(b, "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion")->refs, 1);
    addrman_free(b);
    unlink(path);
}

/* Replaces the checksum. */
static void seal(uint8_t *data, size_t len)
{
    sha256d(data + len - 32, data, len - 32);
}

static void expect(struct fixture *f, const uint8_t *data, size_t len, enum rc rc, const char *text)
{
    struct addrman *b = addrman_new(f->groups, true, 1);
    char *problem;

    assert_int_equal(addrman_decode(b, data, len, magic, &problem), rc);
    if (rc == RC_OK)
        assert_null(problem);
    else
        assert_string_equal(problem, text);
    free(problem);
    addrman_free(b);
}

#define AT_FORMAT 4
#define AT_COMPATIBLE 5
#define AT_KEY 6
#define AT_NEW 38
#define AT_TRIED 42
#define AT_FIRST 50

static void hostile_files(void **state)
{
    struct fixture *f = *state;
    struct writer w = WRITER_INIT;
    uint8_t *copy;
    size_t len;

#define FRESH() (memcpy(copy, w.data, w.len), len = w.len)
    fill(f->a);
    addrman_encode(&w, f->a, magic);
    copy = xmalloc(w.len + 64);
    FRESH();
    expect(f, copy, len, RC_OK, NULL);
    copy[len] = 1; /* more than the file: ignored */
    expect(f, copy, len + 1, RC_OK, NULL);
    for (size_t cut = 0; cut < len; cut += cut < 200 ? 1 : 997)
        expect(f, copy, cut, RC_CORRUPT, "AutoFile::read: end of file: iostream error");
    expect(f, copy, len - 1, RC_CORRUPT, "AutoFile::read: end of file: iostream error");
    copy[0] ^= 1;
    expect(f, copy, len, RC_CORRUPT, "Invalid network magic number");
    FRESH();
    copy[len - 1] ^= 1;
    expect(f, copy, len, RC_CORRUPT, "Checksum mismatch, data corrupted");
    FRESH();
    copy[AT_COMPATIBLE] = 31;
    expect(f, copy, len, RC_CORRUPT,
           "Corrupted addrman database: The compat value (31) is lower than the expected minimum value 32.: iostream error");
    copy[AT_COMPATIBLE] = 32 + 5;
    copy[AT_FORMAT] = 6;
    expect(
        f, copy, len, RC_INVALID,
        "Unsupported format of addrman database: 6. It is compatible with formats >=5, but the maximum supported by this version "
        "of Farthing is 4.: iostream error");
    FRESH();
    put_le32(copy + AT_NEW, 65537);
    expect(f, copy, len, RC_CORRUPT, "Corrupt AddrMan serialization: nNew=65537, should be in [0, 65536]: iostream error");
    FRESH();
    put_le32(copy + AT_TRIED, (uint32_t)-1);
    expect(f, copy, len, RC_CORRUPT, "Corrupt AddrMan serialization: nTried=-1, should be in [0, 16384]: iostream error");
    FRESH();
    put_le32(copy + AT_FIRST, 1u << 28);
    expect(f, copy, len, RC_CORRUPT, "Unsupported CAddress disk format version: iostream error");
    FRESH();
    memset(copy + AT_KEY, 0, 32); /* a null key, with every address where that puts it */
    seal(copy, len);
    expect(f, copy, len, RC_CORRUPT, "Corrupt data. Consistency check failed with code -16: iostream error");
    free(copy);
    writer_clear(&w);
}

/* A file of format 1 as old versions wrote it: IPv4-mapped addresses, no hash of an AS map, 256 buckets. */
static void old_formats(void **state)
{
    struct fixture *f = *state;
    struct writer w = WRITER_INIT;
    struct addrman *b = addrman_new(f->groups, true, 1);
    static const uint8_t torv2[6] = {0xfd, 0x87, 0xd8, 0x7e, 0xeb, 0x43};
    char *problem;
    uint8_t ip[16], hash[32] = {1};

    write_bytes(&w, magic, 4);
    write_u8(&w, 1);
    write_u8(&w, 32);
    write_bytes(&w, hash, 32);
    write_u32(&w, 3);
    write_u32(&w, 0);
    write_u32(&w, 256 ^ 1 << 30);
    for (int i = 0; i < 3; i++) {
        struct net_addr a = parse(i ? "5.6.7.8" : "1.2.3.4");
        write_u32(&w, 220000);
        write_u32(&w, NOW);
        write_u64(&w, 9);
        net_addr_to16(ip, &a);
        if (i == 2)
            memcpy(ip, torv2, 6);
        write_bytes(&w, ip, 16);
        write_bytes(&w, "\x20\x8d", 2); /* 8333 */
        net_addr_to16(ip, &a);
        write_bytes(&w, ip, 16);
        write_u64(&w, 0);
        write_u32(&w, 0);
    }
    for (uint32_t bucket = 0; bucket < 256; bucket++) {
        write_u32(&w, bucket == 7 ? 3 : 0);
        for (uint32_t i = 0; bucket == 7 && i < 3; i++)
            write_u32(&w, i);
    }
    sha256d(hash, w.data, w.len);
    write_bytes(&w, hash, 32);
    assert_int_equal(addrman_decode(b, w.data, w.len, magic, &problem), RC_OK);
    assert_int_equal(addrman_count(b, NET_IPV4, ADDRMAN_NEW), 2); /* in buckets of today; Tor v2 is gone */
    assert_int_equal(addrman_count(b, NET_UNKNOWN, ADDRMAN_BOTH), 2);
    assert_int_equal(record_of(b, "1.2.3.4")->services, 9);
    addrman_free(b);
    writer_clear(&w);
}

static void anchors(void **state)
{
    char path[] = "/tmp/farthing-anchors-XXXXXX";
    int fd = mkstemp(path);
    struct addr_entry in[2] = {{.time = 5, .services = 9, .addr = parse("1.2.3.4")},
                               {.services = 1, .addr = parse("pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion")}},
                      out[4];
    uint8_t *data;
    size_t len;

    (void)state;
    close(fd);
    assert_int_equal(anchors_save(path, in, 2, magic), RC_OK);
    assert_int_equal(fs_read(path, 4096, &data, &len), RC_OK);
    assert_int_equal(anchors_load(out, 4, path, magic), 2);
    assert_true(net_addr_equal(&in[0].addr, &out[0].addr) && net_addr_equal(&in[1].addr, &out[1].addr));
    assert_int_equal(out[0].services, 9);
    assert_false(fs_exists(path));
    assert_int_equal(anchors_load(out, 4, path, magic), 0);
    for (size_t i = 0; i < len; i++) { /* any damage: none at all */
        data[i] ^= 4;
        assert_int_equal(fs_write_atomic(path, data, len, 0600), RC_OK);
        assert_int_equal(anchors_load(out, 4, path, magic), 0);
        data[i] ^= 4;
    }
    assert_int_equal(fs_write_atomic(path, data, len, 0600), RC_OK);
    assert_int_equal(anchors_load(out, 1, path, magic), 1);
    free(data);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(places_are_cores),
        CASE(only_routable_addresses),
        CASE(times),
        CASE(sources_are_shared),
        CASE(attempts),
        CASE(choosing),
        CASE(sampling),
        CASE(collisions),
        CASE(random_walk),
        CASE(file_round_trip),
        CASE(hostile_files),
        CASE(old_formats),
        CASE(anchors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
