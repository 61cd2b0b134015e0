/* doc_chain.c - documented results and examples of the commands about blocks and the chain. The notation: doc.h. */
#include "rpc/doc.h"

const struct rpc_part rpc_parts_chain[] = {
    {"header",
     "hex hash - The block's hash, as it was asked for\n"
     "num confirmations - How many blocks of the best chain stand upon it, itself included; -1 if it is not on that chain\n"
     "num height - How many blocks stand below it\n"
     "num version - Version\n"
     "hex versionHex - Version as 8 hex digits\n"
     "hex merkleroot - Root of the tree of transaction ids\n"
     "time time - The time that its miner gave it\n"
     "time mediantime - Median time of it and the ten blocks before\n"
     "num nonce - Nonce\n"
     "hex bits - Target in compact form\n"
     "hex target - Target\n"
     "num difficulty - Difficulty\n"
     "hex chainwork - Expected number of hashes for the chain up to here, in hex\n"
     "num nTx - Number of its transactions\n"
     "hex? previousblockhash - Hash of the block before, where there is one\n"
     "hex? nextblockhash - Hash of the block after, where there is one"},
    {"block",
     "hex hash - The block's hash, as it was asked for\n"
     "num confirmations - How many blocks of the best chain stand upon it, itself included; -1 if it is not on that chain\n"
     "num size - Size in bytes\n"
     "num strippedsize - Size in bytes without witnesses\n"
     "num weight - Weight (BIP 141)\n"
     "{ coinbase_tx - What a miner wants to know of the coinbase transaction\n"
     "  num version - Its version\n"
     "  num locktime - Its lock time\n"
     "  num sequence - Sequence number of its input\n"
     "  hex coinbase - Script of its input\n"
     "  hex? witness - The one item of its input's witness, where there is one\n"
     "}\n"
     "num height - How many blocks stand below it\n"
     "num version - Version\n"
     "hex versionHex - Version as 8 hex digits\n"
     "hex merkleroot - Root of the tree of transaction ids"},
    {"blockend", "time time - The time that its miner gave it\n"
                 "time mediantime - Median time of it and the ten blocks before\n"
                 "num nonce - Nonce\n"
                 "hex bits - Target in compact form\n"
                 "hex target - Target\n"
                 "num difficulty - Difficulty\n"
                 "hex chainwork - Expected number of hashes for the chain up to here, in hex\n"
                 "num nTx - Number of its transactions\n"
                 "hex? previousblockhash - Hash of the block before, where there is one\n"
                 "hex? nextblockhash - Hash of the block after, where there is one"},
    {"tip", "hex hash - Hash of the tip\n"
            "num height - Its height"},
    {NULL, NULL}};

