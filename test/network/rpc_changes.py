"""What rpc_diff.py does to both nodes: calls that change the address book, the bans, the mempool and the chain, each followed by the questions that show it."""
from blocks import COIN, TRUE_ADDRESS, Block, coinbase, spend
from framework import wait_until
from p2p import Peer

AFTER_CHAIN = [("getblockchaininfo", []), ("getchaintips", []), ("getrawmempool", []), ("getmempoolinfo", []), ("getmininginfo", []), ("getblocktemplate", [{"rules": ["segwit"]}]),
               ("getchaintxstats", []), ("getindexinfo", []), ("gettxoutsetinfo", ["muhash"]), ("getdeploymentinfo", []), ("getchainstates", [])]


def changes(pair, world):
    for part in (peers, network, log, pool, chain, files, clock):
        part(pair, world)


def network(pair, world):
    subnets = ["1.2.3.4", "1.2.3.0/24", "1.2.3.4/32", "1.2.3.4/255.255.0.0", "2001:db8::/32", "2001:db8::1", "::1", "127.0.0.1", "1.2.3.4/33", "1.2.3.4/-1", "1.2.3.4/255.0.255.0", "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion",
               "0.0.0.0/0", "1.2.3.4/", "/24", "1.2.3.4:8333", "[2001:db8::1]", "[::1]:5", "fc00::1", "1.2", "0x7f.1", "192.168.0.1/16", "::ffff:1.2.3.4", "1.2.3.4/0", "::/0", "255.255.255.255", "::", "1.2.3.256"]
    for subnet in subnets:
        for more in ([], [0], [100], [-1], [2 ** 40], [1_800_000_000, True], [5, True]):
            pair.ask("setban", [subnet, "add", *more])
            pair.ask("listbanned", [])
            pair.ask("setban", [subnet, "add", *more])
            pair.ask("setban", [subnet, "remove"])
    for subnet in subnets:
        pair.ask("setban", [subnet, "add", 1000])
    pair.ask("listbanned", [])
    pair.ask("clearbanned", [])
    pair.ask("listbanned", [])
    for name in ("127.0.0.1:1", "127.0.0.1", "1.2.3.4:5", "host.invalid", "[::1]:1", "::1", "x y", "", "127.1:1"):
        for command in ("remove", "add", "add", "remove", "remove", "x"):
            pair.ask("addnode", [name, command])
    for more in ([True], [False], [None], ["x"]):
        pair.ask("addnode", ["127.0.0.1:1", "add", *more])
        pair.ask("getaddednodeinfo", [])
        pair.ask("getaddednodeinfo", ["127.0.0.1:1"])
        pair.ask("addnode", ["127.0.0.1:1", "remove", *more])
    for address in ("1.2.3.4", "8.8.8.8", "8.8.4.4", "2a00::1", "127.0.0.1", "10.0.0.1", "1.2.3", "0x8.8.8.8", "x", "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion", "udhdrtrcetjm5sxzskjyr5ztpeszydbh4dpl3pl4utgqqw2v4jna.b32.i2p",
                    "fc00:1:2:3:4:5:6:7", "::1", "0.0.0.0", "[2a00::1]", "8.8.8.8:1"):
        for port, more in ((8333, []), (0, []), (8333, [True]), (65535, [False]), (65536, []), (8333, [True])):
            pair.ask("addpeeraddress", [address, port, *more])
    pair.ask("getaddrmaninfo", [])
    pair.ask("getrawaddrman", [])
    for args in ([], [0], [1000], [0, "ipv4"], [0, "ipv6"], [0, "onion"], [0, "i2p"], [0, "cjdns"], [0, "not_publicly_routable"], [1000, "ipv4"]):
        pair.ask("getnodeaddresses", args)
    for state in (False, False, True, True):
        pair.ask("setnetworkactive", [state])
        pair.ask("getnetworkinfo", [])


def log(pair, world):
    for args in ([["net"]], [["all"]], [[], ["all"]], [["none"]], [["1"]], [["0"]], [["net", "tor"], ["tor"]], [["net"], ["net"]], [[], ["x"]], [["x"], ["net"]], [["NET"]], [["all"], ["net", "http"]], [[], []],
                 [["libevent"]], [["mempoolrej", "txpackages"], ["all"]], [], [["all"], ["all"]]):
        pair.ask("logging", args)


