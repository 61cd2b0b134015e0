"""The Electrum server: every method and its errors in versions 1.4 and 1.6, negotiation, batches, arguments by name, subscriptions through payments,
blocks and reorganisations, Merkle proofs and checkpoints, packages, limits, TLS; and that the log ties nobody to a script."""
import json
import os
import socket

from blocks import COIN, TRUE_ADDRESS, TRUE_OUTPUT, TRUE_SCRIPT, TRUE_WITNESS, Block, Tx, coins_of, make_chain, spend
from electrumline import Client, ElectrumError, other_script, root_of, script_hash, status_of, tree_root
from framework import SLOW, contains, equal, free_port, main, wait_until

BAD, DAEMON, EXCESSIVE, NO_METHOD, INVALID_ARGS, INVALID, PARSE = 1, 2, -101, -32601, -32602, -32600, -32700
FEE = 10_000
TRUE_HASH = script_hash(TRUE_OUTPUT)
GENESIS_HASH = "740485f380ff6379d11ef6fe7d7cdd68aea7f8bd0d953d9fdf3531fb7d531833"  # as the protocol's documentation has it


def fails(code, text, client, *call, **named):
    try:
        got = client.call(*call, **named)
    except ElectrumError as e:
        equal(e.code, code)
        contains(e.message, text)
        return
    raise AssertionError("%s answered %s" % (call, got))


def negotiation(port):
    for asked, got in (("1.4", "1.4"), (["1.4", "1.6"], "1.6"), (["1.3", "1.4.2"], "1.4.2"), (["1.4", "1.5"], "1.4.3"),
                       (["1.0", "2.0"], "1.6"), ("1.6", "1.6"), ("1.4.1", "1.4.1")):
        c = Client(port, asked)
        equal(c.version, got)
        fails(BAD, "already sent", c, "server.version", "again", "1.4")
        c.close()
    for asked in ("1.3", "1.7", ["0.9", "1.2"], ["1.7", "1.8"], "x", ["1.4"], "1.5", 4):
        c = Client(port, None)
        fails(BAD, "unsupported protocol version", c, "server.version", "test", asked)
        equal(c.line(), None)  # it hangs up
    c = Client(port, None)
    equal(c.call("server.version", "test", "1.6", "more", {"and": "more"})[1], "1.6")
    c.close()
    c = Client(port, None)  # who does not say hello first speaks 1.4
    equal(c.call("server.ping"), None)
    equal(c.call("server.version", "test", ["1.4", "1.6"])[1], "1.4.3")
    c.close()
    for asked, known in (("1.4.1", False), ("1.4.2", True), ("1.6", True)):
        c = Client(port, asked)
        if known:
            equal(c.call("blockchain.scripthash.unsubscribe", TRUE_HASH), False)
        else:
            fails(NO_METHOD, "unsubscribe", c, "blockchain.scripthash.unsubscribe", TRUE_HASH)
        c.close()
    c = Client(port, None)
    equal(c.call("server.version", client_name="x", protocol_version=["1.4", "1.6"])[1], "1.6")
    c.close()


