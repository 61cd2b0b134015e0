/* options.c - every option that farthingd takes, with its help: one table, read by main at start, by --help and by the man page. The names,
 * values and meanings are Bitcoin Core's. Options of features that this version does not have stand at its end; those that ask for
 * something the user would miss are named in one warning at start. */
#include "node/options.h"

#include <string.h>

#include "util/mem.h"

#define O "Options"
#define C "Connection options"
#define R "RPC server options"
#define M "Block creation options"
#define N "Node relay options"
#define P "Chain selection options"
#define Z "ZeroMQ notification options"
#define D "Debugging/Testing options"
#define IGNORED(name)                                                                                                              \
    {                                                                                                                              \
        name, "<value>", NULL, ARG_DEBUG_ONLY, NULL                                                                                \
    }

static const struct arg_spec specs[] = {
    {"help", NULL, O, ARG_COMMAND_LINE_ONLY, "Print this help message and exit (also -h or -?)"},
    {"h", NULL, O, ARG_COMMAND_LINE_ONLY | ARG_DEBUG_ONLY, "Same as -help"},
    {"?", NULL, O, ARG_COMMAND_LINE_ONLY | ARG_DEBUG_ONLY, "Same as -help"},
    {"help-debug", NULL, D, ARG_COMMAND_LINE_ONLY, "Print help message with debugging options and exit"},
    {"version", NULL, O, ARG_COMMAND_LINE_ONLY, "Print version and exit"},
    {"addressindex", NULL, O, 0,
     "Maintain an index of what each script received, spent and holds, used by the getaddress* rpc calls (default: 0)"},
    {"assumevalid", "<hex>", O, 0,
     "If this block is in the chain assume that it and its ancestors are valid and skip their script verification (0 to verify "
     "all)"},
    {"blockfilterindex", "<type>", O, 0, "Maintain an index of compact filters by block (default: 0, values: basic)"},
    {"blocknotify", "<cmd>", O, 0, "Execute command when the best block changes (%s in cmd is replaced by block hash)"},
    {"blocksdir", "<dir>", O, 0, "Specify directory to hold blocks subdirectory for *.dat files (default: <datadir>)"},
    {"blocksxor", NULL, O, 0, "Obfuscate *.dat files with a random key that is made in a new blocks directory (default: 1)"},
    {"coinstatsindex", NULL, O, 0, "Maintain coinstats index used by the gettxoutsetinfo RPC (default: 0)"},
    {"settings", "<file>", O, 0,
     "Path of the file with settings that programs around the node keep, relative to the network's data directory; -nosettings: "
     "none "
     "(default: settings.json)"},
    {"conf", "<file>", O, ARG_COMMAND_LINE_ONLY,
     "Specify path to read-only configuration file, relative to the datadir (default: farthing.conf, or bitcoin.conf where that "
     "exists)"},
    {"alertnotify", "<cmd>", O, 0, "Execute command when an alert is raised (%s in cmd is replaced by message)"},
    {"allowignoredconf", NULL, O, 0, "Treat a configuration file in the datadir that is not used as a warning, not an error"},
    {"daemon", NULL, O, 0, "Run in the background as a daemon and accept commands (default: 0)"},
    {"daemonwait", NULL, O, 0, "Wait for initialization to be finished before exiting. This implies -daemon (default: 0)"},
    {"datadir", "<dir>", O, ARG_NO_NEGATION, "Specify data directory (default: ~/.farthing)"},
    {"dbcache", "<n>", O, 0,
     "Maximum database cache size <n> MiB (minimum 4, default: 1024, or 450 on a machine with less than 4 GiB)"},
    {"debuglogfile", "<file>", O, 0,
     "Location of the debug log file, relative to the network's datadir (default: debug.log); -nodebuglogfile writes none"},
    {"includeconf", "<file>", O, 0, "Additional configuration file, relative to the datadir (only in the configuration file)"},
    {"loadblock", "<file>", O, 0, "Imports blocks from an external file on startup"},
    {"maxmempool", "<n>", O, 0, "Keep the transaction memory pool below <n> megabytes (default: 300)"},
    {"mempoolexpiry", "<n>", O, 0, "Do not keep transactions in the mempool longer than <n> hours (default: 336)"},
    {"minimumchainwork", "<hex>", O, ARG_DEBUG_ONLY, "Minimum work assumed to exist on a valid chain in hex"},
    {"par", "<n>", O, 0, "Number of script verification threads (0 = auto, up to 15, <0 = leave that many cores free, default: 0)"},
    {"persistmempool", NULL, O, 0, "Save the mempool on shutdown and load it on restart (default: 1)"},
    {"pid", "<file>", O, 0,
     "Specify pid file, relative to the network's datadir (default: farthingd.pid, or bitcoind.pid beside a bitcoin.conf)"},
    {"prune", "<n>", O, 0,
     "Delete old blocks: 0 = keep all, 1 = allow pruneblockchain, >=550 = keep block files under that many MiB (default: 0). "
     "Incompatible with -txindex and -txospenderindex"},
    {"reindex", NULL, O, 0, "Wipe chain state and block index, and rebuild them from blk*.dat files on disk"},
    {"reindex-chainstate", NULL, O, 0, "Wipe chain state, and rebuild it from blk*.dat files on disk"},
    {"shutdownnotify", "<cmd>", O, 0, "Execute command immediately before beginning shutdown"},
    {"startupnotify", "<cmd>", O, 0, "Execute command on startup"},
    {"txindex", NULL, O, 0, "Maintain a full transaction index, used by the getrawtransaction rpc call (default: 0)"},
    {"txospenderindex", NULL, O, 0,
     "Maintain a transaction output spender index, used by the gettxspendingprevout rpc call (default: 0)"},

    {"addnode", "<ip>", C, ARG_NETWORK_ONLY,
     "Add a node to connect to and attempt to keep the connection open; may be given several times"},
    {"asmap", "<file>", C, 0,
     "Group addresses by the autonomous systems of this map, in Bitcoin Core's asmap format, in place of address prefixes. "
     "Relative "
     "paths start at the network's datadir"},
    {"bantime", "<n>", C, 0, "Seconds that a ban lasts if setban does not say otherwise (default: 86400)"},
    {"bind", "<addr>[:<port>][=onion]", C, ARG_NETWORK_ONLY,
     "Bind to given address and always listen on it. Use [host]:port for IPv6. Append =onion to tag connections to that address as "
     "incoming Tor connections (default: 127.0.0.1 with the port after -port's)"},
    {"cjdnsreachable", NULL, C, 0, "This host is configured for CJDNS: addresses in fc00::/8 lead to that network (default: 0)"},
    {"connect", "<ip>", C, ARG_NETWORK_ONLY,
     "Connect only to the specified node; -noconnect disables automatic connections; may be given several times"},
    {"discover", NULL, C, 0, "Discover own IP addresses (default: 1 when listening and no -externalip or -proxy)"},
    {"dns", NULL, C, 0, "Allow DNS lookups for -addnode and -connect (default: 1)"},
    {"dnsseed", NULL, C, 0,
     "Query for peer addresses via DNS lookup, if low on addresses (default: 1 unless -connect used or -maxconnections=0)"},
    {"externalip", "<ip>", C, 0, "Specify your own public address; may be given several times"},
    {"fixedseeds", NULL, C, 0, "Allow fixed seeds if DNS seeds don't provide peers (default: 1)"},
    {"forcednsseed", NULL, C, 0, "Always query for peer addresses via DNS lookup (default: 0)"},
    {"i2pacceptincoming", NULL, C, 0,
     "Accept inbound I2P connections, through the SAM proxy and at an address that is kept (default: 1 if -listen). Ignored if "
     "-i2psam is not set"},
    {"i2psam", "<ip:port>", C, 0, "I2P SAM proxy to reach I2P peers and accept I2P connections"},
    {"listen", NULL, C, 0, "Accept connections from outside (default: 1 if no -connect or -proxy)"},
    {"listenonion", NULL, C, 0, "Automatically create a Tor onion service (default: 1 if -listen)"},
    {"maxconnections", "<n>", C, 0, "Maintain at most <n> automatic connections to peers (default: 200)"},
    {"inboundrelaypercent", "<n>", C, 0,
     "Permit at most this share of inbound connections to relay transactions, to limit memory use (0 to 100, default: 50)"},
    {"maxuploadtarget", "<n>", C, 0,
     "Try to keep outbound traffic under the given target per 24h: old blocks are not served any more, but to peers with the "
     "'download' "
     "permission. 0 = no limit (default: 0). Optional suffix units k|K|m|M|g|G|t|T (default: M); lowercase is 1000 base, "
     "uppercase 1024 base"},
    {"maxreceivebuffer", "<n>", C, 0,
     "Most bytes, in thousands, to read ahead from a peer whose messages wait (default: 5000; more than 64 KiB are never read)"},
    {"maxsendbuffer", "<n>", C, 0, "Bytes, in thousands, that wait to be sent to a peer before its messages wait (default: 1000)"},
    {"networkactive", NULL, C, 0,
     "Enable all P2P network activity (default: 1). Can be changed by the setnetworkactive RPC command"},
    {"peerblockfilters", NULL, C, 0, "Serve compact block filters to peers per BIP 157 (default: 0)"},
    {"peerbloomfilters", NULL, C, 0, "Support filtering of blocks and transactions with bloom filters (default: 0)"},
    {"onion", "<ip:port|path>", C, 0,
     "Use separate SOCKS5 proxy to reach peers via Tor onion services, -noonion to disable (default: -proxy). May be a local file "
     "path prefixed with 'unix:'"},
    {"onlynet", "<net>", C, 0,
     "Make automatic outbound connections only to network <net> (ipv4, ipv6, onion, i2p, cjdns). Inbound and manual connections "
     "are not affected. May be given several times"},
    {"peertimeout", "<n>", C, ARG_DEBUG_ONLY, "Seconds before a silent peer may be disconnected (minimum: 1, default: 60)"},
    {"port", "<port>", C, ARG_NETWORK_ONLY,
     "Listen for connections on <port> (default: 8333, testnet3: 18333, testnet4: 48333, signet: 38333, regtest: 18444)"},
    {"seednode", "<ip>", C, 0,
     "Connect to a node to retrieve peer addresses, and disconnect; may be given several times. The nodes are tried one by one "
     "while there "
     "are too few peers"},
    {"privatebroadcast", NULL, C, 0,
     "Broadcast transactions of sendrawtransaction over short connections through Tor or I2P, without putting them into the "
     "mempool "
     "first (default: 0)"},
    {"proxy", "<ip>[:<port>]|unix:<path>[=<network>]", C, ARG_NEEDS_VALUE,
     "Connect through SOCKS5 proxy, -noproxy to disable (default port: 9050). May be a local file path prefixed with 'unix:'. "
     "Could "
     "end in =network (ipv4, ipv6, onion or cjdns) to set the proxy for that network only; may be given several times, the later "
     "ones override (default: none)"},
    {"proxyrandomize", NULL, C, 0,
     "Other credentials for every proxy connection: Tor then uses a circuit of its own for each (default: 1)"},
    {"timeout", "<n>", C, 0, "Connection timeout in milliseconds (minimum: 1, default: 5000)"},
    {"txreconciliation", NULL, C, ARG_DEBUG_ONLY, "Enable transaction reconciliations per BIP 330 (default: 0)"},
    {"v2transport", NULL, C, 0, "Support v2 transport: encrypted connections, BIP324 (default: 1)"},
    {"torcontrol", "<ip>:<port>", C, 0, "Tor control host and port, for -listenonion (default: 127.0.0.1:9051)"},
    {"torpassword", "<pass>", C, ARG_SENSITIVE, "Tor control port password (default: empty)"},
    {"whitebind", "<[permissions@]addr>", C, 0, "Bind to the given address and add permission flags to the peers connecting to it"},
    {"whitelist", "<[permissions@]IP address or network>", C, 0,
     "Add permission flags to the peers using the given IP address or network: bloomfilter, noban, forcerelay, relay, mempool, "
     "download, addr, in, out"},

    {"signer", "<cmd>", R, 0, "Program that speaks to signing devices, such as HWI (see enumeratesigners)"},
    {"server", NULL, R, 0, "Accept command line and JSON-RPC commands (default: 1)"},
    {"rest", NULL, R, 0, "Accept public REST requests (default: 0)"},
    {"rpcallowip", "<ip>", R, 0,
     "Allow JSON-RPC connections from this source: an IP, a network/netmask or a network/CIDR; may be given several times"},
    {"rpcauth", "<userpw>", R, ARG_SENSITIVE,
     "Username and HMAC-SHA-256 hashed password: <USERNAME>:<SALT>$<HASH>; may be given several times"},
    {"rpcbind", "<addr>[:port]", R, ARG_NETWORK_ONLY,
     "Bind to given address for JSON-RPC. Ignored unless -rpcallowip is given (default: 127.0.0.1 and ::1). unix:<path>: a unix "
     "socket that only "
     "this user may open, beside the addresses"},
    {"rpccookiefile", "<loc>", R, 0, "Location of the auth cookie, relative to the network's datadir (default: .cookie)"},
    {"rpccookieperms", "<readable-by>", R, 0, "Who may read the auth cookie: owner, group or all (default: owner)"},
    {"rpcdoccheck", NULL, R, ARG_DEBUG_ONLY,
     "Answer with an error if a result is not as the documentation of its command says (default: 0)"},
    {"rpcpassword", "<pw>", R, ARG_SENSITIVE, "Password for JSON-RPC connections"},
    {"rpcport", "<port>", R, ARG_NETWORK_ONLY,
     "Listen for JSON-RPC connections on <port> (default: 8332, testnet3: 18332, testnet4: 48332, signet: 38332, regtest: 18443)"},
    {"rpcservertimeout", "<n>", R, ARG_DEBUG_ONLY, "Timeout during HTTP requests in seconds (default: 30)"},
    {"rpcthreads", "<n>", R, 0, "Number of threads to service RPC calls (default: 16)"},
    {"rpctlscert", "<file>", R, 0,
     "Certificate (PEM) with which JSON-RPC speaks TLS, relative to the network's datadir; needs -rpctlskey. If neither file "
     "exists, a key and a "
     "self-signed certificate are made. Plain text is then taken from this machine only"},
    {"rpctlskey", "<file>", R, 0, "Key (PEM, not encrypted) of -rpctlscert"},
    {"rpcuser", "<user>", R, ARG_SENSITIVE, "Username for JSON-RPC connections"},
    {"rpcwhitelist", "<whitelist>", R, 0, "Commands that a user may call: <USERNAME>:<rpc 1>,<rpc 2>,..."},
    {"rpcwhitelistdefault", NULL, R, 0, "Users without -rpcwhitelist may call nothing (default: 1 if any -rpcwhitelist is given)"},
    {"rpcworkqueue", "<n>", R, ARG_DEBUG_ONLY, "Maximum depth of the work queue to service RPC calls (default: 64)"},
    {"deprecatedrpc", "<method>", D, ARG_DEBUG_ONLY, "Allows deprecated RPC method(s) to be used"},

    {"electrum", "<addr>[:<port>]", R, ARG_NETWORK_ONLY,
     "Serve wallets over the Electrum protocol at this address, without encryption; switches -addressindex on. May be given "
     "several "
     "times (default: off; 127.0.0.1 and port 50001, testnet3: 60001, testnet4: 40001, signet: 60601, regtest: 60401)"},
    {"electrumtls", "<addr>[:<port>]", R, ARG_NETWORK_ONLY,
     "The same over TLS, with electrum.crt and electrum.key in the network's datadir, which are made if neither exists (ports: one "
     "more than those)"},
    {"electrumtlscert", "<file>", R, 0,
     "Certificate (PEM) of -electrumtls, relative to the network's datadir (default: electrum.crt)"},
    {"electrumtlskey", "<file>", R, 0, "Key (PEM, not encrypted) of -electrumtlscert (default: electrum.key)"},

    {"blockmaxweight", "<n>", M, 0, "Maximum BIP141 block weight of templates (default: 4000000)"},
    {"blockmintxfee", "<amt>", M, 0, "Lowest fee rate (in BTC/kvB) for transactions in templates (default: 0.00000001)"},
    {"blockreservedweight", "<n>", M, 0, "Weight reserved for header and coinbase (default: 8000)"},
    {"gen", "<n>", M, 0,
     "Mine with <n> threads of this computer, at low priority (1 if no number is given, -1 = one a processor, default: 0). Needs "
     "-miningaddress"},
    {"miningaddress", "<addr>", M, ARG_NETWORK_ONLY, "The address that the node's own miner (-gen, setgenerate) pays to"},
    {"stratum", "<addr>[:<port>]", M, ARG_NETWORK_ONLY,
     "Serve work to mining hardware over stratum v1 at this address; each client is paid at the address that it gives as its user. "
     "May be "
     "given several times (default: off; 127.0.0.1 and port 3333 if not said otherwise)"},
    {"stratumdifficulty", "<n>", M, 0, "Difficulty that stratum clients start with (default: 1); it then follows their speed"},
    {"stratumtimeout", "<n>", M, ARG_DEBUG_ONLY, "Seconds before a silent stratum client is disconnected (default: 600)"},
    {"blockversion", "<n>", M, ARG_DEBUG_ONLY, "Override block version to test forking scenarios"},
    {"printpriority", NULL, M, ARG_DEBUG_ONLY, "Log the fee rate of each transaction that a template takes (default: 0)"},

    {"acceptnonstdtxn", NULL, N, ARG_DEBUG_ONLY, "Relay and mine \"non-standard\" transactions (test networks only; default: 0)"},
    {"blockreconstructionextratxn", "<n>", N, 0,
     "Extra transactions (orphans, refused, replaced) to keep in memory for compact block reconstruction (default: 100)"},
    {"txsendrate", "<n>", N, ARG_DEBUG_ONLY,
     "Set the maximum ongoing rate for sending transactions to (inbound) peers, in a second (default: 14)"},
    {"whitelistforcerelay", NULL, N, 0,
     "Add 'forcerelay' permission to whitelisted peers with default permissions. This will relay transactions even if the "
     "transactions were already in the mempool (default: 0)"},
    {"whitelistrelay", NULL, N, 0,
     "Add 'relay' permission to whitelisted peers with default permissions. This will accept relayed transactions even when not "
     "relaying transactions (default: 1)"},
    {"blocksonly", NULL, N, 0, "Reject transactions from network peers; RPC transactions are not affected (default: 0)"},
    {"bytespersigop", "<n>", N, 0, "Equivalent bytes per sigop in transactions for relay and mining (default: 20)"},
    {"datacarrier", NULL, N, 0, "Relay and mine data carrier transactions (default: 1)"},
    {"datacarriersize", "<n>", N, 0, "Maximum total size of data-carrying output scripts of a transaction (default: 100000)"},
    {"dustrelayfee", "<amt>", N, ARG_DEBUG_ONLY, "Fee rate (in BTC/kvB) that defines dust (default: 0.00003000)"},
    {"incrementalrelayfee", "<amt>", N, ARG_DEBUG_ONLY,
     "Fee rate (in BTC/kvB) that defines the cost of relay (default: 0.00000100)"},
    {"limitclustercount", "<n>", N, ARG_DEBUG_ONLY,
     "Most unconfirmed transactions that may be connected with each other (default: 64)"},
    {"limitclustersize", "<n>", N, ARG_DEBUG_ONLY,
     "Most kilobytes of unconfirmed transactions that may be connected (default: 101)"},
    {"limitancestorcount", "<n>", N, ARG_DEBUG_ONLY, "Most in-mempool ancestors of a transaction, itself included (default: 25)"},
    {"limitdescendantcount", "<n>", N, ARG_DEBUG_ONLY,
     "Most in-mempool descendants of a transaction, itself included (default: 25)"},
    {"minrelaytxfee", "<amt>", N, 0, "Fee rate (in BTC/kvB) below which transactions are not relayed (default: 0.00000100)"},
    {"permitbaremultisig", NULL, N, 0, "Relay transactions creating non-P2SH multisig outputs (default: 1)"},

    {"chain", "<chain>", P, 0, "Use the chain <chain>: main, test, testnet4, signet, regtest (default: main)"},
    {"regtest", NULL, P, 0, "Use the regression test chain, in which blocks can be solved instantly"},
    {"signet", NULL, P, 0, "Use the signet chain (see -signetchallenge)"},
    {"signetchallenge", "<hex>", P, ARG_NO_NEGATION, "Script that blocks must satisfy (only for signet networks)"},
    {"signetkey", "<key>", P, ARG_SENSITIVE | ARG_NETWORK_ONLY,
     "Private key (WIF) of the signet's challenge: blocks that this node makes are signed with it; may be given several times"},
    {"signetseednode", "<seed>", P, 0,
     "Specify a seed node for the signet network, in place of its own; may be given several times"},
    {"testnet", NULL, P, 0, "Use the testnet3 chain"},
    {"testnet4", NULL, P, 0, "Use the testnet4 chain"},
    {"testactivationheight", "<name@height>", P, ARG_DEBUG_ONLY,
     "Set the activation height of segwit, bip34, dersig, cltv or csv (regtest)"},
    {"vbparams", "<deployment:start:end[:min_activation_height]>", P, ARG_DEBUG_ONLY,
     "Parameters of a version bits deployment (regtest)"},

    {"zmqpubhashblock", "<address>", Z, 0, "Enable publish hash block in <address>"},
    {"zmqpubhashtx", "<address>", Z, 0, "Enable publish hash transaction in <address>"},
    {"zmqpubrawblock", "<address>", Z, 0, "Enable publish raw block in <address>"},
    {"zmqpubrawtx", "<address>", Z, 0, "Enable publish raw transaction in <address>"},
    {"zmqpubsequence", "<address>", Z, 0, "Enable publish hash block and tx sequence in <address>"},
    {"zmqpubhashblockhwm", "<n>", Z, 0, "Set publish hash block outbound message high water mark (default: 1000)"},
    {"zmqpubhashtxhwm", "<n>", Z, 0, "Set publish hash transaction outbound message high water mark (default: 1000)"},
    {"zmqpubrawblockhwm", "<n>", Z, 0, "Set publish raw block outbound message high water mark (default: 1000)"},
    {"zmqpubrawtxhwm", "<n>", Z, 0, "Set publish raw transaction outbound message high water mark (default: 1000)"},
    {"zmqpubsequencehwm", "<n>", Z, 0, "Set publish hash block and tx sequence outbound message high water mark (default: 1000)"},

    {"acceptstalefeeestimates", NULL, D, ARG_DEBUG_ONLY,
     "Read fee estimates even if they are stale (regtest only; default: 0); they are when they are 60 hours old"},
    {"capturemessages", NULL, D, ARG_DEBUG_ONLY, "Capture all P2P messages to disk, below message_capture/ (default: 0)"},
    {"checkblockindex", "<n>", D, ARG_DEBUG_ONLY,
     "Check the block tree's consistency with every operation (default: 0, regtest: 1)"},
    {"checkblocks", "<n>", D, ARG_DEBUG_ONLY, "How many blocks to check at startup (default: 6, 0 = all)"},
    {"checklevel", "<n>", D, ARG_DEBUG_ONLY, "How thorough the check of -checkblocks is (0-4, default: 3)"},
    {"dbbatchsize", "<n>", D, ARG_DEBUG_ONLY, "Maximum bytes of one batch in which changed coins are written (default: 2097152)"},
    {"dbcrashratio", "<n>", D, ARG_DEBUG_ONLY,
     "End the process at once after one in <n> batches of coins, the last ones aside, to test the recovery from it; no flush then "
     "waits for an idle moment (default: 0)"},
    {"debug", "<category>", D, 0,
     "Output debug and trace logging of a category (1 or all: everything); may be given several times"},
    {"debugexclude", "<category>", D, 0, "Exclude a category from debug logging; may be given several times"},
    {"fastprune", NULL, D, ARG_DEBUG_ONLY, "Use smaller block files and lower minimum prune height for testing purposes"},
    {"logformat", "<format>", D, 0, "text: one line each; json: one object each, with named events and fields (default: text)"},
    {"logips", NULL, D, 0, "Include IP addresses in log output (default: 0)"},
    {"loglevel", "<level>|<category>:<level>", D, 0, "Severity level of enabled categories: info, debug, trace (default: debug)"},
    {"loglevelalways", NULL, D, 0, "Always prepend a category and level (default: 0)"},
    {"logratelimit", NULL, D, 0, "Limit each place in the source to 1 MiB of the log an hour, debug lines aside (default: 1)"},
    {"logsourcelocations", NULL, D, 0, "Prepend the source location to each line (default: 0)"},
    {"logthreadnames", NULL, D, 0, "Prepend the thread's name to each line (default: 0)"},
    {"logtimemicros", NULL, D, 0, "Add microseconds to timestamps (default: 0)"},
    {"logtimestamps", NULL, D, 0, "Prepend a timestamp to each line (default: 1)"},
    {"maxsigcachesize", "<n>", D, ARG_DEBUG_ONLY, "Size of the signature and script caches together in MiB (default: 32)"},
    {"maxtipage", "<n>", D, ARG_DEBUG_ONLY, "Maximum age of the tip in seconds to leave initial block download (default: 86400)"},
    {"checkmempool", "<n>", D, ARG_DEBUG_ONLY,
     "Run mempool consistency checks every <n> transactions. Use 0 to disable. (default: 0, regtest: 1)"},
    {"mocktime", "<n>", D, ARG_DEBUG_ONLY, "Replace actual time with this Unix time (default: 0)"},
    {"printtoconsole", NULL, D, 0, "Send the log to the console (default: 1 when no -daemon)"},
    {"shrinkdebugfile", NULL, D, 0, "Shrink debug log file on startup (default: 1 when no -debug)"},
    {"stopafterblockimport", NULL, D, ARG_DEBUG_ONLY, "Stop running after importing blocks from disk (default: 0)"},
    {"stopatheight", "<n>", D, ARG_DEBUG_ONLY, "Stop running after reaching the given height in the main chain (default: 0)"},
    {"checkaddrman", "<n>", D, ARG_DEBUG_ONLY,
     "Check the consistency of the address manager every <n> operations; 0 disables (default: 0)"},
    {"test", "<option>", D, ARG_DEBUG_ONLY, "Pass a test-only option (reindex_after_failure_noninteractive_yes, addrman, ...)"},
    {"uacomment", "<cmt>", D, 0, "Append comment to the user agent string; may be given several times"},

    /* Core's options whose feature this version lacks, or which mean nothing here: accepted, so that people's files keep working. */
    IGNORED("checkpoints"),
    IGNORED("ipcbind"),
    IGNORED("limitancestorsize"),
    IGNORED("limitdescendantsize"),
    IGNORED("natpmp"),
    IGNORED("persistmempoolv1"),
    IGNORED("prevoutfetchthreads"),
    IGNORED("addresstype"),
    IGNORED("avoidpartialspends"),
    IGNORED("changetype"),
    IGNORED("consolidatefeerate"),
    IGNORED("disablewallet"),
    IGNORED("discardfee"),
    IGNORED("fallbackfee"),
    IGNORED("keypool"),
    IGNORED("maxapsfee"),
    IGNORED("maxtxfee"),
    IGNORED("mintxfee"),
    IGNORED("paytxfee"),
    IGNORED("spendzeroconfchange"),
    IGNORED("txconfirmtarget"),
    IGNORED("unsafesqlitesync"),
    IGNORED("wallet"),
    IGNORED("walletbroadcast"),
    IGNORED("walletcrosschain"),
    IGNORED("walletdir"),
    IGNORED("walletnotify"),
    IGNORED("walletrbf"),
    IGNORED("walletrejectlongchains"),
    IGNORED("dblogsize"),
    IGNORED("flushwallet"),
};

/* Of these a request to switch it on deserves a warning; the rest are silent tuning knobs or off already. */
static const char *const worth_a_warning[] = {
    "wallet",
};

const struct arg_spec *options_table(size_t *n)
{
    *n = ARRAY_LEN(specs);
    return specs;
}

size_t options_without_effect(const struct args *args, const char **names, size_t max)
{
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(worth_a_warning); i++) {
        const char *name = worth_a_warning[i];
        if (n < max && args_is_set(args, name) && !args_is_negated(args, name) && strcmp(args_str(args, name, ""), "0") != 0)
            names[n++] = name;
    }
    return n;
}
