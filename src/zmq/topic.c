/* topic.c - the names of the topics, which the options share. Any thread. */
#include "zmq/publisher.h"

const char *zmq_topic_name(enum zmq_topic t)
{
    static const char *const names[ZMQ_TOPIC_END] = {
        [ZMQ_HASHBLOCK] = "hashblock", [ZMQ_HASHTX] = "hashtx",     [ZMQ_RAWBLOCK] = "rawblock",
        [ZMQ_RAWTX] = "rawtx",         [ZMQ_SEQUENCE] = "sequence",
    };
    return names[t];
}
