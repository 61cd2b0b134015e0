/* test_headers.c - header rules over real headers of three networks: proof of work, retargets, times, versions; and the tree's own
 * arithmetic (ancestors, forks). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "block_tool.h"
#include "consensus/header.h"
#include "util/random.h"

static struct chain_params params[CHAIN_REGTEST + 1];

static int setup(void **state)
{
    (void)state;
    for (enum chain_id id = CHAIN_MAIN; id <= CHAIN_REGTEST; id++)
        chain_params_init(&params[id], id);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (enum chain_id id = CHAIN_MAIN; id <= CHAIN_REGTEST; id++)
        chain_params_clear(&params[id]);
    return 0;
}

static void header_of(struct block_header *h, struct block_hash *hash, const uint8_t bytes[80])
{
    block_header_decode(h, bytes);
    block_header_hash(hash, h);
}

/* Accepts a header behind prev by every rule. */
static void accept(const struct chain_params *p, struct header_node *n, const uint8_t bytes[80], const struct header_node *prev)
{
    struct block_header h, again;
    struct block_hash hash;
    struct verdict v;
    header_of(&h, &hash, bytes);
    assert_true(check_proof_of_work(p, &hash, h.bits));
    verdict_init(&v);
    if (prev) {
        assert_memory_equal(h.prev.b, prev->hash.b, 32);
        if (!check_header_context(p, &h, prev, h.time, &v))
            fail_msg("height %d: %s", prev->height + 1, v.reason);
        assert_true(permitted_difficulty_transition(p, prev->height + 1, prev->bits, h.bits));
    }
    header_node_init(n, &h, &hash, prev);
    header_node_header(&again, n);
    if (prev)
        assert_memory_equal(&again, &h, sizeof(h));
}

/* A whole file of headers. first_height over 0: a part of the chain whose root is not genesis. Returns: the nodes, to free. */
static struct header_node *accept_file(const struct chain_params *p, const char *path, int32_t first_height, size_t *n)
{
    size_t len;
    uint8_t *data = vectors_read(path, &len);
    struct header_node *nodes;
    *n = len / 80;
    if (!data)
        return NULL;
    nodes = xcalloc(*n, sizeof(*nodes));
    for (size_t i = 0; i < *n; i++) {
        accept(p, &nodes[i], data + 80 * i, i ? &nodes[i - 1] : NULL);
        if (i == 0)
            nodes[0].height = first_height;
        assert_int_equal(nodes[i].height, first_height + (int32_t)i);
    }
    free(data);
    return nodes;
}

static void test_files(void **state)
{
    static const struct {
        enum chain_id id;
        const char *path;
    } files[] = {{CHAIN_MAIN, "chain/mainnet/headers-000000-010236.bin"},
                 {CHAIN_TESTNET3, "chain/testnet3/headers-000000-035141.bin"},
                 {CHAIN_SIGNET, "chain/signet/headers-000000-002015.bin"}};
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(files); i++) {
        size_t n;
        struct header_node *nodes = accept_file(&params[files[i].id], files[i].path, 0, &n);
        if (!nodes)
            return;
        assert_true(block_hash_equal(&nodes[0].hash, &params[files[i].id].genesis_hash));
        free(nodes);
    }
}

/* Splits a line of CSV in place. */
static unsigned csv_split(char *line, char *field[4])
{
    unsigned n = 0;
    for (char *s = strtok(line, ","); s && n < 4; s = strtok(NULL, ","))
        field[n++] = s;
    return n;
}

/* Calls back for each row behind the heading. */
static void csv_rows(const char *path,
                     void (*row)(void *ctx, int32_t height, const char *hash, const uint8_t header[80], const char *work),
                     void *ctx)
{
    size_t len;
    char *text = (char *)vectors_read(path, &len), *save = NULL;
    bool heading = true;
    for (char *line = text ? strtok_r(text, "\r\n", &save) : NULL; line; line = strtok_r(NULL, "\r\n", &save), heading = false) {
        char *field[4] = {NULL};
        uint8_t header[80];
        if (heading)
            continue;
        assert_true(csv_split(line, field) >= 3);
        assert_true(hex_decode(header, 80, field[2]));
        row(ctx, atoi(field[0]), field[1], header, field[3]);
    }
    free(text);
}

