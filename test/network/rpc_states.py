#!/usr/bin/env python3
"""Like rpc_diff.py, in states that it does not know: each network without peers, initial download, pruned block files, rules that start and fail, limits of the
mempool, proxies and kinds of networks, peers with permissions, warnings, white lists of commands, deprecated members. What may differ stands in rpc_allowed.py."""
import argparse
import json
import re
import shutil
import time

import topology  # noqa: F401  (the path to the functional tests' modules)
from blocks import COIN, TRUE_ADDRESS, Block, coinbase, make_chain
from framework import main, wait_until
from p2p import Peer
from rpc_diff import Pair, summary

OPTIONS = ("-persistmempool=0", "-dnsseed=0", "-fixedseeds=0", "-natpmp=0", "-discover=0", "-dns=0")
CLOCK = "-mocktime=1700000000"
WHO = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
ADDRESSES = ["1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH", "3JvL6Ymt8MVWiCNHC7oWU6nLeHNJKLZGLN", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
             "mrCDrCybB6J1vRfbwM5hemdJz73FwDBC8r", "2N3oefVeg6stiTb5Kh3ozCSkaqmx91FDbsm", "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", "tb1qqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesrxh6hy",
             "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", TRUE_ADDRESS, "bc1pfeessrawgf", "tb1pfees9rn5nz", "bcrt1pfeesnyr2tx", "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", "bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs"]
KEYS = ["KwDiBf89QgGbjEhKnhXJuH7LrciVrZi3qYjgd9M7rFU73sVHnoWn", "5HpHagT65TZzG1PH3CSu63k8DbpvD8s5ip4nEB3kEsreAnchuDf", "cMahea7zqjxrtgAbB7LSGbcQUr1uX1ojuat9jZodMN87JcbXMTcA", "91avARGdfge8E4tZfYLoxeJ5sGBdNJQH4kvjJoQFacbgwmaKkrx"]
XPUBS = ["xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8", "tpubD6NzVbkrYhZ4WaWSyoBvQwbpLkojyoTZPRsgXELWz3Popb3qkjcJyJUGLnL4qHHoQvao8ESaAstxYSnhyswJ76uZPStJRJCTKvosUCJZL5B"]
INFO = [("getblockchaininfo", []), ("getdeploymentinfo", []), ("getmininginfo", []), ("getnetworkinfo", []), ("getmempoolinfo", []), ("getchaintips", []), ("getchainstates", []), ("getchaintxstats", []), ("getindexinfo", []), ("getdifficulty", []),
        ("getrpcinfo", []), ("getnettotals", []), ("getpeerinfo", []), ("getaddrmaninfo", []), ("getzmqnotifications", []), ("getblocktemplate", [{"rules": ["segwit"]}]), ("getblocktemplate", [{"rules": ["segwit", "signet"]}]),
        ("getblocktemplate", [{}]), ("getprivatebroadcastinfo", []), ("logging", [])]


def descriptors():
    return (["addr(%s)" % a for a in ADDRESSES] + ["pkh(%s)" % x for x in [*XPUBS, *KEYS, WHO]] + ["wpkh(%s/0/*)" % x for x in XPUBS] + ["tr(%s)" % k for k in KEYS] + ["sh(wpkh(%s))" % WHO, "wsh(pk(%s))" % WHO, "tr(%s)" % WHO[2:], "combo(%s)" % WHO,
            "raw(51)", "rawtr(%s)" % WHO[2:]])


def ask(pair, *calls):
    for method, params in calls:
        pair.ask(method, params)


