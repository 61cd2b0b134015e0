/* fuzz_tor_control.c - what Tor's control port answers, in pieces, with each setting; and values of lines by themselves. */
#include <stdlib.h>
#include <string.h>

#include "net/tor_control.h"
#include "util/assert.h"
#include "util/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool read_cookie(void *ctx, uint8_t cookie[TOR_COOKIE_SIZE], const char *path)
{
    memset(cookie, 1, TOR_COOKIE_SIZE);
    return ctx && path[0];
}

static void make_random(void *ctx, uint8_t *out, size_t len)
{
    (void)ctx;
    memset(out, 2, len);
}

static void on_authenticated(void *ctx)
{
    (void)ctx;
}

static void on_socks(void *ctx, const struct net_addr *proxy)
{
    (void)ctx;
    ASSERT(proxy->network == NET_IPV4 || proxy->network == NET_IPV6);
}

static void on_service(void *ctx, const struct net_addr *addr, const char *key)
{
    (void)ctx;
    ASSERT(net_addr_size(addr->network) > 0 || addr->network == NET_UNKNOWN);
    ASSERT(!key || strlen(key) < 1000000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tor_control_config c = {.want_socks = true,
                                   .key = "",
                                   .virtual_port = 8333,
                                   .read_cookie = read_cookie,
                                   .random = make_random,
                                   .authenticated = on_authenticated,
                                   .socks = on_socks,
                                   .service = on_service};
    struct tor_control *t;
    char *line, *value;
    size_t pos = 1, piece;

    if (!size)
        return 0;
    c.password = data[0] & 1 ? "pass" : "";
    c.ctx = &c;
    piece = data[0] / 2 + 1u;
    t = tor_control_new(&c);
    while (pos < size) {
        size_t n = size - pos < piece ? size - pos : piece;
        if (!tor_control_feed(t, data + pos, n))
            break;
        ASSERT(tor_control_out(t)->len < 10000 + size * 200);
        pos += n;
    }
    tor_control_free(t);
    line = xmalloc(size);
    memcpy(line, data + 1, size - 1);
    line[size - 1] = 0;
    value = tor_control_value(line, "AUTH");
    ASSERT(!value || strlen(value) < size);
    free(value);
    free(line);
    return 0;
}