def envelope(port):
    c = Client(port)
    for line, code in ((b"{", PARSE), (b"[]", INVALID), (b"5", INVALID), (b'{"id":1}', INVALID), (b'{"id":[],"method":"server.ping"}', INVALID),
                       (b'{"id":1,"method":7}', INVALID), (b'{"id":1,"method":"server.nothing"}', NO_METHOD),
                       (b'{"id":1,"method":"server.ping","params":7}', INVALID_ARGS),
                       (b'{"id":1,"method":"server.ping","params":[7]}', INVALID_ARGS),
                       (b'{"id":1,"method":"server.add_peer","params":[]}', INVALID_ARGS),
                       (b'{"id":1,"method":"blockchain.block.header","params":{"heigth":1}}', INVALID_ARGS),
                       (b'[' + b'{"id":1,"method":"server.ping"},' * 2000 + b'{"id":1,"method":"server.ping"}]', EXCESSIVE)):
        c.send(line + b"\n")
        equal(c.line()["error"]["code"], code)
    # Numbers and texts as ids, notifications without an answer, empty lines, line ends of two bytes.
    c.send(b'\n\r\n{"method":"server.ping"}\r\n{"id":"a\\"b","method":"server.ping","params":[]}\r\n{"id":null,"method":"server.ping"}\n')
    equal(c.line(), {"jsonrpc": "2.0", "result": None, "id": 'a"b'})
    equal(c.line(), {"jsonrpc": "2.0", "result": None, "id": None})
    got = c.batch([("server.ping",), ("server.nothing",), ("blockchain.block.header", 0)])
    equal([sorted(a) for a in got], [["id", "jsonrpc", "result"], ["error", "id", "jsonrpc"], ["id", "jsonrpc", "result"]])
    equal(c.call("blockchain.block.header", height=0), got[2]["result"])
    c.send(b'[{"method":"server.ping"},{"id":9,"method":"server.ping"}]\n[{"method":"server.ping"}]\n')
    equal(c.line(), [{"jsonrpc": "2.0", "result": None, "id": 9}])
    equal(c.call("server.ping"), None)
    c.close()
    # A line may come in pieces, and the end of the connection does not take its answer away.
    c = Client(port)
    for piece in (b'{"id":5,"me', b'thod":"server.', b'ping"}\n{"id":6,"method":"server.ping"}'):
        c.send(piece)
    equal(c.line()["id"], 5)
    c.send(b"\n")
    c.s.shutdown(socket.SHUT_WR)
    equal(c.line()["id"], 6)
    equal(c.line(), None)
    c = Client(port)  # a long line that is none too long
    text = "00" * 900_000
    fails(BAD, "rejected", c, "blockchain.transaction.broadcast", text)
    c.close()


def fixed_answers(port, version):
    c = Client(port, version)
    features = c.call("server.features")
    equal((features["protocol_min"], features["protocol_max"], features["hash_function"]), ("1.4", "1.6", "sha256"))
    equal(features["hosts"]["127.0.0.1"]["tcp_port"], port)
    equal(features["genesis_hash"], "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206")
    contains(c.call("server.banner"), "Farthing")
    equal(c.call("server.donation_address"), "")
    equal(c.call("server.peers.subscribe"), [])
    equal(c.call("server.add_peer", features), False)
    fails(BAD, "object", c, "server.add_peer", "x")
    equal(c.call("server.ping"), None)
    equal(c.call("blockchain.scripthash.get_history", GENESIS_HASH), [])  # nobody can spend that output: it is in no index
    equal(c.call("blockchain.scripthash.get_balance", GENESIS_HASH), {"confirmed": 0, "unconfirmed": 0})
    equal(c.call("blockchain.estimatefee", 2), -1)
    equal(c.call("blockchain.estimatefee", 100_000), -1)
    fails(BAD, "integer", c, "blockchain.estimatefee", -1)
    fails(BAD, "integer", c, "blockchain.estimatefee", "2")
    equal(c.call("mempool.get_fee_histogram"), [])
    if version == "1.6":
        equal(c.call("blockchain.estimatefee", 2, "CONSERVATIVE"), -1)
        fails(BAD, "estimate_mode", c, "blockchain.estimatefee", 2, "nonsense")
        equal(c.call("mempool.get_info"), {"mempoolminfee": 0.000001, "minrelaytxfee": 0.000001, "incrementalrelayfee": 0.000001})
        fails(NO_METHOD, "relayfee", c, "blockchain.relayfee")
    else:
        fails(INVALID_ARGS, "1.6", c, "blockchain.estimatefee", 2, "CONSERVATIVE")
        fails(NO_METHOD, "get_info", c, "mempool.get_info")
        fails(NO_METHOD, "package", c, "blockchain.transaction.broadcast_package", [])
        fails(NO_METHOD, "unsubscribe", c, "blockchain.scripthash.unsubscribe", TRUE_HASH)
        equal(c.call("blockchain.relayfee"), 0.000001)
    c.close()


