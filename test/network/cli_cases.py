"""The calls of cli_diff.py: words for the command line, canned answers of a server, configuration files."""
import itertools

from blocks import TRUE_ADDRESS

JSON = ["1", "-1", "-0", "0.0", "1.0", "1e5", "1E+5", "123456789012345678901234567890", "9223372036854775808", "-9223372036854775809", "0.10000000000000000000001", "true", "false", "null", '"a"', '""', "[]", "{}",
        "[[]]", '[{}]', '{"a": 1, "a": 2}', '{"a": {"b": [1, 2, {"c": null}]}}', '"\\u00e9\\n\\t\\u0001\\u007f\\"\\\\\\/"', '"\u20ac\U0001f600"', '"\\ud83d\\ude00"', " 1", "1 ", "1 2", "01", "1.", ".5", "+1", "NaN", "Infinity",
        "nul", "", " ", "'a'", "a b", "[1,]", "{", '{"a"}', "tru e", "\n", "a\nb", "-", "--", "[" * 100 + "]" * 100, "[" * 511 + "]" * 511, "[" * 512 + "]" * 512, "[" * 600 + "]" * 600]


def cases(node):
    """(words, standard input, whether on a terminal)"""
    block = node.getbestblockhash()
    out = [(words, None, False) for words in plain(block) + netinfo() + options()]
    out += [(["-stdin", *words], stdin, False) for words, stdin in (
        (["getblockhash"], b"1\n"), (["getblockhash"], b"1"), ([], b"getblockhash\n1\n"), ([], b""), (["getblockhash"], b"\n"), (["echo"], b"a\n\nb\r\nc"), (["getblock", block], b"0\n"),
        (["-named", "getblock"], b"blockhash=%s\nverbosity=0\n" % block.encode()), (["echo", "x"], b"\xff\xfe\n"), (["echo"], b"\xe2\x82\xac\n"))]
    out += [(words, stdin, False) for words, stdin in (
        (["-stdinrpcpass", "getblockcount"], b"wrong\n"), (["-stdinrpcpass", "getblockcount"], b""), (["-stdinrpcpass", "-rpcuser=__cookie__", "getblockcount"], node.credentials().split(":")[1].encode() + b"\n"),
        (["-stdinrpcpass", "-stdin", "-rpcuser=__cookie__", "getblockhash"], node.credentials().split(":")[1].encode() + b"\n1\n"), (["-stdinrpcpass", "getblockcount"], b"\n"),
        (["-stdinwalletpassphrase", "walletpassphrase", "60"], b"secret\n"), (["-stdinwalletpassphrase", "walletpassphrase", "60"], b""), (["-stdinwalletpassphrase", "walletpassphrasechange", "new"], b"old\n"),
        (["-stdinwalletpassphrase", "getblockcount"], b"x\n"), (["-stdinwalletpassphrase"], b"x\n"), (["-stdinwalletpassphrase", "walletpassphrasex"], b"x\n"),
        (["-stdinrpcpass", "-stdinwalletpassphrase", "-stdin", "walletpassphrase"], b"a\nb\n60\n"), (["-nostdinrpcpass", "getblockcount"], b"wrong\n"), (["-stdin=0", "getblockcount"], b"1\n"))]
    out += [(words, stdin, True) for words, stdin in (
        (["-getinfo"], None), (["-getinfo", "-color=never"], None), (["-getinfo", "-color=auto"], None), (["-color=always", "-getinfo"], None), (["getblock", block], None), (["-netinfo"], None), (["nosuch"], None),
        (["-stdinrpcpass", "-rpcuser=x", "getblockcount"], b"wrong\n"), (["-stdinwalletpassphrase", "walletpassphrase", "60"], b"secret\n"), (["-stdin", "getblockhash"], b"1\n\x04"))]
    return out


