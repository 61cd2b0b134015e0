#!/usr/bin/env python3
"""Figures of the Electrum server: memory of thousands of idle clients, a thousand cold addresses on one connection, how soon clients hear of a
transaction and of a block. Run by hand: test/network/electrum_idle.py [clients]. Fails where a figure is worse than promised."""
import json
import os
import resource
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "functional"))

from blocks import COIN, TRUE_ADDRESS, TRUE_OUTPUT, coins_of, spend  # noqa: E402
from electrumline import Client, script_hash  # noqa: E402
from framework import below, equal, free_port, main  # noqa: E402

CLIENTS = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
sys.argv = sys.argv[:1]


def memory(node):
    """Resident MiB."""
    with open("/proc/%d/status" % node.process.pid) as f:
        return int(next(line for line in f if line.startswith("VmRSS")).split()[1]) / 1024


def median(values):
    return sorted(values)[len(values) // 2]


def idle(node, port):
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(limit[1], CLIENTS + 500), limit[1]))
    before, start = memory(node), time.monotonic()
    clients = []
    for _ in range(CLIENTS):
        c = Client(port, None)
        c.send(b'{"id":1,"method":"server.version","params":["idle","1.4"]}\n{"id":2,"method":"blockchain.headers.subscribe","params":[]}\n')
        clients.append(c)
    for c in clients:
        equal((c.line()["id"], c.line()["id"]), (1, 2))
    took, used = time.monotonic() - start, memory(node) - before
    print("%d idle clients: %.1f MiB, connected in %.1f s" % (CLIENTS, used, took))
    below(used, 100 * CLIENTS / 5000, "MiB for idle clients")
    # All of them hear of a block.
    start = time.monotonic()
    node.mine(1, TRUE_ADDRESS)
    for c in clients:
        equal(c.line()["method"], "blockchain.headers.subscribe")
    print("a block told to all of them within %.0f ms; then %.1f MiB" % ((time.monotonic() - start) * 1000, memory(node) - before))
    below(memory(node) - before, 100 * CLIENTS / 5000, "MiB after a block")
    for c in clients:
        c.close()


def cold(port):
    c = Client(port)
    hashes = [script_hash(os.urandom(22)) for _ in range(1000)]
    lines = b"".join(json.dumps(c.request("blockchain.scripthash.subscribe", h)).encode() + b"\n" for h in hashes)
    start = time.monotonic()
    c.send(lines)
    for _ in hashes:
        equal(c.line()["result"], None)
    took = time.monotonic() - start
    print("1,000 cold addresses on one connection: %.0f ms" % (took * 1000))
    below(took, 1.0, "seconds for 1,000 subscriptions")
    start = time.monotonic()
    for _ in range(200):
        c.call("blockchain.scripthash.subscribe", script_hash(os.urandom(22)))
    print("one after the other: %.2f ms each" % ((time.monotonic() - start) * 5))


def latency(node, port):
    c = Client(port)
    c.call("blockchain.headers.subscribe")
    c.call("blockchain.scripthash.subscribe", script_hash(TRUE_OUTPUT))
    coins, txs, blocks, blocks_after = coins_of(node, 1, 30), [], [], []
    for coin in coins:
        raw = spend([coin], [50 * COIN - 10_000]).hex()
        start = time.monotonic()
        node.sendrawtransaction(raw)
        sent = time.monotonic()
        c.note("blockchain.scripthash.subscribe")
        txs.append(time.monotonic() - start)
        blocks_after.append(time.monotonic() - sent)
    for _ in range(30):
        start = time.monotonic()
        node.mine(1, TRUE_ADDRESS)
        c.note("blockchain.headers.subscribe")
        blocks.append(time.monotonic() - start)
    print("told of a transaction %.1f ms (median) after it is sent, command included; of a block %.1f ms, mining included"
          % (median(txs) * 1000, median(blocks) * 1000))


def run(t):
    port = free_port()
    node = t.node("-electrum=127.0.0.1:%d" % port, debug="0")
    node.mine(150, TRUE_ADDRESS)
    cold(port)
    latency(node, port)
    idle(node, port)


main(run)
