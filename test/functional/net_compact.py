#!/usr/bin/env python3
"""Compact blocks between two nodes and with a peer of our own, in both directions; and small messages are answered at once while the largest
blocks arrive."""
import hashlib
import struct
import time

from blocks import COIN, TRUE_ADDRESS, Block, coinbase, coins_of, compact, internal, next_block, sha256d, spend
from framework import SLOW, equal, main, same_tip, wait_until
from p2p import Peer, headers_payload, inv, locator, parse_compact

CMPCT_BLOCK = 4


def siphash(k0, k1, data):
    mask = (1 << 64) - 1
    v = [k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573]

    def rotate(x, n):
        return (x << n | x >> (64 - n)) & mask

    def rounds(n):
        for _ in range(n):
            v[0] = (v[0] + v[1]) & mask
            v[2] = (v[2] + v[3]) & mask
            v[1] = rotate(v[1], 13) ^ v[0]
            v[3] = rotate(v[3], 16) ^ v[2]
            v[0] = (rotate(v[0], 32) + v[3]) & mask
            v[2] = (v[2] + v[1]) & mask
            v[3] = rotate(v[3], 21) ^ v[0]
            v[1] = rotate(v[1], 17) ^ v[2]
            v[2] = rotate(v[2], 32)

    for at in range(0, len(data), 8):
        word = int.from_bytes(data[at:at + 8], "little")
        v[3] ^= word
        rounds(2)
        v[0] ^= word
    word = len(data) << 56
    v[3] ^= word
    rounds(2)
    v[0] ^= word
    v[2] ^= 0xff
    rounds(4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def short_ids(block, nonce):
    key = hashlib.sha256(block.header() + struct.pack("<Q", nonce)).digest()
    k0, k1 = struct.unpack_from("<QQ", key)
    return [struct.pack("<Q", siphash(k0, k1, internal(tx.wtxid)))[:6] for tx in block.txs[1:]]


def announcement(block, nonce=7):
    ids = short_ids(block, nonce)
    return block.header() + struct.pack("<Q", nonce) + compact(len(ids)) + b"".join(ids) + b"\1\0" + block.txs[0].encode()


def sent(node, command):
    return sum(p["bytessent_per_msg"].get(command, 0) for p in node.getpeerinfo())


def two_nodes(t):
    """The second new block comes in compact form without being asked for, and is put together from the mempool alone."""
    a, b = [t.node("-whitelist=noban,in,out@127.0.0.1") for _ in range(2)]
    a.mine(110, TRUE_ADDRESS)
    b.connect(a)
    same_tip(a, b)
    a.mine(1, TRUE_ADDRESS)
    same_tip(a, b)
    wait_until(lambda: b.getpeerinfo()[0]["bip152_hb_to"] and a.getpeerinfo()[0]["bip152_hb_from"], what="b asks a for compact blocks")
    whole = sent(a, "block")
    for coin in coins_of(a, 1, 5):
        a.sendrawtransaction(spend([coin], [49 * COIN]).hex(), 0)
    wait_until(lambda: len(b.getrawmempool()) == 5, what="b's mempool")
    a.mine(1, TRUE_ADDRESS)
    same_tip(a, b)
    equal(len(b.getblock(b.getbestblockhash())["tx"]), 6)
    equal(sent(a, "block"), whole)
    equal(sent(b, "getblocktxn"), 0)
    return a


def gives(node):
    """A peer that wants compact blocks gets the next one at once, with the right short ids, and the transactions that it asks for."""
    peer = Peer(node)
    peer.send("sendcmpct", struct.pack("<BQ", 1, 2))
    peer.send("getheaders", locator(node.getblockhash(0)))
    peer.wait_for("headers")
    coins = coins_of(node, 6, 8)
    block = next_block(node, [spend([coin], [49 * COIN]) for coin in coins])
    equal(node.submitblock(block.hex()), None)
    got = peer.wait_for("cmpctblock")
    equal(got[:80], block.header())
    nonce = struct.unpack_from("<Q", got, 80)[0]
    equal(got[88:], announcement(block, nonce)[88:])
    peer.send("getblocktxn", internal(block.hash) + compact(2) + b"\1\1")  # the second one, and one further on
    equal(peer.wait_for("blocktxn"), internal(block.hash) + compact(2) + block.txs[1].encode() + block.txs[3].encode())
    peer.send("getdata", inv(CMPCT_BLOCK, node.getblockhash(node.getblockcount() - 5)))
    peer.wait_for("cmpctblock", lambda payload: payload[:80] != got[:80])
    peer.send("getdata", inv(CMPCT_BLOCK, node.getblockhash(node.getblockcount() - 6)))
    peer.wait_for("block")
    peer.close()


def takes(node):
    """The node asks for what it lacks, and only for that; then the block is the tip."""
    peer = Peer(node)
    peer.send("sendcmpct", struct.pack("<BQ", 0, 2))
    known, unknown, malleable = [spend([coin], [49 * COIN]) for coin in coins_of(node, 9, 11)]
    node.sendrawtransaction(known.hex(), 0)
    block = next_block(node, [known, unknown, malleable])
    peer.send("headers", headers_payload([block]))
    request = peer.wait_for("getdata")
    equal(struct.unpack_from("<I", request, 1)[0], CMPCT_BLOCK)
    peer.send("cmpctblock", announcement(block))
    equal(peer.wait_for("getblocktxn"), internal(block.hash) + compact(2) + b"\2\0")
    peer.send("blocktxn", internal(block.hash) + compact(2) + unknown.encode() + malleable.encode())
    wait_until(lambda: node.getbestblockhash() == block.hash, what="the block that was put together")
    # Whoever was first with a good block is asked for the next one unasked.
    peer.wait_for("sendcmpct", lambda payload: payload[0] == 1)
    block = next_block(node)
    peer.send("cmpctblock", announcement(block))
    wait_until(lambda: node.getbestblockhash() == block.hash, what="the block of nothing but its coinbase")
    # The wrong transactions: the whole block is asked for.
    good, bad = [spend([coins_of(node, 12, 12)[0]], [value * COIN]) for value in (49, 48)]
    block = next_block(node, [good])
    peer.send("cmpctblock", announcement(block))
    peer.wait_for("getblocktxn", lambda payload: payload[:32] == internal(block.hash))
    peer.send("blocktxn", internal(block.hash) + compact(1) + bad.encode())
    peer.wait_for("getdata", lambda payload: payload[5:37] == internal(block.hash))
    peer.send("block", block.encode())
    wait_until(lambda: node.getbestblockhash() == block.hash, what="the whole block")
    peer.close()


def largest_block(node):
    """Four megabytes of empty witness items: what takes longest to decode and most memory. (It breaks rules that are looked at only then.)"""
    count = 3_990_000
    tip = node.getblockheader(node.getbestblockhash())
    block = Block(tip["hash"], tip["height"] + 1, tip["time"] + 1, base=coinbase(tip["height"] + 1)).solve()
    tx = struct.pack("<i", 2) + b"\0\1\1" + bytes(36) + b"\0" + bytes(4) + b"\1" + bytes(9) + compact(count) + bytes(count) + bytes(4)
    return block.header() + compact(2) + block.txs[0].encode() + tx


def stays_responsive(t):
    """Peers that send the largest blocks do not hold up another one's pings."""
    node = t.node("-whitelist=noban@127.0.0.1", debug="none")
    node.mine(1, TRUE_ADDRESS)
    block = largest_block(node)
    senders = [Peer(node) for _ in range(3)]
    other = Peer(node)
    times = []
    for sender in senders:
        sender.socket.setblocking(False)
    waiting = {s: b"" for s in senders}
    message = senders[0].magic + b"block".ljust(12, b"\0") + struct.pack("<I", len(block)) + sha256d(block)[:4] + block
    left = 60 * len(message)
    end = time.monotonic() + 30 * SLOW
    while left > 0 and time.monotonic() < end:
        for s in senders:
            waiting[s] = waiting[s] or message
            try:
                n = s.socket.send(waiting[s][:1 << 20])
                waiting[s] = waiting[s][n:]
                left -= n
            except BlockingIOError:
                pass
        start = time.monotonic()
        other.sync()
        times.append(time.monotonic() - start)
    times.sort()
    print("ping beside the largest blocks: median %.1f ms, p99 %.1f ms, worst %.1f ms of %d" %
          (times[len(times) // 2] * 1000, times[len(times) * 99 // 100] * 1000, times[-1] * 1000, len(times)))
    assert times[len(times) // 2] < 0.05 * SLOW, "pings wait for blocks"
    for s in senders:
        s.socket.setblocking(True)
        s.close()
    other.close()


def run(t):
    node = two_nodes(t)
    gives(node)
    takes(node)
    stays_responsive(t)


if __name__ == "__main__":
    main(run)