def plain(block):
    out = [["getblockcount"], ["getbestblockhash"], ["getblockhash", "0"], ["getblockhash", "1"], ["getblock", block], ["getblock", block, "0"], ["getblock", block, "false"], ["getblock", block, "2"], ["getblock", block, "x"],
           ["getblockheader", block], ["getblockheader", block, "false"], ["getrawmempool"], ["getrawmempool", "true"], ["getchaintips"], ["ping"], ["getmempoolinfo", "extra"], ["nosuch"], ["nosuch", "x", "1"], [" "], [""],
           ["getblockhash"], ["getblockhash", "-1"], ["getblockhash", "99"], ["getblockhash", "x"], ["getblockhash", "1", "2"], ["getblockhash", '"1"'], ["getblock"], ["getblock", "00" * 32], ["getblock", "zz"], ["help", "getblockcount"],
           ["help", "nosuch"], ["help", "a", "b"], ["sendrawtransaction", "00"], ["sendrawtransaction", "zz"], ["decoderawtransaction", "00"], ["createrawtransaction", "[]", "{}"], ["createrawtransaction", "[]", '{"data":"00"}'],
           ["createrawtransaction", "[]", '[{"%s":0.1}]' % TRUE_ADDRESS, "5", "false"], ["createrawtransaction", "{", "[]"], ["createrawtransaction", "[]"], ["validateaddress", TRUE_ADDRESS], ["validateaddress", "x"], ["getdescriptorinfo", "raw(51)"],
           ["deriveaddresses", "raw(51)"], ["testmempoolaccept", '["00"]'], ["testmempoolaccept", "00"], ["gettxout", "00" * 32, "0"], ["setmocktime", "1700000000"], ["estimatesmartfee", "6"], ["estimatesmartfee", "6", "x"],
           ["listbanned"], ["setban", "1.2.3.4", "add", "10", "x"], ["addnode", "x", "y"], ["logging", '["net"]', '["all"]'], ["getblockstats", "1"], ["getblockstats", block], ["getblockstats", "x"], ["getblockstats", '"%s"' % block],
           ["getblockstats", "1", '["height"]'], ["gettxoutsetinfo", "none", "1"], ["gettxoutsetinfo", "none", block], ["scantxoutset", "start", '["raw(51)"]'], ["waitforblock", block, "1"], ["rescanblockchain", "x"], ["getwalletinfo"],
           ["getbalance"], ["listwallets", "x"], ["sendtoaddress", "x", "x"], ["walletpassphrase", "1", "2"], ["stop", "x"], ["getblocktemplate"], ["getblocktemplate", '{"rules":["segwit"]}'], ["getblocktemplate", "x"],
           ["prioritisetransaction", "00" * 32, "0", "5"], ["prioritisetransaction", "00" * 32, "0", "5.0"], ["uptime", "1"], ["getnodeaddresses", "x"], ["verifymessage", "a", "b", "c"], ["verifymessage", "1", "2", "3"]]
    for text in JSON:
        out += [["echo", text], ["echojson", text], ["getblockhash", text], ["-named", "echojson", "arg1=" + text], ["-named", "echo", "arg1=" + text], ["getblockstats", text], ["-rpcid=" + text, "getblockcount"]]
    named = [["blockhash=" + block], ["blockhash=" + block, "verbosity=0"], ["blockhash=" + block, "verbosity=x"], [block], [block, "verbosity=0"], ["verbosity=0", block], [block, "0"], [block, "blockhash=" + block], ["nosuch=1"], ["=1"], ["="],
             ["blockhash="], ["blockhash=" + block, "blockhash=" + block], ["args=[]"], ['args=["%s"]' % block], ["args=[1]", block], ["args=x"], ["args={}", block], ["verbose=0", "blockhash=" + block], []]
    out += [["-named", "getblock", *words] for words in named]
    for words in (["echo", "a=b"], ["echo", "arg0=1", "arg9=2"], ["echo", "1", "arg1=x=y"], ["echo", "x", "arg0=y"], ["echojson", "[1]", "arg1={}"], ["echojson", 'a=b'], ["echojson", '{"a=b": 1}'], ["echojson", '"a=b"', "2"],
                  ["createrawtransaction", "inputs=[]", 'outputs={"data":"00"}', "locktime=5"], ["createrawtransaction", "inputs=x"], ["decodescript", "51"], ["decodescript", "hexstring=51"], ["getdescriptorinfo", "pk(a=b)"],
                  ["getdescriptorinfo", "descriptor=pk(a=b)"], ["validateaddress", "address=x=y"], ["combinepsbt", 'txs=["a="]'], ["combinepsbt", '["a="]'], ["decodepsbt", "cHNidP8BAAoCAAAAAAAAAAAAAA=="], ["decodepsbt", "psbt=cHNidP8BAAoCAAAAAAAAAAAAAA=="],
                  ["finalizepsbt", "cHNidP8BAAoCAAAAAAAAAAAAAA==", "extract=false"], ["finalizepsbt", "cHNidP8BAAoCAAAAAAAAAAAAAA==", "false"], ["verifymessage", "a", "b=", "c=d"], ["verifymessage", "address=a", "signature=b=", "message=c=d"],
                  ["signmessagewithprivkey", "x", "a=b"], ["sendrawtransaction", "hexstring=00", "maxfeerate=0.1"], ["help", "command=getblock"], ["waitforblockheight", "1", "timeout=1"], ["scantxoutset", "action=status"],
                  ["setban", "subnet=1.2.3.4", "command=x"], ["nosuch", "a=1"], ["getblockstats", "hash_or_height=1", 'stats=["height"]'], ["logging", "include=[]", "exclude=[]"]):
        out.append(["-named", *words])
    return out