def headers(node, port, version):
    c = Client(port, version)
    top = node.getblockcount()
    hashes = [node.getblockhash(h) for h in range(top + 1)]
    raw = [node.getblockheader(h, False) for h in hashes]
    equal(c.call("blockchain.headers.subscribe"), {"height": top, "hex": raw[top]})
    equal(c.call("blockchain.headers.subscribe", False), {"height": top, "hex": raw[top]})  # an argument of 1.2, which libraries still send
    equal(c.call("blockchain.headers.get_tip"), {"height": top, "hex": raw[top]})
    for h in (0, 1, top):
        equal(c.call("blockchain.block.header", h), raw[h])
    for h, cp in ((0, 1), (5, 8), (7, 8), (8, 8), (top, top), (top - 1, top), (3, top)):
        got = c.call("blockchain.block.header", h, cp)
        equal(got["header"], raw[h])
        equal(got["root"], tree_root(hashes[:cp + 1]))
        equal(root_of(hashes[h], got["branch"], h), got["root"])
    fails(BAD, "out of range", c, "blockchain.block.header", top + 1)
    fails(BAD, "cp_height", c, "blockchain.block.header", 5, 4)
    fails(BAD, "cp_height", c, "blockchain.block.header", 5, top + 1)
    for bad in (-1, "1", 1.5, 1 << 40, True):
        fails(BAD, "integer", c, "blockchain.block.header", bad)

    def chunk(*args):
        got = c.call("blockchain.block.headers", *args)
        equal(got["max"], 2016)
        if version == "1.6":
            equal("hex" in got, False)
            equal(len(got["headers"]), got["count"])
            return got, got["headers"]
        return got, [got["hex"][i:i + 160] for i in range(0, len(got["hex"]), 160)]

    for start, count in ((0, 3), (0, 2016), (0, 100_000), (top, 5), (top + 1, 5), (4, 0)):
        equal(chunk(start, count)[1], raw[start:start + min(count, 2016)])
    got, _ = chunk(2, 10, 30)
    equal(got["root"], tree_root(hashes[:31]))
    equal(root_of(hashes[11], got["branch"], 11), got["root"])
    equal("root" in chunk(2, 0, 30)[0], False)
    fails(BAD, "cp_height", c, "blockchain.block.headers", 2, 10, 5)
    c.close()


def check_history(node, c, script, hash_):
    """Everything that the server says of a script, against the node's own commands."""
    history = c.call("blockchain.scripthash.get_history", hash_)
    rows = [{"tx_hash": h["txid"], "height": h["height"]} for h in node.getaddresshistory(script, {"limit": 10_000})["history"] if h["height"] > 0]
    equal([h for h in history if h["height"] > 0], rows)
    pool = [h for h in history if h["height"] <= 0]
    equal(pool, sorted(pool, key=lambda h: (-h["height"], h["tx_hash"])))
    equal(pool, c.call("blockchain.scripthash.get_mempool", hash_))
    for h in pool:
        entry = node.getmempoolentry(h["tx_hash"])
        equal((h["fee"], h["height"]), (round(entry["fees"]["base"] * COIN), -1 if entry["depends"] else 0))
    coins = c.call("blockchain.scripthash.listunspent", hash_)
    balance = c.call("blockchain.scripthash.get_balance", hash_)
    equal(balance["confirmed"] + balance["unconfirmed"], sum(x["value"] for x in coins))
    for x in coins:
        equal(round(node.gettxout(x["tx_hash"], x["tx_pos"], True)["value"] * COIN), x["value"])
    equal(c.call("blockchain.scripthash.subscribe", hash_), status_of(history))
    equal(c.call("blockchain.scripthash.get_status", hash_), status_of(history))
    return history


