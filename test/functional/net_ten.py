"""Ten nodes in a line, a ring and a random graph: a mined block and a transaction reach all of them, from wherever they start."""
import os
import sys

from blocks import COIN, TRUE_ADDRESS, coins_of, spend
from framework import call, equal, main, same_tip, wait_until

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "network"))
import topology  # noqa: E402


def everywhere(nodes, txid):
    wait_until(lambda: all(txid in call(n, "getrawmempool") for n in nodes), what="the transaction on all nodes")


def run(t):
    # noban takes the random delays out of transaction relay.
    nodes = [t.node(*topology.QUIET, "-whitelist=noban,in,out@127.0.0.1", start=False, debug="net") for _ in range(10)]
    topology.start_all(nodes)
    nodes[0].mine(110, TRUE_ADDRESS)
    coins = coins_of(nodes[0], 1, 9)
    for name, graph in topology.GRAPHS.items():
        topology.connect(nodes, graph(10), v2=name != "ring")
        same_tip(*nodes)
        for origin in (0, 4, 9):
            height = nodes[0].getblockcount()
            nodes[origin].mine(1, TRUE_ADDRESS)
            same_tip(*nodes)
            equal(nodes[(origin + 5) % 10].getblockcount(), height + 1)
            tx = spend([coins.pop()], [49 * COIN])
            nodes[origin].sendrawtransaction(tx.hex(), 0)
            everywhere(nodes, tx.txid)
        for node in nodes:
            node.setnetworkactive(False)
        for node in nodes:
            wait_until(lambda node=node: not node.getpeerinfo(), what="no peers")
            node.setnetworkactive(True)


main(run)