def pool(pair, world):
    s = world.s
    for h in (s["ready_hex"], s["ready_hex"], s["top_hex"]):
        pair.ask("testmempoolaccept", [[h]])
        pair.ask("sendrawtransaction", [h])
        for method in ("getmempoolentry", "getmempoolcluster", "getmempoolancestors", "getmempooldescendants"):
            for txid in (s["ready"], s["top"]):
                pair.ask(method, [txid])
    for delta in (5000, -100, 0, -4900, 2 ** 40, -2 ** 40):
        pair.ask("prioritisetransaction", [s["ready"], 0, delta])
        pair.ask("getprioritisedtransactions", [])
        pair.ask("getmempoolentry", [s["top"]])
        pair.ask("getmempoolentry", [s["ready"]])
    g = world.g
    parent = g.build([world.spendable()], [g.true], 50)
    child = g.build([parent.outputs[0]], [g.true], 9000)
    for package in ([parent.hex], [parent.hex, child.hex], [parent.hex, child.hex], [child.hex, parent.hex], [child.hex]):
        pair.ask("submitpackage", [package])
        pair.ask("testmempoolaccept", [package])
    for point, rate in ((parent.coins[0], 30_000), (parent.coins[0], 30_010), (world.signed.coins[0], 100_000)):
        other = g.build([point], [g.true], rate)
        pair.ask("testmempoolaccept", [[other.hex]])
        pair.ask("submitpackage", [[other.hex]])
        pair.ask("sendrawtransaction", [other.hex, 0])
        pair.ask("gettxspendingprevout", [[{"txid": point.point[0], "vout": point.point[1]}]])
        pair.ask("getmempoolentry", [other.txid])
    for method, params in (("getrawmempool", []), ("getrawmempool", [False, True]), ("getmempoolinfo", []), ("getmempoolfeeratediagram", []), ("getorphantxs", [2]), ("getrawmempool", [True])):
        pair.ask(method, params)


def settle(pair):
    """Until the indexes of both are as far, if ever; the questions that follow show it."""
    try:
        wait_until(lambda: pair.nodes[0].getindexinfo() == pair.nodes[1].getindexinfo(), 3)
    except AssertionError:
        pass


def chain(pair, world):
    node, g = pair.nodes[0], world.g

    def after():
        for node in pair.nodes:
            node.syncwithvalidationinterfacequeue()
        settle(pair)
        for method, params in AFTER_CHAIN:
            pair.ask(method, params)
    tip = node.getbestblockhash()
    head = node.getblockheader(tip)
    height, when = head["height"] + 1, head["time"] + 1
    coin = world.spendable().point
    bad = [Block(tip, height, when).unsolve(), Block(tip, height, when, bits=0x207ffffe).solve(), Block(tip, height, head["mediantime"]).solve(), Block(tip, height, world.stream.time + 3 * 3600).solve(),
           Block(tip, height, when, version=1).solve(), Block("11" * 32, height, when).solve(), Block(tip, height, when, base=spend([coin], [COIN])).solve(), Block(tip, height, when, [coinbase(height, extra=b"2")]).solve(),
           Block(tip, height, when, base=coinbase(height + 5)).solve(), Block(tip, height, when, base=coinbase(height, 50 * COIN + 1)).solve(), Block(tip, height, when, [spend([("77" * 32, 0)], [COIN])]).solve(),
           Block(tip, height, when, [spend([coin], [10 ** 6 * COIN])]).solve(), Block(tip, height, when, [spend([coin, coin], [COIN])]).solve(), Block(tip, height, when, [spend([coin], [1], sequence=0, locktime=height + 5)]).solve(),
           Block(tip, height, when, [spend([coin], [-1])]).solve()]
    for block in bad:
        pair.ask("submitheader", [block.header().hex()])
        pair.ask("getblocktemplate", [{"mode": "proposal", "data": block.hex()}])
        pair.ask("submitblock", [block.hex()])
        pair.ask("submitblock", [block.hex()])
        pair.ask("getblocktemplate", [{"mode": "proposal", "data": block.hex()}])
        pair.ask("getblockheader", [block.hash])
        pair.ask("getblock", [block.hash])
    pair.ask("getchaintips", [])
    good = Block(tip, height, when, [g.build([world.spendable()], [g.true], 1000).tx]).solve()
    pair.ask("getblocktemplate", [{"mode": "proposal", "data": good.hex()}])
    pair.ask("submitheader", [good.header().hex()])
    pair.ask("getblocktemplate", [{"mode": "proposal", "data": good.hex()}])
    pair.ask("getblockheader", [good.hash])
    pair.ask("submitblock", [good.hex()])
    after()
    for txs in ([], [world.s["ready"]], [world.s["ready_hex"], world.s["top_hex"]], [world.s["top_hex"]], [world.s["orphan_hex"]]):
        pair.ask("generateblock", [TRUE_ADDRESS, txs, False])
    for method, params in (("generatetoaddress", [2, TRUE_ADDRESS]), ("generatetodescriptor", [1, "raw(51)"]), ("generateblock", ["raw(6a)", [world.s["ready"]]]), ("generateblock", [TRUE_ADDRESS, []])):
        pair.ask(method, params)
        if len({n.getbestblockhash() for n in pair.nodes}) > 1:
            raise AssertionError("%s: other blocks" % method)
        after()
    count = node.getblockcount()
    for height in (count, count - 1, count - 3):
        name = node.getblockhash(height)
        for method in ("invalidateblock", "getblockheader", "invalidateblock"):
            pair.ask(method, [name])
        after()
        pair.ask("preciousblock", [name])
        pair.ask("reconsiderblock", [name])
        after()
    for name in (world.s["stale"], world.s["invalid"], world.s["headeronly"]):
        for method in ("preciousblock", "invalidateblock", "reconsiderblock", "getblockheader", "getblock"):
            pair.ask(method, [name])
        after()
    pair.ask("verifychain", [4, 30])