def of_network(pair):
    """What depends on the network's parameters and forms."""
    genesis = pair.nodes[1].getblockhash(0)
    block = pair.nodes[1].getblock(genesis, 2)
    coinbase_id = block["tx"][0]["txid"]
    ask(pair, *INFO, ("getbestblockhash", []), ("getblockhash", [1]), ("getblockstats", [0]), ("getblockstats", [genesis]), ("gettxoutsetinfo", []), ("gettxoutsetinfo", ["none"]), ("gettxoutsetinfo", ["muhash"]), ("getnetworkhashps", []),
        ("getnetworkhashps", [-1]), ("getrawtransaction", [coinbase_id]), ("getrawtransaction", [coinbase_id, 1, genesis]), ("getrawtransaction", [coinbase_id, 2, genesis]), ("gettxout", [coinbase_id, 0]), ("gettxoutproof", [[coinbase_id]]),
        ("gettxoutproof", [[coinbase_id], genesis]), ("getblockfilter", [genesis]), ("verifychain", []), ("verifychain", [4, 0]), ("invalidateblock", [genesis]), ("reconsiderblock", [genesis]), ("preciousblock", [genesis]), ("submitblock", [block["tx"][0]["hex"]]),
        ("submitheader", [pair.nodes[1].getblockheader(genesis, False)]), ("submitblock", [pair.nodes[1].getblock(genesis, 0)]), ("getblockfrompeer", [genesis, 0]), ("getblockfrompeer", ["11" * 32, 0]), ("setmocktime", [1700000000]), ("mockscheduler", [1]),
        ("generatetoaddress", [1, "x"]), ("generateblock", ["x", []]), ("generatetodescriptor", [1, "x"]), ("generate", []), ("estimatesmartfee", [6]), ("estimaterawfee", [6]), ("getmempoolfeeratediagram", []), ("scantxoutset", ["start", ["raw(51)"]]),
        ("scanblocks", ["start", ["raw(51)"]]), ("getdescriptoractivity", [[genesis], ["raw(51)"]]), ("getdescriptoractivity", [[], ["pk(04678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5f)"]]),
        ("dumptxoutset", ["DIR/snapshot", "latest"]), ("loadtxoutset", ["DIR/snapshot"]), ("loadtxoutset", ["DIR/nothing"]), ("getchainstates", []), ("pruneblockchain", [1]), ("getaddednodeinfo", []), ("getnodeaddresses", [0]), ("addpeeraddress", ["1.2.3.4", 8333]),
        ("addconnection", ["127.0.0.1:1", "outbound-full-relay", False]), ("waitforblockheight", [0]), ("waitforblock", [genesis]), ("waitfornewblock", [1]), ("importmempool", ["DIR/none"]), ("savemempool", []), ("getmemoryinfo", ["mallocinfox"]), ("uptime", []))
    for v in (0, 1, 2, 3):
        pair.ask("getblock", [genesis, v])
    for v in (True, False):
        pair.ask("getblockheader", [genesis, v])
    for address in ADDRESSES:
        ask(pair, ("validateaddress", [address]), ("createrawtransaction", [[], {address: 0.5}]), ("verifymessage", [address, "INbVnW4e6PeRmsv2Qgu8NuopvrVjkcxob+sX8OcZG0SALhWybUjzMLPdAsXI46YZGb0KQTRii+wWIQzRpG/U+S0=", "x"]),
            ("createpsbt", [[], [{address: 1}]]), ("scantxoutset", ["start", ["addr(%s)" % address]]), ("generatetoaddress", [0, address]))
        if len(address) > 3:
            pair.ask("validateaddress", [address[:5] + "q" + address[6:]])
    for descriptor in descriptors():
        ask(pair, ("getdescriptorinfo", [descriptor]), ("scantxoutset", ["start", [descriptor]]))
        try:
            whole = pair.nodes[1].getdescriptorinfo(descriptor)["descriptor"]
        except Exception:
            continue
        ask(pair, ("deriveaddresses", [whole]), ("deriveaddresses", [whole, [0, 2]]))
    for key in KEYS:
        ask(pair, ("signmessagewithprivkey", [key, "text"]), ("signrawtransactionwithkey", ["02000000000000000000", [key]]), ("descriptorprocesspsbt", ["cHNidP8BAAoCAAAAAAAAAAAAAA==", ["pkh(%s)" % key]]))
    for script in ("", "51", "00" * 30, "0014" + "11" * 20, "0020" + "22" * 32, "5120" + WHO[2:], "76a914" + "33" * 20 + "88ac", "a914" + "44" * 20 + "87", "21" + WHO + "ac", "51024e73", "5121" + WHO + "51ae", "6a0101"):
        ask(pair, ("decodescript", [script]), ("decoderawtransaction", ["020000000001" + "0100000000000000%02x%s" % (len(script) // 2, script) + "00000000", False]))
    for kind in ("legacy", "p2sh-segwit", "bech32"):
        pair.ask("createmultisig", [1, [WHO], kind])


def mined(pair, n, address=TRUE_ADDRESS):
    found = [node.generatetoaddress(n, address) for node in pair.nodes]
    if found[0] != found[1]:
        raise AssertionError("other blocks were mined")
    return found[0]


def initial_download(pair):
    ask(pair, *INFO, ("getnetworkhashps", []), ("sendrawtransaction", ["00"]), ("testmempoolaccept", [["00"]]), ("getblockfrompeer", ["00" * 32, 0]), ("estimatesmartfee", [2]), ("waitforblockheight", [0, 1]), ("getblockfilter", ["00" * 32]))
    pair.ask("getblocktemplate", [{"mode": "proposal", "data": "00"}])
    for node in pair.nodes:
        node.addpeeraddress("8.8.8.8", 8333)
    ask(pair, *INFO)


def pruned(pair):
    names = mined(pair, 160)
    old = [names[0], names[50], names[100], names[155], names[159]]
    for calls in range(3):
        ask(pair, *INFO, ("scanblocks", ["start", ["raw(51)"]]), ("gettxoutsetinfo", ["none"]), ("verifychain", [4, 0]), ("verifychain", [3, 50]), ("getchaintxstats", [10]), ("dumptxoutset", ["DIR/x%d" % calls, "rollback", {"rollback": 5}]))
        for name in old:
            txid = pair.nodes[1].getblockheader(name)["merkleroot"]
            ask(pair, *(("getblock", [name, v]) for v in (0, 1, 2, 3)), ("getblockheader", [name]), ("getblockstats", [name]), ("getrawtransaction", [txid, 2, name]), ("getrawtransaction", [txid]), ("gettxoutproof", [[txid], name]), ("gettxoutproof", [[txid]]),
                ("getblockfilter", [name]), ("getblockfrompeer", [name, 0]), ("getdescriptoractivity", [[name], ["raw(51)"]]), ("gettxout", [txid, 0]))
        ask(pair, *(("pruneblockchain", [h]) for h in ((10, -1, 0, 10000, "x", 1700000000, 2 ** 33)[:7] if calls == 0 else (100, 150) if calls == 1 else ())))
    ask(pair, ("pruneblockchain", []), ("invalidateblock", [names[20]]), *INFO)


def rules(pair):
    """A deployment through its states."""
    for _ in range(6):
        ask(pair, ("getdeploymentinfo", []), ("getblockchaininfo", []), ("getmininginfo", []), *(("getblocktemplate", [{"rules": r}]) for r in (["segwit"], ["segwit", "testdummy"], ["testdummy"])))
        names = mined(pair, 72)
        ask(pair, *(("getdeploymentinfo", [name]) for name in names[::23]))


def policy(pair):
    names = mined(pair, 110)
    coins = [pair.nodes[1].getblock(name)["tx"][0] for name in names[:8]]
    ask(pair, *INFO)
    from blocks import spend
    for outputs in ([(COIN, b"\x6a\x02ab")], [(0, b"\x6a\x02ab"), (49 * COIN, b"\x51")], [(49 * COIN, bytes.fromhex("5121%s51ae" % WHO))], [(49 * COIN, bytes.fromhex("0014" + "11" * 20))], [(200, bytes.fromhex("0014" + "11" * 20)), (49 * COIN, bytes.fromhex("0014" + "22" * 20))],
                    [(0, b"\x6a" + bytes([80]) * 81), (49 * COIN, bytes.fromhex("0014" + "11" * 20))], [(50 * COIN, bytes.fromhex("0014" + "11" * 20))], [(50 * COIN - 20, bytes.fromhex("0014" + "11" * 20))], [(240, b"\x51\x02\x4e\x73"), (49 * COIN, bytes.fromhex("0014" + "11" * 20))]):
        tx = spend([(coins[0], 0)], outputs).hex()
        ask(pair, ("testmempoolaccept", [[tx]]), ("testmempoolaccept", [[tx], 0]), ("submitpackage", [[tx]]), ("sendrawtransaction", [tx, 0, 100]), ("getmempoolinfo", []))
    ask(pair, ("getrawmempool", [True]), ("estimatesmartfee", [1]), ("getblocktemplate", [{"rules": ["segwit"]}]), ("getorphantxs", []))


def peers(pair):
    mined(pair, 3)
    found = [Peer(node, height=3, agent=b"/peer:1/") for node in pair.nodes]
    for peer in found:
        peer.sync()
    for node in pair.nodes:
        wait_until(lambda node=node: node.getpeerinfo()[0]["bytesrecv_per_msg"].get("pong"), what="the first pong")
    ask(pair, ("getpeerinfo", []), ("getnetworkinfo", []), ("getblocktemplate", [{"rules": ["segwit"]}]), ("listbanned", []))
    for params in ([""], ["", 99], ["1.2.3.4:5"], ["x"], ["127.0.0.1", 0], ["", 0]):
        pair.ask("disconnectnode", params)
    for node in pair.nodes:
        wait_until(lambda node=node: not node.getpeerinfo(), what="no peer")
    for peer in found:
        peer.close()
    ask(pair, ("getpeerinfo", []), ("setban", ["127.0.0.1", "add"]), ("listbanned", []), ("setban", ["127.0.0.1", "remove"]))


def network(pair):
    ask(pair, ("getnetworkinfo", []), ("getpeerinfo", []), ("getaddednodeinfo", []), ("getaddednodeinfo", ["1.2.3.4:5"]), ("addnode", ["host.example", "onetry"]), ("addnode", ["127.0.0.1:1", "add", True]), ("getaddednodeinfo", []),
        *(("addpeeraddress", [a, 8333]) for a in ("1.2.3.4", "2a00::1", "fc00:1:2:3:4:5:6:7", "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion", "udhdrtrcetjm5sxzskjyr5ztpeszydbh4dpl3pl4utgqqw2v4jna.b32.i2p")),
        ("getaddrmaninfo", []), ("getnodeaddresses", [0, "cjdns"]), ("setnetworkactive", [True]), ("getnetworkinfo", []))


def warned(pair):
    """Blocks with an unknown rule's bit; an invalid branch that is far ahead."""
    head = {"hash": pair.nodes[0].getbestblockhash(), "height": 0, "time": 1699990000}
    for block in unknown_rule(head, 432):
        for node in pair.nodes:
            node.submitblock(block.hex())
    ask(pair, *INFO)
    tip = pair.nodes[0].getblockheader(pair.nodes[0].getbestblockhash())
    bad = Block(tip["hash"], tip["height"] + 1, tip["time"] + 1, base=coinbase(tip["height"] + 1, 51 * COIN)).solve()
    for block in [bad, *make_chain(bad.hash, tip["height"] + 1, tip["time"] + 2, 8)]:
        pair.ask("submitheader", [block.header().hex()])
    pair.ask("submitblock", [bad.hex()])
    ask(pair, *INFO, ("invalidateblock", [pair.nodes[0].getblockhash(300)]), *INFO)


def unknown_rule(head, n):
    prev = head["hash"]
    for i in range(1, n + 1):
        block = Block(prev, head["height"] + i, head["time"] + i, version=0x20000000 | 1 << 27).solve()
        prev = block.hash
        yield block


def whitelisted(pair):
    for method in ("getblockcount", "getbestblockhash", "getdifficulty", "setban", "nosuch", "getblock"):
        for body in ({"id": 1, "method": method, "params": []}, {"id": 1, "jsonrpc": "2.0", "method": method}, [{"id": 1, "method": method}, {"id": 2, "method": "getblockcount"}]):
            for login in ("a:x", "b:x", "c:x", "d:x", None):
                pair.of[method] += 1
                pair.compare("white list", "%s %s" % (login, json.dumps(body)), *pair.both(json.dumps(body), credentials=login))


def auth(name):
    """Of the password "x"."""
    import hashlib
    import hmac
    return "-rpcauth=%s:ab$%s" % (name, hmac.new(b"ab", b"x", hashlib.sha256).hexdigest())


LOGINS = (*(auth(name) for name in "abcd"), "-rpcwhitelist=__cookie__:getblockcount")
STATES = {  # name: (network, options, what is asked)
    "main": ("main", (CLOCK,), of_network), "test": ("test", (CLOCK,), of_network), "testnet4": ("testnet4", (CLOCK,), of_network), "signet": ("signet", (CLOCK,), of_network), "signet-own": ("signet", (CLOCK, "-signetchallenge=51"), of_network),
    "main-indexes": ("main", (CLOCK, "-txindex", "-coinstatsindex", "-blockfilterindex", "-txospenderindex"), of_network), "regtest": ("regtest", (CLOCK,), of_network), "ibd": ("regtest", (), initial_download),
    "ibd-work": ("regtest", (CLOCK, "-minimumchainwork=0xffff"), initial_download), "pruned": ("regtest", (CLOCK, "-prune=1", "-fastprune"), pruned), "pruned-filters": ("regtest", (CLOCK, "-prune=1", "-fastprune", "-blockfilterindex", "-coinstatsindex"), pruned),
    "pruned-auto": ("regtest", (CLOCK, "-prune=550"), pruned), "not-pruned": ("regtest", (CLOCK,), pruned), "rules": ("regtest", (CLOCK,), rules), "rules-never": ("regtest", (CLOCK, "-vbparams=testdummy:-2:0"), rules),
    "rules-failed": ("regtest", (CLOCK, "-vbparams=testdummy:1:2"), rules), "rules-late": ("regtest", (CLOCK, "-vbparams=testdummy:1:999999999999:300"), rules), "rules-always": ("regtest", (CLOCK, "-vbparams=testdummy:-1:0"), rules),
    "rules-heights": ("regtest", (CLOCK, "-testactivationheight=segwit@100", "-testactivationheight=bip34@50", "-testactivationheight=dersig@60", "-testactivationheight=cltv@70", "-testactivationheight=csv@80"), rules),
    "policy": ("regtest", (CLOCK,), policy), "policy-strict": ("regtest", (CLOCK, "-datacarrier=0", "-permitbaremultisig=0", "-minrelaytxfee=0.0001", "-incrementalrelayfee=0.00005", "-dustrelayfee=0.0001", "-maxmempool=7", "-limitclustercount=10", "-limitclustersize=20"), policy),
    "policy-free": ("regtest", (CLOCK, "-acceptnonstdtxn=1", "-minrelaytxfee=0", "-dustrelayfee=0", "-datacarriersize=10", "-blockmaxweight=50000", "-blockmintxfee=0.001", "-blockreservedweight=4000"), policy), "blocksonly": ("regtest", (CLOCK, "-blocksonly"), policy),
    "datacarrier": ("regtest", (CLOCK, "-acceptnonstdtxn=0", "-datacarriersize=83", "-bytespersigop=100"), policy), "peers": ("regtest", (CLOCK,), peers), "peers-noban": ("regtest", (CLOCK, "-whitelist=noban,relay,mempool@127.0.0.1", "-peerblockfilters", "-blockfilterindex", "-peerbloomfilters"), peers),
    "peers-all": ("regtest", (CLOCK, "-whitelist=all@127.0.0.0/8", "-whitelistrelay=0", "-whitelistforcerelay"), peers), "network-off": ("regtest", (CLOCK, "-networkactive=0"), network), "proxy": ("regtest", (CLOCK, "-proxy=127.0.0.1:9"), network),
    "proxy-each": ("regtest", (CLOCK, "-proxy=127.0.0.1:9=ipv4", "-proxy=127.0.0.1:10=ipv6", "-onion=127.0.0.1:11", "-proxyrandomize=0"), network), "onlynet": ("regtest", (CLOCK, "-onlynet=onion", "-onlynet=i2p", "-onion=127.0.0.1:9", "-i2psam=127.0.0.1:10"), network),
    "cjdns": ("regtest", (CLOCK, "-cjdnsreachable", "-externalip=fc00::5", "-externalip=1.2.3.4:5", "-externalip=2a00::2", "-v2transport=0", "-maxconnections=5"), network), "no-listen": ("regtest", (CLOCK, "-txsendrate=5", "-uacomment=x y", "-maxuploadtarget=100"), network),
    "warnings": ("regtest", (CLOCK,), warned), "warnings-text": ("regtest", (CLOCK, "-deprecatedrpc=warnings"), warned), "white-list": ("regtest", (CLOCK, *LOGINS, "-rpcwhitelist=a:getblockcount,getdifficulty", "-rpcwhitelist=b:", "-rpcwhitelist=a:getdifficulty,getbestblockhash"), whitelisted),
    "white-list-open": ("regtest", (CLOCK, *LOGINS, "-rpcwhitelist=a:getblockcount,getdifficulty", "-rpcwhitelistdefault=0"), whitelisted), "white-list-default": ("regtest", (CLOCK, *LOGINS, "-rpcwhitelistdefault=1"), whitelisted),
}


def run(t):
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--other", required=True, help="daemon of another node")
    p.add_argument("--only", default=".*", help="states, a regular expression")
    p.add_argument("--show", type=int, default=1, help="examples of each difference")
    o = p.parse_args()
    found = {}
    for name, (chain, options, part) in STATES.items():
        if not re.fullmatch(o.only, name):
            continue
        nodes = [t.node(*OPTIONS, *options, chain=chain, program=program, debug="none", start=False) for program in (None, o.other)]
        for node in nodes:
            node.start()
        pair = Pair(nodes)
        pair.show = o.show
        start = time.monotonic()
        try:
            print("== %s" % name)
            part(pair)
        finally:
            summary(pair, start)
        for node in nodes:
            node.process.terminate()
            node.wait_end()
        for node in nodes:  # the folders of networks are large
            shutil.rmtree(node.dir)
        found[name] = len(pair.found)
    print("%d states, unexpected differences in: %s" % (len(found), {k: v for k, v in found.items() if v} or "none"))
    if any(found.values()):
        raise AssertionError("differences")


if __name__ == "__main__":
    main(run)
