"""Notifications over ZeroMQ with a real subscriber: thousands of blocks and transactions, none lost, all in order, with a reorganisation; several
addresses for a topic; options that are wrong."""
import json
import os
import struct
import sys
import threading

from blocks import COIN, TRUE_ADDRESS, coins_of, display, sha256d, spend
from framework import SANITIZER, RpcError, call, equal, free_port, main, raises, wait_until

try:
    import zmq
except ImportError:
    sys.path.append("/usr/lib/python3/dist-packages")  # another Python than that of the system runs this
    try:
        import zmq
    except ImportError:
        print("skipped: there is no python3-zmq here")
        sys.exit(77)

TOPICS = ("hashblock", "hashtx", "rawblock", "rawtx", "sequence")
BLOCKS, TXS = (500, 400) if SANITIZER else (4000, 2000)  # with the coinbases 10,000 events


class Subscriber:
    """Keeps all that comes from one address, in order, as (topic, body); what is missing or twice is found by the topics' numbers."""

    def __init__(self, context, address, topics=TOPICS):
        self.socket = context.socket(zmq.SUB)
        self.socket.set(zmq.RCVHWM, 0)
        self.socket.set(zmq.RCVTIMEO, 100)
        self.socket.set(zmq.LINGER, 0)
        for topic in topics:
            self.socket.subscribe(topic.encode())
        self.socket.connect(address)
        self.all = topics == TOPICS
        self.got = []
        self.next = {}
        self.fault = None
        self.closing = False
        self.thread = threading.Thread(target=self.receive, daemon=True)
        self.thread.start()

    def receive(self):
        """The thread that owns the socket."""
        while not self.closing:
            try:
                topic, body, number = self.socket.recv_multipart()
            except zmq.Again:
                continue
            topic, (number,) = topic.decode(), struct.unpack("<I", number)
            if number != self.next.get(topic, number):
                self.fault = "%s: message %d where %d was due" % (topic, number, self.next[topic])
            self.next[topic] = number + 1
            self.got.append((topic, body))
        self.socket.close()

    def close(self):
        self.closing = True
        self.thread.join()

    def take(self, last):
        """All that came, once `last` is there."""
        wait_until(lambda: self.fault or last in self.got[-6:], what="the notification %r" % (last,))
        equal(self.fault, None)
        got, self.got = self.got, []
        return got


def batch(node, method, params):
    status, text = node.post(json.dumps([{"jsonrpc": "2.0", "id": i, "method": method, "params": p} for i, p in enumerate(params)]))
    equal(status, 200)
    answers = json.loads(text)
    for answer in answers:
        equal(answer.get("error"), None)
    return [a["result"] for a in answers]


def told_of_txs(raw_txs):
    """What is published of transactions, given as (id, bytes)."""
    return [m for txid, raw in raw_txs for m in (("hashtx", bytes.fromhex(txid)), ("rawtx", raw))]


class Expected:
    """What a node should have published of what it was seen to do."""

    def __init__(self, node):
        self.node = node
        self.blocks = {}  # hash: (bytes, [(txid, bytes)])
        self.raw = {}  # txid: bytes
        self.sequence = 1  # of the mempool's next event

    def learn(self, hashes):
        raws = batch(self.node, "getblock", [[h, 0] for h in hashes])
        ids = batch(self.node, "getblock", [[h, 1] for h in hashes])
        for h, raw, block in zip(hashes, raws, ids):
            txs = [(txid, self.raw[txid]) for txid in block["tx"][1:]]
            end = bytes.fromhex(raw)
            coinbase = end[81:len(end) - sum(len(r) for _, r in txs)] if len(block["tx"]) < 253 else end[83:len(end) - sum(len(r) for _, r in txs)]
            self.blocks[h] = (end, [(block["tx"][0], coinbase), *txs])

    def txs_of(self, h):
        return told_of_txs(self.blocks[h][1])

    def connected(self, h):
        return [*self.txs_of(h), ("sequence", bytes.fromhex(h) + b"C")]

    def tip(self, h):
        return [("hashblock", bytes.fromhex(h)), ("rawblock", self.blocks[h][0])]

    def mined(self, h):
        self.sequence += len(self.blocks[h][1]) - 1
        return self.connected(h) + self.tip(h)

    def added(self, txid):
        self.sequence += 1
        return [*told_of_txs([(txid, self.raw[txid])]), ("sequence", bytes.fromhex(txid) + b"A" + struct.pack("<Q", self.sequence - 1))]

    def disconnected(self, h):
        back = [m for txid, _ in self.blocks[h][1][1:] for m in self.added(txid)]
        return [*self.txs_of(h), ("sequence", bytes.fromhex(h) + b"D"), *back]