def peers(pair, world):
    found = [Peer(node, height=7, agent=b"/peer:1(x)/") for node in pair.nodes]
    tx = spend([("77" * 32, 3)], [100_000])
    for peer in found:
        peer.send("tx", tx.encode())
        peer.sync()
    for node in pair.nodes:
        wait_until(node.getorphantxs, what="the orphan")
        wait_until(lambda node=node: node.getpeerinfo()[0]["bytesrecv_per_msg"].get("pong"), what="the first pong")
    for method, params in [("getorphantxs", [v]) for v in (0, 1, 2)] + [("getpeerinfo", []), ("getconnectioncount", []), ("getnetworkinfo", []), ("ping", []), ("getnettotals", [])]:
        pair.ask(method, params)
    first = [node.getpeerinfo()[0]["id"] for node in pair.nodes]
    if first[0] == first[1]:
        n = first[0]
        for name in ("headeronly", "stale", "best", "unknown"):
            for peer in (n, n + 1, -1):
                pair.ask("getblockfrompeer", [world.s[name], peer])
        for params in ([n, "ping", "00" * 8], [n, "x" * 12, "00"], [n, "", ""], [n + 1, "ping", "00"], [n, "ping", "0"]):
            pair.ask("sendmsgtopeer", params)
        for params in (["", n + 1], ["127.0.0.1:1", n], ["", n]):
            pair.ask("disconnectnode", params)
    for peer in found:
        peer.wait_closed()
        peer.close()


def files(pair, world):
    for params in (["DIR/none"], ["DIR"], [""], ["DIR/none", {"apply_fee_delta_priority": True}]):
        pair.ask("importmempool", params)
    pair.ask("savemempool", [])
    pair.ask("importmempool", ["DIR/regtest/mempool.dat"])
    pair.ask("importmempool", ["DIR/regtest/mempool.dat", {"use_current_time": False, "apply_fee_delta_priority": True, "apply_unbroadcast_set": True}])
    for method, params in (("dumptxoutset", ["DIR/a", "latest"]), ("dumptxoutset", ["DIR/a", "latest"]), ("dumptxoutset", ["DIR/b", "x"]), ("dumptxoutset", ["DIR/b"]), ("dumptxoutset", ["DIR/no/b", "latest"]),
                           ("dumptxoutset", ["DIR/c", "rollback", {"rollback": world.s["tip"] - 10}]), ("dumptxoutset", ["DIR/d", "rollback"]), ("dumptxoutset", ["DIR/d", "latest", {"rollback": 5}]),
                           ("dumptxoutset", ["DIR/e", "", {"rollback": 10 ** 6}]), ("loadtxoutset", ["DIR/none"]), ("loadtxoutset", ["DIR/a"]), ("getchainstates", []), ("getrawmempool", [])):
        pair.ask(method, params)


def clock(pair, world):
    for t in (0, 1, 1_500_000_000, pair.time + 10 ** 6, 2 ** 32 - 1, 2 ** 32, -1):
        pair.ask("setmocktime", [t])
        if t > 1:
            for method, params in (("getblockchaininfo", []), ("getmempoolinfo", []), ("getmininginfo", []), ("uptime", []), ("listbanned", []), ("estimatesmartfee", [2])):
                pair.ask(method, params)
    for t in (1, 3600, 0, 3601):
        pair.ask("mockscheduler", [t])