def netinfo():
    # Ages and times of peers go on: what depends on them is asked of the canned answers.
    levels = [[], ["0"], ["00"], ["-1"], ["x"], ["256"], ["1000"], ["0", "o"], ["0", "x"], ["1", "x"], ["", "o"], [" 1"], ["1.0"], ["+1"], ["1 "], ["h"], ["help"], ["help", "x"], ["4", "outonly"], ["255", "o"], ["4", "O"], ["1", "o", "x"]]
    return [["-netinfo", *level] for level in levels] + [["-netinfo=1"], ["-netinfo=0", "getblockcount"], ["-nonetinfo", "getblockcount"], ["-nonetinfo"], ["-netinfo=x"], ["-netinfo=4"]]


def options():
    own = ["-getinfo", "-netinfo", "-addrinfo", "-generate"]
    out = [[a, b] for a, b in itertools.permutations(own, 2)] + [own, ["-getinfo", "getblockcount"], ["-getinfo"], ["-getinfo", "-color=always"], ["-getinfo", "-color=never"], ["-getinfo", "-color=x"], ["-getinfo", "-color="],
                                                                 ["-getinfo", "-color"], ["-nocolor", "-getinfo"], ["-color=x", "getblockcount"], ["-addrinfo"], ["-addrinfo", "x"], ["-noaddrinfo", "getblockcount"],
                                                                 ["-getinfo=0", "getblockcount"], ["-getinfo=0", "-netinfo"], ["-nogetinfo", "-addrinfo"], ["-generate", "1", "2", "3"], ["-generate", "0"], ["-rpcwallet=x", "-getinfo"],
                                                                 ["-rpcwallet=", "-getinfo"]]
    out += [[], ["-help"], ["-?"], ["-h"], ["-version"], ["-version", "-help"], ["-help-debug"], ["-nohelp", "getblockcount"], ["-noversion", "getblockcount"], ["-help=0", "getblockcount"], ["--version"], ["--help"], ["--getinfo"], ["--netinfo"]]
    out += [[o, "getblockcount"] for o in (
        "-nosuch", "-nosuch=1", "-nonosuch", "-server", "-txindex", "-datadir", "-datadir=", "-nodatadir", "-conf", "-conf=none", "-conf=", "-noconf", "-rpcport=0", "-rpcport=65536", "-rpcport=x", "-rpcport=", "-rpcport", "-rpcport=-1",
        "-rpcport= 1", "-rpcport=1x", "-rpcport=+1", "-norpcport", "-rpcconnect=", "-rpcconnect", "-norpcconnect", "-rpcconnect=127.0.0.1:x", "-rpcconnect=127.0.0.1:0", "-rpcconnect=127.0.0.1:65536", "-rpcconnect=127.0.0.1:", "-rpcconnect=[::1]:1",
        "-rpcconnect=[::1]", "-rpcconnect=::1", "-rpcconnect=127.0.0.1:1", "-rpcconnect=localhost", "-rpcconnect=host.invalid", "-rpcconnect=[::1", "-rpcconnect=a:b:c", "-rpcconnect=:1", "-rpcconnect=127.0.0.1:+1", "-rpcconnect=127.0.0.1: 1",
        "-rpcuser=x", "-rpcpassword=x", "-rpcpassword=", "-norpcpassword", "-rpcpassword", "-rpcuser", "-rpccookiefile=none", "-norpccookiefile", "-rpccookiefile=", "-rpccookiefile=regtest/.cookie", "-rpccookiefile=.cookie", "-rpcid=", "-rpcid", "-norpcid",
        "-rpcid=1", "-rpcid=x\ny", "-rpcwallet=x", "-rpcwallet=", "-rpcwallet=a/b c%\u20ac", "-norpcwallet", "-rpcwallet", "-rpcclienttimeout=0", "-rpcclienttimeout=-5", "-rpcclienttimeout=x", "-rpcclienttimeout=100000000000", "-norpcclienttimeout",
        "-rpcclienttimeout=9223372036854775807", "-rpcwait", "-rpcwait=0", "-rpcwaittimeout=5", "-rpcwaittimeout=x", "-norpcwaittimeout", "-rpcwaittimeout", "-regtest", "-signet", "-testnet", "-testnet4", "-chain=signet", "-chain=x", "-chain=", "-nochain", "-chain",
        "-noregtest", "-chain=testnet4", "-ipcconnect=unix", "-ipcconnect=auto", "-noipcconnect", "-ipcconnect=0", "-ipcconnect=1", "-ipcconnect", "-named", "-nonamed", "-named=0", "-named=x", "-signetchallenge=51", "-", "--", "---getinfo", "-=1",
        "-rpcport.x=1", "-regtest.rpcport=1", "-main.rpcport=1", "-includeconf=x", "-Datadir=x", "-no", "-nono", "-nonamed=0", "-nonamed=1", "-nonamed=x", "-noncolor")]
    out += [["-rpcport=1", "-rpcconnect=127.0.0.1:2", "getblockcount"], ["-rpcconnect=127.0.0.1", "-ipcconnect=unix", "getblockcount"], ["-norpcconnect", "-ipcconnect=unix", "getblockcount"], ["getblockcount", "-named"], ["getblockhash", "-1"],
            ["-rpcport=x", "getblockhash", "x"], ["-rpcport=1", "getblockhash", "x"], ["-rpcport=1", "-getinfo", "-color=x"], ["-rpcport=1", "-netinfo", "x"], ["-rpcport=1", "-addrinfo", "x"], ["-rpcport=x", "-addrinfo", "x"], ["-rpcport=1", "-getinfo", "x"],
            ["-ipcconnect=unix"], ["-ipcconnect=unix", "-getinfo", "-netinfo"], ["-signet", "-regtest", "getblockcount"], ["-chain=main", "-regtest", "getblockcount"], ["-rpcuser=__cookie__", "-rpcpassword=", "getblockcount"],
            ["-rpcuser=a:b", "-rpcpassword=c", "getblockcount"], ["-norpccookiefile", "-getinfo"], ["-rpcuser=x", "-rpcpassword=y", "-getinfo"], ["-rpcuser=x", "-rpcpassword=y", "-netinfo"], ["-rpcwaittimeout=-1", "-rpcwait", "getblockcount"]]
    return out


