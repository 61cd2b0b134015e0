/* zmq.c - the command that lists the notifications; there is none in a program without libzmq, as in Core. Loop thread. */
#include "zmq/publisher.h"

#include <stdio.h>

#include "rpc/priv.h"

#ifdef WITH_ZMQ
static void write_feed(void *ctx, const struct zmq_feed *f)
{
    struct json_writer *j = ctx;
    char type[32];

    snprintf(type, sizeof(type), "pub%s", zmq_topic_name(f->topic));
    jw_obj_begin(j);
    jw_kv_str(j, "type", type);
    jw_kv_str(j, "address", f->address);
    jw_kv_int(j, "hwm", f->hwm);
    jw_obj_end(j);
}

static void getzmqnotifications(struct rpc_call *call)
{
    jw_arr_begin(&call->out);
    zmq_publisher_each(call->host->zmq, write_feed, &call->out);
    jw_arr_end(&call->out);
}
#endif

const struct rpc_command rpc_zmq_commands[] = {
#ifdef WITH_ZMQ
    {"zmq", "getzmqnotifications", getzmqnotifications, NULL, RPC_INLINE,
     "Returns information about the active ZeroMQ notifications.\n"},
#endif
    {NULL, NULL, NULL, NULL, 0, NULL}};
