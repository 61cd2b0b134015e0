/* doc_rawtx.c - documented results and examples of the commands that make, show, sign and send transactions. The notation: doc.h. */
#include "rpc/doc.h"

const struct rpc_part rpc_parts_rawtx[] = {
    {"script", "str asm - The script's operations\n"
               "str desc - A descriptor of it\n"
               "hex hex - The script\n"
               "str? address - Its address, where there is one\n"
               "str type - Its kind: pubkeyhash, scripthash, witness_v0_keyhash, nulldata, nonstandard, ..."},
    {"txhead", "hex txid - The transaction's id\n"
               "hex hash - Its hash with witness\n"
               "num size - Size in bytes\n"
               "num vsize - Virtual size (BIP 141)\n"
               "num weight - Weight (BIP 141)\n"
               "num version - Version\n"
               "time locktime - Lock time"},
    {"inhead", "hex? coinbase - Script of a coinbase's input (coinbase only)\n"
               "hex? txid - The transaction whose output is spent (not in a coinbase)\n"
               "num? vout - Index of that output (not in a coinbase)\n"
               "{? scriptSig - Its script (not in a coinbase)\n"
               "  str asm - The script's operations\n"
               "  hex hex - The script\n"
               "}\n"
               "[? txinwitness - The witness, where there is one\n"
               "  hex - An item of it\n"
               "]"},
    {"txouts", "[ vout - Outputs\n"
               "  {\n"
               "    amount value - Value in BTC\n"
               "    num n - Index\n"
               "    { scriptPubKey\n"
               "      &script\n"
               "    }\n"
               "  }\n"
               "]"},
    {"tx", "&txhead\n"
           "[ vin - Inputs\n"
           "  {\n"
           "    &inhead\n"
           "    num sequence - Sequence number\n"
           "  }\n"
           "]\n"
           "&txouts"},
    {"txspent", "&txhead\n"
                "[ vin - Inputs\n"
                "  {\n"
                "    &inhead\n"
                "    {? prevout - The output that is spent, if it is known\n"
                "      bool generated - Is it a coinbase's?\n"
                "      num height - Height of its block\n"
                "      amount value - Value in BTC\n"
                "      { scriptPubKey\n"
                "        &script\n"
                "      }\n"
                "    }\n"
                "    num sequence - Sequence number\n"
                "  }\n"
                "]\n"
                "&txouts"},
    {"txplace", "bool? in_active_chain - Is the block on the best chain? (if a block was given)\n"
                "hex? blockhash - The block that it is in\n"
                "num? vsize_adjusted - The size that fee rates are reckoned with (in the pool only)\n"
                "num? confirmations - Confirmations\n"
                "time? blocktime - Time of the block\n"
                "num? time - The same\n"
                "hex hex - The transaction in hex"},
    {"signed", "hex hex - The transaction with what signatures could be made\n"
               "bool complete - Does it have all signatures?\n"
               "[? errors - What stands in the way, input by input\n"
               "  {\n"
               "    hex txid - The transaction whose output is spent\n"
               "    num vout - Index of that output\n"
               "    [ witness\n"
               "      hex - An item of the witness\n"
               "    ]\n"
               "    hex scriptSig - The input's script\n"
               "    num sequence - Its sequence number\n"
               "    str error - What is wrong\n"
               "  }\n"
               "]"},
    {NULL, NULL}};

const struct rpc_doc rpc_docs_rawtx[] = {
    {"getrawtransaction", NULL,
     "when for verbosity = 0\n"
     "str - The transaction in hex\n"
     "when for verbosity = 1\n"
     "{\n"
     "  &txplace\n"
     "  &tx\n"
     "}\n"
     "when for verbosity = 2\n"
     "{\n"
     "  &txplace - As for verbosity = 1\n"
     "  num? fee - Its fee in BTC, if the outputs that it spends are known\n"
     "  &txspent\n"
     "}",
     "[@pooltx]\n"
     "[@txid, 1, @txblock]\n"
     "[@txid, 2, @txblock]"},
    {"decoderawtransaction", NULL,
     "{\n"
     "  &tx\n"
     "}",
     "[@rawtx]"},
    {"decodescript", NULL,
     "{\n"
     "  str asm - The script's operations\n"
     "  str desc - A descriptor of it\n"
     "  str type - Its kind\n"
     "  str? address - Its address, where there is one\n"
     "  str? p2sh - Address of the P2SH output that wraps it, if it can be wrapped\n"
     "  {? segwit - The output that wraps it with a witness, if it can be wrapped\n"
     "    str asm - The script's operations\n"
     "    hex hex - The script\n"
     "    str type - Its kind\n"
     "    str? address - Its address, where there is one\n"
     "    str desc - A descriptor of it\n"
     "    str p2sh-segwit - Address of the P2SH output that wraps this one\n"
     "  }\n"
     "}",
     "[\"76a914000000000000000000000000000000000000000088ac\"]"},
    {"createrawtransaction",
     "[ inputs\n"
     "  {\n"
     "    hex txid - Id of the transaction\n"
     "    num vout - Index of the output\n"
     "    num? sequence =depends on the value of the 'replaceable' and 'locktime' arguments - Sequence number\n"
     "  }\n"
     "]\n"
     "~[ outputs\n"
     "  {*\n"
     "    amount address - A key-value pair. The key (string) is the bitcoin address, the value (float or string) is the amount in "
     "BTC\n"
     "  }\n"
     "  {\n"
     "    hex data - A key-value pair. The key must be \"data\", the value is hex-encoded data that becomes a part of an OP_RETURN "
     "output\n"
     "  }\n"
     "]",
     "hex - The transaction, without signatures",
     "[[{\"txid\": @txid, \"vout\": 0}], [{@address: 0.01}]]\n"
     "[[{\"txid\": @txid, \"vout\": 0}], [{\"data\": \"00010203\"}]]"},
    {"sendrawtransaction", NULL, "hex - The transaction's id", "[@rawtx] ! -25 the outputs that it spends are not known"},
    {"signrawtransactionwithkey",
     "[ privkeys\n"
     "  hex - A private key\n"
     "]\n"
     "[? prevtxs\n"
     "  {\n"
     "    hex txid - Id of the transaction\n"
     "    num vout - Index of the output\n"
     "    hex scriptPubKey - Its script\n"
     "    hex? redeemScript - The script behind its hash (for P2SH)\n"
     "    hex? witnessScript - The script behind its hash (for P2WSH and P2SH-P2WSH)\n"
     "    amount? amount - Value in BTC (needed where there is a witness)\n"
     "  }\n"
     "]",
     "{\n"
     "  &signed\n"
     "}",
     "[@rawtx, [@privkey]]"},
    {"combinerawtransaction",
     "[ txs\n"
     "  hex - One of them\n"
     "]",
     "str - The transaction with the signatures of all, in hex",
     "[[@rawtx, @rawtx]] ! -25 the outputs that it spends are not known"},
    {NULL, NULL, NULL, NULL}};