struct periods {
    struct header_node first, last;
    unsigned rows;
};

/* Rows come in pairs: the first and the last header of a period; each first one proves the retarget after the pair before. */
static void period_row(void *ctx, int32_t height, const char *hash_hex, const uint8_t bytes[80], const char *work)
{
    struct periods *s = ctx;
    const struct chain_params *p = &params[CHAIN_MAIN];
    struct header_node n;
    struct block_header h;
    struct block_hash hash;
    struct u256 known_work, per_block;
    header_of(&h, &hash, bytes);
    assert_string_equal(block_hash_hex(&hash).s, hash_hex);
    assert_true(check_proof_of_work(p, &hash, h.bits));
    assert_true(u256_from_hex(&known_work, work));
    header_node_init(&n, &h, &hash, NULL);
    per_block = n.chain_work;
    n.height = height;
    if (height % 2016 == 0) {
        if (height) {
            assert_int_equal(s->last.height, height - 1);
            assert_int_equal(next_work_required(p, &s->last, h.time), h.bits);
            assert_true(permitted_difficulty_transition(p, height, s->last.bits, h.bits));
            assert_false(permitted_difficulty_transition(p, height + 1, s->last.bits, s->last.bits - 1));
            n.chain_work = u256_add(s->last.chain_work, per_block);
        }
        s->first = n;
    } else {
        assert_int_equal(height % 2016, 2015);
        assert_int_equal(h.bits, s->first.bits);
        n.chain_work = u256_add(s->first.chain_work, u256_mul_u64(per_block, 2015));
        n.prev = n.skip = &s->first;
        s->last = n;
    }
    assert_int_equal(u256_cmp(n.chain_work, known_work), 0);
    s->rows++;
}

static void test_retargets(void **state)
{
    struct periods s = {.rows = 0};
    (void)state;
    csv_rows("chain/mainnet/retarget-headers.csv", period_row, &s);
    assert_true(s.rows == 827 || s.rows == 0);
}

struct recent {
    struct header_node *nodes;
    size_t n, stale;
};

static void stale_row(void *ctx, int32_t height, const char *hash_hex, const uint8_t bytes[80], const char *work)
{
    struct recent *s = ctx;
    const struct header_node *prev = &s->nodes[height - 1 - s->nodes[0].height];
    struct header_node n;
    (void)work;
    accept(&params[CHAIN_MAIN], &n, bytes, prev);
    assert_string_equal(block_hash_hex(&n.hash).s, hash_hex);
    assert_ptr_equal(header_node_fork(&n, &s->nodes[s->n - 1]), prev);
    assert_ptr_equal(header_node_fork(&s->nodes[s->n - 1], &n), prev);
    s->stale++;
}

static void test_recent_mainnet(void **state)
{
    struct recent s = {NULL, 0, 0};
    (void)state;
    s.nodes = accept_file(&params[CHAIN_MAIN], "chain/mainnet/headers-822528-830592.bin", 822528, &s.n);
    if (!s.nodes)
        return;
    csv_rows("chain/mainnet/stale-headers.csv", stale_row, &s);
    assert_true(s.stale > 0);
    free(s.nodes);
}

struct bad_fork {
    struct header_node node;
    unsigned rows;
};

