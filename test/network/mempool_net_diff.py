#!/usr/bin/env python3
"""Verdicts on transactions that peers send, against another node's: the same stream goes from two peers each to both nodes; what their logs say
of each transaction (accepted, why not, orphan, package, punished), who is hung up on and the pools must be equal."""
import argparse
import os
import random
import re
import time

import topology  # noqa: F401  (the path to the functional tests' modules)
from framework import main, wait_until
from mempool_diff import OPTIONS, Pair, compare_pools, heal, shape
from p2p import Peer, version_payload
from txstream import Stream

LINES = ("was not accepted", "AcceptToMemoryPool: peer", "orphan", "Misbehaving", "package evaluation", "reconsiderable", "sent in violation", "replacing mempool",
         "conflicts are not", "deserial", "ProcessMessages(tx", "package RBF")


def plain(line):
    """A log line without its time, peers' numbers and memory sizes."""
    line = re.sub(r"^\S+ (\(mocktime: \S+\) )?", "", line)
    line = re.sub(r"(ProcessMessages\(tx, \d+ bytes\): Exception).*", r"\1", line)
    return re.sub(r"peer=-?\d+", "peer=N", re.sub(r"peer \d+", "peer N", re.sub(r"\(poolsz .*\)", "", re.sub(r"\(mapsz .*\)", "", line)))).strip()


class Side:
    """A node, its peers and what its log has said since the last look."""

    def __init__(self, node, peers):
        self.node = node
        self.path = os.path.join(node.net_dir, "debug.log")
        self.at = os.path.getsize(self.path)
        self.peers = [self.connect(i) for i in range(peers)]

    def connect(self, i):
        peer = None

        def on_version(payload):
            if i % 2:
                peer.send("wtxidrelay")
            peer.send("verack")
        peer = Peer(self.node, handshake=False, handlers={"version": on_version})
        peer.send("version", version_payload())
        peer.wait_for("verack")
        peer.sync()
        return peer

    def send(self, i, payload):
        self.peers[i].send("tx", payload)

    def settle(self):
        """All is processed. Returns: which peers were hung up on."""
        gone = []
        for i, peer in enumerate(self.peers):
            for _ in range(2):  # an orphan's turn may come with another peer's message
                try:
                    peer.sync()
                except (AssertionError, OSError):
                    gone.append(i)
                    break
            peer.received.clear()
        for i in gone:
            self.peers[i].close()
            self.peers[i] = self.connect(i)
        return gone

    def said(self):
        with open(self.path, "rb") as f:
            f.seek(self.at)
            data = f.read()
        self.at += len(data)
        return [plain(line) for line in data.decode(errors="replace").splitlines() if any(word in line for word in LINES)]


class Traffic:
    def __init__(self, pair, options):
        self.pair = pair
        self.stream = Stream(options.seed, pair.nodes, pair.ask, 0.2)
        self.stream.fund()
        self.r = random.Random(options.seed + 1)
        self.sides = [Side(node, 2) for node in pair.nodes]
        self.sent = self.orphans = self.punished = 0
        self.lines = {}

    def hand_over(self, payload, item=None):
        who = self.r.randrange(2)
        for side in self.sides:
            side.send(who, payload)
        gone = [side.settle() for side in self.sides]
        a, b = (side.said() for side in self.sides)
        self.sent += 1
        self.pair.calls += 1
        if sorted(a) != sorted(b):  # the order of lines is not a verdict
            x, y = ("; ".join(sorted({shape(line)[:150] for line in log if log.count(line) != other.count(line)})) or "nothing" for log, other in ((a, b), (b, a)))
            self.pair.differs("log: %s / %s" % (x, y), [a, b, payload.hex()])
        if gone[0] != gone[1]:
            self.pair.differs("punished: %d / %d" % (len(gone[0]), len(gone[1])), [a, b, payload.hex()])
        self.punished += len(gone[1])
        for line in a:
            word = shape(line).split(": ")[-1].split(",")[0].split(" (")[0][:70]
            self.lines[word] = self.lines.get(word, 0) + 1
            self.orphans += "stored orphan" in line
        if item and any("accepted %s" % item.txid in line for line in a) and item.txid not in self.stream.m.pool:
            self.stream.m.add(item)

    def step(self):
        g, x = self.stream.g, self.r.random()
        if x < 0.60:
            self.send(g.single())
        elif x < 0.85:
            items = g.package()[:6]
            if self.r.random() < 0.6:
                items.reverse()  # children come first
            for item in items:
                self.send(item)
        elif x < 0.93 and self.stream.stash:
            self.send(self.r.choice(self.stream.stash))
        elif x < 0.95:
            data = bytearray(g.single().tx.encode())
            at = self.r.randrange(len(data))
            data[at] ^= 1 << self.r.randrange(8)
            self.hand_over(bytes(data[:at] if self.r.random() < 0.3 else data))
        elif x < 0.975:
            self.stream.set_time(self.r.choice((1, 11, 40)))
            for side in self.sides:
                side.settle()
        else:
            self.r.choices((self.stream.mine, self.stream.reorganise, self.stream.invalidate), (8, 2, 1))[0]()
            self.same_orphans()

    def send(self, item):
        self.hand_over(item.tx.encode(), item)
        if item.txid not in self.stream.m.pool and self.r.random() < 0.4:
            self.stream.stash = [*self.stream.stash[-30:], item]

    def same_orphans(self):
        def orphans(node):
            return sorted((o["wtxid"], len(o["from"])) for o in node.getorphantxs(1))
        a, b = (orphans(side.node) for side in self.sides)
        if a != b:
            try:
                wait_until(lambda: orphans(self.sides[0].node) == orphans(self.sides[1].node), 3)
            except AssertionError:
                self.pair.differs("orphans", [sorted(set(a) - set(b)), sorted(set(b) - set(a))])

    def heal(self):
        for side in self.sides:
            for peer in side.peers:
                peer.close()
        heal(self.pair, self.stream)
        self.sides = [Side(node, 2) for node in self.pair.nodes]


def run(t):
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--other", required=True, help="daemon of another node")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("-n", type=int, default=5000, help="transactions")
    p.add_argument("--out", help="file for the differences, one JSON a line")
    options = p.parse_args()
    debug = ("-debug=mempool", "-debug=txpackages", "-debug=net")
    nodes = [t.node(*OPTIONS, *debug, program=program, debug="mempoolrej") for program in (None, options.other)]
    pair, start, heals, rounds = Pair(*nodes, options.out), time.monotonic(), 0, 0
    traffic = Traffic(pair, options)
    while traffic.sent < options.n:
        for _ in range(50):
            traffic.step()
        traffic.same_orphans()
        rounds += 1
        if not compare_pools(pair, traffic.stream, True):
            heals += 1
            traffic.heal()
        traffic.stream.refill()
        if rounds % 10 == 0:
            print("%d transactions, %.0f s" % (traffic.sent, time.monotonic() - start), flush=True)
    for name, n in sorted(traffic.lines.items()):
        print("%7d  %s" % (n, name))
    print("seed %d: %d transactions, %d orphans, %d punished; %d kinds of differences, %d in all, %d times started anew" %
          (options.seed, traffic.sent, traffic.orphans, traffic.punished, len(pair.found), sum(pair.found.values()), heals))
    for kind, n in sorted(pair.found.items()):
        print("%7d  %s" % (n, kind))


if __name__ == "__main__":
    main(run)
