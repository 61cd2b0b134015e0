#!/usr/bin/env python3
"""A sync from eight peers of which six are hostile, beside one from the two honest peers alone: time and peak memory of both, and their ratios.

The hostile six: one stalls, one sends garbage, one has endless headers without work, one serves altered blocks, one drips a byte at a time, one
lies in its version and floods the node with the largest messages there are. Others can be named with --kinds, in any order with --seed: one that
is silent after the handshake, one that has no headers, one that sends its headers a few at a time, slow ones (10 kB/s), one whose blocks are cut
off, one that sends each block that is asked for over and over, cut off behind its header."""
import argparse
import os
import random
import socket
import struct
import threading
import time

import topology
from blocks import REGTEST_BITS, compact, display, sha256d, target_of
from framework import BUILD, ROOT, call, main, wait_until
from p2p import BLOCK, MAGIC, WITNESS_BLOCK, frame, inv, parse_inv, version_payload

REGTEST = MAGIC["regtest"]


class Chain:
    """The blocks of a file in their order."""

    def __init__(self, path):
        self.file = os.open(path, os.O_RDONLY)
        self.headers, self.places, at = [], {}, 0
        size = os.fstat(self.file).st_size
        while at < size:
            magic, length = struct.unpack("<4sI", os.pread(self.file, 8, at))
            assert magic == REGTEST
            header = os.pread(self.file, 80, at + 8)
            self.places[display(sha256d(header))] = (len(self.headers), at + 8, length)
            self.headers.append(header)
            at += 8 + length

    def block(self, name):
        _, at, length = self.places[name]
        return os.pread(self.file, length, at)

    def after(self, payload):
        """The headers message that answers a getheaders."""
        count, start = payload[4], 0
        for i in range(count):
            name = display(payload[5 + 32 * i:37 + 32 * i])
            if name in self.places:
                start = self.places[name][0] + 1
                break
        part = self.headers[start:start + 2000]
        return compact(len(part)) + b"".join(h + b"\0" for h in part)


class Hostile(threading.Thread):
    """A listening peer; it takes any number of connections and misbehaves on each in its own way."""

    version = {}

    def __init__(self, chain):
        super().__init__(daemon=True)
        self.chain = chain
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.connections = 0
        self.start()

    def run(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(s,), daemon=True).start()

    def serve(self, s):
        try:
            self.s = s
            while True:
                head = self.exactly(s, 24)
                payload = self.exactly(s, struct.unpack("<I", head[16:20])[0])
                self.message(s, head[4:16].rstrip(b"\0").decode(), payload)
        except (OSError, ConnectionError):
            s.close()

    @staticmethod
    def exactly(s, n):
        data = bytearray()
        while len(data) < n:
            more = s.recv(n - len(data))
            if not more:
                raise ConnectionError
            data += more
        return bytes(data)

    def send(self, s, command, payload=b""):
        s.sendall(frame(REGTEST, command, payload))

    def message(self, s, command, payload):
        if command == "version":
            self.send(s, "version", version_payload(height=len(self.chain.headers), **self.version))
            self.send(s, "verack")
        elif command == "ping":
            self.send(s, "pong", payload)
        elif command == "verack":
            self.begin(s)
        elif command == "getheaders":
            self.send(s, "headers", self.chain.after(payload))
        elif command == "getdata":
            for kind, name in parse_inv(payload):
                if kind in (BLOCK, WITNESS_BLOCK) and name in self.chain.places:
                    self.block(s, name)

    def begin(self, s):
        pass

    def block(self, s, name):
        """Asked for a block; a staller says nothing."""


class Garbage(Hostile):
    def begin(self, s):
        for _ in range(1000):
            s.sendall(random.randbytes(65536))


class LowWork(Hostile):
    """Headers that begin at the genesis block and never end, with the least work that counts."""

    def __init__(self, chain):
        self.tail = {}
        super().__init__(chain)

    def message(self, s, command, payload):
        if command != "getheaders":
            super().message(s, command, payload)
            return
        prev = payload[5:37] if payload[4] else bytes(32)
        out, when, target = [], 1300000000 + self.tail.get(prev, 0), target_of(REGTEST_BITS)
        for _ in range(2000):
            nonce, when = 0, when + 1
            while True:
                header = struct.pack("<i32s32sIII", 4, prev, bytes(32), when, REGTEST_BITS, nonce)
                digest = sha256d(header)
                if int.from_bytes(digest, "little") <= target:
                    break
                nonce += 1
            out.append(header)
            prev = digest
        self.tail[prev] = when - 1300000000
        self.send(s, "headers", compact(2000) + b"".join(h + b"\0" for h in out))


class Altered(Hostile):
    def block(self, s, name):
        raw = bytearray(self.chain.block(name))
        raw[-5] ^= 1
        self.send(s, "block", bytes(raw))


class Drip(Hostile):
    def block(self, s, name):
        for byte in frame(REGTEST, "block", self.chain.block(name)):
            s.sendall(bytes([byte]))
            time.sleep(0.05)  # that is its attack