static void bad_fork_row(void *ctx, int32_t height, const char *hash_hex, const uint8_t bytes[80], const char *work)
{
    struct bad_fork *s = ctx;
    struct block_header h;
    struct block_hash hash;
    struct verdict v;
    (void)work;
    header_of(&h, &hash, bytes);
    assert_string_equal(block_hash_hex(&hash).s, hash_hex);
    assert_true(check_proof_of_work(&params[CHAIN_MAIN], &hash, h.bits));
    if (s->rows++ == 0) { /* a parent such as it had */
        struct block_header parent = {.version = 3, .time = h.time - 600, .bits = h.bits};
        header_node_init(&s->node, &parent, &h.prev, NULL);
        s->node.height = height - 1;
        verdict_init(&v);
        assert_false(check_header_context(&params[CHAIN_MAIN], &h, &s->node, h.time, &v));
        assert_string_equal(v.reason, "bad-version(0x00000002)");
        assert_int_equal(v.code, BLOCK_INVALID_HEADER);
    } else {
        assert_memory_equal(h.prev.b, s->node.hash.b, 32);
    }
    s->node.hash = hash;
}

static void test_invalid_fork(void **state)
{
    struct bad_fork s = {.rows = 0};
    (void)state;
    csv_rows("chain/mainnet/invalid-fork-headers-363731-363736.csv", bad_fork_row, &s);
    assert_true(s.rows == 6 || s.rows == 0);
}

static void test_testnet3_hex(void **state)
{
    const struct chain_params *p = &params[CHAIN_TESTNET3];
    size_t len, forks = 0;
    char *text = (char *)vectors_read("chain/testnet3/blockheader_testnet3.hex", &len), *save = NULL;
    struct header_node *nodes, fork[2];
    int32_t height = 0;
    (void)state;
    if (!text)
        return;
    nodes = xcalloc(600, sizeof(*nodes));
    accept(p, &nodes[0], p->genesis_header, NULL);
    for (char *line = strtok_r(text, "\r\n", &save); line; line = strtok_r(NULL, "\r\n", &save)) {
        bool is_fork = strncmp(line, "fork:", 5) == 0;
        uint8_t bytes[80];
        assert_true(hex_decode(bytes, 80, line + (is_fork ? 5 : 0)));
        if (is_fork) {
            accept(p, &fork[forks], bytes, forks ? &fork[0] : &nodes[0]);
            forks++;
        } else {
            accept(p, &nodes[height + 1], bytes, &nodes[height]);
            height++;
        }
    }
    assert_int_equal(forks, 2);
    assert_int_equal(height, 546);
    assert_ptr_equal(header_node_fork(&nodes[546], &fork[1]), &nodes[0]);
    free(nodes);
    free(text);
}

static size_t base64_decode(uint8_t *out, const char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t acc = 0, bits = 0;
    size_t n = 0;
    for (const char *d; *text && (d = strchr(digits, *text)); text++) {
        acc = acc << 6 | (uint32_t)(d - digits);
        bits += 6;
        if (bits >= 8)
            out[n++] = (uint8_t)(acc >> (bits -= 8));
    }
    return n;
}

/* One header of each period: work enough, and each step within what a retarget allows. */
static void check_checkpoints(const struct chain_params *p, const char *path)
{
    size_t len;
    unsigned line_no = 0;
    char *text = (char *)vectors_read(path, &len), *save = NULL;
    uint32_t bits = target_to_bits(p->pow_limit);
    for (char *line = text ? strtok_r(text, "\r\n", &save) : NULL; line; line = strtok_r(NULL, "\r\n", &save)) {
        uint8_t entry[128];
        struct block_header h;
        struct block_hash hash;
        if (line_no++ < 3)
            continue;
        assert_int_equal(base64_decode(entry, line), 96);
        header_of(&h, &hash, entry + 16);
        assert_true(check_proof_of_work(p, &hash, h.bits));
        assert_int_equal(get_be32(entry + 12) % 2016, 0);
        assert_true(permitted_difficulty_transition(p, (int32_t)get_be32(entry + 12), bits, h.bits));
        bits = h.bits;
    }
    assert_true(!text || line_no > 100);
    free(text);
}

