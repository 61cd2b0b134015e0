"""Encrypted connections (BIP324): spoken with those who can, v1 with everybody else, and what -capturemessages keeps of them."""
import glob
import os
import socket

from framework import SLOW, contains, equal, main, raises, same_tip, wait_until
from p2p import MAGIC, Peer, frame, version_payload

P2P_V2 = 2048


def transports(node):
    return [p["transport_protocol_type"] for p in node.getpeerinfo()]


def connect(a, b, *v2):
    """a opens a connection to b, which is the only one of both."""
    a.addnode("127.0.0.1:%d" % b.port, "onetry", *v2)
    wait_until(lambda: [p["version"] > 0 and p["bytesrecv_per_msg"].get("pong", 0) > 0 for n in (a, b) for p in n.getpeerinfo()] == [True, True],
               what="connection")
    return a.getpeerinfo()[0], b.getpeerinfo()[0]


def part(a, b):
    a.disconnectnode("127.0.0.1:%d" % b.port)
    wait_until(lambda: not a.getpeerinfo() and not b.getpeerinfo(), what="no connection")


def both_speak_it(a, b):
    there, here = connect(a, b)
    equal([there["transport_protocol_type"], here["transport_protocol_type"]], ["v2", "v2"])
    equal(there["session_id"], here["session_id"])
    equal(len(there["session_id"]), 64)
    contains(a.log(), "New manual peer connected: transport: v2, version: ")
    a.mine(30)
    b.mine(1)
    same_tip(a, b)
    b.mine(2)
    same_tip(a, b)
    part(a, b)
    again = connect(b, a)[0]
    assert again["session_id"] != there["session_id"], "a session id that was there before"
    part(b, a)


def asked_for_v1(a, b):
    there, here = connect(a, b, False)
    equal([there["transport_protocol_type"], here["transport_protocol_type"], there["session_id"]], ["v1", "v1", ""])
    part(a, b)


def one_does_not(a, old):
    """It hangs up on what it does not understand, and is called again at once."""
    there, here = connect(a, old)
    equal([there["transport_protocol_type"], here["transport_protocol_type"]], ["v1", "v1"])
    contains(a.log(), "retrying with v1 transport protocol for peer=%d" % (there["id"] - 1))
    same_tip(a, old)
    part(a, old)
    there, here = connect(old, a)
    equal([there["transport_protocol_type"], here["transport_protocol_type"]], ["v1", "v1"])
    part(old, a)
    assert "retrying" not in old.log(), "a node that speaks v1 alone tried v2"
    raises(-8, "Error: v2transport requested but not enabled (see -v2transport)", old.addnode, "127.0.0.1:%d" % a.port, "onetry", True)
    raises(-8, "Error: Adding v2transport connections requires -v2transport init flag to be set.", old.addconnection,
           "127.0.0.1:%d" % a.port, "feeler", True)
    equal([int(n.getnetworkinfo()["localservices"], 16) & P2P_V2 for n in (a, old)], [P2P_V2, 0])


def bytes_tell(node):
    """The kind is settled by the first 16 bytes."""
    hello = frame(MAGIC["regtest"], "version", version_payload())
    peer = Peer(node, handshake=False)
    peer.raw(hello[:15])
    wait_until(lambda: [p["bytesrecv"] for p in node.getpeerinfo()] == [15], what="15 bytes")
    equal(transports(node), ["detecting"])
    equal(node.getpeerinfo()[0]["bytessent"], 0)
    peer.raw(hello[15:])
    peer.wait_for("verack")
    equal(transports(node), ["v1"])
    peer.close()
    wait_until(lambda: not node.getpeerinfo(), what="no peers")

    refused(node, frame(MAGIC["test"], "version", version_payload()), "V1 peer with wrong MessageStart 0b110907")
    refused(node, bytes(64 + 4095 + 16), "missing garbage terminator")


def refused(node, data, why):
    with socket.create_connection(("127.0.0.1", node.port), timeout=30 * SLOW) as s:
        s.sendall(data)
        try:
            while s.recv(65536):  # its key and garbage
                pass
        except ConnectionResetError:
            pass
    contains(node.log(), "V2 transport error: %s, peer=" % why)


def records(path):
    with open(path, "rb") as f:
        data = f.read()
    at, found = 0, []
    while at < len(data):
        name, length = data[at + 8:at + 20].rstrip(b"\0").decode(), int.from_bytes(data[at + 20:at + 24], "little")
        assert at + 24 + length <= len(data), "a record that is cut"
        found.append((name, data[at + 24:at + 24 + length]))
        at += 24 + length
    return found


def captured(node):
    peer = Peer(node)
    address = peer.name.replace(":", "_")
    peer.send("ping", b"capture!")
    peer.sync()
    folder = os.path.join(node.net_dir, "message_capture", address)
    came, went = (records(os.path.join(folder, "msgs_%s.dat" % way)) for way in ("recv", "sent"))
    equal([came[0][0], went[0][0]], ["version", "version"])
    assert ("ping", b"capture!") in came and ("pong", b"capture!") in went, "ping and pong"
    peer.close()
    assert len(glob.glob(os.path.join(node.net_dir, "message_capture", "*"))) >= 1


def run(t):
    a, b = t.node("-whitelist=noban@127.0.0.1"), t.node()
    old = t.node("-v2transport=0", "-capturemessages")
    both_speak_it(a, b)
    asked_for_v1(a, b)
    one_does_not(a, old)
    bytes_tell(b)
    captured(old)


if __name__ == "__main__":
    main(run)
