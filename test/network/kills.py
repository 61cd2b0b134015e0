#!/usr/bin/env python3
"""kill -9 of a node with everything on: all indexes, ZMQ, REST, Electrum. It follows another that mines spends of 40 scripts and reorganises, while
clients ask it things, and is killed: at its start, while it catches up, while it follows, while it writes. After each kill it must start by itself
at a block that was there, with exactly that block's coins and filters; and, joined again, answer everything as the node that was never killed does.

    kills.py [--rounds=20] [--seconds=900] [--seed=N]
"""
import argparse
import hashlib
import json
import random
import sys
import threading
import time

import topology  # also the way to the functional tests' modules
from blocks import COIN, TRUE_ADDRESS, TRUE_OUTPUT, TRUE_SCRIPT, Tx
from electrumline import Client, ElectrumError, script_hash
from framework import RpcError, call, equal, free_port, main, same_tip, wait_until

try:
    import zmq
except ImportError:
    sys.path.append("/usr/lib/python3/dist-packages")
    import zmq

INDEXES = ("-txindex", "-txospenderindex", "-coinstatsindex", "-blockfilterindex", "-addressindex")
TOPICS = ("hashblock", "hashtx", "rawblock", "rawtx", "sequence")
SCRIPTS = {TRUE_OUTPUT.hex(): TRUE_SCRIPT}
for k in range(40):
    inner = b"\x02" + k.to_bytes(2, "little") + b"\x75\x51"
    SCRIPTS[(b"\x00\x20" + hashlib.sha256(inner).digest()).hex()] = inner
GONE = (OSError, EOFError, ValueError, AttributeError, ElectrumError)  # the last: the index is not there yet


def synced(node):
    def all_there():
        tip = call(node, "getblockcount")
        info = call(node, "getindexinfo")
        return len(info) == len(INDEXES) and all(i["synced"] and i["best_block_height"] == tip for i in info.values())
    wait_until(all_there, 60, "all indexes are there")


