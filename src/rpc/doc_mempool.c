/* doc_mempool.c - documented results and examples of the commands about the memory pool and fees. The notation: doc.h. */
#include "rpc/doc.h"

const struct rpc_part rpc_parts_mempool[] = {
    {"entry", "num vsize - Virtual size, the larger one if the transaction has very many signature checks\n"
              "num vsize_bip141 - Virtual size as BIP 141 has it\n"
              "num vsize_adjusted - The size that fee rates are reckoned with\n"
              "num weight - Weight (BIP 141)\n"
              "time time - When it came into the pool\n"
              "num height - Height of the tip at that time\n"
              "num descendantcount - Transactions of the pool that depend on it, itself included\n"
              "num descendantsize - Their virtual sizes, added up\n"
              "num ancestorcount - Transactions of the pool that it depends on, itself included\n"
              "num ancestorsize - Their virtual sizes, added up\n"
              "num chunkweight - Weight of the chunk that it would be mined with\n"
              "hex wtxid - Its hash with witness\n"
              "{ fees\n"
              "  amount base - Its fee in BTC\n"
              "  amount modified - The fee that miners reckon with: with what prioritisetransaction added\n"
              "  amount ancestor - Fees of it and all that it depends on\n"
              "  amount descendant - Fees of it and all that depend on it\n"
              "  amount chunk - Fees of the chunk that it would be mined with\n"
              "}\n"
              "[ depends - Transactions of the pool whose outputs it spends\n"
              "  hex - A transaction's id\n"
              "]\n"
              "[ spentby - Transactions of the pool that spend its outputs\n"
              "  hex - A transaction's id\n"
              "]\n"
              "bool bip125-replaceable - May it be replaced? (a field that newer nodes do not have, and that is still read)\n"
              "bool unbroadcast - Is it still to be asked for by any peer?"},
    {"estimates", "num? feerate - The estimate in BTC/kvB\n"
                  "num decay - How much older blocks count for less\n"
                  "num scale - Blocks in a step of this horizon\n"
                  "{? pass - The lowest range of fee rates that is good enough\n"
                  "  num startrange - Where it begins\n"
                  "  num endrange - Where it ends\n"
                  "  num withintarget - Transactions of this range that were mined in time\n"
                  "  num totalconfirmed - Transactions of this range that were mined at all\n"
                  "  num inmempool - Those that have waited too long, and wait\n"
                  "  num leftmempool - Those that have waited too long, and went without being mined\n"
                  "}\n"
                  "{? fail - The highest range that is not\n"
                  "  num startrange - Where it begins\n"
                  "  num endrange - Where it ends\n"
                  "  num withintarget - Transactions of this range that were mined in time\n"
                  "  num totalconfirmed - Transactions of this range that were mined at all\n"
                  "  num inmempool - Those that have waited too long, and wait\n"
                  "  num leftmempool - Those that have waited too long, and went without being mined\n"
                  "}\n"
                  "[? errors\n"
                  "  str - Why there is no estimate\n"
                  "]"},
    {"orphan", "hex txid - The transaction's id\n"
               "hex wtxid - Its hash with witness\n"
               "num bytes - Its size in bytes\n"
               "num vsize - Virtual size, as BIP 141 has it\n"
               "num vsize_bip141 - The same\n"
               "num weight - Weight (BIP 141)\n"
               "[ from - Who sent it\n"
               "  num - A peer's number\n"
               "]"},
    {NULL, NULL}};

