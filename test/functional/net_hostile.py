"""Hostile peers: garbage, lying headers of messages, enormous counts, truncated messages, half-open connections, floods, invalid blocks and
transactions. The peer is dropped where Bitcoin Core drops it; the node goes on and its memory stays bounded."""
import random
import socket
import struct

from blocks import COIN, REGTEST_GENESIS, TRUE_ADDRESS, TRUE_OUTPUT, Block, Tx, coinbase, coins_of, compact, display, next_block, sha256d, spend
from framework import SANITIZER, below, equal, main, wait_until
from p2p import MAGIC, TX, WITNESS_BLOCK, WITNESS_TX, Peer, frame, headers_payload, inv, locator, parse_inv, version_payload

HUGE = b"\xfe\x00\x00\x00\x40"  # CompactSize 2^30
HUGER = b"\xff" + b"\xff" * 8
MAGIC_REGTEST = MAGIC["regtest"]


def memory(node, field="VmRSS"):
    """Resident memory of the node in kB."""
    with open("/proc/%d/status" % node.process.pid) as f:
        return next(int(line.split()[1]) for line in f if line.startswith(field + ":"))


def bounded(node, before):
    if SANITIZER:
        print("growth of memory: not measured in a build with a sanitizer")
    else:
        below(memory(node) - before, 20_000, "growth in kB")


def alive(node):
    """RPC answers, and an honest peer gets its handshake."""
    node.getblockcount()
    Peer(node).close()


def framing(node):
    """What ends a connection by its bytes alone, before and after the handshake."""
    ends = {
        "garbage": random.Random(1).randbytes(5000),
        "wrong magic": frame(MAGIC["main"], "ping", bytes(8)),
        "oversize length": frame(MAGIC_REGTEST, "ping", bytes(8), length=4_000_001),
        "4 GB length": frame(MAGIC_REGTEST, "block", bytes(8), length=0xffffffff),
        "magic after a good message": frame(MAGIC_REGTEST, "ping", bytes(8)) + b"\x00" * 24,
    }
    for handshake in (False, True):
        for name, data in ends.items():
            peer = Peer(node, handshake=handshake)
            peer.raw(data)
            try:
                peer.wait_closed()
            except AssertionError:
                raise AssertionError("%s does not end the connection" % name) from None
            peer.close()
    # What is only dropped: the connection goes on.
    peer = Peer(node)
    dropped = (frame(MAGIC_REGTEST, "ping", bytes(8), checksum=b"\0\0\0\0"), frame(MAGIC_REGTEST, "unknown", bytes(1000)),
               frame(MAGIC_REGTEST, "", b""), frame(MAGIC_REGTEST, "ping\0x", b""), frame(MAGIC_REGTEST, "tx", b""))
    for data in dropped:
        peer.raw(data)
        peer.sync()
    equal(len(peer.all("pong")), 1 + len(dropped))  # the handshake's and one after each: none for the wrong checksum
    peer.send("getheaders", locator(REGTEST_GENESIS))
    equal(display(sha256d(peer.wait_for("headers")[-81:-1])), node.getbestblockhash())
    peer.close()


def huge_counts(node):
    """A count of 2^30 and of 2^64-1 in front of nothing, in every message that has one."""
    before = memory(node)
    header = Block(node.getbestblockhash(), 1, 1).header()
    payloads = {
        "inv": b"", "getdata": b"", "notfound": b"", "headers": b"", "addr": b"", "addrv2": b"", "locator": b"",
        "tx": struct.pack("<i", 2), "block": header, "cmpctblock": header + bytes(8), "getblocktxn": bytes(32), "blocktxn": bytes(32),
        "getheaders": struct.pack("<i", 70016), "getblocks": struct.pack("<i", 70016), "merkleblock": header + bytes(4), "filterload": b"",
    }
    for command, start in payloads.items():
        for count in (HUGE, HUGER, b"\xfd\xff\xff"):
            peer = Peer(node)
            peer.send(command, start + count)
            # Dropped as a peer or just as a message: either is right, as long as the node does not wait or grow.
            wait_until(lambda: peer.closed.is_set() or answers(peer), what="the node is done with %s" % command)
            peer.close()
    # A script of 1 GB inside a transaction, and a witness of 2^30 items.
    peer = Peer(node)
    one = struct.pack("<i", 2) + b"\x01" + bytes(36) + HUGE
    peer.send("tx", one)
    peer.send("tx", struct.pack("<i", 2) + b"\x00\x01\x01" + bytes(36) + b"\x00" + bytes(4) + b"\x01" + bytes(8) + b"\x00" + HUGE)
    peer.send("block", header + b"\x01" + one)
    peer.sync()
    peer.close()
    bounded(node, before)
    alive(node)