/* A decimal number of any length. */
static struct u256 u256_from_decimal(const char *s)
{
    struct u256 n = u256_from_u64(0);
    for (; *s >= '0' && *s <= '9'; s++)
        n = u256_add(u256_mul_u64(n, 10), u256_from_u64((uint64_t)(*s - '0')));
    return n;
}

/* Two lists of the same chain: one has each period's first header, the other the hash before it and the target it must have. */
static void compare_checkpoints(const char *headers_path, const char *targets_path)
{
    size_t len, n = 0;
    char *lines = (char *)vectors_read(headers_path, &len), *save = NULL;
    char *json = (char *)vectors_read(targets_path, &len), *at = json;
    char *line = lines ? strtok_r(lines, "\r\n", &save) : NULL;
    for (unsigned skip = 0; line && skip < 3; skip++)
        line = strtok_r(NULL, "\r\n", &save);
    for (; line && json && (at = strchr(at, '"')); line = strtok_r(NULL, "\r\n", &save), n++) {
        uint8_t entry[128];
        struct block_header h;
        assert_int_equal(base64_decode(entry, line), 96);
        block_header_decode(&h, entry + 16);
        assert_memory_equal(block_hash_hex(&h.prev).s, at + 1, 64);
        at += 66 + strcspn(at + 66, "0123456789");
        if (*at != '0') /* the lists of the test networks leave it out */
            assert_int_equal(u256_cmp(u256_from_decimal(at), target_from_bits(h.bits, NULL, NULL)), 0);
    }
    assert_true(!lines || n > 100);
    free(lines);
    free(json);
}

static void test_checkpoints(void **state)
{
    (void)state;
    compare_checkpoints("chain/checkpoints/bitcoinj-mainnet.txt", "chain/checkpoints/electrum-mainnet.json");
    compare_checkpoints("chain/checkpoints/bitcoinj-signet.txt", "chain/checkpoints/electrum-signet.json");
    compare_checkpoints("chain/checkpoints/bitcoinj-testnet3.txt", "chain/checkpoints/electrum-testnet.json");
    check_checkpoints(&params[CHAIN_MAIN], "chain/checkpoints/bitcoinj-mainnet.txt");
    check_checkpoints(&params[CHAIN_SIGNET], "chain/checkpoints/bitcoinj-signet.txt");
    check_checkpoints(&params[CHAIN_TESTNET3], "chain/checkpoints/bitcoinj-testnet3.txt");
}

/* A random tree: ancestors and forks must be those that single steps find. */
static void test_tree(void **state)
{
    enum { COUNT = 3000 };
    struct header_node *nodes = xcalloc(COUNT, sizeof(*nodes));
    struct rng rng;
    (void)state;
    rng_init_seed(&rng, 7);
    for (uint32_t i = 0; i < COUNT; i++) {
        struct block_header h = {.time = 1000 + i, .bits = 0x207fffff};
        struct block_hash hash = {{0}};
        /* mostly grow the newest, sometimes branch off anywhere */
        const struct header_node *prev = i == 0 ? NULL : rng_below(&rng, 20) ? &nodes[i - 1] : &nodes[rng_below(&rng, i)];
        put_le32(hash.b, i);
        header_node_init(&nodes[i], &h, &hash, prev);
    }
    for (unsigned k = 0; k < 20000; k++) {
        const struct header_node *a = &nodes[rng_below(&rng, COUNT)], *b = &nodes[rng_below(&rng, COUNT)], *x = a, *y = b;
        int32_t height = (int32_t)rng_below(&rng, (uint64_t)a->height + 1);
        const struct header_node *slow = a;
        while (slow->height > height)
            slow = slow->prev;
        assert_ptr_equal(header_node_ancestor(a, height), slow);
        while (x != y) {
            bool ax = x->height >= y->height, by = y->height >= x->height;
            x = ax ? x->prev : x;
            y = by ? y->prev : y;
        }
        assert_ptr_equal(header_node_fork(a, b), x);
    }
    assert_null(header_node_ancestor(&nodes[5], -1));
    assert_null(header_node_ancestor(&nodes[5], nodes[5].height + 1));
    free(nodes);
}

