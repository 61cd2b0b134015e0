/* net_capture.c - -capturemessages: every message of every peer in files, in the format of Bitcoin Core's message-capture-parser. Called by
 * net_peers.c for both directions, on the loop thread: this debugging aid writes there and then, so that nothing is missing after a crash. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include "node/net_private.h"
#include "util/fs.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/time.h"

#define RECORD_HEAD (8 + 12 + 4) /* microseconds, type, length */

/* Opens message_capture/<ip>_<port>/<file>, making the folders. */
static int open_file(const struct node_net *n, const struct net_addr *peer, bool incoming)
{
    char text[NET_ADDR_TEXT], *dir, *path;
    int fd = -1;

    net_addr_text(text, peer);
    for (char *p = text; *p; p++)
        if (*p == ':')
            *p = '_'; /* as Core's names, which suit every file system */
    dir = xasprintf("%s/message_capture/%s", n->config->dir.net_dir, text);
    path = fs_join(dir, incoming ? "msgs_recv.dat" : "msgs_sent.dat");
    if (fs_mkdirs(dir) == RC_OK)
        fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        log_warning("Cannot open %s: messages are not captured", path);
    free(path);
    free(dir);
    return fd;
}

void net_capture(const struct node_net *n, const struct net_addr *peer, bool incoming, const char *type, const void *payload,
                 size_t len)
{
    uint8_t head[RECORD_HEAD] = {0};
    struct iovec parts[2] = {{head, sizeof(head)}, {(void *)(uintptr_t)payload, len}};
    int fd = open_file(n, peer, incoming);

    if (fd < 0)
        return;
    put_le64(head, (uint64_t)time_now_us());
    memcpy(head + 8, type, strnlen(type, 12));
    put_le32(head + 20, (uint32_t)len);
    if (writev(fd, parts, 2) != (ssize_t)(sizeof(head) + len))
        log_warning("Capturing a message failed: the record is incomplete");
    close(fd);
}