class Source:
    """The node that lives, and what happens on its chain."""

    def __init__(self, t, r):
        self.r = r
        self.electrum = free_port()
        self.node = t.node(*topology.QUIET, *INDEXES, "-rest", "-electrum=127.0.0.1:%d" % self.electrum, debug="none")
        self.node.mine(130, TRUE_ADDRESS)
        self.blocks, self.outputs, self.reorgs = {}, {}, 0
        self.note()

    def note(self):
        """Every block that ever was the chain's, and its outputs."""
        h = call(self.node, "getbestblockhash")
        while h not in self.blocks:
            block = call(self.node, "getblock", h, 1)
            self.blocks[h] = block["height"]
            for txid in block["tx"]:
                self.outputs.setdefault(txid, h)
            h = block.get("previousblockhash", h)

    def pay(self):
        found = call(self.node, "scantxoutset", "start", ["raw(%s)" % s for s in SCRIPTS])
        free = [u for u in found["unspents"] if not u["coinbase"] or found["height"] - u["height"] >= 100]
        self.r.shuffle(free)
        for _ in range(self.r.randint(5, 40)):
            taken = [free.pop() for _ in range(min(len(free), self.r.randint(1, 3)))]
            if not taken:
                return
            left = sum(round(u["amount"] * COIN) for u in taken) - 20000
            outputs = [(max(1000, left // 8), bytes.fromhex(self.r.choice(list(SCRIPTS)))) for _ in range(self.r.randint(1, 6))]
            tx = Tx([(u["txid"], u["vout"], 0xfffffffd, b"", [SCRIPTS[u["scriptPubKey"]]]) for u in taken], outputs)
            try:
                call(self.node, "sendrawtransaction", tx.hex(), 0)
            except RpcError as error:
                if error.code not in (-25, -26):  # spent in the pool already
                    raise

    def step(self):
        self.pay()
        if self.r.random() < 0.25:
            depth = self.r.randint(1, 8)
            call(self.node, "invalidateblock", call(self.node, "getblockhash", call(self.node, "getblockcount") - depth + 1))
            self.node.mine(depth + 1, TRUE_ADDRESS)
            self.reorgs += 1
        else:
            self.node.mine(self.r.randint(1, 4), TRUE_ADDRESS)
        self.note()

    def quiet(self, other):
        """Nothing is left in the pools. The other one may have more: here what spends a young coinbase leaves as soon as its blocks are taken away,
        there only if it is too young at the end of the reorganisation."""
        while call(self.node, "getmempoolinfo")["size"] or call(other, "getmempoolinfo")["size"]:
            for txid in call(other, "getrawmempool"):
                try:
                    call(self.node, "sendrawtransaction", call(other, "getrawtransaction", txid), 0)
                except RpcError as error:
                    if error.code not in (-5, -25, -26, -27):  # it left meanwhile, or waits for another
                        raise
            self.node.mine(1, TRUE_ADDRESS)
            same_tip(self.node, other)
        self.note()


def rest(node, path):
    return node.post(None, path, method="GET")


def answers(node, port, source, r):
    """What a node says of everything that has an index."""
    said = {"coins": node.utxo_hash("hash_serialized_3")}
    height = call(node, "getblockcount")
    hashes = [call(node, "getblockhash", h) for h in range(height + 1)]
    digest = hashlib.sha256()
    for h in hashes:
        digest.update(json.dumps(call(node, "getblockfilter", h)).encode())
    said["filters"] = digest.hexdigest()
    for h in r.sample(hashes, 12) + hashes[-3:]:
        stats = call(node, "gettxoutsetinfo", "muhash", h)
        said["stats", h] = json.dumps(stats)
        said["block", h] = rest(node, "/rest/block/%s.json" % h)
        said["filter", h] = rest(node, "/rest/blockfilter/basic/%s.hex" % h)
        said["spent", h] = rest(node, "/rest/spenttxouts/%s.json" % h)
        said["chain of headers", h] = rest(node, "/rest/headers/%s.hex?count=5" % h)
    txids = sorted(source.outputs)
    e = Client(port)
    for txid in r.sample(txids, min(len(txids), 60)):
        where = "never"
        try:
            got = call(node, "getrawtransaction", txid, 1)
            where = [got.get("blockhash"), got.get("confirmations"), got["hex"]] if got.get("confirmations") else "not in the chain"
        except RpcError as error:
            where = "not in the chain" if error.code == -5 else error.code
        said["tx", txid] = where
        for vout in range(2):
            said["spender", txid, vout] = call(node, "gettxspendingprevout", [{"txid": txid, "vout": vout}])
            said["coin", txid, vout] = rest(node, "/rest/getutxos/%s-%d.json" % (txid, vout))
        if isinstance(where, list):
            at = hashes.index(where[0])
            said["merkle", txid] = e.call("blockchain.transaction.get_merkle", txid, at)
    for script in SCRIPTS:
        said["address", script] = [call(node, "getaddressbalance", script), call(node, "getaddresstxids", {"addresses": [script]}),
                                   call(node, "getaddressutxos", {"addresses": [script]}), call(node, "getaddressdeltas", {"addresses": [script]})]
        h = script_hash(bytes.fromhex(script))
        for method in ("get_history", "get_balance", "listunspent", "get_mempool", "subscribe"):
            said[method, script] = e.call("blockchain.scripthash." + method, h)
    said["headers"] = e.call("blockchain.block.headers", max(0, height - 50), 51, height)
    said["tip"] = e.call("blockchain.headers.subscribe")
    e.close()
    return said


class Listener(threading.Thread):
    """A ZMQ subscriber for one life of the node: numbers have no gap, and the last block is known."""

    def __init__(self, address):
        super().__init__(daemon=True)
        self.socket = zmq.Context.instance().socket(zmq.SUB)
        self.socket.set(zmq.RCVHWM, 0)
        self.socket.set(zmq.RCVTIMEO, 50)
        self.socket.set(zmq.LINGER, 0)
        for topic in TOPICS:
            self.socket.subscribe(topic.encode())
        self.socket.connect(address)
        self.next, self.fault, self.closing, self.block, self.n = {}, None, False, None, 0
        self.start()

    def run(self):
        while not self.closing:
            try:
                topic, body, number = self.socket.recv_multipart()
            except zmq.Again:
                continue
            number = int.from_bytes(number, "little")
            if number != self.next.get(topic, number):
                self.fault = "%s: message %d where %d was due" % (topic.decode(), number, self.next[topic])
            self.next[topic] = number + 1
            self.n += 1
            if topic == b"hashblock":
                self.block = body.hex()
        self.socket.close()

    def end(self):
        self.closing = True
        self.join()
        equal(self.fault, None)


def ask(node, port, r, stop):
    """A client that asks until the node is gone; now and then it has the coins written."""
    while not stop.is_set():
        try:
            c = Client(port)
            while not stop.is_set():
                c.call("blockchain.scripthash.subscribe", script_hash(bytes.fromhex(r.choice(list(SCRIPTS)))))
                c.call("blockchain.block.headers", 0, 50)
        except GONE:
            time.sleep(0.02)


class Victim:
    def __init__(self, t, source, r):
        self.source, self.r = source, r
        self.electrum, self.zmq = free_port(), free_port()
        self.kills = self.behind = 0
        self.node = t.node(*topology.QUIET, *INDEXES, "-rest", "-dbcache=16", "-electrum=127.0.0.1:%d" % self.electrum,
                           *("-zmqpub%s=tcp://127.0.0.1:%d" % (topic, self.zmq) for topic in TOPICS), debug="none", start=False)
        self.peer = "-connect=127.0.0.1:%d" % source.node.port

    def at_start(self):
        """Killed before it is ready, or soon after."""
        for _ in range(self.r.randint(0, 3)):
            self.node.spawn(*self.r.choice(([self.peer], [])))
            time.sleep(self.r.uniform(0, 0.6))
            self.node.kill()
            self.kills += 1

    def while_it_follows(self):
        node, source = self.node, self.source
        node.start(self.peer)
        listener, stop = Listener("tcp://127.0.0.1:%d" % self.zmq), threading.Event()
        clients = [threading.Thread(target=ask, args=(node, self.electrum, random.Random(i), stop), daemon=True) for i in range(2)]
        for c in clients:
            c.start()
        for _ in range(self.r.randint(1, 6)):
            source.step()
            if self.r.random() < 0.3:
                call(node, "gettxoutsetinfo", hash_type="none", use_index=False)  # writes the coins
            call(node, "gettxoutsetinfo", "none")
        if self.r.random() < 0.3:  # killed while it writes
            late = threading.Thread(target=lambda: self.quietly("gettxoutsetinfo", hash_type="muhash", use_index=False))
            late.start()
            time.sleep(self.r.uniform(0, 0.02))
        else:
            late = None
            time.sleep(self.r.uniform(0, 0.3))
        node.process.kill()
        stop.set()
        for c in [*clients, *filter(None, [late])]:
            c.join()
        node.wait_end()
        self.kills += 1
        listener.end()
        return listener.n

    def quietly(self, method, **named):
        try:
            call(self.node, method, **named)
        except Exception as error:  # http.client's as well, of an answer that does not come
            assert not isinstance(error, AssertionError), error

    def alone(self):
        """Started by itself: a block that was there, its coins, its filter."""
        node, source = self.node, self.source.node
        node.start()
        synced(node)
        tip = call(node, "getbestblockhash")
        if tip not in self.source.blocks:
            raise AssertionError("a tip that never was: %s" % tip)
        self.behind += self.source.blocks[tip] != call(source, "getblockcount")
        fields = ("height", "txouts", "muhash", "total_amount", "total_unspendable_amount")
        expected = call(source, "gettxoutsetinfo", "muhash", tip)
        for got in (call(node, "gettxoutsetinfo", "muhash", tip), call(node, "gettxoutsetinfo", "muhash", use_index=False)):
            equal([got[f] for f in fields if f in got], [expected[f] for f in fields if f in got])
        equal(call(node, "getblockfilter", tip), call(source, "getblockfilter", tip))
        equal(call(node, "verifychain", 4, 30), True)

    def joined(self, seed):
        """Everything as the other one says it."""
        node, source = self.node, self.source
        listener = Listener("tcp://127.0.0.1:%d" % self.zmq)
        call(node, "addnode", "127.0.0.1:%d" % source.node.port, "add")
        same_tip(source.node, node)
        source.step()
        same_tip(source.node, node)
        source.quiet(node)
        wait_until(lambda: listener.block == call(node, "getbestblockhash"), 20, "ZMQ tells of the tip")
        for n in (node, source.node):
            synced(n)
        ours = answers(node, self.electrum, source, random.Random(seed))
        theirs = answers(source.node, source.electrum, source, random.Random(seed))
        equal(sorted(map(str, ours)), sorted(map(str, theirs)))
        for key, value in theirs.items():
            if ours[key] != value:
                raise AssertionError("%s: the killed node says %s, the other %s" % (key, str(ours[key])[:3000], str(value)[:3000]))
        listener.end()
        return len(ours), listener.n


def run(options):
    def all_of_it(t):
        r = random.Random(options.seed)
        source = Source(t, r)
        victim = Victim(t, source, r)
        start, done = time.monotonic(), 0
        while done < options.rounds and time.monotonic() - start < options.seconds:
            victim.at_start()
            told = victim.while_it_follows()
            victim.alone()
            n, more = victim.joined(r.random())
            done += 1
            print("round %d: height %d, %d answers the same, %d notifications, %d kills, %d of %d restarts behind, %d reorganisations, %.0f s" %
                  (done, call(source.node, "getblockcount"), n, told + more, victim.kills, victim.behind, done, source.reorgs,
                   time.monotonic() - start), flush=True)
            if r.random() < 0.7:
                victim.node.kill()
                victim.kills += 1
            else:
                victim.node.stop()
    return all_of_it


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=900)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10 ** 9)
    chosen = parser.parse_args()
    print("--seed=%d" % chosen.seed)
    main(run(chosen))
