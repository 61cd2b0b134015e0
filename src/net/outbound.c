/* outbound.c - the order in which outbound slots are filled. Called by the node's connection loop; pure. */
#include "net/outbound.h"

#include <stddef.h>

#include "util/mem.h"

enum outbound_kind outbound_next(const struct outbound_state *s, bool *timed)
{
    *timed = false;
    if (s->anchors && s->block_relay < s->max_block_relay)
        return OUTBOUND_ANCHOR;
    if (s->full_relay < s->max_full_relay)
        return OUTBOUND_FULL_RELAY;
    if (s->block_relay < s->max_block_relay)
        return OUTBOUND_BLOCK_RELAY;
    if (s->tip_stale)
        return OUTBOUND_FULL_RELAY;
    *timed = true;
    /* Whoever eclipses us would have to win every such lottery: the extra peer tells us its tip and goes again. */
    if (s->now > s->next_block_relay && s->sync_done)
        return OUTBOUND_BLOCK_RELAY;
    if (s->now > s->next_feeler)
        return OUTBOUND_FEELER;
    /* With few slots by the user's choice an extra peer would push out one that is protected. */
    if (s->full_relay == s->max_full_relay && s->max_full_relay == s->usual_full_relay && s->now > s->next_network)
        return OUTBOUND_NETWORK;
    *timed = false;
    return OUTBOUND_NONE;
}

bool outbound_port_is_bad(uint16_t port)
{
    static const uint16_t ports[] = {
        1,    7,    9,    11,   13,   15,   17,   19,   20,   21,   22,   23,   25,   37,   42,   43,    53,
        69,   77,   79,   87,   95,   101,  102,  103,  104,  109,  110,  111,  113,  115,  117,  119,   123,
        135,  137,  139,  143,  161,  179,  389,  427,  465,  512,  513,  514,  515,  526,  530,  531,   532,
        540,  548,  554,  556,  563,  587,  601,  636,  989,  990,  993,  995,  1719, 1720, 1723, 2049,  3306,
        3389, 3659, 4045, 5060, 5061, 5432, 5900, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6697, 10080, 27017,
    };
    size_t low = 0, high = ARRAY_LEN(ports);

    while (low < high) {
        size_t mid = (low + high) / 2;
        if (ports[mid] == port)
            return true;
        if (ports[mid] < port)
            low = mid + 1;
        else
            high = mid;
    }
    return false;
}
