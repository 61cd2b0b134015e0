/* doc_network.c - documented results and examples of the commands about peers, connections and addresses of nodes. The notation: doc.h. */
#include "rpc/doc.h"

const struct rpc_doc rpc_docs_network[] = {
    {"getconnectioncount", NULL, "num - Number of connections", "[]"},
    {"ping", NULL, "null", "[]"},
    {"addnode", NULL, "null",
     "[\"192.0.2.1:8333\", \"add\"]\n"
     "[\"192.0.2.1:8333\", \"remove\"]"},
    {"disconnectnode", NULL, "null",
     "[\"192.0.2.1:8333\"] ! -29 there is no such connection\n"
     "{\"nodeid\": 1} ! -29 there is no such connection"},
    {"getaddednodeinfo", NULL,
     "[\n"
     "  {\n"
     "    str addednode - The node, as it was given to addnode\n"
     "    bool connected - Is there a connection?\n"
     "    [ addresses - The connection, if there is one\n"
     "      {\n"
     "        str address - Address and port\n"
     "        str connected - \"inbound\" or \"outbound\"\n"
     "      }\n"
     "    ]\n"
     "  }\n"
     "]",
     "[]\n"
     "[\"192.0.2.1\"] ! -24 the node has not been added"},
    {"getnettotals", NULL,
     "{\n"
     "  num totalbytesrecv - Bytes received\n"
     "  num totalbytessent - Bytes sent\n"
     "  time timemillis - Now, in milliseconds\n"
     "  { uploadtarget - The limit of what is sent (-maxuploadtarget)\n"
     "    num timeframe - Seconds that it is for\n"
     "    num target - Bytes\n"
     "    bool target_reached - Is it reached?\n"
     "    bool serve_historical_blocks - Are old blocks sent?\n"
     "    num bytes_left_in_cycle - Bytes left\n"
     "    num time_left_in_cycle - Seconds left\n"
     "  }\n"
     "}",
     "[]"},
    {"getnetworkinfo", NULL,
     "{\n"
     "  num version - The program's version as a number\n"
     "  str subversion - The name that peers see\n"
     "  num protocolversion - Version of the protocol\n"
     "  hex localservices - The services that are offered, in hex\n"
     "  [ localservicesnames - The same\n"
     "    str - Name of a service\n"
     "  ]\n"
     "  bool localrelay - Are transactions of peers wanted?\n"
     "  num timeoffset - Seconds that the peers' clocks are ahead, as a median\n"
     "  num tx_send_rate - Transactions a second that are told to peers\n"
     "  {* inv_buckets - Transactions that wait to be told to peers\n"
     "    { direction - To inbound or outbound peers\n"
     "      num backlog - Number of them\n"
     "      num count_tok - Number that may be told now\n"
     "      num size_tok - Bytes that may be told now\n"
     "    }\n"
     "  }\n"
     "  num connections - Number of connections\n"
     "  num connections_in - Number of inbound ones\n"
     "  num connections_out - Number of outbound ones\n"
     "  bool networkactive - Is the network on?\n"
     "  [ networks\n"
     "    {\n"
     "      str name - ipv4, ipv6, onion, i2p or cjdns\n"
     "      bool limited - Is it left out by -onlynet?\n"
     "      bool reachable - Can it be reached?\n"
     "      str proxy - The proxy for it, \"\" if there is none\n"
     "      bool proxy_randomize_credentials - Does each connection have its own credentials there?\n"
     "    }\n"
     "  ]\n"
     "  num relayfee - The fee rate in BTC/kvB that is needed in an empty pool\n"
     "  num incrementalfee - The fee rate in BTC/kvB that a replacement must pay on top\n"
     "  [ localaddresses - The node's own addresses\n"
     "    {\n"
     "      str address - Address\n"
     "      num port - Port\n"
     "      num score - How sure it is\n"
     "    }\n"
     "  ]\n"
     "  ~[ warnings - What the user should know of the network and the chain\n"
     "    str - One warning\n"
     "  ]\n"
     "}",
     "[]"},
    {"setnetworkactive", NULL, "bool - The state that was asked for", "[true]"},
    {"addconnection", NULL,
     "{\n"
     "  str address - The address, as it was given\n"
     "  str connection_type - The kind of connection, as it was given\n"
     "}",
     "[\"192.0.2.1:8333\", \"outbound-full-relay\", true]"},
    {"sendmsgtopeer", NULL,
     "{\n"
     "}",
     "[0, \"addr\", \"ffffff\"] ! -1 there is no such peer"},
    {"getpeerinfo", NULL,
     "[\n"
     "  {\n"
     "    num id - The peer's number\n"
     "    str addr - Address and port\n"
     "    str? addrbind - The address here that the connection is bound to\n"
     "    str? addrlocal - This node's address, as the peer says\n"
     "    str network - ipv4, ipv6, onion, i2p, cjdns or not_publicly_routable\n"
     "    num? mapped_as - Its autonomous system (with -asmap)\n"
     "    hex services - The services that it offers, in hex\n"
     "    [ servicesnames - The same\n"
     "      str - Name of a service\n"
     "    ]\n"
     "    bool relaytxes - Does it want transactions?\n"
     "    num last_inv_sequence - The pool's sequence number when it was last told of transactions\n"
     "    num inv_to_send - Transactions that it is still to be told of\n"
     "    time lastsend - When something was last sent to it\n"
     "    time lastrecv - When something was last received from it\n"
     "    time last_transaction - When it last sent a valid transaction that was new\n"
     "    time last_block - When it last sent a block that was new\n"
     "    num bytessent - Bytes sent\n"
     "    num bytesrecv - Bytes received\n"
     "    time conntime - When it was connected\n"
     "    num timeoffset - Seconds that its clock is ahead\n"
     "    num? pingtime - Seconds that the last ping took\n"
     "    num? minping - Seconds that the fastest ping took\n"
     "    num? pingwait - Seconds that an unanswered ping has taken so far\n"
     "    num version - Its version of the protocol\n"
     "    str subver - Its name\n"
     "    bool inbound - Did it connect to us?\n"
     "    bool bip152_hb_to - Have we asked it for compact blocks unannounced?\n"
     "    bool bip152_hb_from - Has it asked us for that?\n"
     "    num? startingheight - Height of its chain when it connected (a field that newer nodes do not have, and that is still "
     "read)\n"
     "    num presynced_headers - Height of the headers that it has shown, while these are not stored; -1 if that is over\n"
     "    num synced_headers - Height of the last header in common\n"
     "    num synced_blocks - Height of the last block in common\n"
     "    [ inflight - Blocks that it was asked for\n"
     "      num - A block's height\n"
     "    ]\n"
     "    bool addr_relay_enabled - Are addresses exchanged with it?\n"
     "    num addr_processed - Addresses of it that were taken\n"
     "    num addr_rate_limited - Addresses of it that were dropped, as it sent too many\n"
     "    [ permissions - What it may do beyond others\n"
     "      str - Name of a permission\n"
     "    ]\n"
     "    num minfeefilter - The lowest fee rate in BTC/kvB that it wants to hear of\n"
     "    {* bytessent_per_msg - Bytes sent, by kind of message\n"
     "      num message - Bytes; a kind occurs once something was sent\n"
     "    }\n"
     "    {* bytesrecv_per_msg - Bytes received, by kind of message\n"
     "      num message - Bytes; unknown kinds are in \"*other*\"\n"
     "    }\n"
     "    str connection_type - outbound-full-relay, block-relay-only, inbound, manual, addr-fetch, feeler or private-broadcast\n"
     "    str transport_protocol_type - \"detecting\", \"v1\" or \"v2\"\n"
     "    str session_id - The session's id, \"\" without encryption\n"
     "  }\n"
     "]",
     "[]"},
    {"setban", NULL, "null",
     "[\"192.0.2.0/24\", \"add\", 86400]\n"
     "[\"192.0.2.7\", \"remove\"] ! -30 it is not banned"},
    {"listbanned", NULL,
     "[\n"
     "  {\n"
     "    str address - The subnet\n"
     "    time ban_created - Since when\n"
     "    time banned_until - Until when\n"
     "    time ban_duration - Seconds in all\n"
     "    time time_remaining - Seconds left\n"
     "  }\n"
     "]",
     "[]"},
    {"clearbanned", NULL, "null", "[]"},
    {"getnodeaddresses", NULL,
     "[\n"
     "  {\n"
     "    time time - When it was last heard of\n"
     "    num services - The services that it offers\n"
     "    str address - Address\n"
     "    num port - Port\n"
     "    str network - ipv4, ipv6, onion, i2p or cjdns\n"
     "  }\n"
     "]",
     "[8]\n"
     "[4, \"i2p\"]"},
    {"getaddrmaninfo", NULL,
     "{*\n"
     "  { network - ipv4, ipv6, onion, i2p, cjdns or all_networks\n"
     "    num new - Addresses heard of\n"
     "    num tried - Addresses that were once connected to\n"
     "    num total - All of them\n"
     "  }\n"
     "}",
     "[]"},
    {"exportasmap", NULL,
     "{\n"
     "  str path - Where the file is\n"
     "  num bytes_written - Its size\n"
     "  hex file_hash - Its SHA-256\n"
     "}",
     "[\"asmap.dat\"] ! -1 the program has no map inside"},
    {"addpeeraddress", NULL,
     "{\n"
     "  bool success - Was it taken up?\n"
     "  str? error - Why it was not\n"
     "}",
     "[\"8.8.8.8\", 8333, false]"},
    {"getrawaddrman", NULL,
     "{*\n"
     "  {* table - \"new\" and \"tried\"\n"
     "    { bucket/position\n"
     "      str address - Address\n"
     "      num? mapped_as - Its autonomous system (with -asmap)\n"
     "      num port - Port\n"
     "      str network - ipv4, ipv6, onion, i2p or cjdns\n"
     "      num services - The services that it offers\n"
     "      time time - When it was last heard of\n"
     "      str source - Who told us\n"
     "      str source_network - The network of that one\n"
     "      num? source_mapped_as - The autonomous system of that one (with -asmap)\n"
     "    }\n"
     "  }\n"
     "}",
     "[]"},
    {"getzmqnotifications", NULL,
     "[\n"
     "  {\n"
     "    str type - Kind of message\n"
     "    str address - Where it is published\n"
     "    num hwm - Messages that may wait for a slow reader\n"
     "  }\n"
     "]",
     "[]"},
    {NULL, NULL, NULL, NULL}};