def payments(node, port, version):
    c, watcher = Client(port, version), Client(port, "1.6")
    script, inner = other_script(1 if version == "1.4" else 2)
    mine = script_hash(script)
    address = node.decodescript(script.hex())["address"]
    equal(c.call("blockchain.address.get_scripthash", address), mine)
    for method in ("get_history", "get_mempool", "listunspent"):
        equal(c.call("blockchain.scripthash." + method, mine), [])
        equal(c.call("blockchain.address." + method, address), [])
        fails(BAD, "64 hex digits", c, "blockchain.scripthash." + method, mine[:-1])
        fails(BAD, "address", c, "blockchain.address." + method, address[:-1])
    equal(c.call("blockchain.scripthash.get_balance", mine), {"confirmed": 0, "unconfirmed": 0})
    equal(c.call("blockchain.scripthash.get_first_use", mine), None)
    equal(watcher.call("blockchain.scripthash.subscribe", mine), None)
    equal(watcher.call("blockchain.address.subscribe", address), None)
    equal(watcher.call("blockchain.headers.subscribe")["height"], node.getblockcount())

    def told(block=False):
        """Until the watcher knows the present state by both its subscriptions, and the new block."""
        status = status_of(c.call("blockchain.scripthash.get_history", mine))
        wanted = [[mine, status], [address, status]]
        if block:
            wanted.append([{"height": node.getblockcount(), "hex": node.getblockheader(node.getbestblockhash(), False)}])
        while wanted:
            got = watcher.note()
            if got in wanted:
                wanted.remove(got)
        equal(c.call("blockchain.scripthash.subscribe", mine), status)

    # A payment, and what spends it unconfirmed.
    coin = coins_of(node, 1 if version == "1.4" else 2, 1 if version == "1.4" else 2)[0]
    first = spend([coin], [(20 * COIN, script), 30 * COIN - FEE])
    equal(c.call("blockchain.transaction.broadcast", first.hex()), first.txid)
    told()
    equal(check_history(node, c, script.hex(), mine), [{"tx_hash": first.txid, "height": 0, "fee": FEE}])
    equal(c.call("blockchain.scripthash.get_first_use", mine), {"block_hash": "0" * 64, "block_height": 0, "height": 0, "tx_hash": first.txid})
    equal(c.call("blockchain.utxo.get_info", first.txid, 0), {"scripthash": mine, "value": 20 * COIN})
    second = Tx([(first.txid, 0, 0xfffffffd, b"", [inner])], [(20 * COIN - FEE, script)])
    equal(c.call("blockchain.transaction.broadcast", second.hex()), second.txid)
    told()
    equal([h["height"] for h in check_history(node, c, script.hex(), mine)], [0, -1])
    histogram = c.call("mempool.get_fee_histogram")
    equal(all(a[0] > b[0] for a, b in zip(histogram, histogram[1:])) and sum(b[1] for b in histogram) > 0, True)
    equal(c.call("blockchain.transaction.get", second.txid), second.hex())
    equal(c.call("blockchain.transaction.get", second.txid, True)["txid"], second.txid)
    # Only the parent is mined: the child's height changes with it.
    node.generateblock(TRUE_ADDRESS, [first.txid])
    told(True)
    equal([h["height"] for h in check_history(node, c, script.hex(), mine)], [node.getblockcount(), 0])
    # A block; then another branch without it.
    node.mine(1, TRUE_ADDRESS)
    told(True)
    history = check_history(node, c, script.hex(), mine)
    height = node.getblockcount()
    equal([h["height"] for h in history], [height - 1, height])
    equal(c.call("blockchain.scripthash.get_first_use", mine)["block_hash"], node.getblockhash(height - 1))
    equal(c.call("blockchain.utxo.get_info", second.txid, 0), {"confirmed_height": height, "scripthash": mine, "value": 20 * COIN - FEE})
    equal(c.call("blockchain.utxo.get_info", first.txid, 0), None)
    equal(c.call("blockchain.transaction.get", second.txid), second.hex())
    equal(c.call("blockchain.transaction.get", second.txid, True)["confirmations"], 1)
    node.invalidateblock(node.getblockhash(height - 1))
    wait_until(lambda: sorted(h["height"] for h in c.call("blockchain.scripthash.get_history", mine)) == [-1, 0])
    told(True)
    check_history(node, c, script.hex(), mine)
    tip = node.getblockheader(node.getbestblockhash())
    for block in make_chain(tip["hash"], tip["height"], tip["time"] + 1, 3, extra=version.encode()):
        node.submitblock(block.hex())
    node.mine(1, TRUE_ADDRESS)
    wait_until(lambda: [h["height"] for h in c.call("blockchain.scripthash.get_history", mine)] == [height + 2] * 2)
    check_history(node, c, script.hex(), mine)
    # Unsubscribed: nothing more is told.
    equal(watcher.call("blockchain.address.get_status", address), c.call("blockchain.address.get_status", address))
    fails(BAD, "address", c, "blockchain.address.get_status", address[:-1])
    fails(BAD, "64 hex digits", c, "blockchain.scripthash.get_status", "00")
    equal(watcher.call("blockchain.scripthash.unsubscribe", mine), True)
    equal(watcher.call("blockchain.scripthash.unsubscribe", mine), False)
    equal(watcher.call("blockchain.address.unsubscribe", address), True)
    equal(watcher.call("blockchain.headers.unsubscribe"), True)
    equal(watcher.call("blockchain.headers.unsubscribe"), False)
    watcher.notes.clear()
    told_of = c.call("blockchain.headers.subscribe")["height"]
    last = spend(coins_of(node, 11 if version == "1.4" else 12, 11 if version == "1.4" else 12), [(50 * COIN - FEE, script)])
    c.call("blockchain.transaction.broadcast", last.hex())
    node.mine(1, TRUE_ADDRESS)
    while c.note("blockchain.headers.subscribe")[0]["height"] <= told_of:
        pass
    wait_until(lambda: c.call("blockchain.scripthash.get_history", mine)[-1]["height"] == told_of + 1)
    for _ in range(5):
        equal(watcher.call("server.ping"), None)
    equal(watcher.notes, [])
    for x in (c, watcher):
        x.close()


