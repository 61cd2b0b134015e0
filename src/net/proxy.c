/* proxy.c - a proxy's address from and to text (net/dial.h). Pure; options and RPC use it. */
#include <stdio.h>
#include <string.h>

#include "net/dial.h"

bool proxy_parse(struct proxy *p, const char *text, uint16_t default_port)
{
    memset(p, 0, sizeof(*p));
    if (strncmp(text, "unix:", 5) == 0) {
        size_t len = strlen(text + 5);
        if (!len || len >= sizeof(p->path))
            return false;
        memcpy(p->path, text + 5, len + 1);
        p->kind = PROXY_UNIX;
        return true;
    }
    if (!net_addr_parse(&p->addr, text, default_port) || (p->addr.network != NET_IPV4 && p->addr.network != NET_IPV6) ||
        !net_addr_is_valid(&p->addr))
        return false;
    p->kind = PROXY_TCP;
    return true;
}

void proxy_text(char *out, size_t size, const struct proxy *p)
{
    char text[NET_ADDR_TEXT] = "";

    if (p->kind == PROXY_UNIX) {
        snprintf(out, size, "unix:%s", p->path);
        return;
    }
    if (p->kind == PROXY_TCP)
        net_addr_text(text, &p->addr);
    snprintf(out, size, "%s", text);
}