def answers(peer):
    try:
        peer.sync(timeout=1)
        return True
    except AssertionError:
        return False


def punished(node):
    """Messages that no honest node sends end the connection."""
    tip = node.getbestblockhash()
    height = node.getblockcount()
    when = node.getblockheader(tip)["time"] + 1
    good = Block(tip, height + 1, when).solve()
    weak = Block(tip, height + 1, when).unsolve()
    orphan = Block("11" * 32, height + 1, when).solve()
    for name, command, payload in (
            ("inv of 50,001", "inv", inv(TX, *["%064x" % i for i in range(50_001)])),
            ("getdata of 50,001", "getdata", inv(TX, *["%064x" % i for i in range(50_001)])),
            ("addr of 1,001", "addr", compact(1001) + bytes(30) * 1001),
            ("headers of 2,001", "headers", compact(2001) + (good.header() + b"\0") * 2001),
            ("headers that are not linked", "headers", headers_payload([good, orphan])),
            ("header without work", "headers", headers_payload([weak])),
            ("locator of 102", "getheaders", locator(*[tip] * 102)),
            ("block without work", "block", weak.encode())):
        peer = Peer(node)
        peer.send(command, payload)
        try:
            peer.wait_closed()
        except AssertionError:
            raise AssertionError("%s: the peer stays" % name) from None
        peer.close()
    equal(node.getbestblockhash(), tip)
    alive(node)


def truncated(node):
    """Connections that end in the middle of a message, and every prefix of a valid block as a message of its own."""
    raw = next_block(node, [spend([coins_of(node, 1, 1)[0]], [49 * COIN])]).encode()
    whole = frame(MAGIC_REGTEST, "block", raw)
    for cut in (1, 3, 4, 16, 20, 23, 24, 25, 24 + 80, len(whole) - 1):
        peer = Peer(node)
        peer.raw(whole[:cut])
        peer.close()
    peer = Peer(node)
    for cut in range(0, len(raw), 7):
        if not peer.send("block", raw[:cut]):
            raise AssertionError("dropped at %d" % cut)
    peer.sync()
    peer.close()
    height = node.getblockcount()
    peer = Peer(node)
    peer.send("block", raw)
    wait_until(lambda: node.getblockcount() == height + 1, what="the whole block")
    peer.close()


def half_open(t):
    """Connections that say nothing, or half of the handshake, leave after -peertimeout; more than allowed are not kept."""
    node = t.node("-peertimeout=2", "-maxconnections=30")
    silent = [Peer(node, handshake=False) for _ in range(10)]
    late = Peer(node, handshake=False)
    late.raw(frame(MAGIC_REGTEST, "version", version_payload())[:50])
    no_verack = Peer(node, handshake=False)
    no_verack.handlers["version"] = lambda payload: None
    no_verack.send("version", version_payload())
    early = Peer(node, handshake=False)
    early.send("ping", bytes(8))  # before version: not answered
    for peer in (*silent, late, no_verack, early):
        peer.wait_closed()
        equal(peer.all("pong"), [])
    many = [Peer(node, handshake=False) for _ in range(60)]
    below(node.getnetworkinfo()["connections"], 31, "connections")
    for peer in many:
        peer.close()
    wait_until(lambda: node.getnetworkinfo()["connections"] == 0, what="all gone")
    alive(node)
    node.stop()


def twice(node):
    """A second version or verack is ignored or ends the connection; a connection to itself ends."""
    peer = Peer(node)
    peer.send("version", version_payload())
    peer.send("verack")
    peer.sync()
    peer.close()
    node.addnode("127.0.0.1:%d" % node.port, "onetry")
    wait_until(lambda: not node.getpeerinfo(), what="no connection to itself")
    alive(node)


def floods(node):
    """Many messages, answers not read: the node reads no further from that peer than it can answer, and its memory stays bounded."""
    before = memory(node)
    peer = Peer(node)
    pings = b"".join(frame(MAGIC_REGTEST, "ping", struct.pack("<Q", i)) for i in range(20_000))
    peer.raw(pings)
    peer.sync(60)
    equal(len(peer.all("pong")) >= 20_000, True)
    peer.close()

    peer = Peer(node)
    rng = random.Random(2)
    for _ in range(60):
        peer.send("addr", compact(1000) + b"".join(struct.pack("<IQ", 1_700_000_000, 9) + bytes(10) + b"\xff\xff" + rng.randbytes(4) + b"\x20\x8d"
                                                  for _ in range(1000)))
        peer.send("inv", inv(TX, *[rng.randbytes(32).hex() for _ in range(1000)]))
    peer.sync(60)
    peer.close()

    # Unknown blocks asked for, and known ones again and again without ever reading the answers.
    deaf = socket.create_connection(("127.0.0.1", node.port))
    deaf.sendall(frame(MAGIC_REGTEST, "version", version_payload()) + frame(MAGIC_REGTEST, "verack"))
    deaf.settimeout(0.5)
    hashes = [node.getblockhash(h) for h in range(1, 100)]
    request = frame(MAGIC_REGTEST, "getdata", inv(WITNESS_BLOCK, *hashes * 100))
    try:
        for _ in range(100):
            deaf.sendall(request)
    except OSError:
        pass
    alive(node)
    bounded(node, before)
    deaf.close()

    # Transactions that spend nothing known: orphans, bounded in number and size.
    peer = Peer(node)
    for i in range(3000):
        peer.send("tx", spend([("%064x" % (i + 1), 0)], [COIN]).encode())
    peer.sync(60)
    equal(node.getmempoolinfo()["size"], 0)
    peer.close()
    bounded(node, before)
    alive(node)


