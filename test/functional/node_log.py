"""The log: which rule refused which block, what -debug=none switches off, which options are kept out of it, -logips, the magic
of a signet."""
import os

from blocks import next_block
from framework import contains, equal, main
from p2p import Peer, headers_payload


def log_since(node, mark):
    with open(os.path.join(node.net_dir, "debug.log"), errors="replace") as f:
        return f.read()[mark:]


def size(node):
    return len(log_since(node, 0))


def refused_headers(node):
    """A rule that a header breaks is named together with the header's hash."""
    peer = Peer(node)
    wrong = next_block(node, version=2)
    mark = size(node)
    peer.send("block", wrong.encode())
    peer.wait_closed()
    contains(log_since(node, mark), "ContextualCheckBlockHeader: %s, bad-version(0x00000002)" % wrong.hash)

    peer = Peer(node)
    lost = next_block(node)
    lost.prev = "11" * 32
    lost.solve()
    mark = size(node)
    peer.send("block", lost.encode())
    peer.wait_closed()
    contains(log_since(node, mark), "header %s has prev block not found: %s" % (lost.hash, lost.prev))

    peer = Peer(node)
    early = next_block(node)
    early.time = 1
    early.solve()
    mark = size(node)
    peer.send("headers", headers_payload([early]))
    peer.wait_closed()
    contains(log_since(node, mark), "ContextualCheckBlockHeader: %s, time-too-old" % early.hash)


def run(t):
    node = t.node()
    node.mine(1)
    refused_headers(node)
    node.stop()

    # What stands before -debug=none counts for nothing, not even as a mistake.
    for none in "-debug=0", "-debug=none", "-nodebug":
        node.start("-debug=moon", none, "-debug=rpc", "-torpassword=secret-1", "-rpcauth=secret-2:00$00")
        on = [category for category, active in node.logging().items() if active]
        equal(on, ["rpc"])
        node.stop()
    node.start_fails("-debug=none", "-debug=moon", text="Unsupported logging category -debug=moon.")
    text = log_since(node, 0)
    for name in "torpassword", "rpcauth":
        contains(text, "Command-line arg: %s=****" % name)
    assert "secret-" not in text

    for option, shown in ("-logips=0", False), ("-logips", True):
        node.start(option)
        mark = size(node)
        name = Peer(node).name
        equal("peer=0, peeraddr=%s" % name in log_since(node, mark), shown)
        node.stop()

    signet = t.node(chain="signet")
    contains(log_since(signet, 0), "Signet derived magic (message start): 0a03cf40")


if __name__ == "__main__":
    main(run)