/* Steps to an ancestor stay logarithmic in a long chain. */
static void test_ancestor_cost(void **state)
{
    enum { COUNT = 1 << 17 };
    struct header_node *nodes = xcalloc(COUNT, sizeof(*nodes));
    unsigned worst = 0;
    (void)state;
    for (uint32_t i = 0; i < COUNT; i++) {
        struct block_header h = {.bits = 0x207fffff};
        struct block_hash hash = {{0}};
        header_node_init(&nodes[i], &h, &hash, i ? &nodes[i - 1] : NULL);
    }
    for (int32_t to = 0; to < COUNT; to += 37) {
        unsigned steps = 0;
        for (const struct header_node *n = &nodes[COUNT - 1]; n->height > to; steps++)
            n = n->skip->height >= to ? n->skip : n->prev;
        worst = steps > worst ? steps : worst;
    }
    assert_true(worst <= 3 * 17);
    free(nodes);
}

/* A chain of n made-up headers, `spacing` seconds apart. Returns: to free. */
static struct header_node *make_chain(int32_t n, uint32_t spacing, uint32_t bits)
{
    struct header_node *nodes = xcalloc((size_t)n, sizeof(*nodes));
    for (int32_t i = 0; i < n; i++) {
        struct block_header h = {.version = 4, .time = 1600000000 + (uint32_t)i * spacing, .bits = bits};
        struct block_hash hash = {{0}};
        put_le32(hash.b, (uint32_t)i);
        header_node_init(&nodes[i], &h, &hash, i ? &nodes[i - 1] : NULL);
    }
    return nodes;
}

static void expect(const struct chain_params *p, const struct block_header *h, const struct header_node *prev, int64_t now,
                   const char *reason, enum verdict_code code)
{
    struct verdict v;
    bool ok;
    verdict_init(&v);
    ok = check_header_context(p, h, prev, now, &v);
    assert_string_equal(v.reason, reason);
    assert_int_equal(ok, !*reason);
    assert_int_equal(v.code, code);
}

static void test_header_rules(void **state)
{
    const struct chain_params *p = &params[CHAIN_REGTEST];
    struct header_node *nodes = make_chain(20, 600, 0x207fffff);
    const struct header_node *tip = &nodes[19];
    struct block_header h = {.version = 4, .time = tip->time + 1, .bits = 0x207fffff};
    int64_t now = tip->time;
    (void)state;
    assert_int_equal(header_node_mtp(tip), nodes[14].time);
    assert_int_equal(header_node_mtp(&nodes[0]), nodes[0].time);
    assert_int_equal(header_node_mtp(&nodes[1]), nodes[1].time); /* the upper of two */
    expect(p, &h, tip, now, "", CODE_NONE);
    h.time = nodes[14].time;
    expect(p, &h, tip, now, "time-too-old", BLOCK_INVALID_HEADER);
    h.time++;
    expect(p, &h, tip, now, "", CODE_NONE);
    h.time = (uint32_t)now + 7200;
    expect(p, &h, tip, now, "", CODE_NONE);
    h.time++;
    expect(p, &h, tip, now, "time-too-new", BLOCK_TIME_FUTURE);
    h.time = tip->time;
    h.bits--;
    expect(p, &h, tip, now, "bad-diffbits", BLOCK_INVALID_HEADER);
    h.bits++;
    for (int32_t version = 1; version <= 3; version++) {
        char reason[40];
        h.version = version;
        snprintf(reason, sizeof(reason), "bad-version(0x%08x)", (unsigned)version);
        expect(p, &h, tip, now, reason, BLOCK_INVALID_HEADER);
    }
    h.version = -1;
    expect(p, &h, tip, now, "bad-version(0xffffffff)", BLOCK_INVALID_HEADER);
    free(nodes);
}