def config_cases(node):
    """(files by name, words); DIR in both is the folder."""
    user, password = node.credentials().split(":")
    login = "rpcuser=%s\nrpcpassword=%s\n" % (user, password)
    port = "rpcport=%d\n" % node.rpc_port
    conf = "bitcoin.conf"
    both = "[regtest]\n" + port + login
    out = [({conf: "regtest=1\n" + both}, ["getblockcount"]), ({conf: "chain=regtest\n" + both}, ["getblockcount"]), ({conf: both}, ["-regtest", "getblockcount"]), ({conf: both}, ["-chain=regtest", "-getinfo", "-color=never"]),
           ({conf: login + "regtest.rpcport=%d\nregtest=1\n" % node.rpc_port}, ["getblockcount"]), ({conf: "regtest=1\n" + login + port}, ["getblockcount"]), ({conf: "regtest=1\n[main]\n" + login + port}, ["getblockcount"]),
           ({conf: "regtest=1\n" + both + "[regtest]\nrpcport=1\n"}, ["getblockcount"]), ({conf: "regtest=1\n" + both}, ["-rpcport=1", "getblockcount"]), ({conf: "regtest=1\nincludeconf=more.conf\n", "more.conf": both}, ["getblockcount"]),
           ({conf: "regtest=1\nincludeconf=DIR/more.conf\n", "more.conf": both}, ["getblockcount"]), ({conf: "regtest=1\nincludeconf=none.conf\n"}, ["getblockcount"]), ({conf: "regtest=1\n[regtest]\nincludeconf=more.conf\n", "more.conf": both}, ["getblockcount"]),
           ({conf: "regtest=1\nincludeconf=a.conf\nincludeconf=b.conf\n", "a.conf": login, "b.conf": "[regtest]\n" + port}, ["getblockcount"]), ({conf: "regtest=1\nincludeconf=a.conf\n", "a.conf": both + "includeconf=b.conf\n", "b.conf": "x\n"}, ["getblockcount"]),
           ({conf: "regtest=1\nincludeconf=a.conf\n", "a.conf": both + "[main]\nincludeconf=b.conf\n"}, ["getblockcount"]), ({conf: both, "sub/x.conf": "regtest=1\n" + both}, ["-conf=sub/x.conf", "getblockcount"]),
           ({"x.conf": "regtest=1\n" + both}, ["-conf=DIR/x.conf", "getblockcount"]), ({"x.conf": "regtest=1\n"}, ["-conf=none.conf", "getblockcount"]), ({"x.conf": ""}, ["-conf=sub", "getblockcount"]), ({conf: "regtest=1\n" + both}, ["-noconf", "getblockcount"]),
           ({conf: "regtest=1\n" + both}, ["-conf=", "getblockcount"]), ({conf: both}, ["-datadir=DIR/none", "getblockcount"]), ({conf: both}, ["-datadir=DIR/bitcoin.conf", "getblockcount"]),
           ({conf: "regtest=1\ndatadir=DIR/sub\n" + both}, ["getblockcount"]), ({conf: "regtest=1\ndatadir=DIR/none\n" + both}, ["getblockcount"]), ({conf: "regtest=1\nconf=x\n" + both}, ["getblockcount"]),
           ({conf: "regtest=1\n" + port + login.replace("rpcpassword=", "rpcpassword=x#y")}, ["getblockcount"]), ({conf: "# text\n\n  regtest = 1  # more\n [regtest] \n rpcport = %d\n" % node.rpc_port + login}, ["getblockcount"]),
           ({conf: "regtest=1\r\n" + both.replace("\n", "\r\n")}, ["getblockcount"]), ({conf: "regtest=1\nregtest=0\n" + both}, ["getblockcount"]), ({conf: "regtest=1\nsignet=1\n"}, ["getblockcount"]), ({conf: "regtest=1\nchain=signet\n"}, ["getblockcount"]),
           ({conf: "chain=nowhere\n"}, ["getblockcount"]), ({conf: "regtest=1\n"}, ["-signet", "getblockcount"]), ({conf: "regtest=1\n"}, ["-noregtest", "getblockcount"]), ({conf: "noregtest=1\nregtest=1\n" + both}, ["getblockcount"]),
           ({conf: "testnet=1\n"}, ["getblockcount"]), ({conf: "testnet4=1\n"}, ["-getinfo"]), ({conf: "signet=1\n"}, ["-netinfo"]), ({conf: ""}, ["getblockcount"]), ({}, ["getblockcount"]), ({}, ["-chain=test", "getblockcount"]),
           ({conf: "regtest=1\nwallet=x\nserver=1\nunknown=1\n[nowhere]\na=1\n" + both}, ["getblockcount"]), ({conf: "regtest=1\nrpcwallet=x y\n" + both}, ["-getinfo", "-color=never"]), ({conf: "regtest=1\nnamed=1\n" + both}, ["getblockhash", "height=1"]),
           ({conf: "regtest=1\nrpcid=x\nstdin=0\n" + both}, ["getblockcount"]), ({conf: "regtest=1\ngetinfo=1\n" + both}, ["-color=never"]), ({conf: "regtest=1\nrpcwait=1\nrpcwaittimeout=1\nrpcport=1\n[regtest]\nrpcport=1\n"}, ["getblockcount"]),
           ({conf: "regtest=1\nversion=1\nhelp=1\n" + both}, ["getblockcount"]), ({conf: "regtest=1\nrpcconnect=127.0.0.1:%d\n" % node.rpc_port + login}, ["getblockcount"]), ({conf: "regtest=1\nrpcconnect=x y\n" + login}, ["getblockcount"]),
           ({conf: "regtest=1\nrpccookiefile=DIR/own\n[regtest]\n" + port, "own": node.credentials()}, ["getblockcount"]), ({conf: "regtest=1\n[regtest]\n" + port, "own": node.credentials() + "\nmore"}, ["-rpccookiefile=DIR/own", "getblockcount"]),
           ({conf: "regtest=1\n[regtest]\n" + port, "own": ""}, ["-rpccookiefile=DIR/own", "getblockcount"]), ({conf: "regtest=1\n[regtest]\n" + port}, ["-rpccookiefile=DIR/sub", "getblockcount"]), ({conf: "includeconf=sub\n"}, ["getblockcount"]),
           ({conf: "regtest=1\n" + both}, ["-rpcuser=x", "getblockcount"]), ({conf: "regtest=1\n" + both}, ["-rpcpassword=", "getblockcount"]), ({conf: "regtest=1\n" + both}, ["-norpcpassword", "getblockcount"])]
    for line in ("x", "=1", "-regtest=1", "regtest", "[", "[]", "]", "a=b=c", "a.b.c=1", ".x=1", "x.=1", "rpcpassword=a#b", "rpcpassword=a # b", "includeconf=", "regtest.includeconf=x", "noincludeconf=1", "includeconf", "nodatadir=1", "no=1", "nono=1",
                 "datadir=", "nocolor=1", "norpcid=1", "rpcid", "\x00=1", "\x00", "\u20ac=1", " ", "\t", "#", "[x", "x]", "[regtest]=1", "noregtest=0", "rpcport=%d#x" % node.rpc_port):
        out += [({conf: line + "\nregtest=1\n" + both}, ["getblockcount"]), ({conf: "regtest=1\n" + both + line + "\n"}, ["getblockcount"])]
    return out


