"""getorphantxs: transactions whose parents the node does not have, as long as the peer that sent them stays."""
from blocks import spend
from framework import equal, main, raises, wait_until
from p2p import Peer


def run(t):
    node = t.node()
    node.mine(1)  # out of initial download, where transactions are ignored
    equal(node.getorphantxs(), [])
    peer = Peer(node)
    tx = spend([("77" * 32, 3)], [100_000])
    peer.send("tx", tx.encode())
    peer.sync()
    wait_until(lambda: node.getorphantxs(), what="the orphan is kept")
    equal(node.getorphantxs(), [tx.txid])
    size, stripped = len(tx.encode()), len(tx.encode(False))
    weight = 3 * stripped + size
    entry = {"txid": tx.txid, "wtxid": tx.wtxid, "bytes": size, "vsize": (weight + 3) // 4, "vsize_bip141": (weight + 3) // 4,
             "weight": weight, "from": [node.getpeerinfo()[0]["id"]]}
    equal(node.getorphantxs(1), [entry])
    equal(node.getorphantxs(verbosity=2), [dict(entry, hex=tx.hex())])
    equal(node.getrawmempool(), [])
    raises(-8, "Invalid verbosity value 3", node.getorphantxs, 3)
    peer.close()
    wait_until(lambda: node.getorphantxs() == [], what="its sender has gone")


if __name__ == "__main__":
    main(run)
