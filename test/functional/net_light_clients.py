"""What light clients and other peers are served beside the chain: block filters (BIP157), Bloom filters (BIP37), addresses; that all of it is
off or refused where it was not asked for."""
import struct
import time

from blocks import TRUE_ADDRESS, compact, internal, sha256d, var_bytes
from framework import contains, equal, main, wait_until
from p2p import Peer, inv, parse_compact

FILTERED_BLOCK = 3
NETWORK, BLOOM, COMPACT_FILTERS = 1, 4, 64


def services(node):
    return int(node.getnetworkinfo()["localservices"], 16)


def filters_wanted(start, stop):
    return bytes([0]) + struct.pack("<I", start) + internal(stop)


def block_filters(node):
    hashes = [node.getblockhash(h) for h in range(node.getblockcount() + 1)]
    known = [node.getblockfilter(h) for h in hashes]
    peer = Peer(node)
    peer.send("getcfilters", filters_wanted(1, hashes[100]))
    peer.sync()
    got = peer.all("cfilter")
    equal(got, [bytes([0]) + internal(h) + var_bytes(bytes.fromhex(f["filter"])) for h, f in zip(hashes[1:101], known[1:101])])

    peer.send("getcfheaders", filters_wanted(5, hashes[30]))
    headers = peer.wait_for("cfheaders")
    equal(headers[:33], bytes([0]) + internal(hashes[30]))
    equal(headers[33:65], internal(known[4]["header"]))
    count, at = parse_compact(headers, 65)
    equal(count, 26)
    last = headers[33:65]
    for i in range(count):  # the hashes lead from one header to the next
        equal(headers[at:at + 32], sha256d(bytes.fromhex(known[5 + i]["filter"])))
        last = sha256d(headers[at:at + 32] + last)
        at += 32
    equal(last, internal(known[30]["header"]))

    peer.send("getcfcheckpt", bytes([0]) + internal(hashes[-1]))
    equal(peer.wait_for("cfcheckpt"), bytes([0]) + internal(hashes[-1]) + b"\0")
    peer.send("getcfilters", filters_wanted(0, hashes[-1][:-1] + ("0" if hashes[-1][-1] != "0" else "1")))  # no such block
    peer.wait_closed()
    peer.close()


def bloom_filters(node):
    txid = node.getblock(node.getblockhash(3))["tx"][0]
    peer = Peer(node)
    peer.send("filterload", var_bytes(bytes(1000)) + struct.pack("<IIB", 10, 5, 0))
    peer.send("filteradd", var_bytes(internal(txid)))
    for height in (2, 3):
        peer.send("getdata", inv(FILTERED_BLOCK, node.getblockhash(height)))
    peer.sync()
    nothing, proof = peer.all("merkleblock")
    equal(node.verifytxoutproof(nothing.hex()), [])
    equal(node.verifytxoutproof(proof.hex()), [txid])
    equal([sha256d(tx)[::-1].hex() for tx in peer.all("tx")], [txid])  # without its witness
    peer.send("filterload", var_bytes(bytes(36001)) + struct.pack("<IIB", 10, 5, 0))
    peer.wait_closed()
    peer.close()


def off_by_default(node):
    equal(services(node) & (BLOOM | COMPACT_FILTERS), 0)
    for command, payload in (("filterload", b""), ("filterclear", b""), ("mempool", b""),
                             ("getcfilters", filters_wanted(0, node.getbestblockhash()))):
        peer = Peer(node)
        peer.send(command, payload)
        peer.wait_closed()
        peer.close()
    equal(node.getpeerinfo(), [])


def address(ip, when):
    return struct.pack("<IQ", when, NETWORK) + bytes(10) + b"\xff\xff" + bytes(map(int, ip.split("."))) + struct.pack(">H", 8333)


def addresses(node):
    """A fresh address reaches others and the address manager; a getaddr is answered once."""
    now = int(time.time())
    node.setmocktime(now)
    source, *others = peers = [Peer(node) for _ in range(4)]
    for peer in peers:
        peer.send("addr", compact(0))  # addresses are exchanged from now on
        peer.sync()
    message = compact(1) + address("123.45.67.89", now)
    source.send("addr", message)
    source.sync()
    wait_until(lambda: [a["address"] for a in node.getnodeaddresses(0)] == ["123.45.67.89"], what="the address is kept")
    node.setmocktime(now + 600)
    for peer in others:
        peer.sync()
        peer.sync()  # what is due goes out behind the first pong
    equal(sum(message in peer.all("addr") for peer in others), 2)
    equal(source.all("addr"), [])
    others[0].send("getaddr")
    others[0].send("getaddr")
    others[0].sync()
    contains(node.log(), 'Ignoring repeated "getaddr". peer=')
    for peer in peers:
        peer.close()
    node.setmocktime(0)


def run(t):
    node = t.node("-blockfilterindex", "-peerblockfilters", "-peerbloomfilters")
    node.mine(120, TRUE_ADDRESS)
    wait_until(lambda: all(i["synced"] and i["best_block_height"] == 120 for i in node.getindexinfo().values()), what="the index")
    equal(services(node) & (BLOOM | COMPACT_FILTERS), BLOOM | COMPACT_FILTERS)
    block_filters(node)
    bloom_filters(node)
    node.stop()
    node.start_fails("-noblockfilterindex", text="Cannot set -peerblockfilters without -blockfilterindex.")
    plain = t.node()
    plain.mine(1, TRUE_ADDRESS)
    off_by_default(plain)
    addresses(plain)


if __name__ == "__main__":
    main(run)
