#!/usr/bin/env python3
"""Our nodes and another implementation's in one network, through random partitions, competing branches, transactions, restarts and kills: after
each round the network is joined again and all nodes must agree on the tip, and at the end on the set of coins."""
import argparse
import random
import time

import topology
from blocks import COIN, TRUE_ADDRESS, coins_of, spend
from framework import RpcError, call, equal, main, same_tip, wait_until


class Network:
    def __init__(self, t, options):
        self.r = random.Random(options.seed)
        self.rounds = self.restarts = self.kills = self.reorgs = self.sent = 0
        self.nodes = []
        for i in range(options.nodes):
            v2 = "-v2transport=%d" % (i % 4 < 3)  # one in four speaks v1 only
            self.nodes.append(t.node(*topology.QUIET, v2, program=options.other if i % 2 else None, debug="net" if options.log else "none", start=False))
        topology.start_all(self.nodes)
        self.connect(range(len(self.nodes)))
        topology.fund(self.nodes, 300)
        self.coins = coins_of(self.nodes[0], 1, 190)

    def connect(self, group):
        """A random connected graph over the group."""
        group = list(group)
        self.r.shuffle(group)
        edges = [(group[self.r.randrange(i)], group[i]) for i in range(1, len(group))]
        edges += [tuple(self.r.sample(group, 2)) for _ in range(len(group) // 2)] if len(group) > 2 else []
        for a, b in edges:
            try:
                call(self.nodes[a], "addnode", "127.0.0.1:%d" % self.nodes[b].port, "onetry", self.r.random() < 0.7)
            except RpcError as error:
                if "v2transport" not in error.message:
                    raise
                call(self.nodes[a], "addnode", "127.0.0.1:%d" % self.nodes[b].port, "onetry", False)

    def part(self):
        """Everybody hangs up; then two or three groups of their own. Returns: the groups."""
        for node in self.nodes:
            call(node, "setnetworkactive", False)
        for node in self.nodes:
            wait_until(lambda node=node: not call(node, "getpeerinfo"), 30, "no peers")
            call(node, "setnetworkactive", True)
        order = list(range(len(self.nodes)))
        self.r.shuffle(order)
        cut = sorted(self.r.sample(range(1, len(order)), self.r.choice((1, 2))))
        groups = [order[a:b] for a, b in zip([0, *cut], [*cut, len(order)])]
        for group in groups:
            self.connect(group)
        return groups

    def pay(self):
        if self.coins:
            tx = spend([self.coins.pop()], [COIN, COIN])
            try:
                call(self.r.choice(self.nodes), "sendrawtransaction", tx.hex(), 0)
                self.sent += 1
            except RpcError:
                pass  # spent on this branch already

    def restart(self):
        node = self.r.choice(self.nodes)
        if self.r.random() < 0.5:
            node.kill()
            self.kills += 1
        else:
            node.stop()
            self.restarts += 1
        node.start()

    def round(self):
        groups = self.part()
        for group in groups:
            for _ in range(self.r.randrange(3)):
                self.pay()
            miner = self.nodes[self.r.choice(group)]
            call(miner, "generatetoaddress", self.r.randrange(0, 6), TRUE_ADDRESS)
        if self.r.random() < 0.5:
            self.restart()
        self.connect(range(len(self.nodes)))
        for _ in range(20):
            try:
                call(self.r.choice(self.nodes), "generatetoaddress", 1, TRUE_ADDRESS)  # one branch wins
                same_tip(*self.nodes, timeout=20)
                break
            except AssertionError:
                self.connect(range(len(self.nodes)))
        same_tip(*self.nodes, timeout=20)
        self.rounds += 1

    def finish(self):
        for node in self.nodes:
            self.reorgs += sum(tip["status"] == "valid-fork" for tip in call(node, "getchaintips"))
        equal(len({node.utxo_hash("hash_serialized_3") for node in self.nodes}), 1)
        compact = sum(p["bytesrecv_per_msg"].get("cmpctblock", 0) > 0 for node in self.nodes for p in call(node, "getpeerinfo"))
        v2 = sum(p.get("transport_protocol_type") == "v2" for node in self.nodes for p in call(node, "getpeerinfo"))
        print("%d rounds, %d blocks, %d branches left behind, %d transactions, %d restarts, %d kills; at the end %d ends of v2 connections, %d have carried compact blocks"
              % (self.rounds, call(self.nodes[0], "getblockcount"), self.reorgs, self.sent, self.restarts, self.kills, v2, compact))


def run(t):
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--other", help="daemon of another node; without it all are ours")
    p.add_argument("--nodes", type=int, default=8)
    p.add_argument("--seconds", type=float, default=600)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--log", action="store_true", help="debug logs of the network")
    network = Network(t, options := p.parse_args())
    end = time.monotonic() + options.seconds
    while time.monotonic() < end:
        network.round()
    network.finish()


main(run)
