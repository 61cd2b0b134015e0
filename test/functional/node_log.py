"""The log: which rule refused which block, what -debug=none switches off, which options are kept out of it, -logips, the magic
of a signet."""
import json
import os

from blocks import next_block
from framework import contains, equal, main, wait_until
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


def json_lines(t):
    """Each line an object; events have names and fields."""
    node = t.node("-logformat=json", "-debug=net")
    tip = node.mine(3)[-1]
    Peer(node)
    node.stop()
    lines = [json.loads(line) for line in log_since(node, 0).splitlines()]
    events = {}
    for line in lines:
        assert line["time"] and line["level"] and line["message"], line
        events.setdefault(line["event"], []).append(line)
    equal([e["height"] for e in events["tip"]][-3:], [1, 2, 3])
    equal(events["tip"][-1]["hash"], tip)
    equal(events["start"][0]["chain"], "regtest")
    equal(events["ready"][0]["height"], 0)
    equal(events["stopping"][0]["exit_code"], 0)
    connected, = events["peer_connected"]
    equal((connected["peer"], connected["category"], connected["type"]), (0, "net", "inbound"))
    equal([e["peer"] for e in events["peer_disconnected"]], [0])
    node.start_fails("-logformat=xml", text="Unsupported log format -logformat=xml.")


def rate_limit(t):
    """A place that writes a MiB within the hour is silent from then on: here the one that shows the values of the options."""
    options = ["-deprecatedrpc=%d%s" % (i, "x" * 700) for i in range(1700)]
    node = t.node(start=False)
    with open(os.path.join(node.dir, "farthing.conf"), "a") as f:
        f.write("".join("%s\n" % option[1:] for option in options))
    node.start()
    wait_until(lambda: " init message: Done loading\n" in log_since(node, 0), what="the start's last line")
    text = log_since(node, 0)
    assert "Excessive logging detected from src/node/logging.c:" in text
    assert "\n[*] 20" in text
    shown = text.count("deprecatedrpc=")
    assert 1000 < shown < len(options), shown
    node.stop()
    mark = size(node)
    node.start("-nologratelimit")
    equal(log_since(node, mark).count("deprecatedrpc="), len(options))
    node.stop()


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

    json_lines(t)
    rate_limit(t)
    signet = t.node(chain="signet")
    contains(log_since(signet, 0), "Signet derived magic (message start): 0a03cf40")


if __name__ == "__main__":
    main(run)
