/* doc_address.c - documented results and examples of the commands of -addressindex. The notation: doc.h. */
#include "rpc/doc.h"

#define ENDING                                                                                                                     \
    "  num height - Height of the block as of which this is\n"                                                                     \
    "  hex hash - Its hash\n"                                                                                                      \
    "  str? next - The cursor with which it goes on; absent at the end\n"
#define SCRIPTS                                                                                                                    \
    "any addresses - An address, a script in hex, a descriptor or an extended public key, an object with \"desc\" and \"range\", " \
    "an array of these, or an object whose \"addresses\" is such an array"
#define EXAMPLES                                                                                                                   \
    "[@address] ! -1 there is no -addressindex\n"                                                                                  \
    "[{\"addresses\": [@address]}] ! -1 there is no -addressindex"
#define COIN_MEMBERS                                                                                                               \
    "str? address - Its address, if the script has one\n"                                                                          \
    "hex script - The script\n"                                                                                                    \
    "hex txid - Id of the transaction that made it\n"                                                                              \
    "num outputIndex - Which of its outputs it is\n"                                                                               \
    "num satoshis - The value in satoshi\n"                                                                                        \
    "num height - Height of its block; 0 while it is unconfirmed\n"                                                                \
    "bool? coinbase - Did a coinbase make it?\n"                                                                                   \
    "num? confirmations - 1 in the tip, 0 while it is unconfirmed\n"
#define DELTA_MEMBERS                                                                                                              \
    "str? address - The script's address, if it has one\n"                                                                         \
    "hex? script - The script, if it has no address\n"                                                                             \
    "hex txid - Id of the transaction\n"                                                                                           \
    "num index - Of the output, or of the input\n"                                                                                 \
    "num satoshis - The value in satoshi, negative for an input\n"                                                                 \
    "num height - Height of the block\n"                                                                                           \
    "num blockindex - Position of the transaction in its block\n"

#define POOL_MEMBERS                                                                                                               \
    "str? address - The script's address, if it has one\n"                                                                         \
    "hex? script - The script, if it has no address\n"                                                                             \
    "hex txid - Id of the transaction\n"                                                                                           \
    "num index - Of the output, or of the input\n"                                                                                 \
    "num satoshis - The value in satoshi, negative for an input\n"                                                                 \
    "time timestamp - When it came into the mempool\n"                                                                             \
    "hex? prevtxid - Inputs: the transaction that it spends from\n"                                                                \
    "num? prevout - Inputs: which of its outputs\n"

const struct rpc_doc rpc_docs_address[] = {
    {"getaddressbalance", SCRIPTS,
     "when without start and end\n"
     "{\n"
     "  num balance - What the chain's unspent outputs hold, in satoshi as all that follows\n"
     "  num received - All that was ever paid to the scripts in the chain\n"
     "  num confirmed - The balance without what is immature\n"
     "  num immature - What coinbases paid and the next block may not spend yet\n"
     "  num unconfirmed - What the mempool adds to the balance or, if negative, takes from it\n"
     "  num txs - Transactions in the histories of the scripts; one that touches two scripts counts twice\n"
     "  num utxos - Unspent outputs in the chain\n"
     "  num height - Height of the block as of which this is\n"
     "  hex hash - Its hash\n"
     "}\n"
     "when with start or end\n"
     "{\n"
     "  num balance - What these blocks added to what the scripts hold or, if negative, took from it, in satoshi\n"
     "  num received - What they paid to the scripts\n"
     "  num spent - What they spent from the scripts\n"
     "  num txs - Transactions of these blocks in the histories of the scripts\n"
     "  num height - Height of the block as of which this is: the tip\n"
     "  hex hash - Its hash\n"
     "}",
     EXAMPLES},
    {"getaddressutxos", SCRIPTS,
     "when for {\"addresses\": [...]} without chainInfo, limit and cursor\n"
     "[\n"
     "  {\n" COIN_MEMBERS "  }\n"
     "]\n"
     "when otherwise\n"
     "{\n"
     "  [ utxos\n"
     "    {\n" COIN_MEMBERS "    }\n"
     "  ]\n" ENDING "}",
     EXAMPLES},
    {"getaddresshistory", SCRIPTS,
     "{\n"
     "  [ history\n"
     "    {\n"
     "      hex txid - The transaction's id\n"
     "      num height - Height of its block; 0: unconfirmed, -1: so are transactions that it spends from\n"
     "      num? blockindex - Its position in the block\n"
     "      num received - What it paid to the scripts, in satoshi\n"
     "      num spent - What it spent from them, in satoshi\n"
     "      num? fee - Its fee in satoshi, while it is unconfirmed\n"
     "      num? vsize - Its virtual size, likewise\n"
     "      time? time - When it came into the mempool, likewise\n"
     "    }\n"
     "  ]\n" ENDING "}",
     EXAMPLES},
    {"getaddresstxids", SCRIPTS,
     "when for {\"addresses\": [...]} without chainInfo, limit and cursor\n"
     "[\n"
     "  hex - A transaction's id\n"
     "]\n"
     "when otherwise\n"
     "{\n"
     "  [ txids\n"
     "    hex - A transaction's id\n"
     "  ]\n" ENDING "}",
     EXAMPLES},
    {"getaddressmempool", SCRIPTS,
     "when for {\"addresses\": [...]} without chainInfo, limit and cursor\n"
     "[\n"
     "  {\n" POOL_MEMBERS "  }\n"
     "]\n"
     "when otherwise\n"
     "{\n"
     "  [ deltas\n"
     "    {\n" POOL_MEMBERS "    }\n"
     "  ]\n" ENDING "}",
     EXAMPLES},
    {"getaddressdeltas", SCRIPTS,
     "when for {\"addresses\": [...]} without chainInfo, limit and cursor\n"
     "[\n"
     "  {\n" DELTA_MEMBERS "  }\n"
     "]\n"
     "when otherwise\n"
     "{\n"
     "  [ deltas\n"
     "    {\n" DELTA_MEMBERS "    }\n"
     "  ]\n"
     "  {? start - The first block that counts (chainInfo)\n"
     "    hex hash - Its hash\n"
     "    num height - Its height\n"
     "  }\n"
     "  {? end - The last block that counts (chainInfo)\n"
     "    hex hash - Its hash\n"
     "    num height - Its height\n"
     "  }\n" ENDING "}",
     EXAMPLES},
    {NULL, NULL, NULL, NULL},
};