def merkle(node, port):
    c = Client(port)
    coins = coins_of(node, 3, 9)
    for n in (1, 2, 5):
        txs = [spend([coins.pop()], [(50 * COIN - FEE, other_script(100 + n)[0])]) for _ in range(min(n, len(coins)))]
        for tx in txs:
            c.call("blockchain.transaction.broadcast", tx.hex())
        node.mine(1, TRUE_ADDRESS)
        height = node.getblockcount()
        block = node.getblock(node.getblockhash(height))
        for i, txid in enumerate(block["tx"]):
            got = c.call("blockchain.transaction.get_merkle", txid, height)
            equal((got["block_height"], got["pos"], root_of(txid, got["merkle"], i)), (height, i, block["merkleroot"]))
            equal(c.call("blockchain.transaction.id_from_pos", height, i), txid)
            equal(c.call("blockchain.transaction.id_from_pos", height, i, True), {"tx_hash": txid, "merkle": got["merkle"]})
        fails(BAD, "no tx at position", c, "blockchain.transaction.id_from_pos", height, len(block["tx"]))
    fails(BAD, "not in block", c, "blockchain.transaction.get_merkle", "00" * 32, height)
    fails(BAD, "out of range", c, "blockchain.transaction.get_merkle", "00" * 32, height + 1)
    fails(BAD, "out of range", c, "blockchain.transaction.id_from_pos", height + 1, 0)
    fails(BAD, "boolean", c, "blockchain.transaction.id_from_pos", height, 0, "yes")
    fails(BAD, "64 hex digits", c, "blockchain.transaction.get", "xx")
    fails(DAEMON, "No such mempool", c, "blockchain.transaction.get", "00" * 32)
    c.close()


