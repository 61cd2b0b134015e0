#!/usr/bin/env python3
"""A thousand inbound connections that flood valid and invalid messages: how soon RPC and an honest peer are answered meanwhile, and what the
node's memory does. Prints one line of figures every ten seconds and a summary."""
import argparse
import multiprocessing
import os
import random
import selectors
import socket
import statistics
import struct
import time

import topology
from blocks import COIN, REGTEST_GENESIS, TRUE_ADDRESS, Block, coins_of, compact, spend
from framework import call, main, wait_until
from p2p import MAGIC, TX, WTX, Peer, WITNESS_BLOCK, frame, headers_payload, inv, locator, version_payload

REGTEST = MAGIC["regtest"]


def messages(tip, height, hashes, txs):
    """What the flooders send, ready on the wire: about half of it is what honest nodes send too."""
    r = random.Random(3)
    some = lambda n: ["%064x" % r.getrandbits(256) for _ in range(n)]
    low_work = Block(REGTEST_GENESIS, 1, 1400000000).solve()
    lost = [spend([(name, 0)], [COIN]) for name in some(200)]
    out = [frame(REGTEST, "ping", bytes(8)), frame(REGTEST, "getheaders", locator(REGTEST_GENESIS)), frame(REGTEST, "getaddr"), frame(REGTEST, "mempool"),
           frame(REGTEST, "feefilter", struct.pack("<q", 1000)), frame(REGTEST, "sendheaders"), frame(REGTEST, "sendcmpct", b"\x01" + struct.pack("<Q", 2)),
           frame(REGTEST, "headers", headers_payload([low_work])), frame(REGTEST, "notfound", inv(TX, *some(10))),
           frame(REGTEST, "addr", compact(10) + b"".join(struct.pack("<IQ", int(time.time()), 9) + bytes(10) + b"\xff\xff" + r.randbytes(4) + b"\x20\x8d" for _ in range(10))),
           frame(REGTEST, "getblocktxn", bytes(32) + b"\x01\x00"), frame(REGTEST, "cmpctblock", Block(tip, height + 1, 1500000000).header() + bytes(8) + b"\xfd\x00\x10" + r.randbytes(6 * 4096) + b"\x00"),
           frame(REGTEST, "block", Block(tip, height + 1, 1500000000).encode()), frame(REGTEST, "tx", b"\x02"), frame(REGTEST, "unknown", r.randbytes(2000)),
           frame(REGTEST, "filterload", r.randbytes(100)), frame(REGTEST, "version", version_payload()), r.randbytes(500), frame(REGTEST, "block", b"", length=0xffffff),
           frame(REGTEST, "inv", inv(TX, *some(50_001)))]
    out += [frame(REGTEST, "inv", inv(WTX, *some(100))) for _ in range(20)]
    out += [frame(REGTEST, "getdata", inv(WITNESS_BLOCK, r.choice(hashes))) for _ in range(20)]
    out += [frame(REGTEST, "tx", tx.encode()) for tx in lost + txs]
    # The largest of their kind: what takes long may not take long from others.
    large = struct.pack("<i", 2) + b"\x00\x01\x01" + bytes(36) + b"\x00" + bytes(4) + b"\x01" + bytes(9) + b"\x01\xfe" + struct.pack("<I", 390_000) + bytes(390_000) + bytes(4)
    out += [frame(REGTEST, "inv", inv(WTX, *some(20_000))), frame(REGTEST, "getdata", inv(WTX, *some(20_000))), frame(REGTEST, "tx", large)]
    return out


def flood(port, wire, connections, seconds, seed, count):
    """One process: opens connections, sends what the sockets take, reads and drops the answers, and comes back when hung up on."""
    r = random.Random(seed)
    selector = selectors.DefaultSelector()
    end = time.monotonic() + seconds

    def open_one():
        s = socket.socket()
        s.setblocking(False)
        s.connect_ex(("127.0.0.1", port))
        selector.register(s, selectors.EVENT_READ | selectors.EVENT_WRITE, [frame(REGTEST, "version", version_payload(nonce=r.getrandbits(60))) + frame(REGTEST, "verack")])

    for _ in range(connections):
        open_one()
    while time.monotonic() < end:
        for key, events in selector.select(0.1):
            s, pending = key.fileobj, key.data
            try:
                if events & selectors.EVENT_READ and not s.recv(262144):
                    raise ConnectionError
                if events & selectors.EVENT_WRITE:
                    sent = s.send(pending[0])
                    pending[0] = pending[0][sent:]
                    if not pending[0]:
                        pending[0] = r.choice(wire)
                        count.value += 1
            except BlockingIOError:
                pass
            except OSError:
                selector.unregister(s)
                s.close()
                open_one()


def resident(node):
    with open("/proc/%d/status" % node.process.pid) as f:
        return next(int(text.split()[1]) for text in f if text.startswith("VmRSS:")) / 1024


def timed(action):
    start = time.monotonic()
    action()
    return 1000 * (time.monotonic() - start)


def p99(values):
    return statistics.quantiles(values, n=100)[98] if len(values) > 1 else 0


def run(t):
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--program", help="daemon to be measured instead of ours")
    p.add_argument("--connections", type=int, default=1000)
    p.add_argument("--seconds", type=float, default=300)
    options = p.parse_args()
    node = t.node(*topology.QUIET, "-maxconnections=%d" % (options.connections + 100), "-inboundrelaypercent=100", program=options.program, debug="none")
    node.mine(150, TRUE_ADDRESS)
    hashes = [node.getblockhash(h) for h in range(1, 150)]
    wire = messages(node.getbestblockhash(), 150, hashes, [spend([coin], [COIN]) for coin in coins_of(node, 1, 40)])
    honest = Peer(node)
    before, count = resident(node), multiprocessing.Value("Q", 0)
    flooder = multiprocessing.Process(target=flood, args=(node.port, wire, options.connections, options.seconds, 1, count), daemon=True)
    flooder.start()
    wait_until(lambda: len(node.getpeerinfo()) > options.connections * 0.8, 60, "the flooders' connections")
    rpc, ping, memory, shown = [], [], [], time.monotonic()
    print("%8s %8s %12s %12s %10s %12s" % ("second", "peers", "RPC p99 ms", "ping p99 ms", "memory MB", "messages"), flush=True)
    start = time.monotonic()
    while flooder.is_alive():
        rpc.append(timed(node.getblockcount))
        if honest.closed.is_set():
            honest = Peer(node)
        ping.append(timed(honest.sync))
        time.sleep(0.02)  # the measurement itself is not to be a flood
        if time.monotonic() - shown >= 10:
            shown = time.monotonic()
            memory.append(resident(node))
            print("%8.0f %8d %12.1f %12.1f %10.1f %12d" % (shown - start, len(node.getpeerinfo()), p99(rpc), p99(ping), memory[-1], count.value), flush=True)
    node.mine(1, TRUE_ADDRESS)
    wait_until(lambda: len(node.getpeerinfo()) <= 1, 60, "the flooders gone")
    end = time.monotonic() + 10  # the node waits a little before it gives memory back
    while resident(node) > 3 * before + 20 and time.monotonic() < end:
        time.sleep(0.1)
    print("before %.1f MB, most %.1f MB, after %.1f MB; RPC p50 %.1f p99 %.1f ms, honest ping p50 %.1f p99 %.1f ms; %d messages"
          % (before, max(memory, default=0), resident(node), statistics.median(rpc), p99(rpc), statistics.median(ping), p99(ping), count.value))
    assert os.path.exists("/proc/%d" % node.process.pid)


main(run)