def bad_blocks(node):
    """Blocks that break a rule: the sender is dropped, the block is remembered as invalid, the tip stays."""
    tip = node.getbestblockhash()
    height = node.getblockcount() + 1
    when = node.getblockheader(tip)["time"] + 1
    coin = coins_of(node, 5, 5)[0]
    over = Block(tip, height, when, base=coinbase(height, 51 * COIN)).solve()
    double = Block(tip, height, when, [spend([coin], [COIN]), spend([coin], [2 * COIN])]).solve()
    missing = Block(tip, height, when, [spend([("77" * 32, 0)], [COIN])]).solve()
    wrong_root = Block(tip, height, when)
    wrong_root.root = bytes(32)
    wrong_root.solve()
    wrong_script = Block(tip, height, when, [Tx([(coin[0], 0, 0, b"", [b"\x00"])], [(COIN, TRUE_OUTPUT)])]).solve()
    for name, block in (("over", over), ("double", double), ("missing", missing), ("root", wrong_root), ("script", wrong_script)):
        peer = Peer(node)
        peer.send("block", block.encode())
        try:
            peer.wait_closed()
        except AssertionError:
            raise AssertionError("the sender of the invalid block '%s' stays" % name) from None
        peer.close()
        equal(node.getbestblockhash(), tip)
    statuses = {x["hash"]: x["status"] for x in node.getchaintips()}
    equal(statuses[over.hash], "invalid")
    equal(statuses[wrong_script.hash], "invalid")
    # A header on top of an invalid block.
    child = Block(over.hash, height + 1, when + 1).solve()
    peer = Peer(node)
    peer.send("headers", headers_payload([child]))
    peer.wait_closed()
    peer.close()
    equal(node.verifychain(4, 20), True)
    alive(node)


def bad_transactions(node):
    """Invalid transactions never enter; the peer may stay (as in Bitcoin Core, which cannot know who made them)."""
    coin = coins_of(node, 6, 6)[0]
    peer = Peer(node)
    cases = [Tx([], []), Tx([(coin[0], 0, 0, b"", [b"\x51"])], []), spend([coin, coin], [COIN]), spend([coin], [51 * COIN]), spend([coin], [-1]),
             spend([coin], [(COIN, b"\x51")], locktime=500), Tx([(coin[0], 0, 0, b"", [b"\x00"])], [(COIN, TRUE_OUTPUT)]),
             coinbase(node.getblockcount() + 1), spend([coin], [21_000_001 * COIN])]
    for tx in cases:
        if peer.closed.is_set():
            peer.close()
            peer = Peer(node)
        peer.send("tx", tx.encode())
        wait_until(lambda: peer.closed.is_set() or answers(peer), what="judgement")
    peer.close()
    good = spend([coin], [49 * COIN])
    peer = Peer(node)
    peer.send("inv", inv(TX, good.txid))
    wait_until(lambda: any((kind & ~0x40000000, name) == (TX, good.txid) for p in peer.all("getdata") for kind, name in parse_inv(p)),
               what="the request for an announced transaction")
    peer.send("tx", good.encode())
    wait_until(lambda: node.getrawmempool() == [good.txid], what="the good transaction alone in the mempool")
    peer.send("getdata", inv(WITNESS_TX, "55" * 32))
    equal(parse_inv(peer.wait_for("notfound")), [(WITNESS_TX, "55" * 32)])
    peer.close()
    alive(node)


def run(t):
    node = t.node()
    node.mine(120, TRUE_ADDRESS)
    framing(node)
    huge_counts(node)
    punished(node)
    truncated(node)
    twice(node)
    bad_blocks(node)
    bad_transactions(node)
    node.stop()
    half_open(t)
    quiet = t.node("-debug=0")
    quiet.mine(120, TRUE_ADDRESS)
    floods(quiet)
    quiet.stop()


main(run)