NETWORK = {"version": 319900, "subversion": "/Satoshi:31.99.0/", "protocolversion": 70017, "localservices": "0000000000000c09", "localservicesnames": ["NETWORK", "WITNESS", "NETWORK_LIMITED", "P2P_V2"], "localrelay": True, "timeoffset": 0,
           "networkactive": True, "connections": 3, "connections_in": 1, "connections_out": 2, "networks": [{"name": n, "limited": False, "reachable": n != "i2p", "proxy": p, "proxy_randomize_credentials": False} for n, p in (
               ("ipv4", "127.0.0.1:9050"), ("ipv6", "127.0.0.1:9050"), ("onion", "[::1]:9051"), ("i2p", ""), ("cjdns", ""))], "relayfee": 0.00000100, "incrementalfee": 0.000001, "localaddresses": [], "warnings": []}
CHAIN = {"chain": "main", "blocks": 800000, "headers": 800010, "bestblockhash": "00" * 32, "difficulty": 53911173001054.59, "verificationprogress": 0.9999, "initialblockdownload": False, "warnings": ""}


def peer(now, **more):
    return {"id": 1, "addr": "1.2.3.4:8333", "network": "ipv4", "services": "9", "servicesnames": ["NETWORK", "WITNESS"], "relaytxes": True, "lastsend": now - 3, "lastrecv": now - 7, "last_transaction": now - 600, "last_block": now - 6000,
            "bytessent": 1, "bytesrecv": 1, "conntime": now - 90000, "timeoffset": 0, "pingtime": 0.0231, "minping": 0.0109, "version": 70016, "subver": "/Satoshi:28.0.0/", "inbound": False, "bip152_hb_to": False, "bip152_hb_from": False,
            "presynced_headers": -1, "synced_headers": 5, "synced_blocks": 5, "addr_relay_enabled": True, "addr_processed": 1000, "addr_rate_limited": 0, "permissions": [], "minfeefilter": 0.0, "bytessent_per_msg": {}, "bytesrecv_per_msg": {},
            "connection_type": "outbound-full-relay", "transport_protocol_type": "v2", "session_id": "", **more}


