"""A small Bitcoin peer for the functional tests: v1 framing, handshake, a thread that collects what the node sends.

A test sends with peer.send(command, payload), waits with peer.wait_for(command) and may answer messages by putting a function(payload) into
peer.handlers[command]; ping is answered from the start.
"""
import socket
import struct
import threading
import time

from blocks import compact, internal, sha256d
from framework import SLOW, wait_until

MAGIC = {"main": bytes.fromhex("f9beb4d9"), "test": bytes.fromhex("0b110907"), "signet": bytes.fromhex("0a03cf40"),
         "regtest": bytes.fromhex("fabfb5da")}
NODE_NETWORK_WITNESS = 1 | 8
TX, BLOCK, WITNESS_BLOCK, WTX, WITNESS_TX = 1, 2, 0x40000002, 5, 0x40000001


def frame(magic, command, payload=b"", checksum=None, length=None):
    """One v1 message; checksum and length may lie."""
    return (magic + command.encode().ljust(12, b"\0") + struct.pack("<I", len(payload) if length is None else length) +
            (sha256d(payload)[:4] if checksum is None else checksum) + payload)


def version_payload(height=0, services=NODE_NETWORK_WITNESS, relay=True, agent=b"/test-peer:1/", nonce=None):
    address = struct.pack("<Q", services) + bytes(10) + b"\xff\xff\x7f\x00\x00\x01" + struct.pack(">H", 0)
    nonce = struct.pack("<Q", nonce if nonce is not None else time.monotonic_ns() & 0xffffffffffff)
    return (struct.pack("<iQq", 70016, services, int(time.time())) + address + address + nonce + bytes([len(agent)]) + agent +
            struct.pack("<i?", height, relay))


def inv(kind, *hashes):
    """The payload of inv, getdata and notfound."""
    return compact(len(hashes)) + b"".join(struct.pack("<I", kind) + internal(h) for h in hashes)


def parse_inv(payload):
    count, at = parse_compact(payload)
    return [(struct.unpack_from("<I", payload, at + 36 * i)[0], payload[at + 36 * i + 4:at + 36 * i + 36][::-1].hex()) for i in range(count)]


def parse_compact(data, at=0):
    """Returns: value, offset behind it."""
    first = data[at]
    if first < 0xfd:
        return first, at + 1
    size = {0xfd: 2, 0xfe: 4, 0xff: 8}[first]
    return int.from_bytes(data[at + 1:at + 1 + size], "little"), at + 1 + size


def headers_payload(blocks):
    return compact(len(blocks)) + b"".join(b.header() + b"\0" for b in blocks)


def locator(*hashes):
    """The payload of getheaders and getblocks without a stop."""
    return struct.pack("<i", 70016) + compact(len(hashes)) + b"".join(internal(h) for h in hashes) + bytes(32)


class Peer:
    """One connection with a node: to its port, or (outbound=True) the node connects to us. handshake=False: bare bytes only. Handlers may be
    given at once, for what the node asks right after the handshake."""

    def __init__(self, node, handshake=True, outbound=False, handlers=None, **version):
        self.magic = MAGIC[node.chain]
        self.received = []
        self.handlers = {"ping": lambda payload: self.send("pong", payload), "version": lambda payload: self.send("verack")}
        self.closed = threading.Event()
        self.changed = threading.Condition()
        self.handlers.update(handlers or {})
        if outbound:
            with socket.create_server(("127.0.0.1", 0)) as listener:
                listener.settimeout(30 * SLOW)
                node.addnode("127.0.0.1:%d" % listener.getsockname()[1], "onetry", False)  # v1 is all we speak
                self.socket = listener.accept()[0]
                self.socket.settimeout(30 * SLOW)
        else:
            self.socket = socket.create_connection(("127.0.0.1", node.port), timeout=30 * SLOW)
        self.name = "%s:%d" % self.socket.getsockname()  # as getpeerinfo calls it
        self.thread = threading.Thread(target=self._read, daemon=True)
        if handshake:
            self.send("version", version_payload(**version))  # before the reader can answer the node's with a verack
        self.thread.start()
        if handshake:
            self.wait_for("verack")
            self.sync()

    # -- sending --

    def raw(self, data):
        """Bytes as they are. Returns: False when the node has hung up."""
        try:
            self.socket.sendall(data)
            return True
        except OSError:
            return False

    def send(self, command, payload=b""):
        return self.raw(frame(self.magic, command, payload))

    # -- receiving --

    def _exactly(self, n):
        data = b""
        while len(data) < n:
            try:
                more = self.socket.recv(n - len(data))
            except TimeoutError:
                continue
            if not more:
                raise ConnectionError
            data += more
        return data

    def _read(self):
        try:
            while True:
                head = self._exactly(24)
                assert head[:4] == self.magic, "the node's magic"
                payload = self._exactly(struct.unpack("<I", head[16:20])[0])
                assert sha256d(payload)[:4] == head[20:24], "the node's checksum"
                command = head[4:16].rstrip(b"\0").decode()
                handler = self.handlers.get(command)
                if handler:
                    handler(payload)
                with self.changed:
                    self.received.append((command, payload))
                    self.changed.notify_all()
        except (OSError, ConnectionError):
            pass
        finally:
            self.closed.set()
            with self.changed:
                self.changed.notify_all()

    def all(self, command):
        with self.changed:
            return [payload for name, payload in self.received if name == command]

    def wait_for(self, command, match=lambda payload: True, timeout=30):
        """The first message of that kind (from the start of the connection) that matches."""
        deadline = time.monotonic() + timeout * SLOW
        seen = 0
        with self.changed:
            while True:
                for name, payload in self.received[seen:]:
                    if name == command and match(payload):
                        return payload
                seen = len(self.received)
                if self.closed.is_set():
                    raise AssertionError("connection closed, no %s" % command)
                if not self.changed.wait(deadline - time.monotonic()):
                    raise AssertionError("no %s within %g seconds" % (command, timeout * SLOW))

    def sync(self, timeout=30):
        """All that was sent so far has been processed by the node (it answers one message after another)."""
        nonce = struct.pack("<Q", time.monotonic_ns())
        self.send("ping", nonce)
        self.wait_for("pong", lambda payload: payload == nonce, timeout)

    def wait_closed(self, timeout=30):
        wait_until(self.closed.is_set, timeout, "the node hangs up")

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.thread.join(10)
        self.socket.close()


def serve_blocks(peer, blocks):
    """Answers getheaders with all blocks and getdata with those asked for."""
    by_hash = {b.hash: b for b in blocks}
    assert len(blocks) <= 2000, "one headers message"

    def on_getdata(payload):
        for kind, name in parse_inv(payload):
            if kind in (BLOCK, WITNESS_BLOCK) and name in by_hash:
                peer.send("block", by_hash[name].encode())

    peer.handlers["getheaders"] = lambda payload: peer.send("headers", headers_payload(blocks))
    peer.handlers["getdata"] = on_getdata