class Hungry(Hostile):
    version = {"services": 0xffffffffffffffff, "height": 0x7fffffff, "agent": b"/" + b"x" * 200 + b"/"}

    def message(self, s, command, payload):
        if command == "version":
            self.send(s, "version", version_payload(**self.version))
            self.send(s, "verack")
            return
        super().message(s, command, payload)

    def begin(self, s):
        witness = struct.pack("<i", 2) + b"\x00\x01\x01" + bytes(36) + b"\x00" + bytes(4) + b"\x01" + bytes(9) + b"\xfe" + struct.pack("<I", 3_900_000) + bytes(3_900_000) + bytes(4)
        while True:
            self.send(s, "inv", inv(1, *["%064x" % random.getrandbits(256) for _ in range(50_000)]))
            self.send(s, "addr", compact(1000) + b"".join(struct.pack("<IQ", int(time.time()), 9) + random.randbytes(18) for _ in range(1000)))
            self.send(s, "tx", witness)
            self.send(s, "block", self.chain.headers[0] + b"\xfd\xff\xff" + bytes(3_000_000))
            self.send(s, "nonsense", bytes(3_900_000))


class Silent(Hostile):
    def message(self, s, command, payload):
        if command == "version":
            super().message(s, command, payload)


class Empty(Hostile):
    def message(self, s, command, payload):
        if command == "getheaders":
            self.send(s, "headers", compact(0))
        else:
            super().message(s, command, payload)


class SlowHeaders(Hostile):
    """Right headers, ten at a time and a second apart."""

    def message(self, s, command, payload):
        if command == "getheaders":
            time.sleep(1)
            whole = self.chain.after(payload)
            at = 3 if whole[0] == 0xfd else 1
            n = min(10, (len(whole) - at) // 81)
            self.send(s, "headers", compact(n) + whole[at:at + 81 * n])
        else:
            super().message(s, command, payload)


class Slow(Hostile):
    def block(self, s, name):
        data = frame(REGTEST, "block", self.chain.block(name))
        for at in range(0, len(data), 1000):
            s.sendall(data[at:at + 1000])
            time.sleep(0.1)  # that is its speed


class CutOff(Hostile):
    def block(self, s, name):
        self.send(s, "block", self.chain.block(name)[:-1])


class Stutter(Hostile):
    """For each block that it is asked for, many copies of it that are cut off, and of the ones that follow."""

    def block(self, s, name):
        start = self.chain.places[name][0]
        for header in self.chain.headers[start:start + 50]:
            self.send(s, "block", header + b"\x01")


KINDS = {kind.__name__.lower(): kind for kind in (Hostile, Garbage, LowWork, Altered, Drip, Hungry, Silent, Empty, SlowHeaders, Slow, CutOff, Stutter)}


def peak(node):
    with open("/proc/%d/status" % node.process.pid) as f:
        return next(int(text.split()[1]) for text in f if text.startswith("VmHWM:")) / 1024


def sync(t, ports, work, tip, options, name):
    node = t.node(*topology.QUIET, "-minimumchainwork=" + work, "-assumevalid=" + options.assumevalid, debug="net" if options.log else "none",
                  start=False, program=options.program)
    node.start()
    start = time.monotonic()
    for port in ports:
        call(node, "addconnection", "127.0.0.1:%d" % port, "outbound-full-relay", False)
    wait_until(lambda: call(node, "getbestblockhash") == tip, options.timeout, "the sync of %s" % name)
    seconds, megabytes = time.monotonic() - start, peak(node)
    print("%-22s %8.2f s %8.0f MB peak" % (name, seconds, megabytes), flush=True)
    node.stop()
    return seconds, megabytes


def run(t):
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--program", help="daemon to be measured instead of ours")
    p.add_argument("--chain", default=os.path.join(BUILD, "bench", "chain.dat"), help="block file (default: the benchmark's, which make bench leaves)")
    p.add_argument("--assumevalid", default="0")
    p.add_argument("--timeout", type=float, default=600)
    p.add_argument("--log", action="store_true")
    p.add_argument("--kinds", default="hostile,drip,altered,garbage,lowwork,hungry", help="of the hostile peers: " + ", ".join(KINDS))
    p.add_argument("--seed", type=int, help="of the order of the peers (default: as named, honest ones fourth and last)")
    options = p.parse_args()
    if not os.path.exists(options.chain):
        raise SystemExit("%s is missing: run make bench first, or name a file with --chain" % os.path.relpath(options.chain, ROOT))
    chain = Chain(options.chain)
    honest = [t.node(*topology.QUIET, "-loadblock=" + options.chain, "-maxtipage=9999999999", "-assumevalid=" + display(sha256d(chain.headers[-1])), debug="none")
              for _ in range(2)]
    tip = display(sha256d(chain.headers[-1]))
    for node in honest:
        wait_until(lambda node=node: call(node, "getbestblockhash") == tip, 300, "the import")
    work = call(honest[0], "getblockchaininfo")["chainwork"]
    good = [node.port for node in honest]
    alone = sync(t, good, work, tip, options, "two honest peers")
    bad = [KINDS[name](chain) for name in options.kinds.split(",")]
    order = [b.port for b in bad]
    if options.seed is None:
        order = order[:3] + good[:1] + order[3:] + good[1:]
    else:
        order += good
        random.Random(options.seed).shuffle(order)
    beside = sync(t, order, work, tip, options, "and %d hostile ones" % len(bad))
    print("ratio: time %.2f, memory %.2f; connections of the hostile: %s"
          % (beside[0] / alone[0], beside[1] / alone[1], ", ".join("%s %d" % (type(b).__name__, b.connections) for b in bad)))


main(run)
