/* socket.h - the publishing sockets, one for each address: the only user of libzmq. Opened on one thread, then used and closed by another. */
#ifndef FARTHING_ZMQ_SOCKET_H
#define FARTHING_ZMQ_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct zmq_sockets;

/** Starts libzmq. Returns: NULL if it cannot (logged). */
struct zmq_sockets *zmq_sockets_new(void);
/** Closes all sockets after a moment for what is still to be sent. */
void zmq_sockets_free(struct zmq_sockets *s);
/** The socket of that address: the one that is there, or a new one bound to it. name, hwm: of the topic. Returns: its number, -1 if it cannot be
 *  opened (logged). */
int zmq_sockets_bind(struct zmq_sockets *s, const char *address, const char *name, int hwm);
/** Sends one message of three parts without waiting: who cannot take it misses it. Returns: false if the socket failed (logged). */
bool zmq_sockets_send(struct zmq_sockets *s, int socket, const char *name, const void *body, size_t len, uint32_t sequence);
/** One feed uses the socket no more; the last one closes it. */
void zmq_sockets_release(struct zmq_sockets *s, int socket);

#endif