const struct rpc_doc rpc_docs_mempool[] = {
    {"getmempoolancestors", NULL,
     "when for verbose = false\n"
     "[\n"
     "  hex - Id of a transaction that it depends on\n"
     "]\n"
     "when for verbose = true\n"
     "{*\n"
     "  { txid\n"
     "    &entry\n"
     "  }\n"
     "}",
     "[@pooltx]\n"
     "[@pooltx, true]"},
    {"getmempooldescendants", NULL,
     "when for verbose = false\n"
     "[\n"
     "  hex - Id of a transaction that depends on it\n"
     "]\n"
     "when for verbose = true\n"
     "{*\n"
     "  { txid\n"
     "    &entry\n"
     "  }\n"
     "}",
     "[@pooltx]\n"
     "[@pooltx, true]"},
    {"getmempoolentry", NULL,
     "{\n"
     "  &entry\n"
     "}",
     "[@pooltx]"},
    {"gettxspendingprevout",
     "[ outputs\n"
     "  {\n"
     "    hex txid - Id of the transaction\n"
     "    num vout - Index of the output\n"
     "  }\n"
     "]",
     "[\n"
     "  {\n"
     "    hex txid - Id of the transaction, as it was asked for\n"
     "    num vout - Index of the output, as it was asked for\n"
     "    hex? spendingtxid - Id of the transaction that spends it; absent if it is unspent\n"
     "    hex? spendingtx - That transaction in hex (return_spending_tx only)\n"
     "    hex? blockhash - The block which that transaction is in (with -txospenderindex)\n"
     "  }\n"
     "]",
     "[[{\"txid\": @txid, \"vout\": 1}]]"},
    {"getmempoolinfo", NULL,
     "{\n"
     "  bool loaded - Has the pool of the last run been loaded?\n"
     "  num size - Number of transactions\n"
     "  num bytes - Their virtual sizes, added up\n"
     "  num usage - Bytes of memory\n"
     "  amount total_fee - Their fees in BTC, added up\n"
     "  num maxmempool - Bytes of memory that it may take\n"
     "  amount mempoolminfee - The fee rate in BTC/kvB that is needed to get in\n"
     "  amount minrelaytxfee - The fee rate in BTC/kvB that is needed in an empty pool\n"
     "  num incrementalrelayfee - The fee rate in BTC/kvB that a replacement must pay on top\n"
     "  bool fullrbf - Are transactions replaced that do not say they may be? (a field that newer nodes do not have, and that is "
     "still read)\n"
     "  num unbroadcastcount - Transactions that no peer has asked for so far\n"
     "  bool permitbaremultisig - Are outputs relayed that are multisig without P2SH?\n"
     "  num maxdatacarriersize - Bytes that a transaction's data outputs may take\n"
     "  num limitclustercount - Transactions that a cluster may have\n"
     "  num limitclustersize - Virtual bytes that a cluster may have\n"
     "  bool optimal - Is the order of all clusters the best there is?\n"
     "}",
     "[]"},
    {"getrawmempool", NULL,
     "when for verbose = false\n"
     "[\n"
     "  hex - A transaction's id\n"
     "]\n"
     "when for verbose = true\n"
     "{*\n"
     "  { txid\n"
     "    &entry\n"
     "  }\n"
     "}\n"
     "when for verbose = false and mempool_sequence = true\n"
     "{\n"
     "  [ txids\n"
     "    hex - A transaction's id\n"
     "  ]\n"
     "  num mempool_sequence - The sequence number of the pool's state, as ZMQ messages have it\n"
     "}",
     "[]\n"
     "[true]\n"
     "[false, true]"},
    {"getmempoolcluster", NULL,
     "{\n"
     "  num clusterweight - Weight of all its transactions\n"
     "  num txcount - Number of its transactions\n"
     "  [ chunks - Its chunks in the order of mining\n"
     "    {\n"
     "      num chunkfee - Fees in BTC, with what prioritisetransaction added\n"
     "      num chunkweight - Weight\n"
     "      [ txs - Its transactions in the order of mining\n"
     "        hex - A transaction's id\n"
     "      ]\n"
     "    }\n"
     "  ]\n"
     "}",
     "[@pooltx]"},
    {"getmempoolfeeratediagram", NULL,
     "[\n"
     "  {\n"
     "    num weight - Weight up to here\n"
     "    num fee - Fees up to here\n"
     "  }\n"
     "]",
     "[]"},
    {"getmempoolfeehistogram", NULL,
     "[\n"
     "  [=\n"
     "    num - A fee rate in satoshi per virtual byte: the lowest of this step\n"
     "    num - Virtual bytes in the pool with this fee rate or a higher one, below the step before\n"
     "  ]\n"
     "]",
     "[]"},
    {"savemempool", NULL,
     "{\n"
     "  str filename - Where the pool was saved\n"
     "}",
     "[]"},
    {"importmempool", NULL,
     "{\n"
     "}",
     "[\"/path/to/mempool.dat\"] ! -1 there is no such file"},
    {"estimatesmartfee",
     "{? options\n"
     "  str? fee_rate_estimator =\"none\" - Which estimator to ask\n"
     "  num? verbosity =1 - 2 or more: with figures about the pool\n"
     "}",
     "{\n"
     "  num? feerate - The estimate in BTC/kvB\n"
     "  str? estimator - The estimator that it comes from\n"
     "  [? errors\n"
     "    str - Why there is no estimate\n"
     "  ]\n"
     "  num blocks - The number of blocks that the estimate is for\n"
     "  { mempool - What it takes in BTC/kvB to be among what fills the next blocks now\n"
     "    amount 1 - The next block\n"
     "    amount 3 - The next 3 blocks\n"
     "    amount 6 - The next 6 blocks\n"
     "  }\n"
     "  [? mempool_health_statistics - How full the last blocks were, beside the pool (verbosity 2 only)\n"
     "    {\n"
     "      num block_height - Height of the block\n"
     "      num block_weight - Its weight\n"
     "      num mempool_txs_weight - Weight of those of its transactions that had been in the pool\n"
     "    }\n"
     "  ]\n"
     "}",
     "[6]"},
    {"estimaterawfee", NULL,
     "{\n"
     "  {? short - Over the last 12 blocks\n"
     "    &estimates\n"
     "  }\n"
     "  {? medium - Over the last 48 blocks\n"
     "    &estimates\n"
     "  }\n"
     "  {? long - Over the last 1008 blocks\n"
     "    &estimates\n"
     "  }\n"
     "}",
     "[6, 0.9]"},
    {"submitpackage",
     "[ package\n"
     "  hex - A transaction\n"
     "]",
     "{\n"
     "  str package_msg - \"success\" if all of them are in the pool now\n"
     "  {* tx-results\n"
     "    { wtxid\n"
     "      hex txid - The transaction's id\n"
     "      hex? other-wtxid - The pool has this one, with the same id and another witness\n"
     "      num? vsize_adjusted - The size that fee rates are reckoned with\n"
     "      num? vsize - Virtual size, the larger one if it has very many signature checks\n"
     "      num? vsize_bip141 - Virtual size as BIP 141 has it\n"
     "      {? fees\n"
     "        amount base - Its fee in BTC\n"
     "        amount? effective-feerate - The fee rate in BTC/kvB that it was judged by (if it is new in the pool)\n"
     "        [? effective-includes - The transactions that this fee rate is of\n"
     "          hex - A transaction's hash with witness\n"
     "        ]\n"
     "      }\n"
     "      str? error - Why it was refused\n"
     "    }\n"
     "  }\n"
     "  [? replaced-transactions - Transactions that had to go\n"
     "    hex - A transaction's id\n"
     "  ]\n"
     "}",
     "[[@rawtx, @rawtx]] ! -25 these are no parents and child"},
    {"testmempoolaccept",
     "[ rawtxs\n"
     "  hex - A transaction\n"
     "]",
     "[\n"
     "  {\n"
     "    hex txid - The transaction's id\n"
     "    hex wtxid - Its hash with witness\n"
     "    str? package-error - What is wrong with the transactions together\n"
     "    bool? allowed - Would it be accepted? Absent if the package was not looked at to the end\n"
     "    num? vsize_adjusted - The size that fee rates are reckoned with\n"
     "    num? vsize - Virtual size, the larger one if it has very many signature checks\n"
     "    num? vsize_bip141 - Virtual size as BIP 141 has it\n"
     "    {? fees - Its fee (if it would be accepted)\n"
     "      amount base - Its fee in BTC\n"
     "      amount effective-feerate - The fee rate in BTC/kvB that it was judged by\n"
     "      [ effective-includes - The transactions that this fee rate is of\n"
     "        hex - A transaction's hash with witness\n"
     "      ]\n"
     "    }\n"
     "    str? reject-reason - Why it would be refused\n"
     "    str? reject-details - The same with particulars\n"
     "  }\n"
     "]",
     "[[@rawtx]]"},
    {"getorphantxs", NULL,
     "when for verbosity = 0\n"
     "[\n"
     "  hex - Id of a transaction whose parents are not known\n"
     "]\n"
     "when for verbosity = 1\n"
     "[\n"
     "  {\n"
     "    &orphan\n"
     "  }\n"
     "]\n"
     "when for verbosity = 2\n"
     "[\n"
     "  {\n"
     "    &orphan\n"
     "    hex hex - The transaction in hex\n"
     "  }\n"
     "]",
     "[]\n"
     "[2]"},
    {"getprivatebroadcastinfo", NULL,
     "{\n"
     "  [ transactions\n"
     "    {\n"
     "      hex txid - The transaction's id\n"
     "      hex wtxid - Its hash with witness\n"
     "      hex hex - The transaction in hex\n"
     "      time time_added - When it was handed in\n"
     "      num attempts_remaining - Peers that it may still be sent to\n"
     "      [ peers - Whom it has been sent to\n"
     "        {\n"
     "          str address - The peer's address\n"
     "          time sent - When it was sent\n"
     "          time? received - When the peer said that it has it; absent if it did not\n"
     "        }\n"
     "      ]\n"
     "    }\n"
     "  ]\n"
     "}",
     "[] ! -32601 there is no -privatebroadcast"},
    {"abortprivatebroadcast", NULL,
     "{\n"
     "  [ removed_transactions - The transactions that will not be sent any more\n"
     "    {\n"
     "      hex txid - The transaction's id\n"
     "      hex wtxid - Its hash with witness\n"
     "      hex hex - The transaction in hex\n"
     "    }\n"
     "  ]\n"
     "}",
     "[@txid] ! -32601 there is no -privatebroadcast"},
    {NULL, NULL, NULL, NULL}};