def same(got, expected):
    for i, (a, b) in enumerate(zip(got, expected)):
        if a != b:
            raise AssertionError("message %d is %s %s, not %s %s" % (i, a[0], a[1][:41].hex(), b[0], b[1][:41].hex()))
    equal(len(got), len(expected))


def synchronise(node, subscribers):
    """Mines until all subscribers are being served."""
    def served():
        tip = node.mine(1, TRUE_ADDRESS)[0]
        node.syncwithvalidationinterfacequeue()
        return all(any(tip in body.hex() for _, body in list(s.got)) for s in subscribers)
    wait_until(served, what="subscribers hear of blocks")
    raw = bytes.fromhex(node.getblock(node.getbestblockhash(), 0))
    for s in subscribers:
        s.take(("rawblock", raw) if s.all else ("hashblock", sha256d(raw[:80])[::-1]))


def many_blocks(node, expected, all_topics):
    hashes = [h for _ in range(BLOCKS // 500) for h in node.mine(500, TRUE_ADDRESS)]
    expected.learn(hashes)
    same(all_topics.take(("rawblock", expected.blocks[hashes[-1]][0])), [m for h in hashes for m in expected.mined(h)])
    for h in hashes:
        equal(display(sha256d(expected.blocks[h][0][:80])), h)
    return hashes


def many_transactions(node, expected, all_topics):
    coins = coins_of(node, 2, 9)
    fan = [spend([coin], [COIN // 10] * 250) for coin in coins]
    for tx in fan:
        expected.raw[tx.txid] = tx.encode()
    batch(node, "sendrawtransaction", [[tx.hex(), 0] for tx in fan])
    want = [m for tx in fan for m in expected.added(tx.txid)]
    first = node.mine(1, TRUE_ADDRESS)
    expected.learn(first)
    want += expected.mined(first[0])
    children = [spend([(f.txid, n)], [COIN // 10 - 2000]) for f in fan for n in range(TXS // len(fan))]
    for tx in children:
        expected.raw[tx.txid] = tx.encode()
    batch(node, "sendrawtransaction", [[tx.hex(), 0] for tx in children])
    want += [m for tx in children for m in expected.added(tx.txid)]
    last = node.mine(1, TRUE_ADDRESS)
    expected.learn(last)
    want += expected.mined(last[0])
    same(all_topics.take(("rawblock", expected.blocks[last[0]][0])), want)


def reorganisation(node, expected, all_topics):
    """Three blocks are given up, each with a transaction of its own, and become part of the chain again."""
    coins = coins_of(node, 10, 12)
    want, hashes = [], []
    for coin in coins:
        tx = spend([coin], [40 * COIN])
        expected.raw[tx.txid] = tx.encode()
        node.sendrawtransaction(tx.hex(), 0)
        want += expected.added(tx.txid)
        hashes += node.mine(1, TRUE_ADDRESS)
        expected.learn(hashes[-1:])
        want += expected.mined(hashes[-1])
    node.invalidateblock(hashes[0])
    for h in reversed(hashes):
        want += expected.disconnected(h)
    equal(node.getrawmempool(False, True)["mempool_sequence"], expected.sequence)
    node.reconsiderblock(hashes[0])
    for h in hashes:
        want += expected.mined(h)
    same(all_topics.take(("rawblock", expected.blocks[hashes[-1]][0])), want)


def better_branch(node, other, expected, all_topics):
    """A branch with more work takes the place of the last blocks in one step: only its end is a new tip."""
    other.connect(node)
    wait_until(lambda: other.getbestblockhash() == node.getbestblockhash(), 120, "the other node has all blocks")
    other.setnetworkactive(False)
    wait_until(lambda: not node.getpeerinfo(), what="disconnection")
    coin, = coins_of(node, 13, 13)
    tx = spend([coin], [30 * COIN])
    expected.raw[tx.txid] = tx.encode()
    node.sendrawtransaction(tx.hex(), 0)
    want = expected.added(tx.txid)
    lost = node.mine(2, TRUE_ADDRESS)
    expected.learn(lost)
    want += expected.mined(lost[0]) + expected.mined(lost[1])
    branch = other.mine(3)
    other.setnetworkactive(True)
    other.connect(node)
    wait_until(lambda: node.getbestblockhash() == branch[-1], what="the better branch")
    expected.learn(branch)
    for h in reversed(lost):
        want += [*expected.txs_of(h), ("sequence", bytes.fromhex(h) + b"D")]
    want += expected.added(tx.txid) + [m for h in branch for m in expected.connected(h)] + expected.tip(branch[-1])
    same(all_topics.take(("rawblock", expected.blocks[branch[-1]][0])), want)


def replacement(node, expected, all_topics):
    """What is pushed out of the mempool is told of before what takes its place."""
    coin, = coins_of(node, 14, 14)
    old, new = spend([coin], [30 * COIN]), spend([coin], [29 * COIN])
    want = []
    for tx in (old, new):
        expected.raw[tx.txid] = tx.encode()
        node.sendrawtransaction(tx.hex(), 0)
        if tx is new:
            want.append(("sequence", bytes.fromhex(old.txid) + b"R" + struct.pack("<Q", expected.sequence)))
            expected.sequence += 1
        want += expected.added(tx.txid)
    same(all_topics.take(want[-1]), want)


def wrong_options(node):
    for text in ("foo:bar", "127.0.0.1:99999", "x:"):
        node.start_fails("-zmqpubrawtx=" + text, text="Error: Invalid port specified in -zmqpubrawtx: '%s'" % text)
    # What cannot be opened switches all of them off, and the node runs.
    node.start("-zmqpubrawtx=foo", "-zmqpubhashblock=tcp://127.0.0.1:%d" % free_port(), "-zmqpubrawtxhwm=5")
    equal(node.getzmqnotifications(), [])
    equal(node.stderr(), "")


def run(t):
    address, path = "tcp://127.0.0.1:%d" % free_port(), os.path.join(t.dir, "s")
    node = t.node(*("-zmqpub%s=%s" % (topic, address) for topic in TOPICS), *("-zmqpub%shwm=0" % topic for topic in TOPICS),
                  "-zmqpubhashblock=unix:" + path, "-whitelist=noban@127.0.0.1", debug="zmq")
    try:
        feeds = node.getzmqnotifications()
    except RpcError:
        raises(-32601, "Method not found", call, node, "getzmqnotifications")
        print("built without libzmq: nothing is published")
        return
    equal(feeds, [{"type": "pubhashblock", "address": a, "hwm": 0} for a in (address, "ipc://" + path)] +
          [{"type": "pub" + topic, "address": address, "hwm": 0} for topic in TOPICS[1:]])
    context = zmq.Context()
    all_topics, tips = Subscriber(context, address), Subscriber(context, "ipc://" + path, ("hashblock",))
    synchronise(node, (all_topics, tips))
    expected = Expected(node)
    hashes = many_blocks(node, expected, all_topics)
    same(tips.take(("hashblock", bytes.fromhex(hashes[-1]))), [("hashblock", bytes.fromhex(h)) for h in hashes])
    many_transactions(node, expected, all_topics)
    reorganisation(node, expected, all_topics)
    other = t.node("-whitelist=noban@127.0.0.1", debug="0")
    better_branch(node, other, expected, all_topics)
    replacement(node, expected, all_topics)
    equal(node.stderr(), "")
    for subscriber in (all_topics, tips):
        subscriber.close()
    context.term()
    node.stop()
    wrong_options(node)


main(run)