def sending(node, port):
    c = Client(port, "1.6")
    coin = coins_of(node, 10, 10)[0]
    fails(BAD, "rejected by network rules.\n\nTX decode failed", c, "blockchain.transaction.broadcast", "00")
    fails(BAD, "string", c, "blockchain.transaction.broadcast", 5)
    fails(BAD, "missingorspent", c, "blockchain.transaction.broadcast", spend([("11" * 32, 0)], [1000]).hex())
    # A parent without a fee, and a child that pays for both.
    parent = spend([coin], [50 * COIN], version=3)
    child = spend([(parent.txid, 0)], [50 * COIN - FEE], version=3)
    fails(BAD, "rejected by network rules.\n\nmin relay fee not met", c, "blockchain.transaction.broadcast", parent.hex())
    got = c.call("blockchain.transaction.broadcast_package", [spend([coin], [50 * COIN - 1], version=3).hex()])
    equal((got["success"], len(got["errors"])), (False, 1))
    contains(got["errors"][0]["error"], "min relay fee not met")
    fails(BAD, "rejected by network rules.\n\npackage topology", c, "blockchain.transaction.broadcast_package", [child.hex(), parent.hex()])
    fails(BAD, "list", c, "blockchain.transaction.broadcast_package", "x")
    equal(c.call("blockchain.transaction.broadcast_package", [parent.hex(), child.hex()]), {"success": True})
    equal(c.call("blockchain.transaction.broadcast_package", [parent.hex(), child.hex()], True)["package_msg"], "success")
    equal(sorted(node.getrawmempool()), sorted([parent.txid, child.txid]))
    node.mine(1, TRUE_ADDRESS)
    c.close()


def run(t):
    port, tls_port = free_port(), free_port()
    node = t.node("-electrum=127.0.0.1:%d" % port, "-electrumtls=127.0.0.1:%d" % tls_port)
    contains(node.log(), "-electrum needs the address index, which is missing: it is switched on as with -addressindex, and built now")
    node.mine(120, TRUE_ADDRESS)
    negotiation(port)
    envelope(port)
    for version in ("1.4", "1.6"):
        fixed_answers(port, version)
        headers(node, port, version)
        payments(node, port, version)
    merkle(node, port)
    sending(node, port)
    headers(node, port, "1.4")
    # TLS, with the certificate that was made.
    c = Client(tls_port, "1.4", tls=os.path.join(node.net_dir, "electrum.crt"))
    equal(c.call("blockchain.headers.subscribe")["height"], node.getblockcount())
    equal(c.call("server.features")["hosts"]["127.0.0.1"], {"tcp_port": port, "ssl_port": tls_port})
    node.mine(1, TRUE_ADDRESS)
    equal(c.note("blockchain.headers.subscribe")[0]["height"], node.getblockcount())
    history = c.call("blockchain.scripthash.get_history", TRUE_HASH)
    # All histories are there after a restart; a client that was connected sees the end.
    node.stop()
    try:
        equal(c.line(), None)
    except OSError:
        pass
    node.start()
    contains(node.log(), "-electrum: the address index is on as with -addressindex")
    c = Client(port)
    equal(c.call("blockchain.scripthash.get_history", TRUE_HASH), history)
    many = c.many([("blockchain.scripthash.subscribe", script_hash(i.to_bytes(4, "little"))) for i in range(300)])
    equal(many, [None] * 300)
    c.close()
    contains(node.log(), "Electrum server listens on 127.0.0.1:%d (TLS)" % tls_port)
    for word in (TRUE_HASH, TRUE_ADDRESS, script_hash(other_script(1)[0])):
        for line in node.log().splitlines():
            if "electrum" in line.lower():
                equal(word in line, False)
    node.stop()
    # What cannot be.
    node.start_fails("-addressindex=0", text="-electrum needs -addressindex")
    node.start_fails("-prune=550", text="incompatible with -electrum")
    node.start_fails("-electrum=nowhere:x", text="Cannot resolve -electrum address: 'nowhere:x'")


main(run)
