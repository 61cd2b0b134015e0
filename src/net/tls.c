/* tls.c - TLS under libevent's buffers: what servers need to speak it on connections that they have accepted. Loop thread. */
#include "net/tls.h"

#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <unistd.h>

struct bufferevent *tls_accept(struct tls_context *ctx, struct event_base *base, int fd)
{
    struct ssl_st *session = tls_context_session(ctx);
    struct bufferevent *bev;

    if (!session) {
        close(fd);
        return NULL;
    }
    bev = bufferevent_openssl_socket_new(base, fd, session, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
    if (!bev) {
        close(fd);
        return NULL;
    }
    bufferevent_openssl_set_allow_dirty_shutdown(bev, 1); /* the length of what is sent is known from the protocol above */
    return bev;
}

const char *tls_failure(struct bufferevent *bev)
{
    return tls_error_text(bufferevent_get_openssl_error(bev));
}