const struct rpc_doc rpc_docs_chain[] = {
    {"getblockcount", NULL, "num - Height of the best chain's tip", "[]"},
    {"getbestblockhash", NULL, "hex - The tip's hash", "[]"},
    {"getblock", NULL,
     "when for verbosity = 0\n"
     "hex - The block as it is sent over the network, in hex\n"
     "when for verbosity = 1\n"
     "{\n"
     "  &block\n"
     "  [ tx - Ids of its transactions\n"
     "    hex - A transaction's id\n"
     "  ]\n"
     "  &blockend\n"
     "}\n"
     "when for verbosity = 2\n"
     "{\n"
     "  &block - As for verbosity = 1\n"
     "  [ tx - Its transactions\n"
     "    {\n"
     "      &tx - As decoderawtransaction shows a transaction\n"
     "      num? fee - Its fee in BTC, if the outputs that it spends are known\n"
     "      hex hex - The transaction in hex\n"
     "    }\n"
     "  ]\n"
     "  &blockend - As for verbosity = 1\n"
     "}\n"
     "when for verbosity = 3\n"
     "{\n"
     "  &block - As for verbosity = 1\n"
     "  [ tx - Its transactions\n"
     "    {\n"
     "      &txspent - As for verbosity = 2, and for each input \"prevout\": the output that it spends\n"
     "      num? fee - Its fee in BTC, if the outputs that it spends are known\n"
     "      hex hex - The transaction in hex\n"
     "    }\n"
     "  ]\n"
     "  &blockend - As for verbosity = 1\n"
     "}",
     "[@block]\n"
     "[@block, 2]"},
    {"getblockhash", NULL, "hex - The block's hash", "[100]"},
    {"getblockheader", NULL,
     "when for verbose = true\n"
     "{\n"
     "  &header\n"
     "}\n"
     "when for verbose = false\n"
     "hex - The header's 80 bytes in hex",
     "[@block]\n"
     "[@block, false]"},
    {"getdifficulty", NULL, "num - How many times as hard as the easiest block it is to find the tip", "[]"},
    {"getblockstats",
     "num|str hash_or_height\n"
     "[? stats\n"
     "  str\n"
     "]",
     "{\n"
     "  num? avgfee - Mean fee\n"
     "  num? avgfeerate - Mean fee rate in satoshi per virtual byte\n"
     "  num? avgtxsize - Mean size of a transaction\n"
     "  hex? blockhash - The block's hash, a check on what was asked for\n"
     "  [=? feerate_percentiles - Fee rates in satoshi per virtual byte below which lie 10, 25, 50, 75 and 90 percent of the "
     "weight\n"
     "    num - The 10th percentile\n"
     "    num - The 25th percentile\n"
     "    num - The 50th percentile\n"
     "    num - The 75th percentile\n"
     "    num - The 90th percentile\n"
     "  ]\n"
     "  num? height - The block's height\n"
     "  num? ins - Number of inputs, without the coinbase's\n"
     "  num? maxfee - Highest fee\n"
     "  num? maxfeerate - Highest fee rate in satoshi per virtual byte\n"
     "  num? maxtxsize - Size of the largest transaction\n"
     "  num? medianfee - Median of the fees\n"
     "  num? mediantime - Median time of the block and the ten before\n"
     "  num? mediantxsize - Median of the transactions' sizes\n"
     "  num? minfee - Lowest fee\n"
     "  num? minfeerate - Lowest fee rate in satoshi per virtual byte\n"
     "  num? mintxsize - Size of the smallest transaction\n"
     "  num? outs - Number of outputs\n"
     "  num? subsidy - What the block brings its miner beside the fees\n"
     "  num? swtotal_size - Sizes of all transactions with a witness, added up\n"
     "  num? swtotal_weight - Weights of all transactions with a witness, added up\n"
     "  num? swtxs - Number of transactions with a witness\n"
     "  num? time - The block's time\n"
     "  num? total_out - Value of all outputs but the coinbase's\n"
     "  num? total_size - Sizes of all transactions but the coinbase, added up\n"
     "  num? total_weight - Weights of all transactions but the coinbase, added up\n"
     "  num? totalfee - Fees of all transactions\n"
     "  num? txs - Number of transactions, the coinbase included\n"
     "  num? utxo_increase - How many more unspent outputs there are; outputs that nobody can spend count, too\n"
     "  num? utxo_size_inc - How much larger the set of unspent outputs is; outputs that nobody can spend count, too\n"
     "  num? utxo_increase_actual - How many more unspent outputs there are\n"
     "  num? utxo_size_inc_actual - How much larger the set of unspent outputs is\n"
     "}",
     "[@block, [\"minfeerate\", \"avgfeerate\"]]\n"
     "[100]"},
    {"getblockchaininfo", NULL,
     "{\n"
     "  str chain - The network: main, test, testnet4, signet or regtest\n"
     "  num blocks - Height of the tip\n"
     "  num headers - Height of the best header\n"
     "  str bestblockhash - Hash of the tip\n"
     "  hex bits - Its target in compact form\n"
     "  hex target - Its target\n"
     "  num difficulty - Its difficulty\n"
     "  time time - Its time\n"
     "  time mediantime - Median time of it and the ten blocks before\n"
     "  num verificationprogress - Estimate of the part of all transactions that has been verified, 0 to 1\n"
     "  bool initialblockdownload - Is the node still loading the chain?\n"
     "  {? backgroundvalidation - The chain below a snapshot, while it is being verified\n"
     "    num snapshotheight - Height of the snapshot: where this chain will end\n"
     "    num blocks - Height that is reached\n"
     "    str bestblockhash - Hash of the last block verified\n"
     "    time mediantime - Median time of it and the ten blocks before\n"
     "    num verificationprogress - Part of the transactions up to the snapshot that has been verified, 0 to 1\n"
     "    hex chainwork - Work in this chain so far\n"
     "  }\n"
     "  hex chainwork - Expected number of hashes for the best chain, in hex\n"
     "  num size_on_disk - Bytes that blocks and undo data take on disk\n"
     "  bool pruned - Are old blocks deleted?\n"
     "  num? pruneheight - Height of the lowest block that is here with all above it (with pruning)\n"
     "  bool? automatic_pruning - Are they deleted without being asked to? (with pruning)\n"
     "  num? prune_target_size - Bytes that blocks may take (with automatic pruning)\n"
     "  hex? signet_challenge - The network's challenge script (on signet)\n"
     "  ~[ warnings - What the user should know of the network and the chain\n"
     "    str - One warning\n"
     "  ]\n"
     "}",
     "[]"},
    {"getchainstates", NULL,
     "{\n"
     "  num headers - Height of the best header\n"
     "  [ chainstates - Chains being verified, the one with most work last\n"
     "    {\n"
     "      num blocks - Height of its tip\n"
     "      hex bestblockhash - Hash of its tip\n"
     "      hex bits - The tip's target in compact form\n"
     "      hex target - The tip's target\n"
     "      num difficulty - The tip's difficulty\n"
     "      num verificationprogress - Part of all transactions that has been verified, 0 to 1\n"
     "      hex? snapshot_blockhash - The block of the snapshot that it began with, if it did\n"
     "      num coins_db_cache_bytes - Memory for the database of coins\n"
     "      num coins_tip_cache_bytes - Memory for coins in front of the database\n"
     "      bool validated - Has all of it been verified, from the first block on?\n"
     "    }\n"
     "  ]\n"
     "}",
     "[]"},
    {"getchaintips", NULL,
     "[\n"
     "  {\n"
     "    num height - Height of the branch's last block\n"
     "    hex hash - Hash of that block\n"
     "    num branchlen - Blocks of the branch that are not on the best chain; 0 for the best chain itself\n"
     "    str status - \"active\", \"valid-fork\", \"valid-headers\", \"headers-only\" or \"invalid\"\n"
     "  }\n"
     "]",
     "[]"},
    {"getdeploymentinfo", NULL,
     "{\n"
     "  str hash - The block that the answer is for\n"
     "  num height - Its height\n"
     "  [ script_flags - Rules of scripts in the block\n"
     "    str - Name of a rule\n"
     "  ]\n"
     "  {* deployments\n"
     "    { name - A change of the rules\n"
     "      str type - \"buried\": at a fixed height; \"bip9\": by miners' signals\n"
     "      num? height - Height from which it is in force, where that is known\n"
     "      bool active - Is it in force for the next block?\n"
     "      {? bip9 - How the signals stand (bip9 only)\n"
     "        num? bit - The version bit that signals, while signals count\n"
     "        time start_time - Median time from which signals count\n"
     "        time timeout - Median time at which it has failed\n"
     "        num min_activation_height - It is not in force below this height\n"
     "        str status - \"defined\", \"started\", \"locked_in\", \"active\" or \"failed\"\n"
     "        num since - Height of the first block with that status\n"
     "        str status_next - The status of the next block\n"
     "        {? statistics - Signals in this period (started and locked_in only)\n"
     "          num period - Blocks in a period\n"
     "          num? threshold - Signals needed (started only)\n"
     "          num elapsed - Blocks since the period began\n"
     "          num count - Blocks of these that signal\n"
     "          bool? possible - Can the period still bring enough of them? (started only)\n"
     "        }\n"
     "        str? signalling - A letter for each block of the period: # it signals, - it does not\n"
     "      }\n"
     "    }\n"
     "  }\n"
     "}",
     "[]\n"
     "[@block]"},
    {"getchaintxstats", NULL,
     "{\n"
     "  time time - Time of the window's last block\n"
     "  num? txcount - Transactions of the chain up to there, if known\n"
     "  hex window_final_block_hash - Hash of the window's last block\n"
     "  num window_final_block_height - Its height\n"
     "  num window_block_count - Blocks in the window\n"
     "  num? window_interval - Seconds that it spans (if it has a block at all)\n"
     "  num? window_tx_count - Transactions in it, if known\n"
     "  num? txrate - Transactions a second in it\n"
     "}",
     "[]\n"
     "[100]"},
    {"invalidateblock", NULL, "null", "[@block]"},
    {"reconsiderblock", NULL, "null", "[@block]"},
    {"preciousblock", NULL, "null", "[@block]"},
    {"verifychain", NULL, "bool - Is everything as it should be? The log says more if not",
     "[]\n"
     "[1, 10]"},
    {"pruneblockchain", NULL, "num - Height of the last block that was deleted; -1 if there is none",
     "[1000] ! -1 the node does not prune"},
    {"gettxout", NULL,
     "when if there is no such unspent output\n"
     "null\n"
     "when otherwise\n"
     "{\n"
     "  hex bestblock - The block that the answer is for: the tip\n"
     "  num confirmations - Confirmations of the transaction; 0 in the pool\n"
     "  amount value - Value in BTC\n"
     "  { scriptPubKey\n"
     "    &script\n"
     "  }\n"
     "  bool coinbase - Is it a coinbase's?\n"
     "}",
     "[@txid, 1]\n"
     "[@txid, 0, false]"},
    {"gettxoutsetinfo", "num|str? hash_or_height",
     "{\n"
     "  num height - Height of the block that the answer is for\n"
     "  hex bestblock - Its hash\n"
     "  num txouts - Number of unspent outputs\n"
     "  num bogosize - A measure of the set's size that does not depend on how it is stored\n"
     "  hex? hash_serialized_3 - Hash of the set (hash_type 'hash_serialized_3' only)\n"
     "  hex? muhash - Hash of the set (hash_type 'muhash' only)\n"
     "  num? transactions - Transactions with unspent outputs (not from the index)\n"
     "  num? disk_size - Bytes of the database on disk (not from the index)\n"
     "  amount total_amount - Value of all unspent outputs\n"
     "  amount? total_unspendable_amount - What no one can ever spend, up to this block (from the index only)\n"
     "  {? block_info - What this block alone changed (from the index only)\n"
     "    amount prevout_spent - Value of the outputs that it spends\n"
     "    amount coinbase - Value of its coinbase's outputs\n"
     "    amount new_outputs_ex_coinbase - Value of its other outputs\n"
     "    amount unspendable - What it loses for ever\n"
     "    { unspendables - Why it is lost\n"
     "      amount genesis_block - The first block's reward\n"
     "      amount bip30 - Coinbases that a later one with the same id overwrote\n"
     "      amount scripts - Outputs with scripts that nobody can satisfy\n"
     "      amount unclaimed_rewards - Rewards that miners did not take\n"
     "    }\n"
     "  }\n"
     "}",
     "[]\n"
     "[\"none\"]\n"
     "[\"none\", 100] ! -8 there is no -coinstatsindex"},
    {"scantxoutset",
     "[? scanobjects\n"
     "  str - A descriptor\n"
     "  { - A descriptor with a range\n"
     "    str desc - The descriptor\n"
     "    range? range =1000 - How far to derive: an end or [begin,end]\n"
     "  }\n"
     "]",
     "when for action \"start\", once the scan is done\n"
     "{\n"
     "  bool success - Was it done to the end?\n"
     "  num txouts - Unspent outputs that were looked at\n"
     "  num height - Height of the block that the answer is for\n"
     "  hex bestblock - Its hash\n"
     "  [ unspents - What was found\n"
     "    {\n"
     "      hex txid - Id of the transaction\n"
     "      num vout - Index of the output\n"
     "      hex scriptPubKey - Its script\n"
     "      str desc - A descriptor of the script\n"
     "      amount amount - Value in BTC\n"
     "      bool coinbase - Is it a coinbase's?\n"
     "      num height - Height of its block\n"
     "      hex blockhash - Hash of its block\n"
     "      num confirmations - Confirmations at the time of the scan\n"
     "    }\n"
     "  ]\n"
     "  amount total_amount - Value of all that was found\n"
     "}\n"
     "when for action \"abort\": was there a scan to abort?\n"
     "bool - Was there a scan to abort?\n"
     "when for action \"status\" while a scan goes on\n"
     "{\n"
     "  num progress - Percent of the set done\n"
     "}\n"
     "when for action \"status\" otherwise\n"
     "null",
     "[\"start\", [\"addr(@address)\"]]\n"
     "[\"status\"]\n"
     "[\"abort\"]"},
    {"waitfornewblock", NULL,
     "{\n"
     "  &tip\n"
     "}",
     "[10]"},
    {"waitforblock", NULL,
     "{\n"
     "  &tip\n"
     "}",
     "[@block, 10]"},
    {"waitforblockheight", NULL,
     "{\n"
     "  &tip\n"
     "}",
     "[100, 10]"},
    {"gettxoutproof",
     "[ txids\n"
     "  hex - A transaction's id\n"
     "]",
     "str - The proof in hex: a merkle block",
     "[[@txid]]\n"
     "[[@txid], @txblock]"},
    {"verifytxoutproof", NULL,
     "[\n"
     "  hex - Id of a transaction that the proof commits to; none if it is not valid\n"
     "]",
     "[@proof]"},
    {"getblockfilter", NULL,
     "{\n"
     "  hex filter - The filter\n"
     "  hex header - The filter's header\n"
     "}",
     "[@block, \"basic\"] ! -1 there is no -blockfilterindex"},
    {"getindexinfo", NULL,
     "{*\n"
     "  { name - Name of an index\n"
     "    bool synced - Has it reached the tip?\n"
     "    num best_block_height - Height that it has reached\n"
     "  }\n"
     "}",
     "[]\n"
     "[\"basic block filter index\"]"},
    {"getblockfrompeer", NULL,
     "{\n"
     "}",
     "[@block, 0] ! -1 the block is here already"},
    {"scanblocks",
     "[? scanobjects\n"
     "  str - A descriptor\n"
     "  { - A descriptor with a range\n"
     "    str desc - The descriptor\n"
     "    range? range =1000 - How far to derive: an end or [begin,end]\n"
     "  }\n"
     "]",
     "when for action \"status\" while no scan goes on\n"
     "null\n"
     "when for action \"start\", once the scan is done\n"
     "{\n"
     "  num from_height - Height of the first block looked at\n"
     "  num to_height - Height of the last one\n"
     "  [ relevant_blocks - Blocks that may hold something of what was asked for\n"
     "    hex - A block's hash\n"
     "  ]\n"
     "  bool completed - Was it done to the end?\n"
     "}\n"
     "when for action \"status\" while a scan goes on\n"
     "{\n"
     "  num progress - Percent done\n"
     "  num current_height - Height of the block being looked at\n"
     "}\n"
     "when for action \"abort\": was there a scan to abort?\n"
     "bool - Was there a scan to abort?",
     "[\"start\", [\"addr(@address)\"], 0] ! -1 there is no -blockfilterindex\n"
     "[\"status\"]\n"
     "[\"abort\"]"},
    {"dumptxoutset", "num|str? rollback",
     "{\n"
     "  num coins_written - Coins in the file\n"
     "  hex base_hash - The block that the set belongs to\n"
     "  num base_height - Its height\n"
     "  str path - Where the file is\n"
     "  hex txoutset_hash - Hash of the set\n"
     "  num nchaintx - Transactions of the chain up to there\n"
     "}",
     "[\"utxo.dat\", \"latest\"]"},
    {"loadtxoutset", NULL,
     "{\n"
     "  num coins_loaded - Coins in the file\n"
     "  hex tip_hash - The block that the set belongs to\n"
     "  num base_height - Its height\n"
     "  str path - Where the file is\n"
     "}",
     "[\"utxo.dat\"] ! -32603 the snapshot is none that the program knows"},
    {"getdescriptoractivity",
     "[ blockhashes\n"
     "  hex - A block's hash\n"
     "]\n"
     "[ scanobjects\n"
     "  str - A descriptor\n"
     "  { - A descriptor with a range\n"
     "    str desc - The descriptor\n"
     "    range? range =1000 - How far to derive: an end or [begin,end]\n"
     "  }\n"
     "]",
     "{\n"
     "  ~[ activity - What happened, in the order of the chain\n"
     "    {\n"
     "      str type - \"spend\"\n"
     "      amount amount - Value of the output spent\n"
     "      hex? blockhash - The block, if it is in one\n"
     "      num? height - Its height, if it is in one\n"
     "      hex spend_txid - Id of the transaction that spends\n"
     "      num spend_vin - Index of the input that does\n"
     "      hex prevout_txid - Id of the transaction whose output is spent\n"
     "      num prevout_vout - Index of that output\n"
     "      { prevout_spk - Its script\n"
     "        &script\n"
     "      }\n"
     "    }\n"
     "    {\n"
     "      str type - \"receive\"\n"
     "      amount amount - Value of the output\n"
     "      hex? blockhash - The block, if it is in one\n"
     "      num? height - Its height, if it is in one\n"
     "      hex txid - Id of the transaction\n"
     "      num vout - Index of the output\n"
     "      { output_spk - Its script\n"
     "        &script\n"
     "      }\n"
     "    }\n"
     "  ]\n"
     "}",
     "[[@block], [\"addr(@address)\"]]"},
    {NULL, NULL, NULL, NULL}};
