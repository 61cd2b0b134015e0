#!/usr/bin/env python3
"""How long blocks and transactions need from node to node: ten nodes in a line, a ring and a random graph on loopback; with --other, another
node's daemon on the same graphs in the same run. One table: the median time of one hop.

The times are those of the nodes' logs (one clock): a hop is the time between the origin's and a node's acceptance divided by their distance."""
import argparse
import calendar
import random
import re
import statistics
import time

import topology
from blocks import COIN, TRUE_ADDRESS, coins_of, spend
from framework import call, main, wait_until

TIME = re.compile(r"^(\d+-\d+-\d+T\d+:\d+:\d+)\.(\d+)Z")


class Log:
    """The acceptance times of blocks and transactions of one node, read as its log grows."""

    def __init__(self, node):
        self.file = open(node.net_dir + "/debug.log", errors="replace")
        self.times = {}
        self.rest = ""

    def read(self):
        lines = (self.rest + self.file.read()).split("\n")
        self.rest = lines.pop()
        for text in lines:
            found = re.search(r"UpdateTip: new best=([0-9a-f]{64})|AcceptToMemoryPool: peer=\d+: accepted ([0-9a-f]{64})", text)
            if found:
                second, fraction = TIME.match(text).groups()
                at = calendar.timegm(time.strptime(second, "%Y-%m-%dT%H:%M:%S")) + float("0." + fraction)
                self.times.setdefault(found.group(1) or found.group(2), at)
        return self.times

    def when(self, name):
        return self.read().get(name)


def hops(origin, start, times, distance):
    return [(at - start) / distance[origin][i] for i, at in enumerate(times) if i != origin]


def measure_blocks(nodes, logs, distance, count):
    samples = []
    for i in range(count):
        origin = (i * 3) % len(nodes)
        name = call(nodes[origin], "generatetoaddress", 1, TRUE_ADDRESS)[0]
        wait_until(lambda name=name: all(log.when(name) for log in logs), 60, "the block everywhere")
        samples += hops(origin, logs[origin].when(name), [log.when(name) for log in logs], distance)
    return samples


def measure_txs(nodes, logs, distance, coins):
    """All coins are spent, one transaction each, from random origins a quarter of a second apart."""
    r = random.Random(7)
    sent = []
    for coin in coins:
        tx = spend([coin], [COIN])
        origin = r.randrange(len(nodes))
        sent.append((tx.txid, origin, time.time()))
        call(nodes[origin], "sendrawtransaction", tx.hex(), 0)
        time.sleep(0.25)  # spread, as on a real network: this is load, not synchronisation
    samples = []
    for txid, origin, start in sent:
        wait_until(lambda: all(log.when(txid) for i, log in enumerate(logs) if i != origin), 300, "the transaction everywhere")
        samples += hops(origin, start, [log.when(txid) for log in logs], distance)
    return samples


def measure(t, program, graph, options):
    """Returns: the hops of blocks and of transactions, in seconds."""
    edges = topology.GRAPHS[graph](options.nodes)
    distance = topology.distances(options.nodes, edges)
    nodes = [t.node(*topology.QUIET, program=program, debug="mempool", start=False) for _ in range(options.nodes)]
    topology.start_all(nodes)
    topology.connect(nodes, edges, v2=options.v2)
    topology.fund(nodes, 101 + options.txs)
    logs = [Log(node) for node in nodes]
    for log in logs:
        log.read()
    blocks = measure_blocks(nodes, logs, distance, options.blocks)
    txs = measure_txs(nodes, logs, distance, coins_of(nodes[0], 1, options.txs)) if options.txs else []
    for node in nodes:
        node.stop()
    return blocks, txs


def run(t):
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--other", help="daemon of another node")
    p.add_argument("--nodes", type=int, default=10)
    p.add_argument("--blocks", type=int, default=30)
    p.add_argument("--txs", type=int, default=60)
    p.add_argument("--graph", action="append", choices=list(topology.GRAPHS))
    p.add_argument("--v2", action="store_true", help="encrypted connections")
    options = p.parse_args()
    print("%-14s %-10s %18s %18s" % ("graph", "node", "block hop, median", "tx hop, median"))
    for graph in options.graph or topology.GRAPHS:
        for name, program in (("farthing", None), ("other", options.other)):
            if name == "other" and not program:
                continue
            blocks, txs = measure(t, program, graph, options)
            print("%-14s %-10s %15.1f ms %16.3f s" % (graph, name, 1000 * statistics.median(blocks), statistics.median(txs) if txs else 0), flush=True)


main(run)
