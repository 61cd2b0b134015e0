"""Nodes in a line, in a star and around a peer that stalls: all reach the same tip, and transactions travel along the line."""
import os
import time

from blocks import COIN, REGTEST_GENESIS, TRUE_ADDRESS, coins_of, make_chain, next_block, spend
from framework import equal, main, same_tip, wait_until
from p2p import BLOCK, WTX, Peer, headers_payload, locator, parse_compact, parse_inv, version_payload


def write_chain(t, blocks):
    path = os.path.join(t.dir, "chain.dat")
    with open(path, "wb") as f:
        for block in blocks:
            raw = block.encode()
            f.write(bytes.fromhex("fabfb5da") + len(raw).to_bytes(4, "little") + raw)
    return path


def line(t):
    """0 - 1 - 2 - 3. noban takes the random delays out of transaction relay."""
    nodes = [t.node("-whitelist=noban,in,out@127.0.0.1") for _ in range(4)]
    nodes[0].mine(110, TRUE_ADDRESS)
    for a, b in zip(nodes, nodes[1:]):
        a.connect(b)
    same_tip(*nodes)
    nodes[3].mine(3, TRUE_ADDRESS)
    same_tip(*nodes)
    equal(nodes[0].getblockcount(), 113)

    first = spend([coins_of(nodes[0], 1, 1)[0]], [49 * COIN])
    second = spend([(first.txid, 0)], [48 * COIN])
    nodes[0].sendrawtransaction(first.hex(), 0)
    wait_until(lambda: first.txid in nodes[3].getrawmempool(), what="the transaction at the line's end")
    nodes[3].sendrawtransaction(second.hex(), 0)
    wait_until(lambda: all(len(n.getrawmempool()) == 2 for n in nodes), what="its child at the line's start")
    nodes[1].mine(1, TRUE_ADDRESS)
    same_tip(*nodes)
    wait_until(lambda: not any(n.getrawmempool() for n in nodes), what="empty mempools")
    equal({n.utxo_hash() for n in nodes}, {nodes[0].utxo_hash()})
    return nodes


def announcements(node):
    """A peer that asked for headers gets them, one that did not gets an inv; transactions are announced by wtxid or txid."""
    modern = Peer(node, handshake=False)
    modern.handlers["version"] = lambda payload: (modern.send("wtxidrelay"), modern.send("verack"))
    modern.send("version", version_payload())
    modern.wait_for("verack")
    modern.send("sendheaders")
    plain = Peer(node)
    # Both prove that they know the tip: only then are headers of new blocks sent without being asked for.
    for peer in (modern, plain):
        peer.send("getheaders", locator(REGTEST_GENESIS))
        peer.wait_for("headers")
        peer.sync()
    block = next_block(node)
    equal(node.submitblock(block.hex()), None)
    wanted = block.header()
    modern.wait_for("headers", lambda payload: payload[1:81] == wanted)
    plain.wait_for("inv", lambda payload: (BLOCK, block.hash) in parse_inv(payload))
    tx = spend([coins_of(node, 2, 2)[0]], [49 * COIN])
    node.sendrawtransaction(tx.hex(), 0)
    modern.wait_for("inv", lambda payload: (WTX, tx.wtxid) in parse_inv(payload))
    plain.wait_for("inv", lambda payload: (1, tx.txid) in parse_inv(payload))
    equal((BLOCK, block.hash) in [i for payload in modern.all("inv") for i in parse_inv(payload)], False)
    modern.close()
    plain.close()


def star(t, nodes):
    center, leaves = nodes[0], nodes[1:]
    for leaf in leaves:
        leaf.setnetworkactive(False)
    wait_until(lambda: not center.getpeerinfo(), what="no peers")
    for leaf in leaves:
        leaf.setnetworkactive(True)
        leaf.connect(center)
    for leaf in leaves:
        leaf.mine(2, TRUE_ADDRESS)
        same_tip(*nodes)
    equal(len({n.getblockcount() for n in nodes}), 1)
    for node in nodes:
        node.stop()


def stalling(t):
    """The staller announces the whole chain first and gets the first requests; the window stands until it is let go."""
    chain = make_chain(REGTEST_GENESIS, 0, int(time.time()) - 2100, 2000)
    data = write_chain(t, chain)
    sources = [t.node("-loadblock=" + data) for _ in range(2)]
    for source in sources:
        wait_until(lambda: source.getblockcount() == 2000, what="the source's chain")
    node = t.node()
    staller = Peer(node, outbound=True, height=2000)
    staller.send("headers", headers_payload(chain))
    asked = staller.wait_for("getdata")
    equal(parse_inv(asked)[0][1], chain[0].hash)
    for source in sources:
        node.addnode("127.0.0.1:%d" % source.port, "onetry")
    wait_until(lambda: len(node.getpeerinfo()) == 3, what="all three peers")
    staller.wait_closed()
    wait_until(lambda: node.getblockcount() == 2000, what="the tip in spite of the staller")
    equal(node.getbestblockhash(), chain[-1].hash)
    peers = node.getpeerinfo()
    equal(len(peers), 2)
    for peer in peers:
        equal(peer["bytesrecv_per_msg"].get("block", 0) > 0, True)
    for n in (node, *sources):
        n.stop()


def slow_start(t):
    """A peer of ours is the only source: its blocks come in any order, some of them twice."""
    chain = make_chain(REGTEST_GENESIS, 0, int(time.time()) - 400, 300)
    node = t.node()
    peer = Peer(node, outbound=True, height=300)
    by_hash = {b.hash: b for b in chain}

    def backwards(payload):
        for _, name in reversed(parse_inv(payload)):
            peer.send("block", by_hash[name].encode())
            if by_hash[name].height % 7 == 0:
                peer.send("block", by_hash[name].encode())

    peer.handlers["getdata"] = backwards
    peer.send("headers", headers_payload(chain))
    wait_until(lambda: node.getblockcount() == 300, what="the chain from one peer")
    equal(node.getbestblockhash(), chain[-1].hash)
    peer.send("getheaders", locator(chain[99].hash))
    served = peer.wait_for("headers")
    equal(parse_compact(served)[0], 200)
    equal(served[1:81], chain[100].header())
    node.stop()


def run(t):
    nodes = line(t)
    announcements(nodes[0])
    star(t, nodes)
    stalling(t)
    slow_start(t)


main(run)