def batch(*results):
    return [{"jsonrpc": "2.0", "id": i, **({"error": r} if isinstance(r, dict) and "code" in r else {"result": r})} for i, r in enumerate(results)]


def canned(now):
    """(words, answers): what depends on states that are hard to bring about. Ages are whole minutes and seconds that stay while it runs."""
    none = {"code": -32601, "message": "Method not found"}
    now += 30  # what lies a little ahead of the clock is the same negative number or zero for a while
    peers = [peer(now), peer(now, id=2, inbound=True, network="onion", addr="x" * 56 + ".onion:8333", connection_type="inbound", minping=1.5, pingtime=2000.0, addr_relay_enabled=False, addr_processed=0, relaytxes=False, last_transaction=0),
             peer(now, id=30000, network="i2p", connection_type="block-relay-only", transport_protocol_type="v1", bip152_hb_to=True, bip152_hb_from=True, last_block=0, lastsend=0, lastrecv=0, addr_rate_limited=12345678, minping=0.5),
             peer(now, id=4, network="cjdns", connection_type="manual", transport_protocol_type="detecting", mapped_as=64512, addr="[fc00::1]:8333", subver="", version=0, minping=0.0004),
             peer(now, id=5, network="not_publicly_routable", connection_type="feeler", servicesnames=["UNKNOWN[2^5]", "BLOOM", "COMPACT_FILTERS", "NETWORK_LIMITED"], addr_processed=1234567), peer(now, id=6, network="internal", connection_type="addr-fetch"),
             peer(now, id=7, network="ipv6", connection_type="private-broadcast", addr="[2001:db8::1]:8333", conntime=0), peer(now, id=8, network="nowhere"), peer(now, id=9, connection_type="x", servicesnames=[], minping=0.0105, pingtime=0.0005)]
    for p in (peers[6], peers[5]):
        del p["minping"], p["pingtime"]
    old = peer(now, id=11)
    for key in ("addr_processed", "addr_rate_limited", "transport_protocol_type", "relaytxes", "addr_relay_enabled"):
        del old[key]
    local = {**NETWORK, "localaddresses": [{"address": "1.2.3.4", "port": 8333, "score": 1}, {"address": "2001:db8::1", "port": 18333, "score": 1000000}]}
    out = []
    for level in ([], ["0"], ["1"], ["2"], ["3"], ["4"], ["9"], ["1", "o"], ["4", "outonly"]):
        for net in (NETWORK, local, {**NETWORK, "localservicesnames": [], "networks": []}):
            out += [(["-netinfo", *level], [batch(some, net)]) for some in (peers, peers[:1], [], peers[1:3], [old])]
    out += [(["-netinfo"], [batch(none, NETWORK)]), (["-netinfo"], [batch([], none)]), (["-netinfo"], [batch([], {**NETWORK, "version": 200000})]), (["-addrinfo"], [{"result": None, "error": none, "id": 1}]),
            (["-addrinfo"], [{"result": {"ipv4": {"new": 1, "tried": 2, "total": 3}, "all_networks": {"new": 1, "tried": 2, "total": 3}}, "error": None, "id": 1}]), (["-addrinfo"], [{"result": {}, "id": 1}]),
            (["-netinfo"], [list(reversed(batch([], NETWORK)))]), (["-netinfo"], [batch([])]), (["-netinfo"], [[]]), (["-netinfo"], [{"result": None, "error": none, "id": None}]), (["-netinfo"], [[1]]), (["-netinfo"], ["x"]),
            (["-getinfo"], [{"result": None, "error": none, "id": None}]), (["-getinfo"], [[]]), (["-getinfo"], [batch(none, CHAIN, none, none)]), (["-getinfo"], [batch(NETWORK, none, none, none)]), (["-getinfo"], [[{"id": 9, "result": 1}]])]
    lists = {"result": ["", "b"], "error": None, "id": 1}
    balance = [{"result": {"mine": {"trusted": x}}, "error": None, "id": 1} for x in (1.5, 123456789.12345678)]
    for chain in (CHAIN, *({**CHAIN, "verificationprogress": p} for p in (0, 1e-9, 0.05, 0.33, 0.5, 0.5000001, 0.9899, 0.99, 1, 1.5, -1)), {**CHAIN, "chain": "regtest", "difficulty": 4.656542373906925e-10}):
        out.append((["-getinfo", "-color=never"], [batch(NETWORK, chain, none, none), {"error": none, "id": 1, "result": None}]))
    wallet = {"walletname": "", "keypoolsize": 4000, "unlocked_until": 0}
    for color in ("always", "never", "auto"):
        for w, b in ((wallet, {"mine": {"trusted": 1.00000000}}), ({"walletname": "x y", "keypoolsize": 1}, none), (none, none)):
            for more in ([{"result": [""], "id": 1}], [lists, *balance], [{"error": none, "id": 1}]):
                out.append((["-getinfo", "-color=" + color], [batch(NETWORK, CHAIN, w, b), *more]))
    out.append((["-rpcwallet=x", "-getinfo"], [batch(NETWORK, CHAIN, wallet, {"mine": {"trusted": 1.0}})]))
    out += [(["-getinfo", "-color=never"], [batch({**NETWORK, **more}, CHAIN, none, none), {"error": none, "id": 1}]) for more in ({"warnings": "Watch out"}, {"warnings": ""}, {"networks": []}, {"timeoffset": -5, "relayfee": 1e-8})]
    for error in ({"code": -1, "message": "text"}, {"code": -19, "message": "Wallet file not specified."}, {"code": -18, "message": "x"}, {"code": 5}, {"message": "x"}, {}, {"code": "7", "message": "x"}, {"code": -1, "message": 5}, {"code": -1, "message": ""},
                  {"code": -32700, "message": "a\nb"}, {"code": 0, "message": "x"}, {"code": 256, "message": "x"}, {"code": -1, "message": "x", "data": [1]}, "x", 5, True, [], [1], {"code": None, "message": "x"}, {"code": 1.5, "message": "x"}):
        out += [(["getblockcount"], [{"result": None, "error": error, "id": 1}])]
    out += [(["getblockcount"], [{"result": r, "id": 1}]) for r in (None, True, False, 0, -1, 1.5, "", "x", "a\nb", " ", [], {}, [[]], {"a": []}, {"": ""}, "\u20ac", {"\u20ac\n": "\u0001\u007f"}, 10 ** 30, 1e-8)]
    out += [(["getblockcount"], [answer]) for answer in ({}, [], None, 1, "x", {"id": 1}, {"error": None}, {"result": 1}, {"result": 1, "error": None, "id": 2}, [{"result": 1}], {"x": 1}, True)]
    out += [(["-generate", *words], [{"result": "address", "id": 1}, {"result": ["aa", "bb"], "id": 1}]) for words in ([], ["2"], ["2", "5"], ["0"], ["x"], ["1", "x"], ["1", "2", "3"], ["-1"], ["00"])]
    out += [(["-generate"], [{"result": "address", "id": 1}, {"result": None, "error": {"code": -5, "message": "no"}, "id": 1}]), (["-generate"], [{"result": None, "error": {"code": -18, "message": "No wallet is loaded."}, "id": 1}]),
            (["-rpcwallet=a/b", "-generate"], [{"result": "address", "id": 1}, {"result": [], "id": 1}]), (["-rpcwallet=a b\u20ac~-_.", "getblockcount"], [{"result": 1, "id": 1}]), (["-norpcwallet", "getblockcount"], [{"result": 1, "id": 1}])]
    for words in (["echo", "a", "1"], ["getblock", "x", "1", "extra"], ["-named", "getblock", "x", "verbosity=2"], ["-named", "send", 'outputs={"a":1}', "conf_target=5", "options={}"], ["send", '{"a":1}', "6", "economical", "25", '{"x":1}'],
                  ["sendtoaddress", "a", "0.1", "1", "2", "true", "false", "6", "unset", "null", "1"], ["importdescriptors", "[]"], ["walletcreatefundedpsbt", "[]", "{}", "0", "{}", "true"], ["getbalance", "*", "6"], ["createwallet", "a", "true", "false", "b"],
                  ["bumpfee", "aa", '{"fee_rate":5}'], ["getblockstats", "aa"], ["-rpcid=abc", "uptime"], ["-rpcid=5", "uptime"], ["setban", "1.1.1.1", "add", "5", "true"], ["generateblock", "a", "[]", "false"]):
        out.append((words, [{"result": "x", "id": 1}]))
    return out


