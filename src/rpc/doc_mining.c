/* doc_mining.c - documented results and examples of the commands for miners and of those that make blocks for tests. The notation: doc.h. */
#include "rpc/doc.h"

const struct rpc_doc rpc_docs_mining[] = {
    {"getblocktemplate",
     "{ template_request\n"
     "  str? mode - \"template\" (or absent) or \"proposal\"\n"
     "  [? capabilities - What the miner can do\n"
     "    str - \"longpoll\", \"coinbasevalue\", \"proposal\", \"serverlist\" or \"workid\"\n"
     "  ]\n"
     "  [ rules - Changes of the rules that the miner knows\n"
     "    str - \"segwit\" must be one of them; \"signet\" on a signet\n"
     "  ]\n"
     "  str? longpollid - The id of an old template: the answer comes when there is a better one\n"
     "  hex? data - The proposed block (mode \"proposal\")\n"
     "}",
     "when if the proposal is good\n"
     "null\n"
     "when if the proposal is not good\n"
     "str - Why not, in BIP 22's words\n"
     "when otherwise\n"
     "{\n"
     "  num version - The block's version\n"
     "  [ rules - The rules that it is made by\n"
     "    str - Name of a rule; with ! in front a miner must know it\n"
     "  ]\n"
     "  {* vbavailable - Changes of the rules that wait or take signals\n"
     "    num rule - The version bit\n"
     "  }\n"
     "  [ capabilities - What the node can do\n"
     "    str - Name of it\n"
     "  ]\n"
     "  num vbrequired - Version bits that must be set\n"
     "  str previousblockhash - The tip's hash\n"
     "  [ transactions - Transactions for the block, without the coinbase\n"
     "    {\n"
     "      hex data - The transaction\n"
     "      hex txid - Its id\n"
     "      hex hash - Its hash with witness\n"
     "      [ depends - Transactions of this list that must stand in front of it\n"
     "        num - Position in this list, from 1\n"
     "      ]\n"
     "      num fee - Fee in satoshi\n"
     "      num sigops - What its signature checks count\n"
     "      num weight - Weight (BIP 141)\n"
     "    }\n"
     "  ]\n"
     "  {* coinbaseaux - What should be in the coinbase's script\n"
     "    hex name - The bytes\n"
     "  }\n"
     "  num coinbasevalue - The most that the coinbase may take, in satoshi\n"
     "  str longpollid - To wait for a better template with\n"
     "  str target - The hash must not be above it\n"
     "  time mintime - The least time that the block may have\n"
     "  [ mutable - What may be changed\n"
     "    str - \"time\", \"transactions\", \"prevblock\"\n"
     "  ]\n"
     "  hex noncerange - First and last nonce\n"
     "  num sigoplimit - What all signature checks may count\n"
     "  num sizelimit - Bytes that the block may have\n"
     "  num? weightlimit - Weight that the block may have (with the rule segwit)\n"
     "  time curtime - Now\n"
     "  str bits - Target in compact form\n"
     "  num height - The block's height\n"
     "  hex? signet_challenge - The network's challenge script (on signet)\n"
     "  hex? default_witness_commitment - The coinbase's commitment to the witnesses, if all transactions are taken\n"
     "}",
     "[{\"rules\": [\"segwit\"]}]"},
    {"getmininginfo", NULL,
     "{\n"
     "  num blocks - Height of the tip\n"
     "  num? currentblockweight - Weight of the last block template, if there was one\n"
     "  num? currentblocktx - Transactions of the last block template without the coinbase, if there was one\n"
     "  hex bits - The tip's target in compact form\n"
     "  num difficulty - The tip's difficulty\n"
     "  hex target - The tip's target\n"
     "  num networkhashps - Estimate of the network's hashes a second\n"
     "  num pooledtx - Transactions in the pool\n"
     "  amount blockmintxfee - The least fee rate in BTC/kvB that is taken into a block\n"
     "  str chain - The network: main, test, testnet4, signet or regtest\n"
     "  hex? signet_challenge - The network's challenge script (on signet)\n"
     "  { next - The next block\n"
     "    num height - Its height\n"
     "    hex bits - Its target in compact form\n"
     "    num difficulty - Its difficulty\n"
     "    hex target - Its target\n"
     "  }\n"
     "  ~[ warnings - What the user should know of the network and the chain\n"
     "    str - One warning\n"
     "  ]\n"
     "}",
     "[]"},
    {"getnetworkhashps", NULL, "num - Hashes a second",
     "[]\n"
     "[100, 50]"},
    {"prioritisetransaction", NULL, "bool - true", "[@txid, 0, 10000]"},
    {"getprioritisedtransactions", NULL,
     "{*\n"
     "  { txid\n"
     "    num fee_delta - Satoshi that were added to its fee\n"
     "    bool in_mempool - Is it in the pool?\n"
     "    num? modified_fee - Its fee with these, in satoshi (in the pool only)\n"
     "  }\n"
     "}",
     "[]"},
    {"submitblock", NULL,
     "when if the block is accepted\n"
     "null\n"
     "when otherwise\n"
     "str - Why not, in BIP 22's words",
     "[@blockhex]"},
    {"submitheader", NULL, "null", "[@headerhex]"},
    {"generatetoaddress", NULL,
     "[\n"
     "  hex - Hash of a new block\n"
     "]",
     "[1, @address]"},
    {"generatetodescriptor", NULL,
     "[\n"
     "  hex - Hash of a new block\n"
     "]",
     "[1, \"raw(51)\"]"},
    {"generateblock",
     "[ transactions\n"
     "  hex - A transaction in hex, or the id of one in the pool\n"
     "]",
     "{\n"
     "  hex hash - The block's hash\n"
     "  hex? hex - The block, if it was not submitted\n"
     "}",
     "[@address, []]"},
    {"generate", NULL, "when hidden\nany", "[] ! -32601 it has been replaced by -generate of the client"},
    {"signsignetblock", NULL, "hex - The block with its solution", "[@blockhex] ! -1 the node has no key of a signet"},
    {"setgenerate", NULL, "null", "[false]"},
    {"getgenerate", NULL, "bool - Does the node mine?", "[]"},
    {"gethashespersec", NULL, "num - Hashes a second", "[]"},
    {"getstratuminfo", NULL,
     "{\n"
     "  [ clients - Miners connected\n"
     "    {\n"
     "      num id - Its number\n"
     "      str addr - Address and port\n"
     "      str user - The name that it gave\n"
     "      str agent - Its program\n"
     "      num conntime - Seconds since it connected\n"
     "      bool subscribed - Has it subscribed?\n"
     "      bool authorized - Has it given a name to mine for?\n"
     "      num difficulty - Difficulty of its shares\n"
     "      num hashespersec - Estimate of its hashes a second\n"
     "      num accepted - Shares taken\n"
     "      num rejected - Shares refused\n"
     "      num stale - Shares that came too late\n"
     "      num best - Highest difficulty of its shares\n"
     "      hex version_mask - Version bits that it may change\n"
     "    }\n"
     "  ]\n"
     "  num hashespersec - Estimate of the hashes a second of all\n"
     "  num accepted - Shares taken\n"
     "  num rejected - Shares refused\n"
     "  num stale - Shares that came too late\n"
     "  num blocks - Blocks found\n"
     "  num height - Height of the block that is worked on; -1 if there is none\n"
     "}",
     "[] ! -1 there is no -stratum"},
    {NULL, NULL, NULL, NULL}};