/* BIP94 on testnet4: the retarget starts from the period's first block, whose time may not run far behind its parent's. */
static void test_bip94(void **state)
{
    const struct chain_params *p = &params[CHAIN_TESTNET4], *old = &params[CHAIN_TESTNET3];
    struct header_node *nodes = make_chain(2016, 600, 0x1c00ffff);
    struct header_node *last = &nodes[2015];
    struct block_header h = {.version = 4, .time = last->time + 600};
    (void)state;
    last->bits = 0x1d00ffff; /* a 20-minute exception */
    h.bits = next_work_required(p, last, h.time);
    assert_int_equal(h.bits, 0x1c00ffde); /* 2015 of 2016 intervals */
    assert_int_equal(next_work_required(old, last, h.time), 0x1d00ffde);
    expect(p, &h, last, h.time, "", CODE_NONE);
    h.time = last->time - 600;
    expect(p, &h, last, h.time, "", CODE_NONE);
    h.time--;
    expect(p, &h, last, h.time, "time-timewarp-attack", BLOCK_INVALID_HEADER);
    h.bits = next_work_required(old, last, h.time);
    expect(old, &h, last, h.time, "", CODE_NONE); /* allowed there */
    /* In the middle of a period: late blocks are easy, others take the last true difficulty. */
    nodes[1001].bits = nodes[1002].bits = 0x1d00ffff;
    assert_int_equal(next_work_required(p, &nodes[1002], nodes[1002].time + 1201), 0x1d00ffff);
    assert_int_equal(next_work_required(p, &nodes[1002], nodes[1002].time + 1200), 0x1c00ffff);
    free(nodes);
}

static void test_pow_bounds(void **state)
{
    const struct chain_params *p = &params[CHAIN_MAIN];
    struct block_hash hash = {{0}};
    (void)state;
    assert_true(check_proof_of_work(p, &hash, 0x1d00ffff));
    assert_false(check_proof_of_work(p, &hash, 0x1d010000)); /* above the limit */
    assert_false(check_proof_of_work(p, &hash, 0x1d80ffff)); /* negative */
    assert_false(check_proof_of_work(p, &hash, 0));
    assert_false(check_proof_of_work(p, &hash, 0xff00ffff)); /* overflow */
    u256_to_le(hash.b, target_from_bits(0x1d00ffff, NULL, NULL));
    assert_true(check_proof_of_work(p, &hash, 0x1d00ffff)); /* equal is enough */
    hash.b[0] = 1;
    assert_false(check_proof_of_work(p, &hash, 0x1d00ffff));
    assert_false(permitted_difficulty_transition(p, 2016, 0x1c0ffff0, 0x1c03fffb));
    assert_true(permitted_difficulty_transition(p, 2016, 0x1c0ffff0, 0x1c03fffc));
    assert_true(permitted_difficulty_transition(p, 2016, 0x1c0ffff0, 0x1c3fffc0));
    assert_false(permitted_difficulty_transition(p, 2016, 0x1c0ffff0, 0x1c3fffc1));
}

static void test_work_time(void **state)
{
    struct header_node *nodes = make_chain(100, 600, 0x1d00ffff);
    (void)state;
    assert_int_equal(header_node_work_time(&params[CHAIN_MAIN], &nodes[90], &nodes[40], &nodes[99]), 50 * 600);
    assert_int_equal(header_node_work_time(&params[CHAIN_MAIN], &nodes[40], &nodes[90], &nodes[99]), -50 * 600);
    free(nodes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),        cmocka_unit_test(test_retargets),     cmocka_unit_test(test_recent_mainnet),
        cmocka_unit_test(test_invalid_fork), cmocka_unit_test(test_testnet3_hex),  cmocka_unit_test(test_checkpoints),
        cmocka_unit_test(test_tree),         cmocka_unit_test(test_ancestor_cost), cmocka_unit_test(test_header_rules),
        cmocka_unit_test(test_bip94),        cmocka_unit_test(test_pow_bounds),    cmocka_unit_test(test_work_time),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