def raw_answers():
    """Bytes that a server might send."""
    body = b'{"result":5,"error":null,"id":1}'
    head = b"HTTP/1.1 200 OK\r\n"
    out = [b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body) for status in (200, 201, 204, 300, 400, 401, 402, 403, 404, 405, 500, 501, 502, 503, 504, 999)]
    out += [b"HTTP/1.1 %d X\r\nContent-Length: 4\r\n\r\ntext" % status for status in (200, 400, 404, 500, 503)] + [b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % status for status in (200, 400, 401, 403, 404, 500, 503)]
    out += [head + rest for rest in (
        b"\r\n" + body, b"Content-Length: 5\r\n\r\n" + body, b"Content-Length: 500\r\n\r\n" + body, b"Content-Length: x\r\n\r\n" + body, b"Content-Length: -1\r\n\r\n" + body, b"content-length:%d\r\n\r\n" % len(body) + body, b"NoColon\r\n\r\n" + body,
        b": x\r\n\r\n" + body, b"Transfer-Encoding: chunked\r\n\r\n5\r\n" + body[:5] + b"\r\n1b\r\n" + body[5:] + b"\r\n0\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n20;x=y\r\n" + body + b"\r\n0\r\nA: b\r\n\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n20\r\n" + body + b"\r\n0\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", b"Transfer-Encoding: chunked\r\n\r\n20\r\n" + body, b"Transfer-Encoding: chunked\r\n\r\n20\r\n" + body + b"\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n-1\r\n", b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", b"Transfer-Encoding: Chunked\r\n\r\n20\r\n" + body + b"\r\n0\r\n\r\n", b"", b"X: y", b"Content-Length: 32\r\nContent-Length: 3\r\n\r\n" + body)]
    out += [b"", b"x", b"\r\n\r\n", b"HTTP/1.1\r\n\r\n" + body, b"HTTP/1.1 abc X\r\n\r\n" + body, b"HTTP/1.1 20\r\n\r\n" + body, b"HTTP/1.0 200 OK\r\n\r\n" + body, b"HTTP/1.1 200\r\n\r\n" + body, b"HTTX/1.1 200 OK\r\n\r\n" + body, b"HTTP/2 200 OK\r\n\r\n" + body,
            head + b"Content-Length: %d\r\n\r\n%s more" % (len(body), body), head + b"\r\n" + body + b"\n\n", head + b"\r\n" + body + b" x", head + b"\r\n{", head + b"\r\n\xef\xbb\xbf" + body, head + b'\r\n{"result":"\xff","error":null,"id":1}',
            head + b'\r\n{"result":"a\\u0000b","error":null,"id":1}', head + b'\r\n{"result":01,"error":null,"id":1}', head + b'\r\n{"result":' + b"[" * 700 + b"]" * 700 + b',"error":null,"id":1}', head + b'\r\n{"result":1,"result":2,"error":null,"id":1}']
    return out
